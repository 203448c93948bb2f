/** Checks across arguments that are each right by themselves, and the form in which a problem of an argument is told. */

import { escapeInvisible, UNKNOWN } from "../model";
import type { DeclaredSet } from "./arguments";
import { SET_ARGUMENTS } from "./argumentTable";
import { mayBeRounded, show } from "./argumentWords";

/** What is wrong with one argument. */
export interface ArgumentProblem {
  /** The top-level argument, such as `accountIds`. */
  readonly property: string;
  /** The exact place: the argument's name, then list indices and member names. */
  readonly path: readonly (string | number)[];
  /** What is wrong and what to write instead, without the place. */
  readonly message: string;
}

/** The place of a problem as a user would write it: `accountIds[1]`, `createVolumePermissions.snapshotIds[0]`. */
export function problemPath({ path }: ArgumentProblem): string {
  return escapeInvisible(path.map((part, i) => (typeof part === "number" ? `[${part}]` : i === 0 ? part : `.${part}`)).join(""));
}

/** A problem in words: the place, and what is wrong. */
export function problemText(problem: ArgumentProblem): string {
  return `${problemPath(problem)}: ${problem.message}`;
}

/** What arguments say together and cannot: sharing with everybody has to be confirmed. */
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
 * What is wrong with a set that names nobody without saying so: a misspelt name of a config value gives an absent list, and an
 * authoritative set would then revoke every grant. `accountIds: []` says so. An additive set without grantees takes nothing from others.
 *
 * Not part of `decodeDeclaredSet`: what a state records was accepted once, and has to be read.
 */
export function granteeProblems(declared: DeclaredSet): readonly ArgumentProblem[] {
  const { accountIds, organizationArns, organizationalUnitArns, createVolumePermissions: volumes } = declared;
  // With `public: false` alone nobody is named.
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
        "no grantee is declared, and an authoritative set revokes every grant that it does not declare; write accountIds: [] where nobody is meant, or name somebody in accountIds, organizationArns or organizationalUnitArns, or with public: true",
    },
  ];
}

/** What is accepted and may be a mistake, where numbers arrive as texts. */
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
      message: `${show(id)} ends in zeros, as a rounded number does: 1.11122E+11 is read as 111122000000; see that it is the account that is meant, and write ids in quotes`,
    }));
  });
}
