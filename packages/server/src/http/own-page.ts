import { readAtMost } from "@latchkey/codec";
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
  const bytes = await readAtMost(body ?? null, maxBytes);
  if (bytes === undefined) throw new Refusal("too_large");
  return bytes;
}
