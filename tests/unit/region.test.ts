/** The region of a connection, found without a call to AWS: from its arguments, the environment, or the profile in the shared files. */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type Connection, ec2Gateway } from "../../provider/core";

describe("the region of a connection", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "ami-region-"));
  const [config, credentials] = [path.join(folder, "config"), path.join(folder, "credentials")];
  before(() => {
    fs.writeFileSync(
      config,
      "[default]\nregion = eu-west-1\n[profile team]\nregion = eu-west-2\n[profile bare]\noutput = json\n",
    );
    fs.writeFileSync(credentials, "[keys]\nregion = eu-west-3\n");
  });
  afterEach(() => {
    for (const name of ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"]) delete process.env[name];
  });
  after(() => fs.rmSync(folder, { recursive: true }));

  const cases: readonly { name: string; connection: Connection; env?: Record<string, string>; region: string }[] = [
    { name: "its own", connection: { region: "us-west-1", profile: "team", sharedConfigFile: config }, region: "us-west-1" },
    { name: "the profile's", connection: { profile: "team", sharedConfigFile: config }, region: "eu-west-2" },
    { name: "the default profile's", connection: { sharedConfigFile: config }, region: "eu-west-1" },
    { name: "AWS_PROFILE's", connection: { sharedConfigFile: config }, env: { AWS_PROFILE: "team" }, region: "eu-west-2" },
    { name: "the credentials file's", connection: { profile: "keys", sharedCredentialsFile: credentials }, region: "eu-west-3" },
    {
      name: "AWS_REGION before the profile's, as with @pulumi/aws",
      connection: { profile: "team", sharedConfigFile: config },
      env: { AWS_REGION: "us-east-2" },
      region: "us-east-2",
    },
    {
      name: "AWS_DEFAULT_REGION before the profile's, as with @pulumi/aws",
      connection: { profile: "team", sharedConfigFile: config },
      env: { AWS_DEFAULT_REGION: "us-east-2" },
      region: "us-east-2",
    },
  ];
  for (const { name, connection, env = {}, region } of cases)
    it(name, async () => {
      Object.assign(process.env, env);
      assert.equal(await ec2Gateway(connection).region(), region);
    });

  for (const [name, connection] of Object.entries({
    "a profile without one": { profile: "bare", sharedConfigFile: config },
    "a profile that is not there": { profile: "nobody", sharedConfigFile: config },
    "a file that is not there": { profile: "team", sharedConfigFile: path.join(folder, "none") },
  } satisfies Record<string, Connection>))
    it(`is missing: ${name}`, () => assert.rejects(ec2Gateway(connection).region(), { code: "region-missing" }));
});
