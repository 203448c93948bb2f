/** Decoding of what users write: every argument, what is wrong with it in words, unknown values, and the canonical form. */

import * as assert from "node:assert/strict";
import { ARGUMENT_NAMES, type DeclaredSet, decodeDeclaredSet, problemPath, UNKNOWN } from "../../provider/core";

const IMAGE = "ami-1234567890abcdef0";
const ORGANIZATION = "arn:aws:organizations::111122223333:organization/o-abcde12345";
const UNIT = "arn:aws:organizations::111122223333:ou/o-abcde12345/ou-ab12-cdefgh34";
const ACCOUNT_EXAMPLE = 'is not an account id; write 12 digits in quotes, such as "111122223333"';

function declared(args: Record<string, unknown>): DeclaredSet {
  const decoded = decodeDeclaredSet({ imageId: IMAGE, ...args });
  assert.ok("declared" in decoded, JSON.stringify(decoded));
  return decoded.declared;
}

/** The problems as a user reads them: `place: words`. */
function problems(args: Record<string, unknown>): string[] {
  const decoded = decodeDeclaredSet(args);
  if ("declared" in decoded) return [];
  for (const problem of decoded.problems) assert.equal(String(problem.path[0] ?? "imageId"), problem.property);
  return decoded.problems.map((problem) => `${problemPath(problem)}: ${problem.message}`);
}

describe("arguments that are right", () => {
  const full: Record<string, unknown> = {
    imageId: IMAGE,
    accountIds: ["111122223333"],
    organizationArns: [ORGANIZATION],
    organizationalUnitArns: [UNIT],
    public: true,
    acknowledgePublic: true,
    createVolumePermissions: { accountIds: ["444455556666"], snapshotIds: ["snap-1234567890abcdef0"], public: true },
    mode: "additive",
    onDelete: "retain",
    region: "us-gov-west-1",
    profile: "production",
    endpoint: "http://127.0.0.1:5055",
    assumeRole: { roleArn: "arn:aws:iam::111122223333:role/path/share", externalId: "x", sessionName: "me@work" },
  };

  it("are given back as they are, every one of them", () => {
    assert.deepEqual(declared(full), full);
  });

  it("are all among the names that an error lists", () => {
    for (const name of Object.keys(full)) assert.ok(ARGUMENT_NAMES.includes(name), name);
  });

  it("count as absent where they are null or undefined", () => {
    const absent = Object.fromEntries(ARGUMENT_NAMES.map((name, i) => [name, i % 2 ? null : undefined]));
    assert.deepEqual(declared({ ...absent, imageId: IMAGE }), { imageId: IMAGE });
  });

  const forms: readonly { name: string; args: Record<string, unknown> }[] = [
    { name: "an image id of 8 digits", args: { imageId: "ami-12345678" } },
    { name: "no accounts", args: { accountIds: [] } },
    { name: "an account with a leading zero", args: { accountIds: ["012345678901"] } },
    { name: "create-volume: true", args: { createVolumePermissions: true } },
    { name: "create-volume: false", args: { createVolumePermissions: false } },
    { name: "create-volume: an empty object", args: { createVolumePermissions: {} } },
    { name: "create-volume: snapshots of 8 digits", args: { createVolumePermissions: { snapshotIds: ["snap-12345678"] } } },
    { name: "create-volume: accounts only", args: { createVolumePermissions: { accountIds: ["444455556666"] } } },
    { name: "public: false without acknowledgement", args: { public: false, createVolumePermissions: { public: false } } },
    { name: "a role of another partition", args: { assumeRole: { roleArn: "arn:aws-cn:iam::111122223333:role/x" } } },
    { name: "an https endpoint", args: { endpoint: "https://ec2.cn-north-1.amazonaws.com.cn/" } },
    { name: "a region of China", args: { region: "cn-northwest-1" } },
    { name: "a region with a long name", args: { region: "ap-southeast-4" } },
  ];
  for (const { name, args } of forms) it(`take ${name}`, () => assert.deepEqual(declared(args), { imageId: IMAGE, ...args }));

  for (const mode of ["authoritative", "additive"])
    it(`take mode ${mode}`, () => assert.deepEqual(declared({ mode }), { imageId: IMAGE, mode }));
  for (const onDelete of ["revoke", "reset", "retain"])
    it(`take onDelete ${onDelete}`, () => assert.deepEqual(declared({ onDelete }), { imageId: IMAGE, onDelete }));

  for (const partition of ["aws", "aws-cn", "aws-us-gov", "aws-iso"])
    it(`take organizations and units of partition ${partition}, in any case`, () => {
      const [organization, unit] = [ORGANIZATION, UNIT].map((arn) => arn.replace("arn:aws:", `arn:${partition}:`));
      assert.deepEqual(
        declared({
          organizationArns: [organization?.toUpperCase(), organization],
          organizationalUnitArns: [unit?.toUpperCase(), unit],
        }),
        { imageId: IMAGE, organizationArns: [organization], organizationalUnitArns: [unit] },
      );
    });
});

describe("the canonical form", () => {
  it("has texts for numbers, in order, once each", () => {
    assert.deepEqual(declared({ accountIds: ["444455556666", 111122223333, "111122223333", "012345678901"] }).accountIds, [
      "012345678901",
      "111122223333",
      "444455556666",
    ]);
  });

  it("is the same inside createVolumePermissions", () => {
    const { createVolumePermissions } = declared({
      createVolumePermissions: {
        accountIds: [444455556666, "111122223333"],
        snapshotIds: ["snap-22222222", "snap-11111111", "snap-22222222"],
      },
    });
    assert.deepEqual(createVolumePermissions, {
      accountIds: ["111122223333", "444455556666"],
      snapshotIds: ["snap-11111111", "snap-22222222"],
    });
  });
});

describe("values that are not known yet", () => {
  it("are taken for every argument", () => {
    const unknown = Object.fromEntries(ARGUMENT_NAMES.map((name) => [name, UNKNOWN]));
    assert.deepEqual(declared(unknown), unknown);
  });

  it("stay in lists behind what is known, and are not merged", () => {
    assert.deepEqual(declared({ accountIds: [UNKNOWN, "444455556666", UNKNOWN, "111122223333"] }).accountIds, [
      "111122223333",
      "444455556666",
      UNKNOWN,
      UNKNOWN,
    ]);
  });

  it("are taken inside objects", () => {
    const args = {
      createVolumePermissions: { accountIds: UNKNOWN, snapshotIds: [UNKNOWN], public: UNKNOWN },
      assumeRole: { roleArn: UNKNOWN, externalId: UNKNOWN, sessionName: UNKNOWN },
    };
    assert.deepEqual(declared(args), { imageId: IMAGE, ...args });
  });

  it("do not excuse what is known and wrong beside them", () => {
    assert.deepEqual(problems({ imageId: UNKNOWN, accountIds: [UNKNOWN, "1234"] }), [
      'accountIds[1]: "1234" has 4 digits, an account id has 12: a leading zero may have been lost',
    ]);
  });

  it("may be the acknowledgement that public needs", () => {
    assert.deepEqual(problems({ imageId: IMAGE, public: true, acknowledgePublic: UNKNOWN }), []);
    assert.deepEqual(problems({ imageId: IMAGE, public: UNKNOWN }), []);
  });
});

describe("an account id that is wrong", () => {
  const cases: readonly { name: string; id: unknown; words: string }[] = [
    { name: "too short", id: "1234", words: '"1234" has 4 digits, an account id has 12: a leading zero may have been lost' },
    {
      name: "11 digits in quotes",
      id: "44455556666",
      words: '"44455556666" has 11 digits, an account id has 12: a leading zero may have been lost',
    },
    { name: "too long", id: "1111222233334", words: '"1111222233334" has 13 digits, an account id has 12' },
    {
      name: "a number that lost its leading zero",
      id: 44455556666,
      words:
        '44455556666 has 11 digits, an account id has 12: an unquoted id lost its leading zero; write it in quotes, such as "044455556666"',
    },
    {
      name: "a number that YAML read as octal",
      // 044455556666 as YAML 1.1 reads it.
      id: 0o44455556666,
      words:
        "4910931382 has 10 digits, an account id has 12: an unquoted id lost its leading zero (or, read as octal, it was 044455556666); write the one that is meant in quotes",
    },
    { name: "a number with too many digits", id: 1111222233334, words: `1111222233334 ${ACCOUNT_EXAMPLE}` },
    { name: "a small number", id: 7, words: `7 ${ACCOUNT_EXAMPLE}` },
    { name: "a fraction", id: 1.5, words: `1.5 ${ACCOUNT_EXAMPLE}` },
    { name: "a negative number", id: -111122223333, words: `-111122223333 ${ACCOUNT_EXAMPLE}` },
    { name: "with dashes", id: "1111-2222-3333", words: '"1111-2222-3333" has dashes; write "111122223333"' },
    { name: "with spaces", id: " 111122223333", words: `" 111122223333" ${ACCOUNT_EXAMPLE}` },
    { name: "with letters", id: "11112222333a", words: `"11112222333a" ${ACCOUNT_EXAMPLE}` },
    { name: "with digits of another script", id: "١١١١٢٢٢٢٣٣٣٣", words: `"١١١١٢٢٢٢٣٣٣٣" ${ACCOUNT_EXAMPLE}` },
    { name: "with a line break", id: "111122223333\n", words: `"111122223333\\n" ${ACCOUNT_EXAMPLE}` },
    { name: "an ARN", id: "arn:aws:iam::111122223333:root", words: `"arn:aws:iam::111122223333:root" ${ACCOUNT_EXAMPLE}` },
    { name: "everybody", id: "all", words: `"all" ${ACCOUNT_EXAMPLE}` },
    { name: "empty", id: "", words: `"" ${ACCOUNT_EXAMPLE}` },
    { name: "null", id: null, words: `null ${ACCOUNT_EXAMPLE}` },
    { name: "a boolean", id: true, words: `true ${ACCOUNT_EXAMPLE}` },
    { name: "a list", id: ["111122223333"], words: `["111122223333"] ${ACCOUNT_EXAMPLE}` },
    { name: "very long", id: "x".repeat(500), words: `"${"x".repeat(76)}"... ${ACCOUNT_EXAMPLE}` },
    { name: "a long list, cut in a text", id: ["x".repeat(80)], words: `["${"x".repeat(75)}"... ${ACCOUNT_EXAMPLE}` },
    { name: "long, cut in an escape", id: "\u0001".repeat(50), words: `"${"\\u0001".repeat(12)}"... ${ACCOUNT_EXAMPLE}` },
  ];
  for (const { name, id, words } of cases)
    it(`${name}: says so`, () => {
      assert.deepEqual(problems({ imageId: IMAGE, accountIds: ["111122223333", id] }), [`accountIds[1]: ${words}`]);
      assert.deepEqual(problems({ imageId: IMAGE, createVolumePermissions: { accountIds: [id] } }), [
        `createVolumePermissions.accountIds[0]: ${words}`,
      ]);
    });
});

describe("arguments that are wrong", () => {
  const arnExample = (arn: string) => `write one such as ${arn}`;
  const cases: readonly { name: string; args: Record<string, unknown>; words: readonly string[] }[] = [
    { name: "no image", args: { imageId: undefined }, words: ["imageId: is missing"] },
    {
      name: "an image id of another shape",
      args: { imageId: "ami-XYZ" },
      words: ['imageId: "ami-XYZ" is not an AMI id; write one such as ami-1234567890abcdef0'],
    },
    {
      name: "an image id with 9 digits",
      args: { imageId: "ami-123456789" },
      words: ['imageId: "ami-123456789" is not an AMI id; write one such as ami-1234567890abcdef0'],
    },
    {
      name: "an image id that is a number",
      args: { imageId: 5 },
      words: ["imageId: 5 is not an AMI id; write one such as ami-1234567890abcdef0"],
    },
    {
      name: "accounts that are no list",
      args: { accountIds: "111122223333" },
      words: ['accountIds: "111122223333" is not a list of account ids; write one such as ["111122223333"]'],
    },
    {
      name: "accounts that are an object",
      args: { accountIds: { a: 1 } },
      words: ['accountIds: {"a":1} is not a list of account ids; write one such as ["111122223333"]'],
    },
    {
      name: "organizations by id",
      args: { organizationArns: ["o-abcde12345"] },
      words: [`organizationArns[0]: "o-abcde12345" is not an organization's ARN; ${arnExample(ORGANIZATION)}`],
    },
    {
      name: "a unit among organizations",
      args: { organizationArns: [UNIT] },
      words: [`organizationArns[0]: "${UNIT}" is not an organization's ARN; ${arnExample(ORGANIZATION)}`],
    },
    {
      name: "an organization among units",
      args: { organizationalUnitArns: [ORGANIZATION] },
      words: [`organizationalUnitArns[0]: "${ORGANIZATION}" is not an organizational unit's ARN; ${arnExample(UNIT)}`],
    },
    {
      name: "an organization that is a number",
      args: { organizationArns: [5] },
      words: [`organizationArns[0]: 5 is not an organization's ARN; ${arnExample(ORGANIZATION)}`],
    },
    {
      name: "units that are no list",
      args: { organizationalUnitArns: UNIT },
      words: [`organizationalUnitArns: "${UNIT}" is not a list of organizational unit ARNs; write one such as ["${UNIT}"]`],
    },
    { name: "public as text", args: { public: "true" }, words: ['public: "true" is not true or false'] },
    {
      name: "acknowledgePublic as a number",
      args: { acknowledgePublic: 1 },
      words: ["acknowledgePublic: 1 is not true or false"],
    },
    { name: "an unknown mode", args: { mode: "exact" }, words: ['mode: "exact" is not one of "authoritative", "additive"'] },
    {
      name: "onDelete with a capital",
      args: { onDelete: "Revoke" },
      words: ['onDelete: "Revoke" is not one of "revoke", "reset", "retain"'],
    },
    {
      name: "a zone for a region",
      args: { region: "us-east-1a" },
      words: ['region: "us-east-1a" is not a region; write one such as us-east-1'],
    },
    { name: "an empty region", args: { region: "" }, words: ['region: "" is not a region; write one such as us-east-1'] },
    {
      name: "an empty profile",
      args: { profile: "" },
      words: ['profile: "" is not a profile\'s name; write one such as production'],
    },
    {
      name: "an endpoint without a scheme",
      args: { endpoint: "localhost:5055" },
      words: ['endpoint: "localhost:5055" is not a URL; write one such as https://ec2.us-east-1.amazonaws.com'],
    },
    {
      name: "a role that is text",
      args: { assumeRole: "arn:aws:iam::111122223333:role/x" },
      words: ['assumeRole: "arn:aws:iam::111122223333:role/x" is not { roleArn, externalId, sessionName }'],
    },
    { name: "a role without ARN", args: { assumeRole: {} }, words: ["assumeRole.roleArn: is missing"] },
    {
      name: "a user for a role, and a session name with spaces",
      args: { assumeRole: { roleArn: "arn:aws:iam::111122223333:user/x", sessionName: "a b" } },
      words: [
        'assumeRole.roleArn: "arn:aws:iam::111122223333:user/x" is not a role\'s ARN; write one such as arn:aws:iam::111122223333:role/share-images',
        'assumeRole.sessionName: "a b" is not a session name; write one such as share-images',
      ],
    },
    {
      name: "an unknown member of a role",
      args: { assumeRole: { roleArn: "arn:aws:iam::111122223333:role/x", arn: "x" } },
      words: ['assumeRole.arn: there is no argument "arn"; the arguments are roleArn, externalId, sessionName'],
    },
    {
      name: "create-volume as text",
      args: { createVolumePermissions: "yes" },
      words: ['createVolumePermissions: "yes" is not true, false or { accountIds, snapshotIds, public }'],
    },
    {
      name: "create-volume with an unknown member",
      args: { createVolumePermissions: { accounts: [] } },
      words: [
        'createVolumePermissions.accounts: there is no argument "accounts"; the arguments are accountIds, snapshotIds, public',
      ],
    },
    {
      name: "create-volume for organizations",
      args: { createVolumePermissions: { organizationArns: [ORGANIZATION] } },
      words: [
        "createVolumePermissions.organizationArns: EC2 has no create-volume permission for organizations; name their accounts in accountIds instead",
      ],
    },
    {
      name: "create-volume for units",
      args: { createVolumePermissions: { organizationalUnitArns: [UNIT] } },
      words: [
        "createVolumePermissions.organizationalUnitArns: EC2 has no create-volume permission for organizations; name their accounts in accountIds instead",
      ],
    },
    {
      name: "create-volume on what is no snapshot",
      args: { createVolumePermissions: { snapshotIds: ["vol-12345678"] } },
      words: [
        'createVolumePermissions.snapshotIds[0]: "vol-12345678" is not a snapshot id; write one such as snap-1234567890abcdef0',
      ],
    },
    {
      name: "public without acknowledgement",
      args: { public: true },
      words: ["public: true would give every AWS account a copy of the disk; add acknowledgePublic: true if that is meant"],
    },
    {
      name: "public with the acknowledgement denied",
      args: { public: true, acknowledgePublic: false },
      words: ["public: true would give every AWS account a copy of the disk; add acknowledgePublic: true if that is meant"],
    },
    {
      name: "public snapshots without acknowledgement",
      args: { createVolumePermissions: { public: true } },
      words: [
        "createVolumePermissions.public: true would give every AWS account a copy of the disk; add acknowledgePublic: true if that is meant",
      ],
    },
    {
      name: "several at once",
      args: { imageId: "x", accountIds: ["1111-2222-3333"], mode: 1 },
      words: [
        'imageId: "x" is not an AMI id; write one such as ami-1234567890abcdef0',
        'accountIds[0]: "1111-2222-3333" has dashes; write "111122223333"',
        'mode: 1 is not one of "authoritative", "additive"',
      ],
    },
  ];
  for (const { name, args, words } of cases)
    it(`${name}: says so`, () => assert.deepEqual(problems({ imageId: IMAGE, ...args }), words));

  it("an unknown name: says so, and which there are", () => {
    const [problem = "", ...others] = problems({ imageId: IMAGE, accountID: ["111122223333"] });
    assert.deepEqual(others, []);
    assert.match(problem, /^accountID: there is no argument "accountID"; the arguments are imageId, accountIds, /);
    for (const name of ARGUMENT_NAMES) assert.ok(problem.includes(name), name);
  });
});
