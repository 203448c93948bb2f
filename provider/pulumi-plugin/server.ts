/** The plugin's gRPC service: each call of Pulumi's provider protocol, decoded, answered and encoded. */

import {
  Metadata,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { type PluginAttach, PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import type { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { changedConfig, configFailures, type Failure, withSecretsMarked } from "./configuration";
import type { Kind } from "./detailedDiff";
import { argumentFailures, call as callFunction, isFunction } from "./functions";
import { PACKAGE, SET_TYPE, SHARED_AMI_TYPE } from "./names";
import { packageSchema } from "./schema";
import { type Found, type PluginOptions, SetProvider } from "./setProvider";
import { propertiesOf, structOf, withoutPythonNames } from "./values";
import { VERSION } from "./version";

/** What the service needs besides what the sets need. */
export interface ServiceOptions extends PluginOptions {
  /** Hears the engine's address, at the start and when it attaches for debugging. */
  readonly engineAt: (address: string) => void;
  /** The user cancels: nothing more is changed. */
  readonly cancel: () => void;
}

/** An error with the protocol's own code. */
class CallError extends Error {
  constructor(
    readonly code: status,
    message: string,
  ) {
    super(message);
  }
}

/** A set that was made in part: the engine records it, and repeats the operation at the next up. */
interface PartialFailure extends Error {
  readonly id: string;
  readonly properties: object;
  readonly reasons: string[];
}

/** Bytes of one message, as the engine and its SDKs have it. Pulumi SDK, runtime/settings.ts, `maxRPCMessageSize`. */
export const MAX_MESSAGE = 400 * 1024 * 1024;

type Answering<Request, Response> = (request: Request) => Response | Promise<Response>;

const KINDS: Readonly<Record<Kind, messages.PropertyDiff.Kind>> = {
  ADD: messages.PropertyDiff.Kind.ADD,
  DELETE: messages.PropertyDiff.Kind.DELETE,
  UPDATE: messages.PropertyDiff.Kind.UPDATE,
  UPDATE_REPLACE: messages.PropertyDiff.Kind.UPDATE_REPLACE,
};

/** The service's methods by their names in the protocol. */
export function providerService(options: ServiceOptions): UntypedServiceImplementation {
  let sets = new SetProvider(options);
  let engine: string | undefined;
  /** The engine's reference to this provider. */
  let self = "";

  /** Under a debugger, one process serves many runs of the engine, each at an address of its own: none knows the sets of another one. */
  function engineAt(address: string): void {
    if (engine !== undefined && engine !== address) sets = new SetProvider(options);
    engine = address;
    options.engineAt(address);
  }

  /** An operation on a set: its errors show the names of accounts. */
  function ofSet<Request, Response>(answer: (request: Request) => Promise<Response>) {
    return answering(async (request: Request) => {
      try {
        return await answer(request);
      } catch (error) {
        throw await sets.withNames(error as Error);
      }
    });
  }

  return {
    handshake: answering((request: messages.ProviderHandshakeRequest) => {
      engineAt(request.getEngineAddress());
      const response = new messages.ProviderHandshakeResponse();
      response.setAcceptSecrets(true);
      return response;
    }),

    getPluginInfo: answering(() => {
      const response = new PluginInfo();
      response.setVersion(VERSION);
      return response;
    }),

    attach: answering((request: PluginAttach) => {
      engineAt(request.getAddress());
      return new Empty();
    }),

    cancel: answering(() => {
      options.cancel();
      return new Empty();
    }),

    getSchema: answering((request: messages.GetSchemaRequest) => {
      if (request.getVersion() > 0)
        throw new CallError(status.INVALID_ARGUMENT, `there is no schema of version ${request.getVersion()}, only of version 0`);
      const response = new messages.GetSchemaResponse();
      response.setSchema(JSON.stringify(packageSchema()));
      return response;
    }),

    checkConfig: answering((request: messages.CheckRequest) => {
      const failures = configFailures(propertiesOf(request.getNews()));
      return checkResponse(structOf(withSecretsMarked(request.getNews()?.toJavaScript() ?? {})), failures);
    }),

    diffConfig: answering((request: messages.DiffRequest) => {
      const olds = propertiesOf(request.getOldInputs() ?? request.getOlds());
      const changed = changedConfig(olds, propertiesOf(request.getNews()));
      // A set that takes its region from here says itself that it is replaced.
      return diffResponse(changed.length > 0, [], new Map(changed.map((name) => [name, "UPDATE"])));
    }),

    configure: answering(async (request: messages.ConfigureRequest) => {
      const config = propertiesOf(request.getArgs());
      const [failure] = configFailures(config);
      if (failure) throw new CallError(status.INVALID_ARGUMENT, `the provider's configuration: ${failure.reason}`);
      await sets.useConfig(config);
      const [urn, id] = [request.getUrn(), request.getId()];
      self = urn && id ? `${urn}::${id}` : "";
      const response = new messages.ConfigureResponse();
      response.setAcceptsecrets(true);
      response.setSupportspreview(true);
      return response;
    }),

    invoke: answering(async (request: messages.InvokeRequest) => {
      const token = request.getTok();
      if (!isFunction(token)) throw new CallError(status.NOT_FOUND, `${PACKAGE} has no function ${token}`);
      const args = withoutPythonNames(propertiesOf(request.getArgs()));
      const response = new messages.InvokeResponse();
      const failures = argumentFailures(token, args);
      if (failures.length > 0) response.setFailuresList(failures.map(checkFailure));
      else response.setReturn(structOf(await callFunction(token, sets.gatewayOf(args), args)));
      return response;
    }),

    check: answering(async (request: messages.CheckRequest) => {
      requireSet(request.getUrn());
      const [olds, news] = [propertiesOf(request.getOlds()), propertiesOf(request.getNews())];
      const { inputs, failures } = await sets.checkSet(request.getUrn(), olds, news);
      return checkResponse(failures.length > 0 ? request.getNews() : structOf(inputs), failures);
    }),

    diff: answering(async (request: messages.DiffRequest) => {
      requireSet(request.getUrn());
      const olds = propertiesOf(request.getOlds());
      const oldInputs = request.hasOldInputs() ? propertiesOf(request.getOldInputs()) : olds;
      const news = propertiesOf(request.getNews());
      const { changes, replaces, detailed } = await sets.diffSet(request.getUrn(), request.getId(), olds, oldInputs, news);
      return diffResponse(changes, replaces, detailed);
    }),

    create: ofSet(async (request: messages.CreateRequest) => {
      requireSet(request.getUrn());
      const news = propertiesOf(request.getProperties());
      const { id, outs } = await sets.createSet(request.getUrn(), news, request.getPreview(), request.getTimeout());
      const response = new messages.CreateResponse();
      response.setId(id);
      response.setProperties(structOf(outs));
      return response;
    }),

    update: ofSet(async (request: messages.UpdateRequest) => {
      requireSet(request.getUrn());
      const [olds, news] = [propertiesOf(request.getOlds()), propertiesOf(request.getNews())];
      const [urn, id, timeout] = [request.getUrn(), request.getId(), request.getTimeout()];
      const { outs } = await sets.updateSet(urn, id, olds, news, request.getPreview(), timeout);
      const response = new messages.UpdateResponse();
      response.setProperties(structOf(outs));
      return response;
    }),

    read: ofSet(async (request: messages.ReadRequest) => {
      requireSet(request.getUrn());
      const [inputs, props] = [propertiesOf(request.getInputs()), propertiesOf(request.getProperties())];
      return readResponse(await sets.readSet(request.getUrn(), request.getId(), inputs, props));
    }),

    delete: ofSet(async (request: messages.DeleteRequest) => {
      requireSet(request.getUrn());
      const props = propertiesOf(request.getProperties());
      await sets.deleteSet(request.getUrn(), request.getId(), props, request.getTimeout());
      return new Empty();
    }),

    parameterize: answering(() => {
      throw new CallError(
        status.UNIMPLEMENTED,
        `${PACKAGE} takes no parameters: leave them out, as in "pulumi package add ${PACKAGE}"`,
      );
    }),

    call: unimplemented("Call", `${PACKAGE} has no methods`),
    construct: answering(async (request: messages.ConstructRequest) => {
      const type = request.getType();
      if (type !== SHARED_AMI_TYPE) throw new CallError(status.NOT_FOUND, `${PACKAGE} has no component ${type}`);
      // Loaded only now, so that a plugin that makes no component starts without it.
      const { construct } = await import("./construct");
      return construct(request, self, MAX_MESSAGE);
    }),

    getMapping: unimplemented("GetMapping", `${PACKAGE} converts no other programs`),
    getMappings: unimplemented("GetMappings", `${PACKAGE} converts no other programs`),
    list: (stream: ServerWritableStream<unknown, unknown>) =>
      void stream.emit("error", {
        code: status.UNIMPLEMENTED,
        details: `List is not implemented: ${PACKAGE} lists no resources`,
      }),
  };
}

function unimplemented(name: string, why: string) {
  return answering(() => {
    throw new CallError(status.UNIMPLEMENTED, `${name} is not implemented: ${why}`);
  });
}

function answering<Request, Response>(answer: Answering<Request, Response>) {
  return (asked: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>): void => {
    Promise.resolve(asked.request)
      .then(answer)
      .then(
        (response) => callback(null, response),
        (error: Error) => callback(asStatus(error)),
      );
  };
}

function requireSet(urn: string): void {
  const type = urn.split("::")[2]?.split("$").at(-1);
  if (type !== SET_TYPE) throw new CallError(status.NOT_FOUND, `${PACKAGE} has no resource ${type}`);
}

/** What is thrown, as gRPC carries it; a set made in part goes along in its details. */
function asStatus(error: Error): { code: status; details: string; metadata?: Metadata } {
  if (!("reasons" in error)) return { code: error instanceof CallError ? error.code : status.UNKNOWN, details: error.message };
  const { id, properties, reasons, message } = error as PartialFailure;
  const failed = new messages.ErrorResourceInitFailed();
  failed.setId(id);
  failed.setProperties(structOf(properties));
  failed.setReasonsList(reasons);
  const detail = new Any();
  detail.pack(failed.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const whole = new Status();
  whole.setCode(status.UNKNOWN);
  whole.setMessage(message);
  whole.addDetails(detail);
  const metadata = new Metadata();
  metadata.add("grpc-status-details-bin", Buffer.from(whole.serializeBinary()));
  return { code: status.UNKNOWN, details: message, metadata };
}

function checkResponse(inputs: Struct | undefined, failures: readonly Failure[]): messages.CheckResponse {
  const response = new messages.CheckResponse();
  response.setInputs(inputs);
  response.setFailuresList(failures.map(checkFailure));
  return response;
}

function checkFailure({ property, reason }: Failure): messages.CheckFailure {
  const failure = new messages.CheckFailure();
  failure.setProperty(property);
  failure.setReason(reason);
  return failure;
}

function diffResponse(changes: boolean, replaces: readonly string[], detailed: ReadonlyMap<string, Kind>): messages.DiffResponse {
  const { DIFF_SOME, DIFF_NONE } = messages.DiffResponse.DiffChanges;
  const response = new messages.DiffResponse();
  response.setChanges(changes ? DIFF_SOME : DIFF_NONE);
  response.setReplacesList([...replaces]);
  response.setHasdetaileddiff(true);
  for (const [path, kind] of detailed) {
    const property = new messages.PropertyDiff();
    property.setKind(KINDS[kind]);
    property.setInputdiff(true);
    response.getDetaileddiffMap().set(path, property);
  }
  return response;
}

function readResponse({ id, outs, inputs }: Found): messages.ReadResponse {
  const response = new messages.ReadResponse();
  response.setId(id);
  if (id === "") return response;
  response.setProperties(structOf(outs));
  response.setInputs(structOf(inputs));
  return response;
}
