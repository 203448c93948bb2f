#!/usr/bin/env node
/** The entry of the command `ami-launch-permissions`. */

import { run } from "./program";

// The reader of a pipe may end first, as `head` does.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 2));

run(process.argv.slice(2), process).then((code) => {
  process.exitCode = code;
});
