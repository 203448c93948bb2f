/** A list in words that stays short: the first few, and how many more. */

export function firstFew(items: readonly string[], most: number): string {
  const more = items.length - most;
  return items.slice(0, most).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
