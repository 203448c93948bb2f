/** The construct for the data source `ami_launch_permission_audit`: the caller's AMIs with their grants, or those that others share with the caller. */

import * as cdktn from "cdktn";
import type { Construct } from "constructs";
import { METADATA } from "./amiProvider";
import { keep, type References, type TableOf, withAttributes } from "./attributes";
import { PERMISSIONS, PERMISSIONS_OF_SNAPSHOT, type Permissions, type PermissionsOfSnapshot } from "./dataAmiLaunchPermissions";

/** The arguments that select AMIs. */
interface Arguments {
  /**
   * `self`: the caller's own AMIs, also disabled ones, with their grants. `others`: AMIs of other accounts that are shared with the
   * caller's account, organization or unit, without public AMIs. EC2 shows the grants of these AMIs only to their owners.
   * Default: `self`.
   */
  readonly owner?: string | undefined;
  /**
   * For own AMIs: whether to read who may create volumes from the snapshots, with one call for each snapshot. With `false`,
   * `snapshots` is empty, and `grants` contains only launch permissions. Default: `true`.
   */
  readonly includeSnapshots?: boolean | cdktn.IResolvable | undefined;
  /** The region. Default: the provider's. */
  readonly region?: string | undefined;
}

/** The arguments of the data source. */
export interface DataAmiLaunchPermissionAuditConfig extends Arguments, cdktn.TerraformMetaArguments {}

/** The attributes that Terraform reads. */
interface Computed {
  /** The region. */
  readonly id: string;
}

/** The attributes of each AMI. */
interface ComputedOfAmi extends Permissions {
  /** The AMI. */
  readonly imageId: string;
  /** The region of the AMI. */
  readonly region: string;
  /** The state of another account's AMI in EC2, such as `available`, `pending` or `failed`. */
  readonly state: string;
}

/** The properties of the data source: references to its arguments, and the attributes that Terraform reads. */
interface Members extends References<Arguments>, Computed {}

const ARGUMENTS: TableOf<Arguments> = { owner: "string", includeSnapshots: "bool", region: "string" };
const COMPUTED_OF_AMI: TableOf<ComputedOfAmi> = { imageId: "string", region: "string", state: "string", ...PERMISSIONS };

/** References to a snapshot and to who may create volumes from it. */
export class DataAmiLaunchPermissionAuditAmisSnapshotsOutputReference extends withAttributes<
  typeof cdktn.ComplexObject,
  PermissionsOfSnapshot
>(cdktn.ComplexObject, {}, PERMISSIONS_OF_SNAPSHOT) {
  constructor(
    terraformResource: cdktn.IInterpolatingParent,
    terraformAttribute: string,
    complexObjectIndex: number,
    complexObjectIsFromSet: boolean,
  ) {
    super(terraformResource, terraformAttribute, complexObjectIsFromSet, complexObjectIndex);
  }
}

/** References to the snapshots of an AMI, by index. */
export class DataAmiLaunchPermissionAuditAmisSnapshotsList extends cdktn.ComplexList {
  /** The element at an index, counted from 0. */
  get(index: number): DataAmiLaunchPermissionAuditAmisSnapshotsOutputReference {
    const { terraformResource, terraformAttribute, wrapsSet } = this;
    return new DataAmiLaunchPermissionAuditAmisSnapshotsOutputReference(terraformResource, terraformAttribute, index, wrapsSet);
  }
}

/** References to an AMI and to who it is shared with. */
export class DataAmiLaunchPermissionAuditAmisOutputReference extends withAttributes<typeof cdktn.ComplexObject, ComputedOfAmi>(
  cdktn.ComplexObject,
  {},
  COMPUTED_OF_AMI,
) {
  /** The EBS snapshots of the AMI, sorted by id, and who may create volumes from them. */
  readonly snapshots = new DataAmiLaunchPermissionAuditAmisSnapshotsList(this, "snapshots", false);

  constructor(
    terraformResource: cdktn.IInterpolatingParent,
    terraformAttribute: string,
    complexObjectIndex: number,
    complexObjectIsFromSet: boolean,
  ) {
    super(terraformResource, terraformAttribute, complexObjectIsFromSet, complexObjectIndex);
  }
}

/** References to the AMIs, by index. */
export class DataAmiLaunchPermissionAuditAmisList extends cdktn.ComplexList {
  /** The element at an index, counted from 0. */
  get(index: number): DataAmiLaunchPermissionAuditAmisOutputReference {
    const { terraformResource, terraformAttribute, wrapsSet } = this;
    return new DataAmiLaunchPermissionAuditAmisOutputReference(terraformResource, terraformAttribute, index, wrapsSet);
  }
}

/**
 * The AMIs of a region: the caller's own AMIs, and who each one is shared with now, or the AMIs of other accounts that are shared with the
 * caller.
 */
export class DataAmiLaunchPermissionAudit extends withAttributes<typeof cdktn.TerraformDataSource, Members>(
  cdktn.TerraformDataSource,
  ARGUMENTS,
  { id: "string" } satisfies TableOf<Computed>,
) {
  /** The data source's type in Terraform. */
  static readonly tfResourceType = "ami_launch_permission_audit";

  /** The AMIs, sorted by id. An AMI that is deregistered during the read is left out. If an AMI cannot be read, the data source fails. */
  readonly amis = new DataAmiLaunchPermissionAuditAmisList(this, "amis", false);

  constructor(scope: Construct, id: string, config: DataAmiLaunchPermissionAuditConfig = {}) {
    const { tfResourceType: terraformResourceType } = DataAmiLaunchPermissionAudit;
    super(scope, id, { ...config, terraformResourceType, terraformGeneratorMetadata: METADATA });
    keep(this, config);
  }
}
