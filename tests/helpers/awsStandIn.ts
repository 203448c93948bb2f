/** A replacement for Terraform's aws provider, which cannot be installed offline: the resources of the examples and the migration guide, on the local EC2. */

import {
  CopyImageCommand,
  DeregisterImageCommand,
  DescribeImageAttributeCommand,
  DescribeImagesCommand,
  DescribeSnapshotAttributeCommand,
  EC2Client,
  type LaunchPermission,
  ModifyImageAttributeCommand,
  ModifySnapshotAttributeCommand,
} from "@aws-sdk/client-ec2";
import { UNKNOWN } from "../../provider/core";
import { handshakeLine, listen, pluginEnvironment } from "../../provider/terraform/plugin";
import type { Attributes, Schema } from "../../provider/terraform/schema";
import { PROVIDER_SERVICE } from "../../provider/terraform/services";
import { type DynamicValue, decodeValue, encodeValue, type ObjectValue } from "../../provider/terraform/values";

const text = (role: "required" | "optional" | "computed" | "optionalComputed") =>
  ({ role, description: "", type: "string" }) as const;
const schema = (attributes: Attributes): Schema => ({ version: 0, description: "", attributes });
/**
 * hashicorp/terraform-provider-aws, website/docs/r/ami_copy.html.markdown, ami_launch_permission.html.markdown and
 * snapshot_create_volume_permission.html.markdown, kms_key_policy.html.markdown, in part.
 */
const TYPES: Record<string, Schema> = {
  aws_ami_copy: schema({
    id: text("computed"),
    region: text("optionalComputed"),
    name: text("required"),
    source_ami_id: text("required"),
    source_ami_region: text("required"),
    root_snapshot_id: text("computed"),
  }),
  aws_ami_launch_permission: schema({
    id: text("computed"),
    region: text("optionalComputed"),
    image_id: text("required"),
    account_id: text("optional"),
    group: text("optional"),
    organization_arn: text("optional"),
    organizational_unit_arn: text("optional"),
  }),
  /** For validation only. */
  aws_kms_key_policy: schema({ id: text("computed"), key_id: text("required"), policy: text("required") }),
  aws_snapshot_create_volume_permission: schema({
    id: text("computed"),
    region: text("optionalComputed"),
    snapshot_id: text("required"),
    account_id: text("required"),
  }),
};
const PROVIDER = schema({ region: text("optional") });

interface Request {
  readonly type_name: string;
  readonly config: DynamicValue;
  readonly prior_state: DynamicValue;
  readonly current_state: DynamicValue;
  readonly proposed_new_state: DynamicValue;
  readonly planned_state: DynamicValue;
  readonly raw_state: { readonly json: Uint8Array };
  readonly id: string;
}
type Method = (request: Request) => object | Promise<object>;

let ownRegion = "us-east-1";
const ec2 = (region: unknown) => new EC2Client({ region: String(region) });
const typeOf = ({ type_name }: Request) => TYPES[type_name] ?? PROVIDER;

const NOTHING = { msgpack: Buffer.from([0xc0]) };

interface Grant {
  isThere(state: ObjectValue): Promise<boolean>;
  change(operation: "add" | "remove", state: ObjectValue): Promise<unknown>;
}
/** The resources of the aws provider that have one principal each. */
const GRANTS: Record<string, Grant> = {
  aws_ami_launch_permission: {
    async isThere(state) {
      const asked = new DescribeImageAttributeCommand({ ImageId: String(state.image_id), Attribute: "launchPermission" });
      const wanted = JSON.stringify(launchPermission(state));
      return ((await ec2(state.region).send(asked)).LaunchPermissions ?? []).some((one) => JSON.stringify(one) === wanted);
    },
    change: (operation, state) =>
      ec2(state.region).send(
        new ModifyImageAttributeCommand({
          ImageId: String(state.image_id),
          LaunchPermission: { [operation === "add" ? "Add" : "Remove"]: [launchPermission(state)] },
        }),
      ),
  },
  aws_snapshot_create_volume_permission: {
    async isThere({ region, snapshot_id, account_id }) {
      const asked = new DescribeSnapshotAttributeCommand({
        SnapshotId: String(snapshot_id),
        Attribute: "createVolumePermission",
      });
      const { CreateVolumePermissions = [] } = await ec2(region).send(asked);
      return CreateVolumePermissions.some(({ UserId }) => UserId === account_id);
    },
    change: (OperationType, { region, snapshot_id, account_id }) =>
      ec2(region).send(
        new ModifySnapshotAttributeCommand({
          SnapshotId: String(snapshot_id),
          Attribute: "createVolumePermission",
          OperationType,
          UserIds: [String(account_id)],
        }),
      ),
  },
};

function launchPermission({ account_id, group, organization_arn, organizational_unit_arn }: ObjectValue): LaunchPermission {
  if (account_id) return { UserId: String(account_id) };
  if (group) return { Group: "all" };
  if (organization_arn) return { OrganizationArn: String(organization_arn) };
  return { OrganizationalUnitArn: String(organizational_unit_arn) };
}

const METHODS: Record<string, Method> = {
  GetProviderSchema: () => ({
    provider: message(PROVIDER),
    resource_schemas: Object.fromEntries(Object.entries(TYPES).map(([name, type]) => [name, message(type)])),
    server_capabilities: { get_provider_schema_optional: true },
  }),
  ConfigureProvider({ config }) {
    ownRegion = String(decodeValue(config)?.region ?? ownRegion);
    return {};
  },
  UpgradeResourceState: (request) => ({
    upgraded_state: encodeValue(decodeValue({ json: request.raw_state.json }), typeOf(request)),
  }),
  async ReadResource(request) {
    const state = decodeValue(request.current_state);
    const grant = state && GRANTS[request.type_name];
    if (!grant || (await grant.isThere(state))) return { new_state: request.current_state };
    return { new_state: NOTHING };
  },
  ImportResourceState(request) {
    const [who = "", image_id = ""] = request.id.split(/\/(?=ami-)/);
    const argument = who === "all" ? "group" : /^\d+$/.test(who) ? "account_id" : "organization_arn";
    const grant = { [argument]: who, image_id, region: ownRegion };
    const state = encodeValue({ ...grant, id: Object.values(grant).join("-") }, typeOf(request));
    return { imported_resources: [{ type_name: request.type_name, state }] };
  },
  PlanResourceChange(request) {
    const [config, prior] = [decodeValue(request.config), decodeValue(request.prior_state)];
    if (decodeValue(request.proposed_new_state) === null) return { planned_state: request.proposed_new_state };
    const computed = Object.entries(typeOf(request).attributes).filter(([, { role }]) => role === "computed");
    const made = Object.fromEntries(computed.map(([name]) => [name, prior?.[name] ?? UNKNOWN]));
    const planned = { ...config, ...made, region: config?.region ?? ownRegion } as ObjectValue;
    const changed = Object.entries(typeOf(request).attributes)
      .filter(([name, { role }]) => role !== "computed" && prior && (prior[name] ?? null) !== (planned[name] ?? null))
      .map(([name]) => name);
    return {
      planned_state: encodeValue(planned, typeOf(request)),
      requires_replace: changed.map((name) => ({ steps: [{ attribute_name: name }] })),
    };
  },
  async ApplyResourceChange(request) {
    const [prior, planned] = [decodeValue(request.prior_state), decodeValue(request.planned_state)];
    const grant = GRANTS[request.type_name];
    if (grant) {
      const id = Object.values(planned ?? {}).filter((value) => typeof value === "string");
      await grant.change(prior && !planned ? "remove" : "add", planned ?? prior ?? {});
      return planned
        ? { new_state: encodeValue({ ...planned, id: id.join("-") }, typeOf(request)) }
        : { new_state: request.planned_state };
    }
    if (prior && !planned) {
      await ec2(prior.region).send(new DeregisterImageCommand({ ImageId: String(prior.id) }));
      return { new_state: request.planned_state };
    }
    const client = ec2(planned?.region);
    const { ImageId } = await client.send(
      new CopyImageCommand({
        Name: String(planned?.name),
        SourceImageId: String(planned?.source_ami_id),
        SourceRegion: String(planned?.source_ami_region),
      }),
    );
    const { Images } = await client.send(new DescribeImagesCommand({ ImageIds: [ImageId ?? ""] }));
    const root_snapshot_id = Images?.[0]?.BlockDeviceMappings?.[0]?.Ebs?.SnapshotId ?? null;
    return { new_state: encodeValue({ ...planned, id: ImageId ?? "", root_snapshot_id }, typeOf(request)) };
  },
};

function message({ attributes }: Schema): object {
  return {
    version: 0,
    block: {
      attributes: Object.entries(attributes).map(([name, { role, type }]) => ({
        name,
        type: Buffer.from(JSON.stringify(type)),
        required: role === "required",
        optional: role === "optional" || role === "optionalComputed",
        computed: role === "computed" || role === "optionalComputed",
      })),
    },
  };
}

async function main(): Promise<void> {
  const environment = pluginEnvironment(process.env);
  if (!environment) throw new Error("Terraform starts it");
  const service = Object.fromEntries(
    Object.keys(PROVIDER_SERVICE).map((name) => [
      name,
      (call: { request: Request }, answer: (error: Error | null, response?: object) => void) => {
        (async () => METHODS[name]?.(call.request) ?? {})().then(
          (response) => answer(null, response),
          (error: Error) => answer(null, { diagnostics: [{ severity: "ERROR", summary: error.message }] }),
        );
      },
    ]),
  );
  process.on("SIGINT", () => undefined);
  const serving = await listen({ service, idle: async () => undefined, stop: () => undefined }, environment, () =>
    process.exit(0),
  );
  process.stdout.write(`${handshakeLine(serving)}\n`);
}

if (require.main === module) void main();
