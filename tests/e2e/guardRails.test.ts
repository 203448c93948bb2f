/** Guard rails with the real CLI: the preview says what is refused, and EC2 and the state do not change. */

import * as assert from "node:assert/strict";
import { useEmulator } from "../helpers/emulator";
import { PulumiProject } from "../helpers/pulumiProject";

describe("guard rails", function () {
  this.timeout(300_000);
  const emulator = useEmulator();
  let project: PulumiProject;
  before(async () => {
    project = await PulumiProject.create(emulator());
  });
  after(() => project.remove());

  it("maxRevocations fails the preview, or the up if only EC2 has the grants; neverRevoke keeps its accounts", async () => {
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

  it('unrecorded: "refuse" fails preview and up for grants that a refresh has not recorded; "revoke" reports them', async () => {
    const { imageId } = await emulator().image({ snapshots: 1, launchPermissions: [{ UserId: "777788889999" }] });
    const config = { imageId, accountIds: ["111122223333"], unrecorded: "refuse" };
    const share = (id: string) =>
      emulator().aws(...["ec2", "modify-image-attribute", "--image-id", imageId, "--launch-permission", `Add=[{UserId=${id}}]`]);
    const refusal = (id: string) =>
      new RegExp(`take access from 1 grantee whom the state does not record: account/${id}; .*\\[unrecorded-grants\\]`);
    project.config(config);
    for (const command of [["preview"], ["up", "--yes", "--skip-preview"]])
      assert.match((await project.fail(...command)).output.replace(/\s+/g, " "), refusal("777788889999"));
    assert.deepEqual(await emulator().modifications(), []);

    project.config({ ...config, unrecorded: "revoke" });
    await project.up();
    await share("777788889999");
    project.config({ ...config, accountIds: ["444455556666"] });
    for (const command of [["preview"], ["up", "--yes", "--skip-preview"]])
      assert.match((await project.fail(...command)).output.replace(/\s+/g, " "), refusal("777788889999"));
    assert.deepEqual(await emulator().launchers(imageId), ["111122223333", "777788889999"]);
    await project.refresh();
    assert.match(await project.preview(), /- account\/777788889999/);
    await project.up();
    assert.deepEqual(await emulator().launchers(imageId), ["444455556666"]);

    await share("777788889999");
    project.config({ ...config, unrecorded: "revoke" });
    assert.match(await project.up(), /- launch \(set elsewhere, and not in the state\): account\/777788889999/);
    await project.destroy();
  });

  it("a deleted snapshot is left out with a note; other changes still apply, and the next up has no change", async () => {
    const { imageId, snapshotIds } = await emulator().image({ snapshots: 2 });
    const [s1 = "", s2 = ""] = snapshotIds;
    const config = { imageId, accountIds: ["111122223333"], createVolumePermissions: true };
    project.config(config);
    await project.up();
    await emulator().aws("ec2", "delete-snapshot", "--snapshot-id", s2);
    project.config({ ...config, accountIds: ["444455556666"] });
    assert.match((await project.preview()).replace(/\s+/g, " "), new RegExp(`note: ${s2}, of .* is gone: it is left out`));
    await project.up();
    assert.deepEqual(await emulator().launchers(imageId), ["444455556666"]);
    assert.deepEqual(await emulator().volumeCreators(s1), ["444455556666"]);
    assert.match(await project.preview("--refresh"), /2 unchanged/);

    // A deleted snapshot in snapshotIds fails its own set, as in Terraform. Other sets of the program still change.
    project.config({ ...config, createVolumePermissions: { snapshotIds: [s1, s2] } });
    const refused = new RegExp(`${s2} is gone; take it out of createVolumePermissions\\.snapshotIds \\[snapshot-not-found\\]`);
    assert.match((await project.preview()).replace(/\s+/g, " "), refused);
    assert.match((await project.fail("up", "--yes")).output.replace(/\s+/g, " "), refused);
    assert.deepEqual(await emulator().launchers(imageId), ["444455556666"]);
    project.config({ ...config, accountIds: ["444455556666"] });
    await project.destroy();
    assert.deepEqual([await emulator().launchers(imageId), await emulator().volumeCreators(s1)], [[], []]);
  });
});
