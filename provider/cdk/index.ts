/** The exports for programs of CDKTN. The build also writes this folder for CDKTF. */

export {
  AmiLaunchPermissionSet,
  type AmiLaunchPermissionSetConfig,
  type AmiLaunchPermissionSetCreateVolumePermissions,
  AmiLaunchPermissionSetCreateVolumePermissionsOutputReference,
  type AmiLaunchPermissionSetTimeouts,
  AmiLaunchPermissionSetTimeoutsOutputReference,
} from "./amiLaunchPermissionSet";
export { AmiProvider, type AmiProviderAssumeRole, type AmiProviderConfig, PROVIDER_SOURCE } from "./amiProvider";
export {
  DataAmiLaunchPermissionAudit,
  DataAmiLaunchPermissionAuditAmisList,
  DataAmiLaunchPermissionAuditAmisOutputReference,
  DataAmiLaunchPermissionAuditAmisSnapshotsList,
  DataAmiLaunchPermissionAuditAmisSnapshotsOutputReference,
  type DataAmiLaunchPermissionAuditConfig,
} from "./dataAmiLaunchPermissionAudit";
export {
  DataAmiLaunchPermissions,
  type DataAmiLaunchPermissionsConfig,
  DataAmiLaunchPermissionsSnapshotsList,
  DataAmiLaunchPermissionsSnapshotsOutputReference,
} from "./dataAmiLaunchPermissions";
