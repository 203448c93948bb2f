/** The construct for `ami_launch_permission_set`: the launch permissions of an AMI and the create-volume permissions of its snapshots. */

import * as cdktn from "cdktn";
import type { Construct } from "constructs";
import { METADATA } from "./amiProvider";
import { keep, keptBy, type References, type TableOf, withAttributes } from "./attributes";

/** Who may create volumes, and from which snapshots. */
export interface AmiLaunchPermissionSetCreateVolumePermissions {
  /** Default: the set's `accountIds`. */
  readonly accountIds?: string[] | undefined;
  /** Default: every EBS snapshot in the AMI's block device mappings. */
  readonly snapshotIds?: string[] | undefined;
  /** Everybody. Default: `false`. */
  readonly public?: boolean | cdktn.IResolvable | undefined;
}

/** How long an operation waits for EC2. */
export interface AmiLaunchPermissionSetTimeouts {
  /** For a new set. Default: `20m`. */
  readonly create?: string | undefined;
  /** For a change of the set. Default: `20m`. */
  readonly update?: string | undefined;
  /** Until what the set granted is gone. Default: `20m`. */
  readonly delete?: string | undefined;
}

/** The arguments that are not objects. */
interface Arguments {
  /** The AMI. A change replaces the set; with `createBeforeDestroy` the new AMI is shared before the old one is unshared. */
  readonly imageId: string;
  /**
   * Accounts that may launch the AMI. The owner's own is left out: it always has access. `[]` says that nobody may, which an
   * authoritative set has to say where it names no grantee.
   */
  readonly accountIds?: string[] | undefined;
  /** Organizations, by full ARN, all of whose accounts may launch the AMI. Default: none. */
  readonly organizationArns?: string[] | undefined;
  /** Organizational units, by full ARN; those nested in them inherit. Default: none. */
  readonly organizationalUnitArns?: string[] | undefined;
  /** Every AWS account. Needs `acknowledgePublic: true`. Default: `false`. */
  readonly public?: boolean | cdktn.IResolvable | undefined;
  /** Says that sharing with everybody is meant. Default: `false`. */
  readonly acknowledgePublic?: boolean | cdktn.IResolvable | undefined;
  /** How many grantees one change may take access from; more fails the plan. A destroy is not counted. Default: any number. */
  readonly maxRevocations?: number | undefined;
  /**
   * What becomes of a change that would take access from somebody whom the state does not record. `revoke`: a new set revokes; an update leaves
   * them, and the next plan shows them. `refuse`: the change fails, and names them all. Default: `revoke`.
   */
  readonly unrecorded?: string | undefined;
  /** Accounts that no change of this set, a destroy included, takes access from. Default: none. */
  readonly neverRevoke?: string[] | undefined;
  /**
   * For the customer managed keys of encrypted snapshots. `check`: plans warn of accounts that they do not admit. `grant`: a KMS
   * grant for each account, revoked with its share. `ignore`: nothing. Default: `check`.
   */
  readonly kmsAccess?: string | undefined;
  /** Plans ask EC2's usage report and warn of accounts that still use the AMI before they lose it. Default: `false`. */
  readonly checkUsage?: boolean | cdktn.IResolvable | undefined;
  /**
   * `authoritative`: exactly this set, all else is revoked. `additive`: only add, and later remove what this set added.
   * Default: `authoritative`.
   */
  readonly mode?: string | undefined;
  /**
   * What a destroy takes away. `revoke`: what this set granted. `reset`: every grant, others' too. `retain`: nothing.
   * Default: `revoke`.
   */
  readonly onDelete?: string | undefined;
  /** The AMI's region; a change replaces the set. Default: the provider's. */
  readonly region?: string | undefined;
}

/** The arguments of a set. */
export interface AmiLaunchPermissionSetConfig extends Arguments, cdktn.TerraformMetaArguments {
  /**
   * Create-volume permission on the AMI's snapshots, which copying the AMI needs and launching does not. `{}`: for the set's
   * accounts on every EBS snapshot. Default: none, and not managed.
   */
  readonly createVolumePermissions?: AmiLaunchPermissionSetCreateVolumePermissions | undefined;
  /**
   * How long to wait until EC2 shows a change, and for a pending AMI: Go's durations, such as `30m` or `1h30m`. A change of them alone
   * calls nothing. Default: `20m` each.
   */
  readonly timeouts?: AmiLaunchPermissionSetTimeouts | undefined;
}

/** The computed attributes. */
interface Computed {
  /** The AMI's id. */
  readonly id: string;
  /** The account that owns the AMI. */
  readonly ownerId: string;
  /** The EBS snapshots of the AMI. */
  readonly snapshotIds: string[];
  /**
   * Who has access: grantee (`account/111122223333`, an ARN, or `public`) → `launch`, `createVolume` or `launch, createVolume`;
   * where create-volume holds on some snapshots only, the text says on which.
   */
  readonly grants: cdktn.StringMap;
}

const VOLUME_ARGUMENTS: TableOf<AmiLaunchPermissionSetCreateVolumePermissions> = {
  accountIds: "set",
  snapshotIds: "set",
  public: "bool",
};
const TIMEOUTS: TableOf<AmiLaunchPermissionSetTimeouts> = { create: "string", update: "string", delete: "string" };
const ARGUMENTS: TableOf<Omit<AmiLaunchPermissionSetConfig, keyof cdktn.TerraformMetaArguments>> = {
  imageId: "string",
  accountIds: "set",
  organizationArns: "set",
  organizationalUnitArns: "set",
  public: "bool",
  acknowledgePublic: "bool",
  createVolumePermissions: VOLUME_ARGUMENTS,
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
const COMPUTED: TableOf<Computed> = { id: "string", ownerId: "string", snapshotIds: "set", grants: "map" };

interface Members extends References<Arguments>, Computed {}
interface VolumeMembers extends References<AmiLaunchPermissionSetCreateVolumePermissions> {}

/** References to the create-volume permissions of a set, and methods to change them. */
export class AmiLaunchPermissionSetCreateVolumePermissionsOutputReference extends withAttributes<
  typeof cdktn.ComplexObject,
  VolumeMembers
>(cdktn.ComplexObject, VOLUME_ARGUMENTS) {
  constructor(terraformResource: cdktn.IInterpolatingParent, terraformAttribute: string) {
    super(terraformResource, terraformAttribute, false);
  }

  get internalValue(): AmiLaunchPermissionSetCreateVolumePermissions | cdktn.IResolvable | undefined {
    return keptBy(this) as AmiLaunchPermissionSetCreateVolumePermissions | cdktn.IResolvable | undefined;
  }

  set internalValue(value: AmiLaunchPermissionSetCreateVolumePermissions | cdktn.IResolvable | undefined) {
    keep(this, value);
  }
}

interface TimeoutMembers extends References<AmiLaunchPermissionSetTimeouts> {}

/** References to the timeouts of a set, and methods to change them. */
export class AmiLaunchPermissionSetTimeoutsOutputReference extends withAttributes<typeof cdktn.ComplexObject, TimeoutMembers>(
  cdktn.ComplexObject,
  TIMEOUTS,
) {
  constructor(terraformResource: cdktn.IInterpolatingParent, terraformAttribute: string) {
    super(terraformResource, terraformAttribute, false);
  }

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

  get createVolumePermissionsInput(): AmiLaunchPermissionSetCreateVolumePermissions | cdktn.IResolvable | undefined {
    return this.createVolumePermissions.internalValue;
  }

  putCreateVolumePermissions(value: AmiLaunchPermissionSetCreateVolumePermissions): void {
    this.createVolumePermissions.internalValue = value;
  }

  resetCreateVolumePermissions(): void {
    this.createVolumePermissions.internalValue = undefined;
  }

  get timeoutsInput(): AmiLaunchPermissionSetTimeouts | cdktn.IResolvable | undefined {
    return this.timeouts.internalValue;
  }

  putTimeouts(value: AmiLaunchPermissionSetTimeouts): void {
    this.timeouts.internalValue = value;
  }

  resetTimeouts(): void {
    this.timeouts.internalValue = undefined;
  }
}
