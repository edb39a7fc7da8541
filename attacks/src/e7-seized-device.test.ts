// E7 | a device is seized while it is locked, and whoever has it tries to get in | P
// Source: the San Bernardino case of 2016: ten tries, and an order to have none of them count
// Counter-measure: tries are counted before they are answered, slowed, and erase where the person chose that; nobody else has a key (O-8, O-10)
import { isWebProfileLocked, openWebStore } from "@latchkey/client/web";
import { turnLockOn, unlock, viewLock } from "@latchkey/client/lock";
import type { LockSettings } from "@latchkey/client/lock";
import { IDBFactory } from "fake-indexeddb";
import "fake-indexeddb/auto";
import { beforeEach, describe, expect, test } from "vitest";
import { copyDatabases, valuesIn } from "./testing/copied-browser.ts";

const profile = "default";
const right = { kind: "passphrase", passphrase: "seven harbour lanterns sing" } as const;
const wrong = { kind: "passphrase", passphrase: "a guess that is wrong" } as const;

async function lock(settings: Partial<LockSettings> = {}): Promise<void> {
  const store = await openWebStore(profile);
  await store.transact("write", (tx) => tx.put("note/one", new TextEncoder().encode("marmalade")));
  await store.close();
  await turnLockOn(profile, right, { afterMs: undefined, onHide: false, wipeAfter: undefined, ...settings });
}

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
});

describe("E7", { concurrent: false }, () => {
  test("guesses wait longer and longer, and one that comes too soon is not even tried, right or wrong", async () => {
    await lock();
    let nowMs = 1_000_000;
    const waits: number[] = [];
    for (let count = 0; count < 5; count++) {
      expect(await unlock({ profile, nowMs }, wrong)).toMatchObject({ kind: "wrong" });
      const view = await viewLock({ profile, nowMs });
      waits.push(view?.waitMs ?? 0);
      if ((view?.waitMs ?? 0) > 0) expect(await unlock({ profile, nowMs }, right)).toMatchObject({ kind: "waits" });
      nowMs += view?.waitMs ?? 0;
    }
    expect(waits).toEqual([0, 0, 1000, 2000, 4000]);
    expect(await unlock({ profile, nowMs }, right)).toMatchObject({ kind: "opened" });
  }, 120_000);

  test("after as many as the person chose nothing is left that a key could open, and no service worker has a key meanwhile", async () => {
    await lock({ wipeAfter: 2 });
    expect(await isWebProfileLocked(profile)).toBe(true);
    await expect(openWebStore(profile)).rejects.toMatchObject({ code: "profile_locked" });
    const nowMs = 1_000_000;
    expect(await unlock({ profile, nowMs }, wrong)).toMatchObject({ kind: "wrong", view: { triesLeft: 1 } });
    expect(await unlock({ profile, nowMs }, wrong)).toEqual({ kind: "erased" });
    // Whatever is still there has no key any more, sealed or not.
    const values = valuesIn(await copyDatabases());
    expect(values.filter((value) => value instanceof CryptoKey)).toEqual([]);
    const store = await openWebStore(profile);
    expect(await store.transact("read", (tx) => tx.scan({ prefix: "" }))).toEqual([]);
    await store.close();
  }, 120_000);
});
