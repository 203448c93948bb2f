/** What a set is about to change: reads EC2, works out the change and what stands in its way, and changes nothing. */

import { inGroups } from "./batches";
import { claimedBy, type Neighbours, NO_NEIGHBOURS } from "./claims";
import { type Change, changeFor, phasesOf, type Step } from "./diff";
import { AmiSharingError } from "./errors";
import type { Gateway, Image } from "./gateway";
import { accountKey, type GranteeKey } from "./grantee";
import { type KeyPlan, planKeys } from "./keyPlan";
import { VISIBILITY_TIMEOUT_SECONDS } from "./limits";
import { managedSnapshots, type PermissionSet, refuseTooManyRevocations, targetPermissions } from "./permissionSet";
import { filterGrantees, granteesOf, intersection, isEmpty, minus, NO_PERMISSIONS, type Permissions, union } from "./permissions";
import { mayFailInEc2, preflight } from "./preflight";
import type { Recorded } from "./recorded";
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
): Promise<Plan> {
  return planFor(gateway, set, await gateway.describeImage(set.imageId), recorded, { withUsage: true, neighbours });
}

/** The same for an image that was read already. */
export async function planFor(
  gateway: Gateway,
  set: PermissionSet,
  image: Image,
  recorded?: Recorded,
  { withUsage = false, neighbours = NO_NEIGHBOURS }: PlanOptions = {},
): Promise<Plan> {
  refuseState(image);
  refuseForeignSnapshots(set, image);
  const managedSnapshotIds = managedSnapshots(set, image);
  const granted = recorded?.granted ?? NO_PERMISSIONS;
  const before = recorded?.live ?? NO_PERMISSIONS;
  const snapshotIds = [managedSnapshotIds, granted.createVolume.keys(), before.createVolume.keys()].flatMap((ids) => [...ids]);
  const live = await livePermissions(gateway, image, new Set(snapshotIds));
  const target = targetPermissions(set, image);
  const change = sentAgain(changeOf(set, image, { live, granted }, neighbours), target, recorded);
  const losing = intersection(change.remove, live);
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
    phases: phasesOf(change, mayFailInEc2(change, doubts)),
    refusals: [...tooManyRevocations(set, losing), ...refusals],
    doubts: [...(image.state === "pending" ? [PENDING] : []), ...doubts, ...keys.doubts, ...usage.doubts],
    warnings: [...keys.warnings, ...usage.warnings],
    keys,
    neighbours,
  };
}

/** What this set revoked in its last change and wants again is sent whatever EC2 shows: the answer may be from before that change. */
function sentAgain(change: Change, target: Permissions, recorded: Recorded | undefined): Change {
  return { ...change, add: union(change.add, intersection(target, recorded?.revoked ?? NO_PERMISSIONS)) };
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
): Change {
  const target = targetPermissions(set, image);
  const managedSnapshotIds = managedSnapshots(set, image);
  const claimed = claimedBy(claims, image);
  return changeFor({ mode: set.mode, target, live, granted, managedSnapshotIds, spared: set.spared, claimed });
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

const PENDING = `the AMI is pending: it is waited for, ${VISIBILITY_TIMEOUT_SECONDS / 60} minutes at most`;

function refuseState({ imageId, state }: Image): void {
  if (state === "available" || state === "pending" || state === "") return;
  throw new AmiSharingError("image-not-shareable", `AMI ${imageId} is ${state}`, {
    property: "imageId",
    imageId,
    next: state === "disabled" ? "enable it first (aws ec2 enable-image)" : "only an available AMI can be shared",
  });
}

function refuseForeignSnapshots({ createVolume }: PermissionSet, { imageId, snapshotIds }: Image): void {
  const foreign = createVolume?.snapshotIds?.filter((id) => !snapshotIds.includes(id)) ?? [];
  if (foreign.length === 0) return;
  const has = snapshotIds.length > 0 ? `its EBS snapshots are ${snapshotIds.join(", ")}` : "it has no EBS snapshot";
  throw new AmiSharingError(
    "invalid-argument",
    `createVolumePermissions.snapshotIds: ${foreign.join(", ")} is not of AMI ${imageId}`,
    { property: "createVolumePermissions", imageId, next: has },
  );
}

function tooManyRevocations({ imageId, maxRevocations }: PermissionSet, losing: Permissions): AmiSharingError[] {
  try {
    refuseTooManyRevocations(imageId, [...granteesOf(losing)], maxRevocations);
    return [];
  } catch (error) {
    return [error as AmiSharingError];
  }
}

/** What of an image its permissions are read by. */
export type Readable = Pick<Image, "imageId" | "ownerId">;

/** What EC2 has, less the owner's own account: it always has access, and is neither shown nor changed. */
export async function livePermissions(
  gateway: Gateway,
  image: Readable,
  snapshotIds: Iterable<string>,
  withLaunch = true,
): Promise<Permissions> {
  const reading = snapshotPermissions(gateway, snapshotIds);
  // Awaited below: where both fail, as for an AMI of another account, the error is the AMI's.
  reading.catch(() => undefined);
  const launch = withLaunch ? await gateway.launchPermissions(image.imageId) : new Set<GranteeKey>();
  const createVolume = await reading;
  const owner = accountKey(image.ownerId);
  return filterGrantees({ launch, createVolume }, (key) => key !== owner);
}

/** Create-volume permissions of the snapshots that still exist; one without a grantee is left out. */
async function snapshotPermissions(gateway: Gateway, snapshotIds: Iterable<string>): Promise<Permissions["createVolume"]> {
  const read = await inGroups(
    [...snapshotIds],
    async (id) => [id, await ifPresent(gateway.createVolumePermissions(id), new Set<GranteeKey>())] as const,
  );
  return new Map(read.filter(([, keys]) => keys.size > 0));
}

/** The value read, or `absent` where the snapshot is gone. */
export async function ifPresent<Value>(reading: Promise<Value>, absent: Value): Promise<Value> {
  return reading.catch((error: AmiSharingError) => {
    if (error.code === "snapshot-not-found") return absent;
    throw error;
  });
}
