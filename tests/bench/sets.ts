/** Many sets in one program, in each engine: who has access, and the commands that users run. */

import type { Emulator, MadeImage } from "../helpers/emulator";
import { declaredSet, pluginProject, writeProgram } from "../helpers/pulumiPlugin";
import { type ProjectOptions, PulumiProject } from "../helpers/pulumiProject";
import { TerraformProject } from "../helpers/terraformProject";
import type { EngineName } from "./calls";

/** A program with a set for each image. */
export interface Sets {
  /** Declares the accounts of every set, for the AMI and all its snapshots. */
  readonly declare: (accountIds: readonly string[]) => void;
  readonly plan: () => Promise<unknown>;
  /** Makes the change that was planned last; without a plan, it plans first. */
  readonly apply: () => Promise<unknown>;
  /** Plans and makes the change, with the one command that users run. */
  readonly run: () => Promise<unknown>;
  readonly refresh: () => Promise<unknown>;
  readonly destroy: () => Promise<unknown>;
  readonly remove: () => void;
}

const PROGRAM = `import * as pulumi from "@pulumi/pulumi";
import { AmiLaunchPermissionSet } from "ami-launch-permissions";
const config = new pulumi.Config();
const accountIds = config.requireObject<string[]>("accountIds");
for (const imageId of config.requireObject<string[]>("imageIds"))
  new AmiLaunchPermissionSet(imageId, { imageId, accountIds, createVolumePermissions: true });
`;

/** @param options of the project of Pulumi */
type MakeSets = (
  emulator: Emulator,
  images: readonly MadeImage[],
  options?: Pick<ProjectOptions, "asUsersHaveIt">,
) => Promise<Sets>;

/** `Pulumi`: the dynamic provider; `plugin`: the full one. */
export const SETS: Readonly<Record<EngineName, MakeSets>> = {
  async Pulumi(emulator, images, options) {
    const project = await PulumiProject.create(emulator, { program: PROGRAM, ...options });
    const imageIds = images.map(({ imageId }) => imageId);
    return { declare: (accountIds) => project.config({ imageIds, accountIds }), ...pulumiCommands(project) };
  },
  async plugin(emulator, images, options) {
    const project = await pluginProject(emulator, options);
    const set = (imageId: string, accountIds: readonly string[]) =>
      declaredSet(imageId, { imageId, accountIds, createVolumePermissions: true });
    return {
      declare: (accountIds) => writeProgram(project, images.map(({ imageId }) => set(imageId, accountIds)).join("")),
      ...pulumiCommands(project),
    };
  },
  async Terraform(emulator, images) {
    const project = await TerraformProject.create(emulator, "");
    let isPlanned = false;
    return {
      declare(account_ids) {
        isPlanned = false;
        const sets = images.map(({ imageId: image_id }) => [image_id, { image_id, account_ids, create_volume_permissions: {} }]);
        project.write("sets.tf.json", JSON.stringify({ resource: { ami_launch_permission_set: Object.fromEntries(sets) } }));
      },
      async plan() {
        await project.plan("-out=plan.bin");
        isPlanned = true;
      },
      async apply() {
        await (isPlanned ? project.succeed("apply", "plan.bin") : project.apply());
        isPlanned = false;
      },
      run: () => project.apply(),
      refresh: () => project.plan("-refresh-only"),
      destroy: () => project.destroy(),
      remove: () => project.remove(),
    };
  },
};

function pulumiCommands(project: PulumiProject): Omit<Sets, "declare"> {
  return {
    plan: () => project.preview(),
    apply: () => project.up(),
    run: () => project.succeed("up", "--yes"),
    refresh: () => project.refresh(),
    destroy: () => project.destroy(),
    remove: () => project.remove(),
  };
}
