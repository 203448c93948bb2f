/** Loads the parsers of YAML and CSV, when there is such a file to read. */

type Parsers = typeof import("./parsers");

export function parsers(): Parsers {
  return require("./parsers") as Parsers;
}
