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
  /** Every AWS account may create volumes from the snapshots. Needs `acknowledgePublic: true` in the set. Default: `false`. */
  readonly public?: boolean | cdktn.IResolvable | undefined;
}

/** How long an operation waits for EC2, as durations such as `30m` or `1h30m`. */
export interface AmiLaunchPermissionSetTimeouts {
  /** How long a create waits until EC2 shows the grants. Default: `20m`. */
  readonly create?: string | undefined;
  /** How long an update waits until EC2 shows the change. Default: `20m`. */
  readonly update?: string | undefined;
  /** How long a destroy waits until EC2 no longer shows the grants. Default: `20m`. */
  readonly delete?: string | undefined;
}

/** The arguments that are not objects. */
interface PlainArguments {
  /** The AMI. A change replaces the set. With `createBeforeDestroy`, the new AMI is shared before the old one is unshared. */
  readonly imageId: string;
  /**
   * Ids of accounts that may launch the AMI, 12 digits each. The owner is left out, because it always has access. `[]` means
   * nobody. An authoritative set without any other grantee must have this argument. Default: none.
   */
  readonly accountIds?: string[] | undefined;
  /** Full ARNs of organizations. All accounts of the organization may launch the AMI. Default: none. */
  readonly organizationArns?: string[] | undefined;
  /**
   * Full ARNs of organizational units. All accounts of the unit, and of units nested in it, may launch the AMI. Default: none.
   */
  readonly organizationalUnitArns?: string[] | undefined;
  /** Every AWS account may launch the AMI. Needs `acknowledgePublic: true`. Default: `false`. */
  readonly public?: boolean | cdktn.IResolvable | undefined;
  /** Confirms that the AMI, or its snapshots, are to be shared with every AWS account. Default: `false`. */
  readonly acknowledgePublic?: boolean | cdktn.IResolvable | undefined;
  /**
   * The largest number of grantees that one change may take access from. A destroy is not limited. The plan fails if there are
   * more. Default: any number.
   */
  readonly maxRevocations?: number | undefined;
  /**
   * What a change does about grantees who would lose access and are not in the state, because somebody else shared the AMI with
   * them. `revoke`: a new set revokes their access, and its plan names them. An update leaves them, and the next plan shows them.
   * `refuse`: plan and apply fail, and name all of them. Default: `revoke`.
   */
  readonly unrecorded?: string | undefined;
  /** Accounts that never lose access by a change or destroy of this set. Default: none. */
  readonly neverRevoke?: string[] | undefined;
  /**
   * The only grantees that the set may name, and that it may leave in place: account ids, full ARNs of organizations and
   * organizational units, and `public`. An entry such as `file://allowed.yaml` stands for the entries of a JSON, YAML, CSV or
   * text file. The owner of the AMI is always allowed. A list in the provider block holds, too. Default: anybody.
   */
  readonly allowedGrantees?: string[] | undefined;
  /**
   * How the set treats the customer managed keys of encrypted snapshots. `check`: a warning names accounts that have no access by
   * the policy or the grants of a key. `grant`: the set creates a KMS grant for each account, and revokes it together with the
   * launch permission. `ignore`: the set does nothing. Default: `check`.
   */
  readonly kmsAccess?: string | undefined;
  /**
   * Whether a warning names the accounts that lose the AMI and still use it, according to EC2's usage report. Default: `false`.
   */
  readonly checkUsage?: boolean | cdktn.IResolvable | undefined;
  /**
   * `authoritative`: the AMI has exactly the grants of this set, and every other grant is revoked. `additive`: the set revokes
   * only grants that it added itself. Default: `authoritative`.
   */
  readonly mode?: string | undefined;
  /**
   * What a destroy revokes. `revoke`: the grants that this set made. `reset`: every grant, also those that others added.
   * `retain`: nothing. Default: `revoke`.
   */
  readonly onDelete?: string | undefined;
  /** The AMI's region. A change replaces the set. Default: the provider's region, then the region in the state. */
  readonly region?: string | undefined;
}

/** All arguments. */
interface Arguments extends PlainArguments {
  /**
   * Create-volume permission on the AMI's snapshots. An account needs it to copy the AMI, but not to launch it. `{}` means the
   * accounts of the set, on every EBS snapshot. Everybody needs `public: true` in this block. Default: the permission is not
   * managed.
   */
  readonly createVolumePermissions?: AmiLaunchPermissionSetCreateVolumePermissions | undefined;
  /**
   * How long to wait for a pending AMI, and until EC2 shows a change, as durations such as `30m` or `1h30m`. If only this
   * argument changes, no call is made. Default: `20m` each.
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
  allowedGrantees: "set",
  kmsAccess: "string",
  checkUsage: "bool",
  mode: "string",
  onDelete: "string",
  region: "string",
  timeouts: TIMEOUTS,
};

/** The attributes that Terraform computes. */
interface Computed {
  /** The AMI's id. */
  readonly id: string;
  /** The account that owns the AMI. */
  readonly ownerId: string;
  /** The EBS snapshots of the AMI. */
  readonly snapshotIds: string[];
  /**
   * Who has access: a map from grantee (`account/111122223333`, an ARN or `public`) to `launch`, `createVolume` or `launch,
   * createVolume`. If the create-volume permission is only on some of the snapshots, the value names them.
   */
  readonly grants: cdktn.StringMap;
}

const COMPUTED: TableOf<Computed> = { id: "string", ownerId: "string", snapshotIds: "set", grants: "map" };

// END arguments

/** The arguments of a set. */
export interface AmiLaunchPermissionSetConfig extends Arguments, cdktn.TerraformMetaArguments {}

/** The properties of a set: references to its arguments, and its computed attributes. */
interface Members extends References<PlainArguments>, Computed {}
/** The properties of the reference to the create-volume permissions. */
interface VolumeMembers extends References<AmiLaunchPermissionSetCreateVolumePermissions> {}

/** References to the create-volume permissions of a set, and methods to change them. */
export class AmiLaunchPermissionSetCreateVolumePermissionsOutputReference extends withAttributes<
  typeof cdktn.ComplexObject,
  VolumeMembers
>(cdktn.ComplexObject, CREATE_VOLUME_PERMISSIONS) {
  constructor(terraformResource: cdktn.IInterpolatingParent, terraformAttribute: string) {
    super(terraformResource, terraformAttribute, false);
  }

  /** The current arguments, or a token for them. */
  get internalValue(): AmiLaunchPermissionSetCreateVolumePermissions | cdktn.IResolvable | undefined {
    return keptBy(this) as AmiLaunchPermissionSetCreateVolumePermissions | cdktn.IResolvable | undefined;
  }

  set internalValue(value: AmiLaunchPermissionSetCreateVolumePermissions | cdktn.IResolvable | undefined) {
    keep(this, value);
  }
}

/** The properties of the reference to the timeouts. */
interface TimeoutMembers extends References<AmiLaunchPermissionSetTimeouts> {}

/** References to the timeouts of a set, and methods to change them. */
export class AmiLaunchPermissionSetTimeoutsOutputReference extends withAttributes<typeof cdktn.ComplexObject, TimeoutMembers>(
  cdktn.ComplexObject,
  TIMEOUTS,
) {
  constructor(terraformResource: cdktn.IInterpolatingParent, terraformAttribute: string) {
    super(terraformResource, terraformAttribute, false);
  }

  /** The current arguments, or a token for them. */
  get internalValue(): AmiLaunchPermissionSetTimeouts | cdktn.IResolvable | undefined {
    return keptBy(this) as AmiLaunchPermissionSetTimeouts | cdktn.IResolvable | undefined;
  }

  set internalValue(value: AmiLaunchPermissionSetTimeouts | cdktn.IResolvable | undefined) {
    keep(this, value);
  }
}

/**
 * The launch permissions of an AMI and the create-volume permissions of its snapshots, as one set. In a plan, `grants` shows for each
 * grantee who gains and who loses access.
 */
export class AmiLaunchPermissionSet extends withAttributes<typeof cdktn.TerraformResource, Members>(
  cdktn.TerraformResource,
  ARGUMENTS,
  COMPUTED,
) {
  /** The resource type in Terraform. */
  static readonly tfResourceType = "ami_launch_permission_set";

  /**
   * Adds an import block. With `terraform plan -generate-config-out`, Terraform then writes a set for the AMI as it is shared now.
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

  /** How long operations wait for EC2. */
  readonly timeouts = new AmiLaunchPermissionSetTimeoutsOutputReference(this, "timeouts");

  constructor(scope: Construct, id: string, config: AmiLaunchPermissionSetConfig) {
    const { tfResourceType: terraformResourceType } = AmiLaunchPermissionSet;
    super(scope, id, { ...config, terraformResourceType, terraformGeneratorMetadata: METADATA });
    keep(this, config);
    this.createVolumePermissions.internalValue = config.createVolumePermissions;
    this.timeouts.internalValue = config.timeouts;
  }

  /** The argument `createVolumePermissions` as it was set. */
  get createVolumePermissionsInput(): AmiLaunchPermissionSetCreateVolumePermissions | cdktn.IResolvable | undefined {
    return this.createVolumePermissions.internalValue;
  }

  /** Sets the argument `createVolumePermissions`. */
  putCreateVolumePermissions(value: AmiLaunchPermissionSetCreateVolumePermissions): void {
    this.createVolumePermissions.internalValue = value;
  }

  /** Removes the argument `createVolumePermissions`. */
  resetCreateVolumePermissions(): void {
    this.createVolumePermissions.internalValue = undefined;
  }

  /** The argument `timeouts` as it was set. */
  get timeoutsInput(): AmiLaunchPermissionSetTimeouts | cdktn.IResolvable | undefined {
    return this.timeouts.internalValue;
  }

  /** Sets the argument `timeouts`. */
  putTimeouts(value: AmiLaunchPermissionSetTimeouts): void {
    this.timeouts.internalValue = value;
  }

  /** Removes the argument `timeouts`. */
  resetTimeouts(): void {
    this.timeouts.internalValue = undefined;
  }
}
