/** The RPCs of the provider. Each method decodes the request, calls an operation, and encodes the response. */

import type {
  ServerUnaryCall,
  ServerWritableStream,
  sendUnaryData,
  UntypedHandleCall,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { type AnsweredCall, DEFAULT_WAIT_OPTIONS, type WaitOptions } from "../core";
import { DATA_SOURCES } from "./dataSource";
import { attributePath, type Diagnostic, endpointWarnings, errorDiagnostic, problemDiagnostic, snakeCase } from "./diagnostics";
import { callFunction, FUNCTIONS, type Parameter, type ProviderFunction } from "./functions";
import { hclog, type Log } from "./hclog";
import { decodeIdentity, type IdentityData, identityOf, importByIdentity } from "./identity";
import { type ListEvent, listProblems, listShared } from "./listResource";
import { Run } from "./neighbours";
import { isListUnknown, type MakeGateway, ProviderConfig, providerProblems, ruleProblem } from "./providerConfig";
import { type Attributes, IDENTITY_SCHEMA, LIST_SCHEMA, PROVIDER_SCHEMA, RESOURCE, RESOURCE_SCHEMA, type Schema } from "./schema";
import { PROVIDER_SERVICE } from "./services";
import {
  applySet,
  configurationDiagnostics,
  configurationOf,
  decodePrivate,
  destroySet,
  importSet,
  movedSet,
  type Private,
  planDestroy,
  planSet,
  readSet,
  type SetResult,
  type StoredSet,
} from "./set";
import { type DynamicValue, decodeValue, encodeValue, type ObjectValue } from "./values";

/** The dependencies of the provider. Tests pass their own. */
export interface ServerOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly makeGateway?: MakeGateway;
  readonly waitOptions?: WaitOptions;
  readonly log?: Log;
  /** How long an operation waits for operations on other sets to begin, in milliseconds. */
  readonly window?: number;
}

/** The members that the provider reads from all requests (tfplugin6.proto). A request has only those of its RPC. */
interface Request {
  readonly type_name: string;
  readonly id: string;
  readonly version: number;
  readonly config: DynamicValue;
  readonly terraform_version: string;
  readonly state: DynamicValue;
  readonly current_state: DynamicValue;
  readonly prior_state: DynamicValue;
  readonly proposed_new_state: DynamicValue;
  readonly planned_state: DynamicValue;
  readonly private: Uint8Array;
  readonly prior_private: Uint8Array;
  readonly planned_private: Uint8Array;
  readonly raw_state: RawState | null;
  readonly source_provider_address: string;
  readonly source_type_name: string;
  readonly source_state: RawState | null;
  readonly source_private: Uint8Array;
  readonly target_type_name: string;
  readonly identity: IdentityData | null;
  readonly current_identity: IdentityData | null;
  readonly prior_identity: IdentityData | null;
  readonly planned_identity: IdentityData | null;
  readonly raw_identity: RawState | null;
  readonly name: string;
  readonly arguments: readonly DynamicValue[];
  readonly include_resource_object: boolean;
  readonly limit: number;
}

interface RawState {
  readonly json?: Uint8Array;
}

type Response = Readonly<Record<string, unknown>>;
type Method = (request: Request) => Response | Promise<Response>;
type Stream = (request: Request) => AsyncIterable<ListEvent> | Response;

/** The provider of one process, and how to end its work. */
export interface ProviderServer {
  readonly service: UntypedServiceImplementation;
  /** Resolves when no call is running. */
  readonly idle: () => Promise<void>;
  /** Ends running calls, so that they change nothing more. */
  readonly stop: () => void;
}

export function providerServer({
  env = process.env,
  makeGateway,
  waitOptions = DEFAULT_WAIT_OPTIONS,
  log = hclog,
  window,
}: ServerOptions = {}): ProviderServer {
  const stopping = new AbortController();
  const running = new Set<Promise<unknown>>();
  const run = new Run(window);
  const onAnswer = ({ action, ...details }: AnsweredCall) => {
    run.answered();
    log("debug", action, details);
  };
  const logWait = (words: string) => log("info", words);
  let provider = configured({});

  function configured(config: ObjectValue): ProviderConfig {
    return new ProviderConfig(config, env, { signal: stopping.signal, onAnswer }, makeGateway);
  }
  let isBridge = false;
  const context = () => ({
    config: provider,
    log,
    run,
    isBridge,
    waitOptions: { onWait: logWait, ...waitOptions, signal: stopping.signal },
  });

  const methods: Record<string, Method> = {
    GetMetadata: () => ({
      server_capabilities: CAPABILITIES,
      resources: [{ type_name: RESOURCE }],
      data_sources: [...DATA_SOURCES.keys()].map((type_name) => ({ type_name })),
      functions: [...FUNCTIONS.keys()].map((name) => ({ name })),
      list_resources: [{ type_name: RESOURCE }],
    }),

    GetProviderSchema: () => ({
      server_capabilities: CAPABILITIES,
      provider: schemaMessage(PROVIDER_SCHEMA),
      resource_schemas: { [RESOURCE]: schemaMessage(RESOURCE_SCHEMA) },
      data_source_schemas: Object.fromEntries([...DATA_SOURCES].map(([name, { schema }]) => [name, schemaMessage(schema)])),
      functions: functionMessages(),
      list_resource_schemas: { [RESOURCE]: schemaMessage(LIST_SCHEMA) },
    }),

    GetResourceIdentitySchemas: () => ({ identity_schemas: { [RESOURCE]: identityMessage(IDENTITY_SCHEMA) } }),
    GetFunctions: () => ({ functions: functionMessages() }),
    CallFunction: ({ name, arguments: given }) => ({ ...callFunction(name, given) }),

    ValidateProviderConfig: ({ config }) => ({
      diagnostics: [...blockDiagnostics(object(config)), ...endpointWarnings(object(config), env)],
    }),

    ValidateResourceConfig: ({ type_name, config }) =>
      ofType(RESOURCE, type_name) ?? { diagnostics: configurationDiagnostics(object(config)) },

    ValidateDataResourceConfig({ type_name, config }) {
      const source = DATA_SOURCES.get(type_name);
      return source ? { diagnostics: source.problems(object(config)).map(problemDiagnostic) } : noDataSource(type_name);
    },

    ValidateListResourceConfig: ({ type_name, config }) =>
      ofType(RESOURCE, type_name) ?? { diagnostics: listProblems(object(config)).map(problemDiagnostic) },

    ConfigureProvider({ config, terraform_version }) {
      isBridge = (terraform_version ?? "").includes(BRIDGE);
      const problems = blockDiagnostics(object(config));
      if (problems.length === 0) provider = configured(object(config));
      run.clear();
      return { diagnostics: [...problems, ...(isListUnknown(object(config)) ? [LIST_UNKNOWN] : [])] };
    },

    UpgradeResourceState({ type_name, version, raw_state }) {
      const refused = ofType(RESOURCE, type_name);
      if (refused) return refused;
      const state = rawState(raw_state);
      if (!state || version > RESOURCE_SCHEMA.version) return unreadableRecord("state", version, state !== null, RESOURCE_SCHEMA);
      return { upgraded_state: encodeValue(state, RESOURCE_SCHEMA) };
    },

    UpgradeResourceIdentity({ type_name, version, raw_identity }) {
      const refused = ofType(RESOURCE, type_name);
      if (refused) return refused;
      const identity = rawState(raw_identity);
      if (!identity || version > IDENTITY_SCHEMA.version)
        return unreadableRecord("identity", version, identity !== null, IDENTITY_SCHEMA);
      return { upgraded_identity: { identity_data: encodeValue(identity, IDENTITY_SCHEMA) } };
    },

    async ReadResource({ type_name, current_state, private: own, current_identity }) {
      const refused = ofType(RESOURCE, type_name);
      if (refused) return refused;
      const read = await readSet(stored(current_state, own), context());
      return { ...keptResponse("new_state", read), new_identity: identityOf(read.state, current_identity) };
    },

    async PlanResourceChange({ type_name, prior_state, proposed_new_state, config, prior_private, prior_identity }) {
      const refused = ofType(RESOURCE, type_name);
      if (refused) return refused;
      const prior = stored(prior_state, prior_private);
      if (decodeValue(proposed_new_state) === null)
        return planDestroy(prior, run).then(({ private: own, diagnostics }) => ({
          planned_state: proposed_new_state,
          planned_private: encodePrivate(own),
          planned_identity: identityOf(prior.state, prior_identity),
          diagnostics,
        }));
      const { planned, private: own, replace, diagnostics } = await planSet(prior, object(config), context());
      return {
        planned_state: encodeValue(planned, RESOURCE_SCHEMA),
        planned_private: encodePrivate(own),
        requires_replace: replace.map((name) => attributePath(name)),
        // A replacement has a new identity, which is given only if all its values are known.
        planned_identity: prior.state && replace.length === 0 ? identityOf(prior.state, prior_identity) : identityOf(planned),
        diagnostics,
      };
    },

    async ApplyResourceChange({ type_name, prior_state, planned_state, planned_private, planned_identity }) {
      const refused = ofType(RESOURCE, type_name);
      if (refused) return refused;
      const prior = stored(prior_state, planned_private);
      const planned = decodeValue(planned_state);
      const answer = (made: SetResult) => ({
        ...keptResponse("new_state", made),
        new_identity: identityOf(made.state, planned_identity),
      });
      if (planned === null) return answer(await destroySet(prior, context()));
      const applied = await applySet(prior, planned, context());
      // Where EC2 has not what was planned, Terraform would call the true state a bug of the provider, and taint a new resource.
      return { ...answer(applied), legacy_type_system: !applied.asPlanned };
    },

    async ImportResourceState({ type_name, id, identity }) {
      const refused = ofType(RESOURCE, type_name);
      if (refused) return refused;
      const named = decodeIdentity(identity);
      const imported = await (named ? importByIdentity(named, context()) : importSet(id, context()));
      const { state, private: own, diagnostics } = imported;
      const resource = {
        type_name: RESOURCE,
        state: encodeValue(state, RESOURCE_SCHEMA),
        private: encodePrivate(own),
        identity: identityOf(state),
      };
      return { imported_resources: state ? [resource] : [], diagnostics };
    },

    GenerateResourceConfig({ type_name, state }) {
      const refused = ofType(RESOURCE, type_name);
      if (refused) return refused;
      const known = decodeValue(state);
      // Terraform 1.14.0 sends no state. A configuration of nulls would make the next plan fail, so this is an error.
      return known
        ? { config: encodeValue(configurationOf(known), RESOURCE_SCHEMA) }
        : failure(
            "The configuration cannot be written",
            "Terraform did not tell the provider what the import found. This is a bug of Terraform 1.14.0. Use 1.14.3 or newer, or write the configuration by hand.",
          );
    },

    MoveResourceState({ source_provider_address, source_type_name, source_state, source_private, target_type_name }) {
      const refused = ofType(RESOURCE, target_type_name);
      if (refused) return refused;
      const source = rawState(source_state);
      const same = source_type_name === RESOURCE && source ? stored({ json: json(source) }, source_private) : undefined;
      const moved = same ?? (source_type_name === "aws_ami_launch_permission" && source ? movedSet(source) : undefined);
      if (!moved?.state)
        return failure(
          `A ${source_type_name} cannot be moved to a ${RESOURCE}`,
          `Move an aws_ami_launch_permission, or a ${RESOURCE} of another address of this provider. The source of this move is a ${source_type_name} of ${source_provider_address}. For any other resource, use import: terraform import … ami-1234567890abcdef0.`,
        );
      return {
        target_state: encodeValue(moved.state, RESOURCE_SCHEMA),
        target_private: encodePrivate(moved.private),
        // If the source has another type, it has no owner, and in older versions no region. The next read then gives the identity.
        target_identity: identityOf(moved.state),
      };
    },

    async ReadDataSource({ type_name, config }) {
      const source = DATA_SOURCES.get(type_name);
      if (!source) return noDataSource(type_name);
      const { state, diagnostics } = await source.read(object(config), provider);
      return { state: encodeValue(state, source.schema), diagnostics };
    },

    StopProvider() {
      log("debug", "asked to stop: no further change is sent to AWS");
      stopping.abort();
      return {};
    },
  };

  const streams: Record<string, Stream> = {
    ListResource({ type_name, config, include_resource_object: includeResource, limit }) {
      const refused = ofType(RESOURCE, type_name);
      return refused
        ? { diagnostic: refused.diagnostics }
        : listShared({ config: object(config), includeResource, limit }, provider);
    },
  };

  function watched(name: string, method: Method): UntypedHandleCall {
    return (call: ServerUnaryCall<Request, Response>, answer: sendUnaryData<Response>) =>
      watch(name, (async () => answer(null, await named(await method(call.request))))(), (response) => answer(null, response));
  }

  /** A response whose diagnostics show the names of accounts. If AWS does not give the names, a warning says so once. */
  async function named(response: Response): Promise<Response> {
    const { diagnostics } = response as { readonly diagnostics?: readonly Diagnostic[] };
    if (diagnostics === undefined || diagnostics.length === 0) return response;
    const shown = await Promise.all(diagnostics.map(withNames));
    const failure = provider.rules.names.failure();
    const untold = failure
      ? [{ ...errorDiagnostic("No names of AWS Organizations are shown", failure, ["names"]), severity: "WARNING" }]
      : [];
    return { ...response, diagnostics: [...shown, ...untold] };
  }

  async function withNames(diagnostic: Diagnostic): Promise<Diagnostic> {
    const { names } = provider.rules;
    return { ...diagnostic, summary: await names.in(diagnostic.summary), detail: await names.in(diagnostic.detail) };
  }

  function streamed(name: string, stream: Stream): UntypedHandleCall {
    return (call: ServerWritableStream<Request, Response>) => {
      const writing = async () => {
        const events = stream(call.request);
        if (!(Symbol.asyncIterator in events)) call.write(events);
        else
          for await (const event of events) {
            // Terraform cancels the call when it has as many events as it wants.
            if (call.cancelled) break;
            call.write({ ...event });
          }
      };
      watch(name, writing(), (response) => call.write(response)).then(() => call.end());
    };
  }

  /** Logs a call and keeps it in `running` until it ends. If it throws, which is a bug of the provider, `fail` sends the response. */
  function watch(name: string, call: Promise<void>, fail: (response: Response) => void): Promise<void> {
    const began = Date.now();
    const work = call.then(
      () => log("trace", `answered ${name}`, { milliseconds: Date.now() - began }),
      (error: Error) => {
        // A bug of the provider: users get the message, and the log gets the stack trace.
        log("error", `${name} failed: ${error.message}`, { stack: error.stack });
        fail(failureOf(name, `The provider failed in ${name}`, `${error.message} (please report this)`));
      },
    );
    running.add(work);
    return work.finally(() => running.delete(work));
  }

  const service = Object.fromEntries(
    Object.keys(PROVIDER_SERVICE).map((name) => {
      const [method, stream] = [methods[name], streams[name]];
      return [name, method ? watched(name, method) : stream ? streamed(name, stream) : notSupported(name)];
    }),
  );
  return {
    service,
    idle: async () => void (await Promise.allSettled([...running])),
    stop: () => stopping.abort(),
  };
}

/** A part of the Terraform version that Pulumi's Terraform bridge sends: pulumi/pulumi-terraform-bridge, pkg/pf/tfbridge/provider_configure.go. */
const BRIDGE = "pulumi-terraform-bridge";

const CAPABILITIES = {
  plan_destroy: true,
  get_provider_schema_optional: true,
  move_resource_state: true,
  generate_resource_config: true,
};

/** The response of RPCs that this provider does not support: ephemeral resources, actions, state stores. */
function notSupported(name: string): UntypedHandleCall {
  const { requestStream, responseStream } = PROVIDER_SERVICE[name] ?? {};
  const response = failureOf(
    name,
    `${name} is not supported`,
    `This provider has the resource ${RESOURCE}, which it lists as well, the data sources ${[...DATA_SOURCES.keys()].join(" and ")}, and the function ${[...FUNCTIONS.keys()].join(", ")}, and nothing else.`,
  );
  if (responseStream)
    return (call: ServerWritableStream<Request, Response>) => {
      call.write(response);
      call.end();
    };
  if (requestStream)
    return (call: { on(event: string, listener: () => void): void }, answer: sendUnaryData<Response>) => {
      call.on("data", () => undefined);
      call.on("end", () => answer(null, response));
    };
  return (_call: unknown, answer: sendUnaryData<Response>) => answer(null, response);
}

/** A response with only an error, in the member that the RPC has for errors. */
function failureOf(name: string, summary: string, detail: string): Response {
  const { diagnostics } = failure(summary, detail);
  switch (name) {
    case "CallFunction":
      return { error: { text: `${summary}: ${detail}` } };
    case "ListResource":
      return { diagnostic: diagnostics };
    case "InvokeAction":
      return { completed: { diagnostics } };
    case "StopProvider":
      return { Error: `${summary}: ${detail}` };
    default:
      return { diagnostics };
  }
}

function failure(summary: string, detail: string): { readonly diagnostics: readonly Diagnostic[] } {
  return { diagnostics: [{ severity: "ERROR", summary, detail }] };
}

/** The error response if the type is not the one that the provider has; else undefined. */
function ofType(known: string, asked: string): Response | undefined {
  return asked === known ? undefined : failure(`There is no ${asked}`, `The type that this provider has is ${known}.`);
}

function noDataSource(asked: string): Response {
  return failure(
    `There is no ${asked}`,
    `The data sources that this provider has are ${[...DATA_SOURCES.keys()].join(" and ")}.`,
  );
}

function unreadableRecord(what: "state" | "identity", version: number, isJson: boolean, schema: Schema): Response {
  return failure(
    `The recorded ${what} cannot be read`,
    `It is of version ${version}${isJson ? "" : " and not JSON"}, and this provider reads version ${schema.version}: use the version of the provider that wrote it, or a newer one.`,
  );
}

/** What is wrong with a provider block, and with the files that it names. */
function blockDiagnostics(config: ObjectValue): Diagnostic[] {
  const problems = providerProblems(config).map(problemDiagnostic);
  const problem = problems.length === 0 ? ruleProblem(config) : undefined;
  return problem
    ? [errorDiagnostic(`Invalid ${snakeCase(problem.property ?? "names")}`, problem, Object.keys(PROVIDER_SCHEMA.attributes))]
    : problems;
}

const LIST_UNKNOWN: Diagnostic = {
  severity: "WARNING",
  summary: "The provider's allow-list is not known yet",
  detail: "The plan does not check allowed_grantees. The apply does, before it changes anything.",
  attribute: attributePath("allowed_grantees"),
};

function object(value: DynamicValue): ObjectValue {
  return decodeValue(value) ?? {};
}

function stored(state: DynamicValue, own: Uint8Array): StoredSet {
  return {
    state: decodeValue(state),
    private: decodePrivate(own),
  };
}

function encodePrivate(own: Private): Buffer {
  return Object.keys(own).length > 0 ? json(own) : Buffer.alloc(0);
}

function keptResponse(name: string, { state, private: own, diagnostics }: SetResult): Response {
  return { [name]: encodeValue(state, RESOURCE_SCHEMA), private: encodePrivate(own), diagnostics };
}

function rawState(raw: RawState | null): ObjectValue | null {
  return decodeValue({ json: raw?.json ?? new Uint8Array() });
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** tfplugin6.proto, Schema. */
function schemaMessage({ version, description, attributes }: Schema): Response {
  return {
    version,
    block: { version, attributes: attributeMessages(attributes), description, description_kind: "MARKDOWN" },
  };
}

function attributeMessages(attributes: Attributes): Response[] {
  return Object.entries(attributes).map(([name, { role, description, type, nested }]) => ({
    name,
    ...(type ? { type: json(type) } : {}),
    ...(nested ? { nested_type: { nesting: nested.nesting, attributes: attributeMessages(nested.attributes) } } : {}),
    description,
    description_kind: "MARKDOWN",
    required: role === "required",
    optional: role === "optional" || role === "optionalComputed",
    computed: role === "computed" || role === "optionalComputed",
  }));
}

/** tfplugin6.proto, ResourceIdentitySchema. */
function identityMessage({ version, attributes }: Schema): Response {
  const messages = Object.entries(attributes).map(([name, { role, description, type }]) => ({
    name,
    type: json(type),
    required_for_import: role === "required",
    optional_for_import: role === "optional",
    description,
  }));
  return { version, identity_attributes: messages };
}

/** tfplugin6.proto, Function, by name. */
function functionMessages(): Response {
  const parameter = ({ name, type, description }: Parameter) => ({
    name,
    type: json(type),
    allow_null_value: true,
    description,
    description_kind: "MARKDOWN",
  });
  const message = ({ summary, description, parameters, optional }: ProviderFunction) => ({
    parameters: parameters.map(parameter),
    variadic_parameter: parameter(optional),
    return: { type: json("dynamic") },
    summary,
    description,
    description_kind: "MARKDOWN",
  });
  return Object.fromEntries([...FUNCTIONS].map(([name, one]) => [name, message(one)]));
}
