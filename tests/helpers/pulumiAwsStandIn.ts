/** A replacement for Pulumi's aws plugin, which cannot be installed offline: the two resources with one principal each, and AmiCopy, on the local EC2. */

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

const STAND_IN: provider.Provider = {
  version: "7.48.0",
  async check(_urn, _olds, inputs) {
    return { inputs };
  },
  async diff(_id, _urn, olds, news) {
    const replaces = Object.keys(news).filter((name) => news[name] !== olds[name]);
    return { changes: replaces.length > 0, replaces };
  },
  async create(urn, inputs) {
    if (urn.includes("AmiCopy")) return { id: await copy(inputs), outs: inputs };
    await change(urn, "add", inputs);
    return { id: Object.values(inputs).join("-"), outs: { region: process.env.AWS_REGION, ...inputs } };
  },
  async delete(id, urn, properties) {
    if (urn.includes("AmiCopy"))
      return void (await new EC2Client({ region: String(properties.region) }).send(new DeregisterImageCommand({ ImageId: id })));
    await change(urn, "remove", properties);
  },
};

if (require.main === module) void provider.main(STAND_IN, process.argv.slice(2));
