/** Reads of the permissions in EC2. EC2 is eventually consistent, so some of them repeat until EC2 shows a change or a time has passed. */

import { createWaiter, WaiterState } from "@smithy/util-waiter";
import type { Gateway, Image } from "../aws";
import type { Operation, PermissionSet } from "../declaration";
import {
  ABSENCE_PAUSE_SECONDS,
  ABSENCE_READS,
  AmiSharingError,
  accountKey,
  durationWords,
  encodeGrants,
  filterGrantees,
  firstFew,
  type GranteeKey,
  inGroups,
  intersection,
  isEmpty,
  minus,
  type Permissions,
  PROGRESS_INTERVAL_SECONDS,
  VISIBILITY_TIMEOUT_SECONDS,
} from "../model";
import type { Change } from "./diff";

/** How to wait for EC2. Times are in seconds. */
export interface WaitOptions {
  readonly timeout: number;
  readonly minDelay: number;
  readonly maxDelay: number;
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
  /** The pause before a permission or snapshot is read again that EC2 does not show. */
  readonly absencePause?: number;
  /** Called with a progress message while a wait lasts. */
  readonly onWait?: (message: string) => void;
  /** The time between two progress messages. */
  readonly progressInterval?: number;
}

/** How one operation waits. */
export interface Wait extends WaitOptions {
  readonly operation: Operation;
}

export const DEFAULT_WAIT_OPTIONS: WaitOptions = { timeout: VISIBILITY_TIMEOUT_SECONDS, minDelay: 1, maxDelay: 30 };

/** The wait of an operation, with the timeout that the set declares for it, if any. */
export function waitOf({ timeouts = {} }: PermissionSet, operation: Operation, waitOptions: WaitOptions): Wait {
  return { ...waitOptions, timeout: timeouts[operation] ?? waitOptions.timeout, operation };
}

/** The advice for a wait that timed out. */
export function longerWait({ operation }: Wait): string {
  // A create that timed out is recorded, so the next run is an update.
  const [first, ...others] = operation === "create" ? ["timeouts.create", "timeouts.update"] : [`timeouts.${operation}`];
  return `to wait longer, raise ${[first, ...others].join(" and ")}`;
}

/** The fields of an image that are needed to read its permissions. */
export type OwnedImage = Pick<Image, "imageId" | "ownerId">;

/** The permissions in EC2, without the owner's account. The owner always has access, so it is not shown and not changed. */
export async function livePermissions(
  gateway: Gateway,
  image: OwnedImage,
  snapshotIds: Iterable<string>,
  withLaunch = true,
): Promise<Permissions> {
  return (await readLive(gateway, image, snapshotIds, withLaunch)).live;
}

/** The result of one read of an image and its snapshots. */
export interface LiveRead {
  readonly live: Permissions;
  /** The snapshots that do not exist, according to EC2. */
  readonly gone: ReadonlySet<string>;
}

/** The permissions in EC2 and the snapshots that are gone. */
export async function readLive(
  gateway: Gateway,
  image: OwnedImage,
  snapshotIds: Iterable<string>,
  withLaunch = true,
): Promise<LiveRead> {
  const reading = snapshotPermissions(gateway, snapshotIds);
  // Awaited below. If both reads fail, as for an AMI of another account, the error of the AMI is thrown.
  reading.catch(() => undefined);
  const launch = withLaunch ? await gateway.launchPermissions(image.imageId) : new Set<GranteeKey>();
  const { createVolume, gone } = await reading;
  const owner = accountKey(image.ownerId);
  return { live: filterGrantees({ launch, createVolume }, (key) => key !== owner), gone };
}

/** The create-volume permissions of the snapshots that exist. A snapshot without grantees is left out. */
async function snapshotPermissions(
  gateway: Gateway,
  snapshotIds: Iterable<string>,
): Promise<Pick<Permissions, "createVolume"> & Pick<LiveRead, "gone">> {
  const gone = new Set<string>();
  const read = await inGroups([...snapshotIds], async (id) => {
    const keys = await ifPresent(gateway.createVolumePermissions(id), undefined);
    if (!keys) gone.add(id);
    return [id, keys ?? new Set<GranteeKey>()] as const;
  });
  return { createVolume: new Map(read.filter(([, keys]) => keys.size > 0)), gone };
}

/** Reads snapshots again after a pause, and returns those that are still gone. */
export async function confirmGone(
  gateway: Gateway,
  snapshotIds: ReadonlySet<string>,
  { absencePause = ABSENCE_PAUSE_SECONDS, signal }: WaitOptions,
): Promise<ReadonlySet<string>> {
  if (snapshotIds.size === 0 || signal?.aborted) return new Set();
  await new Promise((resolve) => setTimeout(resolve, absencePause * 1000));
  return (await snapshotPermissions(gateway, snapshotIds)).gone;
}

/** The value that was read, or `absent` if the snapshot is gone. */
export async function ifPresent<Value, Absent>(reading: Promise<Value>, absent: Absent): Promise<Value | Absent> {
  return reading.catch((error: AmiSharingError) => {
    if (error.code === "snapshot-not-found") return absent;
    throw error;
  });
}

/** The part of a change that EC2 does not show yet. */
function unseen({ add, remove }: Change, live: Permissions): Change {
  return { add: minus(add, live), remove: intersection(remove, live) };
}

function isDone({ add, remove }: Change): boolean {
  return isEmpty(add) && isEmpty(remove);
}

/** Reads again until EC2 shows an earlier change, at most ABSENCE_READS times in all. */
export async function rereadUntilShown(
  gateway: Gateway,
  image: OwnedImage,
  earlier: Change,
  live: Permissions,
  { absencePause = ABSENCE_PAUSE_SECONDS, signal }: WaitOptions,
): Promise<Permissions> {
  let seen = live;
  for (let read = 1; read < ABSENCE_READS && !signal?.aborted; read++) {
    const missing = unseen(earlier, seen);
    if (isDone(missing)) break;
    await new Promise((resolve) => setTimeout(resolve, absencePause * 1000));
    seen = await rereadChanged(gateway, image, missing, seen);
  }
  return seen;
}

/** Waits until EC2 shows a change, and returns what EC2 has then. @throws AmiSharingError `not-visible`, `stopped` */
export async function waitUntilVisible(
  gateway: Gateway,
  image: OwnedImage,
  change: Change,
  before: Permissions,
  waitOptions: Wait,
): Promise<Permissions> {
  const shows = (live: Permissions) => isDone(unseen(change, live));
  const waitsFor = (live: Permissions = before) => {
    const { add, remove } = unseen(change, live);
    const grants = [...grantsInWords(add, "not shown yet"), ...grantsInWords(remove, "still shown")];
    return `EC2 to show the change of AMI ${image.imageId}: ${grants.join("; ")}`;
  };
  const live = await poll(() => rereadChanged(gateway, image, change, before), shows, waitOptions, waitsFor);
  if (shows(live)) return live;
  if (waitOptions.signal?.aborted) throw stopped(image.imageId, "before EC2 showed the change, which it had accepted");
  throw new AmiSharingError(
    "not-visible",
    `EC2 accepted the change of AMI ${image.imageId} and does not show it after ${durationWords(waitOptions.timeout)}`,
    {
      property: "timeouts",
      imageId: image.imageId,
      next: `repeat later: what EC2 already has is not sent again; ${longerWait(waitOptions)}`,
    },
  );
}

/** The permissions in EC2. Only what the change affects is read again; the rest is taken from `before`. */
export async function rereadChanged(
  gateway: Gateway,
  image: OwnedImage,
  { add, remove }: Change,
  before: Permissions,
): Promise<Permissions> {
  const snapshotIds = new Set([...add.createVolume.keys(), ...remove.createVolume.keys()]);
  const launchChanges = add.launch.size + remove.launch.size > 0;
  const reread = await livePermissions(gateway, image, snapshotIds, launchChanges);
  const untouched = [...before.createVolume].filter(([id]) => !snapshotIds.has(id));
  return { launch: launchChanges ? reread.launch : before.launch, createVolume: new Map([...untouched, ...reread.createVolume]) };
}

/** Tests set the environment variable, because they cannot wait for the normal interval. */
function progressIntervalSeconds(): number {
  return Number(process.env.AMI_LAUNCH_PERMISSIONS_SIGN_OF_LIFE_MS) / 1000 || PROGRESS_INTERVAL_SECONDS;
}

/** The most grantees that a progress message names. */
const MAX_NAMED = 5;

function grantsInWords(permissions: Permissions, what: string): string[] {
  const grants = Object.entries(encodeGrants(permissions, undefined)).map(([key, words]) => `${key} (${words})`);
  return grants.length > 0 ? [`${what}: ${firstFew(grants, MAX_NAMED)}`] : [];
}

/**
 * Reads until `done` accepts the value, with growing pauses. After the timeout, it returns the last value, too.
 *
 * @param waitsFor the text of the progress messages, made from the last value
 */
export async function poll<Value>(
  read: () => Promise<Value>,
  done: (value: Value) => boolean,
  waitOptions: WaitOptions,
  waitsFor: (last: Value | undefined) => string,
): Promise<Value> {
  const { timeout, maxDelay, signal: abortSignal, onWait, progressInterval = progressIntervalSeconds() } = waitOptions;
  // The SDK's waiter throws if the timeout is not longer than the first pause.
  const minDelay = Math.min(waitOptions.minDelay, timeout / 2);
  const waiting = { client: undefined, maxWaitTime: timeout, minDelay, maxDelay: Math.max(minDelay, maxDelay) };
  let last: Value | undefined;
  const began = Date.now();
  const progress = setInterval(() => {
    onWait?.(`waiting for ${waitsFor(last)} (${durationWords((Date.now() - began) / 1000)} of ${durationWords(timeout)})`);
  }, progressInterval * 1000);
  try {
    await createWaiter({ ...waiting, ...(abortSignal ? { abortSignal } : {}) }, undefined, async () => {
      last = await read();
      return { state: done(last) ? WaiterState.SUCCESS : WaiterState.RETRY };
    });
  } finally {
    clearInterval(progress);
  }
  return last ?? read();
}

export function stopped(imageId: string, when: string): AmiSharingError {
  return new AmiSharingError("stopped", `stopped ${when}`, { imageId, next: "repeat to go on" });
}
