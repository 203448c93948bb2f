/** The KMS part of a plan: the keys that encrypt the image, the accounts that may not use them, and the KMS grants to create and revoke. */

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
import { allowsAccount, namesOrganization } from "./keyPolicy";
import type { OwnKeyGrant, Recorded } from "./recorded";

/** The most grantees that one warning names. */
const MAX_NAMED = 5;

/** A key and the snapshots of the image that are encrypted under it. */
export interface ImageKey {
  /** The ARN. Undefined if EC2 does not return it. */
  readonly keyId: string | undefined;
  /** Who manages the key. Undefined if the caller may not read it. */
  readonly manager: KeyManager | undefined;
  readonly snapshotIds: readonly string[];
}

export interface KeyPlan {
  readonly keys: readonly ImageKey[];
  readonly create: readonly { readonly keyId: string; readonly accountId: string }[];
  readonly revoke: readonly OwnKeyGrant[];
  /** Existing grants that stay. */
  readonly keep: readonly OwnKeyGrant[];
  /** Messages about grantees that may not use a key. */
  readonly warnings: readonly string[];
  /** Messages about what the caller may not read. */
  readonly doubts: readonly string[];
}

const NO_KEYS: KeyPlan = { keys: [], create: [], revoke: [], keep: [], warnings: [], doubts: [] };

/** The input of the KMS part of a plan. */
interface KeyPlanInput {
  readonly set: PermissionSet;
  readonly image: Image;
  readonly change: Change;
  readonly target: Permissions;
  /** The KMS grants in the record of the set. */
  readonly owned: readonly OwnKeyGrant[];
  readonly neighbours: Neighbours;
}

/** The name of the KMS grants that this package creates for an image. It revokes no others. */
export function grantName(imageId: string): string {
  return `ami-launch-permissions/${imageId}`;
}

/** Plans the KMS grants. It calls EC2 and KMS only for an encrypted image, and only if the change adds something or the set has KMS grants. */
export async function planKeys(gateway: Gateway, input: KeyPlanInput): Promise<KeyPlan> {
  const { set, image, change, target, owned, neighbours } = input;
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
    // A grant that this change revokes gives no access afterwards.
    const key: KeyAnswers = { keyId, policy, grants: all?.filter(({ grantId }) => !revoked.has(grantId)) };
    const ofKey = recorded.keep.filter((grant) => grant.keyId === keyId);
    const kept = ofKey.filter((grant) => isListed(grant, key));
    for (const grant of ofKey) if (!kept.includes(grant)) gone.add(grant);
    found.push(set.kmsAccess === "grant" ? grantsOnKey(input, key, kept, needed) : accountsWithoutKey(input, key));
    found.push(organizationsWithoutKey(input, key));
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

/** The part of the plan for one key. */
type KeyFindings = Partial<Omit<KeyPlan, "keys">>;

/** What KMS returns for a key. Policy and grants are undefined if the caller may not read them. */
interface KeyAnswers {
  readonly keyId: string;
  readonly policy: string | undefined;
  /** The grants that this change does not revoke. */
  readonly grants: readonly KeyGrant[] | undefined;
}

/** Whether a recorded grant exists. If the caller may not list the grants, the record counts. */
function isListed({ grantId }: OwnKeyGrant, { grants }: KeyAnswers): boolean {
  return grants === undefined || grants.some((grant) => grant.grantId === grantId);
}

/** The accounts of a set that need access to a key. The owner of the key needs no grant. */
function accountsFor({ target }: KeyPlanInput, { keyId }: KeyAnswers): string[] {
  const accounts = [...granteesOf(target)].map(parseGranteeKey).flatMap((one) => (one.kind === "account" ? [one.accountId] : []));
  return accounts.filter((id) => id !== accountOfKey(keyId));
}

/**
 * With `kmsAccess: "grant"`: the grants to create and to revoke on one key. Every grant with the set's grant name belongs to the set. The
 * set records the ones that it needs, and revokes the ones of accounts that this change removes.
 *
 * @param kept the recorded grants that stay
 */
function grantsOnKey(
  input: KeyPlanInput,
  key: KeyAnswers,
  kept: readonly OwnKeyGrant[],
  needed: ReadonlySet<GranteeKey>,
): KeyFindings {
  const { set, change, owned } = input;
  const accounts = accountsFor(input, key);
  const recordedIds = new Set(owned.map(({ grantId }) => grantId));
  const unrecorded = (key.grants ?? []).filter(
    ({ name, grantId }) => name === grantName(set.imageId) && !recordedIds.has(grantId),
  );
  const found = unrecorded.filter(({ accountId }) => accounts.includes(accountId)).map(ownGrant);
  const removed = granteesOf(change.remove);
  const unwanted = unrecorded.filter(({ accountId }) => {
    const grantee = accountKey(accountId);
    // An account that loses one permission can keep another. Then it still needs the key.
    return removed.has(grantee) && !accounts.includes(accountId) && mayRevoke(grantee, set.neverRevoke) && !needed.has(grantee);
  });
  const withGrant = new Set([...found, ...kept].map(({ accountId }) => accountId));
  const create = accounts.filter((id) => !withGrant.has(id)).map((accountId) => ({ keyId: key.keyId, accountId }));
  return { create, keep: found, revoke: unwanted.map(ownGrant) };
}

/** With `kmsAccess: "check"`: a warning about accounts that may not use a key. */
function accountsWithoutKey(input: KeyPlanInput, key: KeyAnswers): KeyFindings {
  const { keyId, policy, grants } = key;
  if (policy === undefined || grants === undefined)
    return {
      doubts: [
        `key ${keyId}: its policy or its grants cannot be read (kms:GetKeyPolicy, kms:ListGrants), so whether those accounts may use it is not known`,
      ],
    };
  const lacking = accountsFor(input, key)
    .filter((id) => !allowsAccount(policy, grants, id))
    .sort();
  if (lacking.length === 0) return {};
  return {
    warnings: [
      `${firstFew(lacking.map(accountKey), MAX_NAMED)} may not use key ${keyId}, and so cannot launch or copy what is encrypted under it: add them to its policy (kmsKeyPolicyStatements gives the statements), or set kmsAccess to "grant"`,
    ],
  };
}

/** A warning about organizations and organizational units that the policy of a key does not name. */
function organizationsWithoutKey({ target }: KeyPlanInput, { keyId, policy }: KeyAnswers): KeyFindings {
  if (policy === undefined) return {};
  const organizations = [...granteesOf(target)].map(parseGranteeKey).flatMap((one) => ("arn" in one ? [one.arn] : []));
  const unnamed = organizations.filter((arn) => !namesOrganization(policy, arn)).sort();
  if (unnamed.length === 0) return {};
  return {
    warnings: [
      `the policy of key ${keyId} does not name ${firstFew(unnamed, MAX_NAMED)}: add them to the policy (kmsKeyPolicyStatements gives the statements), because a KMS grant cannot name them`,
    ],
  };
}

/**
 * The KMS grants to revoke if the set is removed. These are the recorded grants, and the grants that KMS lists with the set's grant name for
 * its accounts: the answer to a CreateGrant may have been lost, or the record.
 *
 * @param encryptedUnder reads the keys of the image's snapshots; called only if no grant is recorded
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

/** The ARNs of the customer managed keys of an image's snapshots. */
export async function customerKeysOf(gateway: Gateway, image: Pick<Image, "snapshotIds">): Promise<string[]> {
  return customerKeys(await keysOf(gateway, image));
}

function customerKeys(keys: readonly ImageKey[]): string[] {
  return keys.flatMap(({ keyId, manager }) => (keyId !== undefined && manager !== "AWS" ? [keyId] : []));
}

function ownGrant({ keyId, grantId, accountId }: KeyGrant): OwnKeyGrant {
  return { keyId, grantId, accountId };
}

/** The recorded grants to keep and to revoke. A grant stays if its account keeps access and the image still uses its key. */
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
