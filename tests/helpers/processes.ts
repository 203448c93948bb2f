/** Finds processes that a test did not start itself, and waits until they have ended. */

import * as assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

/** How many seconds a provider may run after its engine has ended. */
const SOON = 10;

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

async function processes(): Promise<Process[]> {
  const { stdout } = await promisify(execFile)("ps", ["-A", "-ww", "-o", "pid=,ppid=,command="]);
  return stdout.split("\n").flatMap((line) => {
    const [, pid, parent, command = ""] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return pid ? [{ pid: Number(pid), parent: Number(parent), command }] : [];
  });
}

/** All child processes of a process, including their own child processes. */
export async function descendants(pid: number | undefined): Promise<Process[]> {
  const all = await processes();
  const below = (parent: number | undefined): Process[] =>
    all.filter((one) => one.parent === parent).flatMap((one) => [one, ...below(one.pid)]);
  return below(pid);
}

/** The one child process, direct or indirect, whose command line matches. */
export async function onlyProcess(below: number | undefined, command: RegExp): Promise<number> {
  const found = (await descendants(below)).filter((one) => command.test(one.command));
  assert.equal(found.length, 1, JSON.stringify(await descendants(below), null, 2));
  return found[0]?.pid as number;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

export async function endsSoon(pid: number): Promise<void> {
  const until = Date.now() + SOON * 1000;
  while (isAlive(pid) && Date.now() < until) await sleep(50);
  assert.ok(!isAlive(pid), `it runs ${SOON} seconds later`);
}
