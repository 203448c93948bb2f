// Draws docs/design.svg: how a value travels from a program's arguments to EC2 and back. `--check` fails if the picture does not match the code.
// @ts-check
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./environment.mjs";

/**
 * @typedef {object} Stop
 * @property {string} title
 * @property {string} words
 * @property {readonly (readonly [file: string, name: string])[]} code The definitions that do this step. Each must be in its file.
 */

/** @type {readonly Stop[]} */
const STOPS = [
  {
    title: "Arguments",
    words: "what a program or a configuration writes",
    code: [
      ["provider/pulumi/amiLaunchPermissionSet.ts", "AmiLaunchPermissionSetArgs"],
      ["provider/terraform/schema.ts", "RESOURCE_SCHEMA"],
    ],
  },
  {
    title: "Declaration",
    words: "checked, in one canonical form; unknown values stay unknown",
    code: [
      ["provider/core/declaration/decode.ts", "decodeDeclaredSet"],
      ["provider/core/declaration/permissionSet.ts", "permissionSetOf"],
    ],
  },
  {
    title: "Plan",
    words: "what EC2 has, the difference, what will be refused, the report",
    code: [
      ["provider/core/planning/plan.ts", "planChange"],
      ["provider/core/planning/diff.ts", "changeFor"],
      ["provider/core/planning/report.ts", "reportOf"],
    ],
  },
  {
    title: "Calls",
    words: "in batches; then EC2 is read until it shows the change",
    code: [
      ["provider/core/operations/reconcile.ts", "reconcile"],
      ["provider/core/aws/ec2Gateway.ts", "ec2Gateway"],
    ],
  },
  {
    title: "Record",
    words: "what EC2 has and what this set granted, kept in the engine's state",
    code: [
      ["provider/core/planning/recorded.ts", "encodeRecorded"],
      ["provider/core/planning/recorded.ts", "decodeRecorded"],
    ],
  },
  {
    title: "Grants",
    words: "grantee → permissions in words: what the engine compares and shows",
    code: [
      ["provider/core/model/grants.ts", "encodeGrants"],
      ["provider/core/model/grants.ts", "decodeGrants"],
    ],
  },
];

/** The adapters, which are drawn on the left and on the right of the steps that they call. */
const DRIVERS = [
  {
    title: "Pulumi",
    place: "dynamicProvider.ts",
    code: ["check", "diff", "create", "update", "read", "delete"].map((name) => ["provider/pulumi/dynamicProvider.ts", name]),
  },
  {
    title: "Terraform",
    place: "terraform/set/",
    code: [
      ["provider/terraform/set/plan.ts", "planSet"],
      ["provider/terraform/set/planDestroy.ts", "planDestroy"],
      ["provider/terraform/set/apply.ts", "applySet"],
      ["provider/terraform/set/destroy.ts", "destroySet"],
      ["provider/terraform/set/read.ts", "readSet"],
      ["provider/terraform/set/adopt.ts", "importSet"],
    ],
  },
];

const [WIDTH, HEIGHT, GAP, TOP] = [560, 96, 34, 64];
const LEFT = 190;
const TOTAL_WIDTH = LEFT * 2 + WIDTH;
const TOTAL_HEIGHT = TOP + STOPS.length * (HEIGHT + GAP);

/** @param {string} text */
function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

/**
 * @param {number} x
 * @param {number} y
 * @param {string} text
 * @param {string} kind
 */
function text(x, y, text, kind) {
  return `  <text x="${x}" y="${y}" class="${kind}">${escaped(text)}</text>`;
}

function drawing() {
  const stops = STOPS.flatMap(({ title, words, code }, i) => {
    const y = TOP + i * (HEIGHT + GAP);
    const names = code.map(([, name]) => name).join(" · ");
    const files = [...new Set(code.map(([file]) => file.replace("provider/", "")))].join(" · ");
    const arrow = i === 0 ? [] : [`  <path d="M${TOTAL_WIDTH / 2} ${y - GAP + 3} v${GAP - 10}" class="arrow"/>`];
    return [
      ...arrow,
      `  <rect x="${LEFT}" y="${y}" width="${WIDTH}" height="${HEIGHT}" rx="8" class="stop"/>`,
      text(LEFT + 18, y + 26, title, "title"),
      text(LEFT + 18, y + 46, words, "words"),
      text(LEFT + 18, y + 66, names, "code"),
      text(LEFT + 18, y + 84, files, "file"),
    ];
  });
  const drivers = DRIVERS.flatMap(({ title, place, code }, i) => {
    const x = i === 0 ? 14 : LEFT + WIDTH + 22;
    return [
      text(x, TOP + 26, title, "title"),
      text(x, TOP + 46, place, "file"),
      ...code.map(([, name = ""], n) => text(x, TOP + 70 + n * 20, name, "code")),
    ];
  });
  // The arrow from the grants back to the next diff.
  const [from, to] = [TOP + 5.5 * HEIGHT + 5 * GAP, TOP + 1.5 * HEIGHT + GAP];
  const back = `  <path d="M${LEFT} ${from} h-40 V${to} h33" class="arrow"/>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${TOTAL_WIDTH} ${TOTAL_HEIGHT}" role="img" aria-label="How a value travels">`,
    "  <style>",
    "    text { font: 13px ui-sans-serif, system-ui, sans-serif; fill: #1f2933 }",
    "    .title { font-weight: 600; font-size: 16px } .words { fill: #52606d } .code, .file { font-family: ui-monospace, monospace; font-size: 12px }",
    "    .file { fill: #7b8794 } .stop { fill: #f5f7fa; stroke: #9aa5b1 } .arrow { fill: none; stroke: #52606d; stroke-width: 1.5; marker-end: url(#head) }",
    "  </style>",
    '  <defs><marker id="head" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="#52606d"/></marker></defs>',
    text(TOTAL_WIDTH / 2 - 120, 34, "How a value travels, and comes back", "title"),
    ...stops,
    ...drivers,
    back,
    text(24, (from + to) / 2, "the next preview", "words"),
    text(24, (from + to) / 2 + 18, "compares with it", "words"),
    "</svg>",
    "",
  ].join("\n");
}

/** @returns {string[]} The names in the picture that the code does not have. */
function missing() {
  const named = [
    ...STOPS.flatMap(({ code }) => code),
    ...DRIVERS.flatMap(({ code }) => code.map(([file = "", name = ""]) => [file, name])),
  ];
  return named
    .filter(([file, name]) => {
      const path = join(ROOT, file);
      return (
        !existsSync(path) ||
        !new RegExp(`^(export |  )(async |default |const |function |interface |class )*${name}\\b`, "m").test(
          readFileSync(path, "utf8"),
        )
      );
    })
    .map(([file, name]) => `${name} is not defined in ${file}`);
}

const FILE = join(ROOT, "docs", "design.svg");
const problems = missing();
if (process.argv.includes("--check")) {
  if (!existsSync(FILE) || readFileSync(FILE, "utf8") !== drawing())
    problems.push("docs/design.svg is old: node scripts/draw-design.mjs");
} else writeFileSync(FILE, drawing());
for (const problem of problems) console.error(`draw-design: ${problem}`);
process.exitCode = problems.length > 0 ? 1 : 0;
