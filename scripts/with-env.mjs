// Runs a command with the tools of this repository, local state and dummy credentials: `node scripts/with-env.mjs CMD ARGS…`.
// `--only=STEP,…` before the command runs only these steps of set-up. `NAME=VALUE` before the command sets a variable, on every platform.
// @ts-check
import { spawn } from "node:child_process";
import { toolchainEnvironment } from "./environment.mjs";
import { chosenSteps, setupOrExit } from "./setup.mjs";

const given = process.argv.slice(2);
const chosen = given[0]?.startsWith("--only=") ? chosenSteps(given.splice(0, 1)) : undefined;
/** @type {Record<string, string>} */
const variables = {};
while (/^\w+=/.test(given[0] ?? "")) {
  const [name = "", ...value] = given.splice(0, 1)[0]?.split("=") ?? [];
  variables[name] = value.join("=");
}
const [command, ...args] = given;
if (!command) {
  console.error("usage: node scripts/with-env.mjs [--only=STEP,…] [NAME=VALUE…] CMD ARGS…");
  process.exit(2);
}
await setupOrExit({ quiet: true, ...(chosen ? { only: chosen } : {}) });
const child = spawn(command, args, {
  stdio: "inherit",
  env: { ...process.env, ...toolchainEnvironment({ local: true }), ...variables },
});

process.on("SIGTERM", (signal) => child.kill(signal));
process.on("SIGHUP", (signal) => child.kill(signal));
process.on("SIGINT", (signal) => {
  // A terminal sends the signal to the child as well. A second signal would make pulumi end without cleaning up.
  if (!process.stdin.isTTY) child.kill(signal);
});
child.on("error", (error) => {
  console.error(`with-env: cannot start ${command}: ${error.message}`);
  process.exit(127);
});
child.on("exit", (code, signal) => {
  if (signal) {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  } else {
    process.exit(code ?? 1);
  }
});
