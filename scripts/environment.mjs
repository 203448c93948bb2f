// The paths of the tools of this repository, and the environment variables that they need.
// @ts-check
import { execFileSync } from "node:child_process";
import { accessSync, constants, mkdirSync, readFileSync, realpathSync } from "node:fs";
import { delimiter, dirname, join, resolve, sep } from "node:path";

export const ROOT = resolve(import.meta.dirname, "..");
export const TOOLCHAIN = join(ROOT, ".toolchain");
export const PYTHON = join(TOOLCHAIN, "python");
/** The Pulumi engine that set-up downloaded or built. It does not exist if a Pulumi CLI is on PATH. */
export const ENGINE = join(TOOLCHAIN, "pulumi");
/** The OpenTofu that set-up built. It does not exist if terraform or tofu is on PATH. */
export const TOFU = join(TOOLCHAIN, "tofu");
/** The Terraform that set-up built for the tests of features of 1.14. It does not exist if 1.14.3 or newer is on PATH. */
export const NEW_TERRAFORM = join(TOOLCHAIN, "terraform");
/** What the tests need for Pulumi programs in other languages: language hosts, generators of SDKs, and Python's packages. */
export const LANGUAGES = join(TOOLCHAIN, "pulumi-languages");
/** The linter of GitHub's workflows, for the tests. */
export const ACTIONLINT = join(TOOLCHAIN, "actionlint");
/** The names of the browser that the tests of the HTML report start. */
const BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/** A Node.js that can keep compiled code, which halves the start of a Pulumi program. The tests run most engines on it. */
export const NEWER_NODE = {
  version: "24.22.3",
  package: `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`,
};
/** Its folder. It does not exist if the Node.js that runs the tests can do so itself. */
export const NODE = join(TOOLCHAIN, `node-${NEWER_NODE.version}`);
/** Ansible and its collection amazon.aws, which the benchmark runs beside this project. */
export const ANSIBLE = join(TOOLCHAIN, "ansible");

/** The programs that must be in the folder of the CLI, for a TypeScript program with a dynamic provider. */
export const ENGINE_PROGRAMS = ["pulumi", "pulumi-language-nodejs", "pulumi-resource-pulumi-nodejs"];

/**
 * @typedef {object} EnvironmentOptions
 * @property {boolean} [local] Use local state and dummy credentials, so that nothing reaches the user's own account or stacks.
 */

/**
 * The variables to add to the environment. An undefined value removes a variable.
 * Without `local`, variables that the user has set are left out, so that they keep their values.
 * @param {EnvironmentOptions} [options]
 * @returns {Record<string, string | undefined>}
 */
export function toolchainEnvironment({ local = false } = {}) {
  const state = join(TOOLCHAIN, "pulumi-state");
  mkdirSync(state, { recursive: true });
  const PATH = [...toolchainPath(), process.env.PATH].join(delimiter);
  const pulumi = {
    PULUMI_HOME: join(TOOLCHAIN, "pulumi-home"),
    PULUMI_BACKEND_URL: `file://${state}`,
    PULUMI_CONFIG_PASSPHRASE: "local",
    PULUMI_SKIP_UPDATE_CHECK: "1",
  };
  if (local)
    return { PATH, ...pulumi, PULUMI_CONFIG_PASSPHRASE_FILE: undefined, ...localOnly, NEW_TERRAFORM_CLI: newTerraform() };
  return { PATH, ...withoutThoseOfTheUser(pulumi) };
}

/** The folders to add at the beginning of PATH. */
export function toolchainPath() {
  const engine = engineOnPath() ? [] : [join(ENGINE, "bin")];
  const tofu = ownTerraform() ? [] : [join(TOFU, "bin")];
  return [...engine, ...tofu, join(ROOT, "node_modules", ".bin"), join(PYTHON, "bin")];
}

/** The user's Pulumi CLI, if the Node.js language host is installed with it. */
export function engineOnPath() {
  const cli = onPath("pulumi");
  if (!cli) return undefined;
  // Package managers link only some programs into a folder on PATH. The others are beside the real file.
  const beside = dirname(realpathSync(cli));
  const complete = ENGINE_PROGRAMS.every((name) => onPath(name) ?? executable(join(beside, name)));
  return complete ? cli : undefined;
}

/** Whether this Node.js keeps compiled code if NODE_COMPILE_CACHE is set. */
export function keepsCompiledCode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  return major > 22 || (major === 22 && minor >= 1);
}

/** Chromium or Chrome. */
export function browserOnPath() {
  return BROWSERS.map(onPath).find(Boolean);
}

/** Whether set-up can install packages of the system: as root, where there is apt. */
export function canInstallPackages() {
  return process.getuid?.() === 0 && onPath("apt-get") !== undefined;
}

/** The user's Terraform, or else the user's OpenTofu. */
export function ownTerraform() {
  return onPath("terraform") ?? onPath("tofu");
}

/** The CLI for the tests of features of Terraform 1.14. */
function newTerraform() {
  return process.env.NEW_TERRAFORM_CLI ?? newTerraformOnPath() ?? join(NEW_TERRAFORM, "bin", "terraform");
}

/** The user's Terraform, if it is 1.14.3 or newer and so has all features of 1.14. */
export function newTerraformOnPath() {
  const cli = onPath("terraform");
  const version =
    cli && /Terraform v(\d+)\.(\d+)\.(\d+)/.exec(execFileSync(cli, ["version"], { encoding: "utf8", stdio: "pipe" }));
  const [major = 0, minor = 0, patch = 0] = (version || []).slice(1).map(Number);
  return major > 1 || minor > 14 || (minor === 14 && patch >= 3) ? cli : undefined;
}

/**
 * A program on PATH that set-up did not install.
 * @param {string} name
 */
function onPath(name) {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder && !isInside(folder));
  return folders.map((folder) => executable(join(folder, name))).find(Boolean);
}

/** @param {string} folder */
function isInside(folder) {
  return `${resolve(folder)}${sep}`.startsWith(`${ROOT}${sep}`);
}

/**
 * @param {string} file
 * @returns {string | undefined}
 */
export function executable(file) {
  try {
    accessSync(file, constants.X_OK);
    return file;
  } catch {
    return undefined;
  }
}

/** The pinned version of each program, and the version of Go that builds it. */
export function pinnedVersions() {
  const engine = goModule("pulumi-cli");
  const tofu = goModule("tofu");
  const terraform = goModule("terraform");
  const languages = goModule("pulumi-hosts");
  return {
    engine: { version: engine(/pulumi\/pkg\/v3 v(\S+)/), go: engine(GO_LINE) },
    tofu: { version: tofu(/opentofu\/opentofu v(\S+)/), go: tofu(GO_LINE) },
    terraform: { version: terraform(/hashicorp\/terraform v(\S+)/), go: terraform(GO_LINE) },
    languages: { go: languages(GO_LINE) },
  };
}

const GO_LINE = /^go (\S+)$/m;

/**
 * Returns a function that searches the go.mod of a pinned module.
 * @param {string} name
 */
function goModule(name) {
  const text = readFileSync(join(ROOT, "scripts", "toolchain", name, "go.mod"), "utf8");
  return (/** @type {RegExp} */ pattern) => text.match(pattern)?.[1] ?? "";
}

/** @type {Record<string, string | undefined>} */
const localOnly = {
  // Pulumi must not download plugins in the middle of a run. Everything that it needs is on PATH.
  PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
  AWS_ACCESS_KEY_ID: "local",
  AWS_SECRET_ACCESS_KEY: "local",
  AWS_REGION: "us-east-1",
  AWS_EC2_METADATA_DISABLED: "true",
  AWS_CONFIG_FILE: "/dev/null",
  AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
  // These would have precedence over the keys above.
  AWS_PROFILE: undefined,
  AWS_SESSION_TOKEN: undefined,
  AWS_ENDPOINT_URL: undefined,
  AWS_ENDPOINT_URL_EC2: undefined,
};

/** @param {Record<string, string>} variables */
function withoutThoseOfTheUser(variables) {
  const isSet = (/** @type {string} */ name) => process.env[name] !== undefined;
  // If the user has a backend, the known passphrase would be the wrong one for the stacks in it.
  const keepsSecrets = isSet("PULUMI_BACKEND_URL") || isSet("PULUMI_CONFIG_PASSPHRASE_FILE");
  const isOurs = (/** @type {string} */ name) => !isSet(name) && !(keepsSecrets && name === "PULUMI_CONFIG_PASSPHRASE");
  return Object.fromEntries(Object.entries(variables).filter(([name]) => isOurs(name)));
}
