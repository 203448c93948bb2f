/** The resource as programs use it: arguments, outputs, and the notes that it logs of its own. */

import * as pulumi from "@pulumi/pulumi";
import { version as pulumiVersion } from "@pulumi/pulumi/version";
import type { AmiPermissions, Grants, KmsAccess, Mode, OnDelete, Unrecorded } from "../core";
import { describePermissions } from "../core";
import { logReport } from "./log";
import { look, lookOnceKnown, refuseWrongArguments } from "./look";
import { contextOf, declareSet, secretArguments, urnOf } from "./program";
import { SECRETS } from "./secrets";
import { PROVIDER_SHIM } from "./shim";
import { CONTEXT, DONE } from "./state";

/**
 * The oldest SDK that works, as in peerDependencies: before 3.139 dynamic providers were not told the stack's config, so that
 * its region and roles were ignored; before 3.216 previews after a refresh did not show who loses access.
 */
const OLDEST_PULUMI = [3, 216] as const;

/**
 * Lists, which the engine compares by position: one account less would show as a change of every account after it. The grants show, by
 * grantee, what changes.
 */
export const HIDDEN_DIFFS: readonly string[] = [
  "accountIds",
  "organizationArns",
  "organizationalUnitArns",
  "createVolumePermissions.accountIds",
  "createVolumePermissions.snapshotIds",
  "neverRevoke",
];

/** An account id: 12 digits. As a string; a number is accepted where no leading zero is lost. */
export type AccountId = string | number;

/** How to reach EC2. Default: the stack's `aws:*` config, then the SDK's default chain. */
export interface ConnectionArgs {
  /** The AMI's region; a change replaces the resource. */
  region?: pulumi.Input<string> | undefined;
  /** A profile of the shared AWS config and credentials files. */
  profile?: pulumi.Input<string> | undefined;
  /** EC2's endpoint, a URL. On loopback, STS is looked for there too. */
  endpoint?: pulumi.Input<string> | undefined;
  /** A role to assume with the credentials found. */
  assumeRole?:
    | pulumi.Input<{
        roleArn: pulumi.Input<string>;
        externalId?: pulumi.Input<string> | undefined;
        sessionName?: pulumi.Input<string> | undefined;
      }>
    | undefined;
}

/** How long an operation waits for EC2: Go's durations, such as `30m` or `1h30m`. */
export interface TimeoutsArgs {
  /** Until a new set shows in EC2, and for a pending AMI. Default: `20m`. */
  create?: pulumi.Input<string> | undefined;
  /** Until a change of the set shows in EC2, and for a pending AMI. Default: `20m`. */
  update?: pulumi.Input<string> | undefined;
  /** Until EC2 shows that what the set granted is gone. Default: `20m`. */
  delete?: pulumi.Input<string> | undefined;
}

/** Who may create volumes from which of the AMI's snapshots. */
export interface CreateVolumePermissionsArgs {
  /** Default: the set's `accountIds`. */
  accountIds?: pulumi.Input<pulumi.Input<AccountId>[]> | undefined;
  /** Default: every EBS snapshot in the AMI's block device mappings. */
  snapshotIds?: pulumi.Input<pulumi.Input<string>[]> | undefined;
  /** Everybody. Default: false. */
  public?: pulumi.Input<boolean> | undefined;
}

/** The arguments of a set. */
export interface AmiLaunchPermissionSetArgs extends ConnectionArgs {
  /** The AMI; a change replaces the resource: the new AMI is shared before the old one is unshared. */
  imageId: pulumi.Input<string>;
  /**
   * Accounts that may launch the AMI. The owner's own is left out: it always has access. `[]` says that nobody may, which an authoritative
   * set has to say where it names no grantee.
   */
  accountIds?: pulumi.Input<pulumi.Input<AccountId>[]> | undefined;
  /** Organizations, by full ARN, all of whose accounts may launch the AMI. Default: none. */
  organizationArns?: pulumi.Input<pulumi.Input<string>[]> | undefined;
  /** Organizational units, by full ARN; those nested in them inherit. Default: none. */
  organizationalUnitArns?: pulumi.Input<pulumi.Input<string>[]> | undefined;
  /** Every AWS account. Needs `acknowledgePublic: true`. Default: false. */
  public?: pulumi.Input<boolean> | undefined;
  /** Says that sharing with everybody is meant. Default: false. */
  acknowledgePublic?: pulumi.Input<boolean> | undefined;
  /**
   * Create-volume permission on the AMI's snapshots, which copying the AMI needs and launching does not.
   * `true`: for the set's accounts (and everybody if `public`) on every EBS snapshot. Default: none, and not managed.
   */
  createVolumePermissions?: pulumi.Input<boolean | CreateVolumePermissionsArgs> | undefined;
  /**
   * How many grantees one change may take access from; `"none"` is 0. More is refused: in the preview as far as state shows
   * it, and by `up`, before anything is changed, by what EC2 has. A destroy is not counted. Default: any number.
   */
  maxRevocations?: pulumi.Input<number | "none"> | undefined;
  /**
   * What a change does about those who would lose access and whom the state does not record: somebody else granted them since. `revoke`: takes it
   * away, and says so. `refuse`: fails in the preview and in `up`, and names them all; after `pulumi refresh` the diff shows them. Default: `revoke`.
   */
  unrecorded?: pulumi.Input<Unrecorded> | undefined;
  /** Accounts that no change of this set, a destroy included, takes access from. Default: none. */
  neverRevoke?: pulumi.Input<pulumi.Input<AccountId>[]> | undefined;
  /**
   * What is done about the customer managed keys of encrypted snapshots. `check`: previews warn of accounts that their policies and grants
   * do not admit. `grant`: a KMS grant for each account, revoked with its share. `ignore`: nothing. Default: `check`.
   */
  kmsAccess?: pulumi.Input<KmsAccess> | undefined;
  /** Previews ask EC2's usage report and warn of accounts that still use the AMI before they lose it. Default: false. */
  checkUsage?: pulumi.Input<boolean> | undefined;
  /** `authoritative`: exactly this set, all else is revoked. `additive`: only add, and later remove what this set added. Default: `authoritative`. */
  mode?: pulumi.Input<Mode> | undefined;
  /** What a destroy takes away. `revoke`: what this set granted. `reset`: every grant. `retain`: nothing. Default: `revoke`. */
  onDelete?: pulumi.Input<OnDelete> | undefined;
  /** How long to wait until EC2 shows a change, and for a pending AMI. A change of them alone calls nothing. Default: `20m` each. */
  timeouts?: pulumi.Input<TimeoutsArgs> | undefined;
}

/** The launch permissions of an AMI and the create-volume permissions of its snapshots, as one set. */
export class AmiLaunchPermissionSet extends pulumi.CustomResource {
  /** The type in URNs. @internal */
  static readonly __pulumiType = "pulumi-nodejs:dynamic/ami-launch-permissions:AmiLaunchPermissionSet";

  // Outputs are `declare`d: a field of its own would hide what the base class sets.
  /** The AMI. */
  declare readonly imageId: pulumi.Output<string>;
  /** The region of the AMI. */
  declare readonly region: pulumi.Output<string>;
  /** The account that owns the AMI. */
  declare readonly ownerId: pulumi.Output<string>;
  /** The EBS snapshots of the AMI. */
  declare readonly snapshotIds: pulumi.Output<string[]>;
  /**
   * Who has access: grantee (`account/111122223333`, an ARN, or `public`) → `launch`, `createVolume` or both; where
   * create-volume holds on some snapshots only, the text says on which.
   */
  declare readonly grants: pulumi.Output<Grants>;

  /**
   * An AMI's permissions as they are now, whoever set them, snapshots included: read only, nothing is managed.
   *
   * @param id the AMI
   * @param connection how to reach it; its region, where that is not the stack's
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

/** Which AMI to look at, and how to reach it. */
export interface GetAmiLaunchPermissionsArgs {
  /** The AMI, which the caller owns. */
  imageId: string;
  /** The AMI's region. Default: the stack's `aws:region`, then the environment's. */
  region?: string;
  /** A profile of the shared AWS config and credentials files. Default: the stack's `aws:profile`, then the environment's. */
  profile?: string;
  /** EC2's endpoint, a URL. Default: AWS's. */
  endpoint?: string;
  /** A role to assume with the credentials found. Default: the stack's `aws:assumeRoles`. */
  assumeRole?: { roleArn: string; externalId?: string; sessionName?: string };
}

const LOOK = { name: "getAmiLaunchPermissions", check: refuseWrongArguments };

/**
 * Who an AMI is shared with now. Errors name the AMI: `image-not-found`, `not-owner`, and those of the connection.
 *
 * @throws pulumi.RunError at once for a wrong argument; all else rejects the promise
 */
export function getAmiLaunchPermissions(args: GetAmiLaunchPermissionsArgs): Promise<AmiPermissions> {
  return look(LOOK, args, (gateway) => describePermissions(gateway, args.imageId));
}

/** The form of {@link getAmiLaunchPermissions} for arguments that are outputs. */
export function getAmiLaunchPermissionsOutput(
  args: {
    [Name in keyof GetAmiLaunchPermissionsArgs]: pulumi.Input<GetAmiLaunchPermissionsArgs[Name]>;
  },
): pulumi.Output<AmiPermissions> {
  return lookOnceKnown<GetAmiLaunchPermissionsArgs, AmiPermissions>(LOOK, args, getAmiLaunchPermissions);
}

/** Refuses what Pulumi would get wrong in silence, or fail at with words that do not help. */
function requireSupported(name: string, opts: pulumi.CustomResourceOptions | undefined): void {
  const [major = Number.NaN, minor = Number.NaN] = pulumiVersion.split(".").map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_PULUMI;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor))
    throw new pulumi.RunError(
      `ami-launch-permissions needs @pulumi/pulumi ${OLDEST_PULUMI.join(".")} or newer, and this project has ${pulumiVersion}: npm install @pulumi/pulumi@latest`,
    );
  if (opts?.import !== undefined)
    throw new pulumi.RunError(
      `set "${name}": Pulumi cannot import dynamic resources; leave out the option import, since creating a set takes over what the AMI is shared with already`,
    );
  const output = opts?.ignoreChanges?.find((path) => OUTPUTS.test(path));
  if (output !== undefined)
    throw new pulumi.RunError(
      `set "${name}": ignoreChanges names "${output}", which is an output and is worked out from the arguments; where others share the AMI, too, set mode to "additive": then nothing is taken away that this set did not grant`,
    );
}

/** A path in ignoreChanges that begins with an output. */
const OUTPUTS = /^(\["?)?(grants|ownerId|snapshotIds)\b/;
