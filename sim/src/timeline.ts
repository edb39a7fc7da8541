/**
 * The time of a simulated world. Nothing happens by itself: what is scheduled is run one after the other, in the order of its time,
 * and between two of them everything that the first set off in this process has come to rest.
 */
export class Timeline {
  #nowMs: number;
  #scheduled: Scheduled[] = [];
  #last = 0;
  /** Counts what happened, to tell rest from work. */
  #activity = 0;
  /** Things under way outside of this timeline, such as a file being read: rest waits for them. */
  #foreign = 0;

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  /** Milliseconds since 1970. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** What is still scheduled. */
  get pending(): number {
    return this.#scheduled.length;
  }

  /** Tells that something happened which may set off more. */
  busy(): void {
    this.#activity++;
  }

  /** Rest waits for this work. */
  async during<T>(work: Promise<T>): Promise<T> {
    this.#foreign++;
    try {
      return await work;
    } finally {
      this.#foreign--;
      this.#activity++;
    }
  }

  /** Runs something `delayMs` from now; the result calls it off. */
  schedule(delayMs: number, run: () => void): () => void {
    const item: Scheduled = { dueMs: this.#nowMs + Math.max(0, Math.ceil(delayMs)), number: ++this.#last, run };
    this.#activity++;
    this.#push(item);
    return () => {
      item.run = undefined;
    };
  }

  /** Resolves so much later. */
  wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.schedule(delayMs, resolve);
    });
  }

  /** Runs what is due up to `durationMs` from now, or until `isDone`. Time stands at the end, or where it was done. */
  async run(durationMs: number, isDone: () => boolean = () => false): Promise<boolean> {
    const endMs = this.#nowMs + durationMs;
    await this.rest();
    while (!isDone()) {
      const next = this.#scheduled[0];
      if (next === undefined || next.dueMs > endMs) {
        this.#nowMs = endMs;
        await this.rest();
        return isDone();
      }
      this.#pop();
      if (next.run === undefined) continue;
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.run();
      await this.rest();
    }
    return true;
  }

  /** Waits until everything set off so far has come to rest. */
  async rest(): Promise<void> {
    let quiet = 0;
    while (quiet < 4 || this.#foreign > 0) {
      const before = this.#activity;
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
      quiet = this.#activity === before ? quiet + 1 : 0;
    }
  }

  /** A binary heap by time, then by the order of scheduling. */
  #push(item: Scheduled): void {
    const heap = this.#scheduled;
    let at = heap.length;
    heap.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(item, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = item;
  }

  #pop(): void {
    const heap = this.#scheduled;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const [a, b] = [heap[left], heap[left + 1]];
      const child = b !== undefined && a !== undefined && isBefore(b, a) ? left + 1 : left;
      const below = heap[child];
      if (below === undefined || !isBefore(below, last)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
  }
}

interface Scheduled {
  readonly dueMs: number;
  readonly number: number;
  run: (() => void) | undefined;
}

function isBefore(a: Scheduled, b: Scheduled): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.number < b.number);
}
