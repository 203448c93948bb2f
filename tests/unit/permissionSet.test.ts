/** From the declared arguments to a set: the grants map as far as it is known, and the permissions on an image. */

import * as assert from "node:assert/strict";
import {
  type DeclaredSet,
  declaredGrants,
  type Grants,
  type MaybeUnknown,
  managedSnapshots,
  permissionSetOf,
  targetPermissions,
  UNKNOWN,
} from "../../provider/core";

const IMAGE = "ami-12345678";
const A = "111122223333";
const B = "444455556666";
const OWNER = "123456789012";
const [S1, S2] = ["snap-11111111", "snap-22222222"];
const ORGANIZATION = "arn:aws:organizations::111122223333:organization/o-abcde12345";
const UNIT = "arn:aws:organizations::111122223333:ou/o-abcde12345/ou-ab12-cdefgh34";

interface GrantsCase {
  readonly name: string;
  readonly declared: Omit<DeclaredSet, "imageId">;
  readonly previous?: Grants;
  readonly grants: Record<string, MaybeUnknown<string>>;
}

const KNOWN: readonly GrantsCase[] = [
  { name: "nobody", declared: {}, grants: {} },
  { name: "empty lists", declared: { accountIds: [], createVolumePermissions: true }, grants: {} },
  { name: "an account", declared: { accountIds: [A] }, grants: { [`account/${A}`]: "launch" } },
  {
    name: "every kind, sorted",
    declared: { accountIds: [A], organizationArns: [ORGANIZATION], organizationalUnitArns: [UNIT], public: true },
    grants: { [`account/${A}`]: "launch", [ORGANIZATION]: "launch", [UNIT]: "launch", public: "launch" },
  },
  {
    name: "create-volume for all but organizations",
    declared: {
      accountIds: [A],
      organizationArns: [ORGANIZATION],
      organizationalUnitArns: [UNIT],
      public: true,
      createVolumePermissions: true,
    },
    grants: {
      [`account/${A}`]: "launch, createVolume",
      [ORGANIZATION]: "launch",
      [UNIT]: "launch",
      public: "launch, createVolume",
    },
  },
  {
    name: "create-volume denied",
    declared: { accountIds: [A], createVolumePermissions: false },
    grants: { [`account/${A}`]: "launch" },
  },
  {
    name: "create-volume with its own accounts",
    declared: { accountIds: [A], createVolumePermissions: { accountIds: [B] } },
    grants: { [`account/${A}`]: "launch", [`account/${B}`]: "createVolume" },
  },
  {
    name: "create-volume for nobody",
    declared: { accountIds: [A], public: true, createVolumePermissions: { accountIds: [] } },
    grants: { [`account/${A}`]: "launch", public: "launch" },
  },
  {
    name: "create-volume on named snapshots",
    declared: { accountIds: [A], createVolumePermissions: { snapshotIds: [S1, S2] } },
    grants: { [`account/${A}`]: `launch, createVolume on ${S1}, ${S2}` },
  },
  {
    name: "create-volume on no snapshot",
    declared: { accountIds: [A], createVolumePermissions: { accountIds: [A, B], snapshotIds: [] } },
    grants: { [`account/${A}`]: "launch" },
  },
  {
    name: "create-volume for everybody",
    declared: { accountIds: [A], createVolumePermissions: { public: true, snapshotIds: [S1] } },
    grants: { [`account/${A}`]: `launch, createVolume on ${S1}`, public: `createVolume on ${S1}` },
  },
  {
    name: "the previous grants of others do not matter",
    declared: { accountIds: [A] },
    previous: { [`account/${B}`]: "launch", [ORGANIZATION]: "launch", public: "launch" },
    grants: { [`account/${A}`]: "launch" },
  },
  {
    name: "a previous grant that no set can change stays",
    declared: { accountIds: [A] },
    previous: { "user/aws-marketplace": "launch, createVolume" },
    grants: { [`account/${A}`]: "launch", "user/aws-marketplace": "launch, createVolume" },
  },
];

const NOT_KNOWN: readonly GrantsCase[] = [
  {
    name: "one account",
    declared: { accountIds: [A, UNKNOWN] },
    grants: { [`account/${A}`]: "launch", "account/[unknown]": "launch" },
  },
  {
    name: "three accounts, with create-volume",
    declared: { accountIds: [UNKNOWN, UNKNOWN, UNKNOWN], createVolumePermissions: true },
    grants: {
      "account/[unknown]": "launch, createVolume",
      "account/[unknown 2]": "launch, createVolume",
      "account/[unknown 3]": "launch, createVolume",
    },
  },
  {
    name: "the list of accounts",
    declared: { accountIds: UNKNOWN, organizationArns: [ORGANIZATION] },
    grants: { "account/[unknown]": UNKNOWN, [ORGANIZATION]: "launch" },
  },
  {
    name: "one organization and one unit",
    declared: { organizationArns: [UNKNOWN], organizationalUnitArns: [UNKNOWN] },
    grants: { "organization/[unknown]": "launch", "organizationalUnit/[unknown]": "launch" },
  },
  { name: "public", declared: { public: UNKNOWN }, grants: { public: UNKNOWN } },
  {
    name: "one account: only the grants of recorded accounts become unknown",
    declared: { accountIds: [A, UNKNOWN] },
    previous: { [`account/${A}`]: "launch", [`account/${B}`]: "launch", [ORGANIZATION]: "launch", public: "launch" },
    grants: { [`account/${A}`]: "launch", [`account/${B}`]: UNKNOWN, "account/[unknown]": "launch" },
  },
  {
    name: "create-volume as a whole",
    declared: { accountIds: [A], organizationArns: [ORGANIZATION], createVolumePermissions: UNKNOWN },
    grants: { [`account/${A}`]: UNKNOWN, [ORGANIZATION]: "launch" },
  },
  {
    name: "the snapshots",
    declared: { accountIds: [A], organizationArns: [ORGANIZATION], createVolumePermissions: { snapshotIds: UNKNOWN } },
    grants: { [`account/${A}`]: UNKNOWN, [ORGANIZATION]: "launch" },
  },
  {
    name: "one of the snapshots",
    declared: { accountIds: [A], createVolumePermissions: { snapshotIds: [S1, UNKNOWN] } },
    grants: { [`account/${A}`]: UNKNOWN },
  },
  {
    name: "the accounts of create-volume",
    declared: { accountIds: [A], createVolumePermissions: { accountIds: [UNKNOWN] } },
    grants: { [`account/${A}`]: UNKNOWN, "account/[unknown]": "createVolume" },
  },
];

describe("the declared grants", () => {
  for (const { name, declared, previous, grants } of KNOWN)
    it(name, () => assert.deepEqual(declaredGrants({ imageId: IMAGE, ...declared }, previous), grants));
});

describe("the declared grants with unknown values", () => {
  for (const { name, declared, previous, grants } of NOT_KNOWN)
    it(name, () => {
      assert.deepEqual(declaredGrants({ imageId: IMAGE, ...declared }, previous), grants);
      assert.equal(permissionSetOf({ imageId: IMAGE, ...declared }), undefined);
    });

  for (const [name, declared] of Object.entries<DeclaredSet>({
    imageId: { imageId: UNKNOWN, accountIds: [A] },
    mode: { imageId: IMAGE, mode: UNKNOWN },
    onDelete: { imageId: IMAGE, onDelete: UNKNOWN },
  }))
    it(`${name}: there is no set yet if it is unknown`, () => assert.equal(permissionSetOf(declared), undefined));

  it("an unknown image id does not make the grants unknown", () => {
    assert.deepEqual(declaredGrants({ imageId: UNKNOWN, accountIds: [A] }), { [`account/${A}`]: "launch" });
  });
});

describe("the set of a declaration", () => {
  it("has defaults: authoritative, revoke, no create-volume", () => {
    const set = permissionSetOf({ imageId: IMAGE });
    assert.equal(set?.mode, "authoritative");
    assert.equal(set?.onDelete, "revoke");
    assert.equal(set?.createVolume, undefined);
    assert.deepEqual(set?.launch, new Set());
  });

  it("is complete even if arguments are unknown that do not decide about access", () => {
    const set = permissionSetOf({
      imageId: IMAGE,
      region: UNKNOWN,
      profile: UNKNOWN,
      acknowledgePublic: UNKNOWN,
      endpoint: UNKNOWN,
    });
    assert.equal(set?.imageId, IMAGE);
  });
});

describe("the permissions that a set wants on an image", () => {
  const image = { ownerId: OWNER, snapshotIds: [S1, S2] };
  const cases: readonly {
    name: string;
    declared: Omit<DeclaredSet, "imageId">;
    image?: typeof image;
    launch: string[];
    createVolume: Record<string, string[]>;
    managed: string[];
  }[] = [
    { name: "launch only", declared: { accountIds: [A] }, launch: [`account/${A}`], createVolume: {}, managed: [] },
    {
      name: "the owner is left out of both",
      declared: { accountIds: [A, OWNER], createVolumePermissions: true },
      launch: [`account/${A}`],
      createVolume: { [S1]: [`account/${A}`], [S2]: [`account/${A}`] },
      managed: [S1, S2],
    },
    {
      name: "only the owner: no grantee, and the snapshots are managed",
      declared: { accountIds: [OWNER], createVolumePermissions: true },
      launch: [],
      createVolume: {},
      managed: [S1, S2],
    },
    {
      name: "the owner is left out of accounts of create-volume",
      declared: { accountIds: [A], createVolumePermissions: { accountIds: [OWNER, B] } },
      launch: [`account/${A}`],
      createVolume: { [S1]: [`account/${B}`], [S2]: [`account/${B}`] },
      managed: [S1, S2],
    },
    {
      name: "named snapshots only",
      declared: { accountIds: [A], createVolumePermissions: { snapshotIds: [S2] } },
      launch: [`account/${A}`],
      createVolume: { [S2]: [`account/${A}`] },
      managed: [S2],
    },
    {
      name: "an image without snapshots",
      declared: { accountIds: [A], createVolumePermissions: true },
      image: { ownerId: OWNER, snapshotIds: [] },
      launch: [`account/${A}`],
      createVolume: {},
      managed: [],
    },
    {
      name: "an organization gets launch permission, but no create-volume permission",
      declared: { organizationArns: [ORGANIZATION], createVolumePermissions: true },
      launch: [ORGANIZATION],
      createVolume: {},
      managed: [S1, S2],
    },
  ];
  for (const { name, declared, image: on = image, launch, createVolume, managed } of cases)
    it(name, () => {
      const set = permissionSetOf({ imageId: IMAGE, ...declared });
      assert.ok(set);
      const target = targetPermissions(set, on);
      assert.deepEqual([...target.launch], launch);
      assert.deepEqual(Object.fromEntries([...target.createVolume].map(([id, keys]) => [id, [...keys]])), createVolume);
      assert.deepEqual(managedSnapshots(set, on), managed);
    });
});
