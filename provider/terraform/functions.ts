/** The provider's functions: how Terraform describes them, and what they give. */

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

/** Every parameter may be null, which is as good as leaving it out. */
export interface ProviderFunction {
  readonly summary: string;
  /** Markdown. */
  readonly description: string;
  readonly parameters: readonly Parameter[];
  /** The last one, which a call may leave out. */
  readonly optional: Parameter;
  readonly call: (given: readonly Value[]) => Called;
}

/** A result of any type, or what is wrong and with which argument. */
export type Called = { readonly result: Value } | { readonly text: string; readonly argument?: number };

/** tfplugin6.proto, CallFunction.Response. */
export interface CallResponse {
  readonly result?: DynamicValue;
  readonly error?: { readonly text: string; readonly function_argument?: number };
}

const STRINGS = ["list", "string"] as const;

const KEY_POLICY: ProviderFunction = {
  summary: "Statements for the policy of a KMS key, which admit those with whom encrypted AMIs are shared",
  description:
    'The statements to add to a customer managed key\'s policy, so that accounts, organizations and organizational units can launch and copy what is encrypted under it: objects as IAM writes them, for `jsonencode`. `Resource = "*"` is the key itself. None for nobody.',
  parameters: [
    { name: "account_ids", type: STRINGS, description: "Accounts." },
    { name: "organization_arns", type: STRINGS, description: "Organizations, by full ARN." },
    { name: "organizational_unit_arns", type: STRINGS, description: "Organizational units, by full ARN." },
  ],
  optional: { name: "partition", type: "string", description: "The partition of the accounts, once at most. Default: `aws`." },
  call: keyPolicyStatements,
};

/** The functions, by name. */
export const FUNCTIONS: ReadonlyMap<string, ProviderFunction> = new Map([["kms_key_policy_statements", KEY_POLICY]]);

/** Calls a function. Terraform calls none with unknown values; whoever does is told that the result is not known yet. */
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
  // Terraform shows one argument: the first that is wrong, with all that is wrong with it.
  const [{ property } = { property: "" }] = decoded.problems;
  const words = decoded.problems
    .filter((problem) => problem.property === property)
    .map((problem) => `${snakeCase(problemPath(problem))}: ${inTerraformWords(problem.message)}`);
  return { text: `${words.join("; ")} [invalid-argument]`, argument: Object.keys(given).indexOf(property) };
}
