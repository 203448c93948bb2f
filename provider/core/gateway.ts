/** The few things that this package asks of EC2 (and of KMS and STS about it), in its own terms; every implementation throws AmiSharingError only. */

import type { GranteeKey } from "./grantee";

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

/** Whether new public sharing is refused in an account and region; undefined where the caller may not ask. */
export interface BlockPublicAccess {
  readonly images: boolean | undefined;
  readonly snapshots: boolean | undefined;
}

/** Grantees to add and to remove in one call. */
export interface LaunchChange {
  readonly add: readonly GranteeKey[];
  readonly remove: readonly GranteeKey[];
}

export interface Gateway {
  /** The region that the calls go to. */
  region(): Promise<string>;
  /** The account of the credentials; undefined where STS does not answer. */
  callerAccountId(): Promise<string | undefined>;
  /** Errors: `image-not-found`. */
  describeImage(imageId: string): Promise<Image>;
  /**
   * All images of the region, by id. `self`: the caller's own, disabled ones too. `others`: those of other accounts that are
   * shared with the caller's account, its organization or its unit; public ones are not.
   * One call for every 1,000.
   */
  describeImages(owner: "self" | "others"): Promise<readonly Image[]>;
  /** The snapshots that exist, in one call for every 200. */
  describeSnapshots(snapshotIds: readonly string[]): Promise<readonly Snapshot[]>;
  /** Whether AWS or the customer manages a KMS key; undefined where KMS does not tell. */
  keyManager(kmsKeyId: string): Promise<"AWS" | "CUSTOMER" | undefined>;
  /** Whether block public access is on. */
  blockPublicAccess(): Promise<BlockPublicAccess>;
  /** Who may launch the image. Errors: `image-not-found`, `not-owner`. */
  launchPermissions(imageId: string): Promise<ReadonlySet<GranteeKey>>;
  /** Who may create volumes from the snapshot. Errors: `snapshot-not-found`, `not-owner`. */
  createVolumePermissions(snapshotId: string): Promise<ReadonlySet<GranteeKey>>;
  /** Adds and removes together: one call for up to 10,000 grantees. */
  changeLaunchPermissions(imageId: string, change: LaunchChange): Promise<void>;
  /** Adds or removes: one call for every 500 grantees. */
  changeCreateVolumePermissions(snapshotId: string, operation: "add" | "remove", grantees: readonly GranteeKey[]): Promise<void>;
  /** Removes every launch permission but the owner's. */
  resetLaunchPermissions(imageId: string): Promise<void>;
  /** Removes every create-volume permission but the owner's. */
  resetCreateVolumePermissions(snapshotId: string): Promise<void>;
}
