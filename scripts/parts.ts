/** Replaces the generated parts of files. Each part is between a line with BEGIN and a line with END. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(__dirname, "..");

/** Each file, with the text of each of its generated parts by name. */
export type Parts = Readonly<Record<string, Readonly<Record<string, string>>>>;

/**
 * Writes the parts into the files.
 *
 * @param source names what a part is written from, for the line with BEGIN
 * @param onlyCheck writes nothing, and returns the files that are out of date
 * @returns the files that were out of date
 */
export function writeParts(files: Parts, source: (file: string) => string, onlyCheck: boolean): string[] {
  return Object.entries(files).flatMap(([file, parts]) => {
    const path = join(ROOT, file);
    const old = readFileSync(path, "utf8");
    const written = Object.entries(parts).reduce((text, [name, part]) => withPart(file, text, name, part, source(file)), old);
    if (written === old) return [];
    if (!onlyCheck) writeFileSync(path, written);
    return [file];
  });
}

/** Replaces one generated part in the text of a file. */
function withPart(file: string, text: string, name: string, part: string, source: string): string {
  const isPage = file.endsWith(".md");
  const [begin, end] = isPage
    ? [`<!-- BEGIN ${name}: ${source} -->\n`, `\n<!-- END ${name} -->`]
    : [`// BEGIN ${name}: ${source}\n`, `// END ${name}\n`];
  const [before, rest] = text.split(begin);
  const [, after] = rest?.split(end) ?? [];
  if (before === undefined || after === undefined) throw new Error(`${file} has no ${begin.trim()} … ${end.trim()}`);
  const indent = /[ ]*$/.exec(before)?.[0] ?? "";
  return `${before}${begin}\n${part}\n${isPage ? "" : `\n${indent}`}${end}${after}`;
}
