/** The exports for Pulumi programs. */

export {
  type AmiOfAnother,
  type AmiPermissions,
  type GranteeKey,
  type Grants,
  type KeyPolicyStatement,
  type KeyUsers,
  type KmsAccess,
  kmsKeyPolicyStatements,
  type Mode,
  type OnDelete,
  type SnapshotPermissions,
  type Unrecorded,
} from "../core";
export {
  type AccountId,
  AmiLaunchPermissionSet,
  type AmiLaunchPermissionSetArgs,
  type AssumeRoleArgs,
  type ConnectionArgs,
  type CreateVolumePermissionsArgs,
  type GetAmiLaunchPermissionsArgs,
  getAmiLaunchPermissions,
  getAmiLaunchPermissionsOutput,
  type TimeoutsArgs,
} from "./amiLaunchPermissionSet";
export { type GetSharedAmisArgs, type GetSharedAmisOutputArgs, getSharedAmis, getSharedAmisOutput } from "./getSharedAmis";
export { type CopyArgs, SharedAmi, type SharedAmiArgs } from "./sharedAmi";
