/** The engine-free model: grantees, permissions, declared sets, their diff, and making EC2 have them. */

export { type Adoption, adoptionOf } from "./adoption";
export { show } from "./argumentWords";
export type { AnsweredCall, CallWatch } from "./callWatch";
export {
  type Claim,
  type ClaimedImage,
  ClaimRegistry,
  claimOf,
  handOverFailed,
  type Neighbours,
  NO_NEIGHBOURS,
  readClaim,
  refuseRivals,
  type WrittenClaim,
  wantedOf,
  writeClaim,
} from "./claims";
export { type Connection, endpointProblem, endpointWarning, environmentEndpoint, type RoleToAssume } from "./connection";
export {
  ARGUMENT_NAMES,
  type ArgumentProblem,
  type AssumeRole,
  type CreateVolumeArguments,
  type DeclaredConnection,
  type DeclaredSet,
  type Decoded,
  decodeConnection,
  decodeDeclaredSet,
  granteeProblems,
  type KmsAccess,
  type Mode,
  type OnDelete,
  problemPath,
  roundedAccounts,
  type TimeoutArguments,
  type Unrecorded,
} from "./declaredSet";
export { type AmiPermissions, describePermissions, type SnapshotPermissions } from "./describePermissions";
export { type Change, callsOf, changeFor, phasesOf, type Situation, type Step } from "./diff";
export { durationSeconds, durationWords } from "./duration";
export { ec2Gateway } from "./ec2Gateway";
export { AmiSharingError, type ErrorCode, type ErrorDetails } from "./errors";
export { escapeControls } from "./escape";
export type {
  BlockPublicAccess,
  Gateway,
  Image,
  KeyGateway,
  KeyGrant,
  KeyManager,
  LaunchChange,
  PublicAccessBlock,
  Snapshot,
  Usage,
  UsageGateway,
  UsageReport,
} from "./gateway";
export { accountKey, type Grantee, type GranteeKey, granteeKey, isManageable, PUBLIC, parseGranteeKey, userKey } from "./grantee";
export { decodeGrants, encodeGrants, type Grants, isGranteeKey, isPermissionWords, joinWords, sortedGrants } from "./grants";
export { decodeKeyUsers, type KeyPolicyStatement, type KeyUsers, kmsKeyPolicyStatements } from "./keyPolicy";
export { firstFew } from "./listing";
export { DEFAULT_PATIENCE, type Patience } from "./looks";
export {
  declaredGrants,
  losers,
  managedSnapshots,
  maxRevocationsOf,
  namedPermissions,
  type PermissionSet,
  permissionSetOf,
  refuseTooManyRevocations,
  type Timeouts,
  targetPermissions,
} from "./permissionSet";
export {
  filterGrantees,
  filterSnapshots,
  granteesOf,
  intersection,
  isEmpty,
  minus,
  NO_PERMISSIONS,
  type Permissions,
  union,
} from "./permissions";
export { changeOf, foreseen, type Plan, planChange } from "./plan";
export {
  IncompleteChangeError,
  observe,
  type Reconciled,
  reconcile,
  remove,
  revokedByRemoval,
} from "./reconcile";
export { decodeRecorded, encodeRecorded, type OwnKeyGrant, type Recorded, type RecordedOutputs } from "./recorded";
export {
  type Broadening,
  broadenings,
  type DeletionTelling,
  type Entry,
  entriesOf,
  entryLines,
  lossesOf,
  reportOf,
  reportOfDeletion,
  type Telling,
} from "./report";
export { type AmiOfAnother, amisOfOthers, eachOwnAmi, type OwnAmi, ownAmis } from "./sharedAmis";
export { type MaybeUnknown, UNKNOWN } from "./unknown";
export { NO_FINDINGS, type UsageFindings, usageBeforeDeletion } from "./usage";
