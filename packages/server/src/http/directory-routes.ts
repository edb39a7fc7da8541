import { httpPaths } from "@latchkey/protocol";
import { TransparencyError, parseTilePath } from "@latchkey/transparency";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { peerOf } from "../addresses.ts";
import type { TrustedProxies } from "../addresses.ts";
import type { Admission } from "../admission/admission.ts";
import { Refusal } from "../errors.ts";
import type { DirectoryLogStore } from "../store/directory-store.ts";

/** What the routes read. */
export type DirectoryFiles = Pick<
  DirectoryLogStore,
  "servedCheckpoint" | "hashTile" | "entryTile" | "transition" | "directoryStatus" | "configChange"
>;

/** What the routes need. */
export interface DirectoryRoutes {
  readonly files: DirectoryFiles;
  readonly admission: Admission;
  readonly proxies: TrustedProxies;
}

const immutable = "public, max-age=31536000, immutable";
const bytes = "application/octet-stream";

/**
 * The directory's log as public files (C2SP tlog-tiles): read by witnesses, audits and anybody's page. Tiles, entries and transitions
 * are answered up to the newest signed tree, so that a witness can replay a head before it is served; all of them never change.
 */
export function addDirectoryRoutes(app: FastifyInstance, services: DirectoryRoutes): void {
  const { files, admission, proxies } = services;
  const base = httpPaths.directory;
  const admit = (request: FastifyRequest): void => {
    admission.admit("readDirectory", { address: peerOf(request.raw, proxies) });
  };
  const send = (reply: FastifyReply, content: Uint8Array | string, headers: { type: string; cache: string }): FastifyReply =>
    reply
      .headers({
        "content-type": headers.type,
        "cache-control": headers.cache,
        "access-control-allow-origin": "*",
        "cross-origin-resource-policy": "cross-origin",
      })
      .send(typeof content === "string" ? content : Buffer.from(content.buffer, content.byteOffset, content.length));
  const sendImmutable = (reply: FastifyReply, content: Uint8Array | undefined): FastifyReply => {
    if (content === undefined) throw new Refusal("not_found");
    return send(reply, content, { type: bytes, cache: immutable });
  };

  app.get(`${base}/checkpoint`, async (request, reply) => {
    admit(request);
    const checkpoint = await files.servedCheckpoint();
    if (checkpoint === undefined) throw new Refusal("not_found");
    return send(reply, checkpoint.note, { type: "text/plain; charset=utf-8", cache: "public, max-age=1" });
  });
  app.get(`${base}/config`, async (request, reply) => {
    admit(request);
    const { firstConfig, size } = await files.directoryStatus();
    return sendImmutable(reply, size === 0 ? undefined : firstConfig);
  });
  app.get<{ Params: { "*": string } }>(`${base}/tile/*`, async (request, reply) => {
    admit(request);
    const path = parsePath(`tile/${request.params["*"]}`);
    const content = path.kind === "entries" ? await files.entryTile(path) : await files.hashTile(path);
    return sendImmutable(reply, content);
  });
  app.get<{ Params: { index: string } }>(`${base}/transition/:index`, async (request, reply) => {
    admit(request);
    return sendImmutable(reply, await files.transition({ index: parseIndex(request.params.index) }));
  });
  app.get<{ Params: { index: string } }>(`${base}/config-change/:index`, async (request, reply) => {
    admit(request);
    const change = await files.configChange({ index: parseIndex(request.params.index) });
    if (change === undefined) throw new Refusal("not_found");
    // Its cosignatures become more until the config is in effect.
    return send(reply, change, { type: bytes, cache: "no-cache" });
  });
}

function parsePath(path: string): ReturnType<typeof parseTilePath> {
  try {
    return parseTilePath(path);
  } catch (error) {
    if (error instanceof TransparencyError) throw new Refusal("not_found");
    throw error;
  }
}

/** Decimal as the log counts, one spelling each. */
function parseIndex(text: string): number {
  if (!/^(?:0|[1-9][0-9]{0,14})$/.test(text)) throw new Refusal("not_found");
  return Number(text);
}
