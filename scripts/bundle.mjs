// Shared by the scripts that bundle: options, the licence notices of a bundle, and replacing files atomically.
// @ts-check
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { ROOT } from "./environment.mjs";

/**
 * The AWS SDK describes every shape of a service in one file, with keys as `[_xN]: …`, where `_xN` is a constant. For esbuild such a key can
 * have side effects, so it keeps all shapes. With the text of the constant as the key, only the shapes of used commands stay: of EC2's
 * client, 25 of 1,054 kB.
 * @type {import("esbuild").Plugin}
 */
const onlyUsedShapes = {
  name: "only-used-shapes",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]@aws-sdk[\\/].*[\\/]schemas_0\.js$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      const constants = new Map([...text.matchAll(/^const (\w+) = (".*");$/gm)].map(([, name, value]) => [name, value]));
      return { contents: text.replace(/\[(\w+)\]:/g, (key, name) => (constants.has(name) ? `${constants.get(name)}:` : key)) };
    });
  },
};

/** What the package uses of the AWS SDK. */
const SDK = join(ROOT, "provider", "core", "aws", "sdk", "index.ts");

/** How API Extractor reads declarations: as a program does that uses the package. */
export const TYPES = {
  compilerOptions: {
    target: "es2022",
    lib: ["es2023"],
    module: "nodenext",
    strict: true,
    exactOptionalPropertyTypes: true,
    types: ["node"],
    skipLibCheck: true,
  },
};

/** The options of every bundle. */
const COMMON = /** @satisfies {import("esbuild").BuildOptions} */ ({
  absWorkingDir: ROOT,
  write: false,
  metafile: true,
  bundle: true,
  legalComments: "none",
  platform: "node",
  target: "node20.19",
  // ES modules first: of CommonJS modules, esbuild cannot drop what is not used.
  mainFields: ["module", "main"],
  logLevel: "warning",
});

/**
 * The used parts of the AWS SDK as ES modules, and the files that they come from. This is a step of its own, because of a file that is loaded
 * with `import()`, esbuild drops only in ES modules what is not used.
 */
async function buildSdk() {
  const { outputFiles, metafile } = await build({
    ...COMMON,
    entryPoints: [SDK],
    outdir: ROOT,
    format: "esm",
    splitting: true,
    plugins: [onlyUsedShapes],
  });
  return { chunks: new Map(outputFiles.map(({ path, text }) => [path, text])), inputs: Object.keys(metafile.inputs) };
}

/** @type {ReturnType<typeof buildSdk> | undefined} */
let sdk;

/**
 * Puts the used parts of the AWS SDK in the place of `./sdk`.
 * @type {import("esbuild").Plugin}
 */
const usedSdk = {
  name: "used-sdk",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\.\/sdk$/ }, () => ({ path: join(ROOT, "index.js"), namespace: "sdk" }));
    onResolve({ filter: /^\.\//, namespace: "sdk" }, ({ path }) => ({ path: join(ROOT, path), namespace: "sdk" }));
    onLoad({ filter: /^/, namespace: "sdk" }, async ({ path }) => {
      sdk ??= buildSdk();
      return { contents: (await sdk).chunks.get(path) ?? "", resolveDir: ROOT };
    });
  },
};

/**
 * Bundles into one CommonJS file.
 * @param {import("esbuild").BuildOptions} options
 * @returns {Promise<{ text: string, inputs: string[] }>} The bundle, and the files in it.
 */
export async function bundle(options) {
  const plugins = [...(options.plugins ?? []), usedSdk];
  const { outputFiles, metafile } = await build({ ...COMMON, format: "cjs", ...options, plugins, write: false, metafile: true });
  const inputs = Object.keys(metafile.inputs).filter((input) => !input.startsWith("sdk:"));
  const ofSdk = inputs.length < Object.keys(metafile.inputs).length ? (await sdk)?.inputs : [];
  return { text: outputFiles[0]?.text ?? "", inputs: [...inputs, ...(ofSdk ?? [])] };
}

/**
 * Replaces a file atomically, because another process may be starting the old one.
 * @param {string} folder
 * @param {string} name
 * @param {string | Uint8Array} contents
 * @param {number} mode
 */
export function put(folder, name, contents, mode) {
  const draft = join(folder, `.${name}.${process.pid}`);
  writeFileSync(draft, contents, { mode });
  renameSync(draft, join(folder, name));
}

/**
 * The licences of the packages in the bundle. Packages with the same text share it.
 * @param {string[]} inputs The files that were bundled.
 * @param {string[]} [others] Further notices.
 */
export function noticesOf(inputs, others = []) {
  const folders = new Set(inputs.flatMap((file) => packageFolder(join(ROOT, file)) ?? []));
  /** @type {Map<string, string[]>} */
  const packages = new Map();
  for (const folder of [...folders].sort()) {
    const { name, version, license } = readJson(join(folder, "package.json"));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file ? readFileSync(join(folder, file), "utf8").trim() : "No licence text in the package.";
    packages.set(text, [...(packages.get(text) ?? []), `${name} ${version} (${license})`]);
  }
  const texts = [...packages].map(([text, names]) => `${names.join("\n")}\n\n${text}`);
  return `${[...others, ...texts].join(`\n\n${"-".repeat(80)}\n\n`)}\n`;
}

/**
 * The folder of the installed package that a file belongs to; undefined for files of this project.
 * @param {string} file
 * @returns {string | undefined}
 */
function packageFolder(file) {
  if (!file.includes("node_modules")) return undefined;
  let folder = dirname(file);
  // A package.json without a name only sets the module type of a folder.
  while (!existsSync(join(folder, "package.json")) || !readJson(join(folder, "package.json")).name) folder = dirname(folder);
  return folder;
}

/** @param {string} file */
export function readJson(file) {
  return JSON.parse(readFileSync(file, "utf8"));
}
