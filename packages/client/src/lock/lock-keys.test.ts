import { argon2Sync, createDecipheriv } from "node:crypto";
import { fromHex } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import { openWithPasskey, openWithPassphrase, passphraseCost, wrapForPasskey, wrapForPassphrase } from "./lock-keys.ts";
import { decodeLock, encodeLock, passkeyName } from "./lock-record.ts";
import type { LockRecord } from "./lock-record.ts";
import { waitBeforeTry } from "./tries.ts";

const databaseKey = new Uint8Array(32).fill(7);
const cheap = { salt: new Uint8Array(16).fill(1), memoryKib: 64, passes: 1, lanes: 1 };
const passkeyParams = { id: new Uint8Array([1]), salt: new Uint8Array(32).fill(2), name: "Laptop", addedMs: 5 };
const secret = new Uint8Array(32).fill(3);

describe("the slots of a lock", () => {
  test("[O-8] what is stored beside a sealed key belongs to it: changed, it opens nothing", async () => {
    const slot = await wrapForPassphrase(databaseKey, "correct horse", cheap);
    expect(await openWithPassphrase(slot, "correct horse")).toEqual(databaseKey);
    expect(await openWithPassphrase(slot, "correct hors")).toBeUndefined();
    expect(await openWithPassphrase({ ...slot, passes: 2 }, "correct horse")).toBeUndefined();
    expect(await openWithPassphrase({ ...slot, wrapped: new Uint8Array() }, "correct horse")).toBeUndefined();
    const passkey = await wrapForPasskey(databaseKey, secret, passkeyParams);
    expect(await openWithPasskey(passkey, secret)).toEqual(databaseKey);
    expect(await openWithPasskey({ ...passkey, name: "Another" }, secret)).toBeUndefined();
    expect(await openWithPasskey({ ...passkey, salt: new Uint8Array(32) }, secret)).toBeUndefined();
  });

  test("[O-8] a passphrase costs 64 MiB and three passes; what was stored cannot ask for any amount of work", async () => {
    expect(passphraseCost).toEqual({ memoryKib: 65_536, passes: 3, lanes: 1 });
    const slot = await wrapForPassphrase(databaseKey, "correct horse", cheap);
    const before = process.cpuUsage();
    for (const params of [{ memoryKib: 4_000_000 }, { passes: 255 }, { lanes: 9 }])
      expect(await openWithPassphrase({ ...slot, ...params }, "correct horse")).toBeUndefined();
    // Work, not time: others may be at work too.
    const { user, system } = process.cpuUsage(before);
    expect(user + system).toBeLessThan(2_000_000);
  });

  test("[O-8] a slot of today opens for ever, and by other programs: Argon2id and AES-256-GCM are those of Node", async () => {
    const wrapped = fromHex(frozenPassphrase);
    expect(await openWithPassphrase({ ...cheap, wrapped }, "correct horse")).toEqual(databaseKey);
    expect(await openWithPasskey({ ...passkeyParams, wrapped: fromHex(frozenPasskey) }, secret)).toEqual(databaseKey);
    const cost = { parallelism: 1, tagLength: 32, memory: 64, passes: 1 };
    const key = argon2Sync("argon2id", { message: "correct horse", nonce: cheap.salt, ...cost });
    const decipher = createDecipheriv("aes-256-gcm", key, wrapped.subarray(0, 12));
    decipher.setAAD(Buffer.concat([Buffer.from("latchkey/lock/1 passphrase "), cheap.salt, Buffer.from("000000400101", "hex")]));
    decipher.setAuthTag(wrapped.subarray(44));
    expect(new Uint8Array(Buffer.concat([decipher.update(wrapped.subarray(12, 44)), decipher.final()]))).toEqual(databaseKey);
  });
});

/** Slots of 2026-11-30. */
const frozenPassphrase =
  "de7183e3a8dee3ced8059f5f3be779ba7357c0f7fd9f4b12708fdcaed5d5c251ff4df41550b2ee743b81e3f50cedd807c0a76ae5b2eb2283fe558b81";
const frozenPasskey =
  "c0a40aa5a4a1bfb88ca32100560c757ed8fe295158bff5223df404f2943ab0925c9f076b380811bccf5958ef382baeee6f3878c06121308506235869";

describe("a lock as it is stored", () => {
  const wrapped = new Uint8Array(60).fill(9);
  const record: LockRecord = {
    format: 1,
    passphrase: { ...cheap, wrapped },
    passkeys: [{ ...passkeyParams, wrapped }],
    settings: { afterMs: 300_000, onHide: true, wipeAfter: 10 },
  };

  test("[O-8] is read as it was written, and nothing else is", () => {
    const stored = encodeLock(record);
    expect(decodeLock(stored)).toEqual(record);
    for (let length = 0; length < stored.length; length++) expect(() => decodeLock(stored.subarray(0, length))).toThrow();
    expect(() => decodeLock(new Uint8Array([...stored, 0]))).toThrow();
    const bare: LockRecord = { ...record, passphrase: undefined, settings: { afterMs: undefined, onHide: false, wipeAfter: undefined } };
    expect(decodeLock(encodeLock(bare))).toEqual(bare);
  });

  test("a passkey's name is one line, and short", () => {
    expect(passkeyName("  My\n  laptop ")).toBe("My laptop");
    expect([...passkeyName("🔑".repeat(100))]).toHaveLength(40);
  });
});

test("[O-10] three may be wrong; then each waits twice as long, five minutes at most, also when the clock is set back", () => {
  const waits = [0, 1, 2, 3, 4, 5, 11, 12, 200].map((count) => waitBeforeTry({ count, lastMs: 1000 }, 1000));
  expect(waits).toEqual([0, 0, 0, 1000, 2000, 4000, 256_000, 300_000, 300_000]);
  expect(waitBeforeTry({ count: 4, lastMs: 1000 }, 2500)).toBe(500);
  expect(waitBeforeTry({ count: 4, lastMs: 1000 }, 9000)).toBe(0);
  expect(waitBeforeTry({ count: 4, lastMs: 1_000_000 }, 0)).toBe(2000);
});
