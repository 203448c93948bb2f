/** The command `check`: compares declared sets with EC2. */

import {
  type AmiPermissions,
  AmiSharingError,
  type Connection,
  describePermissions,
  ec2Gateway,
  filterGrantees,
  filterSnapshots,
  type Gateway,
  inGroups,
  isManageable,
  managedSnapshots,
  minus,
  NO_PERMISSIONS,
  type Permissions,
  targetPermissions,
  union,
} from "../../core";
import type { ConnectionOptions } from "../connectionOptions";
import { named, readBytes } from "../files";
import { type BookOptions, type GranteeBook, granteeBook } from "../granteeBook";
import { amiOfChanges, countOf, reportOn } from "../report/build";
import { type ChangedImage, countsOf, PLAIN, permissionsOf, type SetChange } from "../report/changes";
import { type FormOptions, writeForms } from "../report/command";
import type { Report, ReportedAmi } from "../report/model";
import { progressOn, type Terminal } from "../terminal";
import { declaredSetsIn, type FileSet } from "./declaredSets";

export interface CheckOptions extends FormOptions, BookOptions, ConnectionOptions {}

/** @returns whether EC2 has what the file declares */
export async function runCheck(file: string, options: CheckOptions, tool: string, terminal: Terminal): Promise<boolean> {
  const { html, markdown, json, names, allowed, ...connection } = options;
  const sets = named(file, () => declaredSetsIn(readBytes(file, "a file of sets")));
  const book = await granteeBook({ names, allowed }, connection, terminal);
  const progress = progressOn(terminal);
  try {
    const report = await checkOf(sets, connection, {
      tool,
      book,
      at: (done, total) => progress.at("AMIs read", done, total),
    });
    progress.end();
    writeForms(report, { html, markdown, json }, terminal);
    return report.amis.every(isAsDeclared);
  } finally {
    progress.end();
  }
}

/** Whether EC2 has what the sets of an AMI declare. */
export function isAsDeclared(ami: ReportedAmi): boolean {
  return countOf(ami, "gains") + countOf(ami, "loses") + ami.errors.length === 0;
}

interface CheckSettings {
  readonly tool: string;
  readonly book: GranteeBook;
  readonly at: (done: number, total: number) => void;
}

/** Compares sets with EC2. In the report, `gains` is what is declared and not in EC2, and `loses` what is in EC2 and not declared. */
export async function checkOf(
  sets: readonly FileSet[],
  options: ConnectionOptions,
  { tool, book, at }: CheckSettings,
): Promise<Report> {
  const gateways = new Map<string, Gateway>();
  const gatewayOf = ({ declared }: FileSet) => {
    const connection = connectionOf(declared, options);
    const key = JSON.stringify(connection);
    const gateway = gateways.get(key) ?? ec2Gateway(connection);
    gateways.set(key, gateway);
    return gateway;
  };
  const byAmi = new Map<string, FileSet[]>();
  for (const set of sets) {
    const key = JSON.stringify([connectionOf(set.declared, options), set.set.imageId]);
    byAmi.set(key, [...(byAmi.get(key) ?? []), set]);
  }
  let done = 0;
  const amis = await inGroups([...byAmi.values()], async (group): Promise<ReportedAmi> => {
    const [first] = group as [FileSet, ...FileSet[]];
    const changes = await changesOf(group, gatewayOf(first));
    done += 1;
    at(done, byAmi.size);
    return { ...amiOfChanges(changes, book), broadens: [] };
  });
  return reportOn(amis, { kind: "check", tool, readAt: new Date().toISOString() });
}

/** The connection that a set has itself. What the command line has wins. */
function connectionOf({ region, profile, endpoint, assumeRole }: FileSet["declared"], options: ConnectionOptions): Connection {
  const own = { region, profile, endpoint, ...(assumeRole ? { assumeRoles: [assumeRole] } : {}) } as Connection;
  const given = Object.entries({ ...own, ...options, region: own.region ?? options.region });
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

/** What an apply of the sets of one AMI would change. */
async function changesOf(group: readonly FileSet[], gateway: Gateway): Promise<SetChange[]> {
  const [{ set: one }] = group as [FileSet, ...FileSet[]];
  const region = await gateway.region();
  const named = group.map(({ name, set: { mode } }): SetChange["set"] => ({
    name: shortName(name),
    address: name,
    action: "same",
    mode,
  }));
  const isHidden = group.some((file) => file.isHidden);
  const image: ChangedImage = { imageId: one.imageId, region, label: one.imageId };
  const others = named.map((set) => ({ ...PLAIN, image, set }));
  let ami: AmiPermissions;
  try {
    ami = await describePermissions(gateway, one.imageId);
  } catch (error) {
    if (!(error instanceof AmiSharingError) || error.code !== "image-not-found") throw error;
    return others.map((change) => ({ ...change, errors: [error.message] }));
  }
  const snapshotIds = ami.snapshots.map(({ snapshotId }) => snapshotId);
  const known: ChangedImage = { ...image, ownerId: ami.ownerId, snapshotIds };
  const live = permissionsOf(ami.grants, known);
  const wanted = group.map(({ set }) => targetPermissions(set, { ownerId: ami.ownerId, snapshotIds })).reduce(union);
  const after = union(wanted, keptIn(live, group, snapshotIds));
  const result = isHidden ? { hidden: countsOf(live, after) } : { before: live, after };
  return others.map((change, i) => ({ ...change, image: known, ...(i === 0 ? result : {}) }));
}

/** What the sets of an AMI leave as it is. */
function keptIn(live: Permissions, group: readonly FileSet[], snapshotIds: readonly string[]): Permissions {
  const authoritative = group.filter(({ set }) => set.mode === "authoritative");
  if (authoritative.length === 0) return live;
  const managed = new Set(authoritative.flatMap(({ set }) => managedSnapshots(set, { snapshotIds })));
  const never = new Set(authoritative.flatMap(({ set }) => [...set.neverRevoke]));
  const unmanaged = filterSnapshots({ ...live, launch: NO_PERMISSIONS.launch }, (id) => !managed.has(id));
  return union(
    unmanaged,
    filterGrantees(minus(live, unmanaged), (key) => never.has(key) || !isManageable(key)),
  );
}

function shortName(name: string): string {
  return name.slice(name.lastIndexOf("::") + (name.includes("::") ? 2 : 1));
}
