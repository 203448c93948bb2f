// The local EC2 endpoint. Run it by hand (`npm run -s emulator -- --port N`), or start and stop it from a test or the demo.
// @ts-check
import { spawn } from "node:child_process";
import { realpathSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { PYTHON, ROOT } from "./environment.mjs";
import { setupOrExit } from "./setup.mjs";

/** Moto starts in about two seconds. A busy machine can take longer. */
const START_LIMIT_MS = 60_000;
/** Moto ends at once when it gets a signal. After this time, it is killed. */
const STOP_LIMIT_MS = 3_000;

/**
 * Starts an endpoint. It ends with `stop()`, or when this process ends for any reason.
 * @param {{ port?: number, log?: string }} [options] Port 0 selects a free port. `log` is a file for one line for each request.
 * @returns {Promise<{ url: string, stop: () => Promise<void>, ended: Promise<void> }>}
 */
export async function startEmulator({ port = 0, log } = {}) {
  const args = [join(ROOT, "emulator", "serve.py"), "--port", String(port), "--with-parent", ...(log ? ["--log", log] : [])];
  const child = spawn(join(PYTHON, "bin", "python"), args, { stdio: ["ignore", "pipe", "pipe"] });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    errors = (errors + text).slice(-20_000);
  });
  /** @type {Promise<void>} */
  const ended = new Promise((resolve) => {
    child.once("close", () => resolve());
    child.once("error", () => resolve());
  });
  const stop = async () => {
    child.kill("SIGTERM");
    const late = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
    await ended;
    clearTimeout(late);
  };
  try {
    const url = await readyLine(child, ended, () => errors);
    // The child process and its pipes do not keep a finished test run alive.
    child.unref();
    for (const stream of [child.stdout, child.stderr]) /** @type {import("node:net").Socket} */ (stream).unref();
    return { url, stop, ended };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * @param {import("node:child_process").ChildProcessByStdio<null, import("node:stream").Readable, import("node:stream").Readable>} child
 * @param {Promise<void>} ended
 * @param {() => string} errors
 * @returns {Promise<string>}
 */
function readyLine(child, ended, errors) {
  return new Promise((resolve, reject) => {
    const late = setTimeout(
      () => reject(new Error(`the emulator was not ready within ${START_LIMIT_MS / 1000} s\n${errors()}`)),
      START_LIMIT_MS,
    );
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (chunk) => {
      text += chunk;
      const url = /emulator ready (\S+)\n/.exec(text)?.[1];
      if (url === undefined) return;
      clearTimeout(late);
      resolve(url);
    });
    child.once("error", (error) => {
      clearTimeout(late);
      reject(new Error(`the emulator cannot be started (${error.message}): run \`npm run setup\``));
    });
    ended.then(() => {
      clearTimeout(late);
      reject(new Error(`the emulator did not start\n${errors()}`));
    });
  });
}

/** @param {string} url */
function howToUse(url) {
  return `The local EC2 endpoint listens at ${url} until it is interrupted (Ctrl-C). In another shell:

  export AWS_ENDPOINT_URL=${url}
  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1

An AMI with two snapshots, to try things on:

  curl -s ${url}/overlay/images -d '{"snapshots": 2}'

What else it can be told (faults, quotas, slow reads): emulator/README.md
`;
}

async function main() {
  const { values } = parseArgs({ options: { port: { type: "string", default: "0" }, log: { type: "string" } } });
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`--port ${values.port} is not a port`);
  await setupOrExit({ quiet: true, only: ["python"] });
  const { url, stop, ended } = await startEmulator({ port, ...(values.log === undefined ? {} : { log: values.log }) });
  // The child does not keep this process alive. The timer does, while the child runs.
  const held = setInterval(() => undefined, 2 ** 30);
  void ended.then(() => clearInterval(held));
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
    process.once(signal, () => void stop().then(() => process.exit(0)));
  }
  process.stdout.write(howToUse(url));
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  main().catch((/** @type {Error} */ error) => {
    process.stderr.write(`emulator: ${error.message.trim()}\n`);
    process.exitCode = 1;
  });
}
