/** The operations of the dynamic provider: each decodes what the engine sends, calls the core, and encodes the result. The shim loads this file. */

import { isDeepStrictEqual } from "node:util";
import type * as pulumi from "@pulumi/pulumi";
import {
  AmiSharingError,
  type ArgumentProblem,
  allowListRefusalsOf,
  allowListsOf,
  type CallWatch,
  type Claim,
  type ClaimedImage,
  ClaimRegistry,
  type Connection,
  claimedBy,
  claimedParts,
  claimOf,
  DEFAULT_WAIT_OPTIONS,
  type DeclaredSet,
  declaredGrants,
  decodeGrants,
  ec2Gateway,
  encodeGrants,
  type Gateway,
  type Grants,
  granteesLosingAccess,
  handOverIncomplete,
  IncompleteChangeError,
  intersection,
  isEmpty,
  lossesOf,
  type MaybeUnknown,
  maxRevocationsOf,
  minus,
  type NameSource,
  type Neighbours,
  NO_NEIGHBOURS,
  NO_PERMISSIONS,
  notAllowedNames,
  observe,
  type PermissionSet,
  type Permissions,
  type Plan,
  permissionSetOf,
  problemText,
  REPLACING,
  type Recorded,
  type Rules,
  reconcile,
  remove,
  reportOf,
  reportOfDeletion,
  revokedByRemoval,
  SET_ARGUMENTS,
  targetPermissions,
  throwConflictingSets,
  tooManyRevocations,
  UNKNOWN,
  union,
  type WaitOptions,
  withAllowLists,
  withoutRecorded,
} from "../core";
import { logLine } from "./engineLog";
import { OtherProviders, type OtherSet } from "./otherProviders";
import { stopSignal, trackWork } from "./process";
import { isProviderHost } from "./sdkInternals";
import { hidesGrantees, SECRET_OF_OTHERS, SECRETS, sealed, secretNames, withoutSecrets } from "./secrets";
import { connectionOf, type GetConfig } from "./stackConfig";
import { namesIn, rulesIn } from "./stackRules";
import {
  areSameButTimeouts,
  argumentsIn,
  CONTEXT,
  type Context,
  comparableGrants,
  contextIn,
  DONE,
  type Done,
  decodeInputs,
  encodeInputs,
  encodeOutputs,
  grantsIn,
  nameOf,
  type Properties,
  recordedIn,
  recordText,
  refreshedInputs,
  SET,
  setIn,
} from "./state";

// The engine shows everything that this process prints. The AWS SDK would print its warning about old Node.js versions in every preview.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

/** What an operation gets from its environment. Tests pass their own. @internal */
export interface ProviderOptions {
  readonly gateway: (connection: Connection, watch: CallWatch) => Gateway;
  readonly waitOptions?: WaitOptions;
  /** Shows users what a deletion did. Pulumi runs no program for a deletion that could log it. */
  readonly tell?: (words: string) => void;
  /** After it is aborted, nothing more is changed, and running calls end. */
  readonly signal?: AbortSignal | undefined;
  /** Shows a line while an operation waits. Default: through the engine that started this process. */
  readonly showLine?: typeof logLine;
  /** The other provider processes of this run. Default: none. */
  readonly others?: OtherProviders;
}

/** The provider that the shim constructs. @internal */
export class DynamicProvider implements pulumi.dynamic.ResourceProvider<Properties, Properties> {
  private getConfig: GetConfig = () => undefined;
  /** What the sets of this run declare, so that no set revokes what another set declares. */
  protected readonly claims = new ClaimRegistry();
  /** The recorded AMIs of the sets, by place. */
  protected readonly images = new Map<string, ClaimedImage>();
  /** One gateway for each connection, so that a role is assumed only once for all sets of a stack. */
  private readonly gateways = new Map<string, Gateway>();
  private knownRules: Rules | undefined;

  constructor(
    private readonly options: ProviderOptions = {
      gateway: ec2Gateway,
      signal: stopSignal(),
      // The engine shows everything that this process prints.
      tell: console.log,
      ...(isProviderHost() ? { others: new OtherProviders(process.argv) } : {}),
    },
  ) {}

  async configure({ config }: pulumi.dynamic.ConfigureRequest): Promise<void> {
    this.getConfig = (key) => config.get(key);
    this.knownRules = undefined;
  }

  /** Whose config holds for all sets, for messages. */
  protected readonly holder: "the stack" | "the provider" = "the stack";

  /** The allow-list and the names for all sets. Errors: `invalid-argument`. */
  protected rules(): Rules {
    this.knownRules ??= rulesIn(this.getConfig, this.holder, { signal: this.options.signal });
    return this.knownRules;
  }

  /** The names for all sets; none if they cannot be read, which `check` reports. */
  protected names(): NameSource {
    return namesIn(() => this.rules());
  }

  /** @param context what is known of the stack. Default: what the program passed */
  async check(olds: Properties, news: Properties, context = contextIn(news)): Promise<pulumi.dynamic.CheckResult> {
    const { inputs, failures } = await this.checked(olds, news, context);
    if (failures === undefined) return { inputs };
    const named = failures.map(async (one) => ({ ...one, reason: await this.names().in(one.reason) }));
    return { inputs, failures: await Promise.all(named) };
  }

  private async checked(olds: Properties, news: Properties, context?: Context): Promise<pulumi.dynamic.CheckResult> {
    const { grants: kept, ...given } = news;
    // A program cannot set `grants`. If it is present, the engine has added the recorded value, because of the option ignoreChanges.
    if (kept !== undefined && !isDeepStrictEqual(argumentsIn(given), argumentsIn(olds)))
      return { inputs: { ...news }, failures: [IGNORED_GRANTS] };
    // Only `create` fails then, so that `up --continue-on-error` goes on with other sets: a failed check would end the program.
    if (lacksImage(news)) return { inputs: { ...news } };
    const decoded = decodeInputs(given);
    if ("problems" in decoded)
      return { inputs: { ...news }, failures: decoded.problems.map((problem) => failure(problem, news)) };
    const secrets = [...secretNames(news), ...(context && hidesOthers(context) ? [SECRET_OF_OTHERS] : [])];
    try {
      const declared: DeclaredSet = { ...decoded.declared, region: await this.regionFor(decoded.declared, olds) };
      const [unlisted] = this.unlisted(declared, context);
      if (unlisted) throw unlisted;
      if (context) await this.claimAll(declared, context, olds);
      const grants = declaredGrants(declared, grantsIn(olds), this.claimedInputs(declared, context?.urn, olds));
      const maximum = maxRevocationsOf(declared);
      // Checked here as well, so that the preview fails without a call to EC2. A new AMI has no grants in the state.
      const isLimited = olds.imageId === declared.imageId && maximum !== UNKNOWN;
      const lost = isLimited ? granteesLosingAccess(grantsIn(olds), grants) : [];
      const [refusal] = isLimited ? tooManyRevocations(String(declared.imageId), lost, maximum) : [];
      if (refusal) throw refusal;
      const inputs = encodeInputs(declared, kept === undefined ? grants : grantsIn(olds), context?.urn ?? idOf(news));
      return { inputs: sealed(inputs, secrets) };
    } catch (error) {
      const { property = "region", message } = error as AmiSharingError;
      // The message can also name recorded values, so recorded secrets are hidden, too.
      const known = withSecretsOf({ ...news, [SECRETS]: secrets }, olds);
      return { inputs: { ...news }, failures: [shown(property, withoutSecrets(message, olds), known)] };
    }
  }

  async diff(_id: string, olds: Properties, news: Properties): Promise<pulumi.dynamic.DiffResult> {
    const replaces = REPLACING.filter((name) => news[name] !== olds[name]);
    // A value that became a secret must not stay in the outputs in plain text.
    const hides = secretNames(news).some((name) => !secretNames(olds).includes(name));
    // The engine reads and deletes by the code in the state. The full provider's state has none: an update records it, without a call.
    const comesFromElsewhere = news.__provider !== undefined && olds.__provider === undefined;
    const differs = !isDeepStrictEqual(argumentsIn(olds), argumentsIn(news)) || (await this.hasOtherGrants(olds, news));
    const changes = hides || comesFromElsewhere || differs;
    return { changes, replaces };
  }

  private async hasOtherGrants(olds: Properties, news: Properties): Promise<boolean> {
    const found = setIn(news);
    const claimed = found ? this.claimedGrants(found.declared, idOf(news), olds) : {};
    return (
      !isDeepStrictEqual(comparableGrants(olds, olds, news, claimed), comparableGrants(news, olds, news, claimed)) ||
      (found !== undefined &&
        (this.mustTakeOver(found.set, olds, news) ||
          this.takenFrom(found.set, olds, news).size > 0 ||
          (await this.keepsUnlisted(found, olds, idOf(news)))))
    );
  }

  /** The refusals of the allow-lists that need no call. */
  private unlisted(declared: DeclaredSet, context: Context | undefined): readonly AmiSharingError[] {
    const { imageId } = declared;
    const lists = allowListsOf(declared, this.rules().allowed);
    const recorded = context?.recorded[context.urn];
    const ownerId = recorded?.imageId === imageId && typeof recorded.ownerId === "string" ? recorded.ownerId : undefined;
    return notAllowedNames(declared, lists, ownerId);
  }

  /**
   * Whether a recorded set names or keeps whom an allow-list does not have. Its change is planned then, and fails. The state does not record
   * what an additive set keeps, so that EC2 is read.
   */
  protected async keepsUnlisted(
    { declared, set }: { readonly declared: DeclaredSet; readonly set: PermissionSet },
    olds: Properties,
    id?: string,
  ): Promise<boolean> {
    const guarded = withAllowLists(set, declared, this.rules().allowed);
    if (guarded.allowed === undefined || olds.imageId !== set.imageId) return false;
    try {
      const recorded = recordedIn(olds, setIn(olds)?.set);
      const read = set.mode === "additive" ? observe(this.gateway(olds), set, recorded, this.waitOptions(olds)) : undefined;
      const { live } = (await read?.catch(() => undefined)) ?? recorded;
      const neighbours = id === undefined ? NO_NEIGHBOURS : this.claims.neighbours(placeOf(olds), id);
      return allowListRefusalsOf(guarded, recorded, live, neighbours).length > 0;
    } catch {
      return false;
    }
  }

  /** Whether the last change of a set was complete, and only `timeouts` or the secret values differ: then the update needs no call. */
  private async needsNoCall(olds: Properties, news: Properties): Promise<boolean> {
    return DONE in olds && areSameButTimeouts(olds, news) && !(await this.hasOtherGrants(olds, news));
  }

  async create(inputs: Properties): Promise<pulumi.dynamic.CreateResult> {
    return this.forUsers(inputs, async () => {
      const outs = await this.reconciled(inputs);
      // Among the outputs, an AMI that is a secret is marked as one. The id is no secret for the engine.
      return { id: String(inputs.imageId), outs };
    });
  }

  async update(_id: string, olds: Properties, news: Properties): Promise<pulumi.dynamic.UpdateResult> {
    return this.forUsers(withSecretsOf(news, olds), async () => ({
      outs: (await this.needsNoCall(olds, news)) ? withTimeouts(olds, news) : await this.reconciled(news, olds),
    }));
  }

  async read(id: string, props: Properties = {}): Promise<pulumi.dynamic.ReadResult> {
    const args: Properties = { ...argumentsIn(props), imageId: props.imageId ?? id };
    return this.forUsers({ ...props, ...args }, async () => {
      const { declared, set } = recordedArguments(args);
      const observed = await this.observed(args, props, set);
      if (!observed) return { id: "", props: {} };
      const outs = { ...encodeOutputs(args, set, observed), ...(DONE in props ? { [DONE]: props[DONE] } : {}) };
      const secrets = secretNames(props);
      return {
        id: set.imageId,
        props: sealed(outs, secrets),
        inputs: sealed(refreshedInputs(args, declared, outs), secrets),
      };
    });
  }

  async delete(id: string, props: Properties): Promise<void> {
    const args: Properties = { ...argumentsIn(props), imageId: props.imageId ?? id };
    await this.forUsers({ ...props, ...args }, async () => {
      const { set } = recordedArguments(args);
      const place = placeOf(args);
      const record = recordText(props);
      await this.claims.runExclusive(place, async () => {
        if (set.onDelete !== "retain" && this.isOwnedElsewhere(set, place)) return;
        const recorded = await this.recorded(props, set);
        const remaining = this.claims.neighboursForRemoval(place, record);
        const [waiting] = claimedParts(remaining.failed, recorded, recorded.granted);
        if (waiting && set.onDelete !== "retain") throw handOverIncomplete(set.imageId, [waiting.name]);
        const held = set.onDelete === "reset" ? await observe(this.gateway(args), set).catch(() => undefined) : undefined;
        await remove(this.gateway(args), set, recorded, this.waitOptions(props), remaining);
        await this.reportDeletion(set, held ? { ...recorded, live: held.live } : recorded, props, remaining);
        this.claims.removed(place, record);
      });
    });
  }

  /**
   * Whether another provider of this run owns now what a set granted. An authoritative set has revoked everything that it manages and does
   * not declare, so there is nothing left to do. No other set revokes the KMS grants that a set made.
   *
   * @throws AmiSharingError if nobody would own it
   */
  private isOwnedElsewhere(set: PermissionSet, place: string): boolean {
    const [first, ...rest] = this.options.others?.at(place) ?? [];
    if (first === undefined) return false;
    const { imageId } = set;
    const manages = first.authoritative && first.made && (first.snapshots || !set.createVolume) && set.kmsAccess !== "grant";
    if (rest.length > 0 || !manages) throw declaredElsewhere(imageId, first);
    this.options.tell?.(`AMI ${imageId}: nobody loses access, because ${nameOf(first.urn)} of another provider has taken over`);
    return true;
  }

  /** Reports who lost access. If nobody did, there is no report. */
  private async reportDeletion(set: PermissionSet, recorded: Recorded, props: Properties, neighbours: Neighbours): Promise<void> {
    try {
      if (isEmpty(revokedByRemoval(set, recorded, neighbours))) return;
      const countOnly = hidesGrantees(secretNames(props));
      const report = reportOfDeletion(`AMI ${set.imageId}`, set, recorded, { neighbours, tense: "done", countOnly });
      this.options.tell?.(await this.names().in(withoutSecrets(report, props).replace(/^ {2}/, "")));
    } catch {
      // The deletion is done. It must not fail because its report cannot be written.
    }
  }

  private async reconciled(news: Properties, olds?: Properties): Promise<Record<string, unknown>> {
    const args = argumentsIn(news);
    const decoded = decodeInputs(args);
    const known = "declared" in decoded ? permissionSetOf(decoded.declared) : undefined;
    if (lacksImage(news)) throw imageFailed();
    if (!known || !("declared" in decoded))
      throw new AmiSharingError("invalid-argument", "the arguments of the set are not complete");
    const set = withAllowLists(known, decoded.declared, this.rules().allowed);
    const [place, id] = [placeOf(args), idOf(news)];
    const [secrets, before] = [secretNames(news), secretNames(olds)];
    return this.claims.runExclusive(place, async () => {
      try {
        const { recorded: made, plan } = await reconcile(
          this.gateway(args),
          set,
          olds && (await this.recorded(olds, setIn(argumentsIn(olds))?.set)),
          this.waitOptions(withSecretsOf(news, olds), id),
          id === undefined ? NO_NEIGHBOURS : this.claims.neighbours(place, id),
        );
        if (id) {
          this.claims.ended(place, id, "made", made.granted, made.revoked);
          this.options.others?.tell({ ...toldOf(set, place, id), made: true });
        }
        const { claims } = plan.neighbours;
        // Grants of a set that left the program are not recorded here: they go later in the same update, with that set.
        const recorded = { ...made, live: withoutRecorded(made.live, claims, made, union(plan.target, made.granted)) };
        const outs = { ...encodeOutputs(news, set, recorded), ...doneReport(plan, news, olds) };
        return sealed(outs, secrets, before);
      } catch (error) {
        if (!(error instanceof IncompleteChangeError)) {
          if (id) this.claims.ended(place, id, "failed");
          throw error;
        }
        if (id) this.claims.ended(place, id, "failed", error.recorded.granted, error.recorded.revoked);
        const outs = sealed(encodeOutputs(news, set, error.recorded), secrets, before);
        const properties = { ...outs, __provider: news.__provider };
        throw new InitializationError(set.imageId, properties, [error.message, ...lossesBy(error, news, olds)].join("\n"));
      }
    });
  }

  /**
   * The record of a set in the state. If the record has no snapshots, which are needed to decode "createVolume", those of the AMI are
   * read. If the record cannot be decoded, an authoritative set counts what its arguments name as granted by it. An additive set cannot:
   * others may have made these grants.
   */
  protected async recorded(props: Properties, set: PermissionSet | undefined): Promise<Recorded> {
    try {
      return await this.decoded(props, set);
    } catch (error) {
      const unreadable = error instanceof AmiSharingError && error.code === "state-unreadable";
      if (!unreadable || !set || set.mode === "additive") throw error;
      const observed = await observe(this.gateway(argumentsIn(props)), set);
      if (!observed) return NOTHING_RECORDED;
      return { ...observed, granted: targetPermissions(set, observed) };
    }
  }

  private async decoded(props: Properties, set: PermissionSet | undefined): Promise<Recorded> {
    const image = props.snapshotIds === undefined && set ? await observe(this.gateway(argumentsIn(props)), set) : undefined;
    return recordedIn(image ? { ...props, snapshotIds: image.snapshotIds } : props, set);
  }

  /** What EC2 has; undefined if the AMI is gone. If the record cannot be decoded, a new one counts what the arguments name as granted by the set. */
  private async observed(args: Properties, props: Properties, set: PermissionSet): Promise<Recorded | undefined> {
    const waitOptions = this.waitOptions(props);
    // A resource of `AmiLaunchPermissionSet.get` has no record.
    if (["grants", "ownerId", "snapshotIds"].every((name) => props[name] === undefined))
      return observe(this.gateway(args), set, undefined, waitOptions);
    try {
      const recorded = await this.decoded(props, set);
      const observed = await observe(this.gateway(args), set, recorded, waitOptions);
      const drifted = minus(union(recorded.granted, recorded.drifted ?? NO_PERMISSIONS), observed?.live ?? NO_PERMISSIONS);
      return observed && (isEmpty(drifted) ? observed : { ...observed, drifted });
    } catch (error) {
      if (!(error instanceof AmiSharingError && error.code === "state-unreadable")) throw error;
      const observed = await observe(this.gateway(args), set, undefined, waitOptions);
      if (!observed) return undefined;
      const target = targetPermissions(set, observed);
      return { ...observed, granted: set.mode === "additive" ? intersection(target, observed.live) : target };
    }
  }

  /** Registers the claims of all sets of the AMI, also of those that the engine has not checked yet. Errors: `conflicting-sets`. */
  protected async claimAll(declared: DeclaredSet, context: Context, olds: Properties): Promise<void> {
    const { imageId, region } = declared;
    for (const [urn, args] of Object.entries(context.declared ?? {})) {
      const decoded = decodeInputs(args);
      if ("problems" in decoded || decoded.declared.imageId !== imageId) continue;
      const other: DeclaredSet = { ...decoded.declared, region: await this.regionFor(decoded.declared, {}) };
      const set = other.region === region && typeof region === "string" ? permissionSetOf(other) : undefined;
      if (set) this.claims.declare(placeOf({ imageId, region }), urn, claimOf(nameOf(urn), set), set.mode === "authoritative");
    }
    this.claim(declared, context, olds);
  }

  /** Registers the claim of this set for the other sets of the AMI. Errors: `conflicting-sets`. */
  private claim(declared: DeclaredSet, { urn: id, recorded: known }: Context, olds: Properties): void {
    const { imageId, region, mode = SET_ARGUMENTS.mode.default } = declared;
    if (typeof imageId !== "string" || typeof region !== "string") return;
    const place = placeOf({ imageId, region });
    const recorded = Object.entries(known).filter(([, outputs]) => placeOf(outputs) === place);
    // If an alias renamed the set, the state has it under its old URN.
    const isRenamed = known[id] === undefined && Object.keys(olds).length > 0;
    const before = isRenamed
      ? recorded.find(([, outputs]) => isDeepStrictEqual(argumentsIn(outputs), argumentsIn(olds)))?.[0]
      : id;
    let own = NO_PERMISSIONS;
    for (const [urn, outputs] of recorded) {
      const found = recordedClaim(urn, outputs);
      if (!found) continue;
      const { claim, image } = found;
      this.images.set(place, image);
      if (urn === before) own = claim.granted;
      else this.claims.record(place, urn, claim, recordText(outputs));
    }
    const set = permissionSetOf(declared);
    if (!set) return;
    const name = nameOf(id);
    const other = this.claims.declare(place, id, claimOf(name, set, own), mode === "authoritative");
    if (other !== undefined) throwConflictingSets(imageId, region, [other, name]);
    const { others } = this.options;
    others?.tell({ ...toldOf(set, place, id), made: Object.keys(olds).length > 0 });
    const rival = others?.at(place).find(({ authoritative }) => authoritative || set.mode === "authoritative");
    if (rival) throw conflictingProviders(imageId, region, [nameOf(rival.urn), name]);
  }

  /** The recorded grants that are inputs of a set because other sets also declare them. */
  protected claimedInputs(declared: DeclaredSet, id: string | undefined, olds: Properties): Grants {
    return this.claimedGrants(declared, id, olds);
  }

  /** The recorded grants of a set that other sets also declare. */
  protected claimedGrants(declared: DeclaredSet, id: string | undefined, olds: Properties): Grants {
    const { imageId, region } = declared;
    if (id === undefined || typeof imageId !== "string" || typeof region !== "string" || olds.imageId !== imageId) return {};
    const place = placeOf({ imageId, region });
    const { claims } = this.claims.neighbours(place, id);
    const image = this.images.get(place);
    if (claims.length === 0 || !image) return {};
    const held = decodeGrants(grantsIn(olds), image.snapshotIds);
    const kept = intersection(claimedBy(claims, image), held);
    const { createVolumePermissions: volumes } = declared;
    const named = typeof volumes === "object" && volumes.snapshotIds !== undefined;
    return encodeGrants(kept, named ? undefined : image.snapshotIds);
  }

  /**
   * Whether this additive set must take over grants that another set of the stack made and that it declares as well. Otherwise no set
   * would revoke them later.
   */
  private mustTakeOver(set: PermissionSet, olds: Properties, news: Properties): boolean {
    const id = idOf(news);
    if (set.mode !== "additive" || id === undefined) return false;
    try {
      const { granted, live, ...image } = recordedIn(olds, setIn(olds)?.set);
      const { inherited } = this.claims.neighbours(placeOf(news), id);
      return !isEmpty(minus(intersection(intersection(targetPermissions(set, image), live), inherited), granted));
    } catch {
      return false;
    }
  }

  /** What this set declares and other sets revoked before the engine told of this one, by set. */
  protected takenFrom(set: PermissionSet, olds: Properties, news: Properties): ReadonlyMap<string, Permissions> {
    const id = idOf(news);
    const taken = id === undefined ? [] : [...this.claims.takenBy(placeOf(news), id)];
    const { ownerId, snapshotIds } = olds as { ownerId?: string; snapshotIds?: readonly string[] };
    if (taken.length === 0 || ownerId === undefined || snapshotIds === undefined) return new Map();
    const wanted = targetPermissions(set, { ownerId, snapshotIds });
    const parts = taken.map(([other, permissions]) => [other, intersection(permissions, wanted)] as const);
    return new Map(parts.filter(([, part]) => !isEmpty(part)));
  }

  protected waitOptions(props: Properties, urn?: string): WaitOptions {
    const { waitOptions = DEFAULT_WAIT_OPTIONS, signal, showLine = logLine } = this.options;
    return { onWait: (words) => showLine(withoutSecrets(words, props), urn), ...waitOptions, signal };
  }

  protected gateway(args: Properties): Gateway {
    const connection = connectionOf(args, this.getConfig);
    const key = JSON.stringify(connection);
    const gateway = this.gateways.get(key) ?? this.makeGateway(connection);
    this.gateways.set(key, gateway);
    return gateway;
  }

  /**
   * The region of a set. The first of these that exists: its argument, that of the stack, the recorded one, the default. The default is
   * that of the environment, then that of the profile in the shared files that the stack names, then that of the SDK. The recorded region
   * comes before the default, so that AWS_REGION of another shell does not move a set. If the AMI changes, the recorded region does not apply.
   */
  private async regionFor(declared: DeclaredSet, olds: Properties): Promise<MaybeUnknown<string>> {
    if (declared.region !== undefined) return declared.region;
    const { region } = connectionOf({}, this.getConfig);
    const recorded = olds.imageId === declared.imageId ? (olds.region as string | undefined) : undefined;
    const settled = region ?? recorded;
    if (settled !== undefined) return settled;
    // Only the default can depend on the profile.
    if (declared.profile === UNKNOWN) return UNKNOWN;
    const { profile, sharedConfigFile, sharedCredentialsFile } = connectionOf({ profile: declared.profile }, this.getConfig);
    return this.makeGateway({ profile, sharedConfigFile, sharedCredentialsFile }).region();
  }

  private makeGateway(connection: Connection): Gateway {
    return this.options.gateway(connection, { signal: this.options.signal });
  }

  /** Runs an operation, and converts its errors to messages for users: with the AMI, without a stack trace and without secrets. */
  private async forUsers<Result>(args: Properties, operation: () => Promise<Result>): Promise<Result> {
    try {
      return await trackWork(operation());
    } catch (error) {
      const thrown = error as Error;
      const image = String(args.imageId ?? "");
      const about = thrown.message.includes(image) ? thrown.message : `AMI ${image}: ${thrown.message}`;
      const message = await this.names().in(withoutSecrets(about, args));
      const shown =
        thrown instanceof InitializationError
          ? new InitializationError(thrown.id, thrown.properties, message)
          : new Error(message);
      // For errors of read and delete, the engine's host prints `${error}: ${error.stack}`.
      shown.toString = () => "ami-launch-permissions";
      shown.stack = message;
      throw shown;
    }
  }
}

function failure(problem: ArgumentProblem, news: Properties): pulumi.dynamic.CheckFailure {
  return shown(problem.property, `${problemText(problem)} [invalid-argument]`, news);
}

/** A failure of `check`. The engine shows the value of the property that it names. If the value is a secret, the failure names no property. */
function shown(property: string, reason: string, news: Properties): pulumi.dynamic.CheckFailure {
  return {
    property: secretNames(news).includes(property) ? "" : property,
    reason: withoutSecrets(reason, news),
  };
}

const IGNORED_GRANTS: pulumi.dynamic.CheckFailure = {
  property: "grants",
  reason:
    'grants are computed from the arguments, so ignoreChanges cannot keep them; if others also share the AMI, set mode to "additive": the set then revokes only what it granted [invalid-argument]',
};

const NOTHING_RECORDED: Recorded = { region: "", ownerId: "", snapshotIds: [], live: NO_PERMISSIONS, granted: NO_PERMISSIONS };

/** What other provider processes are told of a set. */
function toldOf(set: PermissionSet, place: string, urn: string): Omit<OtherSet, "made"> {
  const snapshots = set.createVolume !== undefined && set.createVolume.snapshotIds === undefined;
  return { place, urn, authoritative: set.mode === "authoritative", snapshots };
}

/** The error of a removal if a set of another provider declares the same AMI and does not own the grants. */
function declaredElsewhere(imageId: string, { urn }: OtherSet): AmiSharingError {
  return new AmiSharingError(
    "hand-over-incomplete",
    `${nameOf(urn)} of another provider declares AMI ${imageId}, too, and does not own what this set granted: this set keeps its grants`,
    {
      imageId,
      next: `if the two are one set that moves to another provider, run pulumi state delete '${urn}', give that set this one's URN as an alias, and repeat; if not, declare both with the same provider`,
    },
  );
}

/** The error for sets of one AMI in two providers, of which one would revoke what the other grants. */
function conflictingProviders(imageId: string, region: string, names: readonly [string, string]): AmiSharingError {
  return new AmiSharingError(
    "conflicting-sets",
    `${names[0]} and ${names[1]} declare AMI ${imageId} in ${region} with two providers, which do not know each other's grants, and one of them is authoritative`,
    { property: "imageId", imageId, next: "declare all sets of an AMI with the same provider" },
  );
}

/** The place of a set: its region and AMI. Two sets with the same place manage the same AMI. @internal */
export function placeOf({ region, imageId }: Properties): string {
  return `${String(region)} ${String(imageId)}`;
}

/**
 * Whether a set lacks its AMI because the resource that makes the AMI failed in this update. The context depends on the AMI, and every program
 * passes one.
 */
function lacksImage(news: Properties): boolean {
  return news.imageId === undefined && news[CONTEXT] === undefined && news.__provider !== undefined;
}

function imageFailed(): AmiSharingError {
  return new AmiSharingError("image-not-found", "there is no AMI to share: the resource that makes it has failed", {
    property: "imageId",
    next: "see the error of that resource, and run up again",
  });
}

/** The URN of a set, which the program passed to `check`; undefined if another version of the package wrote the inputs. */
function idOf(inputs: Properties): string | undefined {
  const { [SET]: id } = inputs;
  return typeof id === "string" ? id : undefined;
}

/** Whether the grantees of another set of the AMI are a secret. */
function hidesOthers({ urn, recorded, declared = {} }: Context): boolean {
  return Object.entries({ ...recorded, ...declared }).some(([id, props]) => id !== urn && hidesGrantees(secretNames(props)));
}

/** The claim of a recorded set; undefined if its record cannot be decoded. @internal */
export function recordedClaim(urn: string, outputs: Properties): { claim: Claim; image: ClaimedImage } | undefined {
  const set = setIn(outputs)?.set;
  if (!set) return undefined;
  try {
    const { granted, ownerId, snapshotIds } = recordedIn(outputs, set);
    return { claim: claimOf(nameOf(urn), set, granted), image: { ownerId, snapshotIds } };
  } catch {
    return undefined;
  }
}

/** The outputs of a set of which only `timeouts` and the secret values changed. */
function withTimeouts({ timeouts: _, [SECRETS]: before, ...olds }: Properties, news: Properties): Record<string, unknown> {
  const { timeouts } = news;
  return sealed(
    { ...olds, ...(timeouts === undefined ? {} : { timeouts }) },
    secretNames(news),
    secretNames({ [SECRETS]: before }),
  );
}

/** The properties, with those marked as secret that are secret now or were before. @internal */
export function withSecretsOf(news: Properties, olds: Properties | undefined): Properties {
  return { ...news, [SECRETS]: [...new Set([...secretNames(news), ...secretNames(olds)])] };
}

/** The report on what was done. If it cannot be written, it is left out, so that the record of the change is not lost. */
function doneReport(plan: Plan, news: Properties, olds: Properties = {}): { [DONE]?: Done } {
  const countOnly = [news, olds].some((props) => hidesGrantees(secretNames(props)));
  try {
    const report = [news, olds].reduce((text, props) => withoutSecrets(text, props), reportOf(plan, "done", { countOnly }));
    return { [DONE]: { at: Date.now(), report } };
  } catch {
    return {};
  }
}

/** The lines on who lost access by a change that was made in part. */
function lossesBy({ plan, recorded }: IncompleteChangeError, news: Properties, olds: Properties | undefined): string[] {
  const countOnly = [news, olds].some((props) => hidesGrantees(secretNames(props)));
  const lines = plan ? lossesOf(plan, recorded, { countOnly }) : [];
  return lines.length > 0 ? ["lost access by it:", ...lines] : [];
}

/** The error for a change that was made in part. The engine records `properties`, and repeats the operation in the next `up`. */
class InitializationError extends Error {
  readonly reasons: string[];
  constructor(
    readonly id: string,
    readonly properties: Properties,
    message: string,
  ) {
    super(message);
    this.reasons = [message];
  }
}

function recordedArguments(args: Properties) {
  const found = setIn(args);
  if (!found) throw new AmiSharingError("invalid-argument", "the recorded arguments of the set cannot be read");
  return found;
}
