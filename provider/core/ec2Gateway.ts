/** The gateway over the AWS SDK: the requests' forms, their limits, and each client loaded on first use. */

import type { Image as DescribedImage, EC2Client, LaunchPermission } from "@aws-sdk/client-ec2";
import { type Attempt, userError } from "./awsErrors";
import { batches } from "./batches";
import { type CallWatch, callWatch } from "./callWatch";
import { type Connection, clientConfig, kmsEndpointOf, stsEndpointOf } from "./connection";
import { AmiSharingError } from "./errors";
import type { Gateway, Image, Snapshot, Usage } from "./gateway";
import { type GranteeKey, granteeKey, PUBLIC, parseGranteeKey, userKey } from "./grantee";
import { kmsGateway } from "./kmsGateway";
import { MAX_FILTER_VALUES, MAX_IMAGES_PER_PAGE, MAX_LAUNCH_CHANGES_PER_CALL, MAX_SNAPSHOT_CHANGES_PER_CALL } from "./limits";

type Sdk = typeof import("@aws-sdk/client-ec2");

/** A gateway for a connection. Credentials and region are looked up at the first call. */
export function ec2Gateway(connection: Connection, watch: CallWatch = {}): Gateway {
  let started: Promise<{ sdk: Sdk; client: EC2Client }> | undefined;
  const start = () => {
    started ??= import("@aws-sdk/client-ec2").then(async (sdk) => {
      const client = new sdk.EC2Client(await clientConfig(connection));
      client.middlewareStack.use(callWatch("EC2", watch));
      return { sdk, client };
    });
    return started;
  };

  async function call<Output>(attempt: Attempt, request: (client: EC2Client, sdk: Sdk) => Promise<Output>): Promise<Output> {
    try {
      const { client, sdk } = await start();
      return await request(client, sdk);
    } catch (error) {
      const resolved = started?.then(({ client }) => client.config.region()).catch(() => undefined);
      throw userError(error, { ...attempt, region: connection.region ?? (await resolved), profile: connection.profile });
    }
  }

  /** The configuration of another service's client: region and credentials (a role is assumed once) as for EC2. */
  async function besides(endpoint: string | undefined) {
    const { region, credentials } = (await start()).client.config;
    const { maxAttempts } = await clientConfig(connection);
    return { region, credentials, maxAttempts, ...(endpoint === undefined ? {} : { endpoint }) };
  }

  return {
    region: () => call({ action: "DescribeImages" }, (client) => client.config.region()),

    async callerAccountId() {
      const { STSClient, GetCallerIdentityCommand } = await import("@aws-sdk/client-sts");
      const client = new STSClient(await besides(stsEndpointOf(connection)));
      const identity = await client.send(new GetCallerIdentityCommand({})).catch(() => undefined);
      client.destroy();
      return identity?.Account;
    },

    keys: kmsGateway(() => besides(kmsEndpointOf(connection)), watch),

    usage: {
      async reports(imageId) {
        const { ImageUsageReports = [] } = await call({ action: "DescribeImageUsageReports", imageId }, (client, sdk) =>
          client.send(new sdk.DescribeImageUsageReportsCommand({ ImageIds: [imageId] })),
        );
        return ImageUsageReports.map(({ ReportId = "", State, CreationTime }) => ({
          reportId: ReportId,
          available: State === "available",
          createdAt: CreationTime?.getTime() ?? 0,
        }));
      },
      async create(imageId) {
        // What launches: instances, and the templates that will.
        const ResourceTypes = [{ ResourceType: "ec2:Instance" }, { ResourceType: "ec2:LaunchTemplate" }];
        const { ReportId = "" } = await call({ action: "CreateImageUsageReport", imageId }, (client, sdk) =>
          client.send(new sdk.CreateImageUsageReportCommand({ ImageId: imageId, ResourceTypes })),
        );
        return ReportId;
      },
      entries: (reportId) =>
        call({ action: "DescribeImageUsageReportEntries" }, async (client, sdk) => {
          const found: Usage[] = [];
          for await (const { ImageUsageReportEntries = [] } of sdk.paginateDescribeImageUsageReportEntries(
            { client },
            { ReportIds: [reportId] },
          ))
            for (const { AccountId = "", ResourceType = "", UsageCount = 0 } of ImageUsageReportEntries)
              found.push({ accountId: AccountId, resourceType: ResourceType, count: UsageCount });
          return found;
        }),
      async delete(reportId) {
        await call({ action: "DeleteImageUsageReport" }, (client, sdk) =>
          client.send(new sdk.DeleteImageUsageReportCommand({ ReportId: reportId })),
        );
      },
    },

    async blockPublicAccess() {
      const mayBeDenied = async (asking: Promise<boolean>) =>
        asking.catch((error: AmiSharingError) => {
          if (error.code === "not-authorized") return undefined;
          throw error;
        });
      const images = call({ action: "GetImageBlockPublicAccessState" }, async (client, sdk) => {
        const answer = await client.send(new sdk.GetImageBlockPublicAccessStateCommand({}));
        return answer.ImageBlockPublicAccessState !== "unblocked";
      });
      const snapshots = call({ action: "GetSnapshotBlockPublicAccessState" }, async (client, sdk) => {
        const answer = await client.send(new sdk.GetSnapshotBlockPublicAccessStateCommand({}));
        return answer.State !== "unblocked";
      });
      const [first, second] = await Promise.all([mayBeDenied(images), mayBeDenied(snapshots)]);
      return { images: first, snapshots: second };
    },

    async describeImage(imageId) {
      const attempt = { action: "DescribeImages", imageId };
      const { Images } = await call(attempt, (client, sdk) =>
        client.send(new sdk.DescribeImagesCommand({ ImageIds: [imageId], IncludeDisabled: true })),
      );
      const image = Images?.[0];
      if (!image) throw userError(Object.assign(new Error(), { name: "InvalidAMIID.NotFound" }), attempt);
      return imageOf(image);
    },

    async describeImages(owner) {
      const found: Image[] = [];
      let NextToken: string | undefined;
      do {
        const answer = await call({ action: "DescribeImages" }, (client, sdk) =>
          client.send(
            new sdk.DescribeImagesCommand({
              ...(owner === "self" ? { Owners: ["self"], IncludeDisabled: true } : { ExecutableUsers: ["self"] }),
              MaxResults: MAX_IMAGES_PER_PAGE,
              ...(NextToken ? { NextToken } : {}),
            }),
          ),
        );
        found.push(...(answer.Images ?? []).map(imageOf));
        NextToken = answer.NextToken;
      } while (NextToken);
      // An owner may have named its own account: such an image is not one of another's.
      const caller = owner === "others" && found.length > 0 ? await this.callerAccountId() : undefined;
      return found.filter(({ ownerId }) => ownerId !== caller).sort((a, b) => (a.imageId < b.imageId ? -1 : 1));
    },

    async describeSnapshots(snapshotIds) {
      const found: Snapshot[] = [];
      // By filter, not by id: one id that is gone refuses all that are asked for by id.
      for (const batch of batches(snapshotIds, MAX_FILTER_VALUES)) {
        const { Snapshots = [] } = await call({ action: "DescribeSnapshots", snapshotId: batch.join(", ") }, (client, sdk) =>
          client.send(new sdk.DescribeSnapshotsCommand({ Filters: [{ Name: "snapshot-id", Values: [...batch] }] })),
        );
        for (const { SnapshotId = "", Encrypted = false, KmsKeyId } of Snapshots)
          found.push({ snapshotId: SnapshotId, encrypted: Encrypted, kmsKeyId: KmsKeyId });
      }
      return found.sort((a, b) => (a.snapshotId < b.snapshotId ? -1 : 1));
    },

    async launchPermissions(imageId) {
      const { LaunchPermissions = [] } = await call({ action: "DescribeImageAttribute", imageId }, (client, sdk) =>
        client.send(new sdk.DescribeImageAttributeCommand({ ImageId: imageId, Attribute: "launchPermission" })),
      );
      return new Set(LaunchPermissions.map(keyOf));
    },

    async createVolumePermissions(snapshotId) {
      const { CreateVolumePermissions = [] } = await call({ action: "DescribeSnapshotAttribute", snapshotId }, (client, sdk) =>
        client.send(new sdk.DescribeSnapshotAttributeCommand({ SnapshotId: snapshotId, Attribute: "createVolumePermission" })),
      );
      return new Set(CreateVolumePermissions.map(keyOf));
    },

    async changeLaunchPermissions(imageId, change) {
      const changes = [
        ...change.add.map((key) => ({ operation: "add", key }) as const),
        ...change.remove.map((key) => ({ operation: "remove", key }) as const),
      ];
      for (const batch of batches(changes, MAX_LAUNCH_CHANGES_PER_CALL)) {
        const members = (operation: "add" | "remove") =>
          batch.filter((one) => one.operation === operation).map(({ key }) => launchPermission(key));
        const [Add, Remove] = [members("add"), members("remove")];
        await call({ action: "ModifyImageAttribute", imageId }, (client, sdk) =>
          client.send(
            new sdk.ModifyImageAttributeCommand({
              ImageId: imageId,
              LaunchPermission: { ...(Add.length > 0 ? { Add } : {}), ...(Remove.length > 0 ? { Remove } : {}) },
            }),
          ),
        );
      }
    },

    async changeCreateVolumePermissions(snapshotId, operation, grantees) {
      for (const batch of batches(grantees, MAX_SNAPSHOT_CHANGES_PER_CALL)) {
        const UserIds = batch.filter((key) => key !== PUBLIC).map(accountIdOf);
        await call({ action: "ModifySnapshotAttribute", snapshotId }, (client, sdk) =>
          client.send(
            new sdk.ModifySnapshotAttributeCommand({
              SnapshotId: snapshotId,
              Attribute: "createVolumePermission",
              OperationType: operation,
              ...(UserIds.length > 0 ? { UserIds } : {}),
              ...(batch.includes(PUBLIC) ? { GroupNames: ["all"] } : {}),
            }),
          ),
        );
      }
    },

    async resetLaunchPermissions(imageId) {
      await call({ action: "ResetImageAttribute", imageId }, (client, sdk) =>
        client.send(new sdk.ResetImageAttributeCommand({ ImageId: imageId, Attribute: "launchPermission" })),
      );
    },

    async resetCreateVolumePermissions(snapshotId) {
      await call({ action: "ResetSnapshotAttribute", snapshotId }, (client, sdk) =>
        client.send(new sdk.ResetSnapshotAttributeCommand({ SnapshotId: snapshotId, Attribute: "createVolumePermission" })),
      );
    },
  };
}

function imageOf(image: DescribedImage): Image {
  const volumes = (image.BlockDeviceMappings ?? []).flatMap(({ Ebs }) => (Ebs?.SnapshotId ? [Ebs] : []));
  return {
    imageId: image.ImageId ?? "",
    ownerId: image.OwnerId ?? "",
    state: image.State ?? "",
    name: image.Name,
    snapshotIds: [...new Set(volumes.map(({ SnapshotId }) => SnapshotId as string))].sort(),
    encrypted: volumes.some(({ Encrypted }) => Encrypted === true),
    productCodes: (image.ProductCodes ?? []).flatMap(({ ProductCodeId }) => ProductCodeId ?? []),
    watermarks: (image.ImageWatermarks ?? []).flatMap(({ WatermarkKey }) => WatermarkKey ?? []),
  };
}

function keyOf({ UserId, Group, OrganizationArn, OrganizationalUnitArn }: LaunchPermission): GranteeKey {
  if (UserId) return userKey(UserId);
  if (OrganizationArn) return granteeKey({ kind: "organization", arn: OrganizationArn });
  if (OrganizationalUnitArn) return granteeKey({ kind: "organizationalUnit", arn: OrganizationalUnitArn });
  return Group === "all" ? PUBLIC : granteeKey({ kind: "other", userId: Group ?? "" });
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
