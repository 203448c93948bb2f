/** How a program looks at EC2: the gateways of its sets and of the functions that only look, and how it is told what is wrong. */

import * as pulumi from "@pulumi/pulumi";
import {
  type Connection,
  decodeDeclaredSet,
  ec2Gateway,
  endpointWarning,
  environmentEndpoint,
  type Gateway,
  problemText,
  UNKNOWN,
} from "../core";
import type { Properties } from "./secrets";
import { type ConnectionArguments, connectionOf } from "./stackConfig";

/** A function that looks: its name, and what is wrong with its arguments, of which some may be {@link UNKNOWN}. */
export interface Look<Args> {
  readonly name: string;
  /** @throws Error that says what is wrong */
  readonly check: (args: Args) => void;
}

/**
 * Looks with arguments that are known.
 *
 * A wrong argument is thrown at once: of a promise that is rejected before Pulumi awaits it, Node.js tells twice, with a warning of its own.
 *
 * @throws pulumi.RunError whose message Pulumi shows alone, without a stack trace
 */
export function look<Args extends object, Result>(
  { name, check }: Look<Args>,
  args: Args,
  read: (gateway: Gateway) => Promise<Result>,
): Promise<Result> {
  const gateway = orRunError(name, () => {
    check(args);
    return ec2Gateway(connectionFor(args));
  });
  return read(gateway).catch((error: Error) => {
    throw runError(name, error);
  });
}

/** The same with arguments of which some are outputs: what is wrong with the others is thrown at once. */
export function lookOnceKnown<Args extends object, Result>(
  asked: Look<Args>,
  args: { [Name in keyof Args]: pulumi.Input<Args[Name]> },
  read: (args: Args) => Promise<Result>,
): pulumi.Output<Result> {
  orRunError(asked.name, () => asked.check(withoutOutputs(args) as Args));
  return pulumi.output(args).apply((known) => read(known as Args)) as pulumi.Output<Result>;
}

/** @throws Error that names each wrong argument of those that sets have, too */
export function refuseWrongArguments(args: object): void {
  const decoded = decodeDeclaredSet({ ...args });
  if ("problems" in decoded) throw new Error(`${decoded.problems.map(problemText).join("; ")} [invalid-argument]`);
}

function orRunError<Result>(name: string, work: () => Result): Result {
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

/** The connection that arguments and the stack's config ask for. */
function connectionFor(args: ConnectionArguments): Connection {
  // The program did not ask for the SDK: its advice on Node versions does not belong into every preview.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
  const config = new pulumi.Config("aws");
  return connectionOf(args, (key) => config.get(key.slice("aws:".length)));
}

/** One gateway a connection, for all sets of a program. */
const gateways = new Map<string, Gateway>();
/** The endpoints that were warned of. */
const warned = new Set<string>();

/** Warns, once, of an endpoint that is called in clear. */
async function warnOfEndpoint(endpoint: string | undefined): Promise<void> {
  const warning = endpoint === undefined || warned.has(endpoint) ? undefined : endpointWarning(endpoint);
  if (endpoint === undefined || warning === undefined) return;
  warned.add(endpoint);
  await pulumi.log.warn(warning);
}

/** The gateway of a set that a program declares or declared. */
export function gatewayFor(inputs: Properties): Gateway {
  const connection = connectionFor(inputs);
  const key = JSON.stringify(connection);
  warnOfEndpoint(connection.endpoint ?? environmentEndpoint(process.env)).catch(() => undefined);
  const gateway = gateways.get(key) ?? ec2Gateway(connection);
  gateways.set(key, gateway);
  return gateway;
}
