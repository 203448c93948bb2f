/** The entry of the folder with declarations: the arguments, their validation, and the set that they declare. */

export { allowListsOf, notAllowed, notAllowedNames, withAllowLists } from "./allowLists";
export { show } from "./argumentMessages";
export type {
  AssumeRole,
  CreateVolumeArguments,
  DeclaredConnection,
  DeclaredRules,
  DeclaredSet,
  KmsAccess,
  Mode,
  OnDelete,
  TimeoutArguments,
  Unrecorded,
} from "./arguments";
export {
  type Argument,
  type Arguments,
  type ArgumentType,
  CONNECTION_ARGUMENTS,
  descriptionOf,
  type Engine,
  LISTS,
  NAMING_GRANTEES,
  OUTPUTS,
  type Output,
  PROVIDER_ARGUMENTS,
  REPLACING,
  SET_ARGUMENTS,
} from "./argumentTable";
export { type ArgumentProblem, granteeProblems, problemPath, problemText, roundedAccounts } from "./checks";
export { declaredGrants, granteesLosingAccess } from "./declaredGrants";
export { type Decoded, decodeConnection, decodeDeclaredSet, decodeRules } from "./decode";
export {
  managedSnapshots,
  maxRevocationsOf,
  namedPermissions,
  type Operation,
  type PermissionSet,
  permissionSetOf,
  type Timeouts,
  targetPermissions,
  tooManyRevocations,
  unnamedSnapshots,
} from "./permissionSet";
export { ARGUMENT_NAMES } from "./schema";
