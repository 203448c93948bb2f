/** The configuration of the provider: makes connections from the block and the environment, and a gateway for each region. */

import {
  AmiSharingError,
  type ArgumentProblem,
  type CallWatch,
  type Connection,
  type DeclaredConnection,
  decodeConnection,
  type ErrorDetails,
  ec2Gateway,
  type Gateway,
  type MaybeUnknown,
  type Rules,
  rulesOf,
  UNKNOWN,
} from "../core";
import { argumentsIn } from "./arguments";
import { camelCase } from "./diagnostics";
import { PROVIDER_SCHEMA } from "./schema";
import { hasUnknown, type ObjectValue, type Value } from "./values";

/** Makes the gateway for a connection. Tests pass their own. */
export type MakeGateway = (connection: Connection, watch: CallWatch) => Gateway;

/** What is wrong with a provider block; empty if nothing is. */
export function providerProblems(config: ObjectValue): readonly ArgumentProblem[] {
  const decoded = decode(config);
  return "problems" in decoded ? decoded.problems : [];
}

/** The error of a file that the block names; undefined if there is none. Call it only for a block without other problems. */
export function ruleProblem(config: ObjectValue): AmiSharingError | undefined {
  try {
    rulesIn(config, () => ({}));
    return undefined;
  } catch (error) {
    return error as AmiSharingError;
  }
}

/** Whether the block has an allow-list that is not known yet. */
export function isListUnknown({ allowed_grantees: list }: ObjectValue): boolean {
  return hasUnknown(list);
}

/** The arguments that say nothing of how to reach EC2. */
const RULES = ["allowedGrantees", "accountNames", "names"];

/** Errors: `invalid-argument`. */
function rulesIn(config: ObjectValue, connection: () => Connection, watch?: CallWatch): Rules {
  const given = Object.entries(argumentsIn(config, PROVIDER_SCHEMA)).filter(
    ([name, value]) => RULES.includes(name) && value !== "",
  );
  return rulesOf(Object.fromEntries(given), "the provider", connection, watch);
}

/** A configured provider. */
export class ProviderConfig {
  /** Whether all values are known. In a plan, values that come from other resources can be unknown. */
  readonly isKnown: boolean;
  /** The allow-list and the names for all sets. */
  readonly rules: Rules;
  private readonly declared: DeclaredConnection;
  private readonly gateways = new Map<string, Gateway>();

  /**
   * @param config a block without problems, also without those of {@link ruleProblem}
   * @param env the environment; credentials are taken from it as terraform-provider-aws does
   */
  constructor(
    config: ObjectValue,
    private readonly env: NodeJS.ProcessEnv,
    private readonly watch: CallWatch,
    private readonly makeGateway: MakeGateway = ec2Gateway,
  ) {
    const decoded = decode(config);
    this.declared = "connection" in decoded ? decoded.connection : {};
    this.isKnown = !Object.entries(config).some(([name, value]) => !RULES.includes(camelCase(name)) && hasUnknown(value));
    this.rules = rulesIn(config, () => this.connection(undefined), watch);
  }

  /** The gateway for a region. All sets of a region use the same one, so that a role is assumed only once. */
  gateway(region: string | undefined): Gateway {
    const key = region ?? "";
    const gateway = this.gateways.get(key) ?? this.makeGateway(this.connection(region), this.watch);
    this.gateways.set(key, gateway);
    return gateway;
  }

  /**
   * The region of a set without the argument `region`. The first of these that exists: that of the block, the recorded one, that of the
   * environment, that of the profile. The recorded region comes before the environment, so that AWS_REGION of another shell does not
   * move a set.
   */
  async regionFor(recorded: string | undefined): Promise<MaybeUnknown<string>> {
    if (this.declared.region !== undefined) return this.declared.region;
    if (recorded !== undefined) return recorded;
    return this.isKnown ? this.gateway(undefined).region() : UNKNOWN;
  }

  /**
   * The region for a read now, for which all values must be known.
   *
   * @param given the argument `region`; if it is absent or null, the region of the provider is used
   * @param about details for the error
   */
  async regionToRead(given: Value | undefined, about: Pick<ErrorDetails, "imageId" | "next"> = {}): Promise<string> {
    const region = typeof given === "string" ? given : await this.regionFor(undefined);
    if (region !== UNKNOWN && this.isKnown) return region;
    throw new AmiSharingError("region-missing", "the provider's configuration is not known yet", {
      next: "give the provider known values, or first apply the resources that the values come from (-target)",
      ...about,
    });
  }

  private connection(region: string | undefined): Connection {
    const { profile, endpoint, assumeRole, maxRetries } = this.declared as Known<DeclaredConnection>;
    const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken } = this.env;
    return {
      region,
      profile,
      endpoint,
      // Keys in the environment have precedence over AWS_PROFILE, but not over `profile` of the block. The SDK for JavaScript has another order.
      credentials:
        profile === undefined && accessKeyId && secretAccessKey
          ? { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) }
          : undefined,
      assumeRoles: assumeRole ? [assumeRole] : undefined,
      maxRetries,
    };
  }
}

/** A type without unknown values: a connection is made only if all values are known. */
type Known<T> = { [K in keyof T]: T[K] extends infer V ? Exclude<V, typeof UNKNOWN> : never } & {
  readonly assumeRole?: { readonly roleArn: string; readonly externalId?: string; readonly sessionName?: string };
};

function decode(config: ObjectValue) {
  const given = Object.entries(argumentsIn(config, PROVIDER_SCHEMA));
  // An empty string counts as not set, as in the `aws` provider.
  return decodeConnection(Object.fromEntries(given.filter(([, value]) => value !== "")));
}
