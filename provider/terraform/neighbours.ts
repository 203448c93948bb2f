/** What the sets of one run of Terraform's know of each other: in one process, and from the plan's process to the apply's. */

import { setTimeout as sleep } from "node:timers/promises";
import * as v from "valibot";
import {
  AmiSharingError,
  type Claim,
  ClaimRegistry,
  claimOf,
  firstFew,
  type GranteeKey,
  isGranteeKey,
  isPermissionWords,
  type Neighbours,
  type PermissionSet,
  type Permissions,
  readClaim,
  union,
  type WrittenClaim,
} from "../core";
import type { ObjectValue } from "./values";

/**
 * How long operations wait for those of other sets to begin, in milliseconds. Terraform starts what does not depend on each other at once,
 * and tells a provider of one set at a time.
 */
export const WINDOW = 200;

/** How long a destroy waits for the set that takes over, in milliseconds. */
const HAND_OVER = 20_000;

/** A claim in the data that Terraform carries along. */
export interface PlacedClaim extends WrittenClaim {
  /** The set; Terraform tells no address. */
  readonly id: string;
  readonly place: string;
  /** Whether it is the set that the destroyed one is replaced by. */
  readonly self?: boolean;
}

const grants = v.pipe(
  v.record(v.string(), v.string()),
  v.check((map) => Object.entries(map).every(([key, words]) => isGranteeKey(key) && isPermissionWords(words))),
);
/** The form of claims in private data. */
export const placedClaims = v.array(
  v.object({
    id: v.string(),
    place: v.string(),
    name: v.string(),
    wants: grants,
    granted: grants,
    grantsKeys: v.boolean(),
    self: v.exactOptional(v.boolean()),
  }),
);

/** The sets that one process has seen. */
export class Run {
  readonly claims = new ClaimRegistry();
  private opened: Promise<void> | undefined;
  private destroying: Promise<void> | undefined;

  constructor(private readonly window = WINDOW) {}

  /** Resolves once the operations that begin together with the first one are known. */
  opening(): Promise<void> {
    this.opened ??= sleep(this.window);
    return this.opened;
  }

  /** The same for destroys: what is created beside them has to be known. */
  destroys(): Promise<void> {
    this.destroying ??= sleep(this.window * 2);
    return this.destroying;
  }

  /** Another run: under a debugger one process serves many. */
  clear(): void {
    this.claims.clear();
    this.opened = undefined;
    this.destroying = undefined;
  }

  /** What a set has to respect: the sets of this process, and those that a refresh in the plan's process saw. */
  neighbours(place: string, id: string, told: readonly PlacedClaim[]): Neighbours {
    const { claims, inherited } = this.claims.neighbours(place, id);
    const known = this.claims.others(place, id);
    const fromPlan = told.filter((one) => one.place === place && one.id !== id && !known.has(one.id)).map(readClaim);
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

/** The error of a change that would take away what another set declares, where Terraform tells of it too late. */
export function toldTooLate(imageId: string, names: readonly string[]): AmiSharingError {
  return new AmiSharingError(
    "hand-over-incomplete",
    `what this set drops on AMI ${imageId} is declared by ${firstFew(names, 3)} as well, which Terraform told the provider too late`,
    { imageId, next: "add depends_on with that set to this one, and plan again; nothing was changed" },
  );
}
