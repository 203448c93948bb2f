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
  intersection,
  isGranteeKey,
  isManageable,
  isPermissionWords,
  keylessIn,
  markKeyless,
  type Permissions,
  SNAPSHOT_ID,
  union,
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

/** A record as an engine keeps and shows it. `granted` is absent where it is what the set wants, the others where there is nothing. */
export interface RecordedOutputs {
  readonly region?: string;
  readonly ownerId?: string;
  readonly snapshotIds?: readonly string[];
  /** What the set shows: see {@link encodeRecorded}. */
  readonly grants?: Grants;
  readonly granted?: Grants;
  readonly revoked?: Grants;
  readonly drifted?: Grants;
  readonly kmsGrants?: readonly OwnKeyGrant[];
}

const grants = v.pipe(
  v.unknown(),
  v.check((input) => !Array.isArray(input), "it is a list"),
  v.record(v.string(), v.string()),
  v.check((input) => Object.keys(input).every(isGranteeKey), "a name in it is no grantee"),
  v.check((input) => Object.values(input).every(isPermissionWords), "a value in it is no list of permissions"),
);
const recordedOutputs = v.object({
  region: v.optional(v.string()),
  ownerId: v.optional(v.pipe(v.string(), v.regex(ACCOUNT_ID, "it is no account id"))),
  snapshotIds: v.optional(v.array(v.pipe(v.string(), v.regex(SNAPSHOT_ID, "it is no snapshot id")))),
  grants,
  granted: v.optional(grants),
  revoked: v.optional(grants),
  drifted: v.optional(grants),
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
  const unnamed = unnamedSnapshots(set, snapshotIds);
  const outputs = {
    region,
    ownerId,
    snapshotIds: [...snapshotIds],
    grants: markKeyless(encodeGrants(ofInterest(set, recorded), unnamed), keyless),
  };
  const granted = encodeGrants(recorded.granted, unnamed);
  const assumed = encodeGrants(targetPermissions(set, { ownerId, snapshotIds }), unnamed);
  return {
    ...outputs,
    ...(isDeepStrictEqual(granted, assumed) ? {} : { granted }),
    ...(recorded.revoked ? { revoked: encodeGrants(recorded.revoked, undefined) } : {}),
    ...(recorded.drifted ? { drifted: encodeGrants(recorded.drifted, undefined) } : {}),
    ...(keyGrants ? { kmsGrants: keyGrants.map((grant) => ({ ...grant })) } : {}),
  };
}

/**
 * What was recorded, as far as the next operation needs it. Where `granted` is absent, the set granted what it wants.
 *
 * @param outputs from a state, which people may have edited
 * @param set the set that was recorded; undefined where its arguments cannot be read any more: then all grants count as its own
 * @throws AmiSharingError `state-unreadable`
 */
export function decodeRecorded(
  outputs: Readonly<Record<keyof RecordedOutputs, unknown>> | object,
  set: PermissionSet | undefined,
): Recorded {
  const decoded = v.safeParse(recordedOutputs, outputs);
  if (!decoded.success) throw unreadable(decoded.issues[0], set);
  const { region = "", ownerId = "", snapshotIds = [], grants, granted, revoked, drifted, kmsGrants } = decoded.output;
  const live = decodeGrants(grants, snapshotIds);
  const keyless = keylessIn(grants);
  const wanted = set ? targetPermissions(set, { ownerId, snapshotIds }) : filterGrantees(live, isManageable);
  return {
    region,
    ownerId,
    snapshotIds,
    live,
    granted: granted ? decodeGrants(granted, snapshotIds) : wanted,
    ...(revoked ? { revoked: decodeGrants(revoked, snapshotIds) } : {}),
    ...(drifted ? { drifted: decodeGrants(drifted, snapshotIds) } : {}),
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

/** The snapshots that "createVolume" without names stands for: all, unless the set names its own. */
function unnamedSnapshots(set: PermissionSet, snapshotIds: readonly string[]): readonly string[] | undefined {
  return set.createVolume?.snapshotIds === undefined ? snapshotIds : undefined;
}

function ofInterest(set: PermissionSet, { live, granted, ownerId, snapshotIds }: Recorded): Permissions {
  const image = { ownerId, snapshotIds };
  if (set.mode === "additive") return intersection(live, union(targetPermissions(set, image), granted));
  const managed = managedSnapshots(set, image);
  return union(
    filterSnapshots(live, (id) => managed.includes(id)),
    intersection(granted, live),
  );
}
