/** The Node.js that runs the programs and providers of the engines in most tests. */

import * as fs from "node:fs";
import * as path from "node:path";
import { ROOT } from "./emulator";

const TOOLCHAIN = path.join(ROOT, ".toolchain");

/** Also for the program, the provider and the language host: they connect only to loopback. */
export const OFFLINE = `--require ${path.join(ROOT, "tests/helpers/offlineGuard.cjs")}`;

/**
 * The variables for an engine. With FAST_ENGINES, as `npm test` sets it, Node.js keeps the compiled code, so that `pulumi up` needs a
 * quarter less CPU time. If the Node.js of the tests cannot do so, it is the newer one that set-up installed.
 *
 * @param asUsersHaveIt only the Node.js of the tests, as for examples
 */
export function nodeOfEngines(asUsersHaveIt = false): NodeJS.ProcessEnv {
  if (asUsersHaveIt || !process.env.FAST_ENGINES) return { NODE_OPTIONS: OFFLINE };
  const newer = fs.readdirSync(TOOLCHAIN).find((name) => /^node-[\d.]+$/.test(name));
  const folders = newer ? [path.join(TOOLCHAIN, newer, "bin")] : [];
  return {
    PATH: [...folders, process.env.PATH].join(path.delimiter),
    NODE_COMPILE_CACHE: path.join(TOOLCHAIN, "compiled"),
    NODE_OPTIONS: `${OFFLINE} --require ${path.join(ROOT, "tests/helpers/compiledCode.cjs")}`,
  };
}
