/** The process that the engine's host of dynamic providers runs in: what stops its work, and that it ends once the engine is gone. */

import { connect, Server } from "node:net";

/** Milliseconds between two looks at whether the engine is there. */
const LOOK_EVERY = 1000;
/** Refused connections in a row that mean that the engine is gone: on Windows a busy one refuses, too. */
const REFUSALS = 2;
/** For work under way to end; the engine kills five seconds after it asked. Pulumi, sdk/go/common/resource/plugin/plugin.go, `kill`. */
const STOP_TIMEOUT_MS = 2000;
/** Milliseconds for answers to leave before the process does. */
const LAST_WORDS = 200;

/** The file that the host runs: Pulumi, sdk/nodejs/cmd/dynamic-provider. */
const HOST = /[\\/]@pulumi[\\/]pulumi[\\/]cmd[\\/]dynamic-provider[\\/]index\.js$/;
/** The RPC by which the engine says that its user cancels: Pulumi, proto/pulumi/provider.proto. */
const CANCEL = "/pulumirpc.ResourceProvider/Cancel";

const running = new Set<Promise<unknown>>();
let stopping: AbortController | undefined;

/**
 * Aborted when nothing more is to be changed: the user cancels, the process is asked to end, or the engine is gone.
 *
 * @returns undefined in every process but that of the host, such as a program's or a test's
 */
export function stopSignal(): AbortSignal | undefined {
  if (!HOST.test(require.main?.filename ?? "")) return undefined;
  stopping ??= watched(process.argv);
  return stopping.signal;
}

/** Work that the process does not end before, as long as its patience lasts. */
export function working<Result>(work: Promise<Result>): Promise<Result> {
  running.add(work);
  const done = () => running.delete(work);
  work.then(done, done);
  return work;
}

function watched(argv: readonly string[]): AbortController {
  const controller = new AbortController();
  const stop = () => controller.abort();
  onCancel(stop);
  // The engine starts the host in a process group of its own, so that Ctrl-C does not reach it; it interrupts the host when it is
  // done with it. A supervisor may end all processes at once: then what was done is to be answered first.
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.on(name, () => {
      stop();
      end();
    });
  const engine = engineAddress(argv);
  if (engine)
    onceGone(engine, () => {
      // Nobody reads what is printed any more.
      for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
      stop();
      end();
    });
  return controller;
}

/** Ends the process once nothing is under way, or soon. */
function end(): void {
  if (running.size === 0) process.exit();
  setTimeout(() => process.exit(), STOP_TIMEOUT_MS).unref();
  Promise.allSettled([...running]).then(() => setTimeout(() => process.exit(), LAST_WORDS));
}

/** Where the engine listens: the host's last argument. Pulumi, sdk/nodejs/cmd/dynamic-provider/index.ts, `main`. */
export function engineAddress(argv: readonly string[]): { host: string; port: number } | undefined {
  const [, host, port] = /^(127\.\d+\.\d+\.\d+|localhost|\[::1\]):(\d+)$/.exec(argv.at(-1) ?? "") ?? [];
  return host && port ? { host: host.replace(/[[\]]/g, ""), port: Number(port) } : undefined;
}

/**
 * Calls back once nothing listens there any more. The parent process would not do: the engine's launcher is a shell that stays
 * between the two, and outlives the engine.
 */
export function onceGone(engine: { host: string; port: number }, gone: () => void, every = LOOK_EVERY): void {
  let refusals = 0;
  const timer = setInterval(() => {
    const socket = connect(engine, () => {
      refusals = 0;
      socket.destroy();
    });
    socket.on("error", ({ code }: NodeJS.ErrnoException) => {
      socket.destroy();
      // Any other failure says nothing of the engine.
      if (code !== "ECONNREFUSED") return;
      refusals += 1;
      if (refusals !== REFUSALS) return;
      clearInterval(timer);
      gone();
    });
    socket.unref();
  }, every);
  timer.unref();
}

/**
 * Calls back when the engine cancels. The SDK's host answers that RPC by itself and tells nobody (sdk/nodejs/cmd/dynamic-provider/index.ts,
 * `cancel`), so this listens beside it, at the HTTP/2 server under its gRPC server. `_getActiveHandles` is Node.js's, and not
 * documented: where there is none, cancelling waits for the calls under way, as it does without this.
 */
export function onCancel(cancel: () => void): void {
  const handles = (process as { _getActiveHandles?: () => unknown[] })._getActiveHandles?.() ?? [];
  for (const handle of handles)
    if (handle instanceof Server && handle.listenerCount("stream") > 0)
      handle.on("stream", (_stream: unknown, headers?: Record<string, unknown>) => {
        if (headers?.[":path"] === CANCEL) cancel();
      });
}
