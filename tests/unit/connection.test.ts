/** Decoding a connection: which hosts are loopback, which endpoints are refused or cause a warning, and the timeouts. */

import * as assert from "node:assert/strict";
import { decodeConnection, endpointProblem, endpointWarning } from "../../provider/core";
import { kmsEndpointOf, stsEndpointOf, timeoutsOf } from "../../provider/core/aws/connection";

const LOOPBACK = ["http://localhost:5055", "http://127.0.0.1", "http://127.9.8.7:1/x", "http://[::1]:5055", "https://127.0.0.1"];
const ELSEWHERE = [
  "http://127.1.2.3.example.invalid",
  "http://127.example.invalid:5055",
  "http://localhost.example.invalid",
  "http://1270.0.0.1.example.invalid",
  "http://[::2]",
  "http://10.0.0.1",
];

describe("an endpoint", () => {
  for (const endpoint of LOOPBACK)
    it(`${endpoint} is on this machine: it also serves STS and KMS, and http causes no warning`, () => {
      assert.equal(stsEndpointOf({ endpoint }), endpoint);
      assert.equal(kmsEndpointOf({ endpoint }), endpoint);
      assert.equal(endpointWarning(endpoint), undefined);
    });

  for (const endpoint of ELSEWHERE)
    it(`${endpoint} is not on this machine: STS and KMS use AWS's endpoints, and http causes a warning`, () => {
      assert.equal(stsEndpointOf({ endpoint }), undefined);
      assert.equal(kmsEndpointOf({ endpoint }), undefined);
      assert.match(endpointWarning(endpoint) ?? "", /is called over http, without encryption: .*; use https$/);
    });

  it("with https causes no warning", () => {
    assert.equal(endpointWarning("https://ec2.us-east-1.amazonaws.com"), undefined);
  });

  it("with a user name or a password is refused, and the error repeats neither", () => {
    for (const endpoint of [
      "http://user:hunter2@127.0.0.1",
      "https://hunter2@example.invalid",
      "https://:hunter2@example.invalid",
    ]) {
      const decoded = decodeConnection({ endpoint });
      assert.ok("problems" in decoded, endpoint);
      const [{ message = "" } = {}] = decoded.problems;
      assert.match(message, /^it contains a user name or a password, which would be kept in the state; write one such as https:/);
      assert.doesNotMatch(JSON.stringify(decoded.problems) + endpointProblem(endpoint), /hunter2/);
    }
  });

  it("that is not a URL is refused", () => {
    for (const endpoint of ["localhost:5055", "http://", "http://[::1", "ftp://example.invalid"]) {
      const decoded = decodeConnection({ endpoint });
      assert.ok("problems" in decoded, endpoint);
      assert.match(decoded.problems[0]?.message ?? "", / is not a URL; write one such as https:/);
    }
  });
});

describe("the connection's timeouts", () => {
  it("are 10 and 30 seconds by default", () => {
    assert.deepEqual(timeoutsOf({}), { connectTimeout: 10_000, requestTimeout: 30_000 });
    assert.deepEqual(timeoutsOf({ connectTimeout: 1, requestTimeout: 2 }), { connectTimeout: 1, requestTimeout: 2 });
  });
});
