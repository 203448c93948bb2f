/** getSharedAmis in a real program: the audit of a region, the number of its calls, and its errors for invalid arguments. */

import * as assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { getSharedAmis, getSharedAmisOutput } from "ami-launch-permissions";
import { useEmulator } from "../helpers/emulator";
import { PulumiProject } from "../helpers/pulumiProject";

const [FIRST, SECOND, OTHER] = ["111122223333", "444455556666", "222222222222"] as const;
const CALLER = "123456789012";

describe("getSharedAmis in a program", () => {
  const emulator = useEmulator();
  let project: PulumiProject;
  before(async () => {
    const program = `import * as pulumi from "@pulumi/pulumi";
import { getSharedAmis, getSharedAmisOutput } from "ami-launch-permissions";

const region = new pulumi.Config().require("region");
export = async () => {
  const own = await getSharedAmis({ owner: "self", region });
  const others = getSharedAmisOutput({ owner: "others", region: pulumi.output(region) });
  return { shared: own.filter(({ grants }) => Object.keys(grants).length > 0), others };
};
`;
    project = await PulumiProject.create(emulator(), { program });
  });
  after(() => project.remove());

  it("finds own AMIs with their grants, and those that others share with the caller", async () => {
    const region = "eu-central-1";
    const [shared, , received] = await emulator().images([
      {
        region,
        snapshots: 2,
        name: "golden",
        launchPermissions: [{ UserId: FIRST }],
        createVolumePermissions: [[{ UserId: SECOND }], []],
      },
      { region, snapshots: 1, name: "private" },
      { region, snapshots: 1, name: "theirs", accountId: OTHER, launchPermissions: [{ UserId: CALLER }] },
      { region, snapshots: 1, name: "everybody's", accountId: OTHER, launchPermissions: [{ Group: "all" }] },
      { region: "us-east-1", snapshots: 1, launchPermissions: [{ UserId: FIRST }] },
    ]);
    project.config({ region });
    await project.up();
    const outputs = (await project.outputs()) as { shared: Record<string, unknown>[]; others: unknown };
    assert.deepEqual(
      outputs.shared.map(({ imageId, name, region, grants }) => ({ imageId, name, region, grants })),
      [
        {
          imageId: shared?.imageId,
          name: "golden",
          region,
          grants: { [`account/${FIRST}`]: "launch", [`account/${SECOND}`]: `createVolume on ${shared?.snapshotIds[0]}` },
        },
      ],
    );
    assert.deepEqual(outputs.others, [
      { imageId: received?.imageId, region, ownerId: OTHER, name: "theirs", state: "available", encrypted: false },
    ]);
  });
});

describe("getSharedAmis", () => {
  const emulator = useEmulator();
  const connection = () => ({ region: "us-west-2", endpoint: emulator().url });
  const environment = { ...process.env };
  before(() => {
    for (const [name, value] of Object.entries(emulator().environment())) process.env[name] = value;
    delete process.env.AWS_ENDPOINT_URL;
  });
  // Other test files may run in the same process afterwards.
  after(() => {
    for (const name of Object.keys(process.env)) if (environment[name] === undefined) delete process.env[name];
    Object.assign(process.env, environment);
  });

  it("reads 50 AMIs with 2 snapshots each in 151 calls, or 51 without snapshots, with a single DescribeImages", async () => {
    const images = Array.from({ length: 50 }, () => ({
      region: "us-west-2",
      snapshots: 2,
      launchPermissions: [{ UserId: FIRST }],
    }));
    const made = await emulator().images(images);
    const counted = async (includeSnapshots?: boolean) => {
      await emulator().forgetCalls();
      const options = includeSnapshots === undefined ? {} : { includeSnapshots };
      const found = await getSharedAmis({ owner: "self", ...connection(), ...options });
      const ids = new Set(made.map(({ imageId }) => imageId));
      assert.equal(found.filter(({ imageId }) => ids.has(imageId)).length, 50);
      assert.deepEqual(
        found.map(({ imageId }) => imageId),
        found.map(({ imageId }) => imageId).sort(),
      );
      const calls: Record<string, number> = {};
      // The region also has moto's own AMIs, without snapshots. Only the AMIs of this test count.
      const resources = new Set(made.flatMap(({ imageId, snapshotIds }) => [imageId, ...snapshotIds, ""]));
      for (const { action, resource } of await emulator().calls())
        if (resources.has(resource)) calls[action] = (calls[action] ?? 0) + 1;
      return calls;
    };
    assert.deepEqual(await counted(), { DescribeImages: 1, DescribeImageAttribute: 50, DescribeSnapshotAttribute: 100 });
    assert.deepEqual(await counted(false), { DescribeImages: 1, DescribeImageAttribute: 50 });
  });

  it("reads all pages", async () => {
    const region = "sa-east-1";
    await emulator().images(
      Array.from({ length: 1001 }, () => ({ region, snapshots: 0, accountId: OTHER, launchPermissions: [{ UserId: CALLER }] })),
    );
    await emulator().forgetCalls();
    const found = await getSharedAmis({ owner: "others", ...connection(), region });
    assert.equal(new Set(found.map(({ imageId }) => imageId)).size, 1001);
    const calls = (await emulator().calls()).map(({ action }) => action);
    assert.deepEqual(calls, ["DescribeImages", "DescribeImages", "GetCallerIdentity"]);
  });

  it("reports a refusal of AWS in one line", async () => {
    await emulator().configure({ deny: ["ec2:DescribeImages"] });
    await assert.rejects(getSharedAmis({ owner: "self", ...connection() }), (error: Error) => {
      assert.ok(pulumi.RunError.isInstance(error));
      assert.match(error.message, /^getSharedAmis: the caller may not call ec2:DescribeImages .* \[not-authorized\]$/);
      return true;
    });
  });

  const mistakes: readonly [args: object, says: RegExp][] = [
    [{ owner: "amazon" }, /^getSharedAmis: owner: "amazon" is neither "self" nor "others" \[invalid-argument\]$/],
    [{}, /owner: undefined is neither/],
    [{ owner: "self", includeSnapshots: "no" }, /includeSnapshots: "no" is not true or false/],
    [{ owner: "self", filters: [] }, /there is no argument "filters"; the arguments are owner, includeSnapshots, region,/],
    [{ owner: "self", region: "virginia" }, /region: "virginia" is not a region; write one such as us-east-1/],
    [{ owner: "others", assumeRole: { roleArn: "admin" } }, /assumeRole\.roleArn: "admin" is not a role's ARN/],
  ];
  for (const [args, says] of mistakes)
    it(`refuses ${JSON.stringify(args)}`, async () => {
      assert.throws(
        () => getSharedAmis(args as { owner: "self" }),
        (error: Error) => {
          assert.ok(pulumi.RunError.isInstance(error));
          assert.match(error.message, says);
          return true;
        },
      );
      assert.deepEqual(await emulator().calls(), []);
    });

  it("has different types for own AMIs and AMIs of others", () => {
    // This does not run: the compiler's checks are the test.
    const typed = () => {
      const own = getSharedAmisOutput({ owner: "self" });
      const others = getSharedAmisOutput({ owner: "others", region: pulumi.output("us-east-1") });
      own.apply((amis) => amis.map(({ grants }) => grants));
      // @ts-expect-error: EC2 shows permissions to the owner only
      others.apply((amis) => amis.map(({ grants }) => grants));
    };
    assert.equal(typeof typed, "function");
  });
});
