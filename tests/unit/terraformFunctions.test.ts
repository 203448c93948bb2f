/** The function of the provider: it returns the same statements as in programs, and its errors name the invalid argument. */

import * as assert from "node:assert/strict";
import { decode, encode } from "@msgpack/msgpack";
import { kmsKeyPolicyStatements } from "../../provider/core";
import { providerServer } from "../../provider/terraform/server";
import { MemoryGateway, OWNER } from "../helpers/memoryGateway";
import { ask, MemoryTerraform } from "../helpers/memoryTerraform";

const [A, B] = ["111122223333", "444455556666"] as const;
const ORGANIZATION = "arn:aws:organizations::111122223333:organization/o-abcde12345";
const UNIT = "arn:aws:organizations::111122223333:ou/o-abcde12345/ou-ab12-cdefgh34";
const UNKNOWN = Buffer.from([0xd4, 0, 0]);

const server = providerServer({ env: {}, log: () => undefined });
const raw = (name: string, args: readonly Uint8Array[]) =>
  ask(server, "CallFunction", { name, arguments: args.map((msgpack) => ({ msgpack })) });
const call = async (...args: readonly unknown[]) => {
  const { result, error } = await raw(
    "kms_key_policy_statements",
    args.map((one) => encode(one)),
  );
  return { result: (result as { msgpack: Uint8Array } | undefined)?.msgpack, error };
};
/** The values that go-cty reads: the type, then the value. */
const value = (msgpack: Uint8Array | undefined) => {
  const [type, given] = decode(msgpack ?? assert.fail("there is no result")) as [Uint8Array, unknown];
  return { type: JSON.parse(Buffer.from(type).toString()), given };
};

describe("the function kms_key_policy_statements", () => {
  it("has a description, parameter names, nullable parameters and an optional partition", async () => {
    const { functions } = await ask(server, "GetFunctions", {});
    const {
      parameters,
      variadic_parameter,
      return: result,
    } = (functions as Record<string, Record<string, unknown>>).kms_key_policy_statements as Record<string, unknown>;
    const told = [...(parameters as Record<string, unknown>[]), variadic_parameter as Record<string, unknown>];
    assert.deepEqual(
      told.map((one) => [one.name, String(one.type), one.allow_null_value, one.allow_unknown_values ?? false]),
      [
        ["account_ids", '["list","string"]', true, false],
        ["organization_arns", '["list","string"]', true, false],
        ["organizational_unit_arns", '["list","string"]', true, false],
        ["partition", '"string"', true, false],
      ],
    );
    assert.equal(String((result as { type: Uint8Array }).type), '"dynamic"');
  });

  for (const [what, args, users] of [
    ["accounts", [[A, B], null, null], { accountIds: [A, B] }],
    [
      "all kinds",
      [[B, A], [ORGANIZATION], [UNIT]],
      { accountIds: [A, B], organizationArns: [ORGANIZATION], organizationalUnitArns: [UNIT] },
    ],
    ["another partition", [[A], [], [], "aws-cn"], { accountIds: [A], partition: "aws-cn" }],
    ["a null partition", [[A], [], [], null], { accountIds: [A] }],
    ["nobody", [null, [], null], {}],
  ] as const)
    it(`returns for ${what} the same as in programs`, async () => {
      const { result, error } = await call(...args);
      assert.equal(error, undefined);
      assert.deepEqual(value(result).given, kmsKeyPolicyStatements(users));
    });

  it("returns the type of each statement: a statement without a condition has no such attribute", async () => {
    const { type } = value((await call([A], null, null)).result);
    const [use, grants] = type[1];
    assert.deepEqual(Object.keys(use[1]), ["Sid", "Effect", "Principal", "Resource", "Action"]);
    assert.deepEqual(grants[1].Condition, ["object", { Bool: ["object", { "kms:GrantIsForAWSResource": "string" }] }]);
    assert.deepEqual(use[1].Principal, ["object", { AWS: ["tuple", ["string"]] }]);
  });

  for (const [what, args, argument, text] of [
    [
      "an account",
      [[A, "1234"], null, null],
      0,
      /^account_ids\[1\]: "1234" has 4 digits, an account id has 12.*\[invalid-argument\]$/,
    ],
    ["two accounts", [["x", "y"], ["z"], null], 0, /^account_ids\[0\]: "x" .*; account_ids\[1\]: "y" .*\[invalid-argument\]$/],
    ["a null among accounts", [[null], null, null], 0, /^account_ids\[0\]: null is not an account id/],
    ["an organization", [[A], [UNIT], null], 1, /^organization_arns\[0\]: ".*" is not an organization's ARN/],
    ["a unit", [null, null, ["*"]], 2, /^organizational_unit_arns\[0\]: "\*" is not an organizational unit's ARN/],
    [
      "a partition",
      [[A], null, null, "China"],
      3,
      /^partition: "China" is not a partition; write one such as "aws-us-gov" \[invalid-argument\]$/,
    ],
    [
      "two partitions",
      [[A], null, null, "aws", "aws-cn"],
      4,
      /^partition: there is one; leave the others out \[invalid-argument\]$/,
    ],
  ] as const)
    it(`reports an error in ${what}, and the index of the argument`, async () => {
      const { result, error } = await call(...args);
      assert.equal(result, undefined);
      const { text: said, function_argument } = error as { text: string; function_argument: number };
      assert.equal(function_argument, argument);
      assert.match(said, text);
    });

  it("returns an unknown value if an argument contains an unknown value anywhere", async () => {
    const list = Buffer.concat([Buffer.from([0x92]), encode(A), UNKNOWN]);
    for (const args of [
      [UNKNOWN, encode(null), encode(null)],
      [list, encode(null), encode(null)],
    ]) {
      const { result, error } = await raw("kms_key_policy_statements", args);
      assert.deepEqual([Buffer.from((result as { msgpack: Uint8Array }).msgpack), error], [UNKNOWN, undefined]);
    }
  });

  it("is named in the plan's warning about grantees that a key does not admit", async () => {
    const ec2 = new MemoryGateway();
    const { imageId, snapshotIds } = ec2.addImage(1);
    for (const id of snapshotIds) ec2.encrypt(id, `arn:aws:kms:us-east-1:${OWNER}:key/own`);
    const terraform = new MemoryTerraform({ makeGateway: () => ec2 });
    const { diagnostics } = await terraform.plan({ image_id: imageId, account_ids: [A], organization_arns: [ORGANIZATION] });
    const words = diagnostics.map(({ detail }) => detail).join("\n");
    assert.equal(
      words.replace(/\s+/g, " ").match(/\(provider::ami::kms_key_policy_statements gives the statements\)/g)?.length,
      2,
    );
    assert.doesNotMatch(words, /kmsKeyPolicyStatements/);
  });

  it("is the only function, and its arguments are required", async () => {
    assert.deepEqual((await raw("other", [])).error, {
      text: "There is no function other; the provider has kms_key_policy_statements.",
    });
    assert.deepEqual((await call([A])).error, {
      text: "kms_key_policy_statements takes account_ids, organization_arns, organizational_unit_arns: 1 were given.",
    });
  });
});
