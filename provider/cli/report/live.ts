/** The report on AMIs as EC2 has them now. */

import { type AmiPermissions, decodeDeclaredSet, describePermissions, ec2Gateway, problemText } from "../../core";
import type { ConnectionOptions } from "../connectionOptions";
import { Failure } from "../failure";
import { bookForOwner, type GranteeBook } from "../granteeBook";
import { grantsOf, reportOn } from "./build";
import { permissionsOf } from "./changes";
import type { Report, ReportedAmi } from "./model";

export async function reportOnLive(
  imageIds: readonly string[],
  connection: ConnectionOptions,
  tool: string,
  book: GranteeBook,
): Promise<Report> {
  const problems = imageIds.flatMap((imageId) => {
    const decoded = decodeDeclaredSet({ imageId, ...connection });
    return "problems" in decoded ? decoded.problems.map(problemText) : [];
  });
  if (problems.length > 0) throw new Failure([...new Set(problems)].join("\n"));
  const gateway = ec2Gateway(connection);
  const amis = await Promise.all([...new Set(imageIds)].map((imageId) => describePermissions(gateway, imageId)));
  return reportOn(
    amis.map((ami) => liveAmi(ami, book)),
    { kind: "live", tool, readAt: new Date().toISOString() },
  );
}

/** An AMI as it is shared now. */
export function liveAmi(ami: AmiPermissions, book: GranteeBook): ReportedAmi {
  const snapshotIds = ami.snapshots.map(({ snapshotId }) => snapshotId);
  const held = permissionsOf(ami.grants, { snapshotIds });
  const isPublic = ami.public || ami.snapshots.some((snapshot) => snapshot.public);
  return {
    label: ami.imageId,
    imageId: ami.imageId,
    region: ami.region,
    ...(ami.name === undefined ? {} : { name: ami.name }),
    ownerId: ami.ownerId,
    sets: [],
    grants: grantsOf(held, held, snapshotIds, new Map(), bookForOwner(book, ami.ownerId)),
    broadens: [],
    cannotTell: [],
    warnings: [],
    errors: [],
    notes: [],
    snapshots: ami.snapshots.map(({ snapshotId, encrypted, kmsKeyId }) => ({
      snapshotId,
      encrypted,
      ...(kmsKeyId === undefined ? {} : { kmsKeyId }),
    })),
    details: { encrypted: ami.encrypted, public: isPublic },
  };
}
