/** The stack's aws:* config and a set's own arguments, combined into one connection. */

import * as assert from "node:assert/strict";
import * as os from "node:os";
import * as path from "node:path";
import type { AmiSharingError, Connection } from "../../provider/core";
import { type ConnectionArguments, connectionOf } from "../../provider/pulumi/stackConfig";

const ROLE = "arn:aws:iam::111122223333:role/share";
const OTHER_ROLE = "arn:aws:iam::444455556666:role/other";
const SECRET = "not-to-be-shown-0123456789";

/** The connection without arguments that are not set. */
function connection(config: Record<string, unknown>, args: ConnectionArguments = {}): Partial<Connection> {
  return JSON.parse(JSON.stringify(connectionOf(args, (key) => config[key])));
}

const role = (roleArn: string, more: Record<string, unknown> = {}) => ({ roleArn, ...more });

interface Case {
  readonly name: string;
  readonly config: Record<string, unknown>;
  readonly args?: ConnectionArguments;
  readonly is: Record<string, unknown>;
}

const CASES: readonly Case[] = [
  { name: "nothing", config: {}, is: { assumeRoles: [] } },
  {
    name: "empty texts",
    config: { "aws:region": "", "aws:profile": "", "aws:endpoints": "", "aws:maxRetries": "" },
    is: { assumeRoles: [] },
  },
  { name: "region", config: { "aws:region": "eu-west-1" }, is: { region: "eu-west-1", assumeRoles: [] } },
  { name: "profile", config: { "aws:profile": "prod" }, is: { profile: "prod", assumeRoles: [] } },
  { name: "maxRetries as text", config: { "aws:maxRetries": "3" }, is: { maxRetries: 3, assumeRoles: [] } },
  { name: "maxRetries as a number", config: { "aws:maxRetries": 0 }, is: { maxRetries: 0, assumeRoles: [] } },
  {
    name: "keys",
    config: { "aws:accessKey": "AKIAX", "aws:secretKey": SECRET },
    is: { credentials: { accessKeyId: "AKIAX", secretAccessKey: SECRET }, assumeRoles: [] },
  },
  {
    name: "keys with a session token",
    config: { "aws:accessKey": "ASIAX", "aws:secretKey": SECRET, "aws:token": "tok" },
    is: { credentials: { accessKeyId: "ASIAX", secretAccessKey: SECRET, sessionToken: "tok" }, assumeRoles: [] },
  },
  { name: "an access key without its secret key is ignored", config: { "aws:accessKey": "AKIAX" }, is: { assumeRoles: [] } },
  {
    name: "endpoints as JSON text: the first that names a service",
    config: { "aws:endpoints": '[{"s3":"http://s3"},{"ec2":"http://127.0.0.1:1","sts":""},{"sts":"http://127.0.0.1:2"}]' },
    is: { endpoint: "http://127.0.0.1:1", stsEndpoint: "http://127.0.0.1:2", assumeRoles: [] },
  },
  {
    name: "endpoints as objects",
    config: { "aws:endpoints": [{ ec2: "http://127.0.0.1:1" }] },
    is: { endpoint: "http://127.0.0.1:1", assumeRoles: [] },
  },
  {
    name: "endpoints as one object",
    config: { "aws:endpoints": { ec2: "http://127.0.0.1:1" } },
    is: { endpoint: "http://127.0.0.1:1", assumeRoles: [] },
  },
  {
    name: "assumeRole as JSON text, with everything",
    config: {
      "aws:assumeRole": JSON.stringify(role(ROLE, { externalId: "x", sessionName: "s", duration: "1h30m" })),
    },
    is: { assumeRoles: [{ roleArn: ROLE, externalId: "x", sessionName: "s", durationSeconds: 5400 }] },
  },
  {
    name: "assumeRoles, one from the other, in order",
    config: { "aws:assumeRoles": [role(ROLE, { duration: "900s" }), role(OTHER_ROLE)] },
    is: { assumeRoles: [{ roleArn: ROLE, durationSeconds: 900 }, { roleArn: OTHER_ROLE }] },
  },
  { name: "a role without an ARN is ignored", config: { "aws:assumeRole": "{}" }, is: { assumeRoles: [] } },
  {
    name: "shared files as JSON",
    config: { "aws:sharedConfigFiles": '["/a","/b"]', "aws:sharedCredentialsFiles": ["/c"] },
    is: { sharedConfigFile: "/a", sharedCredentialsFile: "/c", assumeRoles: [] },
  },
  { name: "a shared file as text", config: { "aws:sharedConfigFiles": "/a" }, is: { sharedConfigFile: "/a", assumeRoles: [] } },
  {
    name: "shared files with ~ and environment variables, as @pulumi/aws reads them",
    config: { "aws:sharedConfigFiles": ["~/.aws/team"], "aws:sharedCredentialsFiles": [`$HOME/a/$${"{HOME}"}~`] },
    is: {
      sharedConfigFile: path.join(os.homedir(), ".aws/team"),
      sharedCredentialsFile: `${process.env.HOME}/a/${process.env.HOME}~`,
      assumeRoles: [],
    },
  },
  {
    name: "the set's own arguments before the stack's",
    config: {
      "aws:region": "eu-west-1",
      "aws:profile": "prod",
      "aws:endpoints": [{ ec2: "http://stack" }],
      "aws:assumeRole": role(ROLE),
    },
    args: { region: "us-east-1", profile: "mine", endpoint: "http://own", assumeRole: role(OTHER_ROLE) },
    is: { region: "us-east-1", profile: "mine", endpoint: "http://own", assumeRoles: [{ roleArn: OTHER_ROLE }] },
  },
  {
    name: "a profile of the set's own means its credentials, not the stack's keys",
    config: { "aws:accessKey": "AKIAX", "aws:secretKey": SECRET, "aws:token": "tok" },
    args: { profile: "mine" },
    is: { profile: "mine", assumeRoles: [] },
  },
];

describe("the connection from a stack's config", () => {
  for (const { name, config, args, is } of CASES) it(name, () => assert.deepEqual(connection(config, args), is));

  for (const [duration, seconds] of Object.entries({
    "1h": 3600,
    "30m": 1800,
    "1h30m": 5400,
    "900s": 900,
    "1h1m1s": 3661,
    "0.7h": 2520,
    "15m1500ms": 901,
  }))
    it(`a role with duration ${duration} is assumed for ${seconds} seconds`, () => {
      const { assumeRoles } = connection({ "aws:assumeRoles": [role(ROLE, { duration })] });
      assert.equal(assumeRoles?.[0]?.durationSeconds, seconds);
    });

  const wrong: readonly { name: string; config: Record<string, unknown>; words: string }[] = [
    {
      name: "an endpoint with a password",
      config: { "aws:endpoints": [{ ec2: `http://user:${SECRET}@127.0.0.1` }] },
      words: "aws:endpoints cannot be read: the endpoint of ec2 contains a user name or a password",
    },
    {
      name: "endpoints that are no JSON",
      config: { "aws:endpoints": SECRET },
      words: "aws:endpoints cannot be read: it is not JSON",
    },
    {
      name: "endpoints that are a list of texts",
      config: { "aws:endpoints": `["${SECRET}"]` },
      words: "aws:endpoints cannot be read: it is not a list of objects",
    },
    {
      name: "assumeRole that is an ARN",
      config: { "aws:assumeRole": SECRET },
      words: "aws:assumeRole cannot be read: it is not JSON",
    },
    {
      name: "assumeRoles that are cut short",
      config: { "aws:assumeRoles": `[{"externalId":"${SECRET}"` },
      words: "aws:assumeRoles cannot be read: it is not JSON",
    },
    {
      name: "maxRetries with a sign",
      config: { "aws:maxRetries": "-1" },
      words: "aws:maxRetries cannot be read: it is not a whole number",
    },
    {
      name: "maxRetries in words",
      config: { "aws:maxRetries": SECRET },
      words: "aws:maxRetries cannot be read: it is not a whole number",
    },
    {
      name: "a duration of less than a second",
      config: { "aws:assumeRoles": [role(ROLE, { duration: "999ms" })] },
      words: 'aws:assumeRoles cannot be read: duration is not of the form "1h30m"',
    },
    {
      name: "a duration in words",
      config: { "aws:assumeRoles": [role(ROLE, { duration: SECRET })] },
      words: 'aws:assumeRoles cannot be read: duration is not of the form "1h30m"',
    },
  ];
  for (const { name, config, words } of wrong)
    it(`${name}: the error names the key, and never the value`, () => {
      assert.throws(
        () => connection(config),
        (error: AmiSharingError) => {
          assert.equal(error.code, "invalid-argument");
          assert.ok(error.message.includes(words), error.message);
          assert.ok(!`${error.message}${error.stack}`.includes(SECRET));
          assert.equal(error.cause, undefined);
          return true;
        },
      );
    });
});
