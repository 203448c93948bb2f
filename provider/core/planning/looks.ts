/** Reading who has access until what EC2 shows can be believed: one answer may be old. */

import { createWaiter, WaiterState } from "@smithy/util-waiter";
import type { Gateway, Image } from "../aws";
import type { Operation, PermissionSet } from "../declaration";
import {
  ABSENCE_LOOKS,
  ABSENCE_PAUSE_SECONDS,
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
  SIGN_OF_LIFE_SECONDS,
  VISIBILITY_TIMEOUT_SECONDS,
} from "../model";
import type { Change } from "./diff";

/** How long to wait for EC2, in seconds. */
export interface Patience {
  readonly timeout: number;
  readonly minDelay: number;
  readonly maxDelay: number;
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
  /** The pause before EC2 is asked again for what it does not show, in seconds. */
  readonly absencePause?: number;
  /** Told, while a wait lasts, what is waited for. */
  readonly onWait?: (words: string) => void;
  /** The pause between two such words, in seconds. */
  readonly signOfLife?: number;
}

/** The wait of one operation. */
export interface Wait extends Patience {
  readonly operation: Operation;
}

export const DEFAULT_PATIENCE: Patience = { timeout: VISIBILITY_TIMEOUT_SECONDS, minDelay: 1, maxDelay: 30 };

/** How long an operation of a set waits: as its `timeouts` say, or as long as others do. */
export function waitOf({ timeouts = {} }: PermissionSet, operation: Operation, patience: Patience): Wait {
  return { ...patience, timeout: timeouts[operation] ?? patience.timeout, operation };
}

/** What to do where a wait ended too early. */
export function longerWait({ operation }: Wait): string {
  // What was made in part is recorded, so that the next run updates it.
  const [first, ...others] = operation === "create" ? ["timeouts.create", "timeouts.update"] : [`timeouts.${operation}`];
  return `to wait longer, raise ${[first, ...others].join(" and ")}`;
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
  return (await look(gateway, image, snapshotIds, withLaunch)).live;
}

/** What a look at an image and at some snapshots shows. */
export interface Look {
  readonly live: Permissions;
  /** The snapshots that EC2 says do not exist. */
  readonly gone: ReadonlySet<string>;
}

/** The same, with the snapshots that are gone. */
export async function look(gateway: Gateway, image: Readable, snapshotIds: Iterable<string>, withLaunch = true): Promise<Look> {
  const reading = snapshotPermissions(gateway, snapshotIds);
  // Awaited below: where both fail, as for an AMI of another account, the error is the AMI's.
  reading.catch(() => undefined);
  const launch = withLaunch ? await gateway.launchPermissions(image.imageId) : new Set<GranteeKey>();
  const { createVolume, gone } = await reading;
  const owner = accountKey(image.ownerId);
  return { live: filterGrantees({ launch, createVolume }, (key) => key !== owner), gone };
}

/** Create-volume permissions of the snapshots that still exist; one without a grantee is left out. */
async function snapshotPermissions(
  gateway: Gateway,
  snapshotIds: Iterable<string>,
): Promise<Pick<Permissions, "createVolume"> & Pick<Look, "gone">> {
  const gone = new Set<string>();
  const read = await inGroups([...snapshotIds], async (id) => {
    const keys = await ifPresent(gateway.createVolumePermissions(id), undefined);
    if (!keys) gone.add(id);
    return [id, keys ?? new Set<GranteeKey>()] as const;
  });
  return { createVolume: new Map(read.filter(([, keys]) => keys.size > 0)), gone };
}

/** Those of some snapshots that are gone when they are asked for again after a pause, too. */
export async function stillGone(
  gateway: Gateway,
  snapshotIds: ReadonlySet<string>,
  { absencePause = ABSENCE_PAUSE_SECONDS, signal }: Patience,
): Promise<ReadonlySet<string>> {
  if (snapshotIds.size === 0 || signal?.aborted) return new Set();
  await new Promise((resolve) => setTimeout(resolve, absencePause * 1000));
  return (await snapshotPermissions(gateway, snapshotIds)).gone;
}

/** The value read, or `absent` where the snapshot is gone. */
export async function ifPresent<Value, Absent>(reading: Promise<Value>, absent: Absent): Promise<Value | Absent> {
  return reading.catch((error: AmiSharingError) => {
    if (error.code === "snapshot-not-found") return absent;
    throw error;
  });
}

/** What of a change EC2 does not show yet. */
function unseen({ add, remove }: Change, live: Permissions): Change {
  return { add: minus(add, live), remove: intersection(remove, live) };
}

function isDone({ add, remove }: Change): boolean {
  return isEmpty(add) && isEmpty(remove);
}

/** Reads again until EC2 shows an earlier change, or has been asked often enough: one answer may be old. */
export async function lookAgain(
  gateway: Gateway,
  image: Readable,
  earlier: Change,
  live: Permissions,
  { absencePause = ABSENCE_PAUSE_SECONDS, signal }: Patience,
): Promise<Permissions> {
  let seen = live;
  for (let look = 1; look < ABSENCE_LOOKS && !signal?.aborted; look++) {
    const missing = unseen(earlier, seen);
    if (isDone(missing)) break;
    await new Promise((resolve) => setTimeout(resolve, absencePause * 1000));
    seen = await rereadChanged(gateway, image, missing, seen);
  }
  return seen;
}

export async function waitUntilVisible(
  gateway: Gateway,
  image: Readable,
  change: Change,
  before: Permissions,
  patience: Wait,
): Promise<Permissions> {
  const shows = (live: Permissions) => isDone(unseen(change, live));
  const waitsFor = (live: Permissions = before) => {
    const { add, remove } = unseen(change, live);
    const words = [...grantsInWords(add, "not shown yet"), ...grantsInWords(remove, "still shown")];
    return `EC2 to show the change of AMI ${image.imageId}: ${words.join("; ")}`;
  };
  const live = await poll(() => rereadChanged(gateway, image, change, before), shows, patience, waitsFor);
  if (shows(live)) return live;
  if (patience.signal?.aborted) throw stopped(image.imageId, "before EC2 showed the change, which it had accepted");
  throw new AmiSharingError(
    "not-visible",
    `EC2 accepted the change of AMI ${image.imageId} and does not show it after ${durationWords(patience.timeout)}`,
    {
      property: "timeouts",
      imageId: image.imageId,
      next: `repeat later: what already holds is not sent again; ${longerWait(patience)}`,
    },
  );
}

/** What EC2 has now, read again only where the change touches it. */
export async function rereadChanged(
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

/** Tests of what an engine shows set the variable. */
function signOfLifeSeconds(): number {
  return Number(process.env.AMI_LAUNCH_PERMISSIONS_SIGN_OF_LIFE_MS) / 1000 || SIGN_OF_LIFE_SECONDS;
}

/** Grantees that a sign of life names. */
const MOST_NAMED = 5;

function grantsInWords(permissions: Permissions, what: string): string[] {
  const grants = Object.entries(encodeGrants(permissions, undefined)).map(([key, words]) => `${key} (${words})`);
  return grants.length > 0 ? [`${what}: ${firstFew(grants, MOST_NAMED)}`] : [];
}

/**
 * Reads until `done`, backing off; gives back the last value read, done or not.
 *
 * @param waitsFor what is waited for, in words, as the last value tells it
 */
export async function poll<Value>(
  read: () => Promise<Value>,
  done: (value: Value) => boolean,
  patience: Patience,
  waitsFor: (last: Value | undefined) => string,
): Promise<Value> {
  const { timeout, maxDelay, signal: abortSignal, onWait, signOfLife = signOfLifeSeconds() } = patience;
  // The waiter refuses a wait that is no longer than its first pause.
  const minDelay = Math.min(patience.minDelay, timeout / 2);
  const waiting = { client: undefined, maxWaitTime: timeout, minDelay, maxDelay: Math.max(minDelay, maxDelay) };
  let last: Value | undefined;
  const began = Date.now();
  const telling = setInterval(() => {
    onWait?.(`waiting for ${waitsFor(last)} (${durationWords((Date.now() - began) / 1000)} of ${durationWords(timeout)})`);
  }, signOfLife * 1000);
  try {
    await createWaiter({ ...waiting, ...(abortSignal ? { abortSignal } : {}) }, undefined, async () => {
      last = await read();
      return { state: done(last) ? WaiterState.SUCCESS : WaiterState.RETRY };
    });
  } finally {
    clearInterval(telling);
  }
  return last ?? read();
}

export function stopped(imageId: string, when: string): AmiSharingError {
  return new AmiSharingError("stopped", `stopped ${when}`, { imageId, next: "repeat to go on" });
}
