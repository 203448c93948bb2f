/** Shares an AMI with every account of an organization, those that join later included, and with units of other organizations. */

import * as pulumi from "@pulumi/pulumi";
import { type AccountId, AmiLaunchPermissionSet } from "ami-launch-permissions";

const config = new pulumi.Config();

const set = new AmiLaunchPermissionSet("everybody-here", {
  imageId: config.require("imageId"),
  organizationArns: [config.require("organizationArn")],
  organizationalUnitArns: config.getObject<string[]>("organizationalUnitArns") ?? [],
  // EC2 knows no create-volume permission for organizations: accounts that copy the AMI are named.
  createVolumePermissions: { accountIds: config.getObject<AccountId[]>("copiers") ?? [] },
});

/** Grantee → permissions. */
export const grants = set.grants;
