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
  region?: string;
  profile?: string;
  endpoint?: string;
  assumeRole?: { roleArn: string; externalId?: string; sessionName?: string };
}

type Inputs<Args> = { [Name in keyof Args]: pulumi.Input<Args[Name]> };
type Own = GetSharedAmisArgs & { owner: "self" };
type Others = GetSharedAmisArgs & { owner: "others" };

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
export function getSharedAmis(args: Own): Promise<AmiPermissions[]>;
export function getSharedAmis(args: Others): Promise<AmiOfAnother[]>;
export function getSharedAmis(args: GetSharedAmisArgs): Promise<AmiPermissions[] | AmiOfAnother[]>;
export function getSharedAmis(args: GetSharedAmisArgs): Promise<AmiPermissions[] | AmiOfAnother[]> {
  const read = (gateway: Gateway): Promise<AmiPermissions[] | AmiOfAnother[]> =>
    args.owner === "self" ? ownAmis(gateway, args.includeSnapshots ?? true) : amisOfOthers(gateway);
  return look(LOOK, args ?? {}, read);
}

/** The form of {@link getSharedAmis} for arguments that are outputs; `owner` decides the result's type, and is known. */
export function getSharedAmisOutput(args: Inputs<Omit<Own, "owner">> & { owner: "self" }): pulumi.Output<AmiPermissions[]>;
export function getSharedAmisOutput(args: Inputs<Omit<Others, "owner">> & { owner: "others" }): pulumi.Output<AmiOfAnother[]>;
export function getSharedAmisOutput(
  args: Inputs<Omit<GetSharedAmisArgs, "owner">> & { owner: GetSharedAmisArgs["owner"] },
): pulumi.Output<AmiPermissions[] | AmiOfAnother[]> {
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
