/** The placeholder for a value that the engine does not know yet, such as an output of a resource that is not created yet. */

export const UNKNOWN = Symbol("unknown");

export type MaybeUnknown<T> = T | typeof UNKNOWN;
