/** The plan of a set: reads EC2, computes the change, and finds what prevents it. It changes nothing. */

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
import { readLive } from "./liveReads";
import { mayFailInEc2, preflight } from "./preflight";
import type { Recorded } from "./recorded";
import {
  allowListRefusals,
  goneSnapshotRefusals,
  refuseForeignSnapshots,
  refuseUnavailable,
  unrecordedRevocations,
} from "./refusals";
import { NO_FINDINGS, usageOf } from "./usage";

/** The planned change of one set. */
export interface Plan {
  readonly set: PermissionSet;
  readonly region: string;
  readonly image: Image;
  /** What the last operation recorded; undefined for a new set. */
  readonly recorded: Recorded | undefined;
  /** What EC2 has on the image, and on each snapshot that the set manages or that is in its record. */
  readonly live: Permissions;
  /** What the set wants. */
  readonly target: Permissions;
  readonly change: Change;
  /** The additions that EC2 does not show yet: who gains access. */
  readonly gaining: Permissions;
  /** The removals that EC2 shows: who loses access. The other removals are sent as well. */
  readonly losing: Permissions;
  /**
   * Grants of others that the set does not want but leaves, because they are not in `revocable`: users have not seen them in a plan. A
   * refresh records them.
   */
  readonly unplanned: Permissions;
  /** The steps to send, in order. */
  readonly phases: readonly (readonly Step[])[];
  /** Reasons why the change is refused. If there is one, nothing is changed. */
  readonly refusals: readonly AmiSharingError[];
  /** Messages about what only EC2 can decide. */
  readonly doubts: readonly string[];
  /** Messages about changes that are possible but may be a mistake. */
  readonly warnings: readonly string[];
  /** The keys of an encrypted image, and the changes of their grants. */
  readonly keys: KeyPlan;
  /** The other sets of the image. */
  readonly neighbours: Neighbours;
}

export interface PlanOptions {
  /** Whether to read who uses the image, if the set has `checkUsage`. A plan that is applied at once does not need it. Default: false. */
  readonly withUsage?: boolean;
  /** The other sets of the image, as far as they are known. Default: none. */
  readonly neighbours?: Neighbours;
  /** Limits which grants of others the plan may revoke: those that users saw in an earlier plan. Default: all that EC2 has. */
  readonly revocable?: Permissions | undefined;
}

/**
 * Reads EC2 and plans the change of a set.
 *
 * @param recorded the record of the last operation of this set; undefined for a new set
 * @throws AmiSharingError if the permissions cannot be read, or if the image can have no change
 */
export async function planChange(
  gateway: Gateway,
  set: PermissionSet,
  recorded?: Recorded,
  neighbours: Neighbours = NO_NEIGHBOURS,
  revocable?: Permissions,
): Promise<Plan> {
  return planFor(gateway, set, await gateway.describeImage(set.imageId), recorded, { withUsage: true, neighbours, revocable });
}

/**
 * The refusals of the set's allow-lists for a set that needs no change, judged by what is recorded.
 *
 * @param live what EC2 has, as far as it is known
 */
export function allowListRefusalsOf(
  set: PermissionSet,
  image: Pick<Image, "ownerId" | "snapshotIds">,
  live: Permissions,
  { claims }: Neighbours = NO_NEIGHBOURS,
): readonly AmiSharingError[] {
  if (set.allowed === undefined) return [];
  return allowListRefusals(set, image, targetPermissions(set, image), minus(live, claimedBy(claims, image)));
}

/** Plans the change of a set for an image that has been read. */
export async function planFor(
  gateway: Gateway,
  set: PermissionSet,
  described: Image,
  recorded?: Recorded,
  { withUsage = false, neighbours = NO_NEIGHBOURS, revocable }: PlanOptions = {},
): Promise<Plan> {
  refuseUnavailable(described);
  refuseForeignSnapshots(set, described);
  const managedSnapshotIds = managedSnapshots(set, described);
  const granted = recorded?.granted ?? NO_PERMISSIONS;
  const before = recorded?.live ?? NO_PERMISSIONS;
  const snapshotIds = [managedSnapshotIds, granted.createVolume.keys(), before.createVolume.keys()].flatMap((ids) => [...ids]);
  const { live, gone } = await readLive(gateway, described, new Set(snapshotIds));
  // A snapshot of an AMI can be deleted before the AMI. A deleted snapshot cannot be shared, and has no grants.
  const image = { ...described, snapshotIds: described.snapshotIds.filter((id) => !gone.has(id)) };
  const target = targetPermissions(set, image);
  const unbound = changeOf(set, image, { live, granted }, neighbours);
  const wanted = changeOf(set, image, { live, granted }, neighbours, revocable);
  const change = {
    add: union(wanted.add, union(sentAgain(target, recorded), intersection(target, neighbours.taken ?? NO_PERMISSIONS))),
    // If EC2 is wrong about a deleted snapshot, the grants stay that the set wants on it.
    remove: minus(wanted.remove, targetPermissions(set, described)),
  };
  const losing = intersection(change.remove, live);
  const unwanted = intersection(unbound.remove, live);
  const unplanned = minus(unwanted, losing);
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
    unplanned,
    phases: phasesOf(change, mayFailInEc2(change, doubts)),
    refusals: [
      ...allowListRefusals(
        set,
        image,
        target,
        minus(minus(minus(live, change.remove), unplanned), claimedBy(neighbours.claims, image)),
      ),
      ...tooManyRevocations(set.imageId, [...granteesOf(losing)], set.maxRevocations),
      ...unrecordedRevocations(set, minus(unwanted, union(union(granted, before), neighbours.inherited)), recorded),
      ...goneSnapshotRefusals(set, change.add, gone),
      ...refusals,
    ],
    doubts: [
      ...(image.state === "pending" ? [pendingNote(set, recorded)] : []),
      ...goneSnapshotNotes(described, gone),
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
 * What this set revoked in its last change and wants again. It is sent even if EC2 shows it, because the answer may be older than that
 * change. After a refresh, it is not sent again.
 */
export function sentAgain(target: Permissions, recorded: Recorded | undefined): Permissions {
  return intersection(target, recorded?.revoked ?? NO_PERMISSIONS);
}

/** The part of a change that EC2 accepted, or may have accepted. */
export interface Accepted {
  readonly added: Permissions;
  readonly removed: Permissions;
}

/**
 * The record of a set after a change, if EC2 has `live`.
 *
 * A set owns what it added, and what it owned before until it revokes it. An authoritative set also owns everything that it wants and finds
 * in EC2. An additive set owns what it finds only if a set of the same program granted it.
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

/** The change of a set, if EC2 has `live` and the set granted `granted`. It makes no call. */
export function changeOf(
  set: PermissionSet,
  image: Pick<Image, "ownerId" | "snapshotIds">,
  { live, granted }: Pick<Recorded, "live" | "granted"> = { live: NO_PERMISSIONS, granted: NO_PERMISSIONS },
  { claims }: Neighbours = NO_NEIGHBOURS,
  revocable?: Permissions,
): Change {
  const target = targetPermissions(set, image);
  const managedSnapshotIds = managedSnapshots(set, image);
  const claimed = claimedBy(claims, image);
  return changeFor({
    mode: set.mode,
    target,
    live,
    granted,
    managedSnapshotIds,
    neverRevoke: set.neverRevoke,
    claimed,
    revocable,
  });
}

/**
 * The record that is expected after a plan is applied: what the set wants, and what is recorded and stays. It is made from the record and
 * the arguments only, so that a change by others or by other sets before the apply does not make it wrong.
 */
export function expectedRecord(plan: Plan): Recorded {
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
  return `the AMI is pending: the change waits for it, ${most} at most`;
}

function goneSnapshotNotes({ snapshotIds }: Image, gone: ReadonlySet<string>): string[] {
  const ids = snapshotIds.filter((id) => gone.has(id));
  return ids.length === 0 ? [] : [`${ids.join(", ")}, of the AMI's block device mappings, is gone: it is left out`];
}
