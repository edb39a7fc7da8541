import { CodecError, encode, toBase64Url } from "@latchkey/codec";
import type { BlobReference } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import type { LinkState } from "../api.ts";
import type { ConversationState } from "../core/types.ts";
import { loadLines, putLine } from "../timeline/history.ts";
import { ClientError } from "../errors.ts";
import { decryptBlob, encryptBlob } from "../group/blobs.ts";
import type { Platform } from "../platform/platform.ts";
import { segmentsBefore } from "../search/search-index.ts";
import { ben, bytes, said, startMs } from "../timeline/saying.testing.ts";
import { Timeline } from "../timeline/timeline.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import type { Store } from "../store/store.ts";
import { createFakeServer } from "../transport/fake-server.testing.ts";
import { manifestCodec, readChunk, unjoinedState, writeArchive } from "./archive.ts";
import type { ArchivedConversation } from "./archive.ts";
import { HistoryImport, historyNoticeCodec, putNotice, putProgress } from "./import.ts";

const { platform } = createFakeServer("archive");

function archived(fill: number, over: Partial<ArchivedConversation> = {}): ArchivedConversation {
  return {
    logId: new Uint8Array(32).fill(fill),
    host: "chat.example",
    conversationKind: "group",
    name: `Group ${String(fill)}`,
    peer: undefined,
    suiteId: 0xf001,
    membership: "joined",
    joinedSeq: 0,
    memberCount: 3,
    readThrough: 0,
    unread: 0,
    lastOrder: Number.MAX_SAFE_INTEGER,
    updatedAtMs: fill,
    ...over,
  };
}

const idOf = ({ logId }: ArchivedConversation): string => toBase64Url(logId);

async function fill(store: Store, conversation: ArchivedConversation, count: number, text: (at: number) => string): Promise<void> {
  await store.transact("write", (tx) => {
    for (let at = 1; at <= count; at++) {
      const author = new Uint8Array(32).fill(1);
      putLine(tx, idOf(conversation), {
        id: `e${String(at)}`,
        order: at * 16,
        author,
        sentAtMs: at,
        body: { kind: "text", text: text(at) },
        acceptedAtMs: 0,
      });
    }
  });
}

/** Blobs as the server would have them. */
class Blobs {
  readonly stored = new Map<string, Uint8Array>();
  readonly references: BlobReference[] = [];
  offline = false;

  readonly upload = async (reference: BlobReference, ciphertext: Uint8Array): Promise<void> => {
    this.stored.set(toBase64Url(reference.blobId), ciphertext);
    this.references.push(reference);
  };

  get platform(): Platform {
    // Only `GET` of a blob is asked.
    const get = (async (url: string) => {
      if (this.offline) throw new TypeError("no network");
      const stored = this.stored.get(url.slice(url.lastIndexOf("/") + 1));
      return stored === undefined ? new Response(null, { status: 404 }) : new Response(new Uint8Array(stored));
    }) as typeof fetch;
    return { ...platform, fetch: get };
  }

  put(plaintext: Uint8Array): BlobReference {
    const { reference, ciphertext } = encryptBlob({ plaintext, random: platform.random, sha256: platform.sha256 });
    this.stored.set(toBase64Url(reference.blobId), ciphertext);
    return reference;
  }
}

/** The conversations of a program that ends when one more is put down. */
class EndingMap extends Map<string, ConversationState> {
  override set(): never {
    throw new ClientError("closed", "This client is closed.");
  }
}

interface Reader {
  readonly store: Store;
  readonly states: LinkState[];
  readonly joined: Map<string, ConversationState>;
  readonly read: Map<string, number>;
  readonly importer: HistoryImport;
  /** Resolves when it has nothing to do for now. */
  settled(): Promise<void>;
}

function createReader(blobs: Blobs, store: Store = createMemoryStore(), joined: Map<string, ConversationState> = new Map()): Reader {
  const states: LinkState[] = [];
  const read = new Map<string, number>();
  const importer = new HistoryImport({
    store,
    platform: blobs.platform,
    baseUrl: () => "https://chat.example",
    access: {
      self: new Uint8Array(32).fill(1),
      onSegment: () => undefined,
      joined: (id) => joined.get(id),
      adoptUnjoined: async (state) => void joined.set(state.id, state),
      historyArrived: async (id, readThrough) => void read.set(id, Math.max(read.get(id) ?? 0, readThrough)),
    },
    emit: (state) => states.push(state),
  });
  return {
    store,
    states,
    joined,
    read,
    importer,
    async settled() {
      while (!importer.isIdle) await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

const write = (store: Store, conversations: readonly ArchivedConversation[], blobs: Blobs): ReturnType<typeof writeArchive> =>
  writeArchive({ store, platform, conversations, upload: blobs.upload, onProgress: () => undefined });

async function announce(reader: Reader, blobs: Blobs, manifest: Awaited<ReturnType<typeof writeArchive>>): Promise<void> {
  const reference = blobs.put(encode(manifestCodec, manifest));
  await reader.store.transact("write", (tx) => putNotice(tx, encode(historyNoticeCodec, { format: 1, manifest: reference })));
}

async function textsOf(store: Store, conversation: ArchivedConversation): Promise<string[]> {
  const lines = await store.transact("read", (tx) => loadLines(tx, idOf(conversation), { limit: 100_000 }));
  return lines.flatMap(({ body }) => (body.kind === "text" ? [body.text] : []));
}

describe("[A-8] the history of a new device", () => {
  test("comes in blobs of at most 256 KiB, every line once and in order", async () => {
    const store = createMemoryStore();
    const [small, large] = [archived(1), archived(2)];
    await fill(store, small, 3, (at) => `small ${String(at)}`);
    await fill(store, large, 1200, (at) => `${String(at)} ${"x".repeat(700)}`);
    const blobs = new Blobs();
    const manifest = await write(store, [large, small], blobs);
    expect(manifest.chunks.length).toBeGreaterThan(2);
    for (const { sizeBytes } of manifest.chunks) expect(sizeBytes).toBeLessThanOrEqual(262_144);
    const reader = createReader(blobs);
    await reader.store.transact("write", (tx) =>
      putProgress(tx, { conversations: [small.logId, large.logId], chunks: undefined, nextChunk: 0 }),
    );
    await announce(reader, blobs, manifest);
    reader.importer.wake();
    await reader.settled();
    expect(await textsOf(reader.store, small)).toEqual(["small 1", "small 2", "small 3"]);
    expect(await textsOf(reader.store, large)).toEqual(await textsOf(store, large));
    // The lines are there, the Welcomes are not: it goes on waiting for them.
    expect(reader.states.at(-1)).toEqual({ kind: "moving", done: manifest.chunks.length, total: manifest.chunks.length + 2 });
    for (const conversation of [small, large]) reader.joined.set(idOf(conversation), unjoinedState(conversation));
    reader.importer.wake();
    await reader.settled();
    expect(reader.states.at(-1)).toEqual({ kind: "done" });
  });

  test("[X-22] is found as what was read on the device itself is", async () => {
    const store = createMemoryStore();
    const conversation = archived(1);
    await store.transact("write", async (tx) => {
      const self = new Uint8Array(32).fill(1);
      const timeline = new Timeline({
        tx,
        conversationId: idOf(conversation),
        self,
        nowMs: startMs,
        onSegment: () => undefined,
        onFilesGone: () => undefined,
      });
      for (const order of [16, 32, 48]) await timeline.take(said(order, ben, { kind: "text", text: `said at ${String(order)}` }));
      await timeline.take(said(64, ben, { kind: "edit", replaces: bytes(16), text: "said otherwise" }));
      await timeline.flush();
    });
    const blobs = new Blobs();
    const manifest = await write(store, [conversation], blobs);
    const reader = createReader(blobs);
    await reader.store.transact("write", (tx) => putProgress(tx, { conversations: [conversation.logId], chunks: undefined, nextChunk: 0 }));
    await announce(reader, blobs, manifest);
    reader.importer.wake();
    await reader.settled();
    const indexOf = async (from: Store): Promise<string[]> =>
      (await from.transact("read", (tx) => segmentsBefore(tx, idOf(conversation), { limit: 10 }))).map(({ text }) => text);
    const index = await indexOf(reader.store);
    expect(index).toEqual(await indexOf(store));
    expect(index.join("")).toMatch(/said otherwise\n.*said at 32\n.*said at 48\n$/);
  });

  test("goes on where it was after a loss of the network and a restart, and doubles nothing", async () => {
    const store = createMemoryStore();
    const conversation = archived(1, { readThrough: 320, unread: 2 });
    await fill(store, conversation, 900, (at) => `${String(at)} ${"y".repeat(900)}`);
    const blobs = new Blobs();
    const manifest = await write(store, [conversation], blobs);
    const first = createReader(blobs);
    first.joined.set(idOf(conversation), unjoinedState(conversation));
    // A line that this device has already, as it has it.
    await fill(first.store, conversation, 1, () => "as it is here");
    await first.store.transact("write", (tx) => putProgress(tx, { conversations: [conversation.logId], chunks: undefined, nextChunk: 0 }));
    await announce(first, blobs, manifest);
    first.importer.wake();
    blobs.offline = true;
    await first.settled();
    expect(first.states.at(-1)?.kind).toBe("moving");
    await first.importer.close();
    blobs.offline = false;
    const second = createReader(blobs, first.store, first.joined);
    second.importer.wake();
    await second.settled();
    expect(second.states.at(-1)).toEqual({ kind: "done" });
    expect(second.read.get(idOf(conversation))).toBe(320);
    const texts = await textsOf(first.store, conversation);
    expect(texts).toHaveLength(900);
    expect(texts[0]).toBe("as it is here");
    // Done once and for all.
    second.states.length = 0;
    second.importer.wake();
    await second.settled();
    expect(second.states).toEqual([]);
  });

  test("shows conversations that were left, and none of what the new device reads by itself", async () => {
    const store = createMemoryStore();
    const left = archived(1, { membership: "left" });
    const joined = archived(2, { lastOrder: 5 * 16 });
    await fill(store, left, 2, (at) => `left ${String(at)}`);
    await fill(store, joined, 8, (at) => `joined ${String(at)}`);
    const blobs = new Blobs();
    const manifest = await write(store, [joined, left], blobs);
    expect(manifest.conversations).toEqual([joined.logId]);
    const reader = createReader(blobs);
    reader.joined.set(idOf(joined), unjoinedState(joined));
    await reader.store.transact("write", (tx) => putProgress(tx, { conversations: [joined.logId], chunks: undefined, nextChunk: 0 }));
    await announce(reader, blobs, manifest);
    reader.importer.wake();
    await reader.settled();
    expect(reader.joined.get(idOf(left))).toMatchObject({ phase: { kind: "left" }, name: "Group 1", group: undefined });
    expect(await textsOf(reader.store, left)).toEqual(["left 1", "left 2"]);
    expect(await textsOf(reader.store, joined)).toEqual(["joined 1", "joined 2", "joined 3", "joined 4", "joined 5"]);
  });

  test("has a conversation that was left, also where the program ends while it is put down", async () => {
    const store = createMemoryStore();
    const left = archived(1, { membership: "left" });
    await fill(store, left, 2, (at) => `left ${String(at)}`);
    const blobs = new Blobs();
    const manifest = await write(store, [left], blobs);
    // Ends before it is put down.
    const first = createReader(blobs, createMemoryStore(), new EndingMap());
    await first.store.transact("write", (tx) => putProgress(tx, { conversations: [], chunks: undefined, nextChunk: 0 }));
    await announce(first, blobs, manifest);
    first.importer.wake();
    await first.settled();
    await first.importer.close();
    const second = createReader(blobs, first.store);
    second.importer.wake();
    await second.settled();
    expect(second.states.at(-1)).toEqual({ kind: "done" });
    expect(second.joined.get(idOf(left))).toMatchObject({ phase: { kind: "left" } });
    expect(await textsOf(first.store, left)).toEqual(["left 1", "left 2"]);
  });

  test("that is damaged or gone in a part is taken in without that part", async () => {
    const store = createMemoryStore();
    const conversation = archived(1);
    await fill(store, conversation, 900, (at) => `${String(at)} ${"z".repeat(900)}`);
    const blobs = new Blobs();
    const manifest = await write(store, [conversation], blobs);
    const [first, second, third] = manifest.chunks;
    if (first === undefined || second === undefined || third === undefined) throw new Error("too few chunks");
    blobs.stored.delete(toBase64Url(first.blobId));
    const damaged = blobs.stored.get(toBase64Url(third.blobId)) ?? new Uint8Array(1);
    damaged[100] = (damaged[100] ?? 0) ^ 1;
    const reader = createReader(blobs);
    reader.joined.set(idOf(conversation), unjoinedState(conversation));
    await reader.store.transact("write", (tx) => putProgress(tx, { conversations: [conversation.logId], chunks: undefined, nextChunk: 0 }));
    await announce(reader, blobs, manifest);
    reader.importer.wake();
    await reader.settled();
    expect(reader.states.at(-1)).toEqual({ kind: "done" });
    const texts = await textsOf(reader.store, conversation);
    expect(texts.length).toBeGreaterThan(0);
    expect(texts.length).toBeLessThan(900);
  });

  test("is read strictly: a chunk with anything else is none", async () => {
    const store = createMemoryStore();
    const conversation = archived(1);
    await fill(store, conversation, 3, String);
    const blobs = new Blobs();
    const { chunks } = await write(store, [conversation], blobs);
    const [reference] = chunks;
    if (reference === undefined) throw new Error("no chunk");
    const ciphertext = blobs.stored.get(toBase64Url(reference.blobId)) ?? new Uint8Array(0);
    const plaintext = decryptBlob({ reference, ciphertext, sha256: platform.sha256 });
    if (plaintext === undefined) throw new Error("it opens");
    expect(readChunk(plaintext).map(({ kind }) => kind)).toEqual(["conversation", "lines"]);
    for (let size = 0; size < plaintext.length; size += 7) expect(() => readChunk(plaintext.subarray(0, size))).toThrow(CodecError);
  });
});
