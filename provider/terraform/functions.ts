/** The functions of the provider: their descriptions and implementations. */

import { decodeKeyUsers, kmsKeyPolicyStatements, problemPath, UNKNOWN } from "../core";
import { inTerraformWords, snakeCase } from "./diagnostics";
import type { AttributeType } from "./schema";
import { type DynamicValue, decodeArgument, encodeDynamic, hasUnknown, type Value } from "./values";

export interface Parameter {
  readonly name: string;
  readonly type: AttributeType;
  /** Markdown. */
  readonly description: string;
}

/** Every parameter can be null, which means that it is not set. */
export interface ProviderFunction {
  readonly summary: string;
  /** Markdown. */
  readonly description: string;
  readonly parameters: readonly Parameter[];
  /** The last parameter, which a call can leave out. */
  readonly optional: Parameter;
  readonly call: (given: readonly Value[]) => Called;
}

/** A result of any type, or the text of an error and the argument that is wrong. */
export type Called = { readonly result: Value } | { readonly text: string; readonly argument?: number };

/** tfplugin6.proto, CallFunction.Response. */
export interface CallResponse {
  readonly result?: DynamicValue;
  readonly error?: { readonly text: string; readonly function_argument?: number };
}

const STRINGS = ["list", "string"] as const;

const KEY_POLICY: ProviderFunction = {
  summary: "Returns statements for the policy of a KMS key that admit the grantees of encrypted AMIs",
  description:
    'Returns the statements to add to the policy of a customer managed key, so that accounts, organizations and organizational units can launch and copy AMIs that are encrypted under it. The statements are objects with the names of IAM, for `jsonencode`. `Resource = "*"` means the key itself. Without grantees, the list is empty.',
  parameters: [
    { name: "account_ids", type: STRINGS, description: "Accounts." },
    { name: "organization_arns", type: STRINGS, description: "Organizations, by full ARN." },
    { name: "organizational_unit_arns", type: STRINGS, description: "Organizational units, by full ARN." },
  ],
  optional: { name: "partition", type: "string", description: "The partition of the accounts. At most one. Default: `aws`." },
  call: keyPolicyStatements,
};

/** The functions, by name. */
export const FUNCTIONS: ReadonlyMap<string, ProviderFunction> = new Map([["kms_key_policy_statements", KEY_POLICY]]);

/** Calls a function. Terraform never passes unknown values. If another client does, the result is unknown. */
export function callFunction(name: string, given: readonly DynamicValue[]): CallResponse {
  const known = FUNCTIONS.get(name);
  if (!known) return { error: { text: `There is no function ${name}; the provider has ${[...FUNCTIONS.keys()].join(", ")}.` } };
  const { parameters } = known;
  if (given.length < parameters.length)
    return { error: { text: `${name} takes ${parameters.map((one) => one.name).join(", ")}: ${given.length} were given.` } };
  const values = given.map(decodeArgument);
  if (values.some(hasUnknown)) return { result: encodeDynamic(UNKNOWN) };
  const called = known.call(values);
  if ("result" in called) return { result: encodeDynamic(called.result) };
  const { text, argument } = called;
  return { error: { text, ...(argument === undefined ? {} : { function_argument: argument }) } };
}

function keyPolicyStatements([
  accountIds,
  organizationArns,
  organizationalUnitArns,
  partition,
  ...more
]: readonly Value[]): Called {
  if (more.length > 0) return { text: "partition: there is one; leave the others out [invalid-argument]", argument: 4 };
  const given = { accountIds, organizationArns, organizationalUnitArns, partition };
  const users = Object.fromEntries(Object.entries(given).filter(([, value]) => (value ?? null) !== null));
  const decoded = decodeKeyUsers(users);
  if (!("problems" in decoded)) return { result: kmsKeyPolicyStatements(users) as unknown as Value };
  // Terraform shows the error at one argument: the first that is wrong, with all its problems.
  const [{ property } = { property: "" }] = decoded.problems;
  const words = decoded.problems
    .filter((problem) => problem.property === property)
    .map((problem) => `${snakeCase(problemPath(problem))}: ${inTerraformWords(problem.message)}`);
  return { text: `${words.join("; ")} [invalid-argument]`, argument: Object.keys(given).indexOf(property) };
}
