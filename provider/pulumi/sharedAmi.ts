/** A component that shares one AMI in many regions with the same grantees. It has one set for each region, and the copies if it makes them. */

import type { AmiCopy, AmiCopyArgs } from "@pulumi/aws/ec2/amiCopy";
import * as pulumi from "@pulumi/pulumi";
import { decodeDeclaredSet, type Grants, UNKNOWN } from "../core";
import { AmiLaunchPermissionSet, type AmiLaunchPermissionSetArgs } from "./amiLaunchPermissionSet";

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
  static readonly __pulumiType = "ami-launch-permissions:index:SharedAmi";

  /** Region → the AMI that is shared there. It is known when the AMI is available and shared. */
  readonly imageIds: pulumi.Output<Record<string, string>>;
  /** Region → grantee → permissions, as in the output `grants` of a set. */
  readonly grants: pulumi.Output<Record<string, Grants>>;

  constructor(name: string, args: SharedAmiArgs, opts?: pulumi.ComponentResourceOptions) {
    const { images, permissions } = decoded(name, args, opts);
    super(SharedAmi.__pulumiType, name, {}, opts);
    const sets = images.map(({ region, imageId, copy }) => {
      const child = `${name}-${region}`;
      const copied = copy && new (amiCopy())(child, copy, { parent: this });
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

/** The AMI of one region: one that exists, or a copy to make. */
interface RegionalImage {
  readonly region: string;
  readonly imageId?: pulumi.Input<string>;
  readonly copy?: AmiCopyArgs;
}

/** The arguments of AmiLaunchPermissionSet that all regions have in common. */
type Permissions = Omit<AmiLaunchPermissionSetArgs, "imageId" | "region">;

function decoded(name: string, args: SharedAmiArgs, opts: pulumi.ComponentResourceOptions | undefined) {
  const { imageIds, sourceImageId, sourceRegion, regions, copy, ...permissions } = args ?? {};
  const refuse = (what: string): never => {
    throw new pulumi.RunError(`SharedAmi "${name}": ${what} [invalid-argument]`);
  };
  const ofCopies = Object.entries({ sourceImageId, sourceRegion, regions, copy }).filter(([, value]) => value !== undefined);
  if (imageIds !== undefined && ofCopies.length > 0)
    refuse(`imageIds names AMIs that exist, and ${ofCopies[0]?.[0]} asks for copies: give one or the other`);
  if ("region" in permissions)
    refuse("there is no argument region: imageIds, or sourceRegion and regions, say where the AMIs are");
  if ("imageId" in permissions) refuse("there is no argument imageId: imageIds names an AMI for each region");
  const images = imageIds === undefined ? copies(args ?? {}, refuse) : existing(imageIds, refuse);
  const { createVolumePermissions: volumes } = permissions;
  const oneExists = images.length === 1 && images[0]?.copy === undefined;
  if (typeof volumes === "object" && "snapshotIds" in volumes && volumes.snapshotIds !== undefined && !oneExists)
    refuse("createVolumePermissions.snapshotIds: each region has snapshots of its own; leave it out to mean all of each AMI");
  if (images.some((image) => image.copy)) {
    amiCopy();
    const connection = (["profile", "endpoint", "assumeRole"] as const).find((key) => permissions[key] !== undefined);
    if (connection && !hasAwsProvider(opts))
      refuse(
        `${connection} reaches the sets only, and the copies are made by @pulumi/aws: pass an aws.Provider for the same account in the option provider`,
      );
  }
  return { images, permissions: permissions satisfies Permissions };
}

type Refuse = (what: string) => never;

function existing(imageIds: Record<string, pulumi.Input<string>>, refuse: Refuse): RegionalImage[] {
  if (isLater(imageIds))
    refuse('imageIds is an output, and its regions have to be known now: write { "us-east-1": id }, where id may be an output');
  if (typeof imageIds !== "object" || imageIds === null || Array.isArray(imageIds))
    refuse('imageIds is not an object of region → AMI id, such as { "us-east-1": "ami-1234567890abcdef0" }');
  const images = Object.entries(imageIds).map(([region, imageId]) => ({ region, imageId }));
  if (images.length === 0) refuse("imageIds is empty: name an AMI for at least one region");
  for (const { region, imageId } of images) {
    checkRegion("imageIds", region, refuse);
    if (imageId === undefined || imageId === null || imageId === "") refuse(`imageIds["${region}"] is missing`);
    checkImage(`imageIds["${region}"]`, imageId, refuse);
  }
  return images;
}

function copies({ sourceImageId, sourceRegion, regions, copy = {} }: SharedAmiArgs, refuse: Refuse): RegionalImage[] {
  if (sourceImageId === undefined && sourceRegion === undefined && regions === undefined)
    return refuse("nothing to share: give imageIds, or sourceImageId, sourceRegion and regions");
  if (sourceImageId === undefined) return refuse("sourceImageId is missing: the AMI to copy");
  if (sourceRegion === undefined) return refuse("sourceRegion is missing: the region of sourceImageId");
  if (!Array.isArray(regions)) return refuse('regions is not a list of regions, such as ["eu-west-1"]');
  if (regions.length === 0) return refuse("regions is empty: name at least one");
  checkImage("sourceImageId", sourceImageId, refuse);
  checkRegion("sourceRegion", sourceRegion, refuse);
  for (const [i, region] of regions.entries()) {
    checkRegion(`regions[${i}]`, region, refuse);
    if (regions.indexOf(region) < i) refuse(`regions[${i}]: ${region} is listed twice`);
  }
  const { kmsKeyIds, encrypted, ...common } = checkedCopy(copy, refuse);
  const copied = regions.filter((region) => region !== sourceRegion);
  if (kmsKeyIds) checkKeys(kmsKeyIds, copied, refuse);
  return regions.map((region) =>
    region === sourceRegion
      ? { region, imageId: sourceImageId }
      : {
          region,
          copy: {
            ...common,
            region,
            sourceAmiId: sourceImageId,
            sourceAmiRegion: sourceRegion,
            ...(kmsKeyIds ? { encrypted: true, kmsKeyId: kmsKeyIds[region] } : { encrypted }),
          },
        },
  );
}

const COPY_NAMES = ["name", "description", "tags", "encrypted", "kmsKeyIds"];

/** Checks `copy` at run time: values from a config file do not pass the type checker. */
function checkedCopy(copy: CopyArgs, refuse: Refuse): CopyArgs {
  if (typeof copy !== "object" || copy === null || Array.isArray(copy) || isLater(copy))
    return refuse(`copy is not an object such as { ${COPY_NAMES.join(", ")} }`);
  const stranger = Object.keys(copy).find((key) => !COPY_NAMES.includes(key));
  if (stranger) refuse(`copy has no argument "${stranger}"; its arguments are ${COPY_NAMES.join(", ")}`);
  if (copy.encrypted === false && copy.kmsKeyIds !== undefined)
    refuse("copy.kmsKeyIds names keys, and copy.encrypted is false: leave one out");
  return copy;
}

/** Refuses a region without a key, whose copy would not be encrypted, and a key without a region, which would not be used. */
function checkKeys(kmsKeyIds: Record<string, pulumi.Input<string>>, copied: readonly string[], refuse: Refuse): void {
  if (isLater(kmsKeyIds)) refuse("copy.kmsKeyIds is an output, and its regions have to be known now");
  const without = copied.filter((region) => !kmsKeyIds[region]);
  if (without.length > 0)
    refuse(`copy.kmsKeyIds has no key for ${without.join(", ")}: a KMS key encrypts in its own region only`);
  const idle = Object.keys(kmsKeyIds).filter((region) => !copied.includes(region));
  if (idle.length > 0) refuse(`copy.kmsKeyIds has a key for ${idle.join(", ")}, where nothing is copied to`);
  for (const [region, key] of Object.entries(kmsKeyIds)) {
    if (key === "alias/aws/ebs") refuse(`copy.kmsKeyIds["${region}"] is the AWS managed key, under which nothing can be shared`);
    const home = typeof key === "string" ? /^arn:[^:]+:kms:([^:]+):/.exec(key)?.[1] : undefined;
    if (home !== undefined && home !== region)
      refuse(`copy.kmsKeyIds["${region}"] is a key in ${home}: a KMS key encrypts in its own region only`);
  }
}

function checkRegion(place: string, region: unknown, refuse: Refuse): void {
  if (isLater(region)) refuse(`${place} is an output, and regions have to be known now`);
  checkArgument(place, { imageId: UNKNOWN, region: region ?? "" }, refuse);
}

function checkImage(place: string, imageId: unknown, refuse: Refuse): void {
  checkArgument(place, { imageId: isLater(imageId) ? UNKNOWN : imageId }, refuse);
}

function checkArgument(place: string, input: Record<string, unknown>, refuse: Refuse): void {
  const decodedSet = decodeDeclaredSet(input);
  if ("problems" in decodedSet) refuse(`${place}: ${decodedSet.problems.map(({ message }) => message).join("; ")}`);
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
