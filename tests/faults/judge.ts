/** Judges the result for one AMI after a run with a fault: right, reported as an error, or wrong, and how. Pure functions. */

import { decodeGrants, type Grants } from "../../provider/core";
import type { MadeImage } from "../helpers/emulator";
import { pairsOf } from "../helpers/sharingCases";
import type { Planned, Said } from "./drivers";
import type { ProxiedCall } from "./proxy";

/** From best to worst. `documented`: left behind by a kill in additive mode, as the documentation says. */
export const OUTCOMES = ["ok", "told", "documented", "not healed", "silent wrong", "left behind", "unasked"] as const;
export type Outcome = (typeof OUTCOMES)[number];
export const BAD: readonly Outcome[] = ["not healed", "silent wrong", "left behind", "unasked"];

export interface Verdict {
  readonly outcome: Outcome;
  /** What was wrong, as text. */
  readonly why: string;
}

export const OK: Verdict = { outcome: "ok", why: "" };
export const TOLD: Verdict = { outcome: "told", why: "" };

/** Permissions as `resource grantee`, and KMS grants as `arn grantee`. */
export type Pairs = readonly string[];

/** An AMI with its set, and with grants of others. */
export interface Subject {
  readonly image: MadeImage;
  readonly keyArn: string | undefined;
  readonly mode: "authoritative" | "additive";
  /** What the set declared before the operation, and what it declares now. */
  readonly old: Pairs;
  readonly new: Pairs;
  /** Grants that somebody else made by hand. */
  readonly bystanders: Pairs;
}

export function worst(...verdicts: readonly Verdict[]): Verdict {
  const order = [...verdicts].sort((a, b) => OUTCOMES.indexOf(b.outcome) - OUTCOMES.indexOf(a.outcome));
  return order[0] ?? OK;
}

const minus = (a: Pairs, b: Pairs) => a.filter((pair) => !b.includes(pair));
const both = (a: Pairs, b: Pairs) => a.filter((pair) => b.includes(pair));

/** All resources whose permissions matter for an AMI. */
export function resourcesOf({ image, keyArn }: Pick<Subject, "image" | "keyArn">): string[] {
  return [image.imageId, ...image.snapshotIds, ...(keyArn ? [keyArn] : [])];
}

/** Changes that nobody asked for, in EC2's final permissions and in each call that was sent. */
export function unasked(subject: Subject, before: Pairs, after: Pairs, calls: readonly ProxiedCall[]): Verdict {
  const mayGain = [...subject.old, ...subject.new];
  // In authoritative mode, a bystander is declared too, and belongs to the set like any other grantee.
  const mustKeep = [...both(subject.old, subject.new), ...(subject.mode === "additive" ? subject.bystanders : [])];
  const gained = minus(minus(after, before), mayGain);
  const lost = both(minus(before, after), mustKeep);
  const sent = calls.map(changesIn);
  const added = minus(
    sent.flatMap(({ add }) => add),
    mayGain,
  );
  const removed = both(
    sent.flatMap(({ remove }) => remove),
    mustKeep,
  );
  const words = [
    ...(gained.length > 0 ? [`gained unasked: ${gained.join(", ")}`] : []),
    ...(lost.length > 0 ? [`lost unasked: ${lost.join(", ")}`] : []),
    ...(added.length > 0 ? [`unasked call that adds ${added.join(", ")}`] : []),
    ...(removed.length > 0 ? [`unasked call that removes ${removed.join(", ")}`] : []),
  ];
  return words.length > 0 ? { outcome: "unasked", why: words.join("; ") } : OK;
}

/** Whether a run reported an error that names the AMI, its snapshot or its key, or that belongs to its set. */
export function isTold({ told }: Said, subject: Subject): boolean {
  const names = resourcesOf(subject);
  return told.some(
    ({ name, isError, text }) => isError && (name === subject.image.imageId || names.some((id) => text.includes(id))),
  );
}

/** After a create or an update. */
export function judgeChange(subject: Subject, said: Said, after: Pairs, recorded: Grants | undefined): Verdict {
  if (isTold(said, subject)) return TOLD;
  const wrong = [...incomplete(subject, after), ...falseRecord(subject, after, recorded)];
  return wrong.length > 0 ? { outcome: "silent wrong", why: wrong.join("; ") } : OK;
}

/** After a run without faults that should apply what is declared. */
export function judgeHealed(subject: Subject, said: Said, after: Pairs, recorded: Grants | undefined): Verdict {
  const failed = said.told.filter(({ isError, name }) => isError && name === subject.image.imageId);
  const wrong = [
    ...failed.map(({ text }) => `the second run failed: ${text.trim().split("\n").join(" ")}`),
    ...incomplete(subject, after),
    ...falseRecord(subject, after, recorded),
  ];
  return wrong.length > 0 ? { outcome: "not healed", why: wrong.join("; ") } : OK;
}

/** After a refresh. A stale answer of EC2 itself may be recorded. */
export function judgeRefresh(
  subject: Subject,
  said: Said,
  after: Pairs,
  recorded: Grants | undefined,
  isStale: boolean,
): Verdict {
  if (isTold(said, subject)) return TOLD;
  if (!recorded) return { outcome: "silent wrong", why: "the refresh forgot the set" };
  const wrong = isStale ? [] : falseRecord(subject, after, recorded);
  return wrong.length > 0 ? { outcome: "silent wrong", why: wrong.join("; ") } : OK;
}

/** After a destroy: which grants are left, and whether the state still has the set. */
export function judgeDestroy(subject: Subject, said: Said, after: Pairs, recorded: Grants | undefined): Verdict {
  const left = leftIn(subject, after);
  const told = isTold(said, subject);
  if (!recorded && left.length > 0)
    return { outcome: "left behind", why: `gone from the state${told ? " with an error" : ""}, and left: ${left.join(", ")}` };
  if (told) return TOLD;
  return recorded ? { outcome: "silent wrong", why: "still in the state, and no error says so" } : OK;
}

/** At the end: only grants of bystanders may be left. */
export function judgeEnd(subject: Subject, after: Pairs): Verdict {
  const left = leftIn(subject, after);
  return left.length > 0 ? { outcome: "left behind", why: `after the last destroy: ${left.join(", ")}` } : OK;
}

export function leftIn(subject: Subject, after: Pairs): Pairs {
  return minus(after, subject.bystanders);
}

/** Compares a preview with what EC2 has and with what the declared set changes. A preview may show a stale answer of EC2 itself. */
export function judgePreview(
  subject: Subject,
  said: Said,
  live: Pairs,
  calls: readonly ProxiedCall[],
  isStale: boolean,
): Verdict {
  const changes = calls.filter(({ isChange }) => isChange);
  if (changes.length > 0) return { outcome: "unasked", why: `a preview sent ${changes.map(({ action }) => action).join(", ")}` };
  if (isTold(said, subject)) return TOLD;
  if (isStale) return OK;
  const { imageId } = subject.image;
  const planned = said.planned.get(imageId);
  if (!planned) return { outcome: "silent wrong", why: "the preview shows no change" };
  const gains = withoutKey(subject, minus(subject.new, live));
  const loses = withoutKey(subject, both(minus(subject.old, subject.new), live));
  const wrong = falseStatements("the diff", differenceOf(subject, planned), gains, loses);
  for (const { name, text } of said.told)
    if (name === imageId && text.includes("calls: "))
      wrong.push(...falseStatements("the report", readReport(subject, text), gains, loses));
  return wrong.length > 0 ? { outcome: "silent wrong", why: wrong.join("; ") } : OK;
}

interface Statement {
  readonly gains: Pairs;
  readonly loses: Pairs;
}

function falseStatements(who: string, { gains, loses }: Statement, gain: Pairs, lose: Pairs): string[] {
  const compared = (verb: string, stated: Pairs, right: Pairs) => [
    ...(minus(stated, right).length > 0
      ? [`${who} says falsely that these ${verb} access: ${minus(stated, right).join(", ")}`]
      : []),
    ...(minus(right, stated).length > 0
      ? [`${who} does not say that these ${verb} access: ${minus(right, stated).join(", ")}`]
      : []),
  ];
  return [...compared("gain", gains, gain), ...compared("lose", loses, lose)];
}

function differenceOf(subject: Subject, { before, after }: Planned): Statement {
  const [old, now] = [pairsIn(subject, before), pairsIn(subject, after)];
  return { gains: minus(now, old), loses: minus(old, now) };
}

/** Parses the lines of a report. Wrapped lines are joined first. */
function readReport(subject: Subject, text: string): Statement {
  const lines = text
    .trim()
    .replace(/\n {6,}/g, " ")
    .split("\n")
    .map((line) => line.trim());
  const pairs = (asked: string) =>
    lines.flatMap((line) => {
      const [, sign, words, keys] = /^([-+=]) (.*?) \([^)]*\): (.*)$/.exec(line) ?? [];
      if (sign !== asked || !words || !keys) return [];
      return pairsIn(subject, Object.fromEntries(keys.split(", ").map((key) => [key, words])));
    });
  return { gains: pairs("+"), loses: pairs("-") };
}

function incomplete(subject: Subject, after: Pairs): string[] {
  const missing = minus(subject.new, after);
  const extra = both(minus(subject.old, subject.new), minus(after, subject.bystanders));
  return [
    ...(missing.length > 0 ? [`not shared: ${missing.join(", ")}`] : []),
    ...(extra.length > 0 ? [`still shared: ${extra.join(", ")}`] : []),
  ];
}

/** What the state has wrong, and what is missing in it. */
function falseRecord(subject: Subject, after: Pairs, recorded: Grants | undefined): string[] {
  if (!recorded) return ["the state does not know the set"];
  const stated = pairsIn(subject, recorded);
  const own = [...subject.old, ...subject.new];
  // An additive set records only its own grants.
  const right = withoutKey(subject, subject.mode === "additive" ? both(after, own) : after);
  const [invented, missing] = [minus(stated, right), minus(right, stated)];
  return [
    ...(invented.length > 0 ? [`the state says and EC2 does not have: ${invented.join(", ")}`] : []),
    ...(missing.length > 0 ? [`the state does not say: ${missing.join(", ")}`] : []),
  ];
}

function pairsIn({ image }: Subject, grants: Grants): Pairs {
  return pairsOf(image.imageId, decodeGrants(grants, image.snapshotIds));
}

function withoutKey({ keyArn }: Subject, pairs: Pairs): Pairs {
  return pairs.filter((pair) => !keyArn || !pair.startsWith(`${keyArn} `));
}

/** The grantees that a call adds and removes. */
function changesIn({ action, params, resource }: ProxiedCall): { readonly add: Pairs; readonly remove: Pairs } {
  const named = (pattern: RegExp) =>
    Object.entries(params)
      .filter(([name]) => pattern.test(name))
      .map(([, value]) => `${resource} ${/^\d{12}$/.test(value) ? `account/${value}` : value}`);
  if (action === "ModifyImageAttribute")
    return { add: named(/^LaunchPermission\.Add\.\d+\./), remove: named(/^LaunchPermission\.Remove\.\d+\./) };
  if (action === "ModifySnapshotAttribute") {
    const users = named(/^(UserId|UserIds|UserGroup|GroupNames?)\.\d+$/);
    return params.OperationType === "add" ? { add: users, remove: [] } : { add: [], remove: users };
  }
  return { add: [], remove: [] };
}
