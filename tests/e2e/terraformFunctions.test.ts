/** The function for key policies, with the real Terraform. */

import * as assert from "node:assert/strict";
import { kmsKeyPolicyStatements } from "../../provider/core";
import { useEmulator } from "../helpers/emulator";
import { TerraformProject } from "../helpers/terraformProject";

const [A, B] = ["111122223333", "444455556666"] as const;
const KEY_POLICY = "provider::ami::kms_key_policy_statements";

describe("kms_key_policy_statements in Terraform", () => {
  const emulator = useEmulator();
  let project: TerraformProject;
  before(async () => {
    project = await TerraformProject.create(emulator(), "");
  });
  after(() => project.remove());

  it("returns statements for a policy, without null values and without an empty condition", async () => {
    project.configure(`
      output "policy" {
        value = jsonencode({
          Version   = "2012-10-17"
          Statement = concat([{ Sid = "Own" }], ${KEY_POLICY}(toset(["${B}", "${A}"]), null, []))
        })
      }
      output "partition" {
        value = ${KEY_POLICY}(["${A}"], [], [], "aws-cn")[0].Principal.AWS
      }
      output "nobody" {
        value = ${KEY_POLICY}(null, null, null)
      }
    `);
    await project.apply();
    const { policy, partition, nobody } = await project.outputs();
    assert.deepEqual(JSON.parse(String(policy)), {
      Version: "2012-10-17",
      Statement: [{ Sid: "Own" }, ...kmsKeyPolicyStatements({ accountIds: [A, B] })],
    });
    assert.deepEqual([partition, nobody], [[`arn:aws-cn:iam::${A}:root`], []]);
  });

  it("is known after apply if an argument is", async () => {
    project.configure(`
      resource "terraform_data" "account" {
        input = "${A}"
      }
      output "statements" {
        value = ${KEY_POLICY}([terraform_data.account.output], null, null)
      }
    `);
    assert.match(await project.plan(), /\+ statements += \(known after apply\)/);
    await project.apply();
    assert.deepEqual((await project.outputs()).statements, kmsKeyPolicyStatements({ accountIds: [A] }));
    await project.destroy();
  });

  it("fails the plan for an invalid argument, and names it", async () => {
    project.configure(`output "statements" {\n  value = ${KEY_POLICY}(["${A}"], ["o-abcde12345"], null)\n}\n`);
    const { diagnostics } = await project.diagnostics("plan");
    const [{ summary, detail } = { summary: "", detail: "" }] = diagnostics;
    assert.equal(summary, "Invalid function argument");
    assert.match(
      detail.replace(/\s+/g, " "),
      /Invalid value for "organization_arns" parameter: organization_arns\[0\]: "o-abcde12345" is not an organization's ARN.*\[invalid-argument\]/,
    );
  });
});
