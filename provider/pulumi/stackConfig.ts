/** Makes the connection from a stack's `aws:*` config, which it reads as @pulumi/aws does. */

import { homedir } from "node:os";
import { AmiSharingError, type Connection, durationSeconds, endpointProblem, type RoleToAssume } from "../core";

/** The arguments of a resource that say how to reach EC2. All values are known. */
export type ConnectionArguments = Partial<Record<"region" | "profile" | "endpoint" | "assumeRole", unknown>>;

/** Returns a config value by its full key, such as `aws:region`. An object can be JSON text or an object. */
export type GetConfig = (key: string) => unknown;

/**
 * The connection of a resource. Its own arguments have precedence over the stack's `aws:*` config. The SDK's default chain provides
 * the rest.
 *
 * @throws AmiSharingError `invalid-argument` with the config key, and never with the value, which may be a secret
 */
export function connectionOf(args: ConnectionArguments, getConfig: GetConfig): Connection {
  const text = (key: string) => textOf(getConfig(`aws:${key}`));
  const own = args as { region?: string; profile?: string; endpoint?: string; assumeRole?: RoleToAssume };
  const endpoints = listOf(getConfig, "endpoints");
  const endpoint = (service: string) => {
    const url = textOf(endpoints.map((entry) => entry[service]).find((one) => textOf(one)));
    const problem = url === undefined ? undefined : endpointProblem(url);
    if (problem) throw invalid("endpoints", `the endpoint of ${service} ${problem}`);
    return url;
  };
  const accessKeyId = text("accessKey");
  const secretAccessKey = text("secretKey");
  const sessionToken = text("token");
  const maxRetries = text("maxRetries");
  // If the resource has a profile, the credentials of the profile apply, not the keys of the stack.
  const keys = own.profile === undefined && accessKeyId && secretAccessKey;
  return {
    region: own.region ?? text("region"),
    profile: own.profile ?? text("profile"),
    sharedConfigFile: firstOf(getConfig, "sharedConfigFiles"),
    sharedCredentialsFile: firstOf(getConfig, "sharedCredentialsFiles"),
    endpoint: own.endpoint ?? endpoint("ec2"),
    stsEndpoint: endpoint("sts"),
    kmsEndpoint: endpoint("kms"),
    credentials: keys ? { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) } : undefined,
    assumeRoles: own.assumeRole
      ? [own.assumeRole]
      : [...listOf(getConfig, "assumeRoles"), ...listOf(getConfig, "assumeRole")].flatMap(roleOf),
    maxRetries: maxRetries === undefined ? undefined : wholeNumber(maxRetries),
  };
}

function roleOf({ roleArn, externalId, sessionName, duration }: Record<string, unknown>): RoleToAssume[] {
  const arn = textOf(roleArn);
  if (!arn) return [];
  return [
    {
      roleArn: arn,
      externalId: textOf(externalId),
      sessionName: textOf(sessionName),
      durationSeconds: seconds(textOf(duration)),
    },
  ];
}

/** A duration in whole seconds, as STS needs it. Fractions are cut off, as @pulumi/aws does. */
function seconds(duration: string | undefined): number | undefined {
  if (duration === undefined) return undefined;
  const total = Math.trunc(Number((durationSeconds(duration) ?? 0).toFixed(3)));
  if (total === 0) throw invalid("assumeRoles", 'duration is not of the form "1h30m"');
  return total;
}

function wholeNumber(value: string): number {
  if (!/^\d+$/.test(value)) throw invalid("maxRetries", "it is not a whole number");
  return Number(value);
}

function firstOf(getConfig: GetConfig, key: string): string | undefined {
  const files = parsed(getConfig(`aws:${key}`), key);
  const file = Array.isArray(files) ? textOf(files[0]) : textOf(files);
  return file && expanded(file);
}

/** Expands environment variables and `~` in a path, as @pulumi/aws does (hashicorp/aws-sdk-go-base, internal/expand). */
function expanded(file: string): string {
  const named = file.replace(
    /\$(?:\{(\w+)\}|(\w+))/g,
    (_, braced?: string, bare?: string) => process.env[braced ?? bare ?? ""] ?? "",
  );
  return named.replace(/^~(?=[\\/]|$)/, homedir());
}

/** A config value that is a list of objects, or one object. */
function listOf(getConfig: GetConfig, key: string): Record<string, unknown>[] {
  const value = parsed(getConfig(`aws:${key}`), key);
  const entries = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return entries.map((entry) => {
    if (typeof entry !== "object" || entry === null) throw invalid(key, "it is not a list of objects");
    return entry as Record<string, unknown>;
  });
}

function parsed(value: unknown, key: string): unknown {
  if (typeof value !== "string") return value ?? undefined;
  if (value === "") return undefined;
  try {
    return JSON.parse(value);
  } catch {
    if (key.startsWith("shared")) return value;
    throw invalid(key, "it is not JSON");
  }
}

function textOf(value: unknown): string | undefined {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
}

function invalid(key: string, why: string): AmiSharingError {
  return new AmiSharingError("invalid-argument", `the stack's config aws:${key} cannot be read: ${why}`);
}
