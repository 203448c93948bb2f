/** What a set is about to change: reads EC2, works out the change and what stands in its way, and changes nothing. */

import type { Gateway, Image } from "../aws";
import { managedSnapshots, type PermissionSet, targetPermissions, tooManyRevocations } from "../declaration";
import {
  type AmiSharingError,
  durationWords,
  granteesOf,
  intersection,
  isEmpty,
  minus,
  NO_PERMISSIONS,
  type Permissions,
  union,
  VISIBILITY_TIMEOUT_SECONDS,
} from "../model";
import { claimedBy, type Neighbours, NO_NEIGHBOURS } from "./claims";
import { type Change, changeFor, phasesOf, type Step } from "./diff";
import { type KeyPlan, planKeys } from "./keyPlan";
import { look } from "./looks";
import { mayFailInEc2, preflight } from "./preflight";
import type { Recorded } from "./recorded";
import { goneSnapshots, refuseForeignSnapshots, refuseState, unrecordedRevocations } from "./refusals";
import { NO_FINDINGS, usageOf } from "./usage";

/** A change of one set, worked out and not begun. */
export interface Plan {
  readonly set: PermissionSet;
  readonly region: string;
  readonly image: Image;
  /** What the last operation recorded; undefined for a new set. */
  readonly recorded: Recorded | undefined;
  /** What EC2 has on the image, and on every snapshot that the set manages or has something recorded of. */
  readonly live: Permissions;
  /** What the set wants. */
  readonly target: Permissions;
  readonly change: Change;
  /** What EC2 does not show of the additions: who really gains access. */
  readonly gaining: Permissions;
  /** What EC2 shows of the removals: who really loses access. The others are removed by name all the same. */
  readonly losing: Permissions;
  /**
   * What others granted and the set does not want, and stays all the same: the plan is bound to what was shown before, and this was not.
   * A refresh records it.
   */
  readonly unplanned: Permissions;
  /** What EC2 is to be asked, in order. */
  readonly phases: readonly (readonly Step[])[];
  /** Why the change will be refused: nothing is changed while there is one. */
  readonly refusals: readonly AmiSharingError[];
  /** What only EC2 can decide, in words. */
  readonly doubts: readonly string[];
  /** What EC2 takes and people may regret, in words. */
  readonly warnings: readonly string[];
  /** The keys of an encrypted image, and what becomes of their grants. */
  readonly keys: KeyPlan;
  /** The other sets of the image. */
  readonly neighbours: Neighbours;
}

/** What a plan asks beyond what its change needs. */
export interface PlanOptions {
  /** Who still uses the image, where the set has `checkUsage`; a plan that is applied at once need not ask. */
  readonly withUsage?: boolean;
  /** The other sets of the image, as far as they are known. Default: none. */
  readonly neighbours?: Neighbours;
  /** Of what others granted, what alone may be taken away, as people were shown no more. Default: all that EC2 has. */
  readonly bound?: Permissions | undefined;
}

/**
 * Reads EC2 and plans the change of a set.
 *
 * @param recorded what was recorded after the last operation of this set; undefined for a new one
 * @throws AmiSharingError where the image's permissions cannot be read, or no change of it is possible
 */
export async function planChange(
  gateway: Gateway,
  set: PermissionSet,
  recorded?: Recorded,
  neighbours: Neighbours = NO_NEIGHBOURS,
  bound?: Permissions,
): Promise<Plan> {
  return planFor(gateway, set, await gateway.describeImage(set.imageId), recorded, { withUsage: true, neighbours, bound });
}

/** The same for an image that was read already. */
export async function planFor(
  gateway: Gateway,
  set: PermissionSet,
  described: Image,
  recorded?: Recorded,
  { withUsage = false, neighbours = NO_NEIGHBOURS, bound }: PlanOptions = {},
): Promise<Plan> {
  refuseState(described);
  refuseForeignSnapshots(set, described);
  const managedSnapshotIds = managedSnapshots(set, described);
  const granted = recorded?.granted ?? NO_PERMISSIONS;
  const before = recorded?.live ?? NO_PERMISSIONS;
  const snapshotIds = [managedSnapshotIds, granted.createVolume.keys(), before.createVolume.keys()].flatMap((ids) => [...ids]);
  const { live, gone } = await look(gateway, described, new Set(snapshotIds));
  // An AMI outlives its snapshots: what is gone can neither be shared nor hold anything.
  const image = { ...described, snapshotIds: described.snapshotIds.filter((id) => !gone.has(id)) };
  const target = targetPermissions(set, image);
  const unbound = changeOf(set, image, { live, granted }, neighbours);
  const wanted = changeOf(set, image, { live, granted }, neighbours, bound);
  const change = {
    add: union(wanted.add, sentAgain(target, recorded)),
    // Where EC2 was wrong on a snapshot that is gone, what is wanted on it stays.
    remove: minus(wanted.remove, targetPermissions(set, described)),
  };
  const losing = intersection(change.remove, live);
  const unwanted = intersection(unbound.remove, live);
  const keys = await planKeys(gateway, { set, image, change, target, owned: recorded?.keyGrants ?? [], neighbours });
  const { refusals, doubts } = await preflight(gateway, { image, change, live, keys: keys.keys });
  const usage = withUsage && set.checkUsage ? await usageOf(gateway, image, change, target) : NO_FINDINGS;
  return {
    set,
    region: await gateway.region(),
    image,
    recorded,
    live,
    target,
    change,
    gaining: minus(change.add, live),
    losing,
    unplanned: minus(unwanted, losing),
    phases: phasesOf(change, mayFailInEc2(change, doubts)),
    refusals: [
      ...tooManyRevocations(set.imageId, [...granteesOf(losing)], set.maxRevocations),
      ...unrecordedRevocations(set, minus(unwanted, union(union(granted, before), neighbours.inherited)), recorded),
      ...goneSnapshots(set, change.add, gone),
      ...refusals,
    ],
    doubts: [
      ...(image.state === "pending" ? [pendingNote(set, recorded)] : []),
      ...leftOut(described, gone),
      ...doubts,
      ...keys.doubts,
      ...usage.doubts,
    ],
    warnings: [...keys.warnings, ...usage.warnings],
    keys,
    neighbours,
  };
}

/**
 * What this set revoked in its last change and wants again: it is sent whatever EC2 shows, as the answer may be from before that change.
 * A refresh in between ends the doubt.
 */
export function sentAgain(target: Permissions, recorded: Recorded | undefined): Permissions {
  return intersection(target, recorded?.revoked ?? NO_PERMISSIONS);
}

/** What EC2 accepted of a change, or may have. */
export interface Accepted {
  readonly added: Permissions;
  readonly removed: Permissions;
}

/**
 * What is known of a set once EC2 has `live`.
 *
 * A set owns what it added, and keeps what it owned until it revokes it itself. An authoritative one owns all that it wants and finds
 * in place; an additive one only what a set of the same program granted there.
 */
export function recordOf(
  { set, region, image, recorded, live: before, target, neighbours }: Plan,
  live: Permissions,
  { added, removed }: Accepted,
): Recorded {
  const found = intersection(target, before);
  const adopted = set.mode === "authoritative" ? found : intersection(found, neighbours.inherited);
  const granted = minus(union(union(recorded?.granted ?? NO_PERMISSIONS, adopted), added), removed);
  return {
    region,
    ownerId: image.ownerId,
    snapshotIds: image.snapshotIds,
    live,
    granted,
    ...(isEmpty(removed) ? {} : { revoked: removed }),
  };
}

/** What a set changes where EC2 has `live` and the set granted `granted`; EC2 is not asked. */
export function changeOf(
  set: PermissionSet,
  image: Pick<Image, "ownerId" | "snapshotIds">,
  { live, granted }: Pick<Recorded, "live" | "granted"> = { live: NO_PERMISSIONS, granted: NO_PERMISSIONS },
  { claims }: Neighbours = NO_NEIGHBOURS,
  bound?: Permissions,
): Change {
  const target = targetPermissions(set, image);
  const managedSnapshotIds = managedSnapshots(set, image);
  const claimed = claimedBy(claims, image);
  return changeFor({ mode: set.mode, target, live, granted, managedSnapshotIds, neverRevoke: set.neverRevoke, claimed, bound });
}

/**
 * What can be promised of a set once a plan is applied: what it wants, and what is recorded and stays. It depends on nothing that
 * others may do in the meantime, other sets included.
 */
export function foreseen(plan: Plan): Recorded {
  const { set, image, recorded } = plan;
  const { add, remove } = changeOf(set, image, recorded);
  const live = union(minus(recorded?.live ?? NO_PERMISSIONS, remove), add);
  return recordOf({ ...plan, live: recorded?.live ?? NO_PERMISSIONS, neighbours: NO_NEIGHBOURS }, live, {
    added: add,
    removed: remove,
  });
}

function pendingNote({ timeouts }: PermissionSet, recorded: Recorded | undefined): string {
  const seconds = timeouts?.[recorded ? "update" : "create"];
  const most = seconds === undefined ? `${VISIBILITY_TIMEOUT_SECONDS / 60} minutes` : durationWords(seconds);
  return `the AMI is pending: it is waited for, ${most} at most`;
}

function leftOut({ snapshotIds }: Image, gone: ReadonlySet<string>): string[] {
  const ids = snapshotIds.filter((id) => gone.has(id));
  return ids.length === 0 ? [] : [`${ids.join(", ")}, of the AMI's block device mappings, is gone: it is left out`];
}
