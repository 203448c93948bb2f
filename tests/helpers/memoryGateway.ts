/** A model of EC2 in memory with the Gateway interface, and with faults. The gateway contract checks that it behaves as EC2. */

import {
  AmiSharingError,
  accountKey,
  type BlockPublicAccess,
  type Gateway,
  type GranteeKey,
  type Image,
  isManageable,
  type KeyGateway,
  type KeyGrant,
  type LaunchChange,
  PUBLIC,
  parseGranteeKey,
  type Snapshot,
  type Usage,
  type UsageGateway,
} from "../../provider/core";
import { GRANT_OPERATIONS } from "../../provider/core/aws/kmsGateway";
import { batches } from "../../provider/core/model/batches";
import { MAX_LAUNCH_CHANGES_PER_CALL, MAX_SNAPSHOT_CHANGES_PER_CALL } from "../../provider/core/model/limits";

export const OWNER = "123456789012";

/** A key policy that admits only the owner. */
const NO_POLICY = JSON.stringify({
  Statement: [{ Effect: "Allow", Principal: { AWS: `arn:aws:iam::${OWNER}:root` }, Action: "kms:*", Resource: "*" }],
});

/** A call as the model counts it: one request. */
export interface MemoryCall {
  readonly action: string;
  readonly resource: string;
}

/** A future failure: of the `nth` call from now (1 is the next) that `matching` accepts. */
export interface Fault {
  readonly nth?: number;
  /** Whether EC2 makes the change before the answer is lost. */
  readonly applied?: boolean;
  readonly matching?: (call: MemoryCall) => boolean;
  readonly error?: AmiSharingError;
  readonly onFire?: (call: MemoryCall) => void;
}

interface MemoryUsageReport {
  readonly imageId: string;
  readonly reportId: string;
  readonly createdAt: number;
  pending: number;
  /** Why the state of the report is `error`. */
  readonly error?: string | undefined;
  /** The accounts that the report is limited to. */
  readonly limitedTo?: readonly string[];
}

interface MemoryImage {
  readonly ownerId: string;
  state: string;
  readonly snapshotIds: string[];
  readonly launch: Set<GranteeKey>;
  readonly productCodes: string[];
  readonly watermarks: string[];
}

interface MemorySnapshot {
  readonly ownerId: string;
  readonly grantees: Set<GranteeKey>;
  /** The key it is encrypted under. */
  kmsKeyId: string | undefined;
}

/** The key of alias/aws/ebs. */
export const AWS_MANAGED_KEY = "arn:aws:kms:us-east-1:123456789012:key/aws-managed";

/** Called with what a call changed: the added and the removed grantees. */
export type ChangeListener = (resource: string, added: readonly GranteeKey[], removed: readonly GranteeKey[]) => void;

export class MemoryGateway implements Gateway {
  readonly images = new Map<string, MemoryImage>();
  readonly snapshots = new Map<string, MemorySnapshot>();
  /** Every call since the start or {@link forgetCalls}, including refused ones. */
  calls: MemoryCall[] = [];
  /** How many reads after a change return the old value. */
  staleReads = 0;
  entityQuota = 1000;
  publicAccessBlocked = false;
  /** Whether a declarative policy sets it. */
  publicAccessByPolicy = false;
  /** IAM actions that the caller may not call, such as `kms:DescribeKey`. */
  denied: string[] = [];
  /** The account of the caller's credentials; undefined if STS does not answer. */
  caller: string | undefined = OWNER;
  /** The key policies, by key, and the grants of all keys. */
  readonly policies = new Map<string, string>();
  keyGrants: KeyGrant[] = [];
  /** The usage by image, the usage reports, and how many reads of a new report return `pending`. */
  readonly uses = new Map<string, Usage[]>();
  usageReports: MemoryUsageReport[] = [];
  usagePending = 0;
  /** Why a new report ends in error; undefined if it does not. */
  usageError: string | undefined;
  onChange: ChangeListener = () => undefined;
  private faults: { left: number; fault: Fault }[] = [];
  private readonly older = new Map<string, { reads: number; grantees: ReadonlySet<GranteeKey> }>();
  private made = 0;
  private reads = 0;

  constructor(private readonly regionName = "us-east-1") {}

  /** Makes an available image with the given number of snapshots. */
  addImage(snapshots = 2, ownerId = OWNER): { imageId: string; snapshotIds: string[] } {
    const id = (prefix: string) => `${prefix}-${(++this.made).toString(16).padStart(17, "0")}`;
    const imageId = id("ami");
    const snapshotIds = Array.from({ length: snapshots }, () => id("snap"));
    for (const snapshotId of snapshotIds) this.snapshots.set(snapshotId, { ownerId, grantees: new Set(), kmsKeyId: undefined });
    this.images.set(imageId, {
      ownerId,
      state: "available",
      snapshotIds,
      launch: new Set(),
      productCodes: [],
      watermarks: [],
    });
    return { imageId, snapshotIds };
  }

  /** Encrypts a snapshot under a key. */
  encrypt(snapshotId: string, kmsKeyId = AWS_MANAGED_KEY): void {
    const snapshot = this.snapshots.get(snapshotId);
    if (snapshot) snapshot.kmsKeyId = kmsKeyId;
  }

  /** The grantees of a resource now, without faults and delays. A test can change them, as another user of EC2 would. */
  grantees(resource: string): Set<GranteeKey> {
    const grantees = this.images.get(resource)?.launch ?? this.snapshots.get(resource)?.grantees;
    if (!grantees) throw new Error(`${resource} is not there`);
    return grantees;
  }

  /** All permissions of an image and its snapshots, sorted: `resource` → grantees. */
  everything(imageId: string): Record<string, GranteeKey[]> {
    const resources = [imageId, ...(this.images.get(imageId)?.snapshotIds ?? [])];
    return Object.fromEntries(resources.map((resource) => [resource, [...this.grantees(resource)].sort()]));
  }

  /** Ends all delays: every read returns the current value. */
  catchUp(): void {
    this.staleReads = 0;
    this.older.clear();
  }

  fail(fault: Fault = {}): void {
    this.faults.push({ left: fault.nth ?? 1, fault });
  }

  clearFaults(): void {
    this.faults = [];
  }

  forgetCalls(): void {
    this.calls = [];
  }

  /** Calls that change something, as `Action resource`. */
  modifications(): string[] {
    return this.calls
      .filter(({ action }) => /^(Modify|Reset)/.test(action))
      .map(({ action, resource }) => `${action} ${resource}`);
  }

  async callerAccountId(): Promise<string | undefined> {
    return this.caller;
  }

  async region(): Promise<string> {
    return this.regionName;
  }

  async describeImage(imageId: string): Promise<Image> {
    return this.call("DescribeImages", imageId, () => this.described(imageId));
  }

  async describeImages(owner: "self" | "others"): Promise<readonly Image[]> {
    return this.call("DescribeImages", "", () =>
      [...this.images]
        .filter(([, { ownerId, launch }]) =>
          owner === "self" ? ownerId === OWNER : ownerId !== OWNER && launch.has(accountKey(OWNER)),
        )
        .map(([imageId]) => this.described(imageId))
        .sort((a, b) => (a.imageId < b.imageId ? -1 : 1)),
    );
  }

  async regions(): Promise<readonly string[]> {
    return this.call("DescribeRegions", "", () => [this.regionName]);
  }

  async describeSnapshots(snapshotIds: readonly string[]): Promise<readonly Snapshot[]> {
    return this.call("DescribeSnapshots", snapshotIds.join(", "), () =>
      [...snapshotIds].sort().flatMap((snapshotId) => {
        const snapshot = this.snapshots.get(snapshotId);
        return snapshot ? [{ snapshotId, encrypted: snapshot.kmsKeyId !== undefined, kmsKeyId: snapshot.kmsKeyId }] : [];
      }),
    );
  }

  readonly keys: KeyGateway = {
    manager: (keyId) =>
      this.call("DescribeKey", keyId, () => this.unlessDenied("DescribeKey", keyId === AWS_MANAGED_KEY ? "AWS" : "CUSTOMER")),
    policy: (keyId) =>
      this.call("GetKeyPolicy", keyId, () => this.unlessDenied("GetKeyPolicy", this.policies.get(keyId) ?? NO_POLICY)),
    grants: (keyId) =>
      this.call("ListGrants", keyId, () =>
        this.unlessDenied(
          "ListGrants",
          this.keyGrants.filter((grant) => grant.keyId === keyId),
        ),
      ),
    createGrant: (keyId, accountId, name) =>
      this.call("CreateGrant", keyId, () => {
        if (this.denied.includes("kms:CreateGrant"))
          throw new AmiSharingError("not-authorized", "the caller may not call kms:CreateGrant");
        const known = this.keyGrants.find(
          (grant) => grant.keyId === keyId && grant.accountId === accountId && grant.name === name,
        );
        if (known) return known.grantId;
        const grantId = `grant-${++this.made}`;
        this.keyGrants.push({ keyId, grantId, name, accountId, operations: [...GRANT_OPERATIONS] });
        return grantId;
      }),
    revokeGrant: (keyId, grantId) =>
      this.call("RevokeGrant", keyId, () => {
        if (this.denied.includes("kms:RevokeGrant"))
          throw new AmiSharingError("not-authorized", "the caller may not call kms:RevokeGrant");
        this.keyGrants = this.keyGrants.filter((grant) => grant.grantId !== grantId);
      }),
  };

  readonly usage: UsageGateway = {
    reports: (imageId) =>
      this.call("DescribeImageUsageReports", imageId, () =>
        this.usageReports
          .filter((report) => report.imageId === imageId)
          .map((report) => {
            const { reportId, createdAt, pending, error, limitedTo } = report;
            report.pending = Math.max(0, pending - 1);
            const state = pending > 0 ? "pending" : error === undefined ? "available" : "error";
            return { reportId, createdAt, state, reason: error, complete: limitedTo === undefined };
          }),
      ),
    create: (imageId) =>
      this.call("CreateImageUsageReport", imageId, () => {
        const reportId = `amiur-${++this.made}`;
        this.usageReports.push({
          imageId,
          reportId,
          createdAt: Date.now(),
          pending: this.usagePending,
          error: this.usageError,
        });
        return reportId;
      }),
    entries: (reportId) =>
      this.call("DescribeImageUsageReportEntries", reportId, () => {
        const report = this.usageReports.find((one) => one.reportId === reportId);
        const uses = report && report.error === undefined ? (this.uses.get(report.imageId) ?? []) : [];
        return uses.filter(({ accountId }) => report?.limitedTo?.includes(accountId) ?? true);
      }),
    delete: (reportId) =>
      this.call("DeleteImageUsageReport", reportId, () => {
        if (this.denied.includes("ec2:DeleteImageUsageReport"))
          throw new AmiSharingError("not-authorized", "the caller may not call ec2:DeleteImageUsageReport");
        this.usageReports = this.usageReports.filter((one) => one.reportId !== reportId);
      }),
  };

  /** Returns undefined if the caller may not read. */
  private unlessDenied<Value>(action: string, value: Value): Value | undefined {
    return this.denied.includes(`kms:${action}`) ? undefined : value;
  }

  async blockPublicAccess(): Promise<BlockPublicAccess> {
    const block = { blocked: this.publicAccessBlocked, byPolicy: this.publicAccessByPolicy };
    const state = (action: string) => this.call(action, "", () => (this.denied.includes(`ec2:${action}`) ? undefined : block));
    return {
      images: await state("GetImageBlockPublicAccessState"),
      snapshots: await state("GetSnapshotBlockPublicAccessState"),
    };
  }

  async launchPermissions(imageId: string): Promise<ReadonlySet<GranteeKey>> {
    return this.call("DescribeImageAttribute", imageId, () => this.visible(imageId, this.ownImage(imageId).launch));
  }

  async createVolumePermissions(snapshotId: string): Promise<ReadonlySet<GranteeKey>> {
    return this.call("DescribeSnapshotAttribute", snapshotId, () =>
      this.visible(snapshotId, this.ownSnapshot(snapshotId).grantees),
    );
  }

  async changeLaunchPermissions(imageId: string, change: LaunchChange): Promise<void> {
    const changes = [...change.add.map((key) => ({ key, add: true })), ...change.remove.map((key) => ({ key, add: false }))];
    for (const { key } of changes) refuseUnmanageable(key);
    for (const batch of batches(changes, MAX_LAUNCH_CHANGES_PER_CALL))
      await this.call("ModifyImageAttribute", imageId, () => {
        const { launch } = this.changeableImage(imageId);
        for (const { key } of batch) checkGrantee(imageId, key, true);
        const add = batch.filter((one) => one.add).map(({ key }) => key);
        this.refuseSharing(imageId, add);
        const remove = batch.filter((one) => !one.add).map(({ key }) => key);
        const after = new Set([...launch, ...add].filter((key) => !remove.includes(key)));
        if (add.length > 0 && [...after].filter((key) => key !== PUBLIC).length > this.entityQuota)
          throw new AmiSharingError("quota-exceeded", `sharing ${imageId} would exceed a quota`, { imageId });
        this.change(imageId, launch, add, remove);
      });
  }

  async changeCreateVolumePermissions(
    snapshotId: string,
    operation: "add" | "remove",
    grantees: readonly GranteeKey[],
  ): Promise<void> {
    for (const batch of batches(grantees, MAX_SNAPSHOT_CHANGES_PER_CALL)) {
      for (const key of batch) checkGrantee(snapshotId, key, false);
      await this.call("ModifySnapshotAttribute", snapshotId, () => {
        const { grantees: now, ownerId } = this.ownSnapshot(snapshotId);
        for (const key of batch) checkGrantee(snapshotId, key, true);
        if (operation === "add") this.refuseSharing(snapshotId, batch);
        const effective = batch.filter((key) => key !== accountKey(ownerId));
        this.change(snapshotId, now, operation === "add" ? effective : [], operation === "remove" ? effective : []);
      });
    }
  }

  async resetLaunchPermissions(imageId: string): Promise<void> {
    await this.call("ResetImageAttribute", imageId, () => {
      const { launch } = this.changeableImage(imageId);
      this.change(imageId, launch, [], [...launch].filter(isManageable));
    });
  }

  async resetCreateVolumePermissions(snapshotId: string): Promise<void> {
    await this.call("ResetSnapshotAttribute", snapshotId, () => {
      const { grantees } = this.ownSnapshot(snapshotId);
      this.change(snapshotId, grantees, [], [...grantees].filter(isManageable));
    });
  }

  /** Refuses what EC2 refuses to share, for an image and for its snapshots. */
  private refuseSharing(resource: string, add: readonly GranteeKey[]): void {
    if (add.length === 0) return;
    const image = this.images.get(resource);
    const snapshots = (image?.snapshotIds ?? [resource]).flatMap((id) => this.snapshots.get(id) ?? []);
    if (snapshots.some(({ kmsKeyId }) => kmsKeyId === AWS_MANAGED_KEY))
      throw refused(resource, "it is under the AWS managed key");
    if (!add.includes(PUBLIC)) return;
    if (this.publicAccessBlocked) throw new AmiSharingError("public-access-blocked", `block public access is on for ${resource}`);
    if (snapshots.some(({ kmsKeyId }) => kmsKeyId !== undefined)) throw refused(resource, "it is encrypted");
    if (image && image.productCodes.length > 0) throw refused(resource, "it has a product code");
    if (image && image.watermarks.length > 0) throw refused(resource, "it has a watermark");
  }

  /** Runs one request: counts it and, if a fault is set for it, fails before or after the change. */
  private async call<Answer>(action: string, resource: string, answer: () => Answer): Promise<Answer> {
    // As with a real connection, the answer is asynchronous.
    await new Promise((resolve) => setImmediate(resolve));
    const call = { action, resource };
    this.calls.push(call);
    const due = this.faults.filter(({ fault }) => fault.matching?.(call) ?? true);
    for (const entry of due) entry.left -= 1;
    const now = due.find(({ left }) => left === 0);
    if (!now) return answer();
    this.faults = this.faults.filter((entry) => entry !== now);
    now.fault.onFire?.(call);
    if (now.fault.applied) answer();
    throw now.fault.error ?? new AmiSharingError("endpoint-unreachable", `${action} of ${resource} was not answered`);
  }

  private change(resource: string, grantees: Set<GranteeKey>, add: readonly GranteeKey[], remove: readonly GranteeKey[]): void {
    const before = new Set(grantees);
    for (const key of add) grantees.add(key);
    for (const key of remove) grantees.delete(key);
    if (this.staleReads > 0) this.older.set(resource, { reads: this.staleReads, grantees: before });
    this.onChange(
      resource,
      [...grantees].filter((key) => !before.has(key)),
      [...before].filter((key) => !grantees.has(key)),
    );
  }

  private described(imageId: string): Image {
    const image = this.images.get(imageId) ?? absentImage(imageId);
    return {
      imageId,
      ownerId: image.ownerId,
      state: image.state,
      name: "model",
      snapshotIds: [...image.snapshotIds].sort(),
      encrypted: image.snapshotIds.some((id) => this.snapshots.get(id)?.kmsKeyId !== undefined),
      productCodes: image.productCodes,
      watermarks: image.watermarks,
    };
  }

  private visible(resource: string, now: ReadonlySet<GranteeKey>): ReadonlySet<GranteeKey> {
    const older = this.older.get(resource);
    if (older && older.reads > 0) {
      older.reads -= 1;
      return new Set(older.grantees);
    }
    // EC2 API reference, DescribeImageAttribute: the order of the answer may vary.
    this.reads += 1;
    return new Set(this.reads % 2 === 0 ? now : [...now].reverse());
  }

  private ownImage(imageId: string): MemoryImage {
    const image = this.images.get(imageId) ?? absentImage(imageId);
    if (image.ownerId !== OWNER) throw new AmiSharingError("not-owner", `${imageId} belongs to another account`, { imageId });
    if (image.state === "deregistered") throw unavailable(imageId);
    return image;
  }

  private changeableImage(imageId: string): MemoryImage {
    const image = this.ownImage(imageId);
    if (image.state === "available") return image;
    throw unavailable(imageId);
  }

  private ownSnapshot(snapshotId: string): MemorySnapshot {
    const snapshot = this.snapshots.get(snapshotId);
    if (!snapshot) throw new AmiSharingError("snapshot-not-found", `there is no snapshot ${snapshotId}`);
    if (snapshot.ownerId !== OWNER) throw new AmiSharingError("not-owner", `${snapshotId} belongs to another account`);
    return snapshot;
  }
}

function unavailable(imageId: string): AmiSharingError {
  return new AmiSharingError("image-not-found", `AMI ${imageId} is deregistered or cannot be changed now`, { imageId });
}

function absentImage(imageId: string): never {
  throw new AmiSharingError("image-not-found", `there is no AMI ${imageId}`, { imageId });
}

function refused(resource: string, why: string): AmiSharingError {
  return new AmiSharingError("sharing-refused", `EC2 refuses to share ${resource}: ${why}`);
}

function refuseUnmanageable(key: GranteeKey): void {
  if (!isManageable(key)) throw new AmiSharingError("invalid-argument", `${key} cannot be changed`);
}

/** Refuses grantees that a request cannot contain (`byEc2` is false), or that EC2 does not accept. */
function checkGrantee(resource: string, key: GranteeKey, byEc2: boolean): void {
  const grantee = parseGranteeKey(key);
  const onImage = resource.startsWith("ami-");
  if (!onImage && grantee.kind !== "account" && grantee.kind !== "public")
    throw new AmiSharingError("invalid-argument", `${key} cannot hold a create-volume permission`);
  if (byEc2 && grantee.kind === "account" && !/^\d{12}$/.test(grantee.accountId))
    throw new AmiSharingError("invalid-argument", `EC2 does not accept a grantee of ${resource}: ${grantee.accountId}`);
}
