/** The mark for a value that an engine does not know yet, such as an output of a resource that is still to be made. */

export const UNKNOWN = Symbol("unknown");

export type MaybeUnknown<T> = T | typeof UNKNOWN;
