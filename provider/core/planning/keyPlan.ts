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

/** A set's change, as far as keys are concerned. */
interface KeyDemand {
  readonly set: PermissionSet;
  readonly image: Image;
  readonly change: Change;
  readonly target: Permissions;
  /** The grants that the set is recorded to have made. */
  readonly owned: readonly OwnKeyGrant[];
  readonly neighbours: Neighbours;
}

/** The name of the grants that this package makes for an image: only such are ever revoked. */
export function grantName(imageId: string): string {
  return `ami-launch-permissions/${imageId}`;
}

/** Asks EC2 and KMS only about encrypted images, and only where something is added or grants are, or were, the set's. */
export async function planKeys(gateway: Gateway, demand: KeyDemand): Promise<KeyPlan> {
  const { set, image, change, target, owned, neighbours } = demand;
  const needed = keysClaimedBy(neighbours.claims, image);
  const isConcerned = !isEmpty(change.add) || set.kmsAccess === "grant" || owned.length > 0;
  if (!image.encrypted || !isConcerned) return recordedGrants(set, owned, target, [], needed);
  const keys = await keysOf(gateway, image);
  if (set.kmsAccess === "ignore") return { ...recordedGrants(set, owned, target, [], needed), keys };
  const keyIds = customerKeys(keys);
  const recorded = recordedGrants(set, owned, target, keyIds, needed);
  const revoked = new Set(recorded.revoke.map(({ grantId }) => grantId));
  const gone = new Set<OwnKeyGrant>();
  const found: KeyFindings[] = [];
  for (const keyId of keyIds) {
    const [policy, all] = await Promise.all([gateway.keys.policy(keyId), gateway.keys.grants(keyId)]);
    // What this change revokes admits nobody afterwards.
    const key: KeyAnswers = { keyId, policy, grants: all?.filter(({ grantId }) => !revoked.has(grantId)) };
    const ofKey = recorded.keep.filter((grant) => grant.keyId === keyId);
    const kept = ofKey.filter((grant) => isListed(grant, key));
    for (const grant of ofKey) if (!kept.includes(grant)) gone.add(grant);
    found.push(set.kmsAccess === "grant" ? grantsOnKey(demand, key, kept, needed) : accountsWithoutKey(demand, key));
    found.push(organizationsWithoutKey(demand, key));
  }
  return {
    keys,
    create: found.flatMap(({ create = [] }) => create),
    keep: [...recorded.keep.filter((grant) => !gone.has(grant)), ...found.flatMap(({ keep = [] }) => keep)],
    revoke: [...recorded.revoke, ...found.flatMap(({ revoke = [] }) => revoke)],
    warnings: found.flatMap(({ warnings = [] }) => warnings),
    doubts: found.flatMap(({ doubts = [] }) => doubts),
  };
}

/** What one key adds to the plan. */
type KeyFindings = Partial<Omit<KeyPlan, "keys">>;

/** What KMS tells of a key; undefined where the caller may not ask. */
interface KeyAnswers {
  readonly keyId: string;
  readonly policy: string | undefined;
  /** The grants that this change does not revoke. */
  readonly grants: readonly KeyGrant[] | undefined;
}

/** Where KMS does not list the grants, they count as recorded. */
function isListed({ grantId }: OwnKeyGrant, { grants }: KeyAnswers): boolean {
  return grants === undefined || grants.some((grant) => grant.grantId === grantId);
}

/** The accounts that a set wants and that need to be admitted to a key: not the key's own. */
function accountsFor({ target }: KeyDemand, { keyId }: KeyAnswers): string[] {
  const accounts = [...granteesOf(target)].map(parseGranteeKey).flatMap((one) => (one.kind === "account" ? [one.accountId] : []));
  return accounts.filter((id) => id !== accountOfKey(keyId));
}

/**
 * With `kmsAccess: "grant"`: the grants to create and to revoke on one key. Whoever made them, grants under the set's name are the set's: it
 * records those that it needs, and revokes those of accounts that this change removes.
 *
 * @param kept the grants that are recorded and stay
 */
function grantsOnKey(
  demand: KeyDemand,
  key: KeyAnswers,
  kept: readonly OwnKeyGrant[],
  needed: ReadonlySet<GranteeKey>,
): KeyFindings {
  const { set, change, owned } = demand;
  const accounts = accountsFor(demand, key);
  const recordedIds = new Set(owned.map(({ grantId }) => grantId));
  const unrecorded = (key.grants ?? []).filter(
    ({ name, grantId }) => name === grantName(set.imageId) && !recordedIds.has(grantId),
  );
  const found = unrecorded.filter(({ accountId }) => accounts.includes(accountId)).map(ownGrant);
  const removed = granteesOf(change.remove);
  const unwanted = unrecorded.filter(({ accountId }) => {
    const grantee = accountKey(accountId);
    // Who loses one permission may keep another.
    return removed.has(grantee) && !accounts.includes(accountId) && mayRevoke(grantee, set.neverRevoke) && !needed.has(grantee);
  });
  const admitted = new Set([...found, ...kept].map(({ accountId }) => accountId));
  const create = accounts.filter((id) => !admitted.has(id)).map((accountId) => ({ keyId: key.keyId, accountId }));
  return { create, keep: found, revoke: unwanted.map(ownGrant) };
}

/** With `kmsAccess: "check"`: which accounts one key does not admit. */
function accountsWithoutKey(demand: KeyDemand, key: KeyAnswers): KeyFindings {
  const { keyId, policy, grants } = key;
  if (policy === undefined || grants === undefined)
    return {
      doubts: [
        `key ${keyId}: its policy or its grants cannot be read (kms:GetKeyPolicy, kms:ListGrants), so whether those accounts may use it is not known`,
      ],
    };
  const lacking = accountsFor(demand, key)
    .filter((id) => !admitsAccount(policy, grants, id))
    .sort();
  if (lacking.length === 0) return {};
  return {
    warnings: [
      `${firstFew(lacking.map(accountKey), MOST_NAMED)} may not use key ${keyId}, so can neither launch nor copy what is encrypted under it: admit them in its policy (kmsKeyPolicyStatements gives the statements), or set kmsAccess to "grant"`,
    ],
  };
}

/** Which organizations and units the policy of a key does not name. */
function organizationsWithoutKey({ target }: KeyDemand, { keyId, policy }: KeyAnswers): KeyFindings {
  if (policy === undefined) return {};
  const organizations = [...granteesOf(target)].map(parseGranteeKey).flatMap((one) => ("arn" in one ? [one.arn] : []));
  const unnamed = organizations.filter((arn) => !namesOrganization(policy, arn)).sort();
  if (unnamed.length === 0) return {};
  return {
    warnings: [
      `the policy of key ${keyId} names neither organization nor unit of ${firstFew(unnamed, MOST_NAMED)}: admit them there (kmsKeyPolicyStatements gives the statements), as a grant cannot`,
    ],
  };
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
    return mayRevoke(key, set.neverRevoke) && !needed.has(key);
  });
}

/** The customer managed keys of an image's snapshots. */
export async function customerKeysOf(gateway: Gateway, image: Pick<Image, "snapshotIds">): Promise<string[]> {
  return customerKeys(await keysOf(gateway, image));
}

function customerKeys(keys: readonly ImageKey[]): string[] {
  return keys.flatMap(({ keyId, manager }) => (keyId !== undefined && manager !== "AWS" ? [keyId] : []));
}

function ownGrant({ keyId, grantId, accountId }: KeyGrant): OwnKeyGrant {
  return { keyId, grantId, accountId };
}

/** What becomes of the grants that are recorded: those of accounts that keep their share, on keys that are still used, stay. */
function recordedGrants(
  set: PermissionSet,
  owned: readonly OwnKeyGrant[],
  target: Permissions,
  keyIds: readonly string[],
  needed: ReadonlySet<GranteeKey>,
): KeyPlan {
  const wanted = granteesOf(target);
  const stays = ({ keyId, accountId }: OwnKeyGrant) =>
    set.neverRevoke.has(accountKey(accountId)) ||
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
