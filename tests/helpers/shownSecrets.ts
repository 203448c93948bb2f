/** Looks for secrets in everything that a Pulumi project leaves: what its commands printed, its outputs, its state and its event log. */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import type { PulumiProject } from "./pulumiProject";

/** The name of the event log, in the project's folder. It is what the Automation API reads. */
export const EVENTS = "events.json";

/**
 * Fails if a secret shows.
 *
 * @param seen what commands printed so far
 */
export async function requireHidden(project: PulumiProject, seen: readonly string[], secrets: readonly string[]): Promise<void> {
  const asked = [
    ["stack", "output", "--json"],
    ["stack", "export"],
    ["stack", "--show-urns"],
  ];
  const printed: string[] = [];
  for (const command of asked) printed.push((await project.succeed(...command)).output);
  const files = fs
    .readdirSync(project.folder, { recursive: true, encoding: "utf8", withFileTypes: true })
    .filter((entry) => entry.isFile() && (/\.pulumi/.test(entry.parentPath) || entry.name === EVENTS));
  assert.ok(files.some(({ name }) => name === EVENTS));
  const kept = files.flatMap((entry) => fs.readFileSync(path.join(entry.parentPath, entry.name), "utf8").split("\n"));
  // What Pulumi's SDK writes for its own developers has every secret in clear.
  for (const text of [...seen, ...printed, ...kept.filter((line) => !line.includes('"prefix":"debug: "'))])
    for (const secret of secrets) assert.ok(!text.includes(secret), `${secret} shows in:\n${text}`);
}
