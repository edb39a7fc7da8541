import { expect, test } from "vitest";
import { Feed } from "./feed.ts";

interface Item {
  readonly seq: number;
}

/** A feed over a list, whose reads are answered when the test says so. */
class TestFeed extends Feed<Item> {
  readonly delivered: number[] = [];
  readonly allowsGaps: boolean;
  readonly #reads: (() => void)[] = [];
  items: Item[];
  pausedAfter = 0;
  last: number;

  constructor(params: { cursor: number; count: number; allowsGaps: boolean; sink: TestSink }) {
    super(params.cursor, params.sink);
    this.items = Array.from({ length: params.count }, (_, index) => ({ seq: index + 1 }));
    this.last = params.count;
    this.allowsGaps = params.allowsGaps;
  }

  get isPaused(): boolean {
    return this.pausedAfter > 0 && this.cursor >= this.pausedAfter;
  }

  lastSeq(): number {
    return this.last;
  }

  readPage(afterSeq: number): Promise<Item[]> {
    return new Promise((resolve) => {
      this.#reads.push(() => resolve(this.items.filter(({ seq }) => seq > afterSeq).slice(0, 2)));
    });
  }

  deliver(item: Item): void {
    this.delivered.push(item.seq);
  }

  add(): void {
    this.last += 1;
    const item = { seq: this.last };
    this.items.push(item);
    this.offer(item);
  }

  /** Answers the read that waits, and lets the feed go on. */
  async answer(): Promise<void> {
    this.#reads.shift()?.();
    await new Promise(setImmediate);
  }
}

interface TestSink {
  page<T>(read: () => Promise<T>): Promise<T>;
  isWritable: boolean;
  lostCount: number;
  lost(): void;
}

function createFeed(change: { cursor?: number; count?: number; allowsGaps?: boolean } = {}): { feed: TestFeed; sink: TestSink } {
  const sink: TestSink = {
    isWritable: true,
    page: (read) => read(),
    lostCount: 0,
    lost() {
      sink.lostCount += 1;
    },
  };
  return { feed: new TestFeed({ cursor: 0, count: 3, allowsGaps: false, sink, ...change }), sink };
}

test("what is stored comes first, then what comes in, whenever that was", async () => {
  const { feed } = createFeed();
  feed.wake();
  feed.add();
  await feed.answer();
  feed.add();
  await feed.answer();
  await feed.answer();
  feed.add();
  expect(feed.delivered).toEqual([1, 2, 3, 4, 5, 6]);
});

test("a full sink stops it, on the way and live, until it is woken", async () => {
  const { feed, sink } = createFeed();
  feed.wake();
  await feed.answer();
  sink.isWritable = false;
  await feed.answer();
  feed.wake();
  // The page that was on its way is read again.
  expect(feed.delivered).toEqual([1, 2]);
  feed.add();
  feed.add();
  sink.isWritable = true;
  feed.wake();
  await feed.answer();
  await feed.answer();
  expect(feed.delivered).toEqual([1, 2, 3, 4, 5]);
  sink.isWritable = false;
  feed.add();
  expect(feed.delivered).toHaveLength(5);
  sink.isWritable = true;
  feed.wake();
  await feed.answer();
  feed.add();
  expect(feed.delivered).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

test("a pause holds in the middle of a page and live", async () => {
  const { feed } = createFeed();
  feed.pausedAfter = 1;
  feed.wake();
  await feed.answer();
  feed.wake();
  feed.add();
  expect(feed.delivered).toEqual([1]);
  feed.pausedAfter = 5;
  feed.wake();
  await feed.answer();
  await feed.answer();
  feed.add();
  feed.add();
  expect(feed.delivered).toEqual([1, 2, 3, 4, 5]);
  feed.pausedAfter = 0;
  feed.wake();
  await feed.answer();
  expect(feed.delivered).toEqual([1, 2, 3, 4, 5, 6]);
});

test("items that are gone end a feed that must be whole, and not one that need not", async () => {
  const whole = createFeed();
  whole.feed.items = whole.feed.items.slice(1);
  whole.feed.wake();
  await whole.feed.answer();
  expect([whole.feed.delivered, whole.sink.lostCount]).toEqual([[], 1]);
  const empty = createFeed();
  empty.feed.items = [];
  empty.feed.wake();
  await empty.feed.answer();
  expect(empty.sink.lostCount).toBe(1);
  const gaps = createFeed({ allowsGaps: true });
  gaps.feed.items = gaps.feed.items.slice(2);
  gaps.feed.wake();
  await gaps.feed.answer();
  expect([gaps.feed.delivered, gaps.sink.lostCount]).toEqual([[3], 0]);
  const erased = createFeed({ allowsGaps: true });
  erased.feed.items = [];
  erased.feed.wake();
  await erased.feed.answer();
  erased.feed.add();
  expect([erased.feed.delivered, erased.sink.lostCount]).toEqual([[4], 0]);
});

test.each([false, true])(
  "what somebody else has stored is read before what follows it, and when one is told of it (gaps: %s)",
  async (allowsGaps) => {
    const { feed } = createFeed({ allowsGaps });
    feed.wake();
    for (let reads = 0; reads < 3; reads++) await feed.answer();
    expect([feed.delivered, feed.isLive]).toEqual([[1, 2, 3], true]);
    feed.last += 1;
    feed.items.push({ seq: feed.last });
    feed.add();
    expect(feed.delivered).toEqual([1, 2, 3]);
    for (let reads = 0; reads < 3; reads++) await feed.answer();
    expect(feed.delivered).toEqual([1, 2, 3, 4, 5]);
    feed.last += 1;
    feed.items.push({ seq: feed.last });
    feed.kick();
    // Told again, it reads on as it did.
    feed.kick();
    for (let reads = 0; reads < 3; reads++) await feed.answer();
    feed.kick();
    expect([feed.delivered, feed.isLive]).toEqual([[1, 2, 3, 4, 5, 6], true]);
  },
);

test("a closed feed hands out nothing, even what it was reading", async () => {
  const { feed, sink } = createFeed();
  feed.wake();
  feed.close();
  await feed.answer();
  feed.add();
  feed.wake();
  await feed.answer();
  expect([feed.delivered, sink.lostCount]).toEqual([[], 0]);
});

test("a cursor beyond the end waits for what comes after it", async () => {
  const { feed } = createFeed({ cursor: 5 });
  feed.wake();
  feed.add();
  feed.add();
  feed.add();
  await feed.answer();
  expect(feed.delivered).toEqual([6]);
});
