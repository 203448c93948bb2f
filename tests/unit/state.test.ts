/** A set in Pulumi's state: decoding returns what was encoded, and the state contains no more than necessary. */

import * as assert from "node:assert/strict";
import {
  type AmiSharingError,
  type DeclaredSet,
  declaredGrants,
  decodeRecorded,
  deserializePermissions,
  encodeGrants,
  type Grants,
  type PermissionSet,
  type Permissions,
  permissionSetOf,
  type Recorded,
  type SerializedPermissions,
  UNKNOWN,
} from "../../provider/core";
import { PULUMI_UNKNOWN } from "../../provider/pulumi/sdkInternals";
import {
  argumentsIn,
  comparableGrants,
  decodeInputs,
  encodeInputs,
  encodeOutputs,
  type Properties,
  recordedIn,
  refreshedInputs,
  setIn,
} from "../../provider/pulumi/state";

const IMAGE = "ami-12345678";
const [A, B] = ["111122223333", "444455556666"];
const [KEY_A, KEY_B] = [`account/${A}`, `account/${B}`];
const OWNER = "123456789012";
const [S1, S2] = ["snap-11111111", "snap-22222222"];

function permissions(launch: string[], createVolume: Record<string, string[]> = {}): Permissions {
  return {
    launch: new Set(launch),
    createVolume: new Map(Object.entries(createVolume).map(([id, keys]) => [id, new Set(keys)])),
  };
}

const NOBODY = permissions([]);

function recorded(live: Permissions, granted: Permissions, snapshotIds: readonly string[] = [S1, S2]): Recorded {
  return { region: "us-east-1", ownerId: OWNER, snapshotIds, live, granted };
}

function setOf(declared: Omit<DeclaredSet, "imageId">): { args: Properties; set: PermissionSet } {
  const args = { imageId: IMAGE, ...declared };
  const set = permissionSetOf(args);
  assert.ok(set);
  return { args, set };
}

/** The inputs that a check returns. */
const checkedInputs = (declared: DeclaredSet, before: Grants) => encodeInputs(declared, declaredGrants(declared, before));

describe("the recorded state of a set", () => {
  const cases: readonly {
    name: string;
    declared: Omit<DeclaredSet, "imageId">;
    recorded: Recorded;
    /** The values of `grants` and `granted` in the state. */
    grants: Record<string, string>;
    granted?: Record<string, string>;
    /** Live permissions that the set does not record. */
    unrecorded?: Permissions;
  }[] = [
    { name: "nobody", declared: {}, recorded: recorded(NOBODY, NOBODY), grants: {} },
    {
      name: "as declared: granted is the same, and not written",
      declared: { accountIds: [A], createVolumePermissions: true },
      recorded: recorded(
        permissions([KEY_A], { [S1]: [KEY_A], [S2]: [KEY_A] }),
        permissions([KEY_A], { [S1]: [KEY_A], [S2]: [KEY_A] }),
      ),
      grants: { [KEY_A]: "launch, createVolume" },
    },
    {
      name: "as declared on named snapshots",
      declared: { accountIds: [A], createVolumePermissions: { snapshotIds: [S1, S2] } },
      recorded: recorded(
        permissions([KEY_A], { [S1]: [KEY_A], [S2]: [KEY_A] }),
        permissions([KEY_A], { [S1]: [KEY_A], [S2]: [KEY_A] }),
      ),
      grants: { [KEY_A]: `launch, createVolume on ${S1}, ${S2}` },
    },
    {
      name: "authoritative, after drift: grants has all live grants, and granted has the declared ones",
      declared: { accountIds: [A] },
      recorded: recorded(permissions([KEY_A, KEY_B, "user/aws-marketplace"]), permissions([KEY_A])),
      grants: { [KEY_A]: "launch", [KEY_B]: "launch", "user/aws-marketplace": "launch" },
    },
    {
      name: "additive: a declared grant that somebody else made does not belong to the set",
      declared: { accountIds: [A, B], mode: "additive" },
      recorded: recorded(permissions([KEY_A, KEY_B]), permissions([KEY_A])),
      grants: { [KEY_A]: "launch", [KEY_B]: "launch" },
      granted: { [KEY_A]: "launch" },
    },
    {
      name: "additive: undeclared grants of others are left out",
      declared: { accountIds: [A], mode: "additive" },
      recorded: recorded(permissions([KEY_A, KEY_B, "public"]), permissions([KEY_A])),
      grants: { [KEY_A]: "launch" },
      unrecorded: permissions([KEY_B, "public"]),
    },
    {
      name: "additive, partial change: undeclared grants of the set are recorded as its own",
      declared: { accountIds: [A], mode: "additive" },
      recorded: recorded(permissions([KEY_A, KEY_B]), permissions([KEY_A, KEY_B])),
      grants: { [KEY_A]: "launch", [KEY_B]: "launch" },
      granted: { [KEY_A]: "launch", [KEY_B]: "launch" },
    },
    {
      name: "a snapshot that is not managed any more but still has a grant of the set",
      declared: { accountIds: [A], createVolumePermissions: { snapshotIds: [S1] } },
      recorded: recorded(
        permissions([KEY_A], { [S1]: [KEY_A], [S2]: [KEY_A, KEY_B] }),
        permissions([KEY_A], { [S1]: [KEY_A], [S2]: [KEY_A] }),
      ),
      grants: { [KEY_A]: `launch, createVolume on ${S1}, ${S2}` },
      granted: { [KEY_A]: `launch, createVolume on ${S1}, ${S2}` },
      unrecorded: permissions([], { [S2]: [KEY_B] }),
    },
    {
      name: "none of the declared grants exists",
      declared: { accountIds: [A], createVolumePermissions: true },
      recorded: recorded(NOBODY, NOBODY),
      grants: {},
      granted: {},
    },
    {
      name: "an image without snapshots",
      declared: { accountIds: [A], createVolumePermissions: true },
      recorded: recorded(permissions([KEY_A]), permissions([KEY_A]), []),
      grants: { [KEY_A]: "launch" },
    },
    {
      name: "the owner among the declared accounts",
      declared: { accountIds: [A, OWNER] },
      recorded: recorded(permissions([KEY_A]), permissions([KEY_A])),
      grants: { [KEY_A]: "launch" },
    },
  ];
  for (const { name, declared, recorded: was, grants, granted, unrecorded = NOBODY } of cases)
    it(name, () => {
      const { args, set } = setOf(declared);
      const outputs = JSON.parse(JSON.stringify(encodeOutputs(args, set, was)));
      assert.deepEqual(outputs.grants, grants);
      const unnamed = set.createVolume?.snapshotIds === undefined ? was.snapshotIds : undefined;
      const inWords = (written: SerializedPermissions) => encodeGrants(deserializePermissions(written, []), unnamed);
      assert.deepEqual(inWords(outputs.__record.live), grants);
      assert.deepEqual(outputs.__record.granted && inWords(outputs.__record.granted), granted);
      assert.deepEqual(argumentsIn(outputs), { ...args, region: "us-east-1" });
      const read = recordedIn(outputs, set);
      assert.deepEqual(read.granted, was.granted);
      assert.deepEqual(
        keys(read.live),
        keys(was.live).filter((key) => !keys(unrecorded).includes(key)),
      );
      assert.deepEqual([read.region, read.ownerId, read.snapshotIds], [was.region, was.ownerId, was.snapshotIds]);
      // Older versions recorded text only, under other names.
      const { __record: _, ...words } = outputs;
      for (const name of ["__granted", "granted"])
        assert.deepEqual(recordedIn({ ...words, ...(granted ? { [name]: granted } : {}) }, set), read);
    });

  it("of an older version, as text, is read as structured data: drift, revoked grants, and missing KMS grants", () => {
    const { args, set } = setOf({ accountIds: [A, B], createVolumePermissions: true, kmsAccess: "grant" });
    const older = {
      region: "us-east-1",
      ownerId: OWNER,
      snapshotIds: [S1, S2],
      grants: { [KEY_A]: "launch, createVolume (key grant gone)", [KEY_B]: `launch, createVolume on ${S2}` },
      __granted: { [KEY_A]: "launch, createVolume" },
      __revoked: { public: `launch, createVolume on ${S1}` },
      __drifted: { [KEY_B]: `createVolume on ${S1}` },
    };
    const read = recordedIn(older, set);
    const both = [KEY_A, KEY_B];
    assert.deepEqual(keys(read.live), keys(permissions(both, { [S1]: [KEY_A], [S2]: both })));
    assert.deepEqual(read.granted, permissions([KEY_A], { [S1]: [KEY_A], [S2]: [KEY_A] }));
    assert.deepEqual(read.revoked, permissions(["public"], { [S1]: ["public"] }));
    assert.deepEqual(read.drifted, permissions([], { [S1]: [KEY_B] }));
    assert.deepEqual(read.keyless, new Set([KEY_A]));
    const written = JSON.parse(JSON.stringify(encodeOutputs(args, set, read)));
    assert.deepEqual(written.grants, older.grants);
    assert.deepEqual(recordedIn(written, set), read);
    assert.ok(!("__granted" in written || "__revoked" in written || "__drifted" in written));
  });

  it("is decoded from its structured data if the text beside it differs", () => {
    const { args, set } = setOf({ accountIds: [A] });
    const outputs = encodeOutputs(args, set, recorded(permissions([KEY_A]), permissions([KEY_A])));
    assert.deepEqual(recordedIn({ ...outputs, grants: { [KEY_B]: "launch" } }, set).live, permissions([KEY_A]));
  });

  it("with arguments that cannot be decoded: all shown grants count as granted, except those nobody can change", () => {
    const { granted } = decodeRecorded(
      { snapshotIds: [S1], grants: { [KEY_A]: "launch", "user/aws-marketplace": "launch" } },
      undefined,
    );
    assert.deepEqual(granted, permissions([KEY_A]));
  });

  it("can be decoded from grants alone", () => {
    const { set } = setOf({ accountIds: [A] });
    const wanted = permissions([KEY_A]);
    assert.deepEqual(decodeRecorded({ grants: {} }, set), {
      region: "",
      ownerId: "",
      snapshotIds: [],
      live: NOBODY,
      granted: wanted,
      wanted,
    });
  });

  it("that is garbled, incomplete or of a wrong type is an error that names the AMI and the next step", () => {
    const { set } = setOf({ accountIds: [A] });
    const good = { grants: { [KEY_A]: "launch" }, ownerId: OWNER, snapshotIds: [S1], region: "us-east-1" };
    decodeRecorded(good, set);
    const bad: Record<string, unknown>[] = [
      {},
      { ...good, grants: undefined },
      { ...good, grants: "launch" },
      { ...good, grants: { [KEY_A]: 7 } },
      { ...good, grants: { [KEY_A]: "launhc" } },
      { ...good, grants: { "account/1": "launch" } },
      { ...good, granted: [] },
      { ...good, granted: { [KEY_A]: null } },
      { ...good, record: [] },
      { ...good, record: { live: { launch: KEY_A } } },
      { ...good, record: { live: { launch: ["nobody"], createVolume: {} } } },
      { ...good, record: { live: { launch: [], createVolume: { nonsense: [KEY_A] } } } },
      { ...good, record: { live: { launch: [], createVolume: {} }, keyless: [7] } },
      { ...good, snapshotIds: "snap-12345678" },
      { ...good, snapshotIds: ["nonsense"] },
      { ...good, ownerId: 123456789012 },
      { ...good, kmsGrants: [{ keyId: "k" }] },
      { ...good, kmsGrants: [{ keyId: "k", grantId: "", accountId: A }] },
    ];
    for (const outputs of bad)
      assert.throws(
        () => decodeRecorded(outputs, set),
        ({ code, message }: AmiSharingError) => {
          assert.equal(code, "state-unreadable", JSON.stringify(outputs));
          assert.match(
            message,
            new RegExp(`${set.imageId} cannot be read: (grants|granted|record|snapshotIds|ownerId|kmsGrants) is .*refresh`),
          );
          return true;
        },
      );
  });

  it("contains only the arguments and what is known of the image", () => {
    const { args, set } = setOf({ accountIds: [A], assumeRole: { roleArn: "arn:aws:iam::111122223333:role/x" } });
    const outputs = encodeOutputs(
      { ...args, __provider: "text", more: 1 },
      set,
      recorded(permissions([KEY_A]), permissions([KEY_A])),
    );
    assert.ok(!("__provider" in outputs) && !("more" in outputs));
    for (const name of ["imageId", "accountIds", "assumeRole", "region", "ownerId", "snapshotIds", "grants"])
      assert.ok(name in outputs, name);
  });
});

describe("inputs", () => {
  it("contain the grants as text, and Pulumi's marker for unknown values", () => {
    assert.deepEqual(checkedInputs({ imageId: UNKNOWN, accountIds: [A, UNKNOWN] }, { [KEY_B]: "launch" }), {
      imageId: PULUMI_UNKNOWN,
      accountIds: [A, PULUMI_UNKNOWN],
      grants: { [KEY_A]: "launch", [KEY_B]: PULUMI_UNKNOWN, "account/[unknown]": "launch" },
    });
  });

  it("are decoded as they were declared", () => {
    const declared: DeclaredSet = {
      imageId: UNKNOWN,
      accountIds: [A, UNKNOWN],
      createVolumePermissions: { snapshotIds: [UNKNOWN], accountIds: UNKNOWN },
    };
    const { grants, ...args } = encodeInputs(declared, {});
    assert.deepEqual(grants, {});
    assert.deepEqual(decodeInputs({ ...args, __provider: "text" }), { declared });
  });

  it("with unknown names are problems, except the provider's own", () => {
    assert.ok("problems" in decodeInputs({ imageId: IMAGE, accountIds: [], account: A }));
    assert.ok("declared" in decodeInputs({ imageId: IMAGE, accountIds: [], __provider: "text" }));
  });

  it("show what EC2 has after a refresh, and keep declared grants that EC2 never lists", () => {
    const declared: DeclaredSet = { imageId: IMAGE, accountIds: [A, OWNER], createVolumePermissions: true };
    const args = { imageId: IMAGE, accountIds: [A, OWNER], createVolumePermissions: true };
    const outputs = { ownerId: OWNER, snapshotIds: [S1], grants: { [KEY_B]: "launch" } };
    assert.deepEqual(refreshedInputs(args, declared, outputs), {
      ...args,
      grants: { [KEY_B]: "launch", [`account/${OWNER}`]: "launch, createVolume" },
    });
  });

  it("are compared without the owner and without grantees that nobody can change", () => {
    const image = { ownerId: OWNER, snapshotIds: [S1] };
    const grants = { [KEY_A]: "launch", [`account/${OWNER}`]: "launch", "user/aws-marketplace": "launch" };
    assert.deepEqual(comparableGrants({ grants }, image), { [KEY_A]: "launch" });
    assert.deepEqual(comparableGrants({}, image), {});
  });

  it("are compared without create-volume if there is no snapshot", () => {
    const grants = { [KEY_A]: "launch, createVolume", [KEY_B]: "createVolume" };
    assert.deepEqual(comparableGrants({ grants }, { ownerId: OWNER, snapshotIds: [] }), { [KEY_A]: "launch" });
    assert.deepEqual(comparableGrants({ grants }, { ownerId: OWNER, snapshotIds: [S1] }), grants);
  });

  it("in a state that cannot be decoded are not a set", () => {
    assert.equal(setIn({ imageId: "nonsense" }), undefined);
    assert.equal(setIn({ imageId: PULUMI_UNKNOWN }), undefined);
    assert.equal(setIn({ imageId: IMAGE, grants: {}, ownerId: OWNER })?.set.imageId, IMAGE);
  });
});

function keys({ launch, createVolume }: Permissions): string[] {
  return [...launch, ...[...createVolume].flatMap(([id, grantees]) => [...grantees].map((key) => `${id} ${key}`))].sort();
}
