/** The previews of one change in three forms that docs/pulumi-plugin.md shows side by side are what the real CLIs print. */

import * as assert from "node:assert/strict";
import { blocksIn, pageText } from "../helpers/docs";
import { type MadeImage, useEmulator } from "../helpers/emulator";
import { declaredSet, pluginProject, writeProgram } from "../helpers/pulumiPlugin";
import { PulumiProject } from "../helpers/pulumiProject";
import { TerraformProject } from "../helpers/terraformProject";

const PAGE = "docs/pulumi-plugin.md";
const HEADING = "\n## The same change in three forms\n";
/** 60 accounts, and the same with the fourth taken out and another one added. */
const BEFORE = Array.from({ length: 60 }, (_, i) => String(300000000000 + i));
const AFTER = [...BEFORE.filter((_, i) => i !== 3), "777788889999"];

describe("the same change in three forms", function () {
  this.timeout(600_000);
  const emulator = useEmulator();
  const [start] = pageText(PAGE).split(HEADING);
  const first = (start ?? "").split("\n").length;
  const [dynamic, full, terraform] = blocksIn(PAGE).filter(
    ({ language, place }) => language === "text" && Number(place.split(":")[1]) > first,
  );

  /** A preview as the page shows it: without what differs from run to run and what surrounds the set. */
  function shown(output: string, { imageId, snapshotIds }: MadeImage): string {
    const lines = output
      .replaceAll(imageId, "ami-0123456789abcdef0")
      .replaceAll(snapshotIds[0] ?? "", "snap-0123456789abcdef0")
      .split("\n")
      .map((line) => line.trimEnd());
    const begin = lines.findIndex((line) => /^ *(~ \S+LaunchPermissionSet: \(update\)|# ami_launch_permission_set)/.test(line));
    const end = lines.findIndex((line) => /^ *(--outputs:--|Resources:|Plan: )/.test(line));
    assert.ok(begin >= 0 && end > begin, output);
    const kept = lines.slice(begin, end).filter((line) => !/^ *\[(urn|provider)=|^$/.test(line));
    return `${shortened(kept).join("\n")}\n`;
  }

  /** Of many lines in a row that have no sign and name an account, says how many they are. */
  function shortened(lines: readonly string[]): string[] {
    const stays = (line: string | undefined) => line !== undefined && /^ *account\/\d{12} *: "/.test(line);
    return lines.flatMap((line, i) => {
      if (!stays(line)) return [line];
      if (stays(lines[i - 1])) return [];
      const next = lines.findIndex((other, j) => j > i && !stays(other));
      const count = (next < 0 ? lines.length : next) - i;
      return count > 3 ? [`${/^ */.exec(line)?.[0]}(${count} lines of accounts that stay)`] : lines.slice(i, i + count);
    });
  }

  const args = (imageId: string, accountIds: readonly string[]) => ({ imageId, accountIds, createVolumePermissions: true });

  it("with the dynamic resource", async () => {
    const image = await emulator().image({ snapshots: 1 });
    const project = await PulumiProject.create(emulator());
    try {
      project.config(args(image.imageId, BEFORE));
      await project.up();
      project.config(args(image.imageId, AFTER));
      assert.equal(shown(await project.preview(), image), dynamic?.text);
    } finally {
      project.remove();
    }
  });

  it("with the full provider", async () => {
    const image = await emulator().image({ snapshots: 1 });
    const project = await pluginProject(emulator());
    try {
      writeProgram(project, declaredSet("golden", args(image.imageId, BEFORE)));
      await project.up();
      writeProgram(project, declaredSet("golden", args(image.imageId, AFTER)));
      assert.equal(shown(await project.preview(), image), full?.text);
    } finally {
      project.remove();
    }
  });

  it("with Terraform", async () => {
    const image = await emulator().image({ snapshots: 1 });
    const project = await TerraformProject.create(emulator(), "");
    try {
      const declare = (accountIds: readonly string[]) =>
        project.declare({ golden: { image_id: image.imageId, account_ids: accountIds, create_volume_permissions: {} } });
      declare(BEFORE);
      await project.apply();
      declare(AFTER);
      const plan = await project.plan();
      assert.equal(shown(plan, image), terraform?.text);
      assert.match(plan.replace(/[\s│]+/g, " "), /Warning: .* 1 gains, 1 loses, 59 keep access/);
    } finally {
      project.remove();
    }
  });
});
