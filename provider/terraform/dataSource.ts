/** The data sources: their configuration, and how they read. */

import {
  type AmiOfAnother,
  type AmiPermissions,
  type ArgumentProblem,
  amisOfOthers,
  decodeDeclaredSet,
  describePermissions,
  ownAmis,
  UNKNOWN,
} from "../core";
import { argumentsIn, readOnlyProblems, valuesOf } from "./arguments";
import { type Diagnostic, readingDiagnostic } from "./diagnostics";
import type { ProviderConfig } from "./providerConfig";
import { AUDIT, AUDIT_SCHEMA, DATA_SOURCE, DATA_SOURCE_SCHEMA, type Schema } from "./schema";
import type { ObjectValue, Value } from "./values";

/** The result of a data source. The state is null if the read failed. */
export interface DataRead {
  readonly state: ObjectValue | null;
  readonly diagnostics: readonly Diagnostic[];
}

export interface DataSource {
  readonly schema: Schema;
  /** What is wrong with a configuration. */
  readonly problems: (config: ObjectValue) => readonly ArgumentProblem[];
  readonly read: (config: ObjectValue, provider: ProviderConfig) => Promise<DataRead>;
}

/** The data sources, by type name. */
export const DATA_SOURCES: ReadonlyMap<string, DataSource> = new Map([
  [DATA_SOURCE, { schema: DATA_SOURCE_SCHEMA, problems: dataSourceProblems, read: readPermissions }],
  [AUDIT, { schema: AUDIT_SCHEMA, problems: auditProblems, read: readAudit }],
]);

const OWNERS = ["self", "others"];

function dataSourceProblems(config: ObjectValue): readonly ArgumentProblem[] {
  const decoded = decodeDeclaredSet(argumentsIn(config, DATA_SOURCE_SCHEMA));
  return [...readOnlyProblems(config, DATA_SOURCE_SCHEMA), ...("problems" in decoded ? decoded.problems : [])];
}

/** Reads who the AMI is shared with now. */
async function readPermissions(config: ObjectValue, provider: ProviderConfig): Promise<DataRead> {
  const imageId = String(config.image_id);
  try {
    const region = await provider.regionToRead(config.region, { imageId });
    const permissions = permissionValues(await describePermissions(provider.gateway(region), imageId));
    return { state: { ...permissions, id: imageId }, diagnostics: [] };
  } catch (error) {
    return { state: null, diagnostics: [readingDiagnostic(`AMI ${imageId} cannot be read`, error, ["image_id", "region"])] };
  }
}

function auditProblems(config: ObjectValue): readonly ArgumentProblem[] {
  const { owner = null, region = null } = config;
  const decoded = decodeDeclaredSet({ imageId: UNKNOWN, region });
  const isKnown = owner !== null && owner !== UNKNOWN;
  const message = `${JSON.stringify(owner)} is not one of "self", "others"`;
  return [
    ...readOnlyProblems(config, AUDIT_SCHEMA),
    ...(isKnown && !OWNERS.includes(owner as string) ? [{ property: "owner", path: ["owner"], message }] : []),
    ...("problems" in decoded ? decoded.problems : []),
  ];
}

/** Reads the AMIs of a region: the caller's own with their grants, or those that others share with the caller. */
async function readAudit(config: ObjectValue, provider: ProviderConfig): Promise<DataRead> {
  const owner = config.owner ?? "self";
  const includeSnapshots = config.include_snapshots ?? true;
  try {
    const region = await provider.regionToRead(config.region);
    const gateway = provider.gateway(region);
    const amis =
      owner === "self"
        ? (await ownAmis(gateway, includeSnapshots === true)).map(permissionValues)
        : (await amisOfOthers(gateway)).map((ami: AmiOfAnother) => valuesOf(ami));
    return { state: { owner, include_snapshots: includeSnapshots, region, id: region, amis }, diagnostics: [] };
  } catch (error) {
    return { state: null, diagnostics: [readingDiagnostic("The AMIs of the region cannot be read", error, ["region"])] };
  }
}

function permissionValues({ snapshots, grants, ...permissions }: AmiPermissions): ObjectValue {
  return {
    ...valuesOf(permissions),
    snapshot_ids: snapshots.map(({ snapshotId }) => snapshotId),
    snapshots: snapshots.map((snapshot) => valuesOf(snapshot)) as Value,
    // The keys of this map are grantees, not argument names: they must not become snake_case.
    grants,
  };
}
