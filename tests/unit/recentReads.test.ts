/** Reads that one operation leaves to the next. */

import * as assert from "node:assert/strict";
import { type Gateway, RecentReads } from "../../provider/core";

const [IMAGE, SNAPSHOT] = ["ami-12345678", "snap-12345678"];

function world() {
  const asked: string[] = [];
  const reads = new RecentReads(() => clock.now);
  const clock = { now: 0 };
  const gateway = {
    calls: 0,
    describeImage: async (id: string) => asked.push(`image ${id}`),
    launchPermissions: async (id: string) => asked.push(`launch ${id}`),
    createVolumePermissions: async (id: string) => asked.push(`volumes ${id}`),
    changeLaunchPermissions: async () => undefined,
    resetCreateVolumePermissions: async () => undefined,
    region(): Promise<string> {
      this.calls += 1;
      return Promise.resolve("us-east-1");
    },
  };
  const of = (sharing: { readonly note?: true; readonly use?: true }) => reads.share(gateway as unknown as Gateway, sharing);
  const look = async (through: Gateway) => {
    asked.length = 0;
    await through.describeImage(IMAGE);
    await through.launchPermissions(IMAGE);
    await through.createVolumePermissions(SNAPSHOT);
    return asked.length;
  };
  return { reads, clock, gateway, noting: of({ note: true }), using: of({ use: true }), look };
}

describe("reads that the next operation uses", () => {
  it("are made once, and again after they were used", async () => {
    const { noting, using, look } = world();
    assert.equal(await look(noting), 3);
    assert.equal(await look(using), 0);
    assert.equal(await look(using), 3);
  });

  it("are not used after five seconds, or after clear", async () => {
    const { reads, clock, noting, using, look } = world();
    await look(noting);
    clock.now = 5001;
    assert.equal(await look(using), 3);
    await look(noting);
    reads.clear();
    assert.equal(await look(using), 3);
  });

  it("are not used for a resource that was changed since", async () => {
    const { noting, using, look } = world();
    await look(noting);
    await using.changeLaunchPermissions(IMAGE, { add: [], remove: [] });
    assert.equal(await look(using), 1);
    await look(noting);
    await using.resetCreateVolumePermissions(SNAPSHOT);
    assert.equal(await look(using), 1);
  });

  it("are not used by an operation that only notes, such as a plan", async () => {
    const { noting, look } = world();
    await look(noting);
    assert.equal(await look(noting), 3);
  });

  it("leave everything else to the gateway", async () => {
    const { gateway, using } = world();
    assert.equal(await using.region(), "us-east-1");
    assert.equal(gateway.calls, 1);
  });
});
