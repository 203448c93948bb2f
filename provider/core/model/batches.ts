/** Splitting a list into groups of a bounded size, and running calls a group at a time. */

import { MAX_CONCURRENT_CALLS } from "./limits";

/** `items` in order, in groups of at most `size`; none for no items. */
export function batches<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}

/** Runs `each` for all items, a group at a time; throws the first failure once its group has ended. */
export async function inGroups<Item, Result>(items: readonly Item[], each: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (const group of batches(items, MAX_CONCURRENT_CALLS)) {
    const settled = await Promise.allSettled(group.map(each));
    for (const outcome of settled) {
      if (outcome.status === "rejected") throw outcome.reason;
      results.push(outcome.value);
    }
  }
  return results;
}
