/** The process of Pulumi's dynamic provider host: it stops its work on cancellation, and ends when the engine is gone. */

import { connect } from "node:net";
import { engineAddress, isProviderHost, onCancel } from "./sdkInternals";

/** Milliseconds between two checks whether the engine is still running. */
const ENGINE_CHECK_INTERVAL = 1000;
/** The engine counts as gone after so many refused connections in a row. One is not enough: on Windows a busy engine refuses, too. */
const REFUSALS_UNTIL_GONE = 2;
/** Milliseconds for running work to end. The engine kills the process after five seconds. Pulumi, sdk/go/common/resource/plugin/plugin.go, `kill`. */
const SHUTDOWN_GRACE = 2000;
/** Milliseconds for the last responses to be sent before the process exits. */
const RESPONSE_FLUSH = 200;

const running = new Set<Promise<unknown>>();
let stopping: AbortController | undefined;

/**
 * The signal to change nothing more. It is aborted when the user cancels, when the process gets a signal to end, or when the engine is gone.
 *
 * @returns undefined in every other process, such as that of a program or a test
 */
export function stopSignal(): AbortSignal | undefined {
  if (!isProviderHost()) return undefined;
  stopping ??= watched(process.argv);
  return stopping.signal;
}

/** Registers running work. Before the process exits, it waits for this work, up to SHUTDOWN_GRACE. */
export function trackWork<Result>(work: Promise<Result>): Promise<Result> {
  running.add(work);
  const done = () => running.delete(work);
  work.then(done, done);
  return work;
}

/** The same for a process that is known to be a provider. The caller can also abort it. */
export function watched(argv: readonly string[]): AbortController {
  const controller = new AbortController();
  const stop = () => controller.abort();
  onCancel(stop);
  // The engine starts the host in a separate process group, so Ctrl-C does not reach the host. The engine sends SIGINT when it needs
  // the host no more. A supervisor may also end all processes at once. In both cases, running work returns its result first.
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.on(name, () => {
      stop();
      exitWhenIdle();
    });
  const engine = engineAddress(argv);
  if (engine)
    onEngineGone(engine, () => {
      // Nobody reads the output any more: a write error must not end the process early.
      for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
      stop();
      exitWhenIdle();
    });
  return controller;
}

/** Exits when no work is running, or at the latest after SHUTDOWN_GRACE. */
function exitWhenIdle(): void {
  if (running.size === 0) process.exit();
  setTimeout(() => process.exit(), SHUTDOWN_GRACE).unref();
  Promise.allSettled([...running]).then(() => setTimeout(() => process.exit(), RESPONSE_FLUSH));
}

/**
 * Calls `gone` when nothing listens at the engine's address any more. It is not enough to watch the parent process: the parent is a
 * shell that launched this process, and it can outlive the engine.
 */
export function onEngineGone(engine: { host: string; port: number }, gone: () => void, every = ENGINE_CHECK_INTERVAL): void {
  let refusals = 0;
  const timer = setInterval(() => {
    const socket = connect(engine, () => {
      refusals = 0;
      socket.destroy();
    });
    socket.on("error", ({ code }: NodeJS.ErrnoException) => {
      socket.destroy();
      // Any other error does not mean that the engine is gone.
      if (code !== "ECONNREFUSED") return;
      refusals += 1;
      if (refusals !== REFUSALS_UNTIL_GONE) return;
      clearInterval(timer);
      gone();
    });
    socket.unref();
  }, every);
  timer.unref();
}
