/** The function that finds AMIs: one's own with their grants, and those that others share with the caller. */

import type * as pulumi from "@pulumi/pulumi";
import { type AmiOfAnother, type AmiPermissions, amisOfOthers, type Gateway, ownAmis, UNKNOWN } from "../core";
import { look, lookOnceKnown, refuseWrongArguments } from "./look";

/** Whose AMIs to find, and how to reach them; default: the stack's `aws:*` config, then the SDK's default chain. */
export interface GetSharedAmisArgs {
  /** `self`: the caller's own AMIs, with their grants. `others`: AMIs of other accounts that are shared with the caller. */
  owner: "self" | "others";
  /**
   * For own AMIs: whether to read who may create volumes from their snapshots, one call each; `false` leaves `snapshots` empty
   * and `grants` with launch only. Default: true.
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

const LOOK = { name: "getSharedAmis", check: refuseMistakes };
const NAMES = ["owner", "includeSnapshots", "region", "profile", "endpoint", "assumeRole"];

/**
 * The AMIs of a region, by id: one's own with their grants (disabled ones too; 1 call, and one for each AMI and each snapshot), or
 * those shared with the caller's account, organization or unit (1 call; public AMIs are not among them). Those shared with an
 * organization count as EC2 tells them. An AMI that goes away meanwhile is left out.
 *
 * @throws pulumi.RunError at once for a wrong argument; all else rejects the promise, with the code of the connection's error, such as
 *   `[not-authorized]`
 */
export function getSharedAmis(args: GetSharedAmisArgs & { owner: "self" }): Promise<AmiPermissions[]>;
/** The AMIs of others. */
export function getSharedAmis(args: GetSharedAmisArgs & { owner: "others" }): Promise<AmiOfAnother[]>;
/** The same where the program does not say whose. */
export function getSharedAmis(args: GetSharedAmisArgs): Promise<AmiPermissions[] | AmiOfAnother[]>;
export function getSharedAmis(args: GetSharedAmisArgs): Promise<AmiPermissions[] | AmiOfAnother[]> {
  const read = (gateway: Gateway): Promise<AmiPermissions[] | AmiOfAnother[]> =>
    args.owner === "self" ? ownAmis(gateway, args.includeSnapshots ?? true) : amisOfOthers(gateway);
  return look(LOOK, args ?? {}, read);
}

/** The form of {@link getSharedAmis} for arguments that are outputs. */
export function getSharedAmisOutput(args: GetSharedAmisOutputArgs & { owner: "self" }): pulumi.Output<AmiPermissions[]>;
/** The AMIs of others. */
export function getSharedAmisOutput(args: GetSharedAmisOutputArgs & { owner: "others" }): pulumi.Output<AmiOfAnother[]>;
/** The same where the program does not say whose. */
export function getSharedAmisOutput(args: GetSharedAmisOutputArgs): pulumi.Output<AmiPermissions[] | AmiOfAnother[]>;
export function getSharedAmisOutput(args: GetSharedAmisOutputArgs): pulumi.Output<AmiPermissions[] | AmiOfAnother[]> {
  return lookOnceKnown<GetSharedAmisArgs, AmiPermissions[] | AmiOfAnother[]>(LOOK, args, getSharedAmis);
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
