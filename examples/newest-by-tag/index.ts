/** Shares the AMI that share-newest.sh found by its tag; a newer one replaces the set, and is shared before the old one is unshared. */

import * as pulumi from "@pulumi/pulumi";
import { type AccountId, AmiLaunchPermissionSet } from "ami-launch-permissions";

const config = new pulumi.Config();

const set = new AmiLaunchPermissionSet("newest", {
  imageId: config.require("imageId"),
  accountIds: config.requireObject<AccountId[]>("accountIds"),
});

export const imageId = set.imageId;
/** Grantee → permissions. */
export const grants = set.grants;
