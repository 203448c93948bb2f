/** The full Pulumi provider over a real gRPC channel: every RPC of the protocol by its name, with EC2 in memory. */

import * as assert from "node:assert/strict";
import { mock } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import * as grpc from "@grpc/grpc-js";
import { EngineService } from "@pulumi/pulumi/proto/engine_grpc_pb";
import type { LogRequest } from "@pulumi/pulumi/proto/engine_pb";
import { PluginAttach } from "@pulumi/pulumi/proto/plugin_pb";
import { ResourceProviderClient, ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { AmiSharingError, type Connection, type GranteeKey, userKey } from "../../provider/core";
import { DynamicProvider } from "../../provider/pulumi/dynamicProvider";
import { PULUMI_UNKNOWN, SECRET_MARK, SIGNATURE } from "../../provider/pulumi/sdkInternals";
import { EngineDisplay } from "../../provider/pulumi-plugin/engineClient";
import { GET_PERMISSIONS, GET_SHARED_AMIS, SET_TYPE } from "../../provider/pulumi-plugin/names";
import { providerService } from "../../provider/pulumi-plugin/server";
import { structOf } from "../../provider/pulumi-plugin/values";
import { VERSION } from "../../provider/pulumi-plugin/version";
import { MemoryEngine } from "../helpers/memoryEngine";
import { MemoryGateway, OWNER } from "../helpers/memoryGateway";

/**
 * The conformance: every RPC of the protocol, and how it is answered. The tests whose titles begin with its name show that. The last
 * test compares this list with the protocol's definition and with the titles.
 */
const CONFORMANCE: Readonly<Record<string, string>> = {
  Handshake: "takes the engine's address; accepts secrets",
  Attach: "takes the address of another engine, for debugging",
  GetPluginInfo: "the version",
  GetSchema: "the schema, version 0",
  Parameterize: "UNIMPLEMENTED, with words: there are no parameters",
  CheckConfig: "what is wrong with the configuration, by property",
  DiffConfig: "what changes; nothing replaces the provider",
  Configure: "how AWS is reached; previews and secrets are supported",
  Check: "the canonical inputs with the grants, or what is wrong, by property; makes no call",
  Diff: "what changes, one path a grantee, and what replaces; makes no call",
  Create: "shares; in a preview the report and the outputs that are known; what is made in part is an ErrorResourceInitFailed",
  Update: "changes; in a preview the report; what is made in part is an ErrorResourceInitFailed",
  Read: "a refresh, an import or a look-up; no id where the AMI is gone",
  Delete: "revokes what the set granted, as onDelete says",
  Invoke: "getAmiLaunchPermissions and getSharedAmis",
  Cancel: "nothing more is changed",
  Call: "UNIMPLEMENTED: there are no methods",
  Construct: "UNIMPLEMENTED: there are no components",
  GetMapping: "UNIMPLEMENTED: no other programs are converted",
  GetMappings: "UNIMPLEMENTED: no other programs are converted",
  List: "UNIMPLEMENTED: there are no lists",
};

const [A, B, C] = ["111122223333", "444455556666", "777788889999"] as const;
const WAIT_OPTIONS = { timeout: 0.05, minDelay: 0.001, maxDelay: 0.002, absencePause: 0 };
const URN = `urn:pulumi:test::project::${SET_TYPE}::golden`;
const UNKNOWN_NUMBER = "3eeb2bf0-c639-47a8-9e75-3b44932eb421";

type Props = Record<string, unknown>;
type Fault = grpc.ServiceError & { readonly code: grpc.status };

const secret = (value: unknown) => ({ [SIGNATURE]: SECRET_MARK, value });

describe("the full Pulumi provider's RPCs", () => {
  let ec2: MemoryGateway;
  let connections: Connection[];
  let cancelled: number;
  let shown: { urn: string; text: string; severity: number }[];
  let server: grpc.Server;
  let engine: grpc.Server;
  let engineAddress: string;
  let display: EngineDisplay;
  let client: ResourceProviderClient;
  let imageId: string;
  /** Milliseconds that the plugin waits for other sets. Tests that set it stop the clock: then a slow machine changes nothing. */
  let quiet: number;

  beforeEach(async () => {
    [ec2, connections, cancelled, shown, quiet] = [new MemoryGateway(), [], 0, [], 0];
    imageId = ec2.addImage(2).imageId;
    engine = new grpc.Server();
    engine.addService(EngineService as unknown as grpc.ServiceDefinition, {
      log: (call: grpc.ServerUnaryCall<LogRequest, Empty>, done: grpc.sendUnaryData<Empty>) => {
        const { request } = call;
        shown.push({ urn: request.getUrn(), text: request.getMessage(), severity: request.getSeverity() });
        done(null, new Empty());
      },
    });
    engineAddress = await listening(engine);
    display = new EngineDisplay();
    await begin();
  });
  afterEach(() => {
    mock.timers.reset();
    client.close();
    display.close();
    server.forceShutdown();
    engine.forceShutdown();
  });

  /** Starts a plugin of its own, as each run of the engine does. */
  async function begin(): Promise<void> {
    server = new grpc.Server();
    const service = providerService({
      gateway: (connection) => {
        connections.push(connection);
        return ec2;
      },
      waitOptions: WAIT_OPTIONS,
      quiet,
      show: display.show,
      engineAt: (address) => display.connect(address),
      cancel: () => {
        cancelled++;
      },
    });
    server.addService(ResourceProviderService, service);
    client = new ResourceProviderClient(await listening(server), grpc.credentials.createInsecure());
    await handshake();
  }

  /** The next run of the engine: its plugin knows nothing of the last one. */
  async function nextRun(): Promise<void> {
    client.close();
    server.forceShutdown();
    await begin();
    shown = [];
  }

  /** Stops the clock after what waits for nothing has been done. */
  function stopClock(): void {
    mock.timers.enable({ apis: ["setTimeout", "Date"], now: Date.now() });
  }

  /** Lets the stopped clock go on until something is done. */
  async function passing<Done>(until: Promise<Done>): Promise<Done> {
    let isDone = false;
    const done = () => {
      isDone = true;
    };
    until.then(done, done);
    for (; !isDone; await turn()) mock.timers.tick(10);
    return until;
  }

  function listening(one: grpc.Server): Promise<string> {
    return new Promise((resolve, reject) => {
      one.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(`127.0.0.1:${port}`),
      );
    });
  }

  /** The answer to an RPC. */
  function ask<Request, Response>(
    method: (request: Request, callback: (error: grpc.ServiceError | null, response: Response) => void) => unknown,
    request: Request,
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      method.call(client, request, (error, response) => (error ? reject(error) : resolve(response)));
    });
  }

  /** The fault that an RPC ends in. */
  function refused(answer: Promise<unknown>): Promise<Fault> {
    return answer.then(
      () => assert.fail("it was expected to fail"),
      (error: Fault) => error,
    );
  }

  function handshake(): Promise<messages.ProviderHandshakeResponse> {
    const request = new messages.ProviderHandshakeRequest();
    request.setEngineAddress(engineAddress);
    return ask<messages.ProviderHandshakeRequest, messages.ProviderHandshakeResponse>(client.handshake, request);
  }

  function configure(config: Props): Promise<messages.ConfigureResponse> {
    const request = new messages.ConfigureRequest();
    request.setArgs(structOf(config));
    return ask<messages.ConfigureRequest, messages.ConfigureResponse>(client.configure, request);
  }

  async function checkConfig(news: Props) {
    const request = new messages.CheckRequest();
    request.setNews(structOf(news));
    const response = await ask<messages.CheckRequest, messages.CheckResponse>(client.checkConfig, request);
    return response.getFailuresList().map((failure) => `${failure.getProperty()}: ${failure.getReason()}`);
  }

  async function check(news: Props, olds: Props = {}, urn = URN) {
    const request = new messages.CheckRequest();
    request.setUrn(urn);
    request.setOlds(structOf(olds));
    request.setNews(structOf(news));
    const response = await ask<messages.CheckRequest, messages.CheckResponse>(client.check, request);
    return {
      inputs: (response.getInputs()?.toJavaScript() ?? {}) as Props,
      failures: response.getFailuresList().map((failure) => ({ property: failure.getProperty(), reason: failure.getReason() })),
    };
  }

  async function diff(olds: Props, oldInputs: Props | undefined, news: Props, urn = URN) {
    const request = new messages.DiffRequest();
    request.setUrn(urn);
    request.setId(imageId);
    request.setOlds(structOf(olds));
    if (oldInputs) request.setOldInputs(structOf(oldInputs));
    request.setNews(structOf(news));
    const response = await ask<messages.DiffRequest, messages.DiffResponse>(client.diff, request);
    const detailed: Record<string, string> = {};
    response.getDetaileddiffMap().forEach((change, path) => {
      detailed[path] = kindOf(change);
    });
    return {
      changes: response.getChanges() === messages.DiffResponse.DiffChanges.DIFF_SOME,
      replaces: response.getReplacesList(),
      detailed,
    };
  }

  function kindOf(change: messages.PropertyDiff): string {
    assert.equal(change.getInputdiff(), true);
    return Object.entries(messages.PropertyDiff.Kind).find(([, kind]) => kind === change.getKind())?.[0] ?? "";
  }

  async function create(inputs: Props, preview = false, urn = URN, timeout = 0) {
    const request = new messages.CreateRequest();
    request.setUrn(urn);
    request.setTimeout(timeout);
    request.setProperties(structOf(inputs));
    request.setPreview(preview);
    const response = await ask<messages.CreateRequest, messages.CreateResponse>(client.create, request);
    return { id: response.getId(), outs: response.getProperties()?.toJavaScript() as Props };
  }

  async function update(olds: Props, news: Props, preview = false, timeout = 0) {
    const request = new messages.UpdateRequest();
    request.setUrn(URN);
    request.setTimeout(timeout);
    request.setId(imageId);
    request.setOlds(structOf(olds));
    request.setNews(structOf(news));
    request.setPreview(preview);
    const response = await ask<messages.UpdateRequest, messages.UpdateResponse>(client.update, request);
    return response.getProperties()?.toJavaScript() as Props;
  }

  async function read(id: string, props: Props = {}, inputs: Props = {}, urn = URN) {
    const request = new messages.ReadRequest();
    request.setUrn(urn);
    request.setId(id);
    request.setProperties(structOf(props));
    request.setInputs(structOf(inputs));
    const response = await ask<messages.ReadRequest, messages.ReadResponse>(client.read, request);
    return {
      id: response.getId(),
      props: (response.getProperties()?.toJavaScript() ?? {}) as Props,
      inputs: (response.getInputs()?.toJavaScript() ?? {}) as Props,
    };
  }

  async function remove(props: Props, urn = URN, timeout = 0): Promise<void> {
    const request = new messages.DeleteRequest();
    request.setUrn(urn);
    request.setTimeout(timeout);
    request.setId(imageId);
    request.setProperties(structOf(props));
    await ask(client.delete, request);
  }

  async function invoke(token: string, args: Props) {
    const request = new messages.InvokeRequest();
    request.setTok(token);
    request.setArgs(structOf(args));
    const response = await ask<messages.InvokeRequest, messages.InvokeResponse>(client.invoke, request);
    return {
      result: response.getReturn()?.toJavaScript() as Props | undefined,
      failures: response.getFailuresList().map((failure) => `${failure.getProperty()}: ${failure.getReason()}`),
    };
  }

  /** A set that was made, with its checked inputs. */
  async function made(args: Props, urn = URN) {
    const { inputs, failures } = await check({ imageId, ...args }, {}, urn);
    assert.deepEqual(failures, []);
    return { inputs, ...(await create(inputs, false, urn)) };
  }

  it("Handshake: secrets are accepted, and the engine's address is taken", async () => {
    const response = await handshake();
    assert.equal(response.getAcceptSecrets(), true);
    assert.equal(response.getAcceptOutputs(), false);
    assert.equal(response.getAcceptResources(), false);
    await display.show("warn", "words", URN);
    assert.deepEqual(shown, [{ urn: URN, text: "words", severity: 2 }]);
  });

  it("Attach: another engine's address is taken", async () => {
    const other = new grpc.Server();
    let heard = 0;
    other.addService(EngineService as unknown as grpc.ServiceDefinition, {
      log: (_: unknown, done: grpc.sendUnaryData<Empty>) => {
        heard++;
        done(null, new Empty());
      },
    });
    const request = new PluginAttach();
    request.setAddress(await listening(other));
    await ask(client.attach, request);
    await display.show("info", "words", "");
    other.forceShutdown();
    assert.deepEqual([heard, shown], [1, []]);
  });

  it("Attach: another run of the engine knows nothing of the sets of the last one", async () => {
    await check({ imageId, accountIds: [A] });
    const request = new PluginAttach();
    request.setAddress("127.0.0.1:1");
    await ask(client.attach, request);
    // In the last run this would be a second authoritative set of the AMI.
    const { failures } = await check({ imageId, accountIds: [B] }, {}, `${URN}-other`);
    assert.deepEqual(failures, []);
  });

  it("GetPluginInfo: the version", async () => {
    const info = await ask<Empty, { getVersion(): string }>(client.getPluginInfo, new Empty());
    assert.equal(info.getVersion(), VERSION);
  });

  it("GetSchema: version 0, and no other", async () => {
    const request = new messages.GetSchemaRequest();
    const response = await ask<messages.GetSchemaRequest, messages.GetSchemaResponse>(client.getSchema, request);
    assert.ok(SET_TYPE in JSON.parse(response.getSchema()).resources);
    request.setVersion(1);
    assert.equal((await refused(ask(client.getSchema, request))).code, grpc.status.INVALID_ARGUMENT);
  });

  it("CheckConfig: values and the JSON texts of config and SDKs; what is wrong is named, a secret is not shown", async () => {
    assert.deepEqual(await checkConfig({ version: "0.1.0" }), []);
    assert.deepEqual(
      await checkConfig({ region: "us-east-1", maxRetries: 3, assumeRole: { roleArn: "arn:aws:iam::123456789012:role/r" } }),
      [],
    );
    assert.deepEqual(await checkConfig({ maxRetries: "3", assumeRole: '{"roleArn":"arn:aws:iam::123456789012:role/r"}' }), []);
    assert.deepEqual(await checkConfig({ region: PULUMI_UNKNOWN, maxRetries: UNKNOWN_NUMBER }), []);
    assert.match((await checkConfig({ maxRetries: "many" })).join(), /^maxRetries: .*\[invalid-argument\]$/);
    assert.match((await checkConfig({ colour: "red" })).join(), /colour/);
    const [failure = ""] = await checkConfig({ endpoint: secret("no-url-at-all") });
    assert.match(failure, /^: endpoint: /);
    assert.doesNotMatch(failure, /no-url-at-all/);
  });

  it("CheckConfig: what @pulumi/aws takes besides; a wrong value is named by its place", async () => {
    const role = { roleArn: "arn:aws:iam::123456789012:role/r", duration: "1h30m" };
    const keys = { accessKey: "AKIAABCDEFGHIJKLMNOP", secretKey: "the-secret-of-the-key", token: "the-token" };
    const right = {
      ...keys,
      assumeRoles: [role],
      endpoints: [{ ec2: "https://a.b", kms: "https://c.d" }],
      sharedConfigFiles: ["a"],
    };
    assert.deepEqual(await checkConfig(right), []);
    const texts = Object.entries(right).map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]);
    assert.deepEqual(await checkConfig(Object.fromEntries(texts)), []);
    assert.deepEqual(await checkConfig({ token: PULUMI_UNKNOWN, accessKey: PULUMI_UNKNOWN, secretKey: PULUMI_UNKNOWN }), []);
    const wrongs: readonly (readonly [Props, RegExp])[] = [
      [{ colour: "red" }, /^colour: colour: there is no such argument; the arguments are region, .*sharedCredentialsFiles \[/],
      [{ endpoints: { ec2: "https://a.b" } }, /^endpoints: endpoints: .* is not a list of { ec2, sts, kms }/],
      [{ endpoints: [{ ec2: "https://a.b" }, { sts: "no-url" }] }, /^endpoints: endpoints\[1\]\.sts: "no-url" is not a URL/],
      [{ endpoints: [{ s3: "https://a.b" }] }, /^endpoints: endpoints\[0\]\.s3: there is no such argument; .* ec2, sts, kms \[/],
      [{ endpoints: ["https://a.b"] }, /^endpoints: endpoints\[0\]: .* is not { ec2, sts, kms }/],
      [{ assumeRoles: [{ ...role, duration: "soon" }] }, /^assumeRoles: assumeRoles\[0\]\.duration: "soon" is not a duration/],
      [{ assumeRoles: [{ externalId: "x" }] }, /^assumeRoles: assumeRoles\[0\]\.roleArn: is missing/],
      [{ assumeRoles: [{ roleArn: "r" }] }, /^assumeRoles: assumeRoles\[0\]\.roleArn: "r" is not a role's ARN/],
      [{ sharedConfigFiles: "~/.aws/config" }, /^sharedConfigFiles: sharedConfigFiles: .* is not a list of paths/],
      [{ sharedCredentialsFiles: ["a", "b"] }, /^sharedCredentialsFiles: .*: 2 files are listed/],
      [{ accessKey: "AKIAABCDEFGHIJKLMNOP" }, /^: accessKey: needs secretKey, too/],
      [{ secretKey: "the-secret-of-the-key" }, /^: secretKey: needs accessKey, too/],
      [{ token: "the-token" }, /^: token: needs accessKey and secretKey, too/],
      [{ accessKey: "", secretKey: "the-secret-of-the-key" }, /^: accessKey: is not a text/],
    ];
    for (const [config, reason] of wrongs) {
      const told = await checkConfig(config);
      assert.equal(told.length, 1, told.join("\n"));
      assert.match(told[0] ?? "", reason);
      assert.doesNotMatch(told[0] ?? "", /AKIA|the-secret|the-token/);
    }
  });

  it("CheckConfig: keys and tokens become secrets, marked by the program or not", async () => {
    const request = new messages.CheckRequest();
    const config = { region: "us-east-1", accessKey: "id", secretKey: secret("key"), token: PULUMI_UNKNOWN };
    request.setNews(structOf(config));
    const response = await ask<messages.CheckRequest, messages.CheckResponse>(client.checkConfig, request);
    assert.deepEqual(response.getInputs()?.toJavaScript(), { ...config, accessKey: secret("id") });
  });

  it("DiffConfig: what changes, and nothing for two ways to write the same", async () => {
    const difference = async (olds: Props, news: Props) => {
      const request = new messages.DiffRequest();
      request.setOldInputs(structOf(olds));
      request.setNews(structOf(news));
      const response = await ask<messages.DiffRequest, messages.DiffResponse>(client.diffConfig, request);
      const names: string[] = [];
      response.getDetaileddiffMap().forEach((_, name) => {
        names.push(name);
      });
      return [response.getChanges(), response.getReplacesList(), names];
    };
    const { DIFF_NONE, DIFF_SOME } = messages.DiffResponse.DiffChanges;
    assert.deepEqual(await difference({ maxRetries: "3" }, { maxRetries: 3, version: "2" }), [DIFF_NONE, [], []]);
    assert.deepEqual(await difference({ region: "us-east-1" }, { region: "eu-west-1" }), [DIFF_SOME, [], ["region"]]);
  });

  it("Configure: previews and secrets; sets and functions are reached as it says, a set's own arguments win", async () => {
    const role = { roleArn: "arn:aws:iam::123456789012:role/r" };
    const response = await configure({
      region: "eu-west-1",
      endpoint: "http://127.0.0.1:1",
      assumeRole: JSON.stringify(role),
      maxRetries: "2",
    });
    assert.equal(response.getSupportspreview(), true);
    assert.equal(response.getAcceptsecrets(), true);
    await invoke(GET_PERMISSIONS, { imageId });
    const { region, endpoint, assumeRoles, maxRetries } = connections.at(-1) ?? {};
    assert.deepEqual(
      [region, endpoint, assumeRoles, maxRetries],
      [
        "eu-west-1",
        "http://127.0.0.1:1",
        [{ ...role, externalId: undefined, sessionName: undefined, durationSeconds: undefined }],
        2,
      ],
    );
    await invoke(GET_PERMISSIONS, { imageId, region: "us-west-2" });
    assert.equal(connections.at(-1)?.region, "us-west-2");
    assert.equal((await check({ imageId, accountIds: [A] })).inputs.region, "eu-west-1");
    assert.equal((await refused(configure({ maxRetries: "many" }))).code, grpc.status.INVALID_ARGUMENT);
  });

  it("Configure: keys, files, endpoints and roles have the meaning of @pulumi/aws", async () => {
    const [first, second] = ["first", "second"].map((name) => ({ roleArn: `arn:aws:iam::123456789012:role/${name}` }));
    await configure({
      accessKey: "id",
      secretKey: secret("key"),
      token: "token",
      profile: "sharing",
      sharedConfigFiles: JSON.stringify(["/etc/config"]),
      sharedCredentialsFiles: ["/etc/credentials"],
      endpoint: "http://127.0.0.1:1",
      endpoints: [{ ec2: "http://127.0.0.1:2", sts: "http://127.0.0.1:3" }, { kms: "http://127.0.0.1:4" }],
      assumeRoles: JSON.stringify([{ ...first, duration: "1h30m", sessionName: "session" }]),
      assumeRole: second,
    });
    await invoke(GET_PERMISSIONS, { imageId });
    assert.deepEqual(connections.at(-1), {
      region: undefined,
      profile: "sharing",
      sharedConfigFile: "/etc/config",
      sharedCredentialsFile: "/etc/credentials",
      endpoint: "http://127.0.0.1:1",
      stsEndpoint: "http://127.0.0.1:3",
      kmsEndpoint: "http://127.0.0.1:4",
      credentials: { accessKeyId: "id", secretAccessKey: "key", sessionToken: "token" },
      assumeRoles: [
        { ...first, externalId: undefined, sessionName: "session", durationSeconds: 5400 },
        { ...second, externalId: undefined, sessionName: undefined, durationSeconds: undefined },
      ],
      maxRetries: undefined,
    });
    // A set's own profile wins over the keys.
    await invoke(GET_PERMISSIONS, { imageId, profile: "other" });
    assert.deepEqual([connections.at(-1)?.profile, connections.at(-1)?.credentials], ["other", undefined]);
  });

  it("Configure: an endpoint that is called in clear is warned of, once", async () => {
    await configure({ endpoint: "http://10.0.0.1:1" });
    await invoke(GET_PERMISSIONS, { imageId });
    await invoke(GET_PERMISSIONS, { imageId, region: "us-west-2" });
    assert.deepEqual(
      shown.map(({ severity }) => severity),
      [2],
    );
    assert.match(shown[0]?.text ?? "", /10\.0\.0\.1/);
  });

  it("takes members with their names in Python, which Python's SDK translates in some places only", async () => {
    const { snapshotIds, imageId: image } = ec2.addImage(2);
    const role_arn = "arn:aws:iam::123456789012:role/python";
    const roleOf = (connection: Connection | undefined) => connection?.assumeRoles?.[0]?.roleArn;
    await configure({ assumeRole: JSON.stringify({ role_arn }) });
    await invoke(GET_PERMISSIONS, { imageId: image });
    assert.equal(roleOf(connections.at(-1)), role_arn);
    assert.deepEqual(await checkConfig({ assumeRole: { role_arn } }), []);
    assert.deepEqual(await checkConfig({ assumeRoles: JSON.stringify([{ role_arn, session_name: "test" }]) }), []);
    await invoke(GET_PERMISSIONS, { imageId: image, assumeRole: { role_arn: `${role_arn}2` } });
    assert.equal(roleOf(connections.at(-1)), `${role_arn}2`);
    const { inputs, failures } = await check({
      imageId: image,
      accountIds: [A],
      createVolumePermissions: { account_ids: [B], snapshot_ids: snapshotIds.slice(0, 1) },
    });
    assert.deepEqual(failures, []);
    assert.deepEqual(inputs.createVolumePermissions, { accountIds: [B], snapshotIds: snapshotIds.slice(0, 1) });
  });

  it("Check: canonical inputs with the grants; what is wrong by its property; EC2 is not asked", async () => {
    const { inputs } = await check({ imageId, accountIds: [B, A, A], createVolumePermissions: true });
    assert.deepEqual(inputs, {
      imageId,
      accountIds: [A, B],
      createVolumePermissions: true,
      region: "us-east-1",
      grants: { [`account/${A}`]: "launch, createVolume", [`account/${B}`]: "launch, createVolume" },
    });
    const { failures } = await check({ imageId, accountIds: ["12"] });
    assert.equal(failures[0]?.property, "accountIds");
    assert.match(failures[0]?.reason ?? "", /accountIds\[0\].*\[invalid-argument\]/);
    assert.deepEqual(ec2.calls, []);
  });

  it("Check: secrets stay secrets, and no failure shows one; what is not known stays so", async () => {
    const { inputs } = await check({ imageId, accountIds: secret([A]) });
    assert.deepEqual(inputs.accountIds, secret([A]));
    assert.deepEqual(inputs.grants, secret({ [`account/${A}`]: "launch" }));
    const wrong = await check({ imageId, accountIds: [A, secret("99998888777")] });
    assert.doesNotMatch(JSON.stringify(wrong.failures), /99998888777/);
    const later = await check({ imageId, accountIds: [A, PULUMI_UNKNOWN], maxRevocations: UNKNOWN_NUMBER });
    assert.deepEqual(later.inputs.grants, { [`account/${A}`]: "launch", "account/[unknown]": "launch" });
    assert.equal(later.inputs.maxRevocations, PULUMI_UNKNOWN);
  });

  it("Check: two authoritative sets of one AMI are refused", async () => {
    await check({ imageId, accountIds: [A] });
    const { failures } = await check({ imageId, accountIds: [B] }, {}, URN.replace("golden", "other"));
    assert.match(failures[0]?.reason ?? "", /set "golden" and set "other" both declare .*\[conflicting-sets\]/);
  });

  it("Create: of two authoritative sets of one AMI, the one that was checked first is refused, too", async () => {
    quiet = 100;
    await nextRun();
    stopClock();
    const { inputs } = await check({ imageId, accountIds: [A] });
    const made = create(inputs);
    await check({ imageId, accountIds: [B] }, {}, URN.replace("golden", "other"));
    assert.match((await passing(refused(made))).details, /set "other" and set "golden" both declare .*\[conflicting-sets\]/);
    assert.deepEqual([...ec2.grantees(imageId)], []);
  });

  it("Diff: one line a grantee, nothing by its position", async () => {
    const before = await made({ accountIds: [A, B], neverRevoke: [A] });
    assert.deepEqual(await diff(before.outs, before.inputs, before.inputs), { changes: false, replaces: [], detailed: {} });
    const { inputs } = await check({ imageId, accountIds: [A, C], neverRevoke: [A, C] }, before.inputs);
    assert.deepEqual(await diff(before.outs, before.inputs, inputs), {
      changes: true,
      replaces: [],
      detailed: { "neverRevoke[1]": "ADD", [`grants["account/${B}"]`]: "DELETE", [`grants["account/${C}"]`]: "ADD" },
    });
    // An engine that sends no old inputs.
    const { detailed } = await diff(before.outs, undefined, inputs);
    assert.equal(detailed[`grants["account/${C}"]`], "ADD");
  });

  it("Diff: of a secret, no path tells who has access", async () => {
    const before = await made({ accountIds: secret([A]), createVolumePermissions: secret({ accountIds: [A] }) });
    const news = { imageId, accountIds: secret([B]), createVolumePermissions: secret({ accountIds: [B], public: false }) };
    const { inputs } = await check(news, before.inputs);
    assert.deepEqual((await diff(before.outs, before.inputs, inputs)).detailed, {
      accountIds: "UPDATE",
      createVolumePermissions: "UPDATE",
      grants: "UPDATE",
    });
  });

  it("Diff: the state of the dynamic resource is this one's as it is", async () => {
    const args = { imageId, accountIds: [A, B], createVolumePermissions: true, region: "us-east-1" };
    const dynamic = new MemoryEngine(new DynamicProvider({ gateway: () => ec2, waitOptions: WAIT_OPTIONS }));
    await dynamic.up(args);
    const { inputs: oldInputs = {}, outputs: olds = {} } = dynamic.state ?? {};
    ec2.forgetCalls();
    const { inputs } = await check(args, oldInputs);
    assert.deepEqual(await diff(olds, oldInputs, inputs), { changes: false, replaces: [], detailed: {} });
    assert.deepEqual(ec2.calls, []);
    const fewer = await check({ ...args, accountIds: [A] }, oldInputs);
    assert.deepEqual(Object.keys((await diff(olds, oldInputs, fewer.inputs)).detailed), [`grants["account/${B}"]`]);
    await update(olds, fewer.inputs);
    assert.deepEqual([...ec2.grantees(imageId)], [`account/${A}`]);
  });

  it("Diff: another AMI or region replaces", async () => {
    const before = await made({ accountIds: [A] });
    const other = ec2.addImage(1).imageId;
    const { inputs } = await check({ imageId: other, accountIds: [A] }, before.inputs);
    assert.deepEqual(await diff(before.outs, before.inputs, inputs), {
      changes: true,
      replaces: ["imageId"],
      detailed: { imageId: "UPDATE_REPLACE" },
    });
  });

  it("Create in a preview: the report stands beside the resource, nothing is changed, outputs are known where they can be", async () => {
    const { inputs } = await check({ imageId, accountIds: [A] });
    const { id, outs } = await create(inputs, true);
    assert.equal(id, "");
    assert.equal(outs.ownerId, OWNER);
    assert.equal(outs.grants, PULUMI_UNKNOWN);
    assert.equal(shown.length, 1);
    assert.equal(shown[0]?.urn, URN);
    assert.match(shown[0]?.text ?? "", new RegExp(`AMI ${imageId} in us-east-1: 1 gains`));
    assert.deepEqual([...ec2.grantees(imageId)], []);
  });

  it("Create in a preview: what will fail fails it, without the secret", async () => {
    const { inputs } = await check({ imageId: ec2.addImage(1, B).imageId, accountIds: secret([A, B]) });
    const { details } = await refused(create(inputs, true));
    assert.match(details, /will fail: .*\[not-owner\]/);
    assert.doesNotMatch(details, new RegExp(`${A}|${B}`));
  });

  it("Create in a preview: an AMI that is not known yet is said to be so", async () => {
    const { inputs } = await check({ imageId: PULUMI_UNKNOWN, accountIds: [A] });
    const { outs } = await create(inputs, true);
    assert.match(shown[0]?.text ?? "", /the AMI is not known yet/);
    assert.deepEqual([outs.imageId, outs.ownerId, outs.snapshotIds], [PULUMI_UNKNOWN, PULUMI_UNKNOWN, PULUMI_UNKNOWN]);
  });

  it("Create in a preview: a replacement tells of the AMI that the set leaves", async () => {
    const before = await made({ accountIds: [A] });
    const other = ec2.addImage(1).imageId;
    const { inputs } = await check({ imageId: other, accountIds: [A] }, before.inputs);
    await diff(before.outs, before.inputs, inputs);
    shown = [];
    await create((await check({ imageId: other, accountIds: [A] })).inputs, true);
    assert.match(shown[0]?.text ?? "", new RegExp(`AMI ${other}[^]*then AMI ${imageId}, whose set is replaced,[^]*${A}`));
  });

  it("Create: shares, and says what was done", async () => {
    const { id, outs } = await made({ accountIds: [A], createVolumePermissions: true });
    assert.equal(id, imageId);
    assert.deepEqual(outs.grants, { [`account/${A}`]: "launch, createVolume" });
    assert.deepEqual([...ec2.grantees(imageId)], [`account/${A}`]);
    assert.match(shown.at(-1)?.text ?? "", /1 gained/);
    assert.equal(shown.at(-1)?.urn, URN);
  });

  it("Create: secrets are in no output in clear, nor in the report", async () => {
    const { outs } = await made({ accountIds: secret([A]) });
    assert.deepEqual(outs.grants, secret({ [`account/${A}`]: "launch" }));
    assert.doesNotMatch(JSON.stringify(shown), new RegExp(A));
  });

  for (const order of ["before", "after"])
    it(`Create: what another set of the AMI, told ${order} it, keeps secret is secret in this one, too`, async () => {
      const other = () =>
        check({ imageId, accountIds: secret([B]), mode: "additive", createVolumePermissions: true }, {}, `${URN}-other`);
      const hidden = order === "before" ? await other() : undefined;
      const { inputs } = await check({ imageId, accountIds: [A], mode: "additive" });
      await create((hidden ?? (await other())).inputs, false, `${URN}-other`);
      await create(inputs, true);
      const { outs } = await create(inputs);
      assert.doesNotMatch(JSON.stringify(shown), new RegExp(`${A}|${B}`));
      assert.ok(SIGNATURE in (outs.grants as Props));
    });

  it("Create: what was made in part is told with its outputs, and why", async () => {
    ec2.fail({
      nth: 2,
      matching: ({ action }) => action.startsWith("Modify"),
      error: new AmiSharingError("throttled", "too many calls"),
    });
    const { inputs } = await check({ imageId, accountIds: [A], createVolumePermissions: true });
    const { metadata } = await refused(create(inputs));
    const [bytes] = metadata.get("grpc-status-details-bin");
    const [any] = Status.deserializeBinary(bytes as Buffer).getDetailsList();
    assert.equal(any?.getTypeName(), "pulumirpc.ErrorResourceInitFailed");
    const failed = messages.ErrorResourceInitFailed.deserializeBinary(any?.getValue_asU8() ?? new Uint8Array());
    assert.equal(failed.getId(), imageId);
    assert.match(failed.getReasonsList().join(), /too many calls/);
    assert.equal((failed.getProperties()?.toJavaScript() as Props).imageId, imageId);
  });

  it("Update: in a preview the report alone; then the change, and what was done", async () => {
    const before = await made({ accountIds: [A, B] });
    const { inputs } = await check({ imageId, accountIds: [A, C] }, before.inputs);
    shown = [];
    const foreseen = await update(before.outs, inputs, true);
    assert.equal(foreseen.ownerId, OWNER);
    assert.match(shown[0]?.text ?? "", /1 gains, 1 loses, 1 keeps access/);
    assert.deepEqual([...ec2.grantees(imageId)].sort(), [`account/${A}`, `account/${B}`]);
    const outs = await update(before.outs, inputs);
    assert.deepEqual(Object.keys(outs.grants as Props), [`account/${A}`, `account/${C}`]);
    assert.match(shown[1]?.text ?? "", /1 gained, 1 lost, 1 kept access/);
    assert.deepEqual([...ec2.grantees(imageId)].sort(), [`account/${A}`, `account/${C}`]);
  });

  it("Update: waits for sets that are told a moment later, and takes nothing from whom they declare", async () => {
    const additive = (accountIds: readonly string[]) => ({ imageId, accountIds, mode: "additive" });
    const before = await made(additive([A, B]));
    quiet = 100;
    await nextRun();
    const lost: string[] = [];
    ec2.onChange = (_, __, removed) => lost.push(...removed);
    const { inputs } = await check(additive([A]), before.inputs);
    await diff(before.outs, before.inputs, inputs);
    stopClock();
    const updated = update(before.outs, inputs);
    for (let turns = 0; turns < 100; turns++) await turn();
    mock.timers.tick(3 * quiet);
    const heirs = await check(additive([B]), {}, `${URN}-heir`);
    const created = create(heirs.inputs, false, `${URN}-heir`);
    const [outs, heir] = await passing(Promise.all([updated, created]));
    mock.timers.reset();
    assert.deepEqual([...ec2.grantees(imageId)].sort(), [`account/${A}`, `account/${B}`]);
    assert.deepEqual(lost, []);
    // Both own what they declare.
    await nextRun();
    await remove(outs);
    await remove(heir.outs, `${URN}-heir`);
    assert.deepEqual([...ec2.grantees(imageId)], []);
  });

  it("Update: a set that an alias renames after a refresh loses whom it drops", async () => {
    const additive = (accountIds: readonly string[]) => ({ imageId, accountIds, mode: "additive" });
    const before = await made(additive([A, B]), `${URN}-before`);
    const other = await made(additive([C]), `${URN}-other`);
    await nextRun();
    // A refresh knows the set by its old name, and the other set of the AMI is told of first.
    await read(imageId, before.outs, before.inputs, `${URN}-before`);
    const found = await read(imageId, other.outs, other.inputs, `${URN}-other`);
    await check(additive([C]), found.inputs, `${URN}-other`);
    const { inputs } = await check(additive([A]), before.inputs);
    await diff(before.outs, before.inputs, inputs);
    await update(before.outs, inputs);
    assert.deepEqual([...ec2.grantees(imageId)].sort(), [`account/${A}`, `account/${C}`]);
  });

  it("Update: an account that another set keeps stays, also if the engine tells of that set later; then nothing is changed", async () => {
    const additive = (accountIds: readonly string[]) => ({ imageId, accountIds, mode: "additive" });
    const one = await made(additive([A, B]));
    const two = await made(additive([A]), `${URN}-two`);
    await nextRun();
    const { inputs } = await check(additive([B]), one.inputs);
    const same = await check(additive([A]), two.inputs, `${URN}-two`);
    await diff(two.outs, two.inputs, same.inputs, `${URN}-two`);
    await diff(one.outs, one.inputs, inputs);
    const outs = await update(one.outs, inputs);
    await nextRun();
    const { inputs: again } = await check(additive([B]), inputs);
    // The set still owns the grant. Its record names the other set, so that the next plan is empty.
    assert.deepEqual(await diff(outs, inputs, again), { changes: false, replaces: [], detailed: {} });
    await check(additive([A]), same.inputs, `${URN}-two`);
    ec2.forgetCalls();
    await update(outs, again);
    assert.deepEqual(ec2.modifications(), []);
    assert.deepEqual([...ec2.grantees(imageId)].sort(), [`account/${A}`, `account/${B}`]);
  });

  it("Update: other timeouts make no call and no report", async () => {
    const before = await made({ accountIds: [A] });
    const { inputs } = await check({ imageId, accountIds: [A], timeouts: { update: "5m" } }, before.inputs);
    ec2.forgetCalls();
    shown = [];
    await update(before.outs, inputs, true);
    assert.deepEqual((await update(before.outs, inputs)).timeouts, { update: "5m" });
    assert.deepEqual([ec2.calls, shown], [[], []]);
  });

  /** How long an operation waited for an EC2 that never shows the change; the AMI is another one afterwards. */
  async function waited(change: () => Promise<unknown>): Promise<string | undefined> {
    ec2.staleReads = 1e6;
    const { details } = await refused(change());
    ec2.staleReads = 0;
    imageId = ec2.addImage(1).imageId;
    await nextRun();
    return /after (\d+ms)/.exec(details)?.[1];
  }

  it("Create: waits as long as customTimeouts says, as the argument says where it does, and records no timeouts but the argument", async () => {
    const inputs = async (args: Props = {}) => (await check({ imageId, accountIds: [A], ...args })).inputs;
    const timeouts = { create: "300ms" };
    const none = await inputs();
    assert.equal(await waited(() => create(none)), "50ms");
    const other = await inputs();
    assert.equal(await waited(() => create(other, false, URN, 0.2)), "200ms");
    const named = await inputs({ timeouts });
    assert.equal(await waited(() => create(named, false, URN, 0.2)), "300ms");
    const last = await inputs();
    const { outs } = await create(last, false, URN, 0.2);
    assert.equal(outs.timeouts, undefined);
    assert.equal((await diff(outs, last, last)).changes, false);
    assert.deepEqual((await create(await inputs({ timeouts }), false, URN, 0.2)).outs.timeouts, timeouts);
  });

  it("Create in a preview: says how long the change waits for a pending AMI by customTimeouts, and by the argument first", async () => {
    const pending = ec2.images.get(imageId);
    assert.ok(pending);
    pending.state = "pending";
    const { inputs } = await check({ imageId, accountIds: [A] });
    await create(inputs, true, URN, 90);
    assert.match(shown.at(-1)?.text ?? "", /the change waits for it, 1m30s at most/);
    await create((await check({ imageId, accountIds: [A], timeouts: { create: "2m" } })).inputs, true, URN, 90);
    assert.match(shown.at(-1)?.text ?? "", /the change waits for it, 2m at most/);
  });

  for (const [operation, change] of [
    [
      "Update",
      async (args: Props, { outs, inputs }: { outs: Props; inputs: Props }) =>
        update(outs, (await check({ imageId, ...args, accountIds: [B] }, inputs)).inputs, false, 0.2),
    ],
    ["Delete", async (_: Props, { outs }: { outs: Props }) => remove(outs, URN, 0.2)],
  ] as const)
    it(`${operation}: waits as long as customTimeouts says, as the argument says where it does`, async () => {
      for (const [timeouts, most] of [
        [undefined, "200ms"],
        [{ create: "1h" }, "200ms"],
        [{ [operation.toLowerCase()]: "300ms" }, "300ms"],
      ] as const) {
        const args = { accountIds: [A], ...(timeouts ? { timeouts } : {}) };
        const before = await made(args);
        await nextRun();
        assert.equal(await waited(() => change(args, before)), most);
      }
    });

  it("Update: other timeouts of a secret set show no secret, in a preview neither", async () => {
    const before = await made({ accountIds: secret([A]) });
    const { inputs } = await check({ imageId, accountIds: secret([A]), timeouts: { update: "5m" } }, before.inputs);
    for (const preview of [true, false])
      assert.deepEqual((await update(before.outs, inputs, preview)).grants, secret({ [`account/${A}`]: "launch" }));
  });

  it("Read: drift shows in inputs and outputs; an AMI that is gone has no id", async () => {
    const { inputs, outs } = await made({ accountIds: [A] });
    ec2.grantees(imageId).add(`account/${C}`);
    const found = await read(imageId, outs, inputs);
    assert.deepEqual(found.props.grants, { [`account/${A}`]: "launch", [`account/${C}`]: "launch" });
    assert.deepEqual(found.inputs.grants, found.props.grants);
    const { detailed } = await diff(found.props, found.inputs, (await check({ imageId, accountIds: [A] }, found.inputs)).inputs);
    assert.deepEqual(detailed, { [`grants["account/${C}"]`]: "DELETE" });
    ec2.images.delete(imageId);
    assert.equal((await read(imageId, outs, inputs)).id, "");
  });

  for (const prefix of ["", "eu-west-1/"])
    it(`Read: an import by ${prefix}ami-… changes nothing, whatever the AMI is shared with`, async () => {
      const before = await made({ accountIds: [A, B], createVolumePermissions: true });
      await nextRun();
      const found = await read(`${prefix}${imageId}`);
      assert.equal(connections.at(-1)?.region, prefix === "" ? undefined : "eu-west-1");
      assert.equal(found.id, imageId);
      assert.deepEqual(found.props.grants, before.outs.grants);
      const { grants: _, ...args } = found.inputs;
      const { inputs, failures } = await check(args, found.inputs);
      assert.deepEqual(failures, []);
      assert.deepEqual(await diff(found.props, found.inputs, inputs), { changes: false, replaces: [], detailed: {} });
      await nextRun();
      await remove(found.props);
      assert.deepEqual([...ec2.grantees(imageId)], []);
    });

  const ORGANIZATION = "arn:aws:organizations::123456789012:organization/o-abcdefghij";
  const UNIT = "arn:aws:organizations::123456789012:ou/o-abcdefghij/ou-abcd-12345678";
  const LAUNCHERS: readonly (readonly GranteeKey[])[] = [
    [],
    [`account/${A}`],
    [`account/${A}`, ORGANIZATION, UNIT],
    ["public", `account/${B}`],
    [`account/${A}`, `account/${B}`, userKey("aws-marketplace")],
  ];
  const VOLUME_CREATORS: readonly (readonly (readonly GranteeKey[])[])[] = [
    [[], []],
    [[`account/${A}`], [`account/${A}`]],
    [[`account/${A}`, `account/${C}`], []],
    [["public"], ["public", `account/${C}`]],
  ];
  for (const [i, launchers] of LAUNCHERS.entries())
    for (const [j, creators] of VOLUME_CREATORS.entries())
      it(`Read: an import of an AMI that is shared in way ${i * VOLUME_CREATORS.length + j + 1} of 20 plans no change`, async () => {
        for (const key of launchers) ec2.grantees(imageId).add(key);
        for (const [s, id] of (ec2.images.get(imageId)?.snapshotIds ?? []).entries())
          for (const key of creators[s] ?? []) ec2.grantees(id).add(key);
        const found = await read(imageId);
        await nextRun();
        const { grants: _, ...args } = found.inputs;
        const { inputs, failures } = await check(args, found.inputs);
        assert.deepEqual(failures, []);
        assert.deepEqual(await diff(found.props, found.inputs, inputs), { changes: false, replaces: [], detailed: {} });
        // A refresh finds what was imported.
        const again = await read(imageId, found.props, found.inputs);
        assert.deepEqual([again.props.grants, again.inputs], [found.props.grants, found.inputs]);
      });

  it("Read: an import of no AMI says what an id is; of one that is not there, has no id", async () => {
    assert.match((await refused(read("golden"))).details, /"golden" is not the id of an AMI.*us-east-1\/ami-/);
    assert.equal((await read("ami-0123456789abcdef0")).id, "");
  });

  it("Read: a program that looks up a set gets what EC2 has", async () => {
    ec2.grantees(imageId).add(`account/${C}`);
    const { props } = await read(imageId, { imageId, region: "us-east-1" });
    assert.deepEqual(props.grants, { [`account/${C}`]: "launch" });
  });

  it("Delete: what the set granted goes, and is said beside the resource", async () => {
    const { outs } = await made({ accountIds: [A] });
    await nextRun();
    await remove(outs);
    assert.deepEqual([...ec2.grantees(imageId)], []);
    assert.match(shown[0]?.text ?? "", new RegExp(A));
    assert.equal(shown[0]?.urn, URN);
  });

  it("Delete: what another set of the run declares stays, and that one revokes it in the end", async () => {
    const { outs: old } = await made({ accountIds: [A, B] }, `${URN}-old`);
    await nextRun();
    const { outs } = await made({ accountIds: [A] });
    await remove(old, `${URN}-old`);
    assert.deepEqual([...ec2.grantees(imageId)], [`account/${A}`]);
    await nextRun();
    await remove(outs);
    assert.deepEqual([...ec2.grantees(imageId)], []);
  });

  it("Delete: what an additive set wants and does not own is kept until a refresh tells of the one that leaves", async () => {
    const additive = { accountIds: [A], mode: "additive" };
    const old = await made(additive, `${URN}-old`);
    await nextRun();
    const heir = await made(additive);
    const { details } = await refused(remove(old.outs, `${URN}-old`));
    assert.match(details, /set "golden" declares what this set granted on AMI .*pulumi up --refresh.*\[hand-over-incomplete\]/);
    assert.deepEqual([...ec2.grantees(imageId)], [`account/${A}`]);
    await nextRun();
    await read(imageId, old.outs, old.inputs, `${URN}-old`);
    const { inputs } = await check({ imageId, ...additive }, heir.inputs);
    assert.equal((await diff(heir.outs, heir.inputs, inputs)).changes, true);
    const outs = await update(heir.outs, inputs);
    await remove(old.outs, `${URN}-old`);
    assert.deepEqual([...ec2.grantees(imageId)], [`account/${A}`]);
    await nextRun();
    await remove(outs);
    assert.deepEqual([...ec2.grantees(imageId)], []);
  });

  for (const drifts of [false, true])
    it(`Delete: after a refresh ${drifts ? "with" : "without"} drift, what the set granted and no other one declares goes`, async () => {
      const args = (accountIds: readonly string[]) => ({ accountIds, mode: "additive", createVolumePermissions: true });
      const gone = await made(args([A, B]), `${URN}-gone`);
      const stays = await made(args([A]));
      await nextRun();
      if (drifts) ec2.grantees(imageId).delete(`account/${A}`);
      // The engine asks for the difference of what it refreshes before the program tells of any set.
      const refreshed = await read(imageId, gone.outs, gone.inputs, `${URN}-gone`);
      const own = await read(imageId, stays.outs, stays.inputs);
      await diff(refreshed.props, refreshed.inputs, gone.inputs, `${URN}-gone`);
      await diff(own.props, own.inputs, stays.inputs);
      const { inputs } = await check({ imageId, ...args([A]) }, own.inputs);
      if ((await diff(own.props, own.inputs, inputs)).changes) await update(own.props, inputs);
      await remove(refreshed.props, `${URN}-gone`);
      assert.deepEqual([...ec2.grantees(imageId)], [`account/${A}`]);
    });

  it("Invoke: who an AMI is shared with, which AMIs there are, what is wrong with the arguments, no other function", async () => {
    await made({ accountIds: [A] });
    const { result } = await invoke(GET_PERMISSIONS, { imageId });
    assert.deepEqual([result?.accountIds, result?.ownerId, result?.public], [[A], OWNER, false]);
    const { result: own } = await invoke(GET_SHARED_AMIS, { owner: "self" });
    assert.deepEqual(
      (own?.amis as Props[]).map((ami) => [ami.imageId, ami.grants]),
      [[imageId, { [`account/${A}`]: "launch" }]],
    );
    assert.deepEqual((await invoke(GET_SHARED_AMIS, { owner: "others" })).result, { amis: [] });
    assert.match((await invoke(GET_SHARED_AMIS, { owner: "all" })).failures.join(), /^owner: .*"all" is neither/);
    assert.match((await invoke(GET_PERMISSIONS, { imageId: "golden" })).failures.join(), /^imageId: /);
    assert.match((await invoke(GET_PERMISSIONS, { imageId, colour: 1 })).failures.join(), /^colour: .*there is no such argument/);
    for (const [token, args] of [
      [GET_PERMISSIONS, { imageId }],
      [GET_SHARED_AMIS, { owner: "self" }],
    ] as const) {
      const { failures } = await invoke(token, { ...args, endpoint: secret("no-url-at-all") });
      assert.match(failures.join(), /^: endpoint: "\[secret\]" is not a URL/);
    }
    assert.match((await refused(invoke(GET_PERMISSIONS, { imageId: "ami-0123456789abcdef0" }))).details, /\[image-not-found\]/);
    assert.equal((await refused(invoke("ami-launch-permissions:index:other", {}))).code, grpc.status.NOT_FOUND);
  });

  it("Cancel: nothing more is to be changed", async () => {
    await ask(client.cancel, new Empty());
    assert.equal(cancelled, 1);
  });

  it("Parameterize: refused with words", async () => {
    const { code, details } = await refused(ask(client.parameterize, new messages.ParameterizeRequest()));
    assert.equal(code, grpc.status.UNIMPLEMENTED);
    assert.match(details, /takes no parameters: leave them out/);
  });

  it("Construct: a component of another type is not there; its own are tested in pulumiPluginConstruct", async () => {
    const request = new messages.ConstructRequest();
    request.setType("ami-launch-permissions:index:Other");
    const { code, details } = await refused(ask(client.construct, request));
    assert.equal(code, grpc.status.NOT_FOUND);
    assert.match(details, /has no component ami-launch-permissions:index:Other/);
  });

  it("Call, GetMapping, GetMappings, List: unimplemented, as the protocol has it", async () => {
    const faults = [
      await refused(ask(client.call, new messages.CallRequest())),
      await refused(ask(client.getMapping, new messages.GetMappingRequest())),
      await refused(ask(client.getMappings, new messages.GetMappingsRequest())),
      await new Promise<Fault>((resolve) =>
        client.list(new messages.ListRequest()).on("error", (error) => resolve(error as Fault)),
      ),
    ];
    assert.deepEqual([...new Set(faults.map(({ code }) => code))], [grpc.status.UNIMPLEMENTED]);
  });

  it("has every RPC of the protocol in the list of conformance, and a test for each", () => {
    const rpcs = Object.values(ResourceProviderService).map(({ path }) => path.split("/").at(-1) as string);
    assert.deepEqual(Object.keys(CONFORMANCE).sort(), rpcs.sort());
    const tested = readTitles();
    assert.deepEqual(
      rpcs.filter((name) => !tested.has(name)),
      [],
    );
  });

  function readTitles(): Set<string> {
    const titles: string[] = [];
    const collect = (suite: Mocha.Suite) => {
      titles.push(...suite.tests.map(({ title }) => title));
      suite.suites.forEach(collect);
    };
    collect(suiteOf());
    return new Set(titles.flatMap((title) => title.split(/:| in a /)[0]?.split(", ") ?? []));
  }
  let suiteOf: () => Mocha.Suite = () => {
    throw new Error("not yet");
  };
  before(function () {
    const suite = this.test?.parent as Mocha.Suite;
    suiteOf = () => suite;
  });

  it("refuses resources that it does not have", async () => {
    const { code, details } = await refused(check({ imageId }, {}, URN.replace("LaunchPermissionSet", "Other")));
    assert.equal(code, grpc.status.NOT_FOUND);
    assert.match(details, /has no resource ami-launch-permissions:index:Other/);
  });
});
