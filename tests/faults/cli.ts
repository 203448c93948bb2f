/** Runs real CLIs with a time limit, and stops everything that a run started by its process id. */

import { type ChildProcessByStdio, execFile, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { outcomeOf, type Ran } from "../helpers/pulumiProject";

export interface Running {
  readonly pid: number;
  readonly ended: Promise<Ran>;
}

/** Starts a program. After `seconds`, the program and all its child processes are killed, and the test fails. */
export function start(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv, seconds: number): Running {
  const child: ChildProcessByStdio<null, Readable, Readable> = spawn(command, args, {
    cwd,
    env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const pid = child.pid ?? 0;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    void killAll(pid);
  }, seconds * 1000);
  const ended = outcomeOf(child).then((ran) => {
    clearTimeout(timer);
    if (late) throw new Error(`${command} ${args.join(" ")} ran for more than ${seconds} s:\n${ran.output.slice(-4000)}`);
    return ran;
  });
  return { pid, ended };
}

export interface Process {
  readonly pid: number;
  readonly command: string;
}

/** The child processes of a process, including their own child processes. */
export async function descendants(pid: number): Promise<Process[]> {
  const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "pid=,ppid=,command="], { maxBuffer: 1e8 });
  const all = stdout.split("\n").flatMap((line) => {
    const [, own, parent, command = ""] = /^\s*(\d+)\s+(\d+)\s(.*)$/.exec(line) ?? [];
    return own ? [{ pid: Number(own), parent: Number(parent), command }] : [];
  });
  const under = (parent: number): Process[] =>
    all.filter((one) => one.parent === parent).flatMap((one) => [{ pid: one.pid, command: one.command }, ...under(one.pid)]);
  return under(pid);
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

export function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has already ended.
  }
}

/** Kills a process and all its child processes. */
export async function killAll(pid: number): Promise<void> {
  const others = await descendants(pid);
  for (const one of [pid, ...others.map((other) => other.pid)]) kill(one);
}

/** Waits for processes to end, then kills those that still run. Returns the killed ones. */
export async function endWithin(seconds: number, pids: readonly number[]): Promise<number[]> {
  const until = Date.now() + seconds * 1000;
  while (pids.some(isAlive) && Date.now() < until) await sleep(50);
  const late = pids.filter(isAlive);
  for (const pid of late) kill(pid);
  return late;
}
