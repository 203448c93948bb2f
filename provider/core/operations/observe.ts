/** The refresh of a set: reads from EC2 and KMS which of its grants exist, and which somebody else revoked. */

import type { Gateway, Image } from "../aws";
import { managedSnapshots, type PermissionSet } from "../declaration";
import { accountKey, granteesOf, inGroups, intersection, isEmpty, minus, NO_PERMISSIONS, type Permissions } from "../model";
import {
  confirmGone,
  DEFAULT_WAIT_OPTIONS,
  grantName,
  type OwnedImage,
  type OwnKeyGrant,
  type Recorded,
  readLive,
  rereadUntilShown,
  type WaitOptions,
} from "../planning";
import { existingImage, unlessNotFound } from "./existingImage";

/**
 * Reads what EC2 has for a set, in one call for the image and one for each snapshot. If nothing is recorded yet, or if the image cannot be
 * read, another call describes the image first.
 *
 * If EC2 does not show a grant of the set, it is read again. If EC2 still does not show it after repeated reads, somebody else revoked
 * it, and it is drift. Likewise, if EC2 still shows what the set revoked last, somebody else granted it again.
 *
 * @returns the new record; undefined if the image is gone
 */
export async function observe(
  gateway: Gateway,
  set: PermissionSet,
  previous?: Recorded,
  waitOptions: WaitOptions = DEFAULT_WAIT_OPTIONS,
): Promise<Recorded | undefined> {
  const granted = previous?.granted ?? NO_PERMISSIONS;
  const permissionsOf = (image: OwnedImage & Pick<Image, "snapshotIds">) =>
    readLive(gateway, image, new Set([...managedSnapshots(set, image), ...granted.createVolume.keys()]));
  // The owner and the snapshots of an image never change, so they need not be read again.
  const known = previous?.ownerId ? { imageId: set.imageId, ...previous } : undefined;
  const read = known && (await permissionsOf(known).catch(unlessNotFound));
  const image = read ? known : await existingImage(gateway, set.imageId, previous?.ownerId);
  if (!image) return undefined;
  const first = read ?? (await permissionsOf(image));
  const revoked = previous?.revoked ?? NO_PERMISSIONS;
  const live = await rereadUntilShown(gateway, image, { add: granted, remove: revoked }, first.live, waitOptions);
  const gone = await confirmGone(gateway, first.gone, waitOptions);
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

/**
 * Finds accounts whose KMS grant of the set is missing, with one call for each key that the set created grants on. A missing grant stays in
 * the record, because one answer may be old.
 */
async function observeKeys(
  gateway: Gateway,
  imageId: string,
  { keyGrants, keyless = new Set() }: Recorded,
  live: Permissions,
): Promise<Pick<Recorded, "keyGrants" | "keyless">> {
  if (!keyGrants && keyless.size === 0) return {};
  const keyIds = [...new Set((keyGrants ?? []).map(({ keyId }) => keyId))];
  const listed = new Map(await inGroups(keyIds, async (keyId) => [keyId, await gateway.keys.grants(keyId)] as const));
  // If the caller may not list the grants of a key, the record counts.
  const isThere = ({ keyId, grantId, accountId }: OwnKeyGrant) =>
    listed
      .get(keyId)
      ?.some((one) => one.grantId === grantId || (one.name === grantName(imageId) && one.accountId === accountId)) ?? true;
  const gone = (keyGrants ?? []).filter((grant) => !isThere(grant)).map(({ accountId }) => accountKey(accountId));
  const holders = granteesOf(live);
  const without = new Set([...keyless, ...gone].filter((key) => holders.has(key)));
  return { ...(keyGrants ? { keyGrants } : {}), ...(without.size > 0 ? { keyless: without } : {}) };
}
