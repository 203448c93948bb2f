/** The destroy of a set: revokes its permissions and KMS grants, according to `onDelete`. */

import type { Gateway } from "../aws";
import { managedSnapshots, type PermissionSet } from "../declaration";
import { filterGrantees, type GranteeKey, inGroups, isEmpty, minus, NO_PERMISSIONS, type Permissions, union } from "../model";
import {
  type Change,
  claimedBy,
  customerKeysOf,
  DEFAULT_WAIT_OPTIONS,
  ifPresent,
  keyGrantsToRevoke,
  keysClaimedBy,
  livePermissions,
  mayRevoke,
  type Neighbours,
  NO_NEIGHBOURS,
  type OwnedImage,
  phasesOf,
  type Recorded,
  type Wait,
  type WaitOptions,
  waitOf,
  waitUntilVisible,
} from "../planning";
import { existingImage, unlessNotFound } from "./existingImage";
import { applyPhases, revokeKeyGrants } from "./sending";

/**
 * Revokes the permissions of a set, according to `onDelete`. It is no error if the image or a snapshot is gone.
 *
 * The recorded grants are revoked without reading EC2 first, because one answer of EC2 may be old.
 */
export async function remove(
  gateway: Gateway,
  set: PermissionSet,
  recorded: Recorded,
  waitOptions: WaitOptions = DEFAULT_WAIT_OPTIONS,
  { claims }: Neighbours = NO_NEIGHBOURS,
): Promise<void> {
  if (set.onDelete === "retain") return;
  const needed = keysClaimedBy(claims, recorded);
  const keyGrants = await keyGrantsToRevoke(gateway, set, recorded, needed, async () => {
    const image = await existingImage(gateway, set.imageId, recorded.ownerId);
    return image ? customerKeysOf(gateway, image) : [];
  });
  await unshare(gateway, set, recorded, claimedBy(claims, recorded), waitOf(set, "delete", waitOptions));
  await revokeKeyGrants(gateway, keyGrants);
}

/** Revokes the permissions on the image, if it exists, and on its snapshots. */
async function unshare(
  gateway: Gateway,
  set: PermissionSet,
  { granted, snapshotIds, ownerId }: Recorded,
  claimed: Permissions,
  waitOptions: Wait,
): Promise<void> {
  let owned = granted;
  if (set.onDelete === "reset") {
    const image = await existingImage(gateway, set.imageId, ownerId);
    const managed = managedSnapshots(set, { snapshotIds });
    // EC2's reset has no exceptions. If some grantees are to stay, the permissions of all others are removed one by one.
    if (set.neverRevoke.size === 0 && isEmpty(claimed)) {
      // EC2 user guide, "Disable an AMI": a disabled AMI has no launch permissions, and they cannot be changed.
      if (image && image.state !== "disabled") await gateway.resetLaunchPermissions(set.imageId);
      await inGroups(managed, (id) => ifPresent(gateway.resetCreateVolumePermissions(id), undefined));
      return;
    }
    const ownedImage = image ?? { imageId: set.imageId, ownerId };
    owned = union(granted, await livePermissions(gateway, ownedImage, managed, image !== undefined));
  }
  const change: Change = {
    add: NO_PERMISSIONS,
    remove: filterGrantees(minus(owned, claimed), (key) => mayRevoke(key, set.neverRevoke)),
  };
  if (isEmpty(change.remove)) return;
  const ownedImage: OwnedImage = { imageId: set.imageId, ownerId };
  const phases = phasesOf(change);
  const gone = { image: false, snapshots: new Set<string>() };
  await applyPhases(gateway, ownedImage, phases, { accepted: [], refused: [], unanswered: [] }, gone);
  // With credentials of another account, EC2 answers as if everything were gone. existingImage throws in this case.
  const snapshotIdsGone = [...change.remove.createVolume.keys()].every((id) => gone.snapshots.has(id));
  if (change.remove.launch.size === 0 && snapshotIdsGone) await existingImage(gateway, set.imageId, ownerId);
  const visible = gone.image ? { ...change, remove: { ...change.remove, launch: new Set<GranteeKey>() } } : change;
  await waitUntilVisible(gateway, ownedImage, visible, change.remove, waitOptions).catch(unlessNotFound);
}
