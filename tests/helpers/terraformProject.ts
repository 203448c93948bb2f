/** A Terraform configuration in its own folder, with the built provider in a mirror. The real CLI runs it. */

import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { installProvider } from "ami-launch-permissions/terraform";
import { buildSync } from "esbuild";
import { type Emulator, ROOT } from "./emulator";
import { nodeOfEngines } from "./engineNode";
import { outcomeOf, type Ran } from "./pulumiProject";

const REQUIRED = `terraform {
  required_providers {
    ami = {
      source = "registry.terraform.io/ami-launch-permissions/ami"
    }
  }
}
`;

export interface TerraformOptions {
  /** The provider block. Default: one with `region = "us-east-1"`. */
  readonly provider?: string;
  /** Environment variables in addition to those of the emulator. undefined removes a variable. */
  readonly env?: Record<string, string | undefined>;
  /** The program to run. Default: {@link terraformCli}. */
  readonly cli?: string | undefined;
}

/** Terraform, or OpenTofu if there is no Terraform. */
export function terraformCli(): string {
  const folders = (process.env.PATH ?? "").split(path.delimiter);
  const found = ["terraform", "tofu"].find((name) => folders.some((folder) => fs.existsSync(path.join(folder, name))));
  if (!found) throw new Error("neither terraform nor tofu is on PATH: npm run setup");
  return found;
}

export class TerraformProject {
  readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), "ami-tf-"));
  readonly env: NodeJS.ProcessEnv;

  private constructor(
    emulator: Emulator,
    private readonly options: TerraformOptions,
  ) {
    const mirror = path.join(this.folder, "mirror");
    const cliConfig = path.join(this.folder, "terraform.rc");
    installProvider(mirror);
    fs.writeFileSync(cliConfig, `provider_installation {\n  filesystem_mirror {\n    path = ${JSON.stringify(mirror)}\n  }\n}\n`);
    this.env = {
      ...process.env,
      ...nodeOfEngines(),
      ...emulator.environment(),
      TF_CLI_CONFIG_FILE: cliConfig,
      TF_IN_AUTOMATION: "1",
      TF_INPUT: "0",
      CHECKPOINT_DISABLE: "1",
      ...options.env,
    };
  }

  /** A project whose configuration is `text`, initialized. */
  static async create(emulator: Emulator, text: string, options: TerraformOptions = {}): Promise<TerraformProject> {
    const project = new TerraformProject(emulator, options);
    project.configure(text);
    await project.succeed("init");
    return project;
  }

  /** Replaces the configuration, except the blocks that require and configure the provider. */
  configure(text: string): void {
    this.write("main.tf", text);
    this.write("provider.tf", REQUIRED + (this.options.provider ?? 'provider "ami" {\n  region = "us-east-1"\n}\n'));
  }

  /** Replaces the configuration with one in JSON: name of a resource or data source → arguments, with Terraform's names. */
  declare(sets: Readonly<Record<string, Readonly<Record<string, unknown>>>>): void {
    this.configure("");
    const outputs = Object.keys(sets).map((name) => [name, { value: `\${ami_launch_permission_set.${name}.grants}` }]);
    const text = {
      ...(Object.keys(sets).length > 0 ? { resource: { ami_launch_permission_set: sets } } : {}),
      // Terraform does not accept an empty output.
      ...(outputs.length > 0 ? { output: Object.fromEntries(outputs) } : {}),
    };
    this.write("sets.tf.json", JSON.stringify(text));
  }

  write(name: string, text: string): void {
    fs.mkdirSync(path.dirname(path.join(this.folder, name)), { recursive: true });
    fs.writeFileSync(path.join(this.folder, name), text);
  }

  /** Starts the CLI, for tests that kill it. */
  start(...args: string[]): { readonly child: ChildProcess; readonly ended: Promise<Ran> } {
    const [command = "", ...rest] = args;
    const child = spawn(
      this.options.cli ?? terraformCli(),
      [command, ...(NO_COLOR.includes(command) ? ["-no-color"] : []), ...rest],
      {
        cwd: this.folder,
        env: this.env,
        stdio: ["ignore", "pipe", "pipe"],
        // In its own process group, as in a shell: Ctrl-C also reaches the provider.
        detached: true,
      },
    );
    return { child, ended: outcomeOf(child) };
  }

  /** Runs the CLI. Every exit code is accepted. */
  run(...args: string[]): Promise<Ran> {
    return this.start(...args).ended;
  }

  /** Runs the CLI and fails the test unless it exits with 0. */
  async succeed(...args: string[]): Promise<Ran> {
    const ran = await this.run(...args);
    if (ran.code !== 0) throw new Error(`terraform ${args.join(" ")} exited with ${ran.code}:\n${ran.output}`);
    return ran;
  }

  /** Runs the CLI and fails the test if it exits with 0. */
  async fail(...args: string[]): Promise<Ran> {
    const ran = await this.run(...args);
    if (ran.code === 0) throw new Error(`terraform ${args.join(" ")} was expected to fail:\n${ran.output}`);
    return ran;
  }

  /** Runs another program in the folder. Every exit code is accepted. */
  script(command: string, ...args: string[]): Promise<Ran> {
    return outcomeOf(spawn(command, args, { cwd: this.folder, env: this.env, stdio: ["ignore", "pipe", "pipe"] }));
  }

  async plan(...args: string[]): Promise<string> {
    return (await this.succeed("plan", ...args)).output;
  }

  async apply(...args: string[]): Promise<string> {
    return (await this.succeed("apply", "-auto-approve", ...args)).output;
  }

  async destroy(...args: string[]): Promise<string> {
    return (await this.succeed("destroy", "-auto-approve", ...args)).output;
  }

  /** Plans, saves the plan as `plan.bin`, and returns it as Terraform's JSON. Tests use `resource_changes`. */
  async planJson(...args: string[]): Promise<TerraformPlan> {
    await this.succeed("plan", "-out=plan.bin", ...args);
    return this.savedPlan();
  }

  /** The plan in `plan.bin`. */
  async savedPlan(): Promise<TerraformPlan> {
    return JSON.parse((await this.succeed("show", "-json", "plan.bin")).stdout);
  }

  /** The errors and warnings in the JSON output of a command, each with its place in the configuration. Every exit code is accepted. */
  async diagnostics(command: "validate" | "plan" | "apply" | "destroy", ...args: string[]): Promise<Diagnosed> {
    const asked = command === "apply" || command === "destroy" ? ["-auto-approve", ...args] : args;
    const { code, output, stdout } = await this.run(command, "-json", ...asked);
    const told: RawDiagnostic[] =
      command === "validate"
        ? JSON.parse(stdout).diagnostics
        : stdout
            .split("\n")
            .filter((line) => line.startsWith("{"))
            .flatMap((line) => JSON.parse(line).diagnostic ?? []);
    return { code, output, diagnostics: told.map(diagnostic) };
  }

  /** Whether a plan has changes, according to Terraform's exit code. */
  async isSettled(): Promise<boolean> {
    const { code, output } = await this.run("plan", "-detailed-exitcode");
    if (code !== 0 && code !== 2) throw new Error(`terraform plan exited with ${code}:\n${output}`);
    return code === 0;
  }

  async outputs(): Promise<Record<string, unknown>> {
    const values = JSON.parse((await this.succeed("output", "-json")).stdout) as Record<string, { value: unknown }>;
    return Object.fromEntries(Object.entries(values).map(([name, { value }]) => [name, value]));
  }

  /** The attributes of each resource in the state, by address. */
  async state(): Promise<Record<string, Record<string, unknown>>> {
    const { values } = JSON.parse((await this.succeed("show", "-json")).stdout);
    const resources: { address: string; tainted?: boolean; values: Record<string, unknown> }[] =
      values?.root_module?.resources ?? [];
    return Object.fromEntries(
      resources.map(({ address, tainted, values: attributes }) => [address, tainted ? { ...attributes, tainted } : attributes]),
    );
  }

  /** Deletes the folder, its state included. */
  remove(): void {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

export interface TerraformDiagnostic {
  readonly severity: "error" | "warning";
  readonly summary: string;
  readonly detail: string;
  /** The address of the resource or the data source. */
  readonly address: string | undefined;
  /** The line of the configuration, trimmed. */
  readonly line: string | undefined;
}

export interface Diagnosed {
  readonly code: number | null;
  readonly output: string;
  readonly diagnostics: readonly TerraformDiagnostic[];
}

interface RawDiagnostic extends Pick<TerraformDiagnostic, "severity" | "summary" | "detail" | "address"> {
  readonly snippet?: { readonly code: string };
}

function diagnostic({ severity, summary, detail, address, snippet }: RawDiagnostic): TerraformDiagnostic {
  return { severity, summary, detail, address, line: snippet?.code.trim() };
}

export interface TerraformPlan {
  readonly resource_changes?: readonly {
    readonly address: string;
    readonly change: {
      readonly actions: readonly string[];
      readonly before: Record<string, unknown> | null;
      readonly after: Record<string, unknown> | null;
      readonly after_unknown: Record<string, unknown>;
    };
  }[];
}

const NO_COLOR = ["init", "query", "plan", "apply", "destroy", "import", "refresh", "validate", "test", "output", "show"];

/** Writes the replacement for the aws provider into a mirror. */
export function installAwsStandIn(mirror: string): void {
  const platform = `${process.platform}_${process.arch === "x64" ? "amd64" : process.arch}`;
  const place = path.join(mirror, "registry.terraform.io/hashicorp/aws/6.0.0", platform);
  buildSync({
    entryPoints: [path.join(__dirname, "awsStandIn.ts")],
    outfile: path.join(place, "stand-in.cjs"),
    bundle: true,
    platform: "node",
    target: "node20",
    define: { __dirname: JSON.stringify(path.join(ROOT, "provider/terraform")) },
  });
  const start = `#!/bin/sh\nexec ${process.execPath} "$(dirname "$0")/stand-in.cjs"\n`;
  fs.writeFileSync(path.join(place, "terraform-provider-aws_v6.0.0"), start, { mode: 0o755 });
}
