/** What is done: making EC2 have a set, taking it away, reading what an AMI or a region has, and adopting it. */

export { type Adoption, adoptionOf } from "./adoption";
export { type AmiPermissions, describePermissions, type SnapshotPermissions } from "./describePermissions";
export { observe } from "./observe";
export { IncompleteChangeError, type Reconciled, reconcile } from "./reconcile";
export { remove } from "./remove";
export { type AmiOfAnother, amisOfOthers, eachOwnAmi, type OwnAmi, ownAmis } from "./sharedAmis";
