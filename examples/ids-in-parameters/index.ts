/** Copies a golden image to every region, shares the copies of the last releases, and publishes the newest id of each region in an SSM parameter. */

import { Parameter } from "@pulumi/aws/ssm/parameter";
import * as pulumi from "@pulumi/pulumi";
import { type AccountId, SharedAmi } from "ami-launch-permissions";

const config = new pulumi.Config();
const sourceRegion = config.require("sourceRegion");
const regions = config.requireObject<string[]>("regions");
const accountIds = config.requireObject<AccountId[]>("accountIds");
/** AMIs in the source region, the newest first. */
const releases = config.requireObject<string[]>("releases");
/** How many releases stay shared. */
const keep = config.getNumber("keep") ?? 2;
// If the newest release fails in a region, the parameter there still names the one before it.
if (keep < 2) throw new pulumi.RunError("keep is less than 2: a parameter could name a copy that is deleted");

const [newest = {}] = releases.slice(0, keep).map(sharedEverywhere);

for (const [region, imageId] of Object.entries(newest))
  new Parameter(region, {
    region,
    name: config.get("parameter") ?? "/golden/ami",
    type: "String",
    // Systems Manager checks that the AMI exists. Launch templates can name it as resolve:ssm:/golden/ami.
    dataType: "aws:ec2:image",
    // Known when the AMI is available and shared.
    value: imageId,
  });

/** Region → the id that its parameter names. */
export const imageIds = newest;

/** Region → AMI id of one release. Each region is a component of its own, so that a region that fails holds up no other. */
function sharedEverywhere(sourceImageId: string): Record<string, pulumi.Output<string>> {
  return Object.fromEntries(
    regions.map((region) => {
      const shared = new SharedAmi(`${sourceImageId}-${region}`, {
        ...{ sourceImageId, sourceRegion, regions: [region], accountIds },
        copy: { name: `golden-${sourceImageId}` },
      });
      return [region, shared.imageIds.apply((ids) => ids[region] as string)];
    }),
  );
}
