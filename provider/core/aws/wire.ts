/** Checks every HTTP answer before the SDK parses it, and limits how long to wait for an answer. */

import type { DeserializeMiddleware, HandlerExecutionContext, HeaderBag, HttpRequest, HttpResponse } from "@smithy/types";
import { MAX_CONNECTIONS, MAX_TIMEOUTS_PER_CALL } from "../model";

/** An answer that is not valid: from a proxy or a sign-in page, cut off, or about another resource. */
export class BadAnswer extends Error {
  override readonly name = "BadAnswer";
  /** The SDK's own errors have the same field. The SDK reads the status to decide whether to retry. */
  readonly $metadata: { readonly httpStatusCode?: number; readonly requestId?: string };

  constructor(
    /** What is wrong with the answer. */
    readonly flaw: string,
    { status, requestId }: { readonly status?: number | undefined; readonly requestId?: string | undefined } = {},
  ) {
    super(flaw);
    this.$metadata = {
      ...(status === undefined ? {} : { httpStatusCode: status }),
      ...(requestId === undefined ? {} : { requestId }),
    };
  }

  /** Whether a repeated call may help. If the status is an error, the SDK has retried already. */
  get mayPass(): boolean {
    const { httpStatusCode = 200 } = this.$metadata;
    return httpStatusCode < 300;
  }
}

/** There was no connection, or no answer, within the timeout. */
export class NoAnswer extends Error {
  /** The SDK retries errors with this name. */
  override name = "TimeoutError";

  constructor(
    /** What took too long. */
    readonly what: string,
    /** How many attempts of this call timed out. */
    readonly times: number,
    /** Whether a request was sent. If so, AWS may have carried it out. */
    readonly sent: boolean,
  ) {
    super(what);
    if (times >= MAX_TIMEOUTS_PER_CALL) this.name = "NoAnswer";
  }
}

/** In milliseconds, for one attempt. */
export interface Timeouts {
  readonly connectTimeout: number;
  readonly requestTimeout: number;
}

/** The endpoint of each call, except endpoints of AWS. */
const ENDPOINTS = new WeakMap<HandlerExecutionContext, string>();

/** The endpoint that a call was sent to; undefined if it is an endpoint of AWS, or if nothing was sent. */
export function endpointOf(context: HandlerExecutionContext): string | undefined {
  return ENDPOINTS.get(context);
}

/** A middleware next to the HTTP client, inside the SDK's middleware that parses answers and that retries. */
export function answerCheck<Input extends object, Output extends object>(
  timeouts: Timeouts,
): DeserializeMiddleware<Input, Output> {
  const turn = turns(MAX_CONNECTIONS);
  return (next, context) => {
    let [timedOut, sent] = [0, false];
    return async (args) => {
      const request = args.request as HttpRequest;
      const endpoint = `${request.protocol}//${request.hostname}${request.port === undefined ? "" : `:${request.port}`}`;
      if (!isOfAws(request.hostname)) ENDPOINTS.set(context, endpoint);
      try {
        return await turn(async () => {
          const result = await next(args);
          const response = result.response as HttpResponse;
          const body = await wholeBody(response.body as NodeJS.ReadableStream, timeouts.requestTimeout);
          refuse(request, response, body.toString("utf8"));
          response.body = body;
          return result;
        });
      } catch (error) {
        const what = waitedFor(error, timeouts);
        if (what === undefined) throw error;
        timedOut += 1;
        sent ||= what.startsWith(UNANSWERED);
        throw new NoAnswer(what, timedOut, sent);
      }
    };
  };
}

/**
 * Runs work, so much at once, in the order in which it came. Without it, the HTTP client counts the time that a request waits for a
 * connection of its own as time without an answer of the endpoint (@smithy/node-http-handler, set-connection-timeout.ts).
 */
function turns(atOnce: number): <Result>(work: () => Promise<Result>) => Promise<Result> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running >= atOnce) await new Promise<void>((begin) => waiting.push(begin));
    else running += 1;
    try {
      return await work();
    } finally {
      // The turn goes to the next one, so that nobody comes between.
      const begin = waiting.shift();
      if (begin) begin();
      else running -= 1;
    }
  };
}

/** The SDK's endpoint rules, partitions: `dnsSuffix` and `dualStackDnsSuffix`. */
const AWS_SUFFIXES = [
  "amazonaws.com",
  "amazonaws.com.cn",
  "amazonaws.eu",
  "api.aws",
  "api.amazonwebservices.com.cn",
  "api.amazonwebservices.eu",
  "c2s.ic.gov",
  "api.aws.ic.gov",
  "sc2s.sgov.gov",
  "api.aws.scloud",
  "csp.hci.ic.gov",
  "api.aws.hci.ic.gov",
  "cloud.adc-e.uk",
  "api.cloud-aws.adc-e.uk",
];

function isOfAws(host: string): boolean {
  return AWS_SUFFIXES.some((suffix) => host.endsWith(`.${suffix}`));
}

/** The SDK's request timeout ends with the headers of the answer. This limits the time for the body, to the same length. */
async function wholeBody(stream: NodeJS.ReadableStream, milliseconds: number): Promise<Buffer> {
  const late = Object.assign(new Error(), { name: "TimeoutError" });
  const timer = setTimeout(() => (stream as NodeJS.ReadableStream & { destroy(error: Error): void }).destroy(late), milliseconds);
  try {
    const parts: Buffer[] = [];
    for await (const part of stream) parts.push(Buffer.from(part));
    return Buffer.concat(parts);
  } finally {
    clearTimeout(timer);
  }
}

const UNANSWERED = "did not answer";

/** The text for a timeout of the HTTP client; undefined for any other failure. */
function waitedFor(error: unknown, { connectTimeout, requestTimeout }: Timeouts): string | undefined {
  const { name, message = "", code } = error as { name?: string; message?: string; code?: unknown };
  if (name !== "TimeoutError") return undefined;
  if (/did not establish a connection/.test(message)) return `took no connection within ${seconds(connectTimeout)}`;
  // The HTTP client also uses this name for ECONNRESET and similar errors. These are not timeouts.
  return code === undefined || /requestTimeout/.test(message) ? `${UNANSWERED} within ${seconds(requestTimeout)}` : undefined;
}

function seconds(milliseconds: number): string {
  return milliseconds >= 1000 ? `${Math.round(milliseconds / 1000)} s` : `${milliseconds} ms`;
}

/** @throws BadAnswer if this is not a valid answer to the request */
function refuse(request: HttpRequest, { statusCode: status, headers }: HttpResponse, text: string): void {
  const requestId = header(headers, "x-amzn-requestid") ?? header(headers, "x-amz-request-id");
  const bad = (flaw: string) => new BadAnswer(flaw, { status, requestId });
  if (status >= 300 && status < 400)
    throw bad(`it is a redirect (HTTP status ${status})${target(header(headers, "location"))}, which is not followed`);
  const flaw = flawOf(request, status, headers, text);
  if (flaw) throw bad(status < 300 ? flaw : `it has HTTP status ${status} and no error code of AWS: ${flaw}`);
}

function flawOf(request: HttpRequest, status: number, headers: HeaderBag, text: string): string | undefined {
  const target = header(request.headers, "x-amz-target");
  if (target !== undefined) return flawOfJson(target, status, headers, text);
  const action = /(?:^|&)Action=([^&]*)/.exec(String(request.body))?.[1];
  // A future SDK may use another protocol. The decoded answer is still checked, by a schema.
  return action === undefined ? undefined : flawOfXml(action, status, text);
}

/** The query protocols of EC2 and STS: the root element is named after the action, or is that of an error. */
function flawOfXml(action: string, status: number, text: string): string | undefined {
  const root = /^\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*)*<([^\s/>!]+)/s.exec(text)?.[1];
  if (root === undefined) return nothingOf(text, "XML");
  const wanted = status < 300 ? [`${action}Response`] : ["Response", "ErrorResponse"];
  if (!wanted.includes(root)) return nothingOf(text, `a ${wanted[0]}`);
  if (!text.trimEnd().endsWith(`</${root}>`)) return "it is cut off";
  if (status >= 300) return /<Code>\s*[^<\s]/.test(text) ? undefined : "it names none";
  // EC2 API reference: `return` "is true if the request succeeds, and an error otherwise".
  return /<return>\s*false\s*<\/return>/.test(text) ? "it says false" : undefined;
}

/** KMS's JSON protocol; the target is `TrentService.` and the action. */
function flawOfJson(target: string, status: number, headers: HeaderBag, text: string): string | undefined {
  // KMS API reference, RevokeGrant: "an HTTP 200 response with an empty HTTP body". An emulator answers with an empty object. Only the
  // request id, which every answer of KMS has, shows that the answer comes from KMS.
  if (status < 300 && target.endsWith(".RevokeGrant") && /^\s*(\{\s*\})?\s*$/.test(text))
    return header(headers, "x-amzn-requestid")
      ? undefined
      : `${text.trim() === "" ? "it is empty" : "it says nothing"} and has no request id`;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return nothingOf(text, "JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return nothingOf(text, "a JSON object");
  if (status < 300) return undefined;
  const { __type, code } = value as { __type?: unknown; code?: unknown };
  return __type || code || header(headers, "x-amzn-errortype") ? undefined : "it names none";
}

/** What is wrong with an answer that has not the wanted form. */
function nothingOf(text: string, wanted: string): string {
  if (text.trim() === "") return "it is empty";
  return /<html|<!doctype html/i.test(text.slice(0, 1000)) ? `it is an HTML page, not ${wanted}` : `it is not ${wanted}`;
}

function header(headers: HeaderBag, name: string): string | undefined {
  return Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
}

/** The target of a redirect: only its protocol and host, because the rest may contain secrets. */
function target(location: string | undefined): string {
  if (location === undefined || !URL.canParse(location)) return "";
  const { protocol, host } = new URL(location);
  return ` to ${protocol}//${host}`;
}
