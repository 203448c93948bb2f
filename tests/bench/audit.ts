/**
 * The audit of many AMIs on the local EC2: its time, its memory, and its calls, which fail the run if their number is wrong.
 * `node scripts/with-env.mjs --only=npm,build,python ts-node tests/bench/audit.ts [AMIS]`
 */

import * as assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Emulator, ROOT } from "../helpers/emulator";
import { outcomeOf } from "../helpers/pulumiProject";

const MAIN = path.join(ROOT, "provider/dist/cli/main.js");
const [SNAPSHOTS, ACCOUNTS] = [2, 5];
/** Prints the most memory that the process had, in kB, when it ends. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: the other process fills it
const PEAK = 'process.on("exit",()=>process.stderr.write(`peak ${process.resourceUsage().maxRSS}\\n`))';

async function main(amis: number): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "ami-bench-"));
  const emulator = await Emulator.start();
  try {
    fs.writeFileSync(path.join(folder, "peak.cjs"), PEAK);
    const launchPermissions = Array.from({ length: ACCOUNTS }, (_, i) => ({ UserId: String(300000000000 + i) }));
    await emulator.images(Array.from({ length: amis }, () => ({ region: "eu-west-1", snapshots: SNAPSHOTS, launchPermissions })));
    await emulator.forgetCalls();
    const forms = ["html", "markdown", "json"].flatMap((form) => [`--${form}`, path.join(folder, form)]);
    const env = { ...process.env, ...emulator.environment(), NODE_OPTIONS: `--require ${path.join(folder, "peak.cjs")}` };
    const began = Date.now();
    const child = spawn(process.execPath, [MAIN, "audit", "--regions", "eu-west-1", ...forms], {
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const { code, output } = await outcomeOf(child);
    const seconds = (Date.now() - began) / 1000;
    assert.equal(code, 0, output);
    const counts = new Map<string, number>();
    for (const { action } of await emulator.calls()) counts.set(action, (counts.get(action) ?? 0) + 1);
    const sizes = ["html", "markdown", "json"].map(
      (form) => `${form} ${Math.round(fs.statSync(path.join(folder, form)).size / 1000)} kB`,
    );
    const peak = Math.round(Number(/peak (\d+)/.exec(output)?.[1]) / 1000);
    console.log(
      `${amis} AMIs with ${SNAPSHOTS} snapshots and ${ACCOUNTS} accounts each: ${seconds.toFixed(1)} s, ${peak} MB at most; ${sizes.join(", ")}`,
    );
    console.table(Object.fromEntries(counts));
    const expected = {
      DescribeImages: Math.ceil(amis / 1000),
      DescribeImageAttribute: amis,
      DescribeSnapshotAttribute: amis * SNAPSHOTS,
      GetImageBlockPublicAccessState: 1,
      GetSnapshotBlockPublicAccessState: 1,
    };
    assert.deepEqual(Object.fromEntries([...counts].sort()), Object.fromEntries(Object.entries(expected).sort()));
  } finally {
    await emulator.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

main(Number(process.argv[2] ?? 1000)).then(
  () => process.exit(0),
  (error: Error) => {
    console.error(error.message);
    process.exit(1);
  },
);
