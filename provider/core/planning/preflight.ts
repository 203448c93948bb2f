/** The preflight checks: finds what EC2 will refuse before anything is changed. Each rule names its source. */

import type { Gateway, Image, KeyManager, PublicAccessBlock } from "../aws";
import { AmiSharingError, DEFAULT_ENTITY_QUOTA, isEmpty, isEntity, type Permissions, PUBLIC } from "../model";
import type { Change } from "./diff";
import type { ImageKey } from "./keyPlan";

export interface Findings {
  /** What will be refused. */
  readonly refusals: readonly AmiSharingError[];
  /** Messages about what EC2 may refuse. */
  readonly doubts: readonly string[];
}

interface CheckedChange {
  readonly image: Image;
  readonly change: Change;
  readonly live: Permissions;
  /** The keys of the image's encrypted snapshots, if the change adds something. */
  readonly keys: readonly ImageKey[];
}

/** Checks a change. It calls EC2 only if the change makes something public. */
export async function preflight(gateway: Gateway, checked: CheckedChange): Promise<Findings> {
  const { image, change, live } = checked;
  if (isEmpty(change.add)) return { refusals: [], doubts: [] };
  const findings = [encryption(checked), await publicSharing(gateway, checked), entities(image, change, live)];
  return {
    refusals: findings.flatMap(({ refusals }) => refusals),
    doubts: findings.flatMap(({ doubts }) => doubts),
  };
}

/** Whether EC2 may refuse the change of the image. Then the image is changed first, so that a refusal leaves everything unchanged. */
export function mayFailInEc2({ add }: Change, doubts: readonly string[]): boolean {
  return doubts.length > 0 || add.launch.has(PUBLIC);
}

const NOTHING: Findings = { refusals: [], doubts: [] };

/**
 * EC2 user guide, "Share an AMI with specific AWS accounts": a snapshot under the AWS managed key cannot be shared, and an AMI that refers
 * to one cannot either. EC2 user guide, "Make your AMI publicly available": AMIs with encrypted volumes cannot be public.
 * EBS user guide, "Share an EBS snapshot": encrypted snapshots cannot be public.
 */
function encryption({ image, change: { add }, keys }: CheckedChange): Findings {
  const { imageId } = image;
  const concerned = (ids: readonly string[]) => ids.filter((id) => add.launch.size > 0 || add.createVolume.has(id));
  const under = (manager: KeyManager | undefined) =>
    keys.filter((key) => key.manager === manager).flatMap(({ snapshotIds }) => concerned(snapshotIds));
  const madePublic = keys
    .flatMap(({ snapshotIds }) => snapshotIds)
    .filter((id) => add.launch.has(PUBLIC) || add.createVolume.get(id)?.has(PUBLIC));
  const [managed, unknown] = [under("AWS"), under(undefined)];
  const refusals = [
    ...(managed.length > 0
      ? [
          refusal(
            imageId,
            `AMI ${imageId} cannot be shared: ${named(managed)} encrypted under the AWS managed key (alias/aws/ebs), which no other account can use`,
            "copy the AMI with a customer managed key (aws ec2 copy-image --encrypted --kms-key-id …), and share the copy and the key",
          ),
        ]
      : []),
    ...(madePublic.length > 0
      ? [
          refusal(
            imageId,
            `AMI ${imageId} cannot be public: ${named(madePublic)} encrypted`,
            "share it with accounts, or register a new AMI from unencrypted snapshots",
            "public",
          ),
        ]
      : []),
  ];
  const doubts =
    unknown.length > 0
      ? [
          `${named(unknown)} encrypted, and the caller may not read who manages the key (kms:DescribeKey): if it is the AWS managed key, EC2 refuses to share`,
        ]
      : [];
  return { refusals, doubts };
}

/**
 * EC2 API reference, ModifyImageAttribute: an image with an AWS Marketplace product code cannot be public. AttachImageWatermark: an image
 * with a watermark cannot be public. EnableImageBlockPublicAccess, EnableSnapshotBlockPublicAccess: no new public sharing.
 */
async function publicSharing(gateway: Gateway, { image, change: { add } }: CheckedChange): Promise<Findings> {
  const { imageId, productCodes, watermarks } = image;
  const volumes = [...add.createVolume].filter(([, keys]) => keys.has(PUBLIC)).map(([snapshotId]) => snapshotId);
  const launch = add.launch.has(PUBLIC);
  if (!launch && volumes.length === 0) return NOTHING;
  const refusals: AmiSharingError[] = [];
  if (productCodes.length > 0)
    refusals.push(
      refusal(
        imageId,
        `AMI ${imageId} cannot be public: it has the AWS Marketplace product code ${productCodes.join(", ")}`,
        "share it with accounts",
        "public",
        [productCodes.join(", ")],
      ),
    );
  if (launch && watermarks.length > 0)
    refusals.push(
      refusal(
        imageId,
        `AMI ${imageId} cannot be public: it has the watermark ${watermarks.join(", ")}`,
        "share it with accounts, organizations or units",
        "public",
        [watermarks.join(", ")],
      ),
    );
  const blocked = await gateway.blockPublicAccess();
  const refuse = (what: string, kind: string, { byPolicy }: PublicAccessBlock) =>
    refusals.push(
      new AmiSharingError(
        "public-access-blocked",
        `block public access is on for ${what}: AMI ${imageId} cannot be made public`,
        {
          property: "public",
          imageId,
          next: byPolicy
            ? "a declarative policy of the organization sets it, which this account cannot turn off: ask who manages the organization, or share with accounts"
            : `if it is intended, turn it off first (aws ec2 disable-${kind}-block-public-access)`,
        },
      ),
    );
  if (launch && blocked.images?.blocked) refuse("AMIs", "image", blocked.images);
  if (volumes.length > 0 && blocked.snapshots?.blocked) refuse("snapshots", "snapshot", blocked.snapshots);
  const isUnknown = (launch && blocked.images === undefined) || (volumes.length > 0 && blocked.snapshots === undefined);
  return {
    refusals,
    doubts: isUnknown
      ? ["the caller may not ask whether block public access is on (ec2:Get…BlockPublicAccessState): if it is, EC2 refuses"]
      : [],
  };
}

/** EC2 user guide, "AMI quotas": an AMI can be shared with 1,000 entities, unless the quota was raised. The actual quota is not read. */
function entities({ imageId }: Image, { add, remove }: Change, live: Permissions): Findings {
  if (add.launch.size === 0) return NOTHING;
  const after = [...new Set([...live.launch, ...add.launch])].filter((key) => isEntity(key) && !remove.launch.has(key)).length;
  if (after <= DEFAULT_ENTITY_QUOTA) return NOTHING;
  const [count, quota] = [after, DEFAULT_ENTITY_QUOTA].map((n) => n.toLocaleString("en-US"));
  return {
    refusals: [],
    doubts: [
      `AMI ${imageId} would be shared with ${count} accounts, organizations and units, and the quota is ${quota} unless it was raised (Service Quotas): above it, EC2 refuses`,
    ],
  };
}

function refusal(
  imageId: string,
  what: string,
  next: string,
  property = "imageId",
  verbatim: readonly string[] = [],
): AmiSharingError {
  return new AmiSharingError("sharing-refused", what, { property, imageId, next, verbatim });
}

function named(snapshotIds: readonly string[]): string {
  const ids = [...snapshotIds].sort();
  return ids.length === 1 ? `snapshot ${ids[0]} is` : `snapshots ${ids.join(", ")} are`;
}
