/** A grantee: its key, decoding of the key, and whether a set can change it. */

import * as assert from "node:assert/strict";
import { type Grantee, granteeKey, isManageable, parseGranteeKey, userKey } from "../../provider/core";

const ORGANIZATION = "arn:aws:organizations::111122223333:organization/o-abcde12345";
const UNIT = "arn:aws-us-gov:organizations::111122223333:ou/o-abcde12345/ou-ab12-cdefgh34";

describe("a grantee", () => {
  const cases: readonly { grantee: Grantee; key: string; manageable: boolean }[] = [
    { grantee: { kind: "account", accountId: "012345678901" }, key: "account/012345678901", manageable: true },
    { grantee: { kind: "organization", arn: ORGANIZATION }, key: ORGANIZATION, manageable: true },
    { grantee: { kind: "organizationalUnit", arn: UNIT }, key: UNIT, manageable: true },
    { grantee: { kind: "public" }, key: "public", manageable: true },
    { grantee: { kind: "other", userId: "aws-marketplace" }, key: "user/aws-marketplace", manageable: false },
    { grantee: { kind: "other", userId: "public" }, key: "user/public", manageable: false },
    { grantee: { kind: "other", userId: "" }, key: "user/", manageable: false },
  ];
  for (const { grantee, key, manageable } of cases)
    it(`${grantee.kind}: ${key}`, () => {
      assert.equal(granteeKey(grantee), key);
      assert.deepEqual(parseGranteeKey(key), grantee);
      assert.equal(isManageable(key), manageable);
    });

  it("has the same key for its ARN in upper and lower case", () => {
    assert.equal(granteeKey({ kind: "organization", arn: ORGANIZATION.toUpperCase() }), ORGANIZATION);
    assert.equal(granteeKey({ kind: "organizationalUnit", arn: UNIT.replace("o-abcde", "O-ABCDE") }), UNIT);
  });

  it("cannot be decoded from an invalid key", () => {
    for (const key of ["", "111122223333", "o-abcde12345", "organization/[unknown]", "Public", "all"])
      assert.throws(() => parseGranteeKey(key), /is not the key of a grantee/, key);
  });

  const users: readonly [string, string][] = [
    ["111122223333", "account/111122223333"],
    ["012345678901", "account/012345678901"],
    ["aws-marketplace", "user/aws-marketplace"],
    ["11112222333", "user/11112222333"],
    ["1111222233334", "user/1111222233334"],
  ];
  for (const [userId, key] of users) it(`that EC2 calls ${userId} has the key ${key}`, () => assert.equal(userKey(userId), key));
});
