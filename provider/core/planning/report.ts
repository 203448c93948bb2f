/** The report of a plan, as text for people: who gains and who loses access and why, what broadens access, the calls, and what will fail. */

import { type PermissionSet, unnamedSnapshots } from "../declaration";
import {
  type AmiSharingError,
  accountKey,
  accountOfKey,
  countedGrantees,
  encodeGrants,
  filterGrantees,
  firstFew,
  type GranteeKey,
  granteesOf,
  intersection,
  isEmpty,
  minus,
  NO_PERMISSIONS,
  type Permissions,
  PUBLIC,
  parseGranteeKey,
  union,
} from "../model";
import { claimedBy, claimedParts, type Neighbours, NO_NEIGHBOURS } from "./claims";
import { callsOf } from "./diff";
import { type Entry, entriesOf, lostEntries, staysForClaim } from "./entries";
import type { ImageKey } from "./keyPlan";
import type { Plan } from "./plan";
import type { Recorded } from "./recorded";
import { revokedByRemoval } from "./removal";

/** The most grantees that one line names. It does not apply to grantees that lose access: all of them are named. */
const MAX_NAMED = 10;

/** How a report shows grantees. */
export interface ReportOptions {
  /** Shows the number of grantees and no names, because the grantees are a secret of the program. */
  readonly countOnly?: boolean;
  /** Names all grantees, also where a line would name only the first few. */
  readonly nameAll?: boolean;
}

/** The report before a change (`planned`) or after it (`done`). The first line has the counts. */
export function reportOf(plan: Plan, tense: "planned" | "done", options: ReportOptions = {}): string {
  const { set, image, region, change, phases, keys } = plan;
  const keyCalls = { CreateGrant: keys.create.length, RevokeGrant: keys.revoke.length };
  const calls = [...callsOf(phases), ...Object.entries(keyCalls)].flatMap(([action, count]) =>
    count > 0 ? [`${count} ${action}`] : [],
  );
  const allSnapshotIds = unnamedSnapshots(set, image);
  const snapshots = [...new Set([...change.add.createVolume.keys(), ...change.remove.createVolume.keys()])].sort();
  const lines = [
    ...entriesOf(plan).flatMap((entry) => entryLines(entry, allSnapshotIds, options)),
    ...claimedParts(
      plan.neighbours.claims.filter(({ isRecorded }) => !isRecorded),
      image,
      plan.target,
    ).map(({ name, permissions }) => `also declared by ${name}: ${named([...granteesOf(permissions)].sort(), options)}`),
    ...broadenings(plan.gaining).map(({ text }) => `broadens access: ${text}`),
    ...(snapshots.length > 0 ? [`snapshots: ${cut(snapshots)}`] : []),
    ...keys.keys.map(encryptionLine),
    ...(keys.create.length > 0
      ? [`key grants to: ${named([...new Set(keys.create.map(({ accountId }) => accountKey(accountId)))], options)}`]
      : []),
    ...(keys.revoke.length > 0
      ? [
          `key grants revoked of: ${named([...new Set(keys.revoke.map(({ accountId }) => accountKey(accountId)))], options, Number.POSITIVE_INFINITY)}`,
        ]
      : []),
    `calls: ${calls.length > 0 ? calls.join(", ") : "none"}`,
    ...plan.warnings.map((text) => `warning: ${text}`),
    ...(tense === "planned" ? [...plan.refusals.map(willFail), ...plan.doubts.map((text) => `note: ${text}`)] : []),
  ];
  return [`AMI ${image.imageId} in ${region}: ${countsOf(plan, tense)}`, ...lines.flatMap(wrapped)].join("\n");
}

/** The lines about who lost access by a change that was not completed: EC2 accepted the removal, or no longer shows the permission. */
export function lossesOf(plan: Plan, { live, revoked = NO_PERMISSIONS }: Recorded, options: ReportOptions = {}): string[] {
  const { set, image, losing } = plan;
  const allSnapshotIds = unnamedSnapshots(set, image);
  const lost = union(minus(losing, live), intersection(losing, revoked));
  const entries = entriesOf({ ...plan, losing: lost }).filter(({ sign }) => sign === "-");
  return entries.flatMap((entry) => entryLines(entry, allSnapshotIds, options)).flatMap(wrapped);
}

function encryptionLine({ keyId, manager, snapshotIds }: ImageKey): string {
  const whose = manager === "AWS" ? "the AWS managed key" : manager === "CUSTOMER" ? "the customer managed key" : "the key";
  const owner = keyId === undefined || manager === "AWS" ? "" : ` of account ${accountOfKey(keyId)}`;
  return `encrypted: ${cut(snapshotIds)} under ${whose} ${keyId ?? "(unknown)"}${owner}`;
}

const VERBS = {
  planned: { gain: ["gains", "gain"], lose: ["loses", "lose"], keep: ["keeps", "keep"] },
  done: { gain: ["gained", "gained"], lose: ["lost", "lost"], keep: ["kept", "kept"] },
} as const;

function countsOf({ live, gaining, losing, keys }: Plan, tense: "planned" | "done"): string {
  const [gain, lose] = [granteesOf(gaining), granteesOf(losing)];
  const keep = [...granteesOf(live)].filter((key) => !gain.has(key) && !lose.has(key));
  const counted = Object.entries({ gain: gain.size, lose: lose.size, keep: keep.length })
    .filter(([, count]) => count > 0)
    .map(([verb, count]) => `${count} ${VERBS[tense][verb as keyof typeof VERBS.planned][count === 1 ? 0 : 1]}`);
  const changes = gain.size + lose.size + keys.create.length + keys.revoke.length;
  const unchanged = changes > 0 ? "" : tense === "planned" ? "nothing changes" : "nothing changed";
  return [unchanged, counted.length > 0 ? `${counted.join(", ")} access` : ""].filter((text) => text !== "").join(", ");
}

/**
 * The report of a deletion, made from the record of the set. It makes no call.
 *
 * @param which the start of the first line, such as `then AMI ami-…, whose set is replaced,`
 * @param recorded the record; if `onDelete` is `reset`, its `live` shows who else loses access
 */
export function reportOfDeletion(
  which: string,
  set: PermissionSet,
  recorded: Recorded,
  { neighbours = NO_NEIGHBOURS, tense = "planned", ...options }: DeletionReportOptions = {},
): string {
  if (set.onDelete === "retain") return wrapped(`${which} keeps every grant (onDelete: retain)`).join("\n");
  const losing = revokedByRemoval(set, recorded, neighbours);
  const count = granteesOf(losing).size;
  const stays = claimedParts(neighbours.claims, recorded, recorded.granted);
  const left = minus(union(recorded.granted, recorded.live), union(losing, claimedBy(neighbours.claims, recorded)));
  const neverRevoked = filterGrantees(left, (key) => set.neverRevoke.has(key));
  const [verb] = VERBS[tense].lose.slice(count === 1 ? 0 : 1);
  const [is, remains] = tense === "planned" ? ["is unshared", "stays shared"] : ["was unshared", "stayed shared"];
  const heading =
    set.onDelete === "reset" && set.neverRevoke.size === 0 && stays.length === 0
      ? `${tense === "planned" ? "loses" : "lost"} every grant, those set elsewhere too (onDelete: reset)`
      : count === 0 && (stays.length > 0 || !isEmpty(left))
        ? `${remains} as it is`
        : `${isEmpty(left) ? is : `${remains} in part`}: ${count} ${verb} access to it, as recorded`;
  const allSnapshotIds = unnamedSnapshots(set, recorded);
  const entries: Entry[] = [
    ...lostEntries(losing, recorded.granted),
    ...stays.map(staysForClaim),
    { sign: "=", why: "stays: neverRevoke", permissions: neverRevoked },
    { sign: "=", why: "stays: not granted by this set", permissions: minus(left, neverRevoked) },
  ];
  return [
    ...wrapped(`${which} ${heading}`),
    ...entries.flatMap((entry) => entryLines(entry, allSnapshotIds, options)).flatMap((line) => wrapped(`  ${line}`)),
  ].join("\n");
}

/** The options and the context of a deletion's report. */
export interface DeletionReportOptions extends ReportOptions {
  /** The other sets of the AMI. Default: none. */
  readonly neighbours?: Neighbours;
  /** Default: `planned`. */
  readonly tense?: "planned" | "done";
}

export function willFail(refusal: AmiSharingError): string {
  return `will fail: ${refusal.message}`;
}

/**
 * An entry as text, one line for each kind of access.
 *
 * @param allSnapshotIds the snapshots that `createVolume` without snapshot ids means
 */
export function entryLines(
  { sign, why, permissions }: Entry,
  allSnapshotIds: readonly string[] | undefined,
  options: ReportOptions = {},
): string[] {
  const byWords = new Map<string, GranteeKey[]>();
  for (const [key, words] of Object.entries(encodeGrants(permissions, allSnapshotIds))) {
    const keys = byWords.get(words);
    if (keys) keys.push(key);
    else byWords.set(words, [key]);
  }
  return [...byWords].map(([words, keys]) => {
    const count = keys.length > 1 && !options.countOnly ? `; ${keys.length}` : "";
    const most = sign === "-" || options.nameAll ? Number.POSITIVE_INFINITY : MAX_NAMED;
    return `${sign} ${words} (${why}${count}): ${named(keys, options, most)}`;
  });
}

/** Access that an addition gives beyond launch permission for single accounts. */
export interface Broadening {
  /** The argument that gives it. */
  readonly property: "public" | "organizationArns" | "organizationalUnitArns" | "createVolumePermissions";
  readonly text: string;
}

/** The broadenings of an addition, the broadest first. */
export function broadenings(add: Permissions): Broadening[] {
  const kinds = (kind: string) => [...add.launch].filter((key) => parseGranteeKey(key).kind === kind).length;
  const volumes = granteesOf({ ...NO_PERMISSIONS, createVolume: add.createVolume });
  const every = (count: number, one: string, many: string) =>
    count > 0 && `every account of ${count === 1 ? one : `${count} ${many}`}, future ones too, may launch the AMI`;
  const found: [Broadening["property"], string | false][] = [
    ["public", add.launch.has(PUBLIC) && "everybody, every AWS account, may launch the AMI"],
    ["organizationArns", every(kinds("organization"), "an organization", "organizations")],
    ["organizationalUnitArns", every(kinds("organizationalUnit"), "an organizational unit", "organizational units")],
    [
      "createVolumePermissions",
      volumes.size > 0 &&
        `${volumes.has(PUBLIC) ? "everybody, every AWS account," : countedGrantees(volumes.size)} may copy the disks (createVolume)`,
    ],
  ];
  return found.flatMap(([property, text]) => (text === false ? [] : [{ property, text }]));
}

function cut(items: readonly string[]): string {
  return firstFew(items, MAX_NAMED);
}

function named(keys: readonly GranteeKey[], { countOnly = false }: ReportOptions, most = MAX_NAMED): string {
  return countOnly ? countedGrantees(keys.length) : firstFew(keys, most);
}

/** A line, wrapped at about 70 characters and indented under the first line. A longer word is not broken. */
function wrapped(line: string): string[] {
  const pieces = line.match(/(\S{70,}|.{1,70})(?:\s+|$)/g) ?? [];
  return pieces.map((piece, i) => (i === 0 ? "  " : "      ") + piece.trimEnd());
}
