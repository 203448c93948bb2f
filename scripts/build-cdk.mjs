// Makes two builds from the compiled constructs in dist/cdk: dist/cdktn, unchanged, and dist/cdktf, for the other library.
// @ts-check
import { cpSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const dist = fileURLToPath(new URL("../provider/dist", import.meta.url));
const compiled = join(dist, "cdk");
const onCdktn = join(dist, "cdktn");
const onCdktf = join(dist, "cdktf");

for (const old of [onCdktn, onCdktf]) rmSync(old, { recursive: true, force: true });
cpSync(compiled, onCdktf, { recursive: true });
for (const name of readdirSync(onCdktf)) {
  const file = join(onCdktf, name);
  // Both libraries export the same names. In lower case, `cdktn` is always the name of the library.
  writeFileSync(file, readFileSync(file, "utf8").replace(/\bcdktn\b/g, "cdktf"));
}
renameSync(compiled, onCdktn);
