// The demo: share an AMI, change the list and destroy, with a real Pulumi engine on a local EC2. The AWS CLI shows the result of each step.
// @ts-check
import { spawn } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { startEmulator } from "./emulator.mjs";
import { ROOT, TOOLCHAIN } from "./environment.mjs";

const STACK = "demo-on-local-ec2";
const STACK_FILE = join(ROOT, `Pulumi.${STACK}.yaml`);
const BACKEND = join(TOOLCHAIN, "demo-state");

/** @type {NodeJS.ProcessEnv} */
let env = process.env;

/**
 * Prints a command, runs it, and prints its output.
 * @param {string[]} command
 * @returns {Promise<void>}
 */
function run(...command) {
  console.log(`\n$ ${command.map((word) => (/[\s[\]]/.test(word) ? `'${word}'` : word)).join(" ")}`);
  return new Promise((resolve, reject) => {
    const child = spawn(command[0] ?? "", command.slice(1), { cwd: ROOT, env, stdio: ["ignore", "pipe", "inherit"] });
    let silent = true;
    child.stdout.on("data", (text) => {
      process.stdout.write(text);
      silent &&= String(text).trim() === "";
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (silent && command[1] === "ec2") console.log("(nobody)");
      if (code === 0) resolve();
      else reject(new Error(`${command[0]} exited with ${code}`));
    });
  });
}

/** @param {string} text */
function title(text) {
  console.log(`\n── ${text} ${"─".repeat(Math.max(0, 90 - text.length))}`);
}

/** Runs Pulumi without the progress display and colours. @param {string[]} args */
const pulumi = (...args) => run("pulumi", ...args, "--stack", STACK, "--suppress-progress", "--color", "never");

/** @param {string[]} ids @param {boolean} first */
async function configure(ids, first) {
  if (!first) await run("pulumi", "config", "rm", "accountIds", "--stack", STACK);
  for (const [i, id] of ids.entries()) await run("pulumi", "config", "set", "--stack", STACK, "--path", `accountIds[${i}]`, id);
}

/** @param {{ imageId: string, snapshotIds: string[] }} image */
async function prove({ imageId, snapshotIds }) {
  console.log("\nThe AWS CLI reads from EC2 who may launch the AMI, and then who may create volumes from each snapshot:");
  const query = (/** @type {string} */ key) => ["--query", `${key}[].UserId`, "--output", "text"];
  await run(
    "aws",
    "ec2",
    "describe-image-attribute",
    "--image-id",
    imageId,
    "--attribute",
    "launchPermission",
    ...query("LaunchPermissions"),
  );
  for (const id of snapshotIds)
    await run(
      "aws",
      "ec2",
      "describe-snapshot-attribute",
      "--snapshot-id",
      id,
      "--attribute",
      "createVolumePermission",
      ...query("CreateVolumePermissions"),
    );
}

/** @param {string} url @param {string} method @param {string} path @param {unknown} [body] */
async function ask(url, method, path, body) {
  const answer = await fetch(url + path, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  return /** @type {any} */ (await answer.json());
}

async function demo() {
  const emulator = await startEmulator();
  env = {
    ...process.env,
    AWS_ENDPOINT_URL: emulator.url,
    AWS_REGION: "us-east-1",
    AWS_DEFAULT_REGION: "us-east-1",
    PULUMI_BACKEND_URL: `file://${BACKEND}`,
  };
  rmSync(BACKEND, { recursive: true, force: true });
  rmSync(STACK_FILE, { force: true });
  mkdirSync(BACKEND, { recursive: true });
  try {
    const image = await ask(emulator.url, "POST", "/overlay/images", { snapshots: 2 });
    title(`A local EC2 with AMI ${image.imageId} and its two snapshots`);
    await run("pulumi", "stack", "init", STACK);

    title("1. Share it, and its snapshots, with two accounts");
    await run("pulumi", "config", "set", "--stack", STACK, "imageId", image.imageId);
    await run("pulumi", "config", "set", "--stack", STACK, "createVolumePermissions", "true");
    await configure(["111122223333", "444455556666"], true);
    await pulumi("up", "--yes", "--diff");
    await prove(image);

    title("2. Change the accounts: the preview shows who gains and who loses access");
    await configure(["111122223333", "777788889999"], false);
    await pulumi("preview", "--diff");

    title("3. Make the change");
    await pulumi("up", "--yes", "--skip-preview");
    await prove(image);

    title("4. Nothing to change: no call to EC2");
    await ask(emulator.url, "DELETE", "/overlay/calls");
    await pulumi("up", "--yes", "--skip-preview");
    console.log(`EC2 calls: ${(await ask(emulator.url, "GET", "/overlay/calls")).length}`);

    title("5. Destroy: the set revokes what it granted");
    await pulumi("destroy", "--yes", "--skip-preview");
    await prove(image);
    title("Done");
  } finally {
    await emulator.stop();
    rmSync(STACK_FILE, { force: true });
    rmSync(BACKEND, { recursive: true, force: true });
  }
}

demo().catch((/** @type {Error} */ error) => {
  console.error(`demo: ${error.message}`);
  process.exitCode = 1;
});
