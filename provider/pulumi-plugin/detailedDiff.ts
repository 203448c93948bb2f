/** What changes of a set, property by property, as the engine shows it: nothing by its position in a list. */

import { isDeepStrictEqual } from "node:util";
import { ARGUMENT_NAMES, LISTS, REPLACING } from "../core";
import { hidesGrantees, type Properties, secretNames } from "../pulumi/secrets";

/** How a property changes. */
export type Kind = "ADD" | "DELETE" | "UPDATE" | "UPDATE_REPLACE";

/** Lists that the grants do not tell of: their members are shown. */
const SHOWN_LISTS: readonly string[] = LISTS.filter((path) => path === "neverRevoke" || path.endsWith(".snapshotIds"));

/**
 * The changes between two states of a set's checked inputs, by property path. The lists of grantees are left out: `grants` tells of
 * them, one line for each grantee. Of a secret, no path tells what is in it.
 */
export function detailedDiff(olds: Properties, news: Properties): ReadonlyMap<string, Kind> {
  const changes = new Map<string, Kind>();
  const secrets = [...secretNames(olds), ...secretNames(news)];
  for (const name of ARGUMENT_NAMES)
    if (secrets.includes(name)) note(name, olds[name], news[name], changes);
    else compare(name, name, olds[name], news[name], changes);
  if (hidesGrantees(secrets)) note("grants", olds.grants, news.grants, changes);
  else compareGrants(grants(olds), grants(news), changes);
  return changes;
}

function compare(path: string, name: string, before: unknown, after: unknown, changes: Map<string, Kind>): void {
  if (LISTS.includes(name)) {
    if (SHOWN_LISTS.includes(name)) compareLists(path, listed(before), listed(after), changes);
    return;
  }
  if (isObject(before) && isObject(after)) {
    for (const member of new Set([...Object.keys(before), ...Object.keys(after)]))
      compare(`${path}.${member}`, `${name}.${member}`, before[member], after[member], changes);
    return;
  }
  note(path, before, after, changes);
}

/** Members by what they are. Where one goes and another comes at the same place, the engine shows a single change of that place. */
function compareLists(path: string, before: readonly unknown[], after: readonly unknown[], changes: Map<string, Kind>): void {
  const gone = before.flatMap((member, i) => (after.includes(member) ? [] : [i]));
  const added = after.flatMap((member, i) => (before.includes(member) ? [] : [i]));
  for (const i of gone) changes.set(`${path}[${i}]`, added.includes(i) ? "UPDATE" : "DELETE");
  for (const i of added.filter((i) => !gone.includes(i))) changes.set(`${path}[${i}]`, "ADD");
}

function compareGrants(before: Properties, after: Properties, changes: Map<string, Kind>): void {
  for (const key of [...new Set([...Object.keys(before), ...Object.keys(after)])].sort())
    note(`grants[${JSON.stringify(key)}]`, before[key], after[key], changes);
}

function note(path: string, before: unknown, after: unknown, changes: Map<string, Kind>): void {
  if (isDeepStrictEqual(before, after)) return;
  const kind = before === undefined ? "ADD" : after === undefined ? "DELETE" : "UPDATE";
  changes.set(path, REPLACING.includes(path) ? "UPDATE_REPLACE" : kind);
}

function grants({ grants: all }: Properties): Properties {
  return isObject(all) ? all : {};
}

function listed(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isObject(value: unknown): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
