/** What the removal of a set revokes. No I/O. */

import { managedSnapshots, type PermissionSet } from "../declaration";
import { filterGrantees, filterSnapshots, minus, NO_PERMISSIONS, type Permissions, union } from "../model";
import { claimedBy, type Neighbours, NO_NEIGHBOURS } from "./claims";
import { mayRevoke } from "./diff";
import type { Recorded } from "./recorded";

/** What a destroy of the set revokes, according to its record. */
export function revokedByRemoval(set: PermissionSet, recorded: Recorded, { claims }: Neighbours = NO_NEIGHBOURS): Permissions {
  const { onDelete, neverRevoke } = set;
  if (onDelete === "retain") return NO_PERMISSIONS;
  const managed = managedSnapshots(set, recorded);
  const others = onDelete === "reset" ? filterSnapshots(recorded.live, (id) => managed.includes(id)) : NO_PERMISSIONS;
  const owned = union(recorded.granted, others);
  return filterGrantees(minus(owned, claimedBy(claims, recorded)), (key) => mayRevoke(key, neverRevoke));
}
