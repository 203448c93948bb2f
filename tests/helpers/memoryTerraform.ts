/** Terraform's side of the protocol for one resource, in memory, with the rules that Terraform holds a provider to. */

import * as assert from "node:assert/strict";
import type { sendUnaryData } from "@grpc/grpc-js";
import { UNKNOWN } from "../../provider/core";
import type { Diagnostic } from "../../provider/terraform/diagnostics";
import type { IdentityData } from "../../provider/terraform/identity";
import { IDENTITY_SCHEMA, PROVIDER_SCHEMA, RESOURCE, RESOURCE_SCHEMA } from "../../provider/terraform/schema";
import { type ProviderServer, providerServer, type ServerOptions } from "../../provider/terraform/server";
import {
  type DynamicValue,
  decodeValue,
  encodeValue,
  type ObjectValue,
  sameValue,
  type Value,
} from "../../provider/terraform/values";

export type Answer = Readonly<Record<string, unknown>> & { readonly diagnostics?: readonly Diagnostic[] };

/** Asks a provider in this process, without a wire. */
export function ask(server: ProviderServer, rpc: string, request: object): Promise<Answer> {
  const handler = server.service[rpc] as unknown as (call: { request: object }, answer: sendUnaryData<Answer>) => void;
  return new Promise((resolve, reject) =>
    handler({ request }, (error, answer) => (error ? reject(error) : resolve(answer as Answer))),
  );
}

export interface Planned {
  readonly planned: ObjectValue;
  readonly replace: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
  /** What Terraform carries from the plan to a destroy, and within one process to the apply. */
  readonly private: Uint8Array;
  readonly identity: IdentityData | undefined;
}

/** hashicorp/terraform, internal/terraform/node_resource_abstract_instance.go and internal/plans/objchange: what is checked and kept. */
export class MemoryTerraform {
  readonly server: ProviderServer;
  /** null: no such resource. */
  state: ObjectValue | null = null;
  tainted = false;
  /** The private data beside the state. */
  ownData: Uint8Array = Buffer.alloc(0);
  /** The identity beside the state; null: none is recorded. */
  identity: ObjectValue | null = null;

  constructor(options: ServerOptions) {
    this.server = providerServer({ env: { AWS_REGION: "us-east-1" }, log: () => undefined, window: 0, ...options });
  }

  /** Reads what is there. */
  async refresh(): Promise<readonly Diagnostic[]> {
    if (!this.state) return [];
    const upgraded = await this.ask("UpgradeResourceState", {
      version: 0,
      raw_state: { json: Buffer.from(JSON.stringify(this.state)) },
    });
    const read = await this.ask("ReadResource", {
      current_state: upgraded.upgraded_state,
      private: this.ownData,
      current_identity: this.recordedIdentity(),
    });
    if (errors(read).length > 0) return read.diagnostics ?? [];
    this.record(read.new_identity, read.new_state);
    this.state = decodeValue(read.new_state as DynamicValue);
    this.ownData = (read.private as Uint8Array) ?? Buffer.alloc(0);
    return read.diagnostics ?? [];
  }

  /** Plans a configuration: for a replacement the plan of the new resource, with what makes it one. */
  async plan(config: Record<string, Value>): Promise<Planned> {
    const prior = this.tainted ? null : this.state;
    const first = await this.planned(config, prior);
    if (!prior || first.replace.length === 0) return first;
    return { ...(await this.planned(config, null, first.private)), replace: first.replace };
  }

  /**
   * Makes a configuration so: refresh, plan, and apply, planning anew as Terraform does; gives back all diagnostics.
   *
   * @param meanwhile what happens while the plan is looked at
   */
  async apply(config: Record<string, Value>, meanwhile: () => void = () => undefined): Promise<readonly Diagnostic[]> {
    await this.begin();
    const refreshed = await this.refresh();
    const plan = await this.plan(config);
    const told = [...refreshed, ...plan.diagnostics];
    if (told.some(({ severity }) => severity === "ERROR")) return told;
    meanwhile();
    // The apply is another process.
    await this.begin();
    if (this.state && (plan.replace.length > 0 || this.tainted)) {
      const destroyed = await this.destroyed(plan.private);
      if (destroyed.some(({ severity }) => severity === "ERROR")) return destroyed;
    }
    const prior = this.state;
    if (prior && sameObject(prior, plan.planned)) return told;
    const again = await this.planned(config, prior);
    if (errors(again).length > 0) return again.diagnostics;
    assertCompatible(plan.planned, again.planned, "the final plan");
    const applied = await this.ask("ApplyResourceChange", {
      prior_state: encodeValue(prior, RESOURCE_SCHEMA),
      planned_state: encodeValue(again.planned, RESOURCE_SCHEMA),
      config: encodeValue(full(config), RESOURCE_SCHEMA),
      planned_private: again.private,
      planned_identity: again.identity,
    });
    if (plan.replace.length > 0) this.identity = null;
    this.record(applied.new_identity, applied.new_state);
    this.state = decodeValue(applied.new_state as DynamicValue);
    this.ownData = (applied.private as Uint8Array) ?? Buffer.alloc(0);
    const failed = errors(applied).length > 0;
    this.tainted = failed && !prior && this.state !== null;
    if (!failed && !applied.legacy_type_system) assertCompatible(again.planned, this.state ?? {}, "what was applied");
    return [...told, ...(applied.diagnostics ?? [])];
  }

  async destroy(): Promise<readonly Diagnostic[]> {
    await this.begin();
    return this.destroyed();
  }

  /** Every run configures the provider first. */
  private async begin(): Promise<void> {
    await this.ask("ConfigureProvider", { config: encodeValue({}, PROVIDER_SCHEMA) });
  }

  /**
   * A destroy as a part of a run.
   *
   * @param planned what the plan of a replacement made of the private data
   */
  async destroyed(planned?: Uint8Array): Promise<readonly Diagnostic[]> {
    if (!this.state) return [];
    const nothing = { msgpack: Buffer.from([0xc0]) };
    const plan = await this.ask("PlanResourceChange", {
      prior_state: encodeValue(this.state, RESOURCE_SCHEMA),
      proposed_new_state: nothing,
      config: nothing,
      prior_private: this.ownData,
      prior_identity: this.recordedIdentity(),
    });
    this.assertSame(plan.planned_identity as IdentityData | undefined, "a planned destroy");
    assert.equal(decodeValue(plan.planned_state as DynamicValue), null);
    const applied = await this.ask("ApplyResourceChange", {
      prior_state: encodeValue(this.state, RESOURCE_SCHEMA),
      planned_state: nothing,
      config: nothing,
      planned_private: planned ?? plan.planned_private,
      planned_identity: plan.planned_identity,
    });
    this.record(applied.new_identity, applied.new_state);
    this.state = decodeValue(applied.new_state as DynamicValue);
    this.ownData = (applied.private as Uint8Array) ?? Buffer.alloc(0);
    if (this.state === null) this.tainted = false;
    return [...(plan.diagnostics ?? []), ...(applied.diagnostics ?? [])];
  }

  /** One plan of the provider's; Terraform asks for a second one of what is to be replaced. */
  async planned(
    config: Record<string, Value>,
    prior: ObjectValue | null,
    priorPrivate = prior ? this.ownData : Buffer.alloc(0),
  ): Promise<Planned> {
    const given = full(config);
    const validated = await this.ask("ValidateResourceConfig", { config: encodeValue(given, RESOURCE_SCHEMA) });
    if (errors(validated).length > 0)
      return {
        planned: given,
        replace: [],
        diagnostics: validated.diagnostics ?? [],
        private: priorPrivate,
        identity: undefined,
      };
    const answer = await this.ask("PlanResourceChange", {
      prior_state: encodeValue(prior, RESOURCE_SCHEMA),
      proposed_new_state: encodeValue(proposed(given, prior), RESOURCE_SCHEMA),
      config: encodeValue(given, RESOURCE_SCHEMA),
      prior_private: priorPrivate,
      ...(prior ? { prior_identity: this.recordedIdentity() } : {}),
    });
    const planned = decodeValue(answer.planned_state as DynamicValue) ?? assert.fail("nothing is planned");
    if (errors(answer).length === 0) assertPlanValid(given, planned);
    const replace = (answer.requires_replace as { steps: { attribute_name: string }[] }[]).map(
      ({ steps }) => steps[0]?.attribute_name ?? "",
    );
    const planned_private = (answer.planned_private as Uint8Array | undefined) ?? Buffer.alloc(0);
    const identity = answer.planned_identity as IdentityData | undefined;
    if (prior && replace.length === 0 && errors(answer).length === 0) this.assertSame(identity, "a plan");
    if (prior && replace.length > 0 && this.identity)
      assert.notDeepEqual(decodeValue(identity?.identity_data), this.identity, "the identity of what replaces a set");
    return { planned, replace, diagnostics: answer.diagnostics ?? [], private: planned_private, identity };
  }

  private recordedIdentity(): IdentityData | undefined {
    return this.identity ? { identity_data: encodeValue(this.identity, IDENTITY_SCHEMA) } : undefined;
  }

  /** Terraform records what an answer has, and nothing where it has none: a set that is there may not lose its identity. */
  private record(told: unknown, state: unknown): void {
    if (decodeValue(state as DynamicValue) === null) {
      this.identity = null;
      return;
    }
    this.assertSame(told as IdentityData | undefined, "an answer");
    this.identity = decodeValue((told as IdentityData | undefined)?.identity_data);
  }

  /** hashicorp/terraform-plugin-framework, internal/fwserver: an identity that was recorded does not change, and none is unknown in part. */
  private assertSame(told: IdentityData | undefined, where: string): void {
    const identity = decodeValue(told?.identity_data);
    if (identity)
      for (const name of Object.keys(IDENTITY_SCHEMA.attributes))
        assert.equal(typeof identity[name], "string", `${name} of the identity of ${where}`);
    if (this.identity) assert.deepEqual(identity, this.identity, `the identity of ${where}`);
  }

  private ask(rpc: string, request: object): Promise<Answer> {
    return ask(this.server, rpc, { type_name: RESOURCE, ...request });
  }
}

/** A configuration with a null for what it leaves out. */
export function full(config: Readonly<Record<string, Value>>): ObjectValue {
  return decodeValue(encodeValue(config, RESOURCE_SCHEMA)) ?? {};
}

/** What is computed and left out is, in a proposal, what it was. */
function proposed(config: ObjectValue, prior: ObjectValue | null): ObjectValue {
  const isComputed = (name: string) => /computed/i.test(RESOURCE_SCHEMA.attributes[name]?.role ?? "");
  return Object.fromEntries(
    Object.entries(config).map(([name, value]) => {
      if (value !== null || !isComputed(name)) return [name, value];
      return [name, prior ? (prior[name] ?? null) : UNKNOWN];
    }),
  );
}

/** A plan keeps what is configured, and gives a value to nothing that is not computed. */
function assertPlanValid(config: ObjectValue, planned: ObjectValue): void {
  for (const [name, { role }] of Object.entries(RESOURCE_SCHEMA.attributes)) {
    const wanted: Value = config[name] ?? null;
    const got: Value = planned[name] ?? null;
    if (wanted !== null) assert.ok(sameValue(wanted, got), `planned ${name} is not as configured`);
    else if (role === "required" || role === "optional") assert.equal(got, null, `planned ${name} is not configured`);
  }
}

/** What was known before is the same after; a map that was known keeps its keys. */
function assertCompatible(before: ObjectValue, after: ObjectValue, what: string): void {
  for (const name of Object.keys(RESOURCE_SCHEMA.attributes)) {
    const was: Value = before[name] ?? null;
    const is: Value = after[name] ?? null;
    if (was !== UNKNOWN)
      assert.ok(sameValue(was, is), `${name} of ${what}: ${JSON.stringify(is)}, planned ${JSON.stringify(was)}`);
  }
}

function sameObject(a: ObjectValue, b: ObjectValue): boolean {
  return Object.keys(RESOURCE_SCHEMA.attributes).every((name) => sameValue(a[name] ?? null, b[name] ?? null));
}

export function errors({
  diagnostics = [],
}: {
  readonly diagnostics?: readonly Diagnostic[] | undefined;
}): readonly Diagnostic[] {
  return diagnostics.filter(({ severity }) => severity === "ERROR");
}
