/** What users of Terraform can write and read: the attributes of provider, resource, identity, data sources and list, with their words; no behaviour. */

import {
  type Argument,
  type Arguments,
  descriptionOf,
  OUTPUTS,
  type Output,
  PROVIDER_ARGUMENTS,
  REPLACING as REPLACING_ARGUMENTS,
  SET_ARGUMENTS,
} from "../core";
import { inTerraformWords, snakeCase } from "./diagnostics";

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

/** The types of arguments and outputs that hold no others. */
const TYPES = {
  string: "string",
  boolean: "bool",
  number: "number",
  strings: STRINGS,
  accounts: STRINGS,
  grants: ["map", "string"],
} as const;

/** The provider block. */
export const PROVIDER_SCHEMA: Schema = {
  version: 0,
  description:
    "Shares AMIs, and the EBS snapshots behind them, with exactly the accounts, organizations and units that are named. What is left out here comes from the environment and the shared AWS files, as for the `aws` provider.",
  attributes: attributesOf(PROVIDER_ARGUMENTS),
};

/** The resource `ami_launch_permission_set`. */
export const RESOURCE_SCHEMA: Schema = {
  version: 0,
  description:
    "The launch permissions of an AMI and the create-volume permissions of its snapshots, as one set, changed in one batch. `grants` shows in a plan, grantee by grantee, who gains and who loses access.",
  attributes: { ...attributesOf(SET_ARGUMENTS), ...computed(OUTPUTS) },
};

/** The attributes whose change replaces a set. */
export const REPLACING = REPLACING_ARGUMENTS.map(snakeCase);

/** What a set's state holds where the configuration leaves an attribute out. */
export const DEFAULTS: Readonly<Record<string, string | boolean>> = Object.fromEntries(
  Object.entries<Argument>(SET_ARGUMENTS).flatMap(([name, argument]) =>
    argument.isComputedInTerraform && argument.default !== undefined ? [[snakeCase(name), argument.default]] : [],
  ),
);

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

function attributesOf(args: Arguments): Attributes {
  return Object.fromEntries(Object.entries(args).map(([name, argument]) => [snakeCase(name), attributeOf(argument)]));
}

function attributeOf(argument: Argument): Attribute {
  const { type, isRequired, isComputedInTerraform } = argument;
  const role = isRequired ? "required" : isComputedInTerraform ? "optionalComputed" : "optional";
  const description = inTerraformWords(descriptionOf(argument, "terraform"));
  if (typeof type === "string") return { role, description, type: TYPES[type] };
  if ("values" in type) return { role, description, type: "string" };
  return { role, description, nested: { nesting: "SINGLE", attributes: attributesOf(type.members) } };
}

function computed(outputs: Readonly<Record<string, Output>>): Attributes {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { type, text }]) => [
      snakeCase(name),
      { role: "computed", description: text, type: TYPES[type] },
    ]),
  );
}
