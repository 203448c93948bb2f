/** A model of Pulumi's engine for one dynamic resource: state, checks, diffs, replacements and partial failures. */

import type { DynamicProvider } from "../../provider/pulumi/dynamicProvider";

export type Props = Record<string, unknown>;

export interface State {
  readonly id: string;
  readonly inputs: Props;
  readonly outputs: Props;
  /** Whether the last operation recorded a partial failure. If so, the next up repeats it. */
  readonly unfinished: boolean;
}

export interface Plan {
  readonly operation: "create" | "update" | "replace" | "same";
  readonly inputs: Props;
}

interface PartialFailure extends Error {
  readonly id: string;
  readonly properties: Props;
  readonly reasons: string[];
}

export class CheckFailed extends Error {
  constructor(readonly failures: readonly { property: string; reason: string }[]) {
    super(failures.map(({ property, reason }) => `${property}: ${reason}`).join("\n"));
  }
}

const SHIM = "the provider's text";

/**
 * Behaves as pkg/resource/deploy and sdk/nodejs/cmd/dynamic-provider: stored values are converted to JSON and back; `check` gets the old
 * inputs, and `diff` the old outputs; `__provider` is one of the properties; a replacement is checked again, and created before the old
 * one is deleted; a failed create or update whose error has an id is recorded.
 */
export class MemoryEngine {
  state: State | undefined;
  /** The old resources that were replaced and are not deleted yet. */
  pendingDeletes: State[] = [];

  constructor(private readonly provider: DynamicProvider) {}

  async preview(args: Props): Promise<Plan> {
    const old = this.state;
    const inputs = await this.check(old?.inputs ?? {}, args);
    if (!old) return { operation: "create", inputs };
    const { changes, replaces = [] } = await this.provider.diff(old.id, stored(old.outputs), stored(inputs));
    if (replaces.length > 0) return { operation: "replace", inputs: await this.check({}, args) };
    return { operation: changes || old.unfinished ? "update" : "same", inputs };
  }

  async up(args: Props): Promise<Plan> {
    await this.deletePending();
    const plan = await this.preview(args);
    const old = this.state;
    if (plan.operation === "create" || plan.operation === "replace") {
      await this.make(plan.inputs, old);
      await this.deletePending();
    } else if (plan.operation === "update" && old) await this.update(plan.inputs, old);
    return plan;
  }

  async refresh(): Promise<void> {
    const old = this.state;
    if (!old) return;
    const { id, props, inputs } = await this.provider.read(old.id, stored(old.outputs));
    this.state = id
      ? { id, outputs: withProvider(props), inputs: inputs ? withProvider(inputs) : old.inputs, unfinished: false }
      : undefined;
  }

  async destroy(): Promise<void> {
    await this.deletePending();
    if (this.state) await this.provider.delete(this.state.id, stored(this.state.outputs));
    this.state = undefined;
  }

  private async check(olds: Props, args: Props): Promise<Props> {
    const { inputs, failures = [] } = await this.provider.check(stored(olds), withProvider(args));
    if (failures.length > 0) throw new CheckFailed(failures);
    return withProvider(inputs ?? args);
  }

  private async make(inputs: Props, replaced: State | undefined): Promise<void> {
    const made = await orPartial(inputs, async () => {
      const { id, outs } = await this.provider.create(stored(inputs));
      return { id, outputs: withProvider(outs ?? {}) };
    });
    this.state = made.state;
    if (replaced) this.pendingDeletes.push(replaced);
    if (made.error) throw made.error;
  }

  private async update(inputs: Props, old: State): Promise<void> {
    const updated = await orPartial(inputs, async () => {
      const { outs } = await this.provider.update(old.id, stored(old.outputs), stored(inputs));
      return { id: old.id, outputs: withProvider(outs ?? {}) };
    });
    this.state = updated.state;
    if (updated.error) throw updated.error;
  }

  private async deletePending(): Promise<void> {
    for (const old of [...this.pendingDeletes]) {
      await this.provider.delete(old.id, stored(old.outputs));
      this.pendingDeletes = this.pendingDeletes.filter((one) => one !== old);
    }
  }
}

/** Runs a create or an update. If it fails with an error that has a state, returns that state. Throws any other error. */
export async function orPartial(
  inputs: Props,
  operation: () => Promise<Pick<State, "id" | "outputs">>,
): Promise<{ state: State; error?: PartialFailure }> {
  try {
    return { state: { ...(await operation()), inputs, unfinished: false } };
  } catch (error) {
    const failed = error as PartialFailure;
    if (!failed.id) throw error;
    if (!failed.properties.__provider) throw new Error("a partial failure has to carry __provider");
    return { state: { id: failed.id, inputs, outputs: stored(failed.properties), unfinished: true }, error: failed };
  }
}

export function withProvider(props: Props): Props {
  return stored({ ...props, __provider: SHIM });
}

/** A value after it went through the engine. */
export function stored(props: Props): Props {
  return JSON.parse(JSON.stringify(props));
}
