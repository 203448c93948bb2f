/** How a set connects to EC2: its own arguments have precedence over the stack's `aws:*` config. No credential is in the state or the output. */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Emulator, ROOT, useEmulator } from "../helpers/emulator";
import { PulumiProject } from "../helpers/pulumiProject";

const ACCOUNT = "111122223333";
const [CALLER, OWNER] = ["123456789012", "222222222222"];
const role = (account: string) => `arn:aws:iam::${account}:role/share-images`;
const SECRETS = {
  profile: "secret-key-of-the-profile",
  expired: "secret-key-of-the-default",
  key: "secret-key-of-the-config",
  token: "session-token-of-the-config",
};
/** The prefixes of the session tokens and access keys that this STS returns. */
const TEMPORARY = /FQoGZXIvYXdz|ASIA[A-Z0-9]{16}/;

/** The AWS CLI's environment for the emulator, with other keys. */
class OtherCaller extends Emulator {
  constructor(
    url: string,
    private readonly keys: Record<string, string>,
  ) {
    super(url, async () => {});
  }
  override environment(): Record<string, string> {
    return { ...super.environment(), ...this.keys };
  }
}

describe("the connection", () => {
  const emulator = useEmulator();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "ami-e2e-credentials-"));
  let project: PulumiProject;
  let shown = "";
  before(async () => {
    const file = path.join(folder, "credentials");
    const profile = (name: string, id: string, secret: string) =>
      `[${name}]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n`;
    fs.writeFileSync(
      file,
      profile("default", "ASIAEXPIRED123456789", SECRETS.expired) + profile("sharing", "AKIAPROFILEPROFILE12", SECRETS.profile),
    );
    project = await PulumiProject.create(emulator(), {
      env: {
        AWS_ENDPOINT_URL: undefined,
        AWS_REGION: undefined,
        AWS_DEFAULT_REGION: undefined,
        AWS_ACCESS_KEY_ID: undefined,
        AWS_SECRET_ACCESS_KEY: undefined,
        AWS_SHARED_CREDENTIALS_FILE: file,
      },
    });
  });
  after(() => {
    project.remove();
    fs.rmSync(folder, { recursive: true });
  });

  /** Runs `up`, and searches its output and the state for credentials. */
  async function up(expected: "succeed" | "fail" = "succeed"): Promise<string> {
    const { output } = await project[expected]("up", "--yes", "--diff", ...(expected === "succeed" ? ["--skip-preview"] : []));
    const { text, sets } = await project.state();
    shown += output + text;
    for (const secret of Object.values(SECRETS)) assert.ok(!shown.includes(secret), `the output has ${secret}`);
    assert.doesNotMatch(shown, TEMPORARY);
    for (const { inputs, outputs } of sets) {
      assert.equal(inputs.__provider, outputs.__provider);
      assert.doesNotMatch(JSON.stringify(sets), /secret|token|AKIA/i);
    }
    return output;
  }

  /** The launch permissions of an AMI of the second account, read by the AWS CLI with that account's role. */
  async function launchersOfOwner(imageId: string): Promise<string[]> {
    const reader = ["--role-arn", role(OWNER), "--role-session-name", "reader"];
    const { Credentials } = await emulator().aws("sts", "assume-role", ...reader);
    const { AccessKeyId, SecretAccessKey, SessionToken } = Credentials as unknown as Record<string, string>;
    return new OtherCaller(emulator().url, {
      AWS_ACCESS_KEY_ID: AccessKeyId ?? "",
      AWS_SECRET_ACCESS_KEY: SecretAccessKey ?? "",
      AWS_SESSION_TOKEN: SessionToken ?? "",
    }).launchers(imageId);
  }

  /** The regions and accounts of all EC2 calls, without duplicates. */
  async function reached(): Promise<string[]> {
    const calls = (await emulator().calls()).filter(({ service }) => service === "ec2");
    return [...new Set(calls.map(({ account, region }) => `${account} in ${region}`))];
  }

  /** The assumed roles, with external id and session name if they are set. */
  async function assumed(): Promise<string[]> {
    const calls = (await emulator().calls()).filter(({ action }) => action === "AssumeRole");
    return calls.map(({ params: { RoleArn, ExternalId, RoleSessionName } }) => [RoleArn, ExternalId, RoleSessionName].join(" "));
  }

  it("comes from aws:region, aws:profile and aws:endpoints", async () => {
    const { imageId } = await emulator().image({ snapshots: 1, region: "us-west-2" });
    project.config({
      imageId,
      accountIds: [ACCOUNT],
      "aws:region": "us-west-2",
      "aws:profile": "sharing",
      "aws:endpoints": [{ ec2: emulator().url }],
    });
    await up();
    assert.deepEqual(await reached(), [`${CALLER} in us-west-2`]);
    const attribute = ["--attribute", "launchPermission", "--region", "us-west-2"];
    const { LaunchPermissions } = await emulator().aws("ec2", "describe-image-attribute", "--image-id", imageId, ...attribute);
    assert.deepEqual(LaunchPermissions, [{ UserId: ACCOUNT }]);
    await project.destroy();
  });

  it("uses the profile's region in aws:sharedConfigFiles: in check, report, up and the program's own read", async () => {
    const { imageId } = await emulator().image({ snapshots: 1, region: "us-west-2" });
    const config = path.join(folder, "config");
    fs.writeFileSync(config, "[profile sharing]\nregion = us-west-2\n");
    project.config({
      imageId,
      accountIds: [ACCOUNT],
      "aws:profile": "sharing",
      "aws:sharedConfigFiles": [config],
      "aws:sharedCredentialsFiles": [path.join(folder, "credentials")],
      "aws:endpoints": [{ ec2: emulator().url }],
    });
    assert.match(await project.preview(), new RegExp(`AMI ${imageId} in us-west-2: 1 gains access`));
    await up();
    assert.deepEqual(await reached(), [`${CALLER} in us-west-2`]);
    await project.destroy();

    project.program(
      `import { getAmiLaunchPermissions } from "ami-launch-permissions";
      export const region = getAmiLaunchPermissions({ imageId: ${JSON.stringify(imageId)} }).then((found) => found.region);`,
    );
    await up();
    assert.deepEqual(await project.outputs(), { region: "us-west-2" });
    await project.destroy();
    project.program(fs.readFileSync(path.join(ROOT, "index.ts"), "utf8"));
  });

  it("uses another account's role from aws:assumeRoles, or from the set, whose own arguments have precedence", async () => {
    const first = await emulator().image({ snapshots: 1, accountId: OWNER });
    const second = await emulator().image({ snapshots: 1, accountId: OWNER });
    const endpoints = [{ ec2: emulator().url }];
    project.config({
      imageId: first.imageId,
      accountIds: [ACCOUNT],
      "aws:region": "us-east-1",
      "aws:profile": "sharing",
      "aws:endpoints": endpoints,
      "aws:assumeRoles": [{ roleArn: role(OWNER), externalId: "partner-42", sessionName: "pulumi" }],
    });
    await up();
    assert.deepEqual(await reached(), [`${OWNER} in us-east-1`]);
    assert.deepEqual(await assumed(), [`${role(OWNER)} partner-42 pulumi`]);
    assert.deepEqual(await launchersOfOwner(first.imageId), [ACCOUNT]);
    await project.destroy();

    await emulator().forgetCalls();
    project.config({
      sets: [
        {
          name: "own",
          imageId: second.imageId,
          accountIds: [ACCOUNT],
          region: "us-east-1",
          profile: "sharing",
          endpoint: emulator().url,
          assumeRole: { roleArn: role(OWNER), externalId: "partner-43" },
        },
      ],
      "aws:region": "eu-west-1",
      "aws:profile": "default",
      "aws:endpoints": [{ ec2: "http://127.0.0.1:1", sts: emulator().url }],
      "aws:assumeRoles": [{ roleArn: role("333333333333") }],
    });
    await up();
    assert.deepEqual(await reached(), [`${OWNER} in us-east-1`]);
    assert.deepEqual(await assumed(), [`${role(OWNER)} partner-43 ami-launch-permissions`]);
    assert.deepEqual(await launchersOfOwner(second.imageId), [ACCOUNT]);
    await project.destroy();
    assert.deepEqual(await launchersOfOwner(second.imageId), []);
  });

  it("uses secret keys from the config, and retries a call up to aws:maxRetries", async () => {
    const { imageId } = await emulator().image({ snapshots: 1 });
    project.config({
      imageId,
      accountIds: [ACCOUNT],
      "aws:region": "us-east-1",
      "aws:accessKey": "AKIACONFIGCONFIGCONF",
      "aws:endpoints": [{ ec2: emulator().url }],
      "aws:maxRetries": 2,
    });
    await project.succeed("config", "set", "--secret", "aws:secretKey", SECRETS.key);
    await project.succeed("config", "set", "--secret", "aws:token", SECRETS.token);
    await emulator().configure({ throttle: { DescribeImages: 9 } });
    assert.match(await up("fail"), /EC2 throttles DescribeImages of ami-\w+, after 3 attempts in \d/);
    assert.deepEqual(
      (await emulator().calls()).map(({ action, code }) => `${action} ${code}`),
      // The preview's report makes as many attempts as the up.
      Array(2 * 3).fill("DescribeImages RequestLimitExceeded"),
    );

    await emulator().configure({ throttle: { DescribeImages: 2 } });
    await up();
    assert.deepEqual(await emulator().launchers(imageId), [ACCOUNT]);
    await emulator().configure({ deny: ["ec2:ModifyImageAttribute"] });
    shown += (await project.fail("destroy", "--yes")).output;
    for (const secret of Object.values(SECRETS)) assert.ok(!shown.includes(secret), `the output has ${secret}`);
  });
});
