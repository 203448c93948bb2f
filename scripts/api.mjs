// Writes the API reports in api/, one for each entry of the package that has types. It reads the built declarations. With --check, it
// writes nothing, and fails if a report differs.
// @ts-check
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { Extractor, ExtractorConfig, ExtractorLogLevel } from "@microsoft/api-extractor";
import { TYPES } from "./bundle.mjs";
import { ROOT, TOOLCHAIN } from "./environment.mjs";

const PROVIDER = join(ROOT, "provider");
const REPORTS = join(ROOT, "api");
const FRESH = join(TOOLCHAIN, "api");
const ERROR = { logLevel: ExtractorLogLevel.Error };
const NONE = { logLevel: ExtractorLogLevel.None };
const isCheck = process.argv.includes("--check");

/** @type {Record<string, { types?: string }>} */
const entries = JSON.parse(readFileSync(join(PROVIDER, "package.json"), "utf8")).exports;
for (const folder of [REPORTS, FRESH]) mkdirSync(folder, { recursive: true });

/** @type {string[]} */
const problems = [];
/** @type {string[]} */
const reports = [];
for (const [entry, { types }] of Object.entries(entries)) {
  if (types === undefined) continue;
  const name = entry === "." ? "index" : entry.slice("./".length);
  reports.push(`${name}.api.md`);
  try {
    extract(name, types);
  } catch (error) {
    const { message } = /** @type {Error} */ (error);
    problems.push(`${types}: ${message.split("\n")[0]}; does a public declaration use an @internal one?`);
  }
}
for (const name of readdirSync(REPORTS).filter((name) => !reports.includes(name))) {
  if (isCheck) problems.push(`api/${name}: the package has no such entry; run npm run api`);
  else rmSync(join(REPORTS, name));
}
if (problems.length > 0) {
  console.error(problems.join("\n"));
  process.exitCode = 1;
}

/**
 * @param {string} name
 * @param {string} types
 */
function extract(name, types) {
  /** @type {import("@microsoft/api-extractor").IConfigFile} */
  const configObject = {
    projectFolder: PROVIDER,
    mainEntryPointFilePath: join(PROVIDER, types),
    newlineKind: "lf",
    compiler: {
      overrideTsconfig: { ...TYPES, files: [types] },
    },
    // Types that are not exported by name are a part of the API, too.
    apiReport: {
      enabled: true,
      includeForgottenExports: true,
      reportFileName: `${name}.api.md`,
      reportFolder: REPORTS,
      reportTempFolder: FRESH,
    },
    docModel: { enabled: false },
    dtsRollup: { enabled: false },
    tsdocMetadata: { enabled: false },
    messages: {
      compilerMessageReporting: { default: ERROR },
      extractorMessageReporting: {
        default: ERROR,
        // Every export is public. The build strips @internal declarations.
        "ae-missing-release-tag": NONE,
        // Editors resolve the links.
        "ae-unresolved-link": NONE,
        "ae-undocumented": ERROR,
        // A construct extends a class that only the compiler names (`…_base`). The report shows it.
        "ae-forgotten-export": name.startsWith("cdk") ? { ...NONE, addToApiReportFile: true } : ERROR,
      },
      // The comments are prose for editors, not TSDoc. Only a misspelt tag is an error.
      tsdocMessageReporting: { default: NONE, "tsdoc-undefined-tag": ERROR },
    },
  };
  const packageJsonFullPath = join(PROVIDER, "package.json");
  Extractor.invoke(ExtractorConfig.prepare({ configObject, configObjectFullPath: undefined, packageJsonFullPath }), {
    localBuild: !isCheck,
    printApiReportDiff: isCheck,
    messageCallback(message) {
      const { messageId, logLevel, sourceFilePath, sourceFileLine, text } = message;
      message.handled = true;
      if (messageId === "ae-undocumented" && text.includes('_base"')) return;
      if (messageId === "console-api-report-not-copied" || messageId === "console-api-report-created")
        problems.push(`api/${name}.api.md: the public API changed. If this is intended, run npm run api`);
      else if (messageId === "console-api-report-diff") problems.push(text);
      else if (logLevel === ExtractorLogLevel.Error) {
        const place = sourceFilePath === undefined ? "" : `${relative(ROOT, sourceFilePath)}:${sourceFileLine}: `;
        problems.push(`${place}${text} (${messageId})`);
      }
    },
  });
}
