/** The other provider processes of the same run of the engine: which AMIs they manage. They tell each other through files of this user. */

import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { engineAddress } from "./sdkInternals";

/** A set that another provider process manages in this run. It names no grantee, because grantees can be secrets. */
export interface OtherSet {
  /** Its region and AMI. */
  readonly place: string;
  readonly urn: string;
  readonly authoritative: boolean;
  /** Whether it manages the create-volume permissions of all snapshots of the AMI. */
  readonly snapshots: boolean;
  /** Whether it was created or updated in this run. */
  readonly made: boolean;
}

/** What was read of the file of another process. */
interface Told {
  readonly inode: number;
  /** How many bytes were read: whole lines only. */
  readonly bytes: number;
  /** Place → URN → set. */
  readonly sets: Map<string, Map<string, OtherSet>>;
}

/**
 * One stack can have sets of several providers: dynamic resources, the full provider, and the full provider with another configuration. The
 * engine runs a process for each of them, and tells no process of the others. So a set that moves to another provider without an alias
 * would be created by one process, and deleted with all its grants by the other.
 *
 * Each process appends what it manages to a file. The folder of the file is that of the engine, which all these processes know by its
 * address. If the files cannot be written, the processes do not know of each other.
 */
export class OtherProviders {
  private folder: string | undefined;
  private isReady = false;
  /** By file. */
  private readonly told = new Map<string, Told>();

  /**
   * @param argv the arguments of this process, which end with the engine's address
   * @param base the folder of all engines. Default: one of this user in the folder for temporary files
   */
  constructor(
    argv: readonly string[] = [],
    private readonly base: string = defaultBase(),
    private readonly pid: number = process.pid,
  ) {
    const engine = engineAddress(argv);
    if (engine) this.engineAt(`${engine.host}:${engine.port}`);
  }

  /** Sets the address of the engine, which can be another one if an engine attaches for debugging. */
  engineAt(address: string): void {
    this.forget();
    this.isReady = false;
    this.folder = address === "" ? undefined : join(this.base, address.replace(/[^\w.-]+/g, "-"));
  }

  /** Tells the other processes of a set. */
  tell(set: OtherSet): void {
    if (this.folder === undefined) return;
    try {
      this.prepare(this.folder);
      fs.appendFileSync(join(this.folder, String(this.pid)), `${JSON.stringify(set)}\n`, { mode: 0o600 });
    } catch {
      // Not knowing of each other is no reason to fail.
    }
  }

  /** The sets of a place that the other processes told of, as each was told of last. */
  at(place: string): readonly OtherSet[] {
    const { folder } = this;
    if (folder === undefined || !isOwn(this.base)) return [];
    const pids = namesIn(folder).map(Number);
    const told = pids.filter((pid) => pid !== this.pid && isRunning(pid)).map((pid) => this.toldIn(join(folder, String(pid))));
    return [...new Map(told.flatMap(({ sets }) => [...(sets.get(place) ?? [])])).values()];
  }

  /** What a process has told until now. */
  private toldIn(file: string): Told {
    const told = readOn(file, this.told.get(file));
    this.told.set(file, told);
    return told;
  }

  /** Takes back what it told. */
  forget(): void {
    if (this.folder === undefined) return;
    try {
      fs.rmSync(join(this.folder, String(this.pid)), { force: true });
      fs.rmdirSync(this.folder);
    } catch {
      // Another process still has a file there.
    }
  }

  /** Makes the folder, and deletes what processes left that were killed. */
  private prepare(folder: string): void {
    if (this.isReady) return;
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (!isOwn(this.base)) throw new Error(`${this.base} belongs to somebody else`);
    this.isReady = true;
    if (telling.size === 0) process.on("exit", forgetAll);
    telling.add(this);
    for (const other of namesIn(this.base).map((name) => join(this.base, name))) {
      const dead = namesIn(other).filter((pid) => !isRunning(Number(pid)));
      for (const pid of dead) fs.rmSync(join(other, pid), { force: true });
      if (other !== folder && dead.length > 0 && namesIn(other).length === 0) fs.rmdirSync(other);
    }
  }
}

/** Those that have told something. */
const telling = new Set<OtherProviders>();

function forgetAll(): void {
  for (const one of telling) one.forget();
}

function defaultBase(): string {
  return join(tmpdir(), `ami-launch-permissions-${process.getuid?.() ?? "user"}`);
}

/** Whether a folder exists and nobody else can write to it: nobody else may tell this process what to keep. */
function isOwn(folder: string): boolean {
  const found = fs.lstatSync(folder, { throwIfNoEntry: false });
  if (!found?.isDirectory()) return false;
  return process.getuid === undefined || (found.uid === process.getuid() && (found.mode & 0o077) === 0);
}

function namesIn(folder: string): string[] {
  try {
    return fs.readdirSync(folder);
  } catch {
    return [];
  }
}

/** Reads what is new in a file. If it is another file than before, all of it is new. */
function readOn(file: string, before?: Told): Told {
  let descriptor: number | undefined;
  try {
    descriptor = fs.openSync(file, "r");
    const { ino: inode, size } = fs.fstatSync(descriptor);
    const { bytes, sets } = before?.inode === inode && before.bytes <= size ? before : { bytes: 0, sets: new Map() };
    const buffer = Buffer.alloc(size - bytes);
    const read = buffer.subarray(0, fs.readSync(descriptor, buffer, 0, buffer.length, bytes));
    const whole = read.subarray(0, read.lastIndexOf("\n") + 1);
    for (const set of whole.toString("utf8").split("\n").flatMap(setsIn))
      sets.set(set.place, (sets.get(set.place) ?? new Map()).set(set.urn, set));
    return { inode, bytes: bytes + whole.length, sets };
  } catch {
    return { inode: -1, bytes: 0, sets: new Map() };
  } finally {
    if (descriptor !== undefined) fs.closeSync(descriptor);
  }
}

/** The set in a line; none if it is empty or cannot be parsed. */
function setsIn(line: string): OtherSet[] {
  try {
    return line === "" ? [] : [JSON.parse(line) as OtherSet];
  } catch {
    return [];
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
