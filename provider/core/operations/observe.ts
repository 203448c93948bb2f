/** Reading what EC2 and KMS have of a set that is recorded, for a refresh: what still holds, and what others took away. */

import type { Gateway, Image } from "../aws";
import { managedSnapshots, type PermissionSet } from "../declaration";
import { accountKey, granteesOf, inGroups, intersection, isEmpty, minus, NO_PERMISSIONS, type Permissions } from "../model";
import {
  DEFAULT_PATIENCE,
  grantName,
  look,
  lookAgain,
  type OwnKeyGrant,
  type Patience,
  type Readable,
  type Recorded,
  stillGone,
} from "../planning";
import { existingImage, unlessNotFound } from "./existingImage";

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
