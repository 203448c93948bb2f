// The lock that lets only one set-up at a time change the tools.
// @ts-check
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * Waits for the lock; the returned function gives it back.
 * @param {string} file
 * @param {(owner: string) => void} onWait Called once if somebody else holds it.
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
 * A link appears with its content at once, unlike a new file.
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
 * Takes a dead owner's lock away.
 * @param {string} file
 * @param {string} owner
 */
function breakLock(file, owner) {
  const taken = `${file}.${process.pid}.stale`;
  try {
    renameSync(file, taken);
  } catch {
    return; // Somebody else was faster.
  }
  // Somebody else may have broken it and locked anew in between: then it is theirs.
  if (read(taken) === owner) rmSync(taken, { force: true });
  else renameSync(taken, file);
}
