import { filePieceBytes, sealedBytesOf } from "@latchkey/client/files";
import { sealFile } from "@latchkey/client/testing";
import { seededRandom } from "@latchkey/testkit";
import { describe, expect, test } from "vitest";
import { answerWith } from "./answer.ts";
import type { Asked, OpenedFile } from "./answer.ts";
import { shownAsHeader } from "./messages.ts";
import { piecesOf, storeFor } from "./pieces.ts";
import type { FetchWorld, PieceStore } from "./pieces.ts";

const random = seededRandom("what the media worker answers");
/** Millions of bytes, compared at once. */
const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, at) => byte === b[at]);
const text = (words: string): Uint8Array => new TextEncoder().encode(words);

/** Its length divides that of no piece or chunk: each part of what is made of it is another one. */
const noise = random(65_521);

/** So many bytes of noise, many at once. */
function noisy(sizeBytes: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(sizeBytes);
  for (let at = 0; at < sizeBytes; at += noise.length) bytes.set(noise.subarray(0, sizeBytes - at), at);
  return bytes;
}

/** The header of a PNG of that size, and noise behind it. */
function png(width: number, height: number, sizeBytes = 5000): Uint8Array {
  const bytes = random(sizeBytes);
  bytes.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]);
  const view = new DataView(bytes.buffer);
  view.setUint32(16, width);
  view.setUint32(20, height);
  bytes.set([8, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0x49, 0x44, 0x41, 0x54], 24);
  return bytes;
}

function webm(sizeBytes: number): Uint8Array {
  const bytes = noisy(sizeBytes);
  bytes.set([0x1a, 0x45, 0xdf, 0xa3, 0x8b, 0x42, 0x82, 0x84, ...text("webm"), 0, 0]);
  return bytes;
}

async function* partsOf(content: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield content;
}

/** As much of a file as was asked for. */
function partOf(body: BodyInit, range: string, totalBytes: number): Response {
  return new Response(body, { status: 206, headers: { "content-range": `${range.replace("=", " ")}/${String(totalBytes)}` } });
}

interface Host {
  readonly file: OpenedFile;
  /** Bytes of ciphertext that were fetched. */
  readonly fetched: () => number;
  readonly ranges: string[];
  readonly recent: FetchWorld["recent"];
}

async function served(
  content: Uint8Array,
  over: {
    name?: string;
    host?: (
      bytes: Uint8Array<ArrayBuffer>,
      range: string,
      ciphertext: Uint8Array<ArrayBuffer>,
      signal?: AbortSignal | null,
    ) => Response | undefined;
    store?: PieceStore;
    /** How long what is to take so long takes here. */
    delayMs?: (delayMs: number) => number;
  } = {},
): Promise<Host> {
  const keys = { key: random(32), prefix: random(7), sizeBytes: content.length };
  const sealed: Uint8Array<ArrayBuffer>[] = [];
  for await (const part of sealFile(keys, partsOf(content))) sealed.push(part);
  const ciphertext = await new Blob(sealed).bytes();
  let fetched = 0;
  const ranges: string[] = [];
  const world: FetchWorld = {
    async fetch(url, init = {}) {
      expect(url).toBe("/v1/blobs/abc");
      const range = new Headers(init.headers).get("range") ?? "";
      ranges.push(range);
      const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
      const bytes = new Uint8Array(ciphertext.slice(Number(first), Number(last) + 1));
      fetched += bytes.length;
      return over.host?.(bytes, range, ciphertext, init.signal) ?? partOf(bytes, range, ciphertext.length);
    },
    wait: async () => undefined,
    setTimer(delayMs, run) {
      const timer = setTimeout(run, over.delayMs?.(delayMs) ?? 50);
      return () => clearTimeout(timer);
    },
    recent: new Map(),
  };
  const access = { id: "abc", url: "/v1/blobs/abc", sizeBytes: content.length };
  return {
    file: { keys, name: over.name ?? "a.bin", pieces: piecesOf(access, over.store, world) },
    fetched: () => fetched,
    ranges,
    recent: world.recent,
  };
}

const asked: Asked = { range: null, destination: "", isSaved: false };

describe("what the worker answers", () => {
  test("the whole file, and each part of it, as it was encrypted", async () => {
    const content = webm(3_000_000);
    const { file } = await served(content);
    const whole = await answerWith(file, asked);
    expect([whole.status, whole.headers.get("content-length"), whole.headers.get("accept-ranges")]).toEqual([200, "3000000", "bytes"]);
    expect(isSame(await whole.bytes(), content)).toBe(true);
    const part = await answerWith(file, { ...asked, range: "bytes=1048000-2100000" });
    expect([part.status, part.headers.get("content-range")]).toEqual([206, "bytes 1048000-2100000/3000000"]);
    expect(isSame(await part.bytes(), content.subarray(1_048_000, 2_100_001))).toBe(true);
    const behind = await answerWith(file, { ...asked, range: "bytes=3000000-" });
    expect([behind.status, behind.headers.get("content-range")]).toEqual([416, "bytes */3000000"]);
  });

  test("a video begins after a piece and is sought after two more, and nothing is read that nobody takes", async () => {
    const content = webm(24 * filePieceBytes);
    const { file, fetched } = await served(content);
    const begun = await answerWith(file, { ...asked, range: "bytes=0-", destination: "video" });
    const reader = begun.body?.getReader();
    await reader?.read();
    expect(fetched()).toBe(filePieceBytes);
    await reader?.cancel();
    const at = Math.floor(content.length * 0.8);
    const sought = await answerWith(file, { ...asked, range: `bytes=${at}-`, destination: "video" });
    const { value } = (await sought.body?.getReader().read()) ?? {};
    expect(isSame(value ?? new Uint8Array(), content.subarray(at, at + (value?.length ?? 0)))).toBe(true);
    expect(fetched()).toBeLessThanOrEqual(3 * filePieceBytes);
    // An answer that has an end survives a worker that the browser ends.
    expect(sought.headers.get("content-range")).toBe(`bytes ${at}-${at + filePieceBytes - 1}/${content.length}`);
  });

  describe("before a piece is here as a whole", () => {
    /** A host that brings a chunk and a little more of each piece, and the rest when it is let. */
    async function slow(
      over: { store?: PieceStore; isLying?: boolean } = {},
    ): Promise<Host & { content: Uint8Array; go(): void; ended: string[] }> {
      const content = webm(3_000_000);
      const { promise: released, resolve: go } = Promise.withResolvers<void>();
      const ended: string[] = [];
      const host = await served(content, {
        ...over,
        delayMs: (delayMs) => delayMs,
        host(bytes, range, { length }, signal) {
          if (over.isLying === true) bytes.fill(7, 65_000);
          const body = new ReadableStream({
            async start(controller) {
              signal?.addEventListener("abort", () => {
                ended.push(range);
                controller.error(signal.reason);
              });
              controller.enqueue(bytes.slice(0, 70_000));
              await released;
              if (signal?.aborted === true) return;
              controller.enqueue(bytes.slice(70_000));
              controller.close();
            },
          });
          return partOf(body, range, length);
        },
      });
      return { ...host, content, go, ended };
    }
    const video: Asked = { ...asked, range: "bytes=0-", destination: "video" };

    test("what has come of it is played", async () => {
      const { file, content, go, ranges } = await slow();
      const reader = (await answerWith(file, video)).body?.getReader();
      expect(isSame((await reader?.read())?.value ?? new Uint8Array(), content.subarray(0, 65_536))).toBe(true);
      const next = reader?.read();
      go();
      expect(isSame((await next)?.value ?? new Uint8Array(), content.subarray(65_536, 131_072))).toBe(true);
      expect(ranges).toEqual(["bytes=0-1048575"]);
    });

    test("nobody waits for it any more, and it is fetched no further; whoever else reads it gets all of it", async () => {
      const { file, content, go, ended, ranges } = await slow();
      const [first, second] = [await answerWith(file, video), await answerWith(file, video)];
      const [left, right] = [first.body?.getReader(), second.body?.getReader()];
      await left?.read();
      const waits = left?.read();
      await left?.cancel();
      expect((await waits)?.done).toBe(true);
      await right?.read();
      const sought = (await answerWith(file, { ...video, range: "bytes=1100000-" })).body?.getReader();
      const never = sought?.read();
      await sought?.cancel();
      await expect.poll(() => ended, { timeout: 10_000 }).toEqual(["bytes=1048576-2097151"]);
      expect((await never)?.done).toBe(true);
      go();
      expect(isSame((await right?.read())?.value ?? new Uint8Array(), content.subarray(65_536, 131_072))).toBe(true);
      // What was let go of is fetched when it is wanted again.
      expect(isSame(await (await answerWith(file, asked)).bytes(), content)).toBe(true);
      expect(ranges.filter((range) => range === "bytes=0-1048575").length).toBe(1);
      expect(ranges.filter((range) => range === "bytes=1048576-2097151").length).toBe(2);
    });

    test("[E-134] what is found damaged then is not kept once it is here", async () => {
      const done: string[] = [];
      const store: PieceStore = {
        get: async () => undefined,
        put: async () => void done.push("put"),
        drop: async () => void done.push("drop"),
      };
      const { file, go, ranges, recent } = await slow({ store, isLying: true });
      expect((await answerWith(file, video)).status).toBe(422);
      expect(recent.size).toBe(0);
      go();
      // Now they come at once, are kept, and dropped; those before, which were dropped before they came, are not kept after that.
      expect((await answerWith(file, video)).status).toBe(422);
      expect(ranges.length).toBe(4);
      expect(done).toEqual(["drop", "drop", "put", "drop", "put", "drop"]);
    });
  });

  test("no bytes are an answer too", async () => {
    const { file } = await served(new Uint8Array(0));
    const whole = await answerWith(file, asked);
    expect([whole.status, (await whole.bytes()).length, whole.headers.get("content-type")]).toEqual([200, 0, "application/octet-stream"]);
  });

  test.each([
    ["a picture", png(100, 100), "image", 200, "image/png", "picture"],
    ["a video", webm(5000), "video", 200, "video/webm", "video"],
    ["the sound of a video", webm(5000), "audio", 200, "video/webm", "video"],
    [
      "SVG that is called a picture",
      text("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
      "image",
      415,
      "application/octet-stream",
      "none",
    ],
    ["HTML that is called a picture", text("<!doctype html><script>alert(1)</script>"), "image", 415, "application/octet-stream", "none"],
    ["a picture of 30,000 x 30,000 pixels", png(30_000, 30_000), "image", 415, "application/octet-stream", "large"],
    ["a video where a picture is shown", webm(5000), "image", 415, "video/webm", "video"],
    ["a picture where a video is played", png(10, 10), "video", 415, "image/png", "picture"],
    ["a page that is opened", text("<!doctype html><script>alert(1)</script>"), "document", 200, "application/octet-stream", "none"],
    ["a picture that is opened as a page", png(10, 10), "document", 200, "image/png", "picture"],
    ["a script", text("alert(1)"), "script", 200, "application/octet-stream", "none"],
  ])("%s: by its bytes alone", async (_, content, destination, status, type, shownAs) => {
    const { file } = await served(content, { name: "photo.png" });
    const response = await answerWith(file, { ...asked, destination });
    expect([response.status, response.headers.get("content-type"), response.headers.get(shownAsHeader)]).toEqual([status, type, shownAs]);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("content-security-policy")).toBe("default-src 'none'; sandbox");
    expect(response.headers.get("cache-control")).toBe("no-store");
    if (status === 200 && destination !== "image" && destination !== "video" && destination !== "audio")
      expect(response.headers.get("content-disposition")).toMatch(/^attachment;/);
    if (status === 415) expect((await response.bytes()).length).toBe(0);
  });

  test("a picture that says late how large it is is shown, and no more is fetched for that than its first piece", async () => {
    /** Blocks of an application, as programs write them, and then the size of a JPEG. */
    const jpeg = (blocks: number): Uint8Array => {
      const bytes = noisy(3_000_000);
      bytes.set([0xff, 0xd8]);
      for (let at = 0; at < blocks; at++) bytes.set([0xff, 0xed, 0xff, 0xff], 2 + at * 65_537);
      bytes.set([0xff, 0xc0, 0, 11, 8, 0, 100, 0, 200, 1, 1, 0x11, 0], 2 + blocks * 65_537);
      return bytes;
    };
    for (const [blocks, status] of [
      [0, 200],
      [3, 200],
      [14, 200],
      [15, 415],
    ] as const) {
      const { file, ranges } = await served(jpeg(blocks));
      const response = await answerWith(file, { ...asked, destination: "image" });
      expect([response.status, response.headers.get(shownAsHeader)]).toEqual([status, status === 200 ? "picture" : "none"]);
      expect(ranges).toEqual(["bytes=0-1048575"]);
      await response.body?.cancel();
    }
  });

  test("what is saved has its name, and no more than that", async () => {
    const { file } = await served(text("x"), { name: 'Ümläut "quoted"\r\nset-cookie: a=b; *.txt' });
    const response = await answerWith(file, { ...asked, isSaved: true });
    const disposition = response.headers.get("content-disposition") ?? "";
    expect(disposition).toMatch(/^attachment; filename="[\w .()-]+"; filename\*=UTF-8''[\w.%!~-]+$/);
    expect(decodeURIComponent(disposition.split("UTF-8''")[1] ?? "")).toBe('Ümläut "quoted"\r\nset-cookie: a=b; *.txt');
    expect(response.headers.get("set-cookie")).toBeNull();
  });

  test("what is broken underway ends there, and nothing of the broken part is given", async () => {
    const content = webm(3_000_000);
    const { file } = await served(content, {
      host: (bytes, range, { length }) => (range.startsWith("bytes=0-") ? undefined : partOf(bytes.fill(7), range, length)),
    });
    const response = await answerWith(file, asked);
    const reader = response.body?.getReader();
    let readBytes = 0;
    await expect(
      (async () => {
        for (let read = await reader?.read(); read?.done === false; read = await reader?.read()) readBytes += read.value.length;
      })(),
    ).rejects.toThrow("a chunk does not open");
    expect(readBytes).toBeLessThanOrEqual(filePieceBytes);
    const broken = await served(content, { host: (bytes, range, { length }) => partOf(bytes.fill(7), range, length) });
    expect((await answerWith(broken.file, asked)).status).toBe(422);
  });
});

describe("where the pieces come from", () => {
  test("[E-134] what is damaged is not kept: the next time it is fetched anew, and what was damaged on this device at once", async () => {
    const kept = new Map<string, Uint8Array>();
    const store: PieceStore = {
      get: async (id, index) => kept.get(`${id} ${index}`),
      put: async (id, index, piece) => void kept.set(`${id} ${index}`, piece),
      drop: async (id, index) => void kept.delete(`${id} ${index}`),
    };
    const content = webm(3_000_000);
    let isLying = true;
    const lie = (bytes: Uint8Array<ArrayBuffer>, range: string, { length }: Uint8Array): Response | undefined =>
      isLying ? partOf(bytes.fill(7), range, length) : undefined;
    const { file, ranges, recent } = await served(content, { store, host: lie });
    expect((await answerWith(file, asked)).status).toBe(422);
    expect([ranges.length, kept.size]).toEqual([2, 0]);
    isLying = false;
    expect(isSame(await (await answerWith(file, asked)).bytes(), content)).toBe(true);
    for (const index of [0, 1, 2]) {
      kept.set(`abc ${String(index)}`, new Uint8Array(kept.get(`abc ${String(index)}`)?.length ?? 0));
      recent.clear();
      file.look = undefined;
      expect(isSame(await (await answerWith(file, asked)).bytes(), content)).toBe(true);
    }
    // With the piece before it, in which its first chunk begins.
    expect(ranges.length).toBe(2 + 3 + 1 + 2 + 2);
  });

  test("[E-3] a host that begins an answer and brings no more is asked again, and others are not kept waiting for it", async () => {
    const content = random(100_000);
    let left = 1;
    const stalled = (bytes: Uint8Array<ArrayBuffer>, range: string, { length }: Uint8Array): Response | undefined =>
      left-- > 0 ? partOf(new ReadableStream({ start: (controller) => controller.enqueue(bytes.slice(0, 50)) }), range, length) : undefined;
    const { file, ranges } = await served(content, { host: stalled });
    expect(isSame(await (await answerWith(file, asked)).bytes(), content)).toBe(true);
    expect(ranges.length).toBe(2);
    left = 100;
    const never = await served(content, { host: stalled });
    expect((await answerWith(never.file, asked)).status).toBe(502);
    expect(never.recent.size).toBe(0);
  });

  test.each([500, 503, 429, 403, 301, 400])("a host that says %d is asked again, and is never one that has nothing", async (status) => {
    let left = 2;
    const content = random(100);
    const { file } = await served(content, { host: () => (left-- > 0 ? new Response(null, { status }) : undefined) });
    expect(isSame(await (await answerWith(file, asked)).bytes(), content)).toBe(true);
    const never = await served(content, { host: () => new Response(null, { status }) });
    expect((await answerWith(never.file, asked)).status).toBe(502);
    expect(never.ranges.length).toBe(4);
  });

  test("a host that has it no more is asked once, and again when it is wanted again", async () => {
    const { file, ranges } = await served(random(100), { host: () => new Response(null, { status: 404 }) });
    expect((await answerWith(file, asked)).status).toBe(410);
    expect(ranges.length).toBe(1);
    expect((await answerWith(file, asked)).status).toBe(410);
    expect(ranges.length).toBe(2);
  });

  test("an answer that is longer or shorter than was asked for is none", async () => {
    const content = random(100);
    for (const change of [
      (bytes: Uint8Array<ArrayBuffer>) => bytes.slice(1),
      (bytes: Uint8Array<ArrayBuffer>) => new Uint8Array([...bytes, ...bytes]),
    ]) {
      const { file } = await served(content, { host: (bytes, range, { length }) => partOf(change(bytes), range, length) });
      expect((await answerWith(file, asked)).status).toBe(502);
    }
    const other = await served(content, { host: (bytes) => partOf(bytes, "bytes=0-9", 10) });
    expect((await answerWith(other.file, asked)).status).toBe(502);
  });

  test("[X-23] a host that gives no parts gives all, which is kept and asked for once; one that gives more than all is none", async () => {
    const kept = new Map<string, Uint8Array>();
    const store: PieceStore = {
      get: async (id, index) => kept.get(`${id} ${index}`),
      put: async (id, index, piece) => void kept.set(`${id} ${index}`, piece),
      drop: async (id, index) => void kept.delete(`${id} ${index}`),
    };
    const content = webm(3_000_000);
    const { file, ranges } = await served(content, { store, host: (_bytes, _range, all) => new Response(all.slice()) });
    const from = 2_500_000;
    const sought = await answerWith(file, { ...asked, range: `bytes=${from}-` });
    expect(isSame(await sought.bytes(), content.subarray(from))).toBe(true);
    expect(isSame(await (await answerWith(file, asked)).bytes(), content)).toBe(true);
    expect([ranges.length, kept.size]).toEqual([1, 4]);
    const more = await served(content, { host: (_bytes, _range, all) => new Response(new Blob([all, all])) });
    expect((await answerWith(more.file, asked)).status).toBe(502);
  });

  test("what is not to be kept is taken from where it is kept, and neither put there nor dropped", async () => {
    const content = random(100);
    const done: string[] = [];
    const store: PieceStore = {
      get: async () => undefined,
      put: async () => void done.push("put"),
      drop: async () => void done.push("drop"),
    };
    const { file } = await served(content, { store: storeFor({ isKept: false }, store) });
    expect(isSame(await (await answerWith(file, asked)).bytes(), content)).toBe(true);
    const broken = { ...store, get: async () => new Uint8Array(sealedBytesOf(100)) };
    const again = await served(content, { store: storeFor({ isKept: false }, broken) });
    await answerWith(again.file, asked);
    expect(done).toEqual([]);
  });

  test("what was fetched is kept, and not fetched again; a store that fails changes nothing", async () => {
    const kept = new Map<string, Uint8Array>();
    const store: PieceStore = {
      get: async (id, index) => kept.get(`${id} ${index}`),
      async put(id, index, piece, totalBytes) {
        expect(totalBytes).toBe(sealedBytesOf(3_000_000));
        kept.set(`${id} ${index}`, piece);
      },
      drop: async () => undefined,
    };
    const content = webm(3_000_000);
    const { file, fetched, ranges, recent } = await served(content, { store });
    await (await answerWith(file, asked)).bytes();
    expect([...kept.keys()]).toEqual(["abc 0", "abc 1", "abc 2"]);
    expect(fetched()).toBe(3 * filePieceBytes);
    expect(isSame(await (await answerWith(file, asked)).bytes(), content)).toBe(true);
    expect(ranges.length).toBe(3);
    // One that was cut off is fetched again.
    kept.set("abc 1", new Uint8Array(5));
    recent.clear();
    expect(isSame(await (await answerWith(file, asked)).bytes(), content)).toBe(true);
    const failing = { get: () => Promise.reject(new Error("no")), put: async () => undefined, drop: async () => undefined };
    const other = await served(content, { store: failing });
    expect(isSame(await (await answerWith(other.file, asked)).bytes(), content)).toBe(true);
  });
});
