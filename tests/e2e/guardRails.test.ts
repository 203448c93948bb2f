/** What a set refuses to take away, with the real CLI: the preview says so, and EC2 and the state are as before. */

import * as assert from "node:assert/strict";
import { useEmulator } from "../helpers/emulator";
import { PulumiProject } from "../helpers/pulumiProject";

describe("guard rails", () => {
  const emulator = useEmulator();
  let project: PulumiProject;
  before(async () => {
    project = await PulumiProject.create(emulator());
  });
  after(() => project.remove());

  it("maxRevocations fails the preview, and the up where only EC2 knows; neverRevoke spares its accounts to the end", async () => {
    const { imageId } = await emulator().image({ snapshots: 1, launchPermissions: [{ UserId: "777788889999" }] });
    const config = { imageId, accountIds: ["111122223333", "444455556666"], maxRevocations: 0 };
    project.config(config);
    const { output: drifted } = await project.fail("up", "--yes", "--skip-preview");
    assert.match(
      drifted,
      /take access from 1 grantee \(account\/777788889999\), and maxRevocations is 0; .*\[too-many-revocations\]/,
    );
    assert.deepEqual(await emulator().modifications(), []);

    project.config({ ...config, neverRevoke: ["777788889999"] });
    await project.up();
    assert.deepEqual(await emulator().launchers(imageId), ["111122223333", "444455556666", "777788889999"]);
    assert.match(await project.preview("--refresh"), /2 unchanged/);

    const before = (await project.state()).text;
    project.config({ ...config, accountIds: ["111122223333"], neverRevoke: ["777788889999"] });
    await emulator().forgetCalls();
    const { output: preview } = await project.fail("preview", "--diff");
    assert.match(preview, /take access from 1 grantee \(account\/444455556666\), and maxRevocations is 0/);
    assert.deepEqual(await emulator().calls(), []);
    assert.equal((await project.state()).text, before);

    await project.destroy();
    assert.deepEqual(await emulator().launchers(imageId), ["777788889999"]);
  });
});
