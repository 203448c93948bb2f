/** The benchmark: EC2 calls, times, and the files and the memory of the plugins. It prints tables, and exits with an error if a count is wrong. */

import { parseArgs } from "node:util";
import { type Bundle, measurePlugin, measureTerraform } from "./bundle";
import { type Counts, countCalls, type EngineName, expectedCount } from "./calls";
import { countTable, type TableRow } from "./callTable";
import { type FleetRow, runFleet } from "./fleet";
import { measureGrowth } from "./growth";
import { comparePacing } from "./pacing";
import { ANSIBLE, AWS_CLI, AWS_PROVIDER, LEAST, OPERATIONS, type Operation, type Size } from "./peers";
import { measureMemory, startTimes } from "./plugin";
import { coreTime, handshakeTime, planTimes, type Ratio } from "./times";
import { measureWeight, type PeakRow } from "./weight";

const HUNDRED: Size = { accounts: 100, snapshots: 2, added: 10, removed: 5 };
const THOUSAND: Size = { accounts: 1000, snapshots: 2, added: 0, removed: 0 };
const ENGINES: readonly EngineName[] = ["Pulumi", "plugin", "Terraform"];

type Row = Readonly<Record<string, string | number>>;

async function main(): Promise<void> {
  const { quick, fleet, calls, pacing, weight, engine } = parseArgs({
    options: {
      quick: { type: "boolean" },
      fleet: { type: "boolean" },
      calls: { type: "boolean" },
      pacing: { type: "boolean" },
      weight: { type: "boolean" },
      engine: { type: "string" },
    },
  }).values;
  const engines = ENGINES.filter((name) => engine === undefined || name === engine);
  if (fleet) return showFleet(engines);
  if (calls) return showCallTable(engines);
  if (pacing) return showPacing();
  if (weight) return showWeight(quick ? 1 : 9, quick ? 100 : 1000);
  const began = Date.now();
  console.log(`EC2 calls, counted at the local EC2 with the real CLIs; "describe" is every call that changes nothing.
"Pulumi" is the dynamic provider, "plugin" the full one.
A plan (a preview) and what it plans are counted apart; Terraform looks at EC2 before each plan and destroy, and plans again when it applies.
Other tools are computed from their source, not run: aws = terraform-provider-aws, at least; NaN: EC2 would refuse it.
"least" is what EC2 cannot be spared, without a look before or after a change.`);
  const hundred = await countBoth(HUNDRED, OPERATIONS);
  const thousand = await countBoth(THOUSAND, ["plan of the create", "create"]);

  console.log(`\nTime: medians of tasks that run in turn${quick ? "; --quick: too few rounds to lean on" : ""}.`);
  const times = [
    ...(await handshakeTime(quick ? 3 : 11)),
    ...(await startTimes(quick ? 3 : 11)),
    ...(await planTimes(quick ? 1 : 5)),
    ...(await coreTime(quick ? 11 : 31)),
  ];
  console.log(bundleWords("Terraform", "the handshake", await measureTerraform()));
  console.log(bundleWords("full Pulumi", "the first Check", await measurePlugin()));
  const { sets, atStart, made, again } = await measureMemory(quick ? 100 : 1000);
  console.log(`Memory of the full Pulumi provider: ${atStart} MB at the start, ${made} MB when it has made ${sets} sets of ${sets} AMIs,
${again} MB when it has checked and compared them once more.
`);
  console.log(
    "Ratios: of EC2 calls, how many times as many terraform-provider-aws needs as this provider; of time, in milliseconds.",
  );
  console.table(Object.fromEntries([...callRatios(HUNDRED, hundred), ...callRatios(THOUSAND, thousand), ...times.map(timeRow)]));
  console.log(`${Math.round((Date.now() - began) / 1000)} s`);
}

function bundleWords(which: string, start: string, { kilobytes, kilobytesGzipped, atStart, afterPlan }: Bundle): string {
  const loaded = ({ ran, ec2Client }: Bundle["atStart"]) =>
    `${percent(ran)} of it has run; EC2 client loaded: ${yesNo(ec2Client)}`;
  return `
The ${which} provider is one file of ${kilobytes} kB (${kilobytesGzipped} kB gzipped). By V8's coverage:
  by ${start}   ${loaded(atStart)}
  by the end of a plan   ${loaded(afterPlan)}
`;
}

/** Counts with all engines at once, each on its own local EC2. Prints the counts, and fails the run if one is wrong. */
async function countBoth(size: Size, operations: readonly Operation[]): Promise<Record<EngineName, Counts>> {
  const counting = ENGINES.map(async (engine) => [engine, await countCalls(engine, size, operations)] as const);
  const counts = Object.fromEntries(await Promise.all(counting)) as Record<EngineName, Counts>;
  const rows = operations.map((operation): [string, Row] => {
    const ours = ENGINES.flatMap((engine) =>
      Object.entries(counts[engine][operation] ?? {}).map(([kind, count]) => [`${engine} ${kind}`, count]),
    );
    const others = { least: LEAST, aws: AWS_PROVIDER, Ansible: ANSIBLE, "AWS CLI": AWS_CLI };
    const theirs = Object.entries(others).map(([name, formulas]) => [name, formulas[operation](size)]);
    return [operation, Object.fromEntries([...ours, ...theirs])];
  });
  const { accounts, snapshots, added, removed } = size;
  console.log(
    `\n${accounts} accounts, ${snapshots} snapshots${added + removed > 0 ? `; the update adds ${added}, removes ${removed}` : ""}`,
  );
  console.table(Object.fromEntries(rows));
  for (const engine of ENGINES)
    for (const operation of operations) {
      const [counted, expected] = [counts[engine][operation], expectedCount(engine, operation, size)];
      if (counted?.modify === expected.modify && counted.describe === expected.describe) continue;
      console.log(
        `WRONG: ${operation} by ${engine} should make ${expected.modify} modify and ${expected.describe} describe calls`,
      );
      process.exitCode = 1;
    }
  return counts;
}

/** Start, memory and size, beside a trivial dynamic resource. */
async function showWeight(rounds: number, many: number): Promise<void> {
  const { ratios, peaks, size } = await measureWeight(rounds, many);
  console.log(`Medians of ${rounds} rounds, in milliseconds`);
  console.table(Object.fromEntries(ratios.map(timeRow)));
  console.log(
    "Peak of the memory, in MB: of the program and of the dynamic provider, with sets and with trivial dynamic resources",
  );
  const row = ({ operation, sets, trivial }: PeakRow): [string, Row] => [
    operation,
    {
      program: sets.program,
      "trivial program": trivial.program,
      ratio: rounded(sets.program / trivial.program),
      provider: sets.provider,
      "trivial provider": trivial.provider,
    },
  ];
  console.table(Object.fromEntries(peaks.map(row)));
  const growth = await measureGrowth([1000, 5000]);
  console.log("Growth with the accounts of one set: seconds, and the peak of the memory in MB");
  console.table(
    Object.fromEntries(
      growth.map(({ command, accounts, seconds, program, provider }) => [
        `${command}, ${accounts}`,
        { seconds: rounded(seconds), program, provider },
      ]),
    ),
  );
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
  const { packageBytes, installedBytes, packages } = size;
  console.log(
    `The package has ${megabytes(packageBytes)} MB; npm installs ${megabytes(installedBytes)} MB in ${packages} packages.`,
  );
}

/** Many sets in one program, with each engine in turn. */
async function showFleet(engines: readonly EngineName[]): Promise<void> {
  const size = { sets: 200, accounts: 50, snapshots: 2 };
  console.log(`${size.sets} sets of ${size.accounts} accounts and ${size.snapshots} snapshots each, on a local EC2 with EC2's published limits.
"at least" is the time that the limits allow for these calls, in seconds; "ratio" is the time divided by it.`);
  for (const engine of engines) {
    const rows = await runFleet(engine, size, 1);
    console.table(Object.fromEntries(rows.map(fleetRow)));
    if (rows.some(({ wrong }) => wrong > 0)) process.exitCode = 1;
  }
}

/** Ways to keep to EC2's limit. */
async function showPacing(): Promise<void> {
  const calls = 600;
  console.log(`${calls} ModifySnapshotAttribute calls at once, on a local EC2 with EC2's published limit.`);
  const rows = await comparePacing(calls, 1);
  console.table(
    Object.fromEntries(
      rows.map(({ way, seconds, leastSeconds, refused, failed }) => [
        way,
        { seconds: rounded(seconds), "at least": rounded(leastSeconds), ratio: rounded(seconds / leastSeconds), refused, failed },
      ]),
    ),
  );
}

/** The calls of 1, 20 and 200 sets with 0, 1, 2 and 8 snapshots. */
async function showCallTable(engines: readonly EngineName[]): Promise<void> {
  const size = { accounts: 20, added: 2, removed: 1 };
  console.log(`EC2 calls for sets of ${size.accounts} accounts; the update adds ${size.added} and removes ${size.removed}.
"attributes" are the calls that read who has access. "images" are DescribeImages calls, which sets share: "alone" without sharing.`);
  for (const engine of engines)
    for (const snapshots of [0, 1, 2, 8])
      for (const sets of [1, 20, 200]) {
        const rows = await countTable(engine, Array(sets).fill(snapshots), size);
        console.log(
          `\n${engine}: ${sets} ${sets === 1 ? "set" : "sets"}, ${snapshots} ${snapshots === 1 ? "snapshot" : "snapshots"} each`,
        );
        console.table(Object.fromEntries(rows.map(tableRow)));
        if (rows.some(({ wrong, others }) => wrong.length + others.length > 0)) process.exitCode = 1;
      }
}

function tableRow({ operation, modify, attributes, images, imagesAlone, others, wrong }: TableRow): [string, Row] {
  return [operation, { modify, attributes, images, alone: imagesAlone, others: others.length, "wrong sets": wrong.length }];
}

function fleetRow({ engine, operation, modify, describe, refused, seconds, leastSeconds, wrong }: FleetRow): [string, Row] {
  const ratio = leastSeconds === 0 ? Number.NaN : rounded(seconds / leastSeconds);
  const row = {
    modify,
    describe,
    refused,
    seconds: rounded(seconds),
    "at least": rounded(leastSeconds),
    ratio,
    "wrong AMIs": wrong,
  };
  return [`${engine} ${operation}`, row];
}

function callRatios(size: Size, { Terraform }: Record<EngineName, Counts>): [string, Row][] {
  return OPERATIONS.flatMap((operation): [string, Row][] => {
    const { modify, describe } = Terraform[operation] ?? { modify: 0, describe: 0 };
    const [theirs, ours] = [AWS_PROVIDER[operation](size), modify + describe];
    if (theirs === 0 || ours === 0) return [];
    const row = { ratio: rounded(theirs / ours), dividend: theirs, divisor: ours };
    return [[`EC2 calls, ${operation}, ${size.accounts} accounts: aws ÷ this provider`, row]];
  });
}

function timeRow({ name, dividend, divisor, atMost }: Ratio): [string, Row] {
  const row = { ratio: rounded(dividend / divisor), dividend: rounded(dividend), divisor: rounded(divisor) };
  return [name, atMost === undefined ? row : { ...row, "at most": atMost }];
}

/** Rounds to three digits: more digits are noise. */
function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

function percent(part: number): string {
  return `${Math.round(part * 100)} %`;
}

function yesNo(answer: boolean): string {
  return answer ? "yes" : "no";
}

main().catch((error: Error) => {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
});
