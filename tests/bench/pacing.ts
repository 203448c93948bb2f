/** Ways to keep to EC2's request rate limit, compared: the SDK's two retry modes, and the pacing of this package. */

import { EC2Client, type EC2ClientConfig, ModifySnapshotAttributeCommand } from "@aws-sdk/client-ec2";
import { StandardRetryStrategy } from "@smithy/core/retry";
import { callWatch } from "../../provider/core/aws/callWatch";
import { Pacer } from "../../provider/core/aws/pacing";
import { CallRetries } from "../../provider/core/aws/retrying";
import { DEFAULT_MAX_ATTEMPTS } from "../../provider/core/model";
import { Emulator } from "../helpers/emulator";
import { leastSeconds } from "./peers";

export interface PacingRow {
  readonly way: string;
  readonly seconds: number;
  /** The least time that the limit allows. */
  readonly leastSeconds: number;
  readonly refused: number;
  /** Calls that failed after their last attempt. */
  readonly failed: number;
}

const TIMEOUTS = { connectTimeout: 10_000, requestTimeout: 30_000 };
const maxAttempts = DEFAULT_MAX_ATTEMPTS;

const WAYS: Readonly<Record<string, (config: EC2ClientConfig) => EC2Client>> = {
  "SDK, standard": (config) => new EC2Client({ ...config, maxAttempts, retryMode: "standard" }),
  "SDK, adaptive": (config) => new EC2Client({ ...config, maxAttempts, retryMode: "adaptive" }),
  "this package": (config) => {
    const retryStrategy = new CallRetries(
      (attempts) => new StandardRetryStrategy(attempts),
      { maxAttempts, limitsThrottled: false },
      undefined,
    );
    const client = new EC2Client({ ...config, maxAttempts, retryStrategy });
    client.middlewareStack.use(callWatch("EC2", {}, TIMEOUTS, new Pacer()));
    return client;
  },
};

/** Sends this many ModifySnapshotAttribute calls at once, in each way, each on its own local EC2. */
export async function comparePacing(calls: number, rate: number): Promise<PacingRow[]> {
  return Promise.all(Object.keys(WAYS).map((way) => measure(way, calls, rate)));
}

async function measure(way: string, calls: number, rate: number): Promise<PacingRow> {
  const emulator = await Emulator.start();
  const { snapshotIds } = await emulator.image({ snapshots: 1 });
  const client = WAYS[way]?.({
    region: "us-east-1",
    endpoint: emulator.url,
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  }) as EC2Client;
  try {
    await emulator.forgetCalls();
    await emulator.configure({ bucketRate: rate });
    const began = performance.now();
    const outcomes = await Promise.allSettled(
      Array.from({ length: calls }, () =>
        client.send(
          new ModifySnapshotAttributeCommand({
            SnapshotId: snapshotIds[0],
            Attribute: "createVolumePermission",
            OperationType: "add",
            UserIds: ["111122223333"],
          }),
        ),
      ),
    );
    const seconds = (performance.now() - began) / 1000;
    const refused = (await emulator.calls()).filter(({ code }) => code === "RequestLimitExceeded").length;
    return {
      ...{ way, seconds, refused, leastSeconds: leastSeconds([{ ModifySnapshotAttribute: calls }], rate) },
      failed: outcomes.filter(({ status }) => status === "rejected").length,
    };
  } finally {
    client.destroy();
    await emulator.stop();
  }
}
