/** The log of the plugin: JSON lines on standard error, which go-plugin's client shows by their level (TF_LOG). */

export type Level = "trace" | "debug" | "info" | "warn" | "error";

/** Logs one message. `details` are named values; they never contain credentials. */
export type Log = (level: Level, message: string, details?: Readonly<Record<string, unknown>>) => void;

/** Writes a line to standard error. */
export const hclog: Log = (level, message, details = {}) => {
  // hashicorp/go-plugin, log_entry.go: the client does not recognize a log line whose time has no microseconds.
  const time = new Date().toISOString().replace("Z", "000Z");
  const line = { "@level": level, "@message": message, "@module": "ami", "@timestamp": time, ...details };
  process.stderr.write(`${JSON.stringify(line)}\n`);
};
