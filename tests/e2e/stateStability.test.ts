/** The state is stable: no release and no other folder causes a diff, and old state can still be read and deleted. */

import * as assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { PROVIDER_SHIM } from "../../provider/pulumi/shim";
import { type Emulator, ROOT, useEmulator } from "../helpers/emulator";
import { copyPackage, linkPackages } from "../helpers/packageCopy";
import { PulumiProject } from "../helpers/pulumiProject";

const OLD_STATE = path.join(ROOT, "tests/fixtures/state-0.1.0.json");

// biome-ignore lint/suspicious/noExplicitAny: the engine's JSON, edited at will
type Json = any;

describe("the stored provider", () => {
  it("never changes its text, because refresh and destroy run the text in the state", () => {
    const hash = createHash("sha256").update(PROVIDER_SHIM).digest("hex");
    assert.equal(hash, "d6589e23bdb6662b51f6bc89df86b4f94c5c0d1a98a421402c8471af22d17b11");
  });
});

describe("state", () => {
  const emulator = useEmulator();
  const projects: PulumiProject[] = [];
  const folders: string[] = [];
  afterEach(() => {
    for (const project of projects.splice(0)) project.remove();
    for (const folder of folders.splice(0)) fs.rmSync(folder, { recursive: true, force: true });
  });

  it("does not change if the package is upgraded or the checkout moves, and no call is made", async () => {
    const { imageId, snapshotIds } = await emulator().image({ snapshots: 2 });
    const config = { imageId, accountIds: ["444455556666", "111122223333"], createVolumePermissions: true };
    const nodeModules = installation();
    const loaded = path.join(path.dirname(nodeModules), "loaded");
    const project = await checkout({ nodeModules, env: { LOADED: loaded } }, config);
    await project.up();
    const before = await project.state();
    assert.equal(before.sets[0]?.inputs.__provider, PROVIDER_SHIM);
    assert.equal(before.sets[0]?.outputs.__provider, PROVIDER_SHIM);
    for (const place of [ROOT, project.folder, nodeModules, os.homedir()])
      assert.ok(
        !JSON.stringify([before.sets[0]?.inputs, before.sets[0]?.outputs]).includes(place),
        `the state contains ${place}`,
      );

    upgrade(path.join(nodeModules, "ami-launch-permissions"));
    await emulator().forgetCalls();
    assert.match(await project.up(), /2 unchanged/);
    assert.deepEqual(await emulator().calls(), [], "an upgrade makes no call");
    assert.match(fs.readFileSync(loaded, "utf8"), /^9\.9\.9$/m, "the upgraded package ran");
    assert.deepEqual(propertiesOf(await project.state()), propertiesOf(before));

    const moved = await checkout({}, config);
    await restore(moved, JSON.parse((await project.state()).text));
    assert.match(await moved.up(), /2 unchanged/);
    assert.deepEqual(await emulator().calls(), [], "a moved checkout makes no call");
    assert.deepEqual(propertiesOf(await moved.state()), propertiesOf(before));
    await moved.destroy();
    assert.deepEqual(await emulator().launchers(imageId), []);
    for (const id of snapshotIds) assert.deepEqual(await emulator().volumeCreators(id), []);
  });

  it("of release 0.1.0 can be read and deleted, and causes no diff", async () => {
    const { state, golden, added, config } = await oldState(emulator());
    assert.doesNotMatch(
      fs.readFileSync(OLD_STATE, "utf8"),
      /\.\.\/|\/(home|root|tmp|work|Users)\//,
      "the fixture has no paths of a machine",
    );
    const project = await checkout({}, config);
    await restore(project, state);
    assert.match(await project.up(), /3 unchanged/);
    assert.deepEqual(await emulator().calls(), []);

    await emulator().aws(
      ...["ec2", "modify-image-attribute", "--image-id", golden.imageId],
      ...["--launch-permission", "Add=[{UserId=777788889999}]"],
    );
    await project.refresh();
    const grants = Object.fromEntries((await project.state()).sets.map(({ id, outputs }) => [id, outputs.grants]));
    assert.deepEqual(grants, {
      [golden.imageId]: {
        "account/111122223333": "launch, createVolume",
        "account/444455556666": "launch, createVolume",
        "account/777788889999": "launch",
      },
      [added.imageId]: { "account/111122223333": "launch" },
    });

    // Restored again: this deletes the state of that release itself, without a refresh before.
    await restore(project, state);
    await project.destroy();
    assert.deepEqual(await emulator().launchers(golden.imageId), ["777788889999"], "grants that the set did not make stay");
    for (const id of golden.snapshotIds) assert.deepEqual(await emulator().volumeCreators(id), []);
    assert.deepEqual(await emulator().launchers(added.imageId), ["999999999999"]);
  });

  it("with an unknown argument and a missing output can be read and deleted, and causes no diff", async () => {
    const { state, golden, added, config } = await oldState(emulator());
    for (const { type, inputs, outputs } of state.deployment.resources) {
      if (!type.endsWith(":AmiLaunchPermissionSet")) continue;
      inputs.fromTheFuture = { nested: ["value"] };
      outputs.fromTheFuture = { nested: ["value"] };
      delete outputs.snapshotIds;
    }
    const project = await checkout({}, config);
    await restore(project, state);
    await project.refresh();
    const { sets } = await project.state();
    const found = sets.find(({ id }) => id === golden.imageId)?.outputs.snapshotIds as string[];
    assert.deepEqual([...found].sort(), [...golden.snapshotIds].sort(), "a refresh adds the missing output");
    assert.match(await project.up(), /3 unchanged/);
    assert.deepEqual(await emulator().modifications(), []);
    assert.equal(
      sets.some(({ outputs }) => "granted" in outputs),
      false,
      "the recorded grants are still the declared ones",
    );

    await restore(project, state);
    await project.destroy();
    assert.deepEqual(await emulator().launchers(golden.imageId), []);
    for (const id of golden.snapshotIds) assert.deepEqual(await emulator().volumeCreators(id), []);
    assert.deepEqual(await emulator().launchers(added.imageId), ["999999999999"]);
  });

  async function checkout(options: Parameters<typeof PulumiProject.create>[1], config: Record<string, unknown>) {
    const project = await PulumiProject.create(emulator(), options);
    projects.push(project);
    project.config(config);
    return project;
  }

  /** A node_modules folder with a copy of the package that tests can change. */
  function installation(): string {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "ami-installation-"));
    folders.push(folder);
    const nodeModules = path.join(folder, "node_modules");
    copyPackage(nodeModules);
    linkPackages(nodeModules, "@pulumi/pulumi", "typescript", "ts-node", "@types/node");
    return nodeModules;
  }
});

/** Another release: with its own version, and with changed code that records that it ran. */
function upgrade(copy: string): void {
  const manifest = path.join(copy, "package.json");
  fs.writeFileSync(manifest, JSON.stringify({ ...JSON.parse(fs.readFileSync(manifest, "utf8")), version: "9.9.9" }));
  for (const part of ["core", "pulumi"])
    for (const name of fs.readdirSync(path.join(copy, "dist", part)).filter((file) => file.endsWith(".js")))
      fs.appendFileSync(path.join(copy, "dist", part, name), "\n// Release 9.9.9.\n");
  fs.appendFileSync(
    path.join(copy, "dist/pulumi/dynamicProvider.js"),
    'require("node:fs").appendFileSync(process.env.LOADED, "9.9.9\\n");\n',
  );
}

async function restore(project: PulumiProject, state: Json): Promise<void> {
  const file = path.join(project.folder, "restored.json");
  fs.writeFileSync(file, JSON.stringify(state));
  await project.succeed("stack", "import", "--file", file);
}

function propertiesOf({ sets }: Awaited<ReturnType<PulumiProject["state"]>>) {
  return sets.map(({ urn, id, inputs, outputs }) => ({ urn, id, inputs, outputs }));
}

/** The state that release 0.1.0 wrote, with images as they were then: an authoritative set `golden`, and an additive one, `added`. */
async function oldState(emulator: Emulator) {
  const ours = ["111122223333", "444455556666"].map((UserId) => ({ UserId }));
  const golden = await emulator.image({ snapshots: 2, launchPermissions: ours, createVolumePermissions: ours });
  const added = await emulator.image({ snapshots: 1, launchPermissions: [{ UserId: "999999999999" }, ...ours.slice(0, 1)] });
  const then = {
    "ami-0000000000000000a": golden.imageId,
    "ami-0000000000000000b": added.imageId,
    "snap-00000000000000a01": golden.snapshotIds[0],
    "snap-00000000000000a02": golden.snapshotIds[1],
    "snap-00000000000000b01": added.snapshotIds[0],
    "123456789012": golden.accountId,
  };
  const text = Object.entries(then).reduce(
    (all, [old, now]) => all.replaceAll(old, `${now}`),
    fs.readFileSync(OLD_STATE, "utf8"),
  );
  const accountIds = ["111122223333", "444455556666"];
  const sets = [
    { name: "golden", imageId: golden.imageId, accountIds, createVolumePermissions: true },
    { name: "added", imageId: added.imageId, accountIds: ["111122223333"], mode: "additive", onDelete: "revoke" },
  ];
  return { state: JSON.parse(text) as Json, golden, added, config: { sets } };
}
