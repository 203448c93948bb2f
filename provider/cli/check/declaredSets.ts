/** Reads declared sets: from a file of sets in YAML or JSON, from the export of a Pulumi stack, or from a state of Terraform. No I/O. */

import * as v from "valibot";
import {
  ARGUMENT_NAMES,
  type DeclaredSet,
  decodeDeclaredSet,
  escapeControls,
  type PermissionSet,
  parsers,
  permissionSetOf,
  problemPath,
  problemText,
} from "../../core";
import { SIGNATURE } from "../../pulumi/sdkInternals";
import { hidesGrantees, secretNames } from "../../pulumi/secrets";
import { type Properties, argumentsIn as pulumiArguments } from "../../pulumi/state";
import { SET_TYPE } from "../../pulumi/typeNames";
import { argumentsIn as terraformArguments } from "../../terraform/arguments";
import type { ObjectValue } from "../../terraform/objectValue";
import { RESOURCE, RESOURCE_SCHEMA } from "../../terraform/schema";
import { Failure } from "../failure";
import { decodedBy, textIn } from "../json";
import { DYNAMIC_SET } from "../report/pulumiPreview";
import { marksGrantees } from "../report/terraformPlan";

/** A set that a file declares. */
export interface FileSet {
  /** Its name in the file, its URN, or its address. */
  readonly name: string;
  readonly declared: DeclaredSet;
  readonly set: PermissionSet;
  /** Whether its grantees are a secret. */
  readonly isHidden: boolean;
}

const WANTED =
  "give sets in YAML or JSON, what pulumi stack export printed, a terraform.tfstate, or what terraform show -json printed of a state";

interface RawSet {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly isHidden: boolean;
}

/** The sets of a file. @throws Failure that says what is wrong with the file, or with each set */
export function declaredSetsIn(file: Uint8Array): FileSet[] {
  const text = textIn(file);
  if (text === undefined) throw new Failure(`this is not text; ${WANTED}`);
  if (text.trim() === "") throw new Failure(`the file is empty; ${WANTED}`);
  const value = parsed(text);
  if (typeof value !== "object" || value === null) throw new Failure(`there is no set in this file; ${WANTED}`);
  const raw = rawSets(value);
  if (raw.length === 0) throw new Failure(`there is no set in this file; ${WANTED}`);
  const problems: string[] = [];
  const sets = raw.flatMap(({ name, args, isHidden }): FileSet[] => {
    const decoded = decodeDeclaredSet(args);
    if ("problems" in decoded) {
      // The message on a secret value would show it.
      const told = decoded.problems.map((one) => (isHidden ? `${problemPath(one)} is wrong` : problemText(one)));
      problems.push(...told.map((what) => `${escapeControls(name)}: ${what}`));
      return [];
    }
    const set = permissionSetOf(decoded.declared);
    return set ? [{ name: escapeControls(name), declared: decoded.declared, set, isHidden }] : [];
  });
  if (problems.length > 0) throw new Failure(problems.join("\n"));
  return sets;
}

function parsed(text: string): unknown {
  if (/^\s*[{[]/.test(text)) {
    try {
      return JSON.parse(text);
    } catch {
      // YAML has this form, too.
    }
  }
  const document = parsers().parseDocument(text, { prettyErrors: false });
  const [error] = document.errors;
  // The message of the parser can contain a part of the file, which can be a secret.
  if (error) {
    const line = text.slice(0, error.pos[0]).split("\n").length;
    throw new Failure(`line ${line}: this is neither JSON nor YAML, or it is cut off (${error.code}); ${WANTED}`);
  }
  try {
    return document.toJS();
  } catch {
    throw new Failure(`this YAML has too many aliases; ${WANTED}`);
  }
}

function rawSets(value: object): RawSet[] {
  if ("deployment" in value) return pulumiSets(value);
  if ("checkpoint" in value)
    throw new Failure("this is a checkpoint of Pulumi's backend: pulumi stack export > FILE writes the state");
  if ("encrypted_data" in value) throw new Failure("this state is encrypted: tofu show -json > FILE writes it in clear");
  if ("resource_changes" in value || "planned_values" in value)
    throw new Failure("this is a plan, not a state: terraform show -json without a plan prints the state");
  if ("format_version" in value) return shownSets(value);
  if ("terraform_version" in value && "resources" in value) return stateSets(value);
  if ("steps" in value)
    throw new Failure(`this is a preview, not a state: pulumi stack export > FILE writes the state; else ${WANTED}`);
  return listedSets(value);
}

/** A list of sets, or one set, as the config of the stack program has them. */
function listedSets(value: object): RawSet[] {
  const listed = "sets" in value ? value.sets : Array.isArray(value) ? value : "imageId" in value ? [value] : undefined;
  if (!Array.isArray(listed)) throw new Failure(`there is no list "sets", and no imageId, in this file; ${WANTED}`);
  const sets = listed.map((one, i) => {
    if (typeof one !== "object" || one === null) throw new Failure(`set ${i + 1} is not an object with imageId`);
    const { name, ...args } = one as Record<string, unknown>;
    return { name: typeof name === "string" ? name : `set ${i + 1}`, args, isHidden: false };
  });
  const twice = sets.find(({ name }, i) => sets.findIndex((other) => other.name === name) < i);
  if (twice) throw new Failure(`two sets have the name ${escapeControls(twice.name)}`);
  return sets;
}

const properties = v.optional(v.nullable(v.record(v.string(), v.unknown())));
/** pulumi/pulumi, sdk/go/common/apitype/core.go: UntypedDeployment, DeploymentV3, ResourceV3. */
const EXPORT = v.object({
  deployment: v.object({
    resources: v.optional(
      v.nullable(
        v.array(
          v.object({
            urn: v.string(),
            type: v.string(),
            inputs: properties,
            outputs: properties,
            delete: v.optional(v.boolean()),
          }),
        ),
      ),
    ),
  }),
});

function pulumiSets(value: object): RawSet[] {
  const resources = decodedBy(() => v.parse(EXPORT, value), "export", WANTED).deployment.resources ?? [];
  const sets = resources.filter((one) => !one.delete && (one.type === SET_TYPE || DYNAMIC_SET.test(one.type)));
  return sets.map(({ urn, inputs, outputs }) => {
    const props: Properties = { ...outputs, ...inputs };
    if (Object.values(props).some(isEncrypted))
      throw new Failure(`${urn}: its grantees are a secret: pulumi stack export --show-secrets > FILE writes them in clear`);
    const shown = Object.fromEntries(Object.entries(props).map(([name, one]) => [name, plain(one)]));
    const isHidden = hidesGrantees(secretNames(shown)) || ARGUMENT_NAMES.some((name) => isSecret(props[name]));
    return { name: urn, args: pulumiArguments(shown), isHidden };
  });
}

/** pulumi/pulumi, sdk/go/common/resource/properties.go: a secret is an object with a signature, and ciphertext or plaintext. */
function isSecret(value: unknown): value is { readonly plaintext?: unknown } {
  return typeof value === "object" && value !== null && SIGNATURE in value;
}

function isEncrypted(value: unknown): boolean {
  return isSecret(value) && typeof value.plaintext !== "string";
}

function plain(value: unknown): unknown {
  return isSecret(value) && typeof value.plaintext === "string" ? JSON.parse(value.plaintext) : value;
}

/** hashicorp/terraform, internal/states/statefile/version4.go. */
const STATE_FILE = v.object({
  version: v.literal(4),
  resources: v.array(
    v.object({
      module: v.optional(v.string()),
      mode: v.string(),
      type: v.string(),
      name: v.string(),
      instances: v.array(
        v.object({
          index_key: v.optional(v.nullable(v.union([v.string(), v.number()]))),
          deposed: v.optional(v.string()),
          attributes: properties,
          sensitive_attributes: v.optional(v.nullable(v.array(v.unknown()))),
        }),
      ),
    }),
  ),
});

function stateSets(value: object): RawSet[] {
  return decodedBy(() => v.parse(STATE_FILE, value), "state", WANTED).resources.flatMap(
    ({ module: within, mode, type, name, instances }) =>
      type !== RESOURCE || mode !== "managed"
        ? []
        : instances.flatMap(({ index_key, deposed, attributes, sensitive_attributes }) => {
            if (deposed !== undefined || !attributes) return [];
            const key = index_key === undefined || index_key === null ? "" : `[${JSON.stringify(index_key)}]`;
            const address = `${within === undefined ? "" : `${within}.`}${type}.${name}${key}`;
            // Each item is a path, whose first step names an attribute.
            const isHidden = (sensitive_attributes ?? []).some((path) =>
              marksGrantees(Object.fromEntries([[String((path as { value?: unknown }[])[0]?.value), true]])),
            );
            return [{ name: address, args: terraformArguments(attributes as ObjectValue, RESOURCE_SCHEMA), isHidden }];
          }),
  );
}

interface ModuleValues {
  readonly resources?:
    | readonly {
        address: string;
        mode: string;
        type: string;
        deposed_key?: string | undefined;
        values?: unknown;
        sensitive_values?: unknown;
      }[]
    | undefined;
  readonly child_modules?: readonly ModuleValues[] | undefined;
}
const MODULE: v.GenericSchema<unknown, ModuleValues> = v.object({
  resources: v.optional(
    v.array(
      v.object({
        address: v.string(),
        mode: v.string(),
        type: v.string(),
        deposed_key: v.optional(v.string()),
        values: v.optional(v.unknown()),
        sensitive_values: v.optional(v.unknown()),
      }),
    ),
  ),
  child_modules: v.optional(v.array(v.lazy(() => MODULE))),
});
/** "JSON Output Format" of Terraform's documentation: state representation. */
const SHOWN = v.object({ values: v.optional(v.object({ root_module: v.optional(MODULE) })) });

function shownSets(value: object): RawSet[] {
  const within = ({ resources = [], child_modules = [] }: ModuleValues): RawSet[] => [
    ...resources
      .filter(({ type, mode, deposed_key }) => type === RESOURCE && mode === "managed" && deposed_key === undefined)
      .map(({ address, values, sensitive_values }) => ({
        name: address,
        args: terraformArguments((values ?? {}) as ObjectValue, RESOURCE_SCHEMA),
        isHidden: marksGrantees(sensitive_values),
      })),
    ...child_modules.flatMap(within),
  ];
  return within(decodedBy(() => v.parse(SHOWN, value), "state", WANTED).values?.root_module ?? {});
}
