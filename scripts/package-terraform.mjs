// Packs the Terraform provider as a mirror and as a release for a registry. With `--mirror`, it only writes an unpacked mirror.
// @ts-check
import { createHash } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { installProvider, mirrorFolders, PROVIDER_VERSION, providerFiles } from "ami-launch-permissions/terraform";
import { zipSync } from "fflate";
import { ROOT } from "./environment.mjs";

const PLATFORMS = ["linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64", "windows_amd64"];

const RELEASE = join(ROOT, "release", "terraform");

/** The time of every file in a zip: the earliest possible one, so that the same sources give the same zips. It is local, because zips have no time zone. */
const MTIME = new Date(1980, 0, 1);

/** @param {import("ami-launch-permissions/terraform").ProviderFile[]} files */
function zip(files) {
  const entries = files.map(({ name, contents, executable }) => {
    const mode = executable ? 0o100755 : 0o100644;
    /** @type {import("fflate").ZippableFile} */
    const entry = [contents, { level: 9, mtime: MTIME, os: 3, attrs: (mode << 16) >>> 0 }];
    return [name, entry];
  });
  return zipSync(Object.fromEntries(entries));
}

function pack() {
  rmSync(RELEASE, { recursive: true, force: true });
  const version = PROVIDER_VERSION;
  const prefix = `terraform-provider-ami_${version}`;
  const zips = PLATFORMS.map((platform) => {
    const contents = zip(providerFiles(platform));
    return { platform, name: `${prefix}_${platform}.zip`, contents, sum: sha256(contents) };
  });

  for (const place of mirrorFolders(join(RELEASE, "mirror"))) {
    const archives = zips.map(({ platform, name, sum }) => [platform, { url: name, hashes: [`zh:${sum}`] }]);
    for (const { name, contents } of zips) write(join(place, name), contents);
    write(join(place, "index.json"), json({ versions: { [version]: {} } }));
    write(join(place, `${version}.json`), json({ archives: Object.fromEntries(archives) }));
    tell(`${shown(place)}/  ${zips.length} zips and 2 indexes`);
  }

  const registry = join(RELEASE, "registry");
  const manifest = json({ version: 1, metadata: { protocol_versions: ["6.0"] } });
  const manifestName = `${prefix}_manifest.json`;
  const sums = [...zips, { name: manifestName, sum: sha256(manifest) }].map(({ name, sum }) => `${sum}  ${name}\n`).join("");
  const files = [...zips, { name: manifestName, contents: manifest }, { name: `${prefix}_SHA256SUMS`, contents: sums }];
  tell(`${shown(registry)}/`);
  for (const { name, contents } of files) {
    write(join(registry, name), contents);
    tell(`${kilobytes(contents.length)}  ${name}`);
  }
  tell(`To publish it, sign the sums with the key that the registry knows, and upload all files with the signature:
  gpg --detach-sign ${shown(join(registry, `${prefix}_SHA256SUMS`))}`);
}

/** @param {string | Uint8Array} contents */
function sha256(contents) {
  return createHash("sha256").update(contents).digest("hex");
}

/** @param {object} value */
function json(value) {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/**
 * @param {string} file
 * @param {string | Uint8Array} contents
 */
function write(file, contents) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, contents);
}

/** @param {number} bytes */
function kilobytes(bytes) {
  return `${Math.ceil(bytes / 1000)} kB`.padStart(8);
}

/** @param {string} path */
function shown(path) {
  return relative(ROOT, path);
}

/** @param {string} text */
function tell(text) {
  console.log(text);
}

/** @returns {string | undefined} The folder for an unpacked mirror; undefined if the provider is to be packed. */
function chosenFolder() {
  try {
    return parseArgs({ options: { mirror: { type: "string" } } }).values.mirror;
  } catch (error) {
    console.error(`${/** @type {Error} */ (error).message}\nusage: npm run package:terraform -- [--mirror FOLDER]`);
    process.exit(2);
  }
}

const folder = chosenFolder();
if (folder === undefined) pack();
else for (const place of installProvider(resolve(folder))) tell(place);
