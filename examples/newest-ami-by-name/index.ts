/** Finds the newest of one's own AMIs by its name, with @pulumi/aws, and shares it and its snapshots. */

import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { type AccountId, AmiLaunchPermissionSet } from "ami-launch-permissions";

const config = new pulumi.Config();

const newest = aws.ec2.getAmiOutput({
  owners: ["self"],
  mostRecent: true,
  filters: [
    { name: "name", values: [config.require("amiName")] },
    { name: "state", values: ["available"] },
  ],
});

// A newer AMI replaces the set: the new one is shared before the old one is unshared.
const set = new AmiLaunchPermissionSet("newest", {
  imageId: newest.imageId,
  accountIds: config.requireObject<AccountId[]>("accountIds"),
  createVolumePermissions: true,
});

export const imageId = set.imageId;
export const name = newest.name;
/** Grantee → permissions. */
export const grants = set.grants;
