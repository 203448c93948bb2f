/** Values on the wire of Pulumi's provider protocol: structs to plain values and back, unknown values and secrets told apart. */

import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";
import { type Arguments, SET_ARGUMENTS } from "../core";
import { PULUMI_UNKNOWN } from "../pulumi/sdkInternals";
import { type Properties, plain, SECRETS, secretNames, secretsAmong } from "../pulumi/secrets";
import { CONFIG_ARGUMENTS } from "./configArguments";

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

const ARGUMENTS: Arguments = { ...SET_ARGUMENTS, ...CONFIG_ARGUMENTS };

/** The names of the members of arguments, by their names in Python: argument → name in Python → name. */
const PYTHON_NAMES: Readonly<Record<string, Readonly<Record<string, string>>>> = Object.fromEntries(
  Object.entries(ARGUMENTS).flatMap(([name, { type }]) =>
    typeof type === "object" && "members" in type
      ? [[name, Object.fromEntries(Object.keys(type.members).map((member) => [snakeCase(member), member]))]]
      : [],
  ),
);

/**
 * Arguments whose members have their names in the protocol. Pulumi's SDK for Python leaves the names in a dictionary as they are for a
 * function, for a provider, and where an argument is an object or a boolean. `pulumi import` prints such a dictionary.
 */
export function withoutPythonNames(args: Properties): Properties {
  return Object.fromEntries(
    Object.entries(args).map(([name, value]) => {
      const names = PYTHON_NAMES[name];
      return [name, names ? renamed(value, names) : value];
    }),
  );
}

function renamed(value: unknown, names: Readonly<Record<string, string>>): unknown {
  if (Array.isArray(value)) return value.map((item) => renamed(item, names));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([member, given]) => [names[member] ?? member, given]));
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
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
