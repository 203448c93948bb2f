/** A replacement for Pulumi's aws plugin, which cannot be installed offline: the two resources with one principal each, AmiCopy and ssm.Parameter, on the local EC2. */

import * as fs from "node:fs";
import * as path from "node:path";
import {
  CopyImageCommand,
  DeregisterImageCommand,
  EC2Client,
  ModifyImageAttributeCommand,
  ModifySnapshotAttributeCommand,
} from "@aws-sdk/client-ec2";
import * as provider from "@pulumi/pulumi/provider";
import { ROOT } from "./emulator";

type Operation = "add" | "remove";
type Properties = Readonly<Record<string, string>>;

/** Writes the plugin into a folder, which the test adds to PATH. */
export function installPulumiAwsStandIn(folder: string): void {
  const compile = path.join(ROOT, "node_modules/ts-node/register/transpile-only");
  const start = `#!/bin/sh\nexport TS_NODE_PROJECT=${ROOT}/tsconfig.json\nexec ${process.execPath} -r ${compile} ${__filename} "$@"\n`;
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, "pulumi-resource-aws"), start, { mode: 0o755 });
}

/** pulumi-aws: ec2.AmiLaunchPermission and ec2.SnapshotCreateVolumePermission. */
function change(urn: string, operation: Operation, { imageId, snapshotId, accountId, group }: Properties): Promise<unknown> {
  const ec2 = new EC2Client({});
  if (urn.includes("SnapshotCreateVolumePermission"))
    return ec2.send(
      new ModifySnapshotAttributeCommand({
        SnapshotId: snapshotId,
        Attribute: "createVolumePermission",
        OperationType: operation,
        UserIds: [accountId ?? ""],
      }),
    );
  const grant = group === "all" ? { Group: "all" as const } : { UserId: accountId };
  return ec2.send(
    new ModifyImageAttributeCommand({
      ImageId: imageId,
      LaunchPermission: { [operation === "add" ? "Add" : "Remove"]: [grant] },
    }),
  );
}

/** pulumi-aws: ec2.AmiCopy. */
async function copy({ region, sourceAmiId, sourceAmiRegion, name }: Properties): Promise<string> {
  const command = new CopyImageCommand({ SourceImageId: sourceAmiId, SourceRegion: sourceAmiRegion, Name: name });
  return String((await new EC2Client({ region: String(region) }).send(command)).ImageId);
}

/** pulumi-aws: ssm.Parameter. SSM has no client here: a request without a valid signature is enough for moto. */
async function parameter(action: "PutParameter" | "DeleteParameter", { region, name, type, value, dataType }: Properties) {
  // The SDK marks the value of a parameter as a secret.
  const { value: plain = value } = value as unknown as { value?: string };
  const put = { Name: name, Type: type, Value: plain, DataType: dataType, Overwrite: true };
  const body = action === "PutParameter" ? put : { Name: name };
  const response = await fetch(process.env.AWS_ENDPOINT_URL ?? "", {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amz-target": `AmazonSSM.${action}`,
      authorization: `AWS4-HMAC-SHA256 Credential=AKIATEST/20260101/${region}/ssm/aws4_request, SignedHeaders=host, Signature=none`,
    },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${action}: ${await response.text()}`);
}

const isParameter = (urn: string) => urn.includes("aws:ssm/parameter:Parameter");

const STAND_IN: provider.Provider = {
  version: "7.48.0",
  async check(_urn, _olds, inputs) {
    return { inputs };
  },
  async diff(_id, urn, olds, news) {
    const changed = Object.keys(news).filter((name) => news[name] !== olds[name]);
    return { changes: changed.length > 0, replaces: isParameter(urn) ? [] : changed };
  },
  async update(_id, _urn, _olds, news) {
    await parameter("PutParameter", news);
    return { outs: news };
  },
  async create(urn, inputs) {
    if (isParameter(urn)) {
      await parameter("PutParameter", inputs);
      return { id: inputs.name, outs: inputs };
    }
    if (urn.includes("AmiCopy")) return { id: await copy(inputs), outs: inputs };
    await change(urn, "add", inputs);
    return { id: Object.values(inputs).join("-"), outs: { region: process.env.AWS_REGION, ...inputs } };
  },
  async delete(id, urn, properties) {
    if (isParameter(urn)) return parameter("DeleteParameter", properties);
    if (urn.includes("AmiCopy"))
      return void (await new EC2Client({ region: String(properties.region) }).send(new DeregisterImageCommand({ ImageId: id })));
    await change(urn, "remove", properties);
  },
};

if (require.main === module) void provider.main(STAND_IN, process.argv.slice(2));
