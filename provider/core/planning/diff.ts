/** What to change so that an image has the permissions a set wants, and in which calls; pure, no I/O. */

import type { Mode } from "../declaration";
import {
  filterGrantees,
  filterSnapshots,
  type GranteeKey,
  intersection,
  isManageable,
  MAX_LAUNCH_CHANGES_PER_CALL,
  MAX_SNAPSHOT_CHANGES_PER_CALL,
  minus,
  NO_PERMISSIONS,
  type Permissions,
  union,
} from "../model";

/** Permissions to add and to remove; nothing is in both. */
export interface Change {
  readonly add: Permissions;
  readonly remove: Permissions;
}

export interface Situation {
  readonly mode: Mode;
  /** What the set wants. */
  readonly target: Permissions;
  /** What EC2 has, on every snapshot that `managedSnapshotIds` or `granted` names. */
  readonly live: Permissions;
  /** What this set granted before. */
  readonly granted: Permissions;
  /** Whom nothing is taken away from. */
  readonly neverRevoke?: ReadonlySet<GranteeKey>;
  /** What other sets of the same program want: it stays, too. */
  readonly claimed?: Permissions;
  /** Of what others granted, what alone may be taken away. Default: all of it. */
  readonly bound?: Permissions | undefined;
  /** The snapshots whose permissions the set manages now. */
  readonly managedSnapshotIds: readonly string[];
}

/**
 * The change that makes `live` what the set wants.
 *
 * Authoritative: the managed permissions become `target`. Additive: `target` is added, and what this set granted and no
 * longer wants is removed. In both, snapshots that are no longer managed lose what this set granted on them.
 *
 * What the set is recorded to have granted is removed by name even where `live` does not show it: one answer of EC2 may be old.
 * EC2 API reference, ModifyImageAttribute, ModifySnapshotAttribute: removing what is not there is no error.
 */
export function changeFor(situation: Situation): Change {
  const { mode, target, live, granted, neverRevoke, managedSnapshotIds, bound, claimed = NO_PERMISSIONS } = situation;
  const managed = filterSnapshots(live, (id) => managedSnapshotIds.includes(id));
  const others = bound ? intersection(managed, bound) : managed;
  const owned = mode === "authoritative" ? union(granted, others) : granted;
  const unwanted = minus(minus(owned, target), claimed);
  return { add: minus(target, live), remove: filterGrantees(unwanted, (key) => mayRevoke(key, neverRevoke)) };
}

/** Whether anything may be taken from a grantee. */
export function mayRevoke(key: GranteeKey, neverRevoke: ReadonlySet<GranteeKey> = new Set()): boolean {
  return isManageable(key) && !neverRevoke.has(key);
}

/** One or more calls of EC2 on one resource. */
export type Step =
  | { readonly kind: "launch"; readonly add: readonly GranteeKey[]; readonly remove: readonly GranteeKey[] }
  | {
      readonly kind: "createVolume";
      readonly snapshotId: string;
      readonly operation: "add" | "remove";
      readonly grantees: readonly GranteeKey[];
    };

/**
 * The steps of a change, in phases: those of one phase may run at once, the next begins when all are done.
 *
 * Snapshots are shared before the image, so that nobody gets an image that cannot be copied, and unshared after it.
 *
 * @param imageFirst share the image before its snapshots: where EC2 may refuse the image, nothing is changed then
 */
export function phasesOf({ add, remove }: Change, imageFirst = false): Step[][] {
  const snapshots = (operation: "add" | "remove", permissions: Permissions): Step[] =>
    [...permissions.createVolume].map(([snapshotId, keys]) => ({
      kind: "createVolume",
      snapshotId,
      operation,
      grantees: sorted(keys),
    }));
  const image: Step[] =
    add.launch.size + remove.launch.size > 0 ? [{ kind: "launch", add: sorted(add.launch), remove: sorted(remove.launch) }] : [];
  const adding = imageFirst ? [image, snapshots("add", add)] : [snapshots("add", add), image];
  return [...adding, snapshots("remove", remove)].filter((phase) => phase.length > 0);
}

function sorted(keys: ReadonlySet<GranteeKey>): GranteeKey[] {
  return [...keys].sort();
}

/** How many requests a change makes, by EC2 action; an action without one is left out. */
export function callsOf(phases: readonly (readonly Step[])[]): ReadonlyMap<string, number> {
  const calls = new Map<string, number>();
  const count = (action: string, changes: number, most: number) =>
    calls.set(action, (calls.get(action) ?? 0) + Math.ceil(changes / most));
  for (const step of phases.flat()) {
    if (step.kind === "launch") count("ModifyImageAttribute", step.add.length + step.remove.length, MAX_LAUNCH_CHANGES_PER_CALL);
    else count("ModifySnapshotAttribute", step.grantees.length, MAX_SNAPSHOT_CHANGES_PER_CALL);
  }
  return calls;
}
