/** The process around the provider: go-plugin's handshake, its own services, where it listens, and how it ends. */

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

/** hashicorp/terraform, internal/plugin/serve.go: what tells a plugin that Terraform started it. */
const COOKIE_NAME = "TF_PLUGIN_MAGIC_COOKIE";
const COOKIE = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";
/** In which the first lines of the bundle, a shell's, hand on who started them. */
const PARENT_NAME = "AMI_PROVIDER_PARENT";
/** hashicorp/go-plugin, docs/internals.md: the version of the handshake. */
const CORE_VERSION = 1;
const PROTOCOL_VERSION = 6;
/** hashicorp/go-plugin, grpc_server.go: the service that its client asks about. */
const HEALTH_NAME = "plugin";
/** terraform-plugin-go, tfprotov6/tf6server: the largest message, in bytes. */
const MAX_MESSAGE = 256 << 20;
/** For running calls to end where nobody waits for them. */
const STOP_TIMEOUT_MS = 2000;
/** Milliseconds for answers to leave before the process does; go-plugin's client kills after two seconds. */
const LAST_WORDS = 500;

/** What the environment of a plugin says; absent where no program started it as one. */
export interface PluginEnvironment {
  /** The only authority whose certificates are let in, PEM; absent: TLS is off. */
  readonly clientCertificate: string | undefined;
  readonly minPort: number;
  readonly maxPort: number;
  /** The folder for sockets. */
  readonly socketFolder: string;
  /** The process that started this one, as it was known first: it may be gone before this one runs. */
  readonly parent: number;
}

/**
 * Reads go-plugin's environment.
 *
 * @returns undefined where the cookie is absent: a person started the program
 * @throws Error where the client knows no protocol of ours
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
  /** What the handshake line carries of the server's certificate; empty without TLS. */
  readonly certificate: string;
  /** Lets running calls end, for as many milliseconds as are given, and takes the socket away. */
  readonly stop: (patience?: number) => Promise<void>;
}

/**
 * Listens: on a socket in a folder of its own, on Windows on loopback.
 *
 * @param onShutdown what the client's request to end does
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
    stop: async (patience) => {
      await (patience === undefined ? idle() : Promise.race([idle(), sleep(patience)]));
      for (const stream of open) stream.end();
      // What is answered already is on its way: a moment for it, and no longer.
      await Promise.race([new Promise((done) => server.tryShutdown(done)), sleep(LAST_WORDS)]);
      server.forceShutdown();
      at.remove();
    },
  };
}

/** The line that tells go-plugin's client where to connect and what certificate to expect. */
export function handshakeLine({ network, address, certificate }: Serving): string {
  return [CORE_VERSION, PROTOCOL_VERSION, network, address, "grpc", certificate].join("|");
}

/** Serves Terraform until it asks to end. */
export async function servePlugin(provider: ProviderServer, environment: PluginEnvironment): Promise<void> {
  // Ctrl-C reaches the whole process group; Terraform then asks to stop by StopProvider, and waits for the state.
  process.on("SIGINT", () => hclog("debug", "ignored SIGINT: Terraform asks to stop by itself"));
  const serving = await listen(provider, environment, () => end(serving));
  process.on("SIGTERM", () => end(serving));
  // A client that was killed says nothing: once its process is gone, nobody is left to serve, to record what is done, or to read the log.
  process.stderr.on("error", () => undefined);
  const watch = setInterval(() => {
    if (process.ppid === environment.parent) return;
    clearInterval(watch);
    provider.stop();
    end(serving, STOP_TIMEOUT_MS);
  }, 1000);
  watch.unref();
  process.stdout.write(`${handshakeLine(serving)}\n`);
  hclog("debug", "listening", { network: serving.network, address: serving.address, tls: serving.certificate !== "" });
}

/** Serves a client that is told by hand where to connect, until Ctrl-C; for debuggers and tests. */
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

function end(serving: Serving, patience?: number): void {
  serving.stop(patience).finally(() => process.exit(0));
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

/** Streams with nothing to say, for as long as the client wants: this plugin prints nothing and calls nobody back. */
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
