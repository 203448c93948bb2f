/** Describing the image of a set before its permissions are read or changed: whether it is gone, and the wait until it is no longer pending. */

import type { Gateway, Image } from "../aws";
import { AmiSharingError, durationWords } from "../model";
import { poll, stopped, type Wait } from "../planning";

/**
 * The image, or undefined where it is gone.
 *
 * EC2 gives another account's private image and a deregistered one the same answer, and taking the first for the second
 * would forget a set that still shares: an image counts as gone only for its owner's credentials.
 */
export async function existingImage(gateway: Gateway, imageId: string, ownerId: string | undefined): Promise<Image | undefined> {
  try {
    const image = await gateway.describeImage(imageId);
    return image.state === "deregistered" ? undefined : image;
  } catch (error) {
    if (!(error instanceof AmiSharingError && error.code === "image-not-found")) throw error;
    if (!ownerId) return undefined;
    const caller = await gateway.callerAccountId();
    if (caller === ownerId) return undefined;
    if (caller === undefined)
      throw new AmiSharingError(
        "caller-unknown",
        `AMI ${imageId} of account ${ownerId} is not found, and STS does not tell whose the credentials are: whether the AMI is gone is not known`,
        { imageId, next: "allow sts:GetCallerIdentity or check STS's endpoint, and repeat; nothing was changed or forgotten" },
      );
    throw new AmiSharingError(
      "not-owner",
      `AMI ${imageId} belongs to account ${ownerId}, and the credentials to account ${caller}`,
      {
        imageId,
        next: "use the owner's credentials; nothing was changed or forgotten",
      },
    );
  }
}

/** The image once it is no longer pending, as EC2 changes the permissions of available images only. */
export async function imageNotPending(gateway: Gateway, imageId: string, patience: Wait): Promise<Image> {
  const image = await poll(
    () => gateway.describeImage(imageId),
    ({ state }) => state !== "pending",
    patience,
    () => `AMI ${imageId} to be available: it is pending`,
  );
  if (image.state !== "pending") return image;
  if (patience.signal?.aborted) throw stopped(imageId, "while the AMI is pending; nothing was changed");
  throw new AmiSharingError("image-not-shareable", `AMI ${imageId} is still pending after ${durationWords(patience.timeout)}`, {
    property: "imageId",
    imageId,
    next: `repeat once it is available; to wait longer, raise timeouts.${patience.operation}`,
  });
}

export function unlessNotFound(error: Error): undefined {
  if (!isNotFound(error)) throw error;
}

export function isNotFound(error: unknown): boolean {
  return error instanceof AmiSharingError && error.code === "image-not-found";
}
