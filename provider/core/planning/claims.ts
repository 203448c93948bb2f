/** What the sets of one run want of the same AMI, so that no set takes away what another one declares. */

import type { Image } from "../aws";
import { type PermissionSet, targetPermissions } from "../declaration";
import {
  AmiSharingError,
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
  readPermissions,
  union,
  type WrittenPermissions,
  writePermissions,
} from "../model";

/** The facts of an image that decide what a set wants of it. */
export type ClaimedImage = Pick<Image, "ownerId" | "snapshotIds">;

/** Another set that knows the same AMI. */
export interface Claim {
  /** Its name as users read it, such as `set "golden"`. */
  readonly name: string;
  /** What it wants. A set that is only recorded, and may have left the program, wants what it granted. */
  readonly wants: (image: ClaimedImage) => Permissions;
  /** What it is recorded to have granted. */
  readonly granted: Permissions;
  /** Whether it makes KMS grants for those that it names. */
  readonly grantsKeys: boolean;
  /** Whether only state tells of it: it may have left the program, and what it granted then goes with it. */
  readonly isRecorded?: true;
}

/** A claim as plain data, for an engine that carries it from one process to another. Older versions wrote its permissions in words. */
export interface WrittenClaim {
  readonly name: string;
  readonly wants: WrittenPermissions | Grants;
  readonly granted: WrittenPermissions | Grants;
  readonly grantsKeys: boolean;
}

export function writeClaim({ name, wants, granted, grantsKeys }: Claim, image: ClaimedImage): WrittenClaim {
  return { name, wants: writePermissions(wants(image)), granted: writePermissions(granted), grantsKeys };
}

export function readClaim({ name, wants, granted, grantsKeys }: WrittenClaim): Claim {
  const wanted = readPermissions(wants, []);
  return { name, wants: () => wanted, granted: readPermissions(granted, []), grantsKeys };
}

/** What is known, besides the set at hand, when it is changed or removed. */
export interface Neighbours {
  /** The other sets of the AMI. */
  readonly claims: readonly Claim[];
  /**
   * What sets of the same program granted before, the set's own predecessor included. What is found in place and was granted so
   * belongs to this set as well: else nobody would revoke it in the end.
   */
  readonly inherited: Permissions;
}

export const NO_NEIGHBOURS: Neighbours = { claims: [], inherited: NO_PERMISSIONS };

/** The claim of a set. */
export function claimOf(name: string, set: PermissionSet, granted: Permissions = NO_PERMISSIONS): Claim {
  return { name, wants: (image) => targetPermissions(set, image), granted, grantsKeys: set.kmsAccess === "grant" };
}

/**
 * The claim of a set that state has.
 *
 * @param owned what it may want: by default what it granted
 */
export function recordedClaim(claim: Claim, owned: () => Permissions = () => claim.granted): Claim {
  return { ...claim, wants: (image) => intersection(claim.wants(image), owned()), isRecorded: true };
}

/**
 * What holds of a set once those sets are gone that only state tells of: without what they alone want. An engine that deletes them after this
 * set would find another state else.
 */
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

/** What the other sets want of the image: nothing of it is taken away. */
export function claimedBy(claims: readonly Claim[], image: ClaimedImage): Permissions {
  return claims.map(({ wants }) => wants(image)).reduce(union, NO_PERMISSIONS);
}

/** The accounts whose KMS grants another set needs. */
export function keysClaimedBy(claims: readonly Claim[], image: ClaimedImage): ReadonlySet<GranteeKey> {
  const wanted = claimedBy(
    claims.filter(({ grantsKeys }) => grantsKeys),
    image,
  );
  return new Set([...granteesOf(wanted)].filter((key) => parseGranteeKey(key).kind === "account"));
}

/** The part of some permissions that each claim wants, for those that want any. */
export function wantedOf(
  claims: readonly Claim[],
  image: ClaimedImage,
  permissions: Permissions,
): { readonly name: string; readonly permissions: Permissions; readonly isRecorded: boolean }[] {
  return claims
    .map(({ name, wants, isRecorded = false }) => ({ name, permissions: intersection(wants(image), permissions), isRecorded }))
    .filter((wanted) => !isEmpty(wanted.permissions));
}

/** Refuses two sets that both declare exactly who has access to one AMI. */
export function refuseRivals(imageId: string, region: string, names: readonly [string, string]): never {
  throw new AmiSharingError(
    "conflicting-sets",
    `${names[0]} and ${names[1]} both declare AMI ${imageId} in ${region} in authoritative mode, so that each would revoke what only the other one grants`,
    { property: "imageId", imageId, next: 'declare all grantees in one set, or set mode to "additive" in both' },
  );
}

/** The error of a removal that leaves access to a set which could not be made. */
export function handOverFailed(imageId: string, names: readonly string[]): AmiSharingError {
  return new AmiSharingError(
    "hand-over-incomplete",
    `${firstFew(names, 3)} declares what this set granted on AMI ${imageId}, and does not own it yet: until then this set keeps its grants`,
    { imageId, next: "repeat, after mending the errors of that set if there are any" },
  );
}

const STATES = ["recorded", "declared", "made", "failed"] as const;
type State = (typeof STATES)[number];

interface Entry {
  readonly claim: Claim;
  /** What state holds of it, as text: how a set that is removed is known again. */
  readonly record?: string;
  readonly state: State;
  /** What it owns since its create or update in this run. */
  readonly owned?: Permissions;
  readonly authoritative: boolean;
}

/**
 * The sets that one process of an engine's provider has seen, by AMI.
 *
 * `recorded`: known from state, and perhaps no longer declared. `declared`: in the program of this run. `made`, `failed`: so ended
 * its create or update in this run.
 */
export class ClaimRegistry {
  private readonly places = new Map<string, Map<string, Entry>>();
  private readonly queues = new Map<string, Promise<unknown>>();
  private readonly left = new Map<string, Permissions>();

  /**
   * A set that is known from state. What this run already knows of it counts more.
   *
   * @param inherits whether it will own, too, what it wants and another set of the AMI granted
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
   * A set that the program of this run declares.
   *
   * @returns the name of another set that is authoritative for the same AMI, where this one is, too
   */
  declare(place: string, id: string, claim: Claim, authoritative: boolean): string | undefined {
    const known = this.at(place).get(id);
    const granted = union(known?.claim.granted ?? NO_PERMISSIONS, claim.granted);
    const state = known === undefined || known.state === "recorded" ? "declared" : known.state;
    // It is declared in one place at a time; what it has in another one is what it leaves there.
    for (const [other, sets] of this.places) {
      const entry = sets.get(id);
      if (other !== place && entry && entry.state !== "recorded") sets.delete(id);
    }
    this.at(place).set(id, { claim: { ...claim, granted }, state, authoritative });
    return this.rivalOf(place, id);
  }

  /** How the create or update of a declared set ended. */
  ended(place: string, id: string, state: "made" | "failed", owned: Permissions = NO_PERMISSIONS): void {
    const entry = this.at(place).get(id);
    // What its predecessor granted counts on: that one may still be there.
    const granted = union(entry?.claim.granted ?? NO_PERMISSIONS, owned);
    if (entry) this.at(place).set(id, { ...entry, state, owned, claim: { ...entry.claim, granted } });
  }

  /** What the other sets that were made own now. */
  ownedByOthers(place: string, id: string): Permissions {
    const made = [...this.at(place)].filter(([other, { state }]) => other !== id && state === "made");
    return made.map(([, { owned = NO_PERMISSIONS }]) => owned).reduce(union, NO_PERMISSIONS);
  }

  /** What a set has to respect when it is created or changed. */
  neighbours(place: string, id: string): Neighbours {
    const entries = [...this.at(place)];
    const left = this.left.get(place) ?? NO_PERMISSIONS;
    return {
      claims: entries.filter(([other]) => other !== id).map(([, { claim }]) => claim),
      inherited: entries.map(([, { claim }]) => claim.granted).reduce(union, left),
    };
  }

  /** The claims of the other sets by their ids; `states`: of those that are in one of them. */
  others(place: string, id: string, states: readonly State[] = STATES): ReadonlyMap<string, Claim> {
    const found = [...this.at(place)].filter(([other, { state }]) => other !== id && states.includes(state));
    return new Map(found.map(([other, { claim }]) => [other, claim]));
  }

  /** Another set that is authoritative for the AMI, where the set itself is. */
  rivalOf(place: string, id: string): string | undefined {
    const isRival = ({ authoritative, state }: Entry) => authoritative && state !== "recorded";
    const own = this.at(place).get(id);
    if (!own || !isRival(own)) return undefined;
    return [...this.at(place)].find(([other, entry]) => other !== id && isRival(entry))?.[1].claim.name;
  }

  /** Notes what a removed set left in place for one that is still to be made: that one owns it. */
  leave(place: string, permissions: Permissions): void {
    this.left.set(place, union(this.left.get(place) ?? NO_PERMISSIONS, permissions));
  }

  clear(): void {
    this.places.clear();
    this.left.clear();
  }

  /**
   * What a set has to respect when it is removed: a set of its own name that was made anew counts as another one.
   *
   * @param record what state holds of the set
   */
  heirs(place: string, record: string): Neighbours & { readonly failed: readonly Claim[] } {
    const others = [...this.at(place)].filter(([id]) => id !== this.recordedId(place, record)).map(([, entry]) => entry);
    return {
      claims: others.map(({ claim }) => claim),
      inherited: NO_PERMISSIONS,
      failed: others.filter(({ state }) => state === "failed").map(({ claim }) => claim),
    };
  }

  /** A set that is removed wants nothing any more. */
  removed(place: string, record: string): void {
    const id = this.recordedId(place, record);
    if (id !== undefined) this.at(place).delete(id);
  }

  private recordedId(place: string, record: string): string | undefined {
    return [...this.at(place)].find(([, entry]) => entry.state === "recorded" && entry.record === record)?.[0];
  }

  /** Runs one operation on an AMI after the other: each knows what those before it did. */
  async inTurn<Result>(place: string, operation: () => Promise<Result>): Promise<Result> {
    const before = this.queues.get(place) ?? Promise.resolve();
    const turn = before.then(operation, operation);
    this.queues.set(
      place,
      turn.catch(() => undefined),
    );
    return turn;
  }

  private at(place: string): Map<string, Entry> {
    const sets = this.places.get(place) ?? new Map<string, Entry>();
    this.places.set(place, sets);
    return sets;
  }
}
