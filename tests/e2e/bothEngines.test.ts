/** One table of cases for the dynamic resource and the plugin on the real Pulumi, and for the real Terraform: all three do the same, and the tests say where they show it differently. */

import * as assert from "node:assert/strict";
import type { Grants } from "../../provider/core";
import { batches } from "../../provider/core/model/batches";
import { type Call, type Emulator, type MadeImage, useEmulator } from "../helpers/emulator";
import { type Engine, type Preview, pluginEngine, pulumiEngine, type Sets, terraformEngine } from "../helpers/engines";

const [A, B, C, D] = ["111122223333", "444455556666", "777788889999", "012345678901"] as const;
/** Somebody else shared with the first before a set was made; with the second, since then. */
const [ELSE, LATER] = ["999900001111", "222200002222"] as const;
const OWNER = "123456789012";
const ORGANIZATION = "arn:aws:organizations::111122223333:organization/o-abcde12345";
const UNIT = "arn:aws:organizations::111122223333:ou/o-abcde12345/ou-ab12-cdefgh34";
const MARKETPLACE = "user/aws-marketplace";
const [LAUNCH, VOLUME, BOTH] = ["launch", "createVolume", "launch, createVolume"] as const;
const VOLUMES = { createVolumePermissions: true } as const;
/** The key's policy is read, however often. */
const READS_POLICY = { readsPolicy: 1 } as const;

/** Grantee → permissions in words; an account by its id alone, a snapshot by its place: `createVolume on #0`. */
type Held = Readonly<Record<string, string>>;
type Arguments = Readonly<Record<string, unknown>>;
/** How many calls change something: modify calls of the AMI and of its snapshots, and others by their action; see also READS_POLICY. */
type Calls = Readonly<Record<string, number>>;

type Outside = (its: Pick<Run, "image" | "key">, emulator: Emulator) => Promise<unknown>;

/** What is declared, and what must hold afterwards; what is left out is as before, or none. */
interface Step {
  /** What somebody else does before, with the AWS CLI. */
  readonly outside?: readonly Outside[];
  /** Arguments without imageId, which may name another AMI; null: the set is taken out. */
  readonly set?: Arguments | ((image: MadeImage, other: MadeImage) => Arguments) | null;
  /** Who has what in EC2, whoever granted it. */
  readonly has?: Held;
  /** The same of the other AMI. */
  readonly otherHas?: Held;
  /** The output; where it is left out, `has`. */
  readonly shows?: Held;
  /** Whose grants Terraform shows after the next refresh only, since its plan could not promise what others may take away. */
  readonly notPromised?: readonly string[];
  /** What the diff of the grants shows. */
  readonly gains?: readonly string[];
  readonly loses?: readonly string[];
  /** What Pulumi's diff shows besides, and its report takes back: the diff shows what is declared. */
  readonly pulumiGains?: readonly string[];
  /** Of those that lose, whom Pulumi's diff shows after a refresh only, and its report at once: it compares what was declared. */
  readonly pulumiHides?: readonly string[];
  readonly calls?: Calls;
}

interface Case {
  readonly name: string;
  /** What the AMI is made with; `key`: its snapshots are encrypted under a key of its own. */
  readonly image?: { snapshots?: number; shared?: readonly string[]; key?: true; region?: string; marketplace?: true };
  /** The create, a change, and a change that looks at what EC2 has by then. */
  readonly steps: readonly [Step, Step?, Step?];
  /** What a destroy leaves, by default nothing, and its calls. */
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
    name: "create-volume permission for other accounts than the set's",
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
    name: "create-volume permission on one snapshot, on another one, and no more",
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
    name: "public with acknowledgement, and no more",
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
    name: "organizations and units, which hold no create-volume permission",
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
    name: "nothing to change: defaults that are written out",
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
    name: "what is declared is shared already: no call",
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
    name: "another AMI: that one is shared, the first no more",
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
    name: "an AMI that is deregistered outside, and its set taken out: its snapshots keep their grants",
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
    name: "a set that is taken out, and declared again",
    steps: [
      { set: { accountIds: [A] }, has: { [A]: LAUNCH }, gains: [A], calls: { image: 1 } },
      { set: null, has: {}, loses: [A], calls: { image: 1 } },
      { set: { accountIds: [A, B] }, has: { [A]: LAUNCH, [B]: LAUNCH }, gains: [A, B], calls: { image: 1 } },
    ],
    destroyed: { calls: { image: 1 } },
  },
  {
    name: "authoritative: takes away what others granted",
    image: { shared: [ELSE] },
    steps: [{ set: { accountIds: [A], ...VOLUMES }, has: { [A]: BOTH }, gains: [A], calls: { image: 1, snapshots: 2 } }],
    destroyed: { calls: { image: 1, snapshots: 1 } },
  },
  {
    name: "authoritative: leaves create-volume permission where it manages none",
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
    name: "additive: leaves what others granted, and later removes only its own",
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
    name: "mode: from additive to authoritative, what others granted goes",
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
    name: "mode: from authoritative to additive, what the set granted stays its own",
    steps: [
      { set: { accountIds: [A, B] }, has: { [A]: LAUNCH, [B]: LAUNCH }, gains: [A, B], calls: { image: 1 } },
      { set: { accountIds: [A, B], mode: "additive" } },
      { set: { accountIds: [A], mode: "additive" }, has: { [A]: LAUNCH }, loses: [B], calls: { image: 1 } },
    ],
    destroyed: { calls: { image: 1 } },
  },
  {
    name: "drift: what is taken away outside comes back",
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
    name: "drift: what is granted outside goes, where the set is authoritative",
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
    name: "drift: what is granted outside stays, where the set is additive",
    steps: [
      { set: { accountIds: [A], mode: "additive" }, has: { [A]: LAUNCH }, gains: [A], calls: { image: 1 } },
      {},
      { outside: [launch(add(LATER))], has: { [A]: LAUNCH, [LATER]: LAUNCH }, shows: { [A]: LAUNCH } },
    ],
    destroyed: { has: { [LATER]: LAUNCH }, calls: { image: 1 } },
  },
  {
    name: "drift and a change at once",
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
    name: "neverRevoke: spares what others granted and what the set granted, to the end",
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
    name: "neverRevoke, additive: what the set granted and spared stays its own, and goes once it is not spared",
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
    name: "neverRevoke, no more: what was spared goes",
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
    name: "a grant that no set can take away",
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
    name: "onDelete: reset, but for neverRevoke",
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
    name: "kmsAccess: grant, and no more",
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
      // Who then lacks the key is told, so the policy is read once more.
      { set: { accountIds: [B, C] }, calls: { RevokeGrant: 2, ...READS_POLICY } },
    ],
    destroyed: { calls: { image: 1 } },
  },
  {
    name: "kmsAccess: grant, until the destroy; one that is revoked outside is made anew",
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

/** The step in which the engines look at what EC2 has: Pulumi only when it is told to. */
const LOOKS = 2;

/** What became of a case by one step. */
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

describe("the same table, by Pulumi, by its plugin and by Terraform", function () {
  this.timeout(900_000);
  const emulator = useEmulator();
  const engines: Engine[] = [];
  let runs: Run[] = [];
  /** What Pulumi's previews showed of the last step without being told to look, by engine. */
  const unrefreshed: Record<string, Preview> = {};
  /** What each engine said before the destroy. */
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
        assert.deepEqual(outcomes.map(inEc2), byPulumi.outcomes.map(inEc2), `${engine.name} differs from Pulumi in EC2`);
      for (const run of [byPulumi, ...others]) assert.deepEqual(run.outcomes, expected(run), `by ${run.engine.name}`);
    });

  it("without being told to look, Pulumi's previews know of no drift; Terraform's always looks", () => {
    const drifting = runs.filter(({ one, engine }) => engine.name !== "Terraform" && one.steps[LOOKS]?.outside);
    const undeclared = drifting.filter(({ one }) => one.steps[LOOKS]?.set === undefined);
    assert.ok(undeclared.length > 5, "it shows what is declared");
    for (const { one, set, engine } of undeclared) {
      const preview = unrefreshed[engine.name] ?? {};
      assert.ok(Object.keys(preview).length > 2, engine.name);
      assert.equal(preview[set], undefined, `${one.name}, by ${engine.name}`);
    }
  });

  it("nothing is left to do, on any", () =>
    assert.deepEqual(settled, { Pulumi: true, "Pulumi's plugin": true, Terraform: true }));

  /** The AMIs of every case for one engine. */
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

/** What is refused. */
interface Refusal {
  readonly name: string;
  readonly code: string;
  /** What the AMI is made with, besides one snapshot. */
  readonly image?: Readonly<Record<string, unknown>>;
  /** How the local EC2 is. */
  readonly ec2?: (images: readonly MadeImage[]) => Readonly<Record<string, unknown>>;
  /** What is declared, and applied, before. */
  readonly before?: Arguments;
  /** What is refused, without imageId, which may name another AMI; several sets of one AMI. */
  readonly sets: readonly Arguments[];
  /** The dynamic resource may have made one of the sets before the engine told of the other. */
  readonly dynamicMayMakeOne?: true;
}

const REFUSALS: readonly Refusal[] = [
  { name: "an account id that is none", code: "invalid-argument", sets: [{ accountIds: ["12"] }] },
  { name: "a set without a list of grantees", code: "invalid-argument", sets: [{ mode: "authoritative" }] },
  { name: "public without acknowledgement", code: "invalid-argument", sets: [{ public: true }] },
  { name: "a region that is none", code: "invalid-argument", sets: [{ accountIds: [A], region: "mars" }] },
  { name: "an AMI that is not there", code: "image-not-found", sets: [{ imageId: "ami-0123456789abcdef0", accountIds: [A] }] },
  {
    name: "an AMI of another account",
    code: "not-owner",
    image: { accountId: "222222222222", launchPermissions: [{ UserId: OWNER }] },
    sets: [{ accountIds: [A] }],
  },
  {
    name: "an AMI that failed",
    code: "image-not-shareable",
    ec2: (images) => ({ imageStates: Object.fromEntries(images.map(({ imageId }) => [imageId, "failed"])) }),
    sets: [{ accountIds: [A] }],
  },
  {
    name: "a snapshot that is not the AMI's",
    code: "invalid-argument",
    sets: [{ accountIds: [A], createVolumePermissions: { snapshotIds: ["snap-0123456789abcdef0"] } }],
  },
  {
    name: "more revocations than maxRevocations",
    code: "too-many-revocations",
    before: { accountIds: [A, B] },
    sets: [{ accountIds: [A], maxRevocations: 0 }],
  },
  {
    name: "grants that nobody recorded, of a new set",
    code: "unrecorded-grants",
    image: { launchPermissions: [{ UserId: ELSE }] },
    sets: [{ accountIds: [A], unrecorded: "refuse" }],
  },
  {
    name: "two authoritative sets of one AMI",
    code: "conflicting-sets",
    sets: [{ accountIds: [A] }, { accountIds: [B] }],
    dynamicMayMakeOne: true,
  },
  {
    name: "everybody, where public access is blocked",
    code: "public-access-blocked",
    ec2: () => ({ declarativePolicy: { image: "block-new-sharing" } }),
    sets: [{ public: true, acknowledgePublic: true }],
  },
  {
    name: "what IAM denies",
    code: "not-authorized",
    ec2: () => ({ deny: ["ec2:DescribeImages"] }),
    sets: [{ accountIds: [A] }],
  },
];

describe("the same refusals, by Pulumi, by its plugin and by Terraform", function () {
  this.timeout(300_000);
  const emulator = useEmulator();
  let engines: readonly Engine[] = [];
  before(async () => {
    engines = await Promise.all([pulumiEngine, pluginEngine, terraformEngine].map((start) => start(emulator())));
  });
  after(() => engines.map((engine) => engine.remove()));

  for (const { name, code, image: made, ec2 = () => ({}), before, sets, dynamicMayMakeOne } of REFUSALS)
    it(`${code}: ${name}`, async () => {
      const images = await emulator().images(engines.map(() => ({ snapshots: 1, ...made })));
      const declare = (engine: Engine, all: readonly Arguments[]) => {
        const imageId = images[engines.indexOf(engine)]?.imageId;
        engine.declare(Object.fromEntries(all.map((set, i) => [`set_${i}`, { imageId, ...set }])));
      };
      if (before)
        await Promise.all(
          engines.map(async (engine) => {
            declare(engine, [before]);
            await engine.preview();
            await engine.apply();
          }),
        );
      const unchanged = images.filter((_, i) => !dynamicMayMakeOne || engines[i]?.name !== "Pulumi");
      const pairs = await emulator().pairs(unchanged);
      await emulator().configure(ec2(images));
      const told = await Promise.all(
        engines.map(async (engine) => {
          declare(engine, sets);
          return { by: engine.name, ...(await engine.refusals()) };
        }),
      );
      await emulator().reset();
      assert.deepEqual(await emulator().pairs(unchanged), pairs, "EC2 is changed");
      assert.deepEqual(
        told,
        engines.map((engine) => ({ by: engine.name, preview: [code], apply: [code] })),
      );
    });
});

/** What of an outcome is EC2's, and so must be the same whatever the engine shows. */
function inEc2({ has, otherHas, calls }: Outcome): unknown {
  return { has, otherHas, calls };
}

/** What a case says at a step, or at the last one before that says it. */
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
    // An output of its own counts until the next step that says who has access.
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

/** Who has what on an AMI and its snapshots, as EC2 told it: `resource grantee`. */
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
