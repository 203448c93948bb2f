/** The messages about block public access: how to turn it off, unless a policy of the organization sets it. */

import * as assert from "node:assert/strict";
import { NO_PERMISSIONS, PUBLIC } from "../../provider/core";
import { preflight } from "../../provider/core/planning/preflight";
import { MemoryGateway } from "../helpers/memoryGateway";

describe("block public access", () => {
  for (const [name, byPolicy, next, not] of [
    ["of the account", false, /turn it off first \(aws ec2 disable-(image|snapshot)-block-public-access\)/, /declarative policy/],
    ["of a declarative policy", true, /a declarative policy of the organization sets it, .* cannot turn off: ask who/, /aws ec2/],
  ] as const)
    it(`${name} has its own error, for AMIs and for snapshots`, async () => {
      const ec2 = new MemoryGateway();
      Object.assign(ec2, { publicAccessBlocked: true, publicAccessByPolicy: byPolicy });
      const { imageId, snapshotIds } = ec2.addImage(1);
      const everybody = new Set([PUBLIC]);
      const add = { launch: everybody, createVolume: new Map(snapshotIds.map((id) => [id, everybody])) };
      const image = await ec2.describeImage(imageId);
      const change = { add, remove: NO_PERMISSIONS };
      const { refusals } = await preflight(ec2, { image, change, live: NO_PERMISSIONS, keys: [] });
      assert.deepEqual(
        refusals.map(({ code }) => code),
        ["public-access-blocked", "public-access-blocked"],
      );
      for (const { message } of refusals) {
        assert.match(message, next);
        assert.doesNotMatch(message, not);
      }
    });
});
