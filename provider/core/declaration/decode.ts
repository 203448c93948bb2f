/** Decoding arguments to a declaration in canonical form, or to the problems of the arguments. */

import * as v from "valibot";
import { UNKNOWN } from "../model";
import type { DeclaredConnection, DeclaredRules, DeclaredSet } from "./arguments";
import { type ArgumentProblem, combinationProblems } from "./checks";
import { connectionSchema, rulesSchema, setSchema } from "./schema";

export type Decoded = { readonly declared: DeclaredSet } | { readonly problems: readonly ArgumentProblem[] };

/**
 * Decodes the arguments of a set from a program, a config file or a state file.
 *
 * {@link UNKNOWN} is a value that is not known yet. `undefined` and `null` count as absent.
 */
export function decodeDeclaredSet(input: Readonly<Record<string, unknown>>): Decoded {
  const result = v.safeParse(setSchema, withoutAbsent(input));
  if (!result.success) return { problems: result.issues.map(problem) };
  const declared = result.output as DeclaredSet;
  const problems = combinationProblems(declared);
  return problems.length > 0 ? { problems } : { declared };
}

/** Decodes the arguments of a connection. See {@link decodeDeclaredSet}. */
export function decodeConnection(
  input: Readonly<Record<string, unknown>>,
): { readonly connection: DeclaredConnection } | { readonly problems: readonly ArgumentProblem[] } {
  const result = v.safeParse(connectionSchema, withoutAbsent(input));
  return result.success ? { connection: result.output as DeclaredConnection } : { problems: result.issues.map(problem) };
}

/** Decodes the arguments for all sets that are not about the connection. See {@link decodeDeclaredSet}. */
export function decodeRules(
  input: Readonly<Record<string, unknown>>,
): { readonly rules: DeclaredRules } | { readonly problems: readonly ArgumentProblem[] } {
  const result = v.safeParse(rulesSchema, withoutAbsent(input));
  return result.success ? { rules: result.output as DeclaredRules } : { problems: result.issues.map(problem) };
}

function problem(issue: v.BaseIssue<unknown>): ArgumentProblem {
  const path = (issue.path ?? []).map(({ key }) => key as string | number);
  return { property: String(path[0] ?? "imageId"), path, message: issue.message };
}

function withoutAbsent(input: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined && value !== null));
}
