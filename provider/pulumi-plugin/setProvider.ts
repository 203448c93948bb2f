/** A set's operations as the full provider has them: the dynamic provider's, and what only the plugin protocol can do: previews, exact diffs, imports. */

import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as delay } from "node:timers/promises";
import {
  AmiSharingError,
  adoptionOf,
  type Claim,
  type ClaimedImage,
  claimedBy,
  claimedParts,
  type DeclaredSet,
  declaredGrants,
  decodeRecorded,
  describePermissions,
  endpointWarning,
  environmentEndpoint,
  type Gateway,
  type Grants,
  granteesLosingAccess,
  intersection,
  isEmpty,
  joinWords,
  minus,
  NO_FINDINGS,
  NO_PERMISSIONS,
  notAllowedNames,
  observe,
  type PermissionSet,
  type Permissions,
  type Plan,
  permissionSetOf,
  planChange,
  policyOf,
  reportOf,
  reportOfDeletion,
  revokedByRemoval,
  targetPermissions,
  UNKNOWN,
  union,
  usageBeforeDeletion,
  type WaitOptions,
  withAllowLists,
} from "../core";
import { DynamicProvider, type ProviderOptions, placeOf, recordedClaim, withSecretsOf } from "../pulumi/dynamicProvider";
import { hiddenChanges, isUnknownIn, readable, type Severity, severityOf } from "../pulumi/previewReport";
import { PULUMI_UNKNOWN } from "../pulumi/sdkInternals";
import {
  hidesGrantees,
  type Properties,
  plain,
  SECRET_OF_OTHERS,
  SECRETS,
  sealed,
  secretNames,
  withoutSecrets,
} from "../pulumi/secrets";
import {
  argumentsIn,
  type Context,
  DONE,
  type Done,
  decodeInputs,
  encodeOutputs,
  grantsIn,
  onlyTimeoutsChange,
  recordText,
  refreshedInputs,
  SET,
  setIn,
} from "../pulumi/state";
import { asStackConfig, type Failure } from "./configuration";
import { detailedDiff, type Kind } from "./detailedDiff";
import type { Show } from "./engineClient";
import { grantsOf, OTHERS, othersIn, recordOfOthers, takenWords, toldLater, untold } from "./neighbours";
import { withoutPythonNames } from "./values";

/** What the operations need from outside; tests give their own. */
export interface PluginOptions extends Pick<ProviderOptions, "gateway" | "waitOptions" | "signal" | "others"> {
  readonly show: Show;
  /** Milliseconds without a new set before a change, or the preview of one. Default: {@link QUIET}. */
  readonly quiet?: number;
  /** Resolves when the engine tells of no further set for now, in place of that time. */
  readonly settled?: () => Promise<void>;
}

/** A preview of a create or an update. */
interface Preview {
  readonly isNew: boolean;
  /** The seconds of the resource's `customTimeouts`; 0: none. */
  readonly timeout: number;
}

/** What a diff answers. */
export interface Difference {
  readonly changes: boolean;
  readonly replaces: readonly string[];
  readonly detailed: ReadonlyMap<string, Kind>;
}

/** What a create, an update or a preview of one answers. */
export interface Made {
  readonly id: string;
  readonly outs: Properties;
}

/** What a read answers; `id` is empty where the AMI is gone. */
export interface Found extends Made {
  readonly inputs: Properties;
}

/**
 * Milliseconds without a new set before something is changed or previewed. The engine changes the first sets of a program while it still hears
 * of others, which may want what the first ones would take away.
 */
const QUIET = 100;

/** A change that takes something away waits this many times longer: a set that is told later could lose what it declares. */
const TAKING_FACTOR = 4;

/** The form of ids to import. */
const IMPORT_ID = /^(?:([a-z]{2}[a-z0-9-]+)\/)?(ami-[0-9a-f]{8,17})$/;

/** The operation that runs: the URN of its resource, what it is telling, and the seconds of the resource's `customTimeouts`. */
const operation = new AsyncLocalStorage<{ readonly urn: string; readonly told: Promise<void>[]; readonly timeout: number }>();

/** The sets of one run of the engine under one configuration. */
export class SetProvider extends DynamicProvider {
  /** What state held before this run, as far as the engine told it: URN → outputs. */
  private readonly known = new Map<string, Properties>();
  /** What the program of this run declares: URN → arguments. */
  private readonly declared = new Map<string, Properties>();
  /** What the previews of sets showed as lost: place → URN → permissions. */
  private readonly foreseen = new Map<string, Map<string, { readonly losing: Permissions; readonly image: ClaimedImage }>>();
  private lastTold = 0;

  constructor(private readonly own: PluginOptions) {
    const { show } = own;
    const warned = new Set<string>();
    super({
      ...own,
      gateway: (connection, watch) => {
        const endpoint = connection.endpoint ?? environmentEndpoint(process.env);
        const warning = endpoint === undefined || warned.has(endpoint) ? undefined : endpointWarning(endpoint);
        if (endpoint !== undefined && warning !== undefined) void show("warn", warning, "");
        warned.add(endpoint ?? "");
        return own.gateway(connection, watch);
      },
      tell: (words) => tell(show, words),
      showLine: (words) => tell(show, words),
    });
  }

  protected override readonly holder = "the provider";

  /** Shows words with the names of accounts. If AWS does not give these, a warning says so once. */
  private async show(severity: Severity, words: string, urn: string): Promise<void> {
    const names = this.names();
    await this.own.show(severity, await names.in(words), urn);
    const failure = names.failure();
    if (failure) await this.own.show("warn", `reports show no names of AWS Organizations: ${failure.message}`, "");
  }

  /** An error with the names of accounts in its message. */
  async withNames(error: Error & { reasons?: string[] }): Promise<Error> {
    const names = this.names();
    error.message = await names.in(error.message);
    if (error.reasons) error.reasons = await Promise.all(error.reasons.map((reason) => names.in(reason)));
    return error;
  }

  /** @param config without problems, and known */
  async useConfig(config: Properties): Promise<void> {
    const get = asStackConfig(config);
    await this.configure({ config: { get, require: get } } as Parameters<DynamicProvider["configure"]>[0]);
  }

  /** The gateway that a function's arguments ask for. */
  gatewayOf(args: Properties): Gateway {
    return this.gateway(args);
  }

  /** How an operation waits: the argument `timeouts` wins over `customTimeouts`, and that over the default. */
  protected override waitOptions(props: Properties, urn?: string): WaitOptions {
    const options = super.waitOptions(props, urn);
    const { timeout = 0 } = operation.getStore() ?? {};
    return timeout > 0 ? { ...options, timeout } : options;
  }

  /** The checked inputs, or what is wrong. */
  async checkSet(
    urn: string,
    olds: Properties,
    given: Properties,
  ): Promise<{ inputs: Properties; failures: readonly Failure[] }> {
    this.lastTold = Date.now();
    const news = withoutPythonNames(given);
    const context = this.contextFor(urn, news.imageId);
    this.declared.set(urn, news);
    const { inputs = {}, failures = [] } = await this.check(olds, news, context);
    const { [SET]: _, ...checked } = inputs as Properties;
    return { inputs: checked, failures: failures.length > 0 ? failures : this.toldLater(urn, checked, news) };
  }

  /** What is wrong where the preview of another set took away what this one declares. */
  private toldLater(urn: string, checked: Properties, news: Properties): readonly Failure[] {
    const inputs = plain(checked) as Properties;
    const set = setIn(inputs)?.set;
    const foreseen = [...(this.foreseen.get(placeOf(inputs)) ?? [])].filter(([other]) => other !== urn);
    for (const [other, { image, losing }] of set ? foreseen : []) {
      const part = intersection(losing, targetPermissions(set as PermissionSet, image));
      const reason = isEmpty(part) ? undefined : toldLater(String(inputs.imageId), other, part).message;
      if (reason !== undefined)
        return [{ property: "imageId", reason: withoutSecrets(reason, { ...news, [SECRETS]: secretNames(checked) }) }];
    }
    return [];
  }

  /** @param oldInputs what `check` answered last */
  async diffSet(urn: string, id: string, olds: Properties, oldInputs: Properties, news: Properties): Promise<Difference> {
    const named = { ...news, [SET]: urn };
    // A refresh asks for the difference, too, also of sets that have left the program: these declare nothing.
    if (this.declared.has(urn)) {
      this.forgetOldName(urn, olds);
      const [told, other] = [this.known.get(urn), this.known.get(replaced(urn))];
      if (told && other && recordText(other) === recordText(olds)) this.known.set(replaced(urn), told);
      this.known.set(urn, olds);
      // Only now it is known what the set granted before.
      const decoded = decodeInputs(argumentsIn(news));
      if ("declared" in decoded) await this.claimAll(decoded.declared, this.contextFor(urn, news.imageId), oldInputs);
      this.claimOthers(urn, olds);
      await this.warnOfTaken(urn, olds, named);
    }
    const { changes = false, replaces = [] } = await this.diff(id, olds, named);
    const before = this.withoutClaimed(urn, olds, oldInputs, news);
    return { changes: changes || replaces.length > 0, replaces, detailed: changes ? detailedDiff(before, news) : new Map() };
  }

  /** What other sets declare is no input of a set: whether it were would depend on which of them the engine told of first. */
  protected override claimedInputs(): Grants {
    return {};
  }

  /** The old inputs, without what a refresh found and other sets declare: it stays. */
  private withoutClaimed(urn: string, olds: Properties, oldInputs: Properties, news: Properties): Properties {
    const declared = setIn(news)?.declared;
    const claimed = declared ? this.claimedGrants(declared, urn, olds) : {};
    const [before, after] = [grantsIn(oldInputs), grantsIn(news)];
    const stays = Object.keys(claimed).filter((key) => after[key] === undefined && before[key] === claimed[key]);
    if (stays.length === 0) return oldInputs;
    return { ...oldInputs, grants: Object.fromEntries(Object.entries(before).filter(([key]) => !stays.includes(key))) };
  }

  /** @param timeout the seconds of the resource's `customTimeouts`; 0: none */
  async createSet(urn: string, news: Properties, isPreview: boolean, timeout = 0): Promise<Made> {
    const before = this.known.get(urn);
    const inputs = await this.named(urn, news, before);
    if (isPreview) return { id: "", outs: await this.previewed(urn, inputs, before, { isNew: true, timeout }) };
    return this.changed(urn, timeout, async () => {
      const { id, outs = {} } = await this.create(inputs);
      return { id, outs: this.withOthers(urn, outs, inputs) };
    });
  }

  async updateSet(urn: string, id: string, olds: Properties, news: Properties, isPreview: boolean, timeout = 0): Promise<Made> {
    this.known.set(urn, olds);
    const inputs = await this.named(urn, news, olds);
    if (isPreview) return { id, outs: await this.previewed(urn, inputs, olds, { isNew: false, timeout }) };
    return this.changed(urn, timeout, async () => {
      this.refuseUntold(olds, inputs);
      const { outs = {} } = await this.update(id, olds, inputs);
      return { id, outs: this.withOthers(urn, outs, inputs, olds) };
    });
  }

  /** @param props what state or a program that only looks gives; nothing of use: an import */
  async readSet(urn: string, id: string, inputs: Properties, props: Properties): Promise<Found> {
    const [, region, imageId] = IMPORT_ID.exec(id) ?? [];
    if (imageId === undefined)
      throw new Error(
        `${JSON.stringify(id)} is not the id of an AMI: use an id such as ami-0123456789abcdef0 or us-east-1/ami-0123456789abcdef0 [invalid-argument]`,
      );
    return ofResource(urn, 0, async () => {
      const told = { ...inputs, ...props };
      if (told.imageId === undefined && told.grants === undefined) return this.imported(urn, imageId, { ...told, region });
      const isRefresh = props.ownerId !== undefined;
      // A refresh also reads a replaced set that waits to be deleted.
      const known = this.known.has(urn) ? replaced(urn) : urn;
      if (isRefresh) this.known.set(known, props);
      if (isRefresh) this.lastTold = Date.now();
      const read = await this.read(imageId, region === undefined ? told : { region, ...told });
      const found = { id: read.id ?? "", outs: read.props ?? {}, inputs: read.inputs ?? {} };
      if (!isRefresh || found.id === "") return found;
      this.known.set(known, plain(found.outs) as Properties);
      return this.besideOthers(urn, props, found);
    });
  }

  async deleteSet(urn: string, id: string, props: Properties, timeout = 0): Promise<void> {
    await ofResource(urn, timeout, async () => {
      this.refuseToLeave(urn, props);
      const place = placeOf(props);
      const own = recordedClaim(urn, props);
      // Another set's record told of this one.
      if (own && this.claims.others(place, "", ["recorded"]).has(urn))
        this.claims.record(place, urn, own.claim, recordText(props));
      const set = setIn(props)?.set;
      const recorded = set && readable(props, set);
      const neighbours = this.claims.neighboursForRemoval(place, recordText(props));
      if (recorded) this.claims.took(place, urn, revokedByRemoval(set, recorded, neighbours));
      await this.delete(id, props);
      if (recordText(this.known.get(urn) ?? {}) === recordText(props)) this.known.delete(urn);
    });
  }

  /** An alias renames a set that a refresh told of by its old name. */
  private forgetOldName(urn: string, olds: Properties): void {
    if (this.known.has(urn)) return;
    const text = recordText(olds);
    const isOld = ([other, props]: readonly [string, Properties]) => !this.declared.has(other) && recordText(props) === text;
    const old = [...this.known].find(isOld)?.[0];
    if (old === undefined) return;
    this.known.delete(old);
    this.claims.removed(placeOf(olds), text);
  }

  /** Registers what the record of a set says of other sets, of which the engine has not told yet. */
  private claimOthers(urn: string, olds: Properties): void {
    const place = placeOf(olds);
    const told = this.claims.others(place, urn);
    for (const [other, claim] of othersIn(olds)) if (!told.has(other)) this.claims.record(place, other, claim, "");
  }

  /** Refuses to take what another set owns too, of which the engine has not told yet: it may still declare it. */
  private refuseUntold(olds: Properties, news: Properties): void {
    const [before, after] = [setIn(olds)?.set, setIn(news)?.set];
    const recorded = before && readable(olds, before);
    if (!before || !after || !recorded || placeOf(olds) !== placeOf(news)) return;
    const dropped = minus(targetPermissions(before, recorded), targetPermissions(after, recorded));
    for (const [other, claim] of othersIn(olds)) {
      const part = intersection(dropped, claim.wants(recorded));
      if (this.declared.has(other) || this.known.has(other) || isEmpty(part)) continue;
      const { message } = untold(after.imageId, other, part);
      throw new Error(withoutSecrets(message, withSecretsOf(news, olds)));
    }
  }

  /** Warns where other sets took what a set declares, before the engine told of it. */
  private async warnOfTaken(urn: string, olds: Properties, news: Properties): Promise<void> {
    const set = setIn(news)?.set;
    for (const [other, part] of set ? this.takenFrom(set, olds, news) : [])
      await this.show("warn", withoutSecrets(takenWords(String(news.imageId), other, part), withSecretsOf(news, olds)), urn);
  }

  /** Outputs with what is known of the other sets: the next run may tell of them late. */
  private withOthers(urn: string, outs: Properties, news: Properties, olds?: Properties): Properties {
    const place = placeOf(news);
    const clear = plain(outs) as Properties;
    const set = setIn(clear)?.set;
    const recorded = set && readable(clear, set);
    if (!recorded) return outs;
    // A set that a refresh told of is among them: it may leave the program, or be told of later.
    const claims = this.claims.others(place, urn);
    const unmade = this.claims.others(place, urn, ["declared"]);
    // A set that is not made yet will own what it wants, but for what somebody else granted.
    const foreign = minus(recorded.live, recorded.granted);
    const owned = (claim: Claim, other: string) =>
      unmade.has(other) ? union(claim.granted, minus(claim.wants(recorded), foreign)) : claim.granted;
    return withRecord(outs, recordOfOthers(claims, recorded, owned), secretNames(news), secretNames(olds));
  }

  /** What a refresh found, where other sets own a part of it: the inputs do not have that part, so that the set does not take it. */
  private async besideOthers(urn: string, props: Properties, found: Found): Promise<Found> {
    const [outs, inputs] = [plain(found.outs), plain(found.inputs)] as [Properties, Properties];
    const { declared, set } = setIn(outs) ?? {};
    const recorded = set && readable(outs, set);
    if (!declared || !recorded) return found;
    const own = declaredGrants(declared);
    const foreign = Object.keys(grantsIn(inputs)).filter((key) => own[key] === undefined);
    await this.untilAllAreTold();
    const place = placeOf(props);
    const others = [...this.known].filter(([other, { imageId }]) => other !== urn && imageId === props.imageId);
    const claims = others.flatMap(([other, outputs]) => {
      const claim = placeOf(outputs) === place ? recordedClaim(other, outputs)?.claim : undefined;
      return claim ? [[other, claim] as const] : [];
    });
    const owned = recordOfOthers(claims, recorded, ({ granted }) => granted);
    const theirs = grantsOf(owned, recorded);
    const isTheirs = ([key, words]: readonly [string, string]) =>
      foreign.includes(key) && joinWords(theirs[key] ?? "", words) === theirs[key];
    const grants = Object.fromEntries(Object.entries(grantsIn(inputs)).filter((entry) => !isTheirs(entry)));
    const hides = others.some(([, outputs]) => hidesGrantees(secretNames(outputs))) ? [SECRET_OF_OTHERS] : [];
    const secrets = secretNames(props);
    return {
      id: found.id,
      outs: withRecord(found.outs, owned, [...secrets, ...hides]),
      inputs: foreign.length > 0 ? { ...found.inputs, ...pick(sealed({ grants }, secrets), "grants") } : found.inputs,
    };
  }

  /**
   * Nobody would revoke what stays for an additive set that does not own it. The engine asks nothing of a set that has left the program before
   * it is deleted, unless it refreshes.
   */
  private refuseToLeave(urn: string, props: Properties): void {
    const set = setIn(props)?.set;
    const recorded = set && readable(props, set);
    if (!set || !recorded || set.onDelete === "retain") return;
    const place = placeOf(props);
    const heirs = [...this.claims.others(place, urn, ["declared", "made"]).values()];
    // Of which the record of another set tells, but not the engine: it is gone, or it is no target of this run.
    const stays = claimedBy(heirs, recorded);
    for (const [other, claim] of this.claims.others(place, urn, ["recorded"])) {
      const part = minus(intersection(recorded.granted, claim.wants(recorded)), stays);
      if (!this.known.has(other) && !isEmpty(part))
        throw new Error(withoutSecrets(untold(set.imageId, other, part).message, props));
    }
    const owned = heirs.map(({ granted }) => granted).reduce(union, NO_PERMISSIONS);
    const [waiting] = claimedParts(heirs, recorded, minus(recorded.granted, owned));
    if (!waiting) return;
    const words = `${waiting.name} declares what this set granted on AMI ${set.imageId}, and does not own it: Pulumi tells of a set that has left the program only in a refresh`;
    const next = `run pulumi up --refresh; until then this set keeps its grants`;
    throw new AmiSharingError("hand-over-incomplete", words, { imageId: set.imageId, next });
  }

  /** An AMI as it is shared now, as a set that changes nothing. */
  private async imported(urn: string, imageId: string, args: Properties): Promise<Found> {
    const permissions = await describePermissions(this.gateway(args), imageId).catch((error: AmiSharingError) => {
      if (error.code === "image-not-found") return undefined;
      throw error;
    });
    if (!permissions) return { id: "", outs: {}, inputs: {} };
    const { declared, comments } = adoptionOf(permissions);
    const set = permissionSetOf(declared);
    if (!set) throw new AmiSharingError("state-unreadable", `AMI ${imageId} cannot be imported`);
    const { ownerId, snapshots, grants } = permissions;
    const snapshotIds = snapshots.map(({ snapshotId }) => snapshotId);
    const recorded = decodeRecorded({ region: permissions.region, ownerId, snapshotIds, grants }, set);
    const outs = encodeOutputs(declared as unknown as Properties, set, recorded);
    if (comments.length > 0)
      await this.show("warn", `AMI ${imageId} has grants that the imported set does not declare\n${comments.join("\n")}`, urn);
    return { id: imageId, outs, inputs: refreshedInputs(argumentsIn(outs), declared, outs) };
  }

  /** Makes a change, and says what was done. */
  private async changed(urn: string, timeout: number, change: () => Promise<Made>): Promise<Made> {
    return ofResource(urn, timeout, async () => {
      const begun = Date.now();
      const made = await change();
      const done = plain(made.outs[DONE]) as Done | undefined;
      if (done && done.at >= begun) await this.show("info", done.report, urn);
      return made;
    });
  }

  /** @param takes whether somebody loses access by what waits */
  private async untilAllAreTold(takes = false): Promise<void> {
    const { quiet: pause = QUIET, settled } = this.own;
    if (settled) return settled();
    const quiet = takes ? pause * TAKING_FACTOR : pause;
    for (let left = quiet; left > 0; left = this.lastTold + quiet - Date.now()) {
      const since = Date.now() - this.lastTold;
      if (since >= quiet) return;
      await delay(quiet - since);
    }
  }

  /** What is known by now of the other sets of an AMI. */
  private contextFor(urn: string, imageId: unknown): Context {
    const ofImage = ([, props]: readonly [string, Properties]) => props.imageId === imageId;
    const declared = [...this.declared].filter(([other, props]) => other !== urn && ofImage([other, props]));
    return { urn, recorded: Object.fromEntries([...this.known].filter(ofImage)), declared: Object.fromEntries(declared) };
  }

  /**
   * The inputs of a set with its name; what another set of the AMI keeps secret is secret in this one, too.
   *
   * @throws AmiSharingError `conflicting-sets` for a set of which the engine has told since this one was checked
   */
  private async named(urn: string, news: Properties, olds: Properties = {}): Promise<Properties> {
    await this.untilAllAreTold(granteesLosingAccess(grantsIn(olds), grantsIn(news)).length > 0);
    const { recorded, declared = {}, ...context } = this.contextFor(urn, news.imageId);
    const decoded = decodeInputs(argumentsIn(news));
    if ("declared" in decoded) await this.claimAll(decoded.declared, { ...context, recorded, declared }, {});
    const others = Object.entries({ ...recorded, ...declared }).filter(([other]) => other !== urn);
    const hides = others.some(([, props]) => hidesGrantees(secretNames(props)));
    const secrets = hides ? [...new Set([...secretNames(news), SECRET_OF_OTHERS])] : secretNames(news);
    return { ...news, [SET]: urn, ...(secrets.length > 0 ? { [SECRETS]: secrets } : {}) };
  }

  /**
   * Says what a change would do, and gives the outputs as far as they are known.
   *
   * @throws Error where the change would fail
   */
  private async previewed(urn: string, news: Properties, olds: Properties | undefined, how: Preview): Promise<Properties> {
    const decoded = decodeInputs(argumentsIn(news));
    // `check` refused it.
    if ("problems" in decoded) return outputsOf(news, undefined, olds);
    const { declared } = decoded;
    const found = setIn(argumentsIn(news));
    const isUnlisted = olds !== undefined && found !== undefined && (await this.keepsUnlisted(found, olds, urn));
    if (olds && !how.isNew && !isUnlisted && onlyTimeoutsChange(olds, declared))
      return sealed({ ...olds, ...news }, secretNames(news), secretNames(olds));
    if (olds && !how.isNew) this.refuseUntold(olds, news);
    const { severity, text, plan } = await this.foretold(urn, news, declared, olds, how);
    const hidden = withSecretsOf(news, olds);
    const words = [hidden, ...(olds ? [withSecretsOf(olds, news)] : [])].reduce((all, props) => withoutSecrets(all, props), text);
    if (severity === "error") throw new Error(words);
    if (plan) this.foresee(urn, news, plan);
    await this.show(severity, words, urn);
    return outputsOf(news, plan, olds);
  }

  /** Notes what the preview of a set shows as lost. */
  private foresee(urn: string, news: Properties, { losing, image }: Plan): void {
    const place = placeOf(news);
    this.foreseen.set(place, new Map(this.foreseen.get(place)).set(urn, { losing, image }));
  }

  private async foretold(
    urn: string,
    news: Properties,
    declared: DeclaredSet,
    olds: Properties | undefined,
    { isNew, timeout }: Preview,
  ): Promise<{ severity: Severity; text: string; plan?: Plan }> {
    const { imageId, region } = declared;
    if (imageId === UNKNOWN)
      return { severity: "info", text: "the AMI is not known yet: who has access to it can be read once it exists" };
    const known = isUnknownIn(declared) ? undefined : permissionSetOf(declared);
    const set = known && withAllowLists(known, declared, this.rules().allowed);
    if (!set) {
      const names = Object.entries(declared).flatMap(([name, value]) => (isUnknownIn(value) ? [name] : []));
      return {
        severity: "info",
        text: `AMI ${imageId}: what changes in EC2 depends on what is not known yet (${names.join(", ")})`,
      };
    }
    const isSame = olds?.imageId === imageId && olds.region === region;
    const countOnly = [news, olds].some((props) => hidesGrantees(secretNames(props)));
    // An authoritative set takes at its create what the set that it replaces granted.
    const takesAll = isSame && set.mode === "authoritative";
    const leaving = olds && isNew && !takesAll ? await this.leaving(olds, countOnly) : { lines: [], warns: false };
    const lines = (report: string) =>
      [report, ...leaving.lines, ...hiddenChanges(isSame ? olds : undefined, declared)].join("\n");
    try {
      // A create has no record, not even that of the set that it replaces.
      const recorded = olds && isSame && !isNew ? await this.recorded(olds, setIn(olds)?.set) : undefined;
      const neighbours = this.claims.neighbours(placeOf(news), urn);
      const given = timeout > 0 ? { [recorded ? "update" : "create"]: timeout } : {};
      const timed = { ...set, timeouts: { ...given, ...set.timeouts } };
      const plan = await planChange(this.gateway(argumentsIn(news)), timed, recorded, neighbours);
      const severity = severityOf(plan.refusals);
      const warns = severity === "info" && (plan.warnings.length > 0 || leaving.warns);
      return { severity: warns ? "warn" : severity, text: lines(reportOf(plan, "planned", { countOnly })), plan };
    } catch (error) {
      if (!(error instanceof AmiSharingError)) throw error;
      if (policyOf(error)?.fault === "set")
        return { severity: severityOf([error]), text: lines(`AMI ${imageId}: will fail: ${error.message}`) };
      // Who owns the AMI is not known, so that no account can be left out.
      const [unlisted] = notAllowedNames(declared, set.allowed ?? [], undefined, true);
      if (unlisted) return { severity: "error", text: lines(`AMI ${imageId}: will fail: ${unlisted.message}`) };
      return {
        severity: "warn",
        text: lines(`AMI ${imageId}: EC2 cannot be read, so this preview shows only what was recorded: ${error.message}`),
      };
    }
  }

  /** What becomes of the AMI that a set leaves for another one. */
  private async leaving(olds: Properties, countOnly: boolean): Promise<{ lines: string[]; warns: boolean }> {
    const set: PermissionSet | undefined = setIn(olds)?.set;
    const recorded = set && readable(olds, set);
    if (!set || !recorded) return { lines: [], warns: false };
    const gateway = this.gateway(argumentsIn(olds));
    const usage = set.checkUsage ? await usageBeforeDeletion(gateway, set, recorded) : NO_FINDINGS;
    const seen = set.onDelete === "reset" ? await observe(gateway, set).catch(() => undefined) : undefined;
    const which = `then AMI ${set.imageId}, whose set is replaced,`;
    const neighbours = this.claims.neighboursForRemoval(placeOf(olds), recordText(olds));
    const report = reportOfDeletion(which, set, seen ? { ...recorded, live: seen.live } : recorded, { neighbours, countOnly });
    return {
      lines: [report, ...usage.warnings.map((text) => `  warning: ${text}`), ...usage.doubts.map((text) => `  note: ${text}`)],
      warns: usage.warnings.length > 0,
    };
  }
}

/** Runs an operation that tells of a resource: it does not end before it has told. */
async function ofResource<Result>(urn: string, timeout: number, run: () => Promise<Result>): Promise<Result> {
  const told: Promise<void>[] = [];
  try {
    return await operation.run({ urn, told, timeout }, run);
  } finally {
    await Promise.all(told);
  }
}

/** Shows words beside the resource of the operation that runs. */
function tell(show: Show, words: string): void {
  const { urn = "", told = [] } = operation.getStore() ?? {};
  told.push(show("info", words, urn));
}

/** The name of a replaced set, beside that of the set that replaces it. */
function replaced(urn: string): string {
  return `${urn} (replaced)`;
}

/** Outputs with the record of other sets, which names grantees; without one where there are none. */
function withRecord(outs: Properties, others: object, secrets: readonly string[], before: readonly string[] = []): Properties {
  const { [OTHERS]: _, ...rest } = outs;
  return Object.keys(others).length === 0 ? rest : { ...rest, ...pick(sealed({ [OTHERS]: others }, secrets, before), OTHERS) };
}

function pick(props: Properties, name: string): Properties {
  return { [name]: props[name] };
}

/** The outputs in a preview. The grants are known where they stay: what EC2 has in the end is read after the change. */
function outputsOf(news: Properties, plan: Plan | undefined, olds: Properties | undefined): Properties {
  const isSame = olds?.imageId === news.imageId && olds?.region === news.region;
  const image = plan?.image ?? (isSame ? olds : undefined);
  const stay = isSame && JSON.stringify(grantsIn(olds ?? {})) === JSON.stringify(news.grants);
  const outs = {
    ...argumentsIn(news),
    ownerId: image?.ownerId ?? PULUMI_UNKNOWN,
    snapshotIds: image?.snapshotIds ?? PULUMI_UNKNOWN,
    grants: stay ? news.grants : PULUMI_UNKNOWN,
  };
  return sealed(outs, secretNames(news), secretNames(olds));
}
