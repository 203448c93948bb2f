// Shared by the scripts that bundle plugins: replaces files atomically, and writes the licence notices of a bundle.
// @ts-check
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT } from "./environment.mjs";

/**
 * Replaces a file atomically, because another process may be starting the old one.
 * @param {string} folder
 * @param {string} name
 * @param {string | Uint8Array} contents
 * @param {number} mode
 */
export function put(folder, name, contents, mode) {
  const draft = join(folder, `.${name}.${process.pid}`);
  writeFileSync(draft, contents, { mode });
  renameSync(draft, join(folder, name));
}

/**
 * The licences of the packages in the bundle.
 * @param {string[]} inputs The files that were bundled.
 * @param {string[]} [others] Further notices.
 */
export function noticesOf(inputs, others = []) {
  const folders = new Set(inputs.flatMap((file) => packageFolder(join(ROOT, file)) ?? []));
  const texts = [...folders].sort().map((folder) => {
    const { name, version, license } = readJson(join(folder, "package.json"));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    return `${name} ${version} (${license})\n\n${file ? readFileSync(join(folder, file), "utf8").trim() : "No licence text in the package."}`;
  });
  return `${[...others, ...texts].join(`\n\n${"-".repeat(80)}\n\n`)}\n`;
}

/**
 * The folder of the installed package that a file belongs to; undefined for files of this project.
 * @param {string} file
 * @returns {string | undefined}
 */
function packageFolder(file) {
  if (!file.includes("node_modules")) return undefined;
  let folder = dirname(file);
  // A package.json without a name only sets the module type of a folder.
  while (!existsSync(join(folder, "package.json")) || !readJson(join(folder, "package.json")).name) folder = dirname(folder);
  return folder;
}

/** @param {string} file */
export function readJson(file) {
  return JSON.parse(readFileSync(file, "utf8"));
}
