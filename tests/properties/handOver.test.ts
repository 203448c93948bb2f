/** Properties of programs with several sets: an account that the program declares before and after a run never loses access, and a destroy leaves no access. */

import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import type { Props } from "../helpers/memoryEngine";
import { MemoryGateway } from "../helpers/memoryGateway";
import { MemoryStack, type Schedule } from "../helpers/memoryStack";
import { runs } from "./runs";

const ACCOUNTS = ["111122223333", "444455556666", "777788889999"] as const;
const STRANGER = "account/999900001111";
const WAIT_OPTIONS = { timeout: 1, minDelay: 0.001, maxDelay: 0.002, absencePause: 0 };

interface Declared {
  readonly image: 0 | 1;
  readonly accountIds: readonly string[];
  readonly volumes: boolean;
  readonly exact: boolean;
}

const declared: fc.Arbitrary<Declared> = fc.record({
  image: fc.constantFrom<0 | 1>(0, 0, 1),
  accountIds: fc.subarray([...ACCOUNTS]),
  volumes: fc.boolean(),
  exact: fc.boolean(),
});
const program = fc.uniqueArray(fc.tuple(fc.constantFrom("one", "two", "three"), declared), { selector: ([name]) => name });
const schedule: fc.Arbitrary<Schedule> = fc.record({
  inTurn: fc.boolean(),
  replace: fc.subarray(["one", "two", "three"]),
  backwards: fc.boolean(),
});

/** The sets of a program. At most one set of each AMI is authoritative: the first one that is drawn so. */
function sets(given: readonly (readonly [string, Declared])[]): { name: string; declared: Declared; exact: boolean }[] {
  const taken = new Set<number>();
  return given.map(([name, one]) => {
    const exact = one.exact && !taken.has(one.image);
    if (exact) taken.add(one.image);
    return { name, declared: one, exact };
  });
}

describe("a program with several sets", () => {
  it("never takes access from an account that it keeps declaring, and a destroy leaves no access", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(program, schedule, fc.boolean()), { minLength: 1, maxLength: 5 }), async (ups) => {
        const ec2 = new MemoryGateway();
        const images = [ec2.addImage(1), ec2.addImage(1)] as const;
        for (const { imageId, snapshotIds } of images) for (const id of [imageId, ...snapshotIds]) ec2.grantees(id).add(STRANGER);
        const stack = new MemoryStack({ gateway: () => ec2, waitOptions: WAIT_OPTIONS });
        let before = new Set<string>();
        const revokedStrangers = new Set<number>();
        for (const [given, how, refreshes] of ups) {
          const now = sets(given);
          const wanted = new Set<string>();
          for (const { declared: one, exact } of now) {
            const { imageId, snapshotIds } = images[one.image];
            if (exact) revokedStrangers.add(one.image);
            for (const account of one.accountIds)
              for (const id of [imageId, ...(one.volumes ? snapshotIds : [])]) wanted.add(`${id} account/${account}`);
          }
          const keeps = [...wanted].filter((pair) => before.has(pair));
          const lost = new Set<string>();
          ec2.onChange = () => {
            for (const pair of keeps) if (!pairs(ec2, images).has(pair)) lost.add(pair);
          };
          const args = now.map(({ name, declared: { image, accountIds, volumes }, exact }): [string, Props] => [
            name,
            {
              imageId: images[image].imageId,
              accountIds,
              ...(volumes ? { createVolumePermissions: true } : {}),
              ...(exact ? {} : { mode: "additive" }),
            },
          ]);
          await stack.up(new Map(args), how);
          assert.deepEqual([...lost], [], "somebody lost access for a moment");
          const has = pairs(ec2, images);
          for (const pair of wanted) assert.ok(has.has(pair), `${pair} is declared but has no access`);
          const extra = [...has].filter((pair) => !wanted.has(pair) && !pair.endsWith(STRANGER));
          assert.deepEqual(extra, [], "access that no set declares");
          if (refreshes) await stack.refresh();
          before = has;
        }
        ec2.onChange = () => undefined;
        await stack.destroy();
        const left = [...pairs(ec2, images)].filter((pair) => !pair.endsWith(STRANGER));
        assert.deepEqual(left, [], "access is left after the destroy");
        for (const [i, { imageId }] of images.entries())
          if (!revokedStrangers.has(i)) assert.ok(ec2.grantees(imageId).has(STRANGER), "grants of others stay");
      }),
      runs(300),
    );
  });
});

function pairs(ec2: MemoryGateway, images: readonly { imageId: string; snapshotIds: readonly string[] }[]): Set<string> {
  const ids = images.flatMap(({ imageId, snapshotIds }) => [imageId, ...snapshotIds]);
  return new Set(ids.flatMap((id) => [...ec2.grantees(id)].map((key) => `${id} ${key}`)));
}
