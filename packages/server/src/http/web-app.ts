import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { extname, join, relative, resolve, sep } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";
import type { ServerOptions } from "../config.ts";

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

interface Asset {
  readonly bytes: Buffer;
  readonly type: string;
  readonly etag: string;
  readonly cacheControl: string;
  /** Absent until it is made in the background, and where it does not pay. */
  brotli: Buffer | undefined;
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
 * the next page. A file `NAME.br` is `NAME` compressed already, and is not served as a file of its own.
 */
export function addWebApp(app: FastifyInstance, webRoot: ServerOptions["webRoot"]): void {
  const root = typeof webRoot === "string" ? resolve(webRoot) : undefined;
  let bundle = root === undefined ? (typeof webRoot === "object" ? bundleOf(webRoot, 0) : undefined) : load(root);
  const current = (): Bundle | undefined => {
    if (root !== undefined && bundle !== undefined && builtAt(root) !== bundle.builtAtMs) bundle = load(root) ?? bundle;
    return bundle;
  };
  app.setNotFoundHandler((request, reply) => {
    if (request.method !== "GET" && request.method !== "HEAD") return notFound(reply);
    const path = request.url.split("?")[0] ?? "/";
    const asset = bundle?.assets.get(path);
    if (asset !== undefined && asset !== bundle?.page) return send(request, reply, asset);
    // A path with an extension, or of the API, is no page.
    if (path !== "/index.html" && (path.startsWith("/v1/") || /\.[a-z0-9]+$/i.test(path))) return notFound(reply);
    const page = current()?.page;
    if (page !== undefined) return send(request, reply, page);
    return path === "/" ? reply.type("text/plain; charset=utf-8").send(noApp) : notFound(reply);
  });
}

function send(request: FastifyRequest, reply: FastifyReply, asset: Asset): FastifyReply {
  void reply.headers({ "content-type": asset.type, "cache-control": asset.cacheControl, etag: asset.etag, vary: "accept-encoding" });
  if (request.headers["if-none-match"] === asset.etag) return reply.code(304).send();
  const accepted = (request.headers["accept-encoding"] ?? "").split(",").map((name) => name.trim().split(";")[0]);
  const isBrotli = asset.brotli !== undefined && accepted.includes("br");
  if (isBrotli) void reply.header("content-encoding", "br");
  return reply.send(isBrotli ? asset.brotli : asset.bytes);
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
    if (path.endsWith(".br") && files.has(path.slice(0, -3))) continue;
    assets.set(`/${path}`, createAsset(`/${path}`, bytes, files.get(`${path}.br`)));
  }
  const page = assets.get("/index.html");
  if (page === undefined) return undefined;
  void compress(assets);
  return { assets, page, builtAtMs };
}

function createAsset(url: string, content: Uint8Array, compressed: Uint8Array | undefined): Asset {
  const bytes = bufferOf(content);
  return {
    bytes,
    type: types[extname(url)] ?? "application/octet-stream",
    etag: `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`,
    cacheControl: url.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
    brotli: compressed === undefined ? undefined : bufferOf(compressed),
  };
}

/** The same memory. */
function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Compresses one asset after the other, off this thread. */
async function compress(assets: ReadonlyMap<string, Asset>): Promise<void> {
  const run = promisify(brotliCompress);
  for (const [url, asset] of assets) {
    if (asset.brotli !== undefined || !compressible.has(extname(url)) || asset.bytes.length < minCompressedBytes) continue;
    const params = { [constants.BROTLI_PARAM_QUALITY]: 8, [constants.BROTLI_PARAM_SIZE_HINT]: asset.bytes.length };
    const compressed = await run(asset.bytes, { params });
    if (compressed.length < asset.bytes.length) asset.brotli = compressed;
  }
}
