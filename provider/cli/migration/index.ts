/** Converts the text of a state to the text that migrates it. It uses no files, no network and no engine. */

import * as v from "valibot";
import { escapeControls } from "../../core";
import { decodedBy, parsedJson } from "../json";
import { migrationOf } from "./migration";
import type { PulumiState, TerraformState } from "./oldState";
import { decodeExport } from "./pulumiState";
import { pulumiText } from "./pulumiText";
import { decodeShown, decodeStateFile } from "./terraformState";
import { terraformText } from "./terraformText";

/**
 * Writes the blocks or the program of sets that replace the old resources in a state, which have one principal each.
 *
 * @param file the bytes of the file
 * @throws Error that says why the file is not a state, or that there is nothing to migrate
 */
export function migrationText(file: Uint8Array): string {
  const state = decoded(parsedJson(file, `a state`, WANTED));
  if (state.grants.length === 0)
    throw new Error(
      `there is nothing to migrate: this ${state.engine === "pulumi" ? "stack holds no aws.ec2.AmiLaunchPermission and no aws.ec2.SnapshotCreateVolumePermission" : "state holds no aws_ami_launch_permission and no aws_snapshot_create_volume_permission"}`,
    );
  const migration = migrationOf(state);
  return state.engine === "pulumi" ? pulumiText(migration, state) : terraformText(migration);
}

const WANTED = "give a terraform.tfstate, or what terraform show -json or pulumi stack export wrote";

function decoded(json: unknown): TerraformState | PulumiState {
  const kind = v.safeParse(v.record(v.string(), v.unknown()), json);
  if (!kind.success || Array.isArray(json)) throw new Error(`this is JSON, but no state; ${WANTED}`);
  const { version, format_version, deployment, checkpoint, encrypted_data, lineage, resources, terraform_version } = kind.output;
  if (encrypted_data !== undefined) throw new Error("this state is encrypted: tofu show -json > FILE writes it in clear");
  if (checkpoint !== undefined)
    throw new Error("this is a checkpoint of Pulumi's backend: pulumi stack export > FILE writes the state");
  const decode = () => {
    if (deployment !== undefined) {
      if (version !== 3 && version !== 4) throw new Error(otherVersion("export", version, "3 and 4"));
      return decodeExport(json);
    }
    if (format_version !== undefined) return decodeShown(json);
    if (version === undefined || (lineage === undefined && resources === undefined && terraform_version === undefined))
      throw new Error(`this is JSON, but no state; ${WANTED}`);
    if (version !== 4)
      throw new Error(
        `${otherVersion("state", version, "4")}; terraform show -json > FILE, or an apply of Terraform 0.12 or newer, rewrites it`,
      );
    return decodeStateFile(json);
  };
  return decodedBy(decode, "state", WANTED);
}

function otherVersion(what: string, version: unknown, known: string): string {
  return `this ${what} is of version ${escapeControls(JSON.stringify(version) ?? "undefined")}, and ${known} can be read`;
}
