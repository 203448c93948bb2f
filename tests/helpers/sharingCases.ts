/** Random cases for the truth of previews: what EC2 has, what was declared before, what drifted, and what is declared now. */

import * as fc from "fast-check";
import { type GranteeKey, granteeProblems, type Permissions } from "../../provider/core";
import { valuesOf } from "../../provider/terraform/arguments";
import type { Emulator, MadeImage } from "./emulator";

export const OWNER = "123456789012";
/** Block public access is on in the second region. */
export const REGIONS = ["us-east-1", "eu-west-1"] as const;
const ACCOUNTS = ["111122223333", "444455556666", "777788889999", "012345678901"];
const ORGANIZATION = "arn:aws:organizations::111122223333:organization/o-abcde12345";
const UNIT = "arn:aws:organizations::111122223333:ou/o-abcde12345/ou-ab12-cdefgh34";
const VOLUME_KEYS: readonly GranteeKey[] = [...ACCOUNTS.map((id) => `account/${id}`), "public"];
const LAUNCH_KEYS: readonly GranteeKey[] = [...VOLUME_KEYS, ORGANIZATION, UNIT];

/** Grantees of an image and of each of its snapshots. */
export interface Grants {
  readonly launch: readonly GranteeKey[];
  readonly volumes: readonly (readonly GranteeKey[])[];
}

export interface Case {
  readonly region: (typeof REGIONS)[number];
  readonly snapshots: number;
  readonly protection: "none" | "aws-key" | "own-key" | "product-code" | "watermark";
  readonly live: Grants;
  /** What was recorded, and how much of it as granted by the set. */
  readonly recorded: Grants | undefined;
  readonly granted: Grants;
  /** Arguments without imageId; `snapshotIds` of createVolumePermissions are places. */
  readonly desired: Record<string, unknown>;
  readonly previous: Record<string, unknown>;
}

const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const grants = (snapshots: number): fc.Arbitrary<Grants> =>
  fc.record({
    launch: fc.subarray([...LAUNCH_KEYS]),
    volumes: fc.array(fc.subarray([...VOLUME_KEYS]), { minLength: snapshots, maxLength: snapshots }),
  });
const within = (all: Grants): fc.Arbitrary<Grants> =>
  fc.record({
    launch: fc.subarray([...all.launch]),
    volumes: fc.tuple(...all.volumes.map((keys) => fc.subarray([...keys]))),
  });
const declaration = (snapshots: number): fc.Arbitrary<Record<string, unknown>> =>
  fc
    .record({
      accountIds: optional(fc.subarray([...ACCOUNTS, OWNER])),
      organizationArns: optional(fc.subarray([ORGANIZATION])),
      organizationalUnitArns: optional(fc.subarray([UNIT.toUpperCase()])),
      public: fc.constantFrom(undefined, undefined, undefined, true),
      acknowledgePublic: fc.constant(true),
      createVolumePermissions: optional(
        fc.oneof(
          fc.boolean(),
          fc.record({
            accountIds: optional(fc.subarray(ACCOUNTS)),
            snapshotIds: optional(fc.subarray(Array.from({ length: snapshots }, (_, i) => i))),
            public: fc.constantFrom(undefined, undefined, undefined, true),
          }),
        ),
      ),
      mode: fc.constantFrom(undefined, "authoritative", "additive", "additive"),
      unrecorded: fc.constantFrom(undefined, undefined, undefined, "refuse"),
      neverRevoke: fc.constantFrom(undefined, undefined, ACCOUNTS.slice(0, 1), ACCOUNTS.slice(0, 2)),
      maxRevocations: fc.constantFrom(undefined, undefined, undefined, "none", 1, 2),
    })
    .map((all) => JSON.parse(JSON.stringify(all)))
    // Nobody has to be said.
    .map((all) => (granteeProblems(all).length > 0 ? { ...all, accountIds: [] } : all));

export const sharingCase: fc.Arbitrary<Case> = fc.integer({ min: 0, max: 3 }).chain((snapshots) =>
  fc
    .record({
      region: fc.constantFrom(REGIONS[0], REGIONS[0], REGIONS[0], REGIONS[1]),
      protection: fc.constantFrom<Case["protection"]>(
        ...Array(12).fill("none"),
        "aws-key",
        "own-key",
        "product-code",
        "watermark",
      ),
      live: grants(snapshots),
      recorded: optional(grants(snapshots)),
      desired: declaration(snapshots),
      previous: declaration(snapshots),
    })
    .chain((given) =>
      fc
        .record({
          granted: within(given.recorded ?? { launch: [], volumes: Array(snapshots).fill([]) }),
          // Some declare again what they declared before.
          desired: fc.constantFrom(...Array(7).fill(given.desired), given.previous),
        })
        .map((chosen) => ({ ...given, ...chosen, snapshots })),
    ),
);

/** Makes the images of cases, past every check, and sets up what protects them. */
export async function makeImages(emulator: Emulator, cases: readonly Case[]): Promise<MadeImage[]> {
  const keys = new Map<string, string>();
  for (const region of REGIONS) keys.set(region, await emulator.kmsKey(region));
  const made = (await emulator.images(
    cases.map(({ region, snapshots, protection, live }) => ({
      region,
      snapshots,
      ...(protection === "aws-key" ? { encrypted: true } : protection === "own-key" ? { kmsKeyId: keys.get(region) } : {}),
      launchPermissions: live.launch.map(grantOf),
      createVolumePermissions: live.volumes.map((keys) => keys.map(grantOf)),
    })),
  )) as MadeImage[];
  const marked = (protection: Case["protection"]) =>
    Object.fromEntries(made.flatMap(({ imageId }, i) => (cases[i]?.protection === protection ? [[imageId, ["abc"]]] : [])));
  await emulator.configure({
    publicImageQuota: 1_000_000,
    productCodes: marked("product-code"),
    watermarks: marked("watermark"),
  });
  return made;
}

/** The arguments of a set, with the snapshots of its image. */
export function argumentsOf(
  declared: Record<string, unknown>,
  { imageId, snapshotIds, region }: MadeImage,
): Record<string, unknown> {
  const volumes = declared.createVolumePermissions as { snapshotIds?: number[] } | boolean | undefined;
  const named =
    typeof volumes === "object" && volumes.snapshotIds
      ? { createVolumePermissions: { ...volumes, snapshotIds: volumes.snapshotIds.map((at) => snapshotIds[at]) } }
      : {};
  return { ...declared, ...named, imageId, region };
}

/** The same in Terraform's names and forms. */
export function terraformArgumentsOf(declared: Record<string, unknown>, image: MadeImage): Record<string, unknown> {
  const { createVolumePermissions: volumes, maxRevocations, ...args } = argumentsOf(declared, image);
  return valuesOf({
    ...args,
    ...(volumes === undefined || volumes === false ? {} : { createVolumePermissions: volumes === true ? {} : volumes }),
    ...(maxRevocations === undefined ? {} : { maxRevocations: maxRevocations === "none" ? 0 : maxRevocations }),
  });
}

/** As the model has them; a snapshot without a grantee is left out. */
export function permissionsOf({ launch, volumes }: Grants, { snapshotIds }: MadeImage): Permissions {
  return {
    launch: new Set(launch),
    createVolume: new Map(volumes.flatMap((keys, i) => (keys.length > 0 ? [[snapshotIds[i] as string, new Set(keys)]] : []))),
  };
}

/** A grantee as EC2's requests name it. */
export function grantOf(key: GranteeKey): Record<string, string> {
  if (key === "public") return { Group: "all" };
  if (key === ORGANIZATION) return { OrganizationArn: key };
  if (key === UNIT) return { OrganizationalUnitArn: key };
  return { UserId: key.replace(/^(account|user)\//, "") };
}

/** `resource grantee`, sorted: permissions as a list that can be compared. */
export function pairsOf(imageId: string, { launch, createVolume }: Permissions): string[] {
  const volumes = [...createVolume].flatMap(([snapshotId, keys]) => [...keys].map((key) => `${snapshotId} ${key}`));
  return [...[...launch].map((key) => `${imageId} ${key}`), ...volumes].sort();
}
