/** Watches who has access while something runs: it reads EC2 every 50 ms with plain HTTP, and notes every loss. */

import type { Emulator, MadeImage } from "./emulator";

const EVERY = 50;

/** A running watch. */
export interface AccessWatch {
  /** Ends the watch. Returns every grant that was missing at some time, as `resource account`, and the number of reads. */
  end(): Promise<{ readonly lost: readonly string[]; readonly looks: number }>;
}

/** Watches the launch permissions of the accounts on the images and, optionally, the create-volume permissions on their snapshots. */
export function watchAccess(
  emulator: Emulator,
  images: readonly MadeImage[],
  accounts: readonly string[],
  { volumes = false }: { readonly volumes?: boolean } = {},
): AccessWatch {
  const lost = new Set<string>();
  let looks = 0;
  let running = true;
  const resources = images.flatMap(({ imageId, snapshotIds }) => [imageId, ...(volumes ? snapshotIds : [])]);
  const look = async () => {
    for (const resource of resources) {
      const holders = await holdersOf(emulator.url, resource);
      for (const account of accounts) if (!holders.includes(account)) lost.add(`${resource} ${account}`);
    }
    looks++;
  };
  const watching = (async () => {
    while (running) {
      const next = new Promise((resolve) => setTimeout(resolve, EVERY));
      await look();
      await next;
    }
  })();
  return {
    async end() {
      running = false;
      await watching;
      await look();
      return { lost: [...lost].sort(), looks };
    },
  };
}

async function holdersOf(url: string, resource: string): Promise<string[]> {
  const query = resource.startsWith("ami-")
    ? { Action: "DescribeImageAttribute", ImageId: resource, Attribute: "launchPermission" }
    : { Action: "DescribeSnapshotAttribute", SnapshotId: resource, Attribute: "createVolumePermission" };
  const answer = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      authorization:
        "AWS4-HMAC-SHA256 Credential=AKIAWATCHWATCHWATCH0/20260101/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=0",
    },
    body: new URLSearchParams({ ...query, Version: "2016-11-15" }).toString(),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`the watch of ${resource}: ${answer.status} ${text}`);
  return [...text.matchAll(/<userId>(\d{12})<\/userId>/g)].map(([, id]) => id as string);
}
