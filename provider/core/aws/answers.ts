/** The schemas that answers of EC2, KMS and STS must match before they are used. A list may be empty, but must be present. */

import * as v from "valibot";
import { ACCOUNT_ID } from "../model";

const text = v.pipe(v.string(), v.nonEmpty("is empty"));
/** Exactly the id that was asked for. */
const same = (id: string) =>
  v.pipe(
    text,
    v.check(
      (value) => value === id,
      ({ input }) => `is ${shown(input)}, and ${id} was asked for`,
    ),
  );
const list = <Item extends v.GenericSchema>(item: Item) => v.array(item, "is no list");
const token = v.object({ NextToken: v.optional(v.string()) });

interface Page {
  readonly NextToken?: string | undefined;
}

/** A page that was requested with a token. Its own token must be another one, or the paging would never end. */
export function pageAfter<Schema extends v.GenericSchema<unknown, Page>>(schema: Schema, { NextToken }: Page) {
  return v.pipe(
    schema,
    v.check((page) => !page.NextToken || page.NextToken !== NextToken, "names itself as the next page"),
  );
}

/** The answer to a change: it has no fields. The HTTP answer was checked before (see `wire.ts`). */
export const done = v.looseObject({});

const image = v.object({
  ImageId: text,
  OwnerId: text,
  State: text,
  Name: v.optional(v.string()),
  BlockDeviceMappings: v.optional(
    list(v.object({ Ebs: v.optional(v.object({ SnapshotId: v.optional(v.string()), Encrypted: v.optional(v.boolean()) })) })),
  ),
  ProductCodes: v.optional(list(v.object({ ProductCodeId: v.optional(v.string()) }))),
  ImageWatermarks: v.optional(list(v.object({ WatermarkKey: v.optional(v.string()) }))),
  CreationDate: v.optional(v.string()),
  DeprecationTime: v.optional(v.string()),
  DeregistrationProtection: v.optional(v.string()),
});
export type DescribedImage = v.InferOutput<typeof image>;

/** The image with this id, or no image. */
export const imageById = (imageId: string) =>
  v.object({
    Images: v.pipe(list(v.object({ ...image.entries, ImageId: same(imageId) })), v.maxLength(1, "names more than one image")),
  });

/** Only images that were asked for. */
export const imagesById = (imageIds: readonly string[]) =>
  v.object({ Images: list(v.object({ ...image.entries, ImageId: askedFor(imageIds) })) });

/** A page of images. */
export const images = v.object({ ...token.entries, Images: list(image) });

/** Only snapshots that were asked for. */
export const snapshotsById = (snapshotIds: readonly string[]) =>
  v.object({
    Snapshots: list(
      v.object({
        SnapshotId: askedFor(snapshotIds),
        Encrypted: v.optional(v.boolean(), false),
        KmsKeyId: v.optional(text),
      }),
    ),
  });

function askedFor(ids: readonly string[]) {
  return v.pipe(
    text,
    v.check(
      (id) => ids.includes(id),
      ({ input }) => `is ${shown(input)}, which was not asked for`,
    ),
  );
}

const grantee = v.object({
  UserId: v.optional(v.string()),
  Group: v.optional(v.string()),
  OrganizationArn: v.optional(v.string()),
  OrganizationalUnitArn: v.optional(v.string()),
});
export type DescribedGrantee = v.InferOutput<typeof grantee>;

export const launchPermissionsOf = (imageId: string) => v.object({ ImageId: same(imageId), LaunchPermissions: list(grantee) });

export const createVolumePermissionsOf = (snapshotId: string) =>
  v.object({
    SnapshotId: same(snapshotId),
    CreateVolumePermissions: list(v.object({ UserId: grantee.entries.UserId, Group: grantee.entries.Group })),
  });

export const regions = v.object({ Regions: list(v.object({ RegionName: text })) });

const managedBy = v.optional(v.string());
export const imageBlock = v.object({ ImageBlockPublicAccessState: text, ManagedBy: managedBy });
export const snapshotBlock = v.object({ State: text, ManagedBy: managedBy });

export const usageReportsOf = (imageId: string) =>
  v.object({
    ...token.entries,
    ImageUsageReports: list(
      v.object({
        ReportId: text,
        ImageId: same(imageId),
        State: text,
        StateReason: v.optional(v.string()),
        CreationTime: v.date(),
        AccountIds: v.optional(list(v.string()), []),
        ResourceTypes: v.optional(
          list(
            v.object({
              ResourceType: text,
              ResourceTypeOptions: v.optional(
                list(v.object({ OptionName: v.optional(v.string()), OptionValues: v.optional(list(v.string())) })),
                [],
              ),
            }),
          ),
          [],
        ),
      }),
    ),
  });

export const madeUsageReport = v.object({ ReportId: text });

export const usageEntriesOf = (reportId: string) =>
  v.object({
    ...token.entries,
    ImageUsageReportEntries: list(
      v.object({ ReportId: v.optional(same(reportId)), AccountId: text, ResourceType: text, UsageCount: v.number() }),
    ),
  });

/** The key with this id or ARN. If the key was requested by an alias, the id in the answer cannot be compared. */
export const keyById = (keyId: string) =>
  v.object({
    KeyMetadata: v.object({
      KeyId: v.pipe(
        text,
        v.check(
          (id) => keyId === id || keyId.endsWith(`/${id}`) || /^(arn:[^/]*:)?alias\//.test(keyId),
          ({ input }) => `is ${shown(input)}, and ${keyId} was asked for`,
        ),
      ),
      KeyManager: v.picklist(["AWS", "CUSTOMER"], "is neither AWS nor CUSTOMER"),
    }),
  });

export const keyPolicy = v.object({ Policy: v.pipe(text, v.check(isJsonObject, "is no policy")) });

/** The page of grants that was requested with this marker. */
export const keyGrants = (marker: string | undefined) =>
  v.pipe(
    v.object({
      Truncated: v.nullish(v.boolean()),
      NextMarker: v.nullish(v.string()),
      Grants: list(
        v.object({
          GrantId: text,
          Name: v.nullish(v.string()),
          GranteePrincipal: v.nullish(v.string()),
          Operations: v.optional(list(v.string()), []),
        }),
      ),
    }),
    v.check(({ Truncated, NextMarker }) => !Truncated || Boolean(NextMarker), "is truncated, and has no marker of the next page"),
    v.check(({ NextMarker }) => !NextMarker || NextMarker !== marker, "names itself as the next page"),
  );

export const madeGrant = v.object({ GrantId: text });

export const callerIdentity = v.object({ Account: v.pipe(v.string(), v.regex(ACCOUNT_ID, "is no account id")) });

function isJsonObject(value: string): boolean {
  try {
    const parsed: unknown = JSON.parse(value);
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed);
  } catch {
    return false;
  }
}

function shown(value: unknown): string {
  const words = String(value);
  return words.length > 60 ? `${words.slice(0, 57)}...` : words;
}

/** A page of the accounts of an organization. An account without a name is left out. */
export const organizationAccounts = v.object({
  Accounts: list(v.object({ Id: v.pipe(v.string(), v.regex(ACCOUNT_ID, "is no account id")), Name: v.optional(v.string()) })),
  NextToken: v.optional(v.string()),
});
