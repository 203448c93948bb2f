/** Allow-lists: who may have access at all. Decodes their entries, and reads those that are in files. */

import { AmiSharingError } from "./errors";
import { accountKey, type GranteeKey, granteeKey, PUBLIC } from "./grantee";
import { ACCOUNT_ID, ORGANIZATION_ARN, ORGANIZATIONAL_UNIT_ARN } from "./limits";
import { ListProblem, listInFile, quoted } from "./listFile";
import { firstFew } from "./listing";

/** A list of grantees that may have access. */
export interface AllowList {
  /** Whose list it is, for messages: `the set`, `the stack`, `the provider`. */
  readonly of: string;
  readonly keys: ReadonlySet<GranteeKey>;
}

/** What an entry begins with that stands for the entries of a file. The AWS CLI has the same form: `file://relative`, `file:///absolute`. */
export const FILE_ENTRY = "file://";

/** The most wrong entries that one message lists. */
const MAX_LISTED = 5;

/** The grantee that an entry stands for; undefined if it stands for none. Entries that stand for a file are not grantees. */
export function allowedKey(entry: string): GranteeKey | undefined {
  const id = entry.replace(/^account\//, "");
  if (ACCOUNT_ID.test(id)) return accountKey(id);
  if (entry === PUBLIC) return PUBLIC;
  const arn = entry.toLowerCase();
  if (ORGANIZATION_ARN.test(arn)) return granteeKey({ kind: "organization", arn });
  return ORGANIZATIONAL_UNIT_ARN.test(arn) ? granteeKey({ kind: "organizationalUnit", arn }) : undefined;
}

/**
 * The list that entries stand for. The files that they name are read now.
 *
 * @param of whose list it is
 * @throws AmiSharingError `invalid-argument` with the path and the first problems of a file
 */
export function allowListOf(entries: readonly string[], of: string): AllowList {
  const keys = entries.flatMap((entry) =>
    entry.startsWith(FILE_ENTRY) ? keysInFile(entry.slice(FILE_ENTRY.length), of) : (allowedKey(entry) ?? []),
  );
  return { of, keys: new Set(keys) };
}

function keysInFile(path: string, of: string): GranteeKey[] {
  const problems: string[] = [];
  const keys = new Map<GranteeKey, string>();
  try {
    for (const { at, id } of listInFile(path)) {
      const key = typeof id === "string" || typeof id === "number" ? allowedKey(String(id)) : undefined;
      const before = key === undefined ? undefined : keys.get(key);
      if (key === undefined)
        problems.push(`${at}: ${quoted(id)} is neither an account id of 12 digits, nor a full ARN, nor "public"`);
      else if (before !== undefined) problems.push(`${at}: ${key} is there already, at ${before}`);
      else keys.set(key, at);
    }
  } catch (error) {
    if (!(error instanceof ListProblem)) throw error;
    problems.push(error.message);
  }
  if (problems.length === 0) return [...keys.keys()];
  throw new AmiSharingError(
    "invalid-argument",
    `allowedGrantees of ${of}: the file ${quoted(path)} ${firstFew(problems, MAX_LISTED)}`,
    {
      property: "allowedGrantees",
      next: "correct the file; nothing was changed",
    },
  );
}
