/** The contract of a Gateway: one table of cases that runs against the model in memory, the emulator and plain moto. */

import * as assert from "node:assert/strict";
import type { AmiSharingError, Gateway, GranteeKey } from "../../provider/core";

/** The names of the cases that a replacement for EC2 cannot run. */
export type Feature =
  | "reset"
  | "absent-describe"
  | "foreign"
  | "quota"
  | "block-public-access"
  | "deregistered"
  | "disabled"
  | "snapshot-account-check"
  | "two-snapshots"
  | "marketplace"
  | "encryption"
  | "codes"
  | "usage";

export interface World {
  readonly gateway: Gateway;
  /** Makes an available image of the caller, or one of `ownerId` that is shared with the caller. */
  makeImage(
    snapshots: number,
    ownerId?: string,
    /** Encrypted under a key that AWS or the customer manages. */
    keyManager?: "AWS" | "CUSTOMER",
  ): Promise<{ imageId: string; snapshotIds: readonly string[] }>;
  /** Requests that change something since the last call of this, as `Action resource`. */
  modifications(): Promise<string[]>;
  /** Sets up a situation for which the gateway has no call. */
  arrange(situation: Situation): Promise<void>;
}

export type Situation =
  | { readonly kind: "deregistered" | "disabled" | "marketplace"; readonly imageId: string }
  | { readonly kind: "product-code" | "watermark"; readonly imageId: string; readonly value: string }
  | { readonly kind: "usage"; readonly imageId: string; readonly accountId: string; readonly count: number }
  | { readonly kind: "denied"; readonly actions: readonly string[] }
  | { readonly kind: "quota"; readonly entities: number }
  | { readonly kind: "block-public-access"; readonly byPolicy?: boolean }
  | { readonly kind: "usage-report"; readonly imageId: string; readonly accountIds?: readonly string[]; readonly error?: string };

interface Case {
  readonly name: string;
  readonly needs?: Feature;
  readonly run: (world: World) => Promise<void>;
}

export const A = "account/111122223333";
export const B = "account/444455556666";
export const C = "account/012345678901";
export const ORGANIZATION = "arn:aws:organizations::111122223333:organization/o-abcde12345";
export const UNIT = "arn:aws:organizations::111122223333:ou/o-abcde12345/ou-ab12-cdefgh34";
const ABSENT_IMAGE = "ami-0ffffffffffffffff";
const ABSENT_SNAPSHOT = "snap-0ffffffffffffffff";

/** `count` different accounts. */
export function manyAccounts(count: number): GranteeKey[] {
  return Array.from({ length: count }, (_, i) => `account/${String(300000000000 + i)}`);
}

/** The contract as mocha tests. `lacks` names the cases that the replacement for EC2 cannot run. */
export function describeGatewayContract(
  name: string,
  makeWorld: () => Promise<World> | World,
  lacks: readonly Feature[] = [],
): void {
  describe(`gateway contract: ${name}`, () => {
    let world: World;
    beforeEach(async () => {
      world = await makeWorld();
      await world.modifications();
    });
    for (const { name: title, needs, run } of CASES) {
      if (needs && lacks.includes(needs)) continue;
      it(title, () => run(world));
    }
  });
}

const CASES: readonly Case[] = [
  {
    name: "an image that is not shared has an owner, a state, sorted snapshots, and no grantee",
    async run({ gateway, makeImage, modifications }) {
      const { imageId, snapshotIds } = await makeImage(1);
      const image = await gateway.describeImage(imageId);
      assert.equal(image.imageId, imageId);
      assert.equal(image.state, "available");
      assert.equal(image.ownerId, "123456789012");
      assert.deepEqual(image.snapshotIds, [...snapshotIds].sort());
      assert.deepEqual(await launchers(gateway, imageId), []);
      assert.deepEqual(await modifications(), []);
      assert.equal(await gateway.region(), "us-east-1");
    },
  },
  {
    name: "an image with two snapshots has both",
    needs: "two-snapshots",
    async run({ gateway, makeImage }) {
      const { imageId, snapshotIds } = await makeImage(2);
      assert.equal(snapshotIds.length, 2);
      assert.deepEqual((await gateway.describeImage(imageId)).snapshotIds, [...snapshotIds].sort());
    },
  },
  {
    name: "launch: add, in one call",
    async run({ gateway, makeImage, modifications }) {
      const { imageId } = await makeImage(1);
      await gateway.changeLaunchPermissions(imageId, { add: [A, C], remove: [] });
      assert.deepEqual(await launchers(gateway, imageId), [C, A]);
      assert.deepEqual(await modifications(), [`ModifyImageAttribute ${imageId}`]);
    },
  },
  {
    name: "launch: remove, in one call",
    async run({ gateway, makeImage, modifications }) {
      const { imageId } = await makeImage(1);
      await gateway.changeLaunchPermissions(imageId, { add: [A, B], remove: [] });
      await modifications();
      await gateway.changeLaunchPermissions(imageId, { add: [], remove: [A] });
      assert.deepEqual(await launchers(gateway, imageId), [B]);
      assert.deepEqual(await modifications(), [`ModifyImageAttribute ${imageId}`]);
    },
  },
  {
    name: "launch: add and remove together, in one call",
    async run({ gateway, makeImage, modifications }) {
      const { imageId } = await makeImage(1);
      await gateway.changeLaunchPermissions(imageId, { add: [A, B], remove: [] });
      await modifications();
      await gateway.changeLaunchPermissions(imageId, { add: [C], remove: [A, B] });
      assert.deepEqual(await launchers(gateway, imageId), [C]);
      assert.deepEqual(await modifications(), [`ModifyImageAttribute ${imageId}`]);
    },
  },
  {
    name: "launch: every kind of grantee is added in one call and read back",
    async run({ gateway, makeImage, modifications }) {
      const { imageId } = await makeImage(1);
      const all = [A, ORGANIZATION, UNIT, "public"];
      await gateway.changeLaunchPermissions(imageId, { add: all, remove: [] });
      assert.deepEqual(await launchers(gateway, imageId), [...all].sort());
      assert.deepEqual(await modifications(), [`ModifyImageAttribute ${imageId}`]);
      await gateway.changeLaunchPermissions(imageId, { add: [], remove: all });
      assert.deepEqual(await launchers(gateway, imageId), []);
    },
  },
  {
    name: "launch: several organizations and units at once",
    async run({ gateway, makeImage }) {
      const { imageId } = await makeImage(1);
      const all = [ORGANIZATION, ORGANIZATION.replace(/.$/, "6"), UNIT, UNIT.replace(/.$/, "5")];
      await gateway.changeLaunchPermissions(imageId, { add: all, remove: [] });
      assert.deepEqual(await launchers(gateway, imageId), [...all].sort());
      await gateway.changeLaunchPermissions(imageId, { add: [], remove: all.slice(1, 3) });
      assert.deepEqual(await launchers(gateway, imageId), [ORGANIZATION, UNIT.replace(/.$/, "5")]);
    },
  },
  {
    name: "launch: adding an existing grant and removing a missing one are accepted",
    async run({ gateway, makeImage }) {
      const { imageId } = await makeImage(1);
      await gateway.changeLaunchPermissions(imageId, { add: [A, A], remove: [] });
      await gateway.changeLaunchPermissions(imageId, { add: [A], remove: [B] });
      assert.deepEqual(await launchers(gateway, imageId), [A]);
      await gateway.changeLaunchPermissions(imageId, { add: [], remove: [B, ORGANIZATION, UNIT, "public"] });
      assert.deepEqual(await launchers(gateway, imageId), [A]);
    },
  },
  {
    name: "launch: nothing to change makes no call",
    async run({ gateway, makeImage, modifications }) {
      const { imageId } = await makeImage(1);
      await gateway.changeLaunchPermissions(imageId, { add: [], remove: [] });
      assert.deepEqual(await modifications(), []);
    },
  },
  {
    name: "launch: 501 accounts in one call",
    async run({ gateway, makeImage, modifications }) {
      const { imageId } = await makeImage(1);
      await gateway.changeLaunchPermissions(imageId, { add: manyAccounts(501), remove: [] });
      assert.equal((await launchers(gateway, imageId)).length, 501);
      assert.deepEqual(await modifications(), [`ModifyImageAttribute ${imageId}`]);
    },
  },
  {
    name: "launch: an invalid account fails the whole call",
    async run({ gateway, makeImage }) {
      const { imageId } = await makeImage(1);
      const error = await failure(gateway.changeLaunchPermissions(imageId, { add: [A, "account/12345"], remove: [] }));
      assert.equal(error.code, "invalid-argument");
      assert.deepEqual(await launchers(gateway, imageId), []);
    },
  },
  {
    name: "launch: a grantee that cannot be changed is refused without a call",
    async run({ gateway, makeImage, modifications }) {
      const { imageId } = await makeImage(1);
      const error = await failure(gateway.changeLaunchPermissions(imageId, { add: [], remove: ["user/aws-marketplace"] }));
      assert.equal(error.code, "invalid-argument");
      assert.match(error.message, /user\/aws-marketplace cannot be changed/);
      assert.deepEqual(await modifications(), []);
    },
  },
  {
    name: "an absent image cannot be changed",
    async run({ gateway }) {
      const error = await failure(gateway.changeLaunchPermissions(ABSENT_IMAGE, { add: [A], remove: [] }));
      assert.equal(error.code, "image-not-found");
      assert.ok(error.message.includes(ABSENT_IMAGE), error.message);
    },
  },
  {
    name: "an absent image is not found by describeImage",
    async run({ gateway }) {
      assert.equal((await failure(gateway.describeImage(ABSENT_IMAGE))).code, "image-not-found");
    },
  },
  {
    name: "an absent image is not found by launchPermissions",
    needs: "absent-describe",
    async run({ gateway }) {
      assert.equal((await failure(gateway.launchPermissions(ABSENT_IMAGE))).code, "image-not-found");
    },
  },
  {
    name: "snapshot: add and remove in a call each, without a change of launch permissions",
    async run({ gateway, makeImage, modifications }) {
      const { imageId, snapshotId } = await imageWithOne(makeImage);
      await gateway.changeCreateVolumePermissions(snapshotId, "add", [A, B]);
      assert.deepEqual(await volumeCreators(gateway, snapshotId), [A, B]);
      await gateway.changeCreateVolumePermissions(snapshotId, "remove", [A]);
      assert.deepEqual(await volumeCreators(gateway, snapshotId), [B]);
      assert.deepEqual(await launchers(gateway, imageId), []);
      assert.deepEqual(await modifications(), Array(2).fill(`ModifySnapshotAttribute ${snapshotId}`));
    },
  },
  {
    name: "snapshot: everybody and accounts in one call",
    async run({ gateway, makeImage, modifications }) {
      const { snapshotId } = await imageWithOne(makeImage);
      await gateway.changeCreateVolumePermissions(snapshotId, "add", ["public", A]);
      assert.deepEqual(await volumeCreators(gateway, snapshotId), [A, "public"]);
      assert.equal((await modifications()).length, 1);
      await gateway.changeCreateVolumePermissions(snapshotId, "remove", ["public", A]);
      assert.deepEqual(await volumeCreators(gateway, snapshotId), []);
    },
  },
  {
    name: "snapshot: adding an existing grant and removing a missing one are accepted",
    async run({ gateway, makeImage }) {
      const { snapshotId } = await imageWithOne(makeImage);
      await gateway.changeCreateVolumePermissions(snapshotId, "add", [A, A]);
      await gateway.changeCreateVolumePermissions(snapshotId, "add", [A]);
      await gateway.changeCreateVolumePermissions(snapshotId, "remove", [B, "public"]);
      assert.deepEqual(await volumeCreators(gateway, snapshotId), [A]);
    },
  },
  {
    name: "snapshot: 501 accounts are two calls, to add and to remove",
    async run({ gateway, makeImage, modifications }) {
      const { snapshotId } = await imageWithOne(makeImage);
      await gateway.changeCreateVolumePermissions(snapshotId, "add", manyAccounts(501));
      assert.equal((await volumeCreators(gateway, snapshotId)).length, 501);
      assert.equal((await modifications()).length, 2);
      await gateway.changeCreateVolumePermissions(snapshotId, "remove", manyAccounts(501));
      assert.deepEqual(await volumeCreators(gateway, snapshotId), []);
      assert.equal((await modifications()).length, 2);
    },
  },
  {
    name: "snapshot: 500 accounts are one call, and an empty list is none",
    async run({ gateway, makeImage, modifications }) {
      const { snapshotId } = await imageWithOne(makeImage);
      await gateway.changeCreateVolumePermissions(snapshotId, "add", manyAccounts(500));
      await gateway.changeCreateVolumePermissions(snapshotId, "add", []);
      assert.equal((await modifications()).length, 1);
    },
  },
  {
    name: "snapshot: an organization is refused without a call",
    async run({ gateway, makeImage, modifications }) {
      const { snapshotId } = await imageWithOne(makeImage);
      const error = await failure(gateway.changeCreateVolumePermissions(snapshotId, "add", [ORGANIZATION]));
      assert.equal(error.code, "invalid-argument");
      assert.deepEqual(await modifications(), []);
    },
  },
  {
    name: "snapshot: an invalid account is refused",
    needs: "snapshot-account-check",
    async run({ gateway, makeImage }) {
      const { snapshotId } = await imageWithOne(makeImage);
      const error = await failure(gateway.changeCreateVolumePermissions(snapshotId, "add", [A, "account/12345"]));
      assert.equal(error.code, "invalid-argument");
      assert.deepEqual(await volumeCreators(gateway, snapshotId), []);
    },
  },
  {
    name: "an absent snapshot cannot be read or changed",
    async run({ gateway }) {
      for (const attempt of [
        () => gateway.createVolumePermissions(ABSENT_SNAPSHOT),
        () => gateway.changeCreateVolumePermissions(ABSENT_SNAPSHOT, "add", [A]),
      ]) {
        const error = await failure(attempt());
        assert.equal(error.code, "snapshot-not-found");
        assert.ok(error.message.includes(ABSENT_SNAPSHOT), error.message);
      }
    },
  },
  {
    name: "reset removes every launch permission, in one call, and no create-volume permission",
    needs: "reset",
    async run({ gateway, makeImage, modifications }) {
      const { imageId, snapshotId } = await imageWithOne(makeImage);
      await gateway.changeLaunchPermissions(imageId, { add: [A, ORGANIZATION, "public"], remove: [] });
      await gateway.changeCreateVolumePermissions(snapshotId, "add", [A]);
      await modifications();
      await gateway.resetLaunchPermissions(imageId);
      assert.deepEqual(await launchers(gateway, imageId), []);
      assert.deepEqual(await volumeCreators(gateway, snapshotId), [A]);
      assert.deepEqual(await modifications(), [`ResetImageAttribute ${imageId}`]);
      await gateway.resetCreateVolumePermissions(snapshotId);
      assert.deepEqual(await volumeCreators(gateway, snapshotId), []);
      assert.deepEqual(await modifications(), [`ResetSnapshotAttribute ${snapshotId}`]);
    },
  },
  {
    name: "reset of an absent image or snapshot is an error",
    needs: "reset",
    async run({ gateway }) {
      assert.equal((await failure(gateway.resetLaunchPermissions(ABSENT_IMAGE))).code, "image-not-found");
      assert.equal((await failure(gateway.resetCreateVolumePermissions(ABSENT_SNAPSHOT))).code, "snapshot-not-found");
    },
  },
  {
    name: "an image of another account is described, but its permissions cannot be read or changed",
    needs: "foreign",
    async run({ gateway, makeImage }) {
      const { imageId, snapshotIds } = await makeImage(1, "222222222222");
      assert.equal((await gateway.describeImage(imageId)).ownerId, "222222222222");
      for (const attempt of [
        () => gateway.launchPermissions(imageId),
        () => gateway.changeLaunchPermissions(imageId, { add: [A], remove: [] }),
        () => gateway.resetLaunchPermissions(imageId),
        () => gateway.createVolumePermissions(snapshotIds[0] as string),
      ])
        assert.equal((await failure(attempt())).code, "not-owner");
    },
  },
  {
    name: "own images are listed by id, each with the values of describeImage",
    async run({ gateway, makeImage }) {
      const made = [await makeImage(1), await makeImage(1), await makeImage(1)];
      const own = await gateway.describeImages("self");
      const ids = own.map(({ imageId }) => imageId);
      assert.deepEqual(ids, [...ids].sort());
      for (const { imageId } of made)
        assert.deepEqual(
          own.find((image) => image.imageId === imageId),
          await gateway.describeImage(imageId),
        );
    },
  },
  {
    name: "images of others are listed if they are shared with the caller, and own images are not",
    needs: "foreign",
    async run({ gateway, makeImage }) {
      const own = await makeImage(1);
      await gateway.changeLaunchPermissions(own.imageId, { add: [A, "account/123456789012"], remove: [] });
      const { imageId } = await makeImage(1, "222222222222");
      const others = await gateway.describeImages("others");
      assert.ok(others.some((image) => image.imageId === imageId));
      assert.deepEqual([...new Set(others.map(({ ownerId }) => ownerId))], ["222222222222"]);
      assert.ok((await gateway.describeImages("self")).every(({ ownerId }) => ownerId === "123456789012"));
    },
  },
  {
    name: "one grantee more than the quota is refused, and nothing is added",
    needs: "quota",
    async run({ gateway, makeImage, arrange }) {
      const { imageId } = await makeImage(1);
      await arrange({ kind: "quota", entities: 2 });
      await gateway.changeLaunchPermissions(imageId, { add: [A, B], remove: [] });
      assert.equal((await failure(gateway.changeLaunchPermissions(imageId, { add: [C], remove: [] }))).code, "quota-exceeded");
      assert.deepEqual(await launchers(gateway, imageId), [A, B]);
      await gateway.changeLaunchPermissions(imageId, { add: [C, "public"], remove: [A] });
      assert.deepEqual(await launchers(gateway, imageId), [C, B, "public"]);
    },
  },
  {
    name: "block public access refuses only public sharing",
    needs: "block-public-access",
    async run({ gateway, makeImage, arrange }) {
      const { imageId, snapshotId } = await imageWithOne(makeImage);
      await arrange({ kind: "block-public-access" });
      for (const attempt of [
        () => gateway.changeLaunchPermissions(imageId, { add: [A, "public"], remove: [] }),
        () => gateway.changeCreateVolumePermissions(snapshotId, "add", ["public"]),
      ])
        assert.equal((await failure(attempt())).code, "public-access-blocked");
      assert.deepEqual(await launchers(gateway, imageId), []);
      await gateway.changeLaunchPermissions(imageId, { add: [A], remove: [] });
      await gateway.changeCreateVolumePermissions(snapshotId, "add", [A]);
      assert.deepEqual(await launchers(gateway, imageId), [A]);
    },
  },
  {
    name: "block public access is read, or unknown if the caller may not read it",
    needs: "block-public-access",
    async run({ gateway, arrange }) {
      await arrange({ kind: "denied", actions: ["ec2:GetSnapshotBlockPublicAccessState"] });
      const [off, on, byPolicy] = [
        { blocked: false, byPolicy: false },
        { blocked: true, byPolicy: false },
        { blocked: true, byPolicy: true },
      ];
      assert.deepEqual(await gateway.blockPublicAccess(), { images: off, snapshots: undefined });
      await arrange({ kind: "denied", actions: [] });
      assert.deepEqual(await gateway.blockPublicAccess(), { images: off, snapshots: off });
      await arrange({ kind: "block-public-access" });
      assert.deepEqual(await gateway.blockPublicAccess(), { images: on, snapshots: on });
      await arrange({ kind: "block-public-access", byPolicy: true });
      assert.deepEqual(await gateway.blockPublicAccess(), { images: byPolicy, snapshots: byPolicy });
    },
  },
  {
    name: "the enabled regions are listed, sorted, and have the region of the calls",
    async run({ gateway }) {
      const regions = await gateway.regions();
      assert.deepEqual(regions, regions.toSorted());
      assert.ok(regions.includes(await gateway.region()), regions.join());
    },
  },
  {
    name: "snapshots that do not exist are left out of describeSnapshots",
    async run({ gateway, makeImage }) {
      const { imageId, snapshotId } = await imageWithOne(makeImage);
      assert.deepEqual(await gateway.describeSnapshots([ABSENT_SNAPSHOT, snapshotId]), [
        { snapshotId, encrypted: false, kmsKeyId: undefined },
      ]);
      const { encrypted, productCodes, watermarks } = await gateway.describeImage(imageId);
      assert.deepEqual({ encrypted, productCodes, watermarks }, { encrypted: false, productCodes: [], watermarks: [] });
    },
  },
  ...(["AWS", "CUSTOMER"] as const).map(
    (manager): Case => ({
      name: `encryption under a key of ${manager} is read, with the key's manager`,
      needs: "encryption",
      async run({ gateway, makeImage, arrange }) {
        const { imageId, snapshotIds } = await makeImage(2, undefined, manager);
        assert.equal((await gateway.describeImage(imageId)).encrypted, true);
        const described = await gateway.describeSnapshots(snapshotIds);
        assert.deepEqual(
          described.map(({ snapshotId, encrypted }) => [snapshotId, encrypted]),
          [...snapshotIds].sort().map((id) => [id, true]),
        );
        const key = described[0]?.kmsKeyId ?? "";
        assert.equal(await gateway.keys.manager(key), manager);
        await arrange({ kind: "denied", actions: ["kms:DescribeKey"] });
        assert.equal(await gateway.keys.manager(key), undefined);
      },
    }),
  ),
  {
    name: "a key's policy and grants are read; a grant is made once for a name, and revoked",
    needs: "encryption",
    async run({ gateway, makeImage, arrange }) {
      const { snapshotIds } = await makeImage(1, undefined, "CUSTOMER");
      const key = (await gateway.describeSnapshots(snapshotIds))[0]?.kmsKeyId ?? "";
      assert.match((await gateway.keys.policy(key)) ?? "", /"kms:\*"/);
      const before = (await gateway.keys.grants(key))?.length ?? -1;
      const grantId = await gateway.keys.createGrant(key, "111122223333", "ami-launch-permissions/ami-1");
      const made = (await gateway.keys.grants(key))?.filter((grant) => grant.grantId === grantId) ?? [];
      assert.deepEqual(
        made.map(({ keyId, accountId, name, operations }) => [keyId, accountId, name, operations.includes("CreateGrant")]),
        [[key, "111122223333", "ami-launch-permissions/ami-1", true]],
      );
      assert.equal(await gateway.keys.createGrant(key, "111122223333", "ami-launch-permissions/ami-1"), grantId);
      assert.equal((await gateway.keys.grants(key))?.length, before + 1);
      await gateway.keys.revokeGrant(key, grantId);
      assert.equal((await gateway.keys.grants(key))?.length, before);
      await gateway.keys.revokeGrant(key, grantId);
      await arrange({ kind: "denied", actions: ["kms:GetKeyPolicy", "kms:ListGrants", "kms:CreateGrant", "kms:RevokeGrant"] });
      assert.equal(await gateway.keys.policy(key), undefined);
      assert.equal(await gateway.keys.grants(key), undefined);
      assert.equal((await failure(gateway.keys.createGrant(key, "111122223333", "x"))).code, "not-authorized");
      assert.equal((await failure(gateway.keys.revokeGrant(key, grantId))).code, "not-authorized");
    },
  },
  {
    name: "a usage report is made, found, read and deleted",
    needs: "usage",
    async run({ gateway, makeImage, arrange }) {
      const { imageId } = await makeImage(1);
      await arrange({ kind: "usage", imageId, accountId: "111122223333", count: 3 });
      assert.deepEqual(await gateway.usage.reports(imageId), []);
      const reportId = await gateway.usage.create(imageId);
      const [report] = await gateway.usage.reports(imageId);
      assert.deepEqual([report?.reportId, report?.state, report?.complete], [reportId, "available", true]);
      assert.ok(Math.abs(Date.now() - (report?.createdAt ?? 0)) < 60_000);
      assert.deepEqual(await gateway.usage.entries(reportId), [
        { accountId: "111122223333", resourceType: "ec2:Instance", count: 3 },
      ]);
      await gateway.usage.delete(reportId);
      assert.deepEqual(await gateway.usage.reports(imageId), []);
    },
  },
  {
    name: "a usage report about some accounts is not complete, and one in error says why",
    needs: "usage",
    async run({ gateway, makeImage, arrange }) {
      const { imageId } = await makeImage(1);
      await arrange({ kind: "usage-report", imageId, accountIds: ["444455556666"] });
      await arrange({ kind: "usage-report", imageId, error: "no room" });
      const reports = await gateway.usage.reports(imageId);
      assert.deepEqual(reports.map(({ state, reason, complete }) => [state, reason, complete]).sort(), [
        ["available", undefined, false],
        ["error", "no room", true],
      ]);
    },
  },
  {
    name: "snapshots under the AWS managed key are not shared, and encrypted ones are not public",
    needs: "encryption",
    async run({ gateway, makeImage }) {
      const managed = await makeImage(1, undefined, "AWS");
      const own = await makeImage(1, undefined, "CUSTOMER");
      for (const attempt of [
        () => gateway.changeLaunchPermissions(managed.imageId, { add: [A], remove: [] }),
        () => gateway.changeCreateVolumePermissions(managed.snapshotIds[0] as string, "add", [A]),
        () => gateway.changeLaunchPermissions(own.imageId, { add: ["public"], remove: [] }),
        () => gateway.changeCreateVolumePermissions(own.snapshotIds[0] as string, "add", ["public"]),
      ])
        assert.equal((await failure(attempt())).code, "sharing-refused");
      await gateway.changeLaunchPermissions(own.imageId, { add: [A], remove: [] });
      assert.deepEqual(await launchers(gateway, own.imageId), [A]);
      assert.deepEqual(await launchers(gateway, managed.imageId), []);
    },
  },
  ...(["product-code", "watermark"] as const).map(
    (kind): Case => ({
      name: `an image has its ${kind}, and cannot be public`,
      needs: "codes",
      async run({ gateway, makeImage, arrange }) {
        const { imageId } = await makeImage(1);
        await arrange({ kind, imageId, value: "abc" });
        const { productCodes, watermarks } = await gateway.describeImage(imageId);
        assert.deepEqual({ productCodes, watermarks }, { productCodes: [], watermarks: [], [MEMBERS[kind]]: ["abc"] });
        const attempt = gateway.changeLaunchPermissions(imageId, { add: ["public"], remove: [] });
        assert.equal((await failure(attempt)).code, "sharing-refused");
        assert.deepEqual(await launchers(gateway, imageId), []);
      },
    }),
  ),
  {
    name: "a deregistered image is not found",
    needs: "deregistered",
    async run({ gateway, makeImage, arrange }) {
      const { imageId } = await makeImage(1);
      await arrange({ kind: "deregistered", imageId });
      for (const attempt of [
        () => gateway.describeImage(imageId),
        () => gateway.launchPermissions(imageId),
        () => gateway.changeLaunchPermissions(imageId, { add: [A], remove: [] }),
      ])
        assert.equal((await failure(attempt())).code, "image-not-found");
    },
  },
  {
    name: "a disabled image has that state and no grantees, and cannot be shared",
    needs: "disabled",
    async run({ gateway, makeImage, arrange }) {
      const { imageId } = await makeImage(1);
      await gateway.changeLaunchPermissions(imageId, { add: [A], remove: [] });
      await arrange({ kind: "disabled", imageId });
      assert.equal((await gateway.describeImage(imageId)).state, "disabled");
      assert.ok((await gateway.describeImages("self")).some((image) => image.imageId === imageId && image.state === "disabled"));
      assert.deepEqual(await launchers(gateway, imageId), []);
      for (const attempt of [
        () => gateway.changeLaunchPermissions(imageId, { add: [A], remove: [] }),
        () => gateway.changeLaunchPermissions(imageId, { add: [], remove: [A] }),
        () => gateway.resetLaunchPermissions(imageId),
      ])
        assert.equal((await failure(attempt())).code, "image-not-found");
    },
  },
  {
    name: "the Marketplace's grant is read as a user, and stays after a reset",
    needs: "marketplace",
    async run({ gateway, makeImage, arrange }) {
      const { imageId } = await makeImage(1);
      await arrange({ kind: "marketplace", imageId });
      await gateway.changeLaunchPermissions(imageId, { add: [A], remove: [] });
      assert.deepEqual(await launchers(gateway, imageId), [A, "user/aws-marketplace"]);
      await gateway.resetLaunchPermissions(imageId);
      assert.deepEqual(await launchers(gateway, imageId), ["user/aws-marketplace"]);
    },
  },
];

const MEMBERS = { "product-code": "productCodes", watermark: "watermarks" } as const;

async function launchers(gateway: Gateway, imageId: string): Promise<GranteeKey[]> {
  return [...(await gateway.launchPermissions(imageId))].sort();
}

async function volumeCreators(gateway: Gateway, snapshotId: string): Promise<GranteeKey[]> {
  return [...(await gateway.createVolumePermissions(snapshotId))].sort();
}

async function imageWithOne(makeImage: World["makeImage"]): Promise<{ imageId: string; snapshotId: string }> {
  const { imageId, snapshotIds } = await makeImage(1);
  return { imageId, snapshotId: snapshotIds[0] as string };
}

/** The error of a promise that must fail. Every gateway throws only errors for users. */
async function failure(attempt: Promise<unknown>): Promise<AmiSharingError> {
  const error = await attempt.then(
    () => assert.fail("it was expected to fail"),
    (thrown: AmiSharingError) => thrown,
  );
  assert.equal(error.name, "AmiSharingError", String(error));
  return error;
}
