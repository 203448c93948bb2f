/** Applies a create or an update: ApplyResourceChange for a set in the configuration. */

import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import {
  AmiSharingError,
  claimedBy,
  decodeGrants,
  deserializePermissions,
  type Entry,
  encodeRecorded,
  entryLines,
  filterSnapshots,
  IncompleteChangeError,
  intersection,
  isEmpty,
  managedSnapshots,
  minus,
  NO_PERMISSIONS,
  type PermissionSet,
  type Permissions,
  type Plan,
  type Recorded,
  reconcile,
  reportOf,
  UNKNOWN,
  union,
  unnamedSnapshots,
} from "../../core";
import { type Diagnostic, errorDiagnostic, warning } from "../diagnostics";
import { claimIn, placeOf } from "../neighbours";
import { hasUnknown, type ObjectValue, sameValue } from "../values";
import { isSettled, takesAway } from "./settled";
import {
  ARGUMENTS,
  allowedIn,
  grantsIn,
  imageIn,
  type Private,
  privateIn,
  recordedIn,
  type SetContext,
  type SetResult,
  type StoredSet,
  sameState,
  setIn,
  shownTo,
  valuesIn,
} from "./state";

export interface AppliedSet extends SetResult {
  /** Whether the new state is as planned. It is not if the change was made in part, or if the AMI drifted since the plan. */
  readonly asPlanned: boolean;
}

/** Changes EC2 as planned. */
export async function applySet(
  prior: StoredSet,
  planned: ObjectValue,
  { config, log, waitOptions, run }: SetContext,
): Promise<AppliedSet> {
  run.begun();
  const imageId = String(planned.image_id);
  const { id = randomUUID(), others = [] } = prior.private;
  const unchanged = (error: unknown) => ({
    ...prior,
    asPlanned: true,
    diagnostics: [errorDiagnostic(`AMI ${imageId} is not shared as planned: nothing was changed`, error, ARGUMENTS)],
  });
  const known = setIn(planned);
  if (!known) return unchanged(new AmiSharingError("invalid-argument", "the arguments of the set are not complete"));
  const place = placeOf(planned);
  let set = known;
  try {
    set = allowedIn(planned, known, config);
    const recorded = prior.state ? recordedIn(prior) : undefined;
    run.claims.declare(place, id, claimIn(set, recorded?.granted ?? NO_PERMISSIONS), set.mode === "authoritative");
    const isSame = prior.state !== null && sameState(prior.state, planned, ["timeouts"]);
    if (isSame && recorded && isSettled(set, recorded, run.neighbours(place, id, others))) {
      // Only `timeouts` changed, which needs no call.
      run.claims.ended(place, id, "made", recorded.granted);
      const { heirs: _, ...own } = prior.private;
      return { state: planned, private: own, asPlanned: true, diagnostics: [] };
    }
    await run.opening(takesAway(set, recorded));
    const { recorded: now, plan } = await run.claims.runExclusive(place, async () => {
      const neighbours = run.neighbours(place, id, others);
      const revocable = recorded ? shownTo(recorded, prior.private) : promised(prior.private);
      const gateway = run.reads.share(config.gateway(planned.region as string), { use: true });
      const made = await reconcile(gateway, set, recorded, waitOptions, neighbours, revocable);
      run.claims.ended(place, id, "made", made.recorded.granted);
      return made;
    });
    log("info", reportOf(plan, "done"));
    return applied(planned, set, now, { id, others }, { warnings: surprises(plan, prior, planned, now.live) });
  } catch (error) {
    const granted = error instanceof IncompleteChangeError ? error.recorded.granted : undefined;
    run.claims.ended(place, id, "failed", granted);
    if (!(error instanceof IncompleteChangeError)) return unchanged(error);
    const diagnostic = errorDiagnostic(`AMI ${imageId} is shared in part only`, error, ARGUMENTS);
    return applied(
      planned,
      set,
      error.recorded,
      { id, others },
      {
        failures: [prior.state ? diagnostic : notTainted(diagnostic)],
        warnings: error.plan ? surprises(error.plan, prior, planned, error.recorded.live, true) : [],
      },
    );
  }
}

/**
 * What a create may revoke: what the plan in the same process showed. Undefined if the caller stores no private data: then it may revoke all
 * that is not declared.
 */
function promised({ id, revokes }: Private): Permissions | undefined {
  if (id === undefined) return undefined;
  return revokes ? deserializePermissions(revokes, []) : NO_PERMISSIONS;
}

/**
 * Warns of every change of access that the diff of the plan did not show. All grantees are named.
 *
 * @param after what EC2 has after the change
 * @param inPart whether the change was made in part only
 */
function surprises(plan: Plan, prior: StoredSet, planned: ObjectValue, after: Permissions, inPart = false): Diagnostic[] {
  const { set, image, recorded, live, target, losing, gaining, unplanned } = plan;
  const { snapshotIds } = imageIn(prior.state);
  const isShown = prior.state !== null && planned.grants !== UNKNOWN;
  const shown = isShown
    ? minus(decodeGrants(grantsIn(prior.state), snapshotIds), decodeGrants(grantsIn(planned), image.snapshotIds))
    : NO_PERMISSIONS;
  const lost = minus(inPart ? minus(losing, after) : losing, shown);
  const regained = intersection(inPart ? intersection(gaining, after) : gaining, recorded?.live ?? NO_PERMISSIONS);
  // A refresh reads only the snapshots whose permissions the set manages.
  const before = prior.state ? setIn(prior.state) : undefined;
  const looked = before ? managedSnapshots(before, imageIn(prior.state)) : [];
  const later = filterSnapshots(unplanned, (id) => !prior.state || looked.includes(id));
  // Nobody had it when the change was planned. An additive set leaves the grants of others anyway.
  const latest =
    set.mode === "authoritative"
      ? minus(minus(after, live), union(target, claimedBy(plan.neighbours.claims, image)))
      : NO_PERMISSIONS;
  const told = (sign: Entry["sign"], summary: string, why: string, permissions: Permissions): Diagnostic[] => {
    if (isEmpty(permissions)) return [];
    const lines = entryLines({ sign, why, permissions }, unnamedSnapshots(set, image), { nameAll: true });
    return [warning(`AMI ${set.imageId}: ${summary}`, lines.join("\n"), "imageId")];
  };
  return [
    ...told("-", "access was taken that the plan's diff does not show", "lost", lost),
    ...told("+", "access was granted again", "taken away elsewhere after the plan, which shows it as kept", regained),
    ...told(
      "=",
      "access was granted after the plan",
      "was granted after the plan; stays; the next plan shows it",
      union(later, latest),
    ),
    ...told(
      "=",
      "access stays that the set did not manage before",
      "was not managed before, so that the plan could not show it; stays; the next plan shows it",
      minus(unplanned, later),
    ),
  ];
}

/**
 * If a create fails with an error, Terraform taints the resource, and the next apply destroys it first: that would revoke what was just
 * granted. A create that was made in part therefore succeeds with a warning, and records what EC2 has.
 */
function notTainted({ summary, detail }: Diagnostic): Diagnostic {
  return {
    severity: "WARNING",
    summary: `NOT COMPLETE: ${summary}`,
    detail: `${detail}\n\nWhat was granted is recorded, and nothing is taken back. Run terraform apply again: it grants what is missing. (This is a warning, because an error would taint the resource, and the next apply would revoke everything before it grants again.)`,
  };
}

/** The result of a change: the state as planned if all of it was made, else what EC2 has. */
export function applied(
  planned: ObjectValue,
  set: PermissionSet,
  recorded: Recorded,
  own: Private,
  { failures = [], warnings }: { readonly failures?: readonly Diagnostic[]; readonly warnings: readonly Diagnostic[] },
): AppliedSet {
  const made = encodeRecorded(set, recorded);
  const isWhole = failures.length === 0 && planned.grants !== UNKNOWN;
  // Terraform expects the state as planned. A grantee that somebody else added meanwhile shows at the next refresh.
  const isOther = isWhole && !isDeepStrictEqual(made.grants, grantsIn(planned));
  const outputs = isOther
    ? {
        ...encodeRecorded(set, { ...recorded, live: decodeGrants(grantsIn(planned), recorded.snapshotIds) }),
        grants: grantsIn(planned),
      }
    : made;
  const state: ObjectValue = { ...planned, ...valuesIn(outputs) };
  return {
    state,
    private: privateIn(outputs, own),
    diagnostics: [...failures, ...warnings],
    asPlanned: Object.entries(planned).every(([name, value]) => hasUnknown(value) || sameValue(value, state[name] ?? null)),
  };
}
