/** Properties of the Terraform provider for random cases: it applies what it planned, a second plan is empty, and it does the same as the core. */

import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import {
  decodeDeclaredSet,
  decodeRecorded,
  encodeRecorded,
  isEmpty,
  NO_NEIGHBOURS,
  observe,
  type PermissionSet,
  permissionSetOf,
  type Recorded,
  reconcile,
  remove,
  UNKNOWN,
} from "../../provider/core";
import { inTerraformWords } from "../../provider/terraform/diagnostics";
import { RESOURCE_SCHEMA } from "../../provider/terraform/schema";
import { decodeValue, encodeValue, sameValue, type Value } from "../../provider/terraform/values";
import { MemoryGateway } from "../helpers/memoryGateway";
import { errors, full, MemoryTerraform } from "../helpers/memoryTerraform";
import { argumentsOf, type Case, sharingCase, terraformArgumentsOf } from "../helpers/sharingCases";
import { runs } from "./runs";

/** Removes the limits that may refuse a change. */
const UNLIMITED = { maxRevocations: undefined, unrecorded: undefined };
const WAIT_OPTIONS = { timeout: 1, minDelay: 0.001, maxDelay: 0.002, absencePause: 0 };

/** EC2 with the image of a case, shared as the case says. */
function ec2Of({ snapshots, live }: Case) {
  const ec2 = new MemoryGateway();
  const { imageId, snapshotIds } = ec2.addImage(snapshots);
  for (const key of live.launch) ec2.grantees(imageId).add(key);
  for (const [i, keys] of live.volumes.entries()) for (const key of keys) ec2.grantees(snapshotIds[i] ?? "").add(key);
  return { ec2, image: { imageId, snapshotIds, region: "us-east-1", accountId: "" } };
}

function worldOf(one: Case) {
  const { ec2, image } = ec2Of(one);
  const terraform = new MemoryTerraform({ makeGateway: () => ec2, waitOptions: WAIT_OPTIONS });
  const config = (declared: Record<string, unknown>) => terraformArgumentsOf(declared, image) as Record<string, Value>;
  return { ec2, terraform, config, ...image };
}

/** The same EC2, changed only by the core. */
function twinOf(one: Case) {
  const { ec2, image } = ec2Of(one);
  let known: { set: PermissionSet; recorded: Recorded } | undefined;
  return {
    ec2,
    /** @returns whether it kept grants that its state did not show */
    async apply(declared: Record<string, unknown>): Promise<boolean> {
      const { createVolumePermissions: volumes, public: everybody, ...args } = argumentsOf(declared, image);
      // Terraform's `{}` means only the accounts of the set.
      const asked = volumes === true ? {} : volumes;
      const decoded = decodeDeclaredSet({ ...args, public: everybody, createVolumePermissions: asked });
      const set = ("declared" in decoded && permissionSetOf(decoded.declared)) || assert.fail("not known");
      const observed = known && (await observe(ec2, known.set, known.recorded, WAIT_OPTIONS));
      // Terraform keeps the result of a refresh, even if the change fails.
      if (known && observed) known = { ...known, recorded: observed };
      // What the state shows: for an additive set, without grants of others.
      const shown = known && observed && decodeRecorded(encodeRecorded(known.set, observed), known.set);
      // The plan is bound to what its refresh found.
      const { recorded, plan } = await reconcile(ec2, set, shown, WAIT_OPTIONS, NO_NEIGHBOURS, shown && observed?.live);
      known = { set, recorded };
      return !isEmpty(plan.unplanned);
    },
    async destroy(): Promise<void> {
      if (known)
        await remove(
          ec2,
          known.set,
          (await observe(ec2, known.set, known.recorded, WAIT_OPTIONS)) ?? known.recorded,
          WAIT_OPTIONS,
        );
    },
  };
}

/** The grantees of each resource, as `resource grantee`. */
function pairsIn(everything: Readonly<Record<string, readonly string[]>>): string[] {
  return Object.entries(everything).flatMap(([resource, keys]) => keys.map((key) => `${resource} ${key}`));
}

/** Somebody else adds and removes grants. */
function drifts(ec2: MemoryGateway, imageId: string, snapshotIds: readonly string[], { live, recorded }: Case): void {
  for (const key of [...live.launch, "user/aws-marketplace"]) ec2.grantees(imageId).add(key);
  for (const key of recorded?.launch ?? []) ec2.grantees(imageId).delete(key);
  for (const [i, id] of snapshotIds.entries()) {
    for (const key of live.volumes[i] ?? []) ec2.grantees(id).add(key);
    for (const key of recorded?.volumes[i] ?? []) ec2.grantees(id).delete(key);
  }
}

describe("properties of the Terraform provider", function () {
  this.timeout(120_000);

  it("it does the same as the core, a second plan is empty, and drift is corrected", () =>
    fc.assert(
      fc.asyncProperty(sharingCase, sharingCase, async (one, drift) => {
        const { ec2, terraform, config, imageId, snapshotIds } = worldOf(one);
        const twin = twinOf(one);
        for (const declared of [one.previous, one.desired, one.desired]) {
          const told = errors({ diagnostics: await terraform.apply(config(declared)) });
          let left = false;
          const refused = await twin.apply(declared).then(
            (stays) => {
              left = stays;
            },
            (error: Error) => error.message,
          );
          assert.equal(told[0]?.detail.split("\n\n")[0], refused && inTerraformWords(refused));
          assert.deepEqual(ec2.everything(imageId), twin.ec2.everything(imageId));
          if (!refused) {
            if (left) {
              // Grants that no plan showed stay once. The next plan revokes them, unless it is refused.
              const again = errors({ diagnostics: await terraform.apply(config({ ...declared, ...UNLIMITED })) });
              assert.deepEqual(again, []);
              await twin.apply({ ...declared, ...UNLIMITED });
              assert.deepEqual(ec2.everything(imageId), twin.ec2.everything(imageId));
              await terraform.apply(config(declared));
              await twin.apply(declared);
            }
            await terraform.refresh();
            const { private: _, identity: __, ...plan } = await terraform.plan(config(declared));
            assert.deepEqual(plan, { planned: terraform.state, replace: [], diagnostics: [] });
          }
          drifts(ec2, imageId, snapshotIds, drift);
          drifts(twin.ec2, imageId, snapshotIds, drift);
        }
        await terraform.refresh();
        await terraform.destroy();
        await twin.destroy();
        assert.equal(terraform.state, null);
        assert.deepEqual(ec2.everything(imageId), twin.ec2.everything(imageId));
      }),
      runs(150),
    ));

  it("grants that others change between plan and apply do not break what the plan promises", () =>
    fc.assert(
      fc.asyncProperty(sharingCase, sharingCase, async (one, drift) => {
        const { ec2, terraform, config, imageId, snapshotIds } = worldOf(one);
        for (const declared of [one.previous, one.desired]) {
          const exists = terraform.state !== null;
          let added: string[] = [];
          const told = await terraform.apply(config({ ...declared, ...UNLIMITED }), () => {
            const before = new Set(pairsIn(ec2.everything(imageId)));
            drifts(ec2, imageId, snapshotIds, drift);
            added = pairsIn(ec2.everything(imageId)).filter((pair) => !before.has(pair));
          });
          assert.deepEqual(errors({ diagnostics: told }), []);
          // An update is bound to the state, which does not show the added grants.
          const after = pairsIn(ec2.everything(imageId));
          if (exists) for (const pair of added) assert.ok(after.includes(pair), `${pair} lost access, and no plan showed it`);
          // EC2 may have changed after an empty plan. The next plan corrects that.
          await terraform.apply(config({ ...declared, ...UNLIMITED }));
          await terraform.refresh();
          assert.deepEqual((await terraform.plan(config({ ...declared, ...UNLIMITED }))).planned, terraform.state);
        }
      }),
      runs(150),
    ));

  it("after any failed call, nothing is tainted, and the next apply completes the change", () =>
    fc.assert(
      fc.asyncProperty(sharingCase, fc.integer({ min: 1, max: 20 }), fc.boolean(), async (one, nth, applied) => {
        const { ec2, terraform, config } = worldOf(one);
        const declared = config({ ...one.desired, ...UNLIMITED });
        ec2.fail({ nth, applied });
        await terraform.apply(declared).catch(() => undefined);
        assert.equal(terraform.tainted, false);
        ec2.clearFaults();
        const told = await terraform.apply(declared);
        assert.deepEqual(errors({ diagnostics: told }), []);
        await terraform.refresh();
        const { planned } = await terraform.plan(declared);
        for (const name of Object.keys(RESOURCE_SCHEMA.attributes))
          assert.ok(sameValue(terraform.state?.[name] ?? null, planned[name] ?? null), `${name} is not as planned`);
      }),
      runs(150),
    ));
});

describe("properties of Terraform's values", () => {
  const text = fc.string();
  const maybe = <T>(value: fc.Arbitrary<T>) => fc.oneof(fc.constant(null), fc.constant(UNKNOWN), value);
  const config = fc.record({
    image_id: maybe(text),
    account_ids: maybe(fc.array(maybe(text))),
    public: maybe(fc.boolean()),
    max_revocations: maybe(fc.oneof(fc.nat(), fc.double({ noNaN: true, noDefaultInfinity: true }))),
    create_volume_permissions: maybe(
      fc.record({ account_ids: maybe(fc.array(text)), snapshot_ids: fc.constant(null), public: maybe(fc.boolean()) }),
    ),
    grants: maybe(
      fc.dictionary(
        text.filter((key) => key !== "__proto__"),
        maybe(text),
      ),
    ),
  });

  it("what is encoded is decoded to the same", () =>
    fc.assert(
      fc.property(config, (value) => {
        const whole = full(value as Record<string, Value>);
        const decoded = decodeValue(encodeValue(whole, RESOURCE_SCHEMA)) ?? {};
        for (const name of Object.keys(whole)) assert.ok(sameValue(decoded[name] ?? null, whole[name] ?? null), name);
      }),
      runs(300),
    ));
});
