/** Lines on the engine's display while the provider's process works: the SDK gives providers no way to log. */

import { createRequire } from "node:module";
import { engineAddress } from "./process";

type Client = { log(request: object, answered: () => void): void };
type Requests = typeof import("@pulumi/pulumi/proto/engine_pb");

let client: Client | undefined;

/**
 * Shows a line, beside the resource where its URN is known. Nobody may fail for it: where the engine cannot be told, nothing is shown.
 *
 * Pulumi, proto/pulumi/engine.proto, `Engine.Log`: what a program's `pulumi.log` calls.
 */
export function logLine(text: string, urn = "", argv: readonly string[] = process.argv): void {
  try {
    const { LogRequest, LogSeverity } = require("@pulumi/pulumi/proto/engine_pb") as Requests;
    client ??= connected(argv);
    if (!client) return;
    const request = new LogRequest();
    request.setSeverity(LogSeverity.INFO);
    request.setMessage(text);
    request.setUrn(urn);
    client.log(request, () => undefined);
  } catch {
    // Another version of the SDK may have another way.
  }
}

function connected(argv: readonly string[]): Client | undefined {
  const engine = engineAddress(argv);
  if (!engine) return undefined;
  const { EngineClient } = require("@pulumi/pulumi/proto/engine_grpc_pb");
  // Credentials have to be of the SDK's own gRPC.
  const { credentials } = createRequire(require.resolve("@pulumi/pulumi"))("@grpc/grpc-js");
  return new EngineClient(`${engine.host}:${engine.port}`, credentials.createInsecure());
}
