import { toBase64Url } from "@latchkey/codec";
import type { Platform } from "../platform/platform.ts";

/** What a request asked for. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly bytes: number;
}

/** A host of blobs in memory: whole ones in parts by Range, and uploads by tus 1.0.0. */
export interface FakeHost {
  readonly fetch: typeof fetch;
  readonly blobs: Map<string, Uint8Array>;
  /** Uploads that are not whole, by their names. */
  readonly uploads: Map<string, { readonly id: string; readonly totalBytes: number; bytes: Uint8Array }>;
  readonly asked: Asked[];
  /** What a request is answered with instead; `undefined`: as usual. Throwing, the network fails. */
  instead: (asked: Asked) => Promise<Response | undefined> | Response | undefined;
  /** What becomes of an answer on its way. Throwing, it is lost. */
  after: (asked: Asked, response: Response) => Response;
}

export function createFakeHost(): FakeHost {
  let names = 0;
  const host: FakeHost = {
    blobs: new Map(),
    uploads: new Map(),
    asked: [],
    instead: () => undefined,
    after: (_asked, response) => response,
    async fetch(input, init = {}) {
      // Only texts are asked for here, and only bytes are sent.
      const [url, body] = [new URL(input as string), (init.body ?? new Uint8Array(0)) as Uint8Array];
      const asked: Asked = {
        method: init.method ?? "GET",
        path: url.pathname,
        headers: new Headers(init.headers),
        bytes: body.length,
      };
      host.asked.push(asked);
      await Promise.resolve();
      init.signal?.throwIfAborted();
      const answer = (await host.instead(asked)) ?? answerOf(host, asked, body, () => `upload-name-${String(++names).padStart(8, "0")}`);
      init.signal?.throwIfAborted();
      return host.after(asked, answer);
    },
  };
  return host;
}

/** A platform whose clock and waits take no time. @param waits how long was waited; without it nobody waits, and all timers are limits of requests */
export function hostPlatform(host: FakeHost, waits?: number[]): Pick<Platform, "fetch" | "setTimer" | "random" | "nowMs" | "sha256"> {
  let nowMs = 1_700_000_000_000;
  return {
    fetch: host.fetch,
    nowMs: () => (nowMs += 10),
    random: (size) => new Uint8Array(size).fill(255),
    sha256: () => new Uint8Array(32),
    setTimer(delayMs, run) {
      // The limits of requests never come.
      if (waits === undefined || delayMs === 15_000) return () => undefined;
      waits.push(delayMs);
      const timer = setTimeout(run, 0);
      return () => clearTimeout(timer);
    },
  };
}

export function refusal(status: number, code?: string): Response {
  return new Response(code === undefined ? "<html>" : JSON.stringify({ code }), { status });
}

function answerOf(host: FakeHost, { method, path, headers }: Asked, body: Uint8Array, nameOf: () => string): Response {
  const blob = /^\/v1\/blobs\/([\w-]{43})$/.exec(path)?.[1];
  if (blob !== undefined && method === "PUT") {
    host.blobs.set(blob, body.slice());
    return new Response(null, { status: 204 });
  }
  if (blob !== undefined) return blobAnswer(host.blobs.get(blob), headers.get("range"));
  if (method === "POST") {
    const name = nameOf();
    const metadata = /^blob (\S+)$/.exec(headers.get("upload-metadata") ?? "")?.[1] ?? "";
    const totalBytes = Number(headers.get("upload-length"));
    host.uploads.set(name, { id: toBase64Url(Buffer.from(metadata, "base64")), totalBytes, bytes: new Uint8Array(0) });
    return new Response(null, { status: 201, headers: { location: `/v1/uploads/${name}` } });
  }
  const name = path.slice("/v1/uploads/".length);
  const upload = host.uploads.get(name);
  if (upload === undefined) return refusal(404, "not_found");
  if (method === "DELETE") {
    host.uploads.delete(name);
    return new Response(null, { status: 204 });
  }
  if (method === "PATCH") {
    if (Number(headers.get("upload-offset")) !== upload.bytes.length) return refusal(409, "stale");
    upload.bytes = Buffer.concat([upload.bytes, body]);
    if (upload.bytes.length === upload.totalBytes) host.blobs.set(upload.id, upload.bytes);
  }
  return new Response(null, { status: method === "HEAD" ? 200 : 204, headers: { "upload-offset": String(upload.bytes.length) } });
}

function blobAnswer(bytes: Uint8Array | undefined, range: string | null): Response {
  if (bytes === undefined) return refusal(404, "not_found");
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? "") ?? [];
  if (first === undefined) return new Response(new Uint8Array(bytes));
  const [from, to] = [Number(first), Math.min(Number(last) + 1, bytes.length)];
  if (from >= bytes.length) return refusal(416, "malformed");
  const headers = { "content-range": `bytes ${from}-${to - 1}/${bytes.length}` };
  return new Response(bytes.slice(from, to), { status: 206, headers });
}
