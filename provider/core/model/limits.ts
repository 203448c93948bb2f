/** Limits and formats that AWS sets, each with its source; no logic. */

/** Accounts in one ModifyImageAttribute request. EC2 API reference, ModifyImageAttribute. */
export const MAX_LAUNCH_CHANGES_PER_CALL = 10_000;

/** Modifications in one ModifySnapshotAttribute request. EC2 API reference, ModifySnapshotAttribute. */
export const MAX_SNAPSHOT_CHANGES_PER_CALL = 500;

/** Values of one filter of a Describe request. EC2 user guide, "Filter resources": 200. */
export const MAX_FILTER_VALUES = 200;

/** What an image usage report can be about. EC2 API reference, CreateImageUsageReport, ResourceTypes. */
export const USAGE_RESOURCE_TYPES = [
  "ec2:Instance",
  "ec2:LaunchTemplate",
  "imagebuilder:ImageRecipe",
  "imagebuilder:ContainerRecipe",
] as const;

/** The launch template versions that such a report looks at unless told otherwise. EC2 API reference, CreateImageUsageReport, `version-depth`. */
export const USAGE_VERSION_DEPTH = 20;

/** Images in one answer of DescribeImages. EC2 API reference, DescribeImages, MaxResults: 1 to 1,000. */
export const MAX_IMAGES_PER_PAGE = 1000;

/** Accounts, organizations and units that an AMI can be shared with, unless the quota was raised. EC2 user guide, "AMI quotas". */
export const DEFAULT_ENTITY_QUOTA = 1000;

/** An account id: 12 digits, leading zeros included. AWS Account Management guide, "View AWS account identifiers". */
export const ACCOUNT_ID = /^\d{12}$/;

/** An AMI id: 8 or 17 hexadecimal digits. EC2 user guide, "Resource IDs". */
export const IMAGE_ID = /^ami-([0-9a-f]{8}|[0-9a-f]{17})$/;

/** A snapshot id: 8 or 17 hexadecimal digits. EC2 user guide, "Resource IDs". */
export const SNAPSHOT_ID = /^snap-([0-9a-f]{8}|[0-9a-f]{17})$/;

/** An organization's ARN, in any partition. Service authorization reference, "AWS Organizations". */
export const ORGANIZATION_ARN = /^arn:aws[a-z-]*:organizations::\d{12}:organization\/o-[a-z0-9]{10,32}$/;

/** An organizational unit's ARN, in any partition. Service authorization reference, "AWS Organizations". */
export const ORGANIZATIONAL_UNIT_ARN =
  /^arn:aws[a-z-]*:organizations::\d{12}:ou\/o-[a-z0-9]{10,32}\/ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}$/;

/**
 * How long a change may take to show when it is read back, in seconds, unless `timeouts` says otherwise. EC2 API reference, "Eventual
 * consistency": back off from seconds up to five minutes; terraform-provider-aws had to raise its wait for create-volume permissions
 * from 5 to 10 to 20 minutes (#1894, #2049).
 */
export const VISIBILITY_TIMEOUT_SECONDS = 1200;

/** How often a wait says what it waits for, in seconds. */
export const PROGRESS_INTERVAL_SECONDS = 30;

/**
 * How often, and with which pause in seconds, EC2 is asked for a grant that a set made and that EC2 does not show, before the set gives
 * the grant up. EC2 API reference, "Eventual consistency": an answer may be seconds old.
 */
export const ABSENCE_READS = 14;
export const ABSENCE_PAUSE_SECONDS = 0.4;

/** Attempts of one EC2 call, the first included, unless `maxRetries` says otherwise. */
export const DEFAULT_MAX_ATTEMPTS = 8;

/** What CloudTrail calls the session of an assumed role, unless the role's `sessionName` says otherwise. */
export const DEFAULT_SESSION_NAME = "ami-launch-permissions";

/**
 * Requests under way at once of one client, for all sets together, each on a connection of its own. The SDK's default
 * (@smithy/node-http-handler, `maxSockets`).
 */
export const MAX_CONNECTIONS = 50;

/** Requests under way at once for one set: snapshots are changed in groups of this size. */
export const MAX_CONCURRENT_CALLS = 8;

/**
 * How long a connection, and an answer, are waited for, in milliseconds. EC2 API reference gives no time in which it answers; changes of
 * thousands of accounts and lists of 1,000 images were seen to take seconds, so half a minute is none that EC2 needs.
 */
export const CONNECT_TIMEOUT_MS = 10_000;
export const REQUEST_TIMEOUT_MS = 30_000;

/** Attempts that may time out in one call: with the above, a call that is never answered ends after about 90 seconds. */
export const MAX_TIMEOUTS_PER_CALL = 3;

/** How often a call is repeated whose answer has not the form it must have, and the pause before the first, which doubles, in milliseconds. */
export const MAX_BAD_ANSWER_REPEATS = 3;
export const BAD_ANSWER_PAUSE_MS = 500;

/**
 * How long after an empty answer it is asked again, in milliseconds, before what should be in it counts as gone.
 * EC2 API reference, "Eventual consistency": what exists may not show at once.
 */
export const ABSENCE_PAUSE_MS = 1000;

/** How long a change that is under way may still be answered once everything is to stop, in milliseconds. */
export const STOP_GRACE_MS = 2000;
