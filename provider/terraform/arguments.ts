/** Arguments between Terraform's values and the core's: names, absent values, and what is computed left out. */

import type { ArgumentProblem } from "../core";
import { camelCase, snakeCase } from "./diagnostics";
import type { Attributes, Schema } from "./schema";
import type { ObjectValue, Value } from "./values";

/** What a configuration or a state says of the arguments of a schema, by the core's names; what is null is left out. */
export function argumentsIn(value: ObjectValue, { attributes }: Schema): Record<string, Value> {
  return named(Object.fromEntries(Object.entries(value).filter(([name]) => attributes[name]?.role !== "computed")));
}

/** What a configuration sets and only the provider can. */
export function readOnlyProblems(config: ObjectValue, { attributes }: Schema): ArgumentProblem[] {
  return Object.keys(attributes)
    .filter((name) => attributes[name]?.role === "computed" && (config[name] ?? null) !== null)
    .map((name) => ({ property: name, path: [name], message: "is told by the provider; leave it out" }));
}

/** The other way: the core's arguments as Terraform's values. */
export function valuesOf(args: object): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(args).map(([name, value]) => [snakeCase(name), isObject(value) ? valuesOf(value) : (value as Value)]),
  );
}

/** A null for each attribute. */
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
