/** What is done about an error, by its code: a new code needs a row here before it compiles. */

import { AmiSharingError, type ErrorCode } from "./errors";

export interface ErrorPolicy {
  /**
   * What is at fault. `connection`: how AWS is reached, so that each call fails. `call`: one call or its answer. `set`: what a set asks for.
   * Only the last one tells something of a planned change.
   */
  readonly fault: "connection" | "call" | "set";
  /**
   * Whether a plan warns of it and does not fail: something else in the same run may remove the cause, and where nothing does, the other
   * sets are applied all the same.
   */
  readonly warnsInPlan: boolean;
  /** Whether it is to be expected for every other AMI of the region, so that none is asked for. */
  readonly affectsEveryAmi: boolean;
  /** What became of a change that AWS answered so. `unknown`: an attempt before it may have been made. */
  readonly change: "refused" | "unknown";
  /** Whether a destroy is possible where the plan of a change fails with it. */
  readonly destroyPossible: boolean;
  /** The argument that it is about, where the error itself names none. */
  readonly property?: "imageId" | "createVolumePermissions" | "region";
}

const CONNECTION = {
  fault: "connection",
  warnsInPlan: false,
  affectsEveryAmi: true,
  change: "unknown",
  destroyPossible: false,
} as const;
const CALL = { fault: "call", warnsInPlan: false, affectsEveryAmi: false, change: "unknown", destroyPossible: false } as const;
const SET = { fault: "set", warnsInPlan: false, affectsEveryAmi: false, change: "refused", destroyPossible: false } as const;

const POLICIES = {
  "credentials-missing": CONNECTION,
  "credentials-expired": CONNECTION,
  "credentials-invalid": CONNECTION,
  "endpoint-unreachable": CONNECTION,

  "region-missing": { ...CALL, affectsEveryAmi: true, property: "region" },
  "not-authorized": { ...CALL, change: "refused" },
  throttled: { ...CALL, affectsEveryAmi: true, change: "refused" },
  stopped: { ...CALL, affectsEveryAmi: true },
  "bad-answer": CALL,
  "aws-error": CALL,

  "invalid-argument": SET,
  "image-not-found": { ...SET, warnsInPlan: true, destroyPossible: true, property: "imageId" },
  "image-not-shareable": { ...SET, warnsInPlan: true },
  "snapshot-not-found": { ...SET, warnsInPlan: true, property: "createVolumePermissions" },
  "public-access-blocked": { ...SET, warnsInPlan: true },
  "not-owner": { ...SET, property: "imageId" },
  "sharing-refused": SET,
  "quota-exceeded": SET,
  "too-many-revocations": { ...SET, destroyPossible: true },
  "unrecorded-grants": { ...SET, destroyPossible: true },
  "conflicting-sets": SET,
  "hand-over-incomplete": SET,
  "state-unreadable": SET,
  "caller-unknown": { ...SET, change: "unknown" },
  "not-visible": { ...SET, change: "unknown" },
} as const satisfies Record<ErrorCode, ErrorPolicy>;

/** The codes of how AWS is reached. */
export type ConnectionFault = {
  [Code in ErrorCode]: (typeof POLICIES)[Code]["fault"] extends "connection" ? Code : never;
}[ErrorCode];

/** The policy of an error; undefined where it has no code of ours. */
export function policyOf(error: unknown): ErrorPolicy | undefined {
  return error instanceof AmiSharingError ? POLICIES[error.code] : undefined;
}
