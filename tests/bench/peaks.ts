/** The peak of the memory of the Node.js processes that an engine starts. */

import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { ROOT } from "../helpers/emulator";

const PRELOADED = ["tests/helpers/offlineGuard.cjs", "tests/bench/peak.cjs"].map((file) => `--require ${path.join(ROOT, file)}`);

/** The main files of the processes. */
export const PROGRAM = /[\\/]cmd[\\/]run\b/;
export const DYNAMIC_PROVIDER = /[\\/]cmd[\\/]dynamic-provider\b/;
export const TERRAFORM_PROVIDER = /terraform-provider-ami_v/;

export class Peaks {
  private readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), "ami-bench-"));
  /** The environment of the engine. */
  readonly env = { NODE_OPTIONS: PRELOADED.join(" "), PEAK_FOLDER: this.folder };

  /** Runs an engine. The result gives the highest peak of the processes with a main file, in MB. */
  async during(run: () => Promise<unknown>): Promise<(mainFile: RegExp) => number> {
    for (const name of fs.readdirSync(this.folder)) fs.rmSync(path.join(this.folder, name));
    await run();
    const found = fs.readdirSync(this.folder).map((name) => {
      const text = fs.readFileSync(path.join(this.folder, name), "utf8");
      return JSON.parse(text) as { program: string; kilobytes: number };
    });
    return (mainFile) => {
      const peaks = found.filter(({ program }) => mainFile.test(program)).map(({ kilobytes }) => kilobytes);
      return Math.round(Math.max(0, ...peaks) / 1024);
    };
  }

  remove(): void {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}
