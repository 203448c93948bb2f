/** What a change will do: what EC2 has, what is recorded, the difference, what will be refused, keys, usage, and the report of it all. */

export {
  type Claim,
  type ClaimedImage,
  ClaimRegistry,
  claimedBy,
  claimOf,
  handOverFailed,
  keysClaimedBy,
  type Neighbours,
  NO_NEIGHBOURS,
  readClaim,
  recordedClaim,
  refuseRivals,
  type WrittenClaim,
  wantedOf,
  withoutRecorded,
  writeClaim,
} from "./claims";
export { type Change, callsOf, changeFor, mayRevoke, phasesOf, type Situation, type Step } from "./diff";
export { type Entry, entriesOf } from "./entries";
export { customerKeysOf, grantName, keyGrantsToRevoke } from "./keyPlan";
export { decodeKeyUsers, type KeyPolicyStatement, type KeyUsers, kmsKeyPolicyStatements } from "./keyPolicy";
export {
  DEFAULT_PATIENCE,
  ifPresent,
  livePermissions,
  look,
  lookAgain,
  type Patience,
  poll,
  type Readable,
  rereadChanged,
  stillGone,
  stopped,
  type Wait,
  waitOf,
  waitUntilVisible,
} from "./looks";
export { type Accepted, changeOf, foreseen, type Plan, planChange, planFor, recordOf } from "./plan";
export {
  decodeRecorded,
  encodeRecorded,
  type OwnKeyGrant,
  type PermissionRecord,
  permissionRecordSchema,
  type Recorded,
  type RecordedOutputs,
} from "./recorded";
export { revokedByRemoval } from "./removal";
export {
  type Broadening,
  broadenings,
  type DeletionTelling,
  entryLines,
  lossesOf,
  reportOf,
  reportOfDeletion,
  type Telling,
} from "./report";
export { NO_FINDINGS, type UsageFindings, usageBeforeDeletion } from "./usage";
