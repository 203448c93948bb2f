/** The built Terraform provider: its path, its files for each platform, and its installation into a mirror. */

import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PROVIDER_ADDRESS } from "./schema";

/** The folder of the npm package. This file runs as a source and as a build result in dist/terraform. */
const PACKAGE = join(__dirname, __dirname.includes(join("dist", "terraform")) ? "../.." : "..");
const BUILT = join(PACKAGE, "dist", "terraform");

/** The version of the npm package. The provider has the same version. */
export const PROVIDER_VERSION: string = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8")).version;

const NAME = `terraform-provider-ami_v${PROVIDER_VERSION}`;

/** The provider: one executable file for every platform that has Node.js on PATH and a POSIX shell. */
export const PROVIDER_FILE = join(BUILT, NAME);

/** The full addresses that the short form `ami-launch-permissions/ami` means in Terraform and in OpenTofu. */
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

/** The files of the provider for a platform. Platforms have Go's names: `linux_amd64`, `windows_amd64`, … */
export function providerFiles(platform: string): ProviderFile[] {
  const contents = readFileSync(PROVIDER_FILE);
  const notices = ["LICENSE", "THIRD-PARTY-NOTICES.txt"].map((name) => ({
    name,
    contents: readFileSync(join(name === "LICENSE" ? PACKAGE : BUILT, name)),
    executable: false,
  }));
  if (!platform.startsWith("windows_")) return [{ name: NAME, contents, executable: true }, ...notices];
  // Windows does not read the first line of a script, so a .cmd file starts it. With `.cjs`, no package.json above can make it a module.
  const script = "ami-provider.cjs";
  const start = Buffer.from(`@node "%~dp0${script}" %*\r\n`);
  return [{ name: `${NAME}.cmd`, contents: start, executable: true }, { name: script, contents, executable: false }, ...notices];
}

/**
 * Installs the provider into a folder with the layout of a filesystem mirror. Terraform and OpenTofu also find it in
 * `terraform.d/plugins` of a configuration.
 *
 * @returns the folders that were created, one for each registry that a short `source` can mean
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

/** The folders of the provider in a mirror, one for each registry that a short `source` can mean. */
export function mirrorFolders(mirror: string): string[] {
  return ADDRESSES.map((address) => join(mirror, address));
}

/** Go's name for the platform of this machine. */
function thisPlatform(): string {
  const systems: Partial<Record<string, string>> = { win32: "windows", sunos: "solaris" };
  const processors: Partial<Record<string, string>> = { x64: "amd64", ia32: "386" };
  return `${systems[process.platform] ?? process.platform}_${processors[process.arch] ?? process.arch}`;
}
