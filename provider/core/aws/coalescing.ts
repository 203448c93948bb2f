/** Coalesces reads: what several sets ask for at about the same time is read with one call. */

/** Milliseconds. The sets that an engine starts together ask within this time. */
const WINDOW = 5;

interface Waiting<Value> {
  readonly resolve: (value: Value | undefined) => void;
  readonly reject: (error: unknown) => void;
}

export class Coalescer<Value> {
  private waiting = new Map<string, Waiting<Value>[]>();

  /**
   * @param read reads the values of several ids with one call. An id without a value is left out
   * @param most the most ids of one call
   */
  constructor(
    private readonly read: (ids: readonly string[]) => Promise<ReadonlyMap<string, Value>>,
    private readonly most: number,
  ) {}

  /** The value of an id; undefined if the read leaves it out. */
  get(id: string): Promise<Value | undefined> {
    return new Promise((resolve, reject) => {
      if (this.waiting.size === 0) setTimeout(() => this.flush(), WINDOW);
      this.waiting.set(id, [...(this.waiting.get(id) ?? []), { resolve, reject }]);
      if (this.waiting.size >= this.most) this.flush();
    });
  }

  private flush(): void {
    const { waiting } = this;
    this.waiting = new Map();
    if (waiting.size === 0) return;
    const settle = (each: (id: string, one: Waiting<Value>) => void) => {
      for (const [id, all] of waiting) for (const one of all) each(id, one);
    };
    this.read([...waiting.keys()]).then(
      (values) => settle((id, { resolve }) => resolve(values.get(id))),
      (error: unknown) => settle((_, { reject }) => reject(error)),
    );
  }
}
