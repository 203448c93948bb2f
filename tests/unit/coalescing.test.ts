/** Reads that several sets share: how many calls they take, with a clock that the test moves. */

import * as assert from "node:assert/strict";
import { mock } from "node:test";
import { Coalescer } from "../../provider/core/aws/coalescing";

describe("reads that sets share", () => {
  beforeEach(() => mock.timers.enable({ apis: ["setTimeout", "Date"] }));
  afterEach(() => mock.timers.reset());

  /** Moves the clock, a millisecond at a time, and lets promises go on. */
  async function pass(milliseconds: number): Promise<void> {
    for (let i = 0; i < milliseconds; i++) {
      mock.timers.tick(1);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** A coalescer that keeps the ids of its calls. */
  function coalescer(most = 100) {
    const calls: string[][] = [];
    const read = async (ids: readonly string[]) => {
      calls.push([...ids]);
      return new Map(ids.map((id) => [id, `value of ${id}`]));
    };
    return { calls, reads: new Coalescer<string>(read, most) };
  }

  it("a set alone is read after 5 ms", async () => {
    const { calls, reads } = coalescer();
    const value = reads.get("a");
    await pass(4);
    assert.deepEqual(calls, []);
    await pass(1);
    assert.deepEqual(calls, [["a"]]);
    assert.equal(await value, "value of a");
  });

  it("sets at the same time share a call, each id once", async () => {
    const { calls, reads } = coalescer();
    const values = ["a", "b", "a"].map((id) => reads.get(id));
    await pass(5);
    assert.deepEqual(calls, [["a", "b"]]);
    assert.deepEqual(await Promise.all(values), ["value of a", "value of b", "value of a"]);
  });

  it("what is asked for during a call shares the next one", async () => {
    const calls: string[][] = [];
    const reads = new Coalescer<string>(async (ids) => {
      calls.push([...ids]);
      await new Promise((resolve) => setTimeout(resolve, 40));
      return new Map(ids.map((id) => [id, id]));
    }, 100);
    const values: Promise<string | undefined>[] = [];
    for (const id of ["a", "b", "c", "d"]) {
      values.push(reads.get(id));
      await pass(10);
    }
    await pass(100);
    assert.deepEqual(calls, [["a"], ["b", "c", "d"]]);
    assert.deepEqual(await Promise.all(values), ["a", "b", "c", "d"]);
  });

  it("a call never has more ids than allowed, and an id without a value is undefined", async () => {
    const { calls, reads } = coalescer(2);
    const values = ["a", "b", "c"].map((id) => reads.get(id));
    await pass(60);
    assert.deepEqual(calls, [["a", "b"], ["c"]]);
    assert.deepEqual(await Promise.all(values), ["value of a", "value of b", "value of c"]);
    const none = new Coalescer(async () => new Map<string, string>(), 2).get("x");
    await pass(5);
    assert.equal(await none, undefined);
  });

  it("a read that fails rejects for every set that shares it, and the next one goes on", async () => {
    let fails = true;
    const reads = new Coalescer<string>(async (ids) => {
      if (fails) throw new Error("denied");
      return new Map(ids.map((id) => [id, id]));
    }, 100);
    const told = ["a", "b"].map((id) => reads.get(id).catch((error: Error) => error.message));
    await pass(5);
    assert.deepEqual(await Promise.all(told), ["denied", "denied"]);
    fails = false;
    const next = reads.get("a");
    await pass(50);
    assert.equal(await next, "a");
  });
});
