/** The checks of a plan before anything is changed: refusals and notes, the message for each rule of AWS, and the calls. */

import * as assert from "node:assert/strict";
import {
  AmiSharingError,
  callsOf,
  decodeDeclaredSet,
  type ErrorCode,
  type PermissionSet,
  permissionSetOf,
  planChange,
  reconcile,
} from "../../provider/core";
import { AWS_MANAGED_KEY, MemoryGateway, OWNER } from "../helpers/memoryGateway";

const [A, B] = ["111122223333", "444455556666"];
const WAIT_OPTIONS = { timeout: 0.05, minDelay: 0.001, maxDelay: 0.002, absencePause: 0 };
const OWN_KEY = "arn:aws:kms:us-east-1:123456789012:key/own";

function setOf(args: Record<string, unknown>): PermissionSet {
  const decoded = decodeDeclaredSet({ acknowledgePublic: true, ...args });
  assert.ok("declared" in decoded, JSON.stringify(decoded));
  return permissionSetOf(decoded.declared) ?? assert.fail("not known");
}

interface Rule {
  readonly name: string;
  readonly arrange: (ec2: MemoryGateway, image: { imageId: string; snapshotIds: string[] }) => void;
  readonly args: Record<string, unknown>;
  readonly code?: ErrorCode;
  readonly says: RegExp;
  /** Whether planChange throws at once: the permissions of such an image are of no use, or cannot be read. */
  readonly thrown?: boolean;
  /** EC2 also refuses the change: the model is as strict as EC2. */
  readonly asEc2?: (ec2: MemoryGateway, image: { imageId: string; snapshotIds: string[] }) => Promise<unknown>;
}

const encryptAll =
  (key: string) =>
  (ec2: MemoryGateway, { snapshotIds }: { snapshotIds: string[] }) => {
    for (const id of snapshotIds) ec2.encrypt(id, key);
  };
const add = (...keys: string[]) => ({ add: keys, remove: [] });

const REFUSED: readonly Rule[] = [
  {
    name: "AWS managed key",
    arrange: encryptAll(AWS_MANAGED_KEY),
    args: { accountIds: [A] },
    code: "sharing-refused",
    says: /cannot be shared: snapshots snap-\S+, snap-\S+ are encrypted under the AWS managed key.*; copy the AMI with a customer managed key/,
    asEc2: (ec2, { imageId }) => ec2.changeLaunchPermissions(imageId, add(`account/${A}`)),
  },
  {
    name: "AWS managed key, one snapshot only",
    arrange: (ec2, { snapshotIds }) => ec2.encrypt(snapshotIds[0] as string, AWS_MANAGED_KEY),
    args: { accountIds: [A] },
    code: "sharing-refused",
    says: /cannot be shared: snapshot snap-\S+ is encrypted under the AWS managed key/,
    asEc2: (ec2, { imageId }) => ec2.changeLaunchPermissions(imageId, add(`account/${A}`)),
  },
  {
    name: "encrypted and public",
    arrange: encryptAll(OWN_KEY),
    args: { public: true },
    code: "sharing-refused",
    says: /cannot be public: snapshots .* are encrypted/,
    asEc2: (ec2, { imageId }) => ec2.changeLaunchPermissions(imageId, add("public")),
  },
  {
    name: "encrypted snapshots and public volumes",
    arrange: encryptAll(OWN_KEY),
    args: { createVolumePermissions: { public: true } },
    code: "sharing-refused",
    says: /cannot be public: snapshots .* are encrypted/,
    asEc2: (ec2, { snapshotIds }) => ec2.changeCreateVolumePermissions(snapshotIds[0] as string, "add", ["public"]),
  },
  {
    name: "product code and public",
    arrange: (ec2, { imageId }) => ec2.images.get(imageId)?.productCodes.push("abc123"),
    args: { public: true },
    code: "sharing-refused",
    says: /cannot be public: it has the AWS Marketplace product code abc123/,
    asEc2: (ec2, { imageId }) => ec2.changeLaunchPermissions(imageId, add("public")),
  },
  {
    name: "watermark and public",
    arrange: (ec2, { imageId }) => ec2.images.get(imageId)?.watermarks.push("123456789012:mark"),
    args: { public: true },
    code: "sharing-refused",
    says: /cannot be public: it has the watermark 123456789012:mark/,
    asEc2: (ec2, { imageId }) => ec2.changeLaunchPermissions(imageId, add("public")),
  },
  {
    name: "block public access, AMIs",
    arrange: (ec2) => {
      ec2.publicAccessBlocked = true;
    },
    args: { public: true },
    code: "public-access-blocked",
    says: /block public access is on for AMIs: .*; if it is intended, turn it off first \(aws ec2 disable-image-block-public-access\)/,
    asEc2: (ec2, { imageId }) => ec2.changeLaunchPermissions(imageId, add("public")),
  },
  {
    name: "block public access, snapshots",
    arrange: (ec2) => {
      ec2.publicAccessBlocked = true;
    },
    args: { createVolumePermissions: { public: true } },
    code: "public-access-blocked",
    says: /block public access is on for snapshots: .*disable-snapshot-block-public-access/,
    asEc2: (ec2, { snapshotIds }) => ec2.changeCreateVolumePermissions(snapshotIds[0] as string, "add", ["public"]),
  },
  {
    name: "more revocations than allowed",
    arrange: (ec2, { imageId }) => ec2.grantees(imageId).add(`account/${B}`),
    args: { accountIds: [A], maxRevocations: "none" },
    code: "too-many-revocations",
    says: /take access from 1 grantee \(account\/444455556666\), and maxRevocations is 0/,
  },
  ...["failed", "disabled", "invalid", "deregistered"].map(
    (state): Rule => ({
      name: `AMI ${state}`,
      arrange: (ec2, { imageId }) => {
        const image = ec2.images.get(imageId);
        if (image) image.state = state;
      },
      args: { accountIds: [A] },
      code: "image-not-shareable",
      says: new RegExp(`is ${state}; (only an available AMI can be shared|enable it first)`),
      thrown: true,
      asEc2: (ec2, { imageId }) => ec2.changeLaunchPermissions(imageId, add(`account/${A}`)),
    }),
  ),
  {
    name: "no AMI",
    arrange: (ec2, { imageId }) => ec2.images.delete(imageId),
    args: { accountIds: [A] },
    code: "image-not-found",
    says: /there is no AMI/,
    thrown: true,
  },
  {
    name: "AMI of another account",
    arrange: (ec2, { imageId, snapshotIds }) =>
      ec2.images.set(imageId, {
        ownerId: "999999999999",
        state: "available",
        snapshotIds,
        launch: new Set([`account/${OWNER}`]),
        productCodes: [],
        watermarks: [],
      }),
    args: { accountIds: [A] },
    code: "not-owner",
    says: /belongs to another account/,
    thrown: true,
    asEc2: (ec2, { imageId }) => ec2.changeLaunchPermissions(imageId, add(`account/${A}`)),
  },
];

const DOUBTFUL: readonly Rule[] = [
  {
    name: "AMI pending",
    arrange: (ec2, { imageId }) => {
      const image = ec2.images.get(imageId);
      if (image) image.state = "pending";
    },
    args: { accountIds: [A] },
    says: /the AMI is pending: the change waits for it, 20 minutes at most/,
  },
  {
    name: "key that the caller may not read",
    arrange: (ec2, image) => {
      ec2.denied.push("kms:DescribeKey");
      encryptAll(AWS_MANAGED_KEY)(ec2, image);
    },
    args: { accountIds: [A], createVolumePermissions: true },
    says: /the caller may not read who manages the key \(kms:DescribeKey\)/,
    asEc2: (ec2, { imageId }) => ec2.changeLaunchPermissions(imageId, add(`account/${A}`)),
  },
  {
    name: "block public access that the caller may not read",
    arrange: (ec2) => {
      ec2.denied.push("ec2:GetImageBlockPublicAccessState");
      ec2.publicAccessBlocked = true;
    },
    args: { public: true },
    says: /may not ask whether block public access is on/,
    asEc2: (ec2, { imageId }) => ec2.changeLaunchPermissions(imageId, add("public")),
  },
  {
    name: "1,001 entities",
    arrange: (ec2, { imageId }) => {
      for (let i = 0; i < 1000; i++) ec2.grantees(imageId).add(`account/${300000000000 + i}`);
    },
    args: { accountIds: [A], mode: "additive", createVolumePermissions: true },
    says: /would be shared with 1,001 accounts, organizations and units, and the quota is 1,000 unless it was raised/,
    asEc2: (ec2, { imageId }) => ec2.changeLaunchPermissions(imageId, add(`account/${A}`)),
  },
];

describe("a plan that will be refused", () => {
  for (const { name, arrange, args, code, says, thrown, asEc2 } of REFUSED)
    it(`${name}: the refusal has its code, and nothing is changed`, async () => {
      const ec2 = new MemoryGateway();
      const image = ec2.addImage(2);
      arrange(ec2, image);
      const set = setOf({ imageId: image.imageId, ...args });
      const refusal = thrown
        ? await planChange(ec2, set).then(
            () => assert.fail("it was expected to throw"),
            (error) => error,
          )
        : (await planChange(ec2, set)).refusals[0];
      assert.ok(refusal instanceof AmiSharingError);
      assert.equal(refusal.code, code);
      assert.match(refusal.message, says);
      assert.equal(refusal.message.split("\n").length, 1);
      if (asEc2) await assert.rejects(asEc2(ec2, image));
      ec2.forgetCalls();
      await assert.rejects(reconcile(ec2, set, undefined, WAIT_OPTIONS), { code, message: refusal.message });
      assert.deepEqual(ec2.modifications(), []);
    });
});

describe("a plan that EC2 may refuse", () => {
  for (const { name, arrange, args, says, asEc2 } of DOUBTFUL)
    it(`${name}: the plan has a note${asEc2 ? ", and a refusal changes nothing" : ""}`, async () => {
      const ec2 = new MemoryGateway();
      const image = ec2.addImage(2);
      arrange(ec2, image);
      const set = setOf({ imageId: image.imageId, ...args });
      const { refusals, doubts } = await planChange(ec2, set);
      assert.deepEqual(refusals, []);
      assert.match(doubts.join("\n"), says);
      if (!asEc2) return;
      await assert.rejects(asEc2(ec2, image));
      const before = ec2.everything(image.imageId);
      await assert.rejects(reconcile(ec2, set, undefined, WAIT_OPTIONS), AmiSharingError);
      assert.deepEqual(ec2.everything(image.imageId), before);
    });
});

describe("a plan that passes", () => {
  const passing: readonly Pick<Rule, "name" | "arrange" | "args">[] = [
    { name: "a customer managed key", arrange: encryptAll(OWN_KEY), args: { accountIds: [A], createVolumePermissions: true } },
    {
      name: "an AWS managed key on a snapshot, if neither the snapshot nor the AMI is shared",
      arrange: (ec2, { snapshotIds }) => ec2.encrypt(snapshotIds[0] as string, AWS_MANAGED_KEY),
      args: { createVolumePermissions: { accountIds: [A], snapshotIds: ["snap-00000000000000003"] } },
    },
    {
      name: "revoking grants under the AWS managed key",
      arrange: (ec2, image) => {
        ec2.grantees(image.imageId).add(`account/${B}`);
        encryptAll(AWS_MANAGED_KEY)(ec2, image);
      },
      args: {},
    },
    {
      name: "block public access if the AMI is already public",
      arrange: (ec2, { imageId }) => {
        ec2.grantees(imageId).add("public");
        ec2.publicAccessBlocked = true;
      },
      args: { public: true, accountIds: [A] },
    },
    {
      name: "a product code with accounts",
      arrange: (ec2, { imageId }) => ec2.images.get(imageId)?.productCodes.push("abc123"),
      args: { accountIds: [A] },
    },
  ];
  for (const { name, arrange, args } of passing)
    it(`${name}: no problem is found, and EC2 accepts the change`, async () => {
      const ec2 = new MemoryGateway();
      const image = ec2.addImage(2);
      arrange(ec2, image);
      const set = setOf({ imageId: image.imageId, ...args });
      const { refusals, doubts } = await planChange(ec2, set);
      assert.deepEqual({ refusals, doubts }, { refusals: [], doubts: [] });
      await reconcile(ec2, set, undefined, WAIT_OPTIONS);
    });

  it("reads only the permissions if nothing is encrypted or public", async () => {
    const ec2 = new MemoryGateway();
    const { imageId, snapshotIds } = ec2.addImage(2);
    await planChange(ec2, setOf({ imageId, accountIds: [A], createVolumePermissions: true }));
    assert.deepEqual(
      ec2.calls.map(({ action, resource }) => `${action} ${resource}`).sort(),
      [
        `DescribeImageAttribute ${imageId}`,
        `DescribeImages ${imageId}`,
        ...snapshotIds.map((id) => `DescribeSnapshotAttribute ${id}`),
      ].sort(),
    );
  });

  it("lists the calls of the change", async () => {
    const ec2 = new MemoryGateway();
    const { imageId } = ec2.addImage(2);
    ec2.entityQuota = 2000;
    const many = Array.from({ length: 501 }, (_, i) => String(300000000000 + i));
    const set = setOf({ imageId, accountIds: many, createVolumePermissions: true });
    const { phases } = await planChange(ec2, set);
    assert.deepEqual(Object.fromEntries(callsOf(phases)), { ModifyImageAttribute: 1, ModifySnapshotAttribute: 4 });
    await reconcile(ec2, set, undefined, WAIT_OPTIONS);
    assert.equal(ec2.modifications().length, 5);
  });
});
