/** The gRPC services of a plugin, as the vendored .proto files define them. */

import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { ServiceDefinition, UntypedServiceImplementation } from "@grpc/grpc-js";
import { fromJSON, loadSync, type Options, type PackageDefinition } from "@grpc/proto-loader";

/** Put in place by the build: the parsed files, so that a start need not find and parse them. */
declare const PROTO_DESCRIPTOR: Parameters<typeof fromJSON>[0] | undefined;

const OPTIONS: Options = { keepCase: true, longs: Number, enums: String, defaults: true, oneofs: true };
const FOLDER = join(__dirname, "proto");

const definitions: PackageDefinition =
  typeof PROTO_DESCRIPTOR === "undefined"
    ? loadSync(
        readdirSync(FOLDER)
          .filter((name) => name.endsWith(".proto"))
          .map((name) => join(FOLDER, name)),
        OPTIONS,
      )
    : fromJSON(PROTO_DESCRIPTOR, OPTIONS);

function service(name: string): ServiceDefinition<UntypedServiceImplementation> {
  return definitions[name] as ServiceDefinition<UntypedServiceImplementation>;
}

export const PROVIDER_SERVICE = service("tfplugin6.Provider");
export const CONTROLLER_SERVICE = service("plugin.GRPCController");
export const BROKER_SERVICE = service("plugin.GRPCBroker");
export const STDIO_SERVICE = service("plugin.GRPCStdio");
export const HEALTH_SERVICE = service("grpc.health.v1.Health");
