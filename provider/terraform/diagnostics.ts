/** What goes wrong, in Terraform's form: diagnostics that point at the attribute, with the names that its users write. */

import { type AmiSharingError, ARGUMENT_NAMES, type ArgumentProblem, problemPath } from "../core";

/** tfplugin6.proto, Diagnostic. */
export interface Diagnostic {
  readonly severity: "ERROR" | "WARNING";
  readonly summary: string;
  readonly detail: string;
  readonly attribute?: AttributePath;
}

/** tfplugin6.proto, AttributePath: the protocol has no step into a set, so that a path ends at one. */
export interface AttributePath {
  readonly steps: readonly { readonly attribute_name: string }[];
}

export function attributePath(...names: readonly string[]): AttributePath {
  return { steps: names.map((name) => ({ attribute_name: snakeCase(name) })) };
}

/** The diagnostic for a wrong argument. */
export function problemDiagnostic(problem: ArgumentProblem): Diagnostic {
  const names = problem.path.filter((part): part is string => typeof part === "string");
  return {
    severity: "ERROR",
    summary: `Invalid ${snakeCase(problem.property)}`,
    detail: inTerraformWords(`${problemPath(problem)}: ${problem.message} [invalid-argument]`),
    attribute: attributePath(...(names.length > 0 ? names : [problem.property])),
  };
}

/** The diagnostic for what an operation threw; `attributes` are those that may be pointed at. */
export function errorDiagnostic(summary: string, error: unknown, attributes: readonly string[] = []): Diagnostic {
  const { message, property } = error as Partial<AmiSharingError> & Error;
  const name = property && snakeCase(property);
  return {
    severity: "ERROR",
    summary,
    detail: inTerraformWords(message),
    ...(name && attributes.includes(name) ? { attribute: attributePath(name) } : {}),
  };
}

/** The names that Terraform's users write for what the core's words name. */
const NAMES = new Map(
  [...ARGUMENT_NAMES, "snapshotIds", "roleArn", "externalId", "sessionName", "maxRetries"]
    .filter((name) => /[A-Z]/.test(name))
    .map((name) => [name, snakeCase(name)]),
);
const NAMED = new RegExp(`\\b(${[...NAMES.keys()].join("|")}|public)\\b(: (?=true|false|"|\\d))?`, "g");

/** The core's words with Terraform's names and its way to assign them. */
export function inTerraformWords(text: string): string {
  return text.replace(NAMED, (_, name: string, assigned?: string) => (NAMES.get(name) ?? name) + (assigned ? " = " : ""));
}

export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

export function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
