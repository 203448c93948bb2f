/** Where this package keeps the plugin, what it is on a platform, and how it gets where Pulumi looks. */

import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { PACKAGE as NAME } from "./names";

/** The npm package's folder, from its sources and from what is built of them. */
const PACKAGE = join(__dirname, __dirname.includes(join("dist", "pulumi-plugin")) ? "../.." : "..");
const BUILT = join(PACKAGE, "dist", "pulumi-plugin");

/** The name by which the engine starts a plugin. */
const PROGRAM = `pulumi-resource-${NAME}`;

/** A file of the plugin. */
export interface PluginFile {
  /** Without a folder. */
  readonly name: string;
  readonly contents: Uint8Array;
  readonly executable: boolean;
}

/** The files of the plugin for a system, which is named as Node.js names it. */
export function pluginFiles(system: NodeJS.Platform): PluginFile[] {
  const contents = readFileSync(join(BUILT, PROGRAM));
  const notices = ["LICENSE", "THIRD-PARTY-NOTICES.txt"].map((name) => ({
    name,
    contents: readFileSync(join(name === "LICENSE" ? PACKAGE : BUILT, name)),
    executable: false,
  }));
  if (system !== "win32") return [{ name: PROGRAM, contents, executable: true }, ...notices];
  // Windows starts no scripts by their first line; `.cjs`, so that no package.json above makes it a module.
  const script = `${PROGRAM}.cjs`;
  const start = Buffer.from(`@node "%~dp0${script}" %*\r\n`);
  return [
    { name: `${PROGRAM}.cmd`, contents: start, executable: true },
    { name: script, contents, executable: false },
    ...notices,
  ];
}

/**
 * Puts the plugin where Pulumi looks for installed ones, as `pulumi plugin install` does.
 *
 * @returns the folder that was made
 */
export function installPlugin(env: NodeJS.ProcessEnv = process.env): string {
  const { version } = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8")) as { version: string };
  const home = env.PULUMI_HOME || join(homedir(), ".pulumi");
  const folder = join(home, "plugins", `resource-${NAME}-v${version}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const { name, contents, executable } of pluginFiles(process.platform)) {
    writeFileSync(join(folder, name), contents);
    if (executable) chmodSync(join(folder, name), 0o755);
  }
  return folder;
}
