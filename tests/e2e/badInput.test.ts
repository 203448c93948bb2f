/** Invalid input of users: the error that the CLI shows, and that EC2 and the state do not change. */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type MadeImage, useEmulator } from "../helpers/emulator";
import { PulumiProject } from "../helpers/pulumiProject";

const [ACCOUNT, NEW] = ["111122223333", "444455556666"];
const [CALLER, OWNER] = ["123456789012", "222222222222"];
const SECRETS = ["test-secret-key-that-must-not-show", "secret-key-of-the-expired", "token-of-the-expired"];
const NAMES = ["kept", "expired", "down", "profileless", "denied", "nobody"] as const;
type Name = (typeof NAMES)[number];
const CLOSED = "http://127.0.0.1:1";

describe("bad input", () => {
  const emulator = useEmulator();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "ami-e2e-credentials-"));
  let project: PulumiProject;
  let images: Record<Name, MadeImage>;
  let state: Awaited<ReturnType<PulumiProject["state"]>>["sets"];

  const good = (name: Name) => ({
    name,
    imageId: images[name].imageId,
    accountIds: name === "nobody" ? [] : [ACCOUNT],
    createVolumePermissions: true,
  });

  before(async () => {
    const AWS_SHARED_CREDENTIALS_FILE = path.join(folder, "credentials");
    fs.writeFileSync(
      AWS_SHARED_CREDENTIALS_FILE,
      `[expired]\naws_access_key_id = ASIAEXPIRED123456789\naws_secret_access_key = ${SECRETS[1]}\naws_session_token = ${SECRETS[2]}\n`,
    );
    project = await PulumiProject.create(emulator(), { env: { AWS_SHARED_CREDENTIALS_FILE } });
    const made = await Promise.all(NAMES.map(async (name) => [name, await emulator().image({ snapshots: 1 })]));
    images = Object.fromEntries(made);
    project.config({ sets: NAMES.map(good) });
    await project.up();
    state = await recorded();
  });
  after(() => {
    project.remove();
    fs.rmSync(folder, { recursive: true });
  });

  /** The sets in the state, in an order that does not depend on which was created first. */
  async function recorded() {
    return (await project.state()).sets.sort((a, b) => a.urn.localeCompare(b.urn));
  }

  /** Runs a command that must fail. Returns its output, with each run of spaces as one. */
  async function failure(of: PulumiProject, ...args: string[]): Promise<string> {
    const { output } = await of.fail(...args);
    assert.doesNotMatch(output, /^\s+at \S/m, "the output has a stack trace");
    for (const secret of SECRETS) assert.ok(!output.includes(secret), "the output has a secret");
    return output.replace(/\s+/g, " ");
  }

  function shows(output: string, words: readonly string[]): void {
    for (const expected of words) assert.ok(output.includes(expected), `missing in the output: ${expected}\n${output}`);
  }

  async function nothingChanged(...names: Name[]): Promise<void> {
    assert.deepEqual(await emulator().modifications(), []);
    assert.deepEqual(await recorded(), state);
    for (const { imageId, snapshotIds } of names.map((name) => images[name])) {
      assert.deepEqual(await emulator().launchers(imageId), [ACCOUNT]);
      assert.deepEqual(await emulator().volumeCreators(snapshotIds[0] ?? ""), [ACCOUNT]);
    }
  }

  it("accepts a set with an empty list, and records that nobody has access", async () => {
    assert.deepEqual(state.find(({ urn }) => urn.endsWith("::nobody"))?.outputs.grants, {});
    assert.deepEqual(await emulator().launchers(images.nobody.imageId), []);
  });

  it("names every invalid argument at once, with its place, and what to write instead", async () => {
    const wrong = {
      ...good("kept"),
      imageId: "ami-12345",
      accountIds: ["12345", "1234567890123", "11112222333x", "1111-2222-3333", 44455556666, null],
      createVolumePermissions: { accountIds: ACCOUNT, snapshotIds: ["snap-1"], organizationArns: [] },
      organizationArns: ["o-abcde12345"],
      public: "yes",
      mode: "strict",
      onDelete: "never",
      region: "Ireland",
      endpoint: "localhost",
      assumeRole: { roleArn: "admin" },
      acountIds: [ACCOUNT],
    };
    project.config({ sets: [wrong] });
    const output = await failure(project, "preview");
    shows(output, [
      'imageId: "ami-12345" is not an AMI id; write one such as ami-1234567890abcdef0 [invalid-argument]',
      'accountIds[0]: "12345" has 5 digits, an account id has 12',
      'accountIds[1]: "1234567890123" has 13 digits, an account id has 12',
      'accountIds[2]: "11112222333x" is not an account id; write 12 digits in quotes, such as "111122223333"',
      'accountIds[3]: "1111-2222-3333" has dashes; write "111122223333"',
      'accountIds[4]: 44455556666 has 11 digits, an account id has 12: an unquoted id lost its leading zero; write it in quotes, such as "044455556666"',
      "accountIds[5]: null is not an account id",
      `createVolumePermissions.accountIds: "${ACCOUNT}" is not a list of account ids; write one such as ["111122223333"]`,
      'createVolumePermissions.snapshotIds[0]: "snap-1" is not a snapshot id',
      "createVolumePermissions.organizationArns: EC2 has no create-volume permission for organizations",
      'organizationArns[0]: "o-abcde12345" is not an organization\'s ARN',
      'public: "yes" is not true or false',
      'mode: "strict" is not one of "authoritative", "additive"',
      'onDelete: "never" is not one of "revoke", "reset", "retain"',
      'region: "Ireland" is not a region; write one such as us-east-1',
      'endpoint: "localhost" is not a URL',
      'assumeRole.roleArn: "admin" is not a role\'s ARN',
      'acountIds: there is no argument "acountIds"; the arguments are imageId, accountIds, ',
    ]);
    await failure(project, "up", "--yes", "--skip-preview");
    assert.deepEqual(await emulator().calls(), []);
    await nothingChanged("kept");
  });

  it("says what is meant by values that people paste, with their place", async () => {
    const organization = "arn:aws:organizations::111122223333:organization/o-abcde12345";
    const unit = "arn:aws:organizations::111122223333:ou/o-abcde12345/ou-ab12-cdefgh34";
    const { imageId } = images.kept;
    project.config({
      sets: [
        {
          ...good("kept"),
          imageId: `${imageId} `,
          accountIds: ["", "all", `arn:aws:iam::${ACCOUNT}:root`, `\u200b${ACCOUNT}`, `"${ACCOUNT}"`, organization],
          createVolumePermissions: [ACCOUNT],
          organizationArns: [unit],
          organizationalUnitArns: [organization],
        },
      ],
    });
    shows(await failure(project, "preview"), [
      `imageId: "${imageId} " is not an AMI id; it has a space before or after it: write "${imageId}"`,
      'accountIds[0]: "" is not an account id; it is empty, as when an environment variable is not set: take the item out; an empty list is []',
      'accountIds[1]: "all" is not an account id; it stands for everybody: for every AWS account, write public: true',
      `accountIds[2]: "arn:aws:iam::${ACCOUNT}:root" is not an account id; write "${ACCOUNT}"`,
      `accountIds[3]: "\\u200b${ACCOUNT}" is not an account id; it has invisible characters: write "${ACCOUNT}"`,
      `accountIds[4]: "\\"${ACCOUNT}\\"" is not an account id; it has quotes inside: write "${ACCOUNT}"`,
      `accountIds[5]: "${organization}" is not an account id; it is an organization's ARN: name it in organizationArns`,
      `createVolumePermissions: ["${ACCOUNT}"] is not true, false or { accountIds, snapshotIds, public }; write { accountIds: ["${ACCOUNT}"] }`,
      `organizationArns[0]: "${unit}" is not an organization's ARN; it is an organizational unit's ARN: name it in organizationalUnitArns`,
      `organizationalUnitArns[0]: "${organization}" is not an organizational unit's ARN; it is an organization's ARN: name it in organizationArns`,
    ]);
    await nothingChanged("kept");
  });

  it("refuses a set that names nobody without saying so", async () => {
    const { accountIds: _, ...nobody } = good("kept");
    project.config({ sets: [{ ...nobody, public: false }] });
    shows(await failure(project, "up", "--yes", "--skip-preview"), [
      "accountIds: no grantee is declared, and an authoritative set revokes every grant that it does not declare; write accountIds: [] if nobody is to have access",
    ]);
    // The config key has a typo, so the program finds no accountIds.
    project.config({ imageId: images.kept.imageId });
    shows(await failure(project, "preview"), ["accountIds: no grantee is declared"]);
    await nothingChanged("kept");
  });

  it("refuses account ids in the config that are rounded numbers", async () => {
    const key = (name: string) => `ami-launch-permissions:${name}`;
    project.rawConfig(
      `config:\n  ${key("imageId")}: ${images.kept.imageId}\n  ${key("accountIds")}: [1.11122E+11, 1e11, 111122223333]\n`,
    );
    shows(await failure(project, "preview"), [
      "accountIds[0]: 111122000000 ends in zeros, as a rounded number does: 1.11122E+11 is read as 111122000000; write all 12 digits in quotes",
    ]);
    await nothingChanged("kept");
  });

  it("says that an unquoted YAML number lost its leading zero, also if YAML read it as octal", async () => {
    const key = (name: string) => `ami-launch-permissions:${name}`;
    project.rawConfig(
      `config:\n  ${key("imageId")}: ${images.kept.imageId}\n  ${key("accountIds")}: [111122223333, 044455556666, 099988887777, 12345678901]\n`,
    );
    const output = await failure(project, "preview");
    shows(output, [
      "accountIds[1]: 4910931382 has 10 digits, an account id has 12: an unquoted id lost its leading zero",
      "read as octal, it was 044455556666",
      "accountIds[2]: 99988887777 has 11 digits",
      'write it in quotes, such as "099988887777"',
      "accountIds[3]: 12345678901 has 11 digits",
    ]);
    assert.doesNotMatch(output, /accountIds\[0\]/, "a number of 12 digits is an account id");
  });

  it("refuses a config key with a typo, a single id for a list, and public sharing without acknowledgePublic", async () => {
    project.config({
      imageId: images.kept.imageId,
      accountIds: ACCOUNT,
      acountIds: [ACCOUNT],
      createVolumePermissions: { publik: true },
    });
    shows(await failure(project, "preview"), [
      'accountIds: 111122223333 is not a list of account ids; write one such as ["111122223333"]',
      'acountIds: there is no argument "acountIds"',
      'createVolumePermissions.publik: there is no argument "publik"; the arguments are accountIds, snapshotIds, public',
    ]);
    project.config({ sets: [{ ...good("kept"), public: true }] });
    shows(await failure(project, "up", "--yes", "--skip-preview"), [
      "public: true would give every AWS account a copy of the disk; add acknowledgePublic: true if that is meant",
    ]);
    await nothingChanged("kept");
  });

  it("names an AMI that is absent, in another region, of another account, and a snapshot of another AMI", async () => {
    const west = await emulator().image({ snapshots: 1, region: "us-west-2" });
    const foreign = await emulator().image({ snapshots: 1, accountId: OWNER });
    const lent = await emulator().image({ snapshots: 1, accountId: OWNER, launchPermissions: [{ UserId: CALLER }] });
    const own = await emulator().image({ snapshots: 1 });
    const [stray] = images.kept.snapshotIds;
    const set = (name: string, imageId: string) => ({ name, imageId, accountIds: [ACCOUNT], createVolumePermissions: true });
    const sets = [
      set("absent", "ami-0123456789abcdef0"),
      set("west", west.imageId),
      set("foreign", foreign.imageId),
      set("lent", lent.imageId),
      { ...set("stray", own.imageId), createVolumePermissions: { snapshotIds: [stray] } },
      ...NAMES.map(good),
    ];
    project.config({ sets });
    const output = await failure(project, "up", "--yes", "--skip-preview", "--continue-on-error");
    const copied =
      "an AMI exists in one region only and has to be copied to another before it is shared there; one of another account is not seen unless it is shared [image-not-found]";
    shows(output, [
      "there is no AMI ami-0123456789abcdef0 in us-east-1 (AWS: InvalidAMIID.NotFound, request id ",
      copied,
      `there is no AMI ${west.imageId} in us-east-1 `,
      `there is no AMI ${foreign.imageId} in us-east-1 `,
      `${lent.imageId} belongs to another account (AWS: AuthFailure, request id `,
      "only the owner can see and change its permissions: use the owner's credentials, or copy the AMI and share the copy [not-owner]",
      `createVolumePermissions.snapshotIds: ${stray} is not among the snapshots of AMI ${own.imageId}; its EBS snapshots are ${own.snapshotIds[0]} [invalid-argument]`,
    ]);
    await nothingChanged("kept");
    assert.deepEqual(await emulator().launchers(own.imageId), []);
  });

  it("names expired credentials, a dead endpoint, a missing profile and a refused role, if a set would change", async () => {
    await emulator().configure({ deny: ["sts:AssumeRole"] });
    const change = (name: Name, connection: object) => ({ ...good(name), accountIds: [NEW], ...connection });
    project.config({
      "aws:maxRetries": 0,
      sets: [
        good("kept"),
        change("expired", { profile: "expired" }),
        change("down", { endpoint: CLOSED }),
        change("profileless", { profile: "nobody" }),
        change("denied", { assumeRole: { roleArn: `arn:aws:iam::${OWNER}:role/share` } }),
        good("nobody"),
      ],
    });
    const output = await failure(project, "up", "--yes", "--skip-preview", "--continue-on-error");
    shows(output, [
      `AMI ${images.expired.imageId}: the AWS credentials have expired (AWS: RequestExpired, request id `,
      "sign in again (for example aws sso login) and repeat [credentials-expired]",
      `EC2's endpoint ${CLOSED} in us-east-1 cannot be reached for DescribeImages of ${images.down.imageId}: connect ECONNREFUSED 127.0.0.1:1; check the network, the region and the endpoint [endpoint-unreachable]`,
      `AMI ${images.profileless.imageId}: no AWS credentials in profile "nobody": `,
      "[credentials-missing]",
      `AMI ${images.denied.imageId}: AWS denies access: `,
      "check the role's trust policy, the external id and the caller's policy [not-authorized]",
    ]);
    await nothingChanged("expired", "down", "profileless", "denied");
  });

  it("names a missing region in the preview, and missing credentials", async () => {
    const none = {
      AWS_REGION: undefined,
      AWS_DEFAULT_REGION: undefined,
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
    };
    const bare = await PulumiProject.create(emulator(), { env: none });
    try {
      const { imageId } = await emulator().image();
      bare.config({ imageId, accountIds: [ACCOUNT] });
      shows(await failure(bare, "preview"), [
        "no AWS region; set the region (the argument's, or the engine's AWS configuration), or AWS_REGION [region-missing]",
      ]);
      bare.config({ "aws:region": "us-east-1", imageId, accountIds: [ACCOUNT] });
      shows(await failure(bare, "up", "--yes", "--skip-preview"), [
        `AMI ${imageId}: no AWS credentials: `,
        "set a profile, AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or assumeRole [credentials-missing]",
      ]);
      assert.deepEqual(await emulator().calls(), []);
      assert.deepEqual((await bare.state()).sets, []);
      assert.deepEqual(await emulator().launchers(imageId), []);
    } finally {
      bare.remove();
    }
  });
});
