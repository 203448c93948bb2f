/** What is done: making EC2 have a set, taking it away, reading what an AMI or a region has, and adopting it. */

export { type Adoption, adoptionOf } from "./adoption";
export { type AmiPermissions, describePermissions, type SnapshotPermissions } from "./describePermissions";
export { IncompleteChangeError, observe, type Reconciled, reconcile, remove } from "./reconcile";
export { type AmiOfAnother, amisOfOthers, eachOwnAmi, type OwnAmi, ownAmis } from "./sharedAmis";
