/** The report as Markdown, for the comment on a pull request. No I/O. */

import type { Report, ReportedAmi, ReportedGrant } from "./model";
import {
  amiWords,
  cannotTellWords,
  counted,
  errorTitle,
  grantWords,
  hiddenWords,
  isPlan,
  setWords,
  summaryWords,
  titleOf,
} from "./words";

/** Longer lists are collapsed. */
const MAX_LINES = 20;
/** The most characters of a comment: GitHub refuses 65,536 and more. The rest is for what a caller adds. */
const MAX_CHARACTERS = 60_000;
/** The most AMIs and grantees that are named, in the steps in which a report that is too long gets shorter. */
const STEPS: readonly Limits[] = [
  {
    keeps: Number.POSITIVE_INFINITY,
    gains: Number.POSITIVE_INFINITY,
    loses: Number.POSITIVE_INFINITY,
    amis: Number.POSITIVE_INFINITY,
  },
  { keeps: 0, gains: Number.POSITIVE_INFINITY, loses: Number.POSITIVE_INFINITY, amis: Number.POSITIVE_INFINITY },
  { keeps: 0, gains: 20, loses: Number.POSITIVE_INFINITY, amis: Number.POSITIVE_INFINITY },
  { keeps: 0, gains: 5, loses: 500, amis: 200 },
  { keeps: 0, gains: 0, loses: 20, amis: 100 },
  { keeps: 0, gains: 0, loses: 5, amis: 20 },
];

interface Limits {
  readonly keeps: number;
  readonly gains: number;
  readonly loses: number;
  readonly amis: number;
}

/** The report as Markdown. A report that is too long for a comment says what it leaves out. */
export function markdownOf(report: Report): string {
  let text = "";
  for (const limits of STEPS) {
    text = render(report, limits);
    if (text.length <= MAX_CHARACTERS) return text;
  }
  return `${text.slice(0, text.lastIndexOf("\n### ", MAX_CHARACTERS))}\n\nThe report is longer than a comment can be. The rest is in the HTML page and in the JSON.\n`;
}

function render(report: Report, limits: Limits): string {
  const amis = report.amis.slice(0, limits.amis);
  const more = report.amis.length - amis.length;
  const broadening = report.amis.flatMap((ami) => ami.broadens.map(({ text }) => `- ${place(ami)}: ${text}`));
  const failing = report.amis.flatMap((ami) => ami.errors.map((text) => `- ${place(ami)}: ${code(text)}`));
  const parts = [
    `## ${titleOf(report)}`,
    `**${summaryWords(report)}**`,
    alert("CAUTION", errorTitle(report), failing),
    alert("WARNING", "This broadens access", broadening.slice(0, MAX_LINES), broadening.length),
    report.summary.cannotTell.length > 0 ? `> [!IMPORTANT]\n> ${cannotTellWords(report.summary.cannotTell)}` : "",
    block(report.warnings.map((text) => `warning: ${text}`)),
    block(report.notes.map((text) => `note: ${text}`)),
    ...amis.map((ami) => section(ami, report, limits)),
    more > 0 ? `… and ${counted(more, "more AMI")}: see the HTML page or the JSON.` : "",
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function alert(kind: string, title: string, lines: readonly string[], count = lines.length): string {
  if (count === 0) return "";
  const more = count > lines.length ? [`- … and ${count - lines.length} more`] : [];
  return [`[!${kind}]`, `**${title}**`, "", ...lines, ...more].map((line) => `> ${line}`.trimEnd()).join("\n");
}

function section(ami: ReportedAmi, report: Report, limits: Limits): string {
  const lines = (change: ReportedGrant["change"]) =>
    ami.grants.filter((one) => one.change === change).map((one) => line(one, report));
  const keeping = lines("keeps");
  const changing = [
    ...cut([...lines("loses"), ...lines("gains and loses")], limits.loses, "lose access"),
    ...cut(lines("gains"), limits.gains, "gain access"),
  ];
  const staying = cut(keeping, limits.keeps, isPlan(report) ? "keep access" : "have access");
  const together = changing.length + staying.length <= MAX_LINES;
  const sets = ami.sets.map((set) => setWords(set, report, code));
  const hidden = hiddenWords(ami);
  return [
    `### ${place(ami)}: ${amiWords(ami, report)}`,
    sets.length > 0
      ? `Sets: ${sets.slice(0, MAX_LINES).join(", ")}${sets.length > MAX_LINES ? ` and ${sets.length - MAX_LINES} more` : ""}`
      : "",
    together ? diff([...changing, ...staying]) : collapsed(diff(changing), changing.length, "who gains or loses access"),
    together ? "" : collapsed(diff(staying), staying.length, isPlan(report) ? "who keeps access" : "who has access"),
    block([
      ...(hidden === undefined ? [] : [hidden]),
      ...details(ami),
      ...ami.warnings.map((text) => `warning: ${text}`),
      ...ami.notes.map((text) => `note: ${text}`),
    ]),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

const SIGNS = { gains: "+", loses: "-", "gains and loses": "!", keeps: " " } as const;

function line(grant: ReportedGrant, report: Report): string {
  return `${SIGNS[grant.change]} ${grantWords(grant, report)}`;
}

function details({ details: of, snapshots = [] }: ReportedAmi): string[] {
  if (!of) return [];
  const facts = [
    ...(of.state === undefined ? [] : [`state: ${of.state}`]),
    ...(of.deprecatedAt === undefined ? [] : [`deprecated from: ${of.deprecatedAt}`]),
    ...(of.deregistrationProtection === undefined ? [] : [`deregistration protection: ${of.deregistrationProtection}`]),
    ...(of.watermarks === undefined || of.watermarks.length === 0 ? [] : [`watermarks: ${of.watermarks.join(", ")}`]),
    `snapshots: ${counted(snapshots.length, "snapshot")}${of.encrypted ? ", encrypted" : ""}`,
  ];
  const uses = (of.usage ?? []).map(
    ({ accountId, resourceType, count }) => `used by account/${accountId}: ${count} ${resourceType}`,
  );
  return [facts.join("; "), ...cut(uses, MAX_LINES, "uses")];
}

function cut(lines: readonly string[], most: number, what: string): string[] {
  const more = lines.length - Math.min(lines.length, most);
  return [...lines.slice(0, most), ...(more > 0 ? [`  … ${more} more ${what}: see the HTML page or the JSON`] : [])];
}

/** A list in which GitHub colours the lines by their first character. */
function diff(lines: readonly string[]): string {
  return lines.length === 0 ? "" : fenced("diff", lines);
}

/** Lines whose text comes from others. */
function block(lines: readonly string[]): string {
  return lines.length === 0 ? "" : fenced("text", lines);
}

function fenced(language: string, lines: readonly string[]): string {
  const text = lines.map((one) => one.replace(/[\r\n]+/g, " ")).join("\n");
  const fence = "`".repeat(Math.max(3, longestRun(text) + 1));
  return `${fence}${language}\n${text}\n${fence}`;
}

function collapsed(content: string, count: number, what: string): string {
  if (content === "") return "";
  if (count <= MAX_LINES) return content;
  return `<details>\n<summary>${counted(count, "line")}: ${what}</summary>\n\n${content}\n\n</details>`;
}

/** Where a line is about. */
function place({ label, region, name }: ReportedAmi): string {
  return `${code(label)}${name === undefined ? "" : ` (${code(name)})`}${region === undefined ? "" : ` in ${code(region)}`}`;
}

/** Text that comes from others: in code, nothing is a mention, a link, or HTML. */
function code(text: string): string {
  const flat = text.replace(/\s+/g, " ").trim() || " ";
  const fence = "`".repeat(longestRun(flat) + 1);
  const pad = flat.startsWith("`") || flat.endsWith("`") ? " " : "";
  return fence + pad + flat + pad + fence;
}

function longestRun(text: string): number {
  return Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
}
