/** Plans a destroy: PlanResourceChange for a set that left the configuration or is replaced. */

import { randomUUID } from "node:crypto";
import {
  claimedParts,
  entryLines,
  firstFew,
  granteesOf,
  lostEntries,
  minus,
  NO_PERMISSIONS,
  type Recorded,
  revokedByRemoval,
  unnamedSnapshots,
} from "../../core";
import { type Diagnostic, errorDiagnostic, warning } from "../diagnostics";
import { claimIn, placedClaimsOf, placeOf, type Run } from "../neighbours";
import { grantsIn, type Private, recordedIn, type SetResult, type StoredSet, setIn } from "./state";

/** How many grantees one warning names. */
const MOST_NAMED = 10;

export type PlannedDestroy = Pick<SetResult, "private" | "diagnostics">;

/**
 * Warns where a destroy revokes more or less than Terraform's diff shows, and records which sets keep what they declare.
 *
 * @param isReplaced whether a new set follows. The diff then compares the grants of the two sets, and does not show who loses the old AMI
 */
export async function planDestroy(prior: StoredSet, run: Run, isReplaced = false): Promise<PlannedDestroy> {
  run.begun();
  const set = prior.state ? setIn(prior.state) : undefined;
  if (!prior.state || !set) return { private: prior.private, diagnostics: [] };
  let recorded: Recorded;
  try {
    recorded = recordedIn(prior);
  } catch (error) {
    return { private: prior.private, diagnostics: [errorDiagnostic(`AMI ${set.imageId}: the state cannot be read`, error)] };
  }
  const place = placeOf(prior.state);
  const { id = randomUUID() } = prior.private;
  run.claims.record(place, id, claimIn(set, recorded.granted), id);
  run.planning(place, id);
  await run.opening(true);
  await run.known(place, id);
  const heirs = run.claims.others(place, id, ["declared", "made"]);
  const kept = claimedParts([...heirs.values()], recorded, recorded.granted);
  const own: Private = {
    ...prior.private,
    heirs: [
      // From a deposed object that could not be destroyed yet, because no set owned what it leaves.
      ...(prior.private.heirs ?? []),
      ...placedClaimsOf(place, heirs, recorded),
    ],
  };
  const holders = Object.keys(grantsIn(prior.state));
  const spared = holders.filter((key) => set.neverRevoke.has(key));
  const { live, granted } = recorded;
  const others = [...granteesOf(minus(live, granted))].filter((key) => !set.neverRevoke.has(key)).sort();
  const told = (attribute: string, summary: string, detail: string) =>
    warning(`AMI ${set.imageId} ${summary}`, detail, attribute);
  const planned = (diagnostics: readonly Diagnostic[]) => ({ private: own, diagnostics });
  const dropped = revokedByRemoval(set, recorded, { claims: [...heirs.values()], inherited: NO_PERMISSIONS });
  run.drop(place, {
    id,
    name: claimIn(set, NO_PERMISSIONS).name,
    dropped,
    shown: dropped,
    told: new Map([...heirs].map(([heir, { wants }]) => [heir, wants(recorded)])),
    isNew: false,
  });
  if (set.onDelete === "retain")
    return planned(
      holders.length > 0
        ? [told("on_delete", "stays shared", `on_delete is "retain": these keep access: ${firstFew(holders, MOST_NAMED)}`)]
        : [],
    );
  const lost = lostEntries(dropped, granted).flatMap((entry) => entryLines(entry, unnamedSnapshots(set, recorded)));
  return planned([
    ...(isReplaced && lost.length > 0 ? [told("image_id", "is unshared, as its set is replaced", lost.join("\n"))] : []),
    ...kept.map(({ name, permissions }) =>
      told(
        "image_id",
        "stays shared with whom another set declares",
        `${name} declares these of AMI ${set.imageId} as well, so that they keep access: ${firstFew([...granteesOf(permissions)].sort(), MOST_NAMED)}\n\n${MOVED}`,
      ),
    ),
    ...(set.onDelete === "reset"
      ? [told("on_delete", "loses every grant", 'on_delete is "reset": grants that were made elsewhere go, too')]
      : []),
    ...(set.onDelete === "revoke" && others.length > 0
      ? [
          told(
            "on_delete",
            "stays shared in part",
            `set elsewhere: these keep what the set did not grant: ${firstFew(others, MOST_NAMED)}`,
          ),
        ]
      : []),
    ...(spared.length > 0
      ? [told("never_revoke", "stays shared in part", `never_revoke: these keep access: ${firstFew(spared, MOST_NAMED)}`)]
      : []),
  ]);
}

/** How to change an address without a destroy. */
const MOVED = `If the set only got another address, say so, and nothing is destroyed:

  moved {
    from = ami_launch_permission_set.OLD_NAME
    to   = ami_launch_permission_set.NEW_NAME
  }`;
