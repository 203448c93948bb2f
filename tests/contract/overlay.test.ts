/** Runs the emulator's own tests, which are written in Python, as one test. */

import { execFile } from "node:child_process";
import * as path from "node:path";
import { promisify } from "node:util";
import { ROOT } from "../helpers/emulator";

describe("the overlay of the emulator", () => {
  it("passes its own checks", async () => {
    const python = path.join(ROOT, ".toolchain/python/bin/python");
    try {
      await promisify(execFile)(python, ["-m", "unittest", "discover", "emulator"], { cwd: ROOT, maxBuffer: 2 ** 26 });
    } catch (error) {
      throw new Error((error as { stderr?: string }).stderr || String(error));
    }
  }).timeout(300_000);
});
