/** The basic scenario with the real CLI: create, preview a change, change, nothing to change, destroy. */

import * as assert from "node:assert/strict";
import { useEmulator } from "../helpers/emulator";
import { PulumiProject } from "../helpers/pulumiProject";

describe("the basic scenario", () => {
  const emulator = useEmulator();
  let project: PulumiProject;
  before(async () => {
    project = await PulumiProject.create(emulator(), { asUsersHaveIt: true });
  });
  after(() => project.remove());

  it("shares, previews a change for each grantee, changes, has nothing to change, and revokes", async () => {
    const { imageId, snapshotIds } = await emulator().image({ snapshots: 2 });
    project.config({ imageId, accountIds: ["111122223333", "444455556666"], createVolumePermissions: true });
    const first = await project.preview();
    assert.match(first, /account\/111122223333: "launch, createVolume"/);
    await project.up();
    assert.deepEqual(await emulator().launchers(imageId), ["111122223333", "444455556666"]);
    for (const id of snapshotIds) assert.deepEqual(await emulator().volumeCreators(id), ["111122223333", "444455556666"]);
    assert.deepEqual((await project.outputs()).grants, {
      "account/111122223333": "launch, createVolume",
      "account/444455556666": "launch, createVolume",
    });

    project.config({ imageId, accountIds: ["777788889999", "111122223333"], createVolumePermissions: true });
    const change = await project.preview();
    assert.match(change, /- account\/444455556666: "launch, createVolume"/);
    assert.match(change, /\+ account\/777788889999: "launch, createVolume"/);
    assert.doesNotMatch(change, /[-+~] account\/111122223333/);
    await project.up();
    assert.deepEqual(await emulator().launchers(imageId), ["111122223333", "777788889999"]);

    await emulator().forgetCalls();
    assert.match(await project.up(), /2 unchanged/);
    assert.deepEqual(await emulator().calls(), []);

    assert.match(await project.preview("--refresh"), /2 unchanged/);
    await project.destroy();
    assert.deepEqual(await emulator().launchers(imageId), []);
    for (const id of snapshotIds) assert.deepEqual(await emulator().volumeCreators(id), []);
  });
});
