import { seededRandom } from "@latchkey/testkit";
import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, it } from "vitest";
import type { BlobReference } from "@latchkey/protocol";
import { encryptBlob } from "../group/blobs.ts";
import { createFakeServer, settle } from "../transport/fake-server.testing.ts";
import type { FakeServer } from "../transport/fake-server.testing.ts";
import { ContentReader } from "./content-reader.ts";
import type { Content } from "./content-reader.ts";

const random = seededRandom("content");
const plaintext = new Uint8Array(100).fill(7);
const { reference, ciphertext } = encryptBlob({ plaintext, random, sha256 });

interface Reading {
  readonly server: FakeServer;
  /** Asks, and moves the clock for as long as it takes: the answer, and how long it was waited for. */
  readonly read: (params?: {
    readonly isCommit?: boolean;
    readonly stalls?: number;
    readonly reference?: BlobReference;
  }) => Promise<{ content: Content; waitedMs: number }>;
}

function reading(): Reading {
  const server = createFakeServer("content");
  const content = new ContentReader(server.platform);
  server.respondHttp = () => new Response(undefined, { status: 404 });
  return {
    server,
    async read({ isCommit = false, stalls = 0, reference: named = reference } = {}) {
      const beganMs = server.clock.now();
      let found: Content | undefined;
      const asked = content.get(named, { baseUrl: "https://chat.example", stalls: () => stalls, isCommit }).then((it) => (found = it));
      for (await settle(); found === undefined; await settle()) server.clock.advance(1000);
      return { content: await asked, waitedMs: server.clock.now() - beganMs };
    },
  };
}

describe("[E-15] content that is not there", () => {
  it("of one message is asked for three times, 2 s apart", async () => {
    const { server, read } = reading();
    expect(await read()).toEqual({ content: "missing", waitedMs: 4000 });
    expect(server.fetched).toHaveLength(3);
  });

  it("and what is there and does not open is said at once: nobody waits for it", async () => {
    const { server, read } = reading();
    const bytes = new Uint8Array(reference.sizeBytes).fill(3);
    server.respondHttp = () => new Response(bytes);
    const named = { ...reference, hash: sha256(bytes) };
    for (const isCommit of [true, false])
      expect(await read({ isCommit, reference: named })).toEqual({ content: "unreadable", waitedMs: 0 });
    expect(server.fetched).toHaveLength(2);
  });

  it("of a thousand messages keeps a conversation waiting for 10 s a minute, all in all", async () => {
    const { server, read } = reading();
    let waitedMs = 0;
    for (let at = 0; at < 1000; at++) {
      const { content, waitedMs: waited } = await read();
      expect(content).toBe("missing");
      waitedMs += waited;
    }
    expect(waitedMs).toBe(10_000);
    expect(server.fetched).toHaveLength(1000 + 5);
    // A minute later it has patience again.
    server.clock.advance(60_000);
    expect((await read()).waitedMs).toBe(4000);
  });

  it("and then comes is taken, with patience or without", async () => {
    const { server, read } = reading();
    let asked = 0;
    server.respondHttp = () => (++asked < 3 ? new Response(undefined, { status: 404 }) : new Response(ciphertext.slice()));
    expect(await read()).toEqual({ content: plaintext, waitedMs: 4000 });
    server.respondHttp = () => new Response(undefined, { status: 404 });
    for (let at = 0; at < 10; at++) expect((await read()).content).toBe("missing");
    server.respondHttp = () => new Response(ciphertext.slice());
    expect(await read()).toEqual({ content: plaintext, waitedMs: 0 });
  });

  it("of a commit is asked for three times in any case", async () => {
    const { read } = reading();
    for (let at = 0; at < 10; at++) await read();
    expect(await read()).toMatchObject({ waitedMs: 0 });
    expect(await read({ isCommit: true })).toEqual({ content: "missing", waitedMs: 4000 });
  });

  it("is another thing than content that cannot be had now: that stalls the conversation, six times at most", async () => {
    const { server, read } = reading();
    for (let at = 0; at < 10; at++) await read();
    server.respondHttp = () => new Response(undefined, { status: 503 });
    expect(await read()).toEqual({ content: "unavailable", waitedMs: 4000 });
    expect(await read({ stalls: 6 })).toEqual({ content: "missing", waitedMs: 4000 });
  });

  /** A body that comes in parts, one every few seconds by the server's clock. */
  function body(server: FakeServer, { bytes, everyMs }: { bytes: number; everyMs: number }, content: Uint8Array): Response {
    let at = 0;
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) =>
        new Promise((resolve) => {
          server.clock.schedule(everyMs, () => {
            controller.enqueue(content.slice(at, at + bytes));
            at += bytes;
            if (at >= content.length) controller.close();
            resolve();
          });
        }),
    });
    return new Response(stream);
  }

  it("hangs, or drips: that is told after 15 s, and after six stalls it is passed over", async () => {
    const { server, read } = reading();
    server.respondHttp = () => new Promise(() => undefined);
    expect(await read()).toEqual({ content: "unavailable", waitedMs: 15_000 });
    server.respondHttp = () => body(server, { bytes: 1, everyMs: 1000 }, ciphertext);
    expect(await read()).toEqual({ content: "unavailable", waitedMs: 15_000 });
    expect(await read({ isCommit: true, stalls: 6 })).toEqual({ content: "missing", waitedMs: 15_000 });
    expect(server.fetched).toHaveLength(3);
  });

  it("is large and comes slowly: it is waited for as long as it comes", async () => {
    const { server, read } = reading();
    const large = encryptBlob({ plaintext: new Uint8Array(900_000).fill(5), random, sha256 });
    server.respondHttp = () => body(server, { bytes: 8192, everyMs: 3000 }, large.ciphertext);
    const { content, waitedMs } = await read({ reference: large.reference });
    expect(content).toHaveLength(900_000);
    expect(waitedMs).toBeGreaterThan(180_000);
  });

  it("waits for nothing any more once it is closed", async () => {
    const server = createFakeServer("closed");
    const content = new ContentReader(server.platform);
    server.respondHttp = () => new Response(undefined, { status: 404 });
    const asked = content.get(reference, { baseUrl: "https://chat.example", stalls: () => 0, isCommit: true });
    await settle();
    content.close();
    await settle();
    content.close();
    expect(await asked).toBe("missing");
    expect(server.clock.pending).toBe(0);
  });
});
