/** Invalid responses, which AWS never sends, over real HTTP: no read or change accepts them, and the error names the call, the resource and the endpoint. */

import * as assert from "node:assert/strict";
import { type AmiSharingError, type Connection, ec2Gateway, type Gateway } from "../../provider/core";
import { A } from "../helpers/gatewayContract";
import { CREDENTIALS } from "../helpers/plainMoto";
import { type Answer, useRawServer, xml } from "../helpers/rawServer";

const IMAGE = "ami-12345678";
const SNAPSHOT = "snap-12345678";
const KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const GRANT = { GrantId: "grant-1", Name: "ours", GranteePrincipal: "arn:aws:iam::111122223333:root" };
const OPERATIONS = [
  "DescribeKey",
  "Decrypt",
  "CreateGrant",
  "GenerateDataKey",
  "GenerateDataKeyWithoutPlaintext",
  "ReEncryptFrom",
  "ReEncryptTo",
];
const PAUSES = { badAnswer: 1, absence: 1 };
const TRUE = "<return>true</return>";

const image = (id = IMAGE) =>
  `<item><imageId>${id}</imageId><imageState>available</imageState><imageOwnerId>123456789012</imageOwnerId><blockDeviceMapping/></item>`;
const snapshot = (id = SNAPSHOT) => `<item><snapshotId>${id}</snapshotId><encrypted>false</encrypted></item>`;
const report = (id = IMAGE) =>
  `<item><imageId>${id}</imageId><reportId>amiur-1</reportId><state>available</state><creationTime>2026-11-28T19:11:00.000Z</creationTime></item>`;

interface Call {
  readonly name: string;
  readonly action: string;
  /** The resource that the error message names. */
  readonly resource: string;
  readonly run: (gateway: Gateway) => Promise<unknown>;
  readonly good: string;
  readonly answer: unknown;
  /** Invalid bodies, each with the text that the error has for it. */
  readonly wrong?: readonly (readonly [body: string, flaw: RegExp])[];
}

const read = (name: string, action: string, resource: string, parts: Pick<Call, "run" | "good" | "answer" | "wrong">): Call => ({
  name,
  action,
  resource,
  ...parts,
});

const CALLS: readonly Call[] = [
  read("an image", "DescribeImages", IMAGE, {
    run: async (gateway) => (await gateway.describeImage(IMAGE)).imageId,
    good: xml("DescribeImages", `<imagesSet>${image()}</imagesSet>`),
    answer: IMAGE,
    wrong: [
      [xml("DescribeImages", ""), /Images is missing/],
      [xml("DescribeImages", `<imagesSet>${image("ami-87654321")}</imagesSet>`), /ImageId is ami-87654321, and ami-12345678 was/],
      [xml("DescribeImages", `<imagesSet>${image()}${image()}</imagesSet>`), /Images names more than one image/],
      [xml("DescribeImages", `<imagesSet><item><imageId>${IMAGE}</imageId></item></imagesSet>`), /OwnerId is missing/],
      [xml("DescribeImages", `<imagesSet>${image().replace("123456789012", "")}</imagesSet>`), /OwnerId is empty/],
    ],
  }),
  read("all images", "DescribeImages", "", {
    run: async (gateway) => (await gateway.describeImages("self")).length,
    good: xml("DescribeImages", `<imagesSet>${image()}</imagesSet>`),
    answer: 1,
    wrong: [[xml("DescribeImages", ""), /Images is missing/]],
  }),
  read("snapshots", "DescribeSnapshots", SNAPSHOT, {
    run: async (gateway) => (await gateway.describeSnapshots([SNAPSHOT])).map(({ snapshotId }) => snapshotId),
    good: xml("DescribeSnapshots", `<snapshotSet>${snapshot()}</snapshotSet>`),
    answer: [SNAPSHOT],
    wrong: [
      [xml("DescribeSnapshots", ""), /Snapshots is missing/],
      [
        xml("DescribeSnapshots", `<snapshotSet>${snapshot("snap-87654321")}</snapshotSet>`),
        /is snap-87654321, which was not asked/,
      ],
    ],
  }),
  read("launch permissions", "DescribeImageAttribute", IMAGE, {
    run: async (gateway) => [...(await gateway.launchPermissions(IMAGE))],
    good: xml("DescribeImageAttribute", `<imageId>${IMAGE}</imageId><launchPermission/>`),
    answer: [],
    wrong: [
      [xml("DescribeImageAttribute", `<imageId>${IMAGE}</imageId>`), /LaunchPermissions is missing/],
      [xml("DescribeImageAttribute", "<launchPermission/>"), /ImageId is missing/],
      [xml("DescribeImageAttribute", "<imageId>ami-1</imageId><launchPermission/>"), /ImageId is ami-1, and ami-12345678 was/],
    ],
  }),
  read("create-volume permissions", "DescribeSnapshotAttribute", SNAPSHOT, {
    run: async (gateway) => [...(await gateway.createVolumePermissions(SNAPSHOT))],
    good: xml("DescribeSnapshotAttribute", `<snapshotId>${SNAPSHOT}</snapshotId><createVolumePermission/>`),
    answer: [],
    wrong: [
      [xml("DescribeSnapshotAttribute", `<snapshotId>${SNAPSHOT}</snapshotId>`), /CreateVolumePermissions is missing/],
      [xml("DescribeSnapshotAttribute", "<snapshotId>snap-1</snapshotId><createVolumePermission/>"), /SnapshotId is snap-1/],
    ],
  }),
  read("usage reports", "DescribeImageUsageReports", IMAGE, {
    run: async (gateway) => (await gateway.usage.reports(IMAGE)).map(({ reportId, complete }) => [reportId, complete]),
    good: xml("DescribeImageUsageReports", `<imageUsageReportSet>${report()}</imageUsageReportSet>`),
    answer: [["amiur-1", false]],
    wrong: [
      [xml("DescribeImageUsageReports", ""), /ImageUsageReports is missing/],
      [xml("DescribeImageUsageReports", `<imageUsageReportSet>${report("ami-1")}</imageUsageReportSet>`), /ImageId is ami-1/],
    ],
  }),
  read("a new usage report", "CreateImageUsageReport", IMAGE, {
    run: (gateway) => gateway.usage.create(IMAGE),
    good: xml("CreateImageUsageReport", "<reportId>amiur-1</reportId>"),
    answer: "amiur-1",
    wrong: [
      [xml("CreateImageUsageReport", ""), /ReportId is missing/],
      [xml("CreateImageUsageReport", "<reportId/>"), /ReportId is empty/],
    ],
  }),
  read("a usage report's entries", "DescribeImageUsageReportEntries", "amiur-1", {
    run: (gateway) => gateway.usage.entries("amiur-1"),
    good: xml("DescribeImageUsageReportEntries", "<imageUsageReportEntrySet/>"),
    answer: [],
    wrong: [[xml("DescribeImageUsageReportEntries", ""), /ImageUsageReportEntries is missing/]],
  }),
  read("the end of a usage report", "DeleteImageUsageReport", "amiur-1", {
    run: (gateway) => gateway.usage.delete("amiur-1"),
    good: xml("DeleteImageUsageReport", TRUE),
    answer: undefined,
    wrong: [[xml("DeleteImageUsageReport", "<return>false</return>"), /it says false/]],
  }),
  read("launch permissions to change", "ModifyImageAttribute", IMAGE, {
    run: (gateway) => gateway.changeLaunchPermissions(IMAGE, { add: [A], remove: [] }),
    good: xml("ModifyImageAttribute", TRUE),
    answer: undefined,
    wrong: [[xml("ModifyImageAttribute", "<return>false</return>"), /it says false/]],
  }),
  read("create-volume permissions to change", "ModifySnapshotAttribute", SNAPSHOT, {
    run: (gateway) => gateway.changeCreateVolumePermissions(SNAPSHOT, "remove", [A]),
    good: xml("ModifySnapshotAttribute", TRUE),
    answer: undefined,
  }),
  read("launch permissions to reset", "ResetImageAttribute", IMAGE, {
    run: (gateway) => gateway.resetLaunchPermissions(IMAGE),
    good: xml("ResetImageAttribute", TRUE),
    answer: undefined,
  }),
  read("create-volume permissions to reset", "ResetSnapshotAttribute", SNAPSHOT, {
    run: (gateway) => gateway.resetCreateVolumePermissions(SNAPSHOT),
    good: xml("ResetSnapshotAttribute", TRUE),
    answer: undefined,
  }),
  read("who manages a key", "DescribeKey", KEY, {
    run: (gateway) => gateway.keys.manager(KEY),
    good: JSON.stringify({ KeyMetadata: { KeyId: KEY.split("/")[1], KeyManager: "CUSTOMER" } }),
    answer: "CUSTOMER",
    wrong: [
      ["{}", /KeyMetadata is missing/],
      ['{"KeyMetadata":{"KeyId":"other","KeyManager":"AWS"}}', /KeyMetadata.KeyId is other, and arn:aws:kms/],
      [JSON.stringify({ KeyMetadata: { KeyId: KEY.split("/")[1] } }), /KeyMetadata.KeyManager is missing/],
    ],
  }),
  read("a key's policy", "GetKeyPolicy", KEY, {
    run: (gateway) => gateway.keys.policy(KEY),
    good: '{"Policy":"{}"}',
    answer: "{}",
    wrong: [
      ["{}", /Policy is missing/],
      ['{"Policy":"<html>"}', /Policy is no policy/],
    ],
  }),
  read("a key's grants", "ListGrants", KEY, {
    run: (gateway) => gateway.keys.grants(KEY),
    good: '{"Grants":[],"Truncated":false}',
    answer: [],
    wrong: [
      ["{}", /Grants is missing/],
      ['{"Grants":[{"Name":"x"}]}', /Grants.0.GrantId is missing/],
    ],
  }),
  read("a key's grant to make", "CreateGrant", KEY, {
    run: (gateway) => gateway.keys.createGrant(KEY, "111122223333", "ours"),
    good: '{"GrantId":"grant-1"}',
    answer: "grant-1",
    wrong: [
      ["{}", /GrantId is missing/],
      ['{"GrantId":""}', /GrantId is empty/],
    ],
  }),
  read("a key's grant to revoke", "RevokeGrant", KEY, {
    run: (gateway) => gateway.keys.revokeGrant(KEY, "grant-1"),
    good: "",
    answer: undefined,
    wrong: [["[]", /it is not a JSON object/]],
  }),
];

const HTML = "<!DOCTYPE html><html><head><title>Sign in</title></head><body><p>Sign in</p></body></html>";

interface Fault {
  readonly name: string;
  readonly answer: (good: string) => Answer;
  readonly flaw: RegExp;
  /** The number of requests with two retries. */
  readonly requests: number;
  /** The call for which this response is valid. */
  readonly not?: string;
}

const FAULTS: readonly Fault[] = [
  {
    name: "an HTML page",
    answer: () => ({ body: HTML, headers: { "content-type": "text/html" } }),
    flaw: /is an HTML page/,
    requests: 3,
  },
  {
    name: "an HTML page that is not XML",
    answer: () => ({ body: "<html><body>Sign in<br></body></html>" }),
    flaw: /is an HTML page/,
    requests: 3,
  },
  {
    name: "an empty body, without a request id",
    answer: () => ({ headers: { "x-amzn-requestid": "" } }),
    flaw: /is empty/,
    requests: 3,
  },
  { name: "plain text", answer: () => ({ body: "OK" }), flaw: /is not (XML|JSON)/, requests: 3 },
  {
    name: "a truncated response",
    answer: (good) => ({ body: good === "" ? "{" : good.slice(0, -4) }),
    flaw: /is cut off|is not JSON/,
    requests: 3,
  },
  {
    name: "the response to another call",
    answer: (good) => ({ body: good.startsWith("<") ? xml("DescribeVpcs", "<vpcSet/>") : "[]" }),
    flaw: /is not (a \w+Response|a JSON object)/,
    requests: 3,
  },
  {
    name: "a redirect (307)",
    answer: () => ({ status: 307, headers: { location: "http://user:secret@127.0.0.1:9/elsewhere?token=secret" } }),
    flaw: /is a redirect \(HTTP status 307\) to http:\/\/127.0.0.1:9, which is not followed/,
    requests: 1,
  },
  {
    name: "a redirect (302) to nowhere",
    answer: () => ({ status: 302 }),
    flaw: /is a redirect \(HTTP status 302\), which/,
    requests: 1,
  },
  {
    name: "an empty object, without a request id",
    answer: () => ({ body: "{}", headers: { "x-amzn-requestid": "" } }),
    flaw: /says nothing and has no request id|is missing|is not XML/,
    requests: 3,
  },
  {
    name: "an HTML page with status 403",
    answer: () => ({ status: 403, body: HTML }),
    flaw: /has HTTP status 403 .*HTML/,
    requests: 1,
  },
  {
    name: "an empty response with status 404",
    answer: () => ({ status: 404 }),
    flaw: /has HTTP status 404 .*empty/,
    requests: 1,
  },
  {
    name: "an HTML page with status 502",
    answer: () => ({ status: 502, body: HTML }),
    flaw: /has HTTP status 502 .*HTML/,
    requests: 3,
  },
];

describe("an invalid response", () => {
  const server = useRawServer();
  const gateway = (more: Partial<Connection> = {}) =>
    ec2Gateway(
      { region: "us-east-1", endpoint: server().url, credentials: CREDENTIALS, maxRetries: 2, ...more },
      undefined,
      PAUSES,
    );

  async function failureOf(attempt: Promise<unknown>): Promise<AmiSharingError> {
    return attempt.then(
      (value) => assert.fail(`believed: ${JSON.stringify(value)}`),
      (error: AmiSharingError) => error,
    );
  }

  function assertTold({ code, message }: AmiSharingError, { action, resource }: Call, flaw: RegExp): void {
    assert.equal(code, "bad-answer", message);
    assert.match(message, flaw);
    for (const name of [action, resource, server().url]) assert.ok(message.includes(name), `${name} in ${message}`);
    assert.match(message, /; (repeat|see)/);
    assert.doesNotMatch(message, /Deserialization|hidden field|parse error|Unknown|secret|\n/);
    assert.equal(/whether AWS made the change is not known/.test(message), !/^(Describe|Get|List)/.test(action), message);
  }

  for (const call of CALLS) {
    describe(`to ${call.name}`, () => {
      for (const { name, answer, flaw, requests } of FAULTS)
        it(`${name}: causes an error`, async () => {
          server().respond = () => answer(call.good);
          assertTold(await failureOf(call.run(gateway())), call, flaw);
          assert.equal(server().asked.filter((action) => action === call.action).length, requests);
        });

      for (const [body, flaw] of call.wrong ?? [])
        it(`with the error ${flaw.source}`, async () => {
          server().respond = () => ({ body });
          assertTold(await failureOf(call.run(gateway())), call, flaw);
        });

      it("causes a retry, and the next valid response is used", async () => {
        const right = { body: call.good };
        const wrong = [{ body: HTML }, { body: "", headers: { "x-amzn-requestid": "" } }];
        server().respond = () => wrong.pop() ?? right;
        assert.deepEqual(await call.run(gateway()), call.answer);
        assert.equal(server().asked.length, 3);
      });

      it("is not retried if maxRetries is 0", async () => {
        server().respond = ({ action }) => (action === call.action ? { body: HTML } : { status: 400, body: HTML });
        await failureOf(call.run(gateway({ maxRetries: 0 })));
        assert.equal(server().asked.filter((action) => action === call.action).length, 1);
      });
    });
  }

  it("of block public access causes an error, for AMIs and for snapshots", async () => {
    server().respond = ({ action }) => ({
      body: action.includes("Image") ? xml(action, "") : xml(action, "<state>unblocked</state>"),
    });
    const { code, message } = await failureOf(gateway().blockPublicAccess());
    assert.equal(code, "bad-answer");
    assert.match(message, /GetImageBlockPublicAccessState is not valid: ImageBlockPublicAccessState is missing/);
  });

  it("to GetCallerIdentity counts as an unknown caller", async () => {
    for (const body of [HTML, "", xml("GetCallerIdentity", "<GetCallerIdentityResult/>")]) {
      server().respond = () => ({ body });
      assert.equal(await gateway().callerAccountId(), undefined);
    }
    const result = "<GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult>";
    server().respond = () => ({ body: xml("GetCallerIdentity", result) });
    assert.equal(await gateway().callerAccountId(), "123456789012");
  });

  for (const [name, body, flaw] of [
    ["an HTML page", HTML, /the answer to AssumeRole for DescribeImages of ami-12345678 is not valid: it is an HTML page/],
    ["no credentials", xml("AssumeRole", "<AssumeRoleResult/>"), /the answer to .* is not valid: it holds no credentials/],
  ] as const)
    it(`to AssumeRole, with ${name}, causes an error`, async () => {
      server().respond = () => ({ body });
      const roles = [{ roleArn: "arn:aws:iam::222222222222:role/share" }];
      const { code, message } = await failureOf(gateway({ assumeRoles: roles }).describeImage(IMAGE));
      assert.equal(code, "bad-answer", message);
      assert.match(message, flaw);
    });

  describe("a resource that is not in the response", () => {
    it("is gone if two reads do not return it: an image", async () => {
      server().respond = ({ action }) => ({ body: xml(action, "<imagesSet/>") });
      const { code, message } = await failureOf(gateway().describeImage(IMAGE));
      assert.equal(code, "image-not-found");
      assert.match(
        message,
        /^there is no AMI ami-12345678 in us-east-1 \(DescribeImages at http:\/\/127.0.0.1:\d+\); check the id/,
      );
      assert.deepEqual(server().asked, ["DescribeImages", "DescribeImages"]);
    });

    it("exists if the second read returns it: an image", async () => {
      const answers = ["", image()];
      server().respond = ({ action }) => ({ body: xml(action, `<imagesSet>${answers.shift()}</imagesSet>`) });
      assert.equal((await gateway().describeImage(IMAGE)).imageId, IMAGE);
    });

    it("is gone if two reads do not return it: a snapshot among others", async () => {
      server().respond = ({ action }) => ({ body: xml(action, `<snapshotSet>${snapshot()}</snapshotSet>`) });
      const found = await gateway().describeSnapshots([SNAPSHOT, "snap-87654321"]);
      assert.deepEqual(
        found.map(({ snapshotId }) => snapshotId),
        [SNAPSHOT],
      );
      assert.equal(server().asked.length, 2);
    });

    it("exists if the second read returns it: a snapshot", async () => {
      const answers = ["", snapshot()];
      server().respond = ({ action }) => ({ body: xml(action, `<snapshotSet>${answers.shift()}</snapshotSet>`) });
      assert.equal((await gateway().describeSnapshots([SNAPSHOT])).length, 1);
    });
  });

  describe("to CreateGrant, if KMS made the grant", () => {
    const ours = { ...GRANT, Operations: OPERATIONS };
    for (const [name, grants, found] of [
      ["is found by its name and account", [{ ...ours, GrantId: "other", Name: "theirs" }, ours], "grant-1"],
      ["of another account is not used", [{ ...ours, GranteePrincipal: "arn:aws:iam::444455556666:root" }], undefined],
      ["with fewer operations is not used", [{ ...ours, Operations: ["Decrypt"] }], undefined],
    ] as const)
      it(name, async () => {
        server().respond = ({ action }) => ({ body: action === "CreateGrant" ? HTML : JSON.stringify({ Grants: grants }) });
        const made = gateway().keys.createGrant(KEY, "111122223333", "ours");
        if (found === undefined) assert.equal((await failureOf(made)).code, "bad-answer");
        else assert.equal(await made, found);
        assert.deepEqual(server().asked, [...Array(3).fill("CreateGrant"), "ListGrants"]);
      });

    it("is also looked for if the connection was cut", async () => {
      server().respond = ({ action, response }) => {
        if (action !== "CreateGrant") return { body: JSON.stringify({ Grants: [ours] }) };
        response.destroy();
        return undefined;
      };
      assert.equal(await gateway().keys.createGrant(KEY, "111122223333", "ours"), "grant-1");
    });

    it("is not looked for if KMS refuses the call", async () => {
      server().respond = () => ({ status: 400, body: '{"__type":"AccessDeniedException"}' });
      assert.equal((await failureOf(gateway().keys.createGrant(KEY, "111122223333", "ours"))).code, "not-authorized");
      assert.deepEqual(server().asked, ["CreateGrant"]);
    });
  });

  it("with an endless list of pages is an error", async () => {
    server().respond = ({ action }) => ({ body: xml(action, "<imagesSet/><nextToken>again</nextToken>") });
    assert.match(
      (await failureOf(gateway().describeImages("self"))).message,
      /it names itself as the next page .*\[bad-answer\]/,
    );
    server().respond = () => ({ body: '{"Grants":[],"Truncated":true}' });
    assert.match(
      (await failureOf(gateway().keys.grants(KEY))).message,
      /it is truncated, and has no marker of the next page .*\[bad-answer\]/,
    );
  });

  it("that is an error without a message is reported as such, not as Unknown", async () => {
    server().respond = () => ({ status: 400, body: "<Response><Errors><Error><Code>Odd</Code></Error></Errors></Response>" });
    const { message } = await failureOf(gateway().launchPermissions(IMAGE));
    assert.match(message, /DescribeImageAttribute of ami-12345678 failed: AWS gives no reason \(AWS: Odd, .*\[aws-error\]$/);
  });

  it("keeps control characters of an error and of a user id from the terminal", async () => {
    const said = "&#27;]0;title&#7;no &#x9b;31m&#x202e;";
    server().respond = () => ({
      status: 400,
      body: `<Response><Errors><Error><Code>Odd</Code><Message>${said}</Message></Error></Errors></Response>`,
    });
    const { message } = await failureOf(gateway().launchPermissions(IMAGE));
    assert.ok(message.includes("\\u001b]0;title\\u0007no \\u009b31m\\u202e"), message);
    const grantees = "<item><userId>a&#27;[2Jb</userId></item><item/><item><userId>111122223333</userId></item>";
    const body = `<imageId>${IMAGE}</imageId><launchPermission>${grantees}</launchPermission>`;
    server().respond = ({ action }) => ({ body: xml(action, body) });
    assert.deepEqual([...(await gateway().launchPermissions(IMAGE))].sort(), [A, "user/a\\u001b[2Jb", "user/unknown"]);
  });
});
