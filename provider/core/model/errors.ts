/** The errors a user can see: a stable code, the wrong value, what AWS said, and what to do next. */

import { escapeControls } from "./escape";

/** What went wrong. A code keeps its meaning from release to release; docs/troubleshooting.md says of each what to do. */
export type ErrorCode =
  | "invalid-argument"
  | "image-not-found"
  | "not-owner"
  | "image-not-shareable"
  | "snapshot-not-found"
  | "sharing-refused"
  | "public-access-blocked"
  | "quota-exceeded"
  | "too-many-revocations"
  | "unrecorded-grants"
  | "not-authorized"
  | "credentials-missing"
  | "credentials-expired"
  | "credentials-invalid"
  | "region-missing"
  | "endpoint-unreachable"
  | "bad-answer"
  | "throttled"
  | "not-visible"
  | "stopped"
  | "caller-unknown"
  | "conflicting-sets"
  | "hand-over-incomplete"
  | "state-unreadable"
  | "aws-error";

/** What is known of an error besides its code. */
export interface ErrorDetails {
  /** The argument that caused it, a top-level name of the set. */
  readonly property?: string;
  /** The AMI. */
  readonly imageId?: string;
  /** The error code that AWS answered. */
  readonly awsCode?: string;
  /** The request id that AWS support asks for. */
  readonly requestId?: string;
  /** The call that failed, such as `ModifyImageAttribute`; named where the words do not name it. */
  readonly call?: string;
  /** The endpoint that was called, where it is not AWS's. */
  readonly endpoint?: string;
  /** What the user can do about it. */
  readonly next?: string;
  /**
   * Parts of the words that are not ours and stand without quotes, such as what AWS said: nobody may reword them.
   *
   * @internal
   */
  readonly verbatim?: readonly string[];
  /** The error that this one was made of, such as the SDK's. */
  readonly cause?: unknown;
}

/** An error with a stable `code`; its message is one line without control characters, in lower case, and complete without a stack trace. */
export class AmiSharingError extends Error {
  /** Always `AmiSharingError`. */
  override readonly name = "AmiSharingError";
  /** The argument that caused it, a top-level name such as `accountIds`. */
  readonly property: string | undefined;
  /** The AMI. */
  readonly imageId: string | undefined;
  /** The error code that AWS answered, such as `InvalidAMIID.NotFound`. */
  readonly awsCode: string | undefined;
  /** The request id that AWS support asks for. */
  readonly requestId: string | undefined;
  /** What the user can do about it; also in the message. */
  readonly next: string | undefined;
  /** @internal */
  readonly verbatim: readonly string[];

  constructor(
    /** What went wrong; also at the end of the message, in brackets. */
    readonly code: ErrorCode,
    what: string,
    details: ErrorDetails = {},
  ) {
    super(sentence(code, what, details), details.cause === undefined ? undefined : { cause: details.cause });
    this.property = details.property;
    this.imageId = details.imageId;
    this.awsCode = details.awsCode;
    this.requestId = details.requestId;
    this.next = details.next;
    this.verbatim = (details.verbatim ?? []).map(escapeControls);
  }
}

function sentence(code: ErrorCode, what: string, { awsCode, requestId, call, endpoint, next }: ErrorDetails): string {
  const where = [call && !what.includes(call) && call, endpoint && !what.includes(endpoint) && `at ${endpoint}`];
  const aws = [awsCode && `AWS: ${awsCode}`, requestId && `request id ${requestId}`, where.filter(Boolean).join(" ")];
  const known = aws.filter(Boolean).join(", ");
  return escapeControls(`${what}${known && ` (${known})`}${next ? `; ${next}` : ""} [${code}]`);
}
