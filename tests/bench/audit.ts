/** Measures the command `audit` with many AMIs on the local EC2: its time, its memory, and its calls. */

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

export interface AuditRow {
  readonly amis: number;
  readonly snapshotsEach: number;
  readonly accountsEach: number;
  readonly seconds: number;
  readonly peakMegabytes: number;
  /** Form → size in kB. */
  readonly sizes: Readonly<Record<"html" | "markdown" | "json", number>>;
  /** Action → number of calls. */
  readonly calls: Readonly<Record<string, number>>;
}

/** @throws AssertionError if the audit fails, or makes another number of calls than docs/audit.md says */
export async function measureAudit(amis: number): Promise<AuditRow> {
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
    const calls: Record<string, number> = {};
    for (const { action } of await emulator.calls()) calls[action] = (calls[action] ?? 0) + 1;
    assert.deepEqual(calls, {
      DescribeImages: Math.ceil(amis / 1000),
      DescribeImageAttribute: amis,
      DescribeSnapshotAttribute: amis * SNAPSHOTS,
      GetImageBlockPublicAccessState: 1,
      GetSnapshotBlockPublicAccessState: 1,
    });
    const size = (form: string) => Math.round(fs.statSync(path.join(folder, form)).size / 1000);
    return {
      ...{ amis, snapshotsEach: SNAPSHOTS, accountsEach: ACCOUNTS, seconds, calls },
      peakMegabytes: Math.round(Number(/peak (\d+)/.exec(output)?.[1]) / 1000),
      sizes: { html: size("html"), markdown: size("markdown"), json: size("json") },
    };
  } finally {
    await emulator.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
