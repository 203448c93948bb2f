/** The basic scenario with the real Terraform: create, plan a change, change, nothing to change, drift, destroy. */

import * as assert from "node:assert/strict";
import { useEmulator } from "../helpers/emulator";
import { TerraformProject } from "../helpers/terraformProject";

const [A, B, C, ELSE] = ["111122223333", "444455556666", "777788889999", "999900001111"] as const;
const ADDRESS = "ami_launch_permission_set.golden";

describe("the basic scenario in Terraform", () => {
  const emulator = useEmulator();
  let project: TerraformProject;
  before(async () => {
    project = await TerraformProject.create(emulator(), "");
  });
  after(() => project.remove());

  it("shares, plans a change for each grantee, changes, has nothing to change, corrects drift, and revokes", async () => {
    const { imageId, snapshotIds } = await emulator().image({ snapshots: 2 });
    const declare = (...account_ids: string[]) =>
      project.declare({ golden: { image_id: imageId, account_ids, create_volume_permissions: {} } });
    declare(A, B);
    assert.match(await project.plan(), /\+ "account\/111122223333" = "launch, createVolume"/);
    assert.deepEqual(await emulator().modifications(), []);
    await project.apply();
    assert.deepEqual(await emulator().launchers(imageId), [A, B]);
    for (const id of snapshotIds) assert.deepEqual(await emulator().volumeCreators(id), [A, B]);
    const grants = { [`account/${A}`]: "launch, createVolume", [`account/${B}`]: "launch, createVolume" };
    assert.deepEqual(await project.outputs(), { golden: grants });

    declare(C, A);
    const change = await project.plan();
    assert.match(change, /- "account\/444455556666" = "launch, createVolume" -> null/);
    assert.match(change, /\+ "account\/777788889999" = "launch, createVolume"/);
    assert.match(change, /Plan: 0 to add, 1 to change, 0 to destroy/);
    await project.apply();
    assert.deepEqual(await emulator().launchers(imageId), [A, C]);

    await emulator().forgetCalls();
    assert.ok(await project.isSettled());
    assert.deepEqual((await emulator().calls()).map(({ action }) => action).sort(), [
      "DescribeImageAttribute",
      "DescribeSnapshotAttribute",
      "DescribeSnapshotAttribute",
    ]);

    await emulator().aws(
      ...["ec2", "modify-image-attribute", "--image-id", imageId, "--launch-permission"],
      `Add=[{UserId=${ELSE}}],Remove=[{UserId=${A}}]`,
    );
    const { resource_changes } = await project.planJson();
    assert.deepEqual(resource_changes?.[0]?.change.actions, ["update"]);
    assert.deepEqual(resource_changes?.[0]?.change.before?.grants, {
      [`account/${A}`]: "createVolume",
      [`account/${C}`]: "launch, createVolume",
      [`account/${ELSE}`]: "launch",
    });
    assert.deepEqual(resource_changes?.[0]?.change.after?.grants, {
      [`account/${A}`]: "launch, createVolume",
      [`account/${C}`]: "launch, createVolume",
    });
    await project.succeed("apply", "plan.bin");
    assert.deepEqual(await emulator().launchers(imageId), [A, C]);
    assert.equal((await project.state())[ADDRESS]?.owner_id, "123456789012");

    await project.destroy();
    assert.deepEqual(await emulator().launchers(imageId), []);
    for (const id of snapshotIds) assert.deepEqual(await emulator().volumeCreators(id), []);
    assert.deepEqual(await project.state(), {});
  });
});
