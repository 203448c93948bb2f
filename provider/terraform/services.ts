/** The gRPC services of a plugin, from the vendored .proto files. */

import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { ServiceDefinition, UntypedServiceImplementation } from "@grpc/grpc-js";
import { type IConversionOptions, type INamespace, Root, type Type } from "protobufjs/light";

/** The parsed .proto files. The build inserts them, so that the provider starts faster. */
declare const PROTO_DESCRIPTOR: INamespace;
/** Defined only in the bundle, by the build. */
declare const IS_BUNDLE: true | undefined;

const OPTIONS: IConversionOptions = { longs: Number, enums: String, defaults: true, oneofs: true };

const root: Root = typeof IS_BUNDLE === "undefined" ? parsed(join(__dirname, "proto")) : Root.fromJSON(PROTO_DESCRIPTOR);

/** Parses the .proto files. Not used in the bundle, which does not contain the parser. */
function parsed(folder: string): Root {
  const { Root: ParsingRoot } = require("protobufjs") as typeof import("protobufjs");
  const files = readdirSync(folder).filter((name) => name.endsWith(".proto"));
  return new ParsingRoot().loadSync(
    files.map((name) => join(folder, name)),
    { keepCase: true },
  );
}

/**
 * The definition of a service for gRPC. Types are looked up and compiled at their first use. This makes the start much faster, because a
 * run of Terraform uses only a few types.
 */
function service(name: string): ServiceDefinition<UntypedServiceImplementation> {
  const { methods, fullName } = root.lookupService(name);
  const definitions = Object.values(methods).map((method) => {
    const scope = method.parent as Root;
    const request = codec(() => scope.lookupType(method.requestType));
    const response = codec(() => scope.lookupType(method.responseType));
    const definition = {
      path: `/${fullName.slice(1)}/${method.name}`,
      originalName: method.name,
      requestStream: method.requestStream ?? false,
      responseStream: method.responseStream ?? false,
      requestSerialize: request.serialize,
      requestDeserialize: request.deserialize,
      responseSerialize: response.serialize,
      responseDeserialize: response.deserialize,
    };
    return [method.name, definition];
  });
  return Object.fromEntries(definitions);
}

function codec(lookup: () => Type) {
  let found: Type | undefined;
  const type = () => {
    found ??= lookup();
    return found;
  };
  return {
    serialize: (value: object): Buffer => Buffer.from(type().encode(type().fromObject(value)).finish()),
    deserialize: (bytes: Buffer): object => type().toObject(type().decode(bytes), OPTIONS),
  };
}

export const PROVIDER_SERVICE = service("tfplugin6.Provider");
export const CONTROLLER_SERVICE = service("plugin.GRPCController");
export const BROKER_SERVICE = service("plugin.GRPCBroker");
export const STDIO_SERVICE = service("plugin.GRPCStdio");
export const HEALTH_SERVICE = service("grpc.health.v1.Health");
