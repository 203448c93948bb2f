/** What the sets of one run of Terraform's know of each other: in one process, and from the plan's process to the apply's. */

import { setTimeout as sleep } from "node:timers/promises";
import * as v from "valibot";
import {
  AmiSharingError,
  type Claim,
  ClaimRegistry,
  claimOf,
  deserializeClaim,
  firstFew,
  type GranteeKey,
  intersection,
  isEmpty,
  type Neighbours,
  type PermissionSet,
  type Permissions,
  permissionsSchema,
  type SerializedClaim,
  union,
} from "../core";
import type { ObjectValue } from "./values";

/**
 * How long no operation may have begun until those that wait for other sets go on, in milliseconds. Terraform starts what does not depend
 * on each other at once, and tells a provider of one set at a time.
 */
export const WINDOW = 400;

/** How many times as long those wait that take grants away: a set that comes later would lose what it declares. */
const TAKING = 2.5;

/** How many times as long a set that was read is waited for to be planned. */
const PLANNED_WITHIN = 25;

/** How long a destroy waits for the set that takes over, in milliseconds. */
const HAND_OVER = 20_000;

/** A claim in the data that Terraform carries along. */
export interface PlacedClaim extends SerializedClaim {
  /** The set; Terraform tells no address. */
  readonly id: string;
  readonly place: string;
  /** Whether it is the set that the destroyed one is replaced by. */
  readonly self?: boolean;
}

/** The form of claims in private data. */
export const placedClaims = v.array(
  v.object({
    id: v.string(),
    place: v.string(),
    name: v.string(),
    wants: permissionsSchema,
    granted: permissionsSchema,
    grantsKeys: v.boolean(),
    self: v.exactOptional(v.boolean()),
  }),
);

/** What the plan of a set takes away, whatever other sets declare. */
export interface Drop {
  readonly id: string;
  readonly name: string;
  readonly dropped: Permissions;
  /** Who loses access by what the plan shows, the other sets that it knew of taken into account. */
  readonly shown: Permissions;
  /** The sets that its apply will know of. */
  readonly told: ReadonlySet<string>;
  /** Whether it is a create, of which Terraform carries nothing from the plan to the apply. */
  readonly isNew: boolean;
}

/** The sets that one process has seen. */
export class Run {
  readonly claims = new ClaimRegistry();
  private lastBegun = 0;
  private readonly unplanned = new Map<string, Map<string, number>>();
  private opened: Promise<void> | undefined;
  private taking: Promise<void> | undefined;
  private readonly drops = new Map<string, Drop[]>();
  private readonly unchanged = new Set<string>();

  constructor(private readonly window = WINDOW) {}

  /** Notes that Terraform has begun an operation on a set. */
  begun(): void {
    this.lastBegun = Date.now();
  }

  /** Notes that Terraform plans a set: what it declares is known. */
  planning(place: string, id: string): void {
    this.unplanned.get(place)?.delete(id);
  }

  /** Runs the reading of a set, after which Terraform plans it: until then, what it will declare is not known. */
  async read<Result>(place: string, id: string, reading: () => Promise<Result>): Promise<Result> {
    const pending = this.unplanned.get(place) ?? new Map<string, number>();
    this.unplanned.set(place, pending.set(id, Number.POSITIVE_INFINITY));
    try {
      return await reading();
    } finally {
      // Where it cannot be read, or is gone, no plan of it may follow.
      pending.set(id, Date.now() + this.window * PLANNED_WITHIN);
    }
  }

  /** Resolves once the other sets of the AMI that are being read are planned. */
  async known(place: string, id: string): Promise<void> {
    const isPending = () => [...(this.unplanned.get(place) ?? [])].some(([other, until]) => other !== id && Date.now() < until);
    while (isPending()) await sleep(20);
  }

  /**
   * Resolves once the operations that begin together are known. A machine may need seconds to begin hundreds.
   *
   * @param takes whether the operation takes grants away
   */
  opening(takes = false): Promise<void> {
    if (takes) this.taking ??= this.quiet(this.window * TAKING);
    else this.opened ??= this.quiet(this.window);
    return (takes ? this.taking : this.opened) as Promise<void>;
  }

  /** Resolves once no operation has begun for some time; those that wait here do not let Terraform begin others without end. */
  private async quiet(pause: number): Promise<void> {
    for (let left = pause; left > 0; left = this.lastBegun + pause - Date.now()) await sleep(left);
  }

  /** Notes what the plan of a set takes away. */
  drop(place: string, drop: Drop): void {
    this.drops.set(place, [...(this.drops.get(place) ?? []).filter(({ id }) => id !== drop.id), drop]);
  }

  /** The planned sets that take away what another one wants, and that will not know of it when they are applied. */
  dropping(place: string, id: string, wanted: Permissions): readonly Drop[] {
    return (this.drops.get(place) ?? []).filter(
      (drop) => drop.id !== id && !drop.told.has(id) && !isEmpty(intersection(drop.dropped, wanted)),
    );
  }

  /** The planned sets whose plan shows as lost what another one wants. */
  losing(place: string, id: string, wanted: Permissions): readonly Drop[] {
    return (this.drops.get(place) ?? []).filter((drop) => drop.id !== id && !isEmpty(intersection(drop.shown, wanted)));
  }

  /** Notes that the plan changes nothing of a set: no apply will tell of it. */
  stays(place: string, id: string, granted: Permissions): void {
    this.claims.ended(place, id, "made", granted);
    this.unchanged.add(id);
  }

  /** The other sets of which the plan changes nothing. */
  staying(place: string, id: string): readonly (readonly [id: string, Claim])[] {
    return [...this.claims.others(place, id, ["made"])].filter(([other]) => this.unchanged.has(other));
  }

  /** Another run: under a debugger one process serves many. */
  clear(): void {
    this.claims.clear();
    this.opened = undefined;
    this.taking = undefined;
    this.drops.clear();
    this.unchanged.clear();
    this.unplanned.clear();
  }

  /** What a set has to respect: the sets of this process, and those that a refresh in the plan's process saw. */
  neighbours(place: string, id: string, told: readonly PlacedClaim[]): Neighbours {
    const { claims, inherited } = this.claims.neighbours(place, id);
    const known = this.claims.others(place, id);
    const fromPlan = told.filter((one) => one.place === place && one.id !== id && !known.has(one.id)).map(deserializeClaim);
    return {
      claims: [...claims, ...fromPlan],
      inherited: fromPlan.map(({ granted }) => granted).reduce(union, inherited),
    };
  }

  /** Waits until sets of this process own what a destroyed one leaves them; gives back what they do not own. */
  async handedOver(place: string, id: string, missing: (owned: Permissions) => boolean, signal?: AbortSignal): Promise<boolean> {
    const until = Date.now() + (this.window === 0 ? 0 : HAND_OVER);
    for (;;) {
      if (!missing(this.claims.ownedByOthers(place, id))) return true;
      const pending = this.claims.others(place, id, ["declared"]).size > 0 || this.claims.others(place, id, ["made"]).size === 0;
      const isHopeless = !pending || this.claims.others(place, id, ["failed"]).size > 0;
      if (isHopeless || Date.now() >= until || signal?.aborted) return false;
      await sleep(50);
    }
  }
}

export function placeOf({ region, image_id: imageId }: ObjectValue): string {
  return `${String(region)} ${String(imageId)}`;
}

/** The claim of a set. Terraform tells a provider no addresses: the set is named by whom it names. */
export function claimIn(set: PermissionSet, granted: Permissions): Claim {
  const keys: GranteeKey[] = [...new Set([...set.launch, ...(set.createVolume?.grantees ?? [])])].sort();
  const name = `the ami_launch_permission_set of ${keys.length > 0 ? firstFew(keys, 3) : "nobody"}`;
  return claimOf(name, set, granted);
}

/** The error of a change that would take away what another set declares, where its apply would not know of that one. */
export function toldTooLate(imageId: string, name: string, isNew: boolean): AmiSharingError {
  if (isNew)
    return unknownToNew(imageId, `what this new set would take away on AMI ${imageId} is declared by ${name}`, "this set");
  return plannedApart(
    imageId,
    `what this set drops on AMI ${imageId} is declared by ${name} as well, which Terraform told the provider too late`,
    "add depends_on with that set to this one",
  );
}

/** The same where the set that drops it was planned first. */
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

/** A set that left the configuration can have no depends_on: only planning at the same time helps it. */
function plannedApart(imageId: string, message: string, remedy: string): AmiSharingError {
  const next = `${remedy}, or plan with a higher -parallelism, and plan again; nothing was changed`;
  return new AmiSharingError("hand-over-incomplete", message, { imageId, next });
}

/** The apply of a create has no state to tell it of sets that are not applied themselves. */
function unknownToNew(imageId: string, what: string, which: string): AmiSharingError {
  return new AmiSharingError("hand-over-incomplete", `${what}, and the apply of a new set is told nothing of unchanged ones`, {
    imageId,
    next: `import the AMI into ${which}, or set mode to "additive" in it, and plan again; nothing was changed`,
  });
}
