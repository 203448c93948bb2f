/** Making EC2 have what a set wants and knowing what it has: observe, diff, apply, read again; and taking it away. */

import { createWaiter, WaiterState } from "@smithy/util-waiter";
import { inGroups } from "./batches";
import { type Change, mayRevoke, phasesOf, type Step } from "./diff";
import { AmiSharingError } from "./errors";
import type { Gateway, Image } from "./gateway";
import { accountKey } from "./grantee";
import { grantName } from "./keyPlan";
import { VISIBILITY_TIMEOUT_SECONDS } from "./limits";
import { managedSnapshots, type PermissionSet } from "./permissionSet";
import { filterGrantees, granteesOf, intersection, isEmpty, minus, NO_PERMISSIONS, type Permissions, union } from "./permissions";
import { ifPresent, livePermissions, type Plan, planFor, type Readable, recordOf } from "./plan";
import type { OwnKeyGrant, Recorded } from "./recorded";

/** How long to wait for EC2, in seconds. */
export interface Patience {
  readonly timeout: number;
  readonly minDelay: number;
  readonly maxDelay: number;
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
}

export const DEFAULT_PATIENCE: Patience = { timeout: VISIBILITY_TIMEOUT_SECONDS, minDelay: 1, maxDelay: 30 };

/** A change that was begun and not completed: `recorded` is what holds now. */
export class IncompleteChangeError extends Error {
  override readonly name = "IncompleteChangeError";
  constructor(
    readonly reason: AmiSharingError,
    readonly recorded: Recorded,
  ) {
    super(`the change was begun and not completed: ${reason.message}`, { cause: reason });
  }
}

/** A change that was made: what holds now, and what was done. */
export interface Reconciled {
  readonly recorded: Recorded;
  readonly plan: Plan;
}

/**
 * Makes EC2 have what `set` wants.
 *
 * @param previous what was recorded after the last operation of this set; undefined for a new one
 * @throws AmiSharingError where nothing was changed, IncompleteChangeError where something may have been
 */
export async function reconcile(
  gateway: Gateway,
  set: PermissionSet,
  previous?: Recorded,
  patience: Patience = DEFAULT_PATIENCE,
): Promise<Reconciled> {
  const plan = await planFor(gateway, set, await imageNotPending(gateway, set.imageId, patience), previous);
  const { image, change, live: before } = plan;
  const [refusal] = plan.refusals;
  if (refusal) throw refusal;

  const keyGrants = new Set([...plan.keys.keep, ...plan.keys.retire]);
  const recordedWith = (live: Permissions, added?: Permissions): Recorded => ({
    ...recordOf(plan, live, added),
    ...(keyGrants.size > 0 ? { keyGrants: [...keyGrants] } : {}),
  });
  const accepted: Step[] = [];
  try {
    // The key first, and last to go: nobody holds an AMI that cannot be started.
    await inGroups(plan.keys.create, async ({ keyId, accountId }) => {
      const grantId = await gateway.keys.createGrant(keyId, accountId, grantName(image.imageId));
      keyGrants.add({ keyId, grantId, accountId });
    });
    await applyPhases(gateway, image.imageId, plan.phases, accepted);
    await retire(gateway, plan.keys.retire, (grant) => keyGrants.delete(grant));
    const live = await waitUntilVisible(gateway, image, change, before, patience);
    return { recorded: recordedWith(live), plan };
  } catch (error) {
    const reason = error as AmiSharingError;
    const seen = await rereadChanged(gateway, image, change, before).catch(() => undefined);
    const keysAsBefore = [...plan.keys.keep, ...plan.keys.retire].length === keyGrants.size;
    if (seen && accepted.length === 0 && keysAsBefore && same(seen, before)) throw reason;
    // What EC2 accepted is ours even if it does not show yet; where nothing can be read, so is all that was tried.
    throw new IncompleteChangeError(reason, recordedWith(seen ?? before, seen ? addedBy(accepted) : change.add));
  }
}

/**
 * Reads what EC2 has for a set, in one call for the image and one for each snapshot; where nothing is recorded yet, or the image
 * cannot be read, it is described first.
 *
 * @returns undefined where the image is gone
 */
export async function observe(gateway: Gateway, set: PermissionSet, previous?: Recorded): Promise<Recorded | undefined> {
  const granted = previous?.granted ?? NO_PERMISSIONS;
  const permissionsOf = (image: Readable & Pick<Image, "snapshotIds">) =>
    livePermissions(gateway, image, new Set([...managedSnapshots(set, image), ...granted.createVolume.keys()]));
  // An image keeps its owner and its snapshots for life.
  const known = previous?.ownerId ? { imageId: set.imageId, ...previous } : undefined;
  const read = known && (await permissionsOf(known).catch(unlessNotFound));
  const image = read ? known : await existingImage(gateway, set.imageId, previous?.ownerId);
  if (!image) return undefined;
  const live = read ?? (await permissionsOf(image));
  return {
    region: await gateway.region(),
    ownerId: image.ownerId,
    snapshotIds: image.snapshotIds,
    live,
    granted: intersection(granted, live),
    ...(previous ? await observeKeys(gateway, previous, live) : {}),
  };
}

/** Which of the set's KMS grants are still there, and who lost one; one call for each key that the set made grants of. */
async function observeKeys(
  gateway: Gateway,
  { keyGrants, keyless = new Set() }: Recorded,
  live: Permissions,
): Promise<Pick<Recorded, "keyGrants" | "keyless">> {
  if (!keyGrants && keyless.size === 0) return {};
  const keyIds = [...new Set((keyGrants ?? []).map(({ keyId }) => keyId))];
  const listed = new Map(await inGroups(keyIds, async (keyId) => [keyId, await gateway.keys.grants(keyId)] as const));
  // Where KMS does not tell, they count as they were recorded.
  const isThere = ({ keyId, grantId }: OwnKeyGrant) => listed.get(keyId)?.some((one) => one.grantId === grantId) ?? true;
  const gone = (keyGrants ?? []).filter((grant) => !isThere(grant)).map(({ accountId }) => accountKey(accountId));
  const holders = granteesOf(live);
  const without = new Set([...keyless, ...gone].filter((key) => holders.has(key)));
  return {
    ...(keyGrants ? { keyGrants: keyGrants.filter(isThere) } : {}),
    ...(without.size > 0 ? { keyless: without } : {}),
  };
}

function unlessNotFound(error: Error): undefined {
  if (!(error instanceof AmiSharingError && error.code === "image-not-found")) throw error;
}

/** Takes a set's permissions away as `onDelete` says; an image or a snapshot that is gone is fine. */
export async function remove(
  gateway: Gateway,
  set: PermissionSet,
  { granted, snapshotIds, ownerId, keyGrants = [] }: Recorded,
  patience: Patience = DEFAULT_PATIENCE,
): Promise<void> {
  if (set.onDelete === "retain") return;
  const image = await existingImage(gateway, set.imageId, ownerId);
  await unshare(gateway, set, { granted, snapshotIds }, image, patience);
  await retire(
    gateway,
    keyGrants.filter(({ accountId }) => mayRevoke(accountKey(accountId), set.spared)),
  );
}

/** Takes the permissions on the image, if it is still there, and on its snapshots away. */
async function unshare(
  gateway: Gateway,
  set: PermissionSet,
  { granted, snapshotIds }: Pick<Recorded, "granted" | "snapshotIds">,
  image: Image | undefined,
  patience: Patience,
): Promise<void> {
  const reset = set.onDelete === "reset";
  // EC2's reset knows no exception: with somebody to spare, all others are removed by name.
  if (reset && set.spared.size === 0) {
    if (image) await gateway.resetLaunchPermissions(set.imageId);
    await inGroups(managedSnapshots(set, { snapshotIds }), (id) =>
      ifPresent(gateway.resetCreateVolumePermissions(id), undefined),
    );
    return;
  }
  const readable: Readable = image ?? { imageId: set.imageId, ownerId: "" };
  const before = await livePermissions(
    gateway,
    readable,
    reset ? managedSnapshots(set, { snapshotIds }) : granted.createVolume.keys(),
    image !== undefined && (reset || granted.launch.size > 0),
  );
  const owned = reset ? before : intersection(granted, before);
  const change: Change = { add: NO_PERMISSIONS, remove: filterGrantees(owned, (key) => mayRevoke(key, set.spared)) };
  await applyPhases(gateway, set.imageId, phasesOf(change), []);
  await waitUntilVisible(gateway, readable, change, before, patience);
}

async function retire(gateway: Gateway, grants: readonly OwnKeyGrant[], done: (grant: OwnKeyGrant) => void = () => undefined) {
  await inGroups(grants, async (grant) => {
    await gateway.keys.revokeGrant(grant.keyId, grant.grantId);
    done(grant);
  });
}

/**
 * The image, or undefined where it is gone.
 *
 * EC2 gives another account's private image and a deregistered one the same answer, and taking the first for the second
 * would forget a set that still shares: an image counts as gone only for its owner's credentials.
 */
async function existingImage(gateway: Gateway, imageId: string, ownerId: string | undefined): Promise<Image | undefined> {
  try {
    const image = await gateway.describeImage(imageId);
    return image.state === "deregistered" ? undefined : image;
  } catch (error) {
    if (!(error instanceof AmiSharingError && error.code === "image-not-found")) throw error;
    const caller = ownerId ? await gateway.callerAccountId() : undefined;
    if (caller === undefined || caller === ownerId) return undefined;
    throw new AmiSharingError(
      "not-owner",
      `AMI ${imageId} belongs to account ${ownerId}, and the credentials to account ${caller}`,
      {
        imageId,
        next: "use the owner's credentials; nothing was changed or forgotten",
      },
    );
  }
}

/** The image once it is no longer pending, as EC2 changes the permissions of available images only. */
async function imageNotPending(gateway: Gateway, imageId: string, patience: Patience): Promise<Image> {
  const image = await poll(
    () => gateway.describeImage(imageId),
    ({ state }) => state !== "pending",
    patience,
  );
  if (image.state !== "pending") return image;
  if (patience.signal?.aborted) throw stopped(imageId, "while the AMI is pending; nothing was changed");
  throw new AmiSharingError("image-not-shareable", `AMI ${imageId} is still pending after ${patience.timeout} seconds`, {
    property: "imageId",
    imageId,
    next: "repeat once it is available",
  });
}

async function applyPhases(
  gateway: Gateway,
  imageId: string,
  phases: readonly (readonly Step[])[],
  accepted: Step[],
): Promise<void> {
  for (const phase of phases)
    await inGroups(phase, async (step) => {
      if (step.kind === "launch") await gateway.changeLaunchPermissions(imageId, step);
      else await gateway.changeCreateVolumePermissions(step.snapshotId, step.operation, step.grantees);
      accepted.push(step);
    });
}

async function waitUntilVisible(
  gateway: Gateway,
  image: Readable,
  change: Change,
  before: Permissions,
  patience: Patience,
): Promise<Permissions> {
  const shows = (live: Permissions) => isEmpty(minus(change.add, live)) && isEmpty(intersection(change.remove, live));
  const live = await poll(() => rereadChanged(gateway, image, change, before), shows, patience);
  if (shows(live)) return live;
  if (patience.signal?.aborted) throw stopped(image.imageId, "before EC2 showed the change, which it had accepted");
  throw new AmiSharingError(
    "not-visible",
    `EC2 accepted the change of AMI ${image.imageId} and does not show it after ${patience.timeout} seconds`,
    {
      imageId: image.imageId,
      next: "repeat later: what already holds is not sent again",
    },
  );
}

/** What EC2 has now, read again only where the change touches it. */
async function rereadChanged(
  gateway: Gateway,
  image: Readable,
  { add, remove }: Change,
  before: Permissions,
): Promise<Permissions> {
  const snapshotIds = new Set([...add.createVolume.keys(), ...remove.createVolume.keys()]);
  const launchChanges = add.launch.size + remove.launch.size > 0;
  const reread = await livePermissions(gateway, image, snapshotIds, launchChanges);
  const untouched = [...before.createVolume].filter(([id]) => !snapshotIds.has(id));
  return { launch: launchChanges ? reread.launch : before.launch, createVolume: new Map([...untouched, ...reread.createVolume]) };
}

/** Reads until `done`, backing off; gives back the last value read, done or not. */
async function poll<Value>(read: () => Promise<Value>, done: (value: Value) => boolean, patience: Patience): Promise<Value> {
  const { timeout: maxWaitTime, minDelay, maxDelay, signal: abortSignal } = patience;
  const waiting = { client: undefined, maxWaitTime, minDelay, maxDelay, ...(abortSignal ? { abortSignal } : {}) };
  let last: Value | undefined;
  await createWaiter(waiting, undefined, async () => {
    last = await read();
    return { state: done(last) ? WaiterState.SUCCESS : WaiterState.RETRY };
  });
  return last ?? read();
}

function stopped(imageId: string, when: string): AmiSharingError {
  return new AmiSharingError("stopped", `stopped ${when}`, { imageId, next: "repeat to go on" });
}

function addedBy(steps: readonly Step[]): Permissions {
  return steps.reduce<Permissions>((sum, step) => {
    if (step.kind === "launch") return union(sum, { launch: new Set(step.add), createVolume: new Map() });
    if (step.operation === "remove") return sum;
    return union(sum, { launch: new Set(), createVolume: new Map([[step.snapshotId, new Set(step.grantees)]]) });
  }, NO_PERMISSIONS);
}

function same(a: Permissions, b: Permissions): boolean {
  return isEmpty(minus(a, b)) && isEmpty(minus(b, a));
}
