import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { historyChunkBytes } from "@latchkey/protocol";
import type { HistoryManifest } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import { defaultLimits } from "../config.ts";
import type { ServerLimits } from "../config.ts";
import { sha256 } from "../hash.ts";
import { readHoldings } from "../testing/fetch-holdings.ts";
import { connectDevice, isOnPostgres, random, register, runServer, temporaryDirectory, zeros } from "../testing/fixtures.ts";
import { TestClient } from "../testing/test-client.ts";

const [small = 0, middle = 0] = historyChunkBytes;

async function withAccount(limits: Partial<ServerLimits> = {}) {
  const dataDirectory = temporaryDirectory();
  const server = await runServer({ dataDirectory, limits });
  const { account, client } = await register(server, "alice");
  const put = (generation: Uint8Array, number: number, chunk: Uint8Array = random(small)): Promise<string> =>
    client.outcome({ kind: "put_history_chunk", generation, number, chunk });
  const head = (generation: Uint8Array, at: Partial<HistoryManifest & { previous: number }> = {}): Promise<string> =>
    client.outcome({ kind: "put_history_manifest", previous: 0, counter: 1, generation, chunks: 1, manifest: random(50), ...at });
  return { dataDirectory, server, account, client, put, head };
}

async function stored(client: TestClient<"device">): Promise<HistoryManifest> {
  const reply = await client.ask({ kind: "read_history_manifest" });
  if (reply.kind !== "history_manifest") throw new Error(reply.kind);
  return reply;
}

describe("[B-1] a history backup", () => {
  test("is one manifest and its chunks, for devices of its account alone", async () => {
    const { server, client, put, head } = await withAccount();
    expect(await stored(client)).toMatchObject({ counter: 0, chunks: 0, sizeBytes: 0 });
    const [generation, chunk, manifest] = [random(16), random(middle), random(70)];
    expect(await put(generation, 0, chunk)).toBe("done");
    expect(await put(generation, 1)).toBe("done");
    expect(await head(generation, { chunks: 2, manifest })).toBe("done");
    expect(await stored(client)).toMatchObject({ counter: 1, generation, chunks: 2, sizeBytes: middle + small, manifest });
    expect(await client.ask({ kind: "read_history_chunk", generation, number: 0 })).toEqual({ kind: "history_chunk", chunk });
    expect(await client.outcome({ kind: "read_history_chunk", generation, number: 2 })).toBe("not_found");
    // Another account has another one, whatever it asks for; who has none has nothing.
    const { client: bob } = await register(server, "bobby");
    expect(await bob.outcome({ kind: "read_history_chunk", generation, number: 0 })).toBe("not_found");
    expect(await stored(bob)).toMatchObject({ counter: 0, sizeBytes: 0 });
    const stranger = await TestClient.connect(server.url, "device");
    for (const kind of ["read_history_manifest", "erase_history"] as const)
      expect(await stranger.outcome({ kind })).toBe("unauthenticated");
  });

  test("has chunks of four sizes, so many, and within a bound", async () => {
    const { client, put, head } = await withAccount({ maxHistoryBytes: 3 * small });
    const generation = random(16);
    expect(await put(generation, 0, random(small - 1))).toBe("malformed");
    expect(await put(generation, 4096)).toBe("too_large");
    expect([await put(generation, 0), await put(generation, 1), await put(generation, 2)]).toEqual(["done", "done", "done"]);
    expect(await put(generation, 3)).toBe("too_large");
    // In the place of another one it takes only what it is larger.
    expect([await put(generation, 2), await put(generation, 1, random(middle))]).toEqual(["done", "too_large"]);
    expect((await stored(client)).sizeBytes).toBe(3 * small);
    // A writing that came to nothing makes room for the next.
    const next = random(16);
    expect([await put(next, 0), await put(next, 1), await put(next, 2)]).toEqual(["done", "done", "done"]);
    expect((await stored(client)).sizeBytes).toBe(3 * small);
    // One that counts leaves as much for the next, and no more.
    expect(await head(next, { chunks: 3 })).toBe("done");
    const anew = random(16);
    expect([await put(anew, 0), await put(anew, 1), await put(anew, 2), await put(anew, 3)]).toEqual(["done", "done", "done", "too_large"]);
    expect(await put(next, 3)).toBe("too_large");
    expect((await stored(client)).sizeBytes).toBe(6 * small);
    const { put: none } = await withAccount({ maxHistoryBytes: 0 });
    expect(await none(random(16), 0)).toBe("too_large");
    // And within one for all accounts.
    const { server, put: some } = await withAccount({ maxStoredHistoryBytes: 2 * small });
    expect(await some(random(16), 0)).toBe("done");
    const { client: bob } = await register(server, "bobby");
    const putBob = (number: number): Promise<string> =>
      bob.outcome({ kind: "put_history_chunk", generation, number, chunk: random(small) });
    expect([await putBob(0), await putBob(1)]).toEqual(["done", "storage_full"]);
  });
});

describe("[B-1] what was given up", () => {
  test("is erased before the account begins another writing: at no time there is more of it than the bound says", async ({ skip }) => {
    skip(isOnPostgres);
    const { dataDirectory, client, put, head } = await withAccount({ maxHistoryBytes: 20 * small });
    const database = new DatabaseSync(join(dataDirectory, "accounts.sqlite"), { readOnly: true });
    const most: number[] = [];
    const fill = async (generation: Uint8Array): Promise<void> => {
      for (let number = 0; number < 20; number++) {
        expect(await put(generation, number)).toBe("done");
        most.push(Number(database.prepare("SELECT count(*) AS chunks FROM history_chunks").get()?.["chunks"]));
      }
    };
    const counted = random(16);
    await fill(counted);
    expect(await head(counted, { chunks: 20 })).toBe("done");
    for (let time = 0; time < 3; time++) await fill(random(16));
    const next = random(16);
    await fill(next);
    expect(await head(next, { previous: 1, counter: 2, chunks: 20 })).toBe("done");
    await fill(random(16));
    expect(await client.outcome({ kind: "erase_history" })).toBe("done");
    await fill(random(16));
    database.close();
    expect(Math.max(...most)).toBeLessThanOrEqual(40);
  });

  test("is given up by nothing that is refused", async () => {
    const { client, put } = await withAccount({ maxHistoryBytes: 2 * small });
    const begun = random(16);
    expect(await put(begun, 0)).toBe("done");
    expect(await put(random(16), 0, random(middle))).toBe("too_large");
    expect(await client.outcome({ kind: "read_history_chunk", generation: begun, number: 0 })).toBe("history_chunk");
    // What goes for it makes room in the bound for all accounts.
    const { put: some } = await withAccount({ maxStoredHistoryBytes: 2 * small });
    for (const generation of [random(16), random(16), random(16)])
      expect([await some(generation, 0), await some(generation, 1), await some(generation, 2)]).toEqual(["done", "done", "storage_full"]);
  });
});

describe("[B-1] what is written of it", () => {
  test("is bounded for its account, on whichever of its connections and from wherever, and for no other account by that", async () => {
    const targets = { ...defaultLimits.targets, historyBytes: { burst: 2 * small, perSecond: 0.001 } };
    const server = await runServer({ limits: { targets }, trustProxy: "loopback" });
    const { account, client } = await register(server, "alice");
    const put = (by: TestClient<"device">, number: number): Promise<string> =>
      by.outcome({ kind: "put_history_chunk", generation: zeros.slice(0, 16), number, chunk: random(small) });
    expect([await put(client, 0), await put(client, 1), await put(client, 2)]).toEqual(["done", "done", "rate_limited"]);
    const elsewhere = await TestClient.connect(server.url, "device", { headers: { "x-forwarded-for": "203.0.113.9" } });
    await connectDevice(elsewhere, account.accountId, account.device);
    expect(await put(elsewhere, 2)).toBe("rate_limited");
    const head = { kind: "put_history_manifest", previous: 0, counter: 1, generation: zeros.slice(0, 16), chunks: 2 } as const;
    expect(await elsewhere.outcome({ ...head, manifest: random(50) })).toBe("rate_limited");
    const { client: bob } = await register(server, "bobby");
    expect(await put(bob, 0)).toBe("done");
  });
});

describe("[B-3] the manifest", () => {
  test("follows the one that its device knows, and never an earlier counter; the same again is no conflict", async () => {
    const { client, put, head } = await withAccount();
    const [generation, manifest] = [random(16), random(60)];
    await put(generation, 0);
    expect(await head(generation, { manifest })).toBe("done");
    expect(await head(generation, { manifest })).toBe("done");
    expect(await head(generation)).toBe("conflict");
    expect(await head(generation, { previous: 1, counter: 1 })).toBe("conflict");
    expect(await head(generation, { previous: 1, counter: 9 })).toBe("done");
    expect(await head(generation, { previous: 1, counter: 10 })).toBe("conflict");
    expect(await head(generation, { previous: 9, counter: 5 })).toBe("conflict");
    expect((await stored(client)).counter).toBe(9);
  });

  test("counts chunks that are there, and none of those is changed; another generation takes the place of all of them", async () => {
    const { client, put, head } = await withAccount();
    const [generation, chunk] = [random(16), random(small)];
    expect(await head(generation)).toBe("not_found");
    await put(generation, 0, chunk);
    expect(await head(generation, { chunks: 2 })).toBe("not_found");
    expect(await head(generation)).toBe("done");
    expect([await put(generation, 0, chunk), await put(generation, 0)]).toEqual(["done", "conflict"]);
    // What is not counted yet may be another one after a crash.
    expect([await put(generation, 1), await put(generation, 1)]).toEqual(["done", "done"]);
    const next = random(16);
    expect(await put(next, 0)).toBe("done");
    expect(await client.outcome({ kind: "read_history_chunk", generation, number: 0 })).toBe("history_chunk");
    expect(await head(next, { previous: 1, counter: 2 })).toBe("done");
    expect(await client.outcome({ kind: "read_history_chunk", generation, number: 0 })).toBe("not_found");
    expect((await stored(client)).sizeBytes).toBe(small);
  });

  test("and everything with it is erased when its person says so, also of many chunks, and shown to them until then", async ({ skip }) => {
    skip(isOnPostgres);
    const { dataDirectory, server, client, put, head } = await withAccount();
    const [generation, chunk] = [random(16), random(small)];
    await put(generation, 0, chunk);
    for (let number = 1; number < 40; number++) await put(generation, number);
    await head(generation, { chunks: 40 });
    const hash = Buffer.from(sha256(chunk)).toString("base64url");
    const held = JSON.parse(await readHoldings(server.url, client)) as Record<string, unknown>;
    expect(held).toMatchObject({
      history_backup: { counter: 1, chunks: 40 },
      history_generations: [{ size_bytes: 40 * small, chunks: Array.from({ length: 40 }, (_, number) => ({ number, size_bytes: small })) }],
    });
    expect(JSON.stringify(held)).toContain(hash);
    expect(await client.outcome({ kind: "erase_history" })).toBe("done");
    expect(await stored(client)).toMatchObject({ counter: 0, sizeBytes: 0 });
    expect(await readHoldings(server.url, client)).not.toContain(hash);
    await server.close();
    // Housekeeping of the next start takes what was left.
    const again = await runServer({ dataDirectory });
    const database = new DatabaseSync(join(dataDirectory, "accounts.sqlite"), { readOnly: true });
    const left = (): unknown => database.prepare("SELECT count(*) AS chunks FROM history_chunks").get()?.["chunks"];
    await expect.poll(left, { timeout: 30_000 }).toBe(0);
    database.close();
    await again.close();
  });
});
