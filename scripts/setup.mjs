// Installs what the commands of this repository need: npm packages, the built package, Python packages, the Pulumi engine,
// OpenTofu if there is no Terraform, for the tests a newer Terraform, a newer Node.js and Pulumi's other languages, and for the benchmark Ansible.
// @ts-check
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import {
  ACTIONLINT,
  ANSIBLE,
  browserOnPath,
  canInstallPackages,
  ENGINE,
  ENGINE_PROGRAMS,
  engineOnPath,
  executable,
  keepsCompiledCode,
  LANGUAGES,
  NEW_TERRAFORM,
  NEWER_NODE,
  NODE,
  newTerraformOnPath,
  ownTerraform,
  PYTHON,
  pinnedVersions,
  ROOT,
  TOFU,
  TOOLCHAIN,
} from "./environment.mjs";
import { acquireLock } from "./setup/lock.mjs";
import { run, SetupError, stopOnSignals } from "./setup/run.mjs";

/** Without cgo, a build needs no C compiler. A go.work file of the user must not change a build. */
const GO_ENVIRONMENT = { CGO_ENABLED: "0", GOWORK: "off" };
/** The Go modules that pin the programs to build from source, and the launcher of the dynamic provider. */
const GO_MODULES = join(ROOT, "scripts", "toolchain");
const LAUNCHER = "pulumi-resource-pulumi-nodejs";
/** The modules of Pulumi's other languages. The folder of the first one also has Python's packages. */
const HOSTS = "pulumi-hosts";
const GENERATORS = "pulumi-generators";
/** Exists if Chromium could not be installed. */
const NO_BROWSER = join(TOOLCHAIN, "no-browser");

/**
 * @typedef {object} Step
 * @property {string} title
 * @property {() => boolean} isReady
 * @property {(say: Say) => Promise<void>} work
 * @property {string} needs What the step needs. Shown if it fails.
 * @property {string} [optional] What the tests do without it. A failure stops nothing.
 * @property {StepName} [after]
 */
/** @typedef {"npm" | "build" | "python" | "engine" | "terraform" | "newTerraform" | "languages" | "actionlint" | "browser" | "node" | "ansible"} StepName */
/** @typedef {(text: string) => void} Say */

/** @type {Record<StepName, Step>} */
const STEPS = {
  npm: {
    title: "npm packages",
    isReady: npmPackagesMatchTheLock,
    work: () => run("npm", ["ci", "--loglevel=warn", "--include=dev", "--no-audit", "--no-fund"], { cwd: ROOT }),
    needs: "npm (part of Node.js), and access to its registry.",
  },
  build: {
    title: "package build",
    after: "npm",
    ...stamped("build", join(ROOT, "provider", "dist"), buildInputs, () => run("npm", ["run", "build"], { cwd: ROOT })),
    needs: "sources that compile: see the output of `npm run build` above.",
  },
  python: {
    title: "Python packages",
    ...stamped("python", join(PYTHON, "bin", "python"), pythonInputs, installPythonPackages),
    needs: "Python 3 with venv and pip (on Debian and Ubuntu: `apt install python3-venv`), and access to its package index.",
  },
  engine: {
    title: "Pulumi engine",
    isReady: () => engineOnPath() !== undefined || builtEngine.isReady(),
    work: (say) => builtEngine.work(say),
    needs: `a Pulumi CLI on PATH (see pulumi.com/docs/install), or Go ${pinnedVersions().engine.go} or newer to build it, and access to the Go module proxy.`,
  },
  terraform: {
    title: "OpenTofu",
    isReady: () => ownTerraform() !== undefined || builtTofu.isReady(),
    work: (say) => builtTofu.work(say),
    needs: `terraform or tofu on PATH (see opentofu.org/docs/intro/install), or Go ${pinnedVersions().tofu.go} or newer to build it, and access to the Go module proxy.`,
  },
  newTerraform: {
    title: "Terraform of the tests",
    isReady: () => newTerraformOnPath() !== undefined || builtTerraform.isReady(),
    work: (say) => builtTerraform.work(say),
    needs: `terraform 1.14.3 or newer on PATH, or Go ${pinnedVersions().terraform.go} or newer to build it, and access to the Go module proxy.`,
  },
  languages: {
    title: "Pulumi's languages for the tests",
    ...stamped("languages", join(LANGUAGES, "hosts", "pulumi-language-yaml"), languageInputs, installLanguages),
    needs: `Go ${pinnedVersions().languages.go} or newer, Python 3 with venv and pip, and access to the Go module proxy and to Python's package index.`,
  },
  actionlint: {
    title: "Linter of workflows for the tests",
    ...stamped("actionlint", join(ACTIONLINT, "actionlint"), actionlintInputs, () =>
      goBuild("actionlint", "github.com/rhysd/actionlint/cmd/actionlint", ACTIONLINT),
    ),
    needs: "Go, and access to the Go module proxy.",
  },
  browser: {
    title: "Browser for the tests",
    isReady: () => browserOnPath() !== undefined || !canInstallPackages() || existsSync(NO_BROWSER),
    work: installBrowser,
    needs: "Chromium or Chrome on PATH, or apt and its repository.",
    optional: "Its tests will be skipped.",
  },
  node: {
    title: "Node.js for the engines of the tests",
    isReady: () => keepsCompiledCode() || existsSync(NODE),
    work: installNode,
    needs: "npm and access to its registry, and a platform that Node.js is released for.",
    optional: "The tests run on your Node.js, which takes longer.",
  },
  ansible: {
    title: "Ansible for the benchmark",
    ...stamped("ansible", join(ANSIBLE, "bin", "ansible-playbook"), ansibleInputs, installAnsible),
    needs: "Python 3.11 or newer with venv and pip, and access to its package index.",
  },
};
const builtEngine = stamped("engine", join(ENGINE, "bin", "pulumi"), engineInputs, installEngine);
const builtTofu = stamped("terraform", join(TOFU, "bin", "tofu"), tofuInputs, buildTofu);
const builtTerraform = stamped("newTerraform", join(NEW_TERRAFORM, "bin", "terraform"), terraformInputs, buildTerraform);
const NAMES = /** @type {StepName[]} */ (Object.keys(STEPS));
/** What the tests and the demo need. Only the benchmark needs Ansible. */
const ALL = NAMES.filter((name) => name !== "ansible");

/**
 * Runs the steps that are missing or out of date. It can be interrupted, and can run twice at the same time.
 * @param {{ quiet?: boolean, only?: StepName[] }} [options] `quiet`: prints nothing if there is nothing to do.
 */
export async function setup({ quiet = false, only = ALL } = {}) {
  const began = Date.now();
  if (only.every((name) => STEPS[name].isReady())) {
    if (!quiet) tell("everything is installed");
    return;
  }
  const unlock = await acquireLock(join(TOOLCHAIN, "lock"), (owner) => {
    tell(`waiting for another set-up (process ${owner}); if there is none, delete .toolchain/lock`);
  });
  const release = stopOnSignals(unlock);
  try {
    await runSteps(only);
  } finally {
    release();
    unlock();
  }
  tell(`ready after ${secondsSince(began)}`);
}

/**
 * Runs set-up for a script. If it fails, it prints a message and ends the process.
 * @param {Parameters<typeof setup>[0]} [options]
 */
export async function setupOrExit(options) {
  try {
    await setup(options);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    tell(error.message);
    process.exit(1);
  }
}

/** @param {StepName[]} names */
async function runSteps(names) {
  /** @type {Map<StepName, Promise<boolean>>} */
  const started = new Map();
  for (const name of names) {
    const { after } = STEPS[name];
    const before = (after && started.get(after)) ?? Promise.resolve(true);
    started.set(
      name,
      before.then((fine) => fine && runStep(STEPS[name])),
    );
  }
  // All steps run to their end, so that one run names everything that is missing.
  const fine = await Promise.all(started.values());
  if (fine.includes(false))
    throw new SetupError("not complete: fix the errors above, and run the same command again; finished steps are kept");
}

/**
 * @param {Step} step
 * @returns {Promise<boolean>} Whether it is ready now.
 */
async function runStep({ title, isReady, work, needs, optional }) {
  if (isReady()) return true;
  const began = Date.now();
  /** @type {Say} */
  const say = (text) => tell(`${title}: ${text}`);
  say("started");
  const ticking = setInterval(() => say(`still running, ${secondsSince(began)}`), 15_000);
  try {
    await work(say);
    say(`done in ${secondsSince(began)}`);
    return true;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(`failed\n${error.message}\nThis needs ${needs}${optional ? `\n${optional}` : ""}`);
    return optional !== undefined;
  } finally {
    clearInterval(ticking);
  }
}

/**
 * A step whose result is up to date if the hash of its inputs is equal to the hash in the stamp file.
 * @param {StepName} name
 * @param {string} product
 * @param {() => string[]} inputs
 * @param {(say: Say) => Promise<void>} work
 */
function stamped(name, product, inputs, work) {
  const stamp = join(TOOLCHAIN, `${name}.stamp`);
  return {
    isReady: () => existsSync(product) && existsSync(stamp) && readFileSync(stamp, "utf8") === hash(inputs()),
    /** @param {Say} say */
    work: async (say) => {
      const wanted = hash(inputs());
      rmSync(stamp, { force: true });
      await work(say);
      // Written last and atomically: an interrupted step has no stamp, and runs again.
      writeFileSync(`${stamp}.new`, wanted);
      renameSync(`${stamp}.new`, stamp);
    },
  };
}

/** Compares the lock file with npm's own list of installed packages, so that `npm install` by hand counts as well. */
function npmPackagesMatchTheLock() {
  const installedLock = join(ROOT, "node_modules", ".package-lock.json");
  if (!existsSync(installedLock)) return false;
  const wanted = readJson(join(ROOT, "package-lock.json")).packages;
  const installed = readJson(installedLock).packages;
  /** @param {string} path */
  const matches = (path) => {
    const [want, have] = [wanted[path], installed[path]];
    if (!have) return want.optional || want.devOptional;
    return have.version === want.version && have.resolved === want.resolved;
  };
  return (
    Object.keys(wanted).every((path) => path === "" || matches(path)) && Object.keys(installed).every((path) => path in wanted)
  );
}

function buildInputs() {
  const files = [
    "package-lock.json",
    "tsconfig.base.json",
    join("scripts", "bundle.mjs"),
    join("scripts", "build-pulumi-plugin.mjs"),
    join("scripts", "build-terraform.mjs"),
    join("scripts", "build-cdk.mjs"),
    join("scripts", "build-package.mjs"),
    join("docs", "report.schema.json"),
  ];
  return [...files.map((name) => join(ROOT, name)), ...filesUnder(join(ROOT, "provider"))];
}

function pythonInputs() {
  return [join(ROOT, "emulator", "requirements.txt")];
}

/** @param {Say} say */
async function installPythonPackages(say) {
  await installVenv(PYTHON, join(ROOT, "emulator", "requirements.txt"), say);
}

/**
 * @param {string} folder
 * @param {string} requirements
 * @param {Say} say
 */
async function installVenv(folder, requirements, say) {
  await rm(folder, { recursive: true, force: true });
  await run("python3", ["-m", "venv", folder], { cwd: ROOT });
  say("downloading the packages");
  const quietly = ["--disable-pip-version-check", "--no-input"];
  await run(join(folder, "bin", "python"), ["-m", "pip", "install", ...quietly, "-r", requirements], { cwd: ROOT });
}

function engineInputs() {
  const folders = ["pulumi-cli", "pulumi-language-nodejs"].flatMap((name) => filesUnder(join(GO_MODULES, name)));
  return [...folders, join(GO_MODULES, LAUNCHER)];
}

/** @param {Say} say */
async function installEngine(say) {
  const draft = `${ENGINE}.draft`;
  await rm(draft, { recursive: true, force: true });
  const { version } = pinnedVersions().engine;
  say(`no Pulumi CLI on PATH, downloading ${version}`);
  if (!(await downloadEngine(draft, version))) {
    say("its installer cannot be downloaded, building it from source instead: about 5 minutes, once");
    await buildEngine(draft, version);
  }
  await rm(ENGINE, { recursive: true, force: true });
  renameSync(draft, ENGINE);
}

/**
 * Downloads the engine with the official installer, which is an npm package.
 * @param {string} folder
 * @param {string} version
 * @returns {Promise<boolean>} False if the download fails.
 */
async function downloadEngine(folder, version) {
  const args = ["exec", "--yes", `--package=pulumi@${version}`, "--", "pulumi", "version"];
  const env = { PULUMI_HOME: folder, PULUMI_VERSION: version, PULUMI_SKIP_UPDATE_CHECK: "1" };
  try {
    await run("npm", args, { cwd: ROOT, env, silenceSeconds: 30 });
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    return false;
  }
  const programs = join(folder, "versions", version, "bin");
  const isComplete = ENGINE_PROGRAMS.every((name) => executable(join(programs, name)));
  if (isComplete) renameSync(programs, join(folder, "bin"));
  return isComplete;
}

/**
 * @param {string} folder
 * @param {string} version
 */
async function buildEngine(folder, version) {
  const programs = join(folder, "bin");
  const host = "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs";
  await goBuild("pulumi-language-nodejs", host, programs);
  const cli = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi";
  await goBuild("pulumi-cli", cli, programs, `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${version}`);
  copyFileSync(join(GO_MODULES, LAUNCHER), join(programs, LAUNCHER));
  chmodSync(join(programs, LAUNCHER), 0o755);
}

function tofuInputs() {
  return filesUnder(join(GO_MODULES, "tofu"));
}

/** @param {Say} say */
async function buildTofu(say) {
  say(`no terraform or tofu on PATH, building OpenTofu ${pinnedVersions().tofu.version} from source: about 5 minutes, once`);
  await buildReleased(TOFU, "tofu", "github.com/opentofu/opentofu", "/cmd/tofu");
}

function terraformInputs() {
  return filesUnder(join(GO_MODULES, "terraform"));
}

/** @param {Say} say */
async function buildTerraform(say) {
  say(`no terraform 1.14.3 or newer on PATH, building ${pinnedVersions().terraform.version} from source: about 5 minutes, once`);
  await buildReleased(NEW_TERRAFORM, "terraform", "github.com/hashicorp/terraform", "");
}

/**
 * Builds OpenTofu or Terraform as a release version: version constraints do not match a development version.
 * @param {string} folder The folder of the result.
 * @param {string} name The folder of the module that pins the program.
 * @param {string} module
 * @param {string} program The path of the program in the module.
 */
async function buildReleased(folder, name, module, program) {
  const draft = `${folder}.draft`;
  await rm(draft, { recursive: true, force: true });
  await goBuild(name, `${module}${program}`, join(draft, "bin"), `-X ${module}/version.dev=no`);
  await rm(folder, { recursive: true, force: true });
  renameSync(draft, folder);
}

function languageInputs() {
  return [HOSTS, GENERATORS].flatMap((name) => filesUnder(join(GO_MODULES, name)));
}

/** @param {Say} say */
async function installLanguages(say) {
  say("building the language hosts and the generators of SDKs from source: about 3 minutes, once");
  await rm(LANGUAGES, { recursive: true, force: true });
  const hosts = join(LANGUAGES, "hosts");
  const sdk = "github.com/pulumi/pulumi/sdk/v3";
  await goBuild(HOSTS, `${sdk}/go/pulumi-language-go`, hosts);
  await goBuild(HOSTS, `${sdk}/python/cmd/pulumi-language-python`, hosts);
  // The Python host runs programs with this script.
  const script = "pulumi-language-python-exec";
  copyFileSync(join(goModuleFolder(HOSTS, sdk), "python", "cmd", script), join(hosts, script));
  chmodSync(join(hosts, script), 0o755);
  await goBuild(GENERATORS, "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml", hosts);

  // One program, which generates the language in its name.
  const generators = join(LANGUAGES, "generators");
  await goBuild(GENERATORS, ".", generators);
  for (const language of ["nodejs", "python", "go", "dotnet"])
    linkSync(join(generators, GENERATORS), join(generators, `pulumi-language-${language}`));

  await installVenv(join(LANGUAGES, "python"), join(GO_MODULES, HOSTS, "requirements.txt"), say);
}

function actionlintInputs() {
  return filesUnder(join(GO_MODULES, "actionlint"));
}

/** Installs Debian's Chromium. If this fails, it is not tried again. */
async function installBrowser() {
  // Written first, so that a run that was stopped does not try again either.
  writeFileSync(NO_BROWSER, "Chromium could not be installed. To try again, delete this file.\n");
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  await run("apt-get", ["update", "-qq"], { cwd: ROOT, env });
  await run("apt-get", ["install", "--yes", "-qq", "--no-install-recommends", "chromium"], { cwd: ROOT, env });
  rmSync(NO_BROWSER);
}

async function installNode() {
  const draft = `${NODE}.draft`;
  await rm(draft, { recursive: true, force: true });
  await run(
    "npm",
    ["install", "--prefix", draft, "--no-save", "--no-audit", "--no-fund", `${NEWER_NODE.package}@${NEWER_NODE.version}`],
    {
      cwd: ROOT,
    },
  );
  // Those of earlier versions.
  for (const name of readdirSync(TOOLCHAIN)) if (/^node-[\d.]+$/.test(name)) rmSync(join(TOOLCHAIN, name), { recursive: true });
  renameSync(join(draft, "node_modules", NEWER_NODE.package), NODE);
  await rm(draft, { recursive: true, force: true });
}

function ansibleInputs() {
  return filesUnder(join(GO_MODULES, "ansible"));
}

/** @param {Say} say */
async function installAnsible(say) {
  await installVenv(ANSIBLE, join(GO_MODULES, "ansible", "requirements.txt"), say);
  // The package `ansible` has about 100 collections, of which the benchmark needs one.
  const python = join(ANSIBLE, "bin", "python");
  const archives = join(ANSIBLE, "archives");
  const quietly = ["--disable-pip-version-check", "--no-input", "--no-deps", "--only-binary=:all:"];
  const collections = join(GO_MODULES, "ansible", "collections.txt");
  await run(python, ["-m", "pip", "download", ...quietly, "-d", archives, "-r", collections], { cwd: ROOT });
  await run(python, [join(GO_MODULES, "ansible", "unpack.py"), archives, join(ANSIBLE, "collections")], { cwd: ROOT });
  await rm(archives, { recursive: true });
}

/**
 * Builds a program that a module under scripts/toolchain pins.
 * @param {string} name The folder of the module.
 * @param {string} program
 * @param {string} into The folder for the built program.
 * @param {string} [linking] More flags for the linker.
 */
function goBuild(name, program, into, linking = "") {
  const flags = ["-mod=readonly", "-buildvcs=false", "-trimpath", "-o", `${into}/`, `-ldflags=-s -w ${linking}`.trimEnd()];
  return run("go", ["build", ...flags, program], { cwd: join(GO_MODULES, name), env: GO_ENVIRONMENT });
}

/**
 * The folder of the sources of a module that another one pins.
 * @param {string} name The folder of the module that pins it.
 * @param {string} module
 */
function goModuleFolder(name, module) {
  const env = { ...process.env, ...GO_ENVIRONMENT };
  return execFileSync("go", ["list", "-m", "-f", "{{.Dir}}", module], {
    cwd: join(GO_MODULES, name),
    env,
    encoding: "utf8",
  }).trim();
}

/**
 * @param {string} folder
 * @returns {string[]}
 */
function filesUnder(folder) {
  const entries = readdirSync(folder, { withFileTypes: true }).filter(({ name }) => name !== "dist" && name !== "node_modules");
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesUnder(path) : [path];
  });
}

/**
 * The hash of the contents and absolute paths of the files. Paths count, because the installed files contain absolute paths.
 * @param {string[]} files
 */
function hash(files) {
  const sum = createHash("sha256").update(`${process.platform} ${process.arch}`);
  for (const file of [...files].sort())
    sum.update(`\0${relative(ROOT, file)}\0`).update(existsSync(file) ? readFileSync(file) : "absent");
  return sum.digest("hex");
}

/** @param {string} file */
function readJson(file) {
  return JSON.parse(readFileSync(file, "utf8"));
}

/** @param {number} time */
function secondsSince(time) {
  return `${Math.round((Date.now() - time) / 1000)} s`;
}

/** @param {string} text */
function tell(text) {
  // Not to standard output, which is for the command that runs after set-up.
  process.stderr.write(`[setup] ${text}\n`);
}

/**
 * The steps that `--only=STEP,…` names; without the option, all steps.
 * @param {string[]} args
 */
export function chosenSteps(args) {
  const chosen = args.flatMap((arg) => arg.replace(/^--only=/, "").split(","));
  const wrong = chosen.filter((name) => !(name in STEPS));
  if (wrong.length > 0) {
    tell(`unknown: ${wrong.join(", ")}; usage: npm run setup -- [--only=${NAMES.join(",")}]`);
    process.exit(2);
  }
  return args.length > 0 ? NAMES.filter((name) => chosen.includes(name)) : ALL;
}

if (realpathSync(process.argv[1] ?? "") === fileURLToPath(import.meta.url)) {
  await setupOrExit({ only: chosenSteps(process.argv.slice(2)) });
}
