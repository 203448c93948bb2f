/** The changes of a set: each mode in each situation, and the order of the calls. */

import * as assert from "node:assert/strict";
import { type Change, changeFor, type Mode, NO_PERMISSIONS, type Permissions, phasesOf } from "../../provider/core";

const [A, B, M] = ["account/111122223333", "account/444455556666", "user/aws-marketplace"];
const [S1, S2] = ["snap-11111111", "snap-22222222"];

/** `L:` grantees with launch permission, `1:` and `2:` grantees with create-volume permission on a snapshot. */
function permissions(text: string): Permissions {
  const names: Record<string, string> = { A, B, M };
  const of = (place: string) =>
    new Set([...(new RegExp(`${place}:(\\w+)`).exec(text)?.[1] ?? "")].map((letter) => names[letter] as string));
  const createVolume = [[S1, of("1")] as const, [S2, of("2")] as const].filter(([, keys]) => keys.size > 0);
  return { launch: of("L"), createVolume: new Map(createVolume) };
}

interface Row {
  readonly situation: string;
  readonly target: string;
  readonly live: string;
  readonly granted: string;
  /** The managed snapshots. Default: both. */
  readonly managed?: readonly string[];
  readonly expected: Record<Mode, { readonly add?: string; readonly remove?: string }>;
}

const both = (change: { add?: string; remove?: string }) => ({ authoritative: change, additive: change });

const ROWS: readonly Row[] = [
  { situation: "nothing anywhere", target: "", live: "", granted: "", expected: both({}) },
  { situation: "wanted, missing", target: "L:A 1:A", live: "", granted: "", expected: both({ add: "L:A 1:A" }) },
  { situation: "wanted, granted and live", target: "L:A 1:A", live: "L:A 1:A", granted: "L:A 1:A", expected: both({}) },
  { situation: "wanted, live, granted by somebody else", target: "L:A", live: "L:A", granted: "", expected: both({}) },
  {
    situation: "wanted and granted, removed by somebody else",
    target: "L:A",
    live: "",
    granted: "L:A",
    expected: both({ add: "L:A" }),
  },
  {
    situation: "no longer wanted, granted by the set",
    target: "",
    live: "L:A 2:A",
    granted: "L:A 2:A",
    expected: both({ remove: "L:A 2:A" }),
  },
  {
    situation: "no longer wanted, granted, not live: revoked by name",
    target: "",
    live: "",
    granted: "L:A 1:A",
    expected: both({ remove: "L:A 1:A" }),
  },
  {
    situation: "not wanted, granted by somebody else",
    target: "L:A",
    live: "L:AB 1:B",
    granted: "L:A",
    expected: { authoritative: { remove: "L:B 1:B" }, additive: {} },
  },
  {
    situation: "one grantee replaced by another",
    target: "L:B",
    live: "L:A",
    granted: "L:A",
    expected: both({ add: "L:B", remove: "L:A" }),
  },
  {
    situation: "the Marketplace's grant, which nobody can change",
    target: "",
    live: "L:M 1:M",
    granted: "",
    expected: both({}),
  },
  {
    situation: "the Marketplace's grant, even if it were recorded as granted",
    target: "",
    live: "L:M 1:M",
    granted: "L:M 1:M",
    expected: both({}),
  },
  {
    situation: "a snapshot that is not managed, granted by somebody else",
    target: "L:A",
    live: "L:A 1:B",
    granted: "L:A",
    managed: [],
    expected: both({}),
  },
  {
    situation: "a snapshot that is no longer managed: only the set's grants are revoked",
    target: "L:A 1:A",
    live: "L:A 1:A 2:AB",
    granted: "L:A 1:A 2:A",
    managed: [S1],
    expected: both({ remove: "2:A" }),
  },
];

describe("the change that a set makes", () => {
  for (const { situation, target, live, granted, managed = [S1, S2], expected } of ROWS)
    for (const mode of ["authoritative", "additive"] as const)
      it(`${mode}: ${situation}`, () => {
        const change = changeFor({
          mode,
          target: permissions(target),
          live: permissions(live),
          granted: permissions(granted),
          managedSnapshotIds: managed,
        });
        assert.deepEqual(change.add, permissions(expected[mode].add ?? ""));
        assert.deepEqual(change.remove, permissions(expected[mode].remove ?? ""));
      });
});

describe("the order of the calls", () => {
  const phases = (change: Partial<Record<keyof Change, string>>) =>
    phasesOf({ add: permissions(change.add ?? ""), remove: permissions(change.remove ?? "") }).map((phase) =>
      phase.map((step) => (step.kind === "launch" ? "image" : `${step.operation} ${step.snapshotId}`)),
    );
  const cases: readonly { name: string; change: Parameters<typeof phases>[0]; phases: string[][] }[] = [
    { name: "nothing", change: {}, phases: [] },
    {
      name: "grants: snapshots, then the image",
      change: { add: "L:A 1:A 2:A" },
      phases: [[`add ${S1}`, `add ${S2}`], ["image"]],
    },
    {
      name: "revokes: the image, then the snapshots",
      change: { remove: "L:A 1:A 2:A" },
      phases: [["image"], [`remove ${S1}`, `remove ${S2}`]],
    },
    {
      name: "both: grants, the image in one step, revokes",
      change: { add: "L:A 1:A", remove: "L:B 1:B 2:B" },
      phases: [[`add ${S1}`], ["image"], [`remove ${S1}`, `remove ${S2}`]],
    },
    { name: "snapshots only", change: { add: "1:A", remove: "2:B" }, phases: [[`add ${S1}`], [`remove ${S2}`]] },
  ];
  for (const { name, change, phases: expected } of cases) it(name, () => assert.deepEqual(phases(change), expected));

  it("is sorted by grantee within a call", () => {
    const [[step] = []] = phasesOf({
      add: { launch: new Set(["public", B, A]), createVolume: new Map() },
      remove: NO_PERMISSIONS,
    });
    assert.deepEqual(step, { kind: "launch", add: [A, B, "public"], remove: [] });
  });
});
