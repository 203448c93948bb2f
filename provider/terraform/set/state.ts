/** A set in Terraform's configuration, plan and state: decoding its arguments, and writing and reading what is recorded. */

import * as v from "valibot";
import {
  AmiSharingError,
  type ArgumentProblem,
  type ClaimedImage,
  type Decoded,
  decodeDeclaredSet,
  decodeRecorded,
  deserializePermissions,
  type Grants,
  type PermissionSet,
  type Permissions,
  permissionRecordSchema,
  permissionSetOf,
  permissionsSchema,
  type Recorded,
  type RecordedOutputs,
  roundedAccounts,
  type SerializedPermissions,
  UNKNOWN,
  union,
  type WaitOptions,
  withAllowLists,
} from "../../core";
import { argumentsIn, nulls, readOnlyProblems, valuesOf } from "../arguments";
import { type Diagnostic, problemDiagnostic } from "../diagnostics";
import type { Log } from "../hclog";
import { type PlacedClaim, placedClaims, type Run } from "../neighbours";
import type { ProviderConfig } from "../providerConfig";
import { DEFAULTS, RESOURCE_SCHEMA } from "../schema";
import { type ObjectValue, sameValue, type Value } from "../values";

/** What Terraform stores of a set: the state, which users see, and the private data, which they do not. */
export interface StoredSet {
  /** null: the resource does not exist. */
  readonly state: ObjectValue | null;
  readonly private: Private;
}

/** The result of an operation: what to store, and what to tell users. */
export interface SetResult extends StoredSet {
  readonly diagnostics: readonly Diagnostic[];
}

/** The private data: what the next operation needs and users need not see. */
export interface Private extends Pick<RecordedOutputs, "record" | "kmsGrants"> {
  /** Older versions wrote these as text, in place of `record`. */
  readonly granted?: Grants;
  readonly revoked?: Grants;
  /** Distinguishes the sets of one AMI. Terraform does not tell a provider the address of a resource. */
  readonly id?: string;
  /** The other sets of the AMI that the last refresh saw. */
  readonly others?: readonly PlacedClaim[];
  /** For a planned destroy: the sets that keep what they declare. */
  readonly heirs?: readonly PlacedClaim[];
  /** For a planned create: what it revokes from others. Its apply revokes no more. */
  readonly revokes?: SerializedPermissions;
  /** For an additive set: what the last refresh saw of others. The state does not show it. If the set becomes authoritative, its plan may revoke it. */
  readonly seen?: SerializedPermissions;
  /** The stored private data could not be decoded. */
  readonly unreadable?: true;
}

const privateData = v.object({
  record: v.optional(permissionRecordSchema),
  granted: v.optional(permissionsSchema),
  revoked: v.optional(permissionsSchema),
  kmsGrants: v.optional(v.array(v.object({ keyId: v.string(), grantId: v.string(), accountId: v.string() }))),
  id: v.optional(v.string()),
  others: v.optional(placedClaims),
  heirs: v.optional(placedClaims),
  revokes: v.optional(permissionsSchema),
  seen: v.optional(permissionsSchema),
  unreadable: v.optional(v.literal(true)),
});

/** Decodes private data. */
export function decodePrivate(bytes: Uint8Array | undefined): Private {
  if (!bytes || bytes.length === 0) return {};
  try {
    return v.parse(privateData, JSON.parse(Buffer.from(bytes).toString("utf8"))) as Private;
  } catch {
    return { unreadable: true };
  }
}

/** What an operation on a set needs. */
export interface SetContext {
  readonly config: ProviderConfig;
  readonly log: Log;
  readonly waitOptions?: WaitOptions;
  /** The sets of this process. */
  readonly run: Run;
  /** Whether Pulumi's Terraform bridge is the caller. It stores neither private data nor empty objects. */
  readonly isBridge?: boolean;
}

/** The attributes that users write. */
export const ARGUMENTS = Object.entries(RESOURCE_SCHEMA.attributes)
  .filter(([, { role }]) => role !== "computed")
  .map(([name]) => name);

/** The problems of a configuration. */
export function problemsOf(config: ObjectValue): readonly ArgumentProblem[] {
  const decoded = declaredIn(config);
  return [...readOnlyProblems(config, RESOURCE_SCHEMA), ...("problems" in decoded ? decoded.problems : [])];
}

/** The problems of a configuration, and warnings of ids that may be rounded: Terraform passes a number as text. */
export function configurationDiagnostics(config: ObjectValue): readonly Diagnostic[] {
  const decoded = declaredIn(config);
  const doubts = "declared" in decoded ? roundedAccounts(decoded.declared) : [];
  const summary = "An account id may be a rounded number";
  return [
    ...problemsOf(config).map(problemDiagnostic),
    ...doubts.map((doubt): Diagnostic => ({ ...problemDiagnostic(doubt), severity: "WARNING", summary })),
  ];
}

/** The configuration for which a plan changes nothing of a state. */
export function configurationOf(state: ObjectValue): ObjectValue {
  const written = Object.entries(state).filter(([name, value]) => ARGUMENTS.includes(name) && value !== DEFAULTS[name]);
  return { ...nulls(RESOURCE_SCHEMA.attributes), ...Object.fromEntries(written) };
}

export function declaredIn(value: ObjectValue): Decoded {
  return decodeDeclaredSet(argumentsIn(value, RESOURCE_SCHEMA));
}

/** The set of a state, or of a plan if no argument is unknown. */
export function setIn(state: ObjectValue): PermissionSet | undefined {
  const decoded = declaredIn(state);
  return "declared" in decoded ? permissionSetOf(decoded.declared) : undefined;
}

/** The set of a plan with the allow-lists that hold for it: its own and the provider's. Errors: `invalid-argument`. */
export function allowedIn(planned: ObjectValue, set: PermissionSet, { rules }: ProviderConfig): PermissionSet {
  const decoded = declaredIn(planned);
  return "declared" in decoded ? withAllowLists(set, decoded.declared, rules.allowed) : set;
}

export function recordedIn({ state, private: own }: StoredSet): Recorded {
  const { region, owner_id: ownerId, snapshot_ids: snapshotIds } = state ?? {};
  const { record, granted, revoked, kmsGrants } = own;
  const outputs = { region, ownerId, snapshotIds, grants: grantsIn(state), record, granted, revoked, kmsGrants };
  const told = Object.fromEntries(Object.entries(outputs).filter(([, value]) => value !== null && value !== UNKNOWN));
  return decodeRecorded(told as RecordedOutputs, state ? setIn(state) : undefined);
}

export function unreadablePrivate(imageId: string): AmiSharingError {
  return new AmiSharingError("state-unreadable", `the private data of the set of AMI ${imageId} in the state cannot be read`, {
    imageId,
    next: "restore the state from a backup, or run terraform apply -refresh-only, which counts what the arguments name as granted by the set",
  });
}

/** What the state records of the AMI. */
export function imageIn(state: ObjectValue | null): ClaimedImage {
  const { owner_id: ownerId, snapshot_ids: snapshotIds } = state ?? {};
  return {
    ownerId: typeof ownerId === "string" ? ownerId : "",
    snapshotIds: Array.isArray(snapshotIds) ? snapshotIds.filter((id) => typeof id === "string") : [],
  };
}

export function grantsIn(state: ObjectValue | null): Grants {
  const grants = state?.grants ?? {};
  return grants === UNKNOWN ? {} : (grants as Grants);
}

export function defaultsFor(config: ObjectValue): ObjectValue {
  return Object.fromEntries(Object.entries(DEFAULTS).map(([name, value]) => [name, config[name] ?? value]));
}

export function sameArguments(old: ObjectValue, planned: ObjectValue, but: readonly string[] = []): boolean {
  return ARGUMENTS.every((name) => but.includes(name) || sameValue(old[name] ?? null, planned[name] ?? null));
}

export function sameState(old: ObjectValue, planned: ObjectValue, but: readonly string[] = []): boolean {
  const names = Object.keys(RESOURCE_SCHEMA.attributes).filter((name) => !but.includes(name));
  return names.every((name) => sameValue(old[name] ?? null, planned[name] ?? null));
}

/** The part of the outputs that goes into the state. */
export function valuesIn({ region, ownerId, snapshotIds, grants = {} }: RecordedOutputs): Record<string, Value> {
  // The keys of `grants` are grantees, not names of attributes.
  return { ...valuesOf({ region, ownerId, snapshotIds }), grants };
}

/** The part of the outputs that goes into the private data, with what is carried along. */
export function privateIn({ record, kmsGrants }: RecordedOutputs, { id, others = [], heirs = [], seen }: Private = {}): Private {
  return {
    ...(record ? { record } : {}),
    ...(kmsGrants ? { kmsGrants } : {}),
    ...(id === undefined ? {} : { id }),
    ...(others.length > 0 ? { others } : {}),
    ...(heirs.length > 0 ? { heirs } : {}),
    ...(seen ? { seen } : {}),
  };
}

/** The grants that the plan of an update can show as removed: those that the state records, and those that the refresh saw. */
export function shownTo({ live }: Recorded, { seen }: Private): Permissions {
  return seen ? union(live, deserializePermissions(seen, [])) : live;
}
