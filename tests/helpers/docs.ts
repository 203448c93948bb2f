/** Reads the documentation for tests: its pages, their code blocks, headings and links. */

import * as fs from "node:fs";
import * as path from "node:path";
import { ROOT } from "./emulator";

export interface Block {
  /** The page and the first line of the block: `docs/share.md:12`. */
  readonly place: string;
  readonly page: string;
  readonly language: string;
  readonly text: string;
}

/** The pages whose code blocks are run or compiled: the READMEs of the repository and of the package, and the pages in docs. */
export function docPages(): string[] {
  const names = fs.readdirSync(path.join(ROOT, "docs")).filter((name) => name.endsWith(".md"));
  return ["README.md", "provider/README.md", ...names.map((name) => `docs/${name}`)];
}

/** All pages whose links are checked. */
export function linkedPages(): string[] {
  const examples = fs.readdirSync(path.join(ROOT, "examples")).map((name) => `examples/${name}/README.md`);
  const others = ["CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "emulator/README.md"];
  return [...docPages(), ...others, ...examples].filter((page) => fs.existsSync(path.join(ROOT, page)));
}

export function pageText(page: string): string {
  return fs.readFileSync(path.join(ROOT, page), "utf8");
}

const FENCED = /^( *)```(.*)\n([\s\S]*?)^\1```$/gm;

/** The code blocks of a page. The indentation of blocks in lists is removed. */
export function blocksIn(page: string): Block[] {
  const text = pageText(page);
  return [...text.matchAll(FENCED)].map(({ index, 1: indent = "", 2: language = "", 3: code = "" }) => ({
    place: `${page}:${text.slice(0, index).split("\n").length + 1}`,
    page,
    language,
    text: code.replace(new RegExp(`^${indent}`, "gm"), ""),
  }));
}

export function blocksOf(language: string): Block[] {
  return docPages()
    .flatMap(blocksIn)
    .filter((block) => block.language === language);
}

/** A page without its code blocks. */
export function proseOf(page: string): string {
  return pageText(page).replace(FENCED, "");
}

/** The anchors that GitHub gives the headings of a page. */
export function anchorsOf(page: string): string[] {
  return [...proseOf(page).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** The names in the first column of the table under a heading: each code span begins with one. */
export function namesInTable(page: string, heading: string): string[] {
  const section = pageText(page).split(`\n${heading}\n`)[1]?.split(/\n#+ /)[0] ?? "";
  const cells = [...section.matchAll(/^\| (`[^|]*) \|/gm)].map(([, cell = ""]) => cell);
  return cells.flatMap((cell) => [...cell.matchAll(/`([\w.]+)/g)].map(([, name = ""]) => name));
}
