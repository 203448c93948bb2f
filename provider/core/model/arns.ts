/** Parsing ARNs: the account of a principal or a key, and the partition. */

/** The account of a principal, given as ARN or as account id. Empty for other principals. */
export function accountOfPrincipal(principal: string): string {
  return /^\d{12}$/.test(principal) ? principal : (/^arn:[^:]+:(?:iam|sts)::(\d{12}):/.exec(principal)?.[1] ?? "");
}

/** The partition of an ARN. `aws` if the text is not an ARN. */
export function partitionOf(arn: string): string {
  return /^arn:([^:]+):/.exec(arn)?.[1] ?? "aws";
}

/** The account that owns a key, by the key's ARN. */
export function accountOfKey(arn: string): string {
  return arn.split(":")[4] ?? "";
}
