/** A Pulumi project in its own folder, with a stack in a file backend. The real CLI runs it. */

import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { Readable } from "node:stream";
import { transformSync } from "esbuild";
import { type Emulator, ROOT } from "./emulator";
import { nodeOfEngines } from "./engineNode";

export interface Ran {
  readonly code: number | null;
  /** Standard output and standard error together, without colours. */
  readonly output: string;
  readonly stdout: string;
}

export interface ProjectOptions {
  /** The folder in examples/ to run. Default: the stack program of this repository. */
  readonly example?: string;
  /** The program, in TypeScript. Default: the stack program of this repository. */
  readonly program?: string;
  /**
   * Whether the project is as users have it: Pulumi compiles the program, and the CLI makes the stack and selects it. Default: only for an
   * example, because the compiler takes half a second of every run, and the CLI as much for the stack.
   */
  readonly asUsersHaveIt?: boolean;
  /** The node_modules folder. Default: that of this repository. */
  readonly nodeModules?: string;
  /** Environment variables in addition to those of the emulator. undefined removes a variable. */
  readonly env?: Record<string, string | undefined>;
}

/** The files of a stack without resources: every project has its own copy. */
let emptyStack: Promise<Map<string, string>> | undefined;

export class PulumiProject {
  readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), "ami-e2e-"));
  readonly env: NodeJS.ProcessEnv;
  private readonly name: string;

  private constructor(
    emulator: Emulator,
    private readonly options: ProjectOptions,
  ) {
    this.env = {
      ...process.env,
      ...nodeOfEngines(options.asUsersHaveIt || options.example !== undefined),
      ...emulator.environment(),
      PULUMI_BACKEND_URL: `file://${this.folder}`,
      PULUMI_CONFIG_PASSPHRASE: "test",
      PULUMI_SKIP_UPDATE_CHECK: "1",
      PULUMI_NODEJS_TRANSPILE_ONLY: "true",
      ...options.env,
    };
    if (options.example)
      fs.cpSync(path.join(ROOT, "examples", options.example), this.folder, { recursive: true, filter: isSource });
    else this.writeProject(options.program ?? fs.readFileSync(path.join(ROOT, "index.ts"), "utf8"));
    this.name = /^name: (.+)$/m.exec(fs.readFileSync(path.join(this.folder, "Pulumi.yaml"), "utf8"))?.[1] ?? "";
    fs.symlinkSync(options.nodeModules ?? path.join(ROOT, "node_modules"), path.join(this.folder, "node_modules"));
  }

  private writeProject(program: string): void {
    const settings = fs.readFileSync(path.join(ROOT, "Pulumi.yaml"), "utf8");
    this.write("Pulumi.yaml", this.options.asUsersHaveIt ? settings : compiled(settings));
    this.write("package.json", '{ "name": "e2e", "private": true }');
    this.write(
      "tsconfig.json",
      '{ "compilerOptions": { "target": "es2022", "module": "commonjs", "moduleResolution": "node", "strict": true, "esModuleInterop": true } }',
    );
    this.program(program);
  }

  /** Replaces the program. */
  program(text: string): void {
    if (this.options.asUsersHaveIt) this.write("index.ts", text);
    else this.write("index.js", transformSync(text, { loader: "ts", format: "cjs", target: "es2022" }).code);
  }

  private write(name: string, text: string): void {
    fs.writeFileSync(path.join(this.folder, name), text);
  }

  static async create(emulator: Emulator, options: ProjectOptions = {}): Promise<PulumiProject> {
    const project = new PulumiProject(emulator, options);
    if (options.asUsersHaveIt || options.example) {
      await project.succeed("stack", "init", "test");
      return project;
    }
    project.env.PULUMI_STACK = "test";
    emptyStack ??= project.newStack();
    for (const [file, contents] of await emptyStack) {
      fs.mkdirSync(path.dirname(path.join(project.folder, file)), { recursive: true });
      project.write(file, contents);
    }
    return project;
  }

  /** Makes a stack with the CLI, and returns its files. */
  private async newStack(): Promise<Map<string, string>> {
    await this.succeed("stack", "init", "test");
    const files = fs
      .readdirSync(path.join(this.folder, ".pulumi"), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(this.folder, path.join(entry.parentPath, entry.name)));
    return new Map([...files, "Pulumi.test.yaml"].map((file) => [file, fs.readFileSync(path.join(this.folder, file), "utf8")]));
  }

  /** Replaces the stack's config. Keys without a colon belong to the project. Values can be any JSON. */
  config(values: Record<string, unknown>): void {
    const file = path.join(this.folder, "Pulumi.test.yaml");
    const salt = fs.existsSync(file) ? (/^encryptionsalt: .*$/m.exec(fs.readFileSync(file, "utf8"))?.[0] ?? "") : "";
    const config = Object.entries(values)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => `  ${key.includes(":") ? key : `${this.name}:${key}`}: ${JSON.stringify(value)}\n`);
    fs.writeFileSync(file, `${salt}\nconfig:${config.length > 0 ? `\n${config.join("")}` : " {}\n"}`);
  }

  /** Appends text to the stack's config file, for values that only YAML can express, such as an unquoted 044455556666. */
  rawConfig(yaml: string): void {
    const file = path.join(this.folder, "Pulumi.test.yaml");
    const salt = /^encryptionsalt: .*$/m.exec(fs.readFileSync(file, "utf8"))?.[0] ?? "";
    fs.writeFileSync(file, `${salt}\n${yaml}`);
  }

  /** Runs the CLI. Every exit code is accepted. */
  run(...args: string[]): Promise<Ran> {
    return this.spawn("pulumi", [...args, "--non-interactive", "--color", "never"]);
  }

  /** Starts the CLI, for tests that kill it. */
  start(...args: string[]): { readonly child: ChildProcess; readonly ended: Promise<Ran> } {
    const child = spawn("pulumi", [...args, "--non-interactive", "--color", "never"], {
      cwd: this.folder,
      env: this.env,
      stdio: ["ignore", "pipe", "pipe"],
      // In its own process group, as in a shell: Ctrl-C is a signal to the group.
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

  /** The state of the stack as text, and its resources of this package. */
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

/** The output and the exit code of a started program, after it has ended. */
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

/** The settings of a project whose program is JavaScript. */
function compiled(settings: string): string {
  return settings
    .replace(/^runtime:\n {2}name: nodejs$/m, "$&\n  options:\n    typescript: false")
    .replace(/^main: index\.ts$/m, "main: index.js");
}

/** The files of an example as users have them, without packages and stacks. */
function isSource(file: string): boolean {
  return path.basename(file) !== "node_modules" && !/^Pulumi\..+\.yaml$/.test(path.basename(file));
}

/** The lines of the reports in the output of the CLI. The heading of an error or a warning begins with that word. */
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
