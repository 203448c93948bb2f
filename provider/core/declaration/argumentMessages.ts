/** The messages about wrong arguments: the value, what it seems to be, and what to write instead. schema.ts decides which values are wrong. */

import {
  ACCOUNT_ID,
  durationSeconds,
  escapeInvisible,
  IMAGE_ID,
  ORGANIZATION_ARN,
  ORGANIZATIONAL_UNIT_ARN,
  SNAPSHOT_ID,
  UNKNOWN,
  withoutInvisible,
} from "../model";

/** A format of strings that an argument accepts. */
export interface TextKind {
  /** Such as `an AMI id`. */
  readonly what: string;
  /** Such as `AMI ids`. */
  readonly plural?: string;
  readonly matches: RegExp;
  readonly example: string;
  /** The advice for a recognized value of another format, if there is any. */
  readonly adviceFor?: (found: Recognized) => string | undefined;
}

/** The formats that are recognized in a wrong value. */
type Recognized =
  | "everybody"
  | "account"
  | "organization"
  | "organizationId"
  | "unit"
  | "unitId"
  | "root"
  | "image"
  | "snapshot"
  | "instance"
  | "volume"
  | "parameter"
  | "canonicalUser"
  | "service";

const RECOGNIZED: readonly (readonly [Recognized, RegExp, string])[] = [
  ["everybody", /^(all|any|anyone|anybody|everyone|everybody|public|world|\*)$/i, "it stands for everybody"],
  ["account", ACCOUNT_ID, "it is an account id"],
  ["organization", new RegExp(ORGANIZATION_ARN, "i"), "it is an organization's ARN"],
  ["unit", new RegExp(ORGANIZATIONAL_UNIT_ARN, "i"), "it is an organizational unit's ARN"],
  ["organizationId", /^o-[a-z0-9]{10,32}$/i, "it is an organization's id"],
  ["unitId", /^ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}$/i, "it is an organizational unit's id"],
  [
    "root",
    /^(arn:aws[a-z-]*:organizations::\d{12}:root\/o-[a-z0-9]{10,32}\/)?r-[a-z0-9]{4,32}$/i,
    "it is an organization's root",
  ],
  ["image", IMAGE_ID, "it is an AMI id"],
  ["snapshot", SNAPSHOT_ID, "it is a snapshot id"],
  ["instance", /^i-([0-9a-f]{8}|[0-9a-f]{17})$/, "it is an instance's id"],
  ["volume", /^vol-([0-9a-f]{8}|[0-9a-f]{17})$/, "it is a volume's id"],
  ["parameter", /^(resolve:)?ssm:|^\/aws\/service\/|^arn:aws[a-z-]*:ssm:/, "it is a Systems Manager parameter"],
  ["canonicalUser", /^[0-9a-f]{64}$/i, "it is a canonical user id, which is S3's"],
  ["service", /^[a-z0-9.-]+\.amazonaws\.com(\.cn)?$/i, "it is a service"],
];

const ORGANIZATION_ARGUMENTS: Partial<Record<Recognized, string>> = {
  organization: "name it in organizationArns",
  organizationId: "name its ARN in organizationArns",
  root: "name the organization's ARN in organizationArns",
  unit: "name it in organizationalUnitArns",
  unitId: "name its ARN in organizationalUnitArns",
};

/** Account ids, for lists beside which organizations can be declared. */
export const ACCOUNTS: TextKind = {
  what: "an account id",
  plural: "account ids",
  matches: ACCOUNT_ID,
  example: "111122223333",
  adviceFor: (found) =>
    found === "everybody" ? "for every AWS account, write public: true" : (ORGANIZATION_ARGUMENTS[found] ?? noGrantee(found)),
};

/** Account ids, for lists where EC2 accepts no organizations. */
export const ACCOUNTS_OF_SNAPSHOTS: TextKind = {
  ...ACCOUNTS,
  adviceFor: (found) => {
    if (found === "everybody") return "for every AWS account, write public: true beside accountIds";
    return ORGANIZATION_ARGUMENTS[found] ? NO_ORGANIZATIONS : noGrantee(found);
  },
};

// EC2 API reference, CreateVolumePermission: UserId and Group only.
export const NO_ORGANIZATIONS =
  "EC2 has no create-volume permission for organizations; name their accounts in accountIds instead";

/** Account ids, for lists where neither organizations nor `public` are possible. */
export const ACCOUNTS_ONLY: TextKind = {
  ...ACCOUNTS,
  adviceFor: (found) =>
    found === "everybody" || ORGANIZATION_ARGUMENTS[found] ? "only single accounts can be named here" : noGrantee(found),
};

export const IMAGE: TextKind = {
  what: "an AMI id",
  matches: IMAGE_ID,
  example: "ami-1234567890abcdef0",
  adviceFor: (found) => {
    if (found === "snapshot") return "name the AMI; createVolumePermissions shares its snapshots";
    if (found === "parameter") return "look its value up, and write the AMI id that it holds";
    return found === "everybody" ? undefined : "name the AMI";
  },
};

export const SNAPSHOTS: TextKind = {
  what: "a snapshot id",
  plural: "snapshot ids",
  matches: SNAPSHOT_ID,
  example: "snap-1234567890abcdef0",
  adviceFor: (found) => {
    if (found === "account") return "name it in createVolumePermissions.accountIds";
    return found === "image" ? "leave snapshotIds out to mean all snapshots of the AMI" : undefined;
  },
};

export const ORGANIZATIONS: TextKind = {
  what: "an organization's ARN",
  plural: "organization ARNs",
  matches: new RegExp(ORGANIZATION_ARN, "i"),
  example: "arn:aws:organizations::111122223333:organization/o-abcde12345",
  adviceFor: (found) => {
    if (found === "account") return "name it in accountIds";
    if (found === "unit") return ORGANIZATION_ARGUMENTS.unit;
    return found === "everybody" ? ACCOUNTS.adviceFor?.(found) : undefined;
  },
};

export const ORGANIZATIONAL_UNITS: TextKind = {
  what: "an organizational unit's ARN",
  plural: "organizational unit ARNs",
  matches: new RegExp(ORGANIZATIONAL_UNIT_ARN, "i"),
  example: "arn:aws:organizations::111122223333:ou/o-abcde12345/ou-ab12-cdefgh34",
  adviceFor: (found) => {
    if (found === "account") return "name it in accountIds";
    if (found === "organization" || found === "root") return ORGANIZATION_ARGUMENTS[found];
    return found === "everybody" ? ACCOUNTS.adviceFor?.(found) : undefined;
  },
};

/** Entries of an allow-list, in any case. */
export const ALLOWED: TextKind = {
  what: 'an account id, a full ARN of an organization or organizational unit, "public", or a file such as file://allowed.yaml',
  plural: "account ids, ARNs and files",
  matches: new RegExp(`${ACCOUNT_ID.source}|^public$|${ORGANIZATION_ARN.source}|${ORGANIZATIONAL_UNIT_ARN.source}`, "i"),
  example: "111122223333",
  adviceFor: (found) => {
    if (found === "everybody") return 'write "public"';
    if (found === "organizationId" || found === "unitId") return "write its full ARN";
    return found === "root" ? "write the organization's full ARN" : noGrantee(found);
  },
};

/** The message for a wrong string. */
export function textProblem(value: unknown, kind: TextKind): string {
  return `${show(value)} is not ${kind.what}; ${suggestion(value, kind) ?? `write one such as ${kind.example}`}`;
}

/** The message for a wrong item of a list. */
export function itemProblem(value: unknown, kind: TextKind): string {
  return `${show(value)} is not ${kind.what}; ${emptyItem(value) ?? suggestion(value, kind) ?? `write one such as ${kind.example}`}`;
}

/** The message for a wrong account id. */
export function accountProblem(value: unknown, kind: TextKind): string {
  if (typeof value === "number" && ACCOUNT_ID.test(String(value)))
    return `${value} ends in zeros, as a rounded number does: 1.11122E+11 is read as 111122000000; write all 12 digits in quotes`;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 1e7 && value < 1e11)
    return `${value} has ${String(value).length} digits, an account id has 12: an unquoted id lost its leading zero${howToQuote(value)}`;
  if (typeof value === "string" && /^\d+$/.test(value) && splitIds(value, kind).length < 2)
    return `${show(value)} has ${value.length} ${value.length === 1 ? "digit" : "digits"}, an account id has 12${value.length < 12 ? ": a leading zero may have been lost" : ""}`;
  if (typeof value === "string" && /^\d{4}-\d{4}-\d{4}$/.test(value))
    return `${show(value)} has dashes; write "${value.replaceAll("-", "")}"`;
  const hint = emptyItem(value) ?? roundedText(value) ?? suggestion(value, kind);
  return `${show(value)} is not an account id; ${hint ?? 'write 12 digits in quotes, such as "111122223333"'}`;
}

/**
 * Whether a number may have lost its last digits. A spreadsheet writes 1.11122E+11, which YAML and JSON read as 111122000000. It cannot be
 * distinguished from a number with all digits, so every number that ends in 000 is refused.
 */
export function isRounded(id: number): boolean {
  return id % 1000 === 0;
}

/** Whether a string may be such a number. Terraform converts numbers to strings before a provider sees them. */
export function mayBeRounded(id: string): boolean {
  return /0{6}$/.test(id);
}

/** The message for a value that is not a list. */
export function listProblem(value: unknown, kind: TextKind): string {
  const is = `${show(value)} is not a list of ${kind.plural}; write`;
  const empty = typeof value === "string" && value.trim() === "" ? ", or [] for none" : "";
  if (typeof value === "number" && isRounded(value)) return `${is} one such as ["${kind.example}"]`;
  const ids = typeof value === "string" || typeof value === "number" ? splitIds(String(value), kind) : [];
  if (ids.length === 0 || ids.length > MAX_SUGGESTED) return `${is} one such as ["${kind.example}"]${empty}`;
  return `${is} ${ids.length > 1 ? "" : "one such as "}${JSON.stringify(ids).replaceAll('","', '", "')}`;
}

/** The message for a value that is neither true nor false. */
export function flagProblem(value: unknown): string {
  const flag = typeof value === "string" ? FLAGS[withoutQuotes(value).trim().toLowerCase()] : undefined;
  return `${show(value)} is not true or false${flag === undefined ? "" : `; write ${flag} without quotes`}`;
}

const FLAGS: Readonly<Record<string, boolean>> = { true: true, false: false };

/** The message for a string that is not one of the allowed values. */
export function choiceProblem(value: unknown, words: readonly string[]): string {
  const plain = typeof value === "string" ? withoutQuotes(withoutInvisible(value)).trim().toLowerCase() : undefined;
  const meant = words.find((word) => word.toLowerCase() === plain);
  return `${show(value)} is not one of ${words.map((word) => `"${word}"`).join(", ")}${meant === undefined ? "" : `; write "${meant}"`}`;
}

/** The message for a value that is not a whole number. */
export function numberProblem(value: unknown, what: string): string {
  const digits = typeof value === "string" && /^\d{1,9}$/.test(value) ? `; write ${Number(value)} without quotes` : "";
  return `${show(value)} is ${what}${digits}`;
}

/** The message for a wrong value of `createVolumePermissions`. */
export function volumesProblem(value: unknown): string {
  const is = `${show(value)} is not true, false or { accountIds, snapshotIds, public }`;
  if (typeof value === "string" && FLAGS[value.trim().toLowerCase()] !== undefined) return flagProblem(value);
  const items = Array.isArray(value) ? value : splitIds(String(value), ACCOUNTS).length > 0 ? [value] : [];
  const names = { accountIds: ACCOUNTS, snapshotIds: SNAPSHOTS } as const;
  for (const [name, { matches }] of Object.entries(names))
    if (items.length > 0 && items.every((item) => matches.test(String(item)))) {
      const list = items.slice(0, MAX_SUGGESTED).map((item) => `"${item}"`);
      return `${is}; write { ${name}: [${list.join(", ")}${items.length > list.length ? ", …" : ""}] }`;
    }
  if (Array.isArray(value)) return `${is}; write true for the set's accounts, or { accountIds: ["111122223333"] } for others`;
  return is;
}

/** The message for a wrong duration. Undefined if the value is a duration. */
export function durationProblem(value: unknown): string | undefined {
  const example = 'write one such as "30m" or "1h30m"';
  const seconds = typeof value === "string" ? durationSeconds(value) : undefined;
  if (seconds !== undefined) return seconds > 0 ? undefined : `${show(value)} is not longer than zero; ${example}`;
  const amount = typeof value === "number" || (typeof value === "string" && /^\d+(\.\d+)?$/.test(value.trim()));
  if (amount) return `${show(value)} has no unit; write ${JSON.stringify(`${String(value).trim()}m`)} for minutes, or s, or h`;
  return `${show(value)} is not a duration; ${example} (hours h, minutes m, seconds s)`;
}

/** The value as JSON for a message. Long values are cut, and invisible characters are escaped. */
export function show(value: unknown): string {
  if (value === UNKNOWN) return "[unknown]";
  const json = typeof value === "bigint" ? String(value) : JSON.stringify(value);
  if (json === undefined) return String(value);
  const shown = escapeInvisible(json);
  return shown.length > 80 ? `${closeQuote(shown.slice(0, 77))}...` : shown;
}

/** The most values that one message suggests. */
const MAX_SUGGESTED = 5;

/** What to write instead. Undefined if the value is not recognized. */
function suggestion(value: unknown, kind: TextKind): string | undefined {
  if (Array.isArray(value))
    return value.length === 1 && kind.matches.test(String(value[0])) ? `without the list, write "${value[0]}"` : undefined;
  if (typeof value === "object" && value !== null)
    return Object.values(value).some((member) => typeof member === "string" && kind.matches.test(member) && recognize(member))
      ? "write its id alone"
      : undefined;
  if (typeof value !== "string") return undefined;
  const plain = plainText(value);
  if (plain !== value && kind.matches.test(plain)) return `${strayCharacters(value)}: write "${plain}"`;
  const found = recognize(plain);
  const better = found && kind.adviceFor?.(found[0]);
  if (found && better) return better === NO_ORGANIZATIONS ? better : `${found[2]}: ${better}`;
  if (plain !== plain.toLowerCase() && kind.matches.test(plain.toLowerCase()))
    return `it has capital letters: write "${plain.toLowerCase()}"`;
  const ids = splitIds(value, kind);
  if (ids.length > 1 && kind.plural === undefined) return `it holds ${ids.length} of them: declare a set for each`;
  if (ids.length > 1)
    return ids.length > MAX_SUGGESTED
      ? `it holds ${ids.length} of them: write each as a separate item`
      : `it holds ${ids.length} of them: write each as a separate item, ${ids.map((id) => `"${id}"`).join(", ")}`;
  const within = idWithin(plain, kind);
  return within === undefined ? undefined : `write "${within}"`;
}

function emptyItem(value: unknown): string | undefined {
  if (value === null || value === undefined) return "remove it, or check where its value should come from";
  if (typeof value === "string" && withoutQuotes(value.trim()) === "")
    return "it is empty, as when an environment variable is not set: take the item out; an empty list is []";
  return undefined;
}

function roundedText(value: unknown): string | undefined {
  if (typeof value !== "string" || !/^\s*\d(\.\d*)?e\+?\d{1,2}\s*$/i.test(value)) return undefined;
  return "it is a rounded number, as spreadsheets show long ones: write all 12 digits";
}

function noGrantee(found: Recognized): string | undefined {
  if (found === "service") return "an AMI is shared with accounts, organizations and units, not with services";
  return found === "canonicalUser" ? "write the account's 12 digits" : undefined;
}

function recognize(text: string): (typeof RECOGNIZED)[number] | undefined {
  return RECOGNIZED.find(([, matches]) => matches.test(text));
}

const QUOTES = "[\"'`\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb]";
const OUTER_QUOTES = new RegExp(`^${QUOTES}+|${QUOTES}+$`, "g");

function withoutQuotes(text: string): string {
  return text.replace(OUTER_QUOTES, "");
}

/** The text without invisible characters, outer quotes and spaces. */
function plainText(text: string): string {
  return withoutQuotes(withoutInvisible(text).trim()).trim();
}

/** Names the invisible characters, quotes and spaces that `plainText` removes. */
function strayCharacters(text: string): string {
  const seen = withoutInvisible(text);
  const found = [
    seen !== text && "invisible characters",
    withoutQuotes(seen.trim()) !== seen.trim() && "quotes inside",
    seen !== seen.trim() && "a space before or after it",
  ].filter(Boolean);
  return `it has ${found.join(" and ")}`;
}

/** The ids in a string that contains only ids: separated, quoted, or as a JSON list. */
function splitIds(text: string, { matches }: TextKind): string[] {
  const inner = withoutInvisible(text.replace(/\s/g, " "))
    .trim()
    .replace(/^\[(.*)\]$/, "$1");
  const ids = inner
    .split(/[\s,;|]+/)
    .map(plainText)
    .filter((part) => part !== "");
  return ids.every((id) => matches.test(id)) ? ids : [];
}

/** The id that a longer string contains, if it is the only one: in an ARN, in a key of `grants`, or as digits in groups. */
function idWithin(text: string, { matches }: TextKind): string | undefined {
  if (matches === ACCOUNT_ID) {
    const [, member] = /^arn:aws[a-z-]*:organizations::\d{12}:account\/o-[a-z0-9]+\/(\d{12})$/.exec(text) ?? [];
    if (member) return member;
    if (/^arn:aws[a-z-]*:organizations:/.test(text)) return undefined;
    const digits = text.replace(/[\s\p{Pd}\p{Zs}.,_'’]/gu, "");
    if (ACCOUNT_ID.test(digits)) return digits;
  }
  const found = text.match(IDS.find(([of]) => of === matches)?.[1] ?? NEVER) ?? [];
  return new Set(found).size === 1 ? found[0] : undefined;
}

const IDS: readonly (readonly [RegExp, RegExp])[] = [
  [ACCOUNT_ID, /(?<![\w.])\d{12}(?!\w|\.\d)/g],
  [IMAGE_ID, /(?<!\w)ami-(?:[0-9a-f]{17}|[0-9a-f]{8})(?!\w)/g],
  [SNAPSHOT_ID, /(?<!\w)snap-(?:[0-9a-f]{17}|[0-9a-f]{8})(?!\w)/g],
];
const NEVER = /(?!)/;

/** YAML 1.1 reads an unquoted 044455556666 as octal if it has no digit 8 or 9. Then the message shows both possible ids. */
function howToQuote(value: number): string {
  const octal = value.toString(8);
  if (octal.length === 11) return ` (or, read as octal, it was 0${octal}); write the one that is meant in quotes`;
  return `; write it in quotes, such as "${String(value).padStart(12, "0")}"`;
}

/** Adds the closing quote if JSON was cut inside a string. Adapters leave quoted strings in messages unchanged, so quotes have to match. */
function closeQuote(json: string): string {
  const open = json.replace(/"(?:[^"\\]|\\.)*"/g, (text) => " ".repeat(text.length)).indexOf('"');
  if (open < 0) return json;
  const [text = ""] = /^"(?:[^"\\]|\\(?:u[\da-f]{4}|[^u]))*/.exec(json.slice(open)) ?? [];
  return `${json.slice(0, open)}${text}"`;
}
