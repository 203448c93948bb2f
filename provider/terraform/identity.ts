/** Resource identity: the values that identify a set and never change, and import by these values. */

import { AmiSharingError, type ArgumentProblem, decodeDeclaredSet } from "../core";
import { type Diagnostic, errorDiagnostic, problemDiagnostic } from "./diagnostics";
import { IDENTITY_SCHEMA } from "./schema";
import { importSet, type SetContext, type SetResult } from "./set";
import { type DynamicValue, decodeValue, encodeValue, type ObjectValue, type Value } from "./values";

/** tfplugin6.proto, ResourceIdentityData. */
export interface IdentityData {
  readonly identity_data: DynamicValue | null;
}

const NAMES = Object.keys(IDENTITY_SCHEMA.attributes);

/**
 * The identity of a set: the recorded one, or else the one from its state. It is undefined if a value is missing. It is always complete and
 * never changes, because Terraform removes missing values from the state, refuses unknown values except in a create, and reports a changed
 * identity as a bug of the provider.
 */
export function identityOf(state: ObjectValue | null, recorded?: IdentityData | null): IdentityData | undefined {
  if (state === null) return undefined;
  const known = decodeIdentity(recorded) ?? {};
  const { image_id, region, owner_id: account_id } = state;
  const identity = [known, { image_id, region, account_id } as ObjectValue].find(isWhole);
  return identity && { identity_data: encodeValue(identity, IDENTITY_SCHEMA) };
}

/** The values of an identity, each of which can be null; null if there is no identity. */
export function decodeIdentity(data: IdentityData | null | undefined): ObjectValue | null {
  return decodeValue(data?.identity_data);
}

/** The state of an AMI as it is shared now, named by an identity in which the provider's region and any owner may be left out. */
export async function importByIdentity(identity: ObjectValue, context: SetContext): Promise<SetResult> {
  const problems = identityProblems(identity);
  if (problems.length > 0) return { state: null, private: {}, diagnostics: problems };
  const [imageId, region, accountId] = ["image_id", "region", "account_id"].map((name) => text(identity[name]));
  const imported = await importSet(region === undefined ? `${imageId}` : `${region}/${imageId}`, context);
  const ownerId = text(imported.state?.owner_id);
  if (accountId === undefined || !imported.state || accountId === ownerId) return imported;
  const error = new AmiSharingError(
    "not-owner",
    `AMI ${imageId} belongs to account ${ownerId}, and the identity names ${accountId}`,
    { imageId: `${imageId}`, next: "name that account, or leave account_id out" },
  );
  return { state: null, private: {}, diagnostics: [errorDiagnostic(`AMI ${imageId} cannot be imported`, error)] };
}

function identityProblems({ image_id, region, account_id = null }: ObjectValue): Diagnostic[] {
  const accounts = account_id === null ? {} : { accountIds: [account_id] };
  const decoded = decodeDeclaredSet({ imageId: image_id ?? "", region, ...accounts });
  const problems = "problems" in decoded ? decoded.problems : [];
  // The identity of an import block is not an attribute of the resource, so the diagnostics have no attribute path.
  return problems.map((problem) => {
    const { attribute: _, ...diagnostic } = problemDiagnostic(named(problem));
    return diagnostic;
  });
}

function named(problem: ArgumentProblem): ArgumentProblem {
  return problem.property === "accountIds" ? { ...problem, property: "accountId", path: ["accountId"] } : problem;
}

function isWhole(identity: ObjectValue): boolean {
  return NAMES.every((name) => typeof identity[name] === "string" && identity[name] !== "");
}

function text(value: Value | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}
