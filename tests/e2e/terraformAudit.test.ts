/** The data source `ami_launch_permission_audit` with the real Terraform, and the descriptions in the provider's schemas. */

import * as assert from "node:assert/strict";
import { type MadeImage, useEmulator } from "../helpers/emulator";
import { TerraformProject } from "../helpers/terraformProject";

const [A, B, OTHER] = ["111122223333", "444455556666", "222222222222"] as const;
const CALLER = "123456789012";
/** A region in which moto has no AMIs of its own account. */
const REGION = "eu-west-1";

describe("ami_launch_permission_audit in Terraform", () => {
  const emulator = useEmulator();
  let project: TerraformProject;
  let [shared, received] = [] as MadeImage[];
  before(async () => {
    project = await TerraformProject.create(emulator(), "");
    shared = await emulator().image({
      region: REGION,
      snapshots: 2,
      launchPermissions: [{ UserId: A }],
      createVolumePermissions: [[{ UserId: A }], [{ UserId: B }]],
    });
    received = await emulator().image({
      region: REGION,
      snapshots: 1,
      accountId: OTHER,
      name: "theirs",
      launchPermissions: [{ UserId: CALLER }],
    });
  });
  after(() => project.remove());

  it("returns the permissions of own AMIs in a region, and the AMIs that others share", async () => {
    project.configure(`
      data "ami_launch_permission_audit" "own" {
        region = "${REGION}"
      }
      data "ami_launch_permission_audit" "lent" {
        region = "${REGION}"
        owner  = "others"
      }
      output "grants" {
        value = { for ami in data.ami_launch_permission_audit.own.amis : ami.image_id => ami.grants if length(ami.grants) > 0 }
      }
      output "snapshots" {
        value = { for s in flatten(data.ami_launch_permission_audit.own.amis[*].snapshots) : s.snapshot_id => s.account_ids }
      }
      output "lent" {
        value = [for ami in data.ami_launch_permission_audit.lent.amis : [ami.image_id, ami.owner_id, ami.name, ami.state, ami.grants]]
      }
    `);
    await project.apply();
    const { grants, snapshots, lent } = await project.outputs();
    const [first = "", second = ""] = shared?.snapshotIds ?? [];
    assert.deepEqual(grants, {
      [shared?.imageId ?? ""]: {
        [`account/${A}`]: `launch, createVolume on ${first}`,
        [`account/${B}`]: `createVolume on ${second}`,
      },
    });
    assert.deepEqual(snapshots, { [first]: [A], [second]: [B] });
    assert.deepEqual(lent, [[received?.imageId, OTHER, "theirs", "available", null]]);
  });

  it("shows errors at the invalid argument", async () => {
    project.configure('data "ami_launch_permission_audit" "own" {\n  owner = "me"\n}\n');
    const { diagnostics } = await project.diagnostics("validate");
    assert.deepEqual(
      diagnostics.map(({ detail, line }) => [detail, line]),
      [['owner: "me" is not one of "self", "others" [invalid-argument]', 'owner = "me"']],
    );
  });
});

describe("the provider's schemas in Terraform", () => {
  const emulator = useEmulator();

  it("contain the resource, both data sources and the function", async () => {
    const project = await TerraformProject.create(emulator(), "");
    try {
      const { provider_schemas } = JSON.parse((await project.succeed("providers", "schema", "-json")).stdout);
      const [own] = Object.values(provider_schemas as Record<string, Record<string, object>>);
      assert.deepEqual(Object.keys(own?.resource_schemas ?? {}), ["ami_launch_permission_set"]);
      assert.deepEqual(Object.keys(own?.data_source_schemas ?? {}).sort(), [
        "ami_launch_permission_audit",
        "ami_launch_permissions",
      ]);
      assert.deepEqual(Object.keys(own?.functions ?? {}), ["kms_key_policy_statements"]);
    } finally {
      project.remove();
    }
  });
});
