// Bundles the Terraform provider into one executable file, provider/dist/terraform/terraform-provider-ami_v<version>, and writes the licence notices.
// @ts-check
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import protobuf from "protobufjs";
import { bundle, noticesOf, put, readJson } from "./bundle.mjs";
import { ROOT } from "./environment.mjs";

const PROVIDER = join(ROOT, "provider");
const SOURCES = join(PROVIDER, "terraform");
const FOLDER = join(PROVIDER, "dist", "terraform");

const LOAD =
  'const p=require("path"),{XDG_CACHE_HOME:x,HOME:h}=process.env,c=x||h&&p.join(h,".cache");' +
  'if(c)require("module").enableCompileCache?.(p.join(c,"terraform-provider-ami"));require(p.resolve(process.argv[1]))';

/**
 * The first lines of the bundle. A shell runs them and starts node. For JavaScript they are a comment and a string.
 * A shebang with node would fail below a package.json with `"type": "module"`: node then decides by the extension of the file, which is a
 * part of the version. The shell also passes the id of its parent process, because that process can end before node runs.
 * Node.js 22.1 and later keep the compiled code in the user's cache folder for the next start. Terraform would refuse a changed folder of the
 * provider, because it checks its checksum.
 */
const START = `#!/bin/sh
":" //; AMI_PROVIDER_PARENT=$PPID exec node -e '${LOAD}' "$0" "$@"`;

const { version } = readJson(join(PROVIDER, "package.json"));
const protos = readdirSync(join(SOURCES, "proto")).map((name) => join(SOURCES, "proto", name));
// Loaded synchronously and sorted, so that every build gives the same bundle.
const descriptor = new protobuf.Root().loadSync(protos.sort(), { keepCase: true }).resolveAll().toJSON();
const { text, inputs } = await bundle({
  entryPoints: [join(SOURCES, "main.ts")],
  minify: true,
  define: { PROTO_DESCRIPTOR: JSON.stringify(descriptor), IS_BUNDLE: "true" },
  banner: { js: START },
});

mkdirSync(FOLDER, { recursive: true });
const executable = `terraform-provider-ami_v${version}`;
for (const name of readdirSync(FOLDER))
  if (/^terraform-provider-ami_v/.test(name) && name !== executable) rmSync(join(FOLDER, name));
const vendored = `The plugin protocol's definitions, of github.com/hashicorp/terraform-plugin-go and github.com/hashicorp/go-plugin (MPL-2.0) and of
grpc/grpc-proto (Apache-2.0): their sources are in provider/terraform/proto of this project.`;
put(FOLDER, executable, text, 0o755);
put(FOLDER, "THIRD-PARTY-NOTICES.txt", noticesOf(inputs, [vendored]), 0o644);
