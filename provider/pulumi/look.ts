/** Reading EC2 from a program: the gateways for its sets and for its read-only functions, and the errors of these functions. */

import * as pulumi from "@pulumi/pulumi";
import {
  type Connection,
  decodeDeclaredSet,
  ec2Gateway,
  endpointWarning,
  environmentEndpoint,
  type Gateway,
  NameSource,
  problemText,
  type Rules,
  UNKNOWN,
} from "../core";
import type { Properties } from "./secrets";
import { type ConnectionArguments, connectionOf, type GetConfig } from "./stackConfig";
import { namesIn, rulesIn } from "./stackRules";

/** A function that only reads: its name, and the check of its arguments, some of which can be {@link UNKNOWN}. */
export interface ReadFunction<Args> {
  readonly name: string;
  /** @throws Error that says which argument is wrong */
  readonly check: (args: Args) => void;
}

/**
 * Calls a read function with known arguments.
 *
 * A wrong argument is thrown, and does not reject the promise: if a promise is rejected before Pulumi awaits it, Node.js shows the
 * error twice, with a warning.
 *
 * @throws pulumi.RunError, of which Pulumi shows only the message, without a stack trace
 */
export function callReadFunction<Args extends object, Result>(
  { name, check }: ReadFunction<Args>,
  args: Args,
  read: (gateway: Gateway) => Promise<Result>,
): Promise<Result> {
  const gateway = withRunError(name, () => {
    check(args);
    return ec2Gateway(connectionFor(args));
  });
  return read(gateway).catch((error: Error) => {
    throw runError(name, error);
  });
}

/** Calls a read function when all its arguments are known. Errors of arguments that are no outputs are thrown at once. */
export function callReadFunctionOutput<Args extends object, Result>(
  readFunction: ReadFunction<Args>,
  args: { [Name in keyof Args]: pulumi.Input<Args[Name]> },
  read: (args: Args) => Promise<Result>,
): pulumi.Output<Result> {
  withRunError(readFunction.name, () => readFunction.check(withoutOutputs(args) as Args));
  return pulumi.output(args).apply((known) => read(known as Args)) as pulumi.Output<Result>;
}

/** Checks the arguments that a set also has. @throws Error that names each wrong argument */
export function refuseWrongArguments(args: object): void {
  const decoded = decodeDeclaredSet({ ...args });
  if ("problems" in decoded) throw new Error(`${decoded.problems.map(problemText).join("; ")} [invalid-argument]`);
}

function withRunError<Result>(name: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw runError(name, error as Error);
  }
}

function runError(name: string, { message }: Error): pulumi.RunError {
  return new pulumi.RunError(`${name}: ${message}`);
}

function withoutOutputs(value: unknown): unknown {
  if (pulumi.Output.isInstance(value) || value instanceof Promise) return UNKNOWN;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withoutOutputs(member)]));
}

/** The connection from the arguments and the stack's config. */
function connectionFor(args: ConnectionArguments): Connection {
  // The AWS SDK would print its warning about old Node.js versions in every preview.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
  const config = new pulumi.Config("aws");
  return connectionOf(args, (key) => config.get(key.slice("aws:".length)));
}

/** The rules of a stack, by stack resource: the Automation API can run several programs in one process. */
const rules = new WeakMap<object, Rules>();

/** The rules in the stack's config. Errors: `invalid-argument`. */
export function stackRules(): Rules {
  const stack = pulumi.runtime.getStackResource() ?? {};
  const known = rules.get(stack) ?? rulesIn(stackConfig, "the stack");
  rules.set(stack, known);
  return known;
}

const stackConfig: GetConfig = (key) => {
  const [namespace, name = ""] = key.split(":");
  return new pulumi.Config(namespace).get(name);
};

/** A text of a report with the names of accounts. If AWS does not give them, a warning says so once. */
export async function withAccountNames(text: string): Promise<string> {
  const names = pulumi.runtime.getStackResource() ? namesIn(stackRules) : new NameSource();
  const named = await names.in(text);
  const failure = names.failure();
  if (failure) await pulumi.log.warn(`reports show no names of AWS Organizations: ${failure.message}`);
  return named;
}

/** One gateway for each connection, for all sets of a program. */
const gateways = new Map<string, Gateway>();
/** The endpoints for which a warning was shown. */
const warned = new Set<string>();

/** Warns once of an endpoint without encryption. */
async function warnOfEndpoint(endpoint: string | undefined): Promise<void> {
  const warning = endpoint === undefined || warned.has(endpoint) ? undefined : endpointWarning(endpoint);
  if (endpoint === undefined || warning === undefined) return;
  warned.add(endpoint);
  await pulumi.log.warn(warning);
}

/** The gateway for a set that the program declares, or that the state records. */
export function gatewayFor(inputs: Properties): Gateway {
  const connection = connectionFor(inputs);
  const key = JSON.stringify(connection);
  warnOfEndpoint(connection.endpoint ?? environmentEndpoint(process.env)).catch(() => undefined);
  const gateway = gateways.get(key) ?? ec2Gateway(connection);
  gateways.set(key, gateway);
  return gateway;
}
