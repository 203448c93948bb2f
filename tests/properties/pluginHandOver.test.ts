/** Laws for programs with several sets by the full Pulumi provider, in every order in which the engine may tell of them: a change is refused or loses nobody. */

import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import type { Props } from "../helpers/memoryEngine";
import { MemoryGateway } from "../helpers/memoryGateway";
import { type Order, PluginStack } from "../helpers/pluginStack";
import { runs } from "./runs";

const ACCOUNTS = ["111122223333", "444455556666", "777788889999"] as const;
const NAMES = ["one", "two", "three"] as const;
const WAIT_OPTIONS = { timeout: 1, minDelay: 0.001, maxDelay: 0.002, absencePause: 0 };

interface Declared {
  readonly accountIds: readonly string[];
  readonly volumes: boolean;
  readonly exact: boolean;
}

const declared: fc.Arbitrary<Declared> = fc.record({
  accountIds: fc.subarray([...ACCOUNTS]),
  volumes: fc.boolean(),
  exact: fc.boolean(),
});
const program = fc.uniqueArray(fc.tuple(fc.constantFrom(...NAMES), declared), { selector: ([name]) => name });
const order = fc.record({
  parallel: fc.constantFrom(1, 2, 16),
  late: fc.subarray([...NAMES]),
  replace: fc.subarray([...NAMES], { maxLength: 1 }),
  refresh: fc.boolean(),
});

describe("the life of a program with several sets by the full Pulumi provider", function () {
  this.timeout(600_000);

  it("loses nobody whom it declares, or refuses; tells of all after a refresh; leaves nobody in the end", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(program, order), { minLength: 1, maxLength: 4 }), async (ups) => {
        const ec2 = new MemoryGateway();
        const { imageId, snapshotIds } = ec2.addImage(1);
        const pairs = () =>
          new Set([imageId, ...snapshotIds].flatMap((id) => [...ec2.grantees(id)].map((key) => `${id} ${key}`)));
        const stack = new PluginStack({ gateway: () => ec2, waitOptions: WAIT_OPTIONS });
        for (const [given, how] of ups) {
          const before = pairs();
          const exact = given.find(([, one]) => one.exact)?.[0];
          const wanted = new Set(
            given.flatMap(([, { accountIds, volumes }]) =>
              accountIds.flatMap((id) => [imageId, ...(volumes ? snapshotIds : [])].map((one) => `${one} account/${id}`)),
            ),
          );
          const sets = new Map(
            given.map(([name, { accountIds, volumes }]): [string, Props] => [
              name,
              {
                imageId,
                accountIds,
                ...(volumes ? { createVolumePermissions: true } : {}),
                ...(name === exact ? {} : { mode: "additive" }),
              },
            ]),
          );
          const keeps = [...wanted].filter((pair) => before.has(pair));
          const lost = new Set<string>();
          ec2.onChange = () => {
            for (const pair of keeps) if (!pairs().has(pair)) lost.add(pair);
          };
          // As its words say: with a refresh, and each set before those that depend on it.
          for (const attempt of [how, { ...how, refresh: true }, { refresh: true }, { refresh: true }] satisfies Order[]) {
            if (!(await refusalOf(stack.preview(sets, attempt))) && !(await refusalOf(stack.up(sets, attempt)))) break;
          }
          assert.deepEqual([...lost], [], "somebody lost access for a moment");
          assert.deepEqual([...pairs()].sort(), [...wanted].sort());
          // A set may have to revoke by name what another one, which left the program, has revoked already.
          await stack.up(sets);
          ec2.forgetCalls();
          await stack.up(sets, { parallel: how.parallel });
          assert.deepEqual(
            ec2.calls.filter(({ action }) => /^(Modify|Reset)/.test(action)),
            [],
          );
          assert.deepEqual([...pairs()].sort(), [...wanted].sort());
        }
        ec2.onChange = () => undefined;
        await stack.destroy();
        assert.deepEqual([...pairs()], [], "nobody is left");
      }),
      runs(60),
    );
  });
});

/** The refusal in which a run ended; undefined where it succeeded. */
function refusalOf(run: Promise<void>): Promise<string | undefined> {
  return run.then(
    () => undefined,
    (error: Error) => {
      if (!error.message.includes("[hand-over-incomplete]")) throw error;
      return error.message;
    },
  );
}
