/** Lets one operation of a process use what another one has just read, so that EC2 is not asked twice within seconds. */

import { RECENT_READ_MS } from "../model";
import type { Gateway } from "./gateway";

/** How an operation takes part. `note`: others can use what it reads. `use`: it uses what others have read. */
export interface Sharing {
  readonly note?: true;
  readonly use?: true;
}

interface Read {
  readonly at: number;
  readonly value: unknown;
}

/** Reads of images and permissions. Each is used once at most, so that an operation that waits for a change reads anew. */
export class RecentReads {
  private reads = new WeakMap<Gateway, Map<string, Read>>();

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** A gateway that shares reads. A change through it, or through another one of the same gateway, makes the reads of the resource void. */
  share(gateway: Gateway, { note, use }: Sharing): Gateway {
    const read = async <Value>(key: string, asking: () => Promise<Value>): Promise<Value> => {
      const reads = this.of(gateway);
      const known = use ? reads.get(key) : undefined;
      reads.delete(key);
      const isRecent = known !== undefined && this.now() - known.at <= RECENT_READ_MS;
      const at = isRecent ? known.at : this.now();
      const value = isRecent ? (known.value as Value) : await asking();
      if (note) reads.set(key, { at, value });
      return value;
    };
    const change = (id: string, changing: () => Promise<void>): Promise<void> => {
      const forget = () => void this.of(gateway).delete(id);
      forget();
      // A read that was sent before the change may be answered after it.
      return changing().finally(forget);
    };
    const shared: Partial<Gateway> = {
      describeImage: (imageId) => read(`${imageId} described`, () => gateway.describeImage(imageId)),
      launchPermissions: (imageId) => read(imageId, () => gateway.launchPermissions(imageId)),
      createVolumePermissions: (snapshotId) => read(snapshotId, () => gateway.createVolumePermissions(snapshotId)),
      changeLaunchPermissions: (imageId, ...rest) => change(imageId, () => gateway.changeLaunchPermissions(imageId, ...rest)),
      resetLaunchPermissions: (imageId) => change(imageId, () => gateway.resetLaunchPermissions(imageId)),
      changeCreateVolumePermissions: (snapshotId, ...rest) =>
        change(snapshotId, () => gateway.changeCreateVolumePermissions(snapshotId, ...rest)),
      resetCreateVolumePermissions: (snapshotId) => change(snapshotId, () => gateway.resetCreateVolumePermissions(snapshotId)),
    };
    return new Proxy(gateway, {
      get(target, name) {
        const own = shared[name as keyof Gateway] ?? target[name as keyof Gateway];
        return typeof own === "function" ? own.bind(target) : own;
      },
    });
  }

  private of(gateway: Gateway): Map<string, Read> {
    const reads = this.reads.get(gateway) ?? new Map<string, Read>();
    this.reads.set(gateway, reads);
    return reads;
  }

  /** Forgets all reads. */
  clear(): void {
    this.reads = new WeakMap();
  }
}
