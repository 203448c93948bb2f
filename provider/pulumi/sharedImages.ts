/** The arguments of SharedAmi: which AMI each region has, and what is wrong. It knows neither programs nor the protocol. */

import { decodeDeclaredSet, UNKNOWN } from "../core";

type Values = Readonly<Record<string, unknown>>;

/** The AMI of one region: one that exists, or the arguments of the copy to make. */
export interface RegionalImage {
  readonly region: string;
  readonly imageId?: unknown;
  readonly copy?: Values;
}

/** What the caller knows about the arguments. */
export interface Caller {
  readonly refuse: Refuse;
  /** Whether a value is known only later, or is not to be looked at. */
  readonly isLater: (value: unknown) => boolean;
  /** Whether the component has a provider of @pulumi/aws of its own. */
  readonly hasAwsProvider: () => boolean;
}
type Refuse = (what: string) => never;

/** The AMIs, and the arguments that the sets of all regions have in common. */
export function sharedImages(args: Values, caller: Caller): { readonly images: RegionalImage[]; readonly permissions: Values } {
  const { refuse, hasAwsProvider } = caller;
  const { imageIds, sourceImageId, sourceRegion, regions, copy, ...permissions } = args;
  const ofCopies = Object.entries({ sourceImageId, sourceRegion, regions, copy }).filter(([, value]) => value !== undefined);
  if (imageIds !== undefined && ofCopies.length > 0)
    refuse(`imageIds names AMIs that exist, and ${ofCopies[0]?.[0]} asks for copies: give one or the other`);
  if ("region" in permissions)
    refuse("there is no argument region: imageIds, or sourceRegion and regions, say where the AMIs are");
  if ("imageId" in permissions) refuse("there is no argument imageId: imageIds names an AMI for each region");
  const images = imageIds === undefined ? copies(args, caller) : existing(imageIds, caller);
  const { createVolumePermissions: volumes } = permissions;
  const oneExists = images.length === 1 && images[0]?.copy === undefined;
  // An output has every name, so `in` comes first.
  if (isObject(volumes) && "snapshotIds" in volumes && volumes.snapshotIds !== undefined && !oneExists)
    refuse("createVolumePermissions.snapshotIds: each region has snapshots of its own; leave it out to mean all of each AMI");
  const connection = (["profile", "endpoint", "assumeRole"] as const).find((key) => permissions[key] !== undefined);
  if (images.some((image) => image.copy) && connection && !hasAwsProvider())
    refuse(
      `${connection} reaches the sets only, and the copies are made by @pulumi/aws: pass an aws.Provider for the same account in the option provider`,
    );
  return { images, permissions };
}

function existing(imageIds: unknown, caller: Caller): RegionalImage[] {
  const { refuse, isLater } = caller;
  if (isLater(imageIds))
    refuse('imageIds is an output, and its regions have to be known now: write { "us-east-1": id }, where id may be an output');
  if (!isObject(imageIds))
    return refuse('imageIds is not an object of region → AMI id, such as { "us-east-1": "ami-1234567890abcdef0" }');
  const images = Object.entries(imageIds).map(([region, imageId]) => ({ region, imageId }));
  if (images.length === 0) refuse("imageIds is empty: name an AMI for at least one region");
  for (const { region, imageId } of images) {
    checkRegion("imageIds", region, caller);
    if (imageId === undefined || imageId === null || imageId === "") refuse(`imageIds["${region}"] is missing`);
    checkImage(`imageIds["${region}"]`, imageId, caller);
  }
  return images;
}

function copies({ sourceImageId, sourceRegion, regions, copy = {} }: Values, caller: Caller): RegionalImage[] {
  const { refuse } = caller;
  if (sourceImageId === undefined && sourceRegion === undefined && regions === undefined)
    return refuse("nothing to share: give imageIds, or sourceImageId, sourceRegion and regions");
  if (sourceImageId === undefined) return refuse("sourceImageId is missing: the AMI to copy");
  if (sourceRegion === undefined) return refuse("sourceRegion is missing: the region of sourceImageId");
  if (!Array.isArray(regions)) return refuse('regions is not a list of regions, such as ["eu-west-1"]');
  if (regions.length === 0) return refuse("regions is empty: name at least one");
  checkImage("sourceImageId", sourceImageId, caller);
  checkRegion("sourceRegion", sourceRegion, caller);
  for (const [i, region] of regions.entries()) {
    checkRegion(`regions[${i}]`, region, caller);
    if (regions.indexOf(region) < i) refuse(`regions[${i}]: ${region} is listed twice`);
  }
  const { kmsKeyIds, encrypted, ...common } = checkedCopy(copy, caller);
  const copied = regions.filter((region) => region !== sourceRegion);
  if (kmsKeyIds) checkKeys(kmsKeyIds as Values, copied, caller);
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
            ...(kmsKeyIds ? { encrypted: true, kmsKeyId: (kmsKeyIds as Values)[region] } : { encrypted }),
          },
        },
  );
}

const COPY_NAMES = ["name", "description", "tags", "encrypted", "kmsKeyIds"];

/** Checks `copy` at run time: values from a config file do not pass the type checker. */
function checkedCopy(copy: unknown, { refuse, isLater }: Caller): Values {
  if (!isObject(copy) || isLater(copy)) return refuse(`copy is not an object such as { ${COPY_NAMES.join(", ")} }`);
  const stranger = Object.keys(copy).find((key) => !COPY_NAMES.includes(key));
  if (stranger) refuse(`copy has no argument "${stranger}"; its arguments are ${COPY_NAMES.join(", ")}`);
  if (copy.encrypted === false && copy.kmsKeyIds !== undefined)
    refuse("copy.kmsKeyIds names keys, and copy.encrypted is false: leave one out");
  return copy;
}

/** Refuses a region without a key, whose copy would not be encrypted, and a key without a region, which would not be used. */
function checkKeys(kmsKeyIds: Values, copied: readonly string[], { refuse, isLater }: Caller): void {
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

function checkRegion(place: string, region: unknown, caller: Caller): void {
  if (caller.isLater(region)) caller.refuse(`${place} is an output, and regions have to be known now`);
  checkArgument(place, { imageId: UNKNOWN, region: region ?? "" }, caller);
}

function checkImage(place: string, imageId: unknown, caller: Caller): void {
  checkArgument(place, { imageId: caller.isLater(imageId) ? UNKNOWN : imageId }, caller);
}

function checkArgument(place: string, input: Values, { refuse }: Caller): void {
  const decodedSet = decodeDeclaredSet(input);
  if ("problems" in decodedSet) refuse(`${place}: ${decodedSet.problems.map(({ message }) => message).join("; ")}`);
}

function isObject(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
