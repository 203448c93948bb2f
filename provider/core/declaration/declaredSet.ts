/** The arguments of a set as users write them: shapes, decoding of untrusted input, and the canonical form. */

import * as v from "valibot";
import { endpointProblem, NOT_A_URL } from "../aws";
import { ACCOUNT_ID, escapeUnseen, type MaybeUnknown, UNKNOWN } from "../model";
import {
  ACCOUNTS,
  ACCOUNTS_OF_SNAPSHOTS,
  ACCOUNTS_ONLY,
  accountProblem,
  durationProblem,
  flagProblem,
  IMAGE,
  isRounded,
  itemProblem,
  listProblem,
  mayBeRounded,
  NO_ORGANIZATIONS,
  numberProblem,
  ORGANIZATIONAL_UNITS,
  ORGANIZATIONS,
  SNAPSHOTS,
  show,
  type TextKind,
  textProblem,
  volumesProblem,
  wordProblem,
} from "./argumentWords";

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

/** How long one operation waits for EC2, as durations such as `30m`. Absent: 20 minutes. */
export interface TimeoutArguments {
  readonly create?: MaybeUnknown<string>;
  readonly update?: MaybeUnknown<string>;
  readonly delete?: MaybeUnknown<string>;
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
  readonly timeouts?: MaybeUnknown<TimeoutArguments>;
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

/**
 * What is wrong with a set that names nobody without saying so: a misspelt name of a config value gives an absent list, and an
 * authoritative set would then revoke every grant. `accountIds: []` says so. An additive set without grantees takes nothing from others.
 *
 * Not part of {@link decodeDeclaredSet}: what a state records was accepted once, and has to be read.
 */
export function granteeProblems(declared: DeclaredSet): readonly ArgumentProblem[] {
  const { accountIds, organizationArns, organizationalUnitArns, createVolumePermissions: volumes } = declared;
  // With `public: false` alone nobody is named.
  const isPublic = declared.public !== undefined && declared.public !== false;
  const namesVolumes = typeof volumes === "object" && (volumes.accountIds !== undefined || (volumes.public ?? false) !== false);
  const isDeclared = [accountIds, organizationArns, organizationalUnitArns].some((list) => list !== undefined);
  if (isDeclared || isPublic || namesVolumes || volumes === UNKNOWN || (declared.mode ?? "authoritative") !== "authoritative")
    return [];
  return [
    {
      property: "accountIds",
      path: ["accountIds"],
      message:
        "no grantee is declared, and an authoritative set revokes every grant that it does not declare; write accountIds: [] where nobody is meant, or name somebody in accountIds, organizationArns or organizationalUnitArns, or with public: true",
    },
  ];
}

/** What is accepted and may be a mistake, where numbers arrive as texts. */
export function roundedAccounts({
  accountIds,
  createVolumePermissions: volumes,
  neverRevoke,
}: DeclaredSet): readonly ArgumentProblem[] {
  const lists = [
    [["accountIds"], accountIds],
    [["createVolumePermissions", "accountIds"], typeof volumes === "object" ? volumes.accountIds : undefined],
    [["neverRevoke"], neverRevoke],
  ] as const;
  return lists.flatMap(([path, ids = []]) => {
    const rounded = ids === UNKNOWN ? [] : ids.filter((id) => id !== UNKNOWN && mayBeRounded(id));
    return rounded.map((id) => ({
      property: path[0],
      path,
      message: `${show(id)} ends in zeros, as a rounded number does: 1.11122E+11 is read as 111122000000; see that it is the account that is meant, and write ids in quotes`,
    }));
  });
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
  return escapeUnseen(path.map((part, i) => (typeof part === "number" ? `[${part}]` : i === 0 ? part : `.${part}`)).join(""));
}

const unknown = v.literal(UNKNOWN);

/** The schema, or a value that is not known yet; not a union, whose messages would hide the schema's own. */
function known<S extends v.GenericSchema>(schema: S) {
  return v.lazy((input) => (input === UNKNOWN ? unknown : schema));
}

function text(kind: TextKind, told = textProblem) {
  return v.pipe(
    v.string((issue) => told(issue.input, kind)),
    v.check(
      (value) => kind.matches.test(value),
      (issue) => told(issue.input, kind),
    ),
  );
}

/** Any text but an empty one. */
const words = (what: string, example: string) => text({ what, matches: /./s, example });

function list<S extends v.GenericSchema<unknown, string>>(item: S, kind: TextKind) {
  return v.pipe(
    v.array(known(item), (issue) => listProblem(issue.input, kind)),
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
const grantees = wholeNumber('neither a whole number of grantees nor "none"');
const flag = v.boolean((issue) => flagProblem(issue.input));
const oneOf = <const T extends readonly [string, ...string[]]>(...values: T) =>
  v.picklist(values, (issue) => wordProblem(issue.input, values));

const createVolumeArguments = v.strictObject(
  {
    accountIds: v.optional(known(accounts(ACCOUNTS_OF_SNAPSHOTS))),
    snapshotIds: v.optional(known(list(text(SNAPSHOTS, itemProblem), SNAPSHOTS))),
    public: v.optional(known(flag)),
  },
  objectProblem("true, false or { accountIds, snapshotIds, public }", volumesProblem),
);

/** A list passes for an object with indices for names. */
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
    create: v.optional(known(duration)),
    update: v.optional(known(duration)),
    delete: v.optional(known(duration)),
  },
  objectProblem("{ create, update, delete }", (value) => {
    const one = durationProblem(value) === undefined ? ` such as { update: ${show(value)} }` : ", each a duration";
    return `${show(value)} is not { create, update, delete }${one}`;
  }),
);

/** Never shown where it holds a password. */
const endpoint = v.pipe(
  words("a URL", "https://ec2.us-east-1.amazonaws.com"),
  v.rawCheck(({ dataset, addIssue }) => {
    const problem = dataset.typed ? endpointProblem(dataset.value) : undefined;
    if (problem === undefined || !dataset.typed) return;
    const shown = problem === NOT_A_URL ? show(dataset.value) : "it";
    addIssue({ message: `${shown} ${problem}; write one such as https://ec2.us-east-1.amazonaws.com` });
  }),
);

const connectionEntries = {
  region: v.optional(known(text({ what: "a region", matches: /^[a-z]{2,}(-[a-z]+)+-\d+$/, example: "us-east-1" }))),
  profile: v.optional(known(words("a profile's name", "production"))),
  endpoint: v.optional(known(endpoint)),
  assumeRole: v.optional(
    known(
      v.strictObject(
        {
          roleArn: known(
            text({
              what: "a role's ARN",
              matches: /^arn:aws[a-z-]*:iam::\d{12}:role\/.+$/,
              example: "arn:aws:iam::111122223333:role/share-images",
            }),
          ),
          externalId: v.optional(known(words("an external id", "partner-42"))),
          sessionName: v.optional(
            known(text({ what: "a session name", matches: /^[\w+=,.@-]{2,64}$/, example: "share-images" })),
          ),
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
    imageId: known(text(IMAGE)),
    accountIds: v.optional(known(accounts(ACCOUNTS))),
    organizationArns: v.optional(known(arns(ORGANIZATIONS))),
    organizationalUnitArns: v.optional(known(arns(ORGANIZATIONAL_UNITS))),
    public: v.optional(known(flag)),
    acknowledgePublic: v.optional(known(flag)),
    createVolumePermissions: v.optional(
      known(v.lazy((input) => (typeof input === "boolean" ? flag : Array.isArray(input) ? noVolumes : createVolumeArguments))),
    ),
    maxRevocations: v.optional(known(v.lazy((input) => (input === "none" ? v.literal("none") : grantees)))),
    unrecorded: v.optional(known(oneOf("revoke", "refuse"))),
    neverRevoke: v.optional(known(accounts(ACCOUNTS_ONLY))),
    kmsAccess: v.optional(known(oneOf("check", "grant", "ignore"))),
    checkUsage: v.optional(known(flag)),
    mode: v.optional(known(oneOf("authoritative", "additive"))),
    onDelete: v.optional(known(oneOf("revoke", "reset", "retain"))),
    timeouts: v.optional(known(timeouts)),
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

function objectProblem(shape: string, told = (value: unknown) => `${show(value)} is not ${shape}`) {
  return (issue: v.StrictObjectIssue): string => {
    const name = issue.path?.at(-1)?.key;
    if (issue.expected === "Object") return told(issue.input);
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
