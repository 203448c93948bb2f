/** Reads a set: ReadResource, for a refresh. */

import { randomUUID } from "node:crypto";
import {
  claimedBy,
  deserializePermissions,
  encodeRecorded,
  intersection,
  isEmpty,
  minus,
  observe,
  type PermissionSet,
  type Recorded,
  serializePermissions,
  targetPermissions,
  union,
} from "../../core";
import { type Diagnostic, errorDiagnostic, readingDiagnostic, warning } from "../diagnostics";
import { claimIn, type PlacedClaim, placedClaimsOf, placeOf, type Run } from "../neighbours";
import {
  ARGUMENTS,
  type Private,
  privateIn,
  recordedIn,
  type SetContext,
  type SetResult,
  type StoredSet,
  setIn,
  unreadablePrivate,
  valuesIn,
} from "./state";

/** Reads what EC2 has. The arguments in the state stay; `grants` become those of EC2. */
export async function readSet(current: StoredSet, { config, log, waitOptions, run }: SetContext): Promise<SetResult> {
  run.begun();
  const { state } = current;
  const set = state ? setIn(state) : undefined;
  if (!state || !set) return { ...current, diagnostics: [] };
  if (!config.isKnown)
    return {
      ...current,
      diagnostics: [
        warning(`AMI ${set.imageId} is not read`, "The provider's configuration is not known yet, so that drift does not show."),
      ],
    };
  try {
    // A set that was moved from a resource without a region is in the region of the provider.
    const region = typeof state.region === "string" ? state.region : await config.regionFor(undefined);
    const { id = randomUUID() } = current.private;
    const place = placeOf({ ...state, region: region as string });
    const { previous, diagnostics } = readable(current, set);
    if (previous) run.claims.record(place, id, claimIn(set, previous.granted), id, true);
    const observed = await run.read(place, id, () => observe(config.gateway(region as string), set, previous, waitOptions));
    if (!observed) {
      log("info", `AMI ${set.imageId} is gone: so is its set`);
      return { state: null, private: {}, diagnostics: [] };
    }
    await run.opening();
    const { now, others } = amongOthers(set, repaired(set, previous, observed), run, place, id);
    const outputs = encodeRecorded(set, now);
    return {
      state: { ...state, ...valuesIn(outputs) },
      private: privateIn(outputs, { id, others, heirs: current.private.heirs ?? [], ...seenBy(set, observed, outputs) }),
      diagnostics,
    };
  } catch (error) {
    return { ...current, diagnostics: [readingDiagnostic(`AMI ${set.imageId} cannot be read`, error, ARGUMENTS)] };
  }
}

/** What the refresh of an additive set saw and the state does not show. */
function seenBy(
  { mode }: PermissionSet,
  { live, snapshotIds }: Recorded,
  { record }: ReturnType<typeof encodeRecorded>,
): Pick<Private, "seen"> {
  if (mode === "authoritative") return {};
  const seen = minus(live, deserializePermissions(record.live, snapshotIds));
  return isEmpty(seen) ? {} : { seen: serializePermissions(seen) };
}

/** The record; undefined, with a warning, if it cannot be decoded. */
function readable(current: StoredSet, set: PermissionSet): { previous: Recorded | undefined; diagnostics: Diagnostic[] } {
  try {
    if (current.private.unreadable) throw unreadablePrivate(set.imageId);
    return { previous: recordedIn(current), diagnostics: [] };
  } catch (error) {
    const summary = `AMI ${set.imageId}: what was recorded cannot be read and is recorded anew`;
    return { previous: undefined, diagnostics: [{ ...errorDiagnostic(summary, error), severity: "WARNING" }] };
  }
}

/** The record to write. If the old one could not be decoded, what the arguments name counts as granted by the set. */
function repaired(set: PermissionSet, previous: Recorded | undefined, observed: Recorded): Recorded {
  if (previous) return observed;
  const target = targetPermissions(set, observed);
  return { ...observed, granted: set.mode === "additive" ? intersection(target, observed.live) : target };
}

/**
 * The record, with regard to the other sets of the AMI. It does not show what only they want. What this set wants and another set granted
 * counts as granted by this set, too.
 */
function amongOthers(
  set: PermissionSet,
  observed: Recorded,
  run: Run,
  place: string,
  id: string,
): { now: Recorded; others: PlacedClaim[] } {
  const { inherited } = run.claims.neighbours(place, id);
  const others = run.claims.others(place, id);
  const target = targetPermissions(set, observed);
  const claimed = claimedBy([...others.values()], observed);
  const granted = union(observed.granted, intersection(intersection(target, observed.live), inherited));
  run.claims.record(place, id, claimIn(set, granted), id, true);
  return {
    now: { ...observed, granted, live: minus(observed.live, minus(claimed, target)) },
    others: placedClaimsOf(place, others, observed),
  };
}
