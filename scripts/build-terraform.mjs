// Bundles the Terraform provider into one executable file: dist/terraform/terraform-provider-ami_v<version>.
// @ts-check
import { chmodSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import protobuf from "protobufjs";
import { ROOT } from "./environment.mjs";

const PROVIDER = join(ROOT, "provider");
const SOURCES = join(PROVIDER, "terraform");

const { version } = JSON.parse(readFileSync(join(PROVIDER, "package.json"), "utf8"));
const folder = join(PROVIDER, "dist", "terraform");
const file = join(folder, `terraform-provider-ami_v${version}`);

const protos = readdirSync(join(SOURCES, "proto")).map((name) => join(SOURCES, "proto", name));
const descriptor = (await new protobuf.Root().load(protos, { keepCase: true })).resolveAll().toJSON();

await build({
  entryPoints: [join(SOURCES, "main.ts")],
  outfile: file,
  bundle: true,
  minify: true,
  legalComments: "none",
  platform: "node",
  target: "node20.19",
  format: "cjs",
  define: { PROTO_DESCRIPTOR: JSON.stringify(descriptor) },
  banner: { js: "#!/usr/bin/env node" },
  logLevel: "warning",
});
chmodSync(file, 0o755);
