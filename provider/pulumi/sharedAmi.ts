/** A component that shares one AMI in many regions with the same grantees. It has one set for each region, and the copies if it makes them. */

import type { AmiCopy, AmiCopyArgs } from "@pulumi/aws/ec2/amiCopy";
import * as pulumi from "@pulumi/pulumi";
import type { Grants } from "../core";
import { AmiLaunchPermissionSet, type AmiLaunchPermissionSetArgs } from "./amiLaunchPermissionSet";
import { sharedImages } from "./sharedImages";
import { SHARED_AMI_TYPE } from "./typeNames";

/** How the copies are made. If a field is absent, the default of EC2 applies. */
export interface CopyArgs {
  /**
   * The name of every copy. Default: the name of the component, the region and a random suffix. The suffix lets a new copy exist
   * before the old one is deleted. If you set a name, use a different one for each source AMI.
   */
  name?: pulumi.Input<string> | undefined;
  /** The description of every copy. Default: EC2's, which names the source. */
  description?: pulumi.Input<string> | undefined;
  /**
   * Encrypts the copies of an unencrypted AMI under the default EBS key of each region. That key must be a customer managed one,
   * because an AMI under the AWS managed key cannot be shared. Default: as the source; `true` with `kmsKeyIds`.
   */
  encrypted?: pulumi.Input<boolean> | undefined;
  /** The customer managed key of the copy in each region that is copied to: region → ARN. Default: none. */
  kmsKeyIds?: Record<string, pulumi.Input<string>> | undefined;
  /** Tags of the copies. The tags of the source are not copied. Default: none. */
  tags?: pulumi.Input<Record<string, pulumi.Input<string>>> | undefined;
}

/** The AMIs, either `imageIds` or a source to copy, and every argument of a set except `imageId` and `region`, for all AMIs. */
export interface SharedAmiArgs extends Omit<AmiLaunchPermissionSetArgs, "imageId" | "region"> {
  /** AMIs that exist: region → AMI id. The regions must be known when the program runs. The ids can be outputs. */
  imageIds?: Record<string, pulumi.Input<string>> | undefined;
  /** The AMI to copy, with `sourceRegion` and `regions`. If it changes, new copies are made and shared before the old ones are unshared. */
  sourceImageId?: pulumi.Input<string> | undefined;
  /** The region of the source AMI. */
  sourceRegion?: string | undefined;
  /**
   * The regions to share the AMI in. The AMI is copied to each of them. If the source region is in the list, the source itself is
   * shared there; if not, the source is not changed.
   */
  regions?: string[] | undefined;
  /** How the copies are made. */
  copy?: CopyArgs | undefined;
}

/**
 * An AMI that is shared with the same grantees in many regions.
 *
 * With `imageIds`, the AMIs exist. Otherwise the component makes copies with `aws.ec2.AmiCopy` of `@pulumi/aws` 7, an optional peer. The
 * copies use the stack's `aws:*` config, or the provider in the options of the component.
 *
 * @throws pulumi.RunError before anything is registered, if the arguments contradict each other or name no region
 */
export class SharedAmi extends pulumi.ComponentResource {
  /** The type in URNs. @internal */
  static readonly __pulumiType = SHARED_AMI_TYPE;

  /** Region → the AMI that is shared there. It is known when the AMI is available and shared. */
  readonly imageIds: pulumi.Output<Record<string, string>>;
  /** Region → grantee → permissions, as in the output `grants` of a set. */
  readonly grants: pulumi.Output<Record<string, Grants>>;

  constructor(name: string, args: SharedAmiArgs, opts?: pulumi.ComponentResourceOptions) {
    const { images, permissions } = decoded(name, args, opts);
    super(SharedAmi.__pulumiType, name, {}, opts);
    const sets = images.map(({ region, imageId, copy }) => {
      const child = `${name}-${region}`;
      const copied = copy && new (amiCopy())(child, copy as unknown as AmiCopyArgs, { parent: this });
      const id = copied?.id ?? (imageId as pulumi.Input<string>);
      const set = new AmiLaunchPermissionSet(
        child,
        { ...permissions, imageId: id, region },
        { parent: this, ...(copied ? { dependsOn: [copied] } : {}) },
      );
      return [region, set] as const;
    });
    const byRegion = <Value>(output: (set: AmiLaunchPermissionSet) => pulumi.Output<Value>) =>
      pulumi.output(Object.fromEntries(sets.map(([region, set]) => [region, output(set)])));
    this.imageIds = byRegion((set) => set.imageId) as pulumi.Output<Record<string, string>>;
    this.grants = byRegion((set) => set.grants) as pulumi.Output<Record<string, Grants>>;
    this.registerOutputs({ imageIds: this.imageIds, grants: this.grants });
  }
}

/** The arguments of AmiLaunchPermissionSet that all regions have in common. */
type Permissions = Omit<AmiLaunchPermissionSetArgs, "imageId" | "region">;

function decoded(name: string, args: SharedAmiArgs, opts: pulumi.ComponentResourceOptions | undefined) {
  const refuse = (what: string): never => {
    throw new pulumi.RunError(`SharedAmi "${name}": ${what} [invalid-argument]`);
  };
  const { images, permissions } = sharedImages({ ...args }, { refuse, isLater, hasAwsProvider: () => hasAwsProvider(opts) });
  if (images.some((image) => image.copy)) amiCopy();
  return { images, permissions: permissions as Permissions };
}

/** Whether the value is not known yet when the program runs. */
function isLater(value: unknown): boolean {
  return pulumi.Output.isInstance(value) || value instanceof Promise;
}

/** AmiCopy from the user's @pulumi/aws. It is loaded only if there are copies to make. */
function amiCopy(): typeof AmiCopy {
  let version: string;
  try {
    version = require("@pulumi/aws/package.json").version;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error;
    throw new pulumi.RunError("SharedAmi copies AMIs with @pulumi/aws, which is not installed: npm install @pulumi/aws");
  }
  // Before version 7, AmiCopy had no argument `region`: every copy would be made in the region of the provider.
  if (!/^v?7\./.test(version))
    throw new pulumi.RunError(`SharedAmi needs @pulumi/aws 7, and this project has ${version}: npm install @pulumi/aws@7`);
  return require("@pulumi/aws/ec2/amiCopy").AmiCopy;
}

function hasAwsProvider(opts: pulumi.ComponentResourceOptions = {}): boolean {
  const given = [opts.provider, ...Object.values(opts.providers ?? {})];
  const isAws = (provider: pulumi.ProviderResource | undefined) =>
    (provider as unknown as { getPackage?: () => string } | undefined)?.getPackage?.() === "aws";
  return given.some(isAws) || opts.parent?.getProvider("aws:ec2/amiCopy:AmiCopy") !== undefined;
}
