/** A stack that moves between dynamic resources and the full provider, with the real CLI: EC2 is not changed, and nobody loses access, also after mistakes. */

import * as assert from "node:assert/strict";
import { watchAccess } from "../helpers/accessWatch";
import { type MadeImage, useEmulator } from "../helpers/emulator";
import { declaredSet, SET_TYPE, usePluginProject, writeDynamicProgram, writeProgram } from "../helpers/pulumiPlugin";

const [A, B, C, ELSE] = ["111122223333", "444455556666", "777788889999", "999900001111"] as const;
const DYNAMIC_TYPE = "pulumi-nodejs:dynamic/ami-launch-permissions:AmiLaunchPermissionSet";

describe("a stack that moves between dynamic resources and the full provider", function () {
  this.timeout(900_000);
  const emulator = useEmulator();
  const project = usePluginProject(emulator);

  /** The types in the state, without the stack and the providers. */
  async function types(): Promise<string[]> {
    const { text } = await project().state();
    const resources: { type: string }[] = JSON.parse(text).deployment.resources ?? [];
    return resources
      .map(({ type }) => type)
      .filter((type) => !type.startsWith("pulumi:"))
      .sort();
  }

  /** Runs something during which nobody may lose access. */
  async function keepingAccess(images: readonly MadeImage[], accounts: readonly string[], run: () => Promise<unknown>) {
    const watch = watchAccess(emulator(), images, accounts);
    await run();
    const { lost, looks } = await watch.end();
    assert.deepEqual(lost, [], "somebody lost access for a moment");
    assert.ok(looks > 20, `EC2 was looked at ${looks} times only`);
  }

  async function nothingChanges(unchanged: number): Promise<void> {
    const preview = await project().preview();
    assert.match(preview, new RegExp(`\\b${unchanged} unchanged`), preview);
    assert.doesNotMatch(preview, /to create|to update|to delete|to replace|^ *[-+~] /m, preview);
  }

  it("moves to the full provider with unchanged previews, and back with updates that call nothing; a removed account is one line", async () => {
    const key = await emulator().kmsKey();
    const image = (options: object = {}) => emulator().image({ snapshots: 1, ...options });
    const plain = await image();
    const hidden = await image();
    const additive = await image({ launchPermissions: [{ UserId: A }] });
    const keys = await image({ kmsKeyId: key });
    const inside = await image();
    const shared = [await image(), await image({ region: "eu-west-1" })];
    const local = [plain, hidden, additive, keys, inside, shared[0] as MadeImage];
    const all = [...local, shared[1] as MadeImage];
    const program = (type: string, plainAccounts: readonly string[] = [A, B]) => `
      const parent = new pulumi.ComponentResource("my:index:Sharing", "sharing");
      new ${type}("plain", { imageId: "${plain.imageId}", accountIds: ${JSON.stringify(plainAccounts)}, createVolumePermissions: true });
      new ${type}("hidden", { imageId: "${hidden.imageId}", accountIds: pulumi.secret(["${A}", "${B}"]) });
      new ${type}("additive", { imageId: "${additive.imageId}", accountIds: ["${A}", "${B}"], mode: "additive" });
      new ${type}("keys", { imageId: "${keys.imageId}", accountIds: ["${A}", "${B}"], kmsAccess: "grant", region: "us-east-1" });
      new ${type}("inside", { imageId: "${inside.imageId}", accountIds: ["${B}", "${A}"], timeouts: { update: "5m" } }, { parent });
      export const { grants } = new SharedAmi("shared", {
        imageIds: ${JSON.stringify(Object.fromEntries(shared.map(({ region, imageId }) => [region, imageId])))},
        accountIds: ["${A}", "${B}"],
      });
    `;
    const dynamic = (...accounts: (readonly string[])[]) =>
      writeDynamicProgram(project(), program("AmiLaunchPermissionSet", ...accounts));
    const full = (...accounts: (readonly string[])[]) => writeProgram(project(), program("LaunchPermissionSet", ...accounts));
    const typesWith = (type: string) =>
      ["my:index:Sharing", "ami-launch-permissions:index:SharedAmi", ...new Array(7).fill(type)].sort();

    dynamic();
    await project().up();
    const pairs = await emulator().pairs(all);
    const holders = await emulator().keyHolders(["us-east-1"]);
    assert.equal(holders.length, 2);
    const { grants } = await project().outputs();

    full();
    await emulator().forgetCalls();
    await keepingAccess(local, [A, B], async () => {
      await nothingChanges(10);
      await project().up();
      await nothingChanges(10);
      await project().refresh();
      await nothingChanges(10);
    });
    assert.deepEqual(await emulator().modifications(), []);
    assert.deepEqual(await emulator().pairs(all), pairs);
    assert.deepEqual(await emulator().keyHolders(["us-east-1"]), holders);
    assert.deepEqual(await types(), typesWith(SET_TYPE));
    assert.deepEqual((await project().outputs()).grants, grants);

    full([A]);
    const lines = (await project().preview()).split("\n").map((line) => line.trim());
    assert.deepEqual(
      lines.filter((line) => /^[-+] account\//.test(line)),
      [`- account/${B}: "launch, createVolume"`],
    );
    await project().up();
    assert.deepEqual(await emulator().launchers(plain.imageId), [A]);

    dynamic([A]);
    await emulator().forgetCalls();
    await keepingAccess(local, [A], async () => {
      const preview = await project().preview();
      assert.match(preview, /7 to update/);
      assert.doesNotMatch(preview, /^ *[-+] |to delete|to create|\d (gain|lose)/m);
      await project().up();
      await nothingChanges(10);
      await project().refresh();
      await nothingChanges(10);
    });
    assert.deepEqual(await emulator().modifications(), []);
    assert.deepEqual(await types(), typesWith(DYNAMIC_TYPE));

    full([A, C]);
    await project().up();
    assert.deepEqual(await emulator().launchers(plain.imageId), [A, C]);
    const { text } = await project().state();
    const inState = JSON.parse(text).deployment.resources.find(({ urn }: { urn: string }) => urn.endsWith("::hidden"));
    assert.doesNotMatch(JSON.stringify(inState), new RegExp(`${A}|${B}`));
    await project().destroy();
    // The additive set did not grant this.
    assert.deepEqual(await emulator().pairs(all), [`${additive.imageId} account/${A}`]);
    assert.deepEqual(await emulator().keyHolders(["us-east-1"]), []);
  });

  const forms = [
    { from: "dynamic resources", to: "the full provider", declareOld: dynamicSet, declareNew: fullSet, type: DYNAMIC_TYPE },
    { from: "the full provider", to: "dynamic resources", declareOld: fullSet, declareNew: dynamicSet, type: SET_TYPE },
  ];
  function dynamicSet(name: string, args: object, opts: object = {}): void {
    writeDynamicProgram(
      project(),
      `new AmiLaunchPermissionSet("${name}", ${JSON.stringify(args)}, ${JSON.stringify(opts)} as pulumi.CustomResourceOptions);`,
    );
  }
  function fullSet(name: string, args: object, opts: object = {}): void {
    writeProgram(
      project(),
      `new LaunchPermissionSet("${name}", ${JSON.stringify(args)}, ${JSON.stringify(opts)} as pulumi.CustomResourceOptions);`,
    );
  }
  const urnOf = (type: string, name: string) => `urn:pulumi:test::ami-launch-permissions::${type}::${name}`;

  for (const { from, to, declareOld, declareNew, type } of forms) {
    it(`from ${from} to ${to} under another name without an alias: nobody loses access, and the new set owns the grants`, async () => {
      const image = await emulator().image({ snapshots: 1, launchPermissions: [{ UserId: ELSE }] });
      declareOld("old", { imageId: image.imageId, accountIds: [A, B, C] });
      await project().up();
      declareNew("new", { imageId: image.imageId, accountIds: [A, B] });
      await keepingAccess([image], [A, B], async () => {
        const output = (await project().up()).replace(/\s+/g, " ");
        assert.match(output, /nobody loses access, because set "new" of another provider has taken over/);
      });
      assert.equal((await types()).length, 1);
      assert.deepEqual(await emulator().launchers(image.imageId), [A, B]);
      await nothingChanges(2);
      await project().destroy();
      assert.deepEqual(await emulator().pairs([image]), []);
    });

    it(`from ${from} to ${to} under another name without an alias, additive: refused with what to do, and it helps`, async () => {
      const image = await emulator().image({ snapshots: 1 });
      const args = { imageId: image.imageId, accountIds: [A, B], mode: "additive" };
      declareOld("old", args);
      await project().up();
      declareNew("new", args);
      await keepingAccess([image], [A, B], async () => {
        const { output } = await project().fail("up", "--yes", "--skip-preview");
        const words = output.replace(/\s+/g, " ");
        assert.match(words, /set "new" of another provider declares AMI .* this set keeps its grants.*\[hand-over-incomplete\]/);
        const [, remove = ""] = /pulumi state delete '([^']+)'/.exec(words) ?? [];
        await project().succeed("state", "delete", remove, "--yes");
        declareNew("new", args, { aliases: [urnOf(type, "old")] });
        await project().up();
        await nothingChanges(2);
      });
      await project().destroy();
      assert.deepEqual(await emulator().pairs([image]), [], "what the old set granted is the new one's");
    });
  }

  it("refuses sets of one AMI in both forms where one is authoritative; additive ones stand beside each other", async () => {
    const { imageId } = await emulator().image({ snapshots: 1 });
    const both = (mode: string) => {
      const dynamic = JSON.stringify({ imageId, accountIds: [A], mode });
      writeProgram(
        project(),
        `import { AmiLaunchPermissionSet } from "ami-launch-permissions";
        new AmiLaunchPermissionSet("one", ${dynamic} as any);
        ${declaredSet("two", { imageId, accountIds: [B], mode: "additive" })}`,
      );
    };
    both("authoritative");
    for (const command of ["preview", "up"]) {
      const { output } = await project().fail(command, ...(command === "up" ? ["--yes", "--skip-preview"] : []));
      assert.match(output.replace(/\s+/g, " "), /with two providers, .* one of them is authoritative.*\[conflicting-sets\]/);
    }
    await project().succeed("destroy", "--yes", "--skip-preview");
    both("additive");
    await project().up();
    assert.deepEqual(await emulator().launchers(imageId), [A, B]);
    await nothingChanges(3);
    await project().destroy();
    assert.deepEqual(await emulator().launchers(imageId), []);
  });
});
