/** The report as data: what `--json` writes. Its JSON schema is generated from this file, and published in docs/report.schema.json. */

import * as v from "valibot";
import { ALL_RISKS } from "./risks";

/** The version of the form. A new field raises the second number, and any other change the first. */
export const FORMAT_VERSION = "1.0";

const described = <Schema extends v.GenericSchema>(schema: Schema, text: string) => v.pipe(schema, v.description(text));
const texts = (text: string) => described(v.array(v.string()), text);
const count = v.pipe(v.number(), v.integer(), v.minValue(0));

/** What a grantee may do with an AMI. */
const access = v.object({
  launch: described(v.boolean(), "Whether it may launch the AMI."),
  createVolume: described(
    v.union([v.picklist(["none", "all"]), v.array(v.string())]),
    "The snapshots of the AMI that it may create volumes from: none, all, or their ids.",
  ),
});

const grant = v.object({
  grantee: described(
    v.string(),
    "The grantee, as in the map grants of a set: account/111122223333, an ARN, public, or user/aws-marketplace. account/[unknown] is known only after the change.",
  ),
  kind: v.picklist(["account", "organization", "organizationalUnit", "public", "other"]),
  name: described(v.optional(v.string()), "The name of the account, if the report was made with names."),
  allowed: described(
    v.optional(v.boolean()),
    "false: it has access (in a plan: after the change), and the list of allowed grantees does not have it. Absent otherwise, and in a report without such a list.",
  ),
  change: described(
    v.picklist(["gains", "loses", "gains and loses", "keeps"]),
    "What happens to its access. gains and loses: it gets one permission and loses another.",
  ),
  before: access,
  after: access,
  why: described(v.optional(v.string()), "The reason, if the engine gives one."),
});

const hidden = v.object({
  gains: described(v.optional(count), "How many gain access. Absent: not known."),
  loses: described(v.optional(count), "How many lose access. Absent: not known."),
  keeps: described(v.optional(count), "How many keep access. Absent: not known."),
});

const broadening = v.object({
  kind: described(
    v.picklist(["public", "organization", "organizationalUnit", "createVolume"]),
    "Who gains: everybody, all accounts of an organization or of a unit; or which permission: createVolume lets an account copy the disks.",
  ),
  text: v.string(),
});

const set = v.object({
  name: described(v.string(), "The name of the resource in Pulumi, its address in Terraform."),
  address: described(v.string(), "The URN or the address."),
  action: described(
    v.picklist(["create", "update", "replace", "delete", "same", "import", "forget"]),
    "What the engine does with the set. forget: it no longer manages the set, and changes nothing.",
  ),
  movedFrom: described(v.optional(v.string()), "The address before the change."),
  mode: v.optional(v.picklist(["authoritative", "additive"])),
});

const snapshot = v.object({
  snapshotId: v.string(),
  encrypted: v.boolean(),
  kmsKeyId: v.optional(v.string()),
});

const usage = v.object({
  accountId: v.string(),
  name: v.optional(v.string()),
  resourceType: described(v.string(), "Such as ec2:Instance or ec2:LaunchTemplate."),
  count,
});

/** What only a report on EC2 itself has. */
const details = v.object({
  state: described(v.optional(v.string()), "EC2's state: available, pending, disabled, …"),
  encrypted: described(v.boolean(), "Whether a snapshot is encrypted. Then launching also needs access to the key."),
  public: described(v.boolean(), "Whether everybody may launch the AMI, or create volumes from one of its snapshots."),
  createdAt: v.optional(v.string()),
  deprecatedAt: described(v.optional(v.string()), "The time after which new users no longer find the AMI in lists."),
  deregistrationProtection: described(v.optional(v.string()), "EC2's value, such as enabled or disabled."),
  watermarks: described(v.optional(v.array(v.string())), "The keys of its watermarks."),
  usage: described(
    v.optional(v.array(usage)),
    "Who uses the AMI, by EC2's usage report. Absent: it was not asked for, or is not known.",
  ),
});

const ami = v.object({
  label: described(v.string(), "The AMI's id, or how it is called where the id is not known yet, or hidden."),
  imageId: v.optional(v.string()),
  region: v.optional(v.string()),
  name: v.optional(v.string()),
  ownerId: v.optional(v.string()),
  sets: v.array(set),
  grants: described(v.array(grant), "Sorted: who gains and loses first, then by grantee."),
  hidden: described(v.optional(hidden), "Grantees that are not named, because they are a secret of the program."),
  broadens: v.array(broadening),
  cannotTell: described(
    v.array(v.picklist(ALL_RISKS)),
    "What the source does not tell about this AMI. The notes say why. --fail-on counts it as found.",
  ),
  warnings: texts("What the engine warns of."),
  errors: texts("What will fail. In a check: why the AMI could not be compared."),
  notes: texts("What the source cannot tell, and other remarks."),
  snapshots: v.optional(v.array(snapshot)),
  details: v.optional(details),
});

export const reportSchema = v.object({
  formatVersion: described(v.string(), "The version of this form, such as 1.0."),
  kind: described(
    v.picklist(["pulumi-preview", "terraform-plan", "live", "audit", "check"]),
    "What the report was made from. live and audit: EC2, without a change. check: declared sets against EC2.",
  ),
  tool: described(v.string(), "The tool and its version."),
  readAt: described(v.optional(v.string()), "When EC2 was read. Absent for files."),
  summary: v.object({
    amis: count,
    gains: described(count, "How many times a grantee gains access to an AMI, hidden ones included."),
    loses: described(count, "How many times a grantee loses access to an AMI, hidden ones included."),
    keeps: described(count, "How many times a grantee keeps its access to an AMI, hidden ones included."),
    risks: described(v.array(v.picklist(ALL_RISKS)), "What --fail-on can find in this report."),
    cannotTell: described(v.array(v.picklist(ALL_RISKS)), "What the source does not tell about some AMI."),
  }),
  amis: v.array(ami),
  warnings: texts("Warnings that are about no single AMI."),
  notes: texts("Remarks that are about no single AMI."),
});

export type Report = v.InferOutput<typeof reportSchema>;
export type ReportedAmi = v.InferOutput<typeof ami>;
export type ReportedGrant = v.InferOutput<typeof grant>;
export type ReportedSet = v.InferOutput<typeof set>;
export type Access = v.InferOutput<typeof access>;
export type Hidden = v.InferOutput<typeof hidden>;
export type Details = v.InferOutput<typeof details>;
export type ReportedSnapshot = v.InferOutput<typeof snapshot>;
