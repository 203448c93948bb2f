/** W2 with the real CLIs: how long a set waits for EC2, what is shown meanwhile, and which argument makes it wait longer. */

import * as assert from "node:assert/strict";
import { useEmulator } from "../helpers/emulator";
import { PulumiProject } from "../helpers/pulumiProject";
import { TerraformProject } from "../helpers/terraformProject";

const A = "111122223333";
/** A progress message every half second, instead of every 30 seconds. */
const OFTEN = { AMI_LAUNCH_PERMISSIONS_SIGN_OF_LIFE_MS: "500" };
const NEVER = 1e6;

describe("a set that waits for EC2", function () {
  this.timeout(300_000);
  const emulator = useEmulator();
  afterEach(() => emulator().configure({ staleReads: 0 }));

  it("shows on Pulumi's display what it waits for, ends at its timeout, and continues with a longer one", async () => {
    const project = await PulumiProject.create(emulator(), { env: OFTEN });
    try {
      const { imageId } = await emulator().image();
      project.config({ imageId, accountIds: [A], timeouts: { create: "3s" } });
      await emulator().configure({ staleReads: NEVER });
      const { output } = await project.fail("up", "--yes", "--skip-preview");
      assert.match(
        output,
        new RegExp(
          `waiting for EC2 to show the change of AMI ${imageId}: not shown yet: account/${A} \\(launch\\) \\(\\d\\w* of 3s\\)`,
        ),
      );
      const told = output.replace(/\s+/g, " ");
      assert.match(
        told,
        /does not show it after 3s; repeat later: .*; to wait longer, raise timeouts\.create and timeouts\.update \[not-visible\]/,
      );

      await emulator().configure({ staleReads: 0 });
      project.config({ imageId, accountIds: [A], timeouts: { create: "30m", update: "1h30m" } });
      await project.up();
      assert.deepEqual((await project.outputs()).grants, { [`account/${A}`]: "launch" });
    } finally {
      project.remove();
    }
  });

  it("shows in Terraform's log what it waits for and which argument to raise; timeouts alone change nothing", async () => {
    const project = await TerraformProject.create(emulator(), "", { env: { ...OFTEN, TF_LOG_PROVIDER: "info" } });
    try {
      const { imageId } = await emulator().image();
      const set = { image_id: imageId, account_ids: [A] };
      project.declare({ golden: { ...set, timeouts: { create: "3s" } } });
      await emulator().configure({ staleReads: NEVER });
      const { output } = await project.run("apply", "-auto-approve");
      assert.match(output, new RegExp(`waiting for EC2 to show the change of AMI ${imageId}: not shown yet: account/${A} `));
      assert.match(output.replace(/[\s│]+/g, " "), /raise timeouts\.create and timeouts\.update \[not-visible\]/);

      await emulator().configure({ staleReads: 0 });
      project.declare({ golden: { ...set, timeouts: { update: "30m" } } });
      await project.apply();
      assert.ok(await project.isSettled());
      await emulator().forgetCalls();
      project.declare({ golden: { ...set, timeouts: { update: "1h30m", delete: "5m" } } });
      await project.apply();
      assert.deepEqual(await emulator().modifications(), []);
      assert.ok(await project.isSettled());
    } finally {
      project.remove();
    }
  });
});
