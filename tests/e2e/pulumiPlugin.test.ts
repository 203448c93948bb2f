/** The full Pulumi provider with the real CLI: create, exact preview, update, drift, import, hand-over, secrets and destroy on the local EC2. */

import * as assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { watchAccess } from "../helpers/accessWatch";
import { ROOT, useEmulator } from "../helpers/emulator";
import { changedLines, declaredSet, SET_TYPE, usePluginProject, writeProgram } from "../helpers/pulumiPlugin";

const [A, B, C] = ["111122223333", "444455556666", "777788889999"] as const;

describe("the full Pulumi provider", function () {
  this.timeout(600_000);
  const emulator = useEmulator();
  const project = usePluginProject(emulator);

  const program = (body: string) => writeProgram(project(), body);

  /** Lets accounts launch an AMI, as somebody else does. */
  async function share(imageId: string, ...accountIds: readonly string[]): Promise<void> {
    const add = `Add=[${accountIds.map((id) => `{UserId=${id}}`).join(",")}]`;
    await emulator().aws("ec2", "modify-image-attribute", "--image-id", imageId, "--launch-permission", add);
  }

  /** The sets in the state. */
  async function sets() {
    const { text } = await project().state();
    const resources: { type: string; id: string; inputs: Record<string, unknown> }[] = JSON.parse(text).deployment.resources;
    return resources.filter(({ type }) => type === SET_TYPE);
  }

  it("creates, previews a change with one line a grantee, updates, shows drift, mends it, and destroys", async () => {
    const image = await emulator().image({ snapshots: 2 });
    const { imageId, snapshotIds } = image;
    const declare = (accountIds: readonly string[]) =>
      program(
        `export const grants = new LaunchPermissionSet("golden", ${JSON.stringify({ imageId, accountIds, createVolumePermissions: true })}).grants;`,
      );
    declare([A, B]);
    const first = await project().preview();
    assert.match(first, /account\/111122223333: "launch, createVolume"/);
    assert.match(first, new RegExp(`AMI ${imageId} in us-east-1: 2 gain`));
    const made = await project().up();
    assert.match(made, new RegExp(`AMI ${imageId} in us-east-1: 2 gained`));
    assert.deepEqual(await emulator().launchers(imageId), [A, B]);
    for (const id of snapshotIds) assert.deepEqual(await emulator().volumeCreators(id), [A, B]);
    const grants = { [`account/${A}`]: "launch, createVolume", [`account/${B}`]: "launch, createVolume" };
    assert.deepEqual((await project().outputs()).grants, grants);

    await emulator().forgetCalls();
    assert.match(await project().up(), /2 unchanged|3 unchanged/);
    assert.deepEqual(await emulator().calls(), []);

    declare([C, A]);
    const change = await project().preview();
    assert.deepEqual(changedLines(change), [
      "~ grants: {",
      `- account/${B}: "launch, createVolume"`,
      `+ account/${C}: "launch, createVolume"`,
    ]);
    assert.match(change, /1 gains, 1 loses, 1 keeps access/);
    assert.match(await project().up(), /1 gained, 1 lost, 1 kept access/);
    assert.deepEqual(await emulator().launchers(imageId), [A, C]);

    await emulator().aws(
      ...[
        "ec2",
        "modify-image-attribute",
        "--image-id",
        imageId,
        "--launch-permission",
        `Add=[{UserId=${B}}],Remove=[{UserId=${C}}]`,
      ],
    );
    const drift = await project().preview("--refresh");
    assert.match(drift, /- account\/444455556666: "launch"/);
    assert.match(drift, /~ account\/777788889999: "createVolume" => "launch, createVolume"/);
    await project().succeed("up", "--yes", "--skip-preview", "--refresh");
    assert.deepEqual(await emulator().launchers(imageId), [A, C]);

    await project().destroy();
    assert.deepEqual(await emulator().pairs([image]), []);
  });

  it("imports an AMI as it is shared: the arguments in the state plan no change", async () => {
    const image = await emulator().image({ snapshots: 2 });
    const { imageId, snapshotIds } = image;
    await share(imageId, A, B);
    for (const id of snapshotIds)
      await emulator().aws(
        ...["ec2", "modify-snapshot-attribute", "--snapshot-id", id, "--attribute", "createVolumePermission"],
        ...["--operation-type", "add", "--user-ids", A],
      );
    program("");
    // The language host of these tests writes no programs; what it would print are the inputs in the state that the schema has.
    await project().succeed(
      "import",
      SET_TYPE,
      "golden",
      `us-east-1/${imageId}`,
      "--yes",
      "--protect=false",
      "--generate-code=false",
    );
    const [imported] = await sets();
    assert.equal(imported?.id, imageId);
    const args = Object.fromEntries(Object.entries(imported?.inputs ?? {}).filter(([name]) => name !== "grants"));
    assert.deepEqual(args, {
      imageId,
      region: "us-east-1",
      accountIds: [A, B],
      createVolumePermissions: { accountIds: [A] },
    });
    program(declaredSet("golden", args));
    await emulator().forgetCalls();
    for (const output of [await project().preview(), await project().up()]) assert.match(output, /\b\d unchanged/);
    assert.deepEqual(await emulator().modifications(), []);
    await project().destroy();
    assert.deepEqual(await emulator().pairs([image]), []);
  });

  it("imports by the option import: nothing is changed where the arguments are those of the AMI; else the difference is", async () => {
    const { imageId } = await emulator().image({ snapshots: 1 });
    await share(imageId, A);
    const declare = (accountIds: readonly string[]) =>
      program(`new LaunchPermissionSet("golden", ${JSON.stringify({ imageId, accountIds })}, { import: "${imageId}" });`);
    declare([A]);
    await emulator().forgetCalls();
    assert.match(await project().up(), /1 imported/);
    assert.deepEqual(await emulator().modifications(), []);
    assert.match(await project().preview(), /\b\d unchanged/);
    await project().succeed("state", "delete", "--all", "--yes");
    declare([B]);
    assert.match(await project().up(), /1 gained, 1 lost/);
    assert.deepEqual(await emulator().launchers(imageId), [B]);
  });

  it("hands over between two sets of one AMI: nobody loses access, and in the end nobody has it", async () => {
    const image = await emulator().image({ snapshots: 1 });
    const { imageId } = image;
    const upKeeps = async (accounts: readonly string[]) => {
      const watch = watchAccess(emulator(), [image], accounts, { volumes: true });
      await project().up();
      const { lost, looks } = await watch.end();
      assert.deepEqual(lost, [], "somebody lost access for a moment");
      assert.ok(looks > 20, `EC2 was looked at ${looks} times only`);
    };
    const one = { imageId, accountIds: [A, B], createVolumePermissions: true };
    program(declaredSet("one", one));
    await project().up();
    // A rename without an alias.
    program(declaredSet("two", one));
    await upKeeps([A, B]);
    await project().succeed("preview", "--expect-no-changes");
    // An account moves from one additive set to another one.
    const additive = (accountIds: readonly string[]) => ({ ...one, accountIds, mode: "additive" });
    program(declaredSet("two", additive([A, B])) + declaredSet("three", additive([C])));
    await upKeeps([A, B]);
    program(declaredSet("two", additive([A])) + declaredSet("three", additive([B, C])));
    await upKeeps([A, B, C]);
    assert.deepEqual(await emulator().launchers(imageId), [A, B, C]);
    await project().succeed("preview", "--expect-no-changes");
    await project().destroy();
    assert.deepEqual(await emulator().pairs([image]), []);
  });

  it("hands over from an additive set that leaves the program once a refresh tells of it; until then nobody loses access", async () => {
    const image = await emulator().image({ snapshots: 1 });
    const args = { imageId: image.imageId, accountIds: [A], mode: "additive" };
    program(declaredSet("one", args));
    await project().up();
    program(declaredSet("two", args));
    const { output } = await project().fail("up", "--yes", "--skip-preview");
    assert.match(output.replace(/\s+/g, " "), /set "two" declares what this set granted .* run pulumi up --refresh/);
    assert.deepEqual(await emulator().launchers(image.imageId), [A]);
    await project().up("--refresh");
    assert.deepEqual(await emulator().launchers(image.imageId), [A]);
    await project().destroy();
    assert.deepEqual(await emulator().pairs([image]), []);
  });

  it("takes nothing from whom a set declares that the engine tells of late, and says what to do", async () => {
    const image = await emulator().image({ snapshots: 1 });
    const set = (accountIds: readonly string[]) => JSON.stringify({ imageId: image.imageId, accountIds, mode: "additive" });
    // The engine asks for the set when the invoke has answered, much later than it changes the first set.
    const declare = (accountIds: readonly string[]) =>
      program(`
        new LaunchPermissionSet("first", ${set(accountIds)});
        setTimeout(() => new LaunchPermissionSet("late", ${set([B])}), 3000);
      `);
    declare([A, B]);
    await project().up();
    declare([A]);
    const watch = watchAccess(emulator(), [image], [A, B]);
    const refused = async (...command: string[]) => (await project().fail(...command)).output.replace(/\s+/g, " ");
    assert.match(await refused("preview"), /set "first" takes away on AMI .*account\/444455556666.* run pulumi up --refresh/);
    // Now the record of the first set names the other one.
    await project().refresh();
    const up = ["up", "--yes", "--skip-preview"];
    assert.match(await refused(...up), /set "late" also granted what this set would take away .* run pulumi up --refresh/);
    await project().up("--refresh");
    assert.deepEqual((await watch.end()).lost, []);
    assert.deepEqual(await emulator().launchers(image.imageId), [A, B]);
    await project().succeed("preview", "--expect-no-changes");
    await project().destroy();
    assert.deepEqual(await emulator().pairs([image]), []);
  });

  it("records a set of 1,000 accounts that is made in part, and completes it", async () => {
    const { imageId, snapshotIds } = await emulator().image({ snapshots: 1 });
    const accountIds = Array.from({ length: 1000 }, (_, i) => String(100_000_000_001 + i * 7_654_321));
    program(declaredSet("golden", { imageId, accountIds, createVolumePermissions: true }));
    const refused = { action: "ModifyImageAttribute", resource: imageId, code: "OperationNotPermitted", status: 400 };
    await emulator().configure({ failures: [{ ...refused, message: "not today" }] });
    assert.match((await project().fail("up", "--yes", "--skip-preview")).output, /begun and not completed/);
    const [recorded] = await sets();
    assert.equal(recorded?.id, imageId);
    assert.deepEqual(await emulator().volumeCreators(snapshotIds[0] ?? ""), accountIds);
    await emulator().forgetCalls();
    await project().up();
    assert.deepEqual(await emulator().modifications(), [`ModifyImageAttribute ${imageId}`]);
    assert.deepEqual(await emulator().launchers(imageId), accountIds);
  });

  it("replaces the AMI: the new one is shared before the old one is unshared, and the preview tells of both", async () => {
    const [old, fresh] = [await emulator().image({ snapshots: 1 }), await emulator().image({ snapshots: 1 })];
    program(declaredSet("golden", { imageId: old.imageId, accountIds: [A, B] }));
    await project().up();
    program(declaredSet("golden", { imageId: fresh.imageId, accountIds: [A, C] }));
    const preview = await project().preview();
    assert.match(
      preview,
      new RegExp(`AMI ${fresh.imageId} in us-east-1: 2 gain[^]*then AMI ${old.imageId}, whose set is replaced`),
    );
    const lines = changedLines(preview);
    assert.deepEqual(
      lines.filter((line) => line.includes("account/")),
      [`- account/${B}: "launch"`, `+ account/${C}: "launch"`],
    );
    await project().up();
    assert.deepEqual(await emulator().launchers(fresh.imageId), [A, C]);
    assert.deepEqual(await emulator().launchers(old.imageId), []);
  });

  it("keeps secrets out of the state, the display and the events, and takes its configuration from an explicit provider", async () => {
    const { imageId } = await emulator().image({ snapshots: 1 });
    program(`
      class Provider extends pulumi.ProviderResource {
        constructor(name: string, args: object) {
          super("ami-launch-permissions", name, args);
        }
      }
      const provider = new Provider("explicit", { region: "us-east-1", maxRetries: 3 });
      const accountIds = pulumi.secret(["${A}", "${B}"]);
      export const grants = new LaunchPermissionSet("golden", { imageId: "${imageId}", accountIds }, { provider }).grants;
    `);
    const texts = [await project().preview(), await project().up(), (await project().run("preview", "--json")).output];
    assert.deepEqual(await emulator().launchers(imageId), [A, B]);
    texts.push((await project().state()).text, await project().destroy());
    for (const text of texts) assert.doesNotMatch(text, new RegExp(`${A}|${B}`));
  });

  it("refuses wrong arguments and a wrong configuration before anything changes", async () => {
    const { imageId } = await emulator().image({ snapshots: 1 });
    program(declaredSet("golden", { imageId, accountIds: ["12"] }));
    const { output } = await project().fail("preview");
    assert.match(output.replace(/\s+/g, " "), /accountIds\[0\].*\[invalid-argument\]/);
    program(declaredSet("golden", { imageId, accountIds: [A] }));
    project().config({ "ami-launch-permissions:maxRetries": "many" });
    assert.match(
      (await project().fail("up", "--yes", "--skip-preview")).output.replace(/\s+/g, " "),
      /maxRetries: .*\[invalid-argument\]/,
    );
    assert.deepEqual(await emulator().launchers(imageId), []);
  });

  describe("without a path in Pulumi.yaml", () => {
    beforeEach(async () => {
      const { imageId } = await emulator().image({ snapshots: 1 });
      const yaml = path.join(project().folder, "Pulumi.yaml");
      fs.writeFileSync(yaml, fs.readFileSync(yaml, "utf8").replace(/^plugins:[\s\S]*/m, ""));
      project().env.PULUMI_HOME = path.join(project().folder, "home");
      program(declaredSet("golden", { imageId, accountIds: [A] }));
      await project().succeed("stack", "select", "test");
      assert.match((await project().fail("preview")).output, /no resource plugin 'pulumi-resource-ami-launch-permissions' found/);
    });

    async function isFound(): Promise<void> {
      assert.match((await project().succeed("plugin", "ls")).stdout, /ami-launch-permissions +resource/);
      assert.match(await project().preview(), /1 gains/);
    }

    it("is found where the command installs it, beside scripts that are modules", async () => {
      const { stdout } = await project().node(path.join(ROOT, "provider/dist/cli/main.js"), "install-pulumi-plugin");
      assert.match(stdout, /home\/plugins\/resource-ami-launch-permissions-v\d/);
      fs.writeFileSync(path.join(project().env.PULUMI_HOME ?? "", "package.json"), '{ "type": "module" }');
      await isFound();
    });

    it("is installed by Pulumi from the archive of the platform, which is the same from run to run and has its checksum", async () => {
      const release = path.join(ROOT, "release/pulumi");
      const sums: string[] = [];
      for (let run = 0; run < 2; run++) {
        assert.equal((await project().node(path.join(ROOT, "scripts/package-pulumi.mjs"))).code, 0);
        const [file = ""] = fs.readdirSync(release).filter((name) => name.endsWith("_checksums.txt"));
        sums.push(fs.readFileSync(path.join(release, file), "utf8"));
      }
      assert.equal(sums[0], sums[1]);
      const listed = (sums[0] ?? "").trim().split("\n");
      assert.equal(listed.length, 6);
      for (const [sum, name = ""] of listed.map((line) => line.split("  "))) {
        const bytes = fs.readFileSync(path.join(release, name));
        assert.equal(createHash("sha256").update(bytes).digest("hex"), sum);
      }
      const [archive = ""] = fs.readdirSync(release).filter((name) => name.endsWith("-linux-amd64.tar.gz"));
      const version = /-v(\d+\.\d+\.\d+)-/.exec(archive)?.[1] ?? "";
      const install = ["plugin", "install", "resource", "ami-launch-permissions", version];
      await project().succeed(...install, "--file", path.join(release, archive));
      await isFound();
    });
  });
});
