/** Decoding the arguments that users write: every argument, the message for each error, unknown values, and the canonical form. */

import * as assert from "node:assert/strict";
import {
  ARGUMENT_NAMES,
  type DeclaredSet,
  decodeDeclaredSet,
  granteeProblems,
  problemPath,
  roundedAccounts,
  UNKNOWN,
} from "../../provider/core";

const IMAGE = "ami-1234567890abcdef0";
const ORGANIZATION = "arn:aws:organizations::111122223333:organization/o-abcde12345";
const UNIT = "arn:aws:organizations::111122223333:ou/o-abcde12345/ou-ab12-cdefgh34";
const ACCOUNT_EXAMPLE = 'is not an account id; write 12 digits in quotes, such as "111122223333"';

function declared(args: Record<string, unknown>): DeclaredSet {
  const decoded = decodeDeclaredSet({ imageId: IMAGE, ...args });
  assert.ok("declared" in decoded, JSON.stringify(decoded));
  return decoded.declared;
}

/** The problems as a user reads them: `place: message`. */
function problems(args: Record<string, unknown>): string[] {
  const decoded = decodeDeclaredSet(args);
  if ("declared" in decoded) return [];
  for (const problem of decoded.problems) assert.equal(String(problem.path[0] ?? "imageId"), problem.property);
  return decoded.problems.map((problem) => `${problemPath(problem)}: ${problem.message}`);
}

describe("valid arguments", () => {
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
    timeouts: { create: "30m", update: "1h30m", delete: "1.5h" },
  };

  it("are returned unchanged, every one of them", () => {
    assert.deepEqual(declared(full), full);
  });

  it("are all among the names that an error lists", () => {
    for (const name of Object.keys(full)) assert.ok(ARGUMENT_NAMES.includes(name), name);
  });

  it("count as not set if they are null or undefined", () => {
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
  for (const { name, args } of forms) it(`include ${name}`, () => assert.deepEqual(declared(args), { imageId: IMAGE, ...args }));

  for (const mode of ["authoritative", "additive"])
    it(`include mode ${mode}`, () => assert.deepEqual(declared({ mode }), { imageId: IMAGE, mode }));
  for (const onDelete of ["revoke", "reset", "retain"])
    it(`include onDelete ${onDelete}`, () => assert.deepEqual(declared({ onDelete }), { imageId: IMAGE, onDelete }));

  for (const partition of ["aws", "aws-cn", "aws-us-gov", "aws-iso"])
    it(`include organizations and organizational units of partition ${partition}, in upper and lower case`, () => {
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
  it("has sorted strings without duplicates, also for numbers", () => {
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

describe("unknown values", () => {
  it("are accepted for every argument", () => {
    const unknown = Object.fromEntries(ARGUMENT_NAMES.map((name) => [name, UNKNOWN]));
    assert.deepEqual(declared(unknown), unknown);
  });

  it("stay in lists after the known values, and are not merged", () => {
    assert.deepEqual(declared({ accountIds: [UNKNOWN, "444455556666", UNKNOWN, "111122223333"] }).accountIds, [
      "111122223333",
      "444455556666",
      UNKNOWN,
      UNKNOWN,
    ]);
  });

  it("are accepted inside objects", () => {
    const args = {
      createVolumePermissions: { accountIds: UNKNOWN, snapshotIds: [UNKNOWN], public: UNKNOWN },
      assumeRole: { roleArn: UNKNOWN, externalId: UNKNOWN, sessionName: UNKNOWN },
    };
    assert.deepEqual(declared(args), { imageId: IMAGE, ...args });
  });

  it("do not hide errors in the known values beside them", () => {
    assert.deepEqual(problems({ imageId: UNKNOWN, accountIds: [UNKNOWN, "1234"] }), [
      'accountIds[1]: "1234" has 4 digits, an account id has 12: a leading zero may have been lost',
    ]);
  });

  it("are accepted for acknowledgePublic, and for public itself", () => {
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
      // 044455556666, as YAML 1.1 reads it.
      id: 0o44455556666,
      words:
        "4910931382 has 10 digits, an account id has 12: an unquoted id lost its leading zero (or, read as octal, it was 044455556666); write the one that is meant in quotes",
    },
    { name: "a number with too many digits", id: 1111222233334, words: `1111222233334 ${ACCOUNT_EXAMPLE}` },
    { name: "a small number", id: 7, words: `7 ${ACCOUNT_EXAMPLE}` },
    { name: "a fraction", id: 1.5, words: `1.5 ${ACCOUNT_EXAMPLE}` },
    { name: "a negative number", id: -111122223333, words: `-111122223333 ${ACCOUNT_EXAMPLE}` },
    { name: "with dashes", id: "1111-2222-3333", words: '"1111-2222-3333" has dashes; write "111122223333"' },
    { name: "with letters", id: "11112222333a", words: `"11112222333a" ${ACCOUNT_EXAMPLE}` },
    { name: "with digits of another script", id: "١١١١٢٢٢٢٣٣٣٣", words: `"١١١١٢٢٢٢٣٣٣٣" ${ACCOUNT_EXAMPLE}` },
    { name: "a boolean", id: true, words: `true ${ACCOUNT_EXAMPLE}` },
    { name: "very long", id: "x".repeat(500), words: `"${"x".repeat(76)}"... ${ACCOUNT_EXAMPLE}` },
    { name: "a long list, cut in a text", id: ["x".repeat(80)], words: `["${"x".repeat(75)}"... ${ACCOUNT_EXAMPLE}` },
    { name: "long, cut in an escape", id: "\u0001".repeat(50), words: `"${"\\u0001".repeat(12)}"... ${ACCOUNT_EXAMPLE}` },
  ];
  const meant = (told: string) => `is not an account id; ${told}`;
  /** Values that people paste, copy and convert; the message says what was probably meant. */
  const pasted: readonly { name: string; id: unknown; words: string }[] = [
    {
      name: "with a blank",
      id: " 111122223333",
      words: `" 111122223333" ${meant('it has a space before or after it: write "111122223333"')}`,
    },
    {
      name: "with a line break",
      id: "111122223333\n",
      words: `"111122223333\\n" ${meant('it has invisible characters: write "111122223333"')}`,
    },
    ...["\u200b", "\ufeff", "\u00a0", "\u2060", "\u00ad", "\u202f", "\u3000", "\u{e0001}"].flatMap((unseen) => {
      const code = (unseen.codePointAt(0) ?? 0).toString(16);
      const shown = code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, "0")}`;
      const words = (text: string) => `"${text}" ${meant('it has invisible characters: write "111122223333"')}`;
      return [
        { name: `behind \\u${code}`, id: `${unseen}111122223333`, words: words(`${shown}111122223333`) },
        { name: `with \\u${code} inside`, id: `1111${unseen}22223333`, words: words(`1111${shown}22223333`) },
      ];
    }),
    {
      name: "in quotes",
      id: '"111122223333"',
      words: `"\\"111122223333\\"" ${meant('it has quotes inside: write "111122223333"')}`,
    },
    ...["'111122223333'", "\u201c111122223333\u201d", "`111122223333`"].map((id) => ({
      name: `in ${id[0]}`,
      id,
      words: `"${id}" ${meant('it has quotes inside: write "111122223333"')}`,
    })),
    {
      name: "in quotes, with a blank and a character that does not show",
      id: ' "\u200b111122223333"',
      words: `" \\"\\u200b111122223333\\"" ${meant('it has invisible characters and quotes inside and a space before or after it: write "111122223333"')}`,
    },
    ...[
      "1111\u20112222\u20113333",
      "1111 2222 3333",
      "111,122,223,333",
      "1111_2222_3333",
      "account/111122223333",
      "arn:aws:iam::111122223333:root",
      "arn:aws:iam::111122223333:role/path/share",
      "arn:aws-cn:iam::111122223333:user/x",
      "arn:aws:sts::111122223333:assumed-role/x/y",
      "arn:aws:organizations::444455556666:account/o-abcde12345/111122223333",
      "https://111122223333.signin.aws.amazon.com/console",
      "prod (111122223333)",
    ].map((id) => ({ name: id, id, words: `"${id}" ${meant('write "111122223333"')}` })),
    ...["all", "*", "ALL", "public", "everyone"].map((id) => ({
      name: `${id}, for everybody`,
      id,
      words: `"${id}" ${meant("it stands for everybody: for every AWS account, write public: true")}`,
    })),
    {
      name: "an organization",
      id: ORGANIZATION,
      words: `"${ORGANIZATION}" ${meant("it is an organization's ARN: name it in organizationArns")}`,
    },
    {
      name: "a unit",
      id: UNIT,
      words: `"${UNIT}" ${meant("it is an organizational unit's ARN: name it in organizationalUnitArns")}`,
    },
    {
      name: "an organization's id",
      id: "o-abcde12345",
      words: `"o-abcde12345" ${meant("it is an organization's id: name its ARN in organizationArns")}`,
    },
    {
      name: "a unit's id",
      id: "ou-ab12-cdefgh34",
      words: `"ou-ab12-cdefgh34" ${meant("it is an organizational unit's id: name its ARN in organizationalUnitArns")}`,
    },
    {
      name: "a root",
      id: "r-ab12",
      words: `"r-ab12" ${meant("it is an organization's root: name the organization's ARN in organizationArns")}`,
    },
    {
      name: "a service",
      id: "ec2.amazonaws.com",
      words: `"ec2.amazonaws.com" ${meant("it is a service: an AMI is shared with accounts, organizations and units, not with services")}`,
    },
    {
      name: "a canonical user",
      id: "7".repeat(64),
      words: `"${"7".repeat(64)}" has 64 digits, an account id has 12`,
    },
    {
      name: "several in one text",
      id: "111122223333,444455556666",
      words: `"111122223333,444455556666" ${meant('it holds 2 of them: write each as a separate item, "111122223333", "444455556666"')}`,
    },
    {
      name: "several lines",
      id: "111122223333\n444455556666\n",
      words: `"111122223333\\n444455556666\\n" ${meant('it holds 2 of them: write each as a separate item, "111122223333", "444455556666"')}`,
    },
    {
      name: "a list in JSON",
      id: '["111122223333", "444455556666"]',
      words: `"[\\"111122223333\\", \\"444455556666\\"]" ${meant('it holds 2 of them: write each as a separate item, "111122223333", "444455556666"')}`,
    },
    {
      name: "empty",
      id: "",
      words: `"" ${meant("it is empty, as when an environment variable is not set: take the item out; an empty list is []")}`,
    },
    { name: "null", id: null, words: `null ${meant("remove it, or check where its value should come from")}` },
    { name: "a list", id: ["111122223333"], words: `["111122223333"] ${meant('without the list, write "111122223333"')}` },
    ...["1.11122E+11", "1e11", "1.111222E11"].map((id) => ({
      name: `${id} as text`,
      id,
      words: `"${id}" ${meant("it is a rounded number, as spreadsheets show long ones: write all 12 digits")}`,
    })),
    ...[1.11122e11, 1e11, 1.1112222e11, 111122223000].map((id) => ({
      name: `${id.toExponential()} as a number`,
      id,
      words: `${id} ends in zeros, as a rounded number does: 1.11122E+11 is read as 111122000000; write all 12 digits in quotes`,
    })),
  ];
  for (const { name, id, words } of pasted)
    it(`${name}: the error says what is meant`, () =>
      assert.deepEqual(problems({ imageId: IMAGE, accountIds: ["444455556666", id] }), [`accountIds[1]: ${words}`]));

  it("the error for everybody and for an organization fits the argument that contains it", () => {
    const place = (args: object) => problems({ imageId: IMAGE, accountIds: [], ...args });
    assert.deepEqual(place({ createVolumePermissions: { accountIds: ["all", ORGANIZATION] } }), [
      'createVolumePermissions.accountIds[0]: "all" is not an account id; it stands for everybody: for every AWS account, write public: true beside accountIds',
      `createVolumePermissions.accountIds[1]: "${ORGANIZATION}" is not an account id; EC2 has no create-volume permission for organizations; name their accounts in accountIds instead`,
    ]);
    assert.deepEqual(place({ neverRevoke: [UNIT, "*"] }), [
      `neverRevoke[0]: "${UNIT}" is not an account id; it is an organizational unit's ARN: only single accounts can be named here`,
      'neverRevoke[1]: "*" is not an account id; it stands for everybody: only single accounts can be named here',
    ]);
  });

  it("a number with all its digits is accepted, also if it ends in two zeros", () => {
    assert.deepEqual(declared({ accountIds: [111122223333, 111122223300] }).accountIds, ["111122223300", "111122223333"]);
    assert.deepEqual(declared({ accountIds: ["111122000000"] }).accountIds, ["111122000000"]);
  });

  for (const { name, id, words } of cases)
    it(`${name}: the error says so`, () => {
      assert.deepEqual(problems({ imageId: IMAGE, accountIds: ["111122223333", id] }), [`accountIds[1]: ${words}`]);
      assert.deepEqual(problems({ imageId: IMAGE, createVolumePermissions: { accountIds: [id] } }), [
        `createVolumePermissions.accountIds[0]: ${words}`,
      ]);
    });
});

describe("invalid arguments", () => {
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
      words: [
        `organizationArns[0]: "${UNIT}" is not an organization's ARN; it is an organizational unit's ARN: name it in organizationalUnitArns`,
      ],
    },
    {
      name: "an organization among units",
      args: { organizationalUnitArns: [ORGANIZATION] },
      words: [
        `organizationalUnitArns[0]: "${ORGANIZATION}" is not an organizational unit's ARN; it is an organization's ARN: name it in organizationArns`,
      ],
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
    {
      name: "public as text",
      args: { public: "true" },
      words: ['public: "true" is not true or false; write true without quotes'],
    },
    {
      name: "acknowledgePublic as a number",
      args: { acknowledgePublic: 1 },
      words: ["acknowledgePublic: 1 is not true or false"],
    },
    { name: "an unknown mode", args: { mode: "exact" }, words: ['mode: "exact" is not one of "authoritative", "additive"'] },
    {
      name: "onDelete with a capital",
      args: { onDelete: "Revoke" },
      words: ['onDelete: "Revoke" is not one of "revoke", "reset", "retain"; write "revoke"'],
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
    ...[
      { name: "with a blank", imageId: `${IMAGE} `, told: `it has a space before or after it: write "${IMAGE}"` },
      {
        name: "with a zero-width space",
        imageId: `\u200b${IMAGE}`,
        told: `it has invisible characters: write "${IMAGE}"`,
      },
      { name: "in quotes", imageId: `"${IMAGE}"`, told: `it has quotes inside: write "${IMAGE}"` },
      { name: "in upper case", imageId: IMAGE.toUpperCase(), told: `it has capital letters: write "${IMAGE}"` },
      { name: "as an ARN", imageId: `arn:aws:ec2:us-east-1::image/${IMAGE}`, told: `write "${IMAGE}"` },
      { name: "with its region", imageId: `eu-west-1/${IMAGE}`, told: `write "${IMAGE}"` },
      { name: "in a list", imageId: [IMAGE], told: `without the list, write "${IMAGE}"` },
      { name: "as a resource", imageId: { id: IMAGE }, told: "write its id alone" },
      {
        name: "that is a snapshot",
        imageId: "snap-12345678",
        told: "it is a snapshot id: name the AMI; createVolumePermissions shares its snapshots",
      },
      { name: "that is an instance", imageId: "i-12345678", told: "it is an instance's id: name the AMI" },
      {
        name: "that is a parameter",
        imageId: "resolve:ssm:/golden",
        told: "it is a Systems Manager parameter: look its value up, and write the AMI id that it holds",
      },
    ].map(({ name, imageId, told }) => ({
      name: `an image id ${name}`,
      args: { imageId },
      words: [`imageId: ${JSON.stringify(imageId).replace("\u200b", "\\u200b")} is not an AMI id; ${told}`],
    })),
    {
      name: "several image ids",
      args: { imageId: "ami-12345678,ami-87654321" },
      words: ['imageId: "ami-12345678,ami-87654321" is not an AMI id; it holds 2 of them: declare a set for each'],
    },
    {
      name: "accounts in one text",
      args: { accountIds: "111122223333, 444455556666" },
      words: ['accountIds: "111122223333, 444455556666" is not a list of account ids; write ["111122223333", "444455556666"]'],
    },
    {
      name: "accounts in JSON",
      args: { accountIds: '["111122223333"]' },
      words: ['accountIds: "[\\"111122223333\\"]" is not a list of account ids; write one such as ["111122223333"]'],
    },
    {
      name: "accounts from an empty variable",
      args: { accountIds: "" },
      words: ['accountIds: "" is not a list of account ids; write one such as ["111122223333"], or [] for none'],
    },
    {
      name: "an account among organizations and units",
      args: { organizationArns: ["111122223333"], organizationalUnitArns: ["111122223333"] },
      words: [
        `organizationArns[0]: "111122223333" is not an organization's ARN; it is an account id: name it in accountIds`,
        `organizationalUnitArns[0]: "111122223333" is not an organizational unit's ARN; it is an account id: name it in accountIds`,
      ],
    },
    {
      name: "create-volume as a list of accounts",
      args: { createVolumePermissions: ["111122223333", "444455556666"] },
      words: [
        'createVolumePermissions: ["111122223333","444455556666"] is not true, false or { accountIds, snapshotIds, public }; write { accountIds: ["111122223333", "444455556666"] }',
      ],
    },
    {
      name: "create-volume as a list of snapshots",
      args: { createVolumePermissions: ["snap-12345678"] },
      words: [
        'createVolumePermissions: ["snap-12345678"] is not true, false or { accountIds, snapshotIds, public }; write { snapshotIds: ["snap-12345678"] }',
      ],
    },
    {
      name: "create-volume as an empty list",
      args: { createVolumePermissions: [] },
      words: [
        'createVolumePermissions: [] is not true, false or { accountIds, snapshotIds, public }; write true for the set\'s accounts, or { accountIds: ["111122223333"] } for others',
      ],
    },
    {
      name: "create-volume as an account",
      args: { createVolumePermissions: "111122223333" },
      words: [
        'createVolumePermissions: "111122223333" is not true, false or { accountIds, snapshotIds, public }; write { accountIds: ["111122223333"] }',
      ],
    },
    {
      name: 'create-volume as "true"',
      args: { createVolumePermissions: "true" },
      words: ['createVolumePermissions: "true" is not true or false; write true without quotes'],
    },
    {
      name: "a snapshot in upper case, an AMI and an account among snapshots",
      args: { createVolumePermissions: { snapshotIds: ["SNAP-12345678", IMAGE, "111122223333"] } },
      words: [
        'createVolumePermissions.snapshotIds[0]: "SNAP-12345678" is not a snapshot id; it has capital letters: write "snap-12345678"',
        `createVolumePermissions.snapshotIds[1]: "${IMAGE}" is not a snapshot id; it is an AMI id: leave snapshotIds out to mean all snapshots of the AMI`,
        'createVolumePermissions.snapshotIds[2]: "111122223333" is not a snapshot id; it is an account id: name it in createVolumePermissions.accountIds',
      ],
    },
    {
      name: "a number in quotes",
      args: { maxRevocations: "2" },
      words: ['maxRevocations: "2" is neither a whole number of grantees nor "none"; write 2 without quotes'],
    },
    {
      name: "a region with a blank",
      args: { region: "us-east-1 " },
      words: ['region: "us-east-1 " is not a region; it has a space before or after it: write "us-east-1"'],
    },
    {
      name: "a name with a character that does not show",
      args: { "accountIds\u200b": [] },
      words: [`accountIds\\u200b: there is no argument "accountIds\\u200b"; the arguments are ${ARGUMENT_NAMES.join(", ")}`],
    },
    ...[
      [{ create: "30" }, 'timeouts.create: "30" has no unit; write "30m" for minutes, or s, or h'],
      [{ update: 30 }, 'timeouts.update: 30 has no unit; write "30m" for minutes, or s, or h'],
      [
        { delete: "1d" },
        'timeouts.delete: "1d" is not a duration; write one such as "30m" or "1h30m" (hours h, minutes m, seconds s)',
      ],
      [{ create: "0s" }, 'timeouts.create: "0s" is not longer than zero; write one such as "30m" or "1h30m"'],
      [
        { create: "-30m" },
        'timeouts.create: "-30m" is not a duration; write one such as "30m" or "1h30m" (hours h, minutes m, seconds s)',
      ],
      [{ read: "30m" }, 'timeouts.read: there is no argument "read"; the arguments are create, update, delete'],
      ["30m", 'timeouts: "30m" is not { create, update, delete } such as { update: "30m" }'],
      [5, "timeouts: 5 is not { create, update, delete }, each a duration"],
    ].map(([timeouts, words]) => ({ name: `timeouts ${JSON.stringify(timeouts)}`, args: { timeouts }, words: [String(words)] })),
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
    it(`${name}: the error says so`, () => assert.deepEqual(problems({ imageId: IMAGE, ...args }), words));

  it("an unknown name: the error says so, and lists the known names", () => {
    const [problem = "", ...others] = problems({ imageId: IMAGE, accountID: ["111122223333"] });
    assert.deepEqual(others, []);
    assert.match(problem, /^accountID: there is no argument "accountID"; the arguments are imageId, accountIds, /);
    for (const name of ARGUMENT_NAMES) assert.ok(problem.includes(name), name);
  });
});

describe("a set that names nobody", () => {
  const told = (args: Record<string, unknown>) =>
    granteeProblems(declared(args)).map((problem) => `${problemPath(problem)}: ${problem.message}`);
  const refused: readonly Record<string, unknown>[] = [
    {},
    { accountIds: undefined },
    { accountIds: null },
    { public: false },
    { createVolumePermissions: true },
    { createVolumePermissions: {} },
    { createVolumePermissions: { snapshotIds: ["snap-12345678"] } },
    { mode: "authoritative", neverRevoke: ["111122223333"] },
  ];
  for (const args of refused)
    it(`is refused: ${JSON.stringify(args)}`, () => {
      const [words, ...others] = told(args);
      assert.match(
        words ?? "",
        /^accountIds: no grantee is declared, .* write accountIds: \[\] if nobody is to have access, or name/,
      );
      assert.deepEqual(others, []);
    });

  const taken: readonly Record<string, unknown>[] = [
    { accountIds: [] },
    { organizationArns: [] },
    { organizationalUnitArns: [] },
    { accountIds: UNKNOWN },
    { accountIds: [UNKNOWN] },
    { organizationArns: UNKNOWN },
    { public: UNKNOWN },
    { public: true, acknowledgePublic: true },
    { createVolumePermissions: UNKNOWN },
    { createVolumePermissions: { accountIds: ["111122223333"] } },
    { createVolumePermissions: { accountIds: UNKNOWN } },
    { createVolumePermissions: { public: true }, acknowledgePublic: true },
    { mode: UNKNOWN },
    { mode: "additive" },
  ];
  for (const args of taken)
    it(`is none of those that are refused: ${Object.entries(args).map(([name, value]) => `${name} ${typeof value === "symbol" ? "unknown" : JSON.stringify(value, (_, one) => (one === UNKNOWN ? "unknown" : one))}`)}`, () =>
      assert.deepEqual(told(args), []));
});

describe("account ids that may be rounded numbers", () => {
  it("are reported where numbers become strings before the tool sees them", () => {
    const found = roundedAccounts(
      declared({
        accountIds: ["111122000000", "111122220000", UNKNOWN],
        createVolumePermissions: { accountIds: ["100000000000"] },
        neverRevoke: UNKNOWN,
      }),
    );
    assert.deepEqual(
      found.map((one) => `${problemPath(one)}: ${one.message.slice(0, 27).trim()}`),
      ['accountIds: "111122000000" ends in zero', 'createVolumePermissions.accountIds: "100000000000" ends in zero'],
    );
  });
});
