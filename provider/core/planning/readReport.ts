/** Reads the text of a report back: the inverse of report.ts, for tools that have only the output of an engine. No I/O. */

import { type GranteeKey, isGranteeKey } from "../model";

/** What a report says about one AMI. A report on a replaced set has two sections. */
export interface ReportSection {
  readonly imageId: string;
  /** undefined: the report does not name it. */
  readonly region: string | undefined;
  /** `change`: a create or an update, read from EC2. `removal`: of a set, from its record. */
  readonly kind: "change" | "removal";
  /** How many grantees gain, lose and keep access, by the heading. */
  readonly counts: { readonly gains: number; readonly loses: number; readonly keeps: number };
  readonly entries: readonly ReadEntry[];
  readonly warnings: readonly string[];
  /** What will be refused. */
  readonly refusals: readonly string[];
  readonly notes: readonly string[];
  readonly broadens: readonly string[];
  /** The other sets that declare grantees of the AMI, too. */
  readonly alsoDeclared: readonly string[];
}

/** One line of a report about grantees. */
export interface ReadEntry {
  readonly sign: "+" | "-" | "=";
  /** The permissions, as in a grants map. */
  readonly words: string;
  readonly why: string;
  /** The grantees that the line names. */
  readonly grantees: readonly GranteeKey[];
  /** How many more there are, which it does not name: a line can be cut, or grantees can be a secret. */
  readonly unnamed: number;
}

/** A line that begins a section. Its entries are the lines with a deeper indent. */
const CHANGE = /^AMI (ami-[0-9a-f]+) in (\S+): /;
const REMOVAL =
  /^(?:then |first )?AMI (ami-[0-9a-f]+)(?:, whose set is replaced,)? (?:is unshared|stays shared|loses every grant|keeps every grant)/;
const ENTRY = /^([-+=]) (.+?) \(((?:[^()]|\([^()]*\))+)\): (.+)$/s;

/** What was read. */
export interface ReadText {
  readonly sections: readonly ReportSection[];
  /** The lines before the first section. A text that is no report has only these. */
  readonly others: readonly string[];
}

/** Reads a report. */
export function readReport(text: string): ReadText {
  const sections: Mutable[] = [];
  const others: string[] = [];
  for (const line of unwrapped(text)) {
    const change = CHANGE.exec(line);
    const removal = change ? null : REMOVAL.exec(line);
    const [, imageId = "", region] = change ?? removal ?? [];
    if (imageId !== "") {
      // The same set can be reported with and without an option.
      const known = removal && sections.find((one) => one.imageId === imageId && one.kind === "removal");
      if (!known) sections.push(begun(imageId, region, change ? "change" : "removal", line));
      continue;
    }
    const section = sections.at(-1);
    if (section) readLine(section, line);
    else others.push(line);
  }
  return { sections, others };
}

type Mutable = {
  -readonly [Name in keyof ReportSection]: ReportSection[Name] extends readonly (infer Item)[] ? Item[] : ReportSection[Name];
};

function begun(imageId: string, region: string | undefined, kind: ReportSection["kind"], heading: string): Mutable {
  const count = (verb: string) => Number(new RegExp(`(\\d+) ${verb}s?\\b`).exec(heading)?.[1] ?? 0);
  const counts = { gains: count("gain"), loses: count("lose"), keeps: count("keep") };
  return { imageId, region, kind, counts, entries: [], warnings: [], refusals: [], notes: [], broadens: [], alsoDeclared: [] };
}

const LISTS: readonly [start: string, list: "warnings" | "refusals" | "notes" | "broadens" | "alsoDeclared"][] = [
  ["warning: ", "warnings"],
  ["will fail: ", "refusals"],
  ["note: ", "notes"],
  ["broadens access: ", "broadens"],
  ["also declared by ", "alsoDeclared"],
];

function readLine(section: Mutable, line: string): void {
  const entry = entryOf(line);
  if (entry) section.entries.push(entry);
  const [start, list] = LISTS.find(([begin]) => line.startsWith(begin)) ?? [];
  if (start !== undefined && list !== undefined) section[list].push(line.slice(start.length));
}

function entryOf(line: string): ReadEntry | undefined {
  const [, sign, words = "", within = "", names = ""] = ENTRY.exec(line) ?? [];
  if (sign !== "+" && sign !== "-" && sign !== "=") return undefined;
  const why = within.replace(/; \d+$/, "");
  const counted = /^(\d+) grantees?$/.exec(names);
  if (counted) return { sign, words, why, grantees: [], unnamed: Number(counted[1]) };
  const more = / and (\d+) more$/.exec(names);
  const listed = (more ? names.slice(0, more.index) : names).split(", ");
  const grantees = listed.filter(isGranteeKey);
  return { sign, words, why, grantees, unnamed: Number(more?.[1] ?? 0) + listed.length - grantees.length };
}

/** The lines without indent, each joined with its continuations. A continuation has an indent of six. */
function unwrapped(text: string): string[] {
  const lines: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const last = lines.length - 1;
    if (/^ {6}\S/.test(line) && last >= 0) lines[last] = `${lines[last]} ${line.trim()}`;
    else if (line.trim() !== "") lines.push(line.trim());
  }
  return lines;
}
