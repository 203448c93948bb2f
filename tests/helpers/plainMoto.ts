/** Moto without the overlay of this project, as an independent reference. It is started for one test file, and records every request. */

import { type ChildProcess, spawn } from "node:child_process";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import { EC2Client, RegisterImageCommand } from "@aws-sdk/client-ec2";
import { ROOT } from "./emulator";

const START_LIMIT_MS = 60_000;

export const CREDENTIALS = { accessKeyId: "AKIATESTTESTTESTTEST", secretAccessKey: "test-secret-key-that-must-not-show" };

/** Moto behind a proxy that records the requests. */
export class PlainMoto {
  /** Every request since the last {@link forgetCalls}: the parameters of EC2's query form. */
  calls: URLSearchParams[] = [];
  private made = 0;

  private constructor(
    readonly url: string,
    private readonly moto: ChildProcess,
    private readonly proxy: http.Server,
  ) {}

  static async start(): Promise<PlainMoto> {
    const port = await freePort();
    const moto = spawn(path.join(ROOT, ".toolchain/python/bin/moto_server"), ["-H", "127.0.0.1", "-p", String(port)], {
      env: { ...process.env, MOTO_EC2_LOAD_DEFAULT_AMIS: "false" },
      stdio: "ignore",
    });
    const upstream = `http://127.0.0.1:${port}`;
    await answers(upstream, moto);
    const proxy = http.createServer();
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const started = new PlainMoto(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, moto, proxy);
    proxy.on("request", (request, response) => started.pass(upstream, request, response));
    return started;
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.moto.once("close", resolve));
    this.moto.kill();
    this.proxy.close();
    this.proxy.closeAllConnections();
    await ended;
  }

  forgetCalls(): void {
    this.calls = [];
  }

  /** Calls that change something, as `Action resource`. */
  modifications(): string[] {
    return this.calls
      .filter((call) => /^(Modify|Reset)/.test(call.get("Action") ?? ""))
      .map((call) => `${call.get("Action")} ${call.get("ImageId") ?? call.get("SnapshotId")}`);
  }

  client(): EC2Client {
    return new EC2Client({ endpoint: this.url, region: "us-east-1", credentials: CREDENTIALS });
  }

  /** Registers an AMI. Moto always makes one snapshot for it. */
  async image(): Promise<string> {
    this.made += 1;
    const { ImageId } = await this.client().send(
      new RegisterImageCommand({ Name: `plain-${this.made}`, RootDeviceName: "/dev/sda1" }),
    );
    return ImageId as string;
  }

  private pass(upstream: string, request: http.IncomingMessage, response: http.ServerResponse): void {
    const parts: Buffer[] = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      const body = Buffer.concat(parts);
      this.calls.push(new URLSearchParams(body.toString()));
      const { method, headers } = request;
      const onward = http.request(upstream + request.url, { method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      onward.on("error", () => response.destroy());
      onward.end(body);
    });
  }
}

/** Starts moto before the tests of a suite and stops it after them. */
export function usePlainMoto(): () => PlainMoto {
  let moto: PlainMoto | undefined;
  before(async () => {
    moto = await PlainMoto.start();
  });
  after(() => moto?.stop());
  return () => {
    if (!moto) throw new Error("moto is not started yet");
    return moto;
  };
}

async function freePort(): Promise<number> {
  const server = http.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function answers(url: string, moto: ChildProcess): Promise<void> {
  const until = Date.now() + START_LIMIT_MS;
  while (Date.now() < until && moto.exitCode === null) {
    if (await fetch(`${url}/moto-api/data.json`).catch(() => undefined)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  moto.kill();
  throw new Error("moto did not start");
}
