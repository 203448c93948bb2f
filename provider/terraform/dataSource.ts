/** The data source's operations on Terraform's values. */

import { AmiSharingError, type ArgumentProblem, decodeDeclaredSet, describePermissions, UNKNOWN } from "../core";
import { argumentsIn, readOnlyProblems, valuesOf } from "./arguments";
import { type Diagnostic, readingDiagnostic } from "./diagnostics";
import type { ProviderConfig } from "./providerConfig";
import { DATA_SOURCE_SCHEMA } from "./schema";
import type { ObjectValue, Value } from "./values";

/** What is wrong with a configuration. */
export function dataSourceProblems(config: ObjectValue): readonly ArgumentProblem[] {
  const decoded = decodeDeclaredSet(argumentsIn(config, DATA_SOURCE_SCHEMA));
  return [...readOnlyProblems(config, DATA_SOURCE_SCHEMA), ...("problems" in decoded ? decoded.problems : [])];
}

/** Who the AMI is shared with now; its state is null where that cannot be read. */
export async function readPermissions(
  config: ObjectValue,
  provider: ProviderConfig,
): Promise<{ readonly state: ObjectValue | null; readonly diagnostics: readonly Diagnostic[] }> {
  const imageId = String(config.image_id);
  try {
    const region = typeof config.region === "string" ? config.region : await provider.regionFor(undefined);
    if (region === UNKNOWN || !provider.isKnown)
      throw new AmiSharingError("region-missing", "the provider's configuration is not known yet", {
        imageId,
        next: "give the provider values that are known, or apply what they come from first (-target)",
      });
    const { snapshots, grants, ...permissions } = await describePermissions(provider.gateway(region), imageId);
    const state = {
      ...valuesOf(permissions),
      id: imageId,
      snapshot_ids: snapshots.map(({ snapshotId }) => snapshotId),
      snapshots: snapshots.map((snapshot) => valuesOf(snapshot)) as Value,
      // The keys of a map are the user's, not names.
      grants,
    };
    return { state, diagnostics: [] };
  } catch (error) {
    return { state: null, diagnostics: [readingDiagnostic(`AMI ${imageId} cannot be read`, error, ["image_id", "region"])] };
  }
}
