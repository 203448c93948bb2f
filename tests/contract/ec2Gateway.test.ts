/** The gateway with the AWS SDK over HTTP: the contract of every gateway, against the emulator and plain moto, and the format of the requests. */

import * as assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import {
  CreateImageUsageReportCommand,
  DeregisterImageCommand,
  DisableImageCommand,
  EC2Client,
  EnableImageBlockPublicAccessCommand,
  EnableSnapshotBlockPublicAccessCommand,
} from "@aws-sdk/client-ec2";
import { type AmiSharingError, type Connection, ec2Gateway } from "../../provider/core";
import { type Emulator, useEmulator } from "../helpers/emulator";
import { A, B, describeGatewayContract, manyAccounts, ORGANIZATION, type Situation, UNIT } from "../helpers/gatewayContract";
import { CREDENTIALS, usePlainMoto } from "../helpers/plainMoto";
import { SlowEc2 } from "../helpers/slowEc2";

const connectionTo = (endpoint: string): Connection => ({
  region: "us-east-1",
  endpoint,
  credentials: CREDENTIALS,
  maxRetries: 0,
});

describe("the EC2 gateway against the emulator", () => {
  const emulator = useEmulator();

  describeGatewayContract("EC2 SDK, emulator", () => ({
    gateway: ec2Gateway(connectionTo(emulator().url)),
    async makeImage(snapshots, accountId = "123456789012", keyManager) {
      const launchPermissions = accountId === "123456789012" ? [] : [{ UserId: "123456789012" }];
      const encryption =
        keyManager === "CUSTOMER" ? { kmsKeyId: await emulator().kmsKey() } : { encrypted: keyManager === "AWS" };
      return emulator().image({ snapshots, accountId, launchPermissions, ...encryption });
    },
    async modifications() {
      const made = await emulator().modifications();
      await emulator().forgetCalls();
      return made;
    },
    arrange: (situation) => arrange(emulator(), situation),
  }));

  /** The EC2 calls of one operation, as the emulator recorded them. */
  async function calls(operation: () => Promise<unknown>) {
    await emulator().forgetCalls();
    const outcome = await operation().then(
      () => undefined,
      (error: AmiSharingError) => error,
    );
    return { outcome, made: await emulator().calls() };
  }

  it("describes the images of several sets with one call, and each with its own if one does not exist", async () => {
    const made = await emulator().images(Array.from({ length: 130 }, () => ({ snapshots: 1 })));
    const gateway = ec2Gateway(connectionTo(emulator().url));
    const ids = made.map(({ imageId }) => imageId);
    const all = await calls(async () => {
      const found = await Promise.all([...ids, ...ids.slice(0, 5)].map((id) => gateway.describeImage(id)));
      assert.deepEqual(
        found.map(({ imageId }) => imageId),
        [...ids, ...ids.slice(0, 5)],
      );
    });
    assert.deepEqual([all.outcome, all.made.map(({ action }) => action)], [undefined, ["DescribeImages", "DescribeImages"]]);
    const absent = "ami-00000000";
    const some = await calls(async () => {
      const outcomes = await Promise.allSettled([...ids.slice(0, 3), absent].map((id) => gateway.describeImage(id)));
      assert.deepEqual(
        outcomes.map((one) => (one.status === "fulfilled" ? one.value.imageId : one.reason.code)),
        [...ids.slice(0, 3), "image-not-found"],
      );
    });
    assert.equal(some.made.length, 5);
  });

  it("describes the snapshots of several sets with one call", async () => {
    const made = await emulator().images(Array.from({ length: 20 }, () => ({ snapshots: 2, encrypted: true })));
    const gateway = ec2Gateway(connectionTo(emulator().url));
    const { made: sent } = await calls(async () => {
      const found = await Promise.all(made.map(({ snapshotIds }) => gateway.describeSnapshots(snapshotIds)));
      assert.deepEqual(
        found.map((ofOne) => ofOne.map(({ snapshotId }) => snapshotId)),
        made.map(({ snapshotIds }) => [...snapshotIds].sort()),
      );
    });
    assert.equal(sent.length, 1);
  });

  it("keeps to EC2's request rate limits: few calls are refused, and none fails", async () => {
    const { imageId } = await emulator().image({ snapshots: 0 });
    const gateway = ec2Gateway({ ...connectionTo(emulator().url), maxRetries: 7 });
    const change = { add: [A], remove: [] };
    await emulator().configure({ bucketRate: 10 });
    try {
      const { outcome, made } = await calls(() =>
        Promise.all(Array.from({ length: 250 }, () => gateway.changeLaunchPermissions(imageId, change))),
      );
      assert.equal(outcome, undefined);
      const refused = made.filter(({ code }) => code === "RequestLimitExceeded").length;
      assert.ok(refused <= 5, `${refused} of ${made.length} calls were refused`);
      assert.equal(made.length - refused, 250);
    } finally {
      await emulator().configure({ bucketRate: 0 });
    }
  });

  it("describes an image of a call that is under way with the next one", async () => {
    const made = await emulator().images(Array.from({ length: 30 }, () => ({ snapshots: 0 })));
    const slow = new SlowEc2(emulator());
    const gateway = ec2Gateway(connectionTo(await slow.start()));
    await gateway.describeImage(made[0]?.imageId ?? "");
    slow.before("DescribeImages", () => sleep(100));
    const { outcome, made: sent } = await calls(() =>
      Promise.all(made.map(async ({ imageId }, i) => sleep(i * 7).then(() => gateway.describeImage(imageId)))),
    ).finally(() => slow.stop());
    assert.equal(outcome, undefined);
    assert.ok(sent.length <= 10, `${sent.length} calls for 30 images`);
  });

  it("makes no call to EC2 before the first operation", async () => {
    const { made } = await calls(async () => {
      await ec2Gateway(connectionTo(emulator().url)).region();
    });
    assert.deepEqual(made, []);
  });

  it("retries throttled calls, up to maxRetries", async () => {
    const { imageId } = await emulator().image();
    await emulator().configure({ throttle: { ModifyImageAttribute: 2 } });
    const patient = ec2Gateway({ ...connectionTo(emulator().url), maxRetries: 2 });
    const { outcome, made } = await calls(() => patient.changeLaunchPermissions(imageId, { add: [A], remove: [] }));
    assert.equal(outcome, undefined);
    assert.deepEqual(
      made.map(({ status }) => status),
      [503, 503, 200],
    );
    await emulator().configure({ throttle: { ModifyImageAttribute: 1 } });
    const hasty = ec2Gateway(connectionTo(emulator().url));
    const refused = await calls(() => hasty.changeLaunchPermissions(imageId, { add: [B], remove: [] }));
    assert.equal(refused.outcome?.code, "throttled");
    assert.equal(refused.made.length, 1);
  });

  it("shows the request id of EC2's response", async () => {
    const gateway = ec2Gateway(connectionTo(emulator().url));
    const { outcome, made } = await calls(() =>
      gateway.changeLaunchPermissions("ami-0ffffffffffffffff", { add: [A], remove: [] }),
    );
    assert.ok(made[0]?.requestId);
    assert.equal(outcome?.requestId, made[0]?.requestId);
    assert.ok(outcome?.message.includes(made[0]?.requestId ?? "-"), outcome?.message);
  });

  const refusals: readonly { name: string; config: Record<string, unknown>; code: string; words: RegExp }[] = [
    {
      name: "IAM",
      config: { deny: ["ec2:ModifyImageAttribute"] },
      code: "not-authorized",
      words: /may not call ec2:ModifyImageAttribute on ami-/,
    },
    {
      name: "an internal error of EC2",
      config: { failures: [{ action: "ModifyImageAttribute", code: "InternalError", status: 500, message: "sorry." }] },
      code: "aws-error",
      words: /ModifyImageAttribute of ami-.* failed: sorry \(AWS: InternalError, request id /,
    },
  ];
  for (const { name, config, code, words } of refusals)
    it(`explains a refusal because of ${name}`, async () => {
      const { imageId } = await emulator().image();
      await emulator().configure(config);
      const gateway = ec2Gateway(connectionTo(emulator().url));
      const { outcome } = await calls(() => gateway.changeLaunchPermissions(imageId, { add: [A], remove: [] }));
      assert.equal(outcome?.code, code);
      assert.match(outcome?.message ?? "", words);
    });

  const encrypted = [
    { name: "a snapshot under the AWS managed key", image: { snapshots: 1, encrypted: true }, add: [A] },
    {
      name: "a public snapshot under a customer managed key",
      image: {
        snapshots: 1,
        encrypted: true,
        kmsKeyId: "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
      },
      add: ["public"],
    },
  ];
  for (const { name, image: options, add } of encrypted)
    it(`reports that EC2 refuses to share ${name}`, async () => {
      const { imageId, snapshotIds } = await emulator().image(options);
      const gateway = ec2Gateway(connectionTo(emulator().url));
      const image = await calls(() => gateway.changeLaunchPermissions(imageId, { add, remove: [] }));
      assert.equal(image.outcome?.code, "sharing-refused", image.outcome?.message);
      const snapshot = await calls(() => gateway.changeCreateVolumePermissions(snapshotIds[0] as string, "add", add));
      assert.equal(snapshot.outcome?.code, "sharing-refused", snapshot.outcome?.message);
    });

  it("reports expired credentials", async () => {
    const gateway = ec2Gateway({
      ...connectionTo(emulator().url),
      credentials: { ...CREDENTIALS, accessKeyId: "ASIAEXPIREDEXPIRED00", sessionToken: "token" },
    });
    const { outcome } = await calls(() => gateway.describeImage("ami-0ffffffffffffffff"));
    assert.equal(outcome?.code, "credentials-expired", outcome?.message);
    assert.ok(!outcome?.message.includes(CREDENTIALS.secretAccessKey));
  });

  it("reports an endpoint that cannot be reached", async () => {
    const { outcome } = await calls(() => ec2Gateway(connectionTo("http://127.0.0.1:1")).describeImage("ami-0ffffffffffffffff"));
    assert.equal(outcome?.code, "endpoint-unreachable", outcome?.message);
  });

  it("assumes a role once, and acts in the role's account", async () => {
    const { imageId } = await emulator().image({ snapshots: 1, accountId: "222222222222" });
    const gateway = ec2Gateway({
      ...connectionTo(emulator().url),
      assumeRoles: [{ roleArn: "arn:aws:iam::222222222222:role/share" }],
    });
    const { made } = await calls(async () => {
      await gateway.changeLaunchPermissions(imageId, { add: [A], remove: [] });
      assert.deepEqual([...(await gateway.launchPermissions(imageId))], [A]);
    });
    assert.deepEqual(
      made.map(({ action, account }) => [action, action === "AssumeRole" ? "" : account]),
      [
        ["AssumeRole", ""],
        ["ModifyImageAttribute", "222222222222"],
        ["DescribeImageAttribute", "222222222222"],
      ],
    );
  });
});

/**
 * Plain moto runs every case except these. It has no reset, no images of others or missing images in DescribeImageAttribute (HTTP 500),
 * no quota, no block public access, no disabled state of an image, and no check of account ids in snapshot calls. It always gives an
 * image exactly one snapshot.
 */
describe("the EC2 gateway against plain moto", () => {
  const moto = usePlainMoto();

  describeGatewayContract("EC2 SDK, plain moto", () => {
    const gateway = ec2Gateway(connectionTo(moto().url));
    return {
      gateway,
      async makeImage() {
        const imageId = await moto().image();
        return { imageId, snapshotIds: (await gateway.describeImage(imageId)).snapshotIds };
      },
      async modifications() {
        const made = moto().modifications();
        moto().forgetCalls();
        return made;
      },
      arrange: async ({ kind }) => assert.fail(`plain moto knows nothing of ${kind}`),
    };
  }, [
    "reset",
    "absent-describe",
    "foreign",
    "quota",
    "block-public-access",
    "deregistered",
    "disabled",
    "snapshot-account-check",
    "two-snapshots",
    "marketplace",
    "encryption",
    "codes",
    "usage",
  ]);

  it("sends launch permissions as a structure, and create-volume permissions in a form that every EC2 accepts", async () => {
    const imageId = await moto().image();
    const gateway = ec2Gateway(connectionTo(moto().url));
    const [snapshotId = ""] = (await gateway.describeImage(imageId)).snapshotIds;
    moto().forgetCalls();
    await gateway.changeLaunchPermissions(imageId, { add: [A, ORGANIZATION, UNIT, "public"], remove: [B] });
    await gateway.changeCreateVolumePermissions(snapshotId, "add", [A, "public"]);
    const [image, snapshot] = moto().calls.map((call) => Object.fromEntries(call));
    assert.deepEqual(image, {
      Action: "ModifyImageAttribute",
      Version: "2016-11-15",
      ImageId: imageId,
      "LaunchPermission.Add.1.UserId": "111122223333",
      "LaunchPermission.Add.2.OrganizationArn": ORGANIZATION,
      "LaunchPermission.Add.3.OrganizationalUnitArn": UNIT,
      "LaunchPermission.Add.4.Group": "all",
      "LaunchPermission.Remove.1.UserId": "444455556666",
    });
    assert.deepEqual(snapshot, {
      Action: "ModifySnapshotAttribute",
      Version: "2016-11-15",
      SnapshotId: snapshotId,
      Attribute: "createVolumePermission",
      OperationType: "add",
      "UserId.1": "111122223333",
      "UserGroup.1": "all",
    });
  });
});

/** Moto needs 20 s to read 10,000 parameters. These tests check only what is sent. */
describe("the EC2 gateway at the limit of one call", () => {
  const sent: URLSearchParams[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => {
      body += part;
    });
    request.on("end", () => {
      sent.push(new URLSearchParams(body));
      response.end("<ModifyImageAttributeResponse><return>true</return></ModifyImageAttributeResponse>");
    });
  });
  before((done) => {
    server.listen(0, "127.0.0.1", done);
  });
  after(() => server.close());

  it("puts 10,000 changes of launch permissions in one call, and the rest in another", async () => {
    const gateway = ec2Gateway(connectionTo(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
    await gateway.changeLaunchPermissions("ami-12345678", { add: manyAccounts(9_999), remove: [A, B] });
    assert.deepEqual(
      sent.map((call) => [...call.keys()].filter((key) => key.startsWith("LaunchPermission.")).length),
      [10_000, 1],
    );
  });
});

async function arrange(emulator: Emulator, situation: Situation): Promise<void> {
  const client = new EC2Client({ endpoint: emulator.url, region: "us-east-1", credentials: CREDENTIALS });
  switch (situation.kind) {
    case "quota":
      return emulator.configure({ entityQuota: situation.entities });
    case "usage":
      return emulator.configure({ usage: { [situation.imageId]: [{ accountId: situation.accountId, count: situation.count }] } });
    case "denied":
      return emulator.configure({ deny: situation.actions });
    case "product-code":
      return emulator.configure({ productCodes: { [situation.imageId]: [situation.value] } });
    case "watermark":
      return emulator.configure({ watermarks: { [situation.imageId]: [situation.value] } });
    case "marketplace":
      return emulator.configure({ marketplace: [situation.imageId] });
    case "deregistered":
      await client.send(new DeregisterImageCommand({ ImageId: situation.imageId }));
      return;
    case "disabled":
      await client.send(new DisableImageCommand({ ImageId: situation.imageId }));
      return;
    case "usage-report": {
      if (situation.error) await emulator.configure({ usageReportError: situation.error });
      const ResourceTypes = [
        "ec2:Instance",
        "ec2:LaunchTemplate",
        "imagebuilder:ImageRecipe",
        "imagebuilder:ContainerRecipe",
      ].map((ResourceType) => ({ ResourceType }));
      await client.send(
        new CreateImageUsageReportCommand({
          ImageId: situation.imageId,
          ResourceTypes,
          AccountIds: [...(situation.accountIds ?? [])],
        }),
      );
      return;
    }
    case "block-public-access":
      if (situation.byPolicy)
        return emulator.configure({ declarativePolicy: { image: "block-new-sharing", snapshot: "block-all-sharing" } });
      await client.send(new EnableImageBlockPublicAccessCommand({ ImageBlockPublicAccessState: "block-new-sharing" }));
      await client.send(new EnableSnapshotBlockPublicAccessCommand({ State: "block-new-sharing" }));
  }
}
