/** Lists the images of a region: the caller's own images with their permissions, and images of other accounts that are shared with the caller. */

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

/** An AMI of another account that is shared with the caller. EC2 shows its permissions only to its owner. */
export interface AmiOfAnother {
  /** The AMI, `ami-…`. */
  readonly imageId: string;
  /** The AMI's region, such as `us-east-1`. */
  readonly region: string;
  /** The account that owns the AMI, 12 digits. */
  readonly ownerId: string;
  /** The AMI's name, if EC2 shows one. */
  readonly name?: string;
  /** EC2's state: `available`, `pending`, `failed`, … */
  readonly state: string;
  /** Whether any of the snapshots is encrypted. Then launching also needs access to the key. */
  readonly encrypted: boolean;
}

/**
 * All images of the caller in the region with their permissions, sorted by image id. It makes one call for each image and each snapshot, a
 * limited number of them at the same time. An image that is deregistered during the reads is left out.
 *
 * @param includeSnapshots if false, `snapshots` is empty, and `grants` contains only launch permissions. Default: true
 * @throws AmiSharingError if one of the calls fails, such as `not-authorized`
 */
export async function ownAmis(gateway: Gateway, includeSnapshots = true): Promise<AmiPermissions[]> {
  return permissionsOf(gateway, await gateway.describeImages("self"), includeSnapshots);
}

/** An image of the caller with its permissions, or the error if they cannot be read. */
export type OwnAmi =
  | { readonly permissions: AmiPermissions; readonly image: Image }
  | { readonly imageId: string; readonly image: Image; readonly error: AmiSharingError };

/**
 * The same images one by one. They are read in small groups, so that the caller can stop early without reading the rest. If an image cannot
 * be read, the others are still read.
 *
 * @param listed told once how many images there are
 * @throws AmiSharingError if the images cannot be listed
 */
export async function* eachOwnAmi(gateway: Gateway, listed: (total: number) => void = () => undefined): AsyncGenerator<OwnAmi> {
  const images = await gateway.describeImages("self");
  listed(images.length);
  const byId = new Map(images.map((image) => [image.imageId, image]));
  for (const group of batches(images, MAX_CONCURRENT_CALLS)) {
    const whole = await permissionsOf(gateway, group, true).catch(() => undefined);
    if (whole) for (const permissions of whole) yield { permissions, image: byId.get(permissions.imageId) as Image };
    else for (const image of group) yield* readAlone(gateway, image);
  }
}

/** Yields one image. For an image that is gone, it yields nothing. */
async function* readAlone(gateway: Gateway, image: Image): AsyncGenerator<OwnAmi> {
  const { imageId } = image;
  const read = await permissionsOf(gateway, [image], true).catch((error: AmiSharingError) => ({ imageId, error }));
  if ("error" in read) yield { ...read, image };
  else for (const permissions of read) yield { permissions, image };
}

async function permissionsOf(gateway: Gateway, images: readonly Image[], includeSnapshots: boolean): Promise<AmiPermissions[]> {
  const snapshotIds = (of: typeof images) => [...new Set(of.flatMap((image) => image.snapshotIds))];
  const encrypted = includeSnapshots ? snapshotIds(images.filter((image) => image.encrypted)) : [];
  const launch = new Map<string, ReadonlySet<GranteeKey>>();
  const createVolume = new Map<string, ReadonlySet<GranteeKey>>();
  // All reads are in one list. With nested lists, the limits of concurrent calls would multiply.
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
 * All images of other accounts that are shared with the caller's account, organization or organizational unit, sorted by image id. Public
 * images are not included. It makes one call for every 1,000 images.
 *
 * @throws AmiSharingError for errors of the connection, such as `not-authorized`
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
