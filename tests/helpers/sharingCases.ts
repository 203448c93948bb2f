/** Random cases for the tests that compare previews with results: what EC2 has, what was declared before, what drifted, and what is declared now. */

import * as fc from "fast-check";
import { type GranteeKey, granteeProblems, type Permissions } from "../../provider/core";
import { valuesOf } from "../../provider/terraform/arguments";
import type { Emulator, MadeImage } from "./emulator";

export const OWNER = "123456789012";
/** Block public access is on in the second region. */
export const REGIONS = ["us-east-1", "eu-west-1"] as const;
export const ACCOUNTS = ["111122223333", "444455556666", "777788889999", "012345678901"];
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
  /** The recorded grants. `granted` is the part that the set made. */
  readonly recorded: Grants | undefined;
  readonly granted: Grants;
  /** The arguments without imageId. `snapshotIds` of createVolumePermissions are indexes. */
  readonly desired: Record<string, unknown>;
  readonly previous: Record<string, unknown>;
}

/** An account that no case names. Somebody else grants it access between a plan and its apply. */
export const STRANGER = "999900001111";

/** A case with events outside its set. The arguments can also have `kmsAccess`, `onDelete` and `timeouts`. */
export interface EventfulCase extends Case {
  /** What somebody else does between the plan and the apply; undefined if nothing. */
  readonly meanwhile:
    | {
        /** Where the stranger is granted access: 0 is the AMI, and n is the snapshot with index n - 1. */
        readonly comes: readonly number[];
        /** Whether an account that should keep access loses it. */
        readonly goes: boolean;
      }
    | undefined;
  /** The accounts that have a KMS grant of the set, and those whose grant is recorded. */
  readonly keys: { readonly there: readonly string[]; readonly recorded: readonly string[] };
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
    // A set without grantees must say that it means nobody.
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
          // Some sets declare the same as before.
          desired: fc.constantFrom(...Array(7).fill(given.desired), given.previous),
        })
        .map((chosen) => ({ ...given, ...chosen, snapshots })),
    ),
);

const more = fc
  .record({
    kmsAccess: fc.constantFrom(undefined, undefined, "grant", "grant", "check", "ignore"),
    onDelete: fc.constantFrom(undefined, undefined, undefined, "revoke", "retain", "reset"),
    timeouts: fc.constantFrom(undefined, undefined, { update: "5m" }, { create: "10m", delete: "1h" }),
  })
  .map((all) => JSON.parse(JSON.stringify(all)) as Record<string, unknown>);

/** Adds events outside the set. A fifth of the AMIs are encrypted under their own keys. */
export function eventful(one: fc.Arbitrary<Case>): fc.Arbitrary<EventfulCase> {
  return one.chain((given) =>
    fc
      .record({
        isEncrypted: fc.constantFrom(true, false, false, false, false),
        isAsRecorded: fc.constantFrom(true, false, false),
        desired: more,
        previous: more,
        isSame: fc.constantFrom(false, false, false, true),
        meanwhile: fc.option(
          fc.record({
            comes: fc.subarray(Array.from({ length: given.snapshots + 1 }, (_, i) => i)),
            goes: fc.constantFrom(false, false, true),
          }),
          { nil: undefined, freq: 3 },
        ),
        keys: fc.record({ there: fc.subarray(ACCOUNTS), recorded: fc.subarray(ACCOUNTS) }),
      })
      .map(({ isEncrypted, isAsRecorded, desired, previous, isSame, meanwhile, keys }) => ({
        ...given,
        live: (isAsRecorded && given.recorded) || given.live,
        protection: isEncrypted && given.snapshots > 0 ? "own-key" : given.protection,
        desired: { ...given.desired, ...(isSame ? previous : desired) },
        previous: { ...given.previous, ...previous },
        meanwhile,
        keys,
      })),
  );
}

/** The AMI of a case, and its customer managed key, if it is encrypted under one. */
export interface CaseImage extends MadeImage {
  readonly keyId: string | undefined;
}

/** Makes the images of cases, without the checks of EC2, and sets up their protection. */
export async function makeImages(emulator: Emulator, cases: readonly Case[]): Promise<CaseImage[]> {
  const keys: (string | undefined)[] = [];
  // Each image has its own key, so that calls can be assigned to images.
  for (const { region, protection, snapshots } of cases) {
    const made = protection === "own-key" && snapshots > 0 ? await emulator.kms(region, "CreateKey") : undefined;
    keys.push((made?.KeyMetadata as { Arn: string } | undefined)?.Arn);
  }
  const made = await emulator.images(
    cases.map(({ region, snapshots, protection, live }, i) => ({
      region,
      snapshots,
      ...(protection === "aws-key" ? { encrypted: true } : keys[i] ? { kmsKeyId: keys[i] } : {}),
      launchPermissions: live.launch.map(grantOf),
      createVolumePermissions: live.volumes.map((grantees) => grantees.map(grantOf)),
    })),
  );
  const marked = (protection: Case["protection"]) =>
    Object.fromEntries(made.flatMap(({ imageId }, i) => (cases[i]?.protection === protection ? [[imageId, ["abc"]]] : [])));
  await emulator.configure({
    publicImageQuota: 1_000_000,
    productCodes: marked("product-code"),
    watermarks: marked("watermark"),
  });
  return made.map((image, i) => ({ ...image, keyId: keys[i] }));
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

/** The same for Terraform. */
export function terraformArgumentsOf(declared: Record<string, unknown>, image: MadeImage): Record<string, unknown> {
  const { createVolumePermissions: volumes, maxRevocations, ...args } = argumentsOf(declared, image);
  return valuesOf({
    ...args,
    ...(volumes === undefined || volumes === false ? {} : { createVolumePermissions: volumes === true ? {} : volumes }),
    ...(maxRevocations === undefined ? {} : { maxRevocations: maxRevocations === "none" ? 0 : maxRevocations }),
  });
}

/** The permissions in the form of the model. Snapshots without grantees are left out. */
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

/** The permissions as a sorted list of `resource grantee`, for comparisons. */
export function pairsOf(imageId: string, { launch, createVolume }: Permissions): string[] {
  const volumes = [...createVolume].flatMap(([snapshotId, keys]) => [...keys].map((key) => `${snapshotId} ${key}`));
  return [...[...launch].map((key) => `${imageId} ${key}`), ...volumes].sort();
}
