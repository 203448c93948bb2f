/** Taking a set's permissions and key grants away, as `onDelete` says, for a destroy. */

import type { Gateway } from "../aws";
import { managedSnapshots, type PermissionSet } from "../declaration";
import { filterGrantees, type GranteeKey, inGroups, isEmpty, minus, NO_PERMISSIONS, type Permissions, union } from "../model";
import {
  type Change,
  claimedBy,
  customerKeysOf,
  DEFAULT_PATIENCE,
  ifPresent,
  keyGrantsToRevoke,
  keysClaimedBy,
  livePermissions,
  mayRevoke,
  type Neighbours,
  NO_NEIGHBOURS,
  type Patience,
  phasesOf,
  type Readable,
  type Recorded,
  type Wait,
  waitOf,
  waitUntilVisible,
} from "../planning";
import { existingImage, unlessNotFound } from "./existingImage";
import { applyPhases, revokeKeyGrants } from "./sending";

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
    // EC2's reset knows no exception: where somebody is never revoked, all others are removed by name.
    if (set.neverRevoke.size === 0 && isEmpty(claimed)) {
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
    remove: filterGrantees(minus(owned, claimed), (key) => mayRevoke(key, set.neverRevoke)),
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
