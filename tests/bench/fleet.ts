/** The fleet: many sets in one program, on a local EC2 with EC2's request rate limits. It compares the time with what the limits allow. */

import { publishedBucket } from "../../provider/core/aws/pacing";
import { Emulator, type MadeImage } from "../helpers/emulator";
import { PulumiProject } from "../helpers/pulumiProject";
import { TerraformProject } from "../helpers/terraformProject";
import { accounts } from "./calls";

export type FleetEngine = "Pulumi" | "Terraform";

export interface FleetSize {
  readonly sets: number;
  readonly accounts: number;
  readonly snapshots: number;
}

/** One operation on all sets. */
export interface FleetRow {
  readonly engine: FleetEngine;
  readonly operation: string;
  readonly modify: number;
  readonly describe: number;
  /** Calls that EC2 refused because of a limit. They are not in the other numbers. */
  readonly refused: number;
  readonly seconds: number;
  /** The least time that EC2's limits allow for these calls, with full buckets at the beginning. */
  readonly leastSeconds: number;
  /** AMIs that do not have exactly the accounts that are declared. */
  readonly wrong: number;
}

interface Fleet {
  readonly declare: (accountIds: readonly string[]) => void;
  readonly apply: () => Promise<unknown>;
  readonly refresh: () => Promise<unknown>;
  readonly destroy: () => Promise<unknown>;
  readonly remove: () => void;
}

const PROGRAM = `import * as pulumi from "@pulumi/pulumi";
import { AmiLaunchPermissionSet } from "ami-launch-permissions";
const config = new pulumi.Config();
const accountIds = config.requireObject<string[]>("accountIds");
for (const imageId of config.requireObject<string[]>("imageIds"))
  new AmiLaunchPermissionSet(imageId, { imageId, accountIds, createVolumePermissions: true });
`;

const FLEETS: Readonly<Record<FleetEngine, (emulator: Emulator, images: readonly MadeImage[]) => Promise<Fleet>>> = {
  async Pulumi(emulator, images) {
    const project = await PulumiProject.create(emulator, { program: PROGRAM, asUsersHaveIt: true });
    return {
      declare: (accountIds) => project.config({ imageIds: images.map(({ imageId }) => imageId), accountIds }),
      apply: () => project.up(),
      refresh: () => project.refresh(),
      destroy: () => project.destroy(),
      remove: () => project.remove(),
    };
  },
  async Terraform(emulator, images) {
    const project = await TerraformProject.create(emulator, "");
    return {
      declare: (account_ids) =>
        project.write(
          "sets.tf.json",
          JSON.stringify({
            resource: {
              ami_launch_permission_set: Object.fromEntries(
                images.map(({ imageId: image_id }) => [image_id, { image_id, account_ids, create_volume_permissions: {} }]),
              ),
            },
          }),
        ),
      apply: () => project.apply(),
      refresh: () => project.plan("-refresh-only"),
      destroy: () => project.destroy(),
      remove: () => project.remove(),
    };
  },
};

/**
 * Runs a create, a change of one account in every set, a refresh and a destroy.
 *
 * @param rate multiplies the refill rates of EC2's limits; 0: no limits
 */
export async function runFleet(engine: FleetEngine, size: FleetSize, rate: number): Promise<FleetRow[]> {
  const emulator = await Emulator.start();
  const images = await emulator.images(Array.from({ length: size.sets }, () => ({ snapshots: size.snapshots })));
  const fleet = await FLEETS[engine](emulator, images);
  const all = accounts(size.accounts + 1);
  const rows: FleetRow[] = [];
  const measure = async (operation: string, wanted: readonly string[], run: () => Promise<unknown>) => {
    await emulator.forgetCalls();
    // Setting the rate fills the buckets.
    await emulator.configure({ bucketRate: rate });
    const began = performance.now();
    await run();
    const seconds = (performance.now() - began) / 1000;
    await emulator.configure({ bucketRate: 0 });
    const calls = await emulator.calls();
    const refused = calls.filter(({ code }) => code === "RequestLimitExceeded");
    const made = calls.filter(({ code }) => code !== "RequestLimitExceeded");
    const counts = new Map<string, number>();
    for (const { action } of made) counts.set(action, (counts.get(action) ?? 0) + 1);
    const modify = made.filter(({ action }) => /^(Modify|Reset)/.test(action)).length;
    const pairs = await emulator.pairs(images);
    const expected = images.flatMap(({ imageId, snapshotIds }) =>
      [imageId, ...snapshotIds].flatMap((id) => wanted.map((account) => `${id} account/${account}`)),
    );
    rows.push({
      ...{ engine, operation, modify, describe: made.length - modify, refused: refused.length, seconds },
      leastSeconds: leastSeconds(counts, rate),
      wrong: differences(pairs, expected),
    });
  };
  try {
    const [first, second] = [all.slice(1), all.slice(0, -1)];
    fleet.declare(first);
    await measure("create", first, fleet.apply);
    fleet.declare(second);
    await measure("change one account", second, fleet.apply);
    await measure("refresh", second, fleet.refresh);
    await measure("destroy", [], fleet.destroy);
  } finally {
    fleet.remove();
    await emulator.stop();
  }
  return rows;
}

function leastSeconds(counts: ReadonlyMap<string, number>, rate: number): number {
  if (rate === 0) return 0;
  return Math.max(
    ...[...counts].map(([action, count]) => {
      const { size, perSecond } = publishedBucket(action);
      return Math.max(0, count - size) / (perSecond * rate);
    }),
  );
}

function differences(one: readonly string[], other: readonly string[]): number {
  const [a, b] = [new Set(one), new Set(other)];
  const different = [...one.filter((pair) => !b.has(pair)), ...other.filter((pair) => !a.has(pair))];
  return new Set(different.map((pair) => pair.split(" ")[0])).size;
}
