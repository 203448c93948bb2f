/** What ARNs tell: the account of a principal and of a key, and the partition. */

/** The account of a principal's ARN or of a bare id; empty for others. */
export function accountOfPrincipal(principal: string): string {
  return /^\d{12}$/.test(principal) ? principal : (/^arn:[^:]+:(?:iam|sts)::(\d{12}):/.exec(principal)?.[1] ?? "");
}

/** The partition of an ARN; `aws` for what is none. */
export function partitionOf(arn: string): string {
  return /^arn:([^:]+):/.exec(arn)?.[1] ?? "aws";
}

/** The account that owns the key of an ARN. */
export function accountOfKey(arn: string): string {
  return arn.split(":")[4] ?? "";
}
