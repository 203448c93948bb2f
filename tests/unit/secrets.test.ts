/** Secrets of a program on the provider's side: what the engine is given is marked, and no words name them. */

import * as assert from "node:assert/strict";
import { DynamicProvider } from "../../provider/pulumi/dynamicProvider";
import { plain, SECRETS, withoutSecrets } from "../../provider/pulumi/secrets";
import { MemoryGateway } from "../helpers/memoryGateway";

const [A, B, C] = ["111122223333", "444455556666", "777788889999"] as const;
const SIGNATURE = "4dabf18193072939515e22adb298388d";

/** What the engine may show of a resource: all but the marked values. */
function shown(value: unknown): string {
  return JSON.stringify(value, (_, item) => (item !== null && typeof item === "object" && SIGNATURE in item ? "[secret]" : item));
}

function named(text: string): string[] {
  return [A, B, C].filter((id) => text.includes(id));
}

describe("secrets", () => {
  for (const [argument, secret] of [
    ["accountIds", { accountIds: [A, B] }],
    ["createVolumePermissions", { createVolumePermissions: { accountIds: [A, B] }, accountIds: [] }],
  ] as const)
    it(`of ${argument} are marked wherever the provider tells of grantees, at every operation, and a deletion counts them`, async () => {
      const ec2 = new MemoryGateway();
      const told: string[] = [];
      const provider = new DynamicProvider({
        gateway: () => ec2,
        patience: { timeout: 0.05, minDelay: 0.001, maxDelay: 0.002, absencePause: 0 },
        tell: (words) => told.push(words),
      });
      await provider.configure({ config: { get: () => undefined, require: () => "" } } as never);
      const { imageId } = ec2.addImage(1);
      const news = { imageId, ...secret, region: "us-east-1", [SECRETS]: [argument] };

      const checked = (await provider.check({}, news)).inputs;
      assert.deepEqual(named(shown(checked)), []);
      // The engine hands secrets over in clear.
      const created = await provider.create(plain(checked) as Record<string, unknown>);
      assert.deepEqual(named(shown(created.outs)), []);
      assert.deepEqual(named(JSON.stringify(created.outs)), [A, B], "they are recorded all the same");
      const outs = plain(created.outs) as Record<string, unknown>;
      const read = await provider.read(imageId, outs);
      assert.deepEqual(named(shown([read.props, (read as { inputs?: unknown }).inputs])), []);

      // Not secret any more: what tells of the past still is.
      const open = { imageId, accountIds: [C], region: "us-east-1" };
      const inputs = plain((await provider.check(outs, open)).inputs) as Record<string, unknown>;
      const updated = await provider.update(imageId, outs, inputs);
      assert.deepEqual(named(shown(updated.outs)), [C]);
      await provider.update(imageId, plain(updated.outs) as Record<string, unknown>, plain(checked) as Record<string, unknown>);
      await provider.delete(imageId, outs);
      assert.match(told.join("\n"), /2 lost access/);
      assert.deepEqual(named(told.join("\n")), []);
    });

  it("are taken out of words whatever AWS says; account ids only where they name grantees, and never that of a key's ARN", () => {
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
});
