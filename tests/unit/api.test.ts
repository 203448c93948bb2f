/** The public API of the package: its type declarations are self-contained, and docs/core.md lists the exports of ./core. */

import * as assert from "node:assert/strict";
import * as path from "node:path";
import * as ts from "typescript";
import { namesInTable, pageText } from "../helpers/docs";
import { ROOT } from "../helpers/emulator";

const DIST = path.join(ROOT, "provider/dist");

/** The type declarations of the package's entry points. */
function entries(): string[] {
  const { exports } = JSON.parse(pageText("provider/package.json")) as { exports: Record<string, { types?: string }> };
  return Object.values(exports).flatMap(({ types }) => (types === undefined ? [] : [path.join(ROOT, "provider", types)]));
}

describe("the public API", () => {
  it("has declarations that refer to nothing that the build removes from them", function () {
    this.timeout(60_000);
    const { config } = ts.readConfigFile(path.join(ROOT, "tsconfig.base.json"), ts.sys.readFile);
    // Diagnostics are requested for these files only, so that the declarations of other packages are not checked.
    const settings = { ...config.compilerOptions, noEmit: true, types: ["node"], skipLibCheck: false };
    const { options } = ts.convertCompilerOptionsFromJson(settings, ROOT);
    const program = ts.createProgram(entries(), options);
    const ours = program.getSourceFiles().filter(({ fileName }) => path.resolve(fileName).startsWith(DIST + path.sep));
    assert.ok(ours.length > entries().length, `${ours.length} files`);
    const problems = ours.flatMap((file) => [...program.getSemanticDiagnostics(file)]);
    assert.deepEqual(
      problems.map(
        ({ file, messageText }) =>
          `${path.relative(DIST, file?.fileName ?? "")}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`,
      ),
      [],
    );
  });

  it("of ./core exports what docs/core.md lists", () => {
    const report = pageText("api/core.api.md");
    const names = [...report.matchAll(/^export (?:class|const|function|interface|type) (\w+)/gm)].map(([, name = ""]) => name);
    const listed = ["## Functions", "## Types"].flatMap((heading) => namesInTable("docs/core.md", heading));
    assert.deepEqual(listed.sort(), names.sort());
  });
});
