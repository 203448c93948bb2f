/**
 * The interface to EC2, and to KMS and STS, in the terms of this package. Every implementation throws only AmiSharingError, and returns
 * only answers of the form that AWS documents.
 */

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
  /** When it was created, ISO 8601, as EC2 returns it. */
  readonly createdAt?: string | undefined;
  /** The time after which new users no longer find it in lists, ISO 8601. */
  readonly deprecatedAt?: string | undefined;
  /** EC2's value, such as `enabled-without-cooldown` or `disabled`. */
  readonly deregistrationProtection?: string | undefined;
}

/** A snapshot as EC2 describes it. */
export interface Snapshot {
  readonly snapshotId: string;
  readonly encrypted: boolean;
  /** The ARN of the key, if the snapshot is encrypted. */
  readonly kmsKeyId: string | undefined;
}

/** Whether block public access refuses new public sharing. */
export interface PublicAccessBlock {
  readonly blocked: boolean;
  /** Whether a declarative policy of the organization sets it, so that the account cannot change it. */
  readonly byPolicy: boolean;
}

/** Block public access of an account and region. A field is undefined if the caller may not read it. */
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
  /** The account of the grantee principal; empty if the principal is a service. */
  readonly accountId: string;
  readonly operations: readonly string[];
}

/** The interface to KMS. Reads return undefined if the caller may not read, or if the key does not exist. */
export interface KeyGateway {
  manager(keyId: string): Promise<KeyManager | undefined>;
  /** The key policy, JSON. */
  policy(keyId: string): Promise<string | undefined>;
  grants(keyId: string): Promise<readonly KeyGrant[] | undefined>;
  /**
   * Creates a grant that lets an account launch and copy, and returns its id. The id is the same for the same name and account.
   * If the answer is lost, the id is taken from ListGrants if the grant is there. Errors: `not-authorized`.
   */
  createGrant(keyId: string, accountId: string, name: string): Promise<string>;
  /** It is no error if the grant does not exist. Errors: `not-authorized`. */
  revokeGrant(keyId: string, grantId: string): Promise<void>;
}

/** A report on who uses an image. */
export interface UsageReport {
  readonly reportId: string;
  readonly state: "pending" | "available" | "error";
  /** Why the state is `error`, if EC2 gives a reason. */
  readonly reason: string | undefined;
  /** Whether it covers every account, every kind of use, and at least EC2's default number of launch template versions. */
  readonly complete: boolean;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** How many resources of one type in an account use an image. */
export interface Usage {
  readonly accountId: string;
  readonly resourceType: string;
  readonly count: number;
}

/** The interface to EC2's image usage reports. */
export interface UsageGateway {
  reports(imageId: string): Promise<readonly UsageReport[]>;
  /** Creates a complete report, and returns its id. */
  create(imageId: string): Promise<string>;
  entries(reportId: string): Promise<readonly Usage[]>;
  delete(reportId: string): Promise<void>;
}

/** The access to EC2, KMS and STS that `ec2Gateway` returns. Most of its methods are internal: pass it to the functions of this package. */
export interface Gateway {
  /** @internal */
  readonly keys: KeyGateway;
  /** @internal */
  readonly usage: UsageGateway;
  /** The region that the calls go to. Errors: `region-missing`. */
  region(): Promise<string>;
  /** The account of the credentials. Undefined if STS does not answer, or if its answer is not valid. Errors: `stopped`. @internal */
  callerAccountId(): Promise<string | undefined>;
  /**
   * Images that are asked for within a few milliseconds share a call. Errors: `image-not-found`, if EC2 says so, or if two answers do not
   * contain the image. @internal
   */
  describeImage(imageId: string): Promise<Image>;
  /**
   * Returns images of the region, sorted by id. `self`: the caller's own images, also disabled ones. `others`: images of other accounts
   * that are shared with the caller's account, organization or unit, but not public images. One call for every 1,000 images. @internal
   */
  describeImages(owner: "self" | "others"): Promise<readonly Image[]>;
  /** Returns the snapshots that exist. One call for every 200 ids, and a second one if the answer lacks any of them. @internal */
  describeSnapshots(snapshotIds: readonly string[]): Promise<readonly Snapshot[]>;
  /** Returns the regions that are enabled for the account, sorted. @internal */
  regions(): Promise<readonly string[]>;
  /** Returns whether block public access is on, for images and for snapshots. @internal */
  blockPublicAccess(): Promise<BlockPublicAccess>;
  /** Returns who may launch the image. Errors: `image-not-found`, `not-owner`. @internal */
  launchPermissions(imageId: string): Promise<ReadonlySet<GranteeKey>>;
  /** Returns who may create volumes from the snapshot. Errors: `snapshot-not-found`, `not-owner`. @internal */
  createVolumePermissions(snapshotId: string): Promise<ReadonlySet<GranteeKey>>;
  /**
   * Adds and removes launch permissions: one call for up to 10,000 grantees. It is no error to add a grantee that is there already, or to
   * remove one that is not there.
   *
   * @internal
   */
  changeLaunchPermissions(imageId: string, change: LaunchChange): Promise<void>;
  /** Adds or removes create-volume permissions, with the same rule for repetitions: one call for every 500 grantees. @internal */
  changeCreateVolumePermissions(snapshotId: string, operation: "add" | "remove", grantees: readonly GranteeKey[]): Promise<void>;
  /** Removes every launch permission but the owner's. @internal */
  resetLaunchPermissions(imageId: string): Promise<void>;
  /** Removes every create-volume permission but the owner's. @internal */
  resetCreateVolumePermissions(snapshotId: string): Promise<void>;
}
