/** How time and memory grow with the accounts of one set, on both engines. Linear growth is a ratio of at most that of the accounts. */

import { Emulator } from "../helpers/emulator";
import { PulumiProject } from "../helpers/pulumiProject";
import { TerraformProject } from "../helpers/terraformProject";
import { accounts } from "./calls";
import { DYNAMIC_PROVIDER, Peaks, PROGRAM, TERRAFORM_PROVIDER } from "./peaks";

/** One command on a set of an AMI with two snapshots. */
export interface GrowthRow {
  readonly command: string;
  readonly accounts: number;
  readonly seconds: number;
  /** Megabytes, at the peak. Terraform runs no program. */
  readonly program: number;
  readonly provider: number;
}

/** Measures each engine with each number of accounts. */
export async function measureGrowth(counts: readonly number[]): Promise<GrowthRow[]> {
  const emulator = await Emulator.start();
  const memory = new Peaks();
  const rows: GrowthRow[] = [];
  const measure = async (command: string, count: number, provider: RegExp, run: () => Promise<unknown>) => {
    const began = performance.now();
    const of = await memory.during(run);
    const seconds = (performance.now() - began) / 1000;
    rows.push({ command, accounts: count, seconds, program: of(PROGRAM), provider: of(provider) });
  };
  try {
    // The default quota is 1,000.
    await emulator.configure({ entityQuota: 2 * Math.max(...counts) });
    for (const count of counts) {
      const [some, other] = [accounts(count), accounts(count + 1).slice(1)];
      const pulumi = await PulumiProject.create(emulator, { env: memory.env });
      const terraform = await TerraformProject.create(emulator, "", { env: memory.env });
      try {
        const { imageId } = await emulator.image({ snapshots: 2 });
        const declare = (accountIds: readonly string[]) => pulumi.config({ imageId, accountIds, createVolumePermissions: true });
        const ofPulumi = (command: string, run: () => Promise<unknown>) =>
          measure(`pulumi ${command}`, count, DYNAMIC_PROVIDER, run);
        declare(some);
        await ofPulumi("preview of the create", () => pulumi.preview());
        await ofPulumi("up", () => pulumi.up());
        await ofPulumi("preview, nothing to change", () => pulumi.preview());
        declare(other);
        await ofPulumi("preview of 1 change", () => pulumi.preview());
        await ofPulumi("refresh", () => pulumi.refresh());
        await ofPulumi("destroy", () => pulumi.destroy());
      } finally {
        pulumi.remove();
      }
      try {
        const { imageId: image_id } = await emulator.image({ snapshots: 2 });
        const declare = (account_ids: readonly string[]) =>
          terraform.declare({ golden: { image_id, account_ids, create_volume_permissions: {} } });
        const ofTerraform = (command: string, run: () => Promise<unknown>) =>
          measure(`terraform ${command}`, count, TERRAFORM_PROVIDER, run);
        declare(some);
        await ofTerraform("plan of the create", () => terraform.plan());
        await ofTerraform("apply", () => terraform.apply());
        await ofTerraform("plan, nothing to change", () => terraform.plan());
        declare(other);
        await ofTerraform("plan of 1 change", () => terraform.plan());
        await ofTerraform("destroy", () => terraform.destroy());
      } finally {
        terraform.remove();
      }
    }
    return rows.sort((a, b) => (a.command < b.command ? -1 : a.command > b.command ? 1 : a.accounts - b.accounts));
  } finally {
    memory.remove();
    await emulator.stop();
  }
}
