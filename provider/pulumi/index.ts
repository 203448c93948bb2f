/** What Pulumi programs import. */

export {
  type AmiPermissions,
  type Grants,
  type KeyPolicyStatement,
  type KeyUsers,
  type KmsAccess,
  kmsKeyPolicyStatements,
  type Mode,
  type OnDelete,
} from "../core";
export {
  type AccountId,
  AmiLaunchPermissionSet,
  type AmiLaunchPermissionSetArgs,
  type ConnectionArgs,
  type CreateVolumePermissionsArgs,
  type GetAmiLaunchPermissionsArgs,
  getAmiLaunchPermissions,
  getAmiLaunchPermissionsOutput,
} from "./amiLaunchPermissionSet";
