/** The grants map of a declaration, parts of which may be unknown. An engine compares it with its state without reading EC2. */

import {
  type GranteeKey,
  type Grants,
  isManageable,
  joinWords,
  type MaybeUnknown,
  PUBLIC,
  permissionWords,
  sortedGrants,
  UNKNOWN,
} from "../model";
import type { DeclaredSet } from "./arguments";
import { canCreateVolumes, granteesIn, type Intent, includesGrantee, intentOf, volumesOf } from "./intent";

/**
 * The grants map of a declaration, as far as it is known.
 *
 * An unknown grantee has the key `account/[unknown]`. A grantee in `previous` has the value {@link UNKNOWN} if an unknown argument may
 * contain it. The map keeps grants in `previous` that no set can change or that this set never revokes, and grants in `claimed`, which other
 * sets declare. So these grants show no change.
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
    const words = withPrevious(key, wantedWords(intent, key), previous[key], includesGrantee(neverRevoke, key));
    if (words !== "") entries.set(key, words);
  }
  for (const [key, words] of Object.entries(claimed)) {
    const wanted = entries.get(key) ?? "";
    if (wanted !== UNKNOWN) entries.set(key, joinWords(wanted, words));
  }
  return sortedGrants([...entries, ...unknownEntries(intent)]);
}

/** The declared permissions of a grantee, as text. Empty: none. */
function wantedWords(intent: Intent, key: GranteeKey): MaybeUnknown<string> {
  const isOpen = intent.createVolume === UNKNOWN && canCreateVolumes(key);
  return intendedWords(intent, includesGrantee(intent.launch, key), isOpen ? UNKNOWN : includesGrantee(volumesOf(intent), key));
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

/** Adds the grantee's previous permissions if no set can change them, or if this set never revokes them. */
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
    entries.set(key, unknown.isWholeList ? UNKNOWN : intendedWords(intent, launch.unknown.includes(unknown), mayCreate));
  }
  return entries;
}

/** The grantees that lose a permission from `before` to `after`, as far as it is known. */
export function granteesLosingAccess(before: Grants, after: Readonly<Record<GranteeKey, MaybeUnknown<string>>>): GranteeKey[] {
  return Object.entries(before)
    .filter(([key, words]) => {
      const then = after[key] ?? "";
      return isManageable(key) && then !== UNKNOWN && joinWords(then, words) !== then;
    })
    .map(([key]) => key);
}
