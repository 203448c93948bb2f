/** The reports of a set with the real CLI: in a preview what EC2 has and what will change, in an up what was done. */

import * as assert from "node:assert/strict";
import { useEmulator } from "../helpers/emulator";
import { PulumiProject, reportsIn } from "../helpers/pulumiProject";

const [FIRST, SECOND, THIRD, ELSE] = ["111122223333", "444455556666", "777788889999", "999900001111"] as const;

describe("the live report", function () {
  this.timeout(300_000);
  const emulator = useEmulator();
  let project: PulumiProject;
  before(async () => {
    project = await PulumiProject.create(emulator());
  });
  after(() => project.remove());

  async function preview(...args: string[]): Promise<string[]> {
    return reportsIn(await project.preview(...args));
  }

  it("of a create lists existing grants and revocations before the up, and what was done after it", async () => {
    const { imageId, snapshotIds } = await emulator().image({
      snapshots: 1,
      launchPermissions: [{ UserId: FIRST }, { UserId: ELSE }],
    });
    project.config({ imageId, accountIds: [FIRST, SECOND], createVolumePermissions: true });
    const lines = (heading: string) => [
      `AMI ${imageId} in us-east-1: ${heading}`,
      `  + createVolume (new): account/${FIRST}`,
      `  + launch, createVolume (new): account/${SECOND}`,
      `  - launch (set elsewhere): account/${ELSE}`,
      `  = launch (has it already): account/${FIRST}`,
      "  broadens access: 2 grantees may copy the disks (createVolume)",
      `  snapshots: ${snapshotIds[0]}`,
      "  calls: 1 ModifySnapshotAttribute, 1 ModifyImageAttribute",
    ];
    await emulator().forgetCalls();
    assert.deepEqual(await preview(), lines("2 gain, 1 loses access"));
    assert.deepEqual((await emulator().calls()).map(({ action }) => action).sort(), [
      "DescribeImageAttribute",
      "DescribeImages",
      "DescribeSnapshotAttribute",
    ]);
    await emulator().forgetCalls();
    assert.deepEqual(reportsIn(await project.up()), lines("2 gained, 1 lost access"));
    assert.deepEqual(await emulator().modifications(), [
      `ModifySnapshotAttribute ${snapshotIds[0]}`,
      `ModifyImageAttribute ${imageId}`,
    ]);
    await emulator().forgetCalls();
    assert.deepEqual(await preview(), [], "no change, so no report");
    assert.deepEqual(reportsIn(await project.up()), []);
    assert.deepEqual(await emulator().calls(), []);
  });

  it("of a change lists whose grants go, what drifted, and what the diff cannot show", async () => {
    const { imageId } = await emulator().image({ snapshots: 0 });
    project.config({ imageId, accountIds: [FIRST, SECOND] });
    await project.up();
    await emulator().aws(
      ...["ec2", "modify-image-attribute", "--image-id", imageId, "--launch-permission", `Add=[{UserId=${ELSE}}]`],
    );
    // The first account cancels its own launch permission.
    await emulator().awsAs(FIRST, "ec2", "cancel-image-launch-permission", "--image-id", imageId);
    project.config({ imageId, accountIds: [FIRST, THIRD] });
    assert.deepEqual(await preview(), [
      `AMI ${imageId} in us-east-1: 2 gain, 2 lose access`,
      `  + launch (new): account/${THIRD}`,
      `  + launch (drifted: taken away outside this set): account/${FIRST}`,
      `  - launch (granted by this set): account/${SECOND}`,
      `  - launch (set elsewhere, and not in the state): account/${ELSE}`,
      "  calls: 1 ModifyImageAttribute",
    ]);
    await project.up();
    assert.deepEqual(await emulator().launchers(imageId), [FIRST, THIRD]);

    const other = await emulator().image({ snapshots: 0, launchPermissions: [{ UserId: SECOND }] });
    project.config({ imageId: other.imageId, accountIds: [FIRST, SECOND], mode: "additive" });
    assert.deepEqual(await preview(), [
      `AMI ${other.imageId} in us-east-1: 1 gains, 1 keeps access`,
      `  + launch (new): account/${FIRST}`,
      "  = launch (found in place: not granted by this set, which will not",
      `      revoke it): account/${SECOND}`,
      "  calls: 1 ModifyImageAttribute",
      `  then AMI ${imageId}, whose set is replaced, is unshared: 2`,
      "      lose access to it, as recorded",
      `    - launch (granted by this set; 2): account/${FIRST},`,
      `      account/${THIRD}`,
      "  note: if the last up recorded retainOnDelete for it, everybody keeps access",
      "  note: the same holds for deletedWith, if that resource is deleted too",
    ]);
    await project.up();
    assert.deepEqual(await emulator().launchers(imageId), []);
    project.config({ imageId: other.imageId, accountIds: [], mode: "additive" });
    const text = await project.preview();
    assert.match(text, new RegExp(`- account/${SECOND}: "launch"`), "the diff shows only what was recorded");
    const lines = [
      `  - launch (granted by this set): account/${FIRST}`,
      `  = launch (stays: set elsewhere, and the mode is additive):`,
      `      account/${SECOND}`,
      "  calls: 1 ModifyImageAttribute",
    ];
    assert.deepEqual(reportsIn(text), [`AMI ${other.imageId} in us-east-1: 1 loses, 1 keeps access`, ...lines]);
    assert.deepEqual(reportsIn(await project.up()), [`AMI ${other.imageId} in us-east-1: 1 lost, 1 kept access`, ...lines]);
    assert.deepEqual(await emulator().launchers(other.imageId), [SECOND]);
  });

  it("says what cannot be read, and the preview continues", async () => {
    const { imageId } = await emulator().image({ snapshots: 0 });
    project.config({ imageId, accountIds: [FIRST] });
    await emulator().configure({ deny: ["ec2:DescribeImageAttribute"] });
    assert.match(
      await project.preview(),
      new RegExp(`warning: AMI ${imageId}: EC2 cannot be read, so this preview shows only what was recorded: .*not-authorized`),
    );
    await emulator().configure({ deny: [] });
    project.config({ imageId: "ami-0ffffffffffffffff", accountIds: [FIRST] });
    assert.match(await project.preview(), /warning: will fail: there is no AMI ami-0ffffffffffffffff in us-east-1/);
    project.config({ imageId, accountIds: [FIRST], endpoint: "http://127.0.0.1:9" });
    assert.match(await project.preview(), /EC2 cannot be read, .*\[endpoint-unreachable\]/);
    await emulator().configure({ imagePendingReads: { [imageId]: 2 } });
    project.config({ imageId, accountIds: [FIRST] });
    assert.match(await project.preview(), /note: the AMI is pending: the change waits for it, 20 minutes at most/);
    await project.up();
    assert.deepEqual(await emulator().launchers(imageId), [FIRST]);
  });

  it("stays short with 500 accounts", async () => {
    const { imageId } = await emulator().image({ snapshots: 0 });
    project.config({ imageId, accountIds: Array.from({ length: 500 }, (_, i) => String(300000000000 + i)) });
    const lines = await preview();
    assert.equal(lines[0], `AMI ${imageId} in us-east-1: 500 gain access`);
    assert.ok(lines.length < 12, lines.join("\n"));
    for (const line of lines) assert.ok(line.length <= 80, line);
    assert.match(lines.join(" "), /and\s+490 more/);
  });
});

describe("the preflight checks", function () {
  this.timeout(300_000);
  const emulator = useEmulator();
  let project: PulumiProject;
  before(async () => {
    project = await PulumiProject.create(emulator());
  });
  after(() => project.remove());

  const everybody = { public: true, acknowledgePublic: true };
  const rules: readonly {
    name: string;
    image: () => Promise<Record<string, unknown>> | Record<string, unknown>;
    arrange?: (imageId: string) => Promise<unknown>;
    args: Record<string, unknown>;
    says: RegExp;
    /** Something else in the same update may fix it: the preview warns, and does not fail. */
    warns?: boolean;
  }[] = [
    {
      name: "aws-managed-key",
      image: () => ({ snapshots: 2, encrypted: true }),
      args: { accountIds: [FIRST], createVolumePermissions: true },
      says: /cannot be shared: snapshots snap-\w+, snap-\w+ are encrypted under the AWS managed key \(alias\/aws\/ebs\)/,
    },
    {
      name: "encrypted-for-everybody",
      image: async () => ({ snapshots: 1, kmsKeyId: await emulator().kmsKey() }),
      args: everybody,
      says: /cannot be public: snapshot snap-\w+ is encrypted/,
    },
    {
      name: "product-code-for-everybody",
      image: () => ({ snapshots: 1 }),
      arrange: (imageId) => emulator().configure({ productCodes: { [imageId]: ["abc123"] } }),
      args: everybody,
      says: /cannot be public: it has the AWS Marketplace product code abc123/,
    },
    {
      name: "watermark-for-everybody",
      image: () => ({ snapshots: 1 }),
      arrange: (imageId) => emulator().configure({ watermarks: { [imageId]: ["123456789012:mark"] } }),
      args: { ...everybody, createVolumePermissions: true },
      says: /cannot be public: it has the watermark 123456789012:mark/,
    },
    {
      name: "block-public-access-of-images",
      image: () => ({ snapshots: 1, region: "eu-west-1" }),
      arrange: () =>
        emulator().aws(
          ...["ec2", "enable-image-block-public-access", "--image-block-public-access-state", "block-new-sharing"],
          ...["--region", "eu-west-1"],
        ),
      args: { ...everybody, createVolumePermissions: true, region: "eu-west-1" },
      says: /block public access is on for AMIs: .* cannot be made public/,
      warns: true,
    },
    {
      name: "block-public-access-of-snapshots",
      image: () => ({ snapshots: 1, region: "eu-west-2" }),
      arrange: () =>
        emulator().aws(
          ...["ec2", "enable-snapshot-block-public-access", "--state", "block-all-sharing", "--region", "eu-west-2"],
        ),
      args: { ...everybody, createVolumePermissions: true, region: "eu-west-2" },
      says: /block public access is on for snapshots: .* cannot be made public/,
      warns: true,
    },
    {
      name: "of-another-account",
      image: () => ({ snapshots: 1, accountId: "222222222222", launchPermissions: [{ UserId: "123456789012" }] }),
      args: { accountIds: [FIRST] },
      says: /belongs to another account.*\[not-owner\]/,
    },
    {
      name: "disabled",
      image: () => ({ snapshots: 1 }),
      arrange: (imageId) => emulator().aws("ec2", "disable-image", "--image-id", imageId),
      args: { accountIds: [FIRST] },
      says: /is disabled; enable it first/,
      warns: true,
    },
    {
      name: "failed",
      image: () => ({ snapshots: 1 }),
      arrange: (imageId) => emulator().configure({ imageStates: { [imageId]: "failed" } }),
      args: { accountIds: [FIRST] },
      says: /is failed; only an available AMI can be shared/,
      warns: true,
    },
    {
      name: "absent",
      image: () => ({ snapshots: 1 }),
      arrange: (imageId) => emulator().aws("ec2", "deregister-image", "--image-id", imageId),
      args: { accountIds: [FIRST] },
      says: /there is no AMI/,
      warns: true,
    },
    {
      name: "too-many-revocations",
      image: () => ({ snapshots: 1, launchPermissions: [{ UserId: ELSE }] }),
      args: { accountIds: [FIRST], maxRevocations: "none" },
      says: /would take access from 1 grantee \(account\/999900001111\), and maxRevocations is 0/,
    },
  ];

  it("reports each refusal in the preview, and in the up before anything is changed", async () => {
    const sets: Record<string, unknown>[] = [];
    for (const { name, image, arrange, args } of rules) {
      const { imageId } = await emulator().image(await image());
      await arrange?.(imageId);
      sets.push({ name, imageId, ...args });
    }
    project.config({ sets });
    const { output: preview } = await project.fail("preview", "--diff");
    const { output: up } = await project.fail("up", "--yes", "--skip-preview", "--continue-on-error");
    for (const [i, { name, says, warns }] of rules.entries()) {
      const about = (text: string) => aboutImage(text, String(sets[i]?.imageId));
      assert.match(about(preview), says, name);
      assert.match(about(preview), /will fail: /, name);
      assert.match(about(preview), warns ? /^warning: / : /^error: /, name);
      assert.match(about(up), says, `${name}, up`);
    }
    assert.deepEqual(await emulator().modifications(), []);
    assert.deepEqual((await project.state()).sets, []);
    project.config({ sets: sets.filter((_, i) => rules[i]?.warns) });
    assert.match(await project.preview(), /will fail: /, "a problem that may be fixed by then does not fail the preview");
  });

  /** All messages about an image, as one line. */
  function aboutImage(output: string, imageId: string): string {
    const parts = output
      .split(/^(?= *(?:error|warning): )/m)
      .filter((part) => /^ *(error|warning): /.test(part) && part.includes(imageId));
    return parts.join(" ").trim().replace(/\s+/g, " ");
  }

  it("of 1,001 accounts warns of the quota, and if EC2 refuses, the snapshots are unchanged", async () => {
    const { imageId, snapshotIds } = await emulator().image({ snapshots: 1 });
    const accountIds = Array.from({ length: 1001 }, (_, i) => String(300000000000 + i));
    project.config({ imageId, accountIds, createVolumePermissions: true });
    assert.match(
      (await project.preview()).replace(/\s+/g, " "),
      /would be shared with 1,001 .* the quota is 1,000 unless it was raised/,
    );
    const { output } = await project.fail("up", "--yes", "--skip-preview");
    assert.match(output, /would exceed a quota: You have reached your quota of 1000 .*\[quota-exceeded\]/);
    assert.deepEqual(await emulator().launchers(imageId), []);
    assert.deepEqual(await emulator().volumeCreators(snapshotIds[0] ?? ""), []);
    await emulator().configure({ entityQuota: 2000 });
    await project.up();
    assert.equal((await emulator().launchers(imageId)).length, 1001);
  });
});

describe("adopting an AMI", function () {
  this.timeout(300_000);
  const emulator = useEmulator();

  it("with the program that the command prints changes nothing in EC2, and nothing is left to do", async () => {
    const { imageId, snapshotIds } = await emulator().image({
      snapshots: 2,
      name: "golden",
      launchPermissions: [{ UserId: FIRST }, { Group: "all" }],
    });
    const [shared = ""] = [...snapshotIds].sort();
    await emulator().aws(
      ...["ec2", "modify-snapshot-attribute", "--snapshot-id", shared, "--attribute", "createVolumePermission"],
      ...["--operation-type", "add", "--user-ids", SECOND ?? ""],
    );
    const project = await PulumiProject.create(emulator(), { program: "" });
    try {
      const { output: program } = await project.node("node_modules/ami-launch-permissions/dist/cli/main.js", "adopt", imageId);
      project.program(program);
      await emulator().forgetCalls();
      const report = reportsIn(await project.preview());
      assert.equal(report[0], `AMI ${imageId} in us-east-1: nothing changes, 3 keep access`);
      await project.up();
      assert.deepEqual(await emulator().modifications(), []);
      assert.match(await project.preview("--refresh"), /2 unchanged/);
    } finally {
      project.remove();
    }
  });
});
