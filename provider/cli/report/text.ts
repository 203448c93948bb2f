/** The report as text for a terminal. No I/O. */

import type { Paint } from "../terminal";
import type { Report, ReportedAmi, ReportedGrant } from "./model";
import {
  amiWords,
  cannotTellWords,
  errorWords,
  granteeWords,
  grantWords,
  hiddenWords,
  isPlan,
  setWords,
  summaryWords,
} from "./words";

/** The most lines about grantees who keep their access. Those who gain or lose it are all named. */
const MAX_KEPT = 20;

const SIGNS = { gains: "+", loses: "-", "gains and loses": "~", keeps: " " } as const;
const COLOURS = { gains: "green", loses: "red", "gains and loses": "yellow", keeps: "gray" } as const;

export function textOf(report: Report, paint: Paint): string {
  const lines = [
    paint("bold", summaryWords(report)),
    ...report.warnings.map((text) => paint("yellow", `warning: ${text}`)),
    ...(report.summary.cannotTell.length > 0 ? [paint("yellow", cannotTellWords(report.summary.cannotTell))] : []),
    ...report.notes.map((text) => `note: ${text}`),
    ...report.amis.flatMap((ami) => ["", ...amiLines(ami, report, paint)]),
  ];
  return lines.join("\n");
}

function amiLines(ami: ReportedAmi, report: Report, paint: Paint): string[] {
  const changing = ami.grants.filter(({ change }) => change !== "keeps");
  const keeping = ami.grants.filter(({ change }) => change === "keeps");
  const most = isPlan(report) ? MAX_KEPT : keeping.length;
  const hidden = hiddenWords(ami);
  const { label, region, name, details } = ami;
  const sets = ami.sets.map((set) => setWords(set, report, (text) => text));
  const facts = details && [
    ...(details.state === undefined || details.state === "available" ? [] : [details.state]),
    ...(details.encrypted ? ["encrypted"] : []),
    ...(details.deprecatedAt === undefined ? [] : [`deprecated from ${details.deprecatedAt}`]),
    ...(details.deregistrationProtection?.startsWith("enabled") ? ["protected from deregistration"] : []),
    ...((details.watermarks ?? []).length > 0 ? [`watermarks: ${details.watermarks?.join(", ")}`] : []),
  ];
  return [
    paint(
      "bold",
      `${label}${name === undefined ? "" : ` (${name})`}${region === undefined ? "" : ` in ${region}`}: ${amiWords(ami, report)}`,
    ),
    ...(sets.length > 0 ? [`  ${sets.length === 1 ? "set" : "sets"}: ${sets.join(", ")}`] : []),
    ...ami.errors.map((text) => paint("red", `  ${errorWords(text, report)}`)),
    ...ami.broadens.map(({ text }) => paint("yellow", `  broadens access: ${text}`)),
    ...(facts && facts.length > 0 ? [`  ${facts.join("; ")}`] : []),
    ...[...changing, ...keeping.slice(0, most)].map((grant) => grantLine(grant, report, paint)),
    ...(keeping.length > most ? [`    ${keeping.length - most} more keep access`] : []),
    ...(hidden === undefined ? [] : [`  ${hidden}`]),
    ...(details?.usage ?? []).map(
      ({ accountId, name: of, resourceType, count }) =>
        `  used by ${granteeWords({ grantee: `account/${accountId}`, ...(of ? { name: of } : {}) })}: ${count} ${resourceType}`,
    ),
    ...ami.warnings.map((text) => paint("yellow", `  warning: ${text}`)),
    ...ami.notes.map((text) => `  note: ${text}`),
  ];
}

function grantLine(grant: ReportedGrant, report: Report, paint: Paint): string {
  const format = grant.allowed === false ? "red" : COLOURS[grant.change];
  return paint(format, `  ${SIGNS[grant.change]} ${grantWords(grant, report)}`);
}
