/** Each mode with each operation and each `onDelete`, with the real CLI. boto3 reads the permissions. */

import * as assert from "node:assert/strict";
import type { Mode, OnDelete } from "../../provider/core";
import { type MadeImage, useEmulator } from "../helpers/emulator";
import { PulumiProject, reportsIn } from "../helpers/pulumiProject";

const [A, B, C, ELSE, LATER] = ["111122223333", "444455556666", "777788889999", "999900001111", "222200002222"] as const;
const MODES: readonly Mode[] = ["authoritative", "additive"];
const ON_DELETE: readonly OnDelete[] = ["revoke", "reset", "retain"];

describe("each mode with each operation", function () {
  this.timeout(300_000);
  const emulator = useEmulator();
  let project: PulumiProject;
  const sets = MODES.flatMap((mode) => ON_DELETE.map((onDelete) => ({ name: `${mode}-${onDelete}`, mode, onDelete })));
  let images: MadeImage[];
  before(async () => {
    project = await PulumiProject.create(emulator());
    // Somebody else has already shared the AMIs and their snapshots.
    const shared = [{ UserId: ELSE }];
    images = await emulator().images(
      sets.map(() => ({ snapshots: 1, launchPermissions: shared, createVolumePermissions: shared })),
    );
  });
  after(() => project.remove());

  function declare(
    accountIds: readonly string[],
    change: (set: (typeof sets)[number]) => Record<string, unknown> = () => ({}),
  ): void {
    project.config({
      sets: sets.map((set, i) => ({
        ...set,
        imageId: images[i]?.imageId,
        accountIds,
        createVolumePermissions: true,
        ...change(set),
      })),
    });
  }

  /** The accounts with launch and create-volume permission, which are the same for all sets of a mode. */
  async function holders(mode: Mode): Promise<{ launch: string[]; volume: string[] }> {
    const pairs = await emulator().pairs(images);
    const of = (resource: string | undefined) =>
      pairs.filter((pair) => pair.startsWith(`${resource} `)).map((pair) => pair.replace(/^.*account\//, ""));
    const [first, ...others] = sets.flatMap((set, i) =>
      set.mode === mode ? [{ launch: of(images[i]?.imageId), volume: of(images[i]?.snapshotIds[0]) }] : [],
    );
    for (const other of others) assert.deepEqual(other, first);
    return first ?? assert.fail();
  }

  async function expectHolders(
    authoritative: readonly string[],
    additive: readonly string[],
    launchOnly: readonly string[] = [],
  ) {
    for (const [mode, ids] of [["authoritative", authoritative] as const, ["additive", additive] as const]) {
      const { launch, volume } = await holders(mode);
      assert.deepEqual(launch, [...ids].sort(), mode);
      assert.deepEqual(volume, ids.filter((id) => !launchOnly.includes(id)).sort(), mode);
    }
  }

  it("create: authoritative sets revoke grants of others, and say so; additive sets keep them", async () => {
    declare([A, B]);
    const reports = reportsIn(await project.preview());
    assert.equal(reports.filter((line) => line.includes(`- launch, createVolume (set elsewhere): account/${ELSE}`)).length, 3);
    assert.equal(reports.filter((line) => line.endsWith("2 gain, 1 loses access")).length, 3);
    assert.equal(reports.filter((line) => line.endsWith("2 gain, 1 keeps access")).length, 3);
    await project.up();
    await expectHolders([A, B], [A, B, ELSE]);
  });

  it("update: in place; in both modes, the set revokes its own grants that are not declared any more", async () => {
    declare([A, C]);
    const preview = await project.preview();
    assert.match(preview, /~ 6 to update/);
    assert.equal(
      reportsIn(preview).filter((line) => line.includes(`- launch, createVolume (granted by this set): account/${B}`)).length,
      6,
    );
    await project.up();
    await expectHolders([A, C], [A, C, ELSE]);
  });

  it("refresh: without drift no change; lost grants are made again; only authoritative sets revoke added ones", async () => {
    assert.match(await project.preview("--refresh"), /7 unchanged/);
    for (const { imageId } of images)
      await emulator().aws(
        ...["ec2", "modify-image-attribute", "--image-id", imageId, "--launch-permission"],
        `Add=[{UserId=${LATER}}],Remove=[{UserId=${A}}]`,
      );
    const preview = await project.preview("--refresh");
    assert.match(preview, /~ 6 to update/);
    assert.equal(reportsIn(preview).filter((line) => /\+ launch \(drifted: taken away outside this set\):/.test(line)).length, 6);
    // A program reads the stack's saved state, which a refresh of the preview does not change.
    const unrecorded = `- launch (set elsewhere, and not in the state): account/${LATER}`;
    assert.equal(reportsIn(preview).filter((line) => line.includes(unrecorded)).length, 3);
    await project.up("--refresh");
    await expectHolders([A, C], [A, C, ELSE, LATER], [LATER]);
    assert.match(await project.preview("--refresh"), /7 unchanged/);
  });

  it("onDelete: changes in place, without a change in EC2", async () => {
    const before = await emulator().pairs(images);
    declare([A, C], ({ onDelete }) => ({ onDelete: ON_DELETE[(ON_DELETE.indexOf(onDelete) + 1) % 3] }));
    const preview = await project.preview();
    assert.match(preview, /~ 6 to update/);
    assert.match(preview, /~ onDelete +: "revoke" => "reset"/);
    assert.equal(reportsIn(preview).filter((line) => line.includes("nothing changes")).length, 6);
    await emulator().forgetCalls();
    await project.up();
    assert.deepEqual(await emulator().modifications(), []);
    declare([A, C]);
    await project.up();
    assert.deepEqual(await emulator().modifications(), []);
    assert.deepEqual(await emulator().pairs(images), before);
  });

  it("mode: a change to additive does nothing in EC2; to authoritative, it revokes grants of others, as previewed", async () => {
    const other = ({ mode }: { mode: Mode }) => ({ mode: mode === "additive" ? "authoritative" : "additive" });
    declare([A, C], other);
    const preview = await project.preview();
    assert.match(preview, /~ 6 to update/);
    assert.match(preview, /~ mode +: "authoritative" => "additive"/);
    const lines = reportsIn(preview);
    assert.equal(lines.filter((line) => line.includes("nothing changes")).length, 3);
    // The report wraps long lines.
    const losing = `- launch, createVolume (set elsewhere, and not in the state): account/${ELSE}`;
    assert.equal(lines.join(" ").replace(/\s+/g, " ").split(losing).length - 1, 3);
    await project.up();
    await expectHolders([A, C], [A, C]);
    declare([A, C]);
    await project.up();
    await expectHolders([A, C], [A, C]);
  });

  it("destroy: revoke takes the set's own grants, reset all grants, retain none", async () => {
    for (const { imageId } of images)
      await emulator().aws(
        "ec2",
        "modify-image-attribute",
        "--image-id",
        imageId,
        "--launch-permission",
        `Add=[{UserId=${LATER}}]`,
      );
    await project.destroy();
    const pairs = await emulator().pairs(images);
    for (const [i, { name, onDelete }] of sets.entries()) {
      const launch = pairs
        .filter((pair) => pair.startsWith(`${images[i]?.imageId} `))
        .map((pair) => pair.replace(/^.*account\//, ""));
      const volume = pairs
        .filter((pair) => pair.startsWith(`${images[i]?.snapshotIds[0]} `))
        .map((pair) => pair.replace(/^.*account\//, ""));
      const left = { revoke: [[LATER], []], reset: [[], []], retain: [[A, C, LATER].sort(), [A, C].sort()] }[onDelete];
      assert.deepEqual([launch, volume], left, name);
    }
    assert.deepEqual((await project.state()).sets, []);
  });
});
