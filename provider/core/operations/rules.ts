/** The rules for all sets of a stack or a provider: who may have access at all, and the names that texts show beside account ids. */

import { type CallWatch, type Connection, organizationAccountNames } from "../aws";
import { type DeclaredRules, decodeRules, problemText } from "../declaration";
import {
  type AccountNames,
  type AllowList,
  AmiSharingError,
  accountNamesInFile,
  allowListOf,
  type MaybeUnknown,
  NO_NAMES,
  UNKNOWN,
  withNames,
} from "../model";

/** The value of `names` that stands for AWS Organizations. */
const ORGANIZATIONS = "organizations";

export interface Rules {
  /** The list that every set has to keep; empty if there is none, or if it is not known yet. */
  readonly allowed: readonly AllowList[];
  readonly names: NameSource;
}

/**
 * The rules that a configuration declares. It reads the files that the configuration names. Values that are not known yet are left out.
 *
 * @param of whose rules they are, for messages: `the stack`, `the provider`
 * @param connection how to reach AWS Organizations, if the names come from there
 * @throws AmiSharingError `invalid-argument`
 */
export function rulesOf(
  given: Readonly<Record<string, unknown>>,
  of: string,
  connection: () => Connection,
  watch: CallWatch = {},
): Rules {
  const decoded = decodeRules(given);
  if ("problems" in decoded) {
    const [{ property } = { property: "names" }] = decoded.problems;
    throw new AmiSharingError("invalid-argument", decoded.problems.map((one) => `${of}'s ${problemText(one)}`).join("; "), {
      property,
    });
  }
  const { names: from } = decoded.rules;
  return {
    allowed: listed(decoded.rules, of),
    names: new NameSource(
      namesIn(decoded.rules),
      from === ORGANIZATIONS ? () => organizationAccountNames(connection(), watch) : undefined,
    ),
  };
}

/** Names of accounts, some of which may have to be asked for. */
export class NameSource {
  private asked: Promise<AccountNames> | undefined;
  private untold: AmiSharingError | undefined;

  /** @param ask asks for names, which the known ones override. Absent: all names are known */
  constructor(
    private readonly known: AccountNames = NO_NAMES,
    private readonly ask?: () => Promise<AccountNames>,
  ) {}

  /** A text with the names that are known without a call. See {@link withNames}. */
  nowIn(text: string): string {
    return withNames(text, this.known);
  }

  /** A text with all names. Only if it may contain an account id, names are asked for, and only once. */
  async in(text: string): Promise<string> {
    return /\d{12}/.test(text) ? withNames(text, await this.all()) : text;
  }

  /** All names. If AWS does not give them, the known ones: no operation fails because of names. */
  async all(): Promise<AccountNames> {
    this.asked ??= this.answer();
    return this.asked;
  }

  /** Why AWS did not give the names, once; undefined if it did, if it was not asked, or if this was told before. */
  failure(): AmiSharingError | undefined {
    const failure = this.untold;
    this.untold = undefined;
    return failure;
  }

  private async answer(): Promise<AccountNames> {
    try {
      return new Map([...((await this.ask?.()) ?? NO_NAMES), ...this.known]);
    } catch (error) {
      this.untold = error as AmiSharingError;
      return this.known;
    }
  }
}

function listed({ allowedGrantees }: DeclaredRules, of: string): AllowList[] {
  const entries = knownEntries(allowedGrantees);
  return entries === undefined ? [] : [allowListOf(entries, of)];
}

/** The entries of a list; undefined if there is no list, or if a part of it is not known. */
function knownEntries(list: DeclaredRules["allowedGrantees"]): readonly string[] | undefined {
  if (list === undefined || list === UNKNOWN) return undefined;
  const known = list.filter((entry) => entry !== UNKNOWN);
  return known.length === list.length ? known : undefined;
}

function namesIn({ accountNames = {}, names = UNKNOWN }: DeclaredRules): AccountNames {
  const ofFile = names === UNKNOWN || names === ORGANIZATIONS ? NO_NAMES : accountNamesInFile(pathOf(names), "names");
  if (accountNames === UNKNOWN) return ofFile;
  if (typeof accountNames === "string") return new Map([...ofFile, ...accountNamesInFile(accountNames)]);
  const inline = Object.entries(accountNames).filter((entry): entry is [string, string] => isKnown(entry[1]));
  return new Map([...ofFile, ...inline]);
}

function isKnown(value: MaybeUnknown<string>): value is string {
  return value !== UNKNOWN;
}

function pathOf(names: string): string {
  return names.replace(/^file:\/\//, "");
}
