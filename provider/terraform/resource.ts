/** The resource's operations on Terraform's values: decode state and configuration, call the core, encode what it gets. */

import { randomUUID } from "node:crypto";
import * as v from "valibot";
import {
  type AmiPermissions,
  AmiSharingError,
  type ArgumentProblem,
  accountKey,
  adoptionOf,
  broadenings,
  type Claim,
  type ClaimedImage,
  changeOf,
  type DeclaredSet,
  type Decoded,
  decodeDeclaredSet,
  decodeGrants,
  decodeRecorded,
  describePermissions,
  type Entry,
  encodeGrants,
  encodeRecorded,
  entriesOf,
  entryLines,
  filterSnapshots,
  firstFew,
  foreseen,
  type Grantee,
  type GranteeKey,
  type Grants,
  granteeKey,
  granteeProblems,
  granteesOf,
  handOverFailed,
  IncompleteChangeError,
  intersection,
  isEmpty,
  type MaybeUnknown,
  managedSnapshots,
  minus,
  type Neighbours,
  NO_NEIGHBOURS,
  NO_PERMISSIONS,
  observe,
  type Patience,
  type PermissionSet,
  type Permissions,
  type Plan,
  permissionSetOf,
  planChange,
  policyOf,
  type Recorded,
  type RecordedOutputs,
  readClaim,
  reconcile,
  refuseRivals,
  remove,
  reportOf,
  revokedByRemoval,
  roundedAccounts,
  targetPermissions,
  UNKNOWN,
  union,
  usageBeforeDeletion,
  wantedOf,
  writeClaim,
} from "../core";
import { argumentsIn, nulls, readOnlyProblems, valuesOf } from "./arguments";
import {
  attributePath,
  type Diagnostic,
  errorDiagnostic,
  inTerraformWords,
  problemDiagnostic,
  readingDiagnostic,
} from "./diagnostics";
import type { Log } from "./hclog";
import { claimIn, type Drop, type PlacedClaim, placedClaims, placeOf, type Run, takenByAnother, toldTooLate } from "./neighbours";
import type { ProviderConfig } from "./providerConfig";
import { RESOURCE_SCHEMA } from "./schema";
import { hasUnknown, type ObjectValue, sameValue, type Value } from "./values";

/** A resource's state as Terraform keeps it: what users see, and beside it what they need not see. */
export interface Kept {
  /** null: the resource is gone. */
  readonly state: ObjectValue | null;
  readonly private: Private;
}

/** What users need not see: what the set granted, where that is not what it wants, what it revoked last, its KMS grants, and the sets beside it. */
export interface Private extends Pick<RecordedOutputs, "granted" | "revoked" | "kmsGrants"> {
  /** Tells the set from others of the same AMI; Terraform tells no addresses. */
  readonly id?: string;
  /** The other sets of the AMI that the last refresh saw. */
  readonly others?: readonly PlacedClaim[];
  /** Of a planned destroy: the sets that keep what they declare. */
  readonly heirs?: readonly PlacedClaim[];
  /** Of a planned create: what it takes away from others, so that its apply takes no more. */
  readonly revokes?: Grants;
  /** Of an additive set: what the last refresh saw of others, which no state shows: a plan that makes the set authoritative may revoke it. */
  readonly seen?: Grants;
  /** What was recorded could not be read. */
  readonly unreadable?: true;
}

const privateData = v.object({
  granted: v.optional(v.record(v.string(), v.string())),
  revoked: v.optional(v.record(v.string(), v.string())),
  kmsGrants: v.optional(v.array(v.object({ keyId: v.string(), grantId: v.string(), accountId: v.string() }))),
  id: v.optional(v.string()),
  others: v.optional(placedClaims),
  heirs: v.optional(placedClaims),
  revokes: v.optional(v.record(v.string(), v.string())),
  seen: v.optional(v.record(v.string(), v.string())),
  unreadable: v.optional(v.literal(true)),
});

/** Decodes private data. What is not readable is left out, and noted. */
export function decodePrivate(bytes: Uint8Array | undefined): Private {
  if (!bytes || bytes.length === 0) return {};
  try {
    return v.parse(privateData, JSON.parse(Buffer.from(bytes).toString("utf8"))) as Private;
  } catch {
    return { unreadable: true };
  }
}

/** What an operation on a resource is given. */
export interface Surroundings {
  readonly config: ProviderConfig;
  readonly log: Log;
  readonly patience?: Patience;
  /** The sets of this process. */
  readonly run: Run;
  /** Whether Pulumi's Terraform bridge asks, which keeps neither private data nor empty objects. */
  readonly isBridge?: boolean;
}

/** The attributes that users write. */
const ARGUMENTS = Object.entries(RESOURCE_SCHEMA.attributes)
  .filter(([, { role }]) => role !== "computed")
  .map(([name]) => name);
/** Grantees that one warning of a destroy names. */
const MOST_NAMED = 10;
const REPLACING = ["image_id", "region"] as const;
const DEFAULTS = { public: false, mode: "authoritative", on_delete: "revoke" } as const;

/** Terraform plans the configuration before it plans a destroy, so that what fails the one holds up the other. */
const DESTROY_ALL_THE_SAME =
  "If the set is to be destroyed: terraform destroy -refresh=false does so without planning this first.";

/** What is wrong with a configuration. */
export function problemsOf(config: ObjectValue): readonly ArgumentProblem[] {
  const decoded = declaredIn(config);
  return [...readOnlyProblems(config, RESOURCE_SCHEMA), ...("problems" in decoded ? decoded.problems : [])];
}

/** The same, and what may be wrong: Terraform makes a text of a number, so that nobody can tell which it was. */
export function configurationDiagnostics(config: ObjectValue): readonly Diagnostic[] {
  const decoded = declaredIn(config);
  const doubts = "declared" in decoded ? roundedAccounts(decoded.declared) : [];
  const summary = "An account id may be a rounded number";
  return [
    ...problemsOf(config).map(problemDiagnostic),
    ...doubts.map((doubt): Diagnostic => ({ ...problemDiagnostic(doubt), severity: "WARNING", summary })),
  ];
}

export interface Planned {
  readonly private: Private;
  readonly planned: ObjectValue | null;
  /** Attributes whose change needs another resource. */
  readonly replace: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Plans a create or an update. EC2 is read only where something changes. */
export async function planSet(
  prior: Kept,
  config: ObjectValue,
  { config: provider, run, isBridge }: Surroundings,
): Promise<Planned> {
  run.begun();
  const decoded = declaredIn(config);
  const own: Private = { ...prior.private, id: prior.private.id ?? randomUUID() };
  const failed = (...diagnostics: Diagnostic[]): Planned => ({ planned: config, private: own, replace: [], diagnostics });
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
  // One that was made before this was refused, and is as it was, stays; it can be destroyed.
  if (nobody && !(before.state && sameArguments(before.state, base))) return failed(nobodyDiagnostic(nobody, old !== null));
  const set = permissionSetOf(declared);
  const { id = "" } = own;
  try {
    const recorded = before.state ? recordedIn(before) : undefined;
    const place = placeOf(base);
    run.planning(place, id);
    if (set && region !== UNKNOWN) {
      run.claims.declare(place, id, claimIn(set, recorded?.granted ?? NO_PERMISSIONS), set.mode === "authoritative");
      await run.opening();
      const rival = run.claims.rivalOf(place, id);
      if (rival !== undefined) refuseRivals(set.imageId, region, ["this set", rival]);
    }
    if (set && takesAway(set, recorded)) {
      await run.opening(true);
      await run.known(place, id);
    }
    const neighbours = run.neighbours(place, id, own.others ?? []);
    const leaving = replace.length === 0 ? NOT_PLANNED : await planDestroy({ ...prior, private: own }, run, true);
    const others = (leaving.private.heirs ?? own.heirs ?? []).filter(({ self }) => !self);
    const planned = (
      values: ObjectValue,
      diagnostics: readonly Diagnostic[],
      image: ClaimedImage,
      more: Pick<Private, "revokes"> = {},
    ): Planned => {
      // A set that is replaced by one of the same AMI leaves it what that one declares.
      const claim = set && writeClaim(claimIn(set, NO_PERMISSIONS), image);
      const itself = claim ? [{ id, place, ...claim, self: true }] : [];
      return { planned: values, private: { ...own, heirs: [...others, ...itself], ...more }, replace, diagnostics };
    };
    const isSame = before.state !== null && sameArguments(before.state, base, ["timeouts"]);
    if (before.state && set && recorded && isSame && isSettled(set, recorded, neighbours)) {
      run.stays(place, id, recorded.granted);
      // An unchanged set is not applied: it could not take back what another one takes away.
      const droppers = run.dropping(place, id, targetPermissions(set, imageIn(before.state)));
      if (droppers.length > 0) throw takenByAnother(set.imageId, droppers);
      return planned({ ...before.state, timeouts: base.timeouts ?? null }, [], imageIn(before.state));
    }
    if (nobody) return failed(nobodyDiagnostic(nobody, old !== null));
    if (!set || region === UNKNOWN || !provider.isKnown)
      return planned(blind(base, before.state), leaving.diagnostics, imageIn(before.state));
    const plan = await planChange(provider.gateway(region), set, recorded, neighbours, recorded && shownTo(recorded, own));
    const drop: Drop = {
      id,
      name: claimIn(set, NO_PERMISSIONS).name,
      dropped: unprotected(plan),
      shown: plan.losing,
      // The apply knows of others what the state tells; that of a create knows nothing.
      told: new Set(recorded ? (own.others ?? []).map((other) => other.id) : []),
      isNew: recorded === undefined,
    };
    refuseUntold(plan, run.staying(place, id), drop);
    const late = shownAsLost(plan, run.losing(place, id, plan.target));
    run.drop(place, drop);
    // Terraform holds a provider to what it planned: what others do besides shows at the next refresh.
    const foretold = { ...base, ...valuesIn(encodeRecorded(set, foreseen(plan))) };
    // Terraform applies what shows a difference: key grants that are left over are not in the grants.
    const isHidden = plan.keys.revoke.length > 0 && before.state !== null && sameState(before.state, foretold);
    const values: ObjectValue = isHidden ? { ...foretold, grants: UNKNOWN } : foretold;
    const users = replace.length > 0 && set.checkUsage ? await usersOf(prior, provider) : [];
    // The apply of an update has the state to go by; that of a create has this, where one process plans and applies.
    const revokes = recorded ? {} : { revokes: encodeGrants(plan.losing, undefined) };
    return planned(
      values,
      [...planDiagnostics(plan, old !== null), ...late, ...leaving.diagnostics, ...users],
      plan.image,
      revokes,
    );
  } catch (error) {
    if (!(error instanceof AmiSharingError)) throw error;
    const imageId = String(config.image_id);
    // A destroy of the old set would come first.
    const diagnostics = [refusalDiagnostic(imageId, error, old !== null, replace.length > 0)];
    return { planned: blind(base, before.state), private: own, replace, diagnostics };
  }
}

/** Refuses to take what an unchanged set declares, where the apply of this set, in another process, would not know of that one. */
function refuseUntold({ set, image }: Plan, unchanged: ReturnType<Run["staying"]>, { dropped, told, isNew }: Drop): void {
  const untold = unchanged.filter(([id]) => !told.has(id)).map(([, claim]) => claim);
  const [first] = wantedOf(untold, image, dropped);
  if (first) throw toldTooLate(set.imageId, first.name, isNew);
}

/** What a set keeps for others that was planned before Terraform told of it, so that their plans show it as lost. */
function shownAsLost({ set, image, target }: Plan, drops: readonly Drop[]): Diagnostic[] {
  const unnamed = set.createVolume?.snapshotIds === undefined ? image.snapshotIds : undefined;
  return drops.map(({ name, shown }) => {
    const why = `stays: this set declares it, and ${name} was planned before Terraform told the provider of this one`;
    const lines = entryLines({ sign: "=", why, permissions: intersection(shown, target) }, unnamed, { everybody: true });
    return {
      severity: "WARNING",
      summary: `AMI ${set.imageId}: the plan of another set shows as lost what stays`,
      detail: lines.join("\n"),
      attribute: attributePath("image_id"),
    };
  });
}

/** What a change would take away if there were no other sets. */
function unprotected({ set, image, live, recorded }: Plan): Permissions {
  const granted = recorded?.granted ?? NO_PERMISSIONS;
  return changeOf(set, image, { live, granted }, NO_NEIGHBOURS, recorded?.live).remove;
}

/** What state tells of an AMI; nothing for a new one. */
function imageIn(state: ObjectValue | null): ClaimedImage {
  const { owner_id: ownerId, snapshot_ids: snapshotIds } = state ?? {};
  return {
    ownerId: typeof ownerId === "string" ? ownerId : "",
    snapshotIds: Array.isArray(snapshotIds) ? snapshotIds.filter((id) => typeof id === "string") : [],
  };
}

const NOT_PLANNED: Pick<Planned, "private" | "diagnostics"> = { private: {}, diagnostics: [] };

/** Who still uses the AMI of a set that is replaced. */
async function usersOf(prior: Kept, provider: ProviderConfig): Promise<Diagnostic[]> {
  const set = prior.state ? setIn(prior.state) : undefined;
  if (!set) return [];
  const { warnings, doubts } = await usageBeforeDeletion(provider.gateway(recordedIn(prior).region), set, recordedIn(prior));
  const detail = [...warnings, ...doubts].join("\n");
  if (detail === "") return [];
  return [{ severity: "WARNING", summary: `AMI ${set.imageId} is unshared`, detail, attribute: attributePath("check_usage") }];
}

/**
 * What a destroy does beyond, or short of, what Terraform's plan of it shows, and which sets keep what they declare.
 *
 * @param isReplaced whether another set follows, so that the plan's diff goes from the grants of the one to those of the other
 */
export async function planDestroy(prior: Kept, run: Run, isReplaced = false): Promise<Pick<Planned, "private" | "diagnostics">> {
  run.begun();
  const set = prior.state ? setIn(prior.state) : undefined;
  if (!prior.state || !set) return { private: prior.private, diagnostics: [] };
  let recorded: Recorded;
  try {
    recorded = recordedIn(prior);
  } catch (error) {
    return { private: prior.private, diagnostics: [errorDiagnostic(`AMI ${set.imageId}: the state cannot be read`, error)] };
  }
  const place = placeOf(prior.state);
  const { id = randomUUID() } = prior.private;
  run.claims.record(place, id, claimIn(set, recorded.granted), id);
  run.planning(place, id);
  await run.opening(true);
  await run.known(place, id);
  const heirs = run.claims.others(place, id, ["declared", "made"]);
  const kept = wantedOf([...heirs.values()], recorded, recorded.granted);
  const own: Private = {
    ...prior.private,
    heirs: [
      // A deposed object that could not be destroyed yet, as its heir did not own what it left.
      ...(prior.private.heirs ?? []),
      ...[...heirs].map(([other, claim]) => ({ id: other, place, ...writeClaim(claim, recorded) })),
    ],
  };
  const holders = Object.keys(grantsIn(prior.state));
  const spared = holders.filter((key) => set.neverRevoke.has(key));
  const { live, granted } = recorded;
  const others = [...granteesOf(minus(live, granted))].filter((key) => !set.neverRevoke.has(key)).sort();
  const warning = (attribute: string, summary: string, detail: string): Diagnostic => ({
    severity: "WARNING",
    summary: `AMI ${set.imageId} ${summary}`,
    detail,
    attribute: attributePath(attribute),
  });
  const told = (diagnostics: readonly Diagnostic[]) => ({ private: own, diagnostics });
  const dropped = revokedByRemoval(set, recorded, { claims: [...heirs.values()], inherited: NO_PERMISSIONS });
  run.drop(place, {
    id,
    name: claimIn(set, NO_PERMISSIONS).name,
    dropped,
    shown: dropped,
    told: new Set(heirs.keys()),
    isNew: false,
  });
  if (set.onDelete === "retain")
    return told(
      holders.length > 0
        ? [warning("on_delete", "stays shared", `on_delete is "retain": these keep access: ${firstFew(holders, MOST_NAMED)}`)]
        : [],
    );
  const owned = { sign: "-", why: "granted by this set", permissions: intersection(dropped, granted) } as const;
  const foreign = { sign: "-", why: "set elsewhere", permissions: minus(dropped, granted) } as const;
  const lost = [owned, foreign].flatMap((entry) =>
    entryLines(entry, set.createVolume?.snapshotIds ? undefined : recorded.snapshotIds),
  );
  return told([
    ...(isReplaced && lost.length > 0 ? [warning("image_id", "is unshared, as its set is replaced", lost.join("\n"))] : []),
    ...kept.map(({ name, permissions }) =>
      warning(
        "image_id",
        "stays shared with whom another set declares",
        `${name} declares these of AMI ${set.imageId} as well, so that they keep access: ${firstFew([...granteesOf(permissions)].sort(), MOST_NAMED)}\n\n${MOVED}`,
      ),
    ),
    ...(set.onDelete === "reset"
      ? [warning("on_delete", "loses every grant", 'on_delete is "reset": grants that were made elsewhere go, too')]
      : []),
    ...(set.onDelete === "revoke" && others.length > 0
      ? [
          warning(
            "on_delete",
            "stays shared in part",
            `set elsewhere: these keep what the set did not grant: ${firstFew(others, MOST_NAMED)}`,
          ),
        ]
      : []),
    ...(spared.length > 0
      ? [warning("never_revoke", "stays shared in part", `never_revoke: these keep access: ${firstFew(spared, MOST_NAMED)}`)]
      : []),
  ]);
}

/** What spares a destroy where an address was changed. */
const MOVED = `If the set only got another address, say so, and nothing is destroyed:

  moved {
    from = ami_launch_permission_set.OLD_NAME
    to   = ami_launch_permission_set.NEW_NAME
  }`;

export interface Applied extends Kept {
  readonly diagnostics: readonly Diagnostic[];
  /** Whether the state differs from what was planned: a change that was made in part, or an AMI that drifted in between. */
  readonly asPlanned: boolean;
}

/** Makes EC2 have what was planned. */
export async function applySet(
  prior: Kept,
  planned: ObjectValue,
  { config, log, patience, run }: Surroundings,
): Promise<Applied> {
  run.begun();
  const imageId = String(planned.image_id);
  const { id = randomUUID(), others = [] } = prior.private;
  const unchanged = (error: unknown) => ({
    ...prior,
    asPlanned: true,
    diagnostics: [errorDiagnostic(`AMI ${imageId} is not shared as planned: nothing was changed`, error, ARGUMENTS)],
  });
  const set = setIn(planned);
  if (!set) return unchanged(new AmiSharingError("invalid-argument", "the arguments of the set are not complete"));
  const place = placeOf(planned);
  try {
    const recorded = prior.state ? recordedIn(prior) : undefined;
    run.claims.declare(place, id, claimIn(set, recorded?.granted ?? NO_PERMISSIONS), set.mode === "authoritative");
    const isSame = prior.state !== null && sameState(prior.state, planned, ["timeouts"]);
    if (isSame && recorded && isSettled(set, recorded, run.neighbours(place, id, others))) {
      // Nothing but how long it waits is changed: EC2 has nothing to do with it.
      run.claims.ended(place, id, "made", recorded.granted);
      const { heirs: _, ...own } = prior.private;
      return { state: planned, private: own, asPlanned: true, diagnostics: [] };
    }
    await run.opening(takesAway(set, recorded));
    const { recorded: now, plan } = await run.claims.inTurn(place, async () => {
      const neighbours = run.neighbours(place, id, others);
      const bound = recorded ? shownTo(recorded, prior.private) : promised(prior.private);
      const made = await reconcile(config.gateway(planned.region as string), set, recorded, patience, neighbours, bound);
      run.claims.ended(place, id, "made", made.recorded.granted);
      return made;
    });
    log("info", reportOf(plan, "done"));
    return kept(planned, set, now, { id, others }, { warnings: surprises(plan, prior, planned) });
  } catch (error) {
    const granted = error instanceof IncompleteChangeError ? error.recorded.granted : undefined;
    run.claims.ended(place, id, "failed", granted);
    if (!(error instanceof IncompleteChangeError)) return unchanged(error);
    const diagnostic = errorDiagnostic(`AMI ${imageId} is shared in part only`, error, ARGUMENTS);
    return kept(
      planned,
      set,
      error.recorded,
      { id, others },
      {
        failures: [prior.state ? diagnostic : notTainted(diagnostic)],
        warnings: error.plan ? surprises(error.plan, prior, planned, error.recorded.live) : [],
      },
    );
  }
}

/** Whom a plan of an update can show: what the state records, and what the refresh before it saw. */
function shownTo({ live }: Recorded, { seen = {} }: Private): Permissions {
  return union(live, decodeGrants(seen, []));
}

/**
 * Whom a create takes access from, as the plan of the same process showed it. Undefined, which is: all that EC2 has, where the engine
 * carries no private data.
 */
function promised({ id, revokes = {} }: Private): Permissions | undefined {
  return id === undefined ? undefined : decodeGrants(revokes, []);
}

/**
 * What became of access in an apply that the plan's diff did not show, everybody named.
 *
 * @param after what EC2 has where the change was made in part
 */
function surprises(plan: Plan, prior: Kept, planned: ObjectValue, after?: Permissions): Diagnostic[] {
  const { set, image, recorded, losing, gaining, unplanned } = plan;
  const { snapshotIds } = imageIn(prior.state);
  const isShown = prior.state !== null && planned.grants !== UNKNOWN;
  const shown = isShown
    ? minus(decodeGrants(grantsIn(prior.state), snapshotIds), decodeGrants(grantsIn(planned), image.snapshotIds))
    : NO_PERMISSIONS;
  const lost = minus(after ? minus(losing, after) : losing, shown);
  const regained = intersection(after ? intersection(gaining, after) : gaining, recorded?.live ?? NO_PERMISSIONS);
  // A refresh looks at no other snapshots than those of which the set manages the permissions.
  const before = prior.state ? setIn(prior.state) : undefined;
  const looked = before ? managedSnapshots(before, imageIn(prior.state)) : [];
  const later = filterSnapshots(unplanned, (id) => !prior.state || looked.includes(id));
  const unnamed = set.createVolume?.snapshotIds === undefined ? image.snapshotIds : undefined;
  const told = (sign: Entry["sign"], summary: string, why: string, permissions: Permissions): Diagnostic[] => {
    if (isEmpty(permissions)) return [];
    const detail = entryLines({ sign, why, permissions }, unnamed, { everybody: true }).join("\n");
    return [{ severity: "WARNING", summary: `AMI ${set.imageId}: ${summary}`, detail, attribute: attributePath("imageId") }];
  };
  return [
    ...told("-", "access was taken that the plan's diff does not show", "lost", lost),
    ...told("+", "access was granted again", "taken away elsewhere after the plan, which shows it as kept", regained),
    ...told("=", "access was granted after the plan", "was granted after the plan; stays; the next plan shows it", later),
    ...told(
      "=",
      "access stays that the set did not manage before",
      "was not managed before, so that the plan could not show it; stays; the next plan shows it",
      minus(unplanned, later),
    ),
  ];
}

/**
 * A create that answers an error taints the resource, and the next apply of a tainted one destroys first, which would take
 * away what was just granted. So a create that was made in part warns, and records what holds.
 */
function notTainted({ summary, detail }: Diagnostic): Diagnostic {
  return {
    severity: "WARNING",
    summary: `NOT COMPLETE: ${summary}`,
    detail: `${detail}\n\nWhat was granted is recorded, and nothing is taken back. Run terraform apply again: it grants what is missing. (This is a warning since an error would taint the resource, and the next apply would revoke everything before it grants anew.)`,
  };
}

/** Takes the set's permissions away; what is left to do if that fails is in the state as before. */
export async function destroySet(
  prior: Kept,
  { config, patience, run }: Surroundings,
): Promise<Kept & Pick<Applied, "diagnostics">> {
  run.begun();
  const { state, private: own } = prior;
  const set = state ? setIn(state) : undefined;
  if (!state || !set) return { state: null, private: {}, diagnostics: [] };
  const { heirs: _heirs, revokes: _revokes, ...remembered } = own;
  const failed = (error: unknown, heirs: readonly PlacedClaim[] = []) => ({
    state,
    private: heirs.length > 0 ? { ...remembered, heirs } : remembered,
    diagnostics: [errorDiagnostic(`AMI ${set.imageId} is still shared`, error)],
  });
  const place = placeOf(state);
  const { id = randomUUID() } = own;
  try {
    const recorded = recordedForRemoval(prior, set);
    run.claims.record(place, id, claimIn(set, recorded.granted), id);
    await run.opening(true);
    const planned = (own.heirs ?? []).filter((heir) => heir.place === place && heir.id !== id);
    const anew = (own.heirs ?? []).filter((heir) => heir.place === place && heir.self).map(readClaim);
    const known = run.claims.others(place, id, ["declared", "made", "failed"]);
    const claims = [...planned.filter(({ id: other }) => !known.has(other)).map(readClaim), ...known.values(), ...anew];
    const left = claimed(claims, recorded);
    // What stays has to belong to a set, or nobody would revoke it in the end.
    const owned = planned.map((heir) => readClaim(heir).granted).reduce(union, NO_PERMISSIONS);
    const orphaned = (made: Permissions) => minus(minus(minus(left, owned), made), claimed(anew, recorded));
    const isOwned = await run.handedOver(place, id, (made) => !isEmpty(orphaned(made)), patience?.signal);
    if (!isOwned && set.onDelete !== "retain") {
      const waiting = handOverFailed(
        set.imageId,
        claims.map(({ name }) => name),
      );
      // The refresh of the next plan makes it the owner; that plan's destroy is not told again who the heirs are.
      const made = [...run.claims.others(place, id, ["made"])].map(([other, claim]) => ({
        id: other,
        place,
        self: true,
        ...writeClaim(claim, recorded),
      }));
      return failed(waiting, made);
    }
    await run.claims.inTurn(place, async () => {
      await remove(config.gateway(state.region as string), set, recorded, patience, { claims, inherited: NO_PERMISSIONS });
      run.claims.removed(place, id);
      run.claims.leave(place, left);
    });
    return { state: null, private: {}, diagnostics: [] };
  } catch (error) {
    return failed(error);
  }

  function claimed(sets: readonly Claim[], recorded: Recorded): Permissions {
    return wantedOf(sets, recorded, recorded.granted)
      .map(({ permissions }) => permissions)
      .reduce(union, NO_PERMISSIONS);
  }
}

/**
 * What a set that is destroyed has granted. Where its record cannot be read, an authoritative one granted what its arguments name; an
 * additive one may have found that in place.
 */
function recordedForRemoval(prior: Kept, set: PermissionSet): Recorded {
  try {
    if (prior.private.unreadable) throw unreadablePrivate(set.imageId);
    return recordedIn(prior);
  } catch (error) {
    const unreadable = error instanceof AmiSharingError && error.code === "state-unreadable";
    if (!unreadable || set.mode === "additive") throw error;
    const image = imageIn(prior.state);
    const granted = targetPermissions(set, image);
    return { region: String(prior.state?.region), ...image, live: granted, granted };
  }
}

function unreadablePrivate(imageId: string): AmiSharingError {
  return new AmiSharingError("state-unreadable", `the private data of the set of AMI ${imageId} in the state cannot be read`, {
    imageId,
    next: "restore the state from a backup, or run terraform apply -refresh-only, which counts what the arguments name as granted by the set",
  });
}

/** Reads what EC2 has: the arguments stay, the grants are those that hold. */
export async function readSet(
  current: Kept,
  { config, log, patience, run }: Surroundings,
): Promise<Kept & Pick<Applied, "diagnostics">> {
  run.begun();
  const { state } = current;
  const set = state ? setIn(state) : undefined;
  if (!state || !set) return { ...current, diagnostics: [] };
  if (!config.isKnown)
    return {
      ...current,
      diagnostics: [
        {
          severity: "WARNING",
          summary: `AMI ${set.imageId} is not read`,
          detail: "The provider's configuration is not known yet, so that drift does not show.",
        },
      ],
    };
  try {
    // One that was moved from a resource without a region is in the provider's.
    const region = typeof state.region === "string" ? state.region : await config.regionFor(undefined);
    const { id = randomUUID() } = current.private;
    const place = placeOf({ ...state, region: region as string });
    const { previous, diagnostics } = readable(current, set);
    if (previous) run.claims.record(place, id, claimIn(set, previous.granted), id, true);
    const observed = await run.read(place, id, () => observe(config.gateway(region as string), set, previous, patience));
    if (!observed) {
      log("info", `AMI ${set.imageId} is gone: so is its set`);
      return { state: null, private: {}, diagnostics: [] };
    }
    await run.opening();
    const { now, others } = amongOthers(set, repaired(set, previous, observed), run, place, id);
    const outputs = encodeRecorded(set, now);
    return {
      state: { ...state, ...valuesIn(outputs) },
      private: privateIn(outputs, { id, others, heirs: current.private.heirs ?? [], ...seenBy(set, observed, outputs) }),
      diagnostics,
    };
  } catch (error) {
    return { ...current, diagnostics: [readingDiagnostic(`AMI ${set.imageId} cannot be read`, error, ARGUMENTS)] };
  }
}

/** What a refresh of an additive set saw and its state does not show. */
function seenBy(
  { mode }: PermissionSet,
  { live, snapshotIds }: Recorded,
  { grants = {} }: RecordedOutputs,
): Pick<Private, "seen"> {
  if (mode === "authoritative") return {};
  const seen = encodeGrants(minus(live, decodeGrants(grants, snapshotIds)), undefined);
  return Object.keys(seen).length > 0 ? { seen } : {};
}

/** What was recorded; undefined, with a warning, where it cannot be read. */
function readable(current: Kept, set: PermissionSet): { previous: Recorded | undefined; diagnostics: Diagnostic[] } {
  try {
    if (current.private.unreadable) throw unreadablePrivate(set.imageId);
    return { previous: recordedIn(current), diagnostics: [] };
  } catch (error) {
    const summary = `AMI ${set.imageId}: what was recorded cannot be read and is recorded anew`;
    return { previous: undefined, diagnostics: [{ ...errorDiagnostic(summary, error), severity: "WARNING" }] };
  }
}

/** A record that could not be read: what the arguments name counts as granted by the set. */
function repaired(set: PermissionSet, previous: Recorded | undefined, observed: Recorded): Recorded {
  if (previous) return observed;
  const target = targetPermissions(set, observed);
  return { ...observed, granted: set.mode === "additive" ? intersection(target, observed.live) : target };
}

/**
 * A record as the other sets of the AMI make it: what they want and this set does not is not shown, and what this set wants and one
 * of them granted is its own as well.
 */
function amongOthers(
  set: PermissionSet,
  observed: Recorded,
  run: Run,
  place: string,
  id: string,
): { now: Recorded; others: PlacedClaim[] } {
  const { inherited } = run.claims.neighbours(place, id);
  const others = [...run.claims.others(place, id)];
  const target = targetPermissions(set, observed);
  const claimed = others.map(([, claim]) => claim.wants(observed)).reduce(union, NO_PERMISSIONS);
  const granted = union(observed.granted, intersection(intersection(target, observed.live), inherited));
  run.claims.record(place, id, claimIn(set, granted), id, true);
  return {
    now: { ...observed, granted, live: minus(observed.live, minus(claimed, target)) },
    others: others.map(([other, claim]) => ({ id: other, place, ...writeClaim(claim, observed) })),
  };
}

/**
 * The state of an AMI as it is shared now.
 *
 * @param id `ami-…`, or `region/ami-…`
 */
export async function importSet(id: string, { config, isBridge }: Surroundings): Promise<Kept & Pick<Applied, "diagnostics">> {
  const failed = (diagnostic: Diagnostic) => ({ state: null, private: {}, diagnostics: [diagnostic] });
  const parts = id.split("/");
  const imageId = parts.pop() ?? "";
  const named = parts.pop();
  const decoded = decodeDeclaredSet({ imageId, region: named });
  if (parts.length > 0 || "problems" in decoded)
    return failed({
      severity: "ERROR",
      summary: `Invalid import id "${id}"`,
      detail:
        'Write the AMI\'s id, or its region and its id: "ami-1234567890abcdef0" or "eu-west-1/ami-1234567890abcdef0" [invalid-argument]',
    });
  try {
    const region = named ?? (await config.regionFor(undefined));
    if (region === UNKNOWN || !config.isKnown)
      throw new AmiSharingError("region-missing", "the provider's configuration is not known yet", {
        next: "import with values that are known, or name the region in the id",
      });
    return adopted(await describePermissions(config.gateway(region), imageId), isBridge);
  } catch (error) {
    return failed(readingDiagnostic(`AMI ${imageId} cannot be imported`, error));
  }
}

/** The state of one grant of terraform-provider-aws's `aws_ami_launch_permission`; undefined where it names no AMI. */
export function movedSet(source: ObjectValue): Kept | undefined {
  const { image_id: imageId, account_id, organization_arn, organizational_unit_arn, group } = source;
  if (typeof imageId !== "string") return undefined;
  const grantee: Grantee | undefined =
    typeof account_id === "string" && account_id !== ""
      ? { kind: "account", accountId: account_id }
      : typeof organization_arn === "string" && organization_arn !== ""
        ? { kind: "organization", arn: organization_arn }
        : typeof organizational_unit_arn === "string" && organizational_unit_arn !== ""
          ? { kind: "organizationalUnit", arn: organizational_unit_arn }
          : group === "all"
            ? { kind: "public" }
            : undefined;
  if (!grantee) return undefined;
  const state: ObjectValue = {
    ...nulls(RESOURCE_SCHEMA.attributes),
    ...DEFAULTS,
    id: imageId,
    image_id: imageId,
    region: source.region ?? null,
    ...(grantee.kind === "account" ? { account_ids: [grantee.accountId] } : {}),
    ...(grantee.kind === "organization" ? { organization_arns: [grantee.arn] } : {}),
    ...(grantee.kind === "organizationalUnit" ? { organizational_unit_arns: [grantee.arn] } : {}),
    ...(grantee.kind === "public" ? { public: true, acknowledge_public: true } : {}),
    grants: { [granteeKey(grantee)]: "launch" },
  };
  return { state, private: {} };
}

/** A configuration that plans no change of a state. */
export function configurationOf(state: ObjectValue): ObjectValue {
  const written = Object.entries(state).filter(
    ([name, value]) => ARGUMENTS.includes(name) && value !== (DEFAULTS as Record<string, Value>)[name],
  );
  return { ...nulls(RESOURCE_SCHEMA.attributes), ...Object.fromEntries(written) };
}

/** What needs the private data that Pulumi's Terraform bridge drops: such a set would not know what to revoke in the end. */
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

/**
 * The state of a set that has an AMI as it is shared.
 *
 * @param isBridge write lists out, as the bridge drops an empty object
 */
export function adopted(permissions: AmiPermissions, isBridge = false): Kept & Pick<Applied, "diagnostics"> {
  const { declared, comments } = adoptionOf(permissions);
  const { createVolumePermissions: volumes, ...args } = declared;
  const alike = {
    ...(isBridge && permissions.accountIds.length > 0 ? { accountIds: permissions.accountIds } : {}),
    ...(permissions.public ? { public: true } : {}),
  };
  const { ownerId, imageId, snapshots, grants } = permissions;
  const state: ObjectValue = {
    ...nulls(RESOURCE_SCHEMA.attributes),
    ...DEFAULTS,
    ...valuesOf({ ...args, ...(volumes ? { createVolumePermissions: volumes === true ? alike : volumes } : {}) }),
    id: imageId,
    ...valuesOf({ ownerId, snapshotIds: snapshots.map(({ snapshotId }) => snapshotId) }),
    grants,
  };
  const summary = `AMI ${imageId} has grants that the imported set does not declare`;
  const detail = inTerraformWords(comments.join("\n"));
  const diagnostics = comments.length > 0 ? [{ severity: "WARNING", summary, detail } as const] : [];
  const set = setIn(state);
  if (!set) return { state, private: {}, diagnostics };
  const outputs = encodeRecorded(set, recordedIn({ state, private: {} }));
  return { state: { ...state, ...valuesIn(outputs) }, private: privateIn(outputs), diagnostics };
}

function declaredIn(value: ObjectValue): Decoded {
  return decodeDeclaredSet(argumentsIn(value, RESOURCE_SCHEMA));
}

/** The set of a state or a plan without unknown arguments. */
function setIn(state: ObjectValue): PermissionSet | undefined {
  const decoded = declaredIn(state);
  return "declared" in decoded ? permissionSetOf(decoded.declared) : undefined;
}

function recordedIn({ state, private: own }: Kept): Recorded {
  const { region, owner_id: ownerId, snapshot_ids: snapshotIds } = state ?? {};
  const { granted, revoked, kmsGrants } = own;
  const outputs = { region, ownerId, snapshotIds, grants: grantsIn(state), granted, revoked, kmsGrants };
  const told = Object.fromEntries(Object.entries(outputs).filter(([, value]) => value !== null && value !== UNKNOWN));
  return decodeRecorded(told as RecordedOutputs, state ? setIn(state) : undefined);
}

function grantsIn(state: ObjectValue | null): Grants {
  const grants = state?.grants ?? {};
  return grants === UNKNOWN ? {} : (grants as Grants);
}

/** Where the AMI is the same, its region is the one that was recorded. */
function recordedRegion(old: ObjectValue | null, config: ObjectValue): string | undefined {
  return old && old.image_id === config.image_id && typeof old.region === "string" ? old.region : undefined;
}

function defaultsFor(config: ObjectValue): ObjectValue {
  return Object.fromEntries(Object.entries(DEFAULTS).map(([name, value]) => [name, config[name] ?? value]));
}

function sameArguments(old: ObjectValue, planned: ObjectValue, but: readonly string[] = []): boolean {
  return ARGUMENTS.every((name) => but.includes(name) || sameValue(old[name] ?? null, planned[name] ?? null));
}

/** Whether a set, as far as it is recorded and whatever other sets declare, has something to take away. */
function takesAway(set: PermissionSet, recorded: Recorded | undefined): boolean {
  return recorded !== undefined && !isEmpty(changeOf(set, recorded, recorded).remove);
}

/** Whether a set has, as far as it is recorded, what it wants. */
function isSettled(set: PermissionSet, recorded: Recorded, neighbours: Neighbours): boolean {
  const change = changeOf(set, recorded, recorded, neighbours);
  const isSettledInEc2 = isEmpty(change.add) && isEmpty(change.remove);
  return isSettledInEc2 && recorded.keyless === undefined && !hasIdleKeyGrants(set, recorded, neighbours);
}

/** Whether the set still has KMS grants of accounts that it does not share with any more, as where a revocation failed. */
function hasIdleKeyGrants(set: PermissionSet, recorded: Recorded, { claims }: Neighbours): boolean {
  const needed = granteesOf(claims.map(({ wants }) => wants(recorded)).reduce(union, targetPermissions(set, recorded)));
  const isIdle = (key: GranteeKey) => !set.neverRevoke.has(key) && !needed.has(key);
  return (recorded.keyGrants ?? []).some(({ accountId }) => isIdle(accountKey(accountId)));
}

function sameState(old: ObjectValue, planned: ObjectValue, but: readonly string[] = []): boolean {
  const names = Object.keys(RESOURCE_SCHEMA.attributes).filter((name) => !but.includes(name));
  return names.every((name) => sameValue(old[name] ?? null, planned[name] ?? null));
}

/** A plan without a look at EC2: the arguments, and what an AMI keeps for life. */
function blind(base: ObjectValue, before: ObjectValue | null): ObjectValue {
  return {
    ...base,
    owner_id: before?.owner_id ?? UNKNOWN,
    snapshot_ids: before?.snapshot_ids ?? UNKNOWN,
    grants: UNKNOWN,
  };
}

/** What people should know of a plan that its diff does not say: one diagnostic for a set, with the whole report. */
function planDiagnostics(plan: Plan, exists: boolean): Diagnostic[] {
  const { set, gaining, losing, recorded, refusals, doubts, warnings } = plan;
  const refused = refusals.map((error) => refusalDiagnostic(set.imageId, error, exists));
  if (refused.some(({ severity }) => severity === "ERROR")) return refused;
  const [broadest] = broadenings(gaining);
  const held = recorded?.live ?? NO_PERMISSIONS;
  const untold =
    !isEmpty(minus(losing, held)) || !isEmpty(intersection(gaining, held)) || entriesOf(plan).some(({ stays }) => stays);
  if (!broadest && !untold && doubts.length === 0 && warnings.length === 0) return refused;
  // What will be refused has its own diagnostic.
  const [heading = "", ...lines] = inTerraformWords(reportOf({ ...plan, refusals: [] }, "planned")).split("\n");
  const report: Diagnostic = {
    severity: "WARNING",
    summary: heading,
    detail: lines.join("\n"),
    attribute: attributePath(broadest?.property ?? "imageId"),
  };
  return [...refused, report];
}

/** A set that names nobody without saying so; a destroy of it is not held up without a way out. */
function nobodyDiagnostic(problem: ArgumentProblem, exists: boolean): Diagnostic {
  const diagnostic = problemDiagnostic(problem);
  return exists ? { ...diagnostic, detail: `${diagnostic.detail}\n\n${DESTROY_ALL_THE_SAME}` } : diagnostic;
}

/**
 * @param exists whether the state has the set, so that a destroy may be what is planned
 * @param replaces whether a set is to be replaced: its destroy may come first, so that the new one should be possible
 */
function refusalDiagnostic(imageId: string, error: AmiSharingError, exists: boolean, replaces = false): Diagnostic {
  const diagnostic = readingDiagnostic(`AMI ${imageId} cannot be shared as configured`, error, ARGUMENTS);
  if (policyOf(error)?.mayPass && !(replaces && error.code === "image-not-found")) return { ...diagnostic, severity: "WARNING" };
  return exists && policyOf(error)?.destroyPossible
    ? { ...diagnostic, detail: `${diagnostic.detail}\n\n${DESTROY_ALL_THE_SAME}` }
    : diagnostic;
}

/** The state after a change: as planned where it was made whole, else what holds. */
function kept(
  planned: ObjectValue,
  set: PermissionSet,
  recorded: Recorded,
  own: Private,
  { failures = [], warnings }: { readonly failures?: readonly Diagnostic[]; readonly warnings: readonly Diagnostic[] },
): Applied {
  const outputs = encodeRecorded(set, recorded);
  const isWhole = failures.length === 0 && planned.grants !== UNKNOWN;
  const state: ObjectValue = { ...planned, ...valuesIn(outputs), ...(isWhole ? { grants: planned.grants ?? {} } : {}) };
  return {
    state,
    private: privateIn(outputs, own),
    diagnostics: [...failures, ...warnings],
    asPlanned: Object.entries(planned).every(([name, value]) => hasUnknown(value) || sameValue(value, state[name] ?? null)),
  };
}

/** What users see of a record. */
function valuesIn({ region, ownerId, snapshotIds, grants = {} }: RecordedOutputs): Record<string, Value> {
  // The keys of a map are the user's, not names.
  return { ...valuesOf({ region, ownerId, snapshotIds }), grants };
}

/** And what they need not see. */
function privateIn(
  { granted, revoked, kmsGrants }: RecordedOutputs,
  { id, others = [], heirs = [], seen }: Private = {},
): Private {
  return {
    ...(granted ? { granted } : {}),
    ...(revoked ? { revoked } : {}),
    ...(kmsGrants ? { kmsGrants } : {}),
    ...(id === undefined ? {} : { id }),
    ...(others.length > 0 ? { others } : {}),
    ...(heirs.length > 0 ? { heirs } : {}),
    ...(seen ? { seen } : {}),
  };
}
