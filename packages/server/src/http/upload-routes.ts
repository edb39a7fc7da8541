import { fromBase64Url } from "@latchkey/codec";
import { httpPaths } from "@latchkey/protocol";
import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { peerOf } from "../addresses.ts";
import type { TrustedProxies } from "../addresses.ts";
import type { Admission, Source } from "../admission/admission.ts";
import type { UploadService, UploadState } from "../blobs/uploads.ts";
import type { ServerContext } from "../config.ts";
import { dayMs } from "../days.ts";
import { Refusal } from "../errors.ts";
import { arriving } from "./arriving.ts";
import type { Waiting } from "./arriving.ts";

const version = "1.0.0";
const extensions = "creation,expiration,termination";
const partType = "application/offset+octet-stream";
/** What an address pays for at a time, ahead of what comes. */
const paidBytes = 4_194_304;
const blobIdBytes = 32;

/** What the routes need. */
export interface UploadRoutes {
  readonly uploads: Pick<UploadService, "create" | "look" | "append" | "remove">;
  readonly admission: Admission;
  readonly context: Pick<ServerContext, "limits">;
  readonly proxies: TrustedProxies;
}

/**
 * Blobs that are uploaded in parts, by tus 1.0.0 with its extensions for creation, expiration and termination. Whoever has an upload's path
 * may go on with it; the path's last part is a secret of the server's. The only metadata are `blob`, the id under which it will lie.
 */
export function addUploadRoutes(app: FastifyInstance, { uploads, admission, context, proxies }: UploadRoutes): void {
  const { maxFileBytes } = context.limits;
  const waiting: Waiting = { bytes: 0 };
  const path = `${httpPaths.uploads}/:token`;
  type OfUpload = { Params: { token: string } };
  const sourceOf = ({ raw }: FastifyRequest): Source => ({ address: peerOf(raw, proxies) });

  app.options(httpPaths.uploads, (_request, reply) => describe(reply, maxFileBytes));
  app.options(path, (_request, reply) => describe(reply, maxFileBytes));

  app.post(httpPaths.uploads, async (request, reply) => {
    speakTus(request, reply);
    const source = sourceOf(request);
    admission.admit("putBlob", source);
    if (request.headers["upload-defer-length"] !== undefined || request.headers["upload-concat"] !== undefined) {
      throw new Refusal("malformed");
    }
    const sizeBytes = parseBytes(request.headers["upload-length"]);
    const blobId = parseMetadata(request.headers["upload-metadata"]);
    const { token, state } = await uploads.create({ blobId, sizeBytes, address: source.address });
    return reply
      .code(201)
      .headers({ location: `${httpPaths.uploads}/${token}`, ...expiry(state) })
      .send();
  });

  app.head<OfUpload>(path, async (request, reply) => {
    speakTus(request, reply);
    admission.admit("patchUpload", sourceOf(request));
    const state = await uploads.look(request.params.token);
    if (state === undefined) throw new Refusal("not_found");
    const { blobId, sizeBytes, offset } = state;
    return reply
      .headers({
        "cache-control": "no-store",
        "upload-offset": offset,
        "upload-length": sizeBytes,
        "upload-metadata": `blob ${Buffer.from(blobId).toString("base64")}`,
        ...expiry(state),
      })
      .send();
  });

  app.patch<OfUpload>(path, { bodyLimit: maxFileBytes }, async (request, reply) => {
    speakTus(request, reply);
    const source = sourceOf(request);
    admission.admit("patchUpload", source);
    if (request.headers["content-type"] !== partType) return reply.code(415).send({ code: "malformed" });
    const offset = parseBytes(request.headers["upload-offset"]);
    const outcome = await uploads
      .append(request.params.token, {
        offset,
        content: paid(portionsOf(request, waiting), (bytes) => admission.admit("blobBytes", source, bytes), announcedOf(request)),
        end: () => request.raw.destroy(),
      })
      .finally(() => passOver(request));
    if (outcome === undefined) throw new Refusal("not_found");
    switch (outcome.kind) {
      case "elsewhere":
        return reply.code(409).send({ code: "stale" });
      case "different":
        return reply.code(409).send({ code: "conflict" });
      case "superseded":
        return reply.code(423).send({ code: "stale" });
      case "taken":
        return reply
          .code(204)
          .headers({ "upload-offset": outcome.state.offset, ...expiry(outcome.state) })
          .send();
    }
  });

  app.delete<OfUpload>(path, async (request, reply) => {
    speakTus(request, reply);
    admission.admit("patchUpload", sourceOf(request));
    if (!(await uploads.remove(request.params.token))) throw new Refusal("not_found");
    return reply.code(204).send();
  });
}

function describe(reply: FastifyReply, maxFileBytes: number): FastifyReply {
  return reply
    .code(204)
    .headers({ "tus-resumable": version, "tus-version": version, "tus-extension": extensions, "tus-max-size": maxFileBytes })
    .send();
}

/** Both sides say which version they speak. @throws Refusal `unsupported` */
function speakTus(request: FastifyRequest, reply: FastifyReply): void {
  void reply.header("tus-resumable", version);
  if (request.headers["tus-resumable"] === version) return;
  void reply.header("tus-version", version);
  throw new Refusal("unsupported");
}

/** When an upload goes that nobody finished: at the end of a day, since the server keeps no finer time of it. */
function expiry({ offset, sizeBytes, expiresDay }: UploadState): { readonly "upload-expires"?: string } {
  return offset === sizeBytes ? {} : { "upload-expires": new Date(expiresDay * dayMs).toUTCString() };
}

function parseBytes(text: string | string[] | undefined): number {
  if (typeof text !== "string" || !/^(?:0|[1-9][0-9]{0,14})$/.test(text)) throw new Refusal("malformed");
  return Number(text);
}

/** `blob` and the id in base64, and nothing else: what a person's file is called or is, the server is not to be told. */
function parseMetadata(text: string | string[] | undefined): Uint8Array {
  const encoded = typeof text === "string" ? /^blob ([A-Za-z0-9+/]{43}=)$/.exec(text)?.[1] : undefined;
  if (encoded === undefined) throw new Refusal("malformed");
  try {
    const id = fromBase64Url(encoded.slice(0, -1).replaceAll("+", "-").replaceAll("/", "_"));
    if (id.length === blobIdBytes) return id;
  } catch {
    // Not the one encoding of its bytes.
  }
  throw new Refusal("malformed");
}

/** The rest of a part that is refused is let by, so that whoever sends it hears why. */
function passOver(request: FastifyRequest): void {
  if (!request.raw.complete && announcedOf(request) <= 2 * paidBytes) request.raw.resume();
}

function announcedOf(request: FastifyRequest): number {
  const announced = Number(request.headers["content-length"]);
  return Number.isSafeInteger(announced) ? announced : Infinity;
}

/** A request's body, in portions. */
function portionsOf(request: FastifyRequest, waiting: Waiting): AsyncIterable<readonly Uint8Array[]> {
  // The parser of `acceptStreams` hands over the request itself; without a body there is none.
  const body = request.body as IncomingMessage | null | undefined;
  return arriving(body ?? Readable.from([]), waiting);
}

/** Pays for what comes a little ahead, and for no more than was announced: who is cut off has not paid for the rest. */
async function* paid(
  content: AsyncIterable<readonly Uint8Array[]>,
  pay: (bytes: number) => void,
  announced: number,
): AsyncGenerator<readonly Uint8Array[]> {
  let [due, ahead] = [announced, 0];
  for await (const portion of content) {
    const bytes = portion.reduce((sum, { length }) => sum + length, 0);
    while (ahead < bytes) {
      const next = Math.max(1, Math.min(paidBytes, due));
      pay(next);
      ahead += next;
      due -= next;
    }
    ahead -= bytes;
    yield portion;
  }
}
