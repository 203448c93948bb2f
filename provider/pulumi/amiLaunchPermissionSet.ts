/** The resource class for programs: its arguments and outputs, and the function that reads the permissions of an AMI. */

import * as pulumi from "@pulumi/pulumi";
import { version as pulumiVersion } from "@pulumi/pulumi/version";
import type { AmiPermissions, Grants, KmsAccess, Mode, OnDelete, Unrecorded } from "../core";
import { describePermissions } from "../core";
import { logReport } from "./log";
import { callReadFunction, callReadFunctionOutput, type ReadFunction, refuseWrongArguments } from "./look";
import { contextOf, declareSet, secretArguments, urnOf } from "./program";
import { SECRETS } from "./secrets";
import { PROVIDER_SHIM } from "./shim";
import { CONTEXT, DONE } from "./state";

/**
 * The oldest SDK that works, as in peerDependencies. Before 3.139, dynamic providers did not get the stack's config, so its region and
 * roles were ignored. Before 3.216, previews after a refresh did not show who loses access.
 */
const OLDEST_PULUMI = [3, 216] as const;

/**
 * The lists, whose diffs are hidden. The engine compares lists by position: if one account is removed, every account after it shows as
 * changed. `grants` shows the changes by grantee instead.
 */
export const HIDDEN_DIFFS: readonly string[] = [
  "accountIds",
  "organizationArns",
  "organizationalUnitArns",
  "createVolumePermissions.accountIds",
  "createVolumePermissions.snapshotIds",
  "neverRevoke",
];

/** An account id: 12 digits, as a string. A number is accepted if it has 12 digits, that is, if no leading zero is lost. */
export type AccountId = string | number;

/** How to reach EC2. Default: the stack's `aws:*` config, then the SDK's default chain. */
export interface ConnectionArgs {
  /** The region of the AMI. A change replaces the resource. */
  region?: pulumi.Input<string> | undefined;
  /** A profile of the shared AWS config and credentials files. */
  profile?: pulumi.Input<string> | undefined;
  /** The endpoint of EC2, a URL. If it is on loopback, it is also used for STS and KMS. */
  endpoint?: pulumi.Input<string> | undefined;
  /** A role to assume with the credentials that were found. */
  assumeRole?:
    | pulumi.Input<{
        roleArn: pulumi.Input<string>;
        externalId?: pulumi.Input<string> | undefined;
        sessionName?: pulumi.Input<string> | undefined;
      }>
    | undefined;
}

/** How long an operation waits for EC2, as a duration such as `30m` or `1h30m`. */
export interface TimeoutsArgs {
  /** Until EC2 shows a new set, and for a pending AMI. Default: `20m`. */
  create?: pulumi.Input<string> | undefined;
  /** Until EC2 shows a change of the set, and for a pending AMI. Default: `20m`. */
  update?: pulumi.Input<string> | undefined;
  /** Until EC2 shows that the grants of the set are gone. Default: `20m`. */
  delete?: pulumi.Input<string> | undefined;
}

/** Who may create volumes, and from which snapshots of the AMI. */
export interface CreateVolumePermissionsArgs {
  /** Default: the set's `accountIds`. */
  accountIds?: pulumi.Input<pulumi.Input<AccountId>[]> | undefined;
  /** Default: every EBS snapshot in the AMI's block device mappings. */
  snapshotIds?: pulumi.Input<pulumi.Input<string>[]> | undefined;
  /** Everybody. Default: false. */
  public?: pulumi.Input<boolean> | undefined;
}

export interface AmiLaunchPermissionSetArgs extends ConnectionArgs {
  /** The AMI. A change replaces the resource: the new AMI is shared before the old one is unshared. */
  imageId: pulumi.Input<string>;
  /**
   * Accounts that may launch the AMI. The owner's account is left out, because it always has access. `[]` means nobody. An authoritative
   * set that names no other grantee must set this argument.
   */
  accountIds?: pulumi.Input<pulumi.Input<AccountId>[]> | undefined;
  /** Organizations, by full ARN. All their accounts may launch the AMI. Default: none. */
  organizationArns?: pulumi.Input<pulumi.Input<string>[]> | undefined;
  /** Organizational units, by full ARN. Their accounts, also those in nested units, may launch the AMI. Default: none. */
  organizationalUnitArns?: pulumi.Input<pulumi.Input<string>[]> | undefined;
  /** Every AWS account. Needs `acknowledgePublic: true`. Default: false. */
  public?: pulumi.Input<boolean> | undefined;
  /** Confirms that the AMI is meant to be public. Default: false. */
  acknowledgePublic?: pulumi.Input<boolean> | undefined;
  /**
   * Create-volume permission on the snapshots of the AMI. An account needs it to copy the AMI, but not to launch it.
   * `true`: for the accounts of the set (and everybody if `public`), on every EBS snapshot. Default: none, and not managed.
   */
  createVolumePermissions?: pulumi.Input<boolean | CreateVolumePermissionsArgs> | undefined;
  /**
   * How many grantees one change may take access from. `"none"` is the same as 0. If a change would take access from more, the preview
   * and `up` fail, and nothing is changed. A destroy is not counted. Default: any number.
   */
  maxRevocations?: pulumi.Input<number | "none"> | undefined;
  /**
   * What happens to grantees who would lose access and whom the state does not record, because somebody else shared the AMI with them.
   * `revoke`: the change revokes them, and reports name them. `refuse`: the preview and `up` fail, and name them; after `pulumi refresh`,
   * the diff shows them. Default: `revoke`.
   */
  unrecorded?: pulumi.Input<Unrecorded> | undefined;
  /** Accounts that never lose access by a change of this set, not even by a destroy. Default: none. */
  neverRevoke?: pulumi.Input<pulumi.Input<AccountId>[]> | undefined;
  /**
   * What the set does about the customer managed keys of encrypted snapshots. `check`: previews warn of accounts that the policies and
   * grants of the keys do not admit. `grant`: the set makes a KMS grant for each account, and revokes it when it unshares the AMI.
   * `ignore`: nothing. Default: `check`.
   */
  kmsAccess?: pulumi.Input<KmsAccess> | undefined;
  /** Whether previews read EC2's usage report, and warn of accounts that lose the AMI and still use it. Default: false. */
  checkUsage?: pulumi.Input<boolean> | undefined;
  /**
   * `authoritative`: the set revokes every other grant. `additive`: the set only adds its grantees, and later removes only what it added.
   * Default: `authoritative`.
   */
  mode?: pulumi.Input<Mode> | undefined;
  /** What a destroy revokes. `revoke`: what this set granted. `reset`: every grant. `retain`: nothing. Default: `revoke`. */
  onDelete?: pulumi.Input<OnDelete> | undefined;
  /** How long to wait until EC2 shows a change, and for a pending AMI. A change of `timeouts` alone makes no call. Default: `20m` each. */
  timeouts?: pulumi.Input<TimeoutsArgs> | undefined;
}

/** The launch permissions of an AMI and the create-volume permissions of its snapshots, as one set. */
export class AmiLaunchPermissionSet extends pulumi.CustomResource {
  /** The type of the resource in URNs. */
  static readonly __pulumiType = "pulumi-nodejs:dynamic/ami-launch-permissions:AmiLaunchPermissionSet";

  // Outputs are declared with `declare`: a normal field would overwrite the value that the base class sets.
  declare readonly imageId: pulumi.Output<string>;
  /** The region of the AMI. */
  declare readonly region: pulumi.Output<string>;
  /** The account that owns the AMI. */
  declare readonly ownerId: pulumi.Output<string>;
  /** The EBS snapshots of the AMI. */
  declare readonly snapshotIds: pulumi.Output<string[]>;
  /**
   * Who has access: a map from grantee (`account/111122223333`, an ARN, or `public`) to `launch`, `createVolume` or both. If
   * create-volume permission is only on some snapshots, the text says on which.
   */
  declare readonly grants: pulumi.Output<Grants>;

  /**
   * Reads the permissions that an AMI and its snapshots have now, whoever granted them. It manages nothing.
   *
   * @param id the AMI
   * @param connection how to reach it, with the region if that is not the region of the stack
   */
  static get(
    name: string,
    id: pulumi.Input<pulumi.ID>,
    connection: ConnectionArgs = {},
    opts?: pulumi.CustomResourceOptions,
  ): AmiLaunchPermissionSet {
    return new AmiLaunchPermissionSet(name, { ...connection, imageId: id, createVolumePermissions: true }, { ...opts, id });
  }

  constructor(name: string, args: AmiLaunchPermissionSetArgs, opts?: pulumi.CustomResourceOptions) {
    requireSupported(name, opts);
    const outputs = { ownerId: undefined, snapshotIds: undefined, grants: undefined, [DONE]: undefined };
    const region = args?.region;
    const isLookedUp = opts?.id !== undefined;
    const urn = urnOf(AmiLaunchPermissionSet.__pulumiType, name, opts);
    const hideDiffs = [...HIDDEN_DIFFS, ...(opts?.hideDiffs ?? [])];
    const context = isLookedUp
      ? {}
      : { [CONTEXT]: contextOf(urn, args?.imageId, hideDiffs), [SECRETS]: secretArguments(args ?? {}, opts) };
    super(
      AmiLaunchPermissionSet.__pulumiType,
      name,
      { ...args, region, ...context, ...outputs, __provider: PROVIDER_SHIM },
      { ...opts, hideDiffs },
    );
    if (isLookedUp) return;
    declareSet(this, args ?? {}, urn, opts);
    logReport(this, args, opts);
  }
}

/** Which AMI to read, and how to reach it. */
export interface GetAmiLaunchPermissionsArgs {
  imageId: string;
  region?: string;
  profile?: string;
  endpoint?: string;
  assumeRole?: { roleArn: string; externalId?: string; sessionName?: string };
}

const GET_PERMISSIONS: ReadFunction<GetAmiLaunchPermissionsArgs> = {
  name: "getAmiLaunchPermissions",
  check: refuseWrongArguments,
};

/**
 * Returns who an AMI is shared with now. Errors name the AMI: `image-not-found`, `not-owner`, and those of the connection.
 *
 * @throws pulumi.RunError at once for a wrong argument. Every other error rejects the promise
 */
export function getAmiLaunchPermissions(args: GetAmiLaunchPermissionsArgs): Promise<AmiPermissions> {
  return callReadFunction(GET_PERMISSIONS, args, (gateway) => describePermissions(gateway, args.imageId));
}

/** The form of {@link getAmiLaunchPermissions} for arguments that are outputs. */
export function getAmiLaunchPermissionsOutput(
  args: {
    [Name in keyof GetAmiLaunchPermissionsArgs]: pulumi.Input<GetAmiLaunchPermissionsArgs[Name]>;
  },
): pulumi.Output<AmiPermissions> {
  return callReadFunctionOutput<GetAmiLaunchPermissionsArgs, AmiPermissions>(GET_PERMISSIONS, args, getAmiLaunchPermissions);
}

/** Refuses options that Pulumi would ignore without a message, or would reject with an unhelpful one. */
function requireSupported(name: string, opts: pulumi.CustomResourceOptions | undefined): void {
  const [major = Number.NaN, minor = Number.NaN] = pulumiVersion.split(".").map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_PULUMI;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor))
    throw new pulumi.RunError(
      `ami-launch-permissions needs @pulumi/pulumi ${OLDEST_PULUMI.join(".")} or newer, and this project has ${pulumiVersion}: npm install @pulumi/pulumi@latest`,
    );
  if (opts?.import !== undefined)
    throw new pulumi.RunError(
      `set "${name}": Pulumi cannot import dynamic resources; leave out the option import, because a new set takes over the grants that the AMI has already`,
    );
  const output = opts?.ignoreChanges?.find((path) => OUTPUTS.test(path));
  if (output !== undefined)
    throw new pulumi.RunError(
      `set "${name}": ignoreChanges names "${output}", which is an output and is computed from the arguments; if others also share the AMI, set mode to "additive": the set then revokes only what it granted`,
    );
}

/** Matches a path in ignoreChanges that begins with an output. */
const OUTPUTS = /^(\["?)?(grants|ownerId|snapshotIds)\b/;
