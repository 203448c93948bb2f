/** Properties of the core for all values: differences, the grants map, canonical forms, batches. */

import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import {
  accountKey,
  type Change,
  changeFor,
  declaredGrants,
  decodeDeclaredSet,
  decodeGrants,
  deserializePermissions,
  encodeGrants,
  type GranteeKey,
  granteeKey,
  intersection,
  isEmpty,
  isManageable,
  minus,
  NO_PERMISSIONS,
  type Permissions,
  parseGranteeKey,
  permissionSetOf,
  phasesOf,
  serializePermissions,
  union,
} from "../../provider/core";
import { batches } from "../../provider/core/model/batches";
import { runs } from "./runs";

const SNAPSHOTS = ["snap-00000001", "snap-00000002", "snap-00000003"];
const ACCOUNTS = ["111122223333", "444455556666", "012345678901", "777788889999"];
const ARNS = [
  "arn:aws:organizations::111122223333:organization/o-abcde12345",
  "arn:aws-cn:organizations::111122223333:ou/o-abcde12345/ou-ab12-cdefgh34",
];
const ACCOUNT_KEYS = ACCOUNTS.map(accountKey);
const FOREIGN = "user/aws-marketplace";

const launchKeys = fc.subarray([...ACCOUNT_KEYS, ...ARNS, "public", FOREIGN]);
const volumeKeys = fc.subarray([...ACCOUNT_KEYS, "public", FOREIGN]);
const permissions: fc.Arbitrary<Permissions> = fc
  .tuple(launchKeys, volumeKeys, volumeKeys, volumeKeys)
  .map(([launch, ...volumes]) => made(launch, volumes));
/** What a set can want: no grantee that cannot be changed. */
const wanted = permissions.map((all) => only(all, isManageable));
const managedSnapshotIds = fc.subarray(SNAPSHOTS);

describe("properties of the difference", () => {
  it("it is empty if EC2 has what the set wants", () => {
    fc.assert(
      fc.property(wanted, fc.constantFrom("authoritative", "additive"), (target, mode) => {
        const change = changeFor({ mode, target, live: target, granted: target, managedSnapshotIds: SNAPSHOTS });
        assert.ok(isEmpty(change.add) && isEmpty(change.remove));
        assert.deepEqual(phasesOf(change), []);
      }),
      runs(200),
    );
  });

  it("authoritative: managed resources get exactly what the set wants, and grantees that nobody can change stay", () => {
    fc.assert(
      fc.property(wanted, permissions, permissions, managedSnapshotIds, (all, live, granted, managed) => {
        const target = onSnapshots(all, managed);
        const after = applied(live, changeFor({ mode: "authoritative", target, live, granted, managedSnapshotIds: managed }));
        assertSame(onSnapshots(only(after, isManageable), managed), target);
        assertSame(only(after, foreign), only(live, foreign));
        // On other snapshots, only the set's own grants are revoked.
        const unmanaged = SNAPSHOTS.filter((id) => !managed.includes(id));
        const expected = minus(onSnapshots(live, unmanaged), only(granted, isManageable));
        assertSame(volumesOnly(onSnapshots(after, unmanaged)), volumesOnly(expected));
      }),
      runs(300),
    );
  });

  it("additive: all wanted grants are added, and only own grants that are not wanted any more are revoked", () => {
    fc.assert(
      fc.property(wanted, permissions, permissions, managedSnapshotIds, (all, live, granted, managed) => {
        const target = onSnapshots(all, managed);
        const change = changeFor({ mode: "additive", target, live, granted, managedSnapshotIds: managed });
        const after = applied(live, change);
        assert.ok(isEmpty(minus(target, after)));
        assertSame(minus(live, after), only(minus(intersection(live, granted), target), isManageable));
        assertSame(minus(after, live), minus(target, live));
      }),
      runs(300),
    );
  });

  it("it adds no existing grant, removes only live or recorded grants, and never adds and removes the same grant", () => {
    fc.assert(
      fc.property(
        wanted,
        permissions,
        permissions,
        managedSnapshotIds,
        fc.constantFrom("authoritative", "additive"),
        (target, live, granted, managed, mode) => {
          const { add, remove } = changeFor({ mode, target, live, granted, managedSnapshotIds: managed });
          assert.ok(isEmpty(intersection(add, live)));
          assert.ok(isEmpty(minus(remove, union(live, granted))));
          assert.ok(isEmpty(intersection(add, remove)));
          assert.ok(isEmpty(only(remove, foreign)));
        },
      ),
      runs(200),
    );
  });

  it("its steps are the whole change, once: snapshots before the image to grant, and after it to revoke", () => {
    fc.assert(
      fc.property(permissions, permissions, (add, all) => {
        const change: Change = { add, remove: minus(all, add) };
        const steps = phasesOf(change).flat();
        const order = steps.map((step) => (step.kind === "launch" ? 1 : step.operation === "add" ? 0 : 2));
        assert.deepEqual(order, [...order].sort());
        const resources = steps.map((step) => (step.kind === "launch" ? "image" : `${step.operation} ${step.snapshotId}`));
        assert.equal(new Set(resources).size, resources.length);
        const sum = (operation: "add" | "remove") =>
          steps.reduce<Permissions>((total, step) => {
            if (step.kind === "launch") return union(total, { launch: new Set(step[operation]), createVolume: new Map() });
            if (step.operation !== operation) return total;
            return union(total, { launch: new Set(), createVolume: new Map([[step.snapshotId, new Set(step.grantees)]]) });
          }, NO_PERMISSIONS);
        assertSame(sum("add"), change.add);
        assertSame(sum("remove"), change.remove);
      }),
      runs(200),
    );
  });
});

describe("properties of the grants map", () => {
  it("what is encoded is decoded to the same", () => {
    fc.assert(
      fc.property(permissions, fc.boolean(), (all, named) => {
        const words = encodeGrants(all, named ? undefined : SNAPSHOTS);
        assertSame(decodeGrants(words, SNAPSHOTS), all);
        // The state has structured data beside the text. Older versions wrote only the text.
        assertSame(deserializePermissions(words, SNAPSHOTS), all);
        assertSame(deserializePermissions(serializePermissions(all), []), all);
      }),
      runs(300),
    );
  });

  it("equal permissions have equal text, in any order", () => {
    fc.assert(
      fc.property(permissions, (all) => {
        const backwards: Permissions = {
          launch: new Set([...all.launch].reverse()),
          createVolume: new Map([...all.createVolume].reverse().map(([id, keys]) => [id, new Set([...keys].reverse())])),
        };
        assert.equal(JSON.stringify(encodeGrants(backwards, SNAPSHOTS)), JSON.stringify(encodeGrants(all, SNAPSHOTS)));
        assert.equal(JSON.stringify(serializePermissions(backwards)), JSON.stringify(serializePermissions(all)));
      }),
      runs(200),
    );
  });

  it("every grantee has one key, and the key can be decoded", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ACCOUNT_KEYS, ...ARNS, "public", FOREIGN, "user/", "user/public", "user/account/1"),
        (key) => {
          assert.equal(granteeKey(parseGranteeKey(key)), key);
        },
      ),
      runs(30),
    );
  });
});

describe("properties of the declaration", () => {
  const lists = fc.record({
    accountIds: fc.subarray(ACCOUNTS, { minLength: 1 }),
    organizationArns: fc.subarray(ARNS.slice(0, 1)),
    organizationalUnitArns: fc.subarray(ARNS.slice(1)),
    snapshotIds: fc.subarray(SNAPSHOTS),
  });

  it("order, duplicates, numbers as strings and the case of ARNs make no difference", () => {
    fc.assert(
      fc.property(lists, fc.infiniteStream(fc.nat({ max: 99 })), ({ snapshotIds, ...args }, dice) => {
        const roll = () => dice.next().value as number;
        const disorder = <T>(items: readonly T[]) =>
          [...items, ...items.filter(() => roll() % 3 === 0)].map((item) => ({ item, at: roll() })).sort((a, b) => a.at - b.at);
        const shuffled = <T>(items: readonly T[], vary: (item: T) => unknown = (item) => item) =>
          disorder(items).map(({ item }) => vary(item));
        const upper = (arn: string) => (roll() % 2 ? arn.toUpperCase() : arn);
        const plain = { imageId: "ami-12345678", ...args, createVolumePermissions: { snapshotIds } };
        const messy = {
          imageId: "ami-12345678",
          accountIds: shuffled(args.accountIds, (id) => (roll() % 2 && !id.startsWith("0") ? Number(id) : id)),
          organizationArns: shuffled(args.organizationArns, upper),
          organizationalUnitArns: shuffled(args.organizationalUnitArns, upper),
          createVolumePermissions: { snapshotIds: shuffled(snapshotIds) },
        };
        assert.deepEqual(decodeDeclaredSet(messy), decodeDeclaredSet(plain));
      }),
      runs(200),
    );
  });

  it("the canonical form of a canonical form is the same", () => {
    fc.assert(
      fc.property(lists, ({ snapshotIds, ...args }) => {
        const decoded = decodeDeclaredSet({ imageId: "ami-12345678", ...args, createVolumePermissions: { snapshotIds } });
        assert.ok("declared" in decoded);
        assert.deepEqual(decodeDeclaredSet({ ...decoded.declared }), decoded);
      }),
      runs(100),
    );
  });

  it("the declared grants are those of the set on an image of another owner", () => {
    fc.assert(
      fc.property(lists, fc.boolean(), ({ snapshotIds, ...args }, named) => {
        const decoded = decodeDeclaredSet({
          imageId: "ami-12345678",
          ...args,
          createVolumePermissions: named ? { snapshotIds: [...snapshotIds, SNAPSHOTS[0]] } : true,
        });
        assert.ok("declared" in decoded);
        const set = permissionSetOf(decoded.declared);
        assert.ok(set);
        const target = decodeGrants(declaredGrants(decoded.declared) as Record<string, string>, SNAPSHOTS);
        assert.deepEqual([...target.launch].sort(), [...set.launch].sort());
        for (const id of set.createVolume?.snapshotIds ?? SNAPSHOTS)
          assert.deepEqual([...(target.createVolume.get(id) ?? [])].sort(), [...(set.createVolume?.grantees ?? [])].sort());
      }),
      runs(100),
    );
  });

  it("decoding never throws for any text, and every error names an argument", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom("imageId", "accountIds", "mode", "public", "x"), fc.jsonValue()), (input) => {
        const decoded = decodeDeclaredSet(input as Record<string, unknown>);
        if ("problems" in decoded)
          for (const { property, message, path } of decoded.problems) {
            assert.ok(property && message, JSON.stringify({ property, message, path }));
            assert.ok(!message.includes("\n"));
          }
      }),
      runs(200),
    );
  });
});

describe("properties of batches", () => {
  it("they keep all items in order, and all batches except the last are full", () => {
    fc.assert(
      fc.property(fc.array(fc.nat()), fc.integer({ min: 1, max: 7 }), (items, size) => {
        const split = batches(items, size);
        assert.deepEqual(split.flat(), items);
        assert.ok(split.slice(0, -1).every((batch) => batch.length === size));
        assert.ok(split.every((batch) => batch.length > 0 && batch.length <= size));
      }),
      runs(100),
    );
  });
});

function made(launch: readonly GranteeKey[], volumes: readonly (readonly GranteeKey[])[]): Permissions {
  const createVolume = SNAPSHOTS.map((id, i) => [id, new Set(volumes[i])] as const).filter(([, keys]) => keys.size > 0);
  return { launch: new Set(launch), createVolume: new Map(createVolume) };
}

function only({ launch, createVolume }: Permissions, keep: (key: GranteeKey) => boolean): Permissions {
  return made(
    [...launch].filter(keep),
    SNAPSHOTS.map((id) => [...(createVolume.get(id) ?? [])].filter(keep)),
  );
}

function onSnapshots({ launch, createVolume }: Permissions, ids: readonly string[]): Permissions {
  return { launch, createVolume: new Map([...createVolume].filter(([id]) => ids.includes(id))) };
}

function volumesOnly({ createVolume }: Permissions): Permissions {
  return { launch: new Set(), createVolume };
}

function foreign(key: GranteeKey): boolean {
  return key.startsWith("user/");
}

/** The effect of a change in EC2: added grants exist, removed grants do not. */
function applied(live: Permissions, { add, remove }: Change): Permissions {
  return minus(union(live, add), remove);
}

function assertSame(actual: Permissions, expected: Permissions): void {
  assert.deepEqual(plain(actual), plain(expected));
}

function plain({ launch, createVolume }: Permissions): Record<string, string[]> {
  const entries = [["launch", launch] as const, ...createVolume];
  return Object.fromEntries(entries.filter(([, keys]) => keys.size > 0).map(([id, keys]) => [id, [...keys].sort()]));
}
