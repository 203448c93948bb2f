/** Decodes Terraform's values from msgpack and JSON to plain values with unknowns, and encodes them by a schema. */

import { decode, Encoder, ExtData, ExtensionCodec } from "@msgpack/msgpack";
import { UNKNOWN } from "../core";
import type { ObjectValue, Value } from "./objectValue";
import type { Attributes, Schema } from "./schema";

export type { ObjectValue, Value } from "./objectValue";

/** tfplugin6.proto, DynamicValue. */
export interface DynamicValue {
  readonly msgpack?: Uint8Array;
  readonly json?: Uint8Array;
}

// Terraform's msgpack: extension 0 is an unknown value, extension 12 is an unknown value with a refinement. The content is ignored.
const extensions = new ExtensionCodec();
for (const type of [0, 12]) extensions.register({ type, encode: () => null, decode: () => UNKNOWN });
const encoder = new Encoder({ extensionCodec: extensions });
const UNKNOWN_EXTENSION = new ExtData(0, new Uint8Array(1));

/** Decodes an object of a schema; null if the whole value is null. */
export function decodeValue(value: DynamicValue | null | undefined): ObjectValue | null {
  if (value?.msgpack && value.msgpack.length > 0)
    return decode(value.msgpack, { extensionCodec: extensions }) as ObjectValue | null;
  if (value?.json && value.json.length > 0) return JSON.parse(Buffer.from(value.json).toString("utf8")) as ObjectValue | null;
  return null;
}

/** Encodes an object of a schema. Missing members become null. Members that are not in the schema are left out. */
export function encodeValue(value: ObjectValue | null, schema: Schema): DynamicValue {
  return { msgpack: encoder.encode(value === null ? null : complete(value, schema.attributes)) };
}

/** Decodes an argument of a function, which has no schema. */
export function decodeArgument({ msgpack, json }: DynamicValue): Value {
  if (msgpack && msgpack.length > 0) return decode(msgpack, { extensionCodec: extensions }) as Value;
  return json && json.length > 0 ? (JSON.parse(Buffer.from(json).toString("utf8")) as Value) : null;
}

/** Encodes a value together with its type, for a receiver that does not know the type: go-cty, msgpack/dynamic.go. */
export function encodeDynamic(value: Value): DynamicValue {
  if (value === UNKNOWN) return { msgpack: encoder.encode(UNKNOWN_EXTENSION) };
  return { msgpack: encoder.encode([Buffer.from(JSON.stringify(typeOf(value))), marked(value)]) };
}

/** The type of a value in the notation of go-cty. Arrays are tuples, whose elements can have different types. */
function typeOf(value: Value): unknown {
  if (Array.isArray(value)) return ["tuple", value.map(typeOf)];
  if (typeof value !== "object" || value === null)
    return value === null ? "dynamic" : typeof value === "boolean" ? "bool" : typeof value;
  return ["object", Object.fromEntries(Object.entries(value).map(([name, member]) => [name, typeOf(member)]))];
}

/** The value with exactly the members that the schema has. */
function complete(value: ObjectValue, attributes: Attributes): object {
  const members = Object.entries(attributes).map(([name, { nested }]) => {
    const member = value[name] ?? null;
    if (!nested || member === null || member === UNKNOWN) return [name, marked(member)];
    if (nested.nesting === "SINGLE") return [name, complete(member as ObjectValue, nested.attributes)];
    return [name, (member as readonly ObjectValue[]).map((item) => complete(item, nested.attributes))];
  });
  return Object.fromEntries(members);
}

function marked(value: Value): unknown {
  if (value === UNKNOWN) return UNKNOWN_EXTENSION;
  if (Array.isArray(value)) return value.map(marked);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, marked(item)]));
}

/** Whether a value contains an unknown value. */
export function hasUnknown(value: Value | undefined): boolean {
  if (value === UNKNOWN) return true;
  if (typeof value !== "object" || value === null) return false;
  return Object.values(value).some(hasUnknown);
}

/** Whether two values are equal. The order in arrays is ignored, because they are Terraform's sets. */
export function sameValue(a: Value, b: Value): boolean {
  return JSON.stringify(ordered(a)) === JSON.stringify(ordered(b));
}

function ordered(value: Value): unknown {
  if (value === UNKNOWN) return { unknown: true };
  if (Array.isArray(value)) return value.map((item) => JSON.stringify(ordered(item))).sort();
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).sort(([x], [y]) => (x < y ? -1 : 1));
  return members.map(([key, item]) => [key, ordered(item)]);
}
