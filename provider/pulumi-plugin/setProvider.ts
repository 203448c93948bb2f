/** A set's operations as the full provider has them: the dynamic provider's, and what only the plugin protocol can do: previews, exact diffs, imports. */

import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as delay } from "node:timers/promises";
import {
  AmiSharingError,
  adoptionOf,
  claimedParts,
  type DeclaredSet,
  decodeRecorded,
  describePermissions,
  endpointWarning,
  environmentEndpoint,
  type Gateway,
  minus,
  NO_FINDINGS,
  NO_PERMISSIONS,
  observe,
  type PermissionSet,
  type Plan,
  permissionSetOf,
  planChange,
  policyOf,
  reportOf,
  reportOfDeletion,
  UNKNOWN,
  union,
  usageBeforeDeletion,
  type WaitOptions,
} from "../core";
import { DynamicProvider, type ProviderOptions, placeOf, withSecretsOf } from "../pulumi/dynamicProvider";
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
  CONTEXT,
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
import { withoutPythonNames } from "./values";

/** What the operations need from outside; tests give their own. */
export interface PluginOptions extends Pick<ProviderOptions, "gateway" | "waitOptions" | "signal"> {
  readonly show: Show;
  /** Milliseconds without a new set before a change, or the preview of one. Default: {@link QUIET}. */
  readonly quiet?: number;
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
    const { inputs = {}, failures = [] } = await this.check(olds, { ...news, [CONTEXT]: context });
    const { [SET]: _, ...checked } = inputs as Properties;
    return { inputs: checked, failures };
  }

  /** @param oldInputs what `check` answered last */
  async diffSet(urn: string, id: string, olds: Properties, oldInputs: Properties, news: Properties): Promise<Difference> {
    // A refresh asks for the difference, too, also of sets that have left the program: these declare nothing.
    if (this.declared.has(urn)) {
      this.forgetOldName(urn, olds);
      this.known.set(urn, olds);
      // Only now it is known what the set granted before.
      const decoded = decodeInputs(argumentsIn(news));
      if ("declared" in decoded) await this.claimAll(decoded.declared, this.contextFor(urn, news.imageId), oldInputs);
    }
    const { changes = false, replaces = [] } = await this.diff(id, olds, { ...news, [SET]: urn });
    return { changes: changes || replaces.length > 0, replaces, detailed: changes ? detailedDiff(oldInputs, news) : new Map() };
  }

  /** A set that an alias renames has been refreshed under its old name: it is no other set that leaves the program. */
  private forgetOldName(urn: string, olds: Properties): void {
    if (this.known.has(urn)) return;
    const record = recordText(olds);
    const isOldName = ([other, props]: [string, Properties]) => !this.declared.has(other) && recordText(props) === record;
    const [oldName] = [...this.known].find(isOldName) ?? [];
    if (oldName === undefined) return;
    this.known.delete(oldName);
    this.claims.removed(placeOf(olds), record);
  }

  /** @param timeout the seconds of the resource's `customTimeouts`; 0: none */
  async createSet(urn: string, news: Properties, isPreview: boolean, timeout = 0): Promise<Made> {
    const inputs = await this.named(urn, news);
    if (isPreview) return { id: "", outs: await this.previewed(urn, inputs, this.known.get(urn), timeout) };
    return this.changed(urn, timeout, async () => {
      const { id, outs = {} } = await this.create(inputs);
      return { id, outs };
    });
  }

  async updateSet(urn: string, id: string, olds: Properties, news: Properties, isPreview: boolean, timeout = 0): Promise<Made> {
    this.known.set(urn, olds);
    const inputs = await this.named(urn, news);
    if (isPreview) return { id, outs: await this.previewed(urn, inputs, olds, timeout) };
    return this.changed(urn, timeout, async () => {
      const { outs = {} } = await this.update(id, olds, inputs);
      return { id, outs };
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
      const {
        id: found = "",
        props: outs = {},
        inputs: refreshed = {},
      } = await this.read(imageId, region === undefined ? told : { region, ...told });
      // What a deletion in this run is told of the set is what is recorded now. A program that only looks records nothing.
      if (props.ownerId !== undefined && found !== "") this.known.set(urn, plain(outs) as Properties);
      return { id: found, outs, inputs: refreshed };
    });
  }

  async deleteSet(urn: string, id: string, props: Properties, timeout = 0): Promise<void> {
    await ofResource(urn, timeout, async () => {
      this.refuseToLeave(urn, props);
      await this.delete(id, props);
    });
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
      await this.own.show(
        "warn",
        `AMI ${imageId} has grants that the imported set does not declare\n${comments.join("\n")}`,
        urn,
      );
    return { id: imageId, outs, inputs: refreshedInputs(argumentsIn(outs), declared, outs) };
  }

  /** Makes a change, and says what was done. */
  private async changed(urn: string, timeout: number, change: () => Promise<Made>): Promise<Made> {
    return ofResource(urn, timeout, async () => {
      const begun = Date.now();
      const made = await change();
      const done = plain(made.outs[DONE]) as Done | undefined;
      if (done && done.at >= begun) await this.own.show("info", done.report, urn);
      return made;
    });
  }

  private async untilAllAreTold(): Promise<void> {
    const { quiet = QUIET } = this.own;
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
  private async named(urn: string, news: Properties): Promise<Properties> {
    await this.untilAllAreTold();
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
  private async previewed(urn: string, news: Properties, olds: Properties | undefined, timeout: number): Promise<Properties> {
    const decoded = decodeInputs(argumentsIn(news));
    // `check` refused it.
    if ("problems" in decoded) return outputsOf(news, undefined, olds);
    const { declared } = decoded;
    if (olds && onlyTimeoutsChange(olds, declared)) return { ...olds, ...news };
    const { severity, text, plan } = await this.foretold(urn, news, declared, olds, timeout);
    const hidden = withSecretsOf(news, olds);
    const words = [hidden, ...(olds ? [withSecretsOf(olds, news)] : [])].reduce((all, props) => withoutSecrets(all, props), text);
    if (severity === "error") throw new Error(words);
    await this.own.show(severity, words, urn);
    return outputsOf(news, plan, olds);
  }

  private async foretold(
    urn: string,
    news: Properties,
    declared: DeclaredSet,
    olds: Properties | undefined,
    timeout: number,
  ): Promise<{ severity: Severity; text: string; plan?: Plan }> {
    const { imageId, region } = declared;
    if (imageId === UNKNOWN)
      return { severity: "info", text: "the AMI is not known yet: who has access to it can be read once it exists" };
    const set = isUnknownIn(declared) ? undefined : permissionSetOf(declared);
    if (!set) {
      const names = Object.entries(declared).flatMap(([name, value]) => (isUnknownIn(value) ? [name] : []));
      return {
        severity: "info",
        text: `AMI ${imageId}: what changes in EC2 depends on what is not known yet (${names.join(", ")})`,
      };
    }
    const isSame = olds?.imageId === imageId && olds.region === region;
    const countOnly = [news, olds].some((props) => hidesGrantees(secretNames(props)));
    const leaving = olds && !isSame ? await this.leaving(olds, countOnly) : { lines: [], warns: false };
    const lines = (report: string) =>
      [report, ...leaving.lines, ...hiddenChanges(isSame ? olds : undefined, declared)].join("\n");
    try {
      const recorded = olds && isSame ? await this.recorded(olds, setIn(olds)?.set) : undefined;
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
