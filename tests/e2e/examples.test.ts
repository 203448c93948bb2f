/**
 * Runs every Pulumi example as its README says, with the real CLI. newest-ami-by-name needs the plugin of @pulumi/aws, so it runs with
 * mocks. The Terraform examples are in terraformExamples.test.ts.
 */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { ROOT, useEmulator } from "../helpers/emulator";
import { installPulumiAwsStandIn } from "../helpers/pulumiAwsStandIn";
import { PulumiProject, reportsIn } from "../helpers/pulumiProject";

const [FIRST, SECOND, THIRD] = ["111122223333", "444455556666", "777788889999"] as const;
const ORGANIZATION = "arn:aws:organizations::111122223333:organization/o-abcde12345";
const UNIT = "arn:aws:organizations::444455556666:ou/o-fghij67890/ou-ab12-cdefgh34";

describe("the examples", () => {
  const emulator = useEmulator();
  const ran = new Set<string>(["newest-ami-by-name", "cdktn-golden-image", "cdktf-golden-image", "terraform-golden-image"]);

  function example(name: string, title: string, run: (project: PulumiProject) => Promise<void>): void {
    ran.add(name);
    it(`${name}: ${title}`, async () => {
      const project = await PulumiProject.create(emulator(), { example: name });
      try {
        await run(project);
      } finally {
        project.remove();
      }
    });
  }

  example("from-program", "shares an AMI, and its snapshots with those that copy it", async (project) => {
    const image = await emulator().image({ snapshots: 2 });
    project.config({ imageId: image.imageId, accountIds: [FIRST, SECOND], copiers: [FIRST] });
    await project.up();
    assert.deepEqual(
      await emulator().pairs([image]),
      [`${image.imageId} account/${FIRST}`, `${image.imageId} account/${SECOND}`]
        .concat(image.snapshotIds.map((id) => `${id} account/${FIRST}`))
        .sort(),
    );
    assert.deepEqual((await project.outputs()).snapshotIds, [...image.snapshotIds].sort());
    await project.destroy();
    assert.deepEqual(await emulator().pairs([image]), []);
  });

  example("golden-image-three-regions", "shares in every region, and refuses a change that takes too much", async (project) => {
    const images = await emulator().images(
      ["us-east-1", "eu-west-1", "ap-southeast-2"].map((region) => ({ region, snapshots: 1 })),
    );
    const imageIds = Object.fromEntries(images.map(({ region, imageId }) => [region, imageId]));
    project.config({ imageIds, accountIds: [FIRST, SECOND], maxRevocations: 1 });
    await project.up();
    const both = images.flatMap(({ imageId }) => [`${imageId} account/${FIRST}`, `${imageId} account/${SECOND}`]).sort();
    assert.deepEqual(await emulator().pairs(images), both);
    assert.deepEqual((await project.outputs()).imageIds, imageIds);
    project.config({ imageIds, accountIds: [THIRD], maxRevocations: 1 });
    assert.match((await project.fail("preview")).output, /would take access from 2 grantees/);
    assert.deepEqual(await emulator().pairs(images), both);
  });

  example(
    "organization-wide-share",
    "shares with an organization and a unit, and the snapshots with the copier",
    async (project) => {
      const image = await emulator().image({ snapshots: 1 });
      project.config({ imageId: image.imageId, organizationArn: ORGANIZATION, organizationalUnitArns: [UNIT], copiers: [THIRD] });
      await project.up();
      assert.deepEqual(
        await emulator().pairs([image]),
        [`${image.imageId} ${ORGANIZATION}`, `${image.imageId} ${UNIT}`, `${image.snapshotIds[0]} account/${THIRD}`].sort(),
      );
    },
  );

  example(
    "encrypted-image",
    "shares under a customer managed key and names it; the AWS managed key fails the preview",
    async (project) => {
      const kmsKeyId = await emulator().kmsKey();
      const image = await emulator().image({ snapshots: 2, kmsKeyId });
      project.config({ imageId: image.imageId, accountIds: [FIRST] });
      await project.up();
      assert.deepEqual(await emulator().launchers(image.imageId), [FIRST]);
      assert.deepEqual((await project.outputs()).kmsKeyIds, [kmsKeyId]);
      const managed = await emulator().image({ snapshots: 1, encrypted: true });
      project.config({ imageId: managed.imageId, accountIds: [FIRST] });
      assert.match((await project.fail("preview")).output, /encrypted under the AWS managed key\s+\(alias\/aws\/ebs\)/);
    },
  );

  example(
    "ids-in-parameters",
    "publishes each region's id, goes on when a region fails, and keeps old copies for a time",
    async (project) => {
      const plugins = path.join(project.folder, "plugins");
      installPulumiAwsStandIn(plugins);
      project.env.PATH = `${plugins}${path.delimiter}${project.env.PATH}`;
      const regions = ["us-east-1", "eu-west-1", "ap-southeast-2"];
      const [first = "", second = "", third = ""] = (await emulator().images([1, 1, 1].map((snapshots) => ({ snapshots })))).map(
        ({ imageId }) => imageId,
      );
      const declare = (...releases: string[]) =>
        project.config({ sourceRegion: "us-east-1", regions, releases, accountIds: [FIRST] });
      const published = async () => {
        const found = await Promise.all(
          regions.map(async (region) => {
            const asked = ["--region", region, "--names", "/golden/ami"];
            const { Parameters } = await emulator().aws("ssm", "get-parameters", ...asked);
            return [region, (Parameters as unknown as { Value: string }[])[0]?.Value] as const;
          }),
        );
        return Object.fromEntries(found.filter(([, id]) => id !== undefined)) as Record<string, string>;
      };
      const launchersOf = async (ids: Record<string, string>) =>
        Promise.all(
          Object.entries(ids).map(async ([region, imageId]) => {
            const asked = ["--region", region, "--image-id", imageId, "--attribute", "launchPermission"];
            const { LaunchPermissions } = await emulator().aws("ec2", "describe-image-attribute", ...asked);
            return (LaunchPermissions as unknown as { UserId: string }[]).map(({ UserId }) => UserId).join();
          }),
        );

      declare(first);
      await emulator().configure({ failures: [{ action: "CopyImage", code: "InvalidRequest", status: 400 }] });
      await project.fail("up", "--yes", "--skip-preview", "--continue-on-error");
      const some = await published();
      assert.equal(Object.keys(some).length, 2);
      assert.equal(some["us-east-1"], first);
      assert.deepEqual(await launchersOf(some), [FIRST, FIRST]);

      declare(second, first);
      await project.up();
      const both = await published();
      assert.deepEqual(Object.keys(both), regions);
      assert.deepEqual((await project.outputs()).imageIds, both);
      assert.deepEqual([both["us-east-1"], ...(await launchersOf(both))], [second, FIRST, FIRST, FIRST]);
      // The copies of the release before are still shared.
      assert.deepEqual(await launchersOf(some), [FIRST, FIRST]);

      declare(third, second, first);
      await project.up();
      assert.equal((await published())["us-east-1"], third);
      assert.deepEqual(await emulator().launchers(first), []);
      assert.deepEqual(await launchersOf(both), [FIRST, FIRST, FIRST]);
    },
  );

  example("newest-by-tag", "shares the newest, before the one that it replaces is unshared", async (project) => {
    const script = () => project.script("./share-newest.sh", "golden");
    const tagged = (role: string) => emulator().image({ snapshots: 0, tags: { role } });
    project.config({ accountIds: [FIRST, SECOND] });
    const none = await script();
    assert.notEqual(none.code, 0);
    assert.match(none.output, /there is no AMI with the tag role=golden; nothing was changed/);

    const old = await tagged("golden");
    const first = await script();
    assert.equal(first.code, 0, first.output);
    assert.deepEqual(await emulator().launchers(old.imageId), [FIRST, SECOND]);
    // Creation dates have whole seconds.
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const newest = await tagged("golden");
    await tagged("other");
    await emulator().forgetCalls();
    const second = await script();
    assert.equal(second.code, 0, second.output);
    const reports = reportsIn(second.output);
    assert.equal(reports[0], `AMI ${newest.imageId} in us-east-1: 2 gain access`, second.output);
    assert.ok(
      reports.some((line) => line.includes(`then AMI ${old.imageId}, whose set is replaced, is unshared`)),
      second.output,
    );
    assert.deepEqual(await emulator().modifications(), [
      `ModifyImageAttribute ${newest.imageId}`,
      `ModifyImageAttribute ${old.imageId}`,
    ]);
    assert.deepEqual(await emulator().launchers(newest.imageId), [FIRST, SECOND]);
    assert.deepEqual(await emulator().launchers(old.imageId), []);
    await emulator().forgetCalls();
    const third = await script();
    assert.equal(third.code, 0, third.output);
    assert.deepEqual(await emulator().modifications(), []);
  });

  it("are all tested", () => {
    const folders = fs.readdirSync(path.join(ROOT, "examples"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    assert.deepEqual(folders.map(({ name }) => name).sort(), [...ran].sort());
  });
});
