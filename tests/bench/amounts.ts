/** How calls and time grow with the number of accounts, snapshots and sets: measured with this project's three forms, computed for the others. */

import { Emulator } from "../helpers/emulator";
import { accounts } from "./calls";
import { byAction } from "./compare";
import { type Calls, sum, total } from "./peers";
import type { Chart, Line } from "./plot";
import { SETS } from "./sets";
import { computed, OURS, PEERS } from "./tools";

/** Sets of different AMIs that share with the same accounts. */
export interface Amount {
  readonly sets: number;
  readonly accounts: number;
  readonly snapshots: number;
}

export const STEPS = ["create", "nothing to change"] as const;
export type Step = (typeof STEPS)[number];

export interface Grown {
  readonly tool: string;
  readonly amount: Amount;
  readonly step: Step;
  readonly calls: Calls;
  readonly seconds: number;
}

export type Axis = keyof Amount;

interface Range {
  readonly amounts: readonly number[];
  /** The other amounts. */
  readonly rest: Amount;
  readonly steps: readonly Step[];
}

const AXES: Readonly<Record<Axis, Range>> = {
  accounts: { amounts: [1, 100, 1000, 5000], rest: { sets: 1, accounts: 1, snapshots: 2 }, steps: STEPS },
  snapshots: { amounts: [1, 8, 32], rest: { sets: 1, accounts: 100, snapshots: 1 }, steps: ["create"] },
  sets: { amounts: [1, 20, 200], rest: { sets: 1, accounts: 20, snapshots: 2 }, steps: STEPS },
};

/** @param most amounts above it are left out */
export async function measureAmounts(axis: Axis, most: number, say: (text: string) => void): Promise<Grown[]> {
  const { amounts, rest, steps } = AXES[axis];
  const grown: Grown[] = [];
  const emulator = await Emulator.start();
  try {
    for (const amount of amounts.filter((one) => one <= most))
      for (const tool of Object.keys(OURS)) {
        const measured = await grow(emulator, tool, { ...rest, [axis]: amount }, steps);
        grown.push(...measured);
        say(`${amount} ${axis}, ${tool}: ${measured.map(({ seconds }) => `${seconds.toFixed(1)} s`).join(", ")}`);
      }
  } finally {
    await emulator.stop();
  }
  return grown;
}

async function grow(emulator: Emulator, tool: string, amount: Amount, steps: readonly Step[]): Promise<Grown[]> {
  await emulator.configure({ entityQuota: amount.accounts });
  const images = await emulator.images(Array.from({ length: amount.sets }, () => ({ snapshots: amount.snapshots })));
  const engine = await SETS[OURS[tool] ?? "Pulumi"](emulator, images, { asUsersHaveIt: true });
  const grown: Grown[] = [];
  engine.declare(accounts(amount.accounts));
  try {
    for (const step of steps) {
      await emulator.forgetCalls();
      const began = performance.now();
      await engine.run();
      const seconds = (performance.now() - began) / 1000;
      grown.push({ tool, amount, step, calls: byAction(await emulator.calls()), seconds });
    }
  } finally {
    engine.remove();
  }
  return grown;
}

/** Two charts of a create: its calls beside those of other tools, and its time. */
export function charts(axis: Axis, grown: readonly Grown[]): Chart[] {
  const { rest } = AXES[axis];
  const amounts = [...new Set(grown.map(({ amount }) => amount[axis]))];
  const ofCreates = (y: (one: Grown) => number) =>
    Object.keys(OURS).map((tool): Line => {
      const own = grown.filter((one) => one.tool === tool && one.step === "create");
      return { name: tool, points: own.map((one) => [one.amount[axis], y(one)]) };
    });
  const creates = ofCreates(({ calls }) => total(calls));
  const times = ofCreates(({ seconds }) => seconds);
  const others = Object.keys(PEERS).map((name): Line => {
    const all = amounts.map((value) => [value, computedTotal(name, { ...rest, [axis]: value })] as const);
    return { name, points: all.flatMap(([x, y]) => (y === undefined ? [] : [[x, y] as const])) };
  });
  const around = Object.entries(rest)
    .filter(([name]) => name !== axis)
    .map(([name, value]) => `${value} ${value === 1 ? name.slice(0, -1) : name}`)
    .join(", ");
  return [
    { title: `Calls of a create (${around})`, x: axis, y: "calls to EC2", lines: [...creates, ...others] },
    { title: "Time of a create, plan included", x: axis, y: "seconds", lines: times },
  ];
}

/** The calls of another tool for a create. Undefined: EC2 would refuse one of them. */
export function computedTotal(tool: string, { sets, accounts: n, snapshots }: Amount): number | undefined {
  const calls = computed(tool, "create", { accounts: n, snapshots, added: 0, removed: 0 });
  return calls && total(sum(...Array.from({ length: sets }, () => calls)));
}
