/** The types in URNs, of the dynamic resource and of the full provider: programs and states contain them, so they never change. */

/** A set of the full provider. */
export const SET_TYPE = "ami-launch-permissions:index:LaunchPermissionSet";

/** A set as a dynamic resource. */
export const DYNAMIC_SET_TYPE = "pulumi-nodejs:dynamic/ami-launch-permissions:AmiLaunchPermissionSet";

/** The component, which is the same in both. */
export const SHARED_AMI_TYPE = "ami-launch-permissions:index:SharedAmi";
