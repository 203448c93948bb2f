/** The function that lists AMIs: the caller's own with their grants, or those that others share with the caller. */

import type * as pulumi from "@pulumi/pulumi";
import { type AmiOfAnother, type AmiPermissions, amisOfOthers, type Gateway, ownAmis, UNKNOWN } from "../core";
import { callReadFunction, callReadFunctionOutput, type ReadFunction, refuseWrongArguments } from "./look";

/** Whose AMIs to list, and how to reach EC2. Default: the stack's `aws:*` config, then the SDK's default chain. */
export interface GetSharedAmisArgs {
  /** `self`: the caller's own AMIs, with their grants. `others`: AMIs of other accounts that are shared with the caller. */
  owner: "self" | "others";
  /**
   * For own AMIs: whether to read who may create volumes from their snapshots, with one call for each snapshot. With `false`,
   * `snapshots` is empty, and `grants` has only launch. Default: true.
   */
  includeSnapshots?: boolean;
  /** The region to look in. Default: the stack's `aws:region`, then the environment's. */
  region?: string;
  /** A profile of the shared AWS config and credentials files. Default: the stack's `aws:profile`, then the environment's. */
  profile?: string;
  /** EC2's endpoint, a URL. Default: AWS's. */
  endpoint?: string;
  /** A role to assume with the credentials found. Default: the stack's `aws:assumeRoles`. */
  assumeRole?: { roleArn: string; externalId?: string; sessionName?: string };
}

/** The same with outputs; `owner` decides the result's type, and is known. */
export type GetSharedAmisOutputArgs = {
  [Name in keyof GetSharedAmisArgs]: Name extends "owner" ? GetSharedAmisArgs[Name] : pulumi.Input<GetSharedAmisArgs[Name]>;
};

const GET_SHARED_AMIS: ReadFunction<GetSharedAmisArgs> = { name: "getSharedAmis", check: refuseMistakes };
const NAMES = ["owner", "includeSnapshots", "region", "profile", "endpoint", "assumeRole"];

/**
 * The AMIs of a region, by id. `self`: the caller's own AMIs with their grants, including disabled ones. This makes 1 call, and one for
 * each AMI and each snapshot. `others`: the AMIs that are shared with the caller's account, organization or unit, as EC2 lists them,
 * without public ones. This makes 1 call. An AMI that is deregistered in the meantime is left out.
 *
 * @throws pulumi.RunError at once for a wrong argument. Every other error rejects the promise, with its code, such as `[not-authorized]`
 */
export function getSharedAmis(args: GetSharedAmisArgs & { owner: "self" }): Promise<AmiPermissions[]>;
/** The AMIs of others. */
export function getSharedAmis(args: GetSharedAmisArgs & { owner: "others" }): Promise<AmiOfAnother[]>;
/** The same where the program does not say whose. */
export function getSharedAmis(args: GetSharedAmisArgs): Promise<AmiPermissions[] | AmiOfAnother[]>;
export function getSharedAmis(args: GetSharedAmisArgs): Promise<AmiPermissions[] | AmiOfAnother[]> {
  const read = (gateway: Gateway): Promise<AmiPermissions[] | AmiOfAnother[]> =>
    args.owner === "self" ? ownAmis(gateway, args.includeSnapshots ?? true) : amisOfOthers(gateway);
  return callReadFunction(GET_SHARED_AMIS, args ?? {}, read);
}

/** The form of {@link getSharedAmis} for arguments that are outputs. `owner` must be known, because it decides the type of the result. */
export function getSharedAmisOutput(args: GetSharedAmisOutputArgs & { owner: "self" }): pulumi.Output<AmiPermissions[]>;
/** The AMIs of others. */
export function getSharedAmisOutput(args: GetSharedAmisOutputArgs & { owner: "others" }): pulumi.Output<AmiOfAnother[]>;
/** The same where the program does not say whose. */
export function getSharedAmisOutput(args: GetSharedAmisOutputArgs): pulumi.Output<AmiPermissions[] | AmiOfAnother[]>;
export function getSharedAmisOutput(args: GetSharedAmisOutputArgs): pulumi.Output<AmiPermissions[] | AmiOfAnother[]> {
  return callReadFunctionOutput<GetSharedAmisArgs, AmiPermissions[] | AmiOfAnother[]>(GET_SHARED_AMIS, args, getSharedAmis);
}

function refuseMistakes(args: GetSharedAmisArgs): void {
  const { owner, includeSnapshots, ...connection } = args;
  const stranger = Object.keys(args).find((name) => !NAMES.includes(name));
  if (stranger) throw new Error(`there is no argument "${stranger}"; the arguments are ${NAMES.join(", ")} [invalid-argument]`);
  if (owner !== "self" && owner !== "others")
    throw new Error(`owner: ${JSON.stringify(owner)} is neither "self" nor "others" [invalid-argument]`);
  const isLater = (includeSnapshots as unknown) === UNKNOWN;
  if (includeSnapshots !== undefined && typeof includeSnapshots !== "boolean" && !isLater)
    throw new Error(`includeSnapshots: ${JSON.stringify(includeSnapshots)} is not true or false [invalid-argument]`);
  refuseWrongArguments({ ...connection, imageId: UNKNOWN });
}
