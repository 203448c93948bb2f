/** The create and the update of a set: plans, sends, waits, and returns the record, also if the change is not completed. */

import type { Gateway } from "../aws";
import type { PermissionSet } from "../declaration";
import { type AmiSharingError, inGroups, intersection, isEmpty, minus, type Permissions, union } from "../model";
import {
  DEFAULT_WAIT_OPTIONS,
  grantName,
  type Neighbours,
  NO_NEIGHBOURS,
  type OwnKeyGrant,
  type Plan,
  planFor,
  type Recorded,
  recordOf,
  rereadChanged,
  type WaitOptions,
  waitOf,
  waitUntilVisible,
} from "../planning";
import { waitWhilePending } from "./existingImage";
import { acceptedOf, applyPhases, revokeKeyGrants, type Sent } from "./sending";

/** The error of a change that was begun and not completed. `recorded` is the record that the engine has to keep. */
export class IncompleteChangeError extends Error {
  override readonly name = "IncompleteChangeError";
  constructor(
    readonly reason: AmiSharingError,
    readonly recorded: Recorded,
    note = "",
    readonly plan?: Plan,
  ) {
    super(`the change was begun and not completed: ${reason.message}${note}`, { cause: reason });
  }
}

/** The result of a completed change: the new record, and the plan that was carried out. */
export interface Reconciled {
  readonly recorded: Recorded;
  readonly plan: Plan;
}

/**
 * Changes EC2 to what `set` wants.
 *
 * @param previous the record of the last operation of this set; undefined for a new set
 * @param revocable limits which grants of others the change may revoke. Default: all that EC2 has
 * @throws AmiSharingError if nothing was changed, IncompleteChangeError if something was or may have been changed
 */
export async function reconcile(
  gateway: Gateway,
  set: PermissionSet,
  previous?: Recorded,
  waitOptions: WaitOptions = DEFAULT_WAIT_OPTIONS,
  neighbours: Neighbours = NO_NEIGHBOURS,
  revocable?: Permissions,
): Promise<Reconciled> {
  const wait = waitOf(set, previous ? "update" : "create", waitOptions);
  const described = await waitWhilePending(gateway, set.imageId, wait);
  const plan = await planFor(gateway, set, described, previous, { neighbours, revocable });
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
    // KMS grants are created before the AMI is shared, and revoked after it is unshared. So no account has an AMI that it cannot launch.
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
    // If the answer to a CreateGrant was lost, the grant may exist.
    const wanted = plan.keys.create.filter(({ keyId, accountId }) => !hasKeyGrant([...keyGrants.values()], keyId, accountId));
    for (const grant of await grantsNamed(gateway, image.imageId, wanted).catch(() => [])) keyGrants.set(grant.grantId, grant);
    const seen = await rereadChanged(gateway, image, change, before).catch(() => undefined);
    const sameKeys = keyGrants.size === keysBefore.length && keysBefore.every((id) => keyGrants.has(id));
    const untouched = seen && sent.accepted.length === 0 && sameKeys && samePermissions(seen, before);
    // If a new set found permissions that an earlier set of the program left, it must own them. Otherwise no set would revoke them.
    const inherits = previous === undefined && !isEmpty(intersection(before, neighbours.inherited));
    if (untouched && !inherits) throw reason;
    if (seen) throw new IncompleteChangeError(reason, recordedWith(seen), "", plan);
    const { added, removed } = acceptedOf(sent, undefined);
    throw new IncompleteChangeError(reason, recordedWith(union(minus(before, removed), added), false), UNREAD, plan);
  }
}

const UNREAD = "; EC2 could not be read afterwards: the state records what was sent; refresh to read what EC2 has";

function hasKeyGrant(grants: readonly OwnKeyGrant[], keyId: string, accountId: string): boolean {
  return grants.some((grant) => grant.keyId === keyId && grant.accountId === accountId);
}

/** The grants with the set's grant name that KMS lists for these accounts. */
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

function samePermissions(a: Permissions, b: Permissions): boolean {
  return isEmpty(minus(a, b)) && isEmpty(minus(b, a));
}
