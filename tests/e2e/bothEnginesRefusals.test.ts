/** One table of refusals for the dynamic resource and the plugin on the real Pulumi, and for the real Terraform: all three refuse the same, and change nothing. */

import * as assert from "node:assert/strict";
import { type MadeImage, useEmulator } from "../helpers/emulator";
import { type Engine, pluginEngine, pulumiEngine, terraformEngine } from "../helpers/engines";

const [A, B, ELSE] = ["111122223333", "444455556666", "999900001111"] as const;
const OWNER = "123456789012";

type Arguments = Readonly<Record<string, unknown>>;

/** A case that is refused. */
interface Refusal {
  readonly name: string;
  readonly code: string;
  /** Options of the AMI, in addition to one snapshot. */
  readonly image?: Readonly<Record<string, unknown>>;
  /** The configuration of the local EC2. */
  readonly ec2?: (images: readonly MadeImage[]) => Readonly<Record<string, unknown>>;
  /** The set that is applied before. */
  readonly before?: Arguments;
  /** The sets of one AMI that are refused. Without imageId, they are of the AMI of the case. */
  readonly sets: readonly Arguments[];
  /** The dynamic resource can apply one of the sets before the engine checks the other one. */
  readonly dynamicMayMakeOne?: true;
}

const REFUSALS: readonly Refusal[] = [
  { name: "a wrong account id", code: "invalid-argument", sets: [{ accountIds: ["12"] }] },
  { name: "a set without a list of grantees", code: "invalid-argument", sets: [{ mode: "authoritative" }] },
  { name: "public without acknowledgement", code: "invalid-argument", sets: [{ public: true }] },
  { name: "a wrong region", code: "invalid-argument", sets: [{ accountIds: [A], region: "mars" }] },
  { name: "an AMI that does not exist", code: "image-not-found", sets: [{ imageId: "ami-0123456789abcdef0", accountIds: [A] }] },
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
    name: "a snapshot of another AMI",
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
    name: "grants of others on the AMI of a new set",
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
    name: "public sharing under block public access",
    code: "public-access-blocked",
    ec2: () => ({ declarativePolicy: { image: "block-new-sharing" } }),
    sets: [{ public: true, acknowledgePublic: true }],
  },
  {
    name: "a call that IAM denies",
    code: "not-authorized",
    ec2: () => ({ deny: ["ec2:DescribeImages"] }),
    sets: [{ accountIds: [A] }],
  },
];

describe("the same refusals with Pulumi, its plugin and Terraform", function () {
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
