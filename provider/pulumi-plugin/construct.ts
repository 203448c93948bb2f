/**
 * The component SharedAmi, by the protocol's Construct: registers the component, a set for each region, and the copies to make.
 *
 * It speaks to the engine's resource monitor itself. The SDK's runtime has one program's settings for a whole process, and decodes values only
 * to encode them again. Here values pass as they are on the wire, so that secrets and unknown values stay what they are.
 */

import { credentials, type ServiceError } from "@grpc/grpc-js";
import { Alias } from "@pulumi/pulumi/proto/alias_pb";
import { type ConstructRequest, ConstructResponse } from "@pulumi/pulumi/proto/provider_pb";
import { ResourceMonitorClient } from "@pulumi/pulumi/proto/resource_grpc_pb";
import {
  RegisterResourceOutputsRequest,
  RegisterResourceRequest,
  type RegisterResourceResponse,
} from "@pulumi/pulumi/proto/resource_pb";
import type { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { PULUMI_UNKNOWN, SECRET_MARK, SIGNATURE } from "../pulumi/sdkInternals";
import type { Properties } from "../pulumi/secrets";
import { sharedImages } from "../pulumi/sharedImages";
import { DYNAMIC_SET_TYPE, PACKAGE, SET_TYPE, SHARED_AMI_TYPE } from "./names";
import { isUnknown, structOf } from "./values";
import { VERSION } from "./version";

const COPY_TYPE = "aws:ec2/amiCopy:AmiCopy";

/** Where values come from: property → URNs. */
type Sources = Readonly<Record<string, readonly string[]>>;

/** A resource that the engine has registered. */
interface Registered {
  readonly urn: string;
  readonly id: string;
  readonly outputs: Properties;
}

/**
 * @param self the reference to the provider that this process is; empty if the engine did not tell it
 * @param maxMessage bytes of one message
 * @throws Error about wrong arguments, before anything is registered; and what the engine answers
 */
export async function construct(request: ConstructRequest, self: string, maxMessage: number): Promise<ConstructResponse> {
  const name = request.getName();
  const { images, permissions } = sharedImages(withOpenMaps(propertiesIn(request.getInputs())), {
    refuse: (what) => {
      throw new Error(`SharedAmi "${name}": ${what} [invalid-argument]`);
    },
    isLater: (value) => isUnknown(value) || isSecret(value),
    hasAwsProvider: () => request.getProvidersMap().has("aws"),
  });
  const sources = sourcesIn(request);
  const monitor = new ResourceMonitorClient(request.getMonitorendpoint(), credentials.createInsecure(), {
    "grpc.max_receive_message_length": maxMessage,
    "grpc.max_send_message_length": maxMessage,
  });
  try {
    const component = await register(monitor, componentRequest(request));
    const sets = await Promise.all(
      images.map(async ({ region, imageId, copy }) => {
        const child = { request, name: `${name}-${region}`, parent: component.urn };
        const copied = copy && (await register(monitor, copyRequest({ ...child, inputs: copy, sources })));
        const inputs = { ...permissions, imageId: copied ? copied.id || PULUMI_UNKNOWN : imageId, region };
        const ofImage = copied ? [copied.urn] : [...(sources.imageIds ?? []), ...(sources.sourceImageId ?? [])];
        const set = setRequest({ ...child, inputs, sources: { ...sources, imageId: ofImage } }, self);
        return [region, await register(monitor, set)] as const;
      }),
    );
    const ofSets = (property: string) => Object.fromEntries(sets.map(([region, { outputs }]) => [region, outputs[property]]));
    const outputs = structOf({ imageIds: ofSets("imageId"), grants: ofSets("grants") });
    const ended = new RegisterResourceOutputsRequest();
    ended.setUrn(component.urn);
    ended.setOutputs(outputs);
    await answered((done) => monitor.registerResourceOutputs(ended, done));
    return responseOf(component.urn, outputs, sets);
  } finally {
    monitor.close();
  }
}

/** The component itself: its sets inherit from it what the engine lets children inherit. */
function componentRequest(request: ConstructRequest): RegisterResourceRequest {
  const component = new RegisterResourceRequest();
  component.setType(SHARED_AMI_TYPE);
  component.setName(request.getName());
  component.setParent(request.getParent());
  component.setObject(structOf({}));
  component.setDependenciesList(request.getDependenciesList());
  component.setAliasesList(request.getAliasesList());
  component.setIgnorechangesList(request.getIgnorechangesList());
  component.setReplaceonchangesList(request.getReplaceonchangesList());
  component.setAdditionalsecretoutputsList(request.getAdditionalsecretoutputsList());
  component.setDeletedwith(request.getDeletedwith());
  component.setReplaceWithList(request.getReplaceWithList());
  component.setReplacementTrigger(request.getReplacementTrigger());
  const [protect, retain] = [request.getProtect(), request.getRetainondelete()];
  if (request.hasProtect() && protect !== undefined) component.setProtect(protect);
  if (request.hasRetainondelete() && retain !== undefined) component.setRetainondelete(retain);
  for (const [name, reference] of request.getProvidersMap().entries()) component.getProvidersMap().set(name, reference);
  return understanding(request, component);
}

interface Child {
  readonly request: ConstructRequest;
  readonly name: string;
  readonly parent: string;
  readonly inputs: Properties;
  readonly sources: Sources;
}

function childRequest(type: string, { request, name, parent, inputs, sources }: Child): RegisterResourceRequest {
  const child = new RegisterResourceRequest();
  child.setType(type);
  child.setName(name);
  child.setParent(parent);
  child.setCustom(true);
  child.setObject(structOf(inputs));
  const all = new Set(request.getDependenciesList());
  for (const property of Object.keys(inputs)) {
    const urns = new RegisterResourceRequest.PropertyDependencies();
    urns.setUrnsList([...(sources[property] ?? [])]);
    child.getPropertydependenciesMap().set(property, urns);
    for (const urn of sources[property] ?? []) all.add(urn);
  }
  child.setDependenciesList([...all]);
  return understanding(request, child);
}

/** A copy, by the user's @pulumi/aws: the engine takes the provider in the options of the component, or the default one. */
function copyRequest({ sources, ...child }: Child): RegisterResourceRequest {
  const { copy = [], sourceImageId = [] } = sources;
  const names = ["name", "description", "tags", "encrypted", "kmsKeyId"];
  const own = { ...Object.fromEntries(names.map((name) => [name, copy])), sourceAmiId: sourceImageId };
  return childRequest(COPY_TYPE, { ...child, sources: own });
}

function setRequest(child: Child, self: string): RegisterResourceRequest {
  const set = childRequest(SET_TYPE, child);
  // Otherwise the engine takes the default provider of no version, which is another process than that of the program's own sets.
  if (!child.request.getProvidersMap().has(PACKAGE)) {
    set.setProvider(self);
    set.setVersion(VERSION);
  }
  const dynamic = new Alias.Spec();
  dynamic.setType(DYNAMIC_SET_TYPE);
  const alias = new Alias();
  alias.setSpec(dynamic);
  set.addAliases(alias);
  return set;
}

/** Says what this client understands. */
function understanding(request: ConstructRequest, one: RegisterResourceRequest): RegisterResourceRequest {
  one.setAcceptsecrets(true);
  one.setSupportspartialvalues(true);
  one.setAliasspecs(true);
  one.setParentstacktracehandle(request.getStackTraceHandle());
  return one;
}

async function register(monitor: ResourceMonitorClient, one: RegisterResourceRequest): Promise<Registered> {
  const response = await answered<RegisterResourceResponse>((done) => monitor.registerResource(one, done));
  return { urn: response.getUrn(), id: response.getId(), outputs: propertiesIn(response.getObject()) };
}

function answered<Response>(
  call: (done: (error: ServiceError | null, response: Response) => void) => unknown,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    call((error, response) => (error ? reject(new Error(error.details)) : resolve(response)));
  });
}

function responseOf(urn: string, outputs: Struct, sets: readonly (readonly [string, Registered])[]): ConstructResponse {
  const response = new ConstructResponse();
  response.setUrn(urn);
  response.setState(outputs);
  for (const property of outputs.getFieldsMap().keys()) {
    const urns = new ConstructResponse.PropertyDependencies();
    urns.setUrnsList(sets.map(([, set]) => set.urn));
    response.getStatedependenciesMap().set(property, urns);
  }
  return response;
}

function sourcesIn(request: ConstructRequest): Sources {
  const sources: Record<string, readonly string[]> = {};
  request.getInputdependenciesMap().forEach((urns, property) => {
    sources[property] = urns.getUrnsList();
  });
  return sources;
}

function propertiesIn(struct: Struct | undefined): Properties {
  return (struct?.toJavaScript() ?? {}) as Properties;
}

/** The arguments with maps that are looked into: of a map that is a secret, each value becomes one. */
function withOpenMaps(args: Properties): Properties {
  const { imageIds, copy } = args;
  const opened = opensTo(copy);
  return {
    ...args,
    ...(imageIds === undefined ? {} : { imageIds: opensTo(imageIds) }),
    ...(isMap(opened) ? { copy: "kmsKeyIds" in opened ? { ...opened, kmsKeyIds: opensTo(opened.kmsKeyIds) } : opened } : {}),
  };
}

function opensTo(value: unknown): unknown {
  if (!isSecret(value) || !isMap(value.value)) return value;
  const sealed = Object.entries(value.value).map(([key, member]) => [key, isSecret(member) ? member : seal(member)]);
  return Object.fromEntries(sealed);
}

function seal(value: unknown): Properties {
  return { [SIGNATURE]: SECRET_MARK, value };
}

function isSecret(value: unknown): value is { readonly value: unknown } {
  return isMap(value) && value[SIGNATURE] === SECRET_MARK;
}

function isMap(value: unknown): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
