/** What `ami-launch-permissions/core` offers to programs without an engine; docs/core.md lists it. All else of the core is internal. */

export {
  type AccessKey,
  type AnsweredCall,
  type CallWatch,
  type Connection,
  ec2Gateway,
  type Gateway,
  type RoleToAssume,
} from "./aws";
export {
  AmiSharingError,
  type ErrorCode,
  type ErrorDetails,
  type Grantee,
  type GranteeKey,
  type Grants,
  granteeKey,
  parseGranteeKey,
} from "./model";
export {
  type AmiOfAnother,
  type AmiPermissions,
  amisOfOthers,
  describePermissions,
  ownAmis,
  type SnapshotPermissions,
} from "./operations";
export { type KeyPolicyStatement, type KeyUsers, kmsKeyPolicyStatements } from "./planning";
