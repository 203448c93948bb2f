/** A model of Terraform for one resource: its side of the plugin protocol, and the checks that Terraform makes on a provider. */

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

/** Calls a provider in this process, without a connection. */
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
  /** The private data that Terraform passes from the plan to a destroy and, in the same process, to the apply. */
  readonly private: Uint8Array;
  readonly identity: IdentityData | undefined;
}

/** The checks and the kept values are those of hashicorp/terraform, internal/terraform/node_resource_abstract_instance.go and internal/plans/objchange. */
export class MemoryTerraform {
  readonly server: ProviderServer;
  /** The provider block of the next run. */
  block: ObjectValue = {};
  /** null if the resource does not exist. */
  state: ObjectValue | null = null;
  tainted = false;
  /** The private data beside the state. */
  ownData: Uint8Array = Buffer.alloc(0);
  /** The identity beside the state; null if none is recorded. */
  identity: ObjectValue | null = null;

  constructor(options: ServerOptions) {
    this.server = providerServer({ env: { AWS_REGION: "us-east-1" }, log: () => undefined, window: 0, ...options });
  }

  /** Reads the resource. */
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

  /** Plans a configuration. For a replacement, returns the plan of the new resource and the attributes that require the replacement. */
  async plan(config: Record<string, Value>): Promise<Planned> {
    const prior = this.tainted ? null : this.state;
    const first = await this.planned(config, prior);
    if (!prior || first.replace.length === 0) return first;
    return { ...(await this.planned(config, null, first.private)), replace: first.replace };
  }

  /**
   * Applies a configuration: refreshes, plans, and applies with a second plan, as Terraform does. Returns all diagnostics.
   *
   * @param meanwhile called between the plan and the apply
   */
  async apply(config: Record<string, Value>, meanwhile: () => void = () => undefined): Promise<readonly Diagnostic[]> {
    await this.begin();
    const refreshed = await this.refresh();
    const plan = await this.plan(config);
    const told = [...refreshed, ...plan.diagnostics];
    if (told.some(({ severity }) => severity === "ERROR")) return told;
    meanwhile();
    // The apply runs in another process.
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
  async begin(): Promise<void> {
    await this.ask("ConfigureProvider", { config: encodeValue(this.block, PROVIDER_SCHEMA) });
  }

  /**
   * Destroys the resource as a part of a run.
   *
   * @param planned the private data after the plan of a replacement
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
    // After an error without a state, Terraform keeps what it has (node_resource_abstract_instance.go, apply).
    if (errors(applied).length === 0 || decodeValue(applied.new_state as DynamicValue) !== null) {
      this.record(applied.new_identity, applied.new_state);
      this.state = decodeValue(applied.new_state as DynamicValue);
      this.ownData = (applied.private as Uint8Array) ?? Buffer.alloc(0);
    }
    if (this.state === null) this.tainted = false;
    return [...(plan.diagnostics ?? []), ...(applied.diagnostics ?? [])];
  }

  /** Requests one plan from the provider. For a replacement, Terraform requests a second one. */
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

  /** Terraform records the identity of a response, or none if the response has none. A set that exists must not lose its identity. */
  private record(told: unknown, state: unknown): void {
    if (decodeValue(state as DynamicValue) === null) {
      this.identity = null;
      return;
    }
    this.assertSame(told as IdentityData | undefined, "an answer");
    this.identity = decodeValue((told as IdentityData | undefined)?.identity_data);
  }

  /** hashicorp/terraform-plugin-framework, internal/fwserver: a recorded identity does not change, and an identity is not unknown in part. */
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

/** The configuration with null for each attribute that it does not set. */
export function full(config: Readonly<Record<string, Value>>): ObjectValue {
  return decodeValue(encodeValue(config, RESOURCE_SCHEMA)) ?? {};
}

/** The proposed new state: computed attributes that are not configured keep their prior values. */
function proposed(config: ObjectValue, prior: ObjectValue | null): ObjectValue {
  const isComputed = (name: string) => /computed/i.test(RESOURCE_SCHEMA.attributes[name]?.role ?? "");
  return Object.fromEntries(
    Object.entries(config).map(([name, value]) => {
      if (value !== null || !isComputed(name)) return [name, value];
      return [name, prior ? (prior[name] ?? null) : UNKNOWN];
    }),
  );
}

/** Checks that a plan keeps configured values, and sets no other attribute that is not computed. */
function assertPlanValid(config: ObjectValue, planned: ObjectValue): void {
  for (const [name, { role }] of Object.entries(RESOURCE_SCHEMA.attributes)) {
    const wanted: Value = config[name] ?? null;
    const got: Value = planned[name] ?? null;
    if (wanted !== null) assert.ok(sameValue(wanted, got), `planned ${name} is not as configured`);
    else if (role === "required" || role === "optional") assert.equal(got, null, `planned ${name} is not configured`);
  }
}

/** Checks that known values of the plan are unchanged after the apply, and that a known map keeps its keys. */
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
