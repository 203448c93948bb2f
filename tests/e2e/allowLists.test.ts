/** Allow-lists and names of accounts with the real CLIs: what a preview refuses and shows, that nothing is changed, and that a new name is no change. */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { useEmulator } from "../helpers/emulator";
import { declaredSet, pluginProject, writeProgram } from "../helpers/pulumiPlugin";
import { PulumiProject, reportsIn } from "../helpers/pulumiProject";
import { TerraformProject } from "../helpers/terraformProject";

const [A, B, C] = ["111122223333", "444455556666", "777788889999"] as const;
const GRANTS = { [`account/${A}`]: "launch", [`account/${B}`]: "launch" };
const oneLine = (output: string) => output.replace(/[\s│]+/g, " ");

describe("allow-lists and names of accounts", function () {
  this.timeout(600_000);
  const emulator = useEmulator();

  it("in Pulumi: a list in a file fails preview and up; names are in reports, and neither in the state nor in a diff", async () => {
    const { imageId } = await emulator().image({ snapshots: 1 });
    const project = await PulumiProject.create(emulator());
    try {
      const list = (...ids: string[]) => fs.writeFileSync(path.join(project.folder, "allowed.yaml"), `- ${ids.join("\n- ")}\n`);
      const declare = (names: Record<string, string>) =>
        project.config({ imageId, accountIds: [A, B], allowedGrantees: "allowed.yaml", accountNames: names });
      list(A);
      declare({ [A]: "acme-prod", [B]: "acme-\u001b[31mtwo" });
      const refused = `allowedGrantees of the stack does not have 1 grantee whom the set names for AMI ${imageId}: account/${B} (acme-\\u001b[31mtwo); take them out of the set`;
      for (const command of [["preview"], ["up", "--yes", "--skip-preview"]]) {
        const output = oneLine((await project.fail(...command)).output);
        assert.ok(output.includes(refused) && output.includes("[not-allowed]"), output);
      }
      assert.deepEqual(await emulator().modifications(), []);

      list(A, B);
      assert.ok(
        reportsIn(await project.up()).includes(
          `  + launch (new; 2): account/${A} (acme-prod), account/${B} (acme-\\u001b[31mtwo)`,
        ),
      );
      assert.deepEqual((await project.outputs()).grants, GRANTS);
      assert.doesNotMatch(JSON.stringify((await project.state()).sets), /acme/);
      await emulator().forgetCalls();
      declare({ [A]: "renamed", [C]: "another" });
      assert.match(await project.preview(), /2 unchanged/);
      await project.up();
      assert.deepEqual(await emulator().calls(), []);

      declare({ "1234": "x" });
      assert.match(
        oneLine((await project.fail("preview")).output),
        /the stack's accountNames: "1234": "1234" is not an account id of 12 digits \[invalid-argument\]/,
      );
      list(A);
      declare({ [B]: "acme-two" });
      assert.match(
        oneLine((await project.fail("preview")).output),
        new RegExp(`account/${B} \\(acme-two\\); .*\\[not-allowed\\]`),
      );
      assert.deepEqual(await emulator().calls(), []);
      list(A, B);
      declare({});
      await project.destroy();
      assert.deepEqual(await emulator().launchers(imageId), []);
    } finally {
      project.remove();
    }
  });

  it("in the full Pulumi provider: names of AWS Organizations, a warning if it denies them, and what an additive set would keep", async () => {
    await emulator().aws("organizations", "create-organization", "--feature-set", "ALL");
    const { CreateAccountStatus } = await emulator().aws(
      ...["organizations", "create-account", "--email", "prod@example.com", "--account-name", "acme-prod"],
    );
    const { AccountId: member } = CreateAccountStatus as unknown as { AccountId: string };
    const { imageId } = await emulator().image({ snapshots: 1, launchPermissions: [{ UserId: C }] });
    const project = await pluginProject(emulator());
    try {
      const prefix = "ami-launch-permissions";
      project.config({ [`${prefix}:names`]: "organizations", [`${prefix}:allowedGrantees`]: [member] });
      writeProgram(project, declaredSet("golden", { imageId, accountIds: [member], mode: "additive" }));
      const refused = oneLine((await project.fail("preview")).output);
      assert.match(
        refused,
        new RegExp(
          `of the provider does not have 1 grantee who would keep access to AMI ${imageId}: account/${C}; .*\\[not-allowed\\]`,
        ),
      );
      assert.deepEqual(await emulator().modifications(), []);
      project.config({ [`${prefix}:names`]: "organizations", [`${prefix}:allowedGrantees`]: [member, C] });
      assert.match(await project.up(), new RegExp(`\\+ launch \\(new\\): account/${member} \\(acme-prod\\)$`, "m"));
      assert.equal((await emulator().calls()).filter(({ action }) => action === "ListAccounts").length > 0, true);

      await emulator().configure({ deny: ["organizations:ListAccounts"] });
      writeProgram(project, declaredSet("golden", { imageId, accountIds: [member, A], mode: "additive" }));
      project.config({ [`${prefix}:names`]: "organizations" });
      const output = oneLine(await project.up());
      assert.match(
        output,
        /warning: reports show no names of AWS Organizations: the caller may not call organizations:ListAccounts \(AWS: AccessDenied/,
      );
      assert.match(output, new RegExp(`\\+ launch \\(new\\): account/${A} `));
      await emulator().configure({ deny: [] });
      await project.destroy();
    } finally {
      project.remove();
    }
  });

  it("in Terraform: the list of the provider block fails the plan; names are in its warnings, and a new name is no change", async () => {
    const { imageId } = await emulator().image({ snapshots: 1 });
    const project = await TerraformProject.create(emulator(), "");
    const set = (accounts: readonly string[], more = "") =>
      `resource "ami_launch_permission_set" "golden" {\n  image_id = "${imageId}"\n  account_ids = ${JSON.stringify(accounts)}\n${more}}\noutput "grants" {\n  value = ami_launch_permission_set.golden.grants\n}\n`;
    const block = (...lines: string[]) => {
      const file = path.join(project.folder, "provider.tf");
      const text = fs.readFileSync(file, "utf8").replace(/provider "ami" \{.*/s, "");
      fs.writeFileSync(
        file,
        `${text}provider "ami" {\n  region = "us-east-1"\n${lines.map((line) => `  ${line}\n`).join("")}}\n`,
      );
    };
    try {
      project.configure(set([A, B]));
      fs.writeFileSync(path.join(project.folder, "names.csv"), `Name,Id\nacme-two,${B}\n`);
      block(`allowed_grantees = ["${A}"]`, `account_names = { "${A}" = "acme-prod" }`, 'names = "names.csv"');
      const refused = oneLine((await project.fail("plan")).output);
      assert.match(refused, /Error: AMI ami-\w+ cannot be shared as configured/);
      assert.match(
        refused,
        new RegExp(
          `allowed_grantees of the provider does not have 1 grantee whom the set names for AMI ${imageId}: account/${B} \\(acme-two\\); .*\\[not-allowed\\]`,
        ),
      );
      assert.deepEqual(await emulator().modifications(), []);

      block(`allowed_grantees = ["${A}", "${B}", "${C}"]`, `account_names = { "${A}" = "acme-prod" }`, 'names = "names.csv"');
      await project.apply();
      assert.deepEqual((await project.outputs()).grants, GRANTS);
      block(`allowed_grantees = ["${A}", "${B}"]`, `account_names = { "${A}" = "renamed" }`);
      await emulator().forgetCalls();
      assert.ok(await project.isSettled());
      assert.deepEqual([...new Set((await emulator().calls()).map(({ action }) => action))], ["DescribeImageAttribute"]);

      block('names = "none.csv"');
      assert.match(
        oneLine((await project.fail("plan")).output),
        /names: the file "none\.csv" does not exist; .*\[invalid-argument\]/,
      );
      block(`account_names = { "${A}" = "acme-prod", "${C}" = "acme-else" }`);
      await emulator().aws(
        ...["ec2", "modify-image-attribute", "--image-id", imageId, "--launch-permission", `Add=[{UserId=${C}}]`],
      );
      project.configure(set([A, B], `  never_revoke = ["${C}"]\n  allowed_grantees = ["${A}", "${B}"]\n`));
      block(`account_names = { "${A}" = "acme-prod", "${C}" = "acme-else" }`);
      assert.match(
        oneLine((await project.fail("plan")).output),
        new RegExp(
          `allowed_grantees of the set does not have 1 grantee who would keep access to AMI ${imageId}: account/${C} \\(acme-else\\);`,
        ),
      );
    } finally {
      project.remove();
    }
  });
});
