/** The main file of the executable: it runs as a plugin of Terraform or for a debugger, or prints its usage. */

import { pluginEnvironment, serveDebug, servePlugin } from "./plugin";
import { PROVIDER_ADDRESS } from "./schema";
import { providerServer } from "./server";

const USAGE = `This is a Terraform provider, ${PROVIDER_ADDRESS}. Terraform or OpenTofu starts it. Do not start it by hand.

  terraform init    finds it in a filesystem mirror or in terraform.d/plugins; see docs/terraform.md of ami-launch-permissions
  --debug           serves until Ctrl-C, and prints the value of TF_REATTACH_PROVIDERS for terraform
`;

async function main(args: readonly string[]): Promise<void> {
  // The AWS SDK would print its warning about old Node.js versions to standard error, which is the plugin's log.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
  if (args.includes("--debug") || args.includes("-debug")) return serveDebug(providerServer());
  const environment = pluginEnvironment(process.env);
  if (environment) return servePlugin(providerServer(), environment);
  process.stderr.write(USAGE);
  process.exitCode = 1;
}

main(process.argv.slice(2)).catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
