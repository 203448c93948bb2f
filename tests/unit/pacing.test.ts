/** The pacing of calls, against a simulated bucket of EC2 in simulated time. */

import * as assert from "node:assert/strict";
import { TokenBucket } from "../../provider/core/aws/pacing";

/** EC2's bucket for one action. */
class Limit {
  private counted = 0;
  constructor(
    private readonly size: number,
    private readonly perSecond: (at: number) => number,
    private tokens = size,
  ) {}

  takes(at: number): boolean {
    this.tokens = Math.min(this.size, this.tokens + (this.perSecond(at) * (at - this.counted)) / 1000);
    this.counted = at;
    if (this.tokens < 1) return false;
    this.tokens -= 1;
    return true;
  }
}

interface Outcome {
  readonly seconds: number;
  readonly refused: number;
}

/** Sends calls, a refused one again, 20 ms each and at most 50 at once. */
function send(calls: number, limit: Limit, bucket = new TokenBucket({ size: 100, perSecond: 5 }), start = 0): Outcome {
  const latency = 20;
  const running: { readonly sentAt: number; readonly isTaken: boolean }[] = [];
  let [now, left, refused] = [start, calls, 0];
  while (left > 0 || running.length > 0) {
    const wait = left > 0 && running.length < 50 ? bucket.take(now) : Number.POSITIVE_INFINITY;
    if (wait === 0) {
      left -= 1;
      running.push({ sentAt: now, isTaken: limit.takes(now) });
      now += 0.1;
      continue;
    }
    const [first] = running;
    now = Math.min(now + wait, first ? first.sentAt + latency : Number.POSITIVE_INFINITY);
    if (!first || now < first.sentAt + latency) continue;
    running.shift();
    if (first.isTaken) bucket.accepted(first.sentAt);
    else {
      bucket.refused(now, first.sentAt);
      [left, refused] = [left + 1, refused + 1];
    }
  }
  return { seconds: (now - start) / 1000, refused };
}

describe("the pacing of calls", () => {
  it("with the published limit: takes no longer than the limit, and EC2 refuses at most 2 %", () => {
    for (const calls of [200, 400, 2000]) {
      const { seconds, refused } = send(calls, new Limit(100, () => 5));
      assert.ok(seconds <= 1.1 * ((calls - 100) / 5), `${calls} calls took ${seconds} s`);
      assert.ok(refused <= 0.02 * calls, `${refused} of ${calls} were refused`);
    }
  });

  for (const scale of [2, 10])
    it(`finds a limit that is ${scale} times the published one`, () => {
      const { seconds, refused } = send(2000, new Limit(100, () => 5 * scale));
      assert.ok(seconds <= 1.25 * (1900 / (5 * scale)), `it took ${seconds} s`);
      assert.ok(refused <= 40, `${refused} were refused`);
    });

  it("does not take a pause between two operations for a lower limit", () => {
    const [limit, bucket] = [new Limit(100, () => 5), new TokenBucket({ size: 100, perSecond: 5 })];
    send(110, limit, bucket);
    const { seconds, refused } = send(400, limit, bucket, 1_000_000);
    assert.ok(seconds <= 1.1 * 60, `it took ${seconds} s`);
    assert.ok(refused <= 8, `${refused} were refused`);
  });

  it("finds out soon that there is no limit", () => {
    const { seconds, refused } = send(1000, new Limit(1e6, () => 1e6));
    assert.ok(seconds < 8, `it took ${seconds} s`);
    assert.equal(refused, 0);
  });

  it("with an empty bucket, because others use the account: EC2 refuses few calls, and none is left out", () => {
    for (const share of [5, 2.5, 1]) {
      const { seconds, refused } = send(300, new Limit(100, () => share, 0));
      assert.ok(seconds <= 1.35 * (300 / share), `${share} a second: it took ${seconds} s`);
      assert.ok(refused <= 75, `${share} a second: ${refused} were refused`);
    }
  });

  it("follows a limit that others use only for a time", () => {
    const { seconds } = send(1000, new Limit(100, (at) => (at < 60_000 ? 1 : 5)));
    assert.ok(seconds < 300, `it took ${seconds} s`);
  });
});
