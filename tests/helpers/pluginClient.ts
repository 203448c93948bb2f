/** The parts of go-plugin's client that tests need: it starts the built provider, reads its handshake line, and calls it. */

import { type ChildProcess, spawn } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { type ChannelCredentials, Client, credentials, type ServiceDefinition } from "@grpc/grpc-js";
import { PROVIDER_FILE } from "ami-launch-permissions/terraform";
import { selfSigned } from "../../provider/terraform/certificate";

/** The variable by which the provider knows that Terraform started it. hashicorp/terraform, internal/plugin/serve.go */
export const COOKIE = {
  TF_PLUGIN_MAGIC_COOKIE: "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
};

export interface Plugin {
  readonly child: ChildProcess;
  /** The fields of the handshake line. */
  readonly handshake: readonly string[];
  /** The lines that the provider has written to standard error. */
  readonly log: string[];
  /** Credentials with the certificate of this client, with another certificate, or without one. */
  readonly as: (who: "client" | "stranger" | "nobody") => Promise<ChannelCredentials>;
  /** Ends the provider, if it is still running. */
  readonly stop: () => void;
}

/** Starts the provider as a plugin and waits for its handshake. */
export async function startPlugin(env: Record<string, string> = {}, nodeArgs: readonly string[] = []): Promise<Plugin> {
  const own = selfSigned();
  const child = spawn(process.execPath, [...nodeArgs, PROVIDER_FILE], {
    env: { ...process.env, ...COOKIE, PLUGIN_PROTOCOL_VERSIONS: "5,6", PLUGIN_CLIENT_CERT: own.certificate, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const log: string[] = [];
  child.stderr.on("data", (text) => log.push(...String(text).trim().split("\n")));
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const handshake = String(line).trimEnd().split("|");
  const server = () => new X509Certificate(Buffer.from(handshake[5] ?? "", "base64")).toString();
  return {
    child,
    handshake,
    log,
    async as(who) {
      if (who === "nobody") return credentials.createSsl(Buffer.from(server()));
      const { certificate, key } = who === "client" ? own : selfSigned();
      return credentials.createSsl(Buffer.from(server()), Buffer.from(key), Buffer.from(certificate));
    },
    stop: () => void child.kill("SIGKILL"),
  };
}

/** A client of a plugin. */
export class PluginClient {
  private readonly client: Client;

  constructor({ handshake }: Plugin, channel: ChannelCredentials) {
    const target = handshake[2] === "unix" ? `unix:${handshake[3]}` : (handshake[3] ?? "");
    this.client = new Client(target, channel, {
      "grpc.ssl_target_name_override": "localhost",
      "grpc.default_authority": "localhost",
    });
  }

  /** Calls an RPC and returns its response. For a stream, returns the first message. */
  ask(service: ServiceDefinition, name: string, request: object = {}): Promise<Record<string, unknown>> {
    const { path, requestSerialize, responseDeserialize, requestStream, responseStream } = service[name] ?? {};
    if (!path || !requestSerialize || !responseDeserialize) throw new Error(`there is no ${name}`);
    const deadline = { deadline: Date.now() + 10_000 };
    return new Promise((resolve, reject) => {
      const answered = (error: Error | null, answer?: unknown) =>
        error ? reject(error) : resolve(answer as Record<string, unknown>);
      if (responseStream) {
        const call = this.client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, deadline);
        call.once("data", (answer) => answered(null, answer));
        call.once("error", answered);
        call.once("end", () => answered(new Error(`${name} ended without a message`)));
      } else if (requestStream) {
        const call = this.client.makeClientStreamRequest(path, requestSerialize, responseDeserialize, deadline, answered);
        call.end();
      } else {
        this.client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, deadline, answered);
      }
    });
  }

  close(): void {
    this.client.close();
  }
}
