/** Calls that are never answered, over real HTTP: each ends by itself, and ends soon after the stop signal. */

import * as assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as path from "node:path";
import { type AmiSharingError, type CallWatch, type Connection, ec2Gateway, type Gateway } from "../../provider/core";
import { ROOT } from "../helpers/emulator";
import { A } from "../helpers/gatewayContract";
import { CREDENTIALS } from "../helpers/plainMoto";
import { useRawServer, xml } from "../helpers/rawServer";

const IMAGE = "ami-12345678";
const KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";

const READS: Record<string, (gateway: Gateway) => Promise<unknown>> = {
  DescribeImages: (gateway) => gateway.describeImage(IMAGE),
  DescribeImageAttribute: (gateway) => gateway.launchPermissions(IMAGE),
  ListGrants: (gateway) => gateway.keys.grants(KEY),
};
const CHANGES: Record<string, (gateway: Gateway) => Promise<unknown>> = {
  ModifyImageAttribute: (gateway) => gateway.changeLaunchPermissions(IMAGE, { add: [A], remove: [] }),
  ModifySnapshotAttribute: (gateway) => gateway.changeCreateVolumePermissions("snap-12345678", "add", [A]),
  RevokeGrant: (gateway) => gateway.keys.revokeGrant(KEY, "grant-1"),
};
const ALL = { ...READS, ...CHANGES };

describe("a call without a response", () => {
  const server = useRawServer();
  const gateway = (more: Partial<Connection> = {}, watch: CallWatch = {}) =>
    ec2Gateway({ region: "us-east-1", endpoint: server().url, credentials: CREDENTIALS, requestTimeout: 100, ...more }, watch, {
      badAnswer: 1,
      absence: 1,
    });

  async function failureOf(attempt: Promise<unknown>): Promise<AmiSharingError> {
    return attempt.then(
      () => assert.fail("it was expected to fail"),
      (error: AmiSharingError) => error,
    );
  }

  async function timed<Value>(attempt: Promise<Value>): Promise<[Value, number]> {
    const began = Date.now();
    return [await attempt, Date.now() - began];
  }

  for (const [action, run] of Object.entries(ALL))
    it(`ends after three attempts: ${action}`, async () => {
      const { code, message } = await failureOf(run(gateway()));
      assert.equal(code, "endpoint-unreachable", message);
      assert.match(message, new RegExp(`endpoint ${server().url}.* did not answer within 100 ms: ${action} of .*, 3 times`));
      assert.match(message, /AMI_LAUNCH_PERMISSIONS_REQUEST_TIMEOUT_MS/);
      assert.equal(/whether AWS made the change is not known/.test(message), action in CHANGES, message);
      assert.deepEqual(server().asked, Array(3).fill(action));
    });

  it("is not repeated if maxRetries is 0", async () => {
    const { message } = await failureOf(gateway({ maxRetries: 0 }).launchPermissions(IMAGE));
    assert.match(message, /did not answer within 100 ms: DescribeImageAttribute of ami-12345678; check/);
    assert.equal(server().asked.length, 1);
  });

  it("succeeds if a retry gets a response", async () => {
    let left = 2;
    server().respond = ({ action }) => (left-- > 0 ? undefined : { body: xml(action, "<return>true</return>") });
    await CHANGES.ModifyImageAttribute?.(gateway());
    assert.equal(server().asked.length, 3);
  });

  it("ends if the response starts but never ends", async () => {
    server().respond = ({ response }) => {
      response.writeHead(200, { "content-length": 100 });
      response.write("<");
      return undefined;
    };
    const { code, message } = await failureOf(gateway().launchPermissions(IMAGE));
    assert.equal(code, "endpoint-unreachable", message);
    assert.match(message, /did not answer within 100 ms: DescribeImageAttribute .*, 3 times/);
  });

  it("to STS leaves the caller unknown, and ends a call that needs a role", async () => {
    assert.equal(await gateway().callerAccountId(), undefined);
    const roles = [{ roleArn: "arn:aws:iam::222222222222:role/share" }];
    const { code, message } = await failureOf(gateway({ assumeRoles: roles }).launchPermissions(IMAGE));
    assert.equal(code, "endpoint-unreachable", message);
    assert.match(message, /STS's endpoint http:.* did not answer .*: AssumeRole for DescribeImageAttribute of ami-12345678/);
  });

  it("waits as long as AMI_LAUNCH_PERMISSIONS_REQUEST_TIMEOUT_MS says, unless the connection has a timeout", async () => {
    process.env.AMI_LAUNCH_PERMISSIONS_REQUEST_TIMEOUT_MS = "50";
    try {
      const slow = ec2Gateway({ region: "us-east-1", endpoint: server().url, credentials: CREDENTIALS, maxRetries: 0 });
      assert.match((await failureOf(slow.launchPermissions(IMAGE))).message, /did not answer within 50 ms/);
      process.env.AMI_LAUNCH_PERMISSIONS_REQUEST_TIMEOUT_MS = "soon";
      const { code, message } = await failureOf(ec2Gateway({ region: "us-east-1" }).launchPermissions(IMAGE));
      assert.equal(code, "invalid-argument");
      assert.match(message, /AMI_LAUNCH_PERMISSIONS_REQUEST_TIMEOUT_MS is "soon"; write whole milliseconds/);
    } finally {
      delete process.env.AMI_LAUNCH_PERMISSIONS_REQUEST_TIMEOUT_MS;
    }
  });

  describe("ends after the stop signal", () => {
    for (const [action, run] of Object.entries(ALL))
      it(`${action} in progress`, async () => {
        const stop = new AbortController();
        server().respond = () => {
          setTimeout(() => stop.abort(), 20);
          return undefined;
        };
        const [{ code, message }, took] = await timed(failureOf(run(gateway({ requestTimeout: 30_000 }, stop))));
        assert.equal(code, "stopped", message);
        assert.match(message, new RegExp(`^stopped before ${action} of .* was answered`));
        assert.equal(/it is not known whether AWS made that change/.test(message), action in CHANGES, message);
        if (action in CHANGES) assert.ok(took > 1500 && took < 3000, `it took ${took} ms`);
        else assert.ok(took < 1000, `it took ${took} ms`);
        assert.deepEqual(server().asked, [action]);
      }).timeout(10_000);

    it("a change that gets its response within the grace period succeeds", async () => {
      const stop = new AbortController();
      server().respond = ({ action, response }) => {
        stop.abort();
        setTimeout(() => response.end(xml(action, "<return>true</return>")), 300);
        return undefined;
      };
      await CHANGES.ModifyImageAttribute?.(gateway({ requestTimeout: 30_000 }, stop));
    });

    it("a change is not sent again", async () => {
      const stop = new AbortController();
      server().respond = () => {
        stop.abort();
        return { status: 500, body: "<Response><Errors><Error><Code>InternalError</Code></Error></Errors></Response>" };
      };
      const { code } = await failureOf(
        gateway({ requestTimeout: 30_000 }, stop).changeLaunchPermissions(IMAGE, { add: [A], remove: [] }),
      );
      assert.equal(code, "stopped");
      assert.equal(server().asked.length, 1);
    });

    it("a pause between attempts also ends", async () => {
      const stop = new AbortController();
      server().respond = () => {
        setTimeout(() => stop.abort(), 20);
        return { status: 503, body: "<Response><Errors><Error><Code>RequestLimitExceeded</Code></Error></Errors></Response>" };
      };
      const [{ code }, took] = await timed(failureOf(gateway({ maxRetries: 30 }, stop).launchPermissions(IMAGE)));
      assert.equal(code, "stopped");
      assert.ok(took < 2000, `it took ${took} ms`);
    });

    it("a read that starts after the signal gets a response, or ends after the grace period", async () => {
      const stop = new AbortController();
      stop.abort();
      server().respond = ({ action }) => ({ body: xml(action, `<imageId>${IMAGE}</imageId><launchPermission/>`) });
      assert.equal((await gateway({}, stop).launchPermissions(IMAGE)).size, 0);
      server().respond = () => undefined;
      const [{ code }, took] = await timed(failureOf(gateway({ requestTimeout: 30_000 }, stop).launchPermissions(IMAGE)));
      assert.equal(code, "stopped");
      assert.ok(took > 1500 && took < 3000, `it took ${took} ms`);
    }).timeout(10_000);

    it("a call that waits for a role also ends", async () => {
      const stop = new AbortController();
      setTimeout(() => stop.abort(), 200);
      const roles = [{ roleArn: "arn:aws:iam::222222222222:role/share" }];
      const slow = gateway({ assumeRoles: roles, requestTimeout: 30_000 }, stop);
      const [{ code }, took] = await timed(failureOf(slow.launchPermissions(IMAGE)));
      assert.equal(code, "stopped");
      assert.ok(took < 1500, `it took ${took} ms`);
    });
  });
});

describe("concurrent calls of many sets", () => {
  const server = useRawServer();

  it("are sent 50 at a time, and queued calls do not count as unanswered", async () => {
    let [open, most] = [0, 0];
    server().respond = ({ action, response }) => {
      open += 1;
      most = Math.max(most, open);
      setTimeout(() => {
        open -= 1;
        response.end(xml(action, `<imageId>${IMAGE}</imageId><launchPermission/>`));
      }, 100);
      return undefined;
    };
    const connection = { region: "us-east-1", endpoint: server().url, credentials: CREDENTIALS };
    const gateway = ec2Gateway({ ...connection, connectTimeout: 300, requestTimeout: 10_000, maxRetries: 0 });
    const calls = Array.from({ length: 400 }, () => gateway.launchPermissions(IMAGE));
    assert.deepEqual(new Set((await Promise.all(calls)).map(({ size }) => size)), new Set([0]));
    assert.equal(most, 50);
  }).timeout(20_000);
});

describe("a connection that the server does not accept", () => {
  it("ends after three attempts, and the error says that nothing was sent", async () => {
    // The server's connection queue is full, so the kernel does not respond.
    const script = [
      "import socket, time",
      "full = socket.socket(); full.bind(('127.0.0.1', 0)); full.listen(0)",
      "waiting = [socket.socket() for _ in range(4)]",
      "for one in waiting: one.setblocking(False); one.connect_ex(full.getsockname())",
      "print(full.getsockname()[1], flush=True); time.sleep(60)",
    ].join("\n");
    const deaf = spawn(path.join(ROOT, ".toolchain/python/bin/python"), ["-c", script]);
    try {
      const [line] = (await once(deaf.stdout, "data")) as [Buffer];
      const endpoint = `http://127.0.0.1:${String(line).trim()}`;
      const gateway = ec2Gateway({ region: "us-east-1", endpoint, credentials: CREDENTIALS, connectTimeout: 100 });
      await assert.rejects(gateway.changeLaunchPermissions(IMAGE, { add: [A], remove: [] }), ({ message }: Error) => {
        assert.match(message, /took no connection within 100 ms: ModifyImageAttribute of ami-12345678, 3 times; check/);
        return true;
      });
    } finally {
      deaf.kill();
    }
  });
});
