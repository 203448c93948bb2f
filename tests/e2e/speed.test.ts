/** The number of calls that each operation makes, counted at the endpoint. */

import * as assert from "node:assert/strict";
import { useEmulator } from "../helpers/emulator";
import { PulumiProject } from "../helpers/pulumiProject";

const accounts = (count: number) => Array.from({ length: count }, (_, i) => String(100_000_000_001 + i * 7_654_321));

describe("the number of calls", () => {
  const emulator = useEmulator();
  let project: PulumiProject;
  before(async () => {
    project = await PulumiProject.create(emulator());
  });
  after(() => project.remove());

  it("is 3 changes for 100 accounts and 2 snapshots, and 0 if only the order or format of the inputs changes", async () => {
    const { imageId, snapshotIds } = await emulator().image({ snapshots: 2 });
    const ids = ["012345678901", ...accounts(99)];
    project.config({ imageId, accountIds: ids, createVolumePermissions: true });
    await project.up();
    assert.deepEqual((await emulator().modifications()).sort(), [
      `ModifyImageAttribute ${imageId}`,
      ...[...snapshotIds].sort().map((id) => `ModifySnapshotAttribute ${id}`),
    ]);
    assert.deepEqual(await emulator().launchers(imageId), ids);
    assert.deepEqual(await emulator().volumeCreators(snapshotIds[1] ?? ""), ids);

    await emulator().forgetCalls();
    const rewritten = [...ids].reverse().flatMap((id, i) => [i % 2 === 0 && !id.startsWith("0") ? Number(id) : id, id]);
    project.config({ imageId, accountIds: rewritten, createVolumePermissions: true });
    const preview = await project.preview();
    assert.match(preview, /2 unchanged/);
    assert.doesNotMatch(preview, /^\s*[-+~] /m);
    assert.match(await project.up(), /2 unchanged/);
    assert.deepEqual(await emulator().calls(), []);
  });

  it("is one for every 500 accounts on a snapshot, and a single one on the AMI", async () => {
    await emulator().configure({ entityQuota: 2000 });
    const { imageId, snapshotIds } = await emulator().image({ snapshots: 2 });
    const ids = accounts(1200);
    project.config({ imageId, accountIds: ids, createVolumePermissions: true });
    await project.up();
    const sent = async (resource: string) =>
      (await emulator().calls())
        .filter((call) => call.action.startsWith("Modify") && call.resource === resource)
        .map(({ params }) => Object.keys(params).filter((name) => /UserId/.test(name)).length);
    assert.deepEqual(await sent(imageId), [1200]);
    for (const id of snapshotIds) assert.deepEqual(await sent(id), [500, 500, 200]);
    assert.deepEqual(await emulator().launchers(imageId), ids);
    assert.deepEqual(await emulator().volumeCreators(snapshotIds[0] ?? ""), ids);
  });
});
