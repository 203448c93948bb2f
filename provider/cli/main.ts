#!/usr/bin/env node
/** The command `ami-launch-permissions`: its arguments, error messages and exit code. */

import * as fs from "node:fs";
import { parseArgs } from "node:util";
import { decodeDeclaredSet, describePermissions, ec2Gateway, problemText } from "../core";
import { installPlugin } from "../pulumi-plugin/install";
import { installProvider } from "../terraform";
import { migrationText } from "./migration";
import { programText } from "./programText";

const USAGE = `usage: ami-launch-permissions adopt <ami-id> [--region <region>] [--profile <profile>] [--endpoint <url>]
       ami-launch-permissions migrate-terraform <file>
       ami-launch-permissions install-terraform-provider <folder>
       ami-launch-permissions install-pulumi-plugin

adopt prints a Pulumi program (TypeScript) that declares an AMI as it is shared now. An up of this program changes nothing in EC2.
migrate-terraform prints how to migrate from aws_ami_launch_permission and aws_snapshot_create_volume_permission to sets, so that nobody
loses access. For a terraform.tfstate or the output of terraform show -json, it prints Terraform blocks. For the output of pulumi stack
export, it prints a program and commands. It reads only this file.
install-terraform-provider installs the Terraform provider into a folder: terraform.d/plugins of a configuration, or a filesystem mirror.
install-pulumi-plugin installs the full Pulumi provider where Pulumi looks for plugins: the folder plugins of PULUMI_HOME.`;

const OPTIONS = {
  region: { type: "string" },
  profile: { type: "string" },
  endpoint: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

async function main(args: readonly string[]): Promise<string> {
  const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  const { help, ...connection } = values;
  if (help) return USAGE;
  const [command, operand, ...rest] = positionals;
  if (command === "install-pulumi-plugin" && operand === undefined) return installPlugin();
  if (operand === undefined || rest.length > 0) throw new Error(USAGE);
  if (command === "adopt") return adopt(operand, connection);
  if (command === "migrate-terraform") return migrated(operand);
  if (command === "install-terraform-provider") return installProvider(operand).join("\n");
  throw new Error(USAGE);
}

async function adopt(imageId: string, connection: { region?: string; profile?: string; endpoint?: string }): Promise<string> {
  const decoded = decodeDeclaredSet({ imageId, ...connection });
  if ("problems" in decoded) throw new Error(decoded.problems.map(problemText).join("\n"));
  // The SDK's advice on Node versions is not an answer to what was asked.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
  const permissions = await describePermissions(ec2Gateway(connection), imageId);
  return programText(permissions, connection);
}

function migrated(file: string): string {
  const bytes = read(file);
  try {
    return migrationText(bytes).trimEnd();
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`);
  }
}

function read(file: string): Uint8Array {
  try {
    return fs.readFileSync(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(code === "EISDIR" ? `${file} is a folder, not a state` : `${file} cannot be read: ${message}`);
  }
}

main(process.argv.slice(2)).then(
  (text) => console.log(text),
  (error: Error) => {
    console.error(error.message);
    process.exitCode = 2;
  },
);
