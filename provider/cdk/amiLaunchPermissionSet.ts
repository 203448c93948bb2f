/** The construct for `ami_launch_permission_set`: the launch permissions of an AMI and the create-volume permissions of its snapshots. */

import * as cdktn from "cdktn";
import type { Construct } from "constructs";
import { METADATA } from "./amiProvider";
import { keep, keptBy, type References, type TableOf, withAttributes } from "./attributes";

// BEGIN arguments: `npm run fix` writes it from core/declaration/argumentTable.ts

/** Who may create volumes from which of the AMI's snapshots. */
export interface AmiLaunchPermissionSetCreateVolumePermissions {
  /** Accounts that may create volumes from the snapshots. Default: the set's `accountIds`. */
  readonly accountIds?: string[] | undefined;
  /** Snapshots that these accounts may create volumes from. Default: every EBS snapshot in the AMI's block device mappings. */
  readonly snapshotIds?: string[] | undefined;
  /** Every AWS account may. Needs `acknowledgePublic: true` in the set. Default: `false`. */
  readonly public?: boolean | cdktn.IResolvable | undefined;
}

/** How long an operation waits for EC2: durations such as `30m` or `1h30m`. */
export interface AmiLaunchPermissionSetTimeouts {
  /** Until EC2 shows a new set. Default: `20m`. */
  readonly create?: string | undefined;
  /** Until EC2 shows a change of the set. Default: `20m`. */
  readonly update?: string | undefined;
  /** Until EC2 shows that what the set granted is gone. Default: `20m`. */
  readonly delete?: string | undefined;
}

/** The arguments that are no objects. */
interface PlainArguments {
  /** The AMI. A change replaces the set. With `createBeforeDestroy`, the new AMI is shared before the old one is unshared. */
  readonly imageId: string;
  /**
   * Accounts that may launch the AMI, by their 12-digit ids. The owner is left out, because it always has access. `[]` means
   * nobody; an authoritative set that names no grantee has to say so. Default: none.
   */
  readonly accountIds?: string[] | undefined;
  /** Organizations, by full ARN, all of whose accounts may launch the AMI. Default: none. */
  readonly organizationArns?: string[] | undefined;
  /** Organizational units, by full ARN. Units nested in them inherit. Default: none. */
  readonly organizationalUnitArns?: string[] | undefined;
  /** Every AWS account may launch the AMI. Needs `acknowledgePublic: true`. Default: `false`. */
  readonly public?: boolean | cdktn.IResolvable | undefined;
  /** Confirms that the AMI, or its snapshots, shall be shared with every AWS account. Default: `false`. */
  readonly acknowledgePublic?: boolean | cdktn.IResolvable | undefined;
  /** How many grantees one change may take access from. A destroy is not counted. More fails the plan. Default: any number. */
  readonly maxRevocations?: number | undefined;
  /**
   * What a change does about grantees who would lose access and whom the state does not record: somebody else granted them.
   * `revoke`: a new set revokes, and its plan names them; an update leaves them, and the next plan shows them. `refuse`: plan and
   * apply fail and name them all. Default: `revoke`.
   */
  readonly unrecorded?: string | undefined;
  /** Accounts that no change of this set, a destroy included, takes access from. Default: none. */
  readonly neverRevoke?: string[] | undefined;
  /**
   * What is done about the customer managed keys of encrypted snapshots. `check`: a warning names accounts that the policies and
   * grants of the keys do not admit. `grant`: a KMS grant for each account, revoked with its share. `ignore`: nothing. Default:
   * `check`.
   */
  readonly kmsAccess?: string | undefined;
  /** Before accounts lose the AMI, a warning names those that still use it, by EC2's usage report. Default: `false`. */
  readonly checkUsage?: boolean | cdktn.IResolvable | undefined;
  /**
   * `authoritative`: exactly this set; every other grant is revoked. `additive`: only add, and later remove what this set added.
   * Default: `authoritative`.
   */
  readonly mode?: string | undefined;
  /**
   * What a destroy takes away. `revoke`: what this set granted. `reset`: every grant, those of others, too. `retain`: nothing.
   * Default: `revoke`.
   */
  readonly onDelete?: string | undefined;
  /** The AMI's region. A change replaces the set. Default: the provider's, then the one that the state records. */
  readonly region?: string | undefined;
}

/** All arguments. */
interface Arguments extends PlainArguments {
  /**
   * Create-volume permission on the AMI's snapshots. An account needs it to copy the AMI, but not to launch it. `{}`: the set's
   * accounts, on every EBS snapshot. Everybody only with `public: true` in it. Default: none, and not managed.
   */
  readonly createVolumePermissions?: AmiLaunchPermissionSetCreateVolumePermissions | undefined;
  /**
   * How long to wait until EC2 shows a change, and for a pending AMI: durations such as `30m` or `1h30m`. A change of them alone
   * makes no call. Default: `20m` each.
   */
  readonly timeouts?: AmiLaunchPermissionSetTimeouts | undefined;
}

const CREATE_VOLUME_PERMISSIONS: TableOf<AmiLaunchPermissionSetCreateVolumePermissions> = {
  accountIds: "set",
  snapshotIds: "set",
  public: "bool",
};

const TIMEOUTS: TableOf<AmiLaunchPermissionSetTimeouts> = { create: "string", update: "string", delete: "string" };

const ARGUMENTS: TableOf<Arguments> = {
  imageId: "string",
  accountIds: "set",
  organizationArns: "set",
  organizationalUnitArns: "set",
  public: "bool",
  acknowledgePublic: "bool",
  createVolumePermissions: CREATE_VOLUME_PERMISSIONS,
  maxRevocations: "number",
  unrecorded: "string",
  neverRevoke: "set",
  kmsAccess: "string",
  checkUsage: "bool",
  mode: "string",
  onDelete: "string",
  region: "string",
  timeouts: TIMEOUTS,
};

/** What Terraform computes. */
interface Computed {
  /** The AMI's id. */
  readonly id: string;
  /** The account that owns the AMI. */
  readonly ownerId: string;
  /** The EBS snapshots of the AMI. */
  readonly snapshotIds: string[];
  /**
   * Who has access: grantee (`account/111122223333`, an ARN, or `public`) → `launch`, `createVolume` or `launch, createVolume`.
   * Where create-volume permission holds on some snapshots only, the text says on which.
   */
  readonly grants: cdktn.StringMap;
}

const COMPUTED: TableOf<Computed> = { id: "string", ownerId: "string", snapshotIds: "set", grants: "map" };

// END arguments

/** The arguments of a set. */
export interface AmiLaunchPermissionSetConfig extends Arguments, cdktn.TerraformMetaArguments {}

/** What a set has for its arguments, and what Terraform computes. */
interface Members extends References<PlainArguments>, Computed {}
/** What the reference to the create-volume permissions has for its arguments. */
interface VolumeMembers extends References<AmiLaunchPermissionSetCreateVolumePermissions> {}

/** References to the create-volume permissions of a set, and methods to change them. */
export class AmiLaunchPermissionSetCreateVolumePermissionsOutputReference extends withAttributes<
  typeof cdktn.ComplexObject,
  VolumeMembers
>(cdktn.ComplexObject, CREATE_VOLUME_PERMISSIONS) {
  constructor(terraformResource: cdktn.IInterpolatingParent, terraformAttribute: string) {
    super(terraformResource, terraformAttribute, false);
  }

  /** The arguments as they are now, or a token for them. */
  get internalValue(): AmiLaunchPermissionSetCreateVolumePermissions | cdktn.IResolvable | undefined {
    return keptBy(this) as AmiLaunchPermissionSetCreateVolumePermissions | cdktn.IResolvable | undefined;
  }

  set internalValue(value: AmiLaunchPermissionSetCreateVolumePermissions | cdktn.IResolvable | undefined) {
    keep(this, value);
  }
}

/** What the reference to the timeouts has for its arguments. */
interface TimeoutMembers extends References<AmiLaunchPermissionSetTimeouts> {}

/** References to the timeouts of a set, and methods to change them. */
export class AmiLaunchPermissionSetTimeoutsOutputReference extends withAttributes<typeof cdktn.ComplexObject, TimeoutMembers>(
  cdktn.ComplexObject,
  TIMEOUTS,
) {
  constructor(terraformResource: cdktn.IInterpolatingParent, terraformAttribute: string) {
    super(terraformResource, terraformAttribute, false);
  }

  /** The arguments as they are now, or a token for them. */
  get internalValue(): AmiLaunchPermissionSetTimeouts | cdktn.IResolvable | undefined {
    return keptBy(this) as AmiLaunchPermissionSetTimeouts | cdktn.IResolvable | undefined;
  }

  set internalValue(value: AmiLaunchPermissionSetTimeouts | cdktn.IResolvable | undefined) {
    keep(this, value);
  }
}

/**
 * The launch permissions of an AMI and the create-volume permissions of its snapshots, as one set that is changed in one batch. In a plan,
 * `grants` shows for each grantee who gains and who loses access.
 */
export class AmiLaunchPermissionSet extends withAttributes<typeof cdktn.TerraformResource, Members>(
  cdktn.TerraformResource,
  ARGUMENTS,
  COMPUTED,
) {
  /** The type in Terraform. */
  static readonly tfResourceType = "ami_launch_permission_set";

  /**
   * Has Terraform write the program text of a set for an AMI as it is shared now.
   *
   * @param importFromId `ami-…`, or `region/ami-…`
   */
  static generateConfigForImport(
    scope: Construct,
    importToId: string,
    importFromId: string,
    provider?: cdktn.TerraformProvider,
  ): cdktn.ImportableResource {
    const { tfResourceType: terraformResourceType } = AmiLaunchPermissionSet;
    const config = { terraformResourceType, importId: importFromId, ...(provider ? { provider } : {}) };
    return new cdktn.ImportableResource(scope, importToId, config);
  }

  /** The create-volume permissions. */
  readonly createVolumePermissions = new AmiLaunchPermissionSetCreateVolumePermissionsOutputReference(
    this,
    "create_volume_permissions",
  );

  /** How long to wait. */
  readonly timeouts = new AmiLaunchPermissionSetTimeoutsOutputReference(this, "timeouts");

  constructor(scope: Construct, id: string, config: AmiLaunchPermissionSetConfig) {
    const { tfResourceType: terraformResourceType } = AmiLaunchPermissionSet;
    super(scope, id, { ...config, terraformResourceType, terraformGeneratorMetadata: METADATA });
    keep(this, config);
    this.createVolumePermissions.internalValue = config.createVolumePermissions;
    this.timeouts.internalValue = config.timeouts;
  }

  /** The argument `createVolumePermissions` as it was given. */
  get createVolumePermissionsInput(): AmiLaunchPermissionSetCreateVolumePermissions | cdktn.IResolvable | undefined {
    return this.createVolumePermissions.internalValue;
  }

  /** Gives the argument `createVolumePermissions`. */
  putCreateVolumePermissions(value: AmiLaunchPermissionSetCreateVolumePermissions): void {
    this.createVolumePermissions.internalValue = value;
  }

  /** Takes the argument `createVolumePermissions` back. */
  resetCreateVolumePermissions(): void {
    this.createVolumePermissions.internalValue = undefined;
  }

  /** The argument `timeouts` as it was given. */
  get timeoutsInput(): AmiLaunchPermissionSetTimeouts | cdktn.IResolvable | undefined {
    return this.timeouts.internalValue;
  }

  /** Gives the argument `timeouts`. */
  putTimeouts(value: AmiLaunchPermissionSetTimeouts): void {
    this.timeouts.internalValue = value;
  }

  /** Takes the argument `timeouts` back. */
  resetTimeouts(): void {
    this.timeouts.internalValue = undefined;
  }
}
