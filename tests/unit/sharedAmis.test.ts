/** Listing AMIs against the model of EC2: what is read, what is left out, and how many calls run at the same time. */

import * as assert from "node:assert/strict";
import { AmiSharingError, amisOfOthers, describePermissions, ownAmis } from "../../provider/core";
import { MAX_CONCURRENT_CALLS } from "../../provider/core/model/limits";
import { A, B, ORGANIZATION } from "../helpers/gatewayContract";
import { MemoryGateway, OWNER } from "../helpers/memoryGateway";

describe("finding the caller's own AMIs", () => {
  it("returns each AMI, sorted by id, as reading that AMI alone would, with encryption and keys, without the owner", async () => {
    const ec2 = new MemoryGateway();
    const [first, second, third] = [ec2.addImage(2), ec2.addImage(1), ec2.addImage(0)];
    ec2.addImage(1, "222222222222");
    for (const key of [A, ORGANIZATION, "public", `account/${OWNER}`]) ec2.grantees(first.imageId).add(key);
    ec2.grantees(first.snapshotIds[1] as string).add(B);
    ec2.encrypt(second.snapshotIds[0] as string, "arn:aws:kms:us-east-1:123456789012:key/own");
    const alone = [];
    for (const { imageId } of [first, second, third]) alone.push(await describePermissions(ec2, imageId));
    const found = await ownAmis(ec2, true);
    assert.deepEqual(found, alone);
    assert.deepEqual(found[0]?.grants, {
      [A]: "launch",
      [B]: `createVolume on ${first.snapshotIds[1]}`,
      [ORGANIZATION]: "launch",
      public: "launch",
    });
    assert.equal(found[1]?.snapshots[0]?.kmsKeyId, "arn:aws:kms:us-east-1:123456789012:key/own");
  });

  it("reads no snapshots and returns none if they are not requested", async () => {
    const ec2 = new MemoryGateway();
    const { imageId, snapshotIds } = ec2.addImage(2);
    ec2.encrypt(snapshotIds[0] as string);
    ec2.grantees(imageId).add(A);
    ec2.grantees(snapshotIds[0] as string).add(A);
    const [found] = await ownAmis(ec2, false);
    assert.deepEqual([found?.grants, found?.snapshots, found?.encrypted], [{ [A]: "launch" }, [], true]);
    assert.deepEqual(
      ec2.calls.map(({ action }) => action).filter((action) => action.includes("Snapshot")),
      [],
    );
  });

  it("skips an AMI that is deleted in between, and treats a deleted snapshot as shared with nobody", async () => {
    const ec2 = new MemoryGateway();
    const [gone, kept] = [ec2.addImage(1), ec2.addImage(1)];
    ec2.grantees(kept.imageId).add(A);
    const describeImages = ec2.describeImages.bind(ec2);
    ec2.describeImages = async (owner) => {
      const images = await describeImages(owner);
      ec2.images.delete(gone.imageId);
      for (const id of [...gone.snapshotIds, ...kept.snapshotIds]) ec2.snapshots.delete(id);
      return images;
    };
    const found = await ownAmis(ec2, true);
    assert.deepEqual(
      found.map(({ imageId, grants }) => [imageId, grants]),
      [[kept.imageId, { [A]: "launch" }]],
    );
  });

  it("fails if permissions cannot be read for another reason", async () => {
    const ec2 = new MemoryGateway();
    ec2.addImage(1);
    const error = new AmiSharingError("not-authorized", "the caller may not call ec2:DescribeImageAttribute");
    ec2.fail({ matching: ({ action }) => action === "DescribeImageAttribute", error });
    await assert.rejects(ownAmis(ec2, true), error);
  });

  it(`has at most ${MAX_CONCURRENT_CALLS} calls in progress, however many AMIs and snapshots there are`, async () => {
    const ec2 = new MemoryGateway();
    for (let n = 0; n < 20; n++) ec2.addImage(9);
    let [now, most] = [0, 0];
    for (const name of ["launchPermissions", "createVolumePermissions"] as const) {
      const read = ec2[name].bind(ec2);
      ec2[name] = async (id) => {
        now += 1;
        most = Math.max(most, now);
        return read(id).finally(() => {
          now -= 1;
        });
      };
    }
    assert.equal((await ownAmis(ec2, true)).length, 20);
    assert.equal(most, MAX_CONCURRENT_CALLS);
  });
});

describe("finding AMIs that others own", () => {
  it("returns AMIs that are shared with the caller, without reading their permissions", async () => {
    const ec2 = new MemoryGateway();
    ec2.addImage(1);
    ec2.addImage(1, "222222222222");
    const { imageId, snapshotIds } = ec2.addImage(1, "333333333333");
    ec2.encrypt(snapshotIds[0] as string);
    ec2.grantees(imageId).add(`account/${OWNER}`);
    assert.deepEqual(await amisOfOthers(ec2), [
      { imageId, region: "us-east-1", ownerId: "333333333333", name: "model", state: "available", encrypted: true },
    ]);
    assert.deepEqual(
      ec2.calls.map(({ action }) => action),
      ["DescribeImages"],
    );
  });
});
