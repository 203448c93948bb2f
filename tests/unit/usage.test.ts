/** Which usage report is used, and the message if a report is not ready, is in error, or cannot be deleted. */

import * as assert from "node:assert/strict";
import { AmiSharingError, NO_PERMISSIONS } from "../../provider/core";
import { usageOf } from "../../provider/core/planning/usage";
import { A, B } from "../helpers/gatewayContract";
import { MemoryGateway } from "../helpers/memoryGateway";

function inUse() {
  const ec2 = new MemoryGateway();
  const { imageId } = ec2.addImage(1);
  ec2.uses.set(imageId, [{ accountId: "111122223333", resourceType: "imagebuilder:ImageRecipe", count: 3 }]);
  const remove = { launch: new Set([A, B]), createVolume: new Map() };
  const findings = () => usageOf(ec2, { imageId }, { add: NO_PERMISSIONS, remove }, NO_PERMISSIONS, 0);
  const report = (reportId: string, more: object = {}) =>
    ec2.usageReports.push({ imageId, reportId, createdAt: Date.now(), pending: 0, ...more });
  const made = () => ec2.calls.filter(({ action }) => action === "CreateImageUsageReport").length;
  return { ec2, imageId, findings, report, made };
}

const WARNING = /^account\/111122223333 loses the AMI and still uses it: 3 imagebuilder:ImageRecipe \(as of /;

describe("a usage report", () => {
  it("about other accounts is not used or deleted, and a complete one is created", async () => {
    const { ec2, findings, report, made } = inUse();
    report("theirs", { limitedTo: ["444455556666"], createdAt: Date.now() + 1000 });
    const { warnings, doubts } = await findings();
    assert.match(warnings.join("\n"), WARNING);
    assert.deepEqual(doubts, []);
    assert.equal(made(), 1);
    assert.deepEqual(
      ec2.usageReports.map(({ reportId }) => reportId),
      ["theirs"],
    );
  });

  it("about other accounts that is pending does not cause a wait", async () => {
    const { findings, report, made } = inUse();
    report("theirs", { limitedTo: ["444455556666"], pending: 1000 });
    assert.match((await findings()).warnings.join("\n"), WARNING);
    assert.equal(made(), 1);
  });

  it("that covers all accounts is preferred to a newer one that does not", async () => {
    const { findings, report, made } = inUse();
    report("complete");
    report("theirs", { limitedTo: ["444455556666"], createdAt: Date.now() + 1000 });
    assert.match((await findings()).warnings.join("\n"), WARNING);
    assert.equal(made(), 0);
  });

  it("in error of somebody else is skipped", async () => {
    const { findings, report, made } = inUse();
    report("broken", { error: "no room" });
    assert.match((await findings()).warnings.join("\n"), WARNING);
    assert.equal(made(), 1);
  });

  it("that ends in error is reported with EC2's reason, and deleted", async () => {
    const { ec2, imageId, findings } = inUse();
    ec2.usageError = "no room";
    ec2.usagePending = 2;
    const { warnings, doubts } = await findings();
    assert.deepEqual(warnings, []);
    assert.deepEqual(doubts, [`who still uses AMI ${imageId} is not known: EC2 could not make its usage report (no room)`]);
    assert.deepEqual(ec2.usageReports, []);
  });

  it("that cannot be deleted is reported, and its usage still counts", async () => {
    const { ec2, findings } = inUse();
    ec2.denied = ["ec2:DeleteImageUsageReport"];
    const { warnings, doubts } = await findings();
    assert.match(warnings.join("\n"), WARNING);
    assert.match(
      doubts.join("\n"),
      /^usage report amiur-\d+ of AMI ami-\w+ was created for this check and cannot be deleted: .*\[not-authorized\]$/,
    );
    assert.equal(ec2.usageReports.length, 1);
  });

  it("that is stopped with the run adds no finding", async () => {
    const { ec2, findings } = inUse();
    ec2.fail({ error: new AmiSharingError("stopped", "stopped") });
    await assert.rejects(findings(), /\[stopped\]/);
  });
});
