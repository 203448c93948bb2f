/**
 * One table of cases for the dynamic resource and the plugin on the real Pulumi, and for the real Terraform: all three do the same. The cases
 * also say where they show it differently.
 */

import * as assert from "node:assert/strict";
import type { Grants } from "../../provider/core";
import { batches } from "../../provider/core/model/batches";
import { type Call, type Emulator, type MadeImage, useEmulator } from "../helpers/emulator";
import { type Engine, type Preview, pluginEngine, pulumiEngine, type Sets, terraformEngine } from "../helpers/engines";

const [A, B, C, D] = ["111122223333", "444455556666", "777788889999", "012345678901"] as const;
/** Accounts of somebody else's grants: the first is there before the set is created, the second is added later. */
const [ELSE, LATER] = ["999900001111", "222200002222"] as const;
const OWNER = "123456789012";
const ORGANIZATION = "arn:aws:organizations::111122223333:organization/o-abcde12345";
const UNIT = "arn:aws:organizations::111122223333:ou/o-abcde12345/ou-ab12-cdefgh34";
const MARKETPLACE = "user/aws-marketplace";
const [LAUNCH, VOLUME, BOTH] = ["launch", "createVolume", "launch, createVolume"] as const;
const VOLUMES = { createVolumePermissions: true } as const;
/** The key's policy is read, any number of times. */
const READS_POLICY = { readsPolicy: 1 } as const;

/** Grantee → permissions as text. An account is its id, and a snapshot its index: `createVolume on #0`. */
type Held = Readonly<Record<string, string>>;
type Arguments = Readonly<Record<string, unknown>>;
/** The number of calls that change something: `image` and `snapshot` for modify calls, other calls by their action. See also READS_POLICY. */
type Calls = Readonly<Record<string, number>>;

type Outside = (its: Pick<Run, "image" | "key">, emulator: Emulator) => Promise<unknown>;

/** What is declared, and the expected result. Omitted properties are as in the step before, or empty. */
interface Step {
  /** What somebody else does before the step, with the AWS CLI. */
  readonly outside?: readonly Outside[];
  /** Arguments without imageId, or with the other AMI's. null: the set is removed from the program. */
  readonly set?: Arguments | ((image: MadeImage, other: MadeImage) => Arguments) | null;
  /** All grants in EC2, whoever made them. */
  readonly has?: Held;
  /** The same for the other AMI. */
  readonly otherHas?: Held;
  /** The output `grants`. Default: `has`. */
  readonly shows?: Held;
  /** Grantees that Terraform shows only after the next refresh, because its plan could not promise grants that others may remove. */
  readonly notPromised?: readonly string[];
  /** The grantees in the diff of the grants. */
  readonly gains?: readonly string[];
  readonly loses?: readonly string[];
  /** Additional grantees in Pulumi's diff, which its report corrects: the diff shows what is declared. */
  readonly pulumiGains?: readonly string[];
  /** Losing grantees that Pulumi's diff shows only after a refresh, because it compares declared grants. Its report shows them at once. */
  readonly pulumiHides?: readonly string[];
  readonly calls?: Calls;
}

interface Case {
  readonly name: string;
  /** The properties of the AMI. `key`: its snapshots are encrypted under their own key. */
  readonly image?: { snapshots?: number; shared?: readonly string[]; key?: true; region?: string; marketplace?: true };
  /** The create, a change, and a change with a refresh. */
  readonly steps: readonly [Step, Step?, Step?];
  /** The grants that a destroy leaves, by default none, and its calls. */
  readonly destroyed: { readonly has?: Held; readonly calls: Calls };
}

const launch =
  (change: string): Outside =>
  ({ image: { imageId, region } }, emulator) =>
    emulator.aws(...["ec2", "modify-image-attribute", "--region", region, "--image-id", imageId, "--launch-permission", change]);
const createVolume =
  (change: string): Outside =>
  ({ image: { snapshotIds, region } }, emulator) =>
    emulator.aws(
      ...["ec2", "modify-snapshot-attribute", "--region", region, "--snapshot-id", snapshotIds[0] ?? ""],
      ...["--create-volume-permission", change],
    );
const deregister: Outside = ({ image: { imageId } }, emulator) => emulator.aws("ec2", "deregister-image", "--image-id", imageId);
const revokeKeyGrant: Outside = async ({ key = "" }, emulator) => {
  const { Grants } = await emulator.aws("kms", "list-grants", "--key-id", key);
  const [{ GrantId }] = Grants as unknown as [{ GrantId: string }];
  await emulator.aws("kms", "revoke-grant", "--key-id", key, "--grant-id", GrantId);
};
const add = (id: string) => `Add=[{UserId=${id}}]`;
const remove = (id: string) => `Remove=[{UserId=${id}}]`;

const CASES: readonly Case[] = [
  {
    name: "accounts only",
    steps: [
      { set: { accountIds: [A, B] }, has: { [A]: LAUNCH, [B]: LAUNCH }, gains: [A, B], calls: { image: 1 } },
      { set: { accountIds: [A, B, C] }, has: { [A]: LAUNCH, [B]: LAUNCH, [C]: LAUNCH }, gains: [C], calls: { image: 1 } },
    ],
    destroyed: { calls: { image: 1 } },
  },
  {
    name: "adding and removing in one call, as many as maxRevocations allows",
    steps: [
      { set: { accountIds: [A, B] }, has: { [A]: LAUNCH, [B]: LAUNCH }, gains: [A, B], calls: { image: 1 } },
      {
        set: { accountIds: [C, D], maxRevocations: 2 },
        has: { [C]: LAUNCH, [D]: LAUNCH },
        gains: [C, D],
        loses: [A, B],
        calls: { image: 1 },
      },
    ],
    destroyed: { calls: { image: 1 } },
  },
  {
    name: "create-volume permission on every snapshot",
    image: { snapshots: 2 },
    steps: [
      { set: { accountIds: [A], ...VOLUMES }, has: { [A]: BOTH }, gains: [A], calls: { image: 1, snapshots: 2 } },
      { set: { accountIds: [B], ...VOLUMES }, has: { [B]: BOTH }, gains: [B], loses: [A], calls: { image: 1, snapshots: 4 } },
    ],
    destroyed: { calls: { image: 1, snapshots: 2 } },
  },
  {
    name: "create-volume permission for other accounts than accountIds",
    steps: [
      {
        set: { accountIds: [A], createVolumePermissions: { accountIds: [B] } },
        has: { [A]: LAUNCH, [B]: VOLUME },
        gains: [A, B],
        calls: { image: 1, snapshots: 1 },
      },
      {
        set: { accountIds: [A], createVolumePermissions: { accountIds: [A] } },
        has: { [A]: BOTH },
        gains: [A],
        loses: [B],
        calls: { snapshots: 2 },
      },
    ],
    destroyed: { calls: { image: 1, snapshots: 1 } },
  },
  {
    name: "create-volume permission on one snapshot, on another one, and removed",
    image: { snapshots: 2 },
    steps: [
      {
        set: ({ snapshotIds }) => ({ accountIds: [A], createVolumePermissions: { snapshotIds: [snapshotIds[0]] } }),
        has: { [A]: `${BOTH} on #0` },
        gains: [A],
        calls: { image: 1, snapshots: 1 },
      },
      {
        set: ({ snapshotIds }) => ({ accountIds: [A], createVolumePermissions: { snapshotIds: [snapshotIds[1]] } }),
        has: { [A]: `${BOTH} on #1` },
        gains: [A],
        loses: [A],
        calls: { snapshots: 2 },
      },
      { set: { accountIds: [A] }, has: { [A]: LAUNCH }, loses: [A], calls: { snapshots: 1 } },
    ],
    destroyed: { calls: { image: 1 } },
  },
  {
    name: "create-volume permission for everybody",
    steps: [
      {
        set: { accountIds: [A], createVolumePermissions: { public: true }, acknowledgePublic: true },
        has: { [A]: BOTH, public: VOLUME },
        gains: [A, "public"],
        calls: { image: 1, snapshots: 1 },
      },
      {
        set: { accountIds: [A], createVolumePermissions: { accountIds: [], public: true }, acknowledgePublic: true },
        has: { [A]: LAUNCH, public: VOLUME },
        loses: [A],
        calls: { snapshots: 1 },
      },
    ],
    destroyed: { calls: { image: 1, snapshots: 1 } },
  },
  {
    name: "public with acknowledgePublic, and removed",
    steps: [
      {
        set: { accountIds: [A], public: true, acknowledgePublic: true, ...VOLUMES },
        has: { [A]: BOTH, public: BOTH },
        gains: [A, "public"],
        calls: { image: 1, snapshots: 1 },
      },
      { set: { accountIds: [A], ...VOLUMES }, has: { [A]: BOTH }, loses: ["public"], calls: { image: 1, snapshots: 1 } },
    ],
    destroyed: { calls: { image: 1, snapshots: 1 } },
  },
  {
    name: "organizations and units, which cannot have create-volume permission",
    steps: [
      {
        set: { accountIds: [A], organizationArns: [ORGANIZATION], organizationalUnitArns: [UNIT], ...VOLUMES },
        has: { [A]: BOTH, [ORGANIZATION]: LAUNCH, [UNIT]: LAUNCH },
        gains: [A, ORGANIZATION, UNIT],
        calls: { image: 1, snapshots: 1 },
      },
      {
        set: { organizationalUnitArns: [UNIT.toUpperCase()], ...VOLUMES },
        has: { [UNIT]: LAUNCH },
        loses: [A, ORGANIZATION],
        calls: { image: 1, snapshots: 1 },
      },
    ],
    destroyed: { calls: { image: 1 } },
  },
  {
    name: "duplicates, numbers, and the owner among the accounts",
    steps: [
      {
        set: { accountIds: [B, A, A, OWNER], ...VOLUMES },
        has: { [A]: BOTH, [B]: BOTH },
        gains: [A, B],
        pulumiGains: [OWNER],
        calls: { image: 1, snapshots: 1 },
      },
      { set: { accountIds: [OWNER, Number(A), B, B], ...VOLUMES } },
    ],
    destroyed: { calls: { image: 1, snapshots: 1 } },
  },
  {
    name: "nobody",
    image: { shared: [ELSE] },
    steps: [{ set: { accountIds: [], ...VOLUMES }, has: {}, calls: { image: 1, snapshots: 1 } }],
    destroyed: { calls: {} },
  },
  {
    name: "nothing to change: explicit default values",
    steps: [
      { set: { accountIds: [A] }, has: { [A]: LAUNCH }, gains: [A], calls: { image: 1 } },
      {
        set: {
          accountIds: [A],
          organizationArns: [],
          public: false,
          createVolumePermissions: false,
          mode: "authoritative",
          onDelete: "revoke",
          kmsAccess: "check",
          neverRevoke: [],
        },
      },
    ],
    destroyed: { calls: { image: 1 } },
  },
  {
    name: "already shared as declared: no call",
    image: { shared: [ELSE] },
    steps: [{ set: { accountIds: [ELSE], ...VOLUMES }, has: { [ELSE]: BOTH }, gains: [ELSE] }],
    destroyed: { calls: { image: 1, snapshots: 1 } },
  },
  {
    name: "an AMI without snapshots",
    image: { snapshots: 0 },
    steps: [
      { set: { accountIds: [A], ...VOLUMES }, has: { [A]: LAUNCH }, gains: [A], calls: { image: 1 } },
      { set: { accountIds: [B], ...VOLUMES }, has: { [B]: LAUNCH }, gains: [B], loses: [A], calls: { image: 1 } },
    ],
    destroyed: { calls: { image: 1 } },
  },
  {
    name: "an AMI in another region",
    image: { region: "eu-west-1" },
    steps: [{ set: { accountIds: [A], region: "eu-west-1" }, has: { [A]: LAUNCH }, gains: [A], calls: { image: 1 } }],
    destroyed: { calls: { image: 1 } },
  },
  {
    name: "another AMI: the new AMI is shared, and the first is unshared",
    steps: [
      { set: { accountIds: [A], ...VOLUMES }, has: { [A]: BOTH }, gains: [A], calls: { image: 1, snapshots: 1 } },
      {
        set: (_, { imageId }) => ({ imageId, accountIds: [A, B] }),
        has: {},
        otherHas: { [A]: LAUNCH, [B]: LAUNCH },
        shows: { [A]: LAUNCH, [B]: LAUNCH },
        gains: [B],
        loses: [A],
        calls: { image: 2, snapshots: 1 },
      },
    ],
    destroyed: { calls: { image: 1 } },
  },
  {
    name: "an AMI is deregistered outside and its set is removed: its snapshots keep their grants",
    steps: [
      { set: { accountIds: [A], ...VOLUMES }, has: { [A]: BOTH }, gains: [A], calls: { image: 1, snapshots: 1 } },
      {},
      {
        outside: [deregister],
        set: null,
        has: { [A]: VOLUME },
      },
    ],
    destroyed: { has: { [A]: VOLUME }, calls: {} },
  },
  {
    name: "a set that is removed and declared again",
    steps: [
      { set: { accountIds: [A] }, has: { [A]: LAUNCH }, gains: [A], calls: { image: 1 } },
      { set: null, has: {}, loses: [A], calls: { image: 1 } },
      { set: { accountIds: [A, B] }, has: { [A]: LAUNCH, [B]: LAUNCH }, gains: [A, B], calls: { image: 1 } },
    ],
    destroyed: { calls: { image: 1 } },
  },
  {
    name: "authoritative: revokes grants of others",
    image: { shared: [ELSE] },
    steps: [{ set: { accountIds: [A], ...VOLUMES }, has: { [A]: BOTH }, gains: [A], calls: { image: 1, snapshots: 2 } }],
    destroyed: { calls: { image: 1, snapshots: 1 } },
  },
  {
    name: "authoritative: keeps create-volume permissions if it does not manage them",
    image: { shared: [ELSE] },
    steps: [
      {
        set: { accountIds: [A] },
        has: { [A]: LAUNCH, [ELSE]: VOLUME },
        shows: { [A]: LAUNCH },
        gains: [A],
        calls: { image: 1 },
      },
      {},
      {
        outside: [createVolume(add(LATER))],
        has: { [A]: LAUNCH, [ELSE]: VOLUME, [LATER]: VOLUME },
        shows: { [A]: LAUNCH },
      },
    ],
    destroyed: { has: { [ELSE]: VOLUME, [LATER]: VOLUME }, calls: { image: 1 } },
  },
  {
    name: "additive: keeps grants of others, and later revokes only its own",
    image: { shared: [ELSE, B] },
    steps: [
      {
        set: { accountIds: [A, B, C], ...VOLUMES, mode: "additive" },
        has: { [A]: BOTH, [B]: BOTH, [C]: BOTH, [ELSE]: BOTH },
        shows: { [A]: BOTH, [B]: BOTH, [C]: BOTH },
        gains: [A, B, C],
        calls: { image: 1, snapshots: 1 },
      },
      {
        set: { accountIds: [C], ...VOLUMES, mode: "additive" },
        has: { [B]: BOTH, [C]: BOTH, [ELSE]: BOTH },
        shows: { [C]: BOTH },
        loses: [A, B],
        calls: { image: 1, snapshots: 1 },
      },
    ],
    destroyed: { has: { [B]: BOTH, [ELSE]: BOTH }, calls: { image: 1, snapshots: 1 } },
  },
  {
    name: "mode: from additive to authoritative, grants of others are revoked",
    image: { shared: [ELSE] },
    steps: [
      {
        set: { accountIds: [A], mode: "additive" },
        has: { [A]: LAUNCH, [ELSE]: BOTH },
        shows: { [A]: LAUNCH },
        gains: [A],
        calls: { image: 1 },
      },
      { set: { accountIds: [A] }, has: { [A]: LAUNCH, [ELSE]: VOLUME }, shows: { [A]: LAUNCH }, calls: { image: 1 } },
    ],
    destroyed: { has: { [ELSE]: VOLUME }, calls: { image: 1 } },
  },
  {
    name: "mode: from authoritative to additive, the set keeps owning its grants",
    steps: [
      { set: { accountIds: [A, B] }, has: { [A]: LAUNCH, [B]: LAUNCH }, gains: [A, B], calls: { image: 1 } },
      { set: { accountIds: [A, B], mode: "additive" } },
      { set: { accountIds: [A], mode: "additive" }, has: { [A]: LAUNCH }, loses: [B], calls: { image: 1 } },
    ],
    destroyed: { calls: { image: 1 } },
  },
  {
    name: "drift: grants that others removed are made again",
    steps: [
      {
        set: { accountIds: [A, B], ...VOLUMES },
        has: { [A]: BOTH, [B]: BOTH },
        gains: [A, B],
        calls: { image: 1, snapshots: 1 },
      },
      {},
      {
        outside: [launch(remove(A)), createVolume(remove(B))],
        gains: [A, B],
        calls: { image: 1, snapshots: 1 },
      },
    ],
    destroyed: { calls: { image: 1, snapshots: 1 } },
  },
  {
    name: "drift: an authoritative set revokes grants that others added",
    steps: [
      { set: { accountIds: [A], ...VOLUMES }, has: { [A]: BOTH }, gains: [A], calls: { image: 1, snapshots: 1 } },
      {},
      {
        outside: [launch(add(LATER)), createVolume(add(ELSE))],
        loses: [LATER, ELSE],
        calls: { image: 1, snapshots: 1 },
      },
    ],
    destroyed: { calls: { image: 1, snapshots: 1 } },
  },
  {
    name: "drift: an additive set keeps grants that others added",
    steps: [
      { set: { accountIds: [A], mode: "additive" }, has: { [A]: LAUNCH }, gains: [A], calls: { image: 1 } },
      {},
      { outside: [launch(add(LATER))], has: { [A]: LAUNCH, [LATER]: LAUNCH }, shows: { [A]: LAUNCH } },
    ],
    destroyed: { has: { [LATER]: LAUNCH }, calls: { image: 1 } },
  },
  {
    name: "drift and a change at the same time",
    steps: [
      { set: { accountIds: [A, B] }, has: { [A]: LAUNCH, [B]: LAUNCH }, gains: [A, B], calls: { image: 1 } },
      {},
      {
        outside: [launch(`${add(LATER)},${remove(A)}`)],
        set: { accountIds: [A, C] },
        has: { [A]: LAUNCH, [C]: LAUNCH },
        gains: [A, C],
        loses: [B, LATER],
        calls: { image: 1 },
      },
    ],
    destroyed: { calls: { image: 1 } },
  },
  {
    name: "neverRevoke: keeps grants of others and of the set, also after a destroy",
    image: { shared: [ELSE], snapshots: 0 },
    steps: [
      {
        set: { accountIds: [A, B], neverRevoke: [B, ELSE] },
        has: { [A]: LAUNCH, [B]: LAUNCH, [ELSE]: LAUNCH },
        notPromised: [ELSE],
        gains: [A, B],
        calls: { image: 1 },
      },
      { set: { accountIds: [A], neverRevoke: [B, ELSE] } },
    ],
    destroyed: { has: { [B]: LAUNCH, [ELSE]: LAUNCH }, calls: { image: 1 } },
  },
  {
    name: "neverRevoke, additive: the set owns the kept grant, and revokes it without neverRevoke",
    image: { snapshots: 0 },
    steps: [
      {
        set: { accountIds: [A, B], neverRevoke: [B], mode: "additive" },
        has: { [A]: LAUNCH, [B]: LAUNCH },
        gains: [A, B],
        calls: { image: 1 },
      },
      { set: { accountIds: [A], neverRevoke: [B], mode: "additive" } },
      { set: { accountIds: [A], mode: "additive" }, has: { [A]: LAUNCH }, loses: [B], calls: { image: 1 } },
    ],
    destroyed: { calls: { image: 1 } },
  },
  {
    name: "neverRevoke removed: the kept grants are revoked",
    image: { shared: [ELSE], snapshots: 0 },
    steps: [
      {
        set: { accountIds: [A], neverRevoke: [ELSE] },
        has: { [A]: LAUNCH, [ELSE]: LAUNCH },
        notPromised: [ELSE],
        gains: [A],
        calls: { image: 1 },
      },
      { set: { accountIds: [A] }, has: { [A]: LAUNCH }, loses: [ELSE], pulumiHides: [ELSE], calls: { image: 1 } },
    ],
    destroyed: { calls: { image: 1 } },
  },
  {
    name: "a grant that no set can revoke",
    image: { marketplace: true },
    steps: [
      {
        set: { accountIds: [A], ...VOLUMES },
        has: { [A]: BOTH, [MARKETPLACE]: BOTH },
        notPromised: [MARKETPLACE],
        gains: [A],
        calls: { image: 1, snapshots: 1 },
      },
      {
        set: { accountIds: [B], ...VOLUMES },
        has: { [B]: BOTH, [MARKETPLACE]: BOTH },
        gains: [B],
        loses: [A],
        calls: { image: 1, snapshots: 2 },
      },
    ],
    destroyed: { has: { [MARKETPLACE]: BOTH }, calls: { image: 1, snapshots: 1 } },
  },
  ...(["revoke", "reset", "retain"] as const).map(
    (onDelete): Case => ({
      name: `onDelete: ${onDelete}, changed in place`,
      image: { shared: [ELSE] },
      steps: [
        {
          set: { accountIds: [A], ...VOLUMES, mode: "additive", onDelete: "retain" },
          has: { [A]: BOTH, [ELSE]: BOTH },
          shows: { [A]: BOTH },
          gains: [A],
          calls: { image: 1, snapshots: 1 },
        },
        { set: { accountIds: [A], ...VOLUMES, mode: "additive", onDelete } },
      ],
      destroyed: {
        revoke: { has: { [ELSE]: BOTH }, calls: { image: 1, snapshots: 1 } },
        reset: { calls: { ResetImageAttribute: 1, ResetSnapshotAttribute: 1 } },
        retain: { has: { [A]: BOTH, [ELSE]: BOTH }, calls: {} },
      }[onDelete],
    }),
  ),
  {
    name: "onDelete: reset, except for neverRevoke",
    image: { shared: [B, ELSE] },
    steps: [
      {
        set: { accountIds: [A], ...VOLUMES, mode: "additive", onDelete: "reset", neverRevoke: [B] },
        has: { [A]: BOTH, [B]: BOTH, [ELSE]: BOTH },
        shows: { [A]: BOTH },
        gains: [A],
        calls: { image: 1, snapshots: 1 },
      },
    ],
    destroyed: { has: { [B]: BOTH }, calls: { image: 1, snapshots: 1 } },
  },
  ...(["check", "ignore"] as const).map(
    (kmsAccess): Case => ({
      name: `kmsAccess: ${kmsAccess}`,
      image: { key: true },
      steps: [
        {
          set: { accountIds: [A], ...VOLUMES, kmsAccess },
          has: { [A]: BOTH },
          gains: [A],
          calls: { image: 1, snapshots: 1, ...(kmsAccess === "check" ? READS_POLICY : {}) },
        },
      ],
      destroyed: { calls: { image: 1, snapshots: 1 } },
    }),
  ),
  {
    name: "kmsAccess: grant, and removed",
    image: { key: true },
    steps: [
      {
        set: { accountIds: [A, B], kmsAccess: "grant" },
        has: { [A]: LAUNCH, [B]: LAUNCH },
        gains: [A, B],
        calls: { image: 1, CreateGrant: 2, ...READS_POLICY },
      },
      {
        set: { accountIds: [B, C], kmsAccess: "grant" },
        has: { [B]: LAUNCH, [C]: LAUNCH },
        gains: [C],
        loses: [A],
        calls: { image: 1, CreateGrant: 1, RevokeGrant: 1, ...READS_POLICY },
      },
      // The warning names accounts that then lack the key, so the policy is read once more.
      { set: { accountIds: [B, C] }, calls: { RevokeGrant: 2, ...READS_POLICY } },
    ],
    destroyed: { calls: { image: 1 } },
  },
  {
    name: "kmsAccess: grant; a KMS grant that others revoked is made again; a destroy revokes it",
    image: { key: true },
    steps: [
      {
        set: { accountIds: [A], kmsAccess: "grant" },
        has: { [A]: LAUNCH },
        gains: [A],
        calls: { image: 1, CreateGrant: 1, ...READS_POLICY },
      },
      {},
      { outside: [revokeKeyGrant], gains: [A], calls: { CreateGrant: 1, ...READS_POLICY } },
    ],
    destroyed: { calls: { image: 1, RevokeGrant: 1 } },
  },
];

/** The step in which the engines refresh: Pulumi only if it is told to. */
const LOOKS = 2;

/** The result of one step of a case. */
interface Outcome {
  readonly has: Held;
  readonly otherHas: Held;
  readonly shows: Held | undefined;
  readonly gains: readonly string[];
  readonly loses: readonly string[];
  readonly calls: Calls;
}

/** One case on one engine. */
interface Run {
  readonly one: Case;
  readonly engine: Engine;
  /** The set's name in the engine. */
  readonly set: string;
  readonly image: MadeImage;
  readonly other: MadeImage;
  readonly key: string | undefined;
  readonly outcomes: Outcome[];
}

describe("the same cases with Pulumi, its plugin and Terraform", function () {
  this.timeout(900_000);
  const emulator = useEmulator();
  const engines: Engine[] = [];
  let runs: Run[] = [];
  /** Pulumi's previews of the last step without a refresh, by engine. */
  const unrefreshed: Record<string, Preview> = {};
  /** Whether an apply before the destroy would change nothing, by engine. */
  const settled: Record<string, boolean> = {};
  after(() => engines.map((engine) => engine.remove()));

  before(async () => {
    engines.push(...(await Promise.all([pulumiEngine, pluginEngine, terraformEngine].map((start) => start(emulator())))));
    runs = (await Promise.all(engines.map(prepared))).flat();
    const marked = runs.flatMap(({ one, image }) => (one.image?.marketplace ? [image.imageId, ...image.snapshotIds] : []));
    await emulator().configure({ marketplace: marked });
    for (const step of [0, 1, LOOKS]) {
      for (const engine of engines) engine.declare(declared(engine, step));
      const drift = runs.flatMap((run) => run.one.steps[step]?.outside?.map((change) => () => change(run, emulator())) ?? []);
      for (const some of batches(drift, 2)) await Promise.all(some.map((change) => change()));
      await emulator().forgetCalls();
      const refresh = step === LOOKS;
      const told = await Promise.all(
        engines.map(async (engine) => {
          if (refresh && engine.name !== "Terraform") unrefreshed[engine.name] = await engine.preview();
          const preview = await engine.preview({ refresh });
          await engine.apply({ refresh });
          return { engine, preview, grants: await engine.grants() };
        }),
      );
      const [pairs, calls] = [await emulator().pairs(allImages()), await emulator().calls()];
      for (const { engine, preview, grants } of told)
        for (const run of runs.filter((one) => one.engine === engine))
          run.outcomes.push(outcome(run, pairs, calls, grants[run.set], preview[run.set]));
    }
    await Promise.all(
      engines.map(async (engine) => {
        settled[engine.name] = await engine.isSettled();
      }),
    );
    await emulator().forgetCalls();
    await Promise.all(engines.map((engine) => engine.destroy()));
    const [pairs, calls] = [await emulator().pairs(allImages()), await emulator().calls()];
    for (const run of runs) run.outcomes.push(outcome(run, pairs, calls));
  });

  for (const one of CASES)
    it(one.name, () => {
      const [byPulumi, ...others] = runs.filter((run) => run.one === one);
      assert.ok(byPulumi && others.length === 2);
      for (const { engine, outcomes } of others)
        assert.deepEqual(
          outcomes.map(inEc2),
          byPulumi.outcomes.map(inEc2),
          `${engine.name} and Pulumi have different results in EC2`,
        );
      for (const run of [byPulumi, ...others]) assert.deepEqual(run.outcomes, expected(run), `with ${run.engine.name}`);
    });

  it("without a refresh, Pulumi's previews show no drift; Terraform always refreshes", () => {
    const drifting = runs.filter(({ one, engine }) => engine.name !== "Terraform" && one.steps[LOOKS]?.outside);
    const undeclared = drifting.filter(({ one }) => one.steps[LOOKS]?.set === undefined);
    assert.ok(undeclared.length > 5, "the previews show the declared changes");
    for (const { one, set, engine } of undeclared) {
      const preview = unrefreshed[engine.name] ?? {};
      assert.ok(Object.keys(preview).length > 2, engine.name);
      assert.equal(preview[set], undefined, `${one.name}, with ${engine.name}`);
    }
  });

  it("nothing is left to do with any engine", () =>
    assert.deepEqual(settled, { Pulumi: true, "Pulumi's plugin": true, Terraform: true }));

  /** Creates the AMIs of every case for one engine. */
  async function prepared(engine: Engine): Promise<Run[]> {
    const keys = await Promise.all(CASES.map(({ image }) => (image?.key ? emulator().kmsKey() : undefined)));
    const made = await emulator().images(
      CASES.flatMap(({ image: { snapshots = 1, shared = [], region = "us-east-1" } = {} }, i) => {
        const grants = shared.map((id) => ({ UserId: id }));
        const one = { snapshots, region, kmsKeyId: keys[i], launchPermissions: grants, createVolumePermissions: grants };
        return [one, { snapshots: 0, region }];
      }),
    );
    return CASES.map((one, i) => ({
      one,
      engine,
      set: one.name.toLowerCase().replace(/\W+/g, "_"),
      image: made[2 * i] as MadeImage,
      other: made[2 * i + 1] as MadeImage,
      key: keys[i],
      outcomes: [],
    }));
  }

  function allImages(): MadeImage[] {
    return runs.flatMap(({ image, other }) => [image, other]);
  }

  function declared(engine: Engine, step: number): Sets {
    return Object.fromEntries(
      runs.flatMap(({ one, engine: its, set, image, other }) => {
        const args = last(one, step, ({ set }) => set);
        if (its !== engine || !args) return [];
        return [[set, { imageId: image.imageId, ...(typeof args === "function" ? args(image, other) : args) }]];
      }),
    );
  }
});

/** The part of a result that is in EC2, and must be the same for all engines. */
function inEc2({ has, otherHas, calls }: Outcome): unknown {
  return { has, otherHas, calls };
}

/** The value of a case at a step, or at the last step before it that has one. */
function last<Value>({ steps }: Case, step: number, of: (step: Step) => Value | undefined): Value | undefined {
  return steps
    .slice(0, step + 1)
    .map((one) => one && of(one))
    .findLast((value) => value !== undefined);
}

function expected({ one, engine }: Run): Outcome[] {
  const { has: left = {}, calls: destroying } = one.destroyed;
  const steps = [0, 1, LOOKS].map((step): Outcome => {
    const { notPromised = [], gains = [], loses = [], pulumiGains = [], pulumiHides = [], calls = {} } = one.steps[step] ?? {};
    const isPulumi = engine.name !== "Terraform";
    const has = last(one, step, ({ has }) => has) ?? {};
    // `shows` applies until the next step with `has` or `shows`.
    const shows = last(one, step, ({ has, shows }) => shows ?? has) ?? {};
    const isDeclared = last(one, step, ({ set }) => set) !== null;
    const shown = Object.entries(shows).filter(([key]) => isPulumi || !notPromised.includes(key));
    return {
      has: named(has),
      otherHas: named(last(one, step, ({ otherHas }) => otherHas) ?? {}),
      shows: isDeclared ? named(Object.fromEntries(shown)) : undefined,
      gains: [...gains, ...(isPulumi ? pulumiGains : [])].map(keyOf).sort(),
      loses: loses
        .filter((id) => !isPulumi || !pulumiHides.includes(id))
        .map(keyOf)
        .sort(),
      calls,
    };
  });
  return [...steps, { has: named(left), otherHas: {}, shows: undefined, gains: [], loses: [], calls: destroying }];
}

function outcome(
  { image, other, key }: Run,
  pairs: readonly string[],
  calls: readonly Call[],
  shows?: Grants,
  { gains, loses }: Preview[string] = { gains: [], loses: [] },
): Outcome {
  const resources = [image, other].flatMap(({ imageId, snapshotIds }) => [imageId, ...snapshotIds, key]);
  const counted: Record<string, number> = {};
  for (const { action, resource } of calls) {
    if (!resources.includes(resource)) continue;
    if (action === "GetKeyPolicy") Object.assign(counted, READS_POLICY);
    if (!/^(Modify|Reset|CreateGrant|RevokeGrant)/.test(action)) continue;
    const name = { ModifyImageAttribute: "image", ModifySnapshotAttribute: "snapshots" }[action] ?? action;
    counted[name] = (counted[name] ?? 0) + 1;
  }
  const numbered = (words: string) => words.replace(/snap-\w+/g, (id) => `#${image.snapshotIds.indexOf(id)}`);
  return {
    has: heldIn(image, pairs),
    otherHas: heldIn(other, pairs),
    shows: shows && Object.fromEntries(Object.entries(shows).map(([key, words]) => [key, numbered(words)])),
    gains,
    loses,
    calls: counted,
  };
}

/** The grants on an AMI and its snapshots, from pairs `resource grantee`. */
function heldIn({ imageId, snapshotIds }: MadeImage, pairs: readonly string[]): Held {
  const has = (resource: string, key: string) => pairs.includes(`${resource} ${key}`);
  const keys = pairs.map((pair) => pair.split(" ") as [string, string]);
  const mine = new Set(keys.flatMap(([resource, key]) => ([imageId, ...snapshotIds].includes(resource) ? [key] : [])));
  return Object.fromEntries(
    [...mine].map((key) => {
      const on = snapshotIds.flatMap((id, i) => (has(id, key) ? [`#${i}`] : []));
      const volume = on.length === 0 ? [] : [on.length === snapshotIds.length ? VOLUME : `${VOLUME} on ${on.join(", ")}`];
      return [key, [...(has(imageId, key) ? [LAUNCH] : []), ...volume].join(", ")];
    }),
  );
}

function named(held: Held): Held {
  return Object.fromEntries(Object.entries(held).map(([key, words]) => [keyOf(key), words]));
}

function keyOf(grantee: string): string {
  return /^\d{12}$/.test(grantee) ? `account/${grantee}` : grantee;
}
