/** Several sets of one AMI in one Terraform configuration: no account loses access that a set declares, and after a destroy no access is left. */

import * as assert from "node:assert/strict";
import { watchAccess } from "../helpers/accessWatch";
import { type MadeImage, useEmulator } from "../helpers/emulator";
import { TerraformProject } from "../helpers/terraformProject";

const [A, B, C] = ["111122223333", "444455556666", "777788889999"] as const;

describe("hand-over between sets of a Terraform configuration", () => {
  const emulator = useEmulator();
  let project: TerraformProject;
  let image: MadeImage;

  beforeEach(async () => {
    project = await TerraformProject.create(emulator(), "");
    image = await emulator().image();
  });
  afterEach(() => project.remove());

  const set = (accountIds: readonly string[], more: Record<string, unknown> = {}) => ({
    image_id: image.imageId,
    account_ids: accountIds,
    create_volume_permissions: {},
    ...more,
  });
  const flat = (output: string) => output.replaceAll(/[\s│╷╵]+/g, " ");

  /** Applies and watches EC2: these accounts must have access at every moment. */
  async function applyKeeps(accounts: readonly string[], ...args: string[]): Promise<string> {
    const watch = watchAccess(emulator(), [image], accounts, { volumes: true });
    const { output } = await project.succeed("apply", "-auto-approve", ...args);
    assert.deepEqual((await watch.end()).lost, [], "somebody lost access for a moment");
    return flat(output);
  }

  async function planIsEmpty(): Promise<void> {
    const { code, output } = await project.run("plan", "-detailed-exitcode");
    assert.equal(code, 0, output);
  }

  async function nobodyIsLeft(): Promise<void> {
    await project.succeed("destroy", "-auto-approve");
    assert.deepEqual(await emulator().pairs([image]), []);
  }

  for (const mode of ["authoritative", "additive"])
    it(`H6, ${mode}: a set whose address changes three times in a row takes access from nobody`, async () => {
      project.declare({ a: set([A, B], { mode }) });
      await project.succeed("apply", "-auto-approve");
      for (const name of ["b", "c", "d"]) {
        project.declare({ [name]: set([A, B], { mode }) });
        // An apply shows its plan.
        const plan = await applyKeeps([A, B]);
        assert.match(
          plan,
          /declares these of AMI ami-\w+ as well, so that they keep access: account\/111122223333, account\/444455556666/,
        );
        assert.match(plan, /moved \{ from = ami_launch_permission_set\.OLD_NAME to = ami_launch_permission_set\.NEW_NAME \}/);
      }
      await planIsEmpty();
      await nobodyIsLeft();
    });

  for (const mode of ["authoritative", "additive"])
    it(`H7, ${mode}: -replace and taint take access from nobody`, async () => {
      project.declare({ a: set([A, B], { mode }) });
      await project.succeed("apply", "-auto-approve");
      await applyKeeps([A, B], "-replace=ami_launch_permission_set.a");
      await planIsEmpty();
      await project.succeed("taint", "ami_launch_permission_set.a");
      await applyKeeps([A, B]);
      await planIsEmpty();
      await nobodyIsLeft();
    });

  it("H7: with create_before_destroy too", async () => {
    project.declare({ a: set([A, B], { lifecycle: { create_before_destroy: true } }) });
    await project.succeed("apply", "-auto-approve");
    await applyKeeps([A, B], "-replace=ami_launch_permission_set.a");
    await planIsEmpty();
    await nobodyIsLeft();
  });

  it("H7: create_before_destroy of an additive set keeps the old set until the new one owns its grants", async () => {
    project.declare({ a: set([A, B], { mode: "additive", lifecycle: { create_before_destroy: true } }) });
    await project.succeed("apply", "-auto-approve");
    const watch = watchAccess(emulator(), [image], [A, B], { volumes: true });
    const { output } = await project.fail("apply", "-auto-approve", "-replace=ami_launch_permission_set.a");
    assert.match(flat(output), /does not own it yet: this set keeps its grants; fix/);
    await project.succeed("apply", "-auto-approve");
    assert.deepEqual((await watch.end()).lost, []);
    await planIsEmpty();
    await nobodyIsLeft();
  });

  it("H7: a new for_each key for the same AMI takes access from nobody", async () => {
    const each = (key: string) =>
      project.configure(`resource "ami_launch_permission_set" "each" {
  for_each                  = { ${key} = ["${A}", "${B}"] }
  image_id                  = "${image.imageId}"
  account_ids               = each.value
  create_volume_permissions = {}
}`);
    each("one");
    await project.succeed("apply", "-auto-approve");
    each("two");
    await applyKeeps([A, B]);
    await planIsEmpty();
    await nobodyIsLeft();
  });

  it("H5: two authoritative sets of one AMI are refused in the plan, which names both addresses", async () => {
    project.declare({ a: set([A]), b: set([B]) });
    const output = flat((await project.fail("plan")).output);
    assert.match(output, /with ami_launch_permission_set\.a/);
    assert.match(output, /with ami_launch_permission_set\.b/);
    assert.match(output, /both declare AMI ami-\w+ in us-east-1 in authoritative mode/);
    assert.match(output, /set mode to "additive" in both \[conflicting-sets\]/);
    await project.fail("apply", "-auto-approve");
    assert.deepEqual(await emulator().pairs([image]), []);
  });

  it("T6: an authoritative set for each account, with for_each, is refused in the plan", async () => {
    project.configure(`resource "ami_launch_permission_set" "each" {
  for_each    = toset(["${A}", "${B}", "${C}"])
  image_id    = "${image.imageId}"
  account_ids = [each.value]
}`);
    assert.match(flat((await project.fail("plan")).output), /\[conflicting-sets\]/);
    assert.deepEqual(await emulator().pairs([image]), []);
  });

  it("H5: an account that one additive set drops keeps access if another set declares it, and the plan says so", async () => {
    const mode = "additive";
    project.declare({ a: set([A, B], { mode }), b: set([A], { mode }) });
    await project.succeed("apply", "-auto-approve");
    await planIsEmpty();
    project.declare({ a: set([B], { mode }), b: set([A], { mode }) });
    const plan = flat((await project.succeed("plan")).output);
    assert.match(plan, /stays: the ami_launch_permission_set of account\/111122223333 declares it\): account\/111122223333/);
    await applyKeeps([A, B]);
    await planIsEmpty();
    project.declare({ a: set([B], { mode }) });
    await applyKeeps([B]);
    assert.deepEqual(await emulator().launchers(image.imageId), [B]);
    await nobodyIsLeft();
  });

  it("H5: if Terraform plans sets one after the other, the plan is refused, or the apply keeps what others declare", async () => {
    const mode = "additive";
    for (const dropping of ["a", "b"])
      for (const left of [[B], undefined]) {
        const other = dropping === "a" ? "b" : "a";
        const stays = { [other]: set([A], { mode }) };
        project.declare({ [dropping]: set([A, B], { mode }), ...stays });
        await project.succeed("apply", "-auto-approve");
        project.declare({ ...stays, ...(left ? { [dropping]: set(left, { mode }) } : {}) });
        const watch = watchAccess(emulator(), [image], [A], { volumes: true });
        const { code, output } = await project.run("apply", "-auto-approve", "-parallelism=1");
        assert.deepEqual((await watch.end()).lost, []);
        if (code !== 0) assert.match(flat(output), /\[hand-over-incomplete\].*depends_on|depends_on.*\[hand-over-incomplete\]/);
        await project.succeed("apply", "-auto-approve");
        await planIsEmpty();
        await nobodyIsLeft();
      }
  });

  it("H5: a new authoritative set that would take from an unchanged set is refused, also with -replace; import works", async () => {
    const beside = set([A], { mode: "additive" });
    project.declare({ beside });
    await project.succeed("apply", "-auto-approve");
    project.declare({ beside, golden: set([B]) });
    const refused = /\[hand-over-incomplete\]/;
    assert.match(flat((await project.fail("plan")).output), refused);
    await project.succeed("import", "ami_launch_permission_set.golden", image.imageId);
    await applyKeeps([A]);
    await planIsEmpty();
    assert.deepEqual(await emulator().launchers(image.imageId), [A, B]);
    assert.match(flat((await project.fail("plan", "-replace=ami_launch_permission_set.golden")).output), refused);
    await nobodyIsLeft();
  });

  it("H5: after a change of either of two additive sets, the other keeps what both declare", async () => {
    const mode = "additive";
    for (const stays of ["a", "b"]) {
      project.declare({ a: set([A, B], { mode }), b: set([A], { mode }) });
      await project.succeed("apply", "-auto-approve");
      project.declare({ [stays]: set([A], { mode }) });
      await applyKeeps([A]);
      await planIsEmpty();
      assert.deepEqual(await emulator().launchers(image.imageId), [A]);
      await nobodyIsLeft();
    }
  });

  it("H8: an AMI that moves from one set to another keeps its accounts", async () => {
    const other = await emulator().image();
    const third = await emulator().image();
    const rotation = (current: MadeImage, previous: MadeImage) =>
      project.declare({
        current: { ...set([A, B]), image_id: current.imageId },
        previous: { ...set([A, B]), image_id: previous.imageId },
      });
    rotation(image, other);
    await project.succeed("apply", "-auto-approve");
    rotation(third, image);
    await applyKeeps([A, B]);
    await planIsEmpty();
    await project.succeed("destroy", "-auto-approve");
    assert.deepEqual(await emulator().pairs([image, other, third]), []);
  });

  it("if a new set cannot be created, the old one stays in the state with what it granted", async () => {
    project.declare({ a: set([A, B]) });
    await project.succeed("apply", "-auto-approve");
    project.declare({ b: set([A, B, C]) });
    await emulator().configure({
      failures: [{ action: "ModifyImageAttribute", code: "InvalidParameterValue", status: 400, times: 100 }],
    });
    const watch = watchAccess(emulator(), [image], [A, B], { volumes: true });
    await project.fail("apply", "-auto-approve");
    assert.deepEqual((await watch.end()).lost, []);
    await emulator().reset();
    await applyKeeps([A, B]);
    await planIsEmpty();
    await nobodyIsLeft();
  });
});
