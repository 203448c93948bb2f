/** The entry of the folder with the operations: applying a set, removing it, reading an AMI or a region, and adopting an AMI. */

export { type Adoption, adoptionOf } from "./adoption";
export { type AmiPermissions, describePermissions, type SnapshotPermissions } from "./describePermissions";
export { observe } from "./observe";
export { IncompleteChangeError, type Reconciled, reconcile } from "./reconcile";
export { remove } from "./remove";
export { NameSource, type Rules, rulesOf } from "./rules";
export { type AmiOfAnother, amisOfOthers, eachOwnAmi, type OwnAmi, ownAmis } from "./sharedAmis";
