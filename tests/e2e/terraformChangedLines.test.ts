/** The number of changed lines in a plan of the real Terraform, also with long lists (P1). */

import * as assert from "node:assert/strict";
import { useEmulator } from "../helpers/emulator";
import { TerraformProject } from "../helpers/terraformProject";

const accounts = (count: number) => Array.from({ length: count }, (_, i) => String(300000000000 + i));

/** The lines of the sets that are marked as changed, without headings and reports. */
function changedLines(plan: string): string[] {
  return plan
    .split("\n")
    .map((line) => line.trim().replace(/\s+/g, " ").replace(/,$/, ""))
    .filter((line) => /^(-|\+|~|-\/\+|\+\/-) /.test(line) && !/^\S+ resource "/.test(line))
    .filter((line) => !/^[-+] (launch|createVolume)\b/.test(line) && !/^\S+ (create|destroy|update)/.test(line));
}

describe("a plan of Terraform marks only what changes (P1)", function () {
  this.timeout(600_000);
  const emulator = useEmulator();

  for (const count of [60, 1000])
    it(`with ${count} accounts: update, drift, replacement`, async () => {
      const [image, next] = await emulator().images([{ snapshots: 1 }, { snapshots: 1 }]);
      const [imageId, nextId] = [String(image?.imageId), String(next?.imageId)];
      const all = accounts(count);
      const without = all.filter((_, i) => i !== 3);
      const [gone, left] = [all[3], all[5]];
      const project = await TerraformProject.create(emulator(), "");
      try {
        const declare = (image_id: string, account_ids: readonly string[]) =>
          project.write(
            "sets.tf.json",
            JSON.stringify({
              resource: { ami_launch_permission_set: { golden: { image_id, account_ids, create_volume_permissions: {} } } },
            }),
          );
        declare(imageId, all);
        await project.apply();

        declare(imageId, without);
        const minus = `- "account/${gone}" = "launch, createVolume" -> null`;
        const update = ["~ account_ids = [", `- "${gone}"`, "~ grants = {", minus];
        assert.deepEqual(changedLines(await project.plan()), update);

        await emulator().aws(
          ...["ec2", "modify-image-attribute", "--image-id", imageId, "--launch-permission", `Remove=[{UserId=${left}}]`],
        );
        assert.deepEqual(changedLines(await project.plan("-refresh-only")), [
          "~ grants = {",
          `~ "account/${left}" = "launch, createVolume" -> "createVolume"`,
        ]);
        const regain = `~ "account/${left}" = "createVolume" -> "launch, createVolume"`;
        assert.deepEqual(changedLines(await project.plan()), [...update, regain]);

        declare(nextId, without);
        const replacement = changedLines(await project.plan());
        const { replaced, rest } = {
          replaced: replacement.filter((line) => line.includes("ami-") || line.includes("snap-")),
          rest: replacement.filter((line) => !line.includes("ami-") && !line.includes("snap-")),
        };
        // The ids of the AMI and its snapshot, and the list that contains the snapshot.
        assert.deepEqual([replaced.length, rest.filter((line) => line !== "~ snapshot_ids = [")], [4, [...update, regain]]);
        declare(nextId, all);
        assert.equal(changedLines(await project.plan()).length, 7, "only the AMI and the drifted grant change");
      } finally {
        project.remove();
      }
    });
});
