/** The error class: a stable code, the wrong value, the message of AWS, and what to do next. */

import { escapeControls } from "./escape";

/** What went wrong. The meaning of a code never changes. docs/troubleshooting.md says for each code what to do. */
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
  | "not-allowed"
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

/** The details of an error. */
export interface ErrorDetails {
  /** The top-level argument that caused the error, such as `accountIds`. */
  readonly property?: string;
  /** The AMI. */
  readonly imageId?: string;
  /** The error code that AWS returned. */
  readonly awsCode?: string;
  /** The request id that AWS support asks for. */
  readonly requestId?: string;
  /** The call that failed, such as `ModifyImageAttribute`. The message adds it if the text does not contain it. */
  readonly call?: string;
  /** The endpoint that was called, if it is not an endpoint of AWS. */
  readonly endpoint?: string;
  /** What the user can do about it. */
  readonly next?: string;
  /**
   * Parts of the message that come from others and are not in quotes, such as a message of AWS. An adapter that translates argument names
   * must not change them.
   *
   * @internal
   */
  readonly verbatim?: readonly string[];
  /** The error that caused this one, such as an error of the SDK. */
  readonly cause?: unknown;
}

/** An error with a stable `code`. Its message is one line in lower case without control characters, and is complete without a stack trace. */
export class AmiSharingError extends Error {
  /** Always `AmiSharingError`. */
  override readonly name = "AmiSharingError";
  /** The top-level argument that caused the error, such as `accountIds`. */
  readonly property: string | undefined;
  /** The AMI. */
  readonly imageId: string | undefined;
  /** The error code that AWS returned, such as `InvalidAMIID.NotFound`. */
  readonly awsCode: string | undefined;
  /** The request id that AWS support asks for. */
  readonly requestId: string | undefined;
  /** What the user can do about it. The message contains it, too. */
  readonly next: string | undefined;
  /** @internal */
  readonly verbatim: readonly string[];

  constructor(
    /** What went wrong. The message ends with it, in brackets. */
    readonly code: ErrorCode,
    what: string,
    details: ErrorDetails = {},
  ) {
    super(messageOf(code, what, details), details.cause === undefined ? undefined : { cause: details.cause });
    this.property = details.property;
    this.imageId = details.imageId;
    this.awsCode = details.awsCode;
    this.requestId = details.requestId;
    this.next = details.next;
    this.verbatim = (details.verbatim ?? []).map(escapeControls);
  }
}

function messageOf(code: ErrorCode, what: string, { awsCode, requestId, call, endpoint, next }: ErrorDetails): string {
  const where = [call && !what.includes(call) && call, endpoint && !what.includes(endpoint) && `at ${endpoint}`];
  const aws = [awsCode && `AWS: ${awsCode}`, requestId && `request id ${requestId}`, where.filter(Boolean).join(" ")];
  const known = aws.filter(Boolean).join(", ");
  return escapeControls(`${what}${known && ` (${known})`}${next ? `; ${next}` : ""} [${code}]`);
}
