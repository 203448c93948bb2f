/** The process of the dynamic provider host: it detects that the engine is gone, and that the engine cancels. Other processes detect nothing. */

import * as assert from "node:assert/strict";
import { createServer, type Server as NetServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, credentials, Server, ServerCredentials } from "@grpc/grpc-js";
import { onEngineGone, stopSignal } from "../../provider/pulumi/process";
import { engineAddress, onCancel } from "../../provider/pulumi/sdkInternals";

const EVERY = 20;

async function listening(): Promise<{ server: NetServer; address: { host: string; port: number } }> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  return { server, address: { host: "127.0.0.1", port } };
}

describe("the host's process", () => {
  it("is neither the test's process nor a program's: these have no stop signal", () => assert.equal(stopSignal(), undefined));

  for (const [name, args, address] of [
    ["the only argument", ["127.0.0.1:4000"], { host: "127.0.0.1", port: 4000 }],
    ["behind the flags of a verbose engine", ["--logtostderr", "-v=9", "[::1]:4000"], { host: "::1", port: 4000 }],
    ["another host, which may be down for a while", ["10.0.0.1:4000"], undefined],
    ["absent", [], undefined],
  ] as const)
    it(`finds the engine's address: ${name}`, () => {
      assert.deepEqual(engineAddress(["node", "index.js", ...args]), address);
    });

  it("detects once that the engine is gone, and not before it is", async () => {
    const { server, address } = await listening();
    let gone = 0;
    onEngineGone(address, () => gone++, EVERY);
    await sleep(10 * EVERY);
    assert.equal(gone, 0);
    await new Promise((done) => server.close(done));
    await sleep(10 * EVERY);
    assert.equal(gone, 1);
  });

  it("is not misled by one refused connection, as from a busy engine on Windows", async () => {
    const { server, address } = await listening();
    await new Promise((done) => server.close(done));
    let gone = 0;
    onEngineGone(address, () => gone++, 10 * EVERY);
    // After the first check, and before the second one.
    await sleep(15 * EVERY);
    const again = createServer();
    await new Promise<void>((done) => again.listen(address.port, address.host, done));
    await sleep(20 * EVERY);
    assert.equal(gone, 0);
    await new Promise((done) => again.close(done));
    await sleep(35 * EVERY);
    assert.equal(gone, 1);
  });

  it("receives the engine's Cancel beside the SDK's host, and no other request", async () => {
    const bytes = { serialize: (value: Buffer) => value, deserialize: (value: Buffer) => value };
    const method = (name: string) => ({
      path: `/pulumirpc.ResourceProvider/${name}`,
      requestStream: false,
      responseStream: false,
      requestSerialize: bytes.serialize,
      requestDeserialize: bytes.deserialize,
      responseSerialize: bytes.serialize,
      responseDeserialize: bytes.deserialize,
    });
    const server = new Server();
    const answer = (_call: unknown, done: (error: null, value: Buffer) => void) => done(null, Buffer.alloc(0));
    server.addService({ cancel: method("Cancel"), diff: method("Diff") }, { cancel: answer, diff: answer });
    const port = await new Promise<number>((done, fail) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => (error ? fail(error) : done(bound)));
    });
    let cancelled = 0;
    onCancel(() => cancelled++);
    const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
    const ask = (name: string) =>
      new Promise<void>((done, fail) => {
        const { path } = method(name);
        const asked = Buffer.alloc(0);
        client.makeUnaryRequest(path, bytes.serialize, bytes.deserialize, asked, (error) => (error ? fail(error) : done()));
      });
    await ask("Diff");
    assert.equal(cancelled, 0);
    await ask("Cancel");
    assert.equal(cancelled, 1);
    client.close();
    server.forceShutdown();
  });
});
