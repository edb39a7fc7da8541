import { deskRequestFilesPath, requestLimits } from "@latchkey/protocol/desk";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import { Readable } from "node:stream";
import { peerOf } from "../addresses.ts";
import { DeskError } from "../desk/office/desk-error.ts";
import type { OfficeKeeper } from "../desk/office/office-keeper.ts";
import { Refusal } from "../errors.ts";
import { giveUp } from "../give-up.ts";
import { arriving } from "./arriving.ts";
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
    if (Number(request.headers["content-length"] ?? 0) > sizeBytes - fromByte) throw new Refusal("too_large");
    // The server's parser hands over the request itself.
    const body = request.body as IncomingMessage | null | undefined;
    let next = fromByte;
    for await (const bytes of inParts(body ?? Readable.from([]), sizeBytes - fromByte)) {
      const { length } = bytes;
      await office.appendFile({ ...at, ...times(), fromByte: next, bytes });
      next += length;
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
    const parts = async function* (): AsyncGenerator<Uint8Array> {
      for (let part = 1, last = first; last.length > 0; part += 1) {
        const isWhole = last.length === partBytes;
        yield last;
        if (!isWhole) return;
        last = await office.filePart({ ...at, ...times(), part }).catch((error: unknown) => {
          if (error instanceof DeskError && error.code === "not_found") return new Uint8Array();
          throw error;
        });
      }
    };
    const headers = { "cache-control": "no-store", "content-type": "application/octet-stream", "content-disposition": "attachment" };
    reply.headers(headers).hijack();
    await sendParts(reply, parts());
    return reply;
  });
}

/** Sends what comes, and gives up each part as soon as the system has it: a stream would hold some of them, and leave all to be collected. */
async function sendParts(reply: FastifyReply, parts: AsyncIterable<Uint8Array>): Promise<void> {
  const { raw } = reply;
  try {
    // What has been set here are texts.
    raw.writeHead(200, reply.getHeaders() as OutgoingHttpHeaders);
    for await (const part of parts) {
      await new Promise<void>((resolve, reject) => {
        raw.once("close", resolve);
        raw.write(part, (error) => {
          raw.off("close", resolve);
          if (error instanceof Error) reject(error);
          else resolve();
        });
      });
      if (raw.destroyed) return;
      giveUp(part);
    }
    raw.end();
  } catch {
    // Whoever reads sees that not all of it came.
    raw.destroy();
  }
}

/** Parts of a body as the desk takes them; a last one that is smaller only where all of it is there. @throws Refusal `too_large` */
async function* inParts(body: Readable, most: number): AsyncGenerator<Uint8Array> {
  let part = new Uint8Array(Math.min(partBytes, most));
  let [filled, left] = [0, most];
  for await (const portion of arriving(body, { bytes: 0 })) {
    for (const chunk of portion) {
      if (chunk.length > left) throw new Refusal("too_large");
      left -= chunk.length;
      for (let at = 0; at < chunk.length;) {
        const piece = chunk.subarray(at, at + part.length - filled);
        part.set(piece, filled);
        filled += piece.length;
        at += piece.length;
        if (filled < part.length) continue;
        yield part;
        part = new Uint8Array(Math.min(partBytes, left + chunk.length - at));
        filled = 0;
      }
    }
  }
}
