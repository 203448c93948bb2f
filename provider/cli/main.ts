#!/usr/bin/env node
/** The command `ami-launch-permissions`: arguments, words for mistakes, and the exit code. */

import { parseArgs } from "node:util";
import { decodeDeclaredSet, describePermissions, ec2Gateway, problemPath } from "../core";
import { installProvider } from "../terraform";
import { programText } from "./programText";

const USAGE = `usage: ami-launch-permissions adopt <ami-id> [--region <region>] [--profile <profile>] [--endpoint <url>]
       ami-launch-permissions install-terraform-provider <folder>

adopt prints the Pulumi program (TypeScript) that declares an AMI as it is shared now: an up of it changes nothing in EC2.
install-terraform-provider puts the Terraform provider into a folder: terraform.d/plugins beside a configuration, or a filesystem mirror.`;

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
  if (operand === undefined || rest.length > 0) throw new Error(USAGE);
  if (command === "adopt") return adopt(operand, connection);
  if (command === "install-terraform-provider") return installProvider(operand).join("\n");
  throw new Error(USAGE);
}

async function adopt(imageId: string, connection: { region?: string; profile?: string; endpoint?: string }): Promise<string> {
  const decoded = decodeDeclaredSet({ imageId, ...connection });
  if ("problems" in decoded)
    throw new Error(decoded.problems.map((problem) => `${problemPath(problem)}: ${problem.message}`).join("\n"));
  // The SDK's advice on Node versions is not an answer to what was asked.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
  const permissions = await describePermissions(ec2Gateway(connection), imageId);
  return programText(permissions, connection);
}

main(process.argv.slice(2)).then(
  (text) => console.log(text),
  (error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  },
);
