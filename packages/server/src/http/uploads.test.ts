import { toBase64Url, toHex } from "@latchkey/codec";
import { blobPath, httpPaths } from "@latchkey/protocol";
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { encodePoint } from "../blobs/upload-mark.ts";
import { defaultLimits } from "../config.ts";
import { dayMs } from "../days.ts";
import { sha256 } from "../hash.ts";
import { createLog, createTestLog, entryBytes, random, runServer, temporaryDirectory } from "../testing/fixtures.ts";
import { TestClient } from "../testing/test-client.ts";
import { blobMetadata, createUpload, offsetOf, readBlob, sendPart, tus } from "../testing/tus.ts";

describe("an upload in parts", () => {
  test("[C-4] becomes the blob with its last part, as if it had been put; an entry may name it by its hash and size", async () => {
    const server = await runServer();
    const [blobId, bytes] = [random(32), random(300_000)];
    const created = await createUpload(server, blobId, bytes.length);
    expect(created.status).toBe(201);
    expect(created.path).toMatch(/^\/v1\/uploads\/[\w-]{43}$/);
    expect(Date.parse(created.headers.get("upload-expires") ?? "") - Date.now()).toBeGreaterThan(dayMs);
    const first = await sendPart(server, created.path, 0, bytes.subarray(0, 200_000));
    expect([first.status, first.headers.get("upload-offset")]).toEqual([204, "200000"]);
    expect(await readBlob(server, blobId)).toBe(404);
    const head = await tus(server, { method: "HEAD", path: created.path });
    expect(
      ["upload-offset", "upload-length", "upload-metadata", "cache-control", "tus-resumable"].map((name) => head.headers.get(name)),
    ).toEqual(["200000", "300000", blobMetadata(blobId), "no-store", "1.0.0"]);
    const last = await sendPart(server, created.path, 200_000, bytes.subarray(200_000));
    expect([last.status, last.headers.get("upload-offset")]).toEqual([204, "300000"]);
    expect(await readBlob(server, blobId)).toEqual(bytes);
    // Whoever missed the last answer is told.
    expect(await offsetOf(server, created.path)).toBe(300_000);
    const client = await TestClient.connect(server.url, "log");
    const log = createTestLog();
    await createLog(client, log);
    const naming = (hash: Uint8Array) =>
      client.outcome({
        kind: "append",
        logId: log.logId,
        epochId: 0,
        entryKind: "message",
        blob: entryBytes(512, [{ blobId, hash, sizeBytes: bytes.length }]),
      });
    expect([await naming(random(32)), await naming(sha256(bytes))]).toEqual(["unknown_blob", "accepted"]);
  });

  test("says what it speaks, and refuses what it does not", async () => {
    const server = await runServer();
    const { path } = await createUpload(server, random(32), 10);
    for (const at of [httpPaths.uploads, path]) {
      const { status, headers } = await tus(server, { method: "OPTIONS", path: at });
      expect(status).toBe(204);
      expect(["tus-version", "tus-extension", "tus-max-size"].map((name) => headers.get(name))).toEqual([
        "1.0.0",
        "creation,expiration,termination",
        "2214592512",
      ]);
      expect(headers.get("access-control-allow-origin")).toBeNull();
    }
    const other = { "tus-resumable": "0.2.2" };
    for (const request of [{ method: "POST" }, { method: "PATCH", path }, { method: "HEAD", path }, { method: "DELETE", path }]) {
      const { status, headers } = await tus(server, { ...request, headers: other });
      expect([status, headers.get("tus-version"), headers.get("x-content-type-options")]).toEqual([412, "1.0.0", "nosniff"]);
    }
    const part = { method: "PATCH", path, body: random(5) };
    expect((await tus(server, { ...part, headers: { "upload-offset": "0" } })).status).toBe(415);
    for (const offset of ["-1", "1.5", "0x1", "", "00", "9".repeat(30)]) {
      const headers = { "upload-offset": offset, "content-type": "application/offset+octet-stream" };
      expect(await tus(server, { ...part, headers }), offset).toMatchObject({ status: 400, code: "malformed" });
    }
    expect(await offsetOf(server, path)).toBe(0);
  });

  const id = Buffer.alloc(32, 7).toString("base64");
  test.each([
    ["none", undefined],
    ["a file's name", `blob ${id},filename cGljdHVyZS5wbmc=`],
    ["a name first", `filename cGljdHVyZS5wbmc=,blob ${id}`],
    ["a type alone", "filetype aW1hZ2UvcG5n"],
    ["the id twice", `blob ${id},blob ${id}`],
    ["no value", "blob"],
    ["31 bytes", `blob ${Buffer.alloc(31).toString("base64")}`],
    ["33 bytes", `blob ${Buffer.alloc(33).toString("base64")}`],
    ["another alphabet", `blob ${id.slice(0, -2)}-=`],
    ["bits behind the end", `blob ${id.slice(0, -2)}d=`],
    ["spaces", `blob  ${id}`],
    ["100 KB", `blob ${"A".repeat(10_000)}`],
  ])(
    "[E-140] takes the blob's id as metadata and nothing else: %s is refused, and nothing of it is on the disk",
    async (_what, metadata) => {
      const dataDirectory = temporaryDirectory();
      const server = await runServer({ dataDirectory });
      const headers = { "upload-length": "10", ...(metadata === undefined ? {} : { "upload-metadata": metadata }) };
      expect(await tus(server, { method: "POST", headers })).toMatchObject({ status: 400, code: "malformed" });
      expect(readdirSync(join(dataDirectory, "blobs", "uploads"))).toEqual([]);
    },
  );

  test("is of a length that is known, whole, and no more than the server says", async () => {
    const server = await runServer({ limits: { maxFileBytes: 1000 } });
    const create = (headers: Record<string, string>) =>
      tus(server, { method: "POST", headers: { "upload-metadata": blobMetadata(random(32)), ...headers } });
    expect(await create({ "upload-length": "1001" })).toMatchObject({ status: 413, code: "too_large" });
    for (const length of ["-1", "1e3", "", "2.5", "0010", "9".repeat(40)]) {
      expect(await create({ "upload-length": length }), length).toMatchObject({ status: 400 });
    }
    expect(await create({})).toMatchObject({ status: 400 });
    expect(await create({ "upload-defer-length": "1" })).toMatchObject({ status: 400 });
    expect(await create({ "upload-length": "10", "upload-concat": "partial" })).toMatchObject({ status: 400 });
    expect((await create({ "upload-length": "1000" })).status).toBe(201);
    const { path } = await createUpload(server, random(32), 100);
    expect(await sendPart(server, path, 0, random(101))).toMatchObject({ status: 413, code: "too_large" });
    expect(await (await fetch(`${server.url}${httpPaths.info}`)).json()).toMatchObject({ maxFileBytes: 1000 });
    const empty = random(32);
    expect((await createUpload(server, empty, 0)).status).toBe(201);
    expect(await readBlob(server, empty)).toEqual(new Uint8Array());
  });

  test("[E-140] goes on where it stands and nowhere else", async () => {
    const server = await runServer();
    const [blobId, bytes] = [random(32), random(1000)];
    const { path } = await createUpload(server, blobId, 1000);
    await sendPart(server, path, 0, bytes.subarray(0, 500));
    for (const offset of [0, 499, 501, 1000, 2 ** 40]) {
      expect(await sendPart(server, path, offset, bytes.subarray(0, 10)), String(offset)).toMatchObject({ status: 409, code: "stale" });
    }
    expect(await offsetOf(server, path)).toBe(500);
    expect((await sendPart(server, path, 500, new Uint8Array())).status).toBe(204);
    expect((await sendPart(server, path, 500, bytes.subarray(500))).status).toBe(204);
    expect(await readBlob(server, blobId)).toEqual(bytes);
    expect(await sendPart(server, path, 1000, random(1))).toMatchObject({ status: 204 });
    expect(await readBlob(server, blobId)).toEqual(bytes);
  });

  test("is ended by whoever has its path, and by nobody who has not; a blob that it became stays", async () => {
    const dataDirectory = temporaryDirectory();
    const server = await runServer({ dataDirectory });
    const [half, whole] = [await createUpload(server, random(32), 100), await createUpload(server, random(32), 100)];
    await sendPart(server, half.path, 0, random(50));
    const blobId = random(32);
    const kept = await createUpload(server, blobId, 10);
    await sendPart(server, kept.path, 0, random(10));
    const others = [toBase64Url(random(32)), "x", "..%2f..%2fserver", `${half.path.split("/").at(-1)}A`, "%00"];
    for (const token of others) {
      const path = `${httpPaths.uploads}/${token}`;
      expect(await offsetOf(server, path), token).toBe("status 404");
      expect(await tus(server, { method: "DELETE", path }), token).toMatchObject({ status: 404, code: "not_found" });
      expect(await sendPart(server, path, 0, random(10)), token).toMatchObject({ status: 404, code: "not_found" });
    }
    for (const { path } of [half, kept]) {
      expect((await tus(server, { method: "DELETE", path })).status).toBe(204);
      expect(await offsetOf(server, path)).toBe("status 404");
      expect((await tus(server, { method: "DELETE", path })).status).toBe(404);
    }
    expect(await offsetOf(server, whole.path)).toBe(0);
    expect(await readBlob(server, blobId)).toHaveLength(10);
    // Two files of the one that is left, neither of them called as its path is.
    const names = readdirSync(join(dataDirectory, "blobs", "uploads"));
    expect(names).toHaveLength(2);
    expect(names.join(" ")).not.toContain(whole.path.split("/").at(-1));
  });

  test("of another blob's id ends in a refusal, and the blob stays; of the same bytes it is the same", async () => {
    const dataDirectory = temporaryDirectory();
    const server = await runServer({ dataDirectory });
    const [blobId, bytes] = [random(32), random(1000)];
    await fetch(`${server.url}${blobPath(toBase64Url(blobId))}`, { method: "PUT", body: bytes.slice() });
    expect(await createUpload(server, blobId, 999)).toMatchObject({ status: 409, code: "conflict" });
    const other = await createUpload(server, blobId, 1000);
    expect(await sendPart(server, other.path, 0, random(1000))).toMatchObject({ status: 409, code: "conflict" });
    expect(await offsetOf(server, other.path)).toBe("status 404");
    const same = await createUpload(server, blobId, 1000);
    expect((await sendPart(server, same.path, 0, bytes)).status).toBe(204);
    expect(await readBlob(server, blobId)).toEqual(bytes);
    // Nothing but the mark of the one that is whole.
    expect(readdirSync(join(dataDirectory, "blobs", "uploads"))).toHaveLength(1);
  });

  test("[E-140] keeps what came of a part that breaks off, and ends it for whoever comes next; two never write at once", async () => {
    const dataDirectory = temporaryDirectory();
    const server = await runServer({ dataDirectory });
    const uploads = join(dataDirectory, "blobs", "uploads");
    const [blobId, bytes] = [random(32), random(400_000)];
    const { path } = await createUpload(server, blobId, bytes.length);
    const begin = async (offset: number, part: Uint8Array): Promise<{ ended: Promise<void>; destroy: () => void }> => {
      const socket = connect(server.port, "127.0.0.1");
      socket.on("error", () => undefined);
      const ended = new Promise<void>((resolve) => {
        socket.once("close", () => resolve());
      });
      const lines = [`PATCH ${path} HTTP/1.1`, "Host: localhost", "Tus-Resumable: 1.0.0", `Upload-Offset: ${String(offset)}`];
      lines.push("Content-Type: application/offset+octet-stream", `Content-Length: ${String(bytes.length - offset)}`, "", "");
      socket.write(lines.join("\r\n"));
      await new Promise<void>((resolve) => {
        socket.write(part, () => resolve());
      });
      return { ended, destroy: () => void socket.destroy() };
    };
    const gone = await begin(0, bytes.subarray(0, 100_000));
    gone.destroy();
    // Whoever asks ends it: first all has to have come.
    await expect.poll(() => readdirSync(uploads).map((name) => statSync(join(uploads, name)).size), { timeout: 20_000 }).toContain(100_000);
    expect(await offsetOf(server, path)).toBe(100_000);
    // This one stands still, as somebody's does who has lost the network.
    const still = await begin(100_000, bytes.subarray(100_000, 200_000));
    expect(await readBlob(server, blobId)).toBe(404);
    const told = await offsetOf(server, path);
    await still.ended;
    expect(told).toBeGreaterThanOrEqual(100_000);
    expect(told).toBeLessThanOrEqual(200_000);
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, () => sendPart(server, path, Number(told), bytes.subarray(Number(told))).catch(() => "ended")),
    );
    const statuses = outcomes.map((outcome) => (typeof outcome === "string" ? outcome : outcome.status));
    for (const status of statuses) expect([204, 409, 423, "ended"]).toContain(status);
    const rest = Number(await offsetOf(server, path));
    if (rest < bytes.length) expect((await sendPart(server, path, rest, bytes.subarray(rest))).status).toBe(204);
    expect(await readBlob(server, blobId)).toEqual(bytes);
  });
});

describe("what is on the disk", () => {
  test("[P1] tells the day, neither a name nor a token, and what is half is there after a restart", async () => {
    const dataDirectory = temporaryDirectory();
    const host = "latchkey.example";
    const [blobId, bytes] = [random(32), random(100_000)];
    const first = await runServer({ dataDirectory, host });
    const { path } = await createUpload(first, blobId, bytes.length);
    await sendPart(first, path, 0, bytes.subarray(0, 60_000));
    const whole = random(32);
    const other = await createUpload(first, whole, 10);
    await sendPart(first, other.path, 0, bytes.subarray(0, 10));
    const uploads = join(dataDirectory, "blobs", "uploads");
    for (const name of readdirSync(uploads)) expect(statSync(join(uploads, name)).mtimeMs % dayMs).toBe(0);
    await first.close();
    const again = await runServer({ dataDirectory, host });
    expect([await offsetOf(again, path), await offsetOf(again, other.path)]).toEqual([60_000, 10]);
    expect((await sendPart(again, path, 60_000, bytes.subarray(60_000))).status).toBe(204);
    expect(await readBlob(again, blobId)).toEqual(bytes);
  });

  test("[E-141] counts only as far as the mark's hash says: what lies behind it, or was damaged, is sent again", async () => {
    const dataDirectory = temporaryDirectory();
    const host = "latchkey.example";
    const [blobId, bytes] = [random(32), random(100_000)];
    const first = await runServer({ dataDirectory, host });
    const [{ path }, damaged] = [await createUpload(first, blobId, bytes.length), await createUpload(first, random(32), 100)];
    await sendPart(first, path, 0, bytes.subarray(0, 60_000));
    await sendPart(first, path, 60_000, bytes.subarray(60_000, 80_000));
    await sendPart(first, damaged.path, 0, bytes.subarray(0, 50));
    await sendPart(first, damaged.path, 50, bytes.subarray(50, 70));
    await first.close();
    const uploads = join(dataDirectory, "blobs", "uploads");
    for (const name of readdirSync(uploads)) {
      if (name.endsWith(".mark")) continue;
      const file = readFileSync(join(uploads, name));
      if (file.length === 80_000) {
        // As a power cut leaves it: longer than what was told, and the last part not there.
        file.fill(0, 70_000);
        writeFileSync(join(uploads, name), Buffer.concat([file, random(5000)]));
      } else {
        file[0] = 255 - (file[0] ?? 0);
        writeFileSync(join(uploads, name), file);
      }
    }
    const again = await runServer({ dataDirectory, host });
    expect([await offsetOf(again, path), await offsetOf(again, damaged.path)]).toEqual([60_000, 0]);
    // What was good is kept until what follows it is.
    expect((await sendPart(again, path, 60_000, bytes.subarray(60_000, 90_000))).status).toBe(204);
    await again.close();
    for (const name of readdirSync(uploads)) {
      if (name.endsWith(".mark") || statSync(join(uploads, name)).size !== 90_000) continue;
      writeFileSync(join(uploads, name), Buffer.concat([bytes.subarray(0, 70_000), new Uint8Array(20_000)]));
    }
    const last = await runServer({ dataDirectory, host });
    expect(await offsetOf(last, path)).toBe(60_000);
    expect((await sendPart(last, path, 60_000, bytes.subarray(60_000))).status).toBe(204);
    expect(await readBlob(last, blobId)).toEqual(bytes);
  });

  test("[E-141] of which a kill came between the last byte and the blob's row is finished when somebody asks for it", async () => {
    const dataDirectory = temporaryDirectory();
    const host = "latchkey.example";
    const [blobId, bytes] = [random(32), random(1000)];
    const first = await runServer({ dataDirectory, host });
    const { path } = await createUpload(first, blobId, bytes.length);
    await sendPart(first, path, 0, bytes.subarray(0, 600));
    await first.close();
    // As it stands then: all bytes, their mark, and the file of the blob without a row.
    const uploads = join(dataDirectory, "blobs", "uploads");
    const name = readdirSync(uploads).find((each) => !each.endsWith(".mark")) ?? "";
    writeFileSync(join(uploads, name), bytes);
    const mark = readFileSync(join(uploads, `${name}.mark`));
    const point = encodePoint({ offset: 1000, sha256: sha256(bytes) }, "first");
    mark.set(point.bytes, point.position);
    writeFileSync(join(uploads, `${name}.mark`), mark);
    const place = join(dataDirectory, "blobs", toHex(blobId.subarray(0, 1)), toBase64Url(blobId));
    mkdirSync(join(place, ".."), { recursive: true });
    linkSync(join(uploads, name), place);
    const again = await runServer({ dataDirectory, host });
    await expect.poll(() => existsSync(place), { timeout: 20_000 }).toBe(false);
    expect(await readBlob(again, blobId)).toBe(404);
    expect(await offsetOf(again, path)).toBe(1000);
    expect(await readBlob(again, blobId)).toEqual(bytes);
    expect(readdirSync(uploads)).toEqual([`${name}.mark`]);
  });

  test("goes a day later, and not before; what is no upload goes with the start", async () => {
    let nowMs = 20_000 * dayMs + 80_000_000;
    const dataDirectory = temporaryDirectory();
    const host = "latchkey.example";
    const first = await runServer({ dataDirectory, host }, { nowMs: () => nowMs });
    const { path } = await createUpload(first, random(32), 100);
    await sendPart(first, path, 0, random(50));
    await first.close();
    const uploads = join(dataDirectory, "blobs", "uploads");
    for (const name of ["0123456789abcdef", "half", "broken.mark"]) writeFileSync(join(uploads, name), "x");
    nowMs += dayMs;
    const second = await runServer({ dataDirectory, host }, { nowMs: () => nowMs });
    expect(readdirSync(uploads)).toHaveLength(2);
    expect(await offsetOf(second, path)).toBe(50);
    await second.close();
    nowMs += dayMs;
    const third = await runServer({ dataDirectory, host }, { nowMs: () => nowMs });
    await expect.poll(() => offsetOf(third, path), { timeout: 20_000 }).toBe("status 404");
    await expect.poll(() => readdirSync(uploads), { timeout: 20_000 }).toEqual([]);
    expect(existsSync(uploads)).toBe(true);
  });
});

test("an upload of a day to come, which a clock left that was ahead, goes a day later as every other does", async () => {
  let nowMs = 20_000 * dayMs + 80_000_000;
  const dataDirectory = temporaryDirectory();
  const host = "latchkey.example";
  const first = await runServer({ dataDirectory, host }, { nowMs: () => nowMs });
  const { path } = await createUpload(first, random(32), 100);
  await first.close();
  nowMs -= 2 * dayMs;
  const parts = { nowMs: () => nowMs };
  const second = await runServer({ dataDirectory, host, iKnow: ["clock"] }, parts);
  const head = await tus(second, { method: "HEAD", path });
  expect(Date.parse(head.headers.get("upload-expires") ?? "")).toBe(20_000 * dayMs);
});

describe("bounds", () => {
  const visitor = (url: string, last: number) => ({ url, visitor: `203.0.113.${String(last)}` });

  test("one address has so many uploads that are not whole, and others have theirs; whole ones do not count", async () => {
    const server = await runServer({ trustProxy: "loopback", limits: { maxUploadsPerAddress: 3 } });
    const [mallory, alice] = [visitor(server.url, 9), visitor(server.url, 1)];
    for (let round = 0; round < 5; round++) {
      const { path } = await createUpload(mallory, random(32), 10);
      expect((await sendPart(mallory, path, 0, random(10))).status).toBe(204);
    }
    const paths: string[] = [];
    for (let round = 0; round < 3; round++) paths.push((await createUpload(mallory, random(32), 10)).path);
    const refused = await createUpload(mallory, random(32), 10);
    expect(refused).toMatchObject({ status: 429, code: "rate_limited" });
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await createUpload(alice, random(32), 10)).status).toBe(201);
    await tus(mallory, { method: "DELETE", path: paths[0] ?? "" });
    expect((await createUpload(mallory, random(32), 10)).status).toBe(201);
  });

  test("where all places are taken the longest untouched of who has most goes for the newcomer", async () => {
    const dataDirectory = temporaryDirectory();
    const server = await runServer({ dataDirectory, trustProxy: "loopback", limits: { maxUploads: 6, maxUploadsPerAddress: 5 } });
    const [mallory, alice] = [visitor(server.url, 9), visitor(server.url, 1)];
    const own = (await createUpload(alice, random(32), 10)).path;
    const paths: string[] = [];
    for (let round = 0; round < 5; round++) paths.push((await createUpload(mallory, random(32), 10)).path);
    await sendPart(mallory, paths[0] ?? "", 0, random(5));
    for (let round = 0; round < 2; round++) expect((await createUpload(alice, random(32), 10)).status).toBe(201);
    expect(await Promise.all(paths.map((path) => offsetOf(mallory, path)))).toEqual([5, "status 404", "status 404", 0, 0]);
    expect(await offsetOf(alice, own)).toBe(0);
    expect(readdirSync(join(dataDirectory, "blobs", "uploads"))).toHaveLength(12);
  });

  test("bytes count to the address as they come, and not those that did not", async () => {
    const rates = { ...defaultLimits.rates, blobBytes: { burst: 100_000, perSecond: 0.001 } };
    const server = await runServer({ trustProxy: "loopback", limits: { rates } });
    const [mallory, alice] = [visitor(server.url, 9), visitor(server.url, 1)];
    const { path } = await createUpload(mallory, random(32), 300_000);
    expect((await sendPart(mallory, path, 7, random(90_000))).status).toBe(409);
    expect((await sendPart(mallory, path, 0, random(90_000))).status).toBe(204);
    expect((await sendPart(mallory, path, 90_000, random(90_000))).status).toBe(204);
    expect(await sendPart(mallory, path, 180_000, random(90_000))).toMatchObject({ status: 429, code: "rate_limited" });
    expect(await offsetOf(mallory, path)).toBe(180_000);
    const other = await createUpload(alice, random(32), 10);
    expect((await sendPart(alice, other.path, 0, random(10))).status).toBe(204);
  });

  test("all blobs together, a half one too, after a restart as well, take no more than the operator allows", async () => {
    const dataDirectory = temporaryDirectory();
    const options = { dataDirectory, host: "latchkey.example", limits: { maxStoredBlobBytes: 1000 } };
    const first = await runServer(options);
    expect(await createUpload(first, random(32), 1001)).toMatchObject({ status: 507, code: "storage_full" });
    const [one, two] = [await createUpload(first, random(32), 900), await createUpload(first, random(32), 900)];
    expect((await sendPart(first, one.path, 0, random(600))).status).toBe(204);
    expect(await sendPart(first, two.path, 0, random(500))).toMatchObject({ status: 507, code: "storage_full" });
    expect((await sendPart(first, two.path, 0, random(300))).status).toBe(204);
    await first.close();
    const again = await runServer(options);
    expect(await sendPart(again, two.path, 300, random(200))).toMatchObject({ status: 507 });
    expect((await tus(again, { method: "DELETE", path: two.path })).status).toBe(204);
    expect((await sendPart(again, one.path, 600, random(300))).status).toBe(204);
    expect(await createUpload(again, random(32), 101)).toMatchObject({ status: 507 });
    expect((await createUpload(again, random(32), 100)).status).toBe(201);
  });

  test("with the disk's reserve touched none begins or goes on, and what came stays", async () => {
    const dataDirectory = temporaryDirectory();
    const host = "latchkey.example";
    const first = await runServer({ dataDirectory, host });
    const { path } = await createUpload(first, random(32), 100);
    await sendPart(first, path, 0, random(50));
    await first.close();
    const full = await runServer({ dataDirectory, host, limits: { minFreeBytes: Number.MAX_SAFE_INTEGER } });
    expect(await createUpload(full, random(32), 100)).toMatchObject({ status: 507, code: "storage_full" });
    expect(await sendPart(full, path, 50, random(50))).toMatchObject({ status: 507, code: "storage_full" });
    expect(await offsetOf(full, path)).toBe(50);
  });
});
