/** Shows lines on the engine's display during an operation of the provider. The SDK has no function for this. */

import { createRequire } from "node:module";
import { engineAddress } from "./sdkInternals";

type Client = { log(request: object, answered: () => void): void };
type Requests = typeof import("@pulumi/pulumi/proto/engine_pb");

let client: Client | undefined;

/**
 * Shows a line, at the resource if the URN is given. It never throws: if the engine cannot be reached, nothing is shown.
 *
 * It calls `Engine.Log`, as `pulumi.log` does in a program. Pulumi, proto/pulumi/engine.proto.
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
    // In another version of the SDK, these modules may be missing.
  }
}

function connected(argv: readonly string[]): Client | undefined {
  const engine = engineAddress(argv);
  if (!engine) return undefined;
  const { EngineClient } = require("@pulumi/pulumi/proto/engine_grpc_pb");
  // The credentials must come from the copy of grpc-js that the SDK uses.
  const { credentials } = createRequire(require.resolve("@pulumi/pulumi"))("@grpc/grpc-js");
  return new EngineClient(`${engine.host}:${engine.port}`, credentials.createInsecure());
}
