/** Inline programs that run through Pulumi's Automation API, from this process, against the local EC2. */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import {
  type InlineProgramArgs,
  LocalWorkspace,
  type LocalWorkspaceOptions,
  type OpMap,
  type Stack,
} from "@pulumi/pulumi/automation";
import { AmiLaunchPermissionSet, type AmiLaunchPermissionSetArgs } from "ami-launch-permissions";
import { ROOT, useEmulator } from "../helpers/emulator";

const PROJECT = "programmatic";

describe("the Automation API", () => {
  const emulator = useEmulator();
  let folder: string;
  const folderBefore = process.cwd();

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "ami-automation-"));
    process.chdir(ROOT);
  });
  afterEach(() => {
    process.chdir(folderBefore);
    fs.rmSync(folder, { recursive: true, force: true });
  });

  function environment(): Record<string, string> {
    return {
      ...emulator().environment(),
      PULUMI_BACKEND_URL: `file://${folder}`,
      PULUMI_CONFIG_PASSPHRASE: "test",
      PULUMI_SKIP_UPDATE_CHECK: "1",
    };
  }

  function stackOf(program: InlineProgramArgs["program"], options: LocalWorkspaceOptions = {}): Promise<Stack> {
    return LocalWorkspace.createOrSelectStack(
      { stackName: "test", projectName: PROJECT, program },
      { ...options, envVars: environment() },
    );
  }

  it("previews, shares, refreshes, changes and revokes from an inline program, with every output", async () => {
    const { imageId, snapshotIds, accountId } = await emulator().image({ snapshots: 2 });
    let accountIds = ["111122223333", "444455556666"];
    const program = async () => {
      const set = new AmiLaunchPermissionSet("golden", { imageId, accountIds, createVolumePermissions: true });
      return {
        id: set.id,
        imageId: set.imageId,
        region: set.region,
        ownerId: set.ownerId,
        snapshotIds: set.snapshotIds,
        grants: set.grants,
      };
    };
    const stack = await stackOf(program);

    const first = await stack.preview({ diff: true });
    assert.deepEqual(first.changeSummary, { create: 2 });
    assert.match(first.stdout, /account\/111122223333: "launch, createVolume"/);
    assert.deepEqual(await emulator().launchers(imageId), [], "a preview changes nothing");

    const created = await stack.up();
    assert.deepEqual(await emulator().launchers(imageId), ["111122223333", "444455556666"]);
    for (const id of snapshotIds) assert.deepEqual(await emulator().volumeCreators(id), ["111122223333", "444455556666"]);
    const values = Object.fromEntries(Object.entries(created.outputs).map(([name, { value }]) => [name, value]));
    assert.deepEqual(
      { ...values, snapshotIds: [...values.snapshotIds].sort() },
      {
        id: imageId,
        imageId,
        region: "us-east-1",
        ownerId: accountId,
        snapshotIds: [...snapshotIds].sort(),
        grants: { "account/111122223333": "launch, createVolume", "account/444455556666": "launch, createVolume" },
      },
    );
    for (const [name, { secret }] of Object.entries(created.outputs)) assert.equal(secret, false, `${name} is a secret`);

    await emulator().aws(
      ...["ec2", "modify-image-attribute", "--image-id", imageId],
      ...["--launch-permission", "Add=[{UserId=999999999999}]"],
    );
    const refreshed = await stack.refresh();
    assert.deepEqual(changes(refreshed.summary.resourceChanges), { update: 1, same: 1 });
    assert.match(refreshed.stdout, /golden updated .*\[diff: ~grants\]/);

    accountIds = ["777788889999", "111122223333"];
    const updated = await stack.up({ diff: true });
    assert.deepEqual(changes(updated.summary.resourceChanges), { update: 1, same: 1 });
    assert.match(updated.stdout, /- account\/444455556666: "launch, createVolume"/);
    assert.match(updated.stdout, /- account\/999999999999: "launch"/);
    assert.match(updated.stdout, /\+ account\/777788889999: "launch, createVolume"/);
    assert.deepEqual(await emulator().launchers(imageId), ["111122223333", "777788889999"]);

    await emulator().forgetCalls();
    assert.deepEqual(changes((await stack.up()).summary.resourceChanges), { same: 2 });
    assert.deepEqual(await emulator().calls(), [], "no change makes no call");

    const destroyed = await stack.destroy();
    assert.deepEqual(changes(destroyed.summary.resourceChanges), { delete: 2 });
    assert.deepEqual(await emulator().launchers(imageId), []);
    for (const id of snapshotIds) assert.deepEqual(await emulator().volumeCreators(id), []);
  });

  it("takes the connection from the stack's config", async () => {
    const { imageId } = await emulator().image({ snapshots: 0, region: "eu-west-1" });
    const stack = await stackOf(async () => share(imageId));
    await stack.setAllConfig({
      "aws:region": { value: "eu-west-1" },
      "aws:secretKey": { value: "a-secret-that-must-not-show", secret: true },
      "aws:accessKey": { value: "AKIACONFIGCONFIGCONF", secret: true },
    });
    assert.equal((await stack.up()).outputs.region?.value, "eu-west-1");
    const state = fs.readFileSync(path.join(folder, `.pulumi/stacks/${PROJECT}/test.json`), "utf8");
    assert.match(state, new RegExp(imageId));
    assert.doesNotMatch(state, /a-secret-that-must-not-show|AKIACONFIG/);
  });

  it("reports an invalid argument as an error of the operation, and changes nothing", async () => {
    const { imageId } = await emulator().image({ snapshots: 0 });
    const stack = await stackOf(async () => share(imageId, { accountIds: ["1234"] }));
    await assert.rejects(stack.up(), /accountIds\[0\]: "1234" has 4 digits, an account id has 12/);
    assert.deepEqual(await emulator().modifications(), []);
  });

  // The engine starts the dynamic provider in the folder that `main` names. The package is looked up from there.
  describe("the folder in which the package is looked up", () => {
    it("is that of the project settings, if they set `main`", async () => {
      const { imageId } = await emulator().image({ snapshots: 0 });
      const stack = await stackOf(async () => share(imageId), {
        workDir: fs.mkdtempSync(path.join(folder, "work-")),
        projectSettings: { name: PROJECT, runtime: "nodejs", main: ROOT },
      });
      await stack.up();
      assert.deepEqual(await emulator().launchers(imageId), ["111122223333"]);
    });

    it("is the work dir without `main`: a folder below the project's node_modules works", async () => {
      const { imageId } = await emulator().image({ snapshots: 0 });
      fs.symlinkSync(path.join(ROOT, "node_modules"), path.join(folder, "node_modules"));
      const stack = await stackOf(async () => share(imageId), {
        workDir: fs.mkdtempSync(path.join(folder, "work-")),
        projectSettings: { name: PROJECT, runtime: "nodejs" },
      });
      await stack.up();
      assert.deepEqual(await emulator().launchers(imageId), ["111122223333"]);
    });

    it("must contain @pulumi/pulumi, or Pulumi says that it cannot be found", async () => {
      const { imageId } = await emulator().image({ snapshots: 0 });
      const stack = await stackOf(async () => share(imageId), {
        workDir: folder,
        projectSettings: { name: PROJECT, runtime: "nodejs" },
      });
      await assert.rejects(stack.up(), /Cannot find module '@pulumi\/pulumi\/cmd\/dynamic-provider'/);
      assert.deepEqual(await emulator().calls(), []);
    });
  });
});

async function share(imageId: string, args: Partial<AmiLaunchPermissionSetArgs> = {}): Promise<Record<string, unknown>> {
  const { region, grants } = new AmiLaunchPermissionSet("golden", { imageId, accountIds: ["111122223333"], ...args });
  return { region, grants };
}

/** The counts that are not zero. */
function changes(counts: OpMap | undefined): Partial<OpMap> {
  return Object.fromEntries(Object.entries(counts ?? {}).filter(([, count]) => count > 0));
}
