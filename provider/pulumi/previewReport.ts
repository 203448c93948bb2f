/** What the preview of a set shows besides the core's report: shared by the program's log and the plugin. */

import { type AmiSharingError, type DeclaredSet, type PermissionSet, type Recorded, UNKNOWN, warnsInPlan } from "../core";
import { type Properties, recordedIn } from "./state";

/** How a report is shown. An `error` fails the preview. */
export type Severity = "info" | "warn" | "error";

/** Changes of lists that `grants` does not show. The engine's diff hides them with the other lists. */
export function hiddenChanges(before: Properties | undefined, declared: DeclaredSet): string[] {
  return (["neverRevoke", "allowedGrantees"] as const).flatMap((name) => {
    const now: readonly unknown[] | typeof UNKNOWN = declared[name] ?? [];
    if (!before || now === UNKNOWN) return [];
    const was = Array.isArray(before[name]) ? (before[name] as unknown[]) : [];
    const added = now.filter((id) => !was.includes(id));
    const dropped = was.filter((id) => !now.includes(id));
    return [
      ...(added.length > 0 ? [`  ${name}, new: ${added.map(String).join(", ")}`] : []),
      ...(dropped.length > 0 ? [`  ${name}, no more: ${dropped.map(String).join(", ")}`] : []),
    ];
  });
}

/** The record of a set; undefined if it cannot be decoded. In that case the provider reports the error if it needs the record. */
export function readable(outputs: Properties, set: PermissionSet | undefined): Recorded | undefined {
  try {
    return recordedIn(outputs, set);
  } catch {
    return undefined;
  }
}

/** @param unsharedFirst whether the set of another AMI is deleted before this one is created */
export function severityOf(refusals: readonly AmiSharingError[], unsharedFirst = false): Severity {
  if (refusals.length === 0) return "info";
  return refusals.every((error) => warnsInPlan(error, unsharedFirst)) ? "warn" : "error";
}

/** Whether a value, or a value in it, is not known yet. */
export function isUnknownIn(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(isUnknownIn);
  if (typeof value === "object" && value !== null) return Object.values(value).some(isUnknownIn);
  return value === UNKNOWN;
}
