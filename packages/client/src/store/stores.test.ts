import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { nobleCrypto } from "@latchkey/mls/noble";
import { seededRandom } from "@latchkey/testkit";
import "fake-indexeddb/auto";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { storeRules } from "./conformance.testing.ts";
import type { StoreUnderTest } from "./conformance.testing.ts";
import { openEncryptedStore } from "./encrypted-store.ts";
import type { EncryptedStoreParams } from "./encrypted-store.ts";
import type { GenerationWitness } from "./freshness.ts";
import { deleteIndexedDbStore, openIndexedDbStore } from "./indexeddb-store.ts";
import { createMemoryStore } from "./memory-store.testing.ts";
import { openSqliteStore } from "./sqlite-store.ts";
import { orderSegment, parseOrderSegment } from "./store.ts";
import type { Store } from "./store.ts";
import type { ValueCipher } from "./value-cipher.ts";
import { closeDue, openableMs } from "../timeline/once.ts";

const random = seededRandom("stores");
const suite = nobleCrypto.suite(0x0001);
const directories: string[] = [];
const storesToClose: Store[] = [];
let databases = 0;

afterEach(async () => {
  for (const store of storesToClose.splice(0)) await store.close();
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "latchkey-store-"));
  directories.push(directory);
  return directory;
}

/** AES-128-GCM by the library for tests; the platforms bring their own. */
function testCipher(key: Uint8Array = new Uint8Array(16).fill(1)): ValueCipher {
  return {
    async seal(aad, plaintext) {
      const nonce = random(12);
      const sealed = await suite.seal({ key, nonce, aad, plaintext });
      return new Uint8Array([...nonce, ...sealed]);
    },
    open: (aad, sealed) => suite.open({ key, nonce: sealed.subarray(0, 12), aad, ciphertext: sealed.subarray(12) }),
  };
}

function memoryWitness(start?: number): GenerationWitness & { value: number | undefined; writes: number } {
  return {
    value: start,
    writes: 0,
    async read() {
      return this.value;
    },
    async write(generation) {
      this.value = generation;
      this.writes += 1;
    },
  };
}

function encrypted(raw: Store, other: Partial<EncryptedStoreParams> = {}): Promise<Store> {
  return openEncryptedStore({ raw, cipher: testCipher(), witness: memoryWitness(), random, ...other });
}

const engines: Record<string, () => StoreUnderTest> = {
  memory() {
    const records = new Map<string, Uint8Array>();
    return { open: async () => createMemoryStore(records), dispose: async () => undefined };
  },
  SQLite() {
    const path = join(temporaryDirectory(), "store.db");
    return { open: async () => openSqliteStore(path), dispose: async () => undefined };
  },
  IndexedDB() {
    const name = `store-${databases++}`;
    return { open: () => openIndexedDbStore({ name }), dispose: () => deleteIndexedDbStore(name) };
  },
  "encrypted memory"() {
    const records = new Map<string, Uint8Array>();
    const witness = memoryWitness();
    return { open: () => encrypted(createMemoryStore(records), { witness }), dispose: async () => undefined };
  },
  "encrypted SQLite"() {
    const path = join(temporaryDirectory(), "store.db");
    const witness = memoryWitness();
    return { open: () => encrypted(openSqliteStore(path), { witness }), dispose: async () => undefined };
  },
  "encrypted IndexedDB"() {
    const name = `store-${databases++}`;
    return { open: async () => encrypted(await openIndexedDbStore({ name })), dispose: () => deleteIndexedDbStore(name) };
  },
};

describe.each(Object.entries(engines))("the %s store", (_, create) => {
  test.each(storeRules)("$title", async (rule) => {
    await expect(rule.run(create())).resolves.toBeUndefined();
  });
});

describe("order segments", () => {
  test("sort as their numbers and come back", () => {
    const numbers = [0, 1, 15, 16, 4095, 2 ** 31, 2 ** 52, Number.MAX_SAFE_INTEGER];
    const segments = numbers.map((number) => orderSegment(number));
    expect(segments.toSorted()).toEqual(segments);
    expect(segments.map((segment) => parseOrderSegment(segment))).toEqual(numbers);
    for (const number of [-1, 0.5, 2 ** 53, Number.NaN]) expect(() => orderSegment(number)).toThrow(RangeError);
    for (const segment of ["", "#", "00000000000000", "#0000000000000g", "#ffffffffffffff"])
      expect(() => parseOrderSegment(segment)).toThrow(RangeError);
  });
});

describe("the SQLite file", () => {
  test("takes what was committed as written, and is let go of, where its log cannot be emptied, as on a full disk", async () => {
    const path = join(temporaryDirectory(), "store.db");
    const store = openSqliteStore(path);
    const exec = DatabaseSync.prototype.exec;
    const refusing = vi.spyOn(DatabaseSync.prototype, "exec").mockImplementation(function (this: DatabaseSync, sql: string) {
      if (sql.includes("wal_checkpoint")) throw Object.assign(new Error("full"), { code: "ERR_SQLITE_ERROR", errcode: 13 });
      exec.call(this, sql);
    });
    onTestFinished(() => refusing.mockRestore());
    for (let at = 0; at < 300; at++) await store.transact("write", (tx) => tx.put("a", new Uint8Array([at & 0xff])));
    await store.close();
    expect(refusing.mock.calls.filter(([sql]) => sql.includes("wal_checkpoint")).length).toBeGreaterThan(1);
    refusing.mockRestore();
    const again = openSqliteStore(path);
    storesToClose.push(again);
    expect(await again.transact("read", (tx) => tx.get("a"))).toEqual(new Uint8Array([299 & 0xff]));
  });

  test("is open to its owner only", async () => {
    const directory = temporaryDirectory();
    const store = openSqliteStore(join(directory, "store.db"));
    storesToClose.push(store);
    await store.transact("write", (tx) => tx.put("a", new Uint8Array(1)));
    for (const name of readdirSync(directory)) expect(statSync(join(directory, name)).mode & 0o077, name).toBe(0);
  });

  test("a second process is told that the profile is in use, and gets it once the first is gone, killed or not", async () => {
    const path = join(temporaryDirectory(), "store.db");
    const module = new URL("./sqlite-store.ts", import.meta.url).href;
    const script = `const { openSqliteStore } = await import(${JSON.stringify(module)});
      const store = openSqliteStore(${JSON.stringify(path)});
      await store.transact("write", (tx) => tx.put("a", new Uint8Array([5])));
      console.log("open"); setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: ["ignore", "pipe", "inherit"] });
    try {
      await new Promise((resolve) => child.stdout.once("data", resolve));
      expect(() => openSqliteStore(path)).toThrow(expect.objectContaining({ name: "ClientError", code: "storage_in_use" }));
    } finally {
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("exit", resolve));
    }
    const store = openSqliteStore(path);
    storesToClose.push(store);
    expect(await store.transact("read", (tx) => tx.get("a"))).toEqual(new Uint8Array([5]));
  });

  test("a file of a newer version, a foreign database, a broken file and a missing directory are refused in one sentence each", async () => {
    const directory = temporaryDirectory();
    const refused = (name: string): string => {
      try {
        openSqliteStore(join(directory, name));
      } catch (error) {
        if (error instanceof Error && "code" in error) return String(error.code);
        throw error;
      }
      return "opened";
    };
    await openSqliteStore(join(directory, "newer.db")).close();
    const change = (name: string, sql: string): void => {
      const database = new DatabaseSync(join(directory, name));
      database.exec(sql);
      database.close();
    };
    change("newer.db", "PRAGMA user_version = 2");
    change("foreign.db", "CREATE TABLE t (a); PRAGMA application_id = 7");
    execFileSync("sh", ["-c", "yes broken | head -c 8192 > broken.db"], { cwd: directory });
    expect(refused("newer.db")).toBe("storage_newer");
    expect(refused("foreign.db")).toBe("storage_denied");
    expect(refused("broken.db")).toBe("storage_denied");
    expect(refused(join("missing", "store.db"))).toBe("storage_denied");
  });

  test("what was erased is not in the files after closing", async () => {
    const directory = temporaryDirectory();
    const store = openSqliteStore(join(directory, "store.db"));
    const marker = new TextEncoder().encode("erase-me-".repeat(20));
    await store.transact("write", (tx) => tx.put("a", marker));
    await store.transact("write", (tx) => tx.delete("a"));
    await store.close();
    const left = readdirSync(directory).filter((name) => readFileSync(join(directory, name)).includes("erase-me-"));
    expect(left).toEqual([]);
    expect(existsSync(join(directory, "store.db-wal")) && statSync(join(directory, "store.db-wal")).size > 0).toBe(false);
  });
});

describe("the SQLite file, while it is open", () => {
  const opened = () => {
    const directory = temporaryDirectory();
    const store = openSqliteStore(join(directory, "store.db"));
    storesToClose.push(store);
    const files = (): string =>
      readdirSync(directory)
        .map((name) => readFileSync(join(directory, name), "latin1"))
        .join();
    return { store, directory, files };
  };

  test("has nothing of what was replaced after a moment, also where nobody asked for that and nothing more is written", async () => {
    const { store, directory, files } = opened();
    for (const text of ["the first secret", "another"]) await store.transact("write", (tx) => tx.put("a", new TextEncoder().encode(text)));
    expect(files()).toContain("the first secret");
    await expect.poll(files, { timeout: 10_000 }).not.toContain("secret");
    expect(files()).toContain("another");
    // What waits for its time does not open a file that was closed.
    await store.transact("write", (tx) => tx.put("a", new Uint8Array(1)));
    await store.close();
    expect(statSync(join(directory, "store.db")).size).toBeGreaterThan(0);
  });

  test.each(["replaced", "deleted"])("has nothing of what was %s with its traces", async (became) => {
    const { store, files } = opened();
    for (const text of ["the first secret", "the second secret"])
      await store.transact("write", (tx) => tx.put("a/x", new TextEncoder().encode(text)));
    expect(files()).toContain("the first secret");
    await store.transact("write", (tx) => {
      if (became === "replaced") tx.put("a/x", new Uint8Array(20));
      else tx.delete("a/x");
      tx.eraseTraces();
    });
    expect(files()).not.toContain("secret");
    // What fails leaves all as it was.
    await store.transact("write", (tx) => tx.put("a/y", new TextEncoder().encode("a third")));
    const failed = store.transact("write", (tx) => {
      tx.delete("a/y");
      tx.eraseTraces();
      throw new Error("not kept");
    });
    await expect(failed).rejects.toThrow("not kept");
    expect(await store.transact("read", (tx) => tx.get("a/y"))).toEqual(new TextEncoder().encode("a third"));
  });
});

describe("the IndexedDB database", () => {
  test("of two that have it open, however that came, the older context's next write is refused and writes nothing", async () => {
    const name = `store-${databases++}`;
    const older = await openIndexedDbStore({ name });
    await older.transact("write", (tx) => tx.put("a", new Uint8Array([1])));
    const newer = await openIndexedDbStore({ name });
    storesToClose.push(older, newer);
    await expect(older.transact("write", (tx) => tx.put("a", new Uint8Array([2])))).rejects.toMatchObject({ code: "storage_in_use" });
    expect(await newer.transact("read", (tx) => tx.get("a"))).toEqual(new Uint8Array([1]));
  });

  test("a database of a newer version is refused", async () => {
    const name = `store-${databases++}`;
    await new Promise<void>((resolve, reject) => {
      const request = indexedDB.open(name, 99);
      request.addEventListener("success", () => {
        request.result.close();
        resolve();
      });
      request.addEventListener("error", () => reject(request.error ?? new Error("open")));
    });
    await expect(openIndexedDbStore({ name })).rejects.toMatchObject({ code: "storage_newer" });
  });
});

describe("the encrypted store", () => {
  test("leaves neither values, names nor ids on disk, only numbers", async () => {
    const records = new Map<string, Uint8Array>();
    const store = await encrypted(createMemoryStore(records));
    await store.transact("write", (tx) => tx.put(`message/secret-id/${orderSegment(26)}`, new TextEncoder().encode("secret-value")));
    const disk = [...records].map(([key, value]) => `${key} ${new TextDecoder("latin1").decode(value)}`).join("\n");
    expect(disk).not.toContain("secret");
    expect(disk).not.toContain("message");
    expect(disk).toContain("/#0000000000001a");
    await store.close();
  });

  test("one value stored twice has two ciphertexts", async () => {
    const records = new Map<string, Uint8Array>();
    const store = await encrypted(createMemoryStore(records));
    await store.transact("write", (tx) => tx.put("a/x", new Uint8Array(40)));
    const key = [...records.keys()].find((name) => !name.startsWith("!")) ?? "";
    const first = records.get(key);
    await store.transact("write", (tx) => tx.put("a/x", new Uint8Array(40)));
    expect(records.get(key)).not.toEqual(first);
    await store.close();
  });

  test("a record that was changed, or put where another was, is refused", async () => {
    const records = new Map<string, Uint8Array>();
    const store = await encrypted(createMemoryStore(records));
    await store.transact("write", (tx) => {
      tx.put("a/x", new Uint8Array([1]));
      tx.put("a/y", new Uint8Array([2]));
    });
    const [first = "", second = ""] = [...records.keys()].filter((name) => !name.startsWith("!"));
    const kept = records.get(first) ?? new Uint8Array();
    records.set(first, records.get(second) ?? kept);
    await expect(store.transact("read", (tx) => tx.scan({ prefix: "a/" }))).rejects.toMatchObject({ code: "storage_denied" });
    records.set(
      first,
      kept.map((byte, index) => (index === kept.length - 1 ? byte ^ 1 : byte)),
    );
    await expect(store.transact("read", (tx) => tx.scan({ prefix: "a/" }))).rejects.toMatchObject({ code: "storage_denied" });
    await store.close();
  });

  test("does not open with another device's key", async () => {
    const records = new Map<string, Uint8Array>();
    await (await encrypted(createMemoryStore(records))).close();
    const cipher = testCipher(new Uint8Array(16).fill(2));
    await expect(encrypted(createMemoryStore(records), { cipher })).rejects.toMatchObject({ code: "storage_denied" });
  });

  test("an old copy put back is refused, at opening", async () => {
    const records = new Map<string, Uint8Array>();
    const witness = memoryWitness();
    const write = async (count: number): Promise<void> => {
      const store = await encrypted(createMemoryStore(records), { witness });
      for (let number = 0; number < count; number++) await store.transact("write", (tx) => tx.put("a", new Uint8Array([number])));
      await store.close();
    };
    await write(3);
    const copy = new Map(records);
    await write(1);
    await expect(encrypted(createMemoryStore(new Map(copy)), { witness })).rejects.toMatchObject({
      code: "profile_restored",
      canRetry: false,
    });
    await write(1);
    witness.value = undefined;
    await write(1);
    expect(witness.value).toBe(6);
  });

  test("a copy of a run that never closed is refused once the run wrote on", async () => {
    const records = new Map<string, Uint8Array>();
    const witness = memoryWitness();
    const store = await encrypted(createMemoryStore(records), { witness });
    const write = (): Promise<void> => store.transact("write", (tx) => tx.put("a", new Uint8Array(1)));
    await write();
    const copy = new Map(records);
    for (let number = 0; number < 16; number++) await write();
    await expect(encrypted(createMemoryStore(copy), { witness })).rejects.toMatchObject({ code: "profile_restored" });
    expect(witness.writes).toBe(2);
    await store.close();
  });

  test("a crash never makes the newest database look old: the witness is never ahead of it", async () => {
    const records = new Map<string, Uint8Array>();
    const witness = memoryWitness();
    for (let run = 0; run < 5; run++) {
      const store = await encrypted(createMemoryStore(records), { witness });
      const failing = store.transact("write", (tx) => {
        tx.put("b", new Uint8Array(1));
        throw new Error("crash");
      });
      await expect(failing).rejects.toThrow("crash");
      await Promise.all(Array.from({ length: 40 }, () => store.transact("write", (tx) => tx.put("a", new Uint8Array(1)))));
      // Not closed: the process died.
    }
    expect(await (await encrypted(createMemoryStore(records), { witness })).transact("read", (tx) => tx.get("b"))).toBeUndefined();
  });

  test("an empty database beside an old witness is a new profile", async () => {
    const store = await encrypted(createMemoryStore(), { witness: memoryWitness(900) });
    await store.transact("write", (tx) => tx.put("a", new Uint8Array(1)));
    expect(await store.transact("read", (tx) => tx.get("a"))).toEqual(new Uint8Array(1));
    await store.close();
  });

  test("a newer format is refused, an older one brought up to date in one step, once", async () => {
    const records = new Map<string, Uint8Array>();
    const first = await encrypted(createMemoryStore(records), { format: 1, oldest: 1, migrations: [] });
    await first.transact("write", (tx) => tx.put("old/a", new Uint8Array([1])));
    await first.close();
    let failing = true;
    let runs = 0;
    const migrations = [
      {
        to: 3,
        async run(tx: Parameters<Parameters<Store["transact"]>[1]>[0]) {
          if (failing) throw new Error("power cut");
          tx.put("newest/a", (await tx.get("new/a")) ?? new Uint8Array());
        },
      },
      {
        to: 2,
        async run(tx: Parameters<Parameters<Store["transact"]>[1]>[0]) {
          runs += 1;
          tx.put("new/a", (await tx.get("old/a")) ?? new Uint8Array());
          tx.delete("old/a");
        },
      },
    ];
    await expect(encrypted(createMemoryStore(records), { format: 3, oldest: 1, migrations })).rejects.toThrow("power cut");
    failing = false;
    const second = await encrypted(createMemoryStore(records), { format: 3, oldest: 1, migrations });
    expect(await second.transact("read", (tx) => tx.get("newest/a"))).toEqual(new Uint8Array([1]));
    expect(await second.transact("read", (tx) => tx.get("old/a"))).toBeUndefined();
    await second.close();
    await (await encrypted(createMemoryStore(records), { format: 3, oldest: 1, migrations })).close();
    expect(runs).toBe(2);
    await expect(encrypted(createMemoryStore(records), { format: 2, migrations })).rejects.toMatchObject({ code: "storage_newer" });
  });

  test("formats 8 and 9: of messages that wait, none can be taken back or has files", async () => {
    const records = new Map<string, Uint8Array>();
    const before = await encrypted(createMemoryStore(records), { format: 7, oldest: 7, migrations: [] });
    await before.transact("write", (tx) => {
      tx.put("outgoing/a/1", new Uint8Array([1, 2]));
      tx.put("other/a", new Uint8Array([3]));
    });
    await before.close();
    const after = await encrypted(createMemoryStore(records));
    const read = (key: string): Promise<Uint8Array | undefined> => after.transact("read", (tx) => tx.get(key));
    expect(await read("outgoing/a/1")).toEqual(new Uint8Array([1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
    expect(await read("other/a")).toEqual(new Uint8Array([3]));
    await after.close();
  });

  test("format 11: a backup of before is kept here no more, and nothing of its key is left", async () => {
    const records = new Map<string, Uint8Array>();
    const before = await encrypted(createMemoryStore(records), { format: 10, oldest: 7 });
    await before.transact("write", (tx) => {
      for (const name of ["keeping", "on", "seen", "found"]) tx.put(`history-backup/${name}`, new Uint8Array([7]));
      tx.put("other/a", new Uint8Array([3]));
    });
    await before.close();
    const after = await encrypted(createMemoryStore(records));
    expect(await after.transact("read", (tx) => tx.scan({ prefix: "history-backup/" }))).toEqual([]);
    expect(await after.transact("read", (tx) => tx.get("other/a"))).toEqual(new Uint8Array([3]));
    await after.close();
  });

  test("format 10: what was to be seen once by a day begins its time anew, and what is due is erased as before", async () => {
    const records = new Map<string, Uint8Array>();
    const before = await encrypted(createMemoryStore(records), { format: 9, oldest: 7 });
    await before.transact("write", (tx) => {
      tx.put(`once/${orderSegment(5)}/a/${orderSegment(3)}`, new Uint8Array(0));
      tx.put(`once/b/${orderSegment(4)}`, new Uint8Array([0, 0, 0, 0, 0, 0, 0, 9]));
    });
    await before.close();
    const after = await encrypted(createMemoryStore(records));
    const found = async (): Promise<readonly (readonly [string, Uint8Array])[]> =>
      await after.transact("read", (tx) => tx.scan({ prefix: "once/" }));
    expect(new Map(await found())).toEqual(
      new Map([
        [`once/a/${orderSegment(3)}`, new Uint8Array(8)],
        [`once/b/${orderSegment(4)}`, new Uint8Array([0, 0, 0, 0, 0, 0, 0, 9])],
      ]),
    );
    await after.transact("write", (tx) => closeDue(tx, 9 + openableMs));
    expect((await found()).map(([key]) => key)).toEqual([`once/a/${orderSegment(3)}`]);
    await after.close();
  });

  test.each([1, 2, 3, 4])("a profile of a test version, of format %d, is refused in plain words, and stays as it is", async (format) => {
    const records = new Map<string, Uint8Array>();
    await (await encrypted(createMemoryStore(records), { format, oldest: 1 })).close();
    const before = new Map(records);
    const message = "This profile was written by a test version that no version can read any more. Begin a new one.";
    await expect(encrypted(createMemoryStore(records))).rejects.toMatchObject({ code: "storage_older", message });
    expect(records).toEqual(before);
  });
});
