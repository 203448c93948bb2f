// Where the tools of this repository lie, and the environment variables under which they work.
// @ts-check
import { execFileSync } from "node:child_process";
import { accessSync, constants, mkdirSync, readFileSync, realpathSync } from "node:fs";
import { delimiter, dirname, join, resolve, sep } from "node:path";

export const ROOT = resolve(import.meta.dirname, "..");
export const TOOLCHAIN = join(ROOT, ".toolchain");
export const PYTHON = join(TOOLCHAIN, "python");
/** The engine that set-up fetched or built; absent where a Pulumi CLI is on PATH. */
export const ENGINE = join(TOOLCHAIN, "pulumi");
/** The OpenTofu that set-up built; absent where terraform or tofu is on PATH. */
export const TOFU = join(TOOLCHAIN, "tofu");
/** The Terraform that set-up built for the tests of what 1.14 brought; absent where one so new is on PATH. */
export const NEW_TERRAFORM = join(TOOLCHAIN, "terraform");

/** What has to stand beside the CLI for a TypeScript program with a dynamic provider. */
export const ENGINE_PROGRAMS = ["pulumi", "pulumi-language-nodejs", "pulumi-resource-pulumi-nodejs"];

/**
 * @typedef {object} EnvironmentOptions
 * @property {boolean} [local] Force local state and dummy credentials, so that nothing reaches the user's own account or stacks.
 */

/**
 * The variables to add to the environment; an undefined value removes one.
 * Without `local`, a variable that the user has set is left out, and so stays as it is.
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

/** The folders to put before PATH. */
export function toolchainPath() {
  const engine = engineOnPath() ? [] : [join(ENGINE, "bin")];
  const tofu = ownTerraform() ? [] : [join(TOFU, "bin")];
  return [...engine, ...tofu, join(ROOT, "node_modules", ".bin"), join(PYTHON, "bin")];
}

/** The user's own Pulumi CLI, if the Node.js language host came with it. */
export function engineOnPath() {
  const cli = onPath("pulumi");
  if (!cli) return undefined;
  // Package managers link only some programs onto PATH and keep the others beside the real file.
  const beside = dirname(realpathSync(cli));
  const complete = ENGINE_PROGRAMS.every((name) => onPath(name) ?? executable(join(beside, name)));
  return complete ? cli : undefined;
}

/** The user's own Terraform, or else their own OpenTofu. */
export function ownTerraform() {
  return onPath("terraform") ?? onPath("tofu");
}

/** The CLI for the tests of what Terraform 1.14 brought. */
function newTerraform() {
  return process.env.NEW_TERRAFORM_CLI ?? newTerraformOnPath() ?? join(NEW_TERRAFORM, "bin", "terraform");
}

/** The user's own Terraform, where it has all that 1.14 brought: 1.14.3 or newer. */
export function newTerraformOnPath() {
  const cli = onPath("terraform");
  const version =
    cli && /Terraform v(\d+)\.(\d+)\.(\d+)/.exec(execFileSync(cli, ["version"], { encoding: "utf8", stdio: "pipe" }));
  const [major = 0, minor = 0, patch = 0] = (version || []).slice(1).map(Number);
  return major > 1 || minor > 14 || (minor === 14 && patch >= 3) ? cli : undefined;
}

/**
 * A program on PATH that is not one of this repository's own.
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

/** The versions that the pinned Go modules name: of each program, and of the Go that builds it. */
export function pinnedVersions() {
  const engine = goModule("pulumi-cli");
  const tofu = goModule("tofu");
  const terraform = goModule("terraform");
  return {
    engine: { version: engine(/pulumi\/pkg\/v3 v(\S+)/), go: engine(GO_LINE) },
    tofu: { version: tofu(/opentofu\/opentofu v(\S+)/), go: tofu(GO_LINE) },
    terraform: { version: terraform(/hashicorp\/terraform v(\S+)/), go: terraform(GO_LINE) },
  };
}

const GO_LINE = /^go (\S+)$/m;

/**
 * What finds something in a pinned Go module.
 * @param {string} name
 */
function goModule(name) {
  const text = readFileSync(join(ROOT, "scripts", "toolchain", name, "go.mod"), "utf8");
  return (/** @type {RegExp} */ pattern) => text.match(pattern)?.[1] ?? "";
}

/** @type {Record<string, string | undefined>} */
const localOnly = {
  // Nothing is fetched in the middle of a run: all that is needed stands on PATH.
  PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
  AWS_ACCESS_KEY_ID: "local",
  AWS_SECRET_ACCESS_KEY: "local",
  AWS_REGION: "us-east-1",
  AWS_EC2_METADATA_DISABLED: "true",
  AWS_CONFIG_FILE: "/dev/null",
  AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
  // These would win over the keys above.
  AWS_PROFILE: undefined,
  AWS_SESSION_TOKEN: undefined,
  AWS_ENDPOINT_URL: undefined,
  AWS_ENDPOINT_URL_EC2: undefined,
};

/** @param {Record<string, string>} variables */
function withoutThoseOfTheUser(variables) {
  const isSet = (/** @type {string} */ name) => process.env[name] !== undefined;
  // A passphrase of ours would be the wrong one for stacks in a backend of theirs.
  const keepsSecrets = isSet("PULUMI_BACKEND_URL") || isSet("PULUMI_CONFIG_PASSPHRASE_FILE");
  const isOurs = (/** @type {string} */ name) => !isSet(name) && !(keepsSecrets && name === "PULUMI_CONFIG_PASSPHRASE");
  return Object.fromEntries(Object.entries(variables).filter(([name]) => isOurs(name)));
}
