/** The executable: a plugin that Pulumi's engine starts, one to attach to for debugging, or words for a person who starts it by hand. */

import { Server, ServerCredentials } from "@grpc/grpc-js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { ec2Gateway } from "../core";
import { OtherProviders } from "../pulumi/otherProviders";
import { watched } from "../pulumi/process";
import { engineAddress } from "../pulumi/sdkInternals";
import { EngineDisplay } from "./engineClient";
import { PACKAGE } from "./names";
import { MAX_MESSAGE, providerService } from "./server";
import { VERSION } from "./version";

const WORDS = `This is version ${VERSION} of the Pulumi provider ${PACKAGE}. It is started by pulumi, not by hand.

  pulumi package add ${PACKAGE}   makes an SDK for the language of a program
  --debug                                 serves until Ctrl-C, and prints the PULUMI_DEBUG_PROVIDERS that pulumi attaches by
`;

async function main(argv: readonly string[]): Promise<void> {
  // The engine shows what this process prints; the SDK's advice on Node versions does not belong there.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
  const engine = engineAddress(argv);
  const isDebug = argv.includes("--debug");
  if (!engine && !isDebug) {
    process.stderr.write(WORDS);
    process.exitCode = 1;
    return;
  }
  const display = new EngineDisplay();
  if (engine) display.connect(`${engine.host}:${engine.port}`);
  const others = new OtherProviders(argv);
  const stopping = watched(argv);
  const server = new Server({ "grpc.max_receive_message_length": MAX_MESSAGE, "grpc.max_send_message_length": MAX_MESSAGE });
  const service = providerService({
    gateway: ec2Gateway,
    signal: stopping.signal,
    show: display.show,
    others,
    engineAt: (address) => {
      display.connect(address);
      others.engineAt(address);
    },
    cancel: () => stopping.abort(),
  });
  server.addService(ResourceProviderService, service);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  // The engine reads the port from the first line.
  process.stdout.write(isDebug ? `PULUMI_DEBUG_PROVIDERS=${PACKAGE}:${port}\n` : `${port}\n`);
}

main(process.argv).catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
