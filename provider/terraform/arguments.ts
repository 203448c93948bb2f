/** Converts arguments between Terraform's values and those of the core: the names, values that are not set, and computed attributes. */

import type { ArgumentProblem } from "../core";
import { camelCase, snakeCase } from "./diagnostics";
import type { ObjectValue, Value } from "./objectValue";
import type { Attributes, Schema } from "./schema";

/** The arguments in a configuration or a state, with the core's names. Values that are null, and computed attributes, are left out. */
export function argumentsIn(value: ObjectValue, { attributes }: Schema): Record<string, Value> {
  return named(Object.fromEntries(Object.entries(value).filter(([name]) => attributes[name]?.role !== "computed")));
}

/** The problems of a configuration that sets computed attributes. */
export function readOnlyProblems(config: ObjectValue, { attributes }: Schema): ArgumentProblem[] {
  return Object.keys(attributes)
    .filter((name) => attributes[name]?.role === "computed" && (config[name] ?? null) !== null)
    .map((name) => ({ property: name, path: [name], message: "is computed by the provider; leave it out" }));
}

/** Converts arguments of the core to Terraform's values. */
export function valuesOf(args: object): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(args).map(([name, value]) => [snakeCase(name), isObject(value) ? valuesOf(value) : (value as Value)]),
  );
}

/** An object with null for each attribute. */
export function nulls(attributes: Attributes): Record<string, null> {
  return Object.fromEntries(Object.keys(attributes).map((name) => [name, null]));
}

function named(value: ObjectValue): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null)
      .map(([name, member]) => [camelCase(name), isObject(member) ? named(member) : member]),
  );
}

function isObject(value: unknown): value is ObjectValue {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
