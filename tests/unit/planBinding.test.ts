/** An apply does only what its plan showed: whose access updates and creates may revoke, and the messages about it. */

import * as assert from "node:assert/strict";
import { AmiSharingError, changeFor } from "../../provider/core";
import { DynamicProvider } from "../../provider/pulumi/dynamicProvider";
import { PROVIDER_SCHEMA, RESOURCE, RESOURCE_SCHEMA } from "../../provider/terraform/schema";
import { type DynamicValue, decodeValue, encodeValue, type ObjectValue, type Value } from "../../provider/terraform/values";
import { MemoryEngine } from "../helpers/memoryEngine";
import { MemoryGateway } from "../helpers/memoryGateway";
import { type Answer, ask, errors, full, MemoryTerraform } from "../helpers/memoryTerraform";

const [A, B, C, D, E] = ["111122223333", "444455556666", "777788889999", "012345678901", "999900001111"] as const;
const key = (id: string) => `account/${id}`;
const WAIT_OPTIONS = { timeout: 1, minDelay: 0.001, maxDelay: 0.002, absencePause: 0 };

function world(snapshots = 2) {
  const ec2 = new MemoryGateway();
  const { imageId, snapshotIds } = ec2.addImage(snapshots);
  const terraform = new MemoryTerraform({ makeGateway: () => ec2, waitOptions: WAIT_OPTIONS });
  const rpc = (name: string, request: object) => ask(terraform.server, name, { type_name: RESOURCE, ...request });
  const holders = (resource = imageId) => [...ec2.grantees(resource)].sort();
  const share = (...ids: string[]) => {
    for (const id of ids) ec2.grantees(imageId).add(key(id));
  };
  /** Starts another run. */
  const anew = () => rpc("ConfigureProvider", { config: encodeValue({}, PROVIDER_SCHEMA) });
  return { ec2, imageId, snapshotIds, terraform, rpc, holders, share, anew };
}

const words = (diagnostics: readonly { summary: string; detail: string }[] = []) =>
  diagnostics.map(({ summary, detail }) => `${summary}\n${detail}`.replace(/\s+/g, " ")).join("\n");

describe("an update of Terraform", () => {
  it("revokes only what its plan shows; a grantee added since stays, and the warning and the next plan name it", async () => {
    const { imageId, terraform, holders, share } = world();
    await terraform.apply({ image_id: imageId, account_ids: [A, B] });
    share(C);
    const told = await terraform.apply({ image_id: imageId, account_ids: [B] }, () => share(D));
    assert.deepEqual(errors({ diagnostics: told }), []);
    assert.deepEqual(holders(), [key(D), key(B)].sort(), "A and C were in the refreshed state, D was not");
    assert.match(
      words(told),
      new RegExp(
        `access was granted after the plan = launch \\(was granted after the plan; stays; the next plan shows it\\): ${key(D)}`,
      ),
    );
    await terraform.refresh();
    assert.equal((terraform.state?.grants as Record<string, string>)[key(D)], "launch");
    const { planned } = await terraform.plan({ image_id: imageId, account_ids: [B] });
    assert.deepEqual(planned.grants, { [key(B)]: "launch" });
    await terraform.apply({ image_id: imageId, account_ids: [B] });
    assert.deepEqual(holders(), [key(B)]);
  });

  it("keeps grantees that are added during the plan, or between its last read and its change", async () => {
    const { ec2, imageId, terraform, holders, share } = world();
    await terraform.apply({ image_id: imageId, account_ids: [A] });
    const more = [C, D];
    // Adds a grantee before each read of the AMI: by the plan after the refresh, and by the second plan, whose read the apply uses.
    const describe = ec2.describeImage.bind(ec2);
    ec2.describeImage = async (id) => {
      const next = more.shift();
      if (next) share(next);
      return describe(id);
    };
    const change = ec2.changeLaunchPermissions.bind(ec2);
    ec2.changeLaunchPermissions = async (...args) => {
      share(E);
      return change(...args);
    };
    const told = await terraform.apply({ image_id: imageId, account_ids: [B] });
    assert.deepEqual(holders(), [B, C, D, E].map(key).sort());
    assert.deepEqual(more, []);
    for (const id of [C, D]) assert.match(words(told), new RegExp(`stays; the next plan shows it[^)]*\\): [^\\n]*${key(id)}`));
    await terraform.refresh();
    assert.deepEqual(Object.keys(terraform.state?.grants as object), [B, C, D, E].map(key).sort(), "the next plan shows E, too");
  });

  it("grants again what its plan showed as kept and somebody revoked since, and says so", async () => {
    const { ec2, imageId, terraform, holders } = world();
    await terraform.apply({ image_id: imageId, account_ids: [A, B] });
    const told = await terraform.apply({ image_id: imageId, account_ids: [A, B, C] }, () => ec2.grantees(imageId).delete(key(A)));
    assert.deepEqual(holders(), [A, B, C].map(key).sort());
    assert.match(
      words(told),
      new RegExp(
        `access was granted again \\+ launch \\(taken away elsewhere after the plan, which shows it as kept\\): ${key(A)}`,
      ),
    );
  });

  it("revokes by name what the set granted, even if EC2's answer is stale", async () => {
    const { ec2, imageId, terraform, holders } = world();
    await terraform.apply({ image_id: imageId, account_ids: [A, B] });
    ec2.staleReads = 2;
    await terraform.apply({ image_id: imageId, account_ids: [A] });
    assert.deepEqual(holders(), [key(A)]);
  });

  it("leaves to the next plan what the set did not manage before: snapshots, and grants of others in additive mode", async () => {
    for (const before of [{}, { mode: "additive" }]) {
      const { ec2, imageId, snapshotIds, terraform, holders, share } = world();
      const [s1 = ""] = snapshotIds;
      await terraform.apply({ image_id: imageId, account_ids: [A], ...before });
      ec2.grantees(s1).add(key(C));
      if ("mode" in before) share(D);
      const config = { image_id: imageId, account_ids: [A], create_volume_permissions: {} as Value };
      const told = await terraform.apply(config);
      assert.deepEqual(holders(s1), [key(A), key(C)]);
      assert.match(
        words(told),
        new RegExp(
          `was not managed before, so that the plan could not show it; stays; the next plan shows it\\): [^\\n]*${key(C)}`,
        ),
      );
      await terraform.refresh();
      assert.ok(key(C) in (terraform.state?.grants as object), "the next plan shows it with a -");
      await terraform.apply(config);
      assert.deepEqual([holders(s1), holders()], [[key(A)], [key(A)]]);
    }
  });

  it("from additive to authoritative revokes only the grants of others that its refresh found and its plan names", async () => {
    const { imageId, terraform, holders, share } = world();
    share(C);
    await terraform.apply({ image_id: imageId, account_ids: [A], mode: "additive" });
    share(D);
    await terraform.refresh();
    const config = { image_id: imageId, account_ids: [A] };
    const lost = new RegExp(`- launch \\(set elsewhere, and not in the state; 2\\): ${key(D)}, ${key(C)}`);
    assert.match(words((await terraform.plan(config)).diagnostics), lost);
    const told = await terraform.apply(config, () => share(E));
    assert.deepEqual(holders(), [A, E].map(key).sort());
    assert.match(words(told), new RegExp(`was granted after the plan; stays; the next plan shows it\\): ${key(E)}`));
    assert.match(words(told), /access was taken that the plan's diff does not show/);
  });

  it("does not count grantees that it keeps for max_revocations, only those that it revokes", async () => {
    const { imageId, terraform, holders, share } = world();
    await terraform.apply({ image_id: imageId, account_ids: [A, B] });
    const told = await terraform.apply({ image_id: imageId, account_ids: [B], max_revocations: 1 }, () => share(C, D));
    assert.deepEqual(errors({ diagnostics: told }), []);
    assert.deepEqual(holders(), [B, C, D].map(key).sort());
  });

  it("that fails in part also names the grantees that it keeps", async () => {
    const { ec2, imageId, snapshotIds, terraform, share } = world();
    const volumes = { create_volume_permissions: {} as Value };
    await terraform.apply({ image_id: imageId, account_ids: [A], ...volumes });
    const told = await terraform.apply({ image_id: imageId, account_ids: [B], ...volumes }, () => {
      share(C);
      ec2.fail({ matching: ({ action, resource }) => action === "ModifySnapshotAttribute" && resource === snapshotIds[1] });
    });
    assert.equal(errors({ diagnostics: told }).length, 1);
    assert.match(words(told), new RegExp(`was granted after the plan; stays; the next plan shows it\\): ${key(C)}`));
  });
});

describe("a create of Terraform", () => {
  it("names the grantees that it revokes, in the plan and in the apply", async () => {
    const { imageId, terraform, holders, share } = world();
    share(C, D);
    const config = { image_id: imageId, account_ids: [A] };
    assert.match(
      words((await terraform.plan(config)).diagnostics),
      new RegExp(`- launch \\(set elsewhere; 2\\): ${key(D)}, ${key(C)}`),
    );
    const told = await terraform.apply(config);
    assert.deepEqual(holders(), [key(A)]);
    assert.match(
      words(told),
      new RegExp(`access was taken that the plan's diff does not show - launch \\(lost; 2\\): ${key(D)}, ${key(C)}`),
    );
  });

  it("keeps a grantee that is added between its last read and its change", async () => {
    const { ec2, imageId, terraform, holders, share } = world();
    share(C);
    const change = ec2.changeLaunchPermissions.bind(ec2);
    ec2.changeLaunchPermissions = async (...args) => {
      share(D);
      return change(...args);
    };
    const told = await terraform.apply({ image_id: imageId, account_ids: [A] });
    assert.deepEqual(holders(), [key(A), key(D)].sort());
    assert.match(words(told), new RegExp(`\\(lost\\): ${key(C)}`));
    await terraform.refresh();
    assert.ok(key(D) in (terraform.state?.grants as object), "the next plan shows it");
  });

  it("from an engine that does not pass private data goes by its own read of EC2", async () => {
    const { imageId, rpc, holders, share } = world();
    await rpc("ConfigureProvider", {
      config: encodeValue({}, PROVIDER_SCHEMA),
      terraform_version: "1.0.0+pulumi-terraform-bridge",
    });
    share(C);
    const config = encodeValue(full({ image_id: imageId, account_ids: [A] }), RESOURCE_SCHEMA);
    const nothing = { msgpack: Buffer.from([0xc0]) };
    const plan = await rpc("PlanResourceChange", {
      prior_state: nothing,
      proposed_new_state: config,
      config,
      prior_private: Buffer.alloc(0),
    });
    await rpc("ApplyResourceChange", {
      prior_state: nothing,
      planned_state: plan.planned_state,
      config,
      planned_private: Buffer.alloc(0),
    });
    assert.deepEqual(holders(), [key(A)]);
  });
});

describe('unrecorded: "refuse"', () => {
  it('fails a Terraform create in plan and apply, names all grantees, and passes if all are declared or with "revoke"', async () => {
    const { imageId, terraform, holders, share, anew } = world();
    const many = Array.from({ length: 30 }, (_, i) => String(200_000_000_000 + i));
    share(...many);
    const config = { image_id: imageId, account_ids: [A], unrecorded: "refuse" };
    const [error] = errors(await terraform.plan(config));
    assert.match(
      error?.detail ?? "",
      /^the change of AMI ami-\w+ would take access from 30 grantees whom the state does not record: .*; import the AMI as it is shared, or declare them, or set unrecorded to "revoke" \[unrecorded-grants\]$/,
    );
    for (const id of many) assert.ok(error?.detail.includes(key(id)), id);
    assert.equal(holders().length, 30);
    await anew();
    assert.deepEqual(errors(await terraform.plan({ ...config, account_ids: [A, ...many] })), []);
    await terraform.apply({ ...config, unrecorded: "revoke" });
    assert.deepEqual(holders(), [key(A)]);
  });

  it("fails a Terraform update for grantees added since the refresh; after a refresh, the diff shows them", async () => {
    const { imageId, terraform, holders, share } = world();
    const config = (...ids: string[]) => ({ image_id: imageId, account_ids: ids, unrecorded: "refuse" });
    await terraform.apply(config(A));
    const told = errors({ diagnostics: await terraform.apply(config(B), () => share(C)) });
    assert.match(
      told[0]?.detail ?? "",
      new RegExp(`whom the state does not record: ${key(C)}; run terraform plan with its refresh`),
    );
    assert.deepEqual(holders(), [key(A), key(C)], "nothing was changed");
    assert.deepEqual(errors({ diagnostics: await terraform.apply(config(B)) }), []);
    assert.deepEqual(holders(), [key(B)]);
  });

  it("fails an update of the core, and does not count grantees in neverRevoke or declared ones", async () => {
    const { ec2, imageId, holders, share } = world();
    const engine = new MemoryEngine(new DynamicProvider({ gateway: () => ec2, waitOptions: WAIT_OPTIONS }));
    await engine.up({ imageId, accountIds: [A], unrecorded: "refuse" });
    share(C, D);
    const refusal = `would take access from 1 grantee whom the state does not record: ${key(C)}; run pulumi refresh: the diff of the next preview .*\\[unrecorded-grants\\]$`;
    await assert.rejects(engine.up({ imageId, accountIds: [B], neverRevoke: [D], unrecorded: "refuse" }), ({ message }: Error) =>
      new RegExp(refusal).test(message),
    );
    assert.deepEqual(holders(), [A, C, D].map(key).sort());
    await engine.refresh();
    await engine.up({ imageId, accountIds: [B], neverRevoke: [D], unrecorded: "refuse" });
    assert.deepEqual(holders(), [B, D].map(key).sort());
  });

  it("refuses nothing in additive mode", async () => {
    const { imageId, terraform, share } = world();
    share(C);
    assert.deepEqual(
      errors({
        diagnostics: await terraform.apply({ image_id: imageId, account_ids: [A], mode: "additive", unrecorded: "refuse" }),
      }),
      [],
    );
  });
});

describe("an update of Pulumi", () => {
  it("reports grantees that it revoked and the state did not record, and says that they were not recorded", async () => {
    const { ec2, imageId, share } = world();
    const engine = new MemoryEngine(new DynamicProvider({ gateway: () => ec2, waitOptions: WAIT_OPTIONS }));
    await engine.up({ imageId, accountIds: [A] });
    share(C);
    await engine.up({ imageId, accountIds: [B] });
    const { report } = engine.state?.outputs.__done as { report: string };
    assert.match(report, new RegExp(`- launch \\(granted by this set\\): ${key(A)}`));
    assert.match(report.replace(/\s+/g, " "), new RegExp(`- launch \\(set elsewhere, and not in the state\\): ${key(C)}`));
    assert.doesNotMatch(report, /\(set elsewhere\)/);

    share(C);
    await engine.refresh();
    share(D);
    await engine.up({ imageId, accountIds: [B] });
    const told = (engine.state?.outputs.__done as { report: string }).report;
    assert.match(told, new RegExp(`- launch \\(set elsewhere\\): ${key(C)}`));
    assert.match(told, new RegExp(`- launch \\(set elsewhere, and not in the state\\): ${key(D)}`));
  });
});

describe("a deleted snapshot of the AMI", () => {
  it("is left out with a note; other changes of the set still apply, and nothing is left to change (Terraform)", async () => {
    for (const refreshed of [true, false]) {
      const { ec2, imageId, snapshotIds, terraform, holders } = world(2);
      const [s1 = "", s2 = ""] = snapshotIds;
      const config = (...ids: string[]) => ({ image_id: imageId, account_ids: ids, create_volume_permissions: {} as Value });
      await terraform.apply(config(A, B));
      ec2.snapshots.delete(s2);
      if (refreshed) await terraform.refresh();
      const { planned, diagnostics } = await terraform.plan(config(B, D));
      assert.deepEqual(planned.grants, { [key(D)]: "launch, createVolume", [key(B)]: "launch, createVolume" });
      assert.match(words(diagnostics), new RegExp(`note: ${s2}, of the AMI's block device mappings, is gone: it is left out`));
      assert.deepEqual(errors({ diagnostics: await terraform.apply(config(B, D)) }), []);
      assert.deepEqual([holders(), holders(s1)], [[B, D].map(key).sort(), [B, D].map(key).sort()]);
      await terraform.refresh();
      assert.deepEqual((await terraform.plan(config(B, D))).planned, terraform.state);
      await terraform.destroy();
      assert.deepEqual([terraform.state, holders(), holders(s1)], [null, [], []]);
    }
  });

  it("is left out with and without a refresh, even if all snapshots are deleted (Pulumi)", async () => {
    for (const refreshed of [true, false])
      for (const left of [1, 0]) {
        const { ec2, imageId, snapshotIds, holders } = world(2);
        const engine = new MemoryEngine(new DynamicProvider({ gateway: () => ec2, waitOptions: WAIT_OPTIONS }));
        await engine.up({ imageId, accountIds: [A, B], createVolumePermissions: true });
        for (const id of snapshotIds.slice(left)) ec2.snapshots.delete(id);
        if (refreshed) await engine.refresh();
        await engine.up({ imageId, accountIds: [B, D], createVolumePermissions: true });
        assert.deepEqual(holders(), [B, D].map(key).sort());
        assert.deepEqual(engine.state?.outputs.snapshotIds, snapshotIds.slice(0, left));
        await engine.refresh();
        const { operation } = await engine.preview({ imageId, accountIds: [B, D], createVolumePermissions: true });
        assert.equal(operation, "same", `${refreshed} ${left}`);
      }
  });

  it("in snapshot_ids is refused before anything is changed, and the error says what to remove", async () => {
    const { ec2, imageId, snapshotIds, terraform, holders } = world(2);
    const [s1 = "", s2 = ""] = snapshotIds;
    const config = (ids: string[], snapshots: string[]) => ({
      image_id: imageId,
      account_ids: ids,
      create_volume_permissions: { account_ids: null, snapshot_ids: snapshots, public: null } as Value,
    });
    await terraform.apply(config([A], [s1, s2]));
    ec2.snapshots.delete(s2);
    const { diagnostics } = await terraform.plan(config([D], [s1, s2]));
    assert.match(words(diagnostics), /\[snapshot-not-found\]/);
    assert.deepEqual(
      [...new Set(diagnostics.map(({ severity }) => severity))],
      ["WARNING"],
      "the other sets of the configuration are still applied",
    );
    const told = await terraform.apply(config([D], [s1, s2]));
    assert.match(
      errors({ diagnostics: told })[0]?.detail ?? "",
      new RegExp(`${s2} is gone; take it out of create_volume_permissions\\.snapshot_ids \\[snapshot-not-found\\]$`),
    );
    assert.deepEqual([holders(), holders(s1)], [[key(A)], [key(A)]]);
    await terraform.apply(config([D], [s1]));
    assert.deepEqual([holders(), holders(s1)], [[key(D)], [key(D)]]);
  });

  it("counts as deleted only after a second read", async () => {
    const { ec2, imageId, snapshotIds, terraform } = world(2);
    const config = { image_id: imageId, account_ids: [A], create_volume_permissions: {} as Value };
    await terraform.apply(config);
    const read = ec2.createVolumePermissions.bind(ec2);
    let wrong = 1;
    ec2.createVolumePermissions = async (id) => {
      if (id === snapshotIds[1] && wrong-- > 0) throw new AmiSharingError("snapshot-not-found", "there is none");
      return read(id);
    };
    await terraform.refresh();
    assert.deepEqual(terraform.state?.snapshot_ids, snapshotIds);
    assert.deepEqual((await terraform.plan(config)).planned, terraform.state);
  });
});

describe("an AMI that does not exist any more", () => {
  it("is a warning in the plan, and the apply fails and writes nothing to the state", async () => {
    const { ec2, imageId, terraform, anew } = world();
    const config = { image_id: imageId, account_ids: [A] };
    await terraform.apply(config);
    ec2.images.delete(imageId);
    await terraform.refresh();
    assert.equal(terraform.state, null);
    await anew();
    const { diagnostics, planned } = await terraform.plan({ ...config, account_ids: [A, B] });
    assert.deepEqual(
      diagnostics.map(({ severity }) => severity),
      ["WARNING"],
    );
    assert.match(words(diagnostics), /\[image-not-found\]/);
    assert.equal(typeof planned.grants, "symbol");
    const told = await terraform.apply({ ...config, account_ids: [A, B] });
    assert.match(errors({ diagnostics: told })[0]?.detail ?? "", /\[image-not-found\]$/);
    assert.equal(terraform.state, null);
  });
});

describe("Pulumi's Terraform bridge", () => {
  for (const version of ["pulumi-terraform-bridge", "1.0.0+pulumi-terraform-bridge"])
    it(`gets lists written out, and an error for what needs private state (${version})`, async () => {
      const { ec2, imageId, snapshotIds, rpc } = world();
      await rpc("ConfigureProvider", { config: encodeValue({}, PROVIDER_SCHEMA), terraform_version: version });
      for (const resource of [imageId, ...snapshotIds]) ec2.grantees(resource).add(key(A)).add(key(B));
      const answer = await rpc("ImportResourceState", { id: imageId });
      const [first] = answer.imported_resources as { state: DynamicValue }[];
      const state = (first && decodeValue(first.state)) as ObjectValue;
      assert.deepEqual(state.create_volume_permissions, { account_ids: [A, B], snapshot_ids: null, public: null });
      const plan = (config: Record<string, Value>): Promise<Answer> => {
        const value = encodeValue(full({ image_id: imageId, ...config }), RESOURCE_SCHEMA);
        return rpc("PlanResourceChange", {
          prior_state: { msgpack: Buffer.from([0xc0]) },
          proposed_new_state: value,
          config: value,
          prior_private: Buffer.alloc(0),
        });
      };
      assert.match(
        errors(await plan({ mode: "additive" }))[0]?.detail ?? "",
        /^mode: "additive" does not work through Pulumi's Terraform bridge.*\[invalid-argument\]$/,
      );
      assert.match(
        errors(await plan({ kms_access: "grant" }))[0]?.detail ?? "",
        /^kms_access: "grant" does not work through .*\[invalid-argument\]$/,
      );
      assert.deepEqual(errors(await plan({ account_ids: [A, B] })), []);
    });
});

describe("a change of the core that is bound to a plan", () => {
  it("revokes only those grants of others that it is bound to, and everything that the set granted", () => {
    const on = (...ids: string[]) => ({ launch: new Set(ids.map(key)), createVolume: new Map() });
    const situation = {
      mode: "authoritative",
      target: on(A),
      live: on(A, B, C),
      granted: on(D),
      managedSnapshotIds: [],
    } as const;
    assert.deepEqual(changeFor({ ...situation, revocable: on(B) }).remove.launch, on(D, B).launch);
    assert.deepEqual(changeFor({ ...situation, revocable: on() }).remove.launch, on(D).launch);
    assert.deepEqual(changeFor(situation).remove.launch, on(D, B, C).launch);
  });
});
