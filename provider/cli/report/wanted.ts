/** What a set wants where a file has values that are not known before the change. */

import { type Grants, isGranteeKey, isPermissionWords, joinWords, type MaybeUnknown, parseGranteeKey } from "../../core";
import type { SetChange } from "./changes";
import type { Risk } from "./risks";

/** A grants map as an engine's file has it. */
export type FileGrants = Readonly<Record<string, MaybeUnknown<string>>>;

export interface Wanted extends Pick<SetChange, "unknown" | "cannotTell" | "notes" | "why"> {
  /** What is known. Grantees who may lose access count as keeping it. */
  readonly grants: Grants;
}

/** What is known of the grants that a set wants, and what the rest of them may mean. */
export function wantedIn(grants: FileGrants, before: Grants): Wanted {
  const known: Record<string, string> = {};
  const unknown = new Map<string, string>();
  const why = new Map<string, string>();
  const cannotTell = new Set<Risk>();
  for (const [key, words] of Object.entries(grants)) {
    const kind = isGranteeKey(key) ? parseGranteeKey(key).kind : key.split("/")[0];
    if (typeof words === "string" && isGranteeKey(key)) {
      if (isPermissionWords(words)) known[key] = words;
      continue;
    }
    const held = before[key];
    if (held !== undefined) {
      known[key] = typeof words === "string" ? joinWords(held, words) : held;
      why.set(key, "may change: not known yet");
      cannotTell.add("revokes");
      continue;
    }
    unknown.set(key, typeof words === "string" ? words : "launch");
    if (kind !== "account") cannotTell.add("broadens");
    if (kind === "public") cannotTell.add("public");
  }
  const notes = unknown.size + why.size > 0 ? ["some grantees are known only after the change"] : [];
  return { grants: known, unknown, why, cannotTell: [...cannotTell], notes };
}
