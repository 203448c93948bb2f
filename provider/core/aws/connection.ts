/** How to reach EC2: region, credentials, roles and endpoints, and the SDK client configuration they make. */

import { isIPv4 } from "node:net";
import type { AwsCredentialIdentity, AwsCredentialIdentityProvider, NodeHttpHandlerOptions, Provider } from "@smithy/types";
import { AmiSharingError, CONNECT_TIMEOUT_MS, DEFAULT_MAX_ATTEMPTS, REQUEST_TIMEOUT_MS } from "../model";
import { type CallWatch, callWatch } from "./callWatch";
import { regionOf } from "./region";
import type { Timeouts } from "./wire";

/** A role to assume; roles in a list are assumed one from the other. */
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

/** Everything is optional: what is absent comes from the SDK's default chain (environment, profile, instance role). */
export interface Connection {
  /** The region of the calls, such as `us-east-1`. Default: `AWS_REGION`, `AWS_DEFAULT_REGION`, then the profile's. */
  readonly region?: string | undefined;
  /** A profile of the shared config and credentials files. Default: `AWS_PROFILE`, else `default`. */
  readonly profile?: string | undefined;
  /** The shared config file. Default: `AWS_CONFIG_FILE`, else `~/.aws/config`. */
  readonly sharedConfigFile?: string | undefined;
  /** The shared credentials file. Default: `AWS_SHARED_CREDENTIALS_FILE`, else `~/.aws/credentials`. */
  readonly sharedCredentialsFile?: string | undefined;
  /** EC2's endpoint, a URL. Default: AWS's, or what the environment names. */
  readonly endpoint?: string | undefined;
  /** The endpoint of STS, for roles; default: EC2's where that is on loopback (an emulator serves both), else AWS's. */
  readonly stsEndpoint?: string | undefined;
  /** The endpoint of KMS, for what it tells of a key; default: as for STS. */
  readonly kmsEndpoint?: string | undefined;
  /** Access key, secret key and session token. Default: the SDK's chain. */
  readonly credentials?: AwsCredentialIdentity | undefined;
  /** Roles to assume, each with the credentials of the one before it. Default: none. */
  readonly assumeRoles?: readonly RoleToAssume[] | undefined;
  /** Attempts after the first. Default: AWS_MAX_ATTEMPTS less 1, else 7. */
  readonly maxRetries?: number | undefined;
  /** Milliseconds that a connection may take. Default: 10,000. */
  readonly connectTimeout?: number | undefined;
  /** Milliseconds that an answer may take. Default: AMI_LAUNCH_PERMISSIONS_REQUEST_TIMEOUT_MS, for slow networks; else 30,000. */
  readonly requestTimeout?: number | undefined;
}

/** What every SDK client takes. */
export interface ClientConfig {
  readonly region?: string | Provider<string>;
  readonly profile?: string;
  readonly endpoint?: string;
  readonly maxAttempts: number;
  readonly credentials: AwsCredentialIdentity | AwsCredentialIdentityProvider;
  readonly requestHandler: NodeHttpHandlerOptions;
}

/**
 * The configuration of an EC2 client for a connection. Nothing is read or called before the client's first request.
 *
 * @throws AmiSharingError `invalid-argument` where the environment asks for a time-out that is none
 */
export async function clientConfig(connection: Connection, watch: CallWatch = {}): Promise<ClientConfig> {
  const { profile, endpoint } = connection;
  const region = await regionOf(connection);
  return {
    ...(region === undefined ? {} : { region }),
    ...(profile === undefined ? {} : { profile }),
    ...(endpoint === undefined ? {} : { endpoint }),
    maxAttempts: maxAttemptsOf(connection),
    credentials: await credentialsOf(connection, watch),
    requestHandler: httpOptions(connection),
  };
}

/** Attempts of one call, the first included. */
export function maxAttemptsOf({ maxRetries }: Connection): number {
  return maxRetries === undefined ? Number(process.env.AWS_MAX_ATTEMPTS) || DEFAULT_MAX_ATTEMPTS : maxRetries + 1;
}

/** How long the connection waits. */
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

/** Without these the SDK waits for an answer for ever. */
function httpOptions(connection: Connection): NodeHttpHandlerOptions {
  const { connectTimeout, requestTimeout } = timeoutsOf(connection);
  return { connectionTimeout: connectTimeout, requestTimeout, throwOnRequestTimeout: true };
}

async function credentialsOf(
  connection: Connection,
  { signal }: CallWatch,
): Promise<AwsCredentialIdentity | AwsCredentialIdentityProvider> {
  const { fromNodeProviderChain, fromTemporaryCredentials } = await import("@aws-sdk/credential-providers");
  const { profile, sharedConfigFile, sharedCredentialsFile, region, assumeRoles = [] } = connection;
  const requestHandler = httpOptions(connection);
  const clientPlugins = [callWatch("STS", { signal }, timeoutsOf(connection))];
  const base =
    connection.credentials ??
    fromNodeProviderChain({
      ...(profile === undefined ? {} : { profile }),
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
          RoleSessionName: sessionName ?? "ami-launch-permissions",
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

/** The endpoint of STS: an emulator on loopback serves it beside EC2; everywhere else it is AWS's, unless one is given. */
export function stsEndpointOf({ endpoint, stsEndpoint }: Connection): string | undefined {
  return stsEndpoint ?? (isLoopback(endpoint) ? endpoint : undefined);
}

/** The endpoint of KMS, by the same rule. */
export function kmsEndpointOf({ endpoint, kmsEndpoint }: Connection): string | undefined {
  return kmsEndpoint ?? (isLoopback(endpoint) ? endpoint : undefined);
}

/** RFC 6761: `localhost`; RFC 5735: 127.0.0.0/8; RFC 4291: ::1. A name that only begins like an address may lead anywhere. */
function isLoopback(endpoint: string | undefined): boolean {
  const host = endpoint && URL.canParse(endpoint) ? new URL(endpoint).hostname : "";
  return host === "localhost" || host === "[::1]" || (isIPv4(host) && host.startsWith("127."));
}

export const NOT_A_URL = "is not a URL";

/** What is wrong with an endpoint, in words that repeat nothing secret; undefined where nothing is. */
export function endpointProblem(endpoint: string): string | undefined {
  if (!/^https?:\/\/[^\s/]+/.test(endpoint) || !URL.canParse(endpoint)) return NOT_A_URL;
  const { username, password } = new URL(endpoint);
  return username || password ? "holds a user name or a password, which would be kept in the state" : undefined;
}

/**
 * The endpoint that the SDK calls for EC2 where none is configured. AWS SDKs and tools reference guide, "Service-specific endpoints"; a
 * shared config file may name one as well, which is not looked up here.
 */
export function environmentEndpoint(env: NodeJS.ProcessEnv): string | undefined {
  if (env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS === "true") return undefined;
  return env.AWS_ENDPOINT_URL_EC2 || env.AWS_ENDPOINT_URL || undefined;
}

/** A warning of an endpoint that sends permissions and signatures in clear; undefined for every other. */
export function endpointWarning(endpoint: string): string | undefined {
  if (!/^http:/i.test(endpoint) || isLoopback(endpoint)) return undefined;
  const host = URL.canParse(endpoint) ? new URL(endpoint).host : "";
  return `the endpoint ${host} is called by http, in clear: who is on the way can read and change what is sent and answered; use https`;
}
