/** The command `report` on the files of the real engines: what it says before a change is what EC2 then does. */

import * as assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Report } from "../../provider/cli/report/model";
import { type MadeImage, ROOT, useEmulator } from "../helpers/emulator";
import { declaredSet, pluginProject, writeProgram } from "../helpers/pulumiPlugin";
import { PulumiProject } from "../helpers/pulumiProject";
import { TerraformProject } from "../helpers/terraformProject";

const [A, B, C, D] = ["111122223333", "444455556666", "777788889999", "999900001111"] as const;
const MANY = Array.from({ length: 30 }, (_, i) => String(300000000000 + i));
const ORGANIZATION = "arn:aws:organizations::111122223333:organization/o-abcde12345";
const MAIN = path.join(ROOT, "provider/dist/cli/main.js");

type Sets = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** An engine that writes the file of a change before it makes it. */
interface Project {
  declare(sets: Sets): void;
  up(): Promise<void>;
  /** Writes what the engine knows before the change, and returns the arguments of the command. */
  plan(): Promise<string[]>;
  apply(): Promise<void>;
  remove(): void;
  readonly folder: string;
}

function pulumi(project: PulumiProject, declare: (sets: Sets) => void): Project {
  return {
    folder: project.folder,
    declare,
    up: async () => void (await project.up()),
    plan: async () => {
      const file = path.join(project.folder, "preview.json");
      fs.writeFileSync(file, (await project.succeed("preview", "--json")).stdout);
      return ["--pulumi", file];
    },
    apply: async () => void (await project.up()),
    remove: () => project.remove(),
  };
}

describe("the command report, with the files of the real engines", function () {
  this.timeout(300_000);
  const emulator = useEmulator();

  const engines: Readonly<Record<string, () => Promise<Project>>> = {
    Pulumi: async () => {
      const project = await PulumiProject.create(emulator());
      return pulumi(project, (sets) => project.config({ sets: Object.entries(sets).map(([name, args]) => ({ name, ...args })) }));
    },
    "Pulumi's plugin": async () => {
      const project = await pluginProject(emulator());
      return pulumi(project, (sets) =>
        writeProgram(
          project,
          Object.entries(sets)
            .map(([name, args]) => declaredSet(name, args))
            .join(""),
        ),
      );
    },
    Terraform: async () => {
      const project = await TerraformProject.create(emulator(), "");
      return {
        folder: project.folder,
        declare: (sets) =>
          project.declare(Object.fromEntries(Object.entries(sets).map(([name, args]) => [name, snakeCased(args)]))),
        up: async () => void (await project.apply()),
        plan: async () => {
          const [file, messages] = [path.join(project.folder, "plan.json"), path.join(project.folder, "plan.log")];
          fs.writeFileSync(messages, (await project.succeed("plan", "-json", "-out=plan.bin")).stdout);
          fs.writeFileSync(file, JSON.stringify(await project.savedPlan()));
          return ["--terraform", file, "--messages", messages];
        },
        apply: async () => void (await project.succeed("apply", "plan.bin")),
        remove: () => project.remove(),
      };
    },
  };

  for (const [name, make] of Object.entries(engines))
    it(`${name}: creates on shared AMIs, updates, drift, replacements, deletes, and an AMI that goes from one set to another`, async () => {
      const project = await make();
      try {
        const images = await emulator().images([
          { snapshots: 2, launchPermissions: [{ UserId: D }] },
          { snapshots: 1 },
          { snapshots: 1 },
          { snapshots: 1, launchPermissions: [{ UserId: B }, { UserId: D }] },
          { snapshots: 1 },
        ]);
        const [golden, base, next, web, tools] = images as [MadeImage, MadeImage, MadeImage, MadeImage, MadeImage];
        project.declare({
          golden: { imageId: golden.imageId, accountIds: [A, B], createVolumePermissions: true },
          base: { imageId: base.imageId, accountIds: [A, B] },
          tools: { imageId: tools.imageId, accountIds: [A, C], mode: "additive" },
        });
        await project.up();
        // Somebody else shares the first AMI with another account, and takes access to it from one that the set has given it to.
        const by = (imageId: string, change: string) =>
          emulator().aws("ec2", "modify-image-attribute", "--image-id", imageId, "--launch-permission", change);
        await by(golden.imageId, `Add=[{UserId=${D}}]`);
        await by(golden.imageId, `Remove=[{UserId=${A}}]`);
        project.declare({
          golden: {
            imageId: golden.imageId,
            accountIds: [A, C, ...MANY],
            organizationArns: [ORGANIZATION],
            createVolumePermissions: { accountIds: [C] },
          },
          base: { imageId: next.imageId, accountIds: [A, B] },
          web: { imageId: web.imageId, accountIds: [A, B], public: true, acknowledgePublic: true },
        });
        const args = await project.plan();
        const before = await emulator().pairs(images);
        const { report, code } = reported(...args, "--fail-on", "broadens");
        await project.apply();
        const after = await emulator().pairs(images);
        assert.deepEqual(reportedPairs(report, images, "before", "after"), minus(before, after), "loses");
        assert.deepEqual(reportedPairs(report, images, "after", "before"), minus(after, before), "gains");
        assert.deepEqual([minus(before, after).length > 8, minus(after, before).length > 30, code], [true, true, 1]);
        assert.deepEqual(report.summary, { ...report.summary, risks: ["broadens", "public", "revokes"], cannotTell: [] });
      } finally {
        project.remove();
      }
    });
});

/** Runs the command where neither Pulumi nor Terraform can be found, nor credentials. */
function reported(...args: string[]): { report: Report; code: number | null } {
  const { stdout, status, stderr } = spawnSync(process.execPath, [MAIN, "report", ...args, "--json", "-"], {
    encoding: "utf8",
    env: { PATH: "" },
    maxBuffer: 1e8,
  });
  assert.ok(stdout.startsWith("{"), stderr);
  return { report: JSON.parse(stdout), code: status };
}

/** The permissions in `from` that are not in `to`, as `resource grantee`. */
function reportedPairs(
  { amis }: Report,
  images: readonly MadeImage[],
  from: "before" | "after",
  to: "before" | "after",
): string[] {
  const pairs = amis.flatMap(({ imageId = "", grants }) =>
    grants.flatMap(({ grantee, [from]: has, [to]: had }) => {
      const { snapshotIds } = images.find((image) => image.imageId === imageId) ?? assert.fail(imageId);
      const on = (volumes: typeof has.createVolume) => (volumes === "all" ? snapshotIds : volumes === "none" ? [] : volumes);
      const volumes = on(has.createVolume).filter((id) => !on(had.createVolume).includes(id));
      return [...(has.launch && !had.launch ? [imageId] : []), ...volumes].map((id) => `${id} ${grantee}`);
    }),
  );
  return pairs.sort();
}

function minus(a: readonly string[], b: readonly string[]): string[] {
  return a.filter((one) => !b.includes(one));
}

function snakeCased(args: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(args).map(([name, value]) => {
      const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      if (name !== "createVolumePermissions") return [snake, value];
      return [snake, value === true ? {} : snakeCased(value as Record<string, unknown>)];
    }),
  );
}
