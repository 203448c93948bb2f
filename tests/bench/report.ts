/** The tables of the benchmark, as Markdown. */

import { type Axis, type Grown, STEPS } from "./amounts";
import type { AuditRow } from "./audit";
import type { Bundle } from "./bundle";
import type { TableRow } from "./callTable";
import type { Measured } from "./compare";
import type { FleetRow } from "./fleet";
import type { GrowthRow } from "./growth";
import type { PacingRow } from "./pacing";
import { LEAST, modifying, refillSeconds, type Size, sum, total } from "./peers";
import type { Memory } from "./plugin";
import type { Ratio } from "./times";
import { computed, OPERATIONS_OF, OURS, PEERS, TASKS, type Task } from "./tools";
import type { Weight } from "./weight";

type Cell = string | number | undefined;

/** Calls on 28 November 2026, before the work on speed, plan included. Of the full Pulumi provider: on 29 November, when it was made. */
const BEFORE: Readonly<Record<Task, Readonly<Record<string, number>>>> = {
  create: {
    "Pulumi, dynamic": 14,
    "Pulumi, full": 14,
    Terraform: 18,
  },
  "nothing to change": {
    "Pulumi, dynamic": 0,
    "Pulumi, full": 0,
    Terraform: 3,
  },
  update: {
    "Pulumi, dynamic": 16,
    "Pulumi, full": 16,
    Terraform: 23,
  },
  destroy: {
    "Pulumi, dynamic": 10,
    "Pulumi, full": 6,
    Terraform: 13,
  },
};

/** The calls and the time of every form before and now, beside the calls of the resources with one principal each and the least possible ones. */
export function beforeAndAfter(size: Size, measured: readonly Measured[]): string {
  const rows = TASKS.flatMap((task) =>
    Object.entries(BEFORE[task]).map(([tool, before]): Cell[] => {
      const now = measured.find((one) => one.tool === tool && one.task === task);
      const others = [computed("one-principal resources", task, size), least(task, size)].map((calls) => total(calls ?? {}));
      return [task, tool, before, total(now?.calls ?? {}), ...others];
    }),
  );
  const calls = ["calls before", "now", "one-principal resources", "least possible"];
  return table(["task", "", ...calls], rows);
}

/** For each task, all tools. */
export function comparison(size: Size, latencies: readonly number[], measured: readonly Measured[]): string {
  const columns = latencies.flatMap((latency) => [
    latency === 0 ? "time, s" : `time with ${latency * 1000} ms a call, s`,
    "÷ refill time",
  ]);
  return TASKS.map((task) => {
    const rows = measured
      .filter((one) => one.task === task)
      .map(({ tool, calls, seconds, isSample }): Cell[] => {
        const refill = refillSeconds(calls);
        const times = seconds.flatMap((time) => [
          isSample ? `≈ ${rounded(time)}` : time,
          refill === 0 ? undefined : time / refill,
        ]);
        return [tool, total(calls), modifying(calls), refill, ...times];
      });
    const calls = computed("one-principal resources", task, size) ?? {};
    rows.push(["one-principal resources (computed)", total(calls), modifying(calls), refillSeconds(calls)]);
    return table([task, "calls", "of them changes", "refill time, s", ...columns], rows);
  }).join("\n\n");
}

/** How many times as much each other tool needs as each form of this project. */
export function ratios(size: Size, latencies: readonly number[], measured: readonly Measured[]): string {
  const find = (tool: string, task: Task) => measured.find((one) => one.tool === tool && one.task === task);
  const rows = TASKS.flatMap((task) =>
    Object.keys(OURS).map((tool): Cell[] => {
      const own = find(tool, task);
      const cells = Object.keys(PEERS).map((peer) => {
        const their = find(peer, task);
        const calls = their ? total(their.calls) : total(computed(peer, task, size) ?? {});
        const quotients = [[calls, total(own?.calls ?? {})], ...latencies.map((_, i) => [their?.seconds[i], own?.seconds[i]])];
        return quotients.map(([one, other]) => (one === undefined || !other ? "–" : rounded(one / other))).join(" · ");
      });
      return [task, tool, ...cells];
    }),
  );
  return table(["task", "this project", ...Object.keys(PEERS)], rows);
}

/** Numbers of calls that differ from what they should be. */
export function wrongCalls(size: Size, measured: readonly Measured[]): string[] {
  return measured.flatMap(({ tool, task, calls }) => {
    const should = tool in OURS ? modifying(least(task, size)) : total(computed(tool, task, size) ?? {});
    const are = tool in OURS ? modifying(calls) : total(calls);
    return are === should ? [] : [`WRONG: ${task}, ${tool}: ${are} calls instead of ${should}`];
  });
}

export function amountsTable(axis: Axis, grown: readonly Grown[]): string {
  const steps = STEPS.filter((step) => grown.some((one) => one.step === step));
  // The steps of one program follow each other.
  const programs = grown.filter(({ step }) => step === steps[0]);
  const rows = programs.map(({ tool, amount }): Cell[] => {
    const own = grown.filter((one) => one.tool === tool && one.amount === amount);
    return [amount[axis], tool, ...own.flatMap(({ calls, seconds }) => [total(calls), seconds])];
  });
  return table([axis, "", ...steps.flatMap((step) => [`${step}: calls`, "time, s"])], rows);
}

export function startTable(times: readonly Ratio[]): string {
  const rows = times.map(({ name, dividend, divisor, atMost }): Cell[] => [name, dividend / divisor, dividend, divisor, atMost]);
  return table(["time", "ratio", "dividend, ms", "divisor, ms", "at most"], rows);
}

export function bundleTable(bundles: Readonly<Record<string, Bundle>>): string {
  const percent = (part: number) => `${Math.round(part * 100)} %`;
  const rows = Object.entries(bundles).map(([name, { kilobytes, kilobytesGzipped, atStart, afterPlan }]): Cell[] => [
    ...[name, kilobytes, kilobytesGzipped],
    ...[atStart, afterPlan].map(({ ran, ec2Client }) => `${percent(ran)}, ${ec2Client ? "with" : "without"} the EC2 client`),
  ]);
  return table(["file of the provider", "kB", "kB gzipped", "has run at its start", "by the end of a plan"], rows);
}

export function memoryWords({ sets, atStart, made, again }: Memory): string {
  return `Memory of the full Pulumi provider: ${atStart} MB at the start, ${made} MB when it has made ${sets} sets of ${sets} AMIs, ${again} MB when it has checked and compared them once more.`;
}

export function fleetTable(rows: readonly FleetRow[]): string {
  const cells = rows.map((row): Cell[] => {
    const { engine, operation, modify, describe, refused, seconds, leastSeconds, leastInOrder, wrong } = row;
    const ratio = (least: number) => (least === 0 ? undefined : seconds / least);
    return [
      ...[engine, operation, modify, describe, refused, seconds, leastSeconds, ratio(leastSeconds)],
      ...[leastInOrder, ratio(leastInOrder), wrong],
    ];
  });
  const columns = ["changes", "reads", "refused", "time, s", "at least, s", "ratio", "in this order, s", "ratio", "wrong AMIs"];
  return table(["engine", "operation", ...columns], cells);
}

export function pacingTable(rows: readonly PacingRow[]): string {
  const cells = rows.map(({ way, seconds, leastSeconds, refused, failed }): Cell[] => [
    ...[way, seconds, leastSeconds, seconds / leastSeconds, refused, failed],
  ]);
  return table(["way", "time, s", "at least, s", "ratio", "refused calls", "failed calls"], cells);
}

export function auditTable(rows: readonly AuditRow[]): string {
  const cells = rows.map(({ amis, snapshotsEach, accountsEach, seconds, peakMegabytes, sizes, calls }): Cell[] => {
    const all = Object.values(calls).reduce((sum, count) => sum + count, 0);
    return [amis, snapshotsEach, accountsEach, all, seconds, peakMegabytes, sizes.html, sizes.markdown, sizes.json];
  });
  const columns = ["calls", "time, s", "peak of the memory, MB", "page, kB", "Markdown, kB", "JSON, kB"];
  return table(["AMIs", "snapshots each", "accounts each", ...columns], cells);
}

/** @param amounts snapshots of each set, and sets */
export function callTable(
  amounts: readonly (readonly [snapshots: number, sets: number])[],
  rows: readonly (readonly TableRow[])[],
): string {
  const [first = []] = rows;
  // Each element of `rows` has the same operations of the same engine in the same order.
  const cells = first.map(({ operation }, i): Cell[] => [
    operation,
    ...rows.map((all) => {
      const { modify = 0, attributes = 0, images = 0 } = all[i] ?? {};
      return `${modify} + ${attributes} + ${images}`;
    }),
  ]);
  const columns = amounts.map(([snapshots, sets]) => `${counted(sets, "set")}, ${counted(snapshots, "snapshot")}`);
  return table([first[0]?.engine ?? "", ...columns], cells);
}

export function weightTables({ ratios: all, peaks, size }: Weight): string {
  const rows = peaks.map(({ operation, sets, trivial }): Cell[] => [
    ...[operation, sets.program || undefined, trivial.program || undefined],
    ...[trivial.program > 0 ? sets.program / trivial.program : undefined, sets.provider, trivial.provider],
  ]);
  const columns = ["program", "trivial program", "ratio", "provider", "trivial provider"];
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
  const { packageBytes, installedBytes, packages } = size;
  return [
    startTable(all),
    table(["peak of the memory, MB: operation, sets", ...columns], rows),
    "–: no program runs.",
    `The package has ${megabytes(packageBytes)} MB. npm installs ${megabytes(installedBytes)} MB in ${counted(packages, "package")}.`,
  ].join("\n\n");
}

export function growthTable(rows: readonly GrowthRow[]): string {
  const cells = rows.map(({ command, accounts, seconds, program, provider }): Cell[] => [
    ...[command, accounts, seconds, program || undefined, provider],
  ]);
  return table(["one set of many accounts", "accounts", "time, s", "program, MB", "provider, MB"], cells);
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function least(task: Task, size: Size) {
  return sum(LEAST[OPERATIONS_OF[task].at(-1) ?? "create"](size) ?? {});
}

function table(columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const text = (cell: Cell) => (cell === undefined ? "–" : typeof cell === "number" ? String(rounded(cell)) : cell);
  const full = rows.map((row) => [...row, ...Array<Cell>(columns.length - row.length).fill(undefined)]);
  // Numbers are aligned to the right.
  const aligned = columns.map((_, i) => (full.every((row) => typeof row[i] !== "string") ? "---:" : "---"));
  return [line(columns), `|${aligned.join("|")}|`, ...full.map((row) => line(row.map(text)))].join("\n");
}

/** Rounds to three digits: more digits are noise. */
function rounded(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toPrecision(value >= 100 ? 3 : 2));
}
