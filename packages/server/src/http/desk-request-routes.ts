import { deskRequestFilesPath, requestLimits } from "@latchkey/protocol/desk";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { peerOf } from "../addresses.ts";
import { DeskError } from "../desk/office/desk-error.ts";
import type { OfficeKeeper } from "../desk/office/office-keeper.ts";
import { Refusal } from "../errors.ts";
import { cookieOf } from "./desk-api-routes.ts";
import type { DeskApiRoutes } from "./desk-api-routes.ts";
import { isOwnPage } from "./own-page.ts";

const { partBytes } = requestLimits;

type FileRequest = FastifyRequest<{ Params: { number: string; file: string } }>;

interface Call {
  readonly office: OfficeKeeper;
  readonly at: { readonly session: string; readonly number: number; readonly file: number };
}

/**
 * The bytes of files of requests, which never lie whole in memory: they go to and from the desk in parts. Nothing of one is read that was not
 * announced, or that says that it is larger; a browser saves it and never shows it.
 */
export function addDeskRequestRoutes(app: FastifyInstance, routes: DeskApiRoutes & { readonly isLow: () => boolean }): void {
  const { context, admission, proxies, isLow } = routes;
  const { host, nowMs, elapsedMs } = context;
  const path = `${deskRequestFilesPath}/:number/:file`;
  const times = (): { nowMs: number; passedMs: number } => ({ nowMs: nowMs(), passedMs: elapsedMs() });
  const admitStranger = (request: FastifyRequest): void => admission.admit("deskRefused", { address: peerOf(request.raw, proxies) });

  /** Whom it is asked of, and what; `undefined` where there is nothing like that. */
  const callOf = (request: FileRequest): Call | undefined => {
    const office = routes.office();
    const session = cookieOf(request);
    if (session === "") admitStranger(request);
    const [number, file] = [Number(request.params.number), Number(request.params.file)];
    const isNamed = Number.isSafeInteger(number) && Number.isSafeInteger(file);
    return office?.isBegun === true && isNamed && isOwnPage(request, host) ? { office, at: { session, number, file } } : undefined;
  };
  /** A cookie that opens nothing is as good as none. */
  const counted = async <Value>(request: FastifyRequest, work: Promise<Value>): Promise<Value> => {
    try {
      return await work;
    } catch (error) {
      if (error instanceof DeskError && error.code === "not_signed_in" && cookieOf(request) !== "") admitStranger(request);
      throw error;
    }
  };

  app.put(path, { bodyLimit: requestLimits.fileBytes }, async (request: FileRequest, reply): Promise<FastifyReply> => {
    const call = callOf(request);
    if (call === undefined) {
      reply.callNotFound();
      return reply;
    }
    const { office, at } = call;
    const { sizeBytes, hereBytes } = await counted(request, office.awaitedFile({ ...at, ...times() }));
    if (isLow()) throw new Refusal("storage_full");
    const fromByte = Number(request.headers["upload-offset"] ?? 0);
    if (!(fromByte >= 0 && fromByte <= hereBytes && fromByte % partBytes === 0)) throw new DeskError("changed");
    if (Number(request.headers["content-length"] ?? 0) > sizeBytes - fromByte) {
      void reply.header("connection", "close");
      throw new Refusal("too_large");
    }
    // The server's parser hands over the request itself.
    const body = request.body as IncomingMessage | null | undefined;
    let next = fromByte;
    for await (const bytes of inParts(body ?? Readable.from([]), sizeBytes - fromByte)) {
      await office.appendFile({ ...at, ...times(), fromByte: next, bytes });
      next += bytes.length;
    }
    return reply.header("cache-control", "no-store").send({ hereBytes: next });
  });

  app.get(path, async (request: FileRequest, reply): Promise<FastifyReply> => {
    const call = callOf(request);
    if (call === undefined) {
      reply.callNotFound();
      return reply;
    }
    const { office, at } = call;
    // Before the first byte: why not, if not.
    const first = await counted(request, office.filePart({ ...at, ...times(), part: 0 }));
    const parts = async function* (): AsyncGenerator<Buffer> {
      yield asBuffer(first);
      for (let part = 1, last = first; last.length === partBytes; part += 1) {
        const more = await office.filePart({ ...at, ...times(), part }).catch((error: unknown) => {
          if (error instanceof DeskError && error.code === "not_found") return new Uint8Array();
          throw error;
        });
        if (more.length > 0) yield asBuffer(more);
        last = more;
      }
    };
    const headers = { "cache-control": "no-store", "content-type": "application/octet-stream", "content-disposition": "attachment" };
    return reply.headers(headers).send(Readable.from(parts()));
  });
}

/** The same bytes, not copied. */
function asBuffer({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}

/** Parts of a body as the desk takes them; a last one that is smaller only where all of it is there. @throws Refusal `too_large` */
async function* inParts(body: AsyncIterable<Buffer>, most: number): AsyncGenerator<Uint8Array> {
  let waiting: Buffer[] = [];
  let [size, seen] = [0, 0];
  for await (const chunk of body) {
    waiting.push(chunk);
    size += chunk.length;
    seen += chunk.length;
    if (seen > most) throw new Refusal("too_large");
    while (size >= partBytes) {
      const all = Buffer.concat(waiting);
      yield new Uint8Array(all.subarray(0, partBytes));
      waiting = [all.subarray(partBytes)];
      size -= partBytes;
    }
  }
  if (size > 0 && seen === most) yield new Uint8Array(Buffer.concat(waiting));
}
