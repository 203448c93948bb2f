/** Splitting a list into groups of a bounded size. */

/** `items` in order, in groups of at most `size`; none for no items. */
export function batches<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}
