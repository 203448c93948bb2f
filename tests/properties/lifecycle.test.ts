/** Properties of a set's lifecycle: whatever the set and others do, it converges, and revokes nothing that it must not revoke. */

import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import {
  type DeclaredSet,
  deserializePermissions,
  type GranteeKey,
  granteeProblems,
  type Mode,
  type OnDelete,
  type PermissionRecord,
} from "../../provider/core";
import { DynamicProvider } from "../../provider/pulumi/dynamicProvider";
import { CheckFailed, MemoryEngine, type Props, type State } from "../helpers/memoryEngine";
import { MemoryGateway, OWNER } from "../helpers/memoryGateway";
import { runs } from "./runs";

const ORGANIZATION = "arn:aws:organizations::111122223333:organization/o-abcde12345";
const UNIT = "arn:aws:organizations::111122223333:ou/o-abcde12345/ou-ab12-cdefgh34";
const ACCOUNTS = ["111122223333", "444455556666", "012345678901", OWNER];
const DRIFTING: readonly GranteeKey[] = [
  ...ACCOUNTS.map((id) => `account/${id}`),
  "account/999900001111",
  ORGANIZATION,
  UNIT,
  "public",
  "user/aws-marketplace",
];
const WAIT_OPTIONS = { timeout: 2, minDelay: 0.001, maxDelay: 0.002, absencePause: 0 };

/** A declaration. The image and the snapshots are indexes into the world's lists. */
interface Declaration {
  readonly image: 0 | 1;
  readonly accountIds?: (string | number)[];
  readonly organizationArns?: string[];
  readonly organizationalUnitArns?: string[];
  readonly public?: boolean;
  readonly volumes?: boolean | { readonly accountIds?: string[]; readonly snapshots?: number[]; readonly public?: boolean };
  readonly mode?: Mode;
  readonly onDelete?: OnDelete;
}

interface FaultPlan {
  readonly nth: number;
  readonly applied: boolean;
  readonly only: "any" | "changes" | "reads";
}

type Step =
  | { readonly do: "up"; readonly declaration: Declaration; readonly faults: readonly FaultPlan[] }
  | { readonly do: "preview"; readonly declaration: Declaration }
  | { readonly do: "refresh" | "destroy"; readonly faults: readonly FaultPlan[] }
  | { readonly do: "drift"; readonly image: 0 | 1; readonly place: number; readonly grantee: GranteeKey; readonly add: boolean }
  | { readonly do: "deregister" };

const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const accounts = fc.subarray<string | number>([...ACCOUNTS, 111122223333, "444455556666"]);
const declarationOn = (image: fc.Arbitrary<0 | 1>): fc.Arbitrary<Declaration> =>
  fc
    .record({
      image,
      accountIds: optional(accounts),
      organizationArns: optional(fc.subarray([ORGANIZATION, ORGANIZATION.toUpperCase()])),
      organizationalUnitArns: optional(fc.subarray([UNIT])),
      public: optional(fc.boolean()),
      volumes: optional(
        fc.oneof(
          fc.boolean(),
          fc.record({
            accountIds: optional(fc.subarray(ACCOUNTS)),
            snapshots: optional(fc.subarray([0, 1])),
            public: optional(fc.boolean()),
          }),
        ),
      ),
      mode: optional(fc.constantFrom<Mode>("authoritative", "additive")),
      onDelete: optional(fc.constantFrom<OnDelete>("revoke", "reset", "retain")),
    })
    .map((all) => JSON.parse(JSON.stringify(all)));
const declaration = declarationOn(fc.constantFrom(0, 0, 0, 1));
const faults = fc.oneof(
  { weight: 2, arbitrary: fc.constant([]) },
  {
    weight: 1,
    arbitrary: fc.array(
      fc.record({
        nth: fc.integer({ min: 1, max: 6 }),
        applied: fc.boolean(),
        only: fc.constantFrom<FaultPlan["only"]>("any", "changes", "changes", "reads"),
      }),
      { minLength: 1, maxLength: 3 },
    ),
  },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 16, arbitrary: fc.record({ do: fc.constant("up" as const), declaration, faults }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("preview" as const), declaration }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("refresh" as const), faults }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("destroy" as const), faults }) },
  {
    weight: 16,
    arbitrary: fc.record({
      do: fc.constant("drift" as const),
      image: fc.constantFrom<0 | 1>(0, 0, 1),
      // Mostly grantees that the set also declares, so that both interact.
      place: fc.constantFrom(0, 0, 1, 2),
      grantee: fc.constantFrom(...DRIFTING, "account/111122223333", "account/111122223333", "account/444455556666"),
      add: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "deregister" as const }) },
);

describe("the lifecycle of a set", () => {
  it("converges, and revokes only what it may revoke", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(2, 2, 1, 0),
        fc.array(step, { maxLength: 14 }),
        declarationOn(fc.constant(0)),
        async (snapshots, steps, last) => {
          const world = new World(snapshots);
          for (const one of steps) await world.take(one);
          await world.settle(last);
        },
      ),
      runs(800),
    );
  });

  it("is right with stale reads", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(declarationOn(fc.constant(0)), fc.integer({ min: 0, max: 3 })), { minLength: 1, maxLength: 4 }),
        async (ups) => {
          const world = new World();
          for (const [declared, staleReads] of ups) {
            world.ec2.staleReads = staleReads;
            await world.take({ do: "up", declaration: declared, faults: [] });
          }
          await world.settle(ups.at(-1)?.[0] as Declaration);
        },
      ),
      runs(50),
    );
  });
});

/** Pairs of resource and grantee. */
class Pairs {
  private readonly all = new Map<string, Set<GranteeKey>>();
  of(resource: string): Set<GranteeKey> {
    const found = this.all.get(resource) ?? new Set();
    this.all.set(resource, found);
    return found;
  }
}

/** One set, its engine, EC2, and a record of who granted what, which is used to check the properties. */
class World {
  readonly ec2 = new MemoryGateway();
  private readonly images;
  private readonly engine = new MemoryEngine(new DynamicProvider({ gateway: () => this.ec2, waitOptions: WAIT_OPTIONS }));
  /** What the set added (in authoritative mode also: took over) and nobody removed. The set has to revoke it. */
  private readonly must = new Pairs();
  /**
   * What an additive set may revoke: the same, and also what it added or tried to add and has not seen to be gone. A call without a
   * response may still be carried out, so reads of a failed operation do not remove a grant from here.
   */
  private readonly may = new Pairs();
  /** What the current operation may change. Without an operation, nothing may change. */
  private allowed: {
    add: (resource: string, key: GranteeKey) => boolean;
    remove: (resource: string, key: GranteeKey) => boolean;
  } = {
    add: () => false,
    remove: () => false,
  };
  private lostReads = 0;
  private readonly lostChanges = new Set<string>();
  private broken: string[] = [];

  constructor(snapshots = 2) {
    this.images = [this.ec2.addImage(snapshots), this.ec2.addImage(1)] as const;
    this.ec2.onChange = (resource, added, removed) => {
      for (const key of added) {
        if (!this.allowed.add(resource, key)) this.broken.push(`gave ${key} on ${resource}`);
        this.must.of(resource).add(key);
        this.may.of(resource).add(key);
      }
      for (const key of removed) {
        if (!this.allowed.remove(resource, key)) this.broken.push(`took ${key} on ${resource}`);
        // The grant may belong to the set until a state says that it is gone. A failed delete cannot write a state.
        this.must.of(resource).delete(key);
      }
    };
  }

  async take(one: Step): Promise<void> {
    if (one.do === "drift") return this.drift(one);
    if (one.do === "deregister") {
      this.ec2.images.delete(this.images[1].imageId);
      return;
    }
    if (one.do === "preview") return this.preview(one.declaration);
    this.plan(one.faults);
    try {
      if (one.do === "up") await this.up(one.declaration);
      else if (one.do === "refresh") await this.refresh();
      else await this.destroy();
    } finally {
      this.ec2.clearFaults();
      this.lostReads = 0;
      this.lostChanges.clear();
    }
  }

  /** Without faults: EC2 has what is declared, nothing is left to do, and a destroy leaves the right grants. */
  async settle(last: Declaration): Promise<void> {
    this.ec2.staleReads = 0;
    await this.take({ do: "refresh", faults: [] });
    await this.take({ do: "up", declaration: last, faults: [] });
    const state = this.engine.state as State;
    this.holds(state);
    assert.equal(state.unfinished, false);
    this.showsTheTruth(state);

    this.ec2.forgetCalls();
    assert.equal((await this.engine.up(this.args(last))).operation, "same");
    assert.deepEqual(this.ec2.calls, []);
    await this.take({ do: "refresh", faults: [] });
    assert.deepEqual(without(this.engine.state?.outputs), without(state.outputs), "a refresh without drift changes nothing");
    assert.equal((await this.engine.preview(this.args(last))).operation, "same", "a refresh without drift gives no diff");

    await this.take({ do: "destroy", faults: [] });
    assert.equal(this.engine.state, undefined);
  }

  private async preview(declaration: Declaration): Promise<void> {
    if (!this.isThere(declaration)) return;
    this.ec2.forgetCalls();
    await this.engine.preview(this.args(declaration));
    assert.deepEqual(this.ec2.calls, [], "a preview makes no call to EC2");
  }

  private async up(declaration: Declaration): Promise<void> {
    const args = this.args(declaration);
    const target = this.wanted(args);
    const managed = new Set(this.managed(args));
    const pending = [...this.engine.pendingDeletes, ...(this.engine.state ? [this.engine.state] : [])].filter(
      ({ id }) => id !== args.imageId,
    );
    const resources = this.resources(String(args.imageId));
    const authoritative = (args.mode ?? "authoritative") === "authoritative";
    const stored = this.engine.pendingDeletes.find(({ id }) => id === args.imageId);
    this.allowed = {
      add: (resource, key) => target.get(resource)?.has(key) ?? false,
      remove: (resource, key) => {
        if (key.startsWith("user/")) return false;
        const deleting = pending.find(({ id }) => this.resources(id).includes(resource)) ?? stored;
        if (deleting && this.deletable(deleting)(resource, key)) return true;
        if (deleting && deleting !== stored) return false;
        if (key === `account/${OWNER}` || target.get(resource)?.has(key)) return false;
        if (authoritative && (resource === args.imageId || managed.has(resource))) return true;
        return this.may.of(resource).has(key);
      },
    };
    const before = this.engine.state;
    const wereThere = new Map(resources.map((id) => [id, new Set(this.ec2.grantees(id))]));
    this.ec2.forgetCalls();
    const outcome = await this.guard(() => this.engine.up(args));
    const called = this.ec2.calls.some(({ resource }) => resource === args.imageId);
    const recorded = this.engine.state !== before;
    if (!outcome && called && this.engine.state) this.holds(this.engine.state);
    if (!recorded || !this.isThere(declaration)) return;
    // If the set revoked a grant last and wants it again, it owns the new grant, whoever made it.
    const revoked = deserializePermissions((before?.outputs.__record as PermissionRecord | undefined)?.revoked ?? {}, []);
    const revokedOn = (resource: string) =>
      resource === args.imageId ? revoked.launch : (revoked.createVolume.get(resource) ?? new Set());
    for (const [resource, keys] of target) {
      const live = this.ec2.grantees(resource);
      if (before?.id === args.imageId) for (const key of keys) if (revokedOn(resource).has(key)) this.may.of(resource).add(key);
      // In authoritative mode, the set owns every declared grant, whoever made it.
      if (authoritative) for (const key of keys) if (live.has(key)) this.claim(resource, key);
      // A grant counts as the set's if the call had no response, or if it could not be read again.
      if (outcome && (this.lostReads > 0 || this.lostChanges.has(resource)))
        for (const key of keys) if (!wereThere.get(resource)?.has(key)) this.may.of(resource).add(key);
    }
    if (!outcome) this.observed(String(args.imageId));
  }

  private async refresh(): Promise<void> {
    this.allowed = { add: () => false, remove: () => false };
    const old = this.engine.state;
    this.ec2.forgetCalls();
    const outcome = await this.guard(() => this.engine.refresh());
    assert.deepEqual(this.ec2.modifications(), []);
    if (outcome || !old) return;
    if (this.ec2.images.has(old.id)) this.observed(old.id);
    else assert.equal(this.engine.state, undefined, "a set of a deregistered image leaves the state");
  }

  private async destroy(): Promise<void> {
    const going = [...this.engine.pendingDeletes, ...(this.engine.state ? [this.engine.state] : [])];
    this.allowed = {
      add: () => false,
      remove: (resource, key) =>
        going.some((state) => this.resources(state.id).includes(resource) && this.deletable(state)(resource, key)),
    };
    const retained = going.every(({ outputs }) => outputs.onDelete === "retain");
    this.ec2.forgetCalls();
    const outcome = await this.guard(() => this.engine.destroy());
    if (retained) assert.deepEqual(this.ec2.modifications(), [], "retain changes nothing");
    if (outcome) return;
    for (const state of going) this.gone(state);
  }

  /** After a delete: `revoke` left no grant that the set made, `reset` left no grants. */
  private gone({ id, outputs }: State): void {
    const managed = [id, ...this.managed(outputs)];
    for (const resource of this.resources(id)) {
      const live = this.ec2.grantees(resource);
      if ((outputs.onDelete ?? "revoke") === "revoke")
        for (const key of this.must.of(resource))
          assert.ok(!live.has(key), `${key} was granted on ${resource} and still has access`);
      if (outputs.onDelete === "reset" && managed.includes(resource))
        assert.deepEqual(
          [...live].filter((key) => !key.startsWith("user/")),
          [],
        );
      this.must.of(resource).clear();
      this.may.of(resource).clear();
    }
  }

  private drift({ image, place, grantee, add }: Extract<Step, { do: "drift" }>): void {
    const { imageId, snapshotIds } = this.images[image];
    const resource = [imageId, ...snapshotIds][place];
    if (resource === undefined || (resource === imageId && !this.ec2.images.has(imageId))) return;
    if (resource !== imageId && grantee.startsWith("arn:")) return;
    const grantees = this.ec2.grantees(resource);
    if (add) grantees.add(grantee);
    else if (grantees.delete(grantee)) this.must.of(resource).delete(grantee);
  }

  /** Runs an operation of the engine. Returns its error, and fails if the operation broke a property. */
  private async guard(operation: () => Promise<unknown>): Promise<Error | undefined> {
    const outcome = await operation().then(
      () => undefined,
      (error: Error) => error,
    );
    assert.deepEqual(this.broken, []);
    if (outcome instanceof CheckFailed || outcome instanceof assert.AssertionError) throw outcome;
    if (outcome && !/endpoint-unreachable|image-not-found/.test(outcome.message)) throw outcome;
    if (this.engine.pendingDeletes.length === 0) this.forgetDeleted();
    return outcome;
  }

  /** Forgets grants on an image that is in no state: those of a replaced set are revoked or retained. */
  private forgetDeleted(): void {
    for (const { imageId, snapshotIds } of this.images) {
      if (this.engine.state?.id === imageId) continue;
      for (const resource of [imageId, ...snapshotIds]) {
        this.must.of(resource).clear();
        this.may.of(resource).clear();
      }
    }
  }

  /** Checks that EC2 has what is declared and, in authoritative mode, nothing else that a set can change. */
  private holds({ outputs }: State): void {
    const managed = [String(outputs.imageId), ...this.managed(outputs)];
    const target = this.wanted(outputs);
    for (const resource of managed) {
      const keys = target.get(resource) ?? new Set<GranteeKey>();
      const live = [...this.ec2.grantees(resource)].filter((key) => !key.startsWith("user/") && key !== `account/${OWNER}`);
      const expected = [...keys].sort();
      if ((outputs.mode ?? "authoritative") === "authoritative") assert.deepEqual(live.sort(), expected);
      else for (const key of expected) assert.ok(live.includes(key), `${key} is wanted on ${resource} but missing`);
    }
  }

  /** Checks that the outputs show what EC2 has. */
  private showsTheTruth({ id, outputs }: State): void {
    const grants = outputs.grants as Record<string, string>;
    const live = [...this.ec2.grantees(id)].filter((key) => key !== `account/${OWNER}`);
    const shown = Object.keys(grants).filter((key) => /^launch\b/.test(grants[key] ?? ""));
    for (const key of shown) assert.ok(live.includes(key), `${key} is shown but missing`);
    if ((outputs.mode ?? "authoritative") === "authoritative") assert.deepEqual(shown.sort(), live.sort());
  }

  private claim(resource: string, key: GranteeKey): void {
    this.must.of(resource).add(key);
    this.may.of(resource).add(key);
  }

  /** The set read EC2: it does not own grants that are gone, even if somebody makes them again. */
  private observed(imageId: string): void {
    for (const resource of this.resources(imageId)) {
      const live = this.ec2.grantees(resource);
      for (const key of [...this.may.of(resource)]) if (!live.has(key)) this.may.of(resource).delete(key);
    }
  }

  private deletable({ id, outputs }: State): (resource: string, key: GranteeKey) => boolean {
    const managed = [id, ...this.managed(outputs)];
    return (resource, key) => {
      if (key.startsWith("user/")) return false;
      if (outputs.onDelete === "retain") return false;
      if (outputs.onDelete === "reset") return managed.includes(resource);
      return this.may.of(resource).has(key);
    };
  }

  private plan(faults: readonly FaultPlan[]): void {
    for (const { nth, applied, only } of faults) {
      const matches = (action: string) =>
        only === "any" ||
        (only === "changes" ? /^(Modify|Reset)/.test(action) : action.endsWith("Attribute") && /^Describe/.test(action));
      this.ec2.fail({
        nth,
        applied,
        matching: ({ action }) => matches(action),
        onFire: ({ action, resource }) => {
          if (action.startsWith("Describe")) this.lostReads += 1;
          else this.lostChanges.add(resource);
        },
      });
    }
  }

  private isThere({ image }: Declaration): boolean {
    return this.ec2.images.has(this.images[image].imageId);
  }

  /** An image, while it exists, and its snapshots. */
  private resources(imageId: string): string[] {
    const image = this.images.find((one) => one.imageId === imageId);
    return [...(this.ec2.images.has(imageId) ? [imageId] : []), ...(image?.snapshotIds ?? [])];
  }

  private args({ image, volumes, ...rest }: Declaration): Props {
    const { imageId, snapshotIds } = this.images[image];
    const named = typeof volumes === "object" ? volumes : undefined;
    const { snapshots, ...others } = named ?? {};
    const chosen = snapshots && { snapshotIds: snapshots.flatMap((place) => snapshotIds[place] ?? []) };
    const args = {
      imageId,
      ...rest,
      acknowledgePublic: true,
      ...(volumes === undefined ? {} : { createVolumePermissions: named ? { ...others, ...chosen } : volumes }),
    };
    // A set without grantees must say so.
    return granteeProblems(args as DeclaredSet).length > 0 ? { ...args, accountIds: [] } : args;
  }

  /** The grants that arguments ask for, computed independently: resource → grantees, without the owner. */
  private wanted(args: Props): Map<string, Set<GranteeKey>> {
    const volumes = args.createVolumePermissions as undefined | boolean | { accountIds?: string[]; public?: boolean };
    const own = (args.accountIds ?? []) as (string | number)[];
    const keys = (ids: readonly (string | number)[], everybody: unknown) =>
      new Set([...ids.filter((id) => String(id) !== OWNER).map((id) => `account/${id}`), ...(everybody ? ["public"] : [])]);
    const launch = keys(own, args.public);
    for (const name of ["organizationArns", "organizationalUnitArns"])
      for (const arn of (args[name] ?? []) as string[]) launch.add(arn.toLowerCase());
    const named = typeof volumes === "object" ? volumes : undefined;
    const creators = named ? keys(named.accountIds ?? own, named.public) : keys(own, args.public);
    return new Map([
      [String(args.imageId), launch] as const,
      ...this.managed(args).map((snapshotId) => [snapshotId, creators] as const),
    ]);
  }

  private managed(args: Props): string[] {
    const volumes = args.createVolumePermissions as undefined | boolean | { snapshotIds?: string[] };
    const all = this.images.find(({ imageId }) => imageId === args.imageId)?.snapshotIds ?? [];
    if (!volumes) return [];
    return typeof volumes === "object" ? (volumes.snapshotIds ?? all) : all;
  }
}

function without(outputs: Props | undefined): Props {
  const { __provider, ...rest } = outputs ?? {};
  return rest;
}
