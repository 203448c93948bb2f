/** The internals of the Pulumi SDK that this package uses exist and work as expected. A new SDK that changes them fails here. */

import * as assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { aliasesOf } from "../../provider/pulumi/program";
import {
  CANCEL_RPC,
  HOST_FILE,
  type InternalOutput,
  output,
  PULUMI_UNKNOWN,
  programEnd,
  SECRET_MARK,
  SIGNATURE,
} from "../../provider/pulumi/sdkInternals";

class Plain extends pulumi.CustomResource {
  constructor(name: string, opts?: pulumi.CustomResourceOptions) {
    super("test:index:Plain", name, { made: undefined }, opts);
  }
}

class Group extends pulumi.ComponentResource<string> {
  constructor(
    name: string,
    private readonly work: Promise<string>,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("test:index:Group", name, {}, opts);
  }

  protected override async initialize(): Promise<string> {
    // The constructor's own fields come later.
    await new Promise((resolve) => setImmediate(resolve));
    return this.work;
  }
}

describe("the internals of the Pulumi SDK", () => {
  const start = (preview: boolean) =>
    pulumi.runtime.setMocks(
      {
        newResource: ({ name, inputs }) => ({ id: `${name}-id`, state: { ...inputs, ...(preview ? {} : { made: "yes" }) } }),
        call: ({ inputs }) => inputs,
      },
      "project",
      "stack",
      preview,
    );

  it("mark values on the wire as they are read and written here", async () => {
    const { unknownValue, specialSigKey, specialSecretSig } = pulumi.runtime;
    assert.deepEqual([PULUMI_UNKNOWN, SIGNATURE, SECRET_MARK], [unknownValue, specialSigKey, specialSecretSig]);
    await start(false);
    const sent = await pulumi.runtime.serializeProperties("test", { one: pulumi.secret("1") });
    assert.deepEqual(sent.one, { [SIGNATURE]: SECRET_MARK, value: "1" });
  });

  it("name the host of dynamic providers, and the RPC by which the engine cancels", () => {
    assert.match(require.resolve("@pulumi/pulumi/cmd/dynamic-provider/index.js"), HOST_FILE);
    const { ResourceProviderService } = require("@pulumi/pulumi/proto/provider_grpc_pb");
    assert.equal(ResourceProviderService.cancel.path, CANCEL_RPC);
  });

  it("tell of an output whether it is known, and its value all the same", async () => {
    await start(false);
    const known = output(new Plain("known"), "made");
    assert.deepEqual([await known.isKnown, await known.promise()], [true, "yes"]);
    await start(true);
    const [unknown, id] = ["made", "id"].map((name) => output(new Plain("planned"), name)) as [InternalOutput, InternalOutput];
    assert.equal(await unknown.isKnown, false);
    assert.equal(await unknown.promise(true), undefined);
    assert.equal(typeof (await id.isKnown), "boolean");
  });

  it("tell a resource's aliases, those of its parents included", async () => {
    await start(false);
    const outer = new Group("outer", Promise.resolve(""), { aliases: [{ name: "before" }, { type: "test:index:Before" }] });
    const inner = new Group("outer-inner", Promise.resolve(""), { parent: outer });
    const child = new Plain("child", { parent: inner, aliases: [{ name: "old" }] });
    const urns = await Promise.all(aliasesOf(child).map((one) => new Promise((resolve) => one.apply(resolve))));
    const of = (group: string, name: string) =>
      `urn:pulumi:stack::project::test:index:${group}$test:index:Group$test:index:Plain::${name}`;
    assert.deepEqual(
      new Set(urns),
      new Set([of("Group", "old"), of("Group", "child"), of("Before", "old"), of("Before", "child")]),
    );
  });

  it("tell when a component, such as the stack, has made what it holds", async () => {
    await start(false);
    let finish: (value: string) => void = () => undefined;
    const work = new Promise<string>((resolve) => {
      finish = resolve;
    });
    let ended = false;
    const end = programEnd(new Group("stack", work)).then(() => {
      ended = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(ended, false);
    finish("");
    await end;
    await programEnd(undefined);
  });
});
