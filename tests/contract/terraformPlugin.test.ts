/** The built provider as a process: go-plugin's handshake and services, TLS, every RPC, and how the process ends. */

import * as assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { credentials } from "@grpc/grpc-js";
import { PROVIDER_FILE } from "ami-launch-permissions/terraform";
import { pluginEnvironment } from "../../provider/terraform/plugin";
import { CONTROLLER_SERVICE, HEALTH_SERVICE, PROVIDER_SERVICE } from "../../provider/terraform/services";
import { COOKIE, type Plugin, PluginClient, startPlugin } from "../helpers/pluginClient";

describe("the Terraform plugin", () => {
  let plugin: Plugin | undefined;
  let client: PluginClient | undefined;
  afterEach(() => {
    client?.close();
    plugin?.stop();
    [plugin, client] = [undefined, undefined];
  });

  async function connected(env: Record<string, string> = {}, nodeArgs: readonly string[] = []): Promise<PluginClient> {
    plugin = await startPlugin(env, nodeArgs);
    client = new PluginClient(plugin, await plugin.as("client"));
    return client;
  }

  const health = async (of: PluginClient) => (await of.ask(HEALTH_SERVICE, "Check", { service: "plugin" })).status;

  it("started by hand says what it is, and exits with an error", async () => {
    const ran = await new Promise<{ code: unknown; text: string }>((resolve) => {
      execFile(PROVIDER_FILE, (error, stdout, stderr) => resolve({ code: error?.code, text: stdout + stderr }));
    });
    assert.equal(ran.code, 1);
    assert.match(ran.text, /This is a Terraform provider, registry\.terraform\.io\/ami-launch-permissions\/ami/);
    assert.match(ran.text, /--debug/);
  });

  it("refuses a client that speaks another protocol version, with a clear error", async () => {
    assert.throws(
      () => pluginEnvironment({ ...COOKIE, PLUGIN_PROTOCOL_VERSIONS: "4,5" }),
      /^Error: the client speaks plugin protocol 4, 5, this provider speaks 6$/,
    );
    const env = { ...process.env, ...COOKIE, PLUGIN_PROTOCOL_VERSIONS: "5" };
    const ran = await new Promise<{ code: unknown; text: string; out: string }>((resolve) => {
      execFile(PROVIDER_FILE, { env }, (error, out, text) => resolve({ code: error?.code, text, out }));
    });
    assert.deepEqual([ran.code, ran.out], [1, ""]);
    assert.equal(ran.text, "the client speaks plugin protocol 5, this provider speaks 6\n");
  });

  it("shakes hands in one line, with an unpadded certificate for localhost", async () => {
    await connected();
    const [core, protocol, network, , kind, certificate = ""] = plugin?.handshake ?? [];
    assert.deepEqual([core, protocol, network, kind], ["1", "6", "unix", "grpc"]);
    assert.match(certificate, /^[A-Za-z0-9+/]+$/);
    const made = new X509Certificate(Buffer.from(certificate, "base64"));
    assert.ok(made.ca);
    assert.equal(made.subjectAltName, "DNS:localhost");
    assert.deepEqual(made.keyUsage?.sort(), ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
    assert.equal(made.publicKey.asymmetricKeyDetails?.namedCurve, "prime256v1");
    assert.ok(new Date(made.validTo).getTime() - Date.now() > 24 * 3_600_000);
  });

  it("accepts its own client only: no client with another certificate or without one", async () => {
    assert.equal(await health(await connected()), "SERVING");
    for (const who of ["stranger", "nobody"] as const) {
      const other = new PluginClient(plugin as Plugin, await (plugin as Plugin).as(who));
      await assert.rejects(health(other), /UNAVAILABLE/);
      other.close();
    }
    const plain = new PluginClient(plugin as Plugin, credentials.createInsecure());
    await assert.rejects(health(plain));
    plain.close();
    assert.equal(await health(client as PluginClient), "SERVING");
  });

  it("puts its socket in a folder for its user only, below PLUGIN_UNIX_SOCKET_DIR, and removes it at the end", async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "sockets-"));
    await connected({ PLUGIN_UNIX_SOCKET_DIR: folder });
    const socket = plugin?.handshake[3] ?? "";
    assert.equal(path.dirname(path.dirname(socket)), folder);
    assert.equal(fs.statSync(path.dirname(socket)).mode & 0o777, 0o700);
    const ended = once((plugin as Plugin).child, "exit");
    assert.deepEqual(await client?.ask(CONTROLLER_SERVICE, "Shutdown"), {});
    assert.deepEqual(await ended, [0, null]);
    assert.deepEqual(fs.readdirSync(folder), []);
    fs.rmSync(folder, { recursive: true });
  });

  it("works without TLS if TF_DISABLE_PLUGIN_TLS is set", async () => {
    plugin = await startPlugin({ TF_DISABLE_PLUGIN_TLS: "1" });
    assert.equal(plugin.handshake[5], "");
    client = new PluginClient(plugin, credentials.createInsecure());
    assert.equal(await health(client), "SERVING");
  });

  it("listens on a free loopback port of the client's range on Windows", async () => {
    const asWindows = ["--require", path.join(__dirname, "../helpers/asWindows.cjs")];
    const range = { PLUGIN_MIN_PORT: "23411", PLUGIN_MAX_PORT: "23499" };
    const first = await startPlugin(range, asWindows);
    try {
      assert.equal(await health(await connected(range, asWindows)), "SERVING");
      const ports = [first, plugin].map((one) => {
        const [host, port] = (one?.handshake[3] ?? "").split(":");
        assert.deepEqual([one?.handshake[2], host], ["tcp", "127.0.0.1"]);
        return Number(port);
      });
      assert.ok(ports.every((port) => port >= 23411 && port <= 23499) && ports[0] !== ports[1], String(ports));
    } finally {
      first.stop();
    }
  });

  it("reports its health: serving, and unknown for other service names", async () => {
    await connected();
    assert.deepEqual(await client?.ask(HEALTH_SERVICE, "Check", { service: "other" }), { status: "SERVICE_UNKNOWN" });
    assert.deepEqual(await client?.ask(HEALTH_SERVICE, "Watch", { service: "plugin" }), { status: "SERVING" });
    assert.deepEqual(await client?.ask(HEALTH_SERVICE, "List"), { statuses: { plugin: { status: "SERVING" } } });
  });

  it("ignores Ctrl-C, and writes its log as JSON lines with a level", async () => {
    await connected();
    plugin?.child.kill("SIGINT");
    assert.equal(await health(client as PluginClient), "SERVING");
    for (const line of plugin?.log ?? []) {
      assert.match(JSON.parse(line)["@level"], /^(trace|debug|info)$/);
      // go-plugin's client parses times with microseconds only. It shows any other line as text without a level.
      assert.match(JSON.parse(line)["@timestamp"], /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    }
    assert.ok(plugin?.log.some((line) => JSON.parse(line)["@message"].startsWith("ignored SIGINT")));
  });

  it("ends on SIGTERM, and by itself when its parent process is gone", async () => {
    await connected();
    const ended = once((plugin as Plugin).child, "exit");
    plugin?.child.kill("SIGTERM");
    assert.deepEqual(await ended, [0, null]);

    const script = `const { spawn } = require("node:child_process");
      const child = spawn(process.execPath, [${JSON.stringify(PROVIDER_FILE)}], { stdio: ["ignore", "pipe", "ignore"] });
      child.stdout.once("data", () => console.log(child.pid));
      setInterval(() => undefined, 1000);`;
    const parent = execFile(process.execPath, ["-e", script], { env: { ...process.env, ...COOKIE } });
    const [pid] = (await once(parent.stdout as NodeJS.ReadableStream, "data")) as [string];
    parent.kill("SIGKILL");
    const isAlive = () => fs.existsSync(`/proc/${Number(pid)}`) || isRunning(Number(pid));
    for (let waited = 0; isAlive() && waited < 10_000; waited += 100) await new Promise((done) => setTimeout(done, 100));
    assert.equal(isAlive(), false);
  });

  it("also ends by itself if its parent is gone before it starts", async () => {
    plugin = await startPlugin({ AMI_PROVIDER_PARENT: "1" });
    const [code] = await once(plugin.child, "exit");
    assert.equal(code, 0);
  });

  it("returns the same names in its metadata and its schemas, and streams lists", async () => {
    const of = await connected();
    const metadata = await of.ask(PROVIDER_SERVICE, "GetMetadata");
    const schema = await of.ask(PROVIDER_SERVICE, "GetProviderSchema");
    const names = (list: unknown) => (list as Record<string, string>[]).map((one) => one.type_name ?? one.name);
    for (const [told, defined] of [
      ["resources", "resource_schemas"],
      ["data_sources", "data_source_schemas"],
      ["functions", "functions"],
      ["list_resources", "list_resource_schemas"],
    ] as const)
      assert.deepEqual(names(metadata[told]), Object.keys(schema[defined] as object), told);
    const { identity_schemas } = await of.ask(PROVIDER_SERVICE, "GetResourceIdentitySchemas");
    assert.deepEqual(Object.keys(identity_schemas as object), names(metadata.resources));
    const { functions } = await of.ask(PROVIDER_SERVICE, "GetFunctions");
    assert.deepEqual(functions, schema.functions);
    assert.deepEqual(metadata.server_capabilities, schema.server_capabilities);
    const { error } = await of.ask(PROVIDER_SERVICE, "CallFunction", {
      name: "kms_key_policy_statements",
      arguments: [{ json: Buffer.from('["1"]') }, { json: Buffer.from("null") }, { json: Buffer.from("null") }],
    });
    // The first argument has the index 0, which must differ from no index.
    assert.equal((error as Record<string, unknown>).function_argument, 0);
    const [{ severity } = {}] = (await of.ask(PROVIDER_SERVICE, "ListResource", { type_name: "ami_other" })).diagnostic as {
      severity?: string;
    }[];
    assert.equal(severity, "ERROR");
  });

  it("answers every RPC of the protocol, or returns a diagnostic that says what it does not support", async () => {
    await connected();
    const answers: Record<string, "answer" | "diagnostic"> = {};
    for (const name of Object.keys(PROVIDER_SERVICE)) {
      const answer = await (client as PluginClient).ask(PROVIDER_SERVICE, name, {});
      const text = JSON.stringify(answer);
      answers[name] = /"severity":"ERROR"|"error":\{"text"/.test(text) ? "diagnostic" : "answer";
      assert.doesNotMatch(text, /please report|\n +at /, name);
    }
    const named = (kind: string) => Object.keys(answers).filter((name) => answers[name] === kind);
    assert.deepEqual(named("answer").sort(), [
      "ConfigureProvider",
      "GetFunctions",
      "GetMetadata",
      "GetProviderSchema",
      "GetResourceIdentitySchemas",
      "StopProvider",
      "ValidateProviderConfig",
    ]);
    // The RPCs of the resource, its list, the data sources and the function were called without a type name.
    const unsupported = named("diagnostic").filter(
      (name) =>
        !/^(Validate(Resource|Data|List)|Upgrade|Read(Res|Data)|Plan.*Change|Apply|Import|Generate|Move|List|Call)/.test(name),
    );
    for (const name of unsupported)
      assert.match(JSON.stringify(await client?.ask(PROVIDER_SERVICE, name)), new RegExp(`${name} is not supported`));
    assert.equal(unsupported.length, 15);
  });
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
