/** Sends the calls of a change, and decides which part of the change was made if EC2 refused a call or did not answer it. */

import type { Gateway } from "../aws";
import { type AmiSharingError, inGroups, intersection, NO_PERMISSIONS, type Permissions, policyOf, union } from "../model";
import type { Accepted, OwnedImage, OwnKeyGrant, Step } from "../planning";
import { existingImage, isNotFound } from "./existingImage";

/** The steps that were sent, by result. For unanswered steps, it is unknown whether EC2 made the change. */
export interface Sent {
  readonly accepted: Step[];
  readonly refused: Step[];
  readonly unanswered: Step[];
}

/**
 * The part of a change that counts as made: the removals that EC2 accepted, and the additions that EC2 accepted or did not answer. A refused
 * addition counts if EC2 shows it now, because an earlier attempt of the same call may have been made.
 *
 * @param appeared what EC2 shows now and did not show before; undefined if EC2 cannot be read
 */
export function acceptedOf({ accepted, refused, unanswered }: Sent, appeared: Permissions | undefined): Accepted {
  const added = union(changedBy(accepted, "add"), changedBy(unanswered, "add"));
  const refusedAdditions = appeared ? intersection(changedBy(refused, "add"), appeared) : changedBy(refused, "add");
  return { added: union(added, refusedAdditions), removed: changedBy(accepted, "remove") };
}

/** Resources that did not exist when they were changed. */
interface Gone {
  image: boolean;
  readonly snapshots: Set<string>;
}

/**
 * Sends the steps of a change.
 *
 * @param gone collects the resources that are gone; used if the change has only removals
 */
export async function applyPhases(
  gateway: Gateway,
  image: OwnedImage,
  phases: readonly (readonly Step[])[],
  sent: Sent,
  gone?: Gone,
): Promise<void> {
  const send = (step: Step) =>
    step.kind === "launch"
      ? gateway.changeLaunchPermissions(image.imageId, step)
      : gateway.changeCreateVolumePermissions(step.snapshotId, step.operation, step.grantees);
  for (const phase of phases)
    await inGroups(phase, async (step) => {
      try {
        await send(step).catch((error: AmiSharingError) => sendWithoutAbsent(gateway, image, step, error, gone, send));
        sent.accepted.push(step);
      } catch (error) {
        const isRefusal = policyOf(error)?.change === "refused";
        (isRefusal ? sent.refused : sent.unanswered).push(step);
        throw error;
      }
    });
}

/**
 * Handles a refused step that removes permissions. If the snapshot, the image or the grants are gone, the removal counts as made. If EC2
 * still shows some of the grants, only these are sent again.
 */
async function sendWithoutAbsent(
  gateway: Gateway,
  image: OwnedImage,
  step: Step,
  error: AmiSharingError,
  gone: Gone | undefined,
  send: (step: Step) => Promise<void>,
): Promise<void> {
  if (step.kind === "createVolume") {
    if (step.operation === "add") throw error;
    if (error.code === "snapshot-not-found") {
      gone?.snapshots.add(step.snapshotId);
      return;
    }
    if (error.code !== "invalid-argument") throw error;
    const there = await gateway.createVolumePermissions(step.snapshotId);
    const left = step.grantees.filter((key) => there.has(key));
    if (left.length === step.grantees.length) throw error;
    if (left.length > 0) await send({ ...step, grantees: left });
    return;
  }
  if (step.remove.length === 0) throw error;
  if (isNotFound(error)) {
    if (step.add.length > 0) throw error;
    const found = await existingImage(gateway, image.imageId, image.ownerId);
    if (!found) {
      if (gone) gone.image = true;
      return;
    }
    // A disabled AMI has no launch permissions, and they cannot be changed.
    const held = found.state === "disabled" ? await gateway.launchPermissions(image.imageId) : undefined;
    if (held === undefined || step.remove.some((key) => held.has(key))) throw error;
    return;
  }
  if (error.code !== "invalid-argument") throw error;
  const there = await gateway.launchPermissions(image.imageId);
  const left = step.remove.filter((key) => there.has(key));
  if (left.length === step.remove.length) throw error;
  if (step.add.length + left.length > 0) await send({ ...step, remove: left });
}

/** What the steps add, or what they remove. */
function changedBy(steps: readonly Step[], operation: "add" | "remove"): Permissions {
  return steps.reduce<Permissions>((sum, step) => {
    if (step.kind === "launch") return union(sum, { launch: new Set(step[operation]), createVolume: new Map() });
    if (step.operation !== operation) return sum;
    return union(sum, { launch: new Set(), createVolume: new Map([[step.snapshotId, new Set(step.grantees)]]) });
  }, NO_PERMISSIONS);
}

/** Revokes KMS grants. @param done called for each grant that was revoked */
export async function revokeKeyGrants(
  gateway: Gateway,
  grants: readonly OwnKeyGrant[],
  done: (grant: OwnKeyGrant) => void = () => undefined,
): Promise<void> {
  await inGroups(grants, async (grant) => {
    await gateway.keys.revokeGrant(grant.keyId, grant.grantId);
    done(grant);
  });
}
