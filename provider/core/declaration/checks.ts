/** Checks of argument combinations, and the type of a problem with an argument. Checks of single arguments are in schema.ts. */

import { escapeInvisible, UNKNOWN } from "../model";
import { mayBeRounded, show } from "./argumentMessages";
import type { DeclaredSet } from "./arguments";
import { SET_ARGUMENTS } from "./argumentTable";

/** What is wrong with one argument. */
export interface ArgumentProblem {
  /** The top-level argument, such as `accountIds`. */
  readonly property: string;
  /** The path to the value: the argument's name, then list indexes and member names. */
  readonly path: readonly (string | number)[];
  /** What is wrong and what to write instead, without the path. */
  readonly message: string;
}

/** The path of a problem as text: `accountIds[1]`, `createVolumePermissions.snapshotIds[0]`. */
export function problemPath({ path }: ArgumentProblem): string {
  return escapeInvisible(path.map((part, i) => (typeof part === "number" ? `[${part}]` : i === 0 ? part : `.${part}`)).join(""));
}

/** A problem as text: the path and the message. */
export function problemText(problem: ArgumentProblem): string {
  return `${problemPath(problem)}: ${problem.message}`;
}

/** Problems of argument combinations: `public` needs `acknowledgePublic`. */
export function combinationProblems(declared: DeclaredSet): ArgumentProblem[] {
  const createVolume = declared.createVolumePermissions;
  const publicVolumes = typeof createVolume === "object" && createVolume.public === true;
  if (
    (declared.public !== true && !publicVolumes) ||
    declared.acknowledgePublic === true ||
    declared.acknowledgePublic === UNKNOWN
  )
    return [];
  const path = publicVolumes && declared.public !== true ? ["createVolumePermissions", "public"] : ["public"];
  return [
    {
      property: path[0] as string,
      path,
      message: "true would give every AWS account a copy of the disk; add acknowledgePublic: true if that is meant",
    },
  ];
}

/**
 * The problem of an authoritative set that names no grantee. If the name of a config value is misspelled, the list is absent, and the set
 * would revoke every grant. A set that is meant to have no grantees declares `accountIds: []`. An additive set revokes no grants of others,
 * so it needs no grantee.
 *
 * This check is not part of `decodeDeclaredSet`, because the arguments in a state were accepted by an earlier version and must be readable.
 */
export function granteeProblems(declared: DeclaredSet): readonly ArgumentProblem[] {
  const { accountIds, organizationArns, organizationalUnitArns, createVolumePermissions: volumes } = declared;
  // `public: false` names no grantee.
  const isPublic = declared.public !== undefined && declared.public !== false;
  const namesVolumes = typeof volumes === "object" && (volumes.accountIds !== undefined || (volumes.public ?? false) !== false);
  const isDeclared = [accountIds, organizationArns, organizationalUnitArns].some((list) => list !== undefined);
  if (
    isDeclared ||
    isPublic ||
    namesVolumes ||
    volumes === UNKNOWN ||
    (declared.mode ?? SET_ARGUMENTS.mode.default) !== "authoritative"
  )
    return [];
  return [
    {
      property: "accountIds",
      path: ["accountIds"],
      message:
        "no grantee is declared, and an authoritative set revokes every grant that it does not declare; write accountIds: [] if nobody is to have access, or name somebody in accountIds, organizationArns or organizationalUnitArns, or with public: true",
    },
  ];
}

/** Account ids that are accepted, but may be rounded numbers. For Terraform, which passes numbers as strings. */
export function roundedAccounts({
  accountIds,
  createVolumePermissions: volumes,
  neverRevoke,
}: DeclaredSet): readonly ArgumentProblem[] {
  const lists = [
    [["accountIds"], accountIds],
    [["createVolumePermissions", "accountIds"], typeof volumes === "object" ? volumes.accountIds : undefined],
    [["neverRevoke"], neverRevoke],
  ] as const;
  return lists.flatMap(([path, ids = []]) => {
    const rounded = ids === UNKNOWN ? [] : ids.filter((id) => id !== UNKNOWN && mayBeRounded(id));
    return rounded.map((id) => ({
      property: path[0],
      path,
      message: `${show(id)} ends in zeros, as a rounded number does: 1.11122E+11 is read as 111122000000; check that it is the intended account, and write ids in quotes`,
    }));
  });
}
