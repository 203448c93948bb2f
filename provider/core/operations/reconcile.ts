/** Making EC2 have what a set wants, for a create and an update: plan, send, wait, and record, also where a change ends half-way. */

import type { Gateway } from "../aws";
import type { PermissionSet } from "../declaration";
import { type AmiSharingError, inGroups, intersection, isEmpty, minus, type Permissions, union } from "../model";
import {
  DEFAULT_PATIENCE,
  grantName,
  type Neighbours,
  NO_NEIGHBOURS,
  type OwnKeyGrant,
  type Patience,
  type Plan,
  planFor,
  type Recorded,
  recordOf,
  rereadChanged,
  waitOf,
  waitUntilVisible,
} from "../planning";
import { imageNotPending } from "./existingImage";
import { acceptedOf, applyPhases, revokeKeyGrants, type Sent } from "./sending";

/** A change that was begun and not completed: `recorded` is what holds now. */
export class IncompleteChangeError extends Error {
  override readonly name = "IncompleteChangeError";
  constructor(
    readonly reason: AmiSharingError,
    readonly recorded: Recorded,
    note = "",
    /** What was begun. */
    readonly plan?: Plan,
  ) {
    super(`the change was begun and not completed: ${reason.message}${note}`, { cause: reason });
  }
}

/** A change that was made: what holds now, and what was done. */
export interface Reconciled {
  readonly recorded: Recorded;
  readonly plan: Plan;
}

/**
 * Makes EC2 have what `set` wants.
 *
 * @param previous what was recorded after the last operation of this set; undefined for a new one
 * @param bound of what others granted, what alone may be taken away; default: all that EC2 has
 * @throws AmiSharingError where nothing was changed, IncompleteChangeError where something may have been
 */
export async function reconcile(
  gateway: Gateway,
  set: PermissionSet,
  previous?: Recorded,
  patience: Patience = DEFAULT_PATIENCE,
  neighbours: Neighbours = NO_NEIGHBOURS,
  bound?: Permissions,
): Promise<Reconciled> {
  const wait = waitOf(set, previous ? "update" : "create", patience);
  const described = await imageNotPending(gateway, set.imageId, wait);
  const plan = await planFor(gateway, set, described, previous, { neighbours, bound });
  const { image, change, live: before } = plan;
  const [refusal] = plan.refusals;
  if (refusal) throw refusal;

  const keyGrants = new Map([...plan.keys.keep, ...plan.keys.revoke].map((grant) => [grant.grantId, grant]));
  const keysBefore = [...keyGrants.keys()];
  const sent: Sent = { accepted: [], refused: [], unanswered: [] };
  const recordedWith = (live: Permissions, isRead = true): Recorded => ({
    ...recordOf(plan, live, acceptedOf(sent, isRead ? minus(live, before) : undefined)),
    ...(keyGrants.size > 0 ? { keyGrants: [...keyGrants.values()] } : {}),
  });
  try {
    // The key first, and last to go: nobody holds an AMI that cannot be started.
    await inGroups(plan.keys.create, async ({ keyId, accountId }) => {
      const grantId = await gateway.keys.createGrant(keyId, accountId, grantName(image.imageId));
      keyGrants.set(grantId, { keyId, grantId, accountId });
    });
    await applyPhases(gateway, image, plan.phases, sent);
    await revokeKeyGrants(gateway, plan.keys.revoke, ({ grantId }) => keyGrants.delete(grantId));
    const live = await waitUntilVisible(gateway, image, change, before, wait);
    return { recorded: recordedWith(live), plan };
  } catch (error) {
    const reason = error as AmiSharingError;
    // The answer to a CreateGrant may have been lost.
    const wanted = plan.keys.create.filter(({ keyId, accountId }) => !holdsKey([...keyGrants.values()], keyId, accountId));
    for (const grant of await grantsNamed(gateway, image.imageId, wanted).catch(() => [])) keyGrants.set(grant.grantId, grant);
    const seen = await rereadChanged(gateway, image, change, before).catch(() => undefined);
    const sameKeys = keyGrants.size === keysBefore.length && keysBefore.every((id) => keyGrants.has(id));
    const untouched = seen && sent.accepted.length === 0 && sameKeys && same(seen, before);
    // A set that found in place what its predecessor left has to own it, or nobody would revoke it.
    const inherits = previous === undefined && !isEmpty(intersection(before, neighbours.inherited));
    if (untouched && !inherits) throw reason;
    if (seen) throw new IncompleteChangeError(reason, recordedWith(seen), "", plan);
    const { added, removed } = acceptedOf(sent, undefined);
    throw new IncompleteChangeError(reason, recordedWith(union(minus(before, removed), added), false), UNREAD, plan);
  }
}

const UNREAD = "; EC2 could not be read afterwards: what is recorded is what was sent, and a refresh shows what holds";

function holdsKey(grants: readonly OwnKeyGrant[], keyId: string, accountId: string): boolean {
  return grants.some((grant) => grant.keyId === keyId && grant.accountId === accountId);
}

/** The grants under the set's name that KMS lists for some accounts. */
async function grantsNamed(
  gateway: Gateway,
  imageId: string,
  wanted: readonly { readonly keyId: string; readonly accountId: string }[],
): Promise<OwnKeyGrant[]> {
  const keyIds = [...new Set(wanted.map(({ keyId }) => keyId))];
  const listed = await inGroups(keyIds, async (keyId) => (await gateway.keys.grants(keyId)) ?? []);
  return listed
    .flat()
    .filter(({ name }) => name === grantName(imageId))
    .filter(({ keyId, accountId }) => wanted.some((one) => one.keyId === keyId && one.accountId === accountId))
    .map(({ keyId, grantId, accountId }) => ({ keyId, grantId, accountId }));
}

function same(a: Permissions, b: Permissions): boolean {
  return isEmpty(minus(a, b)) && isEmpty(minus(b, a));
}
