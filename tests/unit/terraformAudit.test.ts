/** The data source `ami_launch_permission_audit`: its values in Terraform, its defaults, and what it refuses. */

import * as assert from "node:assert/strict";
import { AmiSharingError, UNKNOWN } from "../../provider/core";
import { AUDIT, AUDIT_SCHEMA, DATA_SOURCE, DATA_SOURCE_SCHEMA, PROVIDER_SCHEMA } from "../../provider/terraform/schema";
import { providerServer } from "../../provider/terraform/server";
import { type DynamicValue, decodeValue, encodeValue, type ObjectValue } from "../../provider/terraform/values";
import { MemoryGateway, OWNER } from "../helpers/memoryGateway";
import { ask, errors } from "../helpers/memoryTerraform";

const [A, B] = ["111122223333", "444455556666"] as const;

function world() {
  const ec2 = new MemoryGateway();
  const server = providerServer({ env: { AWS_REGION: "us-east-1" }, log: () => undefined, makeGateway: () => ec2 });
  const asked = (rpc: string, config: ObjectValue, type = AUDIT, schema = AUDIT_SCHEMA) =>
    ask(server, rpc, { type_name: type, config: encodeValue(config, schema) });
  const read = async (config: ObjectValue, type = AUDIT, schema = AUDIT_SCHEMA) => {
    const answer = await asked("ReadDataSource", config, type, schema);
    return { state: decodeValue(answer.state as DynamicValue), answer };
  };
  return { ec2, server, asked, read };
}
const amisOf = (state: ObjectValue | null) => state?.amis as unknown as Record<string, unknown>[];

describe("the data source ami_launch_permission_audit", () => {
  it("returns own AMIs by default, each with the values that the data source of one AMI returns", async () => {
    const { ec2, read } = world();
    const [first, second] = [ec2.addImage(2), ec2.addImage(1)];
    ec2.addImage(1, "222222222222");
    for (const key of [`account/${A}`, "public"]) ec2.grantees(first.imageId).add(key);
    ec2.grantees(first.snapshotIds[1] as string).add(`account/${B}`);
    ec2.encrypt(second.snapshotIds[0] as string, "arn:aws:kms:us-east-1:123456789012:key/own");
    const { state } = await read({});
    assert.deepEqual(
      [state?.owner, state?.include_snapshots, state?.region, state?.id],
      ["self", true, "us-east-1", "us-east-1"],
    );
    const alone = [];
    for (const { imageId } of [first, second]) {
      const { id: _, ...one } = (await read({ image_id: imageId }, DATA_SOURCE, DATA_SOURCE_SCHEMA)).state ?? {};
      alone.push({ ...one, state: null });
    }
    assert.deepEqual(amisOf(state), alone);
    assert.deepEqual(amisOf(state)[0]?.grants, {
      [`account/${A}`]: "launch",
      [`account/${B}`]: `createVolume on ${first.snapshotIds[1]}`,
      public: "launch",
    });
  });

  it("reads no snapshots if the configuration says so", async () => {
    const { ec2, read } = world();
    const { imageId, snapshotIds } = ec2.addImage(2);
    ec2.grantees(imageId).add(`account/${A}`);
    ec2.grantees(snapshotIds[0] as string).add(`account/${A}`);
    const { state } = await read({ include_snapshots: false });
    const [ami] = amisOf(state);
    assert.deepEqual([ami?.snapshots, ami?.snapshot_ids, ami?.grants], [[], [], { [`account/${A}`]: "launch" }]);
    assert.ok(!ec2.calls.some(({ action }) => action.includes("Snapshot")));
  });

  it("returns AMIs of others with what EC2 shows of them", async () => {
    const { ec2, read } = world();
    ec2.addImage(1);
    const { imageId } = ec2.addImage(1, "333333333333");
    ec2.grantees(imageId).add(`account/${OWNER}`);
    const { state } = await read({ owner: "others" });
    const told = Object.entries(amisOf(state)[0] ?? {}).filter(([, value]) => value !== null);
    assert.deepEqual(Object.fromEntries(told), {
      image_id: imageId,
      region: "us-east-1",
      owner_id: "333333333333",
      name: "model",
      state: "available",
      encrypted: false,
    });
  });

  it("refuses invalid arguments before it reads anything, and accepts unknown values", async () => {
    const { ec2, asked } = world();
    const details = async (config: ObjectValue) =>
      errors(await asked("ValidateDataResourceConfig", config)).map(({ detail }) => detail);
    assert.deepEqual(await details({ owner: "me" }), ['owner: "me" is not one of "self", "others" [invalid-argument]']);
    assert.match((await details({ region: "nowhere" }))[0] ?? "", /^region: "nowhere" is not a region/);
    assert.deepEqual(await details({ id: "x" }), ["id: is computed by the provider; leave it out [invalid-argument]"]);
    const unknown: ObjectValue = { owner: UNKNOWN, include_snapshots: UNKNOWN, region: UNKNOWN };
    for (const fine of [{}, unknown, { owner: "others" }]) assert.deepEqual(await details(fine), []);
    assert.deepEqual(ec2.calls, []);
  });

  it("fails completely if one AMI cannot be read, so that the result never looks complete", async () => {
    const { ec2, read } = world();
    ec2.addImage(0);
    ec2.fail({
      matching: ({ action }) => action === "DescribeImageAttribute",
      error: new AmiSharingError("not-authorized", "it failed"),
    });
    const { state, answer } = await read({});
    assert.equal(state, null);
    assert.deepEqual(
      errors(answer).map(({ summary, detail }) => [summary, detail]),
      [["The AMIs of the region cannot be read", "it failed [not-authorized]"]],
    );
  });

  it("reports an error of the provider as such, and a provider configuration that is not known yet", async () => {
    const { ec2, server, read } = world();
    ec2.fail({ error: new AmiSharingError("credentials-expired", "it failed") });
    assert.equal(errors((await read({})).answer)[0]?.summary, "The provider's AWS credentials have expired");
    await ask(server, "ConfigureProvider", { config: encodeValue({ profile: UNKNOWN }, PROVIDER_SCHEMA) });
    assert.match(errors((await read({ region: "us-east-1" })).answer)[0]?.detail ?? "", /not known yet.*\[region-missing\]$/);
  });

  it("refuses an unknown type of data source", async () => {
    for (const rpc of ["ReadDataSource", "ValidateDataResourceConfig"])
      assert.deepEqual(
        errors(await world().asked(rpc, {}, "ami_other")).map(({ summary, detail }) => [summary, detail]),
        [
          [
            "There is no ami_other",
            "The data sources that this provider has are ami_launch_permissions and ami_launch_permission_audit.",
          ],
        ],
      );
  });
});
