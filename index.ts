/** The stack program: config → sets → outputs; every argument of a set is a config key, no code is needed. */

import * as pulumi from "@pulumi/pulumi";
import { AmiLaunchPermissionSet, type AmiLaunchPermissionSetArgs } from "ami-launch-permissions";

type Arguments = Record<string, unknown>;

const TEXTS = ["imageId", "mode", "onDelete", "kmsAccess", "region", "profile", "endpoint"];

/** What holds for the whole stack: the package reads it itself. */
const OF_THE_STACK = ["allowedGrantees", "accountNames", "names"];

/** Grantee → permissions of the one set, or of each set by its name. */
export const grants = declareSets();

function declareSets() {
  const { sets, ...single } = stackConfig();
  if (sets === undefined) {
    if (single.imageId === undefined)
      throw new pulumi.RunError(
        "nothing to share: set imageId and accountIds in the stack's config (pulumi config set imageId ami-…), or sets, a list of such objects with a name each",
      );
    return new AmiLaunchPermissionSet("ami", single as unknown as AmiLaunchPermissionSetArgs).grants;
  }
  const beside = Object.keys(single);
  if (beside.length > 0)
    throw new pulumi.RunError(`config has both sets and ${beside.join(", ")}: move these into the sets, or take them out`);
  return Object.fromEntries(setList(sets).map(({ name, args }) => [name, new AmiLaunchPermissionSet(name, args).grants]));
}

function setList(sets: unknown): { name: string; args: AmiLaunchPermissionSetArgs }[] {
  if (!Array.isArray(sets)) throw new pulumi.RunError("config sets is not a list");
  const names = new Set<string>();
  const hide = isSecret("sets") ? secret : (args: Arguments) => args;
  return sets.map((entry: Arguments | null, i) => {
    const { name, ...given } = entry ?? {};
    const args = hide(given);
    if (typeof name !== "string" || name === "") throw new pulumi.RunError(`config sets[${i}] has no name`);
    if (names.has(name)) throw new pulumi.RunError(`config sets[${i}]: there is another set named "${name}"`);
    names.add(name);
    return { name, args: args as unknown as AmiLaunchPermissionSetArgs };
  });
}

/** All of the project's config, so that a misspelt key is an error of the set and not ignored. */
function stackConfig(): Arguments {
  const prefix = `${pulumi.getProject()}:`;
  const own = Object.entries(pulumi.runtime.allConfig()).filter(
    ([key]) => key.startsWith(prefix) && !OF_THE_STACK.includes(key.slice(prefix.length)),
  );
  return Object.fromEntries(
    own.map(([key, text]) => {
      const name = key.slice(prefix.length);
      const value = TEXTS.includes(name) ? text : json(text);
      // Of the sets the names have to be known; their arguments are marked one by one.
      return [name, isSecret(name) && name !== "sets" ? pulumi.secret(value) : value];
    }),
  );
}

/** Whether the config has a key, or a part of it, encrypted. */
function isSecret(name: string): boolean {
  // Pulumi SDK, runtime/config.ts: what `Config.requireSecretObject` would not tell; kept out of the types.
  const { isConfigSecret } = pulumi.runtime as unknown as { isConfigSecret: (key: string) => boolean };
  return isConfigSecret(`${pulumi.getProject()}:${name}`);
}

/** Which argument is one, the engine does not tell: all are that may be. */
function secret(args: Arguments): Arguments {
  return Object.fromEntries(
    Object.entries(args).map(([name, value]) => [name, TEXTS.includes(name) ? value : pulumi.secret(value)]),
  );
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
