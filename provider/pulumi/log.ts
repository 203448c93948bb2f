/** What a set says of itself in a preview and in an update: logged by the program, attached to the resource. */

import * as pulumi from "@pulumi/pulumi";
import {
  AmiSharingError,
  type DeclaredSet,
  decodeRecorded,
  type ErrorCode,
  ec2Gateway,
  type Gateway,
  NO_FINDINGS,
  permissionSetOf,
  planChange,
  reportOf,
  reportOfDeletion,
  UNKNOWN,
  usageBeforeDeletion,
} from "../core";
import { connectionOf } from "./stackConfig";
import { DONE, type Done, decodeInputs, type Properties, setIn } from "./state";

/** Refusals that something else in the same update may take out of the way: they do not fail a preview. */
const MAY_PASS: readonly ErrorCode[] = ["image-not-found", "image-not-shareable", "public-access-blocked"];
/** What keeps a preview from reading EC2, and tells nothing of the change. */
const CANNOT_READ: readonly ErrorCode[] = [
  "not-authorized",
  "credentials-missing",
  "credentials-expired",
  "credentials-invalid",
  "region-missing",
  "endpoint-unreachable",
  "throttled",
  "aws-error",
];

interface Words {
  readonly severity: "debug" | "info" | "warn" | "error";
  readonly text: string;
}

/** Starts the report on a resource that was just declared; the program does not end before it. What will fail fails the preview. */
export function logReport(resource: pulumi.CustomResource, args: object | undefined): void {
  const release = pulumi.runtime.rpcKeepAlive();
  const begun = Date.now();
  const words = pulumi.runtime.isDryRun() ? preview(resource, args ?? {}) : update(resource, begun);
  words
    .catch((error: Error): Words => ({ severity: "debug", text: `no report on the set: ${error.message}` }))
    .then(async ({ severity, text }) => {
      await pulumi.log[severity](text, severity === "debug" ? undefined : resource);
      if (severity === "error") failPreview();
    })
    .finally(release);
}

/** Runs that fail already. */
const failing = new WeakSet<object>();

/** Lets the program fail, once a run: an error that is only logged leaves the preview a success. */
function failPreview(): void {
  const run = pulumi.runtime.getStackResource();
  if (run && failing.has(run)) return;
  if (run) failing.add(run);
  const error = new pulumi.RunError("a change will fail, as the errors of its set say; nothing was changed");
  // Once the program's own code has ended, Pulumi shows the stack instead of the message.
  error.stack = error.message;
  throw error;
}

const NOTHING: Words = { severity: "debug", text: "nothing to report on the set" };

/** In an update: what was done, if something was since the resource was declared. */
async function update(resource: pulumi.CustomResource, begun: number): Promise<Words> {
  const done = (await output(resource, DONE).promise()) as Done | undefined;
  return done && done.at >= begun ? { severity: "info", text: done.report } : NOTHING;
}

/** In a preview: what EC2 has, what will become of it, and what will fail; nothing where nothing changes. */
async function preview(resource: pulumi.CustomResource, args: object): Promise<Words> {
  // An unchanged resource has its recorded outputs; one that is to be made or changed does not know its owner yet.
  if (await output(resource, "ownerId").isKnown) return NOTHING;
  const given = plain(await pulumi.runtime.serializeProperties("report", args as pulumi.Inputs)) as Properties;
  const region = await output(resource, "region").promise(true);
  const inputs: Properties = { ...given, ...(typeof region === "string" ? { region } : {}) };
  const decoded = decodeInputs(inputs);
  // The engine tells what `check` found.
  if ("problems" in decoded) return NOTHING;
  const before = await recordedOutputs(resource).catch(() => "unreadable" as const);
  return describe(inputs, decoded.declared, before);
}

async function describe(inputs: Properties, declared: DeclaredSet, found: Properties | "unreadable" | undefined): Promise<Words> {
  const { imageId, region } = declared;
  if (imageId === UNKNOWN)
    return { severity: "info", text: "the AMI is not known yet: who has access to it can be read once it exists" };
  const set = permissionSetOf(declared);
  if (!set) {
    const names = Object.keys(declared).filter((name) => isUnknownIn((declared as unknown as Properties)[name]));
    return {
      severity: "info",
      text: `AMI ${imageId}: what changes in EC2 depends on what is not known yet (${names.join(", ")})`,
    };
  }
  const before = found === "unreadable" ? undefined : found;
  const same = before?.imageId === imageId && before.region === region;
  const replaced = before && !same ? setIn(before)?.set : undefined;
  const leaving = before && replaced ? decodeRecorded(before, replaced) : undefined;
  const usage =
    leaving && replaced && set.checkUsage
      ? await usageBeforeDeletion(gatewayFor({ ...inputs, region: leaving.region }), replaced, leaving)
      : NO_FINDINGS;
  const next = [
    ...(leaving && replaced ? [reportOfDeletion(replaced, leaving)] : []),
    ...usage.warnings.map((text) => `  warning: ${text}`),
    ...usage.doubts.map((text) => `  note: ${text}`),
    ...(found === "unreadable"
      ? ["  note: the stack's state cannot be read here, so what this set granted before is not told apart"]
      : []),
  ];
  try {
    const plan = await planChange(gatewayFor(inputs), set, same ? decodeRecorded(before, setIn(before)?.set) : undefined);
    const severity = severityOf(plan.refusals);
    return {
      severity: severity === "info" && plan.warnings.length + usage.warnings.length > 0 ? "warn" : severity,
      text: [reportOf(plan, "planned"), ...next].join("\n"),
    };
  } catch (error) {
    if (!(error instanceof AmiSharingError)) throw error;
    if (!CANNOT_READ.includes(error.code))
      return { severity: severityOf([error]), text: [`will fail: ${error.message}`, ...next].join("\n") };
    return {
      severity: "warn",
      text: `AMI ${imageId}: EC2 cannot be read, so this preview tells only what was recorded: ${error.message}`,
    };
  }
}

function severityOf(refusals: readonly AmiSharingError[]): Words["severity"] {
  if (refusals.length === 0) return "info";
  return refusals.every(({ code }) => MAY_PASS.includes(code)) ? "warn" : "error";
}

/** One gateway a connection, for all sets of a program. */
const gateways = new Map<string, Gateway>();

function gatewayFor(inputs: Properties): Gateway {
  // The program did not ask for the SDK: its advice on Node versions does not belong into every preview.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
  const config = new pulumi.Config("aws");
  const connection = connectionOf(inputs, (key) => config.get(key.slice("aws:".length)));
  const key = JSON.stringify(connection);
  const gateway = gateways.get(key) ?? ec2Gateway(connection);
  gateways.set(key, gateway);
  return gateway;
}

/** What the stack's state holds of its resources, read once a run; a program of the Automation API may run many. */
const states = new WeakMap<object, Promise<Readonly<Record<string, Properties>>>>();

/** The outputs that the last operation recorded; undefined for a new resource. */
async function recordedOutputs(resource: pulumi.CustomResource): Promise<Properties | undefined> {
  const run = pulumi.runtime.getStackResource() ?? resource;
  const reading = states.get(run) ?? stackState();
  states.set(run, reading);
  const urn = String(await (resource.urn as unknown as InternalOutput).promise());
  return (await reading)[urn];
}

/** By the engine's own function for reading a stack's resources, which `pulumi query` used. */
async function stackState(): Promise<Readonly<Record<string, Properties>>> {
  const stackName = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  const { outputs } = await pulumi.runtime.invoke("pulumi:pulumi:readStackResourceOutputs", { stackName });
  const entries = Object.entries(plain(outputs) as Record<string, { outputs: Properties }>);
  return Object.fromEntries(entries.map(([urn, state]) => [urn, state.outputs]));
}

/** An output with what the SDK keeps out of its types. */
interface InternalOutput {
  /** Whether the value is known; in a preview it may not be. */
  readonly isKnown: Promise<boolean>;
  /** The value; `withUnknowns`: also where it is not known, as the SDK's mark or undefined. */
  promise(withUnknowns?: boolean): Promise<unknown>;
}

function output(resource: pulumi.CustomResource, name: string): InternalOutput {
  return (resource as unknown as Record<string, InternalOutput>)[name] as InternalOutput;
}

/** The mark of the SDK's secrets on the wire. Pulumi SDK, runtime/rpc.ts, `specialSigKey`. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";

/** A value without the wrappers of secrets: what is reported is the AMI's sharing, which previews show anyway. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  if (SIGNATURE in value) return plain((value as unknown as Properties).value);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

function isUnknownIn(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(isUnknownIn);
  if (typeof value === "object" && value !== null) return Object.values(value).some(isUnknownIn);
  return value === UNKNOWN;
}
