/** Durations in the format of Go's time.ParseDuration, and durations as text. */

import * as assert from "node:assert/strict";
import { durationSeconds, durationWords } from "../../provider/core";

describe("a duration", () => {
  const right: Record<string, number> = {
    "30m": 1800,
    "1h30m": 5400,
    "1.5h": 5400,
    "1h1m1s": 3661,
    "90s": 90,
    "500ms": 0.5,
    ".5s": 0.5,
    "1.s": 1,
    "+30m": 1800,
    "1m1h": 3660,
    "1us1µs1μs1ns": 3.001e-6,
    "0s": 0,
    "2562047h": 9223369200,
  };
  for (const [text, seconds] of Object.entries(right))
    it(`of ${text} is parsed as ${seconds} s`, () =>
      assert.ok(Math.abs((durationSeconds(text) ?? -1) - seconds) < 1e-9 * seconds + 1e-12));

  for (const text of [
    "",
    "30",
    "m",
    "30 m",
    " 30m",
    "30m ",
    "1d",
    "1w",
    "30M",
    "30min",
    "1h-30m",
    "-30m",
    "++1s",
    "1e3s",
    "1,5h",
    "٣m",
    "PT30M",
    ".s",
    "1..5s",
    "2562048h",
  ])
    it(`cannot be ${JSON.stringify(text)}`, () => assert.equal(durationSeconds(text), undefined));

  const words: Record<string, number> = { "20m": 1200, "1h30m": 5400, "1m30s": 90, "1h": 3600, "500ms": 0.5, "1h1s": 3601 };
  for (const [text, seconds] of Object.entries(words))
    it(`of ${seconds} s is written as ${text}`, () => assert.equal(durationWords(seconds), text));
});
