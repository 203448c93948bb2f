/** What `pulumi destroy` says about who loses access, with and without running the program, and what `pulumi import` says. */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { ROOT, useEmulator } from "../helpers/emulator";
import { PulumiProject } from "../helpers/pulumiProject";

const [FIRST, SECOND, THIRD] = ["111122223333", "444455556666", "777788889999"];

/** Declares the sets in given.json, by name. */
const PROGRAM = `
  import * as fs from "fs";
  import { AmiLaunchPermissionSet } from "ami-launch-permissions";

  for (const [name, args] of Object.entries<any>(JSON.parse(fs.readFileSync("given.json", "utf8"))))
    new AmiLaunchPermissionSet(name, args);
`;

function flat(text: string): string {
  return text.replace(/\s+/g, " ");
}

describe("pulumi destroy and import (P7)", function () {
  this.timeout(600_000);
  const emulator = useEmulator();
  let project: PulumiProject;
  beforeEach(async () => {
    project = await PulumiProject.create(emulator(), { program: PROGRAM });
  });
  afterEach(() => project.remove());

  function given(sets: Record<string, object>): void {
    fs.writeFileSync(path.join(project.folder, "given.json"), JSON.stringify(sets));
  }

  for (const run of [[], ["--run-program"]])
    it(`names who loses access, before and after: destroy ${run}`, async () => {
      const images = await emulator().images(Array.from({ length: 3 }, () => ({ snapshots: 0 })));
      const [one, two, three] = images.map(({ imageId }) => imageId) as [string, string, string];
      const kept = { first: { imageId: one, mode: "additive", accountIds: [FIRST, SECOND] } };
      const beside = { imageId: one, mode: "additive", accountIds: [FIRST, THIRD] };
      given({ ...kept, beside, left: { imageId: two, accountIds: [FIRST] } });
      await project.up();

      // The new set is declared but not created, so it is not destroyed.
      given({ ...kept, beside: { ...beside, accountIds: [FIRST] }, fresh: { imageId: three, accountIds: [FIRST] } });
      const { output: shown } = await project.succeed("destroy", ...run, "--preview-only", "--diff");
      for (const [imageId, ...accounts] of [
        [one, FIRST, SECOND],
        [one, FIRST, THIRD],
        [two, FIRST],
      ])
        assert.match(
          flat(shown),
          new RegExp(
            `\\(delete\\) \\[id=${imageId}\\][^()]* grants : \\{ ${accounts.map((id) => `account/${id}: "launch" `).join("")}\\}`,
          ),
        );
      assert.doesNotMatch(shown, / in us-east-1: /, "a destroy shares nothing");
      assert.doesNotMatch(shown, new RegExp(three), "a set that was not created is not mentioned");
      if (run.length > 0) assert.match(shown, /set "left" is not declared any more/);

      const { output: done } = await project.succeed("destroy", ...run, "--yes", "--skip-preview");
      for (const words of [
        `AMI ${one} was unshared: 2 lost access to it, as recorded - launch (granted by this set; 2): account/${FIRST}, account/${SECOND}`,
        `AMI ${one} was unshared: 2 lost access to it, as recorded - launch (granted by this set; 2): account/${FIRST}, account/${THIRD}`,
        `AMI ${two} was unshared: 1 lost access to it, as recorded - launch (granted by this set): account/${FIRST}`,
      ])
        assert.ok(flat(done).includes(words), `${words}\n${done}`);
      for (const imageId of [one, two, three]) assert.deepEqual(await emulator().launchers(imageId), []);
    });

  it("with --target also takes what another set declares, and up --refresh gives it back, as the docs say", async () => {
    const { imageId } = await emulator().image({ snapshots: 0 });
    const left = { imageId, mode: "additive", accountIds: [FIRST, THIRD] };
    given({ gone: { imageId, mode: "additive", accountIds: [FIRST, SECOND] }, left });
    await project.up();
    const { sets } = await project.state();
    const { output } = await project.succeed(
      ...["destroy", "--yes", "--skip-preview", "--target", sets.find(({ urn }) => urn.endsWith("::gone"))?.urn ?? ""],
    );
    assert.match(flat(output), new RegExp(`2 lost access to it, as recorded - .*: account/${FIRST}, account/${SECOND}`));
    assert.deepEqual(await emulator().launchers(imageId), [THIRD]);
    given({ left });
    await project.up("--refresh");
    assert.deepEqual(await emulator().launchers(imageId), [FIRST, THIRD]);
    await project.destroy();
    assert.deepEqual(await emulator().launchers(imageId), []);
  });

  it("with deletedWith takes nothing away, as the preview and the report of its file say", async () => {
    const { imageId } = await emulator().image({ snapshots: 0 });
    const accountIds = JSON.stringify([FIRST, SECOND]);
    project.program(`import * as pulumi from "@pulumi/pulumi";
      import { AmiLaunchPermissionSet } from "ami-launch-permissions";
      const image = new (class extends pulumi.ComponentResource {})("test:index:Image", "image");
      new AmiLaunchPermissionSet("set", { imageId: "${imageId}", accountIds: ${accountIds} }, { deletedWith: image });`);
    await project.up();
    project.program(PROGRAM);
    given({});
    const file = path.join(project.folder, "preview.json");
    fs.writeFileSync(file, (await project.succeed("preview", "--json")).stdout);
    const report = await project.node(path.join(ROOT, "provider/dist/cli/main.js"), "report", "--pulumi", file);
    assert.match(flat(report.output), /deletedWith: everybody keeps access/);
    await project.up();
    assert.deepEqual(await emulator().launchers(imageId), [FIRST, SECOND]);
  });

  it("imports nothing and changes nothing; the way in the README takes the AMI over", async () => {
    const launchPermissions = [{ UserId: FIRST }];
    const { imageId } = await emulator().image({ snapshots: 0, launchPermissions });
    given({});
    await project.fail(
      "import",
      "pulumi-nodejs:dynamic/ami-launch-permissions:AmiLaunchPermissionSet",
      "golden",
      imageId,
      "--yes",
    );
    assert.deepEqual((await project.state()).sets, []);
    given({ golden: { imageId, accountIds: [FIRST] } });
    const { output } = await project.succeed("preview", "--diff");
    assert.match(output, /in us-east-1: nothing changes, 1 keeps access/);
    await emulator().forgetCalls();
    await project.up();
    assert.deepEqual(await emulator().modifications(), []);
    assert.equal((await project.state()).sets.length, 1);
  });
});
