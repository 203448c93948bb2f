/** Changes by the full Pulumi provider that are interrupted: nothing more is changed, nothing runs on, and the next up completes them. */

import * as assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { useEmulator } from "../helpers/emulator";
import { descendants, endsSoon, isAlive, onlyProcess } from "../helpers/processes";
import { declaredSet, usePluginProject, writeProgram } from "../helpers/pulumiPlugin";
import { SlowEc2 } from "../helpers/slowEc2";

const ACCOUNT = "111122223333";

describe("a change by the full Pulumi provider that is interrupted", function () {
  this.timeout(300_000);
  const emulator = useEmulator();
  let ec2: SlowEc2;
  const project = usePluginProject(emulator, async () => {
    ec2 = new SlowEc2(emulator());
    return { env: { AWS_ENDPOINT_URL: await ec2.start() } };
  });
  const started = new Set<number>();
  afterEach(() => {
    ec2.letGo();
    // The language host of a killed engine does not end by itself.
    for (const pid of started) if (isAlive(pid)) process.kill(pid, "SIGKILL");
    started.clear();
    ec2.stop();
  });

  /** Starts an up and waits until EC2 has shared the snapshots, of which the plugin has not heard yet. */
  async function upUntilHeld(imageId: string) {
    writeProgram(project(), declaredSet("golden", { imageId, accountIds: [ACCOUNT], createVolumePermissions: true }));
    ec2.hold("ModifySnapshotAttribute");
    const running = project().start("up", "--yes", "--skip-preview");
    await Promise.race([ec2.holds(2), running.ended.then(({ output }) => assert.fail(output))]);
    for (const { pid } of await descendants(running.child.pid)) started.add(pid);
    return { ...running, plugin: await onlyProcess(running.child.pid, /pulumi-resource-ami-launch-permissions/) };
  }

  it("by Ctrl-C: stops between calls, records what was done, and the next up makes the missing call", async () => {
    const { imageId, snapshotIds } = await emulator().image({ snapshots: 2 });
    const { child, ended, plugin } = await upUntilHeld(imageId);
    const told = new Promise<void>((done) => {
      child.stdout?.on("data", (text) => String(text).includes("cancelling") && done());
    });
    process.kill(-(child.pid as number), "SIGINT");
    await Promise.race([told, ended]);
    // The engine's request to the plugin is on its way.
    await sleep(500);
    ec2.letGo();
    const { code, output } = await ended;
    assert.notEqual(code, 0);
    assert.match(output.replace(/\s+/g, " "), /was begun and not completed: .*\[stopped\]/);
    await endsSoon(plugin);
    assert.deepEqual(await emulator().launchers(imageId), [], "it went on");
    for (const id of snapshotIds) assert.deepEqual(await emulator().volumeCreators(id), [ACCOUNT]);
    await emulator().forgetCalls();
    await project().up();
    assert.deepEqual(await emulator().modifications(), [`ModifyImageAttribute ${imageId}`]);
    await project().destroy();
    assert.deepEqual(await emulator().launchers(imageId), []);
  });

  it("by kill -9 of the engine: the plugin changes nothing more and ends by itself", async () => {
    const { imageId } = await emulator().image({ snapshots: 2 });
    const { child, ended, plugin } = await upUntilHeld(imageId);
    child.kill("SIGKILL");
    await ended;
    await sleep(3000);
    ec2.letGo();
    await endsSoon(plugin);
    assert.deepEqual(await emulator().launchers(imageId), [], "it went on");
  });
});
