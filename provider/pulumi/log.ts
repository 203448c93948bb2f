/** What a set says of itself in a preview and in an update: logged by the program, attached to the resource. */

import * as pulumi from "@pulumi/pulumi";
import {
  AmiSharingError,
  type DeclaredSet,
  type ErrorCode,
  ec2Gateway,
  endpointWarning,
  environmentEndpoint,
  type Gateway,
  NO_FINDINGS,
  type PermissionSet,
  permissionSetOf,
  planChange,
  type Recorded,
  reportOf,
  reportOfDeletion,
  UNKNOWN,
  usageBeforeDeletion,
} from "../core";
import { heirsOf, neighboursOf, output, plain, recordedOutputs } from "./program";
import { connectionOf } from "./stackConfig";
import { DONE, type Done, decodeInputs, onlyTimeoutsChange, type Properties, recordedIn, setIn } from "./state";

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
  "bad-answer",
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
  if (before && before !== "unreadable" && onlyTimeoutsChange(before, decoded.declared)) return NOTHING;
  return describe(resource, inputs, decoded.declared, before);
}

async function describe(
  resource: pulumi.CustomResource,
  inputs: Properties,
  declared: DeclaredSet,
  found: Properties | "unreadable" | undefined,
): Promise<Words> {
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
  const leaving = before && replaced ? readable(before, replaced) : undefined;
  const usage =
    leaving && replaced && set.checkUsage
      ? await usageBeforeDeletion(gatewayFor({ ...inputs, region: leaving.region }), replaced, leaving)
      : NO_FINDINGS;
  const next = [
    ...(leaving && replaced
      ? [
          reportOfDeletion(
            `then AMI ${replaced.imageId}, whose set is replaced,`,
            replaced,
            leaving,
            await heirsOf(replaced.imageId, leaving.region),
          ),
        ]
      : []),
    ...usage.warnings.map((text) => `  warning: ${text}`),
    ...usage.doubts.map((text) => `  note: ${text}`),
    ...(found === "unreadable"
      ? ["  note: the stack's state cannot be read here, so what this set granted before is not told apart"]
      : []),
  ];
  try {
    const neighbours = await neighboursOf(resource, imageId, String(region));
    const recorded = before && same ? readable(before, setIn(before)?.set) : undefined;
    const plan = await planChange(gatewayFor(inputs), set, recorded, neighbours);
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

/** What was recorded; undefined where it cannot be read: the provider tells that where it matters. */
function readable(outputs: Properties, set: PermissionSet | undefined): Recorded | undefined {
  try {
    return recordedIn(outputs, set);
  } catch {
    return undefined;
  }
}

function severityOf(refusals: readonly AmiSharingError[]): Words["severity"] {
  if (refusals.length === 0) return "info";
  return refusals.every(({ code }) => MAY_PASS.includes(code)) ? "warn" : "error";
}

/** One gateway a connection, for all sets of a program. */
const gateways = new Map<string, Gateway>();
/** The endpoints that were warned of. */
const warned = new Set<string>();

/** Warns, once, of an endpoint that is called in clear. */
async function warnOfEndpoint(endpoint: string | undefined): Promise<void> {
  const warning = endpoint === undefined || warned.has(endpoint) ? undefined : endpointWarning(endpoint);
  if (endpoint === undefined || warning === undefined) return;
  warned.add(endpoint);
  await pulumi.log.warn(warning);
}

function gatewayFor(inputs: Properties): Gateway {
  // The program did not ask for the SDK: its advice on Node versions does not belong into every preview.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
  const config = new pulumi.Config("aws");
  const connection = connectionOf(inputs, (key) => config.get(key.slice("aws:".length)));
  const key = JSON.stringify(connection);
  warnOfEndpoint(connection.endpoint ?? environmentEndpoint(process.env)).catch(() => undefined);
  const gateway = gateways.get(key) ?? ec2Gateway(connection);
  gateways.set(key, gateway);
  return gateway;
}

function isUnknownIn(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(isUnknownIn);
  if (typeof value === "object" && value !== null) return Object.values(value).some(isUnknownIn);
  return value === UNKNOWN;
}
