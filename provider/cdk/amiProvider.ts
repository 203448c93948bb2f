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

/** A role to assume. */
export interface AmiProviderAssumeRole {
  /** The role's ARN. */
  readonly roleArn: string;
  /** The external id that the role's trust policy asks for. */
  readonly externalId?: string | undefined;
  /** The session's name in CloudTrail. Default: `ami-launch-permissions`. */
  readonly sessionName?: string | undefined;
}

/** The arguments of the provider. The environment and the shared AWS files provide the rest, as for the provider `aws`. */
export interface AmiProviderConfig {
  /** The region of sets and data sources that name none. Default: `AWS_REGION`, `AWS_DEFAULT_REGION`, then the profile's. */
  readonly region?: string | undefined;
  /** A profile of the shared AWS files; it wins over keys in the environment. Default: keys in the environment, then `AWS_PROFILE`. */
  readonly profile?: string | undefined;
  /** EC2's endpoint, a URL. On loopback, STS and KMS are looked for there, too. Default: AWS's. */
  readonly endpoint?: string | undefined;
  /** A role to assume with the credentials found. */
  readonly assumeRole?: AmiProviderAssumeRole | undefined;
  /** Attempts of one EC2 call after the first. Default: `AWS_MAX_ATTEMPTS` less 1, or 7. */
  readonly maxRetries?: number | undefined;
  /** The name of a second provider, which constructs choose with `provider`. Default: none. */
  readonly alias?: string | undefined;
}

interface Members extends Values<AmiProviderConfig> {}

const ARGUMENTS: TableOf<AmiProviderConfig> = {
  region: "string",
  profile: "string",
  endpoint: "string",
  assumeRole: { roleArn: "string", externalId: "string", sessionName: "string" },
  maxRetries: "number",
  alias: "string",
};

/** Shares AMIs, and the EBS snapshots behind them, with exactly the accounts, organizations and units that are named. */
export class AmiProvider extends withAttributes<typeof cdktn.TerraformProvider, Members>(
  cdktn.TerraformProvider,
  ARGUMENTS,
  {},
  given,
) {
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
