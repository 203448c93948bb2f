/** Every command of the AWS page "Sharing an AMI with Specific AWS Accounts" as stack config. The AWS CLI reads the results. */

import * as assert from "node:assert/strict";
import { type MadeImage, useEmulator } from "../helpers/emulator";
import { PulumiProject } from "../helpers/pulumiProject";

const [ACCOUNT, OTHER, STRANGER] = ["111122223333", "444455556666", "777788889999"];

describe("the seed page's commands, by stack config alone", () => {
  const emulator = useEmulator();
  let project: PulumiProject;
  before(async () => {
    project = await PulumiProject.create(emulator());
  });
  after(() => project.remove());

  const launchers = (image: MadeImage) => emulator().launchers(image.imageId);
  const volumeCreators = (image: MadeImage) => Promise.all(image.snapshotIds.map((id) => emulator().volumeCreators(id)));

  /** The commands of the page, as somebody else runs them outside Pulumi. */
  async function shareByHand({ imageId, snapshotIds: [snapshotId = ""] }: MadeImage) {
    const launch = `Add=[{UserId=${STRANGER}},{Group=all}]`;
    await emulator().aws("ec2", "modify-image-attribute", "--image-id", imageId, "--launch-permission", launch);
    await emulator().aws(
      ...["ec2", "modify-snapshot-attribute", "--snapshot-id", snapshotId, "--attribute", "createVolumePermission"],
      ...["--operation-type", "add", "--user-ids", STRANGER],
    );
  }

  it("grants launch to an account, adds create-volume on the snapshots, and removes both again", async () => {
    const image = await emulator().image({ snapshots: 2 });
    const { imageId, snapshotIds } = image;
    project.config({ imageId, accountIds: [ACCOUNT] });
    await project.up();
    assert.deepEqual(await launchers(image), [ACCOUNT]);
    assert.deepEqual(await volumeCreators(image), [[], []], "launching needs no permission on the snapshots");
    assert.deepEqual(await emulator().modifications(), [`ModifyImageAttribute ${imageId}`]);
    assert.deepEqual((await project.outputs()).grants, { [`account/${ACCOUNT}`]: "launch" });

    await emulator().forgetCalls();
    project.config({ imageId, accountIds: [ACCOUNT], createVolumePermissions: true });
    await project.up();
    assert.deepEqual(await volumeCreators(image), [[ACCOUNT], [ACCOUNT]]);

    project.config({ imageId, accountIds: [ACCOUNT] });
    await project.up();
    assert.deepEqual(await volumeCreators(image), [[], []]);
    assert.deepEqual(await launchers(image), [ACCOUNT]);
    const once = snapshotIds.map((id) => `ModifySnapshotAttribute ${id}`);
    assert.deepEqual((await emulator().modifications()).sort(), [...once, ...once].sort());
  });

  it("removes launch for one account; an empty accountIds removes it for all, including grants of others", async () => {
    const image = await emulator().image({ snapshots: 1 });
    project.config({ imageId: image.imageId, accountIds: [ACCOUNT, OTHER] });
    await project.up();
    project.config({ imageId: image.imageId, accountIds: [ACCOUNT] });
    await project.up();
    assert.deepEqual(await launchers(image), [ACCOUNT]);

    await shareByHand(image);
    assert.deepEqual(await launchers(image), [ACCOUNT, STRANGER, "all"]);
    project.config({ imageId: image.imageId, accountIds: [] });
    await project.up();
    assert.deepEqual(await launchers(image), []);
    assert.deepEqual(await volumeCreators(image), [[STRANGER]], "create-volume permissions are managed only on request");
    assert.deepEqual((await project.outputs()).grants, {});
  });

  it("on destroy removes its own grants; with onDelete reset all grants in two calls; with retain none", async () => {
    const [own, all, none] = await Promise.all([1, 2, 3].map(() => emulator().image({ snapshots: 1 })));
    assert.ok(own && all && none);
    const args = { accountIds: [ACCOUNT], createVolumePermissions: true };
    project.config({
      sets: [
        { name: "own", imageId: own.imageId, ...args },
        { name: "all", imageId: all.imageId, ...args, onDelete: "reset" },
        { name: "none", imageId: none.imageId, ...args, onDelete: "retain" },
      ],
    });
    await project.up();
    await Promise.all([shareByHand(own), shareByHand(all)]);
    await emulator().forgetCalls();
    await project.destroy();
    assert.deepEqual(
      (await emulator().modifications()).sort(),
      [
        `ModifyImageAttribute ${own.imageId}`,
        `ModifySnapshotAttribute ${own.snapshotIds[0]}`,
        `ResetImageAttribute ${all.imageId}`,
        `ResetSnapshotAttribute ${all.snapshotIds[0]}`,
      ].sort(),
    );
    assert.deepEqual(await Promise.all([own, all, none].map(launchers)), [[STRANGER, "all"], [], [ACCOUNT]]);
    assert.deepEqual(await Promise.all([own, all, none].map(volumeCreators)), [[[STRANGER]], [[]], [[ACCOUNT]]]);
  });

  it("shares an AMI without EBS snapshots, and ignores ephemeral devices", async () => {
    const bare = await emulator().image({ snapshots: 0, ephemeral: 2 });
    const mixed = await emulator().image({ snapshots: 1, ephemeral: 2 });
    const args = { accountIds: [ACCOUNT], createVolumePermissions: true };
    project.config({
      sets: [
        { name: "bare", imageId: bare.imageId, ...args },
        { name: "mixed", imageId: mixed.imageId, ...args },
      ],
    });
    await project.up();
    assert.deepEqual(await launchers(bare), [ACCOUNT]);
    assert.deepEqual(await launchers(mixed), [ACCOUNT]);
    assert.deepEqual(await volumeCreators(mixed), [[ACCOUNT]]);
    assert.deepEqual(
      (await emulator().modifications()).sort(),
      [
        `ModifyImageAttribute ${bare.imageId}`,
        `ModifyImageAttribute ${mixed.imageId}`,
        `ModifySnapshotAttribute ${mixed.snapshotIds[0]}`,
      ].sort(),
    );
    const snapshots = (await project.state()).sets.map(({ outputs }) => outputs.snapshotIds);
    assert.deepEqual(snapshots.flat(), mixed.snapshotIds);
    await emulator().forgetCalls();
    assert.match(await project.up(), /3 unchanged/);
    assert.deepEqual(await emulator().calls(), []);
    assert.match(await project.preview("--refresh"), /3 unchanged/);
  });
});

describe("the seed page's Permissions tab", () => {
  const emulator = useEmulator();
  let project: PulumiProject;
  before(async () => {
    project = await PulumiProject.create(emulator(), {
      program: `
        import { Config, output } from "@pulumi/pulumi";
        import { getAmiLaunchPermissions, getAmiLaunchPermissionsOutput } from "ami-launch-permissions";
        const imageId = new Config().require("imageId");
        export const now = getAmiLaunchPermissions({ imageId });
        export const later = getAmiLaunchPermissionsOutput({ imageId: output(imageId), region: "us-east-1" });
      `,
    });
  });
  after(() => project.remove());

  it("shows who has access, with the same result as the AWS CLI, and changes nothing", async () => {
    const { imageId, snapshotIds } = await emulator().image({
      snapshots: 2,
      name: "golden",
      launchPermissions: [{ UserId: OTHER }, { UserId: ACCOUNT }, { Group: "all" }],
      createVolumePermissions: [{ UserId: ACCOUNT }],
    });
    project.config({ imageId });
    await project.up();
    const { now, later } = (await project.outputs()) as Record<string, Record<string, unknown>>;
    assert.deepEqual(await emulator().launchers(imageId), [ACCOUNT, OTHER, "all"]);
    assert.deepEqual(now, {
      imageId,
      region: "us-east-1",
      ownerId: "123456789012",
      name: "golden",
      accountIds: [ACCOUNT, OTHER],
      organizationArns: [],
      organizationalUnitArns: [],
      otherUserIds: [],
      public: true,
      encrypted: false,
      snapshots: [...snapshotIds]
        .sort()
        .map((snapshotId) => ({ snapshotId, accountIds: [ACCOUNT], public: false, encrypted: false })),
      grants: { [`account/${ACCOUNT}`]: "launch, createVolume", [`account/${OTHER}`]: "launch", public: "launch" },
    });
    assert.deepEqual(later, now);
    for (const id of snapshotIds) assert.deepEqual(await emulator().volumeCreators(id), [ACCOUNT]);
    assert.deepEqual(await emulator().modifications(), []);
  });
});
