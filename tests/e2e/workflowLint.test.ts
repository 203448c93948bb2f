/** actionlint on the workflows in .github, and on those that the documentation shows with the action of this repository. */

import * as assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { blocksIn, pageText } from "../helpers/docs";
import { ROOT } from "../helpers/emulator";

const FOLDER = ".github/workflows";
const workflows = fs.readdirSync(path.join(ROOT, FOLDER)).map((name) => [name, pageText(`${FOLDER}/${name}`)] as const);

describe("actionlint", () => {
  it("finds nothing in the workflows, nor in those that the documentation shows", () => {
    const shown = blocksIn("docs/ci.md").filter(({ language, text }) => language === "yaml" && text.includes("\njobs:"));
    assert.ok(shown.length > 0);
    // As a local action, its inputs are checked, too.
    const local = (text: string) => text.replaceAll(/uses: .*ami-launch-permissions@.*/g, "uses: ./");
    for (const [name, text] of [...workflows, ...shown.map(({ place, text: block }) => [place, local(block)] as const)]) {
      const { status, stdout, stderr } = lint(text);
      assert.deepEqual([status, stdout, stderr], [0, "", ""], name);
    }
    const wrong = local(shown[0]?.text ?? "").replace("fail-on:", "fail-at:");
    assert.match(lint(wrong).stdout, /input "fail-at" is not defined in action "AMI launch permissions"/);
  });
});

/** Runs actionlint on a workflow, as if it were one of this repository: with the name of a file that is none, it does not read the action. */
function lint(workflow: string): { status: number | null; stdout: string; stderr: string } {
  const file = path.join(ROOT, ".toolchain/actionlint/actionlint");
  const { status, stdout, stderr, error } = spawnSync(
    file,
    ["-no-color", "-shellcheck=", "-pyflakes=", "-stdin-filename", `${FOLDER}/check.yml`, "-"],
    {
      cwd: ROOT,
      input: workflow,
      encoding: "utf8",
    },
  );
  if (error) throw error;
  return { status, stdout, stderr };
}
