/** Reads lists from files that people keep: rows of an id and a name in JSON, YAML, CSV or plain text. The parsers are loaded on first use. */

import * as fs from "node:fs";
import { escapeInvisible } from "./escape";
import { parsers } from "./lateParsers";
import { MAX_LIST_FILE_BYTES, MAX_YAML_BYTES } from "./limits";

export type ListFormat = "json" | "yaml" | "csv" | "text";

/** One entry of a list. */
export interface ListRow {
  /** The place in the file, such as `line 3`, for messages. */
  readonly at: string;
  readonly id: unknown;
  /** Absent if the list has no names. */
  readonly name?: unknown;
}

/** A file or a text that is not a list. The message says why, in words for users. */
export class ListProblem extends Error {}

/**
 * The rows of a file.
 *
 * @throws ListProblem if the file cannot be read or is not a list
 */
export function listInFile(path: string): ListRow[] {
  const format = formatOf(path);
  const most = format === "yaml" ? MAX_YAML_BYTES : MAX_LIST_FILE_BYTES;
  return listInText(textOf(path, most), format);
}

/**
 * The rows of a text. JSON and YAML: a map from id to name, a list of ids, or a list of objects with `Id` and `Name`, also below `Accounts` as
 * the AWS CLI prints it. CSV: with a header, the columns of the id and of the name; without one, the first two. Text: one id in each line.
 *
 * @throws ListProblem
 */
export function listInText(text: string, format: ListFormat): ListRow[] {
  const rows = READERS[format](text.replace(/^\ufeff/, ""));
  if (rows.length === 0) throw new ListProblem("is empty");
  return rows;
}

/** The rows of plain data. Two keys of one object cannot be equal here: the text of a file has to be checked for that. */
export function listInData(data: unknown): ListRow[] {
  if (Array.isArray(data)) return data.map((item, i) => ({ at: `entry ${i + 1}`, ...rowOf(item) }));
  if (typeof data !== "object" || data === null) throw new ListProblem("is neither a map nor a list");
  const { Accounts: listed, accounts = listed } = data as { Accounts?: unknown; accounts?: unknown };
  if (Array.isArray(accounts)) return listInData(accounts);
  return Object.entries(data).map(([id, name]) => ({ at: quoted(id), id, name }));
}

/** A value from a file in a message: in quotes, shortened, and without characters that nobody sees. */
export function quoted(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return escapeInvisible(text.length > 60 ? `${text.slice(0, 60)}...` : text);
}

const READERS: Readonly<Record<ListFormat, (text: string) => ListRow[]>> = {
  json: jsonRows,
  yaml: yamlRows,
  csv: (text) => csvRows(text),
  text: (text) => csvRows(text, ["id"]),
};

const FORMATS: readonly (readonly [RegExp, ListFormat])[] = [
  [/\.json$/i, "json"],
  [/\.ya?ml$/i, "yaml"],
  [/\.csv$/i, "csv"],
  [/\.txt$/i, "text"],
];

function formatOf(path: string): ListFormat {
  const found = FORMATS.find(([ending]) => ending.test(path));
  if (found) return found[1];
  throw new ListProblem("has none of the endings .json, .yaml, .yml, .csv and .txt, which say what it contains");
}

function textOf(path: string, most: number): string {
  let bytes: Buffer;
  try {
    const stats = fs.statSync(path);
    if (!stats.isFile()) throw new ListProblem(stats.isDirectory() ? "is a folder" : "is not a file");
    if (stats.size > most)
      throw new ListProblem(`has ${megabytes(stats.size)} MB, and ${megabytes(most)} MB is the most that is read`);
    bytes = fs.readFileSync(path);
  } catch (error) {
    if (error instanceof ListProblem) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new ListProblem(code === "ENOENT" ? "does not exist" : `cannot be read (${code})`);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new ListProblem("is not text in UTF-8");
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1_000_000).toLocaleString("en-US", { maximumFractionDigits: 1 });
}

function jsonRows(text: string): ListRow[] {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    throw new ListProblem(text.trim() === "" ? "is empty" : `is not JSON: ${escapeInvisible((error as Error).message)}`);
  }
  // JSON.parse keeps only the last of several equal keys.
  const keys = new Set<string>();
  for (const [, key = ""] of text.matchAll(/"(\d+)"\s*:/g)) {
    if (keys.has(key)) throw new ListProblem(`has ${quoted(key)} twice`);
    keys.add(key);
  }
  return listInData(data);
}

function yamlRows(text: string): ListRow[] {
  const yaml = parsers();
  const lines = new yaml.LineCounter();
  // With this schema every value is text, so that 012345678901 keeps its zero. Equal keys are found by the reader of the rows.
  const document = yaml.parseDocument(text, { schema: "failsafe", lineCounter: lines, uniqueKeys: false, prettyErrors: false });
  const [error] = document.errors;
  if (error) throw new ListProblem(`is not YAML: line ${lines.linePos(error.pos[0]).line}: ${escapeInvisible(error.message)}`);
  if (document.contents === null) throw new ListProblem("is empty");
  try {
    const { contents } = document;
    const accounts = yaml.isMap(contents) ? (contents.get("Accounts") ?? contents.get("accounts")) : undefined;
    const listed = yaml.isSeq(accounts) ? accounts : contents;
    const at = (node: unknown) => {
      const [start] = (yaml.isNode(node) && node.range) || [0];
      return `line ${lines.linePos(start).line}`;
    };
    const data = (node: unknown) => (yaml.isNode(node) ? node.toJS(document) : node);
    if (yaml.isSeq(listed)) return listed.items.map((item) => ({ at: at(item), ...rowOf(data(item)) }));
    if (yaml.isMap(listed)) return listed.items.map(({ key, value }) => ({ at: at(key), id: data(key), name: data(value) }));
  } catch (problem) {
    // An alias without an anchor, or too many of them.
    throw new ListProblem(`is not YAML: ${escapeInvisible((problem as Error).message)}`);
  }
  throw new ListProblem("is neither a map nor a list");
}

/** The headers of the columns, also those of the files that the consoles of AWS Organizations and IAM Identity Center download. */
const ID_HEADER = /^(account)?[ _-]?(id|number)$|^account$|^grantee$/i;
const NAME_HEADER = /^(account)?[ _-]?name$/i;

function csvRows(text: string, columns?: readonly string[]): ListRow[] {
  const { parseCsv } = parsers();
  let records: { record: string[]; info: { lines: number } }[];
  try {
    records = parseCsv(text, {
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
      comment: "#",
      comment_no_infix: true,
      ...(columns ? { delimiter: "\t", quote: null } : {}),
    }) as unknown as typeof records;
  } catch (error) {
    throw new ListProblem(`is not CSV: ${escapeInvisible((error as Error).message)}`);
  }
  const header = columns ?? records[0]?.record ?? [];
  const [id, name] = [ID_HEADER, NAME_HEADER].map((wanted) => header.findIndex((title) => wanted.test(title))) as [
    number,
    number,
  ];
  const hasHeader = columns === undefined && id >= 0;
  const [idAt, nameAt] = id >= 0 ? [id, name] : [0, 1];
  return records.slice(hasHeader ? 1 : 0).map(({ record, info: { lines } }) => {
    const named = nameAt >= 0 ? record[nameAt] : undefined;
    return { at: `line ${lines}`, id: record[idAt] ?? "", ...(named === undefined ? {} : { name: named }) };
  });
}

function rowOf(item: unknown): Pick<ListRow, "id" | "name"> {
  if (typeof item !== "object" || item === null || Array.isArray(item)) return { id: item };
  const members = item as Readonly<Record<string, unknown>>;
  const member = (wanted: RegExp) => Object.keys(members).find((name) => wanted.test(name));
  const [id, name] = [member(ID_HEADER), member(NAME_HEADER)];
  return { id: id === undefined ? item : members[id], ...(name === undefined ? {} : { name: members[name] }) };
}
