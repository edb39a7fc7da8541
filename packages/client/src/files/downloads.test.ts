import { concatBytes, toBase64Url } from "@latchkey/codec";
import type { FilePart } from "@latchkey/protocol";
import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, it } from "vitest";
import { Downloads } from "./downloads.ts";
import type { Wanted } from "./downloads.ts";
import { createFakeHost, hostPlatform, refusal } from "./fake-host.testing.ts";
import type { FakeHost } from "./fake-host.testing.ts";
import type { FileStore } from "./file-store.ts";
import { createMemoryFileStore } from "./memory-file-store.testing.ts";
import { filePieceBytes } from "./reading.ts";
import { sealFile } from "./sealing.ts";

const sizeBytes = 4_500_000;
const content = new Uint8Array(sizeBytes).map((_, at) => (at * 11 + (at >> 12)) & 0xff);
const blobId = new Uint8Array(32).fill(3);
const id = toBase64Url(blobId);
const secret = { key: new Uint8Array(32).fill(1), prefix: new Uint8Array(7).fill(2), sizeBytes };
const sealed = concatBytes(
  ...(await Array.fromAsync(
    sealFile(
      secret,
      (async function* () {
        yield content;
      })(),
    ),
  )),
);
const file: FilePart = {
  kind: "file",
  host: "chat.example",
  blobId,
  ...secret,
  hash: sha256(sealed),
  name: "a",
  mediaType: "text/plain",
  description: "",
};
const wanted: Wanted = { file, url: `https://chat.example/v1/blobs/${id}` };
const pieceCount = Math.ceil(sealed.length / filePieceBytes);

interface Bench {
  readonly host: FakeHost;
  readonly store: FileStore;
  readonly waits: number[];
  readonly downloads: Downloads;
  readonly controller: AbortController;
  read(range?: { from: number; to: number }, what?: Wanted): Promise<Buffer>;
  fetch(what?: Wanted): Promise<void>;
}

function bench(store: FileStore = createMemoryFileStore()): Bench {
  const host = createFakeHost();
  host.blobs.set(id, sealed);
  const waits: number[] = [];
  const controller = new AbortController();
  const place = { store, hash: () => sha256.create() };
  const downloads = new Downloads(hostPlatform(host, waits), async () => place);
  return {
    host,
    store,
    waits,
    downloads,
    controller,
    async read(range = { from: 0, to: sizeBytes }, what = wanted) {
      return Buffer.concat(await Array.fromAsync(downloads.read(what, range, controller.signal, () => undefined)));
    },
    fetch: (what = wanted) => downloads.fetch(what, controller.signal, () => undefined),
  };
}

const changed = (at: number): Uint8Array => sealed.map((byte, place) => (place === at ? byte ^ 1 : byte));

describe("[X-23] [E-134] a file that is fetched", () => {
  it("is asked for once, piece by piece, few at a time, and kept; what is here is not asked for again", async () => {
    const { host, store, fetch, read } = bench();
    let [now, most] = [0, 0];
    host.instead = async () => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 2));
      now--;
      return undefined;
    };
    await fetch();
    expect(host.asked.length).toBe(pieceCount);
    const other = toBase64Url(new Uint8Array(32).fill(4));
    host.blobs.set(other, sealed);
    const second = { file: { ...file, blobId: new Uint8Array(32).fill(4) }, url: `https://chat.example/v1/blobs/${other}` };
    await store.remove(id);
    host.asked.length = 0;
    await Promise.all([fetch(), fetch(second)]);
    expect([host.asked.length, most]).toEqual([2 * pieceCount, 3]);
    host.asked.length = pieceCount;
    expect((await store.get(id))?.hereBytes).toBe(sealed.length);
    expect((await read()).equals(content)).toBe(true);
    await fetch();
    expect(host.asked.length).toBe(pieceCount);
    await store.drop(id, 2);
    expect((await read()).equals(content)).toBe(true);
    expect(host.asked.slice(pieceCount).map(({ headers }) => headers.get("range"))).toEqual(["bytes=2097152-3145727"]);
  });

  it("is read in parts without the rest, of which no more is asked for than they lie in", async () => {
    const { host, read } = bench();
    expect((await read({ from: 2_000_000, to: 2_000_100 })).equals(content.subarray(2_000_000, 2_000_100))).toBe(true);
    expect(host.asked.length).toBe(1);
    expect((await read({ from: 1_048_300, to: 1_048_400 })).equals(content.subarray(1_048_300, 1_048_400))).toBe(true);
    expect(host.asked.length).toBe(2);
    for (const [from, to] of [
      [5, 5],
      [9, 3],
      [sizeBytes, sizeBytes + 5],
      [sizeBytes + 5, Number.POSITIVE_INFINITY],
    ] as const)
      expect((await read({ from, to })).length).toBe(0);
    expect((await read({ from: sizeBytes - 3, to: Number.POSITIVE_INFINITY })).equals(content.subarray(-3))).toBe(true);
  });

  it("is asked for again after what may pass, with longer and longer waits, and is not said to be gone", async () => {
    for (const [status, code] of [
      [500, "internal"],
      [503, undefined],
      [429, "rate_limited"],
      [403, undefined],
      [401, undefined],
    ] as const) {
      const { host, fetch, waits } = bench();
      let left = 5;
      host.instead = () => (left-- > 0 ? refusal(status, code) : undefined);
      await fetch();
      expect(waits.length, String(status)).toBeGreaterThan(0);
    }
    const { host, fetch } = bench();
    host.instead = () => {
      throw new TypeError("fetch failed");
    };
    await expect(fetch()).rejects.toMatchObject({ code: "offline", canRetry: true });
    // What came before goes on.
    host.instead = ({ headers }) => (headers.get("range")?.startsWith("bytes=0-") === true ? undefined : refusal(502));
    await expect(fetch()).rejects.toMatchObject({ code: "server_down", canRetry: true });
    host.instead = () => undefined;
    const before = host.asked.length;
    await fetch();
    expect(host.asked.length - before).toBe(pieceCount - 1);
  });

  it("[E-15] is gone after three answers in a row that it is not there, and not before", async () => {
    for (const status of [404, 410]) {
      const { host, fetch, waits } = bench();
      let left = 2;
      host.instead = () => (left-- > 0 ? refusal(status, "not_found") : undefined);
      await fetch();
      host.blobs.clear();
      const again = bench();
      again.host.blobs.clear();
      await expect(again.fetch()).rejects.toMatchObject({ code: "file_gone", canRetry: false });
      expect([waits, again.waits].flat()).toContain(2000);
    }
  });

  it("whose host gives no parts is taken whole", async () => {
    const { host, fetch, read } = bench();
    host.instead = () => new Response(sealed.slice());
    expect((await read({ from: 3_000_000, to: 3_000_010 })).equals(content.subarray(3_000_000, 3_000_010))).toBe(true);
    const { length } = host.asked;
    await fetch();
    expect(host.asked.length).toBe(length);
    expect((await read()).equals(content)).toBe(true);
  });

  it("is never shown where the host has other bytes: changed, swapped, cut, lengthened, another file's, or of another range", async () => {
    const swapped = concatBytes(sealed.slice(65_552, 131_104), sealed.slice(0, 65_552), sealed.slice(131_104));
    const lies: Readonly<Record<string, Uint8Array>> = {
      "changed at its beginning": changed(0),
      "changed at its end": changed(sealed.length - 1),
      swapped,
      cut: sealed.slice(0, -1),
      "cut to a piece": sealed.slice(0, filePieceBytes),
      lengthened: concatBytes(sealed, new Uint8Array(1)),
      zeros: new Uint8Array(sealed.length),
      empty: new Uint8Array(0),
    };
    for (const [name, bytes] of Object.entries(lies)) {
      const { host, read, fetch, store } = bench();
      host.blobs.set(id, bytes);
      await expect(fetch(), name).rejects.toMatchObject({ code: "server_lied", canRetry: false });
      expect((await store.get(id))?.hereBytes ?? 0, name).toBeLessThan(sealed.length);
      const got: Buffer[] = [];
      await expect(
        (async () => {
          const one = bench();
          one.host.blobs.set(id, bytes);
          for await (const part of one.downloads.read(wanted, { from: 0, to: sizeBytes }, one.controller.signal, () => undefined))
            got.push(Buffer.from(part));
        })(),
        name,
      ).rejects.toMatchObject({ code: "server_lied" });
      const given = Buffer.concat(got);
      expect(given.equals(content.subarray(0, given.length)), name).toBe(true);
      expect(given.length, name).toBeLessThan(sizeBytes);
      // Once it is right again it is read, and nothing of the other bytes is left.
      host.blobs.set(id, sealed);
      expect((await read()).equals(content), name).toBe(true);
    }
    const { host, fetch } = bench();
    host.after = (asked, response) =>
      new Response(response.body, { status: response.status, headers: { "content-range": `bytes 0-1048575/${sealed.length}` } });
    await expect(fetch()).rejects.toMatchObject({ code: "server_lied" });
    const longer = bench();
    longer.host.instead = ({ headers }) => {
      const [, from = 0, to = 0] = (/^bytes=(\d+)-(\d+)$/.exec(headers.get("range") ?? "") ?? []).map(Number);
      const said = { "content-range": `bytes ${String(from)}-${String(to)}/${String(sealed.length)}` };
      return new Response(concatBytes(sealed.slice(from, to + 1), new Uint8Array(1)), { status: 206, headers: said });
    };
    await expect(longer.fetch()).rejects.toMatchObject({ code: "server_lied" });
  });

  it("[E-136] that was damaged on this device's disk is fetched anew", async () => {
    const { host, store, read, fetch } = bench();
    await fetch();
    for (const index of [1, 3]) await store.put(id, index, new Uint8Array(filePieceBytes));
    const before = host.asked.length;
    expect((await read()).equals(content)).toBe(true);
    expect(host.asked.length).toBeGreaterThan(before);
    await store.put(id, 3, new Uint8Array(filePieceBytes));
    await fetch();
    expect((await read()).equals(content)).toBe(true);
  });

  it("has its end given out only where its whole has the hash that its author said, and is not kept where it has not", async () => {
    const other = { ...wanted, file: { ...file, hash: new Uint8Array(32) } };
    const { read, fetch, store, downloads, controller } = bench();
    const got: Uint8Array[] = [];
    await expect(
      (async () => {
        for await (const part of downloads.read(other, { from: 0, to: sizeBytes }, controller.signal, () => undefined)) got.push(part);
      })(),
    ).rejects.toMatchObject({ code: "server_lied" });
    expect(concatBytes(...got).length).toBeLessThan(sizeBytes);
    await expect(fetch(other)).rejects.toMatchObject({ code: "server_lied" });
    expect((await store.get(id))?.hereBytes ?? 0).toBe(0);
    expect((await read()).equals(content)).toBe(true);
  });

  it("whose author lied about its size does not open, and nothing is fetched beyond what they said", async () => {
    for (const said of [0, 1000, sizeBytes - 300_000, sizeBytes + 300_000]) {
      const lie = { ...wanted, file: { ...file, sizeBytes: said } };
      const { read, host } = bench();
      if (said === 0)
        expect((await read({ from: 0, to: 5 }, lie).catch((error: unknown) => error)) instanceof Error || host.asked.length <= 1).toBe(
          true,
        );
      else await expect(read({ from: 0, to: said }, lie), String(said)).rejects.toMatchObject({ code: "server_lied" });
    }
  });

  it("is read where there is no space to keep it, and fetching it says so", async () => {
    const { read, fetch } = bench(createMemoryFileStore({ mostBytes: filePieceBytes * 2 }));
    expect((await read()).equals(content)).toBe(true);
    await expect(fetch()).rejects.toMatchObject({ code: "storage_full", canRetry: true });
  });

  it("ends with its signal, and with whoever stops reading", async () => {
    const { host, fetch, controller, downloads } = bench();
    host.instead = ({ headers }) => {
      if (headers.get("range")?.startsWith("bytes=2097152") === true) controller.abort();
      return undefined;
    };
    await expect(fetch()).rejects.toThrow();
    const { length } = host.asked;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(host.asked.length).toBe(length);
    const other = bench();
    for await (const part of other.downloads.read(wanted, { from: 0, to: sizeBytes }, other.controller.signal, () => undefined)) {
      expect(part.length).toBeGreaterThan(0);
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(other.host.asked.length).toBeLessThan(pieceCount);
    await expect(downloads.fetch(wanted, controller.signal, () => undefined)).rejects.toThrow();
  });
});
