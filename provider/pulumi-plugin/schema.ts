/** The package's schema, from which Pulumi makes the SDKs of all languages: made from the core's table of arguments; no behaviour. */

import {
  type Argument,
  type Arguments,
  type ArgumentType,
  CONNECTION_ARGUMENTS,
  descriptionOf,
  OUTPUTS,
  type Output,
  SET_ARGUMENTS,
} from "../core";
import { COMPONENT_TYPES, componentSchema } from "./componentSchema";
import { CONFIG_ARGUMENTS, type ConfigArgument } from "./configArguments";
import { EXAMPLES } from "./examples";
import { DYNAMIC_SET_TYPE, GET_PERMISSIONS, GET_SHARED_AMIS, GO_PACKAGE, PACKAGE, SET_TYPE, SHARED_AMI_TYPE } from "./names";
import { VERSION } from "./version";

/** A type in a schema, or a property with it. Pulumi, pkg/codegen/schema/pulumi.json. */
export type Typed = Readonly<Record<string, unknown>>;

/** A package's schema as `pulumi package get-schema` prints it. */
export type PackageSchema = Readonly<Record<string, unknown>> & {
  readonly types: Readonly<Record<string, Typed>>;
  readonly resources: Readonly<Record<string, Typed>>;
  readonly functions: Readonly<Record<string, Typed>>;
};

const STRING = { type: "string" } as const;
const STRINGS = { type: "array", items: STRING } as const;
const STRING_MAP = { type: "object", additionalProperties: STRING } as const;
const TYPES = {
  string: STRING,
  boolean: { type: "boolean" },
  number: { type: "integer" },
  strings: STRINGS,
  accounts: STRINGS,
  names: STRING_MAP,
};
const OUTPUT_TYPES: Readonly<Record<Output["type"], Typed>> = {
  string: STRING,
  strings: STRINGS,
  grants: STRING_MAP,
};

const ARGUMENTS: Arguments = { ...SET_ARGUMENTS, ...CONNECTION_ARGUMENTS };
const { imageId: _imageId, region: _region, ...OF_ALL_REGIONS } = ARGUMENTS;
const { id: _, ...outputs } = OUTPUTS;

const DESCRIPTION =
  "Shares Amazon Machine Images (AMIs), and the EBS snapshots behind them, with exactly the AWS accounts, organizations and units that you name. A preview shows, grantee by grantee, who gains and who loses access.";

const SET_DESCRIPTION =
  "The launch permissions of an AMI and the create-volume permissions of its snapshots, as one set. Its id is the AMI's.";

const OWNER_DESCRIPTION =
  "`self`: the caller's own AMIs, with their grants. `others`: AMIs of other accounts that are shared with the caller.";

/** The schema, made anew at each call. */
export function packageSchema(): PackageSchema {
  return {
    name: PACKAGE,
    displayName: "AMI launch permissions",
    version: VERSION,
    description: DESCRIPTION,
    keywords: ["category/cloud", "kind/native", "aws", "ec2", "ami"],
    license: "Apache-2.0",
    publisher: "ami-launch-permissions",
    language: {
      nodejs: { packageName: "@ami-launch-permissions/pulumi", respectSchemaVersion: true },
      python: { pyproject: { enabled: true }, respectSchemaVersion: true },
      csharp: { respectSchemaVersion: true },
      go: { importBasePath: GO_PACKAGE, generateResourceContainerTypes: false, respectSchemaVersion: true },
    },
    config: { variables: propertiesOf(CONFIG_ARGUMENTS, providerWords) },
    types: {
      ...objectTypes(ARGUMENTS),
      ...objectTypes(CONFIG_ARGUMENTS),
      ...choiceTypes(ARGUMENTS),
      ...FUNCTION_TYPES,
      ...COMPONENT_TYPES,
    },
    provider: {
      description: "How AWS is reached. What is left out comes from the environment and the shared AWS files.",
      properties: {},
      inputProperties: propertiesOf(CONFIG_ARGUMENTS, providerWords),
    },
    resources: {
      [SET_TYPE]: {
        description: `${SET_DESCRIPTION}\n\n${EXAMPLES}`,
        // The SDKs give every set this alias: a stack's dynamic sets become sets of this provider, and nothing is changed in EC2.
        aliases: [{ type: DYNAMIC_SET_TYPE }],
        inputProperties: propertiesOf(ARGUMENTS, setWords),
        requiredInputs: requiredOf(ARGUMENTS),
        properties: {
          ...propertiesOf(ARGUMENTS, setWords),
          ...Object.fromEntries(
            Object.entries(outputs).map(([name, { type, text }]) => [name, { ...OUTPUT_TYPES[type], description: text }]),
          ),
        },
        required: ["imageId", "region", ...Object.keys(outputs)],
      },
      [SHARED_AMI_TYPE]: componentSchema(propertiesOf(OF_ALL_REGIONS, setWords)),
    },
    functions: {
      [GET_PERMISSIONS]: {
        description: "Who an AMI is shared with now, whoever shared it. Only the owner of an AMI may see it.",
        inputs: {
          properties: { imageId: { ...STRING, description: "The AMI." }, ...connection() },
          required: ["imageId"],
        },
        outputs: AMI_PERMISSIONS,
      },
      [GET_SHARED_AMIS]: {
        description:
          "The AMIs of a region: one's own with their grants, or those that others share with the caller's account, organization or unit. Public AMIs of others are not among them.",
        inputs: {
          properties: {
            owner: { $ref: ref("AmiOwner"), description: OWNER_DESCRIPTION },
            includeSnapshots: {
              type: "boolean",
              description:
                "For own AMIs: whether to read who may create volumes from their snapshots, one call each. Default: `true`.",
            },
            ...connection(),
          },
          required: ["owner"],
        },
        outputs: {
          properties: {
            amis: { type: "array", items: { $ref: ref("AmiPermissions") }, description: "The AMIs, by id." },
          },
          required: ["amis"],
        },
      },
    },
  };
}

/** What {@link GET_PERMISSIONS} answers. */
const AMI_PROPERTIES: Readonly<Record<string, Typed>> = {
  imageId: { ...STRING, description: "The AMI." },
  region: { ...STRING, description: "The AMI's region." },
  ownerId: { ...STRING, description: "The account that owns the AMI." },
  name: { ...STRING, description: "The AMI's name, if it has one." },
  encrypted: {
    type: "boolean",
    description: "Whether any of the snapshots is encrypted: then accounts that launch need the key, too.",
  },
  accountIds: { ...STRINGS, description: "Accounts that may launch the AMI, without its owner." },
  organizationArns: { ...STRINGS, description: "Organizations, all of whose accounts may launch the AMI." },
  organizationalUnitArns: { ...STRINGS, description: "Organizational units, all of whose accounts may launch the AMI." },
  public: { type: "boolean", description: "Whether every AWS account may launch the AMI." },
  otherUserIds: { ...STRINGS, description: "Users that are no accounts, such as `aws-marketplace`." },
  snapshots: {
    type: "array",
    items: { $ref: ref("SnapshotPermissions") },
    description: "The EBS snapshots of the AMI, and who may create volumes from them.",
  },
  grants: { ...OUTPUT_TYPES.grants, description: OUTPUTS.grants.text },
};
const AMI_PERMISSIONS = {
  properties: AMI_PROPERTIES,
  required: Object.keys(AMI_PROPERTIES).filter((name) => name !== "name"),
};

/** The types that only functions have. */
const FUNCTION_TYPES: Readonly<Record<string, Typed>> = {
  [token("AmiOwner")]: choiceType(["self", "others"], OWNER_DESCRIPTION),
  [token("SnapshotPermissions")]: {
    type: "object",
    description: "An EBS snapshot, and who may create volumes from it.",
    properties: {
      snapshotId: { ...STRING, description: "The snapshot." },
      accountIds: { ...STRINGS, description: "Accounts that may create volumes from it." },
      public: { type: "boolean", description: "Whether every AWS account may." },
      encrypted: { type: "boolean", description: "Whether it is encrypted." },
      kmsKeyId: { ...STRING, description: "The ARN of its key, where it is encrypted." },
    },
    required: ["snapshotId", "accountIds", "public", "encrypted"],
  },
  [token("AmiPermissions")]: {
    type: "object",
    description: "An AMI: one's own with its grants, or one of another account, whose grants only that account sees.",
    properties: {
      ...AMI_PROPERTIES,
      state: { ...STRING, description: "Of an AMI of another account: EC2's state, such as `available`." },
    },
    required: ["imageId", "region", "ownerId", "encrypted"],
  },
};

type WordsOf = (argument: Argument) => string;

function setWords(argument: Argument): string {
  return inProviderWords(descriptionOf(argument, "pulumi"));
}

function providerWords(argument: Argument): string {
  return descriptionOf(argument, "terraform").replace("data sources", "functions");
}

/** The dynamic provider reads the stack's config, and takes "none" and a path; this one has a configuration of its own, and takes numbers and lists. */
function inProviderWords(words: string): string {
  return words
    .replace(/the stack's `aws:(region|profile|endpoint|assumeRole)s?`/g, "the provider's `$1`")
    .replace('`"none"` is 0. ', "")
    .replace(/A text is the path of one file\. A list in the stack's config `[^`]+`/, "A list in the provider's configuration");
}

/** The arguments of the functions that say how to reach EC2. */
function connection(): Readonly<Record<string, Typed>> {
  const { replaces: _, ...region } = SET_ARGUMENTS.region;
  return propertiesOf({ region: { ...region, text: "The region." }, ...CONNECTION_ARGUMENTS }, setWords);
}

function propertiesOf(args: Readonly<Record<string, ConfigArgument>>, wordsOf: WordsOf): Readonly<Record<string, Typed>> {
  return Object.fromEntries(
    Object.entries(args).map(([name, argument]) => [
      name,
      {
        ...typeOf(argument),
        description: wordsOf(argument),
        ...(argument.replaces ? { willReplaceOnChanges: true } : {}),
        ...(argument.isSecret ? { secret: true } : {}),
      },
    ]),
  );
}

function requiredOf(args: Arguments): string[] {
  return Object.keys(args).filter((name) => args[name]?.isRequired);
}

function typeOf({ type, orInPulumi, isList }: ConfigArgument): Typed {
  const main = isList ? { type: "array", items: plainTypeOf(type) } : plainTypeOf(type);
  // No word beside a number: in Go and C#, the property would have no type. 0 says the same as "none".
  return orInPulumi === "boolean" ? { oneOf: [main, TYPES.boolean] } : main;
}

function plainTypeOf(type: ArgumentType): Typed {
  return typeof type === "string" ? TYPES[type] : { $ref: ref(type.name) };
}

/** The types of arguments that are objects. */
function objectTypes(args: Arguments): Record<string, Typed> {
  const objects = Object.values(args).flatMap(({ type }) => (typeof type === "object" && "members" in type ? [type] : []));
  return Object.fromEntries(
    objects.map(({ name, text, members }) => [
      token(name),
      { type: "object", description: text, properties: propertiesOf(members, setWords), required: requiredOf(members) },
    ]),
  );
}

/** The types of arguments that are one of a few words. */
function choiceTypes(args: Arguments): Record<string, Typed> {
  return Object.fromEntries(
    Object.values(args).flatMap(({ type, text }) =>
      typeof type === "object" && "values" in type ? [[token(type.name), choiceType(type.values, text)]] : [],
    ),
  );
}

function choiceType(values: readonly string[], description: string): Typed {
  return { type: "string", description, enum: values.map((value) => ({ value })) };
}

function token(name: string): string {
  return `${PACKAGE}:index:${name}`;
}

function ref(name: string): string {
  return `#/types/${token(name)}`;
}
