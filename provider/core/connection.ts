/** How to reach EC2: region, credentials, roles and endpoints, and the SDK client configuration they make. */

import type { AwsCredentialIdentity, AwsCredentialIdentityProvider } from "@smithy/types";
import { DEFAULT_MAX_ATTEMPTS } from "./limits";

/** A role to assume; roles in a list are assumed one from the other. */
export interface RoleToAssume {
  readonly roleArn: string;
  readonly externalId?: string | undefined;
  readonly sessionName?: string | undefined;
  readonly durationSeconds?: number | undefined;
}

/** Everything is optional: what is absent comes from the SDK's default chain (environment, profile, instance role). */
export interface Connection {
  readonly region?: string | undefined;
  readonly profile?: string | undefined;
  readonly sharedConfigFile?: string | undefined;
  readonly sharedCredentialsFile?: string | undefined;
  /** EC2's endpoint. */
  readonly endpoint?: string | undefined;
  /** The endpoint of STS, for roles; default: EC2's where that is on loopback (an emulator serves both), else AWS's. */
  readonly stsEndpoint?: string | undefined;
  /** The endpoint of KMS, for what it tells of a key; default: as for STS. */
  readonly kmsEndpoint?: string | undefined;
  readonly credentials?: AwsCredentialIdentity | undefined;
  readonly assumeRoles?: readonly RoleToAssume[] | undefined;
  /** Attempts after the first. Default: AWS_MAX_ATTEMPTS less 1, else 7. */
  readonly maxRetries?: number | undefined;
}

/** What every SDK client takes. */
export interface ClientConfig {
  readonly region?: string;
  readonly profile?: string;
  readonly endpoint?: string;
  readonly maxAttempts: number;
  readonly credentials: AwsCredentialIdentity | AwsCredentialIdentityProvider;
}

/** The configuration of an EC2 client for a connection. Nothing is read or called before the client's first request. */
export async function clientConfig(connection: Connection): Promise<ClientConfig> {
  const { profile, endpoint, maxRetries } = connection;
  // The SDK for JavaScript reads AWS_REGION only; infrastructure tools honour both.
  const region = connection.region ?? process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION;
  return {
    ...(region === undefined ? {} : { region }),
    ...(profile === undefined ? {} : { profile }),
    ...(endpoint === undefined ? {} : { endpoint }),
    maxAttempts: maxRetries === undefined ? Number(process.env.AWS_MAX_ATTEMPTS) || DEFAULT_MAX_ATTEMPTS : maxRetries + 1,
    credentials: await credentialsOf(connection),
  };
}

async function credentialsOf(connection: Connection): Promise<AwsCredentialIdentity | AwsCredentialIdentityProvider> {
  const { fromNodeProviderChain, fromTemporaryCredentials } = await import("@aws-sdk/credential-providers");
  const { profile, sharedConfigFile, sharedCredentialsFile, region, assumeRoles = [] } = connection;
  const base =
    connection.credentials ??
    fromNodeProviderChain({
      ...(profile === undefined ? {} : { profile }),
      ...(sharedConfigFile === undefined ? {} : { configFilepath: sharedConfigFile }),
      ...(sharedCredentialsFile === undefined ? {} : { filepath: sharedCredentialsFile }),
    });
  const endpoint = stsEndpointOf(connection);
  return assumeRoles.reduce<AwsCredentialIdentity | AwsCredentialIdentityProvider>(
    (masterCredentials, { roleArn, externalId, sessionName, durationSeconds }) =>
      fromTemporaryCredentials({
        masterCredentials,
        params: {
          RoleArn: roleArn,
          RoleSessionName: sessionName ?? "ami-launch-permissions",
          ...(externalId === undefined ? {} : { ExternalId: externalId }),
          ...(durationSeconds === undefined ? {} : { DurationSeconds: durationSeconds }),
        },
        clientConfig: { ...(region === undefined ? {} : { region }), ...(endpoint === undefined ? {} : { endpoint }) },
      }),
    base,
  );
}

/** The endpoint of STS: an emulator on loopback serves it beside EC2; everywhere else it is AWS's, unless one is given. */
export function stsEndpointOf({ endpoint, stsEndpoint }: Connection): string | undefined {
  return stsEndpoint ?? (isLoopback(endpoint) ? endpoint : undefined);
}

/** The endpoint of KMS, by the same rule. */
export function kmsEndpointOf({ endpoint, kmsEndpoint }: Connection): string | undefined {
  return kmsEndpoint ?? (isLoopback(endpoint) ? endpoint : undefined);
}

function isLoopback(endpoint: string | undefined): boolean {
  const host = endpoint && URL.canParse(endpoint) ? new URL(endpoint).hostname : "";
  return host === "localhost" || host === "[::1]" || host.startsWith("127.");
}
