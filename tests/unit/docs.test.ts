/** Checks the documentation: links, code blocks, error codes, arguments, commands, and the names of tests. */

import * as assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import * as ts from "typescript";
import { programFor } from "../../provider/cli/program";
import { ARGUMENT_NAMES, type Arguments, CONNECTION_ARGUMENTS, OUTPUTS, SET_ARGUMENTS } from "../../provider/core";
import { CONFIG_ARGUMENTS } from "../../provider/pulumi-plugin/configArguments";
import { BLOCKS } from "../../provider/pulumi-plugin/examples";
import { type Attribute, PROVIDER_SCHEMA, RESOURCE_SCHEMA } from "../../provider/terraform/schema";
import { anchorsOf, blocksIn, blocksOf, docPages, linkedPages, namesInTable, pageText, proseOf } from "../helpers/docs";
import { ROOT } from "../helpers/emulator";

/** Modules of mocha and Pulumi, which have no types. */
const { load } = require("js-yaml") as { load(text: string): unknown };

/** Languages of programs with a generated SDK. The page of the full Pulumi provider has examples of them. */
const LANGUAGES = ["typescript", "python", "go"];

const exists = (name: string) => fs.existsSync(path.join(ROOT, name));

describe("the documentation", () => {
  it("has a README of limited length", () => {
    const lines = pageText("README.md").trimEnd().split("\n");
    assert.ok(lines.length <= 150, `${lines.length} lines`);
    assert.deepEqual(
      lines.filter((line) => line.length > 130),
      [],
    );
  });

  it("has an index that names every page", () => {
    const index = pageText("docs/README.md");
    const pages = docPages().filter((page) => page.startsWith("docs/") && page !== "docs/README.md");
    assert.deepEqual(
      pages.filter((page) => !index.includes(`](${path.basename(page)})`)),
      [],
    );
  });

  for (const page of linkedPages())
    it(`has no broken link in ${page}`, () => {
      const links = [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
      const broken = links
        .filter((link) => !/^[a-z]+:/.test(link))
        .filter((link) => {
          const [file = "", anchor] = link.split("#");
          const target = file === "" ? page : path.join(path.dirname(page), decodeURI(file));
          return !exists(target) || (anchor !== undefined && !anchorsOf(target).includes(anchor));
        });
      assert.deepEqual(broken, []);
    });

  it("gives a language for each code block, so that a test runs or compiles it", () => {
    const checked = ["ts", "yaml", "hcl", "sh", ...LANGUAGES];
    const shown = ["text", "console"];
    const others = docPages()
      .flatMap(blocksIn)
      .filter(({ language }) => ![...checked, ...shown].includes(language));
    assert.deepEqual(
      others.map(({ place, language }) => `${place} ${language}`),
      [],
    );
  });

  it("has the examples of the full Pulumi provider that its schema and the SDKs have", () => {
    const page = "docs/pulumi-plugin.md";
    const examples = docPages()
      .flatMap(blocksIn)
      .filter(({ language }) => LANGUAGES.includes(language));
    assert.deepEqual(
      examples.map(({ page: on, language }) => [on, language]),
      LANGUAGES.map((language) => [page, language]),
    );
    const yaml = blocksIn(page).filter(({ language }) => language === "yaml");
    for (const { language, text } of [...examples, ...yaml]) assert.equal(text, `${BLOCKS[language as "yaml"]}\n`);
    assert.equal(yaml.length, 1);
  });

  it("has programs that compile", function () {
    this.timeout(60_000);
    const blocks = blocksOf("ts");
    assert.ok(blocks.length > 10, `${blocks.length} blocks`);
    assert.deepEqual(problemsIn(new Map(blocks.map(({ place, text }) => [place, text]))), []);
  });

  it("has YAML and shell code with valid syntax", () => {
    for (const { place, text } of blocksOf("yaml")) assert.doesNotThrow(() => load(text), place);
    for (const { place, text } of blocksOf("sh")) {
      const { status, stderr } = spawnSync("sh", ["-n"], { input: text, encoding: "utf8" });
      assert.equal(status, 0, `${place}: ${stderr}`);
    }
  });

  it("names only commands that exist", () => {
    const { scripts } = JSON.parse(pageText("package.json"));
    const commands = programFor(process, () => undefined).commands.map((command) => command.name());
    for (const page of [...docPages(), "CONTRIBUTING.md"]) {
      const text = pageText(page);
      for (const [, name = ""] of text.matchAll(/npm run (?:-s )?([a-z][\w:]*)/g))
        assert.ok(name in scripts, `${page}: npm run ${name}`);
      for (const [, name = ""] of text.matchAll(/npx ami-launch-permissions ([a-z][a-z-]*)/g))
        assert.ok(commands.includes(name), `${page}: ${name}`);
    }
  });

  it("explains each error code, and no others", () => {
    const union = /export type ErrorCode =([^;]+);/.exec(pageText("provider/core/model/errors.ts"))?.[1] ?? "";
    const codes = [...union.matchAll(/"([a-z-]+)"/g)].map(([, code = ""]) => code);
    assert.ok(codes.length > 20);
    const page = "docs/troubleshooting.md";
    const entries = [...proseOf(page).matchAll(/^### `([^`]+)`\n\n\S/gm)].map(([, code = ""]) => code);
    assert.deepEqual(entries, codes.toSorted());
    const named = docPages().flatMap((of) =>
      [...proseOf(of).matchAll(/\[([a-z]+(?:-[a-z]+)+)\](?!\()/g)].map(([, code = ""]) => code),
    );
    assert.deepEqual(
      named.filter((code) => !codes.includes(code)),
      [],
    );
  });

  it("describes each argument, and no others", () => {
    const inPulumi = namesInTable("docs/arguments.md", "## Arguments");
    assert.deepEqual(inPulumi.filter((name) => !name.includes(".")).sort(), [...ARGUMENT_NAMES].sort());
    assert.deepEqual(inPulumi.sort(), pathsIn({ ...SET_ARGUMENTS, ...CONNECTION_ARGUMENTS }).sort());
    assert.deepEqual(
      namesInTable("docs/terraform.md", "## The resource").sort(),
      Object.entries(RESOURCE_SCHEMA.attributes).flatMap(attributePaths).sort(),
    );
    assert.deepEqual(
      namesInTable("docs/terraform.md", "## Provider block").sort(),
      Object.entries(PROVIDER_SCHEMA.attributes).flatMap(attributePaths).sort(),
    );
    assert.deepEqual(namesInTable("docs/pulumi-plugin.md", "## Configuration").sort(), pathsIn(CONFIG_ARGUMENTS).sort());
    assert.deepEqual(namesInTable("docs/arguments.md", "## Outputs"), Object.keys(OUTPUTS));
  });

  it("names only files and tests that exist", () => {
    for (const page of [...docPages(), "CONTRIBUTING.md"]) {
      const spans = [...proseOf(page).matchAll(/`([^`]+)`(?: "([^"]+)")?/g)];
      for (const [, span = "", title] of spans) {
        if (/^(provider|tests|docs|scripts|emulator|examples)\/[\w./-]+$/.test(span)) assert.ok(exists(span), `${page}: ${span}`);
        if (!/^(unit|contract|properties|e2e|helpers)\/\w+$/.test(span)) continue;
        const file = [`tests/${span}.test.ts`, `tests/${span}.ts`].find(exists);
        assert.ok(file, `${page}: ${span}`);
        if (title !== undefined) assert.ok(pageText(file).includes(title), `${page}: ${span} "${title}"`);
      }
    }
  });
});

/** The arguments, each followed by the members of its object, as `object.member`. */
function pathsIn(args: Arguments): string[] {
  return Object.entries(args).flatMap(([name, { type }]) => {
    const members = typeof type === "object" && "members" in type ? pathsIn(type.members) : [];
    return [name, ...members.map((member) => `${name}.${member}`)];
  });
}

/** The same for an attribute of the Terraform schema. */
function attributePaths([name, { nested }]: [string, Attribute]): string[] {
  return [
    name,
    ...Object.entries(nested?.attributes ?? {})
      .flatMap(attributePaths)
      .map((path) => `${name}.${path}`),
  ];
}

/** The errors of the compiler for modules in the folder of the README, compiled as one program. */
function problemsIn(modules: ReadonlyMap<string, string>): string[] {
  const texts = new Map([...modules].map(([place, text]) => [path.join(ROOT, `${place.replaceAll(/\W/g, "_")}.ts`), text]));
  const { config } = ts.readConfigFile(path.join(ROOT, "tsconfig.base.json"), ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson({ ...config.compilerOptions, noEmit: true, types: ["node"] }, ROOT);
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (file) => texts.has(file) || fileExists(file);
  host.getSourceFile = (file, ...rest) => {
    const text = texts.get(file);
    return text === undefined ? getSourceFile(file, ...rest) : ts.createSourceFile(file, text, ts.ScriptTarget.ES2022);
  };
  const program = ts.createProgram([...texts.keys()], options, host);
  const diagnostics = [...texts.keys()].flatMap((file) => {
    const source = program.getSourceFile(file);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
  });
  return diagnostics.map(({ file, start = 0, messageText }) => {
    const { line = 0 } = file?.getLineAndCharacterOfPosition(start) ?? {};
    return `${path.basename(file?.fileName ?? "")}:${line + 1}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  });
}
