/** Compares the diff and reports of previews with what `up` did, for random sets in one program with the real engine. */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import * as fc from "fast-check";
import {
  accountKey,
  decodeDeclaredSet,
  decodeGrants,
  ec2Gateway,
  type Gateway,
  type Grants,
  managedSnapshots,
  type PermissionSet,
  permissionSetOf,
  targetPermissions,
} from "../../provider/core";
import { batches } from "../../provider/core/model/batches";
import { type Call, type MadeImage, useEmulator } from "../helpers/emulator";
import { PulumiProject, type Ran } from "../helpers/pulumiProject";
import {
  ACCOUNTS,
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
import { cases } from "../properties/runs";

/** A set as the program declares it. */
interface Declared {
  readonly args: Record<string, unknown>;
  readonly options: { readonly deleteBeforeReplace?: boolean; readonly retainOnDelete?: boolean };
  readonly isSecret: boolean;
}

/** Set name → set. */
type Sets = Readonly<Record<string, Declared>>;

/** The sets of one AMI, and of the AMI that they move to, before and after. */
interface Story {
  readonly one: EventfulCase;
  readonly fate: Shape["fate"];
  /** Whether nobody else changes anything before the preview. */
  readonly isQuiet: boolean;
  readonly before: Sets;
  readonly after: Sets;
  readonly image: CaseImage;
  readonly spare: CaseImage;
}

/** What the engine's event log says about one resource in one operation. */
interface Told {
  readonly operations: string[];
  /** The grants before and after, as the diff shows them. */
  old: Grants;
  new: Grants;
  readonly reports: string[];
  readonly errors: string[];
  /** The message about a set that is not in the program any more. */
  departure?: string;
}

/** The grants in EC2 as `resource grantee`, and in KMS as `ami-… grantee`. */
interface World {
  readonly pairs: readonly string[];
  readonly keys: readonly string[];
}

const often = <T>(value: T, times: number) => Array<T>(times).fill(value);

/** Random properties in addition to the case: what happens to the set. */
const shape = fc.record({
  one: eventful(sharingCase),
  spare: eventful(sharingCase),
  fate: fc.constantFrom(...often("stays" as const, 9), "moves", "moves", "leaves", "hands over", "hands over", "hands over"),
  change: fc.constantFrom(...often("other" as const, 8), "none", "timeouts"),
  /** The value of `unrecorded`, for an authoritative set whose state is right until somebody adds a grant. */
  unrecorded: fc.constantFrom(...often(undefined, 8), "refuse", "revoke"),
  isSecret: fc.constantFrom(...often(false, 7), true),
  deletesFirst: fc.constantFrom(false, false, true),
  retains: fc.constantFrom<readonly string[]>(...often([], 4), ["before"], ["after"], ["before", "after"]),
});
type Shape = typeof shape extends fc.Arbitrary<infer T> ? T : never;

const someAccounts = fc.record({
  accountIds: fc.subarray([...ACCOUNTS], { minLength: 1 }),
  createVolumePermissions: fc.constantFrom(true, false),
  kmsAccess: fc.constantFrom("grant", "check"),
  timeouts: fc.constantFrom({ update: "30m" }, { create: "30m" }),
});

/** Two sets of one AMI: which exist before and after. Only one of them can be authoritative. */
const pair = fc.record({
  a: someAccounts,
  b: someAccounts,
  a2: someAccounts,
  b2: someAccounts,
  mode: fc.constantFrom("additive", "authoritative"),
  there: fc.constantFrom<readonly string[]>(
    ["ab", "b"],
    ["ab", "b"],
    ["a", "r"],
    ["a", "b"],
    ["ab", "ab"],
    ["a", "ab"],
    ["ab", "a"],
  ),
  isEncrypted: fc.boolean(),
});
type Pair = typeof pair extends fc.Arbitrary<infer T> ? T : never;

describe("the truth of previews, with the real engine", function () {
  this.timeout(3_600_000);
  const emulator = useEmulator();
  let project: PulumiProject;
  before(async () => {
    // The program reads a file: the engine passes config in the environment, which is too small for hundreds of sets.
    const program = `
      import * as fs from "node:fs";
      import * as pulumi from "@pulumi/pulumi";
      import { AmiLaunchPermissionSet } from "ami-launch-permissions";
      for (const [name, { args, options, isSecret }] of Object.entries<any>(JSON.parse(fs.readFileSync("sets.json", "utf8")))) {
        if (isSecret)
          for (const key of ["accountIds", "neverRevoke", "createVolumePermissions"]) if (key in args) args[key] = pulumi.secret(args[key]);
        new AmiLaunchPermissionSet(name, args, options);
      }
    `;
    project = await PulumiProject.create(emulator(), { program, env: { PULUMI_DEBUG_COMMANDS: "true" } });
  });
  after(() => project.remove());

  it("for hundreds of sets, a preview says what the up does", async () => {
    const seed = Number(process.env.FC_SEED ?? Date.now() % 1_000_000);
    const stories = await told(seed, cases(300).numRuns);
    const images = stories.flatMap(({ image, spare }) => [image, spare]);
    const look = async (): Promise<World> => ({
      pairs: await emulator().pairs(images),
      keys: await emulator().keyHolders(REGIONS),
    });
    const gateways = Object.fromEntries(REGIONS.map((region) => [region, gatewayTo(emulator().url, region)]));
    const gatewayOf = ({ region }: MadeImage) => gateways[region] as Gateway;

    // Real ups make the records. Sets without a record are created later.
    declare(stories.map(({ before }) => before));
    await project.run("up", "--yes", "--skip-preview", "--continue-on-error");
    const recorded = new Set((await project.state()).sets.map(({ urn }) => nameIn(urn)));
    await drift(stories, gatewayOf, await look());
    for (const call of [
      ["enable-image-block-public-access", "--image-block-public-access-state", "block-new-sharing"],
      ["enable-snapshot-block-public-access", "--state", "block-new-sharing"],
    ])
      await emulator().aws("ec2", ...call, "--region", REGIONS[1]);

    const shown = await look();
    declare(stories.map(({ after }) => after));
    await emulator().forgetCalls();
    const previewed = await events("preview");
    assert.deepEqual(changesIn(await emulator().calls()), [], "a preview changes nothing");
    const meddled = await each(stories, (story) => meddle(story, gatewayOf, shown));
    const found = await look();
    await emulator().forgetCalls();
    const done = await events("up", "--yes", "--skip-preview", "--continue-on-error");
    const calls = (await emulator().calls()).filter(({ action }) => /^(Modify|Reset|CreateGrant|RevokeGrant)/.test(action));
    const left = await look();

    const wrong: string[] = [];
    const tally: Record<string, number> = {};
    const count = (kind: string, times = 1) => {
      tally[kind] = (tally[kind] ?? 0) + times;
    };
    let sets = 0;
    for (const [i, story] of stories.entries()) {
      const names = Object.keys({ ...story.before, ...story.after }).filter((name) => name in story.after || recorded.has(name));
      sets += names.length;
      const problems = (story.fate === "moves" ? [story.image, story.spare] : [story.image]).map((image) => {
        const at = (world: World) => worldOf(image, world);
        const mine = calls.filter(({ resource }) => [image.imageId, image.keyId, ...image.snapshotIds].includes(resource));
        const scene = { story, image, recorded, previewed, done, calls: mine, ...meddledOn(image, meddled[i] ?? NOTHING) };
        return judge({ ...scene, shown: at(shown), found: at(found), left: at(left) }, count);
      });
      const problem = problems.find((one) => one !== undefined);
      if (problem === undefined) continue;
      const about = names.map((name) => ({ name, previewed: previewed.get(name), done: done.get(name) }));
      wrong.push(`story ${i}, ${story.fate}: ${problem}\n${JSON.stringify({ about, story }, undefined, 1)}`);
    }
    const hidden = stories.flatMap((story, i) => (isSecret(story) ? ACCOUNTS.map((_, k) => secretAccount(i, k)) : []));
    const { text: state } = await project.state();
    const shownTexts = [...texts, state];
    const leaks = hidden.filter((id) => shownTexts.some((text) => text.includes(id)));
    count("secret", stories.filter(isSecret).length);

    console.log(
      `      truth of previews: ${stories.length - wrong.length} of ${stories.length} AMIs' sets (${sets} sets) agree with what the up did (${Object.entries(
        tally,
      )
        .sort()
        .map(([kind, times]) => `${times} ${kind}`)
        .join(", ")}; FC_SEED=${seed})`,
    );
    for (const text of wrong) console.log(`      ${text.split("\n")[0]?.slice(0, 300)}`);
    if (leaks.length > 0) console.log(`      secret and shown: ${leaks}`);
    assert.deepEqual(wrong.slice(0, 3), []);
    assert.deepEqual(leaks, [], "no secret is shown");
    for (const kind of KINDS) assert.ok((tally[kind] ?? 0) > 0, `${kind} is among the cases`);
  });

  /** The output and the logs of all CLI runs. */
  const texts: string[] = [];

  /** Draws stories until there are enough sets, and makes their AMIs. */
  async function told(seed: number, count: number): Promise<Story[]> {
    const drawn: (Shape & { pair: Pair })[] = [];
    const all = fc.sample(fc.tuple(shape, pair), { numRuns: count, seed });
    for (let sets = 0; sets < count; ) {
      const [one, two] = all[drawn.length] as [Shape, Pair];
      sets += one.fate === "hands over" && two.there.join("").includes("ab") ? 2 : 1;
      drawn.push({ ...one, pair: two });
    }
    const own = drawn.map(watched).map((one, i) => (one.isSecret ? withSecretAccounts(one, i) : one));
    const handed = own.map(({ fate, one, pair: { isEncrypted } }): EventfulCase => {
      if (fate !== "hands over") return one;
      return { ...one, protection: isEncrypted && one.snapshots > 0 ? "own-key" : "none" };
    });
    const images = await makeImages(emulator(), [...handed, ...own.map(({ spare, one }) => ({ ...spare, region: one.region }))]);
    return own.map((one, i) => {
      const [image, spare] = [images[i], images[i + own.length]] as [CaseImage, CaseImage];
      return {
        one: handed[i] as EventfulCase,
        fate: one.fate,
        isQuiet: isWatched(one),
        image,
        spare,
        ...setsOf(one, i, image, spare),
      };
    });
  }

  /** Declares the sets of the program. */
  function declare(all: readonly Sets[]): void {
    fs.writeFileSync(path.join(project.folder, "sets.json"), JSON.stringify(Object.assign({}, ...all)));
  }

  /** Changes existing AMIs as the cases say, as somebody else would. */
  async function drift(stories: readonly Story[], gatewayOf: (image: MadeImage) => Gateway, now: World): Promise<void> {
    // Half of the AMIs drift. The others stay as the up left them.
    const drifting = stories.filter(({ before, isQuiet }, i) => Object.keys(before).length > 0 && i % 2 === 0 && !isQuiet);
    await each(drifting, async ({ image, one }, i) => {
      const live = permissionsOf(one.live, image);
      const there = holdersOf(image.imageId, now.pairs);
      const [add, remove] = [
        [...live.launch].filter((key) => !there.includes(key)),
        there.filter((key) => !live.launch.has(key)),
      ];
      // What EC2 refuses cannot drift.
      await gatewayOf(image)
        .changeLaunchPermissions(image.imageId, { add, remove })
        .catch(() => undefined);
      if (i % 4 !== 0 || !image.keyId) return;
      const [grant] = (await gatewayOf(image).keys.grants(image.keyId)) ?? [];
      if (grant) await gatewayOf(image).keys.revokeGrant(image.keyId, grant.grantId);
    });
  }

  /** Runs the CLI. Returns what the engine's events say about each set, by name. */
  async function events(...command: string[]): Promise<Map<string, Told>> {
    const log = path.join(project.folder, `${command[0]}.events`);
    const ran: Ran = await project.run(...command, "--event-log", log);
    const text = fs.readFileSync(log, "utf8");
    // Debug events of the SDK contain the secrets of every program.
    texts.push(ran.output, ...text.split("\n").filter((line) => !line.includes('"severity":"debug"')));
    const found = new Map<string, Told>();
    const about = (name: string) => {
      const one = found.get(name) ?? { operations: [], old: {}, new: {}, reports: [], errors: [] };
      found.set(name, one);
      return one;
    };
    for (const line of text.trim().split("\n")) {
      const { resourcePreEvent, diagnosticEvent } = JSON.parse(line);
      const { metadata } = resourcePreEvent ?? {};
      if (metadata?.type?.endsWith(":AmiLaunchPermissionSet")) {
        const one = about(nameIn(metadata.urn));
        one.operations.push(metadata.op);
        one.old = metadata.old?.inputs?.grants ?? one.old;
        one.new = metadata.new?.inputs?.grants ?? one.new;
      }
      const message: string = diagnosticEvent?.message?.replace(/<\{%[^%]*%\}>/g, "") ?? "";
      const [, leaving] = /^set "(\w+)" is not declared any more\n/.exec(message) ?? [];
      if (leaving) about(leaving).departure = message;
      else if (diagnosticEvent?.urn?.includes(":AmiLaunchPermissionSet::")) {
        const one = about(nameIn(diagnosticEvent.urn));
        one[command[0] === "up" && diagnosticEvent.severity === "error" ? "errors" : "reports"].push(message);
      }
    }
    if (found.size === 0) assert.fail(ran.output.slice(-4000));
    return found;
  }
});

/** Every one of these must be among the cases. */
const KINDS = [
  ...["create", "update", "same", "refused", "replaced", "deleted first", "retained", "departed"],
  ...["drifted since the preview", "refused by the up alone", "revoked whom the state does not record"],
  ...["key grants made", "key grants revoked", "left to another set", "timeouts alone", "secret"],
];

/** What somebody else did between preview and up, as `resource grantee`. */
interface Meddled {
  readonly came: readonly string[];
  readonly went: readonly string[];
}
const NOTHING: Meddled = { came: [], went: [] };

function meddledOn(image: CaseImage, { came, went }: Meddled): Meddled {
  return { came: ofImage(image, came), went: ofImage(image, went) };
}

/** Adds the stranger's grants and removes a grant, as the case says. If EC2 refuses, nothing happens. */
async function meddle(
  { one, fate, image: first, spare, after }: Story,
  gatewayOf: (image: MadeImage) => Gateway,
  shown: World,
): Promise<Meddled> {
  const [came, went] = [[] as string[], [] as string[]];
  const image = fate === "moves" ? spare : first;
  const gateway = gatewayOf(image);
  const add = [accountKey(STRANGER)];
  for (const resource of (one.meanwhile?.comes ?? []).flatMap((at) => [image.imageId, ...image.snapshotIds][at] ?? [])) {
    const change = resource.startsWith("ami-")
      ? gateway.changeLaunchPermissions(resource, { add, remove: [] })
      : gateway.changeCreateVolumePermissions(resource, "add", add);
    await change.then(
      () => came.push(`${resource} ${add}`),
      () => undefined,
    );
  }
  const [set] = Object.values(after);
  // A grant on an AMI under the AWS managed key cannot be made again.
  const kept =
    one.meanwhile?.goes && set && one.protection !== "aws-key"
      ? pairsWanted(set, image).find((pair) => / (?!public)/.test(pair) && shown.pairs.includes(pair))
      : undefined;
  if (kept?.startsWith("ami-"))
    await gateway.changeLaunchPermissions(image.imageId, { add: [], remove: [kept.split(" ")[1] as string] }).then(
      () => went.push(kept),
      () => undefined,
    );
  return { came, went };
}

/** One AMI from before the preview to after the up. */
interface Scene extends Meddled {
  readonly story: Story;
  readonly image: CaseImage;
  readonly recorded: ReadonlySet<string>;
  readonly previewed: ReadonlyMap<string, Told>;
  readonly done: ReadonlyMap<string, Told>;
  /** The changing calls for the AMI, its snapshots and its key. */
  readonly calls: readonly Call[];
  /** The grants at the preview, before the up, and after it. */
  readonly shown: World;
  readonly found: World;
  readonly left: World;
}

/** What preview and up said about an AMI and did not do; undefined if they agree. */
function judge(scene: Scene, count: (kind: string, times?: number) => void): string | undefined {
  const { story, image, recorded, previewed, done, calls, found, left } = scene;
  const ofAmi = ([, { args }]: readonly [string, Declared]) => args.imageId === image.imageId;
  const parts = Object.entries(story.after).filter(ofAmi);
  const going = Object.entries(story.before)
    .filter(ofAmi)
    .filter(([name]) => recorded.has(name) && story.after[name]?.args.imageId !== image.imageId);
  const hasDrifted = scene.came.length + scene.went.length > 0;
  if (hasDrifted) count("drifted since the preview");
  const [gained, lost] = [missing(left.pairs, found.pairs), missing(found.pairs, left.pairs)];
  const problems: (string | undefined)[] = [];

  /** The reported grants of this AMI, as `resource grantee`. */
  const told = { gained: [] as string[], lost: [] as string[], deleted: [] as string[], retained: [] as string[] };
  let [isExact, hasFailed] = [true, false];
  const callTexts: string[] = [];
  for (const [name, set] of parts) {
    const before = previewed.get(name);
    const after = done.get(name);
    if (!before || !after) return `${name} is not in the ${before ? "up" : "preview"}`;
    const isReplaced = before.operations.includes("create-replacement");
    const operation = isReplaced ? "replaced" : (before.operations[0] ?? "none");
    if (before.reports.length > 1) return `${name} is reported more than once`;
    const planned = before.reports[0] === undefined ? undefined : readReport(before.reports[0]);
    const made = after.reports[0] === undefined ? undefined : readReport(after.reports[0]);
    if (!planned) {
      const isQuiet = operation === "same" || (operation === "update" && onlyTimeouts(story, name));
      if (!isQuiet) return `${name}: nothing is reported of ${operation}`;
      if (made || after.errors.length > 0) return `${name}: the preview was silent, the up said ${after.reports} ${after.errors}`;
      count(operation === "same" ? "same" : "timeouts alone");
      continue;
    }
    if (operation === "same") return `${name}: nothing changes, and something is reported`;
    if (planned.refusal !== undefined) {
      count("refused");
      hasFailed = true;
      const codes = [planned.refusal, ...(hasDrifted ? ["unrecorded-grants", "too-many-revocations"] : [])];
      const isRefused = after.errors.some((text) => codes.some((code) => text.includes(`[${code}]`)));
      if (!isRefused) return `${name}: it was to fail with ${planned.refusal}: ${after.errors}`;
      continue;
    }
    if (after.errors.length > 0) {
      const limit = set.args.maxRevocations === undefined ? [] : ["too-many-revocations"];
      const codes = set.args.unrecorded === "refuse" ? ["unrecorded-grants", ...limit] : limit;
      const isMeant = hasDrifted && after.errors.some((text) => codes.some((code) => text.includes(`[${code}]`)));
      if (!isMeant) return `${name}: it fails with ${after.errors}`;
      const isNamed = set.isSecret || after.errors.join().includes(`account/${STRANGER}`);
      if (after.errors.join().includes("[unrecorded-grants]") && !isNamed)
        return `${name}: ${after.errors} does not name who came`;
      count("refused by the up alone");
      hasFailed = true;
      continue;
    }
    count(operation);
    if (!made) return `${name}: the up reports nothing`;
    const isAlone = parts.length + going.length === 1;
    // If somebody else changed grants in between, only the up can know.
    const report = hasDrifted ? made : planned;
    if (!hasDrifted && isAlone && JSON.stringify(made.lines) !== JSON.stringify(planned.lines))
      problems.push(`${name}: the up reports otherwise: ${after.reports}`);
    callTexts.push(made.calls);
    if (!hasDrifted && isAlone && made.calls !== planned.calls) problems.push(`${name}: the up makes the calls ${made.calls}`);
    isExact &&= !set.isSecret;
    told.gained.push(...pairsTold(image, report, "+"));
    told.lost.push(...pairsTold(image, report, "-"));
    count("left to another set", report.lines.filter(({ why }) => why.startsWith("stays: set ")).length);
    problems.push(
      unforeseen(scene, name, set, operation, made, isAlone),
      undeclared(scene, set, isAlone),
      operation === "replaced" || set.isSecret ? undefined : silent(image, before, report),
    );
    if (isAlone) problems.push(miscounted(report, gained, lost), wrongKeys(scene, set, made));
  }
  for (const [name, set] of going) {
    const before = previewed.get(name);
    const departure = hasDrifted ? done.get(name)?.departure : before?.departure;
    const texts = [departure, ...(before?.reports ?? [])].filter((text) => text !== undefined);
    const words = texts.map(readReport).find(({ deletion }) => deletion?.imageId === image.imageId)?.deletion;
    if (!words) return `${name}: what becomes of the AMI that it leaves is not told`;
    // If the old set is deleted first, its grants are gone even if the new one fails.
    const failed = words.isFirst ? [] : (done.get(name)?.errors ?? []);
    const retained = set.options.retainOnDelete === true;
    count(name in story.after ? (words.isFirst ? "deleted first" : "deleted after") : "departed");
    if (retained) count("retained");
    if (retained && !/retainOnDelete|onDelete: retain/.test(words.text))
      return `${name}: it is retained, and the report does not know it`;
    if (failed.length > 0) hasFailed = true;
    // Grants that another set drops at the same time and this set also made stay too. The program cannot see this.
    if (retained) told.retained.push(...pairsTold(image, words, "-"));
    // The message lists recorded grants. Grants that others have removed since cannot be lost.
    isExact &&= !set.isSecret;
    if (!retained && failed.length === 0)
      told.deleted.push(...pairsTold(image, words, "-").filter((pair) => found.pairs.includes(pair)));
    count("left to another set", words.lines.filter(({ why }) => why.startsWith("stays: set ")).length);
  }
  if (isExact && !hasFailed) {
    const stays = (pair: string) => told.retained.includes(pair) && left.pairs.includes(pair);
    const [gains, losses] = [sortedOnce(told.gained), sortedOnce([...told.lost, ...told.deleted].filter((one) => !stays(one)))];
    if (String(gains) !== String(gained)) problems.push(`${gained} were gained, and told was ${gains}`);
    if (String(losses) !== String(lost)) problems.push(`${lost} were lost, and told was ${losses}`);
  } else if (isExact) {
    const untold = missing(lost, [...told.lost, ...told.deleted]);
    if (untold.length > 0) problems.push(`${untold} were lost though something failed`);
  }
  if (hasFailed && parts.length + going.length === 1 && gained.length + calls.length > 0)
    problems.push(`${gained} were gained, by ${calls.length} calls, though it failed`);
  if (going.length === 0 && !hasFailed) {
    const sent = callsTold(countsOf(calls));
    const text = callsTold(callTexts.map(countsIn).reduce(added, {}));
    if (text !== sent) problems.push(`the calls were ${sent}, and told was ${text}`);
  }
  const made = calls.filter(({ status }) => status < 300);
  count("key grants made", made.filter(({ action }) => action === "CreateGrant").length);
  count("key grants revoked", made.filter(({ action }) => action === "RevokeGrant").length);
  problems.push(takenMeanwhile(scene, parts), keysLeft(scene, parts, going, hasFailed));
  const unrecorded = [...done.entries()].filter(([name]) => parts.some(([part]) => part === name));
  if (unrecorded.some(([, { reports }]) => reports.join().includes("set elsewhere, and not in the state): ")))
    count("revoked whom the state does not record");
  return problems.find((problem) => problem !== undefined);
}

/** Checks how an up handled what somebody else did after the preview. */
function unforeseen(
  { image, came, left }: Scene,
  name: string,
  { args, isSecret }: Declared,
  operation: string,
  made: Report,
  isAlone: boolean,
): string | undefined {
  const set = setOf(args);
  const managed = [image.imageId, ...managedSnapshots(set, image)];
  const unwanted = set.mode === "authoritative" ? came.filter((pair) => managed.includes(pair.split(" ")[0] as string)) : [];
  const lost = came.filter((pair) => !left.pairs.includes(pair));
  if (!isAlone && set.mode === "additive") return undefined;
  if (String(lost) !== String(unwanted)) return `${name}: of those who came, ${lost} are gone, and ${unwanted} were to go`;
  if (unwanted.length === 0) return undefined;
  if (set.unrecorded === "refuse") return `${name}: ${unwanted} came since, and it is not refused`;
  if (isSecret) return undefined;
  const why = operation === "update" ? "set elsewhere, and not in the state" : "set elsewhere";
  const named = made.lines.filter((line) => line.sign === "-" && line.why.replace(/; \d+$/, "") === why);
  const told = named.flatMap(({ grants }) => pairsIn(image, grants));
  const untold = unwanted.filter((pair) => !told.includes(pair));
  return untold.length > 0 ? `${name}: the report does not name ${untold} as ${why}` : undefined;
}

/** What a created set declares and EC2 does not have; for a set that decides alone, also what EC2 has in addition. */
function undeclared({ image, found, left }: Scene, { args }: Declared, isAlone: boolean): string | undefined {
  const set = setOf(args);
  const wanted = pairsOf(image.imageId, targetPermissions(set, { ownerId: OWNER, snapshotIds: image.snapshotIds }));
  const lacking = missing(wanted, left.pairs);
  if (lacking.length > 0) return `${lacking} are declared and not there`;
  if (!isAlone || set.mode !== "authoritative") return undefined;
  const managed = [image.imageId, ...managedSnapshots(set, image)];
  const spared = found.pairs.filter((pair) => set.neverRevoke.has(pair.split(" ")[1] as string));
  const more = missing(
    left.pairs.filter((pair) => managed.includes(pair.split(" ")[0] as string)),
    [...wanted, ...spared],
  );
  return more.length > 0 ? `${more} are not declared and there` : undefined;
}

/** Checks the counts of gaining and losing grantees in the heading. */
function miscounted({ gain, lose }: Report, gained: readonly string[], lost: readonly string[]): string | undefined {
  const grantees = (pairs: readonly string[]) => new Set(pairs.map((one) => one.split(" ")[1])).size;
  const [gains, losses] = [grantees(gained), grantees(lost)];
  return gains === gain && losses === lose ? undefined : `${gains} gained and ${losses} lost, and told was ${gain} and ${lose}`;
}

/** What a report says about KMS grants and is not true in KMS. */
function wrongKeys({ image, found, left }: Scene, { isSecret }: Declared, { keysTo, keysOf }: Report): string | undefined {
  if (isSecret) return undefined;
  const holders = (keys: readonly string[]) => keys.map((key) => `${image.imageId} ${key}`);
  const expected = sortedOnce([...found.keys.filter((holder) => !holders(keysOf).includes(holder)), ...holders(keysTo)]);
  return String(left.keys) === String(expected) ? undefined : `KMS has grants of ${left.keys}, and told was ${expected}`;
}

/** What is declared about KMS grants and is not true in KMS. */
function keysLeft(
  { image, found, left, done, previewed }: Scene,
  parts: readonly (readonly [string, Declared])[],
  going: readonly (readonly [string, Declared])[],
  hasFailed: boolean,
): string | undefined {
  const holders = ({ args }: Declared) => {
    const accounts = pairsWanted({ args }, image).map((one) => one.split(" ")[1] as string);
    return accounts.filter((key) => key.startsWith("account/")).map((key) => `${image.imageId} ${key}`);
  };
  if (!image.keyId) return left.keys.length > 0 ? `${left.keys} have grants of no key` : undefined;
  const granting = parts.filter(([, { args }]) => args.kmsAccess === "grant");
  const isMade = ([name]: readonly [string, Declared]) =>
    previewed.get(name)?.reports.length && done.get(name)?.reports.length && done.get(name)?.errors.length === 0;
  const lacking = missing(
    granting.filter(isMade).flatMap(([, set]) => holders(set)),
    left.keys,
  );
  if (lacking.length > 0) return `${lacking} are declared and lack the key`;
  if (hasFailed || going.length === 0 || !parts.every(isMade)) return undefined;
  const spared = [...going, ...parts].flatMap(([, { args }]) =>
    [...setOf(args).neverRevoke].map((key) => `${image.imageId} ${key}`),
  );
  const keeps = going.some(([, { args, options }]) => args.onDelete === "retain" || options.retainOnDelete);
  const mayStay = [...granting.flatMap(([, set]) => holders(set)), ...spared, ...(keeps ? found.keys : [])];
  const more = missing(left.keys, mayStay);
  return more.length > 0 ? `${more} keep the key of sets that are gone` : undefined;
}

/** Declared grantees that lost access, even for a moment, according to the order of the calls. */
function takenMeanwhile({ image, found, calls }: Scene, parts: readonly (readonly [string, Declared])[]): string | undefined {
  const wanted = new Set(parts.flatMap(([, set]) => pairsWanted(set, image)).filter((one) => found.pairs.includes(one)));
  const taken = calls
    .filter(({ status }) => status < 300)
    .flatMap(({ action, resource, params }) => {
      if (action.startsWith("Reset")) return [...wanted].filter((one) => one.startsWith(`${resource} `));
      const removed = Object.entries(params).filter(([name]) => /\.Remove\.\d+\.UserId$/.test(name));
      return removed.map(([, id]) => `${resource} account/${id}`).filter((one) => wanted.has(one));
    });
  return taken.length > 0 ? `${taken} are declared and lost access for some time` : undefined;
}

/** Grants that the engine's diff shows as gained or lost and the report does not mention. */
function silent(image: MadeImage, told: Told, report: Report): string | undefined {
  const reported = ["+", "-", "="].flatMap((sign) => pairsTold(image, report, sign));
  const [old, now] = [pairsIn(image, told.old), pairsIn(image, told.new)];
  const untold = [...missing(old, now), ...missing(now, old)].filter((one) => !reported.includes(one));
  return untold.length > 0 ? `the diff shows ${untold}, and the report does not tell of it` : undefined;
}

interface Line {
  readonly sign: string;
  readonly why: string;
  readonly grants: Grants;
}

interface Report {
  readonly lines: readonly Line[];
  readonly calls: string;
  readonly gain: number;
  readonly lose: number;
  readonly keysTo: readonly string[];
  readonly keysOf: readonly string[];
  /** The code of the announced failure. */
  readonly refusal: string | undefined;
  /** What happens to an AMI that the set leaves. */
  readonly deletion:
    | { readonly imageId: string; readonly isFirst: boolean; readonly lines: readonly Line[]; readonly text: string }
    | undefined;
}

/** Parses the lines of a report. Wrapped lines are joined first. */
function readReport(text: string): Report {
  const all = text
    .trim()
    .replace(/\n {6,}/g, " ")
    .split("\n")
    .map((line) => line.trim());
  const start = all.findIndex((line) => /^(then|first) AMI ami-\w+, whose set is replaced|^AMI ami-\w+ (?!in )/.test(line));
  const heading = all.findIndex((line, i) => i > start && /^(AMI ami-\w+ in |will fail: )/.test(line));
  const isFirst = start >= 0 && heading > start;
  const leaving = start < 0 ? [] : isFirst ? all.slice(start, heading) : all.slice(start);
  const lines = start < 0 ? all : isFirst ? all.slice(heading) : all.slice(0, start);
  const after = (words: string) => lines.find((line) => line.startsWith(words))?.slice(words.length);
  const counted = (verb: RegExp) => Number(new RegExp(`(\\d+) ${verb.source}`).exec(lines[0] ?? "")?.[1] ?? 0);
  const failing = lines.filter((line) => line.startsWith("will fail: ")).join(" ");
  return {
    lines: lines.flatMap(readLine),
    calls: callsTold(countsIn(after("calls: ") ?? "")),
    gain: counted(/gain/),
    lose: counted(/los[et]/),
    keysTo: after("key grants to: ")?.split(", ") ?? [],
    keysOf: after("key grants revoked of: ")?.split(", ") ?? [],
    refusal: failing === "" ? undefined : (/\[(?!secret\])([a-z-]+)\]/.exec(failing)?.[1] ?? "unknown"),
    deletion:
      start < 0
        ? undefined
        : {
            imageId: /ami-\w+/.exec(leaving[0] ?? "")?.[0] ?? "",
            isFirst,
            lines: leaving.flatMap(readLine),
            text: leaving.join("\n"),
          },
  };
}

function readLine(line: string): Line[] {
  const [, sign, words, why, keys] = /^([-+=]) (.*?) \(([^)]*)\): (.*)$/.exec(line) ?? [];
  if (!sign || !words || !why || !keys) return [];
  assert.doesNotMatch(keys, / more$/);
  return [{ sign, why, grants: Object.fromEntries(keys.split(", ").map((key) => [key, words])) }];
}

/** The number of calls for each action, as text for comparisons. */
function callsTold(counts: Readonly<Record<string, number>>): string {
  const texts = Object.entries(counts).map(([action, times]) => `${times} ${action}`);
  return texts.length === 0 ? "none" : texts.sort().join(", ");
}

function countsOf(calls: readonly Call[]): Record<string, number> {
  return calls.map(({ action }) => ({ [action]: 1 })).reduce(added, {});
}

function countsIn(text: string): Record<string, number> {
  return Object.fromEntries([...text.matchAll(/(\d+) (\w+)/g)].map(([, times, action]) => [action, Number(times)]));
}

function added(a: Record<string, number>, b: Record<string, number>): Record<string, number> {
  return { ...a, ...Object.fromEntries(Object.entries(b).map(([key, times]) => [key, (a[key] ?? 0) + times])) };
}

/** The sets of a story, before and after. */
function setsOf(
  { one, fate, change, isSecret, deletesFirst, retains, pair: two }: Shape & { pair: Pair },
  i: number,
  image: CaseImage,
  spare: CaseImage,
): { before: Sets; after: Sets } {
  const declared = (args: Record<string, unknown>, when: string, on = image): Declared => ({
    args: argumentsOf(isSecret ? { ...args, accountIds: args.accountIds ?? [] } : args, on),
    options: {
      ...(deletesFirst ? { deleteBeforeReplace: true } : {}),
      ...(retains.some((one) => one === when) ? { retainOnDelete: true } : {}),
    },
    isSecret,
  });
  // If the state alone exceeds the limit, the check refuses it, which ends the program at once.
  const { maxRevocations: _, ...desired } = one.desired;
  const { maxRevocations: __, ...previous } = one.previous;
  if (fate === "hands over") {
    const [from = "", to = ""] = two.there;
    const a = (args: object) => ({ ...args, mode: two.mode });
    const b = (args: object) => ({ ...args, mode: "additive" });
    const all = (names: string, when: string): Sets => ({
      ...(names.includes("a") ? { [`a${i}`]: declared(a(when === "before" ? two.a : two.a2), when) } : {}),
      ...(names.includes("b") ? { [`b${i}`]: declared(b(when === "before" ? two.b : two.b2), when) } : {}),
      // Only renamed.
      ...(names.includes("r") ? { [`r${i}`]: declared(a(two.a), when) } : {}),
    });
    return { before: all(from, "before"), after: all(to, "after") };
  }
  const name = `s${i}`;
  const before = { [name]: declared(previous, "before") };
  if (fate === "leaves") return { before, after: {} };
  if (fate === "moves") return { before, after: { [name]: declared(withoutSnapshots(one.desired), "after", spare) } };
  if (!one.recorded) return { before: {}, after: { [name]: declared(one.desired, "after") } };
  const args = change === "other" ? desired : change === "none" ? previous : { ...previous, timeouts: { update: "7m" } };
  return { before, after: { [name]: declared(args, change === "other" ? "after" : "before") } };
}

function isWatched({ fate, unrecorded }: Shape): boolean {
  return fate === "stays" && unrecorded !== undefined;
}

/** A story whose set is as recorded until somebody adds a grant after the preview. */
function watched(drawn: Shape & { pair: Pair }): Shape & { pair: Pair } {
  if (!isWatched(drawn)) return drawn;
  const { one, pair: two, unrecorded } = drawn;
  return {
    ...drawn,
    change: "other",
    one: {
      ...one,
      protection: "none",
      recorded: one.live,
      previous: { ...two.a, mode: "authoritative" },
      desired: { ...two.a2, mode: "authoritative", unrecorded },
      meanwhile: { comes: [...new Set([0, one.snapshots])], goes: one.meanwhile?.goes ?? false },
    },
  };
}

/** Arguments that are valid for an AMI with other snapshots. */
function withoutSnapshots({ createVolumePermissions: volumes, ...args }: Record<string, unknown>): Record<string, unknown> {
  if (typeof volumes !== "object" || volumes === null) return { ...args, createVolumePermissions: volumes };
  const { snapshotIds: _, ...rest } = volumes as Record<string, unknown>;
  return { ...args, createVolumePermissions: rest };
}

function onlyTimeouts({ before, after }: Story, name: string): boolean {
  const text = (set: Declared | undefined) => set && JSON.stringify({ ...set.args, timeouts: undefined });
  return text(before[name]) === text(after[name]);
}

function isSecret({ after, before }: Story): boolean {
  return Object.values({ ...before, ...after }).some((set) => set.isSecret);
}

/** An account that is in no other story. */
function secretAccount(story: number, account: number): string {
  return `${300_000 + story}${String(account).padStart(6, "7")}`;
}

function withSecretAccounts<T>(drawn: T, story: number): T {
  const text = ACCOUNTS.reduce((all, id, k) => all.replaceAll(id, secretAccount(story, k)), JSON.stringify(drawn));
  // The ARNs of organizations contain one of the account ids.
  return JSON.parse(
    text
      .replaceAll(`organizations::${secretAccount(story, 0)}`, `organizations::${ACCOUNTS[0]}`)
      .replaceAll(`ORGANIZATIONS::${secretAccount(story, 0)}`, `ORGANIZATIONS::${ACCOUNTS[0]}`),
  ) as T;
}

function setOf(args: Record<string, unknown>): PermissionSet {
  const decoded = decodeDeclaredSet(args);
  assert.ok("declared" in decoded, JSON.stringify(decoded));
  return permissionSetOf(decoded.declared) ?? assert.fail("not known");
}

function pairsWanted({ args }: Pick<Declared, "args">, { imageId, snapshotIds }: MadeImage): string[] {
  return pairsOf(imageId, targetPermissions(setOf(args), { ownerId: OWNER, snapshotIds }));
}

function pairsIn({ imageId, snapshotIds }: MadeImage, grants: Grants): string[] {
  return pairsOf(imageId, decodeGrants(grants, snapshotIds));
}

function pairsTold(image: MadeImage, { lines }: Pick<Report, "lines">, sign: string): string[] {
  return lines.flatMap((line) => (line.sign === sign ? pairsIn(image, line.grants) : []));
}

function sortedOnce(items: readonly string[]): string[] {
  return [...new Set(items)].sort();
}

/** The items of the first list that are not in the second. */
function missing(items: readonly string[], others: readonly string[]): string[] {
  return sortedOnce(items).filter((item) => !others.includes(item));
}

function holdersOf(resource: string, pairs: readonly string[]): string[] {
  return pairs.filter((one) => one.startsWith(`${resource} `)).map((one) => one.split(" ")[1] as string);
}

function ofImage({ imageId, snapshotIds }: MadeImage, pairs: readonly string[]): string[] {
  return pairs.filter((one) => [imageId, ...snapshotIds].includes(one.split(" ")[0] as string));
}

function worldOf(image: MadeImage, { pairs, keys }: World): World {
  return { pairs: ofImage(image, pairs), keys: ofImage(image, keys) };
}

function changesIn(calls: readonly Call[]): string[] {
  return calls.map(({ action }) => action).filter((action) => /^(Modify|Reset|CreateGrant|RevokeGrant)/.test(action));
}

function nameIn(urn: string): string {
  return urn.split("::").at(-1) as string;
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
