/** Permissions as sets of grantees, and the set operations on them. */

import type { GranteeKey } from "./grantee";

/** Who may launch an image, and who may create volumes from each snapshot. A snapshot without grantees is left out. */
export interface Permissions {
  readonly launch: ReadonlySet<GranteeKey>;
  readonly createVolume: ReadonlyMap<string, ReadonlySet<GranteeKey>>;
}

export const NO_PERMISSIONS: Permissions = { launch: new Set(), createVolume: new Map() };

/** The permissions in `a` that are not in `b`. */
export function minus(a: Permissions, b: Permissions): Permissions {
  return combine(a, b, (x, y) => new Set([...x].filter((key) => !y.has(key))));
}

/** The permissions in `a` or in `b`. */
export function union(a: Permissions, b: Permissions): Permissions {
  return combine(a, b, (x, y) => new Set([...x, ...y]));
}

/** The permissions in both. */
export function intersection(a: Permissions, b: Permissions): Permissions {
  return combine(a, b, (x, y) => new Set([...x].filter((key) => y.has(key))));
}

/** The permissions of the grantees that `keep` accepts. */
export function filterGrantees(permissions: Permissions, keep: (key: GranteeKey) => boolean): Permissions {
  return combine(permissions, NO_PERMISSIONS, (x) => new Set([...x].filter(keep)));
}

/** All launch permissions, and the create-volume permissions of the snapshots that `keep` accepts. */
export function filterSnapshots(permissions: Permissions, keep: (snapshotId: string) => boolean): Permissions {
  return {
    launch: permissions.launch,
    createVolume: new Map([...permissions.createVolume].filter(([snapshotId]) => keep(snapshotId))),
  };
}

export function isEmpty({ launch, createVolume }: Permissions): boolean {
  return launch.size === 0 && createVolume.size === 0;
}

export function granteesOf({ launch, createVolume }: Permissions): Set<GranteeKey> {
  return new Set([launch, ...createVolume.values()].flatMap((keys) => [...keys]));
}

type Combine = (a: ReadonlySet<GranteeKey>, b: ReadonlySet<GranteeKey>) => ReadonlySet<GranteeKey>;
const NOBODY: ReadonlySet<GranteeKey> = new Set();

function combine(a: Permissions, b: Permissions, each: Combine): Permissions {
  const snapshotIds = new Set([...a.createVolume.keys(), ...b.createVolume.keys()]);
  const createVolume = [...snapshotIds]
    .map((id) => [id, each(a.createVolume.get(id) ?? NOBODY, b.createVolume.get(id) ?? NOBODY)] as const)
    .filter(([, keys]) => keys.size > 0);
  return { launch: each(a.launch, b.launch), createVolume: new Map(createVolume) };
}
