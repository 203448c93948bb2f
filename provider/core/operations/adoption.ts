/** Adoption: the arguments that declare an AMI as it is shared now. No I/O. */

import { type DeclaredSet, granteeProblems } from "../declaration";
import type { AmiPermissions } from "./describePermissions";

export interface Adoption {
  /** The arguments of an authoritative set that changes nothing. Empty lists are left out, unless nobody has access. */
  readonly declared: DeclaredSet;
  /** Messages about what no set can declare. */
  readonly comments: readonly string[];
}

/** The arguments that declare the permissions of an AMI. */
export function adoptionOf(permissions: AmiPermissions): Adoption {
  const { imageId, region, accountIds, organizationArns, organizationalUnitArns, otherUserIds } = permissions;
  const volumes = volumesOf(permissions);
  const all: Partial<Record<keyof DeclaredSet, unknown>> = {
    imageId,
    region,
    accountIds: list(accountIds),
    organizationArns: list(organizationArns),
    organizationalUnitArns: list(organizationalUnitArns),
    public: permissions.public || undefined,
    acknowledgePublic: permissions.public || volumes.public || undefined,
    createVolumePermissions: volumes.declared,
  };
  const declared = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as unknown as DeclaredSet;
  return {
    // If nobody has access, the set must say so with an empty list.
    declared: granteeProblems(declared).length > 0 ? { ...declared, accountIds: [] } : declared,
    comments: [
      ...(otherUserIds.length > 0 ? [`Also shared with ${otherUserIds.join(", ")}, which no set grants or revokes.`] : []),
      ...volumes.comments,
    ],
  };
}

interface Volumes {
  /** The value of `createVolumePermissions`. Undefined: not managed. */
  readonly declared: unknown;
  readonly public: boolean;
  readonly comments: readonly string[];
}

/** The comment stays true if somebody later adds `createVolumePermissions` to the arguments. */
const SNAPSHOTS_SHARED_DIFFERENTLY =
  "Its snapshots are shared differently from each other, and one set cannot declare that. They stay as they are while the set has no createVolumePermissions. With it, the set manages them and revokes grantees that it does not name. The next plan or preview shows this first:";

/** A set can declare one list of grantees, on all or some of the snapshots. If the snapshots have different grantees, they are not managed. */
function volumesOf({ snapshots, accountIds, public: everybody }: AmiPermissions): Volumes {
  const shared = snapshots.filter((snapshot) => snapshot.accountIds.length > 0 || snapshot.public);
  const [first] = shared;
  if (!first) return { declared: undefined, public: false, comments: [] };
  const grantees = (snapshot: { accountIds: readonly string[]; public: boolean }) =>
    JSON.stringify([snapshot.accountIds, snapshot.public]);
  if (shared.some((snapshot) => grantees(snapshot) !== grantees(first))) {
    const lines = shared.map(({ snapshotId, accountIds: ids, public: all }) => {
      const who = [...ids, ...(all ? ["everybody"] : [])].join(", ");
      return `  ${snapshotId}: ${who}`;
    });
    return {
      declared: undefined,
      public: false,
      comments: [SNAPSHOTS_SHARED_DIFFERENTLY, ...lines],
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
