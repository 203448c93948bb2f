/** The error policy: how the adapters and operations treat each error code. A new code does not compile without an entry here. */

import { AmiSharingError, type ErrorCode } from "./errors";

export interface ErrorPolicy {
  /**
   * The source of the error. `connection`: the connection to AWS, so every call fails. `call`: a single call or its answer. `set`: the
   * arguments of a set.
   */
  readonly fault: "connection" | "call" | "set";
  /**
   * Whether a plan shows the error as a warning instead of failing. Another resource of the same run may remove the cause. If the cause
   * stays, the apply of this set fails, and the other sets are applied.
   */
  readonly warnsInPlan: boolean;
  /** Whether every other AMI of the region would give the same error. Then a list stops. */
  readonly affectsEveryAmi: boolean;
  /** The result of a change that failed with the error. `unknown`: AWS may have made the change. */
  readonly change: "refused" | "unknown";
  /** Whether the set can still be destroyed if the plan of a change fails with the error. */
  readonly destroyPossible: boolean;
  /** The argument that the error is about, if the error itself does not name one. */
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

  "invalid-argument": { ...SET, destroyPossible: true },
  "image-not-found": { ...SET, warnsInPlan: true, destroyPossible: true, property: "imageId" },
  "image-not-shareable": { ...SET, warnsInPlan: true },
  "snapshot-not-found": { ...SET, warnsInPlan: true, property: "createVolumePermissions" },
  "public-access-blocked": { ...SET, warnsInPlan: true },
  "not-owner": { ...SET, property: "imageId" },
  "sharing-refused": { ...SET, destroyPossible: true },
  "quota-exceeded": { ...SET, destroyPossible: true },
  "too-many-revocations": { ...SET, destroyPossible: true },
  "unrecorded-grants": { ...SET, destroyPossible: true },
  "not-allowed": { ...SET, destroyPossible: true },
  "conflicting-sets": { ...SET, destroyPossible: true },
  "hand-over-incomplete": SET,
  "state-unreadable": SET,
  "caller-unknown": { ...SET, change: "unknown" },
  "not-visible": { ...SET, change: "unknown" },
} as const satisfies Record<ErrorCode, ErrorPolicy>;

/** The codes of errors in the connection to AWS. */
export type ConnectionFault = {
  [Code in ErrorCode]: (typeof POLICIES)[Code]["fault"] extends "connection" ? Code : never;
}[ErrorCode];

/** The policy of an error. Undefined if it is not an AmiSharingError. */
export function policyOf(error: unknown): ErrorPolicy | undefined {
  return error instanceof AmiSharingError ? POLICIES[error.code] : undefined;
}

/**
 * Whether a plan warns of an error and does not fail.
 *
 * @param unsharedFirst whether another AMI is unshared before this one is shared. If this AMI does not exist, nobody would have access then
 */
export function warnsInPlan(error: unknown, unsharedFirst: boolean): boolean {
  if (!(error instanceof AmiSharingError) || !POLICIES[error.code].warnsInPlan) return false;
  return !(unsharedFirst && error.code === "image-not-found");
}
