/** Secrets of a program: marks them for the engine, and removes them from messages. */

import { NAMING_GRANTEES, show } from "../core";
import { SECRET_MARK, SIGNATURE } from "./sdkInternals";

/** A resource's inputs or outputs. */
export type Properties = Readonly<Record<string, unknown>>;

/** A hidden property of a set: the names of the arguments that hold secrets. */
export const SECRETS = "__secrets";

/** In this list: another set of the same AMI keeps its grantees secret, and they would show in the grants of this one. */
export const SECRET_OF_OTHERS = "grants";

/** The arguments that name grantees. If one of them is a secret, all outputs that name grantees are. */
const NAME_GRANTEES = [SECRET_OF_OTHERS, ...NAMING_GRANTEES];

/** The outputs that name grantees. */
const TELL_GRANTEES = ["grants", "granted", "__record", "__others", "__granted", "__revoked", "__drifted", "__done", "kmsGrants"];

/** The names of the arguments that hold secrets, among arguments that the SDK serialized. */
export function secretsAmong(serialized: Properties): string[] {
  return Object.keys(serialized)
    .filter((name) => holdsSecret(serialized[name]))
    .sort();
}

/** The names of the arguments that hold secrets, as the inputs or outputs of a set record them. */
export function secretNames(props: Properties = {}): readonly string[] {
  const { [SECRETS]: names } = props;
  return Array.isArray(names) ? names.filter((name) => typeof name === "string") : [];
}

/** Whether the grantees are a secret. */
export function hidesGrantees(names: readonly string[]): boolean {
  return names.some((name) => NAME_GRANTEES.includes(name));
}

/**
 * Marks secrets in inputs or outputs for the engine. The engine passes secrets to a dynamic provider without their marks, and restores the
 * marks only for properties of the same name.
 *
 * @param before the names of the arguments that were secrets until now: they count for outputs that tell of earlier changes
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
 * Replaces secrets in a message.
 *
 * @param props the inputs or outputs that hold the secrets
 */
export function withoutSecrets(text: string, props: Properties, names: readonly string[] = secretNames(props)): string {
  const own = names.filter((name) => name !== SECRET_OF_OTHERS);
  const values = own.flatMap((name) => writtenForms(props[name])).sort((a, b) => b.length - a.length);
  const rest = values.reduce((words, value) => words.replaceAll(value, HIDDEN), text);
  const hidden = hidesGrantees(names) ? rest.replace(GRANTEE, HIDDEN) : rest;
  // Advice on what to write instead would name a secret, too.
  return hidden.replaceAll(/[;:,] write "\[secret\]"/g, "");
}

/** Removes the marks of secrets from a value. */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  if (SIGNATURE in value) return plain((value as unknown as Properties).value);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

const HIDDEN = "[secret]";
/** Account ids, except in the ARN of a KMS key; ARNs of organizations and organizational units. */
const GRANTEE = /(?<!:kms:[\w-]*:)\b\d{12}\b|arn:[\w-]+:organizations:\S*[\w]/g;

function isHidden(name: string): boolean {
  return name.startsWith("__");
}

function holdsSecret(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if ((value as Properties)[SIGNATURE] === SECRET_MARK) return true;
  return Object.values(value).some(holdsSecret);
}

/** The forms in which a message may contain a value, or a part of it: as it is, with invisible characters escaped, and shortened. */
function writtenForms(value: unknown): string[] {
  if (value === undefined || value === null) return [];
  const shown = show(value);
  const inner = typeof value === "object" ? Object.values(value).flatMap(writtenForms) : [String(value), unquoted(shown)];
  const forms = shown.endsWith("...") ? [...inner, unquoted(shown)] : inner;
  // Shorter values cannot be distinguished from other words.
  return typeof value === "boolean" ? [] : forms.filter(({ length }) => length > 2);
}

function unquoted(shown: string): string {
  return shown.replace(/^"|"$/g, "");
}
