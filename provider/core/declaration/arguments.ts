/** The types of the arguments in canonical form, as decoding returns them. */

import type { MaybeUnknown } from "../model";

/** `authoritative`: exactly this set. `additive`: only add, and later remove what this set added. */
export type Mode = "authoritative" | "additive";

/** `revoke`: what this set granted. `reset`: every grant. `retain`: nothing. */
export type OnDelete = "revoke" | "reset" | "retain";

/** `check`: warn about accounts that may not use the key. `grant`: create a KMS grant for each account. `ignore`: do nothing. */
export type KmsAccess = "check" | "grant" | "ignore";

/** `revoke`: a change revokes access from grantees that the state does not record. `refuse`: such a change fails. */
export type Unrecorded = "revoke" | "refuse";

/** Which accounts may create volumes from which snapshots of the image. */
export interface CreateVolumeArguments {
  /** Default: the set's accounts. */
  readonly accountIds?: MaybeUnknown<readonly MaybeUnknown<string>[]>;
  /** Default: every EBS snapshot of the image. */
  readonly snapshotIds?: MaybeUnknown<readonly MaybeUnknown<string>[]>;
  /** Whether every AWS account may create volumes. Default: false. */
  readonly public?: MaybeUnknown<boolean>;
}

/** How long one operation waits for EC2, as durations such as `30m`. Absent: 20 minutes. */
export interface TimeoutArguments {
  readonly create?: MaybeUnknown<string>;
  readonly update?: MaybeUnknown<string>;
  readonly delete?: MaybeUnknown<string>;
}

/** A role to assume before EC2 is called. */
export interface AssumeRole {
  readonly roleArn?: MaybeUnknown<string>;
  readonly externalId?: MaybeUnknown<string>;
  readonly sessionName?: MaybeUnknown<string>;
}

/** A set's arguments in canonical form: ids are strings, lists are sorted and without duplicates. */
export interface DeclaredSet {
  /** The AMI that is shared. */
  readonly imageId: MaybeUnknown<string>;
  /** Accounts that may launch the AMI. */
  readonly accountIds?: MaybeUnknown<readonly MaybeUnknown<string>[]>;
  /** Organizations whose accounts may launch the AMI. */
  readonly organizationArns?: MaybeUnknown<readonly MaybeUnknown<string>[]>;
  /** Organizational units whose accounts may launch the AMI. */
  readonly organizationalUnitArns?: MaybeUnknown<readonly MaybeUnknown<string>[]>;
  /** Whether every AWS account may launch the AMI. Absent: false. */
  readonly public?: MaybeUnknown<boolean>;
  /** Confirms `public`. Without it, `public` is refused. */
  readonly acknowledgePublic?: MaybeUnknown<boolean>;
  /** Who may create volumes from the AMI's snapshots. `true`: the set's accounts. Absent or false: not managed. */
  readonly createVolumePermissions?: MaybeUnknown<boolean | CreateVolumeArguments>;
  /** The most grantees that one change may revoke access from. "none" is 0. Absent: any number. */
  readonly maxRevocations?: MaybeUnknown<number | "none">;
  /** Whether a change may revoke access from grantees that the state does not record. Absent: "revoke". */
  readonly unrecorded?: MaybeUnknown<Unrecorded>;
  /** Accounts from which the set never revokes access. */
  readonly neverRevoke?: MaybeUnknown<readonly MaybeUnknown<string>[]>;
  /** The only grantees that the set may name or leave in place: ids, ARNs, `public`, and `file://…` for the entries of a file. Absent: anybody. */
  readonly allowedGrantees?: MaybeUnknown<readonly MaybeUnknown<string>[]>;
  /** How the set handles the KMS keys of encrypted snapshots. Absent: "check". */
  readonly kmsAccess?: MaybeUnknown<KmsAccess>;
  /** Whether a plan warns about accounts that use the image and lose it. Absent: false. */
  readonly checkUsage?: MaybeUnknown<boolean>;
  /** Absent: "authoritative". */
  readonly mode?: MaybeUnknown<Mode>;
  /** What a destroy revokes. Absent: "revoke". */
  readonly onDelete?: MaybeUnknown<OnDelete>;
  /** How long an operation waits for EC2. */
  readonly timeouts?: MaybeUnknown<TimeoutArguments>;
  /** The AMI's region. Absent: the engine's. */
  readonly region?: MaybeUnknown<string>;
  /** The profile in the shared AWS config and credentials files. */
  readonly profile?: MaybeUnknown<string>;
  /** The endpoint of EC2, a URL. */
  readonly endpoint?: MaybeUnknown<string>;
  /** A role to assume before EC2 is called. */
  readonly assumeRole?: MaybeUnknown<AssumeRole>;
}

/** The arguments for all sets of an allow-list and of names, such as those of Terraform's provider block. */
export interface DeclaredRules extends Pick<DeclaredSet, "allowedGrantees"> {
  /** Account id → name, or the path of a file with names. */
  readonly accountNames?: MaybeUnknown<Readonly<Record<string, MaybeUnknown<string>>> | string>;
  /** Where further names come from: `organizations`, or the path of a file. */
  readonly names?: MaybeUnknown<string>;
}

/** The arguments for many sets, such as Terraform's provider block. */
export interface DeclaredConnection extends Pick<DeclaredSet, "region" | "profile" | "endpoint" | "assumeRole">, DeclaredRules {
  /** Attempts after the first. */
  readonly maxRetries?: MaybeUnknown<number>;
}
