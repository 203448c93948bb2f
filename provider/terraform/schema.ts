/** The Terraform schemas of provider, resource, identity, data sources and list: attributes and their descriptions, without behaviour. */

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

/** A type without elements. */
export type AttributePrimitive = "string" | "bool" | "number";

/** A type as Terraform writes it: `"string"`, `["set", "string"]`, … */
export type AttributeType = AttributePrimitive | readonly ["set" | "list" | "map", AttributePrimitive];

/** Who sets the value of an attribute. `optionalComputed`: the provider sets it if the configuration does not. */
export type AttributeRole = "required" | "optional" | "computed" | "optionalComputed";

/** An attribute of a schema. */
export interface Attribute {
  /** Who sets its value. */
  readonly role: AttributeRole;
  /** Markdown. */
  readonly description: string;
  /** Absent if the attribute is nested. */
  readonly type?: AttributeType;
  /** The attributes of an object, or of each object in a list. */
  readonly nested?: { readonly nesting: "SINGLE" | "LIST"; readonly attributes: Attributes };
}

/** Attributes by their names in Terraform. */
export type Attributes = Readonly<Record<string, Attribute>>;

/** The schema of a block or of an identity. */
export interface Schema {
  /** The version of the state's format. State of another version has to be upgraded. */
  readonly version: number;
  /** Markdown. */
  readonly description: string;
  /** By their names in Terraform. */
  readonly attributes: Attributes;
}

/** The full source address of the provider. With Terraform, `ami-launch-permissions/ami` means the same. */
export const PROVIDER_ADDRESS = "registry.terraform.io/ami-launch-permissions/ami";
/** The type of the resource. */
export const RESOURCE = "ami_launch_permission_set";
/** The type of the data source that reads one AMI. */
export const DATA_SOURCE = "ami_launch_permissions";
/** The type of the data source that lists AMIs. */
export const AUDIT = "ami_launch_permission_audit";

const STRINGS = ["set", "string"] as const;

/** The Terraform types of arguments and outputs that are not objects. */
const TYPES = {
  string: "string",
  boolean: "bool",
  number: "number",
  strings: STRINGS,
  accounts: STRINGS,
  names: ["map", "string"],
  grants: ["map", "string"],
} as const;

/** The provider block. */
export const PROVIDER_SCHEMA: Schema = {
  version: 0,
  description:
    "Shares AMIs and their EBS snapshots with the accounts, organizations and units that a configuration names. Arguments that are left out come from the environment and the shared AWS files, as for the `aws` provider.",
  attributes: attributesOf(PROVIDER_ARGUMENTS),
};

/** The resource `ami_launch_permission_set`. */
export const RESOURCE_SCHEMA: Schema = {
  version: 0,
  description:
    "The launch permissions of an AMI and the create-volume permissions of its snapshots, as one set. In a plan, `grants` shows for each grantee who gains and who loses access.",
  attributes: { ...attributesOf(SET_ARGUMENTS), ...computed(OUTPUTS) },
};

/** The attributes whose change replaces a set. */
export const REPLACING = REPLACING_ARGUMENTS.map(snakeCase);

/** The values in the state of attributes that the configuration leaves out. */
export const DEFAULTS: Readonly<Record<string, string | boolean>> = Object.fromEntries(
  Object.entries<Argument>(SET_ARGUMENTS).flatMap(([name, argument]) =>
    argument.isComputedInTerraform && argument.default !== undefined ? [[snakeCase(name), argument.default]] : [],
  ),
);

/** The attributes of data sources: who may launch an AMI, and who may create volumes from its snapshots. */
const PERMISSIONS: Attributes = {
  owner_id: { role: "computed", type: "string", description: "The account that owns the AMI." },
  name: { role: "computed", type: "string", description: "The AMI's name." },
  account_ids: { role: "computed", type: STRINGS, description: "Accounts that may launch the AMI. The owner is left out." },
  organization_arns: { role: "computed", type: STRINGS, description: "Organizations whose accounts may launch the AMI." },
  organizational_unit_arns: {
    role: "computed",
    type: STRINGS,
    description: "Organizational units whose accounts may launch the AMI.",
  },
  public: { role: "computed", type: "bool", description: "Whether every AWS account may launch the AMI." },
  other_user_ids: { role: "computed", type: STRINGS, description: "Users that are not accounts, such as `aws-marketplace`." },
  encrypted: {
    role: "computed",
    type: "bool",
    description: "Whether any snapshot is encrypted. Accounts that launch the AMI then also need access to the key.",
  },
  snapshot_ids: { role: "computed", type: STRINGS, description: "The EBS snapshots of the AMI." },
  snapshots: {
    role: "computed",
    description: "The EBS snapshots of the AMI, sorted by id, and who may create volumes from them.",
    nested: {
      nesting: "LIST",
      attributes: {
        snapshot_id: { role: "computed", type: "string", description: "The snapshot." },
        account_ids: { role: "computed", type: STRINGS, description: "Accounts that may create volumes from the snapshot." },
        public: {
          role: "computed",
          type: "bool",
          description: "Whether every AWS account may create volumes from the snapshot.",
        },
        encrypted: { role: "computed", type: "bool", description: "Whether the snapshot is encrypted." },
        kms_key_id: { role: "computed", type: "string", description: "The ARN of the key, if the snapshot is encrypted." },
      },
    },
  },
  grants: {
    role: "computed",
    type: ["map", "string"],
    description: "A map from grantee to permissions, as in `grants` of the resource.",
  },
};

/** The data source `ami_launch_permissions`. */
export const DATA_SOURCE_SCHEMA: Schema = {
  version: 0,
  description: "Who one of the caller's own AMIs is shared with now. This is what the Permissions tab of the EC2 console shows.",
  attributes: {
    image_id: { role: "required", type: "string", description: "The AMI. EC2 shows permissions only to the owner." },
    region: { role: "optionalComputed", type: "string", description: "The AMI's region. Default: the provider's." },
    id: { role: "computed", type: "string", description: "The AMI's id." },
    ...PERMISSIONS,
  },
};

/** The data source `ami_launch_permission_audit`. */
export const AUDIT_SCHEMA: Schema = {
  version: 0,
  description:
    "Lists the AMIs of a region: the caller's own AMIs, and who each one is shared with now, or the AMIs of other accounts that are shared with the caller.",
  attributes: {
    owner: {
      role: "optionalComputed",
      type: "string",
      description:
        "`self`: the caller's own AMIs, also disabled ones, with their grants. `others`: AMIs of other accounts that are shared with the caller's account, organization or unit, without public AMIs. EC2 shows the grants of these AMIs only to their owners. Default: `self`.",
    },
    include_snapshots: {
      role: "optionalComputed",
      type: "bool",
      description:
        "For own AMIs: whether to read who may create volumes from the snapshots, with one call for each snapshot. With `false`, `snapshots` is empty, and `grants` contains only launch permissions. Default: `true`.",
    },
    region: { role: "optionalComputed", type: "string", description: "The region. Default: the provider's." },
    id: { role: "computed", type: "string", description: "The region." },
    amis: {
      role: "computed",
      description:
        "The AMIs, sorted by id. An AMI that is deregistered during the read is left out. If an AMI cannot be read, the data source fails.",
      nested: {
        nesting: "LIST",
        attributes: {
          image_id: { role: "computed", type: "string", description: "The AMI." },
          region: { role: "computed", type: "string", description: "The region of the AMI." },
          state: {
            role: "computed",
            type: "string",
            description: "The state of another account's AMI in EC2, such as `available`, `pending` or `failed`.",
          },
          ...PERMISSIONS,
        },
      },
    },
  },
};

/** The identity of a set. An import has to give the required attributes. The provider sets the optional ones if they are left out. */
export const IDENTITY_SCHEMA: Schema = {
  version: 0,
  description: "The AMI, its region and its owner.",
  attributes: {
    image_id: { role: "required", type: "string", description: "The AMI." },
    region: { role: "optional", type: "string", description: "The AMI's region. Default in an import: the provider's." },
    account_id: {
      role: "optional",
      type: "string",
      description: "The account that owns the AMI. An import fails if it names another account.",
    },
  },
};

/** The list resource, `list "ami_launch_permission_set"` in a file for `terraform query`. */
export const LIST_SCHEMA: Schema = {
  version: 0,
  description: "The caller's own AMIs that are shared with anybody else, by launch permissions or create-volume permissions.",
  attributes: {
    region: { role: "optional", type: "string", description: "The region. Default: the provider's." },
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
