/** Making EC2 have what a set wants and knowing what it has: observe, diff, apply, read again; and taking it away. */

import type { Gateway, Image } from "../aws";
import { managedSnapshots, type PermissionSet } from "../declaration";
import {
  AmiSharingError,
  accountKey,
  durationWords,
  type ErrorCode,
  filterGrantees,
  type GranteeKey,
  granteesOf,
  inGroups,
  intersection,
  isEmpty,
  minus,
  NO_PERMISSIONS,
  type Permissions,
  union,
} from "../model";
import {
  type Accepted,
  type Change,
  claimedBy,
  customerKeysOf,
  DEFAULT_PATIENCE,
  grantName,
  ifPresent,
  keyGrantsToRevoke,
  keysClaimedBy,
  livePermissions,
  look,
  lookAgain,
  mayRevoke,
  type Neighbours,
  NO_NEIGHBOURS,
  type OwnKeyGrant,
  type Patience,
  type Plan,
  phasesOf,
  planFor,
  poll,
  type Readable,
  type Recorded,
  recordOf,
  rereadChanged,
  type Step,
  stillGone,
  stopped,
  type Wait,
  waitOf,
  waitUntilVisible,
} from "../planning";

/** A change that was begun and not completed: `recorded` is what holds now. */
export class IncompleteChangeError extends Error {
  override readonly name = "IncompleteChangeError";
  constructor(
    readonly reason: AmiSharingError,
    readonly recorded: Recorded,
    note = "",
    /** What was begun. */
    readonly plan?: Plan,
  ) {
    super(`the change was begun and not completed: ${reason.message}${note}`, { cause: reason });
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
 * @param bound of what others granted, what alone may be taken away; default: all that EC2 has
 * @throws AmiSharingError where nothing was changed, IncompleteChangeError where something may have been
 */
export async function reconcile(
  gateway: Gateway,
  set: PermissionSet,
  previous?: Recorded,
  patience: Patience = DEFAULT_PATIENCE,
  neighbours: Neighbours = NO_NEIGHBOURS,
  bound?: Permissions,
): Promise<Reconciled> {
  const wait = waitOf(set, previous ? "update" : "create", patience);
  const described = await imageNotPending(gateway, set.imageId, wait);
  const plan = await planFor(gateway, set, described, previous, { neighbours, bound });
  const { image, change, live: before } = plan;
  const [refusal] = plan.refusals;
  if (refusal) throw refusal;

  const keyGrants = new Map([...plan.keys.keep, ...plan.keys.revoke].map((grant) => [grant.grantId, grant]));
  const keysBefore = [...keyGrants.keys()];
  const sent: Sent = { accepted: [], refused: [], unanswered: [] };
  const recordedWith = (live: Permissions, isRead = true): Recorded => ({
    ...recordOf(plan, live, acceptedOf(sent, isRead ? minus(live, before) : undefined)),
    ...(keyGrants.size > 0 ? { keyGrants: [...keyGrants.values()] } : {}),
  });
  try {
    // The key first, and last to go: nobody holds an AMI that cannot be started.
    await inGroups(plan.keys.create, async ({ keyId, accountId }) => {
      const grantId = await gateway.keys.createGrant(keyId, accountId, grantName(image.imageId));
      keyGrants.set(grantId, { keyId, grantId, accountId });
    });
    await applyPhases(gateway, image, plan.phases, sent);
    await revokeKeyGrants(gateway, plan.keys.revoke, ({ grantId }) => keyGrants.delete(grantId));
    const live = await waitUntilVisible(gateway, image, change, before, wait);
    return { recorded: recordedWith(live), plan };
  } catch (error) {
    const reason = error as AmiSharingError;
    // The answer to a CreateGrant may have been lost.
    const wanted = plan.keys.create.filter(({ keyId, accountId }) => !holdsKey([...keyGrants.values()], keyId, accountId));
    for (const grant of await grantsNamed(gateway, image.imageId, wanted).catch(() => [])) keyGrants.set(grant.grantId, grant);
    const seen = await rereadChanged(gateway, image, change, before).catch(() => undefined);
    const sameKeys = keyGrants.size === keysBefore.length && keysBefore.every((id) => keyGrants.has(id));
    const untouched = seen && sent.accepted.length === 0 && sameKeys && same(seen, before);
    // A set that found in place what its predecessor left has to own it, or nobody would revoke it.
    const inherits = previous === undefined && !isEmpty(intersection(before, neighbours.inherited));
    if (untouched && !inherits) throw reason;
    if (seen) throw new IncompleteChangeError(reason, recordedWith(seen), "", plan);
    const { added, removed } = acceptedOf(sent, undefined);
    throw new IncompleteChangeError(reason, recordedWith(union(minus(before, removed), added), false), UNREAD, plan);
  }
}

const UNREAD = "; EC2 could not be read afterwards: what is recorded is what was sent, and a refresh shows what holds";

function holdsKey(grants: readonly OwnKeyGrant[], keyId: string, accountId: string): boolean {
  return grants.some((grant) => grant.keyId === keyId && grant.accountId === accountId);
}

/** The grants under the set's name that KMS lists for some accounts. */
async function grantsNamed(
  gateway: Gateway,
  imageId: string,
  wanted: readonly { readonly keyId: string; readonly accountId: string }[],
): Promise<OwnKeyGrant[]> {
  const keyIds = [...new Set(wanted.map(({ keyId }) => keyId))];
  const listed = await inGroups(keyIds, async (keyId) => (await gateway.keys.grants(keyId)) ?? []);
  return listed
    .flat()
    .filter(({ name }) => name === grantName(imageId))
    .filter(({ keyId, accountId }) => wanted.some((one) => one.keyId === keyId && one.accountId === accountId))
    .map(({ keyId, grantId, accountId }) => ({ keyId, grantId, accountId }));
}

/** The steps that were sent: those that EC2 accepted, those that it refused, and those of which it did not say. */
interface Sent {
  readonly accepted: Step[];
  readonly refused: Step[];
  readonly unanswered: Step[];
}

/**
 * What counts as done: the removals that EC2 confirmed, and every addition that was sent unless EC2 refused it. A refusal may have come to
 * a repetition, so that what shows now counts.
 *
 * @param appeared what EC2 shows and did not show before; undefined where it cannot be read
 */
function acceptedOf({ accepted, refused, unanswered }: Sent, appeared: Permissions | undefined): Accepted {
  const added = union(addedBy(accepted), addedBy(unanswered));
  const refusedAdditions = appeared ? intersection(addedBy(refused), appeared) : addedBy(refused);
  return { added: union(added, refusedAdditions), removed: removedBy(accepted) };
}

/** What EC2 answers when it certainly did nothing. */
const REFUSALS: readonly ErrorCode[] = [
  "invalid-argument",
  "image-not-found",
  "snapshot-not-found",
  "not-owner",
  "sharing-refused",
  "public-access-blocked",
  "quota-exceeded",
  "not-authorized",
  "throttled",
];

/**
 * Reads what EC2 has for a set, in one call for the image and one for each snapshot; where nothing is recorded yet, or the image
 * cannot be read, it is described first.
 *
 * A grant of the set's that one answer does not show stays the set's. The set gives it up only where EC2 still does not show it after
 * repeated looks: then somebody else took it away, and it is told as drift. Likewise what the set revoked last and EC2 shows: after
 * repeated looks somebody else granted it.
 *
 * @returns undefined where the image is gone
 */
export async function observe(
  gateway: Gateway,
  set: PermissionSet,
  previous?: Recorded,
  patience: Patience = DEFAULT_PATIENCE,
): Promise<Recorded | undefined> {
  const granted = previous?.granted ?? NO_PERMISSIONS;
  const permissionsOf = (image: Readable & Pick<Image, "snapshotIds">) =>
    look(gateway, image, new Set([...managedSnapshots(set, image), ...granted.createVolume.keys()]));
  // An image keeps its owner for life, and gets no more snapshots.
  const known = previous?.ownerId ? { imageId: set.imageId, ...previous } : undefined;
  const read = known && (await permissionsOf(known).catch(unlessNotFound));
  const image = read ? known : await existingImage(gateway, set.imageId, previous?.ownerId);
  if (!image) return undefined;
  const first = read ?? (await permissionsOf(image));
  const revoked = previous?.revoked ?? NO_PERMISSIONS;
  const live = await lookAgain(gateway, image, { add: granted, remove: revoked }, first.live, patience);
  const gone = await stillGone(gateway, first.gone, patience);
  const stillRevoked = minus(revoked, live);
  return {
    region: await gateway.region(),
    ownerId: image.ownerId,
    snapshotIds: image.snapshotIds.filter((id) => !gone.has(id)),
    live,
    granted: intersection(granted, live),
    ...(isEmpty(stillRevoked) ? {} : { revoked: stillRevoked }),
    ...(previous ? await observeKeys(gateway, set.imageId, previous, live) : {}),
  };
}

/** Who lost a KMS grant of the set's; one call for each key that the set made grants of. The record stays: one answer may be old. */
async function observeKeys(
  gateway: Gateway,
  imageId: string,
  { keyGrants, keyless = new Set() }: Recorded,
  live: Permissions,
): Promise<Pick<Recorded, "keyGrants" | "keyless">> {
  if (!keyGrants && keyless.size === 0) return {};
  const keyIds = [...new Set((keyGrants ?? []).map(({ keyId }) => keyId))];
  const listed = new Map(await inGroups(keyIds, async (keyId) => [keyId, await gateway.keys.grants(keyId)] as const));
  // Where KMS does not tell, they count as they were recorded.
  const isThere = ({ keyId, grantId, accountId }: OwnKeyGrant) =>
    listed
      .get(keyId)
      ?.some((one) => one.grantId === grantId || (one.name === grantName(imageId) && one.accountId === accountId)) ?? true;
  const gone = (keyGrants ?? []).filter((grant) => !isThere(grant)).map(({ accountId }) => accountKey(accountId));
  const holders = granteesOf(live);
  const without = new Set([...keyless, ...gone].filter((key) => holders.has(key)));
  return { ...(keyGrants ? { keyGrants } : {}), ...(without.size > 0 ? { keyless: without } : {}) };
}

function unlessNotFound(error: Error): undefined {
  if (!isNotFound(error)) throw error;
}

function isNotFound(error: unknown): boolean {
  return error instanceof AmiSharingError && error.code === "image-not-found";
}

/**
 * Takes a set's permissions away as `onDelete` says; an image or a snapshot that is gone is fine.
 *
 * What is recorded is removed by name: nothing is read before it.
 */
export async function remove(
  gateway: Gateway,
  set: PermissionSet,
  recorded: Recorded,
  patience: Patience = DEFAULT_PATIENCE,
  { claims }: Neighbours = NO_NEIGHBOURS,
): Promise<void> {
  if (set.onDelete === "retain") return;
  const needed = keysClaimedBy(claims, recorded);
  const keyGrants = await keyGrantsToRevoke(gateway, set, recorded, needed, async () => {
    const image = await existingImage(gateway, set.imageId, recorded.ownerId);
    return image ? customerKeysOf(gateway, image) : [];
  });
  await unshare(gateway, set, recorded, claimedBy(claims, recorded), waitOf(set, "delete", patience));
  await revokeKeyGrants(gateway, keyGrants);
}

/** Takes the permissions on the image, if it is still there, and on its snapshots away. */
async function unshare(
  gateway: Gateway,
  set: PermissionSet,
  { granted, snapshotIds, ownerId }: Recorded,
  claimed: Permissions,
  patience: Wait,
): Promise<void> {
  let owned = granted;
  if (set.onDelete === "reset") {
    const image = await existingImage(gateway, set.imageId, ownerId);
    const managed = managedSnapshots(set, { snapshotIds });
    // EC2's reset knows no exception: with somebody to spare, all others are removed by name.
    if (set.spared.size === 0 && isEmpty(claimed)) {
      // EC2 user guide, "Disable an AMI": a disabled AMI has lost its launch permissions, and takes no change of them.
      if (image && image.state !== "disabled") await gateway.resetLaunchPermissions(set.imageId);
      await inGroups(managed, (id) => ifPresent(gateway.resetCreateVolumePermissions(id), undefined));
      return;
    }
    const readable = image ?? { imageId: set.imageId, ownerId };
    owned = union(granted, await livePermissions(gateway, readable, managed, image !== undefined));
  }
  const change: Change = {
    add: NO_PERMISSIONS,
    remove: filterGrantees(minus(owned, claimed), (key) => mayRevoke(key, set.spared)),
  };
  if (isEmpty(change.remove)) return;
  const readable: Readable = { imageId: set.imageId, ownerId };
  const phases = phasesOf(change);
  const gone = { image: false, snapshots: new Set<string>() };
  await applyPhases(gateway, readable, phases, { accepted: [], refused: [], unanswered: [] }, gone);
  // With the wrong account's credentials everything looks as if it were gone.
  const snapshotIdsGone = [...change.remove.createVolume.keys()].every((id) => gone.snapshots.has(id));
  if (change.remove.launch.size === 0 && snapshotIdsGone) await existingImage(gateway, set.imageId, ownerId);
  const visible = gone.image ? { ...change, remove: { ...change.remove, launch: new Set<GranteeKey>() } } : change;
  await waitUntilVisible(gateway, readable, visible, change.remove, patience).catch(unlessNotFound);
}

async function revokeKeyGrants(
  gateway: Gateway,
  grants: readonly OwnKeyGrant[],
  done: (grant: OwnKeyGrant) => void = () => undefined,
): Promise<void> {
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
    if (!ownerId) return undefined;
    const caller = await gateway.callerAccountId();
    if (caller === ownerId) return undefined;
    if (caller === undefined)
      throw new AmiSharingError(
        "caller-unknown",
        `AMI ${imageId} of account ${ownerId} is not found, and STS does not tell whose the credentials are: whether the AMI is gone is not known`,
        { imageId, next: "allow sts:GetCallerIdentity or check STS's endpoint, and repeat; nothing was changed or forgotten" },
      );
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
async function imageNotPending(gateway: Gateway, imageId: string, patience: Wait): Promise<Image> {
  const image = await poll(
    () => gateway.describeImage(imageId),
    ({ state }) => state !== "pending",
    patience,
    () => `AMI ${imageId} to be available: it is pending`,
  );
  if (image.state !== "pending") return image;
  if (patience.signal?.aborted) throw stopped(imageId, "while the AMI is pending; nothing was changed");
  throw new AmiSharingError("image-not-shareable", `AMI ${imageId} is still pending after ${durationWords(patience.timeout)}`, {
    property: "imageId",
    imageId,
    next: `repeat once it is available; to wait longer, raise timeouts.${patience.operation}`,
  });
}

/** What turned out to be gone while it was changed. */
interface Gone {
  image: boolean;
  readonly snapshots: Set<string>;
}

/**
 * Sends the steps of a change.
 *
 * @param gone noted here instead of thrown, where nothing but removals is sent
 */
async function applyPhases(
  gateway: Gateway,
  image: Readable,
  phases: readonly (readonly Step[])[],
  sent: Sent,
  gone?: Gone,
): Promise<void> {
  const send = (step: Step) =>
    step.kind === "launch"
      ? gateway.changeLaunchPermissions(image.imageId, step)
      : gateway.changeCreateVolumePermissions(step.snapshotId, step.operation, step.grantees);
  for (const phase of phases)
    await inGroups(phase, async (step) => {
      try {
        await send(step).catch((error: AmiSharingError) => sendWithoutAbsent(gateway, image, step, error, gone, send));
        sent.accepted.push(step);
      } catch (error) {
        const isRefusal = error instanceof AmiSharingError && REFUSALS.includes(error.code);
        (isRefusal ? sent.refused : sent.unanswered).push(step);
        throw error;
      }
    });
}

/**
 * A removal is done where what it names is gone: the snapshot, the image, or the grant. Where EC2 refuses a step that removes, what it
 * does not show any more is left out, and the rest is sent again.
 */
async function sendWithoutAbsent(
  gateway: Gateway,
  image: Readable,
  step: Step,
  error: AmiSharingError,
  gone: Gone | undefined,
  send: (step: Step) => Promise<void>,
): Promise<void> {
  if (step.kind === "createVolume") {
    if (step.operation === "add") throw error;
    if (error.code === "snapshot-not-found") {
      gone?.snapshots.add(step.snapshotId);
      return;
    }
    if (error.code !== "invalid-argument") throw error;
    const there = await gateway.createVolumePermissions(step.snapshotId);
    const left = step.grantees.filter((key) => there.has(key));
    if (left.length === step.grantees.length) throw error;
    if (left.length > 0) await send({ ...step, grantees: left });
    return;
  }
  if (step.remove.length === 0) throw error;
  if (isNotFound(error)) {
    if (step.add.length > 0) throw error;
    const found = await existingImage(gateway, image.imageId, image.ownerId);
    if (!found) {
      if (gone) gone.image = true;
      return;
    }
    // A disabled AMI has lost its launch permissions, and takes no change of them.
    const held = found.state === "disabled" ? await gateway.launchPermissions(image.imageId) : undefined;
    if (held === undefined || step.remove.some((key) => held.has(key))) throw error;
    return;
  }
  if (error.code !== "invalid-argument") throw error;
  const there = await gateway.launchPermissions(image.imageId);
  const left = step.remove.filter((key) => there.has(key));
  if (left.length === step.remove.length) throw error;
  if (step.add.length + left.length > 0) await send({ ...step, remove: left });
}

function addedBy(steps: readonly Step[]): Permissions {
  return steps.reduce<Permissions>((sum, step) => {
    if (step.kind === "launch") return union(sum, { launch: new Set(step.add), createVolume: new Map() });
    if (step.operation === "remove") return sum;
    return union(sum, { launch: new Set(), createVolume: new Map([[step.snapshotId, new Set(step.grantees)]]) });
  }, NO_PERMISSIONS);
}

function removedBy(steps: readonly Step[]): Permissions {
  return steps.reduce<Permissions>((sum, step) => {
    if (step.kind === "launch") return union(sum, { launch: new Set(step.remove), createVolume: new Map() });
    if (step.operation === "add") return sum;
    return union(sum, { launch: new Set(), createVolume: new Map([[step.snapshotId, new Set(step.grantees)]]) });
  }, NO_PERMISSIONS);
}

function same(a: Permissions, b: Permissions): boolean {
  return isEmpty(minus(a, b)) && isEmpty(minus(b, a));
}
