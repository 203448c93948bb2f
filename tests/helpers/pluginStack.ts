/** A model of Pulumi's engine for a program with many sets of the full provider: what is told when, with every value as the protocol carries it. */

import { type PluginOptions, SetProvider } from "../../provider/pulumi-plugin/setProvider";
import { propertiesOf, structOf } from "../../provider/pulumi-plugin/values";
import type { Props } from "./memoryEngine";
import { CheckFailed } from "./memoryEngine";

const URN = "urn:pulumi:test::test::ami-launch-permissions:index:LaunchPermissionSet::";

/** How the engine runs. */
export interface Order {
  /** Steps at once, as `--parallel`. While all workers are busy, the engine tells of no further set. */
  readonly parallel?: number;
  /** Sets that are told when all steps before them have ended, as if they took an output of another resource. */
  readonly late?: readonly string[];
  /** Sets to replace without a change of their arguments, as taint does. */
  readonly replace?: readonly string[];
  /** The only sets to change, as `--target`. The engine tells nothing of the others. */
  readonly targets?: readonly string[];
  /** Whether all sets in the state are read first. */
  readonly refresh?: boolean;
  /** New name → name in the state, as `aliases`. */
  readonly aliases?: Readonly<Record<string, string>>;
}

interface State {
  readonly id: string;
  readonly inputs: Props;
  readonly outputs: Props;
  /** Whether the last operation was a partial failure. If so, the next up repeats it. */
  readonly unfinished: boolean;
}

type Operation = "create" | "update" | "replace" | "same";

/** The state of a stack: name → set. Each run has a provider of its own. */
export class PluginStack {
  sets = new Map<string, State>();
  /** Replaced sets whose deletion failed: the next run repeats it. */
  private pendingDeletes: (readonly [string, State])[] = [];
  /** What the last run showed. */
  shown: string[] = [];
  /** What the last run did: name → operation. */
  done = new Map<string, Operation>();

  private telling = new Telling();

  constructor(private readonly options: Pick<PluginOptions, "gateway" | "waitOptions">) {}

  preview(program: ReadonlyMap<string, Props>, order: Order = {}): Promise<void> {
    return new PluginStack(this.options)
      .copied(this)
      .run(program, order, true)
      .then(({ shown, done }) => void Object.assign(this, { shown, done }));
  }

  async up(program: ReadonlyMap<string, Props>, order: Order = {}): Promise<void> {
    await this.run(program, order, false);
  }

  async refresh(parallel = 16): Promise<void> {
    await this.readAll(this.begun(), parallel);
  }

  async destroy(): Promise<void> {
    const provider = this.begun();
    await this.retire(provider);
    for (const [name, { id, outputs }] of this.sets) {
      await provider.deleteSet(URN + name, id, wire(outputs));
      this.sets.delete(name);
    }
  }

  private async retire(provider: SetProvider): Promise<void> {
    for (const one of [...this.pendingDeletes]) {
      const [name, { id, outputs }] = one;
      await provider.deleteSet(URN + name, id, wire(outputs));
      this.pendingDeletes = this.pendingDeletes.filter((other) => other !== one);
    }
  }

  private copied({ sets, pendingDeletes }: PluginStack): this {
    this.sets = new Map(sets);
    this.pendingDeletes = [...pendingDeletes];
    return this;
  }

  private begun(): SetProvider {
    this.shown = [];
    this.done = new Map();
    const telling = new Telling();
    this.telling = telling;
    return new SetProvider({
      ...this.options,
      settled: () => telling.paused(),
      show: async (_, text) => void this.shown.push(text),
    });
  }

  private async run(program: ReadonlyMap<string, Props>, order: Order, isPreview: boolean): Promise<this> {
    const provider = this.begun();
    const { parallel = 16, late = [], replace = [], targets, refresh = false, aliases = {} } = order;
    if (refresh) await this.readAll(provider, parallel);
    for (const [name, old] of Object.entries(aliases)) {
      const state = this.sets.get(old);
      if (state) this.sets.set(name, state);
      this.sets.delete(old);
    }
    const before = new Map(this.sets);
    const workers = new Workers(parallel, this.telling);
    for (const [name, args] of program) {
      if (late.includes(name)) await workers.idle();
      if (workers.failed) break;
      const [urn, old] = [URN + name, before.get(name)];
      if (targets && !targets.includes(name)) {
        if (old) this.done.set(name, "same");
        continue;
      }
      let inputs = await this.check(provider, urn, old?.inputs ?? {}, args);
      const difference = old && (await provider.diffSet(urn, old.id, wire(old.outputs), wire(old.inputs), wire(inputs)));
      const isReplaced = old !== undefined && ((difference?.replaces.length ?? 0) > 0 || replace.includes(name));
      if (isReplaced) inputs = await this.check(provider, urn, {}, args);
      const operation = !old ? "create" : isReplaced ? "replace" : difference?.changes || old.unfinished ? "update" : "same";
      this.done.set(name, operation);
      await workers.submit(async () => {
        // The engine records the new inputs of an unchanged set.
        if (operation === "same" && old && !isPreview) this.sets.set(name, { ...old, inputs });
        if (operation === "same") return;
        await this.make(name, inputs, async () =>
          operation === "update" && old
            ? provider.updateSet(urn, old.id, wire(old.outputs), wire(inputs), isPreview)
            : provider.createSet(urn, wire(inputs), isPreview),
        );
        if (old && isReplaced) this.pendingDeletes.push([name, old]);
      });
    }
    await workers.idle();
    if (workers.failed) throw workers.failed;
    if (isPreview || targets) return this;
    const departed = [...before].filter(([name]) => !program.has(name));
    await this.retire(provider);
    for (const [name, { id, outputs }] of departed) {
      await provider.deleteSet(URN + name, id, wire(outputs));
      this.sets.delete(name);
    }
    return this;
  }

  private async check(provider: SetProvider, urn: string, olds: Props, args: Props): Promise<Props> {
    const { inputs, failures } = await provider.checkSet(urn, wire(olds), wire(args));
    if (failures.length > 0) throw new CheckFailed(failures);
    return stored(inputs);
  }

  private async make(name: string, inputs: Props, change: () => Promise<{ id: string; outs: Props }>): Promise<void> {
    try {
      const { id, outs } = await change();
      this.sets.set(name, { id, inputs, outputs: stored(outs), unfinished: false });
    } catch (error) {
      const { id, properties } = error as { id?: string; properties?: Props };
      if (id && properties) this.sets.set(name, { id, inputs, outputs: stored(properties), unfinished: true });
      throw error;
    }
  }

  private async readAll(provider: SetProvider, parallel: number): Promise<void> {
    const workers = new Workers(parallel, this.telling);
    for (const [name, { id, inputs, outputs }] of [...this.sets])
      await workers.submit(async () => {
        const read = await provider.readSet(URN + name, id, wire(inputs), wire(outputs));
        if (read.id === "") this.sets.delete(name);
        else this.sets.set(name, { id, inputs: stored(read.inputs), outputs: stored(read.outs), unfinished: false });
      });
    for (const [i, [name, state]] of this.pendingDeletes.entries())
      await workers.submit(async () => {
        const read = await provider.readSet(URN + name, state.id, wire(state.inputs), wire(state.outputs));
        if (read.id !== "") this.pendingDeletes[i] = [name, { ...state, outputs: stored(read.outs) }];
      });
    await workers.idle();
    if (workers.failed) throw workers.failed;
  }
}

/** The engine's workers: a step waits until one of them is free; after a failure no step begins. */
class Workers {
  failed: Error | undefined;
  private readonly running = new Set<Promise<void>>();

  constructor(
    private readonly parallel: number,
    private readonly telling: Telling,
  ) {}

  async submit(step: () => Promise<void>): Promise<void> {
    while (this.running.size >= this.parallel) await this.telling.pause(Promise.race(this.running));
    if (this.failed) return;
    const run = step()
      .catch((error: Error) => {
        this.failed ??= error;
      })
      .finally(() => this.running.delete(run));
    this.running.add(run);
  }

  async idle(): Promise<void> {
    while (this.running.size > 0) await this.telling.pause(Promise.race(this.running));
  }
}

/** Whether the engine tells of sets, or waits for the ones that it told of. */
class Telling {
  private isPaused = false;
  private waiting: (() => void)[] = [];

  /** Resolves when the engine waits. */
  paused(): Promise<void> {
    return this.isPaused ? Promise.resolve() : new Promise((resolve) => this.waiting.push(resolve));
  }

  async pause(until: Promise<void>): Promise<void> {
    this.isPaused = true;
    for (const resolve of this.waiting.splice(0)) resolve();
    await until;
    this.isPaused = false;
  }
}

/** Properties as the plugin reads them from the wire. */
function wire(props: object): Props {
  return { ...propertiesOf(structOf(props)) };
}

/** Properties as the state keeps them. */
function stored(props: object): Props {
  return structOf(props).toJavaScript() as Props;
}
