/** The record of a set: what the engine's state contains between two operations, and how it is encoded as outputs and decoded. */

import { isDeepStrictEqual } from "node:util";
import * as v from "valibot";
import { managedSnapshots, namedPermissions, type PermissionSet, targetPermissions, unnamedSnapshots } from "../declaration";
import {
  ACCOUNT_ID,
  AmiSharingError,
  decodeGrants,
  deserializePermissions,
  encodeGrants,
  filterGrantees,
  filterSnapshots,
  type GranteeKey,
  type Grants,
  granteeKeysSchema,
  grantsSchema,
  intersection,
  isManageable,
  markMissingKeyGrants,
  missingKeyGrantsIn,
  type Permissions,
  permissionsSchema,
  type SerializedPermissions,
  SNAPSHOT_ID,
  serializePermissions,
  union,
} from "../model";

/** The record of a set after an operation. */
export interface Recorded {
  readonly region: string;
  readonly ownerId: string;
  /** The EBS snapshots of the image. */
  readonly snapshotIds: readonly string[];
  /** What EC2 returned for the image and the managed snapshots. */
  readonly live: Permissions;
  /** What this set granted and has not revoked. EC2 may show less, if somebody else revoked a grant or the answer is old. */
  readonly granted: Permissions;
  /** What the last change of this set revoked. A refresh removes from it what somebody else has granted again. */
  readonly revoked?: Permissions;
  /** What this set granted and somebody else revoked, as a refresh showed. */
  readonly drifted?: Permissions;
  /** What the set wanted at that time, including grants to the owner. An engine may show this as its old value. */
  readonly wanted?: Permissions;
  /** The KMS grants that this set created (kmsAccess "grant"). */
  readonly keyGrants?: readonly OwnKeyGrant[];
  /** Accounts whose KMS grant of this set somebody else revoked. */
  readonly keyless?: ReadonlySet<GranteeKey>;
}

/** A KMS grant that a set created for an account. */
export interface OwnKeyGrant {
  /** The key's ARN. */
  readonly keyId: string;
  readonly grantId: string;
  readonly accountId: string;
}

/** The record as outputs of an engine. */
export interface RecordedOutputs {
  readonly region?: string;
  readonly ownerId?: string;
  readonly snapshotIds?: readonly string[];
  /** Who has access, as text for people. */
  readonly grants?: Grants;
  readonly record?: PermissionRecord;
  readonly kmsGrants?: readonly OwnKeyGrant[];
}

/** The record as plain data, which the next operation reads. `granted` is absent if it is what the set wants. Other fields are absent if empty. */
export interface PermissionRecord {
  /** The same permissions as `grants`. */
  readonly live: SerializedPermissions;
  readonly granted?: SerializedPermissions;
  readonly revoked?: SerializedPermissions;
  readonly drifted?: SerializedPermissions;
  readonly keyless?: readonly GranteeKey[];
}

/** The schema of a {@link PermissionRecord}. */
export const permissionRecordSchema = v.object({
  live: permissionsSchema,
  granted: v.optional(permissionsSchema),
  revoked: v.optional(permissionsSchema),
  drifted: v.optional(permissionsSchema),
  keyless: v.optional(granteeKeysSchema),
});

/** What older versions recorded instead of `record`, as grants maps. In these versions, `live` and `keyless` are only in `grants`. */
const olderRecord = {
  granted: v.optional(permissionsSchema),
  revoked: v.optional(permissionsSchema),
  drifted: v.optional(permissionsSchema),
};
const recordedOutputs = v.object({
  region: v.optional(v.string()),
  ownerId: v.optional(v.pipe(v.string(), v.regex(ACCOUNT_ID, "it is not an account id"))),
  snapshotIds: v.optional(v.array(v.pipe(v.string(), v.regex(SNAPSHOT_ID, "it is not a snapshot id")))),
  grants: grantsSchema,
  record: v.optional(permissionRecordSchema),
  ...olderRecord,
  kmsGrants: v.optional(
    v.array(
      v.object({
        keyId: v.pipe(v.string(), v.nonEmpty()),
        grantId: v.pipe(v.string(), v.nonEmpty()),
        accountId: v.pipe(v.string(), v.regex(ACCOUNT_ID, "it is not an account id")),
      }),
    ),
  ),
});

/** Encodes a record as outputs. They contain all grants on what an authoritative set manages, and what an additive set wants or granted. */
export function encodeRecorded(set: PermissionSet, recorded: Recorded): RecordedOutputs & { readonly record: PermissionRecord } {
  const { region, ownerId, snapshotIds, keyGrants, keyless = new Set() } = recorded;
  const live = shownBy(set, recorded);
  const grants = encodeGrants(live, unnamedSnapshots(set, recorded));
  const granted = serializePermissions(recorded.granted);
  const assumed = serializePermissions(targetPermissions(set, { ownerId, snapshotIds }));
  return {
    region,
    ownerId,
    snapshotIds: [...snapshotIds],
    grants: markMissingKeyGrants(grants, keyless),
    record: {
      live: serializePermissions(live),
      ...(isDeepStrictEqual(granted, assumed) ? {} : { granted }),
      ...(recorded.revoked ? { revoked: serializePermissions(recorded.revoked) } : {}),
      ...(recorded.drifted ? { drifted: serializePermissions(recorded.drifted) } : {}),
      ...(keyless.size > 0 ? { keyless: [...keyless].sort() } : {}),
    },
    ...(keyGrants ? { kmsGrants: keyGrants.map((grant) => ({ ...grant })) } : {}),
  };
}

/**
 * Decodes the outputs in a state to a record.
 *
 * @param outputs from a state of this version or an older one; users may have edited it
 * @param set the set that was recorded; undefined if its arguments cannot be read. Then all grants count as its own
 * @throws AmiSharingError `state-unreadable`
 */
export function decodeRecorded(
  outputs: Readonly<Record<keyof RecordedOutputs | keyof typeof olderRecord, unknown>> | object,
  set: PermissionSet | undefined,
): Recorded {
  const decoded = v.safeParse(recordedOutputs, outputs);
  if (!decoded.success) throw unreadable(decoded.issues[0], set);
  const { region = "", ownerId = "", snapshotIds = [], grants, record, kmsGrants } = decoded.output;
  const { granted, revoked, drifted } = record ?? decoded.output;
  const live = record ? deserializePermissions(record.live, snapshotIds) : decodeGrants(grants, snapshotIds);
  const keyless = record ? new Set(record.keyless) : missingKeyGrantsIn(grants);
  const wanted = set ? targetPermissions(set, { ownerId, snapshotIds }) : filterGrantees(live, isManageable);
  return {
    region,
    ownerId,
    snapshotIds,
    live,
    granted: granted ? deserializePermissions(granted, snapshotIds) : wanted,
    ...(revoked ? { revoked: deserializePermissions(revoked, snapshotIds) } : {}),
    ...(drifted ? { drifted: deserializePermissions(drifted, snapshotIds) } : {}),
    ...(kmsGrants ? { keyGrants: kmsGrants } : {}),
    ...(keyless.size > 0 ? { keyless } : {}),
    ...(set ? { wanted: namedPermissions(set, { snapshotIds }) } : {}),
  };
}

function unreadable(issue: v.BaseIssue<unknown>, set: PermissionSet | undefined): AmiSharingError {
  const [first] = issue.path ?? [];
  const name = String(first?.key ?? "record");
  const value = JSON.stringify((first as { value?: unknown } | undefined)?.value) ?? "absent";
  const shown = value.length > 60 ? `${value.slice(0, 57)}...` : value;
  const imageId = set?.imageId ?? "(not readable either)";
  return new AmiSharingError(
    "state-unreadable",
    `the state of the set of AMI ${imageId} cannot be read: ${name} is ${shown}${value === "absent" ? "" : `: ${issue.message}`}`,
    {
      ...(set ? { imageId } : {}),
      next: "restore the state from a backup, or refresh: it reads who has access, and counts what the arguments name as granted by the set",
    },
  );
}

/** The part of the live permissions that the outputs of a set show. */
function shownBy(set: PermissionSet, { live, granted, ownerId, snapshotIds }: Recorded): Permissions {
  const image = { ownerId, snapshotIds };
  if (set.mode === "additive") return intersection(live, union(targetPermissions(set, image), granted));
  const managed = managedSnapshots(set, image);
  return union(
    filterSnapshots(live, (id) => managed.includes(id)),
    intersection(granted, live),
  );
}
