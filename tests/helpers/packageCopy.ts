/** Other installations: copies of the built package, and other versions of npm packages. */

import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
import { ROOT } from "./emulator";

const PACKAGE = path.join(ROOT, "provider");
const INSTALLED = path.join(ROOT, ".toolchain", "npm");

/** Copies the built package into a node_modules folder, as npm would install it. It has no dependencies. */
export function copyPackage(nodeModules: string): string {
  const copy = path.join(nodeModules, "ami-launch-permissions");
  fs.rmSync(copy, { recursive: true, force: true });
  fs.mkdirSync(copy, { recursive: true });
  fs.copyFileSync(path.join(PACKAGE, "package.json"), path.join(copy, "package.json"));
  fs.cpSync(path.join(PACKAGE, "dist"), path.join(copy, "dist"), { recursive: true });
  return copy;
}

/** Links packages of the repository into a node_modules folder. */
export function linkPackages(nodeModules: string, ...names: string[]): void {
  for (const name of names) link(installed(ROOT, name), path.join(nodeModules, name));
}

/** The node_modules folder with exactly this version of a package. It is installed once, into .toolchain. */
export async function fetchPackage(name: string, version: string): Promise<string> {
  const folder = path.join(INSTALLED, `${name.replace(/^@/, "").replaceAll("/", "-")}-${version}`);
  const nodeModules = path.join(folder, "node_modules");
  const done = path.join(folder, "done");
  if (fs.existsSync(done)) return nodeModules;
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, "package.json"), '{ "private": true }');
  await npm(folder, "install", "--ignore-scripts", "--no-package-lock", `${name}@${version}`);
  fs.writeFileSync(done, "");
  return nodeModules;
}

/** Runs npm, which prefers its cache. */
export async function npm(folder: string, ...args: string[]): Promise<string> {
  const options = ["--prefer-offline", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"];
  const { stdout } = await promisify(execFile)("npm", [...args, ...options], { cwd: folder, maxBuffer: 64 << 20 });
  return stdout;
}

/** The folder of a package, as the modules in a folder would find it. */
function installed(from: string, name: string): string {
  const found = [path.join(from, "node_modules", name), path.join(ROOT, "node_modules", name)].find((at) => fs.existsSync(at));
  if (!found) throw new Error(`${name} is not installed`);
  return found;
}

function link(target: string, at: string): void {
  fs.mkdirSync(path.dirname(at), { recursive: true });
  fs.rmSync(at, { recursive: true, force: true });
  fs.symlinkSync(target, at, "junction");
}
