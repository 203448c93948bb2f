/** Changes that fail in part, lost answers, throttling and late reads: the state is right, and the next `up` completes the change. */

import * as assert from "node:assert/strict";
import { type MadeImage, useEmulator } from "../helpers/emulator";
import { PulumiProject } from "../helpers/pulumiProject";

const [FIRST, SECOND] = ["111122223333", "444455556666"];

describe("a change that stops half-way", () => {
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

  /** The grants in the state's one set. */
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

  it("in a create: records the snapshots shared so far, shows them, and shares only the AMI next", async () => {
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

  it("in a create: a destroy revokes all that was granted", async () => {
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

  it("in an update: leaves the state alone if nothing changed, else records what holds; the next up makes the missing calls only", async () => {
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

  it("is no failure when an answer is lost, EC2 throttles, or shows a change late: it is repeated or waited for", async () => {
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
      "once before, then until it shows",
    );
    await emulator().configure({ staleReads: 0 });
    assert.deepEqual(await recorded(), {
      [`account/${FIRST}`]: "launch, createVolume",
      [`account/${SECOND}`]: "launch, createVolume",
    });
    assert.deepEqual(await access(image), { launch: [FIRST, SECOND], createVolume: [[FIRST, SECOND]] });
    assert.match(await project.preview("--refresh"), /2 unchanged/);
  });

  it("by throttling to the end, or by a lost last answer: the state records what EC2 took all the same", async () => {
    const image = await emulator().image({ snapshots: 1 });
    const { imageId } = image;
    project.config({ imageId, accountIds: [FIRST], createVolumePermissions: true, "aws:maxRetries": 1 });
    await emulator().configure({ throttle: { ModifyImageAttribute: 2 } });
    const throttled = await project.fail("up", "--yes", "--skip-preview");
    assert.match(
      throttled.output,
      /EC2 still throttles ModifyImageAttribute after every retry .*repeat later, or raise maxRetries \[throttled\]/,
    );
    assert.deepEqual(await recorded(), { [`account/${FIRST}`]: "createVolume" });

    await emulator().configure({ failures: [{ action: "ModifyImageAttribute", code: "InternalError", after: true, times: 2 }] });
    await project.fail("up", "--yes", "--skip-preview");
    assert.deepEqual(await access(image), { launch: [FIRST], createVolume: [[FIRST]] });
    assert.deepEqual(
      await recorded(),
      { [`account/${FIRST}`]: "launch, createVolume" },
      "it holds though the answer was an error",
    );

    await emulator().forgetCalls();
    await project.up();
    assert.deepEqual(await emulator().modifications(), [], "there was nothing left to change");
    await project.destroy();
    assert.deepEqual(await access(image), { launch: [], createVolume: [[]] });
  });
});
