/** Middleware around every AWS call: it refuses changes after the stop signal, paces calls, and reports each call to a log. */

import { setMaxListeners } from "node:events";
import type { FinalizeRequestMiddleware, InitializeMiddleware, MetadataBearer, Pluggable } from "@smithy/types";
import { AmiSharingError, STOP_GRACE_MS } from "../model";
import { isRead } from "./actions";
import type { Pacer } from "./pacing";
import { answerCheck, endpointOf, type Timeouts } from "./wire";

/** A call that has ended, for the log. */
export interface AnsweredCall {
  /** Such as `EC2 ModifyImageAttribute`. */
  readonly action: string;
  /** From the call to its answer, repetitions included. */
  readonly milliseconds: number;
  /** Attempts, including the first. */
  readonly attempts: number | undefined;
  /** The request id that AWS support asks for; undefined where nothing was answered. */
  readonly requestId: string | undefined;
  /** The error code of AWS; absent if the call succeeded. */
  readonly awsCode?: string;
}

/** How AWS calls are stopped, and who is told of them. */
export interface CallWatch {
  /**
   * The stop signal. After it is aborted, new changes are refused with `stopped`. A read that is under way ends at once, and a change
   * after STOP_GRACE_MS. A new read may take as long.
   */
  readonly signal?: AbortSignal | undefined;
  /** Called once for every call, after its last attempt. Default: nobody is told. */
  readonly onAnswer?: ((call: AnsweredCall) => void) | undefined;
}

/** The call that an error or an answer belongs to. */
export interface CallFacts {
  readonly service: string;
  readonly action: string;
  /** Undefined if it is an endpoint of AWS, or if nothing was sent. */
  readonly endpoint: string | undefined;
  readonly attempts: number | undefined;
  /** From the call to its answer, repetitions included. */
  readonly milliseconds: number;
}

const FACTS = new WeakMap<object, CallFacts>();

/** The innermost call that an error came from. If a role could not be assumed, this is AssumeRole. */
export function factsOf(errorOrAnswer: unknown): CallFacts | undefined {
  return typeof errorOrAnswer === "object" && errorOrAnswer !== null ? FACTS.get(errorOrAnswer) : undefined;
}

/** Notes that an error, made from another error or from an answer, belongs to the same call. */
export function sameCall<Made extends object>(made: Made, from: unknown): Made {
  const facts = factsOf(from);
  if (facts) FACTS.set(made, facts);
  return made;
}

/**
 * A plugin for the middleware of an SDK client. It watches the calls of the client and checks the answers.
 *
 * @param pacer paces each attempt of a call. Default: calls are not paced
 */
export function callWatch<Input extends object, Output extends MetadataBearer>(
  service: string,
  { signal, onAnswer }: CallWatch,
  timeouts: Timeouts,
  pacer?: Pacer,
): Pluggable<Input, Output> {
  const watch: InitializeMiddleware<Input, Output> = (next, context) => async (args) => {
    const action = String(context.commandName).replace(/Command$/, "");
    if (signal?.aborted && !isRead(action)) throw stopped(`before ${service}'s ${action}; nothing more was sent`);
    const began = Date.now();
    const ended = (outcome: Partial<MetadataBearer>, awsCode?: string) => {
      const { $metadata } = outcome;
      const facts = { attempts: $metadata?.attempts, milliseconds: Date.now() - began };
      if (Object(outcome) === outcome && !FACTS.has(outcome))
        FACTS.set(outcome, { service, action, endpoint: endpointOf(context), ...facts });
      onAnswer?.({
        action: `${service} ${action}`,
        ...facts,
        requestId: $metadata?.requestId,
        ...(awsCode === undefined ? {} : { awsCode }),
      });
    };
    try {
      const result = await next(args);
      ended(result.output);
      return result;
    } catch (error) {
      ended(error as Partial<MetadataBearer>, (error as Error).name);
      throw error;
    }
  };
  const repeat: FinalizeRequestMiddleware<Input, Output> = (next, context) => {
    const action = String(context.commandName).replace(/Command$/, "");
    const since = performance.now();
    let sent = false;
    return async (args) => {
      const send = () => {
        if (signal?.aborted && !isRead(action))
          throw stopped(
            sent
              ? `before ${service}'s ${action} was sent again, so it is not known whether AWS made that change`
              : `before ${service}'s ${action}; nothing more was sent`,
          );
        sent = true;
        return next(args);
      };
      return pacer ? pacer.send({ action, since, signal }, async () => send()) : send();
    };
  };
  return {
    applyToStack(stack) {
      stack.add(watch, { step: "initialize", name: "callWatch", override: true });
      // Inside the retry middleware of the SDK, so that it sees each attempt.
      stack.add(repeat, { step: "finalizeRequest", priority: "low", name: "callRepeat", override: true });
      stack.add(answerCheck(timeouts), { step: "deserialize", priority: "low", name: "answerCheck", override: true });
    },
  };
}

function stopped(when: string): AmiSharingError {
  return new AmiSharingError("stopped", `stopped ${when}`, { next: "repeat to go on" });
}

/** For each stop signal, the signal that is aborted STOP_GRACE_MS later. */
const DELAYED = new WeakMap<AbortSignal, AbortSignal>();

/** The signal that ends a call which starts now. */
export function endOf(signal: AbortSignal | undefined, action: string): AbortSignal | undefined {
  if (signal === undefined) return undefined;
  // Many calls of one set listen at the same time. Node.js would warn of a leak.
  setMaxListeners(0, signal);
  if (signal.aborted) return AbortSignal.timeout(STOP_GRACE_MS);
  return isRead(action) ? signal : delayed(signal);
}

function delayed(signal: AbortSignal): AbortSignal {
  const known = DELAYED.get(signal);
  if (known) return known;
  const end = new AbortController();
  setMaxListeners(0, end.signal);
  signal.addEventListener("abort", () => setTimeout(() => end.abort(), STOP_GRACE_MS).unref(), { once: true });
  DELAYED.set(signal, end.signal);
  return end.signal;
}
