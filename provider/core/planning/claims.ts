/** Claims: what each set of a run declares for an AMI. A set revokes nothing that another set claims. */

import * as v from "valibot";
import type { Image } from "../aws";
import { type PermissionSet, targetPermissions } from "../declaration";
import {
  AmiSharingError,
  deserializePermissions,
  firstFew,
  type GranteeKey,
  type Grants,
  granteesOf,
  intersection,
  isEmpty,
  minus,
  NO_PERMISSIONS,
  type Permissions,
  parseGranteeKey,
  permissionsSchema,
  type SerializedPermissions,
  serializePermissions,
  union,
} from "../model";

/** The fields of an image that determine what a set wants on it. */
export type ClaimedImage = Pick<Image, "ownerId" | "snapshotIds">;

/** What one set claims on an AMI, as the other sets of the AMI see it. */
export interface Claim {
  /** The name that messages show, such as `set "golden"`. */
  readonly name: string;
  /** The permissions that the set wants. A set that is known only from state wants what it granted. */
  readonly wants: (image: ClaimedImage) => Permissions;
  /** For a set that is known only from state: what its recorded arguments name, granted by the set or not. */
  readonly declares?: (image: ClaimedImage) => Permissions;
  /** The permissions that the set granted, according to its record. */
  readonly granted: Permissions;
  /** Whether the set creates KMS grants for its accounts. */
  readonly grantsKeys: boolean;
  /** Set if the set is known only from state. The program may no longer declare it; then the engine deletes it, and its grants with it. */
  readonly isRecorded?: true;
}

/** A claim as plain data, which an engine passes from one process to another. Older versions wrote the permissions as a grants map. */
export interface SerializedClaim {
  readonly name: string;
  readonly wants: SerializedPermissions | Grants;
  readonly granted: SerializedPermissions | Grants;
  readonly grantsKeys: boolean;
}

/** The schema of a serialized claim. */
export const claimSchema = v.object({
  name: v.string(),
  wants: permissionsSchema,
  granted: permissionsSchema,
  grantsKeys: v.boolean(),
});

export function serializeClaim({ name, wants, granted, grantsKeys }: Claim, image: ClaimedImage): SerializedClaim {
  return { name, wants: serializePermissions(wants(image)), granted: serializePermissions(granted), grantsKeys };
}

export function deserializeClaim({ name, wants, granted, grantsKeys }: SerializedClaim): Claim {
  const wanted = deserializePermissions(wants, []);
  return { name, wants: () => wanted, granted: deserializePermissions(granted, []), grantsKeys };
}

/** What a change or removal of a set has to know of the other sets of the same AMI. */
export interface Neighbours {
  readonly claims: readonly Claim[];
  /**
   * What sets of the same program granted earlier, including an earlier set of the same name. If this set wants such a permission and
   * finds it in EC2, the permission belongs to this set as well. Otherwise no set would ever revoke it.
   */
  readonly inherited: Permissions;
  /** What other sets revoked in this run. If this set wants it, it grants it even where EC2 still shows it: that answer may be old. */
  readonly taken?: Permissions;
}

export const NO_NEIGHBOURS: Neighbours = { claims: [], inherited: NO_PERMISSIONS };

/** The claim of a declared set. */
export function claimOf(name: string, set: PermissionSet, granted: Permissions = NO_PERMISSIONS): Claim {
  return { name, wants: (image) => targetPermissions(set, image), granted, grantsKeys: set.kmsAccess === "grant" };
}

/**
 * The claim of a set that is known only from state.
 *
 * @param owned the upper limit of what the set may want. Default: what it granted
 */
export function recordedClaim(claim: Claim, owned: () => Permissions = () => claim.granted): Claim {
  const { wants } = claim;
  return { ...claim, wants: (image) => intersection(wants(image), owned()), declares: wants, isRecorded: true };
}

/** `live` without what only recorded sets want. The engine deletes these sets, and their grants with them, later in the same update. */
export function withoutRecorded(
  live: Permissions,
  claims: readonly Claim[],
  image: ClaimedImage,
  wanted: Permissions,
): Permissions {
  const leaving = claimedBy(
    claims.filter(({ isRecorded }) => isRecorded),
    image,
  );
  const staying = claimedBy(
    claims.filter(({ isRecorded }) => !isRecorded),
    image,
  );
  return minus(live, minus(leaving, union(staying, wanted)));
}

/** Everything that these sets want on the image. */
export function claimedBy(claims: readonly Claim[], image: ClaimedImage): Permissions {
  return claims.map(({ wants }) => wants(image)).reduce(union, NO_PERMISSIONS);
}

/** The accounts whose KMS grants these sets need. */
export function keysClaimedBy(claims: readonly Claim[], image: ClaimedImage): ReadonlySet<GranteeKey> {
  const wanted = claimedBy(
    claims.filter(({ grantsKeys }) => grantsKeys),
    image,
  );
  return new Set([...granteesOf(wanted)].filter((key) => parseGranteeKey(key).kind === "account"));
}

/** For each claim, the part of `permissions` that it wants. Claims that want none of them are left out. */
export function claimedParts(
  claims: readonly Claim[],
  image: ClaimedImage,
  permissions: Permissions,
): { readonly name: string; readonly permissions: Permissions; readonly isRecorded: boolean }[] {
  return claims
    .map(({ name, wants, isRecorded = false }) => ({ name, permissions: intersection(wants(image), permissions), isRecorded }))
    .filter((wanted) => !isEmpty(wanted.permissions));
}

/** Throws the error for two authoritative sets of one AMI. */
export function throwConflictingSets(imageId: string, region: string, names: readonly [string, string]): never {
  throw new AmiSharingError(
    "conflicting-sets",
    `${names[0]} and ${names[1]} both declare AMI ${imageId} in ${region} in authoritative mode, so each would revoke the grants of the other`,
    { property: "imageId", imageId, next: 'declare all grantees in one set, or set mode to "additive" in both' },
  );
}

/** The error of a removal if another set declares the same grants and does not own them yet, such as after its create failed. */
export function handOverIncomplete(imageId: string, names: readonly string[]): AmiSharingError {
  return new AmiSharingError(
    "hand-over-incomplete",
    `${firstFew(names, 3)} declares what this set granted on AMI ${imageId}, but does not own it yet: this set keeps its grants`,
    { imageId, next: "fix the errors of that set, if there are any, and repeat" },
  );
}

const STATES = ["recorded", "declared", "made", "failed"] as const;
type State = (typeof STATES)[number];

interface Entry {
  readonly claim: Claim;
  /** The record in the state, as text. A removal is matched to its set by this text. */
  readonly record?: string;
  readonly state: State;
  /** What the set owns after its create or update in this run. */
  readonly owned?: Permissions;
  readonly authoritative: boolean;
}

/**
 * The sets that one process of an engine's provider has seen. `place` identifies an AMI and its region, `id` identifies a set.
 *
 * States of a set:
 * - `recorded`: known from state; the program may no longer declare it
 * - `declared`: the program of this run declares it
 * - `made`, `failed`: the result of its create or update in this run
 */
export class ClaimRegistry {
  private readonly places = new Map<string, Map<string, Entry>>();
  /** Where the program of this run declared each set last. */
  private readonly declaredAt = new Map<string, string>();
  private readonly queues = new Map<string, Promise<unknown>>();
  private readonly left = new Map<string, Permissions>();
  /** What sets revoked in this run and no set has granted again: place → set → permissions. */
  private readonly taken = new Map<string, Map<string, Permissions>>();

  /**
   * Registers a set that is known from state. It does not replace what this run already knows of the set.
   *
   * @param inherits whether the set will also own what it wants and another set of the AMI granted
   */
  record(place: string, id: string, claim: Claim, record: string, inherits = false): void {
    const known = this.at(place).get(id);
    const granted = union(known?.claim.granted ?? NO_PERMISSIONS, claim.granted);
    const owned = () => (inherits ? this.neighbours(place, id).inherited : claim.granted);
    if (known && known.state !== "recorded") this.at(place).set(id, { ...known, claim: { ...known.claim, granted } });
    else
      this.at(place).set(id, {
        claim: recordedClaim(claim, owned),
        record,
        state: "recorded",
        authoritative: false,
      });
  }

  /**
   * Registers a set that the program of this run declares.
   *
   * @returns the name of the other set, if both sets are authoritative for the same AMI
   */
  declare(place: string, id: string, claim: Claim, authoritative: boolean): string | undefined {
    const known = this.at(place).get(id);
    const granted = union(known?.claim.granted ?? NO_PERMISSIONS, claim.granted);
    const state = known === undefined || known.state === "recorded" ? "declared" : known.state;
    // A set declares one AMI at a time. An entry for another AMI is from before the set moved to this one.
    const before = this.declaredAt.get(id);
    if (before !== undefined && before !== place && this.at(before).get(id)?.state !== "recorded") this.at(before).delete(id);
    this.declaredAt.set(id, place);
    this.at(place).set(id, { claim: { ...claim, granted }, state, authoritative });
    return this.conflictingSet(place, id);
  }

  /** Registers the result of the create or update of a declared set. */
  ended(
    place: string,
    id: string,
    state: "made" | "failed",
    owned: Permissions = NO_PERMISSIONS,
    revoked: Permissions = NO_PERMISSIONS,
  ): void {
    const taken = [...this.takenAt(place)].map(([taker, permissions]) => [taker, minus(permissions, owned)] as const);
    this.taken.set(place, new Map(taken));
    this.took(place, id, revoked);
    const entry = this.at(place).get(id);
    // The grants of an earlier set of this name still count: the engine may not have deleted that set yet.
    const granted = union(entry?.claim.granted ?? NO_PERMISSIONS, owned);
    if (entry) this.at(place).set(id, { ...entry, state, owned, claim: { ...entry.claim, granted } });
  }

  /** Registers what a change or removal of a set revoked. */
  took(place: string, id: string, permissions: Permissions): void {
    const taken = this.takenAt(place);
    this.taken.set(place, new Map(taken).set(id, union(taken.get(id) ?? NO_PERMISSIONS, permissions)));
  }

  /** What other sets revoked in this run and no set has granted again, by set. */
  takenBy(place: string, id: string): ReadonlyMap<string, Permissions> {
    return new Map([...this.takenAt(place)].filter(([taker, permissions]) => taker !== id && !isEmpty(permissions)));
  }

  private takenAt(place: string): ReadonlyMap<string, Permissions> {
    return this.taken.get(place) ?? new Map();
  }

  /** What the other sets own that were created or updated in this run. */
  ownedByOthers(place: string, id: string): Permissions {
    const made = [...this.at(place)].filter(([other, { state }]) => other !== id && state === "made");
    return made.map(([, { owned = NO_PERMISSIONS }]) => owned).reduce(union, NO_PERMISSIONS);
  }

  /** The neighbours of a set that is created or updated. */
  neighbours(place: string, id: string): Neighbours {
    const entries = [...this.at(place)];
    const left = this.left.get(place) ?? NO_PERMISSIONS;
    return {
      claims: entries.filter(([other]) => other !== id).map(([, { claim }]) => claim),
      inherited: entries.map(([, { claim }]) => claim.granted).reduce(union, left),
      taken: [...this.takenBy(place, id).values()].reduce(union, NO_PERMISSIONS),
    };
  }

  /** The claims of the other sets in these states, by set id. */
  others(place: string, id: string, states: readonly State[] = STATES): ReadonlyMap<string, Claim> {
    const found = [...this.at(place)].filter(([other, { state }]) => other !== id && states.includes(state));
    return new Map(found.map(([other, { claim }]) => [other, claim]));
  }

  /** The name of another authoritative set of the AMI, if this set is authoritative too. */
  conflictingSet(place: string, id: string): string | undefined {
    const isAuthoritative = ({ authoritative, state }: Entry) => authoritative && state !== "recorded";
    const own = this.at(place).get(id);
    if (!own || !isAuthoritative(own)) return undefined;
    return [...this.at(place)].find(([other, entry]) => other !== id && isAuthoritative(entry))?.[1].claim.name;
  }

  /** Registers what a removed set did not revoke because another set declares it. The set that is created later owns it. */
  leave(place: string, permissions: Permissions): void {
    this.left.set(place, union(this.left.get(place) ?? NO_PERMISSIONS, permissions));
  }

  clear(): void {
    this.places.clear();
    this.declaredAt.clear();
    this.left.clear();
    this.taken.clear();
  }

  /**
   * The neighbours of a set that is removed. A new set of the same name counts as another set.
   *
   * @param record the record of the set in the state, as text
   */
  neighboursForRemoval(place: string, record: string): Neighbours & { readonly failed: readonly Claim[] } {
    const others = [...this.at(place)].filter(([id]) => id !== this.recordedId(place, record)).map(([, entry]) => entry);
    return {
      claims: others.map(({ claim }) => claim),
      inherited: NO_PERMISSIONS,
      failed: others.filter(({ state }) => state === "failed").map(({ claim }) => claim),
    };
  }

  /** Deletes the claim of a removed set. */
  removed(place: string, record: string): void {
    const id = this.recordedId(place, record);
    if (id !== undefined) this.at(place).delete(id);
  }

  private recordedId(place: string, record: string): string | undefined {
    return [...this.at(place)].find(([, entry]) => entry.state === "recorded" && entry.record === record)?.[0];
  }

  /** Runs the operations on an AMI one at a time, so that each sees the result of the one before it. */
  async runExclusive<Result>(place: string, operation: () => Promise<Result>): Promise<Result> {
    const before = this.queues.get(place) ?? Promise.resolve();
    const result = before.then(operation, operation);
    this.queues.set(
      place,
      result.catch(() => undefined),
    );
    return result;
  }

  private at(place: string): Map<string, Entry> {
    const sets = this.places.get(place) ?? new Map<string, Entry>();
    this.places.set(place, sets);
    return sets;
  }
}
