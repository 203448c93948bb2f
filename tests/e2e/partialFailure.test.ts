/** Changes that fail in part, lost responses, throttling and stale reads: the state is right, and the next `up` completes the change. */

import * as assert from "node:assert/strict";
import { type MadeImage, useEmulator } from "../helpers/emulator";
import { PulumiProject } from "../helpers/pulumiProject";

const [FIRST, SECOND] = ["111122223333", "444455556666"];

describe("a change that fails in part", () => {
  const emulator = useEmulator();
  let project: PulumiProject;
  before(async () => {
    project = await PulumiProject.create(emulator());
  });
  beforeEach(async () => {
    await project.destroy();
    await emulator().reset();
  });
  after(() => project.remove());

  function declare({ imageId }: MadeImage, ...accountIds: (string | undefined)[]): void {
    project.config({ imageId, accountIds, createVolumePermissions: true });
  }

  /** The grants of the only set in the state. */
  async function recorded(): Promise<unknown> {
    const [set] = (await project.state()).sets;
    return set?.outputs.grants;
  }

  async function access({ imageId, snapshotIds }: MadeImage) {
    const [launch, ...createVolume] = await Promise.all([
      emulator().launchers(imageId),
      ...snapshotIds.map((id) => emulator().volumeCreators(id)),
    ]);
    return { launch, createVolume };
  }

  const refuseLaunch = (imageId: string) => ({
    failures: [
      { action: "ModifyImageAttribute", resource: imageId, code: "OperationNotPermitted", status: 400, message: "not today" },
    ],
  });

  it("in a create: records the snapshots that are already shared, and the next up shares only the AMI", async () => {
    const image = await emulator().image({ snapshots: 2 });
    declare(image, FIRST);
    await emulator().configure(refuseLaunch(image.imageId));
    const { output } = await project.fail("up", "--yes", "--skip-preview");
    assert.match(
      output,
      /the change was begun and not completed: EC2 refuses to share ami-\w+: not today \(AWS: OperationNotPermitted/,
    );
    assert.doesNotMatch(output, /^\s+at \S/m);
    assert.deepEqual(await access(image), { launch: [], createVolume: [[FIRST], [FIRST]] });
    assert.deepEqual(await recorded(), { [`account/${FIRST}`]: "createVolume" });

    const preview = await project.preview("--refresh");
    assert.match(preview, /account\/111122223333: "createVolume" => "launch, createVolume"/);
    assert.match(preview, /1 to update/);

    await emulator().forgetCalls();
    await project.up();
    assert.deepEqual(await emulator().modifications(), [`ModifyImageAttribute ${image.imageId}`]);
    assert.deepEqual(await access(image), { launch: [FIRST], createVolume: [[FIRST], [FIRST]] });
  });

  it("in a create: a destroy revokes everything that was granted", async () => {
    const image = await emulator().image({ snapshots: 2 });
    declare(image, FIRST);
    const [, last = ""] = image.snapshotIds;
    const refused = { action: "ModifySnapshotAttribute", resource: last, code: "UnauthorizedOperation", times: 9 };
    await emulator().configure({ failures: [refused] });
    const { output } = await project.fail("up", "--yes", "--skip-preview");
    assert.match(output, new RegExp(`the caller may not call ec2:ModifySnapshotAttribute on ${last}`));
    assert.deepEqual(await access(image), { launch: [], createVolume: [[FIRST], []] });
    assert.deepEqual(await recorded(), { [`account/${FIRST}`]: `createVolume on ${image.snapshotIds[0]}` });

    await emulator().forgetCalls();
    await project.destroy();
    assert.deepEqual(await emulator().modifications(), [`ModifySnapshotAttribute ${image.snapshotIds[0]}`]);
    assert.deepEqual(await access(image), { launch: [], createVolume: [[], []] });
  });

  it("in an update: the state is unchanged or records what EC2 has, and the next up makes only the missing calls", async () => {
    const image = await emulator().image({ snapshots: 1 });
    const [snapshotId = ""] = image.snapshotIds;
    declare(image, FIRST);
    await project.up();
    const before = (await project.state()).sets;
    declare(image, SECOND);
    await emulator().configure({ deny: ["ec2:ModifySnapshotAttribute"] });
    const refused = await project.fail("up", "--yes", "--skip-preview");
    assert.match(refused.output, /the caller may not call ec2:ModifySnapshotAttribute/);
    assert.doesNotMatch(refused.output, /begun/);
    assert.deepEqual((await project.state()).sets, before);
    assert.deepEqual(await access(image), { launch: [FIRST], createVolume: [[FIRST]] });

    await emulator().configure({ deny: [] });
    await emulator().configure(refuseLaunch(image.imageId));
    const { output } = await project.fail("up", "--yes", "--skip-preview");
    assert.match(output, /the change was begun and not completed/);
    assert.deepEqual(await access(image), { launch: [FIRST], createVolume: [[FIRST, SECOND]] });
    assert.deepEqual(await recorded(), {
      [`account/${FIRST}`]: "launch, createVolume",
      [`account/${SECOND}`]: "createVolume",
    });
    const preview = await project.preview("--refresh");
    assert.match(preview, /- account\/111122223333: "launch, createVolume"/);
    assert.match(preview, /account\/444455556666: "createVolume" => "launch, createVolume"/);

    await emulator().forgetCalls();
    await project.up();
    assert.deepEqual(await emulator().modifications(), [
      `ModifyImageAttribute ${image.imageId}`,
      `ModifySnapshotAttribute ${snapshotId}`,
    ]);
    assert.deepEqual(await access(image), { launch: [SECOND], createVolume: [[SECOND]] });
  });

  it("is no failure if a response is lost, or EC2 throttles or shows a change late: the set retries or waits", async () => {
    const image = await emulator().image({ snapshots: 1 });
    const [snapshotId = ""] = image.snapshotIds;
    declare(image, FIRST, SECOND);
    await emulator().configure({
      failures: [{ action: "ModifyImageAttribute", code: "InternalError", after: true }],
      throttle: { ModifySnapshotAttribute: 2 },
      staleReads: 2,
    });
    await project.up();
    const sent = (await emulator().calls()).filter(({ action }) => action.startsWith("Modify"));
    assert.deepEqual(
      sent.map(({ action, code }) => `${action} ${code}`.trim()),
      [
        ...[
          "ModifySnapshotAttribute RequestLimitExceeded",
          "ModifySnapshotAttribute RequestLimitExceeded",
          "ModifySnapshotAttribute",
        ],
        ...["ModifyImageAttribute InternalError", "ModifyImageAttribute"],
      ],
    );
    const reads = (await emulator().calls()).filter(
      ({ action, resource }) => action.endsWith("Attribute") && resource === snapshotId,
    );
    assert.equal(
      reads.filter(({ action }) => action === "DescribeSnapshotAttribute").length,
      4,
      "one read before the change, then reads until EC2 shows it",
    );
    await emulator().configure({ staleReads: 0 });
    assert.deepEqual(await recorded(), {
      [`account/${FIRST}`]: "launch, createVolume",
      [`account/${SECOND}`]: "launch, createVolume",
    });
    assert.deepEqual(await access(image), { launch: [FIRST, SECOND], createVolume: [[FIRST, SECOND]] });
    assert.match(await project.preview("--refresh"), /2 unchanged/);
  });

  it("because of throttling or a lost last response: the state records what EC2 accepted", async () => {
    const image = await emulator().image({ snapshots: 1 });
    const { imageId } = image;
    project.config({ imageId, accountIds: [FIRST], createVolumePermissions: true, "aws:maxRetries": 1 });
    await emulator().configure({ throttle: { ModifyImageAttribute: 2 } });
    const throttled = await project.fail("up", "--yes", "--skip-preview");
    assert.match(
      throttled.output,
      /EC2 throttles ModifyImageAttribute of ami-\w+, after 2 attempts in \d+\.\d s .*repeat later; a higher maxRetries allows more attempts \[throttled\]/,
    );
    assert.deepEqual(await recorded(), { [`account/${FIRST}`]: "createVolume" });

    await emulator().configure({ failures: [{ action: "ModifyImageAttribute", code: "InternalError", after: true, times: 2 }] });
    await project.fail("up", "--yes", "--skip-preview");
    assert.deepEqual(await access(image), { launch: [FIRST], createVolume: [[FIRST]] });
    assert.deepEqual(
      await recorded(),
      { [`account/${FIRST}`]: "launch, createVolume" },
      "EC2 made the change although its response was an error",
    );

    await emulator().forgetCalls();
    await project.up();
    assert.deepEqual(await emulator().modifications(), [], "nothing was left to change");
    await project.destroy();
    assert.deepEqual(await access(image), { launch: [], createVolume: [[]] });
  });
});
