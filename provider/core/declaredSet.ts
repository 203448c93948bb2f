/** The arguments of a set as users write them: shapes, decoding of untrusted input, and the canonical form. */

import * as v from "valibot";
import { endpointProblem, NOT_A_URL } from "./connection";
import { ACCOUNT_ID, IMAGE_ID, ORGANIZATION_ARN, ORGANIZATIONAL_UNIT_ARN, SNAPSHOT_ID } from "./limits";
import { type MaybeUnknown, UNKNOWN } from "./unknown";

/** `authoritative`: exactly this set. `additive`: only add, and later remove what this set added. */
export type Mode = "authoritative" | "additive";

/** `revoke`: what this set granted. `reset`: every grant. `retain`: nothing. */
export type OnDelete = "revoke" | "reset" | "retain";

/** `check`: warn of accounts that may not use the key. `grant`: a KMS grant for each account. `ignore`: nothing. */
export type KmsAccess = "check" | "grant" | "ignore";

/** `revoke`: a change takes access from whoever is not declared. `refuse`: not from those whom the state does not record. */
export type Unrecorded = "revoke" | "refuse";

/** Which accounts may create volumes from which of the image's snapshots. */
export interface CreateVolumeArguments {
  /** Default: the set's accounts. */
  readonly accountIds?: MaybeUnknown<readonly MaybeUnknown<string>[]>;
  /** Default: every EBS snapshot of the image. */
  readonly snapshotIds?: MaybeUnknown<readonly MaybeUnknown<string>[]>;
  /** Whether everybody may. Default: false. */
  readonly public?: MaybeUnknown<boolean>;
}

/** A role to assume before EC2 is called. */
export interface AssumeRole {
  readonly roleArn?: MaybeUnknown<string>;
  readonly externalId?: MaybeUnknown<string>;
  readonly sessionName?: MaybeUnknown<string>;
}

/** A set's arguments in canonical form: ids are strings, lists are sorted and without duplicates. */
export interface DeclaredSet {
  readonly imageId: MaybeUnknown<string>;
  readonly accountIds?: MaybeUnknown<readonly MaybeUnknown<string>[]>;
  readonly organizationArns?: MaybeUnknown<readonly MaybeUnknown<string>[]>;
  readonly organizationalUnitArns?: MaybeUnknown<readonly MaybeUnknown<string>[]>;
  readonly public?: MaybeUnknown<boolean>;
  readonly acknowledgePublic?: MaybeUnknown<boolean>;
  readonly createVolumePermissions?: MaybeUnknown<boolean | CreateVolumeArguments>;
  /** How many grantees one change may take access from; "none" is 0. Absent: any number. */
  readonly maxRevocations?: MaybeUnknown<number | "none">;
  /** What a change does about those who would lose access and whom the state does not record. Absent: "revoke". */
  readonly unrecorded?: MaybeUnknown<Unrecorded>;
  /** Accounts that no change of the set takes access from. */
  readonly neverRevoke?: MaybeUnknown<readonly MaybeUnknown<string>[]>;
  /** What is done about the KMS keys of encrypted snapshots. Absent: "check". */
  readonly kmsAccess?: MaybeUnknown<KmsAccess>;
  /** Whether a plan asks who still uses the image before they lose it. */
  readonly checkUsage?: MaybeUnknown<boolean>;
  readonly mode?: MaybeUnknown<Mode>;
  readonly onDelete?: MaybeUnknown<OnDelete>;
  readonly region?: MaybeUnknown<string>;
  readonly profile?: MaybeUnknown<string>;
  readonly endpoint?: MaybeUnknown<string>;
  readonly assumeRole?: MaybeUnknown<AssumeRole>;
}

/** What is wrong with one argument. */
export interface ArgumentProblem {
  /** The top-level argument, such as `accountIds`. */
  readonly property: string;
  /** The exact place: the argument's name, then list indices and member names. */
  readonly path: readonly (string | number)[];
  /** What is wrong and what to write instead, without the place. */
  readonly message: string;
}

export type Decoded = { readonly declared: DeclaredSet } | { readonly problems: readonly ArgumentProblem[] };

/**
 * Decodes arguments that came from a program, a config file or a state file.
 *
 * Values that are not known yet are given as {@link UNKNOWN}. `undefined` and `null` count as absent.
 */
export function decodeDeclaredSet(input: Readonly<Record<string, unknown>>): Decoded {
  const result = v.safeParse(declaredSet, withoutAbsent(input));
  if (!result.success) return { problems: result.issues.map(problem) };
  const declared = result.output as DeclaredSet;
  const problems = acrossArguments(declared);
  return problems.length > 0 ? { problems } : { declared };
}

/** How to reach EC2, as users write it once for many sets. */
export interface DeclaredConnection extends Pick<DeclaredSet, "region" | "profile" | "endpoint" | "assumeRole"> {
  /** Attempts after the first. */
  readonly maxRetries?: MaybeUnknown<number>;
}

/** Decodes the arguments of a connection, as {@link decodeDeclaredSet} does those of a set. */
export function decodeConnection(
  input: Readonly<Record<string, unknown>>,
): { readonly connection: DeclaredConnection } | { readonly problems: readonly ArgumentProblem[] } {
  const result = v.safeParse(connection, withoutAbsent(input));
  return result.success ? { connection: result.output as DeclaredConnection } : { problems: result.issues.map(problem) };
}

/** The place of a problem as a user would write it: `accountIds[1]`, `createVolumePermissions.snapshotIds[0]`. */
export function problemPath({ path }: ArgumentProblem): string {
  return path.map((part, i) => (typeof part === "number" ? `[${part}]` : i === 0 ? part : `.${part}`)).join("");
}

const unknown = v.literal(UNKNOWN);

/** The schema, or a value that is not known yet; not a union, whose messages would hide the schema's own. */
function known<S extends v.GenericSchema>(schema: S) {
  return v.lazy((input) => (input === UNKNOWN ? unknown : schema));
}

function text(what: string, matches: RegExp | undefined, example: string) {
  return v.pipe(
    v.string((issue) => `${show(issue.input)} is not ${what}; write one such as ${example}`),
    v.check(
      (value) => (matches ? matches.test(value) : value !== ""),
      (issue) => `${show(issue.input)} is not ${what}; write one such as ${example}`,
    ),
  );
}

function list<S extends v.GenericSchema<unknown, string>>(item: S, what: string, example: string) {
  return v.pipe(
    v.array(known(item), (issue) => `${show(issue.input)} is not a list of ${what}; write one such as ["${example}"]`),
    v.transform((items) => canonicalList(items as readonly MaybeUnknown<string>[])),
  );
}

const accountId = v.pipe(
  v.unknown(),
  v.rawTransform(({ dataset: { value }, addIssue, NEVER }) => {
    const id = typeof value === "number" ? String(value) : value;
    if (typeof id === "string" && ACCOUNT_ID.test(id)) return id;
    addIssue({ message: accountProblem(value) });
    return NEVER;
  }),
);

const arn = (what: string, matches: RegExp, example: string) =>
  v.pipe(text(what, new RegExp(matches, "i"), example), v.toLowerCase());
const wholeNumber = (problemWords: string) => {
  const notWhole = (issue: v.BaseIssue<unknown>) => `${show(issue.input)} is ${problemWords}`;
  return v.pipe(v.number(notWhole), v.integer(notWhole), v.minValue(0, notWhole));
};
const grantees = wholeNumber('neither a whole number of grantees nor "none"');
const flag = v.boolean((issue) => `${show(issue.input)} is not true or false`);
const accounts = list(accountId, "account ids", "111122223333");
const snapshots = list(text("a snapshot id", SNAPSHOT_ID, "snap-1234567890abcdef0"), "snapshot ids", "snap-1234567890abcdef0");
const oneOf = <const T extends readonly [string, ...string[]]>(...values: T) =>
  v.picklist(values, (issue) => `${show(issue.input)} is not one of ${values.map((value) => `"${value}"`).join(", ")}`);

const createVolumeArguments = v.strictObject(
  {
    accountIds: v.optional(known(accounts)),
    snapshotIds: v.optional(known(snapshots)),
    public: v.optional(known(flag)),
  },
  objectProblem("true, false or { accountIds, snapshotIds, public }"),
);

/** Never shown where it holds a password. */
const endpoint = v.pipe(
  text("a URL", undefined, "https://ec2.us-east-1.amazonaws.com"),
  v.rawCheck(({ dataset, addIssue }) => {
    const problem = dataset.typed ? endpointProblem(dataset.value) : undefined;
    if (problem === undefined || !dataset.typed) return;
    const shown = problem === NOT_A_URL ? show(dataset.value) : "it";
    addIssue({ message: `${shown} ${problem}; write one such as https://ec2.us-east-1.amazonaws.com` });
  }),
);

const connectionEntries = {
  region: v.optional(known(text("a region", /^[a-z]{2,}(-[a-z]+)+-\d+$/, "us-east-1"))),
  profile: v.optional(known(text("a profile's name", undefined, "production"))),
  endpoint: v.optional(known(endpoint)),
  assumeRole: v.optional(
    known(
      v.strictObject(
        {
          roleArn: known(
            text("a role's ARN", /^arn:aws[a-z-]*:iam::\d{12}:role\/.+$/, "arn:aws:iam::111122223333:role/share-images"),
          ),
          externalId: v.optional(known(text("an external id", undefined, "partner-42"))),
          sessionName: v.optional(known(text("a session name", /^[\w+=,.@-]{2,64}$/, "share-images"))),
        },
        objectProblem("{ roleArn, externalId, sessionName }"),
      ),
    ),
  ),
};

const connection = v.strictObject(
  { ...connectionEntries, maxRetries: v.optional(known(wholeNumber("not a whole number of retries"))) },
  objectProblem("{ region, profile, endpoint, assumeRole, maxRetries }"),
);

const declaredSet = v.strictObject(
  {
    imageId: known(text("an AMI id", IMAGE_ID, "ami-1234567890abcdef0")),
    accountIds: v.optional(known(accounts)),
    organizationArns: v.optional(
      known(
        list(
          arn("an organization's ARN", ORGANIZATION_ARN, "arn:aws:organizations::111122223333:organization/o-abcde12345"),
          "organization ARNs",
          "arn:aws:organizations::111122223333:organization/o-abcde12345",
        ),
      ),
    ),
    organizationalUnitArns: v.optional(
      known(
        list(
          arn(
            "an organizational unit's ARN",
            ORGANIZATIONAL_UNIT_ARN,
            "arn:aws:organizations::111122223333:ou/o-abcde12345/ou-ab12-cdefgh34",
          ),
          "organizational unit ARNs",
          "arn:aws:organizations::111122223333:ou/o-abcde12345/ou-ab12-cdefgh34",
        ),
      ),
    ),
    public: v.optional(known(flag)),
    acknowledgePublic: v.optional(known(flag)),
    createVolumePermissions: v.optional(known(v.lazy((input) => (typeof input === "boolean" ? flag : createVolumeArguments)))),
    maxRevocations: v.optional(known(v.lazy((input) => (input === "none" ? v.literal("none") : grantees)))),
    unrecorded: v.optional(known(oneOf("revoke", "refuse"))),
    neverRevoke: v.optional(known(accounts)),
    kmsAccess: v.optional(known(oneOf("check", "grant", "ignore"))),
    checkUsage: v.optional(known(flag)),
    mode: v.optional(known(oneOf("authoritative", "additive"))),
    onDelete: v.optional(known(oneOf("revoke", "reset", "retain"))),
    ...connectionEntries,
  },
  objectProblem("the arguments of a set"),
);

/** The names of the arguments, in the order of the documentation. */
export const ARGUMENT_NAMES = Object.keys(declaredSet.entries);

function acrossArguments(declared: DeclaredSet): ArgumentProblem[] {
  const createVolume = declared.createVolumePermissions;
  const publicVolumes = typeof createVolume === "object" && createVolume.public === true;
  if (
    (declared.public !== true && !publicVolumes) ||
    declared.acknowledgePublic === true ||
    declared.acknowledgePublic === UNKNOWN
  )
    return [];
  const path = publicVolumes && declared.public !== true ? ["createVolumePermissions", "public"] : ["public"];
  return [
    {
      property: path[0] as string,
      path,
      message: "true would give every AWS account a copy of the disk; add acknowledgePublic: true if that is meant",
    },
  ];
}

function accountProblem(value: unknown): string {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 1e7 && value < 1e11)
    return `${value} has ${String(value).length} digits, an account id has 12: an unquoted id lost its leading zero${howToQuote(value)}`;
  if (typeof value === "string" && /^\d+$/.test(value))
    return `${show(value)} has ${value.length} ${value.length === 1 ? "digit" : "digits"}, an account id has 12${value.length < 12 ? ": a leading zero may have been lost" : ""}`;
  if (typeof value === "string" && /^\d{4}-\d{4}-\d{4}$/.test(value))
    return `${show(value)} has dashes; write "${value.replaceAll("-", "")}"`;
  return `${show(value)} is not an account id; write 12 digits in quotes, such as "111122223333"`;
}

/** YAML 1.1 reads an unquoted 044455556666 as octal when no digit is 8 or 9; then neither reading is proposed as the right one. */
function howToQuote(value: number): string {
  const octal = value.toString(8);
  if (octal.length === 11) return ` (or, read as octal, it was 0${octal}); write the one that is meant in quotes`;
  return `; write it in quotes, such as "${String(value).padStart(12, "0")}"`;
}

function objectProblem(shape: string) {
  return (issue: v.StrictObjectIssue): string => {
    const name = issue.path?.at(-1)?.key;
    if (issue.expected === "Object") return `${show(issue.input)} is not ${shape}`;
    if (issue.expected === "never")
      return (
        organizationsOfSnapshots(name) ??
        `there is no argument ${JSON.stringify(String(name))}; the arguments are ${namesOf(shape)}`
      );
    return "is missing";
  };
}

function organizationsOfSnapshots(name: unknown): string | undefined {
  if (name !== "organizationArns" && name !== "organizationalUnitArns") return undefined;
  // EC2 API reference, CreateVolumePermission: UserId and Group only.
  return "EC2 has no create-volume permission for organizations; name their accounts in accountIds instead";
}

function namesOf(shape: string): string {
  return shape.startsWith("the ") ? ARGUMENT_NAMES.join(", ") : shape.replace(/^.*\{ | \}$/g, "");
}

function problem(issue: v.BaseIssue<unknown>): ArgumentProblem {
  const path = (issue.path ?? []).map(({ key }) => key as string | number);
  return { property: String(path[0] ?? "imageId"), path, message: issue.message };
}

function canonicalList(items: readonly MaybeUnknown<string>[]): readonly MaybeUnknown<string>[] {
  const knownItems = items.filter((item): item is string => item !== UNKNOWN);
  return [...[...new Set(knownItems)].sort(), ...items.filter((item) => item === UNKNOWN)];
}

function withoutAbsent(input: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined && value !== null));
}

function show(value: unknown): string {
  if (value === UNKNOWN) return "[unknown]";
  const shown = typeof value === "bigint" ? String(value) : JSON.stringify(value);
  return shown === undefined ? String(value) : shown.length > 80 ? `${cutOff(shown.slice(0, 77))}...` : shown;
}

/** The beginning of a JSON text, with the closing quote of a text in it that is cut: what stands in quotes is the user's, whoever reads on. */
function cutOff(json: string): string {
  const open = json.replace(/"(?:[^"\\]|\\.)*"/g, (text) => " ".repeat(text.length)).indexOf('"');
  if (open < 0) return json;
  const [text = ""] = /^"(?:[^"\\]|\\(?:u[\da-f]{4}|[^u]))*/.exec(json.slice(open)) ?? [];
  return `${json.slice(0, open)}${text}"`;
}
