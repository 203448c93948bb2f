/** The types for the old resources in a state, which have one principal each. They are the same for every engine. */

/** The grantee of an old resource: one value of an argument of a set. */
export type OldGrantee =
  | { readonly argument: "accountIds" | "organizationArns" | "organizationalUnitArns"; readonly value: string }
  | { readonly argument: "public" };

/** One instance of an old resource. */
export interface OldGrant {
  /** The engine's name of the instance: an address or a URN. */
  readonly address: string;
  /** The name to remove from the state: the address without instance keys, or the URN. */
  readonly forgotten: string;
  readonly permission: "launch" | "createVolume";
  /** The AMI or the snapshot; undefined if it is not in the state. */
  readonly resourceId: string | undefined;
  /** undefined if it is not in the state. */
  readonly grantee: OldGrantee | undefined;
  readonly region: string | undefined;
  /** Its provider, if that is not the default provider. */
  readonly provider: string | undefined;
  /** Whether the engine will destroy it in the next apply. */
  readonly leaving: boolean;
}

/** An AMI whose snapshots, region or name are in the state. */
export interface KnownImage {
  readonly imageId: string;
  readonly region: string | undefined;
  readonly ownerId: string | undefined;
  readonly snapshotIds: readonly string[];
}

/** A set that is already in the state. */
export interface KnownSet {
  readonly address: string;
  readonly imageId: string;
}

/** A resource that stays and depends on old resources. */
export interface Dependent {
  readonly address: string;
  readonly on: readonly string[];
}

export interface OldState {
  readonly grants: readonly OldGrant[];
  readonly images: readonly KnownImage[];
  readonly sets: readonly KnownSet[];
}

export interface TerraformState extends OldState {
  readonly engine: "terraform";
}

/** The grants have the order of the state: a resource comes after the resources that it depends on. */
export interface PulumiState extends OldState {
  readonly engine: "pulumi";
  /** The URNs for which `pulumi state delete` needs `--force`. */
  readonly isProtected: ReadonlySet<string>;
  readonly dependents: readonly Dependent[];
}
