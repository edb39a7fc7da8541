import { concatBytes, decode, encode, equalBytes, uint32, utf8Bytes } from "@latchkey/codec";
import { nobleCrypto } from "@latchkey/mls/noble";
import { nodeCrypto } from "@latchkey/mls/node";
import {
  buckets,
  encodeEnvelope,
  entryHead,
  envelopeBodyCodec,
  hostCodec,
  inboxItemKinds,
  joinEntry,
  sealedItemCodec,
  splitEntry,
  zeroHash,
} from "@latchkey/protocol";
import type { EntryKind, EnvelopeBody, NamedBlob } from "@latchkey/protocol";
import { seededRandom } from "@latchkey/testkit";
import { deviceIdOf, nobleSignatures } from "@latchkey/transparency";
import type { VerifiedAccount } from "@latchkey/transparency";
import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, test } from "vitest";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { decryptBlob, encryptBlob, getBlob, putBlob } from "./blobs.ts";
import { decodeExternalBody, openEnvelope, seal, sealEnvelope } from "./envelope.ts";
import { inboxSuite, maxInboxBodyBytes, isSignedBy, sealInboxItem, unsealInboxItem } from "./inbox-seal.ts";
import { forgetExpiredItems, isItemSeen, rememberItem } from "./inbox-seen.ts";

const random = seededRandom("group");
const key = random(32);
const logId = random(32);
const nowMs = 1_767_225_600_000;

function body(size: number): EnvelopeBody {
  return { seq: size, mlsMessage: random(size), directoryProofs: random(3), settings: random(2), complaint: random(1), leaves: random(4) };
}

function flip(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

describe("envelopes", () => {
  const place = { key, logId, epochId: 7, kind: "message" as EntryKind };

  test("[L-2] an entry comes back, fills a bucket and differs each time", () => {
    for (const size of [0, 1, 300, 440, 441, 900, 5000, 60_000]) {
      const content = body(size);
      const { blob, external } = sealEnvelope({ ...place, body: content, random, sha256 });
      expect(buckets).toContain(blob.length);
      expect(external).toBeUndefined();
      expect(openEnvelope({ ...place, nextAccessHash: zeroHash, blob })).toEqual({
        kind: "inline",
        nextAccessHash: zeroHash,
        body: content,
      });
      expect(equalBytes(sealEnvelope({ ...place, body: content, random, sha256 }).blob, blob)).toBe(false);
    }
  });

  test("[L-2] an entry opens only at its log, epoch and kind, with its key, whole", () => {
    const { blob } = sealEnvelope({ ...place, body: body(10), random, sha256 });
    const open = (other: Partial<typeof place & { blob: Uint8Array }>): string =>
      openEnvelope({ ...place, nextAccessHash: zeroHash, blob, ...other }).kind;
    expect(open({})).toBe("inline");
    expect(open({ key: random(32) })).toBe("unreadable");
    expect(open({ logId: random(32) })).toBe("unreadable");
    expect(open({ epochId: 8 })).toBe("unreadable");
    expect(open({ kind: "complaint" })).toBe("unreadable");
    for (const at of [0, 23, 24, 100, blob.length - 1]) expect(open({ blob: flip(blob, at) })).toBe("unreadable");
    for (const size of [0, 10, 24, 40, blob.length - 1]) expect(open({ blob: blob.subarray(0, size) })).toBe("unreadable");
  });

  test("[L-9] a commit whose clear access hash is another is a lie of the server", () => {
    const nextAccessHash = random(32);
    const commit = { ...place, kind: "commit" as EntryKind };
    const { blob } = sealEnvelope({ ...commit, nextAccessHash, body: body(10), random, sha256 });
    expect(openEnvelope({ ...commit, nextAccessHash, blob })).toMatchObject({ kind: "inline", nextAccessHash });
    expect(openEnvelope({ ...commit, nextAccessHash: random(32), blob })).toEqual({ kind: "access_hash_differs" });
  });

  test("what a member may not seal is malformed, whoever sealed it", () => {
    const sealed = (padded: Uint8Array): Uint8Array => seal(place, { head: entryHead([]), padded, random });
    const inline = { kind: "inline" as const, ...body(4) };
    const good = encodeEnvelope({ format: 3, kind: "message", nextAccessHash: zeroHash, content: inline });
    const open = (plaintext: Uint8Array): unknown => openEnvelope({ ...place, nextAccessHash: zeroHash, blob: sealed(plaintext) });
    const malformed = { kind: "unreadable", reason: "malformed" };
    expect(open(good)).toMatchObject({ kind: "inline" });
    expect(open(flip(good, good.length - 1))).toEqual(malformed);
    expect(open(good.subarray(0, 20))).toEqual(malformed);
    expect(open(encodeEnvelope({ format: 3, kind: "commit", nextAccessHash: random(32), content: inline }))).toEqual(malformed);
    expect(open(encodeEnvelope({ format: 3, kind: "message", nextAccessHash: random(32), content: inline }))).toEqual(malformed);
    expect(open(encodeEnvelope({ format: 3, kind: "complaint", nextAccessHash: zeroHash, content: inline }))).toEqual(malformed);
  });

  test("[C-4] content above 64 KiB goes into a blob that the entry names", () => {
    const content = body(70_000);
    const { blob, external } = sealEnvelope({ ...place, body: content, random, sha256 });
    if (external === undefined) throw new Error("inline");
    expect(blob.length).toBe(512);
    expect(buckets).toContain(external.ciphertext.length);
    const opened = openEnvelope({ ...place, nextAccessHash: zeroHash, blob });
    if (opened.kind !== "external") throw new Error(opened.kind);
    expect(opened.reference).toEqual(external.reference);
    const { blobId, hash, sizeBytes } = external.reference;
    expect(splitEntry(blob)?.blobs).toEqual([{ blobId, hash, sizeBytes }]);
    const plaintext = decryptBlob({ ...external, reference: opened.reference, sha256 });
    if (plaintext === undefined) throw new Error("it opens");
    expect(decodeExternalBody("message", plaintext)).toEqual(content);
    expect(decodeExternalBody("message", random(40))).toBeUndefined();
    expect(decodeExternalBody("message", encode(envelopeBodyCodec, content).subarray(1))).toBeUndefined();
  });

  test("[C-4] content that has no room beside the names of thirty files goes into a blob, too", () => {
    const names = Array.from({ length: 30 }, () => ({ blobId: random(32), hash: random(32), sizeBytes: 512 }));
    for (const size of [63_000, 63_500, 64_500, 65_300, 65_500]) {
      const { blob, external } = sealEnvelope({ ...place, body: body(size), names, random, sha256 });
      expect(buckets).toContain(blob.length);
      expect(splitEntry(blob)?.blobs.length).toBe(external === undefined ? 30 : 31);
    }
  });
});

describe("[L-15] content that is too large for an entry", () => {
  const place = { key, logId, epochId: 7, kind: "commit" as EntryKind };
  const nextAccessHash = random(32);
  const { reference } = encryptBlob({ plaintext: random(70_000), random, sha256 });
  const { blobId, hash, sizeBytes } = reference;
  const openedNaming = (blobs: readonly NamedBlob[]): string => {
    const head = entryHead(blobs);
    const padded = encodeEnvelope({ format: 3, kind: "commit", nextAccessHash, content: { kind: "external", ...reference } }, head);
    const opened = openEnvelope({ ...place, nextAccessHash, blob: seal(place, { head, padded, random }) });
    return opened.kind === "unreadable" ? opened.reason : opened.kind;
  };

  test("is read only where the entry names it in the clear, with its hash", () => {
    const named = { blobId, hash, sizeBytes };
    const other = { blobId: random(32), hash: random(32), sizeBytes };
    expect(openedNaming([named])).toBe("external");
    expect(openedNaming([other, named])).toBe("external");
    for (const blobs of [[], [other], [{ ...other, hash }], [{ ...other, blobId }], [{ ...named, sizeBytes: 512 }]])
      expect(openedNaming(blobs)).toBe("malformed");
  });

  test("what is named is bound to the seal: nobody names something else", () => {
    const { blob } = sealEnvelope({ ...place, nextAccessHash, body: body(70_000), random, sha256 });
    const { sealed } = splitEntry(blob) ?? {};
    if (sealed === undefined) throw new Error("an entry");
    for (const blobs of [[], [{ blobId, hash, sizeBytes }]]) {
      const opened = openEnvelope({ ...place, nextAccessHash, blob: joinEntry(entryHead(blobs), sealed) });
      expect(opened).toEqual({ kind: "unreadable", reason: "undecryptable" });
    }
  });
});

describe("blobs", () => {
  test("[C-4] come back from every bucket, filled", () => {
    const bucketsSeen = new Set<number>();
    for (const size of [0, 488, 489, 4072, 4073, 65_512, 65_513, 131_072, 262_072, 300_000, 1_048_000, 4_193_272, 4_193_273]) {
      const plaintext = random(64);
      const large = new Uint8Array(size);
      large.set(plaintext.subarray(0, Math.min(64, size)));
      const { reference, ciphertext } = encryptBlob({ plaintext: large, random, sha256 });
      expect(ciphertext.length).toBe(reference.sizeBytes);
      expect(buckets.includes(ciphertext.length) || ciphertext.length % 4_194_304 === 0, String(ciphertext.length)).toBe(true);
      expect(equalBytes(decryptBlob({ reference, ciphertext, sha256 }) ?? random(1), large)).toBe(true);
      bucketsSeen.add(ciphertext.length);
    }
    expect([...bucketsSeen]).toEqual([512, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 8_388_608]);
  });

  test("[L-15] chunks that are cut, exchanged, repeated or changed do not open with a matching hash either: their author's doing, not the server's", () => {
    const { reference, ciphertext } = encryptBlob({ plaintext: new Uint8Array(200_000), random, sha256 });
    const chunk = 65_552;
    const pieces = [0, 1, 2, 3].map((index) => ciphertext.subarray(index * chunk, (index + 1) * chunk));
    const [first = pieces[0], second, third, last] = pieces;
    if (first === undefined || second === undefined || third === undefined || last === undefined) throw new Error("four chunks");
    const altered = [
      [second, first, third, last],
      [first, first, third, last],
      [first, second, third],
      [first, second, last],
      [flip(first, 9), second, third, last],
    ];
    for (const parts of altered) {
      const bytes = concatBytes(...parts);
      const forged = { ...reference, hash: sha256(bytes), sizeBytes: bytes.length };
      expect(decryptBlob({ reference: forged, ciphertext: bytes, sha256 })).toBeUndefined();
    }
    expect(() => decryptBlob({ reference, ciphertext: flip(ciphertext, 5), sha256 })).toThrow(
      expect.objectContaining({ code: "server_lied" }),
    );
    expect(decryptBlob({ reference: { ...reference, key: random(32) }, ciphertext, sha256 })).toBeUndefined();
    for (const size of [0, 1, 15, 16, 24, chunk, chunk + 5, chunk + 16]) {
      const bytes = random(size);
      const named = { ...reference, hash: sha256(bytes), sizeBytes: size };
      expect(decryptBlob({ reference: named, ciphertext: bytes, sha256 }), `${size} bytes`).toBeUndefined();
    }
  });

  test("above the largest blob nothing is encrypted", () => {
    expect(() => encryptBlob({ plaintext: new Uint8Array(104_857_600), random, sha256 })).toThrow(
      expect.objectContaining({ code: "message_too_large" }),
    );
  });

  const { reference, ciphertext } = encryptBlob({ plaintext: utf8Bytes("hello"), random, sha256 });
  const host = (respond: (url: string, init: RequestInit) => Response | Error) => ({
    baseUrl: "https://chat.example",
    platform: {
      sha256,
      fetch: (async (input: string | URL | Request, init: RequestInit = {}) => {
        const answer = respond(String(input), init);
        if (answer instanceof Error) throw answer;
        return answer;
      }) as typeof fetch,
      setTimer: () => () => undefined,
    },
  });

  test("are put and got by their id, without anything that names a person", async () => {
    const stored = new Map<string, Uint8Array>();
    const server = host((url, init) => {
      expect(init).toMatchObject({ credentials: "omit", referrerPolicy: "no-referrer", redirect: "error" });
      if (init.method === "PUT" && init.body instanceof Uint8Array) stored.set(url, init.body);
      const found = stored.get(url);
      return found === undefined
        ? new Response(undefined, { status: 404 })
        : new Response(init.method === "GET" ? found.slice() : undefined);
    });
    await expect(getBlob(server, reference)).rejects.toMatchObject({ code: "server_refused" });
    await putBlob(server, reference.blobId, ciphertext);
    expect(await getBlob(server, reference)).toEqual(utf8Bytes("hello"));
    expect([...stored.keys()]).toEqual([expect.stringMatching(/^https:\/\/chat\.example\/v1\/blobs\/[\w-]{43}$/)]);
  });

  test("[E-15] a server that sends too much, too little, something else or nothing; only 404 and 410 say that it is not there", async () => {
    const got = (respond: () => Response | Error): Promise<unknown> => getBlob(host(respond), reference);
    await expect(got(() => new Response(new Uint8Array(ciphertext.length + 1)))).rejects.toMatchObject({ code: "server_lied" });
    await expect(got(() => new Response(ciphertext.slice(1)))).rejects.toMatchObject({ code: "server_lied" });
    await expect(got(() => new Response(flip(ciphertext, 0).slice()))).rejects.toMatchObject({ code: "server_lied" });
    await expect(
      getBlob(
        host(() => new Response(ciphertext.slice())),
        { ...reference, key: random(32) },
      ),
    ).rejects.toMatchObject({
      code: "server_lied",
    });
    await expect(got(() => new TypeError("network"))).rejects.toMatchObject({ code: "offline", canRetry: true });
    await expect(
      getBlob(
        host(() => new Response()),
        { ...reference, sizeBytes: 2 ** 40 },
      ),
    ).rejects.toMatchObject({ code: "server_lied" });
    const put = (status: number, code: string): Promise<void> =>
      putBlob(
        host(() => Response.json({ code }, { status })),
        reference.blobId,
        ciphertext,
      );
    await expect(put(413, "too_large")).rejects.toMatchObject({ code: "message_too_large" });
    await expect(put(429, "rate_limited")).rejects.toMatchObject({ code: "rate_limited" });
    await expect(put(507, "storage_full")).rejects.toMatchObject({ code: "server_full" });
    await expect(put(500, "internal")).rejects.toMatchObject({ code: "server_refused", canRetry: true });
    await expect(put(503, "shutting_down")).rejects.toMatchObject({ code: "offline", canRetry: true });
    const gets = async (status: number): Promise<unknown> => got(() => new Response(undefined, { status }));
    for (const status of [400, 403, 408, 429, 500, 502, 503]) await expect(gets(status)).rejects.toMatchObject({ canRetry: true });
    for (const status of [404, 410]) await expect(gets(status)).rejects.toMatchObject({ code: "server_refused", canRetry: false });
  });

  test("[E-79] what something in between says is not the server's word: it is named, and tried again", async () => {
    const page = (status: number): Response =>
      new Response("<html>nginx</html>".repeat(1000), { status, headers: { "content-type": "text/html" } });
    const put = (status: number): Promise<void> =>
      putBlob(
        host(() => page(status)),
        reference.blobId,
        ciphertext,
      );
    const blocked = { code: "way_blocked", canRetry: true, retryAfterMs: 60_000 };
    await expect(put(413)).rejects.toMatchObject({
      ...blocked,
      message: expect.stringContaining("between here and the server refuses files of this size"),
    });
    for (const status of [400, 401, 403, 404, 405]) await expect(put(status)).rejects.toMatchObject(blocked);
    for (const status of [500, 502, 503, 504, 520])
      await expect(put(status)).rejects.toMatchObject({ code: "server_down", canRetry: true });
    const got = (status: number): Promise<unknown> =>
      getBlob(
        host(() => page(status)),
        reference,
      );
    await expect(got(403)).rejects.toMatchObject(blocked);
    await expect(got(502)).rejects.toMatchObject({ code: "server_down", canRetry: true });
    await expect(got(200)).rejects.toMatchObject({ code: "server_lied" });
  });
});

describe("inbox items", async () => {
  const platform = { crypto: nodeCrypto, signatures: nobleSignatures, random, sha256, nowMs: () => nowMs };
  const suite = nodeCrypto.suite(0x0001);
  const sign = await suite.generateSignatureKeyPair(random);
  const hpke = await nodeCrypto.suite(inboxSuite).deriveKemKeyPair(random(32));
  const senderDevice = deviceIdOf(sign.publicKey);
  const account: VerifiedAccount = {
    accountId: random(32),
    stateHash: random(32),
    state: {
      format: 1,
      accountId: new Uint8Array(32),
      version: 0,
      prevHash: new Uint8Array(32),
      timeMs: nowMs,
      status: "active",
      username: "ann",
      host: "a.example",
      devices: [
        { deviceId: senderDevice, signatureAlgorithm: 0x0807, signatureKey: sign.publicKey, addedMs: nowMs, ext: new Uint8Array() },
      ],
      recoveryKey: random(32),
      signer: { kind: "device", deviceId: senderDevice },
      ext: new Uint8Array(),
    },
  };
  const sender = { host: "a.example", accountId: account.accountId, deviceId: senderDevice, secretKey: sign.secretKey };
  const deviceId = random(16);
  const inboxId = random(32);
  const to = { host: "b.example:8443", deviceId, inboxId, inboxKey: hpke.publicKey };
  const mine = { host: to.host, deviceId, inboxId, publicKey: hpke.publicKey, secretKey: hpke.secretKey };
  const itemId = random(16);
  const seal = (other: object = {}): Promise<Uint8Array> =>
    sealInboxItem({
      platform,
      sender,
      recipient: to,
      kind: inboxItemKinds.welcome,
      body: utf8Bytes("welcome"),
      itemId,
      notAfterMs: nowMs + 1000,
      ...other,
    });
  const open = (blob: Uint8Array, other: object = {}): ReturnType<typeof unsealInboxItem> =>
    unsealInboxItem({ platform, recipient: mine, blob, ...other });

  test("[I-2] an item comes back, fills a bucket, and another engine opens it", async () => {
    for (const size of [0, 2000, 2700, 14_000, 15_000, maxInboxBodyBytes]) {
      const content = random(size);
      const blob = await seal({ body: content });
      expect(buckets).toContain(blob.length);
      expect(await open(blob)).toMatchObject({ body: content, head: { itemId, kind: 1 } });
    }
    expect(await open(await seal(), { platform: { ...platform, crypto: nobleCrypto } })).toBeDefined();
    await expect(seal({ body: new Uint8Array(65_000) })).rejects.toMatchObject({ code: "message_too_large" });
  });

  test("[I-2] an item is bound to its inbox, its host and its bytes", async () => {
    const blob = await seal();
    expect(await open(blob)).toBeDefined();
    expect(await open(blob, { recipient: { ...mine, inboxId: random(32) } })).toBeUndefined();
    expect(await open(blob, { recipient: { ...mine, host: "c.example" } })).toBeUndefined();
    expect(await open(flip(blob, blob.length - 1))).toBeUndefined();
    expect(await open(flip(blob, 20))).toBeUndefined();
    expect(await open(concatBytes(blob, new Uint8Array(1)))).toBeUndefined();
    expect(await open(new Uint8Array(512))).toBeUndefined();
    expect(await open(random(4096))).toBeUndefined();
  });

  test("[I-2] [C-4] an item whose padding is anything but zeros is none, whoever sealed it", async () => {
    const blob = await seal();
    const { kemOutput, ciphertext } = decode(sealedItemCodec, blob);
    const info = utf8Bytes("latchkey/inbox/1");
    const aad = concatBytes(encode(hostCodec, to.host), inboxId, encode(uint32, blob.length));
    const hpkeSuite = nodeCrypto.suite(inboxSuite);
    const padded = await hpkeSuite.hpkeOpen({ ...hpke, kemOutput, info, aad, ciphertext });
    const resealed = async (plaintext: Uint8Array): Promise<Uint8Array> => {
      const sealed = await hpkeSuite.hpkeSeal({ publicKey: hpke.publicKey, info, aad, plaintext, random });
      return encode(sealedItemCodec, { format: 1, ...sealed });
    };
    expect(await open(await resealed(padded))).toBeDefined();
    expect(await open(await resealed(flip(padded, padded.length - 1)))).toBeUndefined();
  });

  test("[I-2] an item for another device, too old or too long-lived is none", async () => {
    expect(await open(await seal({ recipient: { ...to, deviceId: random(16) } }))).toBeUndefined();
    expect(await open(await seal({ notAfterMs: nowMs - 1 }))).toBeUndefined();
    expect(await open(await seal({ notAfterMs: nowMs + 40 * 86_400_000 }))).toBeUndefined();
  });

  test("[I-2] the sender is who signed, or nobody", async () => {
    const isFrom = async (from: typeof account, other: object = {}): Promise<boolean> => {
      const item = await open(await seal(other));
      return item !== undefined && (await isSignedBy(from, item, platform));
    };
    expect(await isFrom(account)).toBe(true);
    expect(await isFrom({ ...account, accountId: random(32) })).toBe(false);
    expect(await isFrom({ ...account, state: { ...account.state, host: "c.example" } })).toBe(false);
    const another = await suite.generateSignatureKeyPair(random);
    expect(await isFrom(account, { sender: { ...sender, secretKey: another.secretKey } })).toBe(false);
    expect(await isFrom(account, { sender: { ...sender, deviceId: random(16) } })).toBe(false);
    const item = await open(await seal());
    if (item === undefined) throw new Error("it was sealed to this inbox");
    expect(await isSignedBy(account, { ...item, body: flip(item.body, 0) }, platform)).toBe(false);
    expect(await isSignedBy(account, { ...item, head: { ...item.head, kind: 4 } }, platform)).toBe(false);
  });

  test("[I-2] ids are remembered until their items are refused for their age", async () => {
    const store = createMemoryStore();
    await store.transact("write", async (tx) => {
      expect(await isItemSeen(tx, itemId)).toBe(false);
      rememberItem(tx, itemId, nowMs);
      expect(await isItemSeen(tx, itemId)).toBe(true);
      await forgetExpiredItems(tx, nowMs + 1000);
      expect(await isItemSeen(tx, itemId)).toBe(true);
      await forgetExpiredItems(tx, nowMs + 86_400_001);
      expect(await isItemSeen(tx, itemId)).toBe(false);
    });
  });
});
