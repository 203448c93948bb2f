/** Several sets of one AMI in one Pulumi program: no account loses access that a set declares, and after a destroy no access is left. */

import * as assert from "node:assert/strict";
import { watchAccess } from "../helpers/accessWatch";
import { type MadeImage, useEmulator } from "../helpers/emulator";
import { PulumiProject } from "../helpers/pulumiProject";

const [A, B, C] = ["111122223333", "444455556666", "777788889999"] as const;

describe("hand-over between sets of a program", () => {
  const emulator = useEmulator();
  let project: PulumiProject;
  let image: MadeImage;

  beforeEach(async () => {
    project = await PulumiProject.create(emulator(), { program: "" });
    image = await emulator().image();
  });
  afterEach(() => project.remove());

  /** Replaces the program. `args` are inserted into it, and `image` is the AMI. */
  function program(body: string): void {
    const text = `import { AmiLaunchPermissionSet, SharedAmi } from "ami-launch-permissions";
import * as pulumi from "@pulumi/pulumi";
const imageId = ${JSON.stringify(image.imageId)};
${body}`;
    project.program(text);
  }

  const set = (name: string, accountIds: readonly string[], more = "", opts = "") =>
    `new AmiLaunchPermissionSet(${JSON.stringify(name)}, { imageId, accountIds: ${JSON.stringify(accountIds)}, ${more} }, { ${opts} });\n`;

  /** Runs `up` and watches EC2: these accounts must have access at every moment. */
  async function upKeeps(accounts: readonly string[], { volumes = false, args = [] as string[] } = {}): Promise<string> {
    const watch = watchAccess(emulator(), [image], accounts, { volumes });
    const output = await project.up(...args);
    const { lost, looks } = await watch.end();
    assert.deepEqual(lost, [], "somebody lost access for a moment");
    assert.ok(looks > 20, `EC2 was read only ${looks} times`);
    return output;
  }

  async function nobodyIsLeft(): Promise<void> {
    await project.destroy();
    assert.deepEqual(await emulator().pairs([image]), []);
  }

  /** The output with line breaks and spaces as single spaces. */
  const flat = (output: string) => output.replaceAll(/\s+/g, " ");

  for (const mode of ["authoritative", "additive"] as const)
    it(`H1, ${mode}: renaming a set without an alias takes access from nobody`, async () => {
      const more = `mode: "${mode}", createVolumePermissions: true`;
      program(set("one", [A, B], more));
      await project.up();
      program(set("two", [A, B], more));
      const preview = flat(await project.preview());
      assert.match(preview, /set "one" is not declared any more AMI ami-\w+ stays shared as it is = launch, createVolume/);
      assert.match(preview, /stays: set "two" declares it; 2\): account\/111122223333, account\/444455556666/);
      await upKeeps([A, B], { volumes: true });
      assert.deepEqual(await emulator().launchers(image.imageId), [A, B]);
      assert.match(await project.preview(), /2 unchanged/);
      await nobodyIsLeft();
    });

  it("H1: a renamed set that drops an account revokes only that account, and says so", async () => {
    program(set("one", [A, B, C], "createVolumePermissions: true"));
    await project.up();
    program(set("two", [A, C], "createVolumePermissions: true"));
    const preview = flat(await project.preview());
    assert.match(preview, /2 keep access|1 loses/);
    await upKeeps([A, C], { volumes: true });
    assert.deepEqual(await emulator().launchers(image.imageId), [A, C]);
    await nobodyIsLeft();
  });

  it("H2: --target-replace, taint, a new parent and SharedAmi keep all access and all KMS grants", async () => {
    const key = await emulator().kmsKey();
    image = await emulator().image({ snapshots: 2, kmsKeyId: key });
    const more = 'mode: "additive", createVolumePermissions: true, kmsAccess: "grant"';
    const keyGrantees = async () => {
      const { Grants } = await emulator().aws("kms", "list-grants", "--key-id", key);
      return (Grants as unknown as { GranteePrincipal: string }[]).map(({ GranteePrincipal }) => GranteePrincipal).sort();
    };
    const both = [A, B].map((id) => `arn:aws:iam::${id}:root`);
    program(set("one", [A, B], more));
    await project.up();
    assert.deepEqual(await keyGrantees(), both);
    const urn = (await project.state()).sets[0]?.urn as string;
    await upKeeps([A, B], { volumes: true, args: ["--target-replace", urn] });
    assert.deepEqual(await keyGrantees(), both);
    await project.succeed("state", "taint", urn, "--yes");
    await upKeeps([A, B], { volumes: true });
    program(`class Box extends pulumi.ComponentResource { constructor() { super("test:index:Box", "box"); } }
const box = new Box();
${set("one", [A, B], more, "parent: box")}`);
    await upKeeps([A, B], { volumes: true });
    assert.deepEqual(await keyGrantees(), both);
    program(`new SharedAmi("all", { imageIds: { "us-east-1": imageId }, accountIds: ${JSON.stringify([A, B])}, ${more} });`);
    await upKeeps([A, B], { volumes: true });
    assert.deepEqual(await keyGrantees(), both);
    program(`new SharedAmi("all", { imageIds: { "us-east-1": imageId }, accountIds: ${JSON.stringify([A, B])}, ${more} });`);
    assert.match(await project.preview(), /unchanged/);
    await nobodyIsLeft();
    assert.deepEqual(await keyGrantees(), []);
  });

  it("H2: deleteBeforeReplace of a tainted set takes access from nobody", async () => {
    program(set("one", [A, B], "createVolumePermissions: true", "deleteBeforeReplace: true"));
    await project.up();
    await project.succeed("state", "taint", (await project.state()).sets[0]?.urn as string, "--yes");
    await upKeeps([A, B], { volumes: true });
    await nobodyIsLeft();
  });

  it("H3: two authoritative sets of one AMI are refused before anything changes, and the error names both", async () => {
    program(set("one", [A]) + set("two", [B]));
    for (const command of [["preview"], ["up", "--yes", "--skip-preview"], ["up", "--yes", "--refresh", "--skip-preview"]]) {
      const output = flat((await project.fail(...command)).output);
      assert.match(output, /set "(one|two)" and set "(one|two)" both declare AMI ami-\w+ in us-east-1 in authoritative mode/);
      assert.match(output, /set mode to "additive" in both \[conflicting-sets\]/);
    }
    assert.ok((await emulator().launchers(image.imageId)).length < 2);
    program(set("one", [A], 'mode: "additive"') + set("two", [B], 'mode: "additive"'));
    await project.up();
    assert.deepEqual(await emulator().launchers(image.imageId), [A, B]);
    await nobodyIsLeft();
  });

  it("H4: an account that one additive set drops keeps access if another set declares it, and the report says so", async () => {
    const more = 'mode: "additive", createVolumePermissions: true';
    program(set("one", [A, B], more) + set("two", [A], more));
    await project.up();
    program(set("one", [B], more) + set("two", [A], more));
    const preview = flat(await project.preview());
    assert.match(preview, /= launch, createVolume \(stays: set "two" declares it\): account\/111122223333/);
    await upKeeps([A, B], { volumes: true });
    assert.match(await project.preview(), /3 unchanged/);
    program(set("one", [B], more));
    const leaving = flat(await project.preview());
    assert.match(leaving, /set "two" is not declared any more AMI ami-\w+ is unshared: 1 loses access/);
    await upKeeps([B], { volumes: true });
    assert.deepEqual(await emulator().launchers(image.imageId), [B]);
    await nobodyIsLeft();
  });

  it("H4: after either of two additive sets is removed, the other keeps its accounts; a destroy leaves no access", async () => {
    const more = 'mode: "additive", createVolumePermissions: true';
    for (const [gone, stays] of [
      ["one", "two"],
      ["two", "one"],
    ] as const) {
      program(set("one", [A, B], more) + set("two", [A], more));
      await project.up();
      program(set(stays, [A], more));
      await upKeeps([A], { volumes: true });
      assert.deepEqual(await emulator().launchers(image.imageId), [A], `without ${gone}`);
      await nobodyIsLeft();
    }
  });

  it("an additive set beside an authoritative one keeps what it declares, and later previews show no change", async () => {
    program(set("exact", [A]) + set("more", [B], 'mode: "additive"'));
    await project.up();
    await project.up();
    assert.deepEqual(await emulator().launchers(image.imageId), [A, B]);
    assert.match(await project.preview(), /3 unchanged/);
    await project.refresh();
    assert.match(await project.preview(), /3 unchanged/);
    await nobodyIsLeft();
  });

  it("an account that moves between sets whose lists are known late, and at different times, has access at every moment", async () => {
    const more = 'mode: "additive", createVolumePermissions: true';
    const late = (name: string, accountIds: readonly string[], milliseconds: number) =>
      `new AmiLaunchPermissionSet("${name}", { imageId, accountIds: later(${JSON.stringify(accountIds)}, ${milliseconds}), ${more} });\n`;
    const later = `const later = (ids: string[], ms: number) => new Promise<string[]>((done) => setTimeout(() => done(ids), ms));\n`;
    program(later + late("one", [A, B], 100) + late("two", [C], 100));
    await project.up();
    program(later + late("one", [A], 100) + late("two", [B, C], 1500));
    await upKeeps([A, B, C], { volumes: true });
    assert.deepEqual(await emulator().launchers(image.imageId), [A, B, C]);
    await nobodyIsLeft();
  });

  it("a set that is declared in an apply, after the program's code has ended, counts as declared in all reports", async () => {
    const sets = (first: string, second: readonly string[]) =>
      program(`const later = pulumi.output(new Promise<string>((done) => setTimeout(() => done(imageId), 700)));
later.apply((imageId) => { ${set(first, [A], 'mode: "additive"').trim()} });
${set("exact", second)}`);
    sets("late", [B]);
    await project.up();
    assert.match(await project.preview(), /3 unchanged/);
    sets("late", [C]);
    const changed = flat(await project.preview());
    assert.doesNotMatch(changed, /not declared any more/);
    assert.match(changed, /1 gains, 1 loses, 1 keeps? access/);
    assert.match(changed, new RegExp(`stays: set "late" declares it\\): account/${A}`));
    sets("renamed", [C]);
    const renamed = flat(await project.preview());
    assert.match(renamed, /set "late" is not declared any more AMI ami-\w+ stays shared as it is/);
    await upKeeps([A]);
    assert.deepEqual(await emulator().launchers(image.imageId), [A, C]);
    await nobodyIsLeft();
  });

  it("an account that moves to a set that takes the AMI from the first one has access at every moment", async () => {
    const sets = (first: readonly string[], second: readonly string[]) =>
      program(`const first = ${set("one", first, 'mode: "additive"').trim()}
new AmiLaunchPermissionSet("two", { imageId: first.imageId, region: first.region, accountIds: ${JSON.stringify(second)}, mode: "additive" });`);
    sets([A, B], [C]);
    await project.up();
    sets([A], [B, C]);
    await upKeeps([A, B, C]);
    assert.deepEqual(await emulator().launchers(image.imageId), [A, B, C]);
    await nobodyIsLeft();
  });

  it("in the legacy layout of a file backend, a renamed set owns what it declares, and a destroy leaves no access", async () => {
    project.remove();
    const env = { PULUMI_DIY_BACKEND_LEGACY_LAYOUT: "1", PULUMI_DIY_BACKEND_IGNORE_DEPRECATION_ERROR: "1" };
    project = await PulumiProject.create(emulator(), { program: "", asUsersHaveIt: true, env });
    const more = 'mode: "additive", createVolumePermissions: true';
    program(set("one", [A, B], more));
    await project.up();
    program(set("two", [A, B], more));
    await upKeeps([A, B], { volumes: true });
    await nobodyIsLeft();
  });

  it("H8: an AMI that moves from one set to another keeps its accounts, and preview and up report the same", async () => {
    const [x, y, z] = [image, await emulator().image(), await emulator().image()];
    const rotation = (current: MadeImage, previous: MadeImage) =>
      program(`for (const [name, imageId] of Object.entries(${JSON.stringify({ current: current.imageId, previous: previous.imageId })}))
  new AmiLaunchPermissionSet(name, { imageId, accountIds: ${JSON.stringify([A, B])}, createVolumePermissions: true });`);
    rotation(x, y);
    await project.up();
    rotation(z, x);
    const preview = flat(await project.preview());
    assert.match(preview, new RegExp(`then AMI ${x.imageId}, whose set is replaced, stays shared as it is`));
    assert.doesNotMatch(preview, new RegExp(`${x.imageId}[^.]{0,40}is unshared`));
    await upKeeps([A, B], { volumes: true });
    assert.deepEqual(await emulator().launchers(z.imageId), [A, B]);
    assert.deepEqual(await emulator().launchers(y.imageId), []);
    await project.destroy();
    assert.deepEqual(await emulator().pairs([x, y, z]), []);
  });

  it("H8: in a list of sets by index, a shift takes no access from AMIs that remain", async () => {
    const [x, y, z] = [image, await emulator().image(), await emulator().image()];
    const list = (images: readonly MadeImage[]) =>
      program(`for (const [i, imageId] of ${JSON.stringify(images.map(({ imageId }) => imageId))}.entries())
  new AmiLaunchPermissionSet(\`set-\${i}\`, { imageId, accountIds: ${JSON.stringify([A])} });`);
    list([y, x, z]);
    await project.up();
    list([x, z]);
    const watch = watchAccess(emulator(), [x, z], [A]);
    await project.up();
    assert.deepEqual((await watch.end()).lost, []);
    assert.deepEqual(await emulator().launchers(y.imageId), []);
    await project.destroy();
    assert.deepEqual(await emulator().pairs([x, y, z]), []);
  });

  it("a set that is renamed by an alias and drops an account revokes that account", async () => {
    program(set("one", [A, B], 'mode: "additive"'));
    await project.up();
    program(set("two", [A], 'mode: "additive"', 'aliases: [{ name: "one" }]'));
    assert.doesNotMatch(await project.preview(), /not declared any more/);
    await upKeeps([A]);
    assert.deepEqual(await emulator().launchers(image.imageId), [A]);
    await nobodyIsLeft();
  });

  it("a rename that drops an account: it stays until the old set is deleted, and the state records what EC2 has", async () => {
    program(set("old", [A, B]));
    await project.up();
    // The deletion of another set does not count for this set's maxRevocations and unrecorded.
    const renamed = set("new", [A], 'maxRevocations: "none", unrecorded: "refuse"');
    program(`export const grants = (${renamed.trim().replace(/;$/, "")}).grants;`);
    const leaving = new RegExp(`stays until set "old" is deleted\\): account/${B}`);
    const preview = flat(await project.preview());
    assert.match(preview, leaving);
    assert.match(preview, new RegExp(`set "old" is not declared any more .*- launch \\(granted by this set\\): account/${B}`));
    const done = flat(await upKeeps([A]));
    assert.match(done, leaving);
    assert.doesNotMatch(preview + done, /set "old" declares it|also declared by set "old"/);
    assert.deepEqual(await emulator().launchers(image.imageId), [A]);
    assert.deepEqual((await project.outputs()).grants, { [`account/${A}`]: "launch" });
    assert.match(await project.preview("--refresh"), /2 unchanged/);
    await nobodyIsLeft();
  });

  it("a set with a parent renamed by an alias does not count as removed, and nothing changes", async () => {
    const components = (outer: string, options: string) => `
      class Group extends pulumi.ComponentResource {
        constructor(type: string, name: string, opts: pulumi.ComponentResourceOptions = {}) {
          super("test:index:" + type, name, {}, opts);
        }
      }
      const outer = new Group(${JSON.stringify(outer)}, "outer", { ${options} });
      const inner = new Group("Inner", "inner", { parent: outer });
      ${set("one", [A], "", "parent: inner")}`;
    program(components("Old", ""));
    await project.up();
    program(components("New", 'aliases: [{ type: "test:index:Old" }]'));
    const preview = await project.preview();
    assert.doesNotMatch(preview, /not declared any more|loses? access/);
    assert.deepEqual(await emulator().launchers(image.imageId), [A]);
    await upKeeps([A]);
    await nobodyIsLeft();
  });

  it("a destroy that runs the program also leaves no access", async () => {
    program(set("one", [A, B], 'mode: "additive"') + set("two", [A], 'mode: "additive"'));
    await project.up();
    await project.succeed("destroy", "--yes", "--skip-preview", "--run-program");
    assert.deepEqual(await emulator().pairs([image]), []);
  });

  it("if the new set cannot be created, the old one keeps what it granted", async () => {
    program(set("one", [A, B]));
    await project.up();
    program(`${set("two", [A, B, "123412341234"])}`);
    await emulator().configure({
      failures: [{ action: "ModifyImageAttribute", code: "InternalError", status: 400, times: 100 }],
    });
    const watch = watchAccess(emulator(), [image], [A, B]);
    const output = (await project.fail("up", "--yes", "--skip-preview", "--continue-on-error")).output;
    assert.deepEqual((await watch.end()).lost, []);
    assert.match(flat(output), /hand-over-incomplete|InternalError/);
    await emulator().reset();
    await project.up();
    assert.deepEqual(await emulator().launchers(image.imageId), [A, B, "123412341234"].sort());
    await nobodyIsLeft();
  });
});
