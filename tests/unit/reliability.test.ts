/** The cases of docs/reliability.md with one set, by their ids: stale answers, lost answers, a state that cannot be decoded, and errors with keys. */

import * as assert from "node:assert/strict";
import { DynamicProvider } from "../../provider/pulumi/dynamicProvider";
import { MemoryEngine, type Props } from "../helpers/memoryEngine";
import { MemoryGateway } from "../helpers/memoryGateway";
import { MemoryStack } from "../helpers/memoryStack";
import { errors, MemoryTerraform } from "../helpers/memoryTerraform";

const [A, B, C, D] = ["111122223333", "444455556666", "777788889999", "999900001111"] as const;
const KEY = "arn:aws:kms:us-east-1:123456789012:key/own";
const WAIT_OPTIONS = { timeout: 0.05, minDelay: 0.001, maxDelay: 0.002, absencePause: 0 };
const MODES = ["authoritative", "additive"] as const;

function world({ encrypted = false } = {}) {
  const ec2 = new MemoryGateway();
  const { imageId, snapshotIds } = ec2.addImage(2);
  if (encrypted) for (const id of snapshotIds) ec2.encrypt(id, KEY);
  const dependencies = { gateway: () => ec2, waitOptions: WAIT_OPTIONS };
  const engine = new MemoryEngine(new DynamicProvider(dependencies));
  const holders = () => [...new Set([imageId, ...snapshotIds].flatMap((id) => [...ec2.grantees(id)]))].sort();
  const keys = () => ec2.keyGrants.map(({ accountId }) => accountId).sort();
  return { ec2, engine, stack: new MemoryStack(dependencies), imageId, snapshotIds, holders, keys };
}

/** From now on, every read of these resources returns their current values. */
function frozen(ec2: MemoryGateway, ...resources: string[]): void {
  const held = new Map(resources.map((id) => [id, new Set(ec2.grantees(id))]));
  const answer = (id: string) => Promise.resolve(new Set(held.get(id)));
  ec2.launchPermissions = answer;
  ec2.createVolumePermissions = answer;
}

function thawed(ec2: MemoryGateway): void {
  const own = ec2 as Partial<MemoryGateway>;
  delete own.launchPermissions;
  delete own.createVolumePermissions;
}

const message = (operation: Promise<unknown>): Promise<string> =>
  operation.then(
    () => assert.fail("it was expected to fail"),
    (error: Error) => error.message,
  );

describe("stale answers", () => {
  for (const mode of MODES) {
    const args = (imageId: string, ...accountIds: string[]) => ({ imageId, accountIds, mode, createVolumePermissions: true });

    it(`R1, ${mode}: a destroy revokes what is recorded, even if EC2 answers with what it had before the create`, async () => {
      const { ec2, engine, imageId, snapshotIds, holders } = world();
      const before = world();
      await engine.up(args(imageId, A, B));
      const empty = () => Promise.resolve(new Set<string>());
      Object.assign(ec2, { launchPermissions: empty, createVolumePermissions: empty });
      await engine.destroy();
      thawed(ec2);
      assert.deepEqual(holders(), before.holders(), `${snapshotIds} still have grantees`);
    });

    it(`R3, ${mode}: [A] to [A, B] to [A] revokes B, even if the last answer is stale`, async () => {
      const { ec2, engine, imageId, snapshotIds, holders } = world();
      await engine.up(args(imageId, A));
      const old = [imageId, ...snapshotIds].map((id) => [id, new Set(ec2.grantees(id))] as const);
      await engine.up(args(imageId, A, B));
      const answer = (id: string) => Promise.resolve(new Set(new Map(old).get(id)));
      Object.assign(ec2, { launchPermissions: answer, createVolumePermissions: answer });
      await engine.up(args(imageId, A));
      thawed(ec2);
      assert.deepEqual(holders(), [`account/${A}`]);
    });

    it(`R3, ${mode}: [A, B] to [A] to [A, B] grants B despite a stale answer, and a destroy leaves no grantee`, async () => {
      const { ec2, engine, imageId, snapshotIds, holders } = world();
      await engine.up(args(imageId, A, B));
      frozen(ec2, imageId, ...snapshotIds);
      const [launch, volumes] = [ec2.launchPermissions, ec2.createVolumePermissions];
      thawed(ec2);
      await engine.up(args(imageId, A));
      Object.assign(ec2, { launchPermissions: launch, createVolumePermissions: volumes });
      await engine.up(args(imageId, A, B));
      thawed(ec2);
      assert.deepEqual(holders(), [`account/${A}`, `account/${B}`]);
      await engine.destroy();
      assert.deepEqual(holders(), []);
    });

    it(`R3, ${mode}, on Terraform: [A, B] to [A] to [A, B] grants B despite stale answers, and does not own grants of others`, async () => {
      const { ec2, imageId, holders } = world();
      const terraform = new MemoryTerraform({ makeGateway: () => ec2, waitOptions: WAIT_OPTIONS });
      const set = (...accounts: string[]) => ({ image_id: imageId, account_ids: accounts, mode });
      const apply = async (...accounts: string[]) =>
        assert.deepEqual(errors({ diagnostics: await terraform.apply(set(...accounts)) }), []);
      for (const staleReads of [3, 12]) {
        await apply(A, B);
        await apply(A);
        // The answers are from before the revocation.
        const held = [...ec2.grantees(imageId)];
        let left = staleReads;
        const now = ec2.launchPermissions.bind(ec2);
        ec2.launchPermissions = async (id) => (left-- > 0 ? new Set([...held, `account/${B}` as const]) : now(id));
        await apply(A, B);
        thawed(ec2);
        assert.deepEqual(holders(), [`account/${A}`, `account/${B}`]);
      }
      await apply(A);
      ec2.grantees(imageId).add(`account/${B}`);
      await apply(A, B);
      await terraform.destroy();
      assert.deepEqual(holders(), mode === "additive" ? [`account/${B}`] : []);
    });

    it(`R4, ${mode}: a destroy leaves no grantee, even if a refresh before it once did not see the grants`, async () => {
      const { ec2, engine, imageId, holders } = world();
      await engine.up(args(imageId, A, B));
      for (const reads of [1, 3, 12]) {
        let left = reads;
        const { launchPermissions, createVolumePermissions } = MemoryGateway.prototype;
        const blind =
          (read: (id: string) => Promise<ReadonlySet<string>>) =>
          async (id: string): Promise<ReadonlySet<string>> =>
            left-- > 0 ? new Set() : read.call(ec2, id);
        Object.assign(ec2, {
          launchPermissions: blind(launchPermissions),
          createVolumePermissions: blind(createVolumePermissions),
        });
        await engine.refresh();
        thawed(ec2);
      }
      await engine.destroy();
      assert.deepEqual(holders(), []);
    });
  }
});

describe("a state that cannot be decoded", () => {
  const garbled: readonly [string, (outputs: Props) => Props][] = [
    ["grants is text", (outputs) => ({ ...outputs, grants: "launch" })],
    ["grants is absent", ({ grants, ...outputs }) => outputs],
    ["grants has no permissions in it", (outputs) => ({ ...outputs, grants: { [`account/${A}`]: 7 } })],
    ["granted is a list", (outputs) => ({ ...outputs, granted: ["launch"] })],
    ["kmsGrants is text", (outputs) => ({ ...outputs, kmsGrants: "none" })],
    ["snapshotIds is text", (outputs) => ({ ...outputs, snapshotIds: "snap-1" })],
  ];
  for (const [name, garble] of garbled) {
    it(`R8, authoritative, ${name}: a destroy revokes what the arguments name`, async () => {
      const { engine, imageId, holders } = world();
      await engine.up({ imageId, accountIds: [A], createVolumePermissions: true });
      const before = engine.state ?? assert.fail();
      engine.state = { ...before, outputs: garble(before.outputs) };
      await engine.destroy();
      assert.deepEqual(holders(), []);
    });

    it(`R8, additive, ${name}: a destroy is refused, and works after a refresh`, async () => {
      const { engine, imageId, holders } = world();
      await engine.up({ imageId, accountIds: [A], createVolumePermissions: true, mode: "additive" });
      const before = engine.state ?? assert.fail();
      engine.state = { ...before, outputs: garble(before.outputs) };
      const said = await message(engine.destroy());
      assert.match(said, new RegExp(`state of the set of AMI ${imageId} cannot be read.*refresh.*\\[state-unreadable\\]$`));
      assert.deepEqual(holders(), [`account/${A}`]);
      await engine.refresh();
      await engine.destroy();
      assert.deepEqual(holders(), []);
    });
  }
});

describe("interrupted changes", () => {
  it("R9: if an update of an additive set was killed, the next run names its grants, which the set does not own", async () => {
    const { ec2, engine, imageId, holders } = world();
    await engine.up({ imageId, accountIds: [A, B, C], mode: "additive" });
    const recorded = engine.state;
    await engine.up({ imageId, accountIds: [A, B, D], mode: "additive" });
    // The kill: EC2 has the change, the state does not.
    engine.state = recorded;
    await engine.up({ imageId, accountIds: [A, B, D], mode: "additive" });
    const { report } = engine.state?.outputs.__done as { report: string };
    const words = report.replace(/\s+/g, " ");
    assert.match(words, new RegExp(`found in place: not granted by this set, which will not revoke it\\): account/${D}`));
    assert.deepEqual(holders(), [A, B, D].map((id) => `account/${id}`).sort());
    assert.ok(ec2.calls.length > 0);
  });

  it("R10: if nothing can be read after a change, the state records what was sent, and the error says so", async () => {
    const { ec2, engine, imageId, holders } = world();
    let changed = false;
    ec2.onChange = () => {
      changed = true;
    };
    const { launchPermissions } = MemoryGateway.prototype;
    const expired = Object.assign(new Error("the AWS credentials have expired [credentials-expired]"), {});
    ec2.launchPermissions = (id) => (changed ? Promise.reject(expired) : launchPermissions.call(ec2, id));
    const said = await message(engine.up({ imageId, accountIds: [A], mode: "additive" }));
    assert.match(said, /EC2 could not be read afterwards: the state records what was sent; refresh to read what EC2 has/);
    assert.deepEqual(engine.state?.outputs.grants, { [`account/${A}`]: "launch" });
    thawed(ec2);
    await engine.destroy();
    assert.deepEqual(holders(), []);
  });
});

describe("KMS grants and deletes", () => {
  const grant = { kmsAccess: "grant", createVolumePermissions: true } as const;

  it("R5: a KMS grant whose response was lost belongs to the set after the next run, and a destroy revokes it", async () => {
    const { ec2, engine, imageId, keys } = world({ encrypted: true });
    ec2.fail({ matching: ({ action }) => action === "CreateGrant", applied: true });
    await message(engine.up({ imageId, accountIds: [A], ...grant }));
    await engine.up({ imageId, accountIds: [A], ...grant });
    assert.equal((engine.state?.outputs.kmsGrants as unknown[]).length, 1);
    await engine.destroy();
    assert.deepEqual(keys(), []);
  });

  it("R5: a destroy revokes it even without a run in between", async () => {
    const { ec2, engine, imageId, keys, holders } = world({ encrypted: true });
    await engine.up({ imageId, accountIds: [A], ...grant });
    ec2.fail({ matching: ({ action }) => action === "CreateGrant", applied: true });
    await message(engine.up({ imageId, accountIds: [A, B], ...grant }));
    await engine.destroy();
    assert.deepEqual([keys(), holders()], [[], []]);
  });

  it("K2: if the state was lost, the next run finds the KMS grants by name, and a destroy revokes them", async () => {
    const { engine, imageId, keys } = world({ encrypted: true });
    await engine.up({ imageId, accountIds: [A], ...grant });
    engine.state = undefined;
    await engine.up({ imageId, accountIds: [A], ...grant });
    await engine.destroy();
    assert.deepEqual(keys(), []);
  });

  it("K3: with launch and create-volume in two additive sets, the set that remains keeps the KMS grant", async () => {
    const { stack, imageId, keys, holders } = world({ encrypted: true });
    const both = new Map<string, Props>([
      ["launch", { imageId, accountIds: [A], mode: "additive", kmsAccess: "grant" }],
      [
        "volumes",
        { imageId, accountIds: [], createVolumePermissions: { accountIds: [A] }, mode: "additive", kmsAccess: "grant" },
      ],
    ]);
    for (const gone of ["launch", "volumes"]) {
      await stack.up(both, { inTurn: true });
      await stack.up(new Map([...both].filter(([name]) => name !== gone)), { inTurn: true });
      assert.deepEqual(keys(), [A], `without ${gone}`);
      await stack.destroy();
      assert.deepEqual([keys(), holders()], [[], []]);
    }
  });

  it("K4: the state is right after one KMS grant is made, one is revoked, and one could not be revoked", async () => {
    const { ec2, engine, imageId, keys } = world({ encrypted: true });
    await engine.up({ imageId, accountIds: [A, B], ...grant });
    ec2.fail({ nth: 2, matching: ({ action }) => action === "RevokeGrant" });
    const said = await message(engine.up({ imageId, accountIds: [C], ...grant }));
    assert.match(said, /was begun and not completed/);
    const recorded = engine.state?.outputs.kmsGrants as { accountId: string }[];
    assert.deepEqual(recorded.map(({ accountId }) => accountId).sort(), keys());
    await engine.destroy();
    assert.deepEqual(keys(), []);
  });

  for (const onDelete of ["revoke", "reset"])
    it(`K5: ${onDelete} of a set whose AMI was disabled revokes the snapshots' grants and succeeds`, async () => {
      const { ec2, engine, imageId, snapshotIds, holders } = world();
      await engine.up({ imageId, accountIds: [A], createVolumePermissions: true, onDelete });
      // EC2 user guide, "Disable an AMI": its launch permissions are removed.
      Object.assign(ec2.images.get(imageId) ?? {}, { state: "disabled" });
      ec2.grantees(imageId).clear();
      await engine.destroy();
      assert.deepEqual(holders(), [], snapshotIds.join());
    });
});
