/** A model of Pulumi's engine for a program with many sets: each run has one provider, and creates come before deletes. */

import { DynamicProvider, type ProviderOptions } from "../../provider/pulumi/dynamicProvider";
import { encodeContext } from "../../provider/pulumi/state";
import { CheckFailed, orPartial, type Props, type State, stored, withProvider } from "./memoryEngine";

const URN = "urn:pulumi:test::test::pulumi-nodejs:dynamic/ami-launch-permissions:AmiLaunchPermissionSet::";

/** The options of a run. */
export interface Schedule {
  /** Whether each operation ends before the next set is declared. */
  readonly inTurn: boolean;
  /** Sets to replace without a change of their arguments, as `--target-replace` and taint do. */
  readonly replace?: readonly string[];
  /** Whether sets that left the program are deleted in reverse order. */
  readonly backwards?: boolean;
}

/** The state of a stack: name → set. */
export class MemoryStack {
  sets = new Map<string, State>();

  constructor(private readonly options: ProviderOptions) {}

  /** Runs a program: the sets by name, in the order in which they are declared. */
  async up(program: ReadonlyMap<string, Props>, schedule: Schedule): Promise<void> {
    const provider = new DynamicProvider(this.options);
    const before = new Map(this.sets);
    const pending: State[] = [];
    const running: Promise<void>[] = [];
    for (const name of program.keys()) {
      const old = before.get(name);
      const inputs = await this.check(provider, name, old?.inputs ?? {}, program, before);
      if (!old) running.push(this.create(provider, name, inputs));
      else {
        const { changes, replaces = [] } = await provider.diff(old.id, stored(old.outputs), stored(inputs));
        if (replaces.length > 0 || schedule.replace?.includes(name)) {
          pending.push(old);
          running.push(this.create(provider, name, await this.check(provider, name, {}, program, before)));
        } else if (changes || old.unfinished) running.push(this.update(provider, name, inputs, old));
      }
      if (schedule.inTurn) await running.at(-1);
    }
    await Promise.all(running);
    const departed = [...before].filter(([name]) => !program.has(name));
    const deletes = [...pending, ...departed.map(([, state]) => state)];
    const each = (schedule.backwards ? deletes.reverse() : deletes).map(
      (state) => () => provider.delete(state.id, stored(state.outputs)),
    );
    if (schedule.inTurn) for (const one of each) await one();
    else await Promise.all(each.map((one) => one()));
    for (const [name] of departed) this.sets.delete(name);
  }

  async refresh(): Promise<void> {
    const provider = new DynamicProvider(this.options);
    for (const [name, { id, inputs, outputs }] of this.sets) {
      const read = await provider.read(id, stored(outputs));
      if (!read.id) this.sets.delete(name);
      else
        this.sets.set(name, {
          id,
          inputs: read.inputs ? withProvider(read.inputs) : inputs,
          outputs: withProvider(read.props ?? {}),
          unfinished: false,
        });
    }
  }

  async destroy(): Promise<void> {
    const provider = new DynamicProvider(this.options);
    for (const { id, outputs } of this.sets.values()) await provider.delete(id, stored(outputs));
    this.sets.clear();
  }

  private async check(
    provider: DynamicProvider,
    name: string,
    olds: Props,
    program: ReadonlyMap<string, Props>,
    before: ReadonlyMap<string, State>,
  ): Promise<Props> {
    const args = program.get(name) ?? {};
    const ofImage = [...before].filter(([, { outputs }]) => outputs.imageId === args.imageId);
    const recorded = Object.fromEntries(ofImage.map(([other, { outputs }]) => [URN + other, outputs]));
    const others = [...program].filter(([other, { imageId }]) => other !== name && imageId === args.imageId);
    const declared = Object.fromEntries(others.map(([other, given]) => [URN + other, given]));
    const news = withProvider({ ...args, __context: encodeContext({ urn: URN + name, recorded, declared }) });
    const { inputs, failures = [] } = await provider.check(stored(olds), news);
    if (failures.length > 0) throw new CheckFailed(failures);
    return withProvider(inputs ?? args);
  }

  private async create(provider: DynamicProvider, name: string, inputs: Props): Promise<void> {
    const { state, error } = await orPartial(inputs, async () => {
      const { id, outs } = await provider.create(stored(inputs));
      return { id, outputs: withProvider(outs ?? {}) };
    });
    this.sets.set(name, state);
    if (error) throw error;
  }

  private async update(provider: DynamicProvider, name: string, inputs: Props, old: State): Promise<void> {
    const { state, error } = await orPartial(inputs, async () => {
      const { outs } = await provider.update(old.id, stored(old.outputs), stored(inputs));
      return { id: old.id, outputs: withProvider(outs ?? {}) };
    });
    this.sets.set(name, state);
    if (error) throw error;
  }
}
