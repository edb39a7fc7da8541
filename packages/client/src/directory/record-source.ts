import { decodeEntryBundle, entriesTilePath, tileHashReader, tilePath, tileWidth, TransparencyError } from "@latchkey/transparency";
import type { HashReader } from "@latchkey/transparency";
import { httpPaths } from "@latchkey/protocol";
import { ClientError } from "../errors.ts";
import type { Platform } from "../platform/platform.ts";
import { fetchWithin, readBody } from "../transport/fetch-within.ts";

/**
 * A host's public record over HTTP: files that are the same for everybody, so that nobody learns by them whom somebody asks about
 * (spec D-5). Nothing of it is verified here.
 */
export interface RecordSource {
  /** The newest checkpoint: a C2SP signed note. */
  checkpoint(): Promise<Uint8Array>;
  /** Hashes of the log's tree at this size. */
  hashes(size: number): HashReader;
  /** The entries from `from` up to and without `to`, of a log of `size` entries. */
  entries(from: number, to: number, size: number): Promise<Uint8Array[]>;
  /** The transition of an entry; `undefined` where it changed nothing. */
  transition(index: number): Promise<Uint8Array | undefined>;
  /** The config of entry 0. */
  config(): Promise<Uint8Array>;
  /** How later configs took effect, by the index of their entry (spec D-2). */
  configChange(index: number): Promise<Uint8Array>;
  /** Forgets the files kept in memory: some of them did not hold, and may have been damaged on the way (spec E-3). */
  forget(): void;
  /** Bytes that were fetched so far, for those who keep to a measure (spec D-3). */
  readonly fetchedBytes: number;
}

const timeoutMs = 15_000;
const maxFileBytes = 33_554_432;
/** Tiles kept in memory: enough for proofs between any two sizes. */
const maxCached = 64;

/** @param baseUrl of the host's HTTP, without a slash at its end */
export function createRecordSource(params: { platform: Pick<Platform, "fetch" | "setTimer">; baseUrl: string }): RecordSource {
  const { platform, baseUrl } = params;
  const cache = new Map<string, Promise<Uint8Array>>();
  let fetchedBytes = 0;

  async function get(path: string, cache: RequestCache = "default"): Promise<Uint8Array | undefined> {
    const init: RequestInit = { credentials: "omit", redirect: "error", cache };
    try {
      return await fetchWithin(platform, `${baseUrl}${httpPaths.directory}/${path}`, init, readFile, timeoutMs);
    } catch (cause) {
      throw unavailable(cause);
    }
  }

  /** `undefined` for a file that is not there. @throws Error */
  async function readFile(response: Response): Promise<Uint8Array | undefined> {
    if (!response.ok) {
      await response.body?.cancel();
      if (response.status === 404) return undefined;
      throw new Error("no answer");
    }
    const bytes = await readBody(response, maxFileBytes);
    fetchedBytes += bytes?.length ?? maxFileBytes;
    if (bytes === undefined) throw new Error("too large");
    return bytes;
  }

  async function need(path: string, cache?: RequestCache): Promise<Uint8Array> {
    const bytes = await get(path, cache);
    if (bytes === undefined) throw unavailable();
    return bytes;
  }

  /** Files that never change. */
  function cached(path: string): Promise<Uint8Array> {
    const known = cache.get(path);
    if (known !== undefined) return known;
    const loading = need(path);
    cache.set(path, loading);
    loading.catch(() => cache.delete(path));
    for (const old of cache.keys()) {
      if (cache.size <= maxCached) break;
      cache.delete(old);
    }
    return loading;
  }

  return {
    // What the host says now, and not what somebody kept of it.
    checkpoint: () => need("checkpoint", "no-store"),
    hashes: (size) => tileHashReader(size, (tile) => cached(tilePath(tile.level, tile.index, tile.width))),
    async entries(from, to, size) {
      const found: Uint8Array[] = [];
      for (let index = Math.floor(from / tileWidth); index * tileWidth < to; index++) {
        const width = Math.min(tileWidth, size - index * tileWidth);
        const bundle = decodeEntryBundle(await cached(entriesTilePath(index, width)), width);
        const first = index * tileWidth;
        found.push(...bundle.slice(Math.max(0, from - first), to - first));
      }
      return found;
    },
    transition: (index) => get(`transition/${index}`),
    config: () => cached("config"),
    configChange: (index) => need(`config-change/${index}`),
    forget: () => cache.clear(),
    get fetchedBytes() {
      return fetchedBytes;
    },
  };
}

/** The record cannot be had now: nothing new is trusted, and it is said so (attack A6). */
export function unavailable(cause?: unknown): ClientError {
  const message = "The server's public record cannot be had now, so that nothing new can be checked. Try again later.";
  return new ClientError("directory_unproven", message, { canRetry: true, cause });
}

/** A failed check of the public record in the words of the client. */
export function recordFailure(error: unknown): ClientError {
  if (error instanceof ClientError) return error;
  if (!(error instanceof TransparencyError)) throw error;
  const options = { cause: error };
  switch (error.code) {
    case "rollback":
      return new ClientError(
        "directory_fork",
        "The server shows an older public record than before. Somebody may be shown false keys.",
        options,
      );
    case "fork":
      return new ClientError("directory_fork", "The server shows two public records. Somebody may be shown false keys.", options);
    case "config":
      return new ClientError("directory_fork", "The rules of the server's public record were changed without notice.", options);
    case "ahead":
      return new ClientError(
        "clock_skew",
        "The server's public record is dated ahead of this device's clock. Check the date and time of this device.",
        {
          ...options,
          canRetry: true,
        },
      );
    case "stale":
      return new ClientError("directory_stale", "The witnesses of the server's public record have not vouched for it lately.", {
        ...options,
        canRetry: true,
      });
    case "quorum":
      return new ClientError("directory_stale", "Too few witnesses vouch for the server's public record now.", {
        ...options,
        canRetry: true,
      });
    case "missing":
      return unavailable(error);
    default:
      return new ClientError("directory_unproven", "The server could not prove what it showed.", options);
  }
}
