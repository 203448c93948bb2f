/** What users declare: the arguments, what is wrong with them, and the set that they make. */

export { show } from "./argumentWords";
export {
  ARGUMENT_NAMES,
  type ArgumentProblem,
  type AssumeRole,
  type CreateVolumeArguments,
  type DeclaredConnection,
  type DeclaredSet,
  type Decoded,
  decodeConnection,
  decodeDeclaredSet,
  granteeProblems,
  type KmsAccess,
  type Mode,
  type OnDelete,
  problemPath,
  roundedAccounts,
  type TimeoutArguments,
  type Unrecorded,
} from "./declaredSet";
export {
  declaredGrants,
  losers,
  managedSnapshots,
  maxRevocationsOf,
  namedPermissions,
  type Operation,
  type PermissionSet,
  permissionSetOf,
  refuseTooManyRevocations,
  type Timeouts,
  targetPermissions,
} from "./permissionSet";
