/** The schema of each argument: which values it accepts, and their canonical form. The messages for wrong values are in argumentMessages.ts. */

import * as v from "valibot";
import { endpointProblem, NOT_A_URL } from "../aws";
import { ACCOUNT_ID, allowedKey, decodeAccountNames, FILE_ENTRY, type MaybeUnknown, problemList, UNKNOWN } from "../model";
import {
  ACCOUNTS,
  ACCOUNTS_OF_SNAPSHOTS,
  ACCOUNTS_ONLY,
  ALLOWED,
  accountProblem,
  choiceProblem,
  durationProblem,
  flagProblem,
  IMAGE,
  isRounded,
  itemProblem,
  listProblem,
  NO_ORGANIZATIONS,
  numberProblem,
  ORGANIZATIONAL_UNITS,
  ORGANIZATIONS,
  SNAPSHOTS,
  show,
  type TextKind,
  textProblem,
  volumesProblem,
} from "./argumentMessages";
import type { DeclaredSet } from "./arguments";
import { SET_ARGUMENTS } from "./argumentTable";

const unknown = v.literal(UNKNOWN);

/** The schema, or {@link UNKNOWN}. It is not a union, because the messages of a union would hide the messages of the schema. */
function orUnknown<S extends v.GenericSchema>(schema: S) {
  return v.lazy((input) => (input === UNKNOWN ? unknown : schema));
}

function text(kind: TextKind, problemOf = textProblem) {
  return v.pipe(
    v.string((issue) => problemOf(issue.input, kind)),
    v.check(
      (value) => kind.matches.test(value),
      (issue) => problemOf(issue.input, kind),
    ),
  );
}

/** Any string that is not empty. */
const nonEmpty = (what: string, example: string) => text({ what, matches: /./s, example });

function list<S extends v.GenericSchema<unknown, string>>(item: S, kind: TextKind) {
  return v.pipe(
    v.array(orUnknown(item), (issue) => listProblem(issue.input, kind)),
    v.transform((items) => canonicalList(items as readonly MaybeUnknown<string>[])),
  );
}

function accounts(kind: TextKind) {
  const account = v.pipe(
    v.unknown(),
    v.rawTransform(({ dataset: { value }, addIssue, NEVER }) => {
      const id = typeof value === "number" && !isRounded(value) ? String(value) : value;
      if (typeof id === "string" && ACCOUNT_ID.test(id)) return id;
      addIssue({ message: accountProblem(value, kind) });
      return NEVER;
    }),
  );
  return list(account, kind);
}

const arns = (kind: TextKind) => list(v.pipe(text(kind, itemProblem), v.toLowerCase()), kind);
const wholeNumber = (problemWords: string) => {
  const notWhole = (issue: v.BaseIssue<unknown>) => numberProblem(issue.input, problemWords);
  return v.pipe(v.number(notWhole), v.integer(notWhole), v.minValue(0, notWhole));
};
const revocationLimit = wholeNumber('neither a whole number of grantees nor "none"');
const flag = v.boolean((issue) => flagProblem(issue.input));
const oneOf = <const T extends readonly [string, ...string[]]>(...values: T) =>
  v.picklist(values, (issue) => choiceProblem(issue.input, values));

const createVolumeArguments = v.strictObject(
  {
    accountIds: v.optional(orUnknown(accounts(ACCOUNTS_OF_SNAPSHOTS))),
    snapshotIds: v.optional(orUnknown(list(text(SNAPSHOTS, itemProblem), SNAPSHOTS))),
    public: v.optional(orUnknown(flag)),
  },
  objectProblem("true, false or { accountIds, snapshotIds, public }", volumesProblem),
);

/** Refuses a list. Without it, the schema of an object would read a list as an object with numbers as names. */
const noVolumes = v.custom<boolean>(
  () => false,
  (issue) => volumesProblem(issue.input),
);

const duration = v.pipe(
  v.unknown(),
  v.rawTransform(({ dataset: { value }, addIssue, NEVER }) => {
    const message = durationProblem(value);
    if (message === undefined) return value as string;
    addIssue({ message });
    return NEVER;
  }),
);

const timeouts = v.strictObject(
  {
    create: v.optional(orUnknown(duration)),
    update: v.optional(orUnknown(duration)),
    delete: v.optional(orUnknown(duration)),
  },
  objectProblem("{ create, update, delete }", (value) => {
    const one = durationProblem(value) === undefined ? ` such as { update: ${show(value)} }` : ", each a duration";
    return `${show(value)} is not { create, update, delete }${one}`;
  }),
);

/** An entry of an allow-list. Account ids can be numbers, and ARNs have any case, as in the arguments that name grantees. */
const allowedEntry = v.pipe(
  v.unknown(),
  v.rawTransform(({ dataset: { value }, addIssue, NEVER }) => {
    const entry = typeof value === "number" && !isRounded(value) ? String(value) : value;
    if (typeof entry === "string" && entry.startsWith(FILE_ENTRY) && entry.length > FILE_ENTRY.length) return entry;
    const key = typeof entry === "string" ? allowedKey(entry) : undefined;
    if (key !== undefined) return key.replace(/^account\//, "");
    addIssue({ message: typeof value === "number" ? accountProblem(value, ALLOWED) : itemProblem(value, ALLOWED) });
    return NEVER;
  }),
);

/** What names a file, and not an id or an ARN. */
const FILE = /^file:\/\/|\.(json|ya?ml|csv|txt)$/i;

/** An allow-list. A text is the path of a file. */
const allowedGrantees = v.pipe(
  v.unknown(),
  v.transform((given) =>
    typeof given === "string" && FILE.test(given) ? [given.startsWith(FILE_ENTRY) ? given : FILE_ENTRY + given] : given,
  ),
  list(allowedEntry, ALLOWED),
);

/** Names of accounts: a map, or the path of a file. A name that is not known yet is left out of the check. */
const accountNames = v.pipe(
  v.unknown(),
  v.rawTransform(({ dataset: { value }, addIssue, NEVER }) => {
    if (typeof value === "string" && FILE.test(value)) return value.replace(/^file:\/\//, "");
    const isMap = typeof value === "object" && value !== null && !Array.isArray(value);
    const known = isMap ? Object.fromEntries(Object.entries(value).filter(([, name]) => name !== UNKNOWN)) : undefined;
    const decoded = known && decodeAccountNames(known);
    if (decoded && "names" in decoded) return value as Readonly<Record<string, MaybeUnknown<string>>>;
    const problem = decoded && problemList(decoded.problems);
    addIssue({
      message:
        problem ??
        `${show(value)} is not a map from account id to name; write { "111122223333": "acme-prod" }, or the path of a file`,
    });
    return NEVER;
  }),
);

/** An endpoint. A URL is not shown in messages, because it may contain a password. */
const endpoint = v.pipe(
  nonEmpty("a URL", "https://ec2.us-east-1.amazonaws.com"),
  v.rawCheck(({ dataset, addIssue }) => {
    const problem = dataset.typed ? endpointProblem(dataset.value) : undefined;
    if (problem === undefined || !dataset.typed) return;
    const shown = problem === NOT_A_URL ? show(dataset.value) : "it";
    addIssue({ message: `${shown} ${problem}; write one such as https://ec2.us-east-1.amazonaws.com` });
  }),
);

const connectionEntries = {
  region: v.optional(orUnknown(text({ what: "a region", matches: /^[a-z]{2,}(-[a-z]+)+-\d+$/, example: "us-east-1" }))),
  profile: v.optional(orUnknown(nonEmpty("a profile's name", "production"))),
  endpoint: v.optional(orUnknown(endpoint)),
  assumeRole: v.optional(
    orUnknown(
      v.strictObject(
        {
          roleArn: orUnknown(
            text({
              what: "a role's ARN",
              matches: /^arn:aws[a-z-]*:iam::\d{12}:role\/.+$/,
              example: "arn:aws:iam::111122223333:role/share-images",
            }),
          ),
          externalId: v.optional(orUnknown(nonEmpty("an external id", "partner-42"))),
          sessionName: v.optional(
            orUnknown(text({ what: "a session name", matches: /^[\w+=,.@-]{2,64}$/, example: "share-images" })),
          ),
        },
        objectProblem("{ roleArn, externalId, sessionName }"),
      ),
    ),
  ),
};

/** The arguments for all sets that are not about the connection. */
const rules = {
  allowedGrantees: v.optional(orUnknown(allowedGrantees)),
  accountNames: v.optional(orUnknown(accountNames)),
  names: v.optional(orUnknown(nonEmpty("a file's path or organizations", "names.yaml"))),
};

export const rulesSchema = v.strictObject(rules, objectProblem("{ allowedGrantees, accountNames, names }"));

export const connectionSchema = v.strictObject(
  { ...connectionEntries, maxRetries: v.optional(orUnknown(wholeNumber("not a whole number of retries"))), ...rules },
  objectProblem("{ region, profile, endpoint, assumeRole, maxRetries, allowedGrantees, accountNames, names }"),
);

export const setSchema = v.strictObject(
  {
    imageId: orUnknown(text(IMAGE)),
    accountIds: v.optional(orUnknown(accounts(ACCOUNTS))),
    organizationArns: v.optional(orUnknown(arns(ORGANIZATIONS))),
    organizationalUnitArns: v.optional(orUnknown(arns(ORGANIZATIONAL_UNITS))),
    public: v.optional(orUnknown(flag)),
    acknowledgePublic: v.optional(orUnknown(flag)),
    createVolumePermissions: v.optional(
      orUnknown(
        v.lazy((input) => (typeof input === "boolean" ? flag : Array.isArray(input) ? noVolumes : createVolumeArguments)),
      ),
    ),
    maxRevocations: v.optional(orUnknown(v.lazy((input) => (input === "none" ? v.literal("none") : revocationLimit)))),
    unrecorded: v.optional(orUnknown(oneOf(...SET_ARGUMENTS.unrecorded.type.values))),
    neverRevoke: v.optional(orUnknown(accounts(ACCOUNTS_ONLY))),
    allowedGrantees: rules.allowedGrantees,
    kmsAccess: v.optional(orUnknown(oneOf(...SET_ARGUMENTS.kmsAccess.type.values))),
    checkUsage: v.optional(orUnknown(flag)),
    mode: v.optional(orUnknown(oneOf(...SET_ARGUMENTS.mode.type.values))),
    onDelete: v.optional(orUnknown(oneOf(...SET_ARGUMENTS.onDelete.type.values))),
    timeouts: v.optional(orUnknown(timeouts)),
    ...connectionEntries,
  } satisfies Record<keyof DeclaredSet, v.GenericSchema>,
  objectProblem("the arguments of a set"),
);

/** The names of the arguments, in the order of the documentation. */
export const ARGUMENT_NAMES = Object.keys(setSchema.entries);

function objectProblem(shape: string, problemOf = (value: unknown) => `${show(value)} is not ${shape}`) {
  return (issue: v.StrictObjectIssue): string => {
    const name = issue.path?.at(-1)?.key;
    if (issue.expected === "Object") return problemOf(issue.input);
    if (issue.expected === "never")
      return organizationsOfSnapshots(name) ?? `there is no argument ${show(String(name))}; the arguments are ${namesOf(shape)}`;
    return "is missing";
  };
}

function organizationsOfSnapshots(name: unknown): string | undefined {
  if (name !== "organizationArns" && name !== "organizationalUnitArns") return undefined;
  return NO_ORGANIZATIONS;
}

function namesOf(shape: string): string {
  return shape.startsWith("the ") ? ARGUMENT_NAMES.join(", ") : shape.replace(/^.*\{ | \}$/g, "");
}

function canonicalList(items: readonly MaybeUnknown<string>[]): readonly MaybeUnknown<string>[] {
  const knownItems = items.filter((item): item is string => item !== UNKNOWN);
  return [...[...new Set(knownItems)].sort(), ...items.filter((item) => item === UNKNOWN)];
}
