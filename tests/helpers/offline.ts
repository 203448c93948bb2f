/** Isolates the tests: they use no configuration of the user, and connect only to loopback. */

import { refused } from "./offlineGuard.cjs";

process.env.AWS_EC2_METADATA_DISABLED = "true";
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

export const mochaHooks = {
  afterEach() {
    const hosts = refused.splice(0);
    if (hosts.length > 0) throw new Error(`something tried to reach ${hosts.join(", ")}: tests stay on this machine`);
  },
};
