/** The stack's config that holds for all its sets: the allow-list, and the names of accounts. */

import { type CallWatch, NameSource, type Rules, rulesOf } from "../core";
import { connectionOf, type GetConfig } from "./stackConfig";

/** The namespace of the config, whatever the name of the project is. */
const RULES_NAMESPACE = "ami-launch-permissions";

/**
 * The rules in a config. It reads the files that the config names.
 *
 * @param of whose config it is, for messages
 * @throws AmiSharingError `invalid-argument` with the config key
 */
export function rulesIn(getConfig: GetConfig, of: "the stack" | "the provider", watch?: CallWatch): Rules {
  const value = (key: string) => parsed(getConfig(`${RULES_NAMESPACE}:${key}`));
  const given = { allowedGrantees: value("allowedGrantees"), accountNames: value("accountNames"), names: value("names") };
  return rulesOf(given, of, () => connectionOf({}, getConfig), watch);
}

/** The names in a stack's config; none if the config cannot be used, which the check of each set reports. */
export function namesIn(rules: () => Rules): NameSource {
  try {
    return rules().names;
  } catch {
    return new NameSource();
  }
}

/** A list and a map are JSON. Every other text, such as a path, is itself. */
function parsed(value: unknown): unknown {
  if (typeof value !== "string") return value;
  if (value === "") return undefined;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
