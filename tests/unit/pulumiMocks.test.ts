/** Unit tests as users write them: programs with this package and Pulumi's mocks, alone and with @pulumi/aws. */

import * as assert from "node:assert/strict";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { AmiLaunchPermissionSet, type AmiLaunchPermissionSetArgs } from "ami-launch-permissions";

const TYPE = "pulumi-nodejs:dynamic/ami-launch-permissions:AmiLaunchPermissionSet";
const IMAGE = "ami-0123456789abcdef0";
const COPY = "ami-0fedcba9876543210";

class Recorder implements pulumi.runtime.Mocks {
  readonly resources: pulumi.runtime.MockResourceArgs[] = [];
  readonly calls: pulumi.runtime.MockCallArgs[] = [];

  newResource(args: pulumi.runtime.MockResourceArgs) {
    this.resources.push(args);
    if (args.type === "aws:ec2/amiCopy:AmiCopy") return { id: COPY, state: { ...args.inputs, arn: `arn:${COPY}` } };
    if (args.type !== TYPE) return { id: `${args.name}-id`, state: args.inputs };
    const { accountIds = [] } = args.inputs;
    const grants = Object.fromEntries(accountIds.map((id: string) => [`account/${id}`, "launch"]));
    const state = { region: "us-east-1", ...args.inputs, ownerId: "123456789012", snapshotIds: ["snap-1"], grants };
    return { id: args.inputs.imageId, state };
  }

  call(args: pulumi.runtime.MockCallArgs) {
    this.calls.push(args);
    return args.token === "aws:ec2/getAmi:getAmi" ? { id: IMAGE, imageId: IMAGE, name: "golden-2", ...args.inputs } : {};
  }

  get sets() {
    return this.resources.filter(({ type }) => type === TYPE);
  }
}

for (const preview of [false, true])
  describe(`a program under Pulumi's mocks, ${preview ? "previewed" : "run"}`, () => {
    let mocks: Recorder;
    beforeEach(async () => {
      mocks = new Recorder();
      await pulumi.runtime.setMocks(mocks, "project", "stack", preview);
    });

    it("declares one resource, with the type and the inputs given", async () => {
      const args: AmiLaunchPermissionSetArgs = {
        imageId: IMAGE,
        accountIds: ["111122223333", pulumi.output("444455556666")],
        createVolumePermissions: { accountIds: ["111122223333"] },
        mode: "additive",
        onDelete: "retain",
        assumeRole: { roleArn: "arn:aws:iam::123456789012:role/sharing" },
      };
      await settled(new AmiLaunchPermissionSet("golden", args).urn);
      assert.equal(mocks.resources.length, 1);
      const [{ type, name, custom, id, inputs }] = mocks.resources as [pulumi.runtime.MockResourceArgs];
      assert.deepEqual({ type, name, custom, id }, { type: TYPE, name: "golden", custom: true, id: "" });
      const { __provider, __context, ...given } = inputs;
      assert.deepEqual(given, { ...args, accountIds: ["111122223333", "444455556666"] });
      assert.match(__provider, /^exports\.handler = /);
    });

    it("has every output", async () => {
      const set = new AmiLaunchPermissionSet("golden", { imageId: IMAGE, accountIds: ["111122223333"] });
      const { id, imageId, region, ownerId, snapshotIds, grants } = set;
      assert.deepEqual(await settled(pulumi.output({ id, imageId, region, ownerId, snapshotIds, grants })), {
        id: IMAGE,
        imageId: IMAGE,
        region: "us-east-1",
        ownerId: "123456789012",
        snapshotIds: ["snap-1"],
        grants: { "account/111122223333": "launch" },
      });
      assert.equal(await settled(set.urn), `urn:pulumi:stack::project::${TYPE}::golden`);
    });

    it("omits an unknown input, and keeps the other inputs", async () => {
      // An output as the SDK makes it if only the update will know the value.
      const unknown = new (pulumi.Output as unknown as new (...args: unknown[]) => pulumi.Output<string>)(
        new Set(),
        Promise.resolve(undefined),
        Promise.resolve(false),
        Promise.resolve(false),
        Promise.resolve(new Set()),
      );
      await settled(new AmiLaunchPermissionSet("golden", { imageId: unknown, accountIds: ["111122223333"] }).urn);
      assert.notEqual(mocks.sets[0]?.inputs.imageId, IMAGE);
      assert.deepEqual(mocks.sets[0]?.inputs.accountIds, ["111122223333"]);
    });

    it("accepts the image id of aws.ec2.getAmi and of an aws.ec2.AmiCopy", async () => {
      const newest = aws.ec2.getAmiOutput({
        owners: ["self"],
        mostRecent: true,
        filters: [{ name: "name", values: ["golden-*"] }],
      });
      const found = new AmiLaunchPermissionSet("newest", { imageId: newest.imageId, accountIds: ["111122223333"] });
      const copy = new aws.ec2.AmiCopy("copy", { sourceAmiId: newest.id, sourceAmiRegion: "us-east-1", region: "eu-west-1" });
      const shared = new AmiLaunchPermissionSet(
        "copied",
        { imageId: copy.id, region: copy.region, accountIds: found.grants.apply((grants) => Object.keys(grants).map(accountOf)) },
        { dependsOn: [copy] },
      );
      assert.deepEqual(await settled(pulumi.all([found.imageId, shared.imageId, shared.region])), [IMAGE, COPY, "eu-west-1"]);
      assert.deepEqual(await settled(shared.grants), { "account/111122223333": "launch" });
      assert.deepEqual(
        mocks.calls.map(({ token }) => token),
        ["aws:ec2/getAmi:getAmi"],
      );
      assert.deepEqual(
        mocks.sets.map(({ name, inputs }) => [name, inputs.imageId]),
        [
          ["newest", IMAGE],
          ["copied", COPY],
        ],
      );
    });

    it("runs examples/newest-ami-by-name", async () => {
      pulumi.runtime.setAllConfig({ "project:amiName": "golden-*", "project:accountIds": "[111122223333]" });
      const program = require.resolve("../../examples/newest-ami-by-name");
      delete require.cache[program];
      const { imageId, name, grants } = require(program);
      assert.deepEqual(await settled(pulumi.output({ imageId, name, grants })), {
        imageId: IMAGE,
        name: "golden-2",
        grants: { "account/111122223333": "launch" },
      });
      assert.deepEqual(mocks.calls[0]?.inputs.filters[0], { name: "name", values: ["golden-*"] });
      assert.equal(mocks.sets[0]?.inputs.createVolumePermissions, true);
      pulumi.runtime.setAllConfig({});
    });

    it("has stack traces again after a set, and after one that cannot be made, whose error says where that was", () => {
      const limit = Error.stackTraceLimit;
      new AmiLaunchPermissionSet("golden", { imageId: IMAGE });
      assert.equal(Error.stackTraceLimit, limit);
      assert.throws(
        () => new AmiLaunchPermissionSet("", { imageId: IMAGE }),
        ({ stack = "" }: Error) => stack.includes(__filename),
      );
      assert.equal(Error.stackTraceLimit, limit);
    });

    it("refuses the option import, which Pulumi does not have for dynamic resources", () => {
      assert.throws(() => new AmiLaunchPermissionSet("golden", { imageId: IMAGE }, { import: IMAGE }), {
        message: /^set "golden": Pulumi cannot import dynamic resources; leave out the option import/,
      });
      assert.deepEqual(mocks.resources, []);
    });
  });

function accountOf(grantee: string): string {
  return grantee.replace("account/", "");
}

function settled<Value>(output: pulumi.Output<Value>): Promise<pulumi.Unwrap<Value>> {
  return new Promise((resolve) => {
    output.apply(resolve as never);
  });
}
