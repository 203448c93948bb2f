/** What the functions that only look at EC2 have in common: their gateway, and how a program is told what is wrong. */

import * as pulumi from "@pulumi/pulumi";
import { decodeDeclaredSet, ec2Gateway, type Gateway, problemPath, UNKNOWN } from "../core";
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
  const gateway = told(name, () => {
    check(args);
    // The program did not ask for the SDK: its advice on Node versions does not belong into every preview.
    process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
    const config = new pulumi.Config("aws");
    return ec2Gateway(connectionOf(args as ConnectionArguments, (key) => config.get(key.slice("aws:".length))));
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
  told(asked.name, () => asked.check(withoutOutputs(args) as Args));
  return pulumi.output(args).apply((known) => read(known as Args)) as pulumi.Output<Result>;
}

/** @throws Error that names each wrong argument of those that sets have, too */
export function refuseWrongArguments(args: object): void {
  const decoded = decodeDeclaredSet({ ...args });
  if ("problems" in decoded)
    throw new Error(
      `${decoded.problems.map((problem) => `${problemPath(problem)}: ${problem.message}`).join("; ")} [invalid-argument]`,
    );
}

function told<Result>(name: string, work: () => Result): Result {
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
