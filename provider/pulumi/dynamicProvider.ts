/** The dynamic provider's operations: decode what the engine sends, call the core, encode what it gets. Loaded by the shim. */

import { isDeepStrictEqual } from "node:util";
import type * as pulumi from "@pulumi/pulumi";
import {
  AmiSharingError,
  type ArgumentProblem,
  type CallWatch,
  type Claim,
  type ClaimedImage,
  ClaimRegistry,
  type Connection,
  claimOf,
  DEFAULT_PATIENCE,
  type DeclaredSet,
  declaredGrants,
  decodeGrants,
  ec2Gateway,
  encodeGrants,
  type Gateway,
  type Grants,
  handOverFailed,
  IncompleteChangeError,
  intersection,
  isEmpty,
  losers,
  lossesOf,
  type MaybeUnknown,
  maxRevocationsOf,
  minus,
  type Neighbours,
  NO_NEIGHBOURS,
  NO_PERMISSIONS,
  observe,
  type Patience,
  type PermissionSet,
  type Plan,
  permissionSetOf,
  problemText,
  REPLACING,
  type Recorded,
  reconcile,
  refuseRivals,
  remove,
  reportOf,
  reportOfDeletion,
  revokedByRemoval,
  SET_ARGUMENTS,
  targetPermissions,
  tooManyRevocations,
  UNKNOWN,
  union,
  wantedOf,
  withoutRecorded,
} from "../core";
import { logLine } from "./engineLog";
import { stopSignal, working } from "./process";
import { hidesGrantees, SECRET_OF_OTHERS, SECRETS, sealed, secretNames, withoutSecrets } from "./secrets";
import { connectionOf, type GetConfig } from "./stackConfig";
import {
  areSameButTimeouts,
  argumentsIn,
  CONTEXT,
  type Context,
  comparableGrants,
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

// The engine shows what this process prints in every preview; the SDK's advice on Node versions does not belong there.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

/** What an operation needs from outside; tests give their own. @internal */
export interface ProviderOptions {
  readonly gateway: (connection: Connection, watch: CallWatch) => Gateway;
  readonly patience?: Patience;
  /** Tells users what a deletion did: no program is there to log it. */
  readonly tell?: (words: string) => void;
  /** Once it is aborted, nothing more is changed, and what is under way ends. */
  readonly signal?: AbortSignal | undefined;
}

/** What the shim makes. @internal */
export class DynamicProvider implements pulumi.dynamic.ResourceProvider<Properties, Properties> {
  private getConfig: GetConfig = () => undefined;
  /** The sets of this run, so that none takes away what another one declares. */
  private readonly claims = new ClaimRegistry();
  /** What is recorded of the sets' AMIs, by place. */
  private readonly images = new Map<string, ClaimedImage>();
  /** One gateway a connection, so that a role is assumed once for all sets of a stack. */
  private readonly gateways = new Map<string, Gateway>();

  constructor(
    private readonly options: ProviderOptions = {
      gateway: ec2Gateway,
      signal: stopSignal(),
      // The engine shows what this process prints.
      tell: console.log,
    },
  ) {}

  async configure({ config }: pulumi.dynamic.ConfigureRequest): Promise<void> {
    this.getConfig = (key) => config.get(key);
  }

  async check(olds: Properties, news: Properties): Promise<pulumi.dynamic.CheckResult> {
    const { grants: kept, ...given } = news;
    // A program cannot give grants: they are what state records, put there by the option ignoreChanges.
    if (kept !== undefined && !isDeepStrictEqual(argumentsIn(given), argumentsIn(olds)))
      return { inputs: { ...news }, failures: [IGNORED_GRANTS] };
    const decoded = decodeInputs(given);
    if ("problems" in decoded)
      return { inputs: { ...news }, failures: decoded.problems.map((problem) => failure(problem, news)) };
    const context = contextIn(news);
    const secrets = [...secretNames(news), ...(context && hidesOthers(context) ? [SECRET_OF_OTHERS] : [])];
    try {
      const declared: DeclaredSet = { ...decoded.declared, region: await this.regionFor(decoded.declared, olds) };
      if (context) await this.claimAll(declared, context, olds);
      const grants = declaredGrants(declared, grantsIn(olds), this.claimedGrants(declared, context?.urn, olds));
      const maximum = maxRevocationsOf(declared);
      // The preview already refuses what state shows; another AMI's set begins anew.
      const isLimited = olds.imageId === declared.imageId && maximum !== UNKNOWN;
      const lost = isLimited ? losers(grantsIn(olds), grants) : [];
      const [refusal] = isLimited ? tooManyRevocations(String(declared.imageId), lost, maximum) : [];
      if (refusal) throw refusal;
      const inputs = encodeInputs(declared, kept === undefined ? grants : grantsIn(olds), context?.urn ?? idOf(news));
      return { inputs: sealed(inputs, secrets) };
    } catch (error) {
      const { property = "region", message } = error as AmiSharingError;
      // What is recorded may be named as well.
      const known = withSecretsOf({ ...news, [SECRETS]: secrets }, olds);
      return { inputs: { ...news }, failures: [shown(property, withoutSecrets(message, olds), known)] };
    }
  }

  async diff(_id: string, olds: Properties, news: Properties): Promise<pulumi.dynamic.DiffResult> {
    const replaces = REPLACING.filter((name) => news[name] !== olds[name]);
    // Else what became a secret would stay in clear in the outputs.
    const hides = secretNames(news).some((name) => !secretNames(olds).includes(name));
    const changes = hides || !isDeepStrictEqual(argumentsIn(olds), argumentsIn(news)) || this.hasOtherGrants(olds, news);
    return { changes, replaces };
  }

  private hasOtherGrants(olds: Properties, news: Properties): boolean {
    const found = setIn(news);
    const claimed = found ? this.claimedGrants(found.declared, idOf(news), olds) : {};
    return (
      !isDeepStrictEqual(comparableGrants(olds, olds, news, claimed), comparableGrants(news, olds, news, claimed)) ||
      (found !== undefined && this.ownsTooLittle(found.set, olds, news))
    );
  }

  /**
   * Whether nothing changes of a set whose last change was made whole but `timeouts` and what is a secret: then EC2 has nothing to do with it.
   */
  private isMade(olds: Properties, news: Properties): boolean {
    return DONE in olds && areSameButTimeouts(olds, news) && !this.hasOtherGrants(olds, news);
  }

  async create(inputs: Properties): Promise<pulumi.dynamic.CreateResult> {
    return forUsers(inputs, async () => {
      const outs = await this.reconciled(inputs);
      return { id: outs.imageId as string, outs };
    });
  }

  async update(_id: string, olds: Properties, news: Properties): Promise<pulumi.dynamic.UpdateResult> {
    return forUsers(withSecretsOf(news, olds), async () => ({
      outs: this.isMade(olds, news) ? withTimeouts(olds, news) : await this.reconciled(news, olds),
    }));
  }

  async read(id: string, props: Properties = {}): Promise<pulumi.dynamic.ReadResult> {
    const args: Properties = { ...argumentsIn(props), imageId: props.imageId ?? id };
    return forUsers({ ...props, ...args }, async () => {
      const { declared, set } = stored(args);
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
    await forUsers({ ...props, ...args }, async () => {
      const { set } = stored(args);
      const place = placeOf(args);
      const record = recordText(props);
      await this.claims.inTurn(place, async () => {
        const recorded = await this.recorded(props, set);
        const heirs = this.claims.heirs(place, record);
        const [waiting] = wantedOf(heirs.failed, recorded, recorded.granted);
        if (waiting && set.onDelete !== "retain") throw handOverFailed(set.imageId, [waiting.name]);
        const held = set.onDelete === "reset" ? await observe(this.gateway(args), set).catch(() => undefined) : undefined;
        await remove(this.gateway(args), set, recorded, this.patience(props), heirs);
        this.tellDeletion(set, held ? { ...recorded, live: held.live } : recorded, props, heirs);
        this.claims.removed(place, record);
      });
    });
  }

  /** Says who lost access; nothing where nobody did. */
  private tellDeletion(set: PermissionSet, recorded: Recorded, props: Properties, neighbours: Neighbours): void {
    try {
      if (isEmpty(revokedByRemoval(set, recorded, neighbours))) return;
      const unnamed = hidesGrantees(secretNames(props));
      const report = reportOfDeletion(`AMI ${set.imageId}`, set, recorded, { neighbours, tense: "done", unnamed });
      this.options.tell?.(withoutSecrets(report, props).replace(/^ {2}/, ""));
    } catch {
      // What was done is not to fail for its words.
    }
  }

  private async reconciled(news: Properties, olds?: Properties): Promise<Record<string, unknown>> {
    const args = argumentsIn(news);
    const decoded = decodeInputs(args);
    const set = "declared" in decoded ? permissionSetOf(decoded.declared) : undefined;
    if (!set) throw new AmiSharingError("invalid-argument", "the arguments of the set are not complete");
    const [place, id] = [placeOf(args), idOf(news)];
    const [secrets, before] = [secretNames(news), secretNames(olds)];
    return this.claims.inTurn(place, async () => {
      try {
        const { recorded: made, plan } = await reconcile(
          this.gateway(args),
          set,
          olds && (await this.recorded(olds, setIn(argumentsIn(olds))?.set)),
          this.patience(withSecretsOf(news, olds), id),
          id === undefined ? NO_NEIGHBOURS : this.claims.neighbours(place, id),
        );
        if (id) this.claims.ended(place, id, "made", made.granted);
        const { claims } = plan.neighbours;
        // What a set holds that has left the program goes with it, later in the same update.
        const recorded = { ...made, live: withoutRecorded(made.live, claims, made, union(plan.target, made.granted)) };
        const outs = { ...encodeOutputs(news, set, recorded), ...doneBy(plan, news, olds) };
        return sealed(outs, secrets, before);
      } catch (error) {
        if (!(error instanceof IncompleteChangeError)) {
          if (id) this.claims.ended(place, id, "failed");
          throw error;
        }
        if (id) this.claims.ended(place, id, "failed", error.recorded.granted);
        const outs = sealed(encodeOutputs(news, set, error.recorded), secrets, before);
        const properties = { ...outs, __provider: news.__provider };
        throw new InitializationError(set.imageId, properties, [error.message, ...lossesBy(error, news, olds)].join("\n"));
      }
    });
  }

  /**
   * What state tells. Where it lacks the snapshots, in which "createVolume" is told, they are those of the AMI. Where it cannot be read,
   * an authoritative set has granted what its arguments name; an additive one may have found that in place.
   */
  private async recorded(props: Properties, set: PermissionSet | undefined): Promise<Recorded> {
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

  /** What EC2 has; undefined where the AMI is gone. A record that cannot be read is made anew: what the arguments name is the set's. */
  private async observed(args: Properties, props: Properties, set: PermissionSet): Promise<Recorded | undefined> {
    const patience = this.patience(props);
    // A resource that is only looked up has nothing recorded.
    if (["grants", "ownerId", "snapshotIds"].every((name) => props[name] === undefined))
      return observe(this.gateway(args), set, undefined, patience);
    try {
      const recorded = await this.decoded(props, set);
      const observed = await observe(this.gateway(args), set, recorded, patience);
      const drifted = minus(union(recorded.granted, recorded.drifted ?? NO_PERMISSIONS), observed?.live ?? NO_PERMISSIONS);
      return observed && (isEmpty(drifted) ? observed : { ...observed, drifted });
    } catch (error) {
      if (!(error instanceof AmiSharingError && error.code === "state-unreadable")) throw error;
      const observed = await observe(this.gateway(args), set, undefined, patience);
      if (!observed) return undefined;
      const target = targetPermissions(set, observed);
      return { ...observed, granted: set.mode === "additive" ? intersection(target, observed.live) : target };
    }
  }

  /** Tells the sets of the AMI what each of them wants, those included that are still to be checked. Errors: `conflicting-sets`. */
  private async claimAll(declared: DeclaredSet, context: Context, olds: Properties): Promise<void> {
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

  /** Tells the other sets of the AMI what this one wants. Errors: `conflicting-sets`. */
  private claim(declared: DeclaredSet, { urn: id, recorded: known }: Context, olds: Properties): void {
    const { imageId, region, mode = SET_ARGUMENTS.mode.default } = declared;
    if (typeof imageId !== "string" || typeof region !== "string") return;
    const place = placeOf({ imageId, region });
    const recorded = Object.entries(known).filter(([, outputs]) => placeOf(outputs) === place);
    // A set that an alias renamed is in state under its old name.
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
    const rival = this.claims.declare(place, id, claimOf(name, set, own), mode === "authoritative");
    if (rival !== undefined) refuseRivals(imageId, region, [rival, name]);
  }

  /** What a set's recorded grants hold that other sets want, too. */
  private claimedGrants(declared: DeclaredSet, id: string | undefined, olds: Properties): Grants {
    const { imageId, region } = declared;
    if (id === undefined || typeof imageId !== "string" || typeof region !== "string" || olds.imageId !== imageId) return {};
    const place = placeOf({ imageId, region });
    const { claims } = this.claims.neighbours(place, id);
    const image = this.images.get(place);
    if (claims.length === 0 || !image) return {};
    const held = decodeGrants(grantsIn(olds), image.snapshotIds);
    const kept = wantedOf(claims, image, held).map(({ permissions }) => permissions);
    const { createVolumePermissions: volumes } = declared;
    const named = typeof volumes === "object" && volumes.snapshotIds !== undefined;
    return encodeGrants(kept.reduce(union, NO_PERMISSIONS), named ? undefined : image.snapshotIds);
  }

  /** Whether another set of the stack granted what this additive one wants, and this one does not own yet: then nobody might revoke it. */
  private ownsTooLittle(set: PermissionSet, olds: Properties, news: Properties): boolean {
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

  private patience(props: Properties, urn?: string): Patience {
    const { patience = DEFAULT_PATIENCE, signal } = this.options;
    return { onWait: (words) => logLine(withoutSecrets(words, props), urn), ...patience, signal };
  }

  private gateway(args: Properties): Gateway {
    const connection = connectionOf(args, this.getConfig);
    const key = JSON.stringify(connection);
    const gateway = this.gateways.get(key) ?? this.makeGateway(connection);
    this.gateways.set(key, gateway);
    return gateway;
  }

  /**
   * The region of a set: its own, the stack's, the one recorded, or the default (the environment's, then the profile's in the
   * shared files that the stack names, else the SDK's), in this order. Recorded before default, so that another shell's AWS_REGION moves nothing; a new AMI may be in a new region.
   */
  private async regionFor(declared: DeclaredSet, olds: Properties): Promise<MaybeUnknown<string>> {
    if (declared.region !== undefined) return declared.region;
    const { region } = connectionOf({}, this.getConfig);
    const recorded = olds.imageId === declared.imageId ? (olds.region as string | undefined) : undefined;
    const settled = region ?? recorded;
    if (settled !== undefined) return settled;
    // Only the default may depend on the profile.
    if (declared.profile === UNKNOWN) return UNKNOWN;
    const { profile, sharedConfigFile, sharedCredentialsFile } = connectionOf({ profile: declared.profile }, this.getConfig);
    return this.makeGateway({ profile, sharedConfigFile, sharedCredentialsFile }).region();
  }

  private makeGateway(connection: Connection): Gateway {
    return this.options.gateway(connection, { signal: this.options.signal });
  }
}

function failure(problem: ArgumentProblem, news: Properties): pulumi.dynamic.CheckFailure {
  return shown(problem.property, `${problemText(problem)} [invalid-argument]`, news);
}

/** The engine shows the value of the property that a failure names, a secret one, too; one that names none is of the resource. */
function shown(property: string, reason: string, news: Properties): pulumi.dynamic.CheckFailure {
  return {
    property: secretNames(news).includes(property) ? "" : property,
    reason: withoutSecrets(reason, news),
  };
}

const IGNORED_GRANTS: pulumi.dynamic.CheckFailure = {
  property: "grants",
  reason:
    'grants are worked out from the arguments, so that ignoreChanges cannot hold them; where others share the AMI, too, set mode to "additive": then nothing is taken away that this set did not grant [invalid-argument]',
};

const NOTHING_RECORDED: Recorded = { region: "", ownerId: "", snapshotIds: [], live: NO_PERMISSIONS, granted: NO_PERMISSIONS };

/** An AMI in its region: what two sets can have in common. */
function placeOf({ region, imageId }: Properties): string {
  return `${String(region)} ${String(imageId)}`;
}

/** The URN of a set, as its program told `check`; absent where the program is not known to this version. */
function idOf(inputs: Properties): string | undefined {
  const { [SET]: id } = inputs;
  return typeof id === "string" ? id : undefined;
}

/** What the program told; absent where it does not know it yet. */
function contextIn(news: Properties): Context | undefined {
  const { [CONTEXT]: context } = news;
  return typeof context === "object" && context !== null ? (context as Context) : undefined;
}

/** Whether another set of the AMI keeps secret who has access. */
function hidesOthers({ urn, recorded, declared = {} }: Context): boolean {
  return Object.entries({ ...recorded, ...declared }).some(([id, props]) => id !== urn && hidesGrantees(secretNames(props)));
}

/** The claim of a set in state; undefined where its record cannot be read. */
function recordedClaim(urn: string, outputs: Properties): { claim: Claim; image: ClaimedImage } | undefined {
  const set = setIn(outputs)?.set;
  if (!set) return undefined;
  try {
    const { granted, ownerId, snapshotIds } = recordedIn(outputs, set);
    return { claim: claimOf(nameOf(urn), set, granted), image: { ownerId, snapshotIds } };
  } catch {
    return undefined;
  }
}

/** The outputs of a set of which nothing changed but how long it waits, and what is a secret. */
function withTimeouts({ timeouts: _, [SECRETS]: before, ...olds }: Properties, news: Properties): Record<string, unknown> {
  const { timeouts } = news;
  return sealed(
    { ...olds, ...(timeouts === undefined ? {} : { timeouts }) },
    secretNames(news),
    secretNames({ [SECRETS]: before }),
  );
}

/** Properties of which is secret what is so now or was so before. */
function withSecretsOf(news: Properties, olds: Properties | undefined): Properties {
  return { ...news, [SECRETS]: [...new Set([...secretNames(news), ...secretNames(olds)])] };
}

/** What was done, in words; without them if they cannot be made, since the record of what was done is not to be lost for them. */
function doneBy(plan: Plan, news: Properties, olds: Properties = {}): { [DONE]?: Done } {
  const unnamed = [news, olds].some((props) => hidesGrantees(secretNames(props)));
  try {
    const report = [news, olds].reduce((text, props) => withoutSecrets(text, props), reportOf(plan, "done", { unnamed }));
    return { [DONE]: { at: Date.now(), report } };
  } catch {
    return {};
  }
}

/** Who lost access by a change that was made in part, in words. */
function lossesBy({ plan, recorded }: IncompleteChangeError, news: Properties, olds: Properties | undefined): string[] {
  const unnamed = [news, olds].some((props) => hidesGrantees(secretNames(props)));
  const lines = plan ? lossesOf(plan, recorded, { unnamed }) : [];
  return lines.length > 0 ? ["lost access by it:", ...lines] : [];
}

/** What the engine takes as "made, but not whole": it records `properties` and repeats the operation at the next up. */
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

function stored(args: Properties) {
  const found = setIn(args);
  if (!found) throw new AmiSharingError("invalid-argument", "the recorded arguments of the set cannot be read");
  return found;
}

/** Runs an operation so that what it throws is a message for users: the AMI named, no stack trace, no credentials. */
async function forUsers<Result>(args: Properties, operation: () => Promise<Result>): Promise<Result> {
  try {
    return await working(operation());
  } catch (error) {
    const thrown = error as Error;
    const image = String(args.imageId ?? "");
    const named = thrown.message.includes(image) ? thrown.message : `AMI ${image}: ${thrown.message}`;
    const message = withoutSecrets(named, args);
    const shown =
      thrown instanceof InitializationError ? new InitializationError(thrown.id, thrown.properties, message) : new Error(message);
    // The engine's host prints `${error}: ${error.stack}` of what read and delete throw.
    shown.toString = () => "ami-launch-permissions";
    shown.stack = message;
    throw shown;
  }
}
