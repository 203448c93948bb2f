/** The guard that refuses connections of tests, except to loopback. */

import * as assert from "node:assert/strict";
import * as http from "node:http";
import { refused } from "../helpers/offlineGuard.cjs";

describe("the offline guard", () => {
  for (const host of ["192.0.2.1", "ec2.us-east-1.amazonaws.com"])
    it(`refuses a connection to ${host}`, () => {
      assert.throws(() => http.get({ host, port: 80 }), /tests stay on this machine/);
      assert.deepEqual(refused.splice(0), [host]);
    });

  it("allows connections to loopback", async () => {
    const server = http.createServer((_, answer) => answer.end("here")).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    const status = await new Promise((resolve) => http.get({ host: "127.0.0.1", port }, (answer) => resolve(answer.statusCode)));
    server.close();
    assert.equal(status, 200);
  });
});
