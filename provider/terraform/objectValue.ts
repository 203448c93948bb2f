/** The types of Terraform's values. */

import type { UNKNOWN } from "../core";

/** A value of Terraform. null: not set. Arrays: sets and lists. {@link UNKNOWN}: known after apply. */
export type Value = null | boolean | number | string | typeof UNKNOWN | readonly Value[] | ObjectValue;

/** An object or a map. An object has a member for each attribute. */
export interface ObjectValue {
  readonly [name: string]: Value;
}
