/** The workflows in .github: they can be read, their commands exist, and a release has the archives of both providers. */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { pageText } from "../helpers/docs";
import { ROOT } from "../helpers/emulator";

/** Of mocha's and Pulumi's own; it has no types. */
const { load } = require("js-yaml") as { load(text: string): unknown };

interface Workflow {
  readonly jobs: Readonly<Record<string, { readonly steps: readonly { readonly run?: string; readonly uses?: string }[] }>>;
}

const FOLDER = ".github/workflows";
const workflows = fs.readdirSync(path.join(ROOT, FOLDER)).map((name) => [name, pageText(`${FOLDER}/${name}`)] as const);

describe("the workflows", () => {
  for (const [name, text] of workflows)
    it(`${name}: each step runs or uses something, and each npm command exists`, () => {
      const { scripts } = JSON.parse(pageText("package.json"));
      const { jobs } = load(text) as Workflow;
      for (const { steps } of Object.values(jobs))
        for (const { run, uses } of steps) {
          assert.ok((run === undefined) !== (uses === undefined), `${run} ${uses}`);
          for (const [, command = ""] of (run ?? "").matchAll(/npm run (?:-s )?([a-z][\w:]*)/g))
            assert.ok(command in scripts, command);
        }
    });

  it("release: packs both providers, then publishes what the scripts pack, Terraform's with signed checksums", () => {
    const { jobs } = load(pageText(`${FOLDER}/release.yml`)) as Workflow;
    const runs = Object.values(jobs)
      .map(({ steps }) => steps.map(({ run = "" }) => run))
      .find((all) => all.some((run) => run.startsWith("gh release create")));
    const at = (start: string) => (runs ?? []).findIndex((run) => run.startsWith(start));
    const publish = at("gh release create");
    for (const step of ["npm run package:terraform", "npm run package:pulumi", "printf"])
      assert.ok(at(step) >= 0 && at(step) < publish, step);
    const files = (runs?.[publish] ?? "").split(" ").filter((word) => word.startsWith("release/"));
    assert.deepEqual(files, ["release/terraform/registry/*", "release/pulumi/*"]);
    for (const [script, folder] of [
      ["package-terraform", '"release", "terraform"'],
      ["package-pulumi", '"release", "pulumi"'],
    ])
      assert.ok(pageText(`scripts/${script}.mjs`).includes(folder ?? ""), script);
  });
});
