/** The EC2 calls that other tools make for the same work, and the lowest possible number. They are computed from the source of the tools; `tools.ts` runs some of them. */

import { publishedBucket } from "../../provider/core/aws/actions";
import { MAX_SNAPSHOT_CHANGES_PER_CALL } from "../../provider/core/model/limits";

export interface Size {
  readonly accounts: number;
  readonly snapshots: number;
  /** How many accounts an update adds, and how many it removes. */
  readonly added: number;
  readonly removed: number;
}

export const OPERATIONS = [
  "plan of the create",
  "create",
  "nothing to change",
  "refresh",
  "plan of the update",
  "update",
  "destroy",
] as const;
export type Operation = (typeof OPERATIONS)[number];

/** The number of calls by action. */
export type Calls = Readonly<Record<string, number>>;

/** Undefined: EC2 would refuse a call. */
export type Formulas = Readonly<Record<Operation, (size: Size) => Calls | undefined>>;

/** One call for every 500 accounts on a snapshot. */
export const batches = (accounts: number) => Math.ceil(accounts / MAX_SNAPSHOT_CHANGES_PER_CALL);

/** The accounts that a destroy finds: those of the create and of the update. */
const left = ({ accounts, added, removed }: Size) => accounts + added - removed;

/**
 * hashicorp/terraform-provider-aws, internal/service/ec2: an `aws_ami_launch_permission` for each account (ec2_ami_launch_permission.go), and an
 * `aws_snapshot_create_volume_permission` for each account and snapshot (ebs_snapshot_create_volume_permission.go). These are the least calls:
 * the second resource reads until a change shows. Its CustomizeDiff reads the owner of the snapshot for each new resource, in the plan, and again
 * in the plan that Terraform makes when it applies.
 */
export const AWS_PROVIDER: Formulas = (() => {
  const look = (n: number, s: number): Calls => ({ DescribeImageAttribute: n, DescribeSnapshotAttribute: n * s });
  const owners = (n: number, s: number): Calls => ({ DescribeSnapshots: n * s });
  const add = (n: number, s: number) => sum(owners(n, s), changes(n, n * s), look(n, s));
  const remove = (n: number, s: number) => sum(changes(n, n * s), { DescribeSnapshotAttribute: n * s });
  return {
    "plan of the create": ({ accounts: n, snapshots: s }) => owners(n, s),
    create: ({ accounts: n, snapshots: s }) => add(n, s),
    "nothing to change": ({ accounts: n, snapshots: s }) => look(n, s),
    refresh: ({ accounts: n, snapshots: s }) => look(n, s),
    "plan of the update": ({ accounts: n, added: a, snapshots: s }) => sum(look(n, s), owners(a, s)),
    update: ({ added: a, removed: r, snapshots: s }) => sum(add(a, s), remove(r, s)),
    destroy: (size) => sum(look(left(size), size.snapshots), remove(left(size), size.snapshots)),
  };
})();

/**
 * ansible-collections/amazon.aws 10: ec2_ami, which reads the AMI and two of its attributes before and after a change, and ec2_snapshot with
 * `purge_create_vol_permission` for each snapshot: it resets the snapshot before it adds all accounts, in one call. The plan is `--check`.
 */
export const ANSIBLE: Formulas = (() => {
  const image: Calls = { DescribeImages: 1, DescribeImageAttribute: 2 };
  const look = ({ snapshots: s }: Size) => sum(image, { DescribeSnapshotAttribute: s });
  const change = (size: Size) =>
    batches(Math.max(size.accounts, left(size))) > 1
      ? undefined
      : sum(look(size), image, changes(1, size.snapshots), { ResetSnapshotAttribute: size.snapshots });
  return {
    "plan of the create": look,
    create: change,
    "nothing to change": look,
    refresh: look,
    "plan of the update": look,
    update: change,
    destroy: (size) => sum(look(size), image, changes(1, 0), { ResetSnapshotAttribute: size.snapshots }),
  };
})();

const look = ({ snapshots: s }: Size): Calls => ({ DescribeImageAttribute: 1, DescribeSnapshotAttribute: s });
const nothing = (): Calls => ({});

/** aws/aws-cli with a command for each account, as EC2's user guide shows. It has no plan: somebody knows what to add and remove, or looks. */
export const AWS_CLI_SINGLE: Formulas = {
  "plan of the create": nothing,
  create: ({ accounts: n, snapshots: s }) => changes(n, n * s),
  "nothing to change": look,
  refresh: look,
  "plan of the update": nothing,
  update: ({ added: a, removed: r, snapshots: s }) => changes(a + r, (a + r) * s),
  destroy: (size) => changes(left(size), left(size) * size.snapshots),
};

/** The same with lists as arguments, by somebody who also knows how many accounts a call can have. */
export const AWS_CLI_LISTS: Formulas = {
  ...AWS_CLI_SINGLE,
  create: ({ accounts: n, snapshots: s }) => changes(1, s * batches(n)),
  update: ({ added: a, removed: r, snapshots: s }) => changes(1, s * (batches(a) + batches(r))),
  destroy: (size) => changes(1, size.snapshots * batches(left(size))),
};

/** The least possible calls: the changes without any read, and one read of each resource if the operation only reads. */
export const LEAST: Formulas = { ...AWS_CLI_LISTS, "nothing to change": nothing };

export function total(calls: Calls): number {
  return Object.values(calls).reduce((all, count) => all + count, 0);
}

/** The calls that change something. */
export function modifying(calls: Calls): number {
  return total(Object.fromEntries(Object.entries(calls).filter(([action]) => isChange(action))));
}

export function isChange(action: string): boolean {
  return /^(Modify|Reset)/.test(action);
}

/** Adds up calls, action by action. */
export function sum(...all: readonly Calls[]): Calls {
  const added: Record<string, number> = {};
  for (const calls of all) for (const [action, count] of Object.entries(calls)) added[action] = (added[action] ?? 0) + count;
  return added;
}

/** How long EC2 takes to refill what the calls take from its buckets, in seconds: calls ÷ rate of the action that takes longest. */
export function refillSeconds(calls: Calls): number {
  return Math.max(0, ...Object.entries(calls).map(([action, count]) => count / publishedBucket(action).perSecond));
}

/**
 * How long calls take at least, in seconds. Each action has its own bucket, which is full at the beginning.
 *
 * @param phases each begins when the one before it has ended
 * @param rate multiplies the refill rates of EC2's limits; 0: no limits
 */
export function leastSeconds(phases: readonly Calls[], rate = 1): number {
  if (rate === 0) return 0;
  const tokens = new Map<string, number>();
  let seconds = 0;
  for (const calls of phases) {
    const buckets = Object.entries(calls).map(([action, count]) => {
      const { size, perSecond } = publishedBucket(action);
      return { action, size, perSecond: perSecond * rate, left: (tokens.get(action) ?? size) - count };
    });
    const phase = Math.max(0, ...buckets.map(({ left, perSecond }) => -left / perSecond));
    for (const { action, size, perSecond, left } of buckets) tokens.set(action, Math.min(size, left + phase * perSecond));
    seconds += phase;
  }
  return seconds;
}

function changes(onImage: number, onSnapshots: number): Calls {
  return { ModifyImageAttribute: onImage, ModifySnapshotAttribute: onSnapshots };
}
