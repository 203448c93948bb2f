/** The local EC2 for tests: starts it, makes images, sets faults, and counts the calls that reached it. */

import * as path from "node:path";
import { runPython, serveEc2 } from "./pythonHost";

export const ROOT = path.resolve(__dirname, "../..");

export interface MadeImage {
  readonly imageId: string;
  readonly snapshotIds: string[];
  readonly region: string;
  readonly accountId: string;
}

export interface Call {
  readonly service: string;
  readonly action: string;
  readonly resource: string;
  readonly params: Record<string, string>;
  readonly account: string;
  readonly region: string;
  readonly status: number;
  readonly code: string;
  readonly requestId: string;
}

/** The emulator of one test file. */
export class Emulator {
  constructor(
    readonly url: string,
    private readonly ended: () => Promise<void>,
  ) {}

  static async start(): Promise<Emulator> {
    const { url, stop } = await serveEc2();
    return new Emulator(url, stop);
  }

  stop(): Promise<void> {
    return this.ended();
  }

  /** Makes an AMI. emulator/README.md lists the options. */
  image(options: Record<string, unknown> = { snapshots: 2 }): Promise<MadeImage> {
    return this.ask("POST", "/overlay/images", options) as Promise<MadeImage>;
  }

  /** Makes many AMIs at once. */
  images(options: readonly Record<string, unknown>[]): Promise<MadeImage[]> {
    return this.ask("POST", "/overlay/images", options) as Promise<MadeImage[]>;
  }

  /** Makes a customer managed KMS key, and returns its ARN. */
  async kmsKey(region = "us-east-1"): Promise<string> {
    const { KeyMetadata } = await this.aws("kms", "create-key", "--region", region);
    return (KeyMetadata as unknown as { Arn: string }).Arn;
  }

  /** Calls KMS with plain HTTP, which is fast for many keys and grants. */
  async kms(region: string, action: string, input: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    const answer = await fetch(this.url, {
      method: "POST",
      headers: {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": `TrentService.${action}`,
        authorization: `AWS4-HMAC-SHA256 Credential=AKIATESTTESTTESTTEST/20260101/${region}/kms/aws4_request, SignedHeaders=host, Signature=0`,
      },
      body: JSON.stringify(input),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`KMS ${action}: ${answer.status} ${text}`);
    return text.trim() === "" ? {} : JSON.parse(text);
  }

  /** Sets faults, quotas and slow reads. emulator/README.md lists the options. */
  async configure(options: Record<string, unknown>): Promise<void> {
    await this.ask("POST", "/overlay/config", options);
  }

  /** Removes all settings and recorded calls. Images stay. */
  async reset(): Promise<void> {
    await this.ask("POST", "/overlay/reset");
  }

  /** Every call since the last reset or {@link forgetCalls}, including refused ones. */
  calls(): Promise<Call[]> {
    return this.ask("GET", "/overlay/calls") as Promise<Call[]>;
  }

  async forgetCalls(): Promise<void> {
    await this.ask("DELETE", "/overlay/calls");
  }

  /** Calls that change something, as `Action resource`. */
  async modifications(): Promise<string[]> {
    return (await this.calls())
      .filter(({ action }) => /^(Modify|Reset)/.test(action))
      .map(({ action, resource }) => `${action} ${resource}`);
  }

  /** The environment that makes every AWS client reach only the emulator. */
  environment(): Record<string, string> {
    return {
      AWS_ENDPOINT_URL: this.url,
      AWS_REGION: "us-east-1",
      AWS_DEFAULT_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "AKIATESTTESTTESTTEST",
      AWS_SECRET_ACCESS_KEY: "test-secret-key-that-must-not-show",
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_CONFIG_FILE: "/dev/null",
      AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    };
  }

  /** Runs the AWS CLI, which is independent of this package, and returns its JSON output. */
  async aws(...args: string[]): Promise<Record<string, never> & { [key: string]: unknown }> {
    return this.cli([...args, "--output", "json"]);
  }

  /** Runs the AWS CLI as another account, with a role of that account. */
  async awsAs(accountId: string, ...args: string[]): Promise<void> {
    const role = ["--role-arn", `arn:aws:iam::${accountId}:role/consumer`, "--role-session-name", "test"];
    const { Credentials } = await this.aws("sts", "assume-role", ...role);
    const keys = Credentials as unknown as Record<"AccessKeyId" | "SecretAccessKey" | "SessionToken", string>;
    await this.cli([...args, "--output", "json"], {
      AWS_ACCESS_KEY_ID: keys.AccessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.SecretAccessKey,
      AWS_SESSION_TOKEN: keys.SessionToken,
    });
  }

  private async cli(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Record<string, never>> {
    const stdout = await runPython({ aws: args }, { ...process.env, ...this.environment(), ...env });
    return stdout.trim() === "" ? {} : JSON.parse(stdout);
  }

  /** Who may launch an image, read with the AWS CLI: account ids, ARNs and `all`, sorted. */
  async launchers(imageId: string): Promise<string[]> {
    const answer = await this.aws("ec2", "describe-image-attribute", "--image-id", imageId, "--attribute", "launchPermission");
    return named(answer.LaunchPermissions);
  }

  /** Who may create volumes from a snapshot, read with the AWS CLI. */
  async volumeCreators(snapshotId: string): Promise<string[]> {
    const answer = await this.aws(
      "ec2",
      "describe-snapshot-attribute",
      "--snapshot-id",
      snapshotId,
      "--attribute",
      "createVolumePermission",
    );
    return named(answer.CreateVolumePermissions);
  }

  /** All permissions on many AMIs and snapshots, read with boto3: `resource grantee`, sorted. */
  async pairs(images: readonly MadeImage[]): Promise<string[]> {
    const asked: Record<string, string[]> = {};
    for (const { region, imageId, snapshotIds } of images) asked[region] = [...(asked[region] ?? []), imageId, ...snapshotIds];
    return this.read("readPermissions.py", asked);
  }

  /** The KMS grants that sets made, read with boto3: `ami-… grantee`, sorted. */
  keyHolders(regions: readonly string[]): Promise<string[]> {
    return this.read("readKeyGrants.py", regions);
  }

  private async read(script: string, asked: unknown): Promise<string[]> {
    const run = { script: path.join(__dirname, script), stdin: JSON.stringify(asked) };
    const found = JSON.parse(await runPython(run, { ...process.env, ...this.environment() })) as Record<string, string[] | null>;
    return Object.entries(found)
      .flatMap(([resource, keys]) => (keys ?? []).map((key) => `${resource} ${key}`))
      .sort();
  }

  private async ask(method: string, at: string, body?: unknown): Promise<unknown> {
    const answer = await fetch(this.url + at, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    if (!answer.ok) throw new Error(`emulator ${method} ${at}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }
}

/** Starts an emulator before the tests of a suite, resets it before each, and stops it after them. */
export function useEmulator(): () => Emulator {
  let emulator: Emulator | undefined;
  before(async () => {
    emulator = await Emulator.start();
  });
  beforeEach(() => emulator?.reset());
  after(() => emulator?.stop());
  return () => {
    if (!emulator) throw new Error("the emulator is not started yet");
    return emulator;
  };
}

function named(permissions: unknown): string[] {
  return (permissions as Record<string, string>[]).flatMap((permission) => Object.values(permission)).sort();
}
