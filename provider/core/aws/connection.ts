/** How to reach EC2: region, credentials, roles and endpoints, and the configuration of an SDK client for them. */

import { isIPv4 } from "node:net";
import type {
  AwsCredentialIdentity,
  AwsCredentialIdentityProvider,
  NodeHttpHandlerOptions,
  Provider,
  RetryStrategyV2,
} from "@smithy/types";
import {
  AmiSharingError,
  CONNECT_TIMEOUT_MS,
  DEFAULT_MAX_ATTEMPTS,
  DEFAULT_SESSION_NAME,
  MAX_CONNECTIONS,
  REQUEST_TIMEOUT_MS,
} from "../model";
import { type CallWatch, callWatch } from "./callWatch";
import { regionOf } from "./region";
import { CallRetries } from "./retrying";
import type { Timeouts } from "./wire";

/** A role to assume. In a list, each role is assumed with the credentials of the one before. */
export interface RoleToAssume {
  /** The role's ARN. */
  readonly roleArn: string;
  /** The external id that the role's trust policy asks for. Default: none. */
  readonly externalId?: string | undefined;
  /** The session's name in CloudTrail. Default: `ami-launch-permissions`. */
  readonly sessionName?: string | undefined;
  /** How long the role's credentials hold. Default: STS's, an hour. */
  readonly durationSeconds?: number | undefined;
}

/** An access key of AWS. It has the fields of the SDK's `AwsCredentialIdentity`. */
export interface AccessKey {
  /** The id of the key, such as `AKIAIOSFODNN7EXAMPLE`. */
  readonly accessKeyId: string;
  /** The secret of the key. */
  readonly secretAccessKey: string;
  /** The token of a temporary key. Default: none. */
  readonly sessionToken?: string;
  /** When a temporary key ends. Default: never. */
  readonly expiration?: Date;
  /** The account of the key. Default: not known. */
  readonly accountId?: string;
  /** Where the key holds. Default: everywhere. */
  readonly credentialScope?: string;
}

/** Every field is optional. If one is absent, the SDK's default chain provides it (environment, profile, instance role). */
export interface Connection {
  /** The region of the calls, such as `us-east-1`. Default: `AWS_REGION`, `AWS_DEFAULT_REGION`, then the profile's. */
  readonly region?: string | undefined;
  /** A profile of the shared config and credentials files. Default: `AWS_PROFILE`, else `default`. */
  readonly profile?: string | undefined;
  /** The shared config file. Default: `AWS_CONFIG_FILE`, else `~/.aws/config`. */
  readonly sharedConfigFile?: string | undefined;
  /** The shared credentials file. Default: `AWS_SHARED_CREDENTIALS_FILE`, else `~/.aws/credentials`. */
  readonly sharedCredentialsFile?: string | undefined;
  /** The endpoint of EC2. */
  readonly endpoint?: string | undefined;
  /** The endpoint of STS. Default: that of EC2 if it is on loopback, because an emulator serves both; else that of AWS. */
  readonly stsEndpoint?: string | undefined;
  /** The endpoint of KMS. Default: as for STS. */
  readonly kmsEndpoint?: string | undefined;
  /** Access key, secret key and session token. Default: the SDK's chain. */
  readonly credentials?: AccessKey | undefined;
  /** Roles to assume, each with the credentials of the one before it. Default: none. */
  readonly assumeRoles?: readonly RoleToAssume[] | undefined;
  /** Attempts after the first. Default: AWS_MAX_ATTEMPTS minus 1, else 7, and 10 minutes for a call that AWS throttles. */
  readonly maxRetries?: number | undefined;
  /** How long to wait for a connection, in milliseconds. */
  readonly connectTimeout?: number | undefined;
  /** How long to wait for an answer, in milliseconds. Default: AMI_LAUNCH_PERMISSIONS_REQUEST_TIMEOUT_MS, else 30,000. */
  readonly requestTimeout?: number | undefined;
}

/** The configuration that every SDK client accepts. */
export interface ClientConfig {
  readonly region?: string | Provider<string>;
  readonly profile?: string;
  readonly endpoint?: string;
  readonly maxAttempts: number;
  readonly retryStrategy: RetryStrategyV2;
  readonly credentials: AwsCredentialIdentity | AwsCredentialIdentityProvider;
  readonly requestHandler: NodeHttpHandlerOptions;
}

/**
 * The configuration of an EC2 client for a connection. Credentials are looked up only at the first request of the client.
 *
 * @throws AmiSharingError `invalid-argument` if the environment has a timeout that is not a number
 */
export async function clientConfig(connection: Connection, watch: CallWatch = {}): Promise<ClientConfig> {
  const { profile, endpoint } = connection;
  const region = await regionOf(connection);
  const { StandardRetryStrategy } = await (await import("./sdk")).config();
  const maxAttempts = maxAttemptsOf(connection);
  return {
    ...(region === undefined ? {} : { region }),
    ...(profile === undefined ? {} : { profile }),
    ...(endpoint === undefined ? {} : { endpoint }),
    maxAttempts,
    retryStrategy: new CallRetries(
      (attempts) => new StandardRetryStrategy(attempts),
      { maxAttempts, limitsThrottled: chosenAttempts(connection) !== undefined },
      watch.signal,
    ),
    credentials: await credentialsOf(connection, watch),
    requestHandler: httpOptions(connection),
  };
}

/** The number of attempts of one call, including the first. */
export function maxAttemptsOf(connection: Connection): number {
  return chosenAttempts(connection) ?? DEFAULT_MAX_ATTEMPTS;
}

function chosenAttempts({ maxRetries }: Connection): number | undefined {
  return maxRetries === undefined ? Number(process.env.AWS_MAX_ATTEMPTS) || undefined : maxRetries + 1;
}

/** The timeouts of a connection. */
export function timeoutsOf({ connectTimeout = CONNECT_TIMEOUT_MS, requestTimeout }: Connection): Timeouts {
  return { connectTimeout, requestTimeout: requestTimeout ?? fromEnvironment(REQUEST_TIMEOUT_VARIABLE) ?? REQUEST_TIMEOUT_MS };
}

const REQUEST_TIMEOUT_VARIABLE = "AMI_LAUNCH_PERMISSIONS_REQUEST_TIMEOUT_MS";

function fromEnvironment(name: string): number | undefined {
  const value = process.env[name];
  if (value === undefined || value === "") return undefined;
  if (/^[1-9]\d{0,8}$/.test(value)) return Number(value);
  throw new AmiSharingError("invalid-argument", `${name} is "${value}"`, { next: "write whole milliseconds, such as 60000" });
}

/** Without these options, the SDK waits for an answer without a limit. */
function httpOptions(connection: Connection): NodeHttpHandlerOptions {
  const { connectTimeout, requestTimeout } = timeoutsOf(connection);
  const agent = { keepAlive: true, maxSockets: MAX_CONNECTIONS };
  return { connectionTimeout: connectTimeout, requestTimeout, throwOnRequestTimeout: true, httpAgent: agent, httpsAgent: agent };
}

async function credentialsOf(
  connection: Connection,
  { signal }: CallWatch,
): Promise<AwsCredentialIdentity | AwsCredentialIdentityProvider> {
  const { fromNodeProviderChain, fromTemporaryCredentials } = await (await import("./sdk")).config();
  const { profile, sharedConfigFile, sharedCredentialsFile, region, assumeRoles = [] } = connection;
  const requestHandler = httpOptions(connection);
  const clientPlugins = [callWatch("STS", { signal }, timeoutsOf(connection))];
  const base =
    connection.credentials ??
    fromNodeProviderChain({
      // The SDK would print that keys in the environment are ignored, which is what a profile is given for.
      ...(profile === undefined ? {} : { profile, logger: SILENT }),
      ...(sharedConfigFile === undefined ? {} : { configFilepath: sharedConfigFile }),
      ...(sharedCredentialsFile === undefined ? {} : { filepath: sharedCredentialsFile }),
      clientConfig: { requestHandler },
      clientPlugins,
    });
  const endpoint = stsEndpointOf(connection);
  return assumeRoles.reduce<AwsCredentialIdentity | AwsCredentialIdentityProvider>(
    (masterCredentials, { roleArn, externalId, sessionName, durationSeconds }) =>
      fromTemporaryCredentials({
        masterCredentials,
        params: {
          RoleArn: roleArn,
          RoleSessionName: sessionName ?? DEFAULT_SESSION_NAME,
          ...(externalId === undefined ? {} : { ExternalId: externalId }),
          ...(durationSeconds === undefined ? {} : { DurationSeconds: durationSeconds }),
        },
        clientConfig: {
          requestHandler,
          ...(region === undefined ? {} : { region }),
          ...(endpoint === undefined ? {} : { endpoint }),
        },
        clientPlugins,
      }),
    base,
  );
}

const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** The endpoint of STS: the configured one. Without one, EC2's if that is on loopback, because an emulator serves both; else AWS's. */
export function stsEndpointOf({ endpoint, stsEndpoint }: Connection): string | undefined {
  return stsEndpoint ?? (isLoopback(endpoint) ? endpoint : undefined);
}

/** The endpoint of KMS, by the same rule. */
export function kmsEndpointOf({ endpoint, kmsEndpoint }: Connection): string | undefined {
  return kmsEndpoint ?? (isLoopback(endpoint) ? endpoint : undefined);
}

/** The endpoint of AWS Organizations, by the same rule. It is never configured. */
export function organizationsEndpointOf({ endpoint }: Connection): string | undefined {
  return isLoopback(endpoint) ? endpoint : undefined;
}

/** RFC 6761: `localhost`; RFC 5735: 127.0.0.0/8; RFC 4291: ::1. A name such as `127.0.0.1.example.com` may be any host. */
function isLoopback(endpoint: string | undefined): boolean {
  const host = endpoint && URL.canParse(endpoint) ? new URL(endpoint).hostname : "";
  return host === "localhost" || host === "[::1]" || (isIPv4(host) && host.startsWith("127."));
}

export const NOT_A_URL = "is not a URL";

/** What is wrong with an endpoint; undefined if it is valid. The text never repeats a part of the endpoint that may be secret. */
export function endpointProblem(endpoint: string): string | undefined {
  if (!/^https?:\/\/[^\s/]+/.test(endpoint) || !URL.canParse(endpoint)) return NOT_A_URL;
  const { username, password } = new URL(endpoint);
  return username || password ? "contains a user name or a password, which would be kept in the state" : undefined;
}

/**
 * The endpoint of EC2 that the environment configures for the SDK. AWS SDKs and tools reference guide, "Service-specific endpoints". A
 * shared config file can also configure one: it is not read here.
 */
export function environmentEndpoint(env: NodeJS.ProcessEnv): string | undefined {
  if (env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS === "true") return undefined;
  return env.AWS_ENDPOINT_URL_EC2 || env.AWS_ENDPOINT_URL || undefined;
}

/** A warning for an endpoint without TLS that is not on loopback; undefined for every other endpoint. */
export function endpointWarning(endpoint: string): string | undefined {
  if (!/^http:/i.test(endpoint) || isLoopback(endpoint)) return undefined;
  const host = URL.canParse(endpoint) ? new URL(endpoint).host : "";
  return `the endpoint ${host} is called over http, without encryption: others on the network path can read and change requests and answers; use https`;
}
