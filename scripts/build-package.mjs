// Replaces what tsc compiled of the package by one file for each entry, with what it uses of other packages, and one file with its types. Entries
// load each other, so that the core and its classes are in one file only. The AWS SDK is a file of its own, which is loaded at the first call, and so are
// the parsers of YAML and CSV.
// @ts-check
import { copyFileSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { CompilerState, Extractor, ExtractorConfig } from "@microsoft/api-extractor";
import { bundle, noticesOf, put, readJson, TYPES } from "./bundle.mjs";
import { ROOT } from "./environment.mjs";

const PROVIDER = join(ROOT, "provider");
const DIST = join(PROVIDER, "dist");
const SDK = join("core", "aws", "sdk", "index");
const PARSERS = join("core", "model", "parsers", "index");
const COMMAND = join("cli", "main");
/** The folders whose compiled files become bundles. The constructs stay: they have no dependencies, and few files. */
const FOLDERS = ["core", "pulumi", "pulumi-plugin", "terraform", "cli"];
const ENTRIES = [
  SDK,
  PARSERS,
  join("core", "index"),
  join("core", "public"),
  join("pulumi", "index"),
  join("pulumi", "dynamicProvider"),
  join("pulumi-plugin", "install"),
  join("terraform", "index"),
  COMMAND,
];
/** The entries that others load. */
const SHARED = [SDK, PARSERS, join("core", "index"), join("pulumi-plugin", "install"), join("terraform", "index")];

/**
 * Leaves imports of shared entries to Node.js.
 * @param {string} entry
 * @returns {import("esbuild").Plugin}
 */
const sharedEntries = (entry) => ({
  name: "shared-entries",
  setup({ onResolve }) {
    onResolve({ filter: /^\.\.?\// }, ({ path, importer }) => {
      const wanted = relative(PROVIDER, resolve(dirname(importer), path));
      // Users' entry of the core takes its names from the rooms, which are in the other one.
      const isRoom = entry === join("core", "public") && dirname(wanted) === "core";
      const shared = isRoom ? join("core", "index") : SHARED.find((one) => one === wanted || one === join(wanted, "index"));
      if (shared === undefined || shared === entry) return undefined;
      const file = relative(join(DIST, dirname(entry)), join(DIST, `${shared}.js`)).replaceAll(sep, "/");
      return { path: file.startsWith(".") ? file : `./${file}`, external: true };
    });
  },
});

/** @type {string[]} */
const all = [];
/** @type {[string, string][]} */
const bundles = [];
for (const entry of ENTRIES) {
  const { text, inputs } = await bundle({
    ...(entry === SDK
      ? { stdin: { contents: 'export * from "./sdk";', resolveDir: join(PROVIDER, "core", "aws") } }
      : { entryPoints: [join(PROVIDER, `${entry}.ts`)] }),
    // What the user installs.
    external: ["@pulumi/*"],
    minify: entry === SDK || entry === PARSERS || entry === COMMAND,
    // Of classes that name themselves, which esbuild renames.
    keepNames: entry !== SDK && entry !== PARSERS,
    plugins: [sharedEntries(entry)],
  });
  bundles.push([join(DIST, `${entry}.js`), text]);
  all.push(...inputs);
}

/** The declarations of the entries that have types. The constructs keep those of tsc. */
const typed = /** @type {{ types?: string }[]} */ (Object.values(readJson(join(PROVIDER, "package.json")).exports)).flatMap(
  ({ types }) => (types === undefined || /cdk/.test(types) ? [] : [join(PROVIDER, types)]),
);
const configs = typed.map(extractorConfig);
const [first] = configs;
if (!first) throw new Error("package.json names no types");
const compilerState = CompilerState.create(first, { additionalEntryPoints: typed });
const rolledUp = configs.map((config) => {
  Extractor.invoke(config, {
    compilerState,
    localBuild: true,
    // What the check of the API reports says.
    messageCallback(message) {
      message.handled = true;
    },
  });
  return /** @type {const} */ ([config.mainEntryPointFilePath, readFileSync(config.untrimmedFilePath, "utf8")]);
});

for (const folder of FOLDERS)
  for (const name of readdirSync(join(DIST, folder), { recursive: true, encoding: "utf8" }))
    if (/\.(js|d\.ts)$/.test(name)) rmSync(join(DIST, folder, name));
for (const [file, text] of [...bundles, ...rolledUp]) put(dirname(file), basename(file), text, 0o644);
// What the command reads beside its file: the style and the script of its page. The schema of its reports is for users.
for (const name of ["page.css", "page.js"]) copyFileSync(join(PROVIDER, "cli", "report", name), join(DIST, "cli", name));
copyFileSync(join(ROOT, "docs", "report.schema.json"), join(DIST, "cli", "report.schema.json"));
put(DIST, "THIRD-PARTY-NOTICES.txt", noticesOf(all), 0o644);

/** @param {string} types */
function extractorConfig(types) {
  /** @type {import("@microsoft/api-extractor").IConfigFile} */
  const configObject = {
    projectFolder: PROVIDER,
    mainEntryPointFilePath: types,
    newlineKind: "lf",
    compiler: { overrideTsconfig: { ...TYPES, files: typed } },
    apiReport: { enabled: false, reportFileName: "none.api.md" },
    docModel: { enabled: false },
    dtsRollup: { enabled: true, untrimmedFilePath: types.replace(/\.d\.ts$/, ".rolledup.d.ts") },
    tsdocMetadata: { enabled: false },
  };
  const packageJsonFullPath = join(PROVIDER, "package.json");
  return ExtractorConfig.prepare({ configObject, configObjectFullPath: undefined, packageJsonFullPath });
}
