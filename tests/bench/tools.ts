/** The tools that the benchmark runs for real: this project's three forms, the AWS CLI and Ansible. Each has one AMI, and the commands that its users run. */

import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import { MAX_SNAPSHOT_CHANGES_PER_CALL } from "../../provider/core/model/limits";
import { type Emulator, type MadeImage, ROOT } from "../helpers/emulator";
import type { EngineName } from "./calls";
import {
  ANSIBLE,
  AWS_CLI_LISTS,
  AWS_CLI_SINGLE,
  AWS_PROVIDER,
  type Calls,
  type Formulas,
  type Operation,
  type Size,
  sum,
} from "./peers";
import { SETS } from "./sets";

/** What users run, each as one task: a plan belongs to the run that it is for. */
export const TASKS = ["create", "nothing to change", "update", "destroy"] as const;
export type Task = (typeof TASKS)[number];

export interface Tool {
  /**
   * Runs a task.
   *
   * @param accountIds who has access after it
   * @returns how many times as much work the task is as what ran; 1: all of it ran
   */
  readonly run: (task: Task, accountIds: readonly string[]) => Promise<number>;
  /** Only some of the commands run. */
  readonly isSample: boolean;
  readonly remove: () => void;
}

/** Forms of this project. */
export const OURS: Readonly<Record<string, EngineName>> = {
  "Pulumi, dynamic": "Pulumi",
  "Pulumi, full": "plugin",
  Terraform: "Terraform",
};

/** The calls of other tools, by their source. */
export const PEERS: Readonly<Record<string, Formulas>> = {
  "one-principal resources": AWS_PROVIDER,
  "AWS CLI, an account a command": AWS_CLI_SINGLE,
  "AWS CLI, lists": AWS_CLI_LISTS,
  "Ansible amazon.aws": ANSIBLE,
};

export const TOOLS: Readonly<Record<string, (emulator: Emulator, image: MadeImage) => Promise<Tool>>> = {
  ...Object.fromEntries(
    Object.entries(OURS).map(([name, engine]) => [
      name,
      (emulator: Emulator, image: MadeImage) => engineTool(engine, emulator, image),
    ]),
  ),
  "AWS CLI, an account a command": async (emulator, image) => awsCli(emulator, image, 1),
  "AWS CLI, lists": async (emulator, image) => awsCli(emulator, image, Number.POSITIVE_INFINITY),
  "Ansible amazon.aws": ansible,
};

/** The operations that a task consists of. */
export const OPERATIONS_OF: Readonly<Record<Task, readonly Operation[]>> = {
  create: ["plan of the create", "create"],
  "nothing to change": ["nothing to change"],
  update: ["plan of the update", "update"],
  destroy: ["destroy"],
};

/** The calls of a task by a tool's source. For Ansible without `--check` before it. */
export function computed(name: string, task: Task, size: Size): Calls | undefined {
  const formulas = PEERS[name];
  const operations = formulas === AWS_PROVIDER ? OPERATIONS_OF[task] : OPERATIONS_OF[task].slice(-1);
  const calls = operations.map((operation) => formulas?.[operation](size));
  return calls.includes(undefined) ? undefined : sum(...(calls as Calls[]));
}

async function engineTool(name: EngineName, emulator: Emulator, image: MadeImage): Promise<Tool> {
  const engine = await SETS[name](emulator, [image], { asUsersHaveIt: true });
  return {
    async run(task, accountIds) {
      if (task !== "destroy") engine.declare(accountIds);
      await (task === "destroy" ? engine.destroy() : engine.run());
      return 1;
    },
    isSample: false,
    remove: engine.remove,
  };
}

/** A command is a process of its own, so that all commands take the same time. Of many, this number runs. */
const SAMPLE = 3;

/** @param most accounts in one command; EC2's own limits count, too */
function awsCli(emulator: Emulator, { imageId, snapshotIds }: MadeImage, most: number): Tool {
  const program = path.join(ROOT, ".toolchain/python/bin/aws");
  const env = { ...process.env, ...emulator.environment() };
  let before: readonly string[] = [];
  const onImage = (verb: "Add" | "Remove", ids: readonly string[]) => {
    const members = ids.map((id) => `{UserId=${id}}`).join(",");
    return ["modify-image-attribute", "--image-id", imageId, "--launch-permission", `${verb}=[${members}]`];
  };
  const onSnapshot = (id: string, type: "add" | "remove", ids: readonly string[]) => {
    const attribute = ["--attribute", "createVolumePermission", "--operation-type", type];
    return ["modify-snapshot-attribute", "--snapshot-id", id, ...attribute, "--user-ids", ...ids];
  };
  const looks = [
    ["describe-image-attribute", "--image-id", imageId, "--attribute", "launchPermission"],
    ...snapshotIds.map((id) => ["describe-snapshot-attribute", "--snapshot-id", id, "--attribute", "createVolumePermission"]),
  ];
  return {
    async run(task, accountIds) {
      const added = accountIds.filter((id) => !before.includes(id));
      const removed = before.filter((id) => !accountIds.includes(id));
      before = accountIds;
      // With lists, an addition and a removal on the AMI are one command with a structure; EC2 takes both in one call.
      const both = most > 1 && added.length > 0 && removed.length > 0;
      const members = (ids: readonly string[]) => ids.map((UserId) => ({ UserId }));
      const change = JSON.stringify({ Add: members(added), Remove: members(removed) });
      const images = both
        ? [["modify-image-attribute", "--image-id", imageId, "--launch-permission", change]]
        : [
            ...inParts(added, most).map((ids) => onImage("Add", ids)),
            ...inParts(removed, most).map((ids) => onImage("Remove", ids)),
          ];
      const perSnapshot = (ids: readonly string[]) => inParts(ids, Math.min(most, MAX_SNAPSHOT_CHANGES_PER_CALL));
      const snapshots = snapshotIds.flatMap((id) => [
        ...perSnapshot(added).map((ids) => onSnapshot(id, "add", ids)),
        ...perSnapshot(removed).map((ids) => onSnapshot(id, "remove", ids)),
      ]);
      const commands = task === "nothing to change" ? looks : [...images, ...snapshots];
      const chosen = most > 1 ? commands : spread(commands, SAMPLE);
      for (const command of chosen) await promisify(execFile)(program, ["ec2", ...command], { env });
      return commands.length / chosen.length;
    },
    isSample: most === 1,
    remove: () => {},
  };
}

const PLAYBOOK = [
  {
    hosts: "localhost",
    connection: "local",
    gather_facts: false,
    tasks: [
      {
        name: "Share the AMI",
        "amazon.aws.ec2_ami": { image_id: "{{ image_id }}", launch_permissions: { user_ids: "{{ account_ids }}" } },
      },
      {
        name: "Share its snapshots",
        "amazon.aws.ec2_snapshot": {
          snapshot_id: "{{ item }}",
          modify_create_vol_permission: true,
          purge_create_vol_permission: true,
          user_ids: "{{ account_ids }}",
        },
        loop: "{{ snapshot_ids }}",
      },
    ],
  },
];

async function ansible(emulator: Emulator, { imageId, snapshotIds }: MadeImage): Promise<Tool> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "ami-ansible-"));
  const installed = path.join(ROOT, ".toolchain/ansible");
  // JSON is YAML.
  fs.writeFileSync(path.join(folder, "share.yml"), JSON.stringify(PLAYBOOK));
  const env = {
    ...process.env,
    ...emulator.environment(),
    ANSIBLE_HOME: path.join(folder, "home"),
    ANSIBLE_REMOTE_TEMP: path.join(folder, "temp"),
    ANSIBLE_COLLECTIONS_PATH: path.join(installed, "collections"),
    ANSIBLE_PYTHON_INTERPRETER: path.join(installed, "bin/python"),
  };
  return {
    async run(_, account_ids) {
      const variables = { image_id: imageId, snapshot_ids: snapshotIds, account_ids };
      fs.writeFileSync(path.join(folder, "variables.json"), JSON.stringify(variables));
      const args = ["-i", "localhost,", "-e", "@variables.json", "share.yml"];
      await promisify(execFile)(path.join(installed, "bin/ansible-playbook"), args, { cwd: folder, env });
      return 1;
    },
    isSample: false,
    remove: () => fs.rmSync(folder, { recursive: true, force: true }),
  };
}

/** Parts of at most this size. */
function inParts<Item>(items: readonly Item[], size: number): Item[][] {
  const parts: Item[][] = [];
  for (let at = 0; at < items.length; at += size) parts.push(items.slice(at, at + size));
  return parts;
}

/** Some items, at even distances. */
function spread<Item>(items: readonly Item[], count: number): Item[] {
  if (items.length <= count) return [...items];
  return Array.from({ length: count }, (_, i) => items[Math.floor((i * items.length) / count)] as Item);
}
