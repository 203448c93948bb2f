/** The reports on a set in a preview and in an update. The program logs them at the resource. */

import * as pulumi from "@pulumi/pulumi";
import {
  AmiSharingError,
  allowListRefusalsOf,
  type DeclaredSet,
  NO_FINDINGS,
  notAllowedNames,
  permissionSetOf,
  planChange,
  policyOf,
  reportOf,
  UNKNOWN,
  usageBeforeDeletion,
  withAllowLists,
} from "../core";
import { gatewayFor, stackRules, withAccountNames } from "./look";
import { hiddenChanges, isUnknownIn, readable, type Severity, severityOf } from "./previewReport";
import {
  deletionReport,
  effectiveArguments,
  failProgram,
  type GivenArguments,
  hidesGranteesOf,
  isSkippedByEngine,
  neighboursOf,
  recordedOutputs,
  remainingSetsOf,
  type SetOptions,
} from "./program";
import { output } from "./sdkInternals";
import { hidesGrantees, SECRET_OF_OTHERS, SECRETS, secretNames, withoutSecrets } from "./secrets";
import { DONE, type Done, decodeInputs, onlyTimeoutsChange, type Properties, setIn } from "./state";

interface LogEntry {
  readonly severity: Severity | "debug";
  readonly text: string;
}

/** Starts the report on a resource that was just declared. The program does not end before the report. If the change will fail, so does the preview. */
export function logReport(resource: pulumi.CustomResource, given: GivenArguments, options: SetOptions = {}): void {
  const begun = Date.now();
  const run = reportsOfRun();
  // One for all reports, because Pulumi's SDK keeps each of these promises.
  run.release ??= pulumi.runtime.rpcKeepAlive();
  run.pending += 1;
  const entry = pulumi.runtime.isDryRun() ? preview(resource, given, options) : update(resource, begun);
  entry
    .catch((error: Error): LogEntry => ({ severity: "debug", text: `no report on the set: ${error.message}` }))
    .then(async (found) => {
      // A fleet has hundreds of sets without a change: each message would be a call to the engine.
      if (found) {
        const { severity, text } = found;
        await pulumi.log[severity](await withAccountNames(text), severity === "debug" ? undefined : resource);
      }
      run.failing ||= found?.severity === "error";
    })
    .finally(() => {
      run.pending -= 1;
      // The program fails only after the reports of all sets are logged.
      if (run.failing && run.pending === 0) failProgram(PREVIEW_FAILED);
    })
    .finally(() => {
      // A set can have been declared since the last report was logged.
      if (run.pending > 0) return;
      run.release?.();
      delete run.release;
    });
}

/** The reports of one execution of a program. */
interface Reports {
  /** How many reports are not logged yet. */
  pending: number;
  /** Whether one of them said that a change will fail. */
  failing: boolean;
  /** Lets the program end. */
  release?: () => void;
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

/** In an update: the report on what was done, if something was done after the resource was declared. */
async function update(resource: pulumi.CustomResource, begun: number): Promise<LogEntry | undefined> {
  const done = (await output(resource, DONE).promise()) as Done | undefined;
  return done && done.at >= begun ? { severity: "info", text: done.report } : undefined;
}

/** In a preview: what EC2 has, what will change, and what will fail. If nothing changes, there is no report. */
async function preview(
  resource: pulumi.CustomResource,
  given: GivenArguments,
  options: SetOptions,
): Promise<LogEntry | undefined> {
  // An unchanged resource has its recorded outputs. If a set is created or changed, its owner is not known yet.
  if (await output(resource, "ownerId").isKnown) return undefined;
  const inputs = await effectiveArguments(resource, given, options);
  const decoded = decodeInputs(inputs);
  // The engine reports the problems that `check` found.
  if ("problems" in decoded) return undefined;
  if (decoded.declared.imageId !== UNKNOWN && (await isSkippedByEngine(resource))) return undefined;
  const before = await recordedOutputs(resource);
  const isKept = before && onlyTimeoutsChange(before, decoded.declared);
  if (isKept && !keepsUnlisted(before, decoded.declared)) return undefined;
  const { imageId, region } = decoded.declared;
  const isHidden = await hidesGranteesOf(String(imageId), String(region));
  const hidden = isHidden ? { ...inputs, [SECRETS]: [...secretNames(inputs), SECRET_OF_OTHERS] } : inputs;
  const entry = await describe(resource, hidden, decoded.declared, before, options);
  const text = withoutSecrets(entry.text, hidden);
  return { ...entry, text: before === undefined ? text : withoutSecrets(text, before) };
}

/** Whether a recorded set names or keeps whom an allow-list does not have. Then its update fails, whatever else changes. */
function keepsUnlisted(before: Properties, declared: DeclaredSet): boolean {
  const set = permissionSetOf(declared);
  const recorded = set && readable(before, setIn(before)?.set);
  if (!set || !recorded) return false;
  return allowListRefusalsOf(withAllowLists(set, declared, stackRules().allowed), recorded, recorded.live).length > 0;
}

async function describe(
  resource: pulumi.CustomResource,
  inputs: Properties,
  declared: DeclaredSet,
  before: Properties | undefined,
  { deleteBeforeReplace = false, retainOnDelete = false }: SetOptions,
): Promise<LogEntry> {
  const { imageId, region } = declared;
  if (imageId === UNKNOWN)
    return { severity: "info", text: "the AMI is not known yet: its permissions can be read when it exists" };
  const known = permissionSetOf(declared);
  const set = known && withAllowLists(known, declared, stackRules().allowed);
  if (!set) {
    const names = Object.keys(declared).filter((name) => isUnknownIn((declared as unknown as Properties)[name]));
    return {
      severity: "info",
      text: `AMI ${imageId}: what changes in EC2 depends on values that are not known yet (${names.join(", ")})`,
    };
  }
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
    // Who owns the AMI is not known, so that no account can be left out.
    const [unlisted] = notAllowedNames(declared, set.allowed ?? [], undefined, true);
    if (unlisted) return { severity: "error", text: inOrder(`will fail: ${unlisted.message}`).join("\n") };
    return {
      severity: "warn",
      text: inOrder(`AMI ${imageId}: EC2 cannot be read, so this preview shows only what was recorded: ${error.message}`).join(
        "\n",
      ),
    };
  }
}
