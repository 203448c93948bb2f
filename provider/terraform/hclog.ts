/** The log of a plugin: go-plugin's client takes JSON lines from standard error and shows them by their level (TF_LOG). */

export type Level = "trace" | "debug" | "info" | "warn" | "error";

/** Writes one line; `details` are named values beside the message, never credentials. */
export function log(level: Level, message: string, details: Readonly<Record<string, unknown>> = {}): void {
  const line = { "@level": level, "@message": message, "@module": "ami", "@timestamp": new Date().toISOString(), ...details };
  process.stderr.write(`${JSON.stringify(line)}\n`);
}
