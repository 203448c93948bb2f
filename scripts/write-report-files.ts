// Writes what comes from the report's code: docs/report.schema.json, and the three forms of the reports on the plans in docs/report.
// With --check, it fails if they are old.

import * as fs from "node:fs";
import * as path from "node:path";
import { toJsonSchema } from "@valibot/to-json-schema";
import { NO_GRANTEE_BOOK } from "../provider/cli/granteeBook";
import { htmlOf } from "../provider/cli/report/html";
import { markdownOf } from "../provider/cli/report/markdown";
import { type Report, reportSchema } from "../provider/cli/report/model";
import { messagesIn, reportOfPlan, reportOfPreview } from "../provider/cli/report/read";

const DOCS = path.join(__dirname, "..", "docs");
/** Without a version, which would change the files with every release. */
const TOOL = "ami-launch-permissions";

function read(name: string): Uint8Array {
  return fs.readFileSync(path.join(DOCS, "report", name));
}

const reports: Readonly<Record<string, Report>> = {
  share: reportOfPreview(read("share.preview.json"), TOOL, NO_GRANTEE_BOOK),
  change: reportOfPlan(read("change.plan.json"), messagesIn(read("change.messages.jsonl")), TOOL, NO_GRANTEE_BOOK),
  guarded: reportOfPreview(read("guarded.preview.json"), TOOL, NO_GRANTEE_BOOK),
};
const schema = { title: "A report of ami-launch-permissions", ...toJsonSchema(reportSchema) };
const files = new Map([
  ["report.schema.json", `${JSON.stringify(schema, null, 2)}\n`],
  ...Object.entries(reports).flatMap(([name, report]) => [
    [`report/${name}.md`, markdownOf(report)] as const,
    [`report/${name}.html`, htmlOf(report)] as const,
    [`report/${name}.json`, `${JSON.stringify(report, null, 2)}\n`] as const,
  ]),
]);

const old = [...files].filter(
  ([name, text]) => !fs.existsSync(path.join(DOCS, name)) || fs.readFileSync(path.join(DOCS, name), "utf8") !== text,
);
if (process.argv.includes("--check")) {
  for (const [name] of old) console.error(`docs/${name} is old: npm run fix`);
  process.exitCode = old.length > 0 ? 1 : 0;
} else for (const [name, text] of old) fs.writeFileSync(path.join(DOCS, name), text);
