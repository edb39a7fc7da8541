import { createHmac } from "node:crypto";
import { toBase64Url } from "@latchkey/codec";
import { historyChunkBytes } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import type { OwnAccount } from "../account/own-account.ts";
import { createNodePlatform } from "../platform/node.ts";
import { bytes } from "../timeline/saying.testing.ts";
import { chunkCapacity, openChunk, sealChunk } from "./format.ts";
import type { HistoryItem } from "./format.ts";
import { chainOf, chunkKeyOf, manifestKeyOf, openGenerationKey, publicKeyOf, sealGenerationKey } from "./keys.ts";
import { lost } from "./scene.testing.ts";
import type { Device, FakeHost } from "./scene.testing.ts";
import { kept, read, restored } from "./kept.testing.ts";

const node = createNodePlatform();
const { random } = node;

/** All that the device has of its backup. */
async function profileOf(device: Device): Promise<readonly Uint8Array[]> {
  const found = await device.inner.transact("read", (tx) => tx.scan({ prefix: "history-backup/" }));
  return found.map(([, value]) => value.slice());
}

/** How many of these chunks open by any 32 bytes that stand in a profile, or what follows from those. */
function openedBy(profile: readonly Uint8Array[], chunks: ReadonlyMap<string, SentChunk>, own: OwnAccount): number {
  const keys = profile.flatMap((value) => Array.from({ length: Math.max(0, value.length - 31) }, (_, at) => value.subarray(at, at + 32)));
  return [...chunks.values()].filter(({ chunk, generation, number }) =>
    keys.some((key) =>
      [key, chunkKeyOf(key)].some((one) => openChunk(chunk, one, { accountId: own.accountId, generation, number }) !== undefined),
    ),
  ).length;
}

type SentChunk = Extract<FakeHost["requests"][number], { readonly kind: "put_history_chunk" }>;

/** All chunks that a server could have kept, of every writing. */
function keptOf({ requests }: FakeHost): ReadonlyMap<string, SentChunk> {
  const sent = requests.filter((request) => request.kind === "put_history_chunk");
  return new Map(sent.map((request) => [`${toBase64Url(request.generation)}/${String(request.number)}`, request]));
}

describe("[B-2] chunks", () => {
  const place = { accountId: random(32), generation: random(16), number: 7 };
  const key = random(32);

  test("have one of four sizes whatever is in them, open for their place and key alone, and never in part", () => {
    for (const length of [0, 4000, 16_000, 60_000, 240_000]) {
      const items: HistoryItem[] = [{ kind: "person", accountId: random(32), displayName: "Ben", proofs: random(length) }];
      const chunk = sealChunk(items, key, place, random);
      expect(historyChunkBytes).toContain(chunk.length);
      expect(openChunk(chunk, key, place)).toEqual(items);
      for (const other of [
        { ...place, number: 8 },
        { ...place, generation: random(16) },
        { ...place, accountId: random(32) },
      ])
        expect(openChunk(chunk, key, other)).toBeUndefined();
      expect(openChunk(chunk, random(32), place)).toBeUndefined();
      expect(openChunk(chunk.with(50, (chunk[50] ?? 0) ^ 1), key, place)).toBeUndefined();
      expect(openChunk(chunk.slice(0, -1), key, place)).toBeUndefined();
    }
    expect(() =>
      sealChunk([{ kind: "person", accountId: random(32), displayName: "", proofs: random(chunkCapacity) }], key, place, random),
    ).toThrow(RangeError);
  });

  test("their keys follow from one that the account's phrase alone opens, and none of them from what comes after it", async () => {
    const [generationKey, backupKey] = [random(32), random(32)];
    const publicKey = await publicKeyOf(node, backupKey);
    const sealed = await sealGenerationKey(node, generationKey, { ...place, publicKey });
    expect(sealed).toHaveLength(1168);
    expect(await openGenerationKey(node, sealed, { ...place, backupKey })).toEqual(generationKey);
    expect(await openGenerationKey(node, sealed, { ...place, backupKey: random(32) })).toBeUndefined();
    for (const other of [{ generation: random(16) }, { accountId: random(32) }])
      expect(await openGenerationKey(node, sealed, { ...place, backupKey, ...other })).toBeUndefined();
    for (const at of [0, 1119, 1120, 1167]) {
      const changed = sealed.with(at, (sealed[at] ?? 0) ^ 1);
      expect(await openGenerationKey(node, changed, { ...place, backupKey })).toBeUndefined();
    }
    const keys = chainOf(generationKey, 3).flatMap((chainKey) => [chainKey, chunkKeyOf(chainKey), manifestKeyOf(chainKey)]);
    expect(new Set(keys.map((one) => toBase64Url(one))).size).toBe(12);
    // As the spec has it: HKDF-Expand to the length of the hash is one HMAC.
    const expanded = (key: Uint8Array, label: string): string =>
      createHmac("sha256", key).update(`latchkey/history-${label}/1`).update(Uint8Array.of(1)).digest("base64url");
    const second = chainOf(generationKey, 1).at(-1) ?? generationKey;
    expect(toBase64Url(second)).toBe(expanded(generationKey, "next"));
    expect(toBase64Url(chunkKeyOf(second))).toBe(expanded(second, "chunk-key"));
    expect(toBase64Url(manifestKeyOf(second))).toBe(expanded(second, "manifest-key"));
  });
});

describe("[B-2] who takes the profile of the device that writes", () => {
  test("opens nothing of what any server kept, and of what is written later only the rest of that writing", async () => {
    const { host, device, id } = await kept();
    await device.say(id, 32, "said, and deleted");
    await device.backups.write(false);
    await device.backups.write(true);
    await device.change(id, (timeline) => timeline.hide([Buffer.from(bytes(32)).toString("base64url")]));
    await device.backups.write(false);
    const before = keptOf(host);
    expect(before.size).toBe(4);
    const since = (known: ReadonlyMap<string, SentChunk>): ReadonlyMap<string, SentChunk> =>
      new Map([...keptOf(host)].filter(([key]) => !known.has(key)));
    const profile = await profileOf(device);
    // It is small enough for all of it to be tried.
    expect(profile.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(8192);
    expect(openedBy(profile, before, device.own)).toBe(0);
    // A copy that is taken while a chunk waits to be sent does not have its key either.
    await device.say(id, 64, "later");
    host.answered = (request) => {
      if (request.kind === "put_history_chunk") throw lost;
    };
    await expect(device.backups.write(false)).rejects.toMatchObject({ code: "offline" });
    expect(since(before).size).toBe(1);
    expect(openedBy(await profileOf(device), since(before), device.own)).toBe(0);
    host.answered = () => undefined;
    await device.backups.write(false);
    expect(openedBy(profile, since(before), device.own)).toBe(1);
    const rest = keptOf(host);
    await device.backups.write(true);
    expect(since(rest).size).toBe(1);
    expect(openedBy(profile, since(rest), device.own)).toBe(0);
    // The phrase opens what there is.
    expect(await (await read(device)).texts(id)).toEqual(await device.texts(id));
  });

  test("who takes that of a device which reads one has its generation alone, and nothing once it was read or declined", async () => {
    const { host, device, id } = await kept();
    await device.backups.write(true);
    await device.say(id, 32, "second");
    await device.backups.write(false);
    const fresh = await restored(device);
    const opens = async (): Promise<number> => {
      const [found] = (await profileOf(fresh)).filter(({ length }) => length > 1000);
      const keys = Array.from({ length: (found?.length ?? 32) - 31 }, (_, at) => found?.slice(at, at + 32) ?? new Uint8Array(32));
      const all = keys.flatMap((key) => [...chainOf(key, 2)]);
      return openedBy(all, keptOf(host), device.own);
    };
    expect(keptOf(host).size).toBe(3);
    expect(await opens()).toBe(2);
    await fresh.backups.decline();
    expect(await opens()).toBe(0);
  });
});
