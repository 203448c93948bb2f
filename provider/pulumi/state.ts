/** A set in Pulumi's inputs and state: decodes arguments and their unknown values, and encodes and decodes what is recorded. */

import { isDeepStrictEqual } from "node:util";
import {
  ARGUMENT_NAMES,
  accountKey,
  type DeclaredSet,
  type Decoded,
  declaredGrants,
  decodeDeclaredSet,
  decodeRecorded,
  encodeRecorded,
  type Grants,
  granteeProblems,
  isGranteeKey,
  isManageable,
  isPermissionWords,
  joinWords,
  type MaybeUnknown,
  type PermissionSet,
  permissionSetOf,
  type Recorded,
  type RecordedOutputs,
  UNKNOWN,
} from "../core";
import { PULUMI_UNKNOWN } from "./sdkInternals";
import { type Properties, SECRETS } from "./secrets";

export type { Properties } from "./secrets";

/**
 * What the last create or update did, for the program to log. The engine does not show properties that begin with two underscores. `at` is in
 * milliseconds since 1970.
 */
export interface Done {
  readonly at: number;
  readonly report: string;
}

/** The name of {@link Done} among the outputs. */
export const DONE = "__done";

/** A hidden output: the record, which the next operation reads. See `PermissionRecord` in the core. */
export const RECORD = "__record";

/** A hidden input: the URN of the set. */
export const SET = "__set";

/** A hidden input, in which a program passes what it knows of the stack, as text ({@link encodeContext}). `check` removes it. */
export const CONTEXT = "__context";

/** What a program passes about the stack when it declares a set. */
export interface Context {
  /** The URN of the set. */
  readonly urn: string;
  /** The sets of the same AMI in the stack's state before this run: URN → outputs. */
  readonly recorded: Readonly<Record<string, Properties>>;
  /** The other sets of the same AMI that the program has declared so far, if their arguments are known: URN → arguments. */
  readonly declared?: Readonly<Record<string, Properties>>;
}

/** A context as text: the engine copies and logs every part of an object, several times for each set. */
export function encodeContext({ recorded, ...context }: Context): string {
  const needed = Object.entries(recorded).map(([urn, { [DONE]: _done, __provider, ...outputs }]) => [urn, outputs]);
  return JSON.stringify({ ...context, recorded: Object.fromEntries(needed) });
}

/** The context among the inputs of a set; undefined if it is not known yet. */
export function contextIn(inputs: Properties): Context | undefined {
  const { [CONTEXT]: context } = inputs;
  return typeof context === "string" && context !== PULUMI_UNKNOWN ? JSON.parse(context) : undefined;
}

/** Decodes the arguments of a program. Unknown names are a problem, and so is an authoritative set without any grantee argument. */
export function decodeInputs(inputs: Properties): Decoded {
  const decoded = decodeRecordedInputs(inputs);
  const problems = "declared" in decoded ? granteeProblems(decoded.declared) : [];
  return problems.length > 0 ? { problems } : decoded;
}

/** Decodes arguments in state, which an older version may have accepted. */
function decodeRecordedInputs(inputs: Properties): Decoded {
  const { __provider, [SET]: _set, [CONTEXT]: _context, [SECRETS]: _secrets, ...given } = inputs;
  return decodeDeclaredSet(mapLeaves(given, PULUMI_UNKNOWN, UNKNOWN) as Properties);
}

/** The arguments in a resource's state, without its outputs. */
export function argumentsIn(props: Properties): Properties {
  return Object.fromEntries(ARGUMENT_NAMES.filter((name) => props[name] !== undefined).map((name) => [name, props[name]]));
}

/** Encodes arguments and grants as inputs, which the engine compares and shows. */
export function encodeInputs(
  declared: DeclaredSet,
  grants: Record<string, MaybeUnknown<string>>,
  urn?: string,
): Record<string, unknown> {
  const inputs = mapLeaves({ ...declared, grants }, UNKNOWN, PULUMI_UNKNOWN) as Record<string, unknown>;
  return urn === undefined ? inputs : { ...inputs, [SET]: urn };
}

/** The grants in inputs or outputs, without entries that cannot be decoded. */
export function grantsIn(props: Properties): Grants {
  const { grants = {} } = props as { grants?: unknown };
  if (typeof grants !== "object" || grants === null) return {};
  return Object.fromEntries(Object.entries(grants).filter(([key, words]) => isGranteeKey(key) && isPermissionWords(words)));
}

/** The recorded state of a set as text: equal states are equal text. */
export function recordText(props: Properties): string {
  const { grants, [RECORD]: record } = props;
  return JSON.stringify([argumentsIn(props), grants, record].map(sorted));
}

/** The name of a set for messages. */
export function nameOf(urn: string): string {
  return `set "${urn.slice(urn.lastIndexOf("::") + 2)}"`;
}

/** The outputs to record: the arguments, and what EC2 has. */
export function encodeOutputs(args: Properties, set: PermissionSet, recorded: Recorded): Record<string, unknown> {
  const { record, ...outputs } = encodeRecorded(set, recorded);
  return { ...argumentsIn(args), ...outputs, [RECORD]: record };
}

/** Decodes what this version or an older one recorded. Errors: `state-unreadable`. */
export function recordedIn(props: Properties, set: PermissionSet | undefined): Recorded {
  const { [RECORD]: record, __granted = props.granted, __revoked: revoked, __drifted: drifted } = props;
  return decodeRecorded({ ...props, record, granted: __granted, revoked, drifted }, set);
}

/** The inputs to record after a read: the arguments, and the grants that EC2 has. */
export function refreshedInputs(args: Properties, declared: DeclaredSet, outputs: Properties): Record<string, unknown> {
  const { grants = {}, ownerId = "", snapshotIds = [] } = outputs as RecordedOutputs;
  // EC2 never lists the permissions of the owner, nor create-volume permissions on an AMI without snapshots.
  const unlisted = Object.entries(declaredGrants(declared)).filter(
    ([key, words]) =>
      typeof words === "string" &&
      (key === accountKey(ownerId) || (snapshotIds.length === 0 && withoutVolumes(words) === (grants[key] ?? ""))),
  );
  return { ...args, grants: { ...grants, ...Object.fromEntries(unlisted) } };
}

/**
 * The grants that decide whether a set changed. These are left out: the owner's; those that no set can change; those that only neverRevoke or
 * another set keeps; create-volume permissions on an AMI without snapshots.
 */
export function comparableGrants(props: Properties, image: Properties, news: Properties = {}, claimed: Grants = {}): Grants {
  const { ownerId, snapshotIds } = image as RecordedOutputs;
  const { [accountKey(String(ownerId))]: _, ...all } = manageable(grantsIn(props));
  const matters = news.neverRevoke !== undefined || Object.keys(claimed).length > 0;
  const decoded = matters ? decodeRecordedInputs(argumentsIn(news)) : undefined;
  const grants = decoded && "declared" in decoded ? withoutKept(all, decoded.declared, claimed) : all;
  if (snapshotIds?.length !== 0) return grants;
  const entries = Object.entries(grants).map(([key, words]) => [key, withoutVolumes(words)] as const);
  return Object.fromEntries(entries.filter(([, words]) => words !== ""));
}

/** Leaves out what neverRevoke or another set keeps, if the grantee also has everything that this set wants for it. */
function withoutKept(grants: Grants, declared: DeclaredSet, claimed: Grants): Grants {
  const { neverRevoke = [] } = declared;
  const spared = neverRevoke === UNKNOWN ? [] : neverRevoke.flatMap((id) => (id === UNKNOWN ? [] : [accountKey(id)]));
  const wanted = declaredGrants(declared);
  const counted = Object.entries(grants).flatMap(([key, words]) => {
    const want = wanted[key] ?? "";
    if (want === UNKNOWN) return [[key, words] as const];
    const kept = spared.includes(key) ? words : joinWords(want, claimed[key] ?? "");
    const isKept = joinWords(kept, words) === kept && joinWords(words, want) === words;
    if (!isKept) return [[key, words] as const];
    return want === "" ? [] : [[key, want] as const];
  });
  return Object.fromEntries(counted);
}

/** Whether two states of a set have the same arguments, apart from `timeouts`. */
export function areSameButTimeouts(olds: Properties, news: Properties): boolean {
  return isDeepStrictEqual({ ...argumentsIn(olds), timeouts: 0 }, { ...argumentsIn(news), timeouts: 0 });
}

/** Whether a program changes only the `timeouts` of a recorded set. */
export function onlyTimeoutsChange(recorded: Properties, declared: DeclaredSet): boolean {
  const news = encodeInputs(declared, declaredGrants(declared, grantsIn(recorded)));
  const [before, after] = [recorded, news].map((one) => comparableGrants(one, recorded, news));
  const areOtherTimes = !isDeepStrictEqual(recorded.timeouts, argumentsIn(news).timeouts);
  return areOtherTimes && areSameButTimeouts(recorded, news) && isDeepStrictEqual(before, after);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => [key, sorted(item)]);
}

/** The text of a grant, without create-volume permission. */
function withoutVolumes(words: string): string {
  return words.replace(/(, )?createVolume$/, "");
}

/** The set whose arguments are in state; undefined if they cannot be decoded. */
export function setIn(props: Properties): { declared: DeclaredSet; set: PermissionSet } | undefined {
  const decoded = decodeRecordedInputs(argumentsIn(props));
  const set = "declared" in decoded ? permissionSetOf(decoded.declared) : undefined;
  return set && "declared" in decoded ? { declared: decoded.declared, set } : undefined;
}

function manageable(grants: Grants): Grants {
  return Object.fromEntries(Object.entries(grants).filter(([key]) => isManageable(key)));
}

function mapLeaves(value: unknown, from: unknown, to: unknown): unknown {
  if (value === from) return to;
  if (Array.isArray(value)) return value.map((item) => mapLeaves(item, from, to));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapLeaves(item, from, to)]));
}
