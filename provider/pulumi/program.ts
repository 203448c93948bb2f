/** What a program knows of its own sets and of the stack's state: what it tells the provider, and who leaves the program. */

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
import { gatewayFor } from "./look";
import { aliased, type InternalOutput, lineageOf, output, PULUMI_UNKNOWN, programEnd, READ_STACK } from "./sdkInternals";
import { hidesGrantees, plain, SECRETS, secretNames, secretsAmong, withoutSecrets } from "./secrets";
import { type Context, decodeInputs, nameOf, type Properties, recordedIn, setIn } from "./state";

/** The outputs that state records: URN → outputs. */
type StackState = Readonly<Record<string, Properties>>;

/** A set as the program declared it. */
interface DeclaredArguments {
  readonly resource: pulumi.CustomResource;
  readonly args: object;
  readonly options: SetOptions;
  readonly urn: Promise<string>;
  known?: Promise<readonly [string, Properties] | undefined>;
  /** What is wrong with the arguments, once they are known. */
  problems?: readonly ArgumentProblem[];
}

/** The options of a set that decide what becomes of it. */
export type SetOptions = Pick<
  pulumi.CustomResourceOptions,
  "ignoreChanges" | "deleteBeforeReplace" | "retainOnDelete" | "hideDiffs"
>;

/** One execution of a program. */
interface Run {
  readonly resources: DeclaredArguments[];
  /** There once sets with wrong arguments are told. */
  refused?: Promise<void>;
  state?: Promise<StackState>;
  declared?: Promise<readonly DeclaredResource[]>;
  departures?: Promise<readonly Departure[]>;
}

/** A set that the program declares, all of it known. */
interface DeclaredResource {
  readonly urn: string;
  readonly imageId: string;
  readonly region: string;
  readonly set: PermissionSet;
  /** Whether who has access is a secret. */
  readonly isHidden: boolean;
}

/** By the stack's resource: a program of the Automation API may run many times in one process. */
const runs = new WeakMap<object, Run>();
const outsideOfStacks: Run = { resources: [] };

function currentRun(): Run {
  const stack = pulumi.runtime.getStackResource();
  if (!stack) return outsideOfStacks;
  const run = runs.get(stack) ?? { resources: [] };
  runs.set(stack, run);
  return run;
}

/** The URN that a set will have. A promise: an output would make the set depend on its parent's children. */
export function urnOf(type: string, name: string, opts: pulumi.CustomResourceOptions | undefined): Promise<string> {
  return new Promise((resolve) => pulumi.createUrn(name, type, opts?.parent).apply(resolve));
}

/**
 * What the provider is told when a set is declared: the engine tells it neither names nor what other sets recorded. A secret: sets may
 * hold some.
 *
 * @param hideDiffs the option of the set: those lists are taken out of it that do not change, as the engine would call them changed
 */
export function contextOf(
  urn: Promise<string>,
  imageId: pulumi.Input<string> | undefined,
  hideDiffs: string[] = [],
): pulumi.Output<Context> {
  const state = recordedState();
  const run = currentRun();
  const context = pulumi.output(imageId).apply(async (id): Promise<Context> => {
    const [own, recorded] = [await urn, await state];
    // A program that waits for nothing has declared all its sets by now.
    await new Promise<void>((resolve) => setImmediate(resolve));
    const declared = await Promise.all(run.resources.map((one) => argumentsOf(one)));
    await refuseWrongSets(run, declared);
    const at = declared.findIndex((one) => one?.[0] === own);
    const [before, options] = [recorded[own], run.resources[at]?.options];
    // An alias may have renamed a set of the AMI; a new set has nothing to compare, and a refresh goes by what is recorded of the option.
    const isNew = before === undefined && !Object.values(recorded).some((outputs) => outputs.imageId === id);
    const differing = isNew ? (options?.hideDiffs ?? []) : changed(hideDiffs, before, declared[at]?.[1], options);
    hideDiffs.splice(0, hideDiffs.length, ...differing);
    const ofImage = ([, props]: readonly [string, Properties]) => props.imageId === id;
    return {
      urn: own,
      recorded: Object.fromEntries(Object.entries(recorded).filter(ofImage)),
      declared: Object.fromEntries(declared.filter((one) => one !== undefined).filter((one) => ofImage(one) && one[0] !== own)),
    };
  });
  return pulumi.secret(context);
}

/** The paths of arguments that may differ from what state recorded, and those that the program itself hides. */
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
  // A list that comes or goes with the object around it is a change of that one.
  const shown = (path: string) => {
    const [top = path, ...inner] = path.split(".");
    const whole = [before, now.declared].every((props) => typeof at(props, top) === "object");
    return inner.length === 0 || whole ? path : top;
  };
  return [...new Set(paths.filter((path) => options.hideDiffs?.includes(path) || !isSame(path)).map(shown))];
}

/**
 * Tells each set whose arguments are wrong, before one of them is registered: the engine ends the program at the first. A single one is
 * left to the engine. Where there are several, the program fails, and this never returns.
 */
async function refuseWrongSets(run: Run, declared: readonly (readonly [string, Properties] | undefined)[]): Promise<void> {
  const wrong = run.resources.flatMap((one, i) => {
    const [urn, args] = declared[i] ?? [];
    if (urn === undefined || args === undefined) return [];
    // Each set asks of all: a set is looked through once.
    one.problems ??= problemsOf(args, one.options);
    return one.problems.length > 0 ? [{ urn, args, problems: one.problems }] : [];
  });
  // Without a stack, the sets of many programs are one run: those of a test's mocks.
  if (wrong.length < 2 || run === outsideOfStacks) return;
  run.refused ??= tellWrongSets(wrong);
  await new Promise(() => undefined);
}

/** What is ignored need not be right: in its place is what state recorded. */
function problemsOf(args: Properties, options: SetOptions): readonly ArgumentProblem[] {
  const ignored = ignoredArguments(options).map((name) => [name, PULUMI_UNKNOWN]);
  const counting = ignored.length < ARGUMENT_NAMES.length ? args : {};
  const inputs = decodeInputs({ ...counting, ...Object.fromEntries(ignored) });
  return "problems" in inputs ? inputs.problems : [];
}

async function tellWrongSets(
  wrong: readonly { urn: string; args: Properties; problems: readonly ArgumentProblem[] }[],
): Promise<void> {
  for (const { urn, args, problems } of wrong) {
    const words = problems.map(problemText).join("; ");
    await pulumi.log.error(withoutSecrets(`${nameOf(urn)}: ${words} [invalid-argument]`, args));
  }
  failProgram(`${wrong.length} sets have wrong arguments, as their errors say; nothing was changed`);
}

/** Ends the program with a message; to be called where nobody catches. */
export function failProgram(message: string): never {
  const error = new pulumi.RunError(message);
  // Once the program's own code has ended, Pulumi shows the stack instead of the message.
  error.stack = message;
  throw error;
}

/** The names of a set's arguments that hold secrets; undefined where there is none. */
export async function secretArguments(args: object, options: SetOptions = {}): Promise<string[] | undefined> {
  const names = await secretsOf(await pulumi.runtime.serializeProperties("secrets", args as pulumi.Inputs), options);
  return names.length > 0 ? names : undefined;
}

/** The same of serialized arguments. Of those whose changes are ignored, state's values count, which may be secrets. */
async function secretsOf(serialized: Properties, options: SetOptions): Promise<string[]> {
  const ignored = ignoredArguments(options);
  const recorded = ignored.length > 0 ? Object.values(await recordedState()).flatMap(secretNames) : [];
  return [...new Set([...secretsAmong(serialized), ...ignored.filter((name) => recorded.includes(name))])].sort();
}

/** How long arguments are waited for that are not known at once, in milliseconds: they may depend on the very set that asks. */
const AT_ONCE = 20;

/** The URN and the arguments of a set, where they are known without waiting for other resources. */
function argumentsOf(declared: DeclaredArguments): Promise<readonly [string, Properties] | undefined> {
  declared.known ??= Promise.race([
    Promise.all([declared.urn, pulumi.runtime.serializeProperties("sets", declared.args as pulumi.Inputs)]).then(
      async ([urn, args]) =>
        [urn, { ...(plain(args) as Properties), [SECRETS]: await secretsOf(args, declared.options) }] as const,
    ),
    new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), AT_ONCE)),
  ]).catch(() => undefined);
  return declared.known;
}

/** Notes that the program declares a set. The first one of a run reports, in the end, on those that left the program. */
export function declareSet(resource: pulumi.CustomResource, args: object, urn: Promise<string>, options: SetOptions = {}): void {
  const run = currentRun();
  run.resources.push({ resource, args, urn, options });
  if (run.resources.length > 1 || run === outsideOfStacks) return;
  const release = pulumi.runtime.rpcKeepAlive();
  reportDepartures()
    .catch((error: Error) => pulumi.log.debug(`no report on sets that left the program: ${error.message}`))
    .finally(release);
}

/** The outputs that the last operation recorded of a resource; undefined for a new one. */
export async function recordedOutputs(resource: pulumi.CustomResource): Promise<Properties | undefined> {
  const urn = String(await output(resource, "urn").promise());
  return (await readState())[urn];
}

/** The other sets that the program declares for an AMI; it waits for the end of the program. */
export async function neighboursOf(resource: pulumi.CustomResource, imageId: string, region: string): Promise<Neighbours> {
  const urn = String(await output(resource, "urn").promise());
  const claims = claimsOn(await declaredSets(), imageId, region, urn);
  return { claims: [...claims, ...(await leavingClaims(imageId, region))], inherited: NO_PERMISSIONS };
}

/** The sets of an AMI that state has and the program does not declare any more: what they granted stays until they are deleted. */
async function leavingClaims(imageId: string, region: string): Promise<Claim[]> {
  const found = (await departures()).filter(({ set, record }) => set.imageId === imageId && record.region === region);
  return found.map(({ urn, set, record }) => recordedClaim(claimOf(nameOf(urn), set, record.granted)));
}

/** Whether a set of an AMI, declared or recorded, keeps secret who has access; it waits for the end of the program. */
export async function hidesGranteesOf(imageId: string, region: string): Promise<boolean> {
  const recorded = Object.values(await recordedState()).map((outputs) => ({
    imageId: outputs.imageId,
    region: outputs.region,
    isHidden: hidesGrantees(secretNames(outputs)),
  }));
  return [...(await declaredSets()), ...recorded].some((one) => one.isHidden && one.imageId === imageId && one.region === region);
}

/** The sets that the program declares for an AMI, whichever they are. */
export async function heirsOf(imageId: string, region: string): Promise<Neighbours> {
  return { claims: claimsOn(await declaredSets(), imageId, region, undefined), inherited: NO_PERMISSIONS };
}

function claimsOn(sets: readonly DeclaredResource[], imageId: string, region: string, but: string | undefined): Claim[] {
  return sets
    .filter((one) => one.urn !== but && one.imageId === imageId && one.region === region)
    .map(({ urn, set }) => claimOf(nameOf(urn), set));
}

/** A set that state has and the program does not declare any more. */
interface Departure {
  readonly urn: string;
  readonly outputs: Properties;
  readonly set: PermissionSet;
  readonly record: Recorded & ClaimedImage;
}

/** Those of the run; it waits for the end of the program. */
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

/** Says what becomes of the sets that state has and the program does not declare any more. */
async function reportDepartures(): Promise<void> {
  const sets = await declaredSets();
  for (const { urn, outputs, set, record } of await departures()) {
    const claims = claimsOn(sets, set.imageId, record.region, undefined);
    const neighbours = { claims, inherited: NO_PERMISSIONS };
    const what = await wordsOfDeletion(`AMI ${set.imageId}`, set, record, outputs, { neighbours });
    await pulumi.log.info(`${nameOf(urn)} is not declared any more\n${what}`);
  }
}

/** The report of a deletion to come, and what the program cannot see of it. Where every grant will go, EC2 is asked who has one. */
export async function wordsOfDeletion(
  which: string,
  set: PermissionSet,
  recorded: Recorded,
  outputs: Properties,
  { neighbours, retainOnDelete = false }: { neighbours: Neighbours; retainOnDelete?: boolean | undefined },
): Promise<string> {
  const look = () => observe(gatewayFor({ ...outputs, region: recorded.region }), set);
  const seen = set.onDelete === "reset" ? await look().catch(() => undefined) : undefined;
  const unnamed = await hidesGranteesOf(set.imageId, recorded.region);
  const report = reportOfDeletion(which, set, seen ? { ...recorded, live: seen.live } : recorded, { neighbours, unnamed });
  const lines = retainOnDelete ? [`  ${which} stays shared: retainOnDelete.`, FIRST_WITH_OPTION, report] : [report];
  // The engine goes by the options that state holds, and an option of a parent counts.
  if (!retainOnDelete && set.onDelete !== "retain") lines.push(OPTIONS_UNSEEN);
  return withoutSecrets(lines.join("\n"), outputs);
}

const FIRST_WITH_OPTION = "  Where no up before this one had that option:";
const OPTIONS_UNSEEN = "  note: where the last up recorded retainOnDelete for it, all stays";

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
 * Whether the engine makes nothing of a set that is declared, with an AMI that is known: as in `pulumi destroy --run-program` of one that is
 * not in state. It shows in a preview only, where the engine knows what it gives back of all others.
 */
export async function isLeftOut(resource: pulumi.CustomResource): Promise<boolean> {
  return pulumi.runtime.isDryRun() && !(await output(resource, "imageId").isKnown);
}

/** What is declared, once the program has ended; what is not known then is left out. */
function declaredSets(): Promise<readonly DeclaredResource[]> {
  const run = currentRun();
  run.declared ??= programEnd(pulumi.runtime.getStackResource()).then(async () => {
    const found = await Promise.all(run.resources.map((declared) => declaredSet(declared).catch(() => undefined)));
    return found.filter((one) => one !== undefined);
  });
  return run.declared;
}

async function declaredSet({ resource, args, options }: DeclaredArguments): Promise<DeclaredResource | undefined> {
  const given = await countingArguments(resource, args, options);
  const inputs = decodeInputs(given);
  const set = "declared" in inputs ? permissionSetOf(inputs.declared) : undefined;
  if (!set || typeof given.region !== "string" || (await isLeftOut(resource))) return undefined;
  const urn = String(await output(resource, "urn").promise());
  return { urn, imageId: set.imageId, region: given.region, set, isHidden: hidesGrantees(secretNames(given)) };
}

/** The arguments of a set as they count: the engine puts what state recorded in the place of those whose changes are ignored. */
export async function countingArguments(resource: pulumi.CustomResource, args: object, options: SetOptions): Promise<Properties> {
  const serialized = await pulumi.runtime.serializeProperties("report", args as pulumi.Inputs);
  const given: Record<string, unknown> = {
    ...(plain(serialized) as Properties),
    [SECRETS]: await secretsOf(serialized, options),
  };
  for (const name of ["region", ...ignoredArguments(options)]) {
    const one = output(resource, name) as InternalOutput | undefined;
    if (one && (await one.isKnown)) given[name] = plain((await one.promise(true)) ?? given[name]);
  }
  return given;
}

/** The arguments of which the engine ignores changes, in whole or in part. */
function ignoredArguments({ ignoreChanges = [] }: SetOptions): readonly string[] {
  const tops = ignoreChanges.map((path) => /^\["?([^"\]]+)|^[^.[]+/.exec(path)).map((found) => found?.[1] ?? found?.[0]);
  return tops.includes("*") ? ARGUMENT_NAMES : ARGUMENT_NAMES.filter((name) => tops.includes(name));
}

/** What state recorded of sets before this run; nothing where it cannot be read. */
async function recordedState(): Promise<StackState> {
  return readState().catch(() => ({}));
}

function readState(): Promise<StackState> {
  const run = currentRun();
  if (run === outsideOfStacks) return Promise.resolve({});
  run.state ??= stackState();
  return run.state;
}

/** By the engine's own function for reading a stack's resources, which `pulumi query` used. */
async function stackState(): Promise<StackState> {
  const stackName = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  const { outputs } = await pulumi.runtime.invoke(READ_STACK, { stackName });
  const entries = Object.entries(plain(outputs) as Record<string, { type: string; outputs: Properties }>);
  return Object.fromEntries(entries.filter(([urn]) => urn.includes(SET_TYPE)).map(([urn, state]) => [urn, state.outputs]));
}

const SET_TYPE = "dynamic/ami-launch-permissions:AmiLaunchPermissionSet::";

/** The URN of a resource and those that it had before, by its aliases and those of its parents. */
async function urnsOf(resource: pulumi.CustomResource): Promise<string[]> {
  const aliases = await Promise.all(aliasesOf(resource).map((one) => new Promise<string>((resolve) => one.apply(resolve))));
  return [String(await output(resource, "urn").promise()), ...aliases];
}

/** The aliases of a resource as URNs, those that come from its parents, and theirs, included. */
export function aliasesOf(resource: pulumi.Resource): pulumi.Output<string>[] {
  const { aliases, type, name, parent } = lineageOf(resource);
  if (!parent) return aliases;
  return pulumi.allAliases(aliases, name, type, aliased(aliasesOf(parent)), lineageOf(parent).name);
}
