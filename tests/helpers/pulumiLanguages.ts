/** Pulumi projects in other languages: the programs that set-up built for them, SDKs that the CLI generates, and the examples of the schema. */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { GO_PACKAGE } from "../../provider/pulumi-plugin/names";
import { packageSchema } from "../../provider/pulumi-plugin/schema";
import { type Emulator, ROOT } from "./emulator";
import { linkPackages } from "./packageCopy";
import { SET_TYPE } from "./pulumiPlugin";
import { PulumiProject } from "./pulumiProject";

const BUILT = path.join(ROOT, ".toolchain/pulumi-languages");
const PYTHON = path.join(BUILT, "python/bin");
export const PLUGIN = path.join(ROOT, "provider/dist/pulumi-plugin/pulumi-resource-ami-launch-permissions");
/** The AMI of the schema's examples. */
const EXAMPLE_AMI = "ami-0123456789abcdef0";

export type LanguageName = "yaml" | "typescript" | "python" | "go" | "csharp";

interface Language {
  readonly runtime: string;
  /** The file of the program. */
  readonly file: string;
  /** Makes the generated SDK importable for the programs of a project. */
  readonly install: (project: PulumiProject, sdk: string) => Promise<void>;
}

const LANGUAGES: Readonly<Record<LanguageName, Language>> = {
  yaml: { runtime: "yaml", file: "Pulumi.yaml", install: async () => {} },
  typescript: { runtime: "nodejs", file: "index.ts", install: installNodePackage },
  python: { runtime: "python", file: "__main__.py", install: installPythonPackage },
  go: { runtime: "go", file: "main.go", install: installGoModule },
  // Its host is not served as a Go module: these programs can only be written.
  csharp: { runtime: "dotnet", file: "Program.cs", install: async () => {} },
};

/** A project in one language. */
export class LanguageProject {
  private constructor(
    readonly project: PulumiProject,
    private readonly language: Language,
  ) {}

  /** @param sdks the folder of {@link generateSdks}; undefined where the language needs none */
  static async create(emulator: Emulator, name: LanguageName, sdks?: string): Promise<LanguageProject> {
    const project = await PulumiProject.create(emulator, { program: "", asUsersHaveIt: true });
    project.env.PATH = [path.join(BUILT, "hosts"), PYTHON, project.env.PATH].join(path.delimiter);
    // The program is compiled, with the types of the SDK.
    delete project.env.PULUMI_NODEJS_TRANSPILE_ONLY;
    const language = LANGUAGES[name];
    for (const file of ["index.ts", "node_modules"]) fs.rmSync(path.join(project.folder, file));
    const made = new LanguageProject(project, language);
    made.write("");
    if (sdks !== undefined) await language.install(project, path.join(sdks, language.runtime));
    return made;
  }

  /** Replaces the program. */
  write(program: string): void {
    const { folder } = this.project;
    const { runtime, file } = this.language;
    const settings = `name: ami-launch-permissions\nruntime: ${runtime}\nplugins:\n  providers:\n    - name: ami-launch-permissions\n      path: ${path.dirname(PLUGIN)}\n`;
    fs.writeFileSync(path.join(folder, file), program);
    fs.writeFileSync(path.join(folder, "Pulumi.yaml"), file === "Pulumi.yaml" ? `${settings}${program}` : settings);
  }

  /** Imports AMIs, and returns the code that the CLI prints: the whole program. */
  async import(...args: readonly string[]): Promise<string> {
    const file = path.join(this.project.folder, "printed");
    await withGenerators(this.project, () => this.project.succeed("import", ...args, "--yes", "--out", file));
    return fs.readFileSync(file, "utf8");
  }
}

/** The example of a set in the schema's documentation, about an AMI. */
export function example(language: string, imageId: string): string {
  const { description } = packageSchema().resources[SET_TYPE] as { description: string };
  const [, text] = new RegExp(`\`\`\`${language}\n([^]*?)\n\`\`\``).exec(description) ?? [];
  if (text === undefined) throw new Error(`the schema has no example in ${language}`);
  return `${text.replaceAll(EXAMPLE_AMI, imageId)}\n`;
}

/** Generates the SDKs of all languages with the CLI into a folder. */
export async function generateSdks(project: PulumiProject, folder: string): Promise<void> {
  await withGenerators(project, async () => {
    for (const language of ["nodejs", "python", "go", "dotnet"])
      await project.succeed("package", "gen-sdk", PLUGIN, "--language", language, "--out", folder);
  });
}

/** Runs something for which the CLI needs hosts that generate code, which are not those that run programs. */
async function withGenerators<T>({ env }: PulumiProject, run: () => Promise<T>): Promise<T> {
  const { PATH } = env;
  env.PATH = `${path.join(BUILT, "generators")}${path.delimiter}${PATH}`;
  try {
    return await run();
  } finally {
    env.PATH = PATH;
  }
}

/** Compiles the package, and installs what would be published: the compiled files with package.json. */
async function installNodePackage(project: PulumiProject, sdk: string): Promise<void> {
  const sources = path.join(project.folder, "sdk");
  const nodeModules = path.join(project.folder, "node_modules");
  linkPackages(nodeModules, "@pulumi/pulumi", "@types/node", "typescript", "ts-node");
  fs.cpSync(sdk, sources, { recursive: true });
  const compiled = await project.node(path.join(ROOT, "node_modules/typescript/bin/tsc"), "-p", sources);
  assert.equal(compiled.code, 0, compiled.output);
  const installed = path.join(nodeModules, "@ami-launch-permissions/pulumi");
  fs.cpSync(path.join(sources, "bin"), installed, { recursive: true });
  fs.copyFileSync(path.join(sources, "package.json"), path.join(installed, "package.json"));
}

/** Builds and installs the package with pip, without a download. */
async function installPythonPackage(project: PulumiProject, sdk: string): Promise<void> {
  const { folder, env } = project;
  const [sources, packages] = [path.join(folder, "sdk"), path.join(folder, "packages")];
  fs.cpSync(sdk, sources, { recursive: true });
  const offline = ["--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"];
  const installed = await project.script("python", "-m", "pip", "install", ...offline, "--target", packages, sources);
  assert.equal(installed.code, 0, installed.output);
  env.PYTHONPATH = packages;
}

/** Modules that have the dependencies of set-up's own, which are in Go's cache since it was built. */
async function installGoModule({ folder, env }: PulumiProject, sdk: string): Promise<void> {
  const pinned = path.join(ROOT, "scripts/toolchain/pulumi-generators");
  const [module = ""] = GO_PACKAGE.split("/go/");
  const text = fs.readFileSync(path.join(pinned, "go.mod"), "utf8").replace(/^tool .*$/m, "");
  const goMod = (name: string) => text.replace(/^module .*$/m, `module ${name}`);
  fs.cpSync(sdk, path.join(folder, "sdk/go"), { recursive: true });
  // A publisher of the SDK writes this file.
  fs.writeFileSync(path.join(folder, "sdk/go.mod"), goMod(module));
  fs.writeFileSync(path.join(folder, "go.mod"), `${goMod("example")}\nrequire ${module} v0.0.0\nreplace ${module} => ./sdk\n`);
  for (const at of [".", "sdk"]) fs.copyFileSync(path.join(pinned, "go.sum"), path.join(folder, at, "go.sum"));
  // Compiled as set-up does, so that what it compiled is used again.
  Object.assign(env, { GOFLAGS: "-mod=mod -trimpath -buildvcs=false", GOPROXY: "off", GOWORK: "off", CGO_ENABLED: "0" });
}
