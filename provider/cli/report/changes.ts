/** What a set changes, in one form for all sources: the readers of files make it, and reports are made from it. */

import {
  decodeGrants,
  type GranteeKey,
  type Grants,
  granteesOf,
  intersection,
  minus,
  NO_PERMISSIONS,
  type Permissions,
  type ReadEntry,
  type ReportSection,
  union,
} from "../../core";
import type { Hidden, ReportedAmi, ReportedSet } from "./model";
import type { Risk } from "./risks";

/** The AMI of a set. */
export interface ChangedImage {
  /** undefined: not known before the change, or a secret. */
  readonly imageId: string | undefined;
  readonly region: string | undefined;
  readonly ownerId?: string | undefined;
  /** undefined: not known. */
  readonly snapshotIds?: readonly string[] | undefined;
  /** What the AMI is called if there is no id. */
  readonly label: string;
}

/** What one set does to one AMI. A set that moves to another AMI is two of these. */
export interface SetChange {
  readonly image: ChangedImage;
  readonly set: ReportedSet;
  readonly before: Permissions;
  readonly after: Permissions;
  readonly why: ReadonlyMap<GranteeKey, string>;
  /** Grantees that are known only after the change, such as `account/[unknown]`, and their permissions as in a grants map. */
  readonly unknown: ReadonlyMap<string, string>;
  /** Set if the grantees are a secret. Then no field names them. */
  readonly hidden: Hidden | undefined;
  /** What broadens access although the grantees are a secret. */
  readonly hiddenBroadens: ReportedAmi["broadens"];
  readonly cannotTell: readonly Risk[];
  readonly warnings: readonly string[];
  readonly errors: readonly string[];
  readonly notes: readonly string[];
}

/** The fields that most changes do not have. */
export const PLAIN = {
  before: NO_PERMISSIONS,
  after: NO_PERMISSIONS,
  why: new Map<GranteeKey, string>(),
  unknown: new Map<string, string>(),
  hidden: undefined,
  hiddenBroadens: [],
  cannotTell: [],
  warnings: [],
  errors: [],
  notes: [],
} as const satisfies Partial<SetChange>;

/** Stands for all snapshots of an AMI whose snapshots are not known. */
export const EVERY_SNAPSHOT = "*";

/** The permissions of a grants map on an AMI. */
export function permissionsOf(grants: Grants, { snapshotIds }: Pick<ChangedImage, "snapshotIds">): Permissions {
  return decodeGrants(grants, snapshotIds ?? [EVERY_SNAPSHOT]);
}

/** The effect of a report's section. */
export interface Told extends Pick<SetChange, "before" | "after" | "why" | "hidden" | "hiddenBroadens" | "notes"> {}

/**
 * The permissions before and after a change, as a report tells them. A report names everybody who loses access, and may cut the lists of those
 * who gain or keep it: these are in the file of the engine.
 *
 * @param recorded the grants that the file has before the change
 * @param wanted the grants that the file has after the change
 */
export function toldBy(section: ReportSection, recorded: Grants, wanted: Grants, image: ChangedImage): Told {
  const parse = (grants: Grants) => permissionsOf(grants, image);
  const isChange = section.kind === "change";
  let after = isChange ? parse(wanted) : NO_PERMISSIONS;
  let before = isChange ? intersection(parse(recorded), after) : NO_PERMISSIONS;
  const why = new Map<GranteeKey, string>();
  const notes: string[] = [];
  const apply = (entry: ReadEntry, grantees: readonly GranteeKey[]) => {
    const permissions = parse(Object.fromEntries(grantees.map((key) => [key, entry.words])));
    const [had, has] = effectOf(entry);
    before = had ? union(before, permissions) : minus(before, permissions);
    after = has ? union(after, permissions) : minus(after, permissions);
    if (entry.why !== "new" && entry.why !== "has it already") for (const key of grantees) why.set(key, entry.why);
  };
  for (const entry of section.entries) apply(entry, entry.grantees);

  const named = new Set(section.entries.flatMap(({ grantees }) => grantees));
  let isHidden = false;
  for (const entry of section.entries.filter(({ unnamed }) => unnamed > 0)) {
    const candidates = Object.keys(wanted).filter((key) => !named.has(key) && wanted[key] === entry.words);
    isHidden ||= candidates.length === 0;
    // Only a line that is cut has candidates. If another line is cut, too, nobody can tell which line a candidate belongs to.
    if (candidates.length > entry.unnamed)
      notes.push(
        `who of ${candidates.length} grantees gains access and who has it already is not in the file: they are shown as gaining`,
      );
    if (entry.sign === "+") apply(entry, candidates);
  }
  return {
    before,
    after,
    why,
    notes,
    hidden: isHidden ? section.counts : undefined,
    hiddenBroadens: isHidden ? section.broadens.map(broadeningIn) : [],
  };
}

/** Whether a grantee of a report's line had the permissions before, and whether it has them after the change. */
function effectOf({ sign, why }: ReadEntry): [had: boolean, has: boolean] {
  if (sign !== "=") return [sign === "-", sign === "+"];
  if (why === "is not there" || why.startsWith("left out: ")) return [false, false];
  return [true, !why.startsWith("stays until ")];
}

/** The kind of a broadening in a report. See `broadenings` in the core. */
export function broadeningIn(text: string): ReportedAmi["broadens"][number] {
  if (text.includes("copy the disks")) return { kind: "createVolume", text };
  if (text.startsWith("everybody")) return { kind: "public", text };
  return { kind: text.includes("organizational unit") ? "organizationalUnit" : "organization", text };
}

/** How many grantees gain, lose and keep access. */
export function countsOf(before: Permissions, after: Permissions): Readonly<Record<keyof Hidden, number>> {
  const [gains, loses] = [granteesOf(minus(after, before)), granteesOf(minus(before, after))];
  const keeps = [...granteesOf(before)].filter((key) => !gains.has(key) && !loses.has(key));
  return { gains: gains.size, loses: loses.size, keeps: keeps.length };
}
