/** Plans a create or an update: PlanResourceChange for a set in the configuration. */

import { randomUUID } from "node:crypto";
import {
  AmiSharingError,
  type ArgumentProblem,
  allowListRefusalsOf,
  allowListsOf,
  type ClaimedImage,
  changeOf,
  type DeclaredSet,
  deserializePermissions,
  encodeRecorded,
  expectedRecord,
  granteeProblems,
  isEmpty,
  type MaybeUnknown,
  NO_NEIGHBOURS,
  NO_PERMISSIONS,
  notAllowedNames,
  type Permissions,
  type Plan,
  permissionSetOf,
  planChange,
  serializePermissions,
  targetPermissions,
  throwConflictingSets,
  UNKNOWN,
  usageBeforeDeletion,
  withAllowLists,
} from "../../core";
import { type Diagnostic, errorDiagnostic, problemDiagnostic, warning } from "../diagnostics";
import { claimIn, type Drop, placedClaimsOf, placeOf, type Run, takenByAnother, toldTooLate, untold } from "../neighbours";
import type { ProviderConfig } from "../providerConfig";
import { REPLACING } from "../schema";
import { type ObjectValue, sameValue } from "../values";
import { type PlannedDestroy, planDestroy } from "./planDestroy";
import { nobodyDiagnostic, planDiagnostics, refusalDiagnostic, shownAsLost } from "./planDiagnostics";
import { isSettled, takesAway } from "./settled";
import {
  ARGUMENTS,
  declaredIn,
  defaultsFor,
  imageIn,
  type Private,
  recordedIn,
  type SetContext,
  type StoredSet,
  sameArguments,
  sameState,
  setIn,
  shownTo,
  valuesIn,
} from "./state";

export interface PlannedSet {
  readonly private: Private;
  readonly planned: ObjectValue | null;
  /** The attributes whose change replaces the set. */
  readonly replace: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Plans a create or an update. It reads EC2 only if something changes. */
export async function planSet(
  prior: StoredSet,
  config: ObjectValue,
  { config: provider, run, isBridge }: SetContext,
): Promise<PlannedSet> {
  run.begun();
  const decoded = declaredIn(config);
  const own: Private = { ...prior.private, id: prior.private.id ?? randomUUID() };
  const failed = (...diagnostics: Diagnostic[]): PlannedSet => ({ planned: config, private: own, replace: [], diagnostics });
  if ("problems" in decoded) return failed(...decoded.problems.map(problemDiagnostic));
  const unbridged = isBridge ? unbridgeable(decoded.declared) : [];
  if (unbridged.length > 0) return failed(...unbridged.map(problemDiagnostic));
  const { state: old } = prior;
  let region: MaybeUnknown<string>;
  try {
    region = decoded.declared.region ?? (await provider.regionFor(recordedRegion(old, config)));
  } catch (error) {
    return failed(errorDiagnostic("The set's region is not known", error, ARGUMENTS));
  }
  const declared: DeclaredSet = { ...decoded.declared, region };
  const base: ObjectValue = { ...config, ...defaultsFor(config), region, id: config.image_id ?? null };
  const replace = old ? REPLACING.filter((name) => !sameValue(old[name] ?? null, base[name] ?? null)) : [];
  const before = replace.length === 0 ? prior : { state: null, private: {} };
  const [nobody] = granteeProblems(declared);
  // A set that an older version accepted stays as it is, and can be destroyed.
  if (nobody && !(before.state && sameArguments(before.state, base))) return failed(nobodyDiagnostic(nobody, old !== null));
  const { id = "" } = own;
  try {
    const known = permissionSetOf(declared);
    const set = known && withAllowLists(known, declared, provider.rules.allowed);
    const owner = before.state?.owner_id;
    const lists = allowListsOf(declared, provider.rules.allowed);
    const [unlisted] = notAllowedNames(declared, lists, typeof owner === "string" ? owner : undefined);
    if (unlisted) throw unlisted;
    const recorded = before.state ? recordedIn(before) : undefined;
    const place = placeOf(base);
    run.planning(place, id);
    if (set && region !== UNKNOWN) {
      run.claims.declare(place, id, claimIn(set, recorded?.granted ?? NO_PERMISSIONS), set.mode === "authoritative");
      await run.opening();
      const other = run.claims.conflictingSet(place, id);
      if (other !== undefined) throwConflictingSets(set.imageId, region, ["this set", other]);
    }
    const isRevoking = set !== undefined && takesAway(set, recorded);
    if (isRevoking) await run.opening(true);
    // A new authoritative set may revoke, too: what it has to leave is known when the other sets are planned.
    if (isRevoking || (set?.mode === "authoritative" && !recorded)) await run.known(place, id);
    const neighbours = run.neighbours(place, id, own.others ?? []);
    const leaving = replace.length === 0 ? NOT_PLANNED : await planDestroy({ ...prior, private: own }, run, true);
    const others = (leaving.private.heirs ?? own.heirs ?? []).filter(({ self }) => !self);
    const planned = (
      values: ObjectValue,
      diagnostics: readonly Diagnostic[],
      image: ClaimedImage,
      more: Pick<Private, "revokes"> = {},
    ): PlannedSet => {
      // If the set is replaced by one of the same AMI, the old one leaves what the new one declares.
      const itself = set ? placedClaimsOf(place, [[id, claimIn(set, NO_PERMISSIONS)]], image, true) : [];
      return { planned: values, private: { ...own, heirs: [...others, ...itself], ...more }, replace, diagnostics };
    };
    const isSame = before.state !== null && sameArguments(before.state, base, ["timeouts"]);
    if (before.state && set && recorded && isSame && isSettled(set, recorded, neighbours)) {
      const [kept] = allowListRefusalsOf(set, recorded, shownTo(recorded, own), neighbours);
      if (kept) throw kept;
      run.stays(place, id, recorded.granted);
      // Terraform does not apply an unchanged set, so that it could not grant again what another set revokes.
      const droppers = run.dropping(place, id, targetPermissions(set, imageIn(before.state)));
      if (droppers.length > 0) throw takenByAnother(set.imageId, droppers);
      return planned({ ...before.state, timeouts: base.timeouts ?? null }, [], imageIn(before.state));
    }
    if (nobody) return failed(nobodyDiagnostic(nobody, old !== null));
    if (!set || region === UNKNOWN || !provider.isKnown)
      return planned(blind(base, before.state), leaving.diagnostics, imageIn(before.state));
    const gateway = run.reads.share(provider.gateway(region), { note: true });
    const plan = await planChange(gateway, set, recorded, neighbours, recorded && shownTo(recorded, own));
    const drop: Drop = {
      id,
      name: claimIn(set, NO_PERMISSIONS).name,
      dropped: unprotected(plan),
      shown: plan.losing,
      // The apply of an update knows the sets in its private data. The apply of a create knows none.
      told: new Map(recorded ? (own.others ?? []).map(({ id: other, wants }) => [other, deserializePermissions(wants, [])]) : []),
      isNew: recorded === undefined,
    };
    refuseUntold(plan, run.staying(place, id), drop);
    const late = shownAsLost(plan, run.losing(place, id, plan.target));
    run.drop(place, drop);
    // Terraform rejects an apply that differs from its plan. What others change meanwhile shows at the next refresh.
    const foretold = { ...base, ...valuesIn(encodeRecorded(set, expectedRecord(plan))) };
    // Terraform applies only a set with a difference, and unneeded KMS grants do not show in `grants`.
    const isHidden = plan.keys.revoke.length > 0 && before.state !== null && sameState(before.state, foretold);
    const values: ObjectValue = isHidden ? { ...foretold, grants: UNKNOWN } : foretold;
    const users = replace.length > 0 && set.checkUsage ? await usersOf(prior, provider) : [];
    // The apply of an update is bound by its state. The apply of a create is bound by this, if one process plans and applies.
    const revokes = recorded ? {} : { revokes: serializePermissions(plan.losing) };
    return planned(
      values,
      [...planDiagnostics(plan, old !== null), ...late, ...leaving.diagnostics, ...users],
      plan.image,
      revokes,
    );
  } catch (error) {
    if (!(error instanceof AmiSharingError)) throw error;
    const imageId = String(config.image_id);
    // With a replacement, the old set would be destroyed first.
    const diagnostics = [refusalDiagnostic(imageId, error, old !== null, replace.length > 0)];
    return { planned: blind(base, before.state), private: own, replace, diagnostics };
  }
}

/** Refuses a change that would revoke what an unchanged set declares, because its apply, in another process, would not know that set. */
function refuseUntold({ set, image }: Plan, unchanged: ReturnType<Run["staying"]>, drop: Drop): void {
  const [first] = unchanged.filter(([id, { wants }]) => !isEmpty(untold(drop, id, wants(image))));
  if (first) throw toldTooLate(set.imageId, first[1].name, drop.isNew);
}

/** What a change would revoke if there were no other sets. */
function unprotected({ set, image, live, recorded }: Plan): Permissions {
  const granted = recorded?.granted ?? NO_PERMISSIONS;
  return changeOf(set, image, { live, granted }, NO_NEIGHBOURS, recorded?.live).remove;
}

const NOT_PLANNED: PlannedDestroy = { private: {}, diagnostics: [] };

/** Warns of accounts that still use the AMI of a replaced set. */
async function usersOf(prior: StoredSet, provider: ProviderConfig): Promise<Diagnostic[]> {
  const set = prior.state ? setIn(prior.state) : undefined;
  if (!set) return [];
  const { warnings, doubts } = await usageBeforeDeletion(provider.gateway(recordedIn(prior).region), set, recordedIn(prior));
  const detail = [...warnings, ...doubts].join("\n");
  if (detail === "") return [];
  return [warning(`AMI ${set.imageId} is unshared`, detail, "check_usage")];
}

/** The recorded region, if the AMI is the same. */
function recordedRegion(old: ObjectValue | null, config: ObjectValue): string | undefined {
  return old && old.image_id === config.image_id && typeof old.region === "string" ? old.region : undefined;
}

/** A plan that did not read EC2: the arguments, and what never changes of an AMI. */
function blind(base: ObjectValue, before: ObjectValue | null): ObjectValue {
  return {
    ...base,
    owner_id: before?.owner_id ?? UNKNOWN,
    snapshot_ids: before?.snapshot_ids ?? UNKNOWN,
    grants: UNKNOWN,
  };
}

/** The arguments that need private data, which Pulumi's Terraform bridge does not store. */
function unbridgeable({ mode, kmsAccess }: DeclaredSet): ArgumentProblem[] {
  const problem = (property: string, message: string) => ({ property, path: [property], message });
  return [
    ...(mode === "additive"
      ? [
          problem(
            "mode",
            '"additive" does not work through Pulumi\'s Terraform bridge, which drops what the set granted itself; leave it out, or use the Pulumi package ami-launch-permissions',
          ),
        ]
      : []),
    ...(kmsAccess === "grant"
      ? [
          problem(
            "kmsAccess",
            "\"grant\" does not work through Pulumi's Terraform bridge, which drops the KMS grants that the set made; admit the accounts in the key's policy, or use the Pulumi package ami-launch-permissions",
          ),
        ]
      : []),
  ];
}
