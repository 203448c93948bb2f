/** The examples of Terraform and its constructs, as their READMEs run them. */

import * as assert from "node:assert/strict";
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
import { ROOT, useEmulator } from "../helpers/emulator";
import { TerraformProject } from "../helpers/terraformProject";

const [FIRST, SECOND, THIRD] = ["111122223333", "444455556666", "777788889999"] as const;

describe("the examples of Terraform", function () {
  this.timeout(180_000);
  const emulator = useEmulator();

  for (const library of ["cdktn", "cdktf"])
    it(`${library}-golden-image: the app's stack shares, changes and settles`, async () => {
      const image = await emulator().image({ snapshots: 2 });
      const project = await TerraformProject.create(emulator(), "");
      const synthesize = async (...accountIds: string[]) => {
        const out = path.join(project.folder, "out");
        const env = { ...project.env, CDKTF_OUTDIR: out, IMAGE_ID: image.imageId, ACCOUNT_IDS: accountIds.join(",") };
        const example = path.join(ROOT, "examples", `${library}-golden-image`);
        await promisify(execFile)("npx", ["ts-node", "--transpile-only", "main.ts"], { cwd: example, env });
        const stack = JSON.parse(fs.readFileSync(path.join(out, "stacks/golden-image/cdk.tf.json"), "utf8"));
        // The state of an app lies beside its main.ts; a test's in a folder of its own.
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
});
