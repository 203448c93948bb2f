/** A set in Pulumi's inputs and state: decoding arguments with Pulumi's unknown values, and writing and reading what is recorded. */

import {
  ARGUMENT_NAMES,
  accountKey,
  type DeclaredSet,
  type Decoded,
  declaredGrants,
  decodeDeclaredSet,
  encodeRecorded,
  type Grants,
  isManageable,
  joinWords,
  type MaybeUnknown,
  type PermissionSet,
  permissionSetOf,
  type Recorded,
  type RecordedOutputs,
  UNKNOWN,
} from "../core";

export type Properties = Readonly<Record<string, unknown>>;

/** How the engine writes a value that it does not know yet. Pulumi SDK, runtime/rpc.ts, `unknownValue`. */
export const PULUMI_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/**
 * What the last create or update did, for the program to log: hidden in state, as the engine shows nothing that begins with
 * two underscores. `at` is in milliseconds since 1970.
 */
export interface Done {
  readonly at: number;
  readonly report: string;
}

/** The name of {@link Done} among the outputs. */
export const DONE = "__done";

/** Decodes what a program gave; unknown names are a problem. */
export function decodeInputs(inputs: Properties): Decoded {
  const { __provider, ...given } = inputs;
  return decodeDeclaredSet(mapLeaves(given, PULUMI_UNKNOWN, UNKNOWN) as Properties);
}

/** The arguments in a resource's state, without its outputs. */
export function argumentsIn(props: Properties): Properties {
  return Object.fromEntries(ARGUMENT_NAMES.filter((name) => props[name] !== undefined).map((name) => [name, props[name]]));
}

/** Arguments and grants in the form that the engine compares and shows. */
export function encodeInputs(declared: DeclaredSet, grants: Record<string, MaybeUnknown<string>>): Record<string, unknown> {
  return mapLeaves({ ...declared, grants }, UNKNOWN, PULUMI_UNKNOWN) as Record<string, unknown>;
}

/** The grants in inputs or outputs. */
export function grantsIn(props: Properties): Grants {
  return (props as RecordedOutputs).grants ?? {};
}

/** The outputs to record: the arguments, and what holds. */
export function encodeOutputs(args: Properties, set: PermissionSet, recorded: Recorded): Record<string, unknown> {
  return { ...argumentsIn(args), ...encodeRecorded(set, recorded) };
}

/** The inputs to record after a read: the arguments as they are, and the grants that hold. */
export function refreshedInputs(args: Properties, declared: DeclaredSet, outputs: Properties): Record<string, unknown> {
  const { grants = {}, ownerId = "", snapshotIds = [] } = outputs as RecordedOutputs;
  // What is declared and EC2 never lists: the owner's permissions, and create-volume where there is no snapshot.
  const unlisted = Object.entries(declaredGrants(declared)).filter(
    ([key, words]) =>
      typeof words === "string" &&
      (key === accountKey(ownerId) || (snapshotIds.length === 0 && withoutVolumes(words) === (grants[key] ?? ""))),
  );
  return { ...args, grants: { ...grants, ...Object.fromEntries(unlisted) } };
}

/**
 * The grants that decide whether a set changed: without the owner's, those that no set can change, what is spared and not
 * wanted, and create-volume on no snapshots.
 */
export function comparableGrants(props: Properties, image: Properties, news: Properties = {}): Grants {
  const { ownerId, snapshotIds } = image as RecordedOutputs;
  const { [accountKey(String(ownerId))]: _, ...all } = manageable(grantsIn(props));
  const decoded = news.neverRevoke === undefined ? undefined : decodeInputs(argumentsIn(news));
  const grants = decoded && "declared" in decoded ? withoutSpared(all, decoded.declared) : all;
  if (snapshotIds?.length !== 0) return grants;
  const entries = Object.entries(grants).map(([key, words]) => [key, withoutVolumes(words)] as const);
  return Object.fromEntries(entries.filter(([, words]) => words !== ""));
}

/** A spared grantee counts with what is wanted for it, where it has that; what it holds beside is no difference. */
function withoutSpared(grants: Grants, declared: DeclaredSet): Grants {
  const { neverRevoke = UNKNOWN } = declared;
  if (neverRevoke === UNKNOWN) return grants;
  const keys = neverRevoke.flatMap((id) => (id === UNKNOWN ? [] : [accountKey(id)]));
  const wanted = declaredGrants(declared);
  const counted = Object.entries(grants).flatMap(([key, words]) => {
    const want = wanted[key];
    if (!keys.includes(key) || want === UNKNOWN) return [[key, words] as const];
    if (want === undefined) return [];
    return [[key, joinWords(words, want) === words ? want : words] as const];
  });
  return Object.fromEntries(counted);
}

/** The words of a grant on an image without EBS snapshots. */
function withoutVolumes(words: string): string {
  return words.replace(/(, )?createVolume$/, "");
}

/** The set of arguments in state; a value that is unknown or unreadable there is a defect, not the user's. */
export function setIn(props: Properties): { declared: DeclaredSet; set: PermissionSet } | undefined {
  const decoded = decodeInputs(argumentsIn(props));
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
