/** Secrets in the provider: it marks values for the engine as secrets, and no message contains them. */

import * as assert from "node:assert/strict";
import { DynamicProvider } from "../../provider/pulumi/dynamicProvider";
import { plain, SECRETS, withoutSecrets } from "../../provider/pulumi/secrets";
import { CONTEXT, encodeContext } from "../../provider/pulumi/state";
import { MemoryGateway } from "../helpers/memoryGateway";

const [A, B, C] = ["111122223333", "444455556666", "777788889999"] as const;
const SIGNATURE = "4dabf18193072939515e22adb298388d";

/** What the engine can show of a resource: everything except the marked values. */
function shown(value: unknown): string {
  return JSON.stringify(value, (_, item) => (item !== null && typeof item === "object" && SIGNATURE in item ? "[secret]" : item));
}

function named(text: string): string[] {
  return [A, B, C].filter((id) => text.includes(id));
}

/** A provider with its own EC2 and an AMI. */
async function setUp() {
  const ec2 = new MemoryGateway();
  const told: string[] = [];
  const provider = new DynamicProvider({
    gateway: () => ec2,
    waitOptions: { timeout: 5, minDelay: 0.001, maxDelay: 0.002, absencePause: 0 },
    tell: (words) => told.push(words),
  });
  await provider.configure({ config: { get: () => undefined, require: () => "" } } as never);
  return { ec2, told, provider, imageId: ec2.addImage(1).imageId };
}

describe("secrets", () => {
  it("of imageId are marked among the outputs, and the set's id is the AMI", async () => {
    const { provider, imageId } = await setUp();
    const inputs = { imageId, accountIds: [A], region: "us-east-1", [SECRETS]: ["imageId"] };
    const { id, outs } = await provider.create(inputs);
    assert.equal(id, imageId);
    assert.doesNotMatch(shown(outs), /ami-/);
  });

  for (const [argument, secret] of [
    ["accountIds", { accountIds: [A, B] }],
    ["createVolumePermissions", { createVolumePermissions: { accountIds: [A, B] }, accountIds: [] }],
  ] as const)
    it(`of ${argument} are marked in every value that contains grantees, in every operation, and a deletion only counts them`, async () => {
      const { provider, told, imageId } = await setUp();
      const news = { imageId, ...secret, region: "us-east-1", [SECRETS]: [argument] };

      const checked = (await provider.check({}, news)).inputs;
      assert.deepEqual(named(shown(checked)), []);
      // The engine passes secrets to the provider in plain text.
      const created = await provider.create(plain(checked) as Record<string, unknown>);
      assert.deepEqual(named(shown(created.outs)), []);
      assert.deepEqual(named(JSON.stringify(created.outs)), [A, B], "the state records them");
      const outs = plain(created.outs) as Record<string, unknown>;
      const read = await provider.read(imageId, outs);
      assert.deepEqual(named(shown([read.props, (read as { inputs?: unknown }).inputs])), []);

      // The argument is not secret any more; values about the past still are.
      const open = { imageId, accountIds: [C], region: "us-east-1" };
      const inputs = plain((await provider.check(outs, open)).inputs) as Record<string, unknown>;
      const updated = await provider.update(imageId, outs, inputs);
      assert.deepEqual(named(shown(updated.outs)), [C]);
      await provider.update(imageId, plain(updated.outs) as Record<string, unknown>, plain(checked) as Record<string, unknown>);
      await provider.delete(imageId, outs);
      assert.match(told.join("\n"), /2 lost access/);
      assert.deepEqual(named(told.join("\n")), []);
    });

  it("are removed from messages of AWS; account ids only where they are grantees, and never in a key's ARN", () => {
    const key = "arn:aws:kms:us-east-1:999900001111:key/1";
    const words = `UserId ${A} is malformed, ${C}; ${key}; external id sesame`;
    assert.equal(
      withoutSecrets(words, { accountIds: [A] }, ["accountIds"]),
      `UserId [secret] is malformed, [secret]; ${key}; external id sesame`,
    );
    const role = { assumeRole: { externalId: "sesame" } };
    assert.equal(withoutSecrets(words, role, ["assumeRole"]), words.replace("sesame", "[secret]"));
    assert.equal(withoutSecrets(words, { accountIds: [A] }, []), words);
  });

  it("do not show in messages about invalid arguments, in whatever form they are written", async () => {
    const { provider, imageId } = await setUp();
    const unit = `arn:aws:organizations::${A}:ou/o-hidden9876/ou-hidd-98765432`;
    const odd = [
      ...[
        unit,
        unit.toUpperCase(),
        `${unit}/`,
        "o-hidden9876",
        `${A}\u200b`,
        `\t${A}`,
        ` ${A} `,
        `"${A}"`,
        `${A},${A}`,
        `["${A}"]`,
      ],
      ...[
        "1111-2222-3333",
        "1111 2222 3333",
        "1111\u00a02222\u00a03333",
        `arn:aws:iam::${A}:root`,
        `account/${A}`,
        `${A}\u001b[31m`,
      ],
      ...["hidden9876-".repeat(40), "hidden9876\u0000\u202e", 11112222333, 1.11122223333e15, { a: A }, [A], [A, [A]], [unit]],
    ];
    for (const name of ["accountIds", "organizationArns", "organizationalUnitArns", "neverRevoke", "createVolumePermissions"])
      for (const one of odd)
        for (const value of [one, [one], { accountIds: [one] }, { snapshotIds: one }]) {
          const news = { imageId, region: "us-east-1", accountIds: [], [SECRETS]: [name], [name]: value };
          const { failures = [] } = await provider.check({}, news);
          // If an error names a property, the engine shows its value.
          assert.ok(failures.every(({ property }) => ![name, SECRETS].includes(property)));
          for (const { property, reason } of failures)
            assert.doesNotMatch(
              `${property} ${reason}`,
              /1111[- \u00a0]?2222|hidden9876|hidd-9876/i,
              `${name} ${JSON.stringify(value)}`,
            );
        }
  });

  it("from the state do not show in the error for arguments that are not secret", async () => {
    const { provider, imageId } = await setUp();
    const secret = { imageId, accountIds: [A, B], region: "us-east-1", [SECRETS]: ["accountIds"] };
    const checked = plain((await provider.check({}, secret)).inputs) as Record<string, unknown>;
    const outs = plain((await provider.create(checked)).outs) as Record<string, unknown>;
    const { failures = [] } = await provider.check(outs, { imageId, accountIds: [C], maxRevocations: 0, region: "us-east-1" });
    assert.match(String(failures[0]?.reason), /take access from 2 grantees .*\[too-many-revocations\]/);
    assert.deepEqual(named(JSON.stringify(failures)), []);
  });

  it("are counted, not named, in the error of a change that failed in part", async () => {
    const { provider, ec2, imageId } = await setUp();
    const secret = (accountIds: string[]) => ({
      ...{ imageId, accountIds, createVolumePermissions: true, region: "us-east-1" },
      [SECRETS]: ["accountIds"],
    });
    const checked = plain((await provider.check({}, secret([A, B]))).inputs) as Record<string, unknown>;
    const outs = plain((await provider.create(checked)).outs) as Record<string, unknown>;
    ec2.grantees(imageId).add(`account/${C}`);
    ec2.fail({ matching: ({ action }) => action === "ModifySnapshotAttribute" });
    const news = plain((await provider.check(outs, secret([A]))).inputs) as Record<string, unknown>;
    const error: Error & { properties?: unknown } = await provider.update(imageId, outs, news).then(
      () => assert.fail("it was expected to fail"),
      (thrown) => thrown,
    );
    const lost = /lost access by it: - launch \(granted by this set\): 1 grantee - launch \(set elsewhere.*\): 1 grantee$/;
    assert.match(error.message.replace(/\s+/g, " "), lost);
    assert.deepEqual(named(error.message), []);
    assert.deepEqual(named(shown(error.properties)), []);
  });

  it("of a set also hide grantees in the reports of other sets of the AMI", async () => {
    const { provider, imageId } = await setUp();
    const [hidden, open] = ["urn:hidden", "urn:open"];
    const secret = { imageId, accountIds: [A], mode: "additive", region: "us-east-1", [SECRETS]: ["accountIds"] };
    const shares = { imageId, accountIds: [B], mode: "additive", region: "us-east-1" };
    const context = { urn: open, recorded: {}, declared: { [hidden]: secret } };
    const checked = (await provider.check({}, { ...shares, [CONTEXT]: encodeContext(context) })).inputs;
    const { outs } = await provider.create(plain(checked) as Record<string, unknown>);
    // The arguments are not secret.
    const { accountIds, ...rest } = outs as Record<string, unknown>;
    assert.deepEqual([accountIds, named(shown(rest))], [[B], []]);
    const recorded = { [hidden]: { ...secret, grants: {} }, [open]: outs as Record<string, unknown> };
    const again = (await provider.check(plain(outs) as never, { ...shares, [CONTEXT]: encodeContext({ urn: open, recorded }) }))
      .inputs;
    assert.deepEqual(named(shown({ ...again, accountIds })), [B]);
    const alone = { urn: open, recorded: { [open]: plain(outs) as Record<string, unknown> } };
    assert.deepEqual(
      (await provider.check(plain(outs) as never, { ...shares, [CONTEXT]: encodeContext(alone) })).inputs.grants,
      { [`account/${B}`]: "launch" },
      "alone, it has nothing to hide",
    );
  });

  it("change the state, without a call, if the values were not secret before", async () => {
    const { provider, ec2, imageId } = await setUp();
    const open = { imageId, accountIds: [A, B], region: "us-east-1" };
    const created = await provider.create((await provider.check({}, open)).inputs);
    const outs = created.outs as Record<string, unknown>;
    const checked = (await provider.check(outs, { ...open, [SECRETS]: ["accountIds"] })).inputs;
    const inputs = plain(checked) as Record<string, unknown>;
    assert.equal((await provider.diff(imageId, outs, inputs)).changes, true);
    const calls = ec2.calls.length;
    const updated = (await provider.update(imageId, outs, inputs)).outs;
    assert.equal(ec2.calls.length, calls);
    assert.deepEqual([named(shown(updated)), named(JSON.stringify(updated))], [[], [A, B]]);
    assert.equal((await provider.diff(imageId, plain(updated) as never, inputs)).changes, false);
  });
});
