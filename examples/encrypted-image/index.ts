/** Shares an encrypted AMI with its snapshots, and names the keys that the accounts need beside it. */

import * as pulumi from "@pulumi/pulumi";
import { type AccountId, AmiLaunchPermissionSet, getAmiLaunchPermissionsOutput } from "ami-launch-permissions";

const config = new pulumi.Config();

const set = new AmiLaunchPermissionSet("encrypted", {
  imageId: config.require("imageId"),
  accountIds: config.requireObject<AccountId[]>("accountIds"),
  createVolumePermissions: true,
});

// The output of the set makes this wait until it is shared.
const seen = getAmiLaunchPermissionsOutput({ imageId: set.id });

/** Grantee → permissions. */
export const grants = set.grants;
/** The keys whose policies or grants have to admit the accounts. */
export const kmsKeyIds = seen.snapshots.apply((snapshots) => [...new Set(snapshots.map(({ kmsKeyId }) => kmsKeyId))]);
