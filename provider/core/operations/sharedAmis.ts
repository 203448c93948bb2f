/** Which images a region has that concern sharing: the caller's own with their grants, and others' that are shared with it. */

import type { Gateway, Image } from "../aws";
import {
  type AmiSharingError,
  accountKey,
  batches,
  filterGrantees,
  type GranteeKey,
  inGroups,
  MAX_CONCURRENT_CALLS,
} from "../model";
import { ifPresent } from "../planning";
import { type AmiPermissions, amiPermissions } from "./describePermissions";

/** An AMI of another account that is shared with the caller; EC2 shows its permissions to its owner only. */
export interface AmiOfAnother {
  /** The AMI, `ami-…`. */
  readonly imageId: string;
  /** The AMI's region, such as `us-east-1`. */
  readonly region: string;
  /** The account that owns the AMI, 12 digits. */
  readonly ownerId: string;
  /** The AMI's name, where EC2 shows one. */
  readonly name?: string;
  /** EC2's state: `available`, `pending`, `failed`, … */
  readonly state: string;
  /** Whether any of the snapshots is encrypted: then launching needs the key, too. */
  readonly encrypted: boolean;
}

/**
 * Every own image of the region with who has access to it, by image id; the permissions are read in bounded concurrency, one
 * call an image and one a snapshot. An image that goes away meanwhile is left out.
 *
 * @param includeSnapshots false: `snapshots` is empty, and `grants` tells of launching only; default: true
 * @throws AmiSharingError where one of the calls fails, such as `not-authorized`: then there is no list
 */
export async function ownAmis(gateway: Gateway, includeSnapshots = true): Promise<AmiPermissions[]> {
  return permissionsOf(gateway, await gateway.describeImages("self"), includeSnapshots);
}

/** An own image with who has access to it, or why that cannot be read. */
export type OwnAmi = { readonly permissions: AmiPermissions } | { readonly imageId: string; readonly error: AmiSharingError };

/**
 * The same, a few images at a time, so that whoever has seen enough can stop: then the others are not read. One that cannot be
 * read does not keep the others from being read.
 *
 * @throws AmiSharingError where the images cannot be listed
 */
export async function* eachOwnAmi(gateway: Gateway): AsyncGenerator<OwnAmi> {
  for (const group of batches(await gateway.describeImages("self"), MAX_CONCURRENT_CALLS)) {
    const whole = await permissionsOf(gateway, group, true).catch(() => undefined);
    if (whole) for (const permissions of whole) yield { permissions };
    else for (const image of group) yield* readAlone(gateway, image);
  }
}

/** Gives nothing for an image that is gone. */
async function* readAlone(gateway: Gateway, image: Image): AsyncGenerator<OwnAmi> {
  const { imageId } = image;
  const read = await permissionsOf(gateway, [image], true).catch((error: AmiSharingError) => ({ imageId, error }));
  if ("error" in read) yield read;
  else for (const permissions of read) yield { permissions };
}

async function permissionsOf(gateway: Gateway, images: readonly Image[], includeSnapshots: boolean): Promise<AmiPermissions[]> {
  const snapshotIds = (of: typeof images) => [...new Set(of.flatMap((image) => image.snapshotIds))];
  const encrypted = includeSnapshots ? snapshotIds(images.filter((image) => image.encrypted)) : [];
  const launch = new Map<string, ReadonlySet<GranteeKey>>();
  const createVolume = new Map<string, ReadonlySet<GranteeKey>>();
  // One list of readings: groups within groups would multiply the calls that are under way at once.
  await inGroups(
    [
      ...images.map(({ imageId }) => async () => {
        const keys = await ifImagePresent(gateway.launchPermissions(imageId));
        if (keys) launch.set(imageId, keys);
      }),
      ...(includeSnapshots ? snapshotIds(images) : []).map((id) => async () => {
        createVolume.set(id, await ifPresent(gateway.createVolumePermissions(id), new Set()));
      }),
    ],
    (read) => read(),
  );
  const described = encrypted.length > 0 ? await gateway.describeSnapshots(encrypted) : [];
  const region = await gateway.region();
  return images.flatMap((image) => {
    const launchers = launch.get(image.imageId);
    if (!launchers) return [];
    const shown = includeSnapshots ? image : { ...image, snapshotIds: [] };
    const held = shown.snapshotIds.map((id) => [id, createVolume.get(id) ?? new Set<GranteeKey>()] as const);
    const live = { launch: launchers, createVolume: new Map(held) };
    const owner = accountKey(image.ownerId);
    return [
      amiPermissions(
        region,
        shown,
        filterGrantees(live, (key) => key !== owner),
        described,
      ),
    ];
  });
}

/**
 * Every image of another account that is shared with the caller's account, organization or unit, by image id; public ones are not
 * among them. One call for every 1,000.
 *
 * @throws AmiSharingError of the connection, such as `not-authorized`
 */
export async function amisOfOthers(gateway: Gateway): Promise<AmiOfAnother[]> {
  const images = await gateway.describeImages("others");
  const region = await gateway.region();
  return images.map(({ imageId, ownerId, name, state, encrypted }) => ({
    imageId,
    region,
    ownerId,
    ...(name === undefined ? {} : { name }),
    state,
    encrypted,
  }));
}

async function ifImagePresent<Value>(reading: Promise<Value>): Promise<Value | undefined> {
  return reading.catch((error: AmiSharingError) => {
    if (error.code === "image-not-found") return undefined;
    throw error;
  });
}
