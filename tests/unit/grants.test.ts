/** The grants map that previews show: encoding and decoding. */

import * as assert from "node:assert/strict";
import { decodeGrants, encodeGrants, type Grants, type Permissions, sortedGrants } from "../../provider/core";

const [A, B] = ["account/111122223333", "account/444455556666"];
const [S1, S2] = ["snap-11111111", "snap-22222222"];

function permissions(launch: string[], createVolume: Record<string, string[]> = {}): Permissions {
  return {
    launch: new Set(launch),
    createVolume: new Map(Object.entries(createVolume).map(([id, keys]) => [id, new Set(keys)])),
  };
}

describe("the grants map", () => {
  const cases: readonly { name: string; is: Permissions; snapshotIds?: string[] | undefined; grants: Grants }[] = [
    { name: "nobody", is: permissions([]), snapshotIds: [S1], grants: {} },
    { name: "launch", is: permissions([A]), snapshotIds: [S1], grants: { [A]: "launch" } },
    {
      name: "create-volume on all",
      is: permissions([], { [S1]: [A], [S2]: [A] }),
      snapshotIds: [S1, S2],
      grants: { [A]: "createVolume" },
    },
    {
      name: "create-volume on some",
      is: permissions([A], { [S2]: [A] }),
      snapshotIds: [S1, S2],
      grants: { [A]: `launch, createVolume on ${S2}` },
    },
    {
      name: "create-volume on all of a set that names its snapshots",
      is: permissions([A], { [S2]: [A], [S1]: [A] }),
      snapshotIds: undefined,
      grants: { [A]: `launch, createVolume on ${S1}, ${S2}` },
    },
    {
      name: "create-volume on as many snapshots, but others",
      is: permissions([A], { [S2]: [A] }),
      snapshotIds: [S1],
      grants: { [A]: `launch, createVolume on ${S2}` },
    },
    {
      name: "each grantee its own",
      is: permissions([B, "public"], { [S1]: [A, B] }),
      snapshotIds: [S1],
      grants: { [A]: "createVolume", [B]: "launch, createVolume", public: "launch" },
    },
    {
      name: "users that are no accounts",
      is: permissions(["user/aws-marketplace"]),
      snapshotIds: [],
      grants: { "user/aws-marketplace": "launch" },
    },
  ];
  for (const { name, is, snapshotIds, grants } of cases)
    it(name, () => {
      assert.deepEqual(encodeGrants(is, snapshotIds), grants);
      assert.deepEqual(encodeGrants(decodeGrants(grants, snapshotIds ?? []), snapshotIds), grants);
    });

  it("has sorted keys", () => {
    assert.deepEqual(Object.keys(encodeGrants(permissions(["public", B, A, "arn:aws:x"]), [])), [A, B, "arn:aws:x", "public"]);
    assert.deepEqual(
      Object.keys(
        sortedGrants([
          ["b", 1],
          ["a", 2],
          ["B", 3],
        ]),
      ),
      ["B", "a", "b"],
    );
  });

  it("without snapshot ids applies to all given snapshots", () => {
    const { createVolume } = decodeGrants({ [A]: "launch, createVolume", [B]: `createVolume on ${S2}` }, [S1, S2]);
    assert.deepEqual(
      createVolume,
      new Map([
        [S1, new Set([A])],
        [S2, new Set([A, B])],
      ]),
    );
  });

  it("with unknown words gives no permissions", () => {
    assert.deepEqual(decodeGrants({ [A]: "", [B]: "launches" }, [S1]), permissions([]));
  });
});
