/** The provider's configuration: what is wrong with it, what changes, and where the sets' connections find it. */

import {
  type AmiSharingError,
  type Argument,
  type ArgumentProblem,
  type Arguments,
  type DeclaredConnection,
  decodeConnection,
  durationSeconds,
  PROVIDER_ARGUMENTS,
  problemPath,
  show,
  UNKNOWN,
} from "../core";
import { PULUMI_UNKNOWN, SECRET_MARK, SIGNATURE } from "../pulumi/sdkInternals";
import { type Properties, SECRETS, secretNames, withoutSecrets } from "../pulumi/secrets";
import type { GetConfig } from "../pulumi/stackConfig";
import { rulesIn } from "../pulumi/stackRules";
import { CONFIG_ARGUMENTS, SECRET_CONFIG } from "./configArguments";
import { withoutPythonNames } from "./values";

/** What is wrong with one property. */
export interface Failure {
  readonly property: string;
  readonly reason: string;
}

/** Names that the engine or an SDK adds and that no user gave. */
const OTHERS: readonly string[] = ["version", "pluginDownloadURL", "__internal", SECRETS];

const NAMES = Object.keys(CONFIG_ARGUMENTS);
const ARGUMENTS: Arguments = CONFIG_ARGUMENTS;

/** What is wrong with a configuration. */
export function configFailures(config: Properties): Failure[] {
  const hidden = { ...config, [SECRETS]: [...secretNames(config), ...SECRET_CONFIG] };
  const problems = problemsIn(withUnknown(argumentsOf(config)) as Properties);
  return problems.length > 0 ? problems.map((problem) => failureOf(problem, hidden)) : ruleFailures(config, hidden);
}

/** What is wrong with the files that the configuration names. */
function ruleFailures(config: Properties, hidden: Properties): Failure[] {
  try {
    rulesIn(asStackConfig(config), "the provider");
    return [];
  } catch (error) {
    const { property = "", message } = error as AmiSharingError;
    return [{ property: secretNames(hidden).includes(property) ? "" : property, reason: withoutSecrets(message, hidden) }];
  }
}

/** What a wrong argument is told as. The engine shows the value of the property that a failure names: for a secret, it names none. */
export function failureOf(problem: ArgumentProblem, given: Properties): Failure {
  const reason = `${problemPath(problem)}: ${problem.message} [invalid-argument]`;
  const property = secretNames(given).includes(problem.property) ? "" : problem.property;
  return { property, reason: withoutSecrets(reason, given) };
}

/** The configuration as it came, with marks on what is always a secret, so that the engine encrypts it in the state. */
export function withSecretsMarked(config: Properties): Properties {
  return Object.fromEntries(
    Object.entries(config).map(([name, value]) => {
      const isMarked = typeof value !== "string" || value === PULUMI_UNKNOWN || !SECRET_CONFIG.includes(name);
      return [name, isMarked ? value : { [SIGNATURE]: SECRET_MARK, value }];
    }),
  );
}

/** The names of what differs between two configurations. */
export function changedConfig(olds: Properties, news: Properties): string[] {
  const [before, after] = [argumentsOf(olds), argumentsOf(news)];
  return NAMES.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
}

/**
 * A configuration in the form in which connections are read from a stack's config of @pulumi/aws.
 *
 * @param config without problems, and known
 */
export function asStackConfig(config: Properties): GetConfig {
  const args = argumentsOf(config);
  const decoded = decodeConnection(only(args, Object.keys(PROVIDER_ARGUMENTS)));
  const { endpoint, ...others }: DeclaredConnection = "connection" in decoded ? decoded.connection : {};
  const values: Properties = {
    ...args,
    ...others,
    endpoints: [...(endpoint === undefined ? [] : [{ ec2: endpoint }]), ...listed(args.endpoints)],
  };
  return (key) => {
    const value = values[key.replace(/^(aws|ami-launch-permissions):/, "")];
    return value === UNKNOWN || value === PULUMI_UNKNOWN ? undefined : value;
  };
}

function problemsIn(args: Properties): ArgumentProblem[] {
  const decoded = decodeConnection(only(args, Object.keys(PROVIDER_ARGUMENTS)));
  return [
    ...strangers([], args, ARGUMENTS),
    ...("problems" in decoded ? decoded.problems : []),
    ...entryProblems("endpoints", args.endpoints, endpointProblems),
    ...entryProblems("assumeRoles", args.assumeRoles, roleProblems),
    ...keyProblems(args),
    ...["sharedConfigFiles", "sharedCredentialsFiles"].flatMap((name) => fileProblems(name, args[name])),
  ];
}

type Path = ArgumentProblem["path"];
type EntryCheck = (entry: Properties, path: Path) => readonly ArgumentProblem[];

/** What is wrong with a list of objects. */
function entryProblems(name: "endpoints" | "assumeRoles", value: unknown, check: EntryCheck): ArgumentProblem[] {
  const { members } = CONFIG_ARGUMENTS[name].type;
  const shape = `{ ${Object.keys(members).join(", ")} }`;
  if (isAbsent(value)) return [];
  if (!Array.isArray(value)) return [wrong([name], `${show(value)} is not a list of ${shape}`)];
  return value.flatMap((entry, i) => {
    const path = [name, i];
    if (isAbsent(entry)) return [];
    if (typeof entry !== "object" || Array.isArray(entry)) return [wrong(path, `${show(entry)} is not ${shape}`)];
    const strange = strangers(path, entry, members);
    return strange.length > 0 ? strange : check(entry, path);
  });
}

function endpointProblems(entry: Properties, path: Path): ArgumentProblem[] {
  return Object.entries(entry).flatMap(([service, url]) => moved(decodeConnection({ endpoint: url }), [...path, service]));
}

function roleProblems({ duration, ...role }: Properties, path: Path): ArgumentProblem[] {
  const seconds = typeof duration === "string" ? durationSeconds(duration) : undefined;
  return [
    ...moved(decodeConnection({ assumeRole: role }), path),
    ...(isAbsent(duration) || (seconds !== undefined && seconds >= 1)
      ? []
      : [wrong([...path, "duration"], `${show(duration)} is not a duration; write one such as "1h30m"`)]),
  ];
}

/** The values are not in the messages. */
function keyProblems(args: Properties): ArgumentProblem[] {
  const texts = SECRET_CONFIG.filter((name) => !isAbsent(args[name])).flatMap((name) =>
    typeof args[name] === "string" && args[name] !== "" ? [] : [wrong([name], "is not a text")],
  );
  const { accessKey, secretKey, token } = args;
  const has = (value: unknown) => value !== undefined && value !== null;
  const needs = (name: string, ...missing: string[]) =>
    wrong([name], `needs ${missing.join(" and ")}, too; write all of them, or none to use the default chain of the AWS SDK`);
  const alone =
    has(accessKey) !== has(secretKey)
      ? [has(accessKey) ? needs("accessKey", "secretKey") : needs("secretKey", "accessKey")]
      : has(token) && !has(accessKey)
        ? [needs("token", "accessKey", "secretKey")]
        : [];
  return [...texts, ...alone];
}

/** The core reads one file of each kind. */
function fileProblems(name: string, value: unknown): ArgumentProblem[] {
  if (isAbsent(value)) return [];
  const isPaths = Array.isArray(value) && value.every((file) => file === UNKNOWN || (typeof file === "string" && file !== ""));
  if (!isPaths) return [wrong([name], `${show(value)} is not a list of paths`)];
  return value.length > 1 ? [wrong([name], `${value.length} files are listed; write the one that is to be read`)] : [];
}

function strangers(path: Path, given: Properties, known: Readonly<Record<string, Argument>>): ArgumentProblem[] {
  const names = Object.keys(known);
  return Object.keys(given)
    .filter((name) => !names.includes(name))
    .map((name) => wrong([...path, name], `there is no such argument; the arguments are ${names.join(", ")}`));
}

/** Problems of one argument of the core, where it stands in the configuration. */
function moved(decoded: ReturnType<typeof decodeConnection>, to: Path): ArgumentProblem[] {
  return "problems" in decoded ? decoded.problems.map(({ path, message }) => wrong([...to, ...path.slice(1)], message)) : [];
}

function wrong(path: Path, message: string): ArgumentProblem {
  return { property: String(path[0]), path, message };
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || value === UNKNOWN;
}

function only(args: Properties, names: readonly string[]): Properties {
  return Object.fromEntries(Object.entries(args).filter(([name]) => names.includes(name)));
}

function listed(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Config values and the arguments of generated SDKs are texts: numbers, lists and objects come as JSON. */
function argumentsOf(config: Properties): Properties {
  const given = Object.entries(config).filter(([name]) => !OTHERS.includes(name));
  return withoutPythonNames(Object.fromEntries(given.map(([name, value]) => [name, isJson(name) ? parsed(value) : value])));
}

function isJson(name: string): boolean {
  const type = ARGUMENTS[name]?.type;
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
