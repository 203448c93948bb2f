/** Constants: limits and formats of AWS, each with its source, and the tool's own timeouts and limits. */

/** Accounts in one ModifyImageAttribute request. EC2 API reference, ModifyImageAttribute. */
export const MAX_LAUNCH_CHANGES_PER_CALL = 10_000;

/** Modifications in one ModifySnapshotAttribute request. EC2 API reference, ModifySnapshotAttribute. */
export const MAX_SNAPSHOT_CHANGES_PER_CALL = 500;

/** Values of one filter in a Describe request. EC2 user guide, "Filter resources". */
export const MAX_FILTER_VALUES = 200;

/** Images in one DescribeImages request of several sets. EC2 has no published limit for ids; its answer for 100 images is about 100 kB. */
export const MAX_IDS_PER_CALL = 100;

/** The resource types of an image usage report. EC2 API reference, CreateImageUsageReport, ResourceTypes. */
export const USAGE_RESOURCE_TYPES = [
  "ec2:Instance",
  "ec2:LaunchTemplate",
  "imagebuilder:ImageRecipe",
  "imagebuilder:ContainerRecipe",
] as const;

/** The default number of launch template versions that a report covers. EC2 API reference, CreateImageUsageReport, `version-depth`. */
export const USAGE_VERSION_DEPTH = 20;

/** Images in one page of DescribeImages. EC2 API reference, DescribeImages, MaxResults: 1 to 1,000. */
export const MAX_IMAGES_PER_PAGE = 1000;

/** The default quota of accounts, organizations and organizational units that an AMI is shared with. EC2 user guide, "AMI quotas". */
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
 * The default timeout for EC2 to show a change, in seconds. EC2 API reference, "Eventual consistency": back off from seconds up to five
 * minutes. terraform-provider-aws raised its wait for create-volume permissions from 5 to 10 to 20 minutes (#1894, #2049).
 */
export const VISIBILITY_TIMEOUT_SECONDS = 1200;

/** The time between two progress messages of a wait, in seconds. */
export const PROGRESS_INTERVAL_SECONDS = 30;

/**
 * The number of reads, and the seconds between them, after which a grant that EC2 does not show counts as revoked by somebody else. EC2 API
 * reference, "Eventual consistency": an answer may be seconds old.
 */
export const ABSENCE_READS = 14;
export const ABSENCE_PAUSE_SECONDS = 0.4;

/** The default number of attempts of one EC2 call, including the first. `maxRetries` overrides it. */
export const DEFAULT_MAX_ATTEMPTS = 8;

/**
 * How long one call is repeated because AWS throttles it, in milliseconds, if `maxRetries` does not limit it. EC2 refills an empty bucket
 * within 20 seconds (REQUEST_BUCKETS), so that only other clients of the account can make a call wait for minutes.
 */
export const MAX_THROTTLED_MS = 600_000;

/** A token bucket: a request takes one token, and `perSecond` tokens are added until there are `size`. */
export interface RequestBucket {
  readonly size: number;
  readonly perSecond: number;
}

/**
 * The request rate limits of an account in a region, for each action. EC2 developer guide, "Request throttling for the Amazon EC2 API",
 * "Request token bucket sizes and refill rates". `read` and `change` are the limits of all other actions.
 */
export const REQUEST_BUCKETS = {
  ModifyImageAttribute: { size: 100, perSecond: 5 },
  ModifySnapshotAttribute: { size: 100, perSecond: 5 },
  read: { size: 100, perSecond: 20 },
  change: { size: 50, perSecond: 5 },
} as const satisfies Readonly<Record<string, RequestBucket>>;

/** The default session name of an assumed role. CloudTrail shows it. */
export const DEFAULT_SESSION_NAME = "ami-launch-permissions";

/**
 * Concurrent requests of one client, for all sets together. Each uses a connection of its own. The SDK's default (@smithy/node-http-handler,
 * `maxSockets`).
 */
export const MAX_CONNECTIONS = 50;

/** Concurrent requests of one set. Snapshots are changed in groups of this size. */
export const MAX_CONCURRENT_CALLS = 8;

/**
 * The timeouts of a connection and of a request, in milliseconds. The EC2 API reference gives no time limit for answers. Changes of thousands
 * of accounts and lists of 1,000 images were seen to take seconds, so EC2 never needs half a minute.
 */
export const CONNECT_TIMEOUT_MS = 10_000;
export const REQUEST_TIMEOUT_MS = 30_000;

/** Attempts of one call that may time out. With the request timeout above, a call without answer fails after about 90 seconds. */
export const MAX_TIMEOUTS_PER_CALL = 3;

/** How often a call is repeated if its answer is malformed, and the first pause in milliseconds. The pause doubles each time. */
export const MAX_BAD_ANSWER_REPEATS = 3;
export const BAD_ANSWER_PAUSE_MS = 500;

/**
 * The pause before an empty answer is read again, in milliseconds. If it is empty again, the resource counts as gone. EC2 API reference,
 * "Eventual consistency": a new resource may not be visible at once.
 */
export const ABSENCE_PAUSE_MS = 1000;

/** How long a read can serve the next operation of the same process, in milliseconds. EC2's own answers may be older than that. */
export const RECENT_READ_MS = 5000;

/** After a stop, how long a change that was sent may still wait for its answer, in milliseconds. */
export const STOP_GRACE_MS = 2000;

/** The largest list in a file that is read, in bytes: the names of 50,000 accounts as the AWS CLI prints them take less. */
export const MAX_LIST_FILE_BYTES = 20_000_000;

/** The same for YAML, whose parser keeps about 100 times the text in memory. */
export const MAX_YAML_BYTES = 2_000_000;
