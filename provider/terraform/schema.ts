/** What users of Terraform can write and read: the attributes of provider, resource, identity, data sources and list, with their words; no behaviour. */

/** A type that is made of no other. */
export type AttributePrimitive = "string" | "bool" | "number";

/** A type as Terraform writes it: `"string"`, `["set", "string"]`, … */
export type AttributeType = AttributePrimitive | readonly ["set" | "list" | "map", AttributePrimitive];

/** Who gives an attribute its value. `optionalComputed`: what the configuration leaves out, the provider fills in. */
export type AttributeRole = "required" | "optional" | "computed" | "optionalComputed";

/** An attribute as Terraform's documentation shows it. */
export interface Attribute {
  /** Who gives it its value. */
  readonly role: AttributeRole;
  /** Markdown. */
  readonly description: string;
  /** Absent for a nested one. */
  readonly type?: AttributeType;
  /** Its attributes, where it is an object or a list of objects. */
  readonly nested?: { readonly nesting: "SINGLE" | "LIST"; readonly attributes: Attributes };
}

/** Attributes by their names in Terraform. */
export type Attributes = Readonly<Record<string, Attribute>>;

/** What a configuration can write in one kind of block, or read of it. */
export interface Schema {
  /** Of the state's form; a change of it needs an upgrade. */
  readonly version: number;
  /** Markdown. */
  readonly description: string;
  /** By their names in Terraform. */
  readonly attributes: Attributes;
}

/** What a configuration names as `source`, in full; on Terraform `ami-launch-permissions/ami` is the same. */
export const PROVIDER_ADDRESS = "registry.terraform.io/ami-launch-permissions/ami";
/** The resource's type. */
export const RESOURCE = "ami_launch_permission_set";
/** The data source's type. */
export const DATA_SOURCE = "ami_launch_permissions";
/** The type of the data source that finds AMIs. */
export const AUDIT = "ami_launch_permission_audit";

const STRINGS = ["set", "string"] as const;

/** The provider block. */
export const PROVIDER_SCHEMA: Schema = {
  version: 0,
  description:
    "Shares AMIs, and the EBS snapshots behind them, with exactly the accounts, organizations and units that are named. What is left out here comes from the environment and the shared AWS files, as for the `aws` provider.",
  attributes: {
    region: {
      role: "optional",
      type: "string",
      description:
        "The region of sets and data sources that name none. Default: `AWS_REGION`, `AWS_DEFAULT_REGION`, then the profile's.",
    },
    profile: {
      role: "optional",
      type: "string",
      description:
        "A profile of the shared AWS files; it wins over keys in the environment. Default: keys in the environment, then `AWS_PROFILE`.",
    },
    endpoint: {
      role: "optional",
      type: "string",
      description: "EC2's endpoint, a URL. On loopback, STS and KMS are looked for there, too. Default: AWS's.",
    },
    assume_role: {
      role: "optional",
      description: "A role to assume with the credentials found.",
      nested: {
        nesting: "SINGLE",
        attributes: {
          role_arn: { role: "required", type: "string", description: "The role's ARN." },
          external_id: {
            role: "optional",
            type: "string",
            description: "The external id that the role's trust policy asks for.",
          },
          session_name: {
            role: "optional",
            type: "string",
            description: "The session's name in CloudTrail. Default: `ami-launch-permissions`.",
          },
        },
      },
    },
    max_retries: {
      role: "optional",
      type: "number",
      description: "Attempts of one EC2 call after the first. Default: `AWS_MAX_ATTEMPTS` less 1, or 7.",
    },
  },
};

/** The resource `ami_launch_permission_set`. */
export const RESOURCE_SCHEMA: Schema = {
  version: 0,
  description:
    "The launch permissions of an AMI and the create-volume permissions of its snapshots, as one set, changed in one batch. `grants` shows in a plan, grantee by grantee, who gains and who loses access.",
  attributes: {
    image_id: {
      role: "required",
      type: "string",
      description:
        "The AMI. A change replaces the set; with `create_before_destroy` the new AMI is shared before the old one is unshared.",
    },
    account_ids: {
      role: "optional",
      type: STRINGS,
      description:
        "Accounts that may launch the AMI. The owner's own is left out: it always has access. `[]` says that nobody may, which an authoritative set has to say where it names no grantee.",
    },
    organization_arns: {
      role: "optional",
      type: STRINGS,
      description: "Organizations, by full ARN, all of whose accounts may launch the AMI. Default: none.",
    },
    organizational_unit_arns: {
      role: "optional",
      type: STRINGS,
      description: "Organizational units, by full ARN; those nested in them inherit. Default: none.",
    },
    public: {
      role: "optionalComputed",
      type: "bool",
      description: "Every AWS account. Needs `acknowledge_public = true`. Default: `false`.",
    },
    acknowledge_public: {
      role: "optional",
      type: "bool",
      description: "Says that sharing with everybody is meant. Default: `false`.",
    },
    create_volume_permissions: {
      role: "optional",
      description:
        "Create-volume permission on the AMI's snapshots, which copying the AMI needs and launching does not. `{}`: for the set's accounts on every EBS snapshot. Default: none, and not managed.",
      nested: {
        nesting: "SINGLE",
        attributes: {
          account_ids: { role: "optional", type: STRINGS, description: "Default: the set's `account_ids`." },
          snapshot_ids: {
            role: "optional",
            type: STRINGS,
            description: "Default: every EBS snapshot in the AMI's block device mappings.",
          },
          public: { role: "optional", type: "bool", description: "Everybody. Default: `false`." },
        },
      },
    },
    max_revocations: {
      role: "optional",
      type: "number",
      description:
        "How many grantees one change may take access from; more fails the plan. A destroy is not counted. Default: any number.",
    },
    unrecorded: {
      role: "optional",
      type: "string",
      description:
        "What becomes of a change that would take access from somebody whom the state does not record. `revoke`: a new set revokes; an update leaves them, and the next plan shows them. `refuse`: the change fails, and names them all. Default: `revoke`.",
    },
    never_revoke: {
      role: "optional",
      type: STRINGS,
      description: "Accounts that no change of this set, a destroy included, takes access from. Default: none.",
    },
    kms_access: {
      role: "optional",
      type: "string",
      description:
        "For the customer managed keys of encrypted snapshots. `check`: plans warn of accounts that they do not admit. `grant`: a KMS grant for each account, revoked with its share. `ignore`: nothing. Default: `check`.",
    },
    check_usage: {
      role: "optional",
      type: "bool",
      description:
        "Plans ask EC2's usage report and warn of accounts that still use the AMI before they lose it. Default: `false`.",
    },
    mode: {
      role: "optionalComputed",
      type: "string",
      description:
        "`authoritative`: exactly this set, all else is revoked. `additive`: only add, and later remove what this set added. Default: `authoritative`.",
    },
    on_delete: {
      role: "optionalComputed",
      type: "string",
      description:
        "What a destroy takes away. `revoke`: what this set granted. `reset`: every grant, others' too. `retain`: nothing. Default: `revoke`.",
    },
    region: {
      role: "optionalComputed",
      type: "string",
      description: "The AMI's region; a change replaces the set. Default: the provider's.",
    },
    timeouts: {
      role: "optional",
      description:
        "How long to wait until EC2 shows a change, and for a pending AMI: Go's durations, such as `30m` or `1h30m`. A change of them alone calls nothing. Default: `20m` each.",
      nested: {
        nesting: "SINGLE",
        attributes: {
          create: { role: "optional", type: "string", description: "For a new set. Default: `20m`." },
          update: { role: "optional", type: "string", description: "For a change of the set. Default: `20m`." },
          delete: { role: "optional", type: "string", description: "Until what the set granted is gone. Default: `20m`." },
        },
      },
    },
    id: { role: "computed", type: "string", description: "The AMI's id." },
    owner_id: { role: "computed", type: "string", description: "The account that owns the AMI." },
    snapshot_ids: { role: "computed", type: STRINGS, description: "The EBS snapshots of the AMI." },
    grants: {
      role: "computed",
      type: ["map", "string"],
      description:
        "Who has access: grantee (`account/111122223333`, an ARN, or `public`) → `launch`, `createVolume` or `launch, createVolume`; where create-volume holds on some snapshots only, the text says on which.",
    },
  },
};

/** Who may launch an AMI and who may create volumes from its snapshots, as it is read. */
const PERMISSIONS: Attributes = {
  owner_id: { role: "computed", type: "string", description: "The account that owns the AMI." },
  name: { role: "computed", type: "string", description: "The AMI's name." },
  account_ids: { role: "computed", type: STRINGS, description: "Accounts that may launch the AMI, without its owner." },
  organization_arns: { role: "computed", type: STRINGS, description: "Organizations all of whose accounts may launch it." },
  organizational_unit_arns: { role: "computed", type: STRINGS, description: "Organizational units whose accounts may." },
  public: { role: "computed", type: "bool", description: "Whether every AWS account may." },
  other_user_ids: { role: "computed", type: STRINGS, description: "Users that are no accounts, such as `aws-marketplace`." },
  encrypted: {
    role: "computed",
    type: "bool",
    description: "Whether any snapshot is encrypted: then accounts that launch need its key, too.",
  },
  snapshot_ids: { role: "computed", type: STRINGS, description: "The EBS snapshots of the AMI." },
  snapshots: {
    role: "computed",
    description: "The EBS snapshots of the AMI, by id, and who may create volumes from them.",
    nested: {
      nesting: "LIST",
      attributes: {
        snapshot_id: { role: "computed", type: "string", description: "The snapshot." },
        account_ids: { role: "computed", type: STRINGS, description: "Accounts that may create volumes from it." },
        public: { role: "computed", type: "bool", description: "Whether every AWS account may." },
        encrypted: { role: "computed", type: "bool", description: "Whether it is encrypted." },
        kms_key_id: { role: "computed", type: "string", description: "The ARN of its key, where it is encrypted." },
      },
    },
  },
  grants: {
    role: "computed",
    type: ["map", "string"],
    description: "The same as grantee → permissions, as in the resource's `grants`.",
  },
};

/** The data source `ami_launch_permissions`. */
export const DATA_SOURCE_SCHEMA: Schema = {
  version: 0,
  description: "Who an AMI of the caller's is shared with now, whoever shared it: the Permissions tab of the EC2 console.",
  attributes: {
    image_id: { role: "required", type: "string", description: "The AMI; EC2 shows permissions to its owner only." },
    region: { role: "optionalComputed", type: "string", description: "The AMI's region. Default: the provider's." },
    id: { role: "computed", type: "string", description: "The AMI's id." },
    ...PERMISSIONS,
  },
};

/** The data source `ami_launch_permission_audit`. */
export const AUDIT_SCHEMA: Schema = {
  version: 0,
  description:
    "The AMIs of a region that concern sharing: the caller's own, each with who it is shared with now, or those of other accounts that are shared with the caller.",
  attributes: {
    owner: {
      role: "optionalComputed",
      type: "string",
      description:
        "`self`: the caller's own AMIs, disabled ones too, with their grants. `others`: AMIs of other accounts that are shared with the caller's account, organization or unit; public ones are not among them, and EC2 shows their grants to their owner only. Default: `self`.",
    },
    include_snapshots: {
      role: "optionalComputed",
      type: "bool",
      description:
        "For own AMIs: whether to read who may create volumes from their snapshots, one call each; `false` leaves `snapshots` empty and `grants` with launch only. Default: `true`.",
    },
    region: { role: "optionalComputed", type: "string", description: "The region to look in. Default: the provider's." },
    id: { role: "computed", type: "string", description: "The region." },
    amis: {
      role: "computed",
      description: "The AMIs, by id. An AMI that goes away meanwhile is left out; one that cannot be read fails the whole.",
      nested: {
        nesting: "LIST",
        attributes: {
          image_id: { role: "computed", type: "string", description: "The AMI." },
          region: { role: "computed", type: "string", description: "Its region." },
          state: {
            role: "computed",
            type: "string",
            description: "Of others' AMIs: EC2's state, `available`, `pending`, `failed`, …",
          },
          ...PERMISSIONS,
        },
      },
    },
  },
};

/** What tells a set from all others for life; required and optional are meant for an import, where the provider fills in the rest. */
export const IDENTITY_SCHEMA: Schema = {
  version: 0,
  description: "The AMI, its region and its owner.",
  attributes: {
    image_id: { role: "required", type: "string", description: "The AMI." },
    region: { role: "optional", type: "string", description: "The AMI's region. Default of an import: the provider's." },
    account_id: {
      role: "optional",
      type: "string",
      description: "The account that owns the AMI. An import that names it is refused where another one does.",
    },
  },
};

/** The list resource, `list "ami_launch_permission_set"` in a file for `terraform query`. */
export const LIST_SCHEMA: Schema = {
  version: 0,
  description:
    "The caller's own AMIs that are shared, by launch permissions or create-volume permissions, with anybody but their owner.",
  attributes: {
    region: { role: "optional", type: "string", description: "The region to look in. Default: the provider's." },
  },
};
