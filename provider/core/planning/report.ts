/** A plan in words for people: who gains and who loses access and why, what broadens it, the calls, and what will fail. */

import type { PermissionSet } from "../declaration";
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
import { claimedBy, type Neighbours, NO_NEIGHBOURS, wantedOf } from "./claims";
import { callsOf } from "./diff";
import { type Entry, entriesOf, staysForClaim } from "./entries";
import type { ImageKey } from "./keyPlan";
import type { Plan } from "./plan";
import type { Recorded } from "./recorded";
import { revokedByRemoval } from "./removal";

/** Grantees that one line of a report names, where they lose nothing: who loses access is always named. */
const MOST_NAMED = 10;

/** How a report tells of grantees. */
export interface Telling {
  /** Counts them and names none: they are a secret of the program. */
  readonly unnamed?: boolean;
  /** Names everybody, not the first few of those who lose nothing. */
  readonly everybody?: boolean;
}

/** A report before the change (`planned`) or after it (`done`): lines without colour, the counts first. Who loses access is named, however many. */
export function reportOf(plan: Plan, tense: "planned" | "done", telling: Telling = {}): string {
  const { set, image, region, change, phases, keys } = plan;
  const keyCalls = { CreateGrant: keys.create.length, RevokeGrant: keys.revoke.length };
  const calls = [...callsOf(phases), ...Object.entries(keyCalls)].flatMap(([action, count]) =>
    count > 0 ? [`${count} ${action}`] : [],
  );
  const unnamed = set.createVolume?.snapshotIds === undefined ? image.snapshotIds : undefined;
  const snapshots = [...new Set([...change.add.createVolume.keys(), ...change.remove.createVolume.keys()])].sort();
  const lines = [
    ...entriesOf(plan).flatMap((entry) => entryLines(entry, unnamed, telling)),
    ...wantedOf(
      plan.neighbours.claims.filter(({ isRecorded }) => !isRecorded),
      image,
      plan.target,
    ).map(({ name, permissions }) => `also declared by ${name}: ${named([...granteesOf(permissions)].sort(), telling)}`),
    ...broadenings(plan.gaining).map(({ text }) => `broadens access: ${text}`),
    ...(snapshots.length > 0 ? [`snapshots: ${cut(snapshots)}`] : []),
    ...keys.keys.map(encryptionLine),
    ...(keys.create.length > 0
      ? [`key grants to: ${named([...new Set(keys.create.map(({ accountId }) => accountKey(accountId)))], telling)}`]
      : []),
    ...(keys.revoke.length > 0
      ? [
          `key grants revoked of: ${named([...new Set(keys.revoke.map(({ accountId }) => accountKey(accountId)))], telling, Number.POSITIVE_INFINITY)}`,
        ]
      : []),
    `calls: ${calls.length > 0 ? calls.join(", ") : "none"}`,
    ...plan.warnings.map((text) => `warning: ${text}`),
    ...(tense === "planned" ? [...plan.refusals.map(willFail), ...plan.doubts.map((text) => `note: ${text}`)] : []),
  ];
  return [`AMI ${image.imageId} in ${region}: ${countsOf(plan, tense)}`, ...lines.flatMap(wrapped)].join("\n");
}

/** Who lost access by a change that was begun and not completed, in lines: EC2 took the removal, or shows it. */
export function lossesOf(plan: Plan, { live, revoked = NO_PERMISSIONS }: Recorded, telling: Telling = {}): string[] {
  const { set, image, losing } = plan;
  const unnamed = set.createVolume?.snapshotIds === undefined ? image.snapshotIds : undefined;
  const lost = union(minus(losing, live), intersection(losing, revoked));
  const entries = entriesOf({ ...plan, losing: lost }).filter(({ sign }) => sign === "-");
  return entries.flatMap((entry) => entryLines(entry, unnamed, telling)).flatMap(wrapped);
}

function encryptionLine({ keyId, manager, snapshotIds }: ImageKey): string {
  const whose = manager === "AWS" ? "the AWS managed key" : manager === "CUSTOMER" ? "the customer managed key" : "the key";
  const owner = keyId === undefined || manager === "AWS" ? "" : ` of account ${accountOfKey(keyId)}`;
  return `encrypted: ${cut(snapshotIds)} under ${whose} ${keyId ?? "(not told)"}${owner}`;
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
 * What the deletion of a set will do, or did, as far as its record tells; EC2 is not asked. Who loses access is named.
 *
 * @param which such as `then AMI ami-…, whose set is replaced,`
 * @param recorded its record; where `onDelete` is `reset`, its `live` tells who else loses access
 */
export function reportOfDeletion(
  which: string,
  set: PermissionSet,
  recorded: Recorded,
  { neighbours = NO_NEIGHBOURS, tense = "planned", ...telling }: DeletionTelling = {},
): string {
  if (set.onDelete === "retain") return wrapped(`${which} keeps every grant (onDelete: retain)`).join("\n");
  const losing = revokedByRemoval(set, recorded, neighbours);
  const count = granteesOf(losing).size;
  const stays = wantedOf(neighbours.claims, recorded, recorded.granted);
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
  const unnamed = set.createVolume?.snapshotIds === undefined ? recorded.snapshotIds : undefined;
  const entries: Entry[] = [
    { sign: "-", why: "granted by this set", permissions: intersection(losing, recorded.granted) },
    { sign: "-", why: "set elsewhere", permissions: minus(losing, recorded.granted) },
    ...stays.map(staysForClaim),
    { sign: "=", why: "stays: neverRevoke", permissions: neverRevoked },
    { sign: "=", why: "stays: not granted by this set", permissions: minus(left, neverRevoked) },
  ];
  return [
    ...wrapped(`${which} ${heading}`),
    ...entries.flatMap((entry) => entryLines(entry, unnamed, telling)).flatMap((line) => wrapped(`  ${line}`)),
  ].join("\n");
}

/** How the report of a deletion tells, and what it has to know. */
export interface DeletionTelling extends Telling {
  /** The other sets of the AMI. Default: none. */
  readonly neighbours?: Neighbours;
  /** Default: `planned`. */
  readonly tense?: "planned" | "done";
}

/** The line for what will be refused. */
export function willFail(refusal: AmiSharingError): string {
  return `will fail: ${refusal.message}`;
}

/**
 * An entry in words, a line for each kind of access.
 *
 * @param unnamed the snapshots that "createVolume" without names stands for
 */
export function entryLines(
  { sign, why, permissions }: Entry,
  unnamed: readonly string[] | undefined,
  telling: Telling = {},
): string[] {
  const byWords = new Map<string, GranteeKey[]>();
  for (const [key, words] of Object.entries(encodeGrants(permissions, unnamed))) {
    const keys = byWords.get(words);
    if (keys) keys.push(key);
    else byWords.set(words, [key]);
  }
  return [...byWords].map(([words, keys]) => {
    const count = keys.length > 1 && !telling.unnamed ? `; ${keys.length}` : "";
    const most = sign === "-" || telling.everybody ? Number.POSITIVE_INFINITY : MOST_NAMED;
    return `${sign} ${words} (${why}${count}): ${named(keys, telling, most)}`;
  });
}

/** What of an addition reaches further than launching by accounts that are named. */
export interface Broadening {
  /** The argument that asks for it. */
  readonly property: "public" | "organizationArns" | "organizationalUnitArns" | "createVolumePermissions";
  readonly text: string;
}

/** The broadest first. */
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
  return firstFew(items, MOST_NAMED);
}

function named(keys: readonly GranteeKey[], { unnamed = false }: Telling, most = MOST_NAMED): string {
  return unnamed ? countedGrantees(keys.length) : firstFew(keys, most);
}

/** A line in pieces that fit, indented under the heading; what cannot be broken stays whole. */
function wrapped(line: string): string[] {
  const pieces = line.match(/(\S{70,}|.{1,70})(?:\s+|$)/g) ?? [];
  return pieces.map((piece, i) => (i === 0 ? "  " : "      ") + piece.trimEnd());
}
