/** The examples for Terraform and the constructs, run as their READMEs say. */

import * as assert from "node:assert/strict";
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
import { ROOT, useEmulator } from "../helpers/emulator";
import { installAwsStandIn, TerraformProject } from "../helpers/terraformProject";

const EXAMPLES = path.join(ROOT, "examples");
const [FIRST, SECOND, THIRD] = ["111122223333", "444455556666", "777788889999"] as const;

describe("the Terraform examples", function () {
  this.timeout(180_000);
  const emulator = useEmulator();

  for (const library of ["cdktn", "cdktf"])
    it(`${library}-golden-image: the stack shares and changes, and then has an empty plan`, async () => {
      const image = await emulator().image({ snapshots: 2 });
      const project = await TerraformProject.create(emulator(), "");
      const synthesize = async (...accountIds: string[]) => {
        const out = path.join(project.folder, "out");
        const env = { ...project.env, CDKTF_OUTDIR: out, IMAGE_ID: image.imageId, ACCOUNT_IDS: accountIds.join(",") };
        const cwd = path.join(EXAMPLES, `${library}-golden-image`);
        await promisify(execFile)("npx", ["ts-node", "--transpile-only", "main.ts"], { cwd, env });
        const stack = JSON.parse(fs.readFileSync(path.join(out, "stacks/golden-image/cdk.tf.json"), "utf8"));
        // An app keeps its state beside main.ts. A test uses its own folder.
        delete stack.terraform.backend;
        project.write("main.tf.json", JSON.stringify(stack));
      };
      try {
        for (const name of ["main.tf", "provider.tf"]) fs.rmSync(path.join(project.folder, name));
        await synthesize(FIRST, SECOND);
        await project.succeed("init", "-upgrade");
        await project.apply();
        const everywhere = (...ids: string[]) =>
          [image.imageId, ...image.snapshotIds].flatMap((resource) => ids.map((id) => `${resource} account/${id}`)).sort();
        assert.deepEqual(await emulator().pairs([image]), everywhere(FIRST, SECOND));
        await synthesize(SECOND, THIRD);
        await project.apply();
        assert.deepEqual(await emulator().pairs([image]), everywhere(SECOND, THIRD));
        assert.ok(await project.isSettled());
        assert.deepEqual(Object.keys((await project.outputs()).grants as object), [`account/${SECOND}`, `account/${THIRD}`]);
      } finally {
        project.remove();
      }
    });

  it("terraform-golden-image: copies to each region and shares all; a new source is shared before copies are deleted", async () => {
    const [first, second] = await emulator().images([{ snapshots: 1 }, { snapshots: 1 }]);
    const project = await TerraformProject.create(emulator(), "");
    try {
      for (const name of ["main.tf", "provider.tf"]) fs.rmSync(path.join(project.folder, name));
      fs.copyFileSync(path.join(EXAMPLES, "terraform-golden-image/main.tf"), path.join(project.folder, "main.tf"));
      installAwsStandIn(path.join(project.folder, "mirror"));
      const declare = (source_image_id: string | undefined, ...account_ids: string[]) =>
        project.write(
          "terraform.tfvars.json",
          JSON.stringify({ source_image_id, source_region: "us-east-1", regions: ["us-east-1", "eu-west-1"], account_ids }),
        );
      declare(first?.imageId, FIRST, SECOND);
      await project.succeed("init", "-upgrade");
      await project.succeed("validate");
      await project.apply();
      const { image_ids, grants } = await project.outputs();
      const copy = (image_ids as Record<string, string>)["eu-west-1"] ?? "";
      assert.notEqual(copy, first?.imageId);
      const both = { [`account/${FIRST}`]: "launch, createVolume", [`account/${SECOND}`]: "launch, createVolume" };
      assert.deepEqual(grants, { "us-east-1": both, "eu-west-1": both });
      assert.deepEqual(await launchersIn("eu-west-1", copy), [FIRST, SECOND]);
      assert.ok(await project.isSettled());

      declare(second?.imageId, FIRST, SECOND);
      await emulator().forgetCalls();
      await project.apply();
      const changes = (await emulator().calls()).filter(
        ({ action, region }) => region === "eu-west-1" && /^(Copy|Modify|Deregister)/.test(action),
      );
      const newest = (await project.outputs()).image_ids as Record<string, string>;
      assert.deepEqual(
        changes.filter(({ action }) => !action.includes("Snapshot")).map(({ action, resource }) => `${action} ${resource}`),
        [
          `CopyImage ${second?.imageId}`,
          `ModifyImageAttribute ${newest["eu-west-1"]}`,
          `ModifyImageAttribute ${copy}`,
          `DeregisterImage ${copy}`,
        ],
      );
      assert.deepEqual(await launchersIn("eu-west-1", newest["eu-west-1"] ?? ""), [FIRST, SECOND]);
      assert.deepEqual(await emulator().launchers(first?.imageId ?? ""), []);
    } finally {
      project.remove();
    }
  });

  async function launchersIn(region: string, imageId: string): Promise<string[]> {
    const asked = ["--image-id", imageId, "--attribute", "launchPermission", "--region", region];
    const { LaunchPermissions } = await emulator().aws("ec2", "describe-image-attribute", ...asked);
    return (LaunchPermissions as unknown as { UserId: string }[]).map(({ UserId }) => UserId).sort();
  }
});
