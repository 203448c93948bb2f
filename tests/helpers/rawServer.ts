/** An HTTP server that answers AWS calls as a test sets it, right or wrong. An emulator gives no wrong answers. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request that the server got. */
export interface Asked {
  readonly action: string;
  readonly params: URLSearchParams;
  readonly response: ServerResponse;
}

export interface Answer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** After how many characters of the body the connection is cut. */
  readonly cutAfter?: number;
}

/** undefined: the call is never answered. */
export type Respond = (asked: Asked) => Answer | undefined;

export class RawServer {
  /** The actions in the order of the requests. */
  asked: string[] = [];
  respond: Respond = () => undefined;

  private constructor(
    readonly url: string,
    private readonly server: Server,
  ) {
    server.on("request", (request, response) => this.take(request, response));
  }

  static async start(): Promise<RawServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new RawServer(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, server);
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  private take(request: IncomingMessage, response: ServerResponse): void {
    const parts: Buffer[] = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      const target = request.headers["x-amz-target"];
      const params = new URLSearchParams(target ? "" : Buffer.concat(parts).toString());
      const action = typeof target === "string" ? (target.split(".").at(-1) ?? "") : (params.get("Action") ?? "");
      this.asked.push(action);
      const answer = this.respond({ action, params, response });
      if (answer === undefined) return;
      const { status = 200, headers = {}, body = "", cutAfter } = answer;
      response.writeHead(status, {
        "x-amzn-requestid": `id-of-${action}`,
        ...headers,
        "content-length": Buffer.byteLength(body),
      });
      if (cutAfter === undefined) response.end(body);
      else response.write(body.slice(0, cutAfter), () => response.destroy());
    });
  }
}

/** Starts a server before the tests of a suite, resets it before each test, and stops it after them. */
export function useRawServer(): () => RawServer {
  let server: RawServer | undefined;
  before(async () => {
    server = await RawServer.start();
  });
  beforeEach(() => {
    if (server) Object.assign(server, { asked: [], respond: () => undefined });
  });
  after(() => server?.stop());
  return () => {
    if (!server) throw new Error("the server is not started yet");
    return server;
  };
}

/** A valid answer of EC2 to an action. */
export function xml(action: string, inner: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>id</requestId>${inner}</${action}Response>`;
}
