/** Warnings about accounts that use an image and are about to lose it, made from EC2's image usage reports. */

import type { Gateway, Image, Usage, UsageReport } from "../aws";
import type { PermissionSet } from "../declaration";
import { AmiSharingError, accountKey, filterGrantees, isAccount, isManageable, NO_PERMISSIONS, type Permissions } from "../model";
import { type Change, mayRevoke } from "./diff";
import type { Recorded } from "./recorded";

export interface UsageFindings {
  readonly warnings: readonly string[];
  readonly doubts: readonly string[];
}

/** The findings before a set is deleted. */
export async function usageBeforeDeletion(
  gateway: Gateway,
  { imageId, onDelete, neverRevoke }: PermissionSet,
  { granted }: Pick<Recorded, "granted">,
): Promise<UsageFindings> {
  if (onDelete === "retain") return NO_FINDINGS;
  const remove = filterGrantees(granted, (key) => mayRevoke(key, neverRevoke));
  return usageOf(gateway, { imageId }, { add: NO_PERMISSIONS, remove }, NO_PERMISSIONS);
}

export const NO_FINDINGS: UsageFindings = { warnings: [], doubts: [] };

/** How often a preview reads a pending report. EC2 user guide, "View your AMI usage": EC2 creates reports in the background. */
const REPORT_WAIT = { attempts: 10, delaySeconds: 1 };
/** A new report is created if the last one is older. EC2 user guide: a report shows usage up to 24 hours late. */
const MAX_REPORT_AGE_MS = 24 * 3_600_000;

/**
 * Warns about accounts that use the image and lose it.
 *
 * A recent report is used if there is one. Otherwise a report is created, read and deleted. If it is not ready in time, it is not deleted,
 * and the next preview reads it.
 */
export async function usageOf(
  gateway: Gateway,
  { imageId }: Pick<Image, "imageId">,
  change: Change,
  target: Permissions,
  delaySeconds = REPORT_WAIT.delaySeconds,
): Promise<UsageFindings> {
  const mayLose = [...change.remove.launch].some(isManageable);
  if (!mayLose) return NO_FINDINGS;
  let found: Awaited<ReturnType<typeof usageOfImage>>;
  try {
    found = await usageOfImage(gateway, imageId, delaySeconds);
  } catch (error) {
    // Permissions for usage reports are not needed for the change, so their lack does not stop it.
    if (!(error instanceof AmiSharingError) || error.code === "stopped") throw error;
    return doubt(`who still uses AMI ${imageId} is not known: ${error.message}`);
  }
  if (found.state !== "available") {
    const why =
      found.state === "pending"
        ? " yet: EC2 is making its usage report, so preview again in some minutes"
        : `: EC2 could not make its usage report${found.reason ? ` (${found.reason})` : ""}`;
    return doubt(`who still uses AMI ${imageId} is not known${why}`);
  }
  // If `public`, an organization or an organizational unit is removed, any account may lose access.
  const isWide = [...change.remove.launch].some((key) => isManageable(key) && !isAccount(key));
  const losing = ({ accountId }: Usage) => {
    const key = accountKey(accountId);
    return change.remove.launch.has(key) || (isWide && !target.launch.has(key));
  };
  const byAccount = new Map<string, string[]>();
  for (const use of found.entries.filter(losing))
    byAccount.set(use.accountId, [...(byAccount.get(use.accountId) ?? []), `${use.count} ${use.resourceType}`]);
  const asOf = `as of ${new Date(found.createdAt).toISOString().slice(0, 16)}Z; usage shows up to 24 hours late`;
  return {
    warnings: [...byAccount]
      .sort()
      .map(
        ([accountId, uses]) => `${accountKey(accountId)} loses the AMI and still uses it: ${uses.sort().join(", ")} (${asOf})`,
      ),
    doubts: found.doubts,
  };
}

function doubt(words: string): UsageFindings {
  return { warnings: [], doubts: [words] };
}

interface AvailableReport {
  readonly state: "available";
  readonly createdAt: number;
  readonly entries: readonly Usage[];
  readonly doubts: readonly string[];
}

interface UnavailableReport {
  readonly state: "pending" | "error";
  readonly reason: string | undefined;
}

/**
 * Who uses an image, by its newest complete report: somebody may have created a report on fewer accounts or resource types, which could miss
 * accounts. Without a recent one, a report is created, read and deleted.
 */
export async function usageOfImage(
  gateway: Gateway,
  imageId: string,
  delaySeconds = REPORT_WAIT.delaySeconds,
): Promise<AvailableReport | UnavailableReport> {
  const fresh = (await gateway.usage.reports(imageId))
    .filter(({ complete, createdAt }) => complete && createdAt > Date.now() - MAX_REPORT_AGE_MS)
    .sort((a, b) => b.createdAt - a.createdAt);
  const ready = fresh.find(({ state }) => state === "available");
  if (ready) return { ...ready, state: "available", entries: await gateway.usage.entries(ready.reportId), doubts: [] };
  const pending = fresh.find(({ state }) => state === "pending");
  const reportId = pending?.reportId ?? (await gateway.usage.create(imageId));
  const made = await waitForReport(gateway, imageId, reportId, delaySeconds);
  if (made === undefined || made.state === "pending") return { state: "pending", reason: undefined };
  if (made.state === "error") {
    if (!pending) await deleteReport(gateway, imageId, reportId);
    return { state: "error", reason: made.reason };
  }
  const entries = await gateway.usage.entries(reportId);
  return { ...made, state: "available", entries, doubts: pending ? [] : await deleteReport(gateway, imageId, reportId) };
}

/** Deletes a report. If this fails, it returns a message and throws nothing, because the report has been read. */
async function deleteReport(gateway: Gateway, imageId: string, reportId: string): Promise<string[]> {
  try {
    await gateway.usage.delete(reportId);
    return [];
  } catch (error) {
    if (!(error instanceof AmiSharingError) || error.code === "stopped") throw error;
    return [`usage report ${reportId} of AMI ${imageId} was created for this check and cannot be deleted: ${error.message}`];
  }
}

/** Reads a report until it is no longer pending. Undefined or pending: it is not ready in time. */
async function waitForReport(
  gateway: Gateway,
  imageId: string,
  reportId: string,
  delaySeconds: number,
): Promise<UsageReport | undefined> {
  for (let attempt = 1; attempt <= REPORT_WAIT.attempts; attempt++) {
    const report = (await gateway.usage.reports(imageId)).find((one) => one.reportId === reportId);
    if (report && report.state !== "pending") return report;
    if (attempt < REPORT_WAIT.attempts) await new Promise((resolve) => setTimeout(resolve, delaySeconds * 1000));
  }
  return undefined;
}
