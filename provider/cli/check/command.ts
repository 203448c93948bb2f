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
  throwConflictingSets,
  union,
} from "../../core";
import { type ConnectionOptions, connectionIn } from "../connectionOptions";
import { named, readBytes } from "../files";
import { type BookOptions, type GranteeBook, granteeBook } from "../granteeBook";
import { amiOfChanges, countOf, reportOn } from "../report/build";
import { type ChangedImage, countsOf, PLAIN, permissionsOf, type SetChange } from "../report/changes";
import { type FormOptions, writeForms } from "../report/command";
import type { Report, ReportedAmi } from "../report/model";
import { progressOn, type Terminal, tellErrors } from "../terminal";
import { declaredSetsIn, type FileSet } from "./declaredSets";

export interface CheckOptions extends FormOptions, BookOptions, ConnectionOptions {}

/** @returns 0: EC2 has what the file declares; 1: it differs; 2: some AMIs could not be read */
export async function runCheck(file: string, options: CheckOptions, tool: string, terminal: Terminal): Promise<0 | 1 | 2> {
  const { html, markdown, json, names, allowed } = options;
  const connection = connectionIn(options);
  const sets = named(file, () => declaredSetsIn(readBytes(file, "a file of sets")));
  const book = await granteeBook({ names, allowed }, connection, terminal);
  const progress = progressOn(terminal);
  try {
    const { report, failures } = await checkOf(sets, connection, {
      tool,
      book,
      at: (done, total) => progress.at("AMIs read", done, total),
    });
    progress.end();
    writeForms(report, { html, markdown, json }, terminal);
    tellErrors(failures, terminal);
    if (failures.length > 0) return 2;
    return report.amis.every(isAsDeclared) ? 0 : 1;
  } finally {
    progress.end();
  }
}

/** Whether EC2 has what the sets of an AMI declare. */
function isAsDeclared(ami: ReportedAmi): boolean {
  return countOf(ami, "gains") + countOf(ami, "loses") + ami.errors.length === 0;
}

interface CheckSettings {
  readonly tool: string;
  readonly book: GranteeBook;
  readonly at: (done: number, total: number) => void;
}

/** The sets that declare one AMI. */
interface Group {
  readonly sets: readonly FileSet[];
  readonly region: string;
  readonly gateway: Gateway;
}

/**
 * Compares sets with EC2. In the report, `gains` is what is declared and not in EC2, and `loses` what is in EC2 and not declared.
 *
 * @returns the report, and the errors of AMIs that could not be read, other than that they do not exist
 * @throws AmiSharingError `conflicting-sets`; and the error of EC2, if no AMI could be read
 */
export async function checkOf(
  sets: readonly FileSet[],
  options: ConnectionOptions,
  { tool, book, at }: CheckSettings,
): Promise<{ readonly report: Report; readonly failures: readonly string[] }> {
  const groups = await groupsOf(sets, options);
  for (const group of groups) refuseConflict(group);
  const failed: AmiSharingError[] = [];
  let done = 0;
  const amis = await inGroups(groups, async (group): Promise<ReportedAmi> => {
    const { changes, error } = await changesOf(group);
    if (error && error.code !== "image-not-found") failed.push(error);
    done += 1;
    at(done, groups.length);
    return { ...amiOfChanges(changes, book), broadens: [] };
  });
  const [first] = failed;
  if (first && failed.length === groups.length) throw first;
  const report = reportOn(amis, { kind: "check", tool, readAt: new Date().toISOString() });
  return { report, failures: failed.map(({ message }) => message) };
}

async function groupsOf(sets: readonly FileSet[], options: ConnectionOptions): Promise<Group[]> {
  const gateways = new Map<string, Gateway>();
  const groups = new Map<string, Group>();
  for (const one of sets) {
    const connection = connectionOf(one.declared, options);
    const of = JSON.stringify(connection);
    const gateway = gateways.get(of) ?? ec2Gateway(connection);
    gateways.set(of, gateway);
    const region = await gateway.region();
    const key = JSON.stringify([connection.endpoint, region, one.set.imageId]);
    const group = groups.get(key) ?? { sets: [], region, gateway };
    groups.set(key, { ...group, sets: [...group.sets, one] });
  }
  return [...groups.values()];
}

/** Refuses what every engine refuses. */
function refuseConflict({ sets, region }: Group): void {
  const [one, other] = sets.filter(({ set }) => set.mode === "authoritative");
  if (one && other) throwConflictingSets(one.set.imageId, region, [one.name, other.name]);
}

/** The connection that a set has itself. What the command line has wins. */
function connectionOf({ region, profile, endpoint, assumeRole }: FileSet["declared"], options: ConnectionOptions): Connection {
  const own = { region, profile, endpoint, ...(assumeRole ? { assumeRoles: [assumeRole] } : {}) } as Connection;
  const given = Object.entries({ ...own, ...options, region: own.region ?? options.region });
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

/** What an apply of the sets of one AMI would change; or the error with which EC2 was read. */
async function changesOf({
  sets,
  region,
  gateway,
}: Group): Promise<{ readonly changes: SetChange[]; readonly error?: AmiSharingError }> {
  const [{ set: one }] = sets as [FileSet, ...FileSet[]];
  const named = sets.map(({ name, set: { mode } }): SetChange["set"] => ({
    name: shortName(name),
    address: name,
    action: "same",
    mode,
  }));
  const isHidden = sets.some((file) => file.isHidden);
  const image: ChangedImage = { imageId: one.imageId, region, label: one.imageId };
  const others = named.map((set) => ({ ...PLAIN, image, set }));
  let ami: AmiPermissions;
  try {
    ami = await describePermissions(gateway, one.imageId);
  } catch (error) {
    if (!(error instanceof AmiSharingError)) throw error;
    return { changes: others.map((change) => ({ ...change, errors: [error.message] })), error };
  }
  const snapshotIds = ami.snapshots.map(({ snapshotId }) => snapshotId);
  const known: ChangedImage = { ...image, ownerId: ami.ownerId, snapshotIds };
  const live = permissionsOf(ami.grants, known);
  const wanted = sets.map(({ set }) => targetPermissions(set, { ownerId: ami.ownerId, snapshotIds })).reduce(union);
  const after = union(wanted, keptIn(live, sets, snapshotIds));
  const result = isHidden ? { hidden: countsOf(live, after) } : { before: live, after };
  return { changes: others.map((change, i) => ({ ...change, image: known, ...(i === 0 ? result : {}) })) };
}

/** What the sets of an AMI leave as it is. */
function keptIn(live: Permissions, sets: readonly FileSet[], snapshotIds: readonly string[]): Permissions {
  const authoritative = sets.filter(({ set }) => set.mode === "authoritative");
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
