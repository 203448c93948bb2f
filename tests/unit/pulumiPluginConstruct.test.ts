/** The component SharedAmi of the full provider: what it registers with the engine's resource monitor, which is a recorder here. */

import * as assert from "node:assert/strict";
import * as grpc from "@grpc/grpc-js";
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import { ResourceMonitorService } from "@pulumi/pulumi/proto/resource_grpc_pb";
import {
  type RegisterResourceOutputsRequest,
  type RegisterResourceRequest,
  RegisterResourceResponse,
} from "@pulumi/pulumi/proto/resource_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { PULUMI_UNKNOWN, SECRET_MARK, SIGNATURE } from "../../provider/pulumi/sdkInternals";
import { construct } from "../../provider/pulumi-plugin/construct";
import { DYNAMIC_SET_TYPE, SET_TYPE, SHARED_AMI_TYPE } from "../../provider/pulumi-plugin/names";
import { structOf } from "../../provider/pulumi-plugin/values";

type Props = Record<string, unknown>;

const COPY = "aws:ec2/amiCopy:AmiCopy";
const [HOME, FAR, SOURCE] = ["ami-0123456789abcdef0", "ami-0fedcba9876543210", "ami-00000000000000001"] as const;
const SELF = "urn:pulumi:test::p::pulumi:providers:ami-launch-permissions::default::id";
const [A, B] = ["111122223333", "444455556666"] as const;
const MAX = 1e6;
const secret = (value: unknown) => ({ [SIGNATURE]: SECRET_MARK, value });
const urnOf = (name: string) => `urn:pulumi:test::p::t::${name}`;

describe("the full Pulumi provider's SharedAmi over gRPC", () => {
  let monitor: grpc.Server;
  let address: string;
  let registered: RegisterResourceRequest[];
  let ended: { urn: string; outputs: Props } | undefined;
  /** Whether copies have no id yet, as in a preview. */
  let isPreview: boolean;
  let refusal: string;

  beforeEach(async () => {
    [registered, ended, isPreview, refusal] = [[], undefined, false, ""];
    monitor = new grpc.Server();
    monitor.addService(ResourceMonitorService as unknown as grpc.ServiceDefinition, {
      registerResource: (
        { request }: grpc.ServerUnaryCall<RegisterResourceRequest, RegisterResourceResponse>,
        done: grpc.sendUnaryData<RegisterResourceResponse>,
      ) => {
        registered.push(request);
        if (refusal !== "" && request.getCustom()) return done({ code: grpc.status.UNKNOWN, details: refusal });
        const inputs = inputsOf(request);
        const response = new RegisterResourceResponse();
        response.setUrn(urnOf(`${request.getType()}::${request.getName()}`));
        if (request.getType() === COPY && !isPreview) response.setId(`ami-copy-in-${inputs.region}`);
        const grants = isPreview ? PULUMI_UNKNOWN : { [`account/${A}`]: "launch" };
        response.setObject(structOf({ ...inputs, ...(request.getType() === SET_TYPE ? { grants } : {}) }));
        done(null, response);
      },
      registerResourceOutputs: (
        { request }: grpc.ServerUnaryCall<RegisterResourceOutputsRequest, Empty>,
        done: grpc.sendUnaryData<Empty>,
      ) => {
        ended = { urn: request.getUrn(), outputs: request.getOutputs()?.toJavaScript() as Props };
        done(null, new Empty());
      },
    });
    address = await new Promise((resolve, reject) => {
      monitor.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(`127.0.0.1:${port}`),
      );
    });
  });
  afterEach(() => monitor.forceShutdown());

  function requestOf(inputs: Props, from: Record<string, readonly string[]> = {}): messages.ConstructRequest {
    const request = new messages.ConstructRequest();
    request.setType(SHARED_AMI_TYPE);
    request.setName("golden");
    request.setParent(urnOf("parent"));
    request.setMonitorendpoint(address);
    request.setInputs(structOf(inputs));
    for (const [property, urns] of Object.entries(from)) {
      const dependencies = new messages.ConstructRequest.PropertyDependencies();
      dependencies.setUrnsList([...urns]);
      request.getInputdependenciesMap().set(property, dependencies);
    }
    return request;
  }

  function inputsOf(request: RegisterResourceRequest | undefined): Props {
    return (request?.getObject()?.toJavaScript() ?? {}) as Props;
  }

  const ofType = (type: string) => registered.filter((request) => request.getType() === type);
  const setIn = (region: string) => ofType(SET_TYPE).find((request) => request.getName() === `golden-${region}`);
  const dependenciesOf = (request: RegisterResourceRequest | undefined, property: string) =>
    request?.getPropertydependenciesMap().get(property)?.getUrnsList();

  it("registers the component, a set for each region below it, and the outputs", async () => {
    const args = { imageIds: { "us-east-1": HOME, "eu-west-1": FAR }, accountIds: [A], createVolumePermissions: true };
    const request = requestOf(args, { imageIds: [urnOf("image")], accountIds: [urnOf("accounts")] });
    request.setDependenciesList([urnOf("before")]);
    const response = await construct(request, SELF, MAX);
    const [component, ...children] = registered;
    assert.deepEqual(
      [component?.getType(), component?.getName(), component?.getParent(), component?.getCustom(), component?.getRemote()],
      [SHARED_AMI_TYPE, "golden", urnOf("parent"), false, false],
    );
    assert.deepEqual(component?.getDependenciesList(), [urnOf("before")]);
    assert.deepEqual(
      children.map((child) => child.getType()),
      [SET_TYPE, SET_TYPE],
    );
    for (const [region, imageId] of Object.entries(args.imageIds)) {
      const set = setIn(region);
      assert.deepEqual(inputsOf(set), { imageId, region, accountIds: [A], createVolumePermissions: true });
      assert.equal(set?.getParent(), response.getUrn());
      assert.deepEqual([set?.getCustom(), set?.getAcceptsecrets(), set?.getSupportspartialvalues()], [true, true, true]);
      assert.equal(set?.getProvider(), SELF);
      assert.deepEqual(
        set?.getAliasesList().map((alias) => alias.getSpec()?.getType()),
        [DYNAMIC_SET_TYPE],
      );
      assert.deepEqual(set?.getDependenciesList().sort(), [urnOf("accounts"), urnOf("before"), urnOf("image")]);
      assert.deepEqual(dependenciesOf(set, "imageId"), [urnOf("image")]);
      assert.deepEqual(dependenciesOf(set, "accountIds"), [urnOf("accounts")]);
      assert.deepEqual(dependenciesOf(set, "region"), []);
    }
    const grants = { [`account/${A}`]: "launch" };
    const outputs = { imageIds: args.imageIds, grants: { "us-east-1": grants, "eu-west-1": grants } };
    assert.deepEqual(response.getState()?.toJavaScript(), outputs);
    assert.deepEqual(ended, { urn: response.getUrn(), outputs });
    for (const property of ["imageIds", "grants"])
      assert.equal(response.getStatedependenciesMap().get(property)?.getUrnsList().length, 2);
  });

  it("makes copies with the user's package aws, and shares each; in a preview, their ids are not known", async () => {
    const args = {
      ...{ sourceImageId: SOURCE, sourceRegion: "us-east-1", regions: ["us-east-1", "eu-west-1"], accountIds: [A] },
      copy: { name: "golden", tags: { role: secret("golden") }, kmsKeyIds: { "eu-west-1": "arn:aws:kms:eu-west-1:1:key/1" } },
    };
    const from = { sourceImageId: [urnOf("source")], copy: [urnOf("key")] };
    await construct(requestOf(args, from), SELF, MAX);
    const [copy] = ofType(COPY);
    assert.deepEqual(inputsOf(copy), {
      ...{ name: "golden", tags: { role: secret("golden") }, region: "eu-west-1" },
      ...{ sourceAmiId: SOURCE, sourceAmiRegion: "us-east-1", encrypted: true, kmsKeyId: "arn:aws:kms:eu-west-1:1:key/1" },
    });
    assert.deepEqual([copy?.getProvider(), copy?.getVersion()], ["", ""]);
    assert.deepEqual(copy?.getDependenciesList().sort(), [urnOf("key"), urnOf("source")]);
    for (const property of ["name", "tags", "encrypted", "kmsKeyId"])
      assert.deepEqual(dependenciesOf(copy, property), [urnOf("key")], property);
    assert.deepEqual(
      [inputsOf(setIn("us-east-1")).imageId, inputsOf(setIn("eu-west-1")).imageId],
      [SOURCE, "ami-copy-in-eu-west-1"],
    );
    assert.deepEqual(dependenciesOf(setIn("us-east-1"), "imageId"), [urnOf("source")]);
    assert.deepEqual(dependenciesOf(setIn("eu-west-1"), "imageId"), [urnOf(`${COPY}::golden-eu-west-1`)]);

    [registered, isPreview] = [[], true];
    const response = await construct(requestOf(args, from), SELF, MAX);
    assert.equal(inputsOf(setIn("eu-west-1")).imageId, PULUMI_UNKNOWN);
    assert.deepEqual(response.getState()?.toJavaScript(), {
      imageIds: { "us-east-1": SOURCE, "eu-west-1": PULUMI_UNKNOWN },
      grants: { "us-east-1": PULUMI_UNKNOWN, "eu-west-1": PULUMI_UNKNOWN },
    });
  });

  it("passes secrets and unknown values on as they are, also those of a map that is a secret as a whole", async () => {
    const args = {
      imageIds: secret({ "us-east-1": HOME, "eu-west-1": PULUMI_UNKNOWN }),
      accountIds: secret([A, B]),
      neverRevoke: [PULUMI_UNKNOWN],
    };
    const response = await construct(requestOf(args), SELF, MAX);
    assert.deepEqual(inputsOf(setIn("us-east-1")), {
      ...{ imageId: secret(HOME), region: "us-east-1" },
      ...{ accountIds: secret([A, B]), neverRevoke: [PULUMI_UNKNOWN] },
    });
    assert.deepEqual(inputsOf(setIn("eu-west-1")).imageId, secret(PULUMI_UNKNOWN));
    const { imageIds } = response.getState()?.toJavaScript() as Props;
    assert.deepEqual(imageIds, { "us-east-1": secret(HOME), "eu-west-1": secret(PULUMI_UNKNOWN) });
  });

  it("gives the component the options, from which the engine lets the sets inherit; a given provider comes before its own", async () => {
    const request = requestOf({ imageIds: { "us-east-1": HOME }, accountIds: [A] });
    request.setProtect(true);
    request.setRetainondelete(false);
    request.setDeletedwith(urnOf("owner"));
    request.getProvidersMap().set("ami-launch-permissions", "given::id").set("aws", "aws::id");
    await construct(request, SELF, MAX);
    const [component] = registered;
    assert.deepEqual(
      [component?.getProtect(), component?.hasRetainondelete(), component?.getRetainondelete(), component?.getDeletedwith()],
      [true, true, false, urnOf("owner")],
    );
    assert.equal(component?.getProvidersMap().get("ami-launch-permissions"), "given::id");
    assert.equal(setIn("us-east-1")?.getProvider(), "");
    assert.equal(setIn("us-east-1")?.hasProtect(), false);
  });

  for (const [what, args, words] of [
    ["nothing to share", {}, /nothing to share/],
    ["regions that are not known", { imageIds: PULUMI_UNKNOWN }, /imageIds is an output, and its regions/],
    [
      "a region that is a secret",
      { sourceImageId: SOURCE, sourceRegion: secret("us-east-1"), regions: ["eu-west-1"] },
      /sourceRegion is an output/,
    ],
    ["both forms", { imageIds: { "us-east-1": HOME }, regions: ["eu-west-1"] }, /regions asks for copies: give one or the other/],
    ["a region of a set", { imageIds: { "us-east-1": HOME }, region: "us-east-1" }, /there is no argument region/],
    [
      "copies by another account",
      { sourceImageId: SOURCE, sourceRegion: "us-east-1", regions: ["eu-west-1"], assumeRole: { roleArn: "arn" } },
      /assumeRole reaches the sets only/,
    ],
  ] as const)
    it(`refuses ${what} before it registers anything`, async () => {
      await assert.rejects(construct(requestOf(args), SELF, MAX), words);
      assert.deepEqual(registered, []);
    });

  it("fails as the engine's answer says", async () => {
    refusal = "resource monitor shut down";
    await assert.rejects(
      construct(requestOf({ imageIds: { "us-east-1": HOME } }), SELF, MAX),
      /^Error: resource monitor shut down$/,
    );
    assert.equal(ended, undefined);
  });
});
