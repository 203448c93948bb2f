/** What the sets of one AMI know of each other: within one process of the provider, and from the process of a plan to that of its apply. */

import { setTimeout as sleep } from "node:timers/promises";
import * as v from "valibot";
import {
  AmiSharingError,
  type Claim,
  type ClaimedImage,
  ClaimRegistry,
  claimOf,
  claimSchema,
  deserializeClaim,
  firstFew,
  type GranteeKey,
  intersection,
  isEmpty,
  minus,
  type Neighbours,
  NO_PERMISSIONS,
  type PermissionSet,
  type Permissions,
  RecentReads,
  type SerializedClaim,
  serializeClaim,
  union,
} from "../core";
import type { ObjectValue } from "./values";

/**
 * Milliseconds. Terraform starts all operations that do not depend on each other at once, but it sends them to the provider one by one. An
 * operation that depends on other sets of its AMI therefore waits until no operation has begun for this long.
 */
export const WINDOW = 400;

/** An operation that revokes waits this many times longer: otherwise, a set that begins later could lose what it declares. */
const REVOKING_FACTOR = 2.5;

/** After a set was read, its plan is awaited this many times longer. */
const PLAN_WAIT_FACTOR = 25;

/** A destroy waits until another set owns what it leaves. It gives up when AWS has answered no call of the process for so many milliseconds. */
const HAND_OVER_TIMEOUT_MS = 20_000;

/** A claim in Terraform's private data. */
export interface PlacedClaim extends SerializedClaim {
  /** The id of the set in private data. Terraform does not tell a provider the address of a resource. */
  readonly id: string;
  readonly place: string;
  /** Whether this set replaces the destroyed one. */
  readonly self?: boolean;
}

/** The schema of claims in private data. */
export const placedClaims = v.array(
  v.object({
    ...claimSchema.entries,
    id: v.string(),
    place: v.string(),
    self: v.exactOptional(v.boolean()),
  }),
);

/** What a planned set revokes. */
export interface Drop {
  readonly id: string;
  readonly name: string;
  readonly dropped: Permissions;
  /** Who loses access according to its plan, which respects the other sets that were known when it was made. */
  readonly shown: Permissions;
  /** Set id → what its apply will know that this other set declares. */
  readonly told: ReadonlyMap<string, Permissions>;
  /** Whether it is a create. Terraform passes no private data from the plan of a create to its apply. */
  readonly isNew: boolean;
}

/** The sets that one process of the provider has seen. */
export class Run {
  readonly claims = new ClaimRegistry();
  /** Terraform plans a change again just before it applies it. The apply then uses what that plan read. */
  readonly reads = new RecentReads();
  private lastBegun = 0;
  private lastAnswer = 0;
  private readonly unplanned = new Map<string, Map<string, number>>();
  private opened: Promise<void> | undefined;
  private taking: Promise<void> | undefined;
  private readonly drops = new Map<string, Drop[]>();
  private readonly unchanged = new Set<string>();
  private readonly destroyed = new Set<string>();

  constructor(
    private readonly window = WINDOW,
    private readonly handOverTimeout = HAND_OVER_TIMEOUT_MS,
  ) {}

  /** Notes that an operation on a set begins. */
  begun(): void {
    this.lastBegun = Date.now();
  }

  /** Notes that AWS has answered a call: operations of the process make progress. */
  answered(): void {
    this.lastAnswer = Date.now();
  }

  /** Notes that Terraform plans a set, so that what it declares is known. */
  planning(place: string, id: string): void {
    this.unplanned.get(place)?.delete(id);
  }

  /** Reads a set. Terraform plans the set afterwards; until then, what it will declare is not known. */
  async read<Result>(place: string, id: string, reading: () => Promise<Result>): Promise<Result> {
    const pending = this.unplanned.get(place) ?? new Map<string, number>();
    this.unplanned.set(place, pending.set(id, Number.POSITIVE_INFINITY));
    try {
      return await reading();
    } finally {
      // If the set cannot be read or does not exist, no plan of it may follow.
      pending.set(id, Date.now() + this.window * PLAN_WAIT_FACTOR);
    }
  }

  /** Resolves when the other sets of the AMI that were read are also planned. */
  async known(place: string, id: string): Promise<void> {
    const isPending = () => [...(this.unplanned.get(place) ?? [])].some(([other, until]) => other !== id && Date.now() < until);
    while (isPending()) await sleep(20);
  }

  /**
   * Resolves when all operations that Terraform starts together have begun. With hundreds of sets, this may take seconds.
   *
   * @param takes whether the operation revokes
   */
  opening(takes = false): Promise<void> {
    if (takes) this.taking ??= this.quiet(this.window * REVOKING_FACTOR);
    else this.opened ??= this.quiet(this.window);
    return (takes ? this.taking : this.opened) as Promise<void>;
  }

  /** Resolves when no operation has begun for `pause` milliseconds. Operations that wait here count as running for Terraform's parallelism. */
  private async quiet(pause: number): Promise<void> {
    for (let left = pause; left > 0; left = this.lastBegun + pause - Date.now()) await sleep(left);
  }

  /** Notes what a planned set revokes. */
  drop(place: string, drop: Drop): void {
    this.drops.set(place, [...(this.drops.get(place) ?? []).filter(({ id }) => id !== drop.id), drop]);
  }

  /** The planned sets that revoke what another set wants, and whose apply will not know that. */
  dropping(place: string, id: string, wanted: Permissions): readonly Drop[] {
    return (this.drops.get(place) ?? []).filter((drop) => drop.id !== id && !isEmpty(untold(drop, id, wanted)));
  }

  /** The planned sets whose plan shows as lost what another one wants. */
  losing(place: string, id: string, wanted: Permissions): readonly Drop[] {
    return (this.drops.get(place) ?? []).filter((drop) => drop.id !== id && !isEmpty(intersection(drop.shown, wanted)));
  }

  /** Notes that the plan does not change a set. Terraform then does not apply it, so that other applies do not hear of it. */
  stays(place: string, id: string, granted: Permissions): void {
    this.claims.ended(place, id, "made", granted);
    this.unchanged.add(id);
  }

  /** The other sets that the plan does not change. */
  staying(place: string, id: string): readonly (readonly [id: string, Claim])[] {
    return [...this.claims.others(place, id, ["made"])].filter(([other]) => this.unchanged.has(other));
  }

  /** Notes that a set is destroyed, and what it left to the other sets of its AMI. */
  removed(place: string, id: string, left: Permissions): void {
    this.claims.removed(place, id);
    this.claims.leave(place, left);
    this.destroyed.add(id);
  }

  /** Forgets everything: under a debugger, one process serves many runs. */
  clear(): void {
    this.claims.clear();
    this.reads.clear();
    this.opened = undefined;
    this.taking = undefined;
    this.drops.clear();
    this.unchanged.clear();
    this.destroyed.clear();
    this.unplanned.clear();
  }

  /** The other sets that a change must respect: those of this process, and those that the refresh in the process of the plan saw. */
  neighbours(place: string, id: string, told: readonly PlacedClaim[]): Neighbours {
    const { claims, inherited } = this.claims.neighbours(place, id);
    const known = this.claims.others(place, id);
    const isHere = (one: PlacedClaim) =>
      one.place === place && one.id !== id && !known.has(one.id) && !this.destroyed.has(one.id);
    const fromPlan = told.filter(isHere).map(deserializeClaim);
    return {
      claims: [...claims, ...fromPlan],
      inherited: fromPlan.map(({ granted }) => granted).reduce(union, inherited),
    };
  }

  /** Waits until other sets own what a destroyed one leaves to them. Returns whether they do. */
  async handedOver(place: string, id: string, missing: (owned: Permissions) => boolean, signal?: AbortSignal): Promise<boolean> {
    const began = Date.now();
    const timeout = this.window === 0 ? 0 : this.handOverTimeout;
    for (;;) {
      if (!missing(this.claims.ownedByOthers(place, id))) return true;
      const pending = this.claims.others(place, id, ["declared"]).size > 0 || this.claims.others(place, id, ["made"]).size === 0;
      const isHopeless = !pending || this.claims.others(place, id, ["failed"]).size > 0;
      const isOver = Date.now() >= Math.max(began, this.lastAnswer) + timeout;
      if (isHopeless || isOver || signal?.aborted) return false;
      await sleep(50);
    }
  }
}

/** What a planned set revokes of what another set wants, and its apply will not know that the other set wants it. */
export function untold({ dropped, told }: Drop, id: string, wanted: Permissions): Permissions {
  return minus(intersection(dropped, wanted), told.get(id) ?? NO_PERMISSIONS);
}

/** Claims for the private data. An unchanged set keeps all that it declares, granted by it or not. `self`: of the set that replaces the destroyed one. */
export function placedClaimsOf(
  place: string,
  claims: Iterable<readonly [id: string, Claim]>,
  image: ClaimedImage,
  self?: true,
): PlacedClaim[] {
  const whole = (claim: Claim): Claim => ({ ...claim, wants: claim.declares ?? claim.wants });
  return [...claims].map(([id, claim]) => ({ id, place, ...serializeClaim(whole(claim), image), ...(self ? { self } : {}) }));
}

export function placeOf({ region, image_id: imageId }: ObjectValue): string {
  return `${String(region)} ${String(imageId)}`;
}

/** The claim of a set. The provider does not know the address of the set, so that its grantees serve as its name. */
export function claimIn(set: PermissionSet, granted: Permissions): Claim {
  const keys: GranteeKey[] = [...new Set([...set.launch, ...(set.createVolume?.grantees ?? [])])].sort();
  const name = `the ami_launch_permission_set of ${keys.length > 0 ? firstFew(keys, 3) : "nobody"}`;
  return claimOf(name, set, granted);
}

/** The error of a change that would revoke what another set declares, because its apply would not know that set. */
export function toldTooLate(imageId: string, name: string, isNew: boolean): AmiSharingError {
  if (isNew)
    return unknownToNew(imageId, `what this new set would take away on AMI ${imageId} is declared by ${name}`, "this set");
  return plannedApart(
    imageId,
    `what this set drops on AMI ${imageId} is declared by ${name} as well, which Terraform told the provider too late`,
    "add depends_on with that set to this one",
  );
}

/** The same error, if the set that revokes was planned first. */
export function takenByAnother(imageId: string, drops: readonly Drop[]): AmiSharingError {
  const names = firstFew(
    drops.map(({ name }) => name),
    3,
  );
  if (drops.some(({ isNew }) => isNew))
    return unknownToNew(
      imageId,
      `what this set declares on AMI ${imageId} would be taken away by ${names}, which is new`,
      "that set",
    );
  return plannedApart(
    imageId,
    `what this set declares on AMI ${imageId} is dropped by ${names}, which Terraform planned before it told the provider of this set`,
    "add depends_on with this set to that one",
  );
}

/** A set that is no longer in the configuration cannot have depends_on. For it, only a higher -parallelism helps. */
function plannedApart(imageId: string, message: string, remedy: string): AmiSharingError {
  const next = `${remedy}, or plan with a higher -parallelism, and plan again; nothing was changed`;
  return new AmiSharingError("hand-over-incomplete", message, { imageId, next });
}

/** The apply of a create has no state, so that it does not know sets that are not applied themselves. */
function unknownToNew(imageId: string, what: string, which: string): AmiSharingError {
  return new AmiSharingError("hand-over-incomplete", `${what}, and the apply of a new set is told nothing of unchanged ones`, {
    imageId,
    next: `import the AMI into ${which}, or set mode to "additive" in it, and plan again; nothing was changed`,
  });
}
