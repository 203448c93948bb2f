/** One call to AWS: sends it, ends it on the stop signal, decodes the answer, and repeats the call if the answer is not valid. */

import * as v from "valibot";
import { ABSENCE_PAUSE_MS, AmiSharingError, BAD_ANSWER_PAUSE_MS, MAX_BAD_ANSWER_REPEATS } from "../model";
import { isRead } from "./actions";
import { type Attempt, resourceOf } from "./awsErrors";
import { type CallWatch, endOf, sameCall } from "./callWatch";
import { pause } from "./pause";
import { BadAnswer } from "./wire";

/** Milliseconds. */
export interface Pauses {
  /** Before a call with a bad answer is repeated. Doubles each time. */
  readonly badAnswer: number;
  /** Before a call is repeated because the answer was empty. */
  readonly absence: number;
}

export const PAUSES: Pauses = { badAnswer: BAD_ANSWER_PAUSE_MS, absence: ABSENCE_PAUSE_MS };

/** How calls are made. */
export interface CallOptions {
  readonly watch: CallWatch;
  readonly pauses: Pauses;
  /** Attempts that the connection allows for one call, including the first. */
  readonly maxAttempts: number;
}

type Send = (options: { abortSignal?: AbortSignal }) => Promise<object>;

/**
 * Repeats a call until its answer matches the schema, or the repeats are used up. This is safe for every call of this package: changes
 * of permissions in EC2, and of named grants in KMS, are idempotent.
 */
export async function ask<Schema extends v.GenericSchema>(
  { watch: { signal }, pauses, maxAttempts }: CallOptions,
  attempt: Attempt,
  send: Send,
  schema: Schema,
): Promise<v.InferOutput<Schema>> {
  const repeats = Math.min(MAX_BAD_ANSWER_REPEATS, maxAttempts - 1);
  for (let repeat = 0; ; repeat++) {
    try {
      return decoded(schema, await untilStopped(signal, attempt, send));
    } catch (error) {
      const bad = unreadable(error) ?? error;
      if (!(bad instanceof BadAnswer && bad.mayPass && repeat < repeats)) throw bad;
      await pause(pauses.badAnswer * 2 ** repeat, signal);
    }
  }
}

/** Makes a call, and once more after a pause if nothing is found: EC2 may not show a new resource in its first answer. */
export async function askTwice<Answer>(
  { watch: { signal }, pauses }: CallOptions,
  found: (answer: Answer) => boolean,
  asking: () => Promise<Answer>,
): Promise<Answer> {
  const first = await asking();
  if (found(first)) return first;
  await pause(pauses.absence, signal);
  return asking();
}

async function untilStopped(signal: AbortSignal | undefined, attempt: Attempt, send: Send): Promise<object> {
  const end = endOf(signal, attempt.action);
  if (end === undefined) return send({});
  return new Promise((resolve, reject) => {
    // The SDK alone would not end the call: it ignores the signal while it looks up credentials.
    const stop = () => reject(stoppedDuring(attempt));
    end.addEventListener("abort", stop, { once: true });
    send({ abortSignal: end })
      .then(resolve, reject)
      .finally(() => end.removeEventListener("abort", stop));
  });
}

function stoppedDuring(attempt: Attempt): AmiSharingError {
  const { action, imageId } = attempt;
  const unknown = isRead(action) ? "" : ", so it is not known whether AWS made that change";
  return new AmiSharingError("stopped", `stopped before ${action}${resourceOf(attempt)} was answered${unknown}`, {
    ...(imageId === undefined ? {} : { imageId }),
    next: "repeat to go on",
  });
}

function decoded<Schema extends v.GenericSchema>(schema: Schema, answer: object): v.InferOutput<Schema> {
  const result = v.safeParse(schema, answer);
  if (result.success) return sameCall(result.output as object, answer) as v.InferOutput<Schema>;
  const [issue] = result.issues;
  const path = v.getDotPath(issue);
  const { $metadata: { requestId } = {} } = answer as { $metadata?: { requestId?: string } };
  const flaw = issue.received === "undefined" ? `${path} is missing` : `${path ?? "it"} ${issue.message}`;
  throw sameCall(new BadAnswer(flaw, { requestId }), answer);
}

/** The error for an answer that the SDK could not parse, without the SDK's hints and the parser's message. */
function unreadable(error: unknown): BadAnswer | undefined {
  const { message = "", $metadata: { requestId, httpStatusCode: status } = {} } = error as {
    message?: string;
    $metadata?: { requestId?: string; httpStatusCode?: number };
  };
  if (!/Deserialization error: to see the raw response/.test(message)) return undefined;
  return sameCall(new BadAnswer("it cannot be read", { requestId, status }), error);
}
