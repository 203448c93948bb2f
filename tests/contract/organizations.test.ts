/** Names of accounts from AWS Organizations over real HTTP: pages, denied access, wrong answers, and which names are asked for when. */

import * as assert from "node:assert/strict";
import { type Connection, rulesOf } from "../../provider/core";
import { CREDENTIALS } from "../helpers/plainMoto";
import { type Answer, useRawServer } from "../helpers/rawServer";

const [A, B, C] = ["111122223333", "444455556666", "777788889999"] as const;
const TEXT = `account/${A}, account/${B}, account/${C}`;

describe("names of AWS Organizations", () => {
  const server = useRawServer();
  const connection = (): Connection => ({ endpoint: server().url, credentials: CREDENTIALS, maxRetries: 0 });
  const source = (more: object = {}) => rulesOf({ names: "organizations", ...more }, "the stack", connection).names;
  const json = (body: object, status = 200): Answer => ({
    status,
    headers: { "content-type": "application/x-amz-json-1.1" },
    body: JSON.stringify(body),
  });
  const pages = (...answers: readonly Answer[]) => {
    let next = 0;
    server().respond = () => answers[next++];
  };

  it("come page by page, also after an empty page, and are asked for once; the configuration's own names win", async () => {
    pages(
      json({ Accounts: [{ Id: A, Name: "acme-prod" }], NextToken: "1" }),
      json({ Accounts: [], NextToken: "2" }),
      json({ Accounts: [{ Id: B, Name: "of aws" }, { Id: C }] }),
    );
    const names = source({ accountNames: { [B]: "own" } });
    assert.equal(await names.in("no account"), "no account");
    assert.deepEqual(server().asked, []);
    const expected = `account/${A} (acme-prod), account/${B} (own), account/${C}`;
    assert.deepEqual(await Promise.all([names.in(TEXT), names.in(TEXT)]), [expected, expected]);
    assert.deepEqual(server().asked, ["ListAccounts", "ListAccounts", "ListAccounts"]);
    assert.equal(names.failure(), undefined);
  });

  const failures: readonly (readonly [string, Answer, RegExp])[] = [
    [
      "access is denied",
      json({ __type: "AccessDeniedException", Message: "no" }, 400),
      /^the caller may not call organizations:ListAccounts \(AWS: AccessDeniedException, request id id-of-ListAccounts, .*\); allow organizations:ListAccounts in the caller's IAM policy, with credentials of the management account or of a delegated administrator; or take the names from a file \[not-authorized\]$/,
    ],
    [
      "the account is in no organization",
      json({ __type: "AWSOrganizationsNotInUseException", Message: "no" }, 400),
      /^the account of the credentials is in no organization .*take the names from a file \[aws-error\]$/,
    ],
    [
      "a page names itself as the next one",
      json({ Accounts: [], NextToken: "1" }),
      /names itself as the next page.*\[bad-answer\]$/,
    ],
    ["an id is none", json({ Accounts: [{ Id: "1", Name: "x" }] }), /is no account id.*\[bad-answer\]$/],
    ["the list is missing", json({}), /Accounts is missing.*\[bad-answer\]$/],
  ];
  for (const [when, answer, words] of failures)
    it(`are left out, and the reason is told once, if ${when}`, async () => {
      server().respond = () => answer;
      const names = source({ accountNames: { [C]: "own" } });
      assert.equal(await names.in(TEXT), TEXT.replace(C, `${C} (own)`));
      assert.match(names.failure()?.message ?? "", words);
      assert.equal(names.failure(), undefined);
    });
});
