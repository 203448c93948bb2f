/** Reads the attributes of AMIs and of the old resources, which have one principal each. Both engines use the same names, in another case. */

import * as v from "valibot";
import type { KnownImage, OldGrant, OldGrantee } from "./oldState";

/** Attributes with Terraform's names. */
export type Attributes = Readonly<Record<string, unknown>>;

/** A value that is not a text counts as missing: it can come from an older schema, or be a secret or null. */
const text = v.fallback(v.optional(v.pipe(v.string(), v.minLength(1))), undefined);
const GRANT = v.object({
  image_id: text,
  snapshot_id: text,
  account_id: text,
  organization_arn: text,
  organizational_unit_arn: text,
  group: text,
  region: text,
});
const DEVICE = v.fallback(
  v.object({ snapshot_id: text, ebs: v.fallback(v.optional(v.object({ snapshot_id: text })), undefined) }),
  {} as { snapshot_id: undefined; ebs: undefined },
);
const devices = v.fallback(v.optional(v.array(DEVICE), []), []);
/**
 * hashicorp/terraform-provider-aws: `aws_ami`, `aws_ami_copy`, `aws_ami_from_instance` and the data source `aws_ami`; pulumi-aws has a
 * plural of its own.
 */
const IMAGE = v.object({
  id: text,
  arn: text,
  region: text,
  owner_id: text,
  root_snapshot_id: text,
  ebs_block_device: devices,
  ebs_block_devices: devices,
  block_device_mappings: devices,
});

/** The grant of one old resource. */
export function grantOf(attributes: Attributes): Pick<OldGrant, "resourceId" | "grantee" | "region"> {
  const { image_id, snapshot_id, region, ...who } = v.parse(GRANT, attributes);
  return { resourceId: image_id ?? snapshot_id, grantee: granteeOf(who), region };
}

function granteeOf(who: Partial<v.InferOutput<typeof GRANT>>): OldGrantee | undefined {
  if (who.account_id) return { argument: "accountIds", value: who.account_id };
  if (who.organization_arn) return { argument: "organizationArns", value: who.organization_arn };
  if (who.organizational_unit_arn) return { argument: "organizationalUnitArns", value: who.organizational_unit_arn };
  return who.group === "all" ? { argument: "public" } : undefined;
}

/** What a state contains about an AMI; undefined if it does not have the id. */
export function imageOf(attributes: Attributes): KnownImage | undefined {
  const { id, arn, region, owner_id, root_snapshot_id, ...found } = v.parse(IMAGE, attributes);
  if (id === undefined) return undefined;
  const ids = [...found.ebs_block_device, ...found.ebs_block_devices, ...found.block_device_mappings].map(
    (device) => device.snapshot_id ?? device.ebs?.snapshot_id,
  );
  return {
    imageId: id,
    // arn:aws:ec2:us-east-1::image/ami-…
    region: region ?? arn?.split(":")[3],
    ownerId: owner_id,
    snapshotIds: [...new Set([...ids, root_snapshot_id].filter((one) => one !== undefined))],
  };
}
