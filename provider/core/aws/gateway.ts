/** The few things that this package asks of EC2 (and of KMS and STS about it), in its own terms; every implementation throws AmiSharingError only, and gives back only what was answered in the form that AWS documents. */

import type { GranteeKey } from "../model";

/** An image as EC2 describes it. */
export interface Image {
  readonly imageId: string;
  readonly ownerId: string;
  /** EC2's state: `available`, `pending`, `failed`, `disabled`, `deregistered`, … */
  readonly state: string;
  readonly name: string | undefined;
  /** The EBS snapshots in the image's block device mappings, sorted. */
  readonly snapshotIds: readonly string[];
  /** Whether any of these snapshots is encrypted. */
  readonly encrypted: boolean;
  /** Product codes of the AWS Marketplace; none for most images. */
  readonly productCodes: readonly string[];
  /** Keys of the image's watermarks; none for most images. */
  readonly watermarks: readonly string[];
}

/** A snapshot as EC2 describes it. */
export interface Snapshot {
  readonly snapshotId: string;
  readonly encrypted: boolean;
  /** The ARN of the key, where it is encrypted. */
  readonly kmsKeyId: string | undefined;
}

/** Whether new public sharing is refused. */
export interface PublicAccessBlock {
  readonly blocked: boolean;
  /** Set by a declarative policy of the organization: the account cannot change it. */
  readonly byPolicy: boolean;
}

/** The same of an account and region; undefined where the caller may not ask. */
export interface BlockPublicAccess {
  readonly images: PublicAccessBlock | undefined;
  readonly snapshots: PublicAccessBlock | undefined;
}

/** Grantees to add and to remove in one call. */
export interface LaunchChange {
  readonly add: readonly GranteeKey[];
  readonly remove: readonly GranteeKey[];
}

export type KeyManager = "AWS" | "CUSTOMER";

/** A grant of a KMS key. */
export interface KeyGrant {
  readonly keyId: string;
  readonly grantId: string;
  readonly name: string;
  /** The account of its grantee; empty for a service. */
  readonly accountId: string;
  readonly operations: readonly string[];
}

/** What is asked of KMS. Reading gives undefined where the caller may not, or the key is not there. */
export interface KeyGateway {
  manager(keyId: string): Promise<KeyManager | undefined>;
  /** The key policy, JSON. */
  policy(keyId: string): Promise<string | undefined>;
  grants(keyId: string): Promise<readonly KeyGrant[] | undefined>;
  /**
   * Admits an account to what launching and copying need; gives back the grant's id, the same for the same name and account.
   * A lost answer is made good where the grant shows. Errors: `not-authorized`.
   */
  createGrant(keyId: string, accountId: string, name: string): Promise<string>;
  /** A grant that is gone is fine. Errors: `not-authorized`. */
  revokeGrant(keyId: string, grantId: string): Promise<void>;
}

/** A report on who uses an image. */
export interface UsageReport {
  readonly reportId: string;
  readonly state: "pending" | "available" | "error";
  /** Why it is in error, where EC2 tells. */
  readonly reason: string | undefined;
  /** About every account, every kind of use, and as many launch template versions as EC2 looks at unless told otherwise. */
  readonly complete: boolean;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** How much an account uses an image. */
export interface Usage {
  readonly accountId: string;
  readonly resourceType: string;
  readonly count: number;
}

/** What is asked of EC2's image usage reports. */
export interface UsageGateway {
  reports(imageId: string): Promise<readonly UsageReport[]>;
  /** Asks for a complete one. */
  create(imageId: string): Promise<string>;
  entries(reportId: string): Promise<readonly Usage[]>;
  delete(reportId: string): Promise<void>;
}

/** A way to EC2 and what belongs to it, as `ec2Gateway` makes one. Most of what it is asked is internal to the functions that take it. */
export interface Gateway {
  /** @internal */
  readonly keys: KeyGateway;
  /** @internal */
  readonly usage: UsageGateway;
  /** The region that the calls go to. Errors: `region-missing`. */
  region(): Promise<string>;
  /** The account of the credentials; undefined where STS does not answer, or nothing that can be believed. Errors: `stopped`. @internal */
  callerAccountId(): Promise<string | undefined>;
  /** Errors: `image-not-found`, where EC2 says so or shows nothing twice. @internal */
  describeImage(imageId: string): Promise<Image>;
  /**
   * All images of the region, by id. `self`: the caller's own, disabled ones too. `others`: those of other accounts that are
   * shared with the caller's account, its organization or its unit; public ones are not.
   * One call for every 1,000. @internal
   */
  describeImages(owner: "self" | "others"): Promise<readonly Image[]>;
  /** The snapshots that exist, in one call for every 200; what does not show is asked for once more. @internal */
  describeSnapshots(snapshotIds: readonly string[]): Promise<readonly Snapshot[]>;
  /** Whether block public access is on. @internal */
  blockPublicAccess(): Promise<BlockPublicAccess>;
  /** Who may launch the image. Errors: `image-not-found`, `not-owner`. @internal */
  launchPermissions(imageId: string): Promise<ReadonlySet<GranteeKey>>;
  /** Who may create volumes from the snapshot. Errors: `snapshot-not-found`, `not-owner`. @internal */
  createVolumePermissions(snapshotId: string): Promise<ReadonlySet<GranteeKey>>;
  /**
   * Adds and removes together: one call for up to 10,000 grantees. What is there already, and what is not, does no harm.
   *
   * @internal
   */
  changeLaunchPermissions(imageId: string, change: LaunchChange): Promise<void>;
  /** Adds or removes, and does no harm as above: one call for every 500 grantees. @internal */
  changeCreateVolumePermissions(snapshotId: string, operation: "add" | "remove", grantees: readonly GranteeKey[]): Promise<void>;
  /** Removes every launch permission but the owner's. @internal */
  resetLaunchPermissions(imageId: string): Promise<void>;
  /** Removes every create-volume permission but the owner's. @internal */
  resetCreateVolumePermissions(snapshotId: string): Promise<void>;
}
