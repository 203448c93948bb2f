/** The grants map, which previews show and state contains: grantee → permissions as text. Encoding and decoding it. */

import type { GranteeKey } from "./grantee";
import { granteesOf, type Permissions } from "./permissions";

/**
 * Grantee key → `launch`, `createVolume`, or `launch, createVolume`. For create-volume permission on some of the snapshots, the text names
 * them: `launch, createVolume on snap-…, snap-…`. Keys are sorted. After a refresh, the text ends in ` (key grant gone)` for an account
 * whose KMS grant somebody else revoked.
 */
export type Grants = Record<GranteeKey, string>;

const LAUNCH = "launch";
const CREATE_VOLUME = "createVolume";
const ON = " on ";
const KEYLESS = " (key grant gone)";

/** The text for one grantee. */
export function permissionWords(launch: boolean, createVolume: CreateVolumeWords): string {
  const words: string[] = launch ? [LAUNCH] : [];
  if (createVolume === "all") words.push(CREATE_VOLUME);
  else if (createVolume !== "none" && createVolume.length > 0)
    words.push(CREATE_VOLUME + ON + [...createVolume].sort().join(", "));
  return words.join(", ");
}

/**
 * Encodes permissions as a grants map.
 *
 * @param allSnapshotIds the snapshots that `createVolume` without snapshot ids means; undefined: the text always names the snapshots
 */
export function encodeGrants(permissions: Permissions, allSnapshotIds: readonly string[] | undefined): Grants {
  return sortedGrants(
    [...granteesOf(permissions)].map((key) => {
      const on = [...permissions.createVolume].filter(([, keys]) => keys.has(key)).map(([snapshotId]) => snapshotId);
      const everywhere = allSnapshotIds?.length === on.length && allSnapshotIds.every((id) => on.includes(id));
      return [key, permissionWords(permissions.launch.has(key), on.length === 0 ? "none" : everywhere ? "all" : on)];
    }),
  );
}

/**
 * The text for the union of two texts of one grantee. A preview compares grants maps and not permissions, because the program does not know
 * which snapshots `createVolume` without snapshot ids means.
 */
export function joinWords(a: string, b: string): string {
  const [x, y] = [parseWords(a), parseWords(b)];
  const named = (volumes: CreateVolumeWords) => (typeof volumes === "string" ? [] : volumes);
  const both = [...new Set([...named(x.createVolume), ...named(y.createVolume)])];
  const everywhere = x.createVolume === "all" || y.createVolume === "all";
  return permissionWords(x.launch || y.launch, everywhere ? "all" : both.length > 0 ? both : "none");
}

/** Decodes a grants map. @param allSnapshotIds the snapshots that `createVolume` without snapshot ids means */
export function decodeGrants(grants: Grants, allSnapshotIds: readonly string[]): Permissions {
  const launch = new Set<GranteeKey>();
  const createVolume = new Map<string, Set<GranteeKey>>();
  for (const [key, words] of Object.entries(grants)) {
    const held = parseWords(words);
    if (held.launch) launch.add(key);
    const snapshotIds = held.createVolume === "all" ? allSnapshotIds : held.createVolume === "none" ? [] : held.createVolume;
    for (const id of snapshotIds) createVolume.set(id, (createVolume.get(id) ?? new Set()).add(key));
  }
  return { launch, createVolume };
}

/** The grants with a mark on each account whose KMS grant is missing. */
export function markMissingKeyGrants(grants: Grants, keyless: ReadonlySet<GranteeKey>): Grants {
  return Object.fromEntries(Object.entries(grants).map(([key, words]) => [key, keyless.has(key) ? words + KEYLESS : words]));
}

/** The accounts that are marked as missing their KMS grant. */
export function missingKeyGrantsIn(grants: Grants): ReadonlySet<GranteeKey> {
  return new Set(Object.keys(grants).filter((key) => grants[key]?.endsWith(KEYLESS)));
}

/** Whether a text is the value of a grants map. */
export function isPermissionWords(text: unknown): text is string {
  return typeof text === "string" && WORDS.test(text);
}

/** Whether a text is a key of a grants map. */
export function isGranteeKey(text: string): boolean {
  return KEY.test(text);
}

const WORDS = /^(launch|(launch, )?createVolume( on snap-[0-9a-f]+(, snap-[0-9a-f]+)*)?)( \(key grant gone\))?$/;
const KEY = /^(account\/\d{12}|public|user\/.*|arn:.+)$/s;

/** The snapshots on which a grantee has create-volume permission. */
type CreateVolumeWords = "none" | "all" | readonly string[];

/** The inverse of {@link permissionWords}. */
function parseWords(text: string): { launch: boolean; createVolume: CreateVolumeWords } {
  const words = text.endsWith(KEYLESS) ? text.slice(0, -KEYLESS.length) : text;
  const launch = words === LAUNCH || words.startsWith(`${LAUNCH}, `);
  const at = words.indexOf(CREATE_VOLUME);
  if (at < 0) return { launch, createVolume: "none" };
  const named = words.slice(at + CREATE_VOLUME.length);
  return { launch, createVolume: named.startsWith(ON) ? named.slice(ON.length).split(", ") : "all" };
}

/** A map with sorted keys, so that equal grants are equal as text. */
export function sortedGrants<Words>(entries: Iterable<readonly [GranteeKey, Words]>): Record<GranteeKey, Words> {
  return Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}
