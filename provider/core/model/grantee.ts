/** Grantees: their kinds, and their keys in the grants map. */

/**
 * Who can have a permission. `other` is a user id of no other kind, such as `aws-marketplace` of the AWS Marketplace. It is shown and never
 * changed.
 */
export type Grantee =
  | { readonly kind: "account"; readonly accountId: string }
  | { readonly kind: "organization"; readonly arn: string }
  | { readonly kind: "organizationalUnit"; readonly arn: string }
  | { readonly kind: "public" }
  | { readonly kind: "other"; readonly userId: string };

/** `account/111122223333`, the ARN of an organization or organizational unit, `public`, or `user/aws-marketplace`. */
export type GranteeKey = string;

export const PUBLIC: GranteeKey = "public";

const ACCOUNT_PREFIX = "account/";
const OTHER_PREFIX = "user/";
const ARN_PREFIX = "arn:";

export function accountKey(accountId: string): GranteeKey {
  return ACCOUNT_PREFIX + accountId;
}

/** The key of a grantee. Equal grantees have equal keys. */
export function granteeKey(grantee: Grantee): GranteeKey {
  switch (grantee.kind) {
    case "account":
      return accountKey(grantee.accountId);
    case "organization":
    case "organizationalUnit":
      // AWS ignores the case of these ARNs and returns them in lower case.
      return grantee.arn.toLowerCase();
    case "public":
      return PUBLIC;
    case "other":
      return OTHER_PREFIX + grantee.userId;
  }
}

/**
 * The grantee of a key: the inverse of {@link granteeKey}.
 *
 * @throws Error if the text is not a key. Keys from a state are checked with `isGranteeKey` first
 */
export function parseGranteeKey(key: GranteeKey): Grantee {
  if (key === PUBLIC) return { kind: "public" };
  if (key.startsWith(ACCOUNT_PREFIX)) return { kind: "account", accountId: key.slice(ACCOUNT_PREFIX.length) };
  if (key.startsWith(OTHER_PREFIX)) return { kind: "other", userId: key.slice(OTHER_PREFIX.length) };
  if (!key.startsWith(ARN_PREFIX)) throw new Error(`${JSON.stringify(key)} is not the key of a grantee`);
  return key.includes(":ou/") ? { kind: "organizationalUnit", arn: key } : { kind: "organization", arn: key };
}

/** The key of a `UserId` that EC2 returns: an account or another user. */
export function userKey(userId: string): GranteeKey {
  return granteeKey(/^\d{12}$/.test(userId) ? { kind: "account", accountId: userId } : { kind: "other", userId });
}

/** Whether a set can add and remove the grantee. */
export function isManageable(key: GranteeKey): boolean {
  return !key.startsWith(OTHER_PREFIX);
}

/** Whether the grantee is one account, not everybody or a group of accounts. */
export function isAccount(key: GranteeKey): boolean {
  return key.startsWith(ACCOUNT_PREFIX);
}

/** Whether the grantee counts toward the quota of entities: accounts, organizations and organizational units do. */
export function isEntity(key: GranteeKey): boolean {
  return isManageable(key) && key !== PUBLIC;
}
