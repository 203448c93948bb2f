/** What an engine's state holds of a set between its operations. */

import type { Permissions } from "./permissions";

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
}

/** A KMS grant that a set made for an account. */
export interface OwnKeyGrant {
  /** The key's ARN. */
  readonly keyId: string;
  readonly grantId: string;
  readonly accountId: string;
}
