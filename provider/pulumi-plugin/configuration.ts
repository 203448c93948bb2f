/** The provider's configuration: what is wrong with it, what changes, and where the sets' connections find it. */

import {
  type ArgumentProblem,
  type DeclaredConnection,
  decodeConnection,
  PROVIDER_ARGUMENTS,
  problemPath,
  UNKNOWN,
} from "../core";
import { PULUMI_UNKNOWN } from "../pulumi/sdkInternals";
import { type Properties, SECRETS, withoutSecrets } from "../pulumi/secrets";
import type { GetConfig } from "../pulumi/stackConfig";
import { withoutPythonNames } from "./values";

/** What is wrong with one property. */
export interface Failure {
  readonly property: string;
  readonly reason: string;
}

/** Names that the engine or an SDK adds and that no user gave. */
const OTHERS: readonly string[] = ["version", "pluginDownloadURL", "__internal", SECRETS];

/** What is wrong with a configuration. */
export function configFailures(config: Properties): Failure[] {
  const decoded = decode(config);
  return "problems" in decoded ? decoded.problems.map((problem) => failureOf(problem, config)) : [];
}

/** What a wrong argument is told as; a secret value is not. */
export function failureOf(problem: ArgumentProblem, given: Properties): Failure {
  const reason = `${problemPath(problem)}: ${problem.message} [invalid-argument]`;
  return { property: problem.property, reason: withoutSecrets(reason, given) };
}

/** The names of what differs between two configurations. */
export function changedConfig(olds: Properties, news: Properties): string[] {
  const [before, after] = [argumentsOf(olds), argumentsOf(news)];
  return Object.keys(PROVIDER_ARGUMENTS).filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
}

/**
 * A configuration in the form in which connections are read from a stack's config of @pulumi/aws.
 *
 * @param config without problems, and known
 */
export function asStackConfig(config: Properties): GetConfig {
  const decoded = decode(config);
  const { region, profile, endpoint, assumeRole, maxRetries }: DeclaredConnection =
    "connection" in decoded ? decoded.connection : {};
  const values: Readonly<Record<string, unknown>> = {
    "aws:region": region,
    "aws:profile": profile,
    "aws:endpoints": endpoint === undefined ? undefined : [{ ec2: endpoint }],
    "aws:assumeRole": assumeRole,
    "aws:maxRetries": maxRetries,
  };
  return (key) => values[key];
}

function decode(config: Properties) {
  return decodeConnection(withUnknown(argumentsOf(config)) as Properties);
}

/** Config values and the arguments of generated SDKs are texts: numbers and objects come as JSON. */
function argumentsOf(config: Properties): Properties {
  const given = Object.entries(config).filter(([name]) => !OTHERS.includes(name));
  return withoutPythonNames(Object.fromEntries(given.map(([name, value]) => [name, isJson(name) ? parsed(value) : value])));
}

function isJson(name: string): boolean {
  const type = (PROVIDER_ARGUMENTS as Readonly<Record<string, { readonly type: unknown }>>)[name]?.type;
  return type !== undefined && type !== "string";
}

function parsed(value: unknown): unknown {
  if (typeof value !== "string" || value === PULUMI_UNKNOWN) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function withUnknown(value: unknown): unknown {
  if (value === PULUMI_UNKNOWN) return UNKNOWN;
  if (Array.isArray(value)) return value.map(withUnknown);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withUnknown(member)]));
}
