/** Allow-lists of a set, its own and those that hold for all sets, and the error for whom they do not list. */

import {
  type AllowList,
  AmiSharingError,
  accountKey,
  allowListOf,
  countedGrantees,
  firstFew,
  type GranteeKey,
  isAccount,
  isManageable,
  UNKNOWN,
} from "../model";
import type { DeclaredSet } from "./arguments";
import { intentOf, volumesOf } from "./intent";
import type { PermissionSet } from "./permissionSet";

/** The most grantees that one error names. */
const MAX_NAMED = 5;

/** Grantees without the owner, who always has access, and without those that no set can change. */
type Who = readonly GranteeKey[];

/**
 * The lists that hold for a set: each of them has to list everybody. A list with unknown values is left out: the set cannot be planned yet.
 *
 * @param ofAll the lists that hold for all sets
 * @throws AmiSharingError `invalid-argument` if a file that the set names cannot be used
 */
export function allowListsOf({ allowedGrantees: own }: DeclaredSet, ofAll: readonly AllowList[] = []): readonly AllowList[] {
  if (own === undefined || own === UNKNOWN) return ofAll;
  const entries = own.filter((entry) => entry !== UNKNOWN);
  return entries.length < own.length ? ofAll : [...ofAll, allowListOf(entries, "the set")];
}

/** The set with the lists that hold for it. See {@link allowListsOf}. */
export function withAllowLists(set: PermissionSet, declared: DeclaredSet, ofAll: readonly AllowList[] = []): PermissionSet {
  const allowed = allowListsOf(declared, ofAll);
  return allowed.length > 0 ? { ...set, allowed } : set;
}

/**
 * The refusals of a declaration that names whom a list does not have, as far as the declaration is known. They need no call.
 *
 * @param ownerId the owner of the AMI. Undefined if it is not known: while a plan can still read it, any account may be the owner, and is
 *   not refused here
 * @param isRead whether a plan has tried to read the AMI. Default: only for an AMI that is not known yet, which cannot be read
 */
export function notAllowedNames(
  declared: DeclaredSet,
  lists: readonly AllowList[],
  ownerId?: string,
  isRead = declared.imageId === UNKNOWN,
): readonly AmiSharingError[] {
  const { imageId } = declared;
  const intent = intentOf(declared);
  const mayBeOwner = (key: GranteeKey) => (ownerId === undefined ? !isRead && isAccount(key) : key === accountKey(ownerId));
  const names = [...intent.launch.keys, ...volumesOf(intent).keys].filter((key) => !mayBeOwner(key));
  return notAllowed({ imageId: imageId === UNKNOWN ? undefined : imageId, lists, names, keeps: [] });
}

/** The refusals of a set: for each list, one for whom the set names, and one for who keeps access although the set does not name them. */
export function notAllowed({
  imageId,
  lists,
  names,
  keeps,
}: {
  readonly imageId: string | undefined;
  readonly lists: readonly AllowList[];
  readonly names: Who;
  readonly keeps: Who;
}): readonly AmiSharingError[] {
  const ami = imageId === undefined ? "an AMI that is not known yet" : `AMI ${imageId}`;
  return lists.flatMap(({ of, keys }) => {
    const missing = (who: Who) => [...new Set(who)].filter((key) => isManageable(key) && !keys.has(key)).sort();
    const refusal = (who: Who, what: string, property: string, next: string) =>
      who.length === 0
        ? []
        : [
            new AmiSharingError(
              "not-allowed",
              `allowedGrantees of ${of} does not have ${countedGrantees(who.length)} ${what} ${ami}: ${firstFew(who, MAX_NAMED)}`,
              { property, ...(imageId === undefined ? {} : { imageId }), next },
            ),
          ];
    const [named, kept] = [missing(names), missing(keeps)];
    return [
      ...refusal(named, "whom the set names for", naming(named[0]), NAMED),
      ...refusal(kept, "who would keep access to", "allowedGrantees", KEPT),
    ];
  });
}

const NAMED = "take them out of the set, or add them to the list; nothing was changed";
const KEPT =
  "revoke their access first: an authoritative set does it, unless neverRevoke names them; or add them to the list; nothing was changed";

/** The argument that names a grantee. */
function naming(key: GranteeKey = ""): string {
  if (key === "public") return "public";
  if (key.startsWith("account/")) return "accountIds";
  return key.includes(":ou/") ? "organizationalUnitArns" : "organizationArns";
}
