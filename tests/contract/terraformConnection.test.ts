/** How the built Terraform provider connects to EC2: provider block, environment, shared files and roles, with the precedence of the aws provider. */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { DATA_SOURCE, DATA_SOURCE_SCHEMA, PROVIDER_SCHEMA } from "../../provider/terraform/schema";
import { PROVIDER_SERVICE } from "../../provider/terraform/services";
import { encodeValue, type Value } from "../../provider/terraform/values";
import { useEmulator } from "../helpers/emulator";
import { PluginClient, startPlugin } from "../helpers/pluginClient";

const GOOD = { AWS_ACCESS_KEY_ID: "AKIAGOODGOODGOODGOOD", AWS_SECRET_ACCESS_KEY: "good-secret" };
const EXPIRED = { AWS_ACCESS_KEY_ID: "ASIAEXPIRED123456789", AWS_SECRET_ACCESS_KEY: "expired-secret" };
const OWNER = "222222222222";
const ROLE = `arn:aws:iam::${OWNER}:role/share-images`;

interface Scenario {
  readonly name: string;
  readonly block?: Record<string, Value>;
  readonly env?: Record<string, string>;
  /** The account and the region of all EC2 calls; undefined if there is no call. */
  readonly reaches?: string;
  /** The expected error code. Default: the AMI does not exist. */
  readonly fails?: string;
  readonly calls?: number;
}

describe("the Terraform provider's connection", () => {
  const emulator = useEmulator();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "ami-credentials-"));
  const [config, credentials] = ["config", "credentials"].map((name) => path.join(folder, name)) as [string, string];
  before(() => {
    fs.writeFileSync(config, "[default]\nregion = ap-south-1\n[profile sharing]\nregion = us-west-2\n");
    const keys = ({ AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY }: typeof GOOD) =>
      `aws_access_key_id = ${AWS_ACCESS_KEY_ID}\naws_secret_access_key = ${AWS_SECRET_ACCESS_KEY}\n`;
    fs.writeFileSync(credentials, `[default]\n${keys(EXPIRED)}[sharing]\n${keys(GOOD)}`);
  });
  after(() => fs.rmSync(folder, { recursive: true }));

  const scenarios: readonly Scenario[] = [
    { name: "keys in the environment, its region", env: { ...GOOD, AWS_REGION: "eu-west-1" }, reaches: "123456789012 eu-west-1" },
    {
      name: "keys in the environment win over AWS_PROFILE",
      env: { ...GOOD, AWS_PROFILE: "default", AWS_REGION: "eu-west-1" },
      reaches: "123456789012 eu-west-1",
    },
    {
      name: "the block's profile wins over keys in the environment",
      block: { profile: "sharing" },
      env: EXPIRED,
      reaches: "123456789012 us-west-2",
    },
    { name: "AWS_PROFILE, and the region of that profile", env: { AWS_PROFILE: "sharing" }, reaches: "123456789012 us-west-2" },
    { name: "the default profile", fails: "credentials-expired", reaches: "123456789012 ap-south-1" },
    {
      name: "a profile that does not exist",
      block: { profile: "nobody" },
      env: { AWS_REGION: "eu-west-1" },
      fails: "credentials-missing",
    },
    {
      name: "the block's region wins over the environment's",
      block: { region: "eu-west-2" },
      env: { ...GOOD, AWS_REGION: "eu-west-1" },
      reaches: "123456789012 eu-west-2",
    },
    {
      name: "AWS_REGION wins over AWS_DEFAULT_REGION",
      env: { ...GOOD, AWS_REGION: "eu-west-1", AWS_DEFAULT_REGION: "eu-west-3" },
      reaches: "123456789012 eu-west-1",
    },
    {
      name: "AWS_DEFAULT_REGION wins over a profile's",
      env: { AWS_PROFILE: "sharing", AWS_DEFAULT_REGION: "eu-west-3" },
      reaches: "123456789012 eu-west-3",
    },
    { name: "no region at all", env: { ...GOOD, AWS_CONFIG_FILE: "/dev/null" }, fails: "region-missing" },
    {
      name: "an empty string in the block counts as not set",
      block: { region: "", profile: "", endpoint: "" },
      env: { ...GOOD, AWS_REGION: "eu-west-1" },
      reaches: "123456789012 eu-west-1",
    },
    {
      name: "the block's role, with its external id",
      block: { assume_role: { role_arn: ROLE, external_id: "partner-42", session_name: "terraform" } },
      env: { ...GOOD, AWS_REGION: "eu-west-1" },
      reaches: `${OWNER} eu-west-1`,
    },
    {
      name: "max_retries",
      block: { max_retries: 2 },
      env: { ...GOOD, AWS_REGION: "us-east-2" },
      reaches: "123456789012 us-east-2",
      fails: "throttled",
      calls: 3,
    },
    {
      name: "AWS_MAX_ATTEMPTS",
      env: { ...GOOD, AWS_REGION: "us-east-2", AWS_MAX_ATTEMPTS: "2" },
      reaches: "123456789012 us-east-2",
      fails: "throttled",
      calls: 2,
    },
  ];

  for (const { name, block = {}, env = {}, reaches, fails = "image-not-found", calls } of scenarios)
    it(name, async () => {
      if (fails === "throttled") await emulator().configure({ throttle: { DescribeImages: 9 } });
      const { answer, log } = await read(block, { AWS_ENDPOINT_URL: emulator().url, ...env });
      assert.match(answer, new RegExp(`\\[${fails}\\]`));
      const reached = (await emulator().calls()).filter(({ service }) => service === "ec2");
      assert.deepEqual([...new Set(reached.map(({ account, region }) => `${account} ${region}`))], reaches ? [reaches] : []);
      if (calls !== undefined) assert.equal(reached.length, calls);
      for (const secret of ["good-secret", "expired-secret"]) assert.ok(!(answer + log).includes(secret));
    });

  it("prefers the block's endpoint to the environment's, and AWS_ENDPOINT_URL_EC2 to AWS_ENDPOINT_URL", async () => {
    const nowhere = "http://127.0.0.1:1";
    const region = { ...GOOD, AWS_REGION: "eu-west-1", AWS_MAX_ATTEMPTS: "1" };
    for (const [block, env] of [
      [{ endpoint: emulator().url }, { AWS_ENDPOINT_URL: nowhere, AWS_ENDPOINT_URL_EC2: nowhere }],
      [{}, { AWS_ENDPOINT_URL: nowhere, AWS_ENDPOINT_URL_EC2: emulator().url }],
    ] as const)
      assert.match((await read(block, { ...region, ...env })).answer, /\[image-not-found\]/);
    assert.match(
      (await read({ endpoint: nowhere }, { ...region, AWS_ENDPOINT_URL: emulator().url })).answer,
      /\[endpoint-unreachable\]/,
    );
  });

  it("reports all errors of an invalid provider block at once", async () => {
    const { answer } = await read({ region: "us_east_1", max_retries: -1 }, GOOD);
    assert.match(answer, /"us_east_1\\" is not a region.*-1 is not a whole number of retries/);
  });

  /** The response of the data source, or the errors of the provider block, and the log. */
  async function read(block: Record<string, Value>, env: Record<string, string>): Promise<{ answer: string; log: string }> {
    const shared = { AWS_CONFIG_FILE: config, AWS_SHARED_CREDENTIALS_FILE: credentials, AWS_EC2_METADATA_DISABLED: "true" };
    const plugin = await startPlugin({ ...shared, ...env });
    const client = new PluginClient(plugin, await plugin.as("client"));
    try {
      const configured = await client.ask(PROVIDER_SERVICE, "ConfigureProvider", { config: encodeValue(block, PROVIDER_SCHEMA) });
      const problems = JSON.stringify(configured.diagnostics);
      if (problems !== "[]") return { answer: problems, log: "" };
      const asked = { type_name: DATA_SOURCE, config: encodeValue({ image_id: "ami-0ffffffffffffffff" }, DATA_SOURCE_SCHEMA) };
      const answer = JSON.stringify(await client.ask(PROVIDER_SERVICE, "ReadDataSource", asked));
      return { answer, log: plugin.log.join("\n") };
    } finally {
      client.close();
      plugin.stop();
    }
  }
});
