/** Sets without grantees that do not say that they mean nobody: refused in a declaration, but still read and destroyed if the state has them. */

import * as assert from "node:assert/strict";
import { DynamicProvider } from "../../provider/pulumi/dynamicProvider";
import { RESOURCE, RESOURCE_SCHEMA } from "../../provider/terraform/schema";
import { type DynamicValue, decodeValue, type Value } from "../../provider/terraform/values";
import { CheckFailed, MemoryEngine } from "../helpers/memoryEngine";
import { MemoryGateway } from "../helpers/memoryGateway";
import { ask, MemoryTerraform } from "../helpers/memoryTerraform";

const A = "111122223333";
const KEY_A = `account/${A}`;
const WAIT_OPTIONS = { timeout: 0.05, minDelay: 0.001, maxDelay: 0.002, absencePause: 0 };

function world() {
  const ec2 = new MemoryGateway();
  const image = ec2.addImage(1);
  const pulumi = new MemoryEngine(new DynamicProvider({ gateway: () => ec2, waitOptions: WAIT_OPTIONS }));
  return { ec2, pulumi, terraform: new MemoryTerraform({ makeGateway: () => ec2, waitOptions: WAIT_OPTIONS }), ...image };
}

describe("a set that names nobody", () => {
  it("is refused by check, without a call to EC2, and nobody loses access", async () => {
    const { ec2, pulumi, imageId } = world();
    await pulumi.up({ imageId, accountIds: [A] });
    ec2.forgetCalls();
    const failed = await pulumi.up({ imageId, createVolumePermissions: true }).catch((error) => error);
    assert.ok(failed instanceof CheckFailed, String(failed));
    assert.match(
      failed.message,
      /^accountIds: accountIds: no grantee is declared, .*write accountIds: \[\] if nobody is to have access.*\[invalid-argument\]$/,
    );
    assert.deepEqual([...ec2.grantees(imageId)], [KEY_A]);
    assert.deepEqual(ec2.calls, []);
  });

  it("is accepted with an empty list: everybody loses access", async () => {
    const { ec2, pulumi, imageId } = world();
    await pulumi.up({ imageId, accountIds: [A] });
    await pulumi.up({ imageId, accountIds: [] });
    assert.deepEqual([...ec2.grantees(imageId)], []);
  });

  it("is accepted in additive mode: it revokes what it granted, and nothing of others", async () => {
    const { ec2, pulumi, imageId } = world();
    ec2.grantees(imageId).add("account/444455556666");
    await pulumi.up({ imageId, mode: "additive", accountIds: [A] });
    await pulumi.up({ imageId, mode: "additive" });
    assert.deepEqual([...ec2.grantees(imageId)], ["account/444455556666"]);
  });

  it("is refreshed and destroyed if an older version recorded it", async () => {
    const { ec2, pulumi, imageId } = world();
    await pulumi.up({ imageId, accountIds: [] });
    const { accountIds: _, ...outputs } = pulumi.state?.outputs ?? {};
    pulumi.state = { id: imageId, inputs: { imageId, grants: {} }, outputs, unfinished: false };
    ec2.grantees(imageId).add(KEY_A);
    await pulumi.refresh();
    assert.deepEqual(pulumi.state?.outputs.grants, { [KEY_A]: "launch" });
    await pulumi.destroy();
    assert.equal(pulumi.state, undefined);
  });
});

describe("a set that names nobody on Terraform", () => {
  const words =
    /^account_ids: no grantee is declared, .*write account_ids = \[\] if nobody is to have access, or name somebody in account_ids, organization_arns or organizational_unit_arns, or with public = true \[invalid-argument\]/;

  it("is refused in the plan, without a call to EC2", async () => {
    const { ec2, terraform, imageId } = world();
    const [first, ...others] = (await terraform.plan({ image_id: imageId })).diagnostics;
    assert.deepEqual([first?.severity, others, ec2.calls], ["ERROR", [], []]);
    assert.match(first?.detail ?? "", words);
  });

  for (const order of ["first", "last"])
    it(`is refused before it can affect another set of the AMI, planned ${order}`, async () => {
      const { ec2, terraform, imageId } = world();
      const other = new MemoryTerraform({ makeGateway: () => ec2, waitOptions: WAIT_OPTIONS });
      // One process plans both sets.
      Object.assign(other, { server: terraform.server });
      const nobody = () => terraform.plan({ image_id: imageId });
      const early = order === "first" ? nobody() : undefined;
      const fine = other.plan({ image_id: imageId, account_ids: [A] });
      const refused = early ?? nobody();
      assert.match((await refused).diagnostics[0]?.detail ?? "", words);
      assert.deepEqual((await fine).diagnostics, []);
    });

  it("is refused if it named grantees before, and the error says how to destroy it", async () => {
    const { ec2, terraform, imageId } = world();
    await terraform.apply({ image_id: imageId, account_ids: [A] });
    for (const config of [{}, { public: false }, { create_volume_permissions: {} }] as Record<string, Value>[]) {
      const [first] = await terraform.apply({ image_id: imageId, ...config });
      assert.match(first?.detail ?? "", words);
      assert.match(first?.detail ?? "", /terraform destroy -refresh=false/);
      assert.deepEqual([...ec2.grantees(imageId)], [KEY_A]);
    }
    await terraform.destroy();
    assert.deepEqual([terraform.state, [...ec2.grantees(imageId)]], [null, []]);
  });

  it("is accepted with an empty or an unknown list", async () => {
    const { ec2, terraform, imageId } = world();
    await terraform.apply({ image_id: imageId, account_ids: [A] });
    assert.deepEqual(await terraform.apply({ image_id: imageId, account_ids: [] }), []);
    assert.deepEqual([...ec2.grantees(imageId)], []);
  });

  it("is refreshed, planned without a change, and destroyed if an older version recorded it without timeouts", async () => {
    const { ec2, terraform, imageId } = world();
    await terraform.apply({ image_id: imageId, account_ids: [] });
    const { timeouts: _, ...older } = terraform.state ?? {};
    terraform.state = { ...older, account_ids: null };
    assert.deepEqual(await terraform.refresh(), []);
    assert.deepEqual(Object.keys(terraform.state ?? {}), Object.keys(RESOURCE_SCHEMA.attributes));
    const { planned, diagnostics } = await terraform.plan({ image_id: imageId });
    assert.deepEqual([planned, diagnostics], [terraform.state, []]);
    // Somebody else shares the AMI: an apply does not revoke that without a warning.
    ec2.grantees(imageId).add(KEY_A);
    await terraform.refresh();
    assert.match((await terraform.plan({ image_id: imageId })).diagnostics[0]?.detail ?? "", words);
    await terraform.destroy();
    assert.equal(terraform.state, null);
  });

  it("is imported as account_ids = []", async () => {
    const { terraform, imageId } = world();
    const answer = await ask(terraform.server, "ImportResourceState", { type_name: RESOURCE, id: imageId });
    const [made] = answer.imported_resources as { state: DynamicValue; private: Uint8Array }[];
    terraform.state = decodeValue(made?.state);
    terraform.ownData = made?.private ?? Buffer.alloc(0);
    assert.deepEqual(terraform.state?.account_ids, []);
    assert.deepEqual((await terraform.plan({ image_id: imageId, account_ids: [] })).planned, terraform.state);
  });
});
