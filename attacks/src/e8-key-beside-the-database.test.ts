// E8 | the key lies beside the database: whoever copies a browser's folder has both | P
// Source: Signal Desktop 2018 and 2024: a key in a file of one's own settings
// Counter-measure: with a lock the key is there only sealed by passphrase and passkeys, and is another than before (O-8)
import { openWebStore } from "@latchkey/client/web";
import { changeLock, turnLockOn, unlock } from "@latchkey/client/lock";
import type { LockSettings } from "@latchkey/client/lock";
import { IDBFactory } from "fake-indexeddb";
import "fake-indexeddb/auto";
import { beforeEach, describe, expect, test } from "vitest";
import { copyDatabases, putDatabases, valuesIn } from "./testing/copied-browser.ts";

const profile = "default";
const passphrase = "seven harbour lanterns sing";
const settings: LockSettings = { afterMs: undefined, onHide: false, wipeAfter: undefined };
const now = () => ({ profile, nowMs: Date.now() });

beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory();
  const store = await openWebStore(profile);
  await store.transact("write", (tx) => {
    for (let number = 0; number < 40; number++)
      tx.put(`conversation/lighthouse/${String(number)}`, new TextEncoder().encode(`marmalade ${String(number)}`));
  });
  await store.close();
});

async function read(key?: CryptoKey): Promise<string | undefined> {
  const store = await openWebStore(profile, undefined, key);
  const value = await store.transact("read", (tx) => tx.get("conversation/lighthouse/7"));
  await store.close();
  return value === undefined ? undefined : new TextDecoder().decode(value);
}

describe("E8", { concurrent: false }, () => {
  test("a copy of all that a locked browser stores has no key in it and no text, and opens nothing without the passphrase", async () => {
    // What this is about: without a lock the copy opens by itself.
    await putDatabases(await copyDatabases());
    expect(await read()).toBe("marmalade 7");
    await turnLockOn(profile, { kind: "passphrase", passphrase }, settings);
    const copies = await copyDatabases();
    const values = valuesIn(copies);
    expect(values.filter((value) => value instanceof CryptoKey)).toEqual([]);
    const bytes = values.flatMap((value) => (value instanceof Uint8Array ? [Buffer.from(value)] : [Buffer.from(String(value))]));
    for (const needle of ["marmalade", "lighthouse", passphrase])
      expect(
        bytes.some((one) => one.includes(needle)),
        needle,
      ).toBe(false);
    await putDatabases(copies);
    await expect(read()).rejects.toMatchObject({ code: "profile_locked" });
    expect(await unlock(now(), { kind: "passphrase", passphrase: "seven harbour lanterns sink" })).toMatchObject({ kind: "wrong" });
    const opened = await unlock(now(), { kind: "passphrase", passphrase });
    if (opened.kind !== "opened") throw new Error("its own passphrase opens it");
    expect(await read(opened.value)).toBe("marmalade 7");
  }, 120_000);

  test("the key of a copy from before the lock does not open what is stored since; nor does one from before it was turned off and on", async () => {
    const keyIn = (values: readonly unknown[]): CryptoKey | undefined => values.find((value) => value instanceof CryptoKey);
    const before = keyIn(valuesIn(await copyDatabases()));
    expect(before).toBeDefined();
    const passkey = { kind: "passkey", id: new Uint8Array(16).fill(1), secret: new Uint8Array(32).fill(2) } as const;
    const made = { ...passkey, salt: new Uint8Array(32).fill(3), name: "Key" };
    await turnLockOn(profile, made, settings);
    await expect(read(before)).rejects.toMatchObject({ code: "storage_denied" });
    expect(await changeLock(now(), passkey, { kind: "off" })).toMatchObject({ kind: "opened" });
    const between = keyIn(valuesIn(await copyDatabases()));
    await turnLockOn(profile, made, settings);
    await expect(read(between)).rejects.toMatchObject({ code: "storage_denied" });
  }, 120_000);
});
