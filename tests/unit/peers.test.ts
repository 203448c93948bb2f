/** What the benchmark computes of other tools: numbers that were measured with their own code, and the time that EC2's limits need. */

import * as assert from "node:assert/strict";
import {
  ANSIBLE,
  AWS_CLI_LISTS,
  AWS_CLI_SINGLE,
  AWS_PROVIDER,
  leastSeconds,
  OPERATIONS,
  refillSeconds,
  type Size,
  total,
} from "../bench/peers";

const HUNDRED: Size = { accounts: 100, snapshots: 2, added: 10, removed: 5 };

/** In the order of OPERATIONS. Undefined: EC2 refuses a call. */
const totals = (formulas: typeof ANSIBLE, size: Size) =>
  OPERATIONS.map((operation) => {
    const calls = formulas[operation](size);
    return calls && total(calls);
  });

describe("the calls of other tools", () => {
  it("are those that the resources with one principal each were seen to make", () => {
    assert.deepEqual(totals(AWS_PROVIDER, HUNDRED), [200, 800, 300, 300, 320, 105, 840]);
    assert.deepEqual(totals(AWS_PROVIDER, { accounts: 1, snapshots: 2, added: 0, removed: 0 }), [2, 8, 3, 3, 3, 0, 8]);
  });

  it("are those that Ansible was seen to make, which EC2 refuses above 500 accounts", () => {
    assert.deepEqual(totals(ANSIBLE, HUNDRED), [5, 13, 5, 5, 5, 13, 11]);
    assert.deepEqual(totals(ANSIBLE, { ...HUNDRED, accounts: 501 }), [5, undefined, 5, 5, 5, undefined, 11]);
  });

  it("are one for each account and resource with single commands, and one for each 500 accounts with lists", () => {
    assert.deepEqual(totals(AWS_CLI_SINGLE, HUNDRED), [0, 300, 3, 3, 0, 45, 315]);
    assert.deepEqual(totals(AWS_CLI_LISTS, HUNDRED), [0, 3, 3, 3, 0, 5, 3]);
    assert.deepEqual(AWS_CLI_LISTS.create({ ...HUNDRED, accounts: 501 }), {
      ModifyImageAttribute: 1,
      ModifySnapshotAttribute: 4,
    });
  });

  it("take the time of the action that needs longest: each has its own bucket", () => {
    assert.equal(refillSeconds({ ModifyImageAttribute: 10, ModifySnapshotAttribute: 20, DescribeImageAttribute: 60 }), 4);
    assert.equal(refillSeconds({}), 0);
  });
});

describe("the least time that EC2's limits allow", () => {
  const reads = { DescribeSnapshotAttribute: 400 };
  const changes = { ModifySnapshotAttribute: 400 };

  it("is that of the action that needs longest, with full buckets at the beginning", () => {
    assert.equal(leastSeconds([{ ...reads, ...changes }], 1), 60);
    assert.equal(leastSeconds([{ ...reads, ...changes }], 2), 30);
    assert.equal(leastSeconds([{ ModifyImageAttribute: 50 }], 1), 0);
  });

  it("is the sum of phases that follow each other, each with the tokens that the one before it left", () => {
    assert.equal(leastSeconds([reads, changes], 1), 75);
    assert.equal(leastSeconds([reads, reads], 1), 35);
  });
});
