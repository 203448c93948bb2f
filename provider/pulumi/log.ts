/** What a set says of itself in a preview and in an update: logged by the program, attached to the resource. */

import * as pulumi from "@pulumi/pulumi";
import {
  AmiSharingError,
  type DeclaredSet,
  NO_FINDINGS,
  type PermissionSet,
  permissionSetOf,
  planChange,
  policyOf,
  type Recorded,
  reportOf,
  UNKNOWN,
  usageBeforeDeletion,
} from "../core";
import { gatewayFor } from "./look";
import {
  countingArguments,
  failProgram,
  heirsOf,
  hidesGranteesOf,
  isLeftOut,
  neighboursOf,
  recordedOutputs,
  type SetOptions,
  wordsOfDeletion,
} from "./program";
import { output } from "./sdkInternals";
import { hidesGrantees, SECRET_OF_OTHERS, SECRETS, secretNames, withoutSecrets } from "./secrets";
import { DONE, type Done, decodeInputs, onlyTimeoutsChange, type Properties, recordedIn, setIn } from "./state";

interface Words {
  readonly severity: "debug" | "info" | "warn" | "error";
  readonly text: string;
}

/** Starts the report on a resource that was just declared; the program does not end before it. What will fail fails the preview. */
export function logReport(resource: pulumi.CustomResource, args: object | undefined, options: SetOptions = {}): void {
  const release = pulumi.runtime.rpcKeepAlive();
  const begun = Date.now();
  const run = reportsOfRun();
  run.pending += 1;
  const words = pulumi.runtime.isDryRun() ? preview(resource, args ?? {}, options) : update(resource, begun);
  words
    .catch((error: Error): Words => ({ severity: "debug", text: `no report on the set: ${error.message}` }))
    .then(async ({ severity, text }) => {
      await pulumi.log[severity](text, severity === "debug" ? undefined : resource);
      run.pending -= 1;
      run.failing ||= severity === "error";
      // The other sets have their say first.
      if (run.failing && run.pending === 0) failProgram(WILL_FAIL);
    })
    .finally(release);
}

/** The reports of one execution of a program. */
interface Reports {
  /** Those that are not told yet. */
  pending: number;
  /** Whether one of them told that something will fail. */
  failing: boolean;
}

/** By the stack's resource: a program of the Automation API may run many times in one process. */
const reports = new WeakMap<object, Reports>();

function reportsOfRun(): Reports {
  const stack = pulumi.runtime.getStackResource();
  const run = (stack && reports.get(stack)) ?? { pending: 0, failing: false };
  if (stack) reports.set(stack, run);
  return run;
}

/** An error that is only logged leaves the preview a success. */
const WILL_FAIL = "a change will fail, as the errors of its set say; nothing was changed";

const NOTHING: Words = { severity: "debug", text: "nothing to report on the set" };

/** In an update: what was done, if something was since the resource was declared. */
async function update(resource: pulumi.CustomResource, begun: number): Promise<Words> {
  const done = (await output(resource, DONE).promise()) as Done | undefined;
  return done && done.at >= begun ? { severity: "info", text: done.report } : NOTHING;
}

/** In a preview: what EC2 has, what will become of it, and what will fail; nothing where nothing changes. */
async function preview(resource: pulumi.CustomResource, args: object, options: SetOptions): Promise<Words> {
  // An unchanged resource has its recorded outputs; one that is to be made or changed does not know its owner yet.
  if (await output(resource, "ownerId").isKnown) return NOTHING;
  const inputs = await countingArguments(resource, args, options);
  const decoded = decodeInputs(inputs);
  // The engine tells what `check` found.
  if ("problems" in decoded) return NOTHING;
  if (decoded.declared.imageId !== UNKNOWN && (await isLeftOut(resource))) return NOTHING;
  const before = await recordedOutputs(resource).catch(() => "unreadable" as const);
  if (before && before !== "unreadable" && onlyTimeoutsChange(before, decoded.declared)) return NOTHING;
  const { imageId, region } = decoded.declared;
  const isHidden = await hidesGranteesOf(String(imageId), String(region));
  const hidden = isHidden ? { ...inputs, [SECRETS]: [...secretNames(inputs), SECRET_OF_OTHERS] } : inputs;
  const words = await describe(resource, hidden, decoded.declared, before, options);
  const text = withoutSecrets(words.text, hidden);
  return { ...words, text: before === "unreadable" || before === undefined ? text : withoutSecrets(text, before) };
}

async function describe(
  resource: pulumi.CustomResource,
  inputs: Properties,
  declared: DeclaredSet,
  found: Properties | "unreadable" | undefined,
  { deleteBeforeReplace = false, retainOnDelete = false }: SetOptions,
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
  const deletion: string[] = [];
  if (before && leaving && replaced) {
    const when = deleteBeforeReplace ? "first" : "then";
    const which = `${when} AMI ${replaced.imageId}, whose set is replaced,`;
    const heirs = await heirsOf(replaced.imageId, leaving.region);
    deletion.push(
      await wordsOfDeletion(which, replaced, leaving, before, { neighbours: heirs, retainOnDelete }),
      ...usage.warnings.map((text) => `  warning: ${text}`),
      ...usage.doubts.map((text) => `  note: ${text}`),
    );
  }
  const inOrder = (report: string) => [
    ...(deleteBeforeReplace ? [...deletion, report] : [report, ...deletion]),
    ...unseenChanges(same ? before : undefined, declared),
    ...(found === "unreadable"
      ? ["  note: the stack's state cannot be read here, so what this set granted before is not told apart"]
      : []),
  ];
  const unnamed = [inputs, before].some((props) => hidesGrantees(secretNames(props)));
  try {
    const neighbours = await neighboursOf(resource, imageId, String(region));
    const recorded = before && same ? readable(before, setIn(before)?.set) : undefined;
    const plan = await planChange(gatewayFor(inputs), set, recorded, neighbours);
    const severity = severityOf(plan.refusals);
    return {
      severity: severity === "info" && plan.warnings.length + usage.warnings.length > 0 ? "warn" : severity,
      text: inOrder(reportOf(plan, "planned", { unnamed })).join("\n"),
    };
  } catch (error) {
    if (!(error instanceof AmiSharingError)) throw error;
    if (policyOf(error)?.fault === "set")
      return {
        severity: severityOf([error], replaced !== undefined && deleteBeforeReplace),
        text: inOrder(`will fail: ${error.message}`).join("\n"),
      };
    return {
      severity: "warn",
      text: inOrder(`AMI ${imageId}: EC2 cannot be read, so this preview tells only what was recorded: ${error.message}`).join(
        "\n",
      ),
    };
  }
}

/** Changes of what the grants do not show, and the engine's diff hides with the other lists. */
function unseenChanges(before: Properties | undefined, { neverRevoke = [] }: DeclaredSet): string[] {
  if (!before || neverRevoke === UNKNOWN) return [];
  const was = Array.isArray(before.neverRevoke) ? (before.neverRevoke as unknown[]) : [];
  const added = neverRevoke.filter((id) => !was.includes(id));
  const dropped = was.filter((id) => !(neverRevoke as readonly unknown[]).includes(id));
  return [
    ...(added.length > 0 ? [`  neverRevoke, new: ${added.map(String).join(", ")}`] : []),
    ...(dropped.length > 0 ? [`  neverRevoke, no more: ${dropped.map(String).join(", ")}`] : []),
  ];
}

/** What was recorded; undefined where it cannot be read: the provider tells that where it matters. */
function readable(outputs: Properties, set: PermissionSet | undefined): Recorded | undefined {
  try {
    return recordedIn(outputs, set);
  } catch {
    return undefined;
  }
}

/** @param unsharedFirst whether the set of another AMI is deleted before: then nobody would have access where the new AMI is not there */
function severityOf(refusals: readonly AmiSharingError[], unsharedFirst = false): Words["severity"] {
  if (refusals.length === 0) return "info";
  const mayPass = (error: AmiSharingError) => policyOf(error)?.mayPass && !(unsharedFirst && error.code === "image-not-found");
  return refusals.every(mayPass) ? "warn" : "error";
}

function isUnknownIn(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(isUnknownIn);
  if (typeof value === "object" && value !== null) return Object.values(value).some(isUnknownIn);
  return value === UNKNOWN;
}
