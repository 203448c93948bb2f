/** Shares one AMI, by its id, with the accounts that the stack's config names; who copies it may have its snapshots, too. */

import * as pulumi from "@pulumi/pulumi";
import { type AccountId, AmiLaunchPermissionSet } from "ami-launch-permissions";

const config = new pulumi.Config();
const copiers = config.getObject<AccountId[]>("copiers") ?? [];

const set = new AmiLaunchPermissionSet("golden", {
  imageId: config.require("imageId"),
  accountIds: config.requireObject<AccountId[]>("accountIds"),
  // Launching needs no permission on the snapshots; copying the AMI to another account or region does.
  ...(copiers.length > 0 ? { createVolumePermissions: { accountIds: copiers } } : {}),
});

/** Grantee → permissions. */
export const grants = set.grants;
export const snapshotIds = set.snapshotIds;
