/** What kind of call an AWS action is, by its name. */

import { REQUEST_BUCKETS, type RequestBucket } from "../model";

/** Whether a call only reads. */
export function isRead(action: string): boolean {
  return /^(Describe|Get|List|Assume)/.test(action);
}

/** The published bucket of an action of EC2. */
export function publishedBucket(action: string): RequestBucket {
  const { read, change, ...named } = REQUEST_BUCKETS;
  const own: Readonly<Record<string, RequestBucket>> = named;
  return own[action] ?? (isRead(action) ? read : change);
}
