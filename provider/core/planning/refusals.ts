/** The refusals of a plan that follow from what it has read, without further calls. Checks for what EC2 will refuse are in preflight.ts. */

import type { Image } from "../aws";
import { notAllowed, type PermissionSet } from "../declaration";
import { AmiSharingError, accountKey, countedGrantees, granteesOf, minus, type Permissions } from "../model";
import type { Recorded } from "./recorded";

export function refuseUnavailable({ imageId, state }: Image): void {
  if (state === "available" || state === "pending" || state === "") return;
  throw new AmiSharingError("image-not-shareable", `AMI ${imageId} is ${state}`, {
    property: "imageId",
    imageId,
    next: state === "disabled" ? "enable it first (aws ec2 enable-image)" : "only an available AMI can be shared",
  });
}

export function refuseForeignSnapshots({ createVolume }: PermissionSet, { imageId, snapshotIds }: Image): void {
  const foreign = createVolume?.snapshotIds?.filter((id) => !snapshotIds.includes(id)) ?? [];
  if (foreign.length === 0) return;
  const has = snapshotIds.length > 0 ? `its EBS snapshots are ${snapshotIds.join(", ")}` : "it has no EBS snapshot";
  throw new AmiSharingError(
    "invalid-argument",
    `createVolumePermissions.snapshotIds: ${foreign.join(", ")} is not among the snapshots of AMI ${imageId}`,
    { property: "createVolumePermissions", imageId, next: has },
  );
}

/** The refusal for snapshots that the arguments name and that no longer exist. Snapshots that no argument names are left out without an error. */
export function goneSnapshotRefusals(
  { imageId, createVolume }: PermissionSet,
  add: Permissions,
  gone: ReadonlySet<string>,
): AmiSharingError[] {
  const ids = (createVolume?.snapshotIds ?? []).filter((id) => gone.has(id) && add.createVolume.has(id));
  if (ids.length === 0) return [];
  return [
    new AmiSharingError("snapshot-not-found", `AMI ${imageId}: ${ids.join(", ")} is gone`, {
      property: "createVolumePermissions",
      imageId,
      next: "take it out of createVolumePermissions.snapshotIds",
    }),
  ];
}

/**
 * The refusals of the set's allow-lists.
 *
 * @param stays who has access after the change, without whom only other sets declare
 */
export function allowListRefusals(
  { imageId, allowed = [] }: PermissionSet,
  { ownerId }: Pick<Image, "ownerId">,
  target: Permissions,
  stays: Permissions,
): readonly AmiSharingError[] {
  const others = (permissions: Permissions) => [...granteesOf(permissions)].filter((key) => key !== accountKey(ownerId));
  return notAllowed({ imageId, lists: allowed, names: others(target), keeps: others(minus(stays, target)) });
}

/**
 * The refusal of `unrecorded: "refuse"`.
 *
 * @param unrecorded the revocations of permissions that neither the state nor another set of the program contains
 */
export function unrecordedRevocations(
  set: PermissionSet,
  unrecorded: Permissions,
  recorded: Recorded | undefined,
): AmiSharingError[] {
  const { imageId } = set;
  const who = [...granteesOf(unrecorded)].sort();
  if (set.unrecorded !== "refuse" || who.length === 0) return [];
  return [
    new AmiSharingError(
      "unrecorded-grants",
      `the change of AMI ${imageId} would take access from ${countedGrantees(who.length)} whom the state does not record: ${who.join(", ")}`,
      { property: "unrecorded", imageId, next: recorded ? REFRESH : ADOPT },
    ),
  ];
}

const REFRESH =
  'run pulumi refresh: the diff of the next preview shows each with a "-" if the set managed it before; or declare them, or set unrecorded to "revoke"';
const ADOPT = 'adopt or import the AMI as it is shared, or declare them, or set unrecorded to "revoke"';
