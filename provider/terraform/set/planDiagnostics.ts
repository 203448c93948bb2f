/** The diagnostics of a plan: what Terraform's diff does not show. */

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
  unnamedSnapshots,
  warnsInPlan,
} from "../../core";
import { type Diagnostic, inTerraformWords, problemDiagnostic, readingDiagnostic, warning } from "../diagnostics";
import type { Drop } from "../neighbours";
import { ARGUMENTS } from "./state";

/** Terraform plans the configuration before it plans a destroy, so that an error of the first prevents the second. */
const DESTROY_ALL_THE_SAME =
  "If the set is to be destroyed: terraform destroy -refresh=false does so without planning this first.";

/** The report of a plan, as one warning, if it says more than the diff; and what will be refused. */
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
  return [...refused, warning(heading, lines.join("\n"), broadest?.property ?? "imageId")];
}

/** Warns that grants stay which the plan of another set shows as lost, because it was planned before this set was known. */
export function shownAsLost({ set, image, target }: Plan, drops: readonly Drop[]): Diagnostic[] {
  return drops.map(({ name, shown }) => {
    const why = `stays: this set declares it, and ${name} was planned before Terraform told the provider of this one`;
    const lines = entryLines({ sign: "=", why, permissions: intersection(shown, target) }, unnamedSnapshots(set, image), {
      nameAll: true,
    });
    return warning(`AMI ${set.imageId}: the plan of another set shows as lost what stays`, lines.join("\n"), "image_id");
  });
}

/** The diagnostic for a set that names no grantee. If the set exists, it says how to destroy it. */
export function nobodyDiagnostic(problem: ArgumentProblem, exists: boolean): Diagnostic {
  const diagnostic = problemDiagnostic(problem);
  return exists ? { ...diagnostic, detail: `${diagnostic.detail}\n\n${DESTROY_ALL_THE_SAME}` } : diagnostic;
}

/**
 * The diagnostic for a plan that is refused, or that will be.
 *
 * @param exists whether the set is in the state. Terraform may then be planning a destroy
 * @param replaces whether the set replaces another one. The destroy of that one may come first, so that a missing AMI is an error
 */
export function refusalDiagnostic(imageId: string, error: AmiSharingError, exists: boolean, replaces = false): Diagnostic {
  const diagnostic = readingDiagnostic(`AMI ${imageId} cannot be shared as configured`, error, ARGUMENTS);
  if (warnsInPlan(error, replaces)) return { ...diagnostic, severity: "WARNING" };
  return exists && policyOf(error)?.destroyPossible
    ? { ...diagnostic, detail: `${diagnostic.detail}\n\n${DESTROY_ALL_THE_SAME}` }
    : diagnostic;
}
