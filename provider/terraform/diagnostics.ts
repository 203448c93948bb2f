/** Converts errors to Terraform's diagnostics: they point at the attribute, and use the names of Terraform's arguments. */

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

/** tfplugin6.proto, AttributePath. The protocol has no step into a set, so a path ends there. */
export interface AttributePath {
  readonly steps: readonly { readonly attribute_name: string }[];
}

export function attributePath(...names: readonly string[]): AttributePath {
  return { steps: names.map((name) => ({ attribute_name: snakeCase(name) })) };
}

/** A warning, at an attribute if one is named. */
export function warning(summary: string, detail: string, attribute?: string): Diagnostic {
  return { severity: "WARNING", summary, detail, ...(attribute === undefined ? {} : { attribute: attributePath(attribute) }) };
}

/** The diagnostic for a wrong argument. */
export function problemDiagnostic({ property, path, message }: ArgumentProblem): Diagnostic {
  // Indexes are left out, because Terraform's sets have no order.
  const place = path.filter((part) => typeof part === "string").join(".") || property;
  const words = inTerraformWords(message);
  return {
    severity: "ERROR",
    summary: `Invalid ${snakeCase(property)}`,
    detail: `${snakeCase(place)}${words.startsWith("true ") ? " =" : ":"} ${words} [invalid-argument]`,
    // Only one step: with a longer path, Terraform would point at an argument of the block that has the name of the last step.
    attribute: attributePath(property),
  };
}

/** The diagnostic for an error of an operation. `attributes` are the attributes that it may point at. */
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

/** The summaries of errors in how the provider reaches AWS, which are not errors of a set. */
const CONNECTION_FAULTS: Partial<Record<ErrorCode, string>> = {
  "credentials-missing": "The provider has no AWS credentials",
  "credentials-expired": "The provider's AWS credentials have expired",
  "credentials-invalid": "The provider's AWS credentials are not valid",
  "endpoint-unreachable": "The provider cannot reach AWS",
} satisfies Record<ConnectionFault, string>;

/**
 * The diagnostic for an error of a read, before anything is changed. If the provider cannot reach AWS, the summary says so, and the
 * diagnostic points at no argument.
 *
 * @param summary for every other error
 */
export function readingDiagnostic(summary: string, error: unknown, attributes: readonly string[] = []): Diagnostic {
  const fault = faultOfProvider(error);
  return fault === undefined ? errorDiagnostic(summary, error, attributes) : errorDiagnostic(fault, error);
}

/** The summary, if the provider cannot reach AWS, whichever AMI it reads; else undefined. */
export function faultOfProvider(error: unknown): string | undefined {
  const { code, awsCode } = error as Partial<AmiSharingError>;
  // AccessDenied comes from STS, when a role is assumed. EC2 uses UnauthorizedOperation.
  const denied = code === "not-authorized" && awsCode === "AccessDenied";
  return denied ? "AWS denies the provider access" : code && CONNECTION_FAULTS[code];
}

/** What people should know of a provider block that is accepted, and of the environment. */
export function endpointWarnings({ endpoint }: Readonly<Record<string, unknown>>, env: NodeJS.ProcessEnv): Diagnostic[] {
  const configured = typeof endpoint === "string" ? endpoint : undefined;
  const called = endpoint === null || endpoint === undefined ? environmentEndpoint(env) : configured;
  const detail = called && endpointWarning(called);
  if (!detail) return [];
  const attribute = configured === undefined ? {} : { attribute: attributePath("endpoint") };
  return [{ severity: "WARNING", summary: "EC2 is called without encryption", detail, ...attribute }];
}

/** What the core says of every engine, and Terraform's users have in another form. */
const PHRASES = new Map([
  [
    `run pulumi refresh: the diff of the next preview shows each with a "-" if the set managed it before; or declare them`,
    `run terraform plan with its refresh: its diff shows each with a "-" if the set managed it before; or declare them`,
  ],
  ["adopt or import the AMI as it is shared", "import the AMI as it is shared"],
  [` is neither a whole number of grantees nor "none"`, " is not a whole number of grantees"],
  ["the region (the argument's, or the engine's AWS configuration)", "region, here or in the provider block"],
  ["(kmsKeyPolicyStatements gives", "(provider::ami::kms_key_policy_statements gives"],
]);

/** Argument names in the messages of the core, and their names in Terraform. */
const NAMES = new Map(
  [...ARGUMENT_NAMES, "snapshotIds", "roleArn", "externalId", "sessionName", "maxRetries", "accountNames"]
    .filter((name) => /[A-Z]/.test(name))
    .map((name) => [name, snakeCase(name)]),
);
const NAME = [...NAMES.keys(), "public"].join("|");
/**
 * What is matched in a message: phrases to replace; texts in quotes, which stay; and names to replace, unless they are a part of a longer
 * word, such as an ARN.
 */
const PATTERNS = [
  [...PHRASES.keys()].map(escaped).join("|"),
  String.raw`"(?:[^"\\\n]|\\.)*"`,
  String.raw`(?<![\w/:.,=@+-])((?:${NAME})(?:\.(?:${NAME}))*)(?![\w/@=+-])(: (?=true|false|"|\d|\[))?`,
];

/**
 * A message of the core with Terraform's names and its syntax for assignments. Texts in quotes are the user's, and stay unchanged.
 *
 * @param verbatim other texts in the message that stay unchanged, such as messages of AWS
 */
export function inTerraformWords(text: string, verbatim: readonly string[] = []): string {
  const others = verbatim.filter((words) => words !== "").map((words) => `(?<!\\w)${escaped(words)}(?!\\w)`);
  return text.replace(new RegExp([...others, ...PATTERNS].join("|"), "g"), (said: string, names?: string, assigned?: string) => {
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
