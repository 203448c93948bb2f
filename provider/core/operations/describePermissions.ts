/** Who an image is shared with now, whole and in plain lists: the Permissions tab of the EC2 console. */

import type { Gateway, Image, Snapshot } from "../aws";
import { encodeGrants, type GranteeKey, type Grants, type Permissions, PUBLIC, parseGranteeKey } from "../model";
import { look } from "../planning";

/** Who an AMI is shared with. Lists are sorted; the owner, who always has access, is in none of them. */
export interface AmiPermissions {
  /** The AMI, `ami-…`. */
  readonly imageId: string;
  /** The AMI's region, such as `us-east-1`. */
  readonly region: string;
  /** The account that owns the AMI, 12 digits. */
  readonly ownerId: string;
  /** The AMI's name, where EC2 shows one. */
  readonly name?: string;
  /** Accounts that may launch the AMI, 12 digits each. */
  readonly accountIds: string[];
  /** Organizations all of whose accounts may launch it, by full ARN in lower case. */
  readonly organizationArns: string[];
  /** Organizational units all of whose accounts may launch it, by full ARN in lower case. */
  readonly organizationalUnitArns: string[];
  /** Whether every AWS account may launch it. */
  readonly public: boolean;
  /** Users that are no accounts, such as `aws-marketplace`. */
  readonly otherUserIds: string[];
  /** Whether any of the snapshots is encrypted: then accounts that launch need the key, too. */
  readonly encrypted: boolean;
  /** The EBS snapshots of the image and who may create volumes from them. */
  readonly snapshots: SnapshotPermissions[];
  /** The same as grantee → permissions. */
  readonly grants: Grants;
}

/** Who may create volumes from one of an AMI's snapshots, which copying the AMI needs and launching does not. */
export interface SnapshotPermissions {
  /** The snapshot, `snap-…`. */
  readonly snapshotId: string;
  /** Accounts that may create volumes from it, sorted, 12 digits each. */
  readonly accountIds: string[];
  /** Whether every AWS account may. */
  readonly public: boolean;
  /** Whether it is encrypted: then those accounts need its key, too. */
  readonly encrypted: boolean;
  /** The ARN of the key, where it is encrypted. */
  readonly kmsKeyId?: string;
}

/**
 * Who an AMI of the caller's is shared with now, whoever shared it. Two calls, one more for each snapshot, and one where any of them
 * is encrypted.
 *
 * @param imageId `ami-…`, in the gateway's region
 * @throws AmiSharingError `image-not-found`; `not-owner`, as EC2 shows permissions to an AMI's owner only; and the errors of the
 *   connection, such as `not-authorized`
 */
export async function describePermissions(gateway: Gateway, imageId: string): Promise<AmiPermissions> {
  const described = await gateway.describeImage(imageId);
  const { live, gone } = await look(gateway, described, described.snapshotIds);
  const image = { ...described, snapshotIds: described.snapshotIds.filter((id) => !gone.has(id)) };
  const snapshots = image.encrypted ? await gateway.describeSnapshots(image.snapshotIds) : [];
  return amiPermissions(await gateway.region(), image, live, snapshots);
}

/**
 * The same of what was read already.
 *
 * @param described the image's snapshots; may be absent where none is encrypted
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
