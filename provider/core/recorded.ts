/** What an engine's state holds of a set between its operations, and the outputs in which it is written down and read back. */

import { isDeepStrictEqual } from "node:util";
import { type GranteeKey, isManageable } from "./grantee";
import { decodeGrants, encodeGrants, type Grants, keylessIn, markKeyless } from "./grants";
import { managedSnapshots, namedPermissions, type PermissionSet, targetPermissions } from "./permissionSet";
import { filterGrantees, filterSnapshots, intersection, type Permissions, union } from "./permissions";

/** What is known of a set after an operation. */
export interface Recorded {
  readonly region: string;
  readonly ownerId: string;
  /** The EBS snapshots of the image. */
  readonly snapshotIds: readonly string[];
  /** What EC2 answered, for the image and the managed snapshots. */
  readonly live: Permissions;
  /** What this set granted and holds still. */
  readonly granted: Permissions;
  /** What it wanted then, its owner included: an engine may show this as its old value. */
  readonly wanted?: Permissions;
  /** The KMS grants that this set made (kmsAccess "grant"). */
  readonly keyGrants?: readonly OwnKeyGrant[];
  /** Accounts whose KMS grant of this set somebody else retired. */
  readonly keyless?: ReadonlySet<GranteeKey>;
}

/** A KMS grant that a set made for an account. */
export interface OwnKeyGrant {
  /** The key's ARN. */
  readonly keyId: string;
  readonly grantId: string;
  readonly accountId: string;
}

/** A record as an engine keeps and shows it. `granted` is absent where it is what the set wants and has, `kmsGrants` where there are none. */
export interface RecordedOutputs {
  readonly region?: string;
  readonly ownerId?: string;
  readonly snapshotIds?: readonly string[];
  /** What the set shows: see {@link encodeRecorded}. */
  readonly grants?: Grants;
  readonly granted?: Grants;
  readonly kmsGrants?: readonly OwnKeyGrant[];
}

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
  const assumed = encodeGrants(decodeRecorded(outputs, set).granted, unnamed);
  return {
    ...outputs,
    ...(isDeepStrictEqual(granted, assumed) ? {} : { granted }),
    ...(keyGrants ? { kmsGrants: keyGrants.map((grant) => ({ ...grant })) } : {}),
  };
}

/**
 * What was recorded, as far as the next operation needs it. Where `granted` is absent, the set granted what it wants.
 *
 * @param set the set that was recorded; undefined where its arguments cannot be read any more: then all grants count as its own
 */
export function decodeRecorded(outputs: RecordedOutputs, set: PermissionSet | undefined): Recorded {
  const { region = "", ownerId = "", snapshotIds = [], grants = {}, granted, kmsGrants } = outputs;
  const live = decodeGrants(grants, snapshotIds);
  const keyless = keylessIn(grants);
  const wanted = set ? targetPermissions(set, { ownerId, snapshotIds }) : filterGrantees(live, isManageable);
  return {
    region,
    ownerId,
    snapshotIds,
    live,
    granted: granted ? decodeGrants(granted, snapshotIds) : intersection(live, wanted),
    ...(kmsGrants ? { keyGrants: kmsGrants } : {}),
    ...(keyless.size > 0 ? { keyless } : {}),
    ...(set ? { wanted: namedPermissions(set, { snapshotIds }) } : {}),
  };
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
