import { expect, test } from "vitest";
import { Bucket } from "../s3/bucket.ts";
import { readS3Address } from "../s3/address.ts";
import { BucketRun, formatKnownRuns, parseKnownRuns } from "./bucket-run.ts";
import type { KnownRuns } from "./bucket-run.ts";
import { quick, startTestBucket } from "./bucket.testing.ts";
import type { TestBucket } from "./bucket.testing.ts";

const minuteMs = 60_000;

/** The data of a server, as far as they know of runs: a copy of them knows the same. */
interface Data {
  setting: string | undefined;
}

/** Runs of servers over one bucket. */
class Runs {
  readonly bucket: TestBucket;
  nowMs = 0;
  readonly told: string[] = [];
  #ids = 0;

  constructor(bucket: TestBucket) {
    this.bucket = bucket;
  }

  begin(data: Data, isTold = false, keep?: (known: KnownRuns) => Promise<void>): BucketRun {
    return new BucketRun({
      bucket: new Bucket(readS3Address(this.bucket.at, this.bucket.fake.environment), quick),
      watch: this.bucket.watch,
      id: `run${String(++this.#ids)}`,
      leases: { takeLease: async () => ({ kind: "taken", term: 1 }), giveBackLease: async () => ({ isWanted: false }) },
      holder: "",
      read: async () => parseKnownRuns(data.setting),
      isTold,
      keep:
        keep ??
        (async (known) => {
          data.setting = formatKnownRuns(known);
        }),
      setTimer: () => () => undefined,
      elapsedMs: () => this.nowMs,
      tell: (line) => this.told.push(line),
      patience: { aloneMs: 5 * minuteMs },
    });
  }

  /** Looks of so many minutes, of all in turn. */
  async pass(minutes: number, ...runs: BucketRun[]): Promise<void> {
    for (let minute = 0; minute < minutes; minute++) {
      for (const run of runs) await run.look();
      this.nowMs += minuteMs;
    }
  }
}

const mayRemove = (run: BucketRun): boolean => {
  try {
    run.requireAlone();
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: "unavailable" });
    return false;
  }
};

const open = async (): Promise<Runs> => new Runs(await startTestBucket("the test"));

test("one server after the other with the same data may remove, once it had the bucket for a while; whoever did not look yet may not", async () => {
  const runs = await open();
  const data: Data = { setting: undefined };
  for (let start = 0; start < 3; start++) {
    const run = runs.begin(data);
    expect(mayRemove(run)).toBe(false);
    await runs.pass(4, run);
    expect(mayRemove(run)).toBe(false);
    await runs.pass(1, run);
    expect(mayRemove(run)).toBe(true);
    run.close();
  }
  expect([runs.told, runs.begin(data).reason]).toEqual([[], undefined]);
});

test("a server that is killed at any of its steps finds its bucket again", async () => {
  for (const steps of [0, 1]) {
    const runs = await open();
    const data: Data = { setting: undefined };
    await runs.pass(1, runs.begin(data));
    let left = steps;
    const killed = runs.begin(data, false, async (known) => {
      data.setting = formatKnownRuns(known);
      if (left-- === 0) throw new Error("killed");
    });
    await expect(killed.look()).rejects.toThrow("killed");
    const next = runs.begin(data);
    await runs.pass(6, next);
    expect([mayRemove(next), runs.told]).toEqual([true, []]);
  }
});

test("a copy of the data that is started beside the server removes nothing, nor does the server: both say so until one is stopped", async () => {
  const runs = await open();
  const data: Data = { setting: undefined };
  const server = runs.begin(data);
  await runs.pass(10, server);
  expect(mayRemove(server)).toBe(true);
  const copy = runs.begin({ ...data });
  await runs.pass(4, copy, server);
  await runs.pass(60, server, copy);
  expect([mayRemove(server), mayRemove(copy)]).toEqual([false, false]);
  expect(server.reason).toMatch(/Another server uses s3:\/\/copies\/chat with a copy of this server's data: stop one of the two/);
  expect(copy.reason).toBe(server.reason);
  expect(runs.told).toHaveLength(2);
});

test("data that were restored over newer ones remove nothing, however often they are started, until the operator says that they may", async () => {
  const runs = await open();
  const data: Data = { setting: undefined };
  await runs.pass(1, runs.begin(data));
  const backup = { ...data };
  await runs.pass(1, runs.begin(data));
  for (let start = 0; start < 2; start++) {
    const restored = runs.begin(backup);
    await runs.pass(10, restored);
    expect([mayRemove(restored), restored.reason]).toEqual([false, runs.told[start]]);
    expect(runs.told[start]).toMatch(/was used by other data than these since.*start the server once with --i-know extra-blobs/);
  }
  const told = runs.begin(backup, true);
  await runs.pass(6, told);
  expect([mayRemove(told), told.reason]).toEqual([true, undefined]);
  const after = runs.begin(backup);
  await runs.pass(6, after);
  expect([mayRemove(after), runs.told.length]).toEqual([true, 2]);
});

test("a bucket that does not answer, or lost the object, changes nothing of whose it is", async () => {
  const runs = await open();
  const data: Data = { setting: undefined };
  const run = runs.begin(data);
  runs.bucket.fake.fault = () => 500;
  await expect(run.look()).rejects.toMatchObject({ code: "unavailable" });
  runs.bucket.fake.fault = undefined;
  await runs.pass(6, run);
  runs.bucket.fake.objects.delete("chat/run");
  await runs.pass(1, run);
  expect([mayRemove(run), run.reason, runs.bucket.fake.objects.has("chat/run")]).toEqual([true, undefined, true]);
  runs.bucket.fake.objects.set("chat/run", new Uint8Array(300).fill(120));
  await expect(run.look()).rejects.toMatchObject({ code: "unavailable" });
});

test("nodes with one set of data are one run: whichever starts when, none contests another, and each may remove", async () => {
  const runs = await open();
  const data: Data = { setting: undefined };
  const nodes = [runs.begin(data), runs.begin(data)];
  await runs.pass(3, ...nodes);
  nodes.push(runs.begin(data));
  await runs.pass(6, ...nodes);
  expect(nodes.map(mayRemove)).toEqual([true, true, true]);
  // One that was away for the start of two others.
  const [first] = nodes;
  await runs.pass(2, runs.begin(data));
  await runs.pass(2, runs.begin(data));
  runs.bucket.fake.objects.delete("chat/run");
  await runs.pass(1, ...(first === undefined ? [] : [first]));
  await runs.pass(6, ...nodes);
  expect([nodes.map(mayRemove), runs.told]).toEqual([[true, true, true], []]);
});

test("what one node finds of the bucket holds for all with its data: a copy, newer data, and that the operator says so", async () => {
  const runs = await open();
  const data: Data = { setting: undefined };
  const nodes = [runs.begin(data), runs.begin(data)];
  await runs.pass(10, ...nodes);
  const copy = runs.begin({ ...data });
  // Only the first of them sees it there.
  await runs.pass(1, copy, ...nodes);
  expect([...nodes, copy].map(mayRemove)).toEqual([false, false, false]);
  expect(nodes.map(({ reason }) => reason)).toEqual([nodes[0]?.reason, expect.stringContaining("Another server uses")]);
  copy.close();

  const older: Data = { setting: formatKnownRuns({ ids: ["of before"], isHeld: false, isContested: false }) };
  const restored = [runs.begin(older), runs.begin(older)];
  await runs.pass(10, ...restored);
  expect(restored.map(mayRemove)).toEqual([false, false]);
  await runs.pass(6, runs.begin(older, true), ...restored);
  expect(restored.map(mayRemove)).toEqual([true, true]);
});
