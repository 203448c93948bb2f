/** The operations of the dynamic provider against EC2 in memory: what the engine gets, and which calls are made. */

import * as assert from "node:assert/strict";
import { AmiSharingError, type Connection, type WaitOptions } from "../../provider/core";
import { DynamicProvider } from "../../provider/pulumi/dynamicProvider";
import { PULUMI_UNKNOWN } from "../../provider/pulumi/sdkInternals";
import { encodeContext } from "../../provider/pulumi/state";
import { CheckFailed, MemoryEngine, type Props } from "../helpers/memoryEngine";
import { MemoryGateway, OWNER } from "../helpers/memoryGateway";

const [A, B, C] = ["111122223333", "444455556666", "777788889999"];
const [KEY_A, KEY_B, KEY_C] = [`account/${A}`, `account/${B}`, `account/${C}`];
const WAIT_OPTIONS = { timeout: 0.05, minDelay: 0.001, maxDelay: 0.002, absencePause: 0 };

/** A provider, its engine, and an image with two snapshots. */
function world(config: Record<string, string> = {}, waitOptions: WaitOptions = WAIT_OPTIONS) {
  const ec2 = new MemoryGateway();
  const connections: Connection[] = [];
  const provider = new DynamicProvider({
    gateway: (connection) => {
      connections.push(connection);
      return ec2;
    },
    waitOptions,
  });
  const configure = provider.configure({
    config: {
      get: (key: string) => config[key],
      require: (key: string) => config[key] as string,
    },
  } as unknown as Parameters<DynamicProvider["configure"]>[0]);
  const { imageId, snapshotIds } = ec2.addImage(2);
  const [s1, s2] = [...snapshotIds].sort() as [string, string];
  return { ec2, provider, engine: new MemoryEngine(provider), imageId, s1, s2, connections, configure };
}

async function thrownBy(operation: Promise<unknown>): Promise<Error & { id?: string; properties?: Props; reasons?: string[] }> {
  return operation.then(
    () => assert.fail("it was expected to fail"),
    (error) => error,
  );
}

describe("check", () => {
  it("leaves it to the create to fail if the resource that makes the AMI has failed, so that up can go on with others", async () => {
    const { ec2, provider } = world();
    // An unknown value is left out in an update, and the context with it.
    const { inputs, failures } = await provider.check({}, { accountIds: [A], __provider: "text" });
    assert.equal(failures, undefined);
    const { message } = await thrownBy(provider.create(inputs as Props));
    assert.match(message, /^there is no AMI to share: the resource that makes it has failed; .*\[image-not-found\]$/);
    assert.deepEqual(ec2.calls, []);
    const missing = await provider.check(
      {},
      { accountIds: [A], __provider: "text", __context: encodeContext({ urn: "u", recorded: {} }) },
    );
    assert.match(missing.failures?.[0]?.reason ?? "", /imageId: is missing/);
  });

  it("returns canonical inputs with the grants and the region, and calls no AWS API", async () => {
    const { ec2, provider, imageId } = world();
    const { inputs, failures } = await provider.check(
      {},
      { imageId, accountIds: [444455556666, A, A], createVolumePermissions: true, __provider: "text" },
    );
    assert.equal(failures, undefined);
    assert.deepEqual(inputs, {
      imageId,
      accountIds: [A, B],
      createVolumePermissions: true,
      region: "us-east-1",
      grants: { [KEY_A]: "launch, createVolume", [KEY_B]: "launch, createVolume" },
    });
    assert.deepEqual(ec2.calls, []);
  });

  it("reports each invalid argument at the property that the engine shows", async () => {
    const { provider, imageId } = world();
    const news = { imageId, accountIds: ["1234"], createVolumePermissions: { snapshotIds: ["x"] }, public: true };
    const { inputs, failures } = await provider.check({}, news);
    assert.deepEqual(inputs, news);
    assert.deepEqual(
      failures?.map(({ property, reason }) => [property, reason.slice(0, reason.indexOf(":"))]),
      [
        ["accountIds", "accountIds[0]"],
        ["createVolumePermissions", "createVolumePermissions.snapshotIds[0]"],
      ],
    );
    for (const { reason } of failures ?? []) assert.match(reason, / \[invalid-argument\]$/);
  });

  it("reports that there is no region", async () => {
    const nowhere = Object.assign(new MemoryGateway(), {
      region: () => Promise.reject(new AmiSharingError("region-missing", "no AWS region", { next: "set it" })),
    });
    const provider = new DynamicProvider({ gateway: () => nowhere });
    const { failures } = await provider.check({}, { imageId: "ami-12345678", accountIds: [] });
    assert.deepEqual(failures, [{ property: "region", reason: "no AWS region; set it [region-missing]" }]);
  });

  const regions: readonly { name: string; config?: string; olds?: Props; news?: Props; region: string }[] = [
    {
      name: "from the set's own argument",
      config: "eu-west-1",
      olds: { region: "eu-west-2" },
      news: { region: "eu-west-3" },
      region: "eu-west-3",
    },
    { name: "from the stack's config", config: "eu-west-1", olds: { region: "eu-west-2" }, region: "eu-west-1" },
    { name: "from the state", olds: { region: "eu-west-2" }, region: "eu-west-2" },
    { name: "from the AWS SDK, for another image", olds: { region: "eu-west-2", imageId: "ami-87654321" }, region: "us-east-1" },
    { name: "from the AWS SDK", region: "us-east-1" },
    {
      name: "from the stack's config, also with an unknown profile",
      config: "eu-west-1",
      olds: { region: "eu-west-2" },
      news: { profile: PULUMI_UNKNOWN },
      region: "eu-west-1",
    },
    {
      name: "from the state, also with an unknown profile",
      olds: { region: "eu-west-2" },
      news: { profile: PULUMI_UNKNOWN },
      region: "eu-west-2",
    },
    { name: "unknown, because the profile is unknown", news: { profile: PULUMI_UNKNOWN }, region: PULUMI_UNKNOWN },
  ];
  for (const { name, config, olds = {}, news = {}, region } of regions)
    it(`finds the region: ${name}`, async () => {
      const { provider, imageId, configure } = world(config ? { "aws:region": config } : {});
      await configure;
      const recorded = Object.keys(olds).length > 0 ? { imageId, ...olds } : {};
      const { inputs } = await provider.check(recorded, { imageId, accountIds: [], ...news });
      assert.equal(inputs?.region, region);
    });

  it("reads the region of a profile from the shared config files that the stack's config names", async () => {
    const { provider, imageId, configure, connections } = world({
      "aws:profile": "team",
      "aws:sharedConfigFiles": '["/a/config"]',
      "aws:sharedCredentialsFiles": '["/a/credentials"]',
    });
    await configure;
    await provider.check({}, { imageId, accountIds: [] });
    assert.deepEqual(connections, [{ profile: "team", sharedConfigFile: "/a/config", sharedCredentialsFile: "/a/credentials" }]);
  });

  it("keeps known values in the inputs next to unknown ones", async () => {
    const { provider } = world();
    const { inputs } = await provider.check({}, { imageId: PULUMI_UNKNOWN, accountIds: [PULUMI_UNKNOWN, A], mode: "additive" });
    assert.deepEqual(inputs, {
      imageId: PULUMI_UNKNOWN,
      accountIds: [A, PULUMI_UNKNOWN],
      mode: "additive",
      region: "us-east-1",
      grants: { [KEY_A]: "launch", "account/[unknown]": "launch" },
    });
  });
});

describe("diff", () => {
  const cases: readonly { name: string; change: Props; operation: string }[] = [
    { name: "nothing", change: {}, operation: "same" },
    { name: "order, duplicates and numbers", change: { accountIds: [444455556666, 111122223333, B] }, operation: "same" },
    { name: "one account more", change: { accountIds: [A, B, C] }, operation: "update" },
    { name: "one account fewer", change: { accountIds: [A] }, operation: "update" },
    { name: "the mode", change: { mode: "additive" }, operation: "update" },
    { name: "onDelete", change: { onDelete: "retain" }, operation: "update" },
    { name: "create-volume", change: { createVolumePermissions: true }, operation: "update" },
    { name: "the role", change: { assumeRole: { roleArn: "arn:aws:iam::111122223333:role/x" } }, operation: "update" },
    { name: "the region", change: { region: "eu-west-1" }, operation: "replace" },
    { name: "the image", change: { imageId: "ami-87654321" }, operation: "replace" },
    { name: "an unknown image", change: { imageId: PULUMI_UNKNOWN }, operation: "replace" },
  ];
  for (const { name, change, operation } of cases)
    it(`${name}: ${operation}`, async () => {
      const { ec2, engine, imageId } = world();
      const args = { imageId, accountIds: [A, B] };
      await engine.up(args);
      ec2.forgetCalls();
      assert.equal((await engine.preview({ ...args, ...change })).operation, operation);
      assert.deepEqual(ec2.calls, []);
    });

  it("an unknown profile: update, because the region is the recorded one", async () => {
    const { engine, imageId } = world();
    await engine.up({ imageId, accountIds: [A] });
    assert.equal((await engine.preview({ imageId, accountIds: [A], profile: PULUMI_UNKNOWN })).operation, "update");
  });

  it("after a refresh: no change without drift, also with the owner, AWS Marketplace and no snapshots", async () => {
    const { ec2, engine } = world();
    const { imageId } = ec2.addImage(0);
    ec2.grantees(imageId).add("user/aws-marketplace");
    const args = { imageId, accountIds: [A, OWNER], createVolumePermissions: true };
    await engine.up(args);
    await engine.refresh();
    assert.equal((await engine.preview(args)).operation, "same");
  });
});

describe("create", () => {
  it("shares the snapshots, then the image, with one call each, and records the grants", async () => {
    const { ec2, engine, imageId, s1, s2 } = world();
    await engine.up({ imageId, accountIds: [A, B, OWNER], createVolumePermissions: true });
    assert.deepEqual(ec2.everything(imageId), { [imageId]: [KEY_A, KEY_B], [s1]: [KEY_A, KEY_B], [s2]: [KEY_A, KEY_B] });
    assert.deepEqual(ec2.modifications().sort(), [
      `ModifyImageAttribute ${imageId}`,
      `ModifySnapshotAttribute ${s1}`,
      `ModifySnapshotAttribute ${s2}`,
    ]);
    assert.equal(ec2.modifications().at(-1), `ModifyImageAttribute ${imageId}`);
    const { id, outputs } = engine.state ?? assert.fail();
    assert.equal(id, imageId);
    assert.deepEqual(outputs, {
      imageId,
      accountIds: [A, B, OWNER].sort(),
      createVolumePermissions: true,
      region: "us-east-1",
      ownerId: OWNER,
      snapshotIds: [s1, s2],
      grants: { [KEY_A]: "launch, createVolume", [KEY_B]: "launch, createVolume" },
      __record: { live: { launch: [KEY_A, KEY_B], createVolume: { [s1]: [KEY_A, KEY_B], [s2]: [KEY_A, KEY_B] } } },
      __provider: outputs.__provider,
      __done: outputs.__done,
    });
    const { at, report } = outputs.__done as { at: number; report: string };
    assert.ok(Math.abs(Date.now() - at) < 60_000);
    assert.match(report, /: 2 gained access\n/);
    await engine.refresh();
    assert.deepEqual(engine.state?.outputs.__done, { at, report }, "a refresh keeps it, and so shows no change");
  });

  it("changes nothing if the AMI is already shared as declared", async () => {
    const { ec2, engine, imageId } = world();
    ec2.grantees(imageId).add(KEY_A);
    await engine.up({ imageId, accountIds: [A] });
    assert.deepEqual(ec2.modifications(), []);
  });

  it("revokes grants of others in authoritative mode, and keeps them in additive mode", async () => {
    for (const [mode, left] of [
      ["authoritative", [KEY_A, "user/aws-marketplace"]],
      ["additive", [KEY_A, KEY_B, "public", "user/aws-marketplace"]],
    ] as const) {
      const { ec2, engine, imageId } = world();
      for (const key of [KEY_B, "public", "user/aws-marketplace"]) ec2.grantees(imageId).add(key);
      await engine.up({ imageId, accountIds: [A], mode });
      assert.deepEqual([...ec2.grantees(imageId)].sort(), left, mode);
    }
  });

  it("waits until EC2 shows the change", async () => {
    const { ec2, engine, imageId } = world({}, { ...WAIT_OPTIONS, timeout: 10 });
    ec2.staleReads = 3;
    await engine.up({ imageId, accountIds: [A] });
    assert.deepEqual(engine.state?.outputs.grants, { [KEY_A]: "launch" });
  });

  it("records a change that EC2 does not show in time as unfinished, and the next up completes it", async () => {
    const { ec2, engine, imageId } = world();
    ec2.staleReads = 1000;
    const error = await thrownBy(engine.up({ imageId, accountIds: [A] }));
    assert.match(
      error.message,
      /begun and not completed: EC2 accepted the change of AMI .* and does not show it.*\[not-visible\]/,
    );
    assert.equal(engine.state?.unfinished, true);
    ec2.catchUp();
    ec2.forgetCalls();
    assert.equal((await engine.up({ imageId, accountIds: [A] })).operation, "update");
    assert.deepEqual(ec2.modifications(), []);
    assert.equal(engine.state?.unfinished, false);
  });

  const refusals: readonly { name: string; arrange: (ec2: MemoryGateway, imageId: string) => void; words: RegExp }[] = [
    { name: "absent", arrange: (ec2, id) => ec2.images.delete(id), words: /there is no AMI ami-.*\[image-not-found\]$/ },
    {
      name: "disabled",
      arrange: (ec2, id) => Object.assign(ec2.images.get(id) ?? {}, { state: "disabled" }),
      words: /AMI ami-\w+ is disabled; enable it first .*\[image-not-shareable\]$/,
    },
    {
      name: "failed",
      arrange: (ec2, id) => Object.assign(ec2.images.get(id) ?? {}, { state: "failed" }),
      words: /AMI ami-\w+ is failed.*\[image-not-shareable\]$/,
    },
    {
      name: "owned by another account",
      arrange: (ec2, id) => Object.assign(ec2.images.get(id) ?? {}, { ownerId: "222222222222" }),
      words: /belongs to another account.*\[not-owner\]$/,
    },
    { name: "refused by EC2", arrange: (ec2) => Object.assign(ec2, { entityQuota: 0 }), words: /quota.*\[quota-exceeded\]$/ },
  ];
  for (const { name, arrange, words } of refusals)
    it(`of an AMI that is ${name}: fails with a clear error, and changes and records nothing`, async () => {
      const { ec2, engine, imageId } = world();
      arrange(ec2, imageId);
      const error = await thrownBy(engine.up({ imageId, accountIds: [A] }));
      assert.match(error.message, words);
      assert.ok(error.message.includes(imageId), "the error names the AMI");
      assert.equal(error.id, undefined);
      assert.equal(engine.state, undefined);
      assert.deepEqual(ec2.images.get(imageId)?.launch ?? new Set(), new Set());
      assert.equal(error.stack, error.message, "no stack trace");
    });

  it("of snapshots that belong to another image: fails with a clear error", async () => {
    const { ec2, engine, imageId } = world();
    const { snapshotIds } = ec2.addImage(1);
    const error = await thrownBy(engine.up({ imageId, accountIds: [A], createVolumePermissions: { snapshotIds } }));
    assert.match(error.message, /is not among the snapshots of AMI .*its EBS snapshots are snap-.*\[invalid-argument\]$/);
    assert.deepEqual(ec2.modifications(), []);
  });

  it("that fails in part lists who lost access, and separately those whom the state did not record", async () => {
    const { ec2, engine, imageId } = world();
    const args = { imageId, createVolumePermissions: true };
    await engine.up({ ...args, accountIds: [A, B] });
    ec2.grantees(imageId).add(KEY_C as string);
    ec2.fail({ matching: ({ action }) => action === "ModifySnapshotAttribute" });
    const { message, reasons } = await thrownBy(engine.up({ ...args, accountIds: [A] }));
    assert.match(
      message.replace(/\s+/g, " "),
      new RegExp(
        `not completed: .*\\[endpoint-unreachable\\] lost access by it: - launch[^(]* \\(granted by this set\\): ${KEY_B} - launch \\(set elsewhere, and not in the state\\): ${KEY_C}$`,
      ),
    );
    assert.deepEqual(reasons, [message]);
  });

  it("that fails in part records what EC2 has, and the next up completes it", async () => {
    const { ec2, engine, imageId, s1, s2 } = world();
    const args = { imageId, accountIds: [A], createVolumePermissions: true };
    ec2.fail({ matching: ({ action }) => action === "ModifyImageAttribute" });
    const error = await thrownBy(engine.up(args));
    assert.equal(error.id, imageId);
    assert.match(error.message, /the change was begun and not completed: .*\[endpoint-unreachable\]$/);
    assert.deepEqual(error.reasons, [error.message]);
    assert.deepEqual(engine.state?.outputs.grants, { [KEY_A]: "createVolume" });
    assert.equal(engine.state?.unfinished, true);
    assert.equal((await engine.up(args)).operation, "update");
    assert.deepEqual(ec2.everything(imageId), { [imageId]: [KEY_A], [s1]: [KEY_A], [s2]: [KEY_A] });
    assert.equal(engine.state?.unfinished, false);
  });

  it("records a change that EC2 made although its response was lost", async () => {
    const { ec2, engine, imageId } = world();
    ec2.fail({ matching: ({ action }) => action === "ModifyImageAttribute", applied: true });
    await thrownBy(engine.up({ imageId, accountIds: [A], mode: "additive" }));
    assert.deepEqual(engine.state?.outputs.grants, { [KEY_A]: "launch" });
    await engine.destroy();
    assert.deepEqual([...ec2.grantees(imageId)], []);
  });

  it("records a change that EC2 accepted but does not show, and a destroy revokes it", async () => {
    const { ec2, engine, imageId } = world();
    ec2.staleReads = 1000;
    await thrownBy(engine.up({ imageId, accountIds: [A], mode: "additive" }));
    assert.deepEqual(engine.state?.outputs.grants, {});
    ec2.catchUp();
    await engine.destroy();
    assert.deepEqual([...ec2.grantees(imageId)], []);
  });

  it("records a change whose response was lost and that cannot be read, and a destroy revokes it", async () => {
    const { ec2, engine, imageId } = world();
    ec2.fail({ matching: ({ action }) => action === "ModifyImageAttribute", applied: true });
    ec2.fail({ nth: 2, matching: ({ action }) => action === "DescribeImageAttribute" });
    await thrownBy(engine.up({ imageId, accountIds: [A], mode: "additive" }));
    assert.equal(engine.state?.unfinished, true);
    await engine.destroy();
    assert.deepEqual([...ec2.grantees(imageId)], []);
  });

  it("creates one gateway for each connection, with the stack's config", async () => {
    const { provider, connections, imageId, configure } = world({ "aws:region": "us-east-1", "aws:maxRetries": "2" });
    await configure;
    const args = { imageId, region: "us-east-1", accountIds: [A] };
    await provider.create(args);
    await provider.create({ ...args, accountIds: [B] });
    assert.equal(connections.length, 1);
    assert.equal(connections[0]?.maxRetries, 2);
    await provider.create({ ...args, profile: "other" });
    assert.equal(connections.length, 2);
  });
});

describe("update", () => {
  it("adds and removes in one call for the image, and then revokes on the snapshots", async () => {
    const { ec2, engine, imageId, s1, s2 } = world();
    await engine.up({ imageId, accountIds: [A, B], createVolumePermissions: true });
    ec2.forgetCalls();
    await engine.up({ imageId, accountIds: [A, C], createVolumePermissions: { snapshotIds: [s1] } });
    assert.deepEqual(ec2.everything(imageId), { [imageId]: [KEY_A, KEY_C], [s1]: [KEY_A, KEY_C], [s2]: [] });
    const made = ec2.modifications();
    assert.equal(made.indexOf(`ModifyImageAttribute ${imageId}`), 1);
    assert.equal(made.length, 4);
    assert.deepEqual(engine.state?.outputs.grants, {
      [KEY_A]: `launch, createVolume on ${s1}`,
      [KEY_C]: `launch, createVolume on ${s1}`,
    });
  });

  it("changes nothing from authoritative to additive, and revokes grants of others from additive to authoritative", async () => {
    const { ec2, engine, imageId } = world();
    await engine.up({ imageId, accountIds: [A] });
    ec2.grantees(imageId).add(KEY_B);
    ec2.forgetCalls();
    await engine.up({ imageId, accountIds: [A], mode: "additive" });
    assert.deepEqual(ec2.modifications(), []);
    assert.deepEqual(engine.state?.outputs.grants, { [KEY_A]: "launch" });
    await engine.up({ imageId, accountIds: [A], mode: "authoritative" });
    assert.deepEqual([...ec2.grantees(imageId)], [KEY_A]);
  });

  it("leaves the state unchanged if EC2 refuses the first call", async () => {
    const { ec2, engine, imageId } = world();
    await engine.up({ imageId, accountIds: [A] });
    const before = engine.state;
    ec2.entityQuota = 1;
    assert.match((await thrownBy(engine.up({ imageId, accountIds: [A, B] }))).message, /quota-exceeded/);
    assert.equal(engine.state, before);
  });

  it("of another image shares the new image before it unshares the old one", async () => {
    const { ec2, engine, imageId } = world();
    const next = ec2.addImage(0);
    await engine.up({ imageId, accountIds: [A] });
    ec2.forgetCalls();
    assert.equal((await engine.up({ imageId: next.imageId, accountIds: [A] })).operation, "replace");
    assert.deepEqual(ec2.modifications(), [`ModifyImageAttribute ${next.imageId}`, `ModifyImageAttribute ${imageId}`]);
    assert.deepEqual([...ec2.grantees(imageId)], []);
    assert.deepEqual([...ec2.grantees(next.imageId)], [KEY_A]);
  });
});

describe("read", () => {
  it("shows grants that others added and removed, in inputs and outputs, and changes nothing", async () => {
    const { ec2, engine, imageId, s1, s2 } = world();
    const args = { imageId, accountIds: [A, B], createVolumePermissions: true };
    await engine.up(args);
    ec2.grantees(imageId).delete(KEY_B);
    ec2.grantees(imageId).add(KEY_C);
    ec2.grantees(s2).delete(KEY_A);
    ec2.forgetCalls();
    await engine.refresh();
    assert.deepEqual(ec2.modifications(), []);
    const grants = {
      [KEY_A]: `launch, createVolume on ${s1}`,
      [KEY_B]: "createVolume",
      [KEY_C]: "launch",
    };
    assert.deepEqual(engine.state?.outputs.grants, grants);
    assert.deepEqual(engine.state?.inputs.grants, grants);
    assert.deepEqual(engine.state?.inputs.accountIds, [A, B]);
    assert.equal((await engine.up(args)).operation, "update");
    assert.deepEqual(ec2.everything(imageId), { [imageId]: [KEY_A, KEY_B], [s1]: [KEY_A, KEY_B], [s2]: [KEY_A, KEY_B] });
  });

  it("of an additive set does not show grants of others", async () => {
    const { ec2, engine, imageId } = world();
    const args = { imageId, accountIds: [A], mode: "additive" };
    await engine.up(args);
    ec2.grantees(imageId).add(KEY_C);
    await engine.refresh();
    assert.deepEqual(engine.state?.outputs.grants, { [KEY_A]: "launch" });
    assert.equal((await engine.preview(args)).operation, "same");
  });

  it("of an image that does not exist any more removes the set from the state", async () => {
    const { ec2, engine, imageId } = world();
    await engine.up({ imageId, accountIds: [A] });
    ec2.images.delete(imageId);
    await engine.refresh();
    assert.equal(engine.state, undefined);
  });

  it("of an image that only its owner could see keeps the state, if the credentials are another account's", async () => {
    const { ec2, engine, imageId } = world();
    await engine.up({ imageId, accountIds: [A] });
    const before = structuredClone(engine.state);
    ec2.images.delete(imageId);
    ec2.caller = "999999999999";
    for (const operation of [() => engine.refresh(), () => engine.destroy()]) {
      const { message } = await thrownBy(operation());
      assert.match(message, new RegExp(`${imageId} belongs to account ${OWNER}, and the credentials to account 999999999999`));
      assert.match(message, /\[not-owner\]$/);
      assert.deepEqual(engine.state, before);
    }
    // If the caller's account is not known, it is not known whether the AMI still exists.
    ec2.caller = undefined;
    for (const operation of [() => engine.refresh(), () => engine.destroy()]) {
      assert.match((await thrownBy(operation())).message, /\[caller-unknown\]$/);
      assert.deepEqual(engine.state, before);
    }
    ec2.caller = OWNER;
    await engine.refresh();
    assert.equal(engine.state, undefined);
  });

  it("drops grants that are gone: if somebody else grants them again, the set does not own them", async () => {
    const { ec2, engine, imageId } = world();
    await engine.up({ imageId, accountIds: [A], mode: "additive" });
    ec2.grantees(imageId).delete(KEY_A);
    await engine.refresh();
    ec2.grantees(imageId).add(KEY_A);
    await engine.up({ imageId, accountIds: [], mode: "additive" });
    await engine.destroy();
    assert.deepEqual([...ec2.grantees(imageId)], [KEY_A]);
  });

  it("of an image that EC2 still lists as deregistered removes the set from the state", async () => {
    const { ec2, engine, imageId } = world();
    await engine.up({ imageId, accountIds: [A] });
    Object.assign(ec2.images.get(imageId) ?? {}, { state: "deregistered" });
    await engine.refresh();
    assert.equal(engine.state, undefined);
  });

  it("of an image that is disabled shows no grantees", async () => {
    const { ec2, engine, imageId } = world();
    await engine.up({ imageId, accountIds: [A] });
    Object.assign(ec2.images.get(imageId) ?? {}, { state: "disabled" });
    ec2.grantees(imageId).clear();
    await engine.refresh();
    assert.deepEqual(engine.state?.outputs.grants, {});
  });

  it("with a deleted snapshot shows the remaining snapshots", async () => {
    const { ec2, engine, imageId, s1, s2 } = world();
    await engine.up({ imageId, accountIds: [A], createVolumePermissions: true });
    ec2.snapshots.delete(s2);
    await engine.refresh();
    assert.deepEqual(engine.state?.outputs.grants, { [KEY_A]: "launch, createVolume" });
    assert.deepEqual(engine.state?.outputs.snapshotIds, [s1]);
  });

  it("with only an id, as in a static get, finds who has access", async () => {
    const { ec2, provider, imageId } = world();
    ec2.grantees(imageId).add(KEY_A);
    const { id, props } = await provider.read(imageId);
    assert.equal(id, imageId);
    assert.deepEqual(props?.grants, { [KEY_A]: "launch" });
  });

  it("that fails gives the reason and the AMI, without a stack trace: the engine's host prints both", async () => {
    const { ec2, engine, imageId } = world();
    await engine.up({ imageId, accountIds: [A] });
    ec2.fail({ error: new AmiSharingError("throttled", "EC2 throttles DescribeImages") });
    const error = await thrownBy(engine.refresh());
    assert.equal(error.message, `AMI ${imageId}: EC2 throttles DescribeImages [throttled]`);
    assert.equal(`${error}: ${error.stack}`, `ami-launch-permissions: ${error.message}`);
    assert.ok(engine.state);
  });
});

describe("delete", () => {
  const everybody = [KEY_A, KEY_B, KEY_C, "user/aws-marketplace"];
  const cases: readonly { name: string; args: Props; image: string[]; snapshot: string[] }[] = [
    {
      name: "revoke removes only the grants of the set",
      args: {},
      image: [KEY_C, "user/aws-marketplace"],
      snapshot: [KEY_C, "user/aws-marketplace"],
    },
    {
      name: "revoke of an additive set keeps grants from before it",
      args: { mode: "additive" },
      image: [KEY_B, KEY_C, "user/aws-marketplace"],
      snapshot: [KEY_C, "user/aws-marketplace"],
    },
    {
      name: "reset removes all grants",
      args: { onDelete: "reset" },
      image: ["user/aws-marketplace"],
      snapshot: ["user/aws-marketplace"],
    },
    {
      name: "reset keeps grants on snapshots that are not managed",
      args: { onDelete: "reset", createVolumePermissions: false },
      image: ["user/aws-marketplace"],
      snapshot: [KEY_C, "user/aws-marketplace"],
    },
    { name: "retain changes nothing", args: { onDelete: "retain" }, image: everybody, snapshot: everybody },
  ];
  for (const { name, args, image, snapshot } of cases)
    it(name, async () => {
      const { ec2, engine, imageId, s1, s2 } = world();
      ec2.grantees(imageId).add(KEY_B);
      await engine.up({ imageId, accountIds: [A, B], createVolumePermissions: true, ...args });
      for (const resource of [imageId, s1, s2])
        for (const key of [KEY_C, "user/aws-marketplace"]) ec2.grantees(resource).add(key);
      await engine.destroy();
      assert.deepEqual(ec2.everything(imageId), { [imageId]: image, [s1]: snapshot, [s2]: snapshot });
    });

  it("unshares the image before the snapshots", async () => {
    const { ec2, engine, imageId } = world();
    await engine.up({ imageId, accountIds: [A], createVolumePermissions: true });
    ec2.forgetCalls();
    await engine.destroy();
    assert.equal(ec2.modifications()[0], `ModifyImageAttribute ${imageId}`);
    assert.equal(ec2.modifications().length, 3);
  });

  it("revokes recorded grants by name, without a read first, even if EC2 does not show them", async () => {
    const { ec2, engine, imageId } = world();
    await engine.up({ imageId, accountIds: [A] });
    ec2.grantees(imageId).clear();
    ec2.forgetCalls();
    await engine.destroy();
    assert.deepEqual(ec2.calls[0]?.action, "ModifyImageAttribute");
  });

  for (const onDelete of ["revoke", "reset", "retain"])
    it(`${onDelete}: succeeds if the image or a snapshot does not exist any more`, async () => {
      const { ec2, engine, imageId, s1, s2 } = world();
      await engine.up({ imageId, accountIds: [A], createVolumePermissions: true, onDelete });
      ec2.images.delete(imageId);
      ec2.snapshots.delete(s1);
      await engine.destroy();
      assert.equal(engine.state, undefined);
      assert.deepEqual([...ec2.grantees(s2)], onDelete === "retain" ? [KEY_A] : []);
    });

  it("that fails in part keeps the state, and the next destroy completes it", async () => {
    const { ec2, engine, imageId, s1 } = world();
    await engine.up({ imageId, accountIds: [A], createVolumePermissions: true });
    ec2.fail({ matching: ({ resource, action }) => resource === s1 && action.startsWith("Modify") });
    await thrownBy(engine.destroy());
    assert.ok(engine.state);
    assert.deepEqual([...ec2.grantees(imageId)], []);
    assert.deepEqual([...ec2.grantees(s1)], [KEY_A]);
    await engine.destroy();
    assert.deepEqual([...ec2.grantees(s1)], []);
  });
});

describe("maxRevocations", () => {
  const refused = (n: number, max: number) =>
    new RegExp(`would take access from ${n} grantees? \\(.*\\), and maxRevocations is ${max};.*\\[too-many-revocations\\]$`);

  it("refuses in check if the state already shows too many revocations, without a call to EC2", async () => {
    const { ec2, engine, imageId } = world();
    await engine.up({ imageId, accountIds: [A, B], createVolumePermissions: true });
    ec2.forgetCalls();
    for (const [args, n, max] of [
      [{ accountIds: [C], createVolumePermissions: true, maxRevocations: 1 }, 2, 1],
      [{ accountIds: [A], createVolumePermissions: true, maxRevocations: "none" }, 1, 0],
      [{ accountIds: [A, B], maxRevocations: 0 }, 2, 0],
    ] as const)
      assert.match((await thrownBy(engine.up({ imageId, ...args }))).message, refused(n, max));
    assert.deepEqual(ec2.calls, []);
    await engine.up({ imageId, accountIds: [C], createVolumePermissions: true, maxRevocations: 2 });
    assert.deepEqual([...ec2.grantees(imageId)], [KEY_C]);
  });

  it("refuses before any change if EC2 has grants of others that would be revoked", async () => {
    const { ec2, engine, imageId } = world();
    ec2
      .grantees(imageId)
      .add(KEY_B as string)
      .add(KEY_C as string);
    const { message } = await thrownBy(engine.up({ imageId, accountIds: [A], createVolumePermissions: true, maxRevocations: 1 }));
    assert.match(message, refused(2, 1));
    assert.deepEqual(ec2.modifications(), []);
    assert.equal(engine.state, undefined);
  });

  it("does not count the set of a new AMI, or a destroy", async () => {
    const { ec2, engine, imageId } = world();
    await engine.up({ imageId, accountIds: [A, B], maxRevocations: "none" });
    const other = ec2.addImage(1).imageId;
    await engine.up({ imageId: other, accountIds: [C], maxRevocations: "none" });
    assert.deepEqual([...ec2.grantees(imageId)], []);
    await engine.destroy();
    assert.deepEqual([...ec2.grantees(other)], []);
  });
});

describe("neverRevoke", () => {
  it("keeps the access of its accounts, shows no change for it, and does not count it as a revocation", async () => {
    const { ec2, engine, imageId, s1 } = world();
    await engine.up({ imageId, accountIds: [A, B], createVolumePermissions: true });
    const args = { imageId, accountIds: [A], createVolumePermissions: true, neverRevoke: [B], maxRevocations: "none" };
    await engine.up(args);
    assert.deepEqual([...ec2.grantees(imageId)].sort(), [KEY_A, KEY_B]);
    assert.deepEqual([...ec2.grantees(s1)].sort(), [KEY_A, KEY_B]);
    for (const between of [async () => undefined, () => engine.refresh()]) {
      await between();
      ec2.forgetCalls();
      await engine.up(args);
      assert.deepEqual(ec2.calls, []);
    }
  });

  it("with an unknown list or element is a change, not a failure", async () => {
    const { provider, engine, imageId } = world();
    await engine.up({ imageId, accountIds: [A, B] });
    for (const neverRevoke of [PULUMI_UNKNOWN, [A, PULUMI_UNKNOWN]]) {
      const olds = engine.state?.inputs as Props;
      const { inputs, failures } = await provider.check(olds, { imageId, accountIds: [A], neverRevoke });
      assert.equal(failures, undefined);
      assert.deepEqual(inputs.grants, { [KEY_A]: "launch", [KEY_B]: PULUMI_UNKNOWN });
      assert.deepEqual(await provider.diff(imageId, engine.state?.outputs as Props, inputs), { changes: true, replaces: [] });
    }
  });

  it("takes over grants of others to its accounts, without a permanent diff", async () => {
    const { ec2, engine, imageId } = world();
    ec2
      .grantees(imageId)
      .add(KEY_B as string)
      .add(KEY_C as string);
    const args = { imageId, accountIds: [A], neverRevoke: [B] };
    await engine.up(args);
    assert.deepEqual([...ec2.grantees(imageId)].sort(), [KEY_A, KEY_B]);
    for (const between of [async () => undefined, () => engine.refresh()]) {
      await between();
      ec2.forgetCalls();
      await engine.up(args);
      assert.deepEqual(ec2.calls, []);
    }
  });

  for (const onDelete of ["revoke", "reset"])
    it(`also applies to a destroy with onDelete ${onDelete}`, async () => {
      const { ec2, engine, imageId, s1, s2 } = world();
      await engine.up({ imageId, accountIds: [A, B], createVolumePermissions: true, neverRevoke: [B], onDelete });
      ec2.grantees(imageId).add(KEY_C as string);
      await engine.destroy();
      assert.deepEqual([...ec2.grantees(imageId)].sort(), onDelete === "reset" ? [KEY_B] : [KEY_B, KEY_C]);
      for (const id of [s1, s2]) assert.deepEqual([...ec2.grantees(id)], [KEY_B]);
    });
});

describe("an invalid program", () => {
  it("changes nothing", async () => {
    const { ec2, engine, imageId } = world();
    await assert.rejects(engine.up({ imageId, accountIds: ["1234"] }), CheckFailed);
    assert.deepEqual(ec2.calls, []);
  });
});
