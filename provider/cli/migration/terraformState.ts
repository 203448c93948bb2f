/** Decodes the files of Terraform and OpenTofu: a state file, and the output of `show -json` for a state or a plan. */

import * as v from "valibot";
import { grantOf, imageOf } from "./attributes";
import type { OldGrant, TerraformState } from "./oldState";

const PERMISSIONS: Readonly<Record<string, OldGrant["permission"]>> = {
  aws_ami_launch_permission: "launch",
  aws_snapshot_create_volume_permission: "createVolume",
};
const IMAGES = ["aws_ami", "aws_ami_copy", "aws_ami_from_instance"];
const SET = "ami_launch_permission_set";

/** An identifier of HCL. Addresses are written to the migration, so they must not contain anything else. */
const identifier = v.pipe(v.string(), v.regex(/^[\p{ID_Start}_][\p{ID_Continue}-]*$/u, "is not a name of Terraform's"));
const KEYS = /\[(?:"(?:[^"\\]|\\.)*"|\d+)\]/g;
const moduleAddress = v.pipe(
  v.string(),
  v.check(
    (address) => /^(?:module\.[\p{ID_Start}_][\p{ID_Continue}-]*(?:\.(?=m)|$))+$/u.test(withoutKeys(address)),
    "is not a module's address",
  ),
);
const values = v.optional(v.nullable(v.record(v.string(), v.unknown())));

/** hashicorp/terraform, internal/states/statefile/version4.go. */
const STATE_FILE = v.object({
  version: v.literal(4),
  resources: v.array(
    v.object({
      module: v.optional(moduleAddress),
      mode: v.string(),
      type: identifier,
      name: identifier,
      provider: v.optional(v.string(), ""),
      instances: v.array(
        v.object({
          index_key: v.optional(v.nullable(v.union([v.string(), v.number()]))),
          deposed: v.optional(v.string()),
          attributes: values,
        }),
      ),
    }),
  ),
});

/** "JSON Output Format" of Terraform's documentation: values representation. */
interface ModuleValues {
  readonly resources?: readonly v.InferOutput<typeof RESOURCE_VALUES>[] | undefined;
  readonly child_modules?: readonly ModuleValues[] | undefined;
  readonly address?: string | undefined;
}
const RESOURCE_VALUES = v.object({
  mode: v.string(),
  type: identifier,
  name: identifier,
  index: v.optional(v.nullable(v.union([v.string(), v.number()]))),
  deposed_key: v.optional(v.string()),
  values,
});
const MODULE_VALUES: v.GenericSchema<unknown, ModuleValues> = v.object({
  address: v.optional(moduleAddress),
  resources: v.optional(v.array(RESOURCE_VALUES)),
  child_modules: v.optional(v.array(v.lazy(() => MODULE_VALUES))),
});
const STATE_VALUES = v.optional(v.object({ root_module: v.optional(MODULE_VALUES) }));
const SHOWN = v.object({
  format_version: v.pipe(v.string(), v.regex(/^[01]\.\d+$/, 'is not one that is known: "0.…" and "1.…" are')),
  values: STATE_VALUES,
  prior_state: v.optional(v.object({ values: STATE_VALUES })),
});

/** One instance of a resource, from a state file or from `show -json`. */
interface Instance {
  readonly module: string | undefined;
  readonly mode: string;
  readonly type: string;
  readonly name: string;
  readonly key: string | number | undefined;
  readonly deposed: boolean;
  readonly provider: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** Decodes a state file. Throws valibot's error if it is not a state file of version 4. */
export function decodeStateFile(json: unknown): TerraformState {
  const { resources } = v.parse(STATE_FILE, json);
  return stateOf(
    resources.flatMap(({ instances, provider, module: within, ...resource }) =>
      instances.map(({ index_key, deposed, attributes }) => ({
        ...resource,
        module: within,
        key: index_key ?? undefined,
        deposed: deposed !== undefined,
        // provider["registry.terraform.io/hashicorp/aws"].west
        provider: /\]\.([^.\]]+)$/.exec(provider)?.[1],
        attributes: attributes ?? {},
      })),
    ),
  );
}

/** Decodes the output of `show -json`. For a plan, it decodes the state before the plan. */
export function decodeShown(json: unknown): TerraformState {
  const { values: state, prior_state } = v.parse(SHOWN, json);
  const root = (prior_state?.values ?? state)?.root_module;
  return stateOf(root ? instancesIn(root) : []);
}

function instancesIn({ address, resources = [], child_modules = [] }: ModuleValues): Instance[] {
  return [
    ...resources.map(({ index, deposed_key, values: attributes, ...resource }) => ({
      ...resource,
      module: address,
      key: index ?? undefined,
      deposed: deposed_key !== undefined,
      provider: undefined,
      attributes: attributes ?? {},
    })),
    ...child_modules.flatMap(instancesIn),
  ];
}

function stateOf(instances: readonly Instance[]): TerraformState {
  return {
    engine: "terraform",
    grants: instances.flatMap((instance): OldGrant[] => {
      const permission = PERMISSIONS[instance.type];
      if (instance.mode !== "managed" || permission === undefined) return [];
      const { provider, deposed: leaving, attributes } = instance;
      const address = addressOf(instance);
      return [{ address, forgotten: withoutKeys(address), permission, ...grantOf(attributes), provider, leaving }];
    }),
    images: instances.flatMap(({ type, attributes }) => (IMAGES.includes(type) ? (imageOf(attributes) ?? []) : [])),
    sets: instances.flatMap((instance) => {
      const { type, mode, attributes } = instance;
      if (type !== SET || mode !== "managed" || typeof attributes.image_id !== "string") return [];
      return [{ address: addressOf(instance), imageId: attributes.image_id }];
    }),
  };
}

function addressOf({ module: within, type, name, key }: Instance): string {
  return `${within === undefined ? "" : `${within}.`}${type}.${name}${key === undefined ? "" : `[${JSON.stringify(key)}]`}`;
}

function withoutKeys(address: string): string {
  return address.replace(KEYS, "");
}
