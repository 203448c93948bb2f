// Makes two builds of the compiled constructs, dist/cdk: dist/cdktn as they are, and dist/cdktf on that library.
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
  // The two libraries have the same names in them; the word stands for the library wherever it is in lower case.
  writeFileSync(file, readFileSync(file, "utf8").replace(/\bcdktn\b/g, "cdktf"));
}
renameSync(compiled, onCdktn);
