/** The number of EC2 calls that other tools need for the same work, and the lowest possible number. They are computed from the source of the tools, not measured. */

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

/** Changes and reads together. */
export type Formulas = Readonly<Record<Operation, (size: Size) => number>>;

/** One call for every 500 accounts on a snapshot. */
export const batches = (accounts: number) => Math.ceil(accounts / MAX_SNAPSHOT_CHANGES_PER_CALL);

/** hashicorp/terraform-provider-aws: an `aws_ami_launch_permission` for each account, and an `aws_snapshot_create_volume_permission` for each account and snapshot. */
export const AWS_PROVIDER: Formulas = {
  ...reading(({ accounts: n, snapshots: s }) => n + n * s),
  // Without a state, it has nothing to read.
  "plan of the create": () => 0,
  create: ({ accounts: n, snapshots: s }) => 2 * n + 2 * n * s,
  update: ({ added: a, removed: r, snapshots: s }) => 2 * a + r + 2 * s * (a + r),
  destroy: ({ accounts: n, snapshots: s }) => n + 2 * n * s,
};

/** ansible-collections/amazon.aws: ec2_ami, and ec2_snapshot for each snapshot, which takes 500 accounts in one call. */
export const ANSIBLE: Formulas = {
  ...reading(({ snapshots: s }) => 3 + s),
  create: upToOneBatch(({ snapshots: s }) => 1 + 2 * s),
  // To remove an account, it resets the snapshot and adds all accounts again.
  update: upToOneBatch(({ snapshots: s, removed }) => 7 + (removed > 0 ? 3 : 2) * s),
  destroy: upToOneBatch(({ snapshots: s }) => 7 + 2 * s),
};

/** aws/aws-cli with lists as arguments, used by somebody who knows which accounts to add and remove, and how many a call can have. */
export const AWS_CLI: Formulas = {
  ...reading(({ snapshots: s }) => 1 + s),
  create: ({ accounts: n, snapshots: s }) => 1 + s * batches(n),
  update: ({ added: a, removed: r, snapshots: s }) => 1 + s * (batches(a) + batches(r)),
  destroy: ({ accounts: n, snapshots: s }) => 1 + s * batches(n),
};

/** The least possible calls: the changes without any read, and one read of each resource if the operation only reads. */
export const LEAST: Formulas = { ...AWS_CLI, "nothing to change": () => 0 };

/** Operations that only read. If a tool has no plan, this is the read that a user makes first. */
function reading(look: (size: Size) => number) {
  return { "plan of the create": look, "nothing to change": look, refresh: look, "plan of the update": look };
}

/** EC2 refuses such a call, so there is no number. */
function upToOneBatch(calls: (size: Size) => number): (size: Size) => number {
  return (size) => (batches(size.accounts) > 1 ? Number.NaN : calls(size));
}
