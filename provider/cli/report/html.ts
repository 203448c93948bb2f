/** The report as one HTML page, which needs no network. No I/O but reading its own style and script. */

import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { batches } from "../../core";
import { byBreadth, countOf } from "./build";
import type { Report, ReportedAmi, ReportedGrant } from "./model";
import {
  amiWords,
  cannotTellWords,
  changeWords,
  errorTitle,
  errorWords,
  granteeWords,
  hiddenWords,
  isPlan,
  summaryWords,
  titleOf,
} from "./words";

/** The most AMIs that one table shows side by side. */
const MAX_COLUMNS = 20;
/** The most items of a list of alerts. The tables have them all. */
const MAX_ALERTS = 50;

/** The report as a page. Each part of it is escaped, and its policy lets only its own style and script work. */
export function htmlOf(report: Report): string {
  const [style, script] = [asset("page.css"), asset("page.js")];
  const policy = `default-src 'none'; style-src '${hashOf(style)}'; script-src '${hashOf(script)}'; base-uri 'none'; form-action 'none'`;
  const title = titleOf(report);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>${escaped(title)}</h1>
<p class="summary">${escaped(summaryWords(report))}</p>
<p class="quiet">${escaped(madeBy(report))}</p>
</header>
<main>
${alerts(report)}
${filter(report)}
${matrices(report)}
<section aria-labelledby="amis">
<h2 id="amis">Each AMI</h2>
${report.amis.map((ami) => amiDetails(ami, report)).join("\n")}
</section>
</main>
<script>${script}</script>
</body>
</html>
`;
}

function madeBy({ kind, readAt, tool }: Report): string {
  const from = {
    "pulumi-preview": "From a preview of Pulumi",
    "terraform-plan": "From a plan of Terraform",
    live: "As EC2 has them",
    audit: "As EC2 has them",
    check: "Declared sets against EC2",
  }[kind];
  return `${from}${readAt === undefined ? "" : `, read at ${readAt}`}. Made by ${tool}.`;
}

function alerts(report: Report): string {
  const { amis, summary, warnings, notes } = report;
  const at = (texts: (ami: ReportedAmi) => readonly string[]) =>
    amis.flatMap((ami) => texts(ami).map((text) => `${place(ami)}: ${escaped(text)}`));
  const broadening = at((ami) => ami.broadens.map(({ text }) => text));
  const failing = at(({ errors }) => errors);
  const unknown = summary.cannotTell.length > 0 ? [escaped(cannotTellWords(summary.cannotTell))] : [];
  return [
    alert(errorTitle(report), failing),
    alert("This broadens access", broadening),
    alert("Not in the file", unknown),
    alert("Warnings", warnings.map(escaped)),
    alert("Notes", notes.map(escaped)),
  ].join("");
}

function alert(title: string, items: readonly string[]): string {
  if (items.length === 0) return "";
  const more = items.length - MAX_ALERTS;
  const shown = [...items.slice(0, MAX_ALERTS), ...(more > 0 ? [`${more} more: see each AMI below`] : [])];
  return `<section class="alert"><h2>${title}</h2><ul>${shown.map((item) => `<li>${item}</li>`).join("")}</ul></section>\n`;
}

const CLASSES = { gains: "gains", loses: "loses", "gains and loses": "both", keeps: "keeps" } as const;
const SIGNS = { gains: "+", loses: "\u2212", "gains and loses": "\u00b1", keeps: "=" } as const;

function filter(report: Report): string {
  const kinds: readonly [string, string][] =
    isPlan(report) || report.kind === "check"
      ? [
          ["gains", "gains access"],
          ["loses", "loses access"],
          ["both", "gains and loses"],
          ["keeps", "keeps access"],
        ]
      : [];
  const options = [["", "all"] as const, ...kinds].map(([value, words]) => `<option value="${value}">${words}</option>`);
  return `<form id="filter" role="search" hidden>
<label>Filter by grantee, or by AMI <input id="query" type="search" autocomplete="off" placeholder="account, ARN, or ami-…" aria-keyshortcuts="/"></label>
<label>Change <select id="change">${options.join("")}</select></label>
<button type="reset">Show all</button>
<output id="shown" for="query change"></output>
<span class="quiet">Keys: / goes to the filter, Escape clears it.</span>
</form>`;
}

/** Tables of grantees and AMIs: each shows some of the AMIs, and only who has or had access to one of these. */
function matrices(report: Report): string {
  const shared = report.amis.filter(({ grants }) => grants.length > 0);
  const groups = batches(shared, MAX_COLUMNS);
  return groups
    .map((amis, i) => {
      const title = groups.length === 1 ? "Grantees and AMIs" : `Grantees and AMIs, part ${i + 1} of ${groups.length}`;
      return `<section aria-labelledby="matrix-${i}">
<h2 id="matrix-${i}">${title}</h2>
<div class="scroll" tabindex="0" role="region" aria-label="${title}: table">
${matrix(amis, report)}
</div>
</section>`;
    })
    .join("\n");
}

function matrix(amis: readonly ReportedAmi[], report: Report): string {
  const rows = new Map<string, { readonly grant: ReportedGrant; readonly cells: Map<number, ReportedGrant> }>();
  amis.forEach((ami, column) => {
    for (const grant of ami.grants) {
      const row = rows.get(grant.grantee) ?? { grant, cells: new Map() };
      row.cells.set(column, grant);
      rows.set(grant.grantee, row);
    }
  });
  const heads = amis.map((ami) => `<th scope="col">${place(ami)}<small>${escaped(amiWords(ami, report))}</small></th>`);
  const isChanging = ({ cells }: { cells: Map<number, ReportedGrant> }) =>
    [...cells.values()].some(({ change }) => change !== "keeps");
  const sorted = [...rows.values()].sort((a, b) => Number(isChanging(b)) - Number(isChanging(a)) || byBreadth(a.grant, b.grant));
  const lines = sorted.map(({ grant, cells }) => {
    const mark = grant.allowed === false ? ' <span class="bad">not allowed</span>' : "";
    const name = grant.name === undefined ? "" : `<small>${escaped(grant.name)}</small>`;
    return `<tr><th scope="row"><span class="id">${escaped(grant.grantee)}</span>${mark}${name}</th>${amis.map((_, column) => cell(cells.get(column), report)).join("")}</tr>`;
  });
  return `<table class="matrix">
<thead><tr><th scope="col">Grantee</th>${heads.join("")}</tr></thead>
<tbody>
${lines.join("\n")}
</tbody>
</table>`;
}

function cell(grant: ReportedGrant | undefined, report: Report): string {
  if (!grant) return "<td></td>";
  const why = grant.why === undefined ? "" : `<small>${escaped(grant.why)}</small>`;
  const sign = isPlan(report) || report.kind === "check" ? `<b aria-hidden="true">${SIGNS[grant.change]}</b>` : "";
  return `<td class="${CLASSES[grant.change]}">${sign}${escaped(changeWords(grant, report))}${why}</td>`;
}

function amiDetails(ami: ReportedAmi, report: Report): string {
  const { details, snapshots = [] } = ami;
  const hidden = hiddenWords(ami);
  const facts = [
    ...(ami.ownerId === undefined ? [] : [`owner: ${ami.ownerId}`]),
    ...ami.sets.map(
      ({ name, action, mode, movedFrom }) =>
        `set ${name}: ${action}${movedFrom === undefined ? "" : `, moved from ${movedFrom}`}${mode === undefined ? "" : `, ${mode}`}`,
    ),
    ...(details ? factsOf(details) : []),
    ...snapshots.map(
      ({ snapshotId, encrypted, kmsKeyId }) =>
        `snapshot ${snapshotId}${encrypted ? `, encrypted${kmsKeyId === undefined ? "" : ` under ${kmsKeyId}`}` : ""}`,
    ),
    ...(details?.usage ?? []).map(
      ({ accountId, name, resourceType, count }) =>
        `used by ${granteeWords({ grantee: `account/${accountId}`, ...(name === undefined ? {} : { name }) })}: ${count} ${resourceType}`,
    ),
    ...(hidden === undefined ? [] : [hidden]),
    ...ami.errors.map((text) => errorWords(text, report)),
    ...ami.broadens.map(({ text }) => `broadens access: ${text}`),
    ...ami.warnings.map((text) => `warning: ${text}`),
    ...ami.notes.map((text) => `note: ${text}`),
  ];
  const urgent = [ami.errors, ami.warnings, ami.broadens, ami.cannotTell].some((list) => list.length > 0);
  const open = urgent || countOf(ami, "loses") > 0;
  return `<details${open && report.amis.length <= MAX_COLUMNS ? " open" : ""}><summary>${place(ami)}: ${escaped(amiWords(ami, report))}</summary>
<ul class="facts">${facts.map((fact) => `<li>${escaped(fact)}</li>`).join("")}</ul></details>`;
}

function factsOf({
  state,
  encrypted,
  public: isPublic,
  createdAt,
  deprecatedAt,
  deregistrationProtection,
  watermarks = [],
}: NonNullable<ReportedAmi["details"]>): string[] {
  return [
    ...(isPublic ? ["public"] : []),
    ...(state === undefined ? [] : [`state: ${state}`]),
    ...(encrypted ? ["encrypted: launching also needs access to the key"] : []),
    ...(createdAt === undefined ? [] : [`created: ${createdAt}`]),
    ...(deprecatedAt === undefined ? [] : [`deprecated from: ${deprecatedAt}`]),
    ...(deregistrationProtection === undefined ? [] : [`deregistration protection: ${deregistrationProtection}`]),
    ...(watermarks.length > 0 ? [`watermarks: ${watermarks.join(", ")}`] : []),
  ];
}

function place({ label, region, name }: ReportedAmi): string {
  const more = [region, name].filter((text) => text !== undefined).map(escaped);
  return `<span class="id">${escaped(label)}</span>${more.length > 0 ? ` <span class="where">${more.join(" \u00b7 ")}</span>` : ""}`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function asset(name: string): string {
  return fs.readFileSync(path.join(__dirname, name), "utf8");
}

function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}
