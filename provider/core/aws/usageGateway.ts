/** The gateway to EC2's image usage reports, which tell who uses an image. */

import { randomUUID } from "node:crypto";
import type * as v from "valibot";
import { escapeControls, USAGE_RESOURCE_TYPES, USAGE_VERSION_DEPTH } from "../model";
import * as answers from "./answers";
import type { Ec2Session } from "./ec2Session";
import type { Usage, UsageGateway, UsageReport } from "./gateway";

export function usageGateway(session: Ec2Session): UsageGateway {
  return {
    async reports(imageId) {
      const attempt = { action: "DescribeImageUsageReports", imageId };
      const found = await session.pages(
        attempt,
        (client, sdk, options, token) =>
          client.send(new sdk.DescribeImageUsageReportsCommand({ ImageIds: [imageId], ...token }), options),
        answers.usageReportsOf(imageId),
      );
      return found.flatMap(({ ImageUsageReports }) => ImageUsageReports).map(usageReportOf);
    },
    async create(imageId) {
      const ResourceTypes = USAGE_RESOURCE_TYPES.map((ResourceType) => ({ ResourceType }));
      // Each retry sends the same token, so that EC2 does not create a second report if its first answer was lost.
      const ClientToken = randomUUID();
      const { ReportId } = await session.call(
        { action: "CreateImageUsageReport", imageId },
        (client, sdk, options) =>
          client.send(new sdk.CreateImageUsageReportCommand({ ImageId: imageId, ResourceTypes, ClientToken }), options),
        answers.madeUsageReport,
      );
      return ReportId;
    },
    async entries(reportId) {
      const attempt = { action: "DescribeImageUsageReportEntries", reportId };
      const found = await session.pages(
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
      await session.call(
        { action: "DeleteImageUsageReport", reportId },
        (client, sdk, options) => client.send(new sdk.DeleteImageUsageReportCommand({ ReportId: reportId }), options),
        answers.done,
      );
    },
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
