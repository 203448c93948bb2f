/** The responses of the provider, without a connection: unknown values, imports, moves, upgrades, stopping, and invalid requests. */

import * as assert from "node:assert/strict";
import {
  AmiSharingError,
  isEmpty,
  minus,
  NO_PERMISSIONS,
  type PermissionRecord,
  permissionSetOf,
  UNKNOWN,
} from "../../provider/core";
import { nulls } from "../../provider/terraform/arguments";
import { claimIn, Run } from "../../provider/terraform/neighbours";
import { DATA_SOURCE, DATA_SOURCE_SCHEMA, PROVIDER_SCHEMA, RESOURCE, RESOURCE_SCHEMA } from "../../provider/terraform/schema";
import { providerServer } from "../../provider/terraform/server";
import { type DynamicValue, decodeValue, encodeValue, type ObjectValue, type Value } from "../../provider/terraform/values";
import { MemoryGateway, OWNER } from "../helpers/memoryGateway";
import { type Answer, ask, errors, full, MemoryTerraform } from "../helpers/memoryTerraform";

const [A, B, C] = ["111122223333", "444455556666", "777788889999"] as const;
const WAIT_OPTIONS = { timeout: 1, minDelay: 0.001, maxDelay: 0.002, absencePause: 0 };
const ORGANIZATION = "arn:aws:organizations::111122223333:organization/o-abcde12345";

function world(snapshots = 2) {
  const ec2 = new MemoryGateway();
  const { imageId, snapshotIds } = ec2.addImage(snapshots);
  const terraform = new MemoryTerraform({ makeGateway: () => ec2, waitOptions: WAIT_OPTIONS });
  const rpc = (name: string, request: object) => ask(terraform.server, name, { type_name: RESOURCE, ...request });
  return { ec2, imageId, snapshotIds, terraform, rpc };
}

const json = (value: unknown) => ({ json: Buffer.from(JSON.stringify(value)) });
const detail = (answer: Answer) => errors(answer)[0]?.detail ?? "no error";

describe("a plan with unknown values", () => {
  it("of the AMI: shows the declared accounts, and unknown grants, because the owner is not known", async () => {
    const { ec2, terraform } = world();
    const { planned } = await terraform.plan({ image_id: UNKNOWN, account_ids: [A] });
    assert.deepEqual([planned.account_ids, planned.grants, planned.owner_id, planned.id], [[A], UNKNOWN, UNKNOWN, UNKNOWN]);
    assert.equal(planned.region, "us-east-1");
    assert.deepEqual(ec2.calls, []);
  });

  it("of the AMI of an existing set: plans a replacement", async () => {
    const { terraform, imageId } = world();
    await terraform.apply({ image_id: imageId, account_ids: [A] });
    assert.deepEqual((await terraform.plan({ image_id: UNKNOWN, account_ids: [A] })).replace, ["image_id"]);
  });

  for (const [name, unknown] of Object.entries({
    "an account": { account_ids: [A, UNKNOWN] },
    "all accounts": { account_ids: UNKNOWN },
    "an organization": { organization_arns: [UNKNOWN] },
    everybody: { public: UNKNOWN, acknowledge_public: true },
    "who may create volumes": { create_volume_permissions: { account_ids: UNKNOWN, snapshot_ids: null, public: null } },
    "create-volume permissions as a whole": { create_volume_permissions: UNKNOWN },
    "a limit": { account_ids: [], max_revocations: UNKNOWN },
    "a mode": { mode: UNKNOWN },
  } as Record<string, Record<string, Value>>))
    it(`of ${name}: keeps the known values of the AMI, and makes no call to EC2`, async () => {
      const { ec2, terraform, imageId, snapshotIds } = world();
      await terraform.apply({ image_id: imageId, account_ids: [B] });
      ec2.forgetCalls();
      const { planned, replace } = await terraform.plan({ image_id: imageId, ...unknown });
      assert.deepEqual([planned.grants, planned.owner_id, planned.snapshot_ids], [UNKNOWN, OWNER, snapshotIds]);
      assert.deepEqual([replace, ec2.calls], [[], []]);
    });

  it("of the provider's region: reads nothing, and removes nothing from the state", async () => {
    const { ec2, terraform, imageId, rpc } = world();
    await terraform.apply({ image_id: imageId, account_ids: [A] });
    await rpc("ConfigureProvider", { config: { msgpack: encodeValue({ region: UNKNOWN }, PROVIDER_SCHEMA).msgpack } });
    ec2.forgetCalls();
    const [warning] = await terraform.refresh();
    assert.deepEqual([warning?.severity, warning?.summary], ["WARNING", `AMI ${imageId} is not read`]);
    assert.deepEqual(terraform.state?.grants, { [`account/${A}`]: "launch" });
    assert.equal((await terraform.plan({ image_id: imageId, account_ids: [B] })).planned.grants, UNKNOWN);
    assert.deepEqual(ec2.calls, []);
  });
});

describe("an import", () => {
  const imported = (answer: Answer): ObjectValue | undefined => {
    const [first] = answer.imported_resources as { state: DynamicValue }[];
    return first && (decodeValue(first.state) ?? undefined);
  };

  it("declares an AMI as it is shared, so that the generated configuration has an empty plan", async () => {
    const { ec2, imageId, snapshotIds, terraform, rpc } = world();
    for (const key of [`account/${A}`, `account/${B}`, ORGANIZATION, "public", "user/aws-marketplace"])
      ec2.grantees(imageId).add(key);
    ec2.grantees(snapshotIds[0] ?? "").add(`account/${A}`);
    const state = imported(await rpc("ImportResourceState", { id: imageId })) ?? assert.fail("nothing");
    assert.deepEqual(state, {
      ...full({}),
      image_id: imageId,
      id: imageId,
      region: "us-east-1",
      owner_id: OWNER,
      account_ids: [A, B],
      organization_arns: [ORGANIZATION],
      public: true,
      acknowledge_public: true,
      create_volume_permissions: { account_ids: [A], snapshot_ids: [snapshotIds[0]], public: null },
      mode: "authoritative",
      on_delete: "revoke",
      snapshot_ids: snapshotIds,
      grants: {
        [`account/${A}`]: `launch, createVolume on ${snapshotIds[0]}`,
        [`account/${B}`]: "launch",
        [ORGANIZATION]: "launch",
        public: "launch",
        "user/aws-marketplace": "launch",
      },
    });
    terraform.state = state;
    await terraform.refresh();
    const { config } = await rpc("GenerateResourceConfig", { state: encodeValue(state, RESOURCE_SCHEMA) });
    const written = decodeValue(config as DynamicValue) ?? {};
    assert.deepEqual([written.mode, written.owner_id, written.public], [null, null, true]);
    assert.deepEqual((await terraform.plan(written)).planned, terraform.state);
  });

  it("without a state, as Terraform 1.14.0 requests it, generates nothing and says why", async () => {
    const { terraform, rpc } = world();
    const nothing = encodeValue(terraform.state, RESOURCE_SCHEMA);
    for (const state of [null, nothing]) {
      const answer = await rpc("GenerateResourceConfig", { state });
      assert.deepEqual([answer.config, errors(answer).length], [undefined, 1]);
      assert.match(detail(answer), /Use 1\.14\.3 or newer/);
    }
  });

  it("of snapshots that share the AMI's accounts has create_volume_permissions = {}", async () => {
    const { ec2, imageId, snapshotIds, rpc } = world();
    for (const resource of [imageId, ...snapshotIds]) ec2.grantees(resource).add(`account/${A}`);
    const state = imported(await rpc("ImportResourceState", { id: `us-east-1/${imageId}` }));
    assert.deepEqual(state?.create_volume_permissions, { account_ids: null, snapshot_ids: null, public: null });
  });

  for (const id of ["golden", "ami-123", "us-east-1/", "us-east-1/ami-12345678/x", "nowhere/ami-12345678", ""])
    it(`of the invalid id "${id}" says which id to use`, async () => {
      const answer = await world().rpc("ImportResourceState", { id });
      assert.deepEqual(answer.imported_resources, []);
      assert.match(detail(answer), /"ami-1234567890abcdef0" or "eu-west-1\/ami-1234567890abcdef0" \[invalid-argument\]$/);
    });

  it("of an AMI that does not exist says so", async () => {
    assert.match(detail(await world().rpc("ImportResourceState", { id: "ami-0ffffffffffffffff" })), /\[image-not-found\]$/);
  });
});

describe("a move", () => {
  const source = { source_type_name: "aws_ami_launch_permission", target_type_name: RESOURCE, source_provider_address: "x/aws" };

  it("takes over one grant of the aws provider, of each kind, and the next read completes the state", async () => {
    for (const [given, declared, key] of [
      [{ account_id: A, group: "" }, { account_ids: [A] }, `account/${A}`],
      [{ organization_arn: ORGANIZATION }, { organization_arns: [ORGANIZATION] }, ORGANIZATION],
      [{ group: "all" }, { public: true, acknowledge_public: true }, "public"],
    ] as const) {
      const { ec2, terraform, imageId, rpc } = world();
      ec2.grantees(imageId).add(key);
      const state = { id: `x-${imageId}`, image_id: imageId, region: "us-east-1", ...given };
      const moved = await rpc("MoveResourceState", { ...source, source_state: json(state) });
      assert.deepEqual(errors(moved), []);
      terraform.state = decodeValue(moved.target_state as DynamicValue);
      await terraform.refresh();
      assert.deepEqual([terraform.state?.owner_id, terraform.state?.grants], [OWNER, { [key]: "launch" }]);
      ec2.forgetCalls();
      await terraform.apply({ image_id: imageId, ...declared });
      assert.deepEqual(ec2.modifications(), []);
      await terraform.destroy();
      assert.deepEqual([...ec2.grantees(imageId)], []);
    }
  });

  it("of a set from another address keeps its state; a move from any other type is refused", async () => {
    const { terraform, imageId, rpc } = world();
    await terraform.apply({ image_id: imageId, account_ids: [A] });
    const same = { ...source, source_type_name: RESOURCE, source_state: json(terraform.state) };
    assert.deepEqual(decodeValue((await rpc("MoveResourceState", same)).target_state as DynamicValue), terraform.state);
    const other = { ...source, source_type_name: "aws_instance", source_state: json({ id: "i-1" }) };
    assert.match(detail(await rpc("MoveResourceState", other)), /The source of this move is a aws_instance of x\/aws/);
    const nobody = { ...source, source_state: json({ image_id: imageId }) };
    assert.equal(errors(await rpc("MoveResourceState", nobody)).length, 1);
  });
});

describe("recorded state", () => {
  it("of this version is read, with missing or additional attributes", async () => {
    const { rpc } = world();
    const old = { image_id: "ami-12345678", account_ids: [A], grants: { [`account/${A}`]: "launch" }, gone: true };
    const { upgraded_state } = await rpc("UpgradeResourceState", { version: 0, raw_state: json(old) });
    const { gone: _, ...kept } = old;
    assert.deepEqual(decodeValue(upgraded_state as DynamicValue), { ...full({}), ...kept });
  });

  it("of a later version, or as a flatmap, is refused", async () => {
    const { rpc } = world();
    assert.match(detail(await rpc("UpgradeResourceState", { version: 7, raw_state: json({}) })), /It is of version 7,/);
    const flat = { flatmap: { id: "ami-12345678" } };
    assert.match(detail(await rpc("UpgradeResourceState", { version: 0, raw_state: flat })), /and not JSON/);
  });
});

describe("stopping", () => {
  it("during an apply sends no further call and keeps what was done; the next apply completes it", async () => {
    const { ec2, imageId, snapshotIds } = world(3);
    // The stop signal that the provider passes to its gateways.
    let stopped: AbortSignal | undefined;
    const terraform = new MemoryTerraform({
      waitOptions: WAIT_OPTIONS,
      makeGateway: (_connection, { signal }) => {
        stopped = signal;
        return new Proxy(ec2, {
          get: (target, name) => {
            const member = Reflect.get(target, name) as unknown;
            if (typeof member !== "function") return member;
            return async (...args: unknown[]) => {
              if (/^change/.test(String(name)) && stopped?.aborted) throw new AmiSharingError("stopped", "stopped");
              return member.apply(target, args);
            };
          },
        });
      },
    });
    ec2.onChange = () => void ask(terraform.server, "StopProvider", {});
    const config = { image_id: imageId, account_ids: [A], create_volume_permissions: {} };
    const told = await terraform.apply(config);
    assert.deepEqual(errors({ diagnostics: told }), []);
    assert.match(told.at(-1)?.summary ?? "", /^NOT COMPLETE: /);
    assert.deepEqual(ec2.everything(imageId)[imageId], []);
    assert.deepEqual(terraform.state?.grants, { [`account/${A}`]: "createVolume" });

    const again = new MemoryTerraform({ makeGateway: () => ec2, waitOptions: WAIT_OPTIONS });
    again.state = terraform.state;
    assert.deepEqual(errors({ diagnostics: await again.apply(config) }), []);
    for (const resource of [imageId, ...snapshotIds]) assert.deepEqual([...ec2.grantees(resource)], [`account/${A}`]);
  });
});

describe("a set that is replaced by a set of the same AMI", () => {
  for (const on_delete of ["revoke", "reset"])
    it(`is destroyed after the new set, and takes nothing from it (${on_delete})`, async () => {
      const { ec2, imageId, snapshotIds, terraform } = world();
      const config = { image_id: imageId, account_ids: [A], create_volume_permissions: {}, on_delete };
      await terraform.apply(config);
      await terraform.refresh();
      // One run creates the new set first, as with create_before_destroy.
      const { state: old, ownData } = terraform;
      terraform.state = null;
      await terraform.apply({ ...config, account_ids: [A, B] });
      Object.assign(terraform, { state: old, ownData });
      assert.deepEqual(errors({ diagnostics: await terraform.destroyed() }), []);
      for (const resource of [imageId, ...snapshotIds])
        assert.deepEqual([...ec2.grantees(resource)].sort(), [`account/${A}`, `account/${B}`]);
    });
});

describe("what a plan's diff does not show", () => {
  const reported = (diagnostics: readonly { severity: string; summary: string; detail: string }[]) =>
    diagnostics
      .filter(({ severity }) => severity === "WARNING")
      .map(({ summary, detail }) => `${summary}\n${detail}`.replace(/\s+/g, " "));

  it("is in a warning: grantees that are not declared any more but stay (additive mode, never_revoke)", async () => {
    for (const more of [{ mode: "additive" }, { never_revoke: [B] }]) {
      const { ec2, imageId, terraform } = world();
      ec2.grantees(imageId).add(`account/${B}`);
      await terraform.apply({ image_id: imageId, account_ids: [A, B], ...more });
      const { diagnostics } = await terraform.plan({ image_id: imageId, account_ids: [A], ...more });
      assert.match(
        reported(diagnostics).join(),
        new RegExp(`= launch \\(stays: (set elsewhere, and the mode is additive|never_revoke)\\): account/${B}`),
      );
    }
  });

  it("is in a warning: accounts that still use the AMI of a replaced set", async () => {
    const { ec2, imageId, terraform } = world();
    const other = ec2.addImage(1);
    ec2.uses.set(imageId, [{ accountId: A, resourceType: "ec2:Instance", count: 3 }]);
    await terraform.apply({ image_id: imageId, account_ids: [A], check_usage: true });
    const { diagnostics, replace } = await terraform.plan({ image_id: other.imageId, account_ids: [A], check_usage: true });
    assert.deepEqual(replace, ["image_id"]);
    const first = await terraform.planned({ image_id: other.imageId, account_ids: [A], check_usage: true }, terraform.state);
    assert.match(
      reported(first.diagnostics).join(),
      new RegExp(`AMI ${imageId} is unshared account/${A} loses the AMI and still uses it: 3 ec2:Instance`),
    );
    assert.deepEqual(errors({ diagnostics }), []);
  });

  it("is in a warning: who loses and who keeps the AMI of a replaced set", async () => {
    const { ec2, imageId, terraform } = world();
    const other = ec2.addImage(1);
    const told = async (more: object, kept: ObjectValue = {}) => {
      await terraform.apply({ image_id: imageId, account_ids: [A, B], ...more });
      const { diagnostics } = await terraform.planned({ image_id: other.imageId, account_ids: [A], ...kept }, terraform.state);
      return reported(diagnostics);
    };
    const heading = `AMI ${imageId} is unshared, as its set is replaced`;
    assert.deepEqual(await told({}), [`${heading} - launch (granted by this set; 2): account/${A}, account/${B}`]);
    assert.deepEqual(await told({ never_revoke: [B] }), [
      `${heading} - launch (granted by this set): account/${A}`,
      `AMI ${imageId} stays shared in part never_revoke: these keep access: account/${B}`,
    ]);
    assert.deepEqual(await told({ on_delete: "retain" }), [
      `AMI ${imageId} stays shared on_delete is "retain": these keep access: account/${A}, account/${B}`,
    ]);
  });

  it("is in a warning: everybody whose access a new set revokes, however many there are", async () => {
    const { ec2, imageId, terraform } = world();
    const many = Array.from({ length: 40 }, (_, i) => String(100_000_000_000 + i));
    for (const id of many) ec2.grantees(imageId).add(`account/${id}`);
    const [report = ""] = reported((await terraform.plan({ image_id: imageId, account_ids: [A] })).diagnostics);
    for (const id of many) assert.ok(report.includes(`account/${id}`), id);
  });

  it("is in a warning: who keeps access after a destroy, because the set did not grant it", async () => {
    const { ec2, imageId, terraform } = world();
    await terraform.apply({ image_id: imageId, account_ids: [A] });
    ec2.grantees(imageId).add(`account/${B}`);
    await terraform.refresh();
    const told = reported(await terraform.destroy());
    assert.deepEqual(told, [
      `AMI ${imageId} stays shared in part set elsewhere: these keep what the set did not grant: account/${B}`,
    ]);
    assert.deepEqual([...ec2.grantees(imageId)], [`account/${B}`]);
  });
});

describe("an error of the provider's connection", () => {
  const faults = {
    "credentials-missing": "The provider has no AWS credentials",
    "credentials-expired": "The provider's AWS credentials have expired",
    "credentials-invalid": "The provider's AWS credentials are not valid",
    "endpoint-unreachable": "The provider cannot reach AWS",
  } as const;
  for (const [code, summary] of Object.entries(faults))
    it(`is reported for the provider, not for an argument, by plans, refreshes, data sources and imports (${code})`, async () => {
      const { ec2, imageId, terraform, rpc } = world();
      const error = new AmiSharingError(code as keyof typeof faults, "it failed", { property: "region", imageId });
      const told = (diagnostics: Answer["diagnostics"] = []) =>
        diagnostics.map(({ severity, summary: said, detail, attribute }) => [severity, said, detail, attribute]);
      const expected = [["ERROR", summary, `it failed [${code}]`, undefined]];
      const next = () => ec2.fail({ error });
      next();
      assert.deepEqual(told((await terraform.plan({ image_id: imageId, account_ids: [A] })).diagnostics), expected);
      next();
      assert.deepEqual(told((await rpc("ImportResourceState", { id: imageId })).diagnostics), expected);
      next();
      const config = encodeValue({ ...nulls(DATA_SOURCE_SCHEMA.attributes), image_id: imageId }, DATA_SOURCE_SCHEMA);
      assert.deepEqual(told((await rpc("ReadDataSource", { type_name: DATA_SOURCE, config })).diagnostics), expected);
      await terraform.apply({ image_id: imageId, account_ids: [A] });
      next();
      assert.deepEqual(told(await terraform.refresh()), expected);
      next();
      assert.deepEqual(told((await terraform.plan({ image_id: imageId, account_ids: [B] })).diagnostics), expected);
    });

  it("differs from EC2's errors about an AMI, which mention a destroy only if there is a set", async () => {
    const { ec2, imageId, terraform } = world();
    const error = new AmiSharingError("image-not-found", "there is none", { imageId });
    const plan = async (image = imageId) => {
      ec2.fail({ error });
      const { diagnostics } = await terraform.planned({ image_id: image, account_ids: [B] }, terraform.state);
      return diagnostics.map(({ severity, summary, detail }) => [
        severity,
        summary,
        /If the set is to be destroyed/.test(detail),
      ]);
    };
    const summary = `AMI ${imageId} cannot be shared as configured`;
    assert.deepEqual(await plan(), [["WARNING", summary, false]]);
    await terraform.apply({ image_id: imageId, account_ids: [A] });
    assert.deepEqual(await plan(), [["WARNING", summary, false]]);
    for (const [code, isPossible] of [
      ["sharing-refused", true],
      ["conflicting-sets", true],
      ["not-owner", false],
    ] as const) {
      ec2.fail({ error: new AmiSharingError(code, "it is refused", { imageId }) });
      const { diagnostics } = await terraform.planned({ image_id: imageId, account_ids: [B] }, terraform.state);
      const said = diagnostics.map(({ severity, detail }) => [severity, /If the set is to be destroyed/.test(detail)]);
      assert.deepEqual(said, [["ERROR", isPossible]], code);
    }
    // The replaced set would be destroyed first.
    assert.deepEqual(await plan("ami-0ffffffffffffffff"), [["ERROR", summary.replace(imageId, "ami-0ffffffffffffffff"), true]]);
  });
});

describe("invalid requests", () => {
  it("an unknown resource type is refused by every RPC that has one", async () => {
    const server = providerServer({ env: {}, log: () => undefined });
    for (const name of [
      "ValidateResourceConfig",
      "UpgradeResourceState",
      "ReadResource",
      "PlanResourceChange",
      "ApplyResourceChange",
    ])
      assert.match(JSON.stringify(await ask(server, name, { type_name: "ami_other" })), /There is no ami_other/, name);
  });

  it("a bug in the provider is reported without a stack trace, and logged with one", async () => {
    const lines: unknown[] = [];
    const server = providerServer({ env: {}, log: (...line) => lines.push(line) });
    const answer = await ask(server, "ReadResource", { type_name: RESOURCE, current_state: { msgpack: Buffer.from([0xc1]) } });
    assert.match(errors(answer)[0]?.summary ?? "", /^The provider failed in ReadResource$/);
    assert.doesNotMatch(JSON.stringify(answer), /\bat .*:\d+:\d+/);
    assert.match(JSON.stringify(lines), /"error","ReadResource failed: .*stack/);
  });
});

describe("an endpoint without encryption", () => {
  const HTTP = "http://ec2.example.com";
  async function warnings(endpoint: Value, env: NodeJS.ProcessEnv): Promise<readonly unknown[]> {
    const { server } = new MemoryTerraform({ makeGateway: () => new MemoryGateway(), env });
    const answer = await ask(server, "ValidateProviderConfig", { config: encodeValue({ endpoint }, PROVIDER_SCHEMA) });
    return (answer.diagnostics ?? []).map(({ severity, summary, attribute }) => [severity, summary, attribute !== undefined]);
  }

  it("causes a warning, whether the provider block or the environment names it", async () => {
    const warning = (atArgument: boolean) => [["WARNING", "EC2 is called without encryption", atArgument]];
    assert.deepEqual(await warnings(HTTP, {}), warning(true));
    assert.deepEqual(await warnings(null, { AWS_ENDPOINT_URL: HTTP }), warning(false));
    assert.deepEqual(await warnings(null, { AWS_ENDPOINT_URL_EC2: HTTP, AWS_ENDPOINT_URL: "https://a.example" }), warning(false));
    assert.deepEqual(await warnings(null, { AWS_ENDPOINT_URL: HTTP, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "true" }), []);
    assert.deepEqual(await warnings("https://ec2.example.com", { AWS_ENDPOINT_URL: HTTP }), []);
    assert.deepEqual(await warnings(null, { AWS_ENDPOINT_URL: "http://127.0.0.1:5000" }), []);
    assert.deepEqual(await warnings(UNKNOWN, {}), []);
  });
});

describe("K11: a destroy and a create of one AMI in the same apply", () => {
  for (const late of [0, 30, 70])
    it(`keep what the new set declares, if Terraform starts the create ${late} ms after the destroy`, async () => {
      const { ec2, imageId, terraform } = world(1);
      await terraform.apply({ image_id: imageId, account_ids: [A, B] });
      const lost: string[] = [];
      ec2.onChange = (resource, _added, removed) => lost.push(...removed.map((key) => `${resource} ${key}`));
      const { server } = new MemoryTerraform({ makeGateway: () => ec2, waitOptions: WAIT_OPTIONS, window: 100 });
      const rpc = (name: string, request: object) => ask(server, name, { type_name: RESOURCE, ...request });
      await rpc("ConfigureProvider", { config: encodeValue({}, PROVIDER_SCHEMA) });
      const nothing = { msgpack: Buffer.from([0xc0]) };
      const prior_state = encodeValue(terraform.state, RESOURCE_SCHEMA);
      // The destroy was planned alone: it does not know of the new set.
      const destroying = rpc("ApplyResourceChange", {
        prior_state,
        planned_state: nothing,
        config: nothing,
        planned_private: terraform.ownData,
      });
      await new Promise((resolve) => setTimeout(resolve, late));
      const config = full({ image_id: imageId, account_ids: [A] });
      const plan = await rpc("PlanResourceChange", {
        prior_state: encodeValue(null, RESOURCE_SCHEMA),
        proposed_new_state: encodeValue(config, RESOURCE_SCHEMA),
        config: encodeValue(config, RESOURCE_SCHEMA),
      });
      const creating = rpc("ApplyResourceChange", {
        prior_state: encodeValue(null, RESOURCE_SCHEMA),
        planned_state: plan.planned_state,
        config: encodeValue(config, RESOURCE_SCHEMA),
        planned_private: plan.planned_private,
      });
      for (const answer of await Promise.all([destroying, creating])) assert.deepEqual(errors(answer), []);
      assert.deepEqual(lost, [`${imageId} account/${B}`]);
      assert.deepEqual([...ec2.grantees(imageId)], [`account/${A}`]);
    });
});

describe("a destroy that leaves grants to another set", () => {
  for (const makesProgress of [true, false])
    it(`waits for that set while AWS answers calls, and gives up if it answers none: ${makesProgress}`, async () => {
      const run = new Run(1, 100);
      const set = permissionSetOf({ imageId: "ami-12345678", accountIds: [A] }) ?? assert.fail();
      const granted = { launch: new Set([`account/${A}`]), createVolume: new Map() };
      run.claims.declare("place", "heir", claimIn(set, NO_PERMISSIONS), true);
      const owned = run.handedOver("place", "old", (made) => !isEmpty(minus(granted, made)));
      const answers = makesProgress ? setInterval(() => run.answered(), 20) : undefined;
      setTimeout(() => run.claims.ended("place", "heir", "made", granted), 400);
      assert.equal(await owned, makesProgress);
      clearInterval(answers);
    });
});

describe("the wait for the sets that Terraform starts together", () => {
  it("lasts as long as Terraform starts more sets", async () => {
    const run = new Run(60);
    run.begun();
    const start = Date.now();
    const opened = run.opening().then(() => Date.now() - start);
    for (let n = 0; n < 5; n++) {
      await new Promise((resolve) => setTimeout(resolve, 30));
      run.begun();
    }
    assert.ok((await opened) >= 200, `ended after ${await opened} ms`);
    const again = Date.now();
    run.begun();
    await run.opening();
    assert.ok(Date.now() - again < 50, "there is no second wait");
  });

  it("lasts until another set of the AMI is read and planned", async () => {
    const run = new Run(20);
    const start = Date.now();
    const pass = (pause: number) => new Promise((resolve) => setTimeout(resolve, pause));
    await run.known("place", "one");
    assert.ok(Date.now() - start < 15, "without another set, there is no wait");
    const planned = run
      .read("place", "other", () => pass(100))
      .then(() => pass(50))
      .then(() => run.planning("place", "other"));
    await run.known("place", "one");
    const took = Date.now() - start;
    assert.ok(took >= 145 && took < 400, `ended after ${took} ms`);
    await planned;
  });
});

describe("sets of one AMI that are created and changed at the same time", () => {
  const additive = (imageId: string, accounts: readonly string[]) =>
    full({ image_id: imageId, account_ids: [...accounts], mode: "additive" });

  async function create(rpc: (name: string, request: object) => Promise<Answer>, config: ObjectValue): Promise<Answer> {
    const plan = await rpc("PlanResourceChange", {
      prior_state: encodeValue(null, RESOURCE_SCHEMA),
      proposed_new_state: encodeValue(config, RESOURCE_SCHEMA),
      config: encodeValue(config, RESOURCE_SCHEMA),
    });
    return rpc("ApplyResourceChange", {
      prior_state: encodeValue(null, RESOURCE_SCHEMA),
      planned_state: plan.planned_state,
      config: encodeValue(config, RESOURCE_SCHEMA),
      planned_private: plan.planned_private,
    });
  }
  const granted = (answer: Answer) =>
    (JSON.parse(Buffer.from(answer.private as Uint8Array).toString()) as { record: PermissionRecord }).record.granted;

  it("both own what both declare", async () => {
    const { imageId, rpc } = world(0);
    await rpc("ConfigureProvider", { config: encodeValue({}, PROVIDER_SCHEMA) });
    const answers = await Promise.all([create(rpc, additive(imageId, [A, B])), create(rpc, additive(imageId, [A]))]);
    assert.deepEqual(answers.map(errors), [[], []]);
    // The private data records the set's grants only if they differ from the declared ones.
    assert.deepEqual(answers.map(granted), [undefined, undefined]);
  });

  it("keep what an unchanged set declares and did not grant, whichever of the two is refreshed first", async () => {
    for (const first of [0, 1]) {
      const { ec2, imageId, rpc } = world(0);
      await rpc("ConfigureProvider", { config: encodeValue({}, PROVIDER_SCHEMA) });
      const [one, other] = [await create(rpc, additive(imageId, [A, B])), await create(rpc, additive(imageId, [A]))];
      // As an older version recorded it: the second set owns nothing.
      const owning = { state: one.new_state, private: Buffer.from(JSON.stringify({ id: "one" })) };
      const found = { state: other.new_state, private: Buffer.from(JSON.stringify({ id: "other", granted: {} })) };
      await rpc("ConfigureProvider", { config: encodeValue({}, PROVIDER_SCHEMA) });
      const read = ({ state, private: own }: typeof owning) => rpc("ReadResource", { current_state: state, private: own });
      const [dropping] = first === 0 ? [read(owning), read(found)] : [read(found), read(owning)].reverse();
      const refreshed = (await dropping) as Answer;
      // The apply runs in another process, which gets the changed set only.
      await rpc("ConfigureProvider", { config: encodeValue({}, PROVIDER_SCHEMA) });
      const config = additive(imageId, [B]);
      const plan = await rpc("PlanResourceChange", {
        prior_state: refreshed.new_state,
        proposed_new_state: encodeValue(config, RESOURCE_SCHEMA),
        config: encodeValue(config, RESOURCE_SCHEMA),
        prior_private: refreshed.private,
      });
      const applied = await rpc("ApplyResourceChange", {
        prior_state: refreshed.new_state,
        planned_state: plan.planned_state,
        config: encodeValue(config, RESOURCE_SCHEMA),
        planned_private: plan.planned_private,
      });
      assert.deepEqual(errors(applied), []);
      assert.deepEqual([...ec2.grantees(imageId)].sort(), [`account/${A}`, `account/${B}`]);
    }
  });

  /** Plans and applies a change of a refreshed set. */
  async function update(
    rpc: (name: string, request: object) => Promise<Answer>,
    refreshed: Answer,
    config: ObjectValue,
  ): Promise<Answer> {
    const plan = await rpc("PlanResourceChange", {
      prior_state: refreshed.new_state,
      proposed_new_state: encodeValue(config, RESOURCE_SCHEMA),
      config: encodeValue(config, RESOURCE_SCHEMA),
      prior_private: refreshed.private,
    });
    return rpc("ApplyResourceChange", {
      prior_state: refreshed.new_state,
      planned_state: plan.planned_state,
      config: encodeValue(config, RESOURCE_SCHEMA),
      planned_private: plan.planned_private,
    });
  }

  /** An authoritative set of C and an additive one of A and B, of which somebody else shared with A. Both are refreshed; the apply begins. */
  async function refreshedBeside() {
    const { ec2, imageId, rpc } = world(0);
    const begin = () => rpc("ConfigureProvider", { config: encodeValue({}, PROVIDER_SCHEMA) });
    await begin();
    const all = await create(rpc, full({ image_id: imageId, account_ids: [C] }));
    ec2.grantees(imageId).add(`account/${A}`);
    const some = await create(rpc, additive(imageId, [A, B]));
    await begin();
    const read = (of: Answer) => rpc("ReadResource", { current_state: of.new_state, private: of.private });
    const [refreshed, leaving] = (await Promise.all([read(all), read(some)])) as [Answer, Answer];
    // The apply runs in another process, which gets the changed sets only.
    await begin();
    return { ec2, imageId, rpc, refreshed, leaving };
  }

  it("keep what an unchanged set declares and no set granted", async () => {
    const { ec2, imageId, rpc, refreshed } = await refreshedBeside();
    assert.deepEqual(errors(await update(rpc, refreshed, full({ image_id: imageId, account_ids: [B, C] }))), []);
    assert.deepEqual([...ec2.grantees(imageId)].sort(), [A, B, C].map((id) => `account/${id}`).sort());
  });

  it("follow the plan if a set that declares what no set granted is destroyed before the other one changes", async () => {
    const { ec2, imageId, rpc, refreshed, leaving } = await refreshedBeside();
    const nothing = { msgpack: Buffer.from([0xc0]) };
    const destroyed = await rpc("ApplyResourceChange", {
      prior_state: leaving.new_state,
      planned_state: nothing,
      config: nothing,
      planned_private: leaving.private,
    });
    assert.deepEqual(errors(destroyed), []);
    assert.deepEqual([...ec2.grantees(imageId)].sort(), [A, C].map((id) => `account/${id}`).sort());
    assert.deepEqual(errors(await update(rpc, refreshed, full({ image_id: imageId, account_ids: [B, C] }))), []);
    assert.deepEqual([...ec2.grantees(imageId)].sort(), [B, C].map((id) => `account/${id}`).sort());
  });

  for (const exists of [false, true])
    for (const first of ["taking", "keeping"])
      it(`are refused if ${exists ? "a change" : "a new set"} would take what an unchanged set declares, the ${first} set planned first`, async () => {
        const { ec2, imageId, rpc } = world(0);
        const begin = () => rpc("ConfigureProvider", { config: encodeValue({}, PROVIDER_SCHEMA) });
        await begin();
        const keeping = await create(rpc, additive(imageId, [A]));
        const before = exists ? await create(rpc, additive(imageId, [A, B])) : undefined;
        await begin();
        const read = (of: Answer) => rpc("ReadResource", { current_state: of.new_state, private: of.private });
        // Terraform reads the unchanged set after the other one was refreshed.
        const taker = before && (await read(before));
        const keeper = await read(keeping);
        const plan = (config: ObjectValue, of: Answer | undefined) =>
          rpc("PlanResourceChange", {
            prior_state: of?.new_state ?? encodeValue(null, RESOURCE_SCHEMA),
            proposed_new_state: encodeValue(config, RESOURCE_SCHEMA),
            config: encodeValue(config, RESOURCE_SCHEMA),
            prior_private: of?.private,
          });
        const take = () =>
          plan(full({ image_id: imageId, account_ids: [B], mode: exists ? "additive" : "authoritative" }), taker);
        const keep = () => plan(additive(imageId, [A]), keeper);
        const answers = first === "taking" ? [await take(), await keep()] : [await keep(), await take()];
        assert.deepEqual(errors(answers[0] as Answer), []);
        const told = errors(answers[1] as Answer).map(({ detail }) => detail);
        assert.equal(told.length, 1);
        assert.match(told[0] ?? "", /nothing was changed \[hand-over-incomplete\]$/);
        assert.match(
          told[0] ?? "",
          exists ? /add depends_on with/ : /import the AMI into (this|that) set, or set mode to "additive" in it/,
        );
        assert.ok(ec2.grantees(imageId).has(`account/${A}`));
      });

  it("keep what a set planned later declares; its plan names what the earlier plan shows as lost", async () => {
    const { ec2, imageId, rpc } = world(0);
    await rpc("ConfigureProvider", { config: encodeValue({}, PROVIDER_SCHEMA) });
    for (const id of [A, C]) ec2.grantees(imageId).add(`account/${id}`);
    const [first, second] = [full({ image_id: imageId, account_ids: [B] }), additive(imageId, [A])];
    const plan = (config: ObjectValue) =>
      rpc("PlanResourceChange", {
        prior_state: encodeValue(null, RESOURCE_SCHEMA),
        proposed_new_state: encodeValue(config, RESOURCE_SCHEMA),
        config: encodeValue(config, RESOURCE_SCHEMA),
      });
    const told = async (config: ObjectValue) =>
      ((await plan(config)).diagnostics ?? [])
        .map(({ summary, detail }) => `${summary}: ${detail}`.replace(/\s+/g, " "))
        .filter((text) => text.includes(A));
    const [shown, ...rest] = await told(first);
    assert.match(shown ?? "", new RegExp(`- launch [(][^:]*: account/${A}, account/${C}`));
    assert.deepEqual(rest, []);
    assert.deepEqual(
      (await told(second)).filter((text) => text.includes("shows as lost what stays")),
      [
        `AMI ${imageId}: the plan of another set shows as lost what stays: = launch (stays: this set declares it, and the ami_launch_permission_set of account/${B} was planned before Terraform told the provider of this one): account/${A}`,
      ],
    );
    // If the additive set is planned first, the other set knows of it, and its plan shows nothing as lost.
    await rpc("ConfigureProvider", { config: encodeValue({}, PROVIDER_SCHEMA) });
    await told(second);
    assert.doesNotMatch((await told(first)).join(), /- launch[^:]*: account\/1/);
  });

  it("can be created in either order if one is authoritative and the other one additive", async () => {
    const { ec2, imageId, rpc } = world(0);
    for (const order of [0, 1]) {
      await rpc("ConfigureProvider", { config: encodeValue({}, PROVIDER_SCHEMA) });
      const sets = [full({ image_id: imageId, account_ids: [B] }), additive(imageId, [A])];
      const plans = sets.map((config) =>
        rpc("PlanResourceChange", {
          prior_state: encodeValue(null, RESOURCE_SCHEMA),
          proposed_new_state: encodeValue(config, RESOURCE_SCHEMA),
          config: encodeValue(config, RESOURCE_SCHEMA),
        }),
      );
      await Promise.all(plans);
      for (const config of order === 0 ? sets : sets.reverse()) assert.deepEqual(errors(await create(rpc, config)), []);
      assert.deepEqual([...ec2.grantees(imageId)].sort(), [`account/${A}`, `account/${B}`].sort());
      ec2.grantees(imageId).clear();
    }
  });
});
