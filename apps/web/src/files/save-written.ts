import { container } from "../app-worker/registration.ts";
import { writtenPath } from "../media-worker/messages.ts";
import type { WrittenAnswer, WrittenPart, WrittenQuestion, WrittenRequest } from "../media-worker/messages.ts";
import { giveFile } from "../state/give-file.ts";
import { mostInMemoryBytes, randomToken } from "./file-source.ts";
import { keepWorkerGoing } from "./media-registration.ts";

/** What is saved has come to be more than a page can have in memory, in a browser without a worker that would take it. */
export class TooLargeHere extends Error {
  override readonly name = "TooLargeHere";
}

/**
 * Saves what is written piece by piece, where the browser saves files: by the app's worker, which takes a piece when the browser wants one; without one
 * in memory. Resolves once all of it was taken.
 * @param hasWorker whether a worker answers this page
 * @param signal the person wants no more of it: the browser shows what it has as broken off
 * @throws TooLargeHere, what `pieces` throws, and the reason of the signal
 */
export async function saveWritten(
  pieces: AsyncGenerator<Uint8Array>,
  { name, hasWorker, signal }: { readonly name: string; readonly hasWorker: boolean; readonly signal: AbortSignal },
): Promise<void> {
  try {
    await (hasWorker ? giveByWorker(pieces, name, signal) : giveFromMemory(pieces, name, signal));
  } finally {
    await pieces.return(undefined);
  }
}

async function giveByWorker(pieces: AsyncGenerator<Uint8Array>, name: string, signal: AbortSignal): Promise<void> {
  const token = randomToken();
  const done = Promise.withResolvers<void>();
  const open = (event: MessageEvent<WrittenQuestion>): void => {
    const [port] = event.ports;
    if (event.data?.kind !== "written_open" || event.data.token !== token || port === undefined) return;
    workers?.removeEventListener("message", open);
    port.addEventListener("message", ({ data }: MessageEvent<WrittenRequest>) => {
      if (data.kind === "stop") done.reject(new DOMException("The browser wants no more of it.", "AbortError"));
      else void giveNext(port);
    });
    port.start();
    const answer: WrittenAnswer = { kind: "written", name };
    port.postMessage(answer);
  };
  const giveNext = async (port: MessagePort): Promise<void> => {
    const say = (part: WrittenPart, transfer: Transferable[] = []): void => port.postMessage(part, transfer);
    try {
      signal.throwIfAborted();
      const next = await pieces.next();
      signal.throwIfAborted();
      if (next.done === true) {
        say({ kind: "end" });
        done.resolve();
        return;
      }
      const bytes = next.value.slice();
      say({ kind: "bytes", bytes }, [bytes.buffer]);
    } catch (error) {
      say({ kind: "failed" });
      done.reject(error);
    }
  };
  const workers = container();
  workers?.addEventListener("message", open);
  const rest = keepWorkerGoing();
  const stop = (): void => done.reject(signal.reason);
  signal.addEventListener("abort", stop);
  try {
    const link = document.createElement("a");
    link.href = `${writtenPath}${token}`;
    // The page goes nowhere: what is answered is saved. (A browser fetches a link with `download` past the worker.)
    link.click();
    await done.promise;
  } finally {
    rest();
    signal.removeEventListener("abort", stop);
    workers?.removeEventListener("message", open);
  }
}

async function giveFromMemory(pieces: AsyncGenerator<Uint8Array>, name: string, signal: AbortSignal): Promise<void> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let sizeBytes = 0;
  for await (const piece of pieces) {
    signal.throwIfAborted();
    sizeBytes += piece.length;
    if (sizeBytes > mostInMemoryBytes) throw new TooLargeHere("It is larger than what a page can have in memory.");
    parts.push(piece.slice());
  }
  giveFile(new Blob(parts, { type: "application/zip" }), name);
}
