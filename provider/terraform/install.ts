/** Where Terraform looks for the provider, where this package keeps it, and how it gets from here to there. */

import { chmodSync, copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PROVIDER_ADDRESS } from "./schema";

/** The package's folder, from its sources and from what is built of them. */
const PACKAGE = join(__dirname, __dirname.includes(join("dist", "terraform")) ? "../.." : "..");

/** The version of the package, which is the provider's. */
export const PROVIDER_VERSION: string = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8")).version;

/** The provider: one executable file for every platform that has Node.js and can start a script by its first line. */
export const PROVIDER_FILE = join(PACKAGE, "dist", "terraform", `terraform-provider-ami_v${PROVIDER_VERSION}`);

/**
 * Puts the provider into a folder as Terraform wants it: a filesystem mirror, or `terraform.d/plugins` beside a configuration,
 * which Terraform finds without being told.
 *
 * @returns the file that was made
 */
export function installProvider(folder: string): string {
  const place = join(folder, PROVIDER_ADDRESS, PROVIDER_VERSION, `${process.platform}_${goArchitecture()}`);
  const file = join(place, `terraform-provider-ami_v${PROVIDER_VERSION}`);
  mkdirSync(place, { recursive: true });
  copyFileSync(PROVIDER_FILE, file);
  chmodSync(file, 0o755);
  return file;
}

/** The architecture as Go, and so Terraform, names it. */
function goArchitecture(): string {
  return process.arch === "x64" ? "amd64" : process.arch === "ia32" ? "386" : process.arch;
}
