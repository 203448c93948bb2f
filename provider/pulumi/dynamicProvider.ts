/** The dynamic provider's operations: decode what the engine sends, call the core, encode what it gets. Loaded by the shim. */

import { isDeepStrictEqual } from "node:util";
import type * as pulumi from "@pulumi/pulumi";
import {
  AmiSharingError,
  type ArgumentProblem,
  type CallWatch,
  type Connection,
  DEFAULT_PATIENCE,
  type DeclaredSet,
  declaredGrants,
  decodeRecorded,
  ec2Gateway,
  type Gateway,
  IncompleteChangeError,
  losers,
  type MaybeUnknown,
  maxRevocationsOf,
  observe,
  type Patience,
  type PermissionSet,
  type Plan,
  permissionSetOf,
  problemPath,
  type Recorded,
  reconcile,
  refuseTooManyRevocations,
  remove,
  reportOf,
  UNKNOWN,
} from "../core";
import { stopSignal, working } from "./process";
import { connectionOf, type GetConfig } from "./stackConfig";
import {
  argumentsIn,
  comparableGrants,
  DONE,
  type Done,
  decodeInputs,
  encodeInputs,
  encodeOutputs,
  grantsIn,
  type Properties,
  refreshedInputs,
  setIn,
} from "./state";

// The engine shows what this process prints in every preview; the SDK's advice on Node versions does not belong there.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

/** What an operation needs from outside; tests give their own. */
export interface Surroundings {
  readonly gateway: (connection: Connection, watch: CallWatch) => Gateway;
  readonly patience?: Patience;
  /** Once it is aborted, nothing more is changed, and what is under way ends. */
  readonly signal?: AbortSignal | undefined;
}

export class DynamicProvider implements pulumi.dynamic.ResourceProvider<Properties, Properties> {
  private getConfig: GetConfig = () => undefined;
  /** One gateway a connection, so that a role is assumed once for all sets of a stack. */
  private readonly gateways = new Map<string, Gateway>();

  constructor(private readonly surroundings: Surroundings = { gateway: ec2Gateway, signal: stopSignal() }) {}

  async configure({ config }: pulumi.dynamic.ConfigureRequest): Promise<void> {
    this.getConfig = (key) => config.get(key);
  }

  async check(olds: Properties, news: Properties): Promise<pulumi.dynamic.CheckResult> {
    const decoded = decodeInputs(news);
    if ("problems" in decoded) return { inputs: { ...news }, failures: decoded.problems.map(failure) };
    try {
      const declared: DeclaredSet = { ...decoded.declared, region: await this.regionFor(decoded.declared, olds) };
      const grants = declaredGrants(declared, grantsIn(olds));
      const maximum = maxRevocationsOf(declared);
      // The preview already refuses what state shows; another AMI's set begins anew.
      if (olds.imageId === declared.imageId && maximum !== UNKNOWN)
        refuseTooManyRevocations(String(declared.imageId), losers(grantsIn(olds), grants), maximum);
      return { inputs: encodeInputs(declared, grants) };
    } catch (error) {
      const { property = "region", message } = error as AmiSharingError;
      return { inputs: { ...news }, failures: [{ property, reason: message }] };
    }
  }

  async diff(_id: string, olds: Properties, news: Properties): Promise<pulumi.dynamic.DiffResult> {
    const replaces = ["imageId", "region"].filter((name) => news[name] !== olds[name]);
    const changes =
      !isDeepStrictEqual(argumentsIn(olds), argumentsIn(news)) ||
      !isDeepStrictEqual(comparableGrants(olds, olds, news), comparableGrants(news, olds, news));
    return { changes, replaces };
  }

  async create(inputs: Properties): Promise<pulumi.dynamic.CreateResult> {
    return forUsers(inputs, async () => {
      const outs = await this.reconciled(inputs);
      return { id: outs.imageId as string, outs };
    });
  }

  async update(_id: string, olds: Properties, news: Properties): Promise<pulumi.dynamic.UpdateResult> {
    return forUsers(news, async () => ({ outs: await this.reconciled(news, olds) }));
  }

  async read(id: string, props: Properties = {}): Promise<pulumi.dynamic.ReadResult> {
    const args: Properties = { ...argumentsIn(props), imageId: props.imageId ?? id };
    return forUsers(args, async () => {
      const { declared, set } = stored(args);
      const recorded = await observe(this.gateway(args), set, await this.recorded(props, set));
      if (!recorded) return { id: "", props: {} };
      const done = props[DONE] === undefined ? {} : { [DONE]: props[DONE] };
      const outs = { ...encodeOutputs(args, set, recorded), ...done };
      return { id: set.imageId, props: outs, inputs: refreshedInputs(args, declared, outs) };
    });
  }

  async delete(id: string, props: Properties): Promise<void> {
    const args: Properties = { ...argumentsIn(props), imageId: props.imageId ?? id };
    await forUsers(args, async () => {
      const { set } = stored(args);
      await remove(this.gateway(args), set, await this.recorded(props, set), this.patience);
    });
  }

  private async reconciled(news: Properties, olds?: Properties): Promise<Record<string, unknown>> {
    const args = argumentsIn(news);
    const decoded = decodeInputs(args);
    const set = "declared" in decoded ? permissionSetOf(decoded.declared) : undefined;
    if (!set) throw new AmiSharingError("invalid-argument", "the arguments of the set are not complete");
    try {
      const { recorded, plan } = await reconcile(
        this.gateway(args),
        set,
        olds && (await this.recorded(olds, setIn(argumentsIn(olds))?.set)),
        this.patience,
      );
      return { ...encodeOutputs(news, set, recorded), ...doneBy(plan) };
    } catch (error) {
      if (!(error instanceof IncompleteChangeError)) throw error;
      const properties = { ...encodeOutputs(news, set, error.recorded), __provider: news.__provider };
      throw new InitializationError(set.imageId, properties, error.message);
    }
  }

  /** What state tells. Where it lacks the snapshots, in which "createVolume" is told, they are those of the AMI. */
  private async recorded(props: Properties, set: PermissionSet | undefined): Promise<Recorded> {
    const image = props.snapshotIds === undefined && set ? await observe(this.gateway(argumentsIn(props)), set) : undefined;
    return decodeRecorded(image ? { ...props, snapshotIds: image.snapshotIds } : props, set);
  }

  private get patience(): Patience {
    const { patience = DEFAULT_PATIENCE, signal } = this.surroundings;
    return { ...patience, signal };
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
    return this.surroundings.gateway(connection, { signal: this.surroundings.signal });
  }
}

function failure(problem: ArgumentProblem): pulumi.dynamic.CheckFailure {
  return { property: problem.property, reason: `${problemPath(problem)}: ${problem.message} [invalid-argument]` };
}

/** What was done, in words; without them if they cannot be made, since the record of what was done is not to be lost for them. */
function doneBy(plan: Plan): { [DONE]?: Done } {
  try {
    return { [DONE]: { at: Date.now(), report: reportOf(plan, "done") } };
  } catch {
    return {};
  }
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
    const message = thrown.message.includes(image) ? thrown.message : `AMI ${image}: ${thrown.message}`;
    const shown =
      thrown instanceof InitializationError ? new InitializationError(thrown.id, thrown.properties, message) : new Error(message);
    // The engine's host prints `${error}: ${error.stack}` of what read and delete throw.
    shown.toString = () => "ami-launch-permissions";
    shown.stack = message;
    throw shown;
  }
}
