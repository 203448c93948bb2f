/** The construct for the provider `ami`, which says how to reach EC2. */

import * as cdktn from "cdktn";
import type { Construct } from "constructs";
import { given, keep, type TableOf, type Values, withAttributes } from "./attributes";

/** The source address of the provider. */
export const PROVIDER_SOURCE = "registry.terraform.io/ami-launch-permissions/ami";

// Loaded by the name of the package, because the relative path is different in the sources and in the builds.
const { version } = require("ami-launch-permissions/package.json") as { version: string };

/** The provider that the constructs require: the version of this package, or a later patch version. */
export const METADATA: cdktn.TerraformProviderGeneratorMetadata = {
  providerName: "ami",
  providerVersionConstraint: `~> ${version}`,
};

// BEGIN arguments: `npm run fix` writes it from core/declaration/argumentTable.ts

/** A role to assume. */
export interface AmiProviderAssumeRole {
  /** The role's ARN. */
  readonly roleArn: string;
  /** The external id that the role's trust policy asks for. Default: none. */
  readonly externalId?: string | undefined;
  /** The session's name in CloudTrail. Default: `ami-launch-permissions`. */
  readonly sessionName?: string | undefined;
}

/** The arguments that are not objects. */
interface PlainArguments {
  /**
   * The region of sets and data sources that do not have one. Default: `AWS_REGION`, `AWS_DEFAULT_REGION`, then the profile's.
   */
  readonly region?: string | undefined;
  /**
   * A profile of the shared AWS config and credentials files. It wins over keys in the environment. Default: keys in the
   * environment, then `AWS_PROFILE`.
   */
  readonly profile?: string | undefined;
  /**
   * The endpoint of EC2, a URL. If it is on loopback, STS and KMS use it, too. Default: `AWS_ENDPOINT_URL_EC2`,
   * `AWS_ENDPOINT_URL`, then AWS's.
   */
  readonly endpoint?: string | undefined;
  /**
   * How often one EC2 call is retried. Without it, a call that EC2 throttles is retried for up to 10 minutes. Default:
   * `AWS_MAX_ATTEMPTS` less 1, else 7.
   */
  readonly maxRetries?: number | undefined;
  /**
   * The only grantees that any set may name, and that it may leave in place. The entries are those of the argument
   * `allowedGrantees` of a set, which can only narrow this list. Default: anybody.
   */
  readonly allowedGrantees?: string[] | undefined;
  /**
   * Names of accounts: a map from account id to name. Reports, warnings and errors show them beside the ids. `grants` never
   * contains a name. Default: none.
   */
  readonly accountNames?: { [key: string]: string } | undefined;
  /**
   * Where further names of accounts come from: the path of a JSON, YAML or CSV file, or `organizations` for AWS Organizations.
   * Default: none.
   */
  readonly names?: string | undefined;
}

/** All arguments. */
interface Arguments extends PlainArguments {
  /** A role to assume with these credentials. Default: none. */
  readonly assumeRole?: AmiProviderAssumeRole | undefined;
}

const ASSUME_ROLE: TableOf<AmiProviderAssumeRole> = { roleArn: "string", externalId: "string", sessionName: "string" };

const ARGUMENTS: TableOf<Arguments> = {
  region: "string",
  profile: "string",
  endpoint: "string",
  assumeRole: ASSUME_ROLE,
  maxRetries: "number",
  allowedGrantees: "set",
  accountNames: "map",
  names: "string",
};

// END arguments

/** What is left out here comes from the environment and the shared AWS files, as for the provider `aws`. */
export interface AmiProviderConfig extends Arguments {
  /** The name of a second provider, which constructs choose with `provider`. Default: none. */
  readonly alias?: string | undefined;
}

/** What the provider has for its arguments. */
interface Members extends Values<AmiProviderConfig> {}

/** Shares AMIs, and the EBS snapshots behind them, with exactly the accounts, organizations and units that are named. */
export class AmiProvider extends withAttributes<typeof cdktn.TerraformProvider, Members>(
  cdktn.TerraformProvider,
  { ...ARGUMENTS, alias: "string" } satisfies TableOf<AmiProviderConfig>,
  {},
  given,
) {
  /** The type in Terraform. */
  static readonly tfResourceType = "ami";

  constructor(scope: Construct, id: string, config: AmiProviderConfig = {}) {
    super(scope, id, {
      terraformResourceType: AmiProvider.tfResourceType,
      terraformGeneratorMetadata: METADATA,
      terraformProviderSource: PROVIDER_SOURCE,
    });
    keep(this, config);
  }
}
