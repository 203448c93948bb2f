/** Decodes the output of `pulumi stack export`. */

import * as v from "valibot";
import { snakeCase } from "../../terraform/diagnostics";
import { type Attributes, grantOf, imageOf } from "./attributes";
import type { OldGrant, PulumiState } from "./oldState";

const PERMISSIONS: Readonly<Record<string, OldGrant["permission"]>> = {
  "aws:ec2/amiLaunchPermission:AmiLaunchPermission": "launch",
  "aws:ec2/snapshotCreateVolumePermission:SnapshotCreateVolumePermission": "createVolume",
};
const IMAGES = ["aws:ec2/ami:Ami", "aws:ec2/amiCopy:AmiCopy", "aws:ec2/amiFromInstance:AmiFromInstance"];
const SET = /^pulumi-nodejs:dynamic\/.*:AmiLaunchPermissionSet$/;
const PROVIDER = "pulumi:providers:aws";

const urns = v.optional(v.nullable(v.array(v.string())));
/** pulumi/pulumi, sdk/go/common/apitype/core.go: UntypedDeployment, DeploymentV3, ResourceV3. Version 4 is 3 with more features. */
const RESOURCE = v.object({
  urn: v.pipe(v.string(), v.startsWith("urn:", "is not a URN")),
  id: v.optional(v.string()),
  type: v.string(),
  inputs: v.optional(v.nullable(v.record(v.string(), v.unknown()))),
  outputs: v.optional(v.nullable(v.record(v.string(), v.unknown()))),
  parent: v.optional(v.string()),
  provider: v.optional(v.string()),
  protect: v.optional(v.boolean()),
  delete: v.optional(v.boolean()),
  dependencies: urns,
  propertyDependencies: v.optional(v.nullable(v.record(v.string(), urns))),
  deletedWith: v.optional(v.string()),
});
const EXPORT = v.object({
  version: v.picklist([3, 4]),
  deployment: v.object({ resources: v.optional(v.nullable(v.array(RESOURCE))) }),
});
type Resource = v.InferOutput<typeof RESOURCE>;

/** Decodes the export of a stack. Throws valibot's error if it is not an export of version 3 or 4. */
export function decodeExport(json: unknown): PulumiState {
  const resources = v.parse(EXPORT, json).deployment.resources ?? [];
  const providers = new Map(resources.filter(({ type }) => type === PROVIDER).map((one) => [referenceTo(one), one]));
  const grants = resources.flatMap((resource): OldGrant[] => {
    const permission = PERMISSIONS[resource.type];
    if (permission === undefined) return [];
    const provider = providers.get(resource.provider ?? "");
    const { urn } = resource;
    const grant = grantOf(attributesOf(resource));
    return [
      {
        ...{ address: urn, forgotten: urn, permission, ...grant },
        region: grant.region ?? (provider ? textOf(attributesOf(provider).region) : undefined),
        provider: provider && !isDefault(provider) ? nameOf(provider.urn) : undefined,
        leaving: resource.delete ?? false,
      },
    ];
  });
  const old = new Set(grants.map(({ address }) => address));
  return {
    engine: "pulumi",
    grants,
    images: resources.flatMap((one) => (IMAGES.includes(one.type) ? (imageOf({ id: one.id, ...attributesOf(one) }) ?? []) : [])),
    sets: resources.flatMap((one) => {
      const imageId = SET.test(one.type) ? textOf(attributesOf(one).image_id) : undefined;
      return imageId === undefined || one.delete ? [] : [{ address: one.urn, imageId }];
    }),
    isProtected: new Set(resources.filter(({ protect }) => protect).map(({ urn }) => urn)),
    dependents: resources.flatMap((one) => {
      const on = [...new Set(needsOf(one))].filter((urn) => old.has(urn));
      return on.length === 0 || old.has(one.urn) ? [] : [{ address: one.urn, on }];
    }),
  };
}

function needsOf({ parent, dependencies, propertyDependencies, deletedWith }: Resource): string[] {
  const byProperty = Object.values(propertyDependencies ?? {}).flatMap((some) => some ?? []);
  return [...(dependencies ?? []), ...byProperty, parent, deletedWith].filter((urn) => urn !== undefined);
}

/** The reference from a resource to its provider. */
function referenceTo({ urn, id = "" }: Resource): string {
  return `${urn}::${id}`;
}

function isDefault({ urn }: Resource): boolean {
  return nameOf(urn).startsWith("default");
}

function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The recorded values with Terraform's names. */
function attributesOf({ inputs, outputs }: Resource): Attributes {
  return snakeCased({ ...inputs, ...outputs }) as Attributes;
}

function snakeCased(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeCased);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [snakeCase(name), snakeCased(item)]));
}
