/** Short text for long lists. */

/** The first few items, and how many more. */
export function firstFew(items: readonly string[], most: number): string {
  const more = items.length - most;
  return items.slice(0, most).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

export function countedGrantees(count: number): string {
  return count === 1 ? "1 grantee" : `${count} grantees`;
}
