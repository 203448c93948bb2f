/** One interface to the engines: the real Pulumi, with the dynamic resource or the plugin, or the real Terraform declares, plans, applies and destroys the same sets. */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Grants } from "../../provider/core";
import type { Emulator } from "./emulator";
import { pluginProject, SET_TYPE, writeProgram } from "./pulumiPlugin";
import { PulumiProject, type Ran } from "./pulumiProject";
import { TerraformProject } from "./terraformProject";

/** Set name → arguments, with the names of Pulumi and the core. */
export type Sets = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** The engine's diff of the grants of one set: grantees that gain permissions, and grantees that lose some. */
export interface Shown {
  readonly gains: readonly string[];
  readonly loses: readonly string[];
}

/** The changes of a preview, by set name. Sets whose grants do not change are left out. */
export type Preview = Readonly<Record<string, Shown>>;

/** Whether the engine refreshes first. Terraform always does. */
export interface Looking {
  readonly refresh?: boolean;
}

export interface Engine {
  readonly name: "Pulumi" | "Pulumi's plugin" | "Terraform";
  /** Replaces the declared sets. */
  declare(sets: Sets): void;
  preview(looking?: Looking): Promise<Preview>;
  /** Applies what the last preview showed. */
  apply(looking?: Looking): Promise<void>;
  /** The codes that a preview names, be it in errors or in warnings, and those of the errors in which an apply ends. */
  refusals(): Promise<{ readonly preview: readonly string[]; readonly apply: readonly string[] }>;
  /** Whether an apply with a refresh would change nothing. */
  isSettled(): Promise<boolean>;
  /** The outputs, by set name. */
  grants(): Promise<Record<string, Grants>>;
  destroy(): Promise<void>;
  /** Deletes the project's folder. */
  remove(): void;
}

/** Pulumi's event log is hidden from users. */
const EVENT_LOG = { PULUMI_DEBUG_COMMANDS: "true" } as const;

/** Pulumi, with the stack program of this repository, which reads the sets from the stack's config. */
export async function pulumiEngine(emulator: Emulator): Promise<Engine> {
  const project = await PulumiProject.create(emulator, { env: EVENT_LOG });
  const declare = (sets: Sets) => project.config({ sets: Object.entries(sets).map(([name, args]) => ({ name, ...args })) });
  return { name: "Pulumi", declare, ...byPulumi(project) };
}

/** Pulumi, with a program that uses the plugin. */
export async function pluginEngine(emulator: Emulator): Promise<Engine> {
  const project = await pluginProject(emulator, { env: EVENT_LOG });
  const declare = (sets: Sets) => {
    const made = Object.entries(sets).map(([name, args]) => {
      const text = JSON.stringify(name);
      return `grants[${text}] = new LaunchPermissionSet(${text}, ${JSON.stringify(args)}).grants;\n`;
    });
    writeProgram(project, `export const grants: Record<string, unknown> = {};\n${made.join("")}`);
  };
  return { name: "Pulumi's plugin", declare, ...byPulumi(project) };
}

function byPulumi(project: PulumiProject): Omit<Engine, "name" | "declare"> {
  const log = path.join(project.folder, "events.json");
  const asked = ({ refresh = false }: Looking) => (refresh ? ["--refresh"] : []);
  return {
    preview: async (looking = {}) => {
      await project.succeed("preview", ...asked(looking), "--event-log", log);
      return previewIn(fs.readFileSync(log, "utf8"));
    },
    apply: async (looking = {}) => void (await project.up(...asked(looking))),
    refusals: async () => ({
      preview: codesIn(await project.run("preview")),
      apply: codesIn(await project.fail("up", "--yes", "--skip-preview")),
    }),
    isSettled: async () => /^Resources:\n +\d+ unchanged$/m.test(await project.preview("--refresh")),
    grants: async () => ((await project.outputs()).grants ?? {}) as Record<string, Grants>,
    destroy: async () => void (await project.destroy()),
    remove: () => project.remove(),
  };
}

/** Terraform, with a configuration in JSON. Its plans refresh first. */
export async function terraformEngine(emulator: Emulator): Promise<Engine> {
  const project = await TerraformProject.create(emulator, "");
  return {
    name: "Terraform",
    declare: (sets) =>
      project.declare(Object.fromEntries(Object.entries(sets).map(([name, args]) => [name, terraformArguments(args)]))),
    preview: async () => {
      const { resource_changes = [] } = await project.planJson();
      return previewOf(
        resource_changes.map(({ address, change: { before, after } }) => ({
          name: address.replace(/^.*\./, ""),
          before: (before?.grants ?? {}) as Grants,
          after: (after?.grants ?? {}) as Grants,
        })),
      );
    },
    apply: async () => void (await project.succeed("apply", "plan.bin")),
    refusals: async () => ({
      preview: codesIn(await project.run("plan")),
      apply: codesIn(await project.fail("apply", "-auto-approve")),
    }),
    isSettled: () => project.isSettled(),
    grants: async () => (await project.outputs()) as Record<string, Grants>,
    destroy: async () => void (await project.destroy()),
    remove: () => project.remove(),
  };
}

/**
 * The same arguments for Terraform, in snake_case. Terraform has no `true` for `createVolumePermissions`: it becomes an object. `{}` means
 * the accounts of the set; everybody must be named.
 */
function terraformArguments({ createVolumePermissions: asked, ...args }: Sets[string]): Record<string, unknown> {
  const volumes = asked === true ? (args.public === true ? { public: true } : {}) : asked || undefined;
  const named = (value: object) =>
    Object.fromEntries(
      Object.entries(value).map(([name, member]) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), member]),
    );
  return { ...named(args), ...(volumes ? { create_volume_permissions: named(volumes) } : {}) };
}

/** The stable codes of the errors in what a CLI printed, each once. */
function codesIn({ output }: Ran): string[] {
  const told = output.replace(/[\s│]+/g, " ").matchAll(/\[([a-z]+(?:-[a-z]+)+)\]/g);
  return [...new Set([...told].map(([, code = ""]) => code))].sort();
}

/** The changes in the engine's event log of a preview. */
function previewIn(log: string): Preview {
  const [before, after] = [new Map<string, Grants>(), new Map<string, Grants>()];
  for (const line of log.trim().split("\n")) {
    const { metadata } = JSON.parse(line).resourcePreEvent ?? {};
    if (!/:(Ami)?LaunchPermissionSet$/.test(metadata?.type) || metadata.op === "refresh") continue;
    const name = metadata.urn.split("::").at(-1);
    // A replacement has three events. The last one, of the old set, has no new values.
    if (metadata.old) before.set(name, metadata.old.inputs.grants ?? {});
    if (metadata.new) after.set(name, metadata.new.inputs.grants ?? {});
    if (metadata.type === SET_TYPE) requireExact(metadata);
  }
  const names = [...new Set([...before.keys(), ...after.keys()])];
  return previewOf(names.map((name) => ({ name, before: before.get(name) ?? {}, after: after.get(name) ?? {} })));
}

interface StepMetadata {
  readonly urn: string;
  readonly old?: { readonly inputs: { readonly grants?: Grants } };
  readonly new?: { readonly inputs: { readonly grants?: Grants } };
  readonly detailedDiff?: Readonly<Record<string, { readonly kind: string }>>;
}

/** The plugin tells the engine itself which grants to show as changed: exactly those that differ. */
function requireExact({ urn, old, new: fresh, detailedDiff }: StepMetadata): void {
  if (!old || !fresh || !detailedDiff) return;
  const [before, after] = [old.inputs.grants ?? {}, fresh.inputs.grants ?? {}];
  const changed = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((key) => before[key] !== after[key]);
  const shown = Object.keys(detailedDiff).filter((at) => at.startsWith("grants"));
  assert.deepEqual(shown.sort(), changed.map((key) => `grants[${JSON.stringify(key)}]`).sort(), urn);
}

function previewOf(sets: readonly { readonly name: string; readonly before: Grants; readonly after: Grants }[]): Preview {
  const shown = sets.map(({ name, before, after }) => [name, difference(before, after)] as const);
  return Object.fromEntries(shown.filter(([, { gains, loses }]) => gains.length + loses.length > 0));
}

function difference(before: Grants, after: Grants): Shown {
  const more = (a: Grants, b: Grants) =>
    Object.keys(b)
      .filter((key) => permissions(b[key]).some((one) => !permissions(a[key]).includes(one)))
      .sort();
  return { gains: more(before, after), loses: more(after, before) };
}

/**
 * `launch, createVolume on snap-1, snap-2` → `launch`, `createVolume on snap-1`, `createVolume on snap-2`, and the use of the key,
 * which counts as granted unless the text says that it is gone.
 */
function permissions(text = ""): string[] {
  if (text === "") return [];
  const [words = "", keyGone] = text.split(" (key grant gone)");
  const [everywhere = "", snapshotIds] = words.split(" on ");
  const kinds = everywhere.split(", ");
  const last = kinds.pop();
  return [
    ...kinds,
    ...(snapshotIds?.split(", ").map((id) => `${last} on ${id}`) ?? [`${last}`]),
    ...(keyGone === undefined ? ["key"] : []),
  ];
}
