/** What a program gave as secrets: marking it in what the engine keeps and shows, and keeping it out of words. */

import { show } from "../core";
import { SECRET_MARK, SIGNATURE } from "./sdkInternals";

/** A resource's inputs or outputs. */
export type Properties = Readonly<Record<string, unknown>>;

/** The name among a set's inputs and outputs of the names of the arguments that hold secrets, hidden from the engine's display. */
export const SECRETS = "__secrets";

/** Among those names: who has access is a secret of another set of the same AMI, whose grantees show in this one's grants. */
export const SECRET_OF_OTHERS = "grants";

/** Arguments that name grantees: where one is a secret, all that tells of grantees is. */
const NAME_GRANTEES = [
  SECRET_OF_OTHERS,
  "accountIds",
  "organizationArns",
  "organizationalUnitArns",
  "public",
  "createVolumePermissions",
  "neverRevoke",
];

/** Outputs that name grantees. */
const TELL_GRANTEES = ["grants", "granted", "__record", "__granted", "__revoked", "__drifted", "__done", "kmsGrants"];

/** The names of the arguments that hold secrets, in what the SDK serialized. */
export function secretsAmong(serialized: Properties): string[] {
  return Object.keys(serialized)
    .filter((name) => holdsSecret(serialized[name]))
    .sort();
}

/** The names of the arguments that hold secrets, as a set's inputs or outputs tell. */
export function secretNames(props: Properties = {}): readonly string[] {
  const { [SECRETS]: names } = props;
  return Array.isArray(names) ? names.filter((name) => typeof name === "string") : [];
}

/** Whether who has access is a secret. */
export function hidesGrantees(names: readonly string[]): boolean {
  return names.some((name) => NAME_GRANTEES.includes(name));
}

/**
 * Inputs or outputs in which what is secret is marked so for the engine: the dynamic provider gets secrets in clear, and the engine marks
 * again only what has the same name.
 *
 * @param before what was secret up to now: it counts for what tells of the past
 */
export function sealed(props: Properties, names: readonly string[], before: readonly string[] = []): Record<string, unknown> {
  const telling = hidesGrantees(names) ? TELL_GRANTEES : hidesGrantees(before) ? TELL_GRANTEES.filter(isHidden) : [];
  const sealedNames = new Set([...names, ...telling]);
  return {
    ...Object.fromEntries(
      Object.entries(props).map(([name, value]) => [
        name,
        sealedNames.has(name) && value !== undefined ? { [SIGNATURE]: SECRET_MARK, value } : value,
      ]),
    ),
    ...(names.length > 0 ? { [SECRETS]: [...names] } : {}),
  };
}

/**
 * Words without what is secret.
 *
 * @param props the inputs or outputs that hold it
 */
export function withoutSecrets(text: string, props: Properties, names: readonly string[] = secretNames(props)): string {
  const own = names.filter((name) => name !== SECRET_OF_OTHERS);
  const values = own.flatMap((name) => writtenForms(props[name])).sort((a, b) => b.length - a.length);
  const rest = values.reduce((words, value) => words.replaceAll(value, HIDDEN), text);
  const hidden = hidesGrantees(names) ? rest.replace(GRANTEE, HIDDEN) : rest;
  // What to write instead is a secret as well, so that nothing is left of the advice.
  return hidden.replaceAll(/[;:,] write "\[secret\]"/g, "");
}

/** A value without the wrappers of secrets. */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  if (SIGNATURE in value) return plain((value as unknown as Properties).value);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

const HIDDEN = "[secret]";
/** Account ids, but not that in a key's ARN; ARNs of organizations and units. */
const GRANTEE = /(?<!:kms:[\w-]*:)\b\d{12}\b|arn:[\w-]+:organizations:\S*[\w]/g;

function isHidden(name: string): boolean {
  return name.startsWith("__");
}

function holdsSecret(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if ((value as Properties)[SIGNATURE] === SECRET_MARK) return true;
  return Object.values(value).some(holdsSecret);
}

/** How words may write a value and what is in it: as it is, with what nobody sees written out, and cut off. */
function writtenForms(value: unknown): string[] {
  if (value === undefined || value === null) return [];
  const shown = show(value);
  const inner = typeof value === "object" ? Object.values(value).flatMap(writtenForms) : [String(value), unquoted(shown)];
  const forms = shown.endsWith("...") ? [...inner, unquoted(shown)] : inner;
  // Shorter ones are not told from other words.
  return typeof value === "boolean" ? [] : forms.filter(({ length }) => length > 2);
}

function unquoted(shown: string): string {
  return shown.replace(/^"|"$/g, "");
}
