/** Runs the code blocks of the documentation that need a CLI: those of Terraform, of the stack's config, and "Use it by config" of the README. */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { PROVIDER_FILE } from "ami-launch-permissions/terraform";
import { type Block, blocksIn, blocksOf, pageText } from "../helpers/docs";
import { useEmulator } from "../helpers/emulator";
import { PulumiProject } from "../helpers/pulumiProject";
import { installAwsStandIn, TerraformProject } from "../helpers/terraformProject";

const [A, B, C] = ["111122223333", "044455556666", "777788889999"] as const;
/** A CLI with all features that the pages use, such as imports by identity. */
const CLI = String(process.env.NEW_TERRAFORM_CLI);
const REQUIRED = 'terraform {\n  required_providers {\n    ami = { source = "ami-launch-permissions/ami" }\n  }\n}\n';
/** The resource for blocks that contain only an import. */
const SET = 'resource "ami_launch_permission_set" "golden" {\n  image_id    = "ami-0123456789abcdef0"\n  account_ids = []\n}\n';

describe("the documentation's code blocks", () => {
  const emulator = useEmulator();

  describe("for Terraform", () => {
    let project: TerraformProject;
    before(async () => {
      project = await TerraformProject.create(emulator(), "", { cli: CLI });
      const mirror = path.join(project.folder, "mirror");
      installAwsStandIn(mirror);
      // With dev_overrides, terraform init is not needed.
      const places = [
        ["hashicorp/aws", path.dirname(fileBeneath(mirror, /provider-aws/))],
        ["ami-launch-permissions/ami", path.dirname(PROVIDER_FILE)],
      ];
      const overrides = places.map(([name, place]) => `    ${JSON.stringify(name)} = ${JSON.stringify(place)}\n`).join("");
      project.write("overrides.rc", `provider_installation {\n  dev_overrides {\n${overrides}  }\n}\n`);
    });
    after(() => project.remove());

    for (const block of blocksOf("hcl"))
      it(`${block.place} is valid`, async () => {
        const ran = await validated(block);
        assert.equal(ran.code, 0, ran.output);
      });

    it("with an unknown argument are not valid", async () => {
      const [block] = blocksIn("README.md").filter(({ language }) => language === "hcl");
      const wrong = (block as Block).text.replace("account_ids", "acount_ids");
      assert.match((await validated({ ...(block as Block), place: "wrong", text: wrong })).output, /acount_ids/);
    });

    /** Validates a configuration. A configuration of the CLI itself is only read. */
    async function validated({ place, text }: Block) {
      const folder = place.replaceAll(/\W/g, "_");
      if (text.startsWith("provider_installation")) {
        project.write(`${folder}/cli.rc`, text);
        project.env.TF_CLI_CONFIG_FILE = path.join(project.folder, folder, "cli.rc");
        const ran = await project.run("version");
        return { ...ran, code: /Error|Warning|problem/i.test(ran.output) ? 1 : ran.code };
      }
      project.env.TF_CLI_CONFIG_FILE = path.join(project.folder, "overrides.rc");
      const isQuery = text.includes('list "');
      const beside = text.startsWith("import") ? SET : "";
      if (isQuery) project.write(`${folder}/shared.tfquery.hcl`, text);
      project.write(`${folder}/main.tf`, isQuery ? "" : text);
      project.write(`${folder}/beside.tf`, (text.includes("required_providers") ? "" : REQUIRED) + beside);
      return project.run(`-chdir=${folder}`, "validate", "-no-color", ...(isQuery ? ["-query"] : []));
    }
  });

  it("by config: the commands of the README work as described", async () => {
    const project = await PulumiProject.create(emulator(), { asUsersHaveIt: true });
    try {
      const section = pageText("README.md").split("\n## Use it by config\n")[1]?.split("\n## ")[0] ?? "";
      const [, text] = /```sh\n(eval [\s\S]*?)```/.exec(section) ?? [];
      assert.ok(text, "README has the commands");
      // The test has already set up the shell, and its local EC2 runs.
      const [setUp, ...commands] = text.replace("http://127.0.0.1:5055", emulator().url).split("\n");
      assert.equal(setUp, 'eval "$(npm run -s env)"');
      const { code, output } = await project.script("bash", "-euxo", "pipefail", "-c", commands.join("\n"));
      assert.equal(code, 0, output);
      for (const id of [A, B]) assert.match(output, new RegExp(`"?account/${id}"?:? *"?launch, createVolume`), output);
      assert.match(output, new RegExp(`"UserId": "${B}"`), "the AWS CLI shows the launch permissions");
      const [image = ""] = /ami-[0-9a-f]{17}/.exec(output) ?? [];
      assert.deepEqual(await emulator().launchers(image), []);
    } finally {
      project.remove();
    }
  });

  it("several sets: the program accepts the config in docs/arguments.md", async () => {
    const project = await PulumiProject.create(emulator());
    try {
      const [golden, builder] = [await emulator().image(), await emulator().image()];
      const [block] = blocksIn("docs/arguments.md").filter(({ language }) => language === "yaml");
      assert.ok(block);
      project.rawConfig(
        block.text.replace("ami-0123456789abcdef0", golden.imageId).replace("ami-0fedcba9876543210", builder.imageId),
      );
      await project.up();
      assert.deepEqual(await emulator().launchers(golden.imageId), [B, A]);
      assert.deepEqual(await emulator().launchers(builder.imageId), [C]);
      assert.deepEqual(Object.keys((await project.outputs()).grants as object).sort(), ["builder", "golden"]);
      await project.destroy();
    } finally {
      project.remove();
    }
  });
});

function fileBeneath(folder: string, name: RegExp): string {
  const found = fs.readdirSync(folder, { recursive: true, encoding: "utf8" }).find((file) => name.test(path.basename(file)));
  assert.ok(found, `${folder} holds ${name}`);
  return path.join(folder, found);
}
