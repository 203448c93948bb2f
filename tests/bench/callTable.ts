/** The table of calls: for every operation, the EC2 calls that each set should make, and those that the local EC2 counted. */

import { Emulator, type MadeImage } from "../helpers/emulator";
import { accounts, type EngineName, expectedCount } from "./calls";
import { OPERATIONS, type Operation } from "./peers";
import { SETS, type Sets } from "./sets";

/** The accounts of each set: how many at first, and how many the update adds and removes. More than one request for a snapshot can hold. */
export interface Accounts {
  readonly accounts: number;
  readonly added: number;
  readonly removed: number;
}

/** One operation on all sets of a program. */
export interface TableRow {
  readonly engine: EngineName;
  readonly operation: Operation;
  readonly sets: number;
  /** The sets whose calls for their AMI and snapshots differ from the expected numbers: which numbers, and which ones were expected. */
  readonly wrong: readonly string[];
  readonly modify: number;
  /** Calls that read who has access to one AMI or snapshot. */
  readonly attributes: number;
  /** DescribeImages calls: sets share them. */
  readonly images: number;
  /** DescribeImages calls if no set shared one. */
  readonly imagesAlone: number;
  /** Calls of other actions. */
  readonly others: readonly string[];
}

const RUN: Readonly<Record<Operation, (sets: Sets) => Promise<unknown>>> = {
  "plan of the create": (sets) => sets.plan(),
  create: (sets) => sets.apply(),
  "nothing to change": (sets) => sets.apply(),
  refresh: (sets) => sets.refresh(),
  "plan of the update": (sets) => sets.plan(),
  update: (sets) => sets.apply(),
  destroy: (sets) => sets.destroy(),
};

/** Runs all operations on one set for each number in `snapshots`. */
export async function countTable(engine: EngineName, snapshots: readonly number[], size: Accounts): Promise<TableRow[]> {
  const emulator = await Emulator.start();
  await emulator.configure({ entityQuota: size.accounts + size.added });
  const images = await emulator.images(snapshots.map((count) => ({ snapshots: count })));
  const sets = await SETS[engine](emulator, images);
  const rows: TableRow[] = [];
  try {
    const everybody = accounts(size.accounts + size.added);
    sets.declare(everybody.slice(0, size.accounts));
    for (const operation of OPERATIONS) {
      if (operation === "plan of the update") sets.declare(everybody.slice(size.removed));
      await emulator.forgetCalls();
      await RUN[operation](sets);
      rows.push(await row(engine, operation, emulator, images, size));
    }
  } finally {
    sets.remove();
    await emulator.stop();
  }
  return rows;
}

async function row(
  engine: EngineName,
  operation: Operation,
  emulator: Emulator,
  images: readonly MadeImage[],
  size: Accounts,
): Promise<TableRow> {
  const calls = await emulator.calls();
  const isChange = (action: string) => /^(Modify|Reset)/.test(action);
  const isAttribute = (action: string) => /^Describe(Image|Snapshot)Attribute$/.test(action);
  const modify = calls.filter(({ action }) => isChange(action));
  const attributes = calls.filter(({ action }) => isAttribute(action));
  const described = calls.filter(({ action }) => action === "DescribeImages");
  const expected = images.map(({ snapshotIds }) => expectedCount(engine, operation, { ...size, snapshots: snapshotIds.length }));
  // A plan and a change describe the AMI once. Every other read is of one AMI's or snapshot's attribute.
  const describesImage = /create|update/.test(operation) ? 1 : 0;
  const wrong = images.flatMap(({ imageId, snapshotIds }, i) => {
    const own = new Set([imageId, ...snapshotIds]);
    const made = [modify, attributes].map((some) => some.filter(({ resource }) => own.has(resource)).length);
    const should = [expected[i]?.modify ?? 0, (expected[i]?.describe ?? 0) - describesImage];
    const same = made.every((count, j) => count === should[j]);
    return same ? [] : [`${snapshotIds.length} snapshots: ${made.join(" + ")}, not ${should.join(" + ")}`];
  });
  return {
    ...{ engine, operation, sets: images.length, wrong },
    ...{ modify: modify.length, attributes: attributes.length, images: described.length },
    imagesAlone: describesImage * images.length,
    others: calls
      .map(({ action }) => action)
      .filter((action) => !isChange(action) && !isAttribute(action) && action !== "DescribeImages"),
  };
}
