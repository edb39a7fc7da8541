import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { extname, join, relative, resolve, sep } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import type { ServerOptions } from "../config.ts";
import { wasmWorkerPolicy } from "./security-headers.ts";

const noApp = "Latchkey runs here, without a web app: build it and start again, or use the command line.\n";

const types: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
  ".mjs": "text/javascript; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
  ".webp": "image/webp",
  ".woff2": "font/woff2",
};
const compressible: ReadonlySet<string> = new Set([
  ".css",
  ".html",
  ".js",
  ".json",
  ".map",
  ".mjs",
  ".svg",
  ".txt",
  ".wasm",
  ".webmanifest",
]);
const minCompressedBytes = 1024;
/** The web app's service worker. */
const workerPath = "/sw.js";
/** Workers of the web app that compute in WebAssembly. */
const wasmPath = "/assets/wasm-";
/** Of the web app's manifest. */
const sharePath = "/share";

/** How content can be coded, the best first, and how a file's name ends that is coded so. */
const codings = [
  ["br", ".br"],
  ["gzip", ".gz"],
] as const;
type Coding = (typeof codings)[number][0];

interface Asset {
  readonly bytes: Buffer;
  readonly type: string;
  readonly hash: string;
  readonly cacheControl: string;
  /** In place of the page's. */
  readonly policy?: string;
  /** The same compressed: absent until it is made in the background, and where it does not pay. */
  readonly coded: Map<Coding, Buffer>;
}

interface Bundle {
  /** By URL path. */
  readonly assets: ReadonlyMap<string, Asset>;
  readonly page: Asset;
  readonly builtAtMs: number;
}

/**
 * Serves the built web app from memory: hashed assets for ever, its page always fresh, and the page for every path of
 * the app's own. Only what was in the folder, or among the files, can be asked for. A new build in the folder is taken up with
 * the next page, or when the app's service worker is asked for. Files `NAME.br` and `NAME.gz` are `NAME` compressed already, and are not served as files of their own.
 */
export function addWebApp(app: FastifyInstance, webRoot: ServerOptions["webRoot"]): void {
  const root = typeof webRoot === "string" ? resolve(webRoot) : undefined;
  let bundle = root === undefined ? (typeof webRoot === "object" ? bundleOf(webRoot, 0) : undefined) : load(root);
  const current = (): Bundle | undefined => {
    if (root !== undefined && bundle !== undefined && builtAt(root) !== bundle.builtAtMs) bundle = load(root) ?? bundle;
    return bundle;
  };
  app.addHook("onRequest", (request, reply, done) => {
    if (request.method === "POST" && request.url === sharePath) refuseShare(reply);
    else done();
  });
  app.setNotFoundHandler((request, reply) => {
    if (request.method !== "GET" && request.method !== "HEAD") return notFound(reply);
    const path = request.url.split("?")[0] ?? "/";
    // Whoever keeps the app asks for its worker alone, to learn of a new build.
    const asset = (path === workerPath ? current() : bundle)?.assets.get(path);
    if (asset !== undefined && asset !== bundle?.page) return send(request, reply, asset);
    // A path with an extension, of the API, or of what the app's own worker answers, is no page.
    if (path !== "/index.html" && (path.startsWith("/v1/") || path.startsWith("/media/") || /\.[a-z0-9]+$/i.test(path)))
      return notFound(reply);
    const page = current()?.page;
    if (page !== undefined) return send(request, reply, page);
    return path === "/" ? reply.type("text/plain; charset=utf-8").send(noApp) : notFound(reply);
  });
}

/**
 * What another app shares is for the app's worker in the browser; where that is missing, the browser sends it here (spec O-6). Nothing of it is read, and the
 * page says that it is gone.
 */
function refuseShare(reply: FastifyReply): void {
  void reply.header("location", sharePath).code(303).send();
}

function send(request: FastifyRequest, reply: FastifyReply, asset: Asset): FastifyReply {
  const accepted = acceptedCodings(request.headers["accept-encoding"] ?? "");
  const coding = codings.map(([name]) => name).find((name) => asset.coded.has(name) && accepted(name));
  // What is coded otherwise is another representation (RFC 9110 §8.8.3).
  const etag = coding === undefined ? `"${asset.hash}"` : `"${asset.hash}-${coding}"`;
  void reply.headers({ "content-type": asset.type, "cache-control": asset.cacheControl, etag, vary: "accept-encoding" });
  if (asset.policy !== undefined) void reply.header("content-security-policy", asset.policy);
  const known = (request.headers["if-none-match"] ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  if (known.includes(etag)) return reply.code(304).send();
  if (coding === undefined) return reply.send(asset.bytes);
  return reply.header("content-encoding", coding).send(asset.coded.get(coding));
}

/** Which codings a client takes (RFC 9110 §12.5.3): those that it names, or `*`, without a weight of nothing. */
function acceptedCodings(header: string): (coding: Coding) => boolean {
  const weights = new Map<string, number>();
  for (const item of header.toLowerCase().split(",")) {
    const [name = "", ...parameters] = item.split(";").map((part) => part.trim());
    const weight = parameters.find((parameter) => parameter.startsWith("q="));
    weights.set(name, weight === undefined ? 1 : Number(weight.slice(2)));
  }
  return (coding) => (weights.get(coding) ?? weights.get("*") ?? 0) > 0;
}

function notFound(reply: FastifyReply): FastifyReply {
  return reply.code(404).send({ code: "not_found" });
}

function builtAt(root: string): number | undefined {
  return statSync(join(root, "index.html"), { throwIfNoEntry: false })?.mtimeMs;
}

/** The folder's files, or `undefined` when it holds no app. */
function load(root: string): Bundle | undefined {
  const builtAtMs = builtAt(root);
  if (builtAtMs === undefined) return undefined;
  const files = new Map<string, Uint8Array>();
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name.startsWith(".")) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(relative(root, path).split(sep).join("/"), readFileSync(path));
  }
  return bundleOf(files, builtAtMs);
}

/** The files of an app, or `undefined` when its page is not among them. */
function bundleOf(files: ReadonlyMap<string, Uint8Array>, builtAtMs: number): Bundle | undefined {
  const assets = new Map<string, Asset>();
  for (const [path, bytes] of files) {
    if (codings.some(([, ending]) => path.endsWith(ending) && files.has(path.slice(0, -ending.length)))) continue;
    const coded = codings.flatMap(([name, ending]) => {
      const compressed = files.get(path + ending);
      return compressed === undefined ? [] : [[name, bufferOf(compressed)] as const];
    });
    assets.set(`/${path}`, createAsset(`/${path}`, bytes, new Map(coded)));
  }
  const page = assets.get("/index.html");
  if (page === undefined) return undefined;
  void compress(assets);
  return { assets, page, builtAtMs };
}

function createAsset(url: string, content: Uint8Array, coded: Map<Coding, Buffer>): Asset {
  const bytes = bufferOf(content);
  return {
    bytes,
    type: types[extname(url)] ?? "application/octet-stream",
    hash: createHash("sha256").update(bytes).digest("base64url").slice(0, 22),
    cacheControl: url.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
    ...(url.startsWith(wasmPath) ? { policy: wasmWorkerPolicy } : {}),
    coded,
  };
}

/** The same memory. */
function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Compresses one asset after the other, off this thread, where the build has not. */
async function compress(assets: ReadonlyMap<string, Asset>): Promise<void> {
  const [brotli, zip] = [promisify(brotliCompress), promisify(gzip)];
  const run: Readonly<Record<Coding, (bytes: Buffer) => Promise<Buffer>>> = {
    br: (bytes) => brotli(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 8, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }),
    gzip: (bytes) => zip(bytes, { level: 9 }),
  };
  for (const [url, { bytes, coded }] of assets) {
    if (!compressible.has(extname(url)) || bytes.length < minCompressedBytes) continue;
    for (const [name] of codings) {
      if (coded.has(name)) continue;
      const compressed = await run[name](bytes);
      if (compressed.length < bytes.length) coded.set(name, compressed);
    }
  }
}
