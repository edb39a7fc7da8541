// Where blobs lie: what holds for a folder holds for a bucket.
import { toBase64Url, toHex } from "@latchkey/codec";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { describe, expect, onTestFinished, test } from "vitest";
import { defaultLimits } from "../config.ts";
import type { ServerContext } from "../config.ts";
import { dayMs, dayOf } from "../days.ts";
import { Refusal } from "../errors.ts";
import { sha256 } from "../hash.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import type { BlobIndex } from "../store/store.ts";
import { random, temporaryDirectory } from "../testing/fixtures.ts";
import { BlobFiles, uploadsOf } from "./blob-files.ts";
import type { BlobPlace, NamedBytes } from "./blob-place.ts";
import { BlobRoom } from "./blob-room.ts";
import { BlobService } from "./blob-service.ts";
import { startTestBucket } from "./bucket.testing.ts";
import { FolderBlobs } from "./folder-blobs.ts";

interface OpenedPlace {
  readonly place: BlobPlace;
  /** Puts something there that is no blob's. */
  addForeign(): void;
}

const places = [
  {
    kind: "a folder",
    open: (): Promise<OpenedPlace> => {
      const directory = temporaryDirectory();
      const addForeign = (): void => {
        mkdirSync(join(directory, "00"), { recursive: true });
        for (const name of ["notes.txt", toBase64Url(new Uint8Array(31))]) writeFileSync(join(directory, "00", name), "x");
      };
      return Promise.resolve({ place: new FolderBlobs(directory, () => Promise.resolve()), addForeign });
    },
  },
  {
    kind: "a bucket",
    open: async (): Promise<OpenedPlace> => {
      const { place, fake } = await startTestBucket("the test");
      const addForeign = (): void => {
        for (const name of ["notes.txt", `${toBase64Url(new Uint8Array(31))}.${toBase64Url(new Uint8Array(32))}`])
          fake.objects.set(`chat/00/${name}`, new Uint8Array(1));
      };
      return { place, addForeign };
    },
  },
];

function named(bytes: Uint8Array, blobId: Uint8Array = random(32)): NamedBytes {
  return { blobId, sha256: sha256(bytes), sizeBytes: bytes.length };
}

function fileOf(bytes: Uint8Array): string {
  const path = join(temporaryDirectory(), "whole");
  writeFileSync(path, bytes);
  return path;
}

async function bytesOf(stream: Readable | undefined): Promise<Uint8Array | undefined> {
  return stream === undefined ? undefined : new Uint8Array(Buffer.concat((await stream.toArray()) as Uint8Array[]));
}

async function keysIn(place: BlobPlace): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of place.list()) keys.push(key);
  return keys.toSorted();
}

describe.each(places)("$kind of blobs", ({ open }) => {
  test.each([0, 1, 9_999, 10_000, 10_001, 35_000])("gives back %i bytes, and any of them", async (size) => {
    const { place } = await open();
    const bytes = random(size);
    const blob = named(bytes);
    expect([await place.has(blob), await place.read(blob, { first: 0, last: 0 })]).toEqual([false, undefined]);
    await place.keep(blob, fileOf(bytes));
    expect(await place.has(blob)).toBe(true);
    for (const [first, last] of [
      [0, size - 1],
      [0, 0],
      [size - 1, size - 1],
      [Math.floor(size / 3), Math.floor(size / 2)],
    ] as const) {
      if (size > 0) expect(await bytesOf(await place.read(blob, { first, last }))).toEqual(bytes.slice(first, last + 1));
    }
  });

  test("lists what it has and nothing that is somebody else's, and has no more what was removed", async () => {
    const { place, addForeign } = await open();
    addForeign();
    const blobs = Array.from({ length: 7 }, () => random(100)).map((bytes) => ({ ...named(bytes), bytes }));
    for (const blob of blobs) await place.keep(blob, fileOf(blob.bytes));
    expect(await keysIn(place)).toEqual(blobs.map((blob) => place.keyOf(blob)).toSorted());
    for await (const { key, blobId } of place.list()) {
      expect(blobs.some((blob) => place.keyOf(blob) === key && toHex(blob.blobId) === toHex(blobId))).toBe(true);
    }
    const [gone, ...kept] = blobs;
    if (gone === undefined) throw new Error("a blob");
    await place.remove(place.keyOf(gone));
    await place.remove(place.keyOf(gone));
    expect([await place.has(gone), await place.read(gone, { first: 0, last: 9 })]).toEqual([false, undefined]);
    expect(await keysIn(place)).toEqual(kept.map((blob) => place.keyOf(blob)).toSorted());
  });

  test("takes a blob whose name has bytes already that a crash left, and reads the new ones", async () => {
    const { place } = await open();
    const [left, bytes] = [random(200), random(300)];
    const blobId = random(32);
    await place.keep(named(left, blobId), fileOf(left));
    const blob = named(bytes, blobId);
    await place.keep(blob, fileOf(bytes));
    await place.keep(blob, fileOf(bytes));
    expect(await bytesOf(await place.read(blob, { first: 0, last: 299 }))).toEqual(bytes);
  });

  test("a reader who goes away in the middle, or who is there when it is removed, holds up nobody", async () => {
    const { place } = await open();
    const bytes = random(3_000_000);
    const blob = named(bytes);
    await place.keep(blob, fileOf(bytes));
    const [leaving, staying] = [
      await place.read(blob, { first: 0, last: 2_999_999 }),
      await place.read(blob, { first: 0, last: 2_999_999 }),
    ];
    for await (const _ of leaving ?? []) break;
    expect(leaving?.destroyed).toBe(true);
    await place.remove(place.keyOf(blob));
    expect(await bytesOf(staying)).toEqual(bytes);
  });
});

const disk = { look: () => Promise.resolve(), spareBytes: Infinity };

type AddBlob = (index: BlobIndex, params: Parameters<BlobIndex["addBlob"]>[0]) => ReturnType<BlobIndex["addBlob"]>;

/** An index to which blobs are added in another way. */
function addingBy(addBlob: AddBlob): (index: BlobIndex) => BlobIndex {
  return (index) => ({
    findBlob: (params) => index.findBlob(params),
    listBlobs: (params) => index.listBlobs(params),
    expireBlobs: (params) => index.expireBlobs(params),
    leaveBytes: (params) => index.leaveBytes(params),
    takeLeaving: (params) => index.takeLeaving(params),
    dropLeft: (params) => index.dropLeft(params),
    blobTotals: () => index.blobTotals(),
    addBlob: (params) => addBlob(index, params),
  });
}

/** Services as two servers have them: an index, and each its own uploads, over one place. */
async function servicesOver(place: BlobPlace, count = 1, wrap: (index: BlobIndex) => BlobIndex = (index) => index) {
  const store = await openSqliteStore({ directory: temporaryDirectory() });
  onTestFinished(() => store.close());
  const at = { nowMs: Date.now() };
  // Only these are asked for.
  const context = {
    nowMs: () => at.nowMs,
    dayBefore: (days: number) => dayOf(at.nowMs) - days,
    limits: defaultLimits,
    rules: { quota: () => 0 },
  } as unknown as ServerContext;
  const services = Array.from({ length: count }, () => {
    const directory = join(temporaryDirectory(), "blobs");
    mkdirSync(uploadsOf(directory), { recursive: true });
    const index = wrap(store);
    const files = new BlobFiles({ directory, index, dayTime: () => new Date(dayOf(at.nowMs) * dayMs), place });
    return new BlobService({ files, room: new BlobRoom({ index, context, disk }), index, context });
  });
  return { store, services, at };
}

describe.each(places)("blobs in $kind", ({ open }) => {
  test("never change, are whole again with the same bytes once those were lost, and go when their days are over", async () => {
    const { place } = await open();
    const { store, services, at } = await servicesOver(place);
    const [blobs] = services;
    if (blobs === undefined) throw new Error("a service");
    const [blobId, bytes] = [random(32), random(25_000)];
    const blob = named(bytes, blobId);
    const outcomes = [await blobs.put(blobId, [bytes]), await blobs.put(blobId, [bytes]), await blobs.put(blobId, [random(25_000)])];
    expect(outcomes).toEqual(["created", "same", "different"]);
    expect(await keysIn(place)).toEqual([place.keyOf(blob)]);
    await place.remove(place.keyOf(blob));
    expect(await (await blobs.find(blobId))?.isThere()).toBe(false);
    expect([await blobs.put(blobId, [random(25_000)]), await blobs.put(blobId, [bytes])]).toEqual(["different", "same"]);
    expect(await bytesOf(await (await blobs.find(blobId))?.read({ first: 0, last: 24_999 }))).toEqual(bytes);
    at.nowMs += (defaultLimits.unusedBlobDays + 1) * dayMs;
    expect(await blobs.expire()).toBe(1);
    expect([await keysIn(place), await store.blobTotals()]).toEqual([[], { blobs: 0, blobBytes: 0 }]);
  });

  test("of which a crash left the bytes without a row are told to nobody, taken when they come again, and removed otherwise", async () => {
    const { place } = await open();
    let isKilled = true;
    const addBlob: AddBlob = (index, params) => (isKilled ? Promise.reject(new Error("killed")) : index.addBlob(params));
    const { services } = await servicesOver(place, 1, addingBy(addBlob));
    const [blobs] = services;
    if (blobs === undefined) throw new Error("a service");
    const files = Array.from({ length: 3 }, () => ({ blobId: random(32), bytes: random(500) }));
    for (const { blobId, bytes } of files) await expect(blobs.put(blobId, [bytes])).rejects.toThrow("killed");
    isKilled = false;
    expect(await keysIn(place)).toHaveLength(3);
    const [again, other] = files;
    if (again === undefined || other === undefined) throw new Error("files");
    expect(await blobs.find(again.blobId)).toBeUndefined();
    const others = random(700);
    expect([await blobs.put(again.blobId, [again.bytes]), await blobs.put(other.blobId, [others])]).toEqual(["created", "created"]);
    await blobs.removeOrphans();
    expect(await keysIn(place)).toEqual(
      [named(again.bytes, again.blobId), named(others, other.blobId)].map((blob) => place.keyOf(blob)).toSorted(),
    );
    expect(await bytesOf(await (await blobs.find(other.blobId))?.read({ first: 0, last: 699 }))).toEqual(others);
    expect(await blobs.removeOrphans()).toBe(0);
  });
});

test("what one server puts while another looks for what no row knows is not taken for that: it has a row by the time that it would go", async () => {
  const { place, keys } = await startTestBucket("the test");
  const { services } = await servicesOver(place, 2);
  const [sweeper, other] = services;
  if (sweeper === undefined || other === undefined) throw new Error("two services");
  const [put, left] = [random(500), random(600)];
  const [putId, leftId] = [random(32), random(32)];
  // As it is between its object and its row, and what a crash left of another.
  await place.keep(named(put, putId), fileOf(put));
  await place.keep(named(left, leftId), fileOf(left));
  const found = await sweeper.findOrphans();
  expect(found).toHaveLength(2);
  await other.put(putId, [put]);
  expect(await sweeper.removeFound(found)).toBe(1);
  expect(keys()).toEqual([`chat/${place.keyOf(named(put, putId))}`]);
});

test("of two servers that bring other bytes for one blob at once one wins, whole, and nothing of the other stays in the bucket", async () => {
  const { place, keys } = await startTestBucket("the test");
  const { services, store } = await servicesOver(place, 2);
  for (let round = 0; round < 8; round++) {
    const blobId = random(32);
    const contents = [random(15_000), random(15_000)];
    const outcomes = await Promise.all(services.map((blobs, index) => blobs.put(blobId, [contents[index] ?? random(1)])));
    expect(outcomes.toSorted()).toEqual(["created", "different"]);
    const winner = contents[outcomes.indexOf("created")] ?? random(1);
    for (const blobs of services) {
      expect(await bytesOf(await (await blobs.find(blobId))?.read({ first: 0, last: 14_999 }))).toEqual(winner);
    }
  }
  expect(keys()).toHaveLength(8);
  expect(await store.blobTotals()).toEqual({ blobs: 8, blobBytes: 120_000 });
});

describe("[C-4] bytes that one server removes while another is brought the same", () => {
  /** Two servers; what the second does when the bucket is asked to remove something, before it does. */
  async function twoServers(wrap?: (index: BlobIndex) => BlobIndex) {
    const { place, fake } = await startTestBucket("the test");
    const { services, store, at } = await servicesOver(place, 2, wrap);
    const [remover, other] = services;
    if (remover === undefined || other === undefined) throw new Error("two services");
    const meanwhile: { run: (() => Promise<unknown>) | undefined; readonly saw: unknown[] } = { run: undefined, saw: [] };
    fake.respond = ({ method, key }, response) => {
      const { run } = meanwhile;
      if (method !== "DELETE" || run === undefined) return false;
      meanwhile.run = undefined;
      void run()
        .catch((error: unknown) => (error instanceof Refusal ? error.code : error))
        .then((outcome) => {
          meanwhile.saw.push(outcome);
          fake.objects.delete(key);
          response.statusCode = 204;
          response.end();
        });
      return true;
    };
    const read = async (blobId: Uint8Array, size: number) =>
      await bytesOf(await (await other.find(blobId))?.read({ first: 0, last: size - 1 }));
    return { place, remover, other, store, at, meanwhile, read };
  }

  test("of a blob that expired: taken once they are removed, and not before", async () => {
    const { remover, other, at, meanwhile, read } = await twoServers();
    const [blobId, bytes] = [random(32), random(900)];
    expect(await remover.put(blobId, [bytes])).toBe("created");
    at.nowMs += (defaultLimits.unusedBlobDays + 1) * dayMs;
    meanwhile.run = () => other.put(blobId, [bytes]);
    expect([await remover.expire(), meanwhile.saw, await read(blobId, 900)]).toEqual([1, ["unavailable"], undefined]);
    expect([await other.put(blobId, [bytes]), await read(blobId, 900)]).toEqual(["created", bytes]);
    expect([await remover.expire(), await read(blobId, 900)]).toEqual([0, bytes]);
  });

  test("of what no row knows", async () => {
    const { place, remover, other, meanwhile, read } = await twoServers();
    const [blobId, bytes] = [random(32), random(900)];
    await place.keep(named(bytes, blobId), fileOf(bytes));
    meanwhile.run = () => other.put(blobId, [bytes]);
    expect([await remover.removeOrphans(), meanwhile.saw]).toEqual([1, ["unavailable"]]);
    expect([await other.put(blobId, [bytes]), await read(blobId, 900)]).toEqual(["created", bytes]);
  });

  test("and of what no row knows, all of it between the other's bytes and their row", async () => {
    let between: (() => Promise<unknown>) | undefined;
    const addBlob: AddBlob = async (index, params) => {
      const run = between;
      between = undefined;
      await run?.();
      return await index.addBlob(params);
    };
    const { place, remover, other, read } = await twoServers(addingBy(addBlob));
    const [blobId, bytes] = [random(32), random(900)];
    await place.keep(named(bytes, blobId), fileOf(bytes));
    const found = await remover.findOrphans();
    between = () => remover.removeFound(found);
    expect([await other.put(blobId, [bytes]), await read(blobId, 900)]).toEqual(["created", bytes]);
  });

  test("and a process that ends before it removed what expired leaves that to the next", async () => {
    const { place, keys } = await startTestBucket("the test");
    const { services, store, at } = await servicesOver(place, 2);
    const [blobId, bytes] = [random(32), random(900)];
    await services[0]?.put(blobId, [bytes]);
    at.nowMs += (defaultLimits.unusedBlobDays + 1) * dayMs;
    expect(await store.expireBlobs({ day: dayOf(at.nowMs), maxItems: 9 })).toHaveLength(1);
    await expect(services[1]?.put(blobId, [bytes])).rejects.toMatchObject({ code: "unavailable" });
    expect([await services[1]?.expire(), keys()]).toEqual([0, []]);
    expect([await services[1]?.put(blobId, [bytes]), keys().length]).toEqual(["created", 1]);
  });
});

test("[C-4] one that the bucket does not remove holds up none of the others", async () => {
  const { place, fake, keys } = await startTestBucket("the test");
  const { services, at } = await servicesOver(place);
  const [blobs] = services;
  const stuck = random(32);
  for (const blobId of [stuck, ...Array.from({ length: 120 }, () => random(32))]) await blobs?.put(blobId, [random(100)]);
  at.nowMs += (defaultLimits.unusedBlobDays + 1) * dayMs;
  const isStuck = (key: string): boolean => key.includes(toBase64Url(stuck));
  fake.fault = ({ method, key }) => (method === "DELETE" && isStuck(key) ? 403 : undefined);
  await blobs?.expire();
  expect(keys().map(isStuck)).toEqual([true]);
  fake.fault = undefined;
  await blobs?.expire();
  expect(keys()).toEqual([]);
});

test("[C-4] what expired while the bucket did not answer is removed from it once it does", async () => {
  const { place, fake, keys } = await startTestBucket("the test");
  const { services, at, store } = await servicesOver(place);
  const [blobs] = services;
  for (let count = 0; count < 3; count++) await blobs?.put(random(32), [random(100)]);
  at.nowMs += (defaultLimits.unusedBlobDays + 1) * dayMs;
  fake.fault = ({ method }) => (method === "DELETE" ? 503 : undefined);
  expect(await blobs?.expire()).toBe(3);
  expect([keys().length, (await store.blobTotals()).blobs]).toEqual([3, 0]);
  expect(await blobs?.expire()).toBe(0);
  fake.fault = undefined;
  expect(await blobs?.expire()).toBe(0);
  expect(keys()).toEqual([]);
});

test("[C-4] what expires while nothing may be removed is given to nobody any more, however long that lasts and however many there are", async () => {
  const { place, fake, keys } = await startTestBucket("the test");
  const { services, at, store } = await servicesOver(place);
  const [blobs] = services;
  const [first, second] = [random(32), random(32)];
  for (const blobId of [first, second]) await blobs?.put(blobId, [random(100)]);
  const expiresDay = dayOf(at.nowMs);
  for (let count = 0; count < 250; count++) await store.addBlob({ blobId: random(32), sha256: random(32), sizeBytes: 1, expiresDay });
  at.nowMs += (defaultLimits.unusedBlobDays + 1) * dayMs;
  let removals = 0;
  fake.fault = ({ method }) => {
    if (method === "DELETE") removals += 1;
    return method === "DELETE" ? 503 : undefined;
  };
  expect([await blobs?.expire(), await store.findBlob({ blobId: first }), removals > 30]).toEqual([252, undefined, false]);
  const later = random(32);
  await blobs?.put(later, [random(100)]);
  at.nowMs += (defaultLimits.unusedBlobDays + 1) * dayMs;
  expect([await blobs?.expire(), await store.findBlob({ blobId: later }), keys().length]).toEqual([1, undefined, 3]);
  fake.fault = undefined;
  expect([await blobs?.expire(), keys()]).toEqual([0, []]);
});

test("[C-4] who removes what expired while that is under way asks the bucket for nothing twice", async () => {
  const { place, fake, keys } = await startTestBucket("the test");
  const { services, at } = await servicesOver(place);
  const [blobs] = services;
  for (let count = 0; count < 3; count++) await blobs?.put(random(32), [random(100)]);
  at.nowMs += (defaultLimits.unusedBlobDays + 1) * dayMs;
  let removals = 0;
  fake.respond = ({ method }) => {
    if (method === "DELETE") removals += 1;
    return false;
  };
  expect(await Promise.all([blobs?.expire(), blobs?.expire(), blobs?.expire()])).toEqual([3, 3, 3]);
  expect([removals, keys()]).toEqual([3, []]);
});

test("however many are put at once, a few are in memory; of those that wait for a bucket that fails nobody waits twice", async () => {
  const { place, fake, counters } = await startTestBucket("the test");
  let [under, most, seen] = [0, 0, 0];
  fake.respond = ({ method, key, body }, response) => {
    if (method !== "PUT") return false;
    [under, seen] = [under + 1, seen + 1];
    most = Math.max(most, under);
    setTimeout(() => {
      under -= 1;
      fake.objects.set(key, body);
      response.end();
    }, 20);
    return true;
  };
  const putAll = (count: number) =>
    Promise.allSettled(Array.from({ length: count }, () => random(100)).map((bytes) => place.keep(named(bytes), fileOf(bytes))));
  expect((await putAll(40)).filter(({ status }) => status === "fulfilled")).toHaveLength(40);
  expect([most, seen, (await keysIn(place)).length]).toEqual([8, 40, 40]);
  fake.respond = undefined;
  fake.fault = ({ method }) => (method === "PUT" ? "silence" : undefined);
  const sinceMs = performance.now();
  for (const outcome of await putAll(40)) expect(outcome).toMatchObject({ status: "rejected", reason: { code: "unavailable" } });
  expect([counters.bucketFailures, performance.now() - sinceMs < 12_000]).toEqual([8, true]);
  fake.fault = undefined;
  expect((await putAll(20)).filter(({ status }) => status === "fulfilled").length).toBeGreaterThanOrEqual(8);
});

test("parts that a kill left in the bucket go with what it left otherwise; one that lists none keeps nobody from the rest", async () => {
  const { place, fake } = await startTestBucket("the test");
  const left = async (): Promise<void> => {
    fake.fault = ({ method }) => (method === "PUT" || method === "DELETE" ? "hang up" : undefined);
    await expect(place.keep(named(random(25_000)), fileOf(random(25_000)))).rejects.toMatchObject({ code: "unavailable" });
    fake.fault = undefined;
  };
  await left();
  expect([fake.uploads.size, await keysIn(place), fake.uploads.size]).toEqual([1, [], 0]);
  await left();
  const bytes = random(100);
  await place.keep(named(bytes), fileOf(bytes));
  fake.fault = ({ query }) => (query.has("uploads") ? 501 : undefined);
  expect(await keysIn(place)).toHaveLength(1);
});
