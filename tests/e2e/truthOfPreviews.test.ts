/** The preview tells the truth, through the real engine: random sets in one program, and what its diff and reports said of them. */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import * as fc from "fast-check";
import { decodeGrants, ec2Gateway, type Gateway, type Grants } from "../../provider/core";
import { batches } from "../../provider/core/batches";
import { type Call, type MadeImage, useEmulator } from "../helpers/emulator";
import { PulumiProject } from "../helpers/pulumiProject";
import { argumentsOf, type Case, makeImages, pairsOf, permissionsOf, REGIONS, sharingCase } from "../helpers/sharingCases";
import { runs } from "../properties/runs";

/** What the engine's event log tells of one resource in one operation. */
interface Told {
  readonly operation: string;
  /** The grants before and after, as the diff shows them. */
  readonly old: Grants;
  readonly new: Grants;
  readonly reports: readonly string[];
}

describe("the truth of previews, through the real engine", function () {
  this.timeout(1_200_000);
  const emulator = useEmulator();
  let project: PulumiProject;
  before(async () => {
    // From a file: the engine hands config on in the environment, which hundreds of sets do not fit into.
    const program = `
      import * as fs from "node:fs";
      import { AmiLaunchPermissionSet } from "ami-launch-permissions";
      for (const { name, ...args } of JSON.parse(fs.readFileSync("sets.json", "utf8"))) new AmiLaunchPermissionSet(name, args);
    `;
    project = await PulumiProject.create(emulator(), { program, env: { PULUMI_DEBUG_COMMANDS: "true" } });
  });
  after(() => project.remove());

  it("of hundreds of sets, says what the up does", async () => {
    const seed = Number(process.env.FC_SEED ?? Date.now() % 1_000_000);
    const cases = fc.sample(sharingCase, { numRuns: runs(300).numRuns, seed });
    const images = await makeImages(emulator(), cases);
    const setsOf = (which: "previous" | "desired", taking: (one: Case) => boolean) =>
      cases.flatMap((one, i) => {
        const image = images[i] as MadeImage;
        const { maxRevocations, ...args } = argumentsOf(one[which], image);
        // What exceeds the limit by the record alone is refused by the check, which ends a program at once.
        const limit = one.recorded || maxRevocations === undefined ? {} : { maxRevocations };
        return taking(one) ? [{ name: image.imageId, ...args, ...limit }] : [];
      });

    // What is recorded comes from ups of the engine itself; those without a record are created later.
    declare(setsOf("previous", ({ recorded }) => recorded !== undefined));
    await project.run("up", "--yes", "--skip-preview", "--continue-on-error");
    await drift(cases, images);
    for (const call of [
      ["enable-image-block-public-access", "--image-block-public-access-state", "block-new-sharing"],
      ["enable-snapshot-block-public-access", "--state", "block-new-sharing"],
    ])
      await emulator().aws("ec2", ...call, "--region", REGIONS[1]);

    const before = await emulator().pairs(images);
    declare(setsOf("desired", () => true));
    await emulator().forgetCalls();
    const previewed = await events(cases.length, "preview");
    assert.deepEqual(await emulator().modifications(), [], "a preview changes nothing");
    await emulator().forgetCalls();
    const done = await events(0, "up", "--yes", "--skip-preview", "--continue-on-error");
    const calls = await emulator().calls();
    const after = await emulator().pairs(images);

    const wrong: string[] = [];
    const tally: Record<string, number> = {};
    for (const [i, image] of images.entries()) {
      const told = previewed.get(image.imageId) ?? assert.fail(`${image.imageId} is not in the preview`);
      const outcome = done.get(image.imageId);
      const mine = (pairs: readonly string[]) =>
        pairs.filter((pair) => [image.imageId, ...image.snapshotIds].includes(pair.split(" ")[0] as string));
      const problem = disagreement(image, told, outcome?.reports ?? [], mine(before), mine(after), calls);
      if (problem)
        wrong.push(`set ${i}: ${problem}\n${told.reports.join("\n")}\n${JSON.stringify({ told, outcome, case: cases[i] })}`);
      const kind = told.reports.some((text) => text.includes("will fail: ")) ? "refused" : told.operation;
      tally[kind] = (tally[kind] ?? 0) + 1;
    }
    console.log(
      `      truth of previews: ${cases.length - wrong.length} of ${cases.length} sets agree with what the up did (${Object.entries(
        tally,
      )
        .map(([kind, count]) => `${count} ${kind}`)
        .join(", ")}; FC_SEED=${seed})`,
    );
    assert.deepEqual(wrong.slice(0, 3), []);
    for (const kind of ["create", "update", "same", "refused"]) assert.ok((tally[kind] ?? 0) > 5, `${kind} is among the cases`);
  });

  /** The sets of the program; each is named like its image. */
  function declare(sets: readonly Record<string, unknown>[]): void {
    fs.writeFileSync(path.join(project.folder, "sets.json"), JSON.stringify(sets));
  }

  /** Makes live what the cases say, as somebody else would, where something is recorded already. */
  async function drift(cases: readonly Case[], images: readonly MadeImage[]): Promise<void> {
    const gateways = Object.fromEntries(REGIONS.map((region) => [region, gatewayTo(emulator().url, region)]));
    const now = await emulator().pairs(images);
    // Half of the sets drift, the others are as their up left them.
    const drifting = images
      .map((image, i) => ({ image, one: cases[i] as Case }))
      .filter(({ one }, i) => one.recorded && i % 2 === 0);
    for (const batch of batches(drifting, 8))
      await Promise.all(
        batch.map(async ({ image, one }) => {
          const live = permissionsOf(one.live, image);
          const has = (resource: string) =>
            now.filter((pair) => pair.startsWith(`${resource} `)).map((pair) => pair.split(" ")[1] as string);
          const gateway = gateways[image.region] as Gateway;
          const there = has(image.imageId);
          const [add, remove] = [
            [...live.launch].filter((key) => !there.includes(key)),
            there.filter((key) => !live.launch.has(key)),
          ];
          // What EC2 would refuse cannot drift either.
          await gateway.changeLaunchPermissions(image.imageId, { add, remove }).catch(() => undefined);
        }),
      );
  }

  /** Runs the CLI; gives back what the engine's events tell of each set, by its name. */
  async function events(expected: number, ...command: string[]): Promise<Map<string, Told>> {
    const log = path.join(project.folder, `${command[0]}.events`);
    const { output } = await project.run(...command, "--event-log", log);
    const found = new Map<string, { operation: string; old: Grants; new: Grants; reports: string[] }>();
    const about = (urn: string) => {
      const name = urn.split("::").at(-1) as string;
      const told = found.get(name) ?? { operation: "none", old: {}, new: {}, reports: [] };
      found.set(name, told);
      return told;
    };
    for (const line of fs.readFileSync(log, "utf8").trim().split("\n")) {
      const { resourcePreEvent, diagnosticEvent } = JSON.parse(line);
      const { metadata } = resourcePreEvent ?? {};
      if (metadata?.type?.endsWith(":AmiLaunchPermissionSet")) {
        const told = about(metadata.urn);
        told.operation = metadata.op;
        told.old = metadata.old?.inputs?.grants ?? {};
        told.new = metadata.new?.inputs?.grants ?? {};
      }
      if (diagnosticEvent?.urn?.includes(":AmiLaunchPermissionSet::"))
        about(diagnosticEvent.urn).reports.push(diagnosticEvent.message.replace(/<\{%[^%]*%\}>/g, ""));
    }
    if (found.size < expected) assert.fail(`only ${found.size} sets in the ${command[0]}: ${output.slice(-4000)}`);
    return found;
  }
});

/** What the preview said that the up did not do; undefined where they agree. */
function disagreement(
  image: MadeImage,
  told: Told,
  done: readonly string[],
  before: readonly string[],
  after: readonly string[],
  calls: readonly Call[],
): string | undefined {
  const gained = after.filter((pair) => !before.includes(pair));
  const lost = before.filter((pair) => !after.includes(pair));
  const [report, ...others] = told.reports.map(readReport);
  if (others.length > 0) return "it is reported more than once";
  const sent = calls.filter(
    ({ action, resource }) => action.startsWith("Modify") && [image.imageId, ...image.snapshotIds].includes(resource),
  );
  if (told.operation === "same") {
    if (report) return "nothing changes, and something is reported";
    return gained.length + lost.length + sent.length > 0
      ? `${gained} gained, ${lost} lost, and the preview said nothing`
      : undefined;
  }
  if (!report) return "nothing is reported";
  const refusals = told.reports.join("\n").includes("will fail: ");
  if (refusals) {
    if (gained.length + lost.length + sent.length > 0) return `${gained} gained, ${lost} lost though it was to fail`;
    const code = /\[([a-z-]+)\]/.exec(told.reports.join(" "))?.[1];
    return done.some((text) => text.includes(`[${code}]`)) ? undefined : `it was to fail with ${code}`;
  }
  const pairs = (sign: string) =>
    [...new Set(report.lines.flatMap((line) => (line.sign === sign ? pairsIn(image, line.grants) : [])))].sort();
  if (String(pairs("+")) !== String(gained)) return `${gained} were gained`;
  if (String(pairs("-")) !== String(lost)) return `${lost} were lost`;
  const sum = new Map<string, number>();
  for (const { action } of sent) sum.set(action, (sum.get(action) ?? 0) + 1);
  const text =
    [...sum]
      .map(([action, count]) => `${count} ${action}`)
      .sort()
      .join(", ") || "none";
  if (report.calls.split(", ").sort().join(", ") !== text) return `the calls were ${text}`;
  const [after_] = done.map(readReport);
  if (JSON.stringify(after_?.lines) !== JSON.stringify(report.lines)) return `the up reports otherwise: ${done}`;
  return silent(image, told, new Set(["+", "-", "="].flatMap(pairs)));
}

/** What the engine's diff shows as gained or lost and the report does not tell of. */
function silent(image: MadeImage, told: Told, reported: ReadonlySet<string>): string | undefined {
  const [old, now] = [pairsIn(image, told.old), pairsIn(image, told.new)];
  const shown = [...old.filter((pair) => !now.includes(pair)), ...now.filter((pair) => !old.includes(pair))];
  const untold = shown.filter((pair) => !reported.has(pair));
  return untold.length > 0 ? `the diff shows ${untold}, and the report does not tell of it` : undefined;
}

interface Report {
  readonly lines: readonly { readonly sign: string; readonly grants: Grants }[];
  readonly calls: string;
}

/** Reads a report's lines as a person would; wrapped ones are joined first. */
function readReport(text: string): Report {
  const lines = text
    .trim()
    .replace(/\n {6,}/g, " ")
    .split("\n")
    .map((line) => line.trim());
  return {
    lines: lines.flatMap((line) => {
      const [, sign, words, keys] = /^([-+=]) (.*?) \([^)]*\): (.*)$/.exec(line) ?? [];
      if (!sign || !words || !keys) return [];
      assert.doesNotMatch(keys, / more$/);
      return [{ sign, grants: Object.fromEntries(keys.split(", ").map((key) => [key, words])) }];
    }),
    calls: lines.find((line) => line.startsWith("calls: "))?.slice("calls: ".length) ?? "",
  };
}

function pairsIn({ imageId, snapshotIds }: MadeImage, grants: Grants): string[] {
  return pairsOf(imageId, decodeGrants(grants, snapshotIds));
}

function gatewayTo(endpoint: string, region: string): Gateway {
  return ec2Gateway({ endpoint, region, credentials: { accessKeyId: "AKIATESTTESTTESTTEST", secretAccessKey: "test" } });
}
