/** The construct for the data source `ami_launch_permissions`: who an AMI is shared with now. */

import * as cdktn from "cdktn";
import type { Construct } from "constructs";
import { METADATA } from "./amiProvider";
import { keep, type References, type TableOf, withAttributes } from "./attributes";

/** The arguments that select the AMI. */
interface Arguments {
  /** The AMI. EC2 shows permissions only to the owner. */
  readonly imageId: string;
  /** The AMI's region. Default: the provider's. */
  readonly region?: string | undefined;
}

/** The arguments of the data source. */
export interface DataAmiLaunchPermissionsConfig extends Arguments, cdktn.TerraformMetaArguments {}

/** The attributes of an AMI. */
export interface Permissions {
  /** The account that owns the AMI. */
  readonly ownerId: string;
  /** The AMI's name. */
  readonly name: string;
  /** Accounts that may launch the AMI. The owner is left out. */
  readonly accountIds: string[];
  /** Organizations whose accounts may launch the AMI. */
  readonly organizationArns: string[];
  /** Organizational units whose accounts may launch the AMI. */
  readonly organizationalUnitArns: string[];
  /** Whether every AWS account may launch the AMI. */
  readonly public: cdktn.IResolvable;
  /** Users that are not accounts, such as `aws-marketplace`. */
  readonly otherUserIds: string[];
  /** Whether any snapshot is encrypted. Accounts that launch the AMI then also need access to the key. */
  readonly encrypted: cdktn.IResolvable;
  /** The EBS snapshots of the AMI. */
  readonly snapshotIds: string[];
  /** A map from grantee to permissions, as in `grants` of the resource. */
  readonly grants: cdktn.StringMap;
}

/** The attributes that Terraform reads. */
interface Computed extends Permissions {
  /** The AMI's id. */
  readonly id: string;
}

/** The attributes of a snapshot. */
export interface PermissionsOfSnapshot {
  /** The snapshot. */
  readonly snapshotId: string;
  /** Accounts that may create volumes from the snapshot. */
  readonly accountIds: string[];
  /** Whether every AWS account may create volumes from the snapshot. */
  readonly public: cdktn.IResolvable;
  /** Whether the snapshot is encrypted. */
  readonly encrypted: cdktn.IResolvable;
  /** The ARN of the key, if the snapshot is encrypted. */
  readonly kmsKeyId: string;
}

/** The properties of the data source: references to its arguments, and the attributes that Terraform reads. */
interface Members extends References<Arguments>, Computed {}

const ARGUMENTS: TableOf<Arguments> = { imageId: "string", region: "string" };
export const PERMISSIONS: TableOf<Permissions> = {
  ownerId: "string",
  name: "string",
  accountIds: "set",
  organizationArns: "set",
  organizationalUnitArns: "set",
  public: "bool",
  otherUserIds: "set",
  encrypted: "bool",
  snapshotIds: "set",
  grants: "map",
};
export const PERMISSIONS_OF_SNAPSHOT: TableOf<PermissionsOfSnapshot> = {
  snapshotId: "string",
  accountIds: "set",
  public: "bool",
  encrypted: "bool",
  kmsKeyId: "string",
};

/** References to a snapshot and to who may create volumes from it. */
export class DataAmiLaunchPermissionsSnapshotsOutputReference extends withAttributes<
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
export class DataAmiLaunchPermissionsSnapshotsList extends cdktn.ComplexList {
  /** The element at an index, counted from 0. */
  get(index: number): DataAmiLaunchPermissionsSnapshotsOutputReference {
    const { terraformResource, terraformAttribute, wrapsSet } = this;
    return new DataAmiLaunchPermissionsSnapshotsOutputReference(terraformResource, terraformAttribute, index, wrapsSet);
  }
}

/** Who one of the caller's own AMIs is shared with now. This is what the Permissions tab of the EC2 console shows. */
export class DataAmiLaunchPermissions extends withAttributes<typeof cdktn.TerraformDataSource, Members>(
  cdktn.TerraformDataSource,
  ARGUMENTS,
  { id: "string", ...PERMISSIONS } satisfies TableOf<Computed>,
) {
  /** The data source's type in Terraform. */
  static readonly tfResourceType = "ami_launch_permissions";

  /** The EBS snapshots of the AMI, sorted by id, and who may create volumes from them. */
  readonly snapshots = new DataAmiLaunchPermissionsSnapshotsList(this, "snapshots", false);

  constructor(scope: Construct, id: string, config: DataAmiLaunchPermissionsConfig) {
    const { tfResourceType: terraformResourceType } = DataAmiLaunchPermissions;
    super(scope, id, { ...config, terraformResourceType, terraformGeneratorMetadata: METADATA });
    keep(this, config);
  }
}
