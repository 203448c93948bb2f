/** A stand-in for Terraform's aws provider, which cannot be had offline: `aws_ami_copy`, with the arguments that an example uses, on the local EC2. */

import { CopyImageCommand, DeregisterImageCommand, DescribeImagesCommand, EC2Client } from "@aws-sdk/client-ec2";
import { UNKNOWN } from "../../provider/core";
import { handshakeLine, listen, pluginEnvironment } from "../../provider/terraform/plugin";
import type { Attributes, Schema } from "../../provider/terraform/schema";
import { PROVIDER_SERVICE } from "../../provider/terraform/services";
import { type DynamicValue, decodeValue, encodeValue, type ObjectValue } from "../../provider/terraform/values";

const text = (role: "required" | "optional" | "computed" | "optionalComputed") =>
  ({ role, description: "", type: "string" }) as const;
const schema = (attributes: Attributes): Schema => ({ version: 0, description: "", attributes });
/** hashicorp/terraform-provider-aws, website/docs/r/ami_copy.html.markdown and ami_launch_permission.html.markdown, in part. */
const TYPES: Record<string, Schema> = {
  aws_ami_copy: schema({
    id: text("computed"),
    region: text("optionalComputed"),
    name: text("required"),
    source_ami_id: text("required"),
    source_ami_region: text("required"),
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
}
type Method = (request: Request) => object | Promise<object>;

let ownRegion = "us-east-1";
const ec2 = (region: unknown) => new EC2Client({ region: String(region) });
const typeOf = ({ type_name }: Request) => TYPES[type_name] ?? PROVIDER;

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
  ReadResource: ({ current_state }) => ({ new_state: current_state }),
  PlanResourceChange(request) {
    const [config, prior] = [decodeValue(request.config), decodeValue(request.prior_state)];
    if (decodeValue(request.proposed_new_state) === null) return { planned_state: request.proposed_new_state };
    const planned = { ...config, region: config?.region ?? ownRegion, id: prior?.id ?? UNKNOWN } as ObjectValue;
    const changed = ["source_ami_id", "source_ami_region", "name", "region"].filter(
      (name) => prior && prior[name] !== planned[name],
    );
    return {
      planned_state: encodeValue(planned, typeOf(request)),
      requires_replace: changed.map((name) => ({ steps: [{ attribute_name: name }] })),
    };
  },
  async ApplyResourceChange(request) {
    const [prior, planned] = [decodeValue(request.prior_state), decodeValue(request.planned_state)];
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
    await client.send(new DescribeImagesCommand({ ImageIds: [ImageId ?? ""] }));
    return { new_state: encodeValue({ ...planned, id: ImageId ?? "" }, typeOf(request)) };
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
