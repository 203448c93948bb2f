// Bundles the full Pulumi provider into one executable file, provider/dist/pulumi-plugin/pulumi-resource-ami-launch-permissions, with its notices.
// @ts-check
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { bundle, noticesOf, put } from "./bundle.mjs";
import { ROOT } from "./environment.mjs";

const PROVIDER = join(ROOT, "provider");
const FOLDER = join(PROVIDER, "dist", "pulumi-plugin");

/**
 * What starts the bundle, as a shell sees it; to JavaScript it is a comment and a string.
 * A shebang of node's own fails wherever a package.json above says `"type": "module"`: the engine asks for a file name without an ending.
 * Node.js 22.1 and later keep the compiled code beside the file, for the next start; where they cannot, they go on without.
 */
const START = `#!/bin/sh
":" //; exec node -e 'const f=require("path").resolve(process.argv[1]);require("module").enableCompileCache?.(f+".cache");require(f)' "$0" "$@"`;

const { text, inputs } = await bundle({
  entryPoints: [join(PROVIDER, "pulumi-plugin", "main.ts")],
  minify: true,
  banner: { js: START },
  // The dynamic provider's way to the engine, which the plugin does not use.
  logOverride: { "require-resolve-not-external": "silent" },
});

mkdirSync(FOLDER, { recursive: true });
put(FOLDER, "pulumi-resource-ami-launch-permissions", text, 0o755);
put(FOLDER, "THIRD-PARTY-NOTICES.txt", noticesOf(inputs), 0o644);
