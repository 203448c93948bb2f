/** The errors a user can see: a stable code, the wrong value, what AWS said, and what to do next. */

import { escapeControls } from "./escape";

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

export interface ErrorDetails {
  /** The argument that caused it, a top-level name of the set. */
  readonly property?: string;
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
  /** Parts of the words that are not ours and stand without quotes, such as what AWS said: nobody may reword them. */
  readonly verbatim?: readonly string[];
  readonly cause?: unknown;
}

/** An error with a stable `code`; its message is one line without control characters, in lower case, and complete without a stack trace. */
export class AmiSharingError extends Error {
  override readonly name = "AmiSharingError";
  readonly property: string | undefined;
  readonly imageId: string | undefined;
  readonly awsCode: string | undefined;
  readonly requestId: string | undefined;
  readonly next: string | undefined;
  readonly verbatim: readonly string[];

  constructor(
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
