/** What the package makes public: its declarations stand on their own, and docs/core.md lists what ./core offers. */

import * as assert from "node:assert/strict";
import * as path from "node:path";
import * as ts from "typescript";
import { namesInTable, pageText } from "../helpers/docs";
import { ROOT } from "../helpers/emulator";

const DIST = path.join(ROOT, "provider/dist");

/** The declarations of the package's entries. */
function entries(): string[] {
  const { exports } = JSON.parse(pageText("provider/package.json")) as { exports: Record<string, { types?: string }> };
  return Object.values(exports).flatMap(({ types }) => (types === undefined ? [] : [path.join(ROOT, "provider", types)]));
}

describe("the public API", () => {
  it("has declarations that need nothing that is stripped from them", function () {
    this.timeout(60_000);
    const { config } = ts.readConfigFile(path.join(ROOT, "tsconfig.base.json"), ts.sys.readFile);
    // Of these files only is asked, so that other packages' declarations are not checked.
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

  it("of ./core is what docs/core.md lists", () => {
    const report = pageText("api/core.api.md");
    const names = [...report.matchAll(/^export (?:class|const|function|interface|type) (\w+)/gm)].map(([, name = ""]) => name);
    const listed = ["## Functions", "## Types"].flatMap((heading) => namesInTable("docs/core.md", heading));
    assert.deepEqual(listed.sort(), names.sort());
  });
});
