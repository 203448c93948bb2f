/** Runs the same tasks with every tool in turn, on one local EC2: counts the calls, takes the time, and reads back who has access. */

import { Emulator } from "../helpers/emulator";
import { accounts } from "./calls";
import type { Calls, Size } from "./peers";
import { TASKS, type Task, TOOLS, type Tool } from "./tools";

/** What a task took with one tool. */
export interface Measured {
  readonly tool: string;
  readonly task: Task;
  /** Of the last round. */
  readonly calls: Calls;
  /** The median time in seconds, for each of the latencies. */
  readonly seconds: readonly number[];
  /** Only a sample of the commands ran. Calls and time are those of all. */
  readonly isSample: boolean;
}

export interface Comparison {
  readonly size: Size;
  readonly rounds: number;
  /** Seconds that EC2 takes longer for each call. */
  readonly latencies: readonly number[];
}

/** In each round, each task runs with all tools, so that other load on the machine affects all of them. */
export async function compare({ size, rounds, latencies }: Comparison, say: (text: string) => void): Promise<Measured[]> {
  const everybody = accounts(size.accounts + size.added);
  const before = everybody.slice(0, size.accounts);
  const after = everybody.slice(size.removed);
  const wanted: Record<Task, readonly string[]> = { create: before, "nothing to change": before, update: after, destroy: [] };
  const emulator = await Emulator.start();
  const tools = new Map<string, Tool>();
  try {
    const images = await emulator.images(Object.keys(TOOLS).map(() => ({ snapshots: size.snapshots })));
    for (const [i, [name, make]] of Object.entries(TOOLS).entries())
      tools.set(name, await make(emulator, images[i] as (typeof images)[number]));
    const calls = new Map<string, Calls>();
    const factors = new Map<string, number>();
    const times = new Map<string, number[]>();
    for (let round = 0; round < rounds; round++)
      for (const latency of latencies)
        for (const task of TASKS) {
          for (const [name, tool] of tools) {
            await emulator.forgetCalls();
            await emulator.configure({ latency });
            const began = performance.now();
            const factor = await tool.run(task, wanted[task]);
            const seconds = ((performance.now() - began) / 1000) * factor;
            await emulator.configure({ latency: 0 });
            factors.set(`${name} ${task}`, factor);
            calls.set(`${name} ${task}`, byAction(await emulator.calls(), factor));
            const all = `${name} ${task} ${latency}`;
            times.set(all, [...(times.get(all) ?? []), seconds]);
          }
          say(`round ${round + 1} of ${rounds}, ${latency * 1000} ms a call: ${task}`);
          const whole = images.filter((_, i) => ![...tools.values()][i]?.isSample);
          const expected = whole.flatMap(({ imageId, snapshotIds }) =>
            [imageId, ...snapshotIds].flatMap((id) => wanted[task].map((account) => `${id} account/${account}`)),
          );
          if ((await emulator.pairs(whole)).join() !== expected.sort().join())
            throw new Error(`${task}: wrong accounts have access`);
        }
    return [...tools.keys()].flatMap((tool) =>
      TASKS.map((task) => ({
        tool,
        task,
        calls: calls.get(`${tool} ${task}`) ?? {},
        seconds: latencies.map((latency) => median(times.get(`${tool} ${task} ${latency}`) ?? [])),
        isSample: (factors.get(`${tool} ${task}`) ?? 1) > 1,
      })),
    );
  } finally {
    for (const { remove } of tools.values()) remove();
    await emulator.stop();
  }
}

/** @param factor multiplies the numbers */
export function byAction(calls: readonly { readonly action: string }[], factor = 1): Calls {
  const counted: Record<string, number> = {};
  for (const { action } of calls) counted[action] = (counted[action] ?? 0) + factor;
  return Object.fromEntries(Object.entries(counted).map(([action, count]) => [action, Math.round(count)]));
}

export function median(all: readonly number[]): number {
  const sorted = all.toSorted((a, b) => a - b);
  const [low, high] = [sorted[(all.length - 1) >> 1], sorted[all.length >> 1]];
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2;
}
