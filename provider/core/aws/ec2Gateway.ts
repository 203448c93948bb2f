/** The gateway that uses the AWS SDK. It builds the requests, splits them where EC2 limits their size, and loads each client on first use. */

import {
  AmiSharingError,
  batches,
  escapeControls,
  type GranteeKey,
  granteeKey,
  MAX_FILTER_VALUES,
  MAX_IDS_PER_CALL,
  MAX_IMAGES_PER_PAGE,
  MAX_LAUNCH_CHANGES_PER_CALL,
  MAX_SNAPSHOT_CHANGES_PER_CALL,
  PUBLIC,
  parseGranteeKey,
  policyOf,
  userKey,
} from "../model";
import * as answers from "./answers";
import { askTwice, PAUSES, type Pauses } from "./asking";
import { imageNotShown } from "./awsErrors";
import type { CallWatch } from "./callWatch";
import { Coalescer } from "./coalescing";
import { type Connection, kmsEndpointOf, timeoutsOf } from "./connection";
import { Ec2Session } from "./ec2Session";
import type { Gateway, Image, PublicAccessBlock, Snapshot } from "./gateway";
import { kmsGateway } from "./kmsGateway";
import type { LaunchPermission } from "./sdk/ec2";
import { usageGateway } from "./usageGateway";

/**
 * Returns a gateway for a connection. The gateway makes no call yet. It resolves credentials and region at its first call, which fails
 * with `credentials-missing`, `region-missing` or `endpoint-unreachable` if they are missing or wrong.
 *
 * @param connection fields that are left out come from the environment and the shared AWS files, as for the AWS CLI. Default: all fields
 * @param watch can stop the calls, and is told of each call. Default: none
 */
export function ec2Gateway(connection?: Connection, watch?: CallWatch): Gateway;
/**
 * For tests: with other pauses between retries.
 *
 * @internal
 */
export function ec2Gateway(connection: Connection, watch: CallWatch | undefined, pauses: Pauses): Gateway;
export function ec2Gateway(connection: Connection = {}, watch: CallWatch = {}, pauses: Pauses = PAUSES): Gateway {
  const session = new Ec2Session(connection, watch, pauses);
  return {
    region: () => session.region(),
    callerAccountId: () => session.callerAccountId(),
    keys: kmsGateway(
      () => session.configFor(kmsEndpointOf(connection)),
      session.asking,
      () => timeoutsOf(connection),
    ),
    usage: usageGateway(session),
    ...descriptions(session),
    ...permissions(session),
    ...changes(session),
  };
}

/** The calls that describe images, snapshots and block public access. */
function descriptions(
  session: Ec2Session,
): Pick<Gateway, "describeImage" | "describeImages" | "describeSnapshots" | "regions" | "blockPublicAccess"> {
  const images = new Coalescer((imageIds) => imagesById(session, imageIds), MAX_IDS_PER_CALL);
  const snapshots = new Coalescer((snapshotIds) => snapshotsTogether(session, snapshotIds), MAX_FILTER_VALUES);
  return {
    describeImage: (imageId) => images.get(imageId) as Promise<Image>,

    async describeImages(owner) {
      const found = await session.pages(
        { action: "DescribeImages" },
        (client, sdk, options, token) =>
          client.send(
            new sdk.DescribeImagesCommand({
              ...(owner === "self" ? { Owners: ["self"], IncludeDisabled: true } : { ExecutableUsers: ["self"] }),
              MaxResults: MAX_IMAGES_PER_PAGE,
              ...token,
            }),
            options,
          ),
        answers.images,
      );
      const images = found.flatMap(({ Images }) => Images.map(imageOf));
      // An owner can share an image with its own account. EC2 then lists that image here, too.
      const caller = owner === "others" && images.length > 0 ? await session.callerAccountId() : undefined;
      return images.filter(({ ownerId }) => ownerId !== caller).sort((a, b) => (a.imageId < b.imageId ? -1 : 1));
    },

    async describeSnapshots(snapshotIds) {
      const ids = [...new Set(snapshotIds)];
      const describe = () => Promise.all(ids.map((id) => snapshots.get(id)));
      const found = await askTwice(session.asking, (all) => !all.includes(undefined), describe);
      return found.filter((one) => one !== undefined).sort((a, b) => (a.snapshotId < b.snapshotId ? -1 : 1));
    },

    async regions() {
      const { Regions } = await session.call(
        { action: "DescribeRegions" },
        (client, sdk, options) => client.send(new sdk.DescribeRegionsCommand({}), options),
        answers.regions,
      );
      return Regions.map(({ RegionName }) => escapeControls(RegionName)).sort();
    },

    async blockPublicAccess() {
      const unlessDenied = async (answer: Promise<PublicAccessBlock>) =>
        answer.catch((error: AmiSharingError) => {
          if (error.code === "not-authorized") return undefined;
          throw error;
        });
      const block = (state: string, managedBy: string | undefined): PublicAccessBlock => ({
        blocked: state !== "unblocked",
        byPolicy: managedBy === "declarative-policy",
      });
      const images = session
        .call(
          { action: "GetImageBlockPublicAccessState" },
          (client, sdk, options) => client.send(new sdk.GetImageBlockPublicAccessStateCommand({}), options),
          answers.imageBlock,
        )
        .then(({ ImageBlockPublicAccessState, ManagedBy }) => block(ImageBlockPublicAccessState, ManagedBy));
      const snapshots = session
        .call(
          { action: "GetSnapshotBlockPublicAccessState" },
          (client, sdk, options) => client.send(new sdk.GetSnapshotBlockPublicAccessStateCommand({}), options),
          answers.snapshotBlock,
        )
        .then(({ State, ManagedBy }) => block(State, ManagedBy));
      const [first, second] = await Promise.all([unlessDenied(images), unlessDenied(snapshots)]);
      return { images: first, snapshots: second };
    },
  };
}

/** Describes images: several with one call, and each image that is missing in its answer with a call of its own. */
async function imagesById(
  session: Ec2Session,
  imageIds: readonly string[],
): Promise<ReadonlyMap<string, Image | Promise<Image>>> {
  const [only, ...more] = imageIds as [string, ...string[]];
  if (more.length === 0) return new Map([[only, await imageById(session, only)]]);
  const together = await imagesTogether(session, imageIds);
  return new Map(imageIds.map((imageId) => [imageId, together.get(imageId) ?? imageById(session, imageId)]));
}

async function imageById(session: Ec2Session, imageId: string): Promise<Image> {
  const attempt = { action: "DescribeImages", imageId };
  const describe = () =>
    session.call(
      attempt,
      (client, sdk, options) =>
        client.send(new sdk.DescribeImagesCommand({ ImageIds: [imageId], IncludeDisabled: true }), options),
      answers.imageById(imageId),
    );
  const answer = await askTwice(session.asking, ({ Images }) => Images.length > 0, describe);
  const [image] = answer.Images;
  if (image) return imageOf(image);
  throw imageNotShown(answer, { ...attempt, region: await session.region() });
}

/** Returns no image if EC2 refuses the request, as it does if one of the images does not exist. */
async function imagesTogether(session: Ec2Session, imageIds: readonly string[]): Promise<ReadonlyMap<string, Image>> {
  try {
    const { Images } = await session.call(
      { action: "DescribeImages", imageId: imageIds.join(", ") },
      (client, sdk, options) =>
        client.send(new sdk.DescribeImagesCommand({ ImageIds: [...imageIds], IncludeDisabled: true }), options),
      answers.imagesById(imageIds),
    );
    return new Map(Images.map((image) => [image.ImageId, imageOf(image)]));
  } catch (error) {
    if (policyOf(error)?.affectsEveryAmi) throw error;
    return new Map();
  }
}

/** Describes snapshots with one call. The request has a filter, because EC2 refuses a request by id if one of the ids does not exist. */
async function snapshotsTogether(session: Ec2Session, snapshotIds: readonly string[]): Promise<ReadonlyMap<string, Snapshot>> {
  const { Snapshots } = await session.call(
    { action: "DescribeSnapshots", snapshotId: snapshotIds.join(", ") },
    (client, sdk, options) =>
      client.send(new sdk.DescribeSnapshotsCommand({ Filters: [{ Name: "snapshot-id", Values: [...snapshotIds] }] }), options),
    answers.snapshotsById(snapshotIds),
  );
  return new Map(
    Snapshots.map(({ SnapshotId, Encrypted, KmsKeyId }) => [
      SnapshotId,
      { snapshotId: SnapshotId, encrypted: Encrypted, kmsKeyId: KmsKeyId },
    ]),
  );
}

/** The calls that read who has access. */
function permissions(session: Ec2Session): Pick<Gateway, "launchPermissions" | "createVolumePermissions"> {
  return {
    async launchPermissions(imageId) {
      const { LaunchPermissions } = await session.call(
        { action: "DescribeImageAttribute", imageId },
        (client, sdk, options) =>
          client.send(new sdk.DescribeImageAttributeCommand({ ImageId: imageId, Attribute: "launchPermission" }), options),
        answers.launchPermissionsOf(imageId),
      );
      return new Set(LaunchPermissions.map(keyOf));
    },

    async createVolumePermissions(snapshotId) {
      const { CreateVolumePermissions } = await session.call(
        { action: "DescribeSnapshotAttribute", snapshotId },
        (client, sdk, options) =>
          client.send(
            new sdk.DescribeSnapshotAttributeCommand({ SnapshotId: snapshotId, Attribute: "createVolumePermission" }),
            options,
          ),
        answers.createVolumePermissionsOf(snapshotId),
      );
      return new Set(CreateVolumePermissions.map(keyOf));
    },
  };
}

/** The calls that change who has access. */
function changes(
  session: Ec2Session,
): Pick<
  Gateway,
  "changeLaunchPermissions" | "changeCreateVolumePermissions" | "resetLaunchPermissions" | "resetCreateVolumePermissions"
> {
  return {
    async changeLaunchPermissions(imageId, change) {
      const changes = [
        ...change.add.map((key) => ({ operation: "add", key }) as const),
        ...change.remove.map((key) => ({ operation: "remove", key }) as const),
      ];
      for (const batch of batches(changes, MAX_LAUNCH_CHANGES_PER_CALL)) {
        const members = (operation: "add" | "remove") =>
          batch.filter((one) => one.operation === operation).map(({ key }) => launchPermission(key));
        const [Add, Remove] = [members("add"), members("remove")];
        await session.call(
          { action: "ModifyImageAttribute", imageId },
          (client, sdk, options) =>
            client.send(
              new sdk.ModifyImageAttributeCommand({
                ImageId: imageId,
                LaunchPermission: { ...(Add.length > 0 ? { Add } : {}), ...(Remove.length > 0 ? { Remove } : {}) },
              }),
              options,
            ),
          answers.done,
        );
      }
    },

    async changeCreateVolumePermissions(snapshotId, operation, grantees) {
      for (const batch of batches(grantees, MAX_SNAPSHOT_CHANGES_PER_CALL)) {
        const UserIds = batch.filter((key) => key !== PUBLIC).map(accountIdOf);
        await session.call(
          { action: "ModifySnapshotAttribute", snapshotId },
          (client, sdk, options) =>
            client.send(
              new sdk.ModifySnapshotAttributeCommand({
                SnapshotId: snapshotId,
                Attribute: "createVolumePermission",
                OperationType: operation,
                ...(UserIds.length > 0 ? { UserIds } : {}),
                ...(batch.includes(PUBLIC) ? { GroupNames: ["all"] } : {}),
              }),
              options,
            ),
          answers.done,
        );
      }
    },

    async resetLaunchPermissions(imageId) {
      await session.call(
        { action: "ResetImageAttribute", imageId },
        (client, sdk, options) =>
          client.send(new sdk.ResetImageAttributeCommand({ ImageId: imageId, Attribute: "launchPermission" }), options),
        answers.done,
      );
    },

    async resetCreateVolumePermissions(snapshotId) {
      await session.call(
        { action: "ResetSnapshotAttribute", snapshotId },
        (client, sdk, options) =>
          client.send(
            new sdk.ResetSnapshotAttributeCommand({ SnapshotId: snapshotId, Attribute: "createVolumePermission" }),
            options,
          ),
        answers.done,
      );
    },
  };
}

function imageOf(image: answers.DescribedImage): Image {
  const volumes = (image.BlockDeviceMappings ?? []).flatMap(({ Ebs }) => (Ebs?.SnapshotId ? [Ebs] : []));
  return {
    imageId: image.ImageId,
    ownerId: image.OwnerId,
    state: escapeControls(image.State),
    name: image.Name === undefined ? undefined : escapeControls(image.Name),
    snapshotIds: [...new Set(volumes.map(({ SnapshotId }) => SnapshotId as string))].sort(),
    encrypted: volumes.some(({ Encrypted }) => Encrypted === true),
    productCodes: (image.ProductCodes ?? []).flatMap(({ ProductCodeId }) => (ProductCodeId ? escapeControls(ProductCodeId) : [])),
    watermarks: (image.ImageWatermarks ?? []).flatMap(({ WatermarkKey }) => (WatermarkKey ? escapeControls(WatermarkKey) : [])),
    ...escapedFields({
      createdAt: image.CreationDate,
      deprecatedAt: image.DeprecationTime,
      deregistrationProtection: image.DeregistrationProtection,
    }),
  };
}

/** The fields that EC2 returned. */
function escapedFields<Name extends string>(fields: Readonly<Record<Name, string | undefined>>): Partial<Record<Name, string>> {
  const given = Object.entries<string | undefined>(fields).filter((entry): entry is [string, string] => Boolean(entry[1]));
  return Object.fromEntries(given.map(([name, value]) => [name, escapeControls(value)])) as Partial<Record<Name, string>>;
}

function keyOf({ UserId, Group, OrganizationArn, OrganizationalUnitArn }: answers.DescribedGrantee): GranteeKey {
  if (UserId) return userKey(escapeControls(UserId));
  if (OrganizationArn) return granteeKey({ kind: "organization", arn: escapeControls(OrganizationArn) });
  if (OrganizationalUnitArn) return granteeKey({ kind: "organizationalUnit", arn: escapeControls(OrganizationalUnitArn) });
  // The package shows grantees of unknown kinds, but does not change them.
  return Group === "all" ? PUBLIC : granteeKey({ kind: "other", userId: escapeControls(Group || "unknown") });
}

function launchPermission(key: GranteeKey): LaunchPermission {
  const grantee = parseGranteeKey(key);
  switch (grantee.kind) {
    case "account":
      return { UserId: grantee.accountId };
    case "organization":
      return { OrganizationArn: grantee.arn };
    case "organizationalUnit":
      return { OrganizationalUnitArn: grantee.arn };
    case "public":
      return { Group: "all" };
    case "other":
      throw new AmiSharingError("invalid-argument", `${key} cannot be changed`);
  }
}

function accountIdOf(key: GranteeKey): string {
  const grantee = parseGranteeKey(key);
  if (grantee.kind === "account") return grantee.accountId;
  throw new AmiSharingError("invalid-argument", `${key} cannot hold a create-volume permission`);
}
