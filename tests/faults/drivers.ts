/** One interface to the real Pulumi and the real Terraform, for runs with hundreds of sets in which some calls fail. */

import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Grants } from "../../provider/core";
import type { Emulator } from "../helpers/emulator";
import { PulumiProject, type Ran } from "../helpers/pulumiProject";
import { TerraformProject, terraformCli } from "../helpers/terraformProject";
import { type Running, start } from "./cli";

/** A set of the program. Its name is the id of its AMI. */
export interface SetArguments {
  readonly imageId: string;
  readonly accountIds: readonly string[];
  readonly mode: "authoritative" | "additive";
  readonly kmsAccess?: "grant";
  /** How long to wait until EC2 shows a change, if the package has this argument. */
  readonly timeouts?: Readonly<Record<string, string>>;
}

/** A message of a run about one set, or about no particular set (""). */
export interface Told {
  readonly name: string;
  readonly isError: boolean;
  readonly text: string;
}

/** The grants of a set in a plan. */
export interface Planned {
  readonly before: Grants;
  readonly after: Grants;
}

export interface Said {
  readonly code: number | null;
  readonly output: string;
  readonly told: readonly Told[];
  /** The planned change of each set. Sets without a planned change are not in it. */
  readonly planned: ReadonlyMap<string, Planned>;
}

/** The parts of an operation in which calls are counted: Terraform plans before it changes anything. */
export type Phase = "plan" | "apply";

/** Called when a phase begins, before its first call. `failed`: the sets for which an earlier attempt of the phase reported errors. */
export type Begin = (phase: Phase, failed: ReadonlySet<string>) => Promise<void>;

export interface Driver {
  readonly name: "Pulumi" | "Terraform";
  /** Matches the command line of the provider's process, among the processes that the engine started. */
  readonly providerCommand: RegExp;
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  declare(sets: readonly SetArguments[]): void;
  preview(begin: Begin): Promise<Said>;
  apply(begin: Begin): Promise<Said>;
  refresh(begin: Begin): Promise<Said>;
  destroy(begin: Begin): Promise<Said>;
  /** Starts an apply or a destroy that the test will kill. `begin` is called before its first change. Call {@link recover} afterwards. */
  start(operation: "apply" | "destroy", begin: () => Promise<void>): Promise<Running>;
  /** Waits until the engine writes nothing: Terraform overwrites its state file in place, and a kill during a write leaves it empty. */
  quiet(): Promise<void>;
  /** The manual steps after a kill, before the next run. */
  recover(): Promise<void>;
  /** The grants that the state records, by set. */
  state(): Promise<ReadonlyMap<string, Grants>>;
  /** The sets that a run with a refresh would change. */
  unsettled(): Promise<readonly string[]>;
  /** The state and, if Terraform writes one, its trace, as text. */
  writtenText(): string;
  remove(): void;
}

/** Makes Terraform log everything that it and its provider do. */
const TRACE = "trace.log";
export const WITH_TRACE = { TF_LOG: "trace", TF_LOG_PATH: TRACE };

/** The longest time for one run of a CLI, in seconds. */
const LIMIT = 600;
/** How many seconds Terraform must not have written its state. */
const QUIET = 2;
/** The number of attempts if errors of some sets stop a Terraform plan, so that other sets are not applied. */
const ATTEMPTS = 5;

export async function pulumiDriver(emulator: Emulator, env: Record<string, string>): Promise<Driver> {
  const program = `
    import * as fs from "node:fs";
    import { AmiLaunchPermissionSet } from "ami-launch-permissions";
    for (const args of JSON.parse(fs.readFileSync("sets.json", "utf8")))
      new AmiLaunchPermissionSet(args.imageId, { ...args, createVolumePermissions: true });
  `;
  const project = await PulumiProject.create(emulator, { program, env: { ...env, PULUMI_DEBUG_COMMANDS: "true" } });
  const log = path.join(project.folder, "events.json");
  const launch = (...args: string[]) => {
    fs.rmSync(log, { force: true });
    const all = [...args, "--parallel", "200", "--event-log", log, "--non-interactive", "--color", "never"];
    return start("pulumi", all, project.folder, project.env, LIMIT);
  };
  const run = async (...args: string[]): Promise<Said> => {
    const { code, output } = await launch(...args).ended;
    return { code, output, ...eventsIn(fs.existsSync(log) ? fs.readFileSync(log, "utf8") : "") };
  };
  const once = async (begin: Begin, phase: Phase, ...args: string[]) => {
    await begin(phase, new Set());
    return run(...args);
  };
  const changing = (command: "up" | "destroy") => [command, "--yes", "--skip-preview", "--continue-on-error"];
  const exported = async () => JSON.parse((await project.succeed("stack", "export")).stdout).deployment.resources ?? [];
  return {
    name: "Pulumi",
    providerCommand: /dynamic-provider/,
    folder: project.folder,
    env: project.env,
    declare: (sets) => fs.writeFileSync(path.join(project.folder, "sets.json"), JSON.stringify(sets)),
    preview: (begin) => once(begin, "plan", "preview"),
    apply: (begin) => once(begin, "apply", ...changing("up")),
    refresh: (begin) => once(begin, "apply", "refresh", "--yes", "--skip-preview"),
    destroy: (begin) => once(begin, "apply", ...changing("destroy")),
    async start(operation, begin) {
      await begin();
      return launch(...changing(operation === "apply" ? "up" : "destroy"));
    },
    // Pulumi writes a new file and renames it.
    quiet: () => Promise.resolve(),
    async recover() {
      await project.run("cancel", "--yes");
    },
    async state() {
      const resources = (await exported()) as { type: string; urn: string; outputs?: { grants?: Grants } }[];
      return new Map(
        resources.filter(({ type }) => type.endsWith(SET)).map(({ urn, outputs }) => [nameIn(urn), outputs?.grants ?? {}]),
      );
    },
    async unsettled() {
      const { planned, code, output } = await run("preview", "--refresh");
      if (code !== 0) throw new Error(`pulumi preview exited with ${code}:\n${output.slice(-4000)}`);
      return [...planned.keys()];
    },
    writtenText: () => filesIn(path.join(project.folder, ".pulumi")).join("\n"),
    remove: () => project.remove(),
  };
}

const SET = ":AmiLaunchPermissionSet";
const nameIn = (urn: string) => urn.split("::").at(-1) ?? "";

/** The messages and planned changes in the engine's event log. */
function eventsIn(log: string): Pick<Said, "told" | "planned"> {
  const told: Told[] = [];
  const planned = new Map<string, Planned>();
  for (const line of log.split("\n").filter((text) => text.startsWith("{"))) {
    const { resourcePreEvent, diagnosticEvent } = parsed(line);
    const { metadata } = resourcePreEvent ?? {};
    if (metadata?.type?.endsWith(SET) && !["same", "refresh", "read"].includes(metadata.op))
      planned.set(nameIn(metadata.urn), {
        before: metadata.old?.inputs?.grants ?? {},
        after: metadata.new?.inputs?.grants ?? {},
      });
    if (diagnosticEvent && diagnosticEvent.severity !== "debug")
      told.push({
        name: diagnosticEvent.urn?.includes(`${SET}::`) ? nameIn(diagnosticEvent.urn) : "",
        isError: diagnosticEvent.severity === "error",
        text: diagnosticEvent.message.replace(/<\{%[^%]*%\}>/g, ""),
      });
  }
  return { told, planned };
}

interface Metadata {
  readonly type?: string;
  readonly op: string;
  readonly urn: string;
  readonly old?: { readonly inputs?: { readonly grants?: Grants } };
  readonly new?: { readonly inputs?: { readonly grants?: Grants } };
}

interface Event {
  readonly resourcePreEvent?: { readonly metadata: Metadata };
  readonly diagnosticEvent?: { readonly urn?: string; readonly severity: string; readonly message: string };
}

/** An event of the log. The last line of a killed run can be cut off. */
function parsed(line: string): Event {
  try {
    return JSON.parse(line);
  } catch {
    return {};
  }
}

export async function terraformDriver(emulator: Emulator, env: Record<string, string>): Promise<Driver> {
  const project = await TerraformProject.create(emulator, "", { env });
  // Temporary files of a killed provider are deleted with the project.
  project.env.TMPDIR = project.folder;
  const stateFile = path.join(project.folder, "terraform.tfstate");
  const launch = (...args: string[]) => start(terraformCli(), args, project.folder, project.env, LIMIT);
  const run = async (...args: string[]): Promise<Said> => {
    const [command = "", ...rest] = args;
    const ran = await launch(command, "-json", "-parallelism=200", ...rest).ended;
    return { code: ran.code, output: ran.output, told: diagnosticsIn(ran), planned: new Map() };
  };
  const shown = async (...args: string[]) => {
    const { stdout } = await launch("show", "-json", ...args).ended;
    return JSON.parse(stdout);
  };
  /** Repeats a command if errors of some sets stop it for the other sets too. The sets with errors then have no faults. */
  async function repeated(begin: Begin, phase: Phase, ...command: string[]) {
    const failed = new Set<string>();
    const told: Told[] = [];
    for (let attempt = 1; ; attempt++) {
      await begin(phase, failed);
      const said = await run(...command);
      told.push(...said.told);
      const before = failed.size;
      for (const { name, isError } of said.told) if (isError && name !== "") failed.add(name);
      if (said.code === 0) return { ...said, told };
      if (attempt === ATTEMPTS || failed.size === before)
        throw new Error(
          `terraform ${command.join(" ")} exited with ${said.code}, and no set's fault is to blame:\n${said.output.slice(-4000)}`,
        );
    }
  }
  const changing =
    (...options: string[]) =>
    async (begin: Begin): Promise<Said> => {
      const plan = await repeated(begin, "plan", "plan", "-out=plan.bin", ...options);
      await begin("apply", new Set(plan.told.filter(({ isError }) => isError).map(({ name }) => name)));
      const applied = await run("apply", "plan.bin");
      return { ...applied, output: plan.output + applied.output, told: [...plan.told, ...applied.told] };
    };
  const planned = async () => {
    const changes = (await shown("plan.bin")).resource_changes as readonly ResourceChange[] | undefined;
    return new Map(
      (changes ?? [])
        .filter(({ change }) => change.actions.join() !== "no-op")
        .map(({ index, change: { before, after } }) => [index, { before: before?.grants ?? {}, after: after?.grants ?? {} }]),
    );
  };
  return {
    name: "Terraform",
    providerCommand: /terraform-provider-ami/,
    folder: project.folder,
    env: project.env,
    declare(sets) {
      project.write(
        "main.tf",
        `resource "ami_launch_permission_set" "set" {
          for_each                  = jsondecode(file("sets.json"))
          image_id                  = each.key
          account_ids               = each.value.accountIds
          create_volume_permissions = {}
          mode                      = each.value.mode
          kms_access                = try(each.value.kmsAccess, null)
          ${sets.some(({ timeouts }) => timeouts) ? "timeouts = each.value.timeouts" : ""}
        }`,
      );
      project.write("sets.json", JSON.stringify(Object.fromEntries(sets.map((set) => [set.imageId, set]))));
    },
    async preview(begin) {
      const said = await repeated(begin, "plan", "plan", "-out=plan.bin");
      return { ...said, planned: await planned() };
    },
    apply: changing(),
    refresh: (begin) => repeated(begin, "apply", "apply", "-refresh-only", "-auto-approve"),
    destroy: changing("-destroy"),
    async start(operation, begin) {
      const { code, output } = await run("plan", "-out=plan.bin", ...(operation === "destroy" ? ["-destroy"] : []));
      if (code !== 0) throw new Error(`terraform plan exited with ${code}:\n${output.slice(-4000)}`);
      await begin();
      return launch("apply", "-json", "-parallelism=200", "plan.bin");
    },
    async quiet() {
      while (Date.now() - fs.statSync(stateFile).mtimeMs < QUIET * 1000) await sleep(100);
    },
    async recover() {
      if (fs.statSync(stateFile).size === 0) throw new Error("the kill came while Terraform wrote its state");
    },
    async state() {
      const resources: readonly StateResource[] = (await shown()).values?.root_module?.resources ?? [];
      return new Map(resources.map(({ index, values }) => [index, values.grants ?? {}]));
    },
    async unsettled() {
      const { code, output } = await run("plan", "-out=plan.bin");
      if (code !== 0) throw new Error(`terraform plan exited with ${code}:\n${output.slice(-4000)}`);
      return [...(await planned()).keys()];
    },
    writtenText: () =>
      fs
        .readdirSync(project.folder)
        .filter((name) => name.includes("tfstate") || name === TRACE)
        .map((name) => fs.readFileSync(path.join(project.folder, name), "utf8"))
        .join("\n"),
    remove: () => project.remove(),
  };
}

interface StateResource {
  readonly index: string;
  readonly values: { readonly grants?: Grants };
}

interface ResourceChange {
  readonly index: string;
  readonly change: {
    readonly actions: readonly string[];
    readonly before: { readonly grants?: Grants } | null;
    readonly after: { readonly grants?: Grants } | null;
  };
}

function diagnosticsIn({ output }: Ran): Told[] {
  return output
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .flatMap((line) => {
      const { diagnostic } = JSON.parse(line);
      if (!diagnostic) return [];
      const text = `${diagnostic.summary}\n${diagnostic.detail}`;
      // A create that was made in part warns: an error would taint the resource.
      const isError = diagnostic.severity === "error" || text.includes("NOT COMPLETE");
      return [{ name: /\["(ami-\w+)"\]$/.exec(diagnostic.address ?? "")?.[1] ?? "", isError, text }];
    });
}

function filesIn(folder: string): string[] {
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => fs.readFileSync(path.join(entry.parentPath ?? entry.path, entry.name), "utf8"));
}
