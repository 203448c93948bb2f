/** A proxy to the local EC2 that delays requests or answers, for tests of what happens in the meantime. */

import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Emulator } from "./emulator";

/** EC2 with answers that a test can hold back: EC2 makes the change, and the answer is sent later. */
export class SlowEc2 {
  private action: string | undefined;
  private readonly held: (() => void)[] = [];
  private readonly firsts = new Map<string, () => Promise<unknown>>();
  private readonly server = http.createServer((request, response) => this.forward(request, response));

  constructor(private readonly emulator: Emulator) {}

  async start(): Promise<string> {
    await new Promise<void>((done) => this.server.listen(0, "127.0.0.1", done));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Holds back the answers to an action from now on. */
  hold(action: string): void {
    this.action = action;
  }

  /** Runs a function before each request of an action reaches EC2. */
  before(action: string, first: () => Promise<unknown>): void {
    this.firsts.set(action, first);
  }

  /** Resolves when this number of answers is held back. */
  async holds(count: number): Promise<void> {
    while (this.held.length < count) await sleep(20);
  }

  letGo(): void {
    this.action = undefined;
    for (const answer of this.held.splice(0)) answer();
  }

  stop(): void {
    this.letGo();
    this.server.closeAllConnections();
    this.server.close();
  }

  private async forward(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const asks = (action: string) => new RegExp(`\\bAction=${action}\\b`).test(body.toString());
    for (const [action, first] of this.firsts) if (asks(action)) await first();
    const { hostname, port } = new URL(this.emulator.url);
    const { method, url, headers } = request;
    const asked = http.request({ hostname, port, method, path: url, headers }, (answer) => {
      const pass = () => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      };
      if (this.action && asks(this.action)) this.held.push(pass);
      else pass();
    });
    asked.on("error", () => response.destroy());
    asked.end(body);
  }
}
