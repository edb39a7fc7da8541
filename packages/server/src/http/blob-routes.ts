import { fromBase64Url } from "@latchkey/codec";
import { blobPath } from "@latchkey/protocol";
import { Readable } from "node:stream";
import type { IncomingMessage } from "node:http";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { peerOf } from "../addresses.ts";
import type { TrustedProxies } from "../addresses.ts";
import type { Admission } from "../admission/admission.ts";
import type { BlobService } from "../blobs/blob-service.ts";
import { Refusal } from "../errors.ts";
import { giveUp } from "../give-up.ts";

/** What the routes need. */
export interface BlobRoutes {
  readonly blobs: Pick<BlobService, "put" | "find">;
  readonly admission: Admission;
  readonly maxBlobBytes: number;
  readonly proxies: TrustedProxies;
}

/** PUT and GET of blobs. */
export function addBlobRoutes(app: FastifyInstance, services: BlobRoutes): void {
  const { blobs, admission, maxBlobBytes, proxies } = services;
  const path = blobPath(":id");

  app.put<{ Params: { id: string } }>(path, { bodyLimit: maxBlobBytes }, async (request, reply) => {
    const blobId = parseId(request.params.id);
    const source = { address: peerOf(request.raw, proxies) };
    admission.admit("putBlob", source);
    const announced = Number(request.headers["content-length"] ?? 0);
    if (announced > maxBlobBytes) throw new Refusal("too_large");
    const isAnnounced = request.headers["content-length"] !== undefined;
    if (isAnnounced) admission.admit("blobBytes", source, announced);
    const spend = (bytes: number): void => {
      if (!isAnnounced) admission.admit("blobBytes", source, bytes);
    };
    const outcome = await blobs.put(blobId, spending(contentOf(request), spend));
    if (outcome === "different") return reply.code(409).send({ code: "conflict" });
    return reply.code(outcome === "created" ? 201 : 200).send({ code: "done" });
  });

  app.get<{ Params: { id: string } }>(path, async (request, reply) => {
    // Whatever somebody uploaded, no browser takes it for a page, a script or a picture of this origin, nor runs anything in it.
    void reply.headers({ "content-disposition": "attachment", "content-security-policy": "default-src 'none'; sandbox" });
    const blob = await blobs.find(parseId(request.params.id));
    if (blob === undefined) throw new Refusal("unknown_blob");
    const { sizeBytes } = blob;
    const range = parseRange(request, sizeBytes);
    const isRead = range !== "unsatisfiable" && request.method !== "HEAD" && sizeBytes > 0;
    const content = isRead ? await blob.read(range ?? { first: 0, last: sizeBytes - 1 }) : undefined;
    if (isRead ? content === undefined : !(await blob.isThere())) throw new Refusal("unknown_blob");
    void reply.headers({
      "content-type": "application/octet-stream",
      "cache-control": "private, max-age=31536000, immutable",
      "accept-ranges": "bytes",
    });
    if (range === "unsatisfiable") return reply.code(416).header("content-range", `bytes */${sizeBytes}`).send("");
    // Without a body the length would be said to be that of none.
    if (content === undefined) return reply.header("content-length", sizeBytes).send(Readable.from([]));
    const { first, last } = range ?? { first: 0, last: sizeBytes - 1 };
    if (range !== undefined) void reply.code(206).header("content-range", `bytes ${first}-${last}/${sizeBytes}`);
    return reply.header("content-length", last - first + 1).send(content);
  });
}

/** A request's body. Giving up on it leaves the connection, over which the refusal goes. */
function contentOf(request: FastifyRequest): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  // The parser below hands over the request itself.
  const body = request.body as IncomingMessage | null | undefined;
  return body === null || body === undefined ? [] : body.iterator({ destroyOnReturn: false });
}

/** Lets bodies of blobs through as streams. */
export function acceptStreams(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
}

/** Tells how much has come, as it comes. A piece is gone when the next is asked for. */
async function* spending(
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  spend: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of content) {
    spend(chunk.length);
    yield chunk;
    giveUp(chunk);
  }
}

function parseId(text: string): Uint8Array {
  try {
    const id = fromBase64Url(text);
    if (id.length === 32) return id;
  } catch {
    // Not base64url: no blob has such a name.
  }
  throw new Refusal("unknown_blob");
}

/** One range of bytes (RFC 9110 section 14); several, or other units, get the whole. */
function parseRange(request: FastifyRequest, size: number): { first: number; last: number } | "unsatisfiable" | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? "");
  if (match === null) return undefined;
  const [, from = "", to = ""] = match;
  if (from === "" && to === "") return undefined;
  if (from === "") {
    const count = Math.min(Number(to), size);
    return count === 0 ? "unsatisfiable" : { first: size - count, last: size - 1 };
  }
  const first = Number(from);
  const last = to === "" ? size - 1 : Math.min(Number(to), size - 1);
  return first > last || first >= size ? "unsatisfiable" : { first, last };
}
