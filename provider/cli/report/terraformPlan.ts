/** Reads what `terraform show -json PLAN` prints, and the messages that `terraform plan -json` prints. OpenTofu's are the same. */

import * as v from "valibot";
import {
  type DeclaredSet,
  declaredGrants,
  decodeDeclaredSet,
  decodeRecorded,
  type Grants,
  isGranteeKey,
  isPermissionWords,
  minus,
  NAMING_GRANTEES,
  PUBLIC,
  permissionSetOf,
  type ReadText,
  readReport,
  revokedByRemoval,
  UNKNOWN,
} from "../../core";
import { argumentsIn } from "../../terraform/arguments";
import { snakeCase } from "../../terraform/diagnostics";
import type { ObjectValue, Value } from "../../terraform/objectValue";
import { RESOURCE, RESOURCE_SCHEMA } from "../../terraform/schema";
import { broadeningsOf } from "./build";
import { type ChangedImage, countsOf, PLAIN, permissionsOf, type SetChange, toldBy } from "./changes";
import type { ReportedSet } from "./model";
import { type FileGrants, wantedIn } from "./wanted";

const values = v.optional(v.nullable(v.record(v.string(), v.unknown())));
/** "JSON Output Format" of Terraform's documentation: plan and change representation. */
export const PLAN = v.object({
  format_version: v.pipe(v.string(), v.regex(/^[01]\.\d+$/, 'is not one that is known: "0.…" and "1.…" are')),
  terraform_version: v.optional(v.string()),
  errored: v.optional(v.boolean()),
  complete: v.optional(v.boolean()),
  resource_changes: v.optional(
    v.array(
      v.object({
        address: v.string(),
        previous_address: v.optional(v.string()),
        mode: v.optional(v.string()),
        type: v.string(),
        deposed: v.optional(v.string()),
        change: v.object({
          actions: v.array(v.string()),
          before: values,
          after: values,
          after_unknown: v.optional(v.unknown()),
          before_sensitive: v.optional(v.unknown()),
          after_sensitive: v.optional(v.unknown()),
          importing: v.optional(v.nullable(v.unknown())),
        }),
      }),
    ),
  ),
});
type Plan = v.InferOutput<typeof PLAN>;
type Resource = NonNullable<Plan["resource_changes"]>[number];

/** One line of `terraform plan -json`: "Machine-Readable UI" of Terraform's documentation. */
const MESSAGE = v.object({
  type: v.string(),
  change: v.optional(v.object({ resource: v.object({ addr: v.string() }) })),
  diagnostic: v.optional(
    v.object({ severity: v.string(), summary: v.string(), detail: v.optional(v.string(), ""), address: v.optional(v.string()) }),
  ),
});
export type PlanMessage = NonNullable<v.InferOutput<typeof MESSAGE>["diagnostic"]>;

/** What `terraform plan -json` printed. */
export interface PlanMessages {
  /** Its errors and warnings. */
  readonly diagnostics: readonly PlanMessage[];
  /** The addresses that it plans to change. Empty if the log is cut off: then what it does not say is not known. */
  readonly planned: ReadonlySet<string>;
}

/** The messages in a log; undefined if there are none. A line that does not begin as JSON is none of Terraform's. */
export function decodeMessages(text: string): PlanMessages | undefined {
  const lines = text.split(/\r?\n/).filter((line) => line.startsWith("{"));
  let isCut = false;
  const decoded = lines.flatMap((line) => {
    try {
      const { success, output } = v.safeParse(MESSAGE, JSON.parse(line));
      return success ? [output as v.InferOutput<typeof MESSAGE>] : [];
    } catch {
      isCut = true;
      return [];
    }
  });
  if (decoded.length === 0) return undefined;
  isCut ||= !decoded.some(({ type }) => type === "change_summary");
  const planned = decoded.flatMap(({ type, change }) => (type === "planned_change" && change ? [change.resource.addr] : []));
  return { diagnostics: decoded.flatMap(({ diagnostic }) => diagnostic ?? []), planned: new Set(isCut ? [] : planned) };
}

/** What a plan says. */
export interface ReadPlan {
  readonly changes: readonly SetChange[];
  readonly warnings: readonly string[];
  readonly notes: readonly string[];
  /** Whether all changes are in the file. */
  readonly isComplete: boolean;
}

/** The changes of the sets in a plan. @param messages undefined: they were not given */
export function changesInPlan({ resource_changes = [], errored, complete }: Plan, messages: PlanMessages | undefined): ReadPlan {
  const own = resource_changes.filter(({ type, mode }) => type === RESOURCE && mode !== "data");
  return {
    changes: own.flatMap((resource) => changesOf(resource, messages)),
    isComplete: !errored && complete !== false,
    warnings: [
      ...(errored ? ["the plan ended in an error, so it is not complete"] : []),
      ...(complete === false && !errored ? ["the plan is not complete: Terraform has left out changes for a later plan"] : []),
    ],
    notes: [],
  };
}

function changesOf({ address, previous_address, deposed, change }: Resource, messages: PlanMessages | undefined): SetChange[] {
  const action = actionOf(change);
  const { before, after, before_sensitive, after_sensitive } = change;
  if (action === undefined) return [];
  const told: Told | undefined = messages && {
    own: messages.diagnostics.filter((message) => message.address === address).map(readMessage),
    hasPlan: messages.planned.has(address),
  };
  const of = (after ?? before ?? {}) as ObjectValue;
  const mode = of.mode === "additive" || of.mode === "authoritative" ? of.mode : undefined;
  const set: ReportedSet = {
    name: address,
    address: deposed === undefined ? address : `${address} (deposed ${deposed})`,
    action,
    ...(previous_address === undefined ? {} : { movedFrom: previous_address }),
    ...(mode ? { mode } : {}),
  };
  const isHidden = [before_sensitive, after_sensitive].some(marksGrantees);
  const moves = before && after && action === "replace" && !sameImage(before, after);
  return [
    ...(after ? [changed(set, moves ? null : before, after, change.after_unknown, isHidden, told)] : []),
    ...(before && (moves || !after) ? [removed(set, before, isHidden)] : []),
  ].map((one) => withoutSecretImage(one, before_sensitive, after_sensitive));
}

function actionOf({ actions, importing }: Resource["change"]): ReportedSet["action"] | undefined {
  const [first, second] = actions;
  if (second !== undefined) return "replace";
  if (importing && (first === "no-op" || first === "update")) return "import";
  const known: Readonly<Record<string, ReportedSet["action"]>> = {
    create: "create",
    update: "update",
    delete: "delete",
    "no-op": "same",
    forget: "forget",
  };
  return known[first ?? ""];
}

/** What the messages say of one set. */
interface Told {
  readonly own: readonly ReturnType<typeof readMessage>[];
  /** Whether they are of this plan, and complete. Else, what they do not say is not known. */
  readonly hasPlan: boolean;
}

/** A create, an update, or a set that stays. */
function changed(
  set: ReportedSet,
  before: Resource["change"]["before"],
  after: Record<string, unknown>,
  unknown: unknown,
  isHidden: boolean,
  messages: Told | undefined,
): SetChange {
  const own = messages?.own ?? [];
  const image = imageOf(after, unknown, set);
  const recorded = grantsIn(before?.grants);
  const wanted = wantedIn(wantedGrants(after, unknown, recorded), recorded);
  const section = own
    .flatMap(({ sections }) => sections)
    .find(({ kind, imageId }) => kind === "change" && imageId === image.imageId);
  const told = section
    ? toldBy(section, recorded, wanted.grants, image)
    : {
        before: permissionsOf(recorded, image),
        after: permissionsOf(wanted.grants, image),
        why: wanted.why,
        notes: [],
        hidden: undefined,
      };
  // A create that takes nothing away needs no message. Without the messages, nobody can tell.
  const takesOver = (set.action === "create" || set.action === "replace") && set.mode !== "additive";
  const mayRevoke = takesOver && section === undefined && (!messages?.hasPlan || image.imageId === undefined);
  const common = {
    ...PLAIN,
    image,
    set,
    warnings: [...(section?.warnings ?? []), ...own.flatMap(({ warnings }) => warnings)],
    errors: [...(section?.refusals ?? []), ...own.flatMap(({ errors }) => errors)],
    notes: [
      ...(section?.notes ?? []),
      ...wanted.notes,
      ...told.notes,
      ...(mayRevoke ? [!messages ? NOT_IN_PLAN : messages.hasPlan ? UNKNOWN_AMI : NOT_IN_MESSAGES] : []),
    ],
    cannotTell: [...new Set([...wanted.cannotTell, ...(mayRevoke ? (["revokes"] as const) : [])])],
  };
  if (isHidden) return { ...common, ...hiddenOf(told.before, told.after) };
  return {
    ...common,
    before: told.before,
    after: told.after,
    why: new Map([...wanted.why, ...told.why]),
    unknown: wanted.unknown,
  };
}

const NOT_IN_PLAN =
  "a new authoritative set takes access from everybody whom it does not name, and a plan in JSON does not say from whom: the warnings of terraform plan do, and --messages reads them";
const NOT_IN_MESSAGES =
  "a new authoritative set takes access from everybody whom it does not name, and the messages do not say from whom: they are cut off, or of another plan";
const UNKNOWN_AMI = "the AMI is not known yet: an authoritative set takes access from everybody whom it does not name";

/** A set that goes, or leaves its AMI. */
function removed(set: ReportedSet, before: Record<string, unknown>, isHidden: boolean): SetChange {
  const image = imageOf(before, undefined, set);
  const held = permissionsOf(grantsIn(before.grants), image);
  const common = { ...PLAIN, image, set };
  if (set.action === "forget") {
    const notes = ["Terraform no longer manages this set, and changes nothing"];
    return isHidden ? { ...common, notes, hidden: countsOf(held, held) } : { ...common, notes, before: held, after: held };
  }
  const { declared } = declaredIn(before as ObjectValue);
  const asked = declared && permissionSetOf(declared);
  const outputs = {
    region: image.region,
    ownerId: image.ownerId,
    snapshotIds: image.snapshotIds,
    grants: grantsIn(before.grants),
  };
  const recorded =
    asked && decodeRecorded(Object.fromEntries(Object.entries(outputs).filter(([, value]) => value !== undefined)), asked);
  const revoked = asked && recorded ? revokedByRemoval(asked, recorded) : held;
  const notes =
    asked?.onDelete === "reset" ? ["on_delete is reset: it also takes access from those who are not in the state"] : [];
  const cannotTell = asked?.onDelete === "reset" ? (["revokes"] as const) : [];
  if (isHidden) return { ...common, ...hiddenOf(held, minus(held, revoked)), notes, cannotTell };
  return { ...common, before: held, after: minus(held, revoked), notes, cannotTell };
}

function hiddenOf(before: SetChange["before"], after: SetChange["after"]): Pick<SetChange, "hidden" | "hiddenBroadens"> {
  return { hidden: countsOf(before, after), hiddenBroadens: broadeningsOf(before, after) };
}

/** A diagnostic of our provider: a report, or an error. */
function readMessage({
  severity,
  summary,
  detail,
}: PlanMessage): Pick<ReadText, "sections"> & Pick<SetChange, "warnings" | "errors"> {
  const { sections } = readReport(`${summary}\n${detail}`);
  const text = detail === "" ? summary : `${summary}: ${detail.replace(/\s+/g, " ").trim()}`;
  const isReport = sections.length > 0;
  return {
    sections,
    warnings: severity === "warning" && !isReport ? [text] : [],
    errors: severity === "error" ? [text] : [],
  };
}

/** The attributes that name grantees, with Terraform's names. */
const NAMING: readonly string[] = [...NAMING_GRANTEES.map(snakeCase), "grants"];

/** Whether a value that names grantees is marked as sensitive. */
export function marksGrantees(marks: unknown): boolean {
  if (marks === true) return true;
  if (typeof marks !== "object" || marks === null) return false;
  return NAMING.some((name) => hasMark((marks as Record<string, unknown>)[name]));
}

function hasMark(marks: unknown): boolean {
  if (typeof marks !== "object" || marks === null) return marks === true;
  return Object.values(marks).some(hasMark);
}

function withoutSecretImage(change: SetChange, ...marks: readonly unknown[]): SetChange {
  const isSecret = marks.some(
    (mark) => mark === true || (typeof mark === "object" && mark !== null && hasMark((mark as { image_id?: unknown }).image_id)),
  );
  if (!isSecret) return change;
  const { region } = change.image;
  return { ...change, image: { imageId: undefined, region, label: `the AMI of ${change.set.name}, whose id is sensitive` } };
}

/** The grants of a plan. If they are not known as a whole, what the arguments say. */
function wantedGrants(after: Record<string, unknown>, unknown: unknown, recorded: Grants): FileGrants {
  const open = (unknown as { grants?: unknown } | undefined)?.grants;
  if (after.grants !== undefined && after.grants !== null && open !== true) {
    const unknownKeys =
      typeof open === "object" && open !== null
        ? Object.keys(open).filter((key) => hasMark((open as Record<string, unknown>)[key]))
        : [];
    return { ...grantsIn(after.grants), ...Object.fromEntries(unknownKeys.map((key) => [key, UNKNOWN])) };
  }
  const { declared } = declaredIn(withUnknown(after, unknown) as ObjectValue);
  return declared
    ? (declaredGrants(declared, recorded) as FileGrants)
    : Object.fromEntries([...Object.keys(recorded), ...ANYBODY].map((key) => [key, UNKNOWN]));
}

/** Who may be among grantees of which nothing is known. */
const ANYBODY = ["account/[unknown]", "organization/[unknown]", "organizationalUnit/[unknown]", PUBLIC];

function declaredIn(value: ObjectValue): { declared: DeclaredSet | undefined } {
  const decoded = decodeDeclaredSet(argumentsIn(value, RESOURCE_SCHEMA));
  return { declared: "declared" in decoded ? decoded.declared : undefined };
}

/** The values, with {@link UNKNOWN} for what is known only after the change. */
function withUnknown(value: unknown, unknown: unknown): unknown {
  if (unknown === true) return UNKNOWN;
  if (typeof unknown !== "object" || unknown === null) return value;
  if (Array.isArray(unknown)) {
    const items = Array.isArray(value) ? value : [];
    return Array.from({ length: Math.max(items.length, unknown.length) }, (_, i) => withUnknown(items[i] ?? null, unknown[i]));
  }
  const names = [...new Set([...Object.keys((value ?? {}) as object), ...Object.keys(unknown)])];
  return Object.fromEntries(
    names.map((name) => [
      name,
      withUnknown((value as Record<string, Value> | null)?.[name] ?? null, (unknown as Record<string, unknown>)[name]),
    ]),
  );
}

function grantsIn(grants: unknown): Grants {
  if (typeof grants !== "object" || grants === null) return {};
  return Object.fromEntries(
    Object.entries(grants).filter((entry): entry is [string, string] => isGranteeKey(entry[0]) && isPermissionWords(entry[1])),
  );
}

function imageOf(value: Record<string, unknown>, unknown: unknown, { name }: ReportedSet): ChangedImage {
  const { image_id, region, owner_id, snapshot_ids } = value;
  const isUnknown = (unknown as { image_id?: unknown } | undefined)?.image_id === true;
  const ids = Array.isArray(snapshot_ids) && snapshot_ids.every((id) => typeof id === "string") ? snapshot_ids : undefined;
  return {
    imageId: typeof image_id === "string" ? image_id : undefined,
    region: typeof region === "string" ? region : undefined,
    ...(typeof owner_id === "string" ? { ownerId: owner_id } : {}),
    ...(ids ? { snapshotIds: ids } : {}),
    label: isUnknown ? `the AMI of ${name}, known after the change` : `the AMI of ${name}`,
  };
}

function sameImage(before: Record<string, unknown>, after: Record<string, unknown>): boolean {
  return before.image_id === after.image_id && before.region === after.region;
}
