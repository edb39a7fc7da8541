import { FileBroken, readSealedFile } from "@latchkey/client/files";
import type { FileKeys, PieceSource } from "@latchkey/client/files";
import { headBytes, lookAtParts } from "./look.ts";
import type { Look } from "./look.ts";
import { shownAsHeader } from "./messages.ts";
import { FileGone } from "./pieces.ts";
import type { PieceReader, Pieces } from "./pieces.ts";
import { parseRange } from "./ranges.ts";
import type { ByteRange } from "./ranges.ts";

/** A file that can be answered with. */
export interface OpenedFile {
  readonly keys: FileKeys;
  readonly name: string;
  readonly pieces: Pieces;
  /** What its beginning says, once that was read. */
  look?: Promise<Look> | undefined;
}

/** What of a request decides the answer. */
export interface Asked {
  readonly range: string | null;
  /** What the browser wants it for (Fetch §2.2.5): "" where a script asks. */
  readonly destination: string;
  /** It is to be saved. */
  readonly isSaved: boolean;
}

/** Of a part that is asked for without an end so much is answered at once: a worker that ends meanwhile is asked again for the rest. */
const mostAtOnceBytes = 1_048_576;

const inline: Readonly<Record<string, Look["shownAs"]>> = { image: "picture", video: "video", audio: "audio" };

/** The answer to a request for a file, or for a part of it. Rejects with nothing: what cannot be read is an answer too. */
export async function answerWith(file: OpenedFile, asked: Asked): Promise<Response> {
  try {
    const look = await lookOf(file);
    const { sizeBytes } = file.keys;
    if (!maybeShown(look, asked.destination)) return failure(415, look);
    const range = parseRange(asked.range, sizeBytes);
    if (range === "unsatisfiable") return failure(416, look, { "content-range": `bytes */${String(sizeBytes)}` });
    const isPlayed = asked.destination === "video" || asked.destination === "audio";
    const part = range === undefined ? { from: 0, to: sizeBytes } : isPlayed ? shortened(range) : range;
    const headers = {
      ...headersOf(look),
      "content-length": String(part.to - part.from),
      "content-disposition": dispositionOf(asked, file.name),
      "accept-ranges": "bytes",
      ...(range === undefined ? {} : { "content-range": `bytes ${String(part.from)}-${String(part.to - 1)}/${String(sizeBytes)}` }),
    };
    return new Response(sizeBytes === 0 ? null : streamOf(file, part), { status: range === undefined ? 200 : 206, headers });
  } catch (error) {
    return failure(error instanceof FileGone ? 410 : error instanceof FileBroken ? 422 : 502);
  }
}

/** An answer without the file. */
export function failure(status: number, look?: Look, more: Readonly<Record<string, string>> = {}): Response {
  return new Response(null, { status, headers: { ...headersOf(look), ...more } });
}

/** Of what is saved under a name, whatever is in it. */
export function savedHeaders(name: string): Record<string, string> {
  return { ...headersOf(undefined), "content-disposition": `attachment; ${named(name)}` };
}

function headersOf(look: Look | undefined): Record<string, string> {
  return {
    "content-type": look?.mediaType ?? "application/octet-stream",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; sandbox",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    // What was decrypted is in no cache.
    "cache-control": "no-store",
    ...(look === undefined ? {} : { [shownAsHeader]: look.shownAs }),
  };
}

/** A video may be heard, and a sound may be in the box of a video. */
function maybeShown(look: Look, destination: string): boolean {
  const wanted = inline[destination];
  if (wanted === undefined) return true;
  return wanted === "picture" ? look.shownAs === "picture" : look.shownAs === "video" || look.shownAs === "audio";
}

function shortened({ from, to }: ByteRange): ByteRange {
  return { from, to: Math.min(to, from + mostAtOnceBytes) };
}

/** Shown where it was asked for by an element that shows it; anything else saves it. */
function dispositionOf({ destination, isSaved }: Asked, name: string): string {
  const isShown = !isSaved && (destination in inline || destination === "");
  return `${isShown ? "inline" : "attachment"}; ${named(name)}`;
}

function named(name: string): string {
  const ascii = name.replaceAll(/[^\w .()-]/g, "_");
  const coded = encodeURIComponent(name.toWellFormed()).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `filename="${ascii}"; filename*=UTF-8''${coded}`;
}

async function lookOf(file: OpenedFile): Promise<Look> {
  const look = file.look ?? readLook(file);
  file.look = look;
  // What could not be read is tried again.
  look.catch(() => (file.look = undefined));
  return await look;
}

async function readLook(file: OpenedFile): Promise<Look> {
  const reader = file.pieces.read();
  try {
    const { sizeBytes } = file.keys;
    return await lookAtParts(verifiedParts(file, { from: 0, to: Math.min(headBytes, sizeBytes) }, reader), sizeBytes);
  } finally {
    reader.end();
  }
}

/** The bytes of a part; a piece that does not open is kept no more, and fetched anew once: it may have been damaged here (spec E-134). */
async function* verifiedParts(
  { keys, pieces }: OpenedFile,
  { from, to }: ByteRange,
  reader: PieceReader,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  let at = from;
  for (let isAgain = false; ; isAgain = true) {
    const taken: number[] = [];
    const take: PieceSource = (index, through) => {
      if (taken.at(-1) !== index) taken.push(index);
      return reader.take(index, through);
    };
    try {
      for await (const part of readSealedFile(keys, take, { from: at, to })) {
        // Whoever takes it may take its memory too.
        at += part.length;
        isAgain = false;
        yield part;
      }
      return;
    } catch (error) {
      if (!(error instanceof FileBroken)) throw error;
      // A chunk lies in two pieces at most.
      for (const index of taken.slice(-2)) await pieces.forget(index);
      if (isAgain) throw error;
    }
  }
}

/** The bytes as they are asked for: nothing is read ahead of that. */
function streamOf(file: OpenedFile, range: ByteRange): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = file.pieces.read();
  const parts = verifiedParts(file, range, reader);
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await parts.next().catch((error: unknown) => {
          reader.end();
          throw error;
        });
        if (done !== true) return controller.enqueue(value);
        reader.end();
        controller.close();
      },
      async cancel() {
        reader.end();
        await parts.return();
      },
    },
    { highWaterMark: 0 },
  );
}
