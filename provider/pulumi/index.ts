/** What Pulumi programs import. */

export type { AmiOfAnother, AmiPermissions, Grants, Mode, OnDelete } from "../core";
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
export { type GetSharedAmisArgs, getSharedAmis, getSharedAmisOutput } from "./getSharedAmis";
export { type CopyArgs, SharedAmi, type SharedAmiArgs } from "./sharedAmi";
