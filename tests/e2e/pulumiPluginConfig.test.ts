/** How the full Pulumi provider reaches EC2: its configuration, explicit providers and `providers:`. No credential is in the state or the output. */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { useEmulator } from "../helpers/emulator";
import { declaredSet, usePluginProject, writeProgram } from "../helpers/pulumiPlugin";
import type { Ran } from "../helpers/pulumiProject";
import { EVENTS, requireHidden } from "../helpers/shownSecrets";

const [A, B] = ["111122223333", "444455556666"];
const OWNER = "222222222222";
const [ROLE, LAST] = [`arn:aws:iam::333333333333:role/first`, `arn:aws:iam::${OWNER}:role/share-images`];
const KEYS = { accessKey: "AKIACONFIGCONFIGCONF", secretKey: "secret-key-of-the-config", token: "token-of-the-config" };
const PREFIX = "ami-launch-permissions";
/** A provider's class, as an SDK has it: what is no text goes as JSON. */
const PROVIDER = `
  class Provider extends pulumi.ProviderResource {
    constructor(name: string, args: Record<string, unknown>) {
      const texts = Object.entries(args).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]);
      super("${PREFIX}", name, Object.fromEntries(texts));
    }
  }
`;

describe("the configuration of the full Pulumi provider", function () {
  this.timeout(600_000);
  const emulator = useEmulator();
  let seen: string[];
  beforeEach(() => {
    seen = [];
  });
  const project = usePluginProject(emulator, () => ({
    env: {
      PULUMI_DEBUG_COMMANDS: "true",
      AWS_ENDPOINT_URL: undefined,
      AWS_REGION: undefined,
      AWS_DEFAULT_REGION: undefined,
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
    },
  }));

  async function ran(run: Promise<Ran>): Promise<string> {
    const { output } = await run;
    seen.push(output);
    return output;
  }

  const up = () => ran(project().succeed("up", "--yes", "--skip-preview", "--diff", "--event-log", EVENTS));

  /** The regions and accounts of all EC2 calls, each once. */
  async function reached(): Promise<string[]> {
    const calls = (await emulator().calls()).filter(({ service }) => service === "ec2");
    return [...new Set(calls.map(({ account, region }) => `${account} in ${region}`))].sort();
  }

  it("is that of the provider a set names: two regions in one program, by provider and by providers", async () => {
    const [east, west, inherited] = await emulator().images([
      { snapshots: 1 },
      { snapshots: 1, region: "eu-west-1" },
      { snapshots: 1, region: "eu-west-1" },
    ]);
    const program = (accountIds: readonly string[]) =>
      writeProgram(
        project(),
        `${PROVIDER}
        const endpoint = "${emulator().url}";
        const east = new Provider("east", { region: "us-east-1", endpoint, ...${JSON.stringify(KEYS)} });
        const west = new Provider("west", { region: "eu-west-1", endpoints: [{ ec2: endpoint }], ...${JSON.stringify(KEYS)} });
        class Team extends pulumi.ComponentResource {
          constructor(opts: pulumi.ComponentResourceOptions) {
            super("test:index:Team", "team", {}, opts);
          }
        }
        const team = new Team({ providers: [west] });
        const set = (name: string, imageId: string, opts: pulumi.CustomResourceOptions) =>
          new LaunchPermissionSet(name, { imageId, accountIds: ${JSON.stringify(accountIds)} }, opts);
        set("east", "${east?.imageId}", { provider: east });
        set("west", "${west?.imageId}", { provider: west });
        set("inherited", "${inherited?.imageId}", { parent: team });`,
      );
    const all = [east, west, inherited].flatMap((image) => image ?? []);
    const shared = async () => (await emulator().pairs(all)).filter((pair) => pair.startsWith("ami-"));
    program([A]);
    const preview = await ran(project().succeed("preview", "--diff"));
    for (const { imageId, region } of all) assert.match(preview, new RegExp(`AMI ${imageId} in ${region}: 1 gains`));
    await up();
    assert.deepEqual(await shared(), all.map(({ imageId }) => `${imageId} account/${A}`).sort());
    program([B]);
    await up();
    assert.deepEqual(await shared(), all.map(({ imageId }) => `${imageId} account/${B}`).sort());
    assert.deepEqual(await reached(), ["123456789012 in eu-west-1", "123456789012 in us-east-1"]);
    assert.match(await project().preview("--refresh"), /\b\d unchanged/);
    await requireHidden(project(), seen, Object.values(KEYS));
    await ran(project().succeed("destroy", "--yes", "--skip-preview", "--diff"));
    assert.deepEqual(await shared(), []);
    await requireHidden(project(), seen, Object.values(KEYS));
  });

  it("comes from the stack's config: keys that are secrets, endpoints, files and a chain of roles", async () => {
    const image = await emulator().image({ snapshots: 1, region: "us-west-2", accountId: OWNER });
    const files = ["config", "credentials"].map((name) => path.join(project().folder, name));
    fs.writeFileSync(files[0] ?? "", "[profile sharing]\nregion = us-west-2\n");
    fs.writeFileSync(files[1] ?? "", "[sharing]\naws_access_key_id = ASIAEXPIRED123456789\naws_secret_access_key = expired\n");
    project().config({
      [`${PREFIX}:profile`]: "sharing",
      [`${PREFIX}:sharedConfigFiles`]: [files[0]],
      [`${PREFIX}:sharedCredentialsFiles`]: [files[1]],
      [`${PREFIX}:endpoints`]: [{ ec2: emulator().url }],
      [`${PREFIX}:assumeRoles`]: [{ roleArn: ROLE, externalId: "partner-42", duration: "30m" }, { roleArn: LAST }],
    });
    writeProgram(project(), declaredSet("golden", { imageId: image.imageId, accountIds: [A] }));
    // The keys of the profile have expired.
    assert.match(await ran(project().fail("up", "--yes", "--skip-preview")), /\[credentials-(expired|invalid)\]/);
    for (const [name, value] of Object.entries(KEYS))
      await project().succeed("config", "set", "--secret", `${PREFIX}:${name}`, value);
    await emulator().forgetCalls();
    await up();
    assert.deepEqual(await reached(), [`${OWNER} in us-west-2`]);
    const assumed = (await emulator().calls()).filter(({ action }) => action === "AssumeRole");
    assert.deepEqual(
      assumed.map(({ params: { RoleArn, ExternalId, DurationSeconds } }) => [RoleArn, ExternalId, DurationSeconds]),
      [
        [ROLE, "partner-42", "1800"],
        [LAST, undefined, undefined],
      ],
    );
    assert.match(await project().preview(), /\b\d unchanged/);
    await emulator().configure({ deny: ["ec2:ModifyImageAttribute"] });
    assert.match(await ran(project().fail("destroy", "--yes")), /not-authorized/);
    await emulator().configure({ deny: [] });
    await ran(project().succeed("destroy", "--yes", "--skip-preview"));
    await requireHidden(project(), seen, Object.values(KEYS));
  });

  it("is refused as a whole where a key is missing, and no value is shown", async () => {
    const { imageId } = await emulator().image({ snapshots: 1 });
    writeProgram(
      project(),
      `${PROVIDER}
      const provider = new Provider("explicit", { region: "us-east-1", secretKey: "${KEYS.secretKey}", token: "${KEYS.token}" });
      new LaunchPermissionSet("golden", { imageId: "${imageId}", accountIds: ["${A}"] }, { provider });`,
    );
    const output = (await ran(project().fail("preview"))).replace(/\s+/g, " ");
    assert.match(output, /secretKey: needs accessKey, too.* \[invalid-argument\]/);
    for (const secret of Object.values(KEYS)) assert.ok(!output.includes(secret), output);
  });
});
