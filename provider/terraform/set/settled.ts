/** Whether a set needs a change, judged by its record alone. */

import {
  accountKey,
  changeOf,
  claimedBy,
  type GranteeKey,
  granteesOf,
  isEmpty,
  type Neighbours,
  type PermissionSet,
  type Recorded,
  targetPermissions,
  union,
} from "../../core";

/** Whether a change of the set would revoke anything, judged by its record and without regard to other sets. */
export function takesAway(set: PermissionSet, recorded: Recorded | undefined): boolean {
  return recorded !== undefined && !isEmpty(changeOf(set, recorded, recorded).remove);
}

/** Whether the set needs no change, judged by its record. */
export function isSettled(set: PermissionSet, recorded: Recorded, neighbours: Neighbours): boolean {
  const change = changeOf(set, recorded, recorded, neighbours);
  const isSettledInEc2 = isEmpty(change.add) && isEmpty(change.remove);
  return isSettledInEc2 && recorded.keyless === undefined && !hasIdleKeyGrants(set, recorded, neighbours);
}

/** Whether the set still has KMS grants for accounts that it no longer shares with, for example after a failed revocation. */
function hasIdleKeyGrants(set: PermissionSet, recorded: Recorded, { claims }: Neighbours): boolean {
  const needed = granteesOf(union(targetPermissions(set, recorded), claimedBy(claims, recorded)));
  const isIdle = (key: GranteeKey) => !set.neverRevoke.has(key) && !needed.has(key);
  return (recorded.keyGrants ?? []).some(({ accountId }) => isIdle(accountKey(accountId)));
}
