/** Key policies: which grantees they admit, as far as the tool can decide, and the statements that admit more grantees, which the tool understands. */

import * as assert from "node:assert/strict";
import { type KeyGrant, kmsKeyPolicyStatements } from "../../provider/core";
import { GRANT_OPERATIONS } from "../../provider/core/aws/kmsGateway";
import { partitionOf } from "../../provider/core/model/arns";
import { allowsAccount, namesOrganization } from "../../provider/core/planning/keyPolicy";

const [A, B] = ["111122223333", "444455556666"];
const ORGANIZATION = "arn:aws:organizations::111122223333:organization/o-abcde12345";
const UNIT = "arn:aws:organizations::111122223333:ou/o-abcde12345/ou-ab12-cdefgh34";
const USE = ["kms:DescribeKey", "kms:Decrypt", "kms:CreateGrant", "kms:ReEncrypt*"];

const policy = (...statements: Record<string, unknown>[]) =>
  JSON.stringify({ Version: "2012-10-17", Statement: statements.map((one) => ({ Effect: "Allow", Resource: "*", ...one })) });

describe("a key's policy", () => {
  const cases: readonly { name: string; policy: string; grants?: KeyGrant[]; admits: boolean }[] = [
    { name: "without statements", policy: "{}", admits: false },
    {
      name: "for the owner only",
      policy: policy({ Principal: { AWS: `arn:aws:iam::${B}:root` }, Action: "kms:*" }),
      admits: false,
    },
    { name: "for the account", policy: policy({ Principal: { AWS: `arn:aws:iam::${A}:root` }, Action: "kms:*" }), admits: true },
    { name: "for its bare id, in a list", policy: policy({ Principal: { AWS: [B, A] }, Action: ["kms:*"] }), admits: true },
    { name: "for a role of it", policy: policy({ Principal: { AWS: `arn:aws:iam::${A}:role/x` }, Action: USE }), admits: true },
    {
      name: "of another partition",
      policy: policy({ Principal: { AWS: `arn:aws-cn:iam::${A}:root` }, Action: "*" }),
      admits: true,
    },
    {
      name: "with one action missing",
      policy: policy({ Principal: { AWS: A }, Action: USE.filter((action) => action !== "kms:CreateGrant") }),
      admits: false,
    },
    {
      name: "with NotAction, which is not read",
      policy: policy({ Principal: { AWS: A }, NotAction: "kms:Delete*" }),
      admits: false,
    },
    {
      name: "in two statements",
      policy: policy({ Principal: { AWS: A }, Action: USE.slice(0, 2) }, { Principal: { AWS: A }, Action: USE.slice(2) }),
      admits: true,
    },
    { name: "that denies", policy: policy({ Effect: "Deny", Principal: { AWS: A }, Action: "kms:*" }), admits: false },
    { name: "for everybody", policy: policy({ Principal: "*", Action: "kms:*" }), admits: true },
    {
      name: "for everybody of an account",
      policy: policy({ Principal: { AWS: "*" }, Action: "kms:*", Condition: { StringEquals: { "kms:CallerAccount": [B, A] } } }),
      admits: true,
    },
    {
      name: "for everybody of another account",
      policy: policy({ Principal: { AWS: "*" }, Action: "kms:*", Condition: { StringEquals: { "kms:CallerAccount": B } } }),
      admits: false,
    },
    {
      name: "of a service",
      policy: policy({ Principal: { Service: "ec2.amazonaws.com" }, Action: "kms:*" }),
      admits: false,
    },
    {
      name: "and a grant",
      policy: "{}",
      grants: [{ keyId: "k", grantId: "g", name: "", accountId: A, operations: [...GRANT_OPERATIONS] }],
      admits: true,
    },
    {
      name: "and a grant that lacks an operation",
      policy: "{}",
      grants: [{ keyId: "k", grantId: "g", name: "", accountId: A, operations: ["Decrypt"] }],
      admits: false,
    },
    {
      name: "and a grant of another account",
      policy: "{}",
      grants: [{ keyId: "k", grantId: "g", name: "", accountId: B, operations: [...GRANT_OPERATIONS] }],
      admits: false,
    },
  ];
  for (const { name, policy: text, grants = [], admits } of cases)
    it(`${name}: ${admits ? "admits" : "does not admit"} the account`, () => {
      assert.equal(allowsAccount(text, grants, A), admits);
    });
});

describe("the statements for a key's policy", () => {
  const text = (users: Parameters<typeof kmsKeyPolicyStatements>[0]) =>
    JSON.stringify({ Statement: kmsKeyPolicyStatements(users) });

  it("are empty if there are no grantees", () => {
    assert.deepEqual(kmsKeyPolicyStatements({}), []);
  });

  it("admit accounts, and allow them to create grants for AWS services only", () => {
    const made = kmsKeyPolicyStatements({ accountIds: [A], partition: "aws-us-gov" });
    assert.deepEqual(made, [
      {
        Sid: "AmiSharingAccountsUse",
        Effect: "Allow",
        Principal: { AWS: [`arn:aws-us-gov:iam::${A}:root`] },
        Resource: "*",
        Action: ["kms:DescribeKey", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*"],
      },
      {
        Sid: "AmiSharingAccountsGrants",
        Effect: "Allow",
        Principal: { AWS: [`arn:aws-us-gov:iam::${A}:root`] },
        Resource: "*",
        Action: ["kms:CreateGrant"],
        Condition: { Bool: { "kms:GrantIsForAWSResource": "true" } },
      },
    ]);
    assert.equal(allowsAccount(text({ accountIds: [A] }), [], A), true);
    assert.equal(allowsAccount(text({ accountIds: [A] }), [], B), false);
  });

  it("admit organizations by id, and organizational units by path, nested units included", () => {
    const conditions = kmsKeyPolicyStatements({
      organizationArns: [ORGANIZATION],
      organizationalUnitArns: [UNIT.toUpperCase()],
    }).map(({ Condition }) => ({ ...Condition, Bool: undefined }));
    assert.deepEqual(JSON.parse(JSON.stringify(conditions)), [
      { StringEquals: { "aws:PrincipalOrgID": ["o-abcde12345"] } },
      { StringEquals: { "aws:PrincipalOrgID": ["o-abcde12345"] } },
      { "ForAnyValue:StringLike": { "aws:PrincipalOrgPaths": ["o-abcde12345/*/ou-ab12-cdefgh34/*"] } },
      { "ForAnyValue:StringLike": { "aws:PrincipalOrgPaths": ["o-abcde12345/*/ou-ab12-cdefgh34/*"] } },
    ]);
    assert.equal(namesOrganization(text({ organizationArns: [ORGANIZATION] }), ORGANIZATION), true);
    assert.equal(namesOrganization(text({ organizationalUnitArns: [UNIT] }), UNIT), true);
    assert.equal(namesOrganization(text({ accountIds: [A] }), ORGANIZATION), false);
  });
});

describe("key policy statements with invalid arguments", () => {
  const wrong: readonly [object, RegExp][] = [
    [
      { accountids: [A] },
      /there is no argument "accountids"; the arguments are accountIds, organizationArns, organizationalUnitArns, partition/,
    ],
    [{ accountIds: ["1234"] }, /accountIds\[0\]: "1234" has 4 digits/],
    [{ accountIds: ["*"] }, /accountIds\[0\]: "\*" is not an account id/],
    [{ accountIds: A }, /accountIds: "111122223333" is not a list of account ids/],
    [{ organizationArns: [UNIT] }, /organizationArns\[0\]: ".*" is not an organization's ARN/],
    [{ organizationalUnitArns: ["*"] }, /organizationalUnitArns\[0\]: "\*" is not an organizational unit's ARN/],
  ];
  for (const [users, says] of wrong)
    it(`are refused: ${JSON.stringify(users)}`, () => {
      assert.throws(
        () => kmsKeyPolicyStatements(users),
        (error: Error) => {
          assert.match(error.message, says);
          assert.match(error.message, /^kmsKeyPolicyStatements: .* \[invalid-argument\]$/);
          return true;
        },
      );
    });
});

describe("the partition of a key", () => {
  it("comes from its ARN, and is aws if there is no ARN", () => {
    assert.equal(partitionOf(`arn:aws-us-gov:kms:us-gov-west-1:${A}:key/x`), "aws-us-gov");
    assert.equal(partitionOf("x"), "aws");
  });
});
