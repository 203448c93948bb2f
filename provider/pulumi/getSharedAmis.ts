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
  region?: string;
  profile?: string;
  endpoint?: string;
  assumeRole?: { roleArn: string; externalId?: string; sessionName?: string };
}

type Inputs<Args> = { [Name in keyof Args]: pulumi.Input<Args[Name]> };
type Own = GetSharedAmisArgs & { owner: "self" };
type Others = GetSharedAmisArgs & { owner: "others" };

const GET_SHARED_AMIS: ReadFunction<GetSharedAmisArgs> = { name: "getSharedAmis", check: refuseMistakes };
const NAMES = ["owner", "includeSnapshots", "region", "profile", "endpoint", "assumeRole"];

/**
 * The AMIs of a region, by id. `self`: the caller's own AMIs with their grants, including disabled ones. This makes 1 call, and one for
 * each AMI and each snapshot. `others`: the AMIs that are shared with the caller's account, organization or unit, as EC2 lists them,
 * without public ones. This makes 1 call. An AMI that is deregistered in the meantime is left out.
 *
 * @throws pulumi.RunError at once for a wrong argument. Every other error rejects the promise, with its code, such as `[not-authorized]`
 */
export function getSharedAmis(args: Own): Promise<AmiPermissions[]>;
export function getSharedAmis(args: Others): Promise<AmiOfAnother[]>;
export function getSharedAmis(args: GetSharedAmisArgs): Promise<AmiPermissions[] | AmiOfAnother[]>;
export function getSharedAmis(args: GetSharedAmisArgs): Promise<AmiPermissions[] | AmiOfAnother[]> {
  const read = (gateway: Gateway): Promise<AmiPermissions[] | AmiOfAnother[]> =>
    args.owner === "self" ? ownAmis(gateway, args.includeSnapshots ?? true) : amisOfOthers(gateway);
  return callReadFunction(GET_SHARED_AMIS, args ?? {}, read);
}

/** The form of {@link getSharedAmis} for arguments that are outputs. `owner` must be known, because it decides the type of the result. */
export function getSharedAmisOutput(args: Inputs<Omit<Own, "owner">> & { owner: "self" }): pulumi.Output<AmiPermissions[]>;
export function getSharedAmisOutput(args: Inputs<Omit<Others, "owner">> & { owner: "others" }): pulumi.Output<AmiOfAnother[]>;
export function getSharedAmisOutput(
  args: Inputs<Omit<GetSharedAmisArgs, "owner">> & { owner: GetSharedAmisArgs["owner"] },
): pulumi.Output<AmiPermissions[] | AmiOfAnother[]> {
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
