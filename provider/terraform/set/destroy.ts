/** Destroys a set: ApplyResourceChange for a set that left the configuration or is replaced. */

import { randomUUID } from "node:crypto";
import {
  AmiSharingError,
  type Claim,
  claimedBy,
  deserializeClaim,
  handOverIncomplete,
  intersection,
  isEmpty,
  minus,
  NO_PERMISSIONS,
  type PermissionSet,
  type Permissions,
  type Recorded,
  remove,
  targetPermissions,
  union,
} from "../../core";
import { errorDiagnostic } from "../diagnostics";
import { claimIn, type PlacedClaim, placedClaimsOf, placeOf } from "../neighbours";
import { imageIn, recordedIn, type SetContext, type SetResult, type StoredSet, setIn, unreadablePrivate } from "./state";

/**
 * Revokes what the set granted. If that fails, the state stays as it was, and the next apply continues.
 *
 * A failed destroy returns no state. Terraform and OpenTofu then keep the one that they have (node_resource_abstract_instance.go, `apply`). Of a
 * state that a provider returns, they forget which values are sensitive, and would show these in the next plan.
 */
export async function destroySet(prior: StoredSet, { config, waitOptions, run }: SetContext): Promise<SetResult> {
  run.begun();
  const { state, private: own } = prior;
  const set = state ? setIn(state) : undefined;
  if (!state || !set) return { state: null, private: {}, diagnostics: [] };
  const { heirs: _heirs, revokes: _revokes, ...remembered } = own;
  const failed = (error: unknown, heirs: readonly PlacedClaim[] = []): SetResult => ({
    // Only a returned state can have new private data.
    ...(heirs.length > 0 ? { state, private: { ...remembered, heirs } } : { state: null, private: {} }),
    diagnostics: [errorDiagnostic(`AMI ${set.imageId} is still shared`, error)],
  });
  const place = placeOf(state);
  const { id = randomUUID() } = own;
  try {
    const recorded = recordedForRemoval(prior, set);
    run.claims.record(place, id, claimIn(set, recorded.granted), id);
    await run.opening(true);
    const planned = (own.heirs ?? []).filter((heir) => heir.place === place && heir.id !== id);
    const anew = (own.heirs ?? []).filter((heir) => heir.place === place && heir.self).map(deserializeClaim);
    const known = run.claims.others(place, id, ["declared", "made", "failed"]);
    const claims = [...planned.filter(({ id: other }) => !known.has(other)).map(deserializeClaim), ...known.values(), ...anew];
    const left = claimed(claims, recorded);
    // What stays must belong to another set. Otherwise nobody would ever revoke it.
    const owned = planned.map((heir) => deserializeClaim(heir).granted).reduce(union, NO_PERMISSIONS);
    const orphaned = (made: Permissions) => minus(minus(minus(left, owned), made), claimed(anew, recorded));
    const isOwned = await run.handedOver(place, id, (made) => !isEmpty(orphaned(made)), waitOptions?.signal);
    if (!isOwned && set.onDelete !== "retain") {
      const waiting = handOverIncomplete(
        set.imageId,
        claims.map(({ name }) => name),
      );
      // The refresh of the next plan makes the other set the owner. The destroy in that plan does not hear of the other set again.
      return failed(waiting, placedClaimsOf(place, run.claims.others(place, id, ["made"]), recorded, true));
    }
    await run.claims.runExclusive(place, async () => {
      await remove(config.gateway(state.region as string), set, recorded, waitOptions, { claims, inherited: NO_PERMISSIONS });
      run.removed(place, id, left);
    });
    return { state: null, private: {}, diagnostics: [] };
  } catch (error) {
    return failed(error);
  }

  function claimed(sets: readonly Claim[], recorded: Recorded): Permissions {
    return intersection(claimedBy(sets, recorded), recorded.granted);
  }
}

/**
 * What the set granted. If its record cannot be decoded, an authoritative set counts as the one that granted what its arguments name. An
 * additive set does not: somebody else may have granted it.
 */
function recordedForRemoval(prior: StoredSet, set: PermissionSet): Recorded {
  try {
    if (prior.private.unreadable) throw unreadablePrivate(set.imageId);
    return recordedIn(prior);
  } catch (error) {
    const unreadable = error instanceof AmiSharingError && error.code === "state-unreadable";
    if (!unreadable || set.mode === "additive") throw error;
    const image = imageIn(prior.state);
    const granted = targetPermissions(set, image);
    return { region: String(prior.state?.region), ...image, live: granted, granted };
  }
}
