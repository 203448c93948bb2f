/** Migration from the aws provider's resources with one principal each to sets, and back: each block of the guide in docs/terraform.md, and what the command prints. */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { watchAccess } from "../helpers/accessWatch";
import { type MadeImage, ROOT, useEmulator } from "../helpers/emulator";
import { installAwsStandIn, TerraformProject, terraformCli } from "../helpers/terraformProject";

const [A, B, C] = ["111122223333", "444455556666", "777788889999"] as const;
const ORGANIZATION = "arn:aws:organizations::111122223333:organization/o-abcde12345";
const GUIDE = fs.readFileSync(path.join(ROOT, "docs/terraform.md"), "utf8").split("## Migrate from")[1]?.split("\n## ")[0] ?? "";
const COMMAND = path.join(ROOT, "provider/dist/cli/main.js");

describe("the migration from the aws provider's resources", function () {
  this.timeout(180_000);
  const emulator = useEmulator();
  let project: TerraformProject;

  beforeEach(async () => {
    project = await TerraformProject.create(emulator(), "");
    installAwsStandIn(path.join(project.folder, "mirror"));
  });
  afterEach(() => project.remove());

  /** Replaces the configuration, with both providers. */
  async function configure(text: string): Promise<void> {
    project.configure(text);
    project.write("aws.tf", 'provider "aws" {\n  region = "us-east-1"\n}\n');
    await project.succeed("init", "-upgrade");
  }

  /** Saves a plan, checks its numbers, applies it, and watches EC2. */
  async function applyKeeps(numbers: RegExp, images: readonly MadeImage[], accounts: readonly string[]): Promise<void> {
    assert.match(await project.plan("-out=migration.tfplan"), numbers);
    const before = await emulator().pairs(images);
    const watch = watchAccess(emulator(), images, accounts, { volumes: true });
    await project.succeed("apply", "migration.tfplan");
    const { lost, looks } = await watch.end();
    assert.deepEqual(lost, [], "somebody lost access for a moment");
    assert.ok(looks > 2, `EC2 was read only ${looks} times`);
    assert.deepEqual(await emulator().pairs(images), before);
  }

  describe("with the guide", () => {
    let image: MadeImage;
    /** The guide's block that begins with this comment, for an AMI of this test. */
    const block = (name: string) => {
      const [, text] = new RegExp(`\`\`\`hcl\n# ${name}\n([\\s\\S]*?)\`\`\``).exec(GUIDE) ?? [];
      assert.ok(text, `the guide has a block "# ${name}"`);
      return text
        .replaceAll("ami-0123456789abcdef0", image.imageId)
        .replaceAll("snap-0a7b1c2d3e4f50617", image.snapshotIds[0] ?? "");
    };

    beforeEach(async () => {
      image = await emulator().image({ snapshots: 1 });
      await configure(block("before"));
      await project.apply();
      assert.equal((await emulator().pairs([image])).length, 4);
    });

    it("T1: in both directions, nobody loses access for a moment", async () => {
      const [asked = ""] = /`(\d+ to import[^`]*)`\.?\*\*/.exec(GUIDE)?.slice(1) ?? [];
      assert.equal(asked, "1 to import, 0 to add, 0 to change, 0 to destroy");
      await configure(block("after"));
      await emulator().forgetCalls();
      await applyKeeps(new RegExp(`Plan: ${asked}`), [image], [A, B]);
      assert.deepEqual(await emulator().modifications(), []);
      assert.deepEqual(Object.keys(await project.state()), ["ami_launch_permission_set.golden"]);
      const [, set = ""] = /(resource "ami_launch_permission_set"[\s\S]*?\n\}\n)/.exec(block("after")) ?? [];
      await configure(set);
      assert.ok(await project.isSettled());

      const [, back = ""] = /only at `(2 to import[^`]*)`/.exec(GUIDE) ?? [];
      await configure(block("back"));
      await applyKeeps(new RegExp(`Plan: ${back}`), [image], [A, B]);
      assert.equal(Object.keys(await project.state()).length, 4);
      await configure(block("before"));
      assert.ok(await project.isSettled());
    });

    it("T1: the guide's commands work unchanged, with what the command writes", async function () {
      if (terraformCli() !== "terraform") this.skip();
      const [write = "", plan = "", apply = "", ...more] = [...GUIDE.matchAll(/```sh\n([\s\S]*?)```/g)].map(
        ([, text]) => text ?? "",
      );
      assert.deepEqual(more, []);
      // npm install puts the command here.
      const bin = path.join(project.folder, "node_modules/.bin");
      fs.mkdirSync(bin, { recursive: true });
      const start = `#!/bin/sh\nexec ${process.execPath} ${COMMAND} "$@"\n`;
      fs.writeFileSync(path.join(bin, "ami-launch-permissions"), start, { mode: 0o755 });
      const shell = async (text: string) => {
        const { code, output } = await project.script("sh", "-e", "-c", text);
        assert.equal(code, 0, output);
        return output;
      };
      await shell(write);
      // A state with plain ids does not say which AMI the snapshot belongs to. The command writes its lines as comments; this uses them.
      const text = fs.readFileSync(path.join(project.folder, "migration.tf"), "utf8");
      const [head = "", stray = ""] = text.split("# The state does not say which AMIs");
      const removed =
        stray
          .split("\n")
          .filter((line) => line.startsWith("#   "))
          .join("\n")
          .split("#   removed")[1] ?? "";
      const all = `${head.replace("  account_ids", "  create_volume_permissions = {}\n  account_ids")}removed${removed.replaceAll("#   ", "")}\n`;
      fs.writeFileSync(path.join(project.folder, "migration.tf"), all);
      await configure("");
      const watch = watchAccess(emulator(), [image], [A, B], { volumes: true });
      assert.match(await shell(`${plan.trim()} -no-color`), /Plan: 1 to import, 0 to add, 0 to change, 0 to destroy/);
      await shell(apply);
      assert.deepEqual((await watch.end()).lost, []);
      assert.ok(await project.isSettled());
    });

    it("T1: without the snapshots' removed block, the plan shows what it would destroy, as the guide warns", async () => {
      await configure(block("after").replace(/removed \{\n {2}from = aws_snapshot[\s\S]*?\n\}\n/, ""));
      assert.match(await project.plan(), /Plan: 1 to import, 0 to add, 0 to change, 2 to destroy/);
      assert.match(GUIDE, /If `to destroy` is not 0, an old resource has no `removed` block/);
    });

    it("T1: if EC2 has more grants than the state, the plan has a change, and shows them", async () => {
      const add = ["--attribute", "launchPermission", "--operation-type", "add", "--user-ids", C];
      await emulator().aws("ec2", "modify-image-attribute", "--image-id", image.imageId, ...add);
      await configure(block("after"));
      const plan = await project.plan();
      assert.match(plan, /Plan: 1 to import, 0 to add, 1 to change, 0 to destroy/);
      assert.match(plan, new RegExp(`- "account/${C}" = "launch"`));
    });

    it("T2: moved from an instance of a for_each fails on Terraform 1.11 as the guide says", async function () {
      if (terraformCli() !== "terraform" || !/v1\.11\./.test((await project.succeed("version")).output)) this.skip();
      const moved = `moved {\n  from = aws_ami_launch_permission.golden["${A}"]\n  to   = ami_launch_permission_set.golden\n}\n`;
      const [, set = ""] = /(resource "ami_launch_permission_set"[\s\S]*?\n\}\n)/.exec(block("after")) ?? [];
      await configure(moved + set + block("before").replace(/resource "aws_ami[\s\S]*?\n\}\n/, ""));
      const { output } = await project.fail("plan");
      const said = output.replace(/[\s│╷╵]+/g, " ");
      for (const words of /`(no schema available … this is a bug in Terraform)`/.exec(GUIDE)?.[1]?.split(" … ") ?? [""])
        assert.ok(words && said.includes(words), said);
    });
  });

  /** The output of the command for the project's state, or for the output of `show -json`. */
  async function migrated(file: string): Promise<string> {
    const { stdout, code, output } = await project.script(process.execPath, COMMAND, "migrate-terraform", file);
    assert.equal(code, 0, output);
    return stdout;
  }

  describe("with the command", () => {
    const MODULE = `variable "image_id" {}
variable "snapshot_id" {}
variable "accounts" {}
resource "aws_ami_launch_permission" "each" {
  for_each   = toset(var.accounts)
  image_id   = var.image_id
  account_id = each.key
}
resource "aws_snapshot_create_volume_permission" "counted" {
  count       = length(var.accounts)
  snapshot_id = var.snapshot_id
  account_id  = var.accounts[count.index]
}
`;
    const copies = (source: MadeImage) => `resource "aws_ami_copy" "copy" {
  for_each          = toset(["x \\"y\\"", "z"])
  name              = "copy"
  source_ami_id     = "${source.imageId}"
  source_ami_region = "us-east-1"
}
`;
    const OLD = `module "share" {
  source      = "./share"
  for_each    = aws_ami_copy.copy
  image_id    = each.value.id
  snapshot_id = each.value.root_snapshot_id
  accounts    = ["${A}", "${B}"]
}
resource "aws_ami_launch_permission" "organization" {
  image_id         = aws_ami_copy.copy["z"].id
  organization_arn = "${ORGANIZATION}"
}
resource "aws_ami_launch_permission" "everybody" {
  image_id = aws_ami_copy.copy["x \\"y\\""].id
  group    = "all"
}
`;

    it("T1: modules, for_each, count, organizations, everybody: 0 to change, 0 to destroy, from each kind of file", async () => {
      const source = await emulator().image({ snapshots: 1 });
      project.write("share/main.tf", MODULE);
      await configure(copies(source) + OLD);
      await project.apply();
      project.write("shown.json", (await project.succeed("show", "-json")).stdout);
      await project.succeed("plan", "-out=plan.bin");
      project.write("plan.json", (await project.succeed("show", "-json", "plan.bin")).stdout);
      const text = await migrated("terraform.tfstate");
      assert.equal(await migrated("shown.json"), text);
      assert.equal(await migrated("plan.json"), text);

      await configure(`${copies(source)}\n${text}`);
      const images = await copiesIn(project);
      await emulator().forgetCalls();
      await applyKeeps(/Plan: 2 to import, 0 to add, 0 to change, 0 to destroy/, images, [A, B]);
      assert.deepEqual(await emulator().modifications(), []);
      assert.ok(!(await project.succeed("state", "list")).output.includes("_permission."), "no old resource is left");
      await configure(copies(source) + text.replaceAll(/^(import|removed) \{\n[\s\S]*?\n\}\n/gm, ""));
      assert.ok(await project.isSettled());
      // The output is formatted as by terraform fmt.
      project.write("migration.tf", text);
      await project.succeed("fmt", "-check", "migration.tf");
    });
  });
});

async function copiesIn(project: TerraformProject): Promise<MadeImage[]> {
  const state = await project.state();
  const copies = Object.entries(state).filter(([address]) => address.startsWith("aws_ami_copy."));
  assert.equal(copies.length, 2);
  return copies.map(([, { id, root_snapshot_id }]) => ({
    imageId: String(id),
    snapshotIds: [String(root_snapshot_id)],
    region: "us-east-1",
    accountId: "",
  }));
}
