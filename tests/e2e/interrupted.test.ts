/** Interrupted changes with Pulumi: by Ctrl-C during a call, and by kill -9 of the engine. Nothing more is changed, and no process is left. */

import * as assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type MadeImage, useEmulator } from "../helpers/emulator";
import { descendants, endsSoon, onlyProcess } from "../helpers/processes";
import { PulumiProject } from "../helpers/pulumiProject";
import { SlowEc2 } from "../helpers/slowEc2";

const ACCOUNT = "111122223333";
/** How many seconds a cancelled operation may take if EC2 never responds. */
const SOON = 15;
/** The launcher that Pulumi ships: a shell that waits for the provider. Pulumi, sdk/nodejs/dist/pulumi-resource-pulumi-nodejs. */
const LAUNCHER = `#!/bin/sh
script=$(node -e "console.log(require.resolve('@pulumi/pulumi/cmd/dynamic-provider'))")
node "$script" $@
`;

describe("an interrupted change by Pulumi", () => {
  const emulator = useEmulator();
  let ec2: SlowEc2;
  let project: PulumiProject;
  before(async () => {
    ec2 = new SlowEc2(emulator());
    project = await PulumiProject.create(emulator(), { env: { AWS_ENDPOINT_URL: await ec2.start() } });
    withShippedLauncher(project);
  });
  const left = new Set<number>();
  afterEach(() => {
    ec2.letGo();
    // The language host of a killed engine still runs, and so do other processes if a test fails.
    for (const pid of left) tryToEnd(pid);
    left.clear();
  });
  after(() => {
    ec2.stop();
    project.remove();
  });

  const launchersOf = async ({ imageId }: MadeImage) => emulator().launchers(imageId);
  const volumeCreatorsOf = ({ snapshotIds }: MadeImage) => Promise.all(snapshotIds.map((id) => emulator().volumeCreators(id)));
  const providerOf = ({ pid }: ChildProcess) => onlyProcess(pid, /^node .*dynamic-provider/);

  /** Starts an up, and waits until EC2 has shared the snapshots but the provider has no response yet. */
  async function upUntilHeld(ami: MadeImage) {
    project.config({ imageId: ami.imageId, accountIds: [ACCOUNT], createVolumePermissions: true });
    ec2.hold("ModifySnapshotAttribute");
    const running = project.start("up", "--yes", "--skip-preview");
    await Promise.race([ec2.holds(2), running.ended.then(({ output }) => assert.fail(output))]);
    for (const { pid } of await descendants(running.child.pid)) left.add(pid);
    return { ...running, provider: await providerOf(running.child) };
  }

  /** Sends Ctrl-C as a terminal does. Resolves when the engine says that it cancels. */
  async function interrupt({ child, ended }: Pick<Awaited<ReturnType<typeof upUntilHeld>>, "child" | "ended">): Promise<void> {
    const told = new Promise<void>((done) => {
      child.stdout?.on("data", (text) => String(text).includes("cancelling") && done());
    });
    assert.ok(child.pid);
    process.kill(-child.pid, "SIGINT");
    await Promise.race([told, ended]);
    // Gives the engine's request time to reach the provider.
    await sleep(500);
  }

  async function withinSeconds<Value>(seconds: number, waited: Promise<Value>): Promise<Value> {
    const late = sleep(seconds * 1000, undefined, { ref: false }).then(() => assert.fail(`it runs ${seconds} seconds later`));
    return Promise.race([waited, late]);
  }

  it("by Ctrl-C: stops between calls, records what was done, and the next up makes the missing call", async () => {
    const ami = await emulator().image({ snapshots: 2 });
    const running = await upUntilHeld(ami);
    await interrupt(running);
    ec2.letGo();
    const { code, output } = await withinSeconds(SOON, running.ended);
    assert.notEqual(code, 0);
    assert.match(output.replace(/\s+/g, " "), /was begun and not completed: .*\[stopped\]/);
    await endsSoon(running.provider);
    assert.deepEqual(await launchersOf(ami), [], "the provider made another call");
    assert.deepEqual(await volumeCreatorsOf(ami), [[ACCOUNT], [ACCOUNT]]);
    assert.equal((await project.state()).sets.length, 1);

    await emulator().forgetCalls();
    await project.up();
    assert.deepEqual(await emulator().modifications(), [`ModifyImageAttribute ${ami.imageId}`]);
    assert.deepEqual(await launchersOf(ami), [ACCOUNT]);
    await project.destroy();
    assert.deepEqual(await volumeCreatorsOf(ami), [[], []]);
  });

  it("by Ctrl-C in a call that EC2 never answers: ends within seconds, and says that it stopped", async () => {
    const ami = await emulator().image({ snapshots: 2 });
    const running = await upUntilHeld(ami);
    await interrupt(running);
    const { code, output } = await withinSeconds(SOON, running.ended);
    assert.notEqual(code, 0);
    assert.match(output, /\[stopped\]/);
    await endsSoon(running.provider);
    ec2.letGo();
    await project.up();
    assert.deepEqual(await launchersOf(ami), [ACCOUNT]);
    await project.destroy();
  });

  it("by Ctrl-C in a preview that EC2 never answers: ends within seconds", async () => {
    const ami = await emulator().image({ snapshots: 1 });
    project.config({ imageId: ami.imageId, accountIds: [ACCOUNT] });
    ec2.hold("DescribeImages");
    const running = project.start("preview");
    await Promise.race([ec2.holds(1), running.ended.then(({ output }) => assert.fail(output))]);
    const below = await descendants(running.child.pid);
    await interrupt(running);
    assert.notEqual((await withinSeconds(SOON, running.ended)).code, 0);
    for (const { pid } of below) await endsSoon(pid);
  });

  it("by kill -9 of the engine: the provider changes nothing more and ends, whether or not EC2 responds", async () => {
    for (const answers of [false, true]) {
      const ami = await emulator().image({ snapshots: 2 });
      const { child, ended, provider } = await upUntilHeld(ami);
      child.kill("SIGKILL");
      await ended;
      if (answers) {
        await sleep(3000);
        ec2.letGo();
      }
      await endsSoon(provider);
      ec2.letGo();
      assert.deepEqual(await launchersOf(ami), [], "the provider made another call");
      assert.deepEqual(await volumeCreatorsOf(ami), [[ACCOUNT], [ACCOUNT]]);

      // The steps that the engine tells its user: remove the lock, and clear the pending create.
      await project.succeed("cancel", "--yes");
      await project.succeed("refresh", "--yes", "--skip-preview", "--clear-pending-creates");
      await project.up();
      assert.deepEqual(await launchersOf(ami), [ACCOUNT]);
      await project.destroy();
      assert.deepEqual(await launchersOf(ami), []);
    }
  });
});

/** Puts the launcher that Pulumi ships first on the project's PATH. In this repository's engine, the provider replaces the launcher process. */
function withShippedLauncher({ folder, env }: PulumiProject): void {
  const launchers = path.join(folder, "launchers");
  fs.mkdirSync(launchers);
  fs.writeFileSync(path.join(launchers, "pulumi-resource-pulumi-nodejs"), LAUNCHER, { mode: 0o755 });
  env.PATH = `${launchers}${path.delimiter}${env.PATH}`;
}

function tryToEnd(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has already ended.
  }
}
