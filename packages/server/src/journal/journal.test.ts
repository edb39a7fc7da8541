import { decode, encode, safeUint64, utf8Bytes } from "@latchkey/codec";
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { openStore } from "../store/sqlite/sqlite-store.ts";
import type { DirectoryLogStore } from "../store/directory-store.ts";
import { random, temporaryDirectory } from "../testing/fixtures.ts";
import { inProcessChannel } from "../testing/in-process-channel.ts";
import { newLabel, newPublication, newState } from "../testing/store-inputs.ts";
import { Journal, JournalGone } from "./journal.ts";
import { readJournal } from "./read-journal.ts";
import { journaled } from "./journaled-store.ts";
import { journalRecordCodec } from "./record.ts";

const origin = "latchkey.example/latchkey";

function record(size: number): Uint8Array {
  return encode(journalRecordCodec, { size, entry: random(90), note: "note", changes: [], operator: [], openings: [random(32)] });
}

async function written(folder: string, sizes: readonly number[]): Promise<void> {
  const journal = await Journal.open(folder, origin);
  for (const size of sizes) await journal.append(record(size));
  await journal.close();
}

const sizesIn = async (folder: string, fromSize: number, upTo?: number): Promise<number[]> =>
  (await readJournal({ folder, origin, fromSize, upTo })).records.map(({ size }) => size);
const files = (folder: string): string[] => readdirSync(folder).toSorted();

describe("the journal", () => {
  test("goes on where it ended, in files of the server's user alone; what it has already is passed over", async () => {
    const folder = join(temporaryDirectory(), "journal");
    await written(folder, [1, 2, 3]);
    await written(folder, [2, 3, 4]);
    expect(await sizesIn(folder, 1)).toEqual([1, 2, 3, 4]);
    expect(await sizesIn(folder, 3)).toEqual([3, 4]);
    expect(await sizesIn(folder, 5)).toEqual([]);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const name of files(folder)) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
  });

  test("reads what was written before operators published anything", () => {
    const [size, empty] = [encode(safeUint64, 7), Uint8Array.of(0)];
    // Format 2: size, entry, note, changes, openings.
    const before = Uint8Array.of(0, 2, ...size, ...[empty, empty, empty].flatMap((each) => [...each]), 32, ...new Uint8Array(32));
    expect(decode(journalRecordCodec, before)).toMatchObject({ size: 7, operator: [], openings: [new Uint8Array(32)] });
  });

  test("[D-8] has what the operator published, and brings the same record back with it", async () => {
    const operator = [{ label: newLabel("operator", utf8Bytes("desk")), value: random(70) }];
    const first = await openStore(inProcessChannel({ directory: temporaryDirectory() }, {}));
    await first.publishDirectory(newPublication({ changes: [newState()], operator, isJournaled: true }));
    const [bytes = new Uint8Array()] = await first.unjournaled();
    const { entry, note, changes, openings, operator: kept } = decode(journalRecordCodec, bytes);
    expect(kept).toEqual(operator);
    const again = changes.map((change) => ({ ...newState(), ...change }));
    const second = await openStore(inProcessChannel({ directory: temporaryDirectory() }, {}));
    await second.publishDirectory(newPublication({ changes: again, operator: kept, replay: { entry, note, openings } }));
    const query = { label: newLabel("operator", utf8Bytes("desk")), knownValues: 0, knownSize: 0 };
    expect(await second.lookupOperator(query)).toEqual(await first.lookupOperator(query));
    await Promise.all([first.close(), second.close()]);
  });

  test("with a torn end goes on before it", async () => {
    for (const tear of [
      (path: string) => truncateSync(path, statSync(path).size - 5),
      (path: string) => appendFileSync(path, Buffer.alloc(700)),
    ]) {
      const folder = temporaryDirectory();
      await written(folder, [1, 2, 3]);
      const [name = ""] = files(folder);
      tear(join(folder, name));
      const journal = await Journal.open(folder, origin);
      const after = journal.end?.size ?? 0;
      for (let size = after + 1; size <= 5; size++) await journal.append(record(size));
      await journal.close();
      expect(await sizesIn(folder, 1)).toEqual([1, 2, 3, 4, 5]);
    }
  });

  test("that is damaged, lacks an entry, or is another server's is not read; it says how far it holds", async () => {
    const folder = temporaryDirectory();
    await written(folder, [1, 2, 3]);
    const journal = await Journal.open(folder, origin);
    await journal.prune(3);
    await journal.append(record(4));
    for (const size of [5, 6]) await journal.append(record(size));
    await expect(journal.append(record(8))).rejects.toThrow("no gaps");
    await journal.close();
    expect(files(folder)).toHaveLength(2);
    expect(await sizesIn(folder, 1)).toEqual([1, 2, 3, 4, 5, 6]);
    const [older = "", newer = ""] = files(folder).map((name) => join(folder, name));
    const kept = readFileSync(newer);

    const holding = (upTo: number) => ({
      code: "journal_unusable",
      message: expect.stringContaining(`whole up to entry ${upTo} `) as unknown,
    });
    for (const at of [120, 300]) {
      const bytes = Buffer.from(kept);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      writeFileSync(newer, bytes);
      await expect(Journal.open(folder, origin)).rejects.toMatchObject({ code: "journal_unusable" });
      await expect(sizesIn(folder, 1)).rejects.toMatchObject(holding(at === 120 ? 3 : 4));
      expect(await sizesIn(folder, 1, 3)).toEqual([1, 2, 3]);
    }
    writeFileSync(newer, kept);
    truncateSync(older, statSync(older).size - 5);
    await expect(sizesIn(folder, 1)).rejects.toMatchObject(holding(2));
    rmSync(older);
    await expect(sizesIn(folder, 1)).rejects.toMatchObject({ message: expect.stringContaining("lacks entry 2") as unknown });

    await expect(Journal.open(folder, "other.example/latchkey")).rejects.toMatchObject({ code: "journal_unusable" });
    await expect(readJournal({ folder, origin: "other.example/latchkey", fromSize: 5, upTo: undefined })).rejects.toMatchObject({
      code: "journal_unusable",
    });
    await expect(sizesIn(temporaryDirectory(), 1)).rejects.toMatchObject({ code: "journal_unusable" });
    writeFileSync(newer, "latchkey journal 1\n");
    await expect(Journal.open(folder, origin)).rejects.toMatchObject({
      message: expect.stringContaining("before the first release") as unknown,
    });
  });

  test("is written where it was, or not at all: its folder removed, another in its place, its file changed; and goes on when it is back", async () => {
    for (const take of [
      (folder: string) => rmSync(folder, { recursive: true }),
      (folder: string) => {
        rmSync(folder, { recursive: true });
        mkdirSync(folder);
      },
      (folder: string) => truncateSync(join(folder, files(folder)[0] ?? ""), 100),
      (folder: string) => writeFileSync(join(folder, files(folder)[0] ?? ""), random(5000)),
    ]) {
      const folder = join(temporaryDirectory(), "journal");
      const journal = await Journal.open(folder, origin);
      onTestFinished(() => journal.close());
      for (const size of [1, 2]) await journal.append(record(size));
      const kept = join(temporaryDirectory(), "kept");
      cpSync(folder, kept, { recursive: true });
      take(folder);
      await expect(journal.look()).rejects.toBeInstanceOf(JournalGone);
      for (let attempt = 0; attempt < 2; attempt++) await expect(journal.append(record(3))).rejects.toBeInstanceOf(JournalGone);
      expect(journal.end?.size).toBe(2);
      // Also where the next record begins another file.
      await journal.prune(2);
      await expect(journal.append(record(3))).rejects.toBeInstanceOf(JournalGone);
      rmSync(folder, { recursive: true, force: true });
      cpSync(kept, folder, { recursive: true });
      await journal.append(record(3));
      expect(await sizesIn(folder, 1)).toEqual([1, 2, 3]);
      // Another journal in its place is not this one, whatever it has.
      await journal.close();
      rmSync(folder, { recursive: true });
      await written(folder, [1, 2, 3]);
      await expect(journal.append(record(4))).rejects.toBeInstanceOf(JournalGone);
    }
  });

  test("is cut off before what the oldest backup needs, and goes on", async () => {
    const folder = temporaryDirectory();
    const journal = await Journal.open(folder, origin);
    for (const size of [1, 2]) await journal.append(record(size));
    await journal.prune(1);
    for (const size of [3, 4]) await journal.append(record(size));
    await journal.prune(1);
    expect(await sizesIn(folder, 2)).toEqual([2, 3, 4]);
    await journal.prune(3);
    await journal.append(record(5));
    await journal.close();
    expect(await sizesIn(folder, 4)).toEqual([4, 5]);
    await expect(sizesIn(folder, 1)).rejects.toMatchObject({ code: "journal_unusable" });
  });
});

describe("a store behind a journal", () => {
  async function setUp(folder = temporaryDirectory()) {
    const store = await openStore(inProcessChannel({ directory: temporaryDirectory() }, {}));
    onTestFinished(() => store.close());
    const journal = await Journal.open(folder, origin);
    onTestFinished(() => journal.close());
    const disk = { isFailing: false };
    const told: string[] = [];
    const guarded = journaled(store, {
      journal: {
        id: journal.id,
        get end() {
          return journal.end;
        },
        look: () => journal.look(),
        append: async (bytes) => {
          if (disk.isFailing) throw Object.assign(new Error("EIO"), { code: "EIO" });
          await journal.append(bytes);
        },
      },
      shownSize: 0,
      onChange: (failure) => told.push(failure === undefined ? "works" : "fails"),
    });
    return { store, id: journal.id, guarded, disk, told, folder };
  }

  /** What of the newest entry anybody can see. */
  async function shown(store: DirectoryLogStore, size: number) {
    return {
      served: (await store.servedCheckpoint())?.size,
      entry: (await store.entryTile({ index: 0, width: size })) !== undefined,
      hash: (await store.hashTile({ level: 0, index: 0, width: size })) !== undefined,
      transition: (await store.transition({ index: size - 1 })) !== undefined,
    };
  }

  test("shows nothing that the journal does not have, publishes nothing after it, and goes on when it can be written", async () => {
    const { store, guarded, disk, told, folder, id } = await setUp();
    const name = (username: string) => ({ names: { bind: { username, binding: random(80) }, release: undefined } });
    await guarded.publishDirectory(newPublication({ changes: [newState(name("alice"))], isServed: true }));
    expect(await shown(guarded, 1)).toEqual({ served: 1, entry: true, hash: true, transition: true });
    expect(guarded.failure).toBeUndefined();

    disk.isFailing = true;
    const second = newPublication({ changes: [newState(name("bobby"))], isServed: true });
    await expect(guarded.publishDirectory(second)).rejects.toMatchObject({ code: "unjournaled" });
    await expect(guarded.publishDirectory(newPublication({ changes: [newState(name("carol"))], isServed: true }))).rejects.toMatchObject({
      code: "unjournaled",
    });
    await expect(guarded.newestCheckpoint()).rejects.toMatchObject({ code: "unjournaled" });
    await expect(guarded.serveHead({ size: 2 })).rejects.toMatchObject({ code: "unjournaled" });
    expect(await shown(guarded, 2)).toEqual({ served: 1, entry: false, hash: false, transition: false });
    expect(await store.directoryStatus()).toMatchObject({ size: 2, servedSize: 1 });
    expect([guarded.failure, told]).toEqual(["unwritable", ["fails"]]);

    disk.isFailing = false;
    expect(await guarded.newestCheckpoint()).toMatchObject({ size: 2, isServed: false });
    await guarded.serveHead({ size: 2 });
    expect(await guarded.publishDirectory(second)).toMatchObject({ outcomes: [{ kind: "known" }], head: undefined });
    expect(await shown(guarded, 2)).toEqual({ served: 2, entry: true, hash: true, transition: true });
    expect([guarded.failure, told]).toEqual([undefined, ["fails", "works"]]);
    expect(await sizesIn(folder, 1)).toEqual([1, 2]);
    expect(await store.unjournaled()).toEqual([]);
    expect(await store.journalNote()).toEqual({ journal: id, size: 2 });
  });

  test("notices that its journal is gone though nothing is published, and goes on when it is back", async () => {
    const { guarded, told, folder } = await setUp(join(temporaryDirectory(), "journal"));
    await guarded.publishDirectory(newPublication({ changes: [newState()], isServed: true }));
    await guarded.lookAfterJournal();
    expect(told).toEqual([]);
    renameSync(folder, `${folder}.away`);
    await expect(guarded.lookAfterJournal()).rejects.toMatchObject({ code: "unjournaled" });
    await expect(guarded.newestCheckpoint()).rejects.toMatchObject({ code: "unjournaled" });
    expect([guarded.failure, told]).toEqual(["gone", ["fails"]]);
    renameSync(`${folder}.away`, folder);
    await guarded.lookAfterJournal();
    expect([guarded.failure, told]).toEqual([undefined, ["fails", "works"]]);
  });
});
