/** Permissions as plain data, for state and for data that an engine passes between processes: their schema, and the conversion. */

import * as v from "valibot";
import type { GranteeKey } from "./grantee";
import { decodeGrants, type Grants, isGranteeKey, isPermissionWords } from "./grants";
import { SNAPSHOT_ID } from "./limits";
import type { Permissions } from "./permissions";

/** Permissions as plain data. Lists and snapshot ids are sorted. A snapshot without grantees is left out. */
export interface SerializedPermissions {
  readonly launch: readonly GranteeKey[];
  /** Snapshot → who may create volumes from it. */
  readonly createVolume: Readonly<Record<string, readonly GranteeKey[]>>;
}

/** Converts permissions to plain data: the inverse of {@link deserializePermissions}. */
export function serializePermissions({ launch, createVolume }: Permissions): SerializedPermissions {
  const onSnapshots = [...createVolume].map(([snapshotId, keys]) => [snapshotId, [...keys].sort()] as const);
  return { launch: [...launch].sort(), createVolume: Object.fromEntries(onSnapshots.sort(([a], [b]) => (a < b ? -1 : 1))) };
}

/**
 * Converts plain data to permissions. It also accepts a grants map, which older versions wrote.
 *
 * @param snapshotIds the snapshots that `createVolume` without snapshot ids means in a grants map
 */
export function deserializePermissions(written: SerializedPermissions | Grants, snapshotIds: readonly string[]): Permissions {
  if (!isSerializedPermissions(written)) return decodeGrants(written, snapshotIds);
  const onSnapshots = Object.entries(written.createVolume).map(([snapshotId, keys]) => [snapshotId, new Set(keys)] as const);
  return { launch: new Set(written.launch), createVolume: new Map(onSnapshots.filter(([, keys]) => keys.size > 0)) };
}

function isSerializedPermissions(written: SerializedPermissions | Grants): written is SerializedPermissions {
  return Array.isArray(written.launch);
}

/** The schema of a grants map. */
export const grantsSchema = v.pipe(
  v.unknown(),
  v.check((input) => !Array.isArray(input), "it is a list"),
  v.record(v.string(), v.string()),
  v.check((input) => Object.keys(input).every(isGranteeKey), "it has a key that is not a grantee"),
  v.check((input) => Object.values(input).every(isPermissionWords), "it has a value that is not a list of permissions"),
);

/** The schema of a list of grantees. */
export const granteeKeysSchema = v.array(v.pipe(v.string(), v.check(isGranteeKey, "it has an item that is not a grantee")));
const permissions = v.object({
  launch: granteeKeysSchema,
  createVolume: v.record(v.pipe(v.string(), v.regex(SNAPSHOT_ID, "it has a key that is not a snapshot id")), granteeKeysSchema),
});

/**
 * The schema of permissions as plain data, or as a grants map, which older versions wrote. It is not a union, because the messages of a
 * union would hide the messages of the schema.
 */
export const permissionsSchema = v.lazy((input) =>
  typeof input === "object" && input !== null && "launch" in input ? permissions : grantsSchema,
);
