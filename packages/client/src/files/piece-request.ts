import { ClientError } from "../errors.ts";
import type { Platform } from "../platform/platform.ts";
import { backoffMs } from "../transport/backoff.ts";
import { ownCode } from "../transport/between.ts";
import { apart, damaged, orOffline, refused } from "../transport/blob-answers.ts";
import { fetchWhileItComes } from "../transport/fetch-within.ts";
import { filePieceCount } from "./file-store.ts";
import { filePieceAt } from "./reading.ts";
import { wait } from "./wait.ts";

/** Answers in a row that it is not there, or that it is shorter, after which that is so (spec E-15). */
const triesOfGone = 3;
const betweenGoneMs = 2000;
/** Tries in a row that brought nothing, after which whoever asked is told why; asked again, it is tried again. */
const triesInRow = 8;
/** Somebody waits for it: what is asked to wait for longer is not heard. */
const mostAdviceMs = 10_000;

/** Where a file's ciphertext is, and what to do with pieces of it that come unasked. */
export interface PieceHost {
  readonly platform: Pick<Platform, "fetch" | "setTimer" | "random">;
  readonly url: string;
  readonly totalBytes: number;
  /** Ends it, in the middle of whatever it does. */
  readonly signal: AbortSignal;
  /** A host that gives no parts gives all: this piece too. */
  keep(index: number, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Of the piece that is asked for so much is here: its beginning, without its last byte, of which nothing changes any more. Each try begins anew. */
  grew?(bytes: Uint8Array<ArrayBuffer>): void;
}

interface AskingPlatform {
  readonly platform: Pick<Platform, "fetch" | "setTimer">;
}

/**
 * Fetches one piece, however often it takes: a timeout, a 5xx, 429 or 403 are tried again with longer and longer waits (spec E-3).
 * @throws ClientError `file_gone` after three answers that it is not there; `server_lied` where the host has another file there; after many
 * tries in a row what came of the last one, with `canRetry`
 */
export async function fetchPiece(host: PieceHost, index: number): Promise<Uint8Array> {
  const { platform, signal } = host;
  let gone = 0;
  let short = 0;
  for (let attempt = 1; ; attempt++) {
    try {
      return await askForPiece(host, index);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ClientError) || error.code === "server_lied") throw error;
      short = error instanceof ShortAnswer ? short + 1 : 0;
      if (short >= triesOfGone) throw damaged();
      gone = error.canRetry ? 0 : gone + 1;
      if (gone >= triesOfGone) throw fileGone();
      if (attempt >= triesInRow) throw error.canRetry ? error : fileGone();
      const delayMs = gone + short > 0 ? betweenGoneMs : backoffMs({ attempt, reason: "lost", random: platform.random });
      await wait(platform, Math.max(delayMs, Math.min(error.retryAfterMs, mostAdviceMs)), signal);
    }
  }
}

/** The host of a file does not have it any more. */
export function fileGone(): ClientError {
  return new ClientError("file_gone", "The server does not have this file any more. Ask whoever sent it to send it again.");
}

/**
 * Asks once for one piece.
 * @throws ClientError `server_refused` without `canRetry` where the host says that it does not have it; `server_lied` where it has another file
 * there; else what may pass, with `canRetry`
 */
export async function askForPiece(host: Omit<PieceHost, "platform"> & AskingPlatform, index: number): Promise<Uint8Array<ArrayBuffer>> {
  const { platform, url, totalBytes, signal, keep, grew } = host;
  const { from, to } = filePieceAt(totalBytes, index);
  const init: RequestInit = { ...apart, method: "GET", headers: { range: `bytes=${from}-${to - 1}` }, signal };
  return await orOffline(() =>
    fetchWhileItComes(platform, url, init, async (response, came) => {
      if (response.status === 200) return await wantedOfAll(pieces(response, totalBytes, came), index, keep);
      // It ends before: what is there is shorter than the message says.
      if (response.status === 416) throw damaged();
      if (response.status !== 206) throw refused(response.status, await ownCode(response), "get");
      if (response.headers.get("content-range") !== `bytes ${from}-${to - 1}/${totalBytes}`) throw damaged();
      const [piece] = await Array.fromAsync(pieces(response, to - from, came, grew));
      return piece ?? new Uint8Array(0);
    }),
  );
}

/** An answer that ends before all of it is there: of a connection that is cut off, or of a file that is shorter than was said. */
class ShortAnswer extends ClientError {
  constructor() {
    super("offline", "A part of this did not come to its end. It is asked for again.");
  }
}

async function wantedOfAll(
  all: AsyncIterable<Uint8Array<ArrayBuffer>>,
  wanted: number,
  keep: PieceHost["keep"],
): Promise<Uint8Array<ArrayBuffer>> {
  let found: Uint8Array<ArrayBuffer> | undefined;
  let index = 0;
  for await (const piece of all) {
    if (index === wanted) found = piece;
    else await keep(index, piece);
    index++;
  }
  if (found === undefined) throw damaged();
  return found;
}

/** The body of an answer in pieces, of which it has so many bytes: of more nothing is read, and less is no answer. */
async function* pieces(
  response: Response,
  bytes: number,
  came: (bytes: number) => void,
  grew?: (bytes: Uint8Array<ArrayBuffer>) => void,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = response.body?.getReader();
  const count = filePieceCount(bytes);
  let index = 0;
  let piece: Uint8Array<ArrayBuffer> | undefined;
  let length = 0;
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
    if (done) break;
    came(value.length);
    for (let at = 0; at < value.length;) {
      const { from, to } = filePieceAt(bytes, index);
      if (index >= count) {
        await reader?.cancel().catch(() => undefined);
        throw damaged();
      }
      const part = value.subarray(at, at + to - from - length);
      piece ??= new Uint8Array(to - from);
      piece.set(part, length);
      length += part.length;
      at += part.length;
      if (length < to - from) {
        grew?.(piece.subarray(0, length));
        continue;
      }
      yield piece;
      [piece, length, index] = [undefined, 0, index + 1];
    }
  }
  if (index < count) throw new ShortAnswer();
}
