/** The in-memory EC2 that other tests use: the contract of every gateway, and the faults that tests can set. */

import * as assert from "node:assert/strict";
import { accountKey } from "../../provider/core";
import { A, describeGatewayContract, type Situation } from "../helpers/gatewayContract";
import { AWS_MANAGED_KEY, MemoryGateway, OWNER } from "../helpers/memoryGateway";

describeGatewayContract("in memory", () => {
  const ec2 = new MemoryGateway();
  return {
    gateway: ec2,
    async makeImage(snapshots, ownerId, keyManager) {
      const made = ec2.addImage(snapshots, ownerId);
      if (ownerId !== undefined && ownerId !== OWNER) ec2.grantees(made.imageId).add(accountKey(OWNER));
      for (const id of keyManager ? made.snapshotIds : [])
        ec2.encrypt(id, keyManager === "AWS" ? AWS_MANAGED_KEY : "arn:aws:kms:us-east-1:123456789012:key/own");
      return made;
    },
    async modifications() {
      const made = ec2.modifications();
      ec2.forgetCalls();
      return made;
    },
    arrange: async (situation) => arrange(ec2, situation),
  };
});

function arrange(ec2: MemoryGateway, situation: Situation): void {
  switch (situation.kind) {
    case "quota":
      ec2.entityQuota = situation.entities;
      return;
    case "block-public-access":
      ec2.publicAccessBlocked = true;
      ec2.publicAccessByPolicy = situation.byPolicy ?? false;
      return;
    case "usage-report": {
      const { imageId, accountIds, error } = situation;
      const reportId = `amiur-${ec2.usageReports.length}`;
      const limits = accountIds === undefined ? {} : { limitedTo: accountIds };
      ec2.usageReports.push({ imageId, reportId, createdAt: Date.now(), pending: 0, error, ...limits });
      return;
    }
    case "usage":
      ec2.uses.set(situation.imageId, [{ accountId: situation.accountId, resourceType: "ec2:Instance", count: situation.count }]);
      return;
    case "denied":
      ec2.denied = [...situation.actions];
      return;
    case "product-code":
      ec2.images.get(situation.imageId)?.productCodes.push(situation.value);
      return;
    case "watermark":
      ec2.images.get(situation.imageId)?.watermarks.push(situation.value);
      return;
    case "deregistered":
      ec2.images.delete(situation.imageId);
      return;
    case "marketplace":
      ec2.grantees(situation.imageId).add("user/aws-marketplace");
      return;
    case "disabled": {
      const image = ec2.images.get(situation.imageId);
      if (image) image.state = "disabled";
      ec2.grantees(situation.imageId).clear();
    }
  }
}

describe("faults of the in-memory EC2", () => {
  it("fails the nth call once, before or after the change is made", async () => {
    const ec2 = new MemoryGateway();
    const { imageId } = ec2.addImage();
    ec2.fail({ nth: 2, applied: false });
    await ec2.describeImage(imageId);
    await assert.rejects(ec2.changeLaunchPermissions(imageId, { add: [A], remove: [] }), /endpoint-unreachable/);
    assert.deepEqual([...ec2.grantees(imageId)], []);
    ec2.fail({ applied: true });
    await assert.rejects(ec2.changeLaunchPermissions(imageId, { add: [A], remove: [] }), /endpoint-unreachable/);
    assert.deepEqual([...ec2.grantees(imageId)], [A]);
    await ec2.changeLaunchPermissions(imageId, { add: [], remove: [A] });
    assert.deepEqual([...ec2.grantees(imageId)], []);
  });

  it("fails only the calls that match", async () => {
    const ec2 = new MemoryGateway();
    const { imageId } = ec2.addImage();
    ec2.fail({ matching: ({ action }) => action.startsWith("Modify") });
    await ec2.describeImage(imageId);
    await assert.rejects(ec2.changeLaunchPermissions(imageId, { add: [A], remove: [] }));
  });

  it("returns old values for the requested number of reads", async () => {
    const ec2 = new MemoryGateway();
    const { imageId } = ec2.addImage();
    ec2.staleReads = 2;
    await ec2.changeLaunchPermissions(imageId, { add: [A], remove: [] });
    const seen = [];
    for (let n = 0; n < 3; n++) seen.push((await ec2.launchPermissions(imageId)).size);
    assert.deepEqual(seen, [0, 0, 1]);
  });

  it("reports what a call changed, not what it requested", async () => {
    const ec2 = new MemoryGateway();
    const { imageId } = ec2.addImage();
    const told: unknown[] = [];
    ec2.onChange = (...change) => told.push(change);
    await ec2.changeLaunchPermissions(imageId, { add: [A], remove: [] });
    await ec2.changeLaunchPermissions(imageId, { add: [A], remove: ["public"] });
    assert.deepEqual(told, [
      [imageId, [A], []],
      [imageId, [], []],
    ]);
  });
});
