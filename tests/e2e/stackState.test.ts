/** A state of the stack that the engine cannot read at some moment: no set loses what it owns, and nothing is changed without the records. */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import { type MadeImage, useEmulator } from "../helpers/emulator";
import { PulumiProject } from "../helpers/pulumiProject";

const [A, B] = ["111122223333", "444455556666"] as const;

describe("a state of the stack that cannot be read", () => {
  const emulator = useEmulator();
  let project: PulumiProject;
  let image: MadeImage;

  beforeEach(async () => {
    project = await PulumiProject.create(emulator(), { program: "" });
    image = await emulator().image();
  });
  afterEach(() => project.remove());

  const attributes = () => `${project.folder}/.pulumi/stacks/ami-launch-permissions/test.json.attrs`;

  /** A program that shares the AMI. */
  const program = (names: readonly string[]) => `import { AmiLaunchPermissionSet } from "ami-launch-permissions";
for (const name of ${JSON.stringify(names)})
  new AmiLaunchPermissionSet(name, {
    imageId: ${JSON.stringify(image.imageId)},
    accountIds: ${JSON.stringify([A, B])},
    mode: "additive",
    createVolumePermissions: true,
  });
`;

  /**
   * The same, with a state that cannot be read for so many milliseconds. The engine writes the attributes of a state to a file beside it,
   * which is empty for a moment. Here the program empties it.
   */
  const unreadable = (names: readonly string[], milliseconds: number) => `import * as fs from "node:fs";
const attributes = ${JSON.stringify(attributes())};
const before = fs.readFileSync(attributes);
const end = Date.now() + ${milliseconds};
fs.writeFileSync(attributes, "");
const emptying = setInterval(() => {
  if (Date.now() < end) return fs.writeFileSync(attributes, "");
  clearInterval(emptying);
  fs.writeFileSync(attributes, before);
}, 1).unref();
${program(names)}`;

  it("for a moment is read again: a renamed set owns what it declares, and a destroy leaves no access", async () => {
    project.program(program(["one"]));
    await project.up();
    project.program(unreadable(["two"], 300));
    await project.up();
    assert.deepEqual(await emulator().launchers(image.imageId), [A, B]);
    await project.destroy();
    assert.deepEqual(await emulator().pairs([image]), []);
  });

  it("at all ends the preview and the up before anything changes, with one error that says why", async () => {
    project.program(program(["one"]));
    await project.up();
    project.program(unreadable(["two", "three"], 20_000));
    const readable = fs.readFileSync(attributes());
    for (const command of [["preview"], ["up", "--yes", "--skip-preview"]]) {
      const { output } = await project.fail(...command);
      fs.writeFileSync(attributes(), readable);
      assert.equal(output.split("Diagnostics:")[1]?.match(/\[state-unreadable\]/g)?.length, 1, output);
      assert.match(output, /the state of the stack could not be read, so it is not known what its sets granted: .*EOF/);
      assert.doesNotMatch(output, /\n\s+at /);
    }
    assert.deepEqual(await emulator().launchers(image.imageId), [A, B]);
    project.program(program(["two", "three"]));
    await project.up();
    await project.destroy();
    assert.deepEqual(await emulator().pairs([image]), []);
  });
});
