/** A set through its life in Terraform: the operations that the server's RPCs call. */

export { adopted, importSet, movedSet } from "./adopt";
export { applySet } from "./apply";
export { destroySet } from "./destroy";
export { planSet } from "./plan";
export { planDestroy } from "./planDestroy";
export { readSet } from "./read";
export {
  configurationDiagnostics,
  configurationOf,
  decodePrivate,
  type Private,
  problemsOf,
  type SetContext,
  type SetResult,
  type StoredSet,
} from "./state";
