/** Names of accounts, for people: decoding them, and showing them beside account ids in texts. No grant contains a name. */

import { AmiSharingError } from "./errors";
import { escapeInvisible } from "./escape";
import { ACCOUNT_ID } from "./limits";
import { type ListFormat, ListProblem, type ListRow, listInData, listInFile, listInText, quoted } from "./listFile";
import { firstFew } from "./listing";

/** Account id → name. */
export type AccountNames = ReadonlyMap<string, string>;

/** The names, or what is wrong: each problem is one sentence with its place. */
export type DecodedNames = { readonly names: AccountNames } | { readonly problems: readonly string[] };

export const NO_NAMES: AccountNames = new Map();

/** The most problems that one message lists. */
const MAX_LISTED = 5;

/** The longest name that a text shows. AWS Organizations allows 50 characters. */
const MAX_NAME_LENGTH = 60;

/**
 * Decodes names: a map from account id to name, or a list of objects with `Id` and `Name`.
 *
 * @param given plain data from a program or a configuration
 */
export function decodeAccountNames(given: unknown): DecodedNames {
  return decoded(() => listInData(given));
}

/** The same for the text of a file. See {@link listInText} for the forms. A text without any name is a problem. */
export function accountNamesInText(text: string, format: ListFormat): DecodedNames {
  return decoded(() => listInText(text, format));
}

/**
 * The names in a file: JSON, YAML or CSV.
 *
 * @param path relative to the working folder
 * @throws AmiSharingError `invalid-argument` with the path and the first problems
 */
export function accountNamesInFile(path: string, property = "accountNames"): AccountNames {
  const found = decoded(() => listInFile(path));
  if ("names" in found) return found.names;
  throw new AmiSharingError("invalid-argument", `${property}: the file ${quoted(path)} ${problemList(found.problems)}`, {
    property,
    next: "correct the file: each account id has 12 digits and one name, such as 111122223333: acme-prod",
  });
}

/** The first problems in one line. */
export function problemList(problems: readonly string[]): string {
  return firstFew(problems, MAX_LISTED);
}

/**
 * A text for people with the name after each account id that has one: `account/111122223333 (acme-prod)`. Ids in quotes, in ARNs and in other
 * words stay as they are.
 */
export function withNames(text: string, names: AccountNames): string {
  if (names.size === 0) return text;
  return text.replace(ID_IN_TEXT, (id: string, at: number) => {
    const name = names.get(id);
    const words = name === undefined ? "" : ` (${shownName(name)})`;
    return text.startsWith(words, at + id.length) ? id : id + words;
  });
}

/** Not after or before a character that makes the digits a part of something else. */
const ID_IN_TEXT = /(?<![\w:."'-]|(?<!account)\/)\d{12}(?![\w"'/-]|[.:]\w)/g;

/** A name as texts show it: in one line, shortened, and without characters that nobody sees. */
export function shownName(name: string): string {
  const characters = [...name];
  const short = characters.length > MAX_NAME_LENGTH ? `${characters.slice(0, MAX_NAME_LENGTH).join("")}...` : name;
  return escapeInvisible(short);
}

function decoded(rowsOf: () => readonly ListRow[]): DecodedNames {
  const names = new Map<string, string>();
  const problems: string[] = [];
  try {
    for (const { at, id, name } of rowsOf()) {
      const account = typeof id === "number" ? String(id) : id;
      if (typeof account !== "string" || !ACCOUNT_ID.test(account))
        problems.push(`${at}: ${quoted(id)} is not an account id of 12 digits`);
      else if (typeof name !== "string" || name.trim() === "") problems.push(`${at}: account ${account} has no name`);
      else if (names.has(account)) problems.push(`${at}: account ${account} has a name already`);
      else names.set(account, name.trim());
    }
  } catch (error) {
    if (!(error instanceof ListProblem)) throw error;
    return { problems: [error.message] };
  }
  return problems.length > 0 ? { problems } : { names };
}
