import { toBase64Url, toHex, utf8Bytes } from "@latchkey/codec";
import { productVersion } from "@latchkey/protocol";
import { closeSync, mkdirSync, openSync, readdirSync, statSync, utimesSync, writeFileSync, writeSync } from "node:fs";
import { get as get443 } from "node:https";
import { get as getPlain } from "node:http";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { createBackup } from "../backup/backup.ts";
import { defaultLimits, maxFileBytes } from "../config.ts";
import { sha256 } from "../hash.ts";
import { startServer } from "../server.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import type { RunningServer } from "../server.ts";
import {
  createLog,
  createTestLog,
  entryBytes,
  isOnPostgres,
  none,
  openLog,
  random,
  readMetrics,
  runServer,
  temporaryDirectory,
  zeros,
} from "../testing/fixtures.ts";
import { TestClient } from "../testing/test-client.ts";
import { createUpload, offsetOf, sendPart } from "../testing/tus.ts";
import { issueCertificate } from "../testing/issue-certificate.ts";

async function put(url: string, blobId: Uint8Array, body: Uint8Array): Promise<number> {
  const response = await fetch(`${url}/v1/blobs/${toBase64Url(blobId)}`, { method: "PUT", body: new Uint8Array(body) });
  await response.arrayBuffer();
  return response.status;
}

function get(url: string, blobId: Uint8Array, range?: string): Promise<Response> {
  return fetch(`${url}/v1/blobs/${toBase64Url(blobId)}`, { headers: range === undefined ? {} : { range } });
}

describe("blobs", () => {
  test("a blob is stored once and never changes; the same bytes again are a retry", async () => {
    const server = await runServer();
    const blobId = random(32);
    const bytes = random(300_000);
    expect(await put(server.url, blobId, bytes)).toBe(201);
    expect(await put(server.url, blobId, bytes)).toBe(200);
    expect(await put(server.url, blobId, random(300_000))).toBe(409);
    const response = await get(server.url, blobId);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/octet-stream");
    expect(response.headers.get("cache-control")).toContain("immutable");
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes);
  });

  test("of uploads of one name at the same time one wins, whole", async () => {
    const server = await runServer();
    for (let round = 0; round < 5; round++) {
      const blobId = random(32);
      const contents = Array.from({ length: 8 }, () => entryBytes(20_000));
      const statuses = await Promise.all(contents.map((content) => put(server.url, blobId, content)));
      expect(statuses.filter((status) => status === 201)).toHaveLength(1);
      expect(statuses.filter((status) => status === 409)).toHaveLength(7);
      const stored = new Uint8Array(await (await get(server.url, blobId)).arrayBuffer());
      expect(stored).toEqual(contents[statuses.indexOf(201)]);
    }
  });

  test("parts of a blob are served", async () => {
    const server = await runServer();
    const blobId = random(32);
    const bytes = random(100_000);
    await put(server.url, blobId, bytes);
    const part = async (range: string): Promise<{ status: number; bytes: Uint8Array; range: string | null }> => {
      const response = await get(server.url, blobId, range);
      return { status: response.status, bytes: new Uint8Array(await response.arrayBuffer()), range: response.headers.get("content-range") };
    };
    expect(await part("bytes=10-19")).toEqual({ status: 206, bytes: bytes.slice(10, 20), range: "bytes 10-19/100000" });
    expect(await part("bytes=99990-")).toEqual({ status: 206, bytes: bytes.slice(99_990), range: "bytes 99990-99999/100000" });
    expect(await part("bytes=-5")).toEqual({ status: 206, bytes: bytes.slice(-5), range: "bytes 99995-99999/100000" });
    expect(await part("bytes=99999-200000")).toMatchObject({ status: 206, range: "bytes 99999-99999/100000" });
    expect(await part("bytes=100000-")).toMatchObject({ status: 416, range: "bytes */100000" });
    expect(await part("bytes=0-1,4-5")).toMatchObject({ status: 200 });
  });

  test("whatever was uploaded is a file to be kept, for every browser: no page, no script, nothing of this origin", async () => {
    const server = await runServer();
    const blobId = random(32);
    await put(server.url, blobId, utf8Bytes("<script>alert(1)</script>"));
    for (const response of [await get(server.url, blobId), await get(server.url, blobId, "bytes=0-3"), await get(server.url, random(32))]) {
      const headers = ["content-disposition", "x-content-type-options", "content-security-policy", "cross-origin-resource-policy"];
      expect(headers.map((name) => response.headers.get(name))).toEqual([
        "attachment",
        "nosniff",
        "default-src 'none'; sandbox",
        "same-origin",
      ]);
      expect(response.headers.get("content-type")).toMatch(/^application\/(?:octet-stream|json)/);
    }
  });

  test("a blob of more than 2 GiB is served in parts, counted, and copied", async ({ skip }) => {
    skip(isOnPostgres);
    const dataDirectory = temporaryDirectory();
    await (await runServer({ dataDirectory, host: "latchkey.example" })).close();
    const [blobId, sizeBytes, end] = [random(32), maxFileBytes, random(1000)];
    const path = join(dataDirectory, "blobs", (blobId[0] ?? 0).toString(16).padStart(2, "0"), toBase64Url(blobId));
    mkdirSync(join(path, ".."), { recursive: true });
    // A hole with an end: it takes no room.
    const file = openSync(path, "wx");
    writeSync(file, end, 0, end.length, sizeBytes - end.length);
    closeSync(file);
    const store = await openSqliteStore({ directory: dataDirectory });
    const expiresDay = Math.floor(Date.now() / 86_400_000) + 2;
    await store.addBlob({ blobId, sha256: random(32), sizeBytes, expiresDay });
    await store.close();
    const server = await runServer({ dataDirectory, host: "latchkey.example" });
    const head = await fetch(`${server.url}/v1/blobs/${toBase64Url(blobId)}`, { method: "HEAD" });
    expect(head.headers.get("content-length")).toBe(String(sizeBytes));
    const last = await get(server.url, blobId, `bytes=${String(sizeBytes - 1000)}-`);
    expect(last.headers.get("content-range")).toBe(`bytes ${String(sizeBytes - 1000)}-${String(sizeBytes - 1)}/${String(sizeBytes)}`);
    expect(new Uint8Array(await last.arrayBuffer())).toEqual(end);
    expect((await get(server.url, blobId, `bytes=${String(sizeBytes)}-`)).status).toBe(416);
    const half = await createUpload(server, random(32), 1000);
    await sendPart(server, half.path, 0, random(500));
    const made = await createBackup({ dataDirectory, to: temporaryDirectory(), passphrase: undefined, nowMs: Date.now() });
    expect(made.manifest.blobs).toEqual({ count: 1, bytes: sizeBytes, missing: 0 });
    expect(readdirSync(join(made.path, "blobs"))).toEqual([toHex(blobId.subarray(0, 1))]);
    expect(await offsetOf(server, half.path)).toBe(500);
  });

  test("of a blob that nobody reads a few pieces are in memory, however large it is and however many ask for it", async () => {
    const server = await runServer();
    const [blobId, readers] = [random(32), 100];
    await put(server.url, blobId, random(30_000_000));
    const heldBytes = async (): Promise<number> => {
      for (let round = 0; round < 20; round++) await new Promise((resolve) => setTimeout(resolve, 10));
      return process.memoryUsage().arrayBuffers;
    };
    const before = await heldBytes();
    const sockets = Array.from({ length: readers }, () => {
      const socket = connect(server.port, "127.0.0.1");
      // A little of the answer has come, and the rest waits.
      const begun = new Promise<void>((resolve) => {
        socket.once("readable", () => resolve());
      });
      socket.write(`GET /v1/blobs/${toBase64Url(blobId)} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      return { socket, begun };
    });
    await Promise.all(sockets.map(({ begun }) => begun));
    expect((await heldBytes()) - before).toBeLessThan(readers * 524_288);
    for (const { socket } of sockets) socket.destroy();
  });

  test("empty blobs, unknown and malformed names", async () => {
    const server = await runServer();
    const empty = random(32);
    expect(await put(server.url, empty, new Uint8Array())).toBe(201);
    expect((await (await get(server.url, empty)).arrayBuffer()).byteLength).toBe(0);
    expect(await (await get(server.url, random(32))).json()).toEqual({ code: "unknown_blob", retryAfterMs: 0 });
    for (const name of ["x", "..%2f..%2fserver", "A".repeat(44), `${toBase64Url(random(32))}=`]) {
      expect((await fetch(`${server.url}/v1/blobs/${name}`)).status).toBe(404);
    }
  });

  test("a blob above the limit is refused, announced or not, and leaves nothing behind", async () => {
    const dataDirectory = temporaryDirectory();
    const server = await runServer({ dataDirectory, limits: { maxBlobBytes: 10_000 } });
    const path = `${server.url}/v1/blobs/${toBase64Url(random(32))}`;
    expect((await fetch(path, { method: "PUT", body: new Uint8Array(10_001) })).status).toBe(413);
    const stream = new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(4000));
      },
    });
    const streamed = await fetch(path, { method: "PUT", body: stream, duplex: "half" }).then(
      ({ status }) => status,
      () => "reset",
    );
    // Undici reports the reset where the server ends the endless upload first.
    expect([413, "reset"]).toContain(streamed);
    await expect.poll(() => readdirSync(join(dataDirectory, "blobs", "uploads"))).toEqual([]);
    expect((await fetch(path)).status).toBe(404);
  });

  test("an upload that breaks off leaves nothing behind, and can be done again", async () => {
    const dataDirectory = temporaryDirectory();
    const server = await runServer({ dataDirectory });
    const blobId = random(32);
    const abort = new AbortController();
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue(random(50_000));
        setTimeout(() => abort.abort(), 50);
      },
    });
    const path = `${server.url}/v1/blobs/${toBase64Url(blobId)}`;
    await expect(fetch(path, { method: "PUT", body: stream, duplex: "half", signal: abort.signal })).rejects.toThrow();
    await expect.poll(() => readdirSync(join(dataDirectory, "blobs", "uploads"))).toEqual([]);
    expect(await put(server.url, blobId, random(100))).toBe(201);
  });

  test("a full disk refuses blobs, new logs and new accounts before messages", async () => {
    const dataDirectory = temporaryDirectory();
    const log = createTestLog();
    const before = await runServer({ dataDirectory });
    await createLog(await TestClient.connect(before.url, "log"), log);
    await before.close();
    const server = await runServer({ dataDirectory, limits: { minFreeBytes: Number.MAX_SAFE_INTEGER } });
    expect(await put(server.url, random(32), random(10))).toBe(507);
    const client = await TestClient.connect(server.url, "log");
    expect(await client.outcome({ kind: "create", logId: random(32), accessHash: zeros, token: none })).toBe("storage_full");
    const device = await TestClient.connect(server.url, "device");
    expect(await device.outcome({ kind: "reserve", username: "alice", invitation: "", token: none })).toBe("storage_full");
    await openLog(client, log);
    const message = { kind: "append", logId: log.logId, epochId: 0, entryKind: "message", blob: entryBytes(512) } as const;
    expect(await client.outcome(message)).toBe("accepted");
  });

  test("uploads from one address are limited", async () => {
    const server = await runServer({ limits: { rates: { ...defaultLimits.rates, putBlob: { burst: 1, perSecond: 0.1 } } } });
    expect(await put(server.url, random(32), random(10))).toBe(201);
    const refused = await fetch(`${server.url}/v1/blobs/${toBase64Url(random(32))}`, { method: "PUT", body: random(10).slice() });
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  });

  test("[C-4] a blob named by an entry outlives one that is not; files carry the day only", async () => {
    const day = 86_400_000;
    let nowMs = 20_000 * day + 12_345_678;
    const dataDirectory = temporaryDirectory();
    const first = await runServer({ dataDirectory }, { nowMs: () => nowMs });
    const kept = random(32);
    const unused = random(32);
    const content = random(1000);
    await put(first.url, kept, content);
    await put(first.url, unused, random(1000));
    const shard = join(dataDirectory, "blobs", (kept[0] ?? 0).toString(16).padStart(2, "0"));
    expect(statSync(join(shard, toBase64Url(kept))).mtimeMs).toBe(20_000 * day);
    const client = await TestClient.connect(first.url, "log");
    const log = createTestLog();
    await createLog(client, log);
    const append = {
      kind: "append",
      logId: log.logId,
      epochId: 0,
      entryKind: "message",
      blob: entryBytes(512, [{ blobId: kept, hash: sha256(content), sizeBytes: 1000 }]),
    } as const;
    expect(await client.outcome(append)).toBe("accepted");
    await first.close();
    nowMs += 4 * day;
    const second = await runServer({ dataDirectory, iKnow: ["clock"] }, { nowMs: () => nowMs });
    await expect.poll(async () => (await get(second.url, unused)).status).toBe(404);
    expect((await get(second.url, kept)).status).toBe(200);
  });
});

describe("the rest of HTTP", () => {
  test("health, info, and metrics without anybody's name", async () => {
    const server = await runServer({ serverName: "Newsroom", retentionDays: 7 });
    expect(await (await fetch(`${server.url}/healthz`)).json()).toEqual({ status: "ok", version: productVersion, reasons: [] });
    expect(await (await fetch(`${server.url}/v1/info`)).json()).toMatchObject({
      host: server.host,
      name: "Newsroom",
      registration: "open",
      retentionDays: 7,
    });
    const client = await TestClient.connect(server.url, "log");
    await createLog(client, createTestLog());
    const metrics = await readMetrics(server);
    expect(metrics).toMatch(/^latchkey_requests_total 1$/m);
    expect(metrics).toMatch(/^latchkey_connections\{role="log"\} 1$/m);
    expect(metrics).toMatch(/^latchkey_watched_logs 1$/m);
  });

  test("metrics are on a port of this machine alone, which no proxy in front of the server leads to", async () => {
    const server = await runServer();
    expect((await fetch(`${server.url}/metrics`)).status).toBe(404);
    const metricsUrl = server.metricsUrl ?? "";
    expect(new URL(metricsUrl).hostname).toBe("127.0.0.1");
    expect((await fetch(metricsUrl)).status).toBe(200);
    expect((await fetch(metricsUrl, { method: "POST" })).status).toBe(404);
    expect((await fetch(new URL("/", metricsUrl))).status).toBe(404);
    // A page in a browser on this machine, whose name was made to point here.
    const { promise, resolve } = Promise.withResolvers<number | undefined>();
    getPlain(metricsUrl, { headers: { host: "evil.example" } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    expect(await promise).toBe(404);
    await using unasked = await startServer({ port: 0, dataDirectory: temporaryDirectory(), logLevel: "silent" });
    expect(unasked.metricsUrl).toBeUndefined();
  });

  test("behind a proxy limits count by the address that the proxy wrote, not by what the peer claims", async () => {
    const rates = { ...defaultLimits.rates, putBlob: { burst: 1, perSecond: 0.01 } };
    const server = await runServer({ trustProxy: true, limits: { rates } });
    const upload = async (forwarded: string): Promise<number> => {
      const path = `${server.url}/v1/blobs/${toBase64Url(random(32))}`;
      return (await fetch(path, { method: "PUT", body: "x", headers: { "x-forwarded-for": forwarded } })).status;
    };
    expect(await upload("203.0.113.5")).toBe(201);
    expect(await upload("198.51.100.1, 203.0.113.5")).toBe(429);
    expect(await upload("203.0.113.6")).toBe(201);
    expect(await upload("2001:db8::1")).toBe(201);
    expect(await upload("2001:db8::2")).toBe(429);
  });

  test("[E-91] X-Forwarded-Proto of a trusted proxy says that the page came by TLS; nobody else's counts", async () => {
    const [behind, alone] = [await runServer({ trustProxy: "loopback" }), await runServer()];
    const policyOf = async (server: RunningServer, proto: string): Promise<{ isSecure: boolean; isKept: boolean }> => {
      const { headers } = await fetch(`${server.url}/healthz`, { headers: { "x-forwarded-proto": proto } });
      const isSecure = headers.get("content-security-policy")?.includes("wss://") ?? false;
      return { isSecure, isKept: headers.has("strict-transport-security") };
    };
    expect(await policyOf(behind, "https")).toEqual({ isSecure: true, isKept: true });
    for (const [server, proto] of [
      [behind, "http"],
      [behind, "x".repeat(4000)],
      [alone, "https"],
    ] as const)
      expect(await policyOf(server, proto)).toEqual({ isSecure: false, isKept: false });
  });

  test("TLS by itself: the same over https and wss", async () => {
    const { cert, key } = issueCertificate(["localhost"]);
    const server = await runServer({ tls: { cert, key: new TextEncoder().encode(key) } });
    expect(server.url).toMatch(/^https:/);
    const { status, headers } = await new Promise<{ status: number | undefined; headers: Record<string, unknown> }>((resolve, reject) => {
      get443({ port: server.port, path: "/healthz", ca: cert, host: "localhost" }, (response) => {
        response.resume();
        resolve({ status: response.statusCode, headers: response.headers });
      }).on("error", reject);
    });
    expect(status).toBe(200);
    expect(headers["strict-transport-security"]).toBe("max-age=31536000");
    expect(headers["content-security-policy"]).toContain(`wss://localhost:${server.port}`);
    const client = await TestClient.connect(server.url, "log", { ca: cert });
    const log = createTestLog();
    await createLog(client, log);
    const append = { kind: "append", logId: log.logId, epochId: 0, entryKind: "message" } as const;
    const blobs = Array.from({ length: 50 }, () => entryBytes(20_000));
    await Promise.all(blobs.map((blob) => client.ask({ ...append, blob })));
    expect(await client.take(50)).toMatchObject(blobs.map((blob, index) => ({ seq: index + 1, blob })));
  });

  test("every answer carries a strict policy", async () => {
    const server = await runServer();
    for (const path of ["/", "/healthz", "/nothing", "/v1/uploads", "/v1/info"]) {
      const { headers } = await fetch(server.url + path);
      const policy = headers.get("content-security-policy") ?? "";
      for (const directive of [
        "default-src 'none'",
        "script-src 'self'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
      ]) {
        expect(policy).toContain(directive);
      }
      expect(policy).toContain("require-trusted-types-for 'script'; trusted-types latchkey-worker");
      expect(policy).toContain(`connect-src 'self' ws://localhost:${server.port}`);
      expect(policy).not.toContain("unsafe");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
    }
  });

  test("the web app: its page for its own paths, assets for ever, nothing outside its folder", async () => {
    const webRoot = temporaryDirectory();
    mkdirSync(join(webRoot, "assets"));
    writeFileSync(join(webRoot, "index.html"), "<!doctype html><title>app</title>");
    writeFileSync(join(webRoot, "assets", "app-1234.js"), "export {};");
    writeFileSync(join(webRoot, "manifest.webmanifest"), "{}");
    writeFileSync(join(webRoot, ".secret"), "no");
    writeFileSync(join(webRoot, "assets", "big-1.css"), "a { color: red }\n".repeat(500));
    const server = await runServer({ webRoot });
    const page = await fetch(`${server.url}/conversations/abc`);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain("<title>app</title>");
    expect(page.headers.get("cache-control")).toBe("no-cache");
    expect((await fetch(`${server.url}/`)).headers.get("cache-control")).toBe("no-cache");
    const asset = await fetch(`${server.url}/assets/app-1234.js`);
    expect(asset.headers.get("cache-control")).toContain("immutable");
    expect(asset.headers.get("content-type")).toContain("javascript");
    expect((await fetch(`${server.url}/index.html`)).headers.get("cache-control")).toBe("no-cache");
    const etag = asset.headers.get("etag") ?? "";
    expect((await fetch(`${server.url}/assets/app-1234.js`, { headers: { "if-none-match": etag } })).status).toBe(304);
    expect((await fetch(`${server.url}/.secret`)).status).toBe(404);
    expect((await fetch(`${server.url}/assets/gone.js`)).status).toBe(404);
    // What the app's worker answers is never a page, should it ever be asked for here.
    expect((await fetch(`${server.url}/media/0123456789abcdef`)).status).toBe(404);
    expect((await fetch(`${server.url}/v1/nothing`)).status).toBe(404);
    expect((await fetch(`${server.url}/%2e%2e/%2e%2e/etc/passwd`)).status).not.toBe(500);
    expect(await (await fetch(`${server.url}/%2e%2e/%2e%2e/etc/passwd`)).text()).not.toContain("root:");
    expect((await fetch(`${server.url}/`, { method: "POST", body: "x" })).status).toBe(404);
  });

  test("a worker that computes in WebAssembly may compile that and reach nobody; no other file may, and no page becomes one", async () => {
    const script = new TextEncoder().encode("export {};");
    const page = new TextEncoder().encode("<!doctype html>");
    const webRoot = new Map([
      ["index.html", page],
      ["assets/wasm-opaque-1.js", script],
      ["assets/app-1.js", script],
      ["wasm-other.js", script],
    ]);
    const server = await runServer({ webRoot });
    const policyOf = async (path: string): Promise<string> => (await fetch(server.url + path)).headers.get("content-security-policy") ?? "";
    expect(await policyOf("/assets/wasm-opaque-1.js")).toBe(
      "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; require-trusted-types-for 'script'; trusted-types 'none'",
    );
    for (const path of [
      "/",
      "/assets/app-1.js",
      "/wasm-other.js",
      "/assets/wasm-opaque-2.js",
      "/assets/wasm-",
      "/c/assets/wasm-opaque-1.js",
    ])
      expect(await policyOf(path), path).not.toContain("wasm-unsafe-eval");
    const same = await fetch(`${server.url}/assets/wasm-opaque-1.js`);
    expect(same.headers.get("cross-origin-embedder-policy")).toBe("require-corp");
  });

  test("[O-6] what another app shares is not read, and leads to the page that says that it is gone", async () => {
    const webRoot = temporaryDirectory();
    writeFileSync(join(webRoot, "index.html"), "<!doctype html><title>app</title>");
    const server = await runServer({ webRoot });
    const body = new FormData();
    body.append("text", "nobody's business");
    body.append("files", new Blob([new Uint8Array(5_000_000)]), "a.bin");
    const answer = await fetch(`${server.url}/share`, { method: "POST", body, redirect: "manual" });
    expect([answer.status, answer.headers.get("location"), answer.headers.get("connection")]).toEqual([303, "/share", "close"]);
    expect((await fetch(`${server.url}/share`)).status).toBe(200);
  });

  test("assets are compressed where the browser takes it, and a new build is taken up with the next page", async () => {
    const webRoot = temporaryDirectory();
    mkdirSync(join(webRoot, "assets"));
    writeFileSync(join(webRoot, "index.html"), "one");
    const style = "a { color: red }\n".repeat(500);
    writeFileSync(join(webRoot, "assets", "big-1.css"), style);
    const server = await runServer({ webRoot });
    const ask = (): Promise<Response> => fetch(`${server.url}/assets/big-1.css`, { headers: { "accept-encoding": "gzip, br" } });
    await expect.poll(async () => (await ask()).headers.get("content-encoding")).toBe("br");
    expect(await (await ask()).text()).toBe(style);
    const codingFor = async (accepted: string): Promise<string | null> => {
      const answer = await fetch(`${server.url}/assets/big-1.css`, { headers: { "accept-encoding": accepted } });
      expect([await answer.text(), answer.headers.get("vary")]).toEqual([style, "accept-encoding"]);
      return answer.headers.get("content-encoding");
    };
    await expect.poll(() => codingFor("gzip, deflate")).toBe("gzip");
    expect(await codingFor("identity")).toBeNull();
    expect(await codingFor("br;q=0, GZIP;q=0.5")).toBe("gzip");
    expect(await codingFor("br;q=0, gzip;q=0.0")).toBeNull();
    expect(await codingFor("*")).toBe("br");
    // Each is a representation of its own: whoever has one and now takes another is not told that nothing changed.
    const tagOf = async (accepted: string): Promise<string> =>
      (await fetch(`${server.url}/assets/big-1.css`, { headers: { "accept-encoding": accepted } })).headers.get("etag") ?? "";
    const tags = [await tagOf("br"), await tagOf("gzip"), await tagOf("identity")];
    expect(new Set(tags).size).toBe(3);
    const again = (accepted: string): Promise<Response> =>
      fetch(`${server.url}/assets/big-1.css`, { headers: { "accept-encoding": accepted, "if-none-match": `W/${tags[1] ?? ""}, "x"` } });
    expect([(await again("gzip")).status, (await again("br")).status]).toEqual([304, 200]);
    writeFileSync(join(webRoot, "index.html"), "two");
    utimesSync(join(webRoot, "index.html"), 1, 2);
    writeFileSync(join(webRoot, "assets", "new-2.js"), "2");
    expect(await (await fetch(`${server.url}/`)).text()).toBe("two");
    expect(await (await fetch(`${server.url}/assets/new-2.js`)).text()).toBe("2");
  });

  test("a web app of files, as the single executable carries it: its own compression is served, and is no file", async () => {
    const style = utf8Bytes("a { color: red }\n".repeat(500));
    const compressed = new Uint8Array(brotliCompressSync(style));
    const zipped = new Uint8Array(gzipSync(style));
    const webRoot = new Map([
      ["index.html", utf8Bytes("page")],
      ["assets/big-1.css", style],
      ["assets/big-1.css.br", compressed],
      ["assets/big-1.css.gz", zipped],
    ]);
    const server = await runServer({ webRoot });
    expect(await (await fetch(`${server.url}/settings`)).text()).toBe("page");
    const asset = await fetch(`${server.url}/assets/big-1.css`, { headers: { "accept-encoding": "br" } });
    expect(asset.headers.get("content-length")).toBe(String(compressed.length));
    expect(new Uint8Array(await asset.arrayBuffer())).toEqual(style);
    const older = await fetch(`${server.url}/assets/big-1.css`, { headers: { "accept-encoding": "gzip" } });
    expect(older.headers.get("content-length")).toBe(String(zipped.length));
    expect(new Uint8Array(await older.arrayBuffer())).toEqual(style);
    for (const ending of ["br", "gz"]) expect((await fetch(`${server.url}/assets/big-1.css.${ending}`)).status).toBe(404);
  });

  test("without a web app the page says so", async () => {
    const server = await runServer();
    expect(await (await fetch(`${server.url}/`)).text()).toContain("without a web app");
  });
});

describe("starting", () => {
  const start = (options: Partial<Parameters<typeof startServer>[0]>): Promise<unknown> =>
    startServer({ port: 0, dataDirectory: temporaryDirectory(), logLevel: "silent", ...options }).then(
      (server) => server.close().then(() => "started"),
      (error: unknown) => error,
    );

  test("a port in use gives one line that says what to do, and leaves the data directory free", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => {
      other.listen(0, "127.0.0.1", resolve);
    });
    const address = other.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const dataDirectory = temporaryDirectory();
    expect(await start({ port, dataDirectory })).toMatchObject({
      name: "ServerError",
      code: "port_in_use",
      message: `Port ${port} is in use: stop what uses it, or choose another port.`,
    });
    other.close();
    expect(await start({ dataDirectory })).toBe("started");
  });

  test("two servers cannot use one data directory", async ({ skip }) => {
    skip(isOnPostgres);
    const dataDirectory = temporaryDirectory();
    await runServer({ dataDirectory });
    expect(await start({ dataDirectory })).toMatchObject({ code: "data_locked" });
  });

  test("options that cannot be are named", async () => {
    expect(await start({ host: "Not A Host" })).toMatchObject({ code: "invalid_options" });
    expect(await start({ port: 70_000 })).toMatchObject({ code: "invalid_options" });
    expect(await start({ address: "203.0.113.7" })).toMatchObject({ code: "address_not_allowed" });
    const file = join(temporaryDirectory(), "file");
    writeFileSync(file, "");
    expect(await start({ dataDirectory: join(file, "data") })).toMatchObject({ code: "data_unusable" });
  });
});
