/** What the SDK throws, as errors for users: AWS codes to stable codes, words and next steps. */

import { AmiSharingError, type ErrorCode } from "./errors";

/** What was being done, to be named in the error. */
export interface Attempt {
  /** The EC2 action, such as `ModifyImageAttribute`. */
  readonly action: string;
  readonly imageId?: string;
  readonly snapshotId?: string;
  readonly region?: string | undefined;
  /** The profile that was asked for by name. */
  readonly profile?: string | undefined;
  /** The IAM prefix of the action. Default: `ec2`. */
  readonly service?: "ec2" | "kms";
  readonly keyId?: string;
}

interface Rule {
  readonly code: ErrorCode;
  readonly what: (attempt: Attempt, message: string) => string;
  readonly next: string | ((attempt: Attempt) => string);
}

const resource = ({ snapshotId, imageId, keyId }: Attempt) => snapshotId ?? imageId ?? keyId ?? "the resource";
const iamAction = ({ service = "ec2", action }: Attempt) => `${service}:${action}`;
const inRegion = ({ region }: Attempt) => (region ? ` in ${region}` : "");

const imageNotFound: Rule = {
  code: "image-not-found",
  what: (attempt) => `there is no AMI ${attempt.imageId}${inRegion(attempt)}`,
  next: "check the id and the region: an AMI exists in one region only and has to be copied to another before it is shared there; one of another account is not seen unless it is shared",
};
const snapshotNotFound: Rule = {
  code: "snapshot-not-found",
  what: (attempt) => `there is no snapshot ${attempt.snapshotId}${inRegion(attempt)}`,
  next: "check snapshotIds: only snapshots in the AMI's block device mappings can be managed",
};
const expired: Rule = {
  code: "credentials-expired",
  what: () => "the AWS credentials have expired",
  next: "sign in again (for example aws sso login) and repeat",
};
const rejected: Rule = {
  code: "credentials-invalid",
  what: () => "AWS does not accept the credentials",
  next: "check the access key, the secret key and the session token, and that they belong to this partition",
};
const throttled: Rule = {
  code: "throttled",
  what: ({ action }) => `EC2 still throttles ${action} after every retry`,
  next: "repeat later, or raise maxRetries",
};
const notPermitted: Rule = {
  code: "sharing-refused",
  what: (attempt, message) => `EC2 refuses to share ${resource(attempt)}: ${message}`,
  next: "see whether block public access is on, or whether a snapshot is encrypted under the AWS managed key",
};
const publicAccessBlocked: Rule = {
  code: "public-access-blocked",
  what: (attempt, message) => `EC2 refuses to make ${resource(attempt)} public: ${message}`,
  next: "where it is meant, turn block public access off first (aws ec2 disable-image-block-public-access, disable-snapshot-block-public-access)",
};

const unauthorized: Rule = {
  code: "not-authorized",
  what: (attempt) => `the caller may not call ${iamAction(attempt)} on ${resource(attempt)}`,
  next: (attempt) =>
    `allow ${iamAction(attempt)} in the caller's IAM policy${attempt.service === "kms" ? " and in the key's policy" : ""}`,
};

/** Codes: EC2 API reference, "Error codes for the Amazon EC2 API"; AccessDeniedException: KMS API reference, "Common errors"; credential codes: STS and IAM API references, "Common errors". */
const RULES: Readonly<Record<string, Rule>> = {
  "InvalidAMIID.NotFound": imageNotFound,
  "InvalidAMIID.Malformed": imageNotFound,
  "InvalidAMIID.Unavailable": {
    ...imageNotFound,
    what: ({ imageId }) => `AMI ${imageId} is deregistered or cannot be changed now`,
  },
  "InvalidSnapshot.NotFound": snapshotNotFound,
  "InvalidSnapshotID.Malformed": snapshotNotFound,
  UnauthorizedOperation: unauthorized,
  AccessDeniedException: unauthorized,
  OperationNotPermitted: notPermitted,
  InvalidParameter: notPermitted,
  InvalidParameterValue: notPermitted,
  UnsupportedOperation: notPermitted,
  InvalidAMIAttributeItemValue: {
    code: "invalid-argument",
    what: (attempt, message) => `EC2 does not accept a grantee of ${resource(attempt)}: ${message}`,
    next: "check that every account, organization and organizational unit exists",
  },
  ResourceLimitExceeded: {
    code: "quota-exceeded",
    what: (attempt, message) => `sharing ${resource(attempt)} would pass a quota: ${message}`,
    next: "share with fewer, share with an organization instead of its accounts, or raise the quota in Service Quotas",
  },
  RequestLimitExceeded: throttled,
  Throttling: throttled,
  ThrottlingException: throttled,
  RequestExpired: expired,
  ExpiredToken: expired,
  ExpiredTokenException: expired,
  InvalidClientTokenId: rejected,
  UnrecognizedClientException: rejected,
  SignatureDoesNotMatch: rejected,
  IncompleteSignature: rejected,
  AccessDenied: {
    code: "not-authorized",
    what: (_, message) => `AWS denies access: ${message}`,
    next: "check the role's trust policy, the external id and the caller's policy",
  },
};

const notOwner: Rule = {
  code: "not-owner",
  what: (attempt) => `${resource(attempt)} belongs to another account`,
  next: "only the owner can see and change its permissions: use the owner's credentials, or copy the AMI and share the copy",
};

const UNREACHABLE = /ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|EPIPE|TimeoutError|socket hang up/;

/** The error for a user; one that already is for a user is given back as it is. */
export function userError(error: unknown, attempt: Attempt): AmiSharingError {
  if (error instanceof AmiSharingError) return error;
  const {
    name = "",
    message = String(error),
    code = "",
    $metadata,
  } = error as {
    name?: string;
    message?: string;
    code?: unknown;
    $metadata?: { requestId?: string; httpStatusCode?: number };
  };
  const from = (rule: Rule, awsCode?: string) =>
    new AmiSharingError(rule.code, rule.what(attempt, oneLine(message)), {
      ...(attempt.imageId === undefined ? {} : { imageId: attempt.imageId }),
      ...(awsCode === undefined ? {} : { awsCode }),
      ...($metadata?.requestId === undefined ? {} : { requestId: $metadata.requestId }),
      next: typeof rule.next === "string" ? rule.next : rule.next(attempt),
      cause: error,
    });

  if (name === "AuthFailure") return from(/credentials/i.test(message) ? rejected : notOwner, name);
  const rule = /block public access/i.test(message) && RULES[name] === notPermitted ? publicAccessBlocked : RULES[name];
  if (rule) return from(rule, name);
  if (name === "CredentialsProviderError" || name === "TokenProviderError")
    return from(/expired/i.test(message) ? expired : credentialsMissing(message, attempt));
  if (/region is missing/i.test(message)) return from(regionMissing);
  if ($metadata?.httpStatusCode === undefined && UNREACHABLE.test(`${name} ${String(code)} ${message} ${causes(error)}`))
    return from(unreachable);
  return from(
    {
      code: "aws-error",
      what: () => `${attempt.action} of ${resource(attempt)} failed: ${oneLine(message)}`,
      next: "repeat; if it stays, give AWS support the request id",
    },
    name || undefined,
  );
}

function credentialsMissing(message: string, { profile }: Attempt): Rule {
  return {
    code: "credentials-missing",
    what: () => `no AWS credentials${profile === undefined ? "" : ` in profile "${profile}"`}: ${oneLine(message)}`,
    next: "set a profile, AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or assumeRole",
  };
}

const regionMissing: Rule = {
  code: "region-missing",
  what: () => "no AWS region",
  next: "set the region (the argument's, or the engine's AWS configuration), or AWS_REGION",
};

const unreachable: Rule = {
  code: "endpoint-unreachable",
  what: (attempt, message) => `EC2's endpoint${inRegion(attempt)} cannot be reached: ${message || "no answer"}`,
  next: "check the network, the region and the endpoint",
};

/** Node groups the failures of several addresses in an AggregateError without a message of its own. */
function causes(error: unknown): string {
  const { errors = [], cause } = error as { errors?: readonly unknown[]; cause?: unknown };
  return [...errors, ...(cause ? [cause] : [])].map(String).join(" ");
}

function oneLine(message: string): string {
  // An encoded authorization failure is long and unreadable; the code and the request id stand for it.
  return message
    .replace(/\s*Encoded authorization failure message:.*$/s, "")
    .replace(/\s+/g, " ")
    .trim()
    .replace(/\.$/, "");
}
