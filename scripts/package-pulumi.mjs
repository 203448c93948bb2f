// Packs the full Pulumi provider as `pulumi plugin install` wants it: an archive for each platform, with checksums, in release/pulumi/.
// @ts-check
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, relative } from "node:path";
import { gzipSync } from "fflate";
import { ROOT } from "./environment.mjs";

/** @type {import("../provider/pulumi-plugin/install.js")} */
const { pluginFiles } = createRequire(import.meta.url)("../provider/dist/pulumi-plugin/install.js");
const { version } = JSON.parse(readFileSync(join(ROOT, "provider", "package.json"), "utf8"));

/** As Go names them, which Pulumi does in the names of archives. */
const PLATFORMS = ["linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64", "windows-amd64", "windows-arm64"];
const NAME = "ami-launch-permissions";
const RELEASE = join(ROOT, "release", "pulumi");

/** The size of a block of a tar archive. */
const BLOCK = 512;

/**
 * One file of a tar archive: POSIX ustar. Owner and time are fixed, so that the same sources give the same archives.
 * @param {import("../provider/pulumi-plugin/install.js").PluginFile} file
 */
function entry({ name, contents, executable }) {
  const head = Buffer.alloc(BLOCK);
  const octal = (/** @type {number} */ value, /** @type {number} */ length) => `${value.toString(8).padStart(length - 1, "0")}\0`;
  head.write(name, 0, 100);
  head.write(octal(executable ? 0o755 : 0o644, 8), 100);
  head.write(octal(0, 8), 108);
  head.write(octal(0, 8), 116);
  head.write(octal(contents.length, 12), 124);
  head.write(octal(0, 12), 136);
  // While the checksum is computed, its field is spaces.
  head.write("        ", 148);
  head.write("0", 156);
  head.write("ustar\u000000", 257);
  const sum = head.reduce((total, byte) => total + byte, 0);
  head.write(`${octal(sum, 7)} `, 148);
  return Buffer.concat([head, contents, Buffer.alloc((BLOCK - (contents.length % BLOCK)) % BLOCK)]);
}

rmSync(RELEASE, { recursive: true, force: true });
mkdirSync(RELEASE, { recursive: true });
const sums = PLATFORMS.map((platform) => {
  const files = pluginFiles(platform.startsWith("windows") ? "win32" : "linux");
  const tar = Buffer.concat([...files.map(entry), Buffer.alloc(2 * BLOCK)]);
  const archive = gzipSync(tar, { level: 9, mtime: 0 });
  const name = `pulumi-resource-${NAME}-v${version}-${platform}.tar.gz`;
  writeFileSync(join(RELEASE, name), archive);
  console.log(`${`${Math.ceil(archive.length / 1000)} kB`.padStart(8)}  ${relative(ROOT, join(RELEASE, name))}`);
  return `${createHash("sha256").update(archive).digest("hex")}  ${name}\n`;
});
writeFileSync(join(RELEASE, `pulumi-${NAME}_${version}_checksums.txt`), sums.join(""));
