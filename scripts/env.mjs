// Prints the environment as `export` lines, for `eval "$(npm run -s env)"`.
// @ts-check
import { delimiter } from "node:path";
import { toolchainEnvironment, toolchainPath } from "./environment.mjs";
import { setupOrExit } from "./setup.mjs";

await setupOrExit({ quiet: true });
// Uses $PATH of the shell, because npm has added folders to PATH of this process.
const path = toolchainPath().join(delimiter);
console.log(`export PATH=${quote(path + delimiter)}"$PATH"`);
for (const [name, value = ""] of Object.entries(toolchainEnvironment())) {
  if (name !== "PATH") console.log(`export ${name}=${quote(value)}`);
}

/** @param {string} text */
function quote(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
