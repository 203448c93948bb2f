/** Makes a report from a file of Pulumi or Terraform, or says why it cannot. */

import * as v from "valibot";
import { Failure } from "../failure";
import type { GranteeBook } from "../granteeBook";
import { decodedBy, parsedJson, textIn } from "../json";
import { reportOnChanges } from "./build";
import type { Report } from "./model";
import { changesInPreview, PREVIEW, type ReadPreview } from "./pulumiPreview";
import { changesInPlan, decodeMessages, PLAN, type PlanMessages, type ReadPlan } from "./terraformPlan";

const WANTED_PREVIEW = "give what pulumi preview --json printed";
const WANTED_PLAN = "give what terraform show -json printed of a saved plan";
const WANTED_MESSAGES = "give what terraform plan -json printed";
/** Said if a plan has no set: a plan without changes of AMIs is nothing wrong. */
const NO_SET = "there is no set in this file, so no launch permission changes by it";

/** The report of a file that `pulumi preview --json` wrote. */
export function reportOfPreview(file: Uint8Array, tool: string, book: GranteeBook): Report {
  const json = objectIn(file, "a preview", WANTED_PREVIEW);
  if (isPlan(json)) throw new Failure(`this is a plan of Terraform: use --terraform; else ${WANTED_PREVIEW}`);
  if ("deployment" in json) throw new Failure(`this is the state of a stack, not a preview; ${WANTED_PREVIEW}`);
  if (!("steps" in json))
    throw new Failure(
      "sequence" in json
        ? `this is a log of events, not a preview: unset PULUMI_ENABLE_STREAMING_JSON_PREVIEW; ${WANTED_PREVIEW}`
        : `this is JSON, but no preview; ${WANTED_PREVIEW}`,
    );
  const read = changesInPreview(decodedBy(() => v.parse(PREVIEW, json), "preview", WANTED_PREVIEW));
  return reportOnChanges(read.changes, { kind: "pulumi-preview", tool, ...read, notes: withNone(read) }, book);
}

/** @param messages undefined: they were not given */
export function reportOfPlan(file: Uint8Array, messages: PlanMessages | undefined, tool: string, book: GranteeBook): Report {
  const json = objectIn(file, "a plan", WANTED_PLAN);
  if ("steps" in json && !("format_version" in json))
    throw new Failure(`this is a preview of Pulumi: use --pulumi; else ${WANTED_PLAN}`);
  if (!("format_version" in json)) throw new Failure(`this is JSON, but no plan of Terraform; ${WANTED_PLAN}`);
  if (!isPlan(json))
    throw new Failure(
      `this is a state, or a plan of another form: ${WANTED_PLAN}: terraform plan -out=PLAN, then terraform show -json PLAN`,
    );
  const plan = decodedBy(() => v.parse(PLAN, json), "plan", WANTED_PLAN);
  const read = changesInPlan(plan, messages);
  return reportOnChanges(read.changes, { kind: "terraform-plan", tool, ...read, notes: withNone(read) }, book);
}

/** The messages that `terraform plan -json` printed. */
export function messagesIn(file: Uint8Array): PlanMessages {
  const found = decodeMessages(textIn(file) ?? "");
  if (found === undefined) throw new Failure(`there are no messages of Terraform in this file; ${WANTED_MESSAGES}`);
  return found;
}

function withNone({ notes, changes, isComplete }: ReadPreview | ReadPlan): readonly string[] {
  return changes.length === 0 && isComplete ? [...notes, NO_SET] : notes;
}

function isPlan(json: object): boolean {
  return "format_version" in json && ("resource_changes" in json || "planned_values" in json || "resource_drift" in json);
}

function objectIn(file: Uint8Array, kind: string, wanted: string): object {
  const json = parsedJson(file, kind, wanted);
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw new Failure(`this is JSON, but not ${kind}; ${wanted}`);
  return json;
}
