/** What is looked at of every HTTP answer before the SDK reads it, and how long an answer is waited for. */

import type { DeserializeMiddleware, HandlerExecutionContext, HeaderBag, HttpRequest, HttpResponse } from "@smithy/types";
import { MAX_CONNECTIONS, MAX_TIMEOUTS_PER_CALL } from "../model";

/** An answer that has not the form it must have: of a proxy or a sign-in page, cut off, or about something else. */
export class BadAnswer extends Error {
  override readonly name = "BadAnswer";
  /** As the SDK has it on its own errors: by the status it decides what to retry. */
  readonly $metadata: { readonly httpStatusCode?: number; readonly requestId?: string };

  constructor(
    /** What is wrong with it, in words. */
    readonly flaw: string,
    { status, requestId }: { readonly status?: number | undefined; readonly requestId?: string | undefined } = {},
  ) {
    super(flaw);
    this.$metadata = {
      ...(status === undefined ? {} : { httpStatusCode: status }),
      ...(requestId === undefined ? {} : { requestId }),
    };
  }

  /** Whether asking again may help, and the SDK has not done so yet: it retries by status what is no success. */
  get mayPass(): boolean {
    const { httpStatusCode = 200 } = this.$metadata;
    return httpStatusCode < 300;
  }
}

/** No answer, or no connection, within the time for it. */
export class NoAnswer extends Error {
  /** By this name the SDK retries. */
  override name = "TimeoutError";

  constructor(
    /** What took too long, in words. */
    readonly what: string,
    /** How many times in this call. */
    readonly times: number,
    /** Whether a request was sent, which may have been done. */
    readonly sent: boolean,
  ) {
    super(what);
    if (times >= MAX_TIMEOUTS_PER_CALL) this.name = "NoAnswer";
  }
}

/** Milliseconds, each for one attempt. */
export interface Timeouts {
  readonly connectTimeout: number;
  readonly requestTimeout: number;
}

/** Where a call goes: the endpoint of each, unless it is AWS's. */
const ENDPOINTS = new WeakMap<HandlerExecutionContext, string>();

/** The endpoint that the call of a context went to; undefined for AWS's own, and for a call that was not sent. */
export function endpointOf(context: HandlerExecutionContext): string | undefined {
  return ENDPOINTS.get(context);
}

/** A middleware to stand next to the HTTP client, inside of the SDK's own that read the answer and that retry. */
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

/** The SDK's time for a request ends with the answer's head; its body gets as much again. */
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

/** The words for a time-out of the HTTP client; undefined for any other failure. */
function waitedFor(error: unknown, { connectTimeout, requestTimeout }: Timeouts): string | undefined {
  const { name, message = "", code } = error as { name?: string; message?: string; code?: unknown };
  if (name !== "TimeoutError") return undefined;
  if (/did not establish a connection/.test(message)) return `took no connection within ${seconds(connectTimeout)}`;
  // The HTTP client names ECONNRESET and the like so, too: those are told as they are.
  return code === undefined || /requestTimeout/.test(message) ? `${UNANSWERED} within ${seconds(requestTimeout)}` : undefined;
}

function seconds(milliseconds: number): string {
  return milliseconds >= 1000 ? `${Math.round(milliseconds / 1000)} s` : `${milliseconds} ms`;
}

/** @throws BadAnswer where the answer has not the form of one to this request */
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
  // Another protocol, of an SDK to come: what it decodes is looked at all the same.
  return action === undefined ? undefined : flawOfXml(action, status, text);
}

/** EC2's and STS's query protocols: the root element is named after the action, or is one of an error. */
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
  // KMS API reference, RevokeGrant: "an HTTP 200 response with an empty HTTP body". Only the request id, which every answer of KMS has,
  // shows whose answer it is; an emulator answers with an empty object.
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

/** What the answer is in place of what it should be. */
function nothingOf(text: string, wanted: string): string {
  if (text.trim() === "") return "it is empty";
  return /<html|<!doctype html/i.test(text.slice(0, 1000)) ? `it is an HTML page, not ${wanted}` : `it is not ${wanted}`;
}

function header(headers: HeaderBag, name: string): string | undefined {
  return Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
}

/** Where a redirect points, without what may be secret in it. */
function target(location: string | undefined): string {
  if (location === undefined || !URL.canParse(location)) return "";
  const { protocol, host } = new URL(location);
  return ` to ${protocol}//${host}`;
}
