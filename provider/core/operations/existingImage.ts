/** Reads the image of a set before an operation: decides whether the image is gone, and waits while it is pending. */

import type { Gateway, Image } from "../aws";
import { AmiSharingError, durationWords } from "../model";
import { poll, stopped, type Wait } from "../planning";

/**
 * The image, or undefined if it is gone.
 *
 * EC2 answers the same for a private image of another account and for a deregistered image. So an image counts as gone only if the
 * credentials are those of its owner. Otherwise, wrong credentials would remove a set from the state that still shares its image.
 */
export async function existingImage(gateway: Gateway, imageId: string, ownerId: string | undefined): Promise<Image | undefined> {
  try {
    const image = await gateway.describeImage(imageId);
    return image.state === "deregistered" ? undefined : image;
  } catch (error) {
    if (!isNotFound(error)) throw error;
    if (!ownerId) return undefined;
    const caller = await gateway.callerAccountId();
    if (caller === ownerId) return undefined;
    if (caller === undefined)
      throw new AmiSharingError(
        "caller-unknown",
        `AMI ${imageId} of account ${ownerId} is not found, and STS does not return the account of the credentials: it is not known whether the AMI is gone`,
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

/** Waits while the image is pending, because EC2 changes the permissions only of available images. */
export async function waitWhilePending(gateway: Gateway, imageId: string, waitOptions: Wait): Promise<Image> {
  const image = await poll(
    () => gateway.describeImage(imageId),
    ({ state }) => state !== "pending",
    waitOptions,
    () => `AMI ${imageId} to be available: it is pending`,
  );
  if (image.state !== "pending") return image;
  if (waitOptions.signal?.aborted) throw stopped(imageId, "while the AMI is pending; nothing was changed");
  throw new AmiSharingError(
    "image-not-shareable",
    `AMI ${imageId} is still pending after ${durationWords(waitOptions.timeout)}`,
    {
      property: "imageId",
      imageId,
      next: `repeat once it is available; to wait longer, raise timeouts.${waitOptions.operation}`,
    },
  );
}

/** For `catch`: returns undefined if the image does not exist, and throws every other error. */
export function unlessNotFound(error: Error): undefined {
  if (!isNotFound(error)) throw error;
}

export function isNotFound(error: unknown): boolean {
  return error instanceof AmiSharingError && error.code === "image-not-found";
}
