/** How long a set waits for EC2, and what it shows in the meantime, on both engines in memory. */

import * as assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { DynamicProvider } from "../../provider/pulumi/dynamicProvider";
import { CheckFailed, MemoryEngine } from "../helpers/memoryEngine";
import { MemoryGateway } from "../helpers/memoryGateway";
import { MemoryTerraform } from "../helpers/memoryTerraform";

const [A, B] = ["111122223333", "444455556666"];
/** The waitOptions are much longer than a test, so that only the set's own timeout ends a wait. */
const WAIT_OPTIONS = { timeout: 600, minDelay: 0.001, maxDelay: 0.002, absencePause: 0, progressInterval: 0.01 };
const SHORT = "50ms";

function pulumi(waitOptions: object = WAIT_OPTIONS) {
  const ec2 = new MemoryGateway();
  const provider = new DynamicProvider({ gateway: () => ec2, waitOptions: { ...WAIT_OPTIONS, ...waitOptions } });
  return { ec2, engine: new MemoryEngine(provider), ...ec2.addImage(1) };
}

function terraform(log: (level: string, message: string) => void = () => undefined) {
  const ec2 = new MemoryGateway();
  return { ec2, engine: new MemoryTerraform({ makeGateway: () => ec2, waitOptions: WAIT_OPTIONS, log }), ...ec2.addImage(1) };
}

async function messageOf(operation: Promise<unknown>): Promise<string> {
  return operation.then(
    () => assert.fail("it was expected to fail"),
    (error: Error) => error.message,
  );
}

describe("the timeouts of a set", () => {
  it("end the wait of each operation, and the error names the one to raise", async () => {
    const { ec2, engine, imageId } = pulumi();
    ec2.staleReads = 1e6;
    const args = { imageId, accountIds: [A], timeouts: { create: SHORT, update: SHORT, delete: SHORT } };
    const create = await messageOf(engine.up(args));
    assert.match(
      create,
      /does not show it after 50ms; .*; to wait longer, raise timeouts\.create and timeouts\.update \[not-visible\]/,
    );
    ec2.catchUp();
    await engine.up(args);
    ec2.staleReads = 1e6;
    const update = await messageOf(engine.up({ ...args, accountIds: [B] }));
    assert.match(update, /to wait longer, raise timeouts\.update \[not-visible\]/);
    ec2.catchUp();
    await engine.up({ ...args, accountIds: [B] });
    ec2.staleReads = 1e6;
    assert.match(await messageOf(engine.destroy()), /to wait longer, raise timeouts\.delete \[not-visible\]/);
  });

  it("end the wait for a pending AMI, and nothing is changed", async () => {
    const { ec2, engine, imageId } = pulumi();
    Object.assign(ec2.images.get(imageId) ?? {}, { state: "pending" });
    const message = await messageOf(engine.up({ imageId, accountIds: [A], timeouts: { create: SHORT } }));
    assert.match(
      message,
      /is still pending after 50ms; repeat once it is available; to wait longer, raise timeouts\.create \[image-not-shareable\]/,
    );
    assert.deepEqual(ec2.modifications(), []);
  });

  it("of one operation do not apply to another", async () => {
    const { ec2, engine, imageId } = pulumi({ timeout: 0.05 });
    ec2.staleReads = 1e6;
    const message = await messageOf(engine.up({ imageId, accountIds: [A], timeouts: { update: "10h", delete: "10h" } }));
    assert.match(message, /\[not-visible\]/);
  });

  it("make no call if only they change; the state records them, and a destroy uses them", async () => {
    const { ec2, engine, imageId } = pulumi();
    const args = { imageId, accountIds: [A], createVolumePermissions: true };
    await engine.up(args);
    for (const timeouts of [{ create: "30m" }, { delete: SHORT }, undefined, { delete: SHORT }]) {
      ec2.forgetCalls();
      const { operation } = await engine.up({ ...args, timeouts });
      assert.deepEqual([operation, ec2.calls], ["update", []]);
      assert.deepEqual(engine.state?.outputs.timeouts, timeouts);
      assert.equal((await engine.preview({ ...args, timeouts })).operation, "same");
    }
    ec2.staleReads = 1e6;
    assert.match(await messageOf(engine.destroy()), /raise timeouts\.delete/);
  });

  it("can be raised after a change that EC2 did not show in time; the next up completes it", async () => {
    const { ec2, engine, imageId, snapshotIds } = pulumi();
    ec2.staleReads = 1e6;
    await messageOf(engine.up({ imageId, accountIds: [A], createVolumePermissions: true, timeouts: { create: SHORT } }));
    ec2.catchUp();
    ec2.grantees(snapshotIds[0] ?? "").clear();
    await engine.up({ imageId, accountIds: [A], createVolumePermissions: true, timeouts: { create: "30m" } });
    assert.deepEqual([...ec2.grantees(snapshotIds[0] ?? "")], [`account/${A}`]);
    assert.equal(engine.state?.unfinished, false);
  });

  it("that are not durations are refused before any call", async () => {
    const { ec2, engine, imageId } = pulumi();
    const failed = await engine
      .up({ imageId, accountIds: [A], timeouts: { create: "30", delete: "1d" } })
      .catch((error) => error);
    assert.ok(failed instanceof CheckFailed);
    assert.deepEqual(
      failed.failures.map(({ property, reason }) => [property, reason.split(";")[0]]),
      [
        ["timeouts", 'timeouts.create: "30" has no unit'],
        ["timeouts", 'timeouts.delete: "1d" is not a duration'],
      ],
    );
    assert.deepEqual(ec2.calls, []);
  });

  it("can be shorter than the first pause", async () => {
    const { ec2, engine, imageId } = pulumi({ minDelay: 1, maxDelay: 30 });
    ec2.staleReads = 1e6;
    const message = await messageOf(engine.up({ imageId, accountIds: [A], timeouts: { create: SHORT } }));
    assert.match(message, /\[not-visible\]/);
  });
});

describe("the timeouts of a set on Terraform", () => {
  const detail = (diagnostics: readonly { severity: string; detail: string }[]) =>
    diagnostics.map((one) => one.detail).join("\n");

  it("end the wait of each operation, and the diagnostic names the one to raise", async () => {
    const { ec2, engine, imageId } = terraform();
    const config = { image_id: imageId, account_ids: [A], timeouts: { create: SHORT, update: SHORT, delete: SHORT } };
    ec2.staleReads = 1e6;
    assert.match(detail(await engine.apply(config)), /raise timeouts\.create and timeouts\.update \[not-visible\]/);
    ec2.catchUp();
    await engine.apply(config);
    ec2.staleReads = 1e6;
    assert.match(detail(await engine.apply({ ...config, account_ids: [B] })), /raise timeouts\.update \[not-visible\]/);
    ec2.catchUp();
    await engine.apply({ ...config, account_ids: [B] });
    ec2.staleReads = 1e6;
    const failed = await engine.destroy();
    assert.match(detail(failed), /raise timeouts\.delete \[not-visible\]/);
  });

  it("make no call in plan and apply if only they change", async () => {
    const { ec2, engine, imageId } = terraform();
    const config = { image_id: imageId, account_ids: [A], create_volume_permissions: {} };
    await engine.apply(config);
    for (const timeouts of [{ create: "30m", update: null, delete: null }, { create: null, update: null, delete: SHORT }, null]) {
      await engine.refresh();
      ec2.forgetCalls();
      const { planned, diagnostics } = await engine.plan({ ...config, timeouts });
      assert.deepEqual([planned.timeouts, planned.grants, diagnostics], [timeouts, engine.state?.grants, []]);
      assert.deepEqual(ec2.calls, []);
      assert.deepEqual(await engine.apply({ ...config, timeouts }), []);
      assert.deepEqual(engine.state?.timeouts, timeouts);
      // Only the reads of the refresh.
      assert.deepEqual(
        ec2.calls.map(({ action }) => action).filter((action) => !/^Describe(Image|Snapshot)Attribute$/.test(action)),
        [],
      );
    }
  });

  it("are in the log during the wait", async () => {
    const lines: string[] = [];
    const { ec2, engine, imageId } = terraform((level, message) => lines.push(`${level} ${message}`));
    ec2.staleReads = 1e6;
    await engine.apply({ image_id: imageId, account_ids: [A], timeouts: { create: "80ms" } });
    const told = lines.filter((line) => line.includes("waiting for"));
    assert.ok(told.length > 1, lines.join("\n"));
    assert.match(
      told[0] ?? "",
      new RegExp(
        `^info waiting for EC2 to show the change of AMI ${imageId}: not shown yet: account/${A} \\(launch\\) \\(\\d+ms of 80ms\\)$`,
      ),
    );
  });
});

describe("a progress message", () => {
  it("says what the set waits for and what EC2 shows now, and ends with the wait", async () => {
    const told: string[] = [];
    const { ec2, engine, imageId } = pulumi({ onWait: (words: string) => told.push(words) });
    await engine.up({ imageId, accountIds: [A] });
    assert.deepEqual(told, []);
    ec2.staleReads = 1e6;
    await messageOf(engine.up({ imageId, accountIds: [B], timeouts: { update: "100ms" } }));
    assert.ok(told.length > 1);
    for (const words of told)
      assert.match(
        words,
        new RegExp(
          `^waiting for EC2 to show the change of AMI ${imageId}: not shown yet: account/${B} \\(launch\\); still shown: account/${A} \\(launch\\) \\(\\d+ms of 100ms\\)$`,
        ),
      );
    const count = told.length;
    await sleep(50);
    assert.equal(told.length, count);
  });

  it("names a pending AMI", async () => {
    const told: string[] = [];
    const { ec2, engine, imageId } = pulumi({ onWait: (words: string) => told.push(words) });
    Object.assign(ec2.images.get(imageId) ?? {}, { state: "pending" });
    await messageOf(engine.up({ imageId, accountIds: [A], timeouts: { create: "60ms" } }));
    assert.match(told[0] ?? "", new RegExp(`^waiting for AMI ${imageId} to be available: it is pending \\(`));
  });
});
