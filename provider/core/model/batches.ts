/** Splitting a list into groups, and running calls group by group. */

import { MAX_CONCURRENT_CALLS } from "./limits";

/** Splits `items` into groups of at most `size`. The order stays. */
export function batches<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}

/** Runs `each` for all items, group by group. If a call fails, it waits for the rest of the group, and then throws the first error. */
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
