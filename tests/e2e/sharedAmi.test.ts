/** SharedAmi with the real CLI: AMIs in three regions as one component, and the error if @pulumi/aws is not installed. */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type MadeImage, useEmulator } from "../helpers/emulator";
import { copyPackage, linkPackages } from "../helpers/packageCopy";
import { PulumiProject, reportsIn } from "../helpers/pulumiProject";

const [FIRST, SECOND, THIRD, ELSE] = ["111122223333", "444455556666", "777788889999", "999900001111"] as const;
const REGIONS = ["us-east-1", "eu-west-1", "ap-southeast-2"] as const;

const PROGRAM = `import * as pulumi from "@pulumi/pulumi";
import { SharedAmi } from "ami-launch-permissions";

const config = new pulumi.Config();
const shared = new SharedAmi("golden", {
  imageIds: config.requireObject("imageIds"),
  accountIds: config.requireObject("accountIds"),
  createVolumePermissions: true,
});
export const { imageIds, grants } = shared;
`;

describe("SharedAmi of existing images", () => {
  const emulator = useEmulator();
  let project: PulumiProject;
  let images: MadeImage[];
  const allOf = (made: readonly MadeImage[]) => Object.fromEntries(made.map(({ region, imageId }) => [region, imageId]));
  const pairsOf = (made: readonly MadeImage[], ...accounts: string[]) =>
    made
      .flatMap(({ imageId, snapshotIds }) => [imageId, ...snapshotIds])
      .flatMap((resource) => accounts.map((account) => `${resource} account/${account}`))
      .sort();
  const headings = (output: string) =>
    reportsIn(output)
      .filter((line) => line.startsWith("AMI "))
      .sort();

  before(async () => {
    project = await PulumiProject.create(emulator(), { program: PROGRAM });
    images = await emulator().images(
      REGIONS.map((region) => ({ region, snapshots: 1, launchPermissions: region === "eu-west-1" ? [{ UserId: ELSE }] : [] })),
    );
  });
  after(() => project.remove());

  it("previews each region with its own report, and shares in each", async () => {
    project.config({ imageIds: allOf(images), accountIds: [FIRST, SECOND] });
    const preview = await project.preview();
    assert.match(preview, /ami-launch-permissions:index:SharedAmi: \(create\)/);
    const says = (gain: string, loses: string) =>
      images.map(({ region, imageId }) => `AMI ${imageId} in ${region}: ${region === "eu-west-1" ? loses : gain}`).sort();
    assert.deepEqual(headings(preview), says("2 gain access", "2 gain, 1 loses access"));
    assert.ok(reportsIn(preview).includes(`  - launch (set elsewhere): account/${ELSE}`), preview);
    assert.deepEqual(await emulator().modifications(), []);
    assert.deepEqual(headings(await project.up()), says("2 gained access", "2 gained, 1 lost access"));
    assert.deepEqual(await emulator().pairs(images), pairsOf(images, FIRST, SECOND));
    const grants = { [`account/${FIRST}`]: "launch, createVolume", [`account/${SECOND}`]: "launch, createVolume" };
    assert.deepEqual(await project.outputs(), {
      imageIds: allOf(images),
      grants: Object.fromEntries(REGIONS.map((region) => [region, grants])),
    });
    const { sets } = await project.state();
    for (const { urn } of sets) assert.match(urn, /::ami-launch-permissions:index:SharedAmi\$pulumi-nodejs:dynamic\/.*::golden-/);
    assert.deepEqual(sets.map(({ outputs }) => outputs.region).sort(), [...REGIONS].sort());
  });

  it("changes the one list in every region", async () => {
    project.config({ imageIds: allOf(images), accountIds: [FIRST, THIRD] });
    const preview = await project.preview();
    // In the set of each region, and in the output of the component.
    for (const line of [`- account/${SECOND}`, `\\+ account/${THIRD}`])
      assert.equal(preview.match(new RegExp(`${line}: "launch, createVolume"`, "g"))?.length, 2 * REGIONS.length, preview);
    assert.equal(
      headings(preview).filter((line) => line.endsWith(": 1 gains, 1 loses, 1 keeps access")).length,
      REGIONS.length,
      preview,
    );
    await project.up();
    assert.deepEqual(await emulator().pairs(images), pairsOf(images, FIRST, THIRD));
    await emulator().forgetCalls();
    await project.up();
    assert.deepEqual(await emulator().calls(), [], "no change, so no call");
  });

  it("unshares in a region that is removed, and in no other", async () => {
    const [home, , far] = images as [MadeImage, MadeImage, MadeImage];
    project.config({ imageIds: allOf([home, far]), accountIds: [FIRST, THIRD] });
    await emulator().forgetCalls();
    await project.up();
    assert.deepEqual(await emulator().pairs(images), pairsOf([home, far], FIRST, THIRD));
    const touched = (await emulator().calls()).filter(({ action }) => action.startsWith("Modify"));
    assert.deepEqual([...new Set(touched.map(({ region }) => region))], ["eu-west-1"]);
    assert.deepEqual(Object.keys((await project.outputs()).imageIds as object).sort(), [far.region, home.region]);
  });

  it("shows an error in one region's set as an error of that set", async () => {
    project.config({ imageIds: allOf(images), accountIds: [FIRST, "7777"] });
    const { output } = await project.fail("preview");
    assert.match(output, /accountIds\[1\].*"7777" has 4 digits/);
    project.config({ imageIds: { virginia: images[0]?.imageId }, accountIds: [FIRST] });
    const refused = (await project.fail("preview")).output;
    assert.match(refused, /SharedAmi "golden": imageIds: "virginia" is not a region; write one such as us-east-1/);
    assert.doesNotMatch(refused, /^\s+at /m);
  });

  it("revokes everything with a destroy", async () => {
    await project.destroy();
    assert.deepEqual(await emulator().pairs(images), []);
  });
});

describe("SharedAmi with copies", () => {
  const emulator = useEmulator();
  const nodeModules = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "ami-no-aws-")), "node_modules");
  let project: PulumiProject;
  before(async () => {
    copyPackage(nodeModules);
    linkPackages(nodeModules, "@pulumi/pulumi", "typescript", "ts-node");
    const program = `import { SharedAmi } from "ami-launch-permissions";
new SharedAmi("golden", { sourceImageId: "ami-0123456789abcdef0", sourceRegion: "us-east-1", regions: ["eu-west-1"] });
`;
    project = await PulumiProject.create(emulator(), { program, nodeModules });
  });
  after(() => {
    project.remove();
    fs.rmSync(path.dirname(nodeModules), { recursive: true, force: true });
  });

  it("says what to install if @pulumi/aws is missing, or older than 7", async () => {
    const { output } = await project.fail("preview");
    assert.match(output, /SharedAmi copies AMIs with @pulumi\/aws, which is not installed: npm install @pulumi\/aws$/m);
    assert.doesNotMatch(output, /^\s+at /m);
    const old = path.join(nodeModules, "@pulumi", "aws");
    fs.mkdirSync(old);
    fs.writeFileSync(path.join(old, "package.json"), '{ "name": "@pulumi/aws", "version": "6.83.0" }');
    const refused = (await project.fail("preview")).output;
    assert.match(refused, /SharedAmi needs @pulumi\/aws 7, and this project has 6\.83\.0: npm install @pulumi\/aws@7/);
  });
});
