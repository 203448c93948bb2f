/** The intent of the arguments: which grantees they name for which permission. Unknown grantees are listed by their kind. */

import { accountKey, type GranteeKey, type MaybeUnknown, PUBLIC, parseGranteeKey, UNKNOWN } from "../model";
import type { CreateVolumeArguments, DeclaredSet } from "./arguments";

/** An unknown grantee of this kind. `isWholeList`: the whole list of these grantees is unknown. */
interface UnknownGrantee {
  readonly kind: "account" | "organization" | "organizationalUnit" | "public";
  readonly isWholeList: boolean;
}

/** The grantees of one permission. */
export interface Grantees {
  readonly keys: ReadonlySet<GranteeKey>;
  readonly unknown: readonly UnknownGrantee[];
}

/** The grantees of each permission. */
export interface Intent {
  readonly launch: Grantees;
  /** Undefined: not managed. */
  readonly createVolume: MaybeUnknown<
    { grantees: Grantees; snapshotIds: MaybeUnknown<readonly string[]> | undefined } | undefined
  >;
}

/** The grantees of create-volume permission, as far as they are known. */
export function volumesOf({ createVolume }: Intent): Grantees {
  return createVolume === UNKNOWN || !createVolume ? NOBODY : createVolume.grantees;
}

const NOBODY: Grantees = { keys: new Set(), unknown: [] };

export function intentOf(declared: DeclaredSet): Intent {
  const accounts = granteesIn("account", declared.accountIds);
  const everybody = publicIn(declared.public);
  const launch = merge([
    accounts,
    granteesIn("organization", declared.organizationArns),
    granteesIn("organizationalUnit", declared.organizationalUnitArns),
    everybody,
  ]);
  const asked = declared.createVolumePermissions;
  if (asked === UNKNOWN) return { launch, createVolume: UNKNOWN };
  if (asked === undefined || asked === false) return { launch, createVolume: undefined };
  if (asked === true) return { launch, createVolume: { grantees: merge([accounts, everybody]), snapshotIds: undefined } };
  const grantees = merge([
    asked.accountIds === undefined ? accounts : granteesIn("account", asked.accountIds),
    publicIn(asked.public),
  ]);
  return { launch, createVolume: { grantees, snapshotIds: knownList(asked.snapshotIds) } };
}

/** The grantees that a list names. */
export function granteesIn(
  kind: "account" | "organization" | "organizationalUnit",
  list: MaybeUnknown<readonly MaybeUnknown<string>[]> = [],
): Grantees {
  if (list === UNKNOWN) return { keys: new Set(), unknown: [{ kind, isWholeList: true }] };
  return {
    keys: new Set(list.filter((item) => item !== UNKNOWN).map((item) => (kind === "account" ? accountKey(item) : item))),
    unknown: list.filter((item) => item === UNKNOWN).map(() => ({ kind, isWholeList: false })),
  };
}

function publicIn(asked: MaybeUnknown<boolean> | undefined): Grantees {
  return {
    keys: new Set(asked === true ? [PUBLIC] : []),
    unknown: asked === UNKNOWN ? [{ kind: "public", isWholeList: false }] : [],
  };
}

function merge(parts: readonly Grantees[]): Grantees {
  return { keys: new Set(parts.flatMap(({ keys }) => [...keys])), unknown: parts.flatMap(({ unknown }) => unknown) };
}

export function includesGrantee({ keys, unknown }: Grantees, key: GranteeKey): MaybeUnknown<boolean> {
  if (keys.has(key)) return true;
  const { kind } = parseGranteeKey(key);
  return unknown.some((u) => u.kind === kind) ? UNKNOWN : false;
}

/** Whether EC2 accepts create-volume permission for a grantee. */
export function canCreateVolumes(key: GranteeKey): boolean {
  const { kind } = parseGranteeKey(key);
  return kind === "account" || kind === "public";
}

function knownList(list: CreateVolumeArguments["snapshotIds"]): MaybeUnknown<readonly string[]> | undefined {
  if (list === undefined || list === UNKNOWN) return list;
  return list.some((item) => item === UNKNOWN) ? UNKNOWN : (list as readonly string[]);
}
