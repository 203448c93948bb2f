/** Reads every AMI of the caller in some regions, and makes the report. */

import {
  type AmiPermissions,
  AmiSharingError,
  accountKey,
  batches,
  eachOwnAmi,
  type Gateway,
  type Image,
  type OwnAmi,
  policyOf,
  usageOfImage,
} from "../../core";
import { Failure } from "../failure";
import type { GranteeBook } from "../granteeBook";
import { reportOn } from "../report/build";
import { liveAmi } from "../report/live";
import type { Details, Report, ReportedAmi, ReportedGrant } from "../report/model";
import type { Progress } from "../terminal";

export interface AuditSettings {
  /** Only AMIs that this account may launch. */
  readonly account: string | undefined;
  /** Whether to ask EC2 who uses each shared AMI. */
  readonly usage: boolean;
  readonly book: GranteeBook;
  readonly progress: Progress;
  readonly tool: string;
}

export interface Audit {
  readonly report: Report;
  /** What could not be read, a line each. */
  readonly failures: readonly string[];
}

type GatewayFor = (region: string | undefined) => Gateway;

/** Regions that are read at the same time: each region has its own request limits. */
const CONCURRENT_REGIONS = 4;
/** Usage reports that are waited for at the same time. */
const CONCURRENT_REPORTS = 8;

/** @param asked `["all"]`: the regions that are enabled for the account; undefined: the region of the environment */
export async function regionsFor(asked: readonly string[] | undefined, gatewayFor: GatewayFor): Promise<readonly string[]> {
  if (asked === undefined) return [await gatewayFor(undefined).region()];
  if (asked.includes("all")) {
    if (asked.length > 1) throw new Failure("--regions: give all, or the names of regions");
    // Any region tells of all. Without a region of its own, the call goes to the one that every partition has by default.
    const own = await gatewayFor(undefined)
      .region()
      .catch(() => "us-east-1");
    return gatewayFor(own).regions();
  }
  return [...new Set(asked)];
}

export async function auditOf(regions: readonly string[], gatewayFor: GatewayFor, settings: AuditSettings): Promise<Audit> {
  const found: RegionAudit[] = [];
  const counts = { read: 0, total: 0 };
  for (const group of batches(regions, CONCURRENT_REGIONS))
    found.push(...(await Promise.all(group.map((region) => auditRegion(region, gatewayFor(region), settings, counts)))));
  const failures = found.flatMap((one) => one.failures);
  // Nothing at all could be read: an empty report would look as if there were no AMI.
  if (failures.length > 0 && found.every(({ complete }) => !complete)) throw new Failure(failures.join("\n"));
  const report = reportOn(
    found.flatMap(({ amis }) => amis),
    {
      kind: "audit",
      tool: settings.tool,
      readAt: new Date().toISOString(),
      warnings: failures,
      notes: [
        `regions: ${regions.join(", ")}`,
        ...(settings.account === undefined ? [] : [accountNote(settings.account)]),
        ...found.flatMap(({ notes }) => notes),
      ],
    },
  );
  return { report, failures };
}

function accountNote(account: string): string {
  return `only AMIs of this account that account/${account} may launch: by its own permission, because they are public, or by an organization or unit that it may be a member of`;
}

interface RegionAudit {
  readonly amis: readonly ReportedAmi[];
  readonly failures: readonly string[];
  readonly notes: readonly string[];
  /** Whether the AMIs of the region could be listed. */
  readonly complete: boolean;
}

async function auditRegion(
  region: string,
  gateway: Gateway,
  { account, usage, book, progress }: AuditSettings,
  counts: { read: number; total: number },
): Promise<RegionAudit> {
  const amis: ReportedAmi[] = [];
  const failures: string[] = [];
  try {
    const blocks = await gateway.blockPublicAccess().catch(() => undefined);
    for await (const one of eachOwnAmi(gateway, (total) => {
      counts.total += total;
    })) {
      counts.read += 1;
      progress.at("AMIs read", counts.read, counts.total);
      if ("error" in one) {
        // The same error for each AMI of the region would bury what was read.
        if (policyOf(one.error)?.affectsEveryAmi) throw one.error;
        failures.push(`${one.imageId} in ${region} cannot be read: ${one.error.message}`);
      } else amis.push(...toldTo(account, auditedAmi(one, book)));
    }
    const used = usage ? await withUsage(amis, gateway, book, progress) : amis;
    return { amis: used, failures, notes: blockNotes(region, blocks), complete: true };
  } catch (error) {
    if (!(error instanceof AmiSharingError)) throw error;
    return { amis, failures: [...failures, `${region} cannot be read: ${error.message}`], notes: [], complete: false };
  }
}

/** An AMI with what `DescribeImages` says of it. */
function auditedAmi({ permissions, image }: Extract<OwnAmi, { permissions: AmiPermissions }>, book: GranteeBook): ReportedAmi {
  const ami = liveAmi(permissions, book);
  return { ...ami, details: { ...(ami.details as Details), ...detailsOf(image) } };
}

function detailsOf({ state, createdAt, deprecatedAt, deregistrationProtection, watermarks }: Image): Partial<Details> {
  return {
    state,
    ...(createdAt === undefined ? {} : { createdAt }),
    ...(deprecatedAt === undefined ? {} : { deprecatedAt }),
    ...(deregistrationProtection === undefined ? {} : { deregistrationProtection }),
    watermarks: [...watermarks],
  };
}

/** The AMI with the grants by which an account may launch it. No AMI: it may not. */
function toldTo(account: string | undefined, ami: ReportedAmi): ReportedAmi[] {
  if (account === undefined) return [ami];
  const grants = ami.grants.flatMap((grant): ReportedGrant[] => {
    if (!grant.after.launch) return [];
    if (grant.kind === "public" || grant.grantee === accountKey(account)) return [grant];
    const isGroup = grant.kind === "organization" || grant.kind === "organizationalUnit";
    return isGroup ? [{ ...grant, why: `if account/${account} is a member` }] : [];
  });
  if (grants.length === 0) return [];
  const notes = ami.details?.encrypted ? ["a snapshot is encrypted: launching also needs access to its key"] : [];
  return [{ ...ami, grants, notes: [...ami.notes, ...notes] }];
}

/** Adds who uses the AMIs that are shared. */
async function withUsage(
  amis: readonly ReportedAmi[],
  gateway: Gateway,
  book: GranteeBook,
  progress: Progress,
): Promise<ReportedAmi[]> {
  const shared = amis.filter(({ grants }) => grants.length > 0);
  const uses = new Map<string, Pick<ReportedAmi, "notes"> & { usage?: Details["usage"] }>();
  for (const group of batches(shared, CONCURRENT_REPORTS)) {
    await Promise.all(group.map(async ({ label }) => uses.set(label, await usageOf(gateway, label, book))));
    progress.at("usage reports read", uses.size, shared.length);
  }
  return amis.map((ami) => {
    const { usage, notes } = uses.get(ami.label) ?? { notes: [] };
    const details = { ...(ami.details as Details), ...(usage ? { usage } : {}) };
    return { ...ami, details, notes: [...ami.notes, ...notes] };
  });
}

async function usageOf(
  gateway: Gateway,
  imageId: string,
  book: GranteeBook,
): Promise<Pick<ReportedAmi, "notes"> & { usage?: Details["usage"] }> {
  try {
    const found = await usageOfImage(gateway, imageId);
    if (found.state !== "available") {
      const failed = `EC2 could not make the usage report${found.reason ? `: ${found.reason}` : ""}`;
      return { notes: [found.state === "error" ? failed : "EC2 is still making the usage report: repeat in some minutes"] };
    }
    const usage = found.entries.map(({ accountId, resourceType, count }) => {
      const name = book.nameOf(accountKey(accountId));
      return { accountId, ...(name === undefined ? {} : { name }), resourceType, count };
    });
    return { usage, notes: [`used as of ${new Date(found.createdAt).toISOString().slice(0, 16)}Z`, ...found.doubts] };
  } catch (error) {
    if (!(error instanceof AmiSharingError)) throw error;
    return { notes: [`who uses it is not known: ${error.message}`] };
  }
}

function blockNotes(region: string, blocks: Awaited<ReturnType<Gateway["blockPublicAccess"]>> | undefined): string[] {
  if (!blocks) return [];
  const told = [
    ["AMIs", blocks.images],
    ["snapshots", blocks.snapshots],
  ] as const;
  return told.flatMap(([what, block]) => (block && !block.blocked ? [`${region}: block public access is off for ${what}`] : []));
}
