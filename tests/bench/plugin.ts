/** Measures the full Pulumi provider: its start beside Node.js itself and beside the dynamic provider, what it has loaded by then, and its memory with many sets. */

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import { Emulator } from "../helpers/emulator";
import { ProviderProcess } from "../helpers/pulumiClient";
import { medians, type Ratio } from "./times";

const ARGS = { imageId: "ami-0123456789abcdef0", accountIds: ["111122223333"], region: "us-east-1" };
/** Operations at once, as the engine's default on a small machine. */
const WORKERS = 16;

/** From the start of the process to the answer to the first Check. */
export async function startTimes(rounds: number): Promise<Ratio[]> {
  const { bare, full, dynamic } = await medians(rounds, {
    bare: () => once(spawn("node", ["-e", ""], { stdio: "ignore" }), "close"),
    full: () => firstCheck(),
    async dynamic() {
      const provider = await ProviderProcess.dynamic();
      await provider.configure();
      await provider.check("golden", ARGS);
      await provider.end("SIGKILL");
    },
  });
  return [
    { name: 'first Check of the full Pulumi provider ÷ node -e ""', dividend: full, divisor: bare, atMost: 5 },
    { name: "first Check of the full Pulumi provider ÷ of the dynamic one", dividend: full, divisor: dynamic, atMost: 1 },
  ];
}

/** What the engine asks first. The process ends by the engine's signal: only then Node.js writes what it keeps for the next start. */
export async function firstCheck(env: NodeJS.ProcessEnv = {}): Promise<void> {
  const provider = await ProviderProcess.full(env);
  await provider.handshake();
  await provider.schema();
  await provider.check("golden", ARGS);
  await provider.end();
}

export interface Memory {
  readonly sets: number;
  /** Megabytes of the process before the first set, with all sets made, and with all sets checked and compared once more. */
  readonly atStart: number;
  readonly made: number;
  readonly again: number;
}

/** The memory of one process that makes many sets, each of an AMI of its own, and then finds all of them unchanged. */
export async function measureMemory(sets: number): Promise<Memory> {
  const emulator = await Emulator.start();
  const provider = await ProviderProcess.full(emulator.environment());
  const megabytes = async () => {
    const { stdout } = await promisify(execFile)("ps", ["-o", "rss=", "-p", String(provider.child.pid)]);
    return Math.round(Number(stdout) / 1024);
  };
  try {
    const images = await emulator.images(Array.from({ length: sets }, () => ({ snapshots: 1 })));
    const args = images.map(({ imageId }) => ({ imageId, accountIds: ["111122223333", "444455556666"] }));
    await provider.handshake();
    const atStart = await megabytes();
    const states = await inParallel(args, async (one, i) => {
      const inputs = await provider.check(`set-${i}`, one);
      return { inputs, outputs: await provider.create(`set-${i}`, inputs) };
    });
    const made = await megabytes();
    await inParallel(states, async ({ inputs, outputs }, i) => {
      const news = await provider.check(`set-${i}`, args[i] ?? {}, inputs);
      if (await provider.diff(`set-${i}`, String(inputs.imageId), outputs, inputs, news)) throw new Error("something changes");
    });
    return { sets, atStart, made, again: await megabytes() };
  } finally {
    await provider.end("SIGKILL");
    await emulator.stop();
  }
}

async function inParallel<Item, Result>(
  items: readonly Item[],
  run: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < items.length; i = next++) results[i] = await run(items[i] as Item, i);
  };
  await Promise.all(Array.from({ length: WORKERS }, worker));
  return results;
}
