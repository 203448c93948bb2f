/**
 * The arguments and outputs of a set with their descriptions, as plain data. Terraform's schema, the TypeScript interfaces and the tables in
 * the documentation are generated from it.
 */

import { DEFAULT_MAX_ATTEMPTS, DEFAULT_SESSION_NAME, VISIBILITY_TIMEOUT_SECONDS } from "../model";
import type { DeclaredConnection, DeclaredSet } from "./arguments";

/** One of the two engines. The constructs of CDKTN and CDKTF use Terraform's texts. */
export type Engine = "pulumi" | "terraform";

/** The type of an argument. `strings` and `accounts` are unordered lists; `accounts` contains account ids. `names` is a map of strings. */
export type ArgumentType = "string" | "boolean" | "number" | "strings" | "accounts" | "names" | Choice | Members;

/** A string with a fixed list of values. */
export interface Choice {
  /** The name of the type in TypeScript. */
  readonly name: string;
  readonly values: readonly string[];
}

/** An object. */
export interface Members {
  /** The name of the type in TypeScript, before `Args`. */
  readonly name: string;
  readonly text: string;
  readonly members: Arguments;
}

export type Arguments = Readonly<Record<string, Argument>>;

/**
 * One argument. Texts are Markdown sentences. `text` has the names of Pulumi programs, which Terraform's schema translates.
 */
export interface Argument {
  readonly type: ArgumentType;
  /** A further TypeScript type that Pulumi programs can use. */
  readonly orInPulumi?: string;
  readonly isRequired?: true;
  /** The default value. */
  readonly default?: string | boolean;
  /** The text after `Default:`, if the default is not a single value. */
  readonly defaultText?: string | Readonly<Record<Engine, string>>;
  /** A change replaces the set. */
  readonly replaces?: true;
  /** The argument names grantees. If it is a secret, no grantee is shown. */
  readonly namesGrantees?: true;
  /** If the configuration leaves the argument out, Terraform's state contains the default. */
  readonly isComputedInTerraform?: true;
  /** What the argument does, for both engines. */
  readonly text: string;
  /** Text for Pulumi's users only. It follows `text`. */
  readonly pulumi?: string;
  /** Text for Terraform's users only, with Terraform's names. It follows `text`. */
  readonly terraform?: string;
  /** A page in docs, and its heading, with more information. */
  readonly see?: string;
}

const TIMEOUT = `${VISIBILITY_TIMEOUT_SECONDS / 60}m`;

/** The arguments of the connection. In Pulumi, each set has them; in Terraform, the provider block has them. */
export const CONNECTION_ARGUMENTS = {
  profile: {
    type: "string",
    text: "A profile of the shared AWS config and credentials files.",
    terraform: "It wins over keys in the environment.",
    defaultText: {
      pulumi: "the stack's `aws:profile`, then the default chain of the AWS SDK",
      terraform: "keys in the environment, then `AWS_PROFILE`",
    },
  },
  endpoint: {
    type: "string",
    text: "The endpoint of EC2, a URL. If it is on loopback, STS and KMS use it, too.",
    defaultText: {
      pulumi: "the stack's `aws:endpoints`, then `AWS_ENDPOINT_URL_EC2`, `AWS_ENDPOINT_URL`, then AWS's",
      terraform: "`AWS_ENDPOINT_URL_EC2`, `AWS_ENDPOINT_URL`, then AWS's",
    },
  },
  assumeRole: {
    type: {
      name: "AssumeRole",
      text: "A role to assume.",
      members: {
        roleArn: { type: "string", isRequired: true, text: "The role's ARN." },
        externalId: { type: "string", text: "The external id that the role's trust policy asks for.", defaultText: "none" },
        sessionName: { type: "string", text: "The session's name in CloudTrail.", default: DEFAULT_SESSION_NAME },
      },
    },
    text: "A role to assume with these credentials.",
    defaultText: { pulumi: "the stack's `aws:assumeRoles`, then none", terraform: "none" },
  },
} as const satisfies Arguments;

/** The other arguments of a set, in both engines. */
export const SET_ARGUMENTS = {
  imageId: {
    type: "string",
    isRequired: true,
    replaces: true,
    text: "The AMI. A change replaces the set.",
    pulumi: "The new AMI is shared before the old one is unshared.",
    terraform: "With `create_before_destroy`, the new AMI is shared before the old one is unshared.",
    see: "share.md#change-the-ami",
  },
  accountIds: {
    type: "accounts",
    namesGrantees: true,
    text: "Ids of accounts that may launch the AMI, 12 digits each. The owner is left out, because it always has access. `[]` means nobody. An authoritative set without any other grantee must have this argument.",
    defaultText: "none",
  },
  organizationArns: {
    type: "strings",
    namesGrantees: true,
    text: "Full ARNs of organizations. All accounts of the organization may launch the AMI.",
    defaultText: "none",
    see: "organizations-and-public.md#organizations-and-organizational-units",
  },
  organizationalUnitArns: {
    type: "strings",
    namesGrantees: true,
    text: "Full ARNs of organizational units. All accounts of the unit, and of units nested in it, may launch the AMI.",
    defaultText: "none",
    see: "organizations-and-public.md#organizations-and-organizational-units",
  },
  public: {
    type: "boolean",
    namesGrantees: true,
    isComputedInTerraform: true,
    text: "Every AWS account may launch the AMI. Needs `acknowledgePublic: true`.",
    default: false,
    see: "organizations-and-public.md#everybody",
  },
  acknowledgePublic: {
    type: "boolean",
    text: "Confirms that the AMI, or its snapshots, are to be shared with every AWS account.",
    default: false,
  },
  createVolumePermissions: {
    type: {
      name: "CreateVolumePermissions",
      text: "Who may create volumes from which of the AMI's snapshots.",
      members: {
        accountIds: {
          type: "accounts",
          text: "Accounts that may create volumes from the snapshots.",
          defaultText: "the set's `accountIds`",
        },
        snapshotIds: {
          type: "strings",
          text: "Snapshots that these accounts may create volumes from.",
          defaultText: "every EBS snapshot in the AMI's block device mappings",
        },
        public: {
          type: "boolean",
          text: "Every AWS account may create volumes from the snapshots. Needs `acknowledgePublic: true` in the set.",
          default: false,
        },
      },
    },
    orInPulumi: "boolean",
    namesGrantees: true,
    text: "Create-volume permission on the AMI's snapshots. An account needs it to copy the AMI, but not to launch it.",
    pulumi: "`true` means the accounts of the set, and everybody if `public` is `true`, on every EBS snapshot.",
    terraform: "`{}` means the accounts of the set, on every EBS snapshot. Everybody needs `public = true` in this block.",
    defaultText: "the permission is not managed",
    see: "share.md#let-accounts-copy-the-ami",
  },
  maxRevocations: {
    type: "number",
    orInPulumi: '"none"',
    text: "The largest number of grantees that one change may take access from. A destroy is not limited.",
    pulumi:
      '`"none"` is 0. The preview fails if the state shows more. `up` also counts the grants in EC2, and fails before it changes anything.',
    terraform: "The plan fails if there are more.",
    defaultText: "any number",
    see: "guard-rails.md#maxrevocations-limit-one-change",
  },
  unrecorded: {
    type: { name: "Unrecorded", values: ["revoke", "refuse"] },
    text: "What a change does about grantees who would lose access and are not in the state, because somebody else shared the AMI with them.",
    pulumi:
      "`revoke`: the change revokes their access, and reports it. `refuse`: preview and `up` fail, and name all of them. After `pulumi refresh`, the diff shows them.",
    terraform:
      "`revoke`: a new set revokes their access, and its plan names them. An update leaves them, and the next plan shows them. `refuse`: plan and apply fail, and name all of them.",
    default: "revoke",
    see: "guard-rails.md#unrecorded-protect-grants-that-the-state-does-not-record",
  },
  neverRevoke: {
    type: "accounts",
    namesGrantees: true,
    text: "Accounts that never lose access by a change or destroy of this set.",
    defaultText: "none",
    see: "guard-rails.md#neverrevoke-protect-accounts",
  },
  allowedGrantees: {
    type: "strings",
    orInPulumi: "string",
    text: "The only grantees that the set may name, and that it may leave in place: account ids, full ARNs of organizations and organizational units, and `public`. An entry such as `file://allowed.yaml` stands for the entries of a JSON, YAML, CSV or text file. The owner of the AMI is always allowed.",
    pulumi: "A text is the path of one file. A list in the stack's config `ami-launch-permissions:allowedGrantees` holds, too.",
    terraform: "A list in the provider block holds, too.",
    defaultText: "anybody",
    see: "guard-rails.md#allowedgrantees-who-may-have-access-at-all",
  },
  kmsAccess: {
    type: { name: "KmsAccess", values: ["check", "grant", "ignore"] },
    text: "How the set treats the customer managed keys of encrypted snapshots. `check`: a warning names accounts that have no access by the policy or the grants of a key. `grant`: the set creates a KMS grant for each account, and revokes it together with the launch permission. `ignore`: the set does nothing.",
    default: "check",
    see: "encrypted.md#give-accounts-access-to-the-key",
  },
  checkUsage: {
    type: "boolean",
    text: "Whether a warning names the accounts that lose the AMI and still use it, according to EC2's usage report.",
    default: false,
    see: "guard-rails.md#checkusage-warn-about-accounts-that-use-the-ami",
  },
  mode: {
    type: { name: "Mode", values: ["authoritative", "additive"] },
    isComputedInTerraform: true,
    text: "`authoritative`: the AMI has exactly the grants of this set, and every other grant is revoked. `additive`: the set revokes only grants that it added itself.",
    default: "authoritative",
    see: "share.md#choose-a-mode",
  },
  onDelete: {
    type: { name: "OnDelete", values: ["revoke", "reset", "retain"] },
    isComputedInTerraform: true,
    text: "What a destroy revokes. `revoke`: the grants that this set made. `reset`: every grant, also those that others added. `retain`: nothing.",
    default: "revoke",
    see: "share.md#stop-sharing",
  },
  region: {
    type: "string",
    replaces: true,
    isComputedInTerraform: true,
    text: "The AMI's region. A change replaces the set.",
    defaultText: {
      pulumi: "the stack's `aws:region`, then the region of the environment or of the profile",
      terraform: "the provider's region, then the region in the state",
    },
  },
  timeouts: {
    type: {
      name: "Timeouts",
      text: "How long an operation waits for EC2, as durations such as `30m` or `1h30m`.",
      members: {
        create: { type: "string", text: "How long a create waits until EC2 shows the grants.", default: TIMEOUT },
        update: { type: "string", text: "How long an update waits until EC2 shows the change.", default: TIMEOUT },
        delete: { type: "string", text: "How long a destroy waits until EC2 no longer shows the grants.", default: TIMEOUT },
      },
    },
    text: "How long to wait for a pending AMI, and until EC2 shows a change, as durations such as `30m` or `1h30m`. If only this argument changes, no call is made.",
    defaultText: `\`${TIMEOUT}\` each`,
  },
} as const satisfies Readonly<Record<Exclude<keyof DeclaredSet, keyof typeof CONNECTION_ARGUMENTS>, Argument>>;

/** The arguments of Terraform's provider block. */
export const PROVIDER_ARGUMENTS = {
  region: {
    type: "string",
    text: "The region of sets and data sources that do not have one.",
    defaultText: "`AWS_REGION`, `AWS_DEFAULT_REGION`, then the profile's",
  },
  ...CONNECTION_ARGUMENTS,
  maxRetries: {
    type: "number",
    text: "How often one EC2 call is retried. Without it, a call that EC2 throttles is retried for up to 10 minutes.",
    defaultText: `\`AWS_MAX_ATTEMPTS\` less 1, else ${DEFAULT_MAX_ATTEMPTS - 1}`,
  },
  allowedGrantees: {
    type: "strings",
    text: "The only grantees that any set may name, and that it may leave in place. The entries are those of the argument `allowedGrantees` of a set, which can only narrow this list.",
    defaultText: "anybody",
    see: "guard-rails.md#allowedgrantees-who-may-have-access-at-all",
  },
  accountNames: {
    type: "names",
    text: "Names of accounts: a map from account id to name. Reports, warnings and errors show them beside the ids. `grants` never contains a name.",
    defaultText: "none",
    see: "account-names.md",
  },
  names: {
    type: "string",
    text: "Where further names of accounts come from: the path of a JSON, YAML or CSV file, or `organizations` for AWS Organizations.",
    defaultText: "none",
    see: "account-names.md",
  },
} as const satisfies Readonly<Record<keyof DeclaredConnection, Argument>>;

/** An output of a set. `grants` is a map of strings. */
export interface Output {
  readonly type: "string" | "strings" | "grants";
  readonly text: string;
}

export const OUTPUTS = {
  id: { type: "string", text: "The AMI's id." },
  ownerId: { type: "string", text: "The account that owns the AMI." },
  snapshotIds: { type: "strings", text: "The EBS snapshots of the AMI." },
  grants: {
    type: "grants",
    text: "Who has access: a map from grantee (`account/111122223333`, an ARN or `public`) to `launch`, `createVolume` or `launch, createVolume`. If the create-volume permission is only on some of the snapshots, the value names them.",
  },
} as const satisfies Readonly<Record<string, Output>>;

/** All arguments of a set in Pulumi. */
const ALL: Arguments = { ...SET_ARGUMENTS, ...CONNECTION_ARGUMENTS };

/** The names of the arguments whose change replaces the set. */
export const REPLACING: readonly string[] = Object.keys(ALL).filter((name) => ALL[name]?.replaces);

/** The names of the arguments that name grantees. */
export const NAMING_GRANTEES: readonly string[] = Object.keys(ALL).filter((name) => ALL[name]?.namesGrantees);

/** The paths of the arguments that are lists, such as `createVolumePermissions.accountIds`. */
export const LISTS: readonly string[] = listsIn(ALL);

/** Whether the type of an argument is an object. */
export function isMembers(type: ArgumentType): type is Members {
  return typeof type === "object" && "members" in type;
}

function listsIn(args: Arguments): string[] {
  return Object.entries(args).flatMap(([name, { type }]) => {
    if (type === "strings" || type === "accounts") return [name];
    return isMembers(type) ? listsIn(type.members).map((member) => `${name}.${member}`) : [];
  });
}

/** The description of an argument for one engine. Its `text` still has the argument names of Pulumi. */
export function descriptionOf(argument: Argument, engine: Engine): string {
  const missing = defaultOf(argument, engine);
  return [meaningOf(argument, engine), ...(missing === undefined ? [] : [`Default: ${missing}.`])].join(" ");
}

/** The description without the default. */
export function meaningOf(argument: Argument, engine: Engine): string {
  return [argument.text, argument[engine]].filter((words) => words !== undefined).join(" ");
}

/** The default of an argument, as text. Undefined if the argument is required. */
export function defaultOf({ default: value, defaultText: words }: Argument, engine: Engine): string | undefined {
  if (value !== undefined) return `\`${value}\``;
  return typeof words === "object" ? words[engine] : words;
}
