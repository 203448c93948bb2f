/** The difference between what a set wants and what EC2 has, and the calls that remove it. No I/O. */

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

/** Permissions to add and to remove. No permission is in both. */
export interface Change {
  readonly add: Permissions;
  readonly remove: Permissions;
}

export interface ChangeInput {
  readonly mode: Mode;
  /** What the set wants. */
  readonly target: Permissions;
  /** What EC2 has on the image, on the snapshots in `managedSnapshotIds`, and on those in `granted`. */
  readonly live: Permissions;
  /** What this set granted earlier. */
  readonly granted: Permissions;
  /** Grantees from whom nothing is revoked. */
  readonly neverRevoke?: ReadonlySet<GranteeKey>;
  /** What other sets of the same program want. It is not revoked. */
  readonly claimed?: Permissions;
  /** Limits which grants of others the change may revoke. Default: all of them. */
  readonly revocable?: Permissions | undefined;
  /** The snapshots whose permissions the set manages. */
  readonly managedSnapshotIds: readonly string[];
}

/**
 * Computes the change from `live` to what the set wants.
 *
 * Authoritative: the managed permissions become `target`. Additive: the change adds `target`, and removes what this set granted and no
 * longer wants. In both modes, the change removes what this set granted on snapshots that it no longer manages.
 *
 * The change removes what the set granted even if `live` does not show it, because one answer of EC2 may be old.
 * EC2 API reference, ModifyImageAttribute, ModifySnapshotAttribute: it is no error to remove a permission that does not exist.
 */
export function changeFor(input: ChangeInput): Change {
  const { mode, target, live, granted, neverRevoke, managedSnapshotIds, revocable, claimed = NO_PERMISSIONS } = input;
  const managed = filterSnapshots(live, (id) => managedSnapshotIds.includes(id));
  const others = revocable ? intersection(managed, revocable) : managed;
  const owned = mode === "authoritative" ? union(granted, others) : granted;
  const unwanted = minus(minus(owned, target), claimed);
  return { add: minus(target, live), remove: filterGrantees(unwanted, (key) => mayRevoke(key, neverRevoke)) };
}

/** Whether a set may revoke the permissions of a grantee. */
export function mayRevoke(key: GranteeKey, neverRevoke: ReadonlySet<GranteeKey> = new Set()): boolean {
  return isManageable(key) && !neverRevoke.has(key);
}

/** A change of one resource. It takes one call or more. */
export type Step =
  | { readonly kind: "launch"; readonly add: readonly GranteeKey[]; readonly remove: readonly GranteeKey[] }
  | {
      readonly kind: "createVolume";
      readonly snapshotId: string;
      readonly operation: "add" | "remove";
      readonly grantees: readonly GranteeKey[];
    };

/**
 * The steps of a change in phases. The steps of one phase can run in parallel. A phase starts when the one before it has completed.
 *
 * Snapshots are shared before the image and unshared after it, because an account that sees an image may copy it at once.
 *
 * @param imageFirst shares the image before its snapshots. If EC2 then refuses to share the image, nothing was changed
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

/** The number of requests of a change, by EC2 action. */
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
