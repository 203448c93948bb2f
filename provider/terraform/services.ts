/** The gRPC services of a plugin, from the vendored .proto files. */

import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { ServiceDefinition, UntypedServiceImplementation } from "@grpc/grpc-js";
import {
  type AnyNestedObject,
  type IConversionOptions,
  type IMethod,
  type INamespace,
  type IService,
  Root,
  type Type,
} from "protobufjs/light";

/** The parsed .proto files. The build inserts them, so that the provider starts faster. */
declare const PROTO_DESCRIPTOR: INamespace;
/** Defined only in the bundle, by the build. */
declare const IS_BUNDLE: true | undefined;

const OPTIONS: IConversionOptions = { longs: Number, enums: String, defaults: true, oneofs: true };

const descriptor: INamespace = typeof IS_BUNDLE === "undefined" ? parsed(join(__dirname, "proto")) : PROTO_DESCRIPTOR;
let made: Root | undefined;

/** All types. They are made at the first request, after the handshake. */
function root(): Root {
  made ??= Root.fromJSON(descriptor);
  return made;
}

/** Parses the .proto files. Not used in the bundle, which does not contain the parser. */
function parsed(folder: string): INamespace {
  const { Root: ParsingRoot } = require("protobufjs") as typeof import("protobufjs");
  const files = readdirSync(folder).filter((name) => name.endsWith(".proto"));
  const paths = files.map((name) => join(folder, name));
  return new ParsingRoot().loadSync(paths, { keepCase: true }).resolveAll().toJSON();
}

/** The service in the descriptor. */
function methodsOf(name: string): [string, IMethod][] {
  const found = name.split(".").reduce<AnyNestedObject>((parent, part) => {
    const child = (parent as INamespace).nested?.[part];
    if (!child) throw new Error(`the .proto files have no ${name}`);
    return child;
  }, descriptor);
  return Object.entries((found as IService).methods);
}

/**
 * The definition of a service for gRPC. Types are looked up and compiled at their first use. This makes the start much faster, because a
 * run of Terraform uses only a few types.
 */
function service(name: string): ServiceDefinition<UntypedServiceImplementation> {
  const definitions = methodsOf(name).map(([method, { requestType, responseType, requestStream, responseStream }]) => {
    const type = (of: string) => () => root().lookupService(name).lookupType(of);
    const [request, response] = [codec(type(requestType)), codec(type(responseType))];
    const definition = {
      path: `/${name}/${method}`,
      originalName: method,
      requestStream: requestStream ?? false,
      responseStream: responseStream ?? false,
      requestSerialize: request.serialize,
      requestDeserialize: request.deserialize,
      responseSerialize: response.serialize,
      responseDeserialize: response.deserialize,
    };
    return [method, definition];
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
