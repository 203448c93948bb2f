/** Where the command writes: its streams, colours, and the progress of long work. */

import { styleText } from "node:util";

/** A stream that can be a terminal. */
export type Stream = Pick<NodeJS.WritableStream, "write"> & { readonly isTTY?: boolean; readonly columns?: number };

/** The streams and the environment of one run. Tests give their own. */
export interface Terminal {
  readonly stdout: Stream;
  readonly stderr: Stream;
  readonly env: NodeJS.ProcessEnv;
}

type Format = Parameters<typeof styleText>[0];

/** Puts a text in a format, or leaves it as it is. */
export type Paint = (format: Format, text: string) => string;

/** Colours on a terminal, and never with `NO_COLOR`; with `FORCE_COLOR` also elsewhere, as https://no-color.org and Node.js have it. */
export function paintFor({ isTTY = false }: Stream, { NO_COLOR, FORCE_COLOR, TERM }: NodeJS.ProcessEnv): Paint {
  const forced = FORCE_COLOR !== undefined && FORCE_COLOR !== "0";
  const has = forced || (isTTY && !NO_COLOR && FORCE_COLOR !== "0" && TERM !== "dumb");
  return has ? (format, text) => styleText(format, text, { validateStream: false }) : (_, text) => text;
}

/** Writes errors to standard error, a line each. */
export function tellErrors(texts: readonly string[], { stderr, env }: Pick<Terminal, "stderr" | "env">): void {
  const paint = paintFor(stderr, env);
  for (const text of texts) stderr.write(`${paint("red", text)}\n`);
}

/** Tells how far long work is. */
export interface Progress {
  /** @param done how many of `total` are done; `total` is 0 while it is not known */
  at(what: string, done: number, total: number): void;
  /** Removes the line. */
  end(): void;
}

/** The time between two lines where lines cannot be replaced, and between two changes of the line on a terminal. Milliseconds. */
const LINE_INTERVAL_MS = 10_000;
const CHANGE_INTERVAL_MS = 100;
const ERASE_LINE = "\r\u001b[2K";

/** Progress on standard error: one line that changes on a terminal; elsewhere a line every ten seconds. */
export function progressOn({ stderr }: Pick<Terminal, "stderr">, now: () => number = Date.now): Progress {
  const { isTTY = false, columns = 80 } = stderr;
  let told = isTTY ? 0 : now();
  let shown = false;
  return {
    at(what, done, total) {
      if (now() - told < (isTTY ? CHANGE_INTERVAL_MS : LINE_INTERVAL_MS)) return;
      told = now();
      const text = total > 0 ? `${what}: ${done} of ${total}` : `${what}: ${done}`;
      stderr.write(isTTY ? ERASE_LINE + text.slice(0, columns - 1) : `${text}\n`);
      shown = isTTY;
    },
    end() {
      if (shown) stderr.write(ERASE_LINE);
      shown = false;
    },
  };
}
