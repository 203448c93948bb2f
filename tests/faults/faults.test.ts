/** The fault suite: every call of every operation of both engines, with every fault. `npm run faults` runs all cases; `npm test` always runs the same sample. */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { ROOT } from "../helpers/emulator";
import { BAD, OUTCOMES, type Outcome, type Verdict } from "./judge";
import { tryKills, VICTIMS } from "./kills";
import { allCases, type Case, caseId, ENGINES, type EngineName, Lifecycle, learn, OPERATIONS, sampleOf } from "./scenarios";

/**
 * `FAULTS=all`: every case.
 * `FAULTS_ONLY="Terraform additive destroy empty-200"`: the cases whose names contain all of these words (or words that start with them),
 * with details.
 */
const ONLY = process.env.FAULTS_ONLY?.split(" ").filter((word) => word !== "");
const ALL = process.env.FAULTS === "all" || ONLY !== undefined;
/** The maximum number of AMIs in one program. */
const MOST = 250;
const SEED = 20_240_229;

/** The result of one case, of any kind. */
interface Found {
  readonly id: string;
  readonly row: string;
  readonly verdict: Verdict;
}

describe("faults at every call", function () {
  this.timeout(ALL ? 6 * 3_600_000 : 900_000);
  const engines = ENGINES.filter((engine) => !ONLY?.some((word) => word !== engine && ENGINES.some((other) => other === word)));
  const running = new Map<EngineName, Promise<Found[]>>();
  const found: Found[] = [];
  before(() => {
    // A run mostly waits, so both engines run at the same time.
    for (const engine of engines) {
      const trying = tryAll(engine);
      trying.catch(() => undefined);
      running.set(engine, trying);
    }
  });

  for (const engine of engines)
    it(`${engine} reports nothing wrong, makes no change that was not asked for, and leaves no access`, async () => {
      const own = (await running.get(engine)) ?? [];
      found.push(...own);
      refuseBad(own);
    });

  after(() => {
    if (found.length === 0) return;
    const text = table(found);
    console.log(text.replace(/^/gm, "      "));
    const title = `# Faults: ${found.length} cases, ${ALL ? "all" : `a sample (seed ${SEED})`}`;
    if (!ONLY) fs.writeFileSync(path.join(ROOT, ".toolchain/faults.md"), `${title}\n\n${text}\n`);
  });
});

async function tryAll(engine: EngineName): Promise<Found[]> {
  const learned = await learn(engine);
  const cases = allCases(engine, learned);
  const chosen = ONLY ? cases.filter((one) => hasAll(caseId(one), ONLY)) : ALL ? cases : sampleOf(cases, SEED);
  const found: Found[] = [];
  const add = (what: string, began: number, more: readonly Found[]) => {
    found.push(...more);
    const bad = more.filter(isBad).length;
    console.log(`      ${engine}: ${what}, ${bad} bad of ${more.length} (${Math.round((Date.now() - began) / 1000)} s)`);
  };
  let unreached = 0;
  for (const batch of evenly(chosen, MOST)) {
    const began = Date.now();
    const results = await new Lifecycle(engine, batch, ONLY ? console.log : undefined).results();
    unreached += results.filter(({ reached }) => !reached).length;
    const more = results.map(({ of, verdict, imageId }) => {
      const why = verdict.why.replaceAll(imageId, "ami");
      return { id: caseId(of), row: `${engine} | ${of.operation}`, verdict: { ...verdict, why } };
    });
    add(`${found.length + more.length} of ${chosen.length} cases`, began, more);
  }
  assert.ok(unreached <= chosen.length / 20, `${unreached} of ${chosen.length} faults were never injected`);
  // The sample kills one of the two for each engine.
  const victims = ALL ? VICTIMS : VICTIMS.filter((victim) => victim === (engine === "Pulumi" ? "provider" : "engine"));
  for (const victim of victims) {
    if (ONLY && !hasAll(`${engine} kill ${victim}`, ONLY)) continue;
    const began = Date.now();
    const killed = await tryKills(engine, victim, learned);
    add(
      `the ${victim} killed`,
      began,
      killed.map(({ id, verdict }) => ({ id, row: `${engine} | kill of the ${victim}`, verdict })),
    );
  }
  return found;
}

function isBad({ verdict }: Found): boolean {
  return BAD.includes(verdict.outcome);
}

/** Fails with a line for each bad case. */
function refuseBad(found: readonly Found[]): void {
  const lines = found.filter(isBad).map(({ id, verdict }) => `${verdict.outcome}: ${id}: ${verdict.why}`);
  for (const line of lines) console.log(`      ${line}`);
  assert.equal(lines.length, 0, `${lines.length} of ${found.length} cases are bad:\n${lines.slice(0, 20).join("\n")}`);
}

function table(found: readonly Found[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  const count = (row: string, outcome: Outcome) =>
    found.filter((one) => one.row === row && one.verdict.outcome === outcome).length;
  return [
    line(["engine", "operation", ...OUTCOMES]),
    line(["---", "---", ...OUTCOMES.map(() => "---:")]),
    ...[...new Set(found.map(({ row }) => row))].map((row) => line([row, ...OUTCOMES.map((outcome) => count(row, outcome))])),
  ].join("\n");
}

function hasAll(id: string, words: readonly string[]): boolean {
  return words.every((word) => id.split(" ").some((part) => part === word || part.startsWith(word)));
}

/** Splits the cases into lists of about the same length. Each list has cases of every operation. */
function evenly(cases: readonly Case[], most: number): Case[][] {
  const lists = Math.ceil(cases.length / most);
  const dealt: Case[][] = Array.from({ length: lists }, () => []);
  const sorted = OPERATIONS.flatMap((operation) => cases.filter((one) => one.operation === operation));
  for (const [i, one] of sorted.entries()) dealt[i % lists]?.push(one);
  return dealt;
}
