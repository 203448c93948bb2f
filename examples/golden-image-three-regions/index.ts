/** Shares a golden image in every region it was copied to, with one list of accounts for all of them. */

import * as pulumi from "@pulumi/pulumi";
import { type AccountId, SharedAmi } from "ami-launch-permissions";

const config = new pulumi.Config();

const golden = new SharedAmi("golden", {
  // Region → AMI id. To let the component make the copies instead: sourceImageId, sourceRegion and regions.
  imageIds: config.requireObject<Record<string, string>>("imageIds"),
  accountIds: config.requireObject<AccountId[]>("accountIds"),
  // No change of the list may take access from more than this many accounts in a region.
  maxRevocations: config.getNumber("maxRevocations") ?? 5,
});

/** Region → AMI id. */
export const imageIds = golden.imageIds;
/** Region → grantee → permissions. */
export const grants = golden.grants;
