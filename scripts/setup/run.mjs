// Runs one command of set-up: keeps its output for an error message, and stops the command when set-up is stopped.
// @ts-check
import { spawn } from "node:child_process";

/** A failure that is shown to the user as a message, without a stack trace. */
export class SetupError extends Error {}

const SHOWN_LINES = 20;

/** @type {Set<import("node:child_process").ChildProcess>} */
const running = new Set();

/**
 * @typedef {object} RunOptions
 * @property {string} cwd
 * @property {NodeJS.ProcessEnv} [env] Added to the current environment.
 * @property {number} [silenceSeconds] Stop the command if it prints nothing for this time.
 */

/**
 * @param {string} command
 * @param {string[]} args
 * @param {RunOptions} options
 * @returns {Promise<void>}
 */
export function run(command, args, { cwd, env, silenceSeconds }) {
  return new Promise((done, fail) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      // Its own process group, so that its children are stopped with it.
      detached: true,
    });
    running.add(child);
    let output = "";
    let silence = watchSilence();
    function watchSilence() {
      return silenceSeconds ? setTimeout(() => stop(child, "SIGKILL"), silenceSeconds * 1000) : undefined;
    }
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        output += text;
        clearTimeout(silence);
        silence = watchSilence();
      });
    }
    child.on("error", (error) => {
      running.delete(child);
      clearTimeout(silence);
      fail(new SetupError(`cannot start ${command}: ${error.message}`, { cause: error }));
    });
    child.on("close", (code, signal) => {
      running.delete(child);
      clearTimeout(silence);
      if (code === 0) done();
      else
        fail(
          new SetupError(`${shortened(output)}\n\`${[command, ...args].join(" ")}\` ended with ${signal ?? `exit code ${code}`}`),
        );
    });
  });
}

/**
 * Until the returned function is called, a signal that ends this process also ends the commands that it runs.
 * @param {() => void} clean
 */
export function stopOnSignals(clean) {
  /** @type {[NodeJS.Signals, () => void][]} */
  const handlers = ["SIGINT", "SIGTERM", "SIGHUP"].map((name) => {
    const signal = /** @type {NodeJS.Signals} */ (name);
    return [signal, () => stopAll(signal)];
  });
  /** @param {NodeJS.Signals} signal */
  function stopAll(signal) {
    for (const child of running) stop(child, "SIGTERM");
    release();
    clean();
    process.kill(process.pid, signal);
  }
  function release() {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  }
  for (const [signal, handler] of handlers) process.on(signal, handler);
  return release;
}

/**
 * The beginning and the end of the output: npm shows its error at the beginning, Go and pip at the end.
 * @param {string} output
 */
function shortened(output) {
  const lines = output.trim().split("\n");
  if (lines.length <= 2 * SHOWN_LINES) return lines.join("\n");
  return [...lines.slice(0, SHOWN_LINES), "…", ...lines.slice(-SHOWN_LINES)].join("\n");
}

/**
 * @param {import("node:child_process").ChildProcess} child
 * @param {NodeJS.Signals} signal
 */
function stop(child, signal) {
  try {
    if (child.pid) process.kill(-child.pid, signal);
  } catch {
    // The process has ended already.
  }
}
