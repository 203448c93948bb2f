/** The benchmark. It runs its parts, prints their tables, and with `--write` puts them into docs/bench.md. It fails if a number of calls is wrong. */

import { writeFileSync } from "node:fs";
import * as os from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { writeParts } from "../../scripts/parts";
import { ROOT } from "../helpers/emulator";
import { type Axis, charts, measureAmounts } from "./amounts";
import { measureAudit } from "./audit";
import { measurePlugin, measureTerraform } from "./bundle";
import type { EngineName } from "./calls";
import { countTable, type TableRow } from "./callTable";
import { compare } from "./compare";
import { type FleetRow, runFleet } from "./fleet";
import { measureGrowth } from "./growth";
import { comparePacing } from "./pacing";
import type { Size } from "./peers";
import { draw } from "./plot";
import { measureMemory, startTimes } from "./plugin";
import {
  amountsTable,
  auditTable,
  beforeAndAfter,
  bundleTable,
  callTable,
  comparison,
  fleetTable,
  growthTable,
  memoryWords,
  pacingTable,
  ratios,
  startTable,
  weightTables,
  wrongCalls,
} from "./report";
import { coreTime, handshakeTime, planTimes } from "./times";
import { measureWeight } from "./weight";

const SIZE: Size = { accounts: 100, snapshots: 2, added: 10, removed: 5 };
const FLEET = { sets: 200, accounts: 50, snapshots: 2 };

const ENGINES: readonly EngineName[] = ["Pulumi", "plugin", "Terraform"];

interface Choice {
  readonly rounds: number;
  readonly quick: boolean;
  /** Only of the parts `calls` and `fleet`. */
  readonly engines: readonly EngineName[];
}

/** Texts for docs/bench.md by the name of their place there, and pictures by their name in docs. */
interface Result {
  readonly texts: Readonly<Record<string, string>>;
  readonly pictures?: Readonly<Record<string, string>>;
}

const PARTS: Readonly<Record<string, (choice: Choice) => Promise<Result>>> = {
  async peers({ rounds }) {
    const latencies = [0, 0.1];
    const measured = await compare({ size: SIZE, rounds, latencies }, say);
    for (const words of wrongCalls(SIZE, measured)) fail(words);
    return {
      texts: {
        before: beforeAndAfter(SIZE, measured),
        peers: comparison(SIZE, latencies, measured),
        ratios: ratios(SIZE, latencies, measured),
      },
    };
  },

  async growth({ quick }) {
    const results: Result[] = [];
    for (const axis of ["accounts", "snapshots", "sets"] satisfies Axis[]) {
      const grown = await measureAmounts(axis, quick ? 20 : Number.POSITIVE_INFINITY, say);
      results.push({
        texts: { [axis]: amountsTable(axis, grown) },
        pictures: { [`bench-${axis}.svg`]: draw(`Growth with the number of ${axis}`, charts(axis, grown)) },
      });
    }
    const merged = <Key extends "texts" | "pictures">(key: Key) => Object.assign({}, ...results.map((result) => result[key]));
    return { texts: merged("texts"), pictures: merged("pictures") };
  },

  async start({ quick }) {
    const many = quick ? 3 : 11;
    const times = [
      ...(await handshakeTime(many)),
      ...(await startTimes(many)),
      ...(await planTimes(quick ? 1 : 5)),
      ...(await coreTime(quick ? 11 : 31)),
    ];
    const bundles = { Terraform: await measureTerraform(), "full Pulumi": await measurePlugin() };
    const memory = await measureMemory(quick ? 100 : 1000);
    return { texts: { start: [startTable(times), bundleTable(bundles), memoryWords(memory)].join("\n\n") } };
  },

  async calls({ engines, quick }) {
    const size = { accounts: 20, added: 2, removed: 1 };
    const amounts = [1, ...(quick ? [] : [20, 200])].flatMap((sets) =>
      [0, 1, 2, 8].map((snapshots) => [snapshots, sets] as const),
    );
    const tables: string[] = [];
    for (const engine of engines) {
      const all: TableRow[][] = [];
      for (const [snapshots, sets] of amounts) {
        const rows = await countTable(engine, Array(sets).fill(snapshots), size);
        for (const { operation, wrong, others } of rows)
          for (const words of [...wrong, ...others]) fail(`WRONG: ${operation}, ${engine}, ${sets} sets: ${words}`);
        all.push(rows);
        say(`${engine}: ${sets} sets, ${snapshots} snapshots each`);
      }
      tables.push(callTable(amounts, all));
    }
    return { texts: { calls: tables.join("\n\n") } };
  },

  async pacing() {
    return { texts: { pacing: pacingTable(await comparePacing(600, 1)) } };
  },

  async weight({ quick }) {
    const weight = await measureWeight(quick ? 1 : 9, quick ? 100 : 1000);
    const growth = await measureGrowth(quick ? [10, 20] : [1000, 5000]);
    return { texts: { weight: [weightTables(weight), growthTable(growth)].join("\n\n") } };
  },

  async audit({ quick }) {
    const rows = [];
    for (const amis of quick ? [10] : [100, 1000]) rows.push(await measureAudit(amis));
    return { texts: { audit: auditTable(rows) } };
  },

  async fleet({ engines }) {
    const rows: FleetRow[] = [];
    for (const engine of engines) {
      rows.push(...(await runFleet(engine, FLEET, 1)));
      say(`${engine}: done`);
    }
    for (const { engine, operation, wrong } of rows) if (wrong > 0) fail(`WRONG: ${operation}, ${engine}: ${wrong} AMIs`);
    return { texts: { fleet: fleetTable(rows) } };
  },
};
const DEFAULT = ["peers", "growth", "start"];
/** These take long, and run only if they are named: `--fleet` is short for `--part fleet`. */
const NAMED = Object.keys(PARTS).filter((name) => !DEFAULT.includes(name));

const began = Date.now();

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      part: { type: "string" },
      ...Object.fromEntries(NAMED.map((name) => [name, { type: "boolean" } as const])),
      engine: { type: "string" },
      rounds: { type: "string" },
      quick: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
    },
  });
  const named = NAMED.filter((name) => name in values);
  const names = values.part?.split(",") ?? (named.length > 0 ? named : DEFAULT);
  const engines = ENGINES.filter((name) => values.engine === undefined || name === values.engine);
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 2));
  const unknown = names.filter((name) => !(name in PARTS));
  if (unknown.length > 0) throw new Error(`unknown part: ${unknown.join(", ")}; there are: ${Object.keys(PARTS).join(", ")}`);
  if (engines.length === 0) throw new Error(`unknown engine: ${values.engine}; there are: ${ENGINES.join(", ")}`);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds ${values.rounds} is not a number of rounds`);
  for (const name of names) {
    say(`part ${name}`);
    const before = load();
    const { texts: tables, pictures = {} } = (await PARTS[name]?.({ rounds, quick: values.quick, engines })) ?? { texts: {} };
    const [last = "", table = ""] = Object.entries(tables).at(-1) ?? [];
    const texts = { ...tables, [last]: `${table}\n\n${circumstances(before)}` };
    for (const text of Object.values(texts)) console.log(`\n${text}`);
    if (!values.write) continue;
    writeParts({ "docs/bench.md": texts }, () => "npm run bench -- --write writes it", false);
    for (const [file, picture] of Object.entries(pictures)) writeFileSync(join(ROOT, "docs", file), picture);
  }
  say("done");
}

/** What the times depend on, so that readers can tell a busy machine. */
function circumstances(before: string): string {
  const day = new Date().toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" });
  const machine = `Node.js ${process.versions.node} on ${os.availableParallelism()} CPUs`;
  return `Measured on ${day} with ${machine}; load average ${before} before, ${load()} after.`;
}

function load(): string {
  return (os.loadavg()[0] ?? 0).toFixed(1);
}

/** Progress, on standard error. */
function say(text: string): void {
  console.error(`[${Math.round((Date.now() - began) / 1000)} s] ${text}`);
}

function fail(words: string): void {
  console.log(words);
  process.exitCode = 1;
}

main().catch((error: Error) => {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
});
