/** The fault suite: every call of every operation of both engines, with every fault; `npm run faults` tries all, `npm test` a sample that is the same each time. */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { ROOT } from "../helpers/emulator";
import { BAD, OUTCOMES, type Outcome } from "./judge";
import {
  allCases,
  type Case,
  caseId,
  ENGINES,
  type EngineName,
  Lifecycle,
  learn,
  OPERATIONS,
  type Result,
  sampleOf,
} from "./scenarios";

/** `FAULTS=all`: every case. `FAULTS_ONLY="Terraform additive destroy empty-200"`: those whose names have all of these words, explained. */
const ONLY = process.env.FAULTS_ONLY?.split(" ").filter((word) => word !== "");
const ALL = process.env.FAULTS === "all" || ONLY !== undefined;
/** AMIs in one program. */
const MOST = 250;
const SEED = 20_240_229;

describe("with a fault at every call", function () {
  this.timeout(ALL ? 6 * 3_600_000 : 900_000);
  const results: Result[] = [];
  const rows = new Map<string, Map<Outcome, number>>();

  for (const engine of ENGINES)
    it(`${engine} never says what is not so, never changes what nobody asked it to, and leaves nobody behind`, async function () {
      if (ONLY?.some((word) => word !== engine && (ENGINES as readonly string[]).includes(word))) this.skip();
      const found = await tryAll(engine);
      results.push(...found);
      for (const { of, verdict } of found) count(`${of.engine} | ${of.operation}`, verdict.outcome);
      const unreached = found.filter(({ reached }) => !reached);
      assert.ok(unreached.length <= found.length / 20, `not reached: ${unreached.map(({ of }) => caseId(of)).join("\n")}`);
      report(found);
    });

  after(() => {
    if (rows.size === 0) return;
    const text = table(rows);
    console.log(text.replace(/^/gm, "      "));
    if (ONLY) return;
    fs.writeFileSync(
      path.join(ROOT, ".toolchain/faults.md"),
      `# Faults: ${results.length} cases, ${ALL ? "all" : "a sample"}\n\n${text}\n`,
    );
  });

  function count(row: string, outcome: Outcome): void {
    const counts = rows.get(row) ?? new Map<Outcome, number>();
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    rows.set(row, counts);
  }
});

async function tryAll(engine: EngineName): Promise<Result[]> {
  const cases = allCases(engine, await learn(engine));
  const chosen = ONLY ? cases.filter((one) => hasAll(caseId(one), ONLY)) : ALL ? cases : sampleOf(cases, SEED);
  const results: Result[] = [];
  for (const batch of evenly(chosen, MOST)) {
    const began = Date.now();
    const found = await new Lifecycle(engine, batch, ONLY ? console.log : undefined).results();
    results.push(...found);
    const bad = found.filter(({ verdict }) => BAD.includes(verdict.outcome)).length;
    const seconds = Math.round((Date.now() - began) / 1000);
    console.log(
      `      ${engine}: ${results.length} of ${chosen.length} cases, ${bad} bad in the last ${batch.length} (${seconds} s)`,
    );
  }
  return results;
}

/** Fails with a line for each bad case. */
function report(results: readonly Result[]): void {
  const bad = results.filter(({ verdict }) => BAD.includes(verdict.outcome));
  const lines = bad.map(
    ({ of, verdict, imageId }) => `${verdict.outcome}: ${caseId(of)}: ${verdict.why.replaceAll(imageId, "ami")}`,
  );
  for (const line of lines) console.log(`      ${line}`);
  assert.equal(lines.length, 0, `${lines.length} of ${results.length} cases are bad:\n${lines.slice(0, 20).join("\n")}`);
}

function table(rows: ReadonlyMap<string, ReadonlyMap<Outcome, number>>): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  return [
    line(["engine", "operation", ...OUTCOMES]),
    line(["---", "---", ...OUTCOMES.map(() => "---:")]),
    ...[...rows].map(([row, counts]) => line([row, ...OUTCOMES.map((outcome) => counts.get(outcome) ?? 0)])),
  ].join("\n");
}

function hasAll(id: string, words: readonly string[]): boolean {
  return words.every((word) => id.split(" ").some((part) => part === word || part.startsWith(word)));
}

/** Lists of about the same length, the cases of every operation in each. */
function evenly(cases: readonly Case[], most: number): Case[][] {
  const lists = Math.ceil(cases.length / most);
  const dealt: Case[][] = Array.from({ length: lists }, () => []);
  const sorted = OPERATIONS.flatMap((operation) => cases.filter((one) => one.operation === operation));
  for (const [i, one] of sorted.entries()) dealt[i % lists]?.push(one);
  return dealt;
}
