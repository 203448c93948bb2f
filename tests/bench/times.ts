/** Compares times as ratios of medians. The tasks run in turn, so that other load on the machine affects all of them. */

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import { PROVIDER_FILE } from "ami-launch-permissions/terraform";
import { decodeDeclaredSet, permissionSetOf, planChange, reportOf } from "../../provider/core";
import { selfSigned } from "../../provider/terraform/certificate";
import { Emulator } from "../helpers/emulator";
import { MemoryGateway } from "../helpers/memoryGateway";
import { COOKIE } from "../helpers/pluginClient";
import { PulumiProject } from "../helpers/pulumiProject";
import { TerraformProject } from "../helpers/terraformProject";
import { accounts } from "./calls";

/** Two medians in milliseconds, of which the report shows the ratio. */
export interface Ratio {
  readonly name: string;
  readonly dividend: number;
  readonly divisor: number;
  /** The limit of the ratio; reported, not enforced. */
  readonly atMost?: number;
}

type Tasks<Name extends string> = Readonly<Record<Name, () => Promise<unknown>>>;

/** The medians of tasks in milliseconds. If there are several rounds, the first one does not count. */
export async function medians<Name extends string>(rounds: number, tasks: Tasks<Name>): Promise<Record<Name, number>> {
  const times = Object.fromEntries(Object.keys(tasks).map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = rounds > 1 ? 0 : 1; round <= rounds; round++)
    for (const name of Object.keys(tasks) as Name[]) {
      const began = performance.now();
      await tasks[name]();
      if (round > 0) times[name].push(performance.now() - began);
    }
  const median = (all: number[]) => all.sort((a, b) => a - b)[all.length >> 1] ?? Number.NaN;
  return Object.fromEntries(Object.entries<number[]>(times).map(([name, all]) => [name, median(all)])) as Record<Name, number>;
}

/**
 * The time from the start of the Terraform provider to its handshake line, compared with a Node.js process that does nothing. The provider
 * has run once before.
 *
 * @param bin a folder with another Node.js. Default: that on PATH
 */
export async function handshakeTime(rounds: number, bin?: string): Promise<Ratio[]> {
  const { certificate } = selfSigned();
  const sockets = fs.mkdtempSync(path.join(os.tmpdir(), "ami-bench-"));
  const base = bin === undefined ? process.env : { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH}` };
  const { stdout } = await promisify(execFile)("node", ["--version"], { env: base });
  const plugin = { ...COOKIE, PLUGIN_PROTOCOL_VERSIONS: "5,6", PLUGIN_CLIENT_CERT: certificate, PLUGIN_UNIX_SOCKET_DIR: sockets };
  try {
    const shakeHands = async () => {
      const child = spawn(PROVIDER_FILE, { env: { ...base, ...plugin }, stdio: ["ignore", "pipe", "ignore"] });
      await once(child.stdout, "data");
      return child;
    };
    // Its end writes the compiled code, which a newer Node.js keeps for the next start.
    const first = await shakeHands();
    first.kill("SIGTERM");
    await once(first, "close");
    const { handshake, bare } = await medians(rounds, {
      bare: () => once(spawn("node", ["-e", ""], { env: base, stdio: "ignore" }), "close"),
      handshake: async () => (await shakeHands()).kill("SIGKILL"),
    });
    const name = `handshake of the Terraform provider ÷ node -e "", Node.js ${stdout.trim()}`;
    return [{ name, dividend: handshake, divisor: bare, atMost: 2.5 }];
  } finally {
    fs.rmSync(sockets, { recursive: true, force: true });
  }
}

/** A program in one of the engines. */
interface Project {
  readonly plan: () => Promise<unknown>;
  readonly apply: () => Promise<unknown>;
  readonly remove: () => void;
}

/** Plans of a program with a set, compared with a program without one; and of many accounts, compared with one. */
export async function planTimes(rounds: number): Promise<Ratio[]> {
  const emulator = await Emulator.start();
  try {
    const terraform = await ratiosOf(rounds, (accountIds) => terraformProject(emulator, accountIds), {
      unchanged: "terraform plan, 100 accounts unchanged ÷ only a terraform_data, no provider",
      many: "terraform plan, to share with 1,000 accounts ÷ with 1",
    });
    const pulumi = await ratiosOf(rounds, (accountIds) => pulumiProject(emulator, accountIds), {
      unchanged: "pulumi preview, 100 accounts unchanged ÷ an empty program",
      many: "pulumi preview, to share with 1,000 accounts ÷ with 1",
    });
    return [...terraform, ...pulumi];
  } finally {
    await emulator.stop();
  }
}

/** @param make a program that shares a new AMI with some accounts; without accounts, a program that uses nothing of this package */
async function ratiosOf(
  rounds: number,
  make: (accountIds?: readonly string[]) => Promise<Project>,
  names: Readonly<Record<"unchanged" | "many", string>>,
): Promise<Ratio[]> {
  const [unchanged, empty] = [await make(accounts(100)), await make()];
  const [many, one] = [await make(accounts(1000)), await make(accounts(1))];
  try {
    await Promise.all([unchanged.apply(), empty.apply()]);
    const time = await medians(rounds, { unchanged: unchanged.plan, empty: empty.plan, many: many.plan, one: one.plan });
    return [
      { name: names.unchanged, dividend: time.unchanged, divisor: time.empty },
      { name: names.many, dividend: time.many, divisor: time.one },
    ];
  } finally {
    for (const { remove } of [unchanged, empty, many, one]) remove();
  }
}

async function terraformProject(emulator: Emulator, account_ids?: readonly string[]): Promise<Project> {
  const project = await TerraformProject.create(emulator, "");
  const { imageId: image_id } = await emulator.image({ snapshots: 2 });
  if (account_ids) project.declare({ golden: { image_id, account_ids, create_volume_permissions: {} } });
  else project.write("provider.tf", 'resource "terraform_data" "nothing" {}\n');
  return { plan: () => project.plan(), apply: () => project.apply(), remove: () => project.remove() };
}

async function pulumiProject(emulator: Emulator, accountIds?: readonly string[]): Promise<Project> {
  const project = await PulumiProject.create(emulator, {
    asUsersHaveIt: true,
    ...(accountIds ? {} : { program: "export {};\n" }),
  });
  const { imageId } = await emulator.image({ snapshots: 2 });
  if (accountIds) project.config({ imageId, accountIds, createVolumePermissions: true });
  return { plan: () => project.preview(), apply: () => project.up(), remove: () => project.remove() };
}

/** The core alone, from arguments to the report, with EC2 in memory. */
export async function coreTime(rounds: number): Promise<Ratio[]> {
  const planned = async (count: number, times: number) => {
    const gateway = new MemoryGateway();
    gateway.entityQuota = count;
    const { imageId } = gateway.addImage(2);
    for (let i = 0; i < times; i++) {
      const decoded = decodeDeclaredSet({ imageId, accountIds: accounts(count), createVolumePermissions: true });
      const set = "declared" in decoded ? permissionSetOf(decoded.declared) : undefined;
      if (!set) throw new Error("the set is not complete");
      reportOf(await planChange(gateway, set), "planned");
    }
  };
  const time = await medians(rounds, { many: () => planned(10_000, 1), few: () => planned(1000, 10) });
  const name = "core: plan, diff, report of 10,000 accounts ÷ ten times of 1,000 (linear is 1)";
  return [{ name, dividend: time.many, divisor: time.few, atMost: 1.5 }];
}
