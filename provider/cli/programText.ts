/** The program text that declares an AMI as it is shared now; pure. */

import type { AmiPermissions } from "../core";

/** How the AMI was reached, as far as the program has to say it. */
export interface ReachedBy {
  readonly profile?: string | undefined;
  readonly endpoint?: string | undefined;
}

/** A Pulumi program in TypeScript with one set; what a set cannot declare is told in comments. */
export function programText(permissions: AmiPermissions, { profile, endpoint }: ReachedBy = {}): string {
  const { imageId, name, region, accountIds, organizationArns, organizationalUnitArns, otherUserIds } = permissions;
  const volumes = volumesOf(permissions);
  const everybody = permissions.public || volumes.public;
  const args: Record<string, unknown> = {
    imageId,
    region,
    profile,
    endpoint,
    accountIds: list(accountIds),
    organizationArns: list(organizationArns),
    organizationalUnitArns: list(organizationalUnitArns),
    public: permissions.public || undefined,
    acknowledgePublic: everybody || undefined,
    createVolumePermissions: volumes.declared,
  };
  const lines = Object.entries(args).flatMap(([key, value]) =>
    value === undefined ? [] : [`  ${key}: ${literal(value, "  ")},`],
  );
  const comments = [
    `AMI ${imageId}${name === undefined ? "" : ` (${name.replace(/\s+/g, " ")})`} as it is shared now.`,
    ...(otherUserIds.length > 0 ? [`Also shared with ${otherUserIds.join(", ")}, which no set grants or revokes.`] : []),
    ...volumes.comments,
  ];
  return [
    'import { AmiLaunchPermissionSet } from "ami-launch-permissions";',
    "",
    ...comments.map((text) => `// ${text}`),
    `export const set = new AmiLaunchPermissionSet(${JSON.stringify(resourceName(permissions))}, {`,
    ...lines,
    "});",
  ].join("\n");
}

interface Volumes {
  /** The argument; undefined: not managed. */
  readonly declared: unknown;
  readonly public: boolean;
  readonly comments: readonly string[];
}

/** One list of grantees on some of the snapshots can be declared; several lists cannot, and are left unmanaged. */
function volumesOf({ snapshots, accountIds, public: everybody }: AmiPermissions): Volumes {
  const shared = snapshots.filter((snapshot) => snapshot.accountIds.length > 0 || snapshot.public);
  const [first] = shared;
  if (!first) return { declared: undefined, public: false, comments: [] };
  const grantees = (snapshot: { accountIds: readonly string[]; public: boolean }) =>
    JSON.stringify([snapshot.accountIds, snapshot.public]);
  if (shared.some((snapshot) => grantees(snapshot) !== grantees(first))) {
    const told = shared.map(({ snapshotId, accountIds: ids, public: all }) => {
      const who = [...ids, ...(all ? ["everybody"] : [])].join(", ");
      return `  ${snapshotId}: ${who}`;
    });
    return {
      declared: undefined,
      public: false,
      comments: ["Its snapshots are shared differently, which one set cannot declare; they are not managed:", ...told],
    };
  }
  const all = shared.length === snapshots.length;
  if (all && grantees(first) === grantees({ accountIds, public: everybody }))
    return { declared: true, public: first.public, comments: [] };
  return {
    declared: {
      accountIds: first.accountIds,
      ...(all ? {} : { snapshotIds: shared.map(({ snapshotId }) => snapshotId) }),
      ...(first.public ? { public: true } : {}),
    },
    public: first.public,
    comments: [],
  };
}

function list(items: readonly string[]): readonly string[] | undefined {
  return items.length > 0 ? items : undefined;
}

function resourceName({ name, imageId }: AmiPermissions): string {
  return name?.replace(/[^A-Za-z0-9-]+/g, "-").replace(/^-+|-+$/g, "") || imageId;
}

/** A value in the form that people write: keys without quotes where they need none, an item a line where there are several. */
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
