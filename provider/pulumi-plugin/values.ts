/** Values on the wire of Pulumi's provider protocol: structs to plain values and back, unknown values and secrets told apart. */

import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import { SET_ARGUMENTS } from "../core";
import { PULUMI_UNKNOWN } from "../pulumi/sdkInternals";
import { type Properties, plain, SECRETS, secretNames, secretsAmong } from "../pulumi/secrets";

/** The marks of values that are not known yet, one for each kind. pulumi/pulumi, sdk/go/common/resource/plugin/rpc.go. */
const UNKNOWNS: readonly unknown[] = [
  PULUMI_UNKNOWN,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
];

/**
 * Properties as the dynamic provider's operations take them: in clear, with the names of those that were secrets. Whatever is not known
 * has the one mark.
 */
export function propertiesOf(struct: Struct | undefined): Properties {
  const given = withOneUnknown(struct?.toJavaScript() ?? {}) as Properties;
  const clear = plain(given) as Properties;
  const names = new Set([...secretNames(clear), ...secretsAmong(given).filter((name) => !name.startsWith("__"))]);
  return names.size > 0 ? { ...clear, [SECRETS]: [...names].sort() } : clear;
}

/** The struct of properties; what is undefined is left out. */
export function structOf(properties: object): Struct {
  return Struct.fromJavaScript(withoutUndefined(properties) as Record<string, JavaScriptValue>);
}

/** The members of `createVolumePermissions` by their names in Python. */
const PYTHON_NAMES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.keys(SET_ARGUMENTS.createVolumePermissions.type.members).map((name) => [
    name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    name,
  ]),
);

/**
 * The arguments of a set with their names in the protocol. Where an argument is an object or a boolean, Pulumi's SDK for Python leaves the
 * names in a dictionary as they are; `pulumi import` prints such a dictionary.
 */
export function withoutPythonNames({ createVolumePermissions: given, ...others }: Properties): Properties {
  if (given === undefined) return others;
  if (typeof given !== "object" || given === null || Array.isArray(given)) return { ...others, createVolumePermissions: given };
  const members = Object.entries(given).map(([name, value]) => [PYTHON_NAMES[name] ?? name, value]);
  return { ...others, createVolumePermissions: Object.fromEntries(members) };
}

/** Whether a value is one that is not known yet. */
export function isUnknown(value: unknown): boolean {
  return UNKNOWNS.includes(value);
}

function withOneUnknown(value: unknown): unknown {
  if (isUnknown(value)) return PULUMI_UNKNOWN;
  if (Array.isArray(value)) return value.map(withOneUnknown);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withOneUnknown(member)]));
}

function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([name, member]) => [name, withoutUndefined(member)]));
}
