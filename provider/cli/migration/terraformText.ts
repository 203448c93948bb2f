/** Writes the blocks that migrate from Terraform's old resources, which have one principal each, to sets. The result is valid HCL for all ids. */

import { escapeControls } from "../../core";
import { snakeCase } from "../../terraform/diagnostics";
import { type Forgotten, type Migration, type NewSet, type Stray, told } from "./migration";

const TYPE = "ami_launch_permission_set";
/** The arguments of a set that a migration writes, except createVolumePermissions. */
const ARGUMENTS = [
  "imageId",
  "region",
  "accountIds",
  "organizationArns",
  "organizationalUnitArns",
  "public",
  "acknowledgePublic",
] as const;

export function terraformText(migration: Migration): string {
  const { sets, forgotten, left, strays, forgottenByStrays } = migration;
  return `${[
    comment(...GUIDE),
    ...sets.map(setBlocks),
    ...[...forgotten].sort(byName).map(removedBlock),
    ...(strays.length > 0 ? [strayText(strays, forgottenByStrays)] : []),
    ...(left.length > 0
      ? [comment("These stay with the aws provider: leave their blocks in the configuration.", ...told(left))]
      : []),
  ].join("\n\n")}\n`;
}

const GUIDE = [
  "Written by: ami-launch-permissions migrate-terraform",
  "",
  '1. Add this file to the root module, which has the provider "ami". In every module, delete the resource blocks that are "removed" below,',
  "   and no others.",
  '2. Run terraform plan -out=migration.tfplan. CONTINUE ONLY IF IT SAYS "0 to change, 0 to destroy". If it shows a change, somebody else',
  "   shared the AMI, or a comment below says what to add. If it would destroy a resource, its removed block is missing.",
  "3. Run terraform apply migration.tfplan. Then delete the import and removed blocks.",
];

function setBlocks({ declared, comments, providers, known }: NewSet): string {
  const { imageId, region } = declared;
  const name = String(imageId);
  const { createVolumePermissions: volumes, public: everybody } = declared;
  const args = [
    ...ARGUMENTS.map((name) => [snakeCase(name), declared[name]] as const),
    ["create_volume_permissions", volumes === true ? (everybody ? { public: true } : {}) : snakeCased(volumes)] as const,
  ].filter(([, value]) => value !== undefined);
  const block = [`resource "${TYPE}" ${text(label(name))} {`, ...assignments(args, "  "), "}"];
  const notes = [
    ...comments,
    ...(region === undefined || providers.length > 0 ? [regionNote(region === undefined, providers)] : []),
  ];
  if (known)
    return comment(
      `AMI ${name} is in the state already, as ${known.address}. Its lists must contain the values of these lists:`,
      ...notes,
      ...block.map((line) => `  ${line}`),
    );
  const id = region === undefined ? name : `${String(region)}/${name}`;
  return [
    comment(`AMI ${name}`, ...notes),
    "import {",
    `  to = ${TYPE}.${label(name)}`,
    `  id = ${text(id)}`,
    "}",
    "",
    ...block,
  ].join("\n");
}

function regionNote(isUnknown: boolean, providers: readonly string[]): string {
  const by = providers.length > 0 ? ` It was shared through ${providers.map((name) => `aws.${name}`).join(", ")}.` : "";
  if (!isUnknown)
    return `${by.trim()} If that is not the account of the provider "ami", add provider = ami.ALIAS to both blocks.`;
  return `Its region is not in the state.${by} If it is not the region of the provider "ami", add region = "REGION" and write the id as "REGION/ami-…". If it is another account, add provider = ami.ALIAS to both blocks.`;
}

function removedBlock({ name, lost }: Forgotten): string {
  const notes = lost.length > 0 ? [comment("No set manages these from here on; they stay shared:", ...told(lost))] : [];
  return [...notes, "removed {", `  from = ${name}`, "  lifecycle {", "    destroy = false", "  }", "}"].join("\n");
}

function strayText(strays: readonly Stray[], forgotten: readonly string[]): string {
  return comment(
    "The state does not say which AMIs these snapshots belong to. To find out, run:",
    "  aws ec2 describe-images --owners self --filters Name=block-device-mapping.snapshot-id,Values=SNAPSHOT",
    "If it is an AMI above, add the lines to its set. If these are all its snapshots and accounts, create_volume_permissions = {} is enough.",
    ...strays.flatMap(({ snapshotIds, accountIds, public: everybody }) => [
      "",
      ...assignments(
        [
          [
            "create_volume_permissions",
            {
              ...(accountIds.length > 0 ? { account_ids: accountIds } : {}),
              snapshot_ids: snapshotIds,
              ...(everybody ? { public: true } : {}),
            },
          ],
          ...(everybody ? [["acknowledge_public", true] as const] : []),
        ],
        "  ",
      ),
    ]),
    ...(forgotten.length === 0
      ? []
      : [
          "",
          "Only if you did so, add these blocks, too. Otherwise leave the resource blocks in the configuration: they stay with the aws provider.",
          ...forgotten.flatMap((name) => [
            "",
            ...removedBlock({ name, lost: [] })
              .split("\n")
              .map((line) => `  ${line}`),
          ]),
        ]),
  );
}

function byName(a: Forgotten, b: Forgotten): number {
  return a.name < b.name ? -1 : 1;
}

function comment(...lines: readonly string[]): string {
  return lines.map((line) => `# ${escapeControls(line)}`.trimEnd()).join("\n");
}

/** Arguments on separate lines in the format of `terraform fmt`: the equals signs of adjacent lines are aligned. */
function assignments(args: readonly (readonly [string, unknown])[], indent: string): string[] {
  const lines: string[] = [];
  let together: [string, string][] = [];
  const flush = () => {
    const width = Math.max(...together.map(([name]) => name.length));
    for (const [name, value] of together) lines.push(`${indent}${name.padEnd(width)} = ${value}`);
    together = [];
  };
  for (const [name, value] of args) {
    const written = expression(value, indent);
    if (written.includes("\n")) {
      flush();
      lines.push(...`${indent}${name} = ${written}`.split("\n"));
    } else together.push([name, written]);
  }
  flush();
  return lines;
}

function expression(value: unknown, indent: string): string {
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    if (value.length < 2) return `[${value.map((item) => expression(item, inner)).join("")}]`;
    return `[\n${value.map((item) => `${inner}${expression(item, inner)},\n`).join("")}${indent}]`;
  }
  if (typeof value !== "object" || value === null) return typeof value === "string" ? text(value) : String(value);
  const members = Object.entries(value);
  return members.length === 0 ? "{}" : `{\n${assignments(members, inner).join("\n")}\n${indent}}`;
}

/** A quoted text of HCL, escaped so that it has no interpolation and no directive. */
function text(value: string): string {
  const escaped = value.replace(/["\\]/g, (one) => `\\${one}`).replace(/[$%]\{/g, (one) => `${one[0]}${one}`);
  return `"${escapeControls(escaped)}"`;
}

/** A valid name in Terraform, made from an id. */
function label(id: string): string {
  return id.replace(/[^A-Za-z0-9_-]/g, "_").replace(/^(?![A-Za-z_])/, "_");
}

function snakeCased(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [snakeCase(name), item]));
}
