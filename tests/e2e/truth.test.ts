/** Compares random plans and reports with what their applies then did, and prints the counts. */

import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import {
  AmiSharingError,
  accountKey,
  callsOf,
  decodeDeclaredSet,
  ec2Gateway,
  entriesOf,
  type Gateway,
  granteesOf,
  IncompleteChangeError,
  managedSnapshots,
  type OwnKeyGrant,
  type PermissionSet,
  type Permissions,
  type Plan,
  PUBLIC,
  permissionSetOf,
  planChange,
  type Reconciled,
  type Recorded,
  reconcile,
  remove,
  revokedByRemoval,
} from "../../provider/core";
import { batches } from "../../provider/core/model/batches";
import { type Call, useEmulator } from "../helpers/emulator";
import {
  argumentsOf,
  type CaseImage,
  type EventfulCase,
  eventful,
  makeImages,
  OWNER,
  pairsOf,
  permissionsOf,
  REGIONS,
  STRANGER,
  sharingCase,
} from "../helpers/sharingCases";
import { cases as numberOfCases } from "../properties/runs";

const WAIT_OPTIONS = { timeout: 5, minDelay: 0.05, maxDelay: 0.2, absencePause: 0 };

/** A planned case, with what is needed to judge its apply. */
interface Planned {
  readonly one: EventfulCase;
  readonly image: CaseImage;
  readonly set: PermissionSet;
  readonly recorded: Recorded | undefined;
  /** The plan that users see. */
  readonly plan: Plan;
  /** What EC2 had at the plan, if the apply may revoke no other grants of others, as with Terraform. */
  readonly bound: Permissions | undefined;
  /** Grants that somebody else added and removed after the plan, as `resource grantee`. */
  readonly came: string[];
  readonly went: string[];
  /** A second plan after that. */
  again: Plan;
}

/** The grants in EC2 as `resource grantee`, and in KMS as `ami-… grantee`. */
interface World {
  readonly pairs: readonly string[];
  readonly keys: readonly string[];
}

describe("the truth of plans: core and gateway against the emulator", function () {
  this.timeout(3_600_000);
  const emulator = useEmulator();

  it("for random cases, a plan says what the apply does, or names what it cannot know", async () => {
    const seed = Number(process.env.FC_SEED ?? Date.now() % 1_000_000);
    const cases = fc.sample(eventful(sharingCase), { numRuns: numberOfCases(600).numRuns, seed });
    const images = await makeImages(emulator(), cases);
    await emulator().aws(
      ...["ec2", "enable-image-block-public-access", "--image-block-public-access-state", "block-new-sharing"],
      ...["--region", REGIONS[1]],
    );
    await emulator().aws("ec2", "enable-snapshot-block-public-access", "--state", "block-new-sharing", "--region", REGIONS[1]);
    const gateways = Object.fromEntries(REGIONS.map((region) => [region, gatewayTo(emulator().url, region)]));
    const gatewayOf = ({ region }: CaseImage) => gateways[region] as Gateway;
    const look = async (): Promise<World> => ({
      pairs: await emulator().pairs(images),
      keys: await emulator().keyHolders(REGIONS),
    });

    const records = await each(cases, async (one, i) => {
      const image = images[i] as CaseImage;
      return recordOf(one, image, await keyGrantsOf(one, image, gatewayOf(image)));
    });
    await emulator().forgetCalls();
    const planned = await each(cases, async (one, i): Promise<Planned> => {
      const image = images[i] as CaseImage;
      const set = setOf(argumentsOf(one.desired, image));
      const recorded = records[i];
      const plan = await planChange(gatewayOf(image), set, recorded);
      return { one, image, set, recorded, plan, again: plan, bound: i % 2 === 0 ? plan.live : undefined, came: [], went: [] };
    });
    assert.deepEqual(changesIn(await emulator().calls()), [], "a plan changes nothing");
    await each(planned, (one) => meddle(one, gatewayOf(one.image)));
    const before = await look();
    await emulator().forgetCalls();

    const outcomes = await each(planned, async (one) => {
      const gateway = gatewayOf(one.image);
      if (one.came.length + one.went.length > 0)
        one.again = await planChange(gateway, one.set, one.recorded, undefined, one.bound);
      return reconcile(gateway, one.set, one.recorded, WAIT_OPTIONS, undefined, one.bound).catch((error: Error) => error);
    });
    const calls = await emulator().calls();
    const after = await look();
    // A third of the new sets are removed.
    const removals = await each(planned, async ({ image, set }, i) => {
      const made = outcomes[i];
      if (i % 3 !== 0 || made === undefined || made instanceof Error) return undefined;
      await remove(gatewayOf(image), set, made.recorded, WAIT_OPTIONS);
      return made.recorded;
    });
    const left = await look();

    const wrong: string[] = [];
    const tally: Record<string, number> = {};
    const count = (kind: string, is: boolean, times = 1) => {
      tally[kind] = (tally[kind] ?? 0) + (is ? times : 0);
    };
    for (const [i, one] of planned.entries()) {
      const { image, plan, again } = one;
      const at = (world: World) => worldOf(image, world);
      const outcome = outcomes[i] as Reconciled | Error;
      const removed = removals[i];
      const problem =
        disagreement(one, outcome, calls, at(before), at(after)) ??
        (again === plan ? undefined : unforeseen(one, outcome, at(before), at(after))) ??
        keyDisagreement(one, outcome, calls, at(before), at(after)) ??
        (removed && wrongRemoval(one, removed, at(after), at(left)));
      if (problem)
        wrong.push(`case ${i}: ${problem}\n${JSON.stringify({ before: at(before), after: at(after), case: one.one })}`);
      const isRefused = again.refusals.length > 0;
      count("refused", isRefused);
      count("changed", !isRefused && again.phases.length > 0);
      count("unchanged", !isRefused && again.phases.length === 0);
      count("calls", !isRefused, sum(callsOf(again.phases).values()));
      count("drifted since the plan", again !== plan);
      count("refused only since", plan.refusals.length === 0 && again.refusals.some(({ code }) => code === "unrecorded-grants"));
      count("revoked a newcomer", !isRefused && one.bound === undefined && intersects(one.came, plan, again.losing));
      count(
        "spared a newcomer by the plan",
        !isRefused && one.bound !== undefined && intersects(one.came, plan, again.unplanned),
      );
      count("key grants made", !isRefused, again.keys.create.length);
      count("key grants revoked", !isRefused, again.keys.revoke.length);
      count("removed", removed !== undefined);
    }
    console.log(
      `      truth of plans: ${cases.length - wrong.length} of ${cases.length} agree with what the apply did (${Object.entries(
        tally,
      )
        .map(([kind, times]) => `${times} ${kind}`)
        .join(", ")}; FC_SEED=${seed})`,
    );
    assert.deepEqual(wrong.slice(0, 3), []);
    const missing = Object.entries(tally).filter(([, times]) => times === 0);
    assert.deepEqual(missing, [], "every kind is among the cases");
  });
});

/** Adds the stranger's grants and removes a grant, as the case says. If EC2 refuses, nothing happens. */
async function meddle({ one, image, plan, came, went }: Planned, gateway: Gateway): Promise<void> {
  for (const place of one.meanwhile?.comes ?? []) {
    const add = [accountKey(STRANGER)];
    const resource = place === 0 ? image.imageId : (image.snapshotIds[place - 1] as string);
    const change =
      place === 0
        ? gateway.changeLaunchPermissions(resource, { add, remove: [] })
        : gateway.changeCreateVolumePermissions(resource, "add", add);
    await change.then(
      () => came.push(`${resource} ${add}`),
      () => undefined,
    );
  }
  const kept = [...plan.target.launch].find(
    (key) => one.meanwhile?.goes && one.protection !== "aws-key" && key !== PUBLIC && plan.live.launch.has(key),
  );
  if (kept === undefined) return;
  await gateway.changeLaunchPermissions(image.imageId, { add: [], remove: [kept] }).then(
    () => went.push(`${image.imageId} ${kept}`),
    () => undefined,
  );
}

/** What the plan at the start of the apply said and the apply did not do; undefined if they agree. */
function disagreement(
  { image, again: plan }: Planned,
  outcome: Reconciled | Error,
  calls: readonly Call[],
  before: World,
  after: World,
): string | undefined {
  const resources = [image.imageId, ...image.snapshotIds];
  const [refusal] = plan.refusals;
  const change = refusal ? { add: NONE, remove: NONE } : { add: plan.gaining, remove: plan.losing };
  const removed = new Set(pairsOf(image.imageId, change.remove));
  const expected = [...before.pairs.filter((pair) => !removed.has(pair)), ...pairsOf(image.imageId, change.add)].sort();
  if (String(after.pairs) !== String(expected)) return `EC2 has ${after.pairs}, the plan said ${expected}`;
  const mine = calls.filter(({ action, resource }) => resources.includes(resource) && action.startsWith("Modify"));
  const foretold = refusal ? new Map() : callsOf(plan.phases);
  if (String([...counted(mine)].sort()) !== String([...foretold].sort()))
    return `calls ${[...counted(mine)]}, the plan said ${[...foretold]}`;
  if (refusal) {
    if (!(outcome instanceof AmiSharingError) || outcome.code !== refusal.code)
      return `refused with ${outcome}, the plan said ${refusal}`;
  } else if (outcome instanceof Error) {
    const reason = outcome instanceof IncompleteChangeError ? outcome.reason : outcome;
    return `failed with ${reason}, and the plan knew of nothing`;
  }
  return unexplained(image, plan, change, new Set(before.pairs));
}

/** Checks that the report contains every change, and everything that a diff with the state shows but EC2 does not do. */
function unexplained(
  image: CaseImage,
  plan: Plan,
  change: { add: Permissions; remove: Permissions },
  before: ReadonlySet<string>,
) {
  const [gained, lost, same] = [told(plan, "+"), told(plan, "-"), told(plan, "=")];
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

/** Checks how an apply handled changes that somebody else made after its plan. */
function unforeseen(
  { image, set, recorded, plan, bound, came, went }: Planned,
  outcome: Reconciled | Error,
  before: World,
  after: World,
): string | undefined {
  const managed = new Set([image.imageId, ...managedSnapshots(set, image)]);
  // Grants that an authoritative set would revoke without any limit.
  const unwanted = set.mode === "authoritative" ? came.filter((pair) => managed.has(pair.split(" ")[0] as string)) : [];
  const lost = before.pairs.filter((pair) => !after.pairs.includes(pair));
  if (outcome instanceof Error) {
    if (set.unrecorded !== "refuse" && plan.refusals.length === 0 && set.maxRevocations === Number.POSITIVE_INFINITY)
      return `fails for what others did: ${outcome}`;
    return undefined;
  }
  if (set.unrecorded === "refuse" && unwanted.length > 0) return `${unwanted} came since, and it is not refused`;
  const foreign = came.filter((pair) => !unwanted.includes(pair) && lost.includes(pair));
  if (foreign.length > 0) return `it takes away ${foreign}, which is not its to take`;
  if (bound) {
    const shown = new Set([bound, recorded?.granted ?? NONE].flatMap((all) => pairsOf(image.imageId, all)));
    const unseen = lost.filter((pair) => !shown.has(pair));
    if (unseen.length > 0) return `it takes away ${unseen}, which its plan did not show`;
    const named = told(outcome.plan, "=", "stays: set elsewhere, and not in the state; the next plan shows it");
    const silent = unwanted.filter((pair) => !named.has(pair));
    if (silent.length > 0) return `${silent} came since and stay, and the report does not say so`;
  } else {
    const named = told(outcome.plan, "-", recorded ? "set elsewhere, and not in the state" : "set elsewhere");
    const silent = unwanted.filter((pair) => !named.has(pair) || !lost.includes(pair));
    if (silent.length > 0) return `${silent} came since and are to go, and the report does not say so`;
  }
  const wanted = pairsOf(image.imageId, outcome.plan.target);
  const missing = went.filter((pair) => wanted.includes(pair) && !after.pairs.includes(pair));
  return missing.length > 0 ? `${missing} was taken away since, and is not granted again` : undefined;
}

/** What the plan said about KMS grants, or what is declared about them, and is not true. */
function keyDisagreement(
  { one, image, set, recorded, again: plan }: Planned,
  outcome: Reconciled | Error,
  calls: readonly Call[],
  before: World,
  after: World,
): string | undefined {
  const isRefused = outcome instanceof Error;
  const mine = counted(calls.filter(({ action, resource }) => resource === image.keyId && /^(Create|Revoke)Grant$/.test(action)));
  const { create, revoke, keep } = isRefused ? NO_KEYS : plan.keys;
  for (const [action, grants] of Object.entries({ CreateGrant: create, RevokeGrant: revoke }))
    if ((mine.get(action) ?? 0) !== grants.length)
      return `${mine.get(action) ?? 0} calls of ${action}, the plan said ${grants.length}`;
  const pair = ({ accountId }: { accountId: string }) => `${image.imageId} ${accountKey(accountId)}`;
  const going = new Set(revoke.map(pair));
  const expected = [...new Set([...before.keys.filter((holder) => !going.has(holder)), ...create.map(pair)])].sort();
  if (String(after.keys) !== String(expected)) return `KMS has grants of ${after.keys}, the plan said ${expected}`;
  if (isRefused || !image.keyId) return undefined;
  const wanted = [...granteesOf(plan.target)].filter((key) => key.startsWith("account/")).map((key) => `${image.imageId} ${key}`);
  const isGranting = set.kmsAccess === "grant";
  const lacking = isGranting ? wanted.filter((holder) => !after.keys.includes(holder)) : [];
  if (lacking.length > 0) return `${lacking} are declared and lack the key`;
  const spared = [...set.neverRevoke].map((key) => `${image.imageId} ${key}`);
  const mayStay = new Set([...spared, ...(isGranting ? wanted : [])]);
  const own = one.keys.recorded.filter((id) => recorded && one.keys.there.includes(id)).map((accountId) => pair({ accountId }));
  const staying = own.filter((holder) => after.keys.includes(holder) && !mayStay.has(holder));
  if (staying.length > 0) return `${staying} are declared no more and keep the key`;
  const recordedAfter = (outcome.recorded.keyGrants ?? []).map(pair).sort();
  const ownAfter = [...keep, ...create].map(pair).sort();
  return String(recordedAfter) === String(ownAfter) ? undefined : `recorded are the key grants of ${recordedAfter}`;
}

/** What the removal of a set wrongly left or revoked. */
function wrongRemoval({ image, set }: Planned, recorded: Recorded, after: World, left: World): string | undefined {
  const going = new Set(pairsOf(image.imageId, revokedByRemoval(set, recorded)));
  const expected = after.pairs.filter((pair) => !going.has(pair));
  if (String(left.pairs) !== String(expected)) return `the removal left ${left.pairs}, and was to leave ${expected}`;
  const stays = (holder: string) => set.onDelete === "retain" || set.neverRevoke.has(holder.split(" ")[1] as string);
  const own = (recorded.keyGrants ?? []).map(({ accountId }) => `${image.imageId} ${accountKey(accountId)}`);
  const wrong = own.filter((holder) => (stays(holder) && after.keys.includes(holder)) !== left.keys.includes(holder));
  return wrong.length > 0 ? `the removal left key grants of ${left.keys}, wrong is ${wrong}` : undefined;
}

const NONE: Permissions = { launch: new Set(), createVolume: new Map() };
const NO_KEYS = { create: [], revoke: [], keep: [] };

/** The grants with this sign and, if it is given, this reason in a report, as `resource grantee`. */
function told(plan: Plan, sign: string, reason?: string): Set<string> {
  const entries = entriesOf(plan).filter((entry) => entry.sign === sign && (reason ?? entry.why) === entry.why);
  return new Set(entries.flatMap(({ permissions }) => pairsOf(plan.image.imageId, permissions)));
}

function intersects(pairs: readonly string[], { image }: Plan, permissions: Permissions): boolean {
  return pairsOf(image.imageId, permissions).some((pair) => pairs.includes(pair));
}

function counted(calls: readonly Call[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const { action } of calls) found.set(action, (found.get(action) ?? 0) + 1);
  return found;
}

function changesIn(calls: readonly Call[]): string[] {
  return calls.map(({ action }) => action).filter((action) => /^(Modify|Reset|CreateGrant|RevokeGrant)/.test(action));
}

/** The grants of one image. */
function worldOf({ imageId, snapshotIds }: CaseImage, { pairs, keys }: World): World {
  const of = (all: readonly string[]) => all.filter((pair) => [imageId, ...snapshotIds].includes(pair.split(" ")[0] as string));
  return { pairs: of(pairs), keys: of(keys) };
}

/** Makes the KMS grants of a case. Returns the recorded ones, some of which do not exist any more. */
async function keyGrantsOf(
  { keys }: EventfulCase,
  { imageId, keyId }: CaseImage,
  gateway: Gateway,
): Promise<readonly OwnKeyGrant[]> {
  if (keyId === undefined) return [];
  const made = new Map<string, string>();
  for (const id of keys.there) made.set(id, await gateway.keys.createGrant(keyId, id, `ami-launch-permissions/${imageId}`));
  return keys.recorded.map((accountId) => ({ keyId, accountId, grantId: made.get(accountId) ?? accountId.padEnd(64, "0") }));
}

function recordOf(
  { recorded, granted }: EventfulCase,
  image: CaseImage,
  keyGrants: readonly OwnKeyGrant[],
): Recorded | undefined {
  return (
    recorded && {
      region: image.region,
      ownerId: OWNER,
      snapshotIds: image.snapshotIds,
      live: permissionsOf(recorded, image),
      granted: permissionsOf(granted, image),
      ...(keyGrants.length > 0 ? { keyGrants } : {}),
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
