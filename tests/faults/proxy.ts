/** A proxy in front of the local EC2 that injects one fault at the Nth call about an AMI, and records every call. */

import * as http from "node:http";
import type { AddressInfo } from "node:net";

/** A call of a client, with what a fault can depend on. */
export interface ProxiedCall {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly action: string;
  /** The image, the snapshots or the key in the call. */
  readonly resource: string;
  readonly params: Readonly<Record<string, string>>;
  /** The AMIs that the call concerns. */
  readonly imageIds: readonly string[];
  /** Whether the call requests a change. */
  readonly isChange: boolean;
  /** The name of the fault that was injected. */
  fault?: string;
}

interface Answer {
  readonly status: number;
  readonly headers: http.OutgoingHttpHeaders;
  readonly body: Buffer;
}

/** What a fault can do with a call. */
interface Means {
  readonly isJson: boolean;
  /** The URL of another server, which must get no requests. */
  readonly trap: string;
  /** Sends the call to EC2. */
  forward(): Promise<Answer>;
  respond(answer: Answer): void;
  /** Closes the connection without a response. */
  reset(): void;
  /** Keeps the connection open until the proxy stops or the fault is removed. */
  hold(seconds?: number): Promise<void>;
}

export interface Fault {
  readonly name: string;
  /** The calls at which the fault can start. */
  readonly on: "any" | "change" | "attribute";
  /** For how many calls the fault is injected. */
  readonly times: number;
  /** Whether the fault applies only to the call at which it started and its retries, or to every call about the AMI. */
  readonly scope: "call" | "image";
  /** Reads return what EC2 had when the fault was armed, or before the last change. Without `stale`, `harm` handles the call. */
  readonly stale?: "armed" | "before";
  readonly harm?: (means: Means) => Promise<void> | void;
}

const MANY = Number.POSITIVE_INFINITY;
const XML = { "content-type": "text/xml;charset=UTF-8" };

/** An error with the text of EC2 (EC2 API reference, "Error codes", example) or of KMS. */
function refusal(code: string, status: number, message: string, kms: { code: string; status: number }) {
  return ({ isJson, respond }: Means) => {
    if (isJson)
      respond({
        status: kms.status,
        headers: { "content-type": "application/x-amz-json-1.1" },
        body: Buffer.from(JSON.stringify({ __type: kms.code, message })),
      });
    else
      respond({
        status,
        headers: XML,
        body: Buffer.from(
          `<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error><Code>${code}</Code><Message>${message}</Message></Error></Errors><RequestID>11111111-2222-3333-4444-555555555555</RequestID></Response>`,
        ),
      });
  };
}

const throttled = refusal("RequestLimitExceeded", 503, "Request limit exceeded.", { code: "ThrottlingException", status: 400 });
const internal = refusal("InternalError", 500, "An internal error has occurred", { code: "KMSInternalException", status: 500 });
const empty: Answer = { status: 200, headers: XML, body: Buffer.alloc(0) };
const html: Answer = {
  status: 200,
  headers: { "content-type": "text/html" },
  body: Buffer.from(
    "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><p>Please sign in to the network.</p></body></html>\n",
  ),
};

const once = { on: "any", times: 1, scope: "call" } as const;
const always = { on: "any", times: MANY, scope: "call" } as const;
const onceChange = { ...once, on: "change" } as const;
const alwaysChange = { ...always, on: "change" } as const;
const stale = (times: number, from: "armed" | "before") =>
  ({ name: `stale-${from}-${times}`, on: "attribute", times, scope: "image", stale: from }) as const;

/** Every kind of fault. */
export const FAULTS: readonly Fault[] = [
  { name: "throttle-once", ...once, harm: throttled },
  { name: "throttle-5", ...once, times: 5, harm: throttled },
  { name: "throttle-always", ...always, harm: throttled },
  { name: "error-500-before", ...once, harm: internal },
  { name: "error-500-always", ...always, harm: internal },
  { name: "error-500-after", ...onceChange, harm: (means) => means.forward().then(() => internal(means)) },
  { name: "error-500-after-always", ...alwaysChange, harm: (means) => means.forward().then(() => internal(means)) },
  { name: "reset-before", ...once, harm: (means) => means.reset() },
  { name: "reset-always", ...always, harm: (means) => means.reset() },
  { name: "reset-after", ...onceChange, harm: (means) => means.forward().then(() => means.reset()) },
  { name: "reset-after-always", ...alwaysChange, harm: (means) => means.forward().then(() => means.reset()) },
  {
    name: "truncated",
    ...once,
    harm: async (means) => {
      const { status, headers, body } = await means.forward();
      means.respond({ status, headers, body: body.subarray(0, Math.ceil(body.length * 0.6)) });
    },
  },
  { name: "html-200", ...once, harm: (means) => means.respond(html) },
  { name: "empty-200-before", ...once, harm: (means) => means.respond(empty) },
  { name: "empty-200-after", ...onceChange, harm: (means) => means.forward().then(() => means.respond(empty)) },
  {
    name: "object-200",
    ...once,
    // A valid document of the protocol without content.
    harm: (means) =>
      means.respond({ ...empty, body: Buffer.from(means.isJson ? "{}" : '<?xml version="1.0" encoding="UTF-8"?><Response/>') }),
  },
  {
    name: "silence-40s",
    ...once,
    harm: async (means) => {
      const answer = await means.forward();
      await means.hold(40);
      means.respond(answer);
    },
  },
  { name: "never-answered", ...always, harm: (means) => means.forward().then(() => means.hold()) },
  stale(3, "armed"),
  stale(12, "armed"),
  stale(3, "before"),
  stale(12, "before"),
  {
    name: "redirect-307",
    ...once,
    harm: (means) => means.respond({ status: 307, headers: { location: means.trap }, body: Buffer.alloc(0) }),
  },
  {
    name: "request-expired",
    ...always,
    scope: "image",
    harm: refusal("RequestExpired", 400, "Request has expired.", { code: "ExpiredTokenException", status: 400 }),
  },
  {
    name: "expired-token",
    ...always,
    scope: "image",
    harm: refusal("ExpiredToken", 403, "The security token included in the request is expired", {
      code: "ExpiredTokenException",
      status: 400,
    }),
  },
  {
    name: "denied",
    ...always,
    harm: refusal("UnauthorizedOperation", 403, "You are not authorized to perform this operation.", {
      code: "AccessDeniedException",
      status: 400,
    }),
  },
];

/** For kills: a call is held back, before or after EC2 gets it, until {@link FaultProxy.letGo}. */
export const HELD: Readonly<Record<"before" | "after", Fault>> = {
  before: { name: "held-before", ...onceChange, harm: (means) => means.hold() },
  after: { name: "held-after", ...onceChange, harm: (means) => means.forward().then(() => means.hold()) },
};

/** An armed fault, which waits for its call. */
class Armed {
  private seen = 0;
  private left: number;
  private began: { readonly action: string; readonly resource: string } | undefined;

  constructor(
    readonly fault: Fault,
    private readonly at: number,
    readonly answers: ReadonlyMap<string, Answer>,
  ) {
    this.left = fault.times;
  }

  get hasBegun(): boolean {
    return this.began !== undefined;
  }

  /** Counts the call. Returns whether the fault is injected into it. */
  takes(call: ProxiedCall): boolean {
    this.seen += 1;
    const { on, scope } = this.fault;
    const fits = on === "any" || (on === "change" ? call.isChange : isAttributeRead(call));
    if (!this.began && this.seen >= this.at && fits) this.began = call;
    if (!this.began || this.left <= 0) return false;
    const same = call.action === this.began.action && call.resource === this.began.resource;
    if (!(scope === "call" ? same : on !== "attribute" || isAttributeRead(call))) return false;
    this.left -= 1;
    return true;
  }
}

export class FaultProxy {
  /** Every call since the start. */
  readonly calls: ProxiedCall[] = [];
  /** Requests that followed a redirect. There must be none. */
  readonly trapped: string[] = [];
  private readonly imagesOf = new Map<string, string>();
  private readonly resourcesOf = new Map<string, readonly string[]>();
  private readonly armed = new Map<string, Armed>();
  /** The last response before the last change, by resource. */
  private readonly previous = new Map<string, Answer>();
  private readonly remembered = new Set<string>();
  private holding: { readonly imageIds: readonly string[]; release: () => void }[] = [];
  private readonly server = http.createServer((request, response) => {
    this.handle(request, response).catch(() => response.destroy());
  });
  private readonly elsewhere = http.createServer((request, response) => {
    this.trapped.push(`${request.method} ${request.url}`);
    response.end();
  });
  private readonly agent = new http.Agent({ keepAlive: false, maxSockets: 64 });

  constructor(private readonly upstream: string) {}

  async start(): Promise<string> {
    for (const server of [this.server, this.elsewhere]) {
      // An idle connection that is closed at the wrong moment would be a fault that no test armed.
      server.keepAliveTimeout = 600_000;
      await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    }
    return urlOf(this.server);
  }

  stop(): void {
    this.letGo();
    for (const server of [this.server, this.elsewhere]) {
      server.closeAllConnections();
      server.close();
    }
    this.agent.destroy();
  }

  /** Sets which calls concern an AMI: those that name it, its snapshots or its keys. */
  know(imageId: string, ...resources: readonly string[]): void {
    for (const resource of [imageId, ...resources]) this.imagesOf.set(resource, imageId);
    this.resourcesOf.set(imageId, [imageId, ...resources.filter((resource) => resource.startsWith("snap-"))]);
  }

  /** Records the AMI's attributes before each change, for stale responses. */
  remember(imageId: string): void {
    this.remembered.add(imageId);
  }

  /** Arms a fault: from now on, it is injected at call number `at` about the AMI. */
  async arm(imageId: string, fault: Fault, at: number): Promise<void> {
    const answers = new Map<string, Answer>();
    if (fault.stale === "armed")
      for (const resource of this.resourcesOf.get(imageId) ?? []) answers.set(resource, await this.attributeOf(resource));
    this.armed.set(imageId, new Armed(fault, at, answers));
  }

  /** Whether the fault of an AMI was injected at least once. */
  hasBegun(imageId: string): boolean {
    return this.armed.get(imageId)?.hasBegun ?? false;
  }

  /** Removes the fault of an AMI, or all faults. */
  disarm(imageId?: string): void {
    if (imageId === undefined) this.armed.clear();
    else this.armed.delete(imageId);
    this.letGo(imageId);
  }

  /** The AMIs for which a call is held back now. */
  get held(): readonly string[] {
    return this.holding.flatMap(({ imageIds }) => imageIds);
  }

  /** Releases held calls. Connections that wait for a response are closed. */
  letGo(imageId?: string): void {
    const going = this.holding.filter(({ imageIds }) => imageId === undefined || imageIds.includes(imageId));
    this.holding = this.holding.filter((one) => !going.includes(one));
    for (const { release } of going) release();
  }

  private async handle(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const call = this.parse(request, body.toString());
    this.calls.push(call);
    const forward = async () => {
      if (call.isChange && call.imageIds.some((id) => this.remembered.has(id)) && /^(ami|snap)-/.test(call.resource))
        this.previous.set(call.resource, await this.attributeOf(call.resource));
      return this.ask(request.method ?? "POST", request.url ?? "/", request.headers, body);
    };
    const respond = ({ status, headers, body: text }: Answer) => {
      if (response.destroyed) return;
      response.writeHead(status, { ...headers, "content-length": text.length });
      response.end(text);
    };
    const armed = this.dueFor(call);
    if (!armed) return respond(await forward());
    const { fault } = armed;
    if (fault.stale) {
      const late = fault.stale === "armed" ? armed.answers.get(call.resource) : this.previous.get(call.resource);
      if (late) call.fault = fault.name;
      return respond(late ?? (await forward()));
    }
    call.fault = fault.name;
    await fault.harm?.({
      isJson: request.headers["x-amz-target"] !== undefined,
      trap: urlOf(this.elsewhere),
      forward,
      respond,
      reset: () => (response.socket?.resetAndDestroy ? response.socket.resetAndDestroy() : response.destroy()),
      hold: (seconds) => this.hold(call.imageIds, response, seconds),
    });
  }

  /** The first fault that applies to the call, of all AMIs that the call concerns. The call is counted for each of them. */
  private dueFor(call: ProxiedCall): Armed | undefined {
    const due = call.imageIds.flatMap((id) => {
      const armed = this.armed.get(id);
      return armed?.takes(call) ? [armed] : [];
    });
    return due[0];
  }

  private hold(imageIds: readonly string[], response: http.ServerResponse, seconds?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = seconds === undefined ? undefined : setTimeout(() => over(false), seconds * 1000);
      const entry = { imageIds, release: () => over(true) };
      const over = (closing: boolean) => {
        clearTimeout(timer);
        this.holding = this.holding.filter((one) => one !== entry);
        if (closing) response.destroy();
        resolve();
      };
      this.holding.push(entry);
    });
  }

  private parse({ headers, url = "/" }: http.IncomingMessage, body: string): ProxiedCall {
    const target = headers["x-amz-target"];
    const fields: Record<string, string> = {};
    if (target) {
      for (const [name, value] of Object.entries(parseJson(body)))
        fields[name] = typeof value === "string" ? value : JSON.stringify(value);
      fields.Action = String(target).split(".").at(-1) ?? "";
    } else for (const [name, value] of new URLSearchParams(body || new URL(url, "http://127.0.0.1").search)) fields[name] = value;
    const { Action: action = "", Version: _, ...params } = fields;
    const named = Object.entries(params)
      .filter(([name]) => /^(ImageId|SnapshotId|KeyId)(\.\d+)?$|^Filter\.\d+\.Value\.\d+$/.test(name))
      .map(([, value]) => value);
    return {
      time: Date.now(),
      action,
      resource: named.join(","),
      params,
      imageIds: [...new Set(named.flatMap((resource) => this.imagesOf.get(resource) ?? []))],
      isChange: /^(Modify|Reset|CreateGrant|RetireGrant|RevokeGrant)/.test(action),
    };
  }

  /** EC2's response about a resource's permissions. */
  private attributeOf(resource: string): Promise<Answer> {
    const asked = resource.startsWith("ami-")
      ? { Action: "DescribeImageAttribute", ImageId: resource, Attribute: "launchPermission" }
      : { Action: "DescribeSnapshotAttribute", SnapshotId: resource, Attribute: "createVolumePermission" };
    const body = Buffer.from(new URLSearchParams({ ...asked, Version: "2016-11-15" }).toString());
    // The local EC2 reads the region and the account from the signature's header, and does not check the signature.
    const scope = "Credential=AKIATESTTESTTESTTEST/20250101/us-east-1/ec2/aws4_request";
    const headers = {
      "content-type": "application/x-www-form-urlencoded",
      authorization: `AWS4-HMAC-SHA256 ${scope}, SignedHeaders=host, Signature=0`,
    };
    return this.ask("POST", "/", headers, body);
  }

  private ask(method: string, path: string, headers: http.OutgoingHttpHeaders, body: Buffer): Promise<Answer> {
    const { hostname, port } = new URL(this.upstream);
    return new Promise((resolve, reject) => {
      const asked = http.request(
        { hostname, port, method, path, agent: this.agent, headers: { ...headers, "content-length": body.length } },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on("data", (chunk) => chunks.push(chunk));
          answer.on("error", reject);
          answer.on("end", () => {
            const kept = Object.entries(answer.headers).filter(([name]) => !HOP_BY_HOP.includes(name));
            resolve({ status: answer.statusCode ?? 500, headers: Object.fromEntries(kept), body: Buffer.concat(chunks) });
          });
        },
      );
      asked.on("error", reject);
      asked.end(body);
    });
  }
}

/** Headers that belong to one connection, not to the response. */
const HOP_BY_HOP = ["connection", "keep-alive", "transfer-encoding", "content-length"];

export function isAttributeRead({ action }: Pick<ProxiedCall, "action">): boolean {
  return /^Describe(Image|Snapshot)Attribute$/.test(action);
}

function urlOf(server: http.Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function parseJson(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
