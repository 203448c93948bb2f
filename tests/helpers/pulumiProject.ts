/** A Pulumi project in a folder of its own, with a stack in a file backend, driven by the real CLI. */

import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { Readable } from "node:stream";
import { type Emulator, ROOT } from "./emulator";

export interface Ran {
  readonly code: number | null;
  /** Standard output and error together, without colours. */
  readonly output: string;
  readonly stdout: string;
}

export interface ProjectOptions {
  /** The folder of examples/ to run; default: the repository's own stack program. */
  readonly example?: string;
  /** The text of index.ts; default: the repository's own stack program. */
  readonly program?: string;
  /** A node_modules folder to use; default: the repository's. */
  readonly nodeModules?: string;
  /** Environment variables beside the emulator's; undefined unsets one. */
  readonly env?: Record<string, string | undefined>;
}

export class PulumiProject {
  readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), "ami-e2e-"));
  readonly env: NodeJS.ProcessEnv;
  private readonly name: string;

  private constructor(emulator: Emulator, options: ProjectOptions) {
    this.env = {
      ...process.env,
      ...emulator.environment(),
      PULUMI_BACKEND_URL: `file://${this.folder}`,
      PULUMI_CONFIG_PASSPHRASE: "test",
      PULUMI_SKIP_UPDATE_CHECK: "1",
      PULUMI_NODEJS_TRANSPILE_ONLY: "true",
      // The program, the dynamic provider and the language host's helpers stay on this machine as well.
      NODE_OPTIONS: `--require ${path.join(ROOT, "tests/helpers/offlineGuard.cjs")}`,
      ...options.env,
    };
    if (options.example)
      fs.cpSync(path.join(ROOT, "examples", options.example), this.folder, { recursive: true, filter: isSource });
    else this.writeProgram(options.program ?? fs.readFileSync(path.join(ROOT, "index.ts"), "utf8"));
    this.name = /^name: (.+)$/m.exec(fs.readFileSync(path.join(this.folder, "Pulumi.yaml"), "utf8"))?.[1] ?? "";
    fs.symlinkSync(options.nodeModules ?? path.join(ROOT, "node_modules"), path.join(this.folder, "node_modules"));
  }

  private writeProgram(program: string): void {
    fs.copyFileSync(path.join(ROOT, "Pulumi.yaml"), path.join(this.folder, "Pulumi.yaml"));
    fs.writeFileSync(path.join(this.folder, "index.ts"), program);
    fs.writeFileSync(path.join(this.folder, "package.json"), '{ "name": "e2e", "private": true }');
    fs.writeFileSync(
      path.join(this.folder, "tsconfig.json"),
      '{ "compilerOptions": { "target": "es2022", "module": "commonjs", "moduleResolution": "node", "strict": true, "esModuleInterop": true } }',
    );
  }

  static async create(emulator: Emulator, options: ProjectOptions = {}): Promise<PulumiProject> {
    const project = new PulumiProject(emulator, options);
    await project.succeed("stack", "init", "test");
    return project;
  }

  /** Replaces the stack's config. Keys without a colon are the project's; values may be any JSON. */
  config(values: Record<string, unknown>): void {
    const file = path.join(this.folder, "Pulumi.test.yaml");
    const salt = fs.existsSync(file) ? (/^encryptionsalt: .*$/m.exec(fs.readFileSync(file, "utf8"))?.[0] ?? "") : "";
    const config = Object.entries(values)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => `  ${key.includes(":") ? key : `${this.name}:${key}`}: ${JSON.stringify(value)}\n`);
    fs.writeFileSync(file, `${salt}\nconfig:${config.length > 0 ? `\n${config.join("")}` : " {}\n"}`);
  }

  /** Appends text to the stack's config file, for values that only YAML can say (such as an unquoted 044455556666). */
  rawConfig(yaml: string): void {
    const file = path.join(this.folder, "Pulumi.test.yaml");
    const salt = /^encryptionsalt: .*$/m.exec(fs.readFileSync(file, "utf8"))?.[0] ?? "";
    fs.writeFileSync(file, `${salt}\n${yaml}`);
  }

  /** Runs the CLI; any exit code is fine. */
  run(...args: string[]): Promise<Ran> {
    return this.spawn("pulumi", [...args, "--non-interactive", "--color", "never"]);
  }

  /** Starts the CLI; for tests that end it before it ends itself. */
  start(...args: string[]): { readonly child: ChildProcess; readonly ended: Promise<Ran> } {
    const child = spawn("pulumi", [...args, "--non-interactive", "--color", "never"], {
      cwd: this.folder,
      env: this.env,
      stdio: ["ignore", "pipe", "pipe"],
      // Its own process group, as a shell gives it: Ctrl-C is a signal to the group.
      detached: true,
    });
    return { child, ended: outcomeOf(child) };
  }

  /** Runs a script of the project with the stack selected. */
  script(...command: [string, ...string[]]): Promise<Ran> {
    const [file, ...args] = command;
    return this.spawn(file, args);
  }

  /** Runs a program of Node.js in the project's folder. */
  node(...args: string[]): Promise<Ran> {
    return this.spawn(process.execPath, args);
  }

  private spawn(command: string, args: readonly string[]): Promise<Ran> {
    return outcomeOf(spawn(command, args, { cwd: this.folder, env: this.env, stdio: ["ignore", "pipe", "pipe"] }));
  }

  /** Runs the CLI and fails the test unless it exits with 0. */
  async succeed(...args: string[]): Promise<Ran> {
    const ran = await this.run(...args);
    if (ran.code !== 0) throw new Error(`pulumi ${args.join(" ")} exited with ${ran.code}:\n${ran.output}`);
    return ran;
  }

  /** Runs the CLI and fails the test if it exits with 0. */
  async fail(...args: string[]): Promise<Ran> {
    const ran = await this.run(...args);
    if (ran.code === 0) throw new Error(`pulumi ${args.join(" ")} was expected to fail:\n${ran.output}`);
    return ran;
  }

  async preview(...args: string[]): Promise<string> {
    return (await this.succeed("preview", "--diff", ...args)).output;
  }

  async up(...args: string[]): Promise<string> {
    return (await this.succeed("up", "--yes", "--skip-preview", ...args)).output;
  }

  async refresh(): Promise<string> {
    return (await this.succeed("refresh", "--yes", "--skip-preview")).output;
  }

  async destroy(): Promise<string> {
    return (await this.succeed("destroy", "--yes", "--skip-preview")).output;
  }

  async outputs(): Promise<Record<string, unknown>> {
    return JSON.parse((await this.succeed("stack", "output", "--json")).stdout);
  }

  /** The stack's state as text, and the resources of this package in it. */
  async state(): Promise<{
    text: string;
    sets: { urn: string; id: string; inputs: Record<string, unknown>; outputs: Record<string, unknown> }[];
  }> {
    const { stdout } = await this.succeed("stack", "export");
    const resources = JSON.parse(stdout).deployment.resources ?? [];
    return { text: stdout, sets: resources.filter(({ type }: { type: string }) => type.endsWith(":AmiLaunchPermissionSet")) };
  }

  /** Deletes the folder, its state included. */
  remove(): void {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What a program that was just started printed, and its exit code, once it has ended. */
export function outcomeOf(child: ChildProcessByStdio<null, Readable, Readable>): Promise<Ran> {
  return new Promise((resolve, reject) => {
    let [output, stdout] = ["", ""];
    child.stdout.on("data", (text) => {
      output += text;
      stdout += text;
    });
    child.stderr.on("data", (text) => {
      output += text;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output, stdout }));
  });
}

/** What users of an example have: neither packages nor stacks. */
function isSource(file: string): boolean {
  return path.basename(file) !== "node_modules" && !/^Pulumi\..+\.yaml$/.test(path.basename(file));
}

/** The lines of the reports in what the CLI printed; an error or a warning says so in front of its heading. */
export function reportsIn(output: string): string[] {
  const lines: string[] = [];
  let indent: string | undefined;
  for (const line of output.split("\n")) {
    const [, before] = /^( *)(?:error: |warning: )?(?:AMI ami-\w+ in |will fail: )/.exec(line) ?? [];
    if (before !== undefined) indent = before;
    else if (indent !== undefined && (!line.startsWith(`${indent}  `) || line.includes("--outputs:--"))) indent = undefined;
    if (indent !== undefined) lines.push(line.slice(indent.length));
  }
  return lines;
}
