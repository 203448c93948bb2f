/** The text of a report: counts first, then grantees and reasons, what broadens access, the calls, and what will fail. It is readable at any size. */

import * as assert from "node:assert/strict";
import {
  decodeDeclaredSet,
  entriesOf,
  NO_PERMISSIONS,
  type Permissions,
  permissionSetOf,
  planChange,
  type Recorded,
  reportOf,
} from "../../provider/core";
import { MemoryGateway, OWNER } from "../helpers/memoryGateway";

const [A, B, C, D] = ["111122223333", "444455556666", "777788889999", "012345678901"];
const key = (id: string | undefined) => `account/${id}`;
const ORGANIZATION = "arn:aws:organizations::111122223333:organization/o-abcde12345";
const UNIT = `arn:aws-us-gov:organizations::111122223333:ou/o-${"a".repeat(32)}/ou-ab12-${"c".repeat(32)}`;

async function planned(args: Record<string, unknown>, live: readonly string[] = [], recorded?: Partial<Permissions>) {
  const ec2 = new MemoryGateway();
  ec2.entityQuota = 2000;
  const { imageId, snapshotIds } = ec2.addImage(1);
  for (const grantee of live) ec2.grantees(imageId).add(grantee);
  const decoded = decodeDeclaredSet({ imageId, acknowledgePublic: true, ...args });
  const set = "declared" in decoded ? permissionSetOf(decoded.declared) : undefined;
  const permissions = { ...NO_PERMISSIONS, ...recorded };
  const before: Recorded | undefined = recorded && {
    region: "us-east-1",
    ownerId: OWNER,
    snapshotIds,
    live: permissions,
    granted: permissions,
  };
  return planChange(ec2, set ?? assert.fail(JSON.stringify(decoded)), before);
}

/** `sign why: grantees`, a line each. */
async function told(...given: Parameters<typeof planned>): Promise<string[]> {
  return entriesOf(await planned(...given)).map(
    ({ sign, why, permissions }) => `${sign} ${why}: ${[...permissions.launch].sort()}`,
  );
}

describe("a report gives the reason for each grantee", () => {
  const holds = (...ids: (string | undefined)[]) => ({ launch: new Set(ids.map(key)) });
  const cases: readonly { name: string; given: Parameters<typeof planned>; lines: string[] }[] = [
    { name: "new", given: [{ accountIds: [A] }], lines: [`+ new: ${key(A)}`] },
    {
      name: "removed by drift",
      given: [{ accountIds: [A] }, [], holds(A)],
      lines: [`+ drifted: taken away outside this set: ${key(A)}`],
    },
    { name: "granted by the set", given: [{}, [key(A)], holds(A)], lines: [`- granted by this set: ${key(A)}`] },
    { name: "set elsewhere", given: [{ accountIds: [A] }, [key(B)]], lines: [`+ new: ${key(A)}`, `- set elsewhere: ${key(B)}`] },
    { name: "already granted", given: [{ accountIds: [A] }, [key(A)]], lines: [`= has it already: ${key(A)}`] },
    { name: "already gone", given: [{}, [], holds(A)], lines: [`= is not there: ${key(A)}`] },
    { name: "neverRevoke", given: [{ neverRevoke: [A] }, [key(A)]], lines: [`= stays: neverRevoke: ${key(A)}`] },
    {
      name: "the Marketplace",
      given: [{}, ["user/aws-marketplace"]],
      lines: ["= stays: no set can revoke it: user/aws-marketplace"],
    },
    {
      name: "grants of others, additive: not reported",
      given: [{ mode: "additive", accountIds: [A] }, [key(A), key(B)], holds(A)],
      lines: [],
    },
    {
      name: "recorded but not granted by the set, additive",
      given: [{ mode: "additive" }, [key(A)], { launch: new Set([key(A)]) }],
      lines: [`- granted by this set: ${key(A)}`],
    },
    { name: "the owner", given: [{ accountIds: [OWNER] }], lines: [`= left out: the owner always has access: ${key(OWNER)}`] },
    { name: "unchanged: not reported", given: [{ accountIds: [A] }, [key(A)], holds(A)], lines: [] },
  ];
  for (const { name, given, lines } of cases)
    it(name, async () => {
      assert.deepEqual(await told(...given), lines);
    });

  it("also for grants that an additive set keeps although a diff shows them as lost", async () => {
    const plan = await planned({ mode: "additive" }, [key(A)], { launch: new Set([key(A)]) });
    const recorded = { ...(plan.recorded as Recorded), granted: NO_PERMISSIONS };
    const entries = entriesOf({
      ...plan,
      recorded,
      change: { add: NO_PERMISSIONS, remove: NO_PERMISSIONS },
      losing: NO_PERMISSIONS,
    });
    assert.deepEqual(
      entries.map(({ sign, why }) => `${sign} ${why}`),
      ["= stays: set elsewhere, and the mode is additive"],
    );
  });
});

describe("the text of a report", () => {
  it("lists what will be done and what was done, with the calls", async () => {
    const plan = await planned({ accountIds: [A, B], createVolumePermissions: true }, [key(B), key(C), key(D)]);
    assert.equal(
      reportOf(plan, "planned"),
      `AMI ami-00000000000000001 in us-east-1: 2 gain, 2 lose access
  + launch, createVolume (new): account/111122223333
  + createVolume (new): account/444455556666
  - launch (set elsewhere; 2): account/012345678901,
      account/777788889999
  = launch (has it already): account/444455556666
  broadens access: 2 grantees may copy the disks (createVolume)
  snapshots: snap-00000000000000002
  calls: 1 ModifySnapshotAttribute, 1 ModifyImageAttribute`,
    );
    assert.match(reportOf(plan, "done"), /: 2 gained, 2 lost access\n/);
  });

  it("says that nothing changes", async () => {
    assert.equal(
      reportOf(await planned({ accountIds: [A] }, [key(A)]), "planned"),
      `AMI ami-00000000000000001 in us-east-1: nothing changes, 1 keeps access
  = launch (has it already): account/111122223333
  calls: none`,
    );
  });

  it("names what broadens access", async () => {
    const args = {
      public: true,
      organizationArns: [ORGANIZATION],
      organizationalUnitArns: [UNIT],
      createVolumePermissions: true,
    };
    const text = reportOf(await planned(args), "planned");
    const lines = text.replace(/\n {6}/g, " ").split("\n");
    assert.deepEqual(
      lines.filter((line) => line.includes("broadens")).map((line) => line.trim()),
      [
        "broadens access: everybody, every AWS account, may launch the AMI",
        "broadens access: every account of an organization, future ones too, may launch the AMI",
        "broadens access: every account of an organizational unit, future ones too, may launch the AMI",
        "broadens access: everybody, every AWS account, may copy the disks (createVolume)",
      ],
    );
  });

  it("names what will fail, and what may fail", async () => {
    const many = Array.from({ length: 1001 }, (_, i) => String(300000000000 + i));
    const text = reportOf(await planned({ accountIds: many, maxRevocations: 0 }, [key(A)]), "planned").replace(/\n {6}/g, " ");
    assert.match(text, /\n {2}will fail: .* \[too-many-revocations\]/);
    assert.match(text, /\n {2}note: AMI \S+ would be shared with 1,001/);
    assert.match(text, /^AMI \S+ in us-east-1: 1001 gain, 1 loses access\n/);
  });

  it("stays readable with 500 accounts, and fits 80 columns except for text that cannot be wrapped", async () => {
    const many = Array.from({ length: 500 }, (_, i) => String(300000000000 + i));
    const plan = await planned({ accountIds: many, organizationalUnitArns: [UNIT], createVolumePermissions: true }, [key(A)]);
    const text = reportOf(plan, "planned");
    assert.match(text, /account\/300000000009\s+and\s+490 more/);
    assert.ok(text.split("\n").length < 25, text);
    for (const line of text.split("\n")) assert.ok(line.length <= 80 || line.trim() === UNIT, line);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes are what is looked for
    assert.doesNotMatch(text, /\u001b/);
  });
});
