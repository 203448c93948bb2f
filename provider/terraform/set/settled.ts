/** Whether a set has, as far as it is recorded, what it wants. */

import {
  accountKey,
  changeOf,
  type GranteeKey,
  granteesOf,
  isEmpty,
  type Neighbours,
  type PermissionSet,
  type Recorded,
  targetPermissions,
  union,
} from "../../core";

/** Whether a set, as far as it is recorded and whatever other sets declare, has something to take away. */
export function takesAway(set: PermissionSet, recorded: Recorded | undefined): boolean {
  return recorded !== undefined && !isEmpty(changeOf(set, recorded, recorded).remove);
}

/** Whether a set has, as far as it is recorded, what it wants. */
export function isSettled(set: PermissionSet, recorded: Recorded, neighbours: Neighbours): boolean {
  const change = changeOf(set, recorded, recorded, neighbours);
  const isSettledInEc2 = isEmpty(change.add) && isEmpty(change.remove);
  return isSettledInEc2 && recorded.keyless === undefined && !hasIdleKeyGrants(set, recorded, neighbours);
}

/** Whether the set still has KMS grants of accounts that it does not share with any more, as where a revocation failed. */
function hasIdleKeyGrants(set: PermissionSet, recorded: Recorded, { claims }: Neighbours): boolean {
  const needed = granteesOf(claims.map(({ wants }) => wants(recorded)).reduce(union, targetPermissions(set, recorded)));
  const isIdle = (key: GranteeKey) => !set.neverRevoke.has(key) && !needed.has(key);
  return (recorded.keyGrants ?? []).some(({ accountId }) => isIdle(accountKey(accountId)));
}
