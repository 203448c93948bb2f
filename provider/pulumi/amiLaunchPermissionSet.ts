/** The resource class for programs: its arguments and outputs, and the function that reads the permissions of an AMI. */

import * as pulumi from "@pulumi/pulumi";
import { version as pulumiVersion } from "@pulumi/pulumi/version";
import type { AmiPermissions, Grants, KmsAccess, Mode, OnDelete, Unrecorded } from "../core";
import { describePermissions, LISTS, OUTPUTS } from "../core";
import { logReport } from "./log";
import { callReadFunction, callReadFunctionOutput, type ReadFunction, refuseWrongArguments } from "./look";
import { contextOf, declareSet, givenArguments, knownArguments, secretArguments, urnOf } from "./program";
import { stackTracesOff } from "./sdkInternals";
import { SECRETS } from "./secrets";
import { PROVIDER_SHIM } from "./shim";
import { CONTEXT, DONE } from "./state";
import { DYNAMIC_SET_TYPE, SET_TYPE } from "./typeNames";

/**
 * The oldest SDK that works, as in peerDependencies. Before 3.139, dynamic providers did not get the stack's config, so its region and
 * roles were ignored. Before 3.216, previews after a refresh did not show who loses access.
 */
const OLDEST_PULUMI = [3, 216] as const;

/**
 * The lists, whose diffs are hidden. The engine compares lists by position: if one account is removed, every account after it shows as
 * changed. `grants` shows the changes by grantee instead.
 */
export const HIDDEN_DIFFS = LISTS;

/** A set of the full provider that becomes a dynamic resource is the same set: the engine keeps its state, and EC2 is not changed. */
const OF_FULL_PROVIDER: pulumi.Alias = { type: SET_TYPE };

/** What the dynamic provider fills in; `id` is the SDK's. */
const COMPUTED = Object.keys(OUTPUTS).filter((name) => name !== "id");

/** An account id: 12 digits, as a string. A number is accepted if it has 12 digits, that is, if no leading zero is lost. */
export type AccountId = string | number;

// BEGIN arguments: `npm run fix` writes it from core/declaration/argumentTable.ts

/** A role to assume. */
export interface AssumeRoleArgs {
  /** The role's ARN. */
  roleArn: pulumi.Input<string>;
  /** The external id that the role's trust policy asks for. Default: none. */
  externalId?: pulumi.Input<string> | undefined;
  /** The session's name in CloudTrail. Default: `ami-launch-permissions`. */
  sessionName?: pulumi.Input<string> | undefined;
}

/** Who may create volumes from which of the AMI's snapshots. */
export interface CreateVolumePermissionsArgs {
  /** Accounts that may create volumes from the snapshots. Default: the set's `accountIds`. */
  accountIds?: pulumi.Input<pulumi.Input<AccountId>[]> | undefined;
  /** Snapshots that these accounts may create volumes from. Default: every EBS snapshot in the AMI's block device mappings. */
  snapshotIds?: pulumi.Input<pulumi.Input<string>[]> | undefined;
  /** Every AWS account may create volumes from the snapshots. Needs `acknowledgePublic: true` in the set. Default: `false`. */
  public?: pulumi.Input<boolean> | undefined;
}

/** How long an operation waits for EC2, as durations such as `30m` or `1h30m`. */
export interface TimeoutsArgs {
  /** How long a create waits until EC2 shows the grants. Default: `20m`. */
  create?: pulumi.Input<string> | undefined;
  /** How long an update waits until EC2 shows the change. Default: `20m`. */
  update?: pulumi.Input<string> | undefined;
  /** How long a destroy waits until EC2 no longer shows the grants. Default: `20m`. */
  delete?: pulumi.Input<string> | undefined;
}

/** How to reach EC2. Default: the stack's `aws:*` config, then the SDK's default chain. */
export interface ConnectionArgs {
  /**
   * The AMI's region. A change replaces the set. Default: the stack's `aws:region`, then the region of the environment or of the
   * profile.
   */
  region?: pulumi.Input<string> | undefined;
  /**
   * A profile of the shared AWS config and credentials files. Default: the stack's `aws:profile`, then the default chain of the
   * AWS SDK.
   */
  profile?: pulumi.Input<string> | undefined;
  /**
   * The endpoint of EC2, a URL. If it is on loopback, STS and KMS use it, too. Default: the stack's `aws:endpoints`, then
   * `AWS_ENDPOINT_URL_EC2`, `AWS_ENDPOINT_URL`, then AWS's.
   */
  endpoint?: pulumi.Input<string> | undefined;
  /** A role to assume with these credentials. Default: the stack's `aws:assumeRoles`, then none. */
  assumeRole?: pulumi.Input<AssumeRoleArgs> | undefined;
}

/** The arguments of a set. */
export interface AmiLaunchPermissionSetArgs extends ConnectionArgs {
  /** The AMI. A change replaces the set. The new AMI is shared before the old one is unshared. */
  imageId: pulumi.Input<string>;
  /**
   * Ids of accounts that may launch the AMI, 12 digits each. The owner is left out, because it always has access. `[]` means
   * nobody. An authoritative set without any other grantee must have this argument. Default: none.
   */
  accountIds?: pulumi.Input<pulumi.Input<AccountId>[]> | undefined;
  /** Full ARNs of organizations. All accounts of the organization may launch the AMI. Default: none. */
  organizationArns?: pulumi.Input<pulumi.Input<string>[]> | undefined;
  /**
   * Full ARNs of organizational units. All accounts of the unit, and of units nested in it, may launch the AMI. Default: none.
   */
  organizationalUnitArns?: pulumi.Input<pulumi.Input<string>[]> | undefined;
  /** Every AWS account may launch the AMI. Needs `acknowledgePublic: true`. Default: `false`. */
  public?: pulumi.Input<boolean> | undefined;
  /** Confirms that the AMI, or its snapshots, are to be shared with every AWS account. Default: `false`. */
  acknowledgePublic?: pulumi.Input<boolean> | undefined;
  /**
   * Create-volume permission on the AMI's snapshots. An account needs it to copy the AMI, but not to launch it. `true` means the
   * accounts of the set, and everybody if `public` is `true`, on every EBS snapshot. Default: the permission is not managed.
   */
  createVolumePermissions?: pulumi.Input<CreateVolumePermissionsArgs | boolean> | undefined;
  /**
   * The largest number of grantees that one change may take access from. A destroy is not limited. `"none"` is 0. The preview
   * fails if the state shows more. `up` also counts the grants in EC2, and fails before it changes anything. Default: any number.
   */
  maxRevocations?: pulumi.Input<number | "none"> | undefined;
  /**
   * What a change does about grantees who would lose access and are not in the state, because somebody else shared the AMI with
   * them. `revoke`: the change revokes their access, and reports it. `refuse`: preview and `up` fail, and name all of them. After
   * `pulumi refresh`, the diff shows them. Default: `revoke`.
   */
  unrecorded?: pulumi.Input<Unrecorded> | undefined;
  /** Accounts that never lose access by a change or destroy of this set. Default: none. */
  neverRevoke?: pulumi.Input<pulumi.Input<AccountId>[]> | undefined;
  /**
   * The only grantees that the set may name, and that it may leave in place: account ids, full ARNs of organizations and
   * organizational units, and `public`. An entry such as `file://allowed.yaml` stands for the entries of a JSON, YAML, CSV or
   * text file. The owner of the AMI is always allowed. A text is the path of one file. A list in the stack's config
   * `ami-launch-permissions:allowedGrantees` holds, too. Default: anybody.
   */
  allowedGrantees?: pulumi.Input<pulumi.Input<string>[] | string> | undefined;
  /**
   * How the set treats the customer managed keys of encrypted snapshots. `check`: a warning names accounts that have no access by
   * the policy or the grants of a key. `grant`: the set creates a KMS grant for each account, and revokes it together with the
   * launch permission. `ignore`: the set does nothing. Default: `check`.
   */
  kmsAccess?: pulumi.Input<KmsAccess> | undefined;
  /**
   * Whether a warning names the accounts that lose the AMI and still use it, according to EC2's usage report. Default: `false`.
   */
  checkUsage?: pulumi.Input<boolean> | undefined;
  /**
   * `authoritative`: the AMI has exactly the grants of this set, and every other grant is revoked. `additive`: the set revokes
   * only grants that it added itself. Default: `authoritative`.
   */
  mode?: pulumi.Input<Mode> | undefined;
  /**
   * What a destroy revokes. `revoke`: the grants that this set made. `reset`: every grant, also those that others added.
   * `retain`: nothing. Default: `revoke`.
   */
  onDelete?: pulumi.Input<OnDelete> | undefined;
  /**
   * How long to wait for a pending AMI, and until EC2 shows a change, as durations such as `30m` or `1h30m`. If only this
   * argument changes, no call is made. Default: `20m` each.
   */
  timeouts?: pulumi.Input<TimeoutsArgs> | undefined;
}

// END arguments

/** The launch permissions of an AMI and the create-volume permissions of its snapshots, as one set. */
export class AmiLaunchPermissionSet extends pulumi.CustomResource {
  /** The type in URNs. @internal */
  static readonly __pulumiType = DYNAMIC_SET_TYPE;

  // Outputs are `declare`d: a field of its own would hide what the base class sets.
  /** The AMI. */
  declare readonly imageId: pulumi.Output<string>;
  /** The region of the AMI. */
  declare readonly region: pulumi.Output<string>;
  // BEGIN outputs: `npm run fix` writes it from core/declaration/argumentTable.ts

  /** The account that owns the AMI. */
  declare readonly ownerId: pulumi.Output<string>;
  /** The EBS snapshots of the AMI. */
  declare readonly snapshotIds: pulumi.Output<string[]>;
  /**
   * Who has access: a map from grantee (`account/111122223333`, an ARN or `public`) to `launch`, `createVolume` or `launch,
   * createVolume`. If the create-volume permission is only on some of the snapshots, the value names them.
   */
  declare readonly grants: pulumi.Output<Grants>;

  // END outputs

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
    const stackTracesOn = stackTracesOff();
    try {
      const outputs = Object.fromEntries([...COMPUTED, DONE].map((name) => [name, undefined]));
      const region = args?.region;
      const known = knownArguments(args ?? {});
      const given = opts?.id === undefined ? givenArguments(known) : undefined;
      const urn = urnOf(AmiLaunchPermissionSet.__pulumiType, name, opts);
      const hideDiffs = [...HIDDEN_DIFFS, ...(opts?.hideDiffs ?? [])];
      const context = given
        ? { [CONTEXT]: contextOf(urn, args?.imageId, given, hideDiffs), [SECRETS]: secretArguments(given, opts) }
        : {};
      const properties = { ...args, region, ...context, ...outputs, __provider: PROVIDER_SHIM };
      const aliases = [...(opts?.aliases ?? []), ...(given ? [OF_FULL_PROVIDER] : [])];
      super(AmiLaunchPermissionSet.__pulumiType, name, properties, { ...opts, hideDiffs, aliases });
      if (!given) return;
      declareSet(this, known, given, urn, opts);
      logReport(this, given, opts);
    } catch (error) {
      stackTracesOn();
      Error.captureStackTrace(error as Error);
      throw error;
    } finally {
      stackTracesOn();
    }
  }
}

/** Which AMI to read, and how to reach it. */
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
  const output = opts?.ignoreChanges?.find((path) => OUTPUT.test(path));
  if (output !== undefined)
    throw new pulumi.RunError(
      `set "${name}": ignoreChanges names "${output}", which is an output and is computed from the arguments; if others also share the AMI, set mode to "additive": the set then revokes only what it granted`,
    );
}

/** A path in ignoreChanges that begins with an output. */
const OUTPUT = new RegExp(`^(\\["?)?(${COMPUTED.join("|")})\\b`);
