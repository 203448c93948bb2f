/** The functions of the package: who an AMI is shared with, and which AMIs there are. */

import {
  amisOfOthers,
  CONNECTION_ARGUMENTS,
  decodeDeclaredSet,
  describePermissions,
  type Gateway,
  ownAmis,
  problemPath,
} from "../core";
import { type Properties, SECRETS } from "../pulumi/secrets";
import { type Failure, failureOf } from "./configuration";
import { GET_PERMISSIONS, GET_SHARED_AMIS } from "./names";

const CONNECTION: readonly string[] = ["region", ...Object.keys(CONNECTION_ARGUMENTS)];
/** An AMI for checking the arguments of a function that takes none. */
const ANY = "ami-0123456789abcdef0";

interface Invokable {
  /** The arguments besides those of the connection. */
  readonly takes: readonly string[];
  /** @param given the arguments with the names of those that are secrets */
  readonly check: (args: Properties, given: Properties) => readonly Failure[];
  readonly run: (gateway: Gateway, args: Properties) => Promise<object>;
}

const FUNCTIONS: Readonly<Record<string, Invokable>> = {
  [GET_PERMISSIONS]: {
    takes: ["imageId"],
    check: checked,
    run: (gateway, { imageId }) => describePermissions(gateway, String(imageId)),
  },
  [GET_SHARED_AMIS]: {
    takes: ["owner", "includeSnapshots"],
    check: ({ owner, includeSnapshots, ...connection }, given) => [
      ...(owner === "self" || owner === "others"
        ? []
        : [wrong("owner", `${JSON.stringify(owner)} is neither "self" nor "others"`)]),
      ...(includeSnapshots === undefined || typeof includeSnapshots === "boolean"
        ? []
        : [wrong("includeSnapshots", `${JSON.stringify(includeSnapshots)} is not true or false`)]),
      ...checked({ ...connection, imageId: ANY }, given),
    ],
    run: async (gateway, { owner, includeSnapshots = true }) => ({
      amis: owner === "self" ? await ownAmis(gateway, includeSnapshots === true) : await amisOfOthers(gateway),
    }),
  },
};

/** Whether there is a function of that token. */
export function isFunction(token: string): boolean {
  return token in FUNCTIONS;
}

/** What is wrong with the arguments of a function. */
export function argumentFailures(token: string, given: Properties): readonly Failure[] {
  const { [SECRETS]: _, ...args } = given;
  const { takes = [], check = () => [] } = FUNCTIONS[token] ?? {};
  const names = [...takes, ...CONNECTION];
  const stranger = Object.keys(args).find((name) => !names.includes(name));
  if (stranger !== undefined) return [wrong(stranger, `there is no such argument; the arguments are ${names.join(", ")}`)];
  return check(args, given);
}

/** Runs a function with arguments that are fine. */
export async function call(token: string, gateway: Gateway, args: Properties): Promise<object> {
  return (await FUNCTIONS[token]?.run(gateway, args)) ?? {};
}

function checked(args: Properties, given: Properties): readonly Failure[] {
  const decoded = decodeDeclaredSet(args);
  return "problems" in decoded ? decoded.problems.map((problem) => failureOf(problem, given)) : [];
}

function wrong(property: string, words: string): Failure {
  return { property, reason: `${problemPath({ property, path: [property], message: words })}: ${words} [invalid-argument]` };
}
