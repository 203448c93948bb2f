/** Who still uses an image before they lose it: EC2's usage reports, in words. */

import type { Gateway, Image, Usage, UsageReport } from "../aws";
import type { PermissionSet } from "../declaration";
import { AmiSharingError, accountKey, filterGrantees, isAccount, isManageable, NO_PERMISSIONS, type Permissions } from "../model";
import { type Change, mayRevoke } from "./diff";
import type { Recorded } from "./recorded";

export interface UsageFindings {
  readonly warnings: readonly string[];
  readonly doubts: readonly string[];
}

/** The same before a set is deleted, as it is for one of another image. */
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

/** How often a preview looks for a report, and the seconds between. EC2 user guide, "View your AMI usage": reports are made in the background. */
const REPORT_WAIT = { attempts: 10, delaySeconds: 1 };
/** A report that is older is asked for anew. EC2 user guide: usage is counted with a delay of up to 24 hours anyway. */
const MAX_REPORT_AGE_MS = 24 * 3_600_000;

/**
 * Warns of accounts that lose the image and still use it.
 *
 * A report that is there already and fresh is taken; one that is made for this is deleted again, unless it is not ready in time: then
 * the next preview finds it.
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
  let found: Awaited<ReturnType<typeof usageReport>>;
  try {
    found = await usageReport(gateway, imageId, delaySeconds);
  } catch (error) {
    // A change that may be made is not held up by a question that may not be asked.
    if (!(error instanceof AmiSharingError) || error.code === "stopped") throw error;
    return doubt(`who still uses AMI ${imageId} cannot be asked: ${error.message}`);
  }
  if (found.state !== "available") {
    const why =
      found.state === "pending"
        ? " yet: EC2 is making its usage report, so preview again in some minutes"
        : `: EC2 could not make its usage report${found.reason ? ` (${found.reason})` : ""}`;
    return doubt(`who still uses AMI ${imageId} is not known${why}`);
  }
  // Of everybody, an organization or a unit, any account may be the one that loses access.
  const isWide = [...change.remove.launch].some((key) => isManageable(key) && !isAccount(key));
  const losing = ({ accountId }: Usage) => {
    const key = accountKey(accountId);
    return change.remove.launch.has(key) || (isWide && !target.launch.has(key));
  };
  const byAccount = new Map<string, string[]>();
  for (const use of found.entries.filter(losing))
    byAccount.set(use.accountId, [...(byAccount.get(use.accountId) ?? []), `${use.count} ${use.resourceType}`]);
  const as = `as of ${new Date(found.createdAt).toISOString().slice(0, 16)}Z; usage shows up to 24 hours late`;
  return {
    warnings: [...byAccount]
      .sort()
      .map(([accountId, uses]) => `${accountKey(accountId)} loses the AMI and still uses it: ${uses.sort().join(", ")} (${as})`),
    doubts: found.doubts,
  };
}

function doubt(words: string): UsageFindings {
  return { warnings: [], doubts: [words] };
}

interface Read {
  readonly state: "available";
  readonly createdAt: number;
  readonly entries: readonly Usage[];
  readonly doubts: readonly string[];
}

interface Unread {
  readonly state: "pending" | "error";
  readonly reason: string | undefined;
}

/** The newest report that is complete: one that somebody made about less would miss accounts. */
async function usageReport(gateway: Gateway, imageId: string, delaySeconds: number): Promise<Read | Unread> {
  const fresh = (await gateway.usage.reports(imageId))
    .filter(({ complete, createdAt }) => complete && createdAt > Date.now() - MAX_REPORT_AGE_MS)
    .sort((a, b) => b.createdAt - a.createdAt);
  const ready = fresh.find(({ state }) => state === "available");
  if (ready) return { ...ready, state: "available", entries: await gateway.usage.entries(ready.reportId), doubts: [] };
  const pending = fresh.find(({ state }) => state === "pending");
  const reportId = pending?.reportId ?? (await gateway.usage.create(imageId));
  const made = await whenDone(gateway, imageId, reportId, delaySeconds);
  if (made === undefined || made.state === "pending") return { state: "pending", reason: undefined };
  if (made.state === "error") {
    if (!pending) await deletion(gateway, imageId, reportId);
    return { state: "error", reason: made.reason };
  }
  const entries = await gateway.usage.entries(reportId);
  return { ...made, state: "available", entries, doubts: pending ? [] : await deletion(gateway, imageId, reportId) };
}

/** What was read is told even where the report cannot be deleted. */
async function deletion(gateway: Gateway, imageId: string, reportId: string): Promise<string[]> {
  try {
    await gateway.usage.delete(reportId);
    return [];
  } catch (error) {
    if (!(error instanceof AmiSharingError) || error.code === "stopped") throw error;
    return [`usage report ${reportId} of AMI ${imageId} was made for this and cannot be deleted: ${error.message}`];
  }
}

async function whenDone(
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
