/** The names of the package, its resource and its functions: programs, states and published SDKs hold them, so that they stay for ever. */

export const PACKAGE = "ami-launch-permissions";

/** What Go programs import. */
export const GO_PACKAGE = "github.com/ami-launch-permissions/pulumi-ami-launch-permissions/sdk/go/amilaunchpermissions";

export { DYNAMIC_SET_TYPE, SET_TYPE, SHARED_AMI_TYPE } from "../pulumi/typeNames";

/** The tokens of the functions. */
export const GET_PERMISSIONS = `${PACKAGE}:index:getAmiLaunchPermissions`;
export const GET_SHARED_AMIS = `${PACKAGE}:index:getSharedAmis`;
