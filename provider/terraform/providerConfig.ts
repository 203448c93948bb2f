/** The provider's configuration: from the block and the environment to connections, and a gateway for each region. */

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

/** Makes the gateway of a connection; tests give their own. */
export type MakeGateway = (connection: Connection, watch: CallWatch) => Gateway;

/** What is wrong with a provider block; nothing for a block that is fine. */
export function providerProblems(config: ObjectValue): readonly ArgumentProblem[] {
  const decoded = decode(config);
  return "problems" in decoded ? decoded.problems : [];
}

/** A configured provider. */
export class ProviderConfig {
  /** Whether all is known: in a plan, values of other resources may not be. */
  readonly isKnown: boolean;
  private readonly declared: DeclaredConnection;
  private readonly gateways = new Map<string, Gateway>();

  /**
   * @param config a block without problems
   * @param env the environment, read as terraform-provider-aws reads it
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

  /** The gateway to a region; one for all sets of a region, so that a role is assumed once. */
  gateway(region: string | undefined): Gateway {
    const key = region ?? "";
    const gateway = this.gateways.get(key) ?? this.makeGateway(this.connection(region), this.watch);
    this.gateways.set(key, gateway);
    return gateway;
  }

  /**
   * The region of a set that names none: the block's, the one recorded, the environment's or the profile's, in this order.
   * Recorded before the environment's, so that another shell's AWS_REGION moves nothing.
   */
  async regionFor(recorded: string | undefined): Promise<MaybeUnknown<string>> {
    if (this.declared.region !== undefined) return this.declared.region;
    if (recorded !== undefined) return recorded;
    return this.isKnown ? this.gateway(undefined).region() : UNKNOWN;
  }

  /**
   * The region of something that is read at once, where nothing may be unknown.
   *
   * @param given the argument; absent or null: the provider's
   * @param about what the error is to name
   */
  async regionToRead(given: Value | undefined, about: Pick<ErrorDetails, "imageId" | "next"> = {}): Promise<string> {
    const region = typeof given === "string" ? given : await this.regionFor(undefined);
    if (region !== UNKNOWN && this.isKnown) return region;
    throw new AmiSharingError("region-missing", "the provider's configuration is not known yet", {
      next: "give the provider values that are known, or apply what they come from first (-target)",
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
      // Keys in the environment win over AWS_PROFILE and lose to the block's profile; the SDK for JavaScript orders them differently.
      credentials:
        profile === undefined && accessKeyId && secretAccessKey
          ? { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) }
          : undefined,
      assumeRoles: assumeRole ? [assumeRole] : undefined,
      maxRetries,
    };
  }
}

/** With every unknown value left out: a connection is made only where all is known. */
type Known<T> = { [K in keyof T]: T[K] extends infer V ? Exclude<V, typeof UNKNOWN> : never } & {
  readonly assumeRole?: { readonly roleArn: string; readonly externalId?: string; readonly sessionName?: string };
};

function decode(config: ObjectValue) {
  const given = Object.entries(argumentsIn(config, PROVIDER_SCHEMA));
  // As for the `aws` provider, an empty text is as good as none.
  return decodeConnection(Object.fromEntries(given.filter(([, value]) => value !== "")));
}
