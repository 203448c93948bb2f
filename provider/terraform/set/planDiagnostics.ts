/** What people are told of a planned set that Terraform's diff does not show. */

import {
  type AmiSharingError,
  type ArgumentProblem,
  broadenings,
  entriesOf,
  entryLines,
  intersection,
  isEmpty,
  minus,
  NO_PERMISSIONS,
  type Plan,
  policyOf,
  reportOf,
} from "../../core";
import { attributePath, type Diagnostic, inTerraformWords, problemDiagnostic, readingDiagnostic } from "../diagnostics";
import type { Drop } from "../neighbours";
import { ARGUMENTS } from "./state";

/** Terraform plans the configuration before it plans a destroy, so that an error of the first prevents the second. */
const DESTROY_ALL_THE_SAME =
  "If the set is to be destroyed: terraform destroy -refresh=false does so without planning this first.";

/** What people should know of a plan that its diff does not say: one diagnostic for a set, with the whole report. */
export function planDiagnostics(plan: Plan, exists: boolean): Diagnostic[] {
  const { set, gaining, losing, recorded, refusals, doubts, warnings } = plan;
  const refused = refusals.map((error) => refusalDiagnostic(set.imageId, error, exists));
  if (refused.some(({ severity }) => severity === "ERROR")) return refused;
  const [broadest] = broadenings(gaining);
  const held = recorded?.live ?? NO_PERMISSIONS;
  const untold =
    !isEmpty(minus(losing, held)) || !isEmpty(intersection(gaining, held)) || entriesOf(plan).some(({ stays }) => stays);
  if (!broadest && !untold && doubts.length === 0 && warnings.length === 0) return refused;
  // What will be refused has its own diagnostic.
  const [heading = "", ...lines] = inTerraformWords(reportOf({ ...plan, refusals: [] }, "planned")).split("\n");
  const report: Diagnostic = {
    severity: "WARNING",
    summary: heading,
    detail: lines.join("\n"),
    attribute: attributePath(broadest?.property ?? "imageId"),
  };
  return [...refused, report];
}

/** What a set keeps for others that was planned before Terraform told of it, so that their plans show it as lost. */
export function shownAsLost({ set, image, target }: Plan, drops: readonly Drop[]): Diagnostic[] {
  const unnamed = set.createVolume?.snapshotIds === undefined ? image.snapshotIds : undefined;
  return drops.map(({ name, shown }) => {
    const why = `stays: this set declares it, and ${name} was planned before Terraform told the provider of this one`;
    const lines = entryLines({ sign: "=", why, permissions: intersection(shown, target) }, unnamed, { nameAll: true });
    return {
      severity: "WARNING",
      summary: `AMI ${set.imageId}: the plan of another set shows as lost what stays`,
      detail: lines.join("\n"),
      attribute: attributePath("image_id"),
    };
  });
}

/** A set that names nobody without saying so; a destroy of it is not held up without a way out. */
export function nobodyDiagnostic(problem: ArgumentProblem, exists: boolean): Diagnostic {
  const diagnostic = problemDiagnostic(problem);
  return exists ? { ...diagnostic, detail: `${diagnostic.detail}\n\n${DESTROY_ALL_THE_SAME}` } : diagnostic;
}

/**
 * @param exists whether the state has the set, so that a destroy may be what is planned
 * @param replaces whether a set is to be replaced: its destroy may come first, so that the new one should be possible
 */
export function refusalDiagnostic(imageId: string, error: AmiSharingError, exists: boolean, replaces = false): Diagnostic {
  const diagnostic = readingDiagnostic(`AMI ${imageId} cannot be shared as configured`, error, ARGUMENTS);
  if (policyOf(error)?.warnsInPlan && !(replaces && error.code === "image-not-found"))
    return { ...diagnostic, severity: "WARNING" };
  return exists && policyOf(error)?.destroyPossible
    ? { ...diagnostic, detail: `${diagnostic.detail}\n\n${DESTROY_ALL_THE_SAME}` }
    : diagnostic;
}
