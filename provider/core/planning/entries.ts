/** The entries of a plan: what happens to the access of each grantee, and why. Reports and diagnostics are made from them. */

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
import { claimedParts } from "./claims";
import { type Plan, sentAgain } from "./plan";

/** What happens to some permissions, and why. */
export interface Entry {
  /** `+`: gained. `-`: lost. `=`: unchanged, although the engine's diff of the recorded grants may show a change. */
  readonly sign: "+" | "-" | "=";
  readonly why: string;
  readonly permissions: Permissions;
  /** Set if the permissions are no longer declared but stay. The engine's diff may show them as lost. */
  readonly stays?: true;
}

/** The entries of a plan that have permissions. */
export function entriesOf(plan: Plan): Entry[] {
  const shown = shownBefore(plan);
  const entries = [...gained(plan), ...lost(plan), ...unchanged(plan, shown), ...left(plan, shown), ...absent(plan, shown)];
  return entries.filter(({ permissions }) => !isEmpty(permissions));
}

/** The old value in the engine's diff. It is what the set wanted or, after a refresh, what EC2 had. The plan cannot tell which. */
interface Shown {
  readonly wanted: Permissions;
  /** What both old values contain. */
  readonly always: Permissions;
  /** What at least one of the old values contains. */
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
  const granted = recorded?.granted ?? NO_PERMISSIONS;
  // A new set has no state, so "not in the state" would tell users nothing.
  const unrecorded = recorded ? minus(minus(losing, granted), recorded.live) : NO_PERMISSIONS;
  return [
    ...lostEntries(minus(losing, unrecorded), granted),
    { sign: "-", why: "set elsewhere, and not in the state", permissions: unrecorded },
  ];
}

/** The entries for permissions that are lost, by who granted them. */
export function lostEntries(losing: Permissions, granted: Permissions): Entry[] {
  return [
    { sign: "-", why: "granted by this set", permissions: intersection(losing, granted) },
    { sign: "-", why: "set elsewhere", permissions: minus(losing, granted) },
  ];
}

/** What the set wants and EC2 has. It gets an entry if the engine's diff may show it as new. */
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

/** What the set does not want, EC2 has, and the change does not revoke. Each part is listed with the first reason that applies. */
function left({ set, image, live, target, change, unplanned, neighbours }: Plan, { perhaps }: Shown): Entry[] {
  const all = minus(minus(minus(live, target), change.remove), unplanned);
  const neverRevoked = filterGrantees(all, (key) => set.neverRevoke.has(key));
  const foreign = filterGrantees(all, (key) => !isManageable(key));
  const others = minus(minus(all, neverRevoked), foreign);
  const claimed = claimedParts(neighbours.claims, image, others);
  const unclaimed = claimed.reduce((rest, { permissions }) => minus(rest, permissions), others);
  const why = set.mode === "additive" ? "the mode is additive" : "its snapshot is no longer managed";
  return [
    { sign: "=", why: "stays: set elsewhere, and not in the state; the next plan shows it", permissions: unplanned, stays: true },
    { sign: "=", why: "stays: neverRevoke", permissions: neverRevoked, stays: true },
    { sign: "=", why: "stays: no set can revoke it", permissions: foreign },
    ...claimed.map(staysForClaim),
    // Grants of others get an entry only if the engine's diff may show them as lost.
    { sign: "=", why: `stays: set elsewhere, and ${why}`, permissions: intersection(unclaimed, perhaps), stays: true },
  ];
}

/** What the engine's diff may show and EC2 does not have. */
function absent({ set, image, live, target }: Plan, { wanted, perhaps }: Shown): Entry[] {
  const isOwner = (key: GranteeKey) => key === accountKey(image.ownerId);
  const gone = filterGrantees(minus(minus(perhaps, live), target), (key) => !isOwner(key));
  const ofOwner = filterGrantees(union(namedPermissions(set, image), wanted), isOwner);
  return [
    { sign: "=", why: "is not there", permissions: gone },
    { sign: "=", why: "left out: the owner always has access", permissions: ofOwner },
  ];
}

/** The entry for permissions that stay because another set wants them. */
export function staysForClaim({ name, permissions, isRecorded }: ReturnType<typeof claimedParts>[number]): Entry {
  const why = isRecorded ? `stays until ${name} is deleted` : `stays: ${name} declares it`;
  return { sign: "=", why, permissions, stays: true };
}
