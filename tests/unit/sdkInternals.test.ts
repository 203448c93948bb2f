/** The internals of the Pulumi SDK that this package uses exist and work as expected. A new SDK version that changes them fails here. */

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
    // The fields of the subclass are set later.
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

  it("mark unknown values and secrets as this package reads and writes them", async () => {
    const { unknownValue, specialSigKey, specialSecretSig } = pulumi.runtime;
    assert.deepEqual([PULUMI_UNKNOWN, SIGNATURE, SECRET_MARK], [unknownValue, specialSigKey, specialSecretSig]);
    await start(false);
    const sent = await pulumi.runtime.serializeProperties("test", { one: pulumi.secret("1") });
    assert.deepEqual(sent.one, { [SIGNATURE]: SECRET_MARK, value: "1" });
  });

  it("contain the file of the dynamic provider host, and the RPC of the engine's Cancel", () => {
    assert.match(require.resolve("@pulumi/pulumi/cmd/dynamic-provider/index.js"), HOST_FILE);
    const { ResourceProviderService } = require("@pulumi/pulumi/proto/provider_grpc_pb");
    assert.equal(ResourceProviderService.cancel.path, CANCEL_RPC);
  });

  it("give the value of an output, and whether it is known", async () => {
    await start(false);
    const known = output(new Plain("known"), "made");
    assert.deepEqual([await known.isKnown, await known.promise()], [true, "yes"]);
    await start(true);
    const [unknown, id] = ["made", "id"].map((name) => output(new Plain("planned"), name)) as [InternalOutput, InternalOutput];
    assert.equal(await unknown.isKnown, false);
    assert.equal(await unknown.promise(true), undefined);
    assert.equal(typeof (await id.isKnown), "boolean");
  });

  it("give the resources that are needed for arguments, also within lists and objects, and before their values are known", async () => {
    await start(false);
    const [one, two] = [new Plain("one"), new Plain("two")];
    const late = pulumi.output(new Promise<string>(() => undefined));
    const args = { plain: "a", late, list: [one.urn.apply((urn) => urn)], object: { inner: pulumi.all([two.id, late]) } };
    const { resources } = pulumi.output(args) as unknown as InternalOutput;
    assert.deepEqual([...resources()], [one, two]);
  });

  it("give the aliases of a resource, including those from its parents", async () => {
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

  it("show when a component, such as the stack, has created its resources", async () => {
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
