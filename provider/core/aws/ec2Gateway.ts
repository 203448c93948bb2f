/** The gateway that uses the AWS SDK. It builds the requests, keeps to their limits, and loads each client on first use. */

import { randomUUID } from "node:crypto";
import type { EC2Client, LaunchPermission } from "@aws-sdk/client-ec2";
import type * as v from "valibot";
import {
  AmiSharingError,
  batches,
  escapeControls,
  type GranteeKey,
  granteeKey,
  MAX_FILTER_VALUES,
  MAX_IMAGES_PER_PAGE,
  MAX_LAUNCH_CHANGES_PER_CALL,
  MAX_SNAPSHOT_CHANGES_PER_CALL,
  PUBLIC,
  parseGranteeKey,
  USAGE_RESOURCE_TYPES,
  USAGE_VERSION_DEPTH,
  userKey,
} from "../model";
import * as answers from "./answers";
import { ask, askTwice, type CallOptions, PAUSES } from "./asking";
import { type Attempt, imageNotShown, userError } from "./awsErrors";
import { type CallWatch, callWatch } from "./callWatch";
import { type Connection, clientConfig, kmsEndpointOf, maxAttemptsOf, stsEndpointOf, timeoutsOf } from "./connection";
import type { Gateway, Image, PublicAccessBlock, Snapshot, Usage, UsageReport } from "./gateway";
import { kmsGateway } from "./kmsGateway";

type Sdk = typeof import("@aws-sdk/client-ec2");
type Options = { readonly abortSignal?: AbortSignal };
type Send = (client: EC2Client, sdk: Sdk, options: Options) => Promise<object>;

/** A gateway for a connection. Credentials and region are looked up at the first call. */
export function ec2Gateway(connection: Connection, watch: CallWatch = {}, pauses = PAUSES): Gateway {
  const callOptions: CallOptions = { watch, pauses, maxAttempts: maxAttemptsOf(connection) };
  let started: Promise<{ sdk: Sdk; client: EC2Client }> | undefined;
  const start = () => {
    started ??= import("@aws-sdk/client-ec2").then(async (sdk) => {
      const client = new sdk.EC2Client(await clientConfig(connection, watch));
      client.middlewareStack.use(callWatch("EC2", watch, timeoutsOf(connection)));
      return { sdk, client };
    });
    return started;
  };

  async function withUserError<Value>(attempt: Attempt, run: () => Promise<Value>): Promise<Value> {
    try {
      return await run();
    } catch (error) {
      const resolved = started?.then(({ client }) => client.config.region()).catch(() => undefined);
      throw userError(error, { ...attempt, region: connection.region ?? (await resolved), profile: connection.profile });
    }
  }

  function call<Schema extends v.GenericSchema>(attempt: Attempt, send: Send, schema: Schema): Promise<v.InferOutput<Schema>> {
    return withUserError(attempt, async () => {
      const { client, sdk } = await start();
      return ask(callOptions, attempt, (options) => send(client, sdk, options), schema);
    });
  }

  /** All pages of an answer. */
  async function pages<Page extends { readonly NextToken?: string | undefined }>(
    attempt: Attempt,
    send: (client: EC2Client, sdk: Sdk, options: Options, token: { readonly NextToken?: string }) => Promise<object>,
    schema: v.GenericSchema<unknown, Page>,
  ): Promise<Page[]> {
    const found: Page[] = [];
    let token: { readonly NextToken?: string } = {};
    for (;;) {
      const now = token;
      const page = await call(attempt, (client, sdk, options) => send(client, sdk, options, now), answers.pageAfter(schema, now));
      found.push(page);
      if (!page.NextToken) return found;
      token = { NextToken: page.NextToken };
    }
  }

  /** The configuration for a client of STS or KMS. It reuses the region and credentials of EC2, so that a role is assumed only once. */
  async function otherClientConfig(endpoint: string | undefined) {
    const { region, credentials } = (await start()).client.config;
    const { maxAttempts, requestHandler } = await clientConfig(connection, watch);
    return { region, credentials, maxAttempts, requestHandler, ...(endpoint === undefined ? {} : { endpoint }) };
  }

  return {
    region: () => withUserError({ action: "DescribeImages" }, async () => (await start()).client.config.region()),

    async callerAccountId() {
      const attempt: Attempt = { action: "GetCallerIdentity", service: "sts" };
      const { STSClient, GetCallerIdentityCommand } = await import("@aws-sdk/client-sts");
      try {
        const client = new STSClient(await otherClientConfig(stsEndpointOf(connection)));
        client.middlewareStack.use(callWatch("STS", { signal: watch.signal }, timeoutsOf(connection)));
        const send = (options: Options) => client.send(new GetCallerIdentityCommand({}), options);
        const { Account } = await ask(callOptions, attempt, send, answers.callerIdentity).finally(() => client.destroy());
        return Account;
      } catch (error) {
        if (error instanceof AmiSharingError && error.code === "stopped") throw error;
        return undefined;
      }
    },

    keys: kmsGateway(
      () => otherClientConfig(kmsEndpointOf(connection)),
      callOptions,
      () => timeoutsOf(connection),
    ),

    usage: {
      async reports(imageId) {
        const attempt = { action: "DescribeImageUsageReports", imageId };
        const found = await pages(
          attempt,
          (client, sdk, options, token) =>
            client.send(new sdk.DescribeImageUsageReportsCommand({ ImageIds: [imageId], ...token }), options),
          answers.usageReportsOf(imageId),
        );
        return found.flatMap(({ ImageUsageReports }) => ImageUsageReports).map(usageReportOf);
      },
      async create(imageId) {
        const ResourceTypes = USAGE_RESOURCE_TYPES.map((ResourceType) => ({ ResourceType }));
        // All attempts use the same token: if an answer is lost, EC2 does not create a second report.
        const ClientToken = randomUUID();
        const { ReportId } = await call(
          { action: "CreateImageUsageReport", imageId },
          (client, sdk, options) =>
            client.send(new sdk.CreateImageUsageReportCommand({ ImageId: imageId, ResourceTypes, ClientToken }), options),
          answers.madeUsageReport,
        );
        return ReportId;
      },
      async entries(reportId) {
        const attempt = { action: "DescribeImageUsageReportEntries", reportId };
        const found = await pages(
          attempt,
          (client, sdk, options, token) =>
            client.send(new sdk.DescribeImageUsageReportEntriesCommand({ ReportIds: [reportId], ...token }), options),
          answers.usageEntriesOf(reportId),
        );
        return found
          .flatMap(({ ImageUsageReportEntries }) => ImageUsageReportEntries)
          .map(({ AccountId, ResourceType, UsageCount }): Usage => {
            return { accountId: AccountId, resourceType: escapeControls(ResourceType), count: UsageCount };
          });
      },
      async delete(reportId) {
        await call(
          { action: "DeleteImageUsageReport", reportId },
          (client, sdk, options) => client.send(new sdk.DeleteImageUsageReportCommand({ ReportId: reportId }), options),
          answers.done,
        );
      },
    },

    async blockPublicAccess() {
      const mayBeDenied = async (question: Promise<PublicAccessBlock>) =>
        question.catch((error: AmiSharingError) => {
          if (error.code === "not-authorized") return undefined;
          throw error;
        });
      const block = (state: string, managedBy: string | undefined): PublicAccessBlock => ({
        blocked: state !== "unblocked",
        byPolicy: managedBy === "declarative-policy",
      });
      const images = call(
        { action: "GetImageBlockPublicAccessState" },
        (client, sdk, options) => client.send(new sdk.GetImageBlockPublicAccessStateCommand({}), options),
        answers.imageBlock,
      ).then(({ ImageBlockPublicAccessState, ManagedBy }) => block(ImageBlockPublicAccessState, ManagedBy));
      const snapshots = call(
        { action: "GetSnapshotBlockPublicAccessState" },
        (client, sdk, options) => client.send(new sdk.GetSnapshotBlockPublicAccessStateCommand({}), options),
        answers.snapshotBlock,
      ).then(({ State, ManagedBy }) => block(State, ManagedBy));
      const [first, second] = await Promise.all([mayBeDenied(images), mayBeDenied(snapshots)]);
      return { images: first, snapshots: second };
    },

    async describeImage(imageId) {
      const attempt = { action: "DescribeImages", imageId };
      const describe = () =>
        call(
          attempt,
          (client, sdk, options) =>
            client.send(new sdk.DescribeImagesCommand({ ImageIds: [imageId], IncludeDisabled: true }), options),
          answers.imageById(imageId),
        );
      const answer = await askTwice(callOptions, ({ Images }) => Images.length > 0, describe);
      const [image] = answer.Images;
      if (image) return imageOf(image);
      throw imageNotShown(answer, { ...attempt, region: await this.region() });
    },

    async describeImages(owner) {
      const found = await pages(
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
      // An owner can share an AMI with its own account. Such an AMI is not one of another account.
      const caller = owner === "others" && images.length > 0 ? await this.callerAccountId() : undefined;
      return images.filter(({ ownerId }) => ownerId !== caller).sort((a, b) => (a.imageId < b.imageId ? -1 : 1));
    },

    async describeSnapshots(snapshotIds) {
      const found: Snapshot[] = [];
      // With a filter, not by id: if one of the ids does not exist, EC2 refuses a request by id as a whole.
      for (const batch of batches([...new Set(snapshotIds)], MAX_FILTER_VALUES)) {
        const describe = () =>
          call(
            { action: "DescribeSnapshots", snapshotId: batch.join(", ") },
            (client, sdk, options) =>
              client.send(new sdk.DescribeSnapshotsCommand({ Filters: [{ Name: "snapshot-id", Values: [...batch] }] }), options),
            answers.snapshotsById(batch),
          );
        const { Snapshots } = await askTwice(callOptions, ({ Snapshots }) => Snapshots.length >= batch.length, describe);
        for (const { SnapshotId, Encrypted, KmsKeyId } of Snapshots)
          found.push({ snapshotId: SnapshotId, encrypted: Encrypted, kmsKeyId: KmsKeyId });
      }
      return found.sort((a, b) => (a.snapshotId < b.snapshotId ? -1 : 1));
    },

    async launchPermissions(imageId) {
      const { LaunchPermissions } = await call(
        { action: "DescribeImageAttribute", imageId },
        (client, sdk, options) =>
          client.send(new sdk.DescribeImageAttributeCommand({ ImageId: imageId, Attribute: "launchPermission" }), options),
        answers.launchPermissionsOf(imageId),
      );
      return new Set(LaunchPermissions.map(keyOf));
    },

    async createVolumePermissions(snapshotId) {
      const { CreateVolumePermissions } = await call(
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

    async changeLaunchPermissions(imageId, change) {
      const changes = [
        ...change.add.map((key) => ({ operation: "add", key }) as const),
        ...change.remove.map((key) => ({ operation: "remove", key }) as const),
      ];
      for (const batch of batches(changes, MAX_LAUNCH_CHANGES_PER_CALL)) {
        const members = (operation: "add" | "remove") =>
          batch.filter((one) => one.operation === operation).map(({ key }) => launchPermission(key));
        const [Add, Remove] = [members("add"), members("remove")];
        await call(
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
        await call(
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
      await call(
        { action: "ResetImageAttribute", imageId },
        (client, sdk, options) =>
          client.send(new sdk.ResetImageAttributeCommand({ ImageId: imageId, Attribute: "launchPermission" }), options),
        answers.done,
      );
    },

    async resetCreateVolumePermissions(snapshotId) {
      await call(
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
  };
}

function usageReportOf(
  report: v.InferOutput<ReturnType<typeof answers.usageReportsOf>>["ImageUsageReports"][number],
): UsageReport {
  const { ReportId, State, StateReason, CreationTime, AccountIds, ResourceTypes } = report;
  const depth = (type: (typeof ResourceTypes)[number]) =>
    type.ResourceTypeOptions.filter(({ OptionName }) => OptionName === "version-depth").flatMap(
      ({ OptionValues = [] }) => OptionValues,
    );
  return {
    reportId: ReportId,
    state: State === "available" || State === "error" ? State : "pending",
    reason: StateReason === undefined ? undefined : escapeControls(StateReason),
    createdAt: CreationTime.getTime(),
    complete:
      AccountIds.length === 0 &&
      USAGE_RESOURCE_TYPES.every((name) => ResourceTypes.some(({ ResourceType }) => ResourceType === name)) &&
      ResourceTypes.flatMap(depth).every((value) => Number(value) >= USAGE_VERSION_DEPTH),
  };
}

function keyOf({ UserId, Group, OrganizationArn, OrganizationalUnitArn }: answers.DescribedGrantee): GranteeKey {
  if (UserId) return userKey(escapeControls(UserId));
  if (OrganizationArn) return granteeKey({ kind: "organization", arn: escapeControls(OrganizationArn) });
  if (OrganizationalUnitArn) return granteeKey({ kind: "organizationalUnit", arn: escapeControls(OrganizationalUnitArn) });
  // A grantee of an unknown kind is shown, and never changed.
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
