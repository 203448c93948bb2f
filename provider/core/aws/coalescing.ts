/** Coalesces reads: what several sets ask for at about the same time is read with one call. */

/** Milliseconds. The sets that an engine starts together ask within this time. */
const WINDOW_MS = 5;
/** The longest wait for the call that is under way. What is asked for meanwhile shares the next call. */
const LONGEST_MS = 300;

interface Waiting<Value> {
  readonly resolve: (value: Value | undefined | PromiseLike<Value>) => void;
  readonly reject: (error: unknown) => void;
}

export class Coalescer<Value> {
  private waiting = new Map<string, Waiting<Value>[]>();
  private timer: NodeJS.Timeout | undefined;
  private running = 0;

  /**
   * @param read reads the values of several ids, with one call if possible. An id without a value is left out
   * @param most the most ids of one call
   */
  constructor(
    private readonly read: (ids: readonly string[]) => Promise<ReadonlyMap<string, Value | Promise<Value>>>,
    private readonly most: number,
  ) {}

  /** The value of an id; undefined if the read leaves it out. */
  get(id: string): Promise<Value | undefined> {
    return new Promise((resolve, reject) => {
      if (this.waiting.size === 0) this.flushIn(this.running > 0 ? LONGEST_MS : WINDOW_MS);
      this.waiting.set(id, [...(this.waiting.get(id) ?? []), { resolve, reject }]);
      if (this.waiting.size >= this.most) this.flush();
    });
  }

  private flushIn(milliseconds: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), milliseconds);
  }

  private flush(): void {
    clearTimeout(this.timer);
    const { waiting } = this;
    this.waiting = new Map();
    const settle = (each: (id: string, one: Waiting<Value>) => void) => {
      for (const [id, all] of waiting) for (const one of all) each(id, one);
    };
    this.running += 1;
    this.read([...waiting.keys()])
      .finally(() => {
        this.running -= 1;
        if (this.waiting.size > 0) this.flushIn(WINDOW_MS);
      })
      .then(
        (values) => settle((id, { resolve }) => resolve(values.get(id))),
        (error: unknown) => settle((_, { reject }) => reject(error)),
      );
  }
}
