/** The program text that declares an AMI as it is shared now. Pure functions. */

import { type AmiPermissions, adoptionOf } from "../core";

/** The connection arguments that the program must contain. */
export interface ReachedBy {
  readonly profile?: string | undefined;
  readonly endpoint?: string | undefined;
}

/** A Pulumi program in TypeScript with one set. Comments list what a set cannot declare. */
export function programText(permissions: AmiPermissions, { profile, endpoint }: ReachedBy = {}): string {
  const { imageId, name } = permissions;
  const { declared, comments: untold } = adoptionOf(permissions);
  const { imageId: _, region, ...rest } = declared;
  const set = setText(resourceName(permissions), { imageId, region, profile, endpoint, ...rest });
  const comments = [
    `AMI ${imageId}${name === undefined ? "" : ` (${name.replace(/\s+/g, " ")})`} as it is shared now.`,
    ...untold,
  ];
  const [first, ...lines] = set;
  return [IMPORT, "", ...comments.map((text) => `// ${text}`), `export const set = ${first}`, ...lines].join("\n");
}

export const IMPORT = 'import { AmiLaunchPermissionSet } from "ami-launch-permissions";';

/** The lines that declare a set. */
export function setText(name: string, args: object): string[] {
  const lines = Object.entries(args).flatMap(([key, value]) =>
    value === undefined ? [] : [`  ${key}: ${literal(value, "  ")},`],
  );
  return [`new AmiLaunchPermissionSet(${JSON.stringify(name)}, {`, ...lines, "});"];
}

function resourceName({ name, imageId }: AmiPermissions): string {
  return name?.replace(/[^A-Za-z0-9-]+/g, "-").replace(/^-+|-+$/g, "") || imageId;
}

/** A value as people write it: keys without quotes if possible, and several items on separate lines. */
function literal(value: unknown, indent: string): string {
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    if (value.length < 2) return `[${value.map((item) => literal(item, inner)).join("")}]`;
    return `[\n${value.map((item) => `${inner}${literal(item, inner)},\n`).join("")}${indent}]`;
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, item]) => `${inner}${key}: ${literal(item, inner)},\n`);
  return `{\n${members.join("")}${indent}}`;
}
