/** The arguments as users write them: their shapes, in the canonical form that decoding gives them. */

import type { MaybeUnknown } from "../model";

/** `authoritative`: exactly this set. `additive`: only add, and later remove what this set added. */
export type Mode = "authoritative" | "additive";

/** `revoke`: what this set granted. `reset`: every grant. `retain`: nothing. */
export type OnDelete = "revoke" | "reset" | "retain";

/** `check`: warn of accounts that may not use the key. `grant`: a KMS grant for each account. `ignore`: nothing. */
export type KmsAccess = "check" | "grant" | "ignore";

/** `revoke`: a change takes access from whoever is not declared. `refuse`: not from those whom the state does not record. */
export type Unrecorded = "revoke" | "refuse";

/** Which accounts may create volumes from which of the image's snapshots. */
export interface CreateVolumeArguments {
  /** Default: the set's accounts. */
  readonly accountIds?: MaybeUnknown<readonly MaybeUnknown<string>[]>;
  /** Default: every EBS snapshot of the image. */
  readonly snapshotIds?: MaybeUnknown<readonly MaybeUnknown<string>[]>;
  /** Whether everybody may. Default: false. */
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
  /** Confirms that `public` is meant: without it, `public` is refused. */
  readonly acknowledgePublic?: MaybeUnknown<boolean>;
  /** Who may create volumes from the AMI's snapshots; `true`: the set's accounts. Absent or false: not managed. */
  readonly createVolumePermissions?: MaybeUnknown<boolean | CreateVolumeArguments>;
  /** How many grantees one change may take access from; "none" is 0. Absent: any number. */
  readonly maxRevocations?: MaybeUnknown<number | "none">;
  /** What a change does about those who would lose access and whom the state does not record. Absent: "revoke". */
  readonly unrecorded?: MaybeUnknown<Unrecorded>;
  /** Accounts that no change of the set takes access from. */
  readonly neverRevoke?: MaybeUnknown<readonly MaybeUnknown<string>[]>;
  /** What is done about the KMS keys of encrypted snapshots. Absent: "check". */
  readonly kmsAccess?: MaybeUnknown<KmsAccess>;
  /** Whether a plan asks who still uses the image before they lose it. Absent: false. */
  readonly checkUsage?: MaybeUnknown<boolean>;
  /** Absent: "authoritative". */
  readonly mode?: MaybeUnknown<Mode>;
  /** What a destroy takes away. Absent: "revoke". */
  readonly onDelete?: MaybeUnknown<OnDelete>;
  /** How long an operation waits for EC2. */
  readonly timeouts?: MaybeUnknown<TimeoutArguments>;
  /** The AMI's region. Absent: the engine's. */
  readonly region?: MaybeUnknown<string>;
  /** The profile in the shared AWS files whose credentials are used. */
  readonly profile?: MaybeUnknown<string>;
  /** The URL that EC2 is called at in place of AWS's own. */
  readonly endpoint?: MaybeUnknown<string>;
  /** A role to assume before EC2 is called. */
  readonly assumeRole?: MaybeUnknown<AssumeRole>;
}

/** How to reach EC2, as users write it once for many sets. */
export interface DeclaredConnection extends Pick<DeclaredSet, "region" | "profile" | "endpoint" | "assumeRole"> {
  /** Attempts after the first. */
  readonly maxRetries?: MaybeUnknown<number>;
}
