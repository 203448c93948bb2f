/** Paces the calls of one EC2 client, so that EC2's request rate limits refuse few of them. */

import type { RequestBucket } from "../model";
import { publishedBucket } from "./actions";
import { pause } from "./pause";

/** The factor by which a rate grows in a second of waiting calls, if EC2 has not refused any: the account may have a higher limit. */
const SEARCH = 2;
/** The growth in a second of waiting calls after a refusal. It becomes faster when EC2 refuses none for a long time: others use less then. */
const growth = (secondsSince: number) => 1 + 0.002 * (1 + (secondsSince / 10) ** 2);
/** The factor for a refused rate if too few calls were answered to measure another one. */
const CUT = 0.8;
/** The part of the published rate that always remains, also if others use up the account's limit. */
const LEAST = 0.1;
/** A rate is measured over this time, in milliseconds, and this number of answered calls. */
const MEASURED_MS = 1000;
const MEASURED_CALLS = 5;

/**
 * The bucket of one action in one account and region, as far as this process knows it. EC2 counts the calls of all clients of the account, and
 * does not tell its limit. So the rate starts at the published one. If EC2 refuses a call, its bucket is empty: the number of calls that it
 * answered since it was full, or since the last refusal, then gives the rate. All times are in milliseconds.
 */
export class TokenBucket {
  private tokens: number;
  private rate: number;
  private counted: number | undefined;
  private isWaiting = false;
  private isLimited = false;
  /** When EC2's bucket had `tokens` for certain, and the calls that were sent since then and answered. */
  private known: { readonly at: number; readonly tokens: number; answered: number } | undefined;

  constructor(private readonly published: RequestBucket) {
    this.tokens = published.size;
    this.rate = published.perSecond;
  }

  /** Takes a token. Returns 0, or the milliseconds until there is one. */
  take(now: number): number {
    this.count(now);
    this.isWaiting = this.tokens < 1;
    if (this.isWaiting) return Math.max(1, Math.ceil(((1 - this.tokens) / this.rate) * 1000));
    this.tokens -= 1;
    return 0;
  }

  /** Notes that EC2 answered a call. */
  accepted(sentAt: number): void {
    if (this.known && sentAt >= this.known.at) this.known.answered += 1;
  }

  /** Notes that EC2 refused a call because of its limit. */
  refused(now: number, sentAt: number): void {
    this.count(now);
    this.tokens = 0;
    const { at, tokens, answered } = this.known ?? { at: now, tokens: 0, answered: 0 };
    // The calls that were under way at the last refusal say nothing about the rate since then.
    if (this.isLimited && sentAt < at) return;
    const used = answered - tokens;
    const isMeasured = now - at >= MEASURED_MS && used >= MEASURED_CALLS;
    this.rate = Math.max(isMeasured ? used / ((now - at) / 1000) : this.rate * CUT, this.published.perSecond * LEAST);
    this.isLimited = true;
    this.known = { at: now, tokens: 0, answered: 0 };
  }

  /** Adds the tokens since the last count. The rate grows while calls wait. */
  private count(now: number): void {
    const seconds = (now - (this.counted ?? now)) / 1000;
    this.counted = now;
    const { size } = this.published;
    this.tokens = Math.min(size, this.tokens + this.rate * seconds);
    // A full bucket takes no more tokens, so that the time before says nothing about the rate.
    if (this.tokens === size) this.known = { at: now, tokens: size, answered: 0 };
    const factor = this.isLimited && this.known ? growth((now - this.known.at) / 1000) : SEARCH;
    if (this.isWaiting) this.rate *= factor ** Math.min(seconds, 1);
  }
}

/** A call of a client. */
export interface PacedCall {
  readonly action: string;
  /** When its first attempt asked for a turn. */
  readonly since: number;
  /** The stop signal: after it, nothing waits. */
  readonly signal: AbortSignal | undefined;
}

interface Waiting {
  readonly since: number;
  readonly go: () => void;
}

/** The calls of one action that wait for their turn. */
class Line {
  readonly bucket: TokenBucket;
  private readonly waiting: Waiting[] = [];
  private isServing = false;

  constructor(action: string) {
    this.bucket = new TokenBucket(publishedBucket(action));
  }

  turn({ since, signal }: PacedCall): Promise<void> {
    return new Promise((go) => {
      // A call that EC2 refused keeps its place before the calls that came later.
      const behind = this.waiting.findLastIndex((other) => other.since <= since);
      this.waiting.splice(behind + 1, 0, { since, go });
      if (!this.isServing) void this.serve(signal);
    });
  }

  private async serve(signal: AbortSignal | undefined): Promise<void> {
    this.isServing = true;
    while (this.waiting.length > 0) {
      const wait = signal?.aborted ? 0 : this.bucket.take(performance.now());
      if (wait > 0) await pause(wait, signal);
      else this.waiting.shift()?.go();
    }
    this.isServing = false;
  }
}

/** Gives each call of a client its turn, in the order in which the calls came. */
export class Pacer {
  private readonly lines = new Map<string, Line>();

  /** Sends a call when it is its turn, or when the signal is aborted. */
  async send<Result>(paced: PacedCall, call: () => Promise<Result>): Promise<Result> {
    const line = this.lines.get(paced.action) ?? new Line(paced.action);
    this.lines.set(paced.action, line);
    await line.turn(paced);
    const sentAt = performance.now();
    try {
      const result = await call();
      line.bucket.accepted(sentAt);
      return result;
    } catch (error) {
      if (isRefusal(error)) line.bucket.refused(performance.now(), sentAt);
      else line.bucket.accepted(sentAt);
      throw error;
    }
  }
}

/** EC2 API reference, "Error codes": the request rate exceeds a limit. */
function isRefusal(error: unknown): boolean {
  const { name } = error as { name?: string };
  return name === "RequestLimitExceeded" || name === "Throttling";
}
