/** Reads what `pulumi preview --json` and `pulumi destroy --preview-only --json` print. */

import * as v from "valibot";
import {
  isGranteeKey,
  isPermissionWords,
  minus,
  type PermissionSet,
  type ReadText,
  type ReportSection,
  readReport,
  revokedByRemoval,
  UNKNOWN,
} from "../../core";
import { PULUMI_UNKNOWN } from "../../pulumi/sdkInternals";
import { hidesGrantees, secretNames } from "../../pulumi/secrets";
import { grantsIn, type Properties, recordedIn, setIn } from "../../pulumi/state";
import { SET_TYPE } from "../../pulumi/typeNames";
import { type ChangedImage, PLAIN, permissionsOf, type SetChange, toldBy } from "./changes";
import type { ReportedSet } from "./model";
import { type FileGrants, wantedIn } from "./wanted";

/** A dynamic set, whatever module of the type name it has. */
export const DYNAMIC_SET = /^pulumi-nodejs:dynamic\/.*:AmiLaunchPermissionSet$/;

const properties = v.optional(v.nullable(v.record(v.string(), v.unknown())));
const state = v.optional(
  v.nullable(
    v.object({
      type: v.string(),
      inputs: properties,
      outputs: properties,
      retainOnDelete: v.optional(v.boolean()),
      deletedWith: v.optional(v.string()),
    }),
  ),
);
/** pulumi/pulumi, sdk/go/common/display/json.go: PreviewDigest, PreviewStep, PreviewDiagnostic. */
export const PREVIEW = v.object({
  steps: v.nullable(v.array(v.object({ op: v.string(), urn: v.string(), oldState: state, newState: state }))),
  diagnostics: v.optional(
    v.nullable(
      v.array(v.object({ urn: v.optional(v.string()), message: v.optional(v.string(), ""), severity: v.optional(v.string()) })),
    ),
  ),
});
type Preview = v.InferOutput<typeof PREVIEW>;
type Step = NonNullable<Preview["steps"]>[number];
type State = NonNullable<Step["newState"]>;

/** What a preview says. */
export interface ReadPreview {
  readonly changes: readonly SetChange[];
  readonly warnings: readonly string[];
  readonly notes: readonly string[];
  /** Whether all changes are in the file. */
  readonly isComplete: boolean;
}

/** The changes of the sets in a preview. */
export function changesInPreview({ steps, diagnostics }: Preview): ReadPreview {
  const messages = diagnostics ?? [];
  const deleted = new Set(
    (steps ?? []).flatMap(({ op, urn }) => (["delete", "replace"].includes(ACTIONS[op] ?? "") ? [urn] : [])),
  );
  const changes = (steps ?? []).flatMap((step) => changesOf(step, messages, deleted));
  const urns = new Set(changes.map(({ set }) => set.address));
  // The errors of other resources end the preview, so the sets after them are not in it.
  const others = messages.filter(({ urn = "", severity }) => severity === "error" && !urns.has(urn));
  return {
    changes,
    // An error ends the program, so that what it declares later is not in the file.
    isComplete: messages.every(({ severity }) => severity !== "error"),
    warnings: others.map(
      ({ message }) => `the preview failed, so it may not be complete: ${message.trim().replace(/^error: /, "")}`,
    ),
    notes: [],
  };
}

const ACTIONS: Readonly<Record<string, ReportedSet["action"]>> = {
  create: "create",
  update: "update",
  replace: "replace",
  delete: "delete",
  same: "same",
  import: "import",
  "import-replacement": "replace",
};

type Message = NonNullable<Preview["diagnostics"]>[number];

/** @param deleted the URNs of all resources, or of their old ones, that go */
function changesOf(
  { op, urn, oldState, newState }: Step,
  messages: readonly Message[],
  deleted: ReadonlySet<string>,
): SetChange[] {
  const type = (newState ?? oldState)?.type ?? "";
  const action = ACTIONS[op];
  // The steps of a replacement are also in the file, if it was asked for with --show-replacement-steps.
  if (action === undefined || !(type === SET_TYPE || DYNAMIC_SET.test(type))) return [];
  const name = urn.slice(urn.lastIndexOf("::") + 2);
  const own = messages.filter((message) => message.urn === urn).map(readMessage);
  // The program tells of a set that it declares no more, but the engine does not say which resource that is about.
  const departed = messages.filter(
    ({ urn: about, message }) => about === undefined && message.startsWith(`set "${name}" is not declared`),
  );
  const sections = [...own, ...departed.map(readMessage)].flatMap((message) => message.sections);
  const mode = modeIn(newState ?? oldState);
  const set: ReportedSet = { name, address: urn, action, ...(mode ? { mode } : {}) };
  const removes = oldState && (action === "delete" || (action === "replace" && !isSameImage(oldState, newState)));
  const told = {
    warnings: own.flatMap(({ warnings }) => warnings),
    errors: own.flatMap(({ errors }) => errors),
    notes: own.flatMap(({ notes }) => notes),
  };
  return [
    ...(newState && action !== "delete"
      ? [change(set, action === "replace" && removes ? null : oldState, newState, sections, told)]
      : []),
    ...(removes ? [removal(set, oldState, sections, newState ? PLAIN : told, keptBy(oldState, deleted))] : []),
  ];
}

/** A create or an update. */
function change(
  set: ReportedSet,
  before: Step["oldState"],
  after: State,
  sections: readonly ReportSection[],
  told: Pick<SetChange, "warnings" | "errors" | "notes">,
): SetChange {
  const [inputs, old] = [after.inputs ?? {}, before?.inputs ?? {}];
  const image = imageOf(inputs, after.outputs ?? before?.outputs ?? {}, set);
  const section = sections.find(
    ({ kind, imageId }) => kind === "change" && (imageId === image.imageId || image.imageId === undefined),
  );
  const recorded = before ? grantsIn(old) : {};
  const isHidden = [inputs, old].some(isSecret);
  const wanted = wantedIn(isHidden ? {} : fileGrants(inputs), recorded);
  const common = {
    ...PLAIN,
    image,
    set,
    ...withSection(told, section),
    unknown: wanted.unknown,
  };
  const isOpen = section === undefined && set.action !== "same";
  const notes = [...common.notes, ...wanted.notes];
  if (isHidden) {
    const result = section ? toldBy(section, {}, {}, image) : undefined;
    const open = isOpen ? { cannotTell: ["broadens", "public", "revokes"] as const, notes: [...notes, HIDDEN] } : { notes };
    return { ...common, hidden: result?.hidden ?? {}, hiddenBroadens: result?.hiddenBroadens ?? [], ...open };
  }
  if (section) {
    const result = toldBy(section, recorded, wanted.grants, image);
    return {
      ...common,
      ...result,
      why: new Map([...wanted.why, ...result.why]),
      cannotTell: wanted.cannotTell,
      notes: [...notes, ...result.notes],
    };
  }
  const isTakingOver = set.action === "create" || set.action === "replace" || set.action === "import";
  const mayRevoke = isOpen && (isTakingOver ? set.mode !== "additive" : true);
  return {
    ...common,
    before: permissionsOf(recorded, image),
    after: permissionsOf(wanted.grants, image),
    why: wanted.why,
    cannotTell: [...new Set([...wanted.cannotTell, ...(mayRevoke ? (["revokes"] as const) : [])])],
    notes: mayRevoke ? [...notes, isTakingOver ? NOT_READ : ONLY_RECORDED] : notes,
  };
}

const NOT_READ =
  "the preview has not read this AMI: an authoritative set takes access from everybody whom it does not name, and who has access now is not in the file";
const ONLY_RECORDED =
  "the preview has not read this AMI: this is what the state records, and what others granted since then is not in the file";
const HIDDEN = "the grantees are a secret, and the preview has not read this AMI: who gains and loses access is not in the file";

/** A set that goes, or leaves its AMI. */
function removal(
  set: ReportedSet,
  before: State,
  sections: readonly ReportSection[],
  told: Pick<SetChange, "warnings" | "errors" | "notes">,
  kept: string | undefined,
): SetChange {
  const outputs = { ...before.inputs, ...before.outputs };
  const image = imageOf(outputs, outputs, set);
  const section = sections.find(({ kind, imageId }) => kind === "removal" && imageId === image.imageId);
  const common = { ...PLAIN, image, set, ...withSection(told, section, RETAIN_NOTE) };
  const isHidden = isSecret(outputs);
  if (kept !== undefined) {
    const held = permissionsOf(isHidden ? {} : grantsIn(outputs), image);
    return {
      ...common,
      before: held,
      after: held,
      hidden: isHidden ? {} : undefined,
      notes: [...common.notes, `${kept}: everybody keeps access`],
    };
  }
  if (section) {
    const { before: held, after, why, hidden } = toldBy(section, {}, {}, image);
    return { ...common, before: held, after, why, hidden: hidden ?? (isHidden ? {} : undefined) };
  }
  if (isHidden) return { ...common, hidden: {}, cannotTell: ["revokes"], notes: [...common.notes, "the grantees are a secret"] };
  return { ...common, ...removedByRecord(outputs, image) };
}

/** The option by which the engine does not tell the provider of the deletion. pulumi/pulumi, pkg/resource/deploy/step.go, `DeleteStep.Apply`. */
function keptBy({ retainOnDelete, deletedWith }: State, deleted: ReadonlySet<string>): string | undefined {
  if (retainOnDelete) return "retainOnDelete";
  return deletedWith !== undefined && deleted.has(deletedWith) ? "deletedWith" : undefined;
}

const RETAIN_NOTE = /^(if the last up recorded retainOnDelete|the same holds for deletedWith)/;

/** What a removal takes away, by the record in the state. */
function removedByRecord(outputs: Properties, image: ChangedImage): Pick<SetChange, "before" | "after" | "cannotTell" | "notes"> {
  const set = setIn(outputs)?.set;
  try {
    const recorded = recordedIn(outputs, set);
    const held = { ...recorded.live };
    if (!set) return { before: held, after: PLAIN.after, cannotTell: [], notes: [] };
    return { before: held, after: minus(held, revokedByRemoval(set, recorded)), ...resetNote(set) };
  } catch {
    const held = permissionsOf(grantsIn(outputs), image);
    return { before: held, after: PLAIN.after, cannotTell: ["revokes"], notes: ["the record of the set cannot be read"] };
  }
}

function resetNote({ onDelete }: PermissionSet): Pick<SetChange, "cannotTell" | "notes"> {
  if (onDelete !== "reset") return { cannotTell: [], notes: [] };
  return { cannotTell: ["revokes"], notes: ["onDelete is reset: it also takes access from those who are not in the state"] };
}

/** Adds what a report says to what else the engine says. */
function withSection(
  told: Pick<SetChange, "warnings" | "errors" | "notes">,
  section: ReportSection | undefined,
  without?: RegExp,
): Pick<SetChange, "warnings" | "errors" | "notes"> {
  if (!section) return told;
  return {
    warnings: [...told.warnings, ...section.warnings],
    errors: [...told.errors, ...section.refusals],
    notes: [...told.notes, ...section.notes.filter((note) => !without?.test(note))],
  };
}

/** The sections of a message, and its other lines by what they are. */
function readMessage({
  message,
  severity = "",
}: Message): Pick<ReadText, "sections"> & Pick<SetChange, "warnings" | "errors" | "notes"> {
  // The engine's own word for how bad it is.
  const { sections, others } = readReport(message.replace(/^(?:error|warning): /, ""));
  const failing = others.filter((line) => line.startsWith(FAILS));
  const rest = others.filter((line) => !line.startsWith(FAILS));
  return {
    sections,
    errors: [...failing.map((line) => line.slice(FAILS.length)), ...(severity === "error" ? rest : [])],
    warnings: severity === "warning" ? rest : [],
    notes: severity.startsWith("info") ? rest : [],
  };
}

const FAILS = "will fail: ";

function imageOf(inputs: Properties, outputs: Properties, { name }: ReportedSet): ChangedImage {
  const { imageId, region } = inputs;
  const known = text(imageId);
  const { snapshotIds, ownerId } = outputs;
  const same = outputs.imageId === undefined || outputs.imageId === imageId;
  return {
    imageId: known,
    region: text(region) ?? text(outputs.region),
    ...(same && Array.isArray(snapshotIds) && snapshotIds.every((id) => typeof id === "string") ? { snapshotIds } : {}),
    ...(same && text(ownerId) ? { ownerId: text(ownerId) } : {}),
    label: imageId === PULUMI_UNKNOWN ? `the AMI of ${name}, known after the change` : `the AMI of ${name}, whose id is a secret`,
  };
}

function isSameImage(old: State, fresh: Step["newState"]): boolean {
  const [a, b] = [old.inputs ?? {}, fresh?.inputs ?? {}];
  return a.imageId === b.imageId && a.region === b.region;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && value !== PULUMI_UNKNOWN && value !== SECRET ? value : undefined;
}

/** What the engine prints in place of a secret. */
const SECRET = "[secret]";

function isSecret(props: Properties): boolean {
  return typeof props.grants === "string" || hidesGrantees(secretNames(props));
}

function fileGrants({ grants }: Properties): FileGrants {
  if (typeof grants !== "object" || grants === null) return {};
  const entries = Object.entries(grants).map(([key, words]) => [key, words === PULUMI_UNKNOWN ? UNKNOWN : words] as const);
  return Object.fromEntries(entries.filter(([key, words]) => words === UNKNOWN || (isKey(key) && isPermissionWords(words))));
}

function isKey(key: string): boolean {
  return isGranteeKey(key) || /^(account|organization|organizationalUnit)\/\[unknown( \d+)?\]$/.test(key);
}

function modeIn(of: Step["newState"]): ReportedSet["mode"] {
  const mode = of?.inputs?.mode ?? of?.outputs?.mode ?? "authoritative";
  return mode === "authoritative" || mode === "additive" ? mode : undefined;
}
