/** Counts the EC2 calls of each operation at the emulator, with the real CLIs, and compares them with the expected numbers. */

import { Emulator, type MadeImage } from "../helpers/emulator";
import { declaredSet, pluginProject, writeProgram } from "../helpers/pulumiPlugin";
import { PulumiProject } from "../helpers/pulumiProject";
import { TerraformProject } from "../helpers/terraformProject";
import { batches, OPERATIONS, type Operation, type Size } from "./peers";

export interface Count {
  readonly modify: number;
  /** Every call that changes nothing. */
  readonly describe: number;
}

export type EngineName = "Pulumi" | "plugin" | "Terraform";
export type Counts = Readonly<Partial<Record<Operation, Count>>>;

/** A set in one engine: who has access, and the commands that its users run. */
interface Engine {
  readonly declare: (accountIds: readonly string[]) => void;
  readonly operations: Readonly<Record<Operation, () => Promise<unknown>>>;
  readonly remove: () => void;
}

function operationsOf(project: PulumiProject): Engine["operations"] {
  return {
    "plan of the create": () => project.preview(),
    create: () => project.up(),
    "nothing to change": () => project.up(),
    refresh: () => project.refresh(),
    "plan of the update": () => project.preview(),
    update: () => project.up(),
    destroy: () => project.destroy(),
  };
}

/** `Pulumi`: the dynamic provider; `plugin`: the full one. */
const ENGINES: Readonly<Record<EngineName, (emulator: Emulator, image: MadeImage) => Promise<Engine>>> = {
  async Pulumi(emulator, { imageId }) {
    const project = await PulumiProject.create(emulator, { asUsersHaveIt: true });
    return {
      declare: (accountIds) => project.config({ imageId, accountIds, createVolumePermissions: true }),
      operations: operationsOf(project),
      remove: () => project.remove(),
    };
  },
  async plugin(emulator, { imageId }) {
    const project = await pluginProject(emulator);
    return {
      declare: (accountIds) =>
        writeProgram(project, declaredSet("golden", { imageId, accountIds, createVolumePermissions: true })),
      operations: operationsOf(project),
      remove: () => project.remove(),
    };
  },
  async Terraform(emulator, { imageId }) {
    const project = await TerraformProject.create(emulator, "");
    const plan = () => project.plan("-out=plan.bin");
    const applyPlan = () => project.succeed("apply", "plan.bin");
    return {
      declare: (account_ids) => project.declare({ golden: { image_id: imageId, account_ids, create_volume_permissions: {} } }),
      operations: {
        "plan of the create": plan,
        create: applyPlan,
        "nothing to change": () => project.plan(),
        refresh: () => project.plan("-refresh-only"),
        "plan of the update": plan,
        update: applyPlan,
        destroy: () => project.destroy(),
      },
      remove: () => project.remove(),
    };
  },
};

/** Counts the calls of an engine's operations. They run in order, each on the result of the one before. */
export async function countCalls(name: EngineName, size: Size, operations = OPERATIONS as readonly Operation[]): Promise<Counts> {
  const emulator = await Emulator.start();
  await emulator.configure({ entityQuota: size.accounts + size.added });
  const engine = await ENGINES[name](emulator, await emulator.image({ snapshots: size.snapshots }));
  const counts: Partial<Record<Operation, Count>> = {};
  try {
    const everybody = accounts(size.accounts + size.added);
    engine.declare(everybody.slice(0, size.accounts));
    for (const operation of operations) {
      if (operation === "plan of the update") engine.declare(everybody.slice(size.removed));
      await emulator.forgetCalls();
      await engine.operations[operation]();
      const calls = await emulator.calls();
      const modify = calls.filter(({ action }) => /^(Modify|Reset)/.test(action)).length;
      counts[operation] = { modify, describe: calls.length - modify };
    }
  } finally {
    engine.remove();
    await emulator.stop();
  }
  return counts;
}

/** The number of calls that an operation should make. */
export function expectedCount(name: EngineName, operation: Operation, size: Size): Count {
  const { accounts: n, snapshots: s, added: a, removed: r } = size;
  const look = 1 + s;
  // The AMI is read before its permissions.
  const plan = 1 + look;
  // Terraform refreshes before it plans a change or a destroy. It also plans once more when it applies a plan: the apply uses those reads.
  const looksFirst = name === "Terraform" ? look : 0;
  switch (operation) {
    case "plan of the create":
      return { modify: 0, describe: plan };
    case "create":
      return { modify: 1 + s * batches(n), describe: plan + look };
    case "nothing to change":
      return { modify: 0, describe: looksFirst };
    case "refresh":
      return { modify: 0, describe: look };
    case "plan of the update":
      return { modify: 0, describe: looksFirst + plan };
    case "update":
      return { modify: 1 + s * (batches(a) + batches(r)), describe: plan + look };
    case "destroy":
      // Recorded grants are removed by name. Then the provider waits until EC2 shows the change.
      return { modify: 1 + s * batches(n - r + a), describe: looksFirst + look };
  }
}

/** Distinct account ids. */
export function accounts(count: number): string[] {
  return Array.from({ length: count }, (_, i) => String(100_000_000_001 + i * 7_654_321));
}
