/** How often the calls of a client are repeated: the SDK's back-off, with limits for each call instead of one for all calls together. */

import type { StandardRetryStrategy } from "@smithy/core/retry";
import type { RetryErrorInfo, RetryStrategyV2, StandardRetryToken } from "@smithy/types";
import { MAX_THROTTLED_MS } from "../model";
import { pause } from "./pause";

/** How a client repeats its calls. */
export interface Retries {
  /** Attempts of one call, including the first. */
  readonly maxAttempts: number;
  /** Whether these are the attempts of a throttled call, too. Otherwise it is repeated until MAX_THROTTLED_MS have passed. */
  readonly limitsThrottled: boolean;
}

/** Makes the SDK's own strategy. It is loaded with the SDK. */
export type MakeStrategy = (maxAttempts: number) => StandardRetryStrategy;

interface Call {
  readonly failures: StandardRetryStrategy;
  readonly refusals: StandardRetryStrategy;
  throttledSince: number | undefined;
}

/**
 * The SDK's own strategy has one quota for all calls of a client: 100 throttled calls use it up, and the next one fails at once. Here each
 * call has a strategy of its own. Pacing limits the rate of all calls.
 */
export class CallRetries implements RetryStrategyV2 {
  private readonly calls = new WeakMap<StandardRetryToken, Call>();

  constructor(
    private readonly strategyOf: MakeStrategy,
    private readonly retries: Retries,
    private readonly signal: AbortSignal | undefined,
    private readonly mostMs = MAX_THROTTLED_MS,
  ) {}

  async acquireInitialRetryToken(scope: string): Promise<StandardRetryToken> {
    const { maxAttempts, limitsThrottled } = this.retries;
    const failures = this.strategyOf(maxAttempts);
    const refusals = limitsThrottled ? failures : this.strategyOf(Number.POSITIVE_INFINITY);
    const token = await failures.acquireInitialRetryToken(scope);
    this.calls.set(token, { failures, refusals, throttledSince: undefined });
    return token;
  }

  async refreshRetryTokenForRetry(token: StandardRetryToken, failure: RetryErrorInfo): Promise<StandardRetryToken> {
    const call = this.calls.get(token) as Call;
    const isThrottled = failure.errorType === "THROTTLING";
    const now = performance.now();
    if (isThrottled) call.throttledSince ??= now;
    const left = (call.throttledSince ?? now) + this.mostMs - now;
    if (isThrottled && left <= 0) throw new Error("the call was throttled for too long");
    const next = await (isThrottled ? call.refusals : call.failures).refreshRetryTokenForRetry(token, failure);
    // The SDK waits only 5 seconds longer than without Retry-After.
    const until = failure.retryAfterHint?.getTime() ?? 0;
    const longer = Math.min(until - Date.now(), left);
    if (longer > 0) await pause(longer, this.signal);
    this.calls.set(next, call);
    return next;
  }

  recordSuccess(token: StandardRetryToken): void {
    this.calls.get(token)?.failures.recordSuccess(token);
  }
}
