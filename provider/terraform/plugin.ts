/** The plugin process: go-plugin's handshake and services, the address it listens on, and how the process ends. */

import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { selfSigned } from "./certificate";
import { hclog } from "./hclog";
import { PROVIDER_ADDRESS } from "./schema";
import type { ProviderServer } from "./server";
import { BROKER_SERVICE, CONTROLLER_SERVICE, HEALTH_SERVICE, PROVIDER_SERVICE, STDIO_SERVICE } from "./services";

/** hashicorp/terraform, internal/plugin/serve.go: the variable by which a plugin knows that Terraform started it. */
const COOKIE_NAME = "TF_PLUGIN_MAGIC_COOKIE";
const COOKIE = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";
/** The variable with the id of the process that started the plugin. The shell at the beginning of the bundle sets it (build-terraform.mjs). */
const PARENT_NAME = "AMI_PROVIDER_PARENT";
/** hashicorp/go-plugin, docs/internals.md: the version of the handshake. */
const CORE_VERSION = 1;
const PROTOCOL_VERSION = 6;
/** hashicorp/go-plugin, grpc_server.go: the name of the service in health checks. */
const HEALTH_NAME = "plugin";
/** terraform-plugin-go, tfprotov6/tf6server: the maximum size of a message, in bytes. */
const MAX_MESSAGE = 256 << 20;
/** Milliseconds for running calls to end, if Terraform is gone. */
const SHUTDOWN_GRACE = 2000;
/** Milliseconds for the last responses to be sent before the process exits. go-plugin's client kills it after two seconds. */
const RESPONSE_FLUSH = 500;

/** The settings that go-plugin's client passes in the environment. */
export interface PluginEnvironment {
  /** The certificate of the client, PEM. Only this client may connect. Undefined: TLS is off. */
  readonly clientCertificate: string | undefined;
  readonly minPort: number;
  readonly maxPort: number;
  /** The folder for sockets. */
  readonly socketFolder: string;
  /** The id of the process that started this one. It was read as early as possible, because that process can end at once. */
  readonly parent: number;
}

/**
 * Reads go-plugin's environment.
 *
 * @returns undefined if the cookie is missing: a person started the program
 * @throws Error if the client does not support the protocol of this provider
 */
export function pluginEnvironment(env: NodeJS.ProcessEnv): PluginEnvironment | undefined {
  if (env[COOKIE_NAME] !== COOKIE) return undefined;
  const versions = (env.PLUGIN_PROTOCOL_VERSIONS ?? String(PROTOCOL_VERSION)).split(",").map(Number);
  if (!versions.includes(PROTOCOL_VERSION))
    throw new Error(`the client speaks plugin protocol ${versions.join(", ")}, this provider speaks ${PROTOCOL_VERSION}`);
  const tlsOff = env.TF_DISABLE_PLUGIN_TLS !== undefined && env.TF_DISABLE_PLUGIN_TLS !== "";
  return {
    clientCertificate: tlsOff ? undefined : env.PLUGIN_CLIENT_CERT || undefined,
    minPort: Number(env.PLUGIN_MIN_PORT) || 10_000,
    maxPort: Number(env.PLUGIN_MAX_PORT) || 25_000,
    socketFolder: env.PLUGIN_UNIX_SOCKET_DIR || tmpdir(),
    parent: Number(env[PARENT_NAME]) || process.ppid,
  };
}

/** A server that listens. */
export interface Serving {
  readonly network: "unix" | "tcp";
  readonly address: string;
  /** The certificate of the server in the form of the handshake line; empty without TLS. */
  readonly certificate: string;
  /** Waits for running calls, for at most `grace` milliseconds if given, then stops the server and removes the socket. */
  readonly stop: (grace?: number) => Promise<void>;
}

/**
 * Listens on a Unix socket in a new folder. On Windows, it listens on loopback.
 *
 * @param onShutdown called when the client requests the end of the process
 */
export async function listen(
  { service, idle }: ProviderServer,
  environment: PluginEnvironment,
  onShutdown: () => void,
): Promise<Serving> {
  const { clientCertificate } = environment;
  const own = clientCertificate === undefined ? undefined : selfSigned();
  const credentials =
    own && clientCertificate
      ? ServerCredentials.createSsl(
          Buffer.from(clientCertificate),
          [{ cert_chain: Buffer.from(own.certificate), private_key: Buffer.from(own.key) }],
          true,
        )
      : ServerCredentials.createInsecure();
  const server = new Server({ "grpc.max_receive_message_length": MAX_MESSAGE, "grpc.max_send_message_length": MAX_MESSAGE });
  server.addService(PROVIDER_SERVICE, service);
  server.addService(HEALTH_SERVICE, health());
  server.addService(CONTROLLER_SERVICE, controller(onShutdown));
  const open = new Set<OpenStream>();
  server.addService(BROKER_SERVICE, { StartStream: staysOpen(open) });
  server.addService(STDIO_SERVICE, { StreamStdio: staysOpen(open) });
  const at = process.platform === "win32" ? await tcpAddress(environment) : socketAddress(environment);
  await new Promise<void>((done, fail) => {
    server.bindAsync(at.target, credentials, (error) => (error ? fail(error) : done()));
  });
  return {
    network: at.network,
    address: at.address,
    certificate: own?.handshake ?? "",
    stop: async (grace) => {
      await (grace === undefined ? idle() : Promise.race([idle(), sleep(grace)]));
      for (const stream of open) stream.end();
      // Give the last responses time to be sent.
      await Promise.race([new Promise((done) => server.tryShutdown(done)), sleep(RESPONSE_FLUSH)]);
      server.forceShutdown();
      at.remove();
    },
  };
}

/** The line with the address and the certificate for go-plugin's client. */
export function handshakeLine({ network, address, certificate }: Serving): string {
  return [CORE_VERSION, PROTOCOL_VERSION, network, address, "grpc", certificate].join("|");
}

/** Serves Terraform until Terraform requests the end. */
export async function servePlugin(provider: ProviderServer, environment: PluginEnvironment): Promise<void> {
  // Ctrl-C reaches the whole process group. Terraform then calls StopProvider, and waits for the new state.
  process.on("SIGINT", () => hclog("debug", "ignored SIGINT: Terraform asks to stop by itself"));
  const serving = await listen(provider, environment, () => end(serving));
  process.on("SIGTERM", () => end(serving));
  // If Terraform is killed, it sends no request. The provider then checks whether its parent process has changed. Writes to the log fail.
  process.stderr.on("error", () => undefined);
  const watch = setInterval(() => {
    if (process.ppid === environment.parent) return;
    clearInterval(watch);
    provider.stop();
    end(serving, SHUTDOWN_GRACE);
  }, 1000);
  watch.unref();
  process.stdout.write(`${handshakeLine(serving)}\n`);
  hclog("debug", "listening", { network: serving.network, address: serving.address, tls: serving.certificate !== "" });
}

/** Serves until Ctrl-C, and prints the variable that tells Terraform where to connect. For debuggers and tests. */
export async function serveDebug(provider: ProviderServer): Promise<void> {
  const environment = {
    clientCertificate: undefined,
    minPort: 10_000,
    maxPort: 25_000,
    socketFolder: tmpdir(),
    parent: process.ppid,
  };
  const serving = await listen(provider, environment, () => undefined);
  process.on("SIGINT", () => end(serving));
  process.on("SIGTERM", () => end(serving));
  const reattach = {
    [PROVIDER_ADDRESS]: {
      Protocol: "grpc",
      ProtocolVersion: PROTOCOL_VERSION,
      Pid: process.pid,
      Test: true,
      Addr: { Network: serving.network, String: serving.address },
    },
  };
  process.stdout.write(
    `Provider started. To attach Terraform, set in its environment:\n\n\tTF_REATTACH_PROVIDERS='${JSON.stringify(reattach)}'\n`,
  );
}

function end(serving: Serving, grace?: number): void {
  serving.stop(grace).finally(() => process.exit(0));
}

interface HealthRequest {
  readonly service: string;
}

function health(): UntypedServiceImplementation {
  const statusOf = ({ service }: HealthRequest) => ({
    status: ["", HEALTH_NAME].includes(service) ? "SERVING" : "SERVICE_UNKNOWN",
  });
  return {
    Check: (call: ServerUnaryCall<HealthRequest, object>, answer: sendUnaryData<object>) => answer(null, statusOf(call.request)),
    List: (_call: unknown, answer: sendUnaryData<object>) => answer(null, { statuses: { [HEALTH_NAME]: { status: "SERVING" } } }),
    Watch: (call: ServerWritableStream<HealthRequest, object>) => call.write(statusOf(call.request)),
  };
}

function controller(onShutdown: () => void): UntypedServiceImplementation {
  return {
    Shutdown: (_call: unknown, answer: sendUnaryData<object>) => {
      answer(null, {});
      onShutdown();
    },
  };
}

type OpenStream = ServerWritableStream<object, object>;

/** Streams that the client opens and that stay empty: this plugin sends no output on them, and makes no calls back to the client. */
function staysOpen(open: Set<OpenStream>) {
  return (call: OpenStream) => {
    open.add(call);
    call.on("data", () => undefined);
    call.on("close", () => open.delete(call));
  };
}

function socketAddress({ socketFolder }: PluginEnvironment) {
  const folder = mkdtempSync(join(socketFolder, "ami-"));
  chmodSync(folder, 0o700);
  const address = join(folder, "plugin");
  return {
    network: "unix" as const,
    address,
    target: `unix:${address}`,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function tcpAddress({ minPort, maxPort }: PluginEnvironment) {
  for (let port = minPort; port <= maxPort; port++)
    if (await isFree(port)) {
      const address = `127.0.0.1:${port}`;
      return { network: "tcp" as const, address, target: address, remove: () => undefined };
    }
  throw new Error(`no port between ${minPort} and ${maxPort} is free`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const probe = createServer();
    probe.once("error", () => done(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => done(true)));
  });
}
