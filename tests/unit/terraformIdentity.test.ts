/** Resource identity: the values that identify a set, in every operation, in older states, and in imports. */

import * as assert from "node:assert/strict";
import { AmiSharingError, UNKNOWN } from "../../provider/core";
import { IDENTITY_SCHEMA, RESOURCE, RESOURCE_SCHEMA } from "../../provider/terraform/schema";
import { type DynamicValue, decodeValue, encodeValue, type ObjectValue } from "../../provider/terraform/values";
import { MemoryGateway, OWNER } from "../helpers/memoryGateway";
import { type Answer, ask, errors, MemoryTerraform } from "../helpers/memoryTerraform";

const [A, B] = ["111122223333", "444455556666"] as const;
const WAIT_OPTIONS = { timeout: 1, minDelay: 0.001, maxDelay: 0.002, absencePause: 0 };

function world() {
  const ec2 = new MemoryGateway();
  const [first, second] = [ec2.addImage(1), ec2.addImage(1)];
  const terraform = new MemoryTerraform({ makeGateway: () => ec2, waitOptions: WAIT_OPTIONS });
  const rpc = (name: string, request: object) => ask(terraform.server, name, { type_name: RESOURCE, ...request });
  return { ec2, imageId: first.imageId, other: second.imageId, terraform, rpc };
}

const of = (imageId: string) => ({ image_id: imageId, region: "us-east-1", account_id: OWNER });
const data = (identity: ObjectValue) => ({ identity_data: encodeValue(identity, IDENTITY_SCHEMA) });
const told = (message: unknown) => decodeValue((message as { identity_data?: DynamicValue } | undefined)?.identity_data);

describe("a set's identity", () => {
  it("is the AMI, its region and its owner's account; an import needs only the AMI", async () => {
    const { identity_schemas } = await world().rpc("GetResourceIdentitySchemas", {});
    const { version, identity_attributes } = (identity_schemas as Record<string, Record<string, unknown>>)[RESOURCE] ?? {};
    const attributes = (identity_attributes as Record<string, unknown>[]).map((one) => [
      one.name,
      String(one.type),
      one.required_for_import,
      one.optional_for_import,
    ]);
    assert.deepEqual(
      [version, attributes],
      [
        0,
        [
          ["image_id", '"string"', true, false],
          ["region", '"string"', false, true],
          ["account_id", '"string"', false, true],
        ],
      ],
    );
  });

  it("is returned by the create, and stays the same through updates, drift and refreshes, until the destroy", async () => {
    const { ec2, terraform, imageId } = world();
    await terraform.apply({ image_id: imageId, account_ids: [A] });
    assert.deepEqual(terraform.identity, of(imageId));
    ec2.grantees(imageId).add(`account/${B}`);
    await terraform.refresh();
    await terraform.apply({ image_id: imageId, account_ids: [B] });
    assert.deepEqual(terraform.identity, of(imageId));
    await terraform.destroy();
    assert.equal(terraform.identity, null);
  });

  it("changes with the AMI", async () => {
    const { terraform, imageId, other } = world();
    await terraform.apply({ image_id: imageId, account_ids: [A] });
    await terraform.apply({ image_id: other, account_ids: [A] });
    assert.deepEqual(terraform.identity, of(other));
  });

  it("is omitted from a plan with an unknown AMI, because it would be incomplete", async () => {
    const { terraform, imageId } = world();
    assert.equal((await terraform.plan({ image_id: UNKNOWN, account_ids: [A] })).identity, undefined);
    await terraform.apply({ image_id: imageId, account_ids: [A] });
    // The identity of an existing set is known, whatever else is unknown.
    const plan = await terraform.plan({ image_id: imageId, account_ids: UNKNOWN });
    assert.deepEqual(told(plan.identity), of(imageId));
  });

  it("is kept if an update, a destroy or a read fails", async () => {
    for (const step of ["update", "destroy", "read"] as const) {
      const { ec2, terraform, imageId } = world();
      await terraform.apply({ image_id: imageId, account_ids: [A] });
      const error = new AmiSharingError("not-authorized", "it failed");
      const matching = ({ action }: { action: string }) => /^Modify/.test(action) || step === "read";
      ec2.fail({ matching, error });
      const diagnostics =
        step === "update"
          ? await terraform.apply({ image_id: imageId, account_ids: [A, B] })
          : step === "destroy"
            ? await terraform.destroy()
            : await terraform.refresh();
      assert.equal(errors({ diagnostics }).length, 1, step);
      assert.deepEqual(terraform.identity, of(imageId), step);
    }
  });

  it("is added to an older state by the next read, and by a plan", async () => {
    const { terraform, imageId } = world();
    await terraform.apply({ image_id: imageId, account_ids: [A] });
    terraform.identity = null;
    assert.deepEqual(told((await terraform.plan({ image_id: imageId, account_ids: [A] })).identity), of(imageId));
    await terraform.refresh();
    assert.deepEqual(terraform.identity, of(imageId));
  });

  it("stays as recorded, even if the state has another owner later", async () => {
    const { terraform, imageId, rpc } = world();
    await terraform.apply({ image_id: imageId, account_ids: [A] });
    const recorded = { ...of(imageId), account_id: "999999999999" };
    const request = { current_state: encodeValue(terraform.state, RESOURCE_SCHEMA), current_identity: data(recorded) };
    assert.deepEqual(told((await rpc("ReadResource", request)).new_identity), recorded);
    terraform.identity = recorded;
    await terraform.apply({ image_id: imageId, account_ids: [B] });
    assert.deepEqual(terraform.identity, recorded);
  });

  it("is kept by a read with an unknown provider configuration", async () => {
    const { terraform, imageId, rpc } = world();
    await terraform.apply({ image_id: imageId, account_ids: [A] });
    const { PROVIDER_SCHEMA } = await import("../../provider/terraform/schema");
    await rpc("ConfigureProvider", { config: encodeValue({ region: UNKNOWN }, PROVIDER_SCHEMA) });
    await terraform.refresh();
    assert.deepEqual(terraform.identity, of(imageId));
  });

  it("is read in version 0; a newer version and invalid JSON are refused", async () => {
    const { imageId, rpc } = world();
    const upgrade = (version: number, text: string) =>
      rpc("UpgradeResourceIdentity", { version, raw_identity: { json: Buffer.from(text) } });
    const upgraded = await upgrade(0, JSON.stringify(of(imageId)));
    assert.deepEqual(told(upgraded.upgraded_identity), of(imageId));
    assert.match(errors(await upgrade(1, "{}"))[0]?.detail ?? "", /^It is of version 1, and this provider reads version 0:/);
    assert.match(errors(await upgrade(0, ""))[0]?.detail ?? "", /^It is of version 0 and not JSON/);
  });

  it("is kept by a move from another provider address; after a move from another type, the next read adds it", async () => {
    const { terraform, imageId, rpc } = world();
    await terraform.apply({ image_id: imageId, account_ids: [A] });
    const moved = async (source_type_name: string, source: unknown) => {
      const source_state = { json: Buffer.from(JSON.stringify(source)) };
      return rpc("MoveResourceState", {
        source_type_name,
        target_type_name: RESOURCE,
        source_provider_address: "x/y",
        source_state,
      });
    };
    assert.deepEqual(told((await moved(RESOURCE, terraform.state)).target_identity), of(imageId));
    const grant = await moved("aws_ami_launch_permission", { image_id: imageId, region: "us-east-1", account_id: A });
    assert.deepEqual([errors(grant), grant.target_identity], [[], undefined]);
    terraform.state = decodeValue(grant.target_state as DynamicValue);
    terraform.identity = null;
    await terraform.refresh();
    assert.deepEqual(terraform.identity, of(imageId));
  });
});

describe("an import by identity", () => {
  const byIdentity = async (identity: ObjectValue, before: (ec2: MemoryGateway, imageId: string) => void = () => undefined) => {
    const { ec2, imageId, rpc } = world();
    before(ec2, imageId);
    const named = { image_id: imageId, ...identity };
    const answer = await rpc("ImportResourceState", { id: "", identity: data(named) });
    return { answer, imageId };
  };
  const first = ({ imported_resources: resources }: Answer) =>
    (resources as { state: DynamicValue; identity: unknown }[])[0] ?? assert.fail("nothing was imported");

  for (const [what, identity] of Object.entries({
    "the AMI": {},
    "its region": { region: "us-east-1" },
    "its owner": { account_id: OWNER },
    "all of it": { region: "us-east-1", account_id: OWNER },
  } as Record<string, ObjectValue>))
    it(`that names ${what} returns the same state as an import by id, and the complete identity`, async () => {
      const share = (ec2: MemoryGateway, imageId: string) => void ec2.grantees(imageId).add(`account/${A}`);
      const { answer, imageId } = await byIdentity(identity, share);
      assert.deepEqual(answer.diagnostics, []);
      assert.deepEqual(told(first(answer).identity), of(imageId));
      const { account_ids, owner_id } = decodeValue(first(answer).state) ?? {};
      assert.deepEqual([account_ids, owner_id], [[A], OWNER]);
    });

  it("by id also returns the identity", async () => {
    const { imageId, rpc } = world();
    assert.deepEqual(told(first(await rpc("ImportResourceState", { id: `us-east-1/${imageId}` })).identity), of(imageId));
  });

  for (const [what, identity, detail] of [
    [
      "another owner",
      { account_id: A },
      /^AMI ami-\w+ belongs to account 123456789012, and the identity names 111122223333.*\[not-owner\]$/,
    ],
    ["a wrong owner", { account_id: "1234" }, /^account_id: "1234" has 4 digits, an account id has 12.*\[invalid-argument\]$/],
    [
      "a wrong region",
      { region: "nowhere" },
      /^region: "nowhere" is not a region; write one such as us-east-1 \[invalid-argument\]$/,
    ],
    [
      "a wrong AMI",
      { image_id: "golden" },
      /^image_id: "golden" is not an AMI id; write one such as ami-.* \[invalid-argument\]$/,
    ],
    ["an AMI that is not there", { image_id: "ami-0ffffffffffffffff" }, /\[image-not-found\]$/],
  ] as const)
    it(`that names ${what} returns an error, and imports nothing`, async () => {
      const { answer } = await byIdentity(identity);
      assert.deepEqual(answer.imported_resources, []);
      assert.match(errors(answer)[0]?.detail ?? "", detail);
    });

  it("of what the provider cannot read is reported as an error of the provider", async () => {
    const error = new AmiSharingError("credentials-missing", "there are none");
    const { answer } = await byIdentity({}, (ec2) => ec2.fail({ error }));
    assert.equal(errors(answer)[0]?.summary, "The provider has no AWS credentials");
  });
});
