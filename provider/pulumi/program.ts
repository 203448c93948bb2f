/** What the program knows about its own sets and about the stack's state: the context for the provider, and the sets that left the program. */

import { isDeepStrictEqual } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import {
  ARGUMENT_NAMES,
  type ArgumentProblem,
  type Claim,
  type ClaimedImage,
  claimOf,
  type Neighbours,
  NO_PERMISSIONS,
  observe,
  type PermissionSet,
  permissionSetOf,
  problemText,
  type Recorded,
  recordedClaim,
  reportOfDeletion,
} from "../core";
import { gatewayFor, withAccountNames } from "./look";
import { aliased, type InternalOutput, lineageOf, output, PULUMI_UNKNOWN, programEnd, READ_STACK } from "./sdkInternals";
import { hidesGrantees, plain, SECRETS, secretNames, secretsAmong, withoutSecrets } from "./secrets";
import { decodeInputs, encodeContext, nameOf, type Properties, recordedIn, setIn } from "./state";
import { DYNAMIC_SET_TYPE } from "./typeNames";

/** The outputs that the state records: URN → outputs. */
type StackState = Readonly<Record<string, Properties>>;

/** A set as the program declared it. */
interface DeclaredArguments {
  readonly resource: pulumi.CustomResource;
  readonly args: SetArguments;
  readonly given: GivenArguments;
  readonly options: SetOptions;
  /** Resolves when `known` is set, or when it never will be. */
  readonly arrival: Promise<void>;
  /** What {@link neededBy} found. */
  needed?: readonly pulumi.Resource[];
  /** The URN and the arguments. */
  known?: readonly [string, Properties];
  /** What is wrong with the arguments, if it is known yet. */
  problems?: readonly ArgumentProblem[];
}

/** The arguments that a program gave a set, serialized. One promise for all readers, because serializing waits for every value. */
export type GivenArguments = Promise<Properties>;

/** The arguments as the program gave them: values, promises and outputs. */
interface SetArguments {
  readonly imageId?: pulumi.Input<string> | undefined;
  readonly region?: pulumi.Input<string> | undefined;
}

/**
 * The arguments of a set, without outputs of other sets that repeat an argument, as in `imageId: first.imageId`. Those are known only after
 * the other set has changed, and before that it has to know what this set declares.
 */
export function knownArguments<Args extends SetArguments>(args: Args): Args {
  const known: { -readonly [Name in keyof SetArguments]: SetArguments[Name] } = {};
  for (const name of ["imageId", "region"] as const) {
    if (!pulumi.Output.isInstance(args[name])) continue;
    const given: unknown = args[name];
    const other = currentRun().resources.find(({ resource }) => output(resource, name) === given);
    if (other && !ignoredArguments(other.options).includes(name)) known[name] = other.args[name];
  }
  return { ...args, ...known };
}

export function givenArguments(args: object): GivenArguments {
  return pulumi.runtime.serializeProperties("arguments", args as pulumi.Inputs);
}

/** The options of a set that change what the engine does with it. */
export type SetOptions = Pick<
  pulumi.CustomResourceOptions,
  "ignoreChanges" | "deleteBeforeReplace" | "retainOnDelete" | "hideDiffs"
>;

/** One execution of a program. */
interface Run {
  readonly resources: DeclaredArguments[];
  /** Those of the resources whose arguments are not known yet. */
  readonly late: Set<DeclaredArguments>;
  /** Set when the program has started to report sets with wrong arguments. */
  refused?: Promise<void>;
  /** What {@link declaredSoFar} found, and of how many sets. */
  soFar?: { readonly count: number; readonly found: Promise<DeclaredSoFar> };
  state?: Promise<StackState>;
  declared?: Promise<readonly DeclaredResource[]>;
  departures?: Promise<readonly Departure[]>;
}

/** A set that the program declares, with all values known. */
interface DeclaredResource {
  readonly urn: string;
  readonly imageId: string;
  readonly region: string;
  readonly set: PermissionSet;
  /** Whether the grantees are a secret. */
  readonly isHidden: boolean;
}

/** By stack resource, because the Automation API can run several programs in one process. */
const runs = new WeakMap<object, Run>();
const outsideOfStacks: Run = newRun();

function newRun(): Run {
  return { resources: [], late: new Set() };
}

function currentRun(): Run {
  const stack = pulumi.runtime.getStackResource();
  if (!stack) return outsideOfStacks;
  const run = runs.get(stack) ?? newRun();
  runs.set(stack, run);
  return run;
}

/** The URN that a set will have. It is a promise, because an output would make the set depend on the children of its parent. */
export function urnOf(type: string, name: string, opts: pulumi.CustomResourceOptions | undefined): Promise<string> {
  return new Promise((resolve) => pulumi.createUrn(name, type, opts?.parent).apply(resolve));
}

/**
 * The context that the program passes to the provider with a set. The engine gives the provider neither names nor the records of other
 * sets. The context is a secret, because sets can contain secrets.
 *
 * @param hideDiffs the option of the set. Lists that do not change are removed from it, because the engine would show them as changed
 */
export function contextOf(
  urn: Promise<string>,
  imageId: pulumi.Input<string> | undefined,
  given: GivenArguments,
  hideDiffs: string[] = [],
): pulumi.Output<string> {
  const state = recordedState();
  const run = currentRun();
  const context = pulumi.output(imageId).apply(async (id) => {
    const [own, recorded] = [await urn, await state];
    // The engine gets the set only when all its arguments are known. Until then, more is known of the other sets.
    await given.catch(() => undefined);
    // After this, a program that does not wait for outputs has declared all its sets.
    await new Promise<void>((resolve) => setImmediate(resolve));
    await waitForOthers(run, id);
    const { sets, byImage } = await declaredSoFar(run);
    const [before, { args, options } = {}] = [recorded[own], sets.get(own)];
    const recordedOfImage = recordedByImage(recorded).get(id) ?? [];
    // A set without a record is new, unless an alias renamed a recorded set of the AMI. A new set has no lists to compare: it gets only the
    // program's own `hideDiffs`, since a refresh uses the value of the option that is recorded.
    const isNew = before === undefined && recordedOfImage.length === 0;
    const differing = isNew ? (options?.hideDiffs ?? []) : changed(hideDiffs, before, args, options);
    hideDiffs.splice(0, hideDiffs.length, ...differing);
    return encodeContext({
      urn: own,
      recorded: Object.fromEntries(recordedOfImage),
      declared: Object.fromEntries((byImage.get(id) ?? []).filter(([urn]) => urn !== own)),
    });
  });
  return pulumi.secret(context);
}

/** The sets that a program has declared, of which the arguments are known. */
interface DeclaredSoFar {
  /** By URN. */
  readonly sets: ReadonlyMap<string, { readonly args: Properties; readonly options: SetOptions }>;
  readonly byImage: ByImage;
}

/** URN and properties of sets, by the id of their AMI. */
type ByImage = ReadonlyMap<unknown, readonly (readonly [string, Properties])[]>;

function groupedByImage(sets: readonly (readonly [string, Properties])[]): ByImage {
  const groups = new Map<unknown, (readonly [string, Properties])[]>();
  for (const set of sets) {
    const group = groups.get(set[1].imageId);
    if (group) group.push(set);
    else groups.set(set[1].imageId, [set]);
  }
  return groups;
}

/**
 * The sets that the program has declared until now, and whose arguments are known. Every set asks, so the answer is kept until more are
 * known. If several sets have wrong arguments, it reports them and never resolves.
 */
function declaredSoFar(run: Run): Promise<DeclaredSoFar> {
  const count = run.resources.length - run.late.size;
  if (run.soFar?.count !== count) run.soFar = { count, found: findDeclared(run) };
  return run.soFar.found;
}

async function findDeclared(run: Run): Promise<DeclaredSoFar> {
  await refuseWrongSets(run);
  const known = run.resources.flatMap((one) => (one.known ? [[...one.known, one.options] as const] : []));
  return {
    sets: new Map(known.map(([urn, args, options]) => [urn, { args, options }])),
    byImage: groupedByImage(known.map(([urn, args]) => [urn, args])),
  };
}

/** How long to wait for the arguments of sets of another AMI, in milliseconds: their errors are reported together. */
const OTHERS_TIMEOUT = 20;
/**
 * How long to wait for the arguments of sets of the same AMI, in milliseconds: what they declare must not be revoked. A longer wait could
 * block, because the arguments can depend on the set that waits, in ways that cannot be seen.
 */
const SAME_IMAGE_TIMEOUT = 5000;

/** Waits for the arguments of the other sets that the program has declared until now. */
async function waitForOthers(run: Run, imageId: string | undefined): Promise<void> {
  await within(OTHERS_TIMEOUT, [...run.late]);
  // In tests with mocks, the sets of many programs are in one run.
  if (run === outsideOfStacks || run.late.size === 0) return;
  const sets = new Set<pulumi.Resource>(run.resources.map(({ resource }) => resource));
  const isAwaited = (one: DeclaredArguments) =>
    (typeof one.args.imageId !== "string" || one.args.imageId === imageId) && !neededBy(one).some((needed) => sets.has(needed));
  await within(SAME_IMAGE_TIMEOUT, [...run.late].filter(isAwaited));
}

/** Waits for the arguments of sets, but not longer than so many milliseconds. */
async function within(milliseconds: number, late: readonly DeclaredArguments[]): Promise<void> {
  if (late.length === 0) return;
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([Promise.all(late.map(({ arrival }) => arrival)), timeout]);
  clearTimeout(timer);
}

/** The resources without which a set has no URN or no arguments, as far as they can be seen: parents, and those of outputs. */
function neededBy(one: DeclaredArguments): readonly pulumi.Resource[] {
  one.needed ??= [...parentsOf(one.resource), ...(pulumi.output(one.args) as unknown as InternalOutput).resources()];
  return one.needed;
}

function parentsOf(resource: pulumi.Resource): pulumi.Resource[] {
  const { parent } = lineageOf(resource);
  return parent ? [parent, ...parentsOf(parent)] : [];
}

const recordedGroups = new WeakMap<StackState, ByImage>();

function recordedByImage(recorded: StackState): ByImage {
  const groups = recordedGroups.get(recorded) ?? groupedByImage(Object.entries(recorded));
  recordedGroups.set(recorded, groups);
  return groups;
}

/** The paths of arguments that can differ from the recorded ones, and those that the program itself hides. */
function changed(
  paths: readonly string[],
  before: Properties | undefined,
  args: Properties | undefined,
  options: SetOptions = {},
): readonly string[] {
  const now = args && decodeInputs(args);
  if (!before || !now || "problems" in now) return paths;
  const at = (props: object, path: string) =>
    path.split(".").reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], props);
  const ignored = ignoredArguments(options);
  const isSame = (path: string) =>
    ignored.includes(path.split(".")[0] ?? "") || isDeepStrictEqual(at(before, path), at(now.declared, path));
  // If the object around a list is added or removed, the change is one of that object.
  const shown = (path: string) => {
    const [top = path, ...inner] = path.split(".");
    const whole = [before, now.declared].every((props) => typeof at(props, top) === "object");
    return inner.length === 0 || whole ? path : top;
  };
  return [...new Set(paths.filter((path) => options.hideDiffs?.includes(path) || !isSame(path)).map(shown))];
}

/**
 * If several sets have wrong arguments, reports all of them before one is registered, because the engine ends the program at the first
 * one. Then the program fails, and this function never returns. If only one set is wrong, the engine reports it.
 */
async function refuseWrongSets(run: Run): Promise<void> {
  const wrong = run.resources.flatMap((one) => {
    if (!one.known) return [];
    const [urn, args] = one.known;
    // An asynchronous program calls this function again for each set, so the result is kept.
    one.problems ??= problemsOf(args, one.options);
    return one.problems.length > 0 ? [{ urn, args, problems: one.problems }] : [];
  });
  // In tests with mocks there is no stack, and the sets of many programs are in one run.
  if (wrong.length < 2 || run === outsideOfStacks) return;
  run.refused ??= reportWrongSets(wrong);
  await new Promise(() => undefined);
}

/** Ignored arguments are not checked, because the engine replaces them with the recorded ones. */
function problemsOf(args: Properties, options: SetOptions): readonly ArgumentProblem[] {
  const ignored = ignoredArguments(options).map((name) => [name, PULUMI_UNKNOWN]);
  const checked = ignored.length < ARGUMENT_NAMES.length ? args : {};
  const inputs = decodeInputs({ ...checked, ...Object.fromEntries(ignored) });
  return "problems" in inputs ? inputs.problems : [];
}

async function reportWrongSets(
  wrong: readonly { urn: string; args: Properties; problems: readonly ArgumentProblem[] }[],
): Promise<void> {
  for (const { urn, args, problems } of wrong) {
    const words = problems.map(problemText).join("; ");
    await pulumi.log.error(await withAccountNames(withoutSecrets(`${nameOf(urn)}: ${words} [invalid-argument]`, args)));
  }
  failProgram(`${wrong.length} sets have wrong arguments, as their errors say; nothing was changed`);
}

/** Ends the program with a message. Call it only where no caller catches the error. */
export function failProgram(message: string): never {
  const error = new pulumi.RunError(message);
  // After the code of the program has ended, Pulumi shows `stack`, not `message`.
  error.stack = message;
  throw error;
}

/** The names of a set's arguments that contain secrets; undefined if there are none. */
export async function secretArguments(given: GivenArguments, options: SetOptions = {}): Promise<string[] | undefined> {
  const names = await secretsOf(await given, options);
  return names.length > 0 ? names : undefined;
}

/** The same for serialized arguments. If changes of an argument are ignored, the recorded value applies, which can be a secret. */
async function secretsOf(serialized: Properties, options: SetOptions): Promise<string[]> {
  const ignored = ignoredArguments(options);
  const recorded = ignored.length > 0 ? Object.values(await recordedState()).flatMap(secretNames) : [];
  return [...new Set([...secretsAmong(serialized), ...ignored.filter((name) => recorded.includes(name))])].sort();
}

/** Notes that the program declares a set. The first call of a run also starts the report on sets that left the program. */
export function declareSet(
  resource: pulumi.CustomResource,
  args: SetArguments,
  given: GivenArguments,
  urn: Promise<string>,
  options: SetOptions = {},
): void {
  const run = currentRun();
  const arrival = Promise.all([urn, given])
    .then(async ([known, serialized]) => {
      declared.known = [known, { ...(plain(serialized) as Properties), [SECRETS]: await secretsOf(serialized, options) }];
    })
    .catch(() => undefined)
    .finally(() => run.late.delete(declared));
  const declared: DeclaredArguments = { resource, args, given, options, arrival };
  run.resources.push(declared);
  run.late.add(declared);
  if (run.resources.length > 1 || run === outsideOfStacks) return;
  const release = pulumi.runtime.rpcKeepAlive();
  reportDepartures()
    .catch((error: Error) => pulumi.log.debug(`no report on sets that left the program: ${error.message}`))
    .finally(release);
}

/** The recorded outputs of a resource; undefined for a new one. */
export async function recordedOutputs(resource: pulumi.CustomResource): Promise<Properties | undefined> {
  const urn = String(await output(resource, "urn").promise());
  return (await recordedState())[urn];
}

/** The other sets of an AMI, as the program declares them. It waits for the end of the program. */
export async function neighboursOf(resource: pulumi.CustomResource, imageId: string, region: string): Promise<Neighbours> {
  const urn = String(await output(resource, "urn").promise());
  const claims = claimsOn(await declaredSets(), imageId, region, urn);
  return { claims: [...claims, ...(await leavingClaims(imageId, region))], inherited: NO_PERMISSIONS };
}

/** The sets of an AMI that left the program. Their grants stay until they are deleted. */
async function leavingClaims(imageId: string, region: string): Promise<Claim[]> {
  const found = (await departures()).filter(({ set, record }) => set.imageId === imageId && record.region === region);
  return found.map(({ urn, set, record }) => recordedClaim(claimOf(nameOf(urn), set, record.granted)));
}

/** Whether the grantees of any set of an AMI, declared or recorded, are a secret. It waits for the end of the program. */
export async function hidesGranteesOf(imageId: string, region: string): Promise<boolean> {
  const recorded = recordedByImage(await recordedState()).get(imageId) ?? [];
  return (
    recorded.some(([, outputs]) => outputs.region === region && hidesGrantees(secretNames(outputs))) ||
    (await declaredSets()).some((one) => one.isHidden && one.imageId === imageId && one.region === region)
  );
}

/** All sets that the program declares for an AMI: what they declare stays when another set of the AMI is deleted. */
export async function remainingSetsOf(imageId: string, region: string): Promise<Neighbours> {
  return { claims: claimsOn(await declaredSets(), imageId, region, undefined), inherited: NO_PERMISSIONS };
}

function claimsOn(sets: readonly DeclaredResource[], imageId: string, region: string, but: string | undefined): Claim[] {
  return sets
    .filter((one) => one.urn !== but && one.imageId === imageId && one.region === region)
    .map(({ urn, set }) => claimOf(nameOf(urn), set));
}

/** A set that left the program: it is in the state, and the program does not declare it any more. */
interface Departure {
  readonly urn: string;
  readonly outputs: Properties;
  readonly set: PermissionSet;
  readonly record: Recorded & ClaimedImage;
}

/** The sets that left the program in this run. It waits for the end of the program. */
function departures(): Promise<readonly Departure[]> {
  const run = currentRun();
  run.departures ??= declaredSets().then(() => departuresOf(run));
  return run.departures;
}

async function departuresOf(run: Run): Promise<Departure[]> {
  const known = new Set((await Promise.all(run.resources.map(({ resource }) => urnsOf(resource)))).flat());
  return Object.entries(await recordedState()).flatMap(([urn, outputs]) => {
    const recorded = known.has(urn) ? undefined : decoded(outputs);
    return recorded ? [{ urn, outputs, ...recorded }] : [];
  });
}

/** Reports what happens to the sets that left the program. */
async function reportDepartures(): Promise<void> {
  const sets = await declaredSets();
  for (const { urn, outputs, set, record } of await departures()) {
    const claims = claimsOn(sets, set.imageId, record.region, undefined);
    const neighbours = { claims, inherited: NO_PERMISSIONS };
    const what = await deletionReport(`AMI ${set.imageId}`, set, record, outputs, { neighbours });
    await pulumi.log.info(await withAccountNames(`${nameOf(urn)} is not declared any more\n${what}`));
  }
}

/**
 * The report of a planned deletion, with notes on what the program cannot know. With `onDelete: "reset"`, it reads EC2, because the
 * deletion also revokes grants that are not recorded.
 */
export async function deletionReport(
  which: string,
  set: PermissionSet,
  recorded: Recorded,
  outputs: Properties,
  { neighbours, retainOnDelete = false }: { neighbours: Neighbours; retainOnDelete?: boolean | undefined },
): Promise<string> {
  const read = () => observe(gatewayFor({ ...outputs, region: recorded.region }), set);
  const seen = set.onDelete === "reset" ? await read().catch(() => undefined) : undefined;
  const countOnly = await hidesGranteesOf(set.imageId, recorded.region);
  const report = reportOfDeletion(which, set, seen ? { ...recorded, live: seen.live } : recorded, { neighbours, countOnly });
  const lines = retainOnDelete ? [`  ${which} stays shared: retainOnDelete.`, IF_OPTION_IS_NEW, report] : [report];
  // The engine uses the recorded option, which can also come from a parent. The program cannot read it.
  if (!retainOnDelete && set.onDelete !== "retain") lines.push(RETAIN_NOTE, DELETED_WITH_NOTE);
  return withoutSecrets(lines.join("\n"), outputs);
}

const IF_OPTION_IS_NEW = "  If no up before this one had that option:";
const RETAIN_NOTE = "  note: if the last up recorded retainOnDelete for it, everybody keeps access";
const DELETED_WITH_NOTE = "  note: the same holds for deletedWith, if that resource is deleted too";

function decoded(outputs: Properties): { set: PermissionSet; record: Recorded & ClaimedImage } | undefined {
  const set = setIn(outputs)?.set;
  if (!set) return undefined;
  try {
    return { set, record: recordedIn(outputs, set) };
  } catch {
    return undefined;
  }
}

/**
 * Whether the engine skips a declared set, as `pulumi destroy --run-program` does with a set that is not in the state. Call it only if the
 * AMI of the set is known. It can be detected only in a preview: there, the engine returns the known arguments of every set that it does
 * not skip.
 */
export async function isSkippedByEngine(resource: pulumi.CustomResource): Promise<boolean> {
  return pulumi.runtime.isDryRun() && !(await output(resource, "imageId").isKnown);
}

/** The sets that the program declares, after the program has ended. Sets with unknown values are left out. */
function declaredSets(): Promise<readonly DeclaredResource[]> {
  const run = currentRun();
  run.declared ??= programEnd(pulumi.runtime.getStackResource()).then(async () => {
    const found = await Promise.all(run.resources.map((declared) => declaredSet(declared).catch(() => undefined)));
    return found.filter((one) => one !== undefined);
  });
  return run.declared;
}

async function declaredSet({ resource, given, options }: DeclaredArguments): Promise<DeclaredResource | undefined> {
  const effective = await effectiveArguments(resource, given, options);
  const inputs = decodeInputs(effective);
  const set = "declared" in inputs ? permissionSetOf(inputs.declared) : undefined;
  if (!set || typeof effective.region !== "string" || (await isSkippedByEngine(resource))) return undefined;
  const urn = String(await output(resource, "urn").promise());
  return { urn, imageId: set.imageId, region: effective.region, set, isHidden: hidesGrantees(secretNames(effective)) };
}

/** The arguments that apply to a set: if changes of an argument are ignored, the engine uses the recorded value. */
export async function effectiveArguments(
  resource: pulumi.CustomResource,
  given: GivenArguments,
  options: SetOptions,
): Promise<Properties> {
  const serialized = await given;
  const effective: Record<string, unknown> = {
    ...(plain(serialized) as Properties),
    [SECRETS]: await secretsOf(serialized, options),
  };
  for (const name of ["region", ...ignoredArguments(options)]) {
    const one = output(resource, name) as InternalOutput | undefined;
    if (one && (await one.isKnown)) effective[name] = plain((await one.promise(true)) ?? effective[name]);
  }
  return effective;
}

/** The arguments whose changes the engine ignores, completely or in part. */
function ignoredArguments({ ignoreChanges = [] }: SetOptions): readonly string[] {
  const tops = ignoreChanges.map((path) => /^\["?([^"\]]+)|^[^.[]+/.exec(path)).map((found) => found?.[1] ?? found?.[0]);
  return tops.includes("*") ? ARGUMENT_NAMES : ARGUMENT_NAMES.filter((name) => tops.includes(name));
}

/**
 * What the state recorded of all sets before this run. If it cannot be read, the program fails: without the records, a set would not know
 * what an earlier set granted, and no set would ever revoke it.
 */
function recordedState(): Promise<StackState> {
  const run = currentRun();
  if (run === outsideOfStacks) return Promise.resolve({});
  run.state ??= stackState(STATE_PAUSES).catch((error: Error) => failProgram(unreadableState(error)));
  return run.state;
}

/** Pauses between attempts to read the state, in milliseconds. */
const STATE_PAUSES: readonly number[] = [50, 100, 200, 400, 800];

/**
 * Reads the state, again after an error. In a backend of files, the engine empties the file of the state's attributes for a moment whenever
 * it records something, and cannot read the state then (gocloud.dev, blob/fileblob/attrs.go, `setAttrs`).
 */
async function stackState([pause, ...pauses]: readonly number[]): Promise<StackState> {
  try {
    return await readStackState();
  } catch (error) {
    if (pause === undefined) throw error;
    await pulumi.log.debug(`the stack's state could not be read: ${(error as Error).message}`);
    await new Promise((resolve) => setTimeout(resolve, pause));
    return stackState(pauses);
  }
}

function unreadableState({ message }: Error): string {
  return `the state of the stack could not be read, so it is not known what its sets granted: ${message.split("\n")[0]}; no set was changed; repeat, and if it fails again, see whether pulumi stack export works [state-unreadable]`;
}

/** The organization of all stacks in a backend of files. Pulumi, pkg/backend/diy/state.go, `getTarget`. */
const ORGANIZATION_OF_FILES = "organization";

/** Reads the state with the engine's function for the resources of a stack, which `pulumi query` used. */
async function readStackState(): Promise<StackState> {
  const [organization, project, stack] = [pulumi.getOrganization(), pulumi.getProject(), pulumi.getStack()];
  const read = (stackName: string) => pulumi.runtime.invoke(READ_STACK, { stackName });
  const { outputs } = await read(`${organization}/${project}/${stack}`).catch((error: Error) => {
    // A backend of files in the legacy layout, without projects, knows the stack only by this name (store.go, `legacyReferenceStore`). In
    // Pulumi Cloud, the name alone can be another organization's stack.
    if (organization !== ORGANIZATION_OF_FILES) throw error;
    return read(stack);
  });
  const entries = Object.entries(plain(outputs) as Record<string, { type: string; outputs: Properties }>);
  return Object.fromEntries(
    entries.filter(([urn]) => urn.includes(`${DYNAMIC_SET_TYPE}::`)).map(([urn, state]) => [urn, state.outputs]),
  );
}

/** The URN of a resource, and its former URNs according to its aliases and those of its parents. */
async function urnsOf(resource: pulumi.CustomResource): Promise<string[]> {
  const aliases = await Promise.all(aliasesOf(resource).map((one) => new Promise<string>((resolve) => one.apply(resolve))));
  return [String(await output(resource, "urn").promise()), ...aliases];
}

/** The aliases of a resource as URNs, including those that come from all its parents. */
export function aliasesOf(resource: pulumi.Resource): pulumi.Output<string>[] {
  const { aliases, type, name, parent } = lineageOf(resource);
  if (!parent) return aliases;
  return pulumi.allAliases(aliases, name, type, aliased(aliasesOf(parent)), lineageOf(parent).name);
}
