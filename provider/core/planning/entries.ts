/** What a plan does to each grantee's access, and why: the entries that reports and diagnostics tell. */

import { namedPermissions } from "../declaration";
import {
  accountKey,
  filterGrantees,
  type GranteeKey,
  intersection,
  isEmpty,
  isManageable,
  minus,
  NO_PERMISSIONS,
  type Permissions,
  union,
} from "../model";
import { wantedOf } from "./claims";
import { type Plan, sentAgain } from "./plan";

/** What becomes of some grantees' access, and why. */
export interface Entry {
  /** `+` gained, `-` lost, `=` as it is although a diff of the recorded grants may look otherwise. */
  readonly sign: "+" | "-" | "=";
  readonly why: string;
  readonly permissions: Permissions;
  /** Whether it stays though it is declared no more, so that a diff may show it as lost. */
  readonly stays?: true;
}

/** What a plan does and leaves, grantee by grantee; pure. */
export function entriesOf(plan: Plan): Entry[] {
  const shown = shownBefore(plan);
  const entries = [...gained(plan), ...lost(plan), ...unchanged(plan, shown), ...left(plan, shown), ...absent(plan, shown)];
  return entries.filter(({ permissions }) => !isEmpty(permissions));
}

/** What an engine's diff begins with: what was wanted or, after a refresh, what was held. */
interface Shown {
  readonly wanted: Permissions;
  /** Shown in any case. */
  readonly always: Permissions;
  /** Shown in one of the cases. */
  readonly perhaps: Permissions;
}

function shownBefore({ recorded }: Plan): Shown {
  const held = recorded?.live ?? NO_PERMISSIONS;
  const wanted = recorded?.wanted ?? held;
  return { wanted, always: intersection(held, wanted), perhaps: union(held, wanted) };
}

function gained({ recorded, gaining }: Plan): Entry[] {
  const had = union(recorded?.live ?? NO_PERMISSIONS, recorded?.drifted ?? NO_PERMISSIONS);
  return [
    { sign: "+", why: "new", permissions: minus(gaining, had) },
    { sign: "+", why: "drifted: taken away outside this set", permissions: intersection(gaining, had) },
  ];
}

function lost({ recorded, losing }: Plan): Entry[] {
  const own = intersection(losing, recorded?.granted ?? NO_PERMISSIONS);
  const others = minus(losing, own);
  // A new set has no state that could tell of anybody.
  const unrecorded = recorded ? minus(others, recorded.live) : NO_PERMISSIONS;
  return [
    { sign: "-", why: "granted by this set", permissions: own },
    { sign: "-", why: "set elsewhere", permissions: minus(others, unrecorded) },
    { sign: "-", why: "set elsewhere, and not in the state", permissions: unrecorded },
  ];
}

/** What is wanted and there. It is told where a diff may show it as new. */
function unchanged({ set, recorded, live, target, neighbours }: Plan, { always }: Shown): Entry[] {
  const there = intersection(target, live);
  const again = intersection(sentAgain(target, recorded), live);
  const owned = union(recorded?.granted ?? NO_PERMISSIONS, neighbours.inherited);
  const found = set.mode === "additive" ? minus(there, union(owned, again)) : NO_PERMISSIONS;
  return [
    { sign: "=", why: "has it already", permissions: minus(there, union(always, union(found, again))) },
    { sign: "=", why: "granted again: this set revoked it last, and EC2 may still show it", permissions: again },
    { sign: "=", why: "found in place: not granted by this set, which will not revoke it", permissions: minus(found, always) },
  ];
}

/** What is not wanted, there, and not taken away: each part of it for the first reason that applies. */
function left({ set, image, live, target, change, unplanned, neighbours }: Plan, { perhaps }: Shown): Entry[] {
  const all = minus(minus(minus(live, target), change.remove), unplanned);
  const neverRevoked = filterGrantees(all, (key) => set.neverRevoke.has(key));
  const foreign = filterGrantees(all, (key) => !isManageable(key));
  const others = minus(minus(all, neverRevoked), foreign);
  const claimed = wantedOf(neighbours.claims, image, others);
  const unclaimed = claimed.reduce((rest, { permissions }) => minus(rest, permissions), others);
  const why = set.mode === "additive" ? "the mode is additive" : "its snapshot is managed no more";
  return [
    { sign: "=", why: "stays: set elsewhere, and not in the state; the next plan shows it", permissions: unplanned, stays: true },
    { sign: "=", why: "stays: neverRevoke", permissions: neverRevoked, stays: true },
    { sign: "=", why: "stays: no set can take it", permissions: foreign },
    ...claimed.map(staysForClaim),
    // What others granted stays untold, unless a diff may show it as lost.
    { sign: "=", why: `stays: set elsewhere, and ${why}`, permissions: intersection(unclaimed, perhaps), stays: true },
  ];
}

/** What a diff may show and EC2 does not have. */
function absent({ set, image, live, target }: Plan, { wanted, perhaps }: Shown): Entry[] {
  const isOwner = (key: GranteeKey) => key === accountKey(image.ownerId);
  const gone = filterGrantees(minus(minus(perhaps, live), target), (key) => !isOwner(key));
  const ofOwner = filterGrantees(union(namedPermissions(set, image), wanted), isOwner);
  return [
    { sign: "=", why: "is not there", permissions: gone },
    { sign: "=", why: "left out: the owner always has access", permissions: ofOwner },
  ];
}

/** What another set keeps in place. */
export function staysForClaim({ name, permissions, isRecorded }: ReturnType<typeof wantedOf>[number]): Entry {
  const why = isRecorded ? `stays until ${name} is deleted` : `stays: ${name} declares it`;
  return { sign: "=", why, permissions, stays: true };
}
