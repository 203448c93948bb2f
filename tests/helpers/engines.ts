/** Both engines behind one interface: the same sets, declared, planned, applied and destroyed by the real Pulumi or the real Terraform. */

import * as fs from "node:fs";
import * as path from "node:path";
import type { Grants } from "../../provider/core";
import type { Emulator } from "./emulator";
import { PulumiProject } from "./pulumiProject";
import { TerraformProject } from "./terraformProject";

/** Set name → arguments, by the names that Pulumi and the core have for them. */
export type Sets = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** What an engine's diff of one set's grants shows: grantees that have more afterwards, and that have less. */
export interface Shown {
  readonly gains: readonly string[];
  readonly loses: readonly string[];
}

/** What an engine is about to do, by set name; a set without a difference in its grants is left out. */
export type Preview = Readonly<Record<string, Shown>>;

/** Whether the engine is told to look at what EC2 has; Terraform looks in any case. */
export interface Looking {
  readonly refresh?: boolean;
}

export interface Engine {
  readonly name: "Pulumi" | "Terraform";
  /** Replaces what was declared before. */
  declare(sets: Sets): void;
  preview(looking?: Looking): Promise<Preview>;
  /** Makes what the last preview showed. */
  apply(looking?: Looking): Promise<void>;
  /** Whether an apply that looks would change nothing. */
  isSettled(): Promise<boolean>;
  /** The outputs, by set name. */
  grants(): Promise<Record<string, Grants>>;
  destroy(): Promise<void>;
  /** Deletes the project's folder. */
  remove(): void;
}

/** Pulumi, with the repository's own stack program, which takes the sets from the stack's config. */
export async function pulumiEngine(emulator: Emulator): Promise<Engine> {
  const project = await PulumiProject.create(emulator, { env: { PULUMI_DEBUG_COMMANDS: "true" } });
  const log = path.join(project.folder, "events.json");
  const asked = ({ refresh = false }: Looking) => (refresh ? ["--refresh"] : []);
  return {
    name: "Pulumi",
    declare: (sets) => project.config({ sets: Object.entries(sets).map(([name, args]) => ({ name, ...args })) }),
    preview: async (looking = {}) => {
      await project.succeed("preview", ...asked(looking), "--event-log", log);
      return previewIn(fs.readFileSync(log, "utf8"));
    },
    apply: async (looking = {}) => void (await project.up(...asked(looking))),
    isSettled: async () => /^Resources:\n +\d+ unchanged$/m.test(await project.preview("--refresh")),
    grants: async () => (await project.outputs()).grants as Record<string, Grants>,
    destroy: async () => void (await project.destroy()),
    remove: () => project.remove(),
  };
}

/** Terraform, with a configuration in JSON; its plans look at what EC2 has. */
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
    isSettled: () => project.isSettled(),
    grants: async () => (await project.outputs()) as Record<string, Grants>,
    destroy: async () => void (await project.destroy()),
    remove: () => project.remove(),
  };
}

/**
 * The same arguments as Terraform writes them: in snake_case, and for `createVolumePermissions: true`, which there is no `true` for,
 * an object: `{}` is the set's accounts, and everybody has to be named.
 */
function terraformArguments({ createVolumePermissions: asked, ...args }: Sets[string]): Record<string, unknown> {
  const volumes = asked === true ? (args.public === true ? { public: true } : {}) : asked || undefined;
  const named = (value: object) =>
    Object.fromEntries(
      Object.entries(value).map(([name, member]) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), member]),
    );
  return { ...named(args), ...(volumes ? { create_volume_permissions: named(volumes) } : {}) };
}

/** What the engine's event log tells of a preview. */
function previewIn(log: string): Preview {
  const [before, after] = [new Map<string, Grants>(), new Map<string, Grants>()];
  for (const line of log.trim().split("\n")) {
    const { metadata } = JSON.parse(line).resourcePreEvent ?? {};
    if (!metadata?.type.endsWith(":AmiLaunchPermissionSet") || metadata.op === "refresh") continue;
    const name = metadata.urn.split("::").at(-1);
    // A replacement is three events; that of the old set, the last, has nothing new.
    if (metadata.old) before.set(name, metadata.old.inputs.grants ?? {});
    if (metadata.new) after.set(name, metadata.new.inputs.grants ?? {});
  }
  const names = [...new Set([...before.keys(), ...after.keys()])];
  return previewOf(names.map((name) => ({ name, before: before.get(name) ?? {}, after: after.get(name) ?? {} })));
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
 * which counts as had unless the words say that it is gone.
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
