/** Compares saved plans of Terraform and their warnings with what the applies did, for random sets in one configuration. */

import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import { decodeGrants, ec2Gateway, type Gateway, type Grants } from "../../provider/core";
import { batches } from "../../provider/core/model/batches";
import { type Call, type MadeImage, useEmulator } from "../helpers/emulator";
import {
  type Case,
  makeImages,
  OWNER,
  pairsOf,
  permissionsOf,
  REGIONS,
  sharingCase,
  terraformArgumentsOf,
} from "../helpers/sharingCases";
import { type TerraformDiagnostic, type TerraformPlan, TerraformProject } from "../helpers/terraformProject";
import { cases } from "../properties/runs";

type Arguments = Readonly<Record<string, unknown>>;
/** Set name → arguments, with Terraform's names. */
type Sets = Readonly<Record<string, Arguments>>;

/** One set, or two sets of one AMI: as applied first, and as planned then. */
interface Story {
  readonly one: Case;
  readonly image: MadeImage;
  /** The AMI that the set moves to, if it moves. */
  readonly spare: MadeImage;
  readonly before: Sets;
  readonly after: Sets;
  /** Where an account that no set names is granted access between plan and apply: on the AMI (0), or on a snapshot. */
  readonly comes: number | undefined;
  /** Whether a grant that the plan shows as kept is removed, too. */
  readonly isTaken: boolean;
  readonly kind: string;
}

const often = <T>(times: number, value: T): T[] => Array(times).fill(value);
const either = <T>(...values: T[]) => fc.constantFrom(...values);

/** One set, and what happens to it. */
const single = fc.record({
  one: sharingCase,
  fate: either(...often(6, "stays"), "stays as declared", "leaves", "moves", "moves gently"),
  other: sharingCase,
  onDelete: either(undefined, undefined, "revoke", "retain", "reset"),
  keys: either(...often(6, undefined), ["grant", "grant"], ["check", "grant"], ["grant", "check"]),
  timeouts: either<string | undefined>(...often(6, undefined), "20m", "1h30m"),
  isSecret: either(...often(9, false), true),
  comes: either(...often(5, undefined), 0, 0, 1),
  isTaken: either(false, false, true),
});

/** Two sets of one AMI. `there` says which sets exist before and after. */
const pair = fc.record({
  one: sharingCase,
  other: sharingCase,
  mode: either("additive", "additive", "authoritative"),
  there: either(["ab", "b"], ["a", "b"], ["ab", "ab"], ["b", "ab"], ["a", "ab"]),
  isHandOver: either(true, true, false),
  comes: either(undefined, undefined, 0, 1),
});

/** The grants of an AMI and its snapshots as `resource grantee`, and the accounts with KMS grants for it. */
interface World {
  readonly pairs: ReadonlySet<string>;
  readonly keys: ReadonlySet<string>;
}

/** What a plan shows about one set on one AMI. */
interface Part {
  readonly name: string;
  readonly image: MadeImage;
  readonly does: "create" | "update" | "delete" | "nothing";
  readonly args: Arguments;
  /** According to the report in the plan's warnings or, without a report, to the diff. */
  readonly gains: ReadonlySet<string>;
  readonly loses: ReadonlySet<string>;
  /** The grants in the diff, before and after. */
  readonly held: ReadonlySet<string>;
  readonly keeps: ReadonlySet<string>;
  readonly report: Report | undefined;
  /** Grantees of a deleted set that keep access according to a warning. */
  readonly stay: ReadonlySet<string>;
  /** Grants that another set's plan shows as lost and that stay according to this plan: Terraform planned the other set first. */
  readonly stayLate: ReadonlySet<string>;
  /** The code in the warning that the apply will be refused. */
  readonly willFail: string | undefined;
  /** Whether the plan warns that deleting the set removes the grants of everybody. */
  readonly isReset: boolean;
  /** Whether only the timeouts change. */
  readonly isIdle: boolean;
  /** The AMI that is shared first. If that fails, nothing changes here. */
  readonly behind: MadeImage | undefined;
}

interface Report {
  readonly lines: readonly { readonly sign: string; readonly why: string; readonly grants: Grants }[];
  /** The number of calls for each action. */
  readonly calls: string;
  readonly keysTo: readonly string[];
  readonly keysOf: readonly string[];
}

const TYPE = "ami_launch_permission_set";

describe("the truth of Terraform's plans", function () {
  this.timeout(2_400_000);
  const emulator = useEmulator();
  let project: TerraformProject;
  before(async () => {
    project = await TerraformProject.create(emulator(), "");
  });
  after(() => project.remove());

  it("holds for hundreds of sets, whatever others change before the apply", async () => {
    const seed = Number(process.env.FC_SEED ?? Date.now() % 1_000_000);
    const stories = await makeStories(seed, cases(300).numRuns);
    const images = stories.flatMap(({ image, spare }) => [image, spare]);
    const look = async () => {
      const [pairs, keys] = [await emulator().pairs(images), await emulator().keyHolders(REGIONS)];
      return (image: MadeImage): World => ({
        pairs: new Set(pairs.filter((one) => isOf(image, one.split(" ")[0]))),
        keys: new Set(keys.flatMap((one) => (one.startsWith(`${image.imageId} `) ? [one.slice(image.imageId.length + 1)] : []))),
      });
    };
    const all = (which: "before" | "after"): Sets => Object.assign({}, ...stories.map((story) => story[which]));
    const tally = new Map<string, number>();
    const count = (kind: string) => tally.set(kind, (tally.get(kind) ?? 0) + 1);
    const wrong = new Map<Story, string>();
    const note = (story: Story, round: string, problem: string | undefined, about: unknown) => {
      const names = Object.keys({ ...story.before, ...story.after });
      if (problem && !wrong.has(story)) wrong.set(story, `${names}, ${story.kind}, ${round}: ${problem}\n${readable(about)}`);
    };

    // A real apply makes the records. Then others change half of the AMIs.
    await planned(all("before"), images);
    await applied();
    await drift(stories, await look());
    for (const call of [
      ["enable-image-block-public-access", "--image-block-public-access-state", "block-new-sharing"],
      ["enable-snapshot-block-public-access", "--state", "block-new-sharing"],
    ])
      await emulator().aws("ec2", ...call, "--region", REGIONS[1]);

    let sets = all("after");
    /** The changes that the next plan must show, by AMI. AMIs without an entry are not checked. */
    let due = new Map<string, Change>();
    for (const round of ["the plan", "the next plan", "the last plan"]) {
      await emulator().forgetCalls();
      const plan = await planned(sets, images);
      assert.deepEqual(await emulator().modifications(), [], "a plan changes nothing");
      sets = plan.sets;
      for (const [name, { code, args }] of plan.refused) {
        const story = stories.find(({ after }) => name in after) ?? assert.fail(name);
        note(story, round, isRefusable(code, story, args) ? undefined : `${name} is refused with ${code}`, args);
        count(`refused with ${code}`);
      }
      const partsOf = (image: MadeImage) => plan.parts.filter((part) => part.image === image);
      for (const story of stories)
        for (const image of [story.image, story.spare]) {
          const isRefused = Object.keys(story.after).some((name) => plan.refused.has(name));
          const problem = isRefused ? undefined : undue(partsOf(image), due.get(image.imageId));
          note(story, round, problem, partsOf(image));
        }
      if (round === "the last plan") break;

      const human = (await project.succeed("show", "plan.bin")).output;
      const clear = new RegExp(`(?:.*\\n){0,40}.*"${SECRET}\\d.*`).exec(human);
      assert.equal(clear?.[0], undefined, `a sensitive list is not shown, in ${round} (FC_SEED=${seed})`);
      const seen = await look();
      if (round === "the plan") await meddle(stories, partsOf, seen);
      const found = await look();
      await emulator().forgetCalls();
      const outcome = await applied();
      const calls = (await emulator().calls()).filter(({ action }) => /^(Modify|Reset)/.test(action));
      const left = await look();
      due = new Map();
      for (const story of stories)
        for (const image of [story.image, story.spare]) {
          const parts = partsOf(image);
          const worlds = { seen: seen(image), found: found(image), left: left(image) };
          const mine = calls.filter(({ resource }) => isOf(image, resource));
          const verdict = judge(image, parts, worlds, mine, outcome);
          note(story, round, verdict.problem, {
            parts,
            worlds,
            outcome: outcome.filter(({ summary }) => summary.includes(image.imageId)).map(({ line, ...one }) => one),
          });
          if (verdict.due) due.set(image.imageId, verdict.due);
          if (round === "the plan") for (const kind of verdict.kinds) count(kind);
        }
    }
    for (const { kind } of stories) count(kind);

    const sizeOf = (some: Iterable<Story>) =>
      [...some].flatMap(({ before, after }) => Object.keys({ ...before, ...after })).length;
    const total = sizeOf(stories);
    const kinds = [...tally].sort().map(([kind, times]) => `${times} ${kind}`);
    console.log(
      `      truth of Terraform plans: ${total - sizeOf(wrong.keys())} of ${total} sets agree with what the apply did (${kinds.join(", ")}; FC_SEED=${seed})`,
    );
    assert.deepEqual([...wrong.values()].slice(0, 3), []);
    for (const kind of KINDS) assert.ok((tally.get(kind) ?? 0) > 0, `${kind} is among the cases`);
  });

  /** Makes the AMIs of random stories. */
  async function makeStories(seed: number, sets: number): Promise<Story[]> {
    const pairs = Math.floor(sets / 20);
    const singles = fc.sample(single, { numRuns: sets - 2 * pairs, seed }).map((drawn) => {
      const { one, keys } = drawn;
      // KMS grants need an AMI under a customer managed key, and such an AMI cannot be public.
      return keys ? { ...drawn, one: { ...one, protection: "own-key" as const } } : drawn;
    });
    const doubles = fc.sample(pair, { numRuns: pairs, seed });
    const cases = [...singles, ...doubles].map(({ one, other }) => ({
      one,
      spare: { ...other, region: one.region, snapshots: one.snapshots, protection: one.protection },
    }));
    // The other AMI gets the grants of that case, as far as it has the snapshots.
    const spares = cases.map(({ one, spare }) => ({
      ...spare,
      live: { ...spare.live, volumes: Array.from({ length: one.snapshots }, (_, n) => spare.live.volumes[n] ?? []) },
    }));
    const made = await makeImages(emulator(), [...cases.map(({ one }) => one), ...spares]);
    const imagesOf = (i: number) => ({ image: made[i] as MadeImage, spare: made[cases.length + i] as MadeImage });
    return [
      ...singles.map((drawn, i) => ofOne(drawn, i, imagesOf(i))),
      ...doubles.map((drawn, i) => ofTwo(drawn, i, imagesOf(singles.length + i))),
    ];
  }

  /** Writes the configuration. Sets with sensitive accounts read them from a sensitive variable. */
  function declare(sets: Sets): void {
    const secrets = Object.entries(sets).filter(([, { account_ids: ids }]) => String(ids).startsWith(SECRET));
    const variable = secrets.map(([name, { account_ids: ids }]) => [
      name,
      { type: "list(string)", sensitive: true, default: ids },
    ]);
    const hidden = secrets.map(([name, args]) => [name, { ...args, account_ids: `\${var.${name}}` }]);
    const resources = { ...sets, ...Object.fromEntries(hidden) };
    const text = { resource: { [TYPE]: resources }, ...(secrets.length > 0 ? { variable: Object.fromEntries(variable) } : {}) };
    project.write("sets.tf.json", JSON.stringify(text));
  }

  /**
   * Plans sets, and saves the plan. A plan with a refused set fails as a whole. The refused sets are then removed from the configuration and the
   * state, and the rest is planned again.
   */
  async function planned(sets: Sets, images: readonly MadeImage[]) {
    const refused = new Map<string, { readonly code: string; readonly args: Arguments }>();
    let rest = sets;
    for (;;) {
      declare(rest);
      const { diagnostics, code, output } = await project.diagnostics(
        "plan",
        "-out=plan.bin",
        parallel(Object.keys(sets).length),
      );
      const errors = diagnostics.filter(({ severity }) => severity === "error");
      if (errors.length === 0) {
        assert.equal(code, 0, output.slice(-4000));
        const parts = partsIn(await project.savedPlan(), rest, diagnostics, images);
        return { sets: rest, refused, parts, diagnostics };
      }
      for (const { address, summary, detail } of errors) {
        const name = nameIn(address);
        const args = rest[name];
        assert.ok(args, `${address}: ${summary}: ${detail}`);
        refused.set(name, { code: codeIn(detail) ?? `${summary}: ${detail}`, args });
      }
      const there = Object.keys(await project.state()).filter((address) => refused.has(nameIn(address)));
      if (there.length > 0) await project.succeed("state", "rm", ...there);
      rest = Object.fromEntries(Object.entries(rest).filter(([name]) => !refused.has(name)));
    }
  }

  /** Applies the saved plan. Returns its messages. */
  async function applied(): Promise<readonly TerraformDiagnostic[]> {
    const { diagnostics, output } = await project.diagnostics("apply", parallel(1000), "plan.bin");
    const others = diagnostics.filter(({ severity, summary }) => severity === "error" && !summary.startsWith("AMI ami-"));
    assert.deepEqual(others.slice(0, 3), [], `${others.length} errors belong to no set\n${output.slice(-2000)}`);
    return diagnostics;
  }

  /** Others add and remove grants on half of the AMIs that have a set, and revoke one account's KMS grant. */
  async function drift(stories: readonly Story[], now: (image: MadeImage) => World): Promise<void> {
    const drifting = stories.filter(({ before }, i) => Object.keys(before).length > 0 && i % 2 === 0);
    await each(drifting, async ({ one, image }) => {
      const then = new Set(pairsOf(image.imageId, permissionsOf(one.live, image)));
      const { pairs, keys } = now(image);
      await share(image, minus(then, pairs), minus(pairs, then));
      const [first] = keys;
      if (first) await revokeKey(image, first);
    });
  }

  /** Others add and remove grants after the plan. */
  async function meddle(
    stories: readonly Story[],
    partsOf: (image: MadeImage) => readonly Part[],
    now: (image: MadeImage) => World,
  ): Promise<void> {
    await each([...stories.entries()], async ([i, { image, spare, comes, isTaken }]) => {
      const at = partsOf(spare).length > 0 && i % 2 === 0 ? spare : image;
      const place = comes === undefined ? undefined : ([at.imageId, ...at.snapshotIds][comes] ?? at.imageId);
      const { pairs } = now(at);
      const kept = partsOf(at).flatMap((part) =>
        [...declaredBy(part)].filter((one) => part.does !== "delete" && part.keeps.has(one) && pairs.has(one)),
      );
      await share(at, place ? [`${place} account/${idOf(COMER, i)}`] : [], isTaken ? kept.slice(0, 1) : []);
    });
  }

  function gatewayTo(region: string): Gateway {
    const credentials = { accessKeyId: "AKIATESTTESTTESTTEST", secretAccessKey: "test" };
    return ec2Gateway({ endpoint: emulator().url, region, credentials });
  }

  /** Changes grants as somebody else does. If EC2 refuses, nothing happens. */
  async function share(
    { region, imageId, snapshotIds }: MadeImage,
    add: Iterable<string>,
    remove: Iterable<string>,
  ): Promise<void> {
    const gateway = gatewayTo(region);
    const on = (resource: string, pairs: Iterable<string>) =>
      [...pairs].flatMap((one) => (one.startsWith(`${resource} `) ? [one.slice(resource.length + 1)] : []));
    const launch = { add: on(imageId, add), remove: on(imageId, remove) };
    if (launch.add.length + launch.remove.length > 0)
      await gateway.changeLaunchPermissions(imageId, launch).catch(() => undefined);
    for (const id of snapshotIds)
      for (const [operation, keys] of [
        ["add", on(id, add)],
        ["remove", on(id, remove)],
      ] as const)
        if (keys.length > 0) await gateway.changeCreateVolumePermissions(id, operation, keys).catch(() => undefined);
  }

  async function revokeKey({ region, imageId, snapshotIds }: MadeImage, grantee: string): Promise<void> {
    const gateway = gatewayTo(region);
    const keys = (await gateway.describeSnapshots(snapshotIds)).flatMap(({ kmsKeyId }) => kmsKeyId ?? []);
    for (const key of new Set(keys))
      for (const { name, accountId, grantId } of (await gateway.keys.grants(key)) ?? [])
        if (name.endsWith(imageId) && grantee === `account/${accountId}`) await gateway.keys.revokeGrant(key, grantId);
  }
});

/** Gained and lost grants. */
interface Change {
  readonly gains: ReadonlySet<string>;
  readonly loses: ReadonlySet<string>;
}

interface Verdict {
  readonly problem?: string | undefined;
  /** What the next plan must show; undefined if that depends on what EC2 refuses. */
  readonly due?: Change | undefined;
  readonly kinds: readonly string[];
}

/** Kinds that must be among the cases. */
const KINDS = [
  ...["create", "update", "delete", "nothing", "came after the plan", "granted again", "fails as the plan warned"],
  ...["stays", "stays as declared", "leaves", "moves", "moves gently", "key grants", "timeouts", "sensitive", "hand-over"],
  ...["refused with sharing-refused", "refused with too-many-revocations", "refused with unrecorded-grants"],
];
/** Codes that no plan can foresee. */
const FOR_WHO_CAME = ["unrecorded-grants", "too-many-revocations"];
const FOR_WHO_WENT = ["sharing-refused", "public-access-blocked"];
const [SECRET, COMER] = ["56", "88"];

/** An account that appears nowhere else. */
function idOf(kind: string, i: number, n = 0): string {
  return `${kind}${n}${String(i).padStart(9, "0")}`;
}

/** Compares what the plan showed about an AMI with the result. */
function judge(
  image: MadeImage,
  parts: readonly Part[],
  { seen, found, left }: { readonly seen: World; readonly found: World; readonly left: World },
  calls: readonly Call[],
  outcome: readonly TerraformDiagnostic[],
): Verdict {
  const told = (part: Part) => toldOf(part, outcome).filter(({ summary }) => !summary.startsWith(`AMI ${image.imageId} in `));
  const failure = (part: Part) => told(part).find(isFailure);
  const isHeldUp = ({ name, behind }: Part) =>
    behind !== undefined && toldOf({ name, image: behind, does: "create" }, outcome).some(isFailure);
  const inEffect = parts.filter((part) => !failure(part) && !isHeldUp(part));
  const kinds = parts.map(({ does }) => does as string);
  const verdict = (problem: string | undefined, due?: Change): Verdict => ({ problem, due, kinds });

  const [came, taken] = [minus(found.pairs, seen.pairs), minus(seen.pairs, found.pairs)];
  const [gained, lost] = [minus(left.pairs, found.pairs), minus(found.pairs, left.pairs)];
  for (const part of parts) {
    const code = codeIn(failure(part)?.detail ?? "");
    // A removed grant cannot be made again if EC2 refuses every grant.
    const late = [...(came.size > 0 ? FOR_WHO_CAME : []), ...(taken.size > 0 ? FOR_WHO_WENT : [])];
    // A destroy waits for the set that takes over. If that set could not be created, the destroy also fails.
    const isHeir = code === "hand-over-incomplete" && parts.some((other) => other !== part && failure(other));
    const isForeseen = code === part.willFail || late.includes(code ?? "") || isHeir;
    if (!isForeseen) return verdict(`${part.name} ended with ${code}, and the plan warned of ${part.willFail}`);
    if (code) kinds.push(code === part.willFail ? "fails as the plan warned" : "fails for what others did");
  }
  const gains = union(inEffect.map((part) => part.gains));
  const loses = union(inEffect.map((part) => part.loses));
  const isAnew = (pair: string) => inEffect.some((part) => part.does === "create" && manages(part, pair));
  const isReset = inEffect.some((part) => part.isReset);
  const mayStay = (pair: string) => inEffect.some(({ does, stay }) => does === "delete" && stay.has(granteeIn(pair)));
  const changing = inEffect.filter(({ does, isIdle }) => does === "update" && !isIdle);

  const isKnown = (pair: string) => loses.has(pair) || isReset || (came.has(pair) && isAnew(pair)) || mayStay(pair);
  const unshown = [...lost].filter((pair) => !isKnown(pair));
  if (unshown.length > 0) return verdict(`${unshown} lost access, and the plan did not show it`);
  // docs/reliability.md: Terraform may plan a set before it tells the provider of another one. The other set's plan then says which of the
  // lost grants stay.
  const isToldLate = (pair: string) => inEffect.some(({ stayLate }) => stayLate.has(pair));
  const still = [...loses].filter((pair) => left.pairs.has(pair) && !isToldLate(pair));
  if ([...loses].some((pair) => left.pairs.has(pair) && isToldLate(pair))) kinds.push("kept for a set that was told late");
  if (still.length > 0) return verdict(`${still} still have access, and the plan showed that they lose it`);
  const missing = [...gains].filter((pair) => !left.pairs.has(pair));
  if (missing.length > 0) return verdict(`${missing} have no access, and the plan showed that they gain it`);
  const making = inEffect.filter((part) => part.does === "create" || changing.includes(part));
  const again = [...taken].filter((pair) => making.some((part) => declaredBy(part).has(pair)));
  // If the diff shows the grant as gained, the apply need not mention it.
  const kept = again.filter((pair) => changing.some((part) => part.held.has(pair) && part.keeps.has(pair)));
  const unasked = [...gained].filter((pair) => !gains.has(pair) && !again.includes(pair));
  if (unasked.length > 0) return verdict(`${unasked} gained access, and the plan did not show it`);
  if (again.some((pair) => !left.pairs.has(pair))) return verdict(`${again} are gone since the plan, and were not granted again`);

  // What the apply says about grants that its plan did not show.
  const surprises = inEffect.flatMap((part) => told(part).flatMap(({ detail }) => readReport(detail).lines));
  const said = (sign: string) => union(surprises.map((line) => (line.sign === sign ? pairsIn(image, line.grants) : new Set())));
  const since = [...came].filter((pair) => left.pairs.has(pair) && changing.some((part) => manages(part, pair)));
  for (const [sign, pairs, truth] of [
    ["=", since, left.pairs],
    ["+", kept, gained],
    ["-", [...lost].filter((pair) => isAnew(pair) && !loses.has(pair)), lost],
  ] as const) {
    if (pairs.some((pair) => !said(sign).has(pair))) return verdict(`the apply does not name ${pairs} with ${sign}`);
    if ([...said(sign)].some((pair) => !truth.has(pair))) return verdict(`the apply names ${[...said(sign)]} with ${sign}`);
  }
  if (since.length > 0) kinds.push("came after the plan");
  if (kept.length > 0) kinds.push("granted again");

  const problem =
    callsDiffer(parts, inEffect, { gained, lost }, came.size + taken.size > 0, calls) ?? keysDiffer(inEffect, found, left);
  if (inEffect.length < parts.length) return verdict(problem);
  const after = parts.filter(({ does }) => does !== "delete");
  const wanted = union(after.map(declaredBy));
  const spared = (pair: string) =>
    after.some(({ args }) => listed(args.never_revoke).includes(granteeIn(pair).replace("account/", "")));
  const others = [...left.pairs].filter(
    (pair) => !wanted.has(pair) && !spared(pair) && after.some((part) => manages(part, pair)),
  );
  return verdict(problem, { gains: minus(wanted, left.pairs), loses: new Set(others) });
}

/** The messages about a set and an AMI. Terraform gives no address for a set that is not in the configuration any more. */
function toldOf(
  { name, image, does }: Pick<Part, "name" | "image" | "does">,
  diagnostics: readonly TerraformDiagnostic[],
): TerraformDiagnostic[] {
  const isOfSet = ({ address }: TerraformDiagnostic) => nameIn(address) === name || (does === "delete" && address === undefined);
  return diagnostics.filter((one) => isOfSet(one) && one.summary.includes(image.imageId));
}

function isFailure({ severity, summary }: TerraformDiagnostic): boolean {
  return severity === "error" || summary.includes("NOT COMPLETE");
}

function callsDiffer(
  parts: readonly Part[],
  inEffect: readonly Part[],
  { gained, lost }: { readonly gained: ReadonlySet<string>; readonly lost: ReadonlySet<string> },
  isDisturbed: boolean,
  calls: readonly Call[],
): string | undefined {
  const counted = (actions: readonly string[]) =>
    [...new Set(actions)]
      .sort()
      .map((action) => `${actions.filter((one) => one === action).length} ${action}`)
      .join(", ");
  const sent = counted(calls.map(({ action }) => action));
  const isQuiet = inEffect.every(({ does, isIdle }) => does === "nothing" || isIdle);
  if (isQuiet && sent !== "") return `calls were made where nothing changes: ${sent}`;
  if (isQuiet || isDisturbed || inEffect.length < parts.length || parts.some(({ does }) => does === "delete")) return undefined;
  const [part, ...others] = parts.filter(({ does }) => does !== "nothing");
  if (part?.report && others.length === 0) {
    const foretold = part.report.calls
      .split(", ")
      .filter((text) => text.includes(" Modify"))
      .sort()
      .join(", ");
    return foretold === sent ? undefined : `the calls were ${sent}, and the plan said ${foretold}`;
  }
  if (others.length > 0) return undefined;
  // One call for all changes of an AMI; for a snapshot, one call to add and one to remove.
  const resources = (pairs: ReadonlySet<string>) => [...new Set([...pairs].map((pair) => pair.split(" ")[0] as string))];
  const isImage = (id: string) => id.startsWith("ami-");
  const least = [
    ...new Set([...resources(gained), ...resources(lost)].filter(isImage)),
    ...[...resources(gained), ...resources(lost)].filter((id) => !isImage(id)),
  ].map((id) => (isImage(id) ? "ModifyImageAttribute" : "ModifySnapshotAttribute"));
  return counted(least) === sent ? undefined : `the calls were ${sent}, for a change that takes ${counted(least)}`;
}

function keysDiffer(parts: readonly Part[], before: World, after: World): string | undefined {
  const [part, ...others] = parts;
  if (!part || others.length > 0) return undefined;
  const { does, args, report, image } = part;
  const accounts = (pairs: Iterable<string>) => new Set([...pairs].map(granteeIn).filter((key) => key.startsWith("account/")));
  const [made, gone] = [minus(after.keys, before.keys), minus(before.keys, after.keys)];
  if (does === "nothing" || part.isIdle)
    return made.size + gone.size > 0 ? "KMS grants changed where nothing changes" : undefined;
  if (does !== "delete" && report) {
    if (!same(made, report.keysTo)) return `KMS grants were made for ${[...made]}, and the plan said ${report.keysTo}`;
    // KMS grants that somebody else revoked before are also revoked by name.
    if (minus(gone, new Set(report.keysOf)).size > 0 || report.keysOf.some((key) => after.keys.has(key)))
      return `KMS grants were revoked of ${[...gone]}, and the plan said ${report.keysOf}`;
  }
  if (does === "delete" && args.on_delete === "retain") return made.size + gone.size > 0 ? "KMS grants changed" : undefined;
  const without = minus(does === "delete" ? new Set() : accounts(declaredBy(part)), after.keys);
  if (args.kms_access === "grant" && image.snapshotIds.length > 0 && without.size > 0) return `${[...without]} have no KMS grant`;
  const idle = minus(minus(after.keys, accounts(after.pairs)), new Set(listed(args.never_revoke).map((id) => `account/${id}`)));
  return idle.size > 0 ? `${[...idle]} have a KMS grant and no access` : undefined;
}

/** What a plan wrongly shows about an AMI, or wrongly does not show. */
function undue(parts: readonly Part[], due: Change | undefined): string | undefined {
  if (!due) return undefined;
  const [gains, loses] = [union(parts.map((part) => part.gains)), union(parts.map((part) => part.loses))];
  if (!same(gains, due.gains)) return `it shows ${[...gains]} as gaining, and not ${[...due.gains]}`;
  if (!same(loses, due.loses)) return `it shows ${[...loses]} as losing, and not ${[...due.loses]}`;
  const isQuiet = gains.size + loses.size === 0;
  return isQuiet && parts.some(({ does }) => does !== "nothing") ? "nothing is left to do, and something is planned" : undefined;
}

/** Whether there is a reason to refuse the set with this code. */
function isRefusable(code: string, { one, kind }: Story, args: Arguments): boolean {
  switch (code) {
    case "sharing-refused":
      return one.protection !== "none";
    case "too-many-revocations":
      return args.max_revocations !== undefined;
    case "unrecorded-grants":
      return args.unrecorded === "refuse";
    case "hand-over-incomplete":
      return kind === "hand-over" || kind === "two sets";
    default:
      return false;
  }
}

/** What a saved plan and its warnings show, for each set and AMI. */
function partsIn(
  plan: TerraformPlan,
  sets: Sets,
  diagnostics: readonly TerraformDiagnostic[],
  images: readonly MadeImage[],
): Part[] {
  return (plan.resource_changes ?? []).flatMap(({ address, change: { actions, before, after, after_unknown } }) => {
    const name = nameIn(address);
    const isReplaced = actions.length > 1;
    const of = (does: Part["does"], args: Record<string, unknown>, held: Record<string, unknown> | null): Part => {
      const image = images.find(({ imageId }) => imageId === args.image_id) ?? assert.fail(`${args.image_id}`);
      const about = toldOf({ name, image, does }, diagnostics);
      const told = does === "delete" ? undefined : about.find(({ summary }) => summary.startsWith(`AMI ${image.imageId} in `));
      const report = told && readReport(told.detail);
      const then = pairsIn(image, (held?.grants ?? {}) as Grants);
      const now = does === "delete" ? new Set<string>() : pairsIn(image, (args.grants ?? {}) as Grants);
      const signed = (sign: string) =>
        union((report?.lines ?? []).map((line) => (line.sign === sign ? pairsIn(image, line.grants) : new Set<string>())));
      assert.ok(report || does === "delete" || !after_unknown.grants || about.length > 0, `${address}: the plan shows nothing`);
      const late = about.find(({ summary }) => summary.endsWith("the plan of another set shows as lost what stays"));
      const stayLate = union(readReport(late?.detail ?? "").lines.map((line) => pairsIn(image, line.grants)));
      const unshared = about.find(({ summary }) => summary.endsWith("is unshared, as its set is replaced"));
      const lost = union(readReport(unshared?.detail ?? "").lines.map((line) => pairsIn(image, line.grants)));
      const stay = new Set(
        about
          .filter(({ summary }) => does === "delete" && summary.includes("stays shared"))
          .flatMap(({ detail }) => /(?:keep access|did not grant): (.*)/.exec(detail)?.[1]?.split(", ") ?? []),
      );
      const refusal =
        does === "delete" ? undefined : about.find(({ summary }) => summary.includes("cannot be shared as configured"));
      return {
        ...{ name, image, does, args, report, stay, stayLate, held: then, keeps: now },
        gains: report ? signed("+") : minus(now, then),
        // The diff of a replacement shows the grants of the new set. A warning says who loses the old AMI.
        loses: report
          ? signed("-")
          : does === "delete" && isReplaced
            ? lost
            : new Set([...minus(then, now)].filter((pair) => !stay.has(granteeIn(pair)))),
        willFail: refusal && codeIn(refusal.detail),
        behind: undefined,
        isReset: does === "delete" && about.some(({ summary }) => summary.endsWith("loses every grant")),
        isIdle: does === "update" && JSON.stringify({ ...held, timeouts: 0 }) === JSON.stringify({ ...args, timeouts: 0 }),
      };
    };
    assert.ok(name in sets || actions.join() === "delete", address);
    if (actions.join() === "no-op") return [of("nothing", after ?? {}, before)];
    if (actions.join() === "update") return [of("update", after ?? {}, before)];
    const made = after ? [of("create", after, null)] : [];
    const behind = actions[0] === "create" ? made[0]?.image : undefined;
    return [...(before ? [{ ...of("delete", before, before), behind }] : []), ...made];
  });
}

/** Parses the lines of a report. Wrapped lines are joined first. */
function readReport(text: string): Report {
  const lines = text
    .replace(/\n {6,}/g, " ")
    .split("\n")
    .map((line) => line.trim());
  const after = (start: string) => lines.find((line) => line.startsWith(start))?.slice(start.length) ?? "";
  const names = (start: string) =>
    after(start)
      .split(", ")
      .filter((key) => key !== "");
  return {
    lines: lines.flatMap((line) => {
      const [, sign, words, why, keys] = /^([-+=]) (.*?) \(([^)]*)\): (.*)$/.exec(line) ?? [];
      if (!sign || !words || !why || !keys) return [];
      assert.doesNotMatch(keys, / more$/);
      return [{ sign, why, grants: Object.fromEntries(keys.split(", ").map((key) => [key, words])) }];
    }),
    calls: after("calls: "),
    keysTo: names("key grants to: "),
    keysOf: names("key grants revoked of: "),
  };
}

/** The grants that the arguments of a set declare. */
function declaredBy({ args, image }: Part): ReadonlySet<string> {
  const accounts = (list: unknown) =>
    listed(list)
      .filter((id) => id !== OWNER)
      .map((id) => `account/${id}`);
  const everybody = (asked: unknown) => (asked === true ? ["public"] : []);
  const arns = [...listed(args.organization_arns), ...listed(args.organizational_unit_arns)].map((arn) => arn.toLowerCase());
  const launch = [...accounts(args.account_ids), ...arns, ...everybody(args.public)];
  const volumes = args.create_volume_permissions as Arguments | null | undefined;
  const creators = volumes ? [...accounts(volumes.account_ids ?? args.account_ids), ...everybody(volumes.public)] : [];
  return new Set([
    ...launch.map((key) => `${image.imageId} ${key}`),
    ...managedBy(args, image).flatMap((id) => creators.map((key) => `${id} ${key}`)),
  ]);
}

function managedBy(args: Arguments, { snapshotIds }: MadeImage): readonly string[] {
  const volumes = args.create_volume_permissions as Arguments | null | undefined;
  return volumes ? ((volumes.snapshot_ids as string[] | null | undefined) ?? snapshotIds) : [];
}

/** Whether only this set decides about the grants of a resource. */
function manages({ args, image }: Part, pair: string): boolean {
  const [resource = ""] = pair.split(" ");
  return args.mode === "authoritative" && [image.imageId, ...managedBy(args, image)].includes(resource);
}

/** The story of one set. */
function ofOne(
  { one, fate, onDelete, keys, timeouts, isSecret, comes, isTaken }: Drawn<typeof single>,
  i: number,
  { image, spare }: Pick<Story, "image" | "spare">,
): Story {
  const arranged = (declared: Record<string, unknown>, place: MadeImage, keyAccess: string | undefined, more: object) => {
    const { public: everybody, accountIds, ...args } = declared;
    const hidden = (accountIds as string[] | undefined)?.map((_, n) => idOf(SECRET, i, n));
    return {
      ...terraformArgumentsOf(
        // Without `public`, a set with KMS grants may have no grantee, and must say so.
        {
          ...args,
          ...(keys ? {} : { public: everybody }),
          accountIds: isSecret ? hidden : (accountIds ?? (keys ? [] : undefined)),
        },
        place,
      ),
      ...(onDelete ? { on_delete: onDelete } : {}),
      ...(keyAccess ? { kms_access: keyAccess } : {}),
      ...more,
    };
  };
  const exists = one.recorded !== undefined;
  const moves = exists && fate.startsWith("moves");
  const isSame = fate === "stays as declared" || JSON.stringify(one.desired) === JSON.stringify(one.previous);
  const desired = isSame ? unguarded(one.previous) : one.desired;
  const more = {
    ...(timeouts ? { timeouts: { create: timeouts, update: timeouts } } : {}),
    ...(fate === "moves gently" ? { lifecycle: { create_before_destroy: true } } : {}),
  };
  const name = `s${i}`;
  return {
    ...{ one, image, spare, comes, isTaken },
    kind: keys ? "key grants" : isSecret ? "sensitive" : timeouts ? "timeouts" : exists ? fate : "new",
    before: exists ? { [name]: arranged(unguarded(one.previous), image, keys?.[0], {}) } : {},
    after: exists && fate === "leaves" ? {} : { [name]: arranged(desired, moves ? spare : image, keys?.[1], more) },
  };
}

/** The story of two sets of one AMI. */
function ofTwo(
  { one, other, mode, there, isHandOver, comes }: Drawn<typeof pair>,
  i: number,
  { image, spare }: Pick<Story, "image" | "spare">,
): Story {
  const arranged = (declared: Record<string, unknown>, kind: string) => {
    const { createVolumePermissions: volumes, ...args } = declared;
    return terraformArgumentsOf({ ...args, mode: kind, ...(volumes ? { createVolumePermissions: true } : {}) }, image);
  };
  const ids = (list: unknown) => (list ?? []) as string[];
  const taking = isHandOver
    ? { accountIds: [...new Set([...ids(other.desired.accountIds), ...ids(one.previous.accountIds)])] }
    : {};
  const chosen = (letters: string | undefined, sets: Sets): Sets =>
    Object.fromEntries(Object.entries(sets).filter(([name]) => letters?.includes(name.charAt(0))));
  return {
    ...{ one, image, spare, comes, isTaken: false, kind: isHandOver ? "hand-over" : "two sets" },
    before: chosen(there[0], {
      [`a${i}`]: arranged(unguarded(one.previous), mode),
      [`b${i}`]: arranged(unguarded(other.previous), "additive"),
    }),
    after: chosen(there[1], {
      [`a${i}`]: arranged(one.desired, mode),
      [`b${i}`]: arranged({ ...other.desired, ...taking }, "additive"),
    }),
  };
}

type Drawn<From> = From extends fc.Arbitrary<infer Value> ? Value : never;

/** Without arguments that may refuse a revocation. */
function unguarded({ maxRevocations, unrecorded, ...declared }: Record<string, unknown>): Record<string, unknown> {
  return declared;
}

function nameIn(address: string | undefined): string {
  return (address ?? "").replace(`${TYPE}.`, "");
}

/** The stable code at the end of a message. Another paragraph may follow. */
function codeIn(detail: string): string | undefined {
  return /\[([a-z-]+)\]/.exec(detail)?.[1];
}

function granteeIn(pair: string): string {
  return pair.slice(pair.indexOf(" ") + 1);
}

function isOf({ imageId, snapshotIds }: MadeImage, resource: string | undefined): boolean {
  return resource === imageId || snapshotIds.includes(resource ?? "");
}

function pairsIn({ imageId, snapshotIds }: MadeImage, grants: Grants): ReadonlySet<string> {
  return new Set(pairsOf(imageId, decodeGrants(grants, snapshotIds)));
}

function listed(list: unknown): readonly string[] {
  return (list ?? []) as string[];
}

function minus(all: ReadonlySet<string>, others: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...all].filter((one) => !others.has(one)));
}

function union(all: readonly ReadonlySet<string>[]): ReadonlySet<string> {
  return new Set(all.flatMap((one) => [...one]));
}

function same(one: Iterable<string>, other: Iterable<string>): boolean {
  return String([...new Set(one)].sort()) === String([...new Set(other)].sort());
}

function readable(about: unknown): string {
  return JSON.stringify(about, (_, value) => (value instanceof Set ? [...value] : value));
}

/** Lets Terraform tell the provider of all sets at once. */
function parallel(sets: number): string {
  return `-parallelism=${sets + 10}`;
}

async function each<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  for (const batch of batches([...items], 8)) await Promise.all(batch.map(work));
}
