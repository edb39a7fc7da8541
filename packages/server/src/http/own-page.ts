import type { FastifyRequest } from "fastify";
import type { IncomingMessage } from "node:http";
import { Refusal } from "../errors.ts";
import { isOwnOrigin } from "../ws/origin.ts";

/** Whether a request comes from a page of this server, or from no page at all. */
export function isOwnPage(request: FastifyRequest, host: string): boolean {
  const site = request.headers["sec-fetch-site"];
  return isOwnOrigin(request.headers, host) && (site === undefined || site === "same-origin");
}

/** All of a request's body, as text. @throws Refusal `too_large` */
export async function readBody(request: FastifyRequest, maxBytes: number): Promise<string> {
  return Buffer.from(await readBytes(request, maxBytes)).toString("utf8");
}

/** All of a request's body. @throws Refusal `too_large` */
export async function readBytes(request: FastifyRequest, maxBytes: number): Promise<Uint8Array> {
  // The server's parser hands over the request itself; without a body there is none.
  const body = request.body as IncomingMessage | null | undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  // Without an encoding, chunks are buffers.
  for await (const chunk of (body ?? []) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new Refusal("too_large");
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}
