// Uploads whose bytes go to a bucket: any node of a store goes on with them, whatever becomes of the others.
import { toBase64Url } from "@latchkey/codec";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { defaultLimits } from "../config.ts";
import type { ServerContext, ServerLimits } from "../config.ts";
import { dayMs, dayOf } from "../days.ts";
import { Refusal, StoreError } from "../errors.ts";
import { sha256 } from "../hash.ts";
import { openPostgresStore } from "../store/postgres/postgres-store.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import type { Store } from "../store/store.ts";
import { random, temporaryDirectory } from "../testing/fixtures.ts";
import { findPostgres, keptSettings, startPostgres } from "../testing/postgres.ts";
import type { TestPostgres } from "../testing/postgres.ts";
import { BlobFiles, uploadsOf } from "./blob-files.ts";
import { BlobRoom } from "./blob-room.ts";
import { BlobService } from "./blob-service.ts";
import { startTestBucket } from "./bucket.testing.ts";
import type { TestBucket } from "./bucket.testing.ts";
import { BucketUploads } from "./bucket-uploads.ts";
import type { AppendOutcome } from "./uploads.ts";

const disk = { look: () => Promise.resolve(), spareBytes: Infinity };
const address = "198.51.100.7";

/** A node's uploads. */
interface Node {
  readonly uploads: BucketUploads;
  readonly blobs: BlobService;
  readonly directory: string;
  send(token: string, offset: number, bytes: Uint8Array | AsyncIterable<readonly Uint8Array[]>): Promise<AppendOutcome | undefined>;
}

/** Nodes with one store and one bucket. */
interface Nodes {
  readonly bucket: TestBucket;
  readonly store: Store;
  readonly at: { nowMs: number };
  readonly bugs: unknown[];
  /** A further one; `wrap` has its store. */
  start(wrap?: (store: Store) => Store): Promise<Node>;
  /** Keys of all that lies in the bucket of uploads, parts that are not joined among them. */
  left(): string[];
}

async function openNodes(openStore: (directory: string) => Promise<Store>, limits: Partial<ServerLimits> = {}): Promise<Nodes> {
  const store = await openStore(temporaryDirectory());
  const bucket = await startTestBucket("the test", store);
  onTestFinished(() => store.close());
  const at = { nowMs: Date.now() };
  const bugs: unknown[] = [];
  // Only these are asked for.
  const context = {
    nowMs: () => at.nowMs,
    dayBefore: (days: number) => dayOf(at.nowMs) - days,
    limits: { ...defaultLimits, ...limits },
    rules: { quota: () => 0 },
  } as unknown as ServerContext;
  const start = async (wrap: (store: Store) => Store = (same) => same): Promise<Node> => {
    const directory = join(temporaryDirectory(), "blobs");
    mkdirSync(uploadsOf(directory), { recursive: true });
    const own = wrap(store);
    const files = new BlobFiles({ directory, index: own, dayTime: () => new Date(dayOf(at.nowMs) * dayMs), place: bucket.place });
    const room = new BlobRoom({ index: own, context, disk });
    const uploads = await BucketUploads.open({
      files,
      store: own,
      parts: bucket.parts,
      context,
      room,
      onDiskFailure: () => undefined,
      onWhole: () => undefined,
      reportBug: (error) => bugs.push(error),
    });
    onTestFinished(() => uploads.close());
    return {
      uploads,
      blobs: new BlobService({ files, index: own, uploads: own, context, room }),
      directory,
      send: (token, offset, bytes) =>
        uploads.append(token, { offset, content: bytes instanceof Uint8Array ? oneOf(bytes) : bytes, end: () => undefined }),
    };
  };
  const left = (): string[] => [
    ...[...bucket.fake.objects.keys()].filter((key) => key.startsWith("chat/uploads/")),
    ...bucket.fake.uploads.keys(),
  ];
  return { bucket, store, at, bugs, start, left };
}

async function* oneOf(bytes: Uint8Array): AsyncGenerator<readonly Uint8Array[]> {
  if (bytes.length > 0) yield [bytes];
}

async function readBlob({ blobs }: Node, blobId: Uint8Array): Promise<Uint8Array | undefined> {
  const found = await blobs.find(blobId);
  if (found === undefined || found.sizeBytes === 0) return found === undefined ? undefined : new Uint8Array();
  const stream = await found.read({ first: 0, last: found.sizeBytes - 1 });
  return stream === undefined ? undefined : new Uint8Array(Buffer.concat((await stream.toArray()) as Uint8Array[]));
}

/** Numbers from 0 to below 1 that are the same for the same seed. */
function numbersOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 1 | state) + 0x6d2b79f5) | 0;
    return ((state ^ (state >>> 13)) >>> 0) / 4_294_967_296;
  };
}

const engines: readonly {
  engine: string;
  isThere: boolean;
  open: (postgres: TestPostgres | undefined) => (directory: string) => Promise<Store>;
}[] = [
  { engine: "SQLite", isThere: true, open: () => (directory) => openSqliteStore({ directory }) },
  {
    engine: "PostgreSQL",
    isThere: findPostgres() !== undefined,
    open: (postgres) => (directory) => {
      if (postgres === undefined) throw new Error("no PostgreSQL");
      return openPostgresStore({ url: postgres.url, schemas: postgres.schemasOf(directory), acceptLoss: true });
    },
  },
];

describe.each(engines)("uploads in a bucket, over $engine", ({ isThere, engine, open }) => {
  describe.skipIf(!isThere)("", () => {
    let postgres: TestPostgres | undefined;
    beforeAll(async () => {
      if (engine === "PostgreSQL") postgres = await startPostgres(keptSettings);
    });
    afterAll(() => postgres?.stop());
    const nodesOf = (limits: Partial<ServerLimits> = {}): Promise<Nodes> => openNodes(open(postgres), limits);

    test.each([0, 1, 9_999, 10_000, 10_001, 45_000])(
      "[C-4] of %i bytes go on at each node in turn, and nothing is left beside the blob",
      async (size) => {
        const { start, bucket, left, bugs } = await nodesOf();
        const nodes = [await start(), await start(), await start()] as const;
        const [blobId, bytes] = [random(32), random(size)];
        const { token, state } = await nodes[0].uploads.create({ blobId, sizeBytes: size, address });
        expect(state).toMatchObject({ blobId, sizeBytes: size, offset: 0 });
        let [offset, turn] = [0, 0];
        while (offset < size) {
          const node = nodes[turn % 3] ?? nodes[0];
          const part = bytes.subarray(offset, offset + 3100);
          expect(await node.send(token, offset, part)).toMatchObject({ kind: "taken", state: { offset: offset + part.length } });
          offset += part.length;
          turn += 1;
          expect((await (nodes[turn % 3] ?? nodes[0]).uploads.look(token))?.offset).toBe(offset);
        }
        for (const node of nodes) {
          expect(await readBlob(node, blobId)).toEqual(bytes);
          // Whoever missed the last answer is told, by a look or by the same once more.
          expect((await node.uploads.look(token))?.offset).toBe(size);
          expect((await node.send(token, size, new Uint8Array()))?.kind).toBe("taken");
          await node.uploads.close();
          expect(readdirSync(uploadsOf(node.directory))).toEqual([]);
        }
        expect([bucket.keys(), left(), bugs]).toEqual([[expect.stringContaining(toBase64Url(sha256(bytes))) as string], [], []]);
      },
    );

    test("[E-140] two nodes that are sent the next bytes at once: one takes them, and the blob is what that one was sent", async () => {
      const { start, bucket } = await nodesOf();
      const [one, other] = [await start(), await start()];
      const [blobId, bytes] = [random(32), random(25_000)];
      const { token } = await one.uploads.create({ blobId, sizeBytes: bytes.length, address });
      await one.send(token, 0, bytes.subarray(0, 12_000));
      const held = Promise.withResolvers<void>();
      let isHeld = false;
      bucket.fake.respond = ({ query }, response) => {
        if (!query.has("partNumber") || isHeld) return false;
        isHeld = true;
        // It is put, and its answer comes when somebody else has gone on.
        void held.promise.then(() => response.writeHead(200, { etag: '"x"' }).end());
        return true;
      };
      const late = one.send(token, 12_000, random(13_000));
      await expect.poll(() => isHeld).toBe(true);
      expect((await other.send(token, 12_000, bytes.subarray(12_000)))?.kind).toBe("taken");
      held.resolve();
      expect(await late).toEqual({ kind: "superseded" });
      expect(await readBlob(one, blobId)).toEqual(bytes);
      expect(await one.send(token, 12_000, random(13_000))).toEqual({ kind: "elsewhere" });
    });

    test("whatever fails, is sent again, to whom, and in which order: what was acknowledged is kept, and the blob is what was sent", async () => {
      for (let seed = 1; seed <= 12; seed++) {
        const number = numbersOf(seed);
        const nodes = await nodesOf();
        const { bucket } = nodes;
        /** Fails before or after it did what it was asked for. */
        const breaking = (store: Store): Store =>
          new Proxy(store, {
            get: (target, name) => {
              const value: unknown = Reflect.get(target, name);
              if (typeof value !== "function") return value;
              const run = value.bind(target) as (params: unknown) => Promise<unknown>;
              if (!["claimUpload", "saveUpload", "addBlob"].includes(String(name))) return run;
              return async (params: unknown) => {
                const kind = isCalm ? 1 : number();
                if (kind < 0.06) throw new StoreError("unavailable");
                const answer = await run(params);
                if (kind < 0.12) throw new StoreError("unavailable");
                return answer;
              };
            },
          });
        let isCalm = false;
        bucket.fake.fault = () => (isCalm || number() > 0.08 ? undefined : number() < 0.5 ? 500 : "hang up");
        const all = [await nodes.start(breaking), await nodes.start(breaking), await nodes.start(breaking)];
        const [blobId, bytes] = [random(32), random(10_000 + Math.floor(number() * 60_000))];
        const any = (): Node => all[Math.floor(number() * all.length)] ?? all[0]!;
        const { token } = await any().uploads.create({ blobId, sizeBytes: bytes.length, address });
        let acknowledged = 0;
        for (let steps = 0; acknowledged < bytes.length; steps++) {
          expect(steps, `seed ${String(seed)}`).toBeLessThan(2000);
          isCalm = steps > 300;
          // Several at once, of which some say a wrong place.
          const sent = Array.from({ length: 1 + Math.floor(number() * 2.4) }, async () => {
            const offset = acknowledged;
            const length = Math.floor(number() * 9000);
            const answer = await any()
              .send(token, offset, bytes.subarray(offset, offset + length))
              .catch((error: unknown) => {
                if (!(error instanceof Refusal) && !(error instanceof StoreError)) throw error;
                bucket.tick();
                return "failed";
              });
            expect(answer, `seed ${String(seed)}`).toBeDefined();
            if (typeof answer === "object" && answer.kind === "taken") acknowledged = Math.max(acknowledged, answer.state.offset);
          });
          await Promise.all(sent);
          const state = await any()
            .uploads.look(token)
            .catch(() => "failed" as const);
          expect(state, `seed ${String(seed)}`).toBeDefined();
          if (typeof state === "object") {
            expect(state.offset, `seed ${String(seed)}`).toBeGreaterThanOrEqual(acknowledged);
            acknowledged = state.offset;
          }
        }
        isCalm = true;
        bucket.tick();
        await expect
          .poll(() =>
            any()
              .uploads.look(token)
              .then(
                (state) => state?.offset,
                () => "failed",
              ),
          )
          .toBe(bytes.length);
        for (const node of all) expect(await readBlob(node, blobId), `seed ${String(seed)}`).toEqual(bytes);
        await Promise.all(all.map(({ uploads }) => uploads.close()));
        const last = await nodes.start();
        await last.uploads.expire();
        await last.blobs.removeOrphans();
        expect([nodes.left(), nodes.bugs]).toEqual([[], []]);
      }
    }, 60_000);

    test("[E-140] crumbs take some dozen objects, and end with the last number that S3 has", async () => {
      const { start, bucket, left, store } = await nodesOf();
      const node = await start();
      const [blobId, bytes] = [random(32), random(9000)];
      const { token } = await node.uploads.create({ blobId, sizeBytes: bytes.length, address });
      let most = 0;
      for (let offset = 0; offset < 300; offset++) {
        expect((await node.send(token, offset, bytes.subarray(offset, offset + 1)))?.kind).toBe("taken");
        most = Math.max(most, left().length);
      }
      expect(most).toBeLessThan(140);
      await node.send(token, 300, bytes.subarray(300));
      expect(await readBlob(node, blobId)).toEqual(bytes);
      await node.uploads.close();
      expect(left()).toEqual([]);

      const further = await start();
      const { token: other } = await further.uploads.create({ blobId: random(32), sizeBytes: 100, address });
      await further.send(other, 0, random(1));
      await store.claimUpload({ name: sha256(new TextEncoder().encode(other)), writer: random(16), numbers: 9_998 });
      expect((await further.send(other, 1, random(1)))?.kind).toBe("taken");
      expect([await further.send(other, 2, random(1)), await further.uploads.look(other)]).toEqual([undefined, undefined]);
      await further.uploads.close();
      expect([left(), bucket.keys()]).toHaveLength(2);
      expect(left()).toEqual([]);
    });

    test("[E-140] more than was announced is refused, what came before that is kept; no part of it is in memory longer than it is put", async () => {
      const { start } = await nodesOf({ maxFileBytes: 30_000 });
      const node = await start();
      await expect(node.uploads.create({ blobId: random(32), sizeBytes: 30_001, address })).rejects.toMatchObject({ code: "too_large" });
      const [blobId, bytes] = [random(32), random(30_000)];
      const { token } = await node.uploads.create({ blobId, sizeBytes: bytes.length, address });
      async function* endless(): AsyncGenerator<readonly Uint8Array[]> {
        yield [bytes.subarray(0, 25_000)];
        for (;;) yield [random(6000)];
      }
      await expect(node.send(token, 0, endless())).rejects.toMatchObject({ code: "too_large" });
      expect((await node.uploads.look(token))?.offset).toBe(25_000);
      async function* broken(): AsyncGenerator<readonly Uint8Array[]> {
        yield [bytes.subarray(25_000, 26_000)];
        throw new Error("the line");
      }
      await expect(node.send(token, 25_000, broken())).rejects.toThrow("the line");
      await node.send(token, 26_000, bytes.subarray(26_000));
      expect(await readBlob(node, blobId)).toEqual(bytes);
    });

    test("leave nothing in a bucket that breaks nothing off, as some do not, once they are whole; of those that end their parts alone", async () => {
      const { start, bucket, left } = await nodesOf();
      const node = await start();
      bucket.fake.fault = ({ method, query }) => (method === "DELETE" && query.has("uploadId") ? 501 : undefined);
      const begin = async ({ uploads, send }: Node): Promise<string> => {
        const { token } = await uploads.create({ blobId: random(32), sizeBytes: 40_000, address });
        await send(token, 0, random(12_000));
        await send(token, 12_000, random(4000));
        return token;
      };
      await node.send(await begin(node), 16_000, random(24_000));
      await node.uploads.close();
      expect([left(), bucket.watch.reason]).toEqual([[], undefined]);
      const other = await start();
      await other.uploads.remove(await begin(other));
      await other.uploads.close();
      expect(left()).toEqual([...bucket.fake.uploads.keys()]);
    });

    test("for a blob that is there with the same bytes are done, and with others end and leave it as it is", async () => {
      const { start, left } = await nodesOf();
      const node = await start();
      const [blobId, bytes] = [random(32), random(25_000)];
      for (const [sent, kind] of [
        [bytes, "taken"],
        [bytes, "taken"],
        [random(25_000), "different"],
      ] as const) {
        const { token } = await node.uploads.create({ blobId, sizeBytes: 25_000, address });
        await node.send(token, 0, sent.subarray(0, 12_000));
        expect((await node.send(token, 12_000, sent.subarray(12_000)))?.kind).toBe(kind);
        expect((await node.uploads.look(token))?.offset).toBe(kind === "taken" ? 25_000 : undefined);
      }
      const small = random(32);
      for (const kind of ["taken", "different"]) {
        const { token } = await node.uploads.create({ blobId: small, sizeBytes: 100, address });
        expect((await node.send(token, 0, random(100)))?.kind).toBe(kind);
      }
      await expect(node.uploads.create({ blobId, sizeBytes: 24_999, address })).rejects.toMatchObject({ code: "conflict" });
      expect(await readBlob(node, blobId)).toEqual(bytes);
      await node.uploads.close();
      expect(left()).toEqual([]);
    });

    test("[E-149] whose parts, pieces or object the bucket lost are not there any more: nobody waits for them", async () => {
      const { start, bucket, left } = await nodesOf();
      const node = await start();
      const begin = async (sent: number): Promise<string> => {
        const { token } = await node.uploads.create({ blobId: random(32), sizeBytes: 25_000, address });
        await node.send(token, 0, random(sent));
        return token;
      };
      const parted = await begin(12_000);
      bucket.fake.uploads.clear();
      expect([await node.send(parted, 12_000, random(13_000)), await node.uploads.look(parted)]).toEqual([undefined, undefined]);
      const waiting = await begin(4000);
      for (const key of left()) bucket.fake.objects.delete(key);
      expect([await node.send(waiting, 4000, random(9000)), await node.uploads.look(waiting)]).toEqual([undefined, undefined]);
      const changed = await begin(12_000);
      for (const parts of bucket.fake.uploads.values()) for (const number of parts.keys()) parts.set(number, random(12_000));
      expect([await node.send(changed, 12_000, random(13_000)), await node.uploads.look(changed)]).toEqual([undefined, undefined]);
      await node.uploads.close();
      expect([left(), bucket.keys()]).toEqual([[], []]);
    });

    test("go with DELETE, or after their days, with all that lies of them in the bucket; what no row knows goes with the sweep", async () => {
      const { start, at, left, bucket, store } = await nodesOf();
      const [one, other] = [await start(), await start()];
      const begin = async (): Promise<string> => {
        const { token } = await one.uploads.create({ blobId: random(32), sizeBytes: 50_000, address });
        for (const offset of [0, 4000, 16_000]) await one.send(token, offset, random(offset === 4000 ? 12_000 : 4000));
        return token;
      };
      const token = await begin();
      expect(left().length).toBeGreaterThan(1);
      expect([await other.uploads.remove(token), await other.uploads.remove(token), await one.uploads.look(token)]).toEqual([
        true,
        false,
        undefined,
      ]);
      await other.uploads.close();
      expect(left()).toEqual([]);

      const old = await begin();
      expect(await one.uploads.expire()).toBe(0);
      at.nowMs += dayMs;
      expect([await one.uploads.expire(), (await one.uploads.look(old))?.offset]).toEqual([0, 20_000]);
      at.nowMs += dayMs;
      // While the bucket is away they are over all the same, and go when it is back.
      bucket.fake.fault = () => 500;
      expect(await one.uploads.expire()).toBe(0);
      expect(await one.uploads.look(old)).toBeUndefined();
      bucket.fake.fault = undefined;
      expect([await one.uploads.expire(), left(), await store.uploadTotals()]).toEqual([1, [], { uploads: 0, uploadBytes: 0 }]);
      expect(one.uploads.unfinished()).toEqual({ uploads: 0, bytes: 0 });

      const alive = await begin();
      const found = left();
      for (const key of ["whole", "7"]) bucket.fake.objects.set(`chat/uploads/${toBase64Url(random(32))}/${key}`, random(10));
      bucket.fake.objects.set("chat/uploads/notes.txt", random(10));
      expect(await one.blobs.removeOrphans()).toBe(2);
      expect(left().toSorted()).toEqual([...found, "chat/uploads/notes.txt"].toSorted());
      expect((await one.uploads.look(alive))?.offset).toBe(20_000);
    });

    test("[E-149] one that the bucket does not remove holds up no other that is over, and is tried again", async () => {
      const { start, at, left, bucket, store } = await nodesOf();
      const node = await start();
      const begin = async (): Promise<void> => {
        const { token } = await node.uploads.create({ blobId: random(32), sizeBytes: 30_000, address });
        await node.send(token, 0, random(4000));
      };
      await begin();
      const [stuck] = left();
      for (let others = 0; others < 4; others++) await begin();
      bucket.fake.respond = ({ method, key }, response) => {
        if (method !== "DELETE" || key !== stuck) return false;
        response.writeHead(403).end();
        return true;
      };
      at.nowMs += 2 * dayMs;
      expect([await node.uploads.expire(), left()]).toEqual([4, [stuck]]);
      bucket.fake.respond = undefined;
      await node.uploads.expire();
      expect([left(), await store.uploadTotals()]).toEqual([[], { uploads: 0, uploadBytes: 0 }]);
    });

    test("[E-149] are cleared of what is theirs alone, whatever the bucket lists as that", async () => {
      const { start, bucket, left } = await nodesOf();
      const [one, other] = [await start(), await start()];
      const begin = async (): Promise<string> => {
        const { token } = await one.uploads.create({ blobId: random(32), sizeBytes: 30_000, address });
        await one.send(token, 0, random(12_000));
        await one.send(token, 12_000, random(20));
        return token;
      };
      const [alive, blobId, bytes] = [await begin(), random(32), random(100)];
      const { token } = await one.uploads.create({ blobId, sizeBytes: bytes.length, address });
      await one.send(token, 0, bytes);
      const before = [left(), bucket.keys()];
      const ended = await begin();
      const foreign = ["chat/server", "chat/uploads/notes.txt", ...bucket.fake.objects.keys()];
      bucket.fake.respond = ({ method, query }, response) => {
        if (method !== "GET" || query.get("list-type") !== "2") return false;
        const own = [...bucket.fake.objects.keys()].filter((key) => key.startsWith(query.get("prefix") ?? ""));
        const contents = [...foreign, ...own].map((key) => `<Contents><Key>${key}</Key><Size>1</Size></Contents>`).join("");
        response.end(`<L><IsTruncated>false</IsTruncated>${contents}</L>`);
        return true;
      };
      await other.uploads.remove(ended);
      await other.uploads.close();
      bucket.fake.respond = undefined;
      expect([left(), bucket.keys()]).toEqual(before);
      expect(bucket.fake.objects.has("chat/server")).toBe(true);
      expect(await readBlob(one, blobId)).toEqual(bytes);
      expect((await one.uploads.look(alive))?.offset).toBe(12_020);
    });

    test("[E-140] of which one address has as many as it may, or all there may be, are bounded; the longest untouched of who has most goes", async () => {
      const { start } = await nodesOf({ maxUploads: 6, maxUploadsPerAddress: 4 });
      const node = await start();
      const begin = async (from: string): Promise<string> =>
        (await node.uploads.create({ blobId: random(32), sizeBytes: 100, address: from })).token;
      const tokens: string[] = [];
      for (let count = 0; count < 4; count++) tokens.push(await begin(address));
      await expect(begin(address)).rejects.toMatchObject({ code: "rate_limited" });
      const others = [await begin("203.0.113.1"), await begin("203.0.113.2")];
      await node.send(tokens[0] ?? "", 0, random(1));
      await begin("203.0.113.3");
      expect(await Promise.all([...tokens, ...others].map(async (token) => (await node.uploads.look(token))?.offset))).toEqual([
        1,
        undefined,
        0,
        0,
        0,
        0,
      ]);
      // One that is whole takes no place.
      await node.send(tokens[0] ?? "", 1, random(99));
      await begin(address);
    });
  });
});
