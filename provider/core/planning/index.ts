/** The entry of the folder that plans a change: the difference, what EC2 will refuse, KMS keys, usage, the record and the report. */

export {
  type Claim,
  type ClaimedImage,
  ClaimRegistry,
  claimedBy,
  claimedParts,
  claimOf,
  claimSchema,
  deserializeClaim,
  handOverIncomplete,
  keysClaimedBy,
  type Neighbours,
  NO_NEIGHBOURS,
  recordedClaim,
  type SerializedClaim,
  serializeClaim,
  throwConflictingSets,
  withoutRecorded,
} from "./claims";
export { type Change, type ChangeInput, callsOf, changeFor, mayRevoke, phasesOf, type Step } from "./diff";
export { type Entry, entriesOf, lostEntries } from "./entries";
export { customerKeysOf, grantName, keyGrantsToRevoke } from "./keyPlan";
export { decodeKeyUsers, type KeyPolicyStatement, type KeyUsers, kmsKeyPolicyStatements } from "./keyPolicy";
export {
  confirmGone,
  DEFAULT_WAIT_OPTIONS,
  ifPresent,
  livePermissions,
  type OwnedImage,
  poll,
  readLive,
  rereadChanged,
  rereadUntilShown,
  stopped,
  type Wait,
  type WaitOptions,
  waitOf,
  waitUntilVisible,
} from "./liveReads";
export { type Accepted, allowListRefusalsOf, changeOf, expectedRecord, type Plan, planChange, planFor, recordOf } from "./plan";
export { type ReadEntry, type ReadText, type ReportSection, readReport } from "./readReport";
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
  type DeletionReportOptions,
  entryLines,
  lossesOf,
  type ReportOptions,
  reportOf,
  reportOfDeletion,
} from "./report";
export { NO_FINDINGS, type UsageFindings, usageBeforeDeletion, usageOfImage } from "./usage";
