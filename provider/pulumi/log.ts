/** The reports on a set in a preview and in an update. The program logs them at the resource. */

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
  warnsInPlan,
} from "../core";
import { gatewayFor } from "./look";
import {
  deletionReport,
  effectiveArguments,
  failProgram,
  hidesGranteesOf,
  isSkippedByEngine,
  neighboursOf,
  recordedOutputs,
  remainingSetsOf,
  type SetOptions,
} from "./program";
import { output } from "./sdkInternals";
import { hidesGrantees, SECRET_OF_OTHERS, SECRETS, secretNames, withoutSecrets } from "./secrets";
import { DONE, type Done, decodeInputs, onlyTimeoutsChange, type Properties, recordedIn, setIn } from "./state";

interface LogEntry {
  readonly severity: "debug" | "info" | "warn" | "error";
  readonly text: string;
}

/** Starts the report on a resource that was just declared. The program does not end before the report. If the change will fail, so does the preview. */
export function logReport(resource: pulumi.CustomResource, args: object | undefined, options: SetOptions = {}): void {
  const release = pulumi.runtime.rpcKeepAlive();
  const begun = Date.now();
  const run = reportsOfRun();
  run.pending += 1;
  const entry = pulumi.runtime.isDryRun() ? preview(resource, args ?? {}, options) : update(resource, begun);
  entry
    .catch((error: Error): LogEntry => ({ severity: "debug", text: `no report on the set: ${error.message}` }))
    .then(async ({ severity, text }) => {
      await pulumi.log[severity](text, severity === "debug" ? undefined : resource);
      run.pending -= 1;
      run.failing ||= severity === "error";
      // The program fails only after the reports of all sets are logged.
      if (run.failing && run.pending === 0) failProgram(PREVIEW_FAILED);
    })
    .finally(release);
}

/** The reports of one execution of a program. */
interface Reports {
  /** How many reports are not logged yet. */
  pending: number;
  /** Whether one of them said that a change will fail. */
  failing: boolean;
}

/** By stack resource, because the Automation API can run several programs in one process. */
const reports = new WeakMap<object, Reports>();

function reportsOfRun(): Reports {
  const stack = pulumi.runtime.getStackResource();
  const run = (stack && reports.get(stack)) ?? { pending: 0, failing: false };
  if (stack) reports.set(stack, run);
  return run;
}

/** The message of the failed program. An error that is only logged does not fail the preview. */
const PREVIEW_FAILED = "a change will fail, as the errors of its set say; nothing was changed";

const NOTHING: LogEntry = { severity: "debug", text: "nothing to report on the set" };

/** In an update: the report on what was done, if something was done after the resource was declared. */
async function update(resource: pulumi.CustomResource, begun: number): Promise<LogEntry> {
  const done = (await output(resource, DONE).promise()) as Done | undefined;
  return done && done.at >= begun ? { severity: "info", text: done.report } : NOTHING;
}

/** In a preview: what EC2 has, what will change, and what will fail. If nothing changes, there is no report. */
async function preview(resource: pulumi.CustomResource, args: object, options: SetOptions): Promise<LogEntry> {
  // An unchanged resource has its recorded outputs. If a set is created or changed, its owner is not known yet.
  if (await output(resource, "ownerId").isKnown) return NOTHING;
  const inputs = await effectiveArguments(resource, args, options);
  const decoded = decodeInputs(inputs);
  // The engine reports the problems that `check` found.
  if ("problems" in decoded) return NOTHING;
  if (decoded.declared.imageId !== UNKNOWN && (await isSkippedByEngine(resource))) return NOTHING;
  const before = await recordedOutputs(resource).catch(() => "unreadable" as const);
  if (before && before !== "unreadable" && onlyTimeoutsChange(before, decoded.declared)) return NOTHING;
  const { imageId, region } = decoded.declared;
  const isHidden = await hidesGranteesOf(String(imageId), String(region));
  const hidden = isHidden ? { ...inputs, [SECRETS]: [...secretNames(inputs), SECRET_OF_OTHERS] } : inputs;
  const entry = await describe(resource, hidden, decoded.declared, before, options);
  const text = withoutSecrets(entry.text, hidden);
  return { ...entry, text: before === "unreadable" || before === undefined ? text : withoutSecrets(text, before) };
}

async function describe(
  resource: pulumi.CustomResource,
  inputs: Properties,
  declared: DeclaredSet,
  found: Properties | "unreadable" | undefined,
  { deleteBeforeReplace = false, retainOnDelete = false }: SetOptions,
): Promise<LogEntry> {
  const { imageId, region } = declared;
  if (imageId === UNKNOWN)
    return { severity: "info", text: "the AMI is not known yet: its permissions can be read when it exists" };
  const set = permissionSetOf(declared);
  if (!set) {
    const names = Object.keys(declared).filter((name) => isUnknownIn((declared as unknown as Properties)[name]));
    return {
      severity: "info",
      text: `AMI ${imageId}: what changes in EC2 depends on values that are not known yet (${names.join(", ")})`,
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
    const neighbours = await remainingSetsOf(replaced.imageId, leaving.region);
    deletion.push(
      await deletionReport(which, replaced, leaving, before, { neighbours, retainOnDelete }),
      ...usage.warnings.map((text) => `  warning: ${text}`),
      ...usage.doubts.map((text) => `  note: ${text}`),
    );
  }
  const inOrder = (report: string) => [
    ...(deleteBeforeReplace ? [...deletion, report] : [report, ...deletion]),
    ...hiddenChanges(same ? before : undefined, declared),
    ...(found === "unreadable"
      ? ["  note: the stack's state cannot be read here, so the report does not say which grants this set made before"]
      : []),
  ];
  const countOnly = [inputs, before].some((props) => hidesGrantees(secretNames(props)));
  try {
    const neighbours = await neighboursOf(resource, imageId, String(region));
    const recorded = before && same ? readable(before, setIn(before)?.set) : undefined;
    const plan = await planChange(gatewayFor(inputs), set, recorded, neighbours);
    const severity = severityOf(plan.refusals);
    return {
      severity: severity === "info" && plan.warnings.length + usage.warnings.length > 0 ? "warn" : severity,
      text: inOrder(reportOf(plan, "planned", { countOnly })).join("\n"),
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
      text: inOrder(`AMI ${imageId}: EC2 cannot be read, so this preview shows only what was recorded: ${error.message}`).join(
        "\n",
      ),
    };
  }
}

/** Changes of `neverRevoke`: `grants` does not show them, and the engine's diff hides them with the other lists. */
function hiddenChanges(before: Properties | undefined, { neverRevoke = [] }: DeclaredSet): string[] {
  if (!before || neverRevoke === UNKNOWN) return [];
  const was = Array.isArray(before.neverRevoke) ? (before.neverRevoke as unknown[]) : [];
  const added = neverRevoke.filter((id) => !was.includes(id));
  const dropped = was.filter((id) => !(neverRevoke as readonly unknown[]).includes(id));
  return [
    ...(added.length > 0 ? [`  neverRevoke, new: ${added.map(String).join(", ")}`] : []),
    ...(dropped.length > 0 ? [`  neverRevoke, no more: ${dropped.map(String).join(", ")}`] : []),
  ];
}

/** The record of a set; undefined if it cannot be decoded. In that case the provider reports the error if it needs the record. */
function readable(outputs: Properties, set: PermissionSet | undefined): Recorded | undefined {
  try {
    return recordedIn(outputs, set);
  } catch {
    return undefined;
  }
}

/** @param unsharedFirst whether the set of another AMI is deleted before this one is created */
function severityOf(refusals: readonly AmiSharingError[], unsharedFirst = false): LogEntry["severity"] {
  if (refusals.length === 0) return "info";
  return refusals.every((error) => warnsInPlan(error, unsharedFirst)) ? "warn" : "error";
}

function isUnknownIn(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(isUnknownIn);
  if (typeof value === "object" && value !== null) return Object.values(value).some(isUnknownIn);
  return value === UNKNOWN;
}
