/** Installs the provider as the documentation says: from the packed mirror, from terraform.d/plugins, and attached to a running provider. */

import * as assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import { PROVIDER_FILE, PROVIDER_VERSION } from "ami-launch-permissions/terraform";
import { ROOT, useEmulator } from "../helpers/emulator";
import { TerraformProject, terraformCli } from "../helpers/terraformProject";

const RELEASE = path.join(ROOT, "release/terraform");
const CONFIGURATION = 'terraform {\n  required_providers {\n    ami = { source = "ami-launch-permissions/ami" }\n  }\n}\n';

describe("the Terraform provider's installation", function () {
  this.timeout(120_000);
  const emulator = useEmulator();
  let folder: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "ami-install-"));
    fs.writeFileSync(path.join(folder, "main.tf"), CONFIGURATION);
  });
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  /** The resource types that the CLI finds in the provider after init. */
  async function resourceTypes(cliConfig: string): Promise<string[]> {
    fs.writeFileSync(path.join(folder, "rc"), cliConfig);
    const env = { ...process.env, TF_CLI_CONFIG_FILE: path.join(folder, "rc"), CHECKPOINT_DISABLE: "1", HOME: folder };
    const run = (...args: string[]) => promisify(execFile)(terraformCli(), args, { cwd: folder, env });
    await run("init", "-no-color");
    const { stdout } = await run("providers", "schema", "-json");
    const [schemas] = Object.values(JSON.parse(stdout).provider_schemas) as { resource_schemas: object }[];
    return Object.keys(schemas?.resource_schemas ?? {});
  }

  it("works from the packed mirror and the registry's files, which are reproducible and match their checksums", async () => {
    const sums: string[] = [];
    for (let run = 0; run < 2; run++) {
      await promisify(execFile)(process.execPath, [path.join(ROOT, "scripts/package-terraform.mjs")], { cwd: ROOT });
      sums.push(fs.readFileSync(path.join(RELEASE, `registry/terraform-provider-ami_${PROVIDER_VERSION}_SHA256SUMS`), "utf8"));
    }
    assert.equal(sums[0], sums[1]);
    const listed = (sums[0] ?? "")
      .trim()
      .split("\n")
      .map((line) => line.split("  "));
    assert.deepEqual(listed.map(([, name]) => name?.replace(`terraform-provider-ami_${PROVIDER_VERSION}_`, "")).sort(), [
      "darwin_amd64.zip",
      "darwin_arm64.zip",
      "linux_amd64.zip",
      "linux_arm64.zip",
      "manifest.json",
      "windows_amd64.zip",
    ]);
    for (const [sum, name = ""] of listed)
      assert.equal(
        createHash("sha256")
          .update(fs.readFileSync(path.join(RELEASE, "registry", name)))
          .digest("hex"),
        sum,
      );
    const mirror = JSON.stringify(path.join(RELEASE, "mirror"));
    const types = await resourceTypes(`provider_installation {\n  filesystem_mirror {\n    path = ${mirror}\n  }\n}\n`);
    assert.deepEqual(types, ["ami_launch_permission_set"]);
  });

  it("works from terraform.d/plugins beside a configuration, without a CLI configuration", async () => {
    const command = path.join(ROOT, "provider/dist/cli/main.js");
    await promisify(execFile)(process.execPath, [command, "install-terraform-provider", "terraform.d/plugins"], { cwd: folder });
    // In a folder whose scripts are ES modules. The provider is not one.
    fs.writeFileSync(path.join(folder, "package.json"), '{ "type": "module" }');
    assert.deepEqual(await resourceTypes(""), ["ami_launch_permission_set"]);
  });

  it("works attached to a provider that runs in a debugger", async () => {
    const project = await TerraformProject.create(emulator(), "");
    const { imageId } = await emulator().image();
    const provider = spawn(PROVIDER_FILE, ["--debug"], { env: project.env, stdio: ["ignore", "pipe", "ignore"] });
    try {
      const [text] = (await once(provider.stdout, "data")) as [Buffer];
      project.env.TF_REATTACH_PROVIDERS = /TF_REATTACH_PROVIDERS='(.*)'/.exec(String(text))?.[1] ?? assert.fail(String(text));
      project.declare({ golden: { image_id: imageId, account_ids: ["111122223333"] } });
      await project.apply();
      assert.deepEqual(await emulator().launchers(imageId), ["111122223333"]);
      assert.equal(provider.exitCode, null);
      const ended = once(provider, "exit");
      provider.kill("SIGINT");
      assert.deepEqual(await ended, [0, null]);
    } finally {
      provider.kill("SIGKILL");
      project.remove();
    }
  });

  it("contains no data of the machine that built it", () => {
    const bundle = fs.readFileSync(PROVIDER_FILE, "utf8");
    for (const secret of [ROOT, os.homedir() === "/" ? ROOT : `${os.homedir()}/`, os.hostname()].filter(
      (text) => text.length > 5,
    ))
      assert.ok(!bundle.includes(secret), secret);
  });
});
