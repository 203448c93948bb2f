// Runs a command with the tools of this repository, on local state and dummy credentials: `node scripts/with-env.mjs CMD ARGS…`.
// @ts-check
import { spawn } from "node:child_process";
import { toolchainEnvironment } from "./environment.mjs";
import { setupOrExit } from "./setup.mjs";

const [command, ...args] = process.argv.slice(2);
if (!command) {
  console.error("usage: node scripts/with-env.mjs CMD ARGS…");
  process.exit(2);
}
await setupOrExit({ quiet: true });
const child = spawn(command, args, { stdio: "inherit", env: { ...process.env, ...toolchainEnvironment({ local: true }) } });

process.on("SIGTERM", (signal) => child.kill(signal));
process.on("SIGHUP", (signal) => child.kill(signal));
process.on("SIGINT", (signal) => {
  // A terminal has sent it to the child, too; a second one would make pulumi give up without cleaning up.
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
