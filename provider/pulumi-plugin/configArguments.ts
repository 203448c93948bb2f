/** The arguments of the provider's configuration, as plain data: those of the core, and what @pulumi/aws has besides; no behaviour. */

import { type Argument, CONNECTION_ARGUMENTS, PROVIDER_ARGUMENTS } from "../core";

/** One argument of the configuration. */
export interface ConfigArgument extends Argument {
  /** No output and no state shows its value. */
  readonly isSecret?: true;
  /** There may be several of them, as a list. */
  readonly isList?: true;
}

const ENDPOINT = "AWS's; that of EC2, if it is on loopback";

/** The names and the meaning are those of @pulumi/aws, so that a stack can copy its configuration. */
export const CONFIG_ARGUMENTS = {
  ...PROVIDER_ARGUMENTS,
  region: { ...PROVIDER_ARGUMENTS.region, text: "The region of sets and functions that do not have one." },
  endpoints: {
    isList: true,
    type: {
      name: "Endpoints",
      text: "Endpoints of services, each a URL.",
      members: {
        ec2: { type: "string", text: "The endpoint of EC2.", defaultText: "`endpoint`" },
        sts: { type: "string", text: "The endpoint of STS.", defaultText: ENDPOINT },
        kms: { type: "string", text: "The endpoint of KMS.", defaultText: ENDPOINT },
      },
    },
    text: "Endpoints of services. `endpoint` wins for EC2.",
    defaultText: "none",
  },
  assumeRoles: {
    isList: true,
    type: {
      name: "ProviderAssumeRole",
      text: "A role to assume.",
      members: {
        ...CONNECTION_ARGUMENTS.assumeRole.type.members,
        duration: { type: "string", text: "How long the role's credentials hold, such as `1h30m`.", defaultText: "an hour" },
      },
    },
    text: "Roles to assume, each with the credentials of the one before it. `assumeRole` is assumed after them.",
    defaultText: "none",
  },
  accessKey: {
    isSecret: true,
    type: "string",
    text: "The id of an access key. Needs `secretKey`. The two win over `profile`.",
    defaultText: "the default chain of the AWS SDK",
  },
  secretKey: {
    isSecret: true,
    type: "string",
    text: "The secret of the access key.",
    defaultText: "the default chain of the AWS SDK",
  },
  token: { isSecret: true, type: "string", text: "The session token of a temporary access key.", defaultText: "none" },
  sharedConfigFiles: {
    type: "strings",
    text: "The path of a shared AWS config file, as a list of one.",
    defaultText: "`AWS_CONFIG_FILE`, then `~/.aws/config`",
  },
  sharedCredentialsFiles: {
    type: "strings",
    text: "The path of a shared AWS credentials file, as a list of one.",
    defaultText: "`AWS_SHARED_CREDENTIALS_FILE`, then `~/.aws/credentials`",
  },
} as const satisfies Readonly<Record<string, ConfigArgument>>;

/** The names of the arguments that are always secrets. */
export const SECRET_CONFIG: readonly string[] = ["accessKey", "secretKey", "token"];
