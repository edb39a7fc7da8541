import { IDBFactory } from "fake-indexeddb";
import "fake-indexeddb/auto";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { failureOf } from "../errors.ts";
import type { ProfileLock } from "../platform/profile-lock.ts";
import { openSide } from "../platform/web-side.ts";
import type { Side } from "../platform/web-side.ts";
import { eraseWebStore, isWebProfileLocked, openWebStore } from "../platform/web-store.ts";
import type { Store } from "../store/store.ts";
import { changeLock, turnLockOn, unlock, viewLock } from "./web-lock.ts";
import type { LockChange, NewOpener } from "./web-lock.ts";
import type * as LockKeys from "./lock-keys.ts";
import type { LockSettings } from "./lock-record.ts";

// What a passphrase costs is measured elsewhere: here are many of them.
vi.mock("./lock-keys.ts", async (load) => ({
  ...(await load<typeof LockKeys>()),
  passphraseCost: { memoryKib: 64, passes: 1, lanes: 1 },
}));

const profile = "ann";
/** As whoever holds the profile's Web Lock. */
const held: ProfileLock = { release: async () => undefined, onWanted: () => undefined };
const settings: LockSettings = { afterMs: undefined, onHide: false, wipeAfter: undefined };
const params = { profile, nowMs: 1_000_000 };

const bytes = (seed: number): Uint8Array => new Uint8Array(32).fill(seed);
const newPasskey = (seed: number): NewOpener => ({
  kind: "passkey",
  id: bytes(seed),
  salt: bytes(seed + 1),
  secret: bytes(seed + 2),
  name: `Key ${String(seed)}`,
});
const passkey = (seed: number): LockKeys.Opener => ({ kind: "passkey", id: bytes(seed), secret: bytes(seed + 2) });
const passphrase = (text: string): LockKeys.Opener & NewOpener => ({ kind: "passphrase", passphrase: text });

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
});

const noteKey = (number: number): string => `note/${String(number)}`;

async function writeNotes(store: Store, count: number): Promise<void> {
  await store.transact("write", (tx) => {
    for (let number = 0; number < count; number++) tx.put(noteKey(number), new TextEncoder().encode(`text ${String(number)}`));
  });
}

async function notes(store: Store): Promise<string[]> {
  const found = await store.transact("read", (tx) => tx.scan({ prefix: "note/" }));
  return found.map(([, value]) => new TextDecoder().decode(value)).toSorted();
}

/** A profile that has `count` notes and is closed. */
async function makeProfile(count: number): Promise<string[]> {
  const store = await openWebStore(profile, held);
  await writeNotes(store, count);
  const kept = await notes(store);
  await store.close();
  return kept;
}

async function openedBy(opener: LockKeys.Opener, nowMs = params.nowMs): Promise<string[] | string> {
  const tried = await unlock({ profile, nowMs }, opener);
  if (tried.kind !== "opened") return tried.kind;
  const store = await openWebStore(profile, held, tried.value);
  const kept = await notes(store);
  await store.close();
  return kept;
}

async function databases(): Promise<string[]> {
  return (await indexedDB.databases()).flatMap(({ name }) => name ?? []).toSorted();
}

/**
 * Runs `act` as a program that ends before its write number `at`, counted from 0, and makes none from then on. Returns whether it came so far.
 */
async function endedBefore(at: number, act: () => Promise<unknown>): Promise<boolean> {
  let writes = 0;
  const ends = (): boolean => writes++ >= at;
  const { transaction } = IDBDatabase.prototype;
  const { deleteDatabase } = IDBFactory.prototype;
  const spies = [
    vi.spyOn(IDBDatabase.prototype, "transaction").mockImplementation(function run(this: IDBDatabase, ...args) {
      if (args[1] === "readwrite" && ends()) throw new Error("ended");
      return transaction.apply(this, args);
    }),
    vi.spyOn(IDBFactory.prototype, "deleteDatabase").mockImplementation(function run(this: IDBFactory, name) {
      if (ends()) throw new Error("ended");
      return deleteDatabase.call(this, name);
    }),
  ];
  try {
    await act();
    return false;
  } catch (error) {
    if (!(error instanceof Error) || error.message !== "ended") throw error;
    return true;
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

describe("a profile with a lock", () => {
  test("[O-8] of records that are large no more are copied at once than come to a megabyte, and one", async () => {
    const store = await openWebStore(profile, held);
    const large = new Uint8Array(400_000).fill(7);
    for (let number = 0; number < 8; number++) await store.transact("write", (tx) => tx.put(noteKey(number), large));
    await store.close();
    const copied: number[] = [];
    await turnLockOn(profile, passphrase("correct horse"), settings, (records) => copied.push(records));
    expect(copied).toEqual([3, 6, 8]);
  });

  test("[O-8] opens with its passphrase and with each of its passkeys, and with nothing else; its records are the same", async () => {
    const kept = await makeProfile(600);
    expect(await isWebProfileLocked(profile)).toBe(false);
    const copied: number[] = [];
    await turnLockOn(profile, passphrase("correct horse"), settings, (records) => copied.push(records));
    expect(copied).toEqual([250, 500, 600]);
    expect(await isWebProfileLocked(profile)).toBe(true);
    await expect(openWebStore(profile, held)).rejects.toMatchObject({ code: "profile_locked" });
    expect(await openedBy(passphrase("correct house"))).toBe("wrong");
    expect(await openedBy(passkey(10))).toBe("wrong");
    expect(await openedBy(passphrase("correct horse"))).toEqual(kept);
    for (const seed of [10, 20]) {
      const changed = await changeLock(params, passphrase("correct horse"), { kind: "add", opener: newPasskey(seed) });
      expect(changed).toMatchObject({ kind: "opened" });
    }
    expect(await openedBy(passkey(10))).toEqual(kept);
    expect(await openedBy(passkey(20))).toEqual(kept);
    expect(await openedBy({ kind: "passkey", id: bytes(10), secret: bytes(22) })).toBe("wrong");
    const view = await viewLock(params);
    expect(view).toMatchObject({ hasPassphrase: true, passkeys: [{ name: "Key 10" }, { name: "Key 20" }], waitMs: 0 });
  });

  test("[O-8] has another key than before, and nothing of the old one; turned off it opens by itself, turned on again it is another key", async () => {
    const kept = await makeProfile(5);
    await turnLockOn(profile, newPasskey(10), settings);
    expect(await databases()).toEqual(["latchkey-side/ann", "latchkey/ann/b"]);
    expect(await changeLock(params, passkey(10), { kind: "off" })).toEqual({ kind: "opened", value: undefined });
    expect(await viewLock(params)).toBeUndefined();
    const store = await openWebStore(profile, held);
    expect(await notes(store)).toEqual(kept);
    await store.close();
    await turnLockOn(profile, newPasskey(30), settings);
    expect(await databases()).toEqual(["latchkey-side/ann", "latchkey/ann"]);
    expect(await openedBy(passkey(10))).toBe("wrong");
    expect(await openedBy(passkey(30))).toEqual(kept);
  });

  test("[O-8] composed and decomposed letters are one passphrase; one that was replaced opens nothing", async () => {
    const kept = await makeProfile(1);
    await turnLockOn(profile, passphrase("caf\u00e9 au lait"), settings);
    expect(await openedBy(passphrase("cafe\u0301 au lait"))).toEqual(kept);
    const change: LockChange = { kind: "add", opener: passphrase("another one") };
    expect(await changeLock(params, passphrase("café au lait"), change)).toMatchObject({ kind: "opened" });
    expect(await openedBy(passphrase("café au lait"))).toBe("wrong");
    expect(await openedBy(passphrase("another one"))).toEqual(kept);
  });

  test("[O-8] whoever cannot open it changes nothing, and the last thing that opens it stays", async () => {
    const kept = await makeProfile(1);
    await expect(turnLockOn(profile, passphrase("1234567"), settings)).rejects.toThrow("no passphrase");
    await turnLockOn(profile, newPasskey(10), settings);
    const changes: LockChange[] = [
      { kind: "off" },
      { kind: "add", opener: newPasskey(50) },
      { kind: "remove_passkey", id: bytes(10) },
      { kind: "settings", settings: { ...settings, afterMs: 60_000 } },
    ];
    const before = await viewLock(params);
    for (const change of changes) expect(await changeLock(params, passkey(40), change)).toMatchObject({ kind: "wrong" });
    await expect(changeLock(params, passkey(10), { kind: "remove_passkey", id: bytes(10) })).rejects.toThrow("nothing would open it");
    await expect(changeLock(params, passkey(10), { kind: "remove_passphrase" })).resolves.toMatchObject({ kind: "opened" });
    expect(await viewLock(params)).toEqual(before);
    expect(await openedBy(passkey(10))).toEqual(kept);
  });

  test("[O-8] ended before any write of turning it on, it opens as before or as after, with everything, and leaves no second copy", async () => {
    const ways = new Set<string>();
    for (let at = 0; ; at++) {
      globalThis.indexedDB = new IDBFactory();
      const kept = await makeProfile(300);
      const isEnded = await endedBefore(at, () => turnLockOn(profile, newPasskey(10), settings));
      const isLocked = (await viewLock(params)) !== undefined;
      ways.add(isLocked ? "after" : "before");
      if (isLocked) expect(await openedBy(passkey(10)), `write ${String(at)}`).toEqual(kept);
      else {
        const store = await openWebStore(profile, held);
        expect(await notes(store), `write ${String(at)}`).toEqual(kept);
        await store.close();
      }
      expect(await databases(), `write ${String(at)}`).toEqual(["latchkey-side/ann", isLocked ? "latchkey/ann/b" : "latchkey/ann"]);
      if (!isEnded) break;
    }
    expect(ways).toEqual(new Set(["before", "after"]));
  }, 120_000);

  test.each<readonly [string, LockChange, LockKeys.Opener | undefined]>([
    ["another passkey", { kind: "add", opener: newPasskey(20) }, passkey(20)],
    ["turning it off", { kind: "off" }, undefined],
  ])("[O-8] ended before any write of %s, it opens as before or as after", async (_what, change, after) => {
    for (let at = 0; ; at++) {
      globalThis.indexedDB = new IDBFactory();
      const kept = await makeProfile(3);
      await turnLockOn(profile, newPasskey(10), settings);
      const isEnded = await endedBefore(at, () => changeLock(params, passkey(10), change));
      if ((await viewLock(params)) === undefined) {
        const store = await openWebStore(profile, held);
        expect(await notes(store)).toEqual(kept);
        await store.close();
      } else {
        expect(await openedBy(passkey(10))).toEqual(kept);
        if (!isEnded && after !== undefined) expect(await openedBy(after)).toEqual(kept);
      }
      if (!isEnded) break;
    }
  });

  test("[O-8] erased, it is a new profile; also where erasing ended between two writes", async () => {
    for (let at = 0; ; at++) {
      globalThis.indexedDB = new IDBFactory();
      await makeProfile(2);
      await turnLockOn(profile, newPasskey(10), settings);
      const isEnded = await endedBefore(at, () => eraseWebStore(profile));
      if (at === 0) expect(await viewLock(params)).toBeDefined();
      else {
        const store = await openWebStore(profile, held);
        expect(await notes(store)).toEqual([]);
        await store.close();
      }
      if (!isEnded) break;
    }
  });
});

describe("what is stored of a lock", () => {
  test("[O-8] a passkey that is added again opens by what it answers now, and stands there once", async () => {
    const kept = await makeProfile(1);
    await turnLockOn(profile, newPasskey(10), settings);
    const first = newPasskey(10);
    if (first.kind !== "passkey") throw new Error("no passkey");
    const again = { ...first, salt: new Uint8Array(32).fill(77), secret: new Uint8Array(32).fill(78) };
    await changeLock(params, passkey(10), { kind: "add", opener: again });
    expect((await viewLock(params))?.passkeys.map(({ salt }) => salt[0])).toEqual([77]);
    expect(await openedBy({ kind: "passkey", id: again.id, secret: again.secret })).toEqual(kept);
  });

  test("[O-8] [E-270] changed or taken away, it opens nothing and nothing is made in its place; put back, it opens as it did", async () => {
    const kept = await makeProfile(2);
    await turnLockOn(profile, newPasskey(10), settings);
    const stored = await withSide((side) => side.get("lock", "lock"));
    if (stored === undefined) throw new Error("there is no lock");
    for (const at of [0, 1, 40, 60, stored.length - 20]) {
      const changed = stored.with(at, (stored[at] ?? 0) ^ 1);
      await withSide((side) => side.put("lock", changed, "lock"));
      expect(await openedBy(passkey(10)).catch((error: unknown) => failureOf(error).code)).toMatch(/^(?:wrong|storage_denied)$/);
    }
    await withSide((side) => side.clear("lock"));
    await expect(openWebStore(profile, held)).rejects.toMatchObject({ code: "storage_denied" });
    await withSide((side) => side.put("lock", stored, "lock"));
    expect(await openedBy(passkey(10))).toEqual(kept);
  });

  test("[O-10] [E-271] a count of tries from elsewhere is a wait of five minutes at most", async () => {
    await makeProfile(1);
    await turnLockOn(profile, passphrase("correct horse"), settings);
    await withSide(async (side) => {
      await side.put("numbers", 1_000_000, "tries");
      await side.put("numbers", Number.MAX_SAFE_INTEGER, "triedMs");
    });
    expect(await viewLock(params)).toMatchObject({ waitMs: 300_000 });
    await withSide((side) => side.put("numbers", 0, "triedMs"));
    expect(await unlock(params, passphrase("correct horse"))).toMatchObject({ kind: "opened" });
  });
});

/** The database beside the records, as somebody writes there. */
async function withSide<T>(use: (side: Side) => Promise<T>): Promise<T> {
  const side = await openSide(profile);
  try {
    return await use(side);
  } finally {
    side.close();
  }
}

describe("wrong passphrases", () => {
  test("[O-10] are counted before they are answered, wait longer and longer, and a right one ends that", async () => {
    await makeProfile(1);
    await turnLockOn(profile, passphrase("correct horse"), settings);
    for (let count = 0; count < 3; count++) expect(await unlock(params, passphrase("wrong one"))).toMatchObject({ kind: "wrong" });
    expect(await viewLock(params)).toMatchObject({ waitMs: 1000, triesLeft: undefined });
    expect(await unlock(params, passphrase("correct horse"))).toMatchObject({ kind: "waits", view: { waitMs: 1000 } });
    const later = { profile, nowMs: params.nowMs + 1000 };
    // Ended before it was answered, it counts.
    const derive = vi.spyOn(crypto.subtle, "decrypt").mockImplementation(() => Promise.reject(new Error("ended")));
    await unlock(later, passphrase("correct horse"));
    derive.mockRestore();
    expect(await viewLock(later)).toMatchObject({ waitMs: 2000 });
    expect(await unlock({ profile, nowMs: later.nowMs + 2000 }, passphrase("correct horse"))).toMatchObject({ kind: "opened" });
    expect(await viewLock(later)).toMatchObject({ waitMs: 0 });
  }, 60_000);

  test("[O-10] too many of them erase everything where that was chosen; a passkey opens until then", async () => {
    const kept = await makeProfile(1);
    await turnLockOn(profile, passphrase("correct horse"), { ...settings, wipeAfter: 2 });
    await changeLock(params, passphrase("correct horse"), { kind: "add", opener: newPasskey(10) });
    expect(await unlock(params, passphrase("wrong one"))).toMatchObject({ kind: "wrong", view: { triesLeft: 1 } });
    expect(await openedBy(passkey(10))).toEqual(kept);
    expect(await viewLock(params)).toMatchObject({ triesLeft: 2 });
    expect(await unlock(params, passphrase("wrong one"))).toMatchObject({ kind: "wrong", view: { triesLeft: 1 } });
    expect(await unlock(params, passphrase("wrong one"))).toEqual({ kind: "erased" });
    expect(await viewLock(params)).toBeUndefined();
    const store = await openWebStore(profile, held);
    expect(await notes(store)).toEqual([]);
    await store.close();
    expect(await databases()).toEqual(["latchkey-side/ann", "latchkey/ann"]);
  }, 60_000);

  test("[O-10] one that could not be tried, for want of memory or of a part of the app, is none", async () => {
    const kept = await makeProfile(1);
    await turnLockOn(profile, passphrase("correct horse"), { ...settings, wipeAfter: 1 });
    const spy = vi.spyOn(crypto.subtle, "importKey").mockImplementation(() => Promise.reject(new RangeError("no memory")));
    await expect(unlock(params, passphrase("correct horse"))).rejects.toThrow("no memory");
    spy.mockRestore();
    expect(await viewLock(params)).toMatchObject({ waitMs: 0, triesLeft: 1 });
    expect(await openedBy(passphrase("correct horse"))).toEqual(kept);
  }, 60_000);

  test("[O-10] a last try that ended without an answer was the last one", async () => {
    await makeProfile(1);
    await turnLockOn(profile, passphrase("correct horse"), { ...settings, wipeAfter: 1 });
    // The count is written, and then the program ends.
    await expect(endedBefore(1, () => unlock(params, passphrase("correct horse")))).resolves.toBe(true);
    expect(await unlock(params, passphrase("correct horse"))).toEqual({ kind: "erased" });
  }, 60_000);
});
