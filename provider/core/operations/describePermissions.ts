/** Reads with whom an image is shared, and returns plain lists, as on the Permissions tab of the EC2 console. */

import type { Gateway, Image, Snapshot } from "../aws";
import { encodeGrants, type GranteeKey, type Grants, type Permissions, PUBLIC, parseGranteeKey } from "../model";
import { readLive } from "../planning";

/** With whom an AMI is shared. The lists are sorted. They do not contain the owner, who always has access. */
export interface AmiPermissions {
  /** The AMI, `ami-…`. */
  readonly imageId: string;
  /** The AMI's region, such as `us-east-1`. */
  readonly region: string;
  /** The account that owns the AMI, 12 digits. */
  readonly ownerId: string;
  /** The AMI's name, if EC2 shows one. */
  readonly name?: string;
  /** Accounts that may launch the AMI, 12 digits each. */
  readonly accountIds: string[];
  /** Organizations whose accounts may launch it, by full ARN in lower case. */
  readonly organizationArns: string[];
  /** Organizational units whose accounts may launch it, by full ARN in lower case. */
  readonly organizationalUnitArns: string[];
  /** Whether every AWS account may launch it. */
  readonly public: boolean;
  /** Users that are not accounts, such as `aws-marketplace`. */
  readonly otherUserIds: string[];
  /** Whether any of the snapshots is encrypted. Then accounts that launch also need access to the key. */
  readonly encrypted: boolean;
  /** The EBS snapshots of the image and who may create volumes from them. */
  readonly snapshots: SnapshotPermissions[];
  /** The same permissions as a map: grantee → permissions. */
  readonly grants: Grants;
}

/** Who may create volumes from one snapshot of an AMI. An account needs this to copy the AMI, but not to launch it. */
export interface SnapshotPermissions {
  /** The snapshot, `snap-…`. */
  readonly snapshotId: string;
  /** Accounts that may create volumes from it, sorted, 12 digits each. */
  readonly accountIds: string[];
  /** Whether every AWS account may create volumes from it. */
  readonly public: boolean;
  /** Whether it is encrypted. Then these accounts also need access to the key. */
  readonly encrypted: boolean;
  /** The ARN of the key, if the snapshot is encrypted. */
  readonly kmsKeyId?: string;
}

/**
 * Reads with whom an AMI of the caller is shared, including grants that other tools made. It makes two calls, one call for each snapshot,
 * and one more call if a snapshot is encrypted.
 *
 * @param imageId `ami-…`, in the gateway's region
 * @throws AmiSharingError `image-not-found`; `not-owner`, because EC2 shows the permissions only to the owner of an AMI; errors of the
 *   connection, such as `not-authorized`
 */
export async function describePermissions(gateway: Gateway, imageId: string): Promise<AmiPermissions> {
  const described = await gateway.describeImage(imageId);
  const { live, gone } = await readLive(gateway, described, described.snapshotIds);
  const image = { ...described, snapshotIds: described.snapshotIds.filter((id) => !gone.has(id)) };
  const snapshots = image.encrypted ? await gateway.describeSnapshots(image.snapshotIds) : [];
  return amiPermissions(await gateway.region(), image, live, snapshots);
}

/**
 * The permissions of an AMI, made from what has been read.
 *
 * @param described the image's snapshots; may be empty if none is encrypted
 */
export function amiPermissions(region: string, image: Image, live: Permissions, described: readonly Snapshot[]): AmiPermissions {
  return {
    imageId: image.imageId,
    region,
    ownerId: image.ownerId,
    ...(image.name === undefined ? {} : { name: image.name }),
    ...byKind(live.launch),
    encrypted: image.encrypted,
    snapshots: image.snapshotIds.map((snapshotId) => {
      const { accountIds, public: everybody } = byKind(live.createVolume.get(snapshotId) ?? new Set());
      const { encrypted = false, kmsKeyId } = described.find((one) => one.snapshotId === snapshotId) ?? {};
      return { snapshotId, accountIds, public: everybody, encrypted, ...(kmsKeyId === undefined ? {} : { kmsKeyId }) };
    }),
    grants: encodeGrants(live, image.snapshotIds),
  };
}

function byKind(keys: ReadonlySet<GranteeKey>) {
  const grantees = [...keys].sort().map(parseGranteeKey);
  return {
    accountIds: grantees.flatMap((g) => (g.kind === "account" ? [g.accountId] : [])),
    organizationArns: grantees.flatMap((g) => (g.kind === "organization" ? [g.arn] : [])),
    organizationalUnitArns: grantees.flatMap((g) => (g.kind === "organizationalUnit" ? [g.arn] : [])),
    public: keys.has(PUBLIC),
    otherUserIds: grantees.flatMap((g) => (g.kind === "other" ? [g.userId] : [])),
  };
}
