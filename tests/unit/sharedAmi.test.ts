/** SharedAmi with Pulumi's mocks: copies to other regions, with the types of @pulumi/aws 7, and every refusal. */

import * as assert from "node:assert/strict";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { SharedAmi, type SharedAmiArgs } from "ami-launch-permissions";

const SET = "pulumi-nodejs:dynamic/ami-launch-permissions:AmiLaunchPermissionSet";
const COPY = "aws:ec2/amiCopy:AmiCopy";
const SOURCE = "ami-0123456789abcdef0";
const [FIRST, SECOND] = ["111122223333", "444455556666"] as const;
const KEY = (region: string) => `arn:aws:kms:${region}:123456789012:key/own`;
/** The id that the mocks give the copy in a region. */
const copyIn = (region: string) => `ami-copy-in-${region}`;

class Recorder implements pulumi.runtime.Mocks {
  readonly resources: pulumi.runtime.MockResourceArgs[] = [];

  constructor(private readonly copiesAreUnknown = false) {}

  newResource(args: pulumi.runtime.MockResourceArgs) {
    this.resources.push(args);
    if (args.type === COPY)
      return { id: this.copiesAreUnknown ? undefined : copyIn(args.inputs.region), state: args.inputs } as {
        id: string;
        state: object;
      };
    if (args.type !== SET) return { id: `${args.name}-id`, state: args.inputs };
    const grants = Object.fromEntries((args.inputs.accountIds ?? []).map((id: string) => [`account/${id}`, "launch"]));
    return { id: `${args.inputs.imageId}`, state: { ...args.inputs, ownerId: "123456789012", snapshotIds: [], grants } };
  }

  call() {
    return {};
  }

  inputs(type: string): Record<string, unknown>[] {
    const found = this.resources.filter((resource) => resource.type === type);
    return found.map(({ name, inputs: { __provider, __context, ...inputs } }) => ({ [name]: inputs }));
  }
}

describe("SharedAmi under Pulumi's mocks", () => {
  let mocks: Recorder;
  async function use(recorder: Recorder, preview = false): Promise<void> {
    mocks = recorder;
    await pulumi.runtime.setMocks(mocks, "project", "stack", preview);
  }
  beforeEach(() => use(new Recorder()));

  it("copies to each region with AmiCopy of @pulumi/aws 7, shares each copy there, and the source in its own region", async () => {
    const parent = new pulumi.ComponentResource("test:index:Images", "images");
    const shared = new SharedAmi(
      "golden",
      {
        sourceImageId: pulumi.output(SOURCE),
        sourceRegion: "us-east-1",
        regions: ["us-east-1", "eu-west-1", "ap-southeast-2"],
        copy: { description: "golden", tags: { role: "golden" } },
        accountIds: [FIRST, pulumi.output(SECOND)],
        createVolumePermissions: true,
        neverRevoke: [FIRST],
      },
      { parent },
    );
    assert.equal(
      await settled(shared.urn),
      "urn:pulumi:stack::project::test:index:Images$ami-launch-permissions:index:SharedAmi::golden",
    );
    assert.deepEqual(await settled(shared.imageIds), {
      "us-east-1": SOURCE,
      "eu-west-1": copyIn("eu-west-1"),
      "ap-southeast-2": copyIn("ap-southeast-2"),
    });
    const grants = { [`account/${FIRST}`]: "launch", [`account/${SECOND}`]: "launch" };
    assert.deepEqual(await settled(shared.grants), { "us-east-1": grants, "eu-west-1": grants, "ap-southeast-2": grants });
    const from = { sourceAmiId: SOURCE, sourceAmiRegion: "us-east-1", description: "golden", tags: { role: "golden" } };
    assert.deepEqual(mocks.inputs(COPY), [
      { "golden-eu-west-1": { ...from, region: "eu-west-1" } },
      { "golden-ap-southeast-2": { ...from, region: "ap-southeast-2" } },
    ]);
    const alike = { accountIds: [FIRST, SECOND], createVolumePermissions: true, neverRevoke: [FIRST] };
    const inRegion = (region: string, imageId: string) => ({ [`golden-${region}`]: { ...alike, imageId, region } });
    assert.deepEqual(
      byName(mocks.inputs(SET)),
      byName([
        inRegion("us-east-1", SOURCE),
        inRegion("eu-west-1", copyIn("eu-west-1")),
        inRegion("ap-southeast-2", copyIn("ap-southeast-2")),
      ]),
    );
  });

  it("encrypts each copy under the key of its region", async () => {
    const kmsKeyIds = { "eu-west-1": KEY("eu-west-1"), "eu-north-1": pulumi.output(KEY("eu-north-1")) };
    const regions = ["eu-west-1", "eu-north-1"];
    await settled(new SharedAmi("golden", { ...copying, regions, copy: { name: "golden-2", kmsKeyIds } }).imageIds);
    const from = { name: "golden-2", sourceAmiId: SOURCE, sourceAmiRegion: "us-east-1", encrypted: true };
    assert.deepEqual(
      mocks.inputs(COPY),
      regions.map((region) => ({ [`golden-${region}`]: { ...from, region, kmsKeyId: KEY(region) } })),
    );
    await use(new Recorder());
    await settled(new SharedAmi("plain", { ...copying, copy: { encrypted: true } }).imageIds);
    const { "plain-eu-west-1": { encrypted, kmsKeyId } = {} } = mocks.inputs(COPY)[0] as Record<string, aws.ec2.AmiCopyArgs>;
    assert.deepEqual({ encrypted, kmsKeyId }, { encrypted: true, kmsKeyId: undefined });
  });

  it("previews copies that do not exist yet: their sets get an unknown id", async () => {
    await use(new Recorder(true), true);
    const shared = new SharedAmi("golden", { ...copying, regions: ["us-east-1", "eu-west-1"], accountIds: [FIRST] });
    await settled(shared.urn);
    // The engine shows the rest as unknown.
    assert.equal(await (shared.imageIds as unknown as { isKnown: Promise<boolean> }).isKnown, false);
    const [source, copy] = byName(mocks.inputs(SET))
      .reverse()
      .map((set) => Object.values(set)[0] as Record<string, unknown>);
    assert.deepEqual(source, { imageId: SOURCE, region: "us-east-1", accountIds: [FIRST] });
    assert.deepEqual({ region: copy?.region, accountIds: copy?.accountIds }, { region: "eu-west-1", accountIds: [FIRST] });
    assert.doesNotMatch(String(copy?.imageId), /^ami-/);
  });

  it("accepts existing images without resources of @pulumi/aws, with ids that are outputs", async () => {
    const imageIds = { "us-east-1": SOURCE, "eu-west-1": pulumi.output(copyIn("eu-west-1")) };
    const shared = new SharedAmi("golden", { imageIds, accountIds: [FIRST], mode: "additive", onDelete: "retain" });
    assert.deepEqual(await settled(shared.imageIds), { "us-east-1": SOURCE, "eu-west-1": copyIn("eu-west-1") });
    assert.deepEqual(mocks.inputs(COPY), []);
    const alike = { accountIds: [FIRST], mode: "additive", onDelete: "retain" };
    assert.deepEqual(byName(mocks.inputs(SET)), [
      { "golden-eu-west-1": { ...alike, imageId: copyIn("eu-west-1"), region: "eu-west-1" } },
      { "golden-us-east-1": { ...alike, imageId: SOURCE, region: "us-east-1" } },
    ]);
  });

  const existing = { imageIds: { "us-east-1": SOURCE } };
  const copying = { sourceImageId: SOURCE, sourceRegion: "us-east-1", regions: ["eu-west-1"] };
  const volumes = { createVolumePermissions: { snapshotIds: ["snap-0123456789abcdef0"] } };
  const refusals: readonly [name: string, args: object, says: RegExp][] = [
    ["both forms", { ...existing, ...copying }, /imageIds names AMIs that exist, and sourceImageId asks for copies: give one/],
    ["copy arguments for images that exist", { ...existing, copy: {} }, /and copy asks for copies/],
    ["neither form", { accountIds: [FIRST] }, /nothing to share: give imageIds, or sourceImageId, sourceRegion and regions/],
    ["a region of the set", { ...existing, region: "us-east-1" }, /there is no argument region/],
    ["no image", { imageIds: {} }, /imageIds is empty/],
    ["images that are no object", { imageIds: [SOURCE] }, /imageIds is not an object of region → AMI id/],
    [
      "images whose regions are not known",
      { imageIds: pulumi.output(existing.imageIds) },
      /imageIds is an output, and its regions/,
    ],
    [
      "an image's malformed region",
      { imageIds: { virginia: SOURCE } },
      /imageIds: "virginia" is not a region; write one such as us-east-1/,
    ],
    ["a malformed image", { imageIds: { "us-east-1": "golden" } }, /imageIds\["us-east-1"\]: "golden" is not an AMI id/],
    ["a region without an image", { imageIds: { "us-east-1": undefined } }, /imageIds\["us-east-1"\] is missing/],
    ["no source", { ...copying, sourceImageId: undefined }, /sourceImageId is missing/],
    ["a malformed source", { ...copying, sourceImageId: "golden" }, /sourceImageId: "golden" is not an AMI id/],
    ["no source region", { ...copying, sourceRegion: undefined }, /sourceRegion is missing/],
    ["a malformed source region", { ...copying, sourceRegion: "us" }, /sourceRegion: "us" is not a region/],
    ["no list of regions", { ...copying, regions: undefined }, /regions is not a list of regions/],
    ["no region", { ...copying, regions: [] }, /regions is empty/],
    ["a region twice", { ...copying, regions: ["eu-west-1", "eu-west-1"] }, /regions\[1\]: eu-west-1 is listed twice/],
    ["a malformed region", { ...copying, regions: ["eu-west-1", "eu-west"] }, /regions\[1\]: "eu-west" is not a region/],
    ["a region that is an output", { ...copying, regions: [pulumi.output("eu-west-1")] }, /regions\[0\] is an output/],
    [
      "an AMI of its own",
      { ...copying, imageId: "ami-12345678" },
      /there is no argument imageId: imageIds names .* \[invalid-argument\]$/,
    ],
    [
      "a misspelt argument of the copies",
      { ...copying, copy: { encrypt: true } },
      /copy has no argument "encrypt"; its arguments are name,/,
    ],
    ["copies that are a text", { ...copying, copy: "yes" }, /copy is not an object such as \{ name,/],
    ["copies that are null", { ...copying, copy: null }, /copy is not an object/],
    [
      "keys for copies that are not to be encrypted",
      { ...copying, copy: { encrypted: false, kmsKeyIds: { "eu-west-1": KEY("eu-west-1") } } },
      /copy\.kmsKeyIds names keys, and copy\.encrypted is false/,
    ],
    [
      "a key of another region",
      { ...copying, regions: ["eu-west-1"], copy: { kmsKeyIds: { "eu-west-1": KEY("us-west-2") } } },
      /copy\.kmsKeyIds\["eu-west-1"\] is a key in us-west-2/,
    ],
    [
      "the AWS managed key",
      { ...copying, regions: ["eu-west-1"], copy: { kmsKeyIds: { "eu-west-1": "alias/aws/ebs" } } },
      /is the AWS managed key, under which nothing can be shared/,
    ],
    [
      "a key for some copies only",
      { ...copying, regions: ["eu-west-1", "eu-north-1"], copy: { kmsKeyIds: { "eu-west-1": KEY("eu-west-1") } } },
      /copy\.kmsKeyIds has no key for eu-north-1/,
    ],
    [
      "a key where nothing is copied to",
      { ...copying, copy: { kmsKeyIds: { "eu-west-1": KEY("eu-west-1"), "us-east-1": KEY("us-east-1") } } },
      /has a key for us-east-1, where nothing is copied to/,
    ],
    [
      "snapshots of one region for many",
      { imageIds: { "us-east-1": SOURCE, "eu-west-1": SOURCE }, ...volumes },
      /createVolumePermissions\.snapshotIds: each region has snapshots of its own/,
    ],
    ["snapshots of copies", { ...copying, ...volumes }, /createVolumePermissions\.snapshotIds/],
    [
      "a connection of the sets that the copies lack",
      { ...copying, profile: "production" },
      /profile reaches the sets only, .* pass an aws\.Provider/,
    ],
  ];
  for (const [name, args, says] of refusals)
    it(`refuses ${name}, and registers nothing`, async () => {
      assert.throws(
        () => new SharedAmi("golden", args as SharedAmiArgs),
        (error: Error) => {
          assert.ok(pulumi.RunError.isInstance(error), String(error));
          assert.match(error.message, /^SharedAmi "golden": /);
          assert.match(error.message, says);
          return true;
        },
      );
      await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual(mocks.resources, []);
    });

  it("accepts its own connection with a provider for the copies, and snapshots of a single existing image", async () => {
    const provider = new aws.Provider("production", { profile: "production" });
    const shared = new SharedAmi("golden", { ...copying, profile: "production" }, { provider });
    await settled(shared.imageIds);
    const copy = mocks.resources.find(({ type }) => type === COPY);
    assert.match(copy?.provider ?? "", /pulumi:providers:aws::production::/);
    await settled(new SharedAmi("one", { ...existing, ...volumes }).imageIds);
    assert.deepEqual(mocks.inputs(SET).at(-1), { "one-us-east-1": { imageId: SOURCE, region: "us-east-1", ...volumes } });
  });
});

/** Sorts by name: registration waits for dependencies, so the order differs from the program's. */
function byName(resources: readonly Record<string, unknown>[]): Record<string, unknown>[] {
  const name = (resource: Record<string, unknown>) => Object.keys(resource)[0] as string;
  return [...resources].sort((a, b) => (name(a) < name(b) ? -1 : 1));
}

function settled<Value>(output: pulumi.Output<Value>): Promise<pulumi.Unwrap<Value>> {
  return new Promise((resolve) => {
    output.apply(resolve as never);
  });
}
