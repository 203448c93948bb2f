/** The fleet: many sets in one program, on a local EC2 with EC2's request rate limits. It compares the time with what the limits allow. */

import { Emulator } from "../helpers/emulator";
import { accounts, type EngineName } from "./calls";
import { type Calls, isChange, leastSeconds, sum } from "./peers";
import { SETS } from "./sets";

export interface FleetSize {
  readonly sets: number;
  readonly accounts: number;
  readonly snapshots: number;
}

/** One operation on all sets. */
export interface FleetRow {
  readonly engine: EngineName;
  readonly operation: string;
  readonly modify: number;
  readonly describe: number;
  /** Calls that EC2 refused because of a limit. They are not in the other numbers. */
  readonly refused: number;
  readonly seconds: number;
  /** The least time that EC2's limits allow for these calls, with full buckets at the beginning. */
  readonly leastSeconds: number;
  /** The same, if the reads before the first change end before it, as in a plan. */
  readonly leastInOrder: number;
  /** AMIs that do not have exactly the accounts that are declared. */
  readonly wrong: number;
}

/**
 * Runs a create, a change of one account in every set, a refresh and a destroy.
 *
 * @param rate multiplies the refill rates of EC2's limits; 0: no limits
 */
export async function runFleet(engine: EngineName, size: FleetSize, rate: number): Promise<FleetRow[]> {
  const emulator = await Emulator.start();
  const images = await emulator.images(Array.from({ length: size.sets }, () => ({ snapshots: size.snapshots })));
  const fleet = await SETS[engine](emulator, images);
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
    const actions = made.map(({ action }) => action);
    const modify = actions.filter(isChange).length;
    const first = Math.max(0, actions.findIndex(isChange));
    const pairs = await emulator.pairs(images);
    const expected = images.flatMap(({ imageId, snapshotIds }) =>
      [imageId, ...snapshotIds].flatMap((id) => wanted.map((account) => `${id} account/${account}`)),
    );
    rows.push({
      ...{ engine, operation, modify, describe: made.length - modify, refused: refused.length, seconds },
      leastSeconds: leastSeconds([counted(actions)], rate),
      leastInOrder: leastSeconds([counted(actions.slice(0, first)), counted(actions.slice(first))], rate),
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

function counted(actions: readonly string[]): Calls {
  return sum(...actions.map((action) => ({ [action]: 1 })));
}

function differences(one: readonly string[], other: readonly string[]): number {
  const [a, b] = [new Set(one), new Set(other)];
  const different = [...one.filter((pair) => !b.has(pair)), ...other.filter((pair) => !a.has(pair))];
  return new Set(different.map((pair) => pair.split(" ")[0])).size;
}
