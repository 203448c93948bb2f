/** What a set does about KMS keys and usage reports: warnings, grants made and revoked, and that grants of others are not changed. */

import * as assert from "node:assert/strict";
import {
  AmiSharingError,
  decodeDeclaredSet,
  decodeRecorded,
  kmsKeyPolicyStatements,
  type PermissionSet,
  permissionSetOf,
  planChange,
  reportOf,
} from "../../provider/core";
import { usageOf } from "../../provider/core/planning/usage";
import { DynamicProvider } from "../../provider/pulumi/dynamicProvider";
import { MemoryEngine, type Props } from "../helpers/memoryEngine";
import { AWS_MANAGED_KEY, MemoryGateway, OWNER } from "../helpers/memoryGateway";
import { MemoryStack } from "../helpers/memoryStack";
import { errors, MemoryTerraform } from "../helpers/memoryTerraform";

const [A, B, C] = ["111122223333", "444455556666", "777788889999"] as const;
const KEY = `arn:aws:kms:us-east-1:${OWNER}:key/own`;
const OTHERS_KEY = "arn:aws:kms:us-east-1:444455556666:key/theirs";
const ORGANIZATION = "arn:aws:organizations::111122223333:organization/o-abcde12345";
const WAIT_OPTIONS = { timeout: 0.05, minDelay: 0.001, maxDelay: 0.002, absencePause: 0 };

function setOf(args: Record<string, unknown>): PermissionSet {
  const decoded = decodeDeclaredSet(args);
  return ("declared" in decoded && permissionSetOf(decoded.declared)) || assert.fail(JSON.stringify(decoded));
}

function world(key: string | undefined = KEY) {
  const ec2 = new MemoryGateway();
  const { imageId, snapshotIds } = ec2.addImage(2);
  if (key) for (const id of snapshotIds) ec2.encrypt(id, key);
  const engine = new MemoryEngine(new DynamicProvider({ gateway: () => ec2, waitOptions: WAIT_OPTIONS }));
  const plan = (args: Record<string, unknown>) => planChange(ec2, setOf({ imageId, ...args }));
  const grantees = () => ec2.keyGrants.map(({ accountId, keyId }) => `${accountId} ${keyId}`).sort();
  return { ec2, imageId, snapshotIds, engine, plan, grantees };
}

describe("kmsAccess check", () => {
  it("warns of accounts, organizations and units that the key does not admit, and changes nothing in KMS", async () => {
    const { ec2, plan, engine, imageId } = world();
    ec2.policies.set(KEY, JSON.stringify({ Statement: kmsKeyPolicyStatements({ accountIds: [B] }) }));
    const made = await plan({ accountIds: [A, B, C], organizationArns: [ORGANIZATION] });
    assert.equal(made.warnings.length, 2);
    assert.match(
      made.warnings[0] ?? "",
      new RegExp(`^account/${A}, account/${C} may not use key ${KEY}, and so cannot launch or copy`),
    );
    assert.match(made.warnings[1] ?? "", /does not name arn:aws:organizations::111122223333:organization\/o-abcde12345/);
    assert.match(
      reportOf(made, "planned").replace(/\s+/g, " "),
      new RegExp(`encrypted: snap-\\w+, snap-\\w+ under the customer managed key ${KEY} of account ${OWNER}`),
    );
    await engine.up({ imageId, accountIds: [A] });
    assert.deepEqual(ec2.keyGrants, []);
  });

  it("names a single account that lacks the key, and the first five if there are more", async () => {
    assert.match((await world().plan({ accountIds: [A] })).warnings.join(), new RegExp(`^account/${A} may not use key`));
    const six = Array.from({ length: 6 }, (_, i) => String(100_000_000_000 + i));
    const [warning = ""] = (await world().plan({ accountIds: six })).warnings;
    assert.match(warning, /^account\/100000000000, .*, account\/100000000004 and 1 more may not use key/);
  });

  it('does not warn if the key admits them, if they own the key, or if kmsAccess is "ignore"', async () => {
    const admitted = world();
    admitted.ec2.policies.set(
      KEY,
      JSON.stringify({ Statement: kmsKeyPolicyStatements({ accountIds: [A], organizationArns: [ORGANIZATION] }) }),
    );
    assert.deepEqual((await admitted.plan({ accountIds: [A], organizationArns: [ORGANIZATION] })).warnings, []);
    assert.deepEqual((await world(OTHERS_KEY).plan({ accountIds: [B] })).warnings, []);
    assert.deepEqual((await world().plan({ accountIds: [A], kmsAccess: "ignore" })).warnings, []);
  });

  it("says that access is unknown if the key's policy or grants cannot be read", async () => {
    const { ec2, plan } = world();
    ec2.denied.push("kms:GetKeyPolicy");
    const { warnings, doubts } = await plan({ accountIds: [A] });
    assert.deepEqual(warnings, []);
    assert.match(doubts.join(), /its policy or its grants cannot be read \(kms:GetKeyPolicy, kms:ListGrants\)/);
  });

  it("makes no call to KMS if the image is not encrypted, or if no grantee is added", async () => {
    const plain = world("");
    await plain.plan({ accountIds: [A] });
    const same = world();
    same.ec2.grantees(same.imageId).add(`account/${A}`);
    await same.plan({ accountIds: [A] });
    for (const { ec2 } of [plain, same])
      assert.deepEqual(
        ec2.calls.filter(({ action }) => /Key|Grant|Snapshots/.test(action)),
        [],
      );
  });
});

describe("kmsAccess grant", () => {
  it("makes one grant for each account and key before it shares, and revokes it afterwards; grants of others stay", async () => {
    const { ec2, engine, imageId, grantees } = world();
    const other = { keyId: KEY, grantId: "other", name: "somebody", accountId: A, operations: ["Decrypt"] };
    ec2.keyGrants.push(other);
    await engine.up({ imageId, accountIds: [A, B, OWNER], kmsAccess: "grant" });
    assert.deepEqual(grantees(), [`${A} ${KEY}`, `${A} ${KEY}`, `${B} ${KEY}`]);
    const order = ec2.calls.map(({ action }) => action).filter((action) => /Create|Modify/.test(action));
    assert.deepEqual(order, ["CreateGrant", "CreateGrant", "ModifyImageAttribute"]);

    await engine.up({ imageId, accountIds: [B, C], kmsAccess: "grant" });
    assert.deepEqual(grantees(), [`${A} ${KEY}`, `${B} ${KEY}`, `${C} ${KEY}`]);
    ec2.forgetCalls();
    assert.equal((await engine.up({ imageId, accountIds: [B, C], kmsAccess: "grant" })).operation, "same");
    assert.deepEqual(ec2.calls, []);
    await engine.refresh();
    await engine.destroy();
    assert.deepEqual(ec2.keyGrants, [other]);
  });

  it("detects a revoked grant in a refresh, shows it in the grants, and the next up makes it again", async () => {
    const { ec2, engine, imageId, grantees } = world();
    const args = { imageId, accountIds: [A, B], kmsAccess: "grant" };
    await engine.up(args);
    ec2.keyGrants = ec2.keyGrants.filter(({ accountId }) => accountId !== A);
    // Twice: the second refresh keeps what the first one found.
    await engine.refresh();
    await engine.refresh();
    assert.deepEqual(engine.state?.outputs.grants, {
      [`account/${A}`]: "launch (key grant gone)",
      [`account/${B}`]: "launch",
    });
    ec2.forgetCalls();
    assert.equal((await engine.up(args)).operation, "update");
    assert.deepEqual(ec2.modifications(), []);
    assert.deepEqual(grantees(), [`${A} ${KEY}`, `${B} ${KEY}`]);
    assert.deepEqual(engine.state?.outputs.grants, { [`account/${A}`]: "launch", [`account/${B}`]: "launch" });
    await engine.refresh();
    assert.equal((await engine.up(args)).operation, "same");
    await engine.destroy();
    assert.deepEqual(ec2.keyGrants, []);
  });

  it("makes a revoked grant again with the next change of any kind, without a refresh", async () => {
    const { ec2, engine, imageId, grantees } = world();
    await engine.up({ imageId, accountIds: [A, B], kmsAccess: "grant" });
    ec2.keyGrants = ec2.keyGrants.filter(({ accountId }) => accountId !== A);
    await engine.up({ imageId, accountIds: [A, B, C], kmsAccess: "grant" });
    assert.deepEqual(grantees(), [`${A} ${KEY}`, `${B} ${KEY}`, `${C} ${KEY}`]);
    await engine.destroy();
    assert.deepEqual(ec2.keyGrants, []);
  });

  it("changed to check warns of everybody whose grant is revoked, and the report does not say that nothing changes", async () => {
    const { ec2, engine, imageId } = world();
    const args = { imageId, accountIds: [A, B] };
    await engine.up({ ...args, kmsAccess: "grant" });
    const set = setOf({ ...args, kmsAccess: "check" });
    const { outputs } = engine.state ?? assert.fail();
    const text = reportOf(await planChange(ec2, set, decodeRecorded(outputs, set)), "planned").replace(/\s+/g, " ");
    assert.match(text, new RegExp(`warning: account/${A}, account/${B} may not use key ${KEY}`));
    assert.match(text, /^AMI \S+ in us-east-1: 2 keep access encrypted: /);
    assert.match(text, new RegExp(` key grants revoked of: account/${A}, account/${B} calls: 2 RevokeGrant warning: `));
    assert.doesNotMatch(text, /nothing changes/);
  });

  it("assumes no drift if the caller cannot list the grants", async () => {
    const { ec2, engine, imageId } = world();
    await engine.up({ imageId, accountIds: [A], kmsAccess: "grant" });
    ec2.keyGrants = [];
    ec2.denied.push("kms:ListGrants");
    await engine.refresh();
    assert.deepEqual(engine.state?.outputs.grants, { [`account/${A}`]: "launch" });
    assert.equal((engine.state?.outputs.kmsGrants as unknown[]).length, 1);
  });

  it("works the same with Terraform: a grant is made, reported as gone, made again, and revoked", async () => {
    const { ec2, imageId, grantees } = world();
    const terraform = new MemoryTerraform({ makeGateway: () => ec2, waitOptions: WAIT_OPTIONS });
    const config = { image_id: imageId, account_ids: [A, B], kms_access: "grant" };
    assert.deepEqual(errors({ diagnostics: await terraform.apply(config) }), []);
    assert.deepEqual(grantees(), [`${A} ${KEY}`, `${B} ${KEY}`]);
    ec2.keyGrants = ec2.keyGrants.filter(({ accountId }) => accountId !== A);
    await terraform.refresh();
    assert.deepEqual(terraform.state?.grants, { [`account/${A}`]: "launch (key grant gone)", [`account/${B}`]: "launch" });
    assert.deepEqual((await terraform.plan(config)).planned.grants, { [`account/${A}`]: "launch", [`account/${B}`]: "launch" });
    await terraform.apply(config);
    assert.deepEqual(grantees(), [`${A} ${KEY}`, `${B} ${KEY}`]);
    await terraform.refresh();
    assert.deepEqual((await terraform.plan(config)).planned, terraform.state);
    await terraform.destroy();
    assert.deepEqual(ec2.keyGrants, []);
  });

  it('revokes its KMS grants when kmsAccess is no longer "grant"; keeps those of neverRevoke and onDelete "retain"', async () => {
    const { engine, imageId, grantees } = world();
    await engine.up({ imageId, accountIds: [A, B], kmsAccess: "grant" });
    await engine.up({ imageId, accountIds: [A, B], kmsAccess: "check", neverRevoke: [B] });
    assert.deepEqual(grantees(), [`${B} ${KEY}`]);
    const retained = world();
    await retained.engine.up({ imageId: retained.imageId, accountIds: [A], kmsAccess: "grant", onDelete: "retain" });
    await retained.engine.destroy();
    assert.deepEqual(retained.grantees(), [`${A} ${KEY}`]);
  });

  for (const gone of ["first", "second"])
    it(`is kept if another set of the program needs the same grant: the ${gone} of two sets is removed`, async () => {
      const { ec2, imageId, snapshotIds, grantees } = world();
      const stack = new MemoryStack({ gateway: () => ec2, waitOptions: WAIT_OPTIONS });
      const args = { imageId, accountIds: [A], createVolumePermissions: true, kmsAccess: "grant", mode: "additive" };
      const both = new Map<string, Props>([
        ["first", args],
        ["second", args],
      ]);
      await stack.up(both, { inTurn: true });
      assert.deepEqual(grantees(), [`${A} ${KEY}`], "both sets share one grant");
      const left = new Map([...both].filter(([name]) => name !== gone));
      await stack.up(left, { inTurn: true });
      assert.deepEqual(grantees(), [`${A} ${KEY}`]);
      for (const id of [imageId, ...snapshotIds]) assert.deepEqual([...ec2.grantees(id)], [`account/${A}`], id);
      await stack.refresh();
      ec2.forgetCalls();
      await stack.up(left, { inTurn: true });
      assert.deepEqual(ec2.calls, [], "nothing is left to do for the set that remains");
      await stack.destroy();
      assert.deepEqual(grantees(), [], "destroying the last set revokes the grant");
    });

  it("revokes every grant with its name on destroy, whoever made it, because the record may be lost", async () => {
    const { ec2, imageId, engine, grantees } = world();
    const second = new MemoryEngine(new DynamicProvider({ gateway: () => ec2, waitOptions: WAIT_OPTIONS }));
    const args = { imageId, accountIds: [A], kmsAccess: "grant", mode: "additive" };
    await engine.up(args);
    await second.up(args);
    assert.deepEqual(grantees(), [`${A} ${KEY}`]);
    assert.equal((second.state?.outputs.kmsGrants as unknown[]).length, 1);
    await second.destroy();
    assert.deepEqual(grantees(), []);
  });

  it("keeps the grant of an account that loses only one of its permissions, even if the record was lost", async () => {
    const { ec2, imageId, engine, grantees } = world();
    const args = { imageId, accountIds: [A], kmsAccess: "grant" };
    await engine.up({ ...args, createVolumePermissions: true });
    delete engine.state?.outputs.kmsGrants;
    await engine.up({ ...args, createVolumePermissions: { accountIds: [] } });
    assert.deepEqual([...ec2.grantees(imageId)], [`account/${A}`]);
    assert.deepEqual(grantees(), [`${A} ${KEY}`]);
    assert.equal((engine.state?.outputs.kmsGrants as unknown[]).length, 1);
  });

  it("that fails in part records the grants that were made, and the next up completes the change", async () => {
    const { ec2, engine, imageId, grantees } = world();
    ec2.fail({ matching: ({ action }) => action === "ModifyImageAttribute" });
    await assert.rejects(engine.up({ imageId, accountIds: [A], kmsAccess: "grant" }), { message: /was begun and not completed/ });
    assert.equal((engine.state?.outputs.kmsGrants as unknown[]).length, 1);
    await engine.up({ imageId, accountIds: [A], kmsAccess: "grant" });
    assert.deepEqual(grantees(), [`${A} ${KEY}`]);
    assert.deepEqual([...ec2.grantees(imageId)], [`account/${A}`]);
    await engine.destroy();
    assert.deepEqual(ec2.keyGrants, []);
  });

  it("that KMS refuses names the missing permission, and shares nothing", async () => {
    const { ec2, engine, imageId } = world();
    ec2.denied.push("kms:CreateGrant");
    await assert.rejects(engine.up({ imageId, accountIds: [A], kmsAccess: "grant" }), { message: /kms:CreateGrant/ });
    assert.deepEqual(ec2.modifications(), []);
    assert.equal(engine.state, undefined);
  });

  it("makes no grant for the AWS managed key, which cannot be shared", async () => {
    const { ec2, engine, imageId, plan } = world(AWS_MANAGED_KEY);
    assert.deepEqual((await plan({ accountIds: [A], kmsAccess: "grant" })).keys.create, []);
    await assert.rejects(engine.up({ imageId, accountIds: [A], kmsAccess: "grant" }), { message: /AWS managed key/ });
    assert.deepEqual(ec2.keyGrants, []);
  });

  it("with two keys makes the missing grants on each, even if the caller cannot list grants", async () => {
    const { ec2, engine, imageId, snapshotIds, grantees } = world();
    const second = `arn:aws:kms:us-east-1:${OWNER}:key/second`;
    ec2.encrypt(snapshotIds[1] ?? "", second);
    await engine.up({ imageId, accountIds: [A], kmsAccess: "grant" });
    ec2.denied.push("kms:ListGrants");
    await engine.up({ imageId, accountIds: [A, B], kmsAccess: "grant" });
    assert.deepEqual(grantees(), [`${A} ${KEY}`, `${A} ${second}`, `${B} ${KEY}`, `${B} ${second}`]);
  });

  it("appears in the report", async () => {
    const { plan } = world();
    const text = reportOf(await plan({ accountIds: [A, B], kmsAccess: "grant" }), "planned");
    assert.match(text, new RegExp(`key grants to: account/${A}, account/${B}`));
    assert.match(text, /calls: 1 ModifyImageAttribute, 2 CreateGrant/);
  });
});

describe("checkUsage", () => {
  function inUse(pending = 0) {
    const { ec2, plan, imageId, engine } = world("");
    for (const id of [A, B]) ec2.grantees(imageId).add(`account/${id}`);
    ec2.uses.set(imageId, [
      { accountId: A, resourceType: "ec2:Instance", count: 3 },
      { accountId: A, resourceType: "ec2:LaunchTemplate", count: 1 },
      { accountId: B, resourceType: "ec2:Instance", count: 9 },
    ]);
    ec2.usagePending = pending;
    return { ec2, plan, imageId, engine };
  }

  it("warns of accounts that lose the AMI and use it, and deletes the report that it created", async () => {
    const { ec2, plan } = inUse();
    const { warnings } = await plan({ accountIds: [B], checkUsage: true });
    assert.equal(warnings.length, 1);
    assert.match(
      warnings[0] ?? "",
      new RegExp(
        `^account/${A} loses the AMI and still uses it: 1 ec2:LaunchTemplate, 3 ec2:Instance \\(as of \\d{4}-.*24 hours late\\)$`,
      ),
    );
    assert.deepEqual(ec2.usageReports, []);
  });

  it("uses an existing recent report, and does not delete it", async () => {
    const { ec2, plan, imageId } = inUse();
    await ec2.usage.create(imageId);
    ec2.forgetCalls();
    assert.equal((await plan({ accountIds: [], checkUsage: true })).warnings.length, 2);
    assert.equal(ec2.usageReports.length, 1);
    assert.ok(!ec2.calls.some(({ action }) => action.startsWith("Create")));
  });

  it("warns of every account that uses the AMI if public sharing ends", async () => {
    const { ec2, plan, imageId } = inUse();
    ec2.grantees(imageId).add("public");
    const { warnings } = await plan({ accountIds: [A, B], checkUsage: true });
    assert.deepEqual(warnings, [], "these accounts keep access by their own grants");
    ec2.uses.get(imageId)?.push({ accountId: C, resourceType: "ec2:Instance", count: 1 });
    assert.match((await plan({ accountIds: [A, B], checkUsage: true })).warnings.join(), new RegExp(`^account/${C} loses`));
  });

  it("says that usage is not known yet, and the next preview finds the report", async () => {
    const { ec2, plan } = inUse(12);
    const { change, image, target } = await plan({ accountIds: [B] });
    const first = await usageOf(ec2, image, change, target, 0);
    assert.match(first.doubts.join(), /is not known yet: EC2 is making its usage report/);
    const second = await usageOf(ec2, image, change, target, 0);
    assert.equal(second.warnings.length, 1);
    assert.equal(ec2.calls.filter(({ action }) => action === "CreateImageUsageReport").length, 1);
  });

  it("adds a note if the caller may not read usage reports, and still reports other problems", async () => {
    const { ec2, imageId, plan } = world("");
    for (const id of [A, B]) ec2.grantees(imageId).add(`account/${id}`);
    ec2.usage.reports = async () => {
      throw new AmiSharingError("not-authorized", "the caller may not call ec2:DescribeImageUsageReports");
    };
    const made = await plan({ accountIds: [], checkUsage: true, maxRevocations: 1 });
    assert.match(made.doubts.join(), /^who still uses AMI ami-\w+ is not known: .*\[not-authorized\]$/);
    assert.equal(made.refusals[0]?.code, "too-many-revocations");
  });

  it("makes no call if nobody loses access, if it is not set, or in an up", async () => {
    const { ec2, plan, engine, imageId } = inUse();
    await plan({ accountIds: [A, B, C], checkUsage: true });
    await plan({ accountIds: [] });
    await engine.up({ imageId, accountIds: [B], checkUsage: true });
    assert.ok(!ec2.calls.some(({ action }) => action.includes("Usage")));
  });
});
