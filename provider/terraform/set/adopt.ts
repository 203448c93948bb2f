/** The state of a set that Terraform did not create: imported, listed, or moved from a resource of the aws provider. */

import {
  type AmiPermissions,
  AmiSharingError,
  adoptionOf,
  decodeDeclaredSet,
  describePermissions,
  encodeRecorded,
  type Grantee,
  granteeKey,
  UNKNOWN,
} from "../../core";
import { nulls, valuesOf } from "../arguments";
import { type Diagnostic, inTerraformWords, readingDiagnostic } from "../diagnostics";
import { DEFAULTS, RESOURCE_SCHEMA } from "../schema";
import type { ObjectValue } from "../values";
import { privateIn, recordedIn, type SetContext, type SetResult, type StoredSet, setIn, valuesIn } from "./state";

/**
 * The state of an AMI as it is shared now.
 *
 * @param id `ami-…`, or `region/ami-…`
 */
export async function importSet(id: string, { config, isBridge }: SetContext): Promise<SetResult> {
  const failed = (diagnostic: Diagnostic) => ({ state: null, private: {}, diagnostics: [diagnostic] });
  const parts = id.split("/");
  const imageId = parts.pop() ?? "";
  const named = parts.pop();
  const decoded = decodeDeclaredSet({ imageId, region: named });
  if (parts.length > 0 || "problems" in decoded)
    return failed({
      severity: "ERROR",
      summary: `Invalid import id "${id}"`,
      detail:
        'Write the AMI\'s id, or its region and its id: "ami-1234567890abcdef0" or "eu-west-1/ami-1234567890abcdef0" [invalid-argument]',
    });
  try {
    const region = named ?? (await config.regionFor(undefined));
    if (region === UNKNOWN || !config.isKnown)
      throw new AmiSharingError("region-missing", "the provider's configuration is not known yet", {
        next: "import with values that are known, or name the region in the id",
      });
    return adopted(await describePermissions(config.gateway(region), imageId), isBridge);
  } catch (error) {
    return failed(readingDiagnostic(`AMI ${imageId} cannot be imported`, error));
  }
}

/** The state of one grant of terraform-provider-aws's `aws_ami_launch_permission`; undefined where it names no AMI. */
export function movedSet(source: ObjectValue): StoredSet | undefined {
  const { image_id: imageId, account_id, organization_arn, organizational_unit_arn, group } = source;
  if (typeof imageId !== "string") return undefined;
  const grantee: Grantee | undefined =
    typeof account_id === "string" && account_id !== ""
      ? { kind: "account", accountId: account_id }
      : typeof organization_arn === "string" && organization_arn !== ""
        ? { kind: "organization", arn: organization_arn }
        : typeof organizational_unit_arn === "string" && organizational_unit_arn !== ""
          ? { kind: "organizationalUnit", arn: organizational_unit_arn }
          : group === "all"
            ? { kind: "public" }
            : undefined;
  if (!grantee) return undefined;
  const state: ObjectValue = {
    ...nulls(RESOURCE_SCHEMA.attributes),
    ...DEFAULTS,
    id: imageId,
    image_id: imageId,
    region: source.region ?? null,
    ...(grantee.kind === "account" ? { account_ids: [grantee.accountId] } : {}),
    ...(grantee.kind === "organization" ? { organization_arns: [grantee.arn] } : {}),
    ...(grantee.kind === "organizationalUnit" ? { organizational_unit_arns: [grantee.arn] } : {}),
    ...(grantee.kind === "public" ? { public: true, acknowledge_public: true } : {}),
    grants: { [granteeKey(grantee)]: "launch" },
  };
  return { state, private: {} };
}

/**
 * The state of a set that has an AMI as it is shared.
 *
 * @param isBridge write lists out, as the bridge drops an empty object
 */
export function adopted(permissions: AmiPermissions, isBridge = false): SetResult {
  const { declared, comments } = adoptionOf(permissions);
  const { createVolumePermissions: volumes, ...args } = declared;
  const alike = {
    ...(isBridge && permissions.accountIds.length > 0 ? { accountIds: permissions.accountIds } : {}),
    ...(permissions.public ? { public: true } : {}),
  };
  const { ownerId, imageId, snapshots, grants } = permissions;
  const state: ObjectValue = {
    ...nulls(RESOURCE_SCHEMA.attributes),
    ...DEFAULTS,
    ...valuesOf({ ...args, ...(volumes ? { createVolumePermissions: volumes === true ? alike : volumes } : {}) }),
    id: imageId,
    ...valuesOf({ ownerId, snapshotIds: snapshots.map(({ snapshotId }) => snapshotId) }),
    grants,
  };
  const summary = `AMI ${imageId} has grants that the imported set does not declare`;
  const detail = inTerraformWords(comments.join("\n"));
  const diagnostics = comments.length > 0 ? [{ severity: "WARNING", summary, detail } as const] : [];
  const set = setIn(state);
  if (!set) return { state, private: {}, diagnostics };
  const outputs = encodeRecorded(set, recordedIn({ state, private: {} }));
  return { state: { ...state, ...valuesIn(outputs) }, private: privateIn(outputs), diagnostics };
}
