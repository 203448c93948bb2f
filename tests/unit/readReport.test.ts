/** Reading a report's text back gives what its plan has: who gains, loses and keeps what, and why. */

import * as assert from "node:assert/strict";
import {
  decodeDeclaredSet,
  encodeGrants,
  entriesOf,
  type PermissionSet,
  permissionSetOf,
  planChange,
  readReport,
  reportOf,
  reportOfDeletion,
} from "../../provider/core";
import { MemoryGateway, OWNER } from "../helpers/memoryGateway";

const [A, B, C] = ["account/111122223333", "account/444455556666", "account/777788889999"] as const;
const ORGANIZATION = "arn:aws:organizations::111122223333:organization/o-abcde12345";
const MANY = Array.from({ length: 60 }, (_, i) => String(300000000000 + i));

function setOf(args: Record<string, unknown>): PermissionSet {
  const decoded = decodeDeclaredSet(args);
  return ("declared" in decoded ? permissionSetOf(decoded.declared) : undefined) ?? assert.fail(JSON.stringify(decoded));
}

async function planned(args: Record<string, unknown>, live: readonly string[]) {
  const ec2 = new MemoryGateway();
  const { imageId, snapshotIds } = ec2.addImage(2);
  for (const grantee of live) ec2.grantees(imageId).add(grantee);
  for (const grantee of live.filter((key) => key.startsWith("account"))) ec2.grantees(snapshotIds[0] ?? "").add(grantee);
  const set = setOf({ imageId, acknowledgePublic: true, ...args });
  return { plan: await planChange(ec2, set, undefined), set, imageId, snapshotIds };
}

describe("a report's text, read back", () => {
  it("has every line of the plan, with grantees, permissions and reasons", async () => {
    const args = {
      accountIds: ["111122223333", "777788889999", ...MANY],
      organizationArns: [ORGANIZATION],
      public: true,
      createVolumePermissions: { accountIds: ["777788889999"] },
      neverRevoke: ["444455556666"],
    };
    const { plan, imageId, snapshotIds } = await planned(args, [A, B, C, "account/222222222222"]);
    const { sections, others } = readReport(reportOf(plan, "planned", { nameAll: true }));
    assert.deepEqual(others, []);
    const [section, ...more] = sections;
    assert.deepEqual(more, []);
    assert.deepEqual(
      [section?.imageId, section?.region, section?.kind, section?.counts],
      [imageId, "us-east-1", "change", { gains: 63, loses: 2, keeps: 1 }],
    );
    const read = section?.entries.flatMap(({ sign, words, why, grantees }) =>
      grantees.map((key) => `${sign} ${key} ${words} ${why}`),
    );
    const meant = entriesOf(plan).flatMap(({ sign, why, permissions }) =>
      Object.entries(encodeGrants(permissions, snapshotIds)).map(([key, words]) => `${sign} ${key} ${words} ${why}`),
    );
    assert.ok(meant.length > 65, `${meant.length} lines`);
    assert.deepEqual(read?.toSorted(), meant.toSorted());
    assert.ok(section?.entries.every(({ unnamed }) => unnamed === 0));
    assert.equal(section?.broadens.length, 3);
  });

  it("counts those that a line does not name, because it is cut or because they are a secret", async () => {
    const { plan } = await planned({ accountIds: MANY }, [A]);
    const unnamed = (text: string) =>
      readReport(text).sections[0]?.entries.map((entry) => [entry.sign, entry.grantees.length, entry.unnamed]);
    assert.deepEqual(unnamed(reportOf(plan, "planned")), [
      ["+", 10, 50],
      ["-", 1, 0],
    ]);
    assert.deepEqual(unnamed(reportOf(plan, "planned", { countOnly: true })), [
      ["+", 0, 60],
      ["-", 0, 1],
    ]);
  });

  it("has warnings, notes and what will fail, without their line breaks", async () => {
    const { plan, imageId } = await planned({ accountIds: ["111122223333"], maxRevocations: 0 }, [B]);
    const told = {
      ...plan,
      warnings: ["a warning that is so long that the report has to break it into two lines at least"],
      doubts: ["a doubt"],
    };
    const [section] = readReport(reportOf(told, "planned")).sections;
    assert.deepEqual(section?.warnings, told.warnings);
    assert.deepEqual(section?.notes, told.doubts);
    assert.deepEqual(section?.refusals, [plan.refusals[0]?.message]);
    assert.match(section?.refusals[0] ?? "", new RegExp(`^the change of AMI ${imageId} would take access`));
  });

  it("has a section of its own for the AMI that a replaced set leaves, and for a set that goes", async () => {
    const { plan, imageId } = await planned({ accountIds: ["111122223333"] }, []);
    const old = setOf({ imageId: "ami-0123456789abcdef0", accountIds: ["444455556666"], neverRevoke: ["777788889999"] });
    const held = { launch: new Set([B, C]), createVolume: new Map() };
    const recorded = { region: "us-east-1", ownerId: OWNER, snapshotIds: [], live: held, granted: held };
    for (const which of ["then AMI ami-0123456789abcdef0, whose set is replaced,", "AMI ami-0123456789abcdef0"]) {
      const text = `${reportOf(plan, "planned")}\n${reportOfDeletion(which, old, recorded)}`;
      const [first, second] = readReport(text).sections;
      assert.deepEqual([first?.imageId, first?.kind], [imageId, "change"]);
      assert.deepEqual([second?.imageId, second?.kind], ["ami-0123456789abcdef0", "removal"]);
      assert.deepEqual(
        second?.entries.map(({ sign, why, grantees }) => [sign, why, ...grantees]),
        [
          ["-", "granted by this set", B],
          ["=", "stays: neverRevoke", C],
        ],
      );
    }
    const gone = readReport(`set "z" is not declared any more\n${reportOfDeletion("AMI ami-0123456789abcdef0", old, recorded)}`);
    assert.deepEqual(gone.others, ['set "z" is not declared any more']);
    assert.equal(gone.sections.length, 1);
  });

  it("is nothing for other texts", () => {
    for (const text of [
      "",
      "AMI",
      "the AMI is not known yet: its permissions can be read when it exists",
      "- launch (new): account/111122223333",
    ])
      assert.deepEqual(readReport(text).sections, []);
  });
});
