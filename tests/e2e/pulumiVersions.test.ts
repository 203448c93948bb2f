/** The supported versions of @pulumi/pulumi: the oldest, this repository's version and the newest; and unsupported ones. */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { ROOT, useEmulator } from "../helpers/emulator";
import { copyPackage, fetchPackage, linkPackages } from "../helpers/packageCopy";
import { PulumiProject } from "../helpers/pulumiProject";

const TOO_OLD = "3.215.0";
const OLDEST = "3.216.0";
const NEWEST = { pulumi: "3.270.0", node: "24.21.0" };

const PROGRAM = `import * as pulumi from "@pulumi/pulumi";
import { version } from "@pulumi/pulumi/version";
import { AmiLaunchPermissionSet } from "ami-launch-permissions";

const set = new AmiLaunchPermissionSet("golden", {
  imageId: new pulumi.Config().require("imageId"),
  accountIds: ["111122223333", "444455556666"],
  createVolumePermissions: true,
});
export const { grants, ownerId } = set;
const golden = AmiLaunchPermissionSet.get("now", new pulumi.Config().require("other"));
export const got = { grants: golden.grants, snapshotIds: golden.snapshotIds, ownerId: golden.ownerId, id: golden.id };
export const versions = { pulumi: version, node: process.versions.node };
`;

describe("versions of @pulumi/pulumi", function () {
  // The first run downloads them.
  this.timeout(300_000);
  const emulator = useEmulator();
  let project: PulumiProject;
  afterEach(() => project?.remove());

  it("has the oldest supported version as its peer dependency", () => {
    const { peerDependencies } = JSON.parse(fs.readFileSync(path.join(ROOT, "provider/package.json"), "utf8"));
    assert.equal(peerDependencies["@pulumi/pulumi"], `>=${OLDEST} <4`);
  });

  it(`works with the oldest version, ${OLDEST}`, async () => {
    assert.equal((await mainJob(await sdk(OLDEST))).pulumi, OLDEST);
  });

  it("works with this repository's version", async () => {
    const own = path.join(ROOT, "node_modules");
    const { version } = JSON.parse(fs.readFileSync(path.join(own, "@pulumi/pulumi/package.json"), "utf8"));
    assert.equal((await mainJob(own)).pulumi, version);
  });

  it(`works with the newest version, ${NEWEST.pulumi}, on Node ${NEWEST.node}`, async () => {
    const PATH = [await folderOfNode(NEWEST.node), process.env.PATH].join(path.delimiter);
    assert.deepEqual(await mainJob(await sdk(NEWEST.pulumi), { PATH }), NEWEST);
  });

  it(`refuses a version that is too old, ${TOO_OLD}, before anything is changed`, async () => {
    project = await PulumiProject.create(emulator(), { program: PROGRAM, asUsersHaveIt: true, nodeModules: await sdk(TOO_OLD) });
    project.config({ imageId: "ami-0123456789abcdef0" });
    const { output } = await project.fail("up", "--yes");
    assert.match(output, new RegExp(`needs @pulumi/pulumi 3\\.216 or newer, and this project has ${TOO_OLD}`));
    assert.doesNotMatch(output, /at new AmiLaunchPermissionSet/, "the output has a stack trace");
    assert.deepEqual(await emulator().calls(), []);
  });

  it("refuses the option import, which dynamic resources do not have; without it, the set takes over existing grants", async () => {
    const { imageId } = await emulator().image({ snapshots: 1, launchPermissions: [{ UserId: "111122223333" }] });
    const program = (options: string) => `import { AmiLaunchPermissionSet } from "ami-launch-permissions";
      export const { grants } = new AmiLaunchPermissionSet("golden", { imageId: "${imageId}", accountIds: ["111122223333"] }, ${options});`;
    project = await PulumiProject.create(emulator(), { program: program(`{ import: "${imageId}" }`), asUsersHaveIt: true });
    const { output } = await project.fail("preview");
    assert.match(output, /set "golden": Pulumi cannot import dynamic resources; leave out the option import/);
    assert.deepEqual(await emulator().calls(), []);

    project.program(program("{}"));
    await project.up();
    assert.deepEqual((await project.outputs()).grants, { "account/111122223333": "launch" });
    assert.deepEqual(await emulator().modifications(), [], "the AMI is already shared as declared");
  });

  /** Shares an AMI, shows and corrects drift, and revokes. The region comes from the stack's config. Returns the versions that ran. */
  async function mainJob(nodeModules: string, env: Record<string, string> = {}) {
    const { imageId, snapshotIds } = await emulator().image({ snapshots: 1, region: "eu-west-1" });
    const inRegion = { AWS_REGION: "us-east-1", AWS_DEFAULT_REGION: "us-east-1", ...env };
    project = await PulumiProject.create(emulator(), { program: PROGRAM, asUsersHaveIt: true, nodeModules, env: inRegion });
    const other = await emulator().image({
      snapshots: 1,
      region: "eu-west-1",
      launchPermissions: [{ UserId: "111122223333" }, { Group: "all" }],
      createVolumePermissions: [{ UserId: "111122223333" }],
    });
    project.config({ imageId, other: other.imageId, "aws:region": "eu-west-1" });
    assert.match(await project.preview(), /AMI \S+ in eu-west-1: 2 gain access\n {2}\+ launch, createVolume \(new; 2\)/);
    assert.match(await project.up(), /AMI \S+ in eu-west-1: 2 gained access/);
    assert.deepEqual((await project.outputs()).got, {
      grants: { "account/111122223333": "launch, createVolume", public: "launch" },
      snapshotIds: other.snapshotIds,
      ownerId: "123456789012",
      id: other.imageId,
    });
    assert.deepEqual(await launchers(imageId), ["111122223333", "444455556666"]);

    await emulator().aws(
      ...["ec2", "modify-image-attribute", "--region", "eu-west-1", "--image-id", imageId],
      ...["--launch-permission", "Add=[{UserId=999999999999}],Remove=[{UserId=111122223333}]"],
    );
    const drift = await project.preview("--refresh");
    assert.match(drift, /- account\/999999999999: "launch"/);
    assert.match(drift, /~ account\/111122223333: "createVolume" => "launch, createVolume"/);
    assert.match(await project.up("--refresh"), /~ 1 updated/);
    assert.deepEqual(await launchers(imageId), ["111122223333", "444455556666"]);
    const { versions } = await project.outputs();

    await project.destroy();
    assert.deepEqual(await launchers(other.imageId), ["111122223333", undefined], "the AMI that was only read is unchanged");
    assert.deepEqual(await launchers(imageId), []);
    const left = await emulator().aws(
      ...["ec2", "describe-snapshot-attribute", "--region", "eu-west-1"],
      ...["--snapshot-id", `${snapshotIds[0]}`, "--attribute", "createVolumePermission"],
    );
    assert.deepEqual(left.CreateVolumePermissions, []);
    return versions as typeof NEWEST;
  }

  async function launchers(imageId: string): Promise<string[]> {
    const asked = ["ec2", "describe-image-attribute", "--region", "eu-west-1", "--image-id", imageId];
    const answer = await emulator().aws(...asked, "--attribute", "launchPermission");
    return (answer.LaunchPermissions as unknown as { UserId: string }[]).map(({ UserId }) => UserId).sort();
  }
});

/** A node_modules folder with a version of the SDK, this package, and the compiler. */
async function sdk(version: string): Promise<string> {
  const nodeModules = await fetchPackage("@pulumi/pulumi", version);
  copyPackage(nodeModules);
  linkPackages(nodeModules, "typescript", "ts-node", "@types/node");
  return nodeModules;
}

/** The folder of the Node.js program with this version. */
async function folderOfNode(version: string): Promise<string> {
  if (process.versions.node === version) return path.dirname(process.execPath);
  const name = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
  return path.join(await fetchPackage(name, version), name, "bin");
}
