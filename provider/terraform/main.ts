/** The executable: as a plugin of Terraform, for a debugger, or words for a person who starts it by hand. */

import { pluginEnvironment, serveDebug, servePlugin } from "./plugin";
import { PROVIDER_ADDRESS } from "./schema";
import { providerServer } from "./server";

const WORDS = `This is a Terraform provider, ${PROVIDER_ADDRESS}. It is started by terraform or tofu, not by hand.

  terraform init    finds it in a filesystem mirror or in terraform.d/plugins; docs/terraform.md of ami-launch-permissions says how
  --debug           serves until Ctrl-C, and prints the TF_REATTACH_PROVIDERS that terraform attaches by
`;

async function main(args: readonly string[]): Promise<void> {
  // The SDK's advice on Node versions is no log line.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
  if (args.includes("--debug") || args.includes("-debug")) return serveDebug(providerServer());
  const environment = pluginEnvironment(process.env);
  if (environment) return servePlugin(providerServer(), environment);
  process.stderr.write(WORDS);
  process.exitCode = 1;
}

main(process.argv.slice(2)).catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
