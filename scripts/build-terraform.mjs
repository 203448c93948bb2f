// Bundles the Terraform provider into one executable file, provider/dist/terraform/terraform-provider-ami_v<version>, and writes the licence notices.
// @ts-check
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import protobuf from "protobufjs";
import { ROOT } from "./environment.mjs";

const PROVIDER = join(ROOT, "provider");
const SOURCES = join(PROVIDER, "terraform");
const FOLDER = join(PROVIDER, "dist", "terraform");

/**
 * The first lines of the bundle. A shell runs them and starts node. For JavaScript they are a comment and a string.
 * A shebang with node would fail below a package.json with `"type": "module"`: node then decides by the extension of the file, which is a
 * part of the version. The shell also passes the id of its parent process, because that process can end before node runs.
 */
const START = `#!/bin/sh
":" //; AMI_PROVIDER_PARENT=$PPID exec node -e 'require(require("path").resolve(process.argv[1]))' "$0" "$@"`;

const { version } = readJson(join(PROVIDER, "package.json"));
const protos = readdirSync(join(SOURCES, "proto")).map((name) => join(SOURCES, "proto", name));
// Loaded synchronously and sorted, so that every build gives the same bundle.
const descriptor = new protobuf.Root().loadSync(protos.sort(), { keepCase: true }).resolveAll().toJSON();
const { outputFiles, metafile } = await build({
  entryPoints: [join(SOURCES, "main.ts")],
  absWorkingDir: ROOT,
  write: false,
  metafile: true,
  bundle: true,
  minify: true,
  legalComments: "none",
  platform: "node",
  target: "node20.19",
  format: "cjs",
  define: { PROTO_DESCRIPTOR: JSON.stringify(descriptor), IS_BUNDLE: "true" },
  banner: { js: START },
  logLevel: "warning",
});

mkdirSync(FOLDER, { recursive: true });
const executable = `terraform-provider-ami_v${version}`;
for (const name of readdirSync(FOLDER))
  if (/^terraform-provider-ami_v/.test(name) && name !== executable) rmSync(join(FOLDER, name));
put(executable, outputFiles[0]?.contents ?? "", 0o755);
put("THIRD-PARTY-NOTICES.txt", notices(Object.keys(metafile.inputs)), 0o644);

/**
 * Replaces a file atomically, because another process may be starting the old one.
 * @param {string} name
 * @param {string | Uint8Array} contents
 * @param {number} mode
 */
function put(name, contents, mode) {
  const draft = join(FOLDER, `.${name}.${process.pid}`);
  writeFileSync(draft, contents, { mode });
  renameSync(draft, join(FOLDER, name));
}

/**
 * The licences of the packages in the bundle.
 * @param {string[]} inputs The files that were bundled.
 */
function notices(inputs) {
  const folders = new Set(inputs.flatMap((file) => packageFolder(join(ROOT, file)) ?? []));
  const texts = [...folders].sort().map((folder) => {
    const { name, version, license } = readJson(join(folder, "package.json"));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    return `${name} ${version} (${license})\n\n${file ? readFileSync(join(folder, file), "utf8").trim() : "No licence text in the package."}`;
  });
  const vendored = `The plugin protocol's definitions, of github.com/hashicorp/terraform-plugin-go and github.com/hashicorp/go-plugin (MPL-2.0) and of
grpc/grpc-proto (Apache-2.0): their sources are in provider/terraform/proto of this project.`;
  return `${[vendored, ...texts].join(`\n\n${"-".repeat(80)}\n\n`)}\n`;
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
function readJson(file) {
  return JSON.parse(readFileSync(file, "utf8"));
}
