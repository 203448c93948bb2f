/** What an engine's state holds of a set between its operations, and the outputs in which it is written down and read back. */

import { isDeepStrictEqual } from "node:util";
import * as v from "valibot";
import { managedSnapshots, namedPermissions, type PermissionSet, targetPermissions } from "../declaration";
import {
  ACCOUNT_ID,
  AmiSharingError,
  decodeGrants,
  encodeGrants,
  filterGrantees,
  filterSnapshots,
  type GranteeKey,
  type Grants,
  granteeKeysSchema,
  grantsSchema,
  intersection,
  isManageable,
  keylessIn,
  markKeyless,
  type Permissions,
  permissionsSchema,
  readPermissions,
  SNAPSHOT_ID,
  union,
  type WrittenPermissions,
  writePermissions,
} from "../model";

/** What is known of a set after an operation. */
export interface Recorded {
  readonly region: string;
  readonly ownerId: string;
  /** The EBS snapshots of the image. */
  readonly snapshotIds: readonly string[];
  /** What EC2 answered, for the image and the managed snapshots. */
  readonly live: Permissions;
  /** What this set granted and has not revoked; EC2 may show less, where somebody else took it away or an answer is old. */
  readonly granted: Permissions;
  /** What its last change revoked, less what a refresh showed to be granted by somebody else since. */
  readonly revoked?: Permissions;
  /** What it granted and a refresh since showed to be taken away by somebody else. */
  readonly drifted?: Permissions;
  /** What it wanted then, its owner included: an engine may show this as its old value. */
  readonly wanted?: Permissions;
  /** The KMS grants that this set made (kmsAccess "grant"). */
  readonly keyGrants?: readonly OwnKeyGrant[];
  /** Accounts whose KMS grant of this set somebody else revoked. */
  readonly keyless?: ReadonlySet<GranteeKey>;
}

/** A KMS grant that a set made for an account. */
export interface OwnKeyGrant {
  /** The key's ARN. */
  readonly keyId: string;
  readonly grantId: string;
  readonly accountId: string;
}

/** A record as an engine keeps and shows it. */
export interface RecordedOutputs {
  readonly region?: string;
  readonly ownerId?: string;
  readonly snapshotIds?: readonly string[];
  /** Who has access, in words for people: see {@link encodeRecorded}. */
  readonly grants?: Grants;
  readonly record?: PermissionRecord;
  readonly kmsGrants?: readonly OwnKeyGrant[];
}

/** What the next operation goes by. `granted` is absent where it is what the set wants, the others where there is nothing. */
export interface PermissionRecord {
  /** What `grants` says in words. */
  readonly live: WrittenPermissions;
  readonly granted?: WrittenPermissions;
  readonly revoked?: WrittenPermissions;
  readonly drifted?: WrittenPermissions;
  readonly keyless?: readonly GranteeKey[];
}

/** The schema of a {@link PermissionRecord}, for what carries one. */
export const permissionRecordSchema = v.object({
  live: permissionsSchema,
  granted: v.optional(permissionsSchema),
  revoked: v.optional(permissionsSchema),
  drifted: v.optional(permissionsSchema),
  keyless: v.optional(granteeKeysSchema),
});

/** What older versions recorded in place of `record`: words, and `live` and `keyless` in `grants` only. */
const olderRecord = {
  granted: v.optional(permissionsSchema),
  revoked: v.optional(permissionsSchema),
  drifted: v.optional(permissionsSchema),
};
const recordedOutputs = v.object({
  region: v.optional(v.string()),
  ownerId: v.optional(v.pipe(v.string(), v.regex(ACCOUNT_ID, "it is no account id"))),
  snapshotIds: v.optional(v.array(v.pipe(v.string(), v.regex(SNAPSHOT_ID, "it is no snapshot id")))),
  grants: grantsSchema,
  record: v.optional(permissionRecordSchema),
  ...olderRecord,
  kmsGrants: v.optional(
    v.array(
      v.object({
        keyId: v.pipe(v.string(), v.nonEmpty()),
        grantId: v.pipe(v.string(), v.nonEmpty()),
        accountId: v.pipe(v.string(), v.regex(ACCOUNT_ID, "it is no account id")),
      }),
    ),
  ),
});

/** The outputs of a set: in authoritative mode all grants on what it manages, in additive mode only what it wants or granted. */
export function encodeRecorded(set: PermissionSet, recorded: Recorded): RecordedOutputs {
  const { region, ownerId, snapshotIds, keyGrants, keyless = new Set() } = recorded;
  const live = shownBy(set, recorded);
  const grants = encodeGrants(live, set.createVolume?.snapshotIds === undefined ? snapshotIds : undefined);
  const granted = writePermissions(recorded.granted);
  const assumed = writePermissions(targetPermissions(set, { ownerId, snapshotIds }));
  return {
    region,
    ownerId,
    snapshotIds: [...snapshotIds],
    grants: markKeyless(grants, keyless),
    record: {
      live: writePermissions(live),
      ...(isDeepStrictEqual(granted, assumed) ? {} : { granted }),
      ...(recorded.revoked ? { revoked: writePermissions(recorded.revoked) } : {}),
      ...(recorded.drifted ? { drifted: writePermissions(recorded.drifted) } : {}),
      ...(keyless.size > 0 ? { keyless: [...keyless].sort() } : {}),
    },
    ...(keyGrants ? { kmsGrants: keyGrants.map((grant) => ({ ...grant })) } : {}),
  };
}

/**
 * What was recorded, as far as the next operation needs it.
 *
 * @param outputs from a state, which people may have edited, of this version or an older one
 * @param set the set that was recorded; undefined where its arguments cannot be read any more: then all grants count as its own
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
  const live = record ? readPermissions(record.live, snapshotIds) : decodeGrants(grants, snapshotIds);
  const keyless = record ? new Set(record.keyless) : keylessIn(grants);
  const wanted = set ? targetPermissions(set, { ownerId, snapshotIds }) : filterGrantees(live, isManageable);
  return {
    region,
    ownerId,
    snapshotIds,
    live,
    granted: granted ? readPermissions(granted, snapshotIds) : wanted,
    ...(revoked ? { revoked: readPermissions(revoked, snapshotIds) } : {}),
    ...(drifted ? { drifted: readPermissions(drifted, snapshotIds) } : {}),
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
    `what state records of the set of AMI ${imageId} cannot be read: ${name} is ${shown}${value === "absent" ? "" : `: ${issue.message}`}`,
    {
      ...(set ? { imageId } : {}),
      next: "restore the state from a backup, or refresh, which records anew who has access and counts what the arguments name as granted by the set",
    },
  );
}

/** What a set shows of who has access. */
function shownBy(set: PermissionSet, { live, granted, ownerId, snapshotIds }: Recorded): Permissions {
  const image = { ownerId, snapshotIds };
  if (set.mode === "additive") return intersection(live, union(targetPermissions(set, image), granted));
  const managed = managedSnapshots(set, image);
  return union(
    filterSnapshots(live, (id) => managed.includes(id)),
    intersection(granted, live),
  );
}
