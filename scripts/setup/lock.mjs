// The lock: only one set-up at a time can change the tools.
// @ts-check
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * Waits for the lock. The returned function releases it.
 * @param {string} file
 * @param {(owner: string) => void} onWait Called once if another process holds the lock.
 */
export async function acquireLock(file, onWait) {
  const own = String(process.pid);
  const draft = `${file}.${own}`;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(draft, own);
  try {
    let waited = false;
    while (!tryLink(draft, file)) {
      const owner = read(file);
      if (owner === undefined) continue;
      if (owner === own || !isAlive(Number(owner))) {
        breakLock(file, owner);
        continue;
      }
      if (!waited) onWait(owner);
      waited = true;
      await sleep(300);
    }
  } finally {
    rmSync(draft, { force: true });
  }
  return () => rmSync(file, { force: true });
}

/**
 * Takes the lock with a link, because a link appears together with its content. A new file is empty at first.
 * @param {string} draft
 * @param {string} file
 */
function tryLink(draft, file) {
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "EEXIST") return false;
    throw error;
  }
}

/** @param {string} file */
function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === "EPERM";
  }
}

/**
 * Removes the lock of a process that has ended.
 * @param {string} file
 * @param {string} owner
 */
function breakLock(file, owner) {
  const taken = `${file}.${process.pid}.stale`;
  try {
    renameSync(file, taken);
  } catch {
    return; // Another process was faster.
  }
  // In the meantime, another process may have removed the old lock and taken a new one. That lock is not removed.
  if (read(taken) === owner) rmSync(taken, { force: true });
  else renameSync(taken, file);
}
