/** Starts providers of Pulumi's plugin protocol as the engine does, and calls them: the full provider, and the host of dynamic ones. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import * as path from "node:path";
import * as grpc from "@grpc/grpc-js";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { PROVIDER_SHIM } from "../../provider/pulumi/shim";
import { structOf } from "../../provider/pulumi-plugin/values";
import { ROOT } from "./emulator";
import { SET_TYPE } from "./pulumiPlugin";

type Props = Record<string, unknown>;

/** The executable that the build makes. */
export const PLUGIN_FILE = path.join(ROOT, "provider/dist/pulumi-plugin/pulumi-resource-ami-launch-permissions");
const DYNAMIC_HOST = path.join(ROOT, "node_modules/@pulumi/pulumi/cmd/dynamic-provider/index.js");

export class ProviderProcess {
  private constructor(
    readonly child: ChildProcess,
    private readonly client: ResourceProviderClient,
    /** Hears what the provider shows: a provider ends when its engine is gone. */
    private readonly engine: grpc.Server,
    private readonly address: string,
    /** What each set's properties have besides its own. */
    private readonly hidden: Props,
  ) {}

  static full(env: NodeJS.ProcessEnv = {}): Promise<ProviderProcess> {
    return ProviderProcess.start([PLUGIN_FILE], env, {});
  }

  static dynamic(env: NodeJS.ProcessEnv = {}): Promise<ProviderProcess> {
    return ProviderProcess.start(["node", DYNAMIC_HOST], env, { __provider: PROVIDER_SHIM });
  }

  private static async start([file = "", ...args]: string[], env: NodeJS.ProcessEnv, hidden: Props): Promise<ProviderProcess> {
    const engine = new grpc.Server();
    engine.addService(EngineService as unknown as grpc.ServiceDefinition, {
      log: (_: unknown, done: grpc.sendUnaryData<Empty>) => done(null, new Empty()),
    });
    const address = await new Promise<string>((resolve, reject) => {
      engine.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(`127.0.0.1:${port}`),
      );
    });
    const child = spawn(file, [...args, address], {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const client = new ResourceProviderClient(`127.0.0.1:${String(line).trim()}`, grpc.credentials.createInsecure());
    return new ProviderProcess(child, client, engine, address, hidden);
  }

  async schema(): Promise<string> {
    const response = await this.ask<messages.GetSchemaRequest, messages.GetSchemaResponse>(
      this.client.getSchema,
      new messages.GetSchemaRequest(),
    );
    return response.getSchema();
  }

  async handshake(): Promise<void> {
    const request = new messages.ProviderHandshakeRequest();
    request.setEngineAddress(this.address);
    await this.ask(this.client.handshake, request);
  }

  async configure(): Promise<void> {
    const request = new messages.ConfigureRequest();
    request.setArgs(structOf({}));
    await this.ask(this.client.configure, request);
  }

  async check(name: string, news: Props, olds: Props = {}): Promise<Props> {
    const request = new messages.CheckRequest();
    request.setUrn(urn(name));
    request.setOlds(structOf(olds));
    request.setNews(structOf({ ...news, ...this.hidden }));
    const response = await this.ask<messages.CheckRequest, messages.CheckResponse>(this.client.check, request);
    const [failure] = response.getFailuresList();
    if (failure) throw new Error(failure.getReason());
    return response.getInputs()?.toJavaScript() as Props;
  }

  async diff(name: string, id: string, olds: Props, oldInputs: Props, news: Props): Promise<boolean> {
    const request = new messages.DiffRequest();
    request.setUrn(urn(name));
    request.setId(id);
    request.setOlds(structOf(olds));
    request.setOldInputs(structOf(oldInputs));
    request.setNews(structOf(news));
    const response = await this.ask<messages.DiffRequest, messages.DiffResponse>(this.client.diff, request);
    return response.getChanges() === messages.DiffResponse.DiffChanges.DIFF_SOME;
  }

  async create(name: string, inputs: Props): Promise<Props> {
    const request = new messages.CreateRequest();
    request.setUrn(urn(name));
    request.setProperties(structOf(inputs));
    const response = await this.ask<messages.CreateRequest, messages.CreateResponse>(this.client.create, request);
    return response.getProperties()?.toJavaScript() as Props;
  }

  /** Ends it by the signal that the engine sends. */
  async end(signal: "SIGINT" | "SIGKILL" = "SIGINT"): Promise<void> {
    this.client.close();
    const ended = once(this.child, "close");
    this.child.kill(signal);
    await ended;
    this.engine.forceShutdown();
  }

  private ask<Request, Response>(
    method: (request: Request, callback: (error: grpc.ServiceError | null, response: Response) => void) => unknown,
    request: Request,
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      method.call(this.client, request, (error, response) => (error ? reject(error) : resolve(response)));
    });
  }
}

function urn(name: string): string {
  return `urn:pulumi:test::test::${SET_TYPE}::${name}`;
}
