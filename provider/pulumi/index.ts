/** What Pulumi programs import. */

export type { AmiPermissions, Grants, Mode, OnDelete } from "../core";
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
export { type CopyArgs, SharedAmi, type SharedAmiArgs } from "./sharedAmi";
