/** Parsing and formatting durations in Go's format, which Terraform and Pulumi use. */

/** Seconds. Go, package time, ParseDuration. */
const UNITS: Readonly<Record<string, number>> = { ns: 1e-9, us: 1e-6, µs: 1e-6, μs: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 };
const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g;
/** Go stores a duration as a signed 64-bit number of nanoseconds. */
const LONGEST = 2 ** 63 * 1e-9;

/** The seconds of a duration such as `30m` or `1h30m`. Undefined if the text is not a duration. */
export function durationSeconds(text: string): number | undefined {
  const unsigned = text.replace(/^\+/, "");
  const parts = [...unsigned.matchAll(PART)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== unsigned) return undefined;
  const seconds = parts.reduce((sum, [, amount, unit = ""]) => sum + Number(amount) * (UNITS[unit] ?? 0), 0);
  return seconds < LONGEST ? seconds : undefined;
}

/** Formats seconds as a duration, such as `1h30m`. */
export function durationWords(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)}ms`;
  const whole = Math.round(seconds);
  const parts = { h: Math.floor(whole / 3600), m: Math.floor(whole / 60) % 60, s: whole % 60 };
  return Object.entries(parts)
    .map(([unit, amount]) => (amount > 0 ? `${amount}${unit}` : ""))
    .join("");
}
