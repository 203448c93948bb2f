/** An apply of Terraform does nothing that its saved plan did not show, if EC2 changes in between. A warning reports what a plan cannot show. */

import * as assert from "node:assert/strict";
import { type MadeImage, useEmulator } from "../helpers/emulator";
import { SlowEc2 } from "../helpers/slowEc2";
import { TerraformProject } from "../helpers/terraformProject";

const [A, B, C, D, E] = ["111122223333", "444455556666", "777788889999", "012345678901", "999900001111"] as const;
const key = (id: string) => `account/${id}`;
const VOLUMES = { create_volume_permissions: {} };

describe("a saved plan of Terraform", () => {
  const emulator = useEmulator();
  let project: TerraformProject | undefined;
  afterEach(() => {
    project?.remove();
    project = undefined;
  });

  async function start(sets: Parameters<TerraformProject["declare"]>[0], env = {}): Promise<TerraformProject> {
    project = await TerraformProject.create(emulator(), "", { env });
    project.declare(sets);
    return project;
  }

  const image = () => emulator().image({ snapshots: 2 });
  const byHand = ({ imageId }: MadeImage, change: "Add" | "Remove", ...ids: string[]) =>
    emulator().aws(
      ...["ec2", "modify-image-attribute", "--image-id", imageId, "--launch-permission"],
      `${change}=[${ids.map((id) => `{UserId=${id}}`).join(",")}]`,
    );
  const told = ({ diagnostics }: Awaited<ReturnType<TerraformProject["diagnostics"]>>) =>
    diagnostics.map(({ summary, detail }) => `${summary}\n${detail}`.replace(/\s+/g, " ")).join("\n");
  const flat = (output: string) => output.replace(/^[│╷╵]/gm, "").replace(/\s+/g, " ");

  it("of an update revokes only what it showed, keeps grants added since, and restores removed ones (P2)", async () => {
    const made = await image();
    const golden = (...ids: string[]) => ({ golden: { image_id: made.imageId, account_ids: ids } });
    const terraform = await start(golden(A, B));
    await terraform.apply();
    terraform.declare(golden(B, D));
    await terraform.succeed("plan", "-out=plan.bin");
    await byHand(made, "Add", C, E);
    await byHand(made, "Remove", B);
    const { output } = await terraform.succeed("apply", "plan.bin");
    assert.deepEqual(await emulator().launchers(made.imageId), [D, B, C, E].sort());
    assert.match(
      flat(output),
      new RegExp(`was granted after the plan; stays; the next plan shows it; 2\\): ${key(C)}, ${key(E)}`),
    );
    assert.match(flat(output), new RegExp(`taken away elsewhere after the plan, which shows it as kept\\): ${key(B)}`));
    const next = await terraform.plan();
    for (const id of [C, E]) assert.match(next, new RegExp(`- "${key(id)}"`));
    await terraform.apply();
    assert.deepEqual(await emulator().launchers(made.imageId), [D, B].sort());
    assert.ok(await terraform.isSettled());
  });

  it("takes no access from grantees who are added before any read of its apply (T5)", async () => {
    const proxy = new SlowEc2(emulator());
    try {
      const made = await image();
      const golden = (...ids: string[]) => ({ golden: { image_id: made.imageId, account_ids: ids } });
      const terraform = await start(golden(A), { AWS_ENDPOINT_URL: await proxy.start() });
      await terraform.apply();
      terraform.declare(golden(B));
      await terraform.succeed("plan", "-out=plan.bin");
      const comers = [C, D, E];
      proxy.before("DescribeImageAttribute", async () => {
        const next = comers.shift();
        if (next) await byHand(made, "Add", next);
      });
      const { output } = await terraform.succeed("apply", "plan.bin");
      const came = [C, D, E].filter((id) => !comers.includes(id));
      assert.ok(came.length >= 2, "before the plan of the apply, and between that plan and the change");
      assert.deepEqual(await emulator().launchers(made.imageId), [B, ...came].sort());
      // A grantee added after the last read before the change appears in the next refresh.
      for (const id of came.slice(0, 2))
        assert.match(flat(output), new RegExp(`stays; the next plan shows it[^)]*\\):[^)]*${key(id)}`));
    } finally {
      proxy.stop();
    }
  });

  it("of a create: plan and apply name the revoked grantees; unrecorded refuses this, and an import shows each", async () => {
    const made = await image();
    await byHand(made, "Add", C, E);
    const golden = (more: object) => ({ golden: { image_id: made.imageId, account_ids: [A], ...more } });
    const terraform = await start(golden({ unrecorded: "refuse" }));
    const refused = await terraform.diagnostics("plan");
    assert.equal(refused.code, 1);
    assert.match(
      told(refused),
      new RegExp(
        `would take access from 2 grantees whom the state does not record: ${key(C)}, ${key(E)}; import the AMI as it is shared, or declare them, or set unrecorded to "revoke" \\[unrecorded-grants\\]`,
      ),
    );
    await terraform.succeed("import", "ami_launch_permission_set.golden", made.imageId);
    const plan = await terraform.plan("-out=plan.bin");
    for (const id of [C, E]) assert.match(plan, new RegExp(`- "${key(id)}"`));
    await byHand(made, "Add", D);
    const late = await terraform.fail("apply", "plan.bin");
    assert.match(
      flat(late.output),
      new RegExp(`whom the state does not record: ${key(D)}; run terraform plan with its refresh.*\\[unrecorded-grants\\]`),
    );
    assert.deepEqual(await emulator().launchers(made.imageId), [D, C, E].sort(), "nothing was changed");
    await terraform.apply();
    assert.deepEqual(await emulator().launchers(made.imageId), [A]);

    await terraform.succeed("state", "rm", "ami_launch_permission_set.golden");
    await byHand(made, "Add", C);
    terraform.declare(golden({}));
    const created = await terraform.plan("-out=plan.bin");
    assert.match(flat(created), new RegExp(`- launch \\(set elsewhere\\): ${key(C)}`));
    const { output } = await terraform.succeed("apply", "plan.bin");
    assert.match(flat(output), new RegExp(`access was taken that the plan's diff does not show.*- launch \\(lost\\): ${key(C)}`));
  });

  it("of an imported AMI with differently shared snapshots does what the import said (T3)", async () => {
    const made = await image();
    const [s1 = "", s2 = ""] = made.snapshotIds;
    const volumes = (id: string, account: string) =>
      emulator().aws(
        ...["ec2", "modify-snapshot-attribute", "--snapshot-id", id, "--attribute", "createVolumePermission"],
        ...["--operation-type", "add", "--user-ids", account],
      );
    await volumes(s1, B);
    await volumes(s2, C);
    const golden = (more: object) => ({ golden: { image_id: made.imageId, account_ids: [A], ...more } });
    const terraform = await start(golden({}));
    const imported = flat((await terraform.succeed("import", "ami_launch_permission_set.golden", made.imageId)).output);
    assert.match(
      imported,
      /They stay as they are while the set has no create_volume_permissions\. With it, the set manages them/,
    );
    await terraform.apply();
    assert.deepEqual([await emulator().volumeCreators(s1), await emulator().volumeCreators(s2)], [[B], [C]]);
    terraform.declare(golden(VOLUMES));
    const output = await terraform.apply();
    assert.match(flat(output), /was not managed before, so that the plan could not show it; stays; the next plan shows it/);
    assert.deepEqual(
      [await emulator().volumeCreators(s1), await emulator().volumeCreators(s2)],
      [
        [A, B],
        [A, C],
      ],
    );
    const next = await terraform.plan();
    for (const id of [B, C]) assert.match(next, new RegExp(`- "${key(id)}"`));
    await terraform.apply();
    assert.deepEqual([await emulator().volumeCreators(s1), await emulator().volumeCreators(s2)], [[A], [A]]);
  });

  it("revokes and shows grants added by hand, even with ignore_changes; an additive set keeps them (T7)", async () => {
    const made = await image();
    for (const ignore_changes of ["all", ["account_ids"]]) {
      const golden = (mode: string) => ({
        golden: { image_id: made.imageId, account_ids: [A], mode, lifecycle: { ignore_changes } },
      });
      const terraform = await start(golden("authoritative"));
      await terraform.apply();
      await byHand(made, "Add", C);
      assert.match(await terraform.plan(), new RegExp(`- "${key(C)}"`));
      await terraform.destroy();
      terraform.declare(golden("additive"));
      await terraform.apply();
      assert.ok(await terraform.isSettled());
      assert.deepEqual(await emulator().launchers(made.imageId), [A, C]);
      await terraform.destroy();
      assert.deepEqual(await emulator().launchers(made.imageId), [C]);
      await byHand(made, "Remove", C);
      terraform.remove();
    }
  });

  it("works if a snapshot of the AMI was deleted (T8)", async () => {
    const made = await image();
    const [s1 = "", s2 = ""] = made.snapshotIds;
    const golden = (...ids: string[]) => ({ golden: { image_id: made.imageId, account_ids: ids, ...VOLUMES } });
    const terraform = await start(golden(A));
    await terraform.apply();
    await emulator().aws("ec2", "delete-snapshot", "--snapshot-id", s2);
    terraform.declare(golden(D));
    const plan = await terraform.plan("-out=plan.bin");
    assert.match(flat(plan), new RegExp(`note: ${s2}, of the AMI's block device mappings, is gone: it is left out`));
    await terraform.succeed("apply", "plan.bin");
    assert.deepEqual([await emulator().launchers(made.imageId), await emulator().volumeCreators(s1)], [[D], [D]]);
    assert.ok(await terraform.isSettled());
    await terraform.destroy();
    assert.deepEqual([await emulator().launchers(made.imageId), await emulator().volumeCreators(s1)], [[], []]);
  });

  it("of three sets, one with a missing AMI, changes the other two, and fails for that one (T9)", async () => {
    const made = [await image(), await image(), await image()];
    const names = ["one", "two", "three"];
    const sets = (...ids: string[]) =>
      Object.fromEntries(made.map(({ imageId }, n) => [names[n], { image_id: imageId, account_ids: ids }]));
    const terraform = await start(sets(A));
    await terraform.apply();
    const [one, two, three] = made as [MadeImage, MadeImage, MadeImage];
    await emulator().aws("ec2", "deregister-image", "--image-id", two.imageId);
    terraform.declare(sets(A, B));
    const planned = await terraform.diagnostics("plan", "-out=plan.bin");
    assert.equal(planned.code, 0, planned.output);
    assert.deepEqual(
      planned.diagnostics.map(({ severity, address }) => [severity, address]),
      [["warning", "ami_launch_permission_set.two"]],
    );
    assert.match(told(planned), /\[image-not-found\]/);
    const { output } = await terraform.fail("apply", "plan.bin");
    assert.match(flat(output), new RegExp(`there is no AMI ${two.imageId}.*\\[image-not-found\\]`));
    for (const { imageId } of [one, three]) assert.deepEqual(await emulator().launchers(imageId), [A, B]);
    assert.deepEqual(
      Object.keys(await terraform.state()).sort(),
      ["one", "three"].map((name) => `ami_launch_permission_set.${name}`),
    );
  });
});
