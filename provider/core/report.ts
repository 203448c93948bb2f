/** A plan in words for people: who gains and who loses access and why, what broadens it, the calls, and what will fail. */

import { type Neighbours, NO_NEIGHBOURS, wantedOf } from "./claims";
import { callsOf } from "./diff";
import type { AmiSharingError } from "./errors";
import { accountKey, type GranteeKey, isManageable, PUBLIC, parseGranteeKey } from "./grantee";
import { encodeGrants } from "./grants";
import type { ImageKey } from "./keyPlan";
import { accountOfKey } from "./keyPolicy";
import { firstFew } from "./listing";
import { namedPermissions, type PermissionSet } from "./permissionSet";
import { filterGrantees, granteesOf, intersection, isEmpty, minus, NO_PERMISSIONS, type Permissions, union } from "./permissions";
import { type Plan, sentAgain } from "./plan";
import { revokedByRemoval } from "./reconcile";
import type { Recorded } from "./recorded";

/** Grantees that one line of a report names. */
const MOST_NAMED = 10;

/** What becomes of some grantees' access, and why. */
export interface Entry {
  /** `+` gained, `-` lost, `=` as it is although a diff of the recorded grants may look otherwise. */
  readonly sign: "+" | "-" | "=";
  readonly why: string;
  readonly permissions: Permissions;
  /** Whether it stays though it is declared no more, so that a diff may show it as lost. */
  readonly stays?: true;
}

/** What a plan does and leaves, grantee by grantee; pure. */
export function entriesOf({ set, image, recorded, live, target, change, gaining, losing, unplanned, neighbours }: Plan): Entry[] {
  const held = recorded?.live ?? NO_PERMISSIONS;
  const granted = recorded?.granted ?? NO_PERMISSIONS;
  const wanted = recorded?.wanted ?? held;
  // An engine's diff begins with what was wanted or, after a refresh, with what was held.
  const [inBoth, inEither] = [intersection(held, wanted), union(held, wanted)];
  const left = minus(minus(minus(live, target), change.remove), unplanned);
  const spared = filterGrantees(left, (key) => set.spared.has(key));
  const foreign = filterGrantees(left, (key) => !isManageable(key));
  const claimed = wantedOf(neighbours.claims, image, minus(minus(left, spared), foreign));
  const unclaimed = claimed.reduce((rest, { permissions }) => minus(rest, permissions), minus(minus(left, spared), foreign));
  // What others granted stays untold, unless a diff may show it as lost.
  const others = intersection(unclaimed, inEither);
  const owns = union(granted, neighbours.inherited);
  const again = intersection(sentAgain(target, recorded), live);
  const foundInPlace = set.mode === "additive" ? minus(intersection(target, live), union(owns, again)) : NO_PERMISSIONS;
  const owner = accountKey(image.ownerId);
  const isOwner = (key: GranteeKey) => key === owner;
  const entries: Entry[] = [
    { sign: "+", why: "new", permissions: minus(gaining, held) },
    { sign: "+", why: "drifted: taken away outside this set", permissions: intersection(gaining, held) },
    { sign: "-", why: "granted by this set", permissions: intersection(losing, granted) },
    { sign: "-", why: "set elsewhere", permissions: recorded ? intersection(minus(losing, granted), held) : losing },
    {
      sign: "-",
      why: "set elsewhere, and not in the state",
      permissions: recorded ? minus(minus(losing, granted), held) : NO_PERMISSIONS,
    },
    {
      sign: "=",
      why: "has it already",
      permissions: minus(intersection(target, live), union(inBoth, union(foundInPlace, again))),
    },
    { sign: "=", why: "granted again: this set revoked it last, and EC2 may still show it", permissions: again },
    {
      sign: "=",
      why: "found in place: not granted by this set, which will not revoke it",
      permissions: minus(foundInPlace, inBoth),
    },
    { sign: "=", why: "stays: set elsewhere, and not in the state; the next plan shows it", permissions: unplanned, stays: true },
    { sign: "=", why: "stays: neverRevoke", permissions: spared, stays: true },
    { sign: "=", why: "stays: no set can take it", permissions: foreign },
    ...claimed.map(
      ({ name, permissions }): Entry => ({ sign: "=", why: `stays: ${name} declares it`, permissions, stays: true }),
    ),
    {
      sign: "=",
      why: `stays: set elsewhere, and ${set.mode === "additive" ? "the mode is additive" : "its snapshot is managed no more"}`,
      permissions: others,
      stays: true,
    },
    { sign: "=", why: "is not there", permissions: filterGrantees(minus(minus(inEither, live), target), (key) => key !== owner) },
    {
      sign: "=",
      why: "left out: the owner always has access",
      permissions: filterGrantees(union(namedPermissions(set, image), wanted), isOwner),
    },
  ];
  return entries.filter(({ permissions }) => !isEmpty(permissions));
}

/**
 * A report before the change (`planned`) or after it (`done`): lines without colour, the counts first.
 *
 * @param losersNamed how many that lose something a line names, and "and N more" for the others; default: as many as of all else
 */
export function reportOf(plan: Plan, tense: "planned" | "done", losersNamed = MOST_NAMED): string {
  const { set, image, region, change, phases, keys } = plan;
  const keyCalls = { CreateGrant: keys.create.length, RevokeGrant: keys.revoke.length };
  const calls = [...callsOf(phases), ...Object.entries(keyCalls)].flatMap(([action, count]) =>
    count > 0 ? [`${count} ${action}`] : [],
  );
  const unnamed = set.createVolume?.snapshotIds === undefined ? image.snapshotIds : undefined;
  const snapshots = [...new Set([...change.add.createVolume.keys(), ...change.remove.createVolume.keys()])].sort();
  const lines = [
    ...entriesOf(plan).flatMap((entry) => entryLines(entry, unnamed, entry.sign === "-" ? losersNamed : MOST_NAMED)),
    ...wantedOf(plan.neighbours.claims, image, plan.target).map(
      ({ name, permissions }) => `also declared by ${name}: ${cut([...granteesOf(permissions)].sort())}`,
    ),
    ...broadenings(plan.gaining).map(({ text }) => `broadens access: ${text}`),
    ...(snapshots.length > 0 ? [`snapshots: ${cut(snapshots)}`] : []),
    ...keys.keys.map(encryptionLine),
    ...(keys.create.length > 0
      ? [`key grants to: ${cut([...new Set(keys.create.map(({ accountId }) => accountKey(accountId)))])}`]
      : []),
    ...(keys.revoke.length > 0
      ? [`key grants revoked of: ${cut([...new Set(keys.revoke.map(({ accountId }) => accountKey(accountId)))])}`]
      : []),
    `calls: ${calls.length > 0 ? calls.join(", ") : "none"}`,
    ...plan.warnings.map((text) => `warning: ${text}`),
    ...(tense === "planned" ? [...plan.refusals.map(willFail), ...plan.doubts.map((text) => `note: ${text}`)] : []),
  ];
  return [`AMI ${image.imageId} in ${region}: ${countsOf(plan, tense)}`, ...lines.flatMap(wrapped)].join("\n");
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
 * What the deletion of a set will do, as far as its record tells; EC2 is not asked.
 *
 * @param which such as `then AMI ami-…, whose set is replaced,`
 */
export function reportOfDeletion(
  which: string,
  set: PermissionSet,
  recorded: Recorded,
  neighbours: Neighbours = NO_NEIGHBOURS,
): string {
  if (set.onDelete === "retain") return wrapped(`${which} keeps every grant (onDelete: retain)`).join("\n");
  const losers = [...granteesOf(revokedByRemoval(set, recorded, neighbours))].sort();
  const stays = wantedOf(neighbours.claims, recorded, recorded.granted);
  const losing = `${losers.length} ${losers.length === 1 ? "loses" : "lose"} access to it, as recorded`;
  const heading =
    set.onDelete === "reset" && set.spared.size === 0 && stays.length === 0
      ? "loses every grant, those set elsewhere too (onDelete: reset)"
      : losers.length === 0 && stays.length > 0
        ? "stays shared as it is"
        : `is unshared: ${losing}`;
  const unnamed = set.createVolume?.snapshotIds === undefined ? recorded.snapshotIds : undefined;
  const entries = stays.map(({ name, permissions }): Entry => ({ sign: "=", why: `stays: ${name} declares it`, permissions }));
  return [
    ...wrapped(`${which} ${heading}`),
    ...entries.flatMap((entry) => entryLines(entry, unnamed, MOST_NAMED)).flatMap((line) => wrapped(`  ${line}`)),
  ].join("\n");
}

/** The line for what will be refused. */
export function willFail(refusal: AmiSharingError): string {
  return `will fail: ${refusal.message}`;
}

/**
 * An entry in words, a line for each kind of access.
 *
 * @param unnamed the snapshots that "createVolume" without names stands for
 * @param named how many grantees a line names
 */
export function entryLines(
  { sign, why, permissions }: Entry,
  unnamed: readonly string[] | undefined,
  named = Number.POSITIVE_INFINITY,
): string[] {
  const byWords = new Map<string, GranteeKey[]>();
  for (const [key, words] of Object.entries(encodeGrants(permissions, unnamed))) {
    const keys = byWords.get(words);
    if (keys) keys.push(key);
    else byWords.set(words, [key]);
  }
  return [...byWords].map(([words, keys]) => {
    return `${sign} ${words} (${why}${keys.length > 1 ? `; ${keys.length}` : ""}): ${cut(keys, named)}`;
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
        `${volumes.has(PUBLIC) ? "everybody, every AWS account," : counted(volumes.size)} may copy the disks (createVolume)`,
    ],
  ];
  return found.flatMap(([property, text]) => (text === false ? [] : [{ property, text }]));
}

function cut(items: readonly string[], named = MOST_NAMED): string {
  return firstFew(items, named);
}

function counted(count: number): string {
  return count === 1 ? "1 grantee" : `${count} grantees`;
}

/** A line in pieces that fit, indented under the heading; what cannot be broken stays whole. */
function wrapped(line: string): string[] {
  const pieces = line.match(/(\S{70,}|.{1,70})(?:\s+|$)/g) ?? [];
  return pieces.map((piece, i) => (i === 0 ? "  " : "      ") + piece.trimEnd());
}
