/** Key policies and grants as text and lists: whom they admit to a KMS key, and the statements that admit more; pure. */

import type { KeyGrant } from "../aws";
import { type ArgumentProblem, decodeDeclaredSet, problemText } from "../declaration";
import { AmiSharingError, accountOfPrincipal, UNKNOWN } from "../model";

/**
 * What launching from an encrypted AMI, or copying it, needs of the key.
 * EBS user guide, "Share the KMS key used to encrypt a shared Amazon EBS snapshot".
 */
const NEEDED_ACTIONS = ["kms:DescribeKey", "kms:Decrypt", "kms:CreateGrant", "kms:ReEncryptFrom"];

/** A statement of a key policy, as IAM writes it. */
export interface KeyPolicyStatement {
  /** Names the statement, such as `AmiSharingAccountsUse`; no two of one call are the same. */
  readonly Sid: string;
  /** Always `Allow`. */
  readonly Effect: "Allow";
  /** ARNs of the accounts' roots; `*` where a condition names the organizations or units. */
  readonly Principal: { readonly AWS: string | readonly string[] };
  /** Actions such as `kms:Decrypt`. */
  readonly Action: readonly string[];
  /** The key that the policy is of. */
  readonly Resource: "*";
  /** Operator → condition key → values. Absent: the statement always holds. */
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** Whom to admit to a key. */
export interface KeyUsers {
  /** Accounts, 12 digits each. Default: none. */
  readonly accountIds?: readonly string[];
  /** Organizations, by full ARN. Default: none. */
  readonly organizationArns?: readonly string[];
  /** Organizational units, by full ARN; those nested in them are admitted, too. Default: none. */
  readonly organizationalUnitArns?: readonly string[];
  /** The partition of the accounts. Default: `aws`. */
  readonly partition?: string;
}

/**
 * The statements to add to a customer managed key's policy, so that accounts, organizations and units can launch and copy what is
 * encrypted under it. `Resource: "*"` is the key itself.
 *
 * EC2 user guide, "Share an AMI with specific organizations or organizational units", "Allow organizations and OUs to use a KMS key".
 *
 * @throws AmiSharingError `invalid-argument`: what is neither account, organization nor unit gets no statement
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

/** An ARN's second part. IAM user guide, "Identify AWS resources with Amazon Resource Names (ARNs)": `aws`, `aws-cn`, `aws-us-gov`, … */
const PARTITION = /^aws(-[a-z]+)*$/;

/** The users of a key in canonical form, or what is wrong with them. */
export function decodeKeyUsers(
  given: KeyUsers,
): { readonly users: KeyUsers } | { readonly problems: readonly ArgumentProblem[] } {
  const { partition = "aws", ...whom } = given;
  const known = ["accountIds", "organizationArns", "organizationalUnitArns"];
  const stranger = Object.keys(whom).find((name) => !known.includes(name));
  const wrong = (property: string, message: string) => ({ problems: [{ property, path: [property], message }] });
  if (stranger) return wrong(stranger, `there is no argument "${stranger}"; the arguments are ${known.join(", ")}, partition`);
  if (!PARTITION.test(partition))
    return wrong("partition", `${JSON.stringify(partition)} is not a partition; write one such as "aws-us-gov"`);
  const decoded = decodeDeclaredSet({ ...whom, imageId: UNKNOWN });
  return "problems" in decoded ? decoded : { users: { ...(decoded.declared as Omit<KeyUsers, "partition">), partition } };
}

/** Grants only for AWS's own use, as the user guide asks: nobody hands the key on. */
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
 * Whether a policy and grants admit an account, as far as can be read: every action that is needed is allowed to a principal of the
 * account by some statement or grant. Conditions that cannot be judged from here are taken as met, and denials are not looked at.
 */
export function admitsAccount(policy: string, grants: readonly KeyGrant[], accountId: string): boolean {
  const granted = grants.filter((grant) => grant.accountId === accountId).flatMap(({ operations }) => operations);
  const allowed = allowStatements(policy).filter((statement) => admits(statement, accountId));
  return NEEDED_ACTIONS.every(
    (action) =>
      granted.includes(action.slice("kms:".length)) || allowed.some((statement) => listOf(statement.Action).some(covers(action))),
  );
}

/** Whether a policy names an organization or a unit in a condition; `id` is the last part of its ARN. */
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

function admits({ Principal, Condition }: Statement, accountId: string): boolean {
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

/** IAM's wildcards, without regard to case. */
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
