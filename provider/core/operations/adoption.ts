/** The arguments that declare an AMI as it is shared now; pure. */

import { type DeclaredSet, granteeProblems } from "../declaration";
import type { AmiPermissions } from "./describePermissions";

export interface Adoption {
  /** What an authoritative set has to say so that it changes nothing; empty lists are left out, but where nobody has access. */
  readonly declared: DeclaredSet;
  /** What no set can declare, in words. */
  readonly comments: readonly string[];
}

/** The set that an AMI's permissions are already. */
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
    // Nobody is said in words.
    declared: granteeProblems(declared).length > 0 ? { ...declared, accountIds: [] } : declared,
    comments: [
      ...(otherUserIds.length > 0 ? [`Also shared with ${otherUserIds.join(", ")}, which no set grants or revokes.`] : []),
      ...volumes.comments,
    ],
  };
}

interface Volumes {
  /** The argument; undefined: not managed. */
  readonly declared: unknown;
  readonly public: boolean;
  readonly comments: readonly string[];
}

/** True with the arguments as they are written here, and once somebody adds `createVolumePermissions`. */
const UNALIKE =
  "Its snapshots are shared differently, which one set cannot declare. They stay as they are while the set has no createVolumePermissions; with it, the set manages them, and revokes whom it does not name, as the next plan or preview shows first:";

/** One list of grantees on some of the snapshots can be declared; several lists cannot, and are left unmanaged. */
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
      comments: [UNALIKE, ...lines],
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
