/** What users know about grantees, and EC2 does not: their names, and whether sharing with them is allowed. */

import { accountKey, type Connection, type GranteeKey, isManageable, rulesOf, shownName } from "../core";
import { paintFor, type Terminal } from "./terminal";

export interface GranteeBook {
  /** The name of a grantee, such as `acme-prod`. Undefined: it has none. A name is only shown, and never part of a grants map. */
  nameOf(grantee: GranteeKey): string | undefined;
  /** Whether sharing with the grantee is allowed. If there is no list of allowed grantees, it is. */
  isAllowed(grantee: GranteeKey): boolean;
  /** Whether there is a list of allowed grantees. Default: there is none. */
  readonly hasAllowList?: boolean;
}

/** Without names, and everybody is allowed. */
export const NO_GRANTEE_BOOK: GranteeBook = { nameOf: () => undefined, isAllowed: () => true };

export interface BookOptions {
  /** A file of names, or `organizations`. */
  readonly names?: string | undefined;
  /** A file of allowed grantees. */
  readonly allowed?: string | undefined;
}

/**
 * The book that the command line names. It reads the files, and asks AWS Organizations if the names come from there. If AWS does not give them, a
 * warning says why, and there are no names.
 *
 * @throws AmiSharingError `invalid-argument` that says what is wrong with a file
 */
export async function granteeBook(
  { names, allowed }: BookOptions,
  connection: Connection,
  terminal: Terminal,
): Promise<GranteeBook> {
  if (names === undefined && allowed === undefined) return NO_GRANTEE_BOOK;
  const given = { names, allowedGrantees: allowed === undefined ? undefined : [`file://${allowed}`] };
  const rules = rulesOf(given, "--allowed", () => connection);
  const known = await rules.names.all();
  const failure = rules.names.failure();
  if (failure) {
    const paint = paintFor(terminal.stderr, terminal.env);
    terminal.stderr.write(`${paint("yellow", `the names of accounts are not shown: ${failure.message}`)}\n`);
  }
  const byKey = new Map([...known].map(([id, name]) => [accountKey(id), shownName(name)]));
  return {
    nameOf: (grantee) => byKey.get(grantee),
    isAllowed: (grantee) => !isManageable(grantee) || rules.allowed.every(({ keys }) => keys.has(grantee)),
    hasAllowList: allowed !== undefined,
  };
}

/** The book for an AMI, whose owner always has access. */
export function bookForOwner(book: GranteeBook, ownerId: string | undefined): GranteeBook {
  const owner = ownerId === undefined ? undefined : accountKey(ownerId);
  return {
    nameOf: (key) => book.nameOf(key),
    isAllowed: (key) => key === owner || book.isAllowed(key),
    hasAllowList: book.hasAllowList === true,
  };
}
