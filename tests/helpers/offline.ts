/** Keeps the tests on this machine: a connection to any other address fails, in this process and in the programs it starts. */

import * as net from "node:net";

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/;

process.env.AWS_EC2_METADATA_DISABLED = "true";
// Children: no proxy is there to be reached, and the SDKs find no configuration of the person who runs the tests.
process.env.AWS_CONFIG_FILE = "/dev/null";
process.env.AWS_SHARED_CREDENTIALS_FILE = "/dev/null";
for (const name of [
  "AWS_PROFILE",
  "AWS_REGION",
  "AWS_DEFAULT_REGION",
  "AWS_ENDPOINT_URL",
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
])
  delete process.env[name];

/** The addresses outside this machine that something tried to reach. */
export const refused: string[] = [];

const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function guarded(this: net.Socket, ...args: unknown[]) {
  const [first] = (Array.isArray(args[0]) ? args[0] : args) as [unknown];
  const { host, path } = (typeof first === "object" && first !== null ? first : { path: first }) as {
    host?: string;
    path?: string;
  };
  if (path === undefined && host !== undefined && !LOOPBACK.test(host)) {
    refused.push(host);
    throw new Error(`a test tried to reach ${host}: tests stay on this machine`);
  }
  return (connect as (...all: unknown[]) => net.Socket).apply(this, args);
} as typeof connect;

export const mochaHooks = {
  afterEach() {
    const hosts = refused.splice(0);
    if (hosts.length > 0) throw new Error(`something tried to reach ${hosts.join(", ")}: tests stay on this machine`);
  },
};
