/**
 * Import by identity and `terraform query`, with Terraform 1.14.3 or newer. Set-up finds or builds it and sets `NEW_TERRAFORM_CLI`. This
 * variable can also name an OpenTofu 1.12 or newer, which has no query: those tests are then skipped.
 */

import * as assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { type MadeImage, useEmulator } from "../helpers/emulator";
import { TerraformProject } from "../helpers/terraformProject";

const CLI = String(process.env.NEW_TERRAFORM_CLI);
const [A, B] = ["111122223333", "444455556666"] as const;
const OWNER = "123456789012";
/** A region in which moto has no AMIs of its own account. */
const REGION = "eu-west-1";
const SET = "ami_launch_permission_set.golden";

describe("resource identity, in a CLI that supports it", () => {
  const emulator = useEmulator();
  let project: TerraformProject;
  before(async () => {
    project = await TerraformProject.create(emulator(), "", { cli: CLI });
  });
  afterEach(() => {
    for (const name of ["terraform.tfstate", "terraform.tfstate.backup", "made.tf", "shared.tfquery.hcl"])
      fs.rmSync(path.join(project.folder, name), { force: true });
  });
  after(() => project.remove());

  interface StateFile {
    readonly resources: { instances: { identity?: object; identity_schema_version?: number }[] }[];
  }
  const stateFile = () => path.join(project.folder, "terraform.tfstate");
  const state = (): StateFile => JSON.parse(fs.readFileSync(stateFile(), "utf8"));
  const recorded = () => state().resources.map(({ instances }) => instances[0]?.identity);
  const share = (image: MadeImage, ...accounts: string[]) =>
    project.configure(
      `resource "ami_launch_permission_set" "golden" {\n  image_id = "${image.imageId}"\n  account_ids = ${JSON.stringify(accounts)}\n}\n`,
    );
  const of = ({ imageId }: MadeImage) => ({ image_id: imageId, region: "us-east-1", account_id: OWNER });

  it("is recorded by the first apply, stays through changes and drift, and changes with the AMI", async () => {
    const [first, second] = [await emulator().image(), await emulator().image()];
    share(first, A);
    await project.apply();
    assert.deepEqual(recorded(), [of(first)]);
    share(first, A, B);
    await project.apply();
    assert.deepEqual(recorded(), [of(first)]);
    await emulator().aws("ec2", "reset-image-attribute", "--image-id", first.imageId, "--attribute", "launchPermission");
    await project.apply("-refresh-only");
    assert.deepEqual(recorded(), [of(first)]);
    share(second, A);
    await project.apply();
    assert.deepEqual(recorded(), [of(second)]);
    assert.ok(await project.isSettled());
    await project.destroy();
  });

  it("is kept if a change fails, in a saved plan, and if the AMI is unknown in the plan", async () => {
    const image = await emulator().image();
    project.configure(`
      resource "terraform_data" "image" {
        input = "${image.imageId}"
      }
      resource "ami_launch_permission_set" "golden" {
        image_id    = terraform_data.image.output
        account_ids = ["${A}"]
      }
    `);
    await project.succeed("plan", "-out=plan.bin");
    await project.succeed("apply", "plan.bin");
    assert.deepEqual(recorded()[0], of(image));
    share(image, A, B);
    await emulator().configure({ deny: ["ec2:ModifyImageAttribute"] });
    await project.fail("apply", "-auto-approve");
    await emulator().reset();
    assert.deepEqual(recorded()[0], of(image));
    await project.apply();
    await project.destroy();
  });

  it("is added to an older state by the next refresh", async () => {
    const image = await emulator().image();
    share(image, A);
    await project.apply();
    const old = state();
    for (const { instances } of old.resources)
      for (const instance of instances) {
        delete instance.identity;
        delete instance.identity_schema_version;
      }
    fs.writeFileSync(stateFile(), JSON.stringify(old));
    await project.apply("-refresh-only");
    assert.deepEqual(recorded(), [of(image)]);
    assert.ok(await project.isSettled());
    await project.destroy();
  });

  it("imports: the AMI alone is enough, and region and owner are checked", async () => {
    const image = await emulator().image({ snapshots: 1, launchPermissions: [{ UserId: A }] });
    for (const more of ["", `region = "us-east-1"`, `region = "us-east-1"\n account_id = "${OWNER}"`]) {
      share(image, A);
      const identity = `identity = {\n image_id = "${image.imageId}"\n ${more}\n }`;
      project.write("made.tf", `import {\n to = ${SET}\n ${identity}\n}\n`);
      assert.match(await project.apply(), /1 imported, 0 added, 0 changed, 0 destroyed/);
      assert.deepEqual(recorded(), [of(image)]);
      fs.rmSync(path.join(project.folder, "made.tf"));
      await project.succeed("state", "rm", SET);
    }
    project.write(
      "made.tf",
      `import {\n to = ${SET}\n identity = {\n image_id = "${image.imageId}"\n account_id = "${A}"\n }\n}\n`,
    );
    const { output } = await project.fail("plan");
    assert.match(output.replace(/[\s│]+/g, " "), /belongs to account 123456789012, and the identity names 111122223333/);
  });

  describe("and terraform query", () => {
    let shared: MadeImage[];
    before(async function () {
      if (!/^Terraform/.test(execFileSync(CLI, ["version"], { encoding: "utf8", stdio: "pipe" }))) this.skip();
      const asked = { region: REGION, snapshots: 1, launchPermissions: [{ UserId: A }] };
      shared = await emulator().images([asked, asked, asked]);
      shared.sort((a, b) => (a.imageId < b.imageId ? -1 : 1));
      await emulator().image({ region: REGION, snapshots: 1 });
    });
    const query = (more = "") =>
      project.write(
        "shared.tfquery.hcl",
        `list "ami_launch_permission_set" "shared" {\n  provider = ami\n  ${more}\n  config {\n    region = "${REGION}"\n  }\n}\n`,
      );
    const found = async (...args: string[]) => {
      const { stdout } = await project.succeed("query", "-json", ...args);
      const lines = stdout.split("\n").filter((line) => line.startsWith("{"));
      return lines.map((line) => JSON.parse(line) as Record<string, Record<string, unknown>>);
    };
    const identities = (lines: Awaited<ReturnType<typeof found>>) =>
      lines.flatMap((line) => (line.list_resource_found ? [line.list_resource_found.identity] : []));
    beforeEach(() => project.configure(""));

    it("finds shared AMIs, up to its limit", async () => {
      query();
      const all = shared.map(({ imageId }) => ({ image_id: imageId, region: REGION, account_id: OWNER }));
      assert.deepEqual(identities(await found()), all);
      query("limit = 2");
      assert.deepEqual(identities(await found()), all.slice(0, 2));
    });

    it("warns of an AMI that cannot be read, and shows the others", async () => {
      query();
      const [, hidden = ""] = shared.map(({ imageId }) => imageId);
      const failure = {
        action: "DescribeImageAttribute",
        resource: hidden,
        code: "UnauthorizedOperation",
        status: 403,
        times: 99,
      };
      await emulator().configure({ failures: [failure] });
      const lines = await found();
      await emulator().reset();
      const warnings = lines.flatMap(({ diagnostic }) => (diagnostic ? [[diagnostic.severity, diagnostic.summary]] : []));
      assert.deepEqual(warnings, [["warning", `AMI ${hidden} is not listed: who it is shared with cannot be read`]]);
      assert.equal(identities(lines).length, 2);
    });

    it("generates imports and configuration with an empty plan", async () => {
      query();
      await project.succeed("query", "-generate-config-out=made.tf");
      fs.rmSync(path.join(project.folder, "shared.tfquery.hcl"));
      assert.match(await project.plan(), /Plan: 3 to import, 0 to add, 0 to change, 0 to destroy/);
    });
  });
});
