/** Encrypted AMIs with the real CLI: keys in the report, KMS grants that are made and revoked, and accounts that still use an AMI. The AWS CLI reads the results. */

import * as assert from "node:assert/strict";
import { useEmulator } from "../helpers/emulator";
import { PulumiProject, reportsIn } from "../helpers/pulumiProject";

const [FIRST, SECOND, THIRD] = ["111122223333", "444455556666", "777788889999"] as const;

describe("encrypted AMIs", function () {
  this.timeout(300_000);
  const emulator = useEmulator();
  let project: PulumiProject;
  before(async () => {
    project = await PulumiProject.create(emulator(), {
      program: `
        import * as pulumi from "@pulumi/pulumi";
        import { AmiLaunchPermissionSet, getAmiLaunchPermissions, kmsKeyPolicyStatements } from "ami-launch-permissions";
        const { set, policyFor } = new pulumi.Config().requireObject<any>("given");
        if (set) new AmiLaunchPermissionSet("golden", set);
        export const statements = kmsKeyPolicyStatements(policyFor ?? {});
        export const seen = set ? getAmiLaunchPermissions({ imageId: set.imageId }).then(({ encrypted, snapshots }) => ({ encrypted, snapshots })) : undefined;
      `,
    });
  });
  after(() => project.remove());

  async function accountsWithGrants(key: string): Promise<string[]> {
    const { Grants } = await emulator().aws("kms", "list-grants", "--key-id", key);
    return (Grants as unknown as { GranteePrincipal: string }[])
      .map(({ GranteePrincipal }) => GranteePrincipal.split(":")[4] as string)
      .sort();
  }

  it('warn of accounts without access to the key; kmsAccess "grant" makes KMS grants, and unsharing revokes them', async () => {
    const key = await emulator().kmsKey();
    const { imageId, snapshotIds } = await emulator().image({ snapshots: 1, kmsKeyId: key });
    const declare = (accountIds: readonly string[], more: Record<string, unknown> = {}) =>
      project.config({ given: { set: { imageId, accountIds, ...more } } });

    declare([FIRST, SECOND]);
    const text = (await project.preview()).replace(/\s+/g, " ");
    assert.match(text, new RegExp(`warning: AMI ${imageId}`));
    assert.match(text, new RegExp(`encrypted: ${snapshotIds[0]} under the customer managed key ${key} of account 123456789012`));
    assert.match(text, new RegExp(`account/${FIRST}, account/${SECOND} may not use key ${key}`));
    await project.up();
    assert.deepEqual(await accountsWithGrants(key), [], 'kmsAccess "check" changes nothing in KMS');
    assert.deepEqual((await project.outputs()).seen, {
      encrypted: true,
      snapshots: [{ snapshotId: snapshotIds[0], accountIds: [], public: false, encrypted: true, kmsKeyId: key }],
    });

    declare([FIRST, SECOND], { kmsAccess: "grant" });
    const granting = (await project.preview()).replace(/\s+/g, " ");
    assert.match(granting, new RegExp(`key grants to: account/${FIRST}, account/${SECOND} calls: 2 CreateGrant`));
    await project.up();
    assert.deepEqual(await accountsWithGrants(key), [FIRST, SECOND]);
    assert.match(await project.preview(), /2 unchanged/);

    declare([SECOND, THIRD], { kmsAccess: "grant" });
    await emulator().forgetCalls();
    const report = reportsIn(await project.up())
      .join(" ")
      .replace(/\s+/g, " ");
    assert.match(report, new RegExp(`key grants to: account/${THIRD} key grants revoked of: account/${FIRST}`));
    assert.deepEqual(await accountsWithGrants(key), [SECOND, THIRD]);
    const changes = (await emulator().calls())
      .map(({ action }) => action)
      .filter((action) => /Modify|CreateGrant|Revoke/.test(action));
    assert.deepEqual(
      changes,
      ["CreateGrant", "ModifyImageAttribute", "RevokeGrant"],
      "the KMS grant is made first and revoked last",
    );

    await project.destroy();
    assert.deepEqual(await accountsWithGrants(key), []);
    assert.deepEqual(await emulator().launchers(imageId), []);
  });

  it("cause no warning if the key's policy has the statements of kmsKeyPolicyStatements", async () => {
    const key = await emulator().kmsKey();
    const { imageId } = await emulator().image({ snapshots: 1, kmsKeyId: key });
    const organizationArns = ["arn:aws:organizations::111122223333:organization/o-abcde12345"];
    const set = { imageId, accountIds: [FIRST], organizationArns };
    project.config({ given: { set } });
    assert.match((await project.preview()).replace(/\s+/g, " "), /does not name .*o-abcde12345/);

    project.config({ given: { policyFor: { accountIds: [FIRST], organizationArns } } });
    await project.up();
    const { statements } = (await project.outputs()) as { statements: unknown[] };
    const { Policy } = (await emulator().aws(
      "kms",
      "get-key-policy",
      "--key-id",
      key,
      "--policy-name",
      "default",
    )) as unknown as { Policy: string };
    const policy = JSON.parse(Policy);
    policy.Statement.push(...statements);
    await emulator().aws(
      "kms",
      "put-key-policy",
      "--key-id",
      key,
      "--policy-name",
      "default",
      "--policy",
      JSON.stringify(policy),
    );

    project.config({ given: { set } });
    const preview = await project.preview();
    assert.doesNotMatch(preview, /may not use key|does not name/);
    assert.match(preview, /1 to create/);
  });

  it("checkUsage warns in the preview of accounts that lose the AMI and still use it", async () => {
    const { imageId } = await emulator().image({ snapshots: 0, launchPermissions: [{ UserId: FIRST }, { UserId: SECOND }] });
    await emulator().configure({ usage: { [imageId]: [{ accountId: SECOND, count: 7 }] }, usageReportPendingReads: 1 });
    project.config({ given: { set: { imageId, accountIds: [FIRST], checkUsage: true } } });
    const text = (await project.preview()).replace(/\s+/g, " ");
    assert.match(
      text,
      new RegExp(`warning: account/${SECOND} loses the AMI and still uses it: 7 ec2:Instance \\(as of .*24 hours late\\)`),
    );
    const actions = (await emulator().calls()).map(({ action }) => action).filter((action) => action.includes("Usage"));
    assert.equal(actions[0], "DescribeImageUsageReports");
    assert.deepEqual(actions.slice(-2), ["DescribeImageUsageReportEntries", "DeleteImageUsageReport"]);
    assert.deepEqual(await emulator().modifications(), []);
  });
});
