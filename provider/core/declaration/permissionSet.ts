/** What a set wants: from its declared arguments to grants in words (some unknown yet) and to permissions on an image. */

import {
  AmiSharingError,
  accountKey,
  countedGrantees,
  durationSeconds,
  filterGrantees,
  firstFew,
  type GranteeKey,
  type Grants,
  isManageable,
  joinWords,
  type MaybeUnknown,
  type Permissions,
  PUBLIC,
  parseGranteeKey,
  permissionWords,
  sortedGrants,
  UNKNOWN,
} from "../model";
import type { CreateVolumeArguments, DeclaredSet, KmsAccess, Mode, OnDelete, Unrecorded } from "./arguments";

/** Grantees that one error names. */
const MOST_NAMED = 5;

/** A set whose every value is known. */
export interface PermissionSet {
  readonly imageId: string;
  /** Who may launch the image. */
  readonly launch: ReadonlySet<GranteeKey>;
  /** Who may create volumes, on which snapshots (undefined: all of the image's). Undefined: not managed. */
  readonly createVolume:
    | { readonly grantees: ReadonlySet<GranteeKey>; readonly snapshotIds: readonly string[] | undefined }
    | undefined;
  readonly mode: Mode;
  readonly onDelete: OnDelete;
  /** How many grantees one change may take access from. */
  readonly maxRevocations: number;
  /** Whether a change may take access from somebody whom the state does not record. */
  readonly unrecorded: Unrecorded;
  /** Whom no change takes access from. */
  readonly neverRevoke: ReadonlySet<GranteeKey>;
  readonly kmsAccess: KmsAccess;
  /** Whether a plan asks who still uses the image before they lose it. */
  readonly checkUsage: boolean;
  /** How long an operation waits for EC2, in seconds, where the declaration says so. */
  readonly timeouts?: Timeouts;
}

/** The operations that wait. */
export type Operation = "create" | "update" | "delete";
export type Timeouts = { readonly [Name in Operation]?: number };

/** The set of a declaration; undefined while something that decides about access is unknown. */
export function permissionSetOf(declared: DeclaredSet): PermissionSet | undefined {
  const intent = intentOf(declared);
  const { imageId, mode = "authoritative", onDelete = "revoke", kmsAccess = "check", checkUsage = false } = declared;
  const { unrecorded = "revoke" } = declared;
  const { createVolume } = intent;
  const maxRevocations = maxRevocationsOf(declared);
  const neverRevoke = granteesIn("account", declared.neverRevoke);
  if (maxRevocations === UNKNOWN || neverRevoke.unknown.length > 0) return undefined;
  if (kmsAccess === UNKNOWN || checkUsage === UNKNOWN || unrecorded === UNKNOWN) return undefined;
  if (imageId === UNKNOWN || mode === UNKNOWN || onDelete === UNKNOWN || createVolume === UNKNOWN) return undefined;
  if (intent.launch.unknown.length > 0) return undefined;
  if (createVolume && (createVolume.grantees.unknown.length > 0 || createVolume.snapshotIds === UNKNOWN)) return undefined;
  return {
    imageId,
    mode,
    onDelete,
    maxRevocations,
    unrecorded,
    neverRevoke: neverRevoke.keys,
    kmsAccess,
    checkUsage,
    ...timeoutsOf(declared),
    launch: intent.launch.keys,
    createVolume: createVolume && {
      grantees: createVolume.grantees.keys,
      snapshotIds: createVolume.snapshotIds as readonly string[] | undefined,
    },
  };
}

/**
 * The grants map of a declaration, as far as it is known.
 *
 * A grantee that is not known yet is listed as `account/[unknown]`, and one in `previous` that an unknown value may
 * keep has the value {@link UNKNOWN}. Grants in `previous` that no set can change, or that this one never revokes, are
 * kept, so that they show no change; so are those in `claimed`, which other sets declare.
 */
export function declaredGrants(
  declared: DeclaredSet,
  previous: Grants = {},
  claimed: Grants = {},
): Record<GranteeKey, MaybeUnknown<string>> {
  const intent = intentOf(declared);
  const neverRevoke = granteesIn("account", declared.neverRevoke);
  const entries = new Map<GranteeKey, MaybeUnknown<string>>();
  for (const key of new Set([...intent.launch.keys, ...volumesOf(intent).keys, ...Object.keys(previous)])) {
    const words = withPrevious(key, wantedWords(intent, key), previous[key], holds(neverRevoke, key));
    if (words !== "") entries.set(key, words);
  }
  for (const [key, words] of Object.entries(claimed)) {
    const wanted = entries.get(key) ?? "";
    if (wanted !== UNKNOWN) entries.set(key, joinWords(wanted, words));
  }
  return sortedGrants([...entries, ...unknownEntries(intent)]);
}

/** The words for what a declaration wants of a grantee; empty: nothing. */
function wantedWords(intent: Intent, key: GranteeKey): MaybeUnknown<string> {
  const isOpen = intent.createVolume === UNKNOWN && canCreateVolumes(key);
  return intendedWords(intent, holds(intent.launch, key), isOpen ? UNKNOWN : holds(volumesOf(intent), key));
}

function intendedWords(
  { createVolume }: Intent,
  mayLaunch: MaybeUnknown<boolean>,
  mayCreate: MaybeUnknown<boolean>,
): MaybeUnknown<string> {
  if (mayLaunch === UNKNOWN || mayCreate === UNKNOWN) return UNKNOWN;
  if (!mayCreate || createVolume === UNKNOWN || !createVolume) return permissionWords(mayLaunch, "none");
  if (createVolume.snapshotIds === UNKNOWN) return UNKNOWN;
  return permissionWords(mayLaunch, createVolume.snapshotIds ?? "all");
}

/** The same with what stays of what the grantee had: all of it where no set can change it, or this one never revokes it. */
function withPrevious(
  key: GranteeKey,
  wanted: MaybeUnknown<string>,
  before: string | undefined,
  isNeverRevoked: MaybeUnknown<boolean>,
): MaybeUnknown<string> {
  if (before === undefined) return wanted;
  if (!isManageable(key)) return before;
  if (isNeverRevoked === UNKNOWN) return wanted === before ? before : UNKNOWN;
  return isNeverRevoked && wanted !== UNKNOWN ? joinWords(wanted, before) : wanted;
}

/** An entry for each grantee that is not known yet. */
function unknownEntries(intent: Intent): Map<GranteeKey, MaybeUnknown<string>> {
  const { launch, createVolume } = intent;
  const volumes = volumesOf(intent);
  const entries = new Map<GranteeKey, MaybeUnknown<string>>();
  for (const unknown of new Set([...launch.unknown, ...volumes.unknown])) {
    if (unknown.kind === "public") {
      entries.set(PUBLIC, UNKNOWN);
      continue;
    }
    const isOpen = createVolume === UNKNOWN && unknown.kind === "account";
    const mayCreate = isOpen ? UNKNOWN : volumes.unknown.includes(unknown);
    let key = `${unknown.kind}/[unknown]`;
    for (let n = 2; entries.has(key); n++) key = `${unknown.kind}/[unknown ${n}]`;
    entries.set(key, unknown.whole ? UNKNOWN : intendedWords(intent, launch.unknown.includes(unknown), mayCreate));
  }
  return entries;
}

/**
 * The grantees that would lose something from `before` to `after`, as far as it is known.
 */
export function losers(before: Grants, after: Readonly<Record<GranteeKey, MaybeUnknown<string>>>): GranteeKey[] {
  return Object.entries(before)
    .filter(([key, words]) => {
      const then = after[key] ?? "";
      return isManageable(key) && then !== UNKNOWN && joinWords(then, words) !== then;
    })
    .map(([key]) => key);
}

/** The refusal of a change that takes access from more grantees than the set allows; empty where it does not. */
export function tooManyRevocations(
  imageId: string,
  revoked: readonly GranteeKey[],
  maxRevocations: number,
): readonly AmiSharingError[] {
  if (revoked.length <= maxRevocations) return [];
  const [count, named] = [countedGrantees(revoked.length), firstFew([...revoked].sort(), MOST_NAMED)];
  return [
    new AmiSharingError(
      "too-many-revocations",
      `the change of AMI ${imageId} would take access from ${count} (${named}), and maxRevocations is ${maxRevocations}`,
      { property: "maxRevocations", imageId, next: `where this is meant, set maxRevocations to ${revoked.length}` },
    ),
  ];
}

/** How many grantees one change of a declaration may take access from. */
export function maxRevocationsOf({ maxRevocations = Number.POSITIVE_INFINITY }: DeclaredSet): MaybeUnknown<number> {
  return maxRevocations === "none" ? 0 : maxRevocations;
}

/** What is known of the timeouts: they decide about no access, so that a plan need not wait for them. */
function timeoutsOf({ timeouts }: DeclaredSet): Pick<PermissionSet, "timeouts"> {
  if (timeouts === undefined || timeouts === UNKNOWN) return {};
  const seconds = Object.entries(timeouts).map(([name, text]) => [name, durationSeconds(String(text))] as const);
  return { timeouts: Object.fromEntries(seconds.filter(([, value]) => value !== undefined)) };
}

/** The permissions that a set wants on an image: its owner, who always has access, is left out. */
export function targetPermissions(set: PermissionSet, image: { ownerId: string; snapshotIds: readonly string[] }): Permissions {
  const owner = accountKey(image.ownerId);
  return filterGrantees(namedPermissions(set, image), (key) => key !== owner);
}

/** The permissions that a set names on an image, for its owner too. */
export function namedPermissions(
  { launch, createVolume }: PermissionSet,
  image: { snapshotIds: readonly string[] },
): Permissions {
  const grantees = createVolume?.grantees ?? new Set();
  const snapshotIds = grantees.size > 0 ? (createVolume?.snapshotIds ?? image.snapshotIds) : [];
  return { launch, createVolume: new Map(snapshotIds.map((id) => [id, grantees])) };
}

/** The snapshots whose create-volume permissions the set manages. */
export function managedSnapshots(set: PermissionSet, image: { snapshotIds: readonly string[] }): readonly string[] {
  return set.createVolume ? (set.createVolume.snapshotIds ?? image.snapshotIds) : [];
}

/** A kind of grantee of which a member (or, `whole`, the list itself) is not known yet. */
interface UnknownGrantee {
  readonly kind: "account" | "organization" | "organizationalUnit" | "public";
  readonly whole: boolean;
}

interface Grantees {
  readonly keys: ReadonlySet<GranteeKey>;
  readonly unknown: readonly UnknownGrantee[];
}

interface Intent {
  readonly launch: Grantees;
  readonly createVolume: MaybeUnknown<
    { grantees: Grantees; snapshotIds: MaybeUnknown<readonly string[]> | undefined } | undefined
  >;
}

/** Who may create volumes, as far as that is known. */
function volumesOf({ createVolume }: Intent): Grantees {
  return createVolume === UNKNOWN || !createVolume ? NOBODY : createVolume.grantees;
}

const NOBODY: Grantees = { keys: new Set(), unknown: [] };

function intentOf(declared: DeclaredSet): Intent {
  const accounts = granteesIn("account", declared.accountIds);
  const everybody = publicIn(declared.public);
  const launch = merge([
    accounts,
    granteesIn("organization", declared.organizationArns),
    granteesIn("organizationalUnit", declared.organizationalUnitArns),
    everybody,
  ]);
  const asked = declared.createVolumePermissions;
  if (asked === UNKNOWN) return { launch, createVolume: UNKNOWN };
  if (asked === undefined || asked === false) return { launch, createVolume: undefined };
  if (asked === true) return { launch, createVolume: { grantees: merge([accounts, everybody]), snapshotIds: undefined } };
  const grantees = merge([
    asked.accountIds === undefined ? accounts : granteesIn("account", asked.accountIds),
    publicIn(asked.public),
  ]);
  return { launch, createVolume: { grantees, snapshotIds: knownList(asked.snapshotIds) } };
}

function granteesIn(
  kind: "account" | "organization" | "organizationalUnit",
  list: MaybeUnknown<readonly MaybeUnknown<string>[]> = [],
): Grantees {
  if (list === UNKNOWN) return { keys: new Set(), unknown: [{ kind, whole: true }] };
  return {
    keys: new Set(list.filter((item) => item !== UNKNOWN).map((item) => (kind === "account" ? accountKey(item) : item))),
    unknown: list.filter((item) => item === UNKNOWN).map(() => ({ kind, whole: false })),
  };
}

function publicIn(asked: MaybeUnknown<boolean> | undefined): Grantees {
  return {
    keys: new Set(asked === true ? [PUBLIC] : []),
    unknown: asked === UNKNOWN ? [{ kind: "public", whole: false }] : [],
  };
}

function merge(parts: readonly Grantees[]): Grantees {
  return { keys: new Set(parts.flatMap(({ keys }) => [...keys])), unknown: parts.flatMap(({ unknown }) => unknown) };
}

function holds({ keys, unknown }: Grantees, key: GranteeKey): MaybeUnknown<boolean> {
  if (keys.has(key)) return true;
  const { kind } = parseGranteeKey(key);
  return unknown.some((u) => u.kind === kind) ? UNKNOWN : false;
}

function canCreateVolumes(key: GranteeKey): boolean {
  const { kind } = parseGranteeKey(key);
  return kind === "account" || kind === "public";
}

function knownList(list: CreateVolumeArguments["snapshotIds"]): MaybeUnknown<readonly string[]> | undefined {
  if (list === undefined || list === UNKNOWN) return list;
  return list.some((item) => item === UNKNOWN) ? UNKNOWN : (list as readonly string[]);
}
