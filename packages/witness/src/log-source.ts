import { readAtMost } from "@latchkey/codec";
import { httpPaths } from "@latchkey/protocol";
import { decodeEntryBundle, entriesTilePath, tilePath, tileWidth } from "@latchkey/transparency";
import type { Tile } from "@latchkey/transparency";
import { request as httpRequest, Agent } from "node:http";
import type { IncomingMessage } from "node:http";
import { Agent as SecureAgent, request as httpsRequest } from "node:https";
import { once } from "node:events";
import { WitnessError } from "./errors.ts";

/** Where the parts of a directory's log are read. Nothing that it gives is verified. */
export interface LogSource {
  /** The config of entry 0. */
  config(signal?: AbortSignal): Promise<Uint8Array>;
  /** The newest checkpoint that is served, a signed note. */
  checkpoint(signal?: AbortSignal): Promise<Uint8Array>;
  /** The entries from `from` on, below `size`, in their order; the log has at least `size`. */
  entries(params: { from: number; size: number; signal?: AbortSignal }): AsyncIterable<Uint8Array>;
  tile(tile: Tile, signal?: AbortSignal): Promise<Uint8Array>;
  /** The transition of an entry that changed the map. */
  transition(index: number, signal?: AbortSignal): Promise<Uint8Array>;
  /** How the config of an entry took effect (spec D-2); `bad_answer` where it has not. */
  configChange(index: number, signal?: AbortSignal): Promise<Uint8Array>;
  /** Bytes read so far. */
  readonly bytesRead: number;
}

/** Largest parts, in bytes. */
const limits = {
  config: 32_768,
  checkpoint: 32_768,
  entries: 256 * (40_960 + 2),
  tile: 256 * 32,
  transition: 1 << 27,
  configChange: 196_608,
} as const;

const maxErrorBytes = 65_536;
const kept = { keepAlive: true, maxSockets: 32 } as const;

/** Bundles of entries asked for before they are needed. */
const bundlesAhead = 4;

/**
 * A log over HTTP: C2SP tlog-tiles below `<server>/v1/directory`, and the transitions (spec D-3). Each request ends after `timeoutMs`;
 * a `GET` that failed is tried `retries` times more.
 * @throws WitnessError `unreachable` or `bad_answer` from its methods.
 */
export function httpLogSource(params: { serverUrl: string; timeoutMs: number; retries?: number }): LogSource {
  const { serverUrl, timeoutMs, retries = 0 } = params;
  let bytesRead = 0;
  // Thousands of small files of one server: a plain client with its connections kept open reads them twice as fast as `fetch`.
  const isSecure = serverUrl.startsWith("https:");
  const agent = isSecure ? new SecureAgent(kept) : new Agent(kept);
  const open = async (url: string, signal: AbortSignal): Promise<IncomingMessage> => {
    const request = (isSecure ? httpsRequest : httpRequest)(url, { agent, signal });
    request.end();
    const [response]: IncomingMessage[] = await once(request, "response");
    if (response === undefined) throw new Error("no response");
    return response;
  };

  const attempt = async (path: string, maxBytes: number, signal: AbortSignal | undefined): Promise<Uint8Array> => {
    // Not `AbortSignal.any` of one with a time of its own: Node 20 forgets that, and waits for ever.
    const ending = new AbortController();
    const end = (): void => ending.abort();
    const timer = setTimeout(end, timeoutMs);
    if (signal?.aborted === true) end();
    signal?.addEventListener("abort", end);
    let status: number;
    try {
      const response = await open(`${serverUrl}${httpPaths.directory}/${path}`, ending.signal);
      status = response.statusCode ?? 0;
      const body = await readAtMost(response, status === 200 ? maxBytes : maxErrorBytes);
      if (body === undefined) throw new WitnessError("bad_answer", "the server's answer is too long");
      if (status === 200) {
        bytesRead += body.length;
        return body;
      }
    } catch (cause) {
      if (cause instanceof WitnessError) throw cause;
      throw new WitnessError("unreachable", `the server does not answer for ${path}, or not in time`, { cause });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
    }
    const code = status >= 500 || status === 429 ? "unreachable" : "bad_answer";
    throw new WitnessError(code, `the server answers ${path} with status ${String(status)}`);
  };

  const get = async (path: string, maxBytes: number, signal?: AbortSignal): Promise<Uint8Array> => {
    for (let left = retries; ; left--) {
      try {
        return await attempt(path, maxBytes, signal);
      } catch (error) {
        const isWorthIt = error instanceof WitnessError && error.code === "unreachable" && left > 0 && signal?.aborted !== true;
        if (!isWorthIt) throw error;
        await new Promise((done) => setTimeout(done, 250 * (retries - left + 1)));
      }
    }
  };

  const bundle = async (index: number, size: number, signal: AbortSignal | undefined): Promise<readonly Uint8Array[]> => {
    const width = Math.min(tileWidth, size - index * tileWidth);
    return decodeEntryBundle(await get(entriesTilePath(index, width), limits.entries, signal), width);
  };

  return {
    config: (signal) => get("config", limits.config, signal),
    checkpoint: (signal) => get("checkpoint", limits.checkpoint, signal),
    async *entries({ from, size, signal }) {
      const last = Math.ceil(size / tileWidth) - 1;
      const first = Math.floor(from / tileWidth);
      const asked = new Map<number, Promise<readonly Uint8Array[]>>();
      for (let index = first; index <= last; index++) {
        for (let ahead = index; ahead <= Math.min(last, index + bundlesAhead); ahead++) {
          if (!asked.has(ahead)) asked.set(ahead, handled(bundle(ahead, size, signal)));
        }
        const entries = (await asked.get(index)) ?? [];
        asked.delete(index);
        yield* entries.slice(Math.max(0, from - index * tileWidth));
      }
    },
    tile: (tile, signal) => get(tilePath(tile.level, tile.index, tile.width), limits.tile, signal),
    transition: (index, signal) => get(`transition/${String(index)}`, limits.transition, signal),
    configChange: (index, signal) => get(`config-change/${String(index)}`, limits.configChange, signal),
    get bytesRead() {
      return bytesRead;
    },
  };
}

/** A promise that is awaited later, or never: its failure is no unhandled one until then. */
export function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
