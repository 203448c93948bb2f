/** Measures the file of the Terraform provider: its size, and how much of it has run by the handshake and by the end of a plan, as V8 counts it. */

import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { gzipSync } from "node:zlib";
import { PROVIDER_FILE } from "ami-launch-permissions/terraform";
import { Emulator } from "../helpers/emulator";
import { startPlugin } from "../helpers/pluginClient";
import { TerraformProject } from "../helpers/terraformProject";
import { accounts } from "./calls";

/** A text that only the EC2 client contains: the code around it runs when the client is loaded. */
const EC2_CLIENT = "com.amazonaws.ec2";

export interface Loaded {
  /** The share of the file, from 0 to 1, that is in functions that ran. */
  readonly ran: number;
  readonly ec2Client: boolean;
}

export interface Bundle {
  readonly kilobytes: number;
  readonly kilobytesGzipped: number;
  readonly atHandshake: Loaded;
  readonly afterPlan: Loaded;
}

export async function measureBundle(): Promise<Bundle> {
  const text = fs.readFileSync(PROVIDER_FILE);
  const kilobytes = (bytes: Uint8Array) => Math.round(bytes.length / 1000);
  return {
    kilobytes: kilobytes(text),
    kilobytesGzipped: kilobytes(gzipSync(text)),
    atHandshake: await loadedBy(async (env) => {
      const { child } = await startPlugin(env);
      const ended = new Promise((done) => child.once("close", done));
      child.kill("SIGTERM");
      await ended;
    }),
    afterPlan: await loadedBy(planned),
  };
}

/** A Terraform plan of a set that does not exist yet. */
async function planned(env: Record<string, string>): Promise<void> {
  const emulator = await Emulator.start();
  const project = await TerraformProject.create(emulator, "", { env });
  try {
    const { imageId } = await emulator.image({ snapshots: 2 });
    project.declare({ golden: { image_id: imageId, account_ids: accounts(2) } });
    await project.plan();
  } finally {
    project.remove();
    await emulator.stop();
  }
}

/** The coverage of the process that ran the most code. */
async function loadedBy(run: (env: Record<string, string>) => Promise<void>): Promise<Loaded> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "ami-bench-"));
  try {
    await run({ NODE_V8_COVERAGE: folder });
    const processes = fs.readdirSync(folder).map((name) => loadedIn(fs.readFileSync(path.join(folder, name), "utf8")));
    const [most] = processes.sort((a, b) => b.ran - a.ran);
    if (!most) throw new Error("V8 told nothing of the provider");
    return most;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** V8's coverage, as NODE_V8_COVERAGE writes it. */
interface Coverage {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly { readonly ranges: readonly { startOffset: number; endOffset: number; count: number }[] }[];
  }[];
}

function loadedIn(coverage: string): Loaded {
  const script = (JSON.parse(coverage) as Coverage).result.find(({ url }) => url.endsWith(path.basename(PROVIDER_FILE)));
  const text = fs.readFileSync(PROVIDER_FILE, "utf8");
  const at = text.indexOf(EC2_CLIENT);
  if (!script || at < 0) throw new Error(`there is no coverage of the provider, or no ${EC2_CLIENT} in it`);
  // An inner function comes after the function that contains it, and an inner range after the outer range.
  const ran = new Uint8Array(text.length);
  for (const { ranges } of script.functions)
    for (const { startOffset, endOffset, count } of ranges) ran.fill(count > 0 ? 1 : 0, startOffset, endOffset);
  return { ran: ran.reduce((sum, one) => sum + one, 0) / text.length, ec2Client: ran[at] === 1 };
}
