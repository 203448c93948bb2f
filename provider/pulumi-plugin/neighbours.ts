/** What a set's record says of the other sets of its AMI, of which the engine may tell late or not at all; and the words on what one set takes from another. */

import * as v from "valibot";
import {
  AmiSharingError,
  type Claim,
  type ClaimedImage,
  claimSchema,
  deserializeClaim,
  encodeGrants,
  firstFew,
  type Grants,
  granteesOf,
  intersection,
  isEmpty,
  NO_PERMISSIONS,
  type Permissions,
  type SerializedClaim,
  serializeClaim,
  union,
} from "../core";
import type { Properties } from "../pulumi/secrets";
import { nameOf } from "../pulumi/state";

/** A hidden output: what other sets of the AMI owned when the set was made, changed or read: URN → claim. */
export const OTHERS = "__others";

const others = v.record(v.string(), claimSchema);

/** The claims in a record; none where it cannot be read. */
export function othersIn(props: Properties): readonly (readonly [urn: string, Claim])[] {
  const decoded = v.safeParse(others, props[OTHERS] ?? {});
  if (!decoded.success) return [];
  return Object.entries(decoded.output).map(([urn, claim]) => [urn, deserializeClaim(claim as SerializedClaim)] as const);
}

/**
 * The record of what other sets own of what they want.
 *
 * @param owned what a set owns of what it wants
 */
export function recordOfOthers(
  claims: Iterable<readonly [urn: string, Claim]>,
  image: ClaimedImage,
  owned: (claim: Claim, urn: string) => Permissions,
): Readonly<Record<string, SerializedClaim>> {
  return Object.fromEntries(
    [...claims].flatMap(([urn, claim]) => {
      const own = intersection(claim.wants(image), owned(claim, urn));
      return isEmpty(own) ? [] : [[urn, serializeClaim({ ...claim, wants: () => own, granted: own }, image)]];
    }),
  );
}

/** The error of a change that takes what another set owns, of which the engine has not told. */
export function untold(imageId: string, urn: string, permissions: Permissions): AmiSharingError {
  return new AmiSharingError(
    "hand-over-incomplete",
    `${nameOf(urn)} also granted what this set would take away on AMI ${imageId} (${grantees(permissions)}), and Pulumi has not told of that set yet in this run`,
    { imageId, next: "run pulumi up --refresh, without --target: then Pulumi tells of all sets first; nothing was changed" },
  );
}

/** The error of a preview in which another set takes what a set declares, of which the engine tells later. */
export function toldLater(imageId: string, urn: string, permissions: Permissions): AmiSharingError {
  return new AmiSharingError(
    "hand-over-incomplete",
    `${nameOf(urn)} takes away on AMI ${imageId} what this set declares (${grantees(permissions)}), because Pulumi tells of this set later`,
    {
      imageId,
      next: "add dependsOn with this set to that one or, if this set is in the state, run pulumi up --refresh; nothing was changed",
    },
  );
}

/** The warning of a set that grants again what another one took before the engine told of it. */
export function takenWords(imageId: string, urn: string, permissions: Permissions): string {
  return `${nameOf(urn)} took from AMI ${imageId} what this set declares (${grantees(permissions)}), before Pulumi told of this set: this set grants it again`;
}

/** What such a record says that other sets own, as grants. */
export function grantsOf(others: Readonly<Record<string, SerializedClaim>>, { snapshotIds }: ClaimedImage): Grants {
  const owned = othersIn({ [OTHERS]: others }).map(([, { granted }]) => granted);
  return encodeGrants(owned.reduce(union, NO_PERMISSIONS), snapshotIds);
}

function grantees(permissions: Permissions): string {
  return firstFew([...granteesOf(permissions)].sort(), 3);
}
