/** Several sets of one AMI by the full Pulumi provider, in the orders in which the engine can tell of them. */

import * as assert from "node:assert/strict";
import { SetProvider } from "../../provider/pulumi-plugin/setProvider";
import type { Props } from "../helpers/memoryEngine";
import { MemoryGateway } from "../helpers/memoryGateway";
import { PluginStack } from "../helpers/pluginStack";

const [A, B, C, D] = ["111122223333", "444455556666", "777788889999", "999900001111"] as const;
const WAIT_OPTIONS = { timeout: 0.05, minDelay: 0.001, maxDelay: 0.002, absencePause: 0 };

describe("several sets of one AMI by the full Pulumi provider", () => {
  let ec2: MemoryGateway;
  let stack: PluginStack;
  let imageId: string;
  let lost: string[];
  beforeEach(() => {
    ec2 = new MemoryGateway();
    imageId = ec2.addImage(1).imageId;
    stack = new PluginStack({ gateway: () => ec2, waitOptions: WAIT_OPTIONS });
    lost = [];
    ec2.onChange = (_, __, removed) => lost.push(...removed);
  });

  const additive = (...accountIds: string[]): Props => ({ imageId, accountIds, mode: "additive" });
  const exact = (...accountIds: string[]): Props => ({ imageId, accountIds });
  const program = (sets: Record<string, Props>) => new Map(Object.entries(sets));
  const launchers = () => [...ec2.grantees(imageId)].map((key) => key.replace("account/", "")).sort();
  const failing = (run: Promise<void>) =>
    run.then(
      () => assert.fail("it was expected to fail"),
      ({ message }: Error) => message,
    );

  for (const [what, order] of [
    ["that depends on a slow resource", { late: ["two"] }],
    ["with --parallel 1", { parallel: 1 }],
    ["without the other as a target", { targets: ["one"] }],
  ] as const) {
    const now = () => program({ one: additive(A), between: additive(C), two: additive(B) });

    it(`refuses to take what another set owns ${what}, until a refresh tells of that one`, async () => {
      await stack.up(program({ one: additive(A, B), between: additive(C), two: additive(B) }));
      for (const run of [() => stack.preview(now(), order), () => stack.up(now(), order)])
        assert.match(await failing(run()), /set "two" .*pulumi up --refresh.*\[hand-over-incomplete\]/);
      assert.deepEqual(lost, []);
      const { targets: _, ...all } = { targets: [], ...order };
      await stack.preview(now(), { ...all, refresh: true });
      await stack.up(now(), { ...all, refresh: true });
      assert.deepEqual([lost, launchers()], [[], [A, B, C]]);
      await stack.destroy();
      assert.deepEqual(launchers(), []);
    });
  }

  it("gives again what was taken before the engine told of the set that declares it; the preview refuses", async () => {
    await stack.up(program({ one: additive(A, B) }));
    // The record of the first set says nothing of the second one.
    await stack.up(program({ one: additive(A, B), two: additive(B) }));
    const now = program({ one: additive(A), two: additive(B) });
    assert.match(await failing(stack.preview(now, { late: ["two"] })), /set "one" .*dependsOn.*\[hand-over-incomplete\]/);
    assert.deepEqual(lost, []);
    await stack.up(now, { late: ["two"] });
    assert.equal(stack.done.get("two"), "update");
    assert.deepEqual(launchers(), [A, B]);
    assert.match(stack.shown.join("\n"), /set "one" took from AMI .*444455556666/);
    // Settled: nothing changes, and a refresh finds no drift.
    await stack.up(now, { late: ["two"] });
    assert.deepEqual([...stack.done.values()], ["same", "same"]);
    await stack.up(now, { refresh: true });
    assert.deepEqual([...stack.done.values()], ["same", "same"]);
    await stack.destroy();
    assert.deepEqual(launchers(), []);
  });

  it("settles after a refresh, although the engine tells of the other set late in every run", async () => {
    const order = { late: ["two"] };
    const sets = (...accounts: string[]) => program({ one: additive(...accounts), two: additive(B) });
    await stack.up(sets(A, B), order);
    await stack.up(sets(A), { ...order, refresh: true });
    for (let run = 0; run < 2; run++) {
      await stack.up(sets(A), order);
      assert.deepEqual([...stack.done.values()], ["same", "same"]);
    }
    await stack.up(sets(A, C), order);
    assert.deepEqual([lost, launchers()], [[], [A, B, C]]);
  });

  it("refuses in the preview that an account moves to a new set of which the engine tells later", async () => {
    await stack.up(program({ one: additive(A, B) }));
    const now = program({ one: additive(A), two: additive(B) });
    assert.match(await failing(stack.preview(now, { late: ["two"] })), /set "one" .*dependsOn.*\[hand-over-incomplete\]/);
    // As the words say: the set that gets the account comes first.
    const first = program({ two: additive(B), one: additive(A) });
    await stack.preview(first, { late: ["one"] });
    await stack.up(first, { late: ["one"] });
    assert.deepEqual([lost, launchers()], [[], [A, B]]);
  });

  for (const refreshes of [false, true])
    it(`an authoritative set beside an additive one: in the end nothing changes${refreshes ? ", after a refresh, too" : ""}`, async () => {
      const sets = (...accounts: string[]) => program({ whole: exact(...accounts), more: additive(D) });
      await stack.up(sets(A, B));
      await stack.up(sets(A, C));
      if (refreshes) await stack.refresh();
      ec2.forgetCalls();
      for (const order of [{}, { late: ["more"] }, { parallel: 1 }]) {
        await stack.up(sets(A, C), order);
        assert.deepEqual([...stack.done.values()], ["same", "same"]);
      }
      assert.deepEqual(ec2.calls, []);
      lost = [];
      await stack.up(sets(A));
      assert.deepEqual([lost, launchers()], [[`account/${C}`], [A, D]]);
      // The additive set leaves: what it granted goes.
      await stack.up(program({ whole: exact(A) }));
      assert.deepEqual(launchers(), [A]);
    });

  it("an authoritative set takes what others share later, although another set is there", async () => {
    const sets = program({ whole: exact(A), more: additive(D) });
    await stack.up(sets);
    ec2.grantees(imageId).add(`account/${B}`);
    await stack.refresh();
    await stack.up(sets);
    assert.deepEqual([stack.done.get("whole"), launchers()], ["update", [A, D]]);
  });

  it("a set that an alias renames is no other set, after a refresh, too", async () => {
    await stack.up(program({ old: additive(A, B) }));
    await stack.up(program({ fresh: additive(A) }), { refresh: true, aliases: { fresh: "old" } });
    assert.deepEqual(launchers(), [A]);
  });

  it("a set that leaves the program revokes what it granted, although a refresh changed its record", async () => {
    await stack.up(program({ one: additive(A, B), two: additive(C) }));
    ec2.grantees(imageId).delete(`account/${B}`);
    await stack.up(program({ two: additive(C) }), { refresh: true });
    assert.deepEqual(launchers(), [C]);
  });

  it("a replaced set whose deletion is refused is deleted after a refresh, which reads it", async () => {
    await stack.up(program({ one: additive(A) }));
    const now = program({ heir: additive(A), one: additive() });
    assert.match(await failing(stack.up(now, { late: ["one"], replace: ["one"] })), /pulumi up --refresh/);
    await stack.up(now, { refresh: true });
    assert.deepEqual([lost, launchers()], [[], [A]]);
    await stack.destroy();
    assert.deepEqual(launchers(), []);
  });

  it("holds each set once, however often the engine asks for it", async () => {
    const provider = new SetProvider({ gateway: () => ec2, waitOptions: WAIT_OPTIONS, quiet: 0, show: async () => undefined });
    const images = Array.from({ length: 20 }, () => ec2.addImage(1).imageId);
    const states = new Map<string, { inputs: Props; outs: Props }>();
    const sizes: number[] = [];
    for (let round = 0; round < 5; round++) {
      for (const [i, image] of images.entries()) {
        const urn = `urn:pulumi:t::t::ami-launch-permissions:index:LaunchPermissionSet::set-${i}`;
        const args = { imageId: image, accountIds: round % 2 === 0 ? [A, B] : [A, C], createVolumePermissions: true };
        const old = states.get(urn);
        const { inputs } = await provider.checkSet(urn, old?.inputs ?? {}, args);
        if (old) await provider.diffSet(urn, image, old.outs, old.inputs, inputs);
        const { outs } = old
          ? await provider.updateSet(urn, image, old.outs, inputs, false)
          : await provider.createSet(urn, inputs, false);
        states.set(urn, { inputs, outs });
      }
      sizes.push(sizeOf(provider, new Set([ec2])));
    }
    assert.ok((sizes[1] ?? 0) > 20 * 10, "it holds the sets");
    assert.deepEqual([sizes[3], sizes[4]], [sizes[2], sizes[2]]);
  });

  it("a taint: the preview fails where up does, and says what up does", async () => {
    const sets = (...accounts: string[]) => program({ whole: { ...exact(...accounts), unrecorded: "refuse" } });
    await stack.up(sets(A, B));
    // The record knows of somebody whom the create of the replacement finds.
    ec2.grantees(imageId).add(`account/${C}`);
    await stack.refresh();
    for (const run of [
      () => stack.preview(sets(A, B), { replace: ["whole"] }),
      () => stack.up(sets(A, B), { replace: ["whole"] }),
    ])
      assert.match(await failing(run()), new RegExp(`${C}[^]*\\[unrecorded-grants\\]`));
    ec2.grantees(imageId).delete(`account/${C}`);
    await stack.preview(sets(A), { replace: ["whole"] });
    const counts = (words: RegExp) => words.exec(stack.shown.join("\n"))?.slice(1);
    const foretold = counts(/(\d+) loses, (\d+) keeps/);
    await stack.up(sets(A), { replace: ["whole"] });
    assert.deepEqual(
      [foretold, counts(/(\d+) lost, (\d+) kept/)],
      [
        ["1", "1"],
        ["1", "1"],
      ],
    );
    assert.deepEqual(launchers(), [A]);
  });

  it("a taint of an additive set: the preview tells who loses access by the end of it", async () => {
    await stack.up(program({ one: additive(A, B) }));
    await stack.preview(program({ one: additive(A) }), { replace: ["one"] });
    assert.match(stack.shown.join("\n"), new RegExp(`whose set is replaced,[^]*- launch [^]*${B}`));
    await stack.up(program({ one: additive(A) }), { replace: ["one"] });
    assert.deepEqual(launchers(), [A]);
  });
});

/** How many values an object holds, those in maps and sets included. */
function sizeOf(value: unknown, seen: Set<unknown>): number {
  if (typeof value !== "object" || value === null || seen.has(value)) return 1;
  seen.add(value);
  const members = value instanceof Map ? [...value].flat() : value instanceof Set ? [...value] : Object.values(value);
  return members.reduce<number>((sum, member) => sum + sizeOf(member, seen), 1);
}
