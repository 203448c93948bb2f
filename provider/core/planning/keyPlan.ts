/** What of a set's change concerns KMS keys: which keys encrypt the image, who lacks them, and which grants to create and to revoke. */

import type { Gateway, Image, KeyGrant, KeyManager } from "../aws";
import type { PermissionSet } from "../declaration";
import {
  accountKey,
  accountOfKey,
  firstFew,
  type GranteeKey,
  granteesOf,
  isEmpty,
  type Permissions,
  parseGranteeKey,
} from "../model";
import { keysClaimedBy, type Neighbours } from "./claims";
import { type Change, mayRevoke } from "./diff";
import { admitsAccount, namesOrganization } from "./keyPolicy";
import type { OwnKeyGrant, Recorded } from "./recorded";

/** Grantees that one warning names. */
const MOST_NAMED = 5;

/** A key and the snapshots of the image that are encrypted under it. */
export interface ImageKey {
  /** The ARN; undefined where EC2 does not tell it. */
  readonly keyId: string | undefined;
  /** Who manages it; undefined where KMS does not tell. */
  readonly manager: KeyManager | undefined;
  readonly snapshotIds: readonly string[];
}

export interface KeyPlan {
  readonly keys: readonly ImageKey[];
  readonly create: readonly { readonly keyId: string; readonly accountId: string }[];
  readonly revoke: readonly OwnKeyGrant[];
  /** Grants of an earlier operation that stay. */
  readonly keep: readonly OwnKeyGrant[];
  /** Who lacks a key, in words. */
  readonly warnings: readonly string[];
  /** What cannot be known, in words. */
  readonly doubts: readonly string[];
}

const NO_KEYS: KeyPlan = { keys: [], create: [], revoke: [], keep: [], warnings: [], doubts: [] };

interface Planned {
  readonly set: PermissionSet;
  readonly image: Image;
  readonly change: Change;
  readonly target: Permissions;
  readonly owned: readonly OwnKeyGrant[];
  readonly neighbours: Neighbours;
}

/** The name of the grants that this package makes for an image: only such are ever revoked. */
export function grantName(imageId: string): string {
  return `ami-launch-permissions/${imageId}`;
}

/** Asks EC2 and KMS only about encrypted images, and only where something is added or grants are, or were, the set's. */
export async function planKeys(gateway: Gateway, planned: Planned): Promise<KeyPlan> {
  const { set, image, change, target, owned, neighbours } = planned;
  const adding = !isEmpty(change.add);
  const needed = keysClaimedBy(neighbours.claims, image);
  if (!image.encrypted || !(adding || set.kmsAccess === "grant" || owned.length > 0))
    return leaving(set, owned, target, [], needed);
  const keys = await keysOf(gateway, image);
  const own = keys.flatMap(({ keyId, manager }) => (keyId !== undefined && manager !== "AWS" ? [keyId] : []));
  if (set.kmsAccess === "ignore") return { ...leaving(set, owned, target, [], needed), keys };
  const wanted = [...granteesOf(target)].map(parseGranteeKey);
  const accounts = wanted.flatMap((grantee) => (grantee.kind === "account" ? [grantee.accountId] : []));
  const organizations = wanted.flatMap((grantee) =>
    grantee.kind === "organization" || grantee.kind === "organizationalUnit" ? [grantee.arn] : [],
  );
  const plan = leaving(set, owned, target, own, needed);
  const leaves = new Set(plan.revoke.map(({ grantId }) => grantId));
  const gone = new Set<OwnKeyGrant>();
  const found: OwnKeyGrant[] = [];
  const unwanted: OwnKeyGrant[] = [];
  const [create, warnings, doubts] = [[...plan.create], [] as string[], [] as string[]];
  const recordedIds = new Set(owned.map(({ grantId }) => grantId));
  const removed = granteesOf(change.remove);
  for (const keyId of own) {
    // A key is at home in its own account: nobody has to be admitted there.
    const others = accounts.filter((id) => id !== accountOfKey(keyId));
    const [policy, all] = await Promise.all([gateway.keys.policy(keyId), gateway.keys.grants(keyId)]);
    // What this change revokes admits nobody afterwards.
    const grants = all?.filter(({ grantId }) => !leaves.has(grantId));
    for (const one of plan.keep)
      if (one.keyId === keyId && grants && !grants.some(({ grantId }) => grantId === one.grantId)) gone.add(one);
    if (set.kmsAccess === "grant") {
      // Whatever made them, grants under the set's name are the set's: it records those that it needs and revokes the others.
      const named = (grants ?? []).filter(({ name, grantId }) => name === grantName(set.imageId) && !recordedIds.has(grantId));
      found.push(...named.filter(({ accountId }) => others.includes(accountId)).map(ownGrant));
      unwanted.push(
        ...named
          // Who loses one permission may keep another.
          .filter(({ accountId }) => removed.has(accountKey(accountId)) && !others.includes(accountId))
          .filter(({ accountId }) => mayRevoke(accountKey(accountId), set.spared))
          .filter(({ accountId }) => !needed.has(accountKey(accountId)))
          .map(ownGrant),
      );
      const made = [...found, ...plan.keep].filter((one) => one.keyId === keyId && !gone.has(one));
      const has = (id: string) => made.some(({ accountId }) => accountId === id);
      create.push(...others.filter((id) => !has(id)).map((accountId) => ({ keyId, accountId })));
    } else if (policy === undefined || grants === undefined)
      doubts.push(
        `key ${keyId}: its policy or its grants cannot be read (kms:GetKeyPolicy, kms:ListGrants), so whether those accounts may use it is not known`,
      );
    else {
      const lacking = others.filter((id) => !admitsAccount(policy, grants, id)).sort();
      if (lacking.length > 0)
        warnings.push(
          `${firstFew(lacking.map(accountKey), MOST_NAMED)} may not use key ${keyId}, so can neither launch nor copy what is encrypted under it: admit them in its policy (kmsKeyPolicyStatements gives the statements), or set kmsAccess to "grant"`,
        );
    }
    const unnamed = policy === undefined ? [] : organizations.filter((arn) => !namesOrganization(policy, arn)).sort();
    if (unnamed.length > 0)
      warnings.push(
        `the policy of key ${keyId} names neither organization nor unit of ${firstFew(unnamed, MOST_NAMED)}: admit them there (kmsKeyPolicyStatements gives the statements), as a grant cannot`,
      );
  }
  const keep = [...plan.keep.filter((one) => !gone.has(one)), ...found];
  return { ...plan, keep, revoke: [...plan.revoke, ...unwanted], keys, create, warnings, doubts };
}

/**
 * The KMS grants that go with a set: those that are recorded, and those that KMS lists under the set's name for its accounts, since
 * the answer to a CreateGrant may have been lost, or the record.
 *
 * @param encryptedUnder the keys of the image's snapshots, asked for where no grant is recorded
 */
export async function keyGrantsToRevoke(
  gateway: Gateway,
  set: PermissionSet,
  { granted, keyGrants = [] }: Pick<Recorded, "granted" | "keyGrants">,
  needed: ReadonlySet<GranteeKey>,
  encryptedUnder: () => Promise<readonly string[]>,
): Promise<OwnKeyGrant[]> {
  const listed: OwnKeyGrant[] = [];
  if (set.kmsAccess === "grant") {
    const accounts = new Set([...granteesOf(granted), ...set.launch, ...(set.createVolume?.grantees ?? [])]);
    const keyIds = keyGrants.length > 0 ? keyGrants.map(({ keyId }) => keyId) : await encryptedUnder();
    for (const keyId of new Set(keyIds))
      for (const grant of (await gateway.keys.grants(keyId)) ?? [])
        if (grant.name === grantName(set.imageId) && accounts.has(accountKey(grant.accountId))) listed.push(ownGrant(grant));
  }
  const all = new Map([...keyGrants, ...listed].map((grant) => [grant.grantId, grant]));
  return [...all.values()].filter(({ accountId }) => {
    const key = accountKey(accountId);
    return mayRevoke(key, set.spared) && !needed.has(key);
  });
}

/** The customer managed keys of an image's snapshots. */
export async function customerKeysOf(gateway: Gateway, image: Pick<Image, "snapshotIds">): Promise<string[]> {
  const keys = await keysOf(gateway, image);
  return keys.flatMap(({ keyId, manager }) => (keyId !== undefined && manager !== "AWS" ? [keyId] : []));
}

function ownGrant({ keyId, grantId, accountId }: KeyGrant): OwnKeyGrant {
  return { keyId, grantId, accountId };
}

/** What becomes of the set's grants by themselves: those of accounts that keep their share, on keys that are still used, stay. */
function leaving(
  set: PermissionSet,
  owned: readonly OwnKeyGrant[],
  target: Permissions,
  keyIds: readonly string[],
  needed: ReadonlySet<GranteeKey>,
): KeyPlan {
  const wanted = granteesOf(target);
  const stays = ({ keyId, accountId }: OwnKeyGrant) =>
    set.spared.has(accountKey(accountId)) ||
    needed.has(accountKey(accountId)) ||
    (set.kmsAccess === "grant" && keyIds.includes(keyId) && wanted.has(accountKey(accountId)));
  return { ...NO_KEYS, keep: owned.filter(stays), revoke: owned.filter((grant) => !stays(grant)) };
}

async function keysOf(gateway: Gateway, { snapshotIds }: Pick<Image, "snapshotIds">): Promise<ImageKey[]> {
  const bySnapshot = (await gateway.describeSnapshots(snapshotIds)).filter(({ encrypted }) => encrypted);
  const keyIds = [...new Set(bySnapshot.map(({ kmsKeyId }) => kmsKeyId))];
  return Promise.all(
    keyIds.map(async (keyId) => ({
      keyId,
      manager: keyId === undefined ? undefined : await gateway.keys.manager(keyId),
      snapshotIds: bySnapshot.filter(({ kmsKeyId }) => kmsKeyId === keyId).map(({ snapshotId }) => snapshotId),
    })),
  );
}
