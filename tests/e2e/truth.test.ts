/** The preview tells the truth: what random plans and reports said is what their applies then did, counted and printed. */

import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import {
  AmiSharingError,
  callsOf,
  decodeDeclaredSet,
  ec2Gateway,
  entriesOf,
  type Gateway,
  IncompleteChangeError,
  type PermissionSet,
  type Permissions,
  type Plan,
  permissionSetOf,
  planChange,
  type Recorded,
  reconcile,
} from "../../provider/core";
import { batches } from "../../provider/core/batches";
import { type Call, type MadeImage, useEmulator } from "../helpers/emulator";
import { argumentsOf, type Case, makeImages, OWNER, pairsOf, permissionsOf, REGIONS, sharingCase } from "../helpers/sharingCases";
import { runs } from "../properties/runs";

const PATIENCE = { timeout: 5, minDelay: 0.05, maxDelay: 0.2, absencePause: 0 };

describe("the truth of plans: core and gateway against the emulator", function () {
  this.timeout(1_200_000);
  const emulator = useEmulator();

  it("of random cases, says what the apply does, or names what it cannot know", async () => {
    const seed = Number(process.env.FC_SEED ?? Date.now() % 1_000_000);
    const cases = fc.sample(sharingCase, { numRuns: runs(1000).numRuns, seed });
    const images = await makeImages(emulator(), cases);
    await emulator().aws(
      ...["ec2", "enable-image-block-public-access", "--image-block-public-access-state", "block-new-sharing"],
      ...["--region", REGIONS[1]],
    );
    await emulator().aws("ec2", "enable-snapshot-block-public-access", "--state", "block-new-sharing", "--region", REGIONS[1]);
    const gateways = Object.fromEntries(REGIONS.map((region) => [region, gatewayTo(emulator().url, region)]));

    const planned = await each(cases, async (one, i) => {
      const image = images[i] as MadeImage;
      const set = setOf(argumentsOf(one.desired, image));
      const recorded = recordOf(one, image);
      return { one, image, set, recorded, plan: await planChange(gateways[one.region] as Gateway, set, recorded) };
    });
    assert.deepEqual(await emulator().modifications(), [], "a plan changes nothing");
    await emulator().forgetCalls();

    const outcomes = await each(planned, async ({ one, set, recorded }) =>
      reconcile(gateways[one.region] as Gateway, set, recorded, PATIENCE).then(
        () => undefined,
        (error: Error) => error,
      ),
    );
    const calls = await emulator().calls();
    const after = new Set(await emulator().pairs(images));

    const wrong: string[] = [];
    const tally = { refused: 0, unchanged: 0, changed: 0, calls: 0 };
    for (const [i, { one, image, plan }] of planned.entries()) {
      const problem = disagreement(one, image, plan, outcomes[i], calls, after);
      if (problem) wrong.push(`case ${i}: ${problem}\n${JSON.stringify(one)}`);
      if (plan.refusals.length > 0) tally.refused += 1;
      else if (plan.phases.length > 0) tally.changed += 1;
      else tally.unchanged += 1;
      tally.calls += plan.refusals.length > 0 ? 0 : sum(callsOf(plan.phases).values());
    }
    console.log(
      `      truth of plans: ${cases.length - wrong.length} of ${cases.length} agree with what the apply did (${tally.changed} changed by ${tally.calls} calls, ${tally.unchanged} unchanged, ${tally.refused} refused; FC_SEED=${seed})`,
    );
    assert.deepEqual(wrong.slice(0, 3), []);
    assert.ok(Math.min(tally.refused, tally.unchanged, tally.changed) > cases.length / 100, "every outcome is among the cases");
  });
});

/** What a plan said that the apply did not do; undefined where they agree. */
function disagreement(
  one: Case,
  image: MadeImage,
  plan: Plan,
  outcome: Error | undefined,
  calls: readonly Call[],
  after: ReadonlySet<string>,
): string | undefined {
  const resources = [image.imageId, ...image.snapshotIds];
  const before = pairsOf(image.imageId, permissionsOf(one.live, image));
  const [refusal] = plan.refusals;
  const change = refusal ? { add: NONE, remove: NONE } : { add: plan.gaining, remove: plan.losing };
  const removed = new Set(pairsOf(image.imageId, change.remove));
  const expected = [...before.filter((pair) => !removed.has(pair)), ...pairsOf(image.imageId, change.add)].sort();
  const found = [...after].filter((pair) => resources.includes(pair.split(" ")[0] as string)).sort();
  if (String(found) !== String(expected)) return `EC2 has ${found}, the plan said ${expected}`;
  const mine = calls.filter(({ action, resource }) => resources.includes(resource) && action.startsWith("Modify"));
  const counted = new Map<string, number>();
  for (const { action } of mine) counted.set(action, (counted.get(action) ?? 0) + 1);
  const foretold = refusal ? new Map() : callsOf(plan.phases);
  if (String([...counted].sort()) !== String([...foretold].sort()))
    return `calls ${[...counted]}, the plan said ${[...foretold]}`;
  if (refusal) {
    if (!(outcome instanceof AmiSharingError) || outcome.code !== refusal.code)
      return `refused with ${outcome}, the plan said ${refusal}`;
  } else if (outcome) {
    const reason = outcome instanceof IncompleteChangeError ? outcome.reason : outcome;
    return `failed with ${reason}, and the plan knew of nothing`;
  }
  return unexplained(image, plan, change, new Set(before));
}

/** Whether the report tells of every change, and of everything that a diff with the record shows and EC2 does not do. */
function unexplained(
  image: MadeImage,
  plan: Plan,
  change: { add: Permissions; remove: Permissions },
  before: ReadonlySet<string>,
) {
  const told = (sign: string) =>
    new Set(entriesOf(plan).flatMap((entry) => (entry.sign === sign ? pairsOf(image.imageId, entry.permissions) : [])));
  const [gained, lost, same] = [told("+"), told("-"), told("=")];
  if (plan.refusals.length === 0) {
    if (String([...gained].sort()) !== String(pairsOf(image.imageId, change.add)))
      return `the report says that ${[...gained]} are gained`;
    if (String([...lost].sort()) !== String(pairsOf(image.imageId, change.remove)))
      return `the report says that ${[...lost]} are lost`;
  }
  const recorded = new Set(plan.recorded ? pairsOf(image.imageId, plan.recorded.live) : []);
  const target = new Set(pairsOf(image.imageId, plan.target));
  const silent = [
    ...[...target].filter((pair) => !recorded.has(pair) && before.has(pair) && !same.has(pair)),
    ...[...recorded].filter((pair) => !target.has(pair) && !lost.has(pair) && !same.has(pair)),
  ];
  return silent.length > 0 ? `a diff shows ${silent}, which neither changes nor is told` : undefined;
}

const NONE: Permissions = { launch: new Set(), createVolume: new Map() };

function recordOf({ recorded, granted }: Case, image: MadeImage): Recorded | undefined {
  return (
    recorded && {
      region: image.region,
      ownerId: OWNER,
      snapshotIds: image.snapshotIds,
      live: permissionsOf(recorded, image),
      granted: permissionsOf(granted, image),
    }
  );
}

function setOf(args: Record<string, unknown>): PermissionSet {
  const decoded = decodeDeclaredSet(args);
  assert.ok("declared" in decoded, JSON.stringify(decoded));
  return permissionSetOf(decoded.declared) ?? assert.fail("not known");
}

function gatewayTo(endpoint: string, region: string): Gateway {
  return ec2Gateway({ endpoint, region, credentials: { accessKeyId: "AKIATESTTESTTESTTEST", secretAccessKey: "test" } });
}

async function each<Item, Result>(items: readonly Item[], work: (item: Item, i: number) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (const batch of batches([...items.entries()], 8))
    results.push(...(await Promise.all(batch.map(([i, item]) => work(item, i)))));
  return results;
}

function sum(numbers: Iterable<number>): number {
  return [...numbers].reduce((total, number) => total + number, 0);
}
