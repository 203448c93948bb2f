/** The log of a plugin: go-plugin's client takes JSON lines from standard error and shows them by their level (TF_LOG). */

export type Level = "trace" | "debug" | "info" | "warn" | "error";

/** Takes one message; `details` are named values beside it, never credentials. */
export type Log = (level: Level, message: string, details?: Readonly<Record<string, unknown>>) => void;

/** Writes a line to standard error. */
export const hclog: Log = (level, message, details = {}) => {
  // hashicorp/go-plugin, log_entry.go: a time without microseconds makes the line no log line.
  const time = new Date().toISOString().replace("Z", "000Z");
  const line = { "@level": level, "@message": message, "@module": "ami", "@timestamp": time, ...details };
  process.stderr.write(`${JSON.stringify(line)}\n`);
};
