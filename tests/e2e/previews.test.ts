/** What previews show: who gains and who loses access, also because of drift and with unknown values. */

import * as assert from "node:assert/strict";
import { type MadeImage, useEmulator } from "../helpers/emulator";
import { PulumiProject } from "../helpers/pulumiProject";

const [FIRST, SECOND, THIRD, OWNER] = ["111122223333", "444455556666", "777788889999", "123456789012"];

/** The lines of a preview with a grantee and its sign, sorted and without duplicates. The stack's outputs repeat them and are left out. */
function grantLines(preview: string): string[] {
  const [resources = ""] = preview.split("--outputs:--");
  const lines = resources.split("\n").map((line) => line.trim().replace(/\s+/g, " ").replace(" : ", ": "));
  return [...new Set(lines.filter((line) => /^([-+~] )?(account\/|public)[^,]*: /.test(line)))].sort();
}

describe("previews by stack config", () => {
  const emulator = useEmulator();
  let project: PulumiProject;
  before(async () => {
    project = await PulumiProject.create(emulator());
  });
  after(() => project.remove());

  it("show who gains and who loses access on create, update, drift and destroy", async () => {
    const { imageId } = await emulator().image({ snapshots: 1 });
    project.config({ imageId, accountIds: [SECOND, FIRST], createVolumePermissions: true });
    const joining = await project.preview();
    assert.match(joining, /\+ .*AmiLaunchPermissionSet: \(create\)/);
    assert.deepEqual(grantLines(joining), [
      `account/${FIRST}: "launch, createVolume"`,
      `account/${SECOND}: "launch, createVolume"`,
    ]);
    await project.up();

    project.config({ imageId, accountIds: [THIRD, FIRST], createVolumePermissions: { accountIds: [THIRD] } });
    assert.deepEqual(grantLines(await project.preview()), [
      `+ account/${THIRD}: "launch, createVolume"`,
      `- account/${SECOND}: "launch, createVolume"`,
      `~ account/${FIRST}: "launch, createVolume" => "launch"`,
    ]);
    assert.deepEqual(await emulator().launchers(imageId), [FIRST, SECOND], "a preview changes nothing");

    project.config({ imageId, accountIds: [SECOND, FIRST], createVolumePermissions: true });
    const byHand = `Add=[{UserId=${THIRD}},{Group=all}],Remove=[{UserId=${FIRST}}]`;
    await emulator().aws("ec2", "modify-image-attribute", "--image-id", imageId, "--launch-permission", byHand);
    const [, drift = "", planned = ""] = (await project.preview("--refresh")).split(
      /AmiLaunchPermissionSet: \((?:refresh|update)\)/,
    );
    assert.deepEqual(grantLines(drift.replace("--outputs:--", "")), [
      `+ account/${THIRD}: "launch"`,
      `+ public: "launch"`,
      `account/${SECOND}: "launch, createVolume"`,
      `~ account/${FIRST}: "launch, createVolume" => "createVolume"`,
    ]);
    assert.deepEqual(grantLines(planned), [
      `- account/${THIRD}: "launch"`,
      `- public: "launch"`,
      `account/${SECOND}: "launch, createVolume"`,
      `~ account/${FIRST}: "createVolume" => "launch, createVolume"`,
    ]);
    const { output: leaving } = await project.succeed("destroy", "--preview-only", "--diff");
    assert.match(leaving, /- .*AmiLaunchPermissionSet: \(delete\)/);
    assert.deepEqual(grantLines(leaving), [
      `account/${FIRST}: "launch, createVolume"`,
      `account/${SECOND}: "launch, createVolume"`,
    ]);
    assert.deepEqual(await emulator().launchers(imageId), [SECOND, THIRD, "all"]);
    await project.up("--refresh");
    assert.deepEqual(await emulator().launchers(imageId), [FIRST, SECOND]);
  });

  it("show a replacement if the AMI changes; the new AMI is shared before the old one is unshared", async () => {
    const older = await emulator().image({ snapshots: 1 });
    const newer = await emulator().image({ snapshots: 1 });
    project.config({ imageId: older.imageId, accountIds: [FIRST, SECOND] });
    await project.up();

    project.config({ imageId: newer.imageId, accountIds: [FIRST, THIRD] });
    const text = await project.preview();

    assert.match(text, new RegExp(`imageId.*"${older.imageId}" => "${newer.imageId}"`));
    assert.match(text, /\+-.*AmiLaunchPermissionSet: \(replace\)/);
    assert.deepEqual(grantLines(text), [
      `+ account/${THIRD}: "launch"`,
      `- account/${SECOND}: "launch"`,
      `account/${FIRST}: "launch"`,
    ]);
    await emulator().forgetCalls();
    await project.up();
    assert.deepEqual(await emulator().modifications(), [
      `ModifyImageAttribute ${newer.imageId}`,
      `ModifyImageAttribute ${older.imageId}`,
    ]);
    assert.deepEqual(await emulator().launchers(newer.imageId), [FIRST, THIRD]);
    assert.deepEqual(await emulator().launchers(older.imageId), []);
  });

  it("leave the owner's own account out with a note; it is never sent, and causes no later diff", async () => {
    const { imageId } = await emulator().image({ snapshots: 1 });
    project.config({ imageId, accountIds: [FIRST, OWNER], createVolumePermissions: true });
    assert.match(
      (await project.up()).replace(/\s+/g, " "),
      new RegExp(`= launch, createVolume \\(left out: the owner always has access\\): account/${OWNER}`),
    );
    const sent = (await emulator().calls()).flatMap(({ params }) => Object.values(params));
    assert.ok(sent.includes(FIRST ?? ""));
    assert.ok(!sent.includes(OWNER ?? ""), "a call contained the owner's account");
    assert.deepEqual(await emulator().launchers(imageId), [FIRST]);
    assert.match(await project.preview("--refresh"), /2 unchanged/);
  });

  it("remove a set whose AMI was deregistered; a destroy succeeds and revokes on the remaining snapshots", async () => {
    const [seen, unseen] = [await emulator().image({ snapshots: 1 }), await emulator().image({ snapshots: 1 })];
    const set = (name: string, { imageId }: MadeImage) => ({
      name,
      imageId,
      accountIds: [FIRST],
      createVolumePermissions: true,
    });
    project.config({ sets: [set("seen", seen), set("unseen", unseen)] });
    await project.up();
    await emulator().aws("ec2", "deregister-image", "--image-id", seen.imageId);
    await project.refresh();
    const names = (await project.state()).sets.map(({ urn }) => urn.split("::").at(-1));
    assert.deepEqual(names, ["unseen"]);
    await emulator().aws("ec2", "deregister-image", "--image-id", unseen.imageId);
    await project.destroy();
    assert.deepEqual((await project.state()).sets, []);
    assert.deepEqual(await emulator().volumeCreators(unseen.snapshotIds[0] ?? ""), []);
  });
});

describe("previews with outputs of other resources", () => {
  const emulator = useEmulator();
  let project: PulumiProject;
  before(async () => {
    project = await PulumiProject.create(emulator(), {
      program: `
        import * as pulumi from "@pulumi/pulumi";
        import { AmiLaunchPermissionSet } from "ami-launch-permissions";

        /** Its output "later" is the JSON of its input; a preview does not know it before the resource is made or changed. */
        class Later extends pulumi.dynamic.Resource {
          declare readonly later: pulumi.Output<string>;
          constructor(name: string, value: unknown) {
            const outs = (inputs: any) => ({ value: inputs.value, later: inputs.value });
            super({
              async diff(_id, olds, news) { return { changes: olds.value !== news.value }; },
              async create(inputs) { return { id: "later", outs: outs(inputs) }; },
              async update(_id, _olds, news) { return { outs: outs(news) }; },
            }, name, { value: JSON.stringify(value), later: undefined });
          }
        }
        const later = (name: string, value: unknown): pulumi.Output<any> => new Later(name, value).later.apply((text) => JSON.parse(text));

        const config = new pulumi.Config();
        const { imageIds, first, second, list } = config.requireObject<any>("given");
        const one = later("one", second);
        const sets = {
          image: { imageId: later("image", imageIds[0]), accountIds: [first, second] },
          member: { imageId: imageIds[1], accountIds: [first, one], createVolumePermissions: true },
          list: { imageId: imageIds[2], accountIds: later("list", list) },
        };
        for (const [name, args] of Object.entries(sets)) new AmiLaunchPermissionSet(name, args);
      `,
    });
  });
  after(() => project.remove());

  /** The lines about one set in a preview. */
  function about(name: string, preview: string): string {
    return (
      preview.split(/^(?=\s*[-+~]*\s*pulumi-nodejs:)/m).find((part) => part.includes(`AmiLaunchPermissionSet::${name}]`)) ?? ""
    );
  }

  it("keep known values and show [unknown] for the rest, on create and on update", async () => {
    const made = await Promise.all([1, 2, 3].map(() => emulator().image({ snapshots: 1 })));
    const imageIds = made.map(({ imageId }) => imageId);
    project.config({ given: { imageIds, first: FIRST, second: SECOND, list: [FIRST, SECOND] } });
    const create = await project.preview();
    assert.match(about("image", create), /imageId\s*: \[unknown\]/);
    assert.match(create, /the AMI is not known yet: its permissions can be read when it exists/);
    assert.match(
      create,
      new RegExp(`AMI ${imageIds[1]}: what changes in EC2 depends on values that are not known yet \\(accountIds\\)`),
    );
    assert.deepEqual(grantLines(about("image", create)), [`account/${FIRST}: "launch"`, `account/${SECOND}: "launch"`]);
    assert.deepEqual(grantLines(about("member", create)), [
      `account/${FIRST}: "launch, createVolume"`,
      `account/[unknown]: "launch, createVolume"`,
    ]);
    assert.deepEqual(grantLines(about("list", create)), ["account/[unknown]: [unknown]"]);
    await project.up();
    for (const imageId of imageIds) assert.deepEqual(await emulator().launchers(imageId), [FIRST, SECOND]);
    await emulator().forgetCalls();
    project.config({ given: { imageIds, first: FIRST, second: THIRD, list: [FIRST, THIRD] } });
    const update = await project.preview();

    assert.deepEqual(grantLines(about("image", update)), [
      `+ account/${THIRD}: "launch"`,
      `- account/${SECOND}: "launch"`,
      `account/${FIRST}: "launch"`,
    ]);
    assert.deepEqual(grantLines(about("member", update)), [
      '+ account/[unknown]: "launch, createVolume"',
      `account/${FIRST}: "launch, createVolume"`,
      `~ account/${SECOND}: "launch, createVolume" => [unknown]`,
    ]);
    assert.deepEqual(grantLines(about("list", update)), [
      "+ account/[unknown]: [unknown]",
      `~ account/${FIRST}: "launch" => [unknown]`,
      `~ account/${SECOND}: "launch" => [unknown]`,
    ]);
    assert.deepEqual(
      [...new Set((await emulator().calls()).map(({ resource }) => resource))],
      [imageIds[0]],
      "only the set without unknown values reads EC2",
    );
    assert.deepEqual(await emulator().modifications(), []);
    await project.up();
    for (const imageId of imageIds) assert.deepEqual(await emulator().launchers(imageId), [FIRST, THIRD]);
  });
});
