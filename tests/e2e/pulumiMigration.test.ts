/** Migration from Pulumi's resources with one principal each to sets: the steps that the command prints, with the real CLI. */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { watchAccess } from "../helpers/accessWatch";
import { useEmulator } from "../helpers/emulator";
import { installPulumiAwsStandIn } from "../helpers/pulumiAwsStandIn";
import { PulumiProject, reportsIn } from "../helpers/pulumiProject";

const [A, B] = ["111122223333", "444455556666"] as const;
const TYPES = [
  "aws:ec2/amiLaunchPermission:AmiLaunchPermission",
  "aws:ec2/snapshotCreateVolumePermission:SnapshotCreateVolumePermission",
];

/** Two old resources for each account: one is protected and has quotes in its name, one has a parent, one depends on another. */
const old = (imageId: string, snapshotId: string) => `import * as pulumi from "@pulumi/pulumi";
const parent = new pulumi.ComponentResource("my:index:Sharing", "sharing");
const one = new pulumi.CustomResource("${TYPES[0]}", "it's \\"one\\" \`x\` $y", { imageId: "${imageId}", accountId: "${A}" }, { protect: true });
new pulumi.CustomResource("${TYPES[0]}", "two", { imageId: "${imageId}", accountId: "${B}" }, { parent, dependsOn: [one] });
for (const accountId of ["${A}", "${B}"])
  new pulumi.CustomResource("${TYPES[1]}", accountId, { snapshotId: "${snapshotId}", accountId }, { parent, dependsOn: [one] });
`;

describe("the migration from Pulumi's resources with one principal each", function () {
  this.timeout(180_000);
  const emulator = useEmulator();
  let project: PulumiProject;

  afterEach(() => project?.remove());

  it("T1: after the printed steps, nothing is left to do, and nobody has lost access for a moment", async () => {
    const image = await emulator().image({ snapshots: 1 });
    const [snapshotId = ""] = image.snapshotIds;
    const before = old(image.imageId, snapshotId);
    project = await PulumiProject.create(emulator(), { program: before });
    const plugins = path.join(project.folder, "plugins");
    installPulumiAwsStandIn(plugins);
    project.env.PATH = `${plugins}${path.delimiter}${project.env.PATH}`;
    const write = (program: string) => project.program(program);
    await project.up();
    const shared = await emulator().pairs([image]);
    assert.equal(shared.length, 4);

    // The stack does not contain the AMI. This adds it, as in the state of a program that copied the AMI.
    const state = JSON.parse((await project.succeed("stack", "export")).stdout);
    const copy = { type: "aws:ec2/amiCopy:AmiCopy", urn: "urn:pulumi:test::x::aws:ec2/amiCopy:AmiCopy::copy", id: image.imageId };
    state.deployment.resources.push({ ...copy, custom: true, outputs: { ebsBlockDevices: [{ snapshotId }] } });
    fs.writeFileSync(path.join(project.folder, "state.json"), JSON.stringify(state));
    const main = "node_modules/ami-launch-permissions/dist/cli/main.js";
    const { stdout: printed } = await project.node(main, "migrate-terraform", "state.json");

    const watch = watchAccess(emulator(), [image], [A, B], { volumes: true });
    await emulator().forgetCalls();
    // Step 1.
    write(`${before}\n${printed}`);
    assert.equal(reportsIn(await project.preview())[0], `AMI ${image.imageId} in us-east-1: nothing changes, 2 keep access`);
    await project.up();
    // Step 2.
    write(printed);
    // Step 3, with a shell, as printed.
    const commands = printed.split("\n").filter((line) => line.startsWith("pulumi state delete"));
    assert.equal(commands.length, 4);
    assert.equal(commands.filter((line) => line.includes(" --force ")).length, 1);
    const { code, output } = await project.script("sh", "-e", "-c", commands.join("\n"));
    assert.equal(code, 0, output);
    // Step 4.
    const preview = await project.preview();
    assert.doesNotMatch(preview, /AmiLaunchPermission:|SnapshotCreateVolumePermission/);
    await project.up();
    assert.match(await project.preview("--refresh"), /2 unchanged/);
    assert.deepEqual((await watch.end()).lost, [], "somebody lost access for a moment");
    assert.deepEqual(await emulator().modifications(), []);
    assert.deepEqual(await emulator().pairs([image]), shared);
    assert.equal((await project.state()).sets.length, 1);
    // The set owns the migrated grants.
    write("");
    await project.up();
    assert.deepEqual(await emulator().pairs([image]), []);
  });
});
