/** What goes wrong, in Terraform's form: diagnostics that point at the attribute, with the names that its users write. */

import {
  type AmiSharingError,
  ARGUMENT_NAMES,
  type ArgumentProblem,
  type ConnectionFault,
  type ErrorCode,
  endpointWarning,
  environmentEndpoint,
  policyOf,
} from "../core";

/** tfplugin6.proto, Diagnostic. */
export interface Diagnostic {
  readonly severity: "ERROR" | "WARNING";
  readonly summary: string;
  readonly detail: string;
  readonly attribute?: AttributePath;
}

/** tfplugin6.proto, AttributePath: the protocol has no step into a set, so that a path ends at one. */
export interface AttributePath {
  readonly steps: readonly { readonly attribute_name: string }[];
}

export function attributePath(...names: readonly string[]): AttributePath {
  return { steps: names.map((name) => ({ attribute_name: snakeCase(name) })) };
}

/** The diagnostic for a wrong argument. */
export function problemDiagnostic({ property, path, message }: ArgumentProblem): Diagnostic {
  // A set has no order, so that an index would say nothing.
  const place = path.filter((part) => typeof part === "string").join(".") || property;
  const words = inTerraformWords(message);
  return {
    severity: "ERROR",
    summary: `Invalid ${snakeCase(property)}`,
    detail: `${snakeCase(place)}${words.startsWith("true ") ? " =" : ":"} ${words} [invalid-argument]`,
    // Terraform takes the last step of a longer path for an argument of the whole block, and would point there.
    attribute: attributePath(property),
  };
}

/** The diagnostic for what an operation threw; `attributes` are those that may be pointed at. */
export function errorDiagnostic(summary: string, error: unknown, attributes: readonly string[] = []): Diagnostic {
  const { message, property = policyOf(error)?.property, verbatim, cause } = error as Partial<AmiSharingError> & Error;
  // A change that was made in part tells its reason's words.
  const others = verbatim ?? (cause as Partial<AmiSharingError> | undefined)?.verbatim;
  const name = property && snakeCase(property);
  return {
    severity: "ERROR",
    summary,
    detail: inTerraformWords(message, others),
    ...(name && attributes.includes(name) ? { attribute: attributePath(name) } : {}),
  };
}

/** What is wrong with how the provider reaches AWS, and with no set: a summary for each. */
const FAULTS_OF_PROVIDER: Partial<Record<ErrorCode, string>> = {
  "credentials-missing": "The provider has no AWS credentials",
  "credentials-expired": "The provider's AWS credentials have expired",
  "credentials-invalid": "The provider's AWS credentials are not valid",
  "endpoint-unreachable": "The provider cannot reach AWS",
} satisfies Record<ConnectionFault, string>;

/**
 * The diagnostic for what reading threw, before anything is changed: where the provider is at fault, it is told so and points at no argument.
 *
 * @param summary for every other fault
 */
export function readingDiagnostic(summary: string, error: unknown, attributes: readonly string[] = []): Diagnostic {
  const fault = faultOfProvider(error);
  return fault === undefined ? errorDiagnostic(summary, error, attributes) : errorDiagnostic(fault, error);
}

/** The summary where the provider is at fault, whichever AMI it reads. */
export function faultOfProvider(error: unknown): string | undefined {
  const { code, awsCode } = error as Partial<AmiSharingError>;
  // STS's code, for a role; what EC2 does not allow is UnauthorizedOperation.
  const denied = code === "not-authorized" && awsCode === "AccessDenied";
  return denied ? "AWS denies the provider access" : code && FAULTS_OF_PROVIDER[code];
}

/** What people should know of a provider block that is accepted, and of the environment. */
export function endpointWarnings({ endpoint }: Readonly<Record<string, unknown>>, env: NodeJS.ProcessEnv): Diagnostic[] {
  const configured = typeof endpoint === "string" ? endpoint : undefined;
  const called = endpoint === null || endpoint === undefined ? environmentEndpoint(env) : configured;
  const detail = called && endpointWarning(called);
  if (!detail) return [];
  const attribute = configured === undefined ? {} : { attribute: attributePath("endpoint") };
  return [{ severity: "WARNING", summary: "EC2 is called in clear", detail, ...attribute }];
}

/** What the core says of every engine, and Terraform's users have in another form. */
const PHRASES = new Map([
  [
    `run pulumi refresh, after which the preview's own diff shows each with a "-" where the set managed it before; or declare them`,
    `run terraform plan with its refresh: its diff shows each with a "-" where the set managed it before; or declare them`,
  ],
  ["adopt or import the AMI as it is shared", "import the AMI as it is shared"],
  [` is neither a whole number of grantees nor "none"`, " is not a whole number of grantees"],
  ["the region (the argument's, or the engine's AWS configuration)", "region, here or in the provider block"],
  ["(kmsKeyPolicyStatements gives", "(provider::ami::kms_key_policy_statements gives"],
]);

/** The names that Terraform's users write for what the core's words name. */
const NAMES = new Map(
  [...ARGUMENT_NAMES, "snapshotIds", "roleArn", "externalId", "sessionName", "maxRetries"]
    .filter((name) => /[A-Z]/.test(name))
    .map((name) => [name, snakeCase(name)]),
);
const NAME = [...NAMES.keys(), "public"].join("|");
/** Texts in quotes, in which nothing is translated; what is; and a name only where it is no part of a longer word, such as an ARN. */
const WORDS = [
  [...PHRASES.keys()].map(escaped).join("|"),
  String.raw`"(?:[^"\\\n]|\\.)*"`,
  String.raw`(?<![\w/:.,=@+-])((?:${NAME})(?:\.(?:${NAME}))*)(?![\w/@=+-])(: (?=true|false|"|\d|\[))?`,
];

/**
 * The core's words with Terraform's names and its way to assign them. What stands in quotes is the user's, and stays.
 *
 * @param verbatim texts in it that are somebody else's and have no quotes, such as AWS's own words
 */
export function inTerraformWords(text: string, verbatim: readonly string[] = []): string {
  const others = verbatim.filter((words) => words !== "").map((words) => `(?<!\\w)${escaped(words)}(?!\\w)`);
  return text.replace(new RegExp([...others, ...WORDS].join("|"), "g"), (said: string, names?: string, assigned?: string) => {
    if (names === undefined) return PHRASES.get(said) ?? said;
    const named = names.split(".").map((name) => NAMES.get(name) ?? name);
    return named.join(".") + (assigned ? " = " : "");
  });
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

export function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
