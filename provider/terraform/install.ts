/** Where this package keeps the Terraform provider, what a package of it for a platform holds, and how it gets where Terraform looks. */

import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PROVIDER_ADDRESS } from "./schema";

/** The npm package's folder, from its sources and from what is built of them. */
const PACKAGE = join(__dirname, __dirname.includes(join("dist", "terraform")) ? "../.." : "..");
const BUILT = join(PACKAGE, "dist", "terraform");

/** The version of the npm package, which is the provider's. */
export const PROVIDER_VERSION: string = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8")).version;

const NAME = `terraform-provider-ami_v${PROVIDER_VERSION}`;

/** The provider: one executable file for every platform with Node.js on PATH and a POSIX shell. */
export const PROVIDER_FILE = join(BUILT, NAME);

/** Where Terraform and where OpenTofu look for `ami-launch-permissions/ami`, their short form of the address. */
const ADDRESSES = [PROVIDER_ADDRESS, PROVIDER_ADDRESS.replace("terraform.io", "opentofu.org")];

/** A file of a package of the provider. */
export interface ProviderFile {
  /** Without a folder. */
  readonly name: string;
  /** Its bytes. */
  readonly contents: Uint8Array;
  /** Whether it needs the executable bit. */
  readonly executable: boolean;
}

/** The files of the provider for a platform, which is named as Go names it: `linux_amd64`, `windows_amd64`, … */
export function providerFiles(platform: string): ProviderFile[] {
  const contents = readFileSync(PROVIDER_FILE);
  const notices = ["LICENSE", "THIRD-PARTY-NOTICES.txt"].map((name) => ({
    name,
    contents: readFileSync(join(name === "LICENSE" ? PACKAGE : BUILT, name)),
    executable: false,
  }));
  if (!platform.startsWith("windows_")) return [{ name: NAME, contents, executable: true }, ...notices];
  // Windows starts no scripts by their first line; `.cjs`, so that no package.json above makes it a module.
  const script = "ami-provider.cjs";
  const start = Buffer.from(`@node "%~dp0${script}" %*\r\n`);
  return [{ name: `${NAME}.cmd`, contents: start, executable: true }, { name: script, contents, executable: false }, ...notices];
}

/**
 * Puts the provider into a folder as Terraform and OpenTofu want it: a filesystem mirror, or `terraform.d/plugins` beside a
 * configuration, which they find without being told.
 *
 * @returns the folders that were made, one for each registry that a short `source` may mean
 */
export function installProvider(folder: string): string[] {
  const platform = thisPlatform();
  return ADDRESSES.map((address) => {
    const place = join(folder, address, PROVIDER_VERSION, platform);
    rmSync(place, { recursive: true, force: true });
    mkdirSync(place, { recursive: true });
    for (const { name, contents, executable } of providerFiles(platform)) {
      writeFileSync(join(place, name), contents);
      if (executable) chmodSync(join(place, name), 0o755);
    }
    return place;
  });
}

/** The folders of a mirror that hold the provider, for each registry that a short `source` may mean. */
export function mirrorFolders(mirror: string): string[] {
  return ADDRESSES.map((address) => join(mirror, address));
}

/** This machine in Go's words. */
function thisPlatform(): string {
  const systems: Partial<Record<string, string>> = { win32: "windows", sunos: "solaris" };
  const processors: Partial<Record<string, string>> = { x64: "amd64", ia32: "386" };
  return `${systems[process.platform] ?? process.platform}_${processors[process.arch] ?? process.arch}`;
}
