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
  UNKNOWN,
} from "../core";
import { argumentsIn } from "./arguments";
import { PROVIDER_SCHEMA } from "./schema";
import { hasUnknown, type ObjectValue, type Value } from "./values";

/** Makes the gateway for a connection. Tests pass their own. */
export type MakeGateway = (connection: Connection, watch: CallWatch) => Gateway;

/** What is wrong with a provider block; empty if nothing is. */
export function providerProblems(config: ObjectValue): readonly ArgumentProblem[] {
  const decoded = decode(config);
  return "problems" in decoded ? decoded.problems : [];
}

/** A configured provider. */
export class ProviderConfig {
  /** Whether all values are known. In a plan, values that come from other resources can be unknown. */
  readonly isKnown: boolean;
  private readonly declared: DeclaredConnection;
  private readonly gateways = new Map<string, Gateway>();

  /**
   * @param config a block without problems
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
    this.isKnown = !hasUnknown(config);
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
