/** What `--fail-on` can name. */

export const ALL_RISKS = ["broadens", "public", "revokes"] as const;

/**
 * `broadens`: access beyond launch permission for single accounts. `public`: everybody gets access, or has it. `revokes`: somebody loses
 * access.
 */
export type Risk = (typeof ALL_RISKS)[number];
