/** Projects whose programs use the full Pulumi provider, without an SDK of it. */

import * as fs from "node:fs";
import * as path from "node:path";
import { packageSchema } from "../../provider/pulumi-plugin/schema";
import { type Emulator, ROOT } from "./emulator";
import { type ProjectOptions, PulumiProject } from "./pulumiProject";

export const SET_TYPE = "ami-launch-permissions:index:LaunchPermissionSet";

const { aliases } = packageSchema().resources[SET_TYPE] as { readonly aliases: readonly object[] };

/** What an SDK's classes do: resources of the types, whose plugin Pulumi.yaml names, with the aliases of the schema. */
const SDK = `
  import * as pulumi from "@pulumi/pulumi";

  class LaunchPermissionSet extends pulumi.CustomResource {
    declare readonly grants: pulumi.Output<Record<string, string>>;
    constructor(name: string, args: object, opts?: pulumi.CustomResourceOptions) {
      super("${SET_TYPE}", name, { ...args, ownerId: undefined, snapshotIds: undefined, grants: undefined },
        pulumi.mergeOptions({ aliases: ${JSON.stringify(aliases)} }, opts));
    }
  }

  class SharedAmi extends pulumi.ComponentResource {
    declare readonly imageIds: pulumi.Output<Record<string, string>>;
    declare readonly grants: pulumi.Output<Record<string, Record<string, string>>>;
    constructor(name: string, args: object, opts?: pulumi.ComponentResourceOptions) {
      super("ami-launch-permissions:index:SharedAmi", name, { imageIds: undefined, grants: undefined, ...args }, opts, true);
    }
  }
`;

type PluginOptions = Pick<ProjectOptions, "env" | "asUsersHaveIt">;

/** A project with an empty program, which finds the plugin that the build made. */
export async function pluginProject(emulator: Emulator, options: PluginOptions = {}): Promise<PulumiProject> {
  const project = await PulumiProject.create(emulator, { program: "", ...options });
  const folder = path.join(ROOT, "provider/dist/pulumi-plugin");
  const plugins = `\nplugins:\n  providers:\n    - name: ami-launch-permissions\n      path: ${folder}\n`;
  fs.appendFileSync(path.join(project.folder, "Pulumi.yaml"), plugins);
  return project;
}

/** Makes such a project before each test of a suite, and deletes it after the test. `options` can be asked for then. */
export function usePluginProject(
  emulator: () => Emulator,
  options: () => PluginOptions | Promise<PluginOptions> = () => ({}),
): () => PulumiProject {
  let project: PulumiProject | undefined;
  beforeEach(async () => {
    project = await pluginProject(emulator(), await options());
  });
  afterEach(() => project?.remove());
  return () => {
    if (!project) throw new Error("the project is not made yet");
    return project;
  };
}

/** Replaces the program of such a project; the classes LaunchPermissionSet and SharedAmi are there. */
export function writeProgram(project: PulumiProject, body: string): void {
  project.program(`${SDK}\n${body}\n`);
}

/** Replaces the program by one of dynamic resources. */
export function writeDynamicProgram(project: PulumiProject, body: string): void {
  const imports = `import * as pulumi from "@pulumi/pulumi";\nimport { AmiLaunchPermissionSet, SharedAmi } from "ami-launch-permissions";\n`;
  project.program(`${imports}\n${body}\n`);
}

/** A set in a program. */
export function declaredSet(name: string, args: object): string {
  return `new LaunchPermissionSet("${name}", ${JSON.stringify(args)});\n`;
}

/** The lines of a preview that are marked as changed, but the resources' headings and the report's own lines. */
export function changedLines(preview: string): string[] {
  const [resources = ""] = preview.split("--outputs:--");
  return resources
    .split("\n")
    .map((line) => line.trim().replace(/\s+/g, " ").replace(" : ", ": "))
    .filter((line) => /^[-+~] /.test(line) && !/LaunchPermissionSet|pulumi:pulumi:|pulumi:providers:/.test(line))
    .filter((line) => !/^[-+] (launch|createVolume)\b/.test(line))
    .filter((line) => !/^[-+~] \d+ (to|unchanged|created|updated)/.test(line));
}
