/** What a state says of the one-principal resources, the same for every engine; types only. */

/** Who an old resource grants to: one value of the argument of a set. */
export type OldGrantee =
  | { readonly argument: "accountIds" | "organizationArns" | "organizationalUnitArns"; readonly value: string }
  | { readonly argument: "public" };

/** One instance of an old resource. */
export interface OldGrant {
  /** The instance, as its engine names it: an address or a URN. */
  readonly address: string;
  /** What its engine forgets at once: the address without instance keys, or the URN. */
  readonly forgotten: string;
  readonly permission: "launch" | "createVolume";
  /** The AMI, or the snapshot; undefined: the state does not tell it. */
  readonly resourceId: string | undefined;
  /** undefined: the state does not tell it. */
  readonly grantee: OldGrantee | undefined;
  readonly region: string | undefined;
  /** The provider that made it, where it is not the default one. */
  readonly provider: string | undefined;
  /** It waits to be destroyed. */
  readonly leaving: boolean;
}

/** An AMI of which the state knows the snapshots, the region or the name. */
export interface KnownImage {
  readonly imageId: string;
  readonly region: string | undefined;
  readonly ownerId: string | undefined;
  readonly snapshotIds: readonly string[];
}

/** A set that the state holds already. */
export interface KnownSet {
  readonly address: string;
  readonly imageId: string;
}

/** A resource that stays and depends on old ones. */
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

/** The grants stand in the order of the state: what depends on another one comes after it. */
export interface PulumiState extends OldState {
  readonly engine: "pulumi";
  /** URNs that `pulumi state delete` only takes with `--force`. */
  readonly isProtected: ReadonlySet<string>;
  readonly dependents: readonly Dependent[];
}
