/** The packed package as users install it: its types, its imports, and the real CLI with it. */

import * as assert from "node:assert/strict";
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
import { PROVIDER_FILE, PROVIDER_VERSION } from "ami-launch-permissions/terraform";
import * as ts from "typescript";
import { blocksIn } from "../helpers/docs";
import { ROOT, useEmulator } from "../helpers/emulator";
import { npm } from "../helpers/packageCopy";
import { PulumiProject } from "../helpers/pulumiProject";

const PROGRAM = `import * as pulumi from "@pulumi/pulumi";
import { AmiLaunchPermissionSet, type AmiLaunchPermissionSetArgs, getAmiLaunchPermissionsOutput } from "ami-launch-permissions";

const imageId = new pulumi.Config().require("imageId");
const args: AmiLaunchPermissionSetArgs = { imageId, accountIds: ["111122223333", pulumi.output("444455556666")] };
const set = new AmiLaunchPermissionSet("golden", { ...args, createVolumePermissions: true });

export const grants: pulumi.Output<Record<string, string>> = set.grants;
export const snapshotIds: pulumi.Output<string[]> = set.snapshotIds;
export const seen = getAmiLaunchPermissionsOutput({ imageId: set.id }).grants;
`;
const CORE = `import { AmiSharingError, type AmiPermissions, describePermissions, ec2Gateway, type Grants } from "ami-launch-permissions/core";

export const none: Grants = {};
export const code: string = new AmiSharingError("image-not-found", "there is none").code;
export const seen: Promise<AmiPermissions> = describePermissions(ec2Gateway({ region: "us-east-1" }), "ami-0123456789abcdef0");
`;
/** Code that a type checker must refuse. */
const WRONG = `import { AmiLaunchPermissionSet } from "ami-launch-permissions";
import { ec2Gateway } from "ami-launch-permissions/core";

// @ts-expect-error: no such argument
new AmiLaunchPermissionSet("a", { imageId: "ami-0123456789abcdef0", acountIds: [] });
// @ts-expect-error: no such mode
new AmiLaunchPermissionSet("b", { imageId: "ami-0123456789abcdef0", mode: "strict" });
// @ts-expect-error: no image
new AmiLaunchPermissionSet("c", { accountIds: [] });
// @ts-expect-error: internal
import { reconcile } from "ami-launch-permissions/core";
// @ts-expect-error: internal
import { DynamicProvider } from "ami-launch-permissions/dynamic-provider";
// @ts-expect-error: internal
export const manager = ec2Gateway().keys;
// @ts-expect-error: internal
export const type = AmiLaunchPermissionSet.__pulumiType;
export { DynamicProvider, reconcile };
`;

const PULUMI_PLUGIN = "pulumi-resource-ami-launch-permissions";

describe("the tarball in another project", function () {
  this.timeout(300_000);
  const emulator = useEmulator();
  let project: PulumiProject;
  let packed: { filename: string; unpackedSize: number; files: { path: string }[] };

  before(async () => {
    project = await PulumiProject.create(emulator(), { program: PROGRAM, asUsersHaveIt: true });
    const { folder } = project;
    [packed] = JSON.parse(await npm(ROOT, "pack", "--workspace=provider", "--json", `--pack-destination=${folder}`));
    fs.rmSync(path.join(folder, "node_modules"));
    fs.writeFileSync(path.join(folder, "package.json"), '{ "name": "foreign", "private": true }');
    fs.writeFileSync(path.join(folder, "Pulumi.yaml"), "name: foreign\nruntime: nodejs\nmain: index.ts\n");
    const { version } = JSON.parse(fs.readFileSync(path.join(ROOT, "node_modules/typescript/package.json"), "utf8"));
    const packages = ["@pulumi/pulumi@3.248.0", `typescript@${version}`, "ts-node@10"];
    await npm(folder, "install", "--ignore-scripts", `./${packed.filename}`, ...packages);
    await project.succeed("stack", "init", "foreign");
  });
  after(() => project?.remove());

  it("contains the build, the Terraform provider, the Pulumi plugin, a README, the licences and nothing else", () => {
    const files = packed.files.map((file) => file.path);
    assert.deepEqual(files.filter((file) => !/^dist\/.+\.(js|d\.ts)$/.test(file)).sort(), [
      "LICENSE",
      "README.md",
      "dist/THIRD-PARTY-NOTICES.txt",
      "dist/cli/page.css",
      "dist/cli/report.schema.json",
      "dist/pulumi-plugin/THIRD-PARTY-NOTICES.txt",
      `dist/pulumi-plugin/${PULUMI_PLUGIN}`,
      "dist/terraform/THIRD-PARTY-NOTICES.txt",
      `dist/terraform/terraform-provider-ami_v${PROVIDER_VERSION}`,
      "package.json",
    ]);
    assert.deepEqual(
      files.filter((file) => /test|spec|\.map$/.test(file)),
      [],
    );
    const dist = path.join(ROOT, "provider/dist");
    const bundles = [PROVIDER_FILE, path.join(dist, "pulumi-plugin", PULUMI_PLUGIN)];
    const sizes = bundles.map((file) => fs.statSync(file).size);
    const rest = packed.unpackedSize - sizes.reduce((sum, size) => sum + size, 0);
    assert.ok(rest < 1_600_000 && Math.max(...sizes) < 1_750_000, `${packed.unpackedSize} bytes, ${sizes} of them the plugins`);
  });

  it("installs nothing else: what it uses is in its files", () => {
    const { dependencies = {} } = JSON.parse(fs.readFileSync(path.join(ROOT, "provider/package.json"), "utf8"));
    assert.deepEqual(dependencies, {});
    const installed = fs.readdirSync(path.join(project.folder, "node_modules"));
    assert.ok(!installed.includes("@aws-sdk") && !installed.includes("valibot"), String(installed));
  });

  it("loads the AWS SDK at the first call, not before", async () => {
    const loaded = (work: string) =>
      node(
        "--eval",
        `const { ec2Gateway } = require("ami-launch-permissions/core"); require("ami-launch-permissions"); require("ami-launch-permissions/dynamic-provider");
        const gateway = ec2Gateway({ region: "us-east-1", endpoint: "${emulator().url}", credentials: { accessKeyId: "test", secretAccessKey: "test" } });
        (async () => { ${work}; console.log(Object.keys(require.cache).some((file) => /sdk.index/.test(file))); })()`,
      );
    assert.equal(await loaded(""), "false");
    assert.equal(await loaded('await gateway.describeImages("self")'), "true");
  });

  it("shares, previews a change and revokes, with the program at the top", async () => {
    const { imageId, snapshotIds } = await emulator().image({ snapshots: 2 });
    configure(imageId);
    const preview = await project.preview();
    assert.match(preview, /\+ account\/444455556666|account\/444455556666: "launch, createVolume"/);
    assert.deepEqual(await emulator().launchers(imageId), []);
    await project.up();
    assert.deepEqual(await emulator().launchers(imageId), ["111122223333", "444455556666"]);
    const { grants, seen } = await project.outputs();
    assert.deepEqual(grants, {
      "account/111122223333": "launch, createVolume",
      "account/444455556666": "launch, createVolume",
    });
    assert.deepEqual(seen, grants);
    await project.destroy();
    assert.deepEqual(await emulator().launchers(imageId), []);
    for (const id of snapshotIds) assert.deepEqual(await emulator().volumeCreators(id), []);
  });

  it("works the same with the program in a separate folder, src/", async () => {
    const { imageId } = await emulator().image({ snapshots: 1 });
    configure(imageId);
    fs.mkdirSync(path.join(project.folder, "src"));
    fs.renameSync(path.join(project.folder, "index.ts"), path.join(project.folder, "src/index.ts"));
    fs.writeFileSync(path.join(project.folder, "Pulumi.yaml"), "name: foreign\nruntime: nodejs\nmain: src/\n");
    await project.up();
    assert.deepEqual(await emulator().launchers(imageId), ["111122223333", "444455556666"]);
    await project.destroy();
    assert.deepEqual(await emulator().launchers(imageId), []);
  });

  it("can be imported from CommonJS and ES modules, with each entry point", async () => {
    const esm =
      'import { AmiLaunchPermissionSet } from "ami-launch-permissions"; import { AmiSharingError } from "ami-launch-permissions/core"; import { DynamicProvider } from "ami-launch-permissions/dynamic-provider"; import { RESOURCE } from "ami-launch-permissions/terraform"; console.log(AmiLaunchPermissionSet.name, AmiSharingError.name, DynamicProvider.name, RESOURCE)';
    const cjs =
      'console.log(require("ami-launch-permissions").AmiLaunchPermissionSet.name, require("ami-launch-permissions/core").AmiSharingError.name, require("ami-launch-permissions/dynamic-provider").DynamicProvider.name, require("ami-launch-permissions/terraform").RESOURCE, require("ami-launch-permissions/package.json").name)';
    const names = "AmiLaunchPermissionSet AmiSharingError DynamicProvider ami_launch_permission_set";
    assert.equal(await node("--input-type=module", "--eval", esm), names);
    assert.equal(await node("--eval", cjs), `${names} ami-launch-permissions`);
  });

  it("has a core that reads the permissions of AMIs, as docs/core.md shows", async () => {
    const { imageId } = await emulator().image({ launchPermissions: [{ UserId: "111122223333" }, { UserId: "777788889999" }] });
    const [block] = blocksIn("docs/core.md").filter(({ language }) => language === "ts");
    const { outputText } = ts.transpileModule(block?.text ?? "", { compilerOptions: { module: ts.ModuleKind.CommonJS } });
    const run = (more: NodeJS.ProcessEnv = {}) =>
      promisify(execFile)(process.execPath, ["--eval", outputText], {
        cwd: project.folder,
        env: { ...project.env, NODE_OPTIONS: "", AWS_ENDPOINT_URL: emulator().url, ...more },
      });
    await assert.rejects(run(), (error: { code: number; stdout: string }) => {
      assert.equal(error.code, 1);
      assert.ok(error.stdout.split("\n").includes(`${imageId}: account/777788889999 has launch`), error.stdout);
      assert.doesNotMatch(error.stdout, /111122223333/);
      return true;
    });
    await assert.rejects(run({ AWS_ENDPOINT_URL: "http://127.0.0.1:1", AWS_MAX_ATTEMPTS: "1" }), {
      code: 2,
      stderr: / \[endpoint-unreachable\]\n$/,
    });
  });

  it("has a command that prints the program for a shared AMI, and reports an error in one line", async () => {
    const { imageId } = await emulator().image({ snapshots: 1, launchPermissions: [{ UserId: "111122223333" }] });
    const command = "node_modules/.bin/ami-launch-permissions";
    const run = (...args: string[]) =>
      promisify(execFile)(command, args, { cwd: project.folder, env: { ...project.env, NODE_OPTIONS: "" } });
    const { stdout, stderr } = await run("adopt", imageId);
    assert.match(stdout, new RegExp(`imageId: "${imageId}",\\n {2}region: "us-east-1",\\n {2}accountIds: \\["111122223333"\\],`));
    assert.equal(stderr, "");
    for (const [args, says] of [
      [
        ["adopt", "ami-0ffffffffffffffff"],
        /^there is no AMI ami-0ffffffffffffffff in us-east-1 \(AWS: .*\); .* \[image-not-found\]\n$/,
      ],
      [["adopt", "golden"], /^imageId: "golden" is not an AMI id; .*\n$/],
      [["adopt"], /^error: missing required argument 'ami-id'/],
      [["adopt", imageId, "--regoin", "x"], /unknown option '--regoin'/],
    ] as const)
      await assert.rejects(run(...args), (error: { code: number; stdout: string; stderr: string }) => {
        assert.deepEqual([error.code, error.stdout], [2, ""]);
        assert.match(error.stderr, says);
        assert.doesNotMatch(error.stderr, /^\s+at /m);
        return true;
      });
    assert.deepEqual(await emulator().modifications(), []);
  });

  it("loads its core without loading Pulumi", async () => {
    const loaded =
      'require("ami-launch-permissions/core"); console.log(Object.keys(require.cache).filter((file) => file.includes("@pulumi")).length)';
    assert.equal(await node("--eval", loaded), "0");
  });

  const resolutions: Record<string, string[]> = {
    node: ["--module", "commonjs", "--moduleResolution", "node10"],
    node16: ["--module", "node16", "--moduleResolution", "node16"],
    nodenext: ["--module", "nodenext", "--moduleResolution", "nodenext"],
    bundler: ["--module", "esnext", "--moduleResolution", "bundler"],
  };
  for (const [name, options] of Object.entries(resolutions))
    it(`has types for strict TypeScript with module resolution ${name}`, async () => {
      const folder = path.join(project.folder, "types");
      fs.mkdirSync(folder, { recursive: true });
      // The .mts files are ES modules, which node16 and bundler resolve differently.
      for (const [file, text] of Object.entries({ program: PROGRAM, core: CORE, wrong: WRONG }))
        for (const extension of ["ts", "mts"]) fs.writeFileSync(path.join(folder, `${file}.${extension}`), text);
      const files = ["program", "core", "wrong"].flatMap((file) => [`types/${file}.ts`, `types/${file}.mts`]);
      const strict = ["--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess", "--noEmit", "--skipLibCheck"];
      const common = ["--target", "es2022", "--types", "node"];
      await node("node_modules/typescript/bin/tsc", ...strict, ...common, ...options, ...files);
    });

  function configure(imageId: string): void {
    const file = path.join(project.folder, "Pulumi.foreign.yaml");
    const salt = /^encryptionsalt: .*$/m.exec(fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "")?.[0] ?? "";
    fs.writeFileSync(file, `${salt}\nconfig:\n  foreign:imageId: ${imageId}\n  aws:region: us-east-1\n`);
  }

  /** Runs Node.js in the project, and returns its output. */
  async function node(...args: string[]): Promise<string> {
    try {
      return (await promisify(execFile)(process.execPath, args, { cwd: project.folder })).stdout.trim();
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string };
      throw new Error(`node ${args.join(" ")}:\n${stdout}${stderr}`);
    }
  }
});
