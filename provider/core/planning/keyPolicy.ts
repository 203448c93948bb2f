/** KMS key policies: who may use a key according to its policy and grants, and the statements that allow more accounts. No I/O. */

import type { KeyGrant } from "../aws";
import { type ArgumentProblem, decodeDeclaredSet, problemText } from "../declaration";
import { AmiSharingError, accountOfPrincipal, UNKNOWN } from "../model";

/**
 * The actions that an account needs on the key to launch from an encrypted AMI or to copy it.
 * EBS user guide, "Share the KMS key used to encrypt a shared Amazon EBS snapshot".
 */
const NEEDED_ACTIONS = ["kms:DescribeKey", "kms:Decrypt", "kms:CreateGrant", "kms:ReEncryptFrom"];

/** A statement of a key policy, as IAM writes it. */
export interface KeyPolicyStatement {
  /** The id of the statement, such as `AmiSharingAccountsUse`. It is unique in the result of one call. */
  readonly Sid: string;
  /** Always `Allow`. */
  readonly Effect: "Allow";
  /** ARNs of the accounts' root users. `*` if a condition names the organizations or organizational units. */
  readonly Principal: { readonly AWS: string | readonly string[] };
  /** Actions such as `kms:Decrypt`. */
  readonly Action: readonly string[];
  /** In a key policy, `*` means the key itself. */
  readonly Resource: "*";
  /** Operator → condition key → values. Absent: no condition. */
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** Who is to be allowed to use a key. */
export interface KeyUsers {
  /** Accounts, 12 digits each. Default: none. */
  readonly accountIds?: readonly string[];
  /** Organizations, by full ARN. Default: none. */
  readonly organizationArns?: readonly string[];
  /** Organizational units, by full ARN. Units nested in them are included. Default: none. */
  readonly organizationalUnitArns?: readonly string[];
  /** The partition of the accounts. Default: `aws`. */
  readonly partition?: string;
}

/**
 * The statements to add to the policy of a customer managed key. With them, accounts, organizations and organizational units can launch and
 * copy AMIs that are encrypted under the key.
 *
 * EC2 user guide, "Share an AMI with specific organizations or organizational units", "Allow organizations and OUs to use a KMS key".
 *
 * The statements let AWS services make grants for their callers. Auto Scaling launches with a role of its own, which the account that gets
 * the AMI has to admit with a grant of its own: docs/encrypted.md, "What the account that gets the AMI does".
 *
 * @throws AmiSharingError `invalid-argument` if a value is not an account id, an organization's ARN or an organizational unit's ARN
 */
export function kmsKeyPolicyStatements(users: KeyUsers): KeyPolicyStatement[] {
  const decoded = decodeKeyUsers(users);
  if ("problems" in decoded) {
    const words = decoded.problems.map(problemText).join("; ");
    throw new AmiSharingError("invalid-argument", `kmsKeyPolicyStatements: ${words}`);
  }
  const { accountIds = [], organizationArns = [], organizationalUnitArns = [], partition } = decoded.users;
  const organizations = organizationArns.map((arn) => last(arn));
  const paths = organizationalUnitArns.map((arn) => {
    const [unit = "", organization = ""] = arn.toLowerCase().split("/").reverse();
    return `${organization}/*/${unit}/*`;
  });
  return [
    ...(accountIds.length > 0 ? statements("Accounts", { AWS: accountIds.map((id) => `arn:${partition}:iam::${id}:root`) }) : []),
    ...(organizations.length > 0
      ? statements("Organizations", { AWS: "*" }, { StringEquals: { "aws:PrincipalOrgID": organizations } })
      : []),
    ...(paths.length > 0
      ? statements("Units", { AWS: "*" }, { "ForAnyValue:StringLike": { "aws:PrincipalOrgPaths": paths } })
      : []),
  ];
}

/** A partition: `aws`, `aws-cn`, `aws-us-gov`, … IAM user guide, "Identify AWS resources with Amazon Resource Names (ARNs)". */
const PARTITION = /^aws(-[a-z]+)*$/;

/** Decodes the users of a key to canonical form, or returns what is wrong with them. */
export function decodeKeyUsers(
  given: KeyUsers,
): { readonly users: KeyUsers } | { readonly problems: readonly ArgumentProblem[] } {
  const { partition = "aws", ...users } = given;
  const known = ["accountIds", "organizationArns", "organizationalUnitArns"];
  const unknownName = Object.keys(users).find((name) => !known.includes(name));
  const wrong = (property: string, message: string) => ({ problems: [{ property, path: [property], message }] });
  if (unknownName)
    return wrong(unknownName, `there is no argument "${unknownName}"; the arguments are ${known.join(", ")}, partition`);
  if (!PARTITION.test(partition))
    return wrong("partition", `${JSON.stringify(partition)} is not a partition; write one such as "aws-us-gov"`);
  const decoded = decodeDeclaredSet({ ...users, imageId: UNKNOWN });
  return "problems" in decoded ? decoded : { users: { ...(decoded.declared as Omit<KeyUsers, "partition">), partition } };
}

/** The two statements for one kind of users. The user guide limits kms:CreateGrant to AWS services (`kms:GrantIsForAWSResource`). */
function statements(
  who: string,
  Principal: KeyPolicyStatement["Principal"],
  condition?: KeyPolicyStatement["Condition"],
): KeyPolicyStatement[] {
  const common = { Effect: "Allow", Principal, Resource: "*" } as const;
  return [
    {
      Sid: `AmiSharing${who}Use`,
      ...common,
      Action: ["kms:DescribeKey", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*"],
      ...(condition ? { Condition: condition } : {}),
    },
    {
      Sid: `AmiSharing${who}Grants`,
      ...common,
      Action: ["kms:CreateGrant"],
      Condition: { ...condition, Bool: { "kms:GrantIsForAWSResource": "true" } },
    },
  ];
}

/**
 * Whether a policy and grants allow an account to use a key: some statement or grant has to allow each needed action. This is an
 * approximation: conditions other than those on the account count as met, and Deny statements are ignored.
 */
export function allowsAccount(policy: string, grants: readonly KeyGrant[], accountId: string): boolean {
  const granted = grants.filter((grant) => grant.accountId === accountId).flatMap(({ operations }) => operations);
  const allowed = allowStatements(policy).filter((statement) => allows(statement, accountId));
  return NEEDED_ACTIONS.every(
    (action) =>
      granted.includes(action.slice("kms:".length)) || allowed.some((statement) => listOf(statement.Action).some(covers(action))),
  );
}

/** Whether a policy names an organization or an organizational unit, by its id, in a condition. */
export function namesOrganization(policy: string, arn: string): boolean {
  const id = last(arn);
  return allowStatements(policy).some(({ Condition }) =>
    JSON.stringify(Condition ?? {})
      .toLowerCase()
      .includes(id),
  );
}

interface Statement {
  readonly Effect?: string;
  readonly Principal?: string | { readonly AWS?: string | readonly string[] };
  readonly Action?: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

function allowStatements(policy: string): Statement[] {
  const { Statement: found = [] } = JSON.parse(policy) as { Statement?: Statement | Statement[] };
  return listOf(found).filter(({ Effect }) => Effect === "Allow");
}

function allows({ Principal, Condition }: Statement, accountId: string): boolean {
  const principals = typeof Principal === "string" ? [Principal] : listOf(Principal?.AWS ?? []);
  if (principals.some((principal) => accountOfPrincipal(principal) === accountId)) return true;
  if (!principals.includes("*")) return false;
  const accounts = Object.values(Condition ?? {}).flatMap((test) =>
    Object.entries(test).flatMap(([key, values]) =>
      ["kms:calleraccount", "aws:principalaccount"].includes(key.toLowerCase()) ? listOf(values) : [],
    ),
  );
  return accounts.length === 0 || accounts.includes(accountId);
}

/** Whether a pattern with IAM's wildcards matches an action. IAM ignores the case of actions. */
function covers(action: string): (pattern: string) => boolean {
  return (pattern) => {
    const escaped = pattern
      .replace(/[.+^${}()|[\]\\]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".");
    return new RegExp(`^${escaped}$`, "i").test(action);
  };
}

function listOf<Item>(value: Item | readonly Item[] | undefined): readonly Item[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value as Item];
}

function last(arn: string): string {
  return arn.toLowerCase().split("/").at(-1) ?? "";
}
