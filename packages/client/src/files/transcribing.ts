import { equalBytes, fromBase64Url } from "@latchkey/codec";
import type { FilePart } from "@latchkey/protocol";
import { maxTranscript } from "../api/transcripts.ts";
import type { SpokenFile, Transcribe } from "../api/transcripts.ts";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import { ClientError } from "../errors.ts";
import { loadLine } from "../timeline/history.ts";
import { loadPlace } from "../timeline/ids.ts";
import type { Line } from "../timeline/line.ts";
import { isToBeSeenOnce } from "../timeline/once.ts";
import { putTranscripts } from "./transcripts.ts";

/** A file of which is wanted what is said in it. */
export interface Spoken {
  readonly runner: ConversationRunner;
  readonly messageId: string;
  readonly fileId: string;
  readonly file: FilePart;
  readonly content: AsyncIterable<Uint8Array>;
}

/** Has functions of the app write down what is said in files, one after the other, and keeps it with the messages (spec X-27). */
export class Transcribing {
  readonly #running = new Map<string, { readonly done: Promise<string>; readonly end: AbortController }>();
  #last: Promise<unknown> = Promise.resolve();

  /** Asked again while it runs, it is the same run. @throws ClientError, and whatever the function throws */
  async run(spoken: Spoken, transcribe: Transcribe): Promise<string> {
    const key = `${spoken.messageId}/${spoken.fileId}`;
    const known = this.#running.get(key);
    if (known !== undefined) return await known.done;
    const end = new AbortController();
    const before = this.#last;
    const done = (async () => {
      await before;
      return await ended(end.signal, () => write(spoken, transcribe, end.signal));
    })().finally(() => this.#running.delete(key));
    this.#running.set(key, { done, end });
    this.#last = done.catch(() => undefined);
    return await done;
  }

  /** Nobody waits for that file any more. */
  end(messageId: string, fileId: string): void {
    this.#running.get(`${messageId}/${fileId}`)?.end.abort();
  }

  /** Nobody waits for anything any more: not for a function that never ends either. */
  close(): void {
    for (const { end } of this.#running.values()) end.abort();
  }
}

/** What is done while nobody ends it: a function that hears of no end is left to itself. @throws ClientError `closed` */
async function ended(signal: AbortSignal, work: () => Promise<string>): Promise<string> {
  const { promise, reject } = Promise.withResolvers<never>();
  const end = (): void => reject(new ClientError("closed", "Nobody waits for this transcript any more.", { canRetry: true }));
  signal.addEventListener("abort", end, { once: true });
  if (signal.aborted) end();
  try {
    return await Promise.race([promise, signal.aborted ? promise : work()]);
  } finally {
    signal.removeEventListener("abort", end);
  }
}

async function write({ runner, messageId, fileId, file, content }: Spoken, transcribe: Transcribe, signal: AbortSignal): Promise<string> {
  const { kind, mediaType, sizeBytes, durationMs } = file;
  if (!maySpeak(kind)) throw new ClientError("not_permitted", "Nothing is said in this file.");
  const blobId = fromBase64Url(fileId);
  const known = await storedIn(runner, messageId, blobId);
  if (known !== undefined) return known;
  const text = cleanTranscript(await transcribe({ kind, mediaType, sizeBytes, durationMs, content, signal }));
  if (text === "" || signal.aborted) return text;
  await runner.changeTimeline(async (timeline, tx) => {
    const place = await loadPlace(tx, runner.id, messageId);
    const line = place?.kind === "message" ? await loadLine(tx, runner.id, place.order) : undefined;
    if (line === undefined || !speaks(line, blobId)) return;
    const transcripts = [...(line.transcripts ?? []).filter((one) => !equalBytes(one.blobId, blobId)), { blobId, text }];
    putTranscripts(tx, runner.id, line.order, transcripts);
    timeline.put({ ...line, transcripts });
  }, true);
  return text;
}

async function storedIn(runner: ConversationRunner, messageId: string, blobId: Uint8Array): Promise<string | undefined> {
  const line = await runner.history.line(messageId);
  return line?.transcripts?.find((one) => equalBytes(one.blobId, blobId))?.text;
}

/** Whether it is still there, and nothing that is to be seen once. */
function speaks({ body }: Line, blobId: Uint8Array): boolean {
  return body.kind === "text" && !isToBeSeenOnce(body) && body.files?.some((file) => equalBytes(file.blobId, blobId)) === true;
}

function maySpeak(kind: FilePart["kind"]): kind is SpokenFile["kind"] {
  return kind === "voice" || kind === "audio" || kind === "video";
}

/** What a function says of a file, as it is kept: without characters that nobody sees but line breaks and joiners, `maxTranscript` long at most. */
export function cleanTranscript(said: string): string {
  return said
    .slice(0, 2 * maxTranscript)
    .toWellFormed()
    .replaceAll(/\r\n?/g, "\n")
    .replaceAll(/[^\P{C}\n\u200C\u200D]/gu, "")
    .trim()
    .slice(0, maxTranscript)
    .toWellFormed();
}
