/** The names of the package, its resource and its functions: programs, states and published SDKs hold them, so that they stay for ever. */

export const PACKAGE = "ami-launch-permissions";

/** What Go programs import. */
export const GO_PACKAGE = "github.com/ami-launch-permissions/pulumi-ami-launch-permissions/sdk/go/amilaunchpermissions";

/** The type of a set. */
export const SET_TYPE = `${PACKAGE}:index:LaunchPermissionSet`;

/** The tokens of the functions. */
export const GET_PERMISSIONS = `${PACKAGE}:index:getAmiLaunchPermissions`;
export const GET_SHARED_AMIS = `${PACKAGE}:index:getSharedAmis`;
