/** What a program knows of its own sets and of the stack's state: what it tells the provider, and who leaves the program. */

import * as pulumi from "@pulumi/pulumi";
import {
  type Claim,
  type ClaimedImage,
  claimOf,
  type Neighbours,
  NO_PERMISSIONS,
  type PermissionSet,
  permissionSetOf,
  type Recorded,
  reportOfDeletion,
} from "../core";
import { type Context, decodeInputs, nameOf, type Properties, recordedIn, setIn } from "./state";

/** The outputs that state records: URN → outputs. */
type StackState = Readonly<Record<string, Properties>>;

/** A set as the program declared it. */
interface DeclaredArguments {
  readonly resource: pulumi.CustomResource;
  readonly args: object;
  readonly urn: Promise<string>;
  known?: Promise<readonly [string, Properties] | undefined>;
}

/** One execution of a program. */
interface Run {
  readonly resources: DeclaredArguments[];
  state?: Promise<StackState>;
  declared?: Promise<readonly DeclaredResource[]>;
}

/** A set that the program declares, all of it known. */
interface DeclaredResource {
  readonly urn: string;
  readonly imageId: string;
  readonly region: string;
  readonly set: PermissionSet;
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

/** What the provider is told when a set is declared: the engine tells it neither names nor what other sets recorded. */
export function contextOf(urn: Promise<string>, imageId: pulumi.Input<string> | undefined): pulumi.Output<Context> {
  const state = recordedState();
  const run = currentRun();
  return pulumi.output(imageId).apply(async (id) => {
    const [own, recorded] = [await urn, await state];
    // A program that waits for nothing has declared all its sets by now.
    await new Promise<void>((resolve) => setImmediate(resolve));
    const declared = await Promise.all(run.resources.map((one) => argumentsOf(one)));
    const ofImage = ([, props]: readonly [string, Properties]) => props.imageId === id;
    return {
      urn: own,
      recorded: Object.fromEntries(Object.entries(recorded).filter(ofImage)),
      declared: Object.fromEntries(declared.filter((one) => one !== undefined).filter((one) => ofImage(one) && one[0] !== own)),
    };
  });
}

/** How long arguments are waited for that are not known at once, in milliseconds: they may depend on the very set that asks. */
const AT_ONCE = 20;

/** The URN and the arguments of a set, where they are known without waiting for other resources. */
function argumentsOf(declared: DeclaredArguments): Promise<readonly [string, Properties] | undefined> {
  declared.known ??= Promise.race([
    Promise.all([declared.urn, pulumi.runtime.serializeProperties("sets", declared.args as pulumi.Inputs)]).then(
      ([urn, args]) => [urn, plain(args) as Properties] as const,
    ),
    new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), AT_ONCE)),
  ]).catch(() => undefined);
  return declared.known;
}

/** Notes that the program declares a set. The first one of a run reports, in the end, on those that left the program. */
export function declareSet(resource: pulumi.CustomResource, args: object, urn: Promise<string>): void {
  const run = currentRun();
  run.resources.push({ resource, args, urn });
  if (run.resources.length > 1 || run === outsideOfStacks) return;
  const release = pulumi.runtime.rpcKeepAlive();
  reportDepartures(run)
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
  return { claims: claimsOn(await declaredSets(), imageId, region, urn), inherited: NO_PERMISSIONS };
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

/** Says what becomes of the sets that state has and the program does not declare any more. */
async function reportDepartures(run: Run): Promise<void> {
  const sets = await declaredSets();
  const known = new Set((await Promise.all(run.resources.map(({ resource }) => urnsOf(resource)))).flat());
  for (const [urn, outputs] of Object.entries(await recordedState())) {
    const recorded = known.has(urn) ? undefined : decoded(outputs);
    if (!recorded) continue;
    const { set, record } = recorded;
    const claims = claimsOn(sets, set.imageId, record.region, undefined);
    const what = reportOfDeletion(`AMI ${set.imageId}`, set, record, { claims, inherited: NO_PERMISSIONS });
    await pulumi.log.info(`${nameOf(urn)} is not declared any more\n${what}`);
  }
}

function decoded(outputs: Properties): { set: PermissionSet; record: Recorded & ClaimedImage } | undefined {
  const set = setIn(outputs)?.set;
  if (!set) return undefined;
  try {
    return { set, record: recordedIn(outputs, set) };
  } catch {
    return undefined;
  }
}

/** What is declared, once the program has ended; what is not known then is left out. */
function declaredSets(): Promise<readonly DeclaredResource[]> {
  const run = currentRun();
  run.declared ??= programEnd().then(async () => {
    const found = await Promise.all(
      run.resources.map(({ resource, args }) => declaredSet(resource, args).catch(() => undefined)),
    );
    return found.filter((one) => one !== undefined);
  });
  return run.declared;
}

async function declaredSet(resource: pulumi.CustomResource, args: object): Promise<DeclaredResource | undefined> {
  const given = plain(await pulumi.runtime.serializeProperties("sets", args as pulumi.Inputs)) as Properties;
  const region = await output(resource, "region").promise(true);
  const inputs = decodeInputs({ ...given, ...(typeof region === "string" ? { region } : {}) });
  const set = "declared" in inputs ? permissionSetOf(inputs.declared) : undefined;
  if (!set || typeof region !== "string") return undefined;
  return { urn: String(await output(resource, "urn").promise()), imageId: set.imageId, region, set };
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
  const { outputs } = await pulumi.runtime.invoke("pulumi:pulumi:readStackResourceOutputs", { stackName });
  const entries = Object.entries(plain(outputs) as Record<string, { type: string; outputs: Properties }>);
  return Object.fromEntries(entries.filter(([urn]) => urn.includes(SET_TYPE)).map(([urn, state]) => [urn, state.outputs]));
}

const SET_TYPE = "dynamic/ami-launch-permissions:AmiLaunchPermissionSet::";

/** Resolves once the program's own code has ended and every resource is declared. */
async function programEnd(): Promise<void> {
  // Pulumi SDK, resource.ts: ComponentResource.getData gives what `initialize` made; for a stack, that is the program.
  const stack = pulumi.runtime.getStackResource() as unknown as { getData?: () => Promise<unknown> } | undefined;
  await stack?.getData?.().catch(() => undefined);
}

/** The URN of a resource and those that it had before, by its aliases. */
async function urnsOf(resource: pulumi.CustomResource): Promise<string[]> {
  // Pulumi SDK, resource.ts, `__aliases`: the aliases as URNs, those that come from parents included.
  const aliases = (resource as unknown as { __aliases?: InternalOutput[] }).__aliases ?? [];
  const urns = [output(resource, "urn"), ...aliases].map((one) => one.promise());
  return (await Promise.all(urns)).map(String);
}

/** An output with what the SDK keeps out of its types. */
export interface InternalOutput {
  /** Whether the value is known; in a preview it may not be. */
  readonly isKnown: Promise<boolean>;
  /** The value; `withUnknowns`: also where it is not known, as the SDK's mark or undefined. */
  promise(withUnknowns?: boolean): Promise<unknown>;
}

export function output(resource: pulumi.CustomResource, name: string): InternalOutput {
  return (resource as unknown as Record<string, InternalOutput>)[name] as InternalOutput;
}

/** The mark of the SDK's secrets on the wire. Pulumi SDK, runtime/rpc.ts, `specialSigKey`. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";

/** A value without the wrappers of secrets: what is reported is the AMI's sharing, which previews show anyway. */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  if (SIGNATURE in value) return plain((value as unknown as Properties).value);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}
