/** How often a call is repeated: limits of attempts, of the time of throttled calls, and Retry-After. */

import * as assert from "node:assert/strict";
import { StandardRetryStrategy } from "@smithy/core/retry";
import type { RetryErrorInfo } from "@smithy/types";
import { CallRetries, type Retries } from "../../provider/core/aws/retrying";

const THROTTLED: RetryErrorInfo = { errorType: "THROTTLING" };
const FAILED: RetryErrorInfo = { errorType: "TRANSIENT" };

/** The attempts of one call whose every attempt fails. At most 12. */
async function attempts(strategy: CallRetries, failure: RetryErrorInfo): Promise<number> {
  let token = await strategy.acquireInitialRetryToken("");
  for (let made = 1; made < 12; made++) {
    const next = await strategy.refreshRetryTokenForRetry(token, failure).catch(() => undefined);
    if (next === undefined) return made;
    token = next;
  }
  return 12;
}

describe("the retries of a call", () => {
  /** Without pauses: the SDK multiplies its back-off with this number. */
  const { random } = Math;
  before(() => {
    Math.random = () => 0;
  });
  after(() => {
    Math.random = random;
  });
  const retries = (more: Partial<Retries> = {}, mostMs?: number) =>
    new CallRetries(
      (most) => new StandardRetryStrategy(most),
      { maxAttempts: 3, limitsThrottled: false, ...more },
      undefined,
      mostMs,
    );

  it("end after maxAttempts; those of a throttled call only if the number was chosen", async () => {
    assert.equal(await attempts(retries(), FAILED), 3);
    assert.equal(await attempts(retries(), THROTTLED), 12);
    assert.equal(await attempts(retries({ limitsThrottled: true }), THROTTLED), 3);
  });

  it("of a throttled call end after the longest time", async () => {
    assert.equal(await attempts(retries({}, 0), THROTTLED), 1);
    assert.equal(await attempts(retries({}, 0), FAILED), 3);
  });

  it("of one call do not use up those of others", async () => {
    const strategy = retries();
    for (let call = 0; call < 200; call++) assert.equal(await attempts(strategy, FAILED), 3);
  });

  it("wait as long as Retry-After says", async () => {
    const strategy = retries();
    const token = await strategy.acquireInitialRetryToken("");
    const until = Date.now() + 300;
    await strategy.refreshRetryTokenForRetry(token, { ...THROTTLED, retryAfterHint: new Date(until) });
    assert.ok(Date.now() >= until - 5, `it waited until ${until - Date.now()} ms before`);
  });
});
