/** What stands before and after every AWS call: nothing more is changed once a signal says stop, and each call is told to a log. */

import type { InitializeMiddleware, MetadataBearer, Pluggable } from "@smithy/types";
import { AmiSharingError } from "./errors";

/** A call that was answered. */
export interface AnsweredCall {
  /** Such as `EC2 ModifyImageAttribute`. */
  readonly action: string;
  readonly milliseconds: number;
  /** Attempts, the first included. */
  readonly attempts: number | undefined;
  readonly requestId: string | undefined;
  /** The error code that AWS answered; absent where the call succeeded. */
  readonly awsCode?: string;
}

export interface CallWatch {
  /** Once it is aborted, calls that change something are refused with `stopped`; those that read go on. */
  readonly signal?: AbortSignal | undefined;
  readonly onAnswer?: ((call: AnsweredCall) => void) | undefined;
}

const READS = /^(Describe|Get|List|Assume)/;

/** A plugin for the middleware of an SDK client that watches its calls. */
export function callWatch<Input extends object, Output extends MetadataBearer>(
  service: string,
  { signal, onAnswer }: CallWatch,
): Pluggable<Input, Output> {
  const middleware: InitializeMiddleware<Input, Output> = (next, context) => async (args) => {
    const action = String(context.commandName).replace(/Command$/, "");
    if (signal?.aborted && !READS.test(action))
      throw new AmiSharingError("stopped", `stopped before ${service}'s ${action}; nothing more was sent`, {
        next: "repeat to go on",
      });
    const began = Date.now();
    const answered = ({ $metadata }: Partial<MetadataBearer>, awsCode?: string) =>
      onAnswer?.({
        action: `${service} ${action}`,
        milliseconds: Date.now() - began,
        attempts: $metadata?.attempts,
        requestId: $metadata?.requestId,
        ...(awsCode === undefined ? {} : { awsCode }),
      });
    try {
      const result = await next(args);
      answered(result.output);
      return result;
    } catch (error) {
      answered(error as Partial<MetadataBearer>, (error as Error).name);
      throw error;
    }
  };
  return { applyToStack: (stack) => stack.add(middleware, { step: "initialize", name: "callWatch" }) };
}
