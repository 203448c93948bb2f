/** The set of a declaration whose values are all known, and the permissions that it wants on an image. */

import {
  type AllowList,
  AmiSharingError,
  accountKey,
  countedGrantees,
  durationSeconds,
  filterGrantees,
  firstFew,
  type GranteeKey,
  type MaybeUnknown,
  type Permissions,
  UNKNOWN,
} from "../model";
import type { DeclaredSet, KmsAccess, Mode, OnDelete, Unrecorded } from "./arguments";
import { SET_ARGUMENTS } from "./argumentTable";
import { granteesIn, intentOf } from "./intent";

/** The most grantees that one error names. */
const MAX_NAMED = 5;

export interface PermissionSet {
  readonly imageId: string;
  /** Who may launch the image. */
  readonly launch: ReadonlySet<GranteeKey>;
  /** Who may create volumes, on which snapshots (undefined: all of the image's). Undefined: not managed. */
  readonly createVolume:
    | { readonly grantees: ReadonlySet<GranteeKey>; readonly snapshotIds: readonly string[] | undefined }
    | undefined;
  readonly mode: Mode;
  readonly onDelete: OnDelete;
  /** The most grantees that one change may revoke access from. */
  readonly maxRevocations: number;
  /** Whether a change may revoke access from grantees that the state does not record. */
  readonly unrecorded: Unrecorded;
  /** Grantees from whom the set never revokes access. */
  readonly neverRevoke: ReadonlySet<GranteeKey>;
  /** The lists of which each has everybody who may have access. Undefined: anybody may. `withAllowLists` adds them, because it reads files. */
  readonly allowed?: readonly AllowList[];
  readonly kmsAccess: KmsAccess;
  /** Whether a plan warns about accounts that use the image and lose it. */
  readonly checkUsage: boolean;
  /** The timeouts that the declaration contains, in seconds. */
  readonly timeouts?: Timeouts;
}

/** The operations that wait. */
export type Operation = "create" | "update" | "delete";
export type Timeouts = { readonly [Name in Operation]?: number };

/** The set of a declaration. Undefined while a value that affects access is unknown. */
export function permissionSetOf(declared: DeclaredSet): PermissionSet | undefined {
  const intent = intentOf(declared);
  const { imageId, mode = SET_ARGUMENTS.mode.default, onDelete = SET_ARGUMENTS.onDelete.default } = declared;
  const { kmsAccess = SET_ARGUMENTS.kmsAccess.default, checkUsage = SET_ARGUMENTS.checkUsage.default } = declared;
  const { unrecorded = SET_ARGUMENTS.unrecorded.default } = declared;
  const { createVolume } = intent;
  const maxRevocations = maxRevocationsOf(declared);
  const neverRevoke = granteesIn("account", declared.neverRevoke);
  // While the allow-list is unknown, nobody can say whether the set may be applied.
  if (isUnknownList(declared.allowedGrantees)) return undefined;
  if (maxRevocations === UNKNOWN || neverRevoke.unknown.length > 0) return undefined;
  if (kmsAccess === UNKNOWN || checkUsage === UNKNOWN || unrecorded === UNKNOWN) return undefined;
  if (imageId === UNKNOWN || mode === UNKNOWN || onDelete === UNKNOWN || createVolume === UNKNOWN) return undefined;
  if (intent.launch.unknown.length > 0) return undefined;
  if (createVolume && (createVolume.grantees.unknown.length > 0 || createVolume.snapshotIds === UNKNOWN)) return undefined;
  return {
    imageId,
    mode,
    onDelete,
    maxRevocations,
    unrecorded,
    neverRevoke: neverRevoke.keys,
    kmsAccess,
    checkUsage,
    ...timeoutsOf(declared),
    launch: intent.launch.keys,
    createVolume: createVolume && {
      grantees: createVolume.grantees.keys,
      snapshotIds: createVolume.snapshotIds as readonly string[] | undefined,
    },
  };
}

function isUnknownList(list: MaybeUnknown<readonly MaybeUnknown<string>[]> = []): boolean {
  return list === UNKNOWN || list.includes(UNKNOWN);
}

/** The refusal of a change that revokes access from more grantees than the set allows. Empty if it does not. */
export function tooManyRevocations(
  imageId: string,
  revoked: readonly GranteeKey[],
  maxRevocations: number,
): readonly AmiSharingError[] {
  if (revoked.length <= maxRevocations) return [];
  const [count, named] = [countedGrantees(revoked.length), firstFew([...revoked].sort(), MAX_NAMED)];
  return [
    new AmiSharingError(
      "too-many-revocations",
      `the change of AMI ${imageId} would take access from ${count} (${named}), and maxRevocations is ${maxRevocations}`,
      { property: "maxRevocations", imageId, next: `if this is intended, set maxRevocations to ${revoked.length}` },
    ),
  ];
}

/** The most grantees that one change may revoke access from. */
export function maxRevocationsOf({ maxRevocations = Number.POSITIVE_INFINITY }: DeclaredSet): MaybeUnknown<number> {
  return maxRevocations === "none" ? 0 : maxRevocations;
}

/** The known timeouts. Unknown ones are left out: they do not affect access, so a plan does not need them. */
function timeoutsOf({ timeouts }: DeclaredSet): Pick<PermissionSet, "timeouts"> {
  if (timeouts === undefined || timeouts === UNKNOWN) return {};
  const seconds = Object.entries(timeouts).map(([name, text]) => [name, durationSeconds(String(text))] as const);
  return { timeouts: Object.fromEntries(seconds.filter(([, value]) => value !== undefined)) };
}

/** The permissions that a set wants on an image. The owner is left out, because it always has access. */
export function targetPermissions(set: PermissionSet, image: { ownerId: string; snapshotIds: readonly string[] }): Permissions {
  const owner = accountKey(image.ownerId);
  return filterGrantees(namedPermissions(set, image), (key) => key !== owner);
}

/** The permissions that a set declares on an image, including those of the owner. */
export function namedPermissions(
  { launch, createVolume }: PermissionSet,
  image: { snapshotIds: readonly string[] },
): Permissions {
  const grantees = createVolume?.grantees ?? new Set();
  const snapshotIds = grantees.size > 0 ? (createVolume?.snapshotIds ?? image.snapshotIds) : [];
  return { launch, createVolume: new Map(snapshotIds.map((id) => [id, grantees])) };
}

/** The snapshots whose create-volume permissions the set manages. */
export function managedSnapshots(set: PermissionSet, image: { snapshotIds: readonly string[] }): readonly string[] {
  return set.createVolume ? (set.createVolume.snapshotIds ?? image.snapshotIds) : [];
}

/** The snapshots that `createVolume` without snapshot ids means in the grants of a set: all. Undefined if the set names snapshots. */
export function unnamedSnapshots(set: PermissionSet, image: { snapshotIds: readonly string[] }): readonly string[] | undefined {
  return set.createVolume?.snapshotIds === undefined ? image.snapshotIds : undefined;
}
