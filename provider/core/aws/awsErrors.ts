/** Converts errors of the SDK to errors for users: a stable code, a message and the next step for each AWS code. */

import { AmiSharingError, type ErrorCode } from "../model";
import { isRead } from "./actions";
import { type CallFacts, factsOf } from "./callWatch";
import { BadAnswer, NoAnswer } from "./wire";

/** The call that was made, for the text of the error. */
export interface Attempt {
  /** The action, such as `ModifyImageAttribute`. */
  readonly action: string;
  readonly imageId?: string;
  readonly snapshotId?: string;
  readonly region?: string | undefined;
  /** The profile, if the connection names one. */
  readonly profile?: string | undefined;
  /** The IAM prefix of the action. Default: `ec2`. */
  readonly service?: "ec2" | "kms" | "sts" | "organizations";
  readonly keyId?: string;
  readonly reportId?: string;
}

/** An attempt, and the call that failed. That can be another call, such as AssumeRole, which has to succeed first. */
interface Failed extends Attempt {
  /** How often and how long the call was tried, as words; empty if nothing is known of it. */
  readonly tried: string;
  readonly serviceName: string;
  /** Undefined if it is an endpoint of AWS. */
  readonly endpoint: string | undefined;
  /** ` of ami-…`; for another call, ` for <action> of ami-…`. */
  readonly of: string;
}

interface Rule {
  readonly code: ErrorCode;
  readonly what: (failed: Failed, message: string) => string;
  readonly next: string | ((failed: Failed) => string);
}

const named = ({ snapshotId, imageId, keyId, reportId }: Attempt) => snapshotId ?? imageId ?? keyId ?? reportId;
const resource = (attempt: Attempt) => named(attempt) ?? "the resource";
const iamAction = ({ service = "ec2", action }: Attempt) => `${service}:${action}`;
const inRegion = ({ region }: Attempt) => (region ? ` in ${region}` : "");

/** ` of ami-…`; empty if the attempt is not about a resource. */
export function resourceOf(attempt: Attempt): string {
  const name = named(attempt);
  return name === undefined ? "" : ` of ${name}`;
}

/** If the answer to a change is lost, nobody knows whether AWS made the change. Every change can be sent again. */
const unknownChange = ({ action }: Attempt) => (isRead(action) ? "" : "; whether AWS made the change is not known");

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
  what: ({ action, of, serviceName, tried }) => `${serviceName} throttles ${action}${of}${tried}`,
  next: "repeat later; a higher maxRetries allows more attempts",
};
const notPermitted: Rule = {
  code: "sharing-refused",
  what: (attempt, message) => `EC2 refuses to share ${resource(attempt)}: ${message}`,
  next: "see whether block public access is on, or whether a snapshot is encrypted under the AWS managed key",
};
const publicAccessBlocked: Rule = {
  code: "public-access-blocked",
  what: (attempt, message) => `EC2 refuses to make ${resource(attempt)} public: ${message}`,
  next: "if it is intended, turn block public access off first (aws ec2 disable-image-block-public-access, disable-snapshot-block-public-access), unless a declarative policy of the organization sets it",
};

/** Where else an action has to be allowed. AWS Organizations API reference, ListAccounts. */
const ALSO_ALLOW: Readonly<Record<string, string>> = {
  kms: " and in the key's policy",
  organizations: ", with credentials of the management account or of a delegated administrator; or take the names from a file",
};

const unauthorized: Rule = {
  code: "not-authorized",
  what: (attempt) =>
    `the caller may not call ${iamAction(attempt)}${attempt.service === "organizations" ? "" : ` on ${resource(attempt)}`}`,
  next: (attempt) => `allow ${iamAction(attempt)} in the caller's IAM policy${ALSO_ALLOW[attempt.service ?? "ec2"] ?? ""}`,
};

/** Codes: EC2 API reference, "Error codes for the Amazon EC2 API"; AccessDeniedException: KMS API reference, "Common errors"; credential codes: STS and IAM API references, "Common errors". */
const RULES: Readonly<Record<string, Rule>> = {
  "InvalidAMIID.NotFound": imageNotFound,
  "InvalidAMIID.Malformed": imageNotFound,
  "InvalidAMIID.Unavailable": {
    ...imageNotFound,
    what: ({ imageId }) => `AMI ${imageId} is deregistered or cannot be changed now`,
    next: "where it is disabled, enable it first (aws ec2 enable-image); where it is deregistered, nobody has access any more",
  },
  "InvalidSnapshot.NotFound": snapshotNotFound,
  "InvalidSnapshotID.Malformed": snapshotNotFound,
  UnauthorizedOperation: unauthorized,
  AccessDeniedException: unauthorized,
  AWSOrganizationsNotInUseException: {
    code: "aws-error",
    what: () => "the account of the credentials is in no organization",
    next: "use credentials of the organization's management account, or take the names from a file",
  },
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
    what: (attempt, message) => `sharing ${resource(attempt)} would exceed a quota: ${message}`,
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

/** Failures before the request is sent. */
const NOT_SENT = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|connect ETIMEDOUT/;

/** Converts any error to an error for users. An AmiSharingError is returned unchanged. */
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
  const failed = failedCall(error, attempt);
  const from = (rule: Rule, awsCode?: string) =>
    new AmiSharingError(rule.code, rule.what(failed, oneLine(message)), {
      ...(attempt.imageId === undefined ? {} : { imageId: attempt.imageId }),
      ...(awsCode === undefined ? {} : { awsCode }),
      ...($metadata?.requestId === undefined ? {} : { requestId: $metadata.requestId }),
      // Without an HTTP status, AWS did not answer: the error is not of this call.
      ...($metadata?.httpStatusCode === undefined ? {} : { call: failed.action }),
      ...(failed.endpoint === undefined ? {} : { endpoint: failed.endpoint }),
      next: typeof rule.next === "string" ? rule.next : rule.next(failed),
      verbatim: [oneLine(message), oneLine(causesOf(error))],
      cause: error,
    });

  if (error instanceof BadAnswer) return from(badAnswer(error.flaw));
  if (error instanceof NoAnswer) return from(noAnswer(error));
  if (name === "AuthFailure") return from(/credentials/i.test(message) ? rejected : notOwner, name);
  const known = RULES[name];
  const refusal = /block public access/i.test(message) ? publicAccessBlocked : notPermitted;
  // For calls other than Modify…, these codes have another meaning.
  const rule = known !== notPermitted ? known : /^Modify/.test(failed.action) ? refusal : undefined;
  if (rule) return from(rule, name);
  if (/^Invalid response from STS/.test(message)) return from(badAnswer("it holds no credentials"));
  if (name === "CredentialsProviderError" || name === "TokenProviderError")
    return from(/expired/i.test(message) ? expired : credentialsMissing(message, attempt));
  if (/region is missing/i.test(message)) return from(regionMissing);
  const causes = causesOf(error);
  if ($metadata?.httpStatusCode === undefined && UNREACHABLE.test(`${name} ${String(code)} ${message} ${causes}`))
    return from(unreachable(message || causes));
  return from(
    {
      code: "aws-error",
      what: ({ action, of }, words) => `${action}${of} failed: ${words}`,
      next: "repeat; if it stays, give AWS support the request id",
    },
    name === "" || /^(Error|Unknown|UnknownError)$/.test(name) ? undefined : name,
  );
}

/** The error for an AMI that is not in the answer of EC2. */
export function imageNotShown(answer: object, attempt: Attempt): AmiSharingError {
  const { code, what, next } = imageNotFound;
  const failed = failedCall(answer, attempt);
  return new AmiSharingError(code, what(failed, ""), {
    ...(failed.imageId === undefined ? {} : { imageId: failed.imageId }),
    ...(failed.endpoint === undefined ? {} : { endpoint: failed.endpoint }),
    call: failed.action,
    next: next as string,
  });
}

function failedCall(error: unknown, attempt: Attempt): Failed {
  const facts = factsOf(error);
  const { action, service = "ec2" } = attempt;
  const own = facts === undefined || facts.action === action;
  return {
    ...attempt,
    action: own ? action : facts.action,
    service: own ? service : (facts.service.toLowerCase() as "ec2" | "kms" | "sts"),
    serviceName: facts?.service ?? service.toUpperCase(),
    endpoint: facts?.endpoint,
    tried: triedWords(facts),
    of: own ? resourceOf(attempt) : ` for ${action}${resourceOf(attempt)}`,
  };
}

function triedWords(facts: CallFacts | undefined): string {
  if (facts?.attempts === undefined) return "";
  const { attempts, milliseconds } = facts;
  return `, after ${attempts} ${attempts === 1 ? "attempt" : "attempts"} in ${(milliseconds / 1000).toFixed(1)} s`;
}

function badAnswer(flaw: string): Rule {
  return {
    code: "bad-answer",
    what: (failed) => `the answer to ${failed.action}${failed.of} is not valid: ${flaw}${unknownChange(failed)}`,
    next: ({ endpoint }) =>
      `repeat; if it stays, check what answers ${endpoint === undefined ? "in place of AWS: a proxy, or a sign-in page of the network" : "at that endpoint"}`,
  };
}

function noAnswer({ what, times, sent }: NoAnswer): Rule {
  return {
    code: "endpoint-unreachable",
    what: (failed) =>
      `${endpointWords(failed)} ${what}: ${failed.action}${failed.of}${times > 1 ? `, ${times} times` : ""}${sent ? unknownChange(failed) : ""}`,
    next: `${CHECK_NETWORK}; a slow network may need more time (AMI_LAUNCH_PERMISSIONS_REQUEST_TIMEOUT_MS)`,
  };
}

function credentialsMissing(message: string, { profile }: Attempt): Rule {
  return {
    code: "credentials-missing",
    what: () => `no AWS credentials${profile === undefined ? "" : ` in profile ${JSON.stringify(profile)}`}: ${oneLine(message)}`,
    next: "set a profile, AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or assumeRole",
  };
}

const regionMissing: Rule = {
  code: "region-missing",
  what: () => "no AWS region",
  next: "set the region (the argument's, or the engine's AWS configuration), or AWS_REGION",
};

const CHECK_NETWORK = "check the network, the region and the endpoint";
const endpointWords = (failed: Failed) =>
  `${failed.serviceName}'s endpoint${failed.endpoint === undefined ? "" : ` ${failed.endpoint}`}${inRegion(failed)}`;

function unreachable(why: string): Rule {
  const sent = !NOT_SENT.test(why);
  return {
    code: "endpoint-unreachable",
    what: (failed) =>
      `${endpointWords(failed)} cannot be reached for ${failed.action}${failed.of}: ${oneLine(why)}${sent ? unknownChange(failed) : ""}`,
    next: CHECK_NETWORK,
  };
}

/** If several addresses fail, Node.js throws an AggregateError that has no message: the messages are in `errors`. */
function causesOf(error: unknown): string {
  const { errors = [], cause } = error as { errors?: readonly unknown[]; cause?: unknown };
  return [...errors, ...(cause ? [cause] : [])].map((one) => (one instanceof Error ? one.message : String(one))).join(", ");
}

/** A message of AWS in one line, without parts that nobody can read. */
function oneLine(message: string): string {
  // An encoded authorization failure message is long and unreadable. The error has the code and the request id instead.
  const words = message
    .replace(/\s*Encoded authorization failure message:.*$/s, "")
    .replace(/\s+/g, " ")
    .trim()
    .replace(/\.$/, "");
  // The SDK writes this if the answer has no message.
  return words === "" || /^(Unknown|UnknownError)$/.test(words) ? "AWS gives no reason" : words;
}
