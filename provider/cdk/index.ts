/** What programs of CDKTN import, and with the same words those of CDKTF: the build emits this folder once for each. */

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
