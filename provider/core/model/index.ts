/** The entry of the folder with the model: grantees, permissions, grants maps, limits, durations, errors. It knows neither AWS nor an engine. */

export {
  type AccountNames,
  accountNamesInFile,
  accountNamesInText,
  type DecodedNames,
  decodeAccountNames,
  NO_NAMES,
  problemList,
  shownName,
  withNames,
} from "./accountNames";
export { type AllowList, allowedKey, allowListOf, FILE_ENTRY } from "./allowedGrantees";
export { accountOfKey, accountOfPrincipal, partitionOf } from "./arns";
export { batches, inGroups } from "./batches";
export { durationSeconds, durationWords } from "./duration";
export { type ConnectionFault, type ErrorPolicy, policyOf, warnsInPlan } from "./errorPolicy";
export { AmiSharingError, type ErrorCode, type ErrorDetails } from "./errors";
export { escapeControls, escapeInvisible, withoutInvisible } from "./escape";
export {
  accountKey,
  type Grantee,
  type GranteeKey,
  granteeKey,
  isAccount,
  isEntity,
  isManageable,
  PUBLIC,
  parseGranteeKey,
  userKey,
} from "./grantee";
export {
  decodeGrants,
  encodeGrants,
  type Grants,
  isGranteeKey,
  isPermissionWords,
  joinWords,
  markMissingKeyGrants,
  missingKeyGrantsIn,
  permissionWords,
  sortedGrants,
} from "./grants";
export { parsers } from "./lateParsers";
export {
  ABSENCE_PAUSE_MS,
  ABSENCE_PAUSE_SECONDS,
  ABSENCE_READS,
  ACCOUNT_ID,
  BAD_ANSWER_PAUSE_MS,
  CONNECT_TIMEOUT_MS,
  DEFAULT_ENTITY_QUOTA,
  DEFAULT_MAX_ATTEMPTS,
  DEFAULT_SESSION_NAME,
  IMAGE_ID,
  MAX_BAD_ANSWER_REPEATS,
  MAX_CONCURRENT_CALLS,
  MAX_CONNECTIONS,
  MAX_FILTER_VALUES,
  MAX_IDS_PER_CALL,
  MAX_IMAGES_PER_PAGE,
  MAX_LAUNCH_CHANGES_PER_CALL,
  MAX_SNAPSHOT_CHANGES_PER_CALL,
  MAX_THROTTLED_MS,
  MAX_TIMEOUTS_PER_CALL,
  ORGANIZATION_ARN,
  ORGANIZATIONAL_UNIT_ARN,
  PROGRESS_INTERVAL_SECONDS,
  RECENT_READ_MS,
  REQUEST_BUCKETS,
  REQUEST_TIMEOUT_MS,
  type RequestBucket,
  SNAPSHOT_ID,
  STOP_GRACE_MS,
  USAGE_RESOURCE_TYPES,
  USAGE_VERSION_DEPTH,
  VISIBILITY_TIMEOUT_SECONDS,
} from "./limits";
export type { ListFormat } from "./listFile";
export { countedGrantees, firstFew } from "./listing";
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
export {
  deserializePermissions,
  granteeKeysSchema,
  grantsSchema,
  permissionsSchema,
  type SerializedPermissions,
  serializePermissions,
} from "./serialized";
export { type MaybeUnknown, UNKNOWN } from "./unknown";
